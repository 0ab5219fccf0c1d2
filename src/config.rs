//! The settings: embedded defaults < a file < `SPOTLIGHT_*`. `config.default.toml` is the manual.
//!
//! All mistakes are reported at once, each with the name of the setting.

use crate::infra::db::DatabaseSettings;
use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use secrecy::SecretString;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

const DEFAULTS: &str = include_str!("config.default.toml");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub environment: Environment,
    pub data_dir: PathBuf,
    pub demo: bool,
    pub server: ServerSettings,
    pub web: WebSettings,
    pub time: TimeSettings,
    pub database: DatabaseSettings,
    pub kv: BackendSettings,
    pub search: BackendSettings,
    pub objects: BackendSettings,
    pub mail: MailSettings,
    pub kakaopay: KakaoPaySettings,
    pub auth: AuthSettings,
    pub booking: BookingSettings,
    pub worker: WorkerSettings,
    pub log: LogSettings,
    #[serde(default)]
    pub edge: crate::http::EdgeSettings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    Development,
    Production,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    pub listen: SocketAddr,
    pub public_url: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebSettings {
    pub allowed_origins: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSettings {
    pub zone: chrono_tz::Tz,
}

/// A backend that is nothing but its address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendSettings {
    pub url: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    pub url: String,
    pub from: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KakaoPaySettings {
    pub url: String,
    pub secret_key: SecretString,
    pub cid: String,
    pub timeout_seconds: u64,
    pub sandbox_expiry_minutes: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    pub issuer: String,
    pub audience: String,
    pub access_minutes: u64,
    pub refresh_days: u64,
    pub code_minutes: u64,
    pub code_tries: u32,
    pub bcrypt_cost: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookingSettings {
    pub hold_minutes: u64,
    pub payment_grace_seconds: u64,
    pub duplicate_guard_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerSettings {
    pub poll_millis: u64,
    pub concurrency: usize,
    pub max_attempts: u32,
    pub lease_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// Settings that cannot work, each in one line that names it.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Mistakes(pub Vec<String>);

impl Config {
    /// Defaults, then `file`, then the environment, then what the command line says (`"server.listen"`, value).
    pub fn load(file: Option<&Path>, overrides: &[(&str, figment::value::Value)]) -> Result<Self, Mistakes> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Mistakes(vec![format!("--config: there is no file {}", file.display())]));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        // `SPOTLIGHT_TEST_…` and `SPOTLIGHT_CI_…` belong to the checks, not to the server.
        let is_ours = |key: &figment::value::UncasedStr| {
            !["test_", "ci_"].iter().any(|prefix| key.as_str().to_ascii_lowercase().starts_with(prefix))
        };
        figment = figment.merge(Env::prefixed("SPOTLIGHT_").filter(is_ours).split("__"));
        for (key, value) in overrides {
            figment = figment.merge((*key, value.clone()));
        }
        let config: Self = figment
            .extract()
            .map_err(|errors| Mistakes(errors.into_iter().map(|error| error.to_string()).collect()))?;
        let mistakes = config.mistakes();
        if mistakes.is_empty() { Ok(config) } else { Err(Mistakes(mistakes)) }
    }

    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// How browsers reach this server, without a slash at the end.
    pub fn public_url(&self) -> String {
        if self.server.public_url.is_empty() {
            format!("http://{}", self.server.listen)
        } else {
            self.server.public_url.trim_end_matches('/').to_owned()
        }
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut wrong = |is_wrong: bool, setting: &str, why: &str| {
            if is_wrong {
                mistakes.push(format!("{setting}: {why}"));
            }
        };
        wrong(self.kv.url != "embedded:", "kv.url", "only embedded: is known");
        wrong(self.search.url != "embedded:", "search.url", "only embedded: is known");
        wrong(self.objects.url != "folder:", "objects.url", "only folder: is known");
        wrong(self.mail.url != "folder:", "mail.url", "only folder: is known");
        wrong(self.mail.from.parse::<lettre::message::Mailbox>().is_err(), "mail.from", "not a mail address");
        let kakaopay = &self.kakaopay.url;
        wrong(kakaopay != "sandbox:" && !is_http(kakaopay), "kakaopay.url", "neither sandbox: nor an http(s) address");
        wrong(!(4..=31).contains(&self.auth.bcrypt_cost), "auth.bcrypt_cost", "must be from 4 to 31");
        let public_url = &self.server.public_url;
        wrong(!public_url.is_empty() && !is_http(public_url), "server.public_url", "not an http(s) address");
        for origin in &self.web.allowed_origins {
            wrong(!is_http(origin), "web.allowed_origins", &format!("{origin:?} is not an http(s) origin"));
        }
        wrong(self.worker.concurrency == 0, "worker.concurrency", "must be at least 1");
        if self.is_production() {
            wrong(kakaopay == "sandbox:", "kakaopay.url", "the sandbox takes no real money: not in production");
            wrong(self.mail.url == "folder:", "mail.url", "a folder sends nothing: not in production");
            wrong(public_url.is_empty(), "server.public_url", "must be set in production");
            wrong(self.demo, "demo", "the demo world has known passwords: not in production");
        }
        mistakes
    }
}

fn is_http(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_complete() {
        assert!(Config::load(None, &[]).is_ok());
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let overrides: [(_, figment::value::Value); 2] =
            [("environment", "production".into()), ("kakaopay.url", "ftp://x".into())];
        let Err(Mistakes(mistakes)) = Config::load(None, &overrides) else { panic!("accepted") };
        for setting in ["kakaopay.url", "mail.url", "server.public_url", "demo"] {
            assert!(mistakes.iter().any(|line| line.starts_with(setting)), "{setting} in {mistakes:?}");
        }
    }
}
