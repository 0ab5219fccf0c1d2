//! What a request's head says of the client.

use super::{Edge, engine::ClientMeta, problem::Problem};
use crate::{
    http::{address::ClientAddress, request_log::RequestId},
    language::Language,
};
use axum::http::{HeaderMap, request::Parts};

/// Longer cursors than this are not ours.
const MOST_EVENT_ID: usize = 200;

pub fn meta(parts: &Parts) -> ClientMeta {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let address = parts.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
    ClientMeta {
        request_id: parts.extensions.get::<RequestId>().map(|RequestId(id)| id.clone()).unwrap_or_default(),
        address,
        language: Language::preferred(text("accept-language")),
        last_event_id: text("last-event-id").filter(|id| (1..=MOST_EVENT_ID).contains(&id.len())).map(str::to_owned),
    }
}

/// The token of `Authorization: Bearer …`; any other scheme is a token that is not valid.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get("authorization")?;
    Some(header.to_str().ok().and_then(token).unwrap_or_default())
}

/// The scheme's name is not case-sensitive.
pub fn token(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Edge {
    /// Asks the engine in bounded time.
    pub async fn bounded<T>(
        &self,
        asking: impl Future<Output = Result<T, super::engine::Refusal>>,
    ) -> Result<T, Problem> {
        match tokio::time::timeout(self.settings.operation_time, asking).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(super::engine::Refusal::Unavailable.into()),
        }
    }
}
