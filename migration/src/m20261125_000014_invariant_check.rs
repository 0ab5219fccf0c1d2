//! What the last check of each rule found, for every node to show.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        let c = Columns::of(&build);
        let mut table = build.table("invariant_check");
        table
            .col(c.string("slug", 60).not_null())
            .col(c.big("broken").not_null())
            .col(c.time("checked_at").not_null())
            .primary_key(Index::create().col("slug"));
        build.create(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Build::on(manager).drop("invariant_check").await
    }
}
