//! What is shown to whoever watches this from outside: how much of what there is now, each in one statement on an index.

use super::{
    invariants::watch::{self, LastCheck},
    list::{sales, work},
    payment_reconcile::grace,
};
use crate::{app::App, error::Result};
use entity::{job, payment};
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};

/// The same on every node that shares the database.
#[derive(Debug)]
pub struct Gauges {
    pub last_check: LastCheck,
    pub payments_in_doubt: u64,
    /// Jobs whose time has come, those that run now among them.
    pub jobs_due: u64,
    pub jobs_parked: u64,
}

pub async fn read(app: &App) -> Result<Gauges> {
    let (db, now) = (app.db.reads(), app.clock.now());
    let count = |which| job::Entity::find().filter(which).count(db);
    Ok(Gauges {
        last_check: watch::last(app).await?,
        payments_in_doubt: payment::Entity::find().filter(sales::is_in_doubt(now, grace(app))).count(db).await?,
        jobs_due: count(work::is_due(now)).await?,
        jobs_parked: count(work::is_parked()).await?,
    })
}
