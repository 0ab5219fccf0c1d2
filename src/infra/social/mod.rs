//! Kakao and Naver sign-in: what we ask of a provider, and who answers.
//!
//! [`kakao`] and [`naver`] talk to the real ones; [`sandbox`] is a server that speaks the same HTTP APIs, with a consent
//! page and faults. The clients are the same for both: only the address differs. Codes, tokens and keys are in no
//! `Debug` and in no log line; an access token lives for one call of [`SocialProvider::identify`] and is never kept.

mod http;
pub mod kakao;
pub mod naver;
pub mod sandbox;
mod token;

use crate::config::Config;
use async_trait::async_trait;
use entity::enums;
use std::{fmt::Debug, sync::Arc, time::Duration};

/// What we ask. Tests put a script in its place.
#[async_trait]
pub trait SocialProvider: Debug + Send + Sync + 'static {
    /// Whether a code is worthless without the verifier that its way began with (PKCE).
    fn takes_pkce(&self) -> bool;
    /// Where the browser goes to be asked.
    fn authorize_url(&self, asked: &Asked<'_>) -> String;
    /// Exchanges the code, and asks who it is.
    async fn identify(&self, code: &Code<'_>) -> Result<Identity, CallError>;
    /// Tells the provider that the person is no longer with us; `Ok` if it has forgotten them already, or if it cannot be
    /// told without a token of theirs.
    async fn unlink(&self, subject: &str) -> Result<(), CallError>;
}

/// The beginning of one way through a provider's page.
pub struct Asked<'a> {
    pub redirect_uri: &'a str,
    pub state: &'a str,
    /// 43 to 128 characters; only where PKCE is taken.
    pub verifier: Option<&'a str>,
}

/// The end of it.
pub struct Code<'a> {
    pub code: &'a str,
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub verifier: Option<&'a str>,
}

/// Who the provider says that it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider's stable id of the person, 1 to 190 characters.
    pub subject: String,
    pub nickname: Option<String>,
    /// Only one that the provider says is verified.
    pub email: Option<String>,
}

/// Personal.
impl Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

/// Why nobody was identified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The code was used, has expired or was never given out: begin again.
    #[error("the code is not good")]
    BadCode,
    /// Our own id, key or address is refused: nobody can sign in until that is mended.
    #[error("refused: {0}")]
    Refused(String),
    /// Nothing usable came back in time.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// The providers that are switched on.
#[derive(Clone, Debug)]
pub struct Social {
    pub kakao: Option<Arc<dyn SocialProvider>>,
    pub naver: Option<Arc<dyn SocialProvider>>,
}

impl Social {
    /// The clients for what the settings name.
    pub fn build(config: &Config) -> Result<Self, CallError> {
        let (kakao, naver) = (&config.social.kakao, &config.social.naver);
        let client = |seconds: u64| http::Http::new(Duration::from_secs(seconds));
        let mut social = Self { kakao: None, naver: None };
        if let Some(hosts) = config.social_hosts(enums::SocialProvider::Kakao) {
            let built = kakao::Kakao::new(client(kakao.timeout_seconds)?, &hosts, kakao)?;
            social.kakao = Some(Arc::new(built));
        }
        if let Some(hosts) = config.social_hosts(enums::SocialProvider::Naver) {
            let built = naver::Naver::new(client(naver.timeout_seconds)?, &hosts, naver)?;
            social.naver = Some(Arc::new(built));
        }
        Ok(social)
    }

    pub fn of(&self, provider: enums::SocialProvider) -> Option<&Arc<dyn SocialProvider>> {
        match provider {
            enums::SocialProvider::Kakao => self.kakao.as_ref(),
            enums::SocialProvider::Naver => self.naver.as_ref(),
        }
    }
}

/// A provider's two addresses, without a slash at the end.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// Signs in.
    pub auth: String,
    /// Tells profiles.
    pub api: String,
}

impl Config {
    /// Whether the sandbox stands in for the provider: never in production, and on this machine only, as whoever reaches it is
    /// whoever they say.
    pub fn is_social_sandbox(&self, provider: enums::SocialProvider) -> bool {
        let url = match provider {
            enums::SocialProvider::Kakao => &self.social.kakao.url,
            enums::SocialProvider::Naver => &self.social.naver.url,
        };
        !self.is_production() && self.server.listen.ip().is_loopback() && matches!(url.as_str(), "" | "sandbox:")
    }

    /// `None` if the provider is off.
    fn social_hosts(&self, provider: enums::SocialProvider) -> Option<Hosts> {
        let (url, api, sandbox) = match provider {
            enums::SocialProvider::Kakao => (&self.social.kakao.url, &self.social.kakao.api_url, sandbox::KAKAO),
            enums::SocialProvider::Naver => (&self.social.naver.url, &self.social.naver.api_url, sandbox::NAVER),
        };
        if self.is_social_sandbox(provider) {
            let here = format!("{}{sandbox}", self.public_url());
            return Some(Hosts { auth: here.clone(), api: here });
        }
        if matches!(url.as_str(), "" | "off" | "sandbox:") {
            return None;
        }
        let plain = |address: &str| address.trim_end_matches('/').to_owned();
        Some(Hosts { auth: plain(url), api: plain(api) })
    }
}
