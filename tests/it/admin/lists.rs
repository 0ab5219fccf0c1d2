//! What admins list and search: by the beginning of what is known, page by page, in a fixed number of statements.

use super::{admin, list, review_of, user_id};
use crate::harness::{Person, TestApp};
use chrono::TimeDelta;
use entity::payment;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

crate::scenarios![
    members_are_found_by_the_beginning_of_what_is_known,
    lists_filter_and_page,
    whatever_an_admin_is_given_is_found,
    every_admin_list_runs_a_fixed_number_of_statements,
];

async fn members_are_found_by_the_beginning_of_what_is_known(app: TestApp) {
    let keeper = admin(&app).await;
    for (name, role) in [("mina", "USER"), ("minho", "USER"), ("haneul", "ARTIST"), ("mi%na", "USER")] {
        app.sign_up(name, role).await;
    }
    for (arguments, found) in [
        ("", vec!["mi%na", "haneul", "minho", "mina"]),
        ("(query: \"MIN\")", vec!["minho", "mina"]),
        ("(query: \"mi%\")", vec!["mi%na"]),
        ("(query: \"in\")", vec![]),
        ("(query: \"관\", first: 1)", vec!["mi%na"]),
        ("(query: \"010-12\", filter: { role: ARTIST })", vec!["haneul"]),
        ("(filter: { isWithdrawn: true })", vec![]),
    ] {
        let rows = list(&app, &keeper, &format!("users{arguments}"), "email").await;
        let emails: Vec<String> = found.iter().map(|name| format!("{name}@example.kr")).collect();
        let mut got: Vec<&str> = rows.iter().map(|row| row["email"].as_str().unwrap()).collect();
        let mut due: Vec<&str> = emails.iter().map(String::as_str).collect();
        if !arguments.contains("first") {
            got.sort_unstable();
            due.sort_unstable();
            assert_eq!(got, due, "{arguments}");
        }
        assert_eq!(got.len(), due.len(), "{arguments}");
    }
}

async fn lists_filter_and_page(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let first = app.event(&artist, 1_000, 10).await;
    app.move_clock(TimeDelta::seconds(11));
    let second = app.event_of(&artist, json!({ "title": "가을 전시" })).await;
    let booking = app.buy(&fan, &first, 2, "k").await;
    app.move_clock(TimeDelta::seconds(1));
    app.book(&fan, &second, 1, "held").await;
    let reviewed = review_of(&app, &first, &fan, 4).await;
    let (fan_id, artist_id) = (user_id(&app, &fan).await, user_id(&app, &artist).await);
    let ids = |rows: Vec<Value>| rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    for (field, due) in [
        (format!("events(filter: {{ artistId: \"{artist_id}\" }})"), vec![second.id.clone(), first.id.clone()]),
        ("events(query: \"가을\")".to_owned(), vec![second.id.clone()]),
        ("events(filter: { status: ENDED })".to_owned(), vec![]),
        ("events(first: 1)".to_owned(), vec![second.id.clone()]),
        (format!("bookings(filter: {{ eventId: \"{}\", status: CONFIRMED }})", first.id), vec![booking.clone()]),
        ("bookings(filter: { status: CANCELED })".to_owned(), vec![]),
        (format!("bookings(last: 1, filter: {{ userId: \"{fan_id}\" }})"), vec![booking]),
        (format!("reviews(filter: {{ authorId: \"{fan_id}\", rating: 4 }})"), vec![reviewed]),
        (format!("reviews(filter: {{ eventId: \"{}\" }})", second.id), vec![]),
    ] {
        assert_eq!(ids(list(&app, &keeper, &field, "id").await), due, "{field}");
    }
    let paid = list(&app, &keeper, "payments(filter: { status: APPROVED })", "user { email } payment { amount }").await;
    assert_eq!(paid, [json!({ "user": { "email": fan.email }, "payment": { "amount": 2_000 } })]);
    let counts = "bookingCount eventCount pointBalance";
    let member = list(&app, &keeper, "users(query: \"mina\")", counts).await;
    assert_eq!(member, [json!({ "bookingCount": 2, "eventCount": 0, "pointBalance": 0 })]);
    let queued = list(&app, &keeper, "jobs(state: QUEUED, name: \"expire_booking\")", "state attempts payload").await;
    assert!(!queued.is_empty() && queued.iter().all(|row| row["state"] == "QUEUED"), "{queued:?}");
    app.pass(TimeDelta::minutes(16)).await;
}

async fn whatever_an_admin_is_given_is_found(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let event = app.event(&artist, 1_000, 10).await;
    let other = app.fan("jun").await;
    let booking = app.buy(&fan, &event, 1, "k").await;
    app.buy(&other, &event, 1, "k").await;
    let (reviewed, _) = (review_of(&app, &event, &fan, 4).await, review_of(&app, &event, &other, 2).await);
    let id: entity::ids::BookingId = booking.parse().unwrap();
    let rows = payment::Entity::find().filter(payment::Column::BookingId.eq(id)).all(app.app.db.reads()).await.unwrap();
    let (paid, tid) = (rows[0].id.to_string(), rows[0].tid.clone().unwrap());
    let input = json!({ "userId": user_id(&app, &other).await, "role": "ARTIST", "reason": "asked" });
    app.mutate(Some(&keeper), "adminUserRoleChange", "user { id }", input).await;
    let changed = list(&app, &keeper, "auditLog(first: 1)", "id").await[0]["id"].as_str().unwrap().to_owned();
    let queued = list(&app, &keeper, "jobs(first: 1)", "id").await[0]["id"].as_str().unwrap().to_owned();
    let fan_id = user_id(&app, &fan).await;
    let ids = |id: &str| format!("ids: [\"{id}\"]");
    let by_id = |list: &str, id: &str| format!("{list}(filter: {{ {} }})", ids(id));
    for (field, found) in [
        (by_id("users", &fan_id), &fan_id),
        (by_id("events", &event.id), &event.id),
        (by_id("reviews", &reviewed), &reviewed),
        (by_id("bookings", &booking), &booking),
        (by_id("payments", &paid), &paid),
        (by_id("auditLog", &changed), &changed),
        (format!("jobs({})", ids(&queued)), &queued),
        (format!("payments(filter: {{ bookingId: \"{booking}\" }})"), &paid),
        (format!("payments(filter: {{ tid: \"{tid}\" }})"), &paid),
        ("bookings(query: \"min\")".to_owned(), &booking),
        ("payments(query: \"MINA@\")".to_owned(), &paid),
        ("reviews(query: \"mina\")".to_owned(), &reviewed),
    ] {
        let rows = list(&app, &keeper, &field, "id").await;
        assert_eq!(rows, [json!({ "id": found })], "{field}");
    }
    for (field, error) in [
        ("payments(filter: { tid: \"T00\" })".to_owned(), None),
        ("bookings(query: \"nobody\")".to_owned(), None),
        ("users(filter: { ids: [] })".to_owned(), None),
        ("settlements(filter: { ids: [] })".to_owned(), None),
        (by_id("bookings", &paid), Some("Not found")),
        (format!("users(filter: {{ ids: [{}] }})", format!("\"{fan_id}\",").repeat(101)), Some("At most 100 ids")),
    ] {
        let query = format!("{{ admin {{ {field} {{ nodes {{ id }} }} }} }}");
        let answer = app.query(Some(&keeper), &query, json!({})).await;
        match error {
            Some(why) => assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains(why), "{field}"),
            None => assert_eq!(answer.data()["admin"][field.split('(').next().unwrap()]["nodes"], json!([]), "{field}"),
        }
    }
    app.pass(TimeDelta::minutes(16)).await;
}

const LISTS: [(&str, &str); 7] = [
    ("users", "{ admin { users { nodes { email bookingCount eventCount pointBalance user { avatar { id } } } } } }"),
    (
        "events",
        "{ admin { events { nodes { openBookingCount artist { email eventCount } event { title ticketTypes { name } } } } } }",
    ),
    (
        "reviews",
        "{ admin { reviews { nodes { review { content } author { email } event { id openBookingCount } } } } }",
    ),
    (
        "bookings",
        "{ admin { bookings { nodes { user { email } booking { status lines { quantity } event { title } payment { status } } } } } }",
    ),
    ("payments", "{ admin { payments { nodes { user { email } story { step } payment { status } } } } }"),
    ("jobs", "{ admin { jobs { nodes { name state payload } } } }"),
    ("auditLog", "{ admin { auditLog { nodes { adminEmail action } } } }"),
];

async fn count(app: &TestApp, token: &str, query: &str) -> u64 {
    let before = app.app.db.statements();
    app.query(Some(token), query, json!({})).await.data();
    app.app.db.statements() - before
}

async fn sell(app: &TestApp, keeper: &str, artist: &Person, fan: &Person, names: std::ops::Range<usize>) {
    for index in names {
        let event = app.event(artist, 1_000, 10).await;
        app.move_clock(TimeDelta::seconds(11));
        app.buy(fan, &event, 1, &format!("{index}")).await;
        review_of(app, &event, fan, 5).await;
        let other = app.fan(&format!("fan{index}")).await;
        let input = json!({ "userId": user_id(app, &other).await, "role": "ARTIST", "reason": "asked" });
        app.mutate(Some(keeper), "adminUserRoleChange", "user { id }", input).await;
    }
    app.work().await;
}

async fn every_admin_list_runs_a_fixed_number_of_statements(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    sell(&app, &keeper, &artist, &fan, 0..2).await;
    let mut few = Vec::new();
    for (_, query) in LISTS {
        few.push(count(&app, &keeper, query).await);
    }
    sell(&app, &keeper, &artist, &fan, 2..8).await;
    for ((name, query), few) in LISTS.into_iter().zip(few) {
        assert_eq!(count(&app, &keeper, query).await, few, "{name}");
    }
}
