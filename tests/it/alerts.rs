//! What people are told when a payment is stuck: once, through a channel that may be away.

use crate::harness::{Hook, Node, TestApp};
use chrono::TimeDelta;
use entity::{booking, enums::PaymentStatus, job, payment};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::{Value, json};
use spotlight::{
    booking::expire::ExpireBooking,
    infra::{
        alert::Alert,
        jobs::{self, Job},
    },
    payment::{reconcile::ReconcilePayment, stuck::WatchPayments},
};

crate::scenarios![
    a_stuck_payment_is_told_to_slack_once,
    a_channel_that_is_away_is_told_later,
    a_refusal_is_a_fault_and_no_error_shows_the_address,
    a_payment_that_goes_on_in_time_is_told_to_nobody,
    stuck_payments_do_not_hold_up_the_news_of_them,
    the_log_takes_every_alert,
];

/// A node that alerts this hook, and a payment in doubt since now whose provider cannot be asked.
async fn in_doubt(app: &TestApp, hook: &Hook) -> (Node, String) {
    let url = hook.url.clone();
    let node = app.node("watcher", |config| config.alert.url = url.into()).await;
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    let id = payload["payment"]["id"].as_str().unwrap().to_owned();
    set(app, &id, PaymentStatus::Approving).await;
    (node, id)
}

async fn set(app: &TestApp, id: &str, status: PaymentStatus) {
    let db = app.app.db.reads();
    let row =
        payment::Entity::find_by_id(id.parse::<entity::ids::PaymentId>().unwrap()).one(db).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    (row.status, row.changed_at) = (Set(status), Set(app.now()));
    row.update(db).await.unwrap();
}

/// What the schedule does, now, on this node.
async fn watch(app: &TestApp, node: &Node) {
    let txn = node.app.db.begin().await.unwrap();
    jobs::enqueue(&txn, &node.app.ids, app.now(), app.now(), &WatchPayments).await.unwrap();
    txn.commit().await.unwrap();
    while jobs::run_due(&node.app).await.unwrap() > 0 {}
    job::Entity::delete_many().filter(job::Column::Name.eq("watch_payments")).exec(app.app.db.reads()).await.unwrap();
}

async fn a_stuck_payment_is_told_to_slack_once(app: TestApp) {
    let hook = Hook::listen(&app, &[]).await;
    let (node, id) = in_doubt(&app, &hook).await;
    app.move_clock(TimeDelta::minutes(10));
    watch(&app, &node).await;
    assert_eq!(hook.got(), Vec::<Value>::new(), "not yet");
    app.move_clock(TimeDelta::seconds(1));
    for _ in 0..3 {
        watch(&app, &node).await;
    }
    let [told] = hook.got().try_into().unwrap();
    let text = told["text"].as_str().unwrap();
    assert!(text.contains(&id) && text.contains("10000 won") && text.contains("Approving for 10 min"), "{text}");
    // It went on, and is stuck again: that is news.
    app.move_clock(TimeDelta::seconds(1));
    set(&app, &id, PaymentStatus::Canceling).await;
    app.move_clock(TimeDelta::minutes(11));
    watch(&app, &node).await;
    assert_eq!(hook.got().len(), 2);
    set(&app, &id, PaymentStatus::Ready).await;
    let_go(&app).await;
    node.stop().await;
}

/// What ends the hold found its payment busy, in a state that was set by hand.
async fn let_go(app: &TestApp) {
    let held = booking::Entity::find().one(app.app.db.reads()).await.unwrap().unwrap();
    ExpireBooking { booking_id: held.id }.run(&app.app).await.unwrap();
    app.work().await;
}

async fn a_channel_that_is_away_is_told_later(app: TestApp) {
    let hook = Hook::listen(&app, &["503 Service Unavailable", "429 Too Many Requests"]).await;
    let (node, id) = in_doubt(&app, &hook).await;
    app.move_clock(TimeDelta::minutes(11));
    for asked in 1..=3 {
        watch(&app, &node).await;
        assert_eq!(hook.got().len(), asked);
        app.move_clock(TimeDelta::seconds(30));
    }
    watch(&app, &node).await;
    assert_eq!(hook.got().len(), 3, "the third was taken");
    set(&app, &id, PaymentStatus::Ready).await;
    node.stop().await;
}

async fn a_refusal_is_a_fault_and_no_error_shows_the_address(app: TestApp) {
    let hook = Hook::listen(&app, &["404 Not Found"]).await;
    let url = hook.url.clone();
    let node = app.node("watcher", |config| config.alert.url = url.into()).await;
    let sent = node.app.alert.send("x").await.unwrap_err();
    assert!(!sent.is_away() && !sent.to_string().contains("secret"), "{sent}");
    let gone = Alert::open(&"http://127.0.0.1:1/services/T0/B0/secret".to_owned().into()).unwrap();
    let sent = gone.send("<tags> & all").await.unwrap_err();
    assert!(sent.is_away() && !sent.to_string().contains("secret"), "{sent}");
    assert_eq!(hook.got(), [json!({ "text": "x" })]);
    node.stop().await;
}

async fn a_payment_that_goes_on_in_time_is_told_to_nobody(app: TestApp) {
    let hook = Hook::listen(&app, &[]).await;
    let (node, id) = in_doubt(&app, &hook).await;
    app.move_clock(TimeDelta::minutes(9));
    set(&app, &id, PaymentStatus::Ready).await;
    app.move_clock(TimeDelta::hours(2));
    watch(&app, &node).await;
    assert_eq!(hook.got(), Vec::<Value>::new());
    node.stop().await;
}

/// Eight questions, twice as many as the lane has places, to a provider that lets each run into its time-out.
async fn stuck_payments_do_not_hold_up_the_news_of_them(app: TestApp) {
    let hook = Hook::listen(&app, &[]).await;
    let (node, first) = in_doubt(&app, &hook).await;
    app.faults("order", "timeout_before", 100).await;
    app.move_clock(TimeDelta::minutes(11));
    let txn = node.app.db.begin().await.unwrap();
    let id: entity::ids::PaymentId = first.parse().unwrap();
    for _ in 0..8 {
        let ask = ReconcilePayment::now(id);
        jobs::enqueue(&txn, &node.app.ids, app.now(), app.now() - TimeDelta::minutes(1), &ask).await.unwrap();
    }
    jobs::enqueue(&txn, &node.app.ids, app.now(), app.now(), &WatchPayments).await.unwrap();
    txn.commit().await.unwrap();
    let told = async {
        while hook.got().is_empty() {
            app.is_idle().await;
        }
    };
    tokio::select! {
        () = jobs::work(node.app.clone()) => panic!("the worker stopped"),
        () = told => {}
    }
    let asked = job::Entity::find().filter(job::Column::Name.eq("reconcile_payment"));
    let rows = asked.all(app.app.db.reads()).await.unwrap();
    assert_eq!(rows.len(), 8, "none is done");
    assert!(rows.iter().all(|row| row.last_error.is_none()), "and none was given up: {rows:?}");
    app.faults("order", "none", 1).await;
    let names = job::Column::Name.is_in(["reconcile_payment", "watch_payments", "alert_stuck_payment"]);
    job::Entity::delete_many().filter(names).exec(app.app.db.reads()).await.unwrap();
    set(&app, &first, PaymentStatus::Ready).await;
    node.stop().await;
}

async fn the_log_takes_every_alert(app: TestApp) {
    app.app.alert.send("a line").await.unwrap();
}
