//! A connection that a pool has lent, of whichever database: sea-orm lends none.

use super::{Db, Kind};
use futures_util::FutureExt;
use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{self, MySqlConnection, PgConnection, SqliteConnection, pool::PoolConnection},
};

#[derive(Debug)]
pub enum Lent {
    Sqlite(PoolConnection<sqlx::Sqlite>),
    MySql(PoolConnection<sqlx::MySql>),
    Postgres(PoolConnection<sqlx::Postgres>),
}

/// One that no pool knows of any more.
#[derive(Debug)]
pub enum Own {
    Sqlite(SqliteConnection),
    MySql(MySqlConnection),
    Postgres(PgConnection),
}

impl Lent {
    pub fn detach(self) -> Own {
        match self {
            Self::Sqlite(one) => Own::Sqlite(one.detach()),
            Self::MySql(one) => Own::MySql(one.detach()),
            Self::Postgres(one) => Own::Postgres(one.detach()),
        }
    }

    /// It does not go back to its pool.
    pub fn close_on_drop(&mut self) {
        match self {
            Self::Sqlite(one) => one.close_on_drop(),
            Self::MySql(one) => one.close_on_drop(),
            Self::Postgres(one) => one.close_on_drop(),
        }
    }
}

impl Db {
    /// From one of our pools.
    pub(super) async fn lend(&self, pool: &DatabaseConnection) -> Result<Lent, DbErr> {
        // Boxed: the compiler loses its way in three drivers' futures at once.
        let lent = match self.kind {
            Kind::Sqlite => pool.get_sqlite_connection_pool().acquire().boxed().await.map(Lent::Sqlite),
            Kind::MySql => pool.get_mysql_connection_pool().acquire().boxed().await.map(Lent::MySql),
            Kind::Postgres => pool.get_postgres_connection_pool().acquire().boxed().await.map(Lent::Postgres),
        };
        lent.map_err(not_lent)
    }

    /// Whether somebody waits for the connection that is kept, or the next one who comes will have to.
    pub(super) fn is_wanted(&self) -> bool {
        match self.kind {
            // Its writer is alone by nature: the pool is spent as long as it is kept.
            Kind::Sqlite => self.is_asked_for(),
            Kind::MySql => is_spent(self.writes.get_mysql_connection_pool()),
            Kind::Postgres => is_spent(self.writes.get_postgres_connection_pool()),
        }
    }
}

fn is_spent<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> bool {
    pool.size() >= pool.options().get_max_connections() && is_none(pool.num_idle())
}

/// sqlx lends a connection that is given back before it counts it as idle: for as long as whoever gives it back is held up
/// there, it counts one less, and one less than none is the greatest number. Whoever took that for a connection that is left
/// would wait for their own.
const fn is_none(idle: usize) -> bool {
    idle == 0 || idle > usize::MAX / 2
}

fn not_lent(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::is_none;

    #[test]
    fn one_less_than_none_is_none() {
        for (idle, expected) in [(0, true), (1, false), (100, false), (0_usize.wrapping_sub(1), true)] {
            assert_eq!(is_none(idle), expected, "{idle}");
        }
    }
}
