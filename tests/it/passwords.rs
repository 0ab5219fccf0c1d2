//! New passwords: by a reset, and by a change.

use crate::harness::{PASSWORD, Person, SESSION, TestApp, errors_of, sign_up_input, user_error};
use chrono::TimeDelta;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::{Value, json};

crate::scenarios![
    a_code_lets_its_reader_choose_a_new_password,
    a_code_is_exchanged_for_a_token_that_works_once,
    a_reset_token_is_good_for_ten_minutes_and_its_own_mailbox,
    a_weak_new_password_uses_up_no_code,
    a_reset_takes_one_proof,
    a_code_of_another_purpose_is_refused,
    an_unknown_mailbox_is_answered_like_a_wrong_code,
    an_account_without_a_password_sets_its_first_one,
    a_change_ends_every_other_session,
    a_change_needs_the_old_password_and_is_throttled,
    guesses_are_counted_together_whatever_they_are_shown_for,
    a_change_is_for_members,
    a_right_code_of_nobody_sets_nothing,
    sign_in_works_the_same_for_known_and_unknown_emails,
    a_code_is_sent_with_the_same_work_for_known_and_unknown_emails,
    a_reset_works_the_same_for_known_and_unknown_emails,
    sign_up_works_the_same_for_known_and_unknown_emails,
    a_stranger_who_fails_on_purpose_locks_nobody_out,
    who_tries_too_often_is_told_when_to_come_back,
];

const NEW: &str = "Another-1234";

async fn reset_code(app: &TestApp, email: &str) -> String {
    app.mutate(None, "emailCodeSend", "isAccepted", json!({ "email": email, "purpose": "PASSWORD_RESET" })).await;
    app.mail_to(email).await.chars().filter(char::is_ascii_digit).take(6).collect()
}

fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

async fn reset(app: &TestApp, input: Value) -> Value {
    app.mutate(None, "passwordReset", "isReset", input).await
}

async fn verify(app: &TestApp, email: &str, code: &str) -> Value {
    let input = json!({ "email": email, "emailCode": code, "purpose": "PASSWORD_RESET" });
    app.mutate(None, "emailCodeVerify", "resetToken expiresAt", input).await
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> Value {
    app.mutate(None, "signIn", SESSION, json!({ "email": email, "password": password })).await
}

async fn refresh(app: &TestApp, token: &str) -> Value {
    app.mutate(None, "sessionRefresh", "session { accessToken }", json!({ "refreshToken": token })).await
}

async fn status(app: &TestApp, token: &str) -> u16 {
    app.query(Some(token), "{ viewer { email } }", json!({})).await.status
}

async fn a_code_lets_its_reader_choose_a_new_password(app: TestApp) {
    let person = app.fan("mina").await;
    app.pass(TimeDelta::seconds(1)).await;
    let code = reset_code(&app, &person.email).await;
    let payload = reset(&app, json!({ "email": person.email, "emailCode": code, "newPassword": NEW })).await;
    assert_eq!(payload["isReset"], true, "{payload}");
    assert!(app.mail_to(&person.email).await.contains("password was changed"));
    assert_eq!(status(&app, &person.token).await, 401);
    assert_eq!(user_error(&refresh(&app, &person.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    assert_eq!(user_error(&sign_in(&app, &person.email, PASSWORD).await), "WRONG_CREDENTIALS");
    assert!(sign_in(&app, &person.email, NEW).await["session"].is_object());
    let again = reset(&app, json!({ "email": person.email, "emailCode": code, "newPassword": NEW })).await;
    assert_eq!(user_error(&again), "CODE_EXPIRED emailCode");
}

async fn a_code_is_exchanged_for_a_token_that_works_once(app: TestApp) {
    let person = app.fan("mina").await;
    let code = reset_code(&app, &person.email).await;
    assert_eq!(user_error(&verify(&app, &person.email, wrong(&code)).await), "CODE_WRONG emailCode");
    let verified = verify(&app, &person.email, &code).await;
    let token = verified["resetToken"].as_str().unwrap();
    let by_code = reset(&app, json!({ "email": person.email, "emailCode": code, "newPassword": NEW })).await;
    assert_eq!(user_error(&by_code), "CODE_EXPIRED emailCode");
    let input = json!({ "email": person.email, "resetToken": token, "newPassword": NEW });
    assert_eq!(reset(&app, input.clone()).await["isReset"], true);
    assert_eq!(user_error(&reset(&app, input).await), "CODE_EXPIRED resetToken");
    assert!(sign_in(&app, &person.email, NEW).await["session"].is_object());
}

async fn a_reset_token_is_good_for_ten_minutes_and_its_own_mailbox(app: TestApp) {
    let (person, other) = (app.fan("mina").await, app.fan("jun").await);
    let verified = verify(&app, &person.email, &reset_code(&app, &person.email).await).await;
    let input = |email: &str| json!({ "email": email, "resetToken": verified["resetToken"], "newPassword": NEW });
    assert_eq!(user_error(&reset(&app, input(&other.email)).await), "CODE_EXPIRED resetToken");
    let weak = json!({ "email": person.email, "resetToken": verified["resetToken"], "newPassword": "weak" });
    assert!(errors_of(&reset(&app, weak).await).iter().all(|error| error.ends_with("newPassword")));
    app.pass(TimeDelta::minutes(10)).await;
    assert_eq!(user_error(&reset(&app, input(&person.email)).await), "CODE_EXPIRED resetToken");
}

async fn a_weak_new_password_uses_up_no_code(app: TestApp) {
    let person = app.fan("mina").await;
    let code = reset_code(&app, &person.email).await;
    for _ in 0..6 {
        let weak = reset(&app, json!({ "email": person.email, "emailCode": code, "newPassword": "spotlight" })).await;
        assert_eq!(user_error(&weak), "INVALID newPassword");
    }
    let payload = reset(&app, json!({ "email": person.email, "emailCode": code, "newPassword": NEW })).await;
    assert_eq!(payload["isReset"], true);
}

async fn a_reset_takes_one_proof(app: TestApp) {
    for proof in [json!({}), json!({ "emailCode": "123456", "resetToken": "x" })] {
        let mut input = json!({ "email": "mina@example.kr", "newPassword": NEW });
        input.as_object_mut().unwrap().extend(proof.as_object().unwrap().clone());
        assert_eq!(user_error(&reset(&app, input).await), "INVALID emailCode");
    }
    let input = json!({ "email": "mina@example.kr", "emailCode": "123456", "purpose": "SIGN_UP" });
    let payload = app.mutate(None, "emailCodeVerify", "resetToken", input).await;
    assert_eq!(user_error(&payload), "INVALID purpose");
}

async fn a_code_of_another_purpose_is_refused(app: TestApp) {
    let person = app.fan("mina").await;
    let code = reset_code(&app, &person.email).await;
    let payload = app.mutate(None, "signUp", SESSION, sign_up_input(&person.email, &code, "USER")).await;
    assert_eq!(user_error(&payload), "CODE_EXPIRED emailCode");
    let code = app.code_for("jun@example.kr").await;
    let payload = reset(&app, json!({ "email": "jun@example.kr", "emailCode": code, "newPassword": NEW })).await;
    assert_eq!(user_error(&payload), "CODE_EXPIRED emailCode");
}

async fn an_unknown_mailbox_is_answered_like_a_wrong_code(app: TestApp) {
    let person = app.fan("mina").await;
    let code = reset_code(&app, &person.email).await;
    let input = json!({ "email": "nobody@example.kr", "purpose": "PASSWORD_RESET" });
    app.mutate(None, "emailCodeSend", "isAccepted", input).await;
    let answer =
        async |email: &str| reset(&app, json!({ "email": email, "emailCode": wrong(&code), "newPassword": NEW })).await;
    assert_eq!(answer(&person.email).await, answer("nobody@example.kr").await);
}

async fn an_account_without_a_password_sets_its_first_one(app: TestApp) {
    let person = app.fan("mina").await;
    let db = app.app.db.reads();
    let row = spotlight::user::query::by_email(db, &person.email).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    row.password_hash = Set(None);
    row.update(db).await.unwrap();
    assert_eq!(user_error(&sign_in(&app, &person.email, PASSWORD).await), "WRONG_CREDENTIALS");
    let input = json!({ "currentPassword": "", "newPassword": NEW });
    let changed = app.mutate(Some(&person.token), "passwordChange", "session { accessToken }", input).await;
    assert_eq!(user_error(&changed), "WRONG_CREDENTIALS currentPassword");
    let code = reset_code(&app, &person.email).await;
    let payload = reset(&app, json!({ "email": person.email, "emailCode": code, "newPassword": NEW })).await;
    assert_eq!(payload["isReset"], true);
    assert!(sign_in(&app, &person.email, NEW).await["session"].is_object());
}

async fn a_change_ends_every_other_session(app: TestApp) {
    let here = app.fan("mina").await;
    let there = Person::of(&here.email, &sign_in(&app, &here.email, PASSWORD).await);
    app.pass(TimeDelta::seconds(1)).await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let selection = "session { accessToken refreshToken }";
    let changed = app.mutate(Some(&here.token), "passwordChange", selection, input).await;
    let next = Person::of(&here.email, &changed);
    assert!(app.mail_to(&here.email).await.contains("password was changed"));
    for old in [&here, &there] {
        assert_eq!(status(&app, &old.token).await, 401);
        assert_eq!(user_error(&refresh(&app, &old.refresh_token).await), "WRONG_CREDENTIALS refreshToken");
    }
    assert_eq!(status(&app, &next.token).await, 200);
    assert!(refresh(&app, &next.refresh_token).await["session"].is_object());
    assert!(sign_in(&app, &here.email, NEW).await["session"].is_object());
}

async fn a_change_needs_the_old_password_and_is_throttled(app: TestApp) {
    let person = app.fan("mina").await;
    let change = async |current: &str| {
        let input = json!({ "currentPassword": current, "newPassword": NEW });
        user_error(&app.mutate(Some(&person.token), "passwordChange", "session { accessToken }", input).await)
    };
    for _ in 0..5 {
        assert_eq!(change("Wrong-1234").await, "WRONG_CREDENTIALS currentPassword");
    }
    assert_eq!(change(PASSWORD).await, "TOO_MANY_ATTEMPTS currentPassword");
    assert!(sign_in(&app, &person.email, PASSWORD).await["session"].is_object());
}

/// Whatever a stolen token asks for with a guess, it is one budget of guesses.
async fn guesses_are_counted_together_whatever_they_are_shown_for(app: TestApp) {
    let person = app.fan("mina").await;
    let ask = async |name: &str, selection: &str, more: Value, password: &str| {
        let mut input = json!({ "currentPassword": password });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        user_error(&app.mutate(Some(&person.token), name, selection, input).await)
    };
    let change = async |password: &str| {
        ask("passwordChange", "session { accessToken }", json!({ "newPassword": NEW }), password).await
    };
    let leave = async |password: &str| ask("accountWithdraw", "isWithdrawn", json!({}), password).await;
    for _ in 0..2 {
        assert_eq!(change("Wrong-1234").await, "WRONG_CREDENTIALS currentPassword");
        assert_eq!(leave("Wrong-1234").await, "WRONG_CREDENTIALS currentPassword");
    }
    assert_eq!(change("Wrong-1234").await, "WRONG_CREDENTIALS currentPassword");
    assert_eq!(change(PASSWORD).await, "TOO_MANY_ATTEMPTS currentPassword");
    assert_eq!(leave(PASSWORD).await, "TOO_MANY_ATTEMPTS currentPassword");
    // The owner's own door is another counter, and stays open.
    assert!(sign_in(&app, &person.email, PASSWORD).await["session"].is_object());
}

async fn a_change_is_for_members(app: TestApp) {
    let document = "mutation { passwordChange(input: { currentPassword: \"a\", newPassword: \"Another-1234\" }) { \
                    session { accessToken } } }";
    assert_eq!(app.query(None, document, json!({})).await.code(), "UNAUTHENTICATED");
}

async fn a_right_code_of_nobody_sets_nothing(app: TestApp) {
    use spotlight::auth::code::{self, Purpose};
    let email = "nobody@example.kr";
    let nonce = code::begin(&app.app, Purpose::PasswordReset, email).await.unwrap();
    let digits = code::digits(&app.app, Purpose::PasswordReset, email, &nonce);
    let payload = reset(&app, json!({ "email": email, "emailCode": digits, "newPassword": NEW })).await;
    assert_eq!(user_error(&payload), "CODE_EXPIRED emailCode");
}

/// Statements (the key-value store's are among them) and runs of bcrypt: what the time of an answer is made of.
async fn work_of(app: &TestApp, asked: impl Future<Output = Value>) -> (u64, u64, Value) {
    let measure = || (app.app.db.statements(), app.app.passwords.runs());
    let before = measure();
    let answer = asked.await;
    let after = measure();
    (after.0 - before.0, after.1 - before.1, answer)
}

async fn sign_in_works_the_same_for_known_and_unknown_emails(app: TestApp) {
    app.fan("mina").await;
    for round in 0..3 {
        let known = work_of(&app, sign_in(&app, "mina@example.kr", "Wrong-1234")).await;
        let unknown = work_of(&app, sign_in(&app, "nobody@example.kr", "Wrong-1234")).await;
        assert_eq!(known, unknown, "round {round}");
        assert_eq!(known.1, 1);
    }
}

async fn a_code_is_sent_with_the_same_work_for_known_and_unknown_emails(app: TestApp) {
    app.fan("mina").await;
    for purpose in ["SIGN_UP", "PASSWORD_RESET"] {
        let send = |email: &'static str| {
            let input = json!({ "email": email, "purpose": purpose });
            app.mutate(None, "emailCodeSend", "isAccepted", input)
        };
        // The first letter of a window to a mailbox begins its count.
        send("nobody@example.kr").await;
        let known = work_of(&app, send("mina@example.kr")).await;
        let unknown = work_of(&app, send("nobody@example.kr")).await;
        assert_eq!(known, unknown, "{purpose}");
    }
}

async fn a_reset_works_the_same_for_known_and_unknown_emails(app: TestApp) {
    let person = app.fan("mina").await;
    let code = reset_code(&app, &person.email).await;
    let input = json!({ "email": "nobody@example.kr", "purpose": "PASSWORD_RESET" });
    app.mutate(None, "emailCodeSend", "isAccepted", input).await;
    app.work().await;
    for proof in [json!({ "emailCode": wrong(&code) }), json!({ "resetToken": "a".repeat(43) })] {
        let ask = |email: &str| {
            let mut input = json!({ "email": email, "newPassword": NEW });
            input.as_object_mut().unwrap().extend(proof.as_object().unwrap().clone());
            reset(&app, input)
        };
        let known = work_of(&app, ask(&person.email)).await;
        let unknown = work_of(&app, ask("nobody@example.kr")).await;
        assert_eq!(known, unknown, "{proof}");
        assert_eq!(known.1, 1);
    }
}

async fn sign_up_works_the_same_for_known_and_unknown_emails(app: TestApp) {
    let person = app.fan("mina").await;
    let code = app.code_for("nobody@example.kr").await;
    let input = json!({ "email": person.email, "purpose": "SIGN_UP" });
    app.mutate(None, "emailCodeSend", "isAccepted", input).await;
    app.work().await;
    let ask = |email: &str| app.mutate(None, "signUp", SESSION, sign_up_input(email, wrong(&code), "USER"));
    let known = work_of(&app, ask(&person.email)).await;
    let unknown = work_of(&app, ask("nobody@example.kr")).await;
    assert_eq!(known, unknown);
    assert_eq!(user_error(&known.2), "CODE_WRONG emailCode");
}

async fn a_stranger_who_fails_on_purpose_locks_nobody_out(app: TestApp) {
    use spotlight::auth::sign_in::sign_in as from;
    let person = app.fan("mina").await;
    let (home, away) = ("203.0.113.1".parse().ok(), "203.0.113.2".parse().ok());
    from(&app.app, &person.email, PASSWORD.to_owned(), home).await.unwrap();
    for number in 0..100 {
        let net = format!("2001:db8:0:{number:x}::1").parse().ok();
        from(&app.app, &person.email, "Wrong-1234".to_owned(), net).await.unwrap_err();
    }
    let refused = from(&app.app, &person.email, PASSWORD.to_owned(), away).await.unwrap_err().to_string();
    assert!(refused.contains("TooManyAttempts"), "{refused}");
    from(&app.app, &person.email, PASSWORD.to_owned(), home).await.unwrap();
}

async fn who_tries_too_often_is_told_when_to_come_back(app: TestApp) {
    for _ in 0..10 {
        sign_in(&app, "mina@example.kr", "Wrong-1234").await;
    }
    app.pass(TimeDelta::minutes(5)).await;
    let document = "mutation { signIn(input: { email: \"mina@example.kr\", password: \"Wrong-1234\" }) { userErrors { \
                    message ... on TooManyAttemptsError { retryAt } } } }";
    let answer = app.query(None, document, json!({})).await;
    let error = &answer.data()["signIn"]["userErrors"][0];
    assert_eq!(error["message"], "Too many attempts. Try again in 10 minutes.");
    let at: chrono::DateTime<chrono::Utc> = error["retryAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(at, app.now() + TimeDelta::minutes(10));
}
