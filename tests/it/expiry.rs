//! Holds of one event that lapse together are released together, and before whatever else waits.

use crate::harness::{Event, Person, TestApp, booking_input};
use chrono::TimeDelta;
use entity::{
    booking,
    enums::{BookingStatus, PaymentStatus},
    ids::BookingId,
    job, payment,
};
use futures_util::{StreamExt, stream};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use spotlight::{
    booking::{expire::ExpireBooking, follow::FollowSale},
    infra::jobs::{self, Job},
};

crate::scenarios![
    five_hundred_holds_are_released_by_four_transactions,
    holds_are_released_before_thousands_of_other_jobs,
    what_is_released_together_gives_each_its_own_back,
    a_hold_in_doubt_is_left_out_of_the_group,
];

async fn hold_many(app: &TestApp, fan: &Person, event: &Event, count: usize) {
    let keys = (0..count).map(|index| format!("k{index}"));
    let payloads = stream::iter(keys).map(|key| async move { app.book(fan, event, 1, &key).await });
    // As many at once as a busy machine serves in time.
    let payloads: Vec<Value> = payloads.buffer_unordered(8).collect().await;
    assert!(payloads.iter().all(|payload| payload["payment"]["status"] == "READY"), "{:?}", payloads.first());
}

async fn held(app: &TestApp) -> Vec<booking::Model> {
    let held = booking::Entity::find().filter(booking::Column::Status.eq(BookingStatus::Held));
    held.all(app.app.db.reads()).await.unwrap()
}

async fn waiting(app: &TestApp, name: &str) -> u64 {
    job::Entity::find().filter(job::Column::Name.eq(name)).count(app.app.db.reads()).await.unwrap()
}

/// A sale's opening, a quarter of an hour later: nobody paid.
async fn lapsed(app: &TestApp, count: usize) -> Event {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, i32::try_from(count).unwrap()).await;
    hold_many(app, &fan, &event, count).await;
    app.work().await;
    app.move_clock(TimeDelta::minutes(15));
    assert_eq!((held(app).await.len(), app.remaining(&event).await), (count, 0));
    event
}

async fn five_hundred_holds_are_released_by_four_transactions(app: TestApp) {
    let event = lapsed(&app, 500).await;
    let before = app.app.db.statements();
    let mut runs = 0;
    while let Some(next) = held(&app).await.first() {
        ExpireBooking { booking_id: next.id }.run(&app.app).await.unwrap();
        runs += 1;
    }
    // Of 128 each, and the job of each run itself is for the worker to remove.
    assert_eq!((runs, waiting(&app, "expire_booking").await), (4, 4));
    assert_eq!(app.remaining(&event).await, 500);
    let statements = app.app.db.statements() - before;
    assert!(statements < 200, "{statements} statements for 500 holds");
}

async fn holds_are_released_before_thousands_of_other_jobs(app: TestApp) {
    lapsed(&app, 200).await;
    let txn = app.app.db.begin().await.unwrap();
    // Due long before the holds.
    let since = app.now() - TimeDelta::hours(1);
    for _ in 0..2_000 {
        let nobody = FollowSale { event_id: app.app.ids.next(), booking_ids: vec![app.app.ids.next()] };
        jobs::enqueue(&txn, &app.app.ids, since, since, &nobody).await.unwrap();
    }
    txn.commit().await.unwrap();
    let mut rounds = 0;
    while !held(&app).await.is_empty() {
        jobs::run_due(&app.app).await.unwrap();
        rounds += 1;
    }
    let letters = waiting(&app, "follow_sale").await;
    assert!(letters >= 1_700, "{letters} of 2,000 still wait after {rounds} rounds");
}

async fn what_is_released_together_gives_each_its_own_back(app: TestApp) {
    let artist = app.artist("haneul").await;
    let types =
        json!([{ "name": "앞", "price": 5_000, "capacity": 9 }, { "name": "뒤", "price": 3_000, "capacity": 9 }]);
    let event = app.event_of(&artist, json!({ "ticketTypes": types })).await;
    let (rich, other) = (app.fan("mina").await, app.fan("jun").await);
    app.give_points(&rich, 3_000).await;
    app.give_points(&other, 500).await;
    for (fan, points, key) in [(&rich, 1_000, "a"), (&rich, 1_500, "b"), (&other, 500, "c"), (&other, 0, "d")] {
        let mut input = booking_input(&event, 1, key);
        input["lines"] = json!([{ "ticketTypeId": event.types[0], "quantity": 1 }, { "ticketTypeId": event.types[1], "quantity": 2 }]);
        input["points"] = json!(points);
        let payload = app.mutate(Some(&fan.token), "bookingStart", crate::harness::BOOKING, input).await;
        assert_eq!(payload["booking"]["status"], "HELD", "{payload}");
    }
    app.move_clock(TimeDelta::minutes(15));
    let first = held(&app).await[0].id;
    ExpireBooking { booking_id: first }.run(&app.app).await.unwrap();
    assert_eq!(held(&app).await, []);
    // Seats and points of each: the harness checks every rule when this is over.
    assert_eq!(app.remaining(&event).await, 18);
    let balance = |fan: Person| {
        let app = app.clone();
        async move {
            let fan = app.sign_in_again(&fan).await;
            app.query(Some(&fan.token), "{ viewer { pointBalance } }", json!({})).await.data()["viewer"]["pointBalance"]
                .clone()
        }
    };
    assert_eq!((balance(rich).await, balance(other).await), (json!(3_000), json!(500)));
}

async fn a_hold_in_doubt_is_left_out_of_the_group(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 10).await;
    let doubted = app.book(&fan, &event, 1, "doubted").await;
    app.pay(&doubted, "approve", "error_after").await;
    app.book(&fan, &event, 1, "a").await;
    let last = app.book(&fan, &event, 1, "b").await;
    app.move_clock(TimeDelta::minutes(15));
    let last: BookingId = last["booking"]["id"].as_str().unwrap().parse().unwrap();
    ExpireBooking { booking_id: last }.run(&app.app).await.unwrap();
    let left = held(&app).await;
    assert_eq!(
        left.iter().map(|row| row.id.to_string()).collect::<Vec<_>>(),
        [doubted["booking"]["id"].as_str().unwrap()]
    );
    let of = payment::Entity::find().filter(payment::Column::Status.eq(PaymentStatus::Approving));
    assert_eq!(of.count(app.app.db.reads()).await.unwrap(), 1);
    app.work().await;
    assert_eq!((held(&app).await.len(), app.remaining(&event).await), (0, 9));
}
