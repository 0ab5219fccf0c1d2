//! Whose a file can be, what it can be, and how many there can be: pure.

use crate::infra::blob::Media;
use entity::{
    attachment::Model,
    enums::AttachmentOwnerKind,
    ids::{AnyId, EventId, ReviewId, TypedId, UserId},
};

/// Bytes of one file.
pub const MOST_BYTES: u64 = 10 * 1024 * 1024;

/// What files belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    Event(EventId),
    Review(ReviewId),
    User(UserId),
}

impl Owner {
    pub fn parse(id: &str) -> Option<Self> {
        let event = id.parse().map(Self::Event);
        event.or_else(|_| id.parse().map(Self::Review)).or_else(|_| id.parse().map(Self::User)).ok()
    }

    pub fn of(row: &Model) -> Self {
        let id = row.owner_id.uuid();
        match row.owner_kind {
            AttachmentOwnerKind::Event => Self::Event(id.into()),
            AttachmentOwnerKind::Review => Self::Review(id.into()),
            AttachmentOwnerKind::User => Self::User(id.into()),
        }
    }

    pub const fn kind(self) -> AttachmentOwnerKind {
        match self {
            Self::Event(_) => AttachmentOwnerKind::Event,
            Self::Review(_) => AttachmentOwnerKind::Review,
            Self::User(_) => AttachmentOwnerKind::User,
        }
    }

    pub fn id(self) -> AnyId {
        AnyId::from(match self {
            Self::Event(id) => id.uuid(),
            Self::Review(id) => id.uuid(),
            Self::User(id) => id.uuid(),
        })
    }

    /// How many files it may have. A person has one, the avatar; a new one takes its place.
    pub const fn most(self) -> usize {
        match self {
            Self::Event(_) | Self::Review(_) => 10,
            Self::User(_) => 1,
        }
    }

    /// A person's avatar and what a review shows are pictures; an event may come with a programme.
    pub fn takes(self, media: Media) -> bool {
        match self {
            Self::Event(_) => true,
            Self::Review(_) | Self::User(_) => media.is_image(),
        }
    }
}

/// Bytes that [`told_by`] needs, if there are so many.
pub const HEAD: usize = 12;

/// What a file is, by its first bytes; `None` if it is nothing that is kept.
pub fn told_by(head: &[u8]) -> Option<Media> {
    match head {
        [0xFF, 0xD8, 0xFF, ..] => Some(Media::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Media::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Media::Webp),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Media::Gif),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some(Media::Pdf),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_begins_with() {
        let cases: [(&[u8], _); 9] = [
            (b"\xFF\xD8\xFF\xE0....", Some(Media::Jpeg)),
            (b"\x89PNG\r\n\x1A\n....", Some(Media::Png)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(Media::Webp)),
            (b"GIF89a", Some(Media::Gif)),
            (b"%PDF-1.7", Some(Media::Pdf)),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"<svg xmlns=", None),
            (b"<!DOCTYPE html>", None),
            (b"", None),
        ];
        for (head, media) in cases {
            assert_eq!(told_by(head), media, "{head:?}");
        }
    }

    #[test]
    fn an_owner_is_told_by_its_id() {
        let digits = "01h455vb4pex5vsknk084sn02q";
        for prefix in ["evt", "rev", "usr"] {
            assert!(Owner::parse(&format!("{prefix}_{digits}")).is_some());
        }
        assert_eq!(Owner::parse(&format!("bkg_{digits}")), None);
    }
}
