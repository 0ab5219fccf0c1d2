//! `spotlight keys rotate`, as the audit log keeps it. The keys themselves are files: see `auth::keys`.

use super::audit::{self, By, Change};
use crate::{app::App, error::Result, transaction};
use serde_json::json;

/// After it was done: which key signed before, and which signs now. A `kid` is the hash of a public key.
pub async fn note(app: &App, before: &str, after: &str) -> Result<()> {
    transaction!(app, txn => {
        let change = Change::new("keys.rotate", "key", after).before(json!({ "kid": before }));
        audit::write(txn, app, By::CommandLine, change.after(json!({ "kid": after }))).await
    })
}
