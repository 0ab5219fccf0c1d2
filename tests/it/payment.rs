//! Paying on the sandbox page, and everything that goes wrong out there.

use crate::harness::{TestApp, user_error};
use chrono::TimeDelta;
use serde_json::{Value, json};

crate::scenarios![
    a_purchase_from_the_request_to_the_ticket,
    giving_up_and_failing_give_the_seats_back,
    the_cancel_address_alone_is_not_believed,
    a_wrong_pg_token_changes_nothing_and_a_replay_gives_the_same_answer,
    an_approval_whose_answer_is_lost_is_found_by_the_reconciler,
    an_answer_about_another_payment_is_not_believed,
    an_approval_that_never_happened_gives_the_seats_back,
    a_wrong_amount_is_sent_back_and_sells_nothing,
    a_provider_that_is_down_at_ready_releases_the_hold,
    a_page_that_comes_at_the_second_try_is_the_page,
    a_refund_whose_answer_is_lost_is_finished_once,
    an_expired_hold_takes_no_money,
    a_hold_that_ran_out_during_a_refused_approval_is_released,
    an_old_doubt_does_not_end_a_new_approval,
    a_provider_that_is_down_for_hours_delays_a_refund_and_loses_none,
    an_unknown_payment_is_not_found,
    a_made_up_token_does_not_cost_the_right_one_its_seat,
    the_page_has_forms_that_a_script_can_press,
];

async fn hold(app: &TestApp) -> (crate::harness::Person, crate::harness::Event, Value) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    assert_eq!(payload["payment"]["status"], "READY", "{payload}");
    (fan, event, payload)
}

fn id(payload: &Value) -> &str {
    payload["booking"]["id"].as_str().unwrap()
}

async fn a_purchase_from_the_request_to_the_ticket(app: TestApp) {
    let (fan, event, payload) = hold(&app).await;
    let back = app.pay(&payload, "approve", "none").await;
    let answer = app.http.get(&back).send().await.unwrap();
    let address = answer.headers()["location"].to_str().unwrap();
    let payment = payload["payment"]["id"].as_str().unwrap();
    assert_eq!(address, format!("http://localhost:3000/done?paymentId={payment}&status=APPROVED"));
    let booking = app.booking(&fan, id(&payload)).await;
    assert_eq!(booking["status"], "CONFIRMED");
    let codes: Vec<&str> = booking["tickets"].as_array().unwrap().iter().map(|t| t["code"].as_str().unwrap()).collect();
    assert!(codes.len() == 2 && codes[0] != codes[1] && codes[0].len() == 28, "{codes:?}");
    assert_eq!(codes[0][..8], codes[1][..8], "codes of one moment stand beside one another");
    assert_eq!(app.remaining(&event).await, 1);
}

async fn giving_up_and_failing_give_the_seats_back(app: TestApp) {
    let (fan, event, payload) = hold(&app).await;
    app.pay(&payload, "quit", "none").await;
    assert_eq!(app.booking(&fan, id(&payload)).await["status"], "EXPIRED");
    let payload = app.book(&fan, &event, 3, "k2").await;
    app.pay(&payload, "fail", "none").await;
    let booking = app.booking(&fan, id(&payload)).await;
    assert_eq!((&booking["status"], &booking["payment"]["status"]), (&json!("EXPIRED"), &json!("FAILED")));
    assert_eq!(app.remaining(&event).await, 3);
}

async fn the_cancel_address_alone_is_not_believed(app: TestApp) {
    let (fan, _, payload) = hold(&app).await;
    let payment = payload["payment"]["id"].as_str().unwrap();
    for outcome in ["canceled", "failed"] {
        app.http.get(format!("{}/payments/{payment}/{outcome}", app.url)).send().await.unwrap();
        assert_eq!(app.booking(&fan, id(&payload)).await["status"], "HELD");
    }
    app.pay(&payload, "approve", "none").await;
    assert_eq!(app.booking(&fan, id(&payload)).await["status"], "CONFIRMED");
}

async fn a_wrong_pg_token_changes_nothing_and_a_replay_gives_the_same_answer(app: TestApp) {
    let (fan, _, payload) = hold(&app).await;
    let approve = |token: String| {
        let input = json!({ "paymentId": payload["payment"]["id"], "pgToken": token });
        app.mutate(Some(&fan.token), "paymentApprove", "payment { status } booking { status tickets { code } }", input)
    };
    assert_eq!(user_error(&approve("guess".into()).await), "INVALID pgToken");
    let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
    let pressed = app.http.post(format!("{page}/approve")).form(&[("fault", "none")]).send().await.unwrap();
    let back = pressed.headers()["location"].to_str().unwrap().to_owned();
    let token = back.split("pg_token=").nth(1).unwrap().to_owned();
    assert_eq!(user_error(&approve("guess".into()).await), "INVALID pgToken");
    let done = approve(token.clone()).await;
    assert_eq!(done["payment"]["status"], "APPROVED", "{done}");
    assert_eq!(approve(token).await, done);
}

async fn an_approval_whose_answer_is_lost_is_found_by_the_reconciler(app: TestApp) {
    for fault in ["timeout_after", "error_after", "garbage"] {
        let artist = app.artist(&format!("artist-{}", fault.replace('_', "-"))).await;
        let fan = app.fan(&format!("fan-{}", fault.replace('_', "-"))).await;
        let event = app.event(&artist, 5_000, 3).await;
        let payload = app.book(&fan, &event, 2, "k").await;
        app.pay(&payload, "approve", fault).await;
        let booking = app.booking(&fan, id(&payload)).await;
        assert_eq!(
            (&booking["status"], &booking["payment"]["status"]),
            (&json!("HELD"), &json!("APPROVING")),
            "{fault}"
        );
        app.work().await;
        let booking = app.booking(&fan, id(&payload)).await;
        assert_eq!(
            (&booking["status"], &booking["payment"]["status"]),
            (&json!("CONFIRMED"), &json!("APPROVED")),
            "{fault}"
        );
    }
}

async fn an_answer_about_another_payment_is_not_believed(app: TestApp) {
    let (fan, _, payload) = hold(&app).await;
    app.pay(&payload, "approve", "error_after").await;
    app.fault("order", "another_payment").await;
    app.work().await;
    assert_eq!(app.booking(&fan, id(&payload)).await["payment"]["status"], "APPROVING");
    app.pass(TimeDelta::seconds(5)).await;
    assert_eq!(app.booking(&fan, id(&payload)).await["payment"]["status"], "APPROVED");
    let input = json!({ "bookingId": id(&payload), "idempotencyKey": "c" });
    app.fault("order", "another_payment").await;
    let canceled = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(canceled["booking"]["status"], "CANCELING", "{canceled}");
    app.pass(TimeDelta::minutes(2)).await;
    assert_eq!(app.booking(&fan, id(&payload)).await["status"], "CANCELED");
}

async fn an_approval_that_never_happened_gives_the_seats_back(app: TestApp) {
    let (fan, event, payload) = hold(&app).await;
    app.pay(&payload, "approve", "error_before").await;
    // In doubt: not released by the clock before the provider was asked.
    assert_eq!(app.remaining(&event).await, 1);
    app.work().await;
    assert_eq!(app.booking(&fan, id(&payload)).await["status"], "EXPIRED");
    assert_eq!(app.remaining(&event).await, 3);
    app.pass(TimeDelta::minutes(20)).await;
}

async fn a_wrong_amount_is_sent_back_and_sells_nothing(app: TestApp) {
    let (fan, event, payload) = hold(&app).await;
    app.pay(&payload, "approve", "wrong_amount").await;
    app.work().await;
    let booking = app.booking(&fan, id(&payload)).await;
    assert_eq!((&booking["status"], &booking["payment"]["status"]), (&json!("EXPIRED"), &json!("CANCELED")));
    // What was taken, 1,000 won more than was due, and not what was due.
    assert_eq!(booking["payment"]["canceledAmount"], 11_000);
    assert_eq!(app.remaining(&event).await, 3);
    let told = "{ viewer { notifications { nodes { kind } } } }";
    let told = app.query(Some(&fan.token), told, json!({})).await;
    assert_eq!(told.data()["viewer"]["notifications"]["nodes"][0]["kind"], "BOOKING_CANCELED");
}

async fn a_provider_that_is_down_at_ready_releases_the_hold(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    app.faults("ready", "error_before", 4).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    assert_eq!(user_error(&payload), "PAYMENT_FAILED");
    assert_eq!(app.remaining(&event).await, 3);
    assert_eq!(user_error(&app.book(&fan, &event, 2, "k").await), "PAYMENT_FAILED");
    app.buy(&fan, &event, 2, "k2").await;
}

async fn a_page_that_comes_at_the_second_try_is_the_page(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    for (fault, times) in [("error_before", 1), ("error_after", 2), ("garbage", 3)] {
        app.faults("ready", fault, times).await;
        app.buy(&fan, &event, 1, fault).await;
    }
}

/// What goes wrong, what the log says of it, and whether the money went back all the same.
const CANCEL_FAULTS: [(&str, &str, bool); 6] = [
    ("error_after", "CancelInDoubt", true),
    ("error_before", "CancelInDoubt", false),
    ("garbage", "CancelInDoubt", true),
    ("another_payment", "CancelInDoubt", false),
    ("wrong_amount", "CancelInDoubt", true),
    ("no_such_payment", "CancelRefused", false),
];

async fn a_refund_whose_answer_is_lost_is_finished_once(app: TestApp) {
    for (index, (fault, outcome, is_done)) in CANCEL_FAULTS.into_iter().enumerate() {
        let (artist, fan) = (app.artist(&format!("a{index}")).await, app.fan(&format!("f{index}")).await);
        let event = app.event(&artist, 5_000, 3).await;
        let booking = app.buy(&fan, &event, 2, "k").await;
        app.fault("cancel", fault).await;
        // So that what asks about the approval is not about the cancellation, too.
        app.move_clock(TimeDelta::seconds(1));
        let input = json!({ "bookingId": booking, "idempotencyKey": "c" });
        let payload = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
        assert_eq!(payload["booking"]["status"], "CANCELING", "{fault}");
        app.pass(TimeDelta::minutes(2)).await;
        let booking = app.booking(&fan, &booking).await;
        assert_eq!((&booking["status"], &booking["payment"]["canceledAmount"]), (&json!("CANCELED"), &json!(10_000)));
        assert_eq!(app.remaining(&event).await, 3);
        // Each intent has its outcome.
        let story = app.story(booking["payment"]["id"].as_str().unwrap()).await;
        let count = |step: &str| story.iter().filter(|known| *known == step).count();
        let intents = if is_done { 1 } else { 2 };
        assert_eq!(
            (count("CancelIntent"), count(outcome), count("FinishCancel")),
            (intents, 1, 1),
            "{fault} {story:?}"
        );
    }
}

async fn an_expired_hold_takes_no_money(app: TestApp) {
    let (fan, _, payload) = hold(&app).await;
    // Agreed to in time: the provider would take it.
    let back = app.press(&payload, "approve", "none").await;
    app.pass(TimeDelta::minutes(15)).await;
    app.http.get(&back).send().await.unwrap();
    let fan = app.sign_in_again(&fan).await;
    let booking = app.booking(&fan, id(&payload)).await;
    assert_eq!((&booking["status"], &booking["payment"]["status"]), (&json!("EXPIRED"), &json!("EXPIRED")));
}

async fn an_old_doubt_does_not_end_a_new_approval(app: TestApp) {
    let (fan, _, payload) = hold(&app).await;
    let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
    let approve = |token: &str| {
        let input = json!({ "paymentId": payload["payment"]["id"], "pgToken": token });
        app.mutate(Some(&fan.token), "paymentApprove", "payment { status }", input)
    };
    // This one, refused, leaves a job that asks about it in a minute.
    assert_eq!(user_error(&approve("guess").await), "INVALID pgToken");
    let pressed = app.http.post(format!("{page}/approve")).form(&[("fault", "slow")]).send().await.unwrap();
    let token = pressed.headers()["location"].to_str().unwrap().split("pg_token=").nth(1).unwrap().to_owned();
    app.pass(TimeDelta::seconds(30)).await;
    let a_minute_is_over = async {
        while app.booking(&fan, id(&payload)).await["payment"]["status"] != "APPROVING" {}
        app.pass(TimeDelta::seconds(31)).await;
    };
    let (approved, ()) = tokio::join!(approve(&token), a_minute_is_over);
    assert_eq!(approved["payment"]["status"], "APPROVED", "{approved}");
    assert_eq!(app.booking(&fan, id(&payload)).await["status"], "CONFIRMED");
}

async fn a_provider_that_is_down_for_hours_delays_a_refund_and_loses_none(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let booking = app.buy(&fan, &event, 2, "k").await;
    app.fault("order", "error_before").await;
    let input = json!({ "bookingId": booking, "idempotencyKey": "c" });
    app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    for _ in 0..15 {
        app.fault("order", "error_before").await;
        app.pass(TimeDelta::minutes(16)).await;
    }
    app.pass(TimeDelta::minutes(16)).await;
    app.pass(TimeDelta::minutes(16)).await;
    let fan = app.sign_in_again(&fan).await;
    assert_eq!(app.booking(&fan, &booking).await["status"], "CANCELED");
}

async fn a_made_up_token_does_not_cost_the_right_one_its_seat(app: TestApp) {
    let (fan, _, payload) = hold(&app).await;
    // The slow call is that of the first who comes.
    let back = app.press(&payload, "approve", "slow").await;
    let input = json!({ "paymentId": payload["payment"]["id"], "pgToken": "guess" });
    let made_up = app.mutate(Some(&fan.token), "paymentApprove", "payment { status }", input);
    let right = async {
        while app.booking(&fan, id(&payload)).await["payment"]["status"] != "APPROVING" {}
        app.http.get(&back).send().await.unwrap();
    };
    let (refused, ()) = tokio::join!(made_up, right);
    assert_eq!(user_error(&refused), "INVALID pgToken");
    assert_eq!(app.booking(&fan, id(&payload)).await["status"], "CONFIRMED");
    app.pass(TimeDelta::minutes(2)).await;
}

async fn an_unknown_payment_is_not_found(app: TestApp) {
    let (fan, _, payload) = hold(&app).await;
    let unknown = payload["payment"]["id"].as_str().unwrap().replace("pay_0", "pay_1");
    for outcome in ["approved?pg_token=x", "canceled", "failed"] {
        let answer = app.http.get(format!("{}/payments/{unknown}/{outcome}", app.url)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{outcome}");
    }
    let input = json!({ "paymentId": unknown, "pgToken": "x" });
    let refused = app.mutate(Some(&fan.token), "paymentApprove", "payment { status }", input).await;
    assert_eq!(user_error(&refused), "NOT_FOUND paymentId");
}

async fn the_page_has_forms_that_a_script_can_press(app: TestApp) {
    let (_, _, payload) = hold(&app).await;
    let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
    let html = app.http.get(page).send().await.unwrap().text().await.unwrap();
    for form in ["name=\"approve\"", "name=\"quit\"", "name=\"fail\"", "10,000원"] {
        assert!(html.contains(form), "{form} in {html}");
    }
}

async fn a_hold_that_ran_out_during_a_refused_approval_is_released(app: TestApp) {
    let (fan, event, payload) = hold(&app).await;
    let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
    app.http.post(format!("{page}/approve")).form(&[("fault", "slow")]).send().await.unwrap();
    app.pass(TimeDelta::seconds(14 * 60 + 30)).await;
    let fan = app.sign_in_again(&fan).await;
    let input = json!({ "paymentId": payload["payment"]["id"], "pgToken": "guess" });
    let approve = app.mutate(Some(&fan.token), "paymentApprove", "payment { status }", input);
    let run_out = async {
        while app.booking(&fan, id(&payload)).await["payment"]["status"] != "APPROVING" {}
        app.pass(TimeDelta::seconds(30)).await;
    };
    let (refused, ()) = tokio::join!(approve, run_out);
    assert_eq!(user_error(&refused), "INVALID pgToken");
    app.work().await;
    assert_eq!(app.remaining(&event).await, 3);
}
