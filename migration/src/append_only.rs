//! A table whose rows the database itself refuses to change or delete, by triggers.
//!
//! A MySQL account may lack the right to make triggers (a managed server with its binary log on), and some servers that speak
//! the protocol have none. The product never changes such a row either way, so there a migration goes on without them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// No grammar for triggers (1064), no right to make them (1142, 1227, 1419), not supported (1235, 8108).
const WITHOUT_TRIGGERS: [&str; 6] = ["1064", "1142", "1227", "1235", "1419", "8108"];

/// The table's name.
pub struct AppendOnly(pub &'static str);

impl AppendOnly {
    pub async fn begin(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        // MySQL commits each by itself: what stopped in between begins here again.
        let again = ["update", "delete"].map(|change| format!("DROP TRIGGER IF EXISTS {}_no_{change}", self.0));
        let again = again.into_iter().filter(|_| backend == DbBackend::MySql);
        for sql in again.chain(self.triggers(backend)) {
            match manager.get_connection().execute_unprepared(&sql).await {
                Err(error) if backend == DbBackend::MySql && has_none(&error) => return Ok(()),
                done => done?,
            };
        }
        Ok(())
    }

    pub async fn end(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let (table, connection) = (self.0, manager.get_connection());
        if manager.get_database_backend() == DbBackend::Postgres {
            connection.execute_unprepared(&format!("DROP FUNCTION {table}_is_append_only() CASCADE")).await?;
            return Ok(());
        }
        for change in ["update", "delete"] {
            connection.execute_unprepared(&format!("DROP TRIGGER IF EXISTS {table}_no_{change}")).await?;
        }
        Ok(())
    }

    fn triggers(&self, backend: DbBackend) -> Vec<String> {
        let (table, why) = (self.0, format!("{} is append-only", self.0));
        let each = |refusal: &dyn Fn(&str, &str) -> String| {
            [("update", "UPDATE"), ("delete", "DELETE")].map(|(name, event)| refusal(name, event)).to_vec()
        };
        match backend {
            DbBackend::Postgres => vec![
                format!(
                    "CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS \
                     $$ BEGIN RAISE EXCEPTION '{why}'; END $$"
                ),
                format!(
                    "CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW \
                     EXECUTE FUNCTION {table}_is_append_only()"
                ),
                format!(
                    "CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT \
                     EXECUTE FUNCTION {table}_is_append_only()"
                ),
            ],
            DbBackend::MySql => each(&|name, event| {
                format!(
                    "CREATE TRIGGER {table}_no_{name} BEFORE {event} ON {table} FOR EACH ROW \
                     SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{why}'"
                )
            }),
            _ => each(&|name, event| {
                format!(
                    "CREATE TRIGGER {table}_no_{name} BEFORE {event} ON {table} \
                     BEGIN SELECT RAISE(ABORT, '{why}'); END"
                )
            }),
        }
    }
}

/// The driver's message reads `… database: 1419 (HY000): …`.
fn has_none(error: &DbErr) -> bool {
    let message = error.to_string();
    WITHOUT_TRIGGERS.iter().any(|code| message.contains(&format!("{code} (")))
}
