//! Booking by the stock rules: holds, limits, points, coupons, expiry, cancellation.

use crate::harness::{BOOKING, TestApp, booking_input, user_error};
use chrono::TimeDelta;
use entity::{idempotency_key, payment};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

crate::scenarios![
    a_free_event_needs_no_payment,
    sold_out_says_what_is_left,
    a_hold_expires_and_gives_the_seats_back,
    a_hold_is_given_up,
    the_same_key_gives_the_same_booking_and_another_input_is_refused,
    what_people_write_is_kept_to_the_letter,
    bad_bookings_are_named_and_change_nothing,
    a_limit_for_each_person_counts_what_they_hold,
    the_booking_window_is_kept,
    points_are_held_spent_and_given_back,
    a_canceled_booking_is_refunded_and_its_seats_are_sold_again,
    canceling_ends_when_the_window_closes,
    another_s_booking_is_not_found,
];

async fn a_free_event_needs_no_payment(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 5).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    assert_eq!(payload["booking"]["status"], "CONFIRMED");
    assert_eq!(payload["payment"], Value::Null);
    assert_eq!(payload["booking"]["tickets"].as_array().unwrap().len(), 2);
    assert_eq!(app.remaining(&event).await, 3);
}

async fn sold_out_says_what_is_left(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 2).await;
    let payload = app.book(&fan, &event, 3, "k").await;
    assert_eq!(user_error(&payload), "SOLD_OUT lines");
    assert_eq!(payload["userErrors"][0]["ticketTypes"], json!([{ "id": event.types[0], "remaining": 2 }]));
    assert_eq!(payload["booking"], Value::Null);
}

async fn a_hold_expires_and_gives_the_seats_back(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 2).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    app.pass(TimeDelta::minutes(14)).await;
    assert_eq!(app.remaining(&event).await, 0);
    app.pass(TimeDelta::minutes(1)).await;
    assert_eq!(app.remaining(&event).await, 2);
    let fan = app.sign_in_again(&fan).await;
    let booking = app.booking(&fan, payload["booking"]["id"].as_str().unwrap()).await;
    assert_eq!((&booking["status"], &booking["payment"]["status"]), (&json!("EXPIRED"), &json!("EXPIRED")));
}

async fn a_hold_is_given_up(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 2).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    let input = json!({ "bookingId": payload["booking"]["id"], "idempotencyKey": "c" });
    let given = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(given["booking"]["status"], "EXPIRED", "{given}");
    assert_eq!(app.remaining(&event).await, 2);
}

async fn the_same_key_gives_the_same_booking_and_another_input_is_refused(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 10).await;
    let (one, two) = tokio::join!(app.book(&fan, &event, 2, "k"), app.book(&fan, &event, 2, "k"));
    assert_eq!(one["booking"]["id"], two["booking"]["id"], "{one} {two}");
    assert_eq!(app.book(&fan, &event, 2, "k").await["booking"]["id"], one["booking"]["id"]);
    assert_eq!(app.remaining(&event).await, 8);
    assert_eq!(user_error(&app.book(&fan, &event, 3, "k").await), "IDEMPOTENCY_KEY_REUSED idempotencyKey");
    let other = app.fan("jun").await;
    assert!(app.book(&other, &event, 3, "k").await["booking"].is_object());
}

/// Bookings are written as one text of several statements.
async fn what_people_write_is_kept_to_the_letter(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 20).await;
    let keys = [
        "it's",
        r"back\",
        "\"q\"",
        "소극장",
        "🎭",
        "'); DROP TABLE booking; --",
        "a\nb",
        "{}",
        r"\'",
        "K",
        "k",
        "`",
        "$1 ? :a",
    ];
    let book = async |key: &str| {
        let mut input = booking_input(&event, 1, key);
        input["returnUrl"] = json!(format!("http://localhost:3000/{key}"));
        app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await
    };
    for key in keys {
        let (first, again) = (book(key).await, book(key).await);
        assert!(first["booking"].is_object(), "{key}: {first}");
        assert_eq!(first["booking"]["id"], again["booking"]["id"], "{key}");
    }
    let db = app.app.db.reads();
    let mut kept: Vec<_> =
        idempotency_key::Entity::find().all(db).await.unwrap().into_iter().map(|row| row.key).collect();
    let mut sent = keys.map(str::to_owned);
    kept.sort();
    sent.sort();
    assert_eq!(kept, sent);
    let mut urls: Vec<_> =
        payment::Entity::find().all(db).await.unwrap().into_iter().map(|row| row.return_url.unwrap()).collect();
    let mut sent = keys.map(|key| format!("http://localhost:3000/{key}"));
    urls.sort();
    sent.sort();
    assert_eq!(urls, sent);
}

async fn bad_bookings_are_named_and_change_nothing(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let (event, other) =
        (app.event(&artist, 1_000, 10).await, app.event_of(&artist, json!({ "title": "다른 공연" })).await);
    let cases = [
        (json!({ "lines": [] }), "TOO_SHORT lines"),
        (json!({ "lines": [{ "ticketTypeId": event.types[0], "quantity": 0 }] }), "OUT_OF_RANGE lines.0.quantity"),
        (json!({ "lines": [{ "ticketTypeId": event.types[0], "quantity": -3 }] }), "OUT_OF_RANGE lines.0.quantity"),
        (
            json!({ "lines": [{ "ticketTypeId": event.types[0], "quantity": i32::MAX }] }),
            "OUT_OF_RANGE lines.0.quantity",
        ),
        (json!({ "lines": [{ "ticketTypeId": other.types[0], "quantity": 1 }] }), "NOT_FOUND lines.0.ticketTypeId"),
        (json!({ "lines": [{ "ticketTypeId": event.id, "quantity": 1 }] }), "NOT_FOUND lines.0.ticketTypeId"),
        (json!({ "eventId": event.types[0] }), "NOT_FOUND eventId"),
        (json!({ "eventId": "evt_01h455vb4pex5vsknk084sn02q" }), "NOT_FOUND eventId"),
        (json!({ "points": -1 }), "OUT_OF_RANGE points"),
        (json!({ "points": 500 }), "INSUFFICIENT_POINTS points"),
        (json!({ "expectedTotal": 1 }), "AMOUNT_CHANGED expectedTotal"),
        (json!({ "returnUrl": "https://evil.example/steal" }), "INVALID returnUrl"),
        (json!({ "returnUrl": "javascript:alert(1)" }), "INVALID returnUrl"),
        (json!({ "userCouponId": "ucp_01h455vb4pex5vsknk084sn02q" }), "NOT_FOUND userCouponId"),
        (json!({ "idempotencyKey": "" }), "TOO_SHORT idempotencyKey"),
        (json!({ "idempotencyKey": "k".repeat(129) }), "TOO_LONG idempotencyKey"),
    ];
    for (index, (changes, blamed)) in cases.into_iter().enumerate() {
        let mut input = booking_input(&event, 1, &format!("k{index}"));
        for (key, value) in changes.as_object().unwrap() {
            input[key] = value.clone();
        }
        let payload = app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await;
        assert_eq!(user_error(&payload), blamed, "{changes}");
        assert_eq!(payload["booking"], Value::Null);
    }
    assert_eq!(app.remaining(&event).await, 10);
    let own = app.query(Some(&fan.token), "{ viewer { bookings { nodes { id } } } }", json!({})).await;
    assert_eq!(own.data()["viewer"]["bookings"]["nodes"], json!([]));
}

async fn a_limit_for_each_person_counts_what_they_hold(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let types = json!([{ "name": "일반", "price": 0, "capacity": 20, "perPersonLimit": 3 }]);
    let event = app.event_of(&artist, json!({ "ticketTypes": types })).await;
    assert!(app.book(&fan, &event, 2, "a").await["booking"].is_object());
    // On two nodes, which have a queue each.
    let node = app.node("other", |_| {}).await;
    let at = |url: String, key: &'static str| {
        let document = format!(
            "mutation($input: BookingStartInput!) {{ bookingStart(input: $input) {{ {BOOKING} userErrors {{ code }} }} }}"
        );
        let (app, token, input) = (app.clone(), fan.token.clone(), json!({ "input": booking_input(&event, 1, key) }));
        async move { app.query_at(&url, Some(&token), &document, input).await.data()["bookingStart"].clone() }
    };
    let (one, two) = tokio::join!(at(app.url.clone(), "b"), at(node.url.clone(), "c"));
    let codes = [&one, &two].map(|payload| payload["userErrors"][0]["code"].as_str().unwrap_or("none").to_owned());
    assert!(codes.contains(&"none".to_owned()) && codes.contains(&"LIMIT_EXCEEDED".to_owned()), "{one} {two}");
    node.stop().await;
    assert_eq!(user_error(&app.book(&fan, &event, 1, "d").await), "LIMIT_EXCEEDED lines");
}

async fn the_booking_window_is_kept(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event_of(&artist, json!({ "bookingOpensAt": app.now() + TimeDelta::minutes(5) })).await;
    assert_eq!(user_error(&app.book(&fan, &event, 1, "a").await), "BOOKING_CLOSED eventId");
    app.pass(TimeDelta::minutes(5)).await;
    assert!(app.book(&fan, &event, 1, "b").await["booking"].is_object());
    app.pass(TimeDelta::days(9)).await;
    let fan = app.sign_in_again(&fan).await;
    assert_eq!(user_error(&app.book(&fan, &event, 1, "c").await), "BOOKING_CLOSED eventId");
}

async fn points_of(app: &TestApp, token: &str) -> (i64, usize) {
    let answer =
        app.query(Some(token), "{ viewer { pointBalance pointEntries { nodes { amount } } } }", json!({})).await;
    let viewer = &answer.data()["viewer"];
    (viewer["pointBalance"].as_i64().unwrap(), viewer["pointEntries"]["nodes"].as_array().unwrap().len())
}

async fn points_are_held_spent_and_given_back(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    app.give_points(&fan, 1_500).await;
    let event = app.event(&artist, 1_000, 10).await;
    let mut input = booking_input(&event, 2, "k");
    input["points"] = json!(1_500);
    input["expectedTotal"] = json!(500);
    let payload = app.mutate(Some(&fan.token), "bookingStart", BOOKING, input.clone()).await;
    assert_eq!(payload["booking"]["amountDue"], 500, "{payload}");
    assert_eq!(points_of(&app, &fan.token).await, (0, 1));
    app.pay(&payload, "quit", "none").await;
    assert_eq!(points_of(&app, &fan.token).await, (1_500, 1));
    input["idempotencyKey"] = json!("k2");
    let payload = app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await;
    app.pay(&payload, "approve", "none").await;
    assert_eq!(points_of(&app, &fan.token).await, (0, 2));
    let input = json!({ "bookingId": payload["booking"]["id"], "idempotencyKey": "c" });
    app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(points_of(&app, &fan.token).await, (1_500, 3));
}

async fn a_canceled_booking_is_refunded_and_its_seats_are_sold_again(app: TestApp) {
    let (artist, fan, other) = (app.artist("haneul").await, app.fan("mina").await, app.fan("jun").await);
    let event = app.event(&artist, 9_000, 1).await;
    let id = app.buy(&fan, &event, 1, "k").await;
    let input = json!({ "bookingId": id, "reason": "몸이 아파요", "idempotencyKey": "c" });
    let payload = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input.clone()).await;
    assert_eq!(payload["booking"]["status"], "CANCELED", "{payload}");
    let again = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(again, payload);
    let booking = app.booking(&fan, &id).await;
    assert_eq!(booking["payment"]["canceledAmount"], 9_000);
    assert_eq!(booking["tickets"][0]["status"], "CANCELED");
    let input = json!({ "bookingId": id, "idempotencyKey": "c2" });
    let twice = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(user_error(&twice), "NOT_CANCELABLE bookingId");
    app.buy(&other, &event, 1, "k").await;
}

async fn canceling_ends_when_the_window_closes(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 5).await;
    let payload = app.book(&fan, &event, 1, "k").await;
    app.pass(TimeDelta::days(9) + TimeDelta::seconds(1)).await;
    let fan = app.sign_in_again(&fan).await;
    let input = json!({ "bookingId": payload["booking"]["id"], "idempotencyKey": "c" });
    let refused = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(user_error(&refused), "NOT_CANCELABLE bookingId");
}

async fn another_s_booking_is_not_found(app: TestApp) {
    let (artist, fan, other) = (app.artist("haneul").await, app.fan("mina").await, app.fan("jun").await);
    let event = app.event(&artist, 1_000, 5).await;
    let payload = app.book(&fan, &event, 1, "k").await;
    let id = payload["booking"]["id"].as_str().unwrap();
    assert_eq!(app.booking(&other, id).await, Value::Null);
    let input = json!({ "bookingId": id, "idempotencyKey": "c" });
    let refused = app.mutate(Some(&other.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(user_error(&refused), "NOT_FOUND bookingId");
    let input = json!({ "paymentId": payload["payment"]["id"], "pgToken": "x" });
    let refused = app.mutate(Some(&other.token), "paymentApprove", "payment { status }", input).await;
    assert_eq!(user_error(&refused), "NOT_FOUND paymentId");
}
