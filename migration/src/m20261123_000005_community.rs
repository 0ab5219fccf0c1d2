//! Reviews, files and notifications.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        review(&build).await?;
        review_like(&build).await?;
        attachment(&build).await?;
        notification(&build).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        build.drop("notification").await?;
        build.drop("attachment").await?;
        build.drop("review_like").await?;
        build.drop("review").await?;
        Ok(())
    }
}

async fn review(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("review");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("event_id").not_null())
        .col(c.uuid("user_id").not_null())
        .col(c.int("rating").not_null())
        .col(c.text("content").not_null())
        .col(c.int("like_count").not_null())
        .col(c.time("created_at").not_null())
        .col(c.time("edited_at").null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "review", "event_id", "event");
    build.references(&mut table, "review", "user_id", "user");
    table.check(Expr::cust("rating >= 1"));
    table.check(Expr::cust("rating <= 5"));
    table.check(Expr::cust("like_count >= 0"));
    build.create(table).await?;
    // One review each.
    build.unique("review_one_each", "review", &["event_id", "user_id"]).await?;
    // An event's reviews, newest first.
    build.index("review_event", "review", &["event_id", "created_at", "id"]).await?;
    Ok(())
}

async fn review_like(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("review_like");
    table
        .col(c.uuid("review_id").not_null())
        .col(c.uuid("user_id").not_null())
        .col(c.time("created_at").not_null())
        .primary_key(Index::create().col("review_id").col("user_id"));
    build.references(&mut table, "review_like", "review_id", "review");
    build.create(table).await?;
    Ok(())
}

async fn attachment(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("attachment");
    table
        .col(c.uuid("id").not_null())
        .col(c.string("owner_kind", 24).not_null())
        .col(c.uuid("owner_id").not_null())
        .col(c.int("position").not_null())
        .col(c.string("object_key", 200).not_null())
        .col(c.string("content_type", 60).not_null())
        .col(c.big("byte_size").not_null())
        .col(c.time("created_at").not_null())
        .primary_key(Index::create().col("id"));
    build.create(table).await?;
    // An owner's files in order.
    build.unique("attachment_owner", "attachment", &["owner_kind", "owner_id", "position"]).await?;
    // One row for each object.
    build.unique("attachment_key", "attachment", &["object_key"]).await?;
    Ok(())
}

async fn notification(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("notification");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("user_id").not_null())
        .col(c.big("seq").not_null())
        .col(c.string("kind", 24).not_null())
        .col(c.string("subject", 60).not_null())
        .col(c.uuid("event_id").null())
        .col(c.text("data").not_null())
        .col(c.time("created_at").not_null())
        .col(c.time("read_at").null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "notification", "user_id", "user");
    build.create(table).await?;
    // Exactly once.
    build.unique("notification_once", "notification", &["user_id", "kind", "subject"]).await?;
    // Resuming a subscription; the list.
    build.unique("notification_seq", "notification", &["user_id", "seq"]).await?;
    Ok(())
}
