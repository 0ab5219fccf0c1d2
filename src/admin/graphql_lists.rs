//! The lists behind `admin`. Each asks for itself whether an admin is asking: a sign-in shows the admin to who was none yet.

use super::{
    graphql_people::{
        AdminUserConnection, AdminUserFilter, AdminUserNode, AuditLogConnection, AuditLogFilter, AuditLogNode,
    },
    graphql_sales::{
        AdminBookingConnection, AdminBookingFilter, AdminBookingNode, AdminEventConnection, AdminEventFilter,
        AdminEventNode, AdminPaymentConnection, AdminPaymentFilter, AdminPaymentNode, AdminReviewConnection,
        AdminReviewFilter, AdminReviewNode,
    },
    graphql_work::{
        AdminJobConnection, AdminJobNode, AdminSettlementConnection, AdminSettlementFilter, AdminSettlementNode,
        JobState, SettlementRunConnection, SettlementRunNode,
    },
    list::{people, sales, work},
    payment_reconcile,
};
use crate::{
    error::{Code, Error, Problem, Result},
    graphql::{ctx::Ctx, page::window},
};
use async_graphql::{Context, ID, Object};
use std::str::FromStr;

/// An id of a filter, if there is one.
pub fn parsed<T: FromStr>(id: Option<ID>, field: &str) -> Result<Option<T>> {
    let parse = |id: ID| id.parse().map_err(|_| Error::not_found(&["filter", field]));
    id.map(parse).transpose()
}

/// So many ids of a filter are no search any more.
const MOST_IDS: usize = 100;

/// The ids of a filter, if there are any; `path` is where they stand.
pub fn parsed_all<T: FromStr>(ids: Option<Vec<ID>>, path: &[&str]) -> Result<Option<Vec<T>>> {
    let parse = |id: ID| id.parse().map_err(|_| Error::not_found(path));
    match ids {
        Some(ids) if ids.len() > MOST_IDS => {
            let (ko, en) = (format!("{MOST_IDS}개까지 찾을 수 있습니다."), format!("At most {MOST_IDS} ids."));
            Err(Problem::new(Code::TooLong, path, ko, en).into())
        }
        ids => ids.map(|ids| ids.into_iter().map(parse).collect()).transpose(),
    }
}

/// Where a filter's own ids stand.
pub const IDS: [&str; 2] = ["filter", "ids"];

/// A part of `Admin`.
#[derive(Clone, Copy, Debug)]
pub struct AdminLists;

/// A part of `Admin`.
#[Object]
impl AdminLists {
    /// Members, the newest first; who has left too.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The beginning of an email, a nickname or a phone number.")] query: Option<String>,
        #[graphql(desc = "What must hold of each.")] filter: Option<AdminUserFilter>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<AdminUserConnection>> {
        let list = async {
            ctx.admin()?;
            let (app, window) = (ctx.app(), window(first, after, last, before)?);
            let filter = filter.unwrap_or_default().parse(query)?;
            let page = people::users(app.db.reads(), filter, &window).await?;
            Ok(AdminUserConnection::of(page, AdminUserNode))
        };
        Some(list.await.map_err(|error: Error| error.into()))
    }
    /// Events, the newest first; canceled and removed ones too.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The beginning of a title.")] query: Option<String>,
        #[graphql(desc = "What must hold of each.")] filter: Option<AdminEventFilter>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<AdminEventConnection>> {
        let list = async {
            ctx.admin()?;
            let (app, window) = (ctx.app(), window(first, after, last, before)?);
            let filter = filter.unwrap_or_default().parse(query)?;
            let page = sales::events(app.db.reads(), app.clock.now(), filter, &window).await?;
            Ok(AdminEventConnection::of(page, AdminEventNode))
        };
        Some(list.await.map_err(|error: Error| error.into()))
    }
    /// Reviews, the newest first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The beginning of the member's email, nickname or phone number.")] query: Option<String>,
        #[graphql(desc = "What must hold of each.")] filter: Option<AdminReviewFilter>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<AdminReviewConnection>> {
        let list = async {
            ctx.admin()?;
            let (app, window) = (ctx.app(), window(first, after, last, before)?);
            let filter = filter.unwrap_or_default().parse(query)?;
            let page = sales::reviews(app.db.reads(), filter, &window).await?;
            Ok(AdminReviewConnection::of(page, AdminReviewNode))
        };
        Some(list.await.map_err(|error: Error| error.into()))
    }
    /// Everybody's bookings, the newest first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The beginning of the member's email, nickname or phone number.")] query: Option<String>,
        #[graphql(desc = "What must hold of each.")] filter: Option<AdminBookingFilter>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<AdminBookingConnection>> {
        let list = async {
            ctx.admin()?;
            let (app, window) = (ctx.app(), window(first, after, last, before)?);
            let filter = filter.unwrap_or_default().parse(query)?;
            let page = sales::bookings(app.db.reads(), filter, &window).await?;
            Ok(AdminBookingConnection::of(page, AdminBookingNode))
        };
        Some(list.await.map_err(|error: Error| error.into()))
    }
    /// Everybody's payments, the newest first; those in doubt alone, by how long they have been, the longest first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(default, desc = "True: only those of which nobody knows yet what became of them.")]
        in_doubt_only: bool,
        #[graphql(desc = "The beginning of the member's email, nickname or phone number.")] query: Option<String>,
        #[graphql(desc = "What must hold of each.")] filter: Option<AdminPaymentFilter>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<AdminPaymentConnection>> {
        let list = async {
            ctx.admin()?;
            let (app, window) = (ctx.app(), window(first, after, last, before)?);
            let filter = filter.unwrap_or_default().parse(query, in_doubt_only)?;
            let (now, grace) = (app.clock.now(), payment_reconcile::grace(app));
            let page = sales::payments(app.db.reads(), now, grace, filter, &window).await?;
            Ok(AdminPaymentConnection::of(page, AdminPaymentNode))
        };
        Some(list.await.map_err(|error: Error| error.into()))
    }
    /// What artists were paid for a month, the newest first.
    async fn settlements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What must hold of each.")] filter: Option<AdminSettlementFilter>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<AdminSettlementConnection>> {
        let list = async {
            ctx.admin()?;
            let (app, window) = (ctx.app(), window(first, after, last, before)?);
            let filter = filter.unwrap_or_default().parse()?;
            let page = sales::settlements(app.db.reads(), filter, &window).await?;
            Ok(AdminSettlementConnection::of(page, AdminSettlementNode))
        };
        Some(list.await.map_err(|error: Error| error.into()))
    }
    /// How far the settlement of each month got, the newest first.
    async fn settlement_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<SettlementRunConnection>> {
        let list = async {
            ctx.admin()?;
            let (app, window) = (ctx.app(), window(first, after, last, before)?);
            let page = sales::settlement_runs(app.db.reads(), &window).await?;
            Ok(SettlementRunConnection::of(page, SettlementRunNode))
        };
        Some(list.await.map_err(|error: Error| error.into()))
    }
    /// What is done in the background, by when it is due: what has waited longest first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those in this state; `PARKED` ones wait for `adminJobRetry`.")] state: Option<JobState>,
        #[graphql(desc = "Only those of this name.")] name: Option<String>,
        #[graphql(desc = "Only these, at most 100.")] ids: Option<Vec<ID>>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<AdminJobConnection>> {
        let list = async {
            ctx.admin()?;
            let (app, window) = (ctx.app(), window(first, after, last, before)?);
            let filter = work::Jobs { ids: parsed_all(ids, &["ids"])?, state: state.map(Into::into), name };
            let page = work::jobs(app.db.reads(), app.clock.now(), filter, &window).await?;
            Ok(AdminJobConnection::of(page, AdminJobNode))
        };
        Some(list.await.map_err(|error: Error| error.into()))
    }
    /// Every change that an admin or the command line made, the newest first. Rows are never changed.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What must hold of each.")] filter: Option<AuditLogFilter>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<AuditLogConnection>> {
        let list = async {
            ctx.admin()?;
            let (app, window) = (ctx.app(), window(first, after, last, before)?);
            let filter = filter.unwrap_or_default().parse()?;
            let page = people::audit_log(app.db.reads(), filter, &window).await?;
            Ok(AuditLogConnection::of(page, AuditLogNode))
        };
        Some(list.await.map_err(|error: Error| error.into()))
    }
}
