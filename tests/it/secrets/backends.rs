//! Passwords of databases, of Redis and of mail servers, each asked for by one who then refuses it.

use super::{Server, spotlight};
use crate::mail::run;
use data_encoding::BASE64;
use serde_json::json;
use std::{fs::File, path::Path, process::Stdio};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

const SECRET: &str = "Backend-pass-4711";

/// Answers each message by `says`, and tells when it has heard the secret, plain or as mail has it.
#[expect(clippy::disallowed_methods, reason = "it ends with the test's own runtime")]
async fn refuser(greeting: &'static [u8], says: fn(&[u8]) -> &'static [u8]) -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, hearing) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let heard = heard.clone();
            tokio::spawn(async move {
                let _gone = stream.write_all(greeting).await;
                let mut message = vec![0; 4_096];
                while let Ok(count @ 1..) = stream.read(&mut message).await {
                    let message = message.get(..count).unwrap();
                    if secrets()
                        .iter()
                        .any(|secret| message.windows(secret.len()).any(|part| part == secret.as_bytes()))
                    {
                        let _full = heard.try_send(());
                    }
                    if stream.write_all(says(message)).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, hearing)
}

/// As it is, and as SMTP carries it.
fn secrets() -> [String; 2] {
    [SECRET.to_owned(), BASE64.encode(format!("\0me\0{SECRET}").as_bytes())]
}

fn postgres(message: &[u8]) -> &'static [u8] {
    // A password is asked for, in plain words; then it is wrong.
    if message.first() == Some(&b'p') { b"E\0\0\0\x1cSFATAL\0C28P01\0Mwrong\0\0\0\0" } else { b"R\0\0\0\x08\0\0\0\x03" }
}

fn redis(_: &[u8]) -> &'static [u8] {
    b"-WRONGPASS invalid username-password pair\r\n"
}

fn smtp(message: &[u8]) -> &'static [u8] {
    match message.get(..4) {
        Some(b"EHLO") => b"250-test\r\n250 AUTH PLAIN\r\n",
        Some(b"AUTH") => b"535 5.7.8 wrong\r\n",
        _ => b"250 fine\r\n",
    }
}

fn settings(data: &Path, setting: &str, url: &str) {
    let text = format!("log.filter = \"trace\"\ndemo = false\ndatabase.acquire_seconds = 1\n{setting} = \"{url}\"\n");
    std::fs::write(data.join("settings.toml"), text).unwrap();
}

fn check(data: &Path, what: &str) {
    let log = std::fs::read_to_string(data.join("log")).unwrap();
    assert!(!log.is_empty(), "{what}: nothing was logged");
    for secret in secrets() {
        assert!(!log.contains(&secret), "the password of {what} is in the log");
    }
}

pub fn no_password_of_a_backend_is_in_the_log() {
    run(async {
        let (port, mut heard) = refuser(b"", postgres).await;
        stopped("database.url", &format!("postgres://me:{SECRET}@127.0.0.1:{port}/x?sslmode=disable"));
        heard.try_recv().expect("the database was told the password");
        let (port, mut heard) = refuser(b"", redis).await;
        stopped("kv.url", &format!("redis://me:{SECRET}@127.0.0.1:{port}"));
        heard.try_recv().expect("Redis was told the password");
        let (port, heard) = refuser(b"220 test\r\n", smtp).await;
        mailing(&format!("smtp://me:{SECRET}@127.0.0.1:{port}"), heard).await;
    });
}

/// A server that cannot start.
fn stopped(setting: &str, url: &str) {
    let data = tempfile::tempdir().unwrap();
    settings(data.path(), setting, url);
    let mut command = spotlight(data.path());
    let log = File::create(data.path().join("log")).unwrap();
    let status = command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(log).status().unwrap();
    assert!(!status.success(), "{setting}: it starts");
    check(data.path(), setting);
}

/// A server whose letters nobody takes.
async fn mailing(url: &str, mut heard: mpsc::Receiver<()>) {
    let data = tempfile::tempdir().unwrap();
    settings(data.path(), "mail.url", url);
    let server = Server::start_as_set(data.path());
    let query = "mutation { emailCodeSend(input: { email: \"mina@example.kr\", purpose: SIGN_UP }) { isAccepted } }";
    let http = reqwest::Client::new();
    let sent = http.post(format!("{}/graphql", server.url)).json(&json!({ "query": query })).send().await.unwrap();
    assert!(sent.status().is_success());
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), heard.recv()).await;
    assert_eq!(told, Ok(Some(())), "the mail server was told the password");
    server.stop();
    check(data.path(), "mail.url");
}
