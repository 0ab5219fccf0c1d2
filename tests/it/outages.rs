//! The database in trouble: a node that froze with a lock in its hand, connections that break off in the middle of a sale,
//! and what an outage must not do to jobs.

use crate::harness::{Event, Person, TestApp, booking_input};
use chrono::TimeDelta;
use entity::{ids::JobId, job, ticket_type};
use futures_util::{StreamExt, stream::FuturesUnordered};
use sea_orm::{
    ColumnTrait, ConnectionTrait, Database, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    Set, sea_query::Expr,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use spotlight::{
    booking::follow::FollowSale,
    infra::jobs::{self, Job},
};
use std::time::{Duration, Instant};

crate::scenarios![
    a_frozen_node_holds_up_a_sale_for_moments,
    connections_that_break_off_lose_nothing_and_sell_nothing_twice,
    an_outage_brings_no_job_nearer_to_being_parked,
    a_hundred_changes_of_an_event_are_indexed_in_a_few_goes,
    a_sale_is_listed_anew_unless_somebody_waits_to_do_that,
    no_text_has_a_nul,
    who_stops_waiting_for_a_transaction_leaves_none_behind,
];

fn is_sqlite(app: &TestApp) -> bool {
    app.app.config.database.url.expose_secret().starts_with("sqlite:")
}

async fn beside(app: &TestApp) -> DatabaseConnection {
    Database::connect(app.app.config.database.url.expose_secret()).await.unwrap()
}

const BOOKING: &str = "mutation($input: BookingStartInput!) { bookingStart(input: $input) { booking { id status } \
                       userErrors { code } } }";

/// What somebody does who is told that something went wrong: the same again, with the same key.
async fn insist(app: &TestApp, fan: &Person, event: &Event) -> Value {
    let since = Instant::now();
    loop {
        let input = json!({ "input": booking_input(event, 1, "k") });
        let answer = app.query(Some(&fan.token), BOOKING, input).await;
        if answer.body.get("errors").is_none() {
            return answer.data()["bookingStart"].clone();
        }
        assert!(since.elapsed() < Duration::from_secs(60), "{:?}", answer.body);
    }
}

async fn a_frozen_node_holds_up_a_sale_for_moments(app: TestApp) {
    if is_sqlite(&app) {
        // Its writer is the process itself: whoever freezes holds up nobody but himself.
        return;
    }
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 10).await;
    let frozen = app.node("frozen", |config| config.database.idle_transaction_seconds = 1).await;
    // In the middle of a group, and not a statement more.
    let txn = frozen.app.db.begin().await.unwrap();
    ticket_type::Entity::find().lock_exclusive().all(&txn).await.unwrap();
    let booked = app.book(&fan, &event, 1, "k").await;
    assert_eq!(booked["booking"]["status"], "CONFIRMED", "{booked}");
    assert!(ticket_type::Entity::find().all(&txn).await.is_err(), "its transaction is over");
    drop(txn);
    frozen.stop().await;
}

async fn break_off(beside: &DatabaseConnection) {
    if beside.get_database_backend() == sea_orm::DbBackend::Postgres {
        let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
                   AND pid <> pg_backend_pid()";
        beside.execute_unprepared(all).await.unwrap();
        return;
    }
    let all = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    let all = sea_orm::Statement::from_string(beside.get_database_backend(), all);
    for row in beside.query_all_raw(all).await.unwrap() {
        let id: i64 = row.try_get_by_index(0).unwrap();
        // Some are gone already.
        let _gone = beside.execute_unprepared(&format!("KILL {id}")).await;
    }
}

async fn connections_that_break_off_lose_nothing_and_sell_nothing_twice(app: TestApp) {
    if is_sqlite(&app) {
        // No connection to break.
        return;
    }
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 25).await;
    let mut fans = Vec::new();
    for number in 0..40 {
        fans.push(app.fan(&format!("fan{number}")).await);
    }
    let beside = beside(&app).await;
    let mut crowd: FuturesUnordered<_> = fans.iter().map(|fan| insist(&app, fan, &event)).collect();
    break_off(&beside).await;
    let mut answers = Vec::new();
    while let Some(answer) = crowd.next().await {
        answers.push(answer);
        if answers.len() % 4 == 0 {
            break_off(&beside).await;
        }
    }
    drop(crowd);
    beside.close().await.unwrap();
    let booked = answers.iter().filter(|answer| answer["booking"].is_object()).count();
    let refused = answers.iter().filter(|answer| answer["userErrors"][0]["code"] == "SOLD_OUT").count();
    assert_eq!((booked, refused), (25, 15), "{answers:?}");
    assert_eq!(app.remaining(&event).await, 0);
    for fan in &fans {
        let has = insist(&app, fan, &event).await["booking"].is_object();
        let query = "{ viewer { bookings(first: 5) { nodes { id } } } }";
        let bookings =
            app.query(Some(&fan.token), query, json!({})).await.data()["viewer"]["bookings"]["nodes"].clone();
        assert_eq!(bookings.as_array().unwrap().len(), usize::from(has));
    }
}

async fn an_outage_brings_no_job_nearer_to_being_parked(app: TestApp) {
    let id = app.app.ids.next::<JobId>();
    let tried = i32::try_from(app.app.config.worker.max_attempts).unwrap() * 2;
    let row = job::ActiveModel {
        id: Set(id),
        name: Set("of_another_version".into()),
        lane: Set(0),
        payload: Set("{}".into()),
        run_at: Set(app.now()),
        // All of them while somebody else was away.
        attempts: Set(tried),
        faults: Set(0),
        created_at: Set(app.now()),
        ..<job::ActiveModel as Default>::default()
    };
    job::Entity::insert(row).exec_without_returning(app.app.db.reads()).await.unwrap();
    jobs::run_due(&app.app).await.unwrap();
    let job = job::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    assert_eq!((job.attempts, job.faults, job.parked_at), (tried + 1, 1, None));
    job::Entity::delete_by_id(id).exec(app.app.db.reads()).await.unwrap();
}

async fn a_hundred_changes_of_an_event_are_indexed_in_a_few_goes(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let id = event.id.parse().unwrap();
    let txn = app.app.db.begin().await.unwrap();
    for _ in 0..100 {
        spotlight::event::index::enqueue(&txn, &app.app, id).await.unwrap();
    }
    txn.commit().await.unwrap();
    let mut ran = 0;
    loop {
        match jobs::run_due(&app.app).await.unwrap() {
            0 => break,
            some => ran += some,
        }
    }
    // As many as were claimed before the first of them looked round.
    assert!((1..=app.app.config.worker.concurrency).contains(&ran), "{ran}");
    let left = job::Entity::find().filter(job::Column::Name.eq("index_event")).count(app.app.db.reads()).await.unwrap();
    assert_eq!(left, 0);
}

async fn no_text_has_a_nul(app: TestApp) {
    let fan = app.fan("mina").await;
    let search = "query($text: String!) { events(query: $text) { nodes { id } } }";
    for (query, variables) in [
        (search, json!({ "text": "a\u{0}b" })),
        ("{ events(query: \"a\\u0000b\") { nodes { id } } }", json!({})),
        (BOOKING, json!({ "input": { "idempotencyKey": "\u{0}", "lines": [{ "quantity": 1 }] } })),
    ] {
        let answer = app.query(Some(&fan.token), query, variables).await;
        assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"), "{:?}", answer.body);
    }
    let body = json!({ "email": "a\u{0}@b.kr", "password": "x" });
    let asked = app.http.post(format!("{}/session/sign-in", app.url)).header("origin", "http://localhost:3000");
    assert_eq!(asked.json(&body).send().await.unwrap().status(), 415);
}

/// Dropped a little later each time: among so many moments is that at which `BEGIN` is sent and not answered yet.
async fn who_stops_waiting_for_a_transaction_leaves_none_behind(app: TestApp) {
    for micros in (0..2_000).step_by(10) {
        drop(tokio::time::timeout(Duration::from_micros(micros), app.app.db.begin()).await);
    }
    // More than the pool has connections, so that each of them is asked.
    for _ in 0..40 {
        app.app.db.begin().await.expect("a connection in a transaction that nobody knows of").rollback().await.unwrap();
    }
}

async fn rows(app: &TestApp, name: &str) -> Vec<job::Model> {
    job::Entity::find().filter(job::Column::Name.eq(name)).all(app.app.db.reads()).await.unwrap()
}

async fn a_sale_is_listed_anew_unless_somebody_waits_to_do_that(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 3).await;
    app.work().await;
    let (event_id, booking_ids) = (event.id.parse().unwrap(), Vec::new());
    let follow = || FollowSale { event_id, booking_ids: booking_ids.clone() };
    // Nobody waits; one waits; its lease ran out, and it may have read already.
    for (lease, waiting) in [(None, 1), (None, 1), (Some(TimeDelta::seconds(-1)), 2)] {
        if let Some(lease) = lease {
            let leased = job::Entity::update_many().filter(job::Column::Name.eq("index_event"));
            let until = Expr::value(Some(app.now() + lease));
            leased.col_expr(job::Column::LeaseUntil, until).exec(app.app.db.reads()).await.unwrap();
        }
        follow().run(&app.app).await.unwrap();
        assert_eq!(rows(&app, "index_event").await.len(), waiting, "{lease:?}");
    }
    app.work().await;
    assert_eq!(rows(&app, "index_event").await.len(), 0);
    // What is sold out says so itself, and not behind those who are to be told.
    app.book(&fan, &event, 2, "k1").await;
    assert_eq!((rows(&app, "follow_sale").await.len(), rows(&app, "index_event").await.len()), (1, 0));
    app.book(&fan, &event, 1, "k2").await;
    assert_eq!((rows(&app, "follow_sale").await.len(), rows(&app, "index_event").await.len()), (2, 1));
}
