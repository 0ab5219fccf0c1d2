//! Naver: no PKCE, refusals that come with 200, and an email that is never said to be verified.
//!
//! An email counts only if the provider says that it is verified. Naver says nothing of the kind (people choose their
//! contact address), so no email of Naver's is ever taken over.

use super::{
    Asked, CallError, Code, Hosts, Identity, SocialProvider,
    http::Http,
    token::{OAuth, Refusal},
};
use crate::config::NaverSettings;
use async_trait::async_trait;
use serde_json::Value;

#[derive(Debug)]
pub struct Naver {
    http: Http,
    oauth: OAuth,
    api: String,
}

impl Naver {
    pub fn new(http: Http, hosts: &Hosts, settings: &NaverSettings) -> Result<Self, CallError> {
        let paths = ["/oauth2.0/authorize", "/oauth2.0/token"];
        let oauth = OAuth::new(hosts, paths, &settings.client_id, &settings.client_secret)?.with_state();
        Ok(Self { http, oauth, api: hosts.api.clone() })
    }
}

#[async_trait]
impl SocialProvider for Naver {
    fn takes_pkce(&self) -> bool {
        false
    }

    fn authorize_url(&self, asked: &Asked<'_>) -> String {
        self.oauth.authorize_url(asked)
    }

    async fn identify(&self, code: &Code<'_>) -> Result<Identity, CallError> {
        let token = self.oauth.exchange(&self.http, code, refused).await?;
        let answer = self.http.get(&format!("{}/v1/nid/me", self.api), token.secret()).await?;
        read_profile(answer.status().as_u16(), answer.body())
    }

    /// Naver's own needs the person's access token, and none is kept.
    async fn unlink(&self, _subject: &str) -> Result<(), CallError> {
        Ok(())
    }
}

/// What a refused code means. Naver calls a used or expired one an invalid request.
fn refused(refusal: &Refusal) -> CallError {
    match refusal.error.as_str() {
        "invalid_grant" | "invalid_request" => CallError::BadCode,
        "server_error" | "temporarily_unavailable" => CallError::Unavailable(refusal.to_string()),
        _ => CallError::Refused(refusal.to_string()),
    }
}

/// The status alone says nothing: a failure may come with 200.
fn read_profile(status: u16, body: &[u8]) -> Result<Identity, CallError> {
    let unusable = |what: &str| CallError::Unavailable(format!("profile: {what} (HTTP {status})"));
    let told: Value = serde_json::from_slice(body).map_err(|_| unusable("unreadable"))?;
    let code = told.get("resultcode").and_then(Value::as_str).unwrap_or("no resultcode");
    if status != 200 || code != "00" {
        return Err(unusable(&code.chars().take(20).collect::<String>()));
    }
    let text = |name: &str| told.pointer(&format!("/response/{name}")).and_then(Value::as_str).map(str::to_owned);
    let subject = text("id").filter(|id| (1..=190).contains(&id.len())).ok_or_else(|| unusable("no id"))?;
    Ok(Identity { subject, nickname: text("nickname").or_else(|| text("name")), email: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_profile_says() {
        let body = r#"{"resultcode":"00","message":"success","response":{"id":"x1","email":"a@b.kr","name":"김미나"}}"#;
        let due = Identity { subject: "x1".into(), nickname: Some("김미나".into()), email: None };
        assert!(read_profile(200, body.as_bytes()) == Ok(due));
        let bare = read_profile(200, br#"{"resultcode":"00","response":{"id":"x1"}}"#);
        assert!(bare.is_ok_and(|it| it.nickname.is_none()));
    }

    #[test]
    fn a_failure_may_come_with_200() {
        let too_long = format!(r#"{{"resultcode":"00","response":{{"id":"{}"}}}}"#, "x".repeat(191));
        for (status, body) in [
            (200, r#"{"resultcode":"024","message":"Authentication failed"}"#),
            (401, r#"{"resultcode":"024","message":"Authentication failed"}"#),
            (200, r#"{"resultcode":"024","response":{"id":"x1"}}"#),
            (200, r#"{"response":{"id":"x1"}}"#),
            (200, r#"{"resultcode":"00"}"#),
            (200, r#"{"resultcode":"00","response":{"id":""}}"#),
            (200, r#"{"resultcode":"00","response":{"id":7}}"#),
            (200, &too_long),
            (200, "<html>"),
            (503, ""),
        ] {
            let read = read_profile(status, body.as_bytes());
            assert!(matches!(read, Err(CallError::Unavailable(_))), "{status} {body}");
        }
    }

    #[test]
    fn what_a_refused_code_means() {
        let read = |error: &str| refused(&Refusal { error: error.into(), error_code: None });
        assert_eq!(read("invalid_request"), CallError::BadCode);
        assert!(matches!(read("invalid_client"), CallError::Refused(_)));
        assert!(matches!(read("server_error"), CallError::Unavailable(_)));
    }
}
