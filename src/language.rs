//! The two languages that people are answered in.

use crate::error::Text;

/// Korean unless somebody prefers English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    Ko,
    En,
}

impl Language {
    /// As it is stored with a person.
    pub fn of_member(code: &str) -> Self {
        if code == "en" { Self::En } else { Self::Ko }
    }

    pub const fn code(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
        }
    }

    /// From an `Accept-Language` header: the first of the two that it names.
    pub fn preferred(header: Option<&str>) -> Self {
        header
            .into_iter()
            .flat_map(|header| header.split(','))
            .find_map(|range| match range.trim().get(..2)?.to_ascii_lowercase().as_str() {
                "ko" => Some(Self::Ko),
                "en" => Some(Self::En),
                _ => None,
            })
            .unwrap_or_default()
    }

    pub fn of(self, text: &Text) -> &str {
        match self {
            Self::Ko => &text.ko,
            Self::En => &text.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_first_known_language_wins() {
        for (header, language) in [
            (None, Language::Ko),
            (Some("en-US,en;q=0.9,ko;q=0.8"), Language::En),
            (Some("fr, ko;q=0.5"), Language::Ko),
            (Some("é"), Language::Ko),
        ] {
            assert_eq!(Language::preferred(header), language, "{header:?}");
        }
    }
}
