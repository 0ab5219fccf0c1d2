//! Reads that come while another one is under way are made together, by one statement: each request asks for a few keys,
//! and hundreds come at once. Nothing is kept: what is read is read after it was asked for.

use super::KvError;
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

type Found = Result<Option<String>, KvError>;
type Waiting = Vec<(String, oneshot::Sender<Found>)>;

/// Keys that wait to be read.
#[derive(Clone, Debug, Default)]
pub struct Gather(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    /// Whoever has it reads for everybody who waits by then.
    turn: tokio::sync::Mutex<Option<Last>>,
}

/// The last read.
#[derive(Clone, Copy, Debug)]
struct Last {
    began: Instant,
    keys: usize,
    /// How many came close upon one another by then.
    streak: u32,
}

impl Last {
    fn next(last: Option<Self>, keys: usize) -> Self {
        let began = Instant::now();
        let streak = last.filter(|last| began - last.began < CLOSE).map_or(0, |last| last.streak.saturating_add(1));
        Self { began, keys, streak }
    }

    /// Not before this the next one.
    fn pace(self) -> Option<Instant> {
        (self.keys < FEW && self.streak >= STREAK).then(|| self.began + PACE)
    }
}

/// A statement's parameters are bounded.
const MOST: usize = 500;

/// After so many reads, each close upon the one before, one of fewer keys is followed by the next not before the pace.
const STREAK: u32 = 4;
const CLOSE: Duration = Duration::from_millis(4);
const FEW: usize = 8;
const PACE: Duration = Duration::from_millis(1);

/// So often nobody asked while everything else had its turn.
const ROUNDS_IN_VAIN: u32 = 2;

impl Gather {
    /// What is under the key. `read` reads many.
    pub async fn get<F>(&self, key: &str, read: impl Fn(Vec<String>) -> F) -> Found
    where
        F: Future<Output = Result<HashMap<String, String>, KvError>>,
    {
        loop {
            let (answer, mut answered) = oneshot::channel();
            self.waiting().push((key.to_owned(), answer));
            let found = tokio::select! {
                biased;
                found = &mut answered => found,
                mut last = self.0.turn.lock() => {
                    self.let_come(*last).await;
                    *last = Some(Last::next(*last, self.waiting().len()));
                    self.read_all(&read).await;
                    drop(last);
                    answered.await
                }
            };
            if let Ok(found) = found {
                return found;
            }
            // Who was reading for us went away in the middle of it: once more.
        }
    }

    /// What the same request asks for besides is asked by the time it comes back here, and so is what others ask who are on
    /// their way in. Where many ask one after the other, each read would be for one of them, and cost the database as much
    /// as what they came for: those wait for a moment.
    async fn let_come(&self, last: Option<Last>) {
        if let Some(moment) = last.and_then(Last::pace) {
            sleep_until(moment).await;
        }
        let (mut waiting, mut in_vain) = (self.waiting().len(), 0);
        while waiting < MOST && in_vain < ROUNDS_IN_VAIN {
            tokio::task::yield_now().await;
            let before = waiting;
            waiting = self.waiting().len();
            in_vain = if waiting > before { 0 } else { in_vain + 1 };
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_all<F>(&self, read: &impl Fn(Vec<String>) -> F)
    where
        F: Future<Output = Result<HashMap<String, String>, KvError>>,
    {
        let waiting = mem::take(&mut *self.waiting());
        let mut waiting = waiting.into_iter().filter(|(_, answer)| !answer.is_closed()).peekable();
        while waiting.peek().is_some() {
            let part: Vec<_> = waiting.by_ref().take(MOST).collect();
            let found = read(part.iter().map(|(key, _)| key.clone()).collect()).await;
            for (key, answer) in part {
                let own = match &found {
                    Ok(found) => Ok(found.get(&key).cloned()),
                    Err(error) => Err(KvError(error.0.clone())),
                };
                let _gone = answer.send(own);
            }
        }
    }
}
