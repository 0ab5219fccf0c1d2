//! The answer to the COMMIT of a whole group of bookings is lost, or the COMMIT itself; a group that is larger than one is by
//! default, which is also as many rows as a prepared INSERT has. Of a lost answer the server itself finds out by the keys what
//! it was. When every COMMIT is lost, or the answers about their payments too, people are told that nobody knows. After each
//! scenario the harness checks every invariant.

use crate::harness::{Answer, BOOKING, Cut, Event, Node, Person, Road, TestApp, booking_input};
use chrono::TimeDelta;
use entity::{booking, enums::BookingStatus, ids::EventId, ticket_type};
use futures_util::{StreamExt, future::join_all, stream};
use sea_orm::{Database, EntityTrait, QuerySelect, TransactionTrait};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use spotlight::config::Config;
use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

crate::scenarios![
    a_crowd_does_not_notice_that_an_answer_was_lost,
    nobody_who_has_a_booking_is_told_that_nothing_was_changed,
    lost_answers_leave_a_crowd_with_one_booking_each,
    lost_commits_leave_a_crowd_with_nothing,
];

const CROWD: usize = 300;
/// A group takes half of those who wait: of a crowd behind its first one there are a group of this many, and the rest.
const GROUP: usize = CROWD / 2;
const SEATS: i32 = 400;
const SEATS_LEFT: i64 = 100;
/// So often a transaction whose connection is lost is tried. (`infra::db::retry`)
const TRIES: usize = 4;
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
    async fn new(app: &TestApp, price: i64) -> Option<Self> {
        let change = |config: &mut Config| {
            config.booking.group_most = GROUP;
            config.database.lock_wait_seconds = LOCK_WAIT_SECONDS;
            // So many pages are prepared at once: on a busy machine that is no fault.
            config.edge.operation_time = LONG;
        };
        let (road, node) = Road::with_node(app, change).await?;
        let artist = app.artist("haneul").await;
        let event = app.event(&artist, price, SEATS).await;
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

    /// The first one asks while somebody outside has the stock, and waits; the others come and are two groups behind. Then the
    /// stock is let go.
    async fn behind_the_first(&self, app: &TestApp) -> Vec<Answer> {
        let id: EventId = self.event.id.parse().unwrap();
        // Not one of the pool: those may not keep others waiting for long.
        let beside = Database::connect(app.app.config.database.url.expose_secret()).await.unwrap();
        let txn = beside.begin().await.unwrap();
        ticket_type::Entity::find().lock_exclusive().all(&txn).await.unwrap();
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
        let (mut answers, others, ()) = tokio::join!(self.ask(app, first), others, letting_go);
        answers.extend(others);
        answers
    }

    /// Every COMMIT is cut: everybody must be told that nobody knows.
    async fn in_doubt(&self, app: &TestApp, cut: Cut) {
        self.road.arm_all(cut);
        let answers = self.behind_the_first(app).await;
        assert!(self.road.disarm(), "no COMMIT was cut");
        for answer in &answers {
            let message = answer.body["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains("may have been done"), "{:?}", answer.body);
        }
    }

    /// How many people each hold had that was cut, in their order: a seat for each.
    fn groups(&self) -> Vec<usize> {
        let seats = |message: String| {
            let message = message.replace(['`', '"'], "");
            let (_, seats) = message.split_once("remaining - ")?;
            Some(seats.split_once(' ')?.0.parse().unwrap())
        };
        self.road.broken().into_iter().filter_map(seats).collect()
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

async fn a_crowd_does_not_notice_that_an_answer_was_lost(app: TestApp) {
    let Some(sale) = Sale::new(&app, 0).await else { return };
    // The first one's is heard, and the next group's not.
    sale.road.arm(1, Cut::Answer);
    let answers = sale.behind_the_first(&app).await;
    assert!(sale.road.disarm(), "no COMMIT was cut");
    assert_eq!(sale.groups(), [GROUP]);
    let told: HashSet<String> = ids(&answers).iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    let sold: HashSet<String> = sale.held(&app).await.iter().map(|row| row.id.to_string()).collect();
    assert_eq!((told.len(), app.remaining(&sale.event).await), (CROWD, SEATS_LEFT));
    assert_eq!(told, sold);
    sale.node.stop().await;
}

async fn nobody_who_has_a_booking_is_told_that_nothing_was_changed(app: TestApp) {
    let Some(sale) = Sale::new(&app, 0).await else { return };
    // The next group's answer is lost, and whoever asks again what became of it finds nobody there.
    sale.road.arm_for_good(1, Cut::Answer);
    let answers = sale.behind_the_first(&app).await;
    assert!(sale.road.disarm(), "no COMMIT was cut");
    let told: HashSet<String> = ids(&answers[..1]).iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    let in_doubt = |answer: &&Answer| answer.body["errors"][0]["message"].to_string().contains("may have been done");
    let doubts = answers.iter().filter(in_doubt).count();
    let held = sale.held(&app).await;
    assert_eq!((told.len(), held.len(), doubts), (1, 1 + GROUP, GROUP));
    sale.node.stop().await;
}

async fn lost_answers_leave_a_crowd_with_one_booking_each(app: TestApp) {
    let Some(sale) = Sale::new(&app, 5_000).await else { return };
    sale.in_doubt(&app, Cut::Answer).await;
    // Each found out by itself what it was; what is in doubt is the payments.
    assert_eq!(sale.groups(), [1, GROUP, GROUP - 1]);
    assert_eq!((sale.held(&app).await.len(), app.remaining(&sale.event).await), (CROWD, SEATS_LEFT));
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

async fn lost_commits_leave_a_crowd_with_nothing(app: TestApp) {
    let Some(sale) = Sale::new(&app, 5_000).await else { return };
    sale.in_doubt(&app, Cut::Before).await;
    // Each was tried as often as is worth it.
    let [first, then, last] = [1, GROUP, GROUP - 1].map(|size| [size; TRIES]);
    assert_eq!(sale.groups(), [first, then, last].concat());
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
