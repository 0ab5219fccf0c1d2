//! The embedded twin: each letter a file, `ID.eml`.

use crate::error::{Error, Result};
use lettre::Message;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub struct FolderMail {
    folder: PathBuf,
}

impl FolderMail {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Written whole under another name, then renamed: who lists the folder never sees half a letter.
    pub async fn send(&self, id: &str, message: &Message) -> Result<()> {
        let broken = |error: std::io::Error| Error::fault(format!("letter {id}: {error}"));
        let half = self.folder.join(format!("{id}.new"));
        tokio::fs::write(&half, message.formatted()).await.map_err(broken)?;
        tokio::fs::rename(&half, self.folder.join(format!("{id}.eml"))).await.map_err(broken)
    }
}
