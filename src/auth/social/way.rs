//! One way through a provider's page, from `socialSignInStart` until the browser is back.
//!
//! There are no cookies on `/graphql`, so the browser is known by a secret that it keeps (`browserSecret`) and shows when
//! it is back: who lures somebody onto a callback address with a code of their own does not have it. The record says
//! what the way is for, and for whom: a sign-in cannot end as a link, and one person's link not as another's.

use crate::{
    app::App,
    auth::throttle,
    error::{Code, Error, Problem, Problems, Result},
    infra::{
        kv::Shelf,
        social::{Asked, CallError, Code as ProviderCode, Identity, SocialProvider},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use entity::{enums, ids::UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{net::IpAddr, sync::Arc, time::Duration};
use subtle::ConstantTimeEq;

const LIFE: Duration = Duration::from_secs(600);

/// Starts in a quarter of an hour from one address that led nowhere: a whole school may share it.
const MOST_BY_ADDRESS: u32 = 100;

/// What the way is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    SignIn,
    /// To an account whose own sign-in began it.
    Link(UserId),
}

/// What the browser takes along.
#[derive(Clone)]
pub struct Started {
    pub authorize_url: String,
    pub state: String,
    pub browser_secret: String,
    pub expires_at: DateTime<Utc>,
}

/// What the browser comes back with: a code, or the provider's word for why there is none.
pub struct Returned {
    pub provider: enums::SocialProvider,
    pub state: String,
    pub browser_secret: String,
    pub code: Option<String>,
    pub error: Option<String>,
    pub address: Option<IpAddr>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    provider: enums::SocialProvider,
    purpose: Purpose,
    redirect_uri: String,
    browser_hash: String,
    /// PKCE; it never leaves the server but for the exchange.
    verifier: Option<String>,
}

/// Under the state's hash: what a stranger sends may be of any length.
const WAYS: Shelf<Record> = Shelf::new("social-way");

fn hash(secret: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(secret.as_bytes()))
}

fn starts(address: Option<IpAddr>) -> String {
    format!("social:{}", throttle::network(address))
}

pub async fn start(
    app: &App,
    provider: enums::SocialProvider,
    purpose: Purpose,
    redirect_uri: &str,
    address: Option<IpAddr>,
) -> Result<Started> {
    let port = of(app, provider)?;
    let mut problems = Problems::default();
    let is_allowed = app.config.may_send_browsers_to(redirect_uri) && !redirect_uri.contains('#');
    problems.add_if(!is_allowed, || {
        let en = "Not an allowed address: see web.allowed_origins.";
        Problem::new(Code::Invalid, &["redirectUri"], "허용되지 않은 주소입니다.", en)
    });
    problems.check()?;
    throttle::count(app, &starts(address), MOST_BY_ADDRESS, &[]).await?;
    let (state, browser_secret) = (app.ids.secret(), app.ids.secret());
    let verifier = port.takes_pkce().then(|| app.ids.secret());
    let asked = Asked { redirect_uri, state: &state, verifier: verifier.as_deref() };
    let authorize_url = port.authorize_url(&asked);
    let browser_hash = hash(&browser_secret);
    let record = Record { provider, purpose, redirect_uri: redirect_uri.to_owned(), browser_hash, verifier };
    WAYS.set(&app.kv, &hash(&state), &record, Some(LIFE)).await?;
    let life = TimeDelta::from_std(LIFE).unwrap_or_default();
    Ok(Started { authorize_url, state, browser_secret, expires_at: app.clock.now() + life })
}

/// Ends the way, and says who came. Whatever comes of it, the state is used up.
pub async fn end(app: &App, returned: &Returned, purpose: Purpose) -> Result<Identity> {
    let port = of(app, returned.provider)?;
    let record = WAYS.take(&app.kv, &hash(&returned.state)).await?.ok_or_else(expired)?;
    let is_same_browser = bool::from(hash(&returned.browser_secret).as_bytes().ct_eq(record.browser_hash.as_bytes()));
    if !is_same_browser || record.provider != returned.provider || record.purpose != purpose {
        return Err(expired());
    }
    let Some(code) = returned.code.as_deref().filter(|code| (1..=2_000).contains(&code.len())) else {
        return Err(without_code(returned.error.as_deref()));
    };
    let code = ProviderCode {
        code,
        redirect_uri: &record.redirect_uri,
        state: &returned.state,
        verifier: record.verifier.as_deref(),
    };
    let identity = port.identify(&code).await.map_err(|error| failed(returned.provider, error))?;
    throttle::forgive(app, &starts(returned.address)).await?;
    Ok(identity)
}

fn of(app: &App, provider: enums::SocialProvider) -> Result<&Arc<dyn SocialProvider>> {
    app.social.of(provider).ok_or_else(|| {
        let ko = "지금은 이 방법으로 로그인할 수 없습니다.";
        Problem::new(Code::NotAllowed, &["provider"], ko, "This way of signing in is switched off.").into()
    })
}

fn expired() -> Error {
    let ko = "시간이 지났거나 이미 사용된 로그인입니다. 처음부터 다시 시도해 주세요.";
    let en = "This sign-in took too long, was used before, or began elsewhere. Begin again.";
    Problem::new(Code::SocialExpired, &[], ko, en).into()
}

/// The provider's error words are those of RFC 6749, section 4.1.2.1.
fn without_code(error: Option<&str>) -> Error {
    match error {
        Some("access_denied") => {
            let (ko, en) = ("로그인이 취소되었습니다.", "The sign-in was given up on the provider's page.");
            Problem::new(Code::SocialDenied, &[], ko, en).into()
        }
        Some("server_error" | "temporarily_unavailable") => Error::Unavailable("a social provider said so".to_owned()),
        Some(_) => expired(),
        None => {
            let (ko, en) = ("code 또는 error가 필요합니다.", "Give the code, or the error, of the callback address.");
            Problem::new(Code::Invalid, &["code"], ko, en).into()
        }
    }
}

fn failed(provider: enums::SocialProvider, error: CallError) -> Error {
    match error {
        CallError::BadCode => expired(),
        CallError::Refused(what) => Error::fault(format!("{provider:?} refuses our settings: {what}")),
        CallError::Unavailable(what) => Error::Unavailable(format!("{provider:?}: {what}")),
    }
}
