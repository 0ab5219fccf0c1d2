//! KakaoPay `ready`: no transaction is open while it is called. Nothing is charged by it, so a failure gives the hold
//! back at once instead of keeping seats that nobody can pay for.

use super::{
    model::Step,
    purpose::{self, Purpose},
    query, state,
};
use crate::{
    app::App,
    booking,
    error::{Code, Error, Problem, Result},
    event,
    infra::kakaopay::{CallError, Ready, ReadyRequest},
    transaction,
};
use entity::{
    enums::PaymentStatus,
    ids::{BookingId, PaymentId},
    payment::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

/// Gives the booking's payment its page; does nothing if there is nothing to pay.
pub async fn prepare(app: &App, booking: BookingId) -> Result<()> {
    match query::of_booking(app.db.reads(), booking).await? {
        Some(payment) => give_page(app, payment).await,
        None => Ok(()),
    }
}

/// The same by the payment's own id.
pub async fn prepare_payment(app: &App, id: PaymentId) -> Result<()> {
    let payment = query::by_id(app.db.reads(), id).await?.ok_or_else(|| Error::fault("no such payment"))?;
    give_page(app, payment).await
}

async fn give_page(app: &App, payment: Model) -> Result<()> {
    match payment.status {
        PaymentStatus::Pending => {}
        PaymentStatus::Failed => return Err(refused()),
        PaymentStatus::Ready
        | PaymentStatus::Approving
        | PaymentStatus::Approved
        | PaymentStatus::Canceling
        | PaymentStatus::Canceled
        | PaymentStatus::Expired => return Ok(()),
    }
    let request = request(app, &payment).await?;
    let id = payment.id;
    transaction!(app, txn => state::log(txn, app, id, app.clock.now(), "ReadyIntent", "").await)?;
    match app.provider.ready(&request).await {
        Ok(ready) => transaction!(app, txn => keep(txn, app, id, &ready).await),
        Err(error) => {
            // A twin of this request may have been luckier: then its page is the answer to both.
            let is_ready = transaction!(app, txn => fail(txn, app, id, &error).await)?;
            if is_ready { Ok(()) } else { Err(refused()) }
        }
    }
}

fn refused() -> Error {
    let ko = "결제를 준비하지 못했습니다. 잠시 뒤에 다시 시도해 주세요.";
    let en = "The payment could not be prepared. Nothing was charged; try again in a moment.";
    Problem::new(Code::PaymentFailed, &[], ko, en).into()
}

async fn request(app: &App, payment: &Model) -> Result<ReadyRequest> {
    let (item_name, quantity) = match Purpose::of(payment)? {
        Purpose::Booking(id) => seats(app, id).await?,
        Purpose::PointCharge => (format!("포인트 {}원", payment.amount), 1),
    };
    let back = |what: &str| format!("{}/payments/{}/{what}", app.config.public_url(), payment.id);
    Ok(ReadyRequest {
        partner_order_id: payment.id.to_string(),
        partner_user_id: payment.user_id.to_string(),
        item_name: item_name.chars().take(100).collect(),
        quantity,
        total_amount: payment.amount,
        approval_url: back("approved"),
        cancel_url: back("canceled"),
        fail_url: back("failed"),
    })
}

/// The event's title, and how many seats of it.
async fn seats(app: &App, id: BookingId) -> Result<(String, i64)> {
    let db = app.db.reads();
    let row = booking::query::by_id(db, id).await?.ok_or_else(|| Error::fault("no such booking"))?;
    let event = event::query::by_id(db, row.event_id).await?.ok_or_else(|| Error::fault("no such event"))?;
    let seats: i32 = booking::query::lines(db, &[id]).await?.iter().map(|line| line.quantity).sum();
    Ok((event.title, i64::from(seats)))
}

async fn keep(txn: &impl ConnectionTrait, app: &App, id: PaymentId, ready: &Ready) -> Result<()> {
    let payment = state::lock(txn, id).await?;
    if payment.status != PaymentStatus::Pending {
        // Its twin was faster, or the hold is over: this second page is never shown, and charges nothing.
        return state::log(txn, app, id, app.clock.now(), "ReadyUnused", &ready.tid).await;
    }
    Entity::update_many()
        .col_expr(Column::Tid, Expr::value(ready.tid.as_str()))
        .col_expr(Column::PcUrl, Expr::value(ready.pc_url.as_str()))
        .col_expr(Column::MobileUrl, Expr::value(ready.mobile_url.as_str()))
        .col_expr(Column::AppUrl, Expr::value(ready.app_url.as_str()))
        .filter(Column::Id.eq(id))
        .exec(txn)
        .await?;
    state::step(txn, app, &payment, Step::Prepare, &ready.tid).await.map(drop)
}

/// True if the payment has a page all the same.
async fn fail(txn: &impl ConnectionTrait, app: &App, id: PaymentId, error: &CallError) -> Result<bool> {
    let (locked, payment) = purpose::lock(txn, id).await?;
    if payment.status != PaymentStatus::Pending {
        state::log(txn, app, id, app.clock.now(), "ReadyFailed", &error.to_string()).await?;
        return Ok(payment.tid.is_some() && payment.status != PaymentStatus::Failed);
    }
    state::step(txn, app, &payment, Step::Fail, &error.to_string()).await?;
    purpose::let_go(txn, app, &locked).await?;
    Ok(false)
}
