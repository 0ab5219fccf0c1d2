//! PNG: chunks of length, type, data, checksum.

use super::{array, copy, skip, wrong};
use std::io::{self, BufRead, Write};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1A\n";

/// What the picture looks like and how it moves. Left out: eXIf, tEXt, zTXt, iTXt, tIME, and what nobody knows.
const KEPT: [&[u8; 4]; 17] = [
    b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"pHYs",
    b"hIST", b"sPLT", b"acTL", b"fcTL", b"fdAT",
];

pub fn clean(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    if array(from)? != SIGNATURE {
        return Err(wrong("no PNG signature"));
    }
    to.write_all(&SIGNATURE)?;
    let (mut has_header, mut has_picture) = (false, false);
    loop {
        let (length, kind): ([u8; 4], [u8; 4]) = (array(from)?, array(from)?);
        if !has_header && &kind != b"IHDR" {
            return Err(wrong("the first chunk is not IHDR"));
        }
        has_header = true;
        has_picture |= &kind == b"IDAT";
        // The data and its checksum.
        let rest = u64::from(u32::from_be_bytes(length)) + 4;
        let is_end = &kind == b"IEND";
        if is_end || KEPT.contains(&&kind) {
            to.write_all(&length)?;
            to.write_all(&kind)?;
            copy(from, to, rest)?;
        } else {
            skip(from, rest)?;
        }
        if is_end {
            return if has_picture { Ok(()) } else { Err(wrong("no IDAT")) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap_or_default().to_be_bytes();
        [&length, kind.as_slice(), data, b"crc_"].concat()
    }

    #[test]
    fn text_and_position_go_and_the_picture_stays() -> io::Result<()> {
        let keep = [chunk(b"IHDR", &[1; 13]), chunk(b"gAMA", &[2; 4]), chunk(b"IDAT", &[3; 300]), chunk(b"IEND", b"")];
        let [header, gamma, picture, end] = keep.clone();
        let drop = [chunk(b"eXIf", b"37.5N"), chunk(b"tEXt", b"Author"), chunk(b"prVt", b"?")];
        let [exif, text, private] = drop;
        let whole = [header, exif, gamma, text, private, picture, end, b"behind".to_vec()].concat();
        let mut cleaned = Vec::new();
        clean(&mut [&SIGNATURE, whole.as_slice()].concat().as_slice(), &mut cleaned)?;
        assert_eq!(cleaned, [SIGNATURE.to_vec(), keep.concat()].concat());
        Ok(())
    }

    #[test]
    fn a_file_that_is_cut_short_is_refused() {
        let whole =
            [SIGNATURE.to_vec(), chunk(b"IHDR", &[1; 13]), chunk(b"IDAT", &[3; 30]), chunk(b"IEND", b"")].concat();
        assert!(clean(&mut whole.as_slice(), &mut Vec::new()).is_ok());
        for length in 0..whole.len() {
            assert!(clean(&mut whole.get(..length).unwrap_or_default(), &mut Vec::new()).is_err(), "{length}");
        }
    }
}
