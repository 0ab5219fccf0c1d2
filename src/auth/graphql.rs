//! Signing up, in and out.

use super::{
    change_password, code::Purpose, reset_password, reset_token, send_code, session, session::Session, sign_in,
    sign_out, sign_up,
};
use crate::{
    error::Result,
    graphql::{ctx::Ctx, door::answer, scalars::Date},
    payload,
    user::graphql::ViewerNode,
};
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::enums;

/// What an email code is for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Purpose")]
pub enum EmailCodePurpose {
    /// To give one's account another email, or its first.
    EmailChange,
    /// To choose a new password.
    PasswordReset,
    /// To sign up.
    SignUp,
}

/// What a member may do.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::Role")]
pub enum Role {
    /// All that a fan may; and publishes events.
    Artist,
    /// A fan: books, pays, reviews.
    User,
}

/// Being signed in.
#[derive(SimpleObject)]
#[graphql(name = "Session")]
pub struct SessionObject {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// When the access token runs out.
    pub expires_at: DateTime<Utc>,
    /// Gives the next session, once.
    pub refresh_token: String,
    /// When the refresh token runs out.
    pub refresh_expires_at: DateTime<Utc>,
}

impl From<Session> for SessionObject {
    fn from(session: Session) -> Self {
        Self {
            access_token: session.access_token,
            expires_at: session.expires_at,
            refresh_token: session.refresh_token,
            refresh_expires_at: session.refresh_expires_at,
        }
    }
}

/// Who is to get a code.
#[derive(InputObject)]
pub struct EmailCodeSendInput {
    /// The mailbox to prove.
    pub email: String,
    /// What the code is for.
    pub purpose: EmailCodePurpose,
}

/// A new member.
#[derive(InputObject)]
pub struct SignUpInput {
    /// The mailbox that the code went to.
    pub email: String,
    /// The six digits from the mail.
    pub email_code: String,
    /// 8 to 64 characters with upper case, lower case, digit and symbol.
    pub password: String,
    /// 1 to 20 characters, shown in public.
    pub nickname: String,
    /// When one was born.
    pub birth_date: Date,
    /// `010-0000-0000`.
    pub phone_number: String,
    /// Where one lives, 1 to 100 characters.
    pub location: String,
    /// Fan or artist.
    pub role: Role,
}

/// Who one is.
#[derive(InputObject)]
pub struct SignInInput {
    /// As signed up with.
    pub email: String,
    /// The secret.
    pub password: String,
}

/// Which sessions end.
#[derive(InputObject)]
pub struct SignOutInput {
    /// All of one's sessions instead of this one.
    #[graphql(default)]
    pub everywhere: bool,
}

/// The way to the next session.
#[derive(InputObject)]
pub struct SessionRefreshInput {
    /// The one that came with the present session; it works once.
    pub refresh_token: String,
}

payload! {
    /// Sent, or not: the answer is the same.
    EmailCodeSendPayload {
        /// True once the request was taken.
        is_accepted: bool,
    }
}

/// The first of two steps to a new password: the code is exchanged for a token.
#[derive(InputObject)]
pub struct EmailCodeVerifyInput {
    /// The mailbox that the code went to.
    pub email: String,
    /// The six digits from the mail.
    pub email_code: String,
    /// What the code is for: `PASSWORD_RESET` alone has two steps.
    pub purpose: EmailCodePurpose,
}

/// A new password for a mailbox that is proven: by the code itself, or by the token that it was exchanged for; by one of
/// them.
#[derive(InputObject)]
pub struct PasswordResetInput {
    /// The mailbox that the code went to.
    pub email: String,
    /// The six digits from the mail.
    pub email_code: Option<String>,
    /// From `emailCodeVerify`; it works once.
    pub reset_token: Option<String>,
    /// 8 to 64 characters with upper case, lower case, digit and symbol.
    pub new_password: String,
}

/// Another password.
#[derive(InputObject)]
pub struct PasswordChangeInput {
    /// The old one.
    pub current_password: String,
    /// 8 to 64 characters with upper case, lower case, digit and symbol.
    pub new_password: String,
}

payload! {
    /// The code was right, and is used up.
    EmailCodeVerifyPayload {
        /// Lets `passwordReset` set a new password for this mailbox, once.
        reset_token: String,
        /// When the token runs out.
        expires_at: DateTime<Utc>,
    }
}

payload! {
    /// The new password is set, or it is not.
    PasswordResetPayload {
        /// True once it is; every session has ended.
        is_reset: bool,
    }
}

payload! {
    /// The new password is set.
    PasswordChangePayload {
        /// The session to go on with; every other one has ended, and so have the tokens that asked.
        session: SessionObject,
    }
}

payload! {
    /// A new member, signed in.
    SignUpPayload {
        /// The session.
        session: SessionObject,
        /// The member.
        viewer: ViewerNode,
    }
}

payload! {
    /// Signed in.
    SignInPayload {
        /// The session.
        session: SessionObject,
        /// The member.
        viewer: ViewerNode,
    }
}

payload! {
    /// Signed out.
    SignOutPayload {
        /// True once the tokens are worthless.
        is_signed_out: bool,
    }
}

payload! {
    /// The next session.
    SessionRefreshPayload {
        /// The session; the old refresh token is worthless now.
        session: SessionObject,
    }
}

#[derive(Default)]
pub struct AuthMutation;

#[Object]
impl AuthMutation {
    /// Mails a six-digit code. Never tells whether the address has an account.
    async fn email_code_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to, and what for.")] input: EmailCodeSendInput,
    ) -> async_graphql::Result<EmailCodeSendPayload> {
        let (language, address) = (ctx.language(), ctx.request().address);
        let sent = send_code::send_code(ctx.app(), &input.email, input.purpose.into(), language, address).await;
        answer(ctx, sent.map(|()| EmailCodeSendPayload { is_accepted: Some(true), user_errors: Vec::new() }))
    }

    /// Makes an account for a proven email, and signs in.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new account.")] input: SignUpInput,
    ) -> async_graphql::Result<SignUpPayload> {
        answer(ctx, up(ctx, input).await)
    }

    /// Signs in with email and password.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: SignInInput,
    ) -> async_graphql::Result<SignInPayload> {
        let signed_in = sign_in::sign_in(ctx.app(), &input.email, input.password, ctx.request().address).await;
        answer(
            ctx,
            signed_in.map(|(user, session)| SignInPayload {
                session: Some(session.into()),
                viewer: Some(ViewerNode(user)),
                user_errors: Vec::new(),
            }),
        )
    }

    /// Exchanges the code of a password reset for a token, so that the new password can be asked for on the next page.
    async fn email_code_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: EmailCodeVerifyInput,
    ) -> async_graphql::Result<EmailCodeVerifyPayload> {
        let (purpose, address) = (input.purpose.into(), ctx.request().address);
        let verified = reset_token::exchange(ctx.app(), &input.email, purpose, &input.email_code, address).await;
        answer(
            ctx,
            verified.map(|token| EmailCodeVerifyPayload {
                reset_token: Some(token.token),
                expires_at: Some(token.expires_at),
                user_errors: Vec::new(),
            }),
        )
    }

    /// Sets a new password for a proven mailbox, ends every session and says so by mail.
    async fn password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof, and the new password.")] input: PasswordResetInput,
    ) -> async_graphql::Result<PasswordResetPayload> {
        let input = reset_password::ResetPassword {
            email: input.email,
            email_code: input.email_code,
            reset_token: input.reset_token,
            new_password: input.new_password,
        };
        let reset = reset_password::reset_password(ctx.app(), input, ctx.request().address).await;
        answer(ctx, reset.map(|()| PasswordResetPayload { is_reset: Some(true), user_errors: Vec::new() }))
    }

    /// Changes the password, ends every other session and says so by mail.
    async fn password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old password and the new one.")] input: PasswordChangeInput,
    ) -> async_graphql::Result<PasswordChangePayload> {
        let (old, new) = (input.current_password, input.new_password);
        let changed = change_password::change_password(ctx.app(), ctx.viewer(), old, new).await;
        answer(
            ctx,
            changed.map(|session| PasswordChangePayload { session: Some(session.into()), user_errors: Vec::new() }),
        )
    }

    /// Ends this session, or all of them; the access token is worthless from now on.
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions end.")] input: SignOutInput,
    ) -> async_graphql::Result<SignOutPayload> {
        answer(ctx, out(ctx, input).await)
    }

    /// Exchanges a refresh token for the next session. One that is used a second time ends the whole family.
    async fn session_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to go on with.")] input: SessionRefreshInput,
    ) -> async_graphql::Result<SessionRefreshPayload> {
        let refreshed = session::refresh(ctx.app(), &input.refresh_token).await;
        answer(
            ctx,
            refreshed.map(|session| SessionRefreshPayload { session: Some(session.into()), user_errors: Vec::new() }),
        )
    }
}

async fn up(ctx: &Context<'_>, input: SignUpInput) -> Result<SignUpPayload> {
    let input = sign_up::SignUp {
        email: input.email,
        email_code: input.email_code,
        password: input.password,
        nickname: input.nickname,
        birth_date: input.birth_date.0,
        phone_number: input.phone_number,
        location: input.location,
        role: input.role.into(),
    };
    let (user, session) = sign_up::sign_up(ctx.app(), input, ctx.language(), ctx.request().address).await?;
    Ok(SignUpPayload { session: Some(session.into()), viewer: Some(ViewerNode(user)), user_errors: Vec::new() })
}

async fn out(ctx: &Context<'_>, input: SignOutInput) -> Result<SignOutPayload> {
    sign_out::sign_out(ctx.app(), ctx.viewer(), input.everywhere).await?;
    Ok(SignOutPayload { is_signed_out: Some(true), user_errors: Vec::new() })
}
