//! What is tried with passwords, codes and reset tokens: who counts it, and what it costs.

use crate::harness::{PASSWORD, SESSION, TestApp, errors_of, sign_up_input, user_error};
use chrono::TimeDelta;
use futures_util::poll;
use serde_json::{Value, json};
use spotlight::{
    app::App,
    auth::{
        code::Purpose,
        reset_password::{ResetPassword, reset_password},
        reset_token,
        sign_in::sign_in as sign_in_from,
    },
};

crate::scenarios![
    an_email_that_looks_like_another_counter_counts_for_nobody_else,
    who_proved_wrongly_too_often_costs_no_hash,
    a_reset_with_both_proofs_or_none_costs_no_hash,
    a_stranger_who_guesses_codes_keeps_nobody_from_a_reset,
    a_stranger_who_guesses_codes_keeps_nobody_from_signing_up,
    a_new_password_ends_the_codes_and_tokens_before_it,
    a_new_code_ends_the_code_and_the_token_before_it,
    an_expired_or_used_code_is_exchanged_for_nothing,
    a_code_goes_to_addresses_alone,
    nobody_signs_up_as_an_admin,
    a_weak_password_is_refused_at_a_change,
    a_crowd_at_the_passwords_uses_up_neither_try_nor_code,
    of_a_crowd_those_who_were_sent_away_have_their_try_back,
    a_hash_of_another_cost_is_renewed_at_a_sign_in,
];

const NEW: &str = "Another-1234";

/// Asks for a code, and reads it.
async fn reset_code(app: &TestApp, email: &str) -> String {
    app.mutate(None, "emailCodeSend", "isAccepted", json!({ "email": email, "purpose": "PASSWORD_RESET" })).await;
    app.mail_to(email).await.chars().filter(char::is_ascii_digit).take(6).collect()
}

async fn reset(app: &TestApp, email: &str, proof: &str, value: &str) -> Value {
    let input = json!({ "email": email, proof: value, "newPassword": NEW });
    app.mutate(None, "passwordReset", "isReset", input).await
}

async fn an_email_that_looks_like_another_counter_counts_for_nobody_else(app: TestApp) {
    let person = app.fan("mina").await;
    let (home, away) = ("203.0.113.9".parse().ok(), "198.51.100.1".parse().ok());
    for typed in ["mina@example.kr 203.0.113.9", "203.0.113.9"] {
        for _ in 0..11 {
            sign_in_from(&app.app, typed, "Wrong-1234".to_owned(), away).await.unwrap_err();
        }
    }
    sign_in_from(&app.app, &person.email, PASSWORD.to_owned(), home).await.unwrap();
}

async fn who_proved_wrongly_too_often_costs_no_hash(app: TestApp) {
    let ask = async |number: usize| match number {
        0 => app.mutate(None, "signUp", SESSION, sign_up_input("jun@example.kr", "000000", "USER")).await,
        1 => reset(&app, "jun@example.kr", "emailCode", "000000").await,
        _ => reset(&app, "jun@example.kr", "resetToken", "no-token").await,
    };
    for number in 0..3 {
        let mut tries = 0;
        while user_error(&ask(number).await) != "TOO_MANY_ATTEMPTS" {
            tries += 1;
            assert!(tries <= 100, "{number} is tried for ever");
        }
        let before = app.app.passwords.runs();
        assert_eq!(user_error(&ask(number).await), "TOO_MANY_ATTEMPTS");
        assert_eq!(app.app.passwords.runs(), before, "{number}");
    }
}

async fn a_reset_with_both_proofs_or_none_costs_no_hash(app: TestApp) {
    let before = app.app.passwords.runs();
    for proof in [json!({}), json!({ "emailCode": "123456", "resetToken": "x" })] {
        let mut input = json!({ "email": "mina@example.kr", "newPassword": NEW });
        input.as_object_mut().unwrap().extend(proof.as_object().unwrap().clone());
        assert_eq!(user_error(&app.mutate(None, "passwordReset", "isReset", input).await), "INVALID emailCode");
    }
    assert_eq!(app.app.passwords.runs(), before);
}

/// Before any code was asked for, from very many places.
async fn guess_from_everywhere(app: &TestApp, purpose: Purpose, email: &str) {
    for number in 0..30 {
        let net = format!("2001:db8:0:{number:x}::1").parse().ok();
        let guessed = match purpose {
            Purpose::PasswordReset => reset_token::exchange(&app.app, email, purpose, "000000", net).await.map(|_| ()),
            Purpose::SignUp | Purpose::EmailChange => {
                let proof = spotlight::auth::proof::Proof::of_code(&app.app, email, net).await.unwrap();
                proof.redeem_code(&app.app, purpose, email, "000000").await
            }
        };
        assert!(guessed.unwrap_err().to_string().contains("CodeExpired"));
    }
}

async fn a_stranger_who_guesses_codes_keeps_nobody_from_a_reset(app: TestApp) {
    let person = app.fan("mina").await;
    guess_from_everywhere(&app, Purpose::PasswordReset, &person.email).await;
    let code = reset_code(&app, &person.email).await;
    assert_eq!(reset(&app, &person.email, "emailCode", &code).await["isReset"], true);
}

async fn a_stranger_who_guesses_codes_keeps_nobody_from_signing_up(app: TestApp) {
    guess_from_everywhere(&app, Purpose::SignUp, "mina@example.kr").await;
    app.fan("mina").await;
}

/// A reset token for a code.
async fn exchange(app: &TestApp, email: &str, code: &str) -> Value {
    let input = json!({ "email": email, "emailCode": code, "purpose": "PASSWORD_RESET" });
    app.mutate(None, "emailCodeVerify", "resetToken", input).await
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> Value {
    app.mutate(None, "signIn", SESSION, json!({ "email": email, "password": password })).await
}

async fn change(app: &TestApp, token: &str, new: &str) -> Value {
    let input = json!({ "currentPassword": PASSWORD, "newPassword": new });
    app.mutate(Some(token), "passwordChange", "session { accessToken }", input).await
}

async fn a_new_password_ends_the_codes_and_tokens_before_it(app: TestApp) {
    let person = app.fan("mina").await;
    let code = reset_code(&app, &person.email).await;
    let token = exchange(&app, &person.email, &code).await["resetToken"].as_str().unwrap().to_owned();
    assert!(change(&app, &person.token, "Third-12345").await["session"].is_object());
    assert_eq!(user_error(&reset(&app, &person.email, "resetToken", &token).await), "CODE_EXPIRED resetToken");
    let person = app.fan("jun").await;
    let code = reset_code(&app, &person.email).await;
    assert!(change(&app, &person.token, "Third-12345").await["session"].is_object());
    assert_eq!(user_error(&reset(&app, &person.email, "emailCode", &code).await), "CODE_EXPIRED emailCode");
    assert!(sign_in(&app, &person.email, "Third-12345").await["session"].is_object());
}

async fn a_new_code_ends_the_code_and_the_token_before_it(app: TestApp) {
    let person = app.fan("mina").await;
    let code = reset_code(&app, &person.email).await;
    let token = exchange(&app, &person.email, &code).await["resetToken"].as_str().unwrap().to_owned();
    let old = reset_code(&app, &person.email).await;
    assert_eq!(user_error(&reset(&app, &person.email, "resetToken", &token).await), "CODE_EXPIRED resetToken");
    app.pass(TimeDelta::seconds(1)).await;
    let new = reset_code(&app, &person.email).await;
    // One time in a million they are the same.
    let refused = if old == new { "wrong" } else { &old };
    assert_eq!(user_error(&reset(&app, &person.email, "emailCode", refused).await), "CODE_WRONG emailCode");
    assert_eq!(reset(&app, &person.email, "emailCode", &new).await["isReset"], true);
}

async fn an_expired_or_used_code_is_exchanged_for_nothing(app: TestApp) {
    let person = app.fan("mina").await;
    let code = reset_code(&app, &person.email).await;
    app.pass(TimeDelta::minutes(5)).await;
    assert_eq!(user_error(&exchange(&app, &person.email, &code).await), "CODE_EXPIRED emailCode");
    let code = reset_code(&app, &person.email).await;
    assert!(exchange(&app, &person.email, &code).await["resetToken"].is_string());
    assert_eq!(user_error(&exchange(&app, &person.email, &code).await), "CODE_EXPIRED emailCode");
}

async fn a_code_goes_to_addresses_alone(app: TestApp) {
    for email in ["", "mina", "mina@", "a b@example.kr", "mina@example.kr 203.0.113.9"] {
        for purpose in ["SIGN_UP", "PASSWORD_RESET"] {
            let input = json!({ "email": email, "purpose": purpose });
            let sent = app.mutate(None, "emailCodeSend", "isAccepted", input).await;
            assert_eq!(user_error(&sent), "INVALID email", "{email:?}");
        }
    }
    assert!(app.is_idle().await, "no letter is under way");
}

async fn nobody_signs_up_as_an_admin(app: TestApp) {
    let code = app.code_for("mina@example.kr").await;
    let document = "mutation($input: SignUpInput!) { signUp(input: $input) { viewer { role } } }";
    let input = sign_up_input("mina@example.kr", &code, "ADMIN");
    let refused = app.query(None, document, json!({ "input": input })).await;
    assert!(["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&refused.code()), "{}", refused.body);
    let input = sign_up_input("mina@example.kr", &code, "USER");
    let signed_up = app.query(None, document, json!({ "input": input })).await;
    assert_eq!(signed_up.data()["signUp"]["viewer"]["role"], "USER");
}

async fn a_weak_password_is_refused_at_a_change(app: TestApp) {
    let person = app.fan("mina").await;
    for weak in ["short1!", "spotlight1!", "Spotlight11", ""] {
        let errors = errors_of(&change(&app, &person.token, weak).await);
        assert!(!errors.is_empty() && errors.iter().all(|error| error.ends_with(" newPassword")), "{weak}: {errors:?}");
    }
    assert!(sign_in(&app, &person.email, PASSWORD).await["session"].is_object());
}

async fn a_crowd_at_the_passwords_uses_up_neither_try_nor_code(app: TestApp) {
    let person = app.fan("mina").await;
    let (new, code) = (app.code_for("jun@example.kr").await, reset_code(&app, &person.email).await);
    let crowd: Vec<_> = std::iter::from_fn(|| app.app.passwords.place().ok()).collect();
    let up = json!({ "input": sign_up_input("jun@example.kr", &new, "USER") });
    let back = json!({ "input": { "email": person.email, "emailCode": code, "newPassword": NEW } });
    let wrong = json!({ "input": { "email": person.email, "password": "Wrong-1234" } });
    let asked = [
        ("mutation($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }", up),
        ("mutation($input: PasswordResetInput!) { passwordReset(input: $input) { userErrors { code } } }", back),
        ("mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }", wrong),
    ];
    for (document, input) in asked {
        for _ in 0..25 {
            let answer = app.query(None, document, input.clone()).await;
            assert_eq!(answer.code(), "RATE_LIMITED", "{document}");
            assert!(answer.body["errors"][0]["extensions"]["retryAfter"].as_u64().unwrap() >= 1);
        }
    }
    drop(crowd);
    assert!(sign_in(&app, &person.email, PASSWORD).await["session"].is_object());
    assert_eq!(reset(&app, &person.email, "emailCode", &code).await["isReset"], true);
    let up = app.mutate(None, "signUp", SESSION, sign_up_input("jun@example.kr", &new, "USER")).await;
    assert!(up["session"].is_object(), "{up}");
}

/// Asked for while there is a place, and sent away when it is due: all were taken meanwhile. The node has one connection,
/// for which the first count waits.
async fn sent_away<T: std::fmt::Debug>(node: &App, asked: impl Future<Output = spotlight::Result<T>>) {
    let mut asked = std::pin::pin!(asked);
    let connection = node.db.begin().await.unwrap();
    assert!(poll!(&mut asked).is_pending(), "it had a place, and is about to count the try");
    let crowd: Vec<_> = std::iter::from_fn(|| node.passwords.place().ok()).collect();
    connection.rollback().await.unwrap();
    let answer = asked.await;
    assert!(matches!(answer, Err(spotlight::Error::Busy(_))), "{answer:?}");
    drop(crowd);
}

async fn of_a_crowd_those_who_were_sent_away_have_their_try_back(app: TestApp) {
    let person = app.fan("mina").await;
    let code = reset_code(&app, &person.email).await;
    let back = |email_code: Option<&str>, reset_token: Option<&str>| ResetPassword {
        email: person.email.clone(),
        email_code: email_code.map(str::to_owned),
        reset_token: reset_token.map(str::to_owned),
        new_password: NEW.to_owned(),
    };
    let narrow = app.node("narrow", |config| config.database.max_connections = 1).await;
    let node = &narrow.app;
    for _ in 0..11 {
        sent_away(node, sign_in_from(node, &person.email, PASSWORD.to_owned(), None)).await;
    }
    for _ in 0..21 {
        sent_away(node, reset_password(node, back(Some(&code), None), None)).await;
    }
    for _ in 0..101 {
        sent_away(node, reset_password(node, back(None, Some("no-token")), None)).await;
    }
    sign_in_from(&app.app, &person.email, PASSWORD.to_owned(), None).await.unwrap();
    reset_password(&app.app, back(Some(&code), None), None).await.unwrap();
    narrow.stop().await;
}

async fn a_hash_of_another_cost_is_renewed_at_a_sign_in(app: TestApp) {
    let person = app.fan("mina").await;
    let cost = async || {
        let user = spotlight::user::query::by_email(app.app.db.reads(), &person.email).await.unwrap().unwrap();
        user.password_hash.unwrap().0.split('$').nth(2).unwrap().to_owned()
    };
    let node = app.node("slower", |config| config.auth.bcrypt_cost = 5).await;
    let from = async |password: &str| sign_in_from(&node.app, &person.email, password.to_owned(), None).await;
    from("Wrong-1234").await.unwrap_err();
    assert_eq!(cost().await, "04");
    // Two at once: whoever is second finds another hash, of the same password.
    let both = tokio::join!(from(PASSWORD), from(PASSWORD));
    assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
    assert_eq!(cost().await, "05");
    assert!(sign_in(&app, &person.email, PASSWORD).await["session"].is_object());
    node.stop().await;
}
