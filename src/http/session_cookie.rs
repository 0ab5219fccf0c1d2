//! Sessions of browsers that leave the refresh token to a cookie: no script can read it, and it goes to this path alone.
//!
//! `POST /session/sign-in`, `/session/refresh` and `/session/sign-out` take and give JSON; an access token comes in the
//! answer and travels in `Authorization`, as everywhere. Nothing here follows a link or a form of another page: the cookie is
//! `SameSite=Strict`, the request must be JSON, and its `Origin` must be there and be one that `web.allowed_origins` names
//! or our own. It has no `__Host-` in its name: that would ask for the path `/`, and the token would travel with every request.

use super::{address::ClientAddress, graphql::Origins, small_body};
use crate::{
    app::App,
    auth::{
        session::{self, Session},
        sign_in, sign_out,
    },
    error::{Code, Error, Problem},
    language::Language,
};
use axum::{
    Json, Router,
    extract::{Extension, Request, State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};

const NAME: &str = "spotlight_refresh";
const PATH: &str = "/session";

pub fn routes(app: &App, origins: &Origins) -> Router {
    Router::new()
        .route("/session/sign-in", post(sign_in))
        .route("/session/refresh", post(refresh))
        .route("/session/sign-out", post(sign_out))
        .layer(middleware::from_fn_with_state(app.config.edge.body_time, small_body::read))
        .layer(middleware::from_fn_with_state(origins.clone(), only_pages_of_ours))
        .layer(origins.cors().allow_credentials(true))
        .with_state(app.clone())
}

async fn only_pages_of_ours(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) && origins.admits(headers) {
        return next.run(request).await;
    }
    refusal(StatusCode::FORBIDDEN, "FORBIDDEN", "This page may not use the session cookie.")
}

/// No `Debug`: it is a secret.
#[derive(Deserialize)]
struct SignIn {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct SignOut {
    #[serde(default)]
    everywhere: bool,
}

async fn sign_in(
    State(app): State<App>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    input: Result<Json<SignIn>, JsonRejection>,
) -> Response {
    let Ok(Json(input)) = input else { return not_json() };
    if input.email.contains('\0') {
        return not_json();
    }
    let address = address.map(|Extension(address)| address.0);
    let signed_in = sign_in::sign_in(&app, &input.email, input.password, address).await;
    // The browser has no way back to what the new cookie replaces.
    if let (Ok(_), old @ Some(_)) = (&signed_in, cookie(&headers))
        && let Err(error) = sign_out::sign_out_shown(&app, None, old, false).await
    {
        tracing::warn!(%error, "a session that was replaced lives on until it runs out");
    }
    answer(&app, &headers, signed_in.map(|(_, session)| session))
}

async fn refresh(
    State(app): State<App>,
    headers: HeaderMap,
    input: Result<Json<serde_json::Map<String, Value>>, JsonRejection>,
) -> Response {
    let Ok(_) = input else { return not_json() };
    let refreshed = match cookie(&headers) {
        Some(token) => session::refresh(&app, token).await,
        None => Err(Error::Unauthenticated),
    };
    answer(&app, &headers, refreshed)
}

/// The session of the cookie, and that of the access token if there is one.
async fn sign_out(State(app): State<App>, headers: HeaderMap, input: Result<Json<SignOut>, JsonRejection>) -> Response {
    let Ok(Json(input)) = input else { return not_json() };
    let ended =
        sign_out::sign_out_shown(&app, super::graphql::bearer(&headers), cookie(&headers), input.everywhere).await;
    match ended {
        Ok(()) => with_cookie(&app, "", 0, &json!({ "isSignedOut": true })),
        Err(Error::Unauthenticated) => forgotten(&app, "UNAUTHENTICATED"),
        Err(error) => refused(&app, &headers, error),
    }
}

fn answer(app: &App, headers: &HeaderMap, session: Result<Session, Error>) -> Response {
    match session {
        Ok(session) => {
            let left = (session.refresh_expires_at - app.clock.now()).num_seconds();
            let body = json!({ "accessToken": session.access_token, "expiresAt": session.expires_at });
            with_cookie(app, &session.refresh_token, left, &body)
        }
        Err(error) => refused(app, headers, error),
    }
}

fn with_cookie(app: &App, value: &str, seconds: i64, body: &Value) -> Response {
    let secure = if app.config.public_url().starts_with("https:") { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    ([(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, "no-store".to_owned())], Json(body)).into_response()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, value)| value)
}

fn refused(app: &App, headers: &HeaderMap, error: Error) -> Response {
    let language = Language::preferred(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()));
    match error {
        Error::Refused(problems) => match problems.first() {
            Some(problem) if problem.code == Code::TooManyAttempts => {
                told(StatusCode::TOO_MANY_REQUESTS, problem, language)
            }
            Some(problem) if problem.path.first().is_some_and(|field| field == "refreshToken") => {
                forgotten(app, "WRONG_CREDENTIALS")
            }
            Some(problem) => told(StatusCode::UNAUTHORIZED, problem, language),
            None => refusal(StatusCode::BAD_REQUEST, "INVALID", "Refused."),
        },
        Error::Unauthenticated => refusal(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "Sign in first."),
        Error::Forbidden => refusal(StatusCode::FORBIDDEN, "FORBIDDEN", "You may not do this."),
        Error::Busy(wait) => {
            let mut answer =
                refusal(StatusCode::SERVICE_UNAVAILABLE, "RATE_LIMITED", "Too many want this in this moment.");
            answer.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().max(1).into());
            answer
        }
        error => {
            tracing::error!(%error, "a session cannot be served");
            refusal(StatusCode::SERVICE_UNAVAILABLE, "INTERNAL_SERVER_ERROR", "Temporarily unavailable; try again.")
        }
    }
}

/// The cookie is worth nothing any more: the browser may forget it.
fn forgotten(app: &App, code: &str) -> Response {
    let mut answer = with_cookie(app, "", 0, &json!({ "code": code }));
    *answer.status_mut() = StatusCode::UNAUTHORIZED;
    answer
}

fn told(status: StatusCode, problem: &Problem, language: Language) -> Response {
    let code = if problem.code == Code::TooManyAttempts { "TOO_MANY_ATTEMPTS" } else { "WRONG_CREDENTIALS" };
    refusal(status, code, language.of(&problem.text))
}

fn not_json() -> Response {
    refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "BAD_REQUEST", "Send a small JSON object as application/json.")
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(json!({ "code": code, "message": message }))).into_response()
}
