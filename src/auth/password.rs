//! bcrypt, which takes a quarter of a second by design: on threads of its own, never on the async ones.
//!
//! The threads are few and run at a low priority, so that a crowd that signs in delays nobody who looks at events. The
//! queue is bounded by time: who would wait longer than an operation may take is told when to come back, at once. Work
//! whose asker has gone is not done.

use crate::{
    app::App,
    error::{Error, Result},
};
use entity::PasswordHash;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::timeout};

/// Nobody is let in who would wait for longer: an operation may take 10 s in all, and what comes before and after
/// the password takes its time, too.
const PATIENCE: Duration = Duration::from_secs(6);
/// Nobody waits for longer, though they were let in: others than we took the processors.
const MOST: Duration = Duration::from_secs(7);
/// What bcrypt takes at cost 10, in microseconds, until it is known better.
const FIRST_GUESS: u64 = 60_000;
/// The system's scale goes from -20 to 19; the higher, the later.
const NICENESS: i32 = 19;

type Work = Box<dyn FnOnce() + Send>;

/// The threads, and what is known of how busy they are.
#[derive(Debug)]
pub struct Passwords {
    queue: Sender<Work>,
    threads: u64,
    most: Duration,
    load: Arc<Load>,
}

#[derive(Debug, Default)]
struct Load {
    /// Asked for and not done.
    waiting: AtomicU64,
    /// How long one takes, in microseconds: the last ones count most.
    usual: AtomicU64,
    runs: AtomicU64,
}

impl Passwords {
    /// # Errors
    /// If the system gives no thread.
    pub fn start(threads: usize, cost: u32) -> std::io::Result<Self> {
        let threads = if threads == 0 { (thread::available_parallelism()?.get() / 2).max(1) } else { threads };
        let (queue, work) = channel::<Work>();
        let work = Arc::new(Mutex::new(work));
        for _ in 0..threads {
            let work = Arc::clone(&work);
            thread::Builder::new().name("bcrypt".to_owned()).spawn(move || serve(&work))?;
        }
        let load = Load { usual: AtomicU64::new((FIRST_GUESS << cost.min(31)) >> 10), ..Load::default() };
        Ok(Self { queue, threads: u64::try_from(threads).unwrap_or(1), most: MOST, load: Arc::new(load) })
    }

    /// How many times bcrypt has run.
    pub fn runs(&self) -> u64 {
        self.load.runs.load(Ordering::Relaxed)
    }

    /// How many are asked for and not done.
    pub fn waiting(&self) -> u64 {
        self.load.waiting.load(Ordering::Relaxed)
    }

    /// Keeps every thread busy until the answer is dropped: tests look at what happens while a password waits to be compared.
    #[doc(hidden)]
    pub fn hold(&self) -> Vec<Sender<()>> {
        let busy = |_| {
            let (open, gate) = channel::<()>();
            let wait = move || {
                let _ended = gate.recv();
            };
            // Nobody is held up where no thread is left.
            let _ = self.queue.send(Box::new(wait));
            open
        };
        (0..self.threads).map(busy).collect()
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = self.place()?;
        let (reply, answer) = oneshot::channel();
        let load = Arc::clone(&self.load);
        let job = move || {
            if reply.is_closed() {
                return;
            }
            let began = Instant::now();
            let done = work();
            load.ran(began.elapsed());
            // Before the answer: who asks next finds the place free.
            drop(place);
            // Who went away in the meantime needs no answer.
            let _ = reply.send(done);
        };
        let gone = || Error::fault("no thread for passwords is left");
        self.queue.send(Box::new(job)).map_err(|_| gone())?;
        // What nobody waits for any more is not begun.
        let answered = timeout(self.most, answer).await.map_err(|_| Error::Busy(PATIENCE))?;
        answered.map_err(|_| gone())
    }

    /// A place in the queue.
    ///
    /// # Errors
    /// `Busy` if too many wait already.
    pub fn place(&self) -> Result<Place> {
        let before = self.load.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&self.load));
        self.room_after(before).map(|()| place)
    }

    /// Whether there is a place now: asked before anything is read or written for somebody who would be sent away.
    ///
    /// # Errors
    /// `Busy` if too many wait already.
    pub fn check(&self) -> Result<()> {
        self.room_after(self.waiting())
    }

    fn room_after(&self, before: u64) -> Result<()> {
        let wait = Duration::from_micros(before * self.load.usual.load(Ordering::Relaxed) / self.threads);
        // Half of the queue is done by then, so that who comes back finds room and the threads are never idle.
        if wait > PATIENCE { Err(Error::Busy(wait - PATIENCE / 2)) } else { Ok(()) }
    }
}

/// Given back when the work is done, or was never begun.
#[derive(Debug)]
pub struct Place(Arc<Load>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Load {
    fn ran(&self, took: Duration) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX >> 4);
        let usual = self.usual.load(Ordering::Relaxed);
        self.usual.store((usual * 7 + took) / 8, Ordering::Relaxed);
    }
}

/// One thread: until nobody can ask any more.
fn serve(queue: &Mutex<Receiver<Work>>) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS) {
        tracing::debug!(%error, "passwords are compared at the usual priority");
    }
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // A panic ends that one work, whose asker hears of it, and no thread.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
            tracing::error!("comparing a password panicked");
        }
    }
}

/// # Errors
/// `Busy` if too many wait already.
pub async fn hash(app: &App, password: String) -> Result<PasswordHash> {
    let cost = app.config.auth.bcrypt_cost;
    let hashed = app.passwords.run(move || bcrypt::hash(password, cost)).await?;
    hashed.map(PasswordHash).map_err(|error| Error::fault(error.to_string()))
}

/// Does the same work whether or not there is a hash to compare with.
///
/// # Errors
/// `Busy` if too many wait already.
pub async fn verify(app: &App, password: String, hash: Option<PasswordHash>) -> Result<bool> {
    let hash = hash.map_or_else(|| of_nobody(app.config.auth.bcrypt_cost), |hash| hash.0);
    app.passwords.run(move || bcrypt::verify(password, &hash).unwrap_or(false)).await
}

/// Whether a hash cost something else than a new one would: the setting was changed since.
pub fn is_outdated(app: &App, hash: &PasswordHash) -> bool {
    let cost = hash.0.split('$').nth(2).and_then(|cost| cost.parse::<u32>().ok());
    cost != Some(app.config.auth.bcrypt_cost)
}

/// Well-formed, and of no password that anybody knows: salt and digest are all zeros.
fn of_nobody(cost: u32) -> String {
    format!("$2b${cost:02}${}", ".".repeat(53))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nobody_is_compared_like_any_other() {
        assert!(matches!(bcrypt::verify("Spotlight1!", &of_nobody(4)), Ok(false)));
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_told_when_to_come_back() {
        let passwords = Passwords::start(2, 12).unwrap();
        assert_eq!(passwords.run(|| 7).await.unwrap(), 7);
        passwords.load.usual.store(250_000, Ordering::Relaxed);
        let places: Vec<Place> = (0..49).map(|_| passwords.place().unwrap()).collect();
        let refused = passwords.run(|| 7).await;
        assert!(matches!(refused, Err(Error::Busy(wait)) if wait > Duration::from_secs(1)), "{refused:?}");
        drop(places);
        assert_eq!(passwords.run(|| 7).await.unwrap(), 7);
        assert_eq!(passwords.runs(), 2);
    }
    #[test]
    fn a_crowd_that_comes_first_of_all_is_bounded_too() {
        let passwords = Passwords::start(1, 12).unwrap();
        let places: Vec<Place> = (0..200).map_while(|_| passwords.place().ok()).collect();
        assert!((10..100).contains(&places.len()), "{}", places.len());
    }

    #[tokio::test]
    async fn who_was_let_in_and_waits_too_long_is_told_when_to_come_back() {
        let passwords = Passwords { most: Duration::from_millis(1), ..Passwords::start(1, 4).unwrap() };
        let (_open, gate) = channel::<()>();
        let asked = passwords.run(move || gate.recv().is_err()).await;
        assert!(matches!(asked, Err(Error::Busy(_))), "{asked:?}");
    }
}
