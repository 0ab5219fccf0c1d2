//! Signing up, in and out.

use crate::harness::{PASSWORD, Person, SESSION, TestApp, sign_up_input, user_error};
use chrono::TimeDelta;
use serde_json::{Value, json};

crate::scenarios![
    a_person_signs_up_in_refreshes_and_signs_out,
    a_wrong_code_is_refused_and_five_wrong_codes_end_it,
    a_code_is_good_for_five_minutes_and_once,
    a_taken_email_is_told_only_by_mail,
    bad_sign_up_fields_are_named_all_at_once,
    unknown_email_and_wrong_password_look_alike,
    too_many_failures_are_throttled,
    many_people_behind_one_address_sign_in,
    a_wrong_try_does_not_lengthen_the_life_of_a_code,
    a_refresh_token_used_twice_ends_the_family,
    signing_out_everywhere_ends_every_session,
    an_access_token_runs_out,
    forged_tokens_are_refused,
];

async fn viewer(app: &TestApp, token: &str) -> (u16, Value) {
    let answer = app.query(Some(token), "{ viewer { email role } }", json!({})).await;
    (answer.status, answer.body)
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> Value {
    app.mutate(None, "signIn", SESSION, json!({ "email": email, "password": password })).await
}

async fn refresh(app: &TestApp, token: &str) -> Value {
    let selection = "session { accessToken refreshToken }";
    app.mutate(None, "sessionRefresh", selection, json!({ "refreshToken": token })).await
}

async fn a_person_signs_up_in_refreshes_and_signs_out(app: TestApp) {
    let person = app.sign_up("mina", "ARTIST").await;
    let (_, body) = viewer(&app, &person.token).await;
    assert_eq!(body["data"]["viewer"], json!({ "email": "mina@example.kr", "role": "ARTIST" }));
    let again = Person::of(&person.email, &sign_in(&app, "MINA@example.kr", PASSWORD).await);
    let next = refresh(&app, &again.refresh_token).await;
    let token = next["session"]["accessToken"].as_str().unwrap();
    app.mutate(Some(token), "signOut", "isSignedOut", json!({})).await;
    assert_eq!(viewer(&app, token).await.0, 401);
    let ended = refresh(&app, next["session"]["refreshToken"].as_str().unwrap()).await;
    assert_eq!(user_error(&ended), "WRONG_CREDENTIALS refreshToken");
    assert_eq!(viewer(&app, &person.token).await.0, 200);
}

async fn a_wrong_code_is_refused_and_five_wrong_codes_end_it(app: TestApp) {
    let code = app.code_for("mina@example.kr").await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let payload = app.mutate(None, "signUp", SESSION, sign_up_input("mina@example.kr", wrong, "USER")).await;
        assert_eq!(user_error(&payload), "CODE_WRONG emailCode");
    }
    let payload = app.mutate(None, "signUp", SESSION, sign_up_input("mina@example.kr", &code, "USER")).await;
    assert_eq!(user_error(&payload), "CODE_EXPIRED emailCode");
}

async fn a_code_is_good_for_five_minutes_and_once(app: TestApp) {
    let code = app.code_for("mina@example.kr").await;
    app.pass(TimeDelta::minutes(5)).await;
    let payload = app.mutate(None, "signUp", SESSION, sign_up_input("mina@example.kr", &code, "USER")).await;
    assert_eq!(user_error(&payload), "CODE_EXPIRED emailCode");
    let code = app.code_for("jun@example.kr").await;
    app.pass(TimeDelta::minutes(5) - TimeDelta::seconds(1)).await;
    let sign_up = || app.mutate(None, "signUp", SESSION, sign_up_input("jun@example.kr", &code, "USER"));
    assert!(sign_up().await["session"].is_object());
    assert_eq!(user_error(&sign_up().await), "CODE_EXPIRED emailCode");
}

async fn a_taken_email_is_told_only_by_mail(app: TestApp) {
    let person = app.fan("mina").await;
    let input = json!({ "email": person.email, "purpose": "SIGN_UP" });
    let payload = app.mutate(None, "emailCodeSend", "isAccepted", input).await;
    assert_eq!(payload["isAccepted"], true);
    let mail = app.mail_to(&person.email).await;
    assert!(mail.contains("already has an account"), "{mail}");
}

async fn bad_sign_up_fields_are_named_all_at_once(app: TestApp) {
    let input = json!({
        "email": "no", "emailCode": "1", "password": "short", "nickname": "", "birthDate": "2099-01-01",
        "phoneNumber": "02-1", "location": "", "role": "USER",
    });
    let payload = app.mutate(None, "signUp", SESSION, input).await;
    let errors = crate::harness::errors_of(&payload).join(", ");
    for field in ["email", "password", "nickname", "birthDate", "phoneNumber", "location"] {
        assert!(errors.contains(field), "{field} in {errors}");
    }
}

async fn unknown_email_and_wrong_password_look_alike(app: TestApp) {
    app.fan("mina").await;
    let wrong = sign_in(&app, "mina@example.kr", "Wrong-1234").await;
    let unknown = sign_in(&app, "nobody@example.kr", "Wrong-1234").await;
    assert_eq!(wrong, unknown);
    assert_eq!(user_error(&wrong), "WRONG_CREDENTIALS");
}

async fn too_many_failures_are_throttled(app: TestApp) {
    app.fan("mina").await;
    for _ in 0..10 {
        sign_in(&app, "mina@example.kr", "Wrong-1234").await;
    }
    assert_eq!(user_error(&sign_in(&app, "mina@example.kr", PASSWORD).await), "TOO_MANY_ATTEMPTS");
    app.pass(TimeDelta::minutes(15)).await;
    assert!(sign_in(&app, "mina@example.kr", PASSWORD).await["session"].is_object());
}

async fn many_people_behind_one_address_sign_in(app: TestApp) {
    let fan = app.fan("mina").await;
    for _ in 0..110 {
        assert!(sign_in(&app, &fan.email, PASSWORD).await["session"].is_object());
    }
}

async fn a_wrong_try_does_not_lengthen_the_life_of_a_code(app: TestApp) {
    let code = app.code_for("mina@example.kr").await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    app.pass(TimeDelta::minutes(3)).await;
    let payload = app.mutate(None, "signUp", SESSION, sign_up_input("mina@example.kr", wrong, "USER")).await;
    assert_eq!(user_error(&payload), "CODE_WRONG emailCode");
    app.pass(TimeDelta::minutes(2)).await;
    let payload = app.mutate(None, "signUp", SESSION, sign_up_input("mina@example.kr", &code, "USER")).await;
    assert_eq!(user_error(&payload), "CODE_EXPIRED emailCode");
}

async fn a_refresh_token_used_twice_ends_the_family(app: TestApp) {
    let person = app.fan("mina").await;
    let next = refresh(&app, &person.refresh_token).await;
    assert_eq!(user_error(&refresh(&app, &person.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    let latest = next["session"]["refreshToken"].as_str().unwrap();
    assert_eq!(user_error(&refresh(&app, latest).await), "WRONG_CREDENTIALS refreshToken");
}

async fn signing_out_everywhere_ends_every_session(app: TestApp) {
    let person = app.fan("mina").await;
    app.pass(TimeDelta::seconds(1)).await;
    let other = Person::of(&person.email, &sign_in(&app, &person.email, PASSWORD).await);
    app.pass(TimeDelta::seconds(1)).await;
    app.mutate(Some(&other.token), "signOut", "isSignedOut", json!({ "everywhere": true })).await;
    assert_eq!(viewer(&app, &person.token).await.0, 401);
    assert_eq!(user_error(&refresh(&app, &person.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    app.pass(TimeDelta::seconds(1)).await;
    assert!(sign_in(&app, &person.email, PASSWORD).await["session"].is_object());
}

async fn an_access_token_runs_out(app: TestApp) {
    let person = app.fan("mina").await;
    app.pass(TimeDelta::minutes(14)).await;
    assert_eq!(viewer(&app, &person.token).await.0, 200);
    app.pass(TimeDelta::minutes(2)).await;
    let (status, body) = viewer(&app, &person.token).await;
    assert_eq!((status, body["errors"][0]["extensions"]["code"].as_str()), (401, Some("UNAUTHENTICATED")));
}

async fn forged_tokens_are_refused(app: TestApp) {
    let person = app.fan("mina").await;
    let parts: Vec<&str> = person.token.split('.').collect();
    let none = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
    let forged = [
        format!("{none}.{}.", parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86)),
        person.refresh_token.clone(),
        String::new(),
    ];
    for token in forged {
        assert_eq!(viewer(&app, &token).await.0, 401, "{token}");
    }
}
