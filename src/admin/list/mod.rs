//! What admins list and search. Every list is a keyset page; each is served by the index that
//! `migration/src/m20261123_000012_admin_lists.rs` names after it, bookings and payments by their ids. Who asks was checked by the
//! caller.

pub mod counts;
pub mod people;
pub mod sales;
pub mod work;

use sea_orm::{ColumnTrait, Condition, DbBackend, Value, sea_query::LikeExpr};

/// Newest first, by the named time.
macro_rules! newest {
    ($entity:ident, $column:ident, $field:ident) => {
        $crate::page::Sorting {
            at: Some($entity::Column::$column),
            id: $entity::Column::Id,
            order: sea_orm::Order::Desc,
            key: |row: &$entity::Model| $crate::page::Key {
                at: $crate::page::moment(row.$field),
                id: entity::ids::TypedId::uuid(row.id),
            },
            value: $crate::page::moment_value,
        }
    };
}
use newest;

/// Newest first, by the id: for tables that a sale fills, where one index more is one page more for each row.
macro_rules! latest {
    ($entity:ident) => {
        $crate::page::Sorting { at: None, ..$crate::admin::list::newest!($entity, CreatedAt, created_at) }
    };
}
use latest;

/// Whether the column is one of these; whatever it is, if none are named.
fn one_of<T: Into<Value>>(column: impl ColumnTrait, ids: Option<Vec<T>>) -> Condition {
    Condition::all().add_option(ids.map(|ids| column.is_in(ids)))
}

/// A text that says something.
fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Whether the column begins with the text, letter by letter, as an index can tell. SQLite's `LIKE` minds no case, and so
/// uses no index: there it is a range.
fn begins(backend: DbBackend, column: impl ColumnTrait, text: &str) -> Condition {
    if backend == DbBackend::Sqlite {
        let end = format!("{text}{}", char::MAX);
        return Condition::all().add(column.gte(text)).add(column.lt(end));
    }
    // A backslash would end the literal on MySQL.
    let literal = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    Condition::all().add(column.like(LikeExpr::new(format!("{literal}%")).escape('!')))
}
