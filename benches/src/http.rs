//! A client of HTTP/1.1 that costs next to nothing itself: a request is bytes made beforehand, an answer is read by its
//! length, on a connection that is kept.

use crate::Result;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// A request, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub struct Request(Arc<[u8]>);

impl Request {
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes().into())
    }

    /// The same of somebody who is signed in.
    #[must_use]
    pub fn graphql_of(token: &str, query: &str, variables: &serde_json::Value) -> Self {
        let Self(bytes) = Self::graphql(query, variables);
        let (line, rest) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        Self([line, format!("authorization: Bearer {token}\r\n").as_bytes(), rest].concat().into())
    }

    /// The same with other letters in a place that is as long, the last one of these.
    #[must_use]
    pub fn with(&self, old: &str, new: &str) -> Self {
        let mut copy: Arc<[u8]> = Arc::from(&*self.0);
        let place = self.0.windows(old.len()).rposition(|part| part == old.as_bytes());
        let part = place.zip(Arc::get_mut(&mut copy));
        if let Some(part) = part.and_then(|(at, bytes)| bytes.get_mut(at..at + old.len().min(new.len()))) {
            part.copy_from_slice(new.as_bytes().get(..part.len()).unwrap_or_default());
        }
        Self(copy)
    }

    #[must_use]
    pub fn graphql(query: &str, variables: &serde_json::Value) -> Self {
        let body = serde_json::json!({ "query": query, "variables": variables }).to_string();
        let head = "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length:";
        Self(format!("{head} {}\r\n\r\n{body}", body.len()).into_bytes().into())
    }
}

/// A connection that is kept.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    /// # Errors
    /// If nobody listens there.
    pub async fn open(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(64 * 1024) })
    }

    /// The answer's body.
    ///
    /// # Errors
    /// If the answer is not 200, or has no length.
    pub async fn ask(&mut self, request: &Request) -> Result<&[u8]> {
        match self.answer(request).await? {
            (200, body) => Ok(body),
            (status, body) => Err(format!("{status}: {}", String::from_utf8_lossy(body)).into()),
        }
    }

    /// The answer's status and body.
    ///
    /// # Errors
    /// If the answer has no length.
    pub async fn answer(&mut self, request: &Request) -> Result<(u16, &[u8])> {
        self.stream.write_all(&request.0).await?;
        self.read.clear();
        let (head, status, length) = loop {
            if let Some(place) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = std::str::from_utf8(self.read.get(..place).unwrap_or_default())?;
                break (place + 4, status(head)?, length(head)?);
            }
            self.more().await?;
        };
        while self.read.len() < head + length {
            self.more().await?;
        }
        Ok((status, self.read.get(head..head + length).unwrap_or_default()))
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 { Err("the connection broke off".into()) } else { Ok(()) }
    }
}

fn status(head: &str) -> Result<u16> {
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split(' ').next());
    Ok(status.ok_or("no HTTP")?.parse()?)
}

fn length(head: &str) -> Result<usize> {
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
    });
    Ok(length.ok_or_else(|| format!("no length: {head}"))??)
}

/// Requests a second over so many connections, each with one request under way at a time. An answer that does not
/// begin with `data` ends it.
///
/// # Errors
/// The first thing that went wrong.
pub async fn load(server: SocketAddr, request: &Request, connections: usize, time: Duration) -> Result<f64> {
    let mut running: JoinSet<Result<u32>> = JoinSet::new();
    let began = Instant::now();
    for _ in 0..connections {
        let request = request.clone();
        running.spawn(async move {
            let mut connection = Connection::open(server).await?;
            let mut answered = 0_u32;
            while began.elapsed() < time {
                let body = connection.ask(&request).await?;
                if !body.starts_with(b"{\"data\":{") || body.starts_with(b"{\"data\":{}") {
                    return Err(String::from_utf8_lossy(body).into_owned().into());
                }
                answered += 1;
            }
            Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(done) = running.join_next().await {
        answered += done??;
    }
    Ok(f64::from(answered) / began.elapsed().as_secs_f64())
}
