//! Servers on one database, none of which is killed, and people in front of them.

use crate::{
    Result,
    ask::{self, Caller},
    server::{Plan, Rehearsal, Server},
    settled,
    show::{MADE, Show},
    world::{Member, World},
};
use chrono::{DateTime, Utc};
use entity::enums::Role;
use spotlight::infra::kakaopay::KakaoPayClient;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Nobody is killed here, so that nothing has to be found out soon: a machine that is busy is no provider that is gone.
const PATIENT: [(&str, &str); 2] = [("kakaopay.timeout_seconds", "8"), ("booking.payment_grace_seconds", "20")];

pub struct Cluster {
    pub world: World,
    plans: Vec<Plan>,
    servers: Vec<Server>,
    provider: KakaoPayClient,
    artist: Member,
    http: reqwest::Client,
    repeats: Arc<AtomicUsize>,
    shows: AtomicUsize,
}

impl Cluster {
    pub async fn start(database: &str, kv: &str, nodes: usize) -> Result<Self> {
        let mut more: Vec<(&str, String)> = PATIENT.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        more.push(("kv.url", kv.to_owned()));
        let world = World::make(database, &more, false).await?;
        let plans: Vec<Plan> = (0..nodes).map(|place| world.node(&format!("node{place}"))).collect::<Result<_>>()?;
        let mut servers = Vec::new();
        for plan in &plans {
            servers.push(plan.start(&Rehearsal::default()).await?);
        }
        let provider = settled::provider(&world, &servers.first().ok_or("no node")?.url())?;
        let artist = world.member("artist", Role::Artist).await?;
        let (repeats, shows) = (Arc::default(), AtomicUsize::new(0));
        Ok(Self { world, plans, servers, provider, artist, http: ask::client()?, repeats, shows })
    }

    /// Somebody in front of one node: by the place, so that people and clicks are spread over all nodes.
    pub fn at(&self, place: usize, who: &Member) -> Caller {
        let server = self.servers.iter().cycle().nth(place % self.servers.len().max(1));
        let url = server.map(Server::url).unwrap_or_default();
        Caller { who: who.clone(), url, http: self.http.clone(), repeats: Arc::clone(&self.repeats) }
    }

    /// The same person in front of all nodes, one after the other, so often.
    pub fn everywhere(&self, who: &Member, clicks: usize) -> Vec<Caller> {
        (0..clicks).map(|place| self.at(place, who)).collect()
    }

    pub fn artist(&self, place: usize) -> Caller {
        self.at(place, &self.artist)
    }

    pub async fn fans(&self, count: usize) -> Result<Vec<Caller>> {
        let mut fans = Vec::new();
        for place in 0..count {
            fans.push(self.at(place, &self.world.member("fan", Role::User).await?));
        }
        Ok(fans)
    }

    pub async fn publish(&self, price: i64, capacity: i32) -> Result<Show> {
        let title = format!("race {}", self.shows.fetch_add(1, Ordering::Relaxed));
        let input = self.world.event_input(&title, price, capacity);
        Show::made(&self.artist(0).mutate("eventCreate", MADE, &input).await?)
    }

    /// Waits until nothing is on its way any more.
    pub async fn settle(&self) -> Result<()> {
        settled::within_a_minute(&self.world).await.map(drop)
    }

    /// Every rule is kept, and the provider has what was sold for; it is asked about what has changed `since`.
    pub async fn judge(&self, since: Option<DateTime<Utc>>) -> Result<()> {
        self.settle().await?;
        let wrong = settled::wrong(&self.world, &self.provider, since).await?;
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ").into()) }
    }

    /// How often somebody was told to ask again, since this was asked last.
    pub fn repeats(&self) -> usize {
        self.repeats.swap(0, Ordering::Relaxed)
    }

    /// What the nodes hold for a fault of their own.
    pub fn faults(&self) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for plan in &self.plans {
            faults.extend(plan.faults()?);
        }
        Ok(faults)
    }
}
