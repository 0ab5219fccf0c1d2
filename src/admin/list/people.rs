//! Members, and what admins did.

use super::{begins, newest, one_of, said};
use crate::{
    error::Result,
    page::{self, Page, Window},
};
use chrono::{DateTime, Utc};
use entity::{
    admin, audit_log,
    enums::Role,
    ids::{AdminId, AuditLogId, UserId},
    user,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, sea_query::Query};
use std::collections::HashMap;

/// Which members; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct Users {
    pub ids: Option<Vec<UserId>>,
    /// The beginning of an email, a nickname or a phone number.
    pub text: Option<String>,
    pub role: Option<Role>,
    pub is_withdrawn: Option<bool>,
}

pub async fn users(db: &impl ConnectionTrait, filter: Users, window: &Window) -> Result<Page<user::Model>> {
    use user::Column;
    let mut all = one_of(Column::Id, filter.ids);
    all = all.add_option(said(filter.text.as_deref()).map(|text| known_by(db.get_database_backend(), text)));
    all = all.add_option(filter.role.map(|role| Column::Role.eq(role)));
    all = all.add_option(filter.is_withdrawn.map(|is_withdrawn| {
        if is_withdrawn { Column::WithdrawnAt.is_not_null() } else { Column::WithdrawnAt.is_null() }
    }));
    page::read(db, user::Entity::find().filter(all), &newest!(user, CreatedAt, created_at), window).await
}

/// By the beginning of an email, a nickname or a phone number.
fn known_by(backend: DbBackend, text: &str) -> Condition {
    use user::Column;
    Condition::any()
        .add(begins(backend, Column::Email, &text.to_lowercase()))
        .add(begins(backend, Column::Nickname, text))
        .add(begins(backend, Column::PhoneNumber, text))
}

/// Whether the column names one of those.
pub(super) fn is_known_by(backend: DbBackend, column: impl ColumnTrait, text: &str) -> Condition {
    let who =
        Query::select().column(user::Column::Id).from(user::Entity).cond_where(known_by(backend, text)).to_owned();
    Condition::all().add(column.in_subquery(who))
}

/// Which entries of the log; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct AuditLog {
    pub ids: Option<Vec<AuditLogId>>,
    /// `usr_…`, `evt_…` and so on.
    pub subject_id: Option<String>,
    pub admin_id: Option<AdminId>,
    pub action: Option<String>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

pub async fn audit_log(db: &impl ConnectionTrait, filter: AuditLog, window: &Window) -> Result<Page<audit_log::Model>> {
    use audit_log::Column;
    let all = one_of(Column::Id, filter.ids)
        .add_option(filter.subject_id.map(|id| Column::SubjectId.eq(id)))
        .add_option(filter.admin_id.map(|id| Column::AdminId.eq(id)))
        .add_option(filter.action.map(|action| Column::Action.eq(action)))
        .add_option(filter.from.map(|from| Column::At.gte(from)))
        .add_option(filter.until.map(|until| Column::At.lt(until)));
    page::read(db, audit_log::Entity::find().filter(all), &newest!(audit_log, At, at), window).await
}

pub async fn admins(db: &impl ConnectionTrait, ids: &[AdminId]) -> Result<HashMap<AdminId, admin::Model>> {
    let rows = admin::Entity::find().filter(admin::Column::Id.is_in(ids.iter().copied())).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Points of each, without what holds have set aside.
pub async fn points(db: &impl ConnectionTrait, ids: &[UserId]) -> Result<HashMap<UserId, i64>> {
    use entity::point_account::{Column, Entity};
    let rows = Entity::find().filter(Column::UserId.is_in(ids.iter().copied())).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.user_id, row.balance - row.held)).collect())
}
