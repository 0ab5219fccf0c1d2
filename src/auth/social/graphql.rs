//! Kakao and Naver in the schema.

use super::{
    link, query, sign_in, unlink, way,
    way::{Purpose, Returned},
};
use crate::{
    auth::graphql::{Role, SessionObject},
    error::Result,
    graphql::{ctx::Ctx, door::answer},
    payload,
    user::graphql::ViewerNode,
};
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{enums, ids::UserId, social_account};

/// Who vouches for a social sign-in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "enums::SocialProvider")]
pub enum SocialProvider {
    /// 카카오.
    Kakao,
    /// 네이버.
    Naver,
}

/// What a way through a provider's page is for.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SocialPurpose {
    /// To link the provider's account to the one that is signed in: ends in `socialAccountLink`.
    Link,
    /// To sign in, or to sign up: ends in `socialSignIn`.
    #[default]
    SignIn,
}

/// A provider's account that opens one's own.
#[derive(SimpleObject)]
pub struct SocialAccount {
    /// Who vouches.
    pub provider: SocialProvider,
    /// The email there, if the provider says that it is verified.
    pub email: Option<String>,
    /// Since when.
    pub linked_at: DateTime<Utc>,
}

impl From<social_account::Model> for SocialAccount {
    fn from(row: social_account::Model) -> Self {
        Self { provider: row.provider.into(), email: row.email, linked_at: row.linked_at }
    }
}

/// A person's links, for `Viewer.socialAccounts`.
pub async fn of(ctx: &Context<'_>, user: UserId) -> Result<Vec<SocialAccount>> {
    Ok(query::of(ctx.app().db.reads(), user).await?.into_iter().map(SocialAccount::from).collect())
}

/// Which provider, and where the browser comes back to.
#[derive(InputObject)]
pub struct SocialSignInStartInput {
    /// Who is to vouch.
    pub provider: SocialProvider,
    /// Where the provider sends the browser with `code` and `state`: on an allowed origin, and registered there.
    pub redirect_uri: String,
    /// Linking needs a sign-in, and its proof.
    #[graphql(default)]
    pub purpose: SocialPurpose,
    /// For `LINK`: the password. An account without one needs a sign-in of at most 10 minutes ago instead.
    pub current_password: Option<String>,
}

/// What came with the callback address, and what was kept in the browser.
#[derive(InputObject)]
pub struct SocialSignInInput {
    /// The same as at the start.
    pub provider: SocialProvider,
    /// `state` of the callback address; it works once, for ten minutes.
    pub state: String,
    /// From the start, kept in this browser.
    pub browser_secret: String,
    /// `code` of the callback address.
    pub code: Option<String>,
    /// `error` of the callback address, where there is no code.
    pub error: Option<String>,
    /// What somebody new is to be; a fan if nothing is said.
    pub role: Option<Role>,
}

/// What came with the callback address, and what was kept in the browser.
#[derive(InputObject)]
pub struct SocialAccountLinkInput {
    /// The same as at the start.
    pub provider: SocialProvider,
    /// `state` of the callback address; it works once, for ten minutes.
    pub state: String,
    /// From the start, kept in this browser.
    pub browser_secret: String,
    /// `code` of the callback address.
    pub code: Option<String>,
    /// `error` of the callback address, where there is no code.
    pub error: Option<String>,
}

/// Which link ends.
#[derive(InputObject)]
pub struct SocialAccountUnlinkInput {
    /// Who no longer vouches.
    pub provider: SocialProvider,
    /// The password. An account without one needs a sign-in of at most 10 minutes ago instead.
    pub current_password: Option<String>,
}

payload! {
    /// Where to send the browser.
    SocialSignInStartPayload {
        /// The provider's page.
        authorize_url: String,
        /// Comes back with the callback address.
        state: String,
        /// Keep it in this browser (`sessionStorage`), and show it when it is back: it tells this browser from others.
        browser_secret: String,
        /// When the state is no longer good.
        expires_at: DateTime<Utc>,
    }
}

payload! {
    /// Signed in.
    SocialSignInPayload {
        /// The session.
        session: SessionObject,
        /// The member.
        viewer: ViewerNode,
        /// Whether the account was made just now.
        is_new: bool,
    }
}

payload! {
    /// Linked.
    SocialAccountLinkPayload {
        /// The member, with the link.
        viewer: ViewerNode,
    }
}

payload! {
    /// Unlinked.
    SocialAccountUnlinkPayload {
        /// The member, without the link.
        viewer: ViewerNode,
    }
}

#[derive(Default)]
pub struct SocialMutation;

#[Object]
impl SocialMutation {
    /// Begins a way through a provider's page: send the browser to `authorizeUrl`. Linking is proven again here, with
    /// `currentPassword`.
    async fn social_sign_in_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "With whom, and what for.")] input: SocialSignInStartInput,
    ) -> async_graphql::Result<SocialSignInStartPayload> {
        answer(ctx, begin(ctx, input).await)
    }

    /// Signs in with what the provider's page came back with; makes an account for somebody new. Accounts are matched by
    /// the provider's own id of the person, never by email.
    async fn social_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the browser came back with.")] input: SocialSignInInput,
    ) -> async_graphql::Result<SocialSignInPayload> {
        answer(ctx, enter(ctx, input).await)
    }

    /// Links a provider's account to the one that is signed in, and a letter says so. Linking the same twice changes nothing.
    async fn social_account_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the browser came back with.")] input: SocialAccountLinkInput,
    ) -> async_graphql::Result<SocialAccountLinkPayload> {
        answer(ctx, attach(ctx, input).await)
    }

    /// Ends a link, unless it is the last way to sign in. A letter says so.
    async fn social_account_unlink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which link.")] input: SocialAccountUnlinkInput,
    ) -> async_graphql::Result<SocialAccountUnlinkPayload> {
        answer(ctx, detach(ctx, input).await)
    }
}

async fn begin(ctx: &Context<'_>, input: SocialSignInStartInput) -> Result<SocialSignInStartPayload> {
    let purpose = match input.purpose {
        SocialPurpose::SignIn => Purpose::SignIn,
        SocialPurpose::Link => link::purpose(ctx.app(), ctx.member()?, input.current_password).await?,
    };
    let address = ctx.request().address;
    let started = way::start(ctx.app(), input.provider.into(), purpose, &input.redirect_uri, address).await?;
    Ok(SocialSignInStartPayload {
        authorize_url: Some(started.authorize_url),
        state: Some(started.state),
        browser_secret: Some(started.browser_secret),
        expires_at: Some(started.expires_at),
        user_errors: Vec::new(),
    })
}

async fn enter(ctx: &Context<'_>, input: SocialSignInInput) -> Result<SocialSignInPayload> {
    let role = input.role.map_or(sign_in::ROLE, Into::into);
    let SocialSignInInput { provider, state, browser_secret, code, error, .. } = input;
    let returned =
        Returned { provider: provider.into(), state, browser_secret, code, error, address: ctx.request().address };
    let signed_in = sign_in::sign_in(ctx.app(), &returned, role, ctx.language()).await?;
    Ok(SocialSignInPayload {
        session: Some(signed_in.session.into()),
        viewer: Some(ViewerNode(signed_in.user)),
        is_new: Some(signed_in.is_new),
        user_errors: Vec::new(),
    })
}

async fn attach(ctx: &Context<'_>, input: SocialAccountLinkInput) -> Result<SocialAccountLinkPayload> {
    let buyer = ctx.buyer()?;
    let SocialAccountLinkInput { provider, state, browser_secret, code, error } = input;
    let returned =
        Returned { provider: provider.into(), state, browser_secret, code, error, address: ctx.request().address };
    let user = link::link(ctx.app(), buyer, &returned).await?;
    Ok(SocialAccountLinkPayload { viewer: Some(ViewerNode(user)), user_errors: Vec::new() })
}

async fn detach(ctx: &Context<'_>, input: SocialAccountUnlinkInput) -> Result<SocialAccountUnlinkPayload> {
    let user = unlink::unlink(ctx.app(), ctx.member()?, input.provider.into(), input.current_password).await?;
    Ok(SocialAccountUnlinkPayload { viewer: Some(ViewerNode(user)), user_errors: Vec::new() })
}
