//! Seen from beside: somebody waits for a lock.

use super::TestApp;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::time::{Duration, Instant};

/// No healthy database needs so long.
const LONG: Duration = Duration::from_secs(30);

/// The number that a query counts.
pub async fn count(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

impl TestApp {
    /// Until a statement about this table, which somebody has locked, is at its turn in the scenario's database.
    pub async fn until_waiting_for(&self, table: &str) {
        let db = self.app.db.reads();
        let sql = if db.get_database_backend() == DbBackend::Postgres {
            format!(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND \
                 query LIKE '%{table}%'"
            )
        } else {
            // The same question, a moment ago on another connection, is not meant.
            // What InnoDB itself tells of those who wait is as old as the last time that nobody asked for 0.1 s.
            format!(
                "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() AND \
                 command <> 'Sleep' AND info LIKE '%{table}%' AND info NOT LIKE '%processlist%'"
            )
        };
        let since = Instant::now();
        while count(db, &sql).await == 0 {
            assert!(since.elapsed() < LONG, "nobody waits for {table}");
        }
    }
}
