//! A rush for something of which there are few, and who is late for it.

use crate::{
    Result,
    ask::{Caller, at_once, refusal},
};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;

/// What all of them ask for.
#[derive(Clone, Debug)]
pub struct Wish {
    pub field: &'static str,
    pub wanted: &'static str,
    pub input: Value,
    /// The code of whoever is told that nothing is left.
    pub none_left: &'static str,
}

/// Everybody asks at once, but for the last ones, so many: they ask as soon as the first one was told that nothing is left,
/// and must be told the same, because nothing is given back meanwhile. Answers everybody's payload, in their order.
pub async fn rush(fans: &[Caller], late: usize, wish: &Wish) -> Result<Vec<Value>> {
    let early = fans.len().saturating_sub(late);
    let (told, heard) = watch::channel(false);
    let told = Arc::new(told);
    let one = |(place, fan): (usize, &Caller)| {
        let (fan, wish, mut heard) = (fan.clone(), wish.clone(), heard.clone());
        // If nobody is ever told, the last of the others hangs up.
        let told = (place < early).then(|| Arc::clone(&told));
        async move {
            if told.is_none() {
                drop(heard.wait_for(|is_told| *is_told).await);
            }
            let payload = fan.mutate(wish.field, wish.wanted, &wish.input).await?;
            if let Some(told) = told
                && refusal(&payload) == wish.none_left
            {
                told.send_replace(true);
            }
            Ok(payload)
        }
    };
    let asking: Vec<_> = fans.iter().enumerate().map(one).collect();
    drop(told);
    let payloads = at_once(asking).await?;
    for payload in payloads.iter().skip(early) {
        if refusal(payload) != wish.none_left {
            return Err(format!("asked after the first was told {}, and was told {payload}", wish.none_left).into());
        }
    }
    Ok(payloads)
}

/// Those who got it, and how many were told that nothing is left; whoever was told something else is an error.
pub fn served<'a>(
    fans: &'a [Caller],
    payloads: &'a [Value],
    wish: &Wish,
) -> Result<(Vec<(&'a Caller, &'a Value)>, usize)> {
    let (mut served, mut refused) = (Vec::new(), 0);
    for (fan, payload) in fans.iter().zip(payloads) {
        match refusal(payload) {
            "" => served.push((fan, payload)),
            code if code == wish.none_left => refused += 1,
            _ => return Err(format!("neither served nor told {}: {payload}", wish.none_left).into()),
        }
    }
    Ok((served, refused))
}
