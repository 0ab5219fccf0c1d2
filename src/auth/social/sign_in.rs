//! `socialSignIn`: the account of this subject, or a new one.
//!
//! Of two first sign-ins at once, one makes the account: the unique index on provider and subject stops the other, which
//! then finds it. A verified email that has an account is no key to it: whoever holds the mailbox is told to sign in and
//! link, and nobody else gets this far.

use super::{
    query, way,
    way::{Purpose, Returned},
};
use crate::{
    app::App,
    auth::{
        model,
        session::{self, Holder, Session},
        sign_up,
    },
    error::{Code, Error, Fault, Problem, Problems, Result},
    infra::{db::is_unique, social::Identity},
    language::Language,
    transaction, user,
};
use entity::{
    enums::{Role, SocialProvider},
    social_account, user as user_row,
};
use sea_orm::{ConnectionTrait, EntityTrait};

/// A new person's role, where nothing is said.
pub const ROLE: Role = Role::User;

#[derive(Debug)]
pub struct SignedIn {
    pub user: user_row::Model,
    pub session: Session,
    pub is_new: bool,
}

pub async fn sign_in(app: &App, returned: &Returned, role: Role, language: Language) -> Result<SignedIn> {
    let identity = way::end(app, returned, Purpose::SignIn).await?;
    let newcomer = newcomer(app, &identity, role, language);
    let link = link_of(app, returned.provider, &identity, newcomer.id);
    let entered = transaction!(app, txn => enter(txn, &newcomer, &link).await);
    let (user, is_new) = match entered {
        Err(Error::Fault(Fault::Database(error))) if is_taken(&error) => {
            // A twin was a moment earlier: what it left decides.
            transaction!(app, txn => enter(txn, &newcomer, &link).await)?
        }
        other => other?,
    };
    let session = session::begin(app, Holder::Member(user.id, user.role)).await?;
    Ok(SignedIn { user, session, is_new })
}

async fn enter(
    txn: &impl ConnectionTrait,
    newcomer: &user_row::Model,
    link: &social_account::Model,
) -> Result<(user_row::Model, bool)> {
    // Before the link is looked for: a twin that commits in between leaves the email and the link, and is found by its link.
    let is_email_taken = match &newcomer.email {
        Some(email) => user::query::by_email(txn, email).await?.is_some(),
        None => false,
    };
    if let Some(known) = query::by_subject(txn, link.provider, &link.subject).await? {
        let owner = user::query::by_id(txn, known.user_id).await?;
        if let Some(owner) = owner.filter(|owner| owner.withdrawn_at.is_none()) {
            return Ok((owner, false));
        }
        // A withdrawn account is nobody's: its link opens nothing.
        social_account::Entity::delete_by_id(known.id).exec(txn).await?;
    }
    if is_email_taken {
        return Err(link_required());
    }
    sign_up::insert(txn, newcomer.clone()).await?;
    insert(txn, link.clone()).await?;
    Ok((newcomer.clone(), true))
}

pub(super) async fn insert(txn: &impl ConnectionTrait, row: social_account::Model) -> Result<()> {
    use sea_orm::ActiveModelTrait;
    let row = social_account::ActiveModel::from(row).reset_all();
    social_account::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

pub(super) fn is_taken(error: &sea_orm::DbErr) -> bool {
    is_unique(error, "social_account_", "social_account.") || is_unique(error, "user_email", "user.email")
}

pub(super) fn link_of(
    app: &App,
    provider: SocialProvider,
    identity: &Identity,
    user_id: entity::ids::UserId,
) -> social_account::Model {
    social_account::Model {
        id: app.ids.next(),
        user_id,
        provider,
        subject: identity.subject.clone(),
        email: verified_email(identity),
        linked_at: app.clock.now(),
    }
}

/// As ours are written; `None` for what is no address.
fn verified_email(identity: &Identity) -> Option<String> {
    let email = model::normal_email(identity.email.as_deref()?);
    let mut problems = Problems::default();
    model::email(&mut problems, &[], &email);
    problems.is_empty().then_some(email)
}

fn newcomer(app: &App, identity: &Identity, role: Role, language: Language) -> user_row::Model {
    let is_english = language == Language::En;
    let told = identity.nickname.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let nickname = told.unwrap_or(if is_english { "Guest" } else { "관객" });
    user_row::Model {
        id: app.ids.next(),
        email: verified_email(identity),
        password_hash: None,
        nickname: nickname.chars().take(20).collect(),
        birth_date: None,
        phone_number: None,
        location: None,
        role,
        language: if is_english { "en" } else { "ko" }.to_owned(),
        is_reminded_by_mail: true,
        notification_count: 0,
        created_at: app.clock.now(),
        withdrawn_at: None,
    }
}

fn link_required() -> Error {
    let ko = "이 이메일로 가입된 계정이 있습니다. 그 계정으로 로그인한 뒤 연결해 주세요.";
    let en = "An account has this email already. Sign in to it, then link.";
    Problem::new(Code::SocialLinkRequired, &[], ko, en).into()
}
