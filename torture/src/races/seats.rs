//! Who wants the same seats.

use super::{
    Outcomes, must,
    rush::{Wish, rush, served},
};
use crate::{
    Result,
    ask::{Caller, at_once, refusal, text},
    cluster::Cluster,
    dice::Dice,
    show::{BOOKED, Show},
};
use entity::ids::UserId;
use serde_json::{Value, json};
use std::{collections::HashSet, sync::Arc};
use tokio::sync::watch;

fn wish(show: &Show) -> Wish {
    Wish { field: "bookingStart", wanted: BOOKED, input: show.booking(1, "b"), none_left: "SOLD_OUT" }
}

/// 32 buyers on 7 seats, 8 of them too late: 7 hold one, pay for it, and have its ticket.
pub async fn buyers_on_seats(cluster: &Cluster) -> Result<Outcomes> {
    let (seats, late) = (7, 8);
    let (show, fans) = (cluster.publish(1_000, seats).await?, cluster.fans(32).await?);
    let wish = wish(&show);
    let payloads = rush(&fans, late, &wish).await?;
    let (winners, refused) = served(&fans, &payloads, &wish)?;
    must("seats set aside", &i32::try_from(winners.len())?, &seats)?;
    let paying = winners.iter().map(|(fan, booked)| {
        let (fan, booked) = ((*fan).clone(), (*booked).clone());
        async move { fan.pay(&booked).await }
    });
    for told in at_once(paying).await? {
        must("what who paid is told", &told.as_str(), &"APPROVED")?;
    }
    cluster.settle().await?;
    let due: HashSet<UserId> = winners.iter().map(|(fan, _)| fan.who.id).collect();
    must("who has a ticket", &show.holders(&cluster.world).await?, &due)?;
    must("tickets", &show.valid_tickets(&cluster.world).await?.len(), &winners.len())?;
    must("seats left", &show.stock(&cluster.world).await?.remaining, &0)?;
    Ok(vec![("sold", winners.len()), ("told that nothing is left", refused)])
}

/// What becomes of the artist's wish for fewer seats that is sent while buyers ask, and while nobody can know that it is too
/// late: no more were told that they have one.
pub const WAYS: [&str; 2] = ["times lowered in the race", "times too late in the race"];
const BUYERS: usize = 30;

/// 30 buyers on 24 seats, of which the artist takes six back, and again, as long as the shop allows, each time after so many
/// buyers were answered as the dice say: what is sold is exactly what is left of the capacity, because more want a seat than
/// there are.
pub async fn capacity_lowered(cluster: &Cluster, mut dice: Dice) -> Result<Outcomes> {
    let show = cluster.publish(0, 24).await?;
    let fans = cluster.fans(BUYERS).await?;
    let wish = wish(&show);
    let (answered, count) = watch::channel(Heard::default());
    let answered = Arc::new(answered);
    let asking = fans.iter().cloned().map(|fan| {
        let (wish, answered) = (wish.clone(), Arc::clone(&answered));
        async move {
            let payload = fan.mutate(wish.field, wish.wanted, &wish.input).await?;
            answered.send_modify(|heard| {
                heard.answers += 1;
                heard.seats += i32::from(refusal(&payload).is_empty());
            });
            Ok(payload)
        }
    });
    // Before all of them, in between, or after all of them; in order.
    let mut after = [0; 3].map(|_| match dice.below(3) {
        0 => 0,
        1 => dice.below(BUYERS / 2),
        _ => BUYERS,
    });
    after.sort_unstable();
    let lowering = lower(cluster.artist(1), &show, after, count);
    let (payloads, lowered) = tokio::join!(at_once(asking.collect::<Vec<_>>()), lowering);
    let (payloads, (capacity, [lowered, too_late, sold_before])) = (payloads?, lowered?);
    let (winners, refused) = served(&fans, &payloads, &wish)?;
    let stock = show.stock(&cluster.world).await?;
    must("capacity", &stock.capacity, &capacity)?;
    must("seats left", &stock.remaining, &0)?;
    must("sold", &i32::try_from(winners.len())?, &capacity)?;
    let due: HashSet<UserId> = winners.iter().map(|(fan, _)| fan.who.id).collect();
    must("who has a ticket", &show.holders(&cluster.world).await?, &due)?;
    let [won, lost] = WAYS;
    let of_artist = [(won, lowered), (lost, too_late), ("times asked for what was sold before", sold_before)];
    Ok([("sold", winners.len()), ("told that nothing is left", refused)].into_iter().chain(of_artist).collect())
}

/// What the buyers were told until now.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    answers: usize,
    seats: i32,
}

/// Each time when so many were answered; answers the capacity in the end, and how often it was lowered, was not although it
/// might have been, and could not be.
async fn lower(
    artist: Caller,
    show: &Show,
    after: [usize; 3],
    mut heard: watch::Receiver<Heard>,
) -> Result<(i32, [usize; 3])> {
    let (mut capacity, [mut lowered, mut too_late, mut sold_before]) = (24, [0; 3]);
    for (less, after) in [18, 12, 6].into_iter().zip(after) {
        let heard = *heard.wait_for(|heard| heard.answers >= after).await?;
        let has_raced = heard.answers < BUYERS && heard.seats <= less;
        let types = json!([{ "id": show.ticket_type, "name": "일반", "price": 0, "capacity": less }]);
        let input = json!({ "eventId": show.id, "ticketTypes": types });
        let payload = artist.mutate("eventUpdate", "event { capacity }", &input).await?;
        match refusal(&payload) {
            "" => (capacity, lowered) = (less, lowered + 1),
            "OUT_OF_RANGE" if has_raced => too_late += 1,
            "OUT_OF_RANGE" => sold_before += 1,
            _ => return Err(format!("lowered to {less}: {payload}").into()),
        }
    }
    Ok((capacity, [lowered, too_late, sold_before]))
}

/// Four fans on four seats; each sends the same request, with one key, six times to all nodes: one booking, one page.
pub async fn same_key(cluster: &Cluster) -> Result<Outcomes> {
    let (show, fans) = (cluster.publish(1_000, 4).await?, cluster.fans(4).await?);
    let clicks: Vec<_> = fans.iter().flat_map(|fan| cluster.everywhere(&fan.who, 6)).collect();
    let input = show.booking(1, "b");
    let asking = clicks.iter().cloned().map(|click| {
        let input = input.clone();
        async move { click.mutate("bookingStart", BOOKED, &input).await }
    });
    let payloads = at_once(asking).await?;
    let answers = |pointer: &str| -> Result<HashSet<(UserId, String)>> {
        let one = |(click, payload): (&Caller, &Value)| Ok((click.who.id, text(payload, pointer)?));
        clicks.iter().zip(&payloads).map(one).collect()
    };
    must("bookings that were answered", &answers("/booking/id")?.len(), &fans.len())?;
    must("pages that were answered", &answers("/payment/redirect/pcUrl")?.len(), &fans.len())?;
    must("bookings that were made", &show.bookings(&cluster.world).await?.len(), &fans.len())?;
    let paying = fans.iter().enumerate().filter_map(|(place, fan)| {
        let (fan, booked) = (fan.clone(), payloads.get(place * 6)?.clone());
        Some(async move { fan.pay(&booked).await })
    });
    at_once(paying).await?;
    cluster.settle().await?;
    let due: HashSet<UserId> = fans.iter().map(|fan| fan.who.id).collect();
    must("who has a ticket", &show.holders(&cluster.world).await?, &due)?;
    must("tickets", &show.valid_tickets(&cluster.world).await?.len(), &fans.len())?;
    Ok(vec![("requests", payloads.len()), ("bookings", fans.len())])
}
