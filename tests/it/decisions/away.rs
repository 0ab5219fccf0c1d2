//! A provider that is away has said nothing: nobody's word counts, and nobody stops asking. Money that is still there is not
//! back.

use super::{
    Stuck, admin, assert_decided, audited, decide, disputed::in_korean, heal, not_taken, returned, row, stuck, words,
};
use crate::harness::{TestApp, user_error};
use chrono::TimeDelta;
use entity::enums::PaymentStatus;
use serde_json::json;
use spotlight::payment::compare::{Comparison, compare};

crate::scenarios![
    while_the_provider_is_away_nobodys_word_counts,
    late_money_that_a_provider_tells_when_it_is_back_is_sold,
    late_money_that_a_provider_tells_when_it_is_back_goes_back,
    what_was_denied_is_asked_about_after_a_week_too,
    money_that_is_still_there_is_not_said_to_be_back,
    what_has_gone_on_since_it_was_decided_is_compared,
    a_provider_that_is_away_agrees_with_no_decision,
];

async fn leave(app: &TestApp) {
    app.faults("order", "error_before", 1_000).await;
}

async fn while_the_provider_is_away_nobodys_word_counts(app: TestApp) {
    let stuck = stuck(&app, "error_after", "error_before").await;
    assert_eq!(user_error(&stuck.decide(&app, not_taken()).await), "NOT_ALLOWED paymentId");
    let korean = in_korean(&app, &stuck.keeper, &stuck.payment).await;
    assert_eq!(korean, "결제사가 응답하지 않습니다. 다시 응답할 때 결정해 주세요.");
    assert_eq!(stuck.statuses(&app).await, ("HELD".into(), "APPROVING".into()));
    assert_eq!((words(&app).await.len(), audited(&app).await.len()), (0, 0));
    heal(&app).await;
    app.pass(TimeDelta::minutes(16)).await;
    assert_eq!(stuck.statuses(&app).await, ("CONFIRMED".into(), "APPROVED".into()));
}

/// Taken, and said not to be; then the provider is away at every turn that asks, the day after too.
async fn denied_then_away(app: &TestApp) -> Stuck {
    let stuck = stuck(app, "error_after", "garbage").await;
    assert_decided(&stuck.decide(app, not_taken()).await, "ADMIN", "FAILED");
    leave(app).await;
    app.pass(TimeDelta::minutes(16)).await;
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(stuck.row(app).await.status, PaymentStatus::Failed);
    stuck
}

async fn late_money_that_a_provider_tells_when_it_is_back_is_sold(app: TestApp) {
    let stuck = denied_then_away(&app).await;
    heal(&app).await;
    app.pass(TimeDelta::minutes(16)).await;
    assert_eq!(stuck.statuses(&app).await, ("CONFIRMED".into(), "APPROVED".into()));
}

async fn late_money_that_a_provider_tells_when_it_is_back_goes_back(app: TestApp) {
    let stuck = denied_then_away(&app).await;
    let other = app.fan("jun").await;
    app.buy(&other, &stuck.event, 2, "k").await;
    heal(&app).await;
    app.pass(TimeDelta::minutes(16)).await;
    assert_eq!(stuck.statuses(&app).await, ("EXPIRED".into(), "CANCELED".into()));
    assert_eq!(stuck.row(&app).await.canceled_amount, 10_000);
}

async fn what_was_denied_is_asked_about_after_a_week_too(app: TestApp) {
    let stuck = stuck(&app, "error_after", "garbage").await;
    assert_decided(&stuck.decide(&app, not_taken()).await, "ADMIN", "FAILED");
    app.pass(TimeDelta::minutes(16)).await;
    app.pass(TimeDelta::days(1)).await;
    heal(&app).await;
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(stuck.row(&app).await.status, PaymentStatus::Failed, "what cannot be read ended the others");
    app.pass(TimeDelta::days(5)).await;
    assert_ne!(stuck.row(&app).await.status, PaymentStatus::Failed);
    app.pass(TimeDelta::minutes(16)).await;
}

async fn money_that_is_still_there_is_not_said_to_be_back(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let booking = app.buy(&fan, &event, 2, "k").await;
    // It can be read, and says 11,000 won of which none is back.
    app.faults("order", "wrong_amount", 1_000).await;
    let input = json!({ "bookingId": booking, "idempotencyKey": "c" });
    app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    let payment = app.booking(&fan, &booking).await["payment"].clone();
    let id = payment["id"].as_str().unwrap();
    app.pass(TimeDelta::minutes(11)).await;
    let keeper = admin(&app, "keeper").await;
    let said = decide(&app, &keeper, id, returned(10_000)).await;
    assert_eq!(user_error(&said), "NOT_ALLOWED outcome", "{said}");
    assert!(said["userErrors"][0]["message"].as_str().unwrap().contains("11000 won"), "{said}");
    assert_eq!(row(&app, id).await.status, PaymentStatus::Canceling);
    heal(&app).await;
    app.pass(TimeDelta::minutes(16)).await;
    assert_eq!(row(&app, id).await.status, PaymentStatus::Canceled);
}

async fn what_has_gone_on_since_it_was_decided_is_compared(app: TestApp) {
    let stuck = stuck(&app, "error_after", "garbage").await;
    assert_decided(&stuck.decide(&app, not_taken()).await, "ADMIN", "FAILED");
    heal(&app).await;
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(stuck.row(&app).await.status, PaymentStatus::Approved, "by the provider's word");
    app.faults("order", "garbage", 1).await;
    let found = compare(&app.app).await.unwrap();
    assert_eq!((found.decided, found.differences.len()), (0, 1), "{found:?}");
}

async fn a_provider_that_is_away_agrees_with_no_decision(app: TestApp) {
    let stuck = stuck(&app, "error_before", "garbage").await;
    assert_decided(&stuck.decide(&app, not_taken()).await, "ADMIN", "FAILED");
    assert_eq!(compare(&app.app).await.unwrap(), Comparison { asked: 1, decided: 1, ..Comparison::default() });
    app.faults("order", "error_before", 1).await;
    let found = compare(&app.app).await.unwrap();
    assert_eq!((found.decided, found.differences.len()), (0, 1), "{found:?}");
    heal(&app).await;
    app.pass(TimeDelta::days(2)).await;
}
