//! HTTP: the GraphQL transports, the browser's way back from a payment, and the pages that the binary itself serves.
//!
//! `graphql` has one file for each transport, and knows the product as the trait `graphql::engine::Engine`; `product` is
//! the other side of it.

mod address;
pub mod graphql;
mod headers;
mod health;
mod home;
mod jwks;
mod kakao_unlinked;
mod listen;
mod mail_page;
mod metrics;
mod objects;
mod payment_redirect;
pub mod playground;
mod product;
mod request_log;
mod session_cookie;
mod small_body;

use crate::{
    app::App,
    infra::{kakaopay::sandbox::Sandbox, social::sandbox as social},
};
use axum::{Router, middleware, routing::get};
use entity::enums::SocialProvider;
use std::sync::Arc;
use tower::util::{MapRequestLayer, MapResponseLayer};
use tower_http::compression::CompressionLayer;

pub use graphql::EdgeSettings;
pub use listen::{ConnectionSettings, listen};

/// Where the sandbox KakaoPay is mounted.
pub const SANDBOX_KAKAOPAY: &str = "/sandbox/kakaopay";

/// Where Kakao says that somebody left us there.
pub const KAKAO_UNLINKED: &str = "/webhooks/kakao/unlink";

/// Everything that this server answers.
pub fn router(app: &App) -> Router {
    let mut router = Router::new()
        .route("/", get(home::home))
        .route("/payments/{id}/{outcome}", get(payment_redirect::back))
        .route("/objects/{key}", get(objects::object))
        .route("/healthz", get(health::live))
        .route("/metrics", get(metrics::metrics))
        .route("/.well-known/jwks.json", get(jwks::jwks))
        .route("/readyz", get(health::ready))
        .with_state(app.clone())
        .merge(playground::routes())
        .merge(kakao_unlinked::routes(app))
        .merge(session_cookie::routes(app, &origins(app)));
    if app.config.kakaopay.url == "sandbox:" {
        router = router.nest(SANDBOX_KAKAOPAY, Sandbox::of(app).router());
    }
    for (provider, path) in [(SocialProvider::Kakao, social::KAKAO), (SocialProvider::Naver, social::NAVER)] {
        if app.config.is_social_sandbox(provider) {
            router = router.nest(path, social::Sandbox::of(app, provider).router());
        }
    }
    if app.config.shows_mail() {
        router = router.merge(mail_page::routes(app));
    }
    let trusted: Arc<[_]> = app.config.server.trusted_proxies.clone().into();
    let is_secure = app.config.public_url().starts_with("https:");
    let found = MapRequestLayer::new(move |request| address::found(request, &trusted));
    let added = MapResponseLayer::new(move |response| headers::added(response, is_secure));
    // `/graphql` names its requests itself, behind its own CORS. No event stream is compressed: it would wait for more. Layers
    // in one go: the router boxes, and copies for each request, what it is given by one call.
    router
        .layer(middleware::from_fn_with_state(app.ids.clone(), request_log::log))
        .merge(graphql::routes(edge(app)))
        .layer((found, added, CompressionLayer::new()))
}

fn origins(app: &App) -> graphql::Origins {
    let allowed = app.config.web.allowed_origins.iter().map(String::as_str);
    graphql::Origins::new(allowed, !app.config.is_production())
}

fn edge(app: &App) -> graphql::EdgeParts {
    graphql::EdgeParts {
        engine: Arc::new(product::Product::new(app.clone())),
        settings: app.config.edge.clone(),
        origins: origins(app),
        clock: Arc::clone(&app.clock),
        ids: app.ids.clone(),
        spool: app.spool.clone(),
        shutdown: app.shutdown.clone(),
        tasks: app.tasks.clone(),
    }
}
