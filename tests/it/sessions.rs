//! Sessions that end: what each token is worth afterwards, and while it happens.

use crate::harness::{Gate, PASSWORD, Person, TestApp, user_error};
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};
use spotlight::{
    admin::{self, audit::Actor},
    auth::{session, sign_in, sign_out::sign_out_shown},
};
use std::sync::Arc;

crate::scenarios![
    a_refresh_under_way_gives_no_token_that_survives_signing_out_everywhere,
    a_sign_in_under_way_gives_no_token_of_the_old_role,
    a_sign_in_with_the_old_password_under_way_gives_no_session,
    a_sign_out_that_failed_halfway_can_be_repeated,
    a_refresh_token_is_good_for_fourteen_days,
    of_two_refreshes_at_once_no_session_is_left,
    a_refresh_token_that_comes_back_ends_the_access_tokens_too,
    a_refresh_against_a_sign_out_leaves_no_session_behind,
    a_token_of_another_node_s_clock_stays_revoked,
    what_ended_at_a_late_node_outlasts_what_ends_at_an_early_one,
    of_many_sign_outs_at_once_none_is_lost,
];

async fn status(app: &TestApp, token: &str) -> u16 {
    app.query(Some(token), "{ viewer { email } }", json!({})).await.status
}

async fn refresh(app: &TestApp, token: &str) -> Value {
    app.mutate(None, "sessionRefresh", "session { accessToken refreshToken }", json!({ "refreshToken": token })).await
}

async fn sign_out(app: &TestApp, token: &str, everywhere: bool) -> crate::harness::Answer {
    let document = "mutation($all: Boolean!) { signOut(input: { everywhere: $all }) { isSignedOut } }";
    app.query(Some(token), document, json!({ "all": everywhere })).await
}

async fn a_refresh_under_way_gives_no_token_that_survives_signing_out_everywhere(app: TestApp) {
    let here = app.fan("mina").await;
    let there = app.sign_in_again(&here).await;
    let gate = Arc::new(Gate::default());
    let node = app.node_with("gated", gate.clone(), |_| {}).await;
    let closed = gate.close();
    let (held, token) = (node.app.clone(), here.refresh_token.clone());
    let refreshing = app.app.tasks.spawn(async move { session::refresh(&held, &token).await });
    closed.reached.await.unwrap();
    app.move_clock(TimeDelta::seconds(1));
    sign_out(&app, &there.token, true).await.data();
    app.move_clock(TimeDelta::seconds(1));
    closed.open.send(()).unwrap();
    let session = refreshing.await.unwrap().unwrap();
    assert_eq!(status(&app, &session.access_token).await, 401);
    assert_eq!(user_error(&refresh(&app, &session.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    node.stop().await;
}

/// Signs in at a node, is held before the session begins, and goes on after `meanwhile`.
async fn signing_in(
    app: &TestApp,
    person: &Person,
    meanwhile: impl AsyncFnOnce(),
) -> spotlight::Result<session::Session> {
    let gate = Arc::new(Gate::default());
    let node = app.node_with("gated", gate.clone(), |_| {}).await;
    let closed = gate.close();
    let (held, email) = (node.app.clone(), person.email.clone());
    let signing_in =
        app.app.tasks.spawn(async move { sign_in::sign_in(&held, &email, PASSWORD.to_owned(), None).await });
    closed.reached.await.unwrap();
    app.move_clock(TimeDelta::seconds(1));
    meanwhile().await;
    app.move_clock(TimeDelta::seconds(1));
    closed.open.send(()).unwrap();
    let signed_in = signing_in.await.unwrap();
    node.stop().await;
    signed_in.map(|(_, session)| session)
}

async fn a_sign_in_under_way_gives_no_token_of_the_old_role(app: TestApp) {
    let artist = app.artist("haneul").await;
    let id = crate::uploads::user_id(&app, &artist).await;
    let root = admin::create::create(&app.app, "root@example.kr", PASSWORD.to_owned()).await.unwrap();
    let by = Actor { admin: root, address: None };
    let session = signing_in(&app, &artist, async || {
        admin::role_change::change(&app.app, by, id, entity::enums::Role::User, "no artist").await.unwrap();
    });
    let session = session.await.unwrap();
    let input = app.event_input(0, 1);
    let create = "mutation($input: EventCreateInput!) { eventCreate(input: $input) { event { id } } }";
    let answer = app.query(Some(&session.access_token), create, json!({ "input": input })).await;
    assert!(["UNAUTHENTICATED", "FORBIDDEN"].contains(&answer.code()), "{}", answer.body);
}

async fn a_sign_in_with_the_old_password_under_way_gives_no_session(app: TestApp) {
    let person = app.fan("mina").await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "Another-1234" });
    let refused = signing_in(&app, &person, async || {
        let changed = app.mutate(Some(&person.token), "passwordChange", "session { accessToken }", input).await;
        assert!(changed["session"].is_object(), "{changed}");
    });
    assert!(refused.await.unwrap_err().to_string().contains("WrongCredentials"));
}

/// No family can be removed, as if the store went away in the middle.
async fn keep_families(app: &TestApp, are_kept: bool) {
    let txn = app.app.db.begin().await.unwrap();
    let sql: &[&str] = match (txn.get_database_backend(), are_kept) {
        (DbBackend::Sqlite, true) => &["CREATE TRIGGER stuck BEFORE DELETE ON kv WHEN OLD.key LIKE 'session:%' BEGIN \
                                        SELECT RAISE(ABORT, 'stuck'); END"],
        (DbBackend::MySql, true) => &["CREATE TRIGGER stuck BEFORE DELETE ON kv FOR EACH ROW BEGIN \
                                       IF OLD.`key` LIKE 'session:%' THEN SIGNAL SQLSTATE '45000'; END IF; END"],
        (_, true) => &[
            "CREATE FUNCTION stuck() RETURNS trigger AS $$ BEGIN IF OLD.key LIKE 'session:%' THEN \
             RAISE EXCEPTION 'stuck'; END IF; RETURN OLD; END $$ LANGUAGE plpgsql",
            "CREATE TRIGGER stuck BEFORE DELETE ON kv FOR EACH ROW EXECUTE FUNCTION stuck()",
        ],
        (DbBackend::Postgres, false) => &["DROP TRIGGER stuck ON kv", "DROP FUNCTION stuck"],
        (_, false) => &["DROP TRIGGER stuck"],
    };
    for statement in sql {
        txn.execute_unprepared(statement).await.unwrap();
    }
    txn.commit().await.unwrap();
}

async fn a_sign_out_that_failed_halfway_can_be_repeated(app: TestApp) {
    let person = app.fan("mina").await;
    keep_families(&app, true).await;
    assert_eq!(sign_out(&app, &person.token, false).await.code(), "INTERNAL_SERVER_ERROR");
    keep_families(&app, false).await;
    assert_eq!(sign_out(&app, &person.token, false).await.data()["signOut"]["isSignedOut"], true);
    assert_eq!(status(&app, &person.token).await, 401);
    assert_eq!(user_error(&refresh(&app, &person.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
}

async fn of_many_sign_outs_at_once_none_is_lost(app: TestApp) {
    let first = app.fan("mina").await;
    let node = app.node("other", |_| {}).await;
    let mut sessions = Vec::new();
    for _ in 0..7 {
        sessions.push(app.sign_in_again(&first).await);
    }
    // What all of them write is one entry, from two nodes.
    let leaving = sessions.iter().enumerate().map(|(place, session)| {
        let at = if place % 2 == 0 { &app.url } else { &node.url };
        let body = json!({ "query": "mutation { signOut(input: {}) { isSignedOut } }" });
        app.http.post(format!("{at}/graphql")).bearer_auth(&session.token).json(&body).send()
    });
    for answer in futures_util::future::join_all(leaving).await {
        let answer: Value = answer.unwrap().json().await.unwrap();
        assert_eq!(answer["data"]["signOut"]["isSignedOut"], true, "{answer}");
    }
    // At a node that remembers nothing of it by itself.
    let fresh = app.node("fresh", |_| {}).await;
    let at_fresh =
        async |token: &str| app.query_at(&fresh.url, Some(token), "{ viewer { email } }", json!({})).await.status;
    for session in &sessions {
        assert_eq!(at_fresh(&session.token).await, 401);
        assert_eq!(user_error(&refresh(&app, &session.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    }
    assert_eq!(at_fresh(&first.token).await, 200);
    node.stop().await;
    fresh.stop().await;
}

async fn a_refresh_token_is_good_for_fourteen_days(app: TestApp) {
    let person = app.fan("mina").await;
    app.pass(TimeDelta::days(14) - TimeDelta::seconds(1)).await;
    let next = refresh(&app, &person.refresh_token).await;
    let next = next["session"]["refreshToken"].as_str().unwrap_or_else(|| panic!("{next}"));
    // Each use begins its time anew.
    app.pass(TimeDelta::days(14)).await;
    assert_eq!(user_error(&refresh(&app, next).await), "WRONG_CREDENTIALS refreshToken");
}

async fn of_two_refreshes_at_once_no_session_is_left(app: TestApp) {
    let person = app.fan("mina").await;
    let both = tokio::join!(refresh(&app, &person.refresh_token), refresh(&app, &person.refresh_token));
    let given: Vec<Person> = [both.0, both.1]
        .iter()
        .filter(|payload| payload["session"].is_object())
        .map(|payload| Person::of(&person.email, payload))
        .collect();
    assert!(given.len() <= 1, "both were given a session");
    for next in given {
        assert_eq!(status(&app, &next.token).await, 401);
        assert_eq!(user_error(&refresh(&app, &next.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    }
    assert_eq!(status(&app, &person.token).await, 401);
}

async fn a_refresh_token_that_comes_back_ends_the_access_tokens_too(app: TestApp) {
    let person = app.fan("mina").await;
    let other = app.sign_in_again(&person).await;
    let next = Person::of(&person.email, &refresh(&app, &person.refresh_token).await);
    assert_eq!(status(&app, &next.token).await, 200);
    assert_eq!(user_error(&refresh(&app, &person.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    for token in [&person.token, &next.token] {
        assert_eq!(status(&app, token).await, 401);
    }
    assert_eq!(status(&app, &other.token).await, 200, "another family goes on");
}

async fn a_refresh_against_a_sign_out_leaves_no_session_behind(app: TestApp) {
    for round in 0..8 {
        let person = app.fan(&format!("fan{round}")).await;
        let (next, out) = if round % 2 == 0 {
            tokio::join!(refresh(&app, &person.refresh_token), sign_out(&app, &person.token, false))
        } else {
            let (out, next) = tokio::join!(sign_out(&app, &person.token, false), refresh(&app, &person.refresh_token));
            (next, out)
        };
        assert_eq!(out.data()["signOut"]["isSignedOut"], true);
        assert_eq!(status(&app, &person.token).await, 401);
        if next["session"].is_object() {
            let next = Person::of(&person.email, &next);
            assert_eq!(status(&app, &next.token).await, 401);
            assert_eq!(user_error(&refresh(&app, &next.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
        }
    }
}

async fn a_token_of_another_node_s_clock_stays_revoked(app: TestApp) {
    let person = app.fan("mina").await;
    let fresh = app.node("fresh", |_| {}).await;
    sign_out(&app, &person.token, false).await.data();
    // At a node whose clock is a minute behind, the token has not run out yet; the store's time goes by its own.
    let (at, late) = (TimeDelta::seconds(900 + 59), TimeDelta::seconds(60));
    app.move_clock(at);
    app.app.kv.sweep().await.unwrap();
    app.move_clock(-late);
    assert_eq!(app.query_at(&fresh.url, Some(&person.token), "{ viewer { email } }", json!({})).await.status, 401);
    fresh.stop().await;
}

async fn what_ended_at_a_late_node_outlasts_what_ends_at_an_early_one(app: TestApp) {
    // Issued by a clock that is a minute ahead of the one by which it ends.
    let (person, late) = (app.fan("mina").await, TimeDelta::seconds(60));
    let other = app.sign_in_again(&person).await;
    let fresh = app.node("fresh", |_| {}).await;
    app.move_clock(-late);
    sign_out(&app, &person.token, false).await.data();
    // Where it is early the token has just run out, and another session of the account ends: the same entry is written anew.
    app.move_clock(late + TimeDelta::seconds(901));
    app.app.kv.sweep().await.unwrap();
    sign_out_shown(&app.app, None, Some(&other.refresh_token), false).await.unwrap();
    app.move_clock(-late);
    assert_eq!(app.query_at(&fresh.url, Some(&person.token), "{ viewer { email } }", json!({})).await.status, 401);
    fresh.stop().await;
}
