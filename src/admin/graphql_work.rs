//! Jobs and settlements, as admins see them.

use super::{
    graphql_lists::{IDS, parsed, parsed_all},
    graphql_people::AdminUserNode,
    graphql_sales::member,
    list::{sales, work},
};
use crate::{
    connection,
    error::Result,
    graphql::{ctx::Ctx, scalars::Won},
};
use async_graphql::{Context, Enum, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use entity::{enums, job, settlement, settlement_run};

/// Where a job stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "work::JobState")]
pub enum JobState {
    /// It failed too often, and waits for `adminJobRetry`.
    Parked,
    /// It waits for its time, or for a worker.
    Queued,
    /// A worker has it.
    Running,
}

/// Which settlements; what is left out does not matter.
#[derive(InputObject, Default)]
pub struct AdminSettlementFilter {
    /// Only these, at most 100.
    pub ids: Option<Vec<ID>>,
    /// Whose.
    pub artist_id: Option<ID>,
    /// Of which business month, `2026-10`.
    pub period: Option<String>,
}

impl AdminSettlementFilter {
    pub fn parse(self) -> Result<sales::Settlements> {
        let (ids, artist) = (parsed_all(self.ids, &IDS)?, parsed(self.artist_id, "artistId")?);
        Ok(sales::Settlements { ids, artist, period: self.period })
    }
}

/// Something to be done in the background.
#[derive(Clone, Debug)]
pub struct AdminJobNode(pub job::Model);

/// Something to be done in the background.
#[Object(name = "AdminJob")]
impl AdminJobNode {
    /// `job_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What kind of job it is, such as `refund_booking`.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// JSON: what it is about, by ids; other texts are left out.
    async fn payload(&self) -> String {
        work::shown(&self.0.payload)
    }
    /// Where it stands.
    async fn state(&self, ctx: &Context<'_>) -> JobState {
        work::state(&self.0, ctx.app().clock.now()).into()
    }
    /// When it is, or was, due.
    async fn run_at(&self) -> DateTime<Utc> {
        self.0.run_at
    }
    /// How often it was tried.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }
    /// Why it failed the last time; null if it did not.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }
    /// When it was parked; null if it was not.
    async fn parked_at(&self) -> Option<DateTime<Utc>> {
        self.0.parked_at
    }
    /// Until when the worker that has it may take; null if none has it.
    async fn lease_until(&self) -> Option<DateTime<Utc>> {
        self.0.lease_until
    }
    /// When it was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// What an artist is paid for a month.
#[derive(Clone, Debug)]
pub struct AdminSettlementNode(pub settlement::Model);

/// What an artist is paid for a month.
#[Object(name = "AdminSettlement")]
impl AdminSettlementNode {
    /// `stl_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// Whose; null if that cannot be read now.
    async fn artist(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<AdminUserNode>> {
        member(ctx, self.0.artist_id).await
    }
    /// The business month, `2026-10`.
    async fn period(&self) -> &str {
        &self.0.period
    }
    /// The bookings at their original prices.
    async fn gross(&self) -> Won {
        Won(self.0.gross)
    }
    /// What the platform keeps.
    async fn fee(&self) -> Won {
        Won(self.0.fee)
    }
    /// What the artist gets.
    async fn net(&self) -> Won {
        Won(self.0.net)
    }
    /// How many bookings it is for.
    async fn booking_count(&self) -> i32 {
        self.0.booking_count
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When the points were credited; null if they were not.
    async fn paid_at(&self) -> Option<DateTime<Utc>> {
        self.0.paid_at
    }
}

/// Where the settlement of a month stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::SettlementRunStatus")]
pub enum SettlementRunStatus {
    /// All of it is done.
    Finished,
    /// Some of it is.
    Running,
}

/// How far the settlement of a month got.
#[derive(Clone, Debug)]
pub struct SettlementRunNode(pub settlement_run::Model);

/// How far the settlement of a month got.
#[Object(name = "SettlementRun")]
impl SettlementRunNode {
    /// `srn_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// The business month, `2026-10`.
    async fn period(&self) -> &str {
        &self.0.period
    }
    /// Where it stands.
    async fn status(&self) -> SettlementRunStatus {
        self.0.status.into()
    }
    /// JSON: how far it got.
    async fn progress(&self) -> &str {
        &self.0.progress
    }
    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }
    /// When it was done; null if it is not.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

connection!(AdminJobConnection, AdminJobEdge, AdminJobNode, "jobs");
connection!(AdminSettlementConnection, AdminSettlementEdge, AdminSettlementNode, "settlements");
connection!(SettlementRunConnection, SettlementRunEdge, SettlementRunNode, "settlement runs");
