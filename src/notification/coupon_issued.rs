//! "A coupon for you."

use super::store::{Facts, News, tell};
use crate::{app::App, coupon, error::Result, infra::jobs::Job};
use entity::{enums::NotificationKind, ids::UserCouponId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct TellCouponIssued {
    pub user_coupon_id: UserCouponId,
}

impl Job for TellCouponIssued {
    const NAME: &'static str = "tell_coupon_issued";

    async fn run(self, app: &App) -> Result<()> {
        let db = app.db.reads();
        let Some(own) = coupon::query::in_hand(db, self.user_coupon_id).await? else { return Ok(()) };
        let coupons = coupon::query::by_ids(db, &[own.coupon_id]).await?;
        let Some(coupon) = coupons.get(&own.coupon_id) else { return Ok(()) };
        let facts = Facts { event_title: coupon.name.clone(), ..Facts::default() };
        let kind = NotificationKind::CouponIssued;
        tell(app, &[own.user_id], &News { kind, subject: own.id.to_string(), event_id: None, facts }).await
    }
}
