//! The ledger as the API shows it.

use crate::{connection, graphql::scalars::Won};
use async_graphql::{Enum, ID, Object};
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
