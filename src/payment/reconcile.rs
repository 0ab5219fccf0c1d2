//! Whatever was left in doubt: ask the provider, then finish, refund or give up.

use super::{approve, cancel, query};
use crate::{
    app::App,
    error::{Error, Result},
    infra::{
        jobs,
        jobs::Job,
        kakaopay::{CallError, Order, OrderStatus},
    },
    transaction,
};
use chrono::TimeDelta;
use entity::{enums::PaymentStatus, ids::PaymentId, payment::Model};
use serde::{Deserialize, Serialize};

/// After a payment was given up in doubt, it is asked about once more: by then the provider's own time is over too.
const LATE_CHECK: TimeDelta = TimeDelta::minutes(20);

#[derive(Debug, Serialize, Deserialize)]
pub struct ReconcilePayment {
    pub payment_id: PaymentId,
}

impl Job for ReconcilePayment {
    const NAME: &'static str = "reconcile_payment";

    async fn run(self, app: &App) -> Result<()> {
        let Some(payment) = query::by_id(app.db.reads(), self.payment_id).await? else { return Ok(()) };
        match payment.status {
            PaymentStatus::Approving | PaymentStatus::Failed | PaymentStatus::Expired => ask(app, payment).await,
            PaymentStatus::Canceling => cancel::cancel(app, payment).await,
            PaymentStatus::Pending | PaymentStatus::Ready | PaymentStatus::Approved | PaymentStatus::Canceled => Ok(()),
        }
    }
}

async fn ask(app: &App, payment: Model) -> Result<()> {
    let Some(tid) = payment.tid.as_deref() else { return Ok(()) };
    let id = payment.id;
    match app.provider.order(tid).await {
        Ok(order) => decide(app, &payment, &order).await,
        Err(CallError::Refused { code: -721, .. }) => {
            transaction!(app, txn => approve::fail(txn, app, id, "the provider does not know it").await)
        }
        Err(error) => Err(Error::Unavailable(format!("kakaopay: {error}"))),
    }
}

async fn decide(app: &App, payment: &Model, order: &Order) -> Result<()> {
    let id = payment.id;
    match &order.status {
        OrderStatus::SuccessPayment if order.total_amount == payment.amount => {
            let detail = format!("reconciled: {} won", order.total_amount);
            transaction!(app, txn => approve::taken(txn, app, id, &detail).await)
        }
        // Another amount than was due: all of it goes back.
        OrderStatus::SuccessPayment | OrderStatus::PartCancelPayment => {
            transaction!(app, txn => super::wrong::send_back(txn, app, id, order.total_amount).await)
        }
        OrderStatus::CancelPayment
        | OrderStatus::QuitPayment
        | OrderStatus::FailPayment
        | OrderStatus::FailAuthPassword => give_up(app, payment, &order.status, false).await,
        OrderStatus::Ready
        | OrderStatus::SendTms
        | OrderStatus::OpenPayment
        | OrderStatus::SelectMethod
        | OrderStatus::ArsWaiting
        | OrderStatus::AuthPassword
        | OrderStatus::IssuedSid
        | OrderStatus::Unknown(_) => give_up(app, payment, &order.status, true).await,
    }
}

/// Nothing was taken: the hold goes back. If the provider might still take it, it is asked once more later.
async fn give_up(app: &App, payment: &Model, status: &OrderStatus, may_still_come: bool) -> Result<()> {
    if payment.status != PaymentStatus::Approving {
        return Ok(());
    }
    let (id, detail) = (payment.id, format!("reconciled: {status:?}"));
    transaction!(app, txn => {
        approve::fail(txn, app, id, &detail).await?;
        if may_still_come {
            let now = app.clock.now();
            jobs::enqueue(txn, &app.ids, now, now + LATE_CHECK, &ReconcilePayment { payment_id: id }).await?;
        }
        Ok(())
    })
}
