//! Whether all is settled, and as it must be.

use crate::{Result, world::World};
use entity::{
    booking,
    enums::{BookingStatus, PaymentStatus},
    payment,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use spotlight::{
    admin::invariants,
    infra::kakaopay::{CallError, PaymentProvider},
};

/// What is still on its way: payments in doubt, and bookings that are neither sold nor given back. Empty once settled.
pub async fn open(world: &World) -> Result<Vec<String>> {
    let db = world.app.db.reads();
    let moving = [PaymentStatus::Pending, PaymentStatus::Approving, PaymentStatus::Canceling];
    let payments = payment::Entity::find().filter(payment::Column::Status.is_in(moving)).all(db).await?;
    let moving = [BookingStatus::Held, BookingStatus::Canceling];
    let bookings = booking::Entity::find().filter(booking::Column::Status.is_in(moving)).all(db).await?;
    let payments = payments.into_iter().map(|row| format!("{} is {:?}", row.id, row.status));
    Ok(payments.chain(bookings.into_iter().map(|row| format!("{} is {:?}", row.id, row.status))).collect())
}

/// What is wrong: rules of seats, money, points and coupons that are broken; won that the provider has and that nothing
/// was sold for, or the other way round.
pub async fn wrong(world: &World, provider: &dyn PaymentProvider) -> Result<Vec<String>> {
    let mut wrong: Vec<String> = invariants::check(&world.app)
        .await?
        .into_iter()
        .filter(|outcome| outcome.broken > 0)
        .map(|outcome| format!("{} rows break the rule: {}", outcome.broken, outcome.rule))
        .collect();
    for row in payment::Entity::find().all(world.app.db.reads()).await? {
        let due = match row.status {
            PaymentStatus::Approved => row.amount,
            PaymentStatus::Ready | PaymentStatus::Canceled | PaymentStatus::Failed | PaymentStatus::Expired => 0,
            PaymentStatus::Approving | PaymentStatus::Pending | PaymentStatus::Canceling => continue,
        };
        let kept = match &row.tid {
            Some(tid) => kept(provider, tid).await?,
            None => 0,
        };
        if kept != due {
            wrong.push(format!("{} is {:?}: the provider keeps {kept} won instead of {due}", row.id, row.status));
        }
    }
    Ok(wrong)
}

async fn kept(provider: &dyn PaymentProvider, tid: &str) -> Result<i64> {
    use spotlight::infra::kakaopay::OrderStatus;
    match provider.order(tid).await {
        Ok(order) => Ok(match order.status {
            OrderStatus::SuccessPayment | OrderStatus::PartCancelPayment | OrderStatus::CancelPayment => {
                order.available
            }
            _ => 0,
        }),
        Err(CallError::Refused { code: -721, .. }) => Ok(0),
        Err(error) => Err(error.to_string().into()),
    }
}
