//! What the provider has, against what we have written down: `spotlight audit --provider`. Our own rules cannot see money
//! that only the provider knows of. What an admin decided is compared like anything else, as soon as it can be read.

use super::{
    ask::{self, Answer},
    decide, query,
};
use crate::{app::App, error::Result, infra::kakaopay::Money};
use entity::{
    enums::PaymentStatus,
    payment::{Column, Entity, Model},
};
use futures_util::{StreamExt, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Questions that are out at once: a provider has limits, and a till that is open needs it too.
const AT_ONCE: usize = 8;
const PAGE: u64 = 500;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Payments that the provider was asked about.
    pub asked: usize,
    /// Those in doubt: the reconciler's business, and no difference yet.
    pub in_doubt: usize,
    /// Of those asked about: they are as an admin decided them, and the provider answers, but with no account that could be
    /// compared. One that is away has not answered: that is a difference.
    pub decided: usize,
    /// In words, one for each payment that differs or could not be asked about.
    pub differences: Vec<String>,
}

/// Asks about every payment that ever had a page.
pub async fn compare(app: &App) -> Result<Comparison> {
    let mut all = Comparison::default();
    let mut after = None;
    loop {
        let mut page = Entity::find().filter(Column::Tid.is_not_null()).order_by_asc(Column::Id).limit(PAGE);
        if let Some(last) = after {
            page = page.filter(Column::Id.gt(last));
        }
        let rows = page.all(app.db.reads()).await?;
        let Some(last) = rows.last() else { return Ok(all) };
        after = Some(last.id);
        let asked = rows.len();
        let (in_doubt, sure): (Vec<Model>, Vec<Model>) = rows.into_iter().partition(is_in_doubt);
        all.in_doubt += in_doubt.len();
        all.asked += asked - in_doubt.len();
        let told = stream::iter(sure).map(|payment| look(app, payment)).buffer_unordered(AT_ONCE);
        for found in told.collect::<Vec<_>>().await {
            match found? {
                Found::Agrees => {}
                Found::Decided => all.decided += 1,
                Found::Differs(what) => all.differences.push(what),
            }
        }
    }
}

/// What came of asking about one.
enum Found {
    Agrees,
    Decided,
    Differs(String),
}

const fn is_in_doubt(payment: &Model) -> bool {
    matches!(payment.status, PaymentStatus::Pending | PaymentStatus::Approving | PaymentStatus::Canceling)
}

async fn look(app: &App, payment: Model) -> Result<Found> {
    let asked = ask::order(app, &payment).await;
    let said = asked.as_ref().map_or_else(ToString::to_string, ToString::to_string);
    if asked.as_ref().is_ok_and(|answer| agrees(&payment, answer)) {
        return Ok(Found::Agrees);
    }
    let db = app.db.reads();
    // It may have gone on while the question was out.
    if query::by_id(db, payment.id).await?.is_some_and(|now| now.changed_at != payment.changed_at) {
        return Ok(Found::Agrees);
    }
    let Model { id, status, amount, canceled_amount, changed_at, .. } = payment;
    let what = format!("{id} over {amount} is {status:?} with {canceled_amount} back; the provider says: {said}");
    let is_unreadable = asked.is_ok_and(|answer| answer.readable().is_none());
    Ok(match decide::last_word(db, id).await? {
        Some(word) if is_unreadable && word.at >= changed_at => Found::Decided,
        Some(word) => Found::Differs(format!("{what}; it was decided: {}", word.detail)),
        None => Found::Differs(what),
    })
}

/// Whether the provider has what our row says.
fn agrees(payment: &Model, answer: &Answer) -> bool {
    let money = match answer {
        Answer::Order(order) => Some(order.money()),
        Answer::Unknown => None,
        Answer::Unreadable(_) => Some(Money::Unreadable),
    };
    match payment.status {
        PaymentStatus::Approved => money == Some(Money::Taken { amount: payment.amount, returned: 0 }),
        PaymentStatus::Canceled => {
            let all = payment.canceled_amount;
            money == Some(Money::Taken { amount: all, returned: all })
        }
        PaymentStatus::Ready | PaymentStatus::Failed | PaymentStatus::Expired => {
            matches!(money, None | Some(Money::NotYet | Money::Never))
        }
        PaymentStatus::Pending | PaymentStatus::Approving | PaymentStatus::Canceling => true,
    }
}
