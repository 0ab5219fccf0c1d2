//! What is tried with passwords, codes and reset tokens: who counts it, and what it costs.

use crate::harness::{PASSWORD, SESSION, TestApp, sign_up_input, user_error};
use serde_json::{Value, json};
use spotlight::auth::{code::Purpose, reset_token, sign_in::sign_in as sign_in_from};

crate::scenarios![
    an_email_that_looks_like_another_counter_counts_for_nobody_else,
    who_proved_wrongly_too_often_costs_no_hash,
    a_reset_with_both_proofs_or_none_costs_no_hash,
    a_stranger_who_guesses_codes_keeps_nobody_from_a_reset,
    a_stranger_who_guesses_codes_keeps_nobody_from_signing_up,
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
            Purpose::SignUp => {
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
