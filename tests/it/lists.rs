//! A list runs as many statements for twenty entries as for two.

use crate::harness::{Person, TestApp};
use serde_json::json;

crate::scenarios![every_list_runs_a_fixed_number_of_statements];

const LISTS: [(&str, &str); 10] = [
    (
        "events",
        "{ events(first: 20) { nodes { title artist { nickname } ticketTypes { name } ratingAverage reviewCount } } }",
    ),
    (
        "events with a page in each",
        "{ events(first: 20) { nodes { reviews(first: 2) { nodes { content author { nickname } } } } } }",
    ),
    ("search", "{ events(query: \"밤\", first: 20) { nodes { title artist { nickname } ticketTypes { name } } } }"),
    ("own events", "{ viewer { events(first: 20) { nodes { title artist { nickname } ticketTypes { name } } } } }"),
    (
        "bookings",
        "{ viewer { bookings(first: 20) { nodes { event { title artist { nickname } ticketTypes { name } } lines { quantity ticketType { name } } \
         payment { status } tickets { code } } } } }",
    ),
    ("tickets", "{ viewer { tickets(first: 20) { nodes { code event { title } ticketType { name } } } } }"),
    ("payments", "{ viewer { payments(first: 20) { nodes { status amount } } } }"),
    ("coupons", "{ viewer { userCoupons(first: 20) { nodes { coupon { name } } } } }"),
    ("points", "{ viewer { pointEntries(first: 20) { nodes { amount } } } }"),
    ("notifications", "{ viewer { notifications(first: 20) { nodes { title event { title } } } } }"),
];

async fn count(app: &TestApp, person: &Person, query: &str) -> u64 {
    let before = app.app.db.statements();
    app.query(Some(&person.token), query, json!({})).await.data();
    app.app.db.statements() - before
}

async fn sell(app: &TestApp, artist: &Person, fan: &Person, times: usize) {
    for index in 0..times {
        let event = app.event(artist, 1_000, 10).await;
        // The same event again is no double click any more.
        app.move_clock(chrono::TimeDelta::seconds(11));
        app.buy(fan, &event, 1, &format!("{}{index}", event.id)).await;
    }
    app.work().await;
}

async fn every_list_runs_a_fixed_number_of_statements(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    sell(&app, &artist, &fan, 2).await;
    let mut few = Vec::new();
    for (_, query) in LISTS {
        few.push((count(&app, &fan, query).await, count(&app, &artist, query).await));
    }
    sell(&app, &artist, &fan, 8).await;
    for ((name, query), few) in LISTS.into_iter().zip(few) {
        let many = (count(&app, &fan, query).await, count(&app, &artist, query).await);
        assert_eq!(many, few, "{name}");
    }
}
