//! One run of a story: with a kill, with a list of its steps, or in peace.

use super::{cast::Cast, story::Story};
use crate::{
    Result,
    person::{MINUTE, Stage},
    server::{Plan, Rehearsal},
    settled,
    world::World,
};
use chrono::{DateTime, Utc};
use std::time::{Duration, Instant};

pub struct Run {
    /// What became of it, in words.
    pub outcome: Result<String>,
    /// From the restart, or from when the heir is alone, until nothing was on its way any more; none if the server was not killed.
    pub settled_after: Option<Duration>,
}

/// Where it is played: one database, on which a second node may be the first one's heir.
pub struct Place {
    pub world: World,
    pub heir: Option<Plan>,
}

pub async fn perform(place: &Place, cast: &mut Cast, story: Story, rehearsal: &Rehearsal) -> Result<Run> {
    let world = &place.world;
    let since = world.app.clock.now();
    let scene = cast.prepare(world, story).await?;
    let mut stage = Stage::open_with(&world.plan, place.heir.as_ref(), rehearsal).await?;
    let outcome = match story.play(world, &mut stage, &scene).await {
        Ok(outcome) => settle(world, &mut stage, Some(since)).await.map(|()| outcome),
        Err(error) => Err(error),
    };
    // Told with it: the log goes with the folder.
    let mut faults = world.plan.faults()?;
    if let Some(heir) = &place.heir {
        faults.extend(heir.faults()?);
    }
    let outcome = outcome.map_err(|why| format!("{why}; the log so far: {}", faults.join("; ")).into());
    let settled_after = stage.revived.map(|since| since.elapsed());
    stage.close().await?;
    Ok(Run { outcome, settled_after })
}

/// Whatever earlier runs left right is right still: the provider is asked about all of it.
pub async fn look_again(world: &World) -> Result<()> {
    let mut stage = Stage::open(&world.plan, &Rehearsal::default()).await?;
    let settled = settle(world, &mut stage, None).await;
    stage.close().await?;
    settled
}

/// Waits until nothing is on its way, then looks whether all is as it must be; the provider is asked about what has changed
/// `since`.
pub async fn settle(world: &World, stage: &mut Stage, since: Option<DateTime<Utc>>) -> Result<()> {
    let began = Instant::now();
    loop {
        stage.revive_if_gone().await?;
        let open = settled::open(world).await?;
        if open.is_empty() {
            break;
        }
        if began.elapsed() > MINUTE {
            return Err(format!("after a minute: {}", open.join(", ")).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A job of the story that is still to come may yet kill the server, and the provider with it.
    let wrong = loop {
        let provider = settled::provider(world, &stage.url())?;
        match settled::wrong(world, &provider, since).await {
            Ok(wrong) => break wrong,
            Err(why) => stage.revive(&why.to_string()).await?,
        }
    };
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ").into()) }
}
