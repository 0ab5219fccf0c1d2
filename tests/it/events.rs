//! Publishing, finding, changing and calling off events.

use crate::harness::{EVENT, Event, Person, TestApp, errors_of, user_error};
use chrono::TimeDelta;
use serde_json::{Value, json};

crate::scenarios![
    a_visitor_and_a_fan_may_not_publish,
    a_second_click_creates_no_second_event,
    a_value_of_the_wrong_kind_is_named_by_its_path,
    bad_dates_and_numbers_are_named_and_change_nothing,
    events_are_found_by_parts_of_words_and_initials,
    filters_sorts_and_pages_agree,
    an_edit_and_a_cancellation_reach_the_index,
    a_running_server_is_asked_to_rebuild_its_index,
    only_its_artist_changes_an_event,
    after_the_first_sale_prices_are_fixed_and_capacity_covers_what_is_taken,
    an_unsold_event_moved_earlier_cannot_be_attended_and_then_canceled,
    ticket_types_are_reordered_and_a_new_one_may_come_first,
    one_ticket_type_named_twice_is_refused,
    a_time_finer_than_microseconds_is_cut_and_still_reminds_and_pages,
    a_moved_start_tells_the_holders_and_lets_them_leave,
    after_sales_have_closed_an_event_is_still_edited,
    who_is_at_the_till_hears_that_the_start_was_moved_and_may_leave,
    a_canceled_event_refunds_everybody,
];

async fn a_visitor_and_a_fan_may_not_publish(app: TestApp) {
    let document = "mutation($input: EventCreateInput!) { eventCreate(input: $input) { event { id } } }";
    let variables = json!({ "input": app.event_input(1_000, 1) });
    assert_eq!(app.query(None, document, variables.clone()).await.code(), "UNAUTHENTICATED");
    let fan = app.fan("mina").await;
    assert_eq!(app.query(Some(&fan.token), document, variables).await.code(), "FORBIDDEN");
}

async fn a_second_click_creates_no_second_event(app: TestApp) {
    let artist = app.artist("haneul").await;
    let input = app.event_input(1_000, 10);
    let create = || app.mutate(Some(&artist.token), "eventCreate", EVENT, input.clone());
    let (one, two, three) = tokio::join!(create(), create(), create());
    let made: Vec<&Value> = [&one, &two, &three].into_iter().filter(|payload| payload["event"].is_object()).collect();
    assert_eq!(made.len(), 1, "{one} {two} {three}");
    for payload in [&one, &two, &three].into_iter().filter(|payload| payload["event"].is_null()) {
        assert_eq!(user_error(payload), "DUPLICATE_SUBMIT");
        assert_eq!(payload["userErrors"][0]["existingEventId"], made[0]["event"]["id"]);
    }
    app.pass(TimeDelta::seconds(11)).await;
    assert!(create().await["event"].is_object());
}

async fn a_value_of_the_wrong_kind_is_named_by_its_path(app: TestApp) {
    let artist = app.artist("haneul").await;
    let document = "mutation($input: EventCreateInput!) { eventCreate(input: $input) { event { id } } }";
    for (pointer, value, named) in [
        ("/ticketTypes/0/price", json!("many"), "input.ticketTypes.0.price"),
        ("/ticketTypes/0/price", json!(1_i64 << 54), "input.ticketTypes.0.price"),
        ("/ticketTypes/0/capacity", json!(1.5), "input.ticketTypes.0.capacity"),
        ("/category", json!("OPERA"), "input.category"),
    ] {
        let mut input = app.event_input(1_000, 10);
        *input.pointer_mut(pointer).unwrap() = value;
        let answer = app.query(Some(&artist.token), document, json!({ "input": input })).await;
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(named), "{named} in {message}");
    }
}

async fn bad_dates_and_numbers_are_named_and_change_nothing(app: TestApp) {
    let artist = app.artist("haneul").await;
    let cases = [
        ("/endsAt", json!(app.now()), "OUT_OF_RANGE endsAt"),
        ("/bookingOpensAt", json!(app.now() + TimeDelta::days(20)), "OUT_OF_RANGE bookingOpensAt"),
        ("/title", json!(""), "TOO_SHORT title"),
        ("/title", json!("가".repeat(101)), "TOO_LONG title"),
        ("/ticketTypes/0/price", json!(-1), "OUT_OF_RANGE ticketTypes.0.price"),
        ("/ticketTypes/0/price", json!(9_000_000_000_000_000_i64), "OUT_OF_RANGE ticketTypes.0.price"),
        ("/ticketTypes/0/capacity", json!(0), "OUT_OF_RANGE ticketTypes.0.capacity"),
        ("/ticketTypes", json!([]), "TOO_SHORT ticketTypes"),
    ];
    for (pointer, value, blamed) in cases {
        let mut input = app.event_input(1_000, 10);
        *input.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        let payload = app.mutate(Some(&artist.token), "eventCreate", EVENT, input).await;
        assert_eq!(errors_of(&payload), [blamed], "{pointer}");
    }
    let own = app.query(Some(&artist.token), "{ viewer { events { nodes { id } } } }", json!({})).await;
    assert_eq!(own.data()["viewer"]["events"]["nodes"], json!([]));
}

async fn titles(app: &TestApp, arguments: &str) -> Vec<String> {
    let answer =
        app.query(None, &format!("{{ events({arguments}) {{ isDegraded nodes {{ title }} }} }}"), json!({})).await;
    let events = &answer.data()["events"];
    assert_eq!(events["isDegraded"], false);
    let nodes = events["nodes"].as_array().unwrap().iter();
    nodes.map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

async fn publish(app: &TestApp, token: &str, changes: Value) -> String {
    let mut input = app.event_input(10_000, 10);
    for (key, value) in changes.as_object().unwrap() {
        input[key] = value.clone();
    }
    let payload = app.mutate(Some(token), "eventCreate", EVENT, input).await;
    app.work().await;
    payload["event"]["id"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

async fn events_are_found_by_parts_of_words_and_initials(app: TestApp) {
    let artist = app.artist("haneul").await;
    publish(&app, &artist.token, json!({ "title": "퇴근길 재즈 트리오" })).await;
    publish(&app, &artist.token, json!({ "title": "골목 도예 워크숍", "category": "WORKSHOP" })).await;
    assert_eq!(titles(&app, r#"query: "재즈""#).await, ["퇴근길 재즈 트리오"]);
    assert_eq!(titles(&app, r#"query: "퇴근 길재즈""#).await, ["퇴근길 재즈 트리오"]);
    assert_eq!(titles(&app, r#"query: "ㄷㅇ""#).await, ["골목 도예 워크숍"]);
    let both = titles(&app, r#"query: "ㅅㄱㅈ", sort: RELEVANCE"#).await;
    assert_eq!(both.len(), 2, "the venue 소극장 by its initials: {both:?}");
    let answer = app.query(None, r#"{ eventSuggestions(prefix: "퇴근") { text } }"#, json!({})).await;
    assert!(answer.data()["eventSuggestions"].to_string().contains("퇴근길 재즈 트리오"), "{}", answer.body);
}

async fn filters_sorts_and_pages_agree(app: TestApp) {
    let artist = app.artist("haneul").await;
    for index in 0..7_i64 {
        let starts = app.now() + TimeDelta::days(10 + index % 3);
        let changes = json!({
            "title": format!("공연 {index}"), "startsAt": starts, "endsAt": starts + TimeDelta::hours(1),
            "category": if index % 2 == 0 { "MUSIC" } else { "ART" },
            "ticketTypes": [{ "name": "일반", "price": 1_000 * index, "capacity": 5 }],
        });
        publish(&app, &artist.token, changes).await;
    }
    assert_eq!(titles(&app, "filter: { categories: [ART] }, sort: CHEAPEST").await, ["공연 1", "공연 3", "공연 5"]);
    assert_eq!(titles(&app, "filter: { priceMin: 5000 }, sort: DEAREST").await, ["공연 6", "공연 5"]);
    let soonest = titles(&app, "first: 100").await;
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let query = "query($after: String) { events(first: 2, after: $after) { nodes { title } pageInfo { hasNextPage endCursor } totalCount } }";
        let cursor = if after.is_empty() { Value::Null } else { json!(after) };
        let answer = app.query(None, query, json!({ "after": cursor })).await;
        let events = &answer.data()["events"];
        assert_eq!(events["totalCount"], 7);
        seen.extend(events["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()));
        if events["pageInfo"]["hasNextPage"] == false {
            break;
        }
        events["pageInfo"]["endCursor"].as_str().unwrap().clone_into(&mut after);
    }
    assert_eq!(seen, soonest);
    assert_eq!(titles(&app, "last: 3").await, soonest[4..]);
    let refused = app.query(None, "{ events(first: 101) { nodes { id } } }", json!({})).await;
    assert_eq!(refused.code(), "BAD_USER_INPUT");
}

async fn an_edit_and_a_cancellation_reach_the_index(app: TestApp) {
    let artist = app.artist("haneul").await;
    let id = publish(&app, &artist.token, json!({ "title": "옛날 이름" })).await;
    let input = json!({ "eventId": id, "title": "새로운 이름" });
    app.mutate(Some(&artist.token), "eventUpdate", EVENT, input).await;
    app.work().await;
    assert_eq!(titles(&app, r#"query: "새로운""#).await, ["새로운 이름"]);
    app.mutate(Some(&artist.token), "eventCancel", EVENT, json!({ "eventId": id })).await;
    assert!(titles(&app, r#"query: "새로운""#).await.is_empty());
    app.work().await;
    assert!(titles(&app, "first: 10").await.is_empty());
    let answer = app.query(None, "query($id: ID!) { event(id: $id) { status isBookable } }", json!({ "id": id })).await;
    assert_eq!(answer.data()["event"], json!({ "status": "CANCELED", "isBookable": false }));
}

async fn a_running_server_is_asked_to_rebuild_its_index(app: TestApp) {
    let artist = app.artist("haneul").await;
    publish(&app, &artist.token, json!({ "title": "퇴근길 재즈 트리오" })).await;
    app.app.search.clear().await.unwrap();
    assert!(titles(&app, "first: 10").await.is_empty());
    spotlight::event::index::ask_for_rebuild(&app.app).await.unwrap();
    app.work().await;
    assert_eq!(titles(&app, "first: 10").await, ["퇴근길 재즈 트리오"]);
}

async fn only_its_artist_changes_an_event(app: TestApp) {
    let (artist, other) = (app.artist("haneul").await, app.artist("bada").await);
    let event = app.event(&artist, 1_000, 5).await;
    let input = json!({ "eventId": event.id, "title": "빼앗은 이름" });
    let payload = app.mutate(Some(&other.token), "eventUpdate", EVENT, input).await;
    assert_eq!(user_error(&payload), "NOT_FOUND eventId");
    let payload = app.mutate(Some(&other.token), "eventCancel", EVENT, json!({ "eventId": event.id })).await;
    assert_eq!(user_error(&payload), "NOT_FOUND eventId");
    let payload = app.mutate(Some(&artist.token), "eventCancel", EVENT, json!({ "eventId": "evt_nonsense" })).await;
    assert_eq!(user_error(&payload), "NOT_FOUND eventId");
}

async fn after_the_first_sale_prices_are_fixed_and_capacity_covers_what_is_taken(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 5).await;
    app.buy(&fan, &event, 3, "k").await;
    let change = |price: i64, capacity: i32| {
        let types = json!([{ "id": event.types[0], "name": "일반", "price": price, "capacity": capacity }]);
        app.mutate(Some(&artist.token), "eventUpdate", EVENT, json!({ "eventId": event.id, "ticketTypes": types }))
    };
    assert_eq!(user_error(&change(2_000, 5).await), "NOT_ALLOWED ticketTypes.0.price");
    assert_eq!(user_error(&change(1_000, 2).await), "OUT_OF_RANGE ticketTypes.0.capacity");
    assert_eq!(change(1_000, 3).await["event"]["ticketTypes"][0]["remaining"], 0);
    assert_eq!(change(1_000, 10).await["event"]["ticketTypes"][0]["remaining"], 7);
}

async fn an_unsold_event_moved_earlier_cannot_be_attended_and_then_canceled(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 1_000, 5).await;
    let starts = event.starts_at - TimeDelta::days(5);
    let closes = starts - TimeDelta::hours(1);
    let input = json!({ "eventId": event.id, "startsAt": starts, "bookingClosesAt": closes });
    let payload = app.mutate(Some(&artist.token), "eventUpdate", EVENT, input).await;
    let until = payload["event"]["cancelableUntil"].as_str().unwrap();
    assert_eq!(until.parse::<chrono::DateTime<chrono::Utc>>().unwrap(), closes);
}

async fn retype(app: &TestApp, artist: &Person, event: &Event, types: &[(Option<usize>, &str)]) -> Value {
    let input = |(id, name): &(Option<usize>, &str)| {
        let id = id.map(|index| event.types[index].clone());
        json!({ "id": id, "name": name, "price": 1_000, "capacity": 5 })
    };
    let types: Vec<Value> = types.iter().map(input).collect();
    let input = json!({ "eventId": event.id, "ticketTypes": types });
    app.mutate(Some(&artist.token), "eventUpdate", "event { ticketTypes { id name } }", input).await
}

async fn of_two_types(app: &TestApp, artist: &Person) -> Event {
    let types =
        json!([{ "name": "앞", "price": 1_000, "capacity": 5 }, { "name": "뒤", "price": 1_000, "capacity": 5 }]);
    app.event_of(artist, json!({ "ticketTypes": types })).await
}

async fn ticket_types_are_reordered_and_a_new_one_may_come_first(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = of_two_types(&app, &artist).await;
    let names = |payload: &Value| -> Vec<String> {
        let rows = payload["event"]["ticketTypes"].as_array().unwrap_or_else(|| panic!("{payload}")).iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let turned = retype(&app, &artist, &event, &[(Some(1), "뒤"), (Some(0), "앞")]).await;
    assert_eq!(names(&turned), ["뒤", "앞"]);
    let longer = retype(&app, &artist, &event, &[(None, "서서"), (Some(0), "앞"), (Some(1), "뒤")]).await;
    assert_eq!(names(&longer), ["서서", "앞", "뒤"]);
}

async fn one_ticket_type_named_twice_is_refused(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = of_two_types(&app, &artist).await;
    let payload = retype(&app, &artist, &event, &[(Some(0), "앞"), (Some(1), "뒤"), (Some(0), "또")]).await;
    assert_eq!(user_error(&payload), "INVALID ticketTypes.2.id");
}

/// Two events an instant apart, as a client with a finer clock sends them.
async fn a_time_finer_than_microseconds_is_cut_and_still_reminds_and_pages(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let types = json!([{ "name": "무료", "price": 0, "capacity": 5 }]);
    let finer =
        |title: &str| json!({ "title": title, "startsAt": "2026-06-11T03:00:00.123456789Z", "ticketTypes": types });
    let event = app.event_of(&artist, finer("하나")).await;
    app.event_of(&artist, finer("둘")).await;
    assert_eq!(event.starts_at.timestamp_subsec_nanos(), 123_456_000);
    let (mut after, mut seen) = (Value::Null, Vec::new());
    for _ in 0..2 {
        let query = "query($after: String) { viewer { events(first: 1, after: $after) { nodes { title } pageInfo { endCursor } } } }";
        let answer = app.query(Some(&artist.token), query, json!({ "after": after })).await;
        let events = &answer.data()["viewer"]["events"];
        seen.push(events["nodes"][0]["title"].clone());
        after = events["pageInfo"]["endCursor"].clone();
    }
    seen.sort_by_key(ToString::to_string);
    assert_eq!(seen, ["둘", "하나"]);
    app.book(&fan, &event, 1, "k").await;
    app.pass(event.starts_at - app.now() - TimeDelta::minutes(30)).await;
    let fan = app.sign_in_again(&fan).await;
    let told = app.query(Some(&fan.token), "{ viewer { notifications { nodes { kind } } } }", json!({})).await;
    let nodes = told.data()["viewer"]["notifications"]["nodes"].as_array().unwrap().clone();
    assert_eq!(nodes.iter().filter(|node| node["kind"] == "REMINDER").count(), 2, "{nodes:?}");
}

async fn a_moved_start_tells_the_holders_and_lets_them_leave(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 5).await;
    let booking = app.buy(&fan, &event, 1, "k").await;
    let starts = event.starts_at + TimeDelta::days(5);
    let input = json!({ "eventId": event.id, "startsAt": starts, "endsAt": starts + TimeDelta::hours(1) });
    let payload = app.mutate(Some(&artist.token), "eventUpdate", EVENT, input).await;
    app.work().await;
    let until = payload["event"]["cancelableUntil"].as_str().unwrap();
    assert_eq!(until.parse::<chrono::DateTime<chrono::Utc>>().unwrap(), starts);
    let told = app.query(Some(&fan.token), "{ viewer { notifications { nodes { kind } } } }", json!({})).await;
    assert_eq!(told.data()["viewer"]["notifications"]["nodes"][0]["kind"], "EVENT_CHANGED");
    app.pass(TimeDelta::days(12)).await;
    // The token ran out meanwhile.
    let fan = app.sign_in_again(&fan).await;
    let input = json!({ "bookingId": booking, "idempotencyKey": "c" });
    let payload = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    app.work().await;
    assert_eq!(payload["booking"]["status"], "CANCELED", "{payload}");
}

async fn after_sales_have_closed_an_event_is_still_edited(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 5).await;
    let booking = app.buy(&fan, &event, 1, "k").await;
    app.pass(TimeDelta::days(9) + TimeDelta::hours(12)).await;
    let (artist, fan) = (app.sign_in_again(&artist).await, app.sign_in_again(&fan).await);
    let change = |changes: Value| {
        let mut input = json!({ "eventId": event.id });
        for (key, value) in changes.as_object().unwrap() {
            input[key] = value.clone();
        }
        app.mutate(Some(&artist.token), "eventUpdate", EVENT, input)
    };
    assert_eq!(errors_of(&change(json!({ "title": "봄밤 인디 공연 (2회)" })).await), Vec::<String>::new());
    let more = json!([{ "id": event.types[0], "name": "일반", "price": 1_000, "capacity": 8 }]);
    assert_eq!(change(json!({ "ticketTypes": more })).await["event"]["capacity"], 8);
    let again = json!({ "bookingClosesAt": app.now() - TimeDelta::hours(1) });
    assert_eq!(errors_of(&change(again).await), ["OUT_OF_RANGE bookingClosesAt"], "a new time is not in the past");
    let starts = event.starts_at + TimeDelta::days(7);
    let put_off = change(json!({ "startsAt": starts, "endsAt": starts + TimeDelta::hours(1) })).await;
    assert_eq!(errors_of(&put_off), Vec::<String>::new());
    app.work().await;
    assert_eq!(newest(&app, &fan).await, "EVENT_CHANGED");
    app.pass(starts - app.now() - TimeDelta::hours(23)).await;
    let fan = app.sign_in_again(&fan).await;
    assert_eq!(newest(&app, &fan).await, "REMINDER", "planned anew");
    let input = json!({ "bookingId": booking, "idempotencyKey": "c" });
    let payload = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(payload["booking"]["status"], "CANCELED", "{payload}");
}

async fn newest(app: &TestApp, fan: &Person) -> String {
    let told = app.query(Some(&fan.token), "{ viewer { notifications { nodes { kind } } } }", json!({})).await;
    told.data()["viewer"]["notifications"]["nodes"][0]["kind"].as_str().unwrap_or_default().to_owned()
}

async fn who_is_at_the_till_hears_that_the_start_was_moved_and_may_leave(app: TestApp) {
    let (artist, fan, later) = (app.artist("haneul").await, app.fan("mina").await, app.fan("jun").await);
    let event = app.event(&artist, 1_000, 5).await;
    let held = app.book(&fan, &event, 1, "k").await;
    app.move_clock(TimeDelta::minutes(1));
    let starts = event.starts_at + TimeDelta::days(5);
    let input = json!({ "eventId": event.id, "startsAt": starts, "endsAt": starts + TimeDelta::hours(1) });
    app.mutate(Some(&artist.token), "eventUpdate", EVENT, input).await;
    app.pass(TimeDelta::minutes(1)).await;
    assert_eq!(newest(&app, &fan).await, "EVENT_CHANGED");
    app.pay(&held, "approve", "none").await;
    app.buy(&later, &event, 1, "k").await;
    app.work().await;
    let all = |fan: Person| {
        let app = app.clone();
        async move {
            let told = app.query(Some(&fan.token), "{ viewer { notifications { nodes { kind } } } }", json!({})).await;
            told.data()["viewer"]["notifications"]["nodes"].clone()
        }
    };
    let (paid, moved) = (json!({ "kind": "PAYMENT_CONFIRMED" }), json!({ "kind": "EVENT_CHANGED" }));
    assert_eq!(all(fan.clone()).await, json!([paid, moved]), "told once");
    assert_eq!(all(later).await, json!([paid]), "who books the new time has nothing to hear");
    app.pass(TimeDelta::days(13)).await;
    let fan = app.sign_in_again(&fan).await;
    let input = json!({ "bookingId": held["booking"]["id"], "idempotencyKey": "c" });
    let payload = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(payload["booking"]["status"], "CANCELED", "{payload}");
}

async fn a_canceled_event_refunds_everybody(app: TestApp) {
    let artist = app.artist("haneul").await;
    let (paid, held, free) = (app.fan("a").await, app.fan("b").await, app.fan("c").await);
    let event = app.event(&artist, 7_000, 10).await;
    let sold = app.buy(&paid, &event, 2, "k").await;
    let open = app.book(&held, &event, 1, "k").await;
    let open = open["booking"]["id"].as_str().unwrap();
    let cancel = || app.mutate(Some(&artist.token), "eventCancel", EVENT, json!({ "eventId": event.id }));
    let canceled = cancel().await;
    assert_eq!(canceled["event"]["status"], "CANCELED", "{canceled}");
    assert_eq!(cancel().await, canceled, "who got no answer asks again");
    app.work().await;
    assert_eq!(errors_of(&cancel().await), Vec::<String>::new());
    let refunded = app.booking(&paid, &sold).await;
    assert_eq!((&refunded["status"], &refunded["payment"]["canceledAmount"]), (&json!("CANCELED"), &json!(14_000)));
    assert_eq!(app.booking(&held, open).await["status"], "EXPIRED");
    assert_eq!(app.remaining(&event).await, 10);
    let late = app.book(&free, &event, 1, "k").await;
    assert_eq!(user_error(&late), "BOOKING_CLOSED eventId");
    let told = app.query(Some(&paid.token), "{ viewer { notifications { nodes { kind } } } }", json!({})).await;
    assert_eq!(told.data()["viewer"]["notifications"]["nodes"][0]["kind"], "EVENT_CANCELED");
}
