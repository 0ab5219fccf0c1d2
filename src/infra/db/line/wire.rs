//! The connection itself, of whichever database.

use super::super::{Db, Kind, reader::prepared};
use futures_util::TryStreamExt;
use sea_orm::{
    ConnAcquireErr, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    sqlx::{self, AssertSqlSafe, Either, Executor, pool::PoolConnection},
};
use std::sync::atomic::Ordering;

/// A connection that a pool has lent.
#[derive(Debug)]
pub struct Wire {
    connection: Connection,
    /// Within a transaction, for all that we know.
    pub is_open: bool,
}

#[derive(Debug)]
enum Connection {
    Sqlite(PoolConnection<sqlx::Sqlite>),
    MySql(PoolConnection<sqlx::MySql>),
    Postgres(PoolConnection<sqlx::Postgres>),
}

/// The answer to a message of several statements.
#[derive(Debug, Default)]
pub struct Told {
    /// Of each statement.
    pub rows: Vec<Vec<QueryResult>>,
    /// Rows that were written, in all.
    pub hit: u64,
}

macro_rules! each {
    ($connection:expr, $one:ident => $body:expr) => {
        match $connection {
            Connection::Sqlite($one) => $body,
            Connection::MySql($one) => $body,
            Connection::Postgres($one) => $body,
        }
    };
}

impl Wire {
    /// Sends statements of our own in one message. An error ends the message there.
    pub async fn tell(&mut self, sql: String) -> Result<Told, DbErr> {
        let (mut told, mut rows) = (Told::default(), Vec::new());
        each!(&mut self.connection, one => {
            let mut parts = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(&mut **one);
            while let Some(part) = parts.try_next().await.map_err(failed)? {
                match part {
                    Either::Left(done) => {
                        told.hit += done.rows_affected();
                        told.rows.push(std::mem::take(&mut rows));
                    }
                    Either::Right(row) => rows.push(row.into()),
                }
            }
        });
        Ok(told)
    }

    /// Begins a transaction of SQLite's, and asks all of this in it: there each statement is a message however it is sent,
    /// and those that were prepared are not read anew.
    pub async fn ask_sqlite(&mut self, asked: &[Statement]) -> Result<Vec<Vec<QueryResult>>, DbErr> {
        self.tell("BEGIN IMMEDIATE".to_owned()).await?;
        let Connection::Sqlite(one) = &mut self.connection else {
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
        each!(&mut self.connection, one => {
            let done = (&mut **one).execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
            done.map(ExecResult::from).map_err(failed)
        })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.is_open {
            // The pool would hand it out with a transaction that nobody knows of.
            each!(&mut self.connection, one => one.close_on_drop());
        }
    }
}

impl Db {
    pub(super) async fn wire(&self) -> Result<Wire, DbErr> {
        let _asking = self.asking();
        let connection = match self.kind {
            Kind::Sqlite => self.writes.get_sqlite_connection_pool().acquire().await.map(Connection::Sqlite),
            Kind::MySql => self.writes.get_mysql_connection_pool().acquire().await.map(Connection::MySql),
            Kind::Postgres => self.writes.get_postgres_connection_pool().acquire().await.map(Connection::Postgres),
        };
        Ok(Wire { connection: connection.map_err(not_acquired)?, is_open: false })
    }

    /// Whether somebody waits for a connection, or the next one who comes will have to.
    pub(super) fn is_wanted(&self) -> bool {
        self.asking.load(Ordering::Relaxed) > 0
            || match self.kind {
                // Its writer is alone by nature.
                Kind::Sqlite => false,
                Kind::MySql => is_spent(self.writes.get_mysql_connection_pool()),
                Kind::Postgres => is_spent(self.writes.get_postgres_connection_pool()),
            }
    }
}

fn is_spent<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> bool {
    pool.num_idle() == 0 && pool.size() >= pool.options().get_max_connections()
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

pub fn not_acquired(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}
