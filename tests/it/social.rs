//! Kakao and Naver through the API and the sandbox providers: the way there and back, and whose account it opens.

pub mod links;
pub mod provider;
pub mod webhook;

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
    a_code_without_its_verifier_is_worthless,
    an_email_counts_only_if_it_is_verified,
    a_verified_email_with_an_account_is_sent_to_link,
    a_withdrawn_accounts_link_opens_a_new_account,
    browsers_are_sent_to_allowed_addresses_only,
    starts_are_throttled_by_address,
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

/// Whether the sandbox Kakao still knows them: a second unlink says -101.
async fn is_known_to_kakao(app: &TestApp, id: &str) -> bool {
    app.app.kv.get(&format!("sandbox-kakao-unlinked:{id}")).await.unwrap().is_none()
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
