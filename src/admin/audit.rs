//! The only writes to the audit log: one row for each change, in the transaction of that change. Rows are never changed.
//!
//! `before` and `after` say what matters of the change, never a secret, and nothing personal of a member: what is erased
//! when somebody leaves must not live on here.

use crate::{app::App, error::Result};
use entity::{
    audit_log::{ActiveModel, Entity, Model},
    ids::AdminId,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait};
use serde_json::Value;
use std::{fmt::Display, net::IpAddr};

/// Who changes something, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    pub admin: AdminId,
    pub address: Option<IpAddr>,
}

/// What was changed.
#[derive(Clone, Debug)]
pub struct Change {
    action: &'static str,
    subject_kind: &'static str,
    subject_id: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    /// `action` reads `user.remove`, `admin.totp-confirm`.
    pub fn new(action: &'static str, subject_kind: &'static str, subject_id: impl Display) -> Self {
        Self { action, subject_kind, subject_id: subject_id.to_string(), before: None, after: None }
    }

    #[must_use]
    pub fn before(mut self, before: Value) -> Self {
        self.before = Some(before);
        self
    }

    #[must_use]
    pub fn after(mut self, after: Value) -> Self {
        self.after = Some(after);
        self
    }
}

/// `by` is `None` for the command line, and for what members do to their own accounts.
pub async fn write(txn: &impl ConnectionTrait, app: &App, by: Option<Actor>, change: Change) -> Result<()> {
    let row = Model {
        id: app.ids.next(),
        admin_id: by.map(|by| by.admin),
        action: change.action.to_owned(),
        subject_kind: change.subject_kind.to_owned(),
        subject_id: change.subject_id,
        before: change.before.map(|value| value.to_string()),
        after: change.after.map(|value| value.to_string()),
        address: by.and_then(|by| by.address).map(|address| address.to_string()),
        at: app.clock.now(),
    };
    Entity::insert(ActiveModel::from(row).reset_all()).exec_without_returning(txn).await?;
    Ok(())
}
