//! Log lines: text for people, JSON for machines. To standard error, because standard output is for what was asked.

use crate::config::{LogFormat, LogSettings};
use std::io::{IsTerminal, stderr};
use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

/// They show what they carry at their finest level: passwords and tokens. Their next one tells enough.
const TALKATIVE: [&str; 6] = ["h2", "hyper", "lettre", "rustls", "tokio_tungstenite", "tungstenite"];

/// What was asked for, but no secrets.
fn discreet(mut filter: Targets) -> Targets {
    for target in TALKATIVE {
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
