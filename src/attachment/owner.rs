//! Who may change an owner's files: who may edit the owner.

use super::model::Owner;
use crate::{
    error::{Code, Error, Problem, Result},
    user::{query as user_query, viewer::Buyer},
};
use entity::{enums::EventStatus, event, review, user};
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect};

/// Locks the owner, so that its files are changed one after the other. `path` is the input field to blame.
pub async fn own(txn: &impl ConnectionTrait, buyer: Buyer, owner: Owner, path: &[&str]) -> Result<()> {
    if !matches!(owner, Owner::User(_)) {
        // Who has left has no events and no reviews, whatever the token says; one's own row is looked at below.
        user_query::lock_present(txn, buyer.id()).await?;
    }
    let is_own = match owner {
        Owner::Event(id) => {
            let row = event::Entity::find_by_id(id).lock_exclusive().one(txn).await?;
            let row = row.filter(|row| row.artist_id == buyer.id() && row.removed_at.is_none());
            if row.as_ref().is_some_and(|row| row.status == EventStatus::Canceled) {
                let ko = "취소된 이벤트입니다.";
                return Err(Problem::new(Code::NotAllowed, path, ko, "The event is canceled.").into());
            }
            row.is_some()
        }
        Owner::Review(id) => {
            let row = review::Entity::find_by_id(id).lock_exclusive().one(txn).await?;
            row.is_some_and(|row| row.user_id == buyer.id())
        }
        Owner::User(id) => {
            let row = user::Entity::find_by_id(id).lock_exclusive().one(txn).await?;
            row.is_some_and(|row| row.id == buyer.id() && row.withdrawn_at.is_none())
        }
    };
    if is_own { Ok(()) } else { Err(Error::not_found(path)) }
}
