//! Transactions that the database itself asks to repeat: deadlock, lock time-out, busy.

use super::Line;
use crate::{
    error::{Error, Fault},
    infra::kill_point::{self, Moment},
};
use sea_orm::{
    DatabaseTransaction, DbErr, RuntimeErr, SqlErr,
    sqlx::{self, mysql::MySqlDatabaseError},
};
use std::time::Duration;

/// Runs the body inside a writing transaction: commits when it answers `Ok`, rolls back when it answers `Err`, and
/// starts again from the beginning when the database asks for it. The body must therefore do nothing but SQL.
///
/// ```ignore
/// let booking = transaction!(app, txn => hold(txn, app, &buyer, &input).await)?;
/// ```
#[macro_export]
macro_rules! transaction {
    ($app:expr, $txn:ident => $body:expr) => {{
        let mut attempts = $crate::infra::db::Attempts::new(&$app.db, &$app.ids, module_path!());
        loop {
            let begun = match $app.db.begin().await {
                Ok(begun) => begun,
                Err(error) => match attempts.failed(error).await {
                    None => continue,
                    Some(error) => break Err(error),
                },
            };
            let outcome = async {
                let $txn = &begun;
                $body
            }
            .await;
            match attempts.settle(begun, outcome).await {
                $crate::infra::db::Settled::Done(result) => break result,
                $crate::infra::db::Settled::Again => {}
            }
        }
    }};
}

/// What became of one attempt.
#[derive(Debug)]
pub enum Settled<T> {
    Done(Result<T, Error>),
    Again,
}

/// Counts the attempts at one transaction.
#[derive(Debug)]
pub struct Attempts<'a> {
    db: &'a super::Db,
    ids: &'a crate::infra::ids::Ids,
    /// The module that asked for the transaction.
    place: &'static str,
    made: u32,
    /// Those that may have been done before, here or elsewhere.
    done_before: u32,
    /// The first commit whose answer did not come.
    in_doubt: Option<DbErr>,
}

/// Deadlocks under a rush resolve within a few rounds; beyond this many something else is wrong.
const MOST: u32 = 12;
/// After a restart of the database the pool may hand out several dead connections; if it is still away, the caller is told.
const MOST_LOST: u32 = 4;

impl<'a> Attempts<'a> {
    pub const fn new(db: &'a super::Db, ids: &'a crate::infra::ids::Ids, place: &'static str) -> Self {
        Self { db, ids, place, made: 0, done_before: 0, in_doubt: None }
    }

    /// `None`: try again.
    pub async fn failed(&mut self, error: DbErr) -> Option<Error> {
        self.made += 1;
        if !self.is_worth_another(&error) {
            return Some(error.into());
        }
        self.pause().await;
        None
    }

    pub async fn settle<T>(&mut self, txn: DatabaseTransaction, outcome: Result<T, Error>) -> Settled<T> {
        let error = match outcome {
            Ok(value) => match self.commit(txn).await {
                Ok(()) => return Settled::Done(Ok(value)),
                // Nobody knows: done again here, it might be done twice.
                Err(error) if is_lost(&error) => return Settled::Done(Err(Fault::CommitInDoubt(error).into())),
                Err(error) => Error::from(error),
            },
            Err(error) => {
                // A connection that cannot roll back is broken; the pool closes it, which rolls back.
                let _closed = txn.rollback().await;
                error
            }
        };
        self.made += 1;
        match &error {
            Error::Fault(Fault::Database(database)) if self.is_worth_another(database) => {
                self.pause().await;
                Settled::Again
            }
            _ => Settled::Done(Err(error)),
        }
    }

    /// The same for a transaction over a line, whose last message has the COMMIT in it, and which can tell that it was done
    /// before: by a key that it stores. So a commit in doubt is tried again too, and a twin's answer is read.
    pub async fn settle_keyed<T>(&mut self, line: &mut Line, outcome: Result<T, Error>) -> Settled<T> {
        let error = match outcome {
            Ok(value) => return Settled::Done(Ok(value)),
            Err(error) => error,
        };
        line.rollback().await;
        let is_worth_another = match &error {
            Error::Fault(Fault::Database(database)) => {
                self.made += 1;
                self.is_worth_another(database)
            }
            Error::Fault(Fault::CommitInDoubt(_) | Fault::Twin) => {
                self.done_before += 1;
                self.done_before < MOST_LOST
            }
            _ => false,
        };
        if let Error::Fault(Fault::CommitInDoubt(doubt)) = &error {
            self.in_doubt.get_or_insert_with(|| doubt.clone());
        }
        if is_worth_another {
            self.pause().await;
            return Settled::Again;
        }
        // Whatever was wrong in the end: the first time it may have been done.
        Settled::Done(Err(self.in_doubt.take().map_or(error, |doubt| Fault::CommitInDoubt(doubt).into())))
    }

    fn is_worth_another(&self, error: &DbErr) -> bool {
        (self.made < MOST && is_transient(error)) || (self.made < MOST_LOST && is_lost(error))
    }

    async fn commit(&self, txn: DatabaseTransaction) -> Result<(), DbErr> {
        kill_point::pass(Moment::BeforeCommit, self.place);
        txn.commit().await?;
        kill_point::pass(Moment::AfterCommit, self.place);
        self.db.committed.send_replace(());
        Ok(())
    }

    /// Full jitter over a window that doubles: 2, 4, 8 … at most 128 ms.
    async fn pause(&self) {
        let window = 1_u64 << self.made.min(7);
        tokio::time::sleep(Duration::from_millis(self.ids.below(window) + 1)).await;
    }
}

/// Whether the database asks to run the whole transaction again.
pub fn is_transient(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))
    | DbErr::Conn(RuntimeErr::SqlxError(cause))) = error
    else {
        return false;
    };
    let sqlx::Error::Database(cause) = cause.as_ref() else { return false };
    if let Some(mysql) = cause.try_downcast_ref::<MySqlDatabaseError>() {
        // Deadlock; lock wait time-out; MariaDB's "record has changed since last read" under snapshot isolation.
        return matches!(mysql.number(), 1213 | 1205 | 1020);
    }
    // PostgreSQL: serialization failure, deadlock, lock not available. SQLite: BUSY, LOCKED, BUSY_SNAPSHOT.
    matches!(cause.code().as_deref(), Some("40001" | "40P01" | "55P03" | "5" | "6" | "517" | "261"))
}

/// Whether the database went away, so that what was not committed was not done.
pub fn is_lost(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))
    | DbErr::Conn(RuntimeErr::SqlxError(cause))) = error
    else {
        return matches!(error, DbErr::ConnectionAcquire(_));
    };
    match cause.as_ref() {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(cause) => match cause.try_downcast_ref::<MySqlDatabaseError>() {
            // Too many connections; shutdown in progress; the connection was killed; gone away; lost during the query.
            Some(mysql) => matches!(mysql.number(), 1040 | 1053 | 1077 | 1927 | 2006 | 2013),
            // PostgreSQL: too many connections, terminated by an administrator, crashed, starting up or shutting down,
            // ended because its transaction was idle.
            None => matches!(cause.code().as_deref(), Some("53300" | "57P01" | "57P02" | "57P03" | "25P03")),
        },
        _ => false,
    }
}

/// Whether the error is a violation of this unique index. SQLite names the columns instead of the index, so both are
/// given: `is_unique(&error, "user_email", "user.email")`.
pub fn is_unique(error: &DbErr, index: &str, column: &str) -> bool {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(message)) => message.contains(index) || message.contains(column),
        _ => false,
    }
}
