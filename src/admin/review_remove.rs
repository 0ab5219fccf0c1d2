//! `adminReviewRemove`: the review, its likes and its files go; the event's rating is what the other reviews make of it.

use super::{
    audit::{self, Actor, Change},
    reason,
};
use crate::{
    app::App,
    attachment::{self, Owner},
    booking::hold,
    error::{Error, Result},
    transaction,
};
use entity::{event, ids::ReviewId, review, review_like};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;

/// Answers what it was.
pub async fn remove(app: &App, by: Actor, id: ReviewId, reason: &str) -> Result<review::Model> {
    let reason = reason::check(reason)?;
    transaction!(app, txn => remove_in(txn, app, by, id, &reason).await)
}

async fn remove_in(
    txn: &impl ConnectionTrait,
    app: &App,
    by: Actor,
    id: ReviewId,
    reason: &str,
) -> Result<review::Model> {
    let missing = || Error::not_found(&["reviewId"]);
    // The event first: in the order in which everything else locks.
    let peek = review::Entity::find_by_id(id).one(txn).await?.ok_or_else(missing)?;
    event::Entity::find_by_id(peek.event_id).lock_exclusive().one(txn).await?;
    let row = review::Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or_else(missing)?;
    let likes = review_like::Entity::delete_many().filter(review_like::Column::ReviewId.eq(id));
    likes.exec(txn).await?;
    attachment::remove::all_of(txn, app, Owner::Review(id)).await?;
    let gone = review::Entity::delete_by_id(id).exec(txn).await?;
    hold::one(gone.rows_affected, "a review removed")?;
    uncount(txn, &row).await?;
    // Not its text: that may be what it was removed for, and personal.
    let before =
        json!({ "eventId": row.event_id.to_string(), "authorId": row.user_id.to_string(), "rating": row.rating });
    let change = Change::new("review.remove", "review", id).before(before);
    audit::write(txn, app, by, change.after(json!({ "isRemoved": true, "reason": reason }))).await?;
    Ok(row)
}

/// Guarded: a rating is never taken out twice.
async fn uncount(txn: &impl ConnectionTrait, row: &review::Model) -> Result<()> {
    use event::Column;
    let rating = i64::from(row.rating);
    let event = event::Entity::update_many()
        .col_expr(Column::RatingSum, Expr::col(Column::RatingSum).sub(rating))
        .col_expr(Column::ReviewCount, Expr::col(Column::ReviewCount).sub(1))
        .filter(Column::Id.eq(row.event_id))
        .filter(Column::ReviewCount.gt(0))
        .filter(Column::RatingSum.gte(rating))
        .exec(txn)
        .await?;
    hold::one(event.rows_affected, "a rating taken out")
}
