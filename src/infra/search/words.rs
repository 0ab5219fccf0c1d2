//! What a person typed, taken apart. Pure.

use super::korean;

/// Words that count; more do not narrow a search of events any further.
const MAX_WORDS: usize = 8;
/// Letters of a word that count.
const MAX_LETTERS: usize = 40;

/// A word that is looked for: what stands between two spaces, without its punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub letters: Vec<char>,
}

impl Word {
    fn new(letters: impl IntoIterator<Item = char>) -> Option<Self> {
        let letters: Vec<char> = letters.into_iter().take(MAX_LETTERS).collect();
        (!letters.is_empty()).then_some(Self { letters })
    }

    /// Consonants stand for syllables that begin with them.
    pub fn has_initials(&self) -> bool {
        self.letters.iter().copied().any(korean::is_consonant)
    }

    pub fn initials(&self) -> Vec<char> {
        self.letters.iter().copied().map(korean::initial).collect()
    }

    /// The runs of letters between the consonants.
    pub fn spelled_out(&self) -> impl Iterator<Item = &[char]> {
        self.letters.split(|ch| korean::is_consonant(*ch)).filter(|run| !run.is_empty())
    }

    /// The keys that one presses for the word.
    pub fn keys(&self) -> String {
        korean::jamo(self.letters.iter().copied())
    }
}

/// The different words of a text, in its order.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for word in text.split_whitespace().filter_map(|word| Word::new(korean::letters(word))) {
        if words.len() < MAX_WORDS && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// All words as one.
pub(super) fn joined(words: &[Word]) -> Option<Word> {
    Word::new(words.iter().flat_map(|word| word.letters.iter().copied()))
}

/// How many slips of the finger a word of so many keys may hold: in short words one slip makes another word.
pub(super) fn slips_allowed(keys: usize) -> u8 {
    match keys {
        0..4 => 0,
        4..9 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_punctuation_and_repetition() {
        let spelled = |text| words(text).iter().map(|word| word.letters.iter().collect()).collect::<Vec<String>>();
        assert_eq!(spelled("  R&B  인디,밴드 r&b!  ?? "), ["rb", "인디밴드"]);
        assert_eq!(spelled(" \t"), Vec::<String>::new());
    }

    #[test]
    fn consonants_stand_for_syllables() {
        for (text, expected) in [("ㅅㄱㅈ", true), ("소ㄱㅈ", true), ("소극장", false), ("abc", false)] {
            assert_eq!(words(text).iter().any(Word::has_initials), expected, "{text}");
        }
    }
}
