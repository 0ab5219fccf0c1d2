//! Who gives back the same thing.

use super::{Outcomes, must};
use crate::{
    Result,
    ask::{Caller, at_once, refusal, text},
    cluster::Cluster,
    dice::Dice,
    person::MINUTE,
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
use std::{collections::HashSet, time::Instant};

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

/// By whom a booking was canceled.
pub const WAYS: [&str; 2] = ["canceled by the fan", "by the event's end"];

/// Eight fans cancel. The dice say how many have done so before the artist cancels the event, up to two, and how many ask only
/// when all is given back; of the others three ask while the artist cancels, and the rest one after the other from then on,
/// against the event's refunds. Each booking is canceled by one of the two.
pub async fn cancel_against_event(cluster: &Cluster, mut dice: Dice) -> Result<Outcomes> {
    let show = cluster.publish(1_000, SEATS).await?;
    let buyers = buyers(cluster, &show, 8).await?;
    let (artist, input) = (cluster.artist(1), json!({ "eventId": show.id }));
    let (early, rest) = buyers.split_at(dice.below(3));
    let (together, in_turn) = rest.split_at(3);
    let (in_turn, late) = in_turn.split_at(in_turn.len() - dice.below(3));
    let mut payloads = one_by_one(early).await?;
    let off = async {
        let off = artist.mutate("eventCancel", "event { status }", &input).await?;
        Ok::<_, crate::Error>((off, one_by_one(in_turn).await?))
    };
    let racing = together.iter().map(|(fan, id)| cancel(fan.clone(), id.clone(), "c".to_owned()));
    let (racing, off) = tokio::join!(at_once(racing), off);
    let (off, in_turn) = off?;
    must("the artist is refused", &refusal(&off), &"")?;
    payloads.extend(racing?.into_iter().chain(in_turn));
    if !late.is_empty() {
        until_canceled(cluster, &show).await?;
        payloads.extend(one_by_one(late).await?);
    }
    let by_fans = payloads.iter().filter(|payload| refusal(payload).is_empty()).count();
    let by_event = payloads.iter().filter(|payload| refusal(payload) == "NOT_CANCELABLE").count();
    must("fans who canceled, or were told that it is canceled already", &(by_fans + by_event), &buyers.len())?;
    all_back(cluster, &show).await?;
    let id: EventId = show.id.parse()?;
    let row = event::Entity::find_by_id(id).one(cluster.world.app.db.reads()).await?;
    must("the event", &row.map(|row| row.status), &Some(EventStatus::Canceled))?;
    let [fan, end] = WAYS;
    Ok(vec![(fan, by_fans), (end, by_event)])
}

/// Until the event's end has come to every booking.
async fn until_canceled(cluster: &Cluster, show: &Show) -> Result<()> {
    let since = Instant::now();
    while show.bookings(&cluster.world).await?.iter().any(|row| row.status != BookingStatus::Canceled) {
        if since.elapsed() > MINUTE {
            return Err("a minute after the event was canceled, a booking is not".into());
        }
    }
    Ok(())
}

async fn one_by_one(buyers: &[(Caller, String)]) -> Result<Vec<Value>> {
    let mut payloads = Vec::new();
    for (fan, id) in buyers {
        payloads.push(cancel(fan.clone(), id.clone(), "c".to_owned()).await?);
    }
    Ok(payloads)
}
