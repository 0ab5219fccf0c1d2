//! What many want at the same time, on real servers: so many rounds of each race, each with people and an event of its own.
//! After each round all must be settled, every rule kept, the provider asked; and the race must have ended exactly as it
//! has to.

mod cancels;
mod coupons;
mod money;
mod own;
mod rush;
mod seats;

use crate::{Result, cluster::Cluster, dice::Dice};
use entity::enums::CouponKind;
use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

#[derive(Debug, clap::Args)]
pub struct Races {
    /// `sqlite`, or servers such as mysql://root@127.0.0.1:3306/ , separated by commas
    #[arg(long, default_value = "sqlite")]
    databases: String,
    /// The nodes' key-value store; the database's own table if it is left out, and for SQLite
    #[arg(long, default_value = "embedded:")]
    kv: String,
    /// Over how many nodes those who race are spread; SQLite has one
    #[arg(long, default_value_t = 2)]
    nodes: usize,
    /// How often each race is run
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// Who begins first where that is for chance to say: the same seed says the same again
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the races whose name has this
    #[arg(long, default_value = "")]
    race: String,
}

/// How many ended in which way.
type Outcomes = Vec<(&'static str, usize)>;

#[derive(Clone, Copy, Debug)]
enum Race {
    Seats,
    Capacity,
    SameKey,
    LastCoupon(CouponKind),
    OneFan(CouponKind),
    OneCoupon,
    OneBalance,
    DoubleApprove,
    ApproveExpire,
    CancelCancel,
    CancelEvent,
}

impl Race {
    const ALL: [Self; 13] = [
        Self::Seats,
        Self::Capacity,
        Self::SameKey,
        Self::LastCoupon(CouponKind::Limited),
        Self::LastCoupon(CouponKind::Standard),
        Self::OneFan(CouponKind::Limited),
        Self::OneFan(CouponKind::Standard),
        Self::OneCoupon,
        Self::OneBalance,
        Self::DoubleApprove,
        Self::ApproveExpire,
        Self::CancelCancel,
        Self::CancelEvent,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Seats => "buyers-on-seats",
            Self::Capacity => "capacity-lowered",
            Self::SameKey => "same-key",
            Self::LastCoupon(CouponKind::Limited) => "last-coupon-limited",
            Self::LastCoupon(CouponKind::Standard) => "last-coupon-standard",
            Self::OneFan(CouponKind::Limited) => "one-fan-limited",
            Self::OneFan(CouponKind::Standard) => "one-fan-standard",
            Self::OneCoupon => "one-coupon",
            Self::OneBalance => "one-balance",
            Self::DoubleApprove => "double-approve",
            Self::ApproveExpire => "approve-expire",
            Self::CancelCancel => "cancel-cancel",
            Self::CancelEvent => "cancel-event",
        }
    }

    /// The two ways in which it can end for whoever races: over all rounds, both must have come about. Who is sent before
    /// the other side or after it, so that this is rehearsed too, is counted apart.
    const fn ways(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Capacity => Some(seats::WAYS),
            Self::ApproveExpire => Some(money::WAYS),
            Self::CancelEvent => Some(cancels::WAYS),
            Self::Seats
            | Self::SameKey
            | Self::LastCoupon(_)
            | Self::OneFan(_)
            | Self::OneCoupon
            | Self::OneBalance
            | Self::DoubleApprove
            | Self::CancelCancel => None,
        }
    }

    async fn round(self, cluster: &Cluster, dice: Dice) -> Result<Outcomes> {
        match self {
            Self::Seats => Box::pin(seats::buyers_on_seats(cluster)).await,
            Self::Capacity => Box::pin(seats::capacity_lowered(cluster, dice)).await,
            Self::SameKey => Box::pin(seats::same_key(cluster)).await,
            Self::LastCoupon(kind) => Box::pin(coupons::last_one(cluster, kind)).await,
            Self::OneFan(kind) => Box::pin(coupons::one_fan(cluster, kind)).await,
            Self::OneCoupon => Box::pin(own::one_coupon(cluster)).await,
            Self::OneBalance => Box::pin(own::one_balance(cluster)).await,
            Self::DoubleApprove => Box::pin(money::double_approve(cluster)).await,
            Self::ApproveExpire => Box::pin(money::approve_against_expire(cluster, dice)).await,
            Self::CancelCancel => Box::pin(cancels::cancel_against_cancel(cluster)).await,
            Self::CancelEvent => Box::pin(cancels::cancel_against_event(cluster, dice)).await,
        }
    }
}

impl Races {
    pub async fn run(self) -> Result<()> {
        for address in self.databases.split(',') {
            let name = address.split(':').next().unwrap_or(address);
            let (kv, nodes) = if address == "sqlite" { ("embedded:", 1) } else { (self.kv.as_str(), self.nodes) };
            println!("\n{name}, {nodes} node{}", if nodes == 1 { "" } else { "s" });
            let cluster = Cluster::start(address, kv, nodes).await?;
            let raced = self.all(&cluster).await;
            let faults = cluster.faults()?;
            raced.map_err(|why| format!("{name}: {why}\n{}", faults.join("\n")))?;
            if !faults.is_empty() {
                return Err(format!("{name}: all ended well, but a node logged\n{}", faults.join("\n")).into());
            }
        }
        println!("\nafter each round every rule was kept, and the provider had what was sold for, no won more");
        Ok(())
    }

    async fn all(&self, cluster: &Cluster) -> Result<()> {
        for race in Race::ALL.into_iter().filter(|race| race.name().contains(&self.race)) {
            self.run_one(cluster, race).await.map_err(|why| format!("{}, {why}", race.name()))?;
        }
        Ok(())
    }

    async fn run_one(&self, cluster: &Cluster, race: Race) -> Result<()> {
        let began = Instant::now();
        let mut sum = Outcomes::new();
        let mut round = 0;
        // Chance decides who wins: a side that has not won yet gets more rounds, and not for ever.
        while round < self.rounds || (round < self.rounds * PATIENCE && both(race, &sum).is_err()) {
            round += 1;
            let since = cluster.world.app.clock.now();
            let ended = match race.round(cluster, Dice::of(self.seed, race.name(), round)).await {
                Ok(ended) => cluster.judge(Some(since)).await.map(|()| ended),
                Err(why) => Err(why),
            };
            add(&mut sum, ended.map_err(|why| format!("round {round}: {why}"))?);
        }
        // What was right after its round must be right still.
        cluster.judge(None).await.map_err(|why| format!("after its last round: {why}"))?;
        both(race, &sum)?;
        let told: Vec<String> = sum.iter().map(|(what, count)| format!("{count} {what}")).collect();
        let (repeats, seconds) = (cluster.repeats(), began.elapsed().as_secs_f64());
        let again = if repeats == 0 { String::new() } else { format!(" (asked again when busy: {repeats})") };
        println!("  {:<21} {} rounds, {seconds:.1} s: {}{again}", race.name(), round, told.join(", "));
        Ok(())
    }
}

fn add(sum: &mut Outcomes, ended: Outcomes) {
    for (what, count) in ended {
        match sum.iter_mut().find(|(known, _)| *known == what) {
            Some((_, known)) => *known += count,
            None => sum.push((what, count)),
        }
    }
}

/// So many times the rounds that were asked for, until both sides have won.
const PATIENCE: usize = 4;

/// A look at a database that is raced on, and the next one.
const GLANCE: Duration = Duration::from_millis(2);

/// Not all set out in the same moment: so many milliseconds later, up to three.
async fn hesitate(dice: &mut Dice) {
    tokio::time::sleep(Duration::from_millis(u64::try_from(dice.below(4)).unwrap_or_default())).await;
}

/// A race that the same side wins each time was none.
fn both(race: Race, sum: &Outcomes) -> Result<()> {
    for way in race.ways().into_iter().flatten() {
        if !sum.iter().any(|(what, count)| *what == way && *count > 0) {
            return Err(format!("never {way:?}, only {sum:?}: in so many rounds that is no chance").into());
        }
    }
    Ok(())
}

/// An error that says what was found where something else is due.
fn must<T: PartialEq + Debug>(what: &str, found: &T, due: &T) -> Result<()> {
    if found == due { Ok(()) } else { Err(format!("{what}: {found:?} instead of {due:?}").into()) }
}
