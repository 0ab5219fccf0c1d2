//! The lane of a job in its row: ten thousand letters that wait for a mail server are not looked through by who looks for
//! a refund.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        // What an older version enqueues meanwhile says nothing of lanes: it waits in the first, and is done.
        let mut lane = Columns::of(&build).int("lane");
        manager.alter_table(Table::alter().table("job").add_column(lane.not_null().default(0)).to_owned()).await?;
        // Workers looking for what is due. `job_due` stays for the admin's parked list.
        build.index("job_lane_due", "job", &["lane", "parked_at", "run_at", "id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("job_lane_due").table("job").to_owned()).await?;
        manager.alter_table(Table::alter().table("job").drop_column("lane").to_owned()).await
    }
}
