//! The audit log is append-only: the database itself refuses to change or delete its rows.
//!
//! A MySQL account may lack the right to make triggers (a managed server with its binary log on), and some servers that speak
//! the protocol have none. The product never changes a row either way, so there the migration goes on without them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const SQLITE: [&str; 2] = [
    "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END",
    "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END",
];

const MYSQL: [&str; 2] = [
    "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log FOR EACH ROW \
     SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log is append-only'",
    "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW \
     SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log is append-only'",
];

const POSTGRES: [&str; 3] = [
    "CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN RAISE EXCEPTION 'audit_log is append-only'; END $$",
    "CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW \
     EXECUTE FUNCTION audit_log_is_append_only()",
    "CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT \
     EXECUTE FUNCTION audit_log_is_append_only()",
];

/// No grammar for triggers (1064), no right to make them (1142, 1227, 1419), not supported (1235, 8108).
const WITHOUT_TRIGGERS: [&str; 6] = ["1064", "1142", "1227", "1235", "1419", "8108"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::MySql => &MYSQL,
            DbBackend::Postgres => &POSTGRES,
            _ => &SQLITE,
        };
        for sql in statements {
            match connection.execute_unprepared(sql).await {
                Err(error) if manager.get_database_backend() == DbBackend::MySql && has_none(&error) => return Ok(()),
                done => done?,
            };
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            connection.execute_unprepared("DROP FUNCTION audit_log_is_append_only() CASCADE").await?;
            return Ok(());
        }
        for name in ["audit_log_no_update", "audit_log_no_delete"] {
            connection.execute_unprepared(&format!("DROP TRIGGER IF EXISTS {name}")).await?;
        }
        Ok(())
    }
}

/// The driver's message reads `… database: 1419 (HY000): …`.
fn has_none(error: &DbErr) -> bool {
    let message = error.to_string();
    WITHOUT_TRIGGERS.iter().any(|code| message.contains(&format!("{code} (")))
}
