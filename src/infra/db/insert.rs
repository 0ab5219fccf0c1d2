//! Many rows at once, in statements of few lengths.

use crate::error::Result;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait};

/// A statement's parameters are bounded, and its preparation takes longer than more of them save.
const ROWS_AT_ONCE: usize = 128;

/// In parts of 128, 64, 32 … rows: a statement of each length is prepared once for each connection, and not anew for
/// every number of rows that there may be. That is eight statements at most for 128 rows, usually three.
pub async fn insert<A>(txn: &impl ConnectionTrait, rows: Vec<A>) -> Result<(), DbErr>
where
    A: ActiveModelTrait + Clone,
{
    let mut rest = rows.as_slice();
    while !rest.is_empty() {
        let longest = 1_usize << rest.len().ilog2();
        let (part, others) = rest.split_at(longest.min(ROWS_AT_ONCE));
        A::Entity::insert_many(part.iter().cloned()).exec_without_returning(txn).await?;
        rest = others;
    }
    Ok(())
}

/// A list for `IN`, with its last entry repeated, for the same reason.
pub fn padded<T: Clone>(list: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = list.into_iter().collect();
    if let Some(last) = list.last().cloned() {
        list.resize(list.len().next_power_of_two(), last);
    }
    list
}
