//! Slack's side of an alert.

use super::TestApp;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A webhook that answers what it is told to, then 200, and remembers what it got.
#[derive(Clone)]
pub struct Hook {
    pub url: String,
    got: Arc<Mutex<Vec<Value>>>,
    answers: Arc<Mutex<Vec<&'static str>>>,
}

impl Hook {
    pub async fn listen(app: &TestApp, answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/T0/B0/secret", listener.local_addr().unwrap());
        let hook = Self { url, got: Arc::default(), answers: Arc::new(Mutex::new(answers.to_vec())) };
        let (serving, stop) = (hook.clone(), app.app.shutdown.clone());
        app.app.tasks.spawn(async move {
            while let Some(Ok((mut stream, _))) = stop.run_until_cancelled(listener.accept()).await {
                let mut read = Vec::new();
                let body = loop {
                    let mut part = [0; 4_096];
                    let size = stream.read(&mut part).await.unwrap();
                    read.extend_from_slice(&part[..size]);
                    let text = String::from_utf8_lossy(&read).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head
                        .lines()
                        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                    if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                        assert!(head.starts_with("POST /services/T0/B0/secret "), "{head}");
                        break body.to_owned();
                    }
                };
                serving.got.lock().unwrap().push(serde_json::from_str(&body).unwrap());
                let answer = serving.answers.lock().unwrap().pop().unwrap_or("200 OK");
                let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        hook
    }

    pub fn got(&self) -> Vec<Value> {
        self.got.lock().unwrap().clone()
    }
}
