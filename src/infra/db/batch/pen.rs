//! Writes one statement, with its values in the text or marks in their places.

use super::literal;
use crate::error::{Error, Result};
use sea_orm::{
    ActiveModelTrait, ActiveValue, DbBackend, EntityName, EntityTrait, IdenStatic, Iterable, Statement, Value, Values,
};

#[derive(Debug)]
pub struct Pen {
    backend: DbBackend,
    sql: String,
    /// Those that have a mark.
    marked: Option<Vec<Value>>,
}

impl Pen {
    /// Goes on after this text.
    pub const fn inline(backend: DbBackend, sql: String) -> Self {
        Self { backend, sql, marked: None }
    }

    /// Of databases whose mark is a question mark.
    pub const fn marking(backend: DbBackend) -> Self {
        Self { backend, sql: String::new(), marked: Some(Vec::new()) }
    }

    /// New rows of one table, each with every column: how many there are.
    pub fn rows<A: ActiveModelTrait>(&mut self, rows: impl Iterator<Item = A>) -> Result<u64> {
        self.head::<A>();
        let (mut separator, mut count) = ('(', 0);
        for mut row in rows {
            for column in <A::Entity as EntityTrait>::Column::iter() {
                self.sql.push(separator);
                separator = ',';
                let (ActiveValue::Set(value) | ActiveValue::Unchanged(value)) = row.take(column) else {
                    return Err(Error::fault(format!("{} of a new row is not set", column.as_str())));
                };
                self.value(value)?;
            }
            self.sql.push_str("),");
            separator = '(';
            count += 1;
        }
        self.sql.pop();
        Ok(count)
    }

    fn head<A: ActiveModelTrait>(&mut self) {
        self.sql.push_str("INSERT INTO ");
        self.name(A::Entity::default().table_name());
        let mut separator = '(';
        for column in <A::Entity as EntityTrait>::Column::iter() {
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

    fn value(&mut self, value: Value) -> Result<()> {
        match &mut self.marked {
            None => literal(self.backend, &value, &mut self.sql),
            Some(marked) => {
                self.sql.push('?');
                marked.push(value);
                Ok(())
            }
        }
    }

    /// All that was written so far, with a semicolon at its end.
    pub fn into_text(mut self) -> String {
        self.sql.push(';');
        self.sql
    }

    pub fn into_statement(self) -> Statement {
        Statement { sql: self.sql, values: self.marked.map(Values), db_backend: self.backend }
    }
}
