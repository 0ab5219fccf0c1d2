//! A statement with its values in its text.

use super::literal::literal;
use crate::error::{Error, Result};
use sea_orm::{DbBackend, Statement};

/// Of a statement that a builder made: then nothing but marks stands for values, and no text is quoted in it.
pub fn inlined(statement: &Statement) -> Result<String> {
    let Statement { sql, values, db_backend } = statement;
    let mark = if *db_backend == DbBackend::Postgres { '$' } else { '?' };
    if sql.contains('\'') {
        return Err(Error::fault("a statement with text of its own cannot be inlined"));
    }
    let mut values = values.iter().flat_map(|values| values.0.iter());
    let mut parts = sql.split(mark);
    let mut text = String::with_capacity(sql.len() * 2);
    text.push_str(parts.next().unwrap_or_default());
    for (place, part) in parts.enumerate() {
        let value = values.next().ok_or_else(|| Error::fault("a statement lacks a value"))?;
        literal(*db_backend, value, &mut text)?;
        text.push_str(if mark == '$' { numbered(part, place + 1)? } else { part });
    }
    match values.next() {
        None => Ok(text),
        Some(_) => Err(Error::fault("a value has no place in its statement")),
    }
}

/// What comes after the mark's number, which builders count up from one.
fn numbered(part: &str, place: usize) -> Result<&str> {
    let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let number = part.get(..part.len() - rest.len()).and_then(|number| number.parse().ok());
    if number == Some(place) { Ok(rest) } else { Err(Error::fault("values are not in their order")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(backend: DbBackend, sql: &str, values: Vec<sea_orm::Value>) -> Option<String> {
        inlined(&Statement::from_sql_and_values(backend, sql, values)).ok()
    }

    #[test]
    fn values_stand_in_their_places() {
        let values = || vec![7_i64.into(), "o'clock".into()];
        assert_eq!(
            text(DbBackend::Sqlite, "SELECT a FROM t WHERE b = ? AND c = ?", values()).as_deref(),
            Some("SELECT a FROM t WHERE b = 7 AND c = CAST(X'6f27636c6f636b' AS TEXT)")
        );
        assert_eq!(
            text(DbBackend::Postgres, "SELECT a FROM t WHERE b = $1 AND c = $2", values()).as_deref(),
            Some("SELECT a FROM t WHERE b = 7 AND c = convert_from(decode('6f27636c6f636b','hex'),'UTF8')")
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (backend, sql) in [
            (DbBackend::Sqlite, "SELECT ?, ?"),
            (DbBackend::Sqlite, "SELECT 1"),
            (DbBackend::Sqlite, "SELECT '?', ?"),
            (DbBackend::Postgres, "SELECT $2"),
            (DbBackend::Postgres, "SELECT $a"),
        ] {
            assert_eq!(text(backend, sql, vec![7_i64.into()]), None, "{sql}");
        }
    }
}
