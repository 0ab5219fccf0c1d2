//! Points bought with KakaoPay, and everything that goes wrong out there: credited once, or not taken.

use crate::harness::{Person, TestApp, errors_of, user_error};
use chrono::TimeDelta;
use entity::{enums::PaymentStatus, payment};
use futures_util::future::join_all;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use serde_json::{Value, json};
use spotlight::{
    infra::jobs,
    payment::{model::Step, reconcile::ReconcilePayment, state},
};

crate::scenarios![
    a_charge_from_the_request_to_the_points,
    bad_charges_are_named_and_open_nothing,
    the_same_key_opens_one_charge,
    approve_pressed_many_times_credits_once,
    a_lost_answer_is_found_and_credited_once,
    what_did_not_happen_credits_nothing,
    a_wrong_amount_goes_back_and_credits_nothing,
    giving_up_and_failing_end_a_charge,
    a_charge_that_nobody_pays_lapses_once_the_provider_was_asked,
    a_provider_that_is_down_at_ready_opens_no_page,
    a_crash_between_any_two_steps_loses_nothing,
    money_that_arrives_late_is_credited,
    another_s_charge_is_not_found,
    charged_points_pay_for_a_booking,
];

async fn charge(app: &TestApp, fan: &Person, amount: i64, key: &str) -> Value {
    let fan = app.sign_in_again(fan).await;
    let input = json!({ "amount": amount, "returnUrl": "http://localhost:3000/points", "idempotencyKey": key });
    app.mutate(Some(&fan.token), "pointChargeStart", "payment { id purpose status amount redirect { pcUrl } }", input)
        .await
}

/// What can be spent, how many entries there are, and where the newest payment stands.
async fn seen(app: &TestApp, fan: &Person) -> (i64, usize, String) {
    let fan = app.sign_in_again(fan).await;
    let query = "{ viewer { pointBalance pointEntries { nodes { kind amount } } payments { nodes { status } } } }";
    let answer = app.query(Some(&fan.token), query, json!({})).await;
    let viewer = &answer.data()["viewer"];
    let status = viewer["payments"]["nodes"][0]["status"].as_str().unwrap_or_default().to_owned();
    let entries = viewer["pointEntries"]["nodes"].as_array().unwrap().len();
    (viewer["pointBalance"].as_i64().unwrap(), entries, status)
}

async fn a_charge_from_the_request_to_the_points(app: TestApp) {
    let fan = app.fan("mina").await;
    let payload = charge(&app, &fan, 30_000, "k").await;
    let payment = &payload["payment"];
    assert_eq!((&payment["purpose"], &payment["status"]), (&json!("POINT_CHARGE"), &json!("READY")), "{payload}");
    assert_eq!(seen(&app, &fan).await, (0, 0, "READY".into()));
    let back = app.pay(&payload, "approve", "none").await;
    let answer = app.http.get(&back).send().await.unwrap();
    let address = answer.headers()["location"].to_str().unwrap();
    let id = payment["id"].as_str().unwrap();
    assert_eq!(address, format!("http://localhost:3000/points?paymentId={id}&status=APPROVED"));
    assert_eq!(seen(&app, &fan).await, (30_000, 1, "APPROVED".into()));
    app.pass(TimeDelta::minutes(20)).await;
    assert_eq!(seen(&app, &fan).await, (30_000, 1, "APPROVED".into()));
}

async fn bad_charges_are_named_and_open_nothing(app: TestApp) {
    let fan = app.fan("mina").await;
    for (changes, blamed) in [
        (json!({ "amount": 999 }), "OUT_OF_RANGE amount"),
        (json!({ "amount": 1_000_001 }), "OUT_OF_RANGE amount"),
        (json!({ "amount": -5_000 }), "OUT_OF_RANGE amount"),
        (json!({ "returnUrl": "https://evil.example" }), "INVALID returnUrl"),
        (json!({ "idempotencyKey": "" }), "TOO_SHORT idempotencyKey"),
    ] {
        let mut input = json!({ "amount": 1_000, "idempotencyKey": "k" });
        for (key, value) in changes.as_object().unwrap() {
            input[key] = value.clone();
        }
        let payload = app.mutate(Some(&fan.token), "pointChargeStart", "payment { id }", input).await;
        assert_eq!(user_error(&payload), blamed, "{changes}");
    }
    assert_eq!(seen(&app, &fan).await, (0, 0, String::new()));
    let document =
        "mutation($input: PointChargeStartInput!) { pointChargeStart(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "amount": 1_000, "idempotencyKey": "k" } });
    assert_eq!(app.query(None, document, input).await.code(), "UNAUTHENTICATED");
}

async fn the_same_key_opens_one_charge(app: TestApp) {
    let fan = app.fan("mina").await;
    let (one, two) = tokio::join!(charge(&app, &fan, 5_000, "k"), charge(&app, &fan, 5_000, "k"));
    assert_eq!(one["payment"]["id"], two["payment"]["id"], "{one} {two}");
    assert_eq!(charge(&app, &fan, 5_000, "k").await["payment"]["id"], one["payment"]["id"]);
    assert_eq!(user_error(&charge(&app, &fan, 6_000, "k").await), "IDEMPOTENCY_KEY_REUSED idempotencyKey");
}

async fn approve_pressed_many_times_credits_once(app: TestApp) {
    let fan = app.fan("mina").await;
    let payload = charge(&app, &fan, 5_000, "k").await;
    let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
    let pressed = app.http.post(format!("{page}/approve")).form(&[("fault", "none")]).send().await.unwrap();
    let back = pressed.headers()["location"].to_str().unwrap().to_owned();
    let token = back.split("pg_token=").nth(1).unwrap();
    let approve = || {
        let input = json!({ "paymentId": payload["payment"]["id"], "pgToken": token });
        app.mutate(Some(&fan.token), "paymentApprove", "payment { status } booking { id }", input)
    };
    let (redirects, mutations) =
        tokio::join!(join_all((0..4).map(|_| app.http.get(&back).send())), join_all((0..4).map(|_| approve())));
    assert!(redirects.into_iter().all(|answer| answer.unwrap().status().is_redirection()));
    for payload in mutations {
        // Whoever comes while the call is under way is told that it is.
        assert!(payload["payment"]["status"] == "APPROVED" || errors_of(&payload) == ["PAYMENT_IN_DOUBT"], "{payload}");
    }
    app.pass(TimeDelta::minutes(2)).await;
    assert_eq!(seen(&app, &fan).await, (5_000, 1, "APPROVED".into()));
}

async fn a_lost_answer_is_found_and_credited_once(app: TestApp) {
    let fan = app.fan("mina").await;
    for (index, fault) in ["timeout_after", "error_after", "garbage"].into_iter().enumerate() {
        let payload = charge(&app, &fan, 5_000, fault).await;
        app.pay(&payload, "approve", fault).await;
        let before = i64::try_from(index).unwrap() * 5_000;
        assert_eq!(seen(&app, &fan).await, (before, index, "APPROVING".into()), "{fault}");
        app.work().await;
        assert_eq!(seen(&app, &fan).await, (before + 5_000, index + 1, "APPROVED".into()), "{fault}");
        // So that the next one is the newest.
        app.pass(TimeDelta::minutes(2)).await;
    }
}

async fn what_did_not_happen_credits_nothing(app: TestApp) {
    let fan = app.fan("mina").await;
    for fault in ["timeout_before", "error_before"] {
        let payload = charge(&app, &fan, 5_000, fault).await;
        app.pay(&payload, "approve", fault).await;
        app.work().await;
        assert_eq!(seen(&app, &fan).await, (0, 0, "FAILED".into()), "{fault}");
        app.pass(TimeDelta::minutes(21)).await;
        assert_eq!(seen(&app, &fan).await, (0, 0, "FAILED".into()), "{fault}");
    }
}

async fn a_wrong_amount_goes_back_and_credits_nothing(app: TestApp) {
    let fan = app.fan("mina").await;
    let payload = charge(&app, &fan, 5_000, "k").await;
    app.pay(&payload, "approve", "wrong_amount").await;
    app.work().await;
    assert_eq!(seen(&app, &fan).await, (0, 0, "CANCELED".into()));
    let query = "{ viewer { payments { nodes { canceledAmount } } } }";
    let answer = app.query(Some(&fan.token), query, json!({})).await;
    assert_eq!(answer.data()["viewer"]["payments"]["nodes"][0]["canceledAmount"], 6_000);
    let query = "{ viewer { notifications { nodes { kind body } } } }";
    let told = app.query(Some(&fan.token), query, json!({})).await;
    let due = json!([{ "kind": "CHARGE_RETURNED", "body": "No points were charged; 6000 won were refunded." }]);
    assert_eq!(told.data()["viewer"]["notifications"]["nodes"], due);
}

async fn giving_up_and_failing_end_a_charge(app: TestApp) {
    let fan = app.fan("mina").await;
    for press in ["quit", "fail"] {
        let payload = charge(&app, &fan, 5_000, press).await;
        let id = payload["payment"]["id"].as_str().unwrap();
        for outcome in ["canceled", "failed"] {
            app.http.get(format!("{}/payments/{id}/{outcome}", app.url)).send().await.unwrap();
            assert_eq!(seen(&app, &fan).await, (0, 0, "READY".into()), "the address alone is not believed");
        }
        app.pay(&payload, press, "none").await;
        assert_eq!(seen(&app, &fan).await, (0, 0, "FAILED".into()));
        app.pass(TimeDelta::minutes(16)).await;
    }
}

async fn a_charge_that_nobody_pays_lapses_once_the_provider_was_asked(app: TestApp) {
    let fan = app.fan("mina").await;
    let payload = charge(&app, &fan, 5_000, "k").await;
    app.fault("order", "error_before").await;
    app.pass(TimeDelta::minutes(15)).await;
    assert_eq!(seen(&app, &fan).await, (0, 0, "READY".into()), "the provider could not be asked");
    app.pass(TimeDelta::minutes(1)).await;
    assert_eq!(seen(&app, &fan).await, (0, 0, "EXPIRED".into()));
    let back = app.pay(&payload, "approve", "none").await;
    app.http.get(&back).send().await.unwrap();
    assert_eq!(seen(&app, &fan).await, (0, 0, "EXPIRED".into()), "no approve call is made for what has lapsed");
}

async fn a_provider_that_is_down_at_ready_opens_no_page(app: TestApp) {
    let fan = app.fan("mina").await;
    app.faults("ready", "error_before", 4).await;
    assert_eq!(user_error(&charge(&app, &fan, 5_000, "k").await), "PAYMENT_FAILED");
    assert_eq!(user_error(&charge(&app, &fan, 5_000, "k").await), "PAYMENT_FAILED");
    assert_eq!(seen(&app, &fan).await, (0, 0, "FAILED".into()));
    app.pass(TimeDelta::minutes(16)).await;
}

/// As each step leaves it when the process dies right behind it.
async fn a_crash_between_any_two_steps_loses_nothing(app: TestApp) {
    let fan = app.fan("mina").await;
    // Behind the intent, before the page came: it lapses, and its key does not stand in the way of the page either.
    let payload = charge(&app, &fan, 5_000, "a").await;
    let id: entity::ids::PaymentId = payload["payment"]["id"].as_str().unwrap().parse().unwrap();
    let db = app.app.db.reads();
    let row = payment::Entity::find_by_id(id).one(db).await.unwrap().unwrap();
    let mut cut = row.into_active_model();
    (cut.status, cut.tid, cut.pc_url) = (Set(PaymentStatus::Pending), Set(None), Set(None));
    cut.update(db).await.unwrap();
    let again = charge(&app, &fan, 5_000, "a").await;
    assert_eq!((&again["payment"]["id"], &again["payment"]["status"]), (&payload["payment"]["id"], &json!("READY")));
    // Behind `APPROVING`, and behind the provider's taking the money: the job that was written with it finds out.
    let pressed = app.http.post(format!("{}/approve", again["payment"]["redirect"]["pcUrl"].as_str().unwrap()));
    let pressed = pressed.form(&[("fault", "none")]).send().await.unwrap();
    let token = pressed.headers()["location"].to_str().unwrap().split("pg_token=").nth(1).unwrap().to_owned();
    let row = payment::Entity::find_by_id(id).one(db).await.unwrap().unwrap();
    let request = spotlight::infra::kakaopay::ApproveRequest {
        tid: row.tid.clone().unwrap(),
        partner_order_id: id.to_string(),
        partner_user_id: row.user_id.to_string(),
        pg_token: token,
    };
    assert_eq!(app.app.provider.approve(&request).await.unwrap().total_amount, 5_000);
    let txn = app.app.db.begin().await.unwrap();
    let since = state::step(&txn, &app.app, &row, Step::BeginApprove, "").await.unwrap();
    let job = ReconcilePayment::of(id, since);
    jobs::enqueue(&txn, &app.app.ids, since, since + TimeDelta::seconds(60), &job).await.unwrap();
    txn.commit().await.unwrap();
    app.pass(TimeDelta::seconds(59)).await;
    assert_eq!(seen(&app, &fan).await, (0, 0, "APPROVING".into()));
    app.pass(TimeDelta::seconds(2)).await;
    assert_eq!(seen(&app, &fan).await, (5_000, 1, "APPROVED".into()));
    app.pass(TimeDelta::minutes(30)).await;
    assert_eq!(seen(&app, &fan).await, (5_000, 1, "APPROVED".into()));
}

async fn money_that_arrives_late_is_credited(app: TestApp) {
    let fan = app.fan("mina").await;
    let payload = charge(&app, &fan, 5_000, "k").await;
    let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
    // The call is lost on its way, the provider denies it, and then it arrives after all.
    let pressed = app.http.post(format!("{page}/approve")).form(&[("fault", "error_before")]).send().await.unwrap();
    let back = pressed.headers()["location"].to_str().unwrap().to_owned();
    app.http.get(&back).send().await.unwrap();
    app.work().await;
    assert_eq!(seen(&app, &fan).await, (0, 0, "FAILED".into()));
    let id: entity::ids::PaymentId = payload["payment"]["id"].as_str().unwrap().parse().unwrap();
    let row = payment::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    let late = spotlight::infra::kakaopay::ApproveRequest {
        tid: row.tid.unwrap(),
        partner_order_id: id.to_string(),
        partner_user_id: row.user_id.to_string(),
        pg_token: back.split("pg_token=").nth(1).unwrap().to_owned(),
    };
    app.app.provider.approve(&late).await.unwrap();
    app.pass(TimeDelta::minutes(20)).await;
    assert_eq!(seen(&app, &fan).await, (5_000, 1, "APPROVED".into()));
}

async fn another_s_charge_is_not_found(app: TestApp) {
    let (fan, other) = (app.fan("mina").await, app.fan("jun").await);
    let payload = charge(&app, &fan, 5_000, "k").await;
    let input = json!({ "paymentId": payload["payment"]["id"], "pgToken": "x" });
    let refused = app.mutate(Some(&other.token), "paymentApprove", "payment { status }", input).await;
    assert_eq!(user_error(&refused), "NOT_FOUND paymentId");
}

async fn charged_points_pay_for_a_booking(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let payload = charge(&app, &fan, 12_000, "k").await;
    app.pay(&payload, "approve", "none").await;
    let mut input = crate::harness::booking_input(&event, 2, "b");
    input["points"] = json!(12_000);
    let booked = app.mutate(Some(&fan.token), "bookingStart", crate::harness::BOOKING, input).await;
    assert_eq!(booked["booking"]["status"], "CONFIRMED", "{booked}");
    assert_eq!(seen(&app, &fan).await.0, 2_000);
}
