//! What is asked twice is done once: by its `idempotencyKey`, or by the state of what it is about. The list of the
//! mutations is complete, or this fails.

use crate::harness::{Event, PASSWORD, Person, TestApp, errors_of};
use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use chrono::TimeDelta;
use entity::{audit_log, job, payment, point_entry, ticket_type};
use futures_util::future::join_all;
use libtest_mimic::{Failed, Trial};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use serde_json::{Value, json};
use std::collections::BTreeMap;

crate::scenarios![
    an_event_called_off_four_times_is_called_off_once,
    an_update_sent_twice_adds_no_second_ticket_type,
    an_event_removed_four_times_at_once_is_refunded_once,
    a_member_removed_four_times_at_once_is_removed_once,
    a_payment_asked_about_twice_at_once_is_taken_once,
    a_job_retried_four_times_at_once_is_retried_once,
];

/// What makes a second identical call harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// `idempotencyKey`.
    Key,
    /// The state of what it is about: the second call finds it done.
    State,
    /// It moves no seats, no money and no points.
    Nothing,
}

use By::{Key, Nothing, State};

const MUTATIONS: &[(&str, By)] = &[
    ("bookingStart", Key),
    ("bookingCancel", Key),
    ("pointChargeStart", Key),
    ("paymentApprove", State),
    ("couponIssue", State),
    ("eventCreate", State),
    ("eventUpdate", State),
    ("eventCancel", State),
    ("accountWithdraw", State),
    ("adminEventRemove", State),
    ("adminUserRemove", State),
    ("adminPaymentDecide", State),
    ("adminPaymentReconcile", State),
    ("adminJobRetry", State),
    ("couponUpdate", State),
    ("couponDelete", State),
    ("couponCreate", Nothing),
    ("adminPasswordChange", Nothing),
    ("adminReviewRemove", Nothing),
    ("adminSignIn", Nothing),
    ("adminTotpConfirm", Nothing),
    ("adminTotpDisable", Nothing),
    ("adminTotpEnroll", Nothing),
    ("adminUserRoleChange", Nothing),
    ("attachmentDelete", Nothing),
    ("attachmentReorder", Nothing),
    ("attachmentUpload", Nothing),
    ("emailChange", Nothing),
    ("emailCodeSend", Nothing),
    ("emailCodeVerify", Nothing),
    ("notificationsMarkRead", Nothing),
    ("passwordChange", Nothing),
    ("passwordReset", Nothing),
    ("profileUpdate", Nothing),
    ("sessionRefresh", Nothing),
    ("signIn", Nothing),
    ("signOut", Nothing),
    ("signUp", Nothing),
    ("socialAccountLink", Nothing),
    ("socialAccountUnlink", Nothing),
    ("socialSignIn", Nothing),
    ("socialSignInStart", Nothing),
];

pub fn trials() -> Vec<Trial> {
    vec![Trial::test("natural_keys::every_mutation_is_decided_on", || {
        let (known, decided) = (in_the_schema()?, MUTATIONS.iter().copied().collect::<BTreeMap<_, _>>());
        let undecided: Vec<_> = known.keys().filter(|name| !decided.contains_key(name.as_str())).collect();
        let gone: Vec<_> = decided.keys().filter(|name| !known.contains_key(**name)).collect();
        let otherwise: Vec<_> =
            known.iter().filter(|(name, has_key)| (decided.get(name.as_str()) == Some(&Key)) != **has_key).collect();
        if undecided.is_empty() && gone.is_empty() && otherwise.is_empty() {
            return Ok(());
        }
        Err(Failed::from(format!("not decided on: {undecided:?}; gone: {gone:?}; a key, or none: {otherwise:?}")))
    })]
}

/// Each mutation, and whether its input has a key that must be given.
fn in_the_schema() -> Result<BTreeMap<String, bool>, Failed> {
    let document = parse_schema(spotlight::graphql::sdl())?;
    let (mut mutations, mut with_key) = (BTreeMap::new(), Vec::new());
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.to_string();
        match definition.node.kind {
            TypeKind::Object(object) if name == "Mutation" => {
                for field in object.fields {
                    let inputs = field.node.arguments.iter().map(|argument| argument.node.ty.node.to_string());
                    mutations.insert(field.node.name.node.to_string(), inputs.collect::<Vec<String>>());
                }
            }
            TypeKind::InputObject(input) => {
                let is_key = |name: &str, ty: &str| name == "idempotencyKey" && ty == "String!";
                if input.fields.iter().any(|field| is_key(&field.node.name.node, &field.node.ty.node.to_string())) {
                    with_key.push(format!("{name}!"));
                }
            }
            _ => {}
        }
    }
    Ok(mutations.into_iter().map(|(name, inputs)| (name, inputs.iter().any(|ty| with_key.contains(ty)))).collect())
}

async fn four_times(app: &TestApp, token: &str, name: &str, selection: &str, input: &Value) -> Vec<Value> {
    join_all((0..4).map(|_| app.mutate(Some(token), name, selection, input.clone()))).await
}

/// One did it, the others were told so.
fn assert_one_did(answers: &[Value], refusal: &str) {
    let refused = answers.iter().filter(|answer| errors_of(answer) == [refusal]).count();
    let did = answers.iter().filter(|answer| errors_of(answer).is_empty()).count();
    assert_eq!((did, refused), (1, answers.len() - 1), "{answers:?}");
}

async fn admin(app: &TestApp) -> String {
    let email = "keeper@spotlight.test";
    spotlight::admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": email, "password": PASSWORD });
    let admin = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    admin["session"]["accessToken"].as_str().unwrap().to_owned()
}

async fn changes(app: &TestApp, action: &str) -> u64 {
    audit_log::Entity::find().filter(audit_log::Column::Action.eq(action)).count(app.app.db.reads()).await.unwrap()
}

/// An event with one paid booking of two seats.
async fn sold(app: &TestApp) -> (Person, Person, Event, String) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 10).await;
    let booking = app.buy(&fan, &event, 2, "k").await;
    (artist, fan, event, booking)
}

async fn assert_refunded_once(app: &TestApp, fan: &Person, event: &Event, booking: &str) {
    app.work().await;
    let now = app.booking(fan, booking).await;
    assert_eq!((&now["status"], &now["payment"]["canceledAmount"]), (&json!("CANCELED"), &json!(10_000)), "{now}");
    let rows = ticket_type::Entity::find()
        .filter(ticket_type::Column::EventId.eq(event.id.parse::<entity::ids::EventId>().unwrap()));
    let [row] = rows.all(app.app.db.reads()).await.unwrap().try_into().unwrap();
    assert_eq!((row.capacity, row.remaining), (10, 10));
}

/// The answer of the first may be lost: whoever asks again is told that it is canceled, and not that it cannot be.
async fn an_event_called_off_four_times_is_called_off_once(app: TestApp) {
    let (artist, fan, event, booking) = sold(&app).await;
    let input = json!({ "eventId": event.id });
    let answers = four_times(&app, &artist.token, "eventCancel", "event { id status }", &input).await;
    for answer in &answers {
        assert_eq!(answer["event"], json!({ "id": event.id, "status": "CANCELED" }), "{answer}");
    }
    let refunds = job::Entity::find().filter(job::Column::Name.eq("refund_event"));
    assert_eq!(refunds.count(app.app.db.reads()).await.unwrap(), 1);
    assert_refunded_once(&app, &fan, &event, &booking).await;
    let again = app.mutate(Some(&artist.token), "eventCancel", "event { status }", input).await;
    assert_eq!(again["event"]["status"], "CANCELED", "{again}");
    assert!(app.is_idle().await, "nothing is left to be done for it");
}

async fn an_update_sent_twice_adds_no_second_ticket_type(app: TestApp) {
    let (artist, _, event, _) = sold(&app).await;
    let types = json!([
        { "id": event.types[0], "name": "일반", "price": 5_000, "capacity": 15 },
        { "name": "서서", "price": 3_000, "capacity": 4 },
    ]);
    let input = json!({ "eventId": event.id, "ticketTypes": types });
    let answers = four_times(&app, &artist.token, "eventUpdate", "event { id }", &input).await;
    assert_one_did(&answers, "NOT_ALLOWED ticketTypes");
    let mut rows = ticket_type::Entity::find().all(app.app.db.reads()).await.unwrap();
    rows.sort_by_key(|row| row.position);
    let seats: Vec<(i32, i32)> = rows.iter().map(|row| (row.capacity, row.remaining)).collect();
    assert_eq!(seats, [(15, 13), (4, 4)]);
}

async fn an_event_removed_four_times_at_once_is_refunded_once(app: TestApp) {
    let (_, fan, event, booking) = sold(&app).await;
    let keeper = admin(&app).await;
    let input = json!({ "eventId": event.id, "reason": "asked" });
    let answers = four_times(&app, &keeper, "adminEventRemove", "event { id }", &input).await;
    assert_one_did(&answers, "NOT_FOUND eventId");
    assert_eq!(changes(&app, "event.remove").await, 1);
    assert_refunded_once(&app, &fan, &event, &booking).await;
}

async fn a_member_removed_four_times_at_once_is_removed_once(app: TestApp) {
    let (_, fan, event, booking) = sold(&app).await;
    app.give_points(&fan, 700).await;
    let keeper = admin(&app).await;
    let user = spotlight::user::query::by_email(app.app.db.reads(), &fan.email).await.unwrap().unwrap();
    let input = json!({ "userId": user.id.to_string(), "reason": "asked", "override": true });
    let answers = four_times(&app, &keeper, "adminUserRemove", "user { id }", &input).await;
    assert_one_did(&answers, "NOT_FOUND userId");
    assert_eq!(changes(&app, "user.remove").await, 1);
    // The refunds, and then the points, which wait for them.
    app.work().await;
    app.pass(TimeDelta::minutes(5)).await;
    assert_eq!(app.remaining(&event).await, 10);
    let id: entity::ids::BookingId = booking.parse().unwrap();
    let paid = payment::Entity::find().filter(payment::Column::BookingId.eq(id)).one(app.app.db.reads()).await.unwrap();
    assert_eq!(paid.unwrap().canceled_amount, 10_000);
    let entries = point_entry::Entity::find().filter(point_entry::Column::UserId.eq(user.id));
    let amounts: Vec<i64> = entries.all(app.app.db.reads()).await.unwrap().iter().map(|row| row.amount).collect();
    assert_eq!((amounts.len(), amounts.iter().sum::<i64>()), (2, 0), "{amounts:?}");
}

async fn a_payment_asked_about_twice_at_once_is_taken_once(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let event = app.event(&artist, 5_000, 10).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    // The money is taken, and the answer gets lost.
    app.pay(&payload, "approve", "error_after").await;
    let input = json!({ "paymentId": payload["payment"]["id"] });
    let answers = four_times(&app, &keeper, "adminPaymentReconcile", "payment { id }", &input).await;
    let is_clear = |answer: &Value| errors_of(answer).iter().all(|error| error == "NOT_ALLOWED paymentId");
    assert!(answers.iter().all(is_clear), "done, or nothing left to do: {answers:?}");
    let again = app.mutate(Some(&keeper), "adminPaymentReconcile", "payment { id }", input).await;
    assert_eq!(errors_of(&again), ["NOT_ALLOWED paymentId"]);
    app.work().await;
    let now = app.booking(&fan, payload["booking"]["id"].as_str().unwrap()).await;
    assert_eq!((&now["status"], now["tickets"].as_array().unwrap().len()), (&json!("CONFIRMED"), 2), "{now}");
    assert_eq!(app.remaining(&event).await, 8);
}

async fn a_job_retried_four_times_at_once_is_retried_once(app: TestApp) {
    let (db, keeper) = (app.app.db.reads(), admin(&app).await);
    let id = app.app.ids.next::<entity::ids::JobId>();
    let parked = job::ActiveModel {
        id: Set(id),
        name: Set("of_another_version".into()),
        lane: Set(0),
        payload: Set("{}".into()),
        run_at: Set(app.now()),
        attempts: Set(12),
        faults: Set(12),
        parked_at: Set(Some(app.now())),
        created_at: Set(app.now()),
        ..<job::ActiveModel as Default>::default()
    };
    job::Entity::insert(parked).exec_without_returning(db).await.unwrap();
    let input = json!({ "jobId": id.to_string() });
    let answers = four_times(&app, &keeper, "adminJobRetry", "job { id }", &input).await;
    assert_one_did(&answers, "NOT_ALLOWED jobId");
    assert_eq!(changes(&app, "job.retry").await, 1);
    job::Entity::delete_by_id(id).exec(db).await.unwrap();
}
