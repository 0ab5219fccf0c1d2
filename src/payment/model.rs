//! The states of a payment: pure.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::PaymentStatus;

/// Whether nobody knows yet what became of it: the approve or the cancel call is out, or the provider has given no page for
/// longer than `grace`.
pub fn is_in_doubt(status: PaymentStatus, since: DateTime<Utc>, now: DateTime<Utc>, grace: TimeDelta) -> bool {
    match status {
        PaymentStatus::Approving | PaymentStatus::Canceling => true,
        PaymentStatus::Pending => since <= now - grace,
        PaymentStatus::Ready
        | PaymentStatus::Approved
        | PaymentStatus::Canceled
        | PaymentStatus::Failed
        | PaymentStatus::Expired => false,
    }
}

/// What can happen to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The provider gave a `tid` and a page to pay on.
    Prepare,
    /// The approve call is about to be made.
    BeginApprove,
    /// The approve call certainly did nothing, and may be made again.
    StepBack,
    /// The money was taken.
    Approve,
    /// The provider said no for good.
    Fail,
    /// Out of time before any approve call.
    Lapse,
    /// The money is to go back.
    BeginCancel,
    /// The money is back.
    FinishCancel,
}

/// Where a step leads; `None` if it does not lead anywhere from here.
pub fn transition(status: PaymentStatus, step: Step) -> Option<PaymentStatus> {
    use PaymentStatus::{Approved, Approving, Canceled, Canceling, Expired, Failed, Pending, Ready};
    use Step::{Approve, BeginApprove, BeginCancel, Fail, FinishCancel, Lapse, Prepare, StepBack};
    match status {
        Pending => match step {
            Prepare => Some(Ready),
            Fail => Some(Failed),
            Lapse => Some(Expired),
            BeginApprove | StepBack | Approve | BeginCancel | FinishCancel => None,
        },
        Ready => match step {
            BeginApprove => Some(Approving),
            Fail => Some(Failed),
            Lapse => Some(Expired),
            Prepare | StepBack | Approve | BeginCancel | FinishCancel => None,
        },
        Approving => match step {
            StepBack => Some(Ready),
            Approve => Some(Approved),
            Fail => Some(Failed),
            // Taken, but not to be kept: a wrong amount, or no seats any more.
            BeginCancel => Some(Canceling),
            Prepare | BeginApprove | Lapse | FinishCancel => None,
        },
        Approved => match step {
            BeginCancel => Some(Canceling),
            Prepare | BeginApprove | StepBack | Approve | Fail | Lapse | FinishCancel => None,
        },
        Canceling => match step {
            FinishCancel => Some(Canceled),
            Prepare | BeginApprove | StepBack | Approve | Fail | Lapse | BeginCancel => None,
        },
        // Money that arrives late, found by asking once more.
        Failed | Expired => match step {
            Approve => Some(Approved),
            BeginCancel => Some(Canceling),
            Prepare | BeginApprove | StepBack | Fail | Lapse | FinishCancel => None,
        },
        Canceled => match step {
            Prepare | BeginApprove | StepBack | Approve | Fail | Lapse | BeginCancel | FinishCancel => None,
        },
    }
}

/// Whether money that the provider says it took is still to be dealt with; otherwise somebody has settled it.
pub const fn may_be_taken(status: PaymentStatus) -> bool {
    match status {
        PaymentStatus::Approving | PaymentStatus::Failed | PaymentStatus::Expired => true,
        PaymentStatus::Pending
        | PaymentStatus::Ready
        | PaymentStatus::Approved
        | PaymentStatus::Canceling
        | PaymentStatus::Canceled => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_that_was_taken_is_only_ever_kept_or_returned() {
        use PaymentStatus::{Approved, Canceled, Canceling, Failed};
        for status in [Approved, Canceling, Canceled] {
            for step in [Step::Fail, Step::Lapse, Step::StepBack, Step::Prepare, Step::BeginApprove] {
                assert_eq!(transition(status, step), None, "{status:?} {step:?}");
            }
        }
        assert_eq!(transition(Failed, Step::Approve), Some(Approved));
    }
}
