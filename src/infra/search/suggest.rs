//! Completes what is being typed, from the term dictionaries alone: no event is read, and one that was removed is not
//! counted.

use super::korean;
use super::page::{Suggestion, SuggestionKind};
use super::reading::SUGGESTION_MARK;
use super::schema::{Fields, Part};
use super::words::{Word, slips_allowed, words};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use tantivy::postings::TermInfo;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::termdict::TermDictionary;
use tantivy::{DocSet, Searcher, SegmentReader, TERMINATED, Term};

/// Terms of one field and segment that are looked at: enough to rank by, and a bound on what one letter costs.
const MAX_TERMS: usize = 5_000;

/// What is suggested, whether it begins with what was typed (false sorts first), and how many events carry it.
type Found = BTreeMap<(SuggestionKind, String), (bool, u64)>;

/// Texts of which a word begins with the prefix: those that begin with it themselves first, then by how many events
/// carry them. If there are none, those that a slip of the finger away do.
pub(super) fn suggest(
    fields: &Fields,
    searcher: &Searcher,
    prefix: &str,
    limit: usize,
) -> tantivy::Result<Vec<Suggestion>> {
    let Some(typed) = super::words::joined(&words(prefix)) else { return Ok(Vec::new()) };
    let mut found = collect(fields, searcher, &typed, 0)?;
    let slips = slips_allowed(typed.keys().chars().count());
    if found.is_empty() && slips > 0 && !typed.has_initials() {
        found = collect(fields, searcher, &typed, slips)?;
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by(|((kind_a, a), (later_a, count_a)), ((kind_b, b), (later_b, count_b))| {
        (later_a, Reverse(count_a), kind_a, a).cmp(&(later_b, Reverse(count_b), kind_b, b))
    });
    let suggestion = |((kind, text), (_, count))| Suggestion { text, kind, count };
    Ok(found.into_iter().take(limit).map(suggestion).collect())
}

fn collect(fields: &Fields, searcher: &Searcher, typed: &Word, slips: u8) -> tantivy::Result<Found> {
    let mut all = Found::new();
    let parts = [
        (SuggestionKind::Title, fields.title),
        (SuggestionKind::Artist, fields.artist),
        (SuggestionKind::Venue, fields.venue),
    ];
    for (kind, field) in parts.into_iter().filter_map(|(kind, part)| Some((kind, suggestions(part)?))) {
        for segment in searcher.segment_readers() {
            let mut here = Found::new();
            let mut note = |text: String, later: bool, count: u64| {
                let noted = here.entry((kind, text)).or_insert((later, count));
                *noted = (noted.0 && later, noted.1.max(count));
            };
            in_segment(segment, field, typed, slips, &mut note)?;
            for (key, (later, count)) in here {
                let noted = all.entry(key).or_insert((later, 0));
                *noted = (noted.0 && later, noted.1 + count);
            }
        }
    }
    Ok(all)
}

fn suggestions(part: Part) -> Option<Field> {
    part.short?.suggestions
}

fn in_segment(
    segment: &SegmentReader,
    field: Field,
    typed: &Word,
    slips: u8,
    note: &mut impl FnMut(String, bool, u64),
) -> tantivy::Result<()> {
    let index = segment.inverted_index(field)?;
    let mixed = typed.has_initials() && typed.spelled_out().next().is_some();
    for (term, info) in terms(index.terms(), field, typed, slips)? {
        let Some((later, text)) = std::str::from_utf8(&term).ok().and_then(parse) else { continue };
        if mixed && !spells(typed, text) {
            continue;
        }
        let mut events = index.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
        let mut count = 0;
        while events.doc() != TERMINATED {
            count += u64::from(!segment.is_deleted(events.doc()));
            events.advance();
        }
        if count > 0 {
            note(text.to_owned(), later, count);
        }
    }
    Ok(())
}

/// The terms that begin as typed, or nearly so.
fn terms(
    dictionary: &TermDictionary,
    field: Field,
    typed: &Word,
    slips: u8,
) -> tantivy::Result<Vec<(Vec<u8>, TermInfo)>> {
    let mut found = Vec::new();
    if slips > 0 {
        let near = FuzzyTermQuery::new_prefix(Term::from_field_text(field, &typed.keys()), slips, true).automaton()?;
        let mut stream = dictionary.search(near).into_stream()?;
        while let Some((term, info)) = stream.next().filter(|_| found.len() < MAX_TERMS) {
            found.push((term.to_vec(), info.clone()));
        }
    } else {
        let keys = if typed.has_initials() { typed.initials().into_iter().collect() } else { typed.keys() };
        let end = format!("{keys}{}", char::MAX);
        let mut stream = dictionary.range().ge(&keys).lt(end).into_stream()?;
        while let Some((term, info)) = stream.next().filter(|_| found.len() < MAX_TERMS) {
            found.push((term.to_vec(), info.clone()));
        }
    }
    Ok(found)
}

fn parse(term: &str) -> Option<(bool, &str)> {
    let (_, rest) = term.split_once(SUGGESTION_MARK)?;
    let text = rest.strip_prefix('0');
    text.map(|text| (false, text)).or_else(|| rest.strip_prefix('1').map(|text| (true, text)))
}

/// Whether a word of the text begins as typed, consonants standing for any syllable that begins with them.
fn spells(typed: &Word, text: &str) -> bool {
    let letters = korean::fold(text);
    let stands_for = |asked: char, there: char| asked == there || korean::initial(there) == asked;
    letters.windows(typed.letters.len()).any(|run| {
        run.first().is_some_and(|letter| letter.starts_word)
            && run.iter().zip(&typed.letters).all(|(there, asked)| stands_for(*asked, there.ch))
    })
}
