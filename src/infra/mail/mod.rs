//! Mail leaves through the outbox, so a slow server never slows a request. A letter has an id: sent twice, it is the
//! same letter.

mod folder;
pub mod read;

use crate::error::Result;
pub use folder::FolderMail;
use std::path::PathBuf;

/// What is sent.
#[derive(Clone, Debug)]
pub struct Letter {
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// Where letters go.
#[derive(Clone, Debug)]
pub enum Mail {
    Folder(FolderMail),
}

impl Mail {
    pub fn folder(folder: PathBuf, from: &str) -> Self {
        Self::Folder(FolderMail::new(folder, from.to_owned()))
    }

    pub async fn send(&self, letter: &Letter) -> Result<()> {
        match self {
            Self::Folder(mail) => mail.send(letter).await,
        }
    }
}
