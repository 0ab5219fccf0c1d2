//! Closed sets of values, stored as words.

use sea_orm::entity::prelude::*;

/// Declares enums that are stored as their SCREAMING_SNAKE_CASE names.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, serde::Serialize, serde::Deserialize)]
        #[sea_orm(rs_type = "String", db_type = "String(StringLen::N(24))", rename_all = "SCREAMING_SNAKE_CASE")]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $name { $($variant),+ }
    )+};
}

words! {
    /// What a person may do.
    Role { User, Artist }
    /// Who made a change that is in the audit log: an admin, the command line, or a member to the own account.
    AuditActor { Admin, Cli, Themselves }
    /// Who vouches for a social sign-in.
    SocialProvider { Kakao, Naver }
    /// What kind of event it is.
    EventCategory { Art, Community, Concert, Movie, Music, Workshop }
    /// Stored state of an event; `ENDED` follows from the clock.
    EventStatus { Scheduled, Canceled }
    /// How long before the start.
    ReminderKind { OneDay, OneHour }
    /// How a coupon is locked when it is issued.
    CouponKind { Limited, Standard }
    /// How a coupon counts.
    DiscountKind { Fixed, Percent }
    /// Where a person's coupon is.
    UserCouponStatus { Available, Held, Used }
    /// Why points moved.
    PointEntryKind { Adjustment, Charge, GiveBack, Settlement, Spend }
    /// Where a booking stands.
    BookingStatus { Held, Confirmed, Canceling, Canceled, Expired }
    /// Whether a ticket opens the door.
    TicketStatus { Valid, Used, Canceled }
    /// What the money is for.
    PaymentPurpose { Booking, PointCharge }
    /// Where a payment stands.
    PaymentStatus { Pending, Ready, Approving, Approved, Canceling, Canceled, Failed, Expired }
    /// What a file belongs to.
    AttachmentOwnerKind { User, Event, Review }
    /// What a notification is about.
    NotificationKind { BookingCanceled, ChargeReturned, CouponIssued, EventCanceled, EventChanged, PaymentConfirmed, Reminder, SettlementPaid }
    /// Where a settlement run stands.
    SettlementRunStatus { Running, Finished }
}
