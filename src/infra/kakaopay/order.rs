//! What an answer of `order` says about the money: pure.
//!
//! The word alone is not believed. That nothing was taken is concluded only from a word that we know, with amounts that say
//! the same; that something was taken only from amounts that add up. Whatever else it is stays in doubt.

use super::OrderStatus;
use std::fmt::{self, Display, Formatter};

#[derive(Clone, Debug)]
pub struct Order {
    pub tid: String,
    pub status: OrderStatus,
    pub partner_order_id: String,
    pub total_amount: i64,
    pub canceled_amount: i64,
    /// What can still be given back.
    pub available: i64,
    /// Whether one of its `payment_action_details` is a payment.
    pub has_payment: bool,
}

/// Where the money is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Money {
    /// Not taken; it may still be.
    NotYet,
    /// Not taken, and it will not be any more.
    Never,
    /// So much was taken, of which so much went back.
    Taken { amount: i64, returned: i64 },
    /// It says something that we do not know, or contradicts itself.
    Unreadable,
}

/// What a word says of the money.
enum Word {
    Open,
    Over,
    Paid,
    Unknown,
}

impl Order {
    pub fn money(&self) -> Money {
        match (word(&self.status), self.moved()) {
            (Word::Open, Some(0)) if !self.has_payment => Money::NotYet,
            (Word::Over, Some(0)) if !self.has_payment => Money::Never,
            // A word that denies it needs more than an amount "that can be given back" to be contradicted.
            (Word::Open | Word::Over, Some(_)) if !self.has_payment => Money::Unreadable,
            (Word::Paid | Word::Unknown | Word::Open | Word::Over, Some(moved))
                if moved > 0 && moved == self.total_amount =>
            {
                Money::Taken { amount: moved, returned: self.canceled_amount }
            }
            (Word::Paid | Word::Unknown | Word::Open | Word::Over, _) => Money::Unreadable,
        }
    }

    /// What went back and what still can, together; `None` for what is no amount.
    fn moved(&self) -> Option<i64> {
        let are_amounts = self.canceled_amount >= 0 && self.available >= 0;
        are_amounts.then(|| self.canceled_amount.checked_add(self.available)).flatten()
    }
}

const fn word(status: &OrderStatus) -> Word {
    match status {
        OrderStatus::Ready
        | OrderStatus::SendTms
        | OrderStatus::OpenPayment
        | OrderStatus::SelectMethod
        | OrderStatus::ArsWaiting
        | OrderStatus::AuthPassword
        | OrderStatus::IssuedSid
        // A password mistyped: the next one may be right.
        | OrderStatus::FailAuthPassword => Word::Open,
        OrderStatus::QuitPayment | OrderStatus::FailPayment => Word::Over,
        OrderStatus::SuccessPayment | OrderStatus::PartCancelPayment | OrderStatus::CancelPayment => Word::Paid,
        OrderStatus::Unknown(_) => Word::Unknown,
    }
}

/// For the log of a payment.
impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { status, total_amount, canceled_amount, available, has_payment, .. } = self;
        write!(f, "{status:?}, total {total_amount}, canceled {canceled_amount}, left {available}")?;
        if *has_payment { write!(f, ", paid") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(word: &str, total: i64, canceled: i64, available: i64, has_payment: bool) -> Money {
        let order = Order {
            tid: "T".into(),
            status: OrderStatus::parse(word),
            partner_order_id: "p".into(),
            total_amount: total,
            canceled_amount: canceled,
            available,
            has_payment,
        };
        order.money()
    }

    #[test]
    fn nothing_was_taken_only_if_word_and_amounts_say_so() {
        for open in ["READY", "SEND_TMS", "OPEN_PAYMENT", "SELECT_METHOD", "ARS_WAITING", "AUTH_PASSWORD", "ISSUED_SID"]
        {
            assert_eq!(money(open, 10_000, 0, 0, false), Money::NotYet, "{open}");
        }
        assert_eq!(money("FAIL_AUTH_PASSWORD", 10_000, 0, 0, false), Money::NotYet);
        assert_eq!(money("QUIT_PAYMENT", 10_000, 0, 0, false), Money::Never);
        assert_eq!(money("FAIL_PAYMENT", 10_000, 0, 0, false), Money::Never);
        for word in ["IN_REVIEW", "", "success_payment", "SUCCESS_PAYMENT", "PART_CANCEL_PAYMENT", "CANCEL_PAYMENT"] {
            assert_eq!(money(word, 10_000, 0, 0, false), Money::Unreadable, "{word}");
        }
        assert_eq!(money("FAIL_PAYMENT", 10_000, 0, 10_000, false), Money::Unreadable);
        assert_eq!(money("READY", 10_000, 0, 0, true), Money::Unreadable);
    }

    #[test]
    fn money_was_taken_if_the_amounts_add_up() {
        let taken = |amount, returned| Money::Taken { amount, returned };
        assert_eq!(money("SUCCESS_PAYMENT", 10_000, 0, 10_000, true), taken(10_000, 0));
        assert_eq!(money("PART_CANCEL_PAYMENT", 10_000, 4_000, 6_000, true), taken(10_000, 4_000));
        assert_eq!(money("CANCEL_PAYMENT", 10_000, 10_000, 0, true), taken(10_000, 10_000));
        assert_eq!(money("IN_REVIEW", 10_000, 0, 10_000, false), taken(10_000, 0));
        assert_eq!(money("FAIL_PAYMENT", 10_000, 0, 10_000, true), taken(10_000, 0));
        for (canceled, available) in [(0, 9_000), (1_000, 10_000), (-1_000, 11_000), (0, -10_000), (i64::MAX, 1)] {
            assert_eq!(money("SUCCESS_PAYMENT", 10_000, canceled, available, true), Money::Unreadable);
        }
    }
}
