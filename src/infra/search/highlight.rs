//! Shows where a text matches: HTML with `<em>` around what matched, the rest escaped. Pure.
//!
//! It finds again, letter by letter, what the index found: parts of words, words in spite of spaces, initial
//! consonants and slips of the finger in titles.

use super::korean::{self, Letter, fold};
use super::slip;
use super::words::{Word, joined, slips_allowed};

/// Characters of content that a snippet shows ahead of the first match, and in all.
const AHEAD: usize = 40;
const SNIPPET: usize = 160;

/// The whole title, if anything in it matches.
pub(super) fn title(text: &str, words: &[Word]) -> Option<String> {
    let letters = fold(text);
    let mut marks = Marks::over(&letters);
    for word in words {
        let found = marks.exactly(word, true) || marks.nearly(word);
        if !found {
            marks.exactly_anywhere(word);
        }
    }
    if marks.is_empty() {
        joined(words).filter(|_| words.len() > 1).map(|word| marks.nearly(&word));
    }
    marks.first()?;
    Some(render(text, &marks.spans(), 0, text.len()))
}

/// A piece of the content around the first match, if there is one.
pub(super) fn content(text: &str, words: &[Word]) -> Option<String> {
    let letters = fold(text);
    let mut marks = Marks::over(&letters);
    for word in words {
        if !marks.exactly(word, false) {
            marks.exactly_anywhere(word);
        }
    }
    let first = marks.first()?;
    let from = text.get(..first)?.char_indices().rev().nth(AHEAD - 1).map_or(0, |(at, _)| at);
    let until = text.get(from..)?.char_indices().nth(SNIPPET).map_or(text.len(), |(at, _)| from + at);
    let lead = if from > 0 { "…" } else { "" };
    let tail = if until < text.len() { "…" } else { "" };
    Some(format!("{lead}{}{tail}", render(text, &marks.spans(), from, until).trim()))
}

/// Which letters matched.
struct Marks<'a> {
    letters: &'a [Letter],
    marked: Vec<bool>,
}

impl<'a> Marks<'a> {
    fn over(letters: &'a [Letter]) -> Self {
        Self { letters, marked: vec![false; letters.len()] }
    }

    fn mark(&mut self, from: usize, length: usize) {
        self.marked.iter_mut().skip(from).take(length).for_each(|marked| *marked = true);
    }

    /// Marks the word within words, and across spaces from the start of a word.
    fn exactly(&mut self, word: &Word, with_initials: bool) -> bool {
        self.occurrences(word, with_initials, |run| {
            run.first().is_some_and(|letter| letter.starts_word) || !run.iter().skip(1).any(|letter| letter.spaced)
        })
    }

    fn exactly_anywhere(&mut self, word: &Word) -> bool {
        self.occurrences(word, false, |_| true)
    }

    fn occurrences(&mut self, word: &Word, with_initials: bool, counts: impl Fn(&[Letter]) -> bool) -> bool {
        let stands_for = |asked: char, there: char| {
            asked == there || with_initials && korean::is_consonant(asked) && korean::initial(there) == asked
        };
        let matches = |run: &[Letter]| {
            run.iter().zip(&word.letters).all(|(there, asked)| stands_for(*asked, there.ch)) && counts(run)
        };
        let runs = self.letters.windows(word.letters.len()).enumerate();
        let found: Vec<usize> = runs.filter(|(_, run)| matches(run)).map(|(at, _)| at).collect();
        for at in &found {
            self.mark(*at, word.letters.len());
        }
        !found.is_empty()
    }

    /// Marks what is nearest to the word, if it is near enough.
    fn nearly(&mut self, word: &Word) -> bool {
        let keys: Vec<char> = word.keys().chars().collect();
        let Some((from, length)) = slip::nearest(self.letters, &keys, slips_allowed(keys.len())) else { return false };
        self.mark(from, length);
        true
    }

    fn is_empty(&self) -> bool {
        !self.marked.contains(&true)
    }

    /// Where the first match begins.
    fn first(&self) -> Option<usize> {
        self.letters.iter().zip(&self.marked).find(|(_, marked)| **marked).map(|(letter, _)| letter.from)
    }

    /// Marked neighbours in one, as bytes.
    fn spans(&self) -> Vec<(usize, usize)> {
        let mut spans: Vec<(usize, usize)> = Vec::new();
        let mut open = false;
        for (letter, marked) in self.letters.iter().zip(&self.marked) {
            match spans.last_mut().filter(|_| open) {
                Some(span) if *marked => span.1 = letter.to,
                _ if *marked => spans.push((letter.from, letter.to)),
                _ => {}
            }
            open = *marked;
        }
        spans
    }
}

fn render(text: &str, spans: &[(usize, usize)], from: usize, until: usize) -> String {
    let mut html = String::with_capacity(until.saturating_sub(from) + 32);
    let mut at = from;
    for (start, end) in spans.iter().map(|(start, end)| (*start.max(&from), *end.min(&until))) {
        if start < at || start >= end {
            continue;
        }
        push_escaped(&mut html, text.get(at..start));
        html.push_str("<em>");
        push_escaped(&mut html, text.get(start..end));
        html.push_str("</em>");
        at = end;
    }
    push_escaped(&mut html, text.get(at..until));
    html
}

/// Runs of white space become one space.
fn push_escaped(html: &mut String, text: Option<&str>) {
    for ch in text.unwrap_or_default().chars() {
        match ch {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            ch if ch.is_whitespace() => {
                if !html.ends_with(' ') {
                    html.push(' ');
                }
            }
            ch => html.push(ch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;

    #[test]
    fn titles_show_what_matched() {
        for (text, asked, expected) in [
            ("대학로 소극장", "극장", Some("대학로 소<em>극장</em>")),
            ("인디 밴드의 밤", "인디밴드", Some("<em>인디 밴드</em>의 밤")),
            ("인디밴드", "인디 밴드", Some("<em>인디밴드</em>")),
            ("소극장의 밤", "ㅅㄱㅈ", Some("<em>소극장</em>의 밤")),
            ("소극장의 밤", "소극짱", Some("<em>소극장</em>의 밤")),
            ("Jazz & <Blues>", "blues", Some("Jazz &amp; &lt;<em>Blues</em>&gt;")),
            ("재즈", "연극", None),
        ] {
            assert_eq!(title(text, &words(asked)).as_deref(), expected, "{asked} in {text}");
        }
    }

    #[test]
    fn a_long_content_is_cut_around_the_first_match() {
        let text = format!("{}소극장\n\n{}", "가 ".repeat(200), "나 ".repeat(200));
        let snippet = content(&text, &words("소극장")).unwrap_or_default();
        assert!(snippet.starts_with("…가") && snippet.ends_with('…'), "{snippet}");
        assert!(snippet.contains("가 <em>소극장</em> 나"), "{snippet}");
        assert!(snippet.chars().count() < 180);
        assert_eq!(content(&text, &words("ㅅㄱㅈ")), None);
    }
}
