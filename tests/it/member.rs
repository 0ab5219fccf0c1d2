//! One's own profile, and leaving.

use crate::{
    harness::{
        BOOKING, Event, Manners, PASSWORD, Person, SESSION, SmtpServer, TestApp, booking_input, errors_of, user_error,
    },
    uploads::{png, review, status_of, uploaded, user_id},
};
use chrono::TimeDelta;
use entity::{
    enums::{BookingStatus, PaymentPurpose, PaymentStatus},
    payment, settlement, settlement_line,
};
use futures_util::future::join_all;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryResult, Set, Statement};
use serde_json::{Value, json};
use spotlight::{error::Error, infra::jobs, user::withdraw};

crate::scenarios![
    a_profile_is_read_and_edited,
    bad_fields_of_a_profile_are_named_all_at_once,
    an_artist_is_found_by_a_new_name_and_not_by_the_old,
    leaving_takes_the_password,
    without_a_password_it_takes_a_recent_sign_in,
    an_account_gets_another_email_by_two_proofs,
    an_account_without_an_email_gets_its_first_one,
    a_taken_email_is_told_to_its_mailbox_only,
    a_fan_with_something_open_is_refused_each_thing_named,
    whatever_is_under_way_with_money_stands_in_the_way,
    an_artist_leaves_after_the_last_event_was_settled,
    what_is_erased_is_in_no_table,
    a_mailbox_that_is_refused_keeps_no_address,
    the_same_email_is_somebody_new,
    what_was_written_stays_without_a_name,
    every_session_ends,
    a_token_that_outlives_its_account_begins_nothing,
    money_that_comes_late_is_not_kept_for_who_has_left,
    a_charge_that_arrives_late_goes_back_to_who_has_left,
    leaving_twice_at_once_is_done_once,
    leaving_against_booking_leaves_no_booking_behind,
    leaving_against_signing_in_leaves_no_session_behind,
    an_override_calls_everything_off_first,
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

/// The code that a mailbox was sent, to become an account's.
async fn change_code(app: &TestApp, email: &str) -> String {
    app.mutate(None, "emailCodeSend", "isAccepted", json!({ "email": email, "purpose": "EMAIL_CHANGE" })).await;
    app.mail_to(email).await.chars().filter(char::is_ascii_digit).take(6).collect()
}

async fn move_to(app: &TestApp, person: &Person, email: &str, code: &str, more: Value) -> Value {
    let mut input = json!({ "email": email, "emailCode": code });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.mutate(Some(&person.token), "emailChange", "viewer { email }", input).await
}

async fn an_account_gets_another_email_by_two_proofs(app: TestApp) {
    let fan = app.fan("mina").await;
    let (new, right) = ("bom@example.kr", json!({ "currentPassword": PASSWORD }));
    let code = change_code(&app, new).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for (email, code, proof, error) in [
        (new, code.as_str(), json!({}), "WRONG_CREDENTIALS currentPassword"),
        (new, wrong, right.clone(), "CODE_WRONG emailCode"),
        ("other@example.kr", code.as_str(), right.clone(), "CODE_EXPIRED emailCode"),
        ("no", code.as_str(), right.clone(), "INVALID email"),
    ] {
        assert_eq!(user_error(&move_to(&app, &fan, email, code, proof).await), error);
    }
    let done = move_to(&app, &fan, "Bom@Example.kr", &code, right.clone()).await;
    assert_eq!(done["viewer"], json!({ "email": new }), "{done}");
    assert!(app.mail_to(&fan.email).await.contains("The email of your account was changed"));
    assert_eq!(user_error(&move_to(&app, &fan, new, &code, right).await), "CODE_EXPIRED emailCode");
    for (email, is_in) in [(new, true), (fan.email.as_str(), false)] {
        let input = json!({ "email": email, "password": PASSWORD });
        assert_eq!(app.mutate(None, "signIn", SESSION, input).await["session"].is_object(), is_in, "{email}");
    }
    let document =
        "mutation { emailChange(input: { email: \"a@example.kr\", emailCode: \"1\" }) { viewer { email } } }";
    assert_eq!(app.query(None, document, json!({})).await.code(), "UNAUTHENTICATED");
    // The old one is free again.
    app.fan("mina").await;
}

async fn an_account_without_an_email_gets_its_first_one(app: TestApp) {
    let fan = app.fan("mina").await;
    let bare = "UPDATE \"user\" SET password_hash = NULL, email = NULL".replace('"', quote(&app));
    execute(&app, &bare).await;
    let code = change_code(&app, "bom@example.kr").await;
    let done = move_to(&app, &fan, "bom@example.kr", &code, json!({})).await;
    assert_eq!(done["viewer"], json!({ "email": "bom@example.kr" }), "{done}");
    // And a first password from there.
    app.mutate(None, "emailCodeSend", "isAccepted", json!({ "email": "bom@example.kr", "purpose": "PASSWORD_RESET" }))
        .await;
    let letter = app.mail_to("bom@example.kr").await;
    assert!(letter.contains("Your code for a new password"), "{letter}");
    app.move_clock(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    let code = change_code(&app, "other@example.kr").await;
    assert_eq!(user_error(&move_to(&app, &fan, "other@example.kr", &code, json!({})).await), "SIGN_IN_NOT_RECENT");
}

async fn a_taken_email_is_told_to_its_mailbox_only(app: TestApp) {
    use spotlight::auth::code::{self, Purpose};
    let (fan, other) = (app.fan("mina").await, app.fan("jun").await);
    let send = |email: &str| json!({ "email": email, "purpose": "EMAIL_CHANGE" });
    let taken = app.mutate(None, "emailCodeSend", "isAccepted", send(&other.email)).await;
    assert_eq!(taken, app.mutate(None, "emailCodeSend", "isAccepted", send("free@example.kr")).await);
    let letter = app.mail_to(&other.email).await;
    assert!(letter.contains("already has an account"), "{letter}");
    let right = json!({ "currentPassword": PASSWORD });
    let guess = |email: &'static str| move_to(&app, &fan, email, "no code", right.clone());
    assert_eq!(guess("jun@example.kr").await, guess("free@example.kr").await);
    // Only a code would tell, and none was sent.
    let nonce = code::begin(&app.app, Purpose::EmailChange, &other.email).await.unwrap();
    let digits = code::digits(&app.app, Purpose::EmailChange, &other.email, &nonce);
    assert_eq!(user_error(&move_to(&app, &fan, &other.email, &digits, right).await), "TAKEN email");
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

async fn a_fan_with_something_open_is_refused_each_thing_named(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let (first, second) = (app.event(&artist, 5_000, 10).await, app.event(&artist, 0, 10).await);
    let held = app.book(&fan, &first, 1, "held").await["booking"]["id"].as_str().unwrap().to_owned();
    let bought = app.buy(&fan, &first, 1, "bought").await;
    let free = app.book(&fan, &second, 1, "free").await["booking"]["id"].as_str().unwrap().to_owned();
    let charge = charge_in_doubt(&app, &fan).await;
    let none = Vec::<String>::new;
    let bookings = sorted([held.clone(), bought.clone(), free.clone()]);
    let payload = leave(&app, &fan).await;
    assert_eq!(blocked(&payload), [bookings, vec![charge.to_string()], none(), none()]);
    assert_eq!(payload["userErrors"][0]["message"], "Not possible yet. bookings: 3, payments: 1");
    // The hold runs out, the charge fails, one ticket goes back; the other stays valid until the event has ended.
    execute(&app, "UPDATE payment SET status = 'FAILED' WHERE purpose = 'POINT_CHARGE'").await;
    app.mutate(
        Some(&fan.token),
        "bookingCancel",
        "booking { id }",
        json!({ "bookingId": free, "idempotencyKey": "c" }),
    )
    .await;
    app.pass(TimeDelta::minutes(16)).await;
    let fan = app.sign_in_again(&fan).await;
    assert_eq!(blocked(&leave(&app, &fan).await), [vec![bought.clone()], none(), none(), none()]);
    app.pass(TimeDelta::days(10)).await;
    let fan = app.sign_in_again(&fan).await;
    // Begun, and not over.
    assert_eq!(blocked(&leave(&app, &fan).await), [vec![bought], none(), none(), none()]);
    app.pass(TimeDelta::days(1)).await;
    let fan = app.sign_in_again(&fan).await;
    assert_eq!(leave(&app, &fan).await["isWithdrawn"], true);
}

async fn whatever_is_under_way_with_money_stands_in_the_way(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let (first, second) =
        (app.event(&artist, 5_000, 10).await, app.event_of(&artist, json!({ "title": "다른 공연" })).await);
    let none = Vec::<String>::new;
    let (canceling, called_off) = (app.buy(&fan, &first, 1, "a").await, app.buy(&fan, &second, 1, "b").await);
    let lapsed = app.book(&fan, &first, 1, "c").await;
    app.pass(TimeDelta::minutes(16)).await;
    // Nobody works from here on: the refunds are yet to be made.
    let (fan, artist) = (app.sign_in_again(&fan).await, app.sign_in_again(&artist).await);
    app.mutate(Some(&artist.token), "eventCancel", "event { id }", json!({ "eventId": second.id })).await;
    let becomes = async |status: BookingStatus| {
        let id = canceling.parse::<entity::ids::BookingId>().unwrap();
        let row = entity::booking::ActiveModel { id: Set(id), status: Set(status), ..Default::default() };
        row.update(app.app.db.reads()).await.unwrap();
    };
    // As while the provider does not answer.
    becomes(BookingStatus::Canceling).await;
    assert_eq!(app.booking(&fan, &called_off).await["status"], "CONFIRMED");
    assert_eq!(blocked(&leave(&app, &fan).await)[0], sorted([canceling.clone(), called_off.clone()]));
    becomes(BookingStatus::Confirmed).await;
    let input = json!({ "bookingId": canceling, "idempotencyKey": "d" });
    let canceled = app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
    assert_eq!(canceled["booking"]["status"], "CANCELED", "{canceled}");
    app.work().await;
    assert_eq!(app.booking(&fan, &called_off).await["status"], "CANCELED");
    for status in ["PENDING", "READY", "APPROVING", "CANCELING"] {
        let charge = charge_in_doubt(&app, &fan).await;
        execute(&app, &format!("UPDATE payment SET status = '{status}' WHERE purpose = 'POINT_CHARGE'")).await;
        assert_eq!(blocked(&leave(&app, &fan).await), [none(), vec![charge.to_string()], none(), none()], "{status}");
        payment::Entity::delete_by_id(charge).exec(app.app.db.reads()).await.unwrap();
    }
    // A hold that has run out, and money of which nobody knows.
    let id: entity::ids::PaymentId = lapsed["payment"]["id"].as_str().unwrap().parse().unwrap();
    let row = payment::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    let set = async |status: PaymentStatus| {
        let mut row = row.clone().into_active_model();
        row.status = Set(status);
        row.update(app.app.db.reads()).await.unwrap();
    };
    set(PaymentStatus::Approving).await;
    assert_eq!(blocked(&leave(&app, &fan).await), [none(), vec![id.to_string()], none(), none()]);
    set(row.status).await;
    assert_eq!(leave(&app, &fan).await["isWithdrawn"], true);
}

/// Points being charged, whose outcome nobody knows.
async fn charge_in_doubt(app: &TestApp, fan: &Person) -> entity::ids::PaymentId {
    let row = payment::Model {
        id: app.app.ids.next(),
        purpose: PaymentPurpose::PointCharge,
        user_id: user_id(app, fan).await,
        booking_id: None,
        status: PaymentStatus::Approving,
        amount: 10_000,
        taken_amount: None,
        canceled_amount: 0,
        tid: None,
        pc_url: None,
        mobile_url: None,
        app_url: None,
        return_url: None,
        failure: None,
        created_at: app.now(),
        changed_at: app.now(),
        approved_at: None,
        canceled_at: None,
    };
    let id = row.id;
    insert::<payment::Entity>(app, row).await;
    id
}

async fn an_artist_leaves_after_the_last_event_was_settled(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let (paid, free) = (app.event(&artist, 5_000, 10).await, app.event(&artist, 0, 10).await);
    let booking = app.buy(&fan, &paid, 1, "a").await;
    app.book(&fan, &free, 1, "b").await;
    let called_off = app.event_of(&artist, json!({ "title": "취소될 공연" })).await;
    app.mutate(Some(&artist.token), "eventCancel", "event { id }", json!({ "eventId": called_off.id })).await;
    let none = Vec::<String>::new;
    let open = sorted([paid.id.clone(), free.id.clone()]);
    assert_eq!(blocked(&leave(&app, &artist).await), [none(), none(), open, none()]);
    app.pass(TimeDelta::days(12)).await;
    let artist = app.sign_in_again(&artist).await;
    assert_eq!(blocked(&leave(&app, &artist).await), [none(), none(), none(), vec![paid.id.clone()]]);
    let statement = settle(&app, &artist, &booking).await;
    // On a statement, and not paid out yet.
    assert_eq!(blocked(&leave(&app, &artist).await), [none(), none(), none(), vec![paid.id.clone()]]);
    let row = settlement::Entity::find_by_id(statement).one(app.app.db.reads()).await.unwrap().unwrap();
    execute(&app, "UPDATE settlement SET paid_at = created_at").await;
    assert_eq!((row.paid_at, leave(&app, &artist).await["isWithdrawn"].clone()), (None, json!(true)));
    app.work().await;
    let query = "query($id: ID!) { event(id: $id) { title artist { nickname isWithdrawn } } }";
    let event = app.query(None, query, json!({ "id": paid.id })).await.data()["event"].clone();
    assert_eq!(event["artist"], json!({ "nickname": "Withdrawn member", "isWithdrawn": true }));
}

async fn settle(app: &TestApp, artist: &Person, booking: &str) -> entity::ids::SettlementId {
    let id = app.app.ids.next();
    let statement = settlement::Model {
        id,
        artist_id: user_id(app, artist).await,
        period: "2026-06".to_owned(),
        gross: 5_000,
        fee: 0,
        net: 5_000,
        booking_count: 1,
        created_at: app.now(),
        paid_at: None,
    };
    insert::<settlement::Entity>(app, statement).await;
    let line = settlement_line::Model { booking_id: booking.parse().unwrap(), settlement_id: id, amount: 5_000 };
    insert::<settlement_line::Entity>(app, line).await;
    id
}

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

async fn refresh(app: &TestApp, token: &str) -> Value {
    app.mutate(None, "sessionRefresh", "session { accessToken }", json!({ "refreshToken": token })).await
}

async fn every_session_ends(app: TestApp) {
    let fan = app.fan("mina").await;
    let other = app.sign_in_again(&fan).await;
    leave(&app, &fan).await;
    for session in [&fan, &other] {
        assert_eq!(app.query(Some(&session.token), "{ viewer { email } }", json!({})).await.status, 401);
        assert_eq!(user_error(&refresh(&app, &session.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    }
    let input = json!({ "email": fan.email, "password": PASSWORD });
    assert_eq!(user_error(&app.mutate(None, "signIn", SESSION, input).await), "WRONG_CREDENTIALS");
}

/// Erased, and the process died, or the key-value store was away, before a session was ended.
async fn erased(app: &TestApp, person: &Person) {
    let id = user_id(app, person).await;
    let txn = app.app.db.begin().await.unwrap();
    let user = withdraw::lock(&txn, id).await.unwrap().unwrap();
    withdraw::erase::erase(&txn, &app.app, &user).await.unwrap();
    txn.commit().await.unwrap();
}

async fn a_token_that_outlives_its_account_begins_nothing(app: TestApp) {
    let (artist, gone) = (app.artist("haneul").await, app.artist("bada").await);
    let event = app.event(&artist, 0, 10).await;
    let review = review(&app, &gone, &event.id).await;
    let coupon = app.app.ids.next::<entity::ids::CouponId>();
    insert::<entity::coupon::Entity>(&app, entity::coupon::Model { id: coupon, remaining: 1, ..spring(&app) }).await;
    erased(&app, &gone).await;
    let start = "mutation($input: BookingStartInput!) { bookingStart(input: $input) { booking { id } } }";
    let create = "mutation($input: EventCreateInput!) { eventCreate(input: $input) { event { id } } }";
    let edit = "mutation($input: ProfileUpdateInput!) { profileUpdate(input: $input) { userErrors { code } } }";
    let leave = "mutation($input: AccountWithdrawInput!) { accountWithdraw(input: $input) { isWithdrawn } }";
    let charge = "mutation($input: PointChargeStartInput!) { pointChargeStart(input: $input) { payment { id } } }";
    let issue = "mutation($input: CouponIssueInput!) { couponIssue(input: $input) { userCoupon { id } } }";
    let link = "mutation($input: SocialSignInStartInput!) { socialSignInStart(input: $input) { state } }";
    let unlink =
        "mutation($input: SocialAccountUnlinkInput!) { socialAccountUnlink(input: $input) { viewer { email } } }";
    let reorder =
        "mutation($input: AttachmentReorderInput!) { attachmentReorder(input: $input) { userErrors { code } } }";
    let attempts = [
        (charge, json!({ "amount": 10_000, "returnUrl": "http://localhost:3000/done", "idempotencyKey": "c" })),
        (start, booking_input(&event, 1, "k")),
        (create, app.event_input(0, 1)),
        (edit, json!({ "nickname": "다시" })),
        (leave, json!({ "currentPassword": PASSWORD })),
        (issue, json!({ "couponId": coupon.to_string() })),
        (link, json!({ "provider": "KAKAO", "redirectUri": "http://localhost:3000/", "purpose": "LINK" })),
        (unlink, json!({ "provider": "KAKAO" })),
        (reorder, json!({ "ownerId": review, "attachmentIds": [] })),
    ];
    for (document, input) in attempts {
        let answer = app.query(Some(&gone.token), document, json!({ "input": input })).await;
        assert_eq!(answer.code(), "UNAUTHENTICATED", "{document}: {}", answer.body);
    }
    let viewer = app.query(Some(&gone.token), "{ viewer { email } }", json!({})).await;
    assert_eq!(viewer.data()["viewer"], Value::Null);
    assert_eq!(user_error(&refresh(&app, &gone.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    // The job of the same commit.
    app.work().await;
    assert_eq!(app.query(Some(&gone.token), "{ viewer { email } }", json!({})).await.status, 401);
    assert_eq!(app.remaining(&event).await, 10);
}

async fn money_that_comes_late_is_not_kept_for_who_has_left(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 1).await;
    let payload = app.book(&fan, &event, 1, "k").await;
    let id = payload["booking"]["id"].as_str().unwrap().parse().unwrap();
    app.pass(TimeDelta::minutes(16)).await;
    let is_held_again = || async {
        let txn = app.app.db.begin().await.unwrap();
        let booking = spotlight::booking::query::by_id(&txn, id).await.unwrap().unwrap();
        let again = spotlight::booking::hold_again::hold_again(&txn, &booking).await.unwrap();
        txn.rollback().await.unwrap();
        again
    };
    assert!(is_held_again().await);
    leave(&app, &app.sign_in_again(&fan).await).await;
    assert!(!is_held_again().await);
}

async fn a_charge_that_arrives_late_goes_back_to_who_has_left(app: TestApp) {
    let fan = app.fan("mina").await;
    let input = json!({ "amount": 5_000, "returnUrl": "http://localhost:3000/done", "idempotencyKey": "k" });
    let selection = "payment { id redirect { pcUrl } }";
    let payload = app.mutate(Some(&fan.token), "pointChargeStart", selection, input).await;
    let id: entity::ids::PaymentId = payload["payment"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(blocked(&leave(&app, &fan).await)[1], [id.to_string()]);
    // The call is lost on its way, the provider denies it, and then it arrives after all.
    let back = app.pay(&payload, "approve", "error_before").await;
    app.work().await;
    assert_eq!(leave(&app, &fan).await["isWithdrawn"], true);
    let row = payment::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    let late = spotlight::infra::kakaopay::ApproveRequest {
        tid: row.tid.unwrap(),
        partner_order_id: id.to_string(),
        partner_user_id: row.user_id.to_string(),
        pg_token: back.split("pg_token=").nth(1).unwrap().to_owned(),
    };
    app.app.provider.approve(&late).await.unwrap();
    app.pass(TimeDelta::minutes(20)).await;
    let row = payment::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    assert_eq!((row.status, row.canceled_amount), (PaymentStatus::Canceled, 5_000));
    assert_eq!(spotlight::point::query::spendable(app.app.db.reads(), row.user_id).await.unwrap(), 0);
}

/// `accountWithdraw`, whatever comes of it.
async fn try_to_leave(app: &TestApp, person: &Person) -> Value {
    let document = "mutation($input: AccountWithdrawInput!) { accountWithdraw(input: $input) { isWithdrawn userErrors { \
                    code } } }";
    let input = json!({ "input": { "currentPassword": PASSWORD } });
    app.query(Some(&person.token), document, input).await.body
}

fn has_left(body: &Value) -> bool {
    body["data"]["accountWithdraw"]["isWithdrawn"] == true
}

async fn leaving_twice_at_once_is_done_once(app: TestApp) {
    let fan = app.fan("mina").await;
    app.give_points(&fan, 500).await;
    let id = user_id(&app, &fan).await;
    let answers = join_all((0..4).map(|_| try_to_leave(&app, &fan))).await;
    assert_eq!(answers.iter().filter(|body| has_left(body)).count(), 1, "{answers:?}");
    for body in answers.iter().filter(|body| !has_left(body)) {
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{body}");
    }
    app.work().await;
    let entries = entity::point_entry::Entity::find().all(app.app.db.reads()).await.unwrap();
    let amounts: Vec<i64> = entries.iter().filter(|row| row.user_id == id).map(|row| row.amount).collect();
    assert_eq!(amounts.iter().sum::<i64>(), 0);
    assert_eq!(amounts.len(), 2);
}

async fn leaving_against_booking_leaves_no_booking_behind(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 100).await;
    for round in 0..12 {
        let fan = app.fan(&format!("fan{round}")).await;
        let id = user_id(&app, &fan).await;
        let start = "mutation($input: BookingStartInput!) { bookingStart(input: $input) { booking { id } userErrors { code } } }";
        let book = app.query(Some(&fan.token), start, json!({ "input": booking_input(&event, 1, "k") }));
        // Comparing the password takes a moment: let either be first.
        let (answer, booked) = if round % 2 == 0 {
            tokio::join!(try_to_leave(&app, &fan), book)
        } else {
            let (booked, answer) = tokio::join!(book, try_to_leave(&app, &fan));
            (answer, booked)
        };
        let is_booked = booked.body["data"]["bookingStart"]["booking"].is_object();
        assert_ne!(has_left(&answer), is_booked, "{answer} {}", booked.body);
        let bookings = entity::booking::Entity::find().all(app.app.db.reads()).await.unwrap();
        assert_eq!(bookings.iter().any(|row| row.user_id == id), is_booked);
    }
    // Booked while the password was being compared: the look comes after it.
    let fan = app.fan("slow").await;
    let book = async {
        assert!(app.book(&fan, &event, 1, "k").await["booking"].is_object());
    };
    assert_eq!(user_error(&app.while_comparing(leave(&app, &fan), book).await), "WITHDRAWAL_BLOCKED");
}

async fn leaving_against_signing_in_leaves_no_session_behind(app: TestApp) {
    for round in 0..8 {
        let fan = app.fan(&format!("fan{round}")).await;
        let input = json!({ "email": fan.email, "password": PASSWORD });
        let (answer, session) = tokio::join!(try_to_leave(&app, &fan), app.mutate(None, "signIn", SESSION, input));
        assert!(has_left(&answer), "{answer}");
        app.work().await;
        if session["session"].is_object() {
            let person = Person::of(&fan.email, &session);
            assert_eq!(app.query(Some(&person.token), "{ viewer { email } }", json!({})).await.status, 401);
            assert_eq!(user_error(&refresh(&app, &person.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
        } else {
            assert_eq!(user_error(&session), "WRONG_CREDENTIALS");
        }
    }
    // Gone while the password was being compared, and before anything could end what comes of it.
    let fan = app.fan("slow").await;
    let input = json!({ "email": fan.email, "password": PASSWORD });
    let session = app.while_comparing(app.mutate(None, "signIn", SESSION, input), erased(&app, &fan)).await;
    assert_eq!((user_error(&session), &session["session"]), ("WRONG_CREDENTIALS".to_owned(), &Value::Null));
}

/// What an admin's removal does with an override.
async fn remove(app: &TestApp, person: &Person) -> i64 {
    let id = user_id(app, person).await;
    let txn = app.app.db.begin().await.unwrap();
    let user = withdraw::lock(&txn, id).await.unwrap().unwrap();
    let refused = withdraw::check::check(&txn, app.now(), &user, &["userId"]).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    withdraw::call_off::call_off(&txn, &app.app, &user).await.unwrap();
    let forfeited = withdraw::erase::erase(&txn, &app.app, &user).await.unwrap();
    txn.commit().await.unwrap();
    withdraw::end_sessions::end_sessions(&app.app, id).await;
    forfeited
}

async fn paid_with_points(app: &TestApp, fan: &Person, event: &Event) -> String {
    let mut input = booking_input(event, 1, "points");
    input["points"] = json!(400);
    let payload = app.mutate(Some(&fan.token), "bookingStart", BOOKING, input).await;
    app.pay(&payload, "approve", "none").await;
    payload["booking"]["id"].as_str().unwrap().to_owned()
}

async fn an_override_calls_everything_off_first(app: TestApp) {
    let (artist, both, fan) = (app.artist("haneul").await, app.artist("bada").await, app.fan("mina").await);
    let (theirs, own) = (app.event(&artist, 1_000, 10).await, app.event(&both, 1_000, 10).await);
    app.give_points(&both, 900).await;
    let bought = paid_with_points(&app, &both, &theirs).await;
    let held = app.book(&both, &theirs, 2, "held").await["booking"]["id"].as_str().unwrap().to_owned();
    let doubtful = app.book(&both, &theirs, 1, "doubt").await;
    app.pay(&doubtful, "approve", "timeout_after").await;
    let of_a_fan = app.buy(&fan, &own, 3, "k").await;
    app.book(&both, &theirs, 2, "held too").await;
    let id = user_id(&app, &both).await;
    // The refunds give points back: they are forfeited after that.
    assert_eq!(remove(&app, &both).await, 0);
    for _ in 0..4 {
        app.pass(TimeDelta::minutes(2)).await;
    }
    assert_eq!(app.booking(&fan, &of_a_fan).await["status"], "CANCELED");
    assert_eq!((app.remaining(&theirs).await, app.remaining(&own).await), (10, 10));
    let rows = entity::booking::Entity::find().all(app.app.db.reads()).await.unwrap();
    for row in rows.iter().filter(|row| row.user_id == id) {
        use entity::enums::BookingStatus::{Canceled, Expired};
        let was_held =
            ![bought.as_str(), doubtful["booking"]["id"].as_str().unwrap()].contains(&row.id.to_string().as_str());
        assert_eq!(row.status, if was_held { Expired } else { Canceled }, "{} (one held was {held})", row.id);
    }
    let account = entity::point_account::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    assert_eq!((account.balance, account.held), (0, 0));
}
