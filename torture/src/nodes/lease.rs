//! A schedule is done by one node at a time, which has a lease on its row. Each of two nodes is killed while it has it:
//! the lease goes to the second, and from that one to the third.

use crate::{
    Result,
    server::{Plan, Rehearsal, Server},
    world::World,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::job;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use spotlight::{
    infra::{jobs::Job, kv::sweep::SweepKv},
    payment::stuck::WatchPayments,
};
use std::time::{Duration, Instant};

/// Done, but not yet planned again: the row says who has it.
const HOLDING: &str = "infra::jobs::schedule before commit #1";
const POLL: Duration = Duration::from_millis(10);
/// Beyond the lease, for looking at the rows and for a busy machine.
const MARGIN: Duration = Duration::from_secs(3);

/// Answers the node that is left. All nodes must be down before.
pub async fn moves(world: &World, [first, second, third]: [&Plan; 3]) -> Result<Server> {
    put_off(world).await?;
    let armed = Rehearsal { kill_at: Some(HOLDING.to_owned()), ..Rehearsal::default() };
    let mut pair = [first.start(&armed).await?, second.start(&armed).await?];
    plan_at(world, WatchPayments::NAME, world.app.clock.now()).await?;
    let holder = owner_after(world, None).await?.ok_or("nobody took the lease of a schedule that was due")?;
    while !(pair[0].is_gone()? || pair[1].is_gone()?) {
        tokio::time::sleep(POLL).await;
    }
    let killed = Instant::now();
    let heir =
        owner_after(world, Some(&holder)).await?.ok_or("the second node was not killed while it had the lease")?;
    let to_heir = killed.elapsed();
    while !(pair[0].is_gone()? && pair[1].is_gone()?) {
        tokio::time::sleep(POLL).await;
    }
    let killed = Instant::now();
    let left = third.start(&Rehearsal::default()).await?;
    // The third one is not killed: it does it, plans it again and lets go.
    if let Some(other) = owner_after(world, Some(&heir)).await? {
        owner_after(world, Some(&other)).await?;
    }
    let row = row(world).await?;
    if row.lease_owner.is_some() || row.run_at <= world.app.clock.now() {
        return Err(format!("the third node did not do what it took over: {row:?}").into());
    }
    println!(
        "{}: {holder} was killed with the lease, {heir} had it {:.1} s later and was killed too, the third node had done it {:.1} s later",
        WatchPayments::NAME,
        to_heir.as_secs_f64(),
        killed.elapsed().as_secs_f64()
    );
    Ok(left)
}

/// Who has the lease once it is not `before` any more.
async fn owner_after(world: &World, before: Option<&str>) -> Result<Option<String>> {
    let since = Instant::now();
    let lease = Duration::from_secs(world.app.config.worker.lease_seconds);
    loop {
        let owner = row(world).await?.lease_owner;
        if owner.as_deref() != before {
            return Ok(owner);
        }
        if since.elapsed() > lease + MARGIN {
            return Err(format!("{lease:?} and {MARGIN:?} later the lease is where it was: {before:?}").into());
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn row(world: &World) -> Result<job::Model> {
    let named = job::Entity::find().filter(job::Column::Name.eq(WatchPayments::NAME));
    Ok(named.one(world.app.db.reads()).await?.ok_or("the schedule has no row")?)
}

/// No schedule is due until both nodes are there.
async fn put_off(world: &World) -> Result<()> {
    let later = world.app.clock.now() + TimeDelta::hours(1);
    for name in [WatchPayments::NAME, SweepKv::NAME] {
        plan_at(world, name, later).await?;
    }
    Ok(())
}

async fn plan_at(world: &World, name: &str, at: DateTime<Utc>) -> Result<()> {
    let planned = job::Entity::update_many()
        .col_expr(job::Column::RunAt, Expr::value(at))
        .col_expr(job::Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(job::Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(job::Column::Name.eq(name))
        .exec(world.app.db.reads())
        .await?;
    if planned.rows_affected == 1 { Ok(()) } else { Err(format!("{name} has no row").into()) }
}
