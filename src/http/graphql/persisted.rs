//! Persisted documents, by the protocol of automatic persisted queries: a client sends the SHA-256 of a document, and
//! the document itself only if we answer that we do not know it.

use super::{
    Edge,
    problem::Problem,
    request::{Operation, Parameters},
};
use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A document that came with its hash, to be kept once it has been paid for and has passed: what is kept costs the store
/// something for hours, and whoever sends it nothing.
#[derive(Debug)]
pub struct Persisted {
    hash: String,
    document: String,
}

impl Edge {
    /// From a request's parameters to what may run and can be run.
    pub async fn operation(&self, parameters: Parameters) -> Result<Operation, Problem> {
        let (parameters, persisted) = self.with_document(parameters).await?;
        let operation = parameters.into_operation(&self.settings, &self.0.prices, &self.0.documents, &self.0.inputs)?;
        Ok(Operation { persisted, ..operation })
    }

    /// Puts the document in the place of its hash; or says what is to be kept.
    async fn with_document(&self, parameters: Parameters) -> Result<(Parameters, Option<Persisted>), Problem> {
        let Some(persisted) = parameters.extensions.get("persistedQuery").filter(|value| !value.is_null()) else {
            return Ok((parameters, None));
        };
        let hash = hash(persisted)?;
        if let Some(document) = &parameters.query {
            if HEXLOWER.encode(&Sha256::digest(document.as_bytes())) != hash {
                return Err(Problem::bad_request("`extensions.persistedQuery.sha256Hash` is not that of `query`."));
            }
            let persisted = Persisted { hash, document: document.clone() };
            return Ok((parameters, Some(persisted)));
        }
        let known = self.bounded(self.engine.document(&hash)).await?;
        // The message that clients of the protocol look for.
        let unknown = || Problem::document("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
        let query = Some(known.ok_or_else(unknown)?.to_string());
        Ok((Parameters { query, ..parameters }, None))
    }

    /// After an answer that was not refused. What cannot be kept is sent again the next time.
    pub async fn keep(&self, persisted: Persisted) {
        let Persisted { hash, document } = persisted;
        if self.bounded(self.engine.keep_document(&hash, &document)).await.is_err() {
            tracing::debug!(hash, "a document is not kept");
        }
    }
}

fn hash(persisted: &Value) -> Result<String, Problem> {
    if persisted.get("version").and_then(Value::as_u64) != Some(1) {
        return Err(Problem::bad_request("`extensions.persistedQuery.version` must be 1."));
    }
    let hash = persisted.get("sha256Hash").and_then(Value::as_str).map(str::to_ascii_lowercase);
    let is_one = |hash: &String| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let why = "`extensions.persistedQuery.sha256Hash` must be 64 hexadecimal digits.";
    hash.filter(is_one).ok_or_else(|| Problem::bad_request(why))
}
