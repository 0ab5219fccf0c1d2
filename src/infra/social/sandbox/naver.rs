//! Naver's side of the wire: `expires_in` is a string, and some refusals come with 200.

use super::{
    Sandbox,
    fault::Fault,
    store::{Person, broken},
};
use axum::{
    Form, Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub struct TokenForm {
    grant_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// With 200, as the real one does.
fn refuse(error: &str, why: &str) -> Response {
    Json(json!({ "error": error, "error_description": why })).into_response()
}

pub async fn token_by_query(sandbox: State<Sandbox>, Query(form): Query<TokenForm>) -> Response {
    token(sandbox, Form(form)).await
}

pub async fn token(State(sandbox): State<Sandbox>, Form(form): Form<TokenForm>) -> Response {
    let is_ours =
        form.client_id == sandbox.0.client_id && form.client_secret == sandbox.0.client_secret.expose_secret();
    if !is_ours {
        return refuse("invalid_client", "client_id or client_secret");
    }
    match form.grant_type.as_str() {
        "authorization_code" => exchange(&sandbox, &form).await,
        // Says success even for a token that is not good.
        "delete" => Json(json!({ "access_token": "", "result": "success" })).into_response(),
        _ => refuse("unsupported_grant_type", "grant_type"),
    }
}

async fn exchange(sandbox: &Sandbox, form: &TokenForm) -> Response {
    let grant = match sandbox.take_grant(&form.code).await {
        Ok(Some(grant)) if grant.state == form.state => grant,
        Ok(_) => return refuse("invalid_request", "no valid data in session"),
        Err(error) => return broken(&error),
    };
    if let Err(fault) = grant.person.fault.at_token(sandbox.0.too_long).await {
        return fault;
    }
    match sandbox.put_token(&grant.person).await {
        Ok(token) => Json(json!({
            "access_token": token, "refresh_token": sandbox.0.ids.secret(), "token_type": "bearer", "expires_in": "3600",
        }))
        .into_response(),
        Err(error) => broken(&error),
    }
}

fn unauthorized(status: StatusCode) -> Response {
    (status, Json(json!({ "resultcode": "024", "message": "Authentication failed" }))).into_response()
}

pub async fn me(State(sandbox): State<Sandbox>, headers: HeaderMap) -> Response {
    let person = match sandbox.bearer(&headers).await {
        Ok(Some(person)) => person,
        Ok(None) => return unauthorized(StatusCode::UNAUTHORIZED),
        Err(error) => return broken(&error),
    };
    if let Err(fault) = person.fault.at_profile(sandbox.0.too_long).await {
        return fault;
    }
    if person.fault == Fault::ProfileRefused {
        return unauthorized(StatusCode::OK);
    }
    Json(json!({ "resultcode": "00", "message": "success", "response": profile(&person) })).into_response()
}

fn profile(person: &Person) -> Value {
    let id = format!("sandbox-{}", person.id);
    match person.fault {
        Fault::Bare => json!({ "id": id }),
        Fault::NoEmail => json!({ "id": id, "nickname": person.nickname }),
        _ => json!({ "id": id, "nickname": person.nickname, "email": person.email }),
    }
}
