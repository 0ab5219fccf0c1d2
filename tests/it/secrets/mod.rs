//! The real binary with everything that it can log: no password, code, token or key is in there.

mod backends;
mod doings;

use crate::{harness::PASSWORD, mail::run};
pub use backends::no_password_of_a_backend_is_in_the_log;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
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
        Self::start_as_set(data)
    }

    /// By the settings that are there.
    fn start_as_set(data: &Path) -> Self {
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
        doings::everything(&mut client).await;
        server.stop();
        let logs = ["log", "log-admin"].map(|name| std::fs::read_to_string(data.path().join(name)).unwrap());
        assert!(logs[0].lines().count() > 20, "nothing was logged");
        assert!(logs[0].contains("\"level\":\"TRACE\""), "the filter is not as wide as it was set");
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
