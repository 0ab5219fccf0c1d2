//! SQLite's log, brought to the disk once for all who wait for it. With `synchronous=FULL` each COMMIT waits for the disk by
//! itself, and with it everybody who wants to write; with NORMAL none does. A sale that follows sale after sale commits
//! without the disk, goes on with the next, and tells its buyers when the log that holds their bookings is there: whatever
//! came meanwhile is there with it.
//!
//! What was committed is seen by others a moment before it is there. Whoever acts on it outside of this database writes that
//! down first, by a COMMIT that waits for the disk, and what stands before it in the log is there with it.

use super::Db;
use crate::error::{Fault, Result};
use sea_orm::DbErr;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Mutex;

/// Of one file.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// Commits that were written, and how many of them are on the disk for sure.
    written: AtomicU64,
    synced: AtomicU64,
    /// Whoever has it brings all there that was written by then.
    turn: Mutex<()>,
}

impl Log {
    /// Of this database file.
    pub fn of(file: &Path) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push("-wal");
        Self { path: path.into(), written: AtomicU64::default(), synced: AtomicU64::default(), turn: Mutex::default() }
    }

    /// A commit has been written that did not wait for the disk.
    pub fn note(&self) {
        self.written.fetch_add(1, Ordering::AcqRel);
    }

    /// So many of them, and everything before, are on the disk.
    async fn synced(&self, commit: u64) -> io::Result<()> {
        while self.synced.load(Ordering::Acquire) < commit {
            let _turn = self.turn.lock().await;
            if self.synced.load(Ordering::Acquire) >= commit {
                break;
            }
            let (written, path) = (self.written.load(Ordering::Acquire), self.path.clone());
            tokio::task::spawn_blocking(move || sync(&path)).await.map_err(io::Error::other)??;
            self.synced.fetch_max(written, Ordering::AcqRel);
        }
        Ok(())
    }
}

/// That all that was committed up to now is on the disk.
#[derive(Debug)]
pub struct OnDisk(Arc<Log>, u64);

impl OnDisk {
    /// If it cannot be brought there, nobody knows whether it will outlive a power cut.
    pub async fn reached(self) -> Result<()> {
        let Self(log, commit) = self;
        let reached = log.synced(commit).await;
        reached
            .map_err(|error| Fault::CommitInDoubt(DbErr::Custom(format!("the log cannot be synced: {error}"))).into())
    }
}

impl Db {
    /// What to wait for before anybody is told of what was committed over a line; `None` if it waited for the disk itself.
    pub fn on_disk(&self) -> Option<OnDisk> {
        let log = self.log.as_ref()?;
        let written = log.written.load(Ordering::Acquire);
        (log.synced.load(Ordering::Acquire) < written).then(|| OnDisk(Arc::clone(log), written))
    }
}

/// Opened anew each time: SQLite removes the log with its last connection, after having brought all of it into its file.
fn sync(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(log) => log.sync_data(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(log: &Log) -> bool {
        log.synced.load(Ordering::Acquire) < log.written.load(Ordering::Acquire)
    }

    #[tokio::test]
    async fn all_that_was_written_is_brought_to_the_disk_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log::of(&folder.path().join("a.db"));
        std::fs::write(folder.path().join("a.db-wal"), "frames").expect("a file");
        for _ in 0..3 {
            log.note();
        }
        log.synced(1).await.expect("a disk");
        assert!(!pending(&log));
        log.note();
        assert!(pending(&log));
    }

    #[tokio::test]
    async fn a_log_that_was_brought_into_its_file_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log::of(&folder.path().join("a.db"));
        log.note();
        log.synced(1).await.expect("nothing to bring there");
    }

    #[tokio::test]
    async fn what_cannot_be_brought_there_is_not_there() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let log = Arc::new(Log::of(&file.path().join("a.db")));
        log.note();
        let told = OnDisk(Arc::clone(&log), 1).reached().await;
        assert!(matches!(told, Err(crate::error::Error::Fault(Fault::CommitInDoubt(_)))), "{told:?}");
        assert!(pending(&log));
    }
}
