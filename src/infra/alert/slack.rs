//! Slack's incoming webhook: a POST with `{"text": …}` to an address that is itself the secret. It answers 200 `ok`; 429
//! and 5xx ask to come back, any other refusal (`no_service`, `invalid_payload`) is for people to mend.
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use super::away;
use crate::error::{Error, Result};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

#[derive(Debug)]
pub struct Slack {
    http: reqwest::Client,
    url: SecretString,
}

impl Slack {
    pub fn new(url: SecretString) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { http, url })
    }

    pub(super) async fn post(&self, text: &str) -> Result<()> {
        let body = serde_json::json!({ "text": escaped(text) });
        let sent = self.http.post(self.url.expose_secret()).json(&body).send().await;
        // Without the address: whoever reads it in the log could write into the channel.
        let answer = sent.map_err(|error| away(error.without_url()))?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            status @ (408 | 429 | 500..=599) => Err(away(format!("HTTP {status}"))),
            status => Err(Error::fault(format!("alert.url: refused with HTTP {status}"))),
        }
    }
}

/// The three characters that Slack reads as its own.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
