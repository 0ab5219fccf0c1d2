//! Kakao's side of the wire: token, profile, unlink, with its error codes.

use super::{
    Sandbox,
    fault::Fault,
    store::{Grant, Person, broken},
};
use axum::{
    Form, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use data_encoding::BASE64URL_NOPAD;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
pub struct TokenForm {
    grant_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    code: String,
    code_verifier: Option<String>,
}

fn refuse(status: StatusCode, error: &str, code: &str, why: &str) -> Response {
    (status, Json(json!({ "error": error, "error_description": why, "error_code": code }))).into_response()
}

pub async fn token(State(sandbox): State<Sandbox>, Form(form): Form<TokenForm>) -> Response {
    if let Some(refusal) = wrong_client(&sandbox, &form) {
        return refusal;
    }
    let grant = match sandbox.take_grant(&form.code).await {
        Ok(Some(grant)) => grant,
        Ok(None) => return refuse(StatusCode::BAD_REQUEST, "invalid_grant", "KOE320", "authorization code not found"),
        Err(error) => return broken(&error),
    };
    if grant.redirect_uri != form.redirect_uri {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant", "KOE303", "Redirect URI mismatch.");
    }
    if !proves(&grant, form.code_verifier.as_deref()) {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant", "KOE320", "code verifier mismatch");
    }
    if let Err(fault) = grant.person.fault.at_token(sandbox.0.too_long).await {
        return fault;
    }
    match sandbox.put_token(&grant.person).await {
        Ok(token) => Json(json!({
            "token_type": "bearer", "access_token": token, "expires_in": 43199, "refresh_token": sandbox.0.ids.secret(),
            "refresh_token_expires_in": 5_184_000, "scope": "account_email profile_nickname",
        }))
        .into_response(),
        Err(error) => broken(&error),
    }
}

fn wrong_client(sandbox: &Sandbox, form: &TokenForm) -> Option<Response> {
    if form.grant_type != "authorization_code" {
        return Some(refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type", "KOE009", "grant_type"));
    }
    if form.client_id != sandbox.0.client_id {
        return Some(refuse(StatusCode::BAD_REQUEST, "invalid_client", "KOE101", "Not exist client_id"));
    }
    let is_wrong = form.client_secret != sandbox.0.client_secret.expose_secret();
    is_wrong.then(|| refuse(StatusCode::UNAUTHORIZED, "invalid_client", "KOE010", "Bad client credentials"))
}

/// A code that began with a challenge needs the verifier, and one that did not takes none.
fn proves(grant: &Grant, verifier: Option<&str>) -> bool {
    let shown = verifier.map(|verifier| BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes())));
    shown == grant.challenge
}

fn unauthorized() -> Response {
    let body = json!({ "code": -401, "msg": "this access token does not exist" });
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

pub async fn me(State(sandbox): State<Sandbox>, headers: HeaderMap) -> Response {
    let person = match sandbox.bearer(&headers).await {
        Ok(Some(person)) => person,
        Ok(None) => return unauthorized(),
        Err(error) => return broken(&error),
    };
    if let Err(fault) = person.fault.at_profile(sandbox.0.too_long).await {
        return fault;
    }
    if person.fault == Fault::ProfileRefused {
        return unauthorized();
    }
    Json(profile(&person)).into_response()
}

fn profile(person: &Person) -> Value {
    if person.fault == Fault::Bare {
        return json!({ "id": person.id });
    }
    let profile = json!({ "nickname": person.nickname });
    let account = if person.fault == Fault::NoEmail || person.email.is_empty() {
        json!({ "profile": profile })
    } else {
        let is_verified = person.fault != Fault::UnverifiedEmail;
        json!({ "profile": profile, "email": person.email, "is_email_valid": true, "is_email_verified": is_verified })
    };
    json!({ "id": person.id, "connected_at": "2026-01-01T00:00:00Z", "kakao_account": account })
}

#[derive(Deserialize)]
pub struct UnlinkForm {
    #[serde(default)]
    target_id_type: String,
    #[serde(default)]
    target_id: String,
}

/// By the admin key.
pub async fn unlink(State(sandbox): State<Sandbox>, headers: HeaderMap, Form(form): Form<UnlinkForm>) -> Response {
    let due = format!("KakaoAK {}", sandbox.0.admin_key.expose_secret());
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(due.as_str()) {
        return unauthorized();
    }
    let Some(id) = form.target_id.parse::<i64>().ok().filter(|_| form.target_id_type == "user_id") else {
        let body = json!({ "code": -2, "msg": "target_id" });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    };
    match sandbox.is_unlinked(&form.target_id).await {
        Ok(true) => {
            let body = json!({ "code": -101, "msg": "NotRegisteredUserException" });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        Ok(false) => match sandbox.put_unlinked(&form.target_id).await {
            Ok(()) => Json(json!({ "id": id })).into_response(),
            Err(error) => broken(&error),
        },
        Err(error) => broken(&error),
    }
}
