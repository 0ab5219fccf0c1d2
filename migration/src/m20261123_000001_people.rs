//! People: accounts, admins and what they did.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        user(&build).await?;
        social_account(&build).await?;
        admin(&build).await?;
        audit_log(&build).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        build.drop("audit_log").await?;
        build.drop("admin").await?;
        build.drop("social_account").await?;
        build.drop("user").await?;
        Ok(())
    }
}

async fn user(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("user");
    table
        .col(c.uuid("id").not_null())
        .col(c.string("email", 254).null())
        .col(c.string("password_hash", 100).null())
        .col(c.string("nickname", 40).not_null())
        .col(c.date("birth_date").null())
        .col(c.string("phone_number", 20).null())
        .col(c.string("location", 100).null())
        .col(c.string("role", 24).not_null())
        .col(c.string("language", 2).not_null())
        .col(c.flag("is_reminded_by_mail").not_null())
        .col(c.big("notification_count").not_null())
        .col(c.time("created_at").not_null())
        .col(c.time("withdrawn_at").null())
        .primary_key(Index::create().col("id"));
    build.create(table).await?;
    // Sign-in, and one account for each address.
    build.unique("user_email", "user", &["email"]).await?;
    Ok(())
}

async fn social_account(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("social_account");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("user_id").not_null())
        .col(c.string("provider", 24).not_null())
        .col(c.string("subject", 190).not_null())
        .col(c.string("email", 254).null())
        .col(c.time("linked_at").not_null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "social_account", "user_id", "user");
    build.create(table).await?;
    // Sign-in by provider.
    build.unique("social_account_subject", "social_account", &["provider", "subject"]).await?;
    // One account of each provider for a person; the profile's list.
    build.unique("social_account_user", "social_account", &["user_id", "provider"]).await?;
    Ok(())
}

async fn admin(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("admin");
    table
        .col(c.uuid("id").not_null())
        .col(c.string("email", 254).not_null())
        .col(c.string("password_hash", 100).not_null())
        .col(c.string("totp_secret", 64).null())
        .col(c.time("created_at").not_null())
        .primary_key(Index::create().col("id"));
    build.create(table).await?;
    // Sign-in.
    build.unique("admin_email", "admin", &["email"]).await?;
    Ok(())
}

async fn audit_log(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("audit_log");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("admin_id").null())
        .col(c.string("action", 60).not_null())
        .col(c.string("subject_kind", 30).not_null())
        .col(c.string("subject_id", 60).not_null())
        .col(c.text("before").null())
        .col(c.text("after").null())
        .col(c.string("address", 45).null())
        .col(c.time("at").not_null())
        .primary_key(Index::create().col("id"));
    build.create(table).await?;
    // The admin's log, newest first.
    build.index("audit_log_at", "audit_log", &["at", "id"]).await?;
    Ok(())
}
