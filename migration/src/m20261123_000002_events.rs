//! Events, their seats and their reminders.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        event(&build).await?;
        ticket_type(&build).await?;
        reminder(&build).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        build.drop("reminder").await?;
        build.drop("ticket_type").await?;
        build.drop("event").await?;
        Ok(())
    }
}

async fn event(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("event");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("artist_id").not_null())
        .col(c.string("title", 100).not_null())
        .col(c.text("content").not_null())
        .col(c.string("content_hash", 64).not_null())
        .col(c.string("venue_name", 100).not_null())
        .col(c.string("venue_address", 200).not_null())
        .col(c.string("category", 24).not_null())
        .col(c.string("status", 24).not_null())
        .col(c.time("starts_at").not_null())
        .col(c.time("ends_at").not_null())
        .col(c.time("booking_opens_at").not_null())
        .col(c.time("booking_closes_at").not_null())
        .col(c.time("cancelable_until").not_null())
        .col(c.big("lowest_price").not_null())
        .col(c.big("highest_price").not_null())
        .col(c.big("rating_sum").not_null())
        .col(c.int("review_count").not_null())
        .col(c.big("version").not_null())
        .col(c.time("created_at").not_null())
        .col(c.time("canceled_at").null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "event", "artist_id", "user");
    build.create(table).await?;
    // The public list when the search engine is down.
    build.index("event_starts_at", "event", &["status", "starts_at", "id"]).await?;
    // An artist's own events.
    build.index("event_artist", "event", &["artist_id", "starts_at", "id"]).await?;
    // Settlement of a month.
    build.index("event_ends_at", "event", &["ends_at"]).await?;
    Ok(())
}

async fn ticket_type(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("ticket_type");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("event_id").not_null())
        .col(c.int("position").not_null())
        .col(c.string("name", 60).not_null())
        .col(c.big("price").not_null())
        .col(c.int("capacity").not_null())
        .col(c.int("remaining").not_null())
        .col(c.int("per_person_limit").null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "ticket_type", "event_id", "event");
    table.check(Expr::cust("remaining >= 0"));
    table.check(Expr::cust("remaining <= capacity"));
    table.check(Expr::cust("price >= 0"));
    build.create(table).await?;
    // An event's ticket types in order.
    build.unique("ticket_type_event", "ticket_type", &["event_id", "position"]).await?;
    Ok(())
}

async fn reminder(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("reminder");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("event_id").not_null())
        .col(c.string("kind", 24).not_null())
        .col(c.time("due_at").not_null())
        .col(c.time("sent_at").null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "reminder", "event_id", "event");
    build.create(table).await?;
    // One of each kind for an event.
    build.unique("reminder_event", "reminder", &["event_id", "kind"]).await?;
    Ok(())
}
