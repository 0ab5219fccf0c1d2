//! What goes over a line, and when it is given up.

use super::super::{Db, lent::Lent, reader::prepared};
use futures_util::TryStreamExt;
use sea_orm::{
    DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    sqlx::{self, AssertSqlSafe, Either, Executor},
};
use std::{io, time::Duration};
use tokio::time::timeout;

#[derive(Debug)]
pub struct Wire {
    connection: Lent,
    /// Within a transaction, for all that we know.
    pub is_open: bool,
    /// Nobody answered in time: a host that vanished says nothing, not even that it did.
    pub is_dead: bool,
    patience: Duration,
}

/// The answer to a message of several statements.
#[derive(Debug, Default)]
pub struct Told {
    /// Of each statement: the rows that it answered, and how many it wrote.
    pub parts: Vec<(Vec<QueryResult>, u64)>,
}

impl Told {
    /// Rows that were written before the COMMIT at its end. (SQLite repeats there what the statement before it wrote.)
    pub fn hit(&self) -> u64 {
        let before = self.parts.len().saturating_sub(1).max(1);
        self.parts.iter().take(before).map(|(_, hit)| hit).sum()
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
        in_time(self.patience, &mut self.is_dead, telling).await
    }

    /// Begins a transaction of SQLite's, and asks all of this in it: there each statement is a message however it is sent,
    /// and those that were prepared are not read anew.
    pub async fn ask_sqlite(&mut self, asked: &[Statement]) -> Result<Vec<Vec<QueryResult>>, DbErr> {
        self.tell("BEGIN IMMEDIATE".to_owned()).await?;
        let Lent::Sqlite(one) = &mut self.connection else {
            return Err(DbErr::Custom("this is not SQLite".to_owned()));
        };
        let mut answers = Vec::with_capacity(asked.len());
        for statement in asked {
            answers.push(prepared::<sqlx::Sqlite>(one, statement).await.map_err(failed)?);
        }
        Ok(answers)
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
        if self.is_open || self.is_dead {
            // The pool would hand it out with a transaction that nobody knows of.
            self.connection.close_on_drop();
        }
    }
}

impl Db {
    pub(super) async fn wire(&self) -> Result<Wire, DbErr> {
        let _asking = self.asking();
        let connection = self.lend(&self.writes).await?;
        Ok(Wire { connection, is_open: false, is_dead: false, patience: self.patience })
    }
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}
