//! The last message of a transaction, which may be its only one.

use super::{
    super::{Bundle, Kind, batch::Written},
    bundled,
    wire::{Told, Wire},
};
use crate::error::Result;
use sea_orm::{DbErr, Statement};

/// What it begins with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening<'a> {
    pub begins: bool,
    /// Asked for the sake of its locks.
    pub locks: &'a [Statement],
}

#[derive(Debug)]
pub struct Ending<'a> {
    pub kind: Kind,
    pub bundle: Bundle,
    pub opening: Opening<'a>,
    /// The COMMIT, and what comes with it.
    pub commit: &'static str,
}

impl Ending<'_> {
    pub async fn send(&self, wire: &mut Wire, written: Written) -> Result<Result<Told, DbErr>> {
        let Self { opening: Opening { begins, locks }, commit, .. } = self;
        if matches!(&written, Written::Text(text) if text.is_empty()) {
            // Of what was written before.
            return Ok(wire.tell((*commit).to_owned()).await);
        }
        if self.bundle == Bundle::Block {
            let begin = if *begins { "START TRANSACTION;" } else { "" };
            let locks = wire.kept.text(locks)?;
            let written = match written {
                Written::Text(text) => text,
                Written::Marked(statements) => wire.kept.text(&statements)?,
            };
            return Ok(wire.tell(format!("BEGIN NOT ATOMIC {begin}{locks}{written}{commit};END")).await);
        }
        let begin = match (begins, self.kind) {
            (false, _) => "",
            (true, Kind::Sqlite) => "BEGIN IMMEDIATE;",
            (true, _) => "BEGIN;",
        };
        match written {
            // What a PRAGMA says is done again each time that it is run, though SQLite does it when it reads it: such a statement
            // expires at once.
            Written::Marked(statements) => Ok(wire.tell_prepared(begin, statements, commit).await),
            Written::Text(text) => Ok(wire.tell(format!("{}{text}{commit}", bundled(begin, locks, "")?)).await),
        }
    }

    /// The rows that were written.
    pub fn hit(&self, told: &Told) -> u64 {
        let locks = self.opening.locks.len();
        match self.bundle {
            // Its COMMIT is not answered by itself, and hits nothing if it is alone.
            Bundle::Block => told.hit(locks, 0),
            Bundle::Statements => told.hit(locks + usize::from(self.opening.begins), self.commit.split(';').count()),
        }
    }
}
