//! What an admin says of a payment that the provider gives no readable account of.

use super::{
    audit::Actor,
    graphql_sales::AdminPaymentNode,
    payment_decide::{self, Word},
};
use crate::{
    error::{Code, Error, Problem, Result},
    graphql::{ctx::Ctx, door::answer, scalars::Won},
    payload,
    payment::decide::model::{AMOUNTS, Outcome, Vague, Verdict},
};
use async_graphql::{Context, Enum, ID, InputObject, Object};

/// What became of the money of a payment, by the word of somebody who looked.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Outcome")]
pub enum PaymentOutcome {
    /// Nothing was taken, and nothing will be: it has failed, and what was set aside goes back.
    NotTaken,
    /// All that was taken has gone back already, at the provider: it is closed.
    Returned,
    /// It was taken: sold or credited; or given back, if the amount is another one or nothing is left to sell for it.
    Taken,
}

/// Whose word a payment went by.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "payment_decide::DecidedBy")]
pub enum PaymentDecider {
    /// The admin's: the provider gave no account that could be read.
    Admin,
    /// The provider's: asked once more, it told, whatever the admin said.
    Provider,
}

/// What became of a payment.
#[derive(InputObject)]
pub struct AdminPaymentDecideInput {
    /// A payment that is in doubt for so long that it is stuck.
    pub payment_id: ID,
    /// What became of its money. Of money that is on its way back (`CANCELING`), only `RETURNED` can be said.
    pub outcome: PaymentOutcome,
    /// So many won were taken, 1 or more; nothing for `NOT_TAKEN`. Not what is due, but what the provider's own pages show.
    pub taken_amount: Option<Won>,
    /// How it is known, 1 to 500 characters: for the audit log and the payment's story.
    pub reason: String,
}

payload! {
    /// A payment that was decided.
    AdminPaymentDecidePayload {
        /// As it is now.
        payment: AdminPaymentNode,
        /// Whose word it went by.
        decided_by: PaymentDecider,
    }
}

#[derive(Default)]
pub struct AdminDecidingMutation;

#[Object]
impl AdminDecidingMutation {
    /// Says what became of a payment that is stuck in doubt. The provider is asked once more first: if it can be read, its
    /// answer is gone by, and not the admin's; while it does not answer at all, this is refused with `NOT_ALLOWED`.
    async fn admin_payment_decide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment, and what became of it.")] input: AdminPaymentDecideInput,
    ) -> async_graphql::Result<AdminPaymentDecidePayload> {
        answer(ctx, decide_payment(ctx, input).await)
    }
}

async fn decide_payment(ctx: &Context<'_>, input: AdminPaymentDecideInput) -> Result<AdminPaymentDecidePayload> {
    let by = Actor { admin: ctx.admin()?.id(), address: ctx.request().address };
    let payment = input.payment_id.parse().map_err(|_| Error::not_found(&["paymentId"]))?;
    let taken = input.taken_amount.map(|Won(amount)| amount);
    let verdict = Verdict::new(input.outcome.into(), taken).map_err(vague)?;
    let (word, app) = (Word { payment, verdict, reason: input.reason }, ctx.app().clone());
    let work = async move { payment_decide::ask_or_go_by_word(&app, by, &word).await };
    let (row, decided_by) = ctx.app().outlive(work).await?;
    Ok(AdminPaymentDecidePayload {
        payment: Some(AdminPaymentNode(row)),
        decided_by: Some(decided_by.into()),
        user_errors: Vec::new(),
    })
}

fn vague(vague: Vague) -> Error {
    let (least, most) = (AMOUNTS.start(), AMOUNTS.end());
    let (code, ko, en) = match vague {
        Vague::AmountOfNothing => (
            Code::Invalid,
            "결제되지 않았다면 비워 두어야 합니다.".to_owned(),
            "Leave it out: nothing was taken.".to_owned(),
        ),
        Vague::NoAmount => {
            (Code::Invalid, "결제된 금액을 입력해 주세요.".to_owned(), "Say how much was taken.".to_owned())
        }
        Vague::OutOfRange => (
            Code::OutOfRange,
            format!("{least} 이상 {most} 이하여야 합니다."),
            format!("Must be from {least} to {most}."),
        ),
    };
    Problem::new(code, &["takenAmount"], ko, en).into()
}
