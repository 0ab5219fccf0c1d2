//! The second factor of admins: a secret that waits for its first code, the last time step that was used, and recovery codes.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        let c = Columns::of(&build);
        // One at a time: SQLite adds no two columns in one statement.
        for mut column in [c.string("totp_pending", 64), c.big("totp_step")] {
            let alter = Table::alter().table("admin").add_column(column.null()).to_owned();
            manager.alter_table(alter).await?;
        }
        recovery_code(&build).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Build::on(manager).drop("admin_recovery_code").await?;
        for column in ["totp_pending", "totp_step"] {
            manager.alter_table(Table::alter().table("admin").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

async fn recovery_code(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("admin_recovery_code");
    table
        .col(c.uuid("admin_id").not_null())
        .col(c.string("code_hash", 64).not_null())
        .primary_key(Index::create().col("admin_id").col("code_hash"));
    build.references(&mut table, "admin_recovery_code", "admin_id", "admin");
    build.create(table).await
}
