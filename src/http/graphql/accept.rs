//! Which media type answers.

use axum::http::HeaderMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    GraphqlResponse,
    Json,
    EventStream,
}

impl Format {
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::EventStream => "text/event-stream",
        }
    }
}

/// The best of what the client accepts; `None` if it is none of ours. Without the header, `application/json`: what a
/// client from before the specification expects.
pub fn negotiate(headers: &HeaderMap) -> Option<Format> {
    let mut best: Option<(Format, f32)> = None;
    let accept = headers.get_all("accept");
    let mut is_given = false;
    for header in accept {
        is_given = true;
        for range in header.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Format::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => Format::Json,
                "text/event-stream" => Format::EventStream,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if quality > 0.0 && best.is_none_or(|(_, known)| quality > known) {
                best = Some((format, quality));
            }
        }
    }
    if is_given { best.map(|(format, _)| format) } else { Some(Format::Json) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_what_is_accepted() {
        for (accept, format) in [
            (None, Some(Format::Json)),
            (Some("*/*"), Some(Format::Json)),
            (Some("application/graphql-response+json"), Some(Format::GraphqlResponse)),
            (
                Some("application/graphql-response+json; charset=utf-8, application/json; q=0.9"),
                Some(Format::GraphqlResponse),
            ),
            (Some("application/json;q=0.5, application/graphql-response+json;q=0.9"), Some(Format::GraphqlResponse)),
            (Some("text/event-stream"), Some(Format::EventStream)),
            (Some("text/html"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(Ok(value)) = accept.map(str::parse) {
                headers.insert("accept", value);
            }
            assert_eq!(negotiate(&headers), format, "{accept:?}");
        }
    }
}
