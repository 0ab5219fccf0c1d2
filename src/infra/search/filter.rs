//! The filters of a question, held against the columns of one segment.

use super::page::SearchQuery;
use super::schema::{self, Number};
use std::sync::Arc;
use tantivy::columnar::{ColumnValues, StrColumn};
use tantivy::{DocId, SegmentReader};

pub(super) type Column = Arc<dyn ColumnValues<i64>>;

pub(super) fn column(segment: &SegmentReader, number: Number) -> tantivy::Result<Column> {
    segment.fast_fields().column_first_or_default(number.0)
}

/// A column must lie in `[from, until]`.
struct Range {
    column: Column,
    from: i64,
    until: i64,
}

impl Range {
    fn holds(&self, doc: DocId) -> bool {
        (self.from..=self.until).contains(&self.column.get_val(doc))
    }
}

/// What one event says to the filters. A facet leaves out its own filter, so that the other choices can be counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub category: bool,
    pub price: bool,
}

/// The filters over one segment.
pub(super) struct Filter {
    always: Vec<Range>,
    price: Vec<Range>,
    categories: Option<StrColumn>,
    /// None: any category will do.
    wanted: Option<Vec<u64>>,
}

impl Filter {
    pub fn over(segment: &SegmentReader, query: &SearchQuery) -> tantivy::Result<Self> {
        let range = |number, from: Option<i64>, until: Option<i64>| {
            let column = column(segment, number)?;
            tantivy::Result::Ok(Range { column, from: from.unwrap_or(i64::MIN), until: until.unwrap_or(i64::MAX) })
        };
        let mut always = Vec::new();
        if query.starts_from.is_some() || query.starts_until.is_some() {
            let until = query.starts_until.map(|at| at.timestamp_micros().saturating_sub(1));
            always.push(range(schema::STARTS_AT, query.starts_from.map(|at| at.timestamp_micros()), until)?);
        }
        if let Some(at) = query.bookable_at.map(|at| at.timestamp_micros()) {
            always.push(range(schema::OPENS_AT, None, Some(at))?);
            always.push(range(schema::CLOSES_AT, Some(at.saturating_add(1)), None)?);
            always.push(range(schema::REMAINING, Some(1), None)?);
        }
        let mut price = Vec::new();
        if query.price_min.is_some() {
            price.push(range(schema::HIGHEST_PRICE, query.price_min, None)?);
        }
        if query.price_max.is_some() {
            price.push(range(schema::LOWEST_PRICE, None, query.price_max)?);
        }
        let categories = segment.fast_fields().str(schema::CATEGORY)?;
        let wanted = wanted(categories.as_ref(), &query.categories)?;
        Ok(Self { always, price, categories, wanted })
    }

    /// None: a filter that has no facet refuses the event.
    pub fn judge(&self, doc: DocId) -> Option<Verdict> {
        self.always.iter().all(|range| range.holds(doc)).then(|| Verdict {
            price: self.price.iter().all(|range| range.holds(doc)),
            category: (self.wanted.as_ref())
                .is_none_or(|wanted| self.category(doc).is_some_and(|category| wanted.contains(&category))),
        })
    }

    /// The category of an event, as its number in this segment.
    pub fn category(&self, doc: DocId) -> Option<u64> {
        self.categories.as_ref()?.ords().first(doc)
    }

    pub fn category_name(&self, number: u64) -> Option<String> {
        let mut name = String::new();
        let found = self.categories.as_ref()?.ord_to_str(number, &mut name).ok()?;
        found.then_some(name)
    }
}

fn wanted(column: Option<&StrColumn>, names: &[String]) -> tantivy::Result<Option<Vec<u64>>> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut wanted = Vec::new();
    for name in names {
        if let Some(column) = column {
            wanted.extend(column.dictionary().term_ord(name)?);
        }
    }
    Ok(Some(wanted))
}
