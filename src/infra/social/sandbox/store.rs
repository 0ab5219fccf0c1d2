//! What the sandbox remembers: codes for ten minutes and one use, tokens for an hour.

use super::{Sandbox, fault::Fault};
use crate::infra::kv::KvError;
use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const CODE_LIFE: Duration = Duration::from_secs(600);
const TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// Who pressed "agree".
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Person {
    /// Digits at Kakao; Naver puts letters around them.
    pub id: i64,
    pub nickname: String,
    pub email: String,
    pub fault: Fault,
}

/// What a code is good for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    pub person: Person,
    pub redirect_uri: String,
    pub state: String,
    /// S256, if the way began with one.
    pub challenge: Option<String>,
}

impl Sandbox {
    fn key(&self, kind: &str, secret: &str) -> String {
        let provider = if self.is_kakao() { "kakao" } else { "naver" };
        // What a stranger sends may be of any length.
        format!("sandbox-{provider}-{kind}:{}", secret.chars().take(100).collect::<String>())
    }

    pub(super) async fn put_grant(&self, grant: &Grant) -> Result<String, KvError> {
        let code = self.0.ids.secret();
        if grant.person.fault != Fault::ExpiredCode {
            self.0.kv.set(&self.key("code", &code), &json(grant)?, Some(CODE_LIFE)).await?;
        }
        Ok(code)
    }

    /// Once.
    pub(super) async fn take_grant(&self, code: &str) -> Result<Option<Grant>, KvError> {
        read(self.0.kv.take(&self.key("code", code)).await?)
    }

    pub(super) async fn put_token(&self, person: &Person) -> Result<String, KvError> {
        let token = self.0.ids.secret();
        self.0.kv.set(&self.key("token", &token), &json(person)?, Some(TOKEN_LIFE)).await?;
        Ok(token)
    }

    /// Whose bearer token the request shows.
    pub(super) async fn bearer(&self, headers: &HeaderMap) -> Result<Option<Person>, KvError> {
        let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
        let Some(token) = shown.and_then(|shown| shown.strip_prefix("Bearer ")) else { return Ok(None) };
        read(self.0.kv.get(&self.key("token", token)).await?)
    }

    /// The server let go of the person.
    pub(super) async fn put_unlinked(&self, id: &str) -> Result<(), KvError> {
        self.0.kv.set(&self.key("unlinked", id), "", Some(TOKEN_LIFE)).await
    }

    /// True from an unlink until the person agrees again.
    pub(super) async fn is_unlinked(&self, id: &str) -> Result<bool, KvError> {
        Ok(self.0.kv.get(&self.key("unlinked", id)).await?.is_some())
    }

    pub(super) async fn forget_unlinked(&self, id: &str) -> Result<(), KvError> {
        self.0.kv.delete(&self.key("unlinked", id)).await.map(|_| ())
    }
}

fn json(value: &impl Serialize) -> Result<String, KvError> {
    serde_json::to_string(value).map_err(|error| KvError(error.to_string()))
}

fn read<T: for<'de> Deserialize<'de>>(stored: Option<String>) -> Result<Option<T>, KvError> {
    stored.map(|text| serde_json::from_str(&text).map_err(|error| KvError(error.to_string()))).transpose()
}

/// The store is ours, so its failures are.
pub(super) fn broken(error: &KvError) -> Response {
    tracing::error!(%error, "the sandbox cannot use its store");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
