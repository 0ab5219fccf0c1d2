//! Walks over everything that matches once: keeps the hits of one page, and counts the rest for total and facets.

use super::filter::{Column, Filter, column};
use super::order::{Travel, score_key};
use super::page::{Facets, Position, PriceBucket, SearchQuery};
use super::schema::{self, ID_HALVES};
use std::collections::BTreeMap;
use std::sync::Arc;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::ColumnValues;
use tantivy::{DocAddress, DocId, Score, Searcher, SegmentOrdinal, SegmentReader};
use uuid::Uuid;

/// Lower ends of the price buckets, in won: free, then steps at which tickets to small stages are sold.
const PRICE_STEPS: [i64; 6] = [0, 1, 10_000, 30_000, 50_000, 100_000];

/// The page that is gathered.
pub(super) struct Gather<'a> {
    pub query: &'a SearchQuery,
    pub travel: Travel,
}

/// What was gathered.
#[derive(Default)]
pub(super) struct Gathered {
    /// In the order of travel; one more than the page holds if there is more.
    pub hits: Vec<(Position, DocAddress)>,
    pub total: u64,
    categories: BTreeMap<String, u64>,
    prices: [u64; PRICE_STEPS.len()],
}

/// The first hits in the order of travel, of however many are offered.
struct First {
    hits: Vec<(Position, DocAddress)>,
    limit: usize,
    travel: Travel,
}

impl First {
    fn offer(&mut self, position: Position, at: DocAddress) {
        self.hits.push((position, at));
        if self.hits.len() > self.limit.saturating_mul(2).max(64) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.hits.sort_unstable_by(|(a, _), (b, _)| self.travel.compare(*a, *b));
        self.hits.truncate(self.limit);
    }
}

/// The walk over one segment.
pub(super) struct SegmentGather {
    segment: SegmentOrdinal,
    filter: Filter,
    key: Option<Column>,
    id: [Arc<dyn ColumnValues<u64>>; 2],
    lowest_price: Column,
    first: First,
    total: u64,
    categories: BTreeMap<u64, u64>,
    prices: [u64; PRICE_STEPS.len()],
}

impl Collector for Gather<'_> {
    type Fruit = Gathered;
    type Child = SegmentGather;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentGather> {
        Ok(SegmentGather {
            segment,
            filter: Filter::over(reader, self.query)?,
            key: self.query.sort.column().map(|number| column(reader, number)).transpose()?,
            id: id_columns(reader)?,
            lowest_price: column(reader, schema::LOWEST_PRICE)?,
            first: self.first(),
            total: 0,
            categories: BTreeMap::new(),
            prices: Default::default(),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.query.sort.column().is_none()
    }

    fn merge_fruits(&self, segments: Vec<Gathered>) -> tantivy::Result<Gathered> {
        let mut first = self.first();
        let mut whole = Gathered::default();
        for segment in segments {
            first.hits.extend(segment.hits);
            whole.total += segment.total;
            for (category, count) in segment.categories {
                *whole.categories.entry(category).or_default() += count;
            }
            for (sum, count) in whole.prices.iter_mut().zip(segment.prices) {
                *sum += count;
            }
        }
        first.cut();
        Ok(Gathered { hits: first.hits, ..whole })
    }
}

impl Gather<'_> {
    fn first(&self) -> First {
        First { hits: Vec::new(), limit: self.query.limit.saturating_add(1), travel: self.travel }
    }
}

impl SegmentCollector for SegmentGather {
    type Fruit = Gathered;

    fn collect(&mut self, doc: DocId, score: Score) {
        let Some(verdict) = self.filter.judge(doc) else { return };
        if let (true, Some(category)) = (verdict.price, self.filter.category(doc)) {
            *self.categories.entry(category).or_default() += 1;
        }
        if verdict.category {
            let price = self.lowest_price.get_val(doc);
            let bucket = PRICE_STEPS.partition_point(|step| *step <= price).saturating_sub(1);
            if let Some(count) = self.prices.get_mut(bucket) {
                *count += 1;
            }
        }
        if !(verdict.price && verdict.category) {
            return;
        }
        self.total += 1;
        let [high, low] = &self.id;
        let id = Uuid::from_u64_pair(high.get_val(doc), low.get_val(doc));
        let key = self.key.as_ref().map_or_else(|| score_key(score), |column| column.get_val(doc));
        let position = Position { key, id };
        if self.first.travel.covers(position) {
            self.first.offer(position, DocAddress::new(self.segment, doc));
        }
    }

    fn harvest(mut self) -> Gathered {
        self.first.cut();
        let named = |(number, count)| self.filter.category_name(number).map(|name| (name, count));
        Gathered {
            categories: self.categories.into_iter().filter_map(named).collect(),
            hits: self.first.hits,
            total: self.total,
            prices: self.prices,
        }
    }
}

/// Ids of all events, ascending, behind `after`.
pub(super) fn ids(searcher: &Searcher, after: Option<Uuid>, limit: usize) -> tantivy::Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for segment in searcher.segment_readers() {
        let [high, low] = id_columns(segment)?;
        let here = segment.doc_ids_alive().map(|doc| Uuid::from_u64_pair(high.get_val(doc), low.get_val(doc)));
        ids.extend(here.filter(|id| after.is_none_or(|after| *id > after)));
    }
    ids.sort_unstable();
    ids.truncate(limit);
    Ok(ids)
}

fn id_columns(segment: &SegmentReader) -> tantivy::Result<[Arc<dyn ColumnValues<u64>>; 2]> {
    let [high, low] = ID_HALVES.map(|half| segment.fast_fields().column_first_or_default(half));
    Ok([high?, low?])
}

impl Gathered {
    pub fn facets(&self) -> Facets {
        let mut categories: Vec<_> = self.categories.iter().map(|(name, count)| (name.clone(), *count)).collect();
        categories.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
        let ends = PRICE_STEPS.into_iter().skip(1).map(Some).chain([None]);
        let prices = PRICE_STEPS.into_iter().zip(ends).zip(self.prices);
        let prices = prices.map(|((from, until), count)| PriceBucket { from, until, count }).collect();
        Facets { categories, prices }
    }
}
