//! The settings: embedded defaults < a file < `SPOTLIGHT_*`. `config.default.toml` is the manual.
//!
//! All mistakes are reported at once, each with the name of the setting.

mod browsers;
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

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn read(environment: &[(&str, &str)]) -> Result<Config, Mistakes> {
        let pairs = environment.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect::<Vec<_>>();
        Config::layered(Figment::from(Toml::string(DEFAULTS)), &pairs, &[])
    }

    fn said(environment: &[(&str, &str)]) -> String {
        read(environment).map_or_else(|mistakes| mistakes.to_string(), |_| "accepted".to_owned())
    }

    #[test]
    fn the_defaults_are_complete() {
        assert!(Config::load(None, &[]).is_ok());
    }

    #[test]
    fn the_manual_has_the_defaults_of_the_edge() {
        let config = Config::load(None, &[]).unwrap();
        assert_eq!(format!("{:?}", config.edge), format!("{:?}", crate::http::EdgeSettings::default()));
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let mistakes = said(&[("environment", "production"), ("kakaopay.url", "ftp://x")]);
        let named = ["kakaopay.url", "kakaopay.secret_key", "kakaopay.cid", "mail.url", "server.public_url", "demo"];
        for setting in named {
            assert!(mistakes.lines().any(|line| line.starts_with(setting)), "{setting} in {mistakes:?}");
        }
    }

    #[test]
    fn production_has_no_sandbox_and_no_known_secret_for_social_sign_in() {
        let mistakes = |pairs: &[(&str, &str)]| {
            let said = said(&[&[("environment", "production")], pairs].concat());
            said.lines().filter(|line| line.starts_with("social.")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(mistakes(&[]).is_empty() && mistakes(&[("social.kakao.url", "off")]).is_empty());
        assert_eq!(mistakes(&[("social.naver.url", "sandbox:")]).len(), 1);
        let named = mistakes(&[("social.kakao.url", "https://kauth.kakao.com")]);
        for setting in ["client_id", "client_secret", "admin_key"] {
            assert!(named.iter().any(|line| line.starts_with(&format!("social.kakao.{setting}:"))), "{named:?}");
        }
        let given = [
            ("social.naver.url", "https://nid.naver.com"),
            ("social.naver.client_id", "0012"),
            ("social.naver.client_secret", "12e4"),
        ];
        assert_eq!(mistakes(&[&given[..2], &[("social.naver.client_secret", "")]].concat()).len(), 1);
        assert!(mistakes(&given).is_empty());
        assert!(read(&given).is_ok_and(|config| config.social.naver.client_id == "0012"));
        assert_eq!(said(&[("social.kakao.url", "kakao")]).lines().count(), 1);
    }

    #[test]
    fn production_tells_a_provider_no_secret_in_plain_words() {
        let is_refused = |setting: &str, url: &str| {
            let said = said(&[("environment", "production"), (setting, url)]);
            said.lines().any(|line| line.starts_with(setting))
        };
        for setting in ["social.kakao.url", "social.kakao.api_url", "social.naver.url", "social.naver.api_url"] {
            for (url, expected) in [
                ("http://kauth.kakao.com", true),
                ("http://10.0.0.9:9000", true),
                ("http://127.0.0.1:9000", false),
                ("http://[::1]:9000", false),
                ("http://localhost:9000", false),
                ("https://kauth.kakao.com", false),
            ] {
                assert_eq!(is_refused(setting, url), expected, "{setting} = {url}");
            }
        }
    }

    #[test]
    fn production_hashes_slowly_and_is_reached_by_https() {
        let named = |pairs: &[(&str, &str)]| {
            let said = said(&[&[("environment", "production")], pairs].concat());
            let is_named = |setting: &str| said.lines().any(|line| line.starts_with(setting));
            (is_named("server.public_url:"), is_named("auth.bcrypt_cost:"))
        };
        assert_eq!(named(&[("server.public_url", "http://x.kr"), ("auth.bcrypt_cost", "9")]), (true, true));
        assert_eq!(named(&[("server.public_url", "https://x.kr"), ("auth.bcrypt_cost", "10")]), (false, false));
        assert_eq!(said(&[("auth.bcrypt_cost", "4"), ("server.public_url", "http://x.kr")]), "accepted");
    }

    #[test]
    fn a_setting_that_cannot_be_read_is_named_in_plain_words() {
        for (key, text, expected) in [
            ("server.listen", "localhost:8080", "server.listen: must be an IP address and a port, like 127.0.0.1:8080"),
            ("database.max_connections", "0", "database.max_connections: must be from 1 to 10000"),
            ("database.acquire_seconds", "0", "database.acquire_seconds: must be from 1 to 600"),
            ("booking.hold_minutes", "9223372036854775807", "booking.hold_minutes: must be from 1 to 1440"),
            ("edge.heartbeat_seconds", "0", "edge.heartbeat_seconds: must be from 1 to 3600"),
            ("booking.hold_minutes", "soon", "booking.hold_minutes: must be a whole number"),
            ("environment", "staging", "environment: must be one of development, production"),
            (
                "mail.to",
                "x",
                "mail.to: no such setting; there are url, from, ca_file, max_connections, timeout_seconds",
            ),
            ("mail.max_connections", "0", "mail.max_connections: must be from 1 to 100"),
            ("mail.timeout_seconds", "60", "mail.timeout_seconds: must be less than worker.lease_seconds"),
            ("mail.url", "smtps:", "mail.url: has no host, or is not like smtps://user:password@host:port"),
        ] {
            assert_eq!(said(&[(key, text)]), expected, "{key}={text}");
        }
    }

    #[test]
    fn production_sends_mail_and_lets_nobody_overhear_it() {
        let mail = |url| {
            let mistakes = said(&[("environment", "production"), ("mail.url", url)]);
            mistakes.lines().find(|line| line.starts_with("mail.url")).map(str::to_owned)
        };
        for url in ["smtps://me:hunter2@mail.example.kr", "smtp+starttls://mail.example.kr", "smtp://10.0.0.9:25"] {
            assert_eq!(mail(url), None, "{url}");
        }
        assert!(mail("folder:").is_some_and(|why| why.contains("sends nothing")));
        let from = |from| said(&[("environment", "production"), ("mail.from", from)]).contains("mail.from");
        assert!(from("소극장 <no-reply@spotlight.test>") && from("no-reply@spotlight.test"));
        assert!(!from("소극장 <no-reply@example.kr>"));
        let why = mail("smtp://me:hunter2@mail.example.kr").unwrap();
        assert!(why.contains("smtps://") && !why.contains("hunter2"), "{why}");
    }

    #[test]
    fn a_secret_is_text_and_is_never_shown() {
        let key = |text| read(&[("kakaopay.secret_key", text)]).map(|config| config.kakaopay.secret_key);
        for text in ["1234567890", "0012", "true", "[1]"] {
            assert_eq!(key(text).ok().as_ref().map(ExposeSecret::expose_secret), Some(text));
        }
        let file = |toml: &str| {
            let figment = Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(toml));
            Config::layered(figment, &[], &[]).map_or_else(|mistakes| mistakes.to_string(), |_| "accepted".to_owned())
        };
        assert_eq!(file("[kakaopay]\nsecret_key = 1234567890"), "kakaopay.secret_key: must be a string");
        for mistake in [file("[kakaopay]\nsecret_key = \"hunter2"), said(&[("database.url", "12345678")])] {
            assert!(!mistake.contains("hunter2") && !mistake.contains("12345678"), "{mistake}");
        }
    }
}
