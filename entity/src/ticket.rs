//! One seat, with a code that cannot be guessed.

use crate::enums::TicketStatus;
use crate::ids::{BookingId, EventId, TicketId, TicketTypeId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `ticket`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TicketId,
    pub booking_id: BookingId,
    pub event_id: EventId,
    pub ticket_type_id: TicketTypeId,
    pub user_id: UserId,
    pub code: String,
    pub status: TicketStatus,
    pub created_at: DateTimeUtc,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
