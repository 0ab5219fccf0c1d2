//! What stands in the way of a withdrawal: pure.

use crate::error::{Code, More, Problem};
use entity::ids::{BookingId, EventId, PaymentId};

/// Each thing that is still open, at most a hundred of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Obstacles {
    /// Held, being refunded, or with valid tickets to an event that has not ended.
    pub bookings: Vec<BookingId>,
    /// Neither done nor undone, and of none of those bookings: points being charged.
    pub payments: Vec<PaymentId>,
    /// The artist's own that have not ended.
    pub open_events: Vec<EventId>,
    /// The artist's own that have ended, with sales that were not paid out.
    pub unsettled_events: Vec<EventId>,
}

impl Obstacles {
    pub fn is_empty(&self) -> bool {
        !self.has_open_money() && self.open_events.is_empty() && self.unsettled_events.is_empty()
    }

    /// Whether money, points or a coupon may still come back to the account.
    pub fn has_open_money(&self) -> bool {
        !(self.bookings.is_empty() && self.payments.is_empty())
    }

    /// The refusal, with each kind of thing in its sentence and each thing in its list.
    pub fn problem(self, path: &[&str]) -> Problem {
        let kinds = [
            (self.bookings.len(), "예매", "bookings"),
            (self.payments.len(), "결제", "payments"),
            (self.open_events.len(), "끝나지 않은 이벤트", "events not ended"),
            (self.unsettled_events.len(), "정산되지 않은 이벤트", "events not settled"),
        ];
        let found = kinds.into_iter().filter(|(count, ..)| *count > 0);
        let (ko, en): (Vec<String>, Vec<String>) =
            found.map(|(count, ko, en)| (format!("{ko} {count}건"), format!("{en}: {count}"))).unzip();
        let ko = format!("아직 탈퇴할 수 없습니다. {}", ko.join(", "));
        let en = format!("Not possible yet. {}", en.join(", "));
        Problem::new(Code::WithdrawalBlocked, path, ko, en).with(More::Obstacles(Box::new(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_names_only_what_is_there() {
        let id = EventId(uuid::Uuid::nil());
        let obstacles = Obstacles { unsettled_events: vec![id], ..Obstacles::default() };
        assert!(!obstacles.is_empty() && !obstacles.has_open_money());
        assert_eq!(obstacles.problem(&[]).text.en, "Not possible yet. events not settled: 1");
        assert!(Obstacles::default().is_empty());
    }
}
