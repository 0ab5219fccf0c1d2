//! A question to the index and its answer, a page at a time.
//!
//! Pages are keyset pages: a [`Position`] names a place in the order, not a row count, so that rows that come and go
//! neither repeat nor hide others.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What is looked for. Every part that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// Words, parts of words, or initial consonants; all must be found in title, artist, venue or content. If nothing
    /// has them all, near misses are given instead.
    pub text: Option<String>,
    /// Any of these; empty is all.
    pub categories: Vec<String>,
    /// Parts of the venue's name or address.
    pub place: Option<String>,
    /// Starts at this moment or later.
    pub starts_from: Option<DateTime<Utc>>,
    /// Starts before this moment.
    pub starts_until: Option<DateTime<Utc>>,
    /// Won: the dearest ticket costs at least this.
    pub price_min: Option<i64>,
    /// Won: the cheapest ticket costs at most this.
    pub price_max: Option<i64>,
    /// Booking is open at this moment, and there are seats left.
    pub bookable_at: Option<DateTime<Utc>>,
    pub sort: Sort,
    /// Hits on the page.
    pub limit: usize,
    /// Hits behind this position.
    pub after: Option<Position>,
    /// Hits ahead of this position. Alone, the page is the last one ahead of it; hits are in the order of the sort all
    /// the same.
    pub before: Option<Position>,
}

/// The order of hits. Ties are broken by id, ascending where the sort ascends and descending where it descends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Best match first; without a text, all match alike.
    #[default]
    Relevance,
    /// By start, ascending.
    Soonest,
    /// By creation, descending.
    Newest,
    /// By lowest price, ascending.
    Cheapest,
    /// By highest price, descending.
    Dearest,
    /// By seats sold, descending.
    MostBooked,
}

/// A place in the order of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The value that the sort compares: microseconds, won, seats, or the bits of the score.
    pub key: i64,
    pub id: Uuid,
}

/// An event that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub id: Uuid,
    pub position: Position,
    /// None unless a text was looked for.
    pub highlight: Option<Highlight>,
}

/// HTML: `<em>` around what matched, the rest escaped. A part in which nothing matched is None.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Highlight {
    /// The whole title.
    pub title: Option<String>,
    /// A piece of the content around the first match.
    pub content: Option<String>,
}

/// A page of hits.
#[derive(Clone, Debug, Default)]
pub struct SearchPage {
    pub hits: Vec<Hit>,
    /// There is more in the direction of travel: ahead for a page asked for with `before` alone, behind otherwise.
    pub has_more: bool,
    /// All events that match, on every page.
    pub total: u64,
    pub facets: Facets,
}

/// How many events each choice of a filter would show. A filter does not narrow its own facet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// Most events first, then by name.
    pub categories: Vec<(String, u64)>,
    /// By lowest price, ascending; empty buckets are kept.
    pub prices: Vec<PriceBucket>,
}

/// Events of which the cheapest ticket costs `from` or more, and less than `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceBucket {
    pub from: i64,
    /// None: no upper end.
    pub until: Option<i64>,
    pub count: u64,
}

/// A completion of what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// As the artist wrote it.
    pub text: String,
    pub kind: SuggestionKind,
    /// Events that carry it.
    pub count: u64,
}

/// What a suggestion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SuggestionKind {
    Title,
    Artist,
    Venue,
}
