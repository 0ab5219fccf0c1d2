//! What is wrong with the settings, each in one line that names the setting and never shows a secret's value.

use super::{Config, is_http};
use figment::error::Kind;
use secrecy::ExposeSecret;
use std::ops::RangeInclusive;

/// What stands in the embedded defaults, known to everybody: no account of anybody's.
const SANDBOX_SECRET_KEY: &str = "SANDBOX";
/// KakaoPay's own for tests: nothing is paid out to it.
const TEST_CID: &str = "TC0ONETIME";

/// OWASP's least for bcrypt.
const LEAST_COST: u32 = 10;

/// A setting that cannot be read. The value is not repeated: it may be a secret.
pub(super) fn unreadable(error: &figment::Error) -> String {
    let setting = error.path.join(".");
    match &error.kind {
        Kind::InvalidType(_, wanted) | Kind::InvalidValue(_, wanted) => match wanted.as_str() {
            "u64" | "u32" | "usize" => format!("{setting}: must be a whole number"),
            wanted => format!("{setting}: must be {wanted}"),
        },
        Kind::InvalidLength(_, wanted) => format!("{setting}: must have {wanted}"),
        Kind::UnknownVariant(_, known) => format!("{setting}: must be one of {}", known.join(", ")),
        Kind::UnknownField(name, known) => {
            let setting = if setting.ends_with(name.as_str()) { setting } else { under(&setting, name) };
            format!("{setting}: no such setting; there are {}", known.join(", "))
        }
        Kind::MissingField(name) => format!("{}: missing", under(&setting, name)),
        Kind::DuplicateField(name) => format!("{}: stands there twice", under(&setting, name)),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => format!("{setting}: out of range"),
        Kind::Unsupported(_) | Kind::UnsupportedKey(..) => format!("{setting}: not a value for a setting"),
        Kind::Message(why) if setting.is_empty() => format!("--config: {}", without_excerpt(why)),
        Kind::Message(why) => format!("{setting}: {why}"),
    }
}

fn under(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

/// TOML's own words show the line, where a secret may stand.
fn without_excerpt(why: &str) -> String {
    why.lines().filter(|line| !line.contains('|')).map(str::trim).collect::<Vec<_>>().join(" ")
}

impl Config {
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        self.check_backends(&mut mistakes);
        self.check_numbers(&mut mistakes);
        if self.is_production() {
            self.check_production(&mut mistakes);
        }
        mistakes
    }

    fn check_backends(&self, mistakes: &mut Vec<String>) {
        let mut wrong = |is_wrong: bool, setting: &str, why: &str| {
            if is_wrong {
                mistakes.push(format!("{setting}: {why}"));
            }
        };
        let kv = self.kv.url.expose_secret();
        let is_redis = ["redis://", "rediss://", "redis-cluster://", "rediss-cluster://"]
            .iter()
            .any(|scheme| kv.starts_with(scheme));
        wrong(
            kv != "embedded:" && !(is_redis && crate::infra::kv::is_address(kv)),
            "kv.url",
            "none of embedded:, redis://, rediss://, redis-cluster://, rediss-cluster://",
        );
        wrong(self.search.url != "embedded:", "search.url", "only embedded: is known");
        wrong(self.objects.url != "folder:", "objects.url", "only folder: is known");
        if let (false, Err(why)) = (self.mail.is_folder(), self.mail.address()) {
            wrong(true, "mail.url", why);
        }
        let is_short = self.booking.payment_grace_seconds <= self.kakaopay.timeout_seconds;
        wrong(is_short, "booking.payment_grace_seconds", "must be more than kakaopay.timeout_seconds");
        let is_long = self.kakaopay.timeout_seconds >= self.edge.operation_time.as_secs();
        wrong(is_long, "kakaopay.timeout_seconds", "must be less than edge.operation_seconds");
        let is_long = self.mail.timeout_seconds >= self.worker.lease_seconds;
        wrong(is_long, "mail.timeout_seconds", "must be less than worker.lease_seconds");
        wrong(self.mail.from.parse::<lettre::message::Mailbox>().is_err(), "mail.from", "not a mail address");
        let alert = self.alert.url.expose_secret();
        wrong(alert != "log:" && !is_http(alert), "alert.url", "neither log: nor an http(s) address");
        let kakaopay = &self.kakaopay.url;
        wrong(kakaopay != "sandbox:" && !is_http(kakaopay), "kakaopay.url", "neither sandbox: nor an http(s) address");
        for (setting, url) in
            [("social.kakao.url", &self.social.kakao.url), ("social.naver.url", &self.social.naver.url)]
        {
            let is_known = matches!(url.as_str(), "" | "off" | "sandbox:") || is_http(url);
            wrong(!is_known, setting, "neither empty, off, sandbox: nor an http(s) address");
        }
        wrong(!is_http(&self.social.kakao.api_url), "social.kakao.api_url", "not an http(s) address");
        wrong(!is_http(&self.social.naver.api_url), "social.naver.api_url", "not an http(s) address");
        let public_url = &self.server.public_url;
        wrong(!public_url.is_empty() && !is_http(public_url), "server.public_url", "not an http(s) address");
        for origin in &self.web.allowed_origins {
            wrong(!is_http(origin), "web.allowed_origins", &format!("{origin:?} is not an http(s) origin"));
        }
    }

    /// Bounds that no sane setting passes: beyond them a pool or a date would panic.
    fn check_numbers(&self, mistakes: &mut Vec<String>) {
        const DAY: u64 = 24 * 60;
        let mut bound = |setting: &str, value: u64, range: RangeInclusive<u64>| {
            if !range.contains(&value) {
                mistakes.push(format!("{setting}: must be from {} to {}", range.start(), range.end()));
            }
        };
        bound("database.max_connections", self.database.max_connections.into(), 1..=10_000);
        bound("database.lock_wait_seconds", self.database.lock_wait_seconds.into(), 1..=60);
        bound("database.idle_transaction_seconds", self.database.idle_transaction_seconds.into(), 1..=60);
        bound("database.acquire_seconds", self.database.acquire_seconds, 1..=600);
        bound("kakaopay.timeout_seconds", self.kakaopay.timeout_seconds, 1..=120);
        bound("kakaopay.sandbox_expiry_minutes", self.kakaopay.sandbox_expiry_minutes, 1..=DAY);
        bound("alert.payment_stuck_minutes", self.alert.payment_stuck_minutes, 1..=DAY);
        bound("social.kakao.timeout_seconds", self.social.kakao.timeout_seconds, 1..=60);
        bound("social.naver.timeout_seconds", self.social.naver.timeout_seconds, 1..=60);
        bound("auth.access_seconds", self.auth.access_seconds, 1..=DAY * 60);
        bound("auth.refresh_days", self.auth.refresh_days, 1..=366);
        bound("auth.code_minutes", self.auth.code_minutes, 1..=DAY);
        bound("auth.code_tries", self.auth.code_tries.into(), 1..=100);
        bound("auth.bcrypt_cost", self.auth.bcrypt_cost.into(), 4..=31);
        bound("auth.bcrypt_threads", u64::try_from(self.auth.bcrypt_threads).unwrap_or(u64::MAX), 0..=1_024);
        bound("auth.reset_minutes", self.auth.reset_minutes, 1..=DAY);
        let throttle = &self.auth.throttle;
        bound("auth.throttle.window_minutes", throttle.window_minutes, 1..=DAY);
        for (setting, most) in [
            ("auth.throttle.sign_in_by_account_and_address", throttle.sign_in_by_account_and_address),
            ("auth.throttle.sign_in_by_address", throttle.sign_in_by_address),
            ("auth.throttle.sign_in_by_account", throttle.sign_in_by_account),
            ("auth.throttle.codes_by_email", throttle.codes_by_email),
            ("auth.throttle.codes_by_address", throttle.codes_by_address),
            ("auth.throttle.proofs_by_email_and_address", throttle.proofs_by_email_and_address),
            ("auth.throttle.proofs_by_address", throttle.proofs_by_address),
        ] {
            bound(setting, most.into(), 1..=1_000_000);
        }
        bound("booking.hold_minutes", self.booking.hold_minutes, 1..=DAY);
        bound("booking.payment_grace_seconds", self.booking.payment_grace_seconds, 1..=86_400);
        bound("booking.duplicate_guard_seconds", self.booking.duplicate_guard_seconds, 0..=86_400);
        let many = |count| u64::try_from(count).unwrap_or(u64::MAX);
        // SQLite takes no condition of a thousand parts.
        bound("booking.group_most", many(self.booking.group_most), 1..=512);
        bound("booking.writers_per_event", many(self.booking.writers_per_event), 1..=64);
        bound("booking.waiting_per_event", many(self.booking.waiting_per_event), 1..=1_000_000);
        let points = &self.points;
        let won = |amount: i64| u64::try_from(amount).unwrap_or_default();
        // KakaoPay takes no more at once than fits a payment; the least must not pass the most.
        bound("points.charge_most", won(points.charge_most), 1..=100_000_000);
        bound("points.charge_least", won(points.charge_least), 1..=won(points.charge_most).max(1));
        bound("points.charge_minutes", points.charge_minutes, 1..=DAY);
        bound("kv.timeout_millis", self.kv.timeout_millis, 1..=60_000);
        bound("worker.poll_millis", self.worker.poll_millis, 1..=60_000);
        let connections = &self.server.connections;
        bound("server.connections.most", many(connections.most), 1..=1_000_000);
        bound("server.connections.head_bytes", many(connections.head_bytes), 8_192..=1_048_576);
        bound("server.connections.head_seconds", connections.head_seconds, 1..=3_600);
        bound("server.connections.slow_reader_seconds", connections.slow_reader_seconds, 1..=3_600);
        bound("worker.concurrency", u64::try_from(self.worker.concurrency).unwrap_or(u64::MAX), 1..=1_000);
        bound("mail.max_connections", many(self.mail.max_connections), 1..=100);
        bound("mail.timeout_seconds", self.mail.timeout_seconds, 1..=600);
        bound("worker.max_attempts", self.worker.max_attempts.into(), 1..=1_000);
        bound("worker.lease_seconds", self.worker.lease_seconds, 1..=86_400);
        bound("audit.every_minutes", self.audit.every_minutes, 0..=30 * DAY);
        let edge = &self.edge;
        bound("edge.documents_per_hour", edge.documents_per_hour.into(), 1..=1_000_000);
        for (setting, time) in [
            ("edge.body_seconds", edge.body_time),
            ("edge.operation_seconds", edge.operation_time),
            ("edge.heartbeat_seconds", edge.heartbeat),
            ("edge.init_seconds", edge.init_time),
            ("edge.slow_reader_seconds", edge.slow_reader),
            ("edge.reservation_seconds", edge.reservation_time),
        ] {
            bound(setting, time.as_secs(), 1..=3_600);
        }
    }

    fn check_production(&self, mistakes: &mut Vec<String>) {
        let mut wrong = |is_wrong: bool, setting: &str, why: &str| {
            if is_wrong {
                mistakes.push(format!("{setting}: {why}"));
            }
        };
        let kakaopay = &self.kakaopay;
        wrong(kakaopay.url == "sandbox:", "kakaopay.url", "the sandbox takes no real money: not in production");
        let is_known = kakaopay.secret_key.expose_secret() == SANDBOX_SECRET_KEY;
        wrong(is_known, "kakaopay.secret_key", "the default is known to everybody: not in production");
        wrong(kakaopay.cid == TEST_CID, "kakaopay.cid", "the default is KakaoPay's for tests: not in production");
        let is_open = self.alert.url.expose_secret().starts_with("http:");
        wrong(is_open, "alert.url", "a webhook's address is a secret: https in production");
        self.check_social(&mut wrong);
        wrong(self.mail.is_folder(), "mail.url", "a folder sends nothing: not in production");
        let is_overheard = self.mail.address().is_ok_and(|address| address.is_overheard());
        let why =
            "plain words to a host that is not on this machine or a private network: smtps:// or smtp+starttls://";
        wrong(is_overheard, "mail.url", why);
        let is_of_nobody = self.mail.from.trim_end_matches('>').ends_with("@spotlight.test");
        wrong(is_of_nobody, "mail.from", "an address of the demo world, where no answer arrives: not in production");
        let public_url = &self.server.public_url;
        wrong(public_url.is_empty(), "server.public_url", "must be set in production");
        let is_open = url::Url::parse(public_url).is_ok_and(|url| url.scheme() == "http");
        wrong(is_open, "server.public_url", "tokens and cookies travel in plain words: https in production");
        let is_quick = self.auth.bcrypt_cost < LEAST_COST;
        wrong(is_quick, "auth.bcrypt_cost", "passwords would be guessed too fast: at least 10 in production");
        wrong(self.demo, "demo", "the demo world has known passwords: not in production");
    }

    /// A provider that is not set up is off; one that is has secrets of its own.
    fn check_social(&self, wrong: &mut impl FnMut(bool, &str, &str)) {
        use secrecy::ExposeSecret;
        let (kakao, naver) = (&self.social.kakao, &self.social.naver);
        for (url, setting) in [(&kakao.url, "social.kakao.url"), (&naver.url, "social.naver.url")] {
            let why = "the sandbox lets anybody in as anybody: not in production";
            wrong(url == "sandbox:", setting, why);
        }
        for (url, setting) in [
            (&kakao.url, "social.kakao.url"),
            (&kakao.api_url, "social.kakao.api_url"),
            (&naver.url, "social.naver.url"),
            (&naver.api_url, "social.naver.api_url"),
        ] {
            wrong(is_overheard(url), setting, "secrets and codes in plain words to another machine: https://");
        }
        let is_default = |text: &str| text.is_empty() || text.starts_with("sandbox-");
        let is_known = |secret: &secrecy::SecretString| secret.expose_secret() == SANDBOX_SECRET_KEY;
        let why = "the default is known to everybody: not in production";
        if is_http(&kakao.url) {
            wrong(is_default(&kakao.client_id), "social.kakao.client_id", "must be set in production");
            wrong(is_known(&kakao.client_secret), "social.kakao.client_secret", why);
            wrong(is_known(&kakao.admin_key), "social.kakao.admin_key", why);
            wrong(kakao.admin_key.expose_secret().is_empty(), "social.kakao.admin_key", "must be set in production");
        }
        if is_http(&naver.url) {
            wrong(is_default(&naver.client_id), "social.naver.client_id", "must be set in production");
            wrong(is_known(&naver.client_secret), "social.naver.client_secret", why);
            let is_missing = naver.client_secret.expose_secret().is_empty();
            wrong(is_missing, "social.naver.client_secret", "must be set in production");
        }
    }
}

/// `http://` to any but this machine.
fn is_overheard(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    let is_here = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "http" && !is_here
}
