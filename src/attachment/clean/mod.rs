//! Copies a file without what it says of its maker: position, camera, author, comments, and whatever stands behind its
//! end. The picture itself is copied bit by bit. What is cut short or does not hang together is refused with
//! `InvalidData` or `UnexpectedEof`.
//!
//! Formats: JPEG ITU-T T.81 with JFIF and Exif 2.3; PNG third edition, <https://www.w3.org/TR/png-3/>; WebP RFC 9649;
//! GIF89a. A PDF is kept as it is: its metadata is a part of the document.

mod gif;
mod jpeg;
mod png;
mod webp;

use crate::infra::blob::{Media, Spooled};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Error, ErrorKind, Read, Write},
};

/// Blocks.
pub fn clean(media: Media, file: &Spooled, to: File) -> io::Result<Spooled> {
    let (mut from, mut to) = (BufReader::new(file.reader()), BufWriter::new(to));
    match media {
        Media::Gif => gif::clean(&mut from, &mut to)?,
        Media::Jpeg => jpeg::clean(&mut from, &mut to)?,
        Media::Pdf => io::copy(&mut from, &mut to).map(drop)?,
        Media::Png => png::clean(&mut from, &mut to)?,
        Media::Webp => webp::clean(&mut from, &mut to)?,
    }
    Spooled::new(to.into_inner()?)
}

fn wrong(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn bytes(from: &mut impl BufRead, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let wanted = u64::try_from(count).unwrap_or(u64::MAX);
    if from.take(wanted).read_to_end(&mut bytes)? < count {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// Copies so many bytes.
fn copy(from: &mut impl BufRead, to: &mut impl Write, count: u64) -> io::Result<()> {
    if io::copy(&mut from.take(count), to)? < count { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn skip(from: &mut impl BufRead, count: u64) -> io::Result<()> {
    copy(from, &mut io::sink(), count)
}
