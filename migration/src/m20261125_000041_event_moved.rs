//! When an event's start was last moved: who booked before it is told, and may leave for free.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut moved = Columns::of(&Build::on(manager)).time("starts_moved_at");
        manager.alter_table(Table::alter().table("event").add_column(moved.null()).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("event").drop_column("starts_moved_at").to_owned()).await
    }
}
