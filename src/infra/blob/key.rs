//! An object's key: 256 random bits and an ending that says what the object is, `SECRET.jpg`.

use crate::infra::ids::Ids;
use std::{fmt, str::FromStr};

/// The kinds of files that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    Gif,
    Jpeg,
    Pdf,
    Png,
    Webp,
}

impl Media {
    const ALL: [Self; 5] = [Self::Gif, Self::Jpeg, Self::Pdf, Self::Png, Self::Webp];

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Gif => "image/gif",
            Self::Jpeg => "image/jpeg",
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Gif => "gif",
            Self::Jpeg => "jpg",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    pub fn is_image(self) -> bool {
        self != Self::Pdf
    }
}

/// Safe as the name of a file and as a part of an address, whatever it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    secret: String,
    media: Media,
}

/// Characters of [`Ids::secret`].
const SECRET: usize = 43;

impl Key {
    /// A new key that nobody can guess.
    pub fn new(ids: &Ids, media: Media) -> Self {
        Self { secret: ids.secret(), media }
    }

    pub const fn media(&self) -> Media {
        self.media
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.secret, self.media.ending())
    }
}

/// A text that is no key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the key of an object")]
pub struct InvalidKey;

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (secret, ending) = text.split_once('.').ok_or(InvalidKey)?;
        let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if secret.len() != SECRET || !secret.bytes().all(is_ours) {
            return Err(InvalidKey);
        }
        let media = Media::ALL.into_iter().find(|media| media.ending() == ending).ok_or(InvalidKey)?;
        Ok(Self { secret: secret.to_owned(), media })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_keys_are_keys() {
        let secret = "Ab-_".repeat(10) + "xyz";
        let text = format!("{secret}.webp");
        assert_eq!(text.parse::<Key>().map(|key| key.to_string()), Ok(text));
        for text in [
            String::new(),
            secret.clone(),
            format!("{secret}.exe"),
            format!("{secret}.jpg.exe"),
            format!("{secret}x.jpg"),
            format!("../{}.jpg", &secret[..40]),
            format!("{}/.jpg", &secret[..42]),
            format!("{}é.jpg", &secret[..41]),
        ] {
            assert_eq!(text.parse::<Key>(), Err(InvalidKey), "{text}");
        }
    }
}
