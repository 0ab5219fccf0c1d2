//! People as the API shows them; `viewer` is where every private edge starts.

use super::{graphql_profile::Profile, query};
use crate::{
    attachment::{
        Owner,
        graphql::{AttachmentNode, attachments},
    },
    auth::{
        graphql::Role,
        social::{self, graphql::SocialAccount},
    },
    booking::graphql::{BookingConnection, BookingNode, TicketConnection, TicketNode},
    coupon::graphql::{UserCouponConnection, UserCouponNode},
    error::Result,
    event::graphql::{EventNode, OwnEventConnection},
    graphql::{
        ctx::Ctx,
        loaders::{Batch, Shared},
        page::window,
        scalars::Won,
    },
    language::Language,
    notification::graphql::{NotificationConnection, NotificationNode},
    payment::graphql::{PaymentConnection, PaymentNode},
    point::graphql::{PointEntryConnection, PointEntryNode},
};
use async_graphql::{Context, ID, Object, dataloader::Loader};
use entity::{ids::UserId, user::Model};
use std::{collections::HashMap, sync::Arc};

/// A fan or an artist, as everybody sees them.
#[derive(Clone, Debug)]
pub struct UserNode(pub Model);

/// A fan or an artist, as everybody sees them.
#[Object(name = "User")]
impl UserNode {
    /// `usr_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What they call themselves; "withdrawn member", in the reader's language, of who has left.
    async fn nickname(&self, ctx: &Context<'_>) -> &str {
        match (self.0.withdrawn_at, ctx.language()) {
            (None, _) => &self.0.nickname,
            (Some(_), Language::Ko) => "탈퇴한 회원",
            (Some(_), Language::En) => "Withdrawn member",
        }
    }
    /// True of who has left: what they wrote stays, who they were does not.
    async fn is_withdrawn(&self) -> bool {
        self.0.withdrawn_at.is_some()
    }
    /// Their picture; null if they have none, or if that cannot be read now.
    async fn avatar(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<AttachmentNode>> {
        match attachments(ctx, Owner::User(self.0.id)).await {
            Ok(found) => found.into_iter().next().map(Ok),
            Err(error) => Some(Err(error)),
        }
    }
}

impl Loader<UserId> for Batch {
    type Value = UserNode;
    type Error = Shared;

    async fn load(&self, keys: &[UserId]) -> Result<HashMap<UserId, UserNode>, Shared> {
        let rows = query::by_ids(self.0.db.reads(), keys).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|(id, row)| (id, UserNode(row))).collect())
    }
}

/// The signed-in person.
#[derive(Clone, Debug)]
pub struct ViewerNode(pub Model);

#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The signed-in person; null when signed out.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<ViewerNode>> {
        let member = ctx.viewer().member()?;
        match query::by_id(ctx.app().db.reads(), member.id).await {
            // A token may outlive its account by minutes.
            Ok(found) => found.filter(|row| row.withdrawn_at.is_none()).map(|row| Ok(ViewerNode(row))),
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// The signed-in person.
#[Object(name = "Viewer")]
impl ViewerNode {
    /// As everybody sees them.
    async fn user(&self) -> UserNode {
        UserNode(self.0.clone())
    }
    /// What they sign in with; null if they came by a provider that vouched for none.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }
    /// The providers' accounts that open this one.
    async fn social_accounts(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<SocialAccount>> {
        Ok(social::graphql::of(ctx, self.0.id).await?)
    }
    /// What they may do.
    async fn role(&self) -> Role {
        self.0.role.into()
    }
    /// What is known of them and only they see.
    async fn profile(&self) -> Profile {
        Profile::of(&self.0)
    }
    /// Their bookings, newest first.
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> async_graphql::Result<BookingConnection> {
        let window = window(first, after, last, before)?;
        let page = crate::booking::query::page_of(ctx.app().db.reads(), self.0.id, &window).await?;
        Ok(BookingConnection::of(page, BookingNode))
    }
    /// Their tickets, newest first, canceled ones too.
    async fn tickets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> async_graphql::Result<TicketConnection> {
        let window = window(first, after, last, before)?;
        let page = crate::booking::query::page_of_tickets(ctx.app().db.reads(), self.0.id, &window).await?;
        Ok(TicketConnection::of(page, TicketNode))
    }
    /// Their payments, newest first.
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> async_graphql::Result<PaymentConnection> {
        let window = window(first, after, last, before)?;
        let page = crate::payment::query::page_of(ctx.app().db.reads(), self.0.id, &window).await?;
        Ok(PaymentConnection::of(page, PaymentNode))
    }
    /// Their coupons, newest first.
    async fn user_coupons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "True: only those that can be used now.")] usable_only: Option<bool>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> async_graphql::Result<UserCouponConnection> {
        let window = window(first, after, last, before)?;
        let usable_at = usable_only.unwrap_or_default().then(|| ctx.app().clock.now());
        let page = crate::coupon::query::page_of(ctx.app().db.reads(), self.0.id, usable_at, &window).await?;
        Ok(UserCouponConnection::of(page, UserCouponNode))
    }
    /// Points that can be spent now: the balance without what open holds have set aside.
    async fn point_balance(&self, ctx: &Context<'_>) -> async_graphql::Result<Won> {
        Ok(Won(crate::point::query::spendable(ctx.app().db.reads(), self.0.id).await?))
    }
    /// How the points came and went, newest first.
    async fn point_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> async_graphql::Result<PointEntryConnection> {
        let window = window(first, after, last, before)?;
        let page = crate::point::query::entries(ctx.app().db.reads(), self.0.id, &window).await?;
        Ok(PointEntryConnection::of(page, PointEntryNode))
    }
    /// What they were told, newest first.
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "True: only what was not read yet.")] unread_only: Option<bool>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> async_graphql::Result<NotificationConnection> {
        let window = window(first, after, last, before)?;
        let unread_only = unread_only.unwrap_or_default();
        let page = crate::notification::query::page_of(ctx.app().db.reads(), self.0.id, unread_only, &window).await?;
        Ok(NotificationConnection::of(page, NotificationNode))
    }
    /// How much of it is unread.
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let count = crate::notification::query::unread_count(ctx.app().db.reads(), self.0.id).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
    /// An artist's own events by their start, canceled ones too; empty for fans.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> async_graphql::Result<OwnEventConnection> {
        let window = window(first, after, last, before)?;
        let page = crate::event::query::of_artist(ctx.app().db.reads(), self.0.id, &window).await?;
        Ok(OwnEventConnection::of(page, EventNode))
    }
}
