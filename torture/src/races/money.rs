//! Who comes back from the provider twice, or too late.

use super::{Outcomes, must};
use crate::{
    Result,
    ask::{Caller, at_once, text},
    cluster::Cluster,
    dice::Dice,
    person::MINUTE,
    show::{BOOKED, Show},
};
use entity::{
    booking,
    enums::{BookingStatus, PaymentStatus},
    ids::{BookingId, PaymentId, UserId},
    job, payment, payment_event,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::Value;
use spotlight::{booking::expire::ExpireBooking, infra::jobs::Job};
use std::{collections::HashSet, time::Instant};

/// Has agreed on the provider's page, and is about to come back.
struct Returning {
    fan: Caller,
    booked: Value,
    back: String,
}

async fn returning(cluster: &Cluster, show: &Show, seats: i32, count: usize) -> Result<Vec<Returning>> {
    let input = show.booking(seats, "b");
    let booking = cluster.fans(count).await?.into_iter().map(|fan| {
        let input = input.clone();
        async move {
            let booked = fan.mutate("bookingStart", BOOKED, &input).await?;
            let back = fan.agree(&text(&booked, "/payment/redirect/pcUrl")?).await?;
            Ok(Returning { fan, booked, back })
        }
    });
    at_once(booking).await
}

/// Three fans, whose browsers come back four times each, to all nodes: the money is taken once.
pub async fn double_approve(cluster: &Cluster) -> Result<Outcomes> {
    let show = cluster.publish(1_000, 6).await?;
    let people = returning(cluster, &show, 2, 3).await?;
    let clicks = people.iter().flat_map(|one| {
        let everywhere = cluster.everywhere(&one.fan.who, 4).into_iter();
        everywhere.map(|click| {
            let back = one.back.clone();
            async move { click.come_back(&back).await }
        })
    });
    let told = at_once(clicks).await?;
    cluster.settle().await?;
    for status in &told {
        must("what a click is told", &matches!(status.as_str(), "APPROVED" | "APPROVING"), &true)?;
    }
    for one in &people {
        let id: PaymentId = text(&one.booked, "/payment/id")?.parse()?;
        for step in ["BeginApprove", "Approve"] {
            let of_payment = payment_event::Entity::find().filter(payment_event::Column::PaymentId.eq(id));
            let rows =
                of_payment.filter(payment_event::Column::Step.eq(step)).all(cluster.world.app.db.reads()).await?;
            must(step, &rows.len(), &1)?;
        }
    }
    let due: HashSet<UserId> = people.iter().map(|one| one.fan.who.id).collect();
    must("who has tickets", &show.holders(&cluster.world).await?, &due)?;
    must("tickets", &show.valid_tickets(&cluster.world).await?.len(), &6)?;
    let approved = told.iter().filter(|status| *status == "APPROVED").count();
    Ok(vec![("sold", people.len()), ("clicks told so", approved), ("told to wait", told.len() - approved)])
}

/// How a hold ends.
pub const WAYS: [&str; 2] = ["sold", "given back"];

/// Eight fans come back while their holds are over. The dice say how many are through before that, up to two, and how many
/// come only when the first hold was released; of the others four come at once when it happens, and the rest one after the
/// other from then on. Each is sold, or given back.
pub async fn approve_against_expire(cluster: &Cluster, mut dice: Dice) -> Result<Outcomes> {
    let show = cluster.publish(1_000, 8).await?;
    let people = returning(cluster, &show, 1, 8).await?;
    let holds: Vec<BookingId> =
        people.iter().map(|one| Ok(text(&one.booked, "/booking/id")?.parse()?)).collect::<Result<_>>()?;
    let (early, rest) = people.split_at(dice.below(3));
    let (together, in_turn) = rest.split_at(4);
    let (in_turn, late) = in_turn.split_at(in_turn.len() - dice.below(3));
    let mut told = one_by_one(early).await?;
    let coming = together.iter().map(|one| {
        let (fan, back) = (one.fan.clone(), one.back.clone());
        async move { fan.come_back(&back).await }
    });
    let later = async {
        end_holds(cluster, &holds).await?;
        let mut told = one_by_one(in_turn).await?;
        if !late.is_empty() {
            until_over(cluster, holds.iter().rev().take(late.len())).await?;
        }
        told.extend(one_by_one(late).await?);
        Ok::<_, crate::Error>(told)
    };
    let (racing, later) = tokio::join!(at_once(coming.collect::<Vec<_>>()), later);
    told.extend(racing?.into_iter().chain(later?));
    cluster.settle().await?;
    let mut sold = HashSet::new();
    for ((one, id), told) in people.iter().zip(&holds).zip(&told) {
        if is_sold(cluster, *id, told).await? {
            sold.insert(one.fan.who.id);
        }
    }
    must("who has a ticket", &show.holders(&cluster.world).await?, &sold)?;
    must("seats left", &usize::try_from(show.stock(&cluster.world).await?.remaining)?, &(8 - sold.len()))?;
    let [is_sold, given_back] = WAYS;
    Ok(vec![(is_sold, sold.len()), (given_back, 8 - sold.len())])
}

async fn one_by_one(people: &[Returning]) -> Result<Vec<String>> {
    let mut told = Vec::new();
    for one in people {
        told.push(one.fan.come_back(&one.back).await?);
    }
    Ok(told)
}

/// Until these holds were released.
async fn until_over(cluster: &Cluster, holds: impl Iterator<Item = &BookingId>) -> Result<()> {
    let since = Instant::now();
    for id in holds {
        let row = || booking::Entity::find_by_id(*id).one(cluster.world.app.db.reads());
        while row().await?.is_none_or(|row| row.status == BookingStatus::Held) {
            if since.elapsed() > MINUTE {
                return Err(format!("{id} is still held after a minute").into());
            }
        }
    }
    Ok(())
}

/// As if a quarter of an hour had passed: the holds end now, and the jobs that release them are due.
async fn end_holds(cluster: &Cluster, holds: &[BookingId]) -> Result<()> {
    let (db, now) = (cluster.world.app.db.reads(), cluster.world.app.clock.now());
    booking::Entity::update_many()
        .col_expr(booking::Column::ExpiresAt, Expr::value(now))
        .filter(booking::Column::Id.is_in(holds.iter().copied()))
        .filter(booking::Column::Status.eq(BookingStatus::Held))
        .exec(db)
        .await?;
    let payloads = holds.iter().map(|booking_id| serde_json::to_string(&ExpireBooking { booking_id: *booking_id }));
    let payloads: Vec<String> = payloads.collect::<Result<_, _>>()?;
    let due = job::Entity::update_many()
        .col_expr(job::Column::RunAt, Expr::value(now))
        .filter(job::Column::Name.eq(ExpireBooking::NAME))
        .filter(job::Column::Payload.is_in(payloads))
        .exec(db)
        .await?;
    must("jobs that release a hold", &usize::try_from(due.rows_affected)?, &holds.len())
}

/// Sold with its money, or given back without; and the browser was not told otherwise.
async fn is_sold(cluster: &Cluster, id: BookingId, told: &str) -> Result<bool> {
    let db = cluster.world.app.db.reads();
    let row = booking::Entity::find_by_id(id).one(db).await?.ok_or("the booking is gone")?;
    let money = payment::Entity::find().filter(payment::Column::BookingId.eq(id)).one(db).await?;
    let money = money.ok_or("the payment is gone")?.status;
    match (row.status, money, told) {
        (BookingStatus::Confirmed, PaymentStatus::Approved, "APPROVED" | "APPROVING") => Ok(true),
        (
            BookingStatus::Expired,
            PaymentStatus::Expired | PaymentStatus::Failed | PaymentStatus::Canceled,
            "EXPIRED" | "FAILED" | "APPROVING" | "CANCELING" | "CANCELED",
        ) => Ok(false),
        neither => Err(format!("neither sold nor given back: {neither:?}").into()),
    }
}
