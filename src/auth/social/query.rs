//! Reads of links.

use crate::error::Result;
use entity::{enums::SocialProvider, ids::UserId, social_account};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

/// A person's links, in the order of the providers' names.
pub async fn of(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<social_account::Model>> {
    let found = social_account::Entity::find().filter(social_account::Column::UserId.eq(user));
    Ok(found.order_by_asc(social_account::Column::Provider).all(db).await?)
}

pub async fn by_subject(
    db: &impl ConnectionTrait,
    provider: SocialProvider,
    subject: &str,
) -> Result<Option<social_account::Model>> {
    let found = social_account::Entity::find()
        .filter(social_account::Column::Provider.eq(provider))
        .filter(social_account::Column::Subject.eq(subject));
    Ok(found.one(db).await?)
}
