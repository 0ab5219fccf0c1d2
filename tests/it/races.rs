//! Many at once. After each, the harness checks every invariant.

use crate::harness::{Event, Person, TestApp};
use futures_util::{StreamExt, future::join_all, stream};
use serde_json::{Value, json};
use spotlight::infra::jobs;
use std::time::Duration;

crate::scenarios![
    two_hundred_buyers_for_ten_seats_sell_exactly_ten,
    one_balance_and_two_bookings_spend_it_once,
    approve_pressed_eight_times_takes_the_money_once,
    cancel_against_cancel_refunds_once,
    approve_against_expiry_has_one_winner,
    capacity_lowered_while_selling_never_oversells,
    the_worker_never_waits_for_itself,
];

async fn fans(app: &TestApp, count: usize) -> Vec<Person> {
    let names: Vec<String> = (0..count).map(|index| format!("fan{index}")).collect();
    stream::iter(names).map(|name| async move { app.fan(&name).await }).buffered(8).collect().await
}

async fn book_all(app: &TestApp, fans: &[Person], event: &Event) -> Vec<Value> {
    join_all(fans.iter().map(|fan| app.book(fan, event, 1, "k"))).await
}

fn booked(payloads: &[Value]) -> Vec<&Value> {
    payloads.iter().filter(|payload| payload["booking"].is_object()).collect()
}

async fn two_hundred_buyers_for_ten_seats_sell_exactly_ten(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 1_000, 10).await;
    let fans = fans(&app, 200).await;
    let payloads = book_all(&app, &fans, &event).await;
    let held = booked(&payloads);
    let is_sold_out = |payload: &&Value| payload["userErrors"][0]["code"] == "SOLD_OUT";
    let neither: Vec<&Value> =
        payloads.iter().filter(|payload| !is_sold_out(payload) && payload["booking"].is_null()).collect();
    assert_eq!((held.len(), payloads.iter().filter(is_sold_out).count()), (10, 190), "{neither:?}");
    join_all(held.iter().map(|payload| app.pay(payload, "approve", "none"))).await;
    app.work().await;
    assert_eq!(app.remaining(&event).await, 0);
    let winners = fans.iter().zip(&payloads).filter(|(_, payload)| payload["booking"].is_object());
    for (fan, payload) in winners {
        let booking = app.booking(fan, payload["booking"]["id"].as_str().unwrap()).await;
        assert_eq!((&booking["status"], booking["tickets"].as_array().unwrap().len()), (&json!("CONFIRMED"), 1));
    }
    let sold = "query($id: ID!) { event(id: $id) { capacity remaining } }";
    assert_eq!(app.query(None, sold, json!({ "id": event.id })).await.data()["event"]["capacity"], 10);
}

/// On two events, which have a queue each: nothing but the balance itself stands between the bookings.
async fn one_balance_and_two_bookings_spend_it_once(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    app.give_points(&fan, 1_000).await;
    let events = [app.event(&artist, 1_000, 10).await, other_event(&app, &artist, 1_000).await];
    let book = |index: usize| {
        let mut input = crate::harness::booking_input(&events[index % 2], 1, &format!("k{index}"));
        input["points"] = json!(1_000);
        app.mutate(Some(&fan.token), "bookingStart", crate::harness::BOOKING, input)
    };
    let payloads = join_all((0..6).map(book)).await;
    let confirmed = payloads.iter().filter(|payload| payload["booking"]["status"] == "CONFIRMED").count();
    let refused = payloads.iter().filter(|payload| payload["userErrors"][0]["code"] == "INSUFFICIENT_POINTS").count();
    assert_eq!((confirmed, refused), (1, 5), "{payloads:?}");
}

async fn other_event(app: &TestApp, artist: &Person, price: i64) -> Event {
    let types = json!([{ "name": "일반", "price": price, "capacity": 10 }]);
    app.event_of(artist, json!({ "title": "다른 공연", "ticketTypes": types })).await
}

async fn approve_pressed_eight_times_takes_the_money_once(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 10).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    let back = app.press(&payload, "approve", "slow").await;
    let answers = join_all((0..8).map(|_| app.http.get(&back).send())).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status().is_redirection()));
    let booking = app.booking(&fan, payload["booking"]["id"].as_str().unwrap()).await;
    assert_eq!((&booking["status"], booking["tickets"].as_array().unwrap().len()), (&json!("CONFIRMED"), 2));
    let story = app.story(payload["payment"]["id"].as_str().unwrap()).await;
    let calls = |step: &str| story.iter().filter(|known| *known == step).count();
    assert_eq!((calls("BeginApprove"), calls("Approve")), (1, 1), "{story:?}");
}

async fn cancel_against_cancel_refunds_once(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 10).await;
    let id = app.buy(&fan, &event, 2, "k").await;
    let cancel = |index: usize| {
        let input = json!({ "bookingId": id, "idempotencyKey": format!("c{index}") });
        app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input)
    };
    let payloads = join_all((0..6).map(cancel)).await;
    assert_eq!(booked(&payloads).len(), 1, "{payloads:?}");
    let booking = app.booking(&fan, &id).await;
    assert_eq!(booking["payment"]["canceledAmount"], 2_000);
    assert_eq!(app.remaining(&event).await, 10);
}

async fn approve_against_expiry_has_one_winner(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 1_000, 20).await;
    let fans = fans(&app, 10).await;
    let payloads = book_all(&app, &fans, &event).await;
    // All ten agreed on the page just before their holds run out.
    let backs = join_all(payloads.iter().map(|payload| app.press(payload, "approve", "none"))).await;
    app.move_clock(chrono::TimeDelta::minutes(15));
    let (_, _) = tokio::join!(app.work(), join_all(backs.iter().map(|back| app.http.get(back).send())));
    app.pass(chrono::TimeDelta::minutes(2)).await;
    let mut sold = 0;
    for (fan, payload) in fans.iter().zip(&payloads) {
        let fan = app.sign_in_again(fan).await;
        let booking = app.booking(&fan, payload["booking"]["id"].as_str().unwrap()).await;
        let valid = booking["tickets"].as_array().unwrap().iter().filter(|ticket| ticket["status"] == "VALID").count();
        match (booking["status"].as_str().unwrap(), booking["payment"]["status"].as_str().unwrap(), valid) {
            ("CONFIRMED", "APPROVED", 1) => sold += 1,
            // Whether anything was left with the provider, the harness asks it.
            ("EXPIRED", "CANCELED" | "EXPIRED" | "FAILED", 0) => {}
            neither => panic!("neither sold nor given back: {neither:?}"),
        }
    }
    assert_eq!(app.remaining(&event).await, 20 - sold);
}

async fn capacity_lowered_while_selling_never_oversells(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 60).await;
    let fans = fans(&app, 30).await;
    let lower = |capacity: i64| {
        let types = json!([{ "id": event.types[0], "name": "일반", "price": 0, "capacity": capacity }]);
        let input = json!({ "eventId": event.id, "ticketTypes": types });
        app.mutate(Some(&artist.token), "eventUpdate", "event { capacity }", input)
    };
    // Those above what is wanted are always allowed; 20 depends on who is faster.
    let while_selling = async {
        let mut allowed = 60;
        for capacity in [45, 20, 30] {
            let payload = lower(capacity).await;
            if payload["event"]["capacity"] == capacity {
                allowed = capacity;
            } else {
                assert_eq!((capacity, &payload["userErrors"][0]["code"]), (20, &json!("OUT_OF_RANGE")), "{payload}");
            }
        }
        allowed
    };
    let (payloads, allowed) = tokio::join!(book_all(&app, &fans, &event), while_selling);
    assert_eq!(allowed, 30);
    let query = "query($id: ID!) { event(id: $id) { capacity remaining } }";
    let answer = app.query(None, query, json!({ "id": event.id })).await;
    let now = &answer.data()["event"];
    let sold = now["capacity"].as_i64().unwrap() - now["remaining"].as_i64().unwrap();
    assert_eq!(usize::try_from(sold).unwrap(), booked(&payloads).len());
    assert!((1..=30).contains(&sold), "{sold}");
    assert_eq!(lower(sold - 1).await["userErrors"][0]["code"], "OUT_OF_RANGE", "one less than are sold");
    assert_eq!(lower(sold).await["event"]["capacity"], sold);
}

/// Looking for jobs and running them share one writing connection on SQLite.
async fn the_worker_never_waits_for_itself(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 100).await;
    let fans = fans(&app, 60).await;
    assert_eq!(booked(&book_all(&app, &fans, &event).await).len(), 60);
    let done = async { while !app.is_idle().await {} };
    tokio::select! {
        () = jobs::work(app.app.clone()) => panic!("the worker stopped"),
        done = tokio::time::timeout(Duration::from_secs(25), done) => done.expect("the worker stands still"),
    }
}
