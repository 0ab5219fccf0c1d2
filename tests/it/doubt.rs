//! What the provider says and we cannot read decides nothing: the seats stay held, and it is asked again.

use crate::harness::{Event, Person, TestApp};
use chrono::TimeDelta;
use serde_json::{Value, json};
use spotlight::payment::compare::{Comparison, compare};

crate::scenarios![
    a_status_that_nobody_knows_is_no_denial,
    a_payment_that_the_provider_does_not_know_stays_in_doubt,
    an_unknown_status_with_money_behind_it_is_money,
    a_refund_that_does_not_add_up_is_not_believed,
    an_order_over_another_amount_than_was_taken_gives_nothing_back,
    the_provider_is_asked_about_every_payment_and_a_difference_is_named,
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

async fn canceled_under(app: &TestApp, fault: &str) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let booking = app.buy(&fan, &event, 2, "k").await;
    app.fault("order", fault).await;
    let input = json!({ "bookingId": booking, "idempotencyKey": "c" });
    let payload = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(payload["booking"]["status"], "CANCELING", "{payload}");
    assert_eq!(app.remaining(&event).await, 1, "seats are given back when the money is");
    let payment = app.booking(&fan, &booking).await["payment"]["id"].as_str().unwrap().to_owned();
    let story = app.story(&payment).await;
    assert!(story.contains(&"OrderDiffers".to_owned()), "{story:?}");
    assert!(!story.contains(&"CancelIntent".to_owned()), "{story:?}");
    app.pass(TimeDelta::minutes(1)).await;
    let canceled = app.booking(&fan, &booking).await;
    assert_eq!((&canceled["status"], &canceled["payment"]["canceledAmount"]), (&json!("CANCELED"), &json!(10_000)));
}

/// It says that 9,000 of 10,000 won went back, and that nothing more can.
async fn a_refund_that_does_not_add_up_is_not_believed(app: TestApp) {
    canceled_under(&app, "uneven_amount").await;
}

async fn an_order_over_another_amount_than_was_taken_gives_nothing_back(app: TestApp) {
    canceled_under(&app, "wrong_amount").await;
}

async fn the_provider_is_asked_about_every_payment_and_a_difference_is_named(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 9).await;
    app.buy(&fan, &event, 1, "kept").await;
    let canceled = app.buy(&fan, &event, 1, "canceled").await;
    let input = json!({ "bookingId": canceled, "idempotencyKey": "c" });
    app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    let given_up = app.book(&fan, &event, 1, "given up").await;
    app.pay(&given_up, "quit", "none").await;
    app.book(&fan, &event, 1, "open").await;
    let doubted = app.book(&fan, &event, 1, "in doubt").await;
    app.pay(&doubted, "approve", "error_after").await;
    let all_is_well = Comparison { asked: 4, in_doubt: 1, ..Comparison::default() };
    assert_eq!(compare(&app.app).await.unwrap(), all_is_well);
    // A wrong answer, about whichever is asked first.
    app.fault("order", "wrong_amount").await;
    let told = compare(&app.app).await.unwrap();
    assert_eq!((told.asked, told.differences.len()), (4, 1), "{told:?}");
    assert!(told.differences[0].starts_with("pay_") && told.differences[0].contains("000"), "{told:?}");
    app.work().await;
    assert_eq!(compare(&app.app).await.unwrap(), Comparison { asked: 5, ..Comparison::default() });
}
