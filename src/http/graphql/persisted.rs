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

impl Edge {
    /// From a request's parameters to what may run and can be run.
    pub async fn operation(&self, parameters: Parameters) -> Result<Operation, Problem> {
        self.with_document(parameters).await?.into_operation(
            &self.settings,
            &self.0.prices,
            &self.0.documents,
            &self.0.inputs,
        )
    }

    /// Puts the document in the place of its hash.
    async fn with_document(&self, parameters: Parameters) -> Result<Parameters, Problem> {
        let Some(persisted) = parameters.extensions.get("persistedQuery").filter(|value| !value.is_null()) else {
            return Ok(parameters);
        };
        if persisted.get("version").and_then(Value::as_u64) != Some(1) {
            return Err(Problem::bad_request("`extensions.persistedQuery.version` must be 1."));
        }
        let hash = persisted.get("sha256Hash").and_then(Value::as_str).map(str::to_ascii_lowercase);
        let Some(hash) = hash.filter(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
        else {
            return Err(Problem::bad_request("`extensions.persistedQuery.sha256Hash` must be 64 hexadecimal digits."));
        };
        match &parameters.query {
            Some(query) => self.keep(&hash, query).await?,
            None => {
                let known = self.bounded(self.engine.document(&hash)).await?;
                let query = known.ok_or_else(|| {
                    // The message that clients of the protocol look for.
                    Problem::document("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
                })?;
                return Ok(Parameters { query: Some(query.to_string()), ..parameters });
            }
        }
        Ok(parameters)
    }

    /// Only what we would run is worth keeping.
    async fn keep(&self, hash: &str, query: &str) -> Result<(), Problem> {
        if HEXLOWER.encode(&Sha256::digest(query.as_bytes())) != hash {
            return Err(Problem::bad_request("`extensions.persistedQuery.sha256Hash` is not that of `query`."));
        }
        let whole = Parameters { query: Some(query.to_owned()), ..Parameters::default() };
        match whole.into_operation(&self.settings, &self.0.prices, &self.0.documents, &self.0.inputs) {
            // Several operations, of which this request names one.
            Err(problem) if problem.code != "OPERATION_RESOLUTION_FAILURE" => Err(problem),
            Ok(_) | Err(_) => self.bounded(self.engine.keep_document(hash, query)).await,
        }
    }
}
