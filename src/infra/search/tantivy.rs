//! The embedded twin. Owns the index, its one writer, and the way from a question to a page.
//!
//! The engine blocks, so all work leaves the async threads. A change outlives the caller who hangs up.

use super::order::Travel;
use super::page::{Highlight, Hit, SearchPage, SearchQuery, Suggestion};
use super::query::{Strictness, both, place_query, text_query};
use super::schema::Fields;
use super::store::Store;
use super::words::{Word, words};
use super::{Change, SearchError, gather, highlight, suggest, write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::collector::Count;
use tantivy::schema::Value;
use tantivy::{DocAddress, IndexWriter, Searcher, TantivyDocument};
use uuid::Uuid;

/// The embedded index. Clones share it.
#[derive(Clone)]
pub struct TantivySearch {
    inner: Arc<Inner>,
}

struct Inner {
    fields: Fields,
    store: Store,
    /// Opened at the first change, so that a process that only reads keeps nobody from writing. Gone after a failure:
    /// the next change opens it anew, and what was not committed is forgotten.
    writer: Mutex<Option<IndexWriter>>,
    needs_reindex: AtomicBool,
    /// Held from reading what to write until it is written.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for TantivySearch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TantivySearch").field("index", &self.inner.store.index).finish()
    }
}

impl TantivySearch {
    /// Opens the index in a folder, or makes it. An index of another format, or a damaged one, is removed and made
    /// again, empty.
    ///
    /// # Errors
    /// [`SearchError`] if the folder cannot be read or written.
    pub fn open(dir: &Path) -> Result<Self, SearchError> {
        let fields = Fields::new();
        let store = Store::in_folder(dir, &fields)?;
        Ok(Self::over(fields, store))
    }

    /// An index that lives as long as its clones.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn in_memory() -> Result<Self, SearchError> {
        let fields = Fields::new();
        let store = Store::in_memory(&fields)?;
        Ok(Self::over(fields, store))
    }

    fn over(fields: Fields, store: Store) -> Self {
        let needs_reindex = AtomicBool::new(!store.is_filled());
        Self { inner: Arc::new(Inner { fields, store, writer: Mutex::new(None), needs_reindex, turn: Arc::default() }) }
    }

    /// The index may lack events: it is new, was made again or cleared, and was not said to be filled since.
    #[must_use]
    pub fn needs_reindex(&self) -> bool {
        self.inner.needs_reindex.load(Ordering::Acquire)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, SearchError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.map_err(|error| SearchError::Engine(error.to_string()))?
    }

    pub(super) async fn apply(&self, changes: Vec<Change>) -> Result<(), SearchError> {
        self.blocking(|inner| inner.write(|writer, searcher| write::apply(writer, &inner.fields, searcher, changes)))
            .await
    }

    pub(super) async fn follow<E: From<SearchError>>(
        &self,
        read: impl Future<Output = Result<Vec<Change>, E>>,
    ) -> Result<(), E> {
        let turn = Arc::clone(&self.inner.turn).lock_owned().await;
        let changes = read.await?;
        let written = self.blocking(|inner| {
            // Goes along, so that a caller who hangs up does not give the turn away too early.
            let _turn = turn;
            inner.write(|writer, searcher| write::apply(writer, &inner.fields, searcher, changes))
        });
        Ok(written.await?)
    }

    pub(super) async fn clear(&self) -> Result<(), SearchError> {
        self.blocking(|inner| {
            inner.set_filled(false)?;
            inner.write(|writer, _| {
                writer.delete_all_documents()?;
                writer.commit()
            })?;
            Ok(())
        })
        .await
    }

    pub(super) async fn set_reindexed(&self) -> Result<(), SearchError> {
        self.blocking(|inner| inner.set_filled(true)).await
    }

    pub(super) async fn query(&self, query: &SearchQuery) -> Result<SearchPage, SearchError> {
        let query = query.clone();
        self.blocking(move |inner| Ok(inner.query(&query)?)).await
    }

    pub(super) async fn suggest(&self, prefix: &str, limit: usize) -> Result<Vec<Suggestion>, SearchError> {
        let prefix = prefix.to_owned();
        self.blocking(move |inner| Ok(suggest::suggest(&inner.fields, &inner.searcher(), &prefix, limit)?)).await
    }

    pub(super) async fn ids(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<Uuid>, SearchError> {
        self.blocking(move |inner| Ok(gather::ids(&inner.searcher(), after, limit)?)).await
    }

    pub(super) async fn document_count(&self) -> Result<u64, SearchError> {
        self.blocking(|inner| Ok(inner.searcher().num_docs())).await
    }
}

impl Inner {
    fn searcher(&self) -> Searcher {
        self.store.reader.searcher()
    }

    fn set_filled(&self, filled: bool) -> Result<(), SearchError> {
        self.store.set_filled(filled)?;
        self.needs_reindex.store(!filled, Ordering::Release);
        Ok(())
    }

    fn write<T>(&self, work: impl FnOnce(&mut IndexWriter, &Searcher) -> tantivy::Result<T>) -> Result<T, SearchError> {
        // The slot is empty while somebody works, so a panic leaves nothing half done in it.
        let mut slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = slot.take().map_or_else(|| write::writer(&self.store.index), Ok)?;
        self.store.reader.reload()?;
        let done = work(&mut writer, &self.searcher())?;
        self.store.reader.reload()?;
        *slot = Some(writer);
        Ok(done)
    }

    fn query(&self, query: &SearchQuery) -> tantivy::Result<SearchPage> {
        let searcher = self.searcher();
        let asked = |text: &Option<String>| text.as_deref().filter(|text| !text.trim().is_empty()).map(words);
        let (text, place) = (asked(&query.text), asked(&query.place));
        let gather = gather::Gather { query, travel: Travel::of(query) };
        let run = |strictness| {
            let text = text.as_ref().map(|words| text_query(&self.fields, words, strictness));
            searcher.search(&both(text, place.as_ref().map(|words| place_query(&self.fields, words))), &gather)
        };
        let mut gathered = run(Strictness::Exact)?;
        // Near misses only where the words are nowhere, not where a filter hides them.
        if gathered.total == 0
            && let Some(words) = &text
            && searcher.search(&text_query(&self.fields, words, Strictness::Exact), &Count)? == 0
        {
            gathered = run(Strictness::Near)?;
        }
        let (facets, total, has_more) = (gathered.facets(), gathered.total, gathered.hits.len() > query.limit);
        gathered.hits.truncate(query.limit);
        if gather.travel.backward() {
            gathered.hits.reverse();
        }
        let hits = gathered.hits.into_iter().map(|(position, at)| {
            let highlight = text.as_ref().map(|words| self.highlight(&searcher, at, words)).transpose()?;
            Ok(Hit { id: position.id, position, highlight })
        });
        Ok(SearchPage { hits: hits.collect::<tantivy::Result<_>>()?, has_more, total, facets })
    }

    fn highlight(&self, searcher: &Searcher, at: DocAddress, words: &[Word]) -> tantivy::Result<Highlight> {
        let document: TantivyDocument = searcher.doc(at)?;
        let text = |field| document.get_first(field).and_then(|value| value.as_str());
        Ok(Highlight {
            title: text(self.fields.stored_title).and_then(|title| highlight::title(title, words)),
            content: text(self.fields.stored_content).and_then(|content| highlight::content(content, words)),
        })
    }
}
