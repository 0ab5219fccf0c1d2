//! The embedded twin (first cut: the contract only).

use super::{Change, SearchError, SearchPage, SearchQuery, Suggestion};
use std::path::Path;

/// The embedded index.
#[derive(Clone, Debug)]
pub struct TantivySearch {}

fn unfinished<T>() -> Result<T, SearchError> {
    Err(SearchError::Engine("not built yet".into()))
}

impl TantivySearch {
    /// Opens or creates the index in a folder.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn open(_dir: &Path) -> Result<Self, SearchError> {
        Ok(Self {})
    }
    /// An index that lives as long as the process.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn in_memory() -> Result<Self, SearchError> {
        Ok(Self {})
    }
    /// The index is new or was never filled to the end.
    #[must_use]
    pub fn needs_reindex(&self) -> bool {
        true
    }
    pub(super) async fn apply(&self, _changes: Vec<Change>) -> Result<(), SearchError> {
        unfinished()
    }
    pub(super) async fn query(&self, _query: &SearchQuery) -> Result<SearchPage, SearchError> {
        unfinished()
    }
    pub(super) async fn suggest(&self, _prefix: &str, _limit: usize) -> Result<Vec<Suggestion>, SearchError> {
        unfinished()
    }
    pub(super) async fn document_count(&self) -> Result<u64, SearchError> {
        unfinished()
    }
    pub(super) async fn clear(&self) -> Result<(), SearchError> {
        unfinished()
    }
}
