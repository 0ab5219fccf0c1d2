//! How text is read: letters, jamo and initial consonants. Pure; what is indexed, what is asked and what is highlighted
//! all pass through here, so that they meet.
//!
//! A text is its letters and digits in NFKC and lower case; everything else only separates. A syllable is told apart
//! into the keys that one presses for it on the common keyboard (과 is ㄱㅗㅏ, 값 is ㄱㅏㅂㅅ): a slip of the finger
//! is then one letter, and a word half typed is a prefix. Jamo are the compatibility letters (U+3131…), the ones that
//! people see when they type a bare consonant.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A letter or a digit, and where in the text it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub ch: char,
    /// The bytes of the text that it came from. Two letters of one character (㎏) share them.
    pub from: usize,
    pub to: usize,
    /// Nothing, or something that is no letter, stands before it.
    pub starts_word: bool,
    /// White space stands before it.
    pub spaced: bool,
}

const FIRST_SYLLABLE: u32 = 0xAC00;
const INITIALS: [char; 19] =
    ['ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ', 'ㅍ', 'ㅎ'];
const VOWELS: [&str; 21] = [
    "ㅏ", "ㅐ", "ㅑ", "ㅒ", "ㅓ", "ㅔ", "ㅕ", "ㅖ", "ㅗ", "ㅗㅏ", "ㅗㅐ", "ㅗㅣ", "ㅛ", "ㅜ", "ㅜㅓ", "ㅜㅔ", "ㅜㅣ",
    "ㅠ", "ㅡ", "ㅡㅣ", "ㅣ",
];
const FINALS: [&str; 28] = [
    "", "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ", "ㄹㅌ", "ㄹㅍ", "ㄹㅎ",
    "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ",
];

/// Two consonants in one letter, which keyboards make of ㅂ and ㅅ typed after each other, are two keys.
const CLUSTERS: [(char, &str); 11] = [
    ('ㄳ', "ㄱㅅ"),
    ('ㄵ', "ㄴㅈ"),
    ('ㄶ', "ㄴㅎ"),
    ('ㄺ', "ㄹㄱ"),
    ('ㄻ', "ㄹㅁ"),
    ('ㄼ', "ㄹㅂ"),
    ('ㄽ', "ㄹㅅ"),
    ('ㄾ', "ㄹㅌ"),
    ('ㄿ', "ㄹㅍ"),
    ('ㅀ', "ㄹㅎ"),
    ('ㅄ', "ㅂㅅ"),
];

/// A whole syllable, as places in the three tables above.
fn syllable(ch: char) -> Option<(usize, usize, usize)> {
    let place = usize::try_from(u32::from(ch).checked_sub(FIRST_SYLLABLE)?).ok()?;
    (place < 19 * 21 * 28).then_some((place / (21 * 28), place / 28 % 21, place % 28))
}

/// Whether this is a Hangul syllable.
pub(super) fn is_syllable(ch: char) -> bool {
    syllable(ch).is_some()
}

/// Whether this is a consonant that stands alone.
pub(super) fn is_consonant(ch: char) -> bool {
    ('ㄱ'..='ㅎ').contains(&ch)
}

/// The initial consonant of a syllable; any other letter is its own.
pub(super) fn initial(ch: char) -> char {
    syllable(ch).and_then(|(initial, ..)| INITIALS.get(initial).copied()).unwrap_or(ch)
}

/// Adds the keys that one presses for this letter.
pub(super) fn push_jamo(ch: char, out: &mut String) {
    let Some((first, vowel, last)) = syllable(ch) else { return out.push(ch) };
    out.push(INITIALS.get(first).copied().unwrap_or(ch));
    out.push_str(VOWELS.get(vowel).copied().unwrap_or_default());
    out.push_str(FINALS.get(last).copied().unwrap_or_default());
}

/// The keys that one presses for these letters.
pub(super) fn jamo(letters: impl IntoIterator<Item = char>) -> String {
    let mut out = String::new();
    for ch in letters {
        push_jamo(ch, &mut out);
    }
    out
}

/// The letters and digits of a text.
pub(super) fn fold(text: &str) -> Vec<Letter> {
    let mut letters = Vec::with_capacity(text.len() / 2);
    let (mut starts_word, mut spaced) = (true, false);
    let mut rest = text;
    while !rest.is_empty() {
        let from = text.len() - rest.len();
        let (cluster, tail) = rest.split_at(cluster_length(rest));
        rest = tail;
        let before = letters.len();
        fold_cluster(cluster, |ch| {
            letters.push(Letter { ch, from, to: from + cluster.len(), starts_word, spaced });
            (starts_word, spaced) = (false, false);
        });
        if letters.len() == before {
            starts_word = true;
            spaced |= cluster.contains(char::is_whitespace);
        }
    }
    letters
}

/// Only the letters.
pub(super) fn letters(text: &str) -> Vec<char> {
    fold(text).into_iter().map(|letter| letter.ch).collect()
}

/// The bytes of the first character and of those that can melt into it: marks, and the later jamo of a syllable that
/// is written as jamo (as file systems of one maker do).
fn cluster_length(text: &str) -> usize {
    let joins = |ch: char| ('\u{1160}'..='\u{11FF}').contains(&ch) || is_combining_mark(ch);
    text.char_indices().skip(1).find(|(_, ch)| !joins(*ch)).map_or(text.len(), |(at, _)| at)
}

fn fold_cluster(cluster: &str, mut push: impl FnMut(char)) {
    let mut chars = cluster.chars();
    if let (Some(only), None) = (chars.next(), chars.next()) {
        // What NFKC would not touch, or would make half a syllable of.
        if is_syllable(only) || ('ㄱ'..='ㅣ').contains(&only) {
            return match lone_letter(only) {
                Some(keys) => keys.chars().for_each(push),
                None => push(only),
            };
        }
        if only.is_ascii_alphanumeric() {
            return push(only.to_ascii_lowercase());
        }
    }
    for ch in cluster.nfkc().flat_map(char::to_lowercase) {
        match lone_jamo(ch) {
            Some(jamo) => jamo.chars().for_each(&mut push),
            None if ch.is_alphanumeric() => push(ch),
            None => {}
        }
    }
}

/// The keys of a letter that people see as one but press as two.
fn lone_letter(ch: char) -> Option<&'static str> {
    let cluster = CLUSTERS.iter().find(|(cluster, _)| *cluster == ch).map(|(_, keys)| *keys);
    let vowel = || VOWELS.get(usize::try_from(u32::from(ch).checked_sub(u32::from('ㅏ'))?).ok()?).copied();
    cluster.or_else(vowel)
}

/// Half a syllable (U+1100…) that met no other half, as the letters that people see.
fn lone_jamo(ch: char) -> Option<String> {
    let within = |first: u32| usize::try_from(u32::from(ch).checked_sub(first)?).ok();
    let first = || within(0x1100).and_then(|place| INITIALS.get(place).copied()).map(String::from);
    let vowel = || within(0x1161).and_then(|place| VOWELS.get(place).copied()).map(String::from);
    let last = || within(0x11A8).and_then(|place| FINALS.get(place + 1).copied()).map(String::from);
    first().or_else(vowel).or_else(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        letters(text).into_iter().collect()
    }

    #[test]
    fn text_is_read_the_same_however_it_is_written() {
        for (text, expected) in [
            ("소극장", "소극장"),
            ("JAZZ Night", "jazznight"),
            ("ＪＡＺＺ　２０２６", "jazz2026"),
            ("\u{1109}\u{1169}\u{1100}\u{1173}\u{11A8}", "소극"),
            ("ㅅㄱㅈ", "ㅅㄱㅈ"),
            ("ㅄ", "ㅂㅅ"),
            ("ㄳ", "ㄱㅅ"),
            ("\u{1100} \u{1161} \u{11AA}", "ㄱㅏㄱㅅ"),
            ("소ㄳ", "소ㄱㅅ"),
            ("ㅏㅘ", "ㅏㅗㅏ"),
            ("㎏", "kg"),
            ("Cafe\u{301}", "café"),
            ("R&B, 록!", "rb록"),
            ("🎸 ... ", ""),
            ("", ""),
        ] {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    #[test]
    fn syllables_come_apart_into_the_keys_one_presses() {
        for (text, expected) in [
            ("소극장", "ㅅㅗㄱㅡㄱㅈㅏㅇ"),
            ("과일", "ㄱㅗㅏㅇㅣㄹ"),
            ("값", "ㄱㅏㅂㅅ"),
            ("가", "ㄱㅏ"),
            ("힣", "ㅎㅣㅎ"),
            ("쌍", "ㅆㅏㅇ"),
            ("kpop", "kpop"),
        ] {
            assert_eq!(jamo(text.chars()), expected, "{text}");
        }
    }

    #[test]
    fn each_syllable_has_its_initial() {
        for (text, expected) in [("소극장", "ㅅㄱㅈ"), ("떡볶이", "ㄸㅂㅇ"), ("a1ㅋ", "a1ㅋ")] {
            assert_eq!(text.chars().map(initial).collect::<String>(), expected);
        }
    }

    #[test]
    fn a_letter_knows_its_bytes_and_its_place_in_a_word() {
        let letters = fold("인디(밴드) ㎏");
        let seen: Vec<_> = letters.iter().map(|l| (l.ch, l.from, l.to, l.starts_word, l.spaced)).collect();
        assert_eq!(
            seen,
            [
                ('인', 0, 3, true, false),
                ('디', 3, 6, false, false),
                ('밴', 7, 10, true, false),
                ('드', 10, 13, false, false),
                ('k', 15, 18, true, true),
                ('g', 15, 18, false, false),
            ]
        );
    }
}
