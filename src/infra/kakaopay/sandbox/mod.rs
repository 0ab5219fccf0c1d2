//! The sandbox KakaoPay: the same HTTP API, a page for people, and switches for faults. Its state is kept in the
//! key-value store, so a restart forgets no payment.

mod after;
mod api;
mod fault;
mod page;
mod store;

pub use store::taken;

use crate::infra::{clock::Clock, ids::Ids, kv::Kv};
use axum::{
    Router,
    routing::{get, post},
};
use chrono::TimeDelta;
use secrecy::SecretString;
use std::sync::Arc;

/// What the sandbox is made of.
#[derive(Clone, Debug)]
pub struct Sandbox(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    base_url: String,
    secret_key: SecretString,
    cid: String,
    /// How long an unapproved payment lives.
    expiry: TimeDelta,
    kv: Kv,
    clock: Arc<dyn Clock>,
    ids: Ids,
}

impl Sandbox {
    pub fn of(app: &crate::app::App) -> Self {
        let settings = &app.config.kakaopay;
        Self(Arc::new(Parts {
            base_url: format!("{}{}", app.config.public_url(), crate::http::SANDBOX_KAKAOPAY),
            secret_key: settings.secret_key.clone(),
            cid: settings.cid.clone(),
            expiry: TimeDelta::minutes(i64::try_from(settings.sandbox_expiry_minutes).unwrap_or(15)),
            kv: app.kv.clone(),
            clock: Arc::clone(&app.clock),
            ids: app.ids.clone(),
        }))
    }

    /// To be nested where the client's address points.
    pub fn router(self) -> Router {
        Router::new()
            .route("/online/v1/payment/ready", post(api::ready))
            .route("/online/v1/payment/approve", post(api::approve))
            .route("/online/v1/payment/order", post(after::order))
            .route("/online/v1/payment/cancel", post(after::cancel))
            .route("/pay/{tid}", get(page::show))
            .route("/pay/{tid}/{press}", post(page::press))
            .route("/faults", post(fault::set))
            .with_state(self)
    }
}
