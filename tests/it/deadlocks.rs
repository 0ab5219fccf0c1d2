//! Deadlocks made on purpose: somebody outside takes the same rows crosswise, so that the database has to choose. It is made to
//! choose our transaction, and whoever asked must not notice. SQLite has one writer, and no deadlocks.

use crate::harness::{BOOKING, Event, Node, PASSWORD, Person, TestApp, booking_input, count};
use chrono::TimeDelta;
use entity::booking;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, PaginatorTrait,
    TransactionTrait,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

crate::scenarios![
    a_booking_that_loses_a_deadlock_about_points_is_made_once,
    a_booking_that_loses_a_deadlock_about_a_coupon_is_made_once,
    a_cancellation_that_loses_a_deadlock_gives_back_once,
];

/// Longer than all of it takes: who waits so long for a lock was not told of a deadlock.
const LOCK_WAIT_SECONDS: u32 = 30;
/// No healthy database needs so long.
const LONG: Duration = Duration::from_secs(20);

/// A node whose transactions lose, and somebody outside whose transactions do not.
struct Crossing {
    node: Node,
    outside: DatabaseConnection,
    deadlocks: i64,
}

impl Crossing {
    /// `None` where there are no deadlocks.
    async fn new(app: &TestApp) -> Option<Self> {
        let url = app.app.config.database.url.expose_secret();
        if url.starts_with("sqlite:") {
            eprintln!("SKIPPED on sqlite: there is one writer");
            return None;
        }
        let mut options = ConnectOptions::new(url);
        // One, so that what is set for its session is set for its transaction.
        options.max_connections(1);
        let outside = Database::connect(options).await.unwrap();
        for sql in loser(outside.get_database_backend()) {
            outside.execute_unprepared(sql).await.unwrap();
        }
        let provider = format!("{}/sandbox/kakaopay", app.url);
        let node = app.node("crossed", |config| {
            config.database.lock_wait_seconds = LOCK_WAIT_SECONDS;
            config.edge.operation_time = 2 * LONG;
            config.kakaopay.url = provider;
        });
        let node = node.await;
        let deadlocks = deadlocks(&outside).await;
        Some(Self { node, outside, deadlocks })
    }

    /// Asks, while somebody outside has `held` and wants `ticket_type` as soon as we have that and wait for `held`. `undone` counts
    /// what is written in the end, and must not be when the other has both.
    async fn lost(&self, app: &TestApp, held: &str, undone: &str, asked: impl Future<Output = Value>) -> Value {
        let txn = self.outside.begin().await.unwrap();
        // MariaDB gives up the one that has changed less.
        txn.execute_unprepared(&format!("INSERT INTO heavy VALUES {}", ["(1)"; 500].join(","))).await.unwrap();
        txn.execute_unprepared(&format!("SELECT 1 FROM {held} FOR UPDATE")).await.unwrap();
        // Or its own last statement might be taken for that of somebody who waits.
        txn.execute_unprepared("SELECT 2").await.unwrap();
        let crosses = async {
            app.until_waiting_for(held).await;
            let since = Instant::now();
            txn.execute_unprepared("SELECT 1 FROM ticket_type FOR UPDATE").await.expect("the other one was to lose");
            assert!(since.elapsed() < LONG, "that was no deadlock: somebody's time to wait was over");
            // It has both now, so ours has neither.
            assert_eq!(count(&txn, undone).await, 0, "nothing of ours may be there");
            txn.commit().await.expect("the other one was to lose");
        };
        tokio::join!(asked, crosses).0
    }

    /// The database counted it.
    async fn end(self) {
        // PostgreSQL's processes hand in their counts when they end, if not before.
        self.node.stop().await;
        let (since, is_postgres) = (Instant::now(), self.outside.get_database_backend() == DbBackend::Postgres);
        while deadlocks(&self.outside).await == self.deadlocks {
            assert!(since.elapsed() < LONG, "the database knows of no deadlock");
        }
        if is_postgres {
            // MariaDB counts those of other databases, too.
            assert_eq!(deadlocks(&self.outside).await, self.deadlocks + 1);
        }
        self.outside.execute_unprepared("DROP TABLE heavy").await.unwrap();
        self.outside.close().await.unwrap();
    }
}

/// PostgreSQL gives up whoever looks first: we do after five seconds, by when the other one waits, too; that one never
/// does.
fn loser(backend: DbBackend) -> Vec<&'static str> {
    let heavy = "CREATE TABLE heavy (n integer)";
    if backend == DbBackend::Postgres {
        let ours =
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''5s''', current_database()); END $$";
        return vec![heavy, ours, "SET deadlock_timeout = '1h'"];
    }
    vec![heavy]
}

async fn deadlocks(db: &DatabaseConnection) -> i64 {
    if db.get_database_backend() == DbBackend::Postgres {
        return count(db, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").await;
    }
    let named = "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.global_status WHERE VARIABLE_NAME = 'INNODB_DEADLOCKS'";
    count(db, named).await
}

/// Of our node, by its payload.
async fn mutate(app: &TestApp, node: &Node, who: &Person, name: &str, selection: &str, input: Value) -> Value {
    let (first, rest) = name.split_at(1);
    let document = format!(
        "mutation($input: {}{rest}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code }} }} }}",
        first.to_uppercase()
    );
    let answer = app.query_at(&node.url, Some(&who.token), &document, json!({ "input": input })).await;
    answer.data()[name].clone()
}

/// Paid for by what it takes besides seats; booked once, and known by its key.
async fn booked_once(app: &TestApp, crossing: Crossing, fan: &Person, event: &Event, held: &str, input: Value) {
    let asked = mutate(app, &crossing.node, fan, "bookingStart", BOOKING, input.clone());
    let payload = crossing.lost(app, held, "SELECT COUNT(*) FROM booking", asked).await;
    assert_eq!(payload["booking"]["status"], "CONFIRMED", "{payload}");
    let again = mutate(app, &crossing.node, fan, "bookingStart", BOOKING, input).await;
    assert_eq!(again["booking"]["id"], payload["booking"]["id"], "{again}");
    assert_eq!(booking::Entity::find().count(app.app.db.reads()).await.unwrap(), 1);
    assert_eq!(app.remaining(event).await, 9);
    crossing.end().await;
}

async fn a_booking_that_loses_a_deadlock_about_points_is_made_once(app: TestApp) {
    let Some(crossing) = Crossing::new(&app).await else { return };
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 10).await;
    app.give_points(&fan, 1_000).await;
    let mut input = booking_input(&event, 1, "k");
    input["points"] = json!(1_000);
    booked_once(&app, crossing, &fan, &event, "point_account", input).await;
    let balance = app.query(Some(&fan.token), "{ viewer { pointBalance } }", json!({})).await;
    assert_eq!(balance.data()["viewer"]["pointBalance"], 0);
}

async fn a_booking_that_loses_a_deadlock_about_a_coupon_is_made_once(app: TestApp) {
    let Some(crossing) = Crossing::new(&app).await else { return };
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 10).await;
    let mut input = booking_input(&event, 1, "k");
    input["userCouponId"] = coupon(&app, &fan).await;
    booked_once(&app, crossing, &fan, &event, "user_coupon", input).await;
}

/// Of 1,000 won, in the fan's hand.
async fn coupon(app: &TestApp, fan: &Person) -> Value {
    let email = "keeper@spotlight.test";
    spotlight::admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": email, "password": PASSWORD });
    let admin = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    let input = json!({
        "name": "k", "kind": "LIMITED", "discountKind": "FIXED", "discountValue": 1_000, "quantity": 1,
        "validFrom": app.now(), "validUntil": app.now() + TimeDelta::days(3),
    });
    let made = app.mutate(admin["session"]["accessToken"].as_str(), "couponCreate", "coupon { id }", input).await;
    let input = json!({ "couponId": made["coupon"]["id"] });
    app.mutate(Some(&fan.token), "couponIssue", "userCoupon { id }", input).await["userCoupon"]["id"].clone()
}

async fn a_cancellation_that_loses_a_deadlock_gives_back_once(app: TestApp) {
    let Some(crossing) = Crossing::new(&app).await else { return };
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 5_000, 10).await;
    app.give_points(&fan, 1_000).await;
    let mut input = booking_input(&event, 2, "k");
    input["points"] = json!(1_000);
    let payload = app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await;
    app.pay(&payload, "approve", "none").await;
    app.work().await;
    let id = payload["booking"]["id"].as_str().unwrap();
    let input = json!({ "bookingId": id, "idempotencyKey": "c" });
    let asked = mutate(&app, &crossing.node, &fan, "bookingCancel", "booking { status }", input);
    let undone = "SELECT COUNT(*) FROM booking WHERE status = 'CANCELED'";
    let canceled = crossing.lost(&app, "point_account", undone, asked).await;
    assert_eq!(canceled["booking"]["status"], "CANCELED", "{canceled}");
    let now = app.booking(&fan, id).await;
    assert_eq!((&now["payment"]["status"], &now["payment"]["canceledAmount"]), (&json!("CANCELED"), &json!(9_000)));
    let balance = app.query(Some(&fan.token), "{ viewer { pointBalance } }", json!({})).await;
    assert_eq!((app.remaining(&event).await, &balance.data()["viewer"]["pointBalance"]), (10, &json!(1_000)));
    crossing.end().await;
}
