//! Bad tokens at every door, and keys that change.

use crate::harness::{PASSWORD, Person, SESSION, TestApp};
use chrono::TimeDelta;
use data_encoding::BASE64URL_NOPAD;
use futures_util::{SinkExt, StreamExt};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use spotlight::{
    admin,
    auth::{keys, tokens},
};
use std::time::Duration;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

crate::scenarios![
    a_bad_token_is_refused_at_every_door,
    a_good_token_opens_every_door,
    members_and_admins_never_pass_each_others_doors,
    the_token_of_who_is_gone_is_refused_at_every_door,
    keys_rotate_while_the_server_runs,
    a_node_that_sees_no_new_token_signs_with_the_new_key_after_a_minute,
    the_public_keys_are_published,
];

const ADMIN: &str = "{ admin { __typename } }";
const VIEWER: &str = "{ viewer { email } }";

/// What every door says to a token: true if it let it in.
async fn doors(app: &TestApp, token: &str) -> Vec<(&'static str, bool)> {
    let feed = "subscription { notifications { cursor } }";
    let introspection = "{ __schema { queryType { name } } }";
    vec![
        ("POST", post(app, token, "application/json", VIEWER).await != 401),
        ("GET", get(app, token).await != 401),
        ("SSE", post(app, token, "text/event-stream", feed).await != 401),
        ("SSE, reserved", reserve(app, token).await != 401),
        ("WebSocket", init(app, token).await),
        ("upload", upload(app, token).await != 401),
        ("admin", post(app, token, "application/json", ADMIN).await != 401),
        ("introspection", post(app, token, "application/json", introspection).await != 401),
    ]
}

async fn post(app: &TestApp, token: &str, accept: &str, query: &str) -> u16 {
    let request = app.http.post(format!("{}/graphql", app.url)).header("accept", accept).bearer_auth(token);
    request.json(&json!({ "query": query })).send().await.unwrap().status().as_u16()
}

async fn get(app: &TestApp, token: &str) -> u16 {
    let mut url: url::Url = format!("{}/graphql", app.url).parse().unwrap();
    url.query_pairs_mut().append_pair("query", VIEWER);
    app.http.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
}

async fn reserve(app: &TestApp, token: &str) -> u16 {
    app.http.put(format!("{}/graphql", app.url)).bearer_auth(token).send().await.unwrap().status().as_u16()
}

async fn init(app: &TestApp, token: &str) -> bool {
    let mut request = format!("{}/graphql", app.url.replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let mut socket = connect_async(request).await.unwrap().0;
    let payload = json!({ "authorization": format!("Bearer {token}") });
    let init = json!({ "type": "connection_init", "payload": payload });
    socket.send(Message::text(init.to_string())).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.unwrap().unwrap().unwrap();
    match heard {
        Message::Text(text) => {
            assert!(text.contains("connection_ack"), "{text}");
            true
        }
        Message::Close(frame) => {
            assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(4403));
            false
        }
        other => panic!("{other:?}"),
    }
}

async fn upload(app: &TestApp, token: &str) -> u16 {
    let query = "mutation($input: AttachmentUploadInput!) { attachmentUpload(input: $input) { userErrors { code } } }";
    let operations = json!({ "query": query, "variables": { "input": { "ownerId": "x", "file": null } } });
    let map = r#"{ "0": ["variables.input.file"] }"#;
    let mut body = String::new();
    for (name, content) in [("operations", operations.to_string()), ("map", map.to_owned())] {
        body += &format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n");
    }
    body += "--b\r\nContent-Disposition: form-data; name=\"0\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";
    let request = app.http.post(format!("{}/graphql", app.url)).bearer_auth(token);
    let request = request.header("content-type", "multipart/form-data; boundary=b");
    let request = request.header("graphql-require-preflight", "1").body(body);
    request.send().await.unwrap().status().as_u16()
}

fn part(json: &Value) -> String {
    BASE64URL_NOPAD.encode(json.to_string().as_bytes())
}

fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

fn header_of(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap()
}

/// With one claim changed, signed with our own key.
fn signed(app: &TestApp, claims: &Value, name: &str, value: Value) -> String {
    let mut claims = claims.clone();
    claims[name] = value;
    with_key(app, &claims, |_| {})
}

fn with_key(app: &TestApp, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
    let key = std::fs::read(app.app.config.keys_dir().join("token.ed25519")).unwrap();
    encode(&EncodingKey::from_ed_der(&key), &kid(app), Algorithm::EdDSA, claims, change)
}

fn encode(key: &EncodingKey, kid: &str, alg: Algorithm, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
    let mut header = Header::new(alg);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(kid.to_owned());
    change(&mut header);
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

fn kid(app: &TestApp) -> String {
    app.app.tokens.jwks(app.now())["keys"][0]["kid"].as_str().unwrap().to_owned()
}

/// Every kind of token that must open nothing.
fn bad_tokens(app: &TestApp, person: &Person) -> Vec<(&'static str, String)> {
    let (good, claims) = (&person.token, claims_of(&person.token));
    let parts: Vec<&str> = good.split('.').collect();
    let other = tempfile::tempdir().unwrap();
    keys::Ring::load(other.path(), TimeDelta::minutes(15)).unwrap();
    let other = EncodingKey::from_ed_der(&std::fs::read(other.path().join("token.ed25519")).unwrap());
    let jwk = &app.app.tokens.jwks(app.now())["keys"][0];
    let public = BASE64URL_NOPAD.decode(jwk["x"].as_str().unwrap().as_bytes()).unwrap();
    let mut none = header_of(good);
    none["alg"] = json!("none");
    let mut elevated = claims.clone();
    elevated["role"] = json!("ARTIST");
    let past = app.now() - TimeDelta::seconds(1);
    vec![
        ("nonsense", "nonsense".to_owned()),
        ("empty", String::new()),
        ("alg none, unsigned", format!("{}.{}.", part(&none), parts[1])),
        ("alg none, signed", format!("{}.{}.{}", part(&none), parts[1], parts[2])),
        ("another signature", format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86))),
        ("a tampered role", format!("{}.{}.{}", parts[0], part(&elevated), parts[2])),
        ("another key under our kid", encode(&other, &kid(app), Algorithm::EdDSA, &claims, |_| {})),
        ("another key under its own kid", encode(&other, "another", Algorithm::EdDSA, &claims, |_| {})),
        (
            "HS256 with our public key as the secret",
            encode(&EncodingKey::from_secret(&public), &kid(app), Algorithm::HS256, &claims, |_| {}),
        ),
        ("no kid", with_key(app, &claims, |header| header.kid = None)),
        ("another type", with_key(app, &claims, |header| header.typ = Some("JWT".to_owned()))),
        ("another audience", signed(app, &claims, "aud", json!("somebody-else"))),
        ("another issuer", signed(app, &claims, "iss", json!("somebody-else"))),
        ("another use", signed(app, &claims, "token_use", json!("refresh"))),
        ("expired", signed(app, &claims, "exp", json!(past.timestamp()))),
        ("issued in the future", signed(app, &claims, "iat", json!((app.now() + TimeDelta::hours(1)).timestamp()))),
        ("a role that there is not", signed(app, &claims, "role", json!("ADMIN"))),
        ("no subject", signed(app, &claims, "sub", Value::Null)),
        ("a member's subject that is none", signed(app, &claims, "sub", json!("admin"))),
        ("longer than any of ours", signed(app, &claims, "jti", json!("a".repeat(4_000)))),
        ("a refresh token", person.refresh_token.clone()),
        ("a refresh token's secret", person.refresh_token.split('.').next_back().unwrap().to_owned()),
    ]
}

async fn a_bad_token_is_refused_at_every_door(app: TestApp) {
    let person = app.fan("mina").await;
    let unchanged = claims_of(&person.token);
    // The forger's tools work: what they make of unchanged claims is let in.
    assert_eq!(post(&app, &with_key(&app, &unchanged, |_| {}), "application/json", VIEWER).await, 200);
    let mut bad = bad_tokens(&app, &person);
    let out = Person::of(
        &person.email,
        &app.mutate(None, "signIn", SESSION, json!({ "email": person.email, "password": PASSWORD })).await,
    );
    app.mutate(Some(&out.token), "signOut", "isSignedOut", json!({})).await;
    bad.push(("signed out", out.token));
    for (kind, token) in bad {
        for (door, is_open) in doors(&app, &token).await {
            assert!(!is_open, "{kind} at {door}: {token}");
        }
    }
}

async fn a_good_token_opens_every_door(app: TestApp) {
    let person = app.fan("mina").await;
    for (door, is_open) in doors(&app, &person.token).await {
        assert!(is_open, "{door}");
    }
}

async fn admin_token(app: &TestApp, email: &str) -> String {
    admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": email, "password": PASSWORD });
    let payload = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    payload["session"]["accessToken"].as_str().unwrap().to_owned()
}

async fn members_and_admins_never_pass_each_others_doors(app: TestApp) {
    let (member, admin) = (app.artist("haneul").await.token, admin_token(&app, "root@example.kr").await);
    let answer = async |token: &str, query: &str| app.query(Some(token), query, json!({})).await.body;
    assert!(answer(&member, ADMIN).await["data"]["admin"].is_null());
    assert!(answer(&admin, ADMIN).await["data"]["admin"].is_object());
    assert!(answer(&admin, VIEWER).await["data"]["viewer"].is_null());
    assert!(answer(&member, VIEWER).await["data"]["viewer"].is_object());
    // An admin's token is one without a role; a member's without its role is still no admin's.
    let mut claims = claims_of(&member);
    claims.as_object_mut().unwrap().remove("role");
    assert_eq!(post(&app, &with_key(&app, &claims, |_| {}), "application/json", ADMIN).await, 401);
    let with_role = signed(&app, &claims_of(&admin), "role", claims_of(&member)["role"].clone());
    assert_eq!(post(&app, &with_role, "application/json", VIEWER).await, 401);
}

async fn the_token_of_who_is_gone_is_refused_at_every_door(app: TestApp) {
    let member = app.fan("mina").await.token;
    let admin = admin_token(&app, "root@example.kr").await;
    app.pass(TimeDelta::seconds(1)).await;
    let input = json!({ "currentPassword": PASSWORD });
    let left = app.mutate(Some(&member), "accountWithdraw", "__typename", input).await;
    assert_eq!(left["userErrors"], json!([]));
    admin::reset::remove(&app.app, "root@example.kr").await.unwrap();
    for (who, token) in [("withdrawn", member), ("removed admin", admin)] {
        for (door, is_open) in doors(&app, &token).await {
            assert!(!is_open, "{who} at {door}");
        }
    }
}

async fn keys_rotate_while_the_server_runs(app: TestApp) {
    let person = app.fan("mina").await;
    let (folder, life) = (app.app.config.keys_dir(), tokens::life(&app.app.config.auth));
    let other = app.node("other", |config| config.auth.keys_dir = folder.clone()).await;
    let status = async |url: &str, token: &str| app.query_at(url, Some(token), VIEWER, json!({})).await.status;
    let sign_in = async |url: &str| {
        let answer = app.query_at(url, None, SIGN_IN, json!({ "email": person.email, "password": PASSWORD })).await;
        answer.data()["signIn"]["session"]["accessToken"].as_str().unwrap().to_owned()
    };
    // Both nodes have looked at the folder in this moment.
    assert_eq!((status(&app.url, &person.token).await, status(&other.url, &person.token).await), (200, 200));
    let before = kid(&app);
    let new = keys::rotate(&folder, life, app.now()).unwrap();
    assert_ne!(before, new);
    // A node that starts now signs with the new key; those that run believe it as soon as they look again.
    let fresh = app.node("fresh", |config| config.auth.keys_dir = folder.clone()).await;
    let token = sign_in(&fresh.url).await;
    assert_eq!(header_of(&token)["kid"], new.as_str());
    for url in [&app.url, &other.url] {
        assert_eq!(status(url, &token).await, 401, "not more often than every two seconds");
    }
    app.move_clock(TimeDelta::seconds(2));
    for url in [&app.url, &other.url, &fresh.url] {
        assert_eq!((status(url, &token).await, status(url, &person.token).await), (200, 200), "{url}");
    }
    other.stop().await;
    fresh.stop().await;
}

async fn a_node_that_sees_no_new_token_signs_with_the_new_key_after_a_minute(app: TestApp) {
    let person = app.fan("mina").await;
    let before = header_of(&person.token)["kid"].clone();
    let new = keys::rotate(&app.app.config.keys_dir(), tokens::life(&app.app.config.auth), app.now()).unwrap();
    app.move_clock(TimeDelta::seconds(59));
    assert_eq!(header_of(&app.sign_in_again(&person).await.token)["kid"], before);
    app.move_clock(TimeDelta::seconds(1));
    assert_eq!(header_of(&app.sign_in_again(&person).await.token)["kid"], new.as_str());
}

const SIGN_IN: &str = "mutation($email: String!, $password: String!) { signIn(input: { email: $email, password: $password }) { \
                       session { accessToken } } }";

async fn the_public_keys_are_published(app: TestApp) {
    let person = app.fan("mina").await;
    let answer = app.http.get(format!("{}/.well-known/jwks.json", app.url)).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "public, max-age=60");
    let keys: Value = answer.json().await.unwrap();
    let key = &keys["keys"][0];
    assert_eq!(
        (&key["kid"], &key["alg"], &key["use"]),
        (&header_of(&person.token)["kid"], &json!("EdDSA"), &json!("sig"))
    );
    assert!(key.get("d").is_none(), "a private key is published");
    // Enough for anybody else to check our tokens with.
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.clone()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(Algorithm::EdDSA);
    rules.validate_exp = false;
    rules.set_audience(&["spotlight"]);
    let checking = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    jsonwebtoken::decode::<Value>(&person.token, &checking, &rules).unwrap();
}
