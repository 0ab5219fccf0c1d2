//! Mail leaves through the outbox, in a lane of its own, so a slow or dead server slows nothing else. A letter has an id:
//! sent twice, it is the same letter, with the same `Message-ID`.
//!
//! `letter` is what a use case makes, `page` its HTML; `folder` and `smtp` are the twins; `read` reads the folder back.

mod folder;
mod letter;
mod page;
pub mod read;
mod smtp;

use crate::{
    error::{Error, Result},
    infra::clock::Clock,
};
use folder::FolderMail;
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use smtp::SmtpMail;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub use letter::Letter;
pub use smtp::{Address as SmtpAddress, Security};

/// `[mail]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// `folder:`, or the address of a server; there may be a password in it.
    pub url: SecretString,
    pub from: String,
    /// Whose certificates are believed, instead of those that the system believes; empty: the system's.
    pub ca_file: PathBuf,
    /// Letters that are on their way at once, each over a connection of its own.
    pub max_connections: usize,
    /// What one letter may take, from connecting to the server's receipt.
    pub timeout_seconds: u64,
}

impl MailSettings {
    /// The server's; an error for the folder, too.
    pub fn address(&self) -> std::result::Result<SmtpAddress, &'static str> {
        SmtpAddress::parse(self.url.expose_secret())
    }

    pub fn is_folder(&self) -> bool {
        self.url.expose_secret() == "folder:"
    }
}

/// Where letters go.
#[derive(Clone, Debug)]
pub struct Mail {
    from: Mailbox,
    clock: Arc<dyn Clock>,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    Folder(FolderMail),
    Smtp(Arc<SmtpMail>),
}

impl Mail {
    /// Fails in words that name the setting, and hold no secret. Connects nowhere yet: a server may be down at the start.
    pub fn open(settings: &MailSettings, data: &Path, clock: Arc<dyn Clock>) -> std::result::Result<Self, String> {
        let from = settings.from.parse().map_err(|_| "mail.from: not a mail address".to_owned())?;
        let way = if settings.is_folder() {
            Way::Folder(FolderMail::new(data.join("mail")))
        } else {
            Way::Smtp(Arc::new(SmtpMail::open(settings)?))
        };
        Ok(Self { from, clock, way })
    }

    /// The folder, if letters go there.
    pub fn folder(&self) -> Option<&Path> {
        match &self.way {
            Way::Folder(mail) => Some(mail.folder()),
            Way::Smtp(_) => None,
        }
    }

    /// Answers `Ok` when the other side has it. May be called again with the same letter.
    pub async fn send(&self, letter: &Letter) -> Result<()> {
        let message = self.message(letter)?;
        match &self.way {
            Way::Folder(mail) => mail.send(&letter.id, &message).await,
            Way::Smtp(mail) => mail.send(&letter.id, &message).await,
        }
    }

    /// Says good-bye to the server, when nothing is on its way any more.
    pub async fn hang_up(&self) {
        if let Way::Smtp(mail) = &self.way {
            mail.hang_up().await;
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message> {
        let broken = |error: &dyn std::fmt::Display| Error::fault(format!("letter {}: {error}", letter.id));
        // The id becomes a file's name and a header.
        if letter.id.is_empty() || !letter.id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            return Err(broken(&"not an id of a letter"));
        }
        let to: Address = letter.to.parse().map_err(|error| broken(&error))?;
        Message::builder()
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .date(self.clock.now().into())
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject())
            // Nobody's "I am away" answers a machine (RFC 3834).
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(letter.text(), letter.html()))
            .map_err(|error| broken(&error))
    }
}
