//! What stands in the way of leaving, each thing named; and an admin's override, which calls it off first.

use super::{blocked, execute, insert, leave, sorted};
use crate::{
    harness::{BOOKING, Event, Person, TestApp, booking_input},
    uploads::user_id,
};
use chrono::TimeDelta;
use entity::{
    enums::{BookingStatus, PaymentPurpose, PaymentStatus},
    payment, settlement, settlement_line,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use serde_json::json;
use spotlight::{error::Error, user::withdraw};

crate::scenarios![
    a_fan_with_something_open_is_refused_each_thing_named,
    whatever_is_under_way_with_money_stands_in_the_way,
    an_artist_leaves_after_the_last_event_was_settled,
    an_override_calls_everything_off_first,
];

async fn a_fan_with_something_open_is_refused_each_thing_named(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let (first, second) = (app.event(&artist, 5_000, 10).await, app.event(&artist, 0, 10).await);
    let held = app.book(&fan, &first, 1, "held").await["booking"]["id"].as_str().unwrap().to_owned();
    let bought = app.buy(&fan, &first, 1, "bought").await;
    let free = app.book(&fan, &second, 1, "free").await["booking"]["id"].as_str().unwrap().to_owned();
    let charge = charge_in_doubt(&app, &fan).await;
    let none = Vec::<String>::new;
    let bookings = sorted([held.clone(), bought.clone(), free.clone()]);
    let payload = leave(&app, &fan).await;
    assert_eq!(blocked(&payload), [bookings, vec![charge.to_string()], none(), none()]);
    assert_eq!(payload["userErrors"][0]["message"], "Not possible yet. bookings: 3, payments: 1");
    // The hold runs out, the charge fails, one ticket goes back; the other stays valid until the event has ended.
    execute(&app, "UPDATE payment SET status = 'FAILED' WHERE purpose = 'POINT_CHARGE'").await;
    app.mutate(
        Some(&fan.token),
        "bookingCancel",
        "booking { id }",
        json!({ "bookingId": free, "idempotencyKey": "c" }),
    )
    .await;
    app.pass(TimeDelta::minutes(16)).await;
    let fan = app.sign_in_again(&fan).await;
    assert_eq!(blocked(&leave(&app, &fan).await), [vec![bought.clone()], none(), none(), none()]);
    app.pass(TimeDelta::days(10)).await;
    let fan = app.sign_in_again(&fan).await;
    // Begun, and not over.
    assert_eq!(blocked(&leave(&app, &fan).await), [vec![bought], none(), none(), none()]);
    app.pass(TimeDelta::days(1)).await;
    let fan = app.sign_in_again(&fan).await;
    assert_eq!(leave(&app, &fan).await["isWithdrawn"], true);
}

async fn whatever_is_under_way_with_money_stands_in_the_way(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let (first, second) =
        (app.event(&artist, 5_000, 10).await, app.event_of(&artist, json!({ "title": "다른 공연" })).await);
    let none = Vec::<String>::new;
    let (canceling, called_off) = (app.buy(&fan, &first, 1, "a").await, app.buy(&fan, &second, 1, "b").await);
    let lapsed = app.book(&fan, &first, 1, "c").await;
    app.pass(TimeDelta::minutes(16)).await;
    // Nobody works from here on: the refunds are yet to be made.
    let (fan, artist) = (app.sign_in_again(&fan).await, app.sign_in_again(&artist).await);
    app.mutate(Some(&artist.token), "eventCancel", "event { id }", json!({ "eventId": second.id })).await;
    let becomes = async |status: BookingStatus| {
        let id = canceling.parse::<entity::ids::BookingId>().unwrap();
        let row = entity::booking::ActiveModel { id: Set(id), status: Set(status), ..Default::default() };
        row.update(app.app.db.reads()).await.unwrap();
    };
    // As while the provider does not answer.
    becomes(BookingStatus::Canceling).await;
    assert_eq!(app.booking(&fan, &called_off).await["status"], "CONFIRMED");
    assert_eq!(blocked(&leave(&app, &fan).await)[0], sorted([canceling.clone(), called_off.clone()]));
    becomes(BookingStatus::Confirmed).await;
    let input = json!({ "bookingId": canceling, "idempotencyKey": "d" });
    let canceled = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(canceled["booking"]["status"], "CANCELED", "{canceled}");
    app.work().await;
    assert_eq!(app.booking(&fan, &called_off).await["status"], "CANCELED");
    for status in ["PENDING", "READY", "APPROVING", "CANCELING"] {
        let charge = charge_in_doubt(&app, &fan).await;
        execute(&app, &format!("UPDATE payment SET status = '{status}' WHERE purpose = 'POINT_CHARGE'")).await;
        assert_eq!(blocked(&leave(&app, &fan).await), [none(), vec![charge.to_string()], none(), none()], "{status}");
        payment::Entity::delete_by_id(charge).exec(app.app.db.reads()).await.unwrap();
    }
    // A hold that has run out, and money of which nobody knows.
    let id: entity::ids::PaymentId = lapsed["payment"]["id"].as_str().unwrap().parse().unwrap();
    let row = payment::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    let set = async |status: PaymentStatus| {
        let mut row = row.clone().into_active_model();
        row.status = Set(status);
        row.update(app.app.db.reads()).await.unwrap();
    };
    set(PaymentStatus::Approving).await;
    assert_eq!(blocked(&leave(&app, &fan).await), [none(), vec![id.to_string()], none(), none()]);
    set(row.status).await;
    assert_eq!(leave(&app, &fan).await["isWithdrawn"], true);
}

/// Points being charged, whose outcome nobody knows.
async fn charge_in_doubt(app: &TestApp, fan: &Person) -> entity::ids::PaymentId {
    let row = payment::Model {
        id: app.app.ids.next(),
        purpose: PaymentPurpose::PointCharge,
        user_id: user_id(app, fan).await,
        booking_id: None,
        status: PaymentStatus::Approving,
        amount: 10_000,
        taken_amount: None,
        canceled_amount: 0,
        tid: None,
        pc_url: None,
        mobile_url: None,
        app_url: None,
        return_url: None,
        failure: None,
        created_at: app.now(),
        changed_at: app.now(),
        approved_at: None,
        canceled_at: None,
    };
    let id = row.id;
    insert::<payment::Entity>(app, row).await;
    id
}

async fn an_artist_leaves_after_the_last_event_was_settled(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let (paid, free) = (app.event(&artist, 5_000, 10).await, app.event(&artist, 0, 10).await);
    let booking = app.buy(&fan, &paid, 1, "a").await;
    app.book(&fan, &free, 1, "b").await;
    let called_off = app.event_of(&artist, json!({ "title": "취소될 공연" })).await;
    app.mutate(Some(&artist.token), "eventCancel", "event { id }", json!({ "eventId": called_off.id })).await;
    let none = Vec::<String>::new;
    let open = sorted([paid.id.clone(), free.id.clone()]);
    assert_eq!(blocked(&leave(&app, &artist).await), [none(), none(), open, none()]);
    app.pass(TimeDelta::days(12)).await;
    let artist = app.sign_in_again(&artist).await;
    assert_eq!(blocked(&leave(&app, &artist).await), [none(), none(), none(), vec![paid.id.clone()]]);
    let statement = settle(&app, &artist, &booking).await;
    // On a statement, and not paid out yet.
    assert_eq!(blocked(&leave(&app, &artist).await), [none(), none(), none(), vec![paid.id.clone()]]);
    let row = settlement::Entity::find_by_id(statement).one(app.app.db.reads()).await.unwrap().unwrap();
    execute(&app, "UPDATE settlement SET paid_at = created_at").await;
    assert_eq!((row.paid_at, leave(&app, &artist).await["isWithdrawn"].clone()), (None, json!(true)));
    app.work().await;
    let query = "query($id: ID!) { event(id: $id) { title artist { nickname isWithdrawn } } }";
    let event = app.query(None, query, json!({ "id": paid.id })).await.data()["event"].clone();
    assert_eq!(event["artist"], json!({ "nickname": "Withdrawn member", "isWithdrawn": true }));
}

async fn settle(app: &TestApp, artist: &Person, booking: &str) -> entity::ids::SettlementId {
    let id = app.app.ids.next();
    let statement = settlement::Model {
        id,
        artist_id: user_id(app, artist).await,
        period: "2026-06".to_owned(),
        gross: 5_000,
        fee: 0,
        net: 5_000,
        booking_count: 1,
        created_at: app.now(),
        paid_at: None,
    };
    insert::<settlement::Entity>(app, statement).await;
    let line = settlement_line::Model { booking_id: booking.parse().unwrap(), settlement_id: id, amount: 5_000 };
    insert::<settlement_line::Entity>(app, line).await;
    id
}

/// What an admin's removal does with an override.
async fn remove(app: &TestApp, person: &Person) -> i64 {
    let id = user_id(app, person).await;
    let txn = app.app.db.begin().await.unwrap();
    let user = withdraw::lock(&txn, id).await.unwrap().unwrap();
    let refused = withdraw::check::check(&txn, app.now(), &user, &["userId"]).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    withdraw::call_off::call_off(&txn, &app.app, &user).await.unwrap();
    let forfeited = withdraw::erase::erase(&txn, &app.app, &user).await.unwrap();
    txn.commit().await.unwrap();
    withdraw::end_sessions::end_sessions(&app.app, id).await;
    forfeited
}

async fn paid_with_points(app: &TestApp, fan: &Person, event: &Event) -> String {
    let mut input = booking_input(event, 1, "points");
    input["points"] = json!(400);
    let payload = app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await;
    app.pay(&payload, "approve", "none").await;
    payload["booking"]["id"].as_str().unwrap().to_owned()
}

async fn an_override_calls_everything_off_first(app: TestApp) {
    let (artist, both, fan) = (app.artist("haneul").await, app.artist("bada").await, app.fan("mina").await);
    let (theirs, own) = (app.event(&artist, 1_000, 10).await, app.event(&both, 1_000, 10).await);
    app.give_points(&both, 900).await;
    let bought = paid_with_points(&app, &both, &theirs).await;
    let held = app.book(&both, &theirs, 2, "held").await["booking"]["id"].as_str().unwrap().to_owned();
    let doubtful = app.book(&both, &theirs, 1, "doubt").await;
    app.pay(&doubtful, "approve", "timeout_after").await;
    let of_a_fan = app.buy(&fan, &own, 3, "k").await;
    app.book(&both, &theirs, 2, "held too").await;
    let id = user_id(&app, &both).await;
    // The refunds give points back: they are forfeited after that.
    assert_eq!(remove(&app, &both).await, 0);
    for _ in 0..4 {
        app.pass(TimeDelta::minutes(2)).await;
    }
    assert_eq!(app.booking(&fan, &of_a_fan).await["status"], "CANCELED");
    assert_eq!((app.remaining(&theirs).await, app.remaining(&own).await), (10, 10));
    let rows = entity::booking::Entity::find().all(app.app.db.reads()).await.unwrap();
    for row in rows.iter().filter(|row| row.user_id == id) {
        use entity::enums::BookingStatus::{Canceled, Expired};
        let was_held =
            ![bought.as_str(), doubtful["booking"]["id"].as_str().unwrap()].contains(&row.id.to_string().as_str());
        assert_eq!(row.status, if was_held { Expired } else { Canceled }, "{} (one held was {held})", row.id);
    }
    let account = entity::point_account::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    assert_eq!((account.balance, account.held), (0, 0));
}
