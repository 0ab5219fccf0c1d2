//! A code becomes a token: the part that both providers do alike, by the crate `oauth2`.

use super::{Asked, CallError, Code, Hosts, http::Http};
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ErrorResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    Scope, StandardRevocableToken, TokenResponse, TokenUrl,
    basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, time::Duration};

/// What is read of a token answer: `expires_in` is a number here and a string there, and not needed.
#[derive(Debug, Serialize, Deserialize)]
pub struct TokenAnswer {
    access_token: AccessToken,
    #[serde(default = "bearer")]
    token_type: BasicTokenType,
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

impl TokenResponse for TokenAnswer {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }
    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }
    fn expires_in(&self) -> Option<Duration> {
        None
    }
    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }
    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

/// A refusal. Its sentence is left out: it may repeat what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub error: String,
    /// Kakao's own, like `KOE320`.
    #[serde(default)]
    pub error_code: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.error, self.error_code.as_deref().unwrap_or_default())
    }
}

impl ErrorResponse for Refusal {}

type OAuthClient = Client<
    Refusal,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// One provider's OAuth endpoints, and who we are there.
#[derive(Debug)]
pub struct OAuth {
    client: OAuthClient,
    scope: Option<Scope>,
    sends_state: bool,
}

impl OAuth {
    pub fn new(hosts: &Hosts, paths: [&str; 2], id: &str, secret: &SecretString) -> Result<Self, CallError> {
        let wrong = |error: url::ParseError| CallError::Refused(format!("not an address: {error}"));
        let [authorize, token] = paths.map(|path| format!("{}{path}", hosts.auth));
        // Both take the secret in the body only.
        let mut client = Client::new(ClientId::new(id.to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::new(authorize).map_err(wrong)?)
            .set_token_uri(TokenUrl::new(token).map_err(wrong)?);
        if !secret.expose_secret().is_empty() {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        Ok(Self { client, scope: None, sends_state: false })
    }

    #[must_use]
    pub fn with_scope(mut self, scope: &str) -> Self {
        self.scope = Some(Scope::new(scope.to_owned()));
        self
    }

    /// The token request carries `state`, which the standard does not ask for.
    #[must_use]
    pub fn with_state(mut self) -> Self {
        self.sends_state = true;
        self
    }

    pub fn authorize_url(&self, asked: &Asked<'_>) -> String {
        let state = asked.state.to_owned();
        let mut request = self.client.authorize_url(|| CsrfToken::new(state)).add_scopes(self.scope.clone());
        if let Ok(redirect) = RedirectUrl::new(asked.redirect_uri.to_owned()) {
            request = request.set_redirect_uri(Cow::Owned(redirect));
        }
        if let Some(verifier) = asked.verifier {
            let verifier = PkceCodeVerifier::new(verifier.to_owned());
            request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        }
        request.url().0.into()
    }

    /// `read` says what a refusal means at this provider.
    pub async fn exchange(
        &self,
        http: &Http,
        code: &Code<'_>,
        read: fn(&Refusal) -> CallError,
    ) -> Result<AccessToken, CallError> {
        let mut request = self.client.exchange_code(AuthorizationCode::new(code.code.to_owned()));
        if let Ok(redirect) = RedirectUrl::new(code.redirect_uri.to_owned()) {
            request = request.set_redirect_uri(Cow::Owned(redirect));
        }
        if let Some(verifier) = code.verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        }
        if self.sends_state {
            request = request.add_extra_param("state", code.state.to_owned());
        }
        match request.request_async(http).await {
            Ok(answer) => Ok(answer.access_token),
            Err(RequestTokenError::ServerResponse(refusal)) => Err(read(&refusal)),
            Err(RequestTokenError::Request(error)) => Err(CallError::Unavailable(error.to_string())),
            // Naver refuses with 200, too. The body is not repeated: a token may stand in it.
            Err(RequestTokenError::Parse(_, body)) => Err(serde_json::from_slice(&body)
                .map_or_else(|_| CallError::Unavailable("an unreadable token answer".to_owned()), |told| read(&told))),
            Err(RequestTokenError::Other(what)) => Err(CallError::Unavailable(what)),
        }
    }
}
