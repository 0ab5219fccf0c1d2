//! The only writes to the audit log: one row for each change, in the transaction of that change. Rows are never changed.
//!
//! `before` and `after` say what matters of the change, never a secret, and nothing personal of a member: what is erased
//! when somebody leaves must not live on here.

use crate::{app::App, error::Result, infra::process};
use entity::{
    audit_log::{ActiveModel, Entity, Model},
    enums::AuditActor,
    ids::AdminId,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait};
use serde_json::Value;
use std::{fmt::Display, net::IpAddr};

/// An admin who changes something, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    pub admin: AdminId,
    pub address: Option<IpAddr>,
}

/// Who changes something.
#[derive(Clone, Copy, Debug)]
pub enum By {
    Admin(Actor),
    /// Whoever has the machine; the row says who that was.
    CommandLine,
    /// A member, to the own account.
    Themselves,
}

impl From<Actor> for By {
    fn from(actor: Actor) -> Self {
        Self::Admin(actor)
    }
}

impl By {
    const fn kind(self) -> AuditActor {
        match self {
            Self::Admin(_) => AuditActor::Admin,
            Self::CommandLine => AuditActor::Cli,
            Self::Themselves => AuditActor::Themselves,
        }
    }
}

/// The kind of who made the change; rows of before there was one say it by what they are.
pub fn actor_of(row: &Model) -> AuditActor {
    match (row.actor, row.admin_id) {
        (Some(actor), _) => actor,
        (None, Some(_)) => AuditActor::Admin,
        (None, None) if row.action == WITHDRAWAL => AuditActor::Themselves,
        (None, None) => AuditActor::Cli,
    }
}

/// The one change that members make to themselves.
pub const WITHDRAWAL: &str = "account.withdraw";

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

pub async fn write(txn: &impl ConnectionTrait, app: &App, by: impl Into<By>, change: Change) -> Result<()> {
    let by = by.into();
    let admin = if let By::Admin(actor) = by { Some(actor) } else { None };
    let row = Model {
        id: app.ids.next(),
        actor: Some(by.kind()),
        admin_id: admin.map(|actor| actor.admin),
        operator: matches!(by, By::CommandLine).then(process::operator),
        action: change.action.to_owned(),
        subject_kind: change.subject_kind.to_owned(),
        subject_id: change.subject_id,
        before: change.before.map(|value| value.to_string()),
        after: change.after.map(|value| value.to_string()),
        address: admin.and_then(|actor| actor.address).map(|address| address.to_string()),
        at: app.clock.now(),
    };
    Entity::insert(ActiveModel::from(row).reset_all()).exec_without_returning(txn).await?;
    Ok(())
}
