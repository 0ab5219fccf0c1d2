//! Three nodes on one database: fans buy and give back at all of them, from more hands than there are seats, while one node
//! after the other is killed and started again. At the end all must be settled, and as many seats sold as there were.

use crate::{
    Result,
    person::MINUTE,
    server::{Plan, Rehearsal, Server},
    settled,
    world::{Member, World},
};
use entity::enums::Role;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::RwLock, task::JoinSet};

#[derive(Debug, clap::Args)]
pub struct Nodes {
    /// The server that all share, such as mysql://root@127.0.0.1:3306/
    #[arg(long)]
    database: String,
    /// Their key-value store; the database's own table if it is left out
    #[arg(long, default_value = "embedded:")]
    kv: String,
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    #[arg(long, default_value_t = 60)]
    fans: usize,
    #[arg(long, default_value_t = 40)]
    seats: i32,
    /// How often a node is killed
    #[arg(long, default_value_t = 6)]
    kills: usize,
}

/// Where the nodes are now: one that is started again has the address that it had.
type Cluster = Arc<RwLock<Vec<Server>>>;

impl Nodes {
    pub async fn run(self) -> Result<()> {
        let world = World::make(&self.database, &[("kv.url", self.kv.clone())], false).await?;
        let plans: Vec<Plan> =
            (0..self.nodes).map(|number| world.node(&format!("node{number}"))).collect::<Result<_>>()?;
        let mut servers = Vec::new();
        for plan in &plans {
            servers.push(plan.start(&Rehearsal::default()).await?);
        }
        let urls: Vec<String> = servers.iter().map(Server::url).collect();
        let cluster: Cluster = Arc::new(RwLock::new(servers));
        let show = publish(&world, &urls, self.seats).await?;
        let (bought, refused) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let mut crowd: JoinSet<Result<()>> = JoinSet::new();
        for place in 0..self.fans {
            let fan = Fan {
                who: world.member("fan", Role::User).await?,
                urls: urls.clone(),
                place,
                show: show.clone(),
                http: client()?,
            };
            let (bought, refused) = (Arc::clone(&bought), Arc::clone(&refused));
            crowd.spawn(async move {
                let count = if fan.buy().await? { bought } else { refused };
                count.fetch_add(1, Ordering::Relaxed);
                Ok(())
            });
        }
        let (crowded, killed) = tokio::join!(all(crowd), self.kill(&plans, &cluster));
        crowded?;
        killed?;
        self.judge(&world, &urls, bought.load(Ordering::Relaxed), refused.load(Ordering::Relaxed)).await
    }

    async fn kill(&self, plans: &[Plan], cluster: &Cluster) -> Result<()> {
        for round in 0..self.kills {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let victim = round % plans.len();
            let (Some(plan), mut servers) = (plans.get(victim), cluster.write().await) else { continue };
            let Some(server) = servers.get_mut(victim) else { continue };
            server.kill().await?;
            *server = plan.start(&Rehearsal::default()).await?;
        }
        Ok(())
    }

    async fn judge(&self, world: &World, urls: &[String], bought: u32, refused: u32) -> Result<()> {
        let settled_after = settled::within_a_minute(world).await?;
        let provider = settled::provider(world, urls.first().ok_or("no node")?)?;
        let wrong = settled::wrong(world, &provider, None).await?;
        println!(
            "{} nodes, {} kills, {} fans for {} seats: {bought} bought, {refused} were told that nothing is left or that their payment failed; settled {:.1} s after the last click",
            self.nodes,
            self.kills,
            self.fans,
            self.seats,
            settled_after.as_secs_f64()
        );
        if !wrong.is_empty() {
            return Err(wrong.join("; ").into());
        }
        if i64::from(bought) > i64::from(self.seats) {
            return Err(format!("{bought} were told that they have one of {} seats", self.seats).into());
        }
        println!("every rule is kept; the provider has what was sold for, and no won more");
        Ok(())
    }
}

async fn all(mut crowd: JoinSet<Result<()>>) -> Result<()> {
    while let Some(done) = crowd.join_next().await {
        done??;
    }
    Ok(())
}

fn client() -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    Ok(builder.timeout(Duration::from_secs(20)).pool_max_idle_per_host(0).no_proxy().build()?)
}

async fn publish(world: &World, urls: &[String], seats: i32) -> Result<(String, String)> {
    let artist = world.member("artist", Role::Artist).await?;
    let fan = Fan { who: artist, urls: urls.to_vec(), place: 0, show: Default::default(), http: client()? };
    let made =
        fan.mutate("eventCreate", "event { id ticketTypes { id } }", world.event_input("nodes", 1_000, seats)).await?;
    let text = |pointer: &str| made.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Ok((text("/event/id").ok_or(made.to_string())?, text("/event/ticketTypes/0/id").ok_or("no ticket type")?))
}

/// Somebody who tries again at the next node when one does not answer.
struct Fan {
    who: Member,
    urls: Vec<String>,
    place: usize,
    /// The event's id and its ticket type's.
    show: (String, String),
    http: reqwest::Client,
}

const BOOKED: &str = "booking { id status } payment { redirect { pcUrl } }";

impl Fan {
    async fn mutate(&self, field: &str, wanted: &str, input: Value) -> Result<Value> {
        let (first, rest) = field.split_at(1);
        let query = format!(
            "mutation($input: {}{rest}Input!) {{ {field}(input: $input) {{ {wanted} userErrors {{ code message }} }} }}",
            first.to_uppercase()
        );
        let data = self.ask(&query, json!({ "input": input })).await?;
        Ok(data.get(field).cloned().unwrap_or_default())
    }

    async fn ask(&self, query: &str, variables: Value) -> Result<Value> {
        let since = Instant::now();
        let body = json!({ "query": query, "variables": variables });
        for url in self.urls.iter().cycle().skip(self.place) {
            if since.elapsed() > MINUTE {
                return Err("no node answers within a minute".into());
            }
            let sent = self.http.post(format!("{url}/graphql")).bearer_auth(&self.who.token).json(&body).send().await;
            let answer: Value = match sent {
                Ok(answer) => answer.json().await.unwrap_or_default(),
                Err(_) => Value::Null,
            };
            // A node that is stopping, or a database that is busy: the same question, with the same key, elsewhere.
            if answer.get("errors").is_none() && answer.get("data").is_some() {
                return Ok(answer.get("data").cloned().unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("there is no node".into())
    }

    /// True if a ticket is in their hands.
    async fn buy(&self) -> Result<bool> {
        let input = json!({
            "eventId": self.show.0, "lines": [{ "ticketTypeId": self.show.1, "quantity": 1 }],
            "idempotencyKey": "b", "returnUrl": "http://localhost:3000/done", "points": 0,
        });
        let booked = self.mutate("bookingStart", BOOKED, input).await?;
        let Some(id) = booked.pointer("/booking/id").and_then(Value::as_str) else { return Ok(false) };
        if let Some(page) = booked.pointer("/payment/redirect/pcUrl").and_then(Value::as_str) {
            self.press(page).await?;
        }
        self.end(id).await
    }

    /// The page is served by the node that booked: it comes back.
    async fn press(&self, page: &str) -> Result<()> {
        let since = Instant::now();
        while since.elapsed() < MINUTE {
            let pressed = self.http.post(format!("{page}/approve")).form(&[("fault", "none")]).send().await;
            let Ok(pressed) = pressed else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Some(back) = pressed.headers().get("location") else { return Ok(()) };
            let back = back.to_str()?.to_owned();
            // Until the browser is sent on with something else than "not paid yet": a person reloads.
            while since.elapsed() < MINUTE {
                if let Ok(sent) = self.http.get(&back).send().await {
                    let on = sent.headers().get("location").and_then(|on| on.to_str().ok()).unwrap_or_default();
                    if on.contains("status=") && !on.contains("status=READY") && !on.contains("status=PENDING") {
                        return Ok(());
                    }
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Err("the payment page does not come back".into())
    }

    async fn end(&self, id: &str) -> Result<bool> {
        let since = Instant::now();
        let query = "query($id: ID!) { node(id: $id) { ... on Booking { status } } }";
        while since.elapsed() < MINUTE {
            let data = self.ask(query, json!({ "id": id })).await?;
            match data.pointer("/node/status").and_then(Value::as_str) {
                Some("CONFIRMED") => return Ok(true),
                Some("EXPIRED" | "CANCELED") => return Ok(false),
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        Err(format!("{id} is in the air after a minute").into())
    }
}
