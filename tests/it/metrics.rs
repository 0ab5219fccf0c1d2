//! What Prometheus is shown, and who may ask; the rules that are checked by themselves.

use crate::harness::{BOOKING, Hook, Node, TestApp, booking_input};
use chrono::TimeDelta;
use entity::{enums::PaymentStatus, invariant_check, job, payment, ticket_type};
use futures_util::future::join_all;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QuerySelect, Set,
};
use serde_json::json;
use spotlight::infra::jobs;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

crate::scenarios![
    a_fresh_world_breaks_no_rule_and_says_so,
    a_broken_rule_is_shown_by_every_node_and_told_once,
    the_rules_are_checked_when_it_is_time_and_not_before,
    what_waits_is_counted,
    buyers_who_wait_for_their_turn_are_counted,
    a_database_that_is_away_is_said_and_nothing_else,
    strangers_are_not_shown_the_metrics,
];

const RULES: usize = 24;

/// What is asked by whoever stands at this address, as a proxy says.
async fn ask(app: &TestApp, url: &str, from: Option<&str>) -> reqwest::Response {
    let mut request = app.http.get(format!("{url}/metrics"));
    if let Some(from) = from {
        request = request.header("x-forwarded-for", from);
    }
    request.send().await.unwrap()
}

/// Each sample by its name and labels.
async fn samples(app: &TestApp, url: &str) -> BTreeMap<String, f64> {
    let answer = ask(app, url, None).await;
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = answer.text().await.unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

fn broken(samples: &BTreeMap<String, f64>) -> Vec<(&str, f64)> {
    let rules = samples.iter().filter(|(name, _)| name.starts_with("spotlight_invariant_broken{"));
    rules.map(|(name, rows)| (name.split('"').nth(1).unwrap(), *rows)).collect()
}

/// Does what is due, schedules too, on this node.
async fn work(node: &Node) {
    jobs::plan_schedules(&node.app).await.unwrap();
    while jobs::run_due(&node.app).await.unwrap() > 0 {}
}

async fn a_fresh_world_breaks_no_rule_and_says_so(app: TestApp) {
    let before = samples(&app, &app.url).await;
    assert!(broken(&before).is_empty() && before["spotlight_database_up"] == 1.0, "not checked yet: {before:?}");
    assert!(!before.contains_key("spotlight_invariants_checked_timestamp_seconds"));
    jobs::plan_schedules(&app.app).await.unwrap();
    app.work().await;
    let after = samples(&app, &app.url).await;
    let rules = broken(&after);
    assert_eq!((rules.len(), rules.iter().all(|(_, rows)| *rows == 0.0)), (RULES, true), "{rules:?}");
    let checked_at = u32::try_from(app.now().timestamp()).unwrap();
    assert_eq!(after["spotlight_invariants_checked_timestamp_seconds"], f64::from(checked_at));
    for name in [r#"spotlight_jobs{state="due"}"#, r#"spotlight_jobs{state="parked"}"#, "spotlight_payments_in_doubt"] {
        assert_eq!(after[name], 0.0, "{name}");
    }
}

async fn a_broken_rule_is_shown_by_every_node_and_told_once(app: TestApp) {
    let hook = Hook::listen(&app, &[]).await;
    let url = hook.url.clone();
    let node = app.node("watcher", |config| config.alert.url = url.into()).await;
    let artist = app.artist("haneul").await;
    app.event(&artist, 1_000, 10).await;
    let change = |by: i32| {
        let (db, sql) = (app.app.db.reads(), format!("UPDATE ticket_type SET remaining = remaining + {by}"));
        async move { db.execute_unprepared(&sql).await.unwrap() }
    };
    change(-1).await;
    for _ in 0..3 {
        work(&node).await;
        let (there, here) = (samples(&app, &node.url).await, samples(&app, &app.url).await);
        assert_eq!((there[BROKEN], here[BROKEN]), (1.0, 1.0));
        assert_eq!(broken(&here).iter().filter(|(_, rows)| *rows > 0.0).count(), 1);
        app.move_clock(TimeDelta::minutes(15));
    }
    let [told] = hook.got().try_into().unwrap();
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("seats_add_up (sold + held + left = capacity) is broken by 1 rows"), "{text}");
    change(1).await;
    work(&node).await;
    assert_eq!((samples(&app, &app.url).await[BROKEN], hook.got().len()), (0.0, 1));
    // Broken anew: that is news.
    change(-2).await;
    app.move_clock(TimeDelta::minutes(15));
    work(&node).await;
    assert_eq!(hook.got().len(), 2);
    change(2).await;
    app.work().await;
    node.stop().await;
}

const BROKEN: &str = r#"spotlight_invariant_broken{rule="seats_add_up"}"#;

async fn the_rules_are_checked_when_it_is_time_and_not_before(app: TestApp) {
    let checks = || async { invariant_check::Entity::find().all(app.app.db.reads()).await.unwrap() };
    let never = app.node("never", |config| config.audit.every_minutes = 0).await;
    work(&never).await;
    assert_eq!(checks().await, []);
    never.stop().await;
    app.move_clock(TimeDelta::minutes(1));
    let other = app.node("other", |_| {}).await;
    work(&other).await;
    let first = app.now();
    for minutes in 1..=15 {
        app.move_clock(TimeDelta::minutes(1));
        // Whichever node it is.
        if minutes % 2 == 0 {
            work(&other).await
        } else {
            app.work().await
        }
        let last = if minutes < 15 { first } else { app.now() };
        assert!(checks().await.iter().all(|row| row.checked_at == last), "after {minutes} minutes");
    }
    assert_eq!(checks().await.len(), RULES);
    other.stop().await;
}

async fn what_waits_is_counted(app: TestApp) {
    let db = app.app.db.reads();
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    app.book(&fan, &event, 1, "k").await;
    let set = |status| async move {
        let row = payment::Entity::find().one(db).await.unwrap().unwrap();
        let mut row = row.into_active_model();
        row.status = Set(status);
        row.update(db).await.unwrap();
    };
    set(PaymentStatus::Canceling).await;
    let due = job::Column::RunAt.lte(app.now());
    assert_eq!(job::Entity::find().filter(due.clone()).count(db).await.unwrap(), 0);
    let parked = job::ActiveModel {
        id: Set(app.app.ids.next()),
        name: Set("of_another_version".into()),
        lane: Set(0),
        payload: Set("{}".into()),
        run_at: Set(app.now()),
        attempts: Set(12),
        faults: Set(12),
        parked_at: Set(Some(app.now())),
        created_at: Set(app.now()),
        ..<job::ActiveModel as Default>::default()
    };
    let waiting = |parked: &job::ActiveModel| {
        let mut row = parked.clone();
        (row.id, row.parked_at) = (Set(app.app.ids.next()), Set(None));
        row
    };
    let rows = [parked.clone(), waiting(&parked), waiting(&parked)];
    job::Entity::insert_many(rows).exec_without_returning(db).await.unwrap();
    let shown = samples(&app, &app.url).await;
    for (name, count) in [
        (r#"spotlight_jobs{state="due"}"#, 2.0),
        (r#"spotlight_jobs{state="parked"}"#, 1.0),
        ("spotlight_payments_in_doubt", 1.0),
    ] {
        assert_eq!(shown[name], count, "{name}");
    }
    job::Entity::delete_many().filter(job::Column::Name.eq("of_another_version")).exec(db).await.unwrap();
    set(PaymentStatus::Ready).await;
}

async fn buyers_who_wait_for_their_turn_are_counted(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 10).await;
    let node = app.node("narrow", |config| config.booking.group_most = 1).await;
    // The fan's points are leased by then: that is a write, too.
    app.query_at(&node.url, Some(&fan.token), "{ viewer { role } }", json!({})).await;
    // Whoever is being served stands still, and the others wait.
    let txn = app.app.db.begin().await.unwrap();
    ticket_type::Entity::find().lock_exclusive().all(&txn).await.unwrap();
    let keys = ["a", "b", "c", "d", "e", "f", "g"];
    let document = format!(
        "mutation($input: BookingStartInput!) {{ bookingStart(input: $input) {{ {BOOKING} userErrors {{ code }} }} }}"
    );
    let crowd = join_all(keys.map(|key| {
        let input = json!({ "input": booking_input(&event, 1, key) });
        app.query_at(&node.url, Some(&fan.token), &document, input)
    }));
    let look = async {
        let since = Instant::now();
        while samples(&app, &node.url).await["spotlight_booking_queue_waiting"] == 0.0 {
            assert!(since.elapsed() < Duration::from_secs(10), "nobody waits");
        }
        txn.rollback().await.unwrap();
    };
    let (booked, ()) = tokio::join!(crowd, look);
    assert!(booked.iter().all(|answer| answer.data()["bookingStart"]["booking"]["status"] == "CONFIRMED"));
    assert_eq!(samples(&app, &node.url).await["spotlight_booking_queue_waiting"], 0.0);
    node.stop().await;
}

async fn a_database_that_is_away_is_said_and_nothing_else(app: TestApp) {
    let node = app.node("dark", |_| {}).await;
    node.app.db.close().await.unwrap();
    let shown = samples(&app, &node.url).await;
    let own = [
        "spotlight_booking_guesses_total{outcome=\"right\"}",
        "spotlight_booking_guesses_total{outcome=\"wrong\"}",
        "spotlight_booking_queue_waiting",
        "spotlight_database_up",
    ];
    let own: BTreeMap<String, f64> = own.map(|name| (name.to_owned(), 0.0)).into();
    assert_eq!(shown, own, "only what this node knows by itself");
    node.stop().await;
}

async fn strangers_are_not_shown_the_metrics(app: TestApp) {
    let behind = |name: &'static str, allowed: Option<&'static str>| {
        app.node(name, move |config| {
            config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            if let Some(allowed) = allowed {
                config.metrics.allowed = vec![allowed.parse().unwrap()];
            }
        })
    };
    let (node, office) = (behind("node", None).await, behind("office", Some("203.0.113.0/24")).await);
    let (stranger, colleague) = (Some("198.51.100.7"), Some("203.0.113.9"));
    for (url, from, status) in [
        (&node.url, None, 200),
        (&node.url, stranger, 404),
        (&node.url, colleague, 404),
        // What a proxy of ours adds is the last.
        (&node.url, Some("127.0.0.1, 198.51.100.7"), 404),
        (&office.url, colleague, 200),
        (&office.url, stranger, 404),
        (&office.url, None, 404),
        // A proxy that nobody named stands on this machine: everybody would be this machine.
        (&app.url, stranger, 404),
        (&app.url, None, 200),
    ] {
        assert_eq!(ask(&app, url, from).await.status(), status, "{url} {from:?}");
    }
    node.stop().await;
    office.stop().await;
}
