//! Fans and artists. Withdrawal erases the personal fields and keeps the row.

use crate::PasswordHash;
use crate::enums::Role;
use crate::ids::UserId;
use sea_orm::entity::prelude::*;

/// A row of `user`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Lower case; null once withdrawn, so that the address is free again.
    pub email: Option<String>,
    /// Null for accounts that only sign in socially, and once withdrawn.
    pub password_hash: Option<PasswordHash>,
    /// Shown in public.
    pub nickname: String,
    pub birth_date: Option<Date>,
    pub phone_number: Option<String>,
    pub location: Option<String>,
    pub role: Role,
    /// The language of mails: `ko` or `en`.
    pub language: String,
    pub is_reminded_by_mail: bool,
    /// The last `notification.seq` given to this person; the row lock that orders them.
    pub notification_count: i64,
    pub created_at: DateTimeUtc,
    pub withdrawn_at: Option<DateTimeUtc>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
