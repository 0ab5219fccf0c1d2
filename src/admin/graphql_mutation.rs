//! What admins do. Each is one row of the audit log.

use super::{
    audit::Actor,
    event_remove,
    graphql_people::AdminUserNode,
    graphql_sales::{AdminEventNode, AdminPaymentNode},
    graphql_work::AdminJobNode,
    job_retry, payment_reconcile, review_remove, role_change, user_remove,
};
use crate::{
    auth::graphql::Role,
    error::{Error, Result},
    graphql::{ctx::Ctx, door::answer},
    payload,
};
use async_graphql::{Context, ID, InputObject, Object};
use std::str::FromStr;

/// Whose role changes.
#[derive(InputObject)]
pub struct AdminUserRoleChangeInput {
    /// The member.
    pub user_id: ID,
    /// What they may do from now on.
    pub role: Role,
    /// Why, 1 to 500 characters: for the audit log.
    pub reason: String,
}

/// Who is removed.
#[derive(InputObject)]
pub struct AdminUserRemoveInput {
    /// The member.
    pub user_id: ID,
    /// Why, 1 to 500 characters: for the audit log.
    pub reason: String,
    /// True: what is still open is called off and refunded, instead of standing in the way.
    #[graphql(name = "override", default)]
    pub is_override: bool,
}

/// Which event is removed.
#[derive(InputObject)]
pub struct AdminEventRemoveInput {
    /// The event.
    pub event_id: ID,
    /// Why, 1 to 500 characters: for the audit log.
    pub reason: String,
}

/// Which review is removed.
#[derive(InputObject)]
pub struct AdminReviewRemoveInput {
    /// The review.
    pub review_id: ID,
    /// Why, 1 to 500 characters: for the audit log.
    pub reason: String,
}

/// Which job is tried again.
#[derive(InputObject)]
pub struct AdminJobRetryInput {
    /// A parked job.
    pub job_id: ID,
}

/// Which payment is asked about.
#[derive(InputObject)]
pub struct AdminPaymentReconcileInput {
    /// A payment that is in doubt, or was given up after the provider had it.
    pub payment_id: ID,
}

payload! {
    /// A changed role.
    AdminUserRoleChangePayload {
        /// As they are now; their sessions have ended.
        user: AdminUserNode,
    }
}

payload! {
    /// A removed member.
    AdminUserRemovePayload {
        /// What is left of them; refunds are under way.
        user: AdminUserNode,
    }
}

payload! {
    /// A removed event.
    AdminEventRemovePayload {
        /// As it is now; refunds are under way.
        event: AdminEventNode,
    }
}

payload! {
    /// A removed review.
    AdminReviewRemovePayload {
        /// Its id.
        removed_review_id: ID,
    }
}

payload! {
    /// A job that is due again.
    AdminJobRetryPayload {
        /// As it is now.
        job: AdminJobNode,
    }
}

payload! {
    /// A payment that was asked about.
    AdminPaymentReconcilePayload {
        /// As it is now.
        payment: AdminPaymentNode,
    }
}

/// Who asks; refused if that is no admin, before anything else is looked at.
fn actor(ctx: &Context<'_>) -> Result<Actor> {
    Ok(Actor { admin: ctx.admin()?.id(), address: ctx.request().address })
}

fn id<T: FromStr>(id: &ID, field: &str) -> Result<T> {
    id.parse().map_err(|_| Error::not_found(&[field]))
}

#[derive(Default)]
pub struct AdminKeepingMutation;

#[Object]
impl AdminKeepingMutation {
    /// Makes a fan an artist, or the other way round; their sessions end. Refused while an artist has events to come.
    async fn admin_user_role_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose, and to what.")] input: AdminUserRoleChangeInput,
    ) -> async_graphql::Result<AdminUserRoleChangePayload> {
        answer(ctx, role(ctx, input).await)
    }

    /// Erases a member as a withdrawal does, by the same rules or over them.
    async fn admin_user_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and why.")] input: AdminUserRemoveInput,
    ) -> async_graphql::Result<AdminUserRemovePayload> {
        answer(ctx, user(ctx, input).await)
    }

    /// Takes an event out of public sight for good; one that has not ended is called off, and everybody refunded.
    async fn admin_event_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and why.")] input: AdminEventRemoveInput,
    ) -> async_graphql::Result<AdminEventRemovePayload> {
        answer(ctx, event(ctx, input).await)
    }

    /// Deletes a review with its likes and pictures; the event's rating follows.
    async fn admin_review_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and why.")] input: AdminReviewRemoveInput,
    ) -> async_graphql::Result<AdminReviewRemovePayload> {
        answer(ctx, review(ctx, input).await)
    }

    /// Makes a parked job due now, with all its attempts before it.
    async fn admin_job_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: AdminJobRetryInput,
    ) -> async_graphql::Result<AdminJobRetryPayload> {
        answer(ctx, job(ctx, input).await)
    }

    /// Asks the provider now what became of a payment, and goes by the answer.
    async fn admin_payment_reconcile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment.")] input: AdminPaymentReconcileInput,
    ) -> async_graphql::Result<AdminPaymentReconcilePayload> {
        answer(ctx, payment(ctx, input).await)
    }
}

async fn role(ctx: &Context<'_>, input: AdminUserRoleChangeInput) -> Result<AdminUserRoleChangePayload> {
    let by = actor(ctx)?;
    let (id, app) = (id(&input.user_id, "userId")?, ctx.app().clone());
    let work = async move { role_change::change(&app, by, id, input.role.into(), &input.reason).await };
    let row = ctx.app().outlive(work).await?;
    Ok(AdminUserRoleChangePayload { user: Some(AdminUserNode(row)), user_errors: Vec::new() })
}

async fn user(ctx: &Context<'_>, input: AdminUserRemoveInput) -> Result<AdminUserRemovePayload> {
    let by = actor(ctx)?;
    let (id, app) = (id(&input.user_id, "userId")?, ctx.app().clone());
    let work = async move { user_remove::remove(&app, by, id, &input.reason, input.is_override).await };
    let row = ctx.app().outlive(work).await?;
    Ok(AdminUserRemovePayload { user: Some(AdminUserNode(row)), user_errors: Vec::new() })
}

async fn event(ctx: &Context<'_>, input: AdminEventRemoveInput) -> Result<AdminEventRemovePayload> {
    let by = actor(ctx)?;
    let (id, app) = (id(&input.event_id, "eventId")?, ctx.app().clone());
    let row = ctx.app().outlive(async move { event_remove::remove(&app, by, id, &input.reason).await }).await?;
    Ok(AdminEventRemovePayload { event: Some(AdminEventNode(row)), user_errors: Vec::new() })
}

async fn review(ctx: &Context<'_>, input: AdminReviewRemoveInput) -> Result<AdminReviewRemovePayload> {
    let by = actor(ctx)?;
    let (id, app) = (id(&input.review_id, "reviewId")?, ctx.app().clone());
    let row = ctx.app().outlive(async move { review_remove::remove(&app, by, id, &input.reason).await }).await?;
    Ok(AdminReviewRemovePayload { removed_review_id: Some(ID(row.id.to_string())), user_errors: Vec::new() })
}

async fn job(ctx: &Context<'_>, input: AdminJobRetryInput) -> Result<AdminJobRetryPayload> {
    let by = actor(ctx)?;
    let (id, app) = (id(&input.job_id, "jobId")?, ctx.app().clone());
    let row = ctx.app().outlive(async move { job_retry::retry(&app, by, id).await }).await?;
    Ok(AdminJobRetryPayload { job: Some(AdminJobNode(row)), user_errors: Vec::new() })
}

async fn payment(ctx: &Context<'_>, input: AdminPaymentReconcileInput) -> Result<AdminPaymentReconcilePayload> {
    let by = actor(ctx)?;
    let (id, app) = (id(&input.payment_id, "paymentId")?, ctx.app().clone());
    let row = ctx.app().outlive(async move { payment_reconcile::reconcile(&app, by, id).await }).await?;
    Ok(AdminPaymentReconcilePayload { payment: Some(AdminPaymentNode(row)), user_errors: Vec::new() })
}
