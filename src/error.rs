//! The one door from failures to the API.
//!
//! A use case returns [`Result`]. What a person can mend is [`Error::Refused`] and ends in a payload's `userErrors`;
//! everything else is a top-level error. A [`Fault`] is ours: it is logged once, at the boundary, and masked.
//! Each domain keeps a small error enum of its own and maps it to a [`Problem`] with an exhaustive match.

use crate::user::withdraw::model::Obstacles;
use chrono::{DateTime, Utc};
use entity::ids::{EventId, InvalidId, TicketTypeId, UserCouponId};
use std::{borrow::Cow, time::Duration};

/// What use cases return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a refusal is called; the API's `UserErrorCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    AlreadyIssued,
    AmountChanged,
    BookingClosed,
    Busy,
    CodeExpired,
    CodeWrong,
    CouponExhausted,
    CouponUnusable,
    DuplicateSubmit,
    IdempotencyKeyReused,
    InsufficientPoints,
    Invalid,
    LimitExceeded,
    NotAllowed,
    NotCancelable,
    NotFound,
    OutOfRange,
    PaymentFailed,
    PaymentInDoubt,
    SecondFactorRequired,
    SignInNotRecent,
    SocialDenied,
    SocialExpired,
    SocialLinkRequired,
    SoldOut,
    Taken,
    TooLong,
    TooManyAttempts,
    TooShort,
    WithdrawalBlocked,
    WrongCredentials,
}

/// A sentence for people, in both languages of the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub ko: Cow<'static, str>,
    pub en: Cow<'static, str>,
}

impl Text {
    pub fn new(ko: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { ko: ko.into(), en: en.into() }
    }
}

/// What some refusals say beyond their sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum More {
    Nothing,
    SoldOut(Vec<TicketTypeId>),
    ExpectedTotal(i64),
    ExistingEvent(EventId),
    AlreadyIssued(UserCouponId),
    Obstacles(Box<Obstacles>),
    RetryAt(DateTime<Utc>),
}

/// One thing that the person who asked can mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    /// The input field, from the mutation's `input` down; empty if no single field is to blame.
    pub path: Vec<String>,
    pub text: Text,
    pub more: More,
}

impl Problem {
    pub fn new(code: Code, path: &[&str], ko: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        let path = path.iter().map(|step| (*step).to_owned()).collect();
        Self { code, path, text: Text::new(ko, en), more: More::Nothing }
    }

    #[must_use]
    pub fn with(mut self, more: More) -> Self {
        self.more = more;
        self
    }

    /// An id that is malformed, of another type, of nothing, or of something that the asker may not see: all alike.
    pub fn not_found(path: &[&str]) -> Self {
        Self::new(Code::NotFound, path, "찾을 수 없습니다.", "Not found.")
    }
}

/// Something of ours broke. Never shown to clients.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
    /// The database went away while it was asked to commit: it may have done so.
    #[error("database, at a commit: {0}")]
    CommitInDoubt(sea_orm::DbErr),
    #[error(transparent)]
    Kv(#[from] crate::infra::kv::KvError),
    /// The store did not answer to a write that cannot be read back: it may have been made.
    #[error("{0}, at a write")]
    StoreInDoubt(crate::infra::kv::KvError),
    #[error("search: {0}")]
    Search(String),
    /// Another request with the same idempotency key was a moment earlier; its answer is there to be read.
    #[error("the idempotency key was stored a moment ago")]
    Twin,
    /// Tried again it would end the same: somebody should look at it.
    #[error("{0}")]
    Hopeless(String),
    #[error("{0}")]
    Other(String),
}

/// Why a use case did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("refused: {0:?}")]
    Refused(Vec<Problem>),
    #[error("not signed in")]
    Unauthenticated,
    #[error("not allowed")]
    Forbidden,
    /// Something outside is away for the moment; nothing was changed.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Too many want it in this moment; nothing was changed. With how long to wait.
    #[error("busy for {0:?}")]
    Busy(Duration),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Error {
    /// A fault in words, where no library error stands behind it.
    pub fn fault(what: impl Into<String>) -> Self {
        Self::Fault(Fault::Other(what.into()))
    }

    /// Whether nothing is wrong but that somebody else is away for the moment.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Unavailable(_)
            | Self::Busy(_)
            | Self::Fault(Fault::CommitInDoubt(_) | Fault::Kv(_) | Fault::StoreInDoubt(_)) => true,
            Self::Fault(Fault::Database(error)) => crate::infra::db::is_lost(error),
            Self::Fault(_) | Self::Refused(_) | Self::Unauthenticated | Self::Forbidden => false,
        }
    }

    /// Whether trying again cannot help.
    pub const fn is_hopeless(&self) -> bool {
        matches!(self, Self::Fault(Fault::Hopeless(_)))
    }

    pub fn not_found(path: &[&str]) -> Self {
        Problem::not_found(path).into()
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(vec![problem])
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Fault(Fault::Database(error))
    }
}

impl From<crate::infra::kv::KvError> for Error {
    fn from(error: crate::infra::kv::KvError) -> Self {
        Self::Fault(Fault::Kv(error))
    }
}

impl From<crate::infra::search::SearchError> for Error {
    fn from(error: crate::infra::search::SearchError) -> Self {
        Self::Fault(Fault::Search(error.to_string()))
    }
}

impl From<InvalidId> for Error {
    fn from(_: InvalidId) -> Self {
        Self::not_found(&[])
    }
}

/// Collects every problem of an input, so that a person mends them all at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub fn add(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    pub fn add_if(&mut self, wrong: bool, problem: impl FnOnce() -> Problem) {
        if wrong {
            self.0.push(problem());
        }
    }

    /// The length of a text in characters, after it was trimmed.
    pub fn length(&mut self, path: &[&str], text: &str, least: usize, most: usize) {
        let length = text.trim().chars().count();
        if length < least {
            let (ko, en) = (format!("{least}자 이상 입력해 주세요."), format!("Enter at least {least} characters."));
            self.add(Problem::new(Code::TooShort, path, ko, en));
        } else if length > most {
            let (ko, en) = (format!("{most}자 이하로 입력해 주세요."), format!("Enter at most {most} characters."));
            self.add(Problem::new(Code::TooLong, path, ko, en));
        }
    }

    pub fn range(&mut self, path: &[&str], value: i64, least: i64, most: i64) {
        self.add_if(value < least || value > most, || {
            let ko = format!("{least} 이상 {most} 이하여야 합니다.");
            Problem::new(Code::OutOfRange, path, ko, format!("Must be from {least} to {most}."))
        });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Err` with all of them, if there are any.
    pub fn check(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Refused(self.0)) }
    }
}
