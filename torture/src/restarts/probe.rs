//! Whoever sends people to the node asks it, all the time, whether it is ready; and so it must tell the truth.

use crate::Result;
use reqwest::{Client, StatusCode};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// As it is, by who stops and starts the database's server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    There,
    Away,
    /// On its way from one to the other.
    Changing,
}

/// Nobody who asks a node whether it is ready waits for longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// So long after the database is back the node may still say that it is not ready.
const GRACE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

pub struct Probe {
    url: String,
    http: Client,
    truth: Mutex<(Truth, Instant)>,
}

#[derive(Debug, Default)]
struct Count {
    ready: usize,
    not_ready: usize,
    slowest: Duration,
}

impl Probe {
    pub fn new(url: String) -> Result<Self> {
        let http = Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).no_proxy().build()?;
        Ok(Self { url: format!("{url}/readyz"), http, truth: Mutex::new((Truth::There, Instant::now())) })
    }

    pub fn now(&self, truth: Truth) {
        *self.truth.lock().unwrap_or_else(PoisonError::into_inner) = (truth, Instant::now());
    }

    fn truth(&self) -> (Truth, Instant) {
        *self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until it is over; answers how often it said what.
    pub async fn watch(&self, is_over: watch::Receiver<bool>) -> Result<String> {
        let mut count = Count::default();
        while !*is_over.borrow() {
            self.ask(&mut count).await?;
            tokio::time::sleep(POLL).await;
        }
        if count.ready == 0 || count.not_ready == 0 {
            return Err(format!("/readyz has never changed: {count:?}").into());
        }
        let (no, slowest) = (count.not_ready, count.slowest.as_secs_f64());
        Ok(format!("/readyz said {} times yes and {no} times no, after {slowest:.1} s at the latest", count.ready))
    }

    async fn ask(&self, count: &mut Count) -> Result<()> {
        let (before, asked) = (self.truth(), Instant::now());
        let sent = self.http.get(&self.url).send().await;
        let (truth, since) = before;
        let status = sent.map_err(|why| format!("/readyz, {truth:?} for {:?}: {why}", since.elapsed()))?.status();
        count.slowest = count.slowest.max(asked.elapsed());
        *(if status == StatusCode::OK { &mut count.ready } else { &mut count.not_ready }) += 1;
        // What has changed meanwhile says nothing.
        let due = match truth {
            _ if self.truth() != before => return Ok(()),
            Truth::Away => StatusCode::SERVICE_UNAVAILABLE,
            Truth::There if asked > since + GRACE => StatusCode::OK,
            Truth::There | Truth::Changing => return Ok(()),
        };
        if status == due { Ok(()) } else { Err(format!("/readyz says {status}, the database is {truth:?}").into()) }
    }
}
