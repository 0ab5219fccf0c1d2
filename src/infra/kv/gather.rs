//! Reads that come while another one is under way are made together, by one statement: each request asks for a key or
//! two, and hundreds come at once. Nothing is kept: what is read is read after it was asked for.

use super::KvError;
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

type Found = Result<Option<String>, KvError>;
type Waiting = Vec<(String, oneshot::Sender<Found>)>;

/// Keys that wait to be read.
#[derive(Clone, Debug, Default)]
pub struct Gather(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    /// Whoever has it reads for everybody who waits by then.
    turn: tokio::sync::Mutex<()>,
}

/// A statement's parameters are bounded.
const MOST: usize = 500;

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
                _turn = self.0.turn.lock() => {
                    self.let_come().await;
                    self.read_all(&read).await;
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
    /// their way in. No time is waited for.
    async fn let_come(&self) {
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
