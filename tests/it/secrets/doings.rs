//! What people do that has a secret in it, once each.

use super::{ADMIN, Client, NEXT, WRONG};
use crate::harness::PASSWORD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use totp_rs::{Builder, Secret};

const SESSION: &str = "session { accessToken refreshToken }";

fn token(payload: &Value, name: &str) -> String {
    payload["session"][name].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

pub async fn everything(client: &mut Client) {
    let email = "mina@example.kr";
    let code = client.code("SIGN_UP").await;
    client.mutate(None, "signUp", SESSION, crate::harness::sign_up_input(email, &code, "USER")).await;
    client.mutate(None, "signIn", SESSION, json!({ "email": email, "password": WRONG })).await;
    let signed_in = client.mutate(None, "signIn", SESSION, json!({ "email": email, "password": PASSWORD })).await;
    let old = token(&signed_in, "refreshToken");
    client.mutate(None, "sessionRefresh", SESSION, json!({ "refreshToken": old })).await;
    client.mutate(None, "sessionRefresh", SESSION, json!({ "refreshToken": old })).await;
    let code = client.code("PASSWORD_RESET").await;
    let verify = json!({ "email": email, "emailCode": code, "purpose": "PASSWORD_RESET" });
    let verified = client.mutate(None, "emailCodeVerify", "resetToken", verify).await;
    let reset = json!({ "email": email, "resetToken": verified["resetToken"], "newPassword": NEXT[0] });
    assert_eq!(client.mutate(None, "passwordReset", "isReset", reset).await["isReset"], true);
    let signed_in = client.mutate(None, "signIn", SESSION, json!({ "email": email, "password": NEXT[0] })).await;
    let access = token(&signed_in, "accessToken");
    let change = json!({ "currentPassword": NEXT[0], "newPassword": NEXT[1] });
    let changed = client.mutate(Some(&access), "passwordChange", SESSION, change).await;
    let access = token(&changed, "accessToken");
    book(client, &access).await;
    listen(client, &access).await;
    let input = json!({ "email": "root@example.kr", "password": ADMIN });
    let admin = client.mutate(None, "adminSignIn", SESSION, input).await;
    let admin = token(&admin, "accessToken");
    client.ask(Some(&admin), "{ admin { email } }", json!({})).await;
    second_factor(client, &admin).await;
    keep_in_a_cookie(client).await;
    for provider in ["KAKAO", "NAVER"] {
        come_by(client, provider).await;
    }
    client.mutate(Some(&access), "signOut", "isSignedOut", json!({ "everywhere": true })).await;
    let refused = client.ask(Some(&access), "{ viewer { email } }", json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

/// Turned on, and passed once with a recovery code.
async fn second_factor(client: &mut Client, admin: &str) {
    let enrolled =
        client.mutate(Some(admin), "adminTotpEnroll", "secret otpauthUrl", json!({ "password": ADMIN })).await;
    let secret = enrolled["secret"].as_str().unwrap().to_owned();
    client.saw("second factor", &secret);
    let generator = Builder::new().with_secret(Secret::try_from_base32(&secret).unwrap()).build().unwrap();
    let code = generator.generate_current().to_string();
    client.saw("code", &code);
    let confirmed = client.mutate(Some(admin), "adminTotpConfirm", "recoveryCodes", json!({ "code": code })).await;
    let codes: Vec<String> = serde_json::from_value(confirmed["recoveryCodes"].clone()).unwrap();
    let input = json!({ "email": "root@example.kr", "password": ADMIN, "recoveryCode": codes[0] });
    codes.iter().for_each(|code| client.saw("recovery code", code));
    token(&client.mutate(None, "adminSignIn", SESSION, input).await, "accessToken");
}

async fn keep_in_a_cookie(client: &mut Client) {
    let mut cookie = String::new();
    let body = json!({ "email": "mina@example.kr", "password": NEXT[1] });
    for (path, body) in [("sign-in", body), ("refresh", json!({})), ("sign-out", json!({}))] {
        let request = client.http.post(format!("{}/session/{path}", client.url)).header("cookie", &cookie);
        let answer = request.header("origin", &client.url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        if path != "sign-out" {
            cookie = set.split(';').next().unwrap().to_owned();
            client.saw("cookie", cookie.split_once('=').unwrap().1);
            let body: Value = answer.json().await.unwrap();
            client.saw("access token", body["accessToken"].as_str().unwrap());
        }
    }
}

/// Through the provider's consent page.
async fn come_by(client: &mut Client, provider: &str) {
    let back = "http://localhost:3000/callback";
    let input = json!({ "provider": provider, "redirectUri": back, "purpose": "SIGN_IN" });
    let way = client.mutate(None, "socialSignInStart", "authorizeUrl state browserSecret", input).await;
    client.saw("browser's secret", way["browserSecret"].as_str().unwrap());
    let mut page: url::Url = way["authorizeUrl"].as_str().unwrap().parse().unwrap();
    let mut form: Vec<(String, String)> = page.query_pairs().into_owned().collect();
    form.extend([("press", "allow"), ("person", "3002")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    page.set_query(None);
    let pressed = client.http.post(page).form(&form).send().await.unwrap();
    let back: url::Url = pressed.headers()["location"].to_str().unwrap().parse().unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    client.saw("authorization code", &code);
    let input = json!({
        "provider": provider, "state": way["state"], "browserSecret": way["browserSecret"], "code": code,
    });
    token(&client.mutate(None, "socialSignIn", SESSION, input).await, "refreshToken");
}

/// Something of the demo world, paid for.
async fn book(client: &mut Client, access: &str) {
    let query = "{ events(first: 50) { nodes { id ticketTypes { id price } } } }";
    let events = client.ask(None, query, json!({})).await["data"]["events"]["nodes"].clone();
    for (number, event) in events.as_array().unwrap().iter().enumerate() {
        let lines = json!([{ "ticketTypeId": event["ticketTypes"][0]["id"], "quantity": 1 }]);
        let input = json!({
            "eventId": event["id"], "lines": lines, "idempotencyKey": format!("key-{number}"),
            "returnUrl": "http://localhost:3000/done",
        });
        let selection = "booking { status } payment { redirect { pcUrl } }";
        let payload = client.mutate(Some(access), "bookingStart", selection, input).await;
        if let Some(page) = payload["payment"]["redirect"]["pcUrl"].as_str() {
            let pressed = client.http.post(format!("{page}/approve")).form(&[("fault", "none")]).send().await.unwrap();
            let back = pressed.headers()["location"].to_str().unwrap().to_owned();
            let (_, pg_token) = back.split_once("pg_token=").unwrap();
            client.saw("pg_token", pg_token.split('&').next().unwrap());
            assert!(client.http.get(back).send().await.unwrap().status().is_redirection());
            return;
        }
    }
    panic!("nothing of the demo world can be paid for");
}

async fn listen(client: &Client, access: &str) {
    let mut request = format!("{}/graphql", client.url.replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let mut socket = connect_async(request).await.unwrap().0;
    let payload = json!({ "authorization": format!("Bearer {access}") });
    let init = json!({ "type": "connection_init", "payload": payload });
    socket.send(Message::text(init.to_string())).await.unwrap();
    let heard = socket.next().await.unwrap().unwrap();
    assert!(heard.to_text().unwrap().contains("connection_ack"), "{heard}");
    socket.close(None).await.unwrap();
}
