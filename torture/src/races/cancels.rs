//! Who gives back the same thing.

use super::{GLANCE, Outcomes, hesitate, must};
use crate::{
    Result,
    ask::{Caller, at_once, refusal, text},
    cluster::Cluster,
    dice::Dice,
    person::MINUTE,
    show::{BOOKED, Show},
};
use entity::{
    booking,
    enums::{BookingStatus, EventStatus, PaymentStatus},
    event,
    ids::{BookingId, EventId, UserId},
    job, payment,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use spotlight::{booking::refund::RefundBooking, infra::jobs::Job};
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

/// By whom a booking was canceled whose fan set out while the event was being canceled, and the booking was not yet.
pub const WAYS: [&str; 2] = ["canceled by the fan in the race", "by the event's end in the race"];

/// A fan's answer, and whether there was a race for it.
type Told = (Value, bool);

/// Eight fans cancel. The dice say how many have done so before the artist cancels the event, up to two, and how many ask only
/// when all is given back; of the others three ask while the artist cancels, and the rest as soon as a node begins to
/// give back, against the event's refunds. Each booking is canceled by one of the two.
pub async fn cancel_against_event(cluster: &Cluster, mut dice: Dice) -> Result<Outcomes> {
    let show = cluster.publish(1_000, SEATS).await?;
    let buyers = buyers(cluster, &show, 8).await?;
    let (early, rest) = buyers.split_at(dice.below(3));
    let (racing, late) = rest.split_at(rest.len() - dice.below(3));
    let mut told = one_by_one(early).await?;
    told.extend(race(cluster, &show, racing, &mut dice).await?);
    if !late.is_empty() {
        until_canceled(cluster, &show).await?;
        told.extend(one_by_one(late).await?);
    }
    let count = |code: &str, has_raced: bool| {
        told.iter().filter(|(payload, raced)| refusal(payload) == code && *raced == has_raced).count()
    };
    let (won, lost) = (count("", true), count("NOT_CANCELABLE", true));
    let (before, after) = (count("", false), count("NOT_CANCELABLE", false));
    let all = won + lost + before + after;
    must("fans who canceled, or were told that it is canceled already", &all, &buyers.len())?;
    all_back(cluster, &show).await?;
    let id: EventId = show.id.parse()?;
    let row = event::Entity::find_by_id(id).one(cluster.world.app.db.reads()).await?;
    must("the event", &row.map(|row| row.status), &Some(EventStatus::Canceled))?;
    let [fan, end] = WAYS;
    Ok(vec![(fan, won), (end, lost), ("by the fan before it", before), ("by the event's end before they asked", after)])
}

/// Three with the artist, and the others when a node has taken the first job by which the event's end comes to their bookings.
async fn race(cluster: &Cluster, show: &Show, fans: &[(Caller, String)], dice: &mut Dice) -> Result<Vec<Told>> {
    let (artist, input) = (cluster.artist(1), json!({ "eventId": show.id }));
    let (together, then) = fans.split_at(3);
    let mut at_first = dice.another();
    let off = async {
        let off = artist.mutate("eventCancel", "event { status }", &input).await?;
        must("the artist is refused", &refusal(&off), &"")?;
        until_refunded(cluster, then).await?;
        against_event(cluster, then, dice).await
    };
    let (mut told, then) = tokio::try_join!(against_event(cluster, together, &mut at_first), off)?;
    told.extend(then);
    Ok(told)
}

/// All at once, but for milliseconds. Who sets out after the event's end came to the booking can only lose.
async fn against_event(cluster: &Cluster, fans: &[(Caller, String)], dice: &mut Dice) -> Result<Vec<Told>> {
    let canceling = fans.iter().cloned().map(|(fan, id)| {
        let (db, mut dice) = (cluster.world.app.db.reads().clone(), dice.another());
        async move {
            hesitate(&mut dice).await;
            let row = booking::Entity::find_by_id(id.parse::<BookingId>()?).one(&db).await?;
            let has_raced = row.is_some_and(|row| row.status == BookingStatus::Confirmed);
            Ok((cancel(fan, id, "c".to_owned()).await?, has_raced))
        }
    });
    at_once(canceling).await
}

/// Until a node has taken one of the jobs that refund these, or has done it.
async fn until_refunded(cluster: &Cluster, fans: &[(Caller, String)]) -> Result<()> {
    let (since, db) = (Instant::now(), cluster.world.app.db.reads());
    let ids: Vec<BookingId> = fans.iter().map(|(_, id)| id.parse()).collect::<Result<_, _>>()?;
    let jobs = ids.iter().map(|booking_id| serde_json::to_string(&RefundBooking { booking_id: *booking_id }));
    let taken = job::Entity::find()
        .filter(job::Column::Name.eq(RefundBooking::NAME))
        .filter(job::Column::Payload.is_in(jobs.collect::<Result<Vec<_>, _>>()?))
        .filter(job::Column::LeaseOwner.is_not_null());
    let begun = booking::Entity::find()
        .filter(booking::Column::Id.is_in(ids))
        .filter(booking::Column::Status.ne(BookingStatus::Confirmed));
    while taken.clone().count(db).await? + begun.clone().count(db).await? == 0 {
        if since.elapsed() > MINUTE {
            return Err("a minute after the event was canceled no node refunds anybody".into());
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

/// Until the event's end has come to every booking.
async fn until_canceled(cluster: &Cluster, show: &Show) -> Result<()> {
    let since = Instant::now();
    while show.bookings(&cluster.world).await?.iter().any(|row| row.status != BookingStatus::Canceled) {
        if since.elapsed() > MINUTE {
            return Err("a minute after the event was canceled, a booking is not".into());
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

async fn one_by_one(buyers: &[(Caller, String)]) -> Result<Vec<Told>> {
    let mut told = Vec::new();
    for (fan, id) in buyers {
        told.push((cancel(fan.clone(), id.clone(), "c".to_owned()).await?, false));
    }
    Ok(told)
}
