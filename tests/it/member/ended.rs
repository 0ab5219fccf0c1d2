//! Nothing goes on for who has left: no session, no token, no money that comes late, whatever they did at the same moment.

use super::{blocked, insert, leave, spring};
use crate::{
    harness::{PASSWORD, Person, SESSION, TestApp, booking_input, user_error},
    uploads::{review, user_id},
};
use chrono::TimeDelta;
use entity::{enums::PaymentStatus, payment};
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use spotlight::user::withdraw;

crate::scenarios![
    every_session_ends,
    a_token_that_outlives_its_account_begins_nothing,
    money_that_comes_late_is_not_kept_for_who_has_left,
    a_charge_that_arrives_late_goes_back_to_who_has_left,
    leaving_twice_at_once_is_done_once,
    leaving_against_booking_leaves_no_booking_behind,
    leaving_against_signing_in_leaves_no_session_behind,
];

async fn refresh(app: &TestApp, token: &str) -> Value {
    app.mutate(None, "sessionRefresh", "session { accessToken }", json!({ "refreshToken": token })).await
}

async fn every_session_ends(app: TestApp) {
    let fan = app.fan("mina").await;
    let other = app.sign_in_again(&fan).await;
    leave(&app, &fan).await;
    for session in [&fan, &other] {
        assert_eq!(app.query(Some(&session.token), "{ viewer { email } }", json!({})).await.status, 401);
        assert_eq!(user_error(&refresh(&app, &session.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    }
    let input = json!({ "email": fan.email, "password": PASSWORD });
    assert_eq!(user_error(&app.mutate(None, "signIn", SESSION, input).await), "WRONG_CREDENTIALS");
}

/// Erased, and the process died, or the key-value store was away, before a session was ended.
async fn erased(app: &TestApp, person: &Person) {
    let id = user_id(app, person).await;
    let txn = app.app.db.begin().await.unwrap();
    let user = withdraw::lock(&txn, id).await.unwrap().unwrap();
    withdraw::erase::erase(&txn, &app.app, &user).await.unwrap();
    txn.commit().await.unwrap();
}

async fn a_token_that_outlives_its_account_begins_nothing(app: TestApp) {
    let (artist, gone) = (app.artist("haneul").await, app.artist("bada").await);
    let event = app.event(&artist, 0, 10).await;
    let review = review(&app, &gone, &event.id).await;
    let coupon = app.app.ids.next::<entity::ids::CouponId>();
    insert::<entity::coupon::Entity>(&app, entity::coupon::Model { id: coupon, remaining: 1, ..spring(&app) }).await;
    erased(&app, &gone).await;
    let start = "mutation($input: BookingStartInput!) { bookingStart(input: $input) { booking { id } } }";
    let create = "mutation($input: EventCreateInput!) { eventCreate(input: $input) { event { id } } }";
    let edit = "mutation($input: ProfileUpdateInput!) { profileUpdate(input: $input) { userErrors { code } } }";
    let leave = "mutation($input: AccountWithdrawInput!) { accountWithdraw(input: $input) { isWithdrawn } }";
    let charge = "mutation($input: PointChargeStartInput!) { pointChargeStart(input: $input) { payment { id } } }";
    let issue = "mutation($input: CouponIssueInput!) { couponIssue(input: $input) { userCoupon { id } } }";
    let link = "mutation($input: SocialSignInStartInput!) { socialSignInStart(input: $input) { state } }";
    let unlink =
        "mutation($input: SocialAccountUnlinkInput!) { socialAccountUnlink(input: $input) { viewer { email } } }";
    let reorder =
        "mutation($input: AttachmentReorderInput!) { attachmentReorder(input: $input) { userErrors { code } } }";
    let attempts = [
        (charge, json!({ "amount": 10_000, "returnUrl": "http://localhost:3000/done", "idempotencyKey": "c" })),
        (start, booking_input(&event, 1, "k")),
        (create, app.event_input(0, 1)),
        (edit, json!({ "nickname": "다시" })),
        (leave, json!({ "currentPassword": PASSWORD })),
        (issue, json!({ "couponId": coupon.to_string() })),
        (link, json!({ "provider": "KAKAO", "redirectUri": "http://localhost:3000/", "purpose": "LINK" })),
        (unlink, json!({ "provider": "KAKAO" })),
        (reorder, json!({ "ownerId": review, "attachmentIds": [] })),
    ];
    for (document, input) in attempts {
        let answer = app.query(Some(&gone.token), document, json!({ "input": input })).await;
        assert_eq!(answer.code(), "UNAUTHENTICATED", "{document}: {}", answer.body);
    }
    let viewer = app.query(Some(&gone.token), "{ viewer { email } }", json!({})).await;
    assert_eq!(viewer.data()["viewer"], Value::Null);
    assert_eq!(user_error(&refresh(&app, &gone.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    // The job of the same commit.
    app.work().await;
    assert_eq!(app.query(Some(&gone.token), "{ viewer { email } }", json!({})).await.status, 401);
    assert_eq!(app.remaining(&event).await, 10);
}

async fn money_that_comes_late_is_not_kept_for_who_has_left(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 1).await;
    let payload = app.book(&fan, &event, 1, "k").await;
    let id = payload["booking"]["id"].as_str().unwrap().parse().unwrap();
    app.pass(TimeDelta::minutes(16)).await;
    let is_held_again = || async {
        let txn = app.app.db.begin().await.unwrap();
        let booking = spotlight::booking::query::by_id(&txn, id).await.unwrap().unwrap();
        let again = spotlight::booking::hold_again::hold_again(&txn, &booking).await.unwrap();
        txn.rollback().await.unwrap();
        again
    };
    assert!(is_held_again().await);
    leave(&app, &app.sign_in_again(&fan).await).await;
    assert!(!is_held_again().await);
}

async fn a_charge_that_arrives_late_goes_back_to_who_has_left(app: TestApp) {
    let fan = app.fan("mina").await;
    let input = json!({ "amount": 5_000, "returnUrl": "http://localhost:3000/done", "idempotencyKey": "k" });
    let selection = "payment { id redirect { pcUrl } }";
    let payload = app.mutate(Some(&fan.token), "pointChargeStart", selection, input).await;
    let id: entity::ids::PaymentId = payload["payment"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(blocked(&leave(&app, &fan).await)[1], [id.to_string()]);
    // The call is lost on its way, the provider denies it, and then it arrives after all.
    let back = app.pay(&payload, "approve", "error_before").await;
    app.work().await;
    assert_eq!(leave(&app, &fan).await["isWithdrawn"], true);
    let row = payment::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    let late = spotlight::infra::kakaopay::ApproveRequest {
        tid: row.tid.unwrap(),
        partner_order_id: id.to_string(),
        partner_user_id: row.user_id.to_string(),
        pg_token: back.split("pg_token=").nth(1).unwrap().to_owned(),
    };
    app.app.provider.approve(&late).await.unwrap();
    app.pass(TimeDelta::minutes(20)).await;
    let row = payment::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    assert_eq!((row.status, row.canceled_amount), (PaymentStatus::Canceled, 5_000));
    assert_eq!(spotlight::point::query::spendable(app.app.db.reads(), row.user_id).await.unwrap(), 0);
}

/// `accountWithdraw`, whatever comes of it.
async fn try_to_leave(app: &TestApp, person: &Person) -> Value {
    let document = "mutation($input: AccountWithdrawInput!) { accountWithdraw(input: $input) { isWithdrawn userErrors { \
                    code } } }";
    let input = json!({ "input": { "currentPassword": PASSWORD } });
    app.query(Some(&person.token), document, input).await.body
}

fn has_left(body: &Value) -> bool {
    body["data"]["accountWithdraw"]["isWithdrawn"] == true
}

async fn leaving_twice_at_once_is_done_once(app: TestApp) {
    let fan = app.fan("mina").await;
    app.give_points(&fan, 500).await;
    let id = user_id(&app, &fan).await;
    let answers = join_all((0..4).map(|_| try_to_leave(&app, &fan))).await;
    assert_eq!(answers.iter().filter(|body| has_left(body)).count(), 1, "{answers:?}");
    for body in answers.iter().filter(|body| !has_left(body)) {
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{body}");
    }
    app.work().await;
    let entries = entity::point_entry::Entity::find().all(app.app.db.reads()).await.unwrap();
    let amounts: Vec<i64> = entries.iter().filter(|row| row.user_id == id).map(|row| row.amount).collect();
    assert_eq!(amounts.iter().sum::<i64>(), 0);
    assert_eq!(amounts.len(), 2);
}

async fn leaving_against_booking_leaves_no_booking_behind(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 100).await;
    for round in 0..12 {
        let fan = app.fan(&format!("fan{round}")).await;
        let id = user_id(&app, &fan).await;
        let start = "mutation($input: BookingStartInput!) { bookingStart(input: $input) { booking { id } userErrors { code } } }";
        let book = app.query(Some(&fan.token), start, json!({ "input": booking_input(&event, 1, "k") }));
        // Comparing the password takes a moment: let either be first.
        let (answer, booked) = if round % 2 == 0 {
            tokio::join!(try_to_leave(&app, &fan), book)
        } else {
            let (booked, answer) = tokio::join!(book, try_to_leave(&app, &fan));
            (answer, booked)
        };
        let is_booked = booked.body["data"]["bookingStart"]["booking"].is_object();
        assert_ne!(has_left(&answer), is_booked, "{answer} {}", booked.body);
        let bookings = entity::booking::Entity::find().all(app.app.db.reads()).await.unwrap();
        assert_eq!(bookings.iter().any(|row| row.user_id == id), is_booked);
    }
    // Booked while the password was being compared: the look comes after it.
    let fan = app.fan("slow").await;
    let book = async {
        assert!(app.book(&fan, &event, 1, "k").await["booking"].is_object());
    };
    assert_eq!(user_error(&app.while_comparing(leave(&app, &fan), book).await), "WITHDRAWAL_BLOCKED");
}

async fn leaving_against_signing_in_leaves_no_session_behind(app: TestApp) {
    for round in 0..8 {
        let fan = app.fan(&format!("fan{round}")).await;
        let input = json!({ "email": fan.email, "password": PASSWORD });
        let (answer, session) = tokio::join!(try_to_leave(&app, &fan), app.mutate(None, "signIn", SESSION, input));
        assert!(has_left(&answer), "{answer}");
        app.work().await;
        if session["session"].is_object() {
            let person = Person::of(&fan.email, &session);
            assert_eq!(app.query(Some(&person.token), "{ viewer { email } }", json!({})).await.status, 401);
            assert_eq!(user_error(&refresh(&app, &person.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
        } else {
            assert_eq!(user_error(&session), "WRONG_CREDENTIALS");
        }
    }
    // Gone while the password was being compared, and before anything could end what comes of it.
    let fan = app.fan("slow").await;
    let input = json!({ "email": fan.email, "password": PASSWORD });
    let session = app.while_comparing(app.mutate(None, "signIn", SESSION, input), erased(&app, &fan)).await;
    assert_eq!((user_error(&session), &session["session"]), ("WRONG_CREDENTIALS".to_owned(), &Value::Null));
}
