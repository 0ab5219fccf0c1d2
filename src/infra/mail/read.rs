//! Reading the folder back, for the page that shows it.

use mail_parser::MessageParser;
use std::{path::Path, time::SystemTime};

/// A letter as a person reads it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub name: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub at: SystemTime,
}

/// The newest letters first, at most `most`.
pub fn newest(folder: &Path, most: usize) -> std::io::Result<Vec<Shown>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|ending| ending == "eml") {
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    files.sort_by(|a, b| b.cmp(a));
    Ok(files.into_iter().take(most).filter_map(|(at, path)| show(&path, at)).collect())
}

fn show(path: &Path, at: SystemTime) -> Option<Shown> {
    let bytes = std::fs::read(path).ok()?;
    let message = MessageParser::default().parse(&bytes)?;
    Some(Shown {
        name: path.file_stem()?.to_string_lossy().into_owned(),
        to: message.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned(),
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0).unwrap_or_default().into_owned(),
        at,
    })
}
