//! What goes over a line, and when it is given up.

use super::super::{Db, lent::Lent};
use super::kept::Kept;
use futures_util::TryStreamExt;
use sea_orm::{
    DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    sqlx::{self, AssertSqlSafe, Either, Executor},
};
use sea_query_sqlx::SqlxValues;
use std::{io, time::Duration};
use tokio::time::timeout;

#[derive(Debug)]
pub struct Wire {
    connection: Lent,
    pub state: State,
    /// It commits without waiting for the disk.
    pub is_ahead: bool,
    pub kept: Kept,
    /// Nobody answered in time: a host that vanished says nothing, not even that it did.
    pub is_dead: bool,
    patience: Duration,
}

/// Where it stands, for all that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In no transaction.
    Idle,
    /// In one in which nothing was asked yet.
    Begun,
    /// In the middle of one.
    Open,
}

/// The answer to a message of several statements.
#[derive(Debug, Default)]
pub struct Told {
    /// Of each statement: the rows that it answered, and how many it wrote.
    pub parts: Vec<(Vec<QueryResult>, u64)>,
}

impl Told {
    /// Rows that were written after so many statements at its beginning, and before so many at its end. (SQLite repeats at a
    /// COMMIT what the statement before it wrote.)
    pub fn hit(&self, begins: usize, ends: usize) -> u64 {
        let before = self.parts.len().saturating_sub(ends);
        self.parts.iter().take(before).skip(begins).map(|(_, hit)| hit).sum()
    }
}

macro_rules! each {
    ($connection:expr, $one:ident => $body:expr) => {
        match $connection {
            Lent::Sqlite($one) => $body,
            Lent::MySql($one) => $body,
            Lent::Postgres($one) => $body,
        }
    };
}

impl Wire {
    /// Sends statements of our own in one message. An error ends the message there.
    pub async fn tell(&mut self, sql: String) -> Result<Told, DbErr> {
        let connection = &mut self.connection;
        let telling = async {
            let (mut told, mut rows) = (Told::default(), Vec::new());
            each!(connection, one => {
                let mut parts = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(&mut **one);
                while let Some(part) = parts.try_next().await? {
                    match part {
                        Either::Left(done) => told.parts.push((std::mem::take(&mut rows), done.rows_affected())),
                        Either::Right(row) => rows.push(row.into()),
                    }
                }
            });
            Ok(told)
        };
        let told = in_time(self.patience, &mut self.is_dead, telling).await;
        if told.is_err() {
            // How far did it come?
            self.kept = Kept::default();
        }
        told
    }

    /// Sends statements whose text comes again and again, and one more at their end: SQLite, which takes several statements as one
    /// that it has prepared.
    pub async fn tell_prepared(&mut self, first: &str, statements: Vec<Statement>, last: &str) -> Result<Told, DbErr> {
        let (mut sql, mut values) = (first.to_owned(), Vec::new());
        for statement in statements {
            sql.push_str(&statement.sql);
            sql.push(';');
            values.extend(statement.values.into_iter().flat_map(|values| values.0));
        }
        sql.push_str(last);
        let connection = &mut self.connection;
        let telling = async {
            let Lent::Sqlite(one) = connection else { return Err(sqlx::Error::Protocol("not SQLite".to_owned())) };
            let query = sqlx::query_with(AssertSqlSafe(sql), SqlxValues(sea_orm::Values(values)));
            let mut told = Told::default();
            let mut parts = (&mut **one).fetch_many(query);
            while let Some(part) = parts.try_next().await? {
                if let Either::Left(done) = part {
                    told.parts.push((Vec::new(), done.rows_affected()));
                }
            }
            Ok(told)
        };
        in_time(self.patience, &mut self.is_dead, telling).await
    }

    /// Asks what the database has prepared, or prepares now: its rows.
    pub async fn ask(&mut self, asked: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        let asking = self.connection.all(asked);
        in_time(self.patience, &mut self.is_dead, asking).await
    }

    /// Sends one statement that answers no rows.
    pub async fn execute(&mut self, sql: String) -> Result<ExecResult, DbErr> {
        let connection = &mut self.connection;
        let executing = async {
            each!(connection, one => {
                (&mut **one).execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(ExecResult::from)
            })
        };
        in_time(self.patience, &mut self.is_dead, executing).await
    }
}

async fn in_time<T>(
    patience: Duration,
    is_dead: &mut bool,
    asking: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DbErr> {
    let answer = timeout(patience, asking).await;
    *is_dead |= answer.is_err();
    answer.unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()))).map_err(failed)
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.state != State::Idle || self.is_ahead || self.is_dead {
            // The pool would hand it out with a transaction that nobody knows of.
            self.connection.close_on_drop();
        }
    }
}

impl Db {
    pub(super) async fn wire(&self) -> Result<Wire, DbErr> {
        let _asking = self.asking();
        let connection = self.lend(&self.writes).await?;
        Ok(Wire {
            connection,
            state: State::Idle,
            is_ahead: false,
            kept: Kept::default(),
            is_dead: false,
            patience: self.patience,
        })
    }
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}
