//! Settlement, the outbox and the durable key-value pairs.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        settlement(&build).await?;
        settlement_line(&build).await?;
        settlement_run(&build).await?;
        job(&build).await?;
        kv(&build).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        build.drop("kv").await?;
        build.drop("job").await?;
        build.drop("settlement_run").await?;
        build.drop("settlement_line").await?;
        build.drop("settlement").await?;
        Ok(())
    }
}

async fn settlement(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("settlement");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("artist_id").not_null())
        .col(c.string("period", 7).not_null())
        .col(c.big("gross").not_null())
        .col(c.big("fee").not_null())
        .col(c.big("net").not_null())
        .col(c.int("booking_count").not_null())
        .col(c.time("created_at").not_null())
        .col(c.time("paid_at").null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "settlement", "artist_id", "user");
    build.create(table).await?;
    // One for each artist and month.
    build.unique("settlement_once", "settlement", &["artist_id", "period"]).await?;
    Ok(())
}

async fn settlement_line(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("settlement_line");
    table
        .col(c.uuid("booking_id").not_null())
        .col(c.uuid("settlement_id").not_null())
        .col(c.big("amount").not_null())
        .primary_key(Index::create().col("booking_id"));
    build.references(&mut table, "settlement_line", "booking_id", "booking");
    build.references(&mut table, "settlement_line", "settlement_id", "settlement");
    build.create(table).await?;
    // A statement's lines.
    build.index("settlement_line_settlement", "settlement_line", &["settlement_id"]).await?;
    Ok(())
}

async fn settlement_run(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("settlement_run");
    table
        .col(c.uuid("id").not_null())
        .col(c.string("period", 7).not_null())
        .col(c.string("status", 24).not_null())
        .col(c.text("progress").not_null())
        .col(c.time("started_at").not_null())
        .col(c.time("finished_at").null())
        .primary_key(Index::create().col("id"));
    build.create(table).await?;
    // One run for each month.
    build.unique("settlement_run_period", "settlement_run", &["period"]).await?;
    Ok(())
}

async fn job(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("job");
    table
        .col(c.uuid("id").not_null())
        .col(c.string("name", 60).not_null())
        .col(c.text("payload").not_null())
        .col(c.time("run_at").not_null())
        .col(c.int("attempts").not_null())
        .col(c.string("lease_owner", 40).null())
        .col(c.time("lease_until").null())
        .col(c.time("parked_at").null())
        .col(c.string("last_error", 500).null())
        .col(c.time("created_at").not_null())
        .primary_key(Index::create().col("id"));
    build.create(table).await?;
    // Workers looking for what is due; the admin's parked list.
    build.index("job_due", "job", &["parked_at", "run_at", "id"]).await?;
    Ok(())
}

async fn kv(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("kv");
    table
        .col(c.string("key", 190).not_null())
        .col(c.text("value").not_null())
        .col(c.time("expires_at").null())
        .primary_key(Index::create().col("key"));
    build.create(table).await?;
    // Sweeping out what has expired.
    build.index("kv_expires_at", "kv", &["expires_at"]).await?;
    Ok(())
}
