//! How a log says that the database is lost, or not there: nothing else may stand in it as a fault.

/// Of the system, of the drivers and the pools, of PostgreSQL, and of MariaDB.
const PHRASES: [&str; 20] = [
    "Connection refused",
    "Connection reset by peer",
    "Broken pipe",
    "unexpected end of file",
    "unexpected EOF",
    "expected to read",
    "pool timed out",
    "terminating connection due to",
    "terminating connection because of crash",
    "the database system is starting up",
    "the database system is shutting down",
    "the database system is in recovery mode",
    "the database system is not yet accepting connections",
    "server closed the connection",
    "Server shutdown in progress",
    "Normal shutdown",
    "Connection was killed",
    "server has gone away",
    "Lost connection",
    "closed the connection unexpectedly",
];

pub fn is_about(line: &str) -> bool {
    PHRASES.iter().any(|phrase| line.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::is_about;

    #[test]
    fn only_a_lost_database_is_excused() {
        for away in [
            "ERROR database: Execution Error: error communicating with database: Connection reset by peer (os error 104)",
            "ERROR database, at a commit: Execution Error: error communicating with database: expected to read 5 bytes, got 0 bytes at EOF",
            "ERROR database: Failed to acquire connection from pool: Connection pool timed out",
            "ERROR database: error returned from database: terminating connection due to administrator command",
        ] {
            assert!(is_about(away), "{away}");
        }
        for fault in [
            "ERROR database: Execution Error: error returned from database: 4025 (23000): CONSTRAINT `enough` failed",
            "ERROR database: Query Error: error returned from database: syntax error at or near",
            "ERROR database: Query Error: error returned from database: 1054 (42S22): Unknown column",
        ] {
            assert!(!is_about(fault), "{fault}");
        }
    }
}
