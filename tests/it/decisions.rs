//! What an admin says of a payment that the provider gives no readable account of: it goes the way that the provider's own
//! answer would have taken, and the provider's answer goes before it.

pub mod away;
pub mod disputed;

use crate::harness::{Event, PASSWORD, Person, TestApp, errors_of, user_error};
use chrono::TimeDelta;
use entity::{audit_log, enums::PaymentStatus, ids::PaymentId, payment, payment_event};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use spotlight::{
    infra::kakaopay::{ApproveRequest, CancelRequest},
    payment::compare::{Comparison, compare},
};

crate::scenarios![
    what_was_taken_is_sold_by_an_admins_word,
    what_was_not_taken_gives_its_seats_back,
    garbage_for_ever_ends_with_an_admins_word,
    the_provider_is_asked_once_more_and_its_answer_wins,
    another_amount_than_was_due_goes_back,
    what_was_taken_and_returned_at_the_provider_is_closed,
    money_with_nothing_left_to_sell_is_closed_when_it_is_back,
    a_cancellation_that_cannot_be_read_is_closed_by_an_admins_word,
    a_charge_is_credited_or_closed_by_an_admins_word,
    a_charge_that_nobody_paid_and_nobody_can_ask_about_gets_to_an_admin,
];

const SAID: &str = "payment { id payment { status } inDoubtSince } decidedBy";

/// A payment that is stuck: in doubt, with a provider that cannot be read, for longer than an alert waits.
struct Stuck {
    keeper: String,
    artist: Person,
    fan: Person,
    event: Event,
    booking: String,
    payment: String,
    /// Where the provider sent the browser back to.
    back: String,
}

async fn admin(app: &TestApp, name: &str) -> String {
    spotlight::admin::create::create(&app.app, &format!("{name}@spotlight.test"), PASSWORD.to_owned()).await.unwrap();
    admin_again(app, name).await
}

async fn admin_again(app: &TestApp, name: &str) -> String {
    let input = json!({ "email": format!("{name}@spotlight.test"), "password": PASSWORD });
    let payload = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    payload["session"]["accessToken"].as_str().unwrap().to_owned()
}

/// Two seats over 10,000 won; `call` is what became of the call that was to take the money.
async fn stuck(app: &TestApp, call: &str, unreadable: &str) -> Stuck {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    app.faults("order", unreadable, 1_000).await;
    let back = app.pay(&payload, "approve", call).await;
    app.work().await;
    app.pass(TimeDelta::minutes(11)).await;
    let id = |what: &str| payload[what]["id"].as_str().unwrap().to_owned();
    let (booking, payment) = (id("booking"), id("payment"));
    let keeper = admin(app, "keeper").await;
    let stuck = Stuck { keeper, artist, fan: app.sign_in_again(&fan).await, event, booking, payment, back };
    assert_eq!(stuck.statuses(app).await, ("HELD".into(), "APPROVING".into()));
    stuck
}

impl Stuck {
    async fn statuses(&self, app: &TestApp) -> (String, String) {
        let fan = app.sign_in_again(&self.fan).await;
        let booking = app.booking(&fan, &self.booking).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&booking["status"]), text(&booking["payment"]["status"]))
    }

    async fn decide(&self, app: &TestApp, word: Value) -> Value {
        decide(app, &self.keeper, &self.payment, word).await
    }

    async fn row(&self, app: &TestApp) -> payment::Model {
        row(app, &self.payment).await
    }

    /// The money goes back by the provider's own pages.
    async fn give_back_at_the_provider(&self, app: &TestApp, amount: i64) {
        let request = CancelRequest { tid: self.row(app).await.tid.unwrap(), amount };
        app.app.provider.cancel(&request).await.unwrap();
    }

    /// The call that was lost arrives after all.
    async fn arrive(&self, app: &TestApp) {
        let row = self.row(app).await;
        let late = ApproveRequest {
            tid: row.tid.unwrap(),
            partner_order_id: row.id.to_string(),
            partner_user_id: row.user_id.to_string(),
            pg_token: self.back.split("pg_token=").nth(1).unwrap().to_owned(),
        };
        app.app.provider.approve(&late).await.unwrap();
    }
}

async fn decide(app: &TestApp, keeper: &str, payment: &str, word: Value) -> Value {
    let mut input = json!({ "paymentId": payment, "reason": "as the provider's pages show" });
    for (key, value) in word.as_object().unwrap() {
        input[key] = value.clone();
    }
    app.mutate(Some(keeper), "adminPaymentDecide", SAID, input).await
}

async fn row(app: &TestApp, id: &str) -> payment::Model {
    payment::Entity::find_by_id(id.parse::<PaymentId>().unwrap()).one(app.app.db.reads()).await.unwrap().unwrap()
}

fn taken(amount: i64) -> Value {
    json!({ "outcome": "TAKEN", "takenAmount": amount })
}

fn returned(amount: i64) -> Value {
    json!({ "outcome": "RETURNED", "takenAmount": amount })
}

fn not_taken() -> Value {
    json!({ "outcome": "NOT_TAKEN" })
}

fn assert_decided(payload: &Value, by: &str, status: &str) {
    let due = json!({ "status": status });
    assert_eq!((errors_of(payload), &payload["decidedBy"]), (vec![], &json!(by)), "{payload}");
    assert_eq!(payload["payment"]["payment"], due, "{payload}");
}

/// What was kept of decisions: who, before, after.
async fn audited(app: &TestApp) -> Vec<(bool, Value, Value)> {
    let rows = audit_log::Entity::find().filter(audit_log::Column::Action.eq("payment.decide"));
    let rows = rows.order_by_asc(audit_log::Column::Id).all(app.app.db.reads()).await.unwrap();
    let json = |text: &Option<String>| serde_json::from_str(text.as_deref().unwrap()).unwrap();
    rows.iter().map(|row| (row.admin_id.is_some(), json(&row.before), json(&row.after))).collect()
}

async fn words(app: &TestApp) -> Vec<String> {
    let rows = payment_event::Entity::find().filter(payment_event::Column::Step.eq("Decided"));
    rows.all(app.app.db.reads()).await.unwrap().into_iter().map(|row| row.detail).collect()
}

async fn heal(app: &TestApp) {
    app.faults("order", "none", 1).await;
}

async fn what_was_taken_is_sold_by_an_admins_word(app: TestApp) {
    let stuck = stuck(&app, "error_after", "unknown_status").await;
    let query = "{ admin { payments(inDoubtOnly: true) { nodes { id isStuck } } } }";
    let listed = app.query(Some(&stuck.keeper), query, json!({})).await;
    assert_eq!(listed.data()["admin"]["payments"]["nodes"], json!([{ "id": stuck.payment, "isStuck": true }]));
    assert_decided(&stuck.decide(&app, taken(10_000)).await, "ADMIN", "APPROVED");
    assert_eq!(stuck.statuses(&app).await, ("CONFIRMED".into(), "APPROVED".into()));
    assert_eq!(app.booking(&stuck.fan, &stuck.booking).await["tickets"].as_array().unwrap().len(), 2);
    assert_eq!((app.remaining(&stuck.event).await, stuck.row(&app).await.taken_amount), (1, Some(10_000)));
    let [word] = words(&app).await.try_into().unwrap();
    assert!(word.starts_with("Taken(10000) by adm_") && word.ends_with(": as the provider's pages show"), "{word}");
    let [(is_by_admin, before, after)] = audited(&app).await.try_into().unwrap();
    assert_eq!((is_by_admin, &before["status"], &after["status"]), (true, &json!("APPROVING"), &json!("APPROVED")));
    let claim = json!({ "outcome": "TAKEN", "takenAmount": 10_000, "reason": "as the provider's pages show" });
    assert_eq!((&after["claim"], &after["hasAnswered"]), (&claim, &json!(false)));
    // Whoever repeats it sees that it was done.
    assert_eq!(user_error(&stuck.decide(&app, taken(10_000)).await), "NOT_ALLOWED paymentId");
    // Not to be read still is no difference; what can be read agrees.
    let unread = Comparison { asked: 1, decided: 1, ..Comparison::default() };
    assert_eq!(compare(&app.app).await.unwrap(), unread);
    app.pass(TimeDelta::hours(1)).await;
    heal(&app).await;
    assert_eq!(compare(&app.app).await.unwrap(), Comparison { asked: 1, ..Comparison::default() });
}

async fn denied(app: &TestApp, unreadable: &str) {
    let stuck = stuck(app, "error_before", unreadable).await;
    assert_eq!(app.remaining(&stuck.event).await, 1);
    assert_decided(&stuck.decide(app, not_taken()).await, "ADMIN", "FAILED");
    assert_eq!(stuck.statuses(app).await, ("EXPIRED".into(), "FAILED".into()));
    assert_eq!((app.remaining(&stuck.event).await, stuck.row(app).await.taken_amount), (3, None));
    // Asked about as often as was left to do, it still is what was said.
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(stuck.statuses(app).await, ("EXPIRED".into(), "FAILED".into()));
}

async fn what_was_not_taken_gives_its_seats_back(app: TestApp) {
    denied(&app, "unknown_status").await;
}

async fn garbage_for_ever_ends_with_an_admins_word(app: TestApp) {
    denied(&app, "garbage").await;
}

async fn the_provider_is_asked_once_more_and_its_answer_wins(app: TestApp) {
    let stuck = stuck(&app, "error_after", "another_payment").await;
    heal(&app).await;
    assert_decided(&stuck.decide(&app, not_taken()).await, "PROVIDER", "APPROVED");
    assert_eq!(stuck.statuses(&app).await, ("CONFIRMED".into(), "APPROVED".into()));
    assert_eq!(words(&app).await, Vec::<String>::new(), "the admin's word was not gone by");
    let [(is_by_admin, _, after)] = audited(&app).await.try_into().unwrap();
    assert_eq!((is_by_admin, &after["status"], &after["hasAnswered"]), (true, &json!("APPROVED"), &json!(true)));
    assert_eq!(after["claim"]["outcome"], "NOT_TAKEN", "but it is kept that it was said");
    app.pass(TimeDelta::minutes(11)).await;
}

async fn another_amount_than_was_due_goes_back(app: TestApp) {
    let stuck = stuck(&app, "wrong_amount", "unknown_status").await;
    assert_decided(&stuck.decide(&app, taken(11_000)).await, "ADMIN", "CANCELING");
    assert_eq!(stuck.statuses(&app).await, ("EXPIRED".into(), "CANCELING".into()));
    assert_eq!(app.remaining(&stuck.event).await, 3);
    heal(&app).await;
    app.pass(TimeDelta::minutes(11)).await;
    let row = stuck.row(&app).await;
    assert_eq!((row.taken_amount, row.canceled_amount), (Some(11_000), 11_000));
    assert_eq!(stuck.statuses(&app).await, ("EXPIRED".into(), "CANCELED".into()));
}

async fn what_was_taken_and_returned_at_the_provider_is_closed(app: TestApp) {
    let stuck = stuck(&app, "error_after", "garbage").await;
    stuck.give_back_at_the_provider(&app, 10_000).await;
    assert_decided(&stuck.decide(&app, returned(10_000)).await, "ADMIN", "CANCELED");
    assert_eq!(stuck.statuses(&app).await, ("EXPIRED".into(), "CANCELED".into()));
    assert_eq!((app.remaining(&stuck.event).await, stuck.row(&app).await.canceled_amount), (3, 10_000));
    app.pass(TimeDelta::minutes(11)).await;
    heal(&app).await;
    assert_eq!(compare(&app.app).await.unwrap(), Comparison { asked: 1, ..Comparison::default() });
}

async fn money_with_nothing_left_to_sell_is_closed_when_it_is_back(app: TestApp) {
    let stuck = stuck(&app, "error_after", "no_such_payment").await;
    let input = json!({ "eventId": stuck.event.id });
    let artist = app.sign_in_again(&stuck.artist).await;
    app.mutate(Some(&artist.token), "eventCancel", "event { status }", input).await;
    app.work().await;
    assert_decided(&stuck.decide(&app, taken(10_000)).await, "ADMIN", "CANCELING");
    app.work().await;
    assert_eq!(stuck.statuses(&app).await, ("EXPIRED".into(), "CANCELING".into()), "its order cannot be read");
    assert_eq!(user_error(&stuck.decide(&app, not_taken()).await), "NOT_ALLOWED outcome");
    assert_eq!(user_error(&stuck.decide(&app, taken(10_000)).await), "NOT_ALLOWED outcome");
    assert_eq!(user_error(&stuck.decide(&app, returned(10_000)).await), "NOT_ALLOWED paymentId", "not yet");
    app.pass(TimeDelta::minutes(11)).await;
    let keeper = admin_again(&app, "keeper").await;
    let other = decide(&app, &keeper, &stuck.payment, returned(9_000)).await;
    assert_eq!(user_error(&other), "NOT_ALLOWED takenAmount");
    stuck.give_back_at_the_provider(&app, 10_000).await;
    assert_decided(&decide(&app, &keeper, &stuck.payment, returned(10_000)).await, "ADMIN", "CANCELED");
    assert_eq!(stuck.row(&app).await.canceled_amount, 10_000);
    app.pass(TimeDelta::minutes(11)).await;
    let fan = app.sign_in_again(&stuck.fan).await;
    let query = "{ viewer { notifications { nodes { kind } } } }";
    let told = app.query(Some(&fan.token), query, json!({})).await;
    let kinds = told.data()["viewer"]["notifications"]["nodes"].as_array().unwrap().clone();
    assert_eq!(kinds.iter().filter(|it| it["kind"] == "EVENT_CANCELED").count(), 1, "{kinds:?}");
    heal(&app).await;
    assert_eq!(compare(&app.app).await.unwrap(), Comparison { asked: 1, ..Comparison::default() });
}

async fn a_cancellation_that_cannot_be_read_is_closed_by_an_admins_word(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let booking = app.buy(&fan, &event, 2, "k").await;
    app.faults("order", "garbage", 1_000).await;
    let input = json!({ "bookingId": booking, "idempotencyKey": "c" });
    app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    let payment = app.booking(&fan, &booking).await["payment"].clone();
    assert_eq!((&payment["status"], app.remaining(&event).await), (&json!("CANCELING"), 1));
    let id = payment["id"].as_str().unwrap();
    app.pass(TimeDelta::minutes(11)).await;
    let keeper = admin(&app, "keeper").await;
    let request = CancelRequest { tid: row(&app, id).await.tid.unwrap(), amount: 10_000 };
    app.app.provider.cancel(&request).await.unwrap();
    assert_decided(&decide(&app, &keeper, id, returned(10_000)).await, "ADMIN", "CANCELED");
    assert_eq!(
        (app.booking(&fan, &booking).await["status"].clone(), app.remaining(&event).await),
        (json!("CANCELED"), 3)
    );
    app.pass(TimeDelta::minutes(11)).await;
}

/// A charge over 5,000 won; `call` is what became of the call for its money, if somebody agreed to pay.
async fn charge(app: &TestApp, fan: &Person, key: &str, call: Option<&str>) -> String {
    let input = json!({ "amount": 5_000, "idempotencyKey": key });
    let payload = app.mutate(Some(&fan.token), "pointChargeStart", "payment { id redirect { pcUrl } }", input).await;
    if let Some(call) = call {
        app.pay(&payload, "approve", call).await;
    }
    payload["payment"]["id"].as_str().unwrap().to_owned()
}

async fn points(app: &TestApp, fan: &Person) -> (i64, usize) {
    let fan = app.sign_in_again(fan).await;
    let query = "{ viewer { pointBalance pointEntries { nodes { kind } } } }";
    let viewer = app.query(Some(&fan.token), query, json!({})).await.data()["viewer"].clone();
    (viewer["pointBalance"].as_i64().unwrap(), viewer["pointEntries"]["nodes"].as_array().unwrap().len())
}

async fn a_charge_is_credited_or_closed_by_an_admins_word(app: TestApp) {
    let (fan, keeper) = (app.fan("mina").await, admin(&app, "keeper").await);
    app.faults("order", "unknown_status", 1_000).await;
    let (kept, lost) =
        (charge(&app, &fan, "a", Some("error_after")).await, charge(&app, &fan, "b", Some("error_before")).await);
    app.work().await;
    app.pass(TimeDelta::minutes(11)).await;
    assert_eq!(points(&app, &fan).await, (0, 0));
    assert_decided(&decide(&app, &keeper, &kept, taken(5_000)).await, "ADMIN", "APPROVED");
    assert_decided(&decide(&app, &keeper, &lost, not_taken()).await, "ADMIN", "FAILED");
    assert_eq!(points(&app, &fan).await, (5_000, 1));
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(points(&app, &fan).await, (5_000, 1));
}

async fn a_charge_that_nobody_paid_and_nobody_can_ask_about_gets_to_an_admin(app: TestApp) {
    let fan = app.fan("mina").await;
    app.faults("order", "garbage", 1_000).await;
    let id = charge(&app, &fan, "a", None).await;
    app.pass(TimeDelta::minutes(15)).await;
    app.pass(TimeDelta::minutes(9)).await;
    assert_eq!(row(&app, &id).await.status, PaymentStatus::Ready, "there is time to ask");
    // Its job comes back within a quarter of an hour.
    app.pass(TimeDelta::minutes(15)).await;
    assert_eq!(row(&app, &id).await.status, PaymentStatus::Approving, "in doubt like any other");
    let keeper = admin(&app, "keeper").await;
    assert_eq!(user_error(&decide(&app, &keeper, &id, not_taken()).await), "NOT_ALLOWED paymentId", "not yet");
    app.pass(TimeDelta::minutes(11)).await;
    assert_decided(&decide(&app, &keeper, &id, not_taken()).await, "ADMIN", "FAILED");
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(points(&app, &fan).await, (0, 0));
}
