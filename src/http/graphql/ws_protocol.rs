//! The messages and close codes of `graphql-transport-ws`: pure.

use super::run;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Said {
    ConnectionInit { payload: Option<Map<String, Value>> },
    Ping { payload: Option<Map<String, Value>> },
    Pong,
    Subscribe { id: String, payload: Map<String, Value> },
    Complete { id: String },
}

/// Longer ids are refused: the server keeps them.
const MOST_ID: usize = 100;

impl Said {
    /// `None` for what the protocol does not know.
    pub fn parse(text: &str) -> Option<Self> {
        let said: Self = serde_json::from_str(text).ok()?;
        match &said {
            Self::Subscribe { id, .. } | Self::Complete { id } => (1..=MOST_ID).contains(&id.len()).then_some(said),
            Self::ConnectionInit { .. } | Self::Ping { .. } | Self::Pong => Some(said),
        }
    }
}

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Close {
    BadMessage,
    NotAcknowledged,
    Forbidden,
    NoSubprotocol,
    InitTimeout,
    SameId(String),
    TooManyInits,
    /// Others of this account are open.
    TooManySockets,
    Restart,
}

impl Close {
    /// Clients of the protocol give up after 4400, 4401, 4406, 4409 and 4429, and come back after the others.
    pub const fn code(&self) -> u16 {
        match self {
            Self::BadMessage => 4400,
            Self::NotAcknowledged => 4401,
            Self::Forbidden => 4403,
            Self::NoSubprotocol => 4406,
            Self::InitTimeout => 4408,
            Self::SameId(_) => 4409,
            Self::TooManyInits => 4429,
            Self::TooManySockets => 1013,
            Self::Restart => 1012,
        }
    }

    /// In the words that clients know; a close frame has room for 123 bytes.
    pub fn reason(&self) -> String {
        match self {
            Self::BadMessage => "Invalid message received".to_owned(),
            Self::NotAcknowledged => "Unauthorized".to_owned(),
            Self::Forbidden => "Forbidden".to_owned(),
            Self::NoSubprotocol => "Subprotocol not acceptable".to_owned(),
            Self::InitTimeout => "Connection initialisation timeout".to_owned(),
            Self::SameId(id) => format!("Subscriber for {} already exists", id.chars().take(25).collect::<String>()),
            Self::TooManyInits => "Too many initialisation requests".to_owned(),
            Self::TooManySockets => "Too many sockets".to_owned(),
            Self::Restart => "Service restart".to_owned(),
        }
    }
}

/// What the server says.
#[derive(Serialize)]
struct Message<'a, P> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<P>,
}

fn message<P: Serialize>(kind: &str, id: Option<&str>, payload: Option<P>) -> String {
    run::json(&Message { kind, id, payload })
}

pub fn ack() -> String {
    message("connection_ack", None, None::<()>)
}

pub fn ping() -> String {
    message("ping", None, None::<()>)
}

/// With what the ping carried.
pub fn pong(payload: Option<Map<String, Value>>) -> String {
    message("pong", None, payload)
}

pub fn next(id: &str, payload: &impl Serialize) -> String {
    message("next", Some(id), Some(payload))
}

pub fn error(id: &str, errors: &impl Serialize) -> String {
    message("error", Some(id), Some(errors))
}

pub fn complete(id: &str) -> String {
    message("complete", Some(id), None::<()>)
}

/// The token in `connection_init`, under the name of its header. Whatever stands there and is no token is one that is
/// not valid.
pub fn token(payload: Option<&Map<String, Value>>) -> Option<&str> {
    let payload = payload?;
    let header =
        payload.get("authorization").or_else(|| payload.get("Authorization")).filter(|value| !value.is_null())?;
    Some(header.as_str().and_then(super::client::token).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_protocol_does_not_know_is_no_message() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"start"}"#,
            r#"{"type":"subscribe","payload":{}}"#,
            r#"{"type":"subscribe","id":"","payload":{}}"#,
            r#"{"type":"subscribe","id":1,"payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":"x"}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"complete"}"#,
        ] {
            assert!(Said::parse(text).is_none(), "{text}");
        }
        assert!(matches!(Said::parse(r#"{"type":"pong","payload":{"a":1}}"#), Some(Said::Pong)));
    }

    #[test]
    fn a_token_is_taken_from_either_spelling() {
        let payload = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        for (text, expected) in [
            ("{}", None),
            (r#"{"authorization":null}"#, None),
            (r#"{"authorization":"Bearer x"}"#, Some("x")),
            (r#"{"Authorization":"bearer x"}"#, Some("x")),
            (r#"{"authorization":"x"}"#, Some("")),
            (r#"{"authorization":1}"#, Some("")),
        ] {
            assert_eq!(token(Some(&payload(text))), expected, "{text}");
        }
        assert_eq!(token(None), None);
    }

    #[test]
    fn reasons_fit_into_a_close_frame() {
        assert!(Close::SameId("가".repeat(33)).reason().len() <= 123);
    }
}
