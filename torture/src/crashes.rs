//! Each story is run once to see which steps it passes, then once for each of those, killed there; the databases side by side.

mod cast;
mod crowd;
mod deeds;
mod perform;
mod steps;
mod story;

use crate::{
    Result,
    ask::at_once,
    server::{Plan, Rehearsal},
    world::World,
};
use cast::Cast;
use perform::{look_again, perform};
use std::time::Duration;
use story::Story;

#[derive(Clone, Debug, clap::Args)]
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

#[derive(Default)]
struct Tally {
    runs: usize,
    unreached: usize,
    failed: usize,
    slowest: Duration,
}

impl Crashes {
    pub async fn run(self) -> Result<()> {
        let databases = self.databases.split(',').map(|address| {
            let (of_one, address) = (self.clone(), address.to_owned());
            Box::pin(async move { of_one.on(&address).await })
        });
        let tallies = at_once(databases.collect::<Vec<_>>()).await?;
        let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
        let (runs, failed) = (sum(|tally| tally.runs), sum(|tally| tally.failed));
        println!(
            "\n{runs} kills, {failed} not settled as it must be; {} steps were not passed a second time; the slowest was settled {:.1} s after the restart",
            sum(|tally| tally.unreached),
            tallies.iter().map(|tally| tally.slowest).max().unwrap_or_default().as_secs_f64()
        );
        if runs == 0 {
            return Err("nothing was killed: is there such a step, and is this a debug build?".into());
        }
        if failed > 0 { Err(format!("{failed} of {runs} runs failed").into()) } else { Ok(()) }
    }

    async fn on(&self, address: &str) -> Result<Tally> {
        let name = address.split(':').next().unwrap_or(address);
        let world = World::make(address, &[], self.as_configured).await?;
        let mut cast = Cast::of(&world).await?;
        let mut tally = Tally::default();
        for story in Story::ALL.into_iter().filter(|story| story.name().contains(&self.story)) {
            let title = format!("{name:<8} {:<12}", story.name());
            let told = self.tell(&world, &mut cast, (story, &title), &mut tally).await;
            told.map_err(|why| format!("{title}: {why}"))?;
        }
        Ok(tally)
    }

    async fn tell(
        &self,
        world: &World,
        cast: &mut Cast,
        (story, title): (Story, &str),
        tally: &mut Tally,
    ) -> Result<()> {
        // Does what earlier stories left to be done by now, so that the list below has this one's steps alone.
        perform(world, cast, story, &story.rehearsal()).await?.outcome?;
        let list = world.plan.folder.join("steps");
        let listing = Rehearsal { steps_to: Some(list.clone()), ..story.rehearsal() };
        let calm = perform(world, cast, story, &listing).await?.outcome;
        let calm = calm.map_err(|why| format!("without a kill already: {why}"))?;
        let passed = Plan::steps(&list)?;
        println!("{title} {}: {calm}", story.told());
        if story.is_crowded() {
            println!("{title} the crowd was served in {} transactions", steps::groups(&passed)?);
        }
        let before = tally.runs;
        for step in steps::interesting(story, &passed).into_iter().filter(|step| step.contains(&self.step)) {
            let rehearsal = Rehearsal { kill_at: Some(step.clone()), ..story.rehearsal() };
            let run = perform(world, cast, story, &rehearsal).await?;
            println!("{title} {step:<42} {}", tally.count(run));
        }
        if self.step.is_empty() && tally.runs == before {
            return Err("no step of it was killed".into());
        }
        look_again(world).await
    }
}

impl Tally {
    /// Answers what became of the run.
    fn count(&mut self, run: perform::Run) -> String {
        let after = run.settled_after.unwrap_or_default();
        self.slowest = self.slowest.max(after);
        self.runs += usize::from(run.settled_after.is_some());
        match run.outcome {
            Err(why) => {
                self.failed += 1;
                format!("FAILED: {why}")
            }
            Ok(_) if run.settled_after.is_none() => {
                self.unreached += 1;
                "not passed this time".to_owned()
            }
            Ok(outcome) => format!("{outcome}, after {:.1} s", after.as_secs_f64()),
        }
    }
}
