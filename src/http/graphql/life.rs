//! How long a stream may live: as long as its token, and no longer than this node.

use super::Edge;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// A visitor has no token that runs out: after a day the client comes back.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Edge {
    /// What is left of a token; nothing if it has run out.
    pub fn left(&self, expires_at: Option<DateTime<Utc>>) -> Duration {
        expires_at.map_or(LONGEST, |at| (at - self.clock.now()).to_std().unwrap_or_default().min(LONGEST))
    }

    /// Ends with the token, or with the server.
    pub fn over(&self, expires_at: Option<DateTime<Utc>>) -> impl Future<Output = ()> + Send + 'static {
        let (shutdown, left) = (self.shutdown.clone(), self.left(expires_at));
        async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }
}
