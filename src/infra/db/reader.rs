//! A connection of its own for one small read that nearly every request makes. The pools' connections are tried out before
//! and after each use, which is three round trips for one read; this one is not, and a connection that turns out to be
//! dead is replaced by a pool's, which were tried out. It comes on top of `database.max_connections`.

use super::{
    Db,
    lent::{Lent, Own},
};
use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    DbErr, QueryResult, RuntimeErr, Statement,
    sea_query::SelectStatement,
    sqlx::{self, AssertSqlSafe, Database, Executor, IntoArguments},
};
use sea_query_sqlx::SqlxValues;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{sync::Mutex, time::timeout};

/// A healthy database answers such a read in a thousandth of it.
const PATIENCE: Duration = Duration::from_secs(4);

/// One statement at a time: who comes meanwhile waits.
#[derive(Debug, Default)]
pub struct Reader {
    /// Taken out while it is used: what breaks off leaves nothing behind.
    idle: Mutex<Option<Own>>,
    is_closed: AtomicBool,
}

impl Reader {
    pub async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.idle.lock().await.take();
    }
}

macro_rules! asked_by {
    ($connection:ident) => {
        impl $connection {
            /// The rows of a statement that the connection prepares once.
            pub fn all<'a>(&'a mut self, asked: &'a Statement) -> BoxFuture<'a, Result<Vec<QueryResult>, sqlx::Error>> {
                // Boxed: the compiler loses its way in three drivers' futures at once.
                match self {
                    Self::Sqlite(one) => prepared::<sqlx::Sqlite>(one, asked).boxed(),
                    Self::MySql(one) => prepared::<sqlx::MySql>(one, asked).boxed(),
                    Self::Postgres(one) => prepared::<sqlx::Postgres>(one, asked).boxed(),
                }
            }
        }
    };
}

asked_by!(Lent);
asked_by!(Own);

async fn prepared<'a, D>(
    connection: &'a mut D::Connection,
    statement: &'a Statement,
) -> Result<Vec<QueryResult>, sqlx::Error>
where
    D: Database,
    SqlxValues: IntoArguments<D>,
    &'a mut D::Connection: Executor<'a, Database = D>,
    QueryResult: From<D::Row>,
{
    let values = SqlxValues(statement.values.clone().unwrap_or_else(|| sea_orm::Values(Vec::new())));
    let rows = sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values).fetch_all(connection).await?;
    Ok(rows.into_iter().map(QueryResult::from).collect())
}

impl Db {
    /// The rows of each, by one connection of the readers.
    pub(super) async fn read_by_one(&self, asked: &[Statement]) -> Result<Vec<Vec<QueryResult>>, DbErr> {
        self.count(asked.len());
        let mut lent = self.lend(&self.reads).await?;
        let mut answers = Vec::with_capacity(asked.len());
        for statement in asked {
            answers.push(lent.all(statement).await.map_err(unread)?);
        }
        Ok(answers)
    }

    /// The rows of one small read, by a connection of its own. In a task of its own, too: a client that hangs up in the middle
    /// of it must not cost everybody else the connection.
    #[expect(clippy::disallowed_methods, reason = "it ends with the answer, and leaves nothing behind")]
    pub async fn read_apart(&self, select: &SelectStatement) -> Result<Vec<QueryResult>, DbErr> {
        let (db, statement) = (self.clone(), self.reads.get_database_backend().build(select));
        let read = tokio::spawn(async move { db.read_once_more(&statement).await }).await;
        read.unwrap_or_else(|error| Err(DbErr::Custom(format!("the task that reads died: {error}"))))
    }

    async fn read_once_more(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.count(1);
        let mut idle = self.reader.idle.lock().await;
        let mut connection = match idle.take() {
            Some(connection) => connection,
            None => self.lend(&self.reads).await?.detach(),
        };
        let mut read = timeout(PATIENCE, connection.all(statement)).await;
        if !matches!(read, Ok(Ok(_))) {
            connection = self.lend(&self.reads).await?.detach();
            read = timeout(PATIENCE, connection.all(statement)).await;
        }
        let rows = read.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut));
        let rows = rows.map_err(unread)?;
        if !self.reader.is_closed.load(Ordering::Acquire) {
            *idle = Some(connection);
        }
        Ok(rows)
    }
}

fn unread(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
