//! Brings the index up to date.

use super::document::{Change, EventDocument};
use super::filter::{Column, column};
use super::schema::{self, Fields};
use std::collections::BTreeMap;
use std::sync::Arc;
use tantivy::merge_policy::LogMergePolicy;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Index, IndexWriter, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, Term};
use uuid::Uuid;

/// Bytes of memory for documents that are not yet written: a few hundred long events.
const HEAP: usize = 20_000_000;
/// A segment is rewritten when this part of it was deleted; every edit deletes.
const DELETED_BEFORE_MERGE: f32 = 0.3;

/// The one writer of an index. While it lives, no other process can write.
pub(super) fn writer(index: &Index) -> tantivy::Result<IndexWriter> {
    let writer = index.writer_with_num_threads(1, HEAP)?;
    let mut merging = LogMergePolicy::default();
    merging.set_del_docs_ratio_before_merge(DELETED_BEFORE_MERGE);
    writer.set_merge_policy(Box::new(merging));
    Ok(writer)
}

/// Writes the changes and commits. `present` is the index as it is before.
pub(super) fn apply(
    writer: &mut IndexWriter,
    fields: &Fields,
    present: &Searcher,
    changes: Vec<Change>,
) -> tantivy::Result<()> {
    let versions = Versions::of(fields, present)?;
    for (id, outcome) in outcomes(changes) {
        let term = fields.id_term(id);
        match outcome {
            Outcome { event: Some(event), removed: false } if versions.newer_than(&event, &term)? => {}
            Outcome { event, .. } => {
                writer.delete_term(term);
                if let Some(event) = event {
                    writer.add_document(fields.document(&event))?;
                }
            }
        }
    }
    writer.commit()?;
    Ok(())
}

/// What the changes to one event come to.
#[derive(Default)]
struct Outcome {
    event: Option<Box<EventDocument>>,
    /// It was taken out along the way, so that what the index holds no longer counts.
    removed: bool,
}

fn outcomes(changes: Vec<Change>) -> BTreeMap<Uuid, Outcome> {
    let mut outcomes: BTreeMap<Uuid, Outcome> = BTreeMap::new();
    for change in changes {
        match change {
            Change::Delete(id) => {
                outcomes.insert(id, Outcome { event: None, removed: true });
            }
            Change::Upsert(event) => {
                let outcome = outcomes.entry(event.id).or_default();
                if outcome.event.as_ref().is_none_or(|other| other.version <= event.version) {
                    outcome.event = Some(event);
                }
            }
        }
    }
    outcomes
}

/// The versions that the index holds.
struct Versions<'a> {
    segments: Vec<(&'a SegmentReader, Arc<InvertedIndexReader>, Column)>,
}

impl<'a> Versions<'a> {
    fn of(fields: &Fields, searcher: &'a Searcher) -> tantivy::Result<Self> {
        let id = fields.id_term(Uuid::nil()).field();
        let open =
            |segment: &'a SegmentReader| Ok((segment, segment.inverted_index(id)?, column(segment, schema::VERSION)?));
        let segments = searcher.segment_readers().iter().map(open).collect::<tantivy::Result<_>>()?;
        Ok(Self { segments })
    }

    fn newer_than(&self, event: &EventDocument, term: &Term) -> tantivy::Result<bool> {
        for (segment, ids, versions) in &self.segments {
            let Some(mut found) = ids.read_postings(term, IndexRecordOption::Basic)? else { continue };
            while found.doc() != TERMINATED {
                if !segment.is_deleted(found.doc()) && versions.get_val(found.doc()) > event.version {
                    return Ok(true);
                }
                found.advance();
            }
        }
        Ok(false)
    }
}
