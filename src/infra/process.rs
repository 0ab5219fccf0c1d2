//! What the process asks of the system.

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, getrlimit, setrlimit, umask},
};

/// The database, the index, the log, and what the runtime needs.
const OTHERS: u64 = 500;

/// Thousands of idle connections hold buffers that they hardly touch: in huge pages they would all be resident.
#[cfg(target_os = "linux")]
pub fn use_small_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages stay");
    }
}

#[cfg(not(target_os = "linux"))]
pub fn use_small_pages() {}

/// What this process writes is its owner's alone, the database of the embedded default included. Groups and others are let
/// in by who runs it, not by the system's habits.
pub fn keep_files_private() {
    let _before = umask(Mode::RWXG | Mode::RWXO);
}

/// Many systems begin with 1,024 open files, which a busy evening passes. Asks for as many as the system grants without privileges, and warns if the connections that are allowed would not
/// all find a place. The next ones wait; none is lost.
pub fn raise_file_limit(connections: usize) {
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
