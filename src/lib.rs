//! Spotlight Space (소극장): booking for small performances and exhibitions.
//!
//! # The map
//! Domains are folders: [`auth`] [`user`] [`event`] [`booking`] [`payment`] [`point`] [`coupon`] [`review`]
//! [`attachment`] [`notification`] [`admin`]. Inside each: `mod.rs` (what it owns, what always holds), `model.rs`
//! (pure rules), one file for each use case, named by its verb, `query.rs` (reads), `graphql.rs` (types and
//! resolvers). The outside world is in [`infra`]; the schema's roots and conventions in [`graphql`]; transports and
//! pages in [`http`]; [`app`] puts it together.
//!
//! # Four rules, enforced by `tests/it/architecture.rs`
//! 1. `graphql.rs` → use case → `model.rs` / `entity`, never backwards. `async_graphql` is imported only in `graphql*.rs`
//!    files and under `graphql/` and `http/`.
//! 2. Resolvers and HTTP handlers never name `sea_orm`: parse, call one use case, convert.
//! 3. `model.rs` is pure: no async, no clock, no database.
//! 4. Only a use case opens a transaction, and no network call happens inside one.

pub mod admin;
pub mod app;
pub mod attachment;
pub mod auth;
pub mod booking;
mod cli;
pub mod config;
pub mod coupon;
pub mod demo;
pub mod error;
pub mod event;
pub mod graphql;
pub mod http;
pub mod infra;
pub mod language;
pub mod notification;
pub mod page;
pub mod payment;
pub mod point;
pub mod review;
pub mod serve;
pub mod user;

/// Thousands of idle listeners share a heap: this one keeps it denser than the system's, and is faster.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use cli::main;
pub use error::{Error, Result};

/// Every job that a row of the outbox can name.
pub(crate) fn job_registry() -> infra::jobs::Registry {
    infra::jobs::Registry::default()
        .with::<admin::invariants::watch::AlertBrokenRule>()
        .with::<admin::invariants::watch::WatchInvariants>()
        .with::<admin::role_change::EndOldSessions>()
        .with::<attachment::remove::RemoveObject>()
        .with::<auth::new_password::PasswordChanged>()
        .with::<auth::send_code::SendCode>()
        .with::<auth::social::link_letter::LinkChanged>()
        .with::<auth::social::unlink::UnlinkAtProvider>()
        .with::<auth::social::unlinked::KakaoUnlinked>()
        .with::<booking::expire::ExpireBooking>()
        .with::<booking::follow::FollowSale>()
        .with::<booking::refund::RefundBooking>()
        .with::<event::cancel::RefundEvent>()
        .with::<event::index::IndexEvent>()
        .with::<event::index::RebuildIndex>()
        .with::<infra::jobs::AlertParkedJob>()
        .with::<infra::kv::sweep::SweepKv>()
        .with::<notification::canceled::TellCanceled>()
        .with::<notification::changed::TellChange>()
        .with::<notification::changed::TellMoved>()
        .with::<notification::charge_returned::TellChargeReturned>()
        .with::<notification::confirmed::TellAllConfirmed>()
        .with::<notification::confirmed::TellConfirmed>()
        .with::<notification::coupon_issued::TellCouponIssued>()
        .with::<notification::remind::SendReminder>()
        .with::<payment::reconcile::ReconcilePayment>()
        .with::<payment::stuck::AlertStuckPayment>()
        .with::<payment::stuck::WatchPayments>()
        .with::<point::expire_charge::ExpireCharge>()
        .with::<user::email_change::EmailChanged>()
        .with::<user::withdraw::end_sessions::EndSessions>()
        .with::<user::withdraw::farewell::Farewell>()
        .with::<user::withdraw::forfeit::ForfeitPoints>()
}
