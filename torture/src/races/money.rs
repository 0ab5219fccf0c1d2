//! Who comes back from the provider twice, or too late.

use super::{GLANCE, Outcomes, hesitate, must};
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
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use serde_json::Value;
use spotlight::{booking::expire::ExpireBooking, infra::jobs::Job};
use std::{collections::HashSet, time::Instant};

/// Has agreed on the provider's page, and is about to come back.
#[derive(Clone)]
struct Returning {
    fan: Caller,
    booked: Value,
    back: String,
    hold: BookingId,
}

async fn returning(cluster: &Cluster, show: &Show, seats: i32, count: usize) -> Result<Vec<Returning>> {
    let input = show.booking(seats, "b");
    let booking = cluster.fans(count).await?.into_iter().map(|fan| {
        let input = input.clone();
        async move {
            let booked = fan.mutate("bookingStart", BOOKED, &input).await?;
            let back = fan.agree(&text(&booked, "/payment/redirect/pcUrl")?).await?;
            let hold = text(&booked, "/booking/id")?.parse()?;
            Ok(Returning { fan, booked, back, hold })
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

/// How a hold ends for whoever set out when it was over, and not released yet.
pub const WAYS: [&str; 2] = ["sold in the race", "given back in the race"];

/// Eight fans come back while their holds are over. The dice say how many are through before that, up to two, and how many
/// come only when theirs were released. Of the others two come as soon as it happens, and the rest when a node has taken the
/// jobs that release them, each a few milliseconds later if the dice say so. Each is sold, or given back.
pub async fn approve_against_expire(cluster: &Cluster, mut dice: Dice) -> Result<Outcomes> {
    let show = cluster.publish(1_000, 8).await?;
    let people = returning(cluster, &show, 1, 8).await?;
    let holds: Vec<BookingId> = people.iter().map(|one| one.hold).collect();
    let (early, rest) = people.split_at(dice.below(3));
    let (racing, late) = rest.split_at(rest.len() - dice.below(3));
    let (first, then) = racing.split_at(2);
    let mut told = one_by_one(early).await?;
    end_holds(cluster, &holds).await?;
    let mut at_first = dice.another();
    let then = async {
        until_taken(cluster, &holds).await?;
        race(cluster, then, &mut dice).await
    };
    let (first, then) = tokio::join!(race(cluster, first, &mut at_first), then);
    told.extend(first?.into_iter().chain(then?));
    until_over(cluster, late).await?;
    told.extend(one_by_one(late).await?);
    cluster.settle().await?;
    let (mut holders, [mut won, mut lost, mut before, mut after]) = (HashSet::new(), [0; 4]);
    for (one, (told, has_raced)) in people.iter().zip(&told) {
        let is_sold = is_sold(cluster, one.hold, told).await?;
        if is_sold {
            holders.insert(one.fan.who.id);
        }
        match (has_raced, is_sold) {
            (true, true) => won += 1,
            (true, false) => lost += 1,
            (false, true) => before += 1,
            (false, false) => after += 1,
        }
    }
    must("who has a ticket", &show.holders(&cluster.world).await?, &holders)?;
    must("seats left", &usize::try_from(show.stock(&cluster.world).await?.remaining)?, &(8 - holders.len()))?;
    let [sold, given_back] = WAYS;
    Ok(vec![(sold, won), (given_back, lost), ("sold before it", before), ("given back after it", after)])
}

/// What each is told, and whether that was a race: whoever sets out after the release can only lose.
async fn race(cluster: &Cluster, people: &[Returning], dice: &mut Dice) -> Result<Vec<(String, bool)>> {
    let coming = people.iter().map(|one| {
        let (one, db, mut dice) = (one.clone(), cluster.world.app.db.reads().clone(), dice.another());
        async move {
            hesitate(&mut dice).await;
            let has_raced = is_held(&db, one.hold).await?;
            Ok((one.fan.come_back(&one.back).await?, has_raced))
        }
    });
    at_once(coming).await
}

async fn one_by_one(people: &[Returning]) -> Result<Vec<(String, bool)>> {
    let mut told = Vec::new();
    for one in people {
        told.push((one.fan.come_back(&one.back).await?, false));
    }
    Ok(told)
}

async fn is_held(db: &DatabaseConnection, hold: BookingId) -> Result<bool> {
    let row = booking::Entity::find_by_id(hold).one(db).await?;
    Ok(row.is_none_or(|row| row.status == BookingStatus::Held))
}

/// Until these holds were released.
async fn until_over(cluster: &Cluster, people: &[Returning]) -> Result<()> {
    let since = Instant::now();
    for one in people {
        while is_held(cluster.world.app.db.reads(), one.hold).await? {
            if since.elapsed() > MINUTE {
                return Err(format!("{} is still held after a minute", one.hold).into());
            }
            tokio::time::sleep(GLANCE).await;
        }
    }
    Ok(())
}

/// Until a node has taken one of the jobs that release these holds, or has done it.
async fn until_taken(cluster: &Cluster, holds: &[BookingId]) -> Result<()> {
    let (since, payloads) = (Instant::now(), payloads(holds)?);
    let waiting = job::Entity::find()
        .filter(job::Column::Name.eq(ExpireBooking::NAME))
        .filter(job::Column::Payload.is_in(payloads))
        .filter(job::Column::LeaseOwner.is_null());
    while waiting.clone().count(cluster.world.app.db.reads()).await? == u64::try_from(holds.len())? {
        if since.elapsed() > MINUTE {
            return Err("a minute after the holds' end no node releases them".into());
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

fn payloads(holds: &[BookingId]) -> Result<Vec<String>> {
    Ok(holds.iter().map(|id| serde_json::to_string(&ExpireBooking { booking_id: *id })).collect::<Result<_, _>>()?)
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
    let due = job::Entity::update_many()
        .col_expr(job::Column::RunAt, Expr::value(now))
        .filter(job::Column::Name.eq(ExpireBooking::NAME))
        .filter(job::Column::Payload.is_in(payloads(holds)?))
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
