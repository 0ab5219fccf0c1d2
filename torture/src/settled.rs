//! Whether all is settled, and as it must be.

use crate::{Result, person::MINUTE, world::World};
use chrono::{DateTime, Utc};
use entity::{
    booking,
    enums::{BookingStatus, PaymentStatus},
    job, payment,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use spotlight::{
    admin::invariants,
    infra::kakaopay::{CallError, ClientSettings, KakaoPayClient, PaymentProvider},
};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);

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

/// Waits until nothing is on its way; answers how long that took. Longer than a minute is an error.
pub async fn within_a_minute(world: &World) -> Result<Duration> {
    let since = Instant::now();
    loop {
        let open = open(world).await?;
        if open.is_empty() {
            return Ok(since.elapsed());
        }
        if since.elapsed() > MINUTE {
            return Err(format!("after a minute: {}", open.join(", ")).into());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The provider, as the server at `url` has it.
pub fn provider(world: &World, url: &str) -> Result<KakaoPayClient> {
    let settings = &world.app.config.kakaopay;
    Ok(KakaoPayClient::new(ClientSettings {
        base_url: format!("{url}{}", spotlight::http::SANDBOX_KAKAOPAY),
        secret_key: settings.secret_key.clone(),
        cid: settings.cid.clone(),
        timeout: Duration::from_secs(5),
    })?)
}

/// What is wrong: rules of seats, money, points and coupons that are broken; jobs that were given up; won that the provider
/// has and that nothing was sold for, or the other way round. The provider is asked about what has changed `since`.
pub async fn wrong(world: &World, provider: &dyn PaymentProvider, since: Option<DateTime<Utc>>) -> Result<Vec<String>> {
    let mut wrong: Vec<String> = invariants::check(&world.app)
        .await?
        .into_iter()
        .filter(|outcome| outcome.broken > 0)
        .map(|outcome| format!("{} rows break the rule: {}", outcome.broken, outcome.rule))
        .collect();
    let parked = job::Entity::find().filter(job::Column::ParkedAt.is_not_null()).all(world.app.db.reads()).await?;
    wrong.extend(parked.into_iter().map(|job| format!("{} is parked: {:?}", job.name, job.last_error)));
    let mut payments = payment::Entity::find();
    if let Some(since) = since {
        payments = payments.filter(payment::Column::ChangedAt.gte(since));
    }
    for row in payments.all(world.app.db.reads()).await? {
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
