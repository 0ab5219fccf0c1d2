//! Payments as the API shows them.

use super::{approve, query};
use crate::{
    booking::{self, graphql::BookingNode},
    connection,
    error::{Error, Result},
    graphql::{
        ctx::Ctx,
        door::answer,
        loaders::{Batch, Shared},
        scalars::{Url, Won},
    },
    payload,
};
use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject, dataloader::Loader};
use chrono::{DateTime, Utc};
use entity::{
    enums,
    ids::{BookingId, PaymentId},
    payment::Model,
};
use std::{collections::HashMap, sync::Arc};

/// Where a payment stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::PaymentStatus")]
pub enum PaymentStatus {
    /// The money is here.
    Approved,
    /// It is being taken, or that is being found out.
    Approving,
    /// The money is back.
    Canceled,
    /// The money is on its way back.
    Canceling,
    /// Nobody paid in time.
    Expired,
    /// Refused, or given up.
    Failed,
    /// The provider has not given a page yet.
    Pending,
    /// Waiting for somebody to pay at `redirect`.
    Ready,
}

/// What the money is for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::PaymentPurpose")]
pub enum PaymentPurpose {
    /// Seats.
    Booking,
    /// Points.
    PointCharge,
}

/// Where to pay.
#[derive(SimpleObject)]
pub struct PaymentRedirect {
    /// For a browser on a desk.
    pub pc_url: Url,
    /// For a browser in a hand.
    pub mobile_url: Url,
    /// For an app.
    pub app_url: Url,
}

/// Money taken once, and what became of it.
#[derive(Clone, Debug)]
pub struct PaymentNode(pub Model);

/// Money taken once, and what became of it.
#[Object(name = "Payment")]
impl PaymentNode {
    /// `pay_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What it is for.
    async fn purpose(&self) -> PaymentPurpose {
        self.0.purpose.into()
    }
    /// Where it stands.
    async fn status(&self) -> PaymentStatus {
        self.0.status.into()
    }
    /// What is to be paid.
    async fn amount(&self) -> Won {
        Won(self.0.amount)
    }
    /// What went back.
    async fn canceled_amount(&self) -> Won {
        Won(self.0.canceled_amount)
    }
    /// Where to pay; null unless `READY`.
    async fn redirect(&self) -> Option<PaymentRedirect> {
        if self.0.status != enums::PaymentStatus::Ready {
            return None;
        }
        Some(PaymentRedirect {
            pc_url: self.0.pc_url.clone().map(Url)?,
            mobile_url: self.0.mobile_url.clone().map(Url)?,
            app_url: self.0.app_url.clone().map(Url)?,
        })
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When the money was taken; null if it was not.
    async fn approved_at(&self) -> Option<DateTime<Utc>> {
        self.0.approved_at
    }
    /// When the money was back; null if it is not.
    async fn canceled_at(&self) -> Option<DateTime<Utc>> {
        self.0.canceled_at
    }
}

connection!(PaymentConnection, PaymentEdge, PaymentNode, "payments");

/// A booking's payment.
impl Loader<BookingId> for Batch {
    type Value = PaymentNode;
    type Error = Shared;

    async fn load(&self, keys: &[BookingId]) -> Result<HashMap<BookingId, PaymentNode>, Shared> {
        let rows = query::of_bookings(self.0.db.reads(), keys).await.map_err(Arc::new)?;
        Ok(rows.into_iter().filter_map(|row| Some((row.booking_id?, PaymentNode(row)))).collect())
    }
}

/// The proof that somebody agreed on the provider's page.
#[derive(InputObject)]
pub struct PaymentApproveInput {
    /// One's own payment.
    pub payment_id: ID,
    /// What the provider's redirect carried.
    pub pg_token: String,
}

payload! {
    /// What became of the payment.
    PaymentApprovePayload {
        /// As it is now.
        payment: PaymentNode,
        /// What it pays for; null if it charges points.
        booking: BookingNode,
    }
}

#[derive(Default)]
pub struct PaymentMutation;

#[Object]
impl PaymentMutation {
    /// Takes the money, for clients that catch the provider's redirect themselves. Sent again, it gives the same answer.
    async fn payment_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment.")] input: PaymentApproveInput,
    ) -> async_graphql::Result<PaymentApprovePayload> {
        answer(ctx, payment_approve(ctx, input).await)
    }
}

async fn payment_approve(ctx: &Context<'_>, input: PaymentApproveInput) -> Result<PaymentApprovePayload> {
    let buyer = ctx.buyer()?;
    let id: PaymentId = input.payment_id.parse().map_err(|_| Error::not_found(&["paymentId"]))?;
    let db = ctx.app().db.reads();
    let own = query::of(db, buyer.id(), id).await?.ok_or_else(|| Error::not_found(&["paymentId"]))?;
    let app = ctx.app().clone();
    let payment = ctx.app().outlive(async move { approve::approve(&app, own.id, input.pg_token).await }).await?;
    let booking = match payment.booking_id {
        Some(id) => booking::query::by_id(db, id).await?.map(BookingNode),
        None => None,
    };
    Ok(PaymentApprovePayload { payment: Some(PaymentNode(payment)), booking, user_errors: Vec::new() })
}
