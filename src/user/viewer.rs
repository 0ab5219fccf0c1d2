//! Permission is a type: the only place where a [`Buyer`] or an [`Artist`] can be made. A use case asks for the
//! one that it needs.

use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::{enums::Role, ids::UserId};

/// Who is asking.
#[derive(Clone, Debug, Default)]
pub enum Viewer {
    #[default]
    Visitor,
    Member(Member),
}

/// Somebody with a valid access token.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: UserId,
    pub role: Role,
    /// The token's own id, and the family of its refresh token: what signing out revokes.
    pub token_id: String,
    pub family: String,
    pub expires_at: DateTime<Utc>,
}

/// May book, pay, cancel, review: every member may.
#[derive(Clone, Copy, Debug)]
pub struct Buyer(UserId);

/// May publish and run own events.
#[derive(Clone, Copy, Debug)]
pub struct Artist(UserId);

impl Buyer {
    pub const fn id(self) -> UserId {
        self.0
    }
}

impl Artist {
    pub const fn id(self) -> UserId {
        self.0
    }
}

impl Viewer {
    pub const fn member(&self) -> Option<&Member> {
        match self {
            Self::Member(member) => Some(member),
            Self::Visitor => None,
        }
    }

    pub fn buyer(&self) -> Result<Buyer> {
        self.member().map(|member| Buyer(member.id)).ok_or(Error::Unauthenticated)
    }

    pub fn artist(&self) -> Result<Artist> {
        match self.member() {
            None => Err(Error::Unauthenticated),
            Some(member) => match member.role {
                Role::Artist => Ok(Artist(member.id)),
                Role::User => Err(Error::Forbidden),
            },
        }
    }
}
