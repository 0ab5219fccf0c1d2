//! What was opened with a token ends with it: by a revocation, too, and on every transport that stays open.

use crate::{
    harness::{Node, PASSWORD, Person, SESSION, TestApp},
    transports::{FEED, SOON, Socket, hear, say, socket_at},
};
use chrono::TimeDelta;
use futures_util::StreamExt;
use serde_json::{Value, json};
use spotlight::admin;
use std::time::Duration;

crate::scenarios![
    who_signed_out_everywhere_does_nothing_more_on_an_open_socket,
    an_admin_who_was_reset_does_nothing_more_on_an_open_socket,
    an_open_feed_ends_by_the_next_heartbeat,
    an_idle_socket_of_a_removed_admin_is_closed_by_the_next_heartbeat,
];

const FORBIDDEN: u16 = 4403;

/// A socket of somebody who introduced themselves.
pub async fn open(url: &str, token: &str) -> Socket {
    let mut socket = socket_at(url).await;
    let payload = json!({ "authorization": format!("Bearer {token}") });
    say(&mut socket, json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    socket
}

pub async fn ask(socket: &mut Socket, document: &str) {
    say(socket, json!({ "type": "subscribe", "id": "1", "payload": { "query": document } })).await;
}

/// The answer of an operation that is not refused.
async fn answer(socket: &mut Socket, document: &str) -> Value {
    ask(socket, document).await;
    let next = hear(socket).await;
    assert_eq!(next["type"], "next", "{next}");
    assert_eq!(hear(socket).await["type"], "complete");
    next["payload"]["data"].clone()
}

/// From another browser.
async fn sign_out_everywhere(app: &TestApp, person: &Person) {
    app.move_clock(TimeDelta::seconds(1));
    let other = app.sign_in_again(person).await;
    app.move_clock(TimeDelta::seconds(1));
    app.mutate(Some(&other.token), "signOut", "isSignedOut", json!({ "everywhere": true })).await;
}

async fn who_signed_out_everywhere_does_nothing_more_on_an_open_socket(app: TestApp) {
    let fan = app.fan("mina").await;
    let mut socket = open(&app.url, &fan.token).await;
    let rename =
        |name: &str| format!("mutation {{ profileUpdate(input: {{ nickname: \"{name}\" }}) {{ __typename }} }}");
    answer(&mut socket, &rename("봄비")).await;
    sign_out_everywhere(&app, &fan).await;
    ask(&mut socket, &rename("도둑")).await;
    assert_eq!(hear(&mut socket).await, json!({ "closed": FORBIDDEN }));
    let user = spotlight::user::query::by_email(app.app.db.reads(), &fan.email).await.unwrap().unwrap();
    assert_eq!(user.nickname, "봄비");
}

const KEEPER: &str = "keeper@example.kr";

async fn keeper(app: &TestApp) -> String {
    admin::create::create(&app.app, KEEPER, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": KEEPER, "password": PASSWORD });
    let payload = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    payload["session"]["accessToken"].as_str().unwrap().to_owned()
}

async fn an_admin_who_was_reset_does_nothing_more_on_an_open_socket(app: TestApp) {
    let (fan, token) = (app.fan("mina").await, keeper(&app).await);
    let mut socket = open(&app.url, &token).await;
    let user = spotlight::user::query::by_email(app.app.db.reads(), &fan.email).await.unwrap().unwrap();
    let change = |role: &str| {
        let input = format!("{{ userId: \"{}\", role: {role}, reason: \"asked\" }}", user.id);
        format!("mutation {{ adminUserRoleChange(input: {input}) {{ user {{ role }} }} }}")
    };
    let first = answer(&mut socket, &change("ARTIST")).await;
    assert_eq!(first["adminUserRoleChange"]["user"]["role"], "ARTIST");
    app.move_clock(TimeDelta::seconds(1));
    admin::reset::reset(&app.app, KEEPER, "Keeper-5678".to_owned()).await.unwrap();
    ask(&mut socket, &change("USER")).await;
    assert_eq!(hear(&mut socket).await, json!({ "closed": FORBIDDEN }));
    let now = spotlight::user::query::by_id(app.app.db.reads(), user.id).await.unwrap().unwrap();
    assert_eq!(now.role, entity::enums::Role::Artist);
}

/// With a heartbeat that a test can await, and in which a busy machine still answers a ping.
async fn quick(app: &TestApp) -> Node {
    app.node("quick", |config| config.edge.heartbeat = Duration::from_millis(500)).await
}

/// Until it is closed; an open feed may say something before.
async fn closed(socket: &mut Socket) -> Value {
    loop {
        let heard = hear(socket).await;
        if heard.get("closed").is_some() {
            return heard;
        }
    }
}

/// All that a stream still says.
async fn rest(response: reqwest::Response) -> String {
    assert_eq!(response.status(), 200);
    tokio::time::timeout(SOON, response.text()).await.expect("the stream ends").unwrap()
}

/// A reserved stream with a feed on it.
async fn reserved(app: &TestApp, url: &str, token: &str) -> reqwest::Response {
    let url = format!("{url}/graphql");
    let name = app.http.put(&url).bearer_auth(token).send().await.unwrap().text().await.unwrap();
    let stream = app.http.get(format!("{url}?token={name}")).send().await.unwrap();
    let body = json!({ "query": FEED, "extensions": { "operationId": "1" } });
    let begun = app.http.post(&url).bearer_auth(token).header("x-graphql-event-stream-token", &name).json(&body);
    assert_eq!(begun.send().await.unwrap().status(), 202);
    stream
}

async fn an_open_feed_ends_by_the_next_heartbeat(app: TestApp) {
    let (fan, other, node) = (app.fan("mina").await, app.fan("jun").await, quick(&app).await);
    let feed = |token: &str| {
        let request = app.http.post(format!("{}/graphql", node.url)).header("accept", "text/event-stream");
        request.bearer_auth(token).json(&json!({ "query": FEED })).send()
    };
    let (distinct, stays) = (feed(&fan.token).await.unwrap(), feed(&other.token).await.unwrap());
    let single = reserved(&app, &node.url, &fan.token).await;
    let mut socket = open(&node.url, &fan.token).await;
    ask(&mut socket, FEED).await;
    let (closed, ()) = tokio::join!(closed(&mut socket), sign_out_everywhere(&app, &fan));
    assert_eq!(closed, json!({ "closed": FORBIDDEN }));
    for stream in [distinct, single] {
        let said = rest(stream).await;
        // Cut off, as when the token runs out, and not complete.
        assert!(!said.contains("complete"), "{said}");
    }
    // Somebody else's is still there: it says that it lives.
    let mut stays = stays.bytes_stream();
    for _ in 0..3 {
        tokio::time::timeout(SOON, stays.next()).await.unwrap().expect("the stream goes on").unwrap();
    }
    node.stop().await;
}

async fn an_idle_socket_of_a_removed_admin_is_closed_by_the_next_heartbeat(app: TestApp) {
    let (token, node) = (keeper(&app).await, quick(&app).await);
    let mut socket = open(&node.url, &token).await;
    assert!(answer(&mut socket, "{ admin { email } }").await["admin"].is_object());
    let (closed, removed) = tokio::join!(closed(&mut socket), admin::reset::remove(&app.app, KEEPER));
    assert_eq!((closed, removed.is_ok()), (json!({ "closed": FORBIDDEN }), true));
    // And nobody comes back with that token, or as a member with the same words.
    let again = app.query_at(&node.url, Some(&token), "{ admin { email } }", json!({})).await;
    assert_eq!(again.status, 401);
    let input = json!({ "email": KEEPER, "password": PASSWORD });
    assert_eq!(app.mutate(None, "signIn", SESSION, input).await["session"], Value::Null);
    node.stop().await;
}
