//! KakaoPay `order`: what has become of a payment. Reading, it is safe to repeat, and the one truth about what is in doubt.
//!
//! A provider that is away has said nothing: that is an error. One that answers what cannot be read is there, and may never
//! say more: that is an answer.

use crate::{
    app::App,
    error::{Error, Result},
    infra::kakaopay::{CallError, Money, Order},
};
use entity::payment::Model;
use std::fmt::{self, Display, Formatter};

/// What the provider says of a payment.
#[derive(Clone, Debug)]
pub enum Answer {
    /// What it has, which may contradict itself.
    Order(Order),
    /// It knows no such payment.
    Unknown,
    /// No account of this payment, in whatever words.
    Unreadable(String),
}

impl Answer {
    /// The order, if it says where the money is.
    pub fn readable(&self) -> Option<&Order> {
        match self {
            Self::Order(order) => (order.money() != Money::Unreadable).then_some(order),
            Self::Unknown | Self::Unreadable(_) => None,
        }
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order) => order.fmt(f),
            Self::Unknown => f.write_str("no such payment"),
            Self::Unreadable(what) => f.write_str(what),
        }
    }
}

/// Asks about a payment; without a page there is none. An answer about another payment is no account of this one.
///
/// # Errors
/// [`Error::Unavailable`] if the provider was not reached, or does not do its work at the moment.
pub async fn order(app: &App, payment: &Model) -> Result<Answer> {
    let Some(tid) = payment.tid.as_deref() else { return Ok(Answer::Unknown) };
    match app.provider.order(tid).await {
        Ok(order) if order.tid == tid && order.partner_order_id == payment.id.to_string() => Ok(Answer::Order(order)),
        Ok(order) => {
            let about = format!("{} of {}", order.tid, order.partner_order_id);
            Ok(Answer::Unreadable(format!("asked about {tid} of {}, it answered about {about}", payment.id)))
        }
        Err(error) => unanswered(error),
    }
}

fn unanswered(error: CallError) -> Result<Answer> {
    match error {
        CallError::Refused { code: -721, .. } => Ok(Answer::Unknown),
        // Within the codes of payments, these are of who asks: the app, CID, GID or its secret is wrong. Nothing was said of
        // the payment, and will be once our settings are right.
        CallError::Refused { code: -733..=-730, .. } | CallError::InDoubt(_) | CallError::Unreachable(_) => {
            Err(Error::Unavailable(format!("kakaopay: {error}")))
        }
        CallError::Refused { code: -799..=-700, .. } | CallError::Unreadable(_) => {
            Ok(Answer::Unreadable(error.to_string()))
        }
        // Every other code is about the call: a key, a limit, a service that is down.
        CallError::Refused { .. } => Err(Error::Unavailable(format!("kakaopay: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_is_away_has_not_answered() {
        let refused = |code| CallError::Refused { code, message: "no".into() };
        assert!(matches!(unanswered(refused(-721)), Ok(Answer::Unknown)));
        for answered in [refused(-700), refused(-780), refused(-799), CallError::Unreadable("<html>".into())] {
            assert!(matches!(unanswered(answered.clone()), Ok(Answer::Unreadable(_))), "{answered}");
        }
        let (late, down) = (CallError::InDoubt("HTTP 503".into()), CallError::Unreachable("refused".into()));
        for away in [
            late,
            down,
            refused(401),
            refused(403),
            refused(-1),
            refused(-10),
            refused(-731),
            refused(-733),
            refused(-9798),
        ] {
            assert!(matches!(unanswered(away.clone()), Err(Error::Unavailable(_))), "{away}");
        }
    }
}
