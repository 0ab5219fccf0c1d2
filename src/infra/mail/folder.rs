//! The embedded twin: each letter a file, `ID.eml`.

use super::Letter;
use crate::error::{Error, Result};
use lettre::{Message, message::header::ContentType};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub struct FolderMail {
    folder: PathBuf,
    from: String,
}

impl FolderMail {
    pub fn new(folder: PathBuf, from: String) -> Self {
        Self { folder, from }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Written whole under another name, then renamed: who lists the folder never sees half a letter.
    pub async fn send(&self, letter: &Letter) -> Result<()> {
        let broken = |error: &dyn std::fmt::Display| Error::fault(format!("mail {}: {error}", letter.id));
        let message = Message::builder()
            .from(self.from.parse().map_err(|error| broken(&error))?)
            .to(letter.to.parse().map_err(|error| broken(&error))?)
            .subject(&letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(|error| broken(&error))?;
        let half = self.folder.join(format!("{}.new", letter.id));
        tokio::fs::write(&half, message.formatted()).await.map_err(|error| broken(&error))?;
        let whole = self.folder.join(format!("{}.eml", letter.id));
        tokio::fs::rename(&half, &whole).await.map_err(|error| broken(&error))
    }
}
