//! What is erased of who has left, and what stays without a name.

use super::{execute, insert, leave, quote, spring, update};
use crate::{
    harness::{BOOKING, Manners, PASSWORD, SESSION, SmtpServer, TestApp, booking_input, user_error},
    uploads::{png, review, status_of, uploaded, user_id},
};
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use serde_json::{Value, json};
use spotlight::infra::jobs;

crate::scenarios![
    what_is_erased_is_in_no_table,
    a_mailbox_that_is_refused_keeps_no_address,
    the_same_email_is_somebody_new,
    what_was_written_stays_without_a_name,
];

const WORDS: [&str; 5] = ["mina@example.kr", "010-9876-5432", "은하수별명", "제주시 애월읍", "전 여자친구 때문에"];

/// `table.column` of every text in the database that has one of the words.
async fn places_of(app: &TestApp, words: &[&str]) -> Vec<String> {
    use sea_orm::DatabaseBackend::{MySql, Postgres, Sqlite};
    let db = app.app.db.reads();
    let backend = db.get_database_backend();
    let list = match backend {
        MySql => "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
        Postgres => "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
        Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        other => panic!("{other:?}"),
    };
    let tables = db.query_all_raw(Statement::from_string(backend, list)).await.unwrap();
    assert!(tables.len() > 25, "the tables were not found");
    let mut found = Vec::new();
    for table in tables {
        let table: String = table.try_get_by_index(0).unwrap();
        let all = format!("SELECT * FROM {q}{table}{q}", q = quote(app));
        for row in db.query_all_raw(Statement::from_string(backend, all)).await.unwrap() {
            for column in row.column_names() {
                let text = text_of(&row, &column);
                if words.iter().any(|word| text.contains(word)) {
                    found.push(format!("{table}.{column}"));
                }
            }
        }
    }
    found.sort();
    found
}

/// Empty if it is no text.
fn text_of(row: &QueryResult, column: &str) -> String {
    row.try_get::<Option<String>>("", column).ok().flatten().unwrap_or_default()
}

async fn what_is_erased_is_in_no_table(app: TestApp) {
    let fan = app.fan("mina").await;
    let changes = json!({ "nickname": WORDS[2], "phoneNumber": WORDS[1], "location": WORDS[3] });
    update(&app, &fan, changes).await;
    let id = user_id(&app, &fan).await;
    let (_, avatar) = uploaded(&app, &fan, &id.to_string(), &png()).await;
    execute(
        &app,
        &format!(
            "INSERT INTO social_account (id, user_id, provider, subject, email, linked_at) SELECT id, id, 'KAKAO', '42', \
             email, created_at FROM {q}user{q}",
            q = quote(&app)
        ),
    )
    .await;
    let txn = app.app.db.begin().await.unwrap();
    let kind = entity::enums::PointEntryKind::Adjustment;
    spotlight::point::ledger::add(&txn, &app.app, id, kind, 700, "a gift").await.unwrap();
    txn.commit().await.unwrap();
    let event = app.event(&app.artist("haneul").await, 0, 10).await;
    app.book(&fan, &event, 1, "k").await;
    app.pass(TimeDelta::days(12)).await;
    let fan = app.sign_in_again(&fan).await;
    execute(&app, &format!("UPDATE booking SET cancel_reason = '{}'", WORDS[4])).await;
    // So that there is something to count.
    app.mutate(None, "signIn", SESSION, json!({ "email": fan.email, "password": "Wrong-1234" })).await;
    let before = places_of(&app, &WORDS).await;
    for place in [
        "user.email",
        "user.nickname",
        "user.phone_number",
        "user.location",
        "social_account.email",
        "booking.cancel_reason",
    ] {
        assert!(before.iter().any(|found| found == place), "{place} in {before:?}");
    }
    let left_at = app.now();
    assert_eq!(leave(&app, &fan).await["forfeitedPoints"], 700);
    let letter = app.mail_to(&fan.email).await;
    assert!(letter.contains("Your account is closed"), "{letter}");
    // What counts wrong tries by address runs out by itself.
    app.pass(TimeDelta::minutes(16)).await;
    app.app.kv.sweep().await.unwrap();
    assert_eq!(places_of(&app, &WORDS).await, Vec::<String>::new());
    assert_eq!(places_of(&app, &["KAKAO"]).await, Vec::<String>::new());
    let row = spotlight::user::query::by_id(app.app.db.reads(), id).await.unwrap().unwrap();
    assert_eq!((row.birth_date, row.password_hash, row.is_reminded_by_mail), (None, None, false));
    assert_eq!((row.language.as_str(), row.withdrawn_at), ("ko", Some(left_at)));
    assert_eq!(status_of(&app, &avatar).await, 404);
}

async fn a_mailbox_that_is_refused_keeps_no_address(app: TestApp) {
    let fan = app.fan("nobody").await;
    let server = SmtpServer::start(Manners { to_nobody: "550 5.1.1 unknown", ..Manners::default() }).await;
    let mail = spotlight::infra::mail::MailSettings { url: server.url.clone().into(), ..app.app.config.mail.clone() };
    let node = app.node("mailing", move |config| config.mail = mail).await;
    // A code that nobody has read, and the farewell.
    app.mutate(None, "emailCodeSend", "isAccepted", json!({ "email": fan.email, "purpose": "SIGN_UP" })).await;
    assert_eq!(leave(&app, &fan).await["isWithdrawn"], true);
    let waiting = places_of(&app, &["nobody@example.kr"]).await;
    assert!(waiting.iter().filter(|place| *place == "job.payload").count() == 2, "{waiting:?}");
    while jobs::run_due(&node.app).await.unwrap() > 0 {}
    assert!(server.taken().is_empty());
    app.pass(TimeDelta::minutes(16)).await;
    app.app.kv.sweep().await.unwrap();
    assert_eq!(places_of(&app, &["nobody@example.kr"]).await, Vec::<String>::new());
    node.stop().await;
}

async fn the_same_email_is_somebody_new(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let old = user_id(&app, &fan).await;
    app.give_points(&fan, 3_000).await;
    let event = app.event(&artist, 1_000, 10).await;
    let mut input = booking_input(&event, 1, "k");
    input["points"] = json!(1_000);
    let payload = app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await;
    assert_eq!(payload["booking"]["status"], "CONFIRMED");
    coupon_of(&app, old).await;
    app.pass(TimeDelta::days(12)).await;
    let fan = app.sign_in_again(&fan).await;
    assert_eq!(leave(&app, &fan).await["forfeitedPoints"], 2_000);
    assert_eq!(
        user_error(&app.mutate(None, "signIn", SESSION, json!({ "email": fan.email, "password": PASSWORD })).await),
        "WRONG_CREDENTIALS"
    );
    // The farewell goes first, so that the newest letter is the one with the code.
    app.work().await;
    let again = app.fan("mina").await;
    assert_ne!(user_id(&app, &again).await, old);
    let query = "{ viewer { email pointBalance bookings { nodes { id } } tickets { nodes { id } } pointEntries { nodes { id } } \
                 userCoupons { nodes { id } } payments { nodes { id } } notifications { nodes { id } } } }";
    let nothing = json!({ "nodes": [] });
    let expected = json!({
        "email": fan.email, "pointBalance": 0, "bookings": nothing, "tickets": nothing, "pointEntries": nothing,
        "userCoupons": nothing, "payments": nothing, "notifications": nothing,
    });
    assert_eq!(app.query(Some(&again.token), query, json!({})).await.data()["viewer"], expected);
}

/// A coupon in somebody's hands.
async fn coupon_of(app: &TestApp, user_id: entity::ids::UserId) {
    use entity::enums::UserCouponStatus;
    let coupon = spring(app);
    let own = entity::user_coupon::Model {
        id: app.app.ids.next(),
        user_id,
        coupon_id: coupon.id,
        status: UserCouponStatus::Available,
        issued_at: app.now(),
        used_at: None,
    };
    insert::<entity::coupon::Entity>(app, coupon).await;
    insert::<entity::user_coupon::Entity>(app, own).await;
}

async fn what_was_written_stays_without_a_name(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 10).await;
    review(&app, &fan, &event.id).await;
    leave(&app, &fan).await;
    let query = "query($id: ID!) { event(id: $id) { reviews { nodes { rating content author { nickname isWithdrawn avatar \
                 { id } } } } } }";
    let shown = |language: &'static str| {
        let body = json!({ "query": query, "variables": { "id": event.id } });
        let request = app.http.post(format!("{}/graphql", app.url)).header("accept-language", language).json(&body);
        async { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    for (language, name) in [("ko", "탈퇴한 회원"), ("en", "Withdrawn member")] {
        let answer = shown(language).await;
        let expected = json!([{
            "rating": 5, "content": "정말 좋은 공연이었습니다.",
            "author": { "nickname": name, "isWithdrawn": true, "avatar": null },
        }]);
        assert_eq!(answer["data"]["event"]["reviews"]["nodes"], expected, "{answer}");
    }
}
