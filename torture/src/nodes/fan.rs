//! Somebody who tries again at the next node when one does not answer.

use crate::{
    Result,
    ask::{client, mutation, refusal, text},
    person::MINUTE,
    show::{BOOKED, Show},
    world::Member,
};
use entity::ids::UserId;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const PAUSE: Duration = Duration::from_millis(50);

pub struct Fan {
    who: Member,
    urls: Vec<String>,
    /// The node that is asked first.
    place: usize,
    http: reqwest::Client,
}

/// What a fan has at the end, and how it came to that.
#[derive(Debug)]
pub struct End {
    pub who: UserId,
    pub has_seat: bool,
    pub has_coupon: bool,
    pub bought: usize,
    pub canceled: usize,
    pub in_vain: usize,
}

impl Fan {
    pub fn new(who: Member, urls: &[String], place: usize) -> Result<Self> {
        Ok(Self { who, urls: urls.to_vec(), place, http: client()? })
    }

    /// Takes a coupon if there is one; buys with it, cancels, and buys again until the killing is over.
    pub async fn live(self, show: Show, coupon: String, is_over: watch::Receiver<bool>) -> Result<End> {
        let own = self.take(&coupon).await?;
        let has_coupon = own.is_some();
        let mut end = End { who: self.who.id, has_seat: false, has_coupon, bought: 0, canceled: 0, in_vain: 0 };
        loop {
            // Read before: whatever the last kill cut short is done once more in peace.
            let is_last = *is_over.borrow();
            let held = self.buy(&show, own.as_deref(), end.bought + end.in_vain).await?;
            end.has_seat = held.is_some();
            *(if end.has_seat { &mut end.bought } else { &mut end.in_vain }) += 1;
            if is_last {
                return Ok(end);
            }
            match held {
                Some(id) => {
                    self.cancel(&id).await?;
                    end.canceled += 1;
                }
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    pub async fn mutate(&self, field: &str, wanted: &str, input: &Value) -> Result<Value> {
        let data = self.ask(&mutation(field, wanted), json!({ "input": input })).await?;
        Ok(data.get(field).cloned().unwrap_or_default())
    }

    async fn ask(&self, query: &str, variables: Value) -> Result<Value> {
        let since = Instant::now();
        let body = json!({ "query": query, "variables": variables });
        for url in self.urls.iter().cycle().skip(self.place) {
            if since.elapsed() > MINUTE {
                return Err("no node answers within a minute".into());
            }
            let sent = self.http.post(format!("{url}/graphql")).bearer_auth(&self.who.token).json(&body).send().await;
            let answer: Value = match sent {
                Ok(answer) => answer.json().await.unwrap_or_default(),
                Err(_) => Value::Null,
            };
            // A node that is stopping, or a database that is busy: the same question, with the same key, elsewhere.
            if answer.get("errors").is_none() && answer.get("data").is_some() {
                return Ok(answer.get("data").cloned().unwrap_or_default());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err("there is no node".into())
    }

    /// The coupon in their hand, if they were in time. Who asked a node that was killed has it, and is told which one.
    async fn take(&self, coupon: &str) -> Result<Option<String>> {
        loop {
            let payload = self.mutate("couponIssue", "userCoupon { id }", &json!({ "couponId": coupon })).await?;
            match refusal(&payload) {
                "" => return text(&payload, "/userCoupon/id").map(Some),
                "ALREADY_ISSUED" => return text(&payload, "/userErrors/0/userCouponId").map(Some),
                "COUPON_EXHAUSTED" => return Ok(None),
                "BUSY" => tokio::time::sleep(PAUSE).await,
                _ => return Err(format!("no coupon: {payload}").into()),
            }
        }
    }

    /// The booking, if a ticket is in their hands.
    async fn buy(&self, show: &Show, coupon: Option<&str>, attempt: usize) -> Result<Option<String>> {
        let mut input = show.booking(1, &format!("b{attempt}"));
        if let (Some(input), Some(coupon)) = (input.as_object_mut(), coupon) {
            input.insert("userCouponId".into(), json!(coupon));
        }
        let booked = self.mutate("bookingStart", BOOKED, &input).await?;
        let Some(id) = booked.pointer("/booking/id").and_then(Value::as_str) else { return Ok(None) };
        if let Some(page) = booked.pointer("/payment/redirect/pcUrl").and_then(Value::as_str) {
            self.press(page).await?;
        }
        Ok((self.status(id, &["CONFIRMED", "EXPIRED", "CANCELED"]).await? == "CONFIRMED").then(|| id.to_owned()))
    }

    /// Until everything is given back.
    async fn cancel(&self, id: &str) -> Result<()> {
        let input = json!({ "bookingId": id, "idempotencyKey": format!("c {id}") });
        let payload = self.mutate("bookingCancel", "booking { status }", &input).await?;
        if !refusal(&payload).is_empty() {
            return Err(format!("{id} is not canceled: {payload}").into());
        }
        self.status(id, &["CANCELED"]).await.map(drop)
    }

    /// The page is served by the node that booked: it comes back.
    async fn press(&self, page: &str) -> Result<()> {
        let since = Instant::now();
        while since.elapsed() < MINUTE {
            let pressed = self.http.post(format!("{page}/approve")).form(&[("fault", "none")]).send().await;
            let Ok(pressed) = pressed else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let Some(back) = pressed.headers().get("location") else { return Ok(()) };
            let back = back.to_str()?.to_owned();
            // Until the browser is sent on with something else than "not paid yet": a person reloads.
            while since.elapsed() < MINUTE {
                if let Ok(sent) = self.http.get(&back).send().await {
                    let on = sent.headers().get("location").and_then(|on| on.to_str().ok()).unwrap_or_default();
                    if on.contains("status=") && !on.contains("status=READY") && !on.contains("status=PENDING") {
                        return Ok(());
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Err("the payment page does not come back".into())
    }

    /// Waits until the booking is in one of these states.
    async fn status(&self, id: &str, ends: &[&str]) -> Result<String> {
        let since = Instant::now();
        let query = "query($id: ID!) { node(id: $id) { ... on Booking { status } } }";
        while since.elapsed() < MINUTE {
            let data = self.ask(query, json!({ "id": id })).await?;
            match data.pointer("/node/status").and_then(Value::as_str) {
                Some(status) if ends.contains(&status) => return Ok(status.to_owned()),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(format!("{id} is none of {ends:?} after a minute").into())
    }
}
