//! The log of a payment and the entries of points are append-only, as the audit log is: money is accounted for by rows that
//! nobody can change afterwards, neither a mistake in the code nor a hand at the database.

use crate::append_only::AppendOnly;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const LEDGERS: [&str; 2] = ["payment_event", "point_entry"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in LEDGERS {
            AppendOnly(table).begin(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in LEDGERS {
            AppendOnly(table).end(manager).await?;
        }
        Ok(())
    }
}
