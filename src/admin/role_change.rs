//! `adminUserRoleChange`: a fan becomes an artist, or the other way round.
//!
//! Tokens carry the role, so all sessions of before end: at once, and again by a job of the same commit, so that neither a
//! crash nor a key-value store that is away leaves an old role at work. Publishing asks the row besides.

use super::{
    audit::{self, Actor, Change},
    reason,
};
use crate::{
    app::App,
    auth::session,
    error::{Code, Error, Problem, Result},
    infra::{
        jobs,
        jobs::{Job, Lane},
    },
    transaction,
    user::withdraw,
};
use chrono::{DateTime, Utc};
use entity::{
    enums::{EventStatus, Role},
    event,
    ids::UserId,
    user,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub async fn change(app: &App, by: Actor, id: UserId, role: Role, reason: &str) -> Result<user::Model> {
    let reason = reason::check(reason)?;
    let user = transaction!(app, txn => change_in(txn, app, by, id, role, &reason).await)?;
    let ended = session::end_before(app, &id.to_string(), app.clock.now()).await;
    if let Err(error) = ended {
        tracing::warn!(user = %id, %error, "the sessions are ended in the background");
    }
    Ok(user)
}

async fn change_in(
    txn: &impl ConnectionTrait,
    app: &App,
    by: Actor,
    id: UserId,
    role: Role,
    reason: &str,
) -> Result<user::Model> {
    let user = withdraw::lock(txn, id).await?.ok_or_else(|| Error::not_found(&["userId"]))?;
    if user.role == role {
        let (ko, en) = ("이미 그 역할입니다.", "That is their role already.");
        return Err(Problem::new(Code::NotAllowed, &["role"], ko, en).into());
    }
    let now = app.clock.now();
    if role == Role::User && has_open_events(txn, id, now).await? {
        let (ko, en) = ("끝나지 않은 이벤트가 있습니다.", "They have events that have not ended.");
        return Err(Problem::new(Code::NotAllowed, &["role"], ko, en).into());
    }
    let update = user::Entity::update_many().col_expr(user::Column::Role, Expr::value(role));
    update.filter(user::Column::Id.eq(id)).exec(txn).await?;
    let change = Change::new("user.role-change", "user", id)
        .before(json!({ "role": user.role }))
        .after(json!({ "role": role, "reason": reason }));
    audit::write(txn, app, by, change).await?;
    jobs::enqueue(txn, &app.ids, now, now, &EndOldSessions { user_id: id, before: now }).await?;
    Ok(user::Model { role, ..user })
}

async fn has_open_events(txn: &impl ConnectionTrait, artist: UserId, now: DateTime<Utc>) -> Result<bool> {
    use event::Column;
    let open = event::Entity::find()
        .filter(Column::ArtistId.eq(artist))
        .filter(Column::Status.eq(EventStatus::Scheduled))
        .filter(Column::EndsAt.gt(now));
    Ok(open.count(txn).await? > 0)
}

/// Ends what was begun before the change; what was begun since has the new role.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndOldSessions {
    user_id: UserId,
    before: DateTime<Utc>,
}

impl Job for EndOldSessions {
    const NAME: &'static str = "end_old_sessions";
    /// The key-value store may be another machine.
    const LANE: Lane = Lane::Outside;

    async fn run(self, app: &App) -> Result<()> {
        let ended = session::end_before(app, &self.user_id.to_string(), self.before).await;
        // Never parked: nothing is wrong with the job when the store is away.
        ended.map_err(|error| Error::Unavailable(error.to_string()))
    }
}
