//! Which media type answers.

use async_graphql::parser::types::OperationType;
use axum::http::{HeaderMap, HeaderValue};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    GraphqlResponse,
    Json,
    EventStream,
}

impl Format {
    pub const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json",
            Self::Json => "application/json",
            Self::EventStream => "text/event-stream",
        }
    }
}

/// The formats that a client accepts, best first. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted(Vec<Format>);

impl Accepted {
    /// `None` if the client accepts none of ours. Without the header it is `application/json`: what a client from before
    /// the specification expects; the same where a wildcard leaves it to us.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let given: Vec<&str> =
            headers.get_all("accept").iter().map(|value| value.to_str().unwrap_or_default()).collect();
        if given.is_empty() {
            return Some(Self(vec![Format::Json]));
        }
        let ranges: Vec<Range> = given.iter().flat_map(|text| text.split(',')).filter_map(Range::parse).collect();
        // On a tie the order here decides, unless the client names both.
        let formats = [Format::Json, Format::GraphqlResponse, Format::EventStream];
        let mut found: Vec<(Format, Rank)> = formats.into_iter().filter_map(|f| Some((f, rank(&ranges, f)?))).collect();
        found.sort_by(|(_, one), (_, other)| one.order(other));
        if found.is_empty() { None } else { Some(Self(found.into_iter().map(|(format, _)| format).collect())) }
    }

    /// For what is known before the operation is: the best.
    pub fn best(&self) -> Format {
        self.0.first().copied().unwrap_or(Format::Json)
    }

    /// A subscription needs a stream wherever one is accepted; clients send one header for all their operations.
    pub fn for_operation(&self, kind: OperationType) -> Format {
        let is_stream = kind == OperationType::Subscription && self.0.contains(&Format::EventStream);
        if is_stream { Format::EventStream } else { self.best() }
    }
}

struct Range {
    name: String,
    quality: f32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
        let name = parts.next().filter(|name| !name.is_empty())?;
        let mut quality = 1.0;
        for part in parts {
            match part.split_once('=').map(|(key, value)| (key.trim(), value.trim().trim_matches('"'))) {
                Some(("q", value)) => quality = value.parse().unwrap_or(0.0),
                // We speak UTF-8 only.
                Some(("charset", value)) if !matches!(value, "utf-8" | "utf8") => return None,
                _ => {}
            }
        }
        Some(Self { name, quality })
    }

    /// 2 for the name itself, 1 for its kind, 0 for everything.
    fn specificity(&self, format: Format) -> Option<u8> {
        match self.name.as_str() {
            name if name == format.name() => Some(2),
            "application/*" if format != Format::EventStream => Some(1),
            "text/*" if format == Format::EventStream => Some(1),
            // A stream is a choice that a client makes by name.
            "*/*" if format != Format::EventStream => Some(0),
            _ => None,
        }
    }
}

struct Rank {
    quality: f32,
    specificity: u8,
    place: usize,
}

impl Rank {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let by_quality = other.quality.total_cmp(&self.quality);
        by_quality.then(other.specificity.cmp(&self.specificity)).then(self.place.cmp(&other.place))
    }
}

/// From the most specific range that fits; `None` if none does, or that one forbids it.
fn rank(ranges: &[Range], format: Format) -> Option<Rank> {
    let fits = ranges.iter().enumerate().filter_map(|(place, range)| {
        Some(Rank { quality: range.quality, specificity: range.specificity(format)?, place })
    });
    fits.reduce(|best, next| if next.specificity > best.specificity { next } else { best })
        .filter(|rank| rank.quality > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(accept: Option<&'static str>) -> Option<Format> {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert("accept", HeaderValue::from_static(accept));
        }
        Accepted::of(&headers).map(|accepted| accepted.best())
    }

    #[test]
    fn the_best_of_what_is_accepted() {
        for (accept, format) in [
            (None, Some(Format::Json)),
            (Some("*/*"), Some(Format::Json)),
            (Some("application/*"), Some(Format::Json)),
            (Some("application/graphql-response+json"), Some(Format::GraphqlResponse)),
            (
                Some("application/graphql-response+json; charset=utf-8, application/json; q=0.9"),
                Some(Format::GraphqlResponse),
            ),
            (Some("application/json, application/graphql-response+json"), Some(Format::Json)),
            (Some("application/json;q=0.5, application/graphql-response+json;q=0.9"), Some(Format::GraphqlResponse)),
            (Some("application/json;q=0, */*"), Some(Format::GraphqlResponse)),
            (Some("*/*, application/graphql-response+json"), Some(Format::GraphqlResponse)),
            (Some("text/event-stream"), Some(Format::EventStream)),
            (Some("text/html, */*;q=0.8"), Some(Format::Json)),
            (Some("text/html"), None),
            (Some("application/json; charset=iso-8859-1"), None),
            (Some("application/json;q=0"), None),
        ] {
            assert_eq!(best(accept), format, "{accept:?}");
        }
    }

    #[test]
    fn a_subscription_takes_the_stream_that_stands_beside() {
        let mut headers = HeaderMap::new();
        let accept = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
        headers.insert("accept", HeaderValue::from_static(accept));
        let formats = Accepted::of(&headers).map(|accepted| {
            [OperationType::Subscription, OperationType::Query].map(|kind| accepted.for_operation(kind))
        });
        assert_eq!(formats, Some([Format::EventStream, Format::GraphqlResponse]));
    }
}
