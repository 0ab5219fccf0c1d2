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
    let was = json!({ "status": before.status, "changedAt": before.changed_at });
    let (status, changed_at) = (after.status, after.changed_at);
    let is = match claim {
        None => json!({ "status": status, "changedAt": changed_at, "hasAnswered": has_answered }),
        Some(claim) => {
            json!({ "status": status, "changedAt": changed_at, "hasAnswered": has_answered, "claim": claim })
        }
    };
    Change::new(action, "payment", before.id).before(was).after(is)
}
