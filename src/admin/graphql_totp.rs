//! An admin's own account: the second factor and the password.

use super::{
    audit::Actor,
    graphql::AdminNode,
    password_change, proof,
    totp::{confirm, disable, enroll},
};
use crate::{
    auth::graphql::SessionObject,
    error::Result,
    graphql::{ctx::Ctx, door::answer},
    payload,
};
use async_graphql::{Context, InputObject, Object};

/// Who asks for a second factor.
#[derive(InputObject)]
pub struct AdminTotpEnrollInput {
    /// One's own, again.
    pub password: String,
}

/// The first code.
#[derive(InputObject)]
pub struct AdminTotpConfirmInput {
    /// Six digits, from the app that knows the secret.
    pub code: String,
}

/// Who turns the second factor off.
#[derive(InputObject)]
pub struct AdminTotpDisableInput {
    /// One's own, again.
    pub password: String,
    /// Six digits from the app, or a recovery code.
    pub code: String,
}

/// From one password to another.
#[derive(InputObject)]
pub struct AdminPasswordChangeInput {
    /// The one that is to go.
    pub current_password: String,
    /// 8 to 64 characters with upper case, lower case, digit and symbol.
    pub new_password: String,
}

payload! {
    /// A secret for an authenticator app; it counts once `adminTotpConfirm` has shown a code of it.
    AdminTotpEnrollPayload {
        /// In base32, for typing; never shown again.
        secret: String,
        /// The same as an address, for a QR code.
        otpauth_url: String,
    }
}

payload! {
    /// The second factor is on.
    AdminTotpConfirmPayload {
        /// Ten, each good once in the place of a code of the app; never shown again.
        recovery_codes: Vec<String>,
        /// A new session: every other one has ended.
        session: SessionObject,
        /// The admin.
        admin: AdminNode,
    }
}

payload! {
    /// The second factor is off.
    AdminTotpDisablePayload {
        /// The admin.
        admin: AdminNode,
    }
}

payload! {
    /// The password is changed.
    AdminPasswordChangePayload {
        /// A new session: every other one has ended.
        session: SessionObject,
    }
}

#[derive(Default)]
pub struct AdminAccountMutation;

#[Object]
impl AdminAccountMutation {
    /// Makes a secret for an authenticator app. Nothing changes until it is confirmed; asked again, it makes another.
    async fn admin_totp_enroll(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Proof.")] input: AdminTotpEnrollInput,
    ) -> async_graphql::Result<AdminTotpEnrollPayload> {
        answer(ctx, enrolled(ctx, input).await)
    }

    /// Turns the second factor on, with the first code of its secret, and ends every session but the one in the answer.
    async fn admin_totp_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first code.")] input: AdminTotpConfirmInput,
    ) -> async_graphql::Result<AdminTotpConfirmPayload> {
        answer(ctx, confirmed(ctx, input).await)
    }

    /// Turns the second factor off; its recovery codes are worthless from then on.
    async fn admin_totp_disable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Proof.")] input: AdminTotpDisableInput,
    ) -> async_graphql::Result<AdminTotpDisablePayload> {
        answer(ctx, disabled(ctx, input).await)
    }

    /// Changes one's own password, and ends every session but the one in the answer.
    async fn admin_password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Both passwords.")] input: AdminPasswordChangeInput,
    ) -> async_graphql::Result<AdminPasswordChangePayload> {
        answer(ctx, changed(ctx, input).await)
    }
}

fn actor(ctx: &Context<'_>) -> Result<Actor> {
    Ok(Actor { admin: ctx.admin()?.id(), address: ctx.request().address })
}

async fn enrolled(ctx: &Context<'_>, input: AdminTotpEnrollInput) -> Result<AdminTotpEnrollPayload> {
    let enrolled = enroll::enroll(ctx.app(), actor(ctx)?, input.password).await?;
    let (secret, otpauth_url) = (Some(enrolled.secret), Some(enrolled.otpauth_url));
    Ok(AdminTotpEnrollPayload { secret, otpauth_url, user_errors: Vec::new() })
}

async fn confirmed(ctx: &Context<'_>, input: AdminTotpConfirmInput) -> Result<AdminTotpConfirmPayload> {
    let by = actor(ctx)?;
    let (codes, session) = confirm::confirm(ctx.app(), by, &input.code).await?;
    let admin = Some(AdminNode(proof::present(ctx.app(), by.admin).await?));
    let (recovery_codes, session) = (Some(codes), session.map(Into::into));
    Ok(AdminTotpConfirmPayload { recovery_codes, session, admin, user_errors: Vec::new() })
}

async fn disabled(ctx: &Context<'_>, input: AdminTotpDisableInput) -> Result<AdminTotpDisablePayload> {
    let by = actor(ctx)?;
    disable::disable(ctx.app(), by, input.password, input.code).await?;
    let admin = Some(AdminNode(proof::present(ctx.app(), by.admin).await?));
    Ok(AdminTotpDisablePayload { admin, user_errors: Vec::new() })
}

async fn changed(ctx: &Context<'_>, input: AdminPasswordChangeInput) -> Result<AdminPasswordChangePayload> {
    let session = password_change::change(ctx.app(), actor(ctx)?, input.current_password, input.new_password).await?;
    Ok(AdminPasswordChangePayload { session: Some(session.into()), user_errors: Vec::new() })
}
