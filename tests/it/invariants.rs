//! Each rule of `admin::invariants` is seen to fail: a row is broken by hand, exactly the rules that it breaks are named,
//! and mended again. On SQLite alone, where a connection can do without the constraints that would refuse it.

use crate::harness::{BOOKING, PASSWORD, TestApp, booking_input};
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use spotlight::admin::invariants;
use std::collections::BTreeSet;

crate::scenarios![every_rule_is_seen_to_fail];

/// What breaks it, what mends it, and the rules that are then named.
type Case = (&'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "UPDATE ticket_type SET remaining = remaining + 1",
        "UPDATE ticket_type SET remaining = remaining - 1",
        &["sold + held + left = capacity"],
    ),
    (
        "UPDATE ticket SET status = 'CANCELED'",
        "UPDATE ticket SET status = 'VALID'",
        &[
            "a confirmed booking has one valid ticket for each seat, any other has none",
            "each seat of a confirmed booking has a valid ticket of its own type",
        ],
    ),
    // As many tickets as seats, of another type than was paid for.
    (
        "UPDATE ticket SET code = code || hex(ticket_type_id), ticket_type_id = event_id",
        "UPDATE ticket SET ticket_type_id = unhex(substr(code, 29)), code = substr(code, 1, 28)",
        &["each seat of a confirmed booking has a valid ticket of its own type"],
    ),
    // A discount for nothing: the coupon is still used, by nobody.
    (
        "UPDATE booking SET cancel_reason = hex(user_coupon_id), user_coupon_id = NULL WHERE coupon_discount > 0",
        "UPDATE booking SET user_coupon_id = unhex(cancel_reason), cancel_reason = NULL WHERE coupon_discount > 0",
        &[
            "a discount is that of a coupon of one's own",
            "a person's coupon is held by a hold, used by a sale, and otherwise to be had",
        ],
    ),
    (
        "UPDATE user_coupon SET user_id = (SELECT id FROM user WHERE id <> user_coupon.user_id LIMIT 1)",
        "UPDATE user_coupon SET user_id = (SELECT user_id FROM booking WHERE user_coupon_id = user_coupon.id)",
        &["a discount is that of a coupon of one's own"],
    ),
    (
        "UPDATE booking SET cancel_reason = expires_at, expires_at = '2026-06-01 02:00:00+00:00' WHERE status = 'HELD'",
        "UPDATE booking SET expires_at = cancel_reason, cancel_reason = NULL WHERE status = 'HELD'",
        &["no hold is over for a minute unless its payment is in doubt"],
    ),
    (
        "UPDATE job SET name = 'x' || name WHERE name = 'expire_booking'",
        "UPDATE job SET name = substr(name, 2) WHERE name = 'xexpire_booking'",
        &["each hold has the job that ends it"],
    ),
    // One booking is confirmed and not paid, another one paid and not confirmed: every sum stays.
    (
        "UPDATE payment SET status = CASE status WHEN 'APPROVED' THEN 'FAILED' ELSE 'APPROVED' END WHERE amount = 5000",
        "UPDATE payment SET status = CASE status WHEN 'APPROVED' THEN 'FAILED' ELSE 'APPROVED' END WHERE amount = 5000",
        &[
            "nothing is taken for what is open or was given up",
            "what is confirmed is paid or free, what is paid is confirmed",
            "what was taken is kept as what was due, or goes back, all of it",
        ],
    ),
    (
        "UPDATE booking_line SET unit_price = unit_price + 1",
        "UPDATE booking_line SET unit_price = unit_price - 1",
        &["the seats' prices are what coupon, points and money pay for"],
    ),
    (
        "UPDATE booking SET user_coupon_id = (SELECT id FROM user_coupon) WHERE status = 'CONFIRMED' AND coupon_discount = 0",
        "UPDATE booking SET user_coupon_id = NULL WHERE coupon_discount = 0",
        &["a coupon is in the hands of one booking at most"],
    ),
    (
        "UPDATE user_coupon SET status = 'AVAILABLE'",
        "UPDATE user_coupon SET status = 'USED'",
        &["a person's coupon is held by a hold, used by a sale, and otherwise to be had"],
    ),
    (
        "UPDATE coupon SET remaining = remaining + 1",
        "UPDATE coupon SET remaining = remaining - 1",
        &["coupons given out + left = quantity"],
    ),
    (
        "DROP INDEX user_coupon_one_each; UPDATE coupon SET remaining = remaining - 1; INSERT INTO user_coupon SELECT \
         zeroblob(16), user_id, coupon_id, 'AVAILABLE', issued_at, NULL FROM user_coupon",
        "DELETE FROM user_coupon WHERE id = zeroblob(16); UPDATE coupon SET remaining = remaining + 1",
        &["nobody has two of one coupon"],
    ),
    // The links of the chain end in the balance: it cannot be wrong without them.
    (
        "UPDATE point_account SET balance = balance + 1 WHERE balance > 0",
        "UPDATE point_account SET balance = balance - 1 WHERE balance > 0",
        &["a balance is the sum of its entries", "each entry goes on from the balance that another left"],
    ),
    (
        "UPDATE point_account SET held = held + 1000000",
        "UPDATE point_account SET held = held - 1000000",
        &["no balance is below what is held, nor that below zero", "held points are those of held bookings"],
    ),
    (
        "UPDATE point_entry SET balance_after = balance_after + 1 WHERE kind = 'SPEND'",
        "UPDATE point_entry SET balance_after = balance_after - 1 WHERE kind = 'SPEND'",
        &["each entry goes on from the balance that another left"],
    ),
    (
        "DROP INDEX point_entry_cause; UPDATE point_entry SET cause = 'x' WHERE kind = 'CHARGE'",
        "UPDATE point_entry SET cause = 'y' || amount WHERE kind = 'CHARGE'",
        &["one cause makes one entry"],
    ),
    (
        "UPDATE point_account SET held = held + 1 WHERE balance > held",
        "UPDATE point_account SET held = held - 1 WHERE balance > 0",
        &["held points are those of held bookings"],
    ),
    (
        "UPDATE point_entry SET kind = 'ADJUSTMENT' WHERE kind = 'SPEND'",
        "UPDATE point_entry SET kind = 'SPEND' WHERE kind = 'ADJUSTMENT'",
        &["points of sales are spent, those of canceled ones given back"],
    ),
    // Somebody else's charge.
    (
        "UPDATE payment SET return_url = hex(user_id) WHERE amount = 7000; UPDATE payment SET user_id = (SELECT a.user_id FROM \
         point_account a WHERE a.user_id <> payment.user_id LIMIT 1) WHERE amount = 7000",
        "UPDATE payment SET user_id = unhex(return_url) WHERE amount = 7000",
        &["each paid charge is credited once, any other never"],
    ),
    (
        "UPDATE payment SET amount = amount + 1 WHERE status = 'FAILED'",
        "UPDATE payment SET amount = amount - 1 WHERE status = 'FAILED'",
        &["a payment is for one booking's due, or for points"],
    ),
    (
        "UPDATE payment SET canceled_amount = 1 WHERE status = 'FAILED'",
        "UPDATE payment SET canceled_amount = 0 WHERE status = 'FAILED'",
        &["what went back is written where it went back, and only there"],
    ),
    (
        "UPDATE payment SET taken_amount = taken_amount + 1 WHERE amount = 7000",
        "UPDATE payment SET taken_amount = taken_amount - 1 WHERE amount = 7000",
        &["what was taken is kept as what was due, or goes back, all of it"],
    ),
    (
        "UPDATE payment SET taken_amount = 1 WHERE status = 'READY'",
        "UPDATE payment SET taken_amount = NULL WHERE status = 'READY'",
        &["nothing is taken for what is open or was given up"],
    ),
    (
        "UPDATE payment SET canceled_amount = 1 WHERE amount = 7000",
        "UPDATE payment SET canceled_amount = 0 WHERE amount = 7000",
        &[
            "what went back is written where it went back, and only there",
            "every won taken is ticketed, credited or returned",
        ],
    ),
];

async fn broken(app: &TestApp) -> BTreeSet<&'static str> {
    let outcomes = invariants::check(&app.app).await.unwrap();
    outcomes.into_iter().filter(|outcome| outcome.broken > 0).map(|outcome| outcome.rule).collect()
}

/// One booking paid with a coupon and points, one paid, one given up, one held; two charges.
async fn world(app: &TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 10).await;
    for amount in [7_000, 8_000] {
        let input = json!({ "amount": amount, "idempotencyKey": format!("c{amount}") });
        let charge = "payment { redirect { pcUrl } }";
        let payload = app.mutate(Some(&fan.token), "pointChargeStart", charge, input).await;
        app.pay(&payload, "approve", "none").await;
    }
    let mut input = booking_input(&event, 2, "with a coupon");
    input["userCouponId"] = coupon(app, &fan.token).await;
    input["points"] = json!(3_000);
    let payload = app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await;
    app.pay(&payload, "approve", "none").await;
    app.buy(&fan, &event, 1, "paid").await;
    let payload = app.book(&fan, &event, 1, "given up").await;
    app.pay(&payload, "quit", "none").await;
    let mut input = booking_input(&event, 3, "held");
    input["points"] = json!(1_000);
    let payload = app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await;
    assert_eq!(payload["booking"]["status"], "HELD", "{payload}");
}

async fn coupon(app: &TestApp, fan: &str) -> Value {
    let email = "keeper@spotlight.test";
    spotlight::admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": email, "password": PASSWORD });
    let admin = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    let input = json!({
        "name": "봄맞이", "kind": "LIMITED", "discountKind": "FIXED", "discountValue": 1_000, "quantity": 10,
        "validFrom": app.now(), "validUntil": app.now() + TimeDelta::days(3),
    });
    let made = app.mutate(admin["session"]["accessToken"].as_str(), "couponCreate", "coupon { id }", input).await;
    let input = json!({ "couponId": made["coupon"]["id"] });
    let issued = app.mutate(Some(fan), "couponIssue", "userCoupon { id }", input).await;
    issued["userCoupon"]["id"].clone()
}

/// Without the constraints that would refuse it.
async fn run(lawless: &DatabaseConnection, sql: &str) {
    let sql = format!("PRAGMA ignore_check_constraints = 1; PRAGMA foreign_keys = 0; {sql}");
    lawless.execute_unprepared(&sql).await.unwrap();
}

async fn every_rule_is_seen_to_fail(app: TestApp) {
    let url = app.app.config.database.url.expose_secret().to_owned();
    if !url.starts_with("sqlite:") {
        return;
    }
    world(&app).await;
    assert_eq!(broken(&app).await, BTreeSet::new());
    let lawless: DatabaseConnection = Database::connect(&url).await.unwrap();
    run(&lawless, "DROP TRIGGER point_entry_no_update").await;
    for (breaks, mends, rules) in CASES {
        run(&lawless, breaks).await;
        assert_eq!(broken(&app).await, rules.iter().copied().collect(), "{breaks}");
        run(&lawless, mends).await;
        assert_eq!(broken(&app).await, BTreeSet::new(), "{mends}");
    }
    let all: BTreeSet<&str> = invariants::check(&app.app).await.unwrap().iter().map(|outcome| outcome.rule).collect();
    let failed: BTreeSet<&str> = CASES.iter().flat_map(|(_, _, rules)| rules.iter().copied()).collect();
    assert_eq!(failed, all, "a rule that was never seen to fail may not be able to");
    lawless.close().await.unwrap();
}
