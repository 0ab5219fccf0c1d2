//! A connection that is kept through transaction after transaction, for a place where everybody wants the same row. Each
//! takes two messages, or only the second: what is to be decided on, asked by what the database has prepared (MySQL: by a text), and what is
//! written, which brings along the COMMIT and, if others wait, the BEGIN of the next. A pooled connection is tried out
//! before and after every use, and asks and is answered statement by statement: four times as many round trips, each of
//! which is felt while the row is locked.
//!
//! Whatever else a transaction asks for goes through [`ConnectionTrait`], as on any connection, in its text form.

mod ending;
mod kept;
mod wire;

use super::{
    Batch, Bundle, Db, Kind,
    batch::{Parts, Written, inlined},
};
use crate::{
    error::{Error, Fault, Result},
    infra::{
        db::is_lost,
        kill_point::{self, Moment},
    },
};
use ending::{Ending, Opening};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, entity::prelude::async_trait::async_trait,
};
use tokio::sync::Mutex;
use wire::{State, Wire};

/// What a batch writes whose text will come again.
const FEW: usize = 1;

/// Connects when it is first needed. What is dropped within a transaction is closed, which rolls back.
#[derive(Debug)]
pub struct Line {
    db: Db,
    /// The module that writes by it.
    place: &'static str,
    wire: Mutex<Option<Wire>>,
    is_followed: bool,
}

impl Line {
    /// Begins a transaction, if the last COMMIT did not, and asks this in it: the rows of each.
    pub async fn begin(&mut self, asked: &[Statement]) -> Result<Vec<Vec<QueryResult>>> {
        let (kind, bundle, db) = (self.db.kind, self.db.bundle, self.db.clone());
        let wire = self.connected().await?;
        let has_begun = wire.state == State::Begun;
        // Already now: who gives up in the middle of it leaves a transaction behind.
        wire.state = State::Open;
        db.count(asked.len() + usize::from(!has_begun));
        if kind == Kind::MySql {
            return ask_at_once(wire, asked, bundle, !has_begun).await;
        }
        if !has_begun {
            let begin = if kind == Kind::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
            wire.tell(begin.to_owned()).await?;
        }
        let mut answers = Vec::with_capacity(asked.len());
        for statement in asked {
            answers.push(wire.ask(statement).await?);
        }
        Ok(answers)
    }

    /// Reads all of this outside of a transaction: the rows of each. SQLite has readers for that, whom no writer keeps
    /// waiting; PostgreSQL plans a text anew each time, and its readers have it planned. And for a line that breaks off there
    /// are always readers.
    pub async fn read(&mut self, asked: &[Statement]) -> Result<Vec<Vec<QueryResult>>> {
        if self.db.kind == Kind::Postgres {
            // Its readers are of the same pool: as many sales as it has connections would wait for one another.
            self.rest().await;
        }
        self.end().await;
        if self.db.kind == Kind::MySql {
            match self.read_by_itself(asked).await {
                Err(Error::Fault(Fault::Database(error))) if is_lost(&error) => drop(self.wire.get_mut().take()),
                read => return read,
            }
        }
        Ok(self.db.read_by_one(asked).await?)
    }

    /// A few values in one message. A text with many takes longer to be read than another message to come and go.
    async fn read_by_itself(&mut self, asked: &[Statement]) -> Result<Vec<Vec<QueryResult>>> {
        self.db.count(asked.len());
        let bundle = self.db.bundle;
        let wire = self.connected().await?;
        if !asked.iter().any(kept::has_many_values) {
            return ask_at_once(wire, asked, bundle, false).await;
        }
        let mut answers = Vec::with_capacity(asked.len());
        for statement in asked {
            answers.push(wire.ask(statement).await?);
        }
        Ok(answers)
    }

    /// With nothing under way in it.
    async fn connected(&mut self) -> Result<&mut Wire> {
        let wire = self.wire.get_mut();
        // Somebody gave up in the middle of a transaction.
        wire.take_if(|wire| wire.state == State::Open);
        match wire {
            Some(wire) => Ok(wire),
            None => Ok(wire.insert(self.db.wire().await?)),
        }
    }

    /// Whether another transaction will follow the next one at once: then its COMMIT begins it.
    pub const fn followed(&mut self, is_followed: bool) {
        self.is_followed = is_followed;
    }

    /// Writes all of it and commits, in one message. A number of rows that is not the promised one must be an error of
    /// the database: afterwards it is too late. If nobody knows whether it committed, that is the error.
    pub async fn commit_with(&mut self, batch: Batch) -> Result<()> {
        let Parts { written, statements, rows: promised } = batch.into_parts();
        self.db.count(statements);
        kill_point::pass(Moment::BeforeCommit, self.place);
        let hit = self.last(Opening::default(), written).await?;
        self.compare(hit, promised);
        Ok(())
    }

    /// Whether [`Self::at_once`] gains anything, and can make sure of what it writes. PostgreSQL plans anew what comes as a text,
    /// which costs more than a message; MySQL before 8.0.16 and TiDB as it comes read over a CHECK.
    pub fn gains_at_once(&self) -> bool {
        self.keeps_statements()
    }

    /// Whether the database need not read again what comes again.
    fn keeps_statements(&self) -> bool {
        self.db.kind == Kind::Sqlite || self.db.bundle == Bundle::Block
    }

    /// A whole transaction in one message: asks this for the sake of its locks, writes all of it and commits, as
    /// [`Self::commit_with`] does.
    pub async fn at_once(&mut self, locks: &[Statement], batch: Batch) -> Result<()> {
        let Parts { written, statements, rows: promised } = batch.into_parts();
        let wire = self.connected().await?;
        let begins = wire.state != State::Begun;
        wire.state = State::Open;
        self.db.count(statements + locks.len() + usize::from(begins));
        kill_point::pass(Moment::BeforeCommit, self.place);
        let hit = self.last(Opening { begins, locks }, written).await?;
        self.compare(hit, promised);
        Ok(())
    }

    fn compare(&self, hit: u64, promised: u64) {
        if hit != promised {
            tracing::error!(hit, promised, place = self.place, "written together: not the promised number of rows");
        }
    }

    /// For what is written with the COMMIT, of so many bookings or whatever it is: of a few the text will come again.
    pub fn batch(&self, rows: usize) -> Batch {
        if self.keeps_statements() && rows <= FEW { Batch::marked(self) } else { Batch::on(self) }
    }

    /// For what was written before.
    pub async fn commit(&mut self) -> Result<()> {
        kill_point::pass(Moment::BeforeCommit, self.place);
        self.last(Opening::default(), Written::Text(String::new())).await.map(drop)
    }

    /// The last message of a transaction, with the COMMIT at its end; the rows that it hit.
    async fn last(&mut self, opening: Opening<'_>, written: Written) -> Result<u64> {
        self.db.count(1);
        let log = self.db.log.as_ref();
        let may_be_ahead = log.is_some_and(|log| log.is_whole());
        let is_wanted = self.db.is_wanted();
        let wire = self.wire.get_mut().as_mut().filter(|wire| wire.state == State::Open).ok_or_else(no_transaction)?;
        let was_ahead = wire.is_ahead;
        // If the disk has failed meanwhile, nobody goes on without it.
        let is_chained = self.is_followed && self.db.can_chain() && !is_wanted && (may_be_ahead || !was_ahead);
        let is_ahead = is_chained && may_be_ahead;
        let commit = match self.db.kind {
            Kind::Sqlite => sqlite_commit(is_chained, was_ahead, is_ahead),
            _ if is_chained => "COMMIT AND CHAIN",
            _ => "COMMIT",
        };
        let ending = Ending { kind: self.db.kind, bundle: self.db.bundle, opening, commit };
        let told = ending.send(wire, written).await?;
        if was_ahead && let Some(log) = log {
            // Even if nobody knows what became of it.
            log.note();
        }
        match told {
            Ok(told) => {
                wire.state = if is_chained { State::Begun } else { State::Idle };
                wire.is_ahead = is_ahead;
                kill_point::pass(Moment::AfterCommit, self.place);
                self.db.committed.send_replace(());
                Ok(ending.hit(&told))
            }
            Err(error) if is_lost(&error) => Err(Fault::CommitInDoubt(error).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends a transaction that is to leave nothing. A connection that cannot do that is closed, which does the same.
    pub async fn rollback(&mut self) {
        let wire = self.wire.get_mut();
        let Some(open) = wire.as_mut().filter(|wire| wire.state != State::Idle) else { return };
        self.db.count(1);
        // Who gives up in the middle of it must not take it for one that has just begun.
        open.state = State::Open;
        let rollback = if open.is_ahead { "ROLLBACK;PRAGMA synchronous=FULL" } else { "ROLLBACK" };
        if !open.is_dead && open.tell(rollback.to_owned()).await.is_ok() {
            open.state = State::Idle;
            open.is_ahead = false;
        } else {
            wire.take();
        }
    }

    /// No transaction follows: the one that the last COMMIT began, if it did, is given up before anybody did anything in it.
    pub async fn end(&mut self) {
        if self.wire.get_mut().as_ref().is_some_and(|wire| wire.state == State::Begun) {
            self.rollback().await;
        }
    }

    /// Between two transactions: gives the connection back if others wait for one.
    pub async fn rest(&mut self) {
        if self.db.is_wanted() {
            self.end().await;
            self.wire.get_mut().take();
        }
    }
}

/// The BEGIN is not IMMEDIATE: that could fail after the COMMIT. It has become stale if another process writes meanwhile, which
/// its own first write will be told.
const fn sqlite_commit(is_chained: bool, was_ahead: bool, is_ahead: bool) -> &'static str {
    match (is_chained, was_ahead, is_ahead) {
        (true, false, true) => "COMMIT;PRAGMA synchronous=NORMAL;BEGIN",
        (true, ..) => "COMMIT;BEGIN",
        (false, true, _) => "COMMIT;PRAGMA synchronous=FULL",
        (false, false, _) => "COMMIT",
    }
}

/// In one message, with a BEGIN before it if that is wanted.
async fn ask_at_once(
    wire: &mut Wire,
    asked: &[Statement],
    bundle: Bundle,
    begins: bool,
) -> Result<Vec<Vec<QueryResult>>> {
    let (begin, end) = match (bundle, begins) {
        (Bundle::Block, true) => ("BEGIN NOT ATOMIC START TRANSACTION;", "END"),
        (Bundle::Block, false) => ("BEGIN NOT ATOMIC ", "END"),
        (Bundle::Statements, true) => ("BEGIN;", ""),
        (Bundle::Statements, false) => ("", ""),
    };
    let sql = match bundle {
        Bundle::Block => format!("{begin}{}{end}", wire.kept.text(asked)?),
        Bundle::Statements => bundled(begin, asked, end)?,
    };
    let mut told = wire.tell(sql).await?.parts;
    // A block is answered at its end, a BEGIN at its own.
    if bundle == Bundle::Statements && begins && !told.is_empty() {
        told.remove(0);
    }
    if told.len() < asked.len() {
        return Err(Error::fault(format!("{} answers to {} statements", told.len(), asked.len())));
    }
    Ok(told.into_iter().map(|(rows, _)| rows).take(asked.len()).collect())
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
        Line { db: self.clone(), place, wire: Mutex::default(), is_followed: false }
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
    wire.as_mut().filter(|wire| wire.state == State::Open).ok_or_else(|| unwritten(no_transaction()))
}

fn unwritten(error: Error) -> DbErr {
    DbErr::Custom(error.to_string())
}
