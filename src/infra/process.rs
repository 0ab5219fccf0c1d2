//! What the process asks of the system.

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, getrlimit, getuid, setrlimit, umask},
};
use std::fs;

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

/// Who sits at the command line, and where, as `name@host`.
pub fn operator() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
    let host = host.ok().map(|host| host.trim().to_owned()).filter(|host| !host.is_empty());
    let people = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let operator = format!("{}@{}", name(login(), &people), host.as_deref().unwrap_or("?"));
    operator.chars().take(200).collect()
}

/// Who signed in to the machine, also behind `sudo`, if the system remembers; else who runs this.
fn login() -> u32 {
    /// Nobody signed in: a container, or a service.
    const UNSET: u32 = u32::MAX;
    let told = fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| text.trim().parse().ok());
    told.filter(|uid| *uid != UNSET).unwrap_or_else(|| getuid().as_raw())
}

/// As `/etc/passwd` calls them; the number, if it does not know them.
fn name(uid: u32, people: &str) -> String {
    let mut lines = people.lines().map(|line| line.split(':'));
    let known = lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    known.unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_has_a_name_or_a_number() {
        let people = "root:x:0:0:root:/root:/bin/bash\nbroken\nmina:x:1000:1000::/home/mina:/bin/sh\n";
        for (uid, expected) in [(0, "root"), (1000, "mina"), (7, "uid 7")] {
            assert_eq!(name(uid, people), expected);
        }
        assert!(operator().split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty()));
    }
}
