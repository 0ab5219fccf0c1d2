//! Opens the pools, and brings the schema up to date.

use super::{Bundle, Db, Kind, Log};
use migration::Migrator;
use migration::MigratorTrait;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement,
    sqlx::{
        self, Executor,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Prepared statements that each connection keeps.
const STATEMENTS_KEPT: usize = 256;
/// SQLite's writer keeps few: single bookings' texts are long, each of several statements.
const WRITERS_STATEMENTS_KEPT: usize = 16;

/// `[database]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `sqlite:` (a file in the data folder), `sqlite:PATH`, `mysql://…` or `postgres://…`.
    pub url: SecretString,
    /// Connections to a database server, or readers of the SQLite file.
    pub max_connections: u32,
    /// How long a request waits for a free connection.
    pub acquire_seconds: u64,
    /// How long a statement waits for a lock before its transaction begins anew.
    pub lock_wait_seconds: u32,
    /// A transaction that asks nothing for so long belongs to a node that froze or was cut off: the server ends it, so that
    /// nobody waits for its locks. Not for SQLite, whose writer is this process.
    pub idle_transaction_seconds: u32,
    /// SQLite only: whether each commit waits for the disk. If not, a power cut loses the last commits, and no more.
    pub sqlite_full_sync: bool,
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("database.url: {0} is none of sqlite:, mysql:// and postgres://")]
    Scheme(String),
    #[error("database.url: cannot be read: {0}")]
    Address(url::ParseError),
    #[error("database.url: cannot open the database: {0}")]
    Connect(DbErr),
    #[error(
        "the database was written by a newer version of spotlight: it has the migration {0}, which this binary does not know"
    )]
    Newer(String),
    #[error("cannot bring the database up to date: {0}")]
    Migrate(DbErr),
}

impl Db {
    /// Connects; makes no table.
    pub async fn connect(settings: &DatabaseSettings, data_dir: &Path) -> Result<Self, OpenError> {
        let url = settings.url.expose_secret();
        let scheme = url.split(':').next().unwrap_or_default();
        let (committed, statements) = (Arc::new(watch::Sender::new(())), Arc::default());
        // The statements of a message wait for a few locks, each for so long.
        let patience = Duration::from_secs(u64::from(settings.lock_wait_seconds) * 4 + 10);
        match scheme {
            "sqlite" => {
                let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
                let file = if path.is_empty() { data_dir.join("spotlight.db") } else { path.into() };
                let url = format!("sqlite://{}?mode=rwc", file.display());
                let writes = connect(sqlite(settings, &url, (1, WRITERS_STATEMENTS_KEPT)), &statements).await?;
                let reads =
                    connect(sqlite(settings, &url, (settings.max_connections, STATEMENTS_KEPT)), &statements).await?;
                let (asking, reader) = (Arc::default(), Arc::default());
                let (kind, bundle) = (Kind::Sqlite, Bundle::Statements);
                let log = if settings.sqlite_full_sync { Some(Arc::new(log(&writes).await?)) } else { None };
                Ok(Self { kind, bundle, writes, reads, committed, statements, asking, reader, log, patience })
            }
            "mysql" | "mariadb" | "postgres" | "postgresql" => {
                // The libraries below repeat an address that they cannot read, password and all.
                url::Url::parse(url).map_err(OpenError::Address)?;
                let kind = if scheme.starts_with('p') { Kind::Postgres } else { Kind::MySql };
                let url = url.replacen("mariadb://", "mysql://", 1);
                let pool = connect(server(kind, settings, &url), &statements).await?;
                let (asking, reader) = (Arc::default(), Arc::default());
                let bundle = bundle(kind, &pool).await.map_err(OpenError::Connect)?;
                Ok(Self {
                    kind,
                    bundle,
                    writes: pool.clone(),
                    reads: pool,
                    committed,
                    statements,
                    asking,
                    reader,
                    log: None,
                    patience,
                })
            }
            _ => Err(OpenError::Scheme(shown(scheme, url).to_owned())),
        }
    }

    /// Applies the migrations that are missing; refuses a database that knows more than this binary.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        let known: Vec<String> = Migrator::migrations().iter().map(|m| m.name().to_owned()).collect();
        Migrator::install(&self.writes).await.map_err(OpenError::Migrate)?;
        let applied = Migrator::get_migration_models(&self.writes).await.map_err(OpenError::Migrate)?;
        if let Some(foreign) = applied.into_iter().find(|m| !known.contains(&m.version)) {
            return Err(OpenError::Newer(foreign.version));
        }
        Migrator::up(&self.writes, None).await.map_err(OpenError::Migrate)
    }
}

/// The scheme, if that is what it is: the rest of an address may be a password.
fn shown<'a>(scheme: &'a str, url: &str) -> &'a str {
    let is_scheme = scheme.len() < url.len() && scheme.chars().all(|letter| letter.is_ascii_lowercase());
    if is_scheme { scheme } else { "what it says" }
}

/// Of the file as SQLite found it: by way of links, and of what an address means by its signs.
async fn log(writes: &DatabaseConnection) -> Result<Log, OpenError> {
    let list = Statement::from_string(DbBackend::Sqlite, "SELECT file FROM pragma_database_list WHERE name = 'main'");
    let row = writes.query_one_raw(list).await.map_err(OpenError::Connect)?;
    let file: String =
        row.map(|row| row.try_get_by_index(0)).transpose().map_err(OpenError::Connect)?.unwrap_or_default();
    Ok(Log::of(Path::new(&file)))
}

/// By what the server says of itself.
async fn bundle(kind: Kind, pool: &DatabaseConnection) -> Result<Bundle, DbErr> {
    if kind != Kind::MySql {
        return Ok(Bundle::Statements);
    }
    let row = pool.query_one_raw(Statement::from_string(DbBackend::MySql, "SELECT VERSION()")).await?;
    let version: String = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(if version.contains("MariaDB") { Bundle::Block } else { Bundle::Statements })
}

async fn connect(options: ConnectOptions, statements: &Arc<AtomicU64>) -> Result<DatabaseConnection, OpenError> {
    let mut pool = Database::connect(options).await.map_err(OpenError::Connect)?;
    let statements = Arc::clone(statements);
    pool.set_metric_callback(move |_| {
        statements.fetch_add(1, Ordering::Relaxed);
    });
    Ok(pool)
}

fn basics(settings: &DatabaseSettings, url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(settings.acquire_seconds))
        .connect_timeout(Duration::from_secs(settings.acquire_seconds))
        .sqlx_logging(false);
    options
}

fn sqlite(settings: &DatabaseSettings, url: &str, (connections, kept): (u32, usize)) -> ConnectOptions {
    let synchronous = if settings.sqlite_full_sync { SqliteSynchronous::Full } else { SqliteSynchronous::Normal };
    let mut options = basics(settings, url, connections);
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            // A sale's opening writes pages all over its indexes, many of them again and again: most are copied into the file
            // once instead of with every thousandth page, and are found in memory.
            .pragma("cache_size", "-32768")
            .pragma("wal_autocheckpoint", "8000")
            .statement_cache_capacity(kept)
    });
    options
}

/// Every connection of a server's pool is told how long others may be kept waiting.
fn server(kind: Kind, settings: &DatabaseSettings, url: &str) -> ConnectOptions {
    let mut options = basics(settings, url, settings.max_connections);
    let (wait, idle) = (settings.lock_wait_seconds, settings.idle_transaction_seconds);
    if kind == Kind::Postgres {
        options.map_sqlx_postgres_opts(move |postgres| {
            postgres.statement_cache_capacity(STATEMENTS_KEPT).options([
                ("lock_timeout", format!("{wait}s")),
                ("idle_in_transaction_session_timeout", format!("{idle}s")),
                ("default_transaction_isolation", "read committed".to_owned()),
            ])
        });
    } else {
        // MySQL has no time-out for idle transactions, and reads over what is between the signs.
        let tell = format!(
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
             SET innodb_lock_wait_timeout = {wait} /*M!100300 , idle_transaction_timeout = {idle} */"
        );
        options.map_sqlx_mysql_opts(|mysql| mysql.statement_cache_capacity(STATEMENTS_KEPT));
        options.map_sqlx_mysql_pool_opts(move |pool| {
            let tell = tell.clone();
            pool.after_connect(move |connection, _| {
                let tell = tell.clone();
                Box::pin(async move { connection.execute(sqlx::AssertSqlSafe(tell)).await.map(drop) })
            })
        });
    }
    options
}
