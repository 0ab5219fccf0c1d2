//! What a person owns in points: `balance` is the sum of the entries, `held` is set aside by holds.

use crate::ids::UserId;
use sea_orm::entity::prelude::*;

/// A row of `point_account`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "point_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub balance: i64,
    pub held: i64,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
