//! A code that stands in for an admin's second factor, once: using it removes the row.

use crate::ids::AdminId;
use sea_orm::entity::prelude::*;

/// A row of `admin_recovery_code`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "admin_recovery_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub admin_id: AdminId,
    /// SHA-256, in hexadecimal; the code has 100 random bits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_hash: String,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
