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

async fn one_balance_and_two_bookings_spend_it_once(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    app.give_points(&fan, 1_000).await;
    let event = app.event(&artist, 1_000, 10).await;
    let book = |key: &str| {
        let mut input = crate::harness::booking_input(&event, 1, key);
        input["points"] = json!(1_000);
        app.mutate(Some(&fan.token), "bookingStart", crate::harness::BOOKING, input)
    };
    let payloads = join_all((0..6).map(|index| book(["a", "b", "c", "d", "e", "f"][index]))).await;
    let confirmed = payloads.iter().filter(|payload| payload["booking"]["status"] == "CONFIRMED").count();
    assert_eq!(confirmed, 1, "{payloads:?}");
}

async fn approve_pressed_eight_times_takes_the_money_once(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 10).await;
    let payload = app.book(&fan, &event, 2, "k").await;
    let back = app.pay(&payload, "approve", "none").await;
    join_all((0..8).map(|_| app.http.get(&back).send())).await;
    let booking = app.booking(&fan, payload["booking"]["id"].as_str().unwrap()).await;
    assert_eq!((&booking["status"], booking["tickets"].as_array().unwrap().len()), (&json!("CONFIRMED"), 2));
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
    let presses = payloads.iter().map(|payload| {
        let page = payload["payment"]["redirect"]["pcUrl"].as_str().unwrap();
        app.http.post(format!("{page}/approve")).form(&[("fault", "none")]).send()
    });
    let backs: Vec<String> = join_all(presses)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().headers()["location"].to_str().unwrap().to_owned())
        .collect();
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
    let event = app.event(&artist, 0, 30).await;
    let fans = fans(&app, 30).await;
    let lower = async {
        for capacity in [25, 20, 15] {
            let types = json!([{ "id": event.types[0], "name": "일반", "price": 0, "capacity": capacity }]);
            let input = json!({ "eventId": event.id, "ticketTypes": types });
            app.mutate(Some(&artist.token), "eventUpdate", "event { capacity }", input).await;
        }
    };
    let (payloads, ()) = tokio::join!(book_all(&app, &fans, &event), lower);
    let answer =
        app.query(None, "query($id: ID!) { event(id: $id) { capacity remaining } }", json!({ "id": event.id })).await;
    let now = &answer.data()["event"];
    let sold = now["capacity"].as_i64().unwrap() - now["remaining"].as_i64().unwrap();
    assert_eq!(usize::try_from(sold).unwrap(), booked(&payloads).len());
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
