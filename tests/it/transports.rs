//! HTTP, SSE and WebSocket as clients use them.

use crate::harness::{Person, TestApp};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

crate::scenarios![
    http_answers_with_the_right_status_and_media_type,
    a_get_may_query_but_not_mutate,
    malformed_requests_are_named,
    sse_delivers_to_the_holder_and_resumes,
    a_websocket_delivers_and_resumes,
    a_websocket_is_closed_with_the_right_codes,
    every_playground_example_is_valid,
    the_introspection_query_of_the_playground_is_served,
];

pub const FEED: &str =
    "subscription($after: String) { notifications(after: $after) { cursor isReset notification { kind title } } }";
/// The longest that a push may take here; it is a bound, not a wait.
pub const SOON: Duration = Duration::from_secs(10);

async fn post(app: &TestApp, accept: &str, content_type: &str, body: String) -> (u16, String, Value) {
    let request =
        app.http.post(format!("{}/graphql", app.url)).header("accept", accept).header("content-type", content_type);
    let response = request.body(body).send().await.unwrap();
    let kind = response.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    (response.status().as_u16(), kind, response.json().await.unwrap_or(Value::Null))
}

async fn http_answers_with_the_right_status_and_media_type(app: TestApp) {
    let graphql = "application/graphql-response+json";
    let ok = json!({ "query": "{ __typename }" }).to_string();
    let (status, kind, body) = post(&app, graphql, "application/json", ok.clone()).await;
    assert_eq!((status, kind.starts_with(graphql), &body["data"]["__typename"]), (200, true, &json!("Query")));
    let (status, kind, _) = post(&app, "application/json", "application/json", ok.clone()).await;
    assert_eq!((status, kind.starts_with("application/json")), (200, true));
    let invalid = json!({ "query": "{ nothing }" }).to_string();
    let (status, _, body) = post(&app, graphql, "application/json", invalid.clone()).await;
    assert_eq!((status, body.get("data")), (400, None));
    assert_eq!(body["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(post(&app, "application/json", "application/json", invalid).await.0, 200);
    assert_eq!(post(&app, "text/html", "application/json", ok.clone()).await.0, 406);
    assert_eq!(post(&app, "*/*", "text/plain", ok).await.0, 415);
    assert_eq!(post(&app, "*/*", "application/json", "x".repeat(300 * 1024)).await.0, 413);
}

async fn a_get_may_query_but_not_mutate(app: TestApp) {
    let get = |query: &str| {
        let mut url: url::Url = format!("{}/graphql", app.url).parse().unwrap();
        url.query_pairs_mut().append_pair("query", query);
        app.http.get(url).send()
    };
    assert_eq!(get("{ __typename }").await.unwrap().status(), 200);
    assert_eq!(get("mutation { signOut(input: {}) { isSignedOut } }").await.unwrap().status(), 405);
}

async fn malformed_requests_are_named(app: TestApp) {
    for (body, status, code) in [
        ("not json", 400, "BAD_REQUEST"),
        ("[]", 400, "BAD_REQUEST"),
        (r#"{"query": 1}"#, 400, "BAD_REQUEST"),
        (r#"{"query": "{ a }", "variables": "x"}"#, 400, "BAD_REQUEST"),
        (r#"{"query": "{"}"#, 400, "GRAPHQL_PARSE_FAILED"),
        (r#"{"query": "query A { __typename } query B { __typename }"}"#, 400, "OPERATION_RESOLUTION_FAILURE"),
        (r#"{"query": "{ __typename }", "operationName": "C"}"#, 400, "OPERATION_RESOLUTION_FAILURE"),
    ] {
        let answer = post(&app, "application/graphql-response+json", "application/json", body.to_owned()).await;
        assert_eq!((answer.0, answer.2["errors"][0]["extensions"]["code"].as_str()), (status, Some(code)), "{body}");
        assert!(answer.2["errors"][0]["extensions"]["requestId"].is_string());
    }
}

struct Feed(futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>, String);

impl Feed {
    async fn open(app: &TestApp, person: &Person, after: Option<&str>) -> Self {
        let request = app.http.post(format!("{}/graphql", app.url)).header("accept", "text/event-stream");
        let body = json!({ "query": FEED, "variables": { "after": after } });
        let response = request.bearer_auth(&person.token).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self(response.bytes_stream().boxed(), String::new())
    }

    /// The next `next`: its id and its entry.
    async fn next(&mut self) -> (String, Value) {
        tokio::time::timeout(SOON, async {
            loop {
                if let Some((event, rest)) = self.1.clone().split_once("\n\n") {
                    rest.clone_into(&mut self.1);
                    let field = |name: &str| {
                        event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                    };
                    if field("event:") == "next" {
                        let data: Value = serde_json::from_str(&field("data:")).unwrap();
                        return (field("id:"), data["data"]["notifications"].clone());
                    }
                    continue;
                }
                let chunk = self.0.next().await.expect("the stream goes on").unwrap();
                self.1.push_str(&String::from_utf8_lossy(&chunk));
            }
        })
        .await
        .expect("a notification comes")
    }
}

async fn sse_delivers_to_the_holder_and_resumes(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 10).await;
    let mut feed = Feed::open(&app, &fan, None).await;
    app.book(&fan, &event, 1, "a").await;
    app.work().await;
    let (id, first) = feed.next().await;
    assert_eq!(
        (first["cursor"].as_str(), &first["notification"]["kind"]),
        (Some(id.as_str()), &json!("PAYMENT_CONFIRMED"))
    );
    drop(feed);
    app.book(&fan, &event, 1, "b").await;
    app.book(&fan, &event, 1, "c").await;
    app.work().await;
    let mut again = Feed::open(&app, &fan, Some(&id)).await;
    let (second, third) = (again.next().await, again.next().await);
    assert!(id != second.0 && second.0 != third.0);
    app.pass(event.starts_at - app.now() - chrono::TimeDelta::days(1)).await;
    assert_eq!(again.next().await.1["notification"]["kind"], "REMINDER");
}

pub type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn socket(app: &TestApp) -> Socket {
    socket_at(&app.url).await
}

/// At one of several servers.
pub async fn socket_at(url: &str) -> Socket {
    let mut request = format!("{}/graphql", url.replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    connect_async(request).await.unwrap().0
}

pub async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The next message that is no ping; those are answered.
pub async fn hear(socket: &mut Socket) -> Value {
    tokio::time::timeout(SOON, async {
        loop {
            match socket.next().await.unwrap().unwrap() {
                Message::Text(text) => {
                    let said: Value = serde_json::from_str(&text).unwrap();
                    if said["type"] != "ping" {
                        return said;
                    }
                    say(socket, json!({ "type": "pong" })).await;
                }
                Message::Close(frame) => return json!({ "closed": frame.map(|frame| u16::from(frame.code)) }),
                _ => {}
            }
        }
    })
    .await
    .expect("an answer comes")
}

async fn a_websocket_delivers_and_resumes(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 10).await;
    let subscribe = |after: Value| json!({ "type": "subscribe", "id": "1", "payload": { "query": FEED, "variables": { "after": after } } });
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {}", fan.token) } });
    let mut one = socket(&app).await;
    say(&mut one, init.clone()).await;
    assert_eq!(hear(&mut one).await["type"], "connection_ack");
    say(&mut one, subscribe(Value::Null)).await;
    say(&mut one, json!({ "type": "subscribe", "id": "2", "payload": { "query": "{ __typename }" } })).await;
    let next = hear(&mut one).await;
    assert_eq!((&next["type"], &next["id"]), (&json!("next"), &json!("2")));
    assert_eq!(next["payload"]["data"], json!({ "__typename": "Query" }));
    assert_eq!(hear(&mut one).await, json!({ "type": "complete", "id": "2" }));
    app.book(&fan, &event, 1, "a").await;
    app.work().await;
    let entry = hear(&mut one).await["payload"]["data"]["notifications"].clone();
    assert_eq!(entry["notification"]["kind"], "PAYMENT_CONFIRMED");
    drop(one);
    app.book(&fan, &event, 1, "b").await;
    app.work().await;
    let mut two = socket(&app).await;
    say(&mut two, init).await;
    hear(&mut two).await;
    say(&mut two, subscribe(entry["cursor"].clone())).await;
    let missed = hear(&mut two).await["payload"]["data"]["notifications"].clone();
    assert!(missed["cursor"].is_string() && missed["cursor"] != entry["cursor"]);
}

async fn a_websocket_is_closed_with_the_right_codes(app: TestApp) {
    let ping = json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ __typename }" } });
    let init = json!({ "type": "connection_init" });
    let bad = json!({ "type": "connection_init", "payload": { "authorization": "Bearer nonsense" } });
    for (said, code) in [
        (vec![ping], 4401),
        (vec![bad], 4403),
        (vec![json!({ "type": "what" })], 4400),
        (vec![init.clone(), init], 4429),
    ] {
        let mut socket = socket(&app).await;
        for message in said {
            say(&mut socket, message).await;
        }
        let mut heard = hear(&mut socket).await;
        if heard["type"] == "connection_ack" {
            heard = hear(&mut socket).await;
        }
        assert_eq!(heard, json!({ "closed": code }));
    }
    let mut socket = socket(&app).await;
    say(&mut socket, json!({ "type": "connection_init" })).await;
    hear(&mut socket).await;
    say(&mut socket, json!({ "type": "subscribe", "id": "1", "payload": { "query": FEED } })).await;
    let refused = hear(&mut socket).await;
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("next"), &Value::Null),
        "{refused}"
    );
}

async fn every_playground_example_is_valid(app: TestApp) {
    let examples = spotlight::http::playground::examples();
    assert!(examples.len() > 5);
    for example in examples {
        let variables: Value = serde_json::from_str(&example.variables.replace("{{origin}}", &app.url)).unwrap();
        let body = json!({ "query": example.document, "variables": variables });
        let request = app.http.post(format!("{}/graphql", app.url)).header("accept", "text/event-stream");
        let answer = request.json(&body).send().await.unwrap().text().await.unwrap();
        let is_valid = answer.contains("event: next") && !answer.contains("VALIDATION") && !answer.contains("PARSE");
        assert!(is_valid, "{}: {answer}", example.title);
    }
}

/// As deep as the one that GraphiQL and every code generator send.
const INTROSPECTION: &str = "{ __schema { types { fields { args { type { ...Type } } type { ...Type } } } } } fragment Type on __Type { \
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { \
    kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

async fn the_introspection_query_of_the_playground_is_served(app: TestApp) {
    let answer = app.query(None, INTROSPECTION, json!({})).await;
    assert!(answer.data()["__schema"]["types"].as_array().unwrap().len() > 50);
}
