//! WebP: a RIFF file, chunks of type, length and data, padded to an even length.

use super::{array, copy, skip, wrong};
use std::io::{self, BufRead, Seek, SeekFrom, Write};

/// What the picture looks like and how it moves. Left out: EXIF, XMP, and what nobody knows.
const KEPT: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
/// The flags of `VP8X` that announce EXIF and XMP.
const ANNOUNCED: u8 = 0x08 | 0x04;
const HEADER: u64 = 12;

pub fn clean(from: &mut impl BufRead, to: &mut (impl Write + Seek)) -> io::Result<()> {
    let (riff, size, webp): ([u8; 4], [u8; 4], [u8; 4]) = (array(from)?, array(from)?, array(from)?);
    if (&riff, &webp) != (b"RIFF", b"WEBP") {
        return Err(wrong("no WebP signature"));
    }
    to.write_all(b"RIFF\0\0\0\0WEBP")?;
    let mut left = u64::from(u32::from_le_bytes(size)).checked_sub(4).ok_or_else(|| wrong("the size is too small"))?;
    let (mut kept, mut has_picture) = (4, false);
    while left > 0 {
        let (kind, length): ([u8; 4], [u8; 4]) = (array(from)?, array(from)?);
        let length = u32::from_le_bytes(length);
        let padded = u64::from(length) + u64::from(length % 2);
        left = left.checked_sub(padded + 8).ok_or_else(|| wrong("a chunk is larger than the file"))?;
        if !KEPT.contains(&&kind) {
            skip(from, padded)?;
            continue;
        }
        has_picture |= matches!(&kind, b"VP8 " | b"VP8L" | b"ANMF");
        kept += padded + 8;
        to.write_all(&kind)?;
        to.write_all(&length.to_le_bytes())?;
        let mut rest = padded;
        if &kind == b"VP8X" {
            let [flags] = array(from)?;
            to.write_all(&[flags & !ANNOUNCED])?;
            rest = rest.checked_sub(1).ok_or_else(|| wrong("VP8X is empty"))?;
        }
        copy(from, to, rest)?;
    }
    if !has_picture {
        return Err(wrong("no picture"));
    }
    let size = u32::try_from(kept).map_err(|_| wrong("too large"))?;
    to.seek(SeekFrom::Start(4))?;
    to.write_all(&size.to_le_bytes())?;
    to.seek(SeekFrom::Start(HEADER - 4 + kept)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap_or_default().to_le_bytes();
        let padding: &[u8] = if data.len() % 2 == 1 { b"\0" } else { b"" };
        [kind.as_slice(), &length, data, padding].concat()
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        let body = [b"WEBP".to_vec(), chunks.concat()].concat();
        let size = u32::try_from(body.len()).unwrap_or_default().to_le_bytes();
        [b"RIFF".as_slice(), &size, &body].concat()
    }

    #[test]
    fn position_goes_and_is_not_announced_any_more() -> io::Result<()> {
        let (picture, exif, xmp) = (chunk(b"VP8L", &[7; 33]), chunk(b"EXIF", b"37.5N"), chunk(b"XMP ", b"<x/>"));
        let wide = |flags: u8| chunk(b"VP8X", &[flags, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
        let mut whole = file(&[wide(0x1C), picture.clone(), exif, xmp]);
        whole.extend_from_slice(b"behind");
        let mut cleaned = Cursor::new(Vec::new());
        clean(&mut whole.as_slice(), &mut cleaned)?;
        assert_eq!(cleaned.into_inner(), file(&[wide(0x10), picture]));
        Ok(())
    }

    #[test]
    fn a_file_that_is_cut_short_is_refused() {
        let whole = file(&[chunk(b"VP8 ", &[7; 33])]);
        assert!(clean(&mut whole.as_slice(), &mut Cursor::new(Vec::new())).is_ok());
        for length in 0..whole.len() {
            let cut = clean(&mut whole.get(..length).unwrap_or_default(), &mut Cursor::new(Vec::new()));
            assert!(cut.is_err(), "{length}");
        }
    }
}
