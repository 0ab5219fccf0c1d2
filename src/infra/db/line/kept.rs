//! What MariaDB keeps prepared for a connection, under names of ours: in a block it is run by its name, and only its values
//! are read.

use super::super::batch::{inlined, literal};
use crate::error::Result;
use sea_orm::{Statement, Value};
use std::collections::HashMap;

/// What has more of them comes in so many lengths that it is read each time.
const MOST_VALUES: usize = 16;
/// So many are remembered.
const MOST: usize = 64;

/// Statements that came over a connection.
#[derive(Debug, Default)]
pub struct Kept {
    /// By their text: the number in the name of what is prepared, none for what came once.
    seen: HashMap<String, Option<usize>>,
    prepared: usize,
}

impl Kept {
    /// Runs these, each with its semicolon. What comes for the second time is prepared.
    pub fn text(&mut self, statements: &[Statement]) -> Result<String> {
        let text = self.run(statements);
        if text.is_err() {
            // What was to be prepared is not sent.
            *self = Self::default();
        }
        text
    }

    fn run(&mut self, statements: &[Statement]) -> Result<String> {
        let mut text = String::new();
        for statement in statements {
            match self.number(statement, &mut text) {
                Some(number) => execute(number, statement, &mut text)?,
                None => text.push_str(&inlined(statement)?),
            }
            text.push(';');
        }
        Ok(text)
    }

    fn number(&mut self, statement: &Statement, text: &mut String) -> Option<usize> {
        let sql = &statement.sql;
        // One with text of its own would end the quotation.
        if has_many_values(statement) || sql.contains(['\'', '\\']) {
            return None;
        }
        let is_full = self.seen.len() >= MOST;
        match self.seen.get_mut(sql) {
            Some(number) => Some(*number.get_or_insert_with(|| {
                self.prepared += 1;
                text.push_str(&format!("PREPARE kept{} FROM '{sql}';", self.prepared));
                self.prepared
            })),
            None => {
                if !is_full {
                    self.seen.insert(sql.clone(), None);
                }
                None
            }
        }
    }
}

pub fn has_many_values(statement: &Statement) -> bool {
    values(statement).count() > MOST_VALUES
}

fn values(statement: &Statement) -> impl Iterator<Item = &Value> {
    statement.values.iter().flat_map(|values| values.0.iter())
}

fn execute(number: usize, statement: &Statement, text: &mut String) -> Result<()> {
    text.push_str(&format!("EXECUTE kept{number}"));
    let mut before = " USING ";
    for value in values(statement) {
        text.push_str(before);
        before = ",";
        literal(statement.db_backend, value, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::DbBackend;

    fn text(kept: &mut Kept, sql: &str, values: Vec<Value>) -> Option<String> {
        kept.text(&[Statement::from_sql_and_values(DbBackend::MySql, sql, values)]).ok()
    }

    #[test]
    fn what_comes_again_is_prepared_once() {
        let kept = &mut Kept::default();
        let (one, other) = ("SELECT a FROM t WHERE b = ?", "SELECT c FROM t WHERE b = ?");
        for (sql, value, expected) in [
            (one, 1_i64, "SELECT a FROM t WHERE b = 1;"),
            (other, 2, "SELECT c FROM t WHERE b = 2;"),
            (one, 3, "PREPARE kept1 FROM 'SELECT a FROM t WHERE b = ?';EXECUTE kept1 USING 3;"),
            (other, 4, "PREPARE kept2 FROM 'SELECT c FROM t WHERE b = ?';EXECUTE kept2 USING 4;"),
            (one, 5, "EXECUTE kept1 USING 5;"),
            (other, 6, "EXECUTE kept2 USING 6;"),
        ] {
            assert_eq!(text(kept, sql, vec![value.into()]).as_deref(), Some(expected));
        }
    }

    #[test]
    fn values_are_written_as_in_a_text() {
        let kept = &mut Kept::default();
        let sql = "SELECT ?, ?, ?";
        let values = || vec!["o'clock".into(), Value::String(None), "plain".into()];
        text(kept, sql, values());
        text(kept, sql, values());
        let expected = "EXECUTE kept1 USING _utf8mb4 X'6f27636c6f636b',NULL,'plain';";
        assert_eq!(text(kept, sql, values()).as_deref(), Some(expected));
    }

    #[test]
    fn what_does_not_come_often_is_not_kept() {
        let kept = &mut Kept::default();
        let marks = vec!["?"; MOST_VALUES + 1].join(",");
        let long = format!("SELECT {marks}");
        for _ in 0..3 {
            let written = text(kept, &long, vec![7_i64.into(); MOST_VALUES + 1]).unwrap_or_default();
            assert!(written.starts_with("SELECT 7,"), "{written}");
        }
        for place in 0..MOST {
            text(kept, &format!("SELECT {place}"), Vec::new());
        }
        for _ in 0..3 {
            assert_eq!(text(kept, "SELECT too_many", Vec::new()).as_deref(), Some("SELECT too_many;"));
        }
    }

    #[test]
    fn a_statement_with_text_of_its_own_is_refused() {
        for _ in 0..3 {
            assert_eq!(text(&mut Kept::default(), "SELECT 'a'", Vec::new()), None);
        }
    }
}
