//! Writes that leave together: several statements in one message, for a place where each round trip is felt (a sale that
//! opens). A booking is written in six tables; six messages cost more than what they say.
//!
//! Only in their text form do databases take several statements at once, so the values stand in the text, as `literal`
//! writes them: no text of anybody is ever read as SQL. What is written is known beforehand to the row; the sum is compared.

mod literal;
mod text;

use crate::error::{Error, Result};
use literal::literal;
use sea_orm::{ActiveModelTrait, ActiveValue, ConnectionTrait, DbBackend, EntityName, IdenStatic, Iterable, Value};
use std::fmt::Write;
pub use text::inlined;

/// Statements that are sent by [`Batch::send`].
#[derive(Debug)]
pub struct Batch {
    backend: DbBackend,
    sql: String,
    statements: usize,
    /// What they must hit in all.
    rows: u64,
}

/// What is to be sent, for who sends it with something else.
#[derive(Debug)]
pub struct Parts {
    pub sql: String,
    pub statements: usize,
    /// What they must hit in all.
    pub rows: u64,
}

impl Batch {
    pub fn on(db: &impl ConnectionTrait) -> Self {
        Self { backend: db.get_database_backend(), sql: String::new(), statements: 0, rows: 0 }
    }

    /// New rows of one table, each with every column.
    pub fn insert<A: ActiveModelTrait>(&mut self, rows: impl IntoIterator<Item = A>) -> Result<()> {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        self.head::<A>();
        let mut separator = '(';
        for mut row in rows {
            for column in <A::Entity as sea_orm::EntityTrait>::Column::iter() {
                self.sql.push(separator);
                separator = ',';
                let (ActiveValue::Set(value) | ActiveValue::Unchanged(value)) = row.take(column) else {
                    return Err(Error::fault(format!("{} of a new row is not set", column.as_str())));
                };
                literal(self.backend, &value, &mut self.sql)?;
            }
            self.sql.push_str("),");
            separator = '(';
            self.rows += 1;
        }
        self.sql.pop();
        self.sql.push(';');
        self.statements += 1;
        Ok(())
    }

    fn head<A: ActiveModelTrait>(&mut self) {
        self.sql.push_str("INSERT INTO ");
        self.name(A::Entity::default().table_name());
        let mut separator = '(';
        for column in <A::Entity as sea_orm::EntityTrait>::Column::iter() {
            self.sql.push(separator);
            separator = ',';
            self.name(column.as_str());
        }
        self.sql.push_str(")VALUES");
    }

    /// One of our own names, which hold no quotation mark.
    fn name(&mut self, name: &str) {
        let mark = if self.backend == DbBackend::MySql { '`' } else { '"' };
        self.sql.push(mark);
        self.sql.push_str(name);
        self.sql.push(mark);
    }

    /// A statement of our own that hits exactly `rows`: `{}` of `sql` are the values, in their order.
    pub fn write(&mut self, sql: &str, values: impl IntoIterator<Item = Value>, rows: u64) -> Result<()> {
        let mut values = values.into_iter();
        for (place, part) in sql.split("{}").enumerate() {
            if place > 0 {
                let value = values.next().ok_or_else(|| Error::fault("a statement lacks a value"))?;
                literal(self.backend, &value, &mut self.sql)?;
            }
            self.sql.push_str(part);
        }
        self.sql.push(';');
        self.statements += 1;
        self.rows += rows;
        Ok(())
    }

    pub fn into_parts(self) -> Parts {
        let Self { sql, statements, rows, .. } = self;
        Parts { sql, statements, rows }
    }

    /// Sends all of it. An error, or another number of rows than was promised, means that the transaction must be rolled back.
    pub async fn send(self, txn: &impl ConnectionTrait) -> Result<()> {
        if self.sql.is_empty() {
            return Ok(());
        }
        let hit = txn.execute_unprepared(&self.sql).await?.rows_affected();
        if hit == self.rows {
            return Ok(());
        }
        let mut what = String::from("written together: ");
        let _always = write!(what, "{hit} rows instead of {}", self.rows);
        Err(Error::fault(what))
    }
}
