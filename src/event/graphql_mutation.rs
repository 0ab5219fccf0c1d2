//! Publishing, changing and calling off events.

use super::graphql::{EventCategory, EventNode};
use crate::{
    error::{Error, Problem, Result},
    event::{
        cancel, create,
        model::{Draft, TicketTypeDraft},
        update,
    },
    graphql::{ctx::Ctx, door::answer, scalars::Won},
    payload,
};
use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};

/// Where it takes place.
#[derive(InputObject)]
pub struct VenueInput {
    /// 1 to 100 characters.
    pub name: String,
    /// 1 to 200 characters.
    pub address: String,
}

/// A price and a number of seats.
#[derive(InputObject)]
pub struct TicketTypeInput {
    /// The ticket type to change; left out for a new one.
    pub id: Option<ID>,
    /// 1 to 60 characters.
    pub name: String,
    /// For one seat; 0 is free.
    pub price: Won,
    /// 1 to 100,000 seats.
    pub capacity: i32,
    /// The most that one person may hold.
    pub per_person_limit: Option<i32>,
}

/// A new event.
#[derive(InputObject)]
pub struct EventCreateInput {
    /// 1 to 100 characters.
    pub title: String,
    /// Markdown, 1 to 20,000 characters.
    pub content: String,
    /// Where it takes place.
    pub venue: VenueInput,
    /// What kind of event it is.
    pub category: EventCategory,
    /// When it begins; in the future.
    pub starts_at: DateTime<Utc>,
    /// When it is over; after the start.
    pub ends_at: DateTime<Utc>,
    /// When booking opens.
    pub booking_opens_at: DateTime<Utc>,
    /// When booking closes; not after the start.
    pub booking_closes_at: DateTime<Utc>,
    /// 1 to 10.
    pub ticket_types: Vec<TicketTypeInput>,
}

/// Changes to an event; what is left out stays as it is.
#[derive(InputObject)]
pub struct EventUpdateInput {
    /// The event, one's own.
    pub event_id: ID,
    /// 1 to 100 characters.
    pub title: Option<String>,
    /// Markdown, 1 to 20,000 characters.
    pub content: Option<String>,
    /// Where it takes place.
    pub venue: Option<VenueInput>,
    /// What kind of event it is.
    pub category: Option<EventCategory>,
    /// Moving the start tells the holders and lets them cancel until the new start.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it is over.
    pub ends_at: Option<DateTime<Utc>>,
    /// When booking opens.
    pub booking_opens_at: Option<DateTime<Utc>>,
    /// When booking closes.
    pub booking_closes_at: Option<DateTime<Utc>>,
    /// All of them, the existing ones with their ids. Prices are fixed once seats are sold.
    pub ticket_types: Option<Vec<TicketTypeInput>>,
}

/// Which event to call off.
#[derive(InputObject)]
pub struct EventCancelInput {
    /// The event, one's own.
    pub event_id: ID,
}

payload! {
    /// The new event.
    EventCreatePayload {
        /// As it was published.
        event: EventNode,
    }
}

payload! {
    /// The changed event.
    EventUpdatePayload {
        /// As it is now.
        event: EventNode,
    }
}

payload! {
    /// The canceled event.
    EventCancelPayload {
        /// As it is now; refunds are under way.
        event: EventNode,
    }
}

fn ticket_type_draft((index, input): (usize, TicketTypeInput)) -> Result<TicketTypeDraft> {
    let id = input.id.map(|id| id.parse()).transpose();
    let id = id.map_err(|_| Problem::not_found(&["ticketTypes", &index.to_string(), "id"]))?;
    Ok(TicketTypeDraft {
        id,
        name: input.name,
        price: input.price.0,
        capacity: input.capacity,
        per_person_limit: input.per_person_limit,
    })
}

fn ticket_type_drafts(inputs: Vec<TicketTypeInput>) -> Result<Vec<TicketTypeDraft>> {
    inputs.into_iter().enumerate().map(ticket_type_draft).collect()
}

#[derive(Default)]
pub struct EventMutation;

#[Object]
impl EventMutation {
    /// Publishes an event. For artists. The same draft sent twice makes one event.
    async fn event_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The draft.")] input: EventCreateInput,
    ) -> async_graphql::Result<EventCreatePayload> {
        answer(ctx, event_create(ctx, input).await)
    }

    /// Changes one's own event, in ways that hurt no holder.
    async fn event_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: EventUpdateInput,
    ) -> async_graphql::Result<EventUpdatePayload> {
        answer(ctx, event_update(ctx, input).await)
    }

    /// Calls one's own event off: sales stop at once, everybody is refunded.
    async fn event_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which event.")] input: EventCancelInput,
    ) -> async_graphql::Result<EventCancelPayload> {
        answer(ctx, event_cancel(ctx, input).await)
    }
}

async fn event_create(ctx: &Context<'_>, input: EventCreateInput) -> Result<EventCreatePayload> {
    let artist = ctx.artist()?;
    let draft = Draft {
        title: input.title,
        content: input.content,
        venue_name: input.venue.name,
        venue_address: input.venue.address,
        category: input.category.into(),
        starts_at: input.starts_at,
        ends_at: input.ends_at,
        booking_opens_at: input.booking_opens_at,
        booking_closes_at: input.booking_closes_at,
        ticket_types: ticket_type_drafts(input.ticket_types)?,
    };
    let app = ctx.app().clone();
    let row = ctx.app().outlive(async move { create::create(&app, artist, draft).await }).await?;
    Ok(EventCreatePayload { event: Some(EventNode(row)), user_errors: Vec::new() })
}

async fn event_update(ctx: &Context<'_>, input: EventUpdateInput) -> Result<EventUpdatePayload> {
    let artist = ctx.artist()?;
    let id = input.event_id.parse().map_err(|_| Error::not_found(&["eventId"]))?;
    let mut draft = update::as_draft(ctx.app(), artist, id).await?;
    if let Some(venue) = input.venue {
        (draft.venue_name, draft.venue_address) = (venue.name, venue.address);
    }
    if let Some(ticket_types) = input.ticket_types {
        draft.ticket_types = ticket_type_drafts(ticket_types)?;
    }
    draft.title = input.title.unwrap_or(draft.title);
    draft.content = input.content.unwrap_or(draft.content);
    draft.category = input.category.map_or(draft.category, Into::into);
    draft.starts_at = input.starts_at.unwrap_or(draft.starts_at);
    draft.ends_at = input.ends_at.unwrap_or(draft.ends_at);
    draft.booking_opens_at = input.booking_opens_at.unwrap_or(draft.booking_opens_at);
    draft.booking_closes_at = input.booking_closes_at.unwrap_or(draft.booking_closes_at);
    let app = ctx.app().clone();
    let row = ctx.app().outlive(async move { update::update(&app, artist, id, draft).await }).await?;
    Ok(EventUpdatePayload { event: Some(EventNode(row)), user_errors: Vec::new() })
}

async fn event_cancel(ctx: &Context<'_>, input: EventCancelInput) -> Result<EventCancelPayload> {
    let artist = ctx.artist()?;
    let id = input.event_id.parse().map_err(|_| Error::not_found(&["eventId"]))?;
    let app = ctx.app().clone();
    let row = ctx.app().outlive(async move { cancel::cancel(&app, artist, id).await }).await?;
    Ok(EventCancelPayload { event: Some(EventNode(row)), user_errors: Vec::new() })
}
