//! The browser came back by the cancel or fail address. Anybody can open those, so the provider is asked.

use super::{approve, ask, ask::Answer, query};
use crate::{
    app::App,
    error::{Error, Result},
    infra::kakaopay::Money,
    transaction,
};
use entity::{enums::PaymentStatus, ids::PaymentId, payment::Model};

/// Lets the hold go only if the provider says that the person gave up or the payment failed.
pub async fn give_up(app: &App, id: PaymentId) -> Result<Model> {
    let payment = query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::not_found(&["paymentId"]))?;
    if payment.status != PaymentStatus::Ready {
        return Ok(payment);
    }
    let order = match ask::order(app, &payment).await {
        Ok(Answer::Order(order)) => order,
        Ok(Answer::Unknown) => return Ok(payment),
        Ok(Answer::Unreadable(what)) => {
            tracing::warn!(payment = %id, what, "whether the payment was given up cannot be read: it runs out instead");
            return Ok(payment);
        }
        Err(error) => {
            tracing::warn!(payment = %id, %error, "cannot ask whether the payment was given up: it runs out instead");
            return Ok(payment);
        }
    };
    if order.money() == Money::Never {
        let detail = order.to_string();
        transaction!(app, txn => approve::fail(txn, app, id, &detail).await)?;
    }
    query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::fault("a payment is never removed"))
}
