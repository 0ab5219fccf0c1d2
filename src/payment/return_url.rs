//! Where a browser may be sent back to: no open redirect.

use crate::{
    app::App,
    error::{Code, Problem, Problems},
};
use entity::payment;
use sea_orm::ActiveEnum;
use url::Url;

/// Refuses an address on an origin that is not ours to send people to.
pub fn check(app: &App, address: &str, problems: &mut Problems) {
    problems.add_if(!app.config.may_send_browsers_to(address), || {
        let ko = "허용되지 않은 주소입니다.";
        Problem::new(Code::Invalid, &["returnUrl"], ko, "Not an allowed address: see web.allowed_origins.")
    });
}

/// Where the browser goes after the payment page; `None` if nobody said where.
pub fn after(payment: &payment::Model) -> Option<String> {
    let mut url = Url::parse(payment.return_url.as_deref()?).ok()?;
    url.query_pairs_mut()
        .append_pair("paymentId", &payment.id.to_string())
        .append_pair("status", &payment.status.to_value());
    Some(url.into())
}
