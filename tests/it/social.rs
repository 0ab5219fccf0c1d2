//! Kakao and Naver through the API and the sandbox providers.

use crate::harness::{PASSWORD, Person, TestApp, user_error};
use chrono::TimeDelta;
use serde_json::{Value, json};
use url::Url;

crate::scenarios![
    a_first_sign_in_makes_an_account_and_the_second_finds_it,
    the_page_has_what_a_browser_needs,
    two_first_sign_ins_at_once_make_one_account,
    a_state_works_once_and_for_ten_minutes,
    a_state_is_worthless_in_another_browser,
    a_state_is_worth_nothing_for_another_provider_or_purpose,
    one_persons_link_state_does_not_link_anothers_account,
    a_code_without_its_verifier_is_worthless,
    saying_no_and_other_errors_of_the_callback_are_told_apart,
    a_callback_that_is_none_of_the_providers_begins_again,
    a_provider_that_refuses_our_settings_is_a_fault_of_ours,
    a_provider_switched_off_in_between_says_so,
    a_link_that_outlives_its_account_is_not_made,
    an_expired_code_begins_again,
    a_provider_that_breaks_leaves_nothing_behind,
    a_provider_that_is_too_slow_is_unavailable,
    an_email_counts_only_if_it_is_verified,
    a_verified_email_with_an_account_is_sent_to_link,
    linking_opens_the_same_account_and_is_idempotent,
    a_token_alone_neither_links_nor_unlinks,
    without_a_password_a_link_takes_a_recent_sign_in,
    a_letter_tells_of_each_link_and_its_end,
    a_linked_account_cannot_be_linked_to_another,
    the_last_way_in_cannot_be_unlinked,
    two_unlinks_at_once_leave_one_way_in,
    a_link_with_a_provider_that_is_off_is_no_way_in,
    an_unlink_reaches_kakao_unless_it_was_linked_again,
    a_withdrawn_accounts_link_opens_a_new_account,
    browsers_are_sent_to_allowed_addresses_only,
    a_provider_that_is_off_says_so,
    starts_are_throttled_by_address,
    the_webhook_wants_the_key_and_knows_nobody,
    the_webhook_is_closed_while_kakao_is_off_or_has_no_key,
    the_webhook_removes_a_link_that_is_not_the_last_way_in,
    the_webhook_ends_the_sessions_of_who_has_no_other_way_in,
    the_webhook_ends_the_sessions_from_before_it_and_no_later_one,
    the_sandboxes_refuse_like_the_real_ones,
];

const BACK: &str = "http://localhost:3000/callback?next=1";
const SIGNED_IN: &str = "isNew session { accessToken refreshToken } viewer { email role user { id nickname } socialAccounts { provider email } }";

/// A way that has begun.
struct Way {
    base: String,
    provider: &'static str,
    authorize_url: Url,
    state: String,
    secret: String,
}

/// What the browser came back with.
fn returned(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn start(app: &TestApp, token: Option<&str>, provider: &'static str, purpose: &str) -> Way {
    start_at(app, &app.url, token, provider, purpose).await
}

async fn start_at(app: &TestApp, url: &str, token: Option<&str>, provider: &'static str, purpose: &str) -> Way {
    let document = "mutation($input: SocialSignInStartInput!) { socialSignInStart(input: $input) { authorizeUrl state \
                    browserSecret expiresAt userErrors { code path } } }";
    let mut input = json!({ "provider": provider, "redirectUri": BACK, "purpose": purpose });
    if purpose == "LINK" {
        input["currentPassword"] = json!(PASSWORD);
    }
    let answer = app.query_at(url, token, document, json!({ "input": input })).await;
    let payload = &answer.data()["socialSignInStart"];
    let text = |name: &str| payload[name].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned();
    let authorize_url = Url::parse(&text("authorizeUrl")).unwrap();
    Way { base: url.to_owned(), provider, authorize_url, state: text("state"), secret: text("browserSecret") }
}

/// Presses a button on the consent page; where the browser is sent.
async fn press(app: &TestApp, way: &Way, button: &str, more: &[(&str, &str)]) -> String {
    let mut form: Vec<(String, String)> = way.authorize_url.query_pairs().into_owned().collect();
    form.push(("press".into(), button.into()));
    form.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let mut page = way.authorize_url.clone();
    page.set_query(None);
    let pressed = app.http.post(page).form(&form).send().await.unwrap();
    assert_eq!(pressed.status(), 303);
    let back = pressed.headers()["location"].to_str().unwrap().to_owned();
    assert!(back.starts_with(BACK), "{back}");
    assert_eq!(returned(&back, "state").as_ref(), Some(&way.state));
    back
}

/// The input of the second step.
fn input(way: &Way, back: &str) -> Value {
    json!({
        "provider": way.provider, "state": way.state, "browserSecret": way.secret,
        "code": returned(back, "code"), "error": returned(back, "error"),
    })
}

async fn agree(app: &TestApp, provider: &'static str, more: &[(&str, &str)]) -> Value {
    let way = start(app, None, provider, "SIGN_IN").await;
    let back = press(app, &way, "allow", more).await;
    input(&way, &back)
}

async fn sign_in(app: &TestApp, provider: &'static str, more: &[(&str, &str)]) -> Value {
    let input = agree(app, provider, more).await;
    app.mutate(None, "socialSignIn", SIGNED_IN, input).await
}

fn person(payload: &Value) -> Person {
    Person::of("", payload)
}

async fn link(app: &TestApp, who: &Person, provider: &'static str, more: &[(&str, &str)]) -> Value {
    let way = start(app, Some(&who.token), provider, "LINK").await;
    let back = press(app, &way, "allow", more).await;
    let linked = "viewer { email socialAccounts { provider email } }";
    app.mutate(Some(&who.token), "socialAccountLink", linked, input(&way, &back)).await
}

async fn links(app: &TestApp, who: &Person) -> Vec<String> {
    let answer = app.query(Some(&who.token), "{ viewer { socialAccounts { provider } } }", json!({})).await;
    let found = answer.data()["viewer"]["socialAccounts"].as_array().unwrap().clone();
    found.iter().map(|link| link["provider"].as_str().unwrap().to_owned()).collect()
}

async fn unlink(app: &TestApp, who: &Person, provider: &str) -> Value {
    let input = json!({ "provider": provider, "currentPassword": PASSWORD });
    app.mutate(Some(&who.token), "socialAccountUnlink", "viewer { email }", input).await
}

/// People and links in the database.
async fn rows(app: &TestApp) -> (u64, u64) {
    use sea_orm::{EntityTrait, PaginatorTrait};
    let db = app.app.db.reads();
    let people = entity::user::Entity::find().count(db).await.unwrap();
    (people, entity::social_account::Entity::find().count(db).await.unwrap())
}

const MINA: [(&str, &str); 1] = [("person", "3001")];

async fn a_first_sign_in_makes_an_account_and_the_second_finds_it(app: TestApp) {
    for (provider, email) in [("KAKAO", json!("mina@example.kr")), ("NAVER", Value::Null)] {
        let first = sign_in(&app, provider, &MINA).await;
        assert_eq!((&first["isNew"], &first["viewer"]["email"]), (&json!(true), &email), "{first}");
        assert_eq!(first["viewer"]["role"], "USER");
        assert_eq!(first["viewer"]["user"]["nickname"], "김미나");
        assert_eq!(first["viewer"]["socialAccounts"], json!([{ "provider": provider, "email": email }]));
        let second = sign_in(&app, provider, &MINA).await;
        assert_eq!(second["isNew"], false, "{second}");
        assert_eq!(second["viewer"]["user"]["id"], first["viewer"]["user"]["id"]);
        assert_eq!(links(&app, &person(&second)).await, [provider]);
    }
    assert_eq!(rows(&app).await, (2, 2));
    let mut artist = agree(&app, "KAKAO", &[("person", "own"), ("nickname", "무대")]).await;
    artist["role"] = json!("ARTIST");
    let artist = app.mutate(None, "socialSignIn", SIGNED_IN, artist).await;
    assert_eq!(artist["viewer"]["role"], "ARTIST", "{artist}");
}

async fn the_page_has_what_a_browser_needs(app: TestApp) {
    for provider in ["KAKAO", "NAVER"] {
        let way = start(&app, None, provider, "SIGN_IN").await;
        let page = app.http.get(way.authorize_url.clone()).send().await.unwrap().text().await.unwrap();
        for (name, value) in way.authorize_url.query_pairs().filter(|(name, _)| name != "scope") {
            let value = value.replace('&', "&amp;");
            assert!(page.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{name} in {page}");
        }
        for word in ["동의하고 계속하기", "Deny", "김미나", "expired_code"] {
            assert!(page.contains(word), "{word}");
        }
    }
    let mut foreign = start(&app, None, "KAKAO", "SIGN_IN").await.authorize_url;
    foreign.set_query(Some("response_type=code&client_id=sandbox-kakao&state=x&redirect_uri=https://evil.example/"));
    assert_eq!(app.http.get(foreign).send().await.unwrap().status(), 400);
}

async fn two_first_sign_ins_at_once_make_one_account(app: TestApp) {
    let mut ways = Vec::new();
    for _ in 0..6 {
        ways.push(agree(&app, "KAKAO", &MINA).await);
    }
    let all = ways.into_iter().map(|input| app.mutate(None, "socialSignIn", SIGNED_IN, input));
    let all = futures_util::future::join_all(all).await;
    let ids: std::collections::HashSet<_> = all.iter().map(|it| it["viewer"]["user"]["id"].to_string()).collect();
    assert_eq!((ids.len(), rows(&app).await), (1, (1, 1)), "{all:?}");
    assert_eq!(all.iter().filter(|it| it["isNew"] == true).count(), 1);
}

async fn a_state_works_once_and_for_ten_minutes(app: TestApp) {
    let way = agree(&app, "KAKAO", &MINA).await;
    let twice = futures_util::future::join_all(
        [way.clone(), way].map(|input| app.mutate(None, "socialSignIn", SIGNED_IN, input)),
    )
    .await;
    let good = twice.iter().filter(|payload| payload["session"].is_object()).count();
    assert_eq!(good, 1, "{twice:?}");
    assert!(twice.iter().any(|payload| !payload["session"].is_object() && user_error(payload) == "SOCIAL_EXPIRED"));
    let way = start(&app, None, "KAKAO", "SIGN_IN").await;
    app.move_clock(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    let back = press(&app, &way, "allow", &MINA).await;
    let late = app.mutate(None, "socialSignIn", SIGNED_IN, input(&way, &back)).await;
    assert_eq!(user_error(&late), "SOCIAL_EXPIRED");
}

async fn a_state_is_worthless_in_another_browser(app: TestApp) {
    // Login CSRF: somebody's own code and state, in the browser of another.
    let (mine, theirs) = (agree(&app, "KAKAO", &MINA).await, agree(&app, "KAKAO", &[("person", "3002")]).await);
    let mut lured = theirs.clone();
    lured["browserSecret"] = mine["browserSecret"].clone();
    let payload = app.mutate(None, "socialSignIn", SIGNED_IN, lured).await;
    assert_eq!((user_error(&payload), rows(&app).await), ("SOCIAL_EXPIRED".to_owned(), (0, 0)));
    assert_eq!(user_error(&app.mutate(None, "socialSignIn", SIGNED_IN, theirs).await), "SOCIAL_EXPIRED");
    assert_eq!(app.mutate(None, "socialSignIn", SIGNED_IN, mine).await["isNew"], true);
}

async fn a_state_is_worth_nothing_for_another_provider_or_purpose(app: TestApp) {
    let fan = app.fan("mina").await;
    let mut other = agree(&app, "KAKAO", &MINA).await;
    other["provider"] = json!("NAVER");
    assert_eq!(user_error(&app.mutate(None, "socialSignIn", SIGNED_IN, other).await), "SOCIAL_EXPIRED");
    let sign_in = agree(&app, "KAKAO", &MINA).await;
    let linked = app.mutate(Some(&fan.token), "socialAccountLink", "viewer { email }", sign_in).await;
    assert_eq!(user_error(&linked), "SOCIAL_EXPIRED");
    let way = start(&app, Some(&fan.token), "KAKAO", "LINK").await;
    let back = press(&app, &way, "allow", &MINA).await;
    let entered = app.mutate(None, "socialSignIn", SIGNED_IN, input(&way, &back)).await;
    assert_eq!(user_error(&entered), "SOCIAL_EXPIRED");
    assert_eq!(rows(&app).await, (1, 0));
}

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

async fn a_code_without_its_verifier_is_worthless(app: TestApp) {
    let way = start(&app, None, "KAKAO", "SIGN_IN").await;
    assert_eq!(returned(way.authorize_url.as_str(), "code_challenge_method").as_deref(), Some("S256"));
    // A stolen code, put into a way of one's own.
    let stolen = returned(&press(&app, &way, "allow", &MINA).await, "code");
    let mut own = agree(&app, "KAKAO", &[("person", "3002")]).await;
    own["code"] = json!(stolen);
    let payload = app.mutate(None, "socialSignIn", SIGNED_IN, own).await;
    assert_eq!((user_error(&payload), rows(&app).await), ("SOCIAL_EXPIRED".to_owned(), (0, 0)));
    // Naver takes no PKCE, but wants the code's own state.
    let way = start(&app, None, "NAVER", "SIGN_IN").await;
    assert_eq!(returned(way.authorize_url.as_str(), "code_challenge"), None);
    let stolen = returned(&press(&app, &way, "allow", &MINA).await, "code");
    let mut own = agree(&app, "NAVER", &[("person", "3002")]).await;
    own["code"] = json!(stolen);
    assert_eq!(user_error(&app.mutate(None, "socialSignIn", SIGNED_IN, own).await), "SOCIAL_EXPIRED");
}

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

async fn an_email_counts_only_if_it_is_verified(app: TestApp) {
    for (nickname, fault, shown) in
        [("하나", "no_email", "하나"), ("둘", "unverified_email", "둘"), ("셋", "bare", "Guest")]
    {
        let form = [("person", "own"), ("nickname", nickname), ("email", "x@example.kr"), ("fault", fault)];
        let payload = sign_in(&app, "KAKAO", &form).await;
        assert_eq!((&payload["isNew"], &payload["viewer"]["email"]), (&json!(true), &Value::Null), "{payload}");
        assert_eq!(payload["viewer"]["user"]["nickname"], shown);
    }
    let long = "긴".repeat(40);
    let payload = sign_in(&app, "NAVER", &[("person", "own"), ("nickname", &long), ("email", "x@example.kr")]).await;
    assert_eq!(payload["viewer"]["email"], Value::Null);
    assert_eq!(payload["viewer"]["user"]["nickname"], "긴".repeat(20));
    let form = [("person", "own"), ("nickname", "넷"), ("email", "X@Example.kr")];
    assert_eq!(sign_in(&app, "KAKAO", &form).await["viewer"]["email"], "x@example.kr");
}

async fn a_verified_email_with_an_account_is_sent_to_link(app: TestApp) {
    let mina = app.fan("mina").await;
    let refused = sign_in(&app, "KAKAO", &MINA).await;
    assert_eq!((user_error(&refused), rows(&app).await), ("SOCIAL_LINK_REQUIRED".to_owned(), (1, 0)));
    assert_eq!(refused["session"], Value::Null);
    // Without its being verified, it is somebody else's word: a stranger with an account of their own.
    let stranger = sign_in(&app, "KAKAO", &[("person", "3001"), ("fault", "unverified_email")]).await;
    assert_eq!((&stranger["isNew"], &stranger["viewer"]["email"]), (&json!(true), &Value::Null));
    assert_eq!(links(&app, &mina).await, [""; 0]);
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

/// Whether the sandbox Kakao still knows them: a second unlink says -101.
async fn is_known_to_kakao(app: &TestApp, id: &str) -> bool {
    app.app.kv.get(&format!("sandbox-kakao-unlinked:{id}")).await.unwrap().is_none()
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

async fn a_withdrawn_accounts_link_opens_a_new_account(app: TestApp) {
    let first = sign_in(&app, "KAKAO", &MINA).await;
    let left = app.mutate(Some(&person(&first).token), "accountWithdraw", "isWithdrawn", json!({})).await;
    assert_eq!(left["isWithdrawn"], true, "{left}");
    assert_eq!(rows(&app).await, (1, 0));
    app.work().await;
    assert!(!is_known_to_kakao(&app, "3001").await);
    app.move_clock(TimeDelta::seconds(1));
    let second = sign_in(&app, "KAKAO", &MINA).await;
    assert_eq!((&second["isNew"], &second["viewer"]["email"]), (&json!(true), &json!("mina@example.kr")), "{second}");
    assert_ne!(second["viewer"]["user"]["id"], first["viewer"]["user"]["id"]);
    assert_eq!(rows(&app).await, (2, 1));
}

async fn browsers_are_sent_to_allowed_addresses_only(app: TestApp) {
    for address in [
        "https://evil.example/callback",
        "javascript:alert(1)",
        "http://localhost@evil.example/",
        "http://user@localhost:3000/",
        "http://localhost:3000/#here",
        "/callback",
        "",
    ] {
        let input = json!({ "provider": "KAKAO", "redirectUri": address });
        let payload = app.mutate(None, "socialSignInStart", "state authorizeUrl", input).await;
        assert_eq!(user_error(&payload), "INVALID redirectUri", "{address}");
    }
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

async fn starts_are_throttled_by_address(app: TestApp) {
    let start = || app.mutate(None, "socialSignInStart", "state", json!({ "provider": "NAVER", "redirectUri": BACK }));
    for _ in 0..95 {
        assert!(start().await["state"].is_string());
    }
    // Who gets through is no load on the others of the address.
    for _ in 0..6 {
        assert_eq!(sign_in(&app, "KAKAO", &MINA).await["userErrors"], json!([]));
    }
    for _ in 0..5 {
        assert!(start().await["state"].is_string());
    }
    assert_eq!(user_error(&start().await), "TOO_MANY_ATTEMPTS");
    app.move_clock(TimeDelta::minutes(16));
    assert!(start().await["state"].is_string());
}

async fn told(app: &TestApp, key: &str, id: &str) -> u16 {
    let url = format!("{}/webhooks/kakao/unlink", app.url);
    let form = [("app_id", "1"), ("user_id", id), ("referrer_type", "UNLINK_FROM_APPS")];
    let request = app.http.post(url).header("authorization", format!("KakaoAK {key}")).form(&form);
    request.send().await.unwrap().status().as_u16()
}

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
