//! A whole server for each scenario: its own database, data folder, clock and port.

mod api;
mod database;
mod gate;
mod hook;
mod people;
mod road;
mod scenario;
mod smtp;
mod start;
mod waiting;

pub use api::{Answer, errors_of, user_error};
pub use database::Database;
pub use gate::Gate;
pub use hook::Hook;
pub use people::{BOOKING, EVENT, Event, PASSWORD, Person, SESSION, booking_input, sign_up_input};
pub use road::{Cut, Road};
pub use scenario::Scenario;
pub use smtp::{Manners, SmtpServer};
pub use start::one_seat;
pub use waiting::count;

use chrono::{DateTime, TimeDelta, Utc};
use spotlight::{
    app::{App, World},
    config::Config,
    infra::{
        clock::Clock,
        ids::{Entropy, SystemEntropy},
        jobs,
    },
};
use std::{
    net::SocketAddr,
    ops::Deref,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;

/// A clock that only a test moves.
#[derive(Debug)]
pub struct TestClock(Mutex<DateTime<Utc>>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// The server under test.
#[derive(Clone)]
pub struct TestApp(Arc<Inner>);

pub struct Inner {
    pub app: App,
    pub url: String,
    pub http: reqwest::Client,
    clock: Arc<TestClock>,
    database: Database,
    /// One worker at a time: what `work` promises to be done is then done.
    worker: tokio::sync::Mutex<()>,
    _folder: TempDir,
}

impl Deref for TestApp {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Noon in Seoul on a Monday.
pub fn first_moment() -> DateTime<Utc> {
    "2026-06-01T03:00:00Z".parse().unwrap()
}

impl TestApp {
    pub async fn start(database: &Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = database.fresh(folder.path()).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = config(folder.path(), &database, listener.local_addr().unwrap());
        let clock = Arc::new(TestClock(Mutex::new(first_moment())));
        let world = World { clock: clock.clone(), entropy: Arc::new(SystemEntropy) };
        let app = App::build(config, world).await.unwrap();
        let url = app.config.public_url();
        let (router, connections) = (spotlight::http::router(&app), app.config.server.connections.clone());
        app.tasks.spawn(spotlight::http::listen(
            listener,
            router,
            connections,
            app.shutdown.clone(),
            app.tasks.clone(),
        ));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self(Arc::new(Inner {
            app,
            url,
            http,
            clock,
            database,
            worker: tokio::sync::Mutex::default(),
            _folder: folder,
        }))
    }

    /// Another server on the same database, with other settings: same clock, same keys.
    pub async fn node(&self, name: &str, change: impl FnOnce(&mut Config)) -> Node {
        self.node_with(name, Arc::new(SystemEntropy), change).await
    }

    /// The same, with another source of randomness.
    pub async fn node_with(&self, name: &str, entropy: Arc<dyn Entropy>, change: impl FnOnce(&mut Config)) -> Node {
        let folder = self._folder.path().join(name);
        let keys = folder.join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        for key in std::fs::read_dir(self._folder.path().join("keys")).unwrap() {
            let key = key.unwrap();
            std::fs::copy(key.path(), keys.join(key.file_name())).unwrap();
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = config(&folder, &self.database, listener.local_addr().unwrap());
        change(&mut config);
        let world = World { clock: self.clock.clone(), entropy };
        let app = App::build(config, world).await.unwrap();
        serve(&app, listener);
        Node { url: app.config.public_url(), app }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Does what is due, until nothing is.
    pub async fn work(&self) {
        let _one = self.worker.lock().await;
        while jobs::run_due(&self.app).await.unwrap() > 0 {}
    }

    /// Whether nothing is due.
    pub async fn is_idle(&self) -> bool {
        self.database.left_over_jobs(&self.app).await.is_empty()
    }

    /// Moves the clock alone, as if nobody worked meanwhile.
    pub fn move_clock(&self, time: TimeDelta) {
        *self.clock.0.lock().unwrap() += time;
    }

    /// Moves the clock, and does what became due.
    pub async fn pass(&self, time: TimeDelta) {
        self.move_clock(time);
        self.work().await;
    }

    /// A left-over job fails the test; so does a payment in doubt, and a seat, a won or a coupon that does not add up, here
    /// or at the provider.
    pub async fn finish(self) {
        self.work().await;
        let left = self.database.left_over_jobs(&self.app).await;
        assert!(left.is_empty(), "left-over jobs: {left:?}");
        let broken = self.database.broken_invariants(&self.app).await;
        assert!(broken.is_empty(), "broken invariants: {broken:?}");
        let stray = self.database.stray_money(&self.app).await;
        assert!(stray.is_empty(), "stray money: {stray:?}");
        self.app.shutdown.cancel();
        self.app.tasks.close();
        self.app.tasks.wait().await;
        self.app.db.close().await.unwrap();
        self.database.drop().await;
    }
}

/// One more server of a scenario. It is stopped by the scenario.
pub struct Node {
    pub app: App,
    pub url: String,
}

impl Node {
    pub async fn stop(self) {
        self.app.shutdown.cancel();
        self.app.tasks.close();
        self.app.tasks.wait().await;
        self.app.db.close().await.unwrap();
    }
}

fn serve(app: &App, listener: tokio::net::TcpListener) {
    let (router, connections) = (spotlight::http::router(app), app.config.server.connections.clone());
    app.tasks.spawn(spotlight::http::listen(listener, router, connections, app.shutdown.clone(), app.tasks.clone()));
}

fn config(folder: &std::path::Path, database: &Database, listen: SocketAddr) -> Config {
    let overrides = [
        ("data_dir", folder.display().to_string().into()),
        ("database.url", database.url().to_owned().into()),
        ("database.sqlite_full_sync", false.into()),
        ("server.listen", listen.to_string().into()),
        ("demo", false.into()),
        ("auth.bcrypt_cost", 4_u32.into()),
        // A crowd of a scenario has one address.
        ("auth.throttle.codes_by_address", 100_000_u32.into()),
        ("kakaopay.timeout_seconds", 5_u32.into()),
        // Longer than a hold, so that what ends a hold is the hold's own time.
        ("kakaopay.sandbox_expiry_minutes", 20_u32.into()),
        // The clock stands still, so nothing flows back; the crowds of some scenarios have one address.
        ("edge.budget.capacity", 1_000_000_u32.into()),
        // Taken at once, so that no later request of a scenario has to ask the store.
        ("edge.budget.lease", 100_000_u32.into()),
    ];
    Config::load(None, &overrides).unwrap()
}
