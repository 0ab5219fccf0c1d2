//! Reading a request: bounded in bytes and in time.

use super::{
    Edge,
    engine::{Caller, ClientMeta},
    multipart,
    problem::Problem,
    request::Parameters,
};
use axum::{
    body::{Body, Bytes},
    http::HeaderMap,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// The parameters of a POST.
pub async fn read(
    edge: &Edge,
    caller: &Caller,
    meta: &ClientMeta,
    headers: &HeaderMap,
    body: Body,
) -> Result<Parameters, Problem> {
    if multipart::is_announced(headers) {
        return multipart::read(edge, caller, meta, headers, body).await;
    }
    check_json(headers)?;
    Parameters::from_json(&collect(edge, body, edge.settings.body_bytes).await?)
}

async fn collect(edge: &Edge, body: Body, most: usize) -> Result<Bytes, Problem> {
    let whole = Limited::new(body, most).collect();
    match tokio::time::timeout(edge.settings.body_time, whole).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(most)),
        Ok(Err(_)) => Err(Problem::bad_request("The body broke off.")),
        Err(_) => Err(Problem::too_slow()),
    }
}

/// Only what a page of another origin cannot send without asking first.
fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_json = parts.next().as_deref() == Some("application/json");
    let is_utf8 = parts.all(|part| match part.split_once('=') {
        Some((name, charset)) if name.trim() == "charset" => {
            matches!(charset.trim().trim_matches('"'), "utf-8" | "utf8")
        }
        _ => true,
    });
    if is_json && is_utf8 {
        Ok(())
    } else {
        Err(Problem::unsupported_media_type("Send application/json in UTF-8, or multipart/form-data."))
    }
}
