//! Kakao: PKCE, numbers as ids, and a profile of which every part may be missing.

use super::{
    Asked, CallError, Code, Hosts, Identity, SocialProvider,
    http::Http,
    token::{OAuth, Refusal},
};
use crate::config::KakaoSettings;
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

#[derive(Debug)]
pub struct Kakao {
    http: Http,
    oauth: OAuth,
    api: String,
    admin_key: SecretString,
}

impl Kakao {
    pub fn new(http: Http, hosts: &Hosts, settings: &KakaoSettings) -> Result<Self, CallError> {
        let paths = ["/oauth/authorize", "/oauth/token"];
        // A comma list, not the standard's spaces.
        let oauth = OAuth::new(hosts, paths, &settings.client_id, &settings.client_secret)?
            .with_scope("account_email,profile_nickname");
        Ok(Self { http, oauth, api: hosts.api.clone(), admin_key: settings.admin_key.clone() })
    }
}

#[async_trait]
impl SocialProvider for Kakao {
    fn takes_pkce(&self) -> bool {
        true
    }

    fn authorize_url(&self, asked: &Asked<'_>) -> String {
        self.oauth.authorize_url(asked)
    }

    async fn identify(&self, code: &Code<'_>) -> Result<Identity, CallError> {
        let token = self.oauth.exchange(&self.http, code, refused).await?;
        let answer = self.http.get(&format!("{}/v2/user/me", self.api), token.secret()).await?;
        read_profile(answer.status().as_u16(), answer.body())
    }

    async fn unlink(&self, subject: &str) -> Result<(), CallError> {
        let key = format!("KakaoAK {}", self.admin_key.expose_secret());
        let form = [("target_id_type", "user_id"), ("target_id", subject)];
        let answer = self.http.post(&format!("{}/v1/user/unlink", self.api), &key, &form).await?;
        read_unlink(answer.status().as_u16(), answer.body())
    }
}

/// What a refused code means.
fn refused(refusal: &Refusal) -> CallError {
    match (refusal.error_code.as_deref(), refusal.error.as_str()) {
        // Used or unknown.
        (Some("KOE320"), _) => CallError::BadCode,
        (Some("KOE237"), _) => CallError::Unavailable("too many requests".to_owned()),
        (Some(_), _) => CallError::Refused(refusal.to_string()),
        (None, "invalid_grant") => CallError::BadCode,
        (None, "server_error" | "temporarily_unavailable") => CallError::Unavailable(refusal.to_string()),
        (None, _) => CallError::Refused(refusal.to_string()),
    }
}

fn read_profile(status: u16, body: &[u8]) -> Result<Identity, CallError> {
    let unusable = |what: &str| CallError::Unavailable(format!("profile: {what} (HTTP {status})"));
    let told: Value = serde_json::from_slice(body).map_err(|_| unusable("unreadable"))?;
    if status != 200 {
        let code = told.get("code").and_then(Value::as_i64).unwrap_or_default();
        return Err(unusable(&format!("code {code}")));
    }
    let id = told.get("id").and_then(Value::as_i64).ok_or_else(|| unusable("no id"))?;
    let account = told.get("kakao_account").unwrap_or(&Value::Null);
    let text = |place: &str| account.pointer(place).and_then(Value::as_str).map(str::to_owned);
    let is = |name: &str| account.get(name).and_then(Value::as_bool) == Some(true);
    let email = text("/email").filter(|_| is("is_email_valid") && is("is_email_verified"));
    Ok(Identity { subject: id.to_string(), nickname: text("/profile/nickname"), email })
}

fn read_unlink(status: u16, body: &[u8]) -> Result<(), CallError> {
    /// Kakao does not know the person, or not any more.
    const NOT_REGISTERED: i64 = -101;
    let told: Option<Value> = serde_json::from_slice(body).ok();
    match (status, told.as_ref().and_then(|told| told.get("code")).and_then(Value::as_i64)) {
        (200, _) | (400, Some(NOT_REGISTERED)) => Ok(()),
        // Our own admin key: trying again mends nothing, and somebody must hear of it.
        (401 | 403, code) => Err(CallError::Refused(format!("unlink: code {code:?} (HTTP {status})"))),
        (status, code) => Err(CallError::Unavailable(format!("unlink: code {code:?} (HTTP {status})"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_profile_says() {
        let read = |body: &str| read_profile(200, body.as_bytes());
        let who = |nickname: Option<&str>, email: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Ok(Identity { subject: "42".into(), nickname: own(nickname), email: own(email) })
        };
        let email = |flags: &str| read(&format!(r#"{{"id":42,"kakao_account":{{"email":"a@b.kr"{flags}}}}}"#));
        assert!(email(r#","is_email_valid":true,"is_email_verified":true"#) == who(None, Some("a@b.kr")));
        for flags in [
            "",
            r#","is_email_valid":true"#,
            r#","is_email_verified":true"#,
            r#","is_email_valid":false,"is_email_verified":true"#,
            r#","is_email_valid":true,"is_email_verified":false"#,
            r#","is_email_valid":"true","is_email_verified":"true""#,
        ] {
            assert!(email(flags) == who(None, None), "{flags}");
        }
        assert!(read(r#"{"id":42}"#) == who(None, None));
        assert!(read(r#"{"id":42,"kakao_account":null,"new":1}"#) == who(None, None));
        assert!(read(r#"{"id":42,"kakao_account":{"profile":{"nickname":"미나"}}}"#) == who(Some("미나"), None));
        let largest = read(r#"{"id":9223372036854775807}"#);
        assert!(largest.is_ok_and(|it| it.subject == "9223372036854775807"));
    }

    #[test]
    fn a_profile_that_cannot_be_used_is_unavailable() {
        for (status, body) in [
            (200, "<html>"),
            (200, "{}"),
            (200, r#"{"id":"42"}"#),
            (401, r#"{"code":-401,"msg":"no"}"#),
            (500, ""),
            (302, r#"{"id":42}"#),
        ] {
            let read = read_profile(status, body.as_bytes());
            assert!(matches!(read, Err(CallError::Unavailable(_))), "{status} {body}");
        }
    }

    #[test]
    fn what_a_refused_code_means() {
        let read = |error: &str, code: Option<&str>| {
            refused(&Refusal { error: error.into(), error_code: code.map(str::to_owned) })
        };
        assert_eq!(read("invalid_grant", Some("KOE320")), CallError::BadCode);
        assert_eq!(read("invalid_grant", None), CallError::BadCode);
        assert!(matches!(read("invalid_request", Some("KOE237")), CallError::Unavailable(_)));
        for code in ["KOE010", "KOE101", "KOE303"] {
            assert!(matches!(read("invalid_grant", Some(code)), CallError::Refused(_)), "{code}");
        }
        assert!(matches!(read("server_error", None), CallError::Unavailable(_)));
    }

    #[test]
    fn what_an_unlink_answers() {
        assert_eq!(read_unlink(200, br#"{"id":42}"#), Ok(()));
        assert_eq!(read_unlink(400, br#"{"code":-101,"msg":"NotRegisteredUserException"}"#), Ok(()));
        let read = |status: u16, body: &str| read_unlink(status, body.as_bytes());
        for (status, body) in [(401, r#"{"code":-401}"#), (403, r#"{"code":-10}"#), (401, "")] {
            assert!(matches!(read(status, body), Err(CallError::Refused(_))), "{status} {body}");
        }
        for (status, body) in [(400, r#"{"code":-2}"#), (500, ""), (429, r#"{"code":-10}"#)] {
            assert!(matches!(read(status, body), Err(CallError::Unavailable(_))), "{status} {body}");
        }
    }
}
