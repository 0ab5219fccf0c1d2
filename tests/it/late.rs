//! Money that arrives after the hold was given back: it gets the seats again if they are there and may be had, and goes
//! back otherwise. Either way the fan is told.

use crate::harness::{Event, PASSWORD, Person, TestApp};
use chrono::TimeDelta;
use entity::{ids::BookingId, payment};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use spotlight::infra::kakaopay::ApproveRequest;

crate::scenarios![
    late_money_gets_its_seats_again,
    late_money_for_seats_that_are_gone_goes_back,
    late_money_buys_no_more_than_one_may_have,
    late_money_for_an_event_that_is_over_goes_back,
    late_money_for_an_event_that_was_moved_buys_the_new_time_and_may_go_back,
    a_late_check_that_cannot_be_read_is_made_again,
    an_admin_has_the_provider_asked_about_what_was_given_up,
    a_mistyped_password_is_not_the_end,
];

/// Agreed to at the provider, whose approval came to nothing so far; the hold is given back.
struct Slow {
    fan: Person,
    booking: BookingId,
    pg_token: String,
}

async fn lose(app: &TestApp, fan: Person, event: &Event, quantity: i32) -> Slow {
    let payload = app.book(&fan, event, quantity, "k").await;
    let back = app.pay(&payload, "approve", "error_before").await;
    app.work().await;
    let booking = payload["booking"]["id"].as_str().unwrap();
    assert_eq!(app.booking(&fan, booking).await["status"], "EXPIRED");
    Slow { booking: booking.parse().unwrap(), pg_token: back.split("pg_token=").nth(1).unwrap().to_owned(), fan }
}

impl Slow {
    /// The provider does it after all.
    async fn arrive(&self, app: &TestApp) {
        let rows = payment::Entity::find().filter(payment::Column::BookingId.eq(self.booking));
        let row = rows.one(app.app.db.reads()).await.unwrap().unwrap();
        let late = ApproveRequest {
            tid: row.tid.unwrap(),
            partner_order_id: row.id.to_string(),
            partner_user_id: row.user_id.to_string(),
            pg_token: self.pg_token.clone(),
        };
        app.app.provider.approve(&late).await.unwrap();
    }

    async fn booking(&self, app: &TestApp) -> Value {
        app.booking(&self.fan, &self.booking.to_string()).await
    }

    /// The newest first.
    async fn told(&self, app: &TestApp) -> Value {
        let query = "{ viewer { notifications { nodes { kind } } } }";
        app.query(Some(&self.fan.token), query, json!({})).await.data()["viewer"]["notifications"]["nodes"][0]["kind"]
            .clone()
    }

    async fn went_back(&self, app: &TestApp, amount: i64) {
        let booking = self.booking(app).await;
        let payment = &booking["payment"];
        assert_eq!(
            (&booking["status"], &payment["status"], &payment["canceledAmount"]),
            (&json!("EXPIRED"), &json!("CANCELED"), &json!(amount)),
            "{booking}"
        );
        assert_eq!(self.told(app).await, "BOOKING_CANCELED");
    }
}

async fn late_money_gets_its_seats_again(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let slow = lose(&app, fan, &event, 2).await;
    assert_eq!(app.remaining(&event).await, 3);
    slow.arrive(&app).await;
    app.pass(TimeDelta::seconds(15)).await;
    let booking = slow.booking(&app).await;
    assert_eq!((&booking["status"], &booking["payment"]["status"]), (&json!("CONFIRMED"), &json!("APPROVED")));
    assert_eq!(booking["tickets"].as_array().unwrap().len(), 2);
    assert_eq!(app.remaining(&event).await, 1);
    assert_eq!(slow.told(&app).await, "PAYMENT_CONFIRMED");
    app.pass(TimeDelta::minutes(5)).await;
    assert_eq!(slow.booking(&app).await["status"], "CONFIRMED", "asked again, and nothing more");
}

async fn late_money_for_seats_that_are_gone_goes_back(app: TestApp) {
    let (artist, fan, other) = (app.artist("haneul").await, app.fan("mina").await, app.fan("junho").await);
    let event = app.event(&artist, 5_000, 3).await;
    let slow = lose(&app, fan, &event, 2).await;
    app.buy(&other, &event, 2, "k").await;
    slow.arrive(&app).await;
    app.pass(TimeDelta::minutes(1)).await;
    slow.went_back(&app, 10_000).await;
    assert_eq!(app.remaining(&event).await, 1);
}

async fn late_money_buys_no_more_than_one_may_have(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let types = json!([{ "name": "일반", "price": 5_000, "capacity": 20, "perPersonLimit": 2 }]);
    let event = app.event_of(&artist, json!({ "ticketTypes": types })).await;
    let slow = lose(&app, fan, &event, 2).await;
    app.buy(&slow.fan, &event, 2, "again").await;
    slow.arrive(&app).await;
    app.pass(TimeDelta::minutes(1)).await;
    slow.went_back(&app, 10_000).await;
    assert_eq!(app.remaining(&event).await, 18);
}

async fn late_money_for_an_event_that_is_over_goes_back(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let mut slow = lose(&app, fan, &event, 1).await;
    slow.arrive(&app).await;
    // Nobody asked meanwhile.
    app.move_clock(TimeDelta::days(11));
    app.work().await;
    slow.fan = app.sign_in_again(&slow.fan).await;
    slow.went_back(&app, 5_000).await;
}

/// At the moment of the move nobody had seats: no one else is told, and the event itself opens no free cancellation.
async fn late_money_for_an_event_that_was_moved_buys_the_new_time_and_may_go_back(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let mut slow = lose(&app, fan, &event, 2).await;
    app.move_clock(TimeDelta::seconds(5));
    let starts = event.starts_at + TimeDelta::days(5);
    let input = json!({ "eventId": event.id, "startsAt": starts, "endsAt": starts + TimeDelta::hours(1) });
    app.mutate(Some(&artist.token), "eventUpdate", "event { id }", input).await;
    slow.arrive(&app).await;
    app.pass(TimeDelta::seconds(15)).await;
    assert_eq!(slow.booking(&app).await["status"], "CONFIRMED");
    let query = "{ viewer { notifications { nodes { kind } } } }";
    let told = app.query(Some(&slow.fan.token), query, json!({})).await;
    let mut kinds: Vec<&str> = told.data()["viewer"]["notifications"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["kind"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["EVENT_CHANGED", "PAYMENT_CONFIRMED"]);
    app.pass(TimeDelta::days(14)).await;
    slow.fan = app.sign_in_again(&slow.fan).await;
    let input = json!({ "bookingId": slow.booking.to_string(), "idempotencyKey": "c" });
    let payload = app.mutate(Some(&slow.fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(payload["booking"]["status"], "CANCELED", "{payload}");
}

async fn a_late_check_that_cannot_be_read_is_made_again(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let slow = lose(&app, fan, &event, 2).await;
    slow.arrive(&app).await;
    app.fault("order", "unknown_status").await;
    app.pass(TimeDelta::seconds(15)).await;
    assert_eq!(slow.booking(&app).await["status"], "EXPIRED");
    // Long before the next of the planned checks.
    app.pass(TimeDelta::seconds(3)).await;
    assert_eq!(slow.booking(&app).await["status"], "CONFIRMED");
    app.pass(TimeDelta::minutes(21)).await;
}

async fn an_admin_has_the_provider_asked_about_what_was_given_up(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let slow = lose(&app, fan, &event, 2).await;
    let email = "keeper@spotlight.test";
    spotlight::admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": email, "password": PASSWORD });
    let admin = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    let ask = || async {
        let input = json!({ "paymentId": slow.booking(&app).await["payment"]["id"] });
        let token = admin["session"]["accessToken"].as_str();
        app.mutate(token, "adminPaymentReconcile", "payment { payment { status } }", input).await
    };
    assert_eq!(ask().await["payment"]["payment"]["status"], "FAILED");
    slow.arrive(&app).await;
    assert_eq!(ask().await["payment"]["payment"]["status"], "APPROVED");
    assert_eq!(slow.booking(&app).await["status"], "CONFIRMED");
    app.pass(TimeDelta::minutes(21)).await;
}

async fn a_mistyped_password_is_not_the_end(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 3).await;
    let payload = app.book(&fan, &event, 1, "k").await;
    let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
    let pressed = app.http.post(format!("{page}/mistype")).form(&[("fault", "none")]).send().await.unwrap();
    let back = pressed.headers()["location"].to_str().unwrap().to_owned();
    app.http.get(&back).send().await.unwrap();
    assert_eq!(app.booking(&fan, payload["booking"]["id"].as_str().unwrap()).await["status"], "HELD");
    app.pay(&payload, "approve", "none").await;
    app.work().await;
    assert_eq!(app.booking(&fan, payload["booking"]["id"].as_str().unwrap()).await["status"], "CONFIRMED");
}
