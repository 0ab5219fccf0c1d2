//! `adminEventRemove`: out of public sight, and called off if it has not ended.
//!
//! An event that is still to come is canceled, with the refunds of `event::cancel`. One that has ended keeps its sales and its
//! settlement: the holders had what they paid for. Either way the row, its bookings and the ledgers stay; its files do not.

use super::{
    audit::{self, Actor, Change},
    reason,
};
use crate::{
    app::App,
    attachment::{self, Owner},
    error::{Error, Result},
    event::{cancel, index},
    transaction,
};
use entity::{enums::EventStatus, event, ids::EventId};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QuerySelect};
use serde_json::json;

pub async fn remove(app: &App, by: Actor, id: EventId, reason: &str) -> Result<event::Model> {
    let reason = reason::check(reason)?;
    transaction!(app, txn => remove_in(txn, app, by, id, &reason).await)
}

async fn remove_in(
    txn: &impl ConnectionTrait,
    app: &App,
    by: Actor,
    id: EventId,
    reason: &str,
) -> Result<event::Model> {
    let old = event::Entity::find_by_id(id).lock_exclusive().one(txn).await?;
    let old = old.filter(|row| row.removed_at.is_none()).ok_or_else(|| Error::not_found(&["eventId"]))?;
    let now = app.clock.now();
    let before = json!({ "status": old.status, "title": old.title, "isRemoved": false });
    let is_open = old.status == EventStatus::Scheduled && old.ends_at > now;
    let row = if is_open { cancel::call_off(txn, app, old).await? } else { old };
    let row = event::Model { removed_at: Some(now), version: row.version + 1, ..row };
    event::ActiveModel::from(row.clone()).reset_all().update(txn).await?;
    attachment::remove::all_of(txn, app, Owner::Event(id)).await?;
    index::enqueue(txn, app, id).await?;
    let after = json!({ "status": row.status, "isRemoved": true, "isRefunded": is_open, "reason": reason });
    let change = Change::new("event.remove", "event", id).before(before).after(after);
    audit::write(txn, app, by, change).await?;
    Ok(row)
}
