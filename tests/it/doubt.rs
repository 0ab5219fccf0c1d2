//! What the provider says and we cannot read decides nothing: the seats stay held, and it is asked again.

use crate::harness::{Event, Person, TestApp};
use chrono::TimeDelta;
use serde_json::{Value, json};

crate::scenarios![
    a_status_that_nobody_knows_is_no_denial,
    a_payment_that_the_provider_does_not_know_stays_in_doubt,
    an_unknown_status_with_money_behind_it_is_money,
];

/// Taken, with the answer lost.
async fn in_doubt(app: &TestApp) -> (Person, Event, String) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    app.pay(&payload, "approve", "error_after").await;
    (fan, event, payload["booking"]["id"].as_str().unwrap().to_owned())
}

async fn statuses(app: &TestApp, fan: &Person, booking: &str) -> (Value, Value) {
    let booking = app.booking(fan, booking).await;
    (booking["status"].clone(), booking["payment"]["status"].clone())
}

async fn is_asked_again_after(app: &TestApp, fault: &str) {
    let (fan, event, booking) = in_doubt(app).await;
    app.fault("order", fault).await;
    app.work().await;
    assert_eq!(statuses(app, &fan, &booking).await, (json!("HELD"), json!("APPROVING")));
    assert_eq!(app.remaining(&event).await, 1, "the seats are not given to others meanwhile");
    app.pass(TimeDelta::seconds(3)).await;
    assert_eq!(statuses(app, &fan, &booking).await, (json!("CONFIRMED"), json!("APPROVED")));
}

async fn a_status_that_nobody_knows_is_no_denial(app: TestApp) {
    is_asked_again_after(&app, "unknown_status").await;
}

async fn a_payment_that_the_provider_does_not_know_stays_in_doubt(app: TestApp) {
    is_asked_again_after(&app, "no_such_payment").await;
}

async fn an_unknown_status_with_money_behind_it_is_money(app: TestApp) {
    let (fan, _, booking) = in_doubt(&app).await;
    app.fault("order", "new_word").await;
    app.work().await;
    assert_eq!(statuses(&app, &fan, &booking).await, (json!("CONFIRMED"), json!("APPROVED")));
}
