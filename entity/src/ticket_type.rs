//! A price and a number of seats. `remaining` is the row that buyers lock.

use crate::ids::{EventId, TicketTypeId};
use sea_orm::entity::prelude::*;

/// A row of `ticket_type`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket_type")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TicketTypeId,
    pub event_id: EventId,
    pub position: i32,
    pub name: String,
    pub price: i64,
    pub capacity: i32,
    pub remaining: i32,
    pub per_person_limit: Option<i32>,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
