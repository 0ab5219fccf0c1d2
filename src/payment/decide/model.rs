//! What somebody who looked may say of a payment in doubt, and where that leads: pure.

use entity::enums::PaymentStatus;

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
    fn what_is_known_is_not_decided_again() {
        for status in [Pending, Ready, Approved, Canceled, Failed, Expired] {
            for verdict in [NotTaken, Taken(5_000), Returned(5_000)] {
                assert_eq!(way(status, 5_000, None, verdict), Err(Unfit::NotInDoubt), "{status:?} {verdict:?}");
            }
        }
    }
}
