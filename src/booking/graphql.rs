//! Bookings and tickets as the API shows them.

use super::query;
use crate::{
    connection,
    error::Result,
    event::graphql::{EventNode, TicketTypeNode},
    graphql::{
        ctx::Ctx,
        loaders::{Batch, Shared, failed},
        scalars::Won,
    },
    payment::graphql::PaymentNode,
};
use async_graphql::{Context, Enum, ID, Object, dataloader::Loader};
use chrono::{DateTime, Utc};
use entity::{
    booking, booking_line, enums,
    ids::{BookingId, TicketTypeId},
    ticket,
};
use std::{collections::HashMap, sync::Arc};

/// Where a booking stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::BookingStatus")]
pub enum BookingStatus {
    /// Called off, and the money is back.
    Canceled,
    /// Called off, and the money is on its way back.
    Canceling,
    /// Paid, or nothing to pay: the tickets are there.
    Confirmed,
    /// The hold ran out, was given up, or its payment failed.
    Expired,
    /// Seats are set aside until `expiresAt`.
    Held,
}

/// Whether a ticket opens the door.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::TicketStatus")]
pub enum TicketStatus {
    /// It does not any more.
    Canceled,
    /// It did.
    Used,
    /// It does.
    Valid,
}

/// Seats of one event, set aside or sold.
#[derive(Clone, Debug)]
pub struct BookingNode(pub booking::Model);

/// Seats of one event, set aside or sold.
#[Object(name = "Booking")]
impl BookingNode {
    /// `bkg_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What is booked; null if that cannot be read now.
    async fn event(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<EventNode>> {
        match ctx.loaders().load_one(self.0.event_id).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(failed(&error))),
        }
    }
    /// Where it stands.
    async fn status(&self) -> BookingStatus {
        self.0.status.into()
    }
    /// How many of what.
    async fn lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<BookingLineNode>> {
        let found = ctx.loaders().load_one(LinesOf(self.0.id)).await.map_err(|error| failed(&error))?;
        Ok(found.unwrap_or_default().into_iter().map(BookingLineNode).collect())
    }
    /// The sum of price × quantity.
    async fn original_amount(&self) -> Won {
        Won(self.0.original_amount)
    }
    /// What the coupon takes off.
    async fn coupon_discount(&self) -> Won {
        Won(self.0.coupon_discount)
    }
    /// What points pay.
    async fn points_used(&self) -> Won {
        Won(self.0.points_used)
    }
    /// What is left to pay.
    async fn amount_due(&self) -> Won {
        Won(self.0.amount_due)
    }
    /// Until when the seats are set aside; null unless `HELD`.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// What pays for it; null if there is nothing to pay.
    async fn payment(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<PaymentNode>> {
        match ctx.loaders().load_one(self.0.id).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(failed(&error))),
        }
    }
    /// One for each seat, once it is confirmed.
    async fn tickets(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<TicketNode>> {
        let found = ctx.loaders().load_one(TicketsOf(self.0.id)).await.map_err(|error| failed(&error))?;
        Ok(found.unwrap_or_default().into_iter().map(TicketNode).collect())
    }
}

/// So many seats of one ticket type.
#[derive(Clone, Debug)]
pub struct BookingLineNode(booking_line::Model);

/// So many seats of one ticket type.
#[Object(name = "BookingLine")]
impl BookingLineNode {
    /// Of what kind; null if that cannot be read now.
    async fn ticket_type(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<TicketTypeNode>> {
        ticket_type(ctx, self.0.ticket_type_id).await
    }
    /// How many.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }
    /// For one, at the time of booking.
    async fn unit_price(&self) -> Won {
        Won(self.0.unit_price)
    }
}

/// One seat.
#[derive(Clone, Debug)]
pub struct TicketNode(pub ticket::Model);

/// One seat.
#[Object(name = "Ticket")]
impl TicketNode {
    /// `tkt_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What is shown at the door: 28 characters, of which 20 cannot be guessed.
    async fn code(&self) -> &str {
        &self.0.code
    }
    /// Whether it opens the door.
    async fn status(&self) -> TicketStatus {
        self.0.status.into()
    }
    /// Of what kind; null if that cannot be read now.
    async fn ticket_type(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<TicketTypeNode>> {
        ticket_type(ctx, self.0.ticket_type_id).await
    }
    /// To what; null if that cannot be read now.
    async fn event(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<EventNode>> {
        match ctx.loaders().load_one(self.0.event_id).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(failed(&error))),
        }
    }
}

async fn ticket_type(ctx: &Context<'_>, id: TicketTypeId) -> Option<async_graphql::Result<TicketTypeNode>> {
    match ctx.loaders().load_one(id).await {
        Ok(found) => found.map(Ok),
        Err(error) => Some(Err(failed(&error))),
    }
}

connection!(BookingConnection, BookingEdge, BookingNode, "bookings");
connection!(TicketConnection, TicketEdge, TicketNode, "tickets");

/// The key of a booking's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinesOf(BookingId);

/// The key of a booking's tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TicketsOf(BookingId);

impl Loader<LinesOf> for Batch {
    type Value = Vec<booking_line::Model>;
    type Error = Shared;

    async fn load(&self, keys: &[LinesOf]) -> Result<HashMap<LinesOf, Self::Value>, Shared> {
        let ids: Vec<BookingId> = keys.iter().map(|key| key.0).collect();
        let rows = query::lines(self.0.db.reads(), &ids).await.map_err(Arc::new)?;
        let mut found: HashMap<LinesOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(LinesOf(row.booking_id)).or_default().push(row);
        }
        Ok(found)
    }
}

impl Loader<TicketsOf> for Batch {
    type Value = Vec<ticket::Model>;
    type Error = Shared;

    async fn load(&self, keys: &[TicketsOf]) -> Result<HashMap<TicketsOf, Self::Value>, Shared> {
        let ids: Vec<BookingId> = keys.iter().map(|key| key.0).collect();
        let rows = query::tickets(self.0.db.reads(), &ids).await.map_err(Arc::new)?;
        let mut found: HashMap<TicketsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(TicketsOf(row.booking_id)).or_default().push(row);
        }
        Ok(found)
    }
}

impl Loader<TicketTypeId> for Batch {
    type Value = TicketTypeNode;
    type Error = Shared;

    async fn load(&self, keys: &[TicketTypeId]) -> Result<HashMap<TicketTypeId, TicketTypeNode>, Shared> {
        let rows = crate::event::query::ticket_types_by_ids(self.0.db.reads(), keys).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (row.id, TicketTypeNode(row))).collect())
    }
}
