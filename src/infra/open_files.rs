//! How many files and sockets the process may have open: many systems begin with 1,024, which a busy evening passes.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The database, the index, the log, and what the runtime needs.
const OTHERS: u64 = 500;

/// Asks for as many as the system grants without privileges, and warns if the connections that are allowed would not
/// all find a place. The next ones wait; none is lost.
pub fn raise_limit(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    if let Some(allowed) = getrlimit(Resource::Nofile).current
        && allowed < needed
    {
        tracing::warn!(
            allowed,
            needed,
            "fewer files may be open (ulimit -Hn) than server.connections.most needs: later connections will wait"
        );
    }
}
