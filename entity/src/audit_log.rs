//! Append-only: what an admin changed.

use crate::{
    enums::AuditActor,
    ids::{AdminId, AuditLogId},
};
use sea_orm::entity::prelude::*;

/// A row of `audit_log`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditLogId,
    /// Null in rows of before there was a kind.
    pub actor: Option<AuditActor>,
    /// Null unless it was an admin.
    pub admin_id: Option<AdminId>,
    /// Who sat at the command line, and where.
    pub operator: Option<String>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub before: Option<String>,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub after: Option<String>,
    pub address: Option<String>,
    pub at: DateTimeUtc,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
