//! The terms under which a text can be found, and where each stands.
//!
//! A text is indexed as single letters and as pairs of neighbours, each at the place of its first letter, so that a run
//! of letters anywhere in a word is found exactly, as a phrase of pairs. `^` marks the first letter of a word, `$` the
//! last, `=` the whole text.

use super::korean::{self, Letter};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Keys in a term of [`Reading::Slips`]: longer words are compared by their beginning.
pub(super) const SLIP_KEYS: usize = 32;
/// Letters of a text that a suggestion can be found by.
const SUGGESTED_LETTERS: usize = 24;
/// Parts the keys of a suggestion from what is suggested.
pub(super) const SUGGESTION_MARK: char = '\u{1}';

/// A way to read a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Letters and pairs within words; a space is a gap that no phrase crosses.
    Words,
    /// Pairs as if nobody had typed a space.
    Joined,
    /// Letters and pairs of initial consonants, as if nobody had typed a space.
    Initials,
    /// The keys of the text from each syllable on, to be compared with slips of the finger.
    Slips,
    /// The keys and the initials of the text from each word on, then the text itself.
    Suggestions,
}

impl Reading {
    /// The name under which the index knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Joined => "joined",
            Self::Initials => "initials",
            Self::Slips => "slips",
            Self::Suggestions => "suggestions",
        }
    }

    pub const ALL: [Self; 5] = [Self::Words, Self::Joined, Self::Initials, Self::Slips, Self::Suggestions];

    fn terms(self, text: &str) -> Vec<(usize, String)> {
        let mut letters = korean::fold(text);
        match self {
            Self::Words => runs(&letters, true),
            Self::Joined => joined(&letters),
            Self::Initials => {
                letters.iter_mut().for_each(|letter| letter.ch = korean::initial(letter.ch));
                runs(&letters, false)
            }
            Self::Slips => slips(&letters),
            Self::Suggestions => suggestions(text, &letters),
        }
    }
}

/// Single letters and pairs. `spaces_part`: whether a space is a gap.
fn runs(letters: &[Letter], spaces_part: bool) -> Vec<(usize, String)> {
    let mut terms = Vec::with_capacity(letters.len() * 3 + 1);
    if !letters.is_empty() {
        terms.push((0, whole(letters.iter().map(|letter| letter.ch))));
    }
    let mut place = 0;
    for (at, letter) in letters.iter().enumerate() {
        if spaces_part && letter.spaced {
            place += 1;
        }
        let next = letters.get(at + 1);
        terms.push((place, letter.ch.into()));
        if letter.starts_word {
            terms.push((place, first(letter.ch)));
        }
        if next.is_none_or(|next| next.starts_word) {
            terms.push((place, last(letter.ch)));
        }
        if let Some(next) = next.filter(|next| !(spaces_part && next.spaced)) {
            terms.push((place, pair(letter.ch, next.ch)));
        }
        place += 1;
    }
    terms
}

/// Pairs as if nobody had typed a space, and where words begin. All else is in [`Reading::Words`].
fn joined(letters: &[Letter]) -> Vec<(usize, String)> {
    let mut terms = Vec::with_capacity(letters.len() * 2);
    for (place, letter) in letters.iter().enumerate() {
        if letter.starts_word {
            terms.push((place, first(letter.ch)));
        }
        if let Some(next) = letters.get(place + 1) {
            terms.push((place, pair(letter.ch, next.ch)));
        }
    }
    terms
}

/// The term of two neighbours.
pub(super) fn pair(a: char, b: char) -> String {
    String::from_iter([a, b])
}

/// The term of the first letter of a word.
pub(super) fn first(ch: char) -> String {
    String::from_iter(['^', ch])
}

/// The term of the last letter of a word.
pub(super) fn last(ch: char) -> String {
    String::from_iter([ch, '$'])
}

/// The term of a whole text, as far as a title can be long.
pub(super) fn whole(letters: impl Iterator<Item = char>) -> String {
    std::iter::once('=').chain(letters.take(100)).collect()
}

fn slips(letters: &[Letter]) -> Vec<(usize, String)> {
    let from_here = |at| letters.iter().skip(at).take(SLIP_KEYS).map(|letter| letter.ch);
    let begins = |letter: &Letter| letter.starts_word || korean::is_syllable(letter.ch);
    (letters.iter().enumerate().filter(|(_, letter)| begins(letter)))
        .map(|(at, _)| (at, korean::jamo(from_here(at)).chars().take(SLIP_KEYS).collect()))
        .collect()
}

/// `keys`, the mark, `0` if the text begins so or `1` if a later word does, the text.
fn suggestions(text: &str, letters: &[Letter]) -> Vec<(usize, String)> {
    let mut terms = Vec::new();
    for (at, _) in letters.iter().enumerate().filter(|(_, letter)| letter.starts_word) {
        let from_here = || letters.iter().skip(at).take(SUGGESTED_LETTERS).map(|letter| letter.ch);
        let later = if at == 0 { '0' } else { '1' };
        let text = text.trim();
        terms.push((at, format!("{}{SUGGESTION_MARK}{later}{text}", korean::jamo(from_here()))));
        let initials: String = from_here().map(korean::initial).collect();
        terms.push((at, format!("{initials}{SUGGESTION_MARK}{later}{text}")));
    }
    terms
}

impl Tokenizer for Reading {
    type TokenStream<'a> = Terms;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Terms {
        Terms { terms: self.terms(text).into_iter(), token: Token::default() }
    }
}

/// The terms of one text.
pub(super) struct Terms {
    terms: std::vec::IntoIter<(usize, String)>,
    token: Token,
}

impl TokenStream for Terms {
    fn advance(&mut self) -> bool {
        let Some((position, text)) = self.terms.next() else { return false };
        self.token = Token { offset_from: 0, offset_to: 0, position, text, position_length: 1 };
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(reading: Reading, text: &str) -> Vec<String> {
        reading.terms(text).into_iter().map(|(place, term)| format!("{place}{term}")).collect()
    }

    #[test]
    fn no_pair_of_words_crosses_a_space() {
        assert_eq!(
            terms(Reading::Words, "인디 록"),
            ["0=인디록", "0인", "0^인", "0인디", "1디", "1디$", "3록", "3^록", "3록$"]
        );
    }

    #[test]
    fn joined_text_has_no_gap() {
        assert_eq!(terms(Reading::Joined, "인디 록"), ["0^인", "0인디", "1디록", "2^록"]);
    }

    #[test]
    fn slips_begin_at_every_syllable_and_at_words_of_other_letters() {
        assert_eq!(terms(Reading::Slips, "록 ab"), ["0ㄹㅗㄱab", "1ab"]);
    }

    #[test]
    fn a_suggestion_is_found_by_keys_and_by_initials() {
        assert_eq!(
            terms(Reading::Suggestions, "록 밤"),
            ["0ㄹㅗㄱㅂㅏㅁ\u{1}0록 밤", "0ㄹㅂ\u{1}0록 밤", "1ㅂㅏㅁ\u{1}1록 밤", "1ㅂ\u{1}1록 밤"]
        );
    }
}
