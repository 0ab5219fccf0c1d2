//! The database's server is killed (SIGKILL) while people buy, and started again on the same port and data, again and again;
//! at last it is stopped in order. The node stays. Every question must have an answer in time, and a clear one; whoever was
//! told yes must have it, once; `/readyz` must tell the truth; and in the end all must be settled within a minute.

mod away;
mod buyer;
mod heard;
mod judge;
mod pair;
mod probe;

use crate::{
    Result,
    ask::{Caller, at_once, client},
    person::MINUTE,
    server::{Rehearsal, Server},
    show::{MADE, Show},
    world::World,
};
use buyer::Buyer;
use entity::enums::Role;
use heard::Heard;
use pair::Pair;
use probe::{Probe, Truth};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

#[derive(Clone, Debug, clap::Args)]
pub struct Restarts {
    /// Which servers: mysql, postgres, or both
    #[arg(long, default_value = "mysql,postgres")]
    databases: String,
    #[arg(long, default_value_t = 24)]
    fans: usize,
    /// Seats that are paid for, of which there are too few
    #[arg(long, default_value_t = 12)]
    seats: i32,
    /// How often the server is killed; once more it is stopped in order
    #[arg(long, default_value_t = 6)]
    kills: usize,
}

/// Where people buy.
struct Shop<'a> {
    world: &'a World,
    server: &'a Server,
    /// The provider's address.
    provider: String,
}

/// As it is by default: longer than this nobody waits for an answer.
const OPERATION_SECONDS: u64 = 10;
const POLL: Duration = Duration::from_millis(20);
/// Every second time the server stays away for so long: longer than whoever asks whether the node is ready waits.
const AWAY: Duration = Duration::from_secs(4);

impl Restarts {
    pub async fn run(self) -> Result<()> {
        let pair = Pair::start().await?;
        let ended = self.on_all(&pair).await;
        pair.stop().await?;
        ended
    }

    async fn on_all(&self, pair: &Pair) -> Result<()> {
        let kinds = self.databases.split(',').map(|kind| {
            let (of_one, pair, kind) = (self.clone(), pair.clone(), kind.to_owned());
            Box::pin(async move { of_one.on(&pair, &kind).await.map_err(|why| format!("{kind}: {why}").into()) })
        });
        at_once(kinds.collect::<Vec<_>>()).await.map(drop)
    }

    async fn on(&self, pair: &Pair, kind: &str) -> Result<()> {
        // Another house: it does not go away with our database.
        let elsewhere = World::make("sqlite", &[], false).await?;
        let other = elsewhere.plan.start(&Rehearsal::default()).await?;
        let provider = other.url();
        let settings = [
            ("edge.operation_seconds", OPERATION_SECONDS.to_string()),
            ("kakaopay.url", format!("{provider}{}", spotlight::http::SANDBOX_KAKAOPAY)),
            ("kakaopay.timeout_seconds", "5".to_owned()),
            ("booking.payment_grace_seconds", "8".to_owned()),
        ];
        let world = World::make(pair.address(kind)?, &settings, false).await?;
        let server = world.plan.start(&Rehearsal::default()).await?;
        let shop = Shop { world: &world, server: &server, provider };
        let sold = self.sell(pair, kind, &shop).await;
        // Told with it: the log goes with the folder.
        let faults = world.plan.faults()?;
        sold.map_err(|why| format!("{why}; the log: {}", faults.join("; ")))?;
        // That the database is away may be written down; anything else is a fault.
        let faults: Vec<String> = faults.into_iter().filter(|line| !away::is_about(line)).collect();
        if faults.is_empty() { Ok(()) } else { Err(format!("the node logged {}", faults.join("; ")).into()) }
    }

    async fn sell(&self, pair: &Pair, kind: &str, shop: &Shop<'_>) -> Result<()> {
        let Shop { world, server, .. } = *shop;
        let shows = [publish(world, server, 0, 100_000).await?, publish(world, server, 1_000, self.seats).await?];
        let heard = Arc::new(Heard::within(Duration::from_secs(OPERATION_SECONDS)));
        let (over, is_over) = watch::channel(false);
        let mut crowd = Vec::new();
        for _ in 0..self.fans {
            let who = world.member("fan", Role::User).await?;
            let buyer = Buyer::new(who, server.url(), Arc::clone(&heard))?;
            crowd.push(buyer.live(shows.clone(), is_over.clone()));
        }
        let probe = Probe::new(server.url())?;
        let ending = async {
            let ended = self.restart(pair, kind, &heard, &probe).await;
            over.send_replace(true);
            ended
        };
        let (told, ready, ended) = tokio::try_join!(at_once(crowd), probe.watch(is_over.clone()), ending)?;
        println!("{kind}: {ended}; {}; {ready}", heard.told());
        judge::judge(shop, &shows, &told).await.map(|said| println!("{kind}: {said}"))
    }

    /// Each time in the middle of a sale: when as many again were told yes as there are fans.
    async fn restart(&self, pair: &Pair, kind: &str, heard: &Heard, probe: &Probe) -> Result<String> {
        let mut slowest = Duration::ZERO;
        for round in 0..=self.kills {
            slowest = slowest.max(sold_again(heard, self.fans).await?);
            probe.now(Truth::Changing);
            if round == self.kills {
                pair.halt(kind).await?
            } else {
                pair.kill(kind).await?
            }
            probe.now(Truth::Away);
            if round % 2 == 1 {
                tokio::time::sleep(AWAY).await;
            }
            probe.now(Truth::Changing);
            pair.back(kind).await?;
            probe.now(Truth::There);
        }
        slowest = slowest.max(sold_again(heard, self.fans).await?);
        let (kills, slowest) = (self.kills, slowest.as_secs_f64());
        Ok(format!("killed {kills} times, stopped once; {} fans were sold to again within {slowest:.1} s", self.fans))
    }
}

/// Waits until so many more were told yes; answers how long that took.
async fn sold_again(heard: &Heard, more: usize) -> Result<Duration> {
    let (since, due) = (Instant::now(), heard.yes() + more);
    while heard.yes() < due {
        if since.elapsed() > MINUTE {
            return Err(
                format!("a minute after the server was back, {} are still to be served", due - heard.yes()).into()
            );
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(since.elapsed())
}

async fn publish(world: &World, server: &Server, price: i64, seats: i32) -> Result<Show> {
    let who = world.member("artist", Role::Artist).await?;
    let artist = Caller { who, url: server.url(), http: client()?, repeats: Arc::default() };
    Show::made(&artist.mutate("eventCreate", MADE, &world.event_input("restarts", price, seats)).await?)
}
