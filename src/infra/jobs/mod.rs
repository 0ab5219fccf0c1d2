//! The outbox: what must happen after a commit is a row written in that commit, and done at least once.
//!
//! A job is claimed by compare-and-set on its lease, so that any number of nodes may look at the same rows on any
//! database; no transaction is open while it runs. It is removed when it answered `Ok`, tried again with backoff when
//! it did not, and parked when hopeless. Jobs are idempotent: a node may die between the doing and the removing.
//!
//! A schedule is a job that is planned again instead of being removed: its row is the lease, so that one node does it, and
//! another one takes over when that node is gone.
//!
//! Read `run` next for the life of one row, `worker` for who calls it, `schedule` for what comes again.

mod absorb;
mod lease;
mod parked;
mod run;
mod schedule;
mod worker;

pub use absorb::{absorb, forget, is_waiting};
pub use parked::AlertParkedJob;
pub use run::run_due;
pub use schedule::plan_schedules;
pub use worker::work;

use crate::{app::App, config::Config, error::Result, infra::ids::Ids};
use chrono::{DateTime, Utc};
use entity::ids::JobId;
use entity::job::{ActiveModel, Entity};
use futures_util::future::BoxFuture;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::HashMap, time::Duration};

/// Something to do after a commit. Its fields are ids and small facts, never copies of data.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// The row's name; never changed once released.
    const NAME: &'static str;
    /// Where it waits for its turn.
    const LANE: Lane = Lane::Quick;
    /// A schedule: done once for all nodes, then again so much later.
    const EVERY: Option<Duration> = None;
    /// It carries somebody's address, which no row knows any more or yet. It is given up where another would be parked:
    /// what waits for a person may lie for ever.
    const CARRIES_ADDRESS: bool = false;

    /// Does it; may be called again after it was done.
    fn run(self, app: &App) -> impl Future<Output = Result<()>> + Send;
}

/// Jobs that wait for somebody outside never hold up those that do not: a provider that hangs delays no reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Only our own database.
    Quick,
    /// Calls a provider.
    Outside,
    /// Gives money back: a canceled event has thousands of these, and who waits for a payment must not wait for them.
    Refund,
    /// Follows the database with the search index, which writes one after the other.
    Index,
    /// Hands letters to a mail server: many, and it may hang while money is waiting for the provider.
    Mail,
    /// Tells people that something is stuck: never behind what is stuck.
    Alert,
    /// Gives back what a hold set aside: within two seconds, also while a sale leaves thousands of other jobs.
    Expiry,
}

impl Lane {
    pub(crate) const ALL: [Self; 7] =
        [Self::Quick, Self::Outside, Self::Refund, Self::Index, Self::Mail, Self::Alert, Self::Expiry];

    /// In the row; never changed once released.
    pub(crate) const fn number(self) -> i32 {
        match self {
            Self::Quick => 0,
            Self::Outside => 1,
            Self::Mail => 2,
            Self::Refund => 3,
            Self::Index => 4,
            Self::Alert => 5,
            Self::Expiry => 6,
        }
    }

    /// How many of its jobs run at once on one node.
    fn slots(self, config: &Config) -> usize {
        match self {
            Self::Quick | Self::Outside | Self::Refund | Self::Alert | Self::Expiry => config.worker.concurrency,
            Self::Index => 1,
            Self::Mail => config.mail.max_connections,
        }
    }
}

/// Writes the row, in the caller's transaction, to be done at `run_at` or soon after.
pub async fn enqueue<J: Job>(
    txn: &impl ConnectionTrait,
    ids: &Ids,
    now: DateTime<Utc>,
    run_at: DateTime<Utc>,
    job: &J,
) -> Result<JobId> {
    let (id, row) = row(ids, now, run_at, job)?;
    Entity::insert(row).exec_without_returning(txn).await?;
    Ok(id)
}

/// A row that is not written yet.
pub fn row<J: Job>(ids: &Ids, now: DateTime<Utc>, run_at: DateTime<Utc>, job: &J) -> Result<(JobId, ActiveModel)> {
    let payload = serde_json::to_string(job).map_err(|error| crate::Error::fault(error.to_string()))?;
    let id = ids.next();
    let row = ActiveModel {
        id: Set(id),
        name: Set(J::NAME.into()),
        lane: Set(J::LANE.number()),
        payload: Set(payload),
        run_at: Set(run_at),
        attempts: Set(0),
        faults: Set(0),
        lease_owner: Set(None),
        lease_until: Set(None),
        parked_at: Set(None),
        last_error: Set(None),
        created_at: Set(now),
    };
    Ok((id, row))
}

type Runner = fn(App, String) -> BoxFuture<'static, Result<()>>;

#[derive(Clone, Copy, Debug)]
struct Known {
    lane: Lane,
    every: Option<Duration>,
    carries_address: bool,
    runner: Runner,
}

/// Which code runs which row.
#[derive(Clone, Debug, Default)]
pub struct Registry(HashMap<&'static str, Known>);

impl Registry {
    #[must_use]
    pub fn with<J: Job>(mut self) -> Self {
        let runner: Runner = |app, payload| {
            Box::pin(async move {
                let job: J = serde_json::from_str(&payload).map_err(|error| crate::Error::fault(error.to_string()))?;
                job.run(&app).await
            })
        };
        let known = Known { lane: J::LANE, every: J::EVERY, carries_address: J::CARRIES_ADDRESS, runner };
        self.0.insert(J::NAME, known);
        self
    }

    fn runner(&self, name: &str) -> Option<Runner> {
        self.0.get(name).map(|known| known.runner)
    }

    /// How long after it was done it is due again, if it is a schedule.
    fn every(&self, name: &str) -> Option<Duration> {
        self.0.get(name)?.every
    }

    fn carries_address(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|known| known.carries_address)
    }

    fn schedules(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|(_, known)| known.every.is_some()).map(|(name, _)| *name)
    }

    fn lane(&self, name: &str) -> Lane {
        self.0.get(name).map_or(Lane::Quick, |known| known.lane)
    }
}
