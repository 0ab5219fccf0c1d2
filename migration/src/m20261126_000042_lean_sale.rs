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
    // An event's tickets are those of its bookings. (By person it was a page for each of them.)
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
        for (name, table) in GONE {
            drop_index(manager, name, table).await?;
        }
        if manager.get_database_backend() == DbBackend::MySql {
            return add_index(manager, "job_parked", "job", &["parked_at"]).await;
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
        add_index(manager, "job_due", "job", &["parked_at", "run_at", "id"]).await?;
        add_index(manager, "ticket_event", "ticket", &["event_id", "status", "user_id"]).await?;
        add_index(manager, "ticket_user", "ticket", &["user_id", "created_at", "id"]).await?;
        add_index(manager, "payment_newest", "payment", &["created_at", "id"]).await?;
        add_index(manager, "booking_newest", "booking", &["created_at", "id"]).await?;
        drop_index(manager, "job_parked", "job").await?;
        if manager.get_database_backend() == DbBackend::MySql {
            return Ok(());
        }
        drop_index(manager, "booking_coupon", "booking").await?;
        add_index(manager, "booking_coupon", "booking", &["user_coupon_id"]).await?;
        drop_index(manager, "payment_tid", "payment").await?;
        Build::on(manager).unique("payment_tid", "payment", &["tid"]).await
    }
}

async fn add_index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    if manager.has_index(table, name).await? { Ok(()) } else { Build::on(manager).index(name, table, columns).await }
}

async fn drop_index(manager: &SchemaManager<'_>, name: &'static str, table: &'static str) -> Result<(), DbErr> {
    if manager.has_index(table, name).await? {
        manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
    }
    Ok(())
}
