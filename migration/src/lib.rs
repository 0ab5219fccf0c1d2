//! The schema's history: one file for each change, never edited after a release; expand first, contract a release later.
//!
//! The same migrations run on SQLite, MariaDB/MySQL and PostgreSQL; what differs between them is in `build`.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigratorTrait, SchemaManager, prelude::Index};

mod append_only;
mod build;
mod m20261123_000001_people;
mod m20261123_000002_events;
mod m20261123_000003_money;
mod m20261123_000004_booking;
mod m20261123_000005_community;
mod m20261123_000006_work;
mod m20261123_000007_job_lane;
mod m20261123_000010_audit_append_only;
mod m20261123_000011_admin_totp;
mod m20261123_000012_admin_lists;
mod m20261124_000013_job_faults;
mod m20261125_000014_invariant_check;
mod m20261125_000015_ledgers_append_only;
mod m20261125_000020_audit_actor;
mod m20261125_000040_payment_taken;
mod m20261125_000041_event_moved;
mod m20261126_000042_lean_sale;

/// All migrations, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_people::Migration),
            Box::new(m20261123_000002_events::Migration),
            Box::new(m20261123_000003_money::Migration),
            Box::new(m20261123_000004_booking::Migration),
            Box::new(m20261123_000005_community::Migration),
            Box::new(m20261123_000006_work::Migration),
            Box::new(m20261123_000007_job_lane::Migration),
            Box::new(m20261123_000010_audit_append_only::Migration),
            Box::new(m20261123_000011_admin_totp::Migration),
            Box::new(m20261123_000012_admin_lists::Migration),
            Box::new(m20261124_000013_job_faults::Migration),
            Box::new(m20261125_000014_invariant_check::Migration),
            Box::new(m20261125_000015_ledgers_append_only::Migration),
            Box::new(m20261125_000020_audit_actor::Migration),
            Box::new(m20261125_000040_payment_taken::Migration),
            Box::new(m20261125_000041_event_moved::Migration),
            Box::new(m20261126_000042_lean_sale::Migration),
        ]
    }
}
