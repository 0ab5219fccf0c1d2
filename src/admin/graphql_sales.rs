//! Events, reviews, bookings and payments, as admins see them.

use super::{
    graphql_lists::{IDS, parsed, parsed_all},
    graphql_people::AdminUserNode,
    list::{counts, sales},
    payment_reconcile,
};
use crate::{
    booking::graphql::{BookingNode, BookingStatus},
    connection,
    error::Result,
    event::graphql::{EventNode, EventStatus},
    graphql::{
        ctx::Ctx,
        loaders::{Batch, Shared, failed},
    },
    payment::{
        graphql::{PaymentNode, PaymentPurpose, PaymentStatus},
        model::is_in_doubt,
        stuck,
    },
    review::graphql::ReviewNode,
    user::graphql::UserNode,
};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, dataloader::Loader};
use chrono::{DateTime, Utc};
use entity::{
    booking, event,
    ids::{EventId, PaymentId, UserId},
    payment, review,
};
use sales::Standing;
use std::{collections::HashMap, sync::Arc};

/// Which events; what is left out does not matter.
#[derive(InputObject, Default)]
pub struct AdminEventFilter {
    /// Only these, at most 100.
    pub ids: Option<Vec<ID>>,
    /// Where it stands now.
    pub status: Option<EventStatus>,
    /// Whose it is.
    pub artist_id: Option<ID>,
    /// Whether an admin removed it.
    pub is_removed: Option<bool>,
}

/// Which reviews; what is left out does not matter.
#[derive(InputObject, Default)]
pub struct AdminReviewFilter {
    /// Only these, at most 100.
    pub ids: Option<Vec<ID>>,
    /// Of which event.
    pub event_id: Option<ID>,
    /// By whom.
    pub author_id: Option<ID>,
    /// From 1 to 5.
    pub rating: Option<i32>,
}

/// Which bookings; what is left out does not matter.
#[derive(InputObject, Default)]
pub struct AdminBookingFilter {
    /// Only these, at most 100.
    pub ids: Option<Vec<ID>>,
    /// Where it stands.
    pub status: Option<BookingStatus>,
    /// Of which event.
    pub event_id: Option<ID>,
    /// Whose.
    pub user_id: Option<ID>,
}

/// Which payments; what is left out does not matter.
#[derive(InputObject, Default)]
pub struct AdminPaymentFilter {
    /// Only these, at most 100.
    pub ids: Option<Vec<ID>>,
    /// Of which booking.
    pub booking_id: Option<ID>,
    /// By which the payment provider knows it.
    pub tid: Option<String>,
    /// Where it stands.
    pub status: Option<PaymentStatus>,
    /// Whose.
    pub user_id: Option<ID>,
    /// In the same state since this moment or longer.
    pub unchanged_since: Option<DateTime<Utc>>,
}

impl AdminEventFilter {
    pub fn parse(self, text: Option<String>) -> Result<sales::Events> {
        let standing = self.status.map(|status| match status {
            EventStatus::Canceled => Standing::Canceled,
            EventStatus::Ended => Standing::Ended,
            EventStatus::Scheduled => Standing::Scheduled,
        });
        let artist = parsed(self.artist_id, "artistId")?;
        Ok(sales::Events { ids: parsed_all(self.ids, &IDS)?, text, artist, standing, is_removed: self.is_removed })
    }
}

impl AdminReviewFilter {
    pub fn parse(self, text: Option<String>) -> Result<sales::Reviews> {
        let (event, author) = (parsed(self.event_id, "eventId")?, parsed(self.author_id, "authorId")?);
        Ok(sales::Reviews { ids: parsed_all(self.ids, &IDS)?, text, event, author, rating: self.rating })
    }
}

impl AdminBookingFilter {
    pub fn parse(self, text: Option<String>) -> Result<sales::Bookings> {
        let (event, user) = (parsed(self.event_id, "eventId")?, parsed(self.user_id, "userId")?);
        let ids = parsed_all(self.ids, &IDS)?;
        Ok(sales::Bookings { ids, text, status: self.status.map(Into::into), event, user })
    }
}

impl AdminPaymentFilter {
    pub fn parse(self, text: Option<String>, in_doubt_only: bool) -> Result<sales::Payments> {
        Ok(sales::Payments {
            ids: parsed_all(self.ids, &IDS)?,
            text,
            booking: parsed(self.booking_id, "bookingId")?,
            tid: self.tid,
            status: self.status.map(Into::into),
            user: parsed(self.user_id, "userId")?,
            in_doubt_only,
            unchanged_since: self.unchanged_since,
        })
    }
}

pub async fn member(ctx: &Context<'_>, id: UserId) -> Option<async_graphql::Result<AdminUserNode>> {
    match ctx.loaders().load_one(id).await {
        Ok(found) => found.map(|user: UserNode| Ok(AdminUserNode(user.0))),
        Err(error) => Some(Err(failed(&error))),
    }
}

async fn event_of(ctx: &Context<'_>, id: EventId) -> Option<async_graphql::Result<AdminEventNode>> {
    match ctx.loaders().load_one(id).await {
        Ok(found) => found.map(|event: EventNode| Ok(AdminEventNode(event.0))),
        Err(error) => Some(Err(failed(&error))),
    }
}

/// An event with what became of it.
#[derive(Clone, Debug)]
pub struct AdminEventNode(pub event::Model);

/// An event with what became of it.
#[Object(name = "AdminEvent")]
impl AdminEventNode {
    /// `evt_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// As everybody sees it, or saw it.
    async fn event(&self) -> EventNode {
        EventNode(self.0.clone())
    }
    /// Who made it; null if that cannot be read now.
    async fn artist(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<AdminUserNode>> {
        member(ctx, self.0.artist_id).await
    }
    /// Bookings that are held, paid or on their way back.
    async fn open_booking_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let found = ctx.loaders().load_one(OpenBookingsOf(self.0.id)).await.map_err(|error| failed(&error))?;
        Ok(i32::try_from(found.unwrap_or_default()).unwrap_or(i32::MAX))
    }
    /// When it was published.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When it was called off; null if it was not.
    async fn canceled_at(&self) -> Option<DateTime<Utc>> {
        self.0.canceled_at
    }
    /// When an admin removed it; null if nobody did.
    async fn removed_at(&self) -> Option<DateTime<Utc>> {
        self.0.removed_at
    }
}

/// A review with whose it is, and of what.
#[derive(Clone, Debug)]
pub struct AdminReviewNode(pub review::Model);

/// A review with whose it is, and of what.
#[Object(name = "AdminReview")]
impl AdminReviewNode {
    /// `rev_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// As everybody sees it.
    async fn review(&self) -> ReviewNode {
        ReviewNode(self.0.clone())
    }
    /// Who wrote it; null if that cannot be read now.
    async fn author(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<AdminUserNode>> {
        member(ctx, self.0.user_id).await
    }
    /// What it is about; null if that cannot be read now.
    async fn event(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<AdminEventNode>> {
        event_of(ctx, self.0.event_id).await
    }
}

/// A booking with whose it is.
#[derive(Clone, Debug)]
pub struct AdminBookingNode(pub booking::Model);

/// A booking with whose it is.
#[Object(name = "AdminBooking")]
impl AdminBookingNode {
    /// `bkg_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// As its fan sees it.
    async fn booking(&self) -> BookingNode {
        BookingNode(self.0.clone())
    }
    /// Whose it is; null if that cannot be read now.
    async fn user(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<AdminUserNode>> {
        member(ctx, self.0.user_id).await
    }
    /// Why its fan called it off; null if nothing was said.
    async fn cancel_reason(&self) -> Option<&str> {
        self.0.cancel_reason.as_deref()
    }
    /// When it was paid; null if it was not.
    async fn confirmed_at(&self) -> Option<DateTime<Utc>> {
        self.0.confirmed_at
    }
    /// When it was canceled or expired; null if it was not.
    async fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.0.closed_at
    }
}

/// A payment with its story.
#[derive(Clone, Debug)]
pub struct AdminPaymentNode(pub payment::Model);

/// A payment with its story.
#[Object(name = "AdminPayment")]
impl AdminPaymentNode {
    /// `pay_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// As its fan sees it.
    async fn payment(&self) -> PaymentNode {
        PaymentNode(self.0.clone())
    }
    /// What it is for.
    async fn purpose(&self) -> PaymentPurpose {
        self.0.purpose.into()
    }
    /// Whose it is; null if that cannot be read now.
    async fn user(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<AdminUserNode>> {
        member(ctx, self.0.user_id).await
    }
    /// What it pays for, `bkg_…`; null if it is not for seats.
    async fn booking_id(&self) -> Option<ID> {
        self.0.booking_id.map(|id| ID(id.to_string()))
    }
    /// The provider's id; null before it gave one.
    async fn tid(&self) -> Option<&str> {
        self.0.tid.as_deref()
    }
    /// Why it failed; null if it did not.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }
    /// When its state last changed.
    async fn changed_at(&self) -> DateTime<Utc> {
        self.0.changed_at
    }
    /// Since when nobody knows what became of it; null if that is known.
    async fn in_doubt_since(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        doubt(ctx, &self.0)
    }
    /// True if that is longer ago than the alert waits (10 minutes, if the settings say nothing else): somebody should look.
    async fn is_stuck(&self, ctx: &Context<'_>) -> bool {
        let most = stuck::patience(ctx.app());
        doubt(ctx, &self.0).is_some_and(|since| ctx.app().clock.now() - since > most)
    }
    /// Every call to the provider and every change of state, in order.
    async fn story(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<PaymentStep>> {
        let found = ctx.loaders().load_one(StoryOf(self.0.id)).await.map_err(|error| failed(&error))?;
        Ok(found.unwrap_or_default())
    }
}

fn doubt(ctx: &Context<'_>, row: &payment::Model) -> Option<DateTime<Utc>> {
    let (now, grace) = (ctx.app().clock.now(), payment_reconcile::grace(ctx.app()));
    is_in_doubt(row.status, row.changed_at, now, grace).then_some(row.changed_at)
}

/// Something that happened to a payment.
#[derive(SimpleObject, Clone, Debug)]
pub struct PaymentStep {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub step: String,
    /// What there is to say about it.
    pub detail: String,
}

connection!(AdminEventConnection, AdminEventEdge, AdminEventNode, "all events");
connection!(AdminReviewConnection, AdminReviewEdge, AdminReviewNode, "all reviews");
connection!(AdminBookingConnection, AdminBookingEdge, AdminBookingNode, "everybody's bookings");
connection!(AdminPaymentConnection, AdminPaymentEdge, AdminPaymentNode, "everybody's payments");

/// The key of an event's number of open bookings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpenBookingsOf(EventId);

/// The key of a payment's story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoryOf(PaymentId);

impl Loader<OpenBookingsOf> for Batch {
    type Value = i64;
    type Error = Shared;

    async fn load(&self, keys: &[OpenBookingsOf]) -> Result<HashMap<OpenBookingsOf, i64>, Shared> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let found = counts::open_bookings_of(self.0.db.reads(), &ids).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(id, count)| (OpenBookingsOf(id), count)).collect())
    }
}

impl Loader<StoryOf> for Batch {
    type Value = Vec<PaymentStep>;
    type Error = Shared;

    async fn load(&self, keys: &[StoryOf]) -> Result<HashMap<StoryOf, Self::Value>, Shared> {
        let ids: Vec<PaymentId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<StoryOf, Self::Value> = HashMap::new();
        for row in sales::stories(self.0.db.reads(), &ids).await.map_err(Arc::new)? {
            let step = PaymentStep { at: row.at, step: row.step, detail: row.detail };
            found.entry(StoryOf(row.payment_id)).or_default().push(step);
        }
        Ok(found)
    }
}
