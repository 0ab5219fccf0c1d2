//! So many seats of one ticket type, at the price of that moment.

use crate::ids::{BookingId, TicketTypeId};
use sea_orm::entity::prelude::*;

/// A row of `booking_line`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "booking_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub booking_id: BookingId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub ticket_type_id: TicketTypeId,
    pub unit_price: i64,
    pub quantity: i32,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
