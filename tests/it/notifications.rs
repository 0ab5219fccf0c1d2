//! Reminders and news: to exactly the holders, once, and nothing is missed.

use crate::harness::{Person, TestApp};
use chrono::TimeDelta;
use serde_json::{Value, json};

crate::scenarios![
    holders_are_reminded_a_day_and_an_hour_before_exactly_once,
    who_books_after_a_reminder_is_due_does_not_get_it,
    a_late_start_up_still_sends_what_is_due_until_the_start,
    news_are_counted_and_marked_as_read,
];

pub async fn kinds(app: &TestApp, person: &Person) -> Vec<String> {
    let answer =
        app.query(Some(&person.token), "{ viewer { notifications { nodes { kind title body } } } }", json!({})).await;
    let nodes = answer.data()["viewer"]["notifications"]["nodes"].as_array().unwrap().clone();
    nodes.iter().map(|node| node["kind"].as_str().unwrap().to_owned()).collect()
}

fn reminders(kinds: &[String]) -> usize {
    kinds.iter().filter(|kind| *kind == "REMINDER").count()
}

async fn holders_are_reminded_a_day_and_an_hour_before_exactly_once(app: TestApp) {
    let (artist, holder, other) = (app.artist("haneul").await, app.fan("mina").await, app.fan("jun").await);
    let event = app.event(&artist, 0, 10).await;
    app.book(&holder, &event, 2, "a").await;
    app.book(&holder, &event, 1, "b").await;
    let canceled = app.book(&other, &event, 1, "c").await;
    let input = json!({ "bookingId": canceled["booking"]["id"], "idempotencyKey": "d" });
    app.mutate(Some(&other.token), "bookingCancel", "booking { status }", input).await;
    app.pass(event.starts_at - app.now() - TimeDelta::days(1) - TimeDelta::seconds(1)).await;
    let (holder, other) = (app.sign_in_again(&holder).await, app.sign_in_again(&other).await);
    assert_eq!(reminders(&kinds(&app, &holder).await), 0);
    app.pass(TimeDelta::seconds(1)).await;
    assert_eq!(reminders(&kinds(&app, &holder).await), 1);
    app.pass(TimeDelta::hours(23)).await;
    app.pass(TimeDelta::minutes(5)).await;
    let (holder, other) = (app.sign_in_again(&holder).await, app.sign_in_again(&other).await);
    assert_eq!(reminders(&kinds(&app, &holder).await), 2);
    assert_eq!(reminders(&kinds(&app, &other).await), 0);
}

async fn who_books_after_a_reminder_is_due_does_not_get_it(app: TestApp) {
    let (artist, early, late) = (app.artist("haneul").await, app.fan("mina").await, app.fan("jun").await);
    let starts = app.now() + TimeDelta::days(10);
    let changes = json!({ "startsAt": starts, "endsAt": starts + TimeDelta::hours(1), "bookingClosesAt": starts,
        "ticketTypes": [{ "name": "무료", "price": 0, "capacity": 10 }] });
    let event = app.event_of(&artist, changes).await;
    app.book(&early, &event, 1, "a").await;
    app.work().await;
    // The worker is late: somebody books after the moment of the reminder and before it is sent.
    app.move_clock(starts - app.now() - TimeDelta::days(1) + TimeDelta::minutes(10));
    let (early, late) = (app.sign_in_again(&early).await, app.sign_in_again(&late).await);
    assert_eq!(app.book(&late, &event, 1, "b").await["booking"]["status"], "CONFIRMED");
    app.work().await;
    assert_eq!(reminders(&kinds(&app, &early).await), 1);
    assert_eq!(reminders(&kinds(&app, &late).await), 0, "the one-day reminder was due before");
    app.pass(starts - app.now() - TimeDelta::minutes(30)).await;
    let (early, late) = (app.sign_in_again(&early).await, app.sign_in_again(&late).await);
    assert_eq!(reminders(&kinds(&app, &early).await), 2);
    assert_eq!(reminders(&kinds(&app, &late).await), 1);
}

async fn a_late_start_up_still_sends_what_is_due_until_the_start(app: TestApp) {
    let (artist, fan, other) = (app.artist("haneul").await, app.fan("mina").await, app.fan("jun").await);
    let event = app.event(&artist, 0, 10).await;
    let earlier = event.starts_at - TimeDelta::hours(1);
    let changes = json!({ "startsAt": earlier, "ticketTypes": [{ "name": "무료", "price": 0, "capacity": 10 }] });
    let begun = app.event_of(&artist, changes).await;
    app.book(&fan, &event, 1, "a").await;
    app.book(&other, &begun, 1, "a").await;
    app.work().await;
    app.move_clock(event.starts_at - app.now() - TimeDelta::minutes(30));
    let (fan, other) = (app.sign_in_again(&fan).await, app.sign_in_again(&other).await);
    assert_eq!(reminders(&kinds(&app, &fan).await), 0);
    app.work().await;
    assert_eq!(reminders(&kinds(&app, &fan).await), 2);
    assert_eq!(reminders(&kinds(&app, &other).await), 0, "it has begun half an hour ago");
}

async fn news_are_counted_and_marked_as_read(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 10).await;
    app.book(&fan, &event, 1, "a").await;
    app.book(&fan, &event, 1, "b").await;
    app.work().await;
    let count = "{ viewer { unreadNotificationCount notifications(unreadOnly: true) { nodes { title body } } } }";
    let before = app.query(Some(&fan.token), count, json!({})).await;
    assert_eq!(before.data()["viewer"]["unreadNotificationCount"], 2);
    assert_eq!(before.data()["viewer"]["notifications"]["nodes"][0]["title"], "Your booking is confirmed");
    let payload = app.mutate(Some(&fan.token), "notificationsMarkRead", "unreadCount", json!({})).await;
    assert_eq!(payload["unreadCount"], 0);
    let after = app.query(Some(&fan.token), count, json!({})).await;
    assert_eq!(after.data()["viewer"]["notifications"]["nodes"], Value::Array(vec![]));
}
