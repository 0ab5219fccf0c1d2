//! Permission is a type: the only place where a [`Buyer`] or an [`Artist`] can be made. A use case asks for the
//! one that it needs.

use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::{
    enums::Role,
    ids::{AdminId, UserId},
};

/// Who is asking.
#[derive(Clone, Debug, Default)]
pub enum Viewer {
    #[default]
    Visitor,
    Member(Member),
    Admin(AdminSession),
}

/// Somebody with a valid admin token: no member, and none of a member's doors opens.
#[derive(Clone, Debug)]
pub struct AdminSession {
    pub id: AdminId,
    pub token: Token,
}

/// Somebody with a valid access token.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: UserId,
    pub role: Role,
    pub token: Token,
}

/// The access token that was shown. It outlives the request on sockets and streams, and is asked about again there.
#[derive(Clone, Debug)]
pub struct Token {
    /// That of its refresh token: what signing out revokes.
    pub family: String,
    /// In microseconds since 1970, as it says itself.
    pub issued_at: i64,
    pub expires_at: DateTime<Utc>,
}

/// May book, pay, cancel, review: every member may.
#[derive(Clone, Copy, Debug)]
pub struct Buyer(UserId);

/// May publish and run own events.
#[derive(Clone, Copy, Debug)]
pub struct Artist(UserId);

/// May look at everything, and keeps order.
#[derive(Clone, Copy, Debug)]
pub struct Admin(AdminId);

impl Admin {
    pub const fn id(self) -> AdminId {
        self.0
    }
}

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
            Self::Visitor | Self::Admin(_) => None,
        }
    }

    /// Whose spending and streams are counted together; `None` for a visitor.
    pub fn account(&self) -> Option<String> {
        match self {
            Self::Visitor => None,
            Self::Member(member) => Some(member.id.to_string()),
            Self::Admin(admin) => Some(admin.id.to_string()),
        }
    }

    pub const fn token(&self) -> Option<&Token> {
        match self {
            Self::Visitor => None,
            Self::Member(member) => Some(&member.token),
            Self::Admin(admin) => Some(&admin.token),
        }
    }

    pub const fn admin(&self) -> Result<Admin> {
        match self {
            Self::Admin(admin) => Ok(Admin(admin.id)),
            Self::Member(_) => Err(Error::Forbidden),
            Self::Visitor => Err(Error::Unauthenticated),
        }
    }

    pub const fn buyer(&self) -> Result<Buyer> {
        match self {
            Self::Member(member) => Ok(Buyer(member.id)),
            Self::Admin(_) => Err(Error::Forbidden),
            Self::Visitor => Err(Error::Unauthenticated),
        }
    }

    pub const fn artist(&self) -> Result<Artist> {
        match self {
            Self::Member(Member { id, role: Role::Artist, .. }) => Ok(Artist(*id)),
            Self::Member(_) | Self::Admin(_) => Err(Error::Forbidden),
            Self::Visitor => Err(Error::Unauthenticated),
        }
    }
}
