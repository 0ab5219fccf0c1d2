//! The settings: embedded defaults < a file < `SPOTLIGHT_*`. `config.default.toml` is the manual.
//!
//! All mistakes are reported at once, each with the name of the setting.

mod browsers;
#[cfg(test)]
mod tests;
mod wrong;

use crate::infra::{db::DatabaseSettings, kv::KvSettings};
use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

const DEFAULTS: &str = include_str!("config.default.toml");

/// Settings that are text whatever they look like in the environment.
const TEXTS: [&str; 11] = [
    "database.url",
    "kv.url",
    "alert.url",
    "kakaopay.secret_key",
    "kakaopay.cid",
    "mail.url",
    "social.kakao.client_id",
    "social.kakao.client_secret",
    "social.kakao.admin_key",
    "social.naver.client_id",
    "social.naver.client_secret",
];

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
    pub kv: KvSettings,
    pub search: BackendSettings,
    pub objects: BackendSettings,
    pub mail: crate::infra::mail::MailSettings,
    pub kakaopay: KakaoPaySettings,
    pub alert: AlertSettings,
    pub social: SocialSettings,
    pub auth: AuthSettings,
    pub booking: BookingSettings,
    pub points: PointSettings,
    pub worker: WorkerSettings,
    pub audit: AuditSettings,
    pub metrics: MetricsSettings,
    pub log: LogSettings,
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
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    pub public_url: String,
    pub trusted_proxies: Vec<ipnet::IpNet>,
    pub connections: crate::http::ConnectionSettings,
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
pub struct KakaoPaySettings {
    pub url: String,
    pub secret_key: SecretString,
    pub cid: String,
    pub timeout_seconds: u64,
    pub sandbox_expiry_minutes: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertSettings {
    /// Whoever has it may write into the channel.
    pub url: SecretString,
    pub payment_stuck_minutes: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocialSettings {
    pub kakao: KakaoSettings,
    pub naver: NaverSettings,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KakaoSettings {
    pub url: String,
    pub api_url: String,
    pub client_id: String,
    pub client_secret: SecretString,
    pub admin_key: SecretString,
    pub timeout_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NaverSettings {
    pub url: String,
    pub api_url: String,
    pub client_id: String,
    pub client_secret: SecretString,
    pub timeout_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    pub issuer: String,
    pub audience: String,
    pub access_seconds: u64,
    pub refresh_days: u64,
    pub code_minutes: u64,
    pub code_tries: u32,
    pub bcrypt_cost: u32,
    pub bcrypt_threads: usize,
    pub reset_minutes: u64,
    pub keys_dir: PathBuf,
    pub throttle: ThrottleSettings,
}

/// Tries in one window.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThrottleSettings {
    pub window_minutes: u64,
    pub sign_in_by_account_and_address: u32,
    pub sign_in_by_address: u32,
    pub sign_in_by_account: u32,
    pub codes_by_email: u32,
    pub codes_by_address: u32,
    pub proofs_by_email_and_address: u32,
    pub proofs_by_address: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookingSettings {
    pub hold_minutes: u64,
    pub payment_grace_seconds: u64,
    pub duplicate_guard_seconds: u64,
    pub group_most: usize,
    pub writers_per_event: usize,
    pub waiting_per_event: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointSettings {
    pub charge_least: i64,
    pub charge_most: i64,
    pub charge_minutes: u64,
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
pub struct AuditSettings {
    /// 0: never.
    pub every_minutes: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSettings {
    pub allowed: Vec<ipnet::IpNet>,
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
        Self::layered(figment, &environment(), overrides)
    }

    fn layered(
        mut figment: Figment,
        environment: &[(String, String)],
        overrides: &[(&str, figment::value::Value)],
    ) -> Result<Self, Mistakes> {
        for (key, text) in environment {
            // Text stays as it is typed: digits alone would be read as a number, and lose their leading zeros.
            let value = if TEXTS.contains(&key.as_str()) {
                figment::value::Value::from(text.as_str())
            } else {
                let Ok(value) = text.parse::<figment::value::Value>();
                value
            };
            figment = figment.merge((key.as_str(), value));
        }
        for (key, value) in overrides {
            figment = figment.merge((*key, value.clone()));
        }
        let config: Self = figment
            .extract()
            .map_err(|errors| Mistakes(errors.into_iter().map(|error| wrong::unreadable(&error)).collect()))?;
        let mistakes = config.mistakes();
        if mistakes.is_empty() { Ok(config) } else { Err(Mistakes(mistakes)) }
    }

    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Where the keys of the tokens lie.
    pub fn keys_dir(&self) -> PathBuf {
        let folder = &self.auth.keys_dir;
        if folder.as_os_str().is_empty() { self.data_dir.join("keys") } else { folder.clone() }
    }

    /// Whether `/mail` is served: the letters hold everybody's codes, so nobody but this machine may read them.
    pub fn shows_mail(&self) -> bool {
        self.mail.is_folder() && !self.is_production() && self.server.listen.ip().is_loopback()
    }

    /// How browsers reach this server, without a slash at the end.
    pub fn public_url(&self) -> String {
        if self.server.public_url.is_empty() {
            format!("http://{}", self.server.listen)
        } else {
            self.server.public_url.trim_end_matches('/').to_owned()
        }
    }
}

/// What `SPOTLIGHT_…` says; `SPOTLIGHT_TEST_…` and `SPOTLIGHT_CI_…` belong to the checks, not to the server.
fn environment() -> Vec<(String, String)> {
    let is_ours = |key: &figment::value::UncasedStr| {
        !["test_", "ci_"].iter().any(|prefix| key.as_str().to_ascii_lowercase().starts_with(prefix))
    };
    let ours = Env::prefixed("SPOTLIGHT_").filter(is_ours).split("__");
    ours.iter().map(|(key, text)| (key.as_str().to_owned(), text)).collect()
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let why = || D::Error::custom("must be an IP address and a port, like 127.0.0.1:8080");
    String::deserialize(deserializer).map_err(|_| why())?.parse().map_err(|_| why())
}

fn is_http(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
