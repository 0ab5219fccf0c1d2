//! Another email for an account, or its first one: by two proofs, and told to mailboxes only.

use super::{execute, quote};
use crate::harness::{PASSWORD, Person, SESSION, TestApp, user_error};
use chrono::TimeDelta;
use serde_json::{Value, json};

crate::scenarios![
    an_account_gets_another_email_by_two_proofs,
    an_account_without_an_email_gets_its_first_one,
    a_taken_email_is_told_to_its_mailbox_only,
];

/// The code that a mailbox was sent, to become an account's.
async fn change_code(app: &TestApp, email: &str) -> String {
    app.mutate(None, "emailCodeSend", "isAccepted", json!({ "email": email, "purpose": "EMAIL_CHANGE" })).await;
    app.mail_to(email).await.chars().filter(char::is_ascii_digit).take(6).collect()
}

async fn move_to(app: &TestApp, person: &Person, email: &str, code: &str, more: Value) -> Value {
    let mut input = json!({ "email": email, "emailCode": code });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.mutate(Some(&person.token), "emailChange", "viewer { email }", input).await
}

async fn an_account_gets_another_email_by_two_proofs(app: TestApp) {
    let fan = app.fan("mina").await;
    let (new, right) = ("bom@example.kr", json!({ "currentPassword": PASSWORD }));
    let code = change_code(&app, new).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for (email, code, proof, error) in [
        (new, code.as_str(), json!({}), "WRONG_CREDENTIALS currentPassword"),
        (new, wrong, right.clone(), "CODE_WRONG emailCode"),
        ("other@example.kr", code.as_str(), right.clone(), "CODE_EXPIRED emailCode"),
        ("no", code.as_str(), right.clone(), "INVALID email"),
    ] {
        assert_eq!(user_error(&move_to(&app, &fan, email, code, proof).await), error);
    }
    let done = move_to(&app, &fan, "Bom@Example.kr", &code, right.clone()).await;
    assert_eq!(done["viewer"], json!({ "email": new }), "{done}");
    assert!(app.mail_to(&fan.email).await.contains("The email of your account was changed"));
    assert_eq!(user_error(&move_to(&app, &fan, new, &code, right).await), "CODE_EXPIRED emailCode");
    for (email, is_in) in [(new, true), (fan.email.as_str(), false)] {
        let input = json!({ "email": email, "password": PASSWORD });
        assert_eq!(app.mutate(None, "signIn", SESSION, input).await["session"].is_object(), is_in, "{email}");
    }
    let document =
        "mutation { emailChange(input: { email: \"a@example.kr\", emailCode: \"1\" }) { viewer { email } } }";
    assert_eq!(app.query(None, document, json!({})).await.code(), "UNAUTHENTICATED");
    // The old one is free again.
    app.fan("mina").await;
}

async fn an_account_without_an_email_gets_its_first_one(app: TestApp) {
    let fan = app.fan("mina").await;
    let bare = "UPDATE \"user\" SET password_hash = NULL, email = NULL".replace('"', quote(&app));
    execute(&app, &bare).await;
    let code = change_code(&app, "bom@example.kr").await;
    let done = move_to(&app, &fan, "bom@example.kr", &code, json!({})).await;
    assert_eq!(done["viewer"], json!({ "email": "bom@example.kr" }), "{done}");
    // And a first password from there.
    app.mutate(None, "emailCodeSend", "isAccepted", json!({ "email": "bom@example.kr", "purpose": "PASSWORD_RESET" }))
        .await;
    let letter = app.mail_to("bom@example.kr").await;
    assert!(letter.contains("Your code for a new password"), "{letter}");
    app.move_clock(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    let code = change_code(&app, "other@example.kr").await;
    assert_eq!(user_error(&move_to(&app, &fan, "other@example.kr", &code, json!({})).await), "SIGN_IN_NOT_RECENT");
}

async fn a_taken_email_is_told_to_its_mailbox_only(app: TestApp) {
    use spotlight::auth::code::{self, Purpose};
    let (fan, other) = (app.fan("mina").await, app.fan("jun").await);
    let send = |email: &str| json!({ "email": email, "purpose": "EMAIL_CHANGE" });
    let taken = app.mutate(None, "emailCodeSend", "isAccepted", send(&other.email)).await;
    assert_eq!(taken, app.mutate(None, "emailCodeSend", "isAccepted", send("free@example.kr")).await);
    let letter = app.mail_to(&other.email).await;
    assert!(letter.contains("already has an account"), "{letter}");
    let right = json!({ "currentPassword": PASSWORD });
    let guess = |email: &'static str| move_to(&app, &fan, email, "no code", right.clone());
    assert_eq!(guess("jun@example.kr").await, guess("free@example.kr").await);
    // Only a code would tell, and none was sent.
    let nonce = code::begin(&app.app, Purpose::EmailChange, &other.email).await.unwrap();
    let digits = code::digits(&app.app, Purpose::EmailChange, &other.email, &nonce);
    assert_eq!(user_error(&move_to(&app, &fan, &other.email, &digits, right).await), "TAKEN email");
}
