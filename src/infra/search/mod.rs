//! Event search. This module owns the search index: what is in it, how it is asked, and how its answers are ordered.
//!
//! What always holds, in every twin:
//! - when [`Search::apply`] returns, every later query sees the changes; an older version of an event never replaces a
//!   newer one;
//! - the score of a hit depends on that event and the query alone, never on the rest of the index, so relevance pages
//!   are as exact as the others; ties are broken by id, in the direction of the sort.
//!
//! The index is derived: the database is the truth, and a lost index is rebuilt from it.
//! Read next: [`document`] and [`page`] (the contract), `korean.rs` (how text is read), `query.rs` (how it is matched).

#[cfg(test)]
mod contract;
pub mod document;
mod filter;
mod gather;
mod highlight;
mod korean;
#[cfg(test)]
mod oracle;
mod order;
pub mod page;
mod query;
mod reading;
mod schema;
mod slip;
mod store;
mod suggest;
mod tantivy;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub use self::document::{Change, EventDocument};
pub use self::page::{
    Facets, Highlight, Hit, Position, PriceBucket, SearchPage, SearchQuery, Sort, Suggestion, SuggestionKind,
};
pub use self::tantivy::TantivySearch;
use uuid::Uuid;

/// The search engine did not answer. Callers list events from the database instead, and say so.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// Another process is writing to the embedded index.
    #[error("the search index is being written by another process")]
    Busy,
    /// The engine failed.
    #[error("search engine: {0}")]
    Engine(String),
}

/// The search engine that the configuration chose.
#[derive(Clone, Debug)]
pub enum Search {
    /// In this process, in a folder.
    Tantivy(TantivySearch),
}

impl Search {
    /// Writes all changes in one step. When it returns, every query sees them.
    ///
    /// # Errors
    /// [`SearchError`]; then none of the changes is visible.
    pub async fn apply(&self, changes: Vec<Change>) -> Result<(), SearchError> {
        match self {
            Self::Tantivy(twin) => twin.apply(changes).await,
        }
    }

    /// Like [`Self::apply`] of what `read` finds in the database, with one reader at a time: of two who follow the same
    /// event, the later to write has read what the earlier could not know.
    ///
    /// # Errors
    /// What `read` fails with; [`SearchError`].
    pub async fn follow<E: From<SearchError>>(
        &self,
        read: impl Future<Output = Result<Vec<Change>, E>>,
    ) -> Result<(), E> {
        match self {
            Self::Tantivy(twin) => twin.follow(read).await,
        }
    }

    /// One page of events.
    ///
    /// # Errors
    /// [`SearchError`]; a text that matches nothing is an empty page, not an error.
    pub async fn query(&self, query: &SearchQuery) -> Result<SearchPage, SearchError> {
        match self {
            Self::Tantivy(twin) => twin.query(query).await,
        }
    }

    /// Titles, artists and venues of which a word begins with what was typed so far, best first.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn suggest(&self, prefix: &str, limit: usize) -> Result<Vec<Suggestion>, SearchError> {
        match self {
            Self::Tantivy(twin) => twin.suggest(prefix, limit).await,
        }
    }

    /// How many events are in the index.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn document_count(&self) -> Result<u64, SearchError> {
        match self {
            Self::Tantivy(twin) => twin.document_count().await,
        }
    }

    /// Ids of the events in the index, ascending, behind `after`. A rebuild with no gap in service writes every event
    /// anew, then walks these and deletes those that the database no longer shows.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn ids(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<Uuid>, SearchError> {
        match self {
            Self::Tantivy(twin) => twin.ids(after, limit).await,
        }
    }

    /// The index may lack events, and should be filled from the database.
    #[must_use]
    pub fn needs_reindex(&self) -> bool {
        match self {
            Self::Tantivy(twin) => twin.needs_reindex(),
        }
    }

    /// Says that the index now holds every event; until then it asks to be filled at every start.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn set_reindexed(&self) -> Result<(), SearchError> {
        match self {
            Self::Tantivy(twin) => twin.set_reindexed().await,
        }
    }

    /// Removes every event.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn clear(&self) -> Result<(), SearchError> {
        match self {
            Self::Tantivy(twin) => twin.clear().await,
        }
    }
}
