//! The audit log is append-only: the database itself refuses to change or delete its rows.

use crate::append_only::AppendOnly;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const LOG: AppendOnly = AppendOnly("audit_log");

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        LOG.begin(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        LOG.end(manager).await
    }
}
