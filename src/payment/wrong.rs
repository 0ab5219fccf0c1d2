//! The provider took another amount than was due, or has given some of it back: nothing is sold for it, and all of it goes
//! back.

use super::{model, model::Step, purpose, reconcile::ReconcilePayment, state};
use crate::{app::App, error::Result, infra::jobs};
use entity::ids::PaymentId;
use sea_orm::ConnectionTrait;

pub async fn send_back(txn: &impl ConnectionTrait, app: &App, id: PaymentId, taken: i64, said: &str) -> Result<()> {
    let (locked, payment) = purpose::lock(txn, id).await?;
    if !model::may_be_taken(payment.status) {
        return Ok(());
    }
    let detail = format!("took {taken}, due {}; {said}", payment.amount);
    state::step(txn, app, &payment, Step::BeginCancel, &detail).await?;
    state::took(txn, id, taken).await?;
    purpose::let_go(txn, app, &locked).await?;
    let now = app.clock.now();
    jobs::enqueue(txn, &app.ids, now, now, &ReconcilePayment::now(id)).await.map(drop)
}
