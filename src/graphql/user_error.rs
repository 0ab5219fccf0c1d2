//! `userErrors`: refusals that the caller can mend.

use crate::{
    booking,
    booking::graphql::BookingNode,
    error::{Code, More, Problem},
    event,
    event::graphql::{EventNode, TicketTypeNode},
    graphql::ctx::Ctx,
    language::Language,
    payment,
    payment::graphql::PaymentNode,
    user::withdraw::model::Obstacles,
};
use async_graphql::{Context, Enum, ID, Interface, Object};
use chrono::{DateTime, Utc};
use entity::ids::{EventId, TicketTypeId};

/// What a refusal is called. The message says it to people; programs go by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Code")]
pub enum UserErrorCode {
    /// One has it already; it is one for each person.
    AlreadyIssued,
    /// The total is not the one that the client expected.
    AmountChanged,
    /// Outside the booking window, or the event is canceled.
    BookingClosed,
    /// Too many ask at once: try again in a moment.
    Busy,
    /// There is no such code any more: ask for a new one.
    CodeExpired,
    /// The code is not the one that was sent.
    CodeWrong,
    /// No coupon of this kind is left.
    CouponExhausted,
    /// The coupon does not fit this booking, or was used.
    CouponUnusable,
    /// The same was submitted a moment ago.
    DuplicateSubmit,
    /// The idempotency key was used for something else.
    IdempotencyKeyReused,
    /// Fewer points than that.
    InsufficientPoints,
    /// Not of the form that is due.
    Invalid,
    /// More than one person may have.
    LimitExceeded,
    /// The rules forbid it in this state.
    NotAllowed,
    /// The time for canceling is over.
    NotCancelable,
    /// No such thing, or not yours to see.
    NotFound,
    /// Too small or too large.
    OutOfRange,
    /// The payment was refused, or given up.
    PaymentFailed,
    /// It is not known yet whether the payment went through; it is being found out.
    PaymentInDoubt,
    /// The password is right; now a code of the second factor is due.
    SecondFactorRequired,
    /// The sign-in was too long ago for this: sign in again.
    SignInNotRecent,
    /// The person said no on the provider's page.
    SocialDenied,
    /// The way through the provider's page took too long, was used before, or began in another browser: begin again.
    SocialExpired,
    /// The verified email belongs to an account: sign in to it, then link.
    SocialLinkRequired,
    /// Not that many seats are left.
    SoldOut,
    /// Somebody has it already.
    Taken,
    /// Too many characters or items.
    TooLong,
    /// Too often in a short time.
    TooManyAttempts,
    /// Too few characters or items.
    TooShort,
    /// Something of the account's is still open.
    WithdrawalBlocked,
    /// Email and password, or the token, do not fit.
    WrongCredentials,
}

/// Something that the caller can mend.
#[derive(Interface)]
#[graphql(
    field(name = "code", ty = "UserErrorCode", desc = "What programs go by."),
    field(name = "message", ty = "String", desc = "For people: Korean, or English by `Accept-Language`."),
    field(
        name = "path",
        ty = "Option<Vec<String>>",
        desc = "The input field to blame, from `input` down; null if none."
    )
)]
pub enum UserError {
    Input(InputError),
    SoldOut(SoldOutError),
    AmountChanged(AmountChangedError),
    DuplicateSubmit(DuplicateSubmitError),
    AlreadyIssued(AlreadyIssuedError),
    TooManyAttempts(TooManyAttemptsError),
    WithdrawalBlocked(WithdrawalBlockedError),
}

/// A refusal with nothing more to say.
pub struct InputError {
    common: Common,
}

#[derive(Clone)]
struct Common {
    code: UserErrorCode,
    message: String,
    path: Option<Vec<String>>,
}

/// Not enough seats are left.
pub struct SoldOutError {
    common: Common,
    ids: Vec<TicketTypeId>,
}

/// The total differs from the one that was expected.
pub struct AmountChangedError {
    common: Common,
    expected_total: i64,
}

/// The same event was submitted a moment ago.
pub struct DuplicateSubmitError {
    common: Common,
    existing: ID,
}

/// One has this coupon already.
pub struct AlreadyIssuedError {
    common: Common,
    own: ID,
}

/// Too often in a short time.
pub struct TooManyAttemptsError {
    common: Common,
    retry_at: DateTime<Utc>,
}

/// The account cannot be closed while this is open.
pub struct WithdrawalBlockedError {
    common: Common,
    obstacles: Box<Obstacles>,
}

/// A refusal with nothing more to say.
#[Object]
impl InputError {
    /// What programs go by.
    async fn code(&self) -> UserErrorCode {
        self.common.code
    }
    /// For people: Korean, or English by `Accept-Language`.
    async fn message(&self) -> String {
        self.common.message.clone()
    }
    /// The input field to blame, from `input` down; null if none.
    async fn path(&self) -> Option<Vec<String>> {
        self.common.path.clone()
    }
}

/// Not enough seats are left.
#[Object]
impl SoldOutError {
    /// What programs go by.
    async fn code(&self) -> UserErrorCode {
        self.common.code
    }
    /// For people: Korean, or English by `Accept-Language`.
    async fn message(&self) -> String {
        self.common.message.clone()
    }
    /// The input field to blame, from `input` down; null if none.
    async fn path(&self) -> Option<Vec<String>> {
        self.common.path.clone()
    }
    /// The ticket types that do not have enough left, with what is left now.
    async fn ticket_types(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<TicketTypeNode>> {
        let rows = event::query::ticket_types_by_ids(ctx.app().db.reads(), &self.ids).await?;
        Ok(rows.into_iter().map(TicketTypeNode).collect())
    }
}

/// The total differs from the one that was expected.
#[Object]
impl AmountChangedError {
    /// What programs go by.
    async fn code(&self) -> UserErrorCode {
        self.common.code
    }
    /// For people: Korean, or English by `Accept-Language`.
    async fn message(&self) -> String {
        self.common.message.clone()
    }
    /// The input field to blame, from `input` down; null if none.
    async fn path(&self) -> Option<Vec<String>> {
        self.common.path.clone()
    }
    /// What the total is now.
    async fn expected_total(&self) -> super::scalars::Won {
        super::scalars::Won(self.expected_total)
    }
}

/// The same event was submitted a moment ago.
#[Object]
impl DuplicateSubmitError {
    /// What programs go by.
    async fn code(&self) -> UserErrorCode {
        self.common.code
    }
    /// For people: Korean, or English by `Accept-Language`.
    async fn message(&self) -> String {
        self.common.message.clone()
    }
    /// The input field to blame, from `input` down; null if none.
    async fn path(&self) -> Option<Vec<String>> {
        self.common.path.clone()
    }
    /// The event that the first submit made.
    async fn existing_event_id(&self) -> ID {
        self.existing.clone()
    }
}

/// One has this coupon already.
#[Object]
impl AlreadyIssuedError {
    /// What programs go by.
    async fn code(&self) -> UserErrorCode {
        self.common.code
    }
    /// For people: Korean, or English by `Accept-Language`.
    async fn message(&self) -> String {
        self.common.message.clone()
    }
    /// The input field to blame, from `input` down; null if none.
    async fn path(&self) -> Option<Vec<String>> {
        self.common.path.clone()
    }
    /// The one that is in one's hands, as `userCoupons` has it.
    async fn user_coupon_id(&self) -> ID {
        self.own.clone()
    }
}

/// Too often in a short time.
#[Object]
impl TooManyAttemptsError {
    /// What programs go by.
    async fn code(&self) -> UserErrorCode {
        self.common.code
    }
    /// For people: Korean, or English by `Accept-Language`.
    async fn message(&self) -> String {
        self.common.message.clone()
    }
    /// The input field to blame, from `input` down; null if none.
    async fn path(&self) -> Option<Vec<String>> {
        self.common.path.clone()
    }
    /// When it may be tried again.
    async fn retry_at(&self) -> DateTime<Utc> {
        self.retry_at
    }
}

/// The account cannot be closed while this is open; of each kind the first hundred.
#[Object]
impl WithdrawalBlockedError {
    /// What programs go by.
    async fn code(&self) -> UserErrorCode {
        self.common.code
    }
    /// For people: Korean, or English by `Accept-Language`.
    async fn message(&self) -> String {
        self.common.message.clone()
    }
    /// The input field to blame, from `input` down; null if none.
    async fn path(&self) -> Option<Vec<String>> {
        self.common.path.clone()
    }
    /// Bookings that are held, being refunded, or have valid tickets to an event that has not ended.
    async fn bookings(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<BookingNode>> {
        let rows = booking::query::by_ids(ctx.app().db.reads(), &self.obstacles.bookings).await?;
        Ok(rows.into_iter().map(BookingNode).collect())
    }
    /// Other payments that are neither done nor undone.
    async fn payments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<PaymentNode>> {
        let rows = payment::query::by_ids(ctx.app().db.reads(), &self.obstacles.payments).await?;
        Ok(rows.into_iter().map(PaymentNode).collect())
    }
    /// The artist's own events that have not ended.
    async fn open_events(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<EventNode>> {
        events(ctx, &self.obstacles.open_events).await
    }
    /// The artist's own events that have ended and are not settled yet.
    async fn unsettled_events(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<EventNode>> {
        events(ctx, &self.obstacles.unsettled_events).await
    }
}

/// In the order of the ids.
async fn events(ctx: &Context<'_>, ids: &[EventId]) -> async_graphql::Result<Vec<EventNode>> {
    let mut rows = event::query::by_ids(ctx.app().db.reads(), ids).await?;
    Ok(ids.iter().filter_map(|id| rows.remove(id)).map(EventNode).collect())
}

impl UserError {
    pub fn of(problem: Problem, language: Language) -> Self {
        let message = language.of(&problem.text).to_owned();
        let path = (!problem.path.is_empty()).then_some(problem.path);
        let common = Common { code: problem.code.into(), message, path };
        match problem.more {
            More::Nothing => Self::Input(InputError { common }),
            More::SoldOut(ids) => Self::SoldOut(SoldOutError { common, ids }),
            More::AlreadyIssued(id) => Self::AlreadyIssued(AlreadyIssuedError { common, own: ID(id.to_string()) }),
            More::ExpectedTotal(expected_total) => Self::AmountChanged(AmountChangedError { common, expected_total }),
            More::RetryAt(retry_at) => Self::TooManyAttempts(TooManyAttemptsError { common, retry_at }),
            More::Obstacles(obstacles) => Self::WithdrawalBlocked(WithdrawalBlockedError { common, obstacles }),
            More::ExistingEvent(id) => {
                Self::DuplicateSubmit(DuplicateSubmitError { common, existing: ID(id.to_string()) })
            }
        }
    }
}
