//! A crowd in front of one server, which serves it in groups and is killed meanwhile: everybody asks again, with the same
//! key, of the one in its place. Whoever was told something before the kill must be told the same after it.

use super::perform::settle;
use crate::{
    Result,
    ask::{Caller, at_once, refusal, text},
    person::Stage,
    show::{BOOKED, Show},
    world::{Member, World},
};
use entity::enums::BookingStatus;
use serde_json::Value;
use std::{collections::HashSet, sync::Arc};

/// More buyers than there are seats.
pub const BUYERS: usize = 24;
pub const SEATS: usize = 6;

pub async fn play(world: &World, stage: &mut Stage, show: &Show, fans: &[Member]) -> Result<String> {
    let input = show.booking(1, "b");
    let asking = |fan: Caller, _: usize| {
        let input = input.clone();
        async move { fan.mutate("bookingStart", BOOKED, &input).await }
    };
    let payloads = everybody(stage, fans, asking).await?;
    let winners: Vec<(&Member, &Value)> =
        fans.iter().zip(&payloads).filter(|(_, payload)| refusal(payload).is_empty()).collect();
    let refused = payloads.iter().filter(|payload| refusal(payload) == "SOLD_OUT").count();
    if (winners.len(), refused) != (SEATS, BUYERS - SEATS) {
        return Err(format!("{} have a seat and {refused} are told that nothing is left", winners.len()).into());
    }
    set_aside(world, show, &winners).await?;
    pay(stage, &winners).await?;
    settle(world, stage, None).await?;
    let (holders, left) = (show.holders(world).await?, show.stock(world).await?.remaining);
    if holders.len() + usize::try_from(left)? != SEATS {
        return Err(format!("{} of {SEATS} seats are sold, {left} are left", holders.len()).into());
    }
    Ok(format!("{SEATS} of {BUYERS} had a seat, {} sold, {left} given back", holders.len()))
}

/// Exactly those seats are set aside or sold, to those who were told so.
async fn set_aside(world: &World, show: &Show, winners: &[(&Member, &Value)]) -> Result<()> {
    let mut due = HashSet::new();
    for (fan, payload) in winners {
        due.insert((fan.id, text(payload, "/booking/id")?));
    }
    let rows = show.bookings(world).await?;
    let is_taken = |status| matches!(status, BookingStatus::Held | BookingStatus::Confirmed);
    let taken = rows.iter().filter(|row| is_taken(row.status)).map(|row| (row.user_id, row.id.to_string()));
    let taken: Vec<_> = taken.collect();
    let is_exact = taken.len() == due.len() && taken.iter().all(|one| due.contains(one));
    if is_exact {
        Ok(())
    } else {
        Err(format!("told that they have a seat: {due:?}; in the database: {taken:?}").into())
    }
}

/// Those who have something to pay.
async fn pay(stage: &mut Stage, winners: &[(&Member, &Value)]) -> Result<()> {
    let mut pages = Vec::new();
    let mut paying = Vec::new();
    for (fan, payload) in winners {
        if let Some(page) = payload.pointer("/payment/redirect/pcUrl").and_then(Value::as_str) {
            pages.push(page.to_owned());
            paying.push((*fan).clone());
        }
    }
    let pages = Arc::new(pages);
    everybody(stage, &paying, |fan, place| {
        let pages = Arc::clone(&pages);
        async move {
            let back = fan.agree(pages.get(place).ok_or("no page")?).await?;
            // Once it is over, the page is all that there is.
            if back.contains("/payments/") {
                fan.come_back(&back).await?;
            }
            Ok(Value::Null)
        }
    })
    .await
    .map(drop)
}

/// Everybody does it at once, and again if the server was killed meanwhile. Answers what they were told.
async fn everybody<F>(stage: &mut Stage, people: &[Member], one: impl Fn(Caller, usize) -> F) -> Result<Vec<Value>>
where
    F: Future<Output = Result<Value>> + Send + 'static,
{
    let mut told: Vec<Option<Value>> = vec![None; people.len()];
    loop {
        let asking = people.iter().enumerate().map(|(place, who)| {
            let asked = one(stage.caller(who), place);
            async move { Ok(asked.await) }
        });
        let mut broken = None;
        for (before, now) in told.iter_mut().zip(at_once(asking.collect::<Vec<_>>()).await?) {
            match now {
                Ok(now) => remember(before, now)?,
                Err(error) if error.is::<reqwest::Error>() => broken = Some(error),
                Err(error) => return Err(error),
            }
        }
        match broken {
            Some(why) => stage.revive(&why.to_string()).await?,
            None => return Ok(told.into_iter().flatten().collect()),
        }
    }
}

/// The same booking, or the same refusal, as before.
fn remember(before: &mut Option<Value>, now: Value) -> Result<()> {
    let what = |payload: &Value| (payload.pointer("/booking/id").cloned(), refusal(payload).to_owned());
    if let Some(before) = before
        && what(before) != what(&now)
    {
        return Err(format!("told {before} before the kill, and {now} after it").into());
    }
    *before = Some(now);
    Ok(())
}
