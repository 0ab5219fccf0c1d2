//! A value as it stands in the text of a statement. Numbers are digits, ids and whatever is not plain is in hexadecimal
//! digits: nothing here depends on how a server is set to read quotation marks and backslashes.

use crate::error::{Error, Result};
use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use sea_orm::{DbBackend, Value};
use std::fmt::Write;

pub fn literal(backend: DbBackend, value: &Value, sql: &mut String) -> Result<()> {
    let written = match value {
        Value::Bool(Some(flag)) if backend == DbBackend::Postgres => write!(sql, "{flag}"),
        Value::Bool(Some(flag)) => write!(sql, "{}", u8::from(*flag)),
        Value::Int(Some(number)) => write!(sql, "{number}"),
        Value::BigInt(Some(number)) => write!(sql, "{number}"),
        // Of LIMIT.
        Value::BigUnsigned(Some(number)) => write!(sql, "{number}"),
        Value::String(Some(text)) => string(backend, text, sql),
        Value::Uuid(Some(id)) if backend == DbBackend::Postgres => write!(sql, "'{}'", id.as_hyphenated()),
        Value::Uuid(Some(id)) => write!(sql, "X'{}'", id.as_simple()),
        Value::ChronoDateTimeUtc(Some(time)) => moment(backend, time, sql),
        Value::Bool(None)
        | Value::Int(None)
        | Value::BigInt(None)
        | Value::String(None)
        | Value::Uuid(None)
        | Value::ChronoDateTimeUtc(None) => sql.write_str("NULL"),
        other => return Err(Error::fault(format!("no literal for a value like {:?}", std::mem::discriminant(other)))),
    };
    written.map_err(|error| Error::fault(error.to_string()))
}

/// Between quotation marks only what can never end or bend them; else by its bytes.
fn string(backend: DbBackend, text: &str, sql: &mut String) -> std::fmt::Result {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'\\');
    if text.bytes().all(is_plain) {
        return write!(sql, "'{text}'");
    }
    let bytes = data_encoding::HEXLOWER.encode(text.as_bytes());
    match backend {
        DbBackend::MySql => write!(sql, "_utf8mb4 X'{bytes}'"),
        DbBackend::Postgres => write!(sql, "convert_from(decode('{bytes}','hex'),'UTF8')"),
        _ => write!(sql, "CAST(X'{bytes}' AS TEXT)"),
    }
}

/// As the drivers write them: SQLite keeps and compares the text.
fn moment(backend: DbBackend, time: &DateTime<Utc>, sql: &mut String) -> std::fmt::Result {
    if !matches!(backend, DbBackend::MySql | DbBackend::Postgres) {
        return write!(sql, "'{}'", time.to_rfc3339_opts(SecondsFormat::AutoSi, false));
    }
    // By hand: a format string is read anew for each, and a hundred bookings have a thousand moments.
    let (hour, minute, second, micros) = (time.hour(), time.minute(), time.second(), time.timestamp_subsec_micros());
    let (year, month, day) = (time.year(), time.month(), time.day());
    let zone = if backend == DbBackend::Postgres { "+00" } else { "" };
    write!(sql, "'{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}{zone}'")
}
