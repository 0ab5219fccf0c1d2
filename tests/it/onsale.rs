//! A sale opens: many buyers of one event, served in groups. Requests are put into the queue by the use case itself, in
//! a known order, while a lock on the stock holds the first of them up.

use crate::harness::{Event, Person, TestApp, one_seat};
use entity::user;
use futures_util::{FutureExt, StreamExt, future::join_all, stream};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait, QuerySelect};
use serde_json::json;
use spotlight::{
    app::App,
    booking::start::{Start, Started, start},
    error::{Code, Error, Problem},
    user::viewer::Buyer,
};
use std::{pin::pin, time::Duration};

crate::scenarios![
    mixed_buyers_get_the_answers_that_they_would_get_one_by_one,
    a_thousand_buyers_on_fifty_seats_and_the_first_comers_get_them,
    the_number_of_statements_does_not_grow_with_the_group,
    a_seat_that_comes_back_can_be_bought_at_once,
    who_comes_too_late_is_told_why_though_nobody_locks_anything,
    who_comes_to_a_full_queue_is_told_so,
    who_hangs_up_in_the_queue_has_the_booking,
    one_key_on_two_nodes_at_once_gives_one_booking,
];

type Answer = Result<Started, Error>;

async fn buyers(app: &TestApp, name: &str, count: usize) -> Vec<Buyer> {
    let names: Vec<String> = (0..count).map(|index| format!("{name}{index}")).collect();
    let one = |name: String| async move { app.buyer(&app.fan(&name).await).await };
    stream::iter(names).map(one).buffered(8).collect().await
}

/// Nobody is served until this ends.
async fn hold_up(app: &App, event: &Event) -> DatabaseTransaction {
    let txn = app.db.begin().await.unwrap();
    let id: entity::ids::TicketTypeId = event.types[0].parse().unwrap();
    entity::ticket_type::Entity::find_by_id(id).lock_exclusive().one(&txn).await.unwrap().unwrap();
    txn
}

/// All at once, in this order: the first is served alone, and while it is held up the others come.
async fn together(app: &App, event: &Event, requests: Vec<(Buyer, Start)>) -> Vec<Answer> {
    let txn = hold_up(app, event).await;
    let mut requests = requests.into_iter();
    let (buyer, input) = requests.next().unwrap();
    let mut first = start(app, buyer, input).boxed();
    assert!((&mut first).now_or_never().is_none());
    while app.queues.waiting(event.id.parse().unwrap()) > 0 {
        tokio::task::yield_now().await;
    }
    let mut others = join_all(requests.map(|(buyer, input)| start(app, buyer, input))).boxed();
    // The first look at each puts it into the queue.
    assert!((&mut others).now_or_never().is_none());
    txn.rollback().await.unwrap();
    let (first, others) = tokio::join!(first, others);
    std::iter::once(first).chain(others).collect()
}

fn code(answer: &Answer) -> Option<Code> {
    match answer {
        Ok(_) => None,
        Err(Error::Refused(problems)) => problems.first().map(|problem: &Problem| problem.code),
        Err(error) => panic!("{error}"),
    }
}

/// Without ids.
fn said(answer: &Answer) -> String {
    match answer {
        Ok(Started { booking, payment }) => {
            let parts = (booking.original_amount, booking.points_used, booking.amount_due);
            format!("{:?} {parts:?} {:?}", booking.status, payment.as_ref().map(|payment| payment.status))
        }
        Err(Error::Refused(problems)) => {
            let one = |problem: &Problem| format!("{:?} {}", problem.code, problem.path.join("."));
            problems.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Err(error) => panic!("{error}"),
    }
}

/// A free kind with 40 seats, and one for 1,000 won with 30, of which a person gets 3 at most.
async fn two_kinds(app: &TestApp, artist: &Person, title: &str) -> Event {
    let types = json!([
        { "name": "free", "price": 0, "capacity": 40 },
        { "name": "paid", "price": 1_000, "capacity": 30, "perPersonLimit": 3 },
    ]);
    app.event_of(artist, json!({ "title": title, "ticketTypes": types })).await
}

/// Two hundred requests of sixty people: the same mixture for each event.
fn mixture(event: &Event, people: &[Buyer]) -> Vec<(Buyer, Start)> {
    let (free, paid) = (event.types[0].parse().unwrap(), event.types[1].parse().unwrap());
    let request = |place: usize| {
        let mut input = one_seat(event, format!("k{place}"));
        let who = people[place * 7 % people.len()];
        match place % 10 {
            0 => input.lines = vec![(free, 2)],
            1 => (input.lines, input.expected_total) = (vec![(paid, 1)], Some(999)),
            2 => (input.lines, input.points) = (vec![(paid, 1)], 5_000),
            3 => input.lines = vec![(paid, 2)],
            4 => input.lines = vec![(free, 1), (paid, 1)],
            // The same person with the same key: once for the same seats, once for others.
            5 | 6 => return (people[place / 10], one_seat(event, format!("again{}", place / 10))),
            7 => {
                return (
                    people[place / 10],
                    Start { lines: vec![(free, 2)], ..one_seat(event, format!("again{}", place / 10)) },
                );
            }
            8 => input.lines = vec![(event.id.parse::<entity::ids::EventId>().unwrap().0.into(), 1)],
            _ => {}
        }
        (who, input)
    };
    (0..200).map(request).collect()
}

async fn mixed_buyers_get_the_answers_that_they_would_get_one_by_one(app: TestApp) {
    let artist = app.artist("haneul").await;
    let (grouped, single) = (two_kinds(&app, &artist, "grouped").await, two_kinds(&app, &artist, "single").await);
    let mut people = Vec::new();
    for name in ["grouped", "single"] {
        let fans: Vec<Person> = {
            let names = (0..60).map(|index| format!("{name}{index}"));
            stream::iter(names.collect::<Vec<_>>())
                .map(|name| async { app.fan(&{ name }).await })
                .buffered(8)
                .collect()
                .await
        };
        // Every third has points enough for one seat, no more.
        for fan in fans.iter().step_by(3) {
            app.give_points(fan, 1_000).await;
        }
        people.push(join_all(fans.iter().map(|fan| app.buyer(fan))).await);
    }
    let together = together(&app.app, &grouped, mixture(&grouped, &people[0])).await;
    let mut alone = Vec::new();
    for (buyer, input) in mixture(&single, &people[1]) {
        alone.push(start(&app.app, buyer, input).await);
    }
    for (place, (together, alone)) in together.iter().zip(&alone).enumerate() {
        assert_eq!(said(together), said(alone), "request {place}");
    }
    for expected in [
        Code::SoldOut,
        Code::AmountChanged,
        Code::InsufficientPoints,
        Code::LimitExceeded,
        Code::IdempotencyKeyReused,
        Code::NotFound,
    ] {
        assert!(together.iter().any(|answer| code(answer) == Some(expected)), "the mixture has no {expected:?}");
    }
    let id = |place: usize| together[place].as_ref().unwrap().booking.id;
    assert_eq!(id(5), id(6), "the same key, in one group");
    assert_eq!(app.remaining(&grouped).await, app.remaining(&single).await);
}

async fn a_thousand_buyers_on_fifty_seats_and_the_first_comers_get_them(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 50).await;
    let people = buyers(&app, "fan", 20).await;
    let requests = (0..1_000).map(|place| (people[place % 20], one_seat(&event, format!("k{place}")))).collect();
    let answers = together(&app.app, &event, requests).await;
    for (place, answer) in answers.iter().enumerate() {
        assert_eq!(code(answer), (place >= 50).then_some(Code::SoldOut), "number {place}");
    }
    assert_eq!(app.remaining(&event).await, 0);
}

async fn the_number_of_statements_does_not_grow_with_the_group(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 1_000).await;
    let people = buyers(&app, "fan", 10).await;
    let mut counts = Vec::new();
    for (round, size) in [2, 9, 65, 129].into_iter().enumerate() {
        let requests = (0..size).map(|place| (people[place % 10], one_seat(&event, format!("{round}-{place}"))));
        let before = app.app.db.statements();
        let answers = together(&app.app, &event, requests.collect()).await;
        assert!(answers.iter().all(Result::is_ok));
        counts.push(app.app.db.statements() - before);
    }
    // The first is served alone; the other one by one transaction more, all the others by two, a half each.
    assert!(counts.iter().all(|count| *count < counts[0] * 2), "{counts:?}");
}

async fn a_seat_that_comes_back_can_be_bought_at_once(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 1).await;
    let (winner, people) = (app.fan("winner").await, buyers(&app, "fan", 2).await);
    let won = app.book(&winner, &event, 1, "k").await;
    for key in ["a", "b", "c"] {
        assert_eq!(code(&start(&app.app, people[0], one_seat(&event, key)).await), Some(Code::SoldOut));
    }
    let input = json!({ "bookingId": won["booking"]["id"], "idempotencyKey": "c" });
    let canceled = app.mutate(Some(&winner.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(canceled["booking"]["status"], "CANCELED", "{canceled}");
    assert_eq!(code(&start(&app.app, people[1], one_seat(&event, "k")).await), None);
    // A key that was refused may be used again; one that was answered has its answer even when all is gone.
    assert_eq!(code(&start(&app.app, people[0], one_seat(&event, "a")).await), Some(Code::SoldOut));
    assert_eq!(code(&start(&app.app, people[1], one_seat(&event, "k")).await), None);
    assert_eq!(app.remaining(&event).await, 0);
}

async fn who_comes_too_late_is_told_why_though_nobody_locks_anything(app: TestApp) {
    let artist = app.artist("haneul").await;
    let (event, other) = (app.event(&artist, 0, 1).await, app.event(&artist, 1_000, 1).await);
    let people = buyers(&app, "fan", 3).await;
    let [winner, late, gone] = people[..] else { panic!() };
    assert_eq!(code(&start(&app.app, winner, one_seat(&event, "k")).await), None);
    let left = user::ActiveModel { id: Set(gone.id()), withdrawn_at: Set(Some(app.now())), ..Default::default() };
    let txn = app.app.db.begin().await.unwrap();
    user::Entity::update(left).exec(&txn).await.unwrap();
    txn.commit().await.unwrap();
    // From the second on it is only looked at.
    for key in ["a", "b"] {
        assert_eq!(code(&start(&app.app, late, one_seat(&event, key)).await), Some(Code::SoldOut));
    }
    let elsewhere = other.types[0].parse().unwrap();
    let named = |key: &str, lines| Start { lines, ..one_seat(&event, key) };
    let own = one_seat(&event, "").lines[0];
    let asked = [
        (winner, one_seat(&event, "k"), "Confirmed (0, 0, 0) None"),
        (late, one_seat(&event, "c"), "SoldOut lines"),
        (late, named("d", vec![(elsewhere, 1)]), "NotFound lines.0.ticketTypeId"),
        (late, named("e", vec![own, (elsewhere, 1)]), "NotFound lines.1.ticketTypeId"),
        (gone, one_seat(&event, "f"), "gone"),
    ];
    let said = |answer: &Answer| match answer {
        Err(Error::Unauthenticated) => "gone".to_owned(),
        answer => said(answer),
    };
    for (buyer, input, expected) in &asked {
        assert_eq!(said(&start(&app.app, *buyer, input.clone()).await), *expected);
    }
    // All at once, and so in some group or other.
    let all = asked.iter().cycle().take(25).map(|(buyer, input, _)| start(&app.app, *buyer, input.clone()));
    for (answer, (.., expected)) in join_all(all).await.iter().zip(asked.iter().cycle()) {
        assert_eq!(said(answer), *expected);
    }
}

async fn who_comes_to_a_full_queue_is_told_so(app: TestApp) {
    let node = app.node("narrow", |config| config.booking.waiting_per_event = 3).await;
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let people = buyers(&app, "fan", 1).await;
    let requests = (0..6).map(|place| (people[0], one_seat(&event, format!("k{place}")))).collect();
    let answers = together(&node.app, &event, requests).await;
    let codes: Vec<Option<Code>> = answers.iter().map(code).collect();
    assert_eq!(codes, [None, None, None, None, Some(Code::Busy), Some(Code::Busy)]);
    assert_eq!(app.remaining(&event).await, 6);
    node.stop().await;
}

async fn who_hangs_up_in_the_queue_has_the_booking(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let people = buyers(&app, "fan", 2).await;
    let txn = hold_up(&app.app, &event).await;
    let mut patient = pin!(start(&app.app, people[1], one_seat(&event, "k")));
    {
        let mut gone = pin!(start(&app.app, people[0], one_seat(&event, "k")));
        assert!((&mut gone).now_or_never().is_none());
    }
    assert!((&mut patient).now_or_never().is_none());
    txn.rollback().await.unwrap();
    patient.await.unwrap();
    assert_eq!(app.remaining(&event).await, 8);
    let again = start(&app.app, people[0], one_seat(&event, "k")).await;
    assert_eq!(code(&again), None);
    assert_eq!(app.remaining(&event).await, 8);
}

async fn one_key_on_two_nodes_at_once_gives_one_booking(app: TestApp) {
    let node = app.node("second", |_| ()).await;
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 100).await;
    let people = buyers(&app, "fan", 10).await;
    let on = |app: App| {
        let (event, people) = (event.clone(), people.clone());
        async move {
            let each = people.iter().map(|one| start(&app, *one, one_seat(&event, "k")));
            join_all(each).await.into_iter().map(|answer| answer.unwrap().booking.id).collect::<Vec<_>>()
        }
    };
    let both = async { tokio::join!(on(app.app.clone()), on(node.app.clone())) };
    let (here, there) = tokio::time::timeout(Duration::from_secs(25), both).await.unwrap();
    assert_eq!(here, there);
    assert_eq!(app.remaining(&event).await, 90);
    node.stop().await;
}
