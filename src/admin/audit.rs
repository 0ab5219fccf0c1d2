//! What admins changed: one row for each change, in the transaction of the change, never altered.

use crate::{app::App, error::Result, user::viewer::Admin};
use entity::audit_log;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait};
use serde_json::Value;
use std::net::IpAddr;

/// Who does it, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    pub admin: Admin,
    pub address: Option<IpAddr>,
}

/// What was done, and how it was before and after.
#[derive(Clone, Debug)]
pub struct Change {
    /// The mutation's name.
    pub action: &'static str,
    pub subject_kind: &'static str,
    pub subject_id: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

pub async fn record(txn: &impl ConnectionTrait, app: &App, actor: Actor, change: Change) -> Result<()> {
    let row = audit_log::Model {
        id: app.ids.next(),
        admin_id: Some(actor.admin.id()),
        action: change.action.to_owned(),
        subject_kind: change.subject_kind.to_owned(),
        subject_id: change.subject_id,
        before: change.before.map(|value| value.to_string()),
        after: change.after.map(|value| value.to_string()),
        address: actor.address.map(|address| address.to_string()),
        at: app.clock.now(),
    };
    audit_log::Entity::insert(audit_log::ActiveModel::from(row).reset_all()).exec_without_returning(txn).await?;
    Ok(())
}
