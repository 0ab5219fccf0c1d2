//! `pointChargeStart`: points are bought by a payment like any other, and credited in the transaction that knows its
//! money is here. Nothing is set aside before, so money that arrives late is credited all the same.

use super::{expire_charge, ledger};
use crate::{
    app::App,
    booking::{idempotency, idempotency::Key},
    error::{Error, Problems, Result},
    infra::jobs,
    payment::{self, model::Step, purpose::Purpose, reconcile::ReconcilePayment},
    transaction, user,
    user::viewer::Buyer,
};
use entity::{enums::PointEntryKind, ids::PaymentId, payment as table};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait};
use serde_json::json;

#[derive(Clone, Debug)]
pub struct ChargeStart {
    pub amount: i64,
    pub return_url: Option<String>,
    pub idempotency_key: String,
}

/// Opens a payment over so many points. The same key gives the same payment.
pub async fn start(app: &App, buyer: Buyer, input: &ChargeStart) -> Result<PaymentId> {
    let (limits, mut problems) = (&app.config.points, Problems::default());
    problems.range(&["amount"], input.amount, limits.charge_least, limits.charge_most);
    if let Some(url) = &input.return_url {
        payment::return_url::check(app, url, &mut problems);
    }
    problems.check()?;
    let what = json!({ "amount": input.amount, "returnUrl": input.return_url });
    let key = Key::new(buyer.id(), &input.idempotency_key, "pointChargeStart", &what)?;
    let id = match key.seen(app.db.reads()).await? {
        Some(answer) => answer.parse()?,
        None => match transaction!(app, txn => open(txn, app, buyer, input, &key).await) {
            Err(error) if idempotency::lost_to_twin(&error) => {
                let answer = key.seen(app.db.reads()).await?;
                answer.ok_or(error)?.parse()?
            }
            other => other?,
        },
    };
    payment::prepare::prepare_payment(app, id).await?;
    Ok(id)
}

async fn open(
    txn: &impl ConnectionTrait,
    app: &App,
    buyer: Buyer,
    input: &ChargeStart,
    key: &Key,
) -> Result<PaymentId> {
    user::query::lock_present(txn, buyer.id()).await?;
    let row = payment::open::open(app, buyer.id(), Purpose::PointCharge, input.amount, input.return_url.clone());
    key.store(txn, &row.id.to_string(), row.created_at).await?;
    table::Entity::insert(table::ActiveModel::from(row.clone()).reset_all()).exec_without_returning(txn).await?;
    expire_charge::plan(txn, app, &row).await?;
    Ok(row.id)
}

/// The money is here: the points are, too. Once, however often it is found out. The money of who has left meanwhile goes
/// back.
pub async fn paid(txn: &impl ConnectionTrait, app: &App, id: PaymentId, detail: &str) -> Result<()> {
    let owner = payment::query::by_id(txn, id).await?.ok_or_else(|| Error::not_found(&["paymentId"]))?.user_id;
    let is_present = match user::query::lock_present(txn, owner).await {
        Err(Error::Unauthenticated) => false,
        present => present.map(|()| true)?,
    };
    let payment = payment::state::lock(txn, id).await?;
    if !payment::model::may_be_taken(payment.status) {
        return Ok(());
    }
    if !is_present {
        let now = payment::state::step(txn, app, &payment, Step::BeginCancel, "taken from who has left").await?;
        return jobs::enqueue(txn, &app.ids, now, now, &ReconcilePayment::now(id)).await.map(drop);
    }
    payment::state::step(txn, app, &payment, Step::Approve, detail).await?;
    ledger::add(txn, app, payment.user_id, PointEntryKind::Charge, payment.amount, &id.to_string()).await
}
