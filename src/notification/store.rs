//! Writes the rows, then rings.

use crate::{app::App, error::Result, transaction};
use entity::{
    enums::NotificationKind,
    ids::{EventId, UserId},
    notification, user,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// How many people one transaction serves.
const CHUNK: usize = 200;

/// What is told.
#[derive(Clone, Debug)]
pub struct News {
    pub kind: NotificationKind,
    /// With the kind, what makes it happen once for each person.
    pub subject: String,
    pub event_id: Option<EventId>,
    pub facts: Facts,
}

/// What the sentence is made of, in the reader's language.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    pub event_title: String,
    pub venue: String,
    pub starts_at: chrono::DateTime<chrono::Utc>,
    /// Won that were paid or returned.
    pub amount: i64,
}

impl Facts {
    pub fn of(event: &entity::event::Model, amount: i64) -> Self {
        Self { event_title: event.title.clone(), venue: event.venue_name.clone(), starts_at: event.starts_at, amount }
    }
}

/// Tells each of these people, once, however often it is called.
pub async fn tell(app: &App, users: &[UserId], news: &News) -> Result<()> {
    // In one order everywhere, so that two bulks do not wait for each other in a circle.
    let mut users: Vec<UserId> = users.to_vec();
    users.sort_unstable();
    users.dedup();
    for chunk in users.chunks(CHUNK) {
        transaction!(app, txn => write(txn, app, chunk, news).await)?;
        app.hub.ring(chunk);
    }
    Ok(())
}

async fn write(txn: &impl ConnectionTrait, app: &App, users: &[UserId], news: &News) -> Result<()> {
    use notification::Column;
    let told: HashSet<UserId> = notification::Entity::find()
        .filter(Column::UserId.is_in(users.iter().copied()))
        .filter(Column::Kind.eq(news.kind))
        .filter(Column::Subject.eq(&news.subject))
        .all(txn)
        .await?
        .into_iter()
        .map(|row| row.user_id)
        .collect();
    let fresh: Vec<UserId> = users.iter().copied().filter(|user| !told.contains(user)).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    user::Entity::update_many()
        .col_expr(user::Column::NotificationCount, Expr::col(user::Column::NotificationCount).add(1))
        .filter(user::Column::Id.is_in(fresh.iter().copied()))
        .exec(txn)
        .await?;
    let data = serde_json::to_string(&news.facts).map_err(|error| crate::Error::fault(error.to_string()))?;
    let counts = user::Entity::find().filter(user::Column::Id.is_in(fresh)).all(txn).await?;
    let rows = counts.into_iter().map(|user| {
        let row = notification::Model {
            id: app.ids.next(),
            user_id: user.id,
            seq: user.notification_count,
            kind: news.kind,
            subject: news.subject.clone(),
            event_id: news.event_id,
            data: data.clone(),
            created_at: app.clock.now(),
            read_at: None,
        };
        notification::ActiveModel::from(row).reset_all()
    });
    notification::Entity::insert_many(rows).exec_without_returning(txn).await?;
    Ok(())
}
