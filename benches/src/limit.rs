//! What a database can do by itself on one row: `BEGIN; SELECT … FOR UPDATE; INSERT; UPDATE; COMMIT`, by clients that
//! each have a connection of their own, in tables of their own that are as narrow as can be.

use crate::Result;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction, Statement,
    TransactionTrait, Value,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, task::JoinSet};

/// A row that everybody wants.
#[derive(Clone, Debug)]
pub struct Limit {
    pool: DatabaseConnection,
    backend: DatabaseBackend,
    /// A connection of each client, held for as long as this lives: nothing but the five statements is sent on it. (A
    /// transaction is how one gets hold of a connection; each ends with the first statement that is sent.)
    connections: Arc<Vec<Mutex<DatabaseTransaction>>>,
    next: Arc<AtomicI64>,
}

impl Limit {
    /// Connects so many clients. SQLite has one writer, whom they share.
    ///
    /// # Errors
    /// The database's.
    pub async fn open(url: &str, clients: usize) -> Result<Self> {
        let count = if url.starts_with("sqlite") { 1 } else { clients };
        let mut options = ConnectOptions::new(url);
        options.max_connections(u32::try_from(count)? + 1).sqlx_logging(false);
        options.acquire_timeout(Duration::from_secs(60)).connect_timeout(Duration::from_secs(60));
        if url.starts_with("sqlite") {
            use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
            });
        }
        let pool = Database::connect(options).await?;
        tables(&pool).await?;
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            let connection = pool.begin().await?;
            connection.execute_unprepared("COMMIT").await?;
            connections.push(Mutex::new(connection));
        }
        let backend = pool.get_database_backend();
        Ok(Self { backend, pool, connections: Arc::new(connections), next: Arc::default() })
    }

    fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        // PostgreSQL counts its parameters.
        let sql = match self.backend {
            DatabaseBackend::Postgres => sql.to_owned(),
            _ => ["$1", "$2", "$3"].iter().fold(sql.to_owned(), |sql, mark| sql.replace(mark, "?")),
        };
        Statement::from_sql_and_values(self.backend, sql, values)
    }

    async fn one(&self, buyer: i64) -> Result<()> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let place = usize::try_from(buyer)? % self.connections.len();
        let connection = self.connections.get(place).ok_or("no connection")?.lock().await;
        let is_sqlite = self.backend == DatabaseBackend::Sqlite;
        connection.execute_unprepared(if is_sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" }).await?;
        let lock = if is_sqlite { "" } else { " FOR UPDATE" };
        let read = format!("SELECT remaining FROM limit_row WHERE id = $1{lock}");
        let row = connection.query_one_raw(self.statement(&read, vec![1_i64.into()])).await?.ok_or("no row")?;
        if row.try_get_by_index::<i64>(0)? < 1 {
            return Err("sold out".into());
        }
        let sale = "INSERT INTO limit_sale (id, buyer, row_id) VALUES ($1, $2, $3)";
        connection.execute_raw(self.statement(sale, vec![id.into(), buyer.into(), 1_i64.into()])).await?;
        let take = "UPDATE limit_row SET remaining = remaining - 1 WHERE id = $1";
        connection.execute_raw(self.statement(take, vec![1_i64.into()])).await?;
        connection.execute_unprepared("COMMIT").await?;
        Ok(())
    }

    /// Transactions a second of so many clients.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub async fn rate(&self, clients: usize, time: Duration) -> Result<f64> {
        let mut running: JoinSet<Result<u32>> = JoinSet::new();
        let began = Instant::now();
        for buyer in 0..i64::try_from(clients)? {
            let limit = self.clone();
            running.spawn(async move {
                let mut done = 0_u32;
                while began.elapsed() < time {
                    limit.one(buyer).await?;
                    done += 1;
                }
                Ok(done)
            });
        }
        let mut done = 0;
        while let Some(one) = running.join_next().await {
            done += one??;
        }
        Ok(f64::from(done) / began.elapsed().as_secs_f64())
    }

    /// # Errors
    /// The database's.
    pub async fn close(self) -> Result<()> {
        drop(self.connections);
        Ok(self.pool.close().await?)
    }
}

async fn tables(pool: &DatabaseConnection) -> Result<()> {
    for sql in [
        "DROP TABLE IF EXISTS limit_sale",
        "DROP TABLE IF EXISTS limit_row",
        "CREATE TABLE limit_row (id BIGINT PRIMARY KEY, remaining BIGINT NOT NULL)",
        "CREATE TABLE limit_sale (id BIGINT PRIMARY KEY, buyer BIGINT NOT NULL, row_id BIGINT NOT NULL)",
        "INSERT INTO limit_row VALUES (1, 1000000000)",
    ] {
        pool.execute_unprepared(sql).await?;
    }
    Ok(())
}
