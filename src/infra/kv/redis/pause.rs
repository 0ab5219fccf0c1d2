//! After a failure to reach Redis, the next second's callers are told so at once.

use super::super::KvError;
use redis::RedisResult;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    pub fn check(&self) -> Result<(), KvError> {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *until {
            Some(end) if Instant::now() < end => Err(KvError("it did not answer a moment ago".to_owned())),
            Some(_) => {
                // They go again until one of them fails: then the next second begins.
                *until = None;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub fn learn<T>(&self, answer: &RedisResult<T>) {
        let is_gone = answer.as_ref().err().is_some_and(|error| {
            error.is_io_error() || error.is_timeout() || error.is_connection_dropped() || error.is_connection_refusal()
        });
        if is_gone {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
        }
    }
}
