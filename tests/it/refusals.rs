//! Refusals of the members' part, each of them once: what they have in common is a table.

use crate::harness::{Node, PASSWORD, Person, SESSION, TestApp, errors_of, sign_up_input, user_error};
use chrono::TimeDelta;
use serde_json::{Value, json};
use spotlight::{
    admin,
    auth::code::{self, Purpose},
    config::Config,
};

crate::scenarios![
    letters_with_codes_are_throttled_by_mailbox_and_by_address,
    wrong_codes_are_throttled_by_mailbox_and_by_address,
    sign_ins_are_throttled_by_address_and_a_browser_is_told_so,
    an_admins_proofs_are_throttled,
    first_codes_of_a_second_factor_are_throttled,
    a_right_code_for_a_taken_email_makes_no_account,
    what_is_a_members_is_no_admins,
    a_visitor_has_no_session_to_end,
    an_admins_account_is_made_and_reset_with_what_is_valid_only,
    a_reason_is_neither_blank_nor_endless,
    who_has_left_gets_no_role,
];

const TOO_MANY: &str = "TOO_MANY_ATTEMPTS";

/// A mutation's only user error, with its path; empty if there is none.
async fn refused(app: &TestApp, node: &Node, name: &str, kind: &str, input: Value) -> String {
    let document = format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code path }} }} }}");
    let answer = app.query_at(&node.url, None, &document, json!({ "input": input })).await;
    errors_of(&answer.data()[name]).join(", ")
}

async fn letters_with_codes_are_throttled_by_mailbox_and_by_address(app: TestApp) {
    let send = json!({ "email": "mina@example.kr", "purpose": "SIGN_UP" });
    let most = app.app.config.auth.throttle.codes_by_email;
    for number in 0..=most {
        let payload = app.mutate(None, "emailCodeSend", "isAccepted", send.clone()).await;
        let expected = if number < most { vec![] } else { vec![format!("{TOO_MANY} email")] };
        assert_eq!(errors_of(&payload), expected, "{number}");
    }
    let node = app.node("strict", |config| config.auth.throttle.codes_by_address = 5).await;
    // Five of this address were counted already.
    let other = json!({ "email": "jun@example.kr", "purpose": "PASSWORD_RESET" });
    assert_eq!(refused(&app, &node, "emailCodeSend", "EmailCodeSendInput", other.clone()).await, TOO_MANY);
    app.pass(TimeDelta::minutes(15)).await;
    assert_eq!(refused(&app, &node, "emailCodeSend", "EmailCodeSendInput", other).await, "");
    node.stop().await;
}

async fn wrong_codes_are_throttled_by_mailbox_and_by_address(app: TestApp) {
    type Limit = fn(&mut Config);
    let cases: [(&str, Limit, &str, &str); 2] = [
        (
            "by both",
            |config| config.auth.throttle.proofs_by_email_and_address = 3,
            "mina@example.kr",
            "mina@example.kr",
        ),
        ("by address", |config| config.auth.throttle.proofs_by_address = 3, "jun@example.kr", "bora@example.kr"),
    ];
    for (name, limit, first, last) in cases {
        let node = app.node(name, limit).await;
        let verify = |email: &str| {
            let input = json!({ "email": email, "emailCode": "000000", "purpose": "PASSWORD_RESET" });
            refused(&app, &node, "emailCodeVerify", "EmailCodeVerifyInput", input)
        };
        for _ in 0..3 {
            assert_eq!(verify(first).await, "CODE_EXPIRED emailCode");
        }
        assert_eq!(verify(last).await, TOO_MANY);
        // At a sign-up as well: it is the same count.
        let input = sign_up_input(last, "000000", "USER");
        assert_eq!(refused(&app, &node, "signUp", "SignUpInput", input).await, TOO_MANY);
        node.stop().await;
        app.pass(TimeDelta::minutes(15)).await;
    }
}

async fn sign_ins_are_throttled_by_address_and_a_browser_is_told_so(app: TestApp) {
    let node = app.node("strict", |config| config.auth.throttle.sign_in_by_address = 3).await;
    let sign_in = |name: &str| json!({ "email": format!("{name}@example.kr"), "password": "Wrong-1234" });
    for name in ["a", "b", "c"] {
        assert_eq!(refused(&app, &node, "signIn", "SignInInput", sign_in(name)).await, "WRONG_CREDENTIALS");
    }
    assert_eq!(refused(&app, &node, "signIn", "SignInInput", sign_in("d")).await, TOO_MANY);
    let request = app.http.post(format!("{}/session/sign-in", node.url)).header("origin", "http://localhost:3000");
    let answer = request.json(&sign_in("e")).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().get("set-cookie").is_none());
    let body = answer.text().await.unwrap();
    assert!(body.contains(TOO_MANY), "{body}");
    node.stop().await;
}

const KEEPER: &str = "keeper@example.kr";

async fn keeper(app: &TestApp) -> String {
    admin::create::create(&app.app, KEEPER, PASSWORD.to_owned()).await.unwrap();
    let input = json!({ "email": KEEPER, "password": PASSWORD });
    let payload = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    payload["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

async fn an_admins_proofs_are_throttled(app: TestApp) {
    let token = keeper(&app).await;
    let enroll =
        |password: &str| app.mutate(Some(&token), "adminTotpEnroll", "secret", json!({ "password": password }));
    for _ in 0..5 {
        assert_eq!(user_error(&enroll("Wrong-1234").await), "WRONG_CREDENTIALS password");
    }
    assert_eq!(user_error(&enroll(PASSWORD).await), format!("{TOO_MANY} password"));
    // Another deed, the same count.
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "Keeper-5678" });
    let payload = app.mutate(Some(&token), "adminPasswordChange", "session { accessToken }", change).await;
    assert_eq!(user_error(&payload), format!("{TOO_MANY} currentPassword"));
}

async fn first_codes_of_a_second_factor_are_throttled(app: TestApp) {
    let token = keeper(&app).await;
    app.mutate(Some(&token), "adminTotpEnroll", "secret", json!({ "password": PASSWORD })).await;
    let confirm = || app.mutate(Some(&token), "adminTotpConfirm", "recoveryCodes", json!({ "code": "not a code" }));
    for _ in 0..5 {
        assert_eq!(user_error(&confirm().await), "CODE_WRONG code");
    }
    assert_eq!(user_error(&confirm().await), format!("{TOO_MANY} code"));
}

async fn a_right_code_for_a_taken_email_makes_no_account(app: TestApp) {
    let fan = app.fan("mina").await;
    // No letter has it: the mailbox is told of the account instead.
    let nonce = code::begin(&app.app, Purpose::SignUp, &fan.email).await.unwrap();
    let digits = code::digits(&app.app, Purpose::SignUp, &fan.email, &nonce);
    let payload = app.mutate(None, "signUp", SESSION, sign_up_input(&fan.email, &digits, "USER")).await;
    assert_eq!((user_error(&payload), &payload["session"]), ("TAKEN email".to_owned(), &Value::Null));
}

async fn what_is_a_members_is_no_admins(app: TestApp) {
    let token = keeper(&app).await;
    for document in [
        "mutation { passwordChange(input: { currentPassword: \"x\", newPassword: \"Keeper-5678\" }) { userErrors { code } } }",
        "mutation { profileUpdate(input: { nickname: \"x\" }) { userErrors { code } } }",
        "mutation { accountWithdraw(input: { currentPassword: \"x\" }) { userErrors { code } } }",
        "mutation { socialAccountUnlink(input: { provider: KAKAO }) { userErrors { code } } }",
        "mutation { socialSignInStart(input: { provider: KAKAO, redirectUri: \"http://localhost:3000/\", purpose: LINK }) { \
         userErrors { code } } }",
    ] {
        assert_eq!(app.query(Some(&token), document, json!({})).await.code(), "FORBIDDEN", "{document}");
    }
}

async fn a_visitor_has_no_session_to_end(app: TestApp) {
    let documents = [
        "mutation { signOut(input: {}) { isSignedOut } }",
        "mutation { signOut(input: { everywhere: true }) { isSignedOut } }",
        "mutation { socialAccountUnlink(input: { provider: KAKAO }) { userErrors { code } } }",
    ];
    for document in documents {
        assert_eq!(app.query(None, document, json!({})).await.code(), "UNAUTHENTICATED", "{document}");
    }
}

async fn an_admins_account_is_made_and_reset_with_what_is_valid_only(app: TestApp) {
    admin::create::create(&app.app, KEEPER, PASSWORD.to_owned()).await.unwrap();
    for (email, password, expected) in [
        ("KEEPER@example.kr", PASSWORD, "Taken"),
        ("keeper", PASSWORD, "Invalid"),
        ("other@example.kr", "weak", "TooShort"),
        ("other@example.kr", "keeper-1234", "Invalid"),
    ] {
        let error = admin::create::create(&app.app, email, password.to_owned()).await.unwrap_err();
        assert!(format!("{error:?}").contains(expected), "{email}: {error:?}");
    }
    for (email, password, expected) in [(KEEPER, "weak", "TooShort"), ("nobody@example.kr", PASSWORD, "NotFound")] {
        let error = admin::reset::reset(&app.app, email, password.to_owned()).await.unwrap_err();
        assert!(format!("{error:?}").contains(expected), "{email}: {error:?}");
    }
    assert_eq!(admin::query::all(app.app.db.reads()).await.unwrap().len(), 1);
}

async fn a_reason_is_neither_blank_nor_endless(app: TestApp) {
    let token = keeper(&app).await;
    let id = |prefix: &str| format!("{prefix}_01h455vb4pex5vsknk084sn02q");
    for (reason, expected) in [(" \n ", "TOO_SHORT reason"), (&"가".repeat(501), "TOO_LONG reason")] {
        for (name, input) in [
            ("adminUserRoleChange", json!({ "userId": id("usr"), "role": "ARTIST", "reason": reason })),
            ("adminUserRemove", json!({ "userId": id("usr"), "reason": reason })),
            ("adminEventRemove", json!({ "eventId": id("evt"), "reason": reason })),
            ("adminReviewRemove", json!({ "reviewId": id("rev"), "reason": reason })),
        ] {
            let payload = app.mutate(Some(&token), name, "__typename", input).await;
            assert_eq!(user_error(&payload), expected, "{name}");
        }
    }
}

async fn who_has_left_gets_no_role(app: TestApp) {
    let (fan, token): (Person, String) = (app.fan("mina").await, keeper(&app).await);
    let user = spotlight::user::query::by_email(app.app.db.reads(), &fan.email).await.unwrap().unwrap();
    app.mutate(Some(&fan.token), "accountWithdraw", "isWithdrawn", json!({ "currentPassword": PASSWORD })).await;
    let input = json!({ "userId": user.id.to_string(), "role": "ARTIST", "reason": "asked" });
    let payload = app.mutate(Some(&token), "adminUserRoleChange", "user { role }", input).await;
    assert_eq!(user_error(&payload), "NOT_FOUND userId");
}
