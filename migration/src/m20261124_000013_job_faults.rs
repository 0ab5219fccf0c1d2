//! How often a job failed by itself: an outage of somebody outside, however long, parks nothing.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        // What an older version enqueues meanwhile says nothing of faults: it has none.
        let mut faults = Columns::of(&build).int("faults");
        manager.alter_table(Table::alter().table("job").add_column(faults.not_null().default(0)).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("job").drop_column("faults").to_owned()).await
    }
}
