//! The data folder: what the embedded defaults keep. Password hashes, letters with codes and the keys of the tokens lie in
//! it, so a new one is its owner's alone; one that is there already keeps its permissions. One server uses it at a time.

use std::{
    fs::{DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::Path,
};

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("data_dir: cannot write to {path}: {cause}")]
    Write { path: String, cause: io::Error },
    #[error("data_dir: another server is using {0}; stop it first, or give this one a --data-dir of its own")]
    InUse(String),
}

/// Makes what is missing, and says at the start what would otherwise fail at the first letter.
pub fn prepare(data: &Path) -> Result<(), DataDirError> {
    let probe = data.join(".writable");
    let write = || -> io::Result<()> {
        for folder in ["mail", "keys", "search", "objects", "incoming"] {
            DirBuilder::new().recursive(true).mode(0o700).create(data.join(folder))?;
        }
        std::fs::write(&probe, b"")?;
        std::fs::remove_file(&probe)
    };
    write().map_err(|cause| DataDirError::Write { path: data.display().to_string(), cause })
}

/// Held by the one server that uses the folder; the operating system lets go of it when the process ends, however.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    pub fn take(data: &Path) -> Result<Self, DataDirError> {
        prepare(data)?;
        let path = || data.display().to_string();
        let open = File::options().create(true).truncate(false).write(true).open(data.join("server.lock"));
        let file = open.map_err(|cause| DataDirError::Write { path: path(), cause })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(path())),
            Err(TryLockError::Error(cause)) => Err(DataDirError::Write { path: path(), cause }),
        }
    }
}
