//! `socialAccountUnlink`: never the last way in, and proven again as a link is. Kakao is told afterwards, by a job; Naver cannot be told, as that takes
//! the person's own token, and none is kept.

use super::{link, link_letter, query};
use crate::{
    app::App,
    auth::reauthentication,
    error::{Code, Error, Problem, Result},
    infra::{
        jobs::{self, Job, Lane},
        social::CallError,
    },
    transaction,
    user::viewer::Member,
};
use entity::{enums::SocialProvider, ids::UserId, social_account, user};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};

pub async fn unlink(
    app: &App,
    member: &Member,
    provider: SocialProvider,
    secret: Option<String>,
) -> Result<user::Model> {
    let known = reauthentication::prove(app, member, secret).await?;
    transaction!(app, txn => detach(txn, app, &known, provider).await)
}

async fn detach(
    txn: &impl ConnectionTrait,
    app: &App,
    known: &user::Model,
    provider: SocialProvider,
) -> Result<user::Model> {
    let user = link::lock(txn, known.id).await?;
    if user.password_hash != known.password_hash {
        return Err(Error::Unauthenticated);
    }
    let links = query::of(txn, user.id).await?;
    let found = links.iter().find(|link| link.provider == provider);
    let found = found.ok_or_else(|| Error::not_found(&["provider"]))?;
    if !has_other_way(app, &user, &links, provider) {
        let ko = "마지막 로그인 방법은 해제할 수 없습니다. 먼저 비밀번호를 만들거나 다른 계정을 연결해 주세요.";
        let en = "This is the last way to sign in. Set a password or link another account first.";
        return Err(Problem::new(Code::NotAllowed, &["provider"], ko, en).into());
    }
    remove(txn, app, found).await?;
    link_letter::enqueue(txn, app, user.id, provider, false).await?;
    Ok(user)
}

/// Whether somebody still gets in without this provider. A link with one that is switched off opens nothing.
pub(super) fn has_other_way(
    app: &App,
    user: &user::Model,
    links: &[social_account::Model],
    without: SocialProvider,
) -> bool {
    let opens = |link: &social_account::Model| link.provider != without && app.social.of(link.provider).is_some();
    user.password_hash.is_some() || links.iter().any(opens)
}

/// Ends every link of a person who withdraws, in the withdrawal's transaction; the providers are told afterwards.
pub async fn remove_all(txn: &impl ConnectionTrait, app: &App, user: UserId) -> Result<()> {
    for link in query::of(txn, user).await? {
        remove(txn, app, &link).await?;
    }
    Ok(())
}

async fn remove(txn: &impl ConnectionTrait, app: &App, link: &social_account::Model) -> Result<()> {
    social_account::Entity::delete_by_id(link.id).exec(txn).await?;
    let now = app.clock.now();
    let job = UnlinkAtProvider { provider: link.provider, subject: link.subject.clone() };
    jobs::enqueue(txn, &app.ids, now, now, &job).await?;
    Ok(())
}

/// Tells the provider. The subject is in the row because the link is gone.
#[derive(Debug, Serialize, Deserialize)]
pub struct UnlinkAtProvider {
    provider: SocialProvider,
    subject: String,
}

impl Job for UnlinkAtProvider {
    const NAME: &'static str = "unlink_at_provider";
    const LANE: Lane = Lane::Outside;

    async fn run(self, app: &App) -> Result<()> {
        // Linked again meanwhile: the provider is not to forget them now.
        if query::by_subject(app.db.reads(), self.provider, &self.subject).await?.is_some() {
            return Ok(());
        }
        let Some(port) = app.social.of(self.provider) else { return Ok(()) };
        port.unlink(&self.subject).await.map_err(|error| match error {
            CallError::Unavailable(what) => Error::Unavailable(what),
            CallError::BadCode | CallError::Refused(_) => Error::fault(format!("unlink: {error}")),
        })
    }
}
