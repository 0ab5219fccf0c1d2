//! bcrypt, off the async threads: it takes a quarter of a second by design.

use crate::{app::App, error::Error, error::Result};

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::fault(error.to_string()))
}

pub async fn hash(app: &App, password: String) -> Result<String> {
    let cost = app.config.auth.bcrypt_cost;
    blocking(move || bcrypt::hash(password, cost)).await?.map_err(|error| Error::fault(error.to_string()))
}

/// Does the same work whether or not there is a hash to compare with.
pub async fn verify(app: &App, password: String, hash: Option<String>) -> Result<bool> {
    let cost = app.config.auth.bcrypt_cost;
    blocking(move || match hash {
        Some(hash) => bcrypt::verify(password, &hash).unwrap_or(false),
        None => {
            let _same_work = bcrypt::hash(password, cost);
            false
        }
    })
    .await
}
