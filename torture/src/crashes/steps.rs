//! Which of the steps that a story passes are those at which the server is killed.

use super::{crowd, story::Story};
use crate::Result;
use std::collections::{BTreeMap, BTreeSet};

/// Whose steps are of interest: where seats, money, points and coupons move. The rest (the key-value table, the search
/// index, the sandbox's own memory) stands still or is built anew.
const PLACES: [&str; 7] = ["booking", "payment", "point", "coupon", "event::cancel", "kakaopay", "infra::jobs::run"];
/// The worker passes the same steps again and again: these many say it all.
const MOST_OF_THE_WORKER: usize = 4;
/// Where a crowd is served in groups, one after the other.
const GROUPS: &str = "booking::start::serve after commit";

pub fn interesting(story: Story, steps: &[String]) -> Vec<String> {
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
    if story.is_crowded() { of_a_crowd(wanted) } else { wanted }
}

/// Each group's step; of what each of the crowd does, the first one's and the last one's.
fn of_a_crowd(steps: Vec<String>) -> Vec<String> {
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    for step in &steps {
        last.insert(name(step).to_owned(), step.clone());
    }
    let is_told = |step: &String| {
        step.starts_with("booking::start::serve")
            || step.starts_with("infra")
            || step.ends_with(" #1")
            || last.get(name(step)) == Some(step)
    };
    steps.into_iter().filter(is_told).collect()
}

fn name(step: &str) -> &str {
    step.rsplit_once(" #").map_or(step, |(name, _)| name)
}

/// In how many transactions the crowd was served. As many as there are people were no groups.
pub fn groups(steps: &[String]) -> Result<usize> {
    let groups = steps.iter().filter(|step| step.starts_with(GROUPS)).count();
    if (1..crowd::BUYERS).contains(&groups) { Ok(groups) } else { Err(format!("{groups} groups of buyers").into()) }
}
