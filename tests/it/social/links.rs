//! Linking a provider to an account that is there, and unlinking it: what it takes, who hears of it, and never the last way in.

use super::{BACK, MINA, input, is_known_to_kakao, link, links, person, press, rows, sign_in, start, told, unlink};
use crate::harness::{PASSWORD, Person, TestApp, user_error};
use chrono::TimeDelta;
use serde_json::{Value, json};

crate::scenarios![
    one_persons_link_state_does_not_link_anothers_account,
    a_link_that_outlives_its_account_is_not_made,
    linking_opens_the_same_account_and_is_idempotent,
    a_token_alone_neither_links_nor_unlinks,
    without_a_password_a_link_takes_a_recent_sign_in,
    a_letter_tells_of_each_link_and_its_end,
    a_linked_account_cannot_be_linked_to_another,
    the_last_way_in_cannot_be_unlinked,
    two_unlinks_at_once_leave_one_way_in,
    a_link_with_a_provider_that_is_off_is_no_way_in,
    an_unlink_reaches_kakao_unless_it_was_linked_again,
];

async fn one_persons_link_state_does_not_link_anothers_account(app: TestApp) {
    let (mina, thief) = (app.fan("mina").await, app.fan("thief").await);
    let way = start(&app, Some(&thief.token), "KAKAO", "LINK").await;
    let back = press(&app, &way, "allow", &MINA).await;
    let lured = app.mutate(Some(&mina.token), "socialAccountLink", "viewer { email }", input(&way, &back)).await;
    assert_eq!((user_error(&lured), rows(&app).await.1), ("SOCIAL_EXPIRED".to_owned(), 0));
    let document =
        "mutation($input: SocialAccountLinkInput!) { socialAccountLink(input: $input) { userErrors { code } } }";
    let visitor = app.query(None, document, json!({ "input": input(&way, &back) })).await;
    assert_eq!(visitor.code(), "UNAUTHENTICATED");
    let document = "mutation($input: SocialSignInStartInput!) { socialSignInStart(input: $input) { state } }";
    let start = json!({ "provider": "KAKAO", "redirectUri": BACK, "purpose": "LINK" });
    assert_eq!(app.query(None, document, json!({ "input": start })).await.code(), "UNAUTHENTICATED");
}

async fn a_link_that_outlives_its_account_is_not_made(app: TestApp) {
    let mina = app.fan("mina").await;
    let way = start(&app, Some(&mina.token), "KAKAO", "LINK").await;
    let back = press(&app, &way, "allow", &MINA).await;
    // Erased, and the key-value store was away before a session was ended.
    let db = &app.app.db;
    let row = spotlight::user::query::by_email(db.reads(), &mina.email).await.unwrap().unwrap();
    let txn = db.begin().await.unwrap();
    let locked = spotlight::user::withdraw::lock(&txn, row.id).await.unwrap().unwrap();
    spotlight::user::withdraw::erase::erase(&txn, &app.app, &locked).await.unwrap();
    txn.commit().await.unwrap();
    let document =
        "mutation($input: SocialAccountLinkInput!) { socialAccountLink(input: $input) { viewer { email } } }";
    let answer = app.query(Some(&mina.token), document, json!({ "input": input(&way, &back) })).await;
    assert_eq!((answer.code(), rows(&app).await.1), ("UNAUTHENTICATED", 0));
}

async fn linking_opens_the_same_account_and_is_idempotent(app: TestApp) {
    let mina = app.fan("mina").await;
    for provider in ["KAKAO", "NAVER", "KAKAO"] {
        let payload = link(&app, &mina, provider, &MINA).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        let entered = sign_in(&app, provider, &MINA).await;
        assert_eq!((&entered["isNew"], &entered["viewer"]["email"]), (&json!(false), &json!(mina.email)));
    }
    assert_eq!(links(&app, &mina).await, ["KAKAO", "NAVER"]);
    let second = link(&app, &mina, "KAKAO", &[("person", "3002")]).await;
    assert_eq!(user_error(&second), "NOT_ALLOWED provider");
    assert_eq!(rows(&app).await, (1, 2));
}

async fn begin_link(app: &TestApp, who: &Person, more: Value) -> Value {
    let mut input = json!({ "provider": "KAKAO", "redirectUri": BACK, "purpose": "LINK" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.mutate(Some(&who.token), "socialSignInStart", "state authorizeUrl", input).await
}

async fn a_token_alone_neither_links_nor_unlinks(app: TestApp) {
    let mina = app.fan("mina").await;
    link(&app, &mina, "NAVER", &MINA).await;
    for wrong in [json!({}), json!({ "currentPassword": "Wrong-1234" })] {
        let begun = begin_link(&app, &mina, wrong.clone()).await;
        assert_eq!((user_error(&begun), &begun["state"]), ("WRONG_CREDENTIALS currentPassword".into(), &Value::Null));
        let mut input = json!({ "provider": "NAVER" });
        input.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let ended = app.mutate(Some(&mina.token), "socialAccountUnlink", "viewer { email }", input).await;
        assert_eq!(user_error(&ended), "WRONG_CREDENTIALS currentPassword");
    }
    assert_eq!(links(&app, &mina).await, ["NAVER"]);
    begin_link(&app, &mina, json!({ "currentPassword": "Wrong-1234" })).await;
    let right = json!({ "currentPassword": PASSWORD });
    assert_eq!(user_error(&begin_link(&app, &mina, right).await), "TOO_MANY_ATTEMPTS currentPassword");
}

async fn without_a_password_a_link_takes_a_recent_sign_in(app: TestApp) {
    let who = person(&sign_in(&app, "NAVER", &MINA).await);
    app.move_clock(TimeDelta::minutes(10));
    assert!(begin_link(&app, &who, json!({})).await["state"].is_string());
    app.move_clock(TimeDelta::seconds(1));
    assert_eq!(user_error(&begin_link(&app, &who, json!({})).await), "SIGN_IN_NOT_RECENT");
    assert_eq!(user_error(&unlink(&app, &who, "NAVER").await), "SIGN_IN_NOT_RECENT");
    let again = person(&sign_in(&app, "NAVER", &MINA).await);
    assert!(begin_link(&app, &again, json!({})).await["state"].is_string());
}

async fn a_letter_tells_of_each_link_and_its_end(app: TestApp) {
    let mina = app.fan("mina").await;
    link(&app, &mina, "KAKAO", &MINA).await;
    let letter = app.mail_to(&mina.email).await;
    assert!(letter.contains("Kakao was linked to your account"), "{letter}");
    app.move_clock(TimeDelta::seconds(1));
    unlink(&app, &mina, "KAKAO").await;
    let letter = app.mail_to(&mina.email).await;
    assert!(letter.contains("Kakao was unlinked from your account"), "{letter}");
    app.mutate(Some(&mina.token), "profileUpdate", "viewer { email }", json!({ "language": "KO" })).await;
    app.move_clock(TimeDelta::seconds(1));
    link(&app, &mina, "NAVER", &MINA).await;
    let letter = app.mail_to(&mina.email).await;
    assert!(letter.contains("네이버 로그인이 연결되었습니다"), "{letter}");
}

async fn a_linked_account_cannot_be_linked_to_another(app: TestApp) {
    let (first, second) = (app.fan("one").await, app.fan("two").await);
    link(&app, &first, "KAKAO", &MINA).await;
    assert_eq!(user_error(&link(&app, &second, "KAKAO", &MINA).await), "TAKEN provider");
    assert_eq!(links(&app, &second).await, [""; 0]);
    assert_eq!(sign_in(&app, "KAKAO", &MINA).await["viewer"]["email"], json!(first.email));
}

async fn the_last_way_in_cannot_be_unlinked(app: TestApp) {
    let naver = person(&sign_in(&app, "NAVER", &MINA).await);
    assert_eq!(user_error(&unlink(&app, &naver, "NAVER").await), "NOT_ALLOWED provider");
    assert_eq!(user_error(&unlink(&app, &naver, "KAKAO").await), "NOT_FOUND provider");
    link(&app, &naver, "KAKAO", &MINA).await;
    assert_eq!(unlink(&app, &naver, "NAVER").await["userErrors"], json!([]));
    assert_eq!(links(&app, &naver).await, ["KAKAO"]);
    assert_eq!(user_error(&unlink(&app, &naver, "KAKAO").await), "NOT_ALLOWED provider");
    // With a password there is always a way in.
    let mina = app.fan("haneul").await;
    link(&app, &mina, "NAVER", &[("person", "3002")]).await;
    assert_eq!(unlink(&app, &mina, "NAVER").await["userErrors"], json!([]));
    let back = json!({ "email": mina.email, "password": PASSWORD });
    assert!(app.mutate(None, "signIn", "session { accessToken }", back).await["session"].is_object());
}

async fn two_unlinks_at_once_leave_one_way_in(app: TestApp) {
    let who = person(&sign_in(&app, "NAVER", &MINA).await);
    link(&app, &who, "KAKAO", &MINA).await;
    let both = futures_util::future::join_all(["KAKAO", "NAVER"].map(|provider| unlink(&app, &who, provider))).await;
    assert_eq!(both.iter().filter(|payload| payload["userErrors"] == json!([])).count(), 1, "{both:?}");
    assert_eq!(links(&app, &who).await.len(), 1);
}

async fn a_link_with_a_provider_that_is_off_is_no_way_in(app: TestApp) {
    let who = person(&sign_in(&app, "KAKAO", &MINA).await);
    link(&app, &who, "NAVER", &MINA).await;
    let node = app.node("off", |config| config.social.naver.url = "off".into()).await;
    let document = "mutation { socialAccountUnlink(input: { provider: KAKAO }) { userErrors { code path } } }";
    let answer = app.query_at(&node.url, Some(&who.token), document, json!({})).await;
    assert_eq!(user_error(&answer.data()["socialAccountUnlink"]), "NOT_ALLOWED provider");
    // Kakao's own word does not lock the person out either.
    assert_eq!(told(&app, "SANDBOX", "3001").await, 200);
    while spotlight::infra::jobs::run_due(&node.app).await.unwrap() > 0 {}
    assert_eq!(rows(&app).await, (1, 2));
    node.stop().await;
}

async fn an_unlink_reaches_kakao_unless_it_was_linked_again(app: TestApp) {
    let mina = app.fan("mina").await;
    for is_linked_again in [false, true] {
        link(&app, &mina, "KAKAO", &MINA).await;
        assert_eq!(unlink(&app, &mina, "KAKAO").await["userErrors"], json!([]));
        if is_linked_again {
            link(&app, &mina, "KAKAO", &MINA).await;
        }
        app.work().await;
        assert_eq!(is_known_to_kakao(&app, "3001").await, is_linked_again);
    }
}
