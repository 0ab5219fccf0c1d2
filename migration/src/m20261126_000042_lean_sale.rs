//! Fewer and narrower indexes on the tables that a sale fills: each is a page that every booking writes. Measured on
//! SQLite, they were half of what a booking cost there.

use crate::build::Build;
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What nothing needs any more.
const GONE: [(&str, &str); 5] = [
    // Newest first is by the id, which begins with the time.
    ("booking_newest", "booking"),
    ("payment_newest", "payment"),
    // A fan's tickets are those of the fan's bookings.
    ("ticket_user", "ticket"),
    // An event's tickets are those of its ticket types. (By person it was a page for each of them.)
    ("ticket_event", "ticket"),
    // Workers look by lane. What is parked is few, and has an index of its own where there are such.
    ("job_due", "job"),
];

/// Only of the rows that have something there, where the database has such indexes.
const PARTIAL: [(&str, &str, &str); 3] = [
    // Which booking holds a coupon.
    ("booking_coupon", "booking", "user_coupon_id"),
    // One row for each payment of the provider.
    ("payment_tid", "payment", "tid"),
    // The admin's list of what is stuck.
    ("job_parked", "job", "parked_at"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // MySQL commits each of these by itself: what stopped in between begins here again.
        if !manager.has_index("ticket", "ticket_type_status").await? {
            Build::on(manager).index("ticket_type_status", "ticket", &["ticket_type_id", "status", "id"]).await?;
        }
        for (name, table) in GONE {
            drop_index(manager, name, table).await?;
        }
        if manager.get_database_backend() == DbBackend::MySql {
            if !manager.has_index("job", "job_parked").await? {
                Build::on(manager).index("job_parked", "job", &["parked_at"]).await?;
            }
            return Ok(());
        }
        for (name, table, column) in PARTIAL {
            drop_index(manager, name, table).await?;
            let unique = if name == "payment_tid" { "UNIQUE " } else { "" };
            let sql = format!("CREATE {unique}INDEX {name} ON {table} ({column}) WHERE {column} IS NOT NULL");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        build.index("job_due", "job", &["parked_at", "run_at", "id"]).await?;
        build.index("ticket_event", "ticket", &["event_id", "status", "user_id"]).await?;
        build.index("ticket_user", "ticket", &["user_id", "created_at", "id"]).await?;
        build.index("payment_newest", "payment", &["created_at", "id"]).await?;
        build.index("booking_newest", "booking", &["created_at", "id"]).await?;
        drop_index(manager, "job_parked", "job").await?;
        if manager.get_database_backend() == DbBackend::MySql {
            // Its reference to the ticket type wants an index at every moment.
            return Ok(());
        }
        drop_index(manager, "ticket_type_status", "ticket").await?;
        for (name, table, column) in [PARTIAL[0], PARTIAL[1]] {
            drop_index(manager, name, table).await?;
            match name {
                "payment_tid" => build.unique(name, table, &[column]).await?,
                _ => build.index(name, table, &[column]).await?,
            }
        }
        Ok(())
    }
}

async fn drop_index(manager: &SchemaManager<'_>, name: &'static str, table: &'static str) -> Result<(), DbErr> {
    if manager.has_index(table, name).await? {
        manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
    }
    Ok(())
}
