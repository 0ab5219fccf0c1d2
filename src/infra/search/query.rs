//! From a question to a tantivy query.
//!
//! Every clause scores a constant, and constants are sums of powers of two: a score is exact whatever the order of the
//! additions, and says only how this event matches these words. It does not move when other events come and go, so
//! that pages by relevance neither skip nor repeat. A match in the title outweighs matches in all other parts
//! together, and so on down the parts.

use super::reading;
use super::schema::{Fields, Part};
use super::words::{Word, joined, slips_allowed};
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, EmptyQuery, FuzzyTermQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

type Clause = Box<dyn Query>;

/// How closely an event must match the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    /// It has every word, letter by letter but for spaces.
    Exact,
    /// It has most words, some with a slip of the finger.
    Near,
}

/// What a match in each part is worth. With all extras a match is worth less than two and a half times this, so four times less ranks strictly below.
fn weighed(fields: &Fields) -> [(Part, f32); 5] {
    [(fields.title, 512.0), (fields.artist, 128.0), (fields.venue, 32.0), (fields.address, 8.0), (fields.content, 2.0)]
}

/// Events that have the words. No word at all is found nowhere.
pub(super) fn text_query(fields: &Fields, words: &[Word], strictness: Strictness) -> Clause {
    match strictness {
        _ if words.is_empty() => Box::new(EmptyQuery),
        Strictness::Exact => all(words.iter().map(|word| exactly(fields, word)).collect()),
        Strictness::Near => nearly(fields, words),
    }
}

/// Events at a place. Adds nothing to the score.
pub(super) fn place_query(fields: &Fields, words: &[Word]) -> Clause {
    let at = |word: &Word| {
        any([fields.venue, fields.address]
            .iter()
            .flat_map(|part| [within(part.words, word), from_start(part.joined, word)])
            .collect())
    };
    scored(all(words.iter().map(at).collect()), 0.0)
}

/// Both must hold; all events if neither is given.
pub(super) fn both(text: Option<Clause>, place: Option<Clause>) -> Clause {
    match (text, place) {
        (None, None) => scored(Box::new(AllQuery), 0.0),
        (Some(only), None) | (None, Some(only)) => only,
        (Some(text), Some(place)) => all(vec![text, place]),
    }
}

fn exactly(fields: &Fields, word: &Word) -> Clause {
    let mut clauses = Vec::new();
    for (part, weight) in weighed(fields) {
        clauses.push(in_words(part.words, word, weight));
        let Some(short) = part.short else { continue };
        clauses.push(scored(from_start(part.joined, word), weight / 4.0));
        if word.has_initials() {
            clauses.push(by_initials(part.words, short.initials, word, weight / 4.0));
        }
    }
    any(clauses)
}

/// A part of a word: more if the word begins with it, if it is the word, if it is all there is.
fn in_words(field: Field, word: &Word, weight: f32) -> Clause {
    let letters = &word.letters;
    let whole = term(field, &reading::whole(letters.iter().copied()));
    with_extras(
        scored(within(field, word), weight),
        vec![
            scored(run(field, letters, Edges { starts: true, ends: false }), weight / 4.0),
            scored(run(field, letters, Edges { starts: true, ends: true }), weight / 8.0),
            scored(whole, weight / 8.0),
        ],
    )
}

fn by_initials(words: Field, initials: Field, word: &Word, weight: f32) -> Clause {
    let letters = word.initials();
    let spelled_out = word.spelled_out().map(|letters| run(words, letters, Edges::default()));
    let found = all(std::iter::once(run(initials, &letters, Edges::default())).chain(spelled_out).collect());
    let starts = run(initials, &letters, Edges { starts: true, ends: false });
    with_extras(scored(found, weight), vec![scored(starts, weight / 2.0)])
}

/// Two of three words are enough, each as it is or with slips; or all words as one.
fn nearly(fields: &Fields, words: &[Word]) -> Clause {
    let each = words.iter().map(|word| any(vec![exactly(fields, word), with_slips(fields, word)]));
    let clauses = each.map(|clause| (Occur::Should, clause)).collect();
    let enough = if words.len() < 3 { words.len() } else { (words.len() * 2).div_ceil(3) };
    let most: Clause = Box::new(BooleanQuery::with_minimum_required_clauses(clauses, enough));
    let as_one = joined(words).filter(|_| words.len() > 1).map(|word| with_slips(fields, &word));
    any(std::iter::once(most).chain(as_one).collect())
}

fn with_slips(fields: &Fields, word: &Word) -> Clause {
    let keys: String = word.keys().chars().take(reading::SLIP_KEYS).collect();
    let slips = slips_allowed(keys.chars().count());
    let mut clauses = vec![scored(run(fields.content.joined, &word.letters, Edges::default()), 0.25)];
    for (part, weight) in weighed(fields) {
        let Some(short) = part.short else { continue };
        for allowed in 0..=slips {
            let near = FuzzyTermQuery::new_prefix(Term::from_field_text(short.slips, &keys), allowed, true);
            clauses.push(scored(Box::new(near), weight / 16.0));
        }
    }
    any(clauses)
}

/// Whether a run of letters must be at the edges of words.
#[derive(Clone, Copy, Default)]
struct Edges {
    starts: bool,
    ends: bool,
}

fn within(field: Field, word: &Word) -> Clause {
    run(field, &word.letters, Edges::default())
}

fn from_start(field: Field, word: &Word) -> Clause {
    run(field, &word.letters, Edges { starts: true, ends: false })
}

/// These letters, one after the other.
fn run(field: Field, letters: &[char], edges: Edges) -> Clause {
    let mut terms: Vec<(usize, String)> = Vec::new();
    if let (true, Some(ch)) = (edges.starts, letters.first()) {
        terms.push((0, reading::first(*ch)));
    }
    for (place, neighbours) in letters.windows(2).enumerate() {
        if let [a, b] = neighbours {
            terms.push((place, reading::pair(*a, *b)));
        }
    }
    if let (true, Some(ch)) = (edges.ends, letters.last()) {
        terms.push((letters.len() - 1, reading::last(*ch)));
    }
    match (terms.as_slice(), letters) {
        ([], [only]) => term(field, &only.to_string()),
        ([], _) => Box::new(EmptyQuery),
        ([(_, only)], _) => term(field, only),
        _ => {
            let terms = terms.into_iter().map(|(place, text)| (place, Term::from_field_text(field, &text)));
            Box::new(PhraseQuery::new_with_offset(terms.collect()))
        }
    }
}

fn term(field: Field, text: &str) -> Clause {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic))
}

fn scored(query: Clause, score: f32) -> Clause {
    Box::new(ConstScoreQuery::new(query, score))
}

fn all(clauses: Vec<Clause>) -> Clause {
    Box::new(BooleanQuery::intersection(clauses))
}

fn any(clauses: Vec<Clause>) -> Clause {
    Box::new(BooleanQuery::union(clauses))
}

fn with_extras(required: Clause, extras: Vec<Clause>) -> Clause {
    let extras = extras.into_iter().map(|clause| (Occur::Should, clause));
    Box::new(BooleanQuery::new(std::iter::once((Occur::Must, required)).chain(extras).collect()))
}
