//! What only a member sees of themselves, changing it, and leaving.

use super::{
    email_change::{self, EmailChange},
    graphql::ViewerNode,
    profile,
    profile::ProfileUpdate,
    withdraw,
};
use crate::{
    error::Result,
    graphql::{
        ctx::Ctx,
        door::answer,
        scalars::{Date, Won},
    },
    language, payload,
};
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::user::Model;

/// The languages of the product.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "language::Language")]
pub enum Language {
    /// English.
    En,
    /// Korean.
    Ko,
}

/// What is known of a member and only they see.
#[derive(SimpleObject)]
pub struct Profile {
    /// 1 to 20 characters, shown in public.
    pub nickname: String,
    /// When they were born; null if they never said.
    pub birth_date: Option<Date>,
    /// `010-0000-0000`; null if they never said.
    pub phone_number: Option<String>,
    /// Where they live; null if they never said.
    pub location: Option<String>,
    /// Of the mails that they get.
    pub language: Language,
    /// Whether reminders also come by mail when they are offline.
    pub is_reminded_by_mail: bool,
    /// True if they can sign in with a password; false of an account that only signs in through a provider.
    pub has_password: bool,
    /// When they signed up.
    pub created_at: DateTime<Utc>,
}

impl Profile {
    pub fn of(row: &Model) -> Self {
        Self {
            nickname: row.nickname.clone(),
            birth_date: row.birth_date.map(Date),
            phone_number: row.phone_number.clone(),
            location: row.location.clone(),
            language: language::Language::of_member(&row.language).into(),
            is_reminded_by_mail: row.is_reminded_by_mail,
            has_password: row.password_hash.is_some(),
            created_at: row.created_at,
        }
    }
}

/// What changes. What is absent or null stays as it is.
#[derive(InputObject)]
pub struct ProfileUpdateInput {
    /// 1 to 20 characters, shown in public.
    pub nickname: Option<String>,
    /// When one was born.
    pub birth_date: Option<Date>,
    /// `010-0000-0000`.
    pub phone_number: Option<String>,
    /// Where one lives, 1 to 100 characters.
    pub location: Option<String>,
    /// Of the mails that one gets.
    pub language: Option<Language>,
    /// Whether reminders also come by mail when one is offline.
    pub is_reminded_by_mail: Option<bool>,
}

/// Another email.
#[derive(InputObject)]
pub struct EmailChangeInput {
    /// The mailbox that the code went to.
    pub email: String,
    /// The six digits from the mail that `emailCodeSend` with `EMAIL_CHANGE` sent there.
    pub email_code: String,
    /// The password. An account without one needs a sign-in of at most 10 minutes ago instead.
    pub current_password: Option<String>,
}

/// Leaving for good.
#[derive(InputObject)]
pub struct AccountWithdrawInput {
    /// The password. An account without one needs a sign-in of at most 10 minutes ago instead.
    pub current_password: Option<String>,
}

payload! {
    /// The changed profile.
    ProfileUpdatePayload {
        /// The member.
        viewer: ViewerNode,
    }
}

payload! {
    /// The email is changed.
    EmailChangePayload {
        /// The member, with the new email.
        viewer: ViewerNode,
    }
}

payload! {
    /// The account is closed.
    AccountWithdrawPayload {
        /// True once everything personal is erased.
        is_withdrawn: bool,
        /// The points that were left, and are gone.
        forfeited_points: Won,
    }
}

#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Changes one's own profile. A picture is uploaded with `attachmentUpload`, with oneself as the owner.
    async fn profile_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: ProfileUpdateInput,
    ) -> async_graphql::Result<ProfileUpdatePayload> {
        answer(ctx, update(ctx, input).await)
    }

    /// Gives one's account another email, or its first one, once its mailbox is proven. The old mailbox hears of it.
    async fn email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The mailbox, and both proofs.")] input: EmailChangeInput,
    ) -> async_graphql::Result<EmailChangePayload> {
        answer(ctx, move_to(ctx, input).await)
    }

    /// Closes one's account: everything personal is erased, points that are left are forfeited, every session ends, and the
    /// email is free again. Refused with a `WithdrawalBlockedError` while something is still open.
    async fn account_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Proof.")] input: AccountWithdrawInput,
    ) -> async_graphql::Result<AccountWithdrawPayload> {
        answer(ctx, leave(ctx, input).await)
    }
}

async fn update(ctx: &Context<'_>, input: ProfileUpdateInput) -> Result<ProfileUpdatePayload> {
    let update = ProfileUpdate {
        nickname: input.nickname,
        birth_date: input.birth_date.map(|date| date.0),
        phone_number: input.phone_number,
        location: input.location,
        language: input.language.map(Into::into),
        is_reminded_by_mail: input.is_reminded_by_mail,
    };
    let row = profile::update(ctx.app(), ctx.buyer()?, update).await?;
    Ok(ProfileUpdatePayload { viewer: Some(ViewerNode(row)), user_errors: Vec::new() })
}

async fn move_to(ctx: &Context<'_>, input: EmailChangeInput) -> Result<EmailChangePayload> {
    let EmailChangeInput { email, email_code, current_password } = input;
    let change = EmailChange { email, email_code, current_password };
    let row = email_change::change(ctx.app(), ctx.member()?, change, ctx.request().address).await?;
    Ok(EmailChangePayload { viewer: Some(ViewerNode(row)), user_errors: Vec::new() })
}

async fn leave(ctx: &Context<'_>, input: AccountWithdrawInput) -> Result<AccountWithdrawPayload> {
    let member = ctx.member()?.clone();
    let (app, secret) = (ctx.app().clone(), input.current_password);
    let points = ctx.app().outlive(async move { withdraw::withdraw(&app, &member, secret).await }).await?;
    let forfeited_points = Some(Won(points));
    Ok(AccountWithdrawPayload { is_withdrawn: Some(true), forfeited_points, user_errors: Vec::new() })
}
