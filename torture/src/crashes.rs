//! Each story is run once to see which steps it passes, then once for each of those, killed there.

mod story;

use crate::{
    Result,
    person::{MINUTE, Stage},
    server::{Plan, Rehearsal},
    settled,
    world::World,
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use story::{Cast, Story};

#[derive(Debug, clap::Args)]
pub struct Crashes {
    /// `sqlite`, or servers such as mysql://root@127.0.0.1:3306/ , separated by commas
    #[arg(long, default_value = "sqlite")]
    databases: String,
    /// Only the stories whose name has this
    #[arg(long, default_value = "")]
    story: String,
    /// Only the steps whose name has this
    #[arg(long, default_value = "")]
    step: String,
    /// Leave the settings as they are by default, however long that takes
    #[arg(long)]
    as_configured: bool,
}

/// Whose steps are of interest: where seats, money, points and coupons move. The rest (the key-value table, the search
/// index, the sandbox's own memory) stands still or is built anew.
const PLACES: [&str; 7] = ["booking", "payment", "point", "coupon", "event::cancel", "kakaopay", "infra::jobs::run"];
/// The worker passes the same steps again and again: these many say it all.
const MOST_OF_THE_WORKER: usize = 4;

struct Tally {
    runs: usize,
    unreached: usize,
    failed: usize,
    slowest: Duration,
}

impl Crashes {
    pub async fn run(self) -> Result<()> {
        let mut tally = Tally { runs: 0, unreached: 0, failed: 0, slowest: Duration::ZERO };
        for address in self.databases.split(',') {
            let name = address.split(':').next().unwrap_or(address);
            let world = World::make(address, &[], self.as_configured).await?;
            let mut cast = Cast::of(&world).await?;
            for story in Story::ALL.into_iter().filter(|story| story.name().contains(&self.story)) {
                println!("\n{name}: {}", story.told());
                self.tell(&world, &mut cast, story, &mut tally).await?;
            }
        }
        println!(
            "\n{} kills, {} not settled as it must be; {} steps were not passed a second time; the slowest was settled {:.1} s after the restart",
            tally.runs,
            tally.failed,
            tally.unreached,
            tally.slowest.as_secs_f64()
        );
        if tally.failed > 0 { Err(format!("{} of {} runs failed", tally.failed, tally.runs).into()) } else { Ok(()) }
    }

    async fn tell(&self, world: &World, cast: &mut Cast, story: Story, tally: &mut Tally) -> Result<()> {
        // Does what earlier stories left to be done by now, so that the list below has this one's steps alone.
        perform(world, cast, story, &story.rehearsal()).await?;
        let list = world.plan.folder.join("steps");
        let listing = Rehearsal { steps_to: Some(list.clone()), ..story.rehearsal() };
        let calm = perform(world, cast, story, &listing).await?;
        if let Err(why) = calm.outcome {
            return Err(format!("without a kill already: {why}").into());
        }
        for step in interesting(&Plan::steps(&list)?) {
            if !step.contains(&self.step) {
                continue;
            }
            let rehearsal = Rehearsal { kill_at: Some(step.clone()), ..story.rehearsal() };
            let run = perform(world, cast, story, &rehearsal).await?;
            let Some(settled_after) = run.settled_after else {
                tally.unreached += 1;
                println!("  {step:<48} not passed this time");
                continue;
            };
            tally.runs += 1;
            tally.slowest = tally.slowest.max(settled_after);
            match run.outcome {
                Ok(outcome) => println!("  {step:<48} {outcome}, after {:.1} s", settled_after.as_secs_f64()),
                Err(why) => {
                    tally.failed += 1;
                    println!("  {step:<48} FAILED: {why}");
                }
            }
        }
        Ok(())
    }
}

struct Run {
    /// What became of it, in words.
    outcome: Result<String>,
    /// From the restart until nothing was on its way any more; none if the server was not killed.
    settled_after: Option<Duration>,
}

async fn perform(world: &World, cast: &mut Cast, story: Story, rehearsal: &Rehearsal) -> Result<Run> {
    let scene = story.prepare(world, cast).await?;
    let mut stage = Stage::open(&world.plan, rehearsal).await?;
    let told = story.play(&mut stage, &scene).await;
    let outcome = match told {
        Ok(outcome) => settle(world, &mut stage).await.map(|()| outcome),
        Err(error) => Err(error),
    };
    let settled_after = stage.revived.map(|since| since.elapsed());
    stage.close().await?;
    Ok(Run { outcome, settled_after })
}

async fn settle(world: &World, stage: &mut Stage) -> Result<()> {
    let since = Instant::now();
    loop {
        stage.revive_if_gone().await?;
        let open = settled::open(world).await?;
        if open.is_empty() {
            break;
        }
        if since.elapsed() > MINUTE {
            return Err(format!("after a minute: {}", open.join(", ")).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let provider = settled::provider(world, &stage.url())?;
    // A job of the story that is still to come may yet kill the server.
    let wrong = loop {
        match settled::wrong(world, &provider, None).await {
            Ok(wrong) => break wrong,
            Err(_) => stage.revive().await?,
        }
    };
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ").into()) }
}

fn interesting(steps: &[String]) -> Vec<String> {
    let mut known = BTreeSet::new();
    let mut of_the_worker = 0;
    let mut wanted = Vec::new();
    for step in steps {
        if !PLACES.iter().any(|place| step.starts_with(place)) || !known.insert(step) {
            continue;
        }
        if step.starts_with("infra") {
            of_the_worker += 1;
            if of_the_worker > MOST_OF_THE_WORKER {
                continue;
            }
        }
        wanted.push(step.clone());
    }
    wanted
}
