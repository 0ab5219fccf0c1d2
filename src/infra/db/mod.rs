//! The database: one address, three kinds. Use cases read through [`Db::reads`] and write inside
//! [`transaction!`](crate::transaction), which commits, rolls back, and repeats what the database itself asks to
//! repeat.
//!
//! SQLite has one writer and several readers (WAL); its writing transactions begin IMMEDIATE, because a late upgrade
//! fails at once. `FOR UPDATE` is dropped there in silence: nothing may depend on it alone.

mod batch;
mod connect;
mod insert;
mod lent;
mod line;
mod log;
mod reader;
mod retry;

pub use batch::Batch;
pub use connect::{DatabaseSettings, OpenError};
pub use insert::{insert, padded};
pub use line::Line;
use log::Log;
pub use log::OnDisk;
use reader::Reader;
pub use retry::{Attempts, Settled, is_lost, is_transient, is_unique};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Which protocol the address speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    MySql,
    Postgres,
}

/// How several statements leave in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bundle {
    /// One after the other, each answered.
    Statements,
    /// As a block, which MariaDB answers once: MySQL has blocks in stored programs only.
    Block,
}

/// The pools, and the bell that rings after each commit.
#[derive(Clone, Debug)]
pub struct Db {
    kind: Kind,
    bundle: Bundle,
    writes: DatabaseConnection,
    reads: DatabaseConnection,
    committed: Arc<watch::Sender<()>>,
    statements: Arc<AtomicU64>,
    /// How many wait for a connection to write by.
    asking: Arc<AtomicUsize>,
    reader: Arc<Reader>,
    /// Of SQLite, if commits wait for the disk.
    log: Option<Arc<Log>>,
    /// How long a message over a line may wait for its answer.
    patience: Duration,
}

impl Db {
    /// For reading outside a transaction.
    pub const fn reads(&self) -> &DatabaseConnection {
        &self.reads
    }

    /// How many statements this process has run on it.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Rings after every commit, for everybody who listens: the worker looks for new jobs at once instead of at its next round.
    pub fn committed(&self) -> watch::Receiver<()> {
        self.committed.subscribe()
    }

    /// Begins a writing transaction. Use [`transaction!`](crate::transaction), which also ends it.
    ///
    /// In a task of its own, because whoever waits may be dropped: a client hangs up, an operation's time is over. sqlx's driver
    /// for MySQL forgets a `BEGIN` that it did not see answered, and the pool would hand out a connection with a transaction
    /// that nobody knows of. So it is always seen answered, and what nobody takes is rolled back.
    #[expect(clippy::disallowed_methods, reason = "it ends with the answer, and leaves nothing behind")]
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = match self.kind {
            Kind::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            },
            // READ COMMITTED, as each connection was told when it was opened (`connect`).
            Kind::MySql | Kind::Postgres => TransactionOptions::default(),
        };
        let (writes, asking) = (self.writes.clone(), self.asking());
        let begun = tokio::spawn(async move {
            let begun = writes.begin_with_options(options).await;
            drop(asking);
            begun
        });
        let begun = begun.await;
        begun.unwrap_or_else(|error| Err(DbErr::Custom(format!("the task that begins a transaction died: {error}"))))
    }

    /// For as long as somebody waits for a connection to write by.
    fn asking(&self) -> Asking {
        self.asking.fetch_add(1, Ordering::Relaxed);
        Asking(Arc::clone(&self.asking))
    }

    fn is_asked_for(&self) -> bool {
        self.asking.load(Ordering::Relaxed) > 0
    }

    /// Statements that do not pass the pools.
    fn count(&self, statements: usize) {
        self.statements.fetch_add(u64::try_from(statements).unwrap_or_default(), Ordering::Relaxed);
    }

    /// Whether a COMMIT can begin the next transaction. What speaks MySQL's language reads over it in places, and each statement
    /// would be a transaction of its own.
    fn can_chain(&self) -> bool {
        self.kind != Kind::MySql || self.bundle == Bundle::Block
    }

    /// How many of those who want to write the same row may try at once.
    pub const fn writers(&self, most: usize) -> usize {
        match self.kind {
            // Its writer is alone by nature.
            Kind::Sqlite => 1,
            Kind::MySql | Kind::Postgres => most,
        }
    }

    /// Whether the database answers now.
    pub async fn answers(&self) -> bool {
        self.reads.ping().await.is_ok()
    }

    pub async fn close(&self) -> Result<(), DbErr> {
        self.reader.close().await;
        self.reads.close_by_ref().await?;
        self.writes.close_by_ref().await
    }
}

struct Asking(Arc<AtomicUsize>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
