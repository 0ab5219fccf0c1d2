//! Reads of people.

use crate::{
    error::{Error, Result},
    infra::db::padded,
};
use entity::{enums::Role, ids::UserId, user};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::SelectStatement,
};
use std::collections::{BTreeSet, HashMap};

pub async fn by_id(db: &impl ConnectionTrait, id: UserId) -> Result<Option<user::Model>> {
    Ok(user::Entity::find_by_id(id).one(db).await?)
}

pub async fn by_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<user::Model>> {
    Ok(user::Entity::find().filter(user::Column::Email.eq(email)).one(db).await?)
}

pub async fn by_ids(db: &impl ConnectionTrait, ids: &[UserId]) -> Result<HashMap<UserId, user::Model>> {
    let rows = user::Entity::find().filter(user::Column::Id.is_in(ids.iter().copied())).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// First in every transaction in which a person begins something: a token may outlive its account by minutes while the
/// key-value store is away. Shared, so that one's own writes do not wait for each other, and a withdrawal waits for them
/// all; before every other row where that can be done (late money, `booking/hold_again`, begins with the booking), so
/// that nobody who has one waits for the other.
pub async fn lock_present(txn: &impl ConnectionTrait, id: UserId) -> Result<()> {
    let row = user::Entity::find_by_id(id).lock_shared().one(txn).await?;
    if row.is_some_and(|row| row.withdrawn_at.is_none()) { Ok(()) } else { Err(Error::Unauthenticated) }
}

/// The same for many at once, locked in one order: asks for the ids of those who are there.
pub fn select_present(ids: BTreeSet<UserId>) -> SelectStatement {
    let select = user::Entity::find().select_only().column(user::Column::Id);
    let select = select.filter(user::Column::Id.is_in(padded(ids))).filter(user::Column::WithdrawnAt.is_null());
    select.order_by_asc(user::Column::Id).lock_shared().into_query()
}

/// Asks how many of them are there.
pub fn count_present(ids: &BTreeSet<UserId>) -> SelectStatement {
    let select = user::Entity::find().select_only().expr(user::Column::Id.count());
    let select = select.filter(user::Column::Id.is_in(padded(ids.iter().copied())));
    select.filter(user::Column::WithdrawnAt.is_null()).into_query()
}

/// The same in which an artist publishes: the token may still say what an admin has changed since.
pub async fn lock_artist(txn: &impl ConnectionTrait, id: UserId) -> Result<()> {
    let row = user::Entity::find_by_id(id).lock_shared().one(txn).await?;
    match row.filter(|row| row.withdrawn_at.is_none()) {
        Some(row) if row.role == Role::Artist => Ok(()),
        Some(_) => Err(Error::Forbidden),
        None => Err(Error::Unauthenticated),
    }
}
