//! What the provider took, beside what was due and what went back: all that was taken is kept or returned.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        // Null where nothing is known to be taken, and where an older version wrote the payment meanwhile.
        let mut taken = Columns::of(&build).big("taken_amount");
        // MySQL commits each of these by itself: what stopped in between begins here again.
        if !manager.has_column("payment", "taken_amount").await? {
            manager.alter_table(Table::alter().table("payment").add_column(taken.null()).to_owned()).await?;
        }
        let db = manager.get_connection();
        db.execute_unprepared("UPDATE payment SET taken_amount = amount WHERE status = 'APPROVED'").await?;
        db.execute_unprepared("UPDATE payment SET taken_amount = canceled_amount WHERE status = 'CANCELED'").await?;
        // One payment for each booking. The new index first: MySQL wants one for the foreign key at every moment.
        if !manager.has_index("payment", "payment_of_booking").await? {
            build.unique("payment_of_booking", "payment", &["booking_id"]).await?;
        }
        if manager.has_index("payment", "payment_booking").await? {
            manager.drop_index(Index::drop().name("payment_booking").table("payment").to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Build::on(manager).index("payment_booking", "payment", &["booking_id"]).await?;
        manager.drop_index(Index::drop().name("payment_of_booking").table("payment").to_owned()).await?;
        manager.alter_table(Table::alter().table("payment").drop_column("taken_amount").to_owned()).await
    }
}
