//! A sale and its buyers: `bookingStart` over HTTP, each request with an idempotency key of its own.

use crate::{
    Result,
    http::{Connection, Request},
};
use serde_json::{Value, json};
use spotlight::app::App;
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// In a request's bytes, where its key goes.
const KEY: &str = "key-0000000000000000";
const BOOK: &str = "mutation($input: BookingStartInput!) { bookingStart(input: $input) { booking { id status } \
                    userErrors { code } } }";
const CREATE: &str = "mutation($input: EventCreateInput!) { eventCreate(input: $input) { event { id ticketTypes { id } } \
                      userErrors { code message } } }";

/// What became of the fans of one connection, each by its place.
type Lane = (Vec<(usize, bool)>, Outcome);

/// An event on sale.
#[derive(Clone, Debug)]
pub struct Sale {
    event: String,
    ticket_type: String,
}

/// What became of the requests of a while.
#[derive(Debug, Default)]
pub struct Outcome {
    pub booked: u32,
    pub sold_out: u32,
    pub seconds: f64,
    /// How long each took.
    pub times: Vec<Duration>,
}

impl Outcome {
    #[must_use]
    pub fn rate(&self) -> f64 {
        f64::from(self.booked + self.sold_out) / self.seconds
    }

    /// The longest but one in a hundred.
    #[must_use]
    pub fn p99(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() * 99 / 100).copied().unwrap_or_default()
    }

    fn add(&mut self, other: Self) {
        self.booked += other.booked;
        self.sold_out += other.sold_out;
        self.times.extend(other.times);
    }

    fn count(&mut self, body: &[u8], time: Duration) -> Result<()> {
        if body.starts_with(b"{\"data\":{\"bookingStart\":{\"booking\":{\"id\"") {
            self.booked += 1;
        } else if std::str::from_utf8(body)?.contains("\"SOLD_OUT\"") {
            self.sold_out += 1;
        } else {
            return Err(String::from_utf8_lossy(body).into_owned().into());
        }
        self.times.push(time);
        Ok(())
    }
}

impl Sale {
    /// Publishes an event with so many seats.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn open(app: &App, server: SocketAddr, artist: &str, price: i64, seats: i32) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let input = json!({ "input": {
            "title": format!("sale {}", COUNT.fetch_add(1, Ordering::Relaxed)), "content": "sale", "category": "MUSIC",
            "venue": { "name": "hall", "address": "Seoul" },
            "bookingOpensAt": "2020-01-01T00:00:00Z", "bookingClosesAt": later(app, 300), "startsAt": later(app, 300),
            "endsAt": later(app, 301), "ticketTypes": [{ "name": "seat", "price": price, "capacity": seats }],
        } });
        let request = Request::graphql_of(artist, CREATE, &input);
        let answer: Value = serde_json::from_slice(Connection::open(server).await?.ask(&request).await?)?;
        let id = |place: &str| {
            let value = answer.pointer("/data/eventCreate/event").and_then(|event| event.pointer(place));
            value.and_then(Value::as_str).map(str::to_owned).ok_or_else(|| answer.to_string())
        };
        Ok(Self { event: id("/id")?, ticket_type: id("/ticketTypes/0/id")? })
    }

    /// One seat for this fan, ready but for its key.
    #[must_use]
    pub fn request(&self, token: &str) -> Request {
        let input = json!({
            "eventId": self.event, "lines": [{ "ticketTypeId": self.ticket_type, "quantity": 1 }], "idempotencyKey": KEY,
        });
        Request::graphql_of(token, BOOK, &json!({ "input": input }))
    }

    /// Each fan asks on a connection of its own, again as soon as there is an answer.
    ///
    /// # Errors
    /// The first answer that is neither a booking nor sold out.
    pub async fn load(&self, server: SocketAddr, fans: &[String], time: Duration) -> Result<Outcome> {
        let mut running: JoinSet<Result<Outcome>> = JoinSet::new();
        let mut connections = Vec::with_capacity(fans.len());
        for _ in fans {
            connections.push(Connection::open(server).await?);
        }
        let began = Instant::now();
        for (fan, mut connection) in fans.iter().zip(connections) {
            let request = self.request(fan);
            running.spawn(async move {
                let mut outcome = Outcome::default();
                while began.elapsed() < time {
                    let request = request.with(KEY, &next_key());
                    let asked = Instant::now();
                    let body = connection.ask(&request).await?;
                    outcome.count(body, asked.elapsed())?;
                }
                Ok(outcome)
            });
        }
        let mut outcome = Outcome::default();
        while let Some(done) = running.join_next().await {
            outcome.add(done??);
        }
        outcome.seconds = began.elapsed().as_secs_f64();
        Ok(outcome)
    }

    /// All fans come at once, in their order, over so many connections; each asks once. Answers in the order of the
    /// fans, true for a seat.
    ///
    /// # Errors
    /// The first answer that is neither a booking nor sold out.
    pub async fn rush(&self, server: SocketAddr, fans: &[String], connections: usize) -> Result<(Vec<bool>, Outcome)> {
        let mut running: JoinSet<Result<Lane>> = JoinSet::new();
        let mut open = Vec::with_capacity(connections);
        for _ in 0..connections {
            open.push(Connection::open(server).await?);
        }
        let began = Instant::now();
        for (lane, mut connection) in open.into_iter().enumerate() {
            let own = fans.iter().enumerate().skip(lane).step_by(connections);
            let requests: Vec<(usize, Request)> =
                own.map(|(place, fan)| (place, self.request(fan).with(KEY, &next_key()))).collect();
            running.spawn(async move {
                let (mut got, mut outcome) = (Vec::new(), Outcome::default());
                for (place, request) in requests {
                    let (asked, before) = (Instant::now(), outcome.booked);
                    let body = connection.ask(&request).await?;
                    outcome.count(body, asked.elapsed())?;
                    got.push((place, outcome.booked > before));
                }
                Ok((got, outcome))
            });
        }
        let (mut got, mut outcome) = (vec![false; fans.len()], Outcome::default());
        while let Some(done) = running.join_next().await {
            let (places, part) = done??;
            for (place, has_seat) in places {
                if let Some(slot) = got.get_mut(place) {
                    *slot = has_seat;
                }
            }
            outcome.add(part);
        }
        outcome.seconds = began.elapsed().as_secs_f64();
        Ok((got, outcome))
    }
}

fn next_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key-{:016}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A moment so many days from now, in the form of the API.
fn later(app: &App, days: u64) -> String {
    (app.clock.now() + Duration::from_secs(days * 24 * 3600)).to_rfc3339()
}
