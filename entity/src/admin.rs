//! Admins have their own table and their own sign-in; rows come from the command line only.

use crate::PasswordHash;
use crate::ids::AdminId;
use sea_orm::entity::prelude::*;

/// A row of `admin`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "admin")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AdminId,
    pub email: String,
    pub password_hash: PasswordHash,
    /// Sealed; null without a second factor.
    pub totp_secret: Option<String>,
    /// Sealed; waits for its first code.
    pub totp_pending: Option<String>,
    /// The last time step whose code was used.
    pub totp_step: Option<i64>,
    pub created_at: DateTimeUtc,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
