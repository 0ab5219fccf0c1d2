//! What is true in the end.

use super::{Shop, buyer::Told};
use crate::{Result, settled, show::Show};
use entity::ids::UserId;
use std::collections::{BTreeSet, HashSet};

/// What is in the database is what people were told: no more, no less, and nothing twice.
pub async fn judge(Shop { world, provider, .. }: &Shop<'_>, shows: &[Show; 2], told: &[Told]) -> Result<String> {
    let settled_after = settled::within_a_minute(world).await?;
    let wrong = settled::wrong(world, &settled::provider(world, provider)?, None).await?;
    if !wrong.is_empty() {
        return Err(wrong.join("; ").into());
    }
    let mut bookings = 0;
    for (place, show) in shows.iter().enumerate() {
        let due: BTreeSet<(UserId, String)> = told.iter().flat_map(|one| one.bookings(place)).collect();
        let rows = show.bookings(world).await?;
        let found: BTreeSet<_> = rows.iter().map(|row| (row.user_id, row.id.to_string())).collect();
        if found != due {
            let (lost, more) = (due.difference(&found).count(), found.difference(&due).count());
            return Err(
                format!("{lost} bookings that were told are not there, {more} are there that were not told").into()
            );
        }
        bookings += due.len();
    }
    let [free, paid] = shows;
    let (free, paid) = (free.valid_tickets(world).await?.len(), paid.holders(world).await?);
    let with_seat: HashSet<UserId> = told.iter().filter(|one| one.has_seat).map(|one| one.who).collect();
    let booked: usize = told.iter().map(|one| one.free.len()).sum();
    if (free, &paid) != (booked, &with_seat) {
        return Err(
            format!("{free} free tickets for {booked} bookings; {paid:?} hold seats, told {with_seat:?}").into()
        );
    }
    let (held, after) = (paid.len(), settled_after.as_secs_f64());
    Ok(format!(
        "{bookings} bookings, each once and as it was told; {held} hold a paid seat; settled after {after:.1} s; every rule is kept, and the provider has what was sold for"
    ))
}
