//! The real binary with everything that it can log: no password, code, token or key is in there.

use crate::{harness::PASSWORD, mail::run};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

const KAKAOPAY: &str = "SECRETKEYOFTHISTEST0123456789";
const WRONG: &str = "Wrong-pass-777";
const NEXT: [&str; 2] = ["Second-pass-888", "Third-pass-999"];
const ADMIN: &str = "Admin-pass-555!";

/// Dies with the test.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have stopped by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(data: &Path) -> Self {
        let settings = format!(
            "log.filter = \"trace\"\nlog.format = \"json\"\nkakaopay.secret_key = \"{KAKAOPAY}\"\nauth.bcrypt_cost = 4\n"
        );
        std::fs::write(data.join("settings.toml"), settings).unwrap();
        admin(data);
        let child = spotlight(data)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(File::create(data.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self { child, url: String::new() };
        let lines = BufReader::new(server.child.stdout.take().unwrap()).lines();
        let ready = lines.map_while(Result::ok).find_map(|line| Some(line.split_once("ready at ")?.1.to_owned()));
        server.url = ready.expect("the server starts");
        server
    }

    /// It has written every line when it has ended.
    fn stop(mut self) {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

fn spotlight(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spotlight"));
    command.arg("--config").arg(data.join("settings.toml")).arg("--data-dir").arg(data.join("data"));
    command
}

fn admin(data: &Path) {
    let log = File::create(data.join("log-admin")).unwrap();
    let mut made = spotlight(data)
        .args(["admin", "create", "root@example.kr"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    made.stdin.take().unwrap().write_all(format!("{ADMIN}\n").as_bytes()).unwrap();
    assert!(made.wait().unwrap().success());
}

/// A client that remembers every secret that passed through it.
struct Client {
    url: String,
    http: reqwest::Client,
    letters: std::path::PathBuf,
    seen: Vec<(&'static str, String)>,
}

impl Client {
    async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let mut request = self.http.post(format!("{}/graphql", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap().json().await.unwrap()
    }

    async fn mutate(&mut self, token: Option<&str>, name: &str, selection: &str, input: Value) -> Value {
        let kind = format!("{}{}Input", name.get(..1).unwrap().to_uppercase(), name.get(1..).unwrap());
        let document = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code message path }} }} }}"
        );
        let answer = self.ask(token, &document, json!({ "input": input })).await;
        assert!(answer.get("errors").is_none(), "{name}: {answer}");
        let payload = answer["data"][name].clone();
        for (kind, place) in [
            ("access token", &payload["session"]["accessToken"]),
            ("refresh token", &payload["session"]["refreshToken"]),
            ("reset token", &payload["resetToken"]),
        ] {
            if let Some(secret) = place.as_str() {
                self.saw(kind, secret);
            }
        }
        payload
    }

    /// As a whole, and each part that would be worth something by itself.
    fn saw(&mut self, kind: &'static str, secret: &str) {
        self.seen.push((kind, secret.to_owned()));
        if let Some((_, last)) = secret.rsplit_once('.') {
            self.seen.push((kind, last.to_owned()));
        }
    }

    async fn code(&mut self, purpose: &str) -> String {
        let input = json!({ "email": "mina@example.kr", "purpose": purpose });
        let before = self.letters();
        self.mutate(None, "emailCodeSend", "isAccepted", input).await;
        let asked = std::time::Instant::now();
        // The server's worker sends it in its own time.
        while self.letters() == before {
            assert!(asked.elapsed() < Duration::from_secs(20), "no letter comes");
            tokio::task::yield_now().await;
        }
        let folder = self.letters.clone();
        let mut letters = spotlight::infra::mail::read::newest(&folder).unwrap();
        let letter = letters.find(|letter| letter.to == "mina@example.kr").unwrap();
        let code: String = letter.subject.chars().filter(char::is_ascii_digit).take(6).collect();
        assert_eq!(code.len(), 6, "{}", letter.subject);
        self.saw("code", &code);
        code
    }

    fn letters(&self) -> usize {
        spotlight::infra::mail::read::newest(&self.letters).unwrap().count()
    }
}

const SESSION: &str = "session { accessToken refreshToken }";

fn token(payload: &Value, name: &str) -> String {
    payload["session"][name].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

/// All that has a secret in it, once.
async fn everything(client: &mut Client) {
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
    client.ask(Some(&token(&admin, "accessToken")), "{ admin { email } }", json!({})).await;
    client.mutate(Some(&access), "signOut", "isSignedOut", json!({ "everywhere": true })).await;
    let refused = client.ask(Some(&access), "{ viewer { email } }", json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
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

/// Each private key, as somebody might print it.
fn keys(data: &Path) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    for entry in std::fs::read_dir(data.join("data/keys")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        // The seed of an Ed25519 key stands from the 17th byte on; the other key is nothing but secret.
        let secret = bytes.get(16..48).unwrap_or(&bytes);
        keys.extend(
            [BASE64.encode(secret), BASE64URL_NOPAD.encode(secret), HEXLOWER.encode(secret)].map(|s| ("key", s)),
        );
        keys.push(("key", format!("{secret:?}")));
    }
    assert!(keys.len() >= 8);
    keys
}

pub fn no_secret_is_in_the_log() {
    let data = tempfile::tempdir().unwrap();
    run(async {
        let server = Server::start(data.path());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let letters = data.path().join("data/mail");
        let mut client = Client { url: server.url.clone(), http, letters, seen: keys(data.path()) };
        for (kind, secret) in
            [("KakaoPay key", KAKAOPAY), ("password", PASSWORD), ("password", WRONG), ("password", ADMIN)]
        {
            client.saw(kind, secret);
        }
        NEXT.into_iter().for_each(|password| client.saw("password", password));
        everything(&mut client).await;
        server.stop();
        let logs = ["log", "log-admin"].map(|name| std::fs::read_to_string(data.path().join(name)).unwrap());
        assert!(logs[0].lines().count() > 20, "nothing was logged");
        assert!(logs[0].contains("\"level\":\"DEBUG\""), "the filter is not as wide as it was set");
        assert!(client.seen.len() > 30, "{}", client.seen.len());
        for (kind, secret) in &client.seen {
            for line in logs.iter().flat_map(|log| log.lines()) {
                assert!(!tells(line, kind, secret), "a {kind} ({secret}) is in the log: {line}");
            }
        }
    });
}

/// Six digits may stand in any number: those of a code count only by themselves.
fn tells(line: &str, kind: &str, secret: &str) -> bool {
    let mut found = line.match_indices(secret);
    if kind != "code" {
        return found.next().is_some();
    }
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    found.any(|(at, _)| {
        let (before, after) = line.split_at(at);
        !is_digit(before.chars().next_back()) && !is_digit(after.chars().nth(secret.len()))
    })
}
