//! What kind of actor made a change, and who sat at the command line: without it a row of the command line says neither who
//! nor where.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        let c = Columns::of(&build);
        // Null in rows of before, which nothing can change: what they say otherwise tells the kind.
        for mut column in [c.string("actor", 24), c.string("operator", 200)] {
            let alter = Table::alter().table("audit_log").add_column(column.null()).to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["actor", "operator"] {
            manager.alter_table(Table::alter().table("audit_log").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
