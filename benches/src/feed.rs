//! Listeners of `notifications` that only read: over server-sent events and over `graphql-transport-ws`, by hand, so
//! that thousands fit into one process.

use crate::Result;
use serde_json::json;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const DOCUMENT: &str =
    "subscription { notifications { cursor notification { id kind title body createdAt } isReset } }";

/// How to listen.
#[derive(Clone, Copy, Debug)]
pub enum Transport {
    Sse,
    WebSocket,
}

impl Transport {
    /// A listener whose subscription was sent, and who has heard that it is served.
    ///
    /// # Errors
    /// If it is not.
    pub async fn open(self, server: SocketAddr, token: &str) -> Result<Listener> {
        let mut stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        match self {
            Self::Sse => sse(&mut stream, server, token).await?,
            Self::WebSocket => web_socket(&mut stream, server, token).await?,
        }
        Ok(Listener { transport: self, stream })
    }
}

/// Somebody who listens.
#[derive(Debug)]
pub struct Listener {
    transport: Transport,
    stream: TcpStream,
}

impl Listener {
    /// Listens on, and says that it is still there when it is asked. Returns when something else comes than signs of
    /// life: here nobody is told anything, so that is a failure.
    ///
    /// # Errors
    /// That.
    pub async fn listen(mut self) -> Result<()> {
        match self.transport {
            Transport::Sse => loop {
                // Comments, in chunks: `4\r\n: \n\n\r\n`.
                let mut buffer = [0; 64];
                let length = self.stream.read(&mut buffer).await?;
                let heard = buffer.get(..length).unwrap_or_default();
                if length == 0 || heard.iter().any(|byte| !b"0123456789abcdef\r\n: ".contains(byte)) {
                    return Err(format!("the stream said {:?}", String::from_utf8_lossy(heard)).into());
                }
            },
            Transport::WebSocket => loop {
                let heard = frame(&mut self.stream).await?;
                if heard != r#"{"type":"ping"}"# {
                    return Err(format!("the socket said {heard}").into());
                }
                say(&mut self.stream, r#"{"type":"pong"}"#).await?;
            },
        }
    }
}

async fn sse(stream: &mut TcpStream, server: SocketAddr, token: &str) -> Result<()> {
    let body = json!({ "query": DOCUMENT }).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {server}\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n\
         authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    // The first comment says that the stream is open.
    let head = until(stream, b"\n\n\r\n").await?;
    if head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream") { Ok(()) } else { Err(head.into()) }
}

async fn web_socket(stream: &mut TcpStream, server: SocketAddr, token: &str) -> Result<()> {
    let head = format!(
        "GET /graphql HTTP/1.1\r\nhost: {server}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let head = until(stream, b"\r\n\r\n").await?;
    if !head.starts_with("HTTP/1.1 101") {
        return Err(head.into());
    }
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
    say(stream, &init.to_string()).await?;
    let heard = frame(stream).await?;
    if heard != r#"{"type":"connection_ack"}"# {
        return Err(heard.into());
    }
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": DOCUMENT } });
    say(stream, &subscribe.to_string()).await
}

/// What comes up to `end`, byte by byte: nothing of what follows is taken.
async fn until(stream: &mut TcpStream, end: &[u8]) -> Result<String> {
    let mut heard = Vec::new();
    while !heard.ends_with(end) {
        heard.push(stream.read_u8().await?);
        if heard.len() > 4096 {
            break;
        }
    }
    Ok(String::from_utf8(heard)?)
}

/// A text frame, masked with zeros.
async fn say(stream: &mut TcpStream, text: &str) -> Result<()> {
    let length = u16::try_from(text.len())?;
    let mut bytes = vec![0x81];
    match u8::try_from(length) {
        Ok(short) if short < 126 => bytes.push(0x80 | short),
        _ => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(text.as_bytes());
    Ok(stream.write_all(&bytes).await?)
}

/// The text of the next frame; a frame of another kind is a failure.
async fn frame(stream: &mut TcpStream) -> Result<String> {
    let kind = stream.read_u8().await?;
    let length = match stream.read_u8().await? {
        126 => stream.read_u16().await?,
        short => u16::from(short),
    };
    let mut text = vec![0; usize::from(length)];
    stream.read_exact(&mut text).await?;
    if kind == 0x81 { Ok(String::from_utf8(text)?) } else { Err(format!("a frame of kind {kind:#x}").into()) }
}
