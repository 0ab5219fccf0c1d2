//! The embedded twin: each object a file, named by its key.

use super::{Key, Spooled, Stored};
use crate::error::{Error, Result};
use futures_util::stream::{self, StreamExt};
use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

/// What is read at once.
const PIECE: usize = 64 * 1024;

#[derive(Clone, Debug)]
pub struct FolderBlob {
    folder: PathBuf,
}

impl FolderBlob {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(key.to_string())
    }

    pub async fn put(&self, key: &Key, file: &Spooled) -> Result<()> {
        let (folder, whole, file) = (self.folder.clone(), self.path(key), file.clone());
        aside(move || write(&folder, &whole, &file)).await
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Stored>> {
        let path = self.path(key);
        let opened = aside(move || match File::open(&path) {
            Ok(file) => Ok(Some((file.metadata()?.len(), file))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        });
        let Some((byte_size, file)) = opened.await? else { return Ok(None) };
        let content = stream::try_unfold(file, |mut file| async move {
            blocking(move || {
                let mut piece = vec![0; PIECE];
                let read = file.read(&mut piece)?;
                piece.truncate(read);
                Ok((read > 0).then_some((piece, file)))
            })
            .await
        });
        Ok(Some(Stored { byte_size, content: content.boxed() }))
    }

    pub async fn delete(&self, key: &Key) -> Result<()> {
        let path = self.path(key);
        aside(move || match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }
}

/// Whole under another name, then renamed: who reads never sees half an object. Both the file and its name are on disk
/// before the answer, because a row that names the object comes next.
fn write(folder: &Path, whole: &Path, file: &Spooled) -> io::Result<()> {
    let mut half = tempfile::Builder::new().prefix(".half-").tempfile_in(folder)?;
    io::copy(&mut file.reader(), &mut half)?;
    half.as_file().sync_all()?;
    half.persist(whole)?;
    File::open(folder)?.sync_all()
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    blocking(work).await.map_err(|error| Error::fault(format!("objects: {error}")))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
