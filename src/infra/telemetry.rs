//! Log lines: text for people, JSON for machines. To standard error, because standard output is for what was asked.

use crate::config::{LogFormat, LogSettings};
use std::io::{IsTerminal, stderr};
use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

/// They show what they carry at their finest level: passwords and tokens. Their next one tells enough.
const TALKATIVE: [&str; 6] = ["h2", "hyper", "lettre", "rustls", "tokio_tungstenite", "tungstenite"];

/// What was asked for, but no secrets; neither by a part of what is talkative.
fn discreet(asked: Targets) -> Targets {
    let is_talkative = |target: &str| {
        TALKATIVE
            .iter()
            .any(|name| target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
    };
    let finer: Vec<String> = asked.iter().map(|(target, _)| target.to_owned()).filter(|t| is_talkative(t)).collect();
    let mut filter = asked;
    for target in TALKATIVE.into_iter().map(str::to_owned).chain(finer) {
        let target = target.as_str();
        if filter.would_enable(target, &Level::TRACE) {
            filter = filter.with_target(target, LevelFilter::DEBUG);
        }
    }
    filter
}

/// Called once, by the binary. A filter that cannot be read is a mistake in `log.filter`.
pub fn start(settings: &LogSettings) -> Result<(), String> {
    let filter: Targets = settings.filter.parse().map_err(|error| format!("log.filter: {error}"))?;
    let filter = discreet(filter);
    let lines = fmt::layer().with_ansi(stderr().is_terminal()).with_writer(stderr);
    let started = match settings.format {
        LogFormat::Text => registry().with(filter).with(lines).try_init(),
        LogFormat::Json => registry().with(filter).with(lines.json()).try_init(),
    };
    started.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_directive_however_fine_lets_a_secret_through() {
        for filter in
            ["trace", "hyper=trace", "info,hyper::proto=trace", "hyper::proto::h1=trace,lettre::transport=trace"]
        {
            let filter = discreet(filter.parse().unwrap());
            for target in ["hyper", "hyper::proto", "hyper::proto::h1::io", "lettre::transport::smtp"] {
                assert!(!filter.would_enable(target, &Level::TRACE), "{target} by {filter}");
            }
        }
        let filter = discreet("hyper_of_ours=trace,spotlight=trace,hyper::proto=debug".parse().unwrap());
        assert!(filter.would_enable("spotlight::auth", &Level::TRACE));
        assert!(filter.would_enable("hyper_of_ours", &Level::TRACE));
        assert!(filter.would_enable("hyper::proto", &Level::DEBUG));
    }
}
