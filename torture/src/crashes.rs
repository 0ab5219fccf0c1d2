//! Each story is run once to see which steps it passes, then once for each of those, killed there; the databases side by side.
//! The server is then started again; or, with an heir, it is not, and the second node must do with what was left.

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
use perform::{Place, look_again, perform};
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
    /// Only every so manieth step of a story
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Two nodes: the one that is killed is not started again, and the other one must settle all of it
    #[arg(long)]
    heir: bool,
    /// The nodes' key-value store; the database's own table if it is left out
    #[arg(long, default_value = "embedded:")]
    kv: String,
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
            "\n{runs} kills, {failed} not settled as it must be; {} steps were not passed a second time; the slowest was settled {:.1} s after {}",
            sum(|tally| tally.unreached),
            tallies.iter().map(|tally| tally.slowest).max().unwrap_or_default().as_secs_f64(),
            if self.heir { "the other node was alone" } else { "the restart" }
        );
        if runs == 0 {
            return Err("nothing was killed: is there such a step, and is this a debug build?".into());
        }
        if failed > 0 { Err(format!("{failed} of {runs} runs failed").into()) } else { Ok(()) }
    }

    async fn on(&self, address: &str) -> Result<Tally> {
        let name = address.split(':').next().unwrap_or(address);
        let world = World::make(address, &[("kv.url", self.kv.clone())], self.as_configured).await?;
        let heir = if self.heir { Some(world.node("heir")?) } else { None };
        let place = Place { world, heir };
        let mut cast = Cast::of(&place.world).await?;
        let mut tally = Tally::default();
        for story in Story::ALL.into_iter().filter(|story| story.name().contains(&self.story)) {
            let title = format!("{name:<8} {:<12}", story.name());
            let told = self.tell(&place, &mut cast, (story, &title), &mut tally).await;
            told.map_err(|why| format!("{title}: {why}"))?;
        }
        Ok(tally)
    }

    async fn tell(
        &self,
        place: &Place,
        cast: &mut Cast,
        (story, title): (Story, &str),
        tally: &mut Tally,
    ) -> Result<()> {
        // Does what earlier stories left to be done by now, so that the list below has this one's steps alone.
        perform(place, cast, story, &story.rehearsal()).await?.outcome?;
        let list = place.world.plan.folder.join("steps");
        let listing = Rehearsal { steps_to: Some(list.clone()), ..story.rehearsal() };
        let calm = perform(place, cast, story, &listing).await?.outcome;
        let calm = calm.map_err(|why| format!("without a kill already: {why}"))?;
        let passed = Plan::steps(&list)?;
        println!("{title} {}: {calm}", story.told());
        if story.is_crowded() {
            println!("{title} the crowd was served in {} transactions", steps::groups(&passed)?);
        }
        let before = tally.runs;
        let wanted = steps::interesting(story, &passed).into_iter().filter(|step| step.contains(&self.step));
        for step in wanted.step_by(self.every.max(1)) {
            let rehearsal = Rehearsal { kill_at: Some(step.clone()), ..story.rehearsal() };
            let run = perform(place, cast, story, &rehearsal).await?;
            println!("{title} {step:<42} {}", tally.count(run));
        }
        if self.step.is_empty() && tally.runs == before {
            return Err("no step of it was killed".into());
        }
        look_again(&place.world).await
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
