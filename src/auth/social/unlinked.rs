//! Somebody ended the link on Kakao's side. The answer to Kakao does not wait for what follows: a job does it.
//!
//! With another way in, the link goes. If it was the last way in, the sessions end and the link stays without its email:
//! who agrees again at Kakao is the same person there, and comes back to their tickets and not to an empty account.

use super::{link, query};
use crate::{
    app::App,
    auth::session,
    error::{Error, Result},
    infra::jobs::{self, Job, Lane},
    transaction,
};
use entity::{enums::SocialProvider, ids::UserId, social_account};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// Whether this `Authorization` header is Kakao's. Nothing is, while Kakao is off.
pub fn is_from_kakao(app: &App, authorization: Option<&str>) -> bool {
    let key = app.config.social.kakao.admin_key.expose_secret();
    let shown = authorization.and_then(|shown| shown.strip_prefix("KakaoAK ")).unwrap_or_default();
    app.social.kakao.is_some() && !key.is_empty() && bool::from(shown.as_bytes().ct_eq(key.as_bytes()))
}

/// Takes note; the same for people that we do not know.
pub async fn take_note(app: &App, subject: &str) -> Result<()> {
    let now = app.clock.now();
    let job = KakaoUnlinked { subject: subject.to_owned(), at_micros: now.timestamp_micros() };
    transaction!(app, txn => jobs::enqueue(txn, &app.ids, now, now, &job).await)?;
    Ok(())
}

#[derive(Debug, Serialize, Deserialize)]
pub struct KakaoUnlinked {
    subject: String,
    /// When Kakao said so: who linked again since stays.
    at_micros: i64,
}

impl Job for KakaoUnlinked {
    const NAME: &'static str = "kakao_unlinked";
    /// The key-value store may be another machine.
    const LANE: Lane = Lane::Outside;

    async fn run(self, app: &App) -> Result<()> {
        let ended = transaction!(app, txn => let_go(txn, &self).await)?;
        match ended {
            Some(user) => session::end_all(app, &user.to_string()).await,
            None => Ok(()),
        }
    }
}

/// Whose sessions end, if anybody's.
async fn let_go(txn: &impl ConnectionTrait, told: &KakaoUnlinked) -> Result<Option<UserId>> {
    let Some(found) = query::by_subject(txn, SocialProvider::Kakao, &told.subject).await? else { return Ok(None) };
    if found.linked_at.timestamp_micros() > told.at_micros {
        return Ok(None);
    }
    let user = match link::lock(txn, found.user_id).await {
        Ok(user) => user,
        Err(Error::Unauthenticated) => return Ok(None),
        Err(error) => return Err(error),
    };
    let has_other = user.password_hash.is_some() || query::of(txn, user.id).await?.len() > 1;
    if has_other {
        social_account::Entity::delete_by_id(found.id).exec(txn).await?;
        return Ok(None);
    }
    let bare = social_account::ActiveModel { email: Set(None), ..Default::default() };
    let this = social_account::Column::Id.eq(found.id);
    social_account::Entity::update_many().set(bare).filter(this).exec(txn).await?;
    Ok(Some(user.id))
}
