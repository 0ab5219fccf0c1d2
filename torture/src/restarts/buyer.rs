//! Somebody who buys while the database comes and goes: told that it is away, they ask the same again, with the same key.

use super::heard::Heard;
use crate::{
    Result,
    ask::{client, mutation, refusal},
    person::MINUTE,
    show::{BOOKED, Show},
    world::Member,
};
use entity::ids::UserId;
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

const PAUSE: Duration = Duration::from_millis(50);

pub struct Buyer {
    who: Member,
    url: String,
    http: reqwest::Client,
    heard: Arc<Heard>,
}

/// What one of them was told.
#[derive(Debug)]
pub struct Told {
    pub who: UserId,
    /// Bookings of what is free, and of what is paid for.
    pub free: Vec<String>,
    pub paid: Vec<String>,
    /// Whether a paid seat is theirs in the end.
    pub has_seat: bool,
}

impl Told {
    /// Of the first show, or of the second.
    pub fn bookings(&self, place: usize) -> Vec<(UserId, String)> {
        let ids = if place == 0 { &self.free } else { &self.paid };
        ids.iter().map(|id| (self.who, id.clone())).collect()
    }
}

impl Buyer {
    pub fn new(who: Member, url: String, heard: Arc<Heard>) -> Result<Self> {
        Ok(Self { who, url, http: client()?, heard })
    }

    /// Takes a free seat, pays for another one and gives it back, until it is over: then keeps it.
    pub async fn live(self, [free, paid]: [Show; 2], is_over: watch::Receiver<bool>) -> Result<Told> {
        let mut told = Told { who: self.who.id, free: Vec::new(), paid: Vec::new(), has_seat: false };
        for attempt in 0_usize.. {
            // Read before: whatever the last restart cut short is done once more in peace.
            let is_last = *is_over.borrow();
            told.free.extend(self.book(&free, attempt).await?.map(|(id, _)| id));
            if let Some((id, page)) = self.book(&paid, attempt).await? {
                told.paid.push(id.clone());
                self.pay(&page).await?;
                told.has_seat = self.status(&id, &["CONFIRMED", "EXPIRED", "CANCELED"]).await? == "CONFIRMED";
                if told.has_seat && !is_last {
                    self.cancel(&id).await?;
                    told.has_seat = false;
                }
            }
            if is_last {
                break;
            }
        }
        Ok(told)
    }

    /// The booking and where to pay, if there is a seat left.
    async fn book(&self, show: &Show, attempt: usize) -> Result<Option<(String, String)>> {
        let payload = self.mutate("bookingStart", BOOKED, &show.booking(1, &format!("{} {attempt}", show.id))).await?;
        match refusal(&payload) {
            "" => {}
            "SOLD_OUT" => return Ok(None),
            _ => return Err(format!("neither booked nor sold out: {payload}").into()),
        }
        self.heard.note_yes();
        let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Some((text("/booking/id"), text("/payment/redirect/pcUrl"))))
    }

    async fn cancel(&self, id: &str) -> Result<()> {
        let input = json!({ "bookingId": id, "idempotencyKey": format!("c {id}") });
        let payload = self.mutate("bookingCancel", "booking { status }", &input).await?;
        if !refusal(&payload).is_empty() {
            return Err(format!("{id} is not canceled: {payload}").into());
        }
        self.status(id, &["CANCELED"]).await.map(drop)
    }

    /// Waits until the booking is in one of these states.
    async fn status(&self, id: &str, ends: &[&str]) -> Result<String> {
        let (since, query) = (Instant::now(), "query($id: ID!) { node(id: $id) { ... on Booking { status } } }");
        while since.elapsed() < MINUTE {
            let data = self.ask(query, json!({ "id": id })).await?;
            match data.pointer("/node/status").and_then(Value::as_str) {
                Some(status) if ends.contains(&status) => return Ok(status.to_owned()),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(format!("{id} is none of {ends:?} after a minute").into())
    }

    async fn mutate(&self, field: &str, wanted: &str, input: &Value) -> Result<Value> {
        let data = self.ask(&mutation(field, wanted), json!({ "input": input })).await?;
        Ok(data.get(field).cloned().unwrap_or_default())
    }

    async fn ask(&self, query: &str, variables: Value) -> Result<Value> {
        let (since, body) = (Instant::now(), json!({ "query": query, "variables": variables }));
        while since.elapsed() < MINUTE {
            let asked = Instant::now();
            let sent = self.http.post(format!("{}/graphql", self.url)).bearer_auth(&self.who.token).json(&body);
            // The node is not killed: no answer is a fault.
            let answer: Value = sent.send().await?.json().await?;
            self.heard.in_time(asked.elapsed(), query)?;
            match self.heard.data(&answer, query)? {
                Some(data) => return Ok(data),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(format!("{query}: away for more than a minute").into())
    }

    /// Presses the button and comes back, and does it again while the database is away.
    async fn pay(&self, page: &str) -> Result<()> {
        let pressing = || self.http.post(format!("{page}/approve")).form(&[("fault", "none")]);
        // Pressed before, and over: the browser is where it was.
        let Some(back) = self.insist("the provider's page", pressing, |_| true).await? else { return Ok(()) };
        let is_decided = |on: &str| !on.contains("status=READY") && !on.contains("status=PENDING");
        self.insist("the way back", || self.http.get(&back), is_decided).await.map(drop)
    }

    /// Where the browser is sent on to.
    async fn insist(
        &self,
        what: &str,
        asking: impl Fn() -> reqwest::RequestBuilder,
        is_enough: impl Fn(&str) -> bool,
    ) -> Result<Option<String>> {
        let since = Instant::now();
        while since.elapsed() < MINUTE {
            let asked = Instant::now();
            let answer = asking().send().await?;
            self.heard.in_time(asked.elapsed(), what)?;
            let on = answer.headers().get("location").map(|on| on.to_str()).transpose()?;
            match on {
                Some(on) if is_enough(on) => return Ok(Some(on.to_owned())),
                None if !answer.status().is_server_error() => return Ok(None),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(format!("{what} does not go on for a minute").into())
    }
}
