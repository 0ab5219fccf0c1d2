//! A COMMIT whose answer is lost, or that is lost itself, at each commit of each deed: whoever asked is told that nobody
//! knows, asks again, and it is done once. After each scenario the harness checks every invariant.

use crate::harness::{Answer, BOOKING, Cut, EVENT, Node, PASSWORD, Person, Road, TestApp, booking_input};
use chrono::TimeDelta;
use entity::{booking, kv};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

crate::scenarios![
    a_free_booking_is_made_once,
    a_paid_booking_is_made_once_and_can_be_paid,
    an_approval_takes_the_money_once_or_not_at_all,
    the_way_back_from_the_page_takes_the_money_once_or_not_at_all,
    a_cancellation_gives_back_once,
    a_coupon_is_issued_once,
    a_charge_is_opened_once_and_credited_once,
    an_event_is_published_once_and_its_lock_is_let_go,
];

/// Every commit of a deed, in both ways, one in each round.
struct Rounds {
    node: Node,
    road: Road,
    cut: Cut,
    passing: usize,
    /// Whether the last round had a commit to cut.
    was_cut: Option<bool>,
    done: usize,
    /// First answers that were errors.
    told: usize,
}

impl Rounds {
    /// `None` where there is no connection to cut.
    async fn new(app: &TestApp) -> Option<Self> {
        let (road, node) = Road::with_node(app, |_| {}).await?;
        Some(Self { node, road, cut: Cut::Answer, passing: 0, was_cut: None, done: 0, told: 0 })
    }

    /// A key for the next round; `None` when no commit is left. A deed has `least` commits at least, or nothing was shown.
    fn next(&mut self, least: usize) -> Option<String> {
        match self.was_cut.take() {
            None => {}
            Some(true) => self.passing += 1,
            Some(false) => {
                assert!(self.passing >= least, "{:?}: only {} commits", self.cut, self.passing);
                if self.cut == Cut::Before {
                    return None;
                }
                (self.cut, self.passing) = (Cut::Before, 0);
            }
        }
        self.done += 1;
        Some(format!("{:?} {}", self.cut, self.passing))
    }

    /// Asks once on the road that breaks.
    async fn once(&mut self, app: &TestApp, token: &str, document: &str, input: &Value) -> Answer {
        // The budget is leased before, so that no commit of the round is about that.
        app.query_at(&self.node.url, Some(token), "{ __typename }", json!({})).await;
        self.road.arm(self.passing, self.cut);
        let first = app.query_at(&self.node.url, Some(token), document, json!({ "input": input })).await;
        self.was_cut = Some(self.road.disarm());
        self.told += usize::from(first.body.get("errors").is_some());
        first
    }

    /// And once more when it holds: both answers.
    async fn twice(&mut self, app: &TestApp, token: &str, document: &str, input: &Value) -> (Answer, Answer) {
        let first = self.once(app, token, document, input).await;
        (first, app.query_at(&self.node.url, Some(token), document, json!({ "input": input })).await)
    }

    /// Somebody was told that nobody knows, in both ways: the deed's own commit was among those that were cut.
    async fn end(self) {
        assert!(self.told >= 2, "{} of {} rounds had an error", self.told, self.done);
        self.node.stop().await;
    }

    /// Nobody was told anything: the server found out by itself what had become of it.
    async fn end_untold(self) {
        assert_eq!(self.told, 0, "of {} rounds", self.done);
        self.node.stop().await;
    }
}

/// It says that nobody knows, when to come back, and how.
fn assert_clear(answer: &Answer, context: &str) {
    let Some(error) = answer.body["errors"].get(0) else { return };
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("may have been done") && message.contains("same idempotencyKey"), "{context}: {message}");
    assert_eq!(error["extensions"]["retryAfter"], 1, "{context}: {error}");
}

/// What was asked twice: the first answer is clear, the second one is the answer.
fn settled(name: &str, key: &str, (first, second): &(Answer, Answer)) -> Value {
    assert_clear(first, key);
    let payload = second.data()[name].clone();
    if first.body.get("errors").is_none() {
        assert_eq!(first.data()[name], payload, "{key}: the same key, another answer");
    }
    payload
}

fn document(name: &str, input: &str, selection: &str) -> String {
    format!("mutation($input: {input}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code }} }} }}")
}

async fn bookings(app: &TestApp) -> u64 {
    booking::Entity::find().count(app.app.db.reads()).await.unwrap()
}

async fn a_free_booking_is_made_once(app: TestApp) {
    let Some(mut rounds) = Rounds::new(&app).await else { return };
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 100).await;
    let document = document("bookingStart", "BookingStartInput", BOOKING);
    while let Some(key) = rounds.next(1) {
        let answers = rounds.twice(&app, &fan.token, &document, &booking_input(&event, 1, &key)).await;
        let payload = settled("bookingStart", &key, &answers);
        assert_eq!(payload["booking"]["status"], "CONFIRMED", "{key}: {payload}");
    }
    assert_eq!(bookings(&app).await, u64::try_from(rounds.done).unwrap());
    assert_eq!(app.remaining(&event).await, 100 - i64::try_from(rounds.done).unwrap());
    rounds.end_untold().await;
}

async fn a_paid_booking_is_made_once_and_can_be_paid(app: TestApp) {
    let Some(mut rounds) = Rounds::new(&app).await else { return };
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 100).await;
    let document = document("bookingStart", "BookingStartInput", BOOKING);
    // The hold, the intent, the page.
    while let Some(key) = rounds.next(3) {
        let answers = rounds.twice(&app, &fan.token, &document, &booking_input(&event, 1, &key)).await;
        let payload = settled("bookingStart", &key, &answers);
        assert_eq!(payload["payment"]["status"], "READY", "{key}: {payload}");
        app.pay(&payload, "approve", "none").await;
        assert_eq!(app.booking(&fan, payload["booking"]["id"].as_str().unwrap()).await["status"], "CONFIRMED", "{key}");
    }
    assert_eq!(bookings(&app).await, u64::try_from(rounds.done).unwrap());
    rounds.end().await;
}

/// Held at the node, and agreed to on the provider's page: the booking, the payment, and the way back.
async fn agreed(app: &TestApp, rounds: &Rounds, fan: &Person, input: &Value) -> (String, String, String) {
    let start = document("bookingStart", "BookingStartInput", BOOKING);
    let started = app.query_at(&rounds.node.url, Some(&fan.token), &start, json!({ "input": input })).await;
    let payload = &started.data()["bookingStart"];
    let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
    let pressed = app.http.post(format!("{page}/approve")).form(&[("fault", "none")]).send().await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let back = pressed.headers()["location"].to_str().unwrap().to_owned();
    (text(&payload["booking"]["id"]), text(&payload["payment"]["id"]), back)
}

/// Sold and paid, or given back with nothing taken, when the reconciler has looked.
async fn assert_decided(app: &TestApp, fan: &Person, booking: &str, key: &str) -> bool {
    app.pass(TimeDelta::seconds(21)).await;
    let now = app.booking(fan, booking).await;
    let (status, paid) = (now["status"].as_str().unwrap(), now["payment"]["status"].as_str().unwrap());
    assert!(matches!((status, paid), ("CONFIRMED", "APPROVED") | ("EXPIRED", "FAILED")), "{key}: {now}");
    status == "CONFIRMED"
}

async fn an_approval_takes_the_money_once_or_not_at_all(app: TestApp) {
    let Some(mut rounds) = Rounds::new(&app).await else { return };
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 100).await;
    let document = document("paymentApprove", "PaymentApproveInput", "payment { status } booking { status }");
    let mut sold = 0;
    // That it is on its way, and what became of it.
    while let Some(key) = rounds.next(2) {
        let (booking, payment, back) = agreed(&app, &rounds, &fan, &booking_input(&event, 1, &key)).await;
        let input = json!({ "paymentId": payment, "pgToken": back.split("pg_token=").nth(1).unwrap() });
        let (first, second) = rounds.twice(&app, &fan.token, &document, &input).await;
        assert_clear(&first, &key);
        let said = &second.data()["paymentApprove"];
        let is_sold = assert_decided(&app, &fan, &booking, &key).await;
        match said["userErrors"][0]["code"].as_str() {
            Some(code) => assert_eq!(code, "PAYMENT_IN_DOUBT", "{key}: {said}"),
            None => assert!(said["payment"]["status"] == "APPROVED" && is_sold, "{key}: {said}"),
        }
        sold += i64::from(is_sold);
    }
    assert_eq!(app.remaining(&event).await, 100 - sold);
    rounds.end().await;
}

async fn the_way_back_from_the_page_takes_the_money_once_or_not_at_all(app: TestApp) {
    let Some(mut rounds) = Rounds::new(&app).await else { return };
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 100).await;
    let mut sold = 0;
    while let Some(key) = rounds.next(2) {
        let (booking, _, back) = agreed(&app, &rounds, &fan, &booking_input(&event, 1, &key)).await;
        rounds.road.arm(rounds.passing, rounds.cut);
        let first = app.http.get(&back).send().await.unwrap();
        rounds.was_cut = Some(rounds.road.disarm());
        // Back at the shop, which shows what the payment is now.
        assert_eq!(first.status(), 303, "{key}: {}", first.text().await.unwrap());
        app.http.get(&back).send().await.unwrap();
        sold += i64::from(assert_decided(&app, &fan, &booking, &key).await);
    }
    assert_eq!(app.remaining(&event).await, 100 - sold);
    rounds.node.stop().await;
}

async fn a_cancellation_gives_back_once(app: TestApp) {
    let Some(mut rounds) = Rounds::new(&app).await else { return };
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 100).await;
    let document = document("bookingCancel", "BookingCancelInput", "booking { id }");
    // That it is to go back, the intent, and that it is back.
    while let Some(key) = rounds.next(3) {
        let id = app.buy(&fan, &event, 1, &format!("buy {key}")).await;
        let input = json!({ "bookingId": id, "idempotencyKey": key });
        let answers = rounds.twice(&app, &fan.token, &document, &input).await;
        assert_eq!(settled("bookingCancel", &key, &answers)["booking"]["id"], id, "{key}");
        app.pass(TimeDelta::seconds(21)).await;
        let now = app.booking(&fan, &id).await;
        assert_eq!((&now["status"], &now["payment"]["canceledAmount"]), (&json!("CANCELED"), &json!(5_000)), "{key}");
    }
    assert_eq!(app.remaining(&event).await, 100);
    rounds.end().await;
}

async fn a_coupon_is_issued_once(app: TestApp) {
    let Some(mut rounds) = Rounds::new(&app).await else { return };
    let keeper = admin(&app).await;
    let fan = app.fan("mina").await;
    let document = "mutation($input: CouponIssueInput!) { couponIssue(input: $input) { userCoupon { id } \
                    userErrors { code ... on AlreadyIssuedError { userCouponId } } } }";
    while let Some(key) = rounds.next(1) {
        for kind in ["STANDARD", "LIMITED"] {
            let input = json!({
                "name": key, "kind": kind, "discountKind": "FIXED", "discountValue": 1_000, "quantity": 10,
                "validFrom": app.now(), "validUntil": app.now() + TimeDelta::days(3),
            });
            let made = app.mutate(Some(&keeper), "couponCreate", "coupon { id }", input).await;
            let input = json!({ "couponId": made["coupon"]["id"] });
            let (first, second) = rounds.twice(&app, &fan.token, document, &input).await;
            assert_clear(&first, &key);
            let said = &second.data()["couponIssue"];
            let own = if rounds.was_cut == Some(true) && rounds.cut == Cut::Before && rounds.passing == 0 {
                &said["userCoupon"]["id"]
            } else {
                assert_eq!(said["userErrors"][0]["code"], "ALREADY_ISSUED", "{key}: {said}");
                &said["userErrors"][0]["userCouponId"]
            };
            assert!(own.is_string(), "{key}: {said}");
        }
    }
    rounds.end().await;
}

async fn admin(app: &TestApp) -> String {
    let email = "keeper@spotlight.test";
    spotlight::admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": email, "password": PASSWORD });
    let admin = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    admin["session"]["accessToken"].as_str().unwrap().to_owned()
}

async fn a_charge_is_opened_once_and_credited_once(app: TestApp) {
    let Some(mut rounds) = Rounds::new(&app).await else { return };
    let fan = app.fan("mina").await;
    let document = document("pointChargeStart", "PointChargeStartInput", "payment { id status redirect { pcUrl } }");
    while let Some(key) = rounds.next(3) {
        let input = json!({ "amount": 1_000, "idempotencyKey": key });
        let answers = rounds.twice(&app, &fan.token, &document, &input).await;
        let payload = settled("pointChargeStart", &key, &answers);
        assert_eq!(payload["payment"]["status"], "READY", "{key}: {payload}");
        app.pay(&payload, "approve", "none").await;
    }
    let balance = app.query(Some(&fan.token), "{ viewer { pointBalance } }", json!({})).await;
    assert_eq!(balance.data()["viewer"]["pointBalance"], 1_000 * rounds.done, "{:?}", balance.body);
    rounds.end().await;
}

/// The lock's own commit among them: who was told nothing of having it must not keep the others out.
async fn an_event_is_published_once_and_its_lock_is_let_go(app: TestApp) {
    let Some(mut rounds) = Rounds::new(&app).await else { return };
    let artist = app.artist("haneul").await;
    let document = "mutation($input: EventCreateInput!) { eventCreate(input: $input) { event { id } \
                    userErrors { code ... on DuplicateSubmitError { existingEventId } } } }";
    // The lock, the event, letting go.
    while let Some(key) = rounds.next(3) {
        let mut input = app.event_input(1_000, 10);
        input["title"] = json!(key);
        let first = rounds.once(&app, &artist.token, document, &input).await;
        if first.body.get("errors").is_some() {
            until_let_go(&app).await;
        }
        let second = app.query_at(&rounds.node.url, Some(&artist.token), document, json!({ "input": input })).await;
        let said = &second.data()["eventCreate"];
        let id =
            [&said["event"]["id"], &said["userErrors"][0]["existingEventId"]].into_iter().find(|id| id.is_string());
        let query = "query($id: ID!) { event(id: $id) { title } }";
        let found = app.query(None, query, json!({ "id": id })).await;
        assert_eq!(found.data()["event"]["title"], key, "{key}: {:?} then {said}", first.body);
    }
    let own = app.query(Some(&artist.token), "{ viewer { events(first: 100) { nodes { id } } } }", json!({})).await;
    assert_eq!(own.data()["viewer"]["events"]["nodes"].as_array().unwrap().len(), rounds.done);
    let payload = app.mutate(Some(&artist.token), "eventCreate", EVENT, app.event_input(1_000, 10)).await;
    assert!(payload["event"].is_object(), "{payload}");
    rounds.end().await;
}

/// Looked at until then, for as long as no healthy database needs.
async fn until_let_go(app: &TestApp) {
    let since = Instant::now();
    let locks = || kv::Entity::find().filter(kv::Column::Key.starts_with("lock:")).count(app.app.db.reads());
    while locks().await.unwrap() > 0 {
        assert!(since.elapsed() < Duration::from_secs(10), "the lock is still held");
    }
}
