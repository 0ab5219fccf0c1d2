//! A mail server for tests that says what a test wants it to say, and remembers what it took.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What it took: to whom, and under which `Message-ID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub to: String,
    pub id: String,
}

/// How it behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Accepts connections and says nothing, until it is woken.
    pub is_asleep: bool,
    /// What it answers to `RCPT TO:<nobody@…>`.
    pub to_nobody: &'static str,
    /// Hangs up after each letter.
    pub is_brief: bool,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    taken: Vec<Taken>,
    held: usize,
    connections: usize,
    /// Every line but those of letters.
    said: Vec<String>,
}

pub struct SmtpServer {
    pub url: String,
    seen: Arc<Mutex<Seen>>,
    changed: watch::Sender<()>,
    awake: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl SmtpServer {
    #[expect(clippy::disallowed_methods, reason = "a server of its own, beside the one under test")]
    pub async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (seen, changed) = (Arc::new(Mutex::new(Seen::default())), watch::Sender::new(()));
        let awake = watch::Sender::new(!manners.is_asleep);
        let one = Connection { manners, seen: Arc::clone(&seen), changed: changed.clone(), awake: awake.subscribe() };
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(one.clone().serve(stream));
            }
        });
        Self { url, seen, changed, awake, accepting }
    }

    /// From now on it answers; those that it left waiting are hung up on.
    pub fn wake(&self) {
        self.awake.send_replace(true);
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.seen.lock().unwrap().taken.clone()
    }

    /// What it was told, line by line, but for letters.
    pub fn said(&self) -> Vec<String> {
        self.seen.lock().unwrap().said.clone()
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// How often each `Message-ID` came.
    pub fn counted(&self) -> HashMap<String, usize> {
        let mut counted = HashMap::new();
        for letter in &self.seen.lock().unwrap().taken {
            *counted.entry(letter.id.clone()).or_default() += 1;
        }
        counted
    }

    pub async fn until_taken(&self, least: usize) {
        self.until(|seen| seen.taken.len() >= least).await;
    }

    /// Until so many connections wait for a word.
    pub async fn until_held(&self, least: usize) {
        self.until(|seen| seen.held >= least).await;
    }

    async fn until(&self, is_so: impl Fn(&Seen) -> bool) {
        let mut changed = self.changed.subscribe();
        while !is_so(&self.seen.lock().unwrap()) {
            changed.changed().await.unwrap();
        }
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[derive(Clone)]
struct Connection {
    manners: Manners,
    seen: Arc<Mutex<Seen>>,
    changed: watch::Sender<()>,
    awake: watch::Receiver<bool>,
}

impl Connection {
    async fn serve(mut self, stream: TcpStream) {
        if !*self.awake.borrow() {
            self.note(|seen| seen.held += 1);
            // Then the stream is dropped.
            self.awake.wait_for(|is_awake| *is_awake).await.unwrap();
            return;
        }
        self.note(|seen| seen.connections += 1);
        // The client may hang up wherever it likes.
        let _ = self.talk(BufReader::new(stream)).await;
    }

    async fn talk(&self, mut stream: BufReader<TcpStream>) -> std::io::Result<()> {
        let (mut to, mut line) = (String::new(), String::new());
        stream.write_all(b"220 test\r\n").await?;
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let command = line.trim_end().to_uppercase();
            self.note(|seen| seen.said.push(line.trim_end().to_owned()));
            let answer = if command.starts_with("RCPT TO:<NOBODY@") {
                self.manners.to_nobody
            } else if command.starts_with("RCPT") {
                to = line.trim_end().to_owned();
                "250 ok"
            } else if command == "DATA" {
                stream.write_all(b"354 go on\r\n").await?;
                let id = letter(&mut stream).await?;
                self.note(|seen| seen.taken.push(Taken { to: std::mem::take(&mut to), id }));
                "250 taken"
            } else {
                "250 ok"
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
            if command == "QUIT" || (command == "DATA" && self.manners.is_brief) {
                return Ok(());
            }
        }
    }

    fn note(&self, what: impl FnOnce(&mut Seen)) {
        what(&mut self.seen.lock().unwrap());
        self.changed.send_replace(());
    }
}

/// Up to the dot; answers the `Message-ID`.
async fn letter(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let (mut id, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(id);
        }
        if let Some(value) = line.strip_prefix("Message-ID: ") {
            id = value.trim_end().to_owned();
        }
    }
}
