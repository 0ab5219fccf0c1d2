//! What is asked of a server, and how many people ask at once.

use crate::{Result, world::Member};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// Keeps no connection: a server that was killed leaves none behind, and who is the first does not depend on who was before.
pub fn client() -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    Ok(builder.timeout(Duration::from_secs(30)).pool_max_idle_per_host(0).no_proxy().build()?)
}

/// The document of a mutation that takes an `input`.
pub fn mutation(field: &str, wanted: &str) -> String {
    let (first, rest) = field.split_at(1);
    let errors = "userErrors { code message ... on AlreadyIssuedError { userCouponId } }";
    format!(
        "mutation($input: {}{rest}Input!) {{ {field}(input: $input) {{ {wanted} {errors} }} }}",
        first.to_uppercase()
    )
}

pub fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found.ok_or_else(|| format!("no {pointer} in {value}"))?.to_owned())
}

/// An address that some node gave out, at the node that is asked: to browsers all of them have one name.
pub fn at(url: &str, address: &str) -> String {
    match address.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/')) {
        Some((_, path)) => format!("{url}/{path}"),
        None => address.to_owned(),
    }
}

/// Why a mutation was refused; empty if it was not.
pub fn refusal(payload: &Value) -> &str {
    payload.pointer("/userErrors/0/code").and_then(Value::as_str).unwrap_or_default()
}

/// All of them at the same time; their answers in the order of the askers.
pub async fn at_once<T: Send + 'static>(
    asking: impl IntoIterator<Item = impl Future<Output = Result<T>> + Send + 'static>,
) -> Result<Vec<T>> {
    let mut crowd = JoinSet::new();
    for (place, one) in asking.into_iter().enumerate() {
        crowd.spawn(async move { (place, one.await) });
    }
    let mut answers = Vec::new();
    while let Some(answered) = crowd.join_next().await {
        let (place, answer) = answered?;
        answers.push((place, answer?));
    }
    answers.sort_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// Somebody in front of one server, which nobody kills meanwhile.
#[derive(Clone, Debug)]
pub struct Caller {
    pub who: Member,
    pub url: String,
    pub http: reqwest::Client,
    /// How often a server said that it is busy, and was asked again.
    pub repeats: Arc<AtomicUsize>,
}

impl Caller {
    /// The payload. Who is told that too many want the same, and that nothing was changed, asks again, as a client does.
    pub async fn mutate(&self, field: &str, wanted: &str, input: &Value) -> Result<Value> {
        let body = json!({ "query": mutation(field, wanted), "variables": { "input": input } });
        loop {
            let asked = self.http.post(format!("{}/graphql", self.url)).bearer_auth(&self.who.token).json(&body);
            let answer: Value = asked.send().await?.json().await?;
            let payload = answer.pointer(&format!("/data/{field}")).cloned().unwrap_or_default();
            if answer.pointer("/errors/0/extensions/retryAfter").is_some() || refusal(&payload) == "BUSY" {
                self.repeats.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            if let Some(errors) = answer.get("errors") {
                return Err(format!("{field}: {errors}").into());
            }
            return Ok(payload);
        }
    }

    /// Agrees on the provider's page; answers where the browser is sent.
    pub async fn agree(&self, page: &str) -> Result<String> {
        let pressed = self.http.post(format!("{}/approve", at(&self.url, page))).form(&[("fault", "none")]);
        let pressed = pressed.send().await?;
        let back = pressed.headers().get("location").ok_or("the provider's page sends nobody back")?;
        Ok(back.to_str()?.to_owned())
    }

    /// Comes back from the provider, to this one's node; answers the payment's status that the browser is told.
    pub async fn come_back(&self, address: &str) -> Result<String> {
        let (_, path) = address.split_once("/payments/").ok_or_else(|| format!("no way back: {address}"))?;
        loop {
            let sent = self.http.get(format!("{}/payments/{path}", self.url)).send().await?;
            // "Reload in a moment."
            if sent.status() == reqwest::StatusCode::SERVICE_UNAVAILABLE {
                self.repeats.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let on = sent.headers().get("location").ok_or_else(|| format!("{}: nobody is sent on", sent.status()))?;
            let (_, status) = on.to_str()?.split_once("status=").ok_or("the way back has no status")?;
            return Ok(status.to_owned());
        }
    }

    /// Pays for what was booked; answers the payment's status that the browser is told.
    pub async fn pay(&self, booked: &Value) -> Result<String> {
        let back = self.agree(&text(booked, "/payment/redirect/pcUrl")?).await?;
        self.come_back(&back).await
    }
}
