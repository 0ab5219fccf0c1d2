//! The messages and close codes of `graphql-transport-ws`: pure.

use serde::Deserialize;
use serde_json::{Value, json};

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Said {
    ConnectionInit { payload: Option<Value> },
    Ping,
    Pong,
    Subscribe { id: String, payload: Value },
    Complete { id: String },
}

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Close {
    BadMessage,
    NotAcknowledged,
    Forbidden,
    InitTimeout,
    SameId(String),
    TooManyInits,
    TooManyOperations,
    Restart,
}

impl Close {
    pub fn code(&self) -> u16 {
        match self {
            Self::BadMessage => 4400,
            Self::NotAcknowledged => 4401,
            Self::Forbidden => 4403,
            Self::InitTimeout => 4408,
            Self::SameId(_) => 4409,
            Self::TooManyInits => 4429,
            Self::TooManyOperations => 4430,
            Self::Restart => 1012,
        }
    }

    /// In the words that clients know.
    pub fn reason(&self) -> String {
        match self {
            Self::BadMessage => "Invalid message received".to_owned(),
            Self::NotAcknowledged => "Unauthorized".to_owned(),
            Self::Forbidden => "Forbidden".to_owned(),
            Self::InitTimeout => "Connection initialisation timeout".to_owned(),
            Self::SameId(id) => format!("Subscriber for {} already exists", id.chars().take(60).collect::<String>()),
            Self::TooManyInits => "Too many initialisation requests".to_owned(),
            Self::TooManyOperations => "Too many operations".to_owned(),
            Self::Restart => "Service restart".to_owned(),
        }
    }
}

pub fn ack() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

pub fn ping() -> String {
    json!({ "type": "ping" }).to_string()
}

pub fn pong() -> String {
    json!({ "type": "pong" }).to_string()
}

pub fn next(id: &str, payload: &Value) -> String {
    json!({ "type": "next", "id": id, "payload": payload }).to_string()
}

pub fn error(id: &str, errors: &Value) -> String {
    json!({ "type": "error", "id": id, "payload": errors }).to_string()
}

pub fn complete(id: &str) -> String {
    json!({ "type": "complete", "id": id }).to_string()
}

/// The token in `connection_init`, under the name of its header.
pub fn token(payload: Option<&Value>) -> Option<&str> {
    let payload = payload?;
    let header = payload.get("authorization").or_else(|| payload.get("Authorization"))?.as_str()?;
    Some(header.strip_prefix("Bearer ").unwrap_or(header))
}
