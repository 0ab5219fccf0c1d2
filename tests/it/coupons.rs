//! Coupons: made by admins, one for each person, never more than there are. The races run on two nodes.

use crate::harness::{BOOKING, Event, PASSWORD, Person, TestApp, booking_input, errors_of, user_error};
use chrono::TimeDelta;
use entity::{audit_log, coupon};
use futures_util::{StreamExt, future::join_all, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

crate::scenarios![
    a_coupon_from_its_making_to_its_use,
    the_same_key_makes_one_coupon,
    bad_coupons_are_named_and_make_nothing,
    only_admins_make_coupons_and_only_members_take_them,
    a_coupon_changes_only_in_ways_that_hurt_nobody,
    a_withdrawn_coupon_is_neither_given_out_nor_used_and_a_hold_keeps_its_price,
    nobody_gets_one_before_its_time_or_after,
    what_has_run_out_is_not_listed_as_usable,
    every_admin_change_is_one_row_of_the_audit_log,
    admins_page_through_all_coupons,
    a_rush_for_a_limited_coupon_gives_out_exactly_what_there_is,
    a_rush_for_a_standard_coupon_gives_out_exactly_what_there_is,
    one_person_who_asks_many_times_at_once_gets_one,
    more_pieces_while_they_are_taken_never_lose_count,
    one_coupon_and_many_bookings_use_it_once,
];

const COUPON: &str =
    "coupon { id code name kind quantity remaining discountKind discountValue discountCap minimumPurchase }";

async fn admin(app: &TestApp) -> String {
    let email = "keeper@spotlight.test";
    spotlight::admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": email, "password": PASSWORD });
    let payload = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    payload["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

fn input(app: &TestApp, changes: &Value) -> Value {
    let mut input = json!({
        "name": "봄맞이", "kind": "STANDARD", "discountKind": "FIXED", "discountValue": 1_000, "quantity": 10,
        "validFrom": app.now(), "validUntil": app.now() + TimeDelta::days(3),
    });
    for (key, value) in changes.as_object().unwrap() {
        input[key] = value.clone();
    }
    input
}

async fn make(app: &TestApp, admin: &str, changes: Value) -> Value {
    let payload = app.mutate(Some(admin), "couponCreate", COUPON, input(app, &changes)).await;
    assert!(payload["coupon"].is_object(), "{payload}");
    payload["coupon"].clone()
}

async fn issue_at(app: &TestApp, url: &str, fan: &Person, coupon: &Value) -> Value {
    let document = "mutation($input: CouponIssueInput!) { couponIssue(input: $input) { userCoupon { id status coupon { name } } \
                    userErrors { code path ... on AlreadyIssuedError { userCouponId } } } }";
    let variables = json!({ "input": { "couponId": coupon["id"] } });
    app.query_at(url, Some(&fan.token), document, variables).await.data()["couponIssue"].clone()
}

async fn issue(app: &TestApp, fan: &Person, coupon: &Value) -> Value {
    issue_at(app, &app.url, fan, coupon).await
}

/// Asks again when told to, as a client does.
async fn insist(app: &TestApp, url: &str, fan: &Person, coupon: &Value) -> Value {
    loop {
        let payload = issue_at(app, url, fan, coupon).await;
        if errors_of(&payload) != ["BUSY couponId"] {
            return payload;
        }
    }
}

async fn book(app: &TestApp, fan: &Person, event: &Event, own: &Value, key: &str) -> Value {
    let mut input = booking_input(event, 2, key);
    input["userCouponId"] = own["id"].clone();
    app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await
}

async fn fans(app: &TestApp, count: usize) -> Vec<Person> {
    let names: Vec<String> = (0..count).map(|index| format!("fan{index}")).collect();
    stream::iter(names).map(|name| async move { app.fan(&name).await }).buffered(8).collect().await
}

async fn remaining(app: &TestApp, coupon: &Value) -> i64 {
    let found =
        app.query(None, "query($c: String!) { coupon(code: $c) { remaining } }", json!({ "c": coupon["code"] })).await;
    found.data()["coupon"]["remaining"].as_i64().unwrap()
}

async fn a_coupon_from_its_making_to_its_use(app: TestApp) {
    let (admin, artist, fan) = (admin(&app).await, app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 9_999, 10).await;
    let half = json!({ "code": " half-price ", "discountKind": "PERCENT", "discountValue": 50, "discountCap": 5_000 });
    let coupon = make(&app, &admin, half).await;
    assert_eq!((&coupon["code"], &coupon["remaining"]), (&json!("HALF-PRICE"), &json!(10)));
    let found = app
        .query(None, "{ coupon(code: \"Half-Price\") { id name } none: coupon(code: \"x\") { id } }", json!({}))
        .await;
    assert_eq!(found.data(), &json!({ "coupon": { "id": coupon["id"], "name": "봄맞이" }, "none": null }));
    let issued = issue(&app, &fan, &coupon).await;
    let own = &issued["userCoupon"];
    assert_eq!((&own["status"], &own["coupon"]["name"]), (&json!("AVAILABLE"), &json!("봄맞이")), "{issued}");
    assert_eq!(remaining(&app, &coupon).await, 9);
    let again = issue(&app, &fan, &coupon).await;
    assert_eq!(user_error(&again), "ALREADY_ISSUED couponId");
    assert_eq!(again["userErrors"][0]["userCouponId"], own["id"]);
    app.work().await;
    let told = "{ viewer { notifications { nodes { kind body } } } }";
    let told = app.query(Some(&fan.token), told, json!({})).await;
    assert_eq!(told.data()["viewer"]["notifications"]["nodes"], json!([{ "kind": "COUPON_ISSUED", "body": "봄맞이" }]));
    let booked = book(&app, &fan, &event, own, "k").await;
    assert_eq!(booked["booking"]["amountDue"], 2 * 9_999 - 5_000, "{booked}");
    app.pay(&booked, "approve", "none").await;
    let list = app.query(Some(&fan.token), "{ viewer { userCoupons { nodes { status } } } }", json!({})).await;
    assert_eq!(list.data()["viewer"]["userCoupons"]["nodes"], json!([{ "status": "USED" }]));
    assert_eq!(user_error(&book(&app, &fan, &event, own, "k2").await), "COUPON_UNUSABLE userCouponId");
}

async fn the_same_key_makes_one_coupon(app: TestApp) {
    let admin = admin(&app).await;
    let make = |changes: Value| app.mutate(Some(&admin), "couponCreate", COUPON, input(&app, &changes));
    let keyed = json!({ "idempotencyKey": "k" });
    let (one, two) = tokio::join!(make(keyed.clone()), make(keyed.clone()));
    assert!(one["coupon"].is_object() && one == two, "{one} {two}");
    assert_eq!(make(keyed).await, one);
    let other = json!({ "idempotencyKey": "k", "quantity": 11 });
    assert_eq!(user_error(&make(other).await), "IDEMPOTENCY_KEY_REUSED idempotencyKey");
    assert!(make(json!({})).await["coupon"]["id"] != one["coupon"]["id"], "without a key each is a new one");
    assert_eq!(coupon::Entity::find().all(app.app.db.reads()).await.unwrap().len(), 2);
}

async fn bad_coupons_are_named_and_make_nothing(app: TestApp) {
    let admin = admin(&app).await;
    make(&app, &admin, json!({ "code": "TAKEN" })).await;
    for (changes, blamed) in [
        (json!({ "name": " " }), "TOO_SHORT name"),
        (json!({ "discountValue": 0 }), "OUT_OF_RANGE discountValue"),
        (json!({ "discountKind": "PERCENT", "discountValue": 101 }), "OUT_OF_RANGE discountValue"),
        (json!({ "discountCap": 500 }), "INVALID discountCap"),
        (json!({ "discountKind": "PERCENT", "discountValue": 10, "discountCap": 0 }), "OUT_OF_RANGE discountCap"),
        (json!({ "minimumPurchase": -1 }), "OUT_OF_RANGE minimumPurchase"),
        (json!({ "quantity": 0 }), "OUT_OF_RANGE quantity"),
        (json!({ "validUntil": app.now() }), "INVALID validUntil"),
        (json!({ "validFrom": app.now() + TimeDelta::days(4) }), "INVALID validUntil"),
        (json!({ "code": "쿠폰코드" }), "INVALID code"),
        (json!({ "code": "taken" }), "TAKEN code"),
    ] {
        let payload = app.mutate(Some(&admin), "couponCreate", COUPON, input(&app, &changes)).await;
        assert_eq!(user_error(&payload), blamed, "{changes}");
    }
    assert_eq!(coupon::Entity::find().all(app.app.db.reads()).await.unwrap().len(), 1);
}

async fn only_admins_make_coupons_and_only_members_take_them(app: TestApp) {
    let (admin, fan) = (admin(&app).await, app.fan("mina").await);
    let coupon = make(&app, &admin, json!({})).await;
    let create = "mutation($input: CouponCreateInput!) { couponCreate(input: $input) { coupon { id } } }";
    let issue = "mutation($input: CouponIssueInput!) { couponIssue(input: $input) { userCoupon { id } } }";
    let delete = "mutation($input: CouponDeleteInput!) { couponDelete(input: $input) { deletedCouponId } }";
    let (made, one) = (json!({ "input": input(&app, &json!({})) }), json!({ "input": { "couponId": coupon["id"] } }));
    for (token, document, variables, code) in [
        (None, create, &made, "UNAUTHENTICATED"),
        (Some(&fan.token), create, &made, "FORBIDDEN"),
        (Some(&fan.token), delete, &one, "FORBIDDEN"),
        (None, issue, &one, "UNAUTHENTICATED"),
        (Some(&admin), issue, &one, "FORBIDDEN"),
    ] {
        let answer = app.query(token.map(String::as_str), document, variables.clone()).await;
        assert_eq!(answer.code(), code, "{document}");
    }
}

async fn a_coupon_changes_only_in_ways_that_hurt_nobody(app: TestApp) {
    let (admin, fan, other) = (admin(&app).await, app.fan("mina").await, app.fan("jun").await);
    let coupon = make(&app, &admin, json!({ "quantity": 2 })).await;
    issue(&app, &fan, &coupon).await;
    issue(&app, &other, &coupon).await;
    let update = |changes: Value| {
        let mut input = json!({ "couponId": coupon["id"] });
        for (key, value) in changes.as_object().unwrap() {
            input[key] = value.clone();
        }
        app.mutate(Some(&admin), "couponUpdate", COUPON, input)
    };
    assert_eq!(user_error(&update(json!({ "quantity": 1 })).await), "OUT_OF_RANGE quantity");
    let earlier = json!({ "validUntil": app.now() + TimeDelta::days(2) });
    assert_eq!(user_error(&update(earlier).await), "NOT_ALLOWED validUntil");
    assert_eq!(user_error(&update(json!({ "name": "" })).await), "TOO_SHORT name");
    let later = json!({ "name": "여름맞이", "quantity": 5, "validUntil": app.now() + TimeDelta::days(30) });
    let changed = update(later).await;
    let now = &changed["coupon"];
    assert_eq!(
        (&now["name"], &now["quantity"], &now["remaining"]),
        (&json!("여름맞이"), &json!(5), &json!(3)),
        "{changed}"
    );
    assert_eq!(
        user_error(&update(json!({ "couponId": "cpn_01h455vb4pex5vsknk084sn02q" })).await),
        "NOT_FOUND couponId"
    );
}

async fn a_withdrawn_coupon_is_neither_given_out_nor_used_and_a_hold_keeps_its_price(app: TestApp) {
    let (admin, artist) = (admin(&app).await, app.artist("haneul").await);
    let (fan, other, third) = (app.fan("mina").await, app.fan("jun").await, app.fan("sora").await);
    let event = app.event(&artist, 5_000, 10).await;
    let coupon = make(&app, &admin, json!({ "code": "GONE" })).await;
    let (own, others) = (issue(&app, &fan, &coupon).await, issue(&app, &other, &coupon).await);
    let held = book(&app, &fan, &event, &own["userCoupon"], "k").await;
    let input = json!({ "couponId": coupon["id"] });
    let gone = app.mutate(Some(&admin), "couponDelete", "deletedCouponId", input.clone()).await;
    assert_eq!(gone["deletedCouponId"], coupon["id"], "{gone}");
    assert_eq!(
        user_error(&app.mutate(Some(&admin), "couponDelete", "deletedCouponId", input).await),
        "NOT_FOUND couponId"
    );
    assert_eq!(user_error(&issue(&app, &third, &coupon).await), "NOT_FOUND couponId");
    let refused = book(&app, &other, &event, &others["userCoupon"], "k").await;
    assert_eq!(user_error(&refused), "COUPON_UNUSABLE userCouponId");
    assert_eq!(usable(&app, &other).await, 0);
    assert_eq!(app.query(None, "{ coupon(code: \"GONE\") { id } }", json!({})).await.data()["coupon"], Value::Null);
    app.pay(&held, "approve", "none").await;
    let booking = app.booking(&fan, held["booking"]["id"].as_str().unwrap()).await;
    assert_eq!((&booking["status"], &booking["amountDue"]), (&json!("CONFIRMED"), &json!(9_000)));
}

async fn nobody_gets_one_before_its_time_or_after(app: TestApp) {
    let (admin, fan) = (admin(&app).await, app.fan("mina").await);
    let soon =
        json!({ "validFrom": app.now() + TimeDelta::minutes(1), "validUntil": app.now() + TimeDelta::minutes(2) });
    let coupon = make(&app, &admin, soon).await;
    assert_eq!(user_error(&issue(&app, &fan, &coupon).await), "NOT_ALLOWED couponId");
    app.pass(TimeDelta::minutes(2)).await;
    assert_eq!(user_error(&issue(&app, &fan, &coupon).await), "NOT_ALLOWED couponId");
    assert_eq!(remaining(&app, &coupon).await, 10);
}

/// How many of one's coupons could be used now.
async fn usable(app: &TestApp, fan: &Person) -> usize {
    let list = "{ viewer { userCoupons(usableOnly: true) { nodes { id } } } }";
    let list = app.query(Some(&fan.token), list, json!({})).await;
    list.data()["viewer"]["userCoupons"]["nodes"].as_array().unwrap().len()
}

async fn what_has_run_out_is_not_listed_as_usable(app: TestApp) {
    let (admin, fan) = (admin(&app).await, app.fan("mina").await);
    let coupon = make(&app, &admin, json!({})).await;
    issue(&app, &fan, &coupon).await;
    assert_eq!(usable(&app, &fan).await, 1);
    app.pass(TimeDelta::days(3)).await;
    assert_eq!(usable(&app, &app.sign_in_again(&fan).await).await, 0);
}

async fn every_admin_change_is_one_row_of_the_audit_log(app: TestApp) {
    let admin = admin(&app).await;
    let coupon = make(&app, &admin, json!({})).await;
    let id = &coupon["id"];
    app.mutate(Some(&admin), "couponUpdate", COUPON, json!({ "couponId": id, "quantity": 20 })).await;
    app.mutate(Some(&admin), "couponUpdate", COUPON, json!({ "couponId": id, "quantity": 0 })).await;
    app.mutate(Some(&admin), "couponDelete", "deletedCouponId", json!({ "couponId": id })).await;
    let of_coupons = audit_log::Entity::find().filter(audit_log::Column::SubjectKind.eq("coupon"));
    let mut rows = of_coupons.all(app.app.db.reads()).await.unwrap();
    rows.sort_by_key(|row| row.action.clone());
    let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["coupon.create", "coupon.delete", "coupon.update"], "what was refused is no change");
    let of = |text: &Option<String>| {
        text.as_deref().map(|text| serde_json::from_str::<Value>(text).unwrap()["quantity"].clone())
    };
    let quantities: Vec<_> = rows.iter().map(|row| (of(&row.before), of(&row.after))).collect();
    assert_eq!(quantities, [(None, Some(json!(10))), (Some(json!(20)), None), (Some(json!(10)), Some(json!(20)))]);
    assert!(rows.iter().all(|row| json!(row.subject_id) == *id && row.admin_id.is_some()));
    assert!(rows.iter().all(|row| row.address.as_deref() == Some("127.0.0.1")), "{rows:?}");
}

async fn admins_page_through_all_coupons(app: TestApp) {
    let admin = admin(&app).await;
    for index in 0..3 {
        make(&app, &admin, json!({ "code": format!("C-{index}") })).await;
        app.move_clock(TimeDelta::seconds(1));
    }
    let query = "query($after: String) { admin { coupons(first: 2, after: $after) { nodes { code deletedAt } pageInfo { hasNextPage endCursor } } } }";
    let first = app.query(Some(&admin), query, json!({})).await.data()["admin"]["coupons"].clone();
    assert_eq!(
        (&first["nodes"][0]["code"], &first["pageInfo"]["hasNextPage"]),
        (&json!("C-2"), &json!(true)),
        "{first}"
    );
    let after = json!({ "after": first["pageInfo"]["endCursor"] });
    let second = app.query(Some(&admin), query, after).await.data()["admin"]["coupons"].clone();
    assert_eq!((&second["nodes"][0]["code"], &second["pageInfo"]["hasNextPage"]), (&json!("C-0"), &json!(false)));
}

async fn rush(app: &TestApp, kind: &str) {
    let admin = admin(app).await;
    let node = app.node("other", |_| {}).await;
    let coupon = make(app, &admin, json!({ "kind": kind, "quantity": 12 })).await;
    let fans = fans(app, 60).await;
    let urls = [&app.url, &node.url];
    let asked = fans.iter().enumerate().map(|(index, fan)| insist(app, urls[index % 2], fan, &coupon));
    let payloads = join_all(asked).await;
    let got = payloads.iter().filter(|payload| payload["userCoupon"].is_object()).count();
    let late = payloads.iter().filter(|payload| errors_of(payload) == ["COUPON_EXHAUSTED couponId"]).count();
    assert_eq!((got, late), (12, 48), "{payloads:?}");
    assert_eq!(remaining(app, &coupon).await, 0);
    node.stop().await;
}

async fn a_rush_for_a_limited_coupon_gives_out_exactly_what_there_is(app: TestApp) {
    rush(&app, "LIMITED").await;
}

async fn a_rush_for_a_standard_coupon_gives_out_exactly_what_there_is(app: TestApp) {
    rush(&app, "STANDARD").await;
}

async fn one_person_who_asks_many_times_at_once_gets_one(app: TestApp) {
    let (admin, fan) = (admin(&app).await, app.fan("mina").await);
    let node = app.node("other", |_| {}).await;
    for kind in ["LIMITED", "STANDARD"] {
        let coupon = make(&app, &admin, json!({ "kind": kind })).await;
        let urls = [&app.url, &node.url];
        let payloads = join_all((0..16).map(|index| insist(&app, urls[index % 2], &fan, &coupon))).await;
        let got: Vec<&Value> = payloads.iter().filter(|payload| payload["userCoupon"].is_object()).collect();
        assert_eq!(got.len(), 1, "{payloads:?}");
        let others = payloads.iter().filter(|payload| payload["userCoupon"].is_null());
        let own = &got[0]["userCoupon"]["id"];
        assert!(others.clone().all(|payload| payload["userErrors"][0]["userCouponId"] == *own), "{payloads:?}");
        assert_eq!(remaining(&app, &coupon).await, 9);
    }
    node.stop().await;
}

async fn more_pieces_while_they_are_taken_never_lose_count(app: TestApp) {
    let admin = admin(&app).await;
    let fans = fans(&app, 30).await;
    for kind in ["LIMITED", "STANDARD"] {
        let coupon = make(&app, &admin, json!({ "kind": kind, "quantity": 5 })).await;
        let more = async {
            for quantity in [8, 10, 12] {
                let input = json!({ "couponId": coupon["id"], "quantity": quantity });
                let changed = app.mutate(Some(&admin), "couponUpdate", COUPON, input).await;
                assert_eq!(changed["coupon"]["quantity"], quantity, "{changed}");
            }
        };
        let (payloads, ()) = tokio::join!(join_all(fans.iter().map(|fan| insist(&app, &app.url, fan, &coupon))), more);
        let got = payloads.iter().filter(|payload| payload["userCoupon"].is_object()).count();
        assert_eq!(12 - remaining(&app, &coupon).await, i64::try_from(got).unwrap());
        assert!((5..=12).contains(&got), "{payloads:?}");
    }
}

async fn one_coupon_and_many_bookings_use_it_once(app: TestApp) {
    let (admin, artist, fan) = (admin(&app).await, app.artist("haneul").await, app.fan("mina").await);
    // Two events have a queue each: nothing but the coupon itself stands between the bookings.
    let types = json!([{ "name": "일반", "price": 5_000, "capacity": 100 }]);
    let event = app.event(&artist, 5_000, 100).await;
    let other = app.event_of(&artist, json!({ "title": "다른 공연", "ticketTypes": types })).await;
    let coupon = make(&app, &admin, json!({})).await;
    let issued = issue(&app, &fan, &coupon).await;
    let keys: Vec<String> = (0..8).map(|index| format!("k{index}")).collect();
    let events = [&event, &other].into_iter().cycle();
    let books = keys.iter().zip(events).map(|(key, event)| book(&app, &fan, event, &issued["userCoupon"], key));
    let payloads = join_all(books).await;
    let held: Vec<&Value> = payloads.iter().filter(|payload| payload["booking"].is_object()).collect();
    assert_eq!(held.len(), 1, "{payloads:?}");
    app.pay(held[0], "quit", "none").await;
    let again = book(&app, &fan, &event, &issued["userCoupon"], "again").await;
    assert!(again["booking"].is_object(), "given up, it can be used again: {again}");
}
