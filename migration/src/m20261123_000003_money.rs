//! Coupons and points.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        coupon(&build).await?;
        user_coupon(&build).await?;
        point_account(&build).await?;
        point_entry(&build).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        build.drop("point_entry").await?;
        build.drop("point_account").await?;
        build.drop("user_coupon").await?;
        build.drop("coupon").await?;
        Ok(())
    }
}

async fn coupon(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("coupon");
    table
        .col(c.uuid("id").not_null())
        .col(c.string("code", 40).not_null())
        .col(c.string("name", 100).not_null())
        .col(c.string("kind", 24).not_null())
        .col(c.string("discount_kind", 24).not_null())
        .col(c.big("discount_value").not_null())
        .col(c.big("discount_cap").null())
        .col(c.big("minimum_purchase").not_null())
        .col(c.time("valid_from").not_null())
        .col(c.time("valid_until").not_null())
        .col(c.int("quantity").not_null())
        .col(c.int("remaining").not_null())
        .col(c.big("version").not_null())
        .col(c.time("created_at").not_null())
        .col(c.time("deleted_at").null())
        .primary_key(Index::create().col("id"));
    table.check(Expr::cust("remaining >= 0"));
    table.check(Expr::cust("remaining <= quantity"));
    build.create(table).await?;
    // Look-up by code.
    build.unique("coupon_code", "coupon", &["code"]).await?;
    Ok(())
}

async fn user_coupon(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("user_coupon");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("user_id").not_null())
        .col(c.uuid("coupon_id").not_null())
        .col(c.string("status", 24).not_null())
        .col(c.time("issued_at").not_null())
        .col(c.time("used_at").null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "user_coupon", "user_id", "user");
    build.references(&mut table, "user_coupon", "coupon_id", "coupon");
    build.create(table).await?;
    // One for each person; a fan's list.
    build.unique("user_coupon_one_each", "user_coupon", &["user_id", "coupon_id"]).await?;
    Ok(())
}

async fn point_account(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("point_account");
    table
        .col(c.uuid("user_id").not_null())
        .col(c.big("balance").not_null())
        .col(c.big("held").not_null())
        .primary_key(Index::create().col("user_id"));
    build.references(&mut table, "point_account", "user_id", "user");
    table.check(Expr::cust("held >= 0"));
    table.check(Expr::cust("balance >= held"));
    build.create(table).await?;
    Ok(())
}

async fn point_entry(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("point_entry");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("user_id").not_null())
        .col(c.string("kind", 24).not_null())
        .col(c.string("cause", 60).not_null())
        .col(c.big("amount").not_null())
        .col(c.big("balance_after").not_null())
        .col(c.time("created_at").not_null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "point_entry", "user_id", "user");
    build.create(table).await?;
    // One cause, one entry.
    build.unique("point_entry_cause", "point_entry", &["kind", "cause"]).await?;
    // A person's history, newest first.
    build.index("point_entry_user", "point_entry", &["user_id", "created_at", "id"]).await?;
    Ok(())
}
