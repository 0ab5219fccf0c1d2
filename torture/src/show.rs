//! An event with one ticket type: how it is booked, and what has become of it.

use crate::{Result, ask::text, world::World};
use entity::{
    booking,
    enums::{BookingStatus, TicketStatus},
    ids::{EventId, TicketTypeId, UserId},
    ticket, ticket_type,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::HashSet;

/// What is asked of `eventCreate`.
pub const MADE: &str = "event { id ticketTypes { id } }";
/// What is asked of `bookingStart`.
pub const BOOKED: &str = "booking { id status } payment { id status redirect { pcUrl } }";

#[derive(Clone, Debug)]
pub struct Show {
    pub id: String,
    pub ticket_type: String,
}

impl Show {
    /// From the payload of `eventCreate`.
    pub fn made(payload: &Value) -> Result<Self> {
        Ok(Self { id: text(payload, "/event/id")?, ticket_type: text(payload, "/event/ticketTypes/0/id")? })
    }

    /// What a fan sends for so many seats.
    pub fn booking(&self, quantity: i32, key: &str) -> Value {
        json!({
            "eventId": self.id, "lines": [{ "ticketTypeId": self.ticket_type, "quantity": quantity }],
            "idempotencyKey": key, "returnUrl": "http://localhost:3000/done", "points": 0,
        })
    }

    pub async fn bookings(&self, world: &World) -> Result<Vec<booking::Model>> {
        let id: EventId = self.id.parse()?;
        let of_event = booking::Entity::find().filter(booking::Column::EventId.eq(id));
        Ok(of_event.all(world.app.db.reads()).await?)
    }

    /// Its stock: capacity, and what is left of it.
    pub async fn stock(&self, world: &World) -> Result<ticket_type::Model> {
        let id: TicketTypeId = self.ticket_type.parse()?;
        let row = ticket_type::Entity::find_by_id(id).one(world.app.db.reads()).await?;
        Ok(row.ok_or("the ticket type is gone")?)
    }

    pub async fn valid_tickets(&self, world: &World) -> Result<Vec<ticket::Model>> {
        let id: EventId = self.id.parse()?;
        let valid = ticket::Entity::find()
            .filter(ticket::Column::EventId.eq(id))
            .filter(ticket::Column::Status.eq(TicketStatus::Valid));
        Ok(valid.all(world.app.db.reads()).await?)
    }

    /// Those with a ticket, of whom nobody may have two bookings, and each a ticket for each seat.
    pub async fn holders(&self, world: &World) -> Result<HashSet<UserId>> {
        let confirmed = self.bookings(world).await?.into_iter().filter(|row| row.status == BookingStatus::Confirmed);
        let mut holders = HashSet::new();
        for row in confirmed {
            if !holders.insert(row.user_id) {
                return Err(format!("{} has two bookings", row.user_id).into());
            }
        }
        let tickets: HashSet<UserId> = self.valid_tickets(world).await?.into_iter().map(|row| row.user_id).collect();
        if tickets != holders {
            return Err(format!("tickets for {tickets:?}, bookings of {holders:?}").into());
        }
        Ok(holders)
    }
}
