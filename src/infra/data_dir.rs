//! The data folder: what the embedded defaults keep. Password hashes, letters with codes and the keys of the tokens lie in
//! it, so a new one is its owner's alone. One that is there already keeps its permissions, a group's included; but what lies
//! in it is closed to everybody else. One server uses it at a time.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
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
            close(&data.join(folder))?;
        }
        for file in ["spotlight.db", "spotlight.db-wal", "spotlight.db-shm"] {
            close(&data.join(file))?;
        }
        fs::write(&probe, b"")?;
        fs::remove_file(&probe)
    };
    write().map_err(|cause| DataDirError::Write { path: data.display().to_string(), cause })
}

/// To everybody but owner and group. What is somebody else's, or is not there, stays.
fn close(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::metadata(path) else { return Ok(()) };
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o007 == 0 {
        return Ok(());
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o770)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::warn!(path = %path.display(), "everybody may look into it, and it is not ours to close");
            Ok(())
        }
        closed => closed,
    }
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
