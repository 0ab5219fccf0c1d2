//! HTTP: the GraphQL transports, the browser's way back from a payment, and the pages that the binary itself serves.
//!
//! `graphql` is one file for each transport; `engine` is what they have in common.

pub mod graphql;
mod health;
mod home;
mod mail_page;
mod payment_redirect;
pub mod playground;

use crate::{app::App, infra::kakaopay::sandbox::Sandbox};
use axum::{Router, routing::get};
use serde::Deserialize;

/// Where the sandbox KakaoPay is mounted.
pub const SANDBOX_KAKAOPAY: &str = "/sandbox/kakaopay";

/// `[edge]`: the limits in front of the engine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeSettings {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of a document.
    pub query_bytes: usize,
    /// The longest that one operation may take.
    pub operation_seconds: u64,
    /// How long a WebSocket may wait before it introduces itself.
    pub init_seconds: u64,
    /// Operations at once on one WebSocket.
    pub socket_operations: usize,
    /// A comment on an idle SSE stream, a ping on an idle WebSocket.
    pub heartbeat_seconds: u64,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            query_bytes: 16 * 1024,
            operation_seconds: 10,
            init_seconds: 3,
            socket_operations: 20,
            heartbeat_seconds: 15,
        }
    }
}

/// Everything that this server answers.
pub fn router(app: &App) -> Router {
    let mut router = Router::new()
        .route("/", get(home::home))
        .route("/payments/{id}/{outcome}", get(payment_redirect::back))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(app.clone())
        .merge(graphql::routes(app));
    if app.config.kakaopay.url == "sandbox:" {
        router = router.nest(SANDBOX_KAKAOPAY, Sandbox::of(app).router());
    }
    if !app.config.is_production() {
        router = router.merge(playground::routes()).merge(mail_page::routes(app));
    }
    router
}
