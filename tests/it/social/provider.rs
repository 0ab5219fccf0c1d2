//! A provider that breaks, is slow, is off, refuses, or answers what no provider would.

use super::{BACK, MINA, SIGNED_IN, agree, input, press, returned, rows, sign_in, start, start_at};
use crate::harness::{TestApp, user_error};
use serde_json::{Value, json};

crate::scenarios![
    saying_no_and_other_errors_of_the_callback_are_told_apart,
    a_callback_that_is_none_of_the_providers_begins_again,
    a_provider_that_refuses_our_settings_is_a_fault_of_ours,
    a_provider_switched_off_in_between_says_so,
    an_expired_code_begins_again,
    a_provider_that_breaks_leaves_nothing_behind,
    a_provider_that_is_too_slow_is_unavailable,
    a_provider_that_is_off_says_so,
    the_sandboxes_refuse_like_the_real_ones,
];

async fn saying_no_and_other_errors_of_the_callback_are_told_apart(app: TestApp) {
    for provider in ["KAKAO", "NAVER"] {
        let way = start(&app, None, provider, "SIGN_IN").await;
        let back = press(&app, &way, "deny", &MINA).await;
        assert_eq!(returned(&back, "error").as_deref(), Some("access_denied"));
        let denied = app.mutate(None, "socialSignIn", SIGNED_IN, input(&way, &back)).await;
        assert_eq!(user_error(&denied), "SOCIAL_DENIED");
        let again = app.mutate(None, "socialSignIn", SIGNED_IN, input(&way, &back)).await;
        assert_eq!(user_error(&again), "SOCIAL_EXPIRED");
    }
    let mut neither = agree(&app, "KAKAO", &MINA).await;
    neither["code"] = Value::Null;
    assert_eq!(user_error(&app.mutate(None, "socialSignIn", SIGNED_IN, neither).await), "INVALID code");
    let mut down = agree(&app, "KAKAO", &MINA).await;
    (down["code"], down["error"]) = (Value::Null, json!("server_error"));
    unavailable(&app, &app.url, down).await;
}

async fn a_callback_that_is_none_of_the_providers_begins_again(app: TestApp) {
    for error in ["invalid_scope", "unauthorized_client", "made_up"] {
        let mut odd = agree(&app, "KAKAO", &MINA).await;
        (odd["code"], odd["error"]) = (Value::Null, json!(error));
        assert_eq!(user_error(&app.mutate(None, "socialSignIn", SIGNED_IN, odd).await), "SOCIAL_EXPIRED", "{error}");
    }
    for code in [String::new(), "x".repeat(2_001)] {
        let mut odd = agree(&app, "KAKAO", &MINA).await;
        odd["code"] = json!(code);
        let payload = app.mutate(None, "socialSignIn", SIGNED_IN, odd).await;
        assert_eq!(user_error(&payload), "INVALID code", "{}", code.len());
    }
    assert_eq!(rows(&app).await, (0, 0));
}

async fn a_provider_that_refuses_our_settings_is_a_fault_of_ours(app: TestApp) {
    // The sandbox of one server is the provider of the other, which has a wrong secret.
    let (kakao, naver) = (format!("{}/sandbox/kakao", app.url), format!("{}/sandbox/naver", app.url));
    let node = app.node("mistaken", |config| {
        (config.social.kakao.url, config.social.kakao.api_url) = (kakao.clone(), kakao);
        (config.social.naver.url, config.social.naver.api_url) = (naver.clone(), naver);
        config.social.kakao.client_secret = "x".into();
        config.social.naver.client_secret = "x".into();
    });
    let node = node.await;
    for provider in ["KAKAO", "NAVER"] {
        let way = start_at(&app, &node.url, None, provider, "SIGN_IN").await;
        let back = press(&app, &way, "allow", &MINA).await;
        let document = "mutation($input: SocialSignInInput!) { socialSignIn(input: $input) { isNew } }";
        let answer = app.query_at(&node.url, None, document, json!({ "input": input(&way, &back) })).await;
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert_eq!(
            (answer.code(), message),
            ("INTERNAL_SERVER_ERROR", "Something went wrong on our side."),
            "{provider}"
        );
    }
    assert_eq!(rows(&app).await, (0, 0));
    node.stop().await;
}

async fn a_provider_switched_off_in_between_says_so(app: TestApp) {
    let begun = agree(&app, "KAKAO", &MINA).await;
    let node = app.node("off", |config| config.social.kakao.url = "off".into()).await;
    let document = "mutation($input: SocialSignInInput!) { socialSignIn(input: $input) { userErrors { code path } } }";
    let answer = app.query_at(&node.url, None, document, json!({ "input": begun })).await;
    assert_eq!(user_error(&answer.data()["socialSignIn"]), "NOT_ALLOWED provider");
    node.stop().await;
}

async fn an_expired_code_begins_again(app: TestApp) {
    for provider in ["KAKAO", "NAVER"] {
        let payload = sign_in(&app, provider, &[("person", "3001"), ("fault", "expired_code")]).await;
        assert_eq!(user_error(&payload), "SOCIAL_EXPIRED");
    }
    assert_eq!(rows(&app).await, (0, 0));
}

async fn unavailable(app: &TestApp, url: &str, input: Value) {
    let document = "mutation($input: SocialSignInInput!) { socialSignIn(input: $input) { isNew userErrors { code } } }";
    let answer = app.query_at(url, None, document, json!({ "input": input })).await;
    assert_eq!(answer.code(), "INTERNAL_SERVER_ERROR", "{}", answer.body);
    let message = answer.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("Temporarily unavailable"), "{message}");
}

async fn a_provider_that_breaks_leaves_nothing_behind(app: TestApp) {
    for provider in ["KAKAO", "NAVER"] {
        for fault in ["token_error", "profile_error", "token_garbage", "profile_garbage", "profile_refused"] {
            let input = agree(&app, provider, &[("person", "3001"), ("fault", fault)]).await;
            unavailable(&app, &app.url, input).await;
        }
    }
    assert_eq!(rows(&app).await, (0, 0));
    assert_eq!(sign_in(&app, "KAKAO", &MINA).await["isNew"], true);
}

async fn a_provider_that_is_too_slow_is_unavailable(app: TestApp) {
    let node = app
        .node("impatient", |config| {
            config.social.kakao.timeout_seconds = 1;
            config.social.naver.timeout_seconds = 1;
        })
        .await;
    for (provider, fault) in [("KAKAO", "token_slow"), ("NAVER", "profile_slow")] {
        let way = start_at(&app, &node.url, None, provider, "SIGN_IN").await;
        let back = press(&app, &way, "allow", &[("person", "3001"), ("fault", fault)]).await;
        unavailable(&app, &way.base, input(&way, &back)).await;
    }
    assert_eq!(rows(&app).await, (0, 0));
    node.stop().await;
}

async fn a_provider_that_is_off_says_so(app: TestApp) {
    let node = app.node("off", |config| config.social.naver.url = "off".into()).await;
    let document = "mutation($input: SocialSignInStartInput!) { socialSignInStart(input: $input) { state userErrors { code path } } }";
    let input = json!({ "provider": "NAVER", "redirectUri": BACK });
    let answer = app.query_at(&node.url, None, document, json!({ "input": input })).await;
    assert_eq!(user_error(&answer.data()["socialSignInStart"]), "NOT_ALLOWED provider");
    let sandbox = app.http.get(format!("{}/sandbox/naver/oauth2.0/authorize", node.url)).send().await.unwrap();
    assert_eq!(sandbox.status(), 404);
    node.stop().await;
}

async fn the_sandboxes_refuse_like_the_real_ones(app: TestApp) {
    let kakao = format!("{}/sandbox/kakao/oauth/token", app.url);
    let good = [("grant_type", "authorization_code"), ("client_id", "sandbox-kakao"), ("client_secret", "SANDBOX")];
    for (changed, status, code) in [
        (("code", "unknown"), 400, "KOE320"),
        (("client_id", "x"), 400, "KOE101"),
        (("client_secret", "x"), 401, "KOE010"),
    ] {
        let mut form: Vec<_> = good.into_iter().filter(|(name, _)| *name != changed.0).collect();
        form.push(changed);
        let answer = app.http.post(&kakao).form(&form).send().await.unwrap();
        let (is, body) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
        assert_eq!((is, &body["error_code"]), (status, &json!(code)), "{changed:?}");
    }
    // Another address at the second step than at the first.
    let way = start(&app, None, "KAKAO", "SIGN_IN").await;
    let code = returned(&press(&app, &way, "allow", &MINA).await, "code").unwrap();
    let mut form = good.to_vec();
    form.extend([("code", code.as_str()), ("redirect_uri", "http://localhost:3000/other")]);
    let answer: Value = app.http.post(&kakao).form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error_code"], "KOE303");
    let me = app.http.get(format!("{}/sandbox/kakao/v2/user/me", app.url)).bearer_auth("x").send().await.unwrap();
    assert_eq!((me.status().as_u16(), me.json::<Value>().await.unwrap()["code"].clone()), (401, json!(-401)));
    let naver = format!("{}/sandbox/naver/oauth2.0/token", app.url);
    let form = [("grant_type", "authorization_code"), ("client_id", "sandbox-naver"), ("client_secret", "x")];
    let answer = app.http.post(naver).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"], "invalid_client");
}
