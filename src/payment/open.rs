//! The intent: whatever happens next, this row says that money was to be taken.

use super::purpose::Purpose;
use crate::app::App;
use entity::{
    enums::{PaymentPurpose, PaymentStatus},
    ids::UserId,
    payment::Model,
};

/// A new payment, to be written in the transaction of its cause.
pub fn open(app: &App, user_id: UserId, purpose: Purpose, amount: i64, return_url: Option<String>) -> Model {
    let now = app.clock.now();
    let (purpose, booking_id) = match purpose {
        Purpose::Booking(id) => (PaymentPurpose::Booking, Some(id)),
        Purpose::PointCharge => (PaymentPurpose::PointCharge, None),
    };
    Model {
        id: app.ids.next(),
        purpose,
        user_id,
        booking_id,
        status: PaymentStatus::Pending,
        amount,
        taken_amount: None,
        canceled_amount: 0,
        tid: None,
        pc_url: None,
        mobile_url: None,
        app_url: None,
        return_url,
        failure: None,
        created_at: now,
        changed_at: now,
        approved_at: None,
        canceled_at: None,
    }
}
