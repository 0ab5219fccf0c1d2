//! What a letter says, told once: its text and its HTML are both made from the same blocks, so they cannot disagree.

use super::page;
use crate::language::Language;

/// A letter to one person.
#[derive(Clone, Debug)]
pub struct Letter {
    pub(super) id: String,
    pub(super) to: String,
    pub(super) language: Language,
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A piece of a letter, in plain words: what a person typed may stand in it, it is escaped where that is needed.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Paragraph(String),
    /// To be typed somewhere else: large.
    Code(String),
    Link {
        label: String,
        url: String,
    },
    /// Smaller, below the rest.
    Note(String),
}

impl Letter {
    /// `id` is the letter's own (ASCII letters, digits, `-` and `_`): sent twice under one id, it is the same letter.
    pub fn new(id: impl Into<String>, to: impl Into<String>, language: Language, title: impl Into<String>) -> Self {
        // A line break would end the subject's header line.
        let title = title.into().replace(char::is_control, " ");
        Self { id: id.into(), to: to.into(), language, title, blocks: Vec::new() }
    }

    #[must_use]
    pub fn paragraph(self, text: impl Into<String>) -> Self {
        self.with(Block::Paragraph(text.into()))
    }

    #[must_use]
    pub fn code(self, code: impl Into<String>) -> Self {
        self.with(Block::Code(code.into()))
    }

    #[must_use]
    pub fn link(self, label: impl Into<String>, url: &url::Url) -> Self {
        self.with(Block::Link { label: label.into(), url: url.to_string() })
    }

    #[must_use]
    pub fn note(self, text: impl Into<String>) -> Self {
        self.with(Block::Note(text.into()))
    }

    fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// The title behind the sender's name.
    pub fn subject(&self) -> String {
        match self.language {
            Language::Ko => format!("[소극장] {}", self.title),
            Language::En => format!("[Spotlight Space] {}", self.title),
        }
    }

    pub fn text(&self) -> String {
        let mut lines = vec![self.title.clone()];
        lines.extend(self.blocks.iter().map(|block| match block {
            Block::Paragraph(text) | Block::Note(text) => text.clone(),
            Block::Code(code) => format!("    {code}"),
            Block::Link { label, url } => format!("{label}: {url}"),
        }));
        lines.push(format!("-- \n{}", page::signature(self.language)));
        lines.join("\n\n")
    }

    pub fn html(&self) -> String {
        page::html(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        let url = url::Url::parse("https://space.example/events?a=1&b=\"2\"").unwrap();
        Letter::new("l1", "me@example.kr", Language::Ko, "제목 <b>\r\nBcc: you@example.kr")
            .paragraph("<script>alert(1)</script> & 친구")
            .code("012345")
            .link("공연 보기", &url)
            .note("안녕히")
    }

    #[test]
    fn both_parts_say_the_same() {
        let (text, html) = (letter().text(), letter().html());
        for word in ["친구", "012345", "공연 보기", "https://space.example/events", "안녕히"] {
            assert!(text.contains(word) && html.contains(word), "{word}");
        }
    }

    #[test]
    fn what_a_person_typed_is_text_and_never_markup() {
        let html = letter().html();
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp;"), "{html}");
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(letter().text().contains("<script>alert(1)</script> & 친구"));
    }

    #[test]
    fn a_title_stays_on_its_line() {
        assert_eq!(letter().subject(), "[소극장] 제목 <b>  Bcc: you@example.kr");
    }

    #[test]
    fn a_letter_asks_nobody_for_anything() {
        let html = letter().html();
        for word in ["<img", "@import", "src=", "<link", "url("] {
            assert!(!html.contains(word), "{word} in {html}");
        }
    }
}
