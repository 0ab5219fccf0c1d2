//! Kakao tells that somebody unlinked there, or says that it is Kakao.

use super::{MINA, link, links, person, sign_in, told};
use crate::harness::{TestApp, user_error};
use chrono::TimeDelta;
use serde_json::json;

crate::scenarios![
    the_webhook_wants_the_key_and_knows_nobody,
    the_webhook_is_closed_while_kakao_is_off_or_has_no_key,
    the_webhook_removes_a_link_that_is_not_the_last_way_in,
    the_webhook_ends_the_sessions_of_who_has_no_other_way_in,
    the_webhook_ends_the_sessions_from_before_it_and_no_later_one,
];

async fn the_webhook_wants_the_key_and_knows_nobody(app: TestApp) {
    let fan = person(&sign_in(&app, "KAKAO", &MINA).await);
    let url = format!("{}/webhooks/kakao/unlink?app_id=1&user_id=3001&referrer_type=ACCOUNT_DELETE", app.url);
    assert_eq!(app.http.get(&url).send().await.unwrap().status(), 401);
    for key in ["", "wrong", "SANDBO", "SANDBOXX"] {
        assert_eq!(told(&app, key, "3001").await, 401, "{key}");
    }
    app.work().await;
    assert_eq!(links(&app, &fan).await, ["KAKAO"]);
    assert_eq!(told(&app, "SANDBOX", "999999").await, 200);
    for wrong in ["", "x", "12345678901234567890"] {
        assert_eq!(told(&app, "SANDBOX", wrong).await, 400, "{wrong}");
    }
    let by_get = app.http.get(url.replace("3001", "42")).header("authorization", "KakaoAK SANDBOX");
    assert_eq!(by_get.send().await.unwrap().status(), 200);
}

async fn the_webhook_is_closed_while_kakao_is_off_or_has_no_key(app: TestApp) {
    let off = app.node("off", |config| config.social.kakao.url = "off".into()).await;
    let bare = app.node("bare", |config| config.social.kakao.admin_key = String::new().into()).await;
    for (node, key) in [(&off, "SANDBOX"), (&bare, ""), (&bare, "SANDBOX")] {
        let url = format!("{}/webhooks/kakao/unlink?app_id=1&user_id=3001&referrer_type=ACCOUNT_DELETE", node.url);
        let answer = app.http.get(url).header("authorization", format!("KakaoAK {key}")).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{key:?}");
    }
    off.stop().await;
    bare.stop().await;
}

async fn the_webhook_removes_a_link_that_is_not_the_last_way_in(app: TestApp) {
    let mina = app.fan("mina").await;
    link(&app, &mina, "KAKAO", &MINA).await;
    // As a person does it: by the button in the sandbox.
    let form = [("person", "3001")];
    let pressed = app.http.post(format!("{}/sandbox/kakao/unlinked", app.url)).form(&form).send().await.unwrap();
    assert!(pressed.text().await.unwrap().contains("HTTP 200"));
    assert_eq!(told(&app, "SANDBOX", "3001").await, 200);
    app.work().await;
    assert_eq!(links(&app, &mina).await, [""; 0]);
    // Word that is older than the link does not end it.
    app.move_clock(TimeDelta::seconds(1));
    assert_eq!(told(&app, "SANDBOX", "3001").await, 200);
    app.move_clock(TimeDelta::seconds(1));
    link(&app, &mina, "KAKAO", &MINA).await;
    app.work().await;
    assert_eq!(links(&app, &mina).await, ["KAKAO"]);
}

async fn the_webhook_ends_the_sessions_of_who_has_no_other_way_in(app: TestApp) {
    let first = sign_in(&app, "KAKAO", &MINA).await;
    let who = person(&first);
    app.move_clock(TimeDelta::seconds(1));
    assert_eq!(told(&app, "SANDBOX", "3001").await, 200);
    app.pass(TimeDelta::seconds(1)).await;
    let answer = app.query(Some(&who.token), "{ viewer { email } }", json!({})).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED", "{}", answer.body);
    let refreshed =
        app.mutate(None, "sessionRefresh", "session { accessToken }", json!({ "refreshToken": who.refresh_token }));
    assert_eq!(user_error(&refreshed.await), "WRONG_CREDENTIALS refreshToken");
    app.move_clock(TimeDelta::seconds(1));
    let again = sign_in(&app, "KAKAO", &MINA).await;
    assert_eq!((&again["isNew"], &again["viewer"]["user"]["id"]), (&json!(false), &first["viewer"]["user"]["id"]));
    assert_eq!(links(&app, &person(&again)).await, ["KAKAO"]);
}

async fn the_webhook_ends_the_sessions_from_before_it_and_no_later_one(app: TestApp) {
    let mina = app.fan("mina").await;
    link(&app, &mina, "KAKAO", &MINA).await;
    let by_kakao = person(&sign_in(&app, "KAKAO", &MINA).await);
    app.move_clock(TimeDelta::seconds(1));
    assert_eq!(told(&app, "SANDBOX", "3001").await, 200);
    app.move_clock(TimeDelta::seconds(1));
    let later = app.sign_in_again(&mina).await;
    app.work().await;
    for (who, status) in [(&mina, 401), (&by_kakao, 401), (&later, 200)] {
        assert_eq!(app.query(Some(&who.token), "{ viewer { email } }", json!({})).await.status, status);
    }
    assert_eq!(links(&app, &later).await, [""; 0]);
    let letter = app.mail_to(&mina.email).await;
    assert!(letter.contains("Kakao was unlinked"), "{letter}");
}
