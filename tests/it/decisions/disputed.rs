//! Words that others contradict: another admin, the reconciler, the provider later on; and words that are not taken.

use super::{admin, admin_again, assert_decided, audited, decide, heal, not_taken, returned, stuck, taken, words};
use crate::harness::{TestApp, errors_of, user_error};
use chrono::TimeDelta;
use entity::{enums::PaymentStatus, ids::PaymentId};
use futures_util::future::join_all;
use serde_json::{Value, json};
use spotlight::{
    infra::jobs::Job,
    payment::{
        compare::{Comparison, compare},
        reconcile::ReconcilePayment,
    },
};

crate::scenarios![
    of_decisions_at_once_one_counts,
    a_decision_and_the_providers_answer_at_once_end_as_the_provider_says,
    a_denial_that_the_provider_contradicts_is_told_and_mended,
    money_that_an_admin_saw_and_the_provider_denies_is_told,
    what_is_not_stuck_is_not_decided,
    a_word_must_be_whole,
];

async fn of_decisions_at_once_one_counts(app: TestApp) {
    let stuck = stuck(&app, "error_after", "unknown_status").await;
    let other = admin(&app, "other").await;
    let said = [
        (&stuck.keeper, taken(10_000)),
        (&other, not_taken()),
        (&stuck.keeper, returned(10_000)),
        (&other, taken(10_000)),
    ];
    let all = said.into_iter().map(|(keeper, word)| decide(&app, keeper, &stuck.payment, word));
    let answers = join_all(all).await;
    let did = answers.iter().filter(|answer| errors_of(answer).is_empty()).count();
    let refused = answers.iter().filter(|answer| errors_of(answer) == ["NOT_ALLOWED paymentId"]).count();
    // Of money that is said to be on its way back, the other words do not fit.
    assert_eq!((did, refused), (1, 3), "{answers:?}");
    assert_eq!((words(&app).await.len(), audited(&app).await.len()), (1, 1));
    // Whichever it was, the truth is: taken.
    let row = stuck.row(&app).await;
    if row.status == PaymentStatus::Canceled {
        stuck.give_back_at_the_provider(&app, 10_000).await;
    }
    heal(&app).await;
    app.pass(TimeDelta::days(2)).await;
}

async fn a_decision_and_the_providers_answer_at_once_end_as_the_provider_says(app: TestApp) {
    let stuck = stuck(&app, "error_after", "unknown_status").await;
    // One of the two hears it.
    app.faults("order", "unknown_status", 1).await;
    let id: PaymentId = stuck.payment.parse().unwrap();
    let (said, _asked) = tokio::join!(stuck.decide(&app, not_taken()), ReconcilePayment::now(id).run(&app.app));
    let is_clear = errors_of(&said).is_empty() || user_error(&said) == "NOT_ALLOWED paymentId";
    assert!(is_clear, "{said}");
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(stuck.row(&app).await.status, PaymentStatus::Approved, "{said}");
}

async fn a_denial_that_the_provider_contradicts_is_told_and_mended(app: TestApp) {
    let stuck = stuck(&app, "error_after", "garbage").await;
    assert_decided(&stuck.decide(&app, not_taken()).await, "ADMIN", "FAILED");
    app.pass(TimeDelta::minutes(11)).await;
    assert_eq!(compare(&app.app).await.unwrap(), Comparison { asked: 1, decided: 1, ..Comparison::default() });
    heal(&app).await;
    let [told] = compare(&app.app).await.unwrap().differences.try_into().unwrap();
    assert!(told.starts_with(&stuck.payment) && told.contains("decided: NotTaken by adm_"), "{told}");
    // The next day it is asked about once more: late money, for seats that are there.
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(stuck.statuses(&app).await, ("CONFIRMED".into(), "APPROVED".into()));
    assert_eq!(compare(&app.app).await.unwrap(), Comparison { asked: 1, ..Comparison::default() });
}

async fn money_that_an_admin_saw_and_the_provider_denies_is_told(app: TestApp) {
    let stuck = stuck(&app, "error_before", "no_such_payment").await;
    assert_decided(&stuck.decide(&app, taken(10_000)).await, "ADMIN", "APPROVED");
    heal(&app).await;
    let [told] = compare(&app.app).await.unwrap().differences.try_into().unwrap();
    assert!(told.starts_with(&stuck.payment) && told.contains("decided: Taken(10000) by adm_"), "{told}");
    // So that the harness finds every won where it belongs.
    stuck.arrive(&app).await;
    app.pass(TimeDelta::minutes(11)).await;
    assert_eq!(compare(&app.app).await.unwrap(), Comparison { asked: 1, ..Comparison::default() });
}

async fn what_is_not_stuck_is_not_decided(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app, "keeper").await);
    let event = app.event(&artist, 5_000, 3).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    let id = payload["payment"]["id"].as_str().unwrap().to_owned();
    assert_eq!(user_error(&decide(&app, &keeper, &id, taken(10_000)).await), "NOT_ALLOWED paymentId", "READY");
    app.faults("order", "unknown_status", 1_000).await;
    app.pay(&payload, "approve", "error_after").await;
    app.work().await;
    app.move_clock(TimeDelta::minutes(10));
    let early = decide(&app, &keeper, &id, taken(10_000)).await;
    assert_eq!(user_error(&early), "NOT_ALLOWED paymentId", "in doubt, but not for long enough");
    assert!(early["userErrors"][0]["message"].as_str().unwrap().contains("2026-06-01T03:10:00Z"), "{early}");
    assert_eq!(words(&app).await, Vec::<String>::new());
    let korean = in_korean(&app, &keeper, &id).await;
    assert!(korean.contains("2026-06-01T03:10:00Z 뒤에 결정할 수 있습니다."), "{korean}");
    heal(&app).await;
    app.pass(TimeDelta::minutes(11)).await;
    let keeper = admin_again(&app, "keeper").await;
    assert_eq!(user_error(&decide(&app, &keeper, &id, not_taken()).await), "NOT_ALLOWED paymentId", "APPROVED");
}

/// What a denial is answered.
pub async fn in_korean(app: &TestApp, keeper: &str, payment: &str) -> String {
    let query =
        "mutation($input: AdminPaymentDecideInput!) { adminPaymentDecide(input: $input) { userErrors { message } } }";
    let input = json!({ "paymentId": payment, "outcome": "NOT_TAKEN", "reason": "확인함" });
    let asked = app.http.post(format!("{}/graphql", app.url)).bearer_auth(keeper).header("accept-language", "ko");
    let asked = asked.json(&json!({ "query": query, "variables": { "input": input } })).send().await.unwrap();
    let answer: Value = asked.json().await.unwrap();
    answer["data"]["adminPaymentDecide"]["userErrors"][0]["message"].as_str().unwrap().to_owned()
}

async fn a_word_must_be_whole(app: TestApp) {
    let keeper = admin(&app, "keeper").await;
    let id = "pay_01h455vb4pex5vsknk084sn02q";
    for (word, blamed) in [
        (json!({ "outcome": "TAKEN" }), "INVALID takenAmount"),
        (json!({ "outcome": "RETURNED" }), "INVALID takenAmount"),
        (json!({ "outcome": "NOT_TAKEN", "takenAmount": 10_000 }), "INVALID takenAmount"),
        (taken(0), "OUT_OF_RANGE takenAmount"),
        (returned(-1), "OUT_OF_RANGE takenAmount"),
        (json!({ "outcome": "NOT_TAKEN", "reason": " " }), "TOO_SHORT reason"),
        (json!({ "outcome": "NOT_TAKEN", "reason": "x".repeat(501) }), "TOO_LONG reason"),
        (not_taken(), "NOT_FOUND paymentId"),
        (json!({ "outcome": "NOT_TAKEN", "paymentId": "pay_x" }), "NOT_FOUND paymentId"),
    ] {
        assert_eq!(user_error(&decide(&app, &keeper, id, word.clone()).await), blamed, "{word}");
    }
}
