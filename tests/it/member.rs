//! One's own profile, and what is shown again to leave. What stands in the way, what is erased and what ends are beside.

pub mod blocked;
pub mod email;
pub mod ended;
pub mod erased;

use crate::harness::{PASSWORD, Person, TestApp, errors_of, user_error};
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};

crate::scenarios![
    a_profile_is_read_and_edited,
    bad_fields_of_a_profile_are_named_all_at_once,
    an_artist_is_found_by_a_new_name_and_not_by_the_old,
    leaving_takes_the_password,
    without_a_password_it_takes_a_recent_sign_in,
];

const PROFILE: &str = "viewer { profile { nickname birthDate phoneNumber location language isRemindedByMail hasPassword \
                       createdAt } }";

const LEFT: &str = "isWithdrawn forfeitedPoints";

async fn update(app: &TestApp, person: &Person, input: Value) -> Value {
    app.mutate(Some(&person.token), "profileUpdate", PROFILE, input).await
}

async fn leave(app: &TestApp, person: &Person) -> Value {
    app.mutate(Some(&person.token), "accountWithdraw", LEFT, json!({ "currentPassword": PASSWORD })).await
}

async fn insert<E: EntityTrait>(app: &TestApp, row: impl IntoActiveModel<E::ActiveModel>)
where
    E::ActiveModel: Send,
{
    let txn = app.app.db.begin().await.unwrap();
    E::insert(row.into_active_model()).exec_without_returning(&txn).await.unwrap();
    txn.commit().await.unwrap();
}

async fn execute(app: &TestApp, sql: &str) {
    let txn = app.app.db.begin().await.unwrap();
    txn.execute_unprepared(sql).await.unwrap();
    txn.commit().await.unwrap();
}

async fn a_profile_is_read_and_edited(app: TestApp) {
    let fan = app.fan("mina").await;
    let read = format!("{{ {PROFILE} }}");
    let mut profile = app.query(Some(&fan.token), &read, json!({})).await.data()["viewer"]["profile"].clone();
    let expected = json!({
        "nickname": "관객", "birthDate": "1995-05-05", "phoneNumber": "010-1234-5678", "location": "서울",
        "language": "EN", "isRemindedByMail": true, "hasPassword": true, "createdAt": "2026-06-01T03:00:00+00:00",
    });
    assert_eq!(profile, expected);
    let changes = [
        ("nickname", json!("  봄비 "), json!("봄비")),
        ("birthDate", json!("2000-02-29"), json!("2000-02-29")),
        ("phoneNumber", json!("010-0000-1111"), json!("010-0000-1111")),
        ("location", json!("부산"), json!("부산")),
        ("language", json!("KO"), json!("KO")),
        ("isRemindedByMail", json!(false), json!(false)),
        ("location", Value::Null, json!("부산")),
    ];
    for (field, new, shown) in changes {
        let payload = update(&app, &fan, json!({ field: new })).await;
        profile[field] = shown;
        assert_eq!((&payload["viewer"]["profile"], errors_of(&payload).len()), (&profile, 0));
    }
    assert_eq!(app.query(Some(&fan.token), &read, json!({})).await.data()["viewer"]["profile"], profile);
    let document = "mutation { profileUpdate(input: { nickname: \"x\" }) { userErrors { code } } }";
    assert_eq!(app.query(None, document, json!({})).await.code(), "UNAUTHENTICATED");
}

async fn bad_fields_of_a_profile_are_named_all_at_once(app: TestApp) {
    let fan = app.fan("mina").await;
    let input = json!({ "nickname": " ", "birthDate": "2026-06-02", "phoneNumber": "011-1234-5678", "location": "" });
    let errors = errors_of(&update(&app, &fan, input).await);
    let expected = ["TOO_SHORT nickname", "TOO_SHORT location", "INVALID phoneNumber", "OUT_OF_RANGE birthDate"]
        .map(str::to_owned);
    assert_eq!(errors, expected);
    let payload = update(&app, &fan, json!({ "nickname": "가".repeat(21) })).await;
    assert_eq!(user_error(&payload), "TOO_LONG nickname");
}

async fn found_by(app: &TestApp, name: &str) -> usize {
    let query = "query($q: String!) { events(query: $q, first: 5) { nodes { id } } }";
    let answer = app.query(None, query, json!({ "q": name })).await;
    answer.data()["events"]["nodes"].as_array().unwrap().len()
}

async fn an_artist_is_found_by_a_new_name_and_not_by_the_old(app: TestApp) {
    let artist = app.artist("haneul").await;
    update(&app, &artist, json!({ "nickname": "달빛극단" })).await;
    app.event(&artist, 0, 10).await;
    assert_eq!(found_by(&app, "달빛극단").await, 1);
    update(&app, &artist, json!({ "nickname": "햇살무용단" })).await;
    app.work().await;
    assert_eq!((found_by(&app, "달빛극단").await, found_by(&app, "햇살무용단").await), (0, 1));
}

async fn leaving_takes_the_password(app: TestApp) {
    let fan = app.fan("mina").await;
    let wrong = |input: Value| app.mutate(Some(&fan.token), "accountWithdraw", LEFT, input);
    for input in [json!({}), json!({ "currentPassword": "Wrong-1234" })] {
        assert_eq!(user_error(&wrong(input).await), "WRONG_CREDENTIALS currentPassword");
    }
    for _ in 0..3 {
        wrong(json!({ "currentPassword": "Wrong-1234" })).await;
    }
    assert_eq!(user_error(&leave(&app, &fan).await), "TOO_MANY_ATTEMPTS currentPassword");
    app.pass(TimeDelta::minutes(15)).await;
    let fan = app.sign_in_again(&fan).await;
    assert_eq!(leave(&app, &fan).await, json!({ "isWithdrawn": true, "forfeitedPoints": 0, "userErrors": [] }));
    let document = "mutation { accountWithdraw(input: {}) { isWithdrawn } }";
    assert_eq!(app.query(None, document, json!({})).await.code(), "UNAUTHENTICATED");
}

async fn without_a_password_it_takes_a_recent_sign_in(app: TestApp) {
    let fan = app.fan("mina").await;
    execute(&app, "UPDATE \"user\" SET password_hash = NULL".replace('"', quote(&app)).as_str()).await;
    let profile = app.query(Some(&fan.token), "{ viewer { profile { hasPassword } } }", json!({})).await;
    assert_eq!(profile.data()["viewer"]["profile"]["hasPassword"], false);
    app.pass(TimeDelta::minutes(10) + TimeDelta::seconds(1)).await;
    let refreshed = json!({ "refreshToken": fan.refresh_token });
    let payload = app.mutate(None, "sessionRefresh", "session { accessToken refreshToken }", refreshed).await;
    let fan = Person::of(&fan.email, &payload);
    assert_eq!(user_error(&leave(&app, &fan).await), "SIGN_IN_NOT_RECENT");
    let user = spotlight::user::query::by_email(app.app.db.reads(), &fan.email).await.unwrap().unwrap();
    let holder = spotlight::auth::session::Holder::Member(user.id, user.role);
    let token = spotlight::auth::session::begin(&app.app, holder).await.unwrap().access_token;
    app.pass(TimeDelta::minutes(9)).await;
    assert_eq!(leave(&app, &Person { token, ..fan }).await["isWithdrawn"], true);
}

/// What stands around a name that is a word of SQL.
fn quote(app: &TestApp) -> &'static str {
    if app.app.db.reads().get_database_backend() == sea_orm::DbBackend::MySql { "`" } else { "\"" }
}

/// The ids in each list of the refusal, sorted: the clock stood still while they were made.
fn blocked(payload: &Value) -> [Vec<String>; 4] {
    assert_eq!(user_error(payload), "WITHDRAWAL_BLOCKED");
    ["bookings", "payments", "openEvents", "unsettledEvents"].map(|list| {
        let rows = payload["userErrors"][0][list].as_array().unwrap();
        sorted(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()))
    })
}

fn sorted(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().collect();
    ids.sort_unstable();
    ids
}

fn spring(app: &TestApp) -> entity::coupon::Model {
    use entity::enums::{CouponKind, DiscountKind};
    entity::coupon::Model {
        id: app.app.ids.next(),
        code: "SPRING".to_owned(),
        name: "봄".to_owned(),
        kind: CouponKind::Standard,
        discount_kind: DiscountKind::Fixed,
        discount_value: 500,
        discount_cap: None,
        minimum_purchase: 0,
        valid_from: app.now(),
        valid_until: app.now() + TimeDelta::days(30),
        quantity: 1,
        remaining: 0,
        version: 1,
        created_at: app.now(),
        deleted_at: None,
    }
}
