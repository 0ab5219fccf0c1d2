//! Who comes first is served first: a queue of buyers for each event, on each node.
//!
//! A database gets slower the more writers queue on one row, so few of them do (`booking.writers_per_event`): while one
//! transaction runs, those who come meanwhile wait here, and the next one serves them together (`booking.group_most`).
//! Nodes do not know of each other's queues; between their groups the row lock decides. A queue is bounded
//! (`booking.waiting_per_event`), and there is none for an event that nobody waits for.

use super::{
    Served,
    guess::Guesses,
    request::Request,
    serve::{self, Booth},
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
};
use entity::ids::EventId;
use futures_util::FutureExt;
use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Events whose last buyers got nothing are remembered up to this many queues.
const MOST_REMEMBERED: usize = 1_000;

/// So often nobody came while everything else had its turn.
const ROUNDS_IN_VAIN: u32 = 4;

/// A request, and where its answer goes.
#[derive(Debug)]
pub struct Waiting {
    pub request: Request,
    pub answer: oneshot::Sender<Result<Served>>,
}

/// The queues of this node.
#[derive(Debug, Default)]
pub struct Queues {
    of_events: Mutex<HashMap<EventId, Queue>>,
    pub guesses: Guesses,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Tasks that serve it now.
    writers: usize,
    /// The last group got nothing: the next one is worth a look before it locks anything.
    was_in_vain: bool,
    /// How many the last group had.
    last: usize,
}

impl Queue {
    /// Half of those who wait or were served last, and may be on their way again.
    fn half(&self) -> usize {
        (self.waiting.len() + self.last).div_ceil(2)
    }
}

impl Queues {
    fn lock(&self) -> MutexGuard<'_, HashMap<EventId, Queue>> {
        self.of_events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait for their turn at an event.
    pub fn waiting(&self, event_id: EventId) -> usize {
        self.lock().get(&event_id).map_or(0, |queue| queue.waiting.len())
    }

    /// How many wait for their turn at an event, and how many of them a group takes.
    fn crowd(&self, event_id: EventId) -> (usize, usize) {
        self.lock().get(&event_id).map_or((0, 0), |queue| (queue.waiting.len(), queue.half()))
    }

    /// How many wait at all the events.
    pub fn waiting_in_all(&self) -> usize {
        self.lock().values().map(|queue| queue.waiting.len()).sum()
    }

    /// True if somebody must begin to serve it.
    fn join(&self, one: Waiting, most: usize, writers: usize) -> Result<bool> {
        let mut queues = self.lock();
        let event_id = one.request.event_id;
        if queues.len() >= MOST_REMEMBERED && !queues.contains_key(&event_id) {
            queues.retain(|_, queue| queue.writers > 0);
        }
        let queue = queues.entry(event_id).or_default();
        if queue.waiting.len() >= most {
            return Err(busy());
        }
        queue.waiting.push_back(one);
        let is_needed = queue.writers < writers;
        queue.writers += usize::from(is_needed);
        Ok(is_needed)
    }

    /// The first ones, and whether to look first. `None`: nobody waits, and the one who asks has ended.
    fn take(&self, event_id: EventId, most: usize) -> Option<(Vec<Waiting>, bool)> {
        let mut queues = self.lock();
        let queue = queues.get_mut(&event_id)?;
        if queue.waiting.is_empty() {
            queue.writers = queue.writers.saturating_sub(1);
            if queue.writers == 0 && !queue.was_in_vain {
                queues.remove(&event_id);
            }
            return None;
        }
        let most = most.min(queue.half()).min(queue.waiting.len());
        queue.last = most;
        Some((queue.waiting.drain(..most).collect(), queue.was_in_vain))
    }

    fn note(&self, event_id: EventId, was_in_vain: bool) {
        if let Some(queue) = self.lock().get_mut(&event_id) {
            queue.was_in_vain = was_in_vain;
        }
    }
}

fn busy() -> Error {
    let ko = "기다리는 사람이 많습니다. 잠시 뒤에 다시 시도해 주세요.";
    Problem::new(Code::Busy, &[], ko, "Too many are waiting. Try again in a moment.").into()
}

/// Waits for its turn and for the answer. Whoever stops waiting is served all the same.
pub async fn wait(app: &App, request: Request) -> Result<Served> {
    let (answer, answered) = oneshot::channel();
    let event_id = request.event_id;
    let settings = &app.config.booking;
    let one = Waiting { request, answer };
    if app.queues.join(one, settings.waiting_per_event, app.db.writers(settings.writers_per_event))? {
        app.tasks.spawn(work(app.clone(), event_id));
    }
    answered.await.unwrap_or_else(|_| Err(Error::fault("the group was not answered")))
}

/// Lets those who are on their way in come along: a group costs little more for fifty than for five. No time is waited
/// for: when a few rounds of what else there is to do bring nobody, it begins. Of a crowd it takes half, so that one half
/// is on its way while the other one is served.
async fn gather(app: &App, event_id: EventId, most: usize) {
    let ((mut waiting, mut half), mut in_vain) = (app.queues.crowd(event_id), 0);
    while waiting < most.min(half) && in_vain < ROUNDS_IN_VAIN {
        tokio::task::yield_now().await;
        let before = waiting;
        (waiting, half) = app.queues.crowd(event_id);
        in_vain = if waiting > before { 0 } else { in_vain + 1 };
    }
}

/// Serves group after group until nobody waits.
async fn work(app: App, event_id: EventId) {
    let (most, mut booth) = (app.config.booking.group_most, Booth::of(&app));
    loop {
        gather(&app, event_id, most).await;
        let Some((group, looks_first)) = app.queues.take(event_id, most) else { break };
        // A panic costs its group the answer, and must not cost the event its queue.
        let served = serve::serve(&app, &mut booth, event_id, group, looks_first);
        let served = AssertUnwindSafe(served).catch_unwind().await;
        app.queues.note(event_id, served.unwrap_or(false));
        booth.line.rest().await;
    }
    booth.line.end().await;
}
