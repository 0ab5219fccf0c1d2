//! Where a rehearsal may kill the process: before and after each commit, before and after each call to the payment
//! provider. The steps are not listed anywhere: each is named by the module that takes it, and a rehearsal finds them by
//! running once with a list. Only in debug builds: a release has none of it.

/// One side of something that cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    BeforeCommit,
    AfterCommit,
    BeforeCall,
    AfterCall,
}

/// Passes a step; does not return if the rehearsal wants the process to end here.
#[cfg(debug_assertions)]
pub fn pass(moment: Moment, place: &str) {
    if let Some(plan) = armed::PLAN.get() {
        plan.pass(moment, place);
    }
}

#[cfg(not(debug_assertions))]
pub const fn pass(_moment: Moment, _place: &str) {}

#[cfg(debug_assertions)]
pub use armed::arm;

#[cfg(debug_assertions)]
mod armed {
    use super::Moment;
    use std::{
        collections::HashMap,
        fs::File,
        io::{self, Write},
        path::Path,
        sync::{Mutex, OnceLock, PoisonError},
    };

    pub(super) static PLAN: OnceLock<Plan> = OnceLock::new();

    /// What the rehearsal asked for.
    #[derive(Debug)]
    pub struct Plan {
        kill_at: Option<String>,
        list: Option<Mutex<File>>,
        passed: Mutex<HashMap<String, u32>>,
    }

    /// Called once, by the binary. `kill_at` is a line of such a list: `booking::start before commit #1`.
    pub fn arm(kill_at: Option<String>, list: Option<&Path>) -> io::Result<()> {
        let list = list.map(File::create).transpose()?.map(Mutex::new);
        if kill_at.is_some() || list.is_some() {
            PLAN.get_or_init(|| Plan { kill_at, list, passed: Mutex::default() });
        }
        Ok(())
    }

    impl Plan {
        pub(super) fn pass(&self, moment: Moment, place: &str) {
            let step = self.count(moment, place);
            if let Some(list) = &self.list {
                let mut file = list.lock().unwrap_or_else(PoisonError::into_inner);
                if let Err(error) = writeln!(file, "{step}") {
                    tracing::error!(%error, "the list of steps cannot be written");
                }
            }
            if self.kill_at.as_deref() == Some(step.as_str()) {
                end();
            }
        }

        fn count(&self, moment: Moment, place: &str) -> String {
            let place = place.strip_prefix("spotlight::").unwrap_or(place);
            let moment = match moment {
                Moment::BeforeCommit => "before commit",
                Moment::AfterCommit => "after commit",
                Moment::BeforeCall => "before call",
                Moment::AfterCall => "after call",
            };
            let name = format!("{place} {moment}");
            let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
            let times = passed.entry(name.clone()).or_default();
            *times += 1;
            format!("{name} #{times}")
        }
    }

    /// As abruptly as a power cut: nothing is flushed, closed or told.
    fn end() -> ! {
        if let Err(error) = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL) {
            tracing::error!(%error, "cannot kill this process");
        }
        std::process::abort();
    }
}
