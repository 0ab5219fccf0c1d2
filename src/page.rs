//! Keyset pages: the one way to read a list that can grow.

use crate::error::{Code, Error, Problem, Result};
use data_encoding::BASE64URL_NOPAD;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, ModelTrait, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, Value,
    sea_query::{Asterisk, Query, UnionType},
};
use std::collections::HashMap;
use uuid::Uuid;

/// Where a row stands in its list: the sort value, then the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub at: i64,
    pub id: Uuid,
}

impl Key {
    pub fn encode(self) -> String {
        let mut bytes = self.at.to_be_bytes().to_vec();
        bytes.extend_from_slice(self.id.as_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    }

    pub fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (at, id) = bytes.split_at_checked(8)?;
        Some(Self { at: i64::from_be_bytes(at.try_into().ok()?), id: Uuid::from_slice(id).ok()? })
    }
}

/// What part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    pub size: usize,
    pub after: Option<Key>,
    pub before: Option<Key>,
    pub is_backward: bool,
}

impl Window {
    pub const DEFAULT_SIZE: i32 = 20;
    pub const MOST: i32 = 100;

    /// From Relay's four arguments.
    pub fn parse(first: Option<i32>, after: Option<&str>, last: Option<i32>, before: Option<&str>) -> Result<Self> {
        let wrong =
            |path: &str, ko: &'static str, en: &'static str| Error::from(Problem::new(Code::Invalid, &[path], ko, en));
        if first.is_some() && last.is_some() {
            return Err(wrong("last", "first와 last는 함께 쓸 수 없습니다.", "Give first or last, not both."));
        }
        let size = last.or(first).unwrap_or(Self::DEFAULT_SIZE);
        let name = if last.is_some() { "last" } else { "first" };
        if !(0..=Self::MOST).contains(&size) {
            return Err(wrong(name, "0 이상 100 이하여야 합니다.", "Must be from 0 to 100."));
        }
        let key = |path, text: Option<&str>| match text.map(Key::decode) {
            None => Ok(None),
            Some(Some(key)) => Ok(Some(key)),
            Some(None) => Err(wrong(path, "커서가 올바르지 않습니다.", "Not a cursor of this list.")),
        };
        let (after, before) = (key("after", after)?, key("before", before)?);
        Ok(Self { size: usize::try_from(size).unwrap_or(0), after, before, is_backward: last.is_some() })
    }
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<(Key, T)>,
    pub has_next: bool,
    pub has_previous: bool,
}

/// What rows are sorted by: a column of times or numbers, then the id.
#[derive(Clone, Debug)]
pub struct Sorting<C, M> {
    /// Without one: by the id alone, which begins with the moment in which the row was made.
    pub at: Option<C>,
    pub id: C,
    pub order: Order,
    /// The row's own key.
    pub key: fn(&M) -> Key,
    /// The key's first half as the column stores it.
    pub value: fn(i64) -> Value,
}

/// Reads one part of the list that `select` names.
pub async fn read<E>(
    db: &impl ConnectionTrait,
    select: Select<E>,
    sorting: &Sorting<E::Column, E::Model>,
    window: &Window,
) -> Result<Page<E::Model>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
{
    let rows = within(select, sorting, window).all(db).await?;
    Ok(cut(rows, sorting, window))
}

/// Reads the same part of several lists in one statement; each list has its page, be it empty. `of` says to whose list a row belongs.
pub async fn read_many<E, P>(
    db: &impl ConnectionTrait,
    selects: Vec<(P, Select<E>)>,
    sorting: &Sorting<E::Column, E::Model>,
    window: &Window,
    of: fn(&E::Model) -> P,
) -> Result<HashMap<P, Page<E::Model>>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
    P: std::hash::Hash + Eq,
{
    // Each in a subquery of its own: SQLite takes no LIMIT in the parts of a union.
    let (mut lists, mut parts) = (HashMap::new(), Vec::new());
    for (owner, select) in selects {
        lists.insert(owner, Vec::new());
        let part = within(select, sorting, window).into_query();
        parts.push(Query::select().column(Asterisk).from_subquery(part, "part").to_owned());
    }
    let mut parts = parts.into_iter();
    let Some(mut union) = parts.next() else { return Ok(HashMap::new()) };
    for part in parts {
        union.union(UnionType::All, part);
    }
    for row in E::Model::find_by_statement(db.get_database_backend().build(&union)).all(db).await? {
        lists.entry(of(&row)).or_default().push(row);
    }
    let is_up = matches!(sorting.order, Order::Asc) != window.is_backward;
    let pages = lists.into_iter().map(|(owner, mut rows)| {
        rows.sort_by_key(|row| (sorting.key)(row));
        if !is_up {
            rows.reverse();
        }
        (owner, cut(rows, sorting, window))
    });
    Ok(pages.collect())
}

/// One row more than the window has, in the direction in which it is read.
fn within<E>(select: Select<E>, sorting: &Sorting<E::Column, E::Model>, window: &Window) -> Select<E>
where
    E: EntityTrait,
{
    let is_ascending = matches!(sorting.order, Order::Asc);
    let beyond = |key: Key, is_up: bool| {
        let (value, id) = ((sorting.value)(key.at), key.id);
        let tied = if is_up { sorting.id.gt(id) } else { sorting.id.lt(id) };
        let Some(at) = sorting.at else { return Condition::all().add(tied) };
        let further = if is_up { at.gt(value.clone()) } else { at.lt(value.clone()) };
        Condition::any().add(further).add(Condition::all().add(at.eq(value)).add(tied))
    };
    let mut select = select;
    if let Some(after) = window.after {
        select = select.filter(beyond(after, is_ascending));
    }
    if let Some(before) = window.before {
        select = select.filter(beyond(before, !is_ascending));
    }
    let order = if is_ascending == window.is_backward { Order::Desc } else { Order::Asc };
    let limit = u64::try_from(window.size).unwrap_or(0) + 1;
    if let Some(at) = sorting.at {
        select = select.order_by(at, order.clone());
    }
    select.order_by(sorting.id, order).limit(limit)
}

fn cut<C, M>(mut rows: Vec<M>, sorting: &Sorting<C, M>, window: &Window) -> Page<M> {
    let has_more = rows.len() > window.size;
    rows.truncate(window.size);
    if window.is_backward {
        rows.reverse();
    }
    let (has_next, has_previous) =
        if window.is_backward { (window.before.is_some(), has_more) } else { (has_more, window.after.is_some()) };
    let items = rows.into_iter().map(|row| ((sorting.key)(&row), row)).collect();
    Page { items, has_next, has_previous }
}

/// A moment as a key's first half.
pub fn moment(at: chrono::DateTime<chrono::Utc>) -> i64 {
    at.timestamp_micros()
}

/// A key's first half as a moment.
pub fn moment_value(micros: i64) -> Value {
    chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_cursor() {
        let key = Key { at: -5, id: Uuid::from_u128(7) };
        assert_eq!(Key::decode(&key.encode()), Some(key));
        for text in ["", "x", "AAAA", "not a cursor!"] {
            assert_eq!(Key::decode(text), None);
        }
    }

    #[test]
    fn a_window_names_the_argument_that_is_wrong() {
        for (first, last, path) in [(Some(101), None, "first"), (None, Some(-1), "last"), (Some(1), Some(1), "last")] {
            let Err(Error::Refused(problems)) = Window::parse(first, None, last, None) else { panic!("accepted") };
            assert_eq!(problems.first().map(|p| p.path.clone()), Some(vec![path.to_owned()]));
        }
    }
}
