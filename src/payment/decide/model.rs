//! What somebody who looked may say of a payment in doubt, and where that leads: pure.

use crate::{
    infra::kakaopay::{Money, Order},
    payment::{ask::Answer, cancel},
};
use entity::enums::PaymentStatus;
use std::ops::RangeInclusive;

/// What somebody says became of the money, before it is known whether they said how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    NotTaken,
    Returned,
    Taken,
}

/// Why what was said is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vague {
    /// Nothing was taken, and so much of it.
    AmountOfNothing,
    /// Something was taken, nobody says how much.
    NoAmount,
    /// As much cannot have been taken.
    OutOfRange,
}

/// What became of the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was taken, and nothing will be.
    NotTaken,
    /// So much was taken, and has gone back already, all of it.
    Returned(i64),
    /// So much was taken, and is still with the provider.
    Taken(i64),
}

/// What an amount can be.
pub const AMOUNTS: RangeInclusive<i64> = 1..=(1 << 53);

impl Verdict {
    pub fn new(outcome: Outcome, amount: Option<i64>) -> Result<Self, Vague> {
        match (outcome, amount) {
            (Outcome::NotTaken, None) => Ok(Self::NotTaken),
            (Outcome::NotTaken, Some(_)) => Err(Vague::AmountOfNothing),
            (Outcome::Returned | Outcome::Taken, None) => Err(Vague::NoAmount),
            (Outcome::Returned | Outcome::Taken, Some(amount)) if !AMOUNTS.contains(&amount) => Err(Vague::OutOfRange),
            (Outcome::Returned, Some(amount)) => Ok(Self::Returned(amount)),
            (Outcome::Taken, Some(amount)) => Ok(Self::Taken(amount)),
        }
    }
}

/// What the provider's answer is worth beside somebody's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// It tells what became of the money: that is gone by.
    Tells,
    /// It says that so much is still there, though it does not say the same as we have written down.
    StillThere(i64),
    /// It does not contradict the word.
    Silent,
}

/// `written` is what we have written down as taken.
pub fn account(status: PaymentStatus, written: Option<i64>, answer: &Answer) -> Account {
    let Some(order) = answer.readable() else { return Account::Silent };
    match status {
        PaymentStatus::Canceling if cancel::taken(written, order).is_some() => Account::Tells,
        PaymentStatus::Canceling => rest(order),
        PaymentStatus::Pending
        | PaymentStatus::Ready
        | PaymentStatus::Approving
        | PaymentStatus::Approved
        | PaymentStatus::Canceled
        | PaymentStatus::Failed
        | PaymentStatus::Expired => Account::Tells,
    }
}

fn rest(order: &Order) -> Account {
    match order.money() {
        Money::Taken { amount, returned } if amount > returned => Account::StillThere(amount - returned),
        Money::Taken { .. } | Money::NotYet | Money::Never | Money::Unreadable => Account::Silent,
    }
}

/// Where a verdict leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It has failed: what was set aside goes back.
    Fail,
    /// What was due is here: sold or credited; or given back, if there is nothing to sell for it any more.
    Keep,
    /// Another amount than was due: all of it goes back.
    SendBack(i64),
    /// It was taken, kept for nothing, and is back: the end.
    Forget(i64),
    /// It was on its way back, and is there.
    Close(i64),
}

/// Why a verdict leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// What became of the money is known, or ends by itself: without a page nobody pays.
    NotInDoubt,
    /// It is on its way back; only that it has arrived can be said of it.
    OnItsWayBack,
    /// So much was taken, and so much must be back.
    AnotherAmount(i64),
}

/// `due` is what was to be paid, `taken` what is written down as taken.
pub fn way(status: PaymentStatus, due: i64, taken: Option<i64>, verdict: Verdict) -> Result<Way, Unfit> {
    match status {
        PaymentStatus::Approving => Ok(match verdict {
            Verdict::NotTaken => Way::Fail,
            Verdict::Taken(amount) if amount == due => Way::Keep,
            Verdict::Taken(amount) => Way::SendBack(amount),
            Verdict::Returned(amount) => Way::Forget(amount),
        }),
        PaymentStatus::Canceling => match (verdict, taken) {
            (Verdict::Returned(amount), Some(taken)) if amount != taken => Err(Unfit::AnotherAmount(taken)),
            (Verdict::Returned(amount), _) => Ok(Way::Close(amount)),
            (Verdict::NotTaken | Verdict::Taken(_), _) => Err(Unfit::OnItsWayBack),
        },
        PaymentStatus::Pending
        | PaymentStatus::Ready
        | PaymentStatus::Approved
        | PaymentStatus::Canceled
        | PaymentStatus::Failed
        | PaymentStatus::Expired => Err(Unfit::NotInDoubt),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        PaymentStatus::{Approved, Approving, Canceled, Canceling, Expired, Failed, Pending, Ready},
        Verdict::{NotTaken, Returned, Taken},
        *,
    };
    use crate::infra::kakaopay::OrderStatus;

    #[test]
    fn a_verdict_goes_the_way_of_the_providers_own_answer() {
        for (status, taken, verdict, due) in [
            (Approving, None, NotTaken, Ok(Way::Fail)),
            (Approving, None, Taken(5_000), Ok(Way::Keep)),
            (Approving, None, Taken(4_999), Ok(Way::SendBack(4_999))),
            (Approving, None, Returned(5_000), Ok(Way::Forget(5_000))),
            (Canceling, Some(5_000), Returned(5_000), Ok(Way::Close(5_000))),
            (Canceling, Some(6_000), Returned(6_000), Ok(Way::Close(6_000))),
            (Canceling, None, Returned(6_000), Ok(Way::Close(6_000))),
            (Canceling, Some(6_000), Returned(5_000), Err(Unfit::AnotherAmount(6_000))),
            (Canceling, Some(5_000), NotTaken, Err(Unfit::OnItsWayBack)),
            (Canceling, Some(5_000), Taken(5_000), Err(Unfit::OnItsWayBack)),
        ] {
            assert_eq!(way(status, 5_000, taken, verdict), due, "{status:?} {taken:?} {verdict:?}");
        }
    }

    #[test]
    fn a_verdict_says_how_much_unless_nothing_was_taken() {
        for (outcome, amount, due) in [
            (Outcome::NotTaken, None, Ok(NotTaken)),
            (Outcome::NotTaken, Some(5_000), Err(Vague::AmountOfNothing)),
            (Outcome::NotTaken, Some(0), Err(Vague::AmountOfNothing)),
            (Outcome::Taken, Some(5_000), Ok(Taken(5_000))),
            (Outcome::Returned, Some(1), Ok(Returned(1))),
            (Outcome::Taken, None, Err(Vague::NoAmount)),
            (Outcome::Returned, None, Err(Vague::NoAmount)),
            (Outcome::Taken, Some(0), Err(Vague::OutOfRange)),
            (Outcome::Returned, Some(-1), Err(Vague::OutOfRange)),
            (Outcome::Taken, Some((1 << 53) + 1), Err(Vague::OutOfRange)),
        ] {
            assert_eq!(Verdict::new(outcome, amount), due, "{outcome:?} {amount:?}");
        }
    }

    fn order(word: &str, total_amount: i64, canceled_amount: i64, available: i64) -> Answer {
        Answer::Order(Order {
            tid: "T".into(),
            status: OrderStatus::parse(word),
            partner_order_id: "p".into(),
            total_amount,
            canceled_amount,
            available,
            has_payment: canceled_amount + available > 0,
        })
    }

    #[test]
    fn money_that_is_still_there_is_not_back_whatever_is_written_down() {
        let canceled = "CANCEL_PAYMENT";
        for (written, answer, due) in [
            (Some(10_000), order("SUCCESS_PAYMENT", 10_000, 0, 10_000), Account::Tells),
            (Some(10_000), order("SUCCESS_PAYMENT", 11_000, 0, 11_000), Account::StillThere(11_000)),
            (Some(10_000), order("PART_CANCEL_PAYMENT", 11_000, 10_000, 1_000), Account::StillThere(1_000)),
            (Some(10_000), order(canceled, 11_000, 11_000, 0), Account::Silent),
            (Some(10_000), order("FAIL_PAYMENT", 10_000, 0, 0), Account::Silent),
            (Some(10_000), order(canceled, 10_000, 9_000, 0), Account::Silent),
            (Some(10_000), Answer::Unknown, Account::Silent),
            (Some(10_000), Answer::Unreadable("<html>".into()), Account::Silent),
            (None, order(canceled, 11_000, 11_000, 0), Account::Tells),
        ] {
            assert_eq!(account(Canceling, written, &answer), due, "{written:?} {answer}");
        }
    }

    #[test]
    fn what_is_known_is_not_decided_again() {
        for status in [Pending, Ready, Approved, Canceled, Failed, Expired] {
            for verdict in [NotTaken, Taken(5_000), Returned(5_000)] {
                assert_eq!(way(status, 5_000, None, verdict), Err(Unfit::NotInDoubt), "{status:?} {verdict:?}");
            }
        }
    }
}
