//! Writes that leave together: several statements in one message, for a place where each round trip is felt (a sale that
//! opens). A booking is written in six tables; six messages cost more than what they say.
//!
//! Only in their text form do servers take several statements at once, so the values stand in the text, as `literal`
//! writes them: no text of anybody is ever read as SQL. Of a few rows the text comes again and again: then values go beside it
//! where the database can keep it (`Written::Marked`). What is written is known beforehand to the row; the sum is compared.

mod literal;
mod pen;
mod text;

use crate::error::{Error, Result};
pub use literal::literal;
use pen::Pen;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, Statement};
use std::fmt::Write;
pub use text::inlined;

/// Statements that are sent by [`Batch::send`], or with the COMMIT of a [`super::Line`].
#[derive(Debug)]
pub struct Batch {
    backend: DbBackend,
    written: Written,
    statements: usize,
    /// What they must hit in all.
    rows: u64,
}

/// How the values go along.
#[derive(Debug)]
pub enum Written {
    /// In the text.
    Text(String),
    /// Beside it, so that the text is the same each time and the database need not read it anew.
    Marked(Vec<Statement>),
}

/// What is to be sent, for who sends it with something else.
#[derive(Debug)]
pub struct Parts {
    pub written: Written,
    pub statements: usize,
    /// What they must hit in all.
    pub rows: u64,
}

impl Batch {
    /// For many rows: no text of so many comes twice.
    pub fn on(db: &impl ConnectionTrait) -> Self {
        Self { backend: db.get_database_backend(), written: Written::Text(String::new()), statements: 0, rows: 0 }
    }

    /// For a few rows, whose text will come again.
    pub(super) fn marked(db: &impl ConnectionTrait) -> Self {
        Self { written: Written::Marked(Vec::new()), ..Self::on(db) }
    }

    /// New rows of one table, each with every column.
    pub fn insert<A: ActiveModelTrait>(&mut self, rows: impl IntoIterator<Item = A>) -> Result<()> {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut pen = self.pen();
        let count = pen.rows(rows)?;
        match &mut self.written {
            Written::Text(text) => *text = pen.into_text(),
            Written::Marked(statements) => statements.push(pen.into_statement()),
        }
        self.statements += 1;
        self.rows += count;
        Ok(())
    }

    /// A statement that hits exactly `rows`, made by a builder.
    pub fn write(&mut self, statement: Statement, rows: u64) -> Result<()> {
        match &mut self.written {
            Written::Text(text) => {
                text.push_str(&inlined(&statement)?);
                text.push(';');
            }
            Written::Marked(statements) => statements.push(statement),
        }
        self.statements += 1;
        self.rows += rows;
        Ok(())
    }

    /// Goes on where the last statement ended.
    fn pen(&mut self) -> Pen {
        match &mut self.written {
            Written::Text(text) => Pen::inline(self.backend, std::mem::take(text)),
            Written::Marked(_) => Pen::marking(self.backend),
        }
    }

    pub fn into_parts(self) -> Parts {
        let Self { written, statements, rows, .. } = self;
        Parts { written, statements, rows }
    }

    /// Sends all of it. An error, or another number of rows than was promised, means that the transaction must be rolled back.
    pub async fn send(self, txn: &impl ConnectionTrait) -> Result<()> {
        let Parts { written, rows: promised, .. } = self.into_parts();
        let sql = written.into_text()?;
        if sql.is_empty() {
            return Ok(());
        }
        let hit = txn.execute_unprepared(&sql).await?.rows_affected();
        if hit == promised {
            return Ok(());
        }
        let mut what = String::from("written together: ");
        let _always = write!(what, "{hit} rows instead of {promised}");
        Err(Error::fault(what))
    }
}

impl Written {
    /// With the values in it, each statement with its semicolon.
    pub fn into_text(self) -> Result<String> {
        let statements = match self {
            Self::Text(text) => return Ok(text),
            Self::Marked(statements) => statements,
        };
        let mut text = String::new();
        for statement in &statements {
            text.push_str(&inlined(statement)?);
            text.push(';');
        }
        Ok(text)
    }
}
