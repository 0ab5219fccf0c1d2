//! Three nodes on one database: fans take a coupon, buy, give back and buy again at all of them, from more hands than there
//! are seats and coupons, while one node after the other is killed and started again. Then two of them are killed for good,
//! each while it has the lease of a schedule. At the end all must be settled by the one that is left, and what people hold
//! must be what they were told.

mod fan;
mod lease;

use crate::{
    Result,
    ask::at_once,
    server::{Plan, Rehearsal, Server},
    settled,
    show::{MADE, Show},
    world::World,
};
use entity::{
    coupon,
    enums::{CouponKind, Role},
    ids::{CouponId, UserId},
    user_coupon,
};
use fan::{End, Fan};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::{collections::HashSet, time::Duration};
use tokio::sync::watch;

#[derive(Debug, clap::Args)]
pub struct Nodes {
    /// The server that all share, such as mysql://root@127.0.0.1:3306/
    #[arg(long)]
    database: String,
    /// Their key-value store; the database's own table if it is left out
    #[arg(long, default_value = "embedded:")]
    kv: String,
    #[arg(long, default_value_t = 60)]
    fans: usize,
    #[arg(long, default_value_t = 40)]
    seats: i32,
    #[arg(long, default_value_t = 20)]
    coupons: i32,
    /// How often a node is killed
    #[arg(long, default_value_t = 6)]
    kills: usize,
}

const NODES: [&str; 3] = ["node0", "node1", "node2"];

impl Nodes {
    pub async fn run(self) -> Result<()> {
        let world = World::make(&self.database, &[("kv.url", self.kv.clone())], false).await?;
        let plans: Vec<Plan> = NODES.iter().map(|name| world.node(name)).collect::<Result<_>>()?;
        let mut servers = Vec::new();
        for plan in &plans {
            servers.push(plan.start(&Rehearsal::default()).await?);
        }
        let urls: Vec<String> = servers.iter().map(Server::url).collect();
        let show = publish(&world, &urls, self.seats).await?;
        let coupon = world.coupon(CouponKind::Limited, self.coupons).await?;
        let (over, is_over) = watch::channel(false);
        let mut crowd = Vec::new();
        for place in 0..self.fans {
            let fan = Fan::new(world.member("fan", Role::User).await?, &urls, place)?;
            crowd.push(fan.live(show.clone(), coupon.to_string(), is_over.clone()));
        }
        let (ends, killed) = tokio::join!(at_once(crowd), self.kill(&plans, &mut servers, &over));
        let ends = ends?;
        killed?;
        for server in &mut servers {
            server.kill().await?;
        }
        let [first, second, third] = plans.as_slice() else { return Err("there are three nodes".into()) };
        let left = lease::moves(&world, [first, second, third]).await?;
        self.judge(&world, &left, &show, coupon, &ends).await
    }

    /// One after the other, at any moment of whatever it does.
    async fn kill(&self, plans: &[Plan], servers: &mut [Server], over: &watch::Sender<bool>) -> Result<()> {
        for round in 0..self.kills {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let victim = round % plans.len();
            let (Some(plan), Some(server)) = (plans.get(victim), servers.get_mut(victim)) else { continue };
            server.kill().await?;
            *server = plan.start(&Rehearsal::default()).await?;
        }
        over.send_replace(true);
        Ok(())
    }

    async fn judge(&self, world: &World, left: &Server, show: &Show, coupon: CouponId, ends: &[End]) -> Result<()> {
        let settled_after = settled::within_a_minute(world).await?;
        let provider = settled::provider(world, &left.url())?;
        let wrong = settled::wrong(world, &provider, None).await?;
        let sum = |of: fn(&End) -> usize| ends.iter().map(of).sum::<usize>();
        let (seats, coupons) = (with(ends, |end| end.has_seat), with(ends, |end| end.has_coupon));
        println!(
            "{} nodes, {} kills, {} fans for {} seats and {} coupons: bought {} times, canceled {} times, in vain {} times; {} have a seat, {} a coupon; settled after {:.1} s by the one that is left",
            NODES.len(),
            self.kills,
            self.fans,
            self.seats,
            self.coupons,
            sum(|end| end.bought),
            sum(|end| end.canceled),
            sum(|end| end.in_vain),
            seats.len(),
            coupons.len(),
            settled_after.as_secs_f64()
        );
        if !wrong.is_empty() {
            return Err(wrong.join("; ").into());
        }
        if show.holders(world).await? != seats {
            return Err("who has a ticket is not who was told so".into());
        }
        self.judge_coupons(world, coupon, &coupons).await?;
        println!("every rule is kept; the provider has what was sold for, and no won more");
        Ok(())
    }

    /// As many as there were, each in another hand, and in whose hand they were told to be.
    async fn judge_coupons(&self, world: &World, id: CouponId, told: &HashSet<UserId>) -> Result<()> {
        let db = world.app.db.reads();
        let own = user_coupon::Entity::find().filter(user_coupon::Column::CouponId.eq(id)).all(db).await?;
        let holders: HashSet<UserId> = own.iter().map(|row| row.user_id).collect();
        let left = coupon::Entity::find_by_id(id).one(db).await?.ok_or("the coupon is gone")?.remaining;
        let due = usize::try_from(self.coupons)?.min(self.fans);
        if (own.len(), holders.len()) == (due, due)
            && holders == *told
            && usize::try_from(left)? + due == usize::try_from(self.coupons)?
        {
            return Ok(());
        }
        Err(format!(
            "{} coupons of {} in {} hands, {left} left; told {}",
            own.len(),
            self.coupons,
            holders.len(),
            told.len()
        )
        .into())
    }
}

fn with(ends: &[End], has: fn(&End) -> bool) -> HashSet<UserId> {
    ends.iter().filter(|end| has(end)).map(|end| end.who).collect()
}

async fn publish(world: &World, urls: &[String], seats: i32) -> Result<Show> {
    let artist = Fan::new(world.member("artist", Role::Artist).await?, urls, 0)?;
    Show::made(&artist.mutate("eventCreate", MADE, &world.event_input("nodes", 3_000, seats)).await?)
}
