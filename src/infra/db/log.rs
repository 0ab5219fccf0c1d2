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
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::Mutex;

/// Of one file.
#[derive(Debug)]
pub struct Log {
    file: PathBuf,
    path: PathBuf,
    /// Commits that were written, and how many of them are on the disk for sure.
    written: AtomicU64,
    synced: AtomicU64,
    /// The disk did not take it once. The system then forgets what it could not write: no later sync says anything of it.
    is_broken: AtomicBool,
    /// Whoever has it brings all there that was written by then.
    turn: Mutex<()>,
}

impl Log {
    /// Of this database file.
    pub fn of(file: &Path) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push("-wal");
        Self {
            file: file.into(),
            path: path.into(),
            is_broken: AtomicBool::default(),
            written: AtomicU64::default(),
            synced: AtomicU64::default(),
            turn: Mutex::default(),
        }
    }

    /// A commit has been written that did not wait for the disk.
    pub fn note(&self) {
        self.written.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether all that was ever asked for came there.
    pub fn is_whole(&self) -> bool {
        !self.is_broken.load(Ordering::Acquire)
    }

    /// So many of them, and everything before, are on the disk.
    async fn synced(&self, commit: u64) -> io::Result<()> {
        while self.synced.load(Ordering::Acquire) < commit {
            let _turn = self.turn.lock().await;
            if self.synced.load(Ordering::Acquire) >= commit {
                break;
            }
            if !self.is_whole() {
                return Err(io::Error::other("the disk did not take the log before; start again"));
            }
            let written = self.written.load(Ordering::Acquire);
            let (file, path) = (self.file.clone(), self.path.clone());
            let synced = tokio::task::spawn_blocking(move || sync(&file, &path)).await;
            if let Err(error) = synced.map_err(io::Error::other).flatten() {
                self.is_broken.store(true, Ordering::Release);
                tracing::error!(%error, log = %self.path.display(), "the disk does not take the log: look after it, and start again");
                return Err(error);
            }
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

    /// Something is to be told that others have committed, of whose waiting this process may know nothing.
    pub fn read_others(&self) {
        if let Some(log) = &self.log {
            log.note();
        }
    }
}

/// Opened anew each time: SQLite removes the log with its last connection, after having brought all of it into its file.
fn sync(file: &Path, log: &Path) -> io::Result<()> {
    match File::open(log) {
        Ok(log) => log.sync_data(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => File::open(file)?.sync_data(),
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
        std::fs::write(folder.path().join("a.db"), "pages").expect("a file");
        log.note();
        log.synced(1).await.expect("nothing to bring there");
    }

    #[tokio::test]
    async fn what_cannot_be_brought_there_is_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.db");
        let log = Arc::new(Log::of(&file));
        for round in 0..2 {
            log.note();
            let told = OnDisk(Arc::clone(&log), round + 1).reached().await;
            assert!(matches!(told, Err(crate::error::Error::Fault(Fault::CommitInDoubt(_)))), "{told:?}");
            assert!(pending(&log) && !log.is_whole());
            // What the disk did not take is not there because it takes something else.
            std::fs::write(&file, "pages").expect("a file");
        }
    }
}
