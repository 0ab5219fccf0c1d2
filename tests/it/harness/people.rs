//! People and events of a scenario, made through the API.

use super::TestApp;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub email: String,
    pub token: String,
    pub refresh_token: String,
}

/// A published event with its ticket types' ids.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    pub types: Vec<String>,
    pub starts_at: DateTime<Utc>,
}

pub const PASSWORD: &str = "Spotlight1!";

impl TestApp {
    pub async fn code_for(&self, email: &str) -> String {
        self.mutate(None, "emailCodeSend", "isAccepted", json!({ "email": email, "purpose": "SIGN_UP" })).await;
        let mail = self.mail_to(email).await;
        let digits: String = mail.chars().filter(char::is_ascii_digit).take(6).collect();
        assert_eq!(digits.len(), 6, "{mail}");
        digits
    }

    pub async fn sign_up(&self, name: &str, role: &str) -> Person {
        let email = format!("{name}@example.kr");
        let code = self.code_for(&email).await;
        let payload = self.mutate(None, "signUp", SESSION, sign_up_input(&email, &code, role)).await;
        Person::of(&email, &payload)
    }

    /// Does `asked`, and `meanwhile` while its password waits to be compared.
    pub async fn while_comparing<T>(&self, asked: impl Future<Output = T>, meanwhile: impl Future<Output = ()>) -> T {
        let held = self.app.passwords.hold();
        let meanwhile = async {
            while self.app.passwords.waiting() == 0 {
                tokio::task::yield_now().await;
            }
            meanwhile.await;
            drop(held);
        };
        tokio::join!(asked, meanwhile).0
    }

    /// After the clock moved past the token's life.
    pub async fn sign_in_again(&self, person: &Person) -> Person {
        let input = json!({ "email": person.email, "password": PASSWORD });
        Person::of(&person.email, &self.mutate(None, "signIn", SESSION, input).await)
    }

    pub async fn fan(&self, name: &str) -> Person {
        self.sign_up(name, "USER").await
    }

    pub async fn artist(&self, name: &str) -> Person {
        self.sign_up(name, "ARTIST").await
    }

    /// Of one ticket type; open now, starting in ten days.
    pub async fn event(&self, artist: &Person, price: i64, capacity: i32) -> Event {
        let types = json!([{ "name": "일반", "price": price, "capacity": capacity }]);
        self.event_of(artist, json!({ "ticketTypes": types })).await
    }

    /// With some fields of its own.
    pub async fn event_of(&self, artist: &Person, changes: Value) -> Event {
        let mut input = self.event_input(1_000, 10);
        for (key, value) in changes.as_object().unwrap() {
            input[key] = value.clone();
        }
        let payload = self.mutate(Some(&artist.token), "eventCreate", EVENT, input).await;
        self.work().await;
        let event = &payload["event"];
        let ids = event["ticketTypes"].as_array().unwrap_or_else(|| panic!("{payload}")).iter();
        Event {
            id: event["id"].as_str().unwrap().to_owned(),
            types: ids.map(|row| row["id"].as_str().unwrap().to_owned()).collect(),
            starts_at: event["startsAt"].as_str().unwrap().parse().unwrap(),
        }
    }

    pub fn event_input(&self, price: i64, capacity: i32) -> Value {
        let at = |days| self.now() + TimeDelta::days(days);
        json!({
            "title": "봄밤 인디 공연", "content": "작은 무대에서 듣는 노래", "category": "MUSIC",
            "venue": { "name": "연남 소극장", "address": "서울 마포구 연남동" },
            "bookingOpensAt": at(-1), "bookingClosesAt": at(9), "startsAt": at(10), "endsAt": at(11),
            "ticketTypes": [{ "name": "일반", "price": price, "capacity": capacity }],
        })
    }

    /// Points out of nowhere: there is no way to get them through the API yet.
    pub async fn give_points(&self, person: &Person, points: i64) {
        let (app, kind) = (&self.app, entity::enums::PointEntryKind::Adjustment);
        let user = spotlight::user::query::by_email(app.db.reads(), &person.email).await.unwrap().unwrap();
        let txn = app.db.begin().await.unwrap();
        spotlight::point::ledger::add(&txn, app, user.id, kind, points, &person.email).await.unwrap();
        txn.commit().await.unwrap();
    }

    pub async fn remaining(&self, event: &Event) -> i64 {
        let answer =
            self.query(None, "query($id: ID!) { event(id: $id) { remaining } }", json!({ "id": event.id })).await;
        answer.data()["event"]["remaining"].as_i64().unwrap()
    }

    /// `bookingStart` of so many seats of the first type.
    pub async fn book(&self, person: &Person, event: &Event, quantity: i32, key: &str) -> Value {
        self.mutate(Some(&person.token), "bookingStart", BOOKING, booking_input(event, quantity, key)).await
    }

    /// Books, presses `press` on the provider's page, and follows the browser back to us. Answers the booking's id and
    /// the address that the browser was sent to last.
    pub async fn pay(&self, payload: &Value, press: &str, fault: &str) -> String {
        let back = self.press(payload, press, fault).await;
        self.http.get(&back).send().await.unwrap();
        back
    }

    /// Presses `press` on the provider's page. Answers the address that it sends the browser back to.
    pub async fn press(&self, payload: &Value, press: &str, fault: &str) -> String {
        let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap_or_else(|| panic!("{payload}"));
        let pressed = self.http.post(format!("{page}/{press}")).form(&[("fault", fault)]).send().await.unwrap();
        pressed.headers()["location"].to_str().unwrap().to_owned()
    }

    /// What goes wrong with the provider's next call of an operation.
    pub async fn fault(&self, operation: &str, fault: &str) {
        self.faults(operation, fault, 1).await;
    }

    /// With its next few calls.
    pub async fn faults(&self, operation: &str, fault: &str, times: u32) {
        let url = format!("{}/sandbox/kakaopay/faults", self.url);
        let body = json!({ "operation": operation, "fault": fault, "times": times });
        assert_eq!(self.http.post(url).json(&body).send().await.unwrap().status(), 204);
    }

    /// The steps in the log of a payment.
    pub async fn story(&self, payment: &str) -> Vec<String> {
        use entity::payment_event::{Column, Entity};
        let of = Entity::find().filter(Column::PaymentId.eq(payment.parse::<entity::ids::PaymentId>().unwrap()));
        let rows = of.order_by_asc(Column::At).order_by_asc(Column::Id).all(self.app.db.reads()).await.unwrap();
        rows.into_iter().map(|row| row.step).collect()
    }

    /// A confirmed booking's id.
    pub async fn buy(&self, person: &Person, event: &Event, quantity: i32, key: &str) -> String {
        let payload = self.book(person, event, quantity, key).await;
        self.pay(&payload, "approve", "none").await;
        self.work().await;
        let id = payload["booking"]["id"].as_str().unwrap().to_owned();
        assert_eq!(self.booking(person, &id).await["status"], "CONFIRMED");
        id
    }

    pub async fn booking(&self, person: &Person, id: &str) -> Value {
        let query = "query($id: ID!) { node(id: $id) { ... on Booking { status amountDue tickets { id code status } \
                     payment { id status amount canceledAmount } } } }";
        self.query(Some(&person.token), query, json!({ "id": id })).await.data()["node"].clone()
    }
}

pub const SESSION: &str = "session { accessToken refreshToken } viewer { email role }";
pub const EVENT: &str =
    "event { id status startsAt cancelableUntil capacity ticketTypes { id price capacity remaining } }";
pub const BOOKING: &str =
    "booking { id status amountDue expiresAt tickets { code } } payment { id status amount redirect { pcUrl } }";

pub fn sign_up_input(email: &str, code: &str, role: &str) -> Value {
    json!({
        "email": email, "emailCode": code, "password": PASSWORD, "nickname": "관객", "birthDate": "1995-05-05",
        "phoneNumber": "010-1234-5678", "location": "서울", "role": role,
    })
}

pub fn booking_input(event: &Event, quantity: i32, key: &str) -> Value {
    json!({
        "eventId": event.id, "lines": [{ "ticketTypeId": event.types[0], "quantity": quantity }],
        "idempotencyKey": key, "returnUrl": "http://localhost:3000/done",
    })
}

impl Person {
    pub fn of(email: &str, payload: &Value) -> Self {
        let token = |name: &str| payload["session"][name].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned();
        Self { email: email.to_owned(), token: token("accessToken"), refresh_token: token("refreshToken") }
    }
}
