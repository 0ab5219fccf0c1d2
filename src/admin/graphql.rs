//! What admins see, behind `admin`.

use super::{
    graphql_lists::AdminLists,
    invariants, query,
    sign_in::{self, SignIn},
    totp::recovery,
};
use crate::{
    auth::graphql::SessionObject,
    coupon::{
        self,
        graphql::{CouponConnection, CouponNode},
    },
    error::{Error, Result},
    graphql::{ctx::Ctx, door::answer, page::window},
    payload,
    user::viewer::Viewer,
};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::admin::Model;

/// The signed-in admin.
#[derive(Clone, Debug)]
pub struct AdminNode(pub Model);

/// A rule that must always hold, and whether it does.
#[derive(SimpleObject)]
pub struct Invariant {
    /// Its name for machines, such as `seats_add_up`: the label of the metric `spotlight_invariant_broken`.
    pub slug: String,
    /// In words.
    pub rule: String,
    /// True if nothing breaks it.
    pub is_kept: bool,
    /// How many rows break it.
    pub broken_count: i64,
}

/// The signed-in admin, and what only admins see.
#[Object(name = "Admin")]
impl AdminNode {
    /// `adm_…`
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What they sign in with.
    async fn email(&self) -> &str {
        &self.0.email
    }
    /// All coupons, withdrawn ones too, newest first.
    async fn coupons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, or behind `after`; 20 if nothing is said, at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: begin behind it.")] after: Option<String>,
        #[graphql(desc = "So many from the end, or before `before`; at most 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: end before it.")] before: Option<String>,
    ) -> Option<async_graphql::Result<CouponConnection>> {
        let read = async {
            ctx.admin()?;
            let window = window(first, after, last, before)?;
            Ok(CouponConnection::of(coupon::query::page(ctx.app().db.reads(), &window).await?, CouponNode))
        };
        Some(read.await.map_err(|error: Error| error.into()))
    }
    #[graphql(flatten)]
    async fn lists(&self, _ctx: &Context<'_>) -> AdminLists {
        AdminLists
    }
    /// Whether signing in also takes a code of an authenticator app.
    async fn is_totp_enabled(&self) -> bool {
        self.0.totp_secret.is_some()
    }
    /// How many recovery codes are left.
    async fn recovery_code_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let count = recovery::count(ctx.app().db.reads(), self.0.id).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
    /// The rules of seats, money, points and coupons, checked now over all rows.
    async fn invariants(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Vec<Invariant>>> {
        Some(checked(ctx).await.map_err(Into::into))
    }
}

async fn checked(ctx: &Context<'_>) -> Result<Vec<Invariant>> {
    ctx.admin()?;
    let outcomes = invariants::check(ctx.app()).await?.into_iter().map(|outcome| Invariant {
        slug: outcome.slug.to_owned(),
        rule: outcome.rule.to_owned(),
        is_kept: outcome.broken == 0,
        broken_count: outcome.broken,
    });
    Ok(outcomes.collect())
}

#[derive(Default)]
pub struct AdminQuery;

#[Object]
impl AdminQuery {
    /// The signed-in admin; null for everybody else.
    async fn admin(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<AdminNode>> {
        let Viewer::Admin(session) = ctx.viewer() else { return None };
        match query::by_id(ctx.app().db.reads(), session.id).await {
            Ok(found) => found.map(|row| Ok(AdminNode(row))),
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// Who one is.
#[derive(InputObject)]
pub struct AdminSignInInput {
    /// The account's email.
    pub email: String,
    /// The secret.
    pub password: String,
    /// Six digits of the authenticator app, if the account has a second factor.
    pub totp_code: Option<String>,
    /// In the place of `totpCode`, once each.
    pub recovery_code: Option<String>,
}

impl From<AdminSignInInput> for SignIn {
    fn from(input: AdminSignInInput) -> Self {
        let AdminSignInInput { email, password, totp_code, recovery_code } = input;
        Self { email, password, totp_code, recovery_code }
    }
}

payload! {
    /// Signed in as an admin.
    AdminSignInPayload {
        /// The session; `sessionRefresh` and `signOut` work as for members.
        session: SessionObject,
        /// The admin.
        admin: AdminNode,
    }
}

#[derive(Default)]
pub struct AdminMutation;

#[Object]
impl AdminMutation {
    /// Signs in as an admin. Accounts are made by `spotlight admin create`. With a second factor, the right password
    /// alone answers `SECOND_FACTOR_REQUIRED`: send it again with a code.
    async fn admin_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: AdminSignInInput,
    ) -> async_graphql::Result<AdminSignInPayload> {
        let signed_in = sign_in::sign_in(ctx.app(), input.into(), ctx.request().address).await;
        answer(
            ctx,
            signed_in.map(|(admin, session)| AdminSignInPayload {
                session: Some(session.into()),
                admin: Some(AdminNode(admin)),
                user_errors: Vec::new(),
            }),
        )
    }
}
