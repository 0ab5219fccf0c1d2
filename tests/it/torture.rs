//! Whatever people, the provider and the clock do, in whatever order: every invariant holds after every step, and in the
//! end nothing is in doubt and every won is where it belongs.
//!
//! `SPOTLIGHT_TEST_TORTURE=600x8` makes 600 steps of each of 8 seeds (60x3 if it is unset; `600x8+40` begins with seed 40).
//! A failure names its seed and its last steps; the same seed makes the same choices again.

use crate::harness::{BOOKING, Event, PASSWORD, Person, TestApp, booking_input};
use chrono::TimeDelta;
use entity::{enums::PaymentStatus, payment};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

crate::scenarios![anything_in_any_order_keeps_every_invariant];

/// SplitMix64: the same numbers for a seed, whatever library comes and goes.
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(below).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

#[expect(clippy::disallowed_methods, reason = "how long this one runs is for who runs it to say")]
fn wanted() -> (usize, u64, u64) {
    let wanted = std::env::var("SPOTLIGHT_TEST_TORTURE").unwrap_or_else(|_| "60x3".to_owned());
    let (steps, rest) = wanted.split_once('x').expect("SPOTLIGHT_TEST_TORTURE is like 60x3");
    let (seeds, first) = rest.split_once('+').unwrap_or((rest, "1"));
    (steps.parse().unwrap(), seeds.parse().unwrap(), first.parse().unwrap())
}

struct World<'a> {
    app: &'a TestApp,
    dice: Dice,
    admin: Person,
    artist: Person,
    fans: Vec<Person>,
    events: Vec<Event>,
    coupons: Vec<Value>,
    /// Payloads with a page to press on, and whose they are.
    pages: Vec<Value>,
    /// Bookings, and whose they are.
    bookings: Vec<(usize, Value)>,
    /// For idempotency keys: some are used again.
    keys: usize,
    done: Vec<String>,
}

/// Most of what is older is over, and does nothing any more.
fn recent<T>(all: &[T]) -> &[T] {
    &all[all.len().saturating_sub(4)..]
}

/// Faults of a single call. Time-outs are left to `payment.rs`: each takes seconds.
const FAULTS: [&str; 4] = ["error_before", "error_after", "garbage", "none"];

impl<'a> World<'a> {
    async fn new(app: &'a TestApp, seed: u64) -> Self {
        let artist = app.artist(&format!("artist{seed}")).await;
        let mut fans = Vec::new();
        for index in 0..3 {
            fans.push(app.fan(&format!("fan{seed}-{index}")).await);
        }
        let email = format!("keeper{seed}@spotlight.test");
        spotlight::admin::create::create(&app.app, &email, PASSWORD.to_owned()).await.unwrap();
        let admin = Person { email, token: String::new(), refresh_token: String::new() };
        let mut world = Self {
            app,
            dice: Dice(seed),
            admin,
            artist,
            fans,
            events: Vec::new(),
            coupons: Vec::new(),
            pages: Vec::new(),
            bookings: Vec::new(),
            keys: 0,
            done: Vec::new(),
        };
        world.sign_in().await;
        for (index, price) in [5_000, 8_000, 0].into_iter().enumerate() {
            let types = json!([{ "name": "일반", "price": price, "capacity": 6 }]);
            let title = format!("공연 {seed}-{index}");
            world.events.push(app.event_of(&world.artist, json!({ "title": title, "ticketTypes": types })).await);
        }
        world.coupon("LIMITED").await;
        world.coupon("STANDARD").await;
        world
    }

    /// Tokens run out as the clock moves.
    async fn sign_in(&mut self) {
        for fan in &mut self.fans {
            *fan = self.app.sign_in_again(fan).await;
        }
        self.artist = self.app.sign_in_again(&self.artist).await;
        let input = json!({ "email": self.admin.email, "password": PASSWORD });
        let payload = self.app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
        payload["session"]["accessToken"].as_str().unwrap().clone_into(&mut self.admin.token);
    }

    async fn coupon(&mut self, kind: &str) {
        let input = json!({
            "name": kind, "kind": kind, "discountKind": "PERCENT", "discountValue": 30, "discountCap": 4_000, "quantity": 2,
            "validFrom": self.app.now(), "validUntil": self.app.now() + TimeDelta::days(300),
        });
        let made = self.app.mutate(Some(&self.admin.token), "couponCreate", "coupon { id }", input).await;
        self.coupons.push(made["coupon"]["id"].clone());
    }

    /// One time in eight an old one.
    fn key(&mut self) -> String {
        if self.dice.below(8) > 0 {
            self.keys += 1;
        }
        format!("k{}", self.keys)
    }

    async fn step(&mut self) {
        match self.dice.below(100) {
            0..=21 => self.book().await,
            22..=41 => self.press().await,
            42..=47 => self.charge().await,
            48..=57 => self.cancel().await,
            58..=63 => self.issue().await,
            64..=71 => self.fault().await,
            72..=74 => self.capacity().await,
            75..=76 => self.back_without_a_press().await,
            77 => self.withdraw_a_coupon().await,
            78 => self.call_an_event_off().await,
            79..=88 => {
                self.done.push("work".to_owned());
                self.app.work().await;
            }
            _ => self.pass().await,
        }
    }

    async fn book(&mut self) {
        let (who, key) = (self.dice.below(self.fans.len()), self.key());
        let fan = self.fans[who].clone();
        let event = self.dice.pick(&self.events).clone();
        let quantity = [1, 1, 2, 3][self.dice.below(4)];
        let mut input = booking_input(&event, quantity, &key);
        input["points"] = json!([0, 0, 1_000, 100_000][self.dice.below(4)]);
        let own = "{ viewer { pointBalance userCoupons(usableOnly: true) { nodes { id } } } }";
        let own = self.app.query(Some(&fan.token), own, json!({})).await.data()["viewer"].clone();
        let balance = own["pointBalance"].as_i64().unwrap();
        input["points"] = json!(input["points"].as_i64().unwrap().min(balance));
        let coupons = own["userCoupons"]["nodes"].as_array().unwrap();
        if !coupons.is_empty() && self.dice.below(2) == 0 {
            input["userCouponId"] = self.dice.pick(coupons)["id"].clone();
        }
        let payload = self.app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await;
        self.done.push(format!("book {who} {payload}"));
        if payload["booking"].is_object() {
            self.bookings.push((who, payload["booking"]["id"].clone()));
        }
        self.keep_page(payload);
    }

    fn keep_page(&mut self, payload: Value) {
        if payload["payment"]["redirect"]["pcUrl"].is_string() {
            self.pages.push(payload);
        }
    }

    async fn press(&mut self) {
        if self.pages.is_empty() {
            return;
        }
        let press = *self.dice.pick(&["approve", "approve", "approve", "approve", "quit", "fail"]);
        let fault =
            *self.dice.pick(&["none", "none", "none", "error_before", "error_after", "garbage", "wrong_amount"]);
        let payload = self.dice.pick(recent(&self.pages)).clone();
        self.done.push(format!("press {press} {fault} on {}", payload["payment"]["id"]));
        let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
        let pressed = self.app.http.post(format!("{page}/{press}")).form(&[("fault", fault)]).send().await.unwrap();
        // Pressed before, or too late: the page leads nowhere.
        let Some(back) = pressed.headers().get("location") else { return };
        for _ in 0..=self.dice.below(2) {
            self.app.http.get(back.to_str().unwrap()).send().await.unwrap();
        }
    }

    async fn charge(&mut self) {
        let (fan, key) = (self.dice.pick(&self.fans).clone(), self.key());
        let amount = *self.dice.pick(&[1_000, 3_000, 20_000]);
        let input = json!({ "amount": amount, "idempotencyKey": key });
        let selection = "payment { id status redirect { pcUrl } }";
        let payload = self.app.mutate(Some(&fan.token), "pointChargeStart", selection, input).await;
        self.done.push(format!("charge {payload}"));
        self.keep_page(payload);
    }

    async fn cancel(&mut self) {
        if self.bookings.is_empty() {
            return;
        }
        let (key, (who, id)) = (self.key(), self.dice.pick(recent(&self.bookings)).clone());
        let input = json!({ "bookingId": id, "idempotencyKey": key });
        let token = self.fans[who].token.clone();
        let payload = self.app.mutate(Some(&token), "bookingCancel", "booking { id status }", input).await;
        self.done.push(format!("cancel {payload}"));
    }

    async fn issue(&mut self) {
        let (fan, coupon) = (self.dice.pick(&self.fans).clone(), self.dice.pick(&self.coupons).clone());
        let payload =
            self.app.mutate(Some(&fan.token), "couponIssue", "userCoupon { id }", json!({ "couponId": coupon })).await;
        self.done.push(format!("issue {payload}"));
    }

    async fn fault(&mut self) {
        let operation = *self.dice.pick(&["ready", "approve", "order", "order", "cancel", "cancel"]);
        let fault = *self.dice.pick(&FAULTS);
        self.done.push(format!("fault {operation} {fault}"));
        let url = format!("{}/sandbox/kakaopay/faults", self.app.url);
        let body = json!({ "operation": operation, "fault": fault });
        self.app.http.post(url).json(&body).send().await.unwrap();
    }

    async fn capacity(&mut self) {
        let event = self.dice.pick(&self.events).clone();
        let capacity = 3 + self.dice.below(6);
        let query = "query($id: ID!) { event(id: $id) { ticketTypes { id name price } } }";
        let answer = self.app.query(None, query, json!({ "id": event.id })).await;
        let Some(kind) = answer.data()["event"]["ticketTypes"].get(0).cloned() else { return };
        let types = json!([{ "id": kind["id"], "name": kind["name"], "price": kind["price"], "capacity": capacity }]);
        let input = json!({ "eventId": event.id, "ticketTypes": types });
        let payload = self.app.mutate(Some(&self.artist.token), "eventUpdate", "event { capacity }", input).await;
        self.done.push(format!("capacity {capacity} {payload}"));
    }

    async fn back_without_a_press(&mut self) {
        if self.pages.is_empty() {
            return;
        }
        let payload = self.dice.pick(&self.pages).clone();
        let id = payload["payment"]["id"].as_str().unwrap();
        let outcome = *self.dice.pick(&["canceled", "failed", "approved?pg_token=guess"]);
        self.done.push(format!("{outcome} of {id}"));
        self.app.http.get(format!("{}/payments/{id}/{outcome}", self.app.url)).send().await.unwrap();
    }

    async fn withdraw_a_coupon(&mut self) {
        let at = self.dice.below(self.coupons.len());
        let input = json!({ "couponId": self.coupons[at] });
        let token = self.admin.token.clone();
        let payload = self.app.mutate(Some(&token), "couponDelete", "deletedCouponId", input).await;
        self.done.push(format!("withdraw {payload}"));
        self.coupon(["LIMITED", "STANDARD"][at % 2]).await;
    }

    async fn call_an_event_off(&mut self) {
        let event = self.dice.pick(&self.events).clone();
        let input = json!({ "eventId": event.id });
        let payload = self.app.mutate(Some(&self.artist.token), "eventCancel", "event { id status }", input).await;
        self.done.push(format!("call off {payload}"));
    }

    /// Somebody works meanwhile, or nobody does.
    async fn pass(&mut self) {
        let (minutes, works) = (*self.dice.pick(&[1, 1, 5, 15, 21]), self.dice.below(2) == 0);
        self.done.push(format!("{minutes} min, {}", if works { "at work" } else { "asleep" }));
        self.app.move_clock(TimeDelta::minutes(minutes));
        if works {
            self.app.work().await;
        }
        self.sign_in().await;
    }

    async fn check(&self, seed: u64) {
        let outcomes = spotlight::admin::invariants::check(&self.app.app).await.unwrap();
        let broken = outcomes.iter().filter(|outcome| outcome.broken > 0).map(|outcome| outcome.slug);
        // Who would have released them?
        let work = self.done.iter().rfind(|done| ["work", "asleep"].iter().any(|end| done.ends_with(end)));
        let is_asleep = work.is_some_and(|done| done.ends_with("asleep"));
        let broken: Vec<_> = broken.filter(|slug| !(is_asleep && *slug == "holds_end_in_time")).collect();
        let last = self.done.len().saturating_sub(25);
        assert!(
            broken.is_empty(),
            "seed {seed}, step {}: {broken:?}\n{}",
            self.done.len(),
            self.done[last..].join("\n")
        );
    }
}

async fn in_doubt(app: &TestApp) -> Vec<payment::Model> {
    use PaymentStatus::{Approving, Canceling, Pending, Ready};
    let open = payment::Column::Status.is_in([Pending, Ready, Approving, Canceling]);
    payment::Entity::find().filter(open).all(app.app.db.reads()).await.unwrap()
}

async fn anything_in_any_order_keeps_every_invariant(app: TestApp) {
    let (steps, seeds, first) = wanted();
    for seed in first..first + seeds {
        let mut world = World::new(&app, seed).await;
        for _ in 0..steps {
            world.step().await;
            world.check(seed).await;
        }
        // Nothing goes wrong any more: within an hour and a half all of it is settled.
        for _ in 0..6 {
            app.pass(TimeDelta::minutes(16)).await;
        }
        let last = world.done.len().saturating_sub(25);
        assert_eq!(in_doubt(&app).await, [], "seed {seed}\n{}", world.done[last..].join("\n"));
        world.check(seed).await;
    }
    // So many choices that lead nowhere would prove nothing.
    for status in [PaymentStatus::Approved, PaymentStatus::Canceled, PaymentStatus::Failed, PaymentStatus::Expired] {
        let of = payment::Entity::find().filter(payment::Column::Status.eq(status));
        assert!(of.one(app.app.db.reads()).await.unwrap().is_some(), "no payment ended {status:?}: take more steps");
    }
}
