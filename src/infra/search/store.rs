//! Where the embedded index lies: in memory, or in a folder of its own inside the one that was given.
//!
//! The folder is named for the format of the index, and everything in it can be made again from the database: one of
//! another format, or one that is damaged, is removed. Nothing else in the given folder is touched.

use super::SearchError;
use super::schema::{FORMAT, Fields};
use std::path::{Path, PathBuf};
use tantivy::directory::error::OpenReadError;
use tantivy::directory::{MmapDirectory, RamDirectory};
use tantivy::{Index, IndexReader, IndexSettings, ReloadPolicy, TantivyError};

const PREFIX: &str = "events-v";
/// A file that stands in the folder once the index holds all events.
const FILLED: &str = "filled";

impl From<TantivyError> for SearchError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::LockFailure(..) => Self::Busy,
            other => Self::Engine(other.to_string()),
        }
    }
}

impl From<std::io::Error> for SearchError {
    fn from(error: std::io::Error) -> Self {
        Self::Engine(error.to_string())
    }
}

/// An open index.
pub(super) struct Store {
    pub index: Index,
    pub reader: IndexReader,
    /// None in memory.
    folder: Option<PathBuf>,
}

impl Store {
    pub fn in_memory(fields: &Fields) -> Result<Self, SearchError> {
        let index = Index::create(RamDirectory::create(), fields.schema.clone(), IndexSettings::default())?;
        Fields::teach(&index);
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, reader, folder: None })
    }

    pub fn in_folder(parent: &Path, fields: &Fields) -> Result<Self, SearchError> {
        std::fs::create_dir_all(parent)?;
        let folder = parent.join(format!("{PREFIX}{FORMAT}"));
        remove_other_formats(parent, &folder)?;
        match Self::at(&folder, fields) {
            Err(error) if is_damage(&error) => {
                tracing::warn!(%error, "the search index is damaged and is made again");
                std::fs::remove_dir_all(&folder)?;
                Ok(Self::at(&folder, fields)?)
            }
            opened => Ok(opened?),
        }
    }

    fn at(folder: &Path, fields: &Fields) -> tantivy::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // Refuses an index of another schema.
        let index = Index::open_or_create(MmapDirectory::open(folder)?, fields.schema.clone())?;
        Fields::teach(&index);
        // Another process may write: its commits are looked for twice a second.
        let reader = index.reader_builder().reload_policy(ReloadPolicy::OnCommitWithDelay).try_into()?;
        Ok(Self { index, reader, folder: Some(folder.to_owned()) })
    }

    /// Whether the index was ever filled to the end.
    pub fn is_filled(&self) -> bool {
        self.folder.as_ref().is_some_and(|folder| folder.join(FILLED).exists())
    }

    pub fn set_filled(&self, filled: bool) -> std::io::Result<()> {
        match self.folder.as_ref().map(|folder| folder.join(FILLED)) {
            Some(mark) if filled => std::fs::write(mark, ""),
            Some(mark) if mark.exists() => std::fs::remove_file(mark),
            _ => Ok(()),
        }
    }
}

fn remove_other_formats(parent: &Path, ours: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(parent)? {
        let path = entry?.path();
        let format = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(PREFIX));
        if path != ours && format.is_some_and(|format| format.parse::<u32>().is_ok()) {
            std::fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

fn is_damage(error: &TantivyError) -> bool {
    matches!(
        error,
        TantivyError::DataCorruption(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::SchemaError(_)
            | TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_) | OpenReadError::IncompatibleIndex(_))
    )
}
