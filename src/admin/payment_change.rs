//! What the audit log keeps of a payment that somebody had asked about or decided.

use super::audit::Change;
use entity::payment::Model;
use serde_json::{Value, json};

/// What it was, what it is, whether the provider gave an account, and what the admin said of it, if that was said.
pub(super) fn change(
    action: &'static str,
    before: &Model,
    after: &Model,
    has_answered: bool,
    claim: Option<Value>,
) -> Change {
    let mut now = seen(after);
    now["hasAnswered"] = json!(has_answered);
    if let Some(claim) = claim {
        now["claim"] = claim;
    }
    Change::new(action, "payment", before.id).before(seen(before)).after(now)
}

fn seen(payment: &Model) -> Value {
    json!({ "status": payment.status, "changedAt": payment.changed_at })
}
