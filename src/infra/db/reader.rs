//! A connection of its own for one small read that nearly every request makes. The pools' connections are tried out before
//! and after each use, which is three round trips for one read; this one is not, and a connection that turns out to be
//! dead is replaced by a pool's, which were tried out. It comes on top of `database.max_connections`.

use super::{Db, Kind};
use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    DbErr, QueryResult, RuntimeErr, Statement,
    sea_query::SelectStatement,
    sqlx::{self, AssertSqlSafe, Database, Executor, IntoArguments, MySqlConnection, PgConnection, SqliteConnection},
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Mutex;

/// One statement at a time: who comes meanwhile waits. Taken out while it is used, so that a read which is given up in the
/// middle leaves nothing behind.
#[derive(Debug, Default)]
pub struct Reader(Mutex<Option<Connection>>);

#[derive(Debug)]
enum Connection {
    Sqlite(SqliteConnection),
    MySql(MySqlConnection),
    Postgres(PgConnection),
}

impl Reader {
    pub async fn close(&self) {
        self.0.lock().await.take();
    }
}

impl Connection {
    fn all<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<Vec<QueryResult>, sqlx::Error>> {
        match self {
            Self::Sqlite(connection) => prepared::<sqlx::Sqlite>(connection, statement).boxed(),
            Self::MySql(connection) => prepared::<sqlx::MySql>(connection, statement).boxed(),
            Self::Postgres(connection) => prepared::<sqlx::Postgres>(connection, statement).boxed(),
        }
    }
}

/// The rows of a statement that the connection prepares once.
pub async fn prepared<'a, D>(
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
    /// The rows of one small read, by a connection of its own.
    pub async fn read_apart(&self, select: &SelectStatement) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.reads.get_database_backend().build(select);
        let mut idle = self.reader.0.lock().await;
        if let Some(mut connection) = idle.take()
            && let Ok(rows) = connection.all(&statement).await
        {
            self.count();
            *idle = Some(connection);
            return Ok(rows);
        }
        let mut connection = self.own_connection().await?;
        let rows =
            connection.all(&statement).await.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))?;
        self.count();
        *idle = Some(connection);
        Ok(rows)
    }

    /// One that no pool knows of any more.
    async fn own_connection(&self) -> Result<Connection, DbErr> {
        // Boxed: the compiler loses its way in three drivers' futures at once.
        let acquired = match self.kind {
            Kind::Sqlite => {
                let pool = self.reads.get_sqlite_connection_pool();
                pool.acquire().boxed().await.map(|one| Connection::Sqlite(one.detach()))
            }
            Kind::MySql => {
                let pool = self.reads.get_mysql_connection_pool();
                pool.acquire().boxed().await.map(|one| Connection::MySql(one.detach()))
            }
            Kind::Postgres => {
                let pool = self.reads.get_postgres_connection_pool();
                pool.acquire().boxed().await.map(|one| Connection::Postgres(one.detach()))
            }
        };
        acquired.map_err(super::line::not_acquired)
    }
}
