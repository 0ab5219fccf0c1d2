//! What admins list and search, and events that an admin removed.

use crate::build::{Build, Columns};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Each list newest first, all of it; and by what else it is looked up.
const INDEXES: [(&str, &str, &[&str]); 8] = [
    // `admin.users`
    ("user_newest", "user", &["created_at", "id"]),
    // `admin.events`
    ("event_newest", "event", &["created_at", "id"]),
    // `admin.reviews`
    ("review_newest", "review", &["created_at", "id"]),
    // `admin.reviews(filter: { authorId })`
    ("review_author", "review", &["user_id", "created_at", "id"]),
    // `admin.bookings`
    ("booking_newest", "booking", &["created_at", "id"]),
    // `admin.payments`
    ("payment_newest", "payment", &["created_at", "id"]),
    // `admin.settlements`
    ("settlement_newest", "settlement", &["created_at", "id"]),
    // `admin.auditLog(filter: { subjectId })`
    ("audit_log_subject", "audit_log", &["subject_id", "at", "id"]),
];

/// `admin.users(query)` and `admin.events(query)`: by the beginning of a text.
const PREFIXES: [(&str, &str, &str); 4] = [
    ("user_email_prefix", "user", "email"),
    ("user_nickname_prefix", "user", "nickname"),
    ("user_phone_prefix", "user", "phone_number"),
    ("event_title_prefix", "event", "title"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        let removed_at = Columns::of(&build).time("removed_at").null().to_owned();
        manager.alter_table(Table::alter().table("event").add_column(removed_at).to_owned()).await?;
        for (name, table, columns) in INDEXES {
            build.index(name, table, columns).await?;
        }
        for (name, table, column) in PREFIXES {
            prefix(&build, manager, name, table, column).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let prefixes = PREFIXES.into_iter().filter(|(name, ..)| is_made(backend, name));
        let indexes =
            prefixes.map(|(name, table, _)| (name, table)).chain(INDEXES.map(|(name, table, _)| (name, table)));
        for (name, table) in indexes {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        manager.alter_table(Table::alter().table("event").drop_column("removed_at").to_owned()).await
    }
}

/// PostgreSQL uses an index for `LIKE 'x%'` only if it compares byte by byte; elsewhere every index does, and the unique one
/// on the email serves.
fn is_made(backend: DbBackend, name: &str) -> bool {
    backend == DbBackend::Postgres || name != "user_email_prefix"
}

async fn prefix(
    build: &Build<'_>,
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    column: &'static str,
) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    if !is_made(backend, name) {
        return Ok(());
    }
    if backend == DbBackend::Postgres {
        let sql = format!("CREATE INDEX {name} ON \"{table}\" ({column} text_pattern_ops)");
        manager.get_connection().execute_unprepared(&sql).await?;
        return Ok(());
    }
    build.index(name, table, &[column]).await
}
