//! The person goes, the records stay.

use super::{check, end_sessions::EndSessions, farewell::Farewell, forfeit};
use crate::{
    app::App,
    attachment::{self, Owner},
    auth::social::unlink,
    booking::hold,
    error::Result,
    event,
    infra::jobs,
    language::Language,
};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{booking, ids::UserId, user};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

/// Erases what says who it was, and sees to what follows from it: the picture's object is removed, the sessions end, the
/// index forgets the name, a letter says so. Answers the points that are forfeited now; while money is still on its way back,
/// none are, and a job waits for it.
///
/// The caller has locked the row, and has checked it or called everything off.
pub async fn erase(txn: &impl ConnectionTrait, app: &App, user: &user::Model) -> Result<i64> {
    let now = app.clock.now();
    fields(txn, user.id, now).await?;
    words(txn, user.id).await?;
    unlink::remove_all(txn, app, user.id).await?;
    attachment::remove::all_of(txn, app, Owner::User(user.id)).await?;
    event::index::renamed(txn, app, user.id).await?;
    if let Some(farewell) = Farewell::to(user) {
        jobs::enqueue(txn, &app.ids, now, now, &farewell).await?;
    }
    jobs::enqueue(txn, &app.ids, now, now, &EndSessions { user_id: user.id }).await?;
    if check::obstacles(txn, now, user.id).await?.has_open_money() {
        forfeit::later(txn, app, user.id).await?;
        return Ok(0);
    }
    forfeit::now(txn, app, user.id).await
}

/// What was said in passing, to a record that stays.
async fn words(txn: &impl ConnectionTrait, id: UserId) -> Result<()> {
    use booking::Column;
    booking::Entity::update_many()
        .col_expr(Column::CancelReason, Expr::value(None::<String>))
        .filter(Column::UserId.eq(id))
        .filter(Column::CancelReason.is_not_null())
        .exec(txn)
        .await?;
    Ok(())
}

/// The nickname is not null in the table: an empty one is nobody's, and the API says "withdrawn member" in its place.
async fn fields(txn: &impl ConnectionTrait, id: UserId, now: DateTime<Utc>) -> Result<()> {
    use user::Column;
    let none = || Expr::value(None::<String>);
    let erased = user::Entity::update_many()
        .col_expr(Column::Email, none())
        .col_expr(Column::PasswordHash, none())
        .col_expr(Column::Nickname, Expr::value(""))
        .col_expr(Column::BirthDate, Expr::value(None::<NaiveDate>))
        .col_expr(Column::PhoneNumber, none())
        .col_expr(Column::Location, none())
        .col_expr(Column::Language, Expr::value(Language::default().code()))
        .col_expr(Column::IsRemindedByMail, Expr::value(false))
        .col_expr(Column::WithdrawnAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::WithdrawnAt.is_null())
        .exec(txn)
        .await?;
    hold::one(erased.rows_affected, "a person erased")
}
