//! Typed ids: a booking's id where an event's is due does not compile, and does not parse.
//!
//! On the wire an id is a TypeID: a prefix that names its type, `_`, and the UUID in 26 characters of Crockford's
//! base32 (<https://github.com/jetify-com/typeid>). Ids are UUIDv7, so they sort by the time of their making;
//! that is not the order of commits, and nothing may rely on it to see every row.

use crate::typeid;
use uuid::Uuid;

/// What every typed id can do.
pub trait TypedId: Copy + From<Uuid> {
    /// What the id begins with on the wire.
    const PREFIX: &'static str;
    /// The id without its type.
    fn uuid(self) -> Uuid;
}

/// A text that is not an id of the type that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId {
    /// The prefix that the id should have.
    pub expected: &'static str,
}

impl std::fmt::Display for InvalidId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not an id of the form {}_…", self.expected)
    }
}

impl std::error::Error for InvalidId {}

macro_rules! typed_ids {
    ($($name:ident = $prefix:literal, $what:literal;)+) => {$(
        #[doc = concat!("The id of ", $what, ": `", $prefix, "_…`.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sea_orm::DeriveValueType, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&typeid::encode($prefix, self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                typeid::decode($prefix, text).map(Self).ok_or(InvalidId { expected: $prefix })
            }
        }

        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )+};
}

typed_ids! {
    UserId = "usr", "a row of `user`";
    SocialAccountId = "soc", "a row of `social_account`";
    AdminId = "adm", "a row of `admin`";
    AuditLogId = "aud", "a row of `audit_log`";
    EventId = "evt", "a row of `event`";
    TicketTypeId = "ttp", "a row of `ticket_type`";
    ReminderId = "rmd", "a row of `reminder`";
    CouponId = "cpn", "a row of `coupon`";
    UserCouponId = "ucp", "a row of `user_coupon`";
    PointEntryId = "pte", "a row of `point_entry`";
    BookingId = "bkg", "a row of `booking`";
    TicketId = "tkt", "a row of `ticket`";
    PaymentId = "pay", "a row of `payment`";
    PaymentEventId = "pev", "a row of `payment_event`";
    ReviewId = "rev", "a row of `review`";
    AttachmentId = "att", "a row of `attachment`";
    NotificationId = "ntf", "a row of `notification`";
    SettlementId = "stl", "a row of `settlement`";
    SettlementRunId = "srn", "a row of `settlement_run`";
    JobId = "job", "a row of `job`";
    AnyId = "any", "anything that can own a file";
}
