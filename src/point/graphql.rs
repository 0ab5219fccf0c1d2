//! The ledger as the API shows it.

use super::charge::{self, ChargeStart};
use crate::{
    connection,
    error::Result,
    graphql::{
        ctx::Ctx,
        door::answer,
        scalars::{Url, Won},
    },
    payload,
    payment::{self, graphql::PaymentNode},
};
use async_graphql::{Context, Enum, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use entity::{enums, point_entry::Model};

/// Why points moved.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::PointEntryKind")]
pub enum PointEntryKind {
    /// An admin's correction, or what was left when the account was closed.
    Adjustment,
    /// Charged by a payment.
    Charge,
    /// Came back from a canceled booking.
    GiveBack,
    /// An artist's share of a month.
    Settlement,
    /// Paid for a booking.
    Spend,
}

/// One line of the ledger.
#[derive(Clone, Debug)]
pub struct PointEntryNode(pub Model);

/// One line of the ledger.
#[Object(name = "PointEntry")]
impl PointEntryNode {
    /// `pte_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// Why.
    async fn kind(&self) -> PointEntryKind {
        self.0.kind.into()
    }
    /// Positive in, negative out.
    async fn amount(&self) -> Won {
        Won(self.0.amount)
    }
    /// The balance after it.
    async fn balance_after(&self) -> Won {
        Won(self.0.balance_after)
    }
    /// When.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

connection!(PointEntryConnection, PointEntryEdge, PointEntryNode, "ledger entries");

/// How many points are to be bought.
#[derive(InputObject)]
pub struct PointChargeStartInput {
    /// Points, and won: 1,000 to 1,000,000 unless the shop says otherwise.
    pub amount: Won,
    /// Where the browser goes after the payment page; on an allowed origin.
    pub return_url: Option<Url>,
    /// 1 to 128 characters, new for each charge: sent again, it gives the same payment.
    pub idempotency_key: String,
}

payload! {
    /// The way to pay for the points.
    PointChargeStartPayload {
        /// Where to pay. The points are there as soon as it is `APPROVED`.
        payment: PaymentNode,
    }
}

#[derive(Default)]
pub struct PointMutation;

#[Object]
impl PointMutation {
    /// Opens a payment for points. They are credited once it is paid, by the redirect or by `paymentApprove`.
    async fn point_charge_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many.")] input: PointChargeStartInput,
    ) -> async_graphql::Result<PointChargeStartPayload> {
        answer(ctx, point_charge_start(ctx, input).await)
    }
}

async fn point_charge_start(ctx: &Context<'_>, input: PointChargeStartInput) -> Result<PointChargeStartPayload> {
    let buyer = ctx.buyer()?;
    let input = ChargeStart {
        amount: input.amount.0,
        return_url: input.return_url.map(|url| url.0),
        idempotency_key: input.idempotency_key,
    };
    let app = ctx.app().clone();
    let id = ctx.app().outlive(async move { charge::start(&app, buyer, &input).await }).await?;
    let payment = payment::query::by_id(ctx.app().db.reads(), id).await?.map(PaymentNode);
    Ok(PointChargeStartPayload { payment, user_errors: Vec::new() })
}
