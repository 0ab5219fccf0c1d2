//! States and prices of a booking: pure.

use chrono::{DateTime, Utc};
use entity::{
    booking,
    enums::{BookingStatus, DiscountKind},
    event,
};

/// What can happen to a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Paid, or nothing to pay.
    Confirm,
    /// The hold is over: out of time, given up, or the payment failed.
    Lapse,
    /// The holder or the artist calls it off; the money is on its way back.
    BeginCancel,
    /// The money is back.
    FinishCancel,
    /// Money came after the hold had lapsed, and the seats were still there.
    Revive,
}

/// Where a step leads; `None` if it does not lead anywhere from here.
pub fn transition(status: BookingStatus, step: Step) -> Option<BookingStatus> {
    use BookingStatus::{Canceled, Canceling, Confirmed, Expired, Held};
    match status {
        Held => match step {
            Step::Confirm => Some(Confirmed),
            Step::Lapse => Some(Expired),
            Step::BeginCancel | Step::FinishCancel | Step::Revive => None,
        },
        Confirmed => match step {
            Step::BeginCancel => Some(Canceling),
            Step::Confirm | Step::Lapse | Step::FinishCancel | Step::Revive => None,
        },
        Canceling => match step {
            Step::FinishCancel => Some(Canceled),
            Step::Confirm | Step::Lapse | Step::BeginCancel | Step::Revive => None,
        },
        Expired => match step {
            Step::Revive => Some(Confirmed),
            Step::Confirm | Step::Lapse | Step::BeginCancel | Step::FinishCancel => None,
        },
        Canceled => match step {
            Step::Confirm | Step::Lapse | Step::BeginCancel | Step::FinishCancel | Step::Revive => None,
        },
    }
}

/// Whether the event was moved after this was booked: for another time than it is now.
pub fn was_moved(booking: &booking::Model, event: &event::Model) -> bool {
    event.starts_moved_at.is_some_and(|moved_at| booking.created_at <= moved_at)
}

/// Whether its fan may still give it back for all of the money: in the event's time for it, and who booked it for another
/// time until the new start.
pub fn may_cancel(booking: &booking::Model, event: &event::Model, now: DateTime<Utc>) -> bool {
    now <= event.cancelable_until || (was_moved(booking, event) && now < event.starts_at)
}

/// How a coupon counts.
#[derive(Clone, Copy, Debug)]
pub struct Discount {
    pub kind: DiscountKind,
    pub value: i64,
    pub cap: Option<i64>,
}

/// What a booking costs and what pays for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    pub original: i64,
    pub coupon: i64,
    pub points: i64,
    pub due: i64,
}

/// `None` if the sum does not fit: refused, never wrapped.
pub fn original(lines: impl Iterator<Item = (i64, i32)>) -> Option<i64> {
    lines.into_iter().try_fold(0_i64, |sum, (price, quantity)| sum.checked_add(price.checked_mul(i64::from(quantity))?))
}

/// Coupon and points are cut to what is due; what is due never falls below 0.
pub fn price(original: i64, discount: Option<Discount>, points: i64) -> Price {
    let coupon = discount.map_or(0, |discount| discount.on(original));
    let points = points.clamp(0, original - coupon);
    Price { original, coupon, points, due: original - coupon - points }
}

impl Discount {
    fn on(self, original: i64) -> i64 {
        let whole = match self.kind {
            DiscountKind::Fixed => self.value,
            // Rounded down to a whole won; i128, so that no product overflows.
            DiscountKind::Percent => {
                let product = i128::from(original) * i128::from(self.value) / 100;
                i64::try_from(product).unwrap_or(original)
            }
        };
        whole.min(self.cap.unwrap_or(i64::MAX)).clamp(0, original)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_parts_always_add_up(
            original in 0..=1_000_000_000_i64, value in 0..=2_000_000_000_i64, is_percent: bool,
            cap in proptest::option::of(0..=1_000_000_i64), points in -5..=2_000_000_000_i64,
        ) {
            let kind = if is_percent { DiscountKind::Percent } else { DiscountKind::Fixed };
            let price = price(original, Some(Discount { kind, value, cap }), points);
            prop_assert_eq!(price.coupon + price.points + price.due, original);
            prop_assert!(price.coupon >= 0 && price.points >= 0 && price.due >= 0);
            prop_assert!(cap.is_none_or(|cap| price.coupon <= cap));
        }
    }

    #[test]
    fn a_percentage_is_rounded_down_and_capped() {
        let percent = |value, cap| Some(Discount { kind: DiscountKind::Percent, value, cap });
        assert_eq!(price(9_999, percent(10, None), 0).coupon, 999);
        assert_eq!(price(100_000, percent(50, Some(5_000)), 0).due, 95_000);
        assert_eq!(
            price(10_000, percent(100, None), 500),
            Price { original: 10_000, coupon: 10_000, points: 0, due: 0 }
        );
    }

    #[test]
    fn a_sum_that_does_not_fit_is_refused() {
        assert_eq!(original([(i64::MAX, 2)].into_iter()), None);
        assert_eq!(original([(15_000, 2), (0, 5)].into_iter()), Some(30_000));
    }

    #[test]
    fn a_closed_booking_stays_closed() {
        for step in [Step::Confirm, Step::Lapse, Step::BeginCancel, Step::FinishCancel, Step::Revive] {
            assert_eq!(transition(BookingStatus::Canceled, step), None);
        }
    }
}
