//! Sessions of browsers that leave the refresh token to a cookie, and bodies that never arrive.

use crate::harness::{PASSWORD, Person, TestApp};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

crate::scenarios![
    a_browser_keeps_its_refresh_token_in_a_cookie,
    a_cookie_is_for_pages_of_ours_and_for_json,
    a_cookie_that_comes_back_ends_its_family,
    signing_out_with_a_stale_cookie_ends_its_family,
    signing_out_with_the_cookie_alone_ends_its_access_tokens,
    signing_out_everywhere_takes_a_proof_of_who_asks,
    an_access_token_is_a_proof_beside_a_stale_cookie,
    signing_in_again_ends_the_session_of_the_cookie_before,
    a_cookie_travels_by_https_alone_where_we_are_reached_by_it,
    a_crowd_at_the_passwords_is_told_when_to_come_back,
    a_body_that_never_arrives_is_not_waited_for,
];

/// What came back: status, cookie as it was set, body.
struct Said {
    status: u16,
    set: String,
    body: Value,
}

impl Said {
    /// As the browser sends it the next time.
    fn cookie(&self) -> &str {
        self.set.split(';').next().unwrap()
    }

    fn token(&self) -> &str {
        self.body["accessToken"].as_str().unwrap_or_else(|| panic!("{}", self.body))
    }
}

async fn ask_at(app: &TestApp, url: &str, path: &str, cookie: &str, body: Value) -> Said {
    let request = app.http.post(format!("{url}/session/{path}")).header("origin", "http://localhost:3000");
    let answer = request.header("cookie", cookie).json(&body).send().await.unwrap();
    let set = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    Said { status: answer.status().as_u16(), set, body: answer.json().await.unwrap() }
}

async fn ask(app: &TestApp, path: &str, cookie: &str, body: Value) -> Said {
    ask_at(app, &app.url, path, cookie, body).await
}

async fn sign_in(app: &TestApp, person: &Person, cookie: &str) -> Said {
    let said = ask(app, "sign-in", cookie, json!({ "email": person.email, "password": PASSWORD })).await;
    assert_eq!(said.status, 200, "{}", said.body);
    said
}

async fn refresh(app: &TestApp, cookie: &str) -> Said {
    ask(app, "refresh", cookie, json!({})).await
}

async fn status(app: &TestApp, token: &str) -> u16 {
    app.query(Some(token), "{ viewer { email } }", json!({})).await.status
}

async fn a_browser_keeps_its_refresh_token_in_a_cookie(app: TestApp) {
    let person = app.fan("mina").await;
    let wrong = ask(&app, "sign-in", "", json!({ "email": person.email, "password": "Wrong-1234" })).await;
    assert_eq!((wrong.status, wrong.set.as_str()), (401, ""));
    let first = sign_in(&app, &person, "").await;
    assert_eq!(status(&app, first.token()).await, 200);
    assert!(first.body.get("refreshToken").is_none());
    for attribute in ["Path=/session;", "HttpOnly", "SameSite=Strict", "Max-Age=1209600"] {
        assert!(first.set.contains(attribute), "{attribute} in {}", first.set);
    }
    let next = refresh(&app, first.cookie()).await;
    assert_eq!((next.status, status(&app, next.token()).await), (200, 200));
    assert_ne!(first.cookie(), next.cookie());
    assert_eq!(ask(&app, "sign-out", next.cookie(), json!({})).await.status, 200);
    let over = refresh(&app, next.cookie()).await;
    assert!(over.status == 401 && over.set.contains("Max-Age=0"), "{} {}", over.status, over.set);
}

async fn a_cookie_is_for_pages_of_ours_and_for_json(app: TestApp) {
    let url = format!("{}/session/refresh", app.url);
    let ask = async |origin: Option<&str>, kind: &str, body: String| {
        let mut request = app.http.post(&url).header("cookie", "spotlight_refresh=a.b").header("content-type", kind);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.body(body).send().await.unwrap().status().as_u16()
    };
    let (ours, json) = (Some("http://localhost:3000"), "application/json");
    assert_eq!(ask(ours, json, "{}".to_owned()).await, 401);
    assert_eq!(ask(Some("https://evil.example"), json, "{}".to_owned()).await, 403);
    assert_eq!(ask(Some("null"), json, "{}".to_owned()).await, 403);
    assert_eq!(ask(None, json, "{}".to_owned()).await, 403);
    assert_eq!(ask(ours, "text/plain", "{}".to_owned()).await, 415);
    assert_eq!(ask(ours, json, " ".repeat(5_000)).await, 413);
}

async fn a_cookie_that_comes_back_ends_its_family(app: TestApp) {
    let person = app.fan("mina").await;
    let first = sign_in(&app, &person, "").await;
    let next = refresh(&app, first.cookie()).await;
    let again = refresh(&app, first.cookie()).await;
    assert!(again.status == 401 && again.set.contains("Max-Age=0"), "{} {}", again.status, again.set);
    assert_eq!(status(&app, next.token()).await, 401);
    assert_eq!(refresh(&app, next.cookie()).await.status, 401);
}

async fn signing_out_with_a_stale_cookie_ends_its_family(app: TestApp) {
    let person = app.fan("mina").await;
    let first = sign_in(&app, &person, "").await;
    let next = refresh(&app, first.cookie()).await;
    let out = ask(&app, "sign-out", first.cookie(), json!({})).await;
    assert_eq!((out.status, &out.body["isSignedOut"]), (200, &json!(true)));
    assert_eq!(status(&app, next.token()).await, 401);
    assert_eq!(refresh(&app, next.cookie()).await.status, 401);
    assert_eq!(status(&app, &person.token).await, 200, "another family goes on");
}

async fn signing_out_with_the_cookie_alone_ends_its_access_tokens(app: TestApp) {
    let person = app.fan("mina").await;
    let first = sign_in(&app, &person, "").await;
    let next = refresh(&app, first.cookie()).await;
    assert_eq!(ask(&app, "sign-out", next.cookie(), json!({})).await.status, 200);
    for token in [first.token(), next.token()] {
        assert_eq!(status(&app, token).await, 401);
    }
}

async fn signing_out_everywhere_takes_a_proof_of_who_asks(app: TestApp) {
    let person = app.fan("mina").await;
    let first = sign_in(&app, &person, "").await;
    let next = refresh(&app, first.cookie()).await;
    for (cookie, ends) in [("", false), ("spotlight_refresh=a.b", false), (first.cookie(), true)] {
        let refused = ask(&app, "sign-out", cookie, json!({ "everywhere": true })).await;
        assert_eq!((refused.status, &refused.body["code"]), (401, &json!("UNAUTHENTICATED")), "{cookie}");
        assert!(refused.set.contains("Max-Age=0"), "{}", refused.set);
        assert_eq!(status(&app, next.token()).await == 401, ends, "{cookie}");
        assert_eq!(status(&app, &person.token).await, 200, "{cookie}");
    }
    let mine = sign_in(&app, &person, "").await;
    app.move_clock(chrono::TimeDelta::seconds(1));
    assert_eq!(ask(&app, "sign-out", mine.cookie(), json!({ "everywhere": true })).await.status, 200);
    assert_eq!(status(&app, &person.token).await, 401);
}

async fn an_access_token_is_a_proof_beside_a_stale_cookie(app: TestApp) {
    let person = app.fan("mina").await;
    let first = sign_in(&app, &person, "").await;
    let next = refresh(&app, first.cookie()).await;
    app.move_clock(chrono::TimeDelta::seconds(1));
    let request = app.http.post(format!("{}/session/sign-out", app.url)).header("origin", "http://localhost:3000");
    let request = request.header("cookie", first.cookie()).bearer_auth(next.token());
    assert_eq!(request.json(&json!({ "everywhere": true })).send().await.unwrap().status(), 200);
    assert_eq!((status(&app, next.token()).await, status(&app, &person.token).await), (401, 401));
}

async fn signing_in_again_ends_the_session_of_the_cookie_before(app: TestApp) {
    let (mina, jun) = (app.fan("mina").await, app.fan("jun").await);
    let first = sign_in(&app, &mina, "").await;
    let wrong = json!({ "email": jun.email, "password": "Wrong-1234" });
    assert_eq!(ask(&app, "sign-in", first.cookie(), wrong).await.status, 401);
    assert_eq!(status(&app, first.token()).await, 200, "nothing was replaced");
    let second = sign_in(&app, &jun, first.cookie()).await;
    assert_eq!(status(&app, first.token()).await, 401);
    assert_eq!((refresh(&app, first.cookie()).await.status, status(&app, second.token()).await), (401, 200));
}

async fn a_cookie_travels_by_https_alone_where_we_are_reached_by_it(app: TestApp) {
    let person = app.fan("mina").await;
    let node = app.node("https", |config| config.server.public_url = "https://spotlight.example".to_owned()).await;
    let url = format!("http://{}", node.app.config.server.listen);
    let input = json!({ "email": person.email, "password": PASSWORD });
    let open = ask(&app, "sign-in", "", input.clone()).await;
    let closed = ask_at(&app, &url, "sign-in", "", input).await;
    assert_eq!((open.set.contains("; Secure"), closed.set.contains("; Secure")), (false, true), "{}", closed.set);
    node.stop().await;
}

async fn a_crowd_at_the_passwords_is_told_when_to_come_back(app: TestApp) {
    let person = app.fan("mina").await;
    let crowd: Vec<_> = std::iter::from_fn(|| app.app.passwords.place().ok()).collect();
    let input = json!({ "email": person.email, "password": PASSWORD });
    let request = app.http.post(format!("{}/session/sign-in", app.url)).header("origin", "http://localhost:3000");
    let answer = request.json(&input).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    drop(crowd);
    sign_in(&app, &person, "").await;
}

async fn a_body_that_never_arrives_is_not_waited_for(app: TestApp) {
    let node = app.node("brisk", |config| config.edge.body_time = Duration::from_millis(20)).await;
    for path in ["/session/sign-in", "/session/refresh", "/session/sign-out", spotlight::http::KAKAO_UNLINKED] {
        let mut stream = TcpStream::connect(node.app.config.server.listen).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\norigin: http://localhost:3000\r\ncontent-type: application/json\r\n\
             content-length: 10\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        let read = tokio::time::timeout(Duration::from_secs(8), stream.read_exact(&mut answer)).await;
        read.unwrap_or_else(|_| panic!("{path} waits")).unwrap();
        assert_eq!(std::str::from_utf8(&answer).unwrap(), "HTTP/1.1 408", "{path}");
    }
    node.stop().await;
}
