//! Reading the folder back, for the page that shows it.

use chrono::{DateTime, Utc};
use mail_parser::MessageParser;
use std::{io, path::Path};

/// A letter as a person reads it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The letter's id.
    pub name: String,
    pub to: String,
    pub subject: String,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    pub text: String,
    pub html: String,
}

/// The newest letters first; each is read when it is asked for.
pub fn newest(folder: &Path) -> io::Result<impl Iterator<Item = Shown>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|ending| ending == "eml") {
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    files.sort_by(|a, b| b.cmp(a));
    Ok(files.into_iter().filter_map(|(_, path)| show(&path)))
}

/// The letter of that id, if there is one. An id never leads out of the folder.
pub fn one(folder: &Path, name: &str) -> io::Result<Option<Shown>> {
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Ok(None);
    }
    let path = folder.join(format!("{name}.eml"));
    match std::fs::metadata(&path) {
        Ok(_) => Ok(show(&path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn show(path: &Path) -> Option<Shown> {
    let bytes = std::fs::read(path).ok()?;
    let message = MessageParser::default().parse(&bytes)?;
    Some(Shown {
        name: path.file_stem()?.to_string_lossy().into_owned(),
        to: message.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned(),
        subject: message.subject().unwrap_or_default().to_owned(),
        sent_at: message.date().and_then(|date| DateTime::from_timestamp(date.to_timestamp(), 0)),
        text: message.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
        html: message.body_html(0).unwrap_or_default().into_owned(),
    })
}
