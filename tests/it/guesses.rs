//! The second buyer of a rush is decided on what the first one left, and the database makes sure of it: whatever happens
//! between the two counts.

use crate::harness::{Event, Node, TestApp, one_seat};
use chrono::TimeDelta;
use entity::{booking, event, job, ticket_type, user};
use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect, TransactionTrait,
};
use spotlight::{
    app::App,
    booking::start::{Start, Started, start},
    error::{Code, Error},
    user::viewer::Buyer,
};

crate::scenarios![
    a_price_that_rose_is_the_price,
    what_was_canceled_is_not_sold,
    a_window_that_closed_is_closed,
    a_limit_that_was_set_holds,
    who_left_gets_nothing,
    what_others_took_is_gone,
    the_last_seat_is_listed_as_the_last,
    a_key_that_was_used_meanwhile_gives_its_answer,
    what_is_as_it_was_is_written_at_once,
    a_rush_is_served_by_guesses,
];

type Answer = Result<Started, Error>;

/// One connection, and a transaction for each buyer.
async fn narrow(app: &TestApp) -> Node {
    let node = app.node("narrow", |config| {
        config.database.max_connections = 1;
        config.database.idle_transaction_seconds = 60;
        config.booking.group_most = 1;
    });
    node.await
}

async fn stock(txn: &DatabaseTransaction, event: &Event) -> ticket_type::Model {
    let id: entity::ids::TicketTypeId = event.types[0].parse().unwrap();
    ticket_type::Entity::find_by_id(id).lock_exclusive().one(txn).await.unwrap().unwrap()
}

/// What the second one is answered, and how many guesses were right and wrong. Both buyers wait for the node's only connection, and so does who changes something: it goes from the first to that one, and
/// from there to the second.
async fn between(
    app: &TestApp,
    (first, second): ((Buyer, Start), (Buyer, Start)),
    event: &Event,
    change: impl AsyncFnOnce(&DatabaseTransaction),
) -> (Answer, (u64, u64)) {
    let node = narrow(app).await;
    let (served, event_id) = (&node.app, event.id.parse().unwrap());
    let (held_up, before) = (app.app.db.begin().await.unwrap(), node.app.db.statements());
    stock(&held_up, event).await;
    let mut first = start(served, first.0, first.1).boxed();
    assert!((&mut first).now_or_never().is_none());
    while served.queues.waiting(event_id) > 0 || served.db.statements() == before {
        tokio::task::yield_now().await;
    }
    let mut second = start(served, second.0, second.1).boxed();
    assert!((&mut second).now_or_never().is_none());
    let mut changing = next_in_line(served);
    assert!((&mut changing).now_or_never().is_none(), "there are two connections");
    everybody_has_a_turn(served).await;
    held_up.rollback().await.unwrap();
    let changing = changing.await.unwrap();
    change(&changing).await;
    changing.commit().await.unwrap();
    let (first, second) = tokio::join!(first, second);
    let guesses = served.queues.guesses.made();
    node.stop().await;
    first.unwrap();
    (second, guesses)
}

/// PostgreSQL is asked each time.
fn of_those_who_guess(app: &TestApp, guesses: (u64, u64)) -> (u64, u64) {
    if app.app.db.reads().get_database_backend() == DbBackend::Postgres { (0, 0) } else { guesses }
}

/// Asks for the connection when it is first polled.
fn next_in_line(app: &App) -> BoxFuture<'_, Result<DatabaseTransaction, DbErr>> {
    match app.db.reads().get_database_backend() {
        // There the writer is another one than the readers, and is asked for by a task.
        DbBackend::Sqlite => app.db.begin().boxed(),
        _ => app.db.reads().begin().boxed(),
    }
}

/// Whatever was ready has been polled.
async fn everybody_has_a_turn(app: &App) {
    for _ in 0..1_000 {
        app.tasks.spawn(async {}).await.unwrap();
    }
}

/// Of two fans, each for one seat of ten that cost so much; what the second one is refused, who is decided on a wrong guess.
async fn refused(app: &TestApp, price: i64, change: impl AsyncFnOnce(&DatabaseTransaction, &Event)) -> Option<Code> {
    let (artist, mina, jun) = (app.artist("haneul").await, app.fan("mina").await, app.fan("jun").await);
    let event = app.event(&artist, price, 10).await;
    let of_second = Start { expected_total: Some(price), ..one_seat(&event, "second") };
    let asked = ((app.buyer(&mina).await, one_seat(&event, "first")), (app.buyer(&jun).await, of_second));
    let (second, guesses) = between(app, asked, &event, async |txn| change(txn, &event).await).await;
    assert_eq!(guesses, of_those_who_guess(app, (0, 1)));
    match second {
        Ok(_) => None,
        Err(Error::Refused(problems)) => problems.first().map(|problem| problem.code),
        Err(error) => panic!("{error}"),
    }
}

async fn change_type(txn: &DatabaseTransaction, event: &Event, change: impl FnOnce(&mut ticket_type::Model)) {
    let mut row = stock(txn, event).await;
    change(&mut row);
    ticket_type::Entity::update(row.into_active_model().reset_all()).exec(txn).await.unwrap();
}

async fn change_event(txn: &DatabaseTransaction, event: &Event, change: impl FnOnce(&mut event::Model)) {
    let id: entity::ids::EventId = event.id.parse().unwrap();
    let mut row = event::Entity::find_by_id(id).lock_exclusive().one(txn).await.unwrap().unwrap();
    change(&mut row);
    event::Entity::update(row.into_active_model().reset_all()).exec(txn).await.unwrap();
}

async fn a_price_that_rose_is_the_price(app: TestApp) {
    let rise = async |txn: &DatabaseTransaction, event: &Event| change_type(txn, event, |row| row.price += 500).await;
    assert_eq!(refused(&app, 1_000, rise).await, Some(Code::AmountChanged));
}

async fn what_was_canceled_is_not_sold(app: TestApp) {
    let cancel = async |txn: &DatabaseTransaction, event: &Event| {
        change_event(txn, event, |row| row.status = entity::enums::EventStatus::Canceled).await;
    };
    assert_eq!(refused(&app, 0, cancel).await, Some(Code::BookingClosed));
}

async fn a_window_that_closed_is_closed(app: TestApp) {
    let now = app.now();
    let close = async |txn: &DatabaseTransaction, event: &Event| {
        change_event(txn, event, |row| row.booking_closes_at = now - TimeDelta::seconds(1)).await;
    };
    assert_eq!(refused(&app, 0, close).await, Some(Code::BookingClosed));
}

async fn a_limit_that_was_set_holds(app: TestApp) {
    let (artist, mina) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 10).await;
    let mina = app.buyer(&mina).await;
    let asked = ((mina, one_seat(&event, "first")), (mina, one_seat(&event, "second")));
    let limit = async |txn: &DatabaseTransaction| change_type(txn, &event, |row| row.per_person_limit = Some(1)).await;
    let (second, guesses) = between(&app, asked, &event, limit).await;
    assert_eq!(guesses, of_those_who_guess(&app, (0, 1)));
    match second.unwrap_err() {
        Error::Refused(problems) => assert_eq!(problems.first().unwrap().code, Code::LimitExceeded),
        error => panic!("{error}"),
    }
}

async fn who_left_gets_nothing(app: TestApp) {
    let (artist, mina, jun) = (app.artist("haneul").await, app.fan("mina").await, app.fan("jun").await);
    let (event, now) = (app.event(&artist, 0, 10).await, app.now());
    let (first, second) = (app.buyer(&mina).await, app.buyer(&jun).await);
    let asked = ((first, one_seat(&event, "first")), (second, one_seat(&event, "second")));
    let leave = async |txn: &DatabaseTransaction| {
        let gone = user::ActiveModel { id: Set(second.id()), withdrawn_at: Set(Some(now)), ..Default::default() };
        user::Entity::update(gone).exec(txn).await.unwrap();
    };
    let (second, guesses) = between(&app, asked, &event, leave).await;
    assert_eq!(guesses, of_those_who_guess(&app, (0, 1)));
    assert!(matches!(second, Err(Error::Unauthenticated)), "{second:?}");
}

/// As if they had never been for sale.
fn leave(row: &mut ticket_type::Model, remaining: i32) {
    row.capacity -= row.remaining - remaining;
    row.remaining = remaining;
}

async fn what_others_took_is_gone(app: TestApp) {
    let take = async |txn: &DatabaseTransaction, event: &Event| change_type(txn, event, |row| leave(row, 0)).await;
    assert_eq!(refused(&app, 0, take).await, Some(Code::SoldOut));
}

async fn the_last_seat_is_listed_as_the_last(app: TestApp) {
    let take = async |txn: &DatabaseTransaction, event: &Event| change_type(txn, event, |row| leave(row, 1)).await;
    assert_eq!(refused(&app, 0, take).await, None);
    let listed = job::Entity::find().filter(job::Column::Name.eq("index_event")).count(app.app.db.reads()).await;
    assert_eq!(listed.unwrap(), 1);
}

async fn a_key_that_was_used_meanwhile_gives_its_answer(app: TestApp) {
    let (artist, mina) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 10).await;
    let mina = app.buyer(&mina).await;
    let asked = ((mina, one_seat(&event, "the same")), (mina, one_seat(&event, "the same")));
    let (second, guesses) = between(&app, asked, &event, async |_| {}).await;
    assert_eq!(guesses, of_those_who_guess(&app, (0, 1)));
    let bookings = booking::Entity::find().all(app.app.db.reads()).await.unwrap();
    let ids: Vec<_> = bookings.iter().map(|row| row.id).collect();
    assert_eq!((ids, app.remaining(&event).await), (vec![second.unwrap().booking.id], 9));
}

async fn what_is_as_it_was_is_written_at_once(app: TestApp) {
    let (artist, mina, jun) = (app.artist("haneul").await, app.fan("mina").await, app.fan("jun").await);
    let event = app.event(&artist, 1_000, 10).await;
    let asked =
        ((app.buyer(&mina).await, one_seat(&event, "first")), (app.buyer(&jun).await, one_seat(&event, "second")));
    let (second, guesses) = between(&app, asked, &event, async |_| {}).await;
    assert_eq!((second.unwrap().booking.amount_due, guesses), (1_000, of_those_who_guess(&app, (1, 0))));
    assert_eq!(app.remaining(&event).await, 8);
}

/// One after the other over the same connection, on SQLite without waiting for the disk in between: to the last seat.
async fn a_rush_is_served_by_guesses(app: TestApp) {
    const BUYERS: usize = 40;
    const SEATS: i32 = 30;
    let node = app.node("rush", |config| {
        config.booking.group_most = 1;
        config.database.sqlite_full_sync = true;
    });
    let (node, artist) = (node.await, app.artist("haneul").await);
    let event = app.event(&artist, 0, SEATS).await;
    let mut buyers = Vec::new();
    for index in 0..BUYERS {
        buyers.push(app.buyer(&app.fan(&format!("fan{index}")).await).await);
    }
    let held_up = app.app.db.begin().await.unwrap();
    stock(&held_up, &event).await;
    let asked =
        buyers.iter().enumerate().map(|(place, buyer)| start(&node.app, *buyer, one_seat(&event, format!("k{place}"))));
    let mut asked = join_all(asked).boxed();
    assert!((&mut asked).now_or_never().is_none());
    held_up.rollback().await.unwrap();
    let sold: Vec<bool> = asked.await.iter().map(Result::is_ok).collect();
    let expected: Vec<bool> = (0..BUYERS).map(|place| place < usize::try_from(SEATS).unwrap()).collect();
    assert_eq!(sold, expected, "the first comers");
    // The first one, the last seat and those for whom there is none are asked for.
    let guesses = u64::try_from(SEATS).unwrap() - 2;
    assert_eq!(node.app.queues.guesses.made(), of_those_who_guess(&app, (guesses, 0)));
    assert_eq!(app.remaining(&event).await, 0);
    node.stop().await;
}
