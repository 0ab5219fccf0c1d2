//! Members and the audit log, as admins see them.

use super::{
    audit,
    graphql_lists::{IDS, parsed, parsed_all},
    list::{counts, people},
};
use crate::{
    auth::graphql::Role,
    connection,
    error::Result,
    graphql::{
        ctx::Ctx,
        loaders::{Batch, Shared, failed},
        scalars::{Date, Won},
    },
    user::graphql::UserNode,
};
use async_graphql::{Context, Enum, ID, InputObject, Object, dataloader::Loader};
use chrono::{DateTime, Utc};
use entity::{
    admin, audit_log, enums,
    ids::{AdminId, UserId},
    user,
};
use std::{collections::HashMap, sync::Arc};

/// Which members; what is left out does not matter.
#[derive(InputObject, Default)]
pub struct AdminUserFilter {
    /// Only these, at most 100.
    pub ids: Option<Vec<ID>>,
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they have left.
    pub is_withdrawn: Option<bool>,
}

/// Who made a change that is in the log.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::AuditActor")]
pub enum AuditActor {
    /// An admin, through the API.
    Admin,
    /// Somebody at the command line.
    Cli,
    /// A member, to the own account.
    #[graphql(name = "SELF")]
    Themselves,
}

/// Which entries of the log; what is left out does not matter.
#[derive(InputObject, Default)]
pub struct AuditLogFilter {
    /// Only these, at most 100.
    pub ids: Option<Vec<ID>>,
    /// What was changed: `usr_…`, `evt_…` and so on.
    pub subject_id: Option<ID>,
    /// Who changed it.
    pub admin_id: Option<ID>,
    /// What was done, such as `user.remove`.
    pub action: Option<String>,
    /// At this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
}

impl AdminUserFilter {
    pub fn parse(self, text: Option<String>) -> Result<people::Users> {
        let (ids, role) = (parsed_all(self.ids, &IDS)?, self.role.map(Into::into));
        Ok(people::Users { ids, text, role, is_withdrawn: self.is_withdrawn })
    }
}

impl AuditLogFilter {
    pub fn parse(self) -> Result<people::AuditLog> {
        Ok(people::AuditLog {
            ids: parsed_all(self.ids, &IDS)?,
            subject_id: self.subject_id.map(|id| id.0),
            admin_id: parsed(self.admin_id, "adminId")?,
            action: self.action,
            from: self.from,
            until: self.until,
        })
    }
}

/// A member with what is known of them.
#[derive(Clone, Debug)]
pub struct AdminUserNode(pub user::Model);

/// A member with what is known of them.
#[Object(name = "AdminUser")]
impl AdminUserNode {
    /// `usr_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// As everybody sees them.
    async fn user(&self) -> UserNode {
        UserNode(self.0.clone())
    }
    /// What they sign in with; null of who has left.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }
    /// What they call themselves; empty of who has left.
    async fn nickname(&self) -> &str {
        &self.0.nickname
    }
    /// `010-0000-0000`; null if it is not known.
    async fn phone_number(&self) -> Option<&str> {
        self.0.phone_number.as_deref()
    }
    /// When they were born; null if it is not known.
    async fn birth_date(&self) -> Option<Date> {
        self.0.birth_date.map(Date)
    }
    /// Where they live; null if it is not known.
    async fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }
    /// What they may do.
    async fn role(&self) -> Role {
        self.0.role.into()
    }
    /// Whether they sign in with a password, not only through a provider.
    async fn has_password(&self) -> bool {
        self.0.password_hash.is_some()
    }
    /// When they signed up.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When they left; null if they are still here.
    async fn withdrawn_at(&self) -> Option<DateTime<Utc>> {
        self.0.withdrawn_at
    }
    /// Points that they can spend now.
    async fn point_balance(&self, ctx: &Context<'_>) -> async_graphql::Result<Won> {
        let found = ctx.loaders().load_one(PointsOf(self.0.id)).await.map_err(|error| failed(&error))?;
        Ok(Won(found.unwrap_or_default()))
    }
    /// How many bookings they ever made.
    async fn booking_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let found = ctx.loaders().load_one(BookingsOf(self.0.id)).await.map_err(|error| failed(&error))?;
        Ok(i32::try_from(found.unwrap_or_default()).unwrap_or(i32::MAX))
    }
    /// How many events they ever published.
    async fn event_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let found = ctx.loaders().load_one(EventsOf(self.0.id)).await.map_err(|error| failed(&error))?;
        Ok(i32::try_from(found.unwrap_or_default()).unwrap_or(i32::MAX))
    }
}

/// One change: who, what, before, after, when, from where.
#[derive(Clone, Debug)]
pub struct AuditLogNode(pub audit_log::Model);

/// One change: who, what, before, after, when, from where.
#[Object(name = "AuditLogEntry")]
impl AuditLogNode {
    /// `aud_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What kind of actor did it.
    async fn actor(&self) -> AuditActor {
        audit::actor_of(&self.0).into()
    }
    /// Who sat at the command line, and on which machine, as `name@host`; null for others.
    async fn operator(&self) -> Option<&str> {
        self.0.operator.as_deref()
    }
    /// Who did it, `adm_…`; null unless it was an admin.
    async fn admin_id(&self) -> Option<ID> {
        self.0.admin_id.map(|id| ID(id.to_string()))
    }
    /// That admin's email; null where there is none.
    async fn admin_email(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<String>> {
        match ctx.loaders().load_one(self.0.admin_id?).await {
            Ok(found) => found.map(|admin: admin::Model| Ok(admin.email)),
            Err(error) => Some(Err(failed(&error))),
        }
    }
    /// What was done, such as `user.remove`.
    async fn action(&self) -> &str {
        &self.0.action
    }
    /// The kind of thing that it was done to, such as `user`.
    async fn subject_kind(&self) -> &str {
        &self.0.subject_kind
    }
    /// That thing's id.
    async fn subject_id(&self) -> ID {
        ID(self.0.subject_id.clone())
    }
    /// JSON: what mattered of it before; null if there was nothing.
    async fn before(&self) -> Option<&str> {
        self.0.before.as_deref()
    }
    /// JSON: what mattered of it afterwards, and why it was done; null if there is nothing.
    async fn after(&self) -> Option<&str> {
        self.0.after.as_deref()
    }
    /// The network address that an admin did it from; null for others.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }
    /// When it was done.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
}

connection!(AdminUserConnection, AdminUserEdge, AdminUserNode, "members");
connection!(AuditLogConnection, AuditLogEdge, AuditLogNode, "changes");

/// The key of a member's points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PointsOf(UserId);

/// The key of a member's number of bookings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BookingsOf(UserId);

/// The key of an artist's number of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventsOf(UserId);

impl Loader<PointsOf> for Batch {
    type Value = i64;
    type Error = Shared;

    async fn load(&self, keys: &[PointsOf]) -> Result<HashMap<PointsOf, i64>, Shared> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let found = people::points(self.0.db.reads(), &ids).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(id, points)| (PointsOf(id), points)).collect())
    }
}

impl Loader<BookingsOf> for Batch {
    type Value = i64;
    type Error = Shared;

    async fn load(&self, keys: &[BookingsOf]) -> Result<HashMap<BookingsOf, i64>, Shared> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let found = counts::bookings_of(self.0.db.reads(), &ids).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(id, count)| (BookingsOf(id), count)).collect())
    }
}

impl Loader<EventsOf> for Batch {
    type Value = i64;
    type Error = Shared;

    async fn load(&self, keys: &[EventsOf]) -> Result<HashMap<EventsOf, i64>, Shared> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let found = counts::events_of(self.0.db.reads(), &ids).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(id, count)| (EventsOf(id), count)).collect())
    }
}

impl Loader<AdminId> for Batch {
    type Value = admin::Model;
    type Error = Shared;

    async fn load(&self, keys: &[AdminId]) -> Result<HashMap<AdminId, admin::Model>, Shared> {
        people::admins(self.0.db.reads(), keys).await.map_err(Arc::new)
    }
}
