//! Slips of the finger: where in a text a word stands, give or take a few keys. Pure.

use super::korean::{self, Letter};

/// The letters (first, and how many) that come nearest to `keys`, if they are no more than `allowed` slips away.
/// The first of equally near ones; as many letters as make it nearest, and no more.
pub(super) fn nearest(letters: &[Letter], keys: &[char], allowed: u8) -> Option<(usize, usize)> {
    let begins = |letter: &Letter| letter.starts_word || korean::is_syllable(letter.ch);
    let starts = letters.iter().enumerate().filter(|(_, letter)| begins(letter)).map(|(at, _)| at);
    let near = starts.filter_map(|from| {
        let (slips, length) = nearest_from(letters.get(from..)?, keys)?;
        (slips <= usize::from(allowed)).then_some((slips, from, length))
    });
    near.min().map(|(_, from, length)| (from, length))
}

/// The fewest slips between the keys and a beginning of the letters, and how many letters that beginning has.
fn nearest_from(letters: &[Letter], keys: &[char]) -> Option<(usize, usize)> {
    let mut rows = Rows::new(keys);
    let mut best: Option<(usize, usize)> = None;
    for (at, letter) in letters.iter().enumerate().take(keys.len() + 2) {
        let mut spelled = String::new();
        korean::push_jamo(letter.ch, &mut spelled);
        for key in spelled.chars() {
            rows.read(key, keys);
            // A match may end within a syllable: who types 소그 has not slipped, and means 소극.
            let slips = rows.slips();
            if best.is_none_or(|(fewest, _)| slips < fewest) {
                best = Some((slips, at + 1));
            }
        }
    }
    best
}

/// The last three rows of the table of edit distances (neighbours that changed places are one slip).
struct Rows {
    older: Vec<usize>,
    old: Vec<usize>,
    before: Option<char>,
}

impl Rows {
    fn new(keys: &[char]) -> Self {
        Self { older: Vec::new(), old: (0..=keys.len()).collect(), before: None }
    }

    fn slips(&self) -> usize {
        self.old.last().copied().unwrap_or(usize::MAX)
    }

    fn read(&mut self, key: char, keys: &[char]) {
        let mut row = vec![self.old.first().copied().unwrap_or_default() + 1];
        for (at, wanted) in keys.iter().enumerate() {
            let get = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX / 2);
            let same = usize::from(*wanted != key);
            let mut slips = (get(&self.old, at) + same).min(get(&self.old, at + 1) + 1).min(get(&row, at) + 1);
            let swapped = at > 0 && self.before == Some(*wanted) && keys.get(at - 1) == Some(&key);
            if swapped {
                slips = slips.min(get(&self.older, at - 1) + 1);
            }
            row.push(slips);
        }
        self.older = std::mem::replace(&mut self.old, row);
        self.before = Some(key);
    }
}

#[cfg(test)]
mod tests {
    use super::super::korean::{fold, jamo};
    use super::*;

    #[test]
    fn a_word_is_found_in_spite_of_slips() {
        for (text, word, allowed, expected) in [
            ("대학로 소극장", "소극장", 1, Some((3, 3))),
            ("대학로 소극장", "소극짱", 1, Some((3, 3))),
            ("대학로 소극장", "소극자", 1, Some((3, 3))),
            ("대학로 소극장", "극쟝", 1, Some((4, 2))),
            ("대학로 소극장", "소국잔", 1, None),
            ("대학로 소극장", "소국잔", 2, Some((3, 3))),
            ("festival", "fesitval", 1, Some((0, 8))),
        ] {
            let keys: Vec<char> = jamo(word.chars()).chars().collect();
            assert_eq!(nearest(&fold(text), &keys, allowed), expected, "{word} in {text}");
        }
    }
}
