//! Where a browser may be sent back to: no open redirect.

use crate::{
    app::App,
    error::{Code, Problem, Problems},
};
use entity::payment;
use sea_orm::ActiveEnum;
use url::{Host, Url};

/// Refuses an address on an origin that is not ours to send people to.
pub fn check(app: &App, address: &str, problems: &mut Problems) {
    let is_allowed = Url::parse(address).is_ok_and(|url| is_allowed(app, &url)) && address.len() <= 500;
    problems.add_if(!is_allowed, || {
        let ko = "허용되지 않은 주소입니다.";
        Problem::new(Code::Invalid, &["returnUrl"], ko, "Not an allowed address: see web.allowed_origins.")
    });
}

fn is_allowed(app: &App, url: &Url) -> bool {
    let is_clean = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let same = |origin: &str| Url::parse(origin).is_ok_and(|origin| origin.origin() == url.origin());
    let is_listed = same(&app.config.public_url()) || app.config.web.allowed_origins.iter().any(|origin| same(origin));
    is_clean && (is_listed || (!app.config.is_production() && is_loopback(url)))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Where the browser goes after the payment page; `None` if nobody said where.
pub fn after(payment: &payment::Model) -> Option<String> {
    let mut url = Url::parse(payment.return_url.as_deref()?).ok()?;
    url.query_pairs_mut()
        .append_pair("paymentId", &payment.id.to_string())
        .append_pair("status", &payment.status.to_value());
    Some(url.into())
}
