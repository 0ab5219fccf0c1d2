//! Somebody ended the link on Kakao's side. The answer to Kakao does not wait for what follows: a job does it.
//!
//! Every session from before ends: nobody can tell which of them Kakao vouched for, and it no longer does. With another way
//! in, the link goes. If it was the last way in, the link stays without its email: who agrees again at Kakao is the same
//! person there, and comes back to their tickets and not to an empty account.

use super::{link, link_letter, query, unlink};
use crate::{
    app::App,
    auth::session,
    error::{Error, Result},
    infra::jobs::{self, Job, Lane},
    transaction,
};
use chrono::{DateTime, Utc};
use entity::{enums::SocialProvider, social_account};
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
        let Some(found) = query::by_subject(app.db.reads(), SocialProvider::Kakao, &self.subject).await? else {
            return Ok(());
        };
        if found.linked_at > self.at() {
            return Ok(());
        }
        // First, so that a crash in between leaves a link by which this is found again. Who signed in since Kakao said so
        // did it some other way, or agreed anew.
        session::end_before(app, &found.user_id.to_string(), self.at()).await?;
        transaction!(app, txn => let_go(txn, app, &self).await)
    }
}

impl KakaoUnlinked {
    fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.at_micros).unwrap_or_default()
    }
}

async fn let_go(txn: &impl ConnectionTrait, app: &App, told: &KakaoUnlinked) -> Result<()> {
    let Some(found) = query::by_subject(txn, SocialProvider::Kakao, &told.subject).await? else { return Ok(()) };
    if found.linked_at > told.at() {
        return Ok(());
    }
    let user = match link::lock(txn, found.user_id).await {
        Ok(user) => user,
        Err(Error::Unauthenticated) => return Ok(()),
        Err(error) => return Err(error),
    };
    let links = query::of(txn, user.id).await?;
    if unlink::has_other_way(app, &user, &links, SocialProvider::Kakao) {
        social_account::Entity::delete_by_id(found.id).exec(txn).await?;
        return link_letter::enqueue(txn, app, user.id, SocialProvider::Kakao, false).await;
    }
    let bare = social_account::ActiveModel { email: Set(None), ..Default::default() };
    let this = social_account::Column::Id.eq(found.id);
    social_account::Entity::update_many().set(bare).filter(this).exec(txn).await?;
    Ok(())
}
