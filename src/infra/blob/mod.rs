//! Objects: files that people uploaded, under keys of ours.
//!
//! Always: a key is never made from a file's name; an object is there whole or not at all; putting the same key again
//! and deleting what is gone are no mistakes. What a row says of an object is the caller's business. Read next: `key`
//! for what a key says, `spool` for files on their way.

mod folder;
mod key;
mod spool;

pub use folder::FolderBlob;
pub use key::{Key, Media};
pub use spool::{Spool, Spooled};

use crate::error::Result;
use futures_util::stream::BoxStream;
use std::path::PathBuf;

/// Where objects are.
#[derive(Clone, Debug)]
pub enum Blob {
    Folder(FolderBlob),
}

/// An object as it is read.
pub struct Stored {
    pub byte_size: u64,
    /// In pieces, so that a large object takes no memory.
    pub content: BoxStream<'static, std::io::Result<Vec<u8>>>,
}

impl Blob {
    pub fn folder(folder: PathBuf) -> Self {
        Self::Folder(FolderBlob::new(folder))
    }

    /// Keeps the file under the key; once it answers `Ok`, the object survives a power cut.
    pub async fn put(&self, key: &Key, file: &Spooled) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.put(key, file).await,
        }
    }

    /// `None` if there is no such object.
    pub async fn get(&self, key: &Key) -> Result<Option<Stored>> {
        match self {
            Self::Folder(folder) => folder.get(key).await,
        }
    }

    /// Removes the object, if it is there.
    pub async fn delete(&self, key: &Key) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.delete(key).await,
        }
    }
}
