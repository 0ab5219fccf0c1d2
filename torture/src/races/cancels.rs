//! Who gives back the same thing.

use super::{Outcomes, must};
use crate::{
    Result,
    ask::{Caller, at_once, refusal, text},
    cluster::Cluster,
    show::{BOOKED, Show},
};
use entity::{
    enums::{BookingStatus, EventStatus, PaymentStatus},
    event,
    ids::{EventId, UserId},
    payment,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::HashSet;

const SEATS: i32 = 16;

/// Fans with two seats each, paid for, and the ids of their bookings.
async fn buyers(cluster: &Cluster, show: &Show, count: usize) -> Result<Vec<(Caller, String)>> {
    let input = show.booking(2, "b");
    let buying = cluster.fans(count).await?.into_iter().map(|fan| {
        let input = input.clone();
        async move {
            let booked = fan.mutate("bookingStart", BOOKED, &input).await?;
            fan.pay(&booked).await?;
            Ok((fan, text(&booked, "/booking/id")?))
        }
    });
    let buyers = at_once(buying).await?;
    cluster.settle().await?;
    let due: HashSet<UserId> = buyers.iter().map(|(fan, _)| fan.who.id).collect();
    must("who has tickets before", &show.holders(&cluster.world).await?, &due)?;
    Ok(buyers)
}

async fn cancel(who: Caller, id: String, key: String) -> Result<Value> {
    who.mutate("bookingCancel", "booking { status }", &json!({ "bookingId": id, "idempotencyKey": key })).await
}

/// Every booking is canceled, all its money went back, and all seats are there again.
async fn all_back(cluster: &Cluster, show: &Show) -> Result<()> {
    cluster.settle().await?;
    for row in show.bookings(&cluster.world).await? {
        let of_booking = payment::Entity::find().filter(payment::Column::BookingId.eq(row.id));
        let money = of_booking.one(cluster.world.app.db.reads()).await?.ok_or("the payment is gone")?;
        let due = (BookingStatus::Canceled, PaymentStatus::Canceled, money.amount);
        must("a booking and its money", &(row.status, money.status, money.canceled_amount), &due)?;
    }
    must("who has tickets", &show.holders(&cluster.world).await?, &HashSet::new())?;
    must("seats left", &show.stock(&cluster.world).await?.remaining, &SEATS)
}

/// Three fans, each of whom cancels four times at all nodes, with another key each time: once it is done, and the money
/// goes back once.
pub async fn cancel_against_cancel(cluster: &Cluster) -> Result<Outcomes> {
    let show = cluster.publish(1_000, SEATS).await?;
    let buyers = buyers(cluster, &show, 3).await?;
    let canceling = buyers.iter().flat_map(|(fan, id)| {
        let clicks = cluster.everywhere(&fan.who, 4).into_iter().enumerate();
        clicks.map(|(place, click)| cancel(click, id.clone(), format!("c{place}")))
    });
    let payloads = at_once(canceling).await?;
    for clicks in payloads.chunks(4) {
        let mut codes: Vec<&str> = clicks.iter().map(refusal).collect();
        codes.sort_unstable();
        must("what the clicks are told", &codes, &vec!["", "NOT_CANCELABLE", "NOT_CANCELABLE", "NOT_CANCELABLE"])?;
    }
    all_back(cluster, &show).await?;
    Ok(vec![("canceled", buyers.len()), ("told that it is canceled already", payloads.len() - buyers.len())])
}

/// Eight fans cancel: three while the artist cancels the event, the others one after the other from then on, against the
/// event's refunds. Each booking is canceled by one of the two.
pub async fn cancel_against_event(cluster: &Cluster) -> Result<Outcomes> {
    let show = cluster.publish(1_000, SEATS).await?;
    let buyers = buyers(cluster, &show, 8).await?;
    let (artist, input) = (cluster.artist(1), json!({ "eventId": show.id }));
    let cancel = |(fan, id): &(Caller, String)| cancel(fan.clone(), id.clone(), "c".to_owned());
    let (early, in_turn) = buyers.split_at(3);
    let off = async {
        let off = artist.mutate("eventCancel", "event { status }", &input).await?;
        let mut late = Vec::new();
        for one in in_turn {
            late.push(cancel(one).await?);
        }
        Ok::<_, crate::Error>((off, late))
    };
    let (payloads, off) = tokio::join!(at_once(early.iter().map(cancel)), off);
    let (off, late) = off?;
    must("the artist is refused", &refusal(&off), &"")?;
    let payloads: Vec<Value> = payloads?.into_iter().chain(late).collect();
    let by_fans = payloads.iter().filter(|payload| refusal(payload).is_empty()).count();
    let late = payloads.iter().filter(|payload| refusal(payload) == "NOT_CANCELABLE").count();
    must("fans who canceled, or were told that it is canceled already", &(by_fans + late), &buyers.len())?;
    all_back(cluster, &show).await?;
    let id: EventId = show.id.parse()?;
    let row = event::Entity::find_by_id(id).one(cluster.world.app.db.reads()).await?;
    must("the event", &row.map(|row| row.status), &Some(EventStatus::Canceled))?;
    Ok(vec![("canceled by the fan", by_fans), ("by the event's end", late)])
}
