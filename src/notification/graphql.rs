//! Notifications as the API shows them, and the live feed.

use super::{feed, store::Facts, text};
use crate::{
    connection,
    event::graphql::EventNode,
    graphql::{ctx::Ctx, door::answer, loaders::failed},
    payload,
};
use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use entity::{enums, notification::Model};
use futures_util::{Stream, StreamExt};

/// What a notification is about.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::NotificationKind")]
pub enum NotificationKind {
    /// One's own booking was canceled and refunded.
    BookingCanceled,
    /// Money for points could not be credited, and went back.
    ChargeReturned,
    /// A coupon was issued.
    CouponIssued,
    /// The artist called the event off; the booking was refunded.
    EventCanceled,
    /// The event was moved.
    EventChanged,
    /// The booking is paid, or was free, and its tickets are there.
    PaymentConfirmed,
    /// One day, or one hour, before the start.
    Reminder,
    /// A month's sales were paid out.
    SettlementPaid,
}

/// Something that a person was told.
#[derive(Clone, Debug)]
pub struct NotificationNode(pub Model);

/// Something that a person was told.
#[Object(name = "Notification")]
impl NotificationNode {
    /// `ntf_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What it is about.
    async fn kind(&self) -> NotificationKind {
        self.0.kind.into()
    }
    /// A short sentence, in the reader's language.
    async fn title(&self, ctx: &Context<'_>) -> String {
        let (title, _) = text::text(self.0.kind, &self.facts(), ctx.app().config.time.zone);
        ctx.language().of(&title).to_owned()
    }
    /// The whole of it, in the reader's language; times are of the business day's zone.
    async fn body(&self, ctx: &Context<'_>) -> String {
        let (_, body) = text::text(self.0.kind, &self.facts(), ctx.app().config.time.zone);
        ctx.language().of(&body).to_owned()
    }
    /// The event it is about; null if it is about none.
    async fn event(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<EventNode>> {
        match ctx.loaders().load_one(self.0.event_id?).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(failed(&error))),
        }
    }
    /// When it was written.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When it was read; null while it is unread.
    async fn read_at(&self) -> Option<DateTime<Utc>> {
        self.0.read_at
    }
}

impl NotificationNode {
    fn facts(&self) -> Facts {
        serde_json::from_str(&self.0.data).unwrap_or_default()
    }
}

connection!(NotificationConnection, NotificationEdge, NotificationNode, "notifications");

/// One entry of the live feed.
#[derive(SimpleObject)]
pub struct NotificationEvent {
    /// Give it as `after` to go on behind this entry.
    pub cursor: String,
    /// What the person is told.
    pub notification: NotificationNode,
    /// The cursor given was not of this feed's past: everything there is follows.
    pub is_reset: bool,
}

/// Which notifications were read.
#[derive(InputObject)]
pub struct NotificationsMarkReadInput {
    /// Up to this cursor; everything, if it is left out.
    pub through: Option<String>,
}

payload! {
    /// What is still unread.
    NotificationsMarkReadPayload {
        /// How many are unread now.
        unread_count: i32,
    }
}

#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Marks one's notifications as read.
    async fn notifications_mark_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them.")] input: NotificationsMarkReadInput,
    ) -> async_graphql::Result<NotificationsMarkReadPayload> {
        let marked = async {
            let buyer = ctx.buyer()?;
            let left = super::mark_read::mark_read(ctx.app(), buyer, input.through.as_deref()).await?;
            let unread_count = Some(i32::try_from(left).unwrap_or(i32::MAX));
            Ok(NotificationsMarkReadPayload { unread_count, user_errors: Vec::new() })
        };
        answer(ctx, marked.await)
    }
}

#[derive(Default)]
pub struct NotificationSubscription;

#[Subscription]
impl NotificationSubscription {
    /// What the signed-in person is told, as it happens. `after` first gives what was missed since that cursor; so
    /// does the header `Last-Event-ID`. The reminder feed is `kinds: [REMINDER]`.
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A cursor of this feed: first what was missed since; without it, only what comes.")]
        after: Option<String>,
        #[graphql(desc = "Only these kinds; all, if it is left out or empty.")] kinds: Option<Vec<NotificationKind>>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<NotificationEvent>> + use<>> {
        let buyer = ctx.buyer()?;
        let kinds = kinds.unwrap_or_default().into_iter().map(Into::into).collect();
        let after = after.or_else(|| ctx.request().last_event_id.clone());
        // Boxed: what it takes to begin would be held as long as the feed is.
        let items = Box::pin(feed::follow(ctx.app(), buyer.id(), after.as_deref(), kinds)).await?;
        Ok(items.map(|item| {
            let item = item?;
            let notification = NotificationNode(item.row);
            Ok(NotificationEvent { cursor: item.cursor, notification, is_reset: item.is_reset })
        }))
    }
}
