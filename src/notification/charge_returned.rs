//! "Your charge was returned": money that was taken for points and could not be credited.

use super::store::{Facts, News, tell};
use crate::{app::App, error::Result, infra::jobs::Job, payment};
use entity::{enums::NotificationKind, ids::PaymentId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct TellChargeReturned {
    pub payment_id: PaymentId,
}

impl Job for TellChargeReturned {
    const NAME: &'static str = "tell_charge_returned";

    async fn run(self, app: &App) -> Result<()> {
        let Some(payment) = payment::query::by_id(app.db.reads(), self.payment_id).await? else { return Ok(()) };
        let news = News {
            kind: NotificationKind::ChargeReturned,
            subject: payment.id.to_string(),
            event_id: None,
            facts: Facts { amount: payment.canceled_amount, ..Facts::default() },
        };
        tell(app, &[payment.user_id], &news).await
    }
}
