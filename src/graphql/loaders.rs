//! Batch reads: one set for each request, never shared, never cached across people. A list of 20 events with its
//! artists costs one statement for the artists.

use crate::{app::App, error::Error};
use async_graphql::dataloader::DataLoader;
use std::{sync::Arc, time::Duration};

/// Reads in batches. Each domain implements `Loader` on it for its own keys.
#[derive(Clone, Debug)]
pub struct Batch(pub App);

/// The request's loader.
pub type Loaders = DataLoader<Batch>;

/// Failures are shared by all who waited for the batch.
pub type Shared = Arc<Error>;

#[expect(clippy::disallowed_methods, reason = "the loader's own batches, which end with their request")]
pub fn loaders(app: App) -> Loaders {
    // No artificial delay: a batch is what one step of the executor asks for.
    DataLoader::new(Batch(app), tokio::spawn).delay(Duration::ZERO)
}

/// What a shared failure looks like to one of them.
pub fn failed(error: &Shared) -> async_graphql::Error {
    Error::fault(error.to_string()).into()
}
