//! A provider's account linked to ours, by the provider's own subject.

use crate::enums::SocialProvider;
use crate::ids::{SocialAccountId, UserId};
use sea_orm::entity::prelude::*;

/// A row of `social_account`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "social_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SocialAccountId,
    pub user_id: UserId,
    pub provider: SocialProvider,
    /// The provider's stable id of the person.
    pub subject: String,
    /// Only if the provider says that it is verified.
    pub email: Option<String>,
    pub linked_at: DateTimeUtc,
}

/// Relations are read by batch queries, never by joins from here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
