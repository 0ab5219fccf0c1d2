//! The text of a document: how many tokens, how deeply nested. It reads strings and comments as the parser does, so
//! that nothing can hide in them.

/// What a text has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub tokens: usize,
    /// Brackets of any kind inside each other.
    pub nesting: usize,
}

/// One walk over the text; `None` if a string in it does not end.
pub fn scan(text: &str) -> Option<Size> {
    let (mut rest, mut open, mut size) = (text, 0_usize, Size::default());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ' ' | '\t' | ',' | '\r' | '\n' | '\u{feff}' => {
                rest = after(rest, first.len_utf8());
                continue;
            }
            '#' => {
                rest = after(rest, rest.find(['\r', '\n']).unwrap_or(rest.len()));
                continue;
            }
            '"' => string(rest)?,
            '0'..='9' => rest.find(|c: char| c != '.' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len()),
            '_' | 'a'..='z' | 'A'..='Z' => {
                rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len())
            }
            '.' if rest.starts_with("...") => 3,
            other => other.len_utf8(),
        };
        match first {
            '{' | '(' | '[' => open = open.saturating_add(1),
            '}' | ')' | ']' => open = open.saturating_sub(1),
            _ => {}
        }
        size = Size { tokens: size.tokens.saturating_add(1), nesting: size.nesting.max(open) };
        rest = after(rest, length);
    }
    Some(size)
}

fn after(text: &str, length: usize) -> &str {
    text.get(length..).unwrap_or_default()
}

/// How long the string is that the text begins with.
fn string(text: &str) -> Option<usize> {
    if let Some(content) = text.strip_prefix("\"\"\"") {
        return block_string(content).map(|length| length.saturating_add(6));
    }
    let mut is_escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'\n' | b'\r' => return None,
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(place.saturating_add(1)),
            _ => {}
        }
    }
    None
}

/// How long its content is.
fn block_string(content: &str) -> Option<usize> {
    let mut from = 0_usize;
    loop {
        let quotes = after(content, from).find("\"\"\"")?.saturating_add(from);
        if !content.get(..quotes)?.ends_with('\\') {
            return Some(quotes);
        }
        from = quotes.saturating_add(3);
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, scan};

    #[test]
    fn tokens_and_nesting_are_those_of_the_parser() {
        for (text, tokens, nesting) in [
            ("{ a }", 3, 1),
            ("{a(b:[1,2.5]){...F}}#{{{{", 15, 3),
            (r#"{ a(b: "{ \" {{") }"#, 8, 2),
            (r#"{ a(b: """ " \""" {{ """) }"#, 8, 2),
            (r#"{ a(b: "", c: "") }"#, 11, 2),
            ("query Q($v: [Int!]! = [1]) @d { a: b }", 23, 2),
        ] {
            assert_eq!(scan(text), Some(Size { tokens, nesting }), "{text}");
        }
    }

    #[test]
    fn what_never_ends_is_not_read() {
        for text in ["{ a(b: \"x) }", "{ a(b: \"\"\"x) }", "{ a(b: \"x\n\") }", "{ a(b: \"x\\\") }"] {
            assert_eq!(scan(text), None, "{text}");
        }
    }
}
