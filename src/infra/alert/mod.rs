//! What the people who run this are told at once: a line in the log, or a message in a Slack channel. Sent by jobs, so that
//! a channel that is away delays nothing and loses nothing.

mod slack;

use crate::error::{Error, Result};
use secrecy::{ExposeSecret, SecretString};
pub use slack::Slack;

/// Where alerts go. `log:` needs nothing.
#[derive(Debug)]
pub enum Alert {
    Log,
    Slack(Slack),
}

impl Alert {
    /// From `alert.url`; the settings have been checked.
    pub fn open(url: &SecretString) -> Result<Self, reqwest::Error> {
        match url.expose_secret() {
            "log:" => Ok(Self::Log),
            _ => Slack::new(url.clone()).map(Self::Slack),
        }
    }

    /// Tells it. [`Error::Unavailable`] if the channel is away, for the job to come back.
    pub async fn send(&self, text: &str) -> Result<()> {
        match self {
            Self::Log => {
                tracing::error!(alert = text, "alert");
                Ok(())
            }
            Self::Slack(slack) => slack.post(text).await,
        }
    }
}

/// The channel is away for the moment.
fn away(why: impl std::fmt::Display) -> Error {
    Error::Unavailable(format!("alert: {why}"))
}
