//! The store goes away, or its answer does: what each use case says then, and what it used up.

use crate::{
    harness::{Answer, Database, PASSWORD, Person, SESSION, TestApp},
    kv::{OwnRedis, run, servers},
};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// With the Redis of `.ci/redis` there is a `redis-server` to start.
pub fn trials() -> Vec<Trial> {
    let is_missing = servers().is_empty();
    vec![
        Trial::test("away::codes_and_new_passwords_say_that_the_store_is_away", || run(codes_and_new_passwords()))
            .with_ignored_flag(is_missing),
        Trial::test("away::a_refresh_whose_answer_was_lost_can_be_repeated", || run(lost_answers()))
            .with_ignored_flag(is_missing),
    ]
}

async fn mutate(app: &TestApp, url: &str, token: Option<&str>, name: &str, selection: &str, input: Value) -> Answer {
    let kind = format!("{}{}Input", name.get(..1).unwrap().to_uppercase(), name.get(1..).unwrap());
    let document =
        format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code path }} }} }}");
    app.query_at(url, token, &document, json!({ "input": input })).await
}

async fn sign_in(app: &TestApp, url: &str, email: &str) -> Person {
    let input = json!({ "email": email, "password": PASSWORD });
    Person::of(email, &mutate(app, url, None, "signIn", SESSION, input).await.data()["signIn"])
}

async fn codes_and_new_passwords() {
    let mut redis = OwnRedis::start().await;
    let home = TestApp::start(&Database::sqlite()).await;
    let fan = home.fan("mina").await;
    let node = home.node("redis", |config| config.kv.url = redis.url().into()).await;
    let token = sign_in(&home, &node.url, &fan.email).await.token;
    redis.kill();
    let new = "Another-1234";
    let send = json!({ "email": fan.email, "purpose": "PASSWORD_RESET" });
    let verify = json!({ "email": fan.email, "emailCode": "123456", "purpose": "PASSWORD_RESET" });
    let by_code = json!({ "email": fan.email, "emailCode": "123456", "newPassword": new });
    let by_token = json!({ "email": fan.email, "resetToken": "x", "newPassword": new });
    let up = crate::harness::sign_up_input("jun@example.kr", "123456", "USER");
    let change = json!({ "currentPassword": PASSWORD, "newPassword": new });
    let asked = [
        ("emailCodeSend", None, send),
        ("emailCodeVerify", None, verify),
        ("passwordReset", None, by_code),
        ("passwordReset", None, by_token),
        ("signUp", None, up),
        ("passwordChange", Some(token.as_str()), change),
        ("accountWithdraw", Some(token.as_str()), json!({ "currentPassword": PASSWORD })),
    ];
    let before = (home.app.passwords.runs(), node.app.passwords.runs());
    for (name, token, input) in asked {
        let answer = mutate(&home, &node.url, token, name, "__typename", input).await;
        let error = &answer.body["errors"][0];
        assert_eq!(
            (answer.code(), &error["extensions"]["retryAfter"]),
            ("INTERNAL_SERVER_ERROR", &json!(1)),
            "{name}: {}",
            answer.body
        );
        assert!(error["message"].as_str().unwrap().contains("Temporarily unavailable"), "{name}: {error}");
    }
    assert_eq!((home.app.passwords.runs(), node.app.passwords.runs()), before, "what cannot be counted is not tried");
    for (path, body) in [
        ("sign-in", json!({ "email": fan.email, "password": PASSWORD })),
        ("refresh", json!({})),
        ("sign-out", json!({})),
    ] {
        let request = home.http.post(format!("{}/session/{path}", node.url)).header("cookie", "spotlight_refresh=a.b");
        let answer = request.header("origin", "http://localhost:3000").json(&body).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().get("set-cookie")), (503, None), "{path}");
    }
    let viewer = home.query_at(&node.url, Some(&token), "{ viewer { email } }", json!({})).await;
    assert_eq!(viewer.data()["viewer"]["email"], "mina@example.kr", "still signed in, still here");
    assert!(home.sign_in_again(&fan).await.token.len() > 20, "the password is the old one");
    node.stop().await;
    home.finish().await;
}

/// Stands between a node and its Redis: what it is told to lose reaches Redis, and the answer to it nobody.
struct Wire {
    port: u16,
    loses: Arc<AtomicBool>,
}

impl Wire {
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's own runtime")]
    async fn to(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, loses) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let lost = Arc::clone(&loses);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(("127.0.0.1", redis)).await.unwrap();
                tokio::spawn(carry(near, far, Arc::clone(&lost)));
            }
        });
        Self { port, loses }
    }
}

async fn carry(mut near: TcpStream, mut far: TcpStream, loses: Arc<AtomicBool>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut is_lost = false;
    loop {
        tokio::select! {
            read = near.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let text = asked.get(..count).unwrap();
                // A compare-and-set: a script with the family's key.
                let is_write = text.windows(7).any(|part| part == b"EVALSHA") && text.windows(8).any(|part| part == b"session:");
                is_lost |= is_write && loses.swap(false, Ordering::SeqCst);
                if far.write_all(text).await.is_err() { return }
            }
            read = far.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                // It was done, and the line is cut before anybody hears of it.
                if is_lost || near.write_all(answered.get(..count).unwrap()).await.is_err() { return }
            }
        }
    }
}

async fn lost_answers() {
    let redis = OwnRedis::start().await;
    let home = TestApp::start(&Database::sqlite()).await;
    let fan = home.fan("mina").await;
    let wire = Wire::to(redis.port).await;
    let url = format!("redis://127.0.0.1:{}", wire.port);
    let node = home.node("redis", |config| config.kv.url = url.as_str().into()).await;
    let refresh = async |token: &str| {
        let input = json!({ "refreshToken": token });
        mutate(&home, &node.url, None, "sessionRefresh", "session { accessToken refreshToken }", input).await
    };
    let next = |answer: &Answer| Person::of(&fan.email, &answer.data()["sessionRefresh"]);
    let first = sign_in(&home, &node.url, &fan.email).await;
    // The script is known to Redis from here on.
    let second = next(&refresh(&first.refresh_token).await);
    wire.loses.store(true, Ordering::SeqCst);
    let lost = refresh(&second.refresh_token).await;
    assert!(!wire.loses.load(Ordering::SeqCst), "nothing was lost");
    let said = lost.body["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{}", lost.body));
    assert!(said.contains("it may have been done"), "{said}");
    let since = std::time::Instant::now();
    let mut again = refresh(&second.refresh_token).await;
    while again.body.get("errors").is_some() {
        assert!(since.elapsed() < std::time::Duration::from_secs(20), "{}", again.body);
        again = refresh(&second.refresh_token).await;
    }
    let third = next(&again);
    let viewer = home.query_at(&node.url, Some(&third.token), "{ viewer { email } }", json!({})).await;
    assert_eq!(viewer.data()["viewer"]["email"], "mina@example.kr");
    // From here on it was used, and that is reuse.
    let reused = refresh(&second.refresh_token).await;
    assert_eq!(reused.data()["sessionRefresh"]["userErrors"][0]["code"], "WRONG_CREDENTIALS");
    assert_eq!(home.query_at(&node.url, Some(&third.token), "{ viewer { email } }", json!({})).await.status, 401);
    node.stop().await;
    home.finish().await;
}
