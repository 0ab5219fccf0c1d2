//! The HTTP client behind both: redirects off, time-outs set, answers bounded.

use super::CallError;
use futures_util::future::BoxFuture;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use std::time::Duration;

/// No profile or token is near this size.
const LARGEST: usize = 64 * 1024;

#[derive(Clone, Debug)]
pub struct Http(reqwest::Client);

/// No usable answer came. No address and no body is in it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{0}")]
    Sending(reqwest::Error),
    #[error("an answer of more than {LARGEST} bytes")]
    TooLarge,
    #[error("{0}")]
    Shape(#[from] http::Error),
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        Self::Sending(error.without_url())
    }
}

impl Http {
    /// `timeout` is for a whole call, from connecting to the answer's last byte.
    pub fn new(timeout: Duration) -> Result<Self, CallError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout.min(Duration::from_secs(3)))
            .timeout(timeout)
            .no_proxy()
            .build();
        client.map(Self).map_err(|error| CallError::Refused(error.to_string()))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > LARGEST {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(http::Response::builder().status(answer.status()).body(body)?)
    }

    /// A GET with the bearer's token.
    pub async fn get(&self, url: &str, token: &str) -> Result<HttpResponse, CallError> {
        let request =
            http::Request::get(url).header("authorization", bearer(token)?).header("accept", "application/json");
        self.answer(request.body(Vec::new())).await
    }

    /// A form, with whatever shows who sends it.
    pub async fn post(&self, url: &str, authorization: &str, form: &[(&str, &str)]) -> Result<HttpResponse, CallError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into_bytes();
        let request = http::Request::post(url)
            .header("authorization", secret(authorization)?)
            .header("content-type", "application/x-www-form-urlencoded");
        self.answer(request.body(body)).await
    }

    async fn answer(&self, request: Result<HttpRequest, http::Error>) -> Result<HttpResponse, CallError> {
        let request = request.map_err(|error| CallError::Refused(error.to_string()))?;
        self.send(request).await.map_err(|error| CallError::Unavailable(error.to_string()))
    }
}

fn bearer(token: &str) -> Result<http::HeaderValue, CallError> {
    secret(&format!("Bearer {token}"))
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = BoxFuture<'c, Result<HttpResponse, HttpError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Marked, so that nothing prints it.
fn secret(text: &str) -> Result<http::HeaderValue, CallError> {
    let unusable = |_| CallError::Unavailable("a token that fits no header".to_owned());
    let mut value = http::HeaderValue::from_str(text).map_err(unusable)?;
    value.set_sensitive(true);
    Ok(value)
}
