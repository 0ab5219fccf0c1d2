//! The key-value store: what both twins promise, that a restart forgets nothing, and what goes on while Redis is gone.

use crate::{
    harness::{Database, PASSWORD, Person, SESSION, TestApp},
    revoked::{ask, open},
    transports::hear,
};
use chrono::TimeDelta;
use futures_util::future::join_all;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use spotlight::{
    config::Config,
    infra::{
        kv::{Kv, RedisKv},
        lock::{Attempt, Locks},
    },
};
use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio_util::task::TaskTracker;

crate::scenarios![the_embedded_twin_keeps_the_contract, a_restart_signs_nobody_out];

const LONG: Option<Duration> = Some(Duration::from_secs(600));

/// What `.ci/redis` started.
#[expect(clippy::disallowed_methods, reason = "the one setting of these tests")]
pub fn servers() -> Vec<String> {
    let servers = std::env::var("SPOTLIGHT_TEST_REDIS").unwrap_or_default();
    servers.split(',').filter(|server| !server.is_empty()).map(str::to_owned).collect()
}

#[expect(clippy::disallowed_methods, reason = "the one setting of these tests")]
fn settings(url: &str, prefix: &str) -> spotlight::infra::kv::KvSettings {
    let mut settings = Config::load(None, &[]).unwrap().kv;
    settings.url = url.into();
    settings.prefix = prefix.to_owned();
    settings.ca_file = std::env::var("SPOTLIGHT_TEST_REDIS_CA").ok().map(Into::into);
    settings
}

/// The one of a scheme.
pub fn server(scheme: &str) -> String {
    let server = servers().into_iter().find(|server| server.starts_with(&format!("{scheme}:")));
    server.unwrap_or_else(|| panic!("SPOTLIGHT_TEST_REDIS names no {scheme}: .ci/redis starts one"))
}

/// A test that needs a Redis: it is left out if there is none, and shown as such.
pub fn redis_trial<F: Future<Output = ()>>(
    name: impl Into<String>,
    test: impl FnOnce() -> F + Send + 'static,
) -> Trial {
    Trial::test(name, move || run(test())).with_ignored_flag(servers().is_empty())
}

/// One for each server; none is left out in silence.
pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = ["redis", "rediss", "redis-cluster"]
        .into_iter()
        .map(|scheme| {
            let name = format!("kv::the_real_twin_keeps_the_contract [{scheme}]");
            redis_trial(name, move || redis_contract(server(scheme)))
        })
        .collect();
    trials.push(redis_trial("kv::redis_gone_stops_sign_in_and_nothing_else", outage));
    trials
}

pub fn run(test: impl Future<Output = ()>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(Failed::from)?.block_on(test);
    Ok(())
}

async fn the_embedded_twin_keeps_the_contract(app: TestApp) {
    let kv = &app.app.kv;
    contract(kv).await;
    kv.set("brief", "v", Some(Duration::from_secs(5))).await.unwrap();
    assert_eq!(kv.get("brief").await.unwrap().as_deref(), Some("v"));
    app.move_clock(TimeDelta::seconds(5));
    gone(kv, "brief").await;
    assert!(kv.count("c", 1, Duration::from_secs(5)).await.unwrap().is_counted);
    assert!(!kv.count("c", 1, Duration::from_secs(5)).await.unwrap().is_counted);
    app.move_clock(TimeDelta::seconds(5));
    assert!(kv.count("c", 1, Duration::from_secs(5)).await.unwrap().is_counted, "its time is over");
    kv.sweep().await.unwrap();
    locks(kv, app.app.ids.clone()).await;
}

async fn redis_contract(server: String) {
    let ids = spotlight::infra::ids::Ids::new(
        std::sync::Arc::new(spotlight::infra::clock::SystemClock),
        std::sync::Arc::new(spotlight::infra::ids::SystemEntropy),
    );
    let kv = Kv::Redis(RedisKv::open(&settings(&server, &ids.secret())).await.unwrap());
    contract(&kv).await;
    kv.set("brief", "v", Some(Duration::from_millis(1))).await.unwrap();
    // Its own clock: looked at until then, for as long as no healthy Redis needs.
    let since = Instant::now();
    while kv.get("brief").await.unwrap().is_some() {
        assert!(since.elapsed() < Duration::from_secs(10), "it lives on");
    }
    gone(&kv, "brief").await;
    locks(&kv, ids).await;
}

/// What is past its time counts as absent, in every operation.
async fn gone(kv: &Kv, key: &str) {
    assert!(!kv.compare_and_set(key, "v", "w", LONG).await.unwrap());
    assert!(!kv.compare_and_delete(key, "v").await.unwrap());
    assert_eq!(kv.take(key).await.unwrap(), None);
    assert!(kv.set_if_absent(key, "new", LONG).await.unwrap());
    assert_eq!(kv.take(key).await.unwrap().as_deref(), Some("new"));
}

async fn contract(kv: &Kv) {
    assert_eq!(kv.get("a").await.unwrap(), None);
    for value in ["", "plain", "한글 😀 \u{1}\u{1f}\"'\\", &"x".repeat(60_000)] {
        kv.set("a", value, LONG).await.unwrap();
        assert_eq!(kv.get("a").await.unwrap().as_deref(), Some(value));
    }
    kv.set("a", "forever", None).await.unwrap();
    assert!(!kv.set_if_absent("a", "second", None).await.unwrap());
    assert!(!kv.compare_and_set("a", "other", "new", LONG).await.unwrap());
    assert!(kv.compare_and_set("a", "forever", "new", None).await.unwrap());
    assert!(!kv.compare_and_delete("a", "forever").await.unwrap());
    assert!(kv.compare_and_delete("a", "new").await.unwrap());
    assert!(!kv.delete("a").await.unwrap());
    kv.set("a", "once", LONG).await.unwrap();
    assert!(kv.delete("a").await.unwrap());
    assert!(!kv.compare_and_set("a", "once", "again", LONG).await.unwrap());
    at_once(kv).await;
    counters(kv).await;
}

/// Of many at once, exactly one.
async fn at_once(kv: &Kv) {
    let names: Vec<String> = (0..8).map(|number| number.to_string()).collect();
    let won = join_all(names.iter().map(|name| kv.set_if_absent("b", name, LONG))).await;
    assert_eq!(won.into_iter().filter(|won| *won.as_ref().unwrap()).count(), 1);
    let was = kv.get("b").await.unwrap().unwrap();
    let next: Vec<String> = names.iter().map(|name| format!("next {name}")).collect();
    let won = join_all(next.iter().map(|next| kv.compare_and_set("b", &was, next, LONG))).await;
    assert_eq!(won.into_iter().filter(|won| *won.as_ref().unwrap()).count(), 1);
    let taken = join_all(names.iter().map(|_| kv.take("b"))).await;
    assert_eq!(taken.into_iter().filter(|taken| taken.as_ref().unwrap().is_some()).count(), 1);
}

/// Of many that count at once, as many as may; the first one's time holds for all.
async fn counters(kv: &Kv) {
    let minute = Duration::from_secs(60);
    let tallies = join_all((0..8).map(|_| kv.count("c", 3, minute))).await;
    let tallies: Vec<_> = tallies.into_iter().map(Result::unwrap).collect();
    assert_eq!(tallies.iter().filter(|tally| tally.is_counted).count(), 3);
    assert!(tallies.iter().all(|tally| tally.left > minute / 2 && tally.left <= minute), "{tallies:?}");
    kv.uncount("c").await.unwrap();
    let again = kv.count("c", 3, minute * 9).await.unwrap();
    assert!(again.is_counted && again.left <= minute, "{again:?}");
    assert!(!kv.count("c", 3, minute).await.unwrap().is_counted);
    for _ in 0..5 {
        kv.uncount("c").await.unwrap();
    }
    let tallies = join_all((0..5).map(|_| kv.count("c", 2, minute))).await;
    assert_eq!(tallies.into_iter().filter(|tally| tally.as_ref().unwrap().is_counted).count(), 2);
    kv.delete("c").await.unwrap();
    kv.uncount("c").await.unwrap();
    assert_eq!(kv.get("c").await.unwrap(), None);
}

/// Held by one, told to the others at once, let go by its owner alone.
async fn locks(kv: &Kv, ids: spotlight::infra::ids::Ids) {
    let tasks = TaskTracker::new();
    let locks = Locks::new(kv.clone(), ids, tasks.clone());
    let lease = Duration::from_secs(600);
    let Attempt::Held(held) = locks.try_acquire("door", lease, "first").await.unwrap() else { panic!("it was free") };
    match locks.try_acquire("door", lease, "second").await.unwrap() {
        Attempt::Taken(note) => assert_eq!(note, "first"),
        Attempt::Held(_) => panic!("two have it"),
    }
    held.release().await;
    let Attempt::Held(lapsed) = locks.try_acquire("door", lease, "third").await.unwrap() else { panic!("let go") };
    // Its lease ran out, and somebody else has it: letting go late must not take it from them.
    kv.delete("lock:door").await.unwrap();
    let Attempt::Held(mine) = locks.try_acquire("door", lease, "fourth").await.unwrap() else { panic!("it lapsed") };
    lapsed.release().await;
    assert!(
        matches!(locks.try_acquire("door", lease, "fifth").await.unwrap(), Attempt::Taken(note) if note == "fourth")
    );
    // Cut short: it lets go a moment later.
    drop(mine);
    tasks.close();
    tasks.wait().await;
    tasks.reopen();
    assert!(matches!(locks.try_acquire("door", lease, "sixth").await.unwrap(), Attempt::Held(_)));
}

async fn a_restart_signs_nobody_out(app: TestApp) {
    let fan = app.fan("mina").await;
    let after = app.node("after", |_| {}).await;
    let viewer = app.query_at(&after.url, Some(&fan.token), "{ viewer { email } }", json!({})).await;
    assert_eq!(viewer.data()["viewer"]["email"], "mina@example.kr");
    let renewed = refresh(&app, &after.url, &fan.refresh_token).await;
    assert!(renewed.data()["sessionRefresh"]["session"]["accessToken"].is_string(), "{:?}", renewed.body);
    after.stop().await;
}

async fn refresh(app: &TestApp, url: &str, token: &str) -> crate::harness::Answer {
    let query = "mutation($token: String!) { sessionRefresh(input: { refreshToken: $token }) { session { accessToken refreshToken } userErrors { code } } }";
    app.query_at(url, None, query, json!({ "token": token })).await
}

/// A Redis of the test's own, to be killed. It writes down what it is told, so that its next life knows it.
pub struct OwnRedis {
    folder: TempDir,
    pub port: u16,
    child: Child,
}

impl OwnRedis {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Self::spawn(&folder, port);
        let redis = Self { folder, port, child };
        redis.until_up().await;
        redis
    }

    fn spawn(folder: &TempDir, port: u16) -> Child {
        Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"])
            .args(["--port", &port.to_string(), "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts")
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    async fn until_up(&self) {
        let since = Instant::now();
        while RedisKv::open(&settings(&self.url(), "probe:")).await.is_err() {
            assert!(since.elapsed() < Duration::from_secs(20), "Redis does not come up");
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As one that comes back without its file.
    async fn forget(&self) {
        let mut connection = redis::Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
        let _done: String = redis::cmd("FLUSHALL").query_async(&mut connection).await.unwrap();
    }

    async fn come_back(&mut self) {
        self.child = Self::spawn(&self.folder, self.port);
        self.until_up().await;
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

async fn admin_at(app: &TestApp, url: &str) -> String {
    let email = "root@example.kr";
    spotlight::admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    let query = "mutation($input: AdminSignInInput!) { adminSignIn(input: $input) { session { accessToken } } }";
    let input = json!({ "input": { "email": email, "password": PASSWORD } });
    let answer = app.query_at(url, None, query, input).await;
    answer.data()["adminSignIn"]["session"]["accessToken"].as_str().unwrap().to_owned()
}

async fn outage() {
    let mut redis = OwnRedis::start().await;
    let home = TestApp::start(&Database::sqlite()).await;
    let fan = home.fan("mina").await;
    let node = home.node("redis", |config| config.kv.url = redis.url().into()).await;
    let sign_in = || async {
        let query =
            format!("mutation($input: SignInInput!) {{ signIn(input: $input) {{ {SESSION} userErrors {{ code }} }} }}");
        let input = json!({ "input": { "email": fan.email, "password": PASSWORD } });
        home.query_at(&node.url, None, &query, input).await
    };
    let viewer = |token: String| {
        let (home, url) = (home.clone(), node.url.clone());
        async move { home.query_at(&url, Some(&token), "{ viewer { email } }", json!({})).await }
    };
    let mine = Person::of(&fan.email, &sign_in().await.data()["signIn"]);
    let other = Person::of(&fan.email, &sign_in().await.data()["signIn"]);
    let out = "mutation { signOut(input: { everywhere: false }) { isSignedOut } }";
    home.query_at(&node.url, Some(&other.token), out, json!({})).await.data();
    let admin = admin_at(&home, &node.url).await;
    let staying = Person::of(&fan.email, &sign_in().await.data()["signIn"]);

    let mut sockets = [open(&node.url, &mine.token).await, open(&node.url, &admin).await];

    redis.kill();
    let since = Instant::now();
    for answer in [sign_in().await, refresh(&home, &node.url, &mine.refresh_token).await] {
        assert_eq!(
            (answer.code(), &answer.body["errors"][0]["extensions"]["retryAfter"]),
            ("INTERNAL_SERVER_ERROR", &json!(1))
        );
        assert!(
            answer.body["errors"][0]["message"].as_str().unwrap().contains("Temporarily unavailable"),
            "{:?}",
            answer.body
        );
    }
    let not_yet = home.query_at(&node.url, Some(&staying.token), out, json!({})).await;
    assert_eq!(not_yet.body["errors"][0]["extensions"]["retryAfter"], 1, "{:?}", not_yet.body);
    assert_eq!(viewer(staying.token.clone()).await.data()["viewer"]["email"], "mina@example.kr", "nothing was changed");
    assert_eq!(viewer(mine.token.clone()).await.data()["viewer"]["email"], "mina@example.kr");
    assert_eq!(viewer(other.token.clone()).await.status, 401, "this node knows that it was signed out");
    let refused = home.query_at(&node.url, Some(&admin), "{ admin { email } }", json!({})).await;
    assert_eq!((refused.status, refused.code()), (503, "INTERNAL_SERVER_ERROR"));
    // The same on sockets that were open before, and the admin's stays for later.
    for (socket, expected) in sockets.iter_mut().zip([Value::Null, json!(1)]) {
        for _ in 0..2 {
            ask(socket, "{ __typename }").await;
            let heard = hear(socket).await;
            assert_eq!(heard["payload"][0]["extensions"]["retryAfter"], expected, "{heard}");
            if heard["type"] == "next" {
                assert_eq!(hear(socket).await["type"], "complete");
            }
        }
    }
    let events = home.query_at(&node.url, None, "{ events { nodes { id } } }", json!({})).await;
    assert!(events.data()["events"]["nodes"].is_array());
    // Eight requests, of which the first few wait for a connection that fails, and the rest are told at once.
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());

    redis.come_back().await;
    let since = Instant::now();
    let mut renewed = refresh(&home, &node.url, &mine.refresh_token).await;
    while renewed.body.get("errors").is_some() {
        assert!(since.elapsed() < Duration::from_secs(20), "{:?}", renewed.body);
        renewed = refresh(&home, &node.url, &mine.refresh_token).await;
    }
    assert!(renewed.data()["sessionRefresh"]["session"]["accessToken"].is_string(), "{:?}", renewed.body);
    assert_eq!(viewer(other.token).await.status, 401);
    home.query_at(&node.url, Some(&staying.token), out, json!({})).await.data();
    assert_eq!(viewer(staying.token.clone()).await.status, 401);
    redis.forget().await;
    assert_eq!(viewer(staying.token).await.status, 401, "the node knows what the store has lost");
    assert_eq!(viewer(mine.token.clone()).await.status, 200);
    node.stop().await;
    home.finish().await;
}
