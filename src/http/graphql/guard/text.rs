//! The text of a document: how many tokens, how deeply nested. It reads strings and comments as the parser does, so
//! that nothing can hide in them.

/// Why a text is not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Tokens,
    Nesting,
    Unterminated,
}

/// Stops as soon as a limit is passed.
pub fn scan(text: &str, most_tokens: usize, most_nesting: usize) -> Result<(), Refused> {
    let (mut rest, mut tokens, mut nesting) = (text, 0_usize, 0_usize);
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
            '"' => string(rest).ok_or(Refused::Unterminated)?,
            '_' | 'a'..='z' | 'A'..='Z' | '0'..='9' => {
                rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len())
            }
            '.' if rest.starts_with("...") => 3,
            other => other.len_utf8(),
        };
        match first {
            '{' | '(' | '[' => nesting = nesting.saturating_add(1),
            '}' | ')' | ']' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        tokens = tokens.saturating_add(1);
        if tokens > most_tokens {
            return Err(Refused::Tokens);
        }
        if nesting > most_nesting {
            return Err(Refused::Nesting);
        }
        rest = after(rest, length);
    }
    Ok(())
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
    use super::{Refused, scan};

    #[test]
    fn tokens_and_nesting_are_those_of_the_parser() {
        for (text, tokens, nesting) in [
            ("{ a }", 3, 1),
            ("{a(b:[1,2.5]){...F}}#{{{{", 15, 3),
            (r#"{ a(b: "{ \" {{") }"#, 8, 2),
            (r#"{ a(b: """ " \""" {{ """) }"#, 8, 2),
            (r#"{ a(b: "", c: "") }"#, 11, 2),
            ("query Q($v: [Int!]! = [1]) @d { a: b }", 22, 2),
        ] {
            assert_eq!(scan(text, tokens, nesting), Ok(()), "{text}");
            assert_eq!(scan(text, tokens - 1, nesting), Err(Refused::Tokens), "{text}");
            assert_eq!(scan(text, tokens, nesting - 1), Err(Refused::Nesting), "{text}");
        }
    }

    #[test]
    fn what_never_ends_is_not_read() {
        for text in ["{ a(b: \"x) }", "{ a(b: \"\"\"x) }", "{ a(b: \"x\n\") }", "{ a(b: \"x\\\") }"] {
            assert_eq!(scan(text, 100, 100), Err(Refused::Unterminated), "{text}");
        }
    }
}
