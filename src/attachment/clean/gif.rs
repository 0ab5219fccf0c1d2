//! GIF: a header, then blocks of sub-blocks of at most 255 bytes.

use super::{array, bytes, copy, wrong};
use std::io::{self, BufRead, Write};

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2C;
const TRAILER: u8 = 0x3B;
/// How long a frame stands, and what is transparent.
const GRAPHIC_CONTROL: u8 = 0xF9;
const PLAIN_TEXT: u8 = 0x01;
const APPLICATION: u8 = 0xFF;
/// How often it moves. Other applications, XMP among them, are left out, and so are comments.
const LOOPS: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];

pub fn clean(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let (version, screen): ([u8; 6], [u8; 7]) = (array(from)?, array(from)?);
    if !matches!(&version, b"GIF87a" | b"GIF89a") {
        return Err(wrong("no GIF signature"));
    }
    to.write_all(&version)?;
    to.write_all(&screen)?;
    let [_, _, _, _, flags, _, _] = screen;
    copy(from, to, colours(flags))?;
    let mut has_picture = false;
    loop {
        let [kind] = array(from)?;
        match kind {
            EXTENSION => extension(from, to)?,
            IMAGE => {
                image(from, to)?;
                has_picture = true;
            }
            TRAILER if has_picture => return to.write_all(&[TRAILER]),
            _ => return Err(wrong("no such block")),
        }
    }
}

/// Bytes of the table of colours that the flags announce.
fn colours(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn image(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let place: [u8; 9] = array(from)?;
    to.write_all(&[IMAGE])?;
    to.write_all(&place)?;
    let [.., flags] = place;
    // The colours, and the width of the first code.
    copy(from, to, colours(flags) + 1)?;
    while let Some(block) = sub_block(from)? {
        to.write_all(&block)?;
    }
    to.write_all(&[0])
}

fn extension(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let [label] = array(from)?;
    let first = sub_block(from)?;
    let name = first.as_deref().and_then(|block| block.get(1..)).unwrap_or_default();
    let is_kept = match label {
        GRAPHIC_CONTROL | PLAIN_TEXT => true,
        APPLICATION => LOOPS.contains(&name),
        _ => false,
    };
    if is_kept {
        to.write_all(&[EXTENSION, label])?;
    }
    let mut next = first;
    while let Some(block) = next {
        if is_kept {
            to.write_all(&block)?;
        }
        next = sub_block(from)?;
    }
    if is_kept { to.write_all(&[0]) } else { Ok(()) }
}

/// With its length in front; `None` where the block ends.
fn sub_block(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let [length] = array(from)?;
    if length == 0 {
        return Ok(None);
    }
    let mut block = vec![length];
    block.append(&mut bytes(from, usize::from(length))?);
    Ok(Some(block))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_the_loop_stays() -> io::Result<()> {
        let head: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\xFF\xFF\xFF\0\0\0";
        let repeat: &[u8] = b"\x21\xFF\x0BNETSCAPE2.0\x03\x01\0\0\0";
        let xmp: &[u8] = b"\x21\xFF\x0BXMP DataXMP\x04here\0";
        let comment: &[u8] = b"\x21\xFE\x05place\0";
        let control: &[u8] = b"\x21\xF9\x04\0\0\0\0\0";
        let image: &[u8] = b"\x2C\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
        let whole = [head, repeat, xmp, comment, control, image, b"\x3Bbehind"].concat();
        let mut cleaned = Vec::new();
        clean(&mut whole.as_slice(), &mut cleaned)?;
        assert_eq!(cleaned, [head, repeat, control, image, b"\x3B"].concat());
        for length in 0..cleaned.len() {
            assert!(clean(&mut cleaned.get(..length).unwrap_or_default(), &mut Vec::new()).is_err(), "{length}");
        }
        Ok(())
    }
}
