//! The answer to the COMMIT of a whole group of bookings is lost, or the COMMIT itself: more people than one statement has rows
//! are told that nobody knows. After each scenario the harness checks every invariant.

use crate::harness::{Answer, BOOKING, Cut, Event, Node, Person, Road, TestApp, booking_input};
use chrono::TimeDelta;
use entity::{booking, enums::BookingStatus, ids::EventId, ticket_type};
use futures_util::{StreamExt, future::join_all, stream};
use sea_orm::{Database, EntityTrait, QuerySelect, TransactionTrait};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

crate::scenarios![a_lost_answer_leaves_a_crowd_with_one_booking_each, a_lost_commit_leaves_a_crowd_with_nothing];

const CROWD: usize = 150;
const SEATS: i32 = 400;
/// While the crowd gathers, the first one waits.
const LOCK_WAIT_SECONDS: u32 = 50;
/// No healthy database needs so long.
const LONG: Duration = Duration::from_secs(60);

fn document() -> String {
    format!(
        "mutation($input: BookingStartInput!) {{ bookingStart(input: $input) {{ {BOOKING} userErrors {{ code }} }} }}"
    )
}

/// A node on a road that breaks, a crowd, and what they want.
struct Sale {
    node: Node,
    road: Road,
    event: Event,
    fans: Vec<Person>,
}

impl Sale {
    /// `None` where there is no connection to cut.
    async fn new(app: &TestApp) -> Option<Self> {
        let road = Road::to_database(app).await?;
        let (url, provider) = (road.url.clone(), format!("{}/sandbox/kakaopay", app.url));
        let node = app.node("by-road", |config| {
            config.database.url = url.into();
            config.kakaopay.url = provider;
            config.booking.group_most = CROWD;
            config.database.lock_wait_seconds = LOCK_WAIT_SECONDS;
            // So many pages are prepared at once: on a busy machine that is no fault.
            config.edge.operation_time = LONG;
        });
        let (node, artist) = (node.await, app.artist("haneul").await);
        let event = app.event(&artist, 5_000, SEATS).await;
        let names: Vec<String> = (0..CROWD).map(|index| format!("fan{index}")).collect();
        let fans: Vec<Person> =
            stream::iter(names).map(|name| async move { app.fan(&name).await }).buffered(8).collect().await;
        // Budgets are leased before, so that no commit of the crowd is about that.
        join_all(fans.iter().map(|fan| app.query_at(&node.url, Some(&fan.token), "{ __typename }", json!({})))).await;
        Some(Self { node, road, event, fans })
    }

    /// The same from everybody, and again from whoever is told that something is away for the moment.
    async fn insist(&self, app: &TestApp) -> Vec<Answer> {
        let since = Instant::now();
        let mut answers = self.ask(app, &self.fans).await;
        while let Some(place) = answers.iter().position(|answer| answer.body.get("errors").is_some()) {
            let answer = &answers[place];
            assert!(answer.body["errors"][0]["extensions"]["retryAfter"] == 1, "{:?}", answer.body);
            assert!(since.elapsed() < LONG, "{:?}", answer.body);
            answers[place] = self.ask(app, &self.fans[place..=place]).await.remove(0);
        }
        answers
    }

    async fn ask(&self, app: &TestApp, fans: &[Person]) -> Vec<Answer> {
        let (document, input) = (document(), json!({ "input": booking_input(&self.event, 1, "k") }));
        let ask = |fan: &Person| {
            let (url, token) = (self.node.url.clone(), fan.token.clone());
            let (document, input) = (document.clone(), input.clone());
            async move { app.query_at(&url, Some(&token), &document, input).await }
        };
        join_all(fans.iter().map(ask)).await
    }

    /// The first one asks while somebody outside has the stock, and waits; the others come and are one group behind. Then the
    /// stock is let go, and every COMMIT is cut: everybody must be told that nobody knows.
    async fn in_doubt(&self, app: &TestApp, cut: Cut) {
        let id: EventId = self.event.id.parse().unwrap();
        // Not one of the pool: those may not keep others waiting for long.
        let beside = Database::connect(app.app.config.database.url.expose_secret()).await.unwrap();
        let txn = beside.begin().await.unwrap();
        ticket_type::Entity::find().lock_exclusive().all(&txn).await.unwrap();
        self.road.arm_all(cut);
        let (first, others) = self.fans.split_at(1);
        let others = async {
            app.until_waiting_for("ticket_type").await;
            self.ask(app, others).await
        };
        let letting_go = async {
            let since = Instant::now();
            while self.node.app.queues.waiting(id) < CROWD - 1 {
                assert!(since.elapsed() < LONG, "{} wait", self.node.app.queues.waiting(id));
                tokio::task::yield_now().await;
            }
            txn.rollback().await.unwrap();
            beside.close().await.unwrap();
        };
        let (first, others, ()) = tokio::join!(self.ask(app, first), others, letting_go);
        assert!(self.road.disarm(), "no COMMIT was cut");
        for answer in first.iter().chain(&others) {
            let message = answer.body["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains("may have been done"), "{:?}", answer.body);
        }
    }

    async fn held(&self, app: &TestApp) -> Vec<booking::Model> {
        let rows = booking::Entity::find().all(app.app.db.reads()).await.unwrap();
        let people: HashSet<_> = rows.iter().map(|row| row.user_id).collect();
        assert_eq!(people.len(), rows.len(), "somebody has two bookings");
        rows
    }
}

fn ids(answers: &[Answer]) -> Vec<Value> {
    answers.iter().map(|answer| answer.data()["bookingStart"]["booking"]["id"].clone()).collect()
}

async fn a_lost_answer_leaves_a_crowd_with_one_booking_each(app: TestApp) {
    let Some(sale) = Sale::new(&app).await else { return };
    sale.in_doubt(&app, Cut::Answer).await;
    assert_eq!((sale.held(&app).await.len(), app.remaining(&sale.event).await), (CROWD, i64::from(SEATS) - 150));
    // All ask again at once, with their keys, and are shown what they have.
    let answers = sale.insist(&app).await;
    let told: HashSet<String> = ids(&answers).iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    let held: HashSet<String> = sale.held(&app).await.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(told, held);
    // A few pay; the others never come back, and their holds end.
    let paying = answers.iter().take(5).map(|answer| app.pay(&answer.data()["bookingStart"], "approve", "none"));
    for paid in paying {
        paid.await;
    }
    lapse(&app, &sale, (5, CROWD - 5)).await;
    sale.node.stop().await;
}

async fn a_lost_commit_leaves_a_crowd_with_nothing(app: TestApp) {
    let Some(sale) = Sale::new(&app).await else { return };
    sale.in_doubt(&app, Cut::Before).await;
    assert_eq!((sale.held(&app).await.len(), app.remaining(&sale.event).await), (0, i64::from(SEATS)));
    let answers = sale.insist(&app).await;
    let told: HashSet<Value> = ids(&answers).into_iter().collect();
    assert_eq!((told.len(), sale.held(&app).await.len()), (CROWD, CROWD));
    lapse(&app, &sale, (0, CROWD)).await;
    sale.node.stop().await;
}

/// After the holds' time so many are sold, and so many over.
async fn lapse(app: &TestApp, sale: &Sale, (sold, over): (usize, usize)) {
    app.pass(TimeDelta::minutes(16)).await;
    let mut ended: BTreeMap<String, usize> = BTreeMap::new();
    for row in sale.held(app).await {
        *ended.entry(format!("{:?}", row.status)).or_default() += 1;
    }
    let due = [(BookingStatus::Confirmed, sold), (BookingStatus::Expired, over)];
    let due = due.into_iter().filter(|(_, count)| *count > 0).map(|(status, count)| (format!("{status:?}"), count));
    assert_eq!(ended, due.collect());
    assert_eq!(app.remaining(&sale.event).await, i64::from(SEATS) - i64::try_from(sold).unwrap());
}
