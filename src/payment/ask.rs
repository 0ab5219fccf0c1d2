//! KakaoPay `order`: what has become of a payment. Reading, it is safe to repeat, and the one truth about what is in doubt.

use crate::{
    app::App,
    error::{Error, Result},
    infra::kakaopay::{CallError, Order},
};
use entity::payment::Model;

/// What the provider says of a payment that has a page. An answer about another payment is none; `None` if the provider
/// knows no such payment.
pub async fn order(app: &App, payment: &Model) -> Result<Option<Order>> {
    let Some(tid) = payment.tid.as_deref() else { return Ok(None) };
    match app.provider.order(tid).await {
        Ok(order) if order.tid == tid && order.partner_order_id == payment.id.to_string() => Ok(Some(order)),
        Ok(order) => {
            let about = format!("{} of {}", order.tid, order.partner_order_id);
            Err(Error::Unavailable(format!("kakaopay: asked about {tid} of {}, it answered about {about}", payment.id)))
        }
        Err(CallError::Refused { code: -721, .. }) => Ok(None),
        Err(error) => Err(Error::Unavailable(format!("kakaopay: {error}"))),
    }
}
