//! 따닥: one artist, the same content, twice. One event, on whichever nodes and however slowly it is written; the second one
//! is told which.

use crate::{
    harness::{Database, EVENT, Node, Person, TestApp},
    kv::{redis_trial, server},
};
use chrono::TimeDelta;
use entity::kv;
use futures_util::future::join_all;
use libtest_mimic::Trial;
use sea_orm::{
    ColumnTrait, ConnectOptions, ConnectionTrait, Database as Connect, DatabaseConnection, DbBackend, EntityTrait,
    QueryFilter,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

crate::scenarios![
    two_nodes_at_once_publish_one_event,
    the_second_one_is_told_while_the_first_is_still_being_written,
    a_guard_longer_than_the_lease_guards_to_its_end,
    a_write_that_stalls_past_lease_and_guard_lets_no_second_event_through,
    a_write_that_stalls_past_its_lease_under_a_longer_guard_lets_no_second_event_through,
];

pub fn trials() -> Vec<Trial> {
    vec![redis_trial("double_submit::two_nodes_at_once_publish_one_event [redis]", at_once_by_redis)]
}

async fn create(app: &TestApp, url: &str, artist: &Person, input: &Value) -> Value {
    let document = format!(
        "mutation($input: EventCreateInput!) {{ eventCreate(input: $input) {{ {EVENT} userErrors {{ code \
         ... on DuplicateSubmitError {{ existingEventId }} }} }} }}"
    );
    let answer = app.query_at(url, Some(&artist.token), &document, json!({ "input": input })).await;
    answer.data()["eventCreate"].clone()
}

/// One was published, and the others were told which: its id.
fn assert_one(answers: &[Value]) -> String {
    let made: Vec<&Value> = answers.iter().filter(|payload| payload["event"].is_object()).collect();
    assert_eq!(made.len(), 1, "{answers:?}");
    for refused in answers.iter().filter(|payload| payload["event"].is_null()) {
        let error = &refused["userErrors"][0];
        assert_eq!((&error["code"], &error["existingEventId"]), (&json!("DUPLICATE_SUBMIT"), &made[0]["event"]["id"]));
    }
    made[0]["event"]["id"].as_str().unwrap().to_owned()
}

async fn at_once(app: &TestApp, nodes: [&str; 2], artist: &Person) {
    for round in 0..6 {
        let mut input = app.event_input(1_000, 10);
        input["title"] = json!(format!("공연 {round}"));
        let presses = (0..6).map(|press| create(app, nodes[press % 2], artist, &input));
        assert_one(&join_all(presses).await);
    }
}

async fn two_nodes_at_once_publish_one_event(app: TestApp) {
    let (artist, other) = (app.artist("haneul").await, app.node("other", |_| {}).await);
    at_once(&app, [&app.url, &other.url], &artist).await;
    other.stop().await;
}

async fn at_once_by_redis() {
    let home = TestApp::start(&Database::sqlite()).await;
    let (url, prefix) = (server("redis"), home.app.ids.secret());
    let node = |name: &'static str| {
        home.node(name, |config| {
            config.kv.url = url.clone().into();
            config.kv.prefix.clone_from(&prefix);
        })
    };
    let (one, two, artist) = (node("one").await, node("two").await, home.artist("haneul").await);
    at_once(&home, [&one.url, &two.url], &artist).await;
    one.stop().await;
    two.stop().await;
    home.finish().await;
}

async fn guarding(app: &TestApp, name: &str, seconds: u64) -> Node {
    app.node(name, |config| config.booking.duplicate_guard_seconds = seconds).await
}

async fn a_guard_longer_than_the_lease_guards_to_its_end(app: TestApp) {
    let (artist, node) = (app.artist("haneul").await, guarding(&app, "node", 120).await);
    let input = app.event_input(1_000, 10);
    let first = create(&app, &node.url, &artist, &input).await;
    for _ in 0..2 {
        app.move_clock(TimeDelta::seconds(59));
        assert_one(&[first.clone(), create(&app, &node.url, &artist, &input).await]);
    }
    app.move_clock(TimeDelta::seconds(2));
    assert!(create(&app, &node.url, &artist, &input).await["event"].is_object());
    node.stop().await;
}

/// A connection of its own that keeps everybody from writing jobs, which is the last that a new event writes.
struct Stopped(DatabaseConnection);

impl Stopped {
    async fn begin(app: &TestApp) -> Option<Self> {
        let url = app.app.config.database.url.expose_secret();
        if url.starts_with("sqlite:") {
            eprintln!("SKIPPED on sqlite: one writer at a time, and it is this process");
            return None;
        }
        let mut options = ConnectOptions::new(url);
        options.max_connections(1);
        let beside = Connect::connect(options).await.unwrap();
        let stop = match beside.get_database_backend() {
            DbBackend::Postgres => "BEGIN; LOCK TABLE job IN SHARE MODE",
            _ => "LOCK TABLES job WRITE",
        };
        beside.execute_unprepared(stop).await.unwrap();
        Some(Self(beside))
    }

    async fn end(self) {
        let go = match self.0.get_database_backend() {
            DbBackend::Postgres => "COMMIT",
            _ => "UNLOCK TABLES",
        };
        self.0.execute_unprepared(go).await.unwrap();
        self.0.close().await.unwrap();
    }
}

/// Who has the lock, once it is somebody else than before. Looked at until then, for as long as no healthy database needs.
async fn next_owner(app: &TestApp, before: &str) -> String {
    let since = Instant::now();
    loop {
        let locks = kv::Entity::find().filter(kv::Column::Key.starts_with("lock:event-create:"));
        match locks.one(app.app.db.reads()).await.unwrap() {
            Some(row) if row.value != before => return row.value,
            _ => assert!(since.elapsed() < Duration::from_secs(10), "nobody took the lock"),
        }
    }
}

async fn the_second_one_is_told_while_the_first_is_still_being_written(app: TestApp) {
    let (other, artist) = (app.node("other", |_| {}).await, app.artist("haneul").await);
    let input = app.event_input(1_000, 10);
    if let Some(stopped) = Stopped::begin(&app).await {
        let second = async {
            next_owner(&app, "").await;
            let told = create(&app, &other.url, &artist, &input).await;
            stopped.end().await;
            told
        };
        let (first, second) = tokio::join!(create(&app, &app.url, &artist, &input), second);
        assert_one(&[first, second]);
    }
    other.stop().await;
}

async fn stall(app: &TestApp, guard: u64) {
    let (one, two) = (guarding(app, "one", guard).await, guarding(app, "two", guard).await);
    let artist = app.artist("haneul").await;
    let input = app.event_input(1_000, 10);
    let Some(stopped) = Stopped::begin(app).await else {
        one.stop().await;
        return two.stop().await;
    };
    let rest = async {
        let first = next_owner(app, "").await;
        app.move_clock(TimeDelta::minutes(1));
        let go = async {
            next_owner(app, &first).await;
            stopped.end().await;
        };
        tokio::join!(create(app, &two.url, &artist, &input), go).0
    };
    let (first, second) = tokio::join!(create(app, &one.url, &artist, &input), rest);
    assert_one(&[first, second]);
    one.stop().await;
    two.stop().await;
}

async fn a_write_that_stalls_past_lease_and_guard_lets_no_second_event_through(app: TestApp) {
    stall(&app, 10).await;
}

async fn a_write_that_stalls_past_its_lease_under_a_longer_guard_lets_no_second_event_through(app: TestApp) {
    stall(&app, 3_600).await;
}
