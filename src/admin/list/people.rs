//! Members, and what admins did.

use super::{begins, newest};
use crate::{
    error::Result,
    page::{self, Page, Window},
};
use chrono::{DateTime, Utc};
use entity::{
    admin, audit_log,
    enums::Role,
    ids::{AdminId, UserId},
    user,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::HashMap;

/// Which members; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct Users {
    /// The beginning of an email, a nickname or a phone number.
    pub text: Option<String>,
    pub role: Option<Role>,
    pub is_withdrawn: Option<bool>,
}

pub async fn users(db: &impl ConnectionTrait, filter: Users, window: &Window) -> Result<Page<user::Model>> {
    use user::Column;
    let mut all = Condition::all();
    if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        let backend = db.get_database_backend();
        let any = Condition::any()
            .add(begins(backend, Column::Email, &text.to_lowercase()))
            .add(begins(backend, Column::Nickname, text))
            .add(begins(backend, Column::PhoneNumber, text));
        all = all.add(any);
    }
    all = all.add_option(filter.role.map(|role| Column::Role.eq(role)));
    all = all.add_option(filter.is_withdrawn.map(|is_withdrawn| {
        if is_withdrawn { Column::WithdrawnAt.is_not_null() } else { Column::WithdrawnAt.is_null() }
    }));
    page::read(db, user::Entity::find().filter(all), &newest!(user, CreatedAt, created_at), window).await
}

/// Which entries of the log; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct AuditLog {
    /// `usr_…`, `evt_…` and so on.
    pub subject_id: Option<String>,
    pub admin_id: Option<AdminId>,
    pub action: Option<String>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

pub async fn audit_log(db: &impl ConnectionTrait, filter: AuditLog, window: &Window) -> Result<Page<audit_log::Model>> {
    use audit_log::Column;
    let all = Condition::all()
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
