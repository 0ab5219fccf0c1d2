//! What settings are taken, and what is said of those that are not.

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
        ("mail.to", "x", "mail.to: no such setting; there are url, from, ca_file, max_connections, timeout_seconds"),
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
