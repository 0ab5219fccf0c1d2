//! A connection that is kept through transaction after transaction, for a place where everybody wants the same row. Each
//! takes two messages: what begins it asks at once for what is to be decided on, and what is written brings the COMMIT
//! along. A pooled connection is tried out before and after every use, and asks and is answered statement by statement:
//! three times as many round trips, each of which is felt while the row is locked.
//!
//! Statements leave in their text form, as those of a [`Batch`]. Whatever else a transaction asks for goes through
//! [`ConnectionTrait`], as on any connection.

mod wire;

use super::{
    Batch, Bundle, Db, Kind,
    batch::{Parts, inlined},
};
use crate::{
    error::{Error, Fault, Result},
    infra::{
        db::is_lost,
        kill_point::{self, Moment},
    },
};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, entity::prelude::async_trait::async_trait,
    sea_query::SelectStatement,
};
use tokio::sync::Mutex;
use wire::Wire;

/// Connects when it is first needed. What is dropped within a transaction is closed, which rolls back.
#[derive(Debug)]
pub struct Line {
    db: Db,
    /// The module that writes by it.
    place: &'static str,
    wire: Mutex<Option<Wire>>,
}

impl Line {
    /// Begins a transaction, and asks all of this in it: the rows of each.
    pub async fn begin(&mut self, asked: &[SelectStatement]) -> Result<Vec<Vec<QueryResult>>> {
        let backend = self.get_database_backend();
        let asked: Vec<Statement> = asked.iter().map(|select| backend.build(select)).collect();
        self.db.count(1 + asked.len());
        let (is_sqlite, is_block) = (self.db.kind == Kind::Sqlite, self.db.bundle == Bundle::Block);
        let wire = self.connected().await?;
        wire.is_open = true;
        if is_sqlite {
            return Ok(wire.ask_sqlite(&asked).await?);
        }
        let (begin, end) = if is_block { ("BEGIN NOT ATOMIC START TRANSACTION;", "END") } else { ("BEGIN;", "") };
        let mut told = wire.tell(bundled(begin, &asked, end)?).await?.parts;
        if told.len() != asked.len() + 1 {
            return Err(Error::fault(format!("{} answers to {} statements", told.len(), asked.len() + 1)));
        }
        // A block is answered at its end, a BEGIN at its own.
        told.remove(if is_block { asked.len() } else { 0 });
        Ok(told.into_iter().map(|(rows, _)| rows).collect())
    }

    /// Reads all of this outside of a transaction: the rows of each. SQLite has readers for that, whom no writer keeps
    /// waiting; PostgreSQL plans a text anew each time, and its readers have it planned. And for a line that breaks off there
    /// are always readers.
    pub async fn read(&mut self, asked: &[SelectStatement]) -> Result<Vec<Vec<QueryResult>>> {
        if self.db.kind == Kind::MySql {
            match self.read_at_once(asked).await {
                Err(Error::Fault(Fault::Database(error))) if is_lost(&error) => drop(self.wire.get_mut().take()),
                read => return read,
            }
        }
        let mut answers = Vec::with_capacity(asked.len());
        for select in asked {
            answers.push(self.db.reads().query_all(select).await?);
        }
        Ok(answers)
    }

    async fn read_at_once(&mut self, asked: &[SelectStatement]) -> Result<Vec<Vec<QueryResult>>> {
        let backend = self.get_database_backend();
        let statements: Vec<Statement> = asked.iter().map(|select| backend.build(select)).collect();
        let (begin, end) = if self.db.bundle == Bundle::Block { ("BEGIN NOT ATOMIC ", "END") } else { ("", "") };
        let sql = bundled(begin, &statements, end)?;
        self.db.count(asked.len());
        let told = self.connected().await?.tell(sql).await?;
        // A block is answered at its end, too.
        Ok(told.parts.into_iter().map(|(rows, _)| rows).take(asked.len()).collect())
    }

    /// Outside of a transaction.
    async fn connected(&mut self) -> Result<&mut Wire> {
        let wire = self.wire.get_mut();
        // Somebody gave up in the middle of a transaction.
        wire.take_if(|wire| wire.is_open);
        match wire {
            Some(wire) => Ok(wire),
            None => Ok(wire.insert(self.db.wire().await?)),
        }
    }

    /// Writes all of it and commits, in one message. A number of rows that is not the promised one must be an error of
    /// the database: afterwards it is too late. If nobody knows whether it committed, that is the error.
    pub async fn commit_with(&mut self, batch: Batch) -> Result<()> {
        let Parts { sql, statements, rows: promised } = batch.into_parts();
        self.db.count(statements);
        let sql = match self.db.bundle {
            Bundle::Block => format!("BEGIN NOT ATOMIC {sql}COMMIT;END"),
            Bundle::Statements => format!("{sql}COMMIT"),
        };
        kill_point::pass(Moment::BeforeCommit, self.place);
        let hit = self.last(sql).await?;
        if hit != promised {
            tracing::error!(hit, promised, place = self.place, "written together: not the promised number of rows");
        }
        Ok(())
    }

    /// For what was written before.
    pub async fn commit(&mut self) -> Result<()> {
        kill_point::pass(Moment::BeforeCommit, self.place);
        self.last("COMMIT".to_owned()).await.map(drop)
    }

    /// The message that ends in COMMIT; the rows that it hit.
    async fn last(&mut self, sql: String) -> Result<u64> {
        self.db.count(1);
        let wire = self.wire.get_mut().as_mut().filter(|wire| wire.is_open).ok_or_else(no_transaction)?;
        match wire.tell(sql).await {
            Ok(told) => {
                wire.is_open = false;
                kill_point::pass(Moment::AfterCommit, self.place);
                self.db.committed.send_replace(());
                Ok(told.hit())
            }
            Err(error) if is_lost(&error) => Err(Fault::CommitInDoubt(error).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends a transaction that is to leave nothing. A connection that cannot do that is closed, which does the same.
    pub async fn rollback(&mut self) {
        let wire = self.wire.get_mut();
        let Some(open) = wire.as_mut().filter(|wire| wire.is_open) else { return };
        self.db.count(1);
        if !open.is_dead && open.tell("ROLLBACK".to_owned()).await.is_ok() {
            open.is_open = false;
        } else {
            wire.take();
        }
    }

    /// Between two transactions: gives the connection back if others wait for one.
    pub fn rest(&mut self) {
        let db = &self.db;
        self.wire.get_mut().take_if(|_| db.is_wanted());
    }
}

fn bundled(begin: &str, asked: &[Statement], end: &str) -> Result<String> {
    let mut sql = begin.to_owned();
    for statement in asked {
        sql.push_str(&inlined(statement)?);
        sql.push(';');
    }
    sql.push_str(end);
    Ok(sql)
}

fn no_transaction() -> Error {
    Error::fault("there is no transaction")
}

impl Db {
    /// For `place`, which is its module.
    pub fn line(&self, place: &'static str) -> Line {
        Line { db: self.clone(), place, wire: Mutex::default() }
    }
}

#[async_trait]
impl ConnectionTrait for Line {
    fn get_database_backend(&self) -> DbBackend {
        self.db.writes.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.execute_unprepared(&inlined(&statement).map_err(unwritten)?).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.db.count(1);
        let mut wire = self.wire.lock().await;
        in_transaction(&mut wire)?.execute(sql.to_owned()).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.db.count(1);
        let mut wire = self.wire.lock().await;
        let told = in_transaction(&mut wire)?.tell(inlined(&statement).map_err(unwritten)?).await?;
        Ok(told.parts.into_iter().next().map(|(rows, _)| rows).unwrap_or_default())
    }
}

/// Outside of one, each statement would be a transaction of its own.
fn in_transaction(wire: &mut Option<Wire>) -> Result<&mut Wire, DbErr> {
    wire.as_mut().filter(|wire| wire.is_open).ok_or_else(|| unwritten(no_transaction()))
}

fn unwritten(error: Error) -> DbErr {
    DbErr::Custom(error.to_string())
}
