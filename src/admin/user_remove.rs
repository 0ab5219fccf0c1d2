//! `adminUserRemove`: the rules of a withdrawal, or over them.
//!
//! Everything is one transaction: what is open is called off, the person erased, the audit row written. The refunds are the
//! ordinary jobs, and need nothing of what was erased; so a crash leaves either nothing done or only jobs to do.

use super::{
    audit::{self, Actor, Change},
    reason,
};
use crate::{
    app::App,
    error::{Error, Result},
    transaction,
    user::withdraw::{self, call_off, check, end_sessions, erase, model::Obstacles},
};
use entity::{ids::UserId, user};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

/// `is_override`: what is open is called off instead of standing in the way.
pub async fn remove(app: &App, by: Actor, id: UserId, reason: &str, is_override: bool) -> Result<user::Model> {
    let reason = reason::check(reason)?;
    let user = transaction!(app, txn => remove_in(txn, app, by, id, &reason, is_override).await)?;
    end_sessions::end_sessions(app, id).await;
    Ok(user)
}

async fn remove_in(
    txn: &impl ConnectionTrait,
    app: &App,
    by: Actor,
    id: UserId,
    reason: &str,
    is_override: bool,
) -> Result<user::Model> {
    let now = app.clock.now();
    let user = withdraw::lock(txn, id).await?.ok_or_else(|| Error::not_found(&["userId"]))?;
    let obstacles = check::obstacles(txn, now, id).await?;
    if is_override {
        call_off::call_off(txn, app, &user).await?;
    } else {
        check::check(txn, now, &user, &["userId"]).await?;
    }
    let forfeited = erase::erase(txn, app, &user).await?;
    let change =
        Change::new("user.remove", "user", id).before(json!({ "role": user.role, "open": named(&obstacles) })).after(
            json!({ "isWithdrawn": true, "isOverride": is_override, "reason": reason, "forfeitedPoints": forfeited }),
        );
    audit::write(txn, app, by, change).await?;
    crate::user::query::by_id(txn, id).await?.ok_or_else(|| Error::fault("a person who was just erased"))
}

/// By their ids: what was called off, or left as it is.
fn named(obstacles: &Obstacles) -> Value {
    fn ids<T: ToString>(ids: &[T]) -> Vec<String> {
        ids.iter().map(ToString::to_string).collect()
    }
    json!({
        "bookings": ids(&obstacles.bookings),
        "payments": ids(&obstacles.payments),
        "events": ids(&obstacles.open_events),
        "unsettledEvents": ids(&obstacles.unsettled_events),
    })
}
