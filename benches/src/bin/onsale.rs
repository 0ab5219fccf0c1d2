//! A sale opens: everybody wants the same row. What the database can do by itself, then `bookingStart` over HTTP on the
//! same database in the same run, in turns: with the plain lock (each buyer a transaction) and in groups. Then what sold
//! out costs, and 10,000 buyers on 50 seats.
//!
//! Runs on what `SPOTLIGHT_TEST_DATABASES` names (`.ci/databases start NAME [synced]`), SQLite if it names nothing. The
//! first argument says how many rounds (3), the others how many transactions of an event at once: with the plain lock (8), and
//! in groups (1).

use axum::{Router, http::header::CONTENT_TYPE, routing::post};
use benches::{
    Result,
    http::{Connection, Request},
    limit::Limit,
    sale::Sale,
    world,
};
use entity::{enums::Role, user};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, Database, EntityTrait, QueryFilter, Statement};
use serde_json::json;
use spotlight::{
    admin::invariants,
    app::App,
    auth::session::{self, Holder},
    http,
};
use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::JoinSet};

const CLIENTS: [usize; 3] = [16, 64, 256];
const ROUND: Duration = Duration::from_secs(2);
const BUYERS: usize = 10_000;
const RUSH_CONNECTIONS: usize = 2_000;
const RUSH_SEATS: usize = 50;
/// Of ours, for 256 clients: they do not each need one.
const CONNECTIONS: u32 = 24;
const SEATS: i32 = 100_000;
/// Of the plain lock: so many transactions of the event at once, in the order in which the database lets them.
const PLAIN_WRITERS: usize = 8;
const PLAIN_TARGET: f64 = 0.8;
const GROUP_TARGET: f64 = 3.0;
const SOLD_OUT_TARGET: f64 = 10.0;

#[tokio::main]
async fn main() -> Result<()> {
    let rounds = arg(1, 3)?;
    #[expect(clippy::disallowed_methods, reason = "the same variable as the tests'")]
    let databases = std::env::var("SPOTLIGHT_TEST_DATABASES").unwrap_or_else(|_| "sqlite".to_owned());
    println!(
        "one event, one row; {rounds} rounds of {} s each, sides in turns, best ratio of a round; client, server and \
         database share this machine; no worker runs; every request has a fan's token and a key of its own",
        ROUND.as_secs()
    );
    for address in databases.split(',') {
        measure(address, rounds).await?;
    }
    Ok(())
}

fn arg(place: usize, otherwise: usize) -> Result<usize> {
    Ok(std::env::args().nth(place).map_or(Ok(otherwise), |arg| arg.parse())?)
}

/// One database and the servers on it.
struct World {
    url: String,
    plain: (App, SocketAddr),
    group: (App, SocketAddr),
    artist: String,
    fans: Vec<String>,
    _serving: JoinSet<()>,
}

async fn measure(address: &str, rounds: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let name = format!("onsale_{}", std::process::id());
    let server = if address == "sqlite" { None } else { Some(Database::connect(address).await?) };
    let url = match &server {
        None => format!("sqlite://{}?mode=rwc", folder.path().join("sale.db").display()),
        Some(server) => {
            server.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
            format!("{}/{name}", address.rsplit_once('/').ok_or("an address ends in /")?.0)
        }
    };
    println!("\n== {}", durability(address).await?);
    let world = World::open(folder.path(), &url).await?;
    let outcome = world.run(rounds).await;
    world.close().await?;
    if let Some(server) = server {
        server.execute_unprepared(&format!("DROP DATABASE {name}")).await?;
    }
    outcome
}

/// What the database says of itself.
async fn durability(address: &str) -> Result<String> {
    let ask = match address.split(':').next() {
        Some("mysql") => {
            "SELECT CONCAT('MariaDB ', @@version, ', innodb_flush_log_at_trx_commit ', @@innodb_flush_log_at_trx_commit)"
        }
        Some("postgres") => {
            "SELECT 'PostgreSQL ' || current_setting('server_version') || ', fsync ' || current_setting('fsync') || \
             ', synchronous_commit ' || current_setting('synchronous_commit')"
        }
        _ => return Ok("SQLite, WAL, synchronous FULL (each commit waits for the disk)".to_owned()),
    };
    let server = Database::connect(address).await?;
    let row = server.query_one_raw(Statement::from_string(server.get_database_backend(), ask)).await?;
    let said: String = row.ok_or("no row")?.try_get_by_index(0)?;
    server.close().await?;
    Ok(said)
}

impl World {
    async fn open(folder: &Path, url: &str) -> Result<Self> {
        let mut serving = JoinSet::new();
        let provider = provider(&mut serving).await?;
        let own = url.split('?').next().unwrap_or(url).replacen("sqlite://", "sqlite:", 1);
        let group = server(&mut serving, &folder.join("group"), &own, &provider, (128, arg(3, 1)?)).await?;
        // The same keys, so that both take the same tokens.
        let keys = folder.join("plain/keys");
        std::fs::create_dir_all(&keys)?;
        for key in std::fs::read_dir(folder.join("group/keys"))? {
            let key = key?;
            std::fs::copy(key.path(), keys.join(key.file_name()))?;
        }
        let plain = server(&mut serving, &folder.join("plain"), &own, &provider, (1, arg(2, PLAIN_WRITERS)?)).await?;
        let mut fans = world::sign_in(&group.0, BUYERS + 1).await?;
        let artist = fans.pop().ok_or("nobody")?;
        let artist = as_artist(&group.0, &artist).await?;
        Ok(Self { url: url.to_owned(), plain, group, artist, fans, _serving: serving })
    }

    async fn run(&self, rounds: usize) -> Result<()> {
        for clients in CLIENTS {
            self.compare(clients, rounds).await?;
        }
        self.paid().await?;
        self.sold_out(rounds).await?;
        self.rush().await?;
        let broken: Vec<_> =
            invariants::check(&self.group.0).await?.into_iter().filter(|rule| rule.broken > 0).collect();
        if !broken.is_empty() {
            return Err(format!("broken: {broken:?}").into());
        }
        println!("every invariant holds");
        Ok(())
    }

    async fn sale(&self, price: i64, seats: i32) -> Result<Sale> {
        Sale::open(&self.group.0, self.group.1, &self.artist, price, seats).await
    }

    fn crowd(&self, clients: usize) -> &[String] {
        self.fans.get(..clients).unwrap_or_default()
    }

    /// Sales of the plain lock and in groups, against what the database does by itself.
    async fn compare(&self, clients: usize, rounds: usize) -> Result<()> {
        let limit = Limit::open(&self.url, clients).await?;
        let fans = self.crowd(clients);
        // Each side warms up: connections, prepared statements, leases.
        limit.rate(clients, ROUND / 4).await?;
        for (_, server) in [&self.plain, &self.group] {
            self.sale(0, SEATS).await?.load(*server, fans, ROUND / 2).await?;
        }
        let (mut best, mut rates, mut p99) = ((0.0_f64, 0.0_f64), (0.0_f64, 0.0_f64, 0.0_f64), Duration::MAX);
        let mut statements = 0.0_f64;
        for _ in 0..rounds {
            let theirs = limit.rate(clients, ROUND).await?;
            let plain = self.sale(0, SEATS).await?.load(self.plain.1, fans, ROUND).await?;
            let before = self.group.0.db.statements();
            let group = self.sale(0, SEATS).await?.load(self.group.1, fans, ROUND).await?;
            statements = f64::from(u32::try_from(self.group.0.db.statements() - before)?) / f64::from(group.booked);
            best = (best.0.max(plain.rate() / theirs), best.1.max(group.rate() / theirs));
            rates = (rates.0.max(theirs), rates.1.max(plain.rate()), rates.2.max(group.rate()));
            p99 = p99.min(group.p99());
        }
        limit.close().await?;
        println!(
            "{clients:4} clients, free: database {:6.0}/s | plain lock {:6.0}/s, ratio {:.2} ({}) | groups {:6.0}/s, ratio {:.2} ({}), \
             p99 {} ms, {statements:.2} statements for each",
            rates.0,
            rates.1,
            best.0,
            verdict(best.0, PLAIN_TARGET),
            rates.2,
            best.1,
            verdict(best.1, GROUP_TARGET),
            p99.as_millis(),
        );
        Ok(())
    }

    /// With a payment that a scripted provider prepares at once: the hold, two more transactions and the call.
    async fn paid(&self) -> Result<()> {
        for clients in [64, 256] {
            let outcome = self.sale(10_000, SEATS).await?.load(self.group.1, self.crowd(clients), ROUND).await?;
            println!(
                "{clients:4} clients, paid, groups: {:6.0}/s with `ready` at a scripted provider and its two transactions, p99 {} ms",
                outcome.rate(),
                outcome.p99().as_millis()
            );
        }
        Ok(())
    }

    /// Answers to those who come too late, in turns with sales.
    async fn sold_out(&self, rounds: usize) -> Result<()> {
        let fans = self.crowd(256);
        let sale = self.sale(0, 1).await?;
        sale.load(self.group.1, fans, ROUND / 4).await?;
        let (mut rate, mut p99, mut ratios) = (0.0_f64, Duration::MAX, Vec::with_capacity(rounds));
        for _ in 0..rounds {
            let plain = self.sale(0, SEATS).await?.load(self.plain.1, fans, ROUND).await?;
            let outcome = sale.load(self.group.1, fans, ROUND).await?;
            let group = self.sale(0, SEATS).await?.load(self.group.1, fans, ROUND).await?;
            if outcome.booked > 0 {
                return Err("a seat was sold twice".into());
            }
            rate = rate.max(outcome.rate());
            p99 = p99.min(outcome.p99());
            ratios.push((outcome.rate() / plain.rate(), outcome.rate() / group.rate()));
        }
        ratios.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (least, best) = (ratios.first().ok_or("no round")?, ratios.last().ok_or("no round")?);
        println!(
            "sold out, 256 clients: {rate:6.0} answers/s, {:.1} x the plain lock's sales ({}; least of a round {:.1}), {:.1} x those in \
             groups, p99 {} ms",
            best.0,
            verdict(best.0, SOLD_OUT_TARGET),
            least.0,
            best.1,
            p99.as_millis()
        );
        Ok(())
    }

    async fn rush(&self) -> Result<()> {
        self.wake().await?;
        let seats = i32::try_from(RUSH_SEATS)?;
        let sale = self.sale(0, seats).await?;
        let (got, outcome) = sale.rush(self.group.1, &self.fans, RUSH_CONNECTIONS).await?;
        let winners: Vec<usize> = got.iter().enumerate().filter(|(_, got)| **got).map(|(place, _)| place).collect();
        let slowest = outcome.times.iter().max().copied().unwrap_or_default();
        println!(
            "{BUYERS} buyers over {RUSH_CONNECTIONS} connections on {RUSH_SEATS} seats: {} sold, {} told sold out in {:.2} s, the \
             slowest after {} ms; the last winner was number {} to ask",
            outcome.booked,
            outcome.sold_out,
            outcome.seconds,
            slowest.as_millis(),
            winners.last().map_or(0, |place| place + 1)
        );
        if winners.len() != RUSH_SEATS {
            return Err("not exactly the seats that there were".into());
        }
        Ok(())
    }

    /// Everybody looks at something first, as people do before a sale opens.
    async fn wake(&self) -> Result<()> {
        let mut running: JoinSet<Result<()>> = JoinSet::new();
        let began = Instant::now();
        for part in self.fans.chunks(BUYERS / 64 + 1) {
            let (part, server) = (part.to_vec(), self.group.1);
            running.spawn(async move {
                let mut connection = Connection::open(server).await?;
                for fan in part {
                    connection.ask(&Request::graphql_of(&fan, "{ viewer { id } }", &json!({}))).await?;
                }
                Ok(())
            });
        }
        while let Some(done) = running.join_next().await {
            done??;
        }
        if began.elapsed() > Duration::from_secs(25) {
            println!("(waking everybody took {} s: some have lost their leases again)", began.elapsed().as_secs());
        }
        Ok(())
    }

    async fn close(self) -> Result<()> {
        for (app, _) in [self.plain, self.group] {
            app.shutdown.cancel();
            app.tasks.close();
            app.tasks.wait().await;
            app.db.close().await?;
        }
        Ok(())
    }
}

fn verdict(ratio: f64, target: f64) -> String {
    format!("at least {target}: {}", if ratio >= target { "kept" } else { "MISSED" })
}

async fn server(
    serving: &mut JoinSet<()>,
    folder: &Path,
    url: &str,
    provider: &str,
    (group_most, writers): (usize, usize),
) -> Result<(App, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = world::app(folder, |config| {
        config.server.listen = address;
        config.database.url = url.into();
        config.database.max_connections = CONNECTIONS;
        config.booking.group_most = group_most;
        config.booking.writers_per_event = writers;
        config.kakaopay.url = provider.to_owned();
        // All the load comes from a few accounts, which would have spent their points in a moment.
        config.edge.budget.capacity = 1 << 50;
        config.edge.budget.per_second = 1 << 40;
        config.edge.budget.lease = 1 << 30;
    })
    .await?;
    let connections = app.config.server.connections.clone();
    serving.spawn(http::listen(listener, http::router(&app), connections, app.shutdown.clone(), app.tasks.clone()));
    Ok((app, address))
}

/// A provider that answers `ready` at once.
async fn provider(serving: &mut JoinSet<()>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let ready = || async {
        static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let tid = format!("T{:019}", COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let page = "http://127.0.0.1/page";
        let answer = json!({
            "tid": tid, "next_redirect_pc_url": page, "next_redirect_mobile_url": page, "next_redirect_app_url": page,
            "created_at": "2026-01-01T00:00:00",
        });
        ([(CONTENT_TYPE, "application/json")], answer.to_string())
    };
    let router = Router::new().route("/online/v1/payment/ready", post(ready));
    serving.spawn(async {
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("the scripted provider stopped: {error}");
        }
    });
    Ok(format!("http://{address}"))
}

/// Makes an artist of this person.
async fn as_artist(app: &App, fan: &str) -> Result<String> {
    let viewer = session::admit(app, fan).await.map_err(|error| error.to_string())?;
    let id = viewer.member().ok_or("no member")?.id;
    let role = user::ActiveModel { id: Set(id), role: Set(Role::Artist), ..Default::default() };
    let changed = user::Entity::update_many().set(role).filter(user::Column::Id.eq(id)).exec(app.db.reads()).await?;
    if changed.rows_affected != 1 {
        return Err("nobody became an artist".into());
    }
    Ok(session::begin(app, Holder::Member(id, Role::Artist)).await?.access_token)
}
