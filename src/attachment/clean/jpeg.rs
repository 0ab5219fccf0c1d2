//! JPEG: segments that begin with a marker; after a `SOS` segment coded data, up to the next marker.

use super::{array, bytes, wrong};
use std::io::{self, BufRead, ErrorKind, Write};

const START: u8 = 0xD8;
const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
const EXIF: u8 = 0xE1;
const COMMENT: u8 = 0xFE;
const EXIF_NAME: &[u8] = b"Exif\0\0";
/// What the applications' segments 0, 2 and 14 say of the picture's colours. All others are left out.
const KEPT: [(u8, &[u8]); 3] = [(0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe")];

pub fn clean(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    if array(from)? != [0xFF, START] {
        return Err(wrong("no JPEG signature"));
    }
    to.write_all(&[0xFF, START])?;
    let (mut has_frame, mut has_scan, mut has_turn) = (false, false, false);
    let mut code = marker(from)?;
    loop {
        match code {
            END if has_frame && has_scan => return to.write_all(&[0xFF, END]),
            END | START => return Err(wrong("the picture is missing")),
            // Without a length.
            0x01 | 0xD0..=0xD7 => to.write_all(&[0xFF, code])?,
            _ => {
                let segment = segment(from)?;
                has_frame |= matches!(code, 0xC0..=0xCF) && !matches!(code, 0xC4 | 0xC8 | 0xCC);
                if code == EXIF && !has_turn {
                    if let Some(turn) = turn(&segment).filter(|turn| *turn != 1) {
                        write(to, EXIF, &exif(turn))?;
                        has_turn = true;
                    }
                } else if is_kept(code, &segment) {
                    write(to, code, &segment)?;
                }
            }
        }
        code = if code == SCAN {
            has_scan = true;
            scan(from, to)?
        } else {
            marker(from)?
        };
    }
}

fn is_kept(code: u8, segment: &[u8]) -> bool {
    match code {
        0xE0..=0xEF => KEPT.iter().any(|(kept, name)| *kept == code && segment.starts_with(name)),
        COMMENT => false,
        _ => true,
    }
}

/// Any number of `FF`, then the marker's code.
fn marker(from: &mut impl BufRead) -> io::Result<u8> {
    if array(from)? != [0xFF] {
        return Err(wrong("no marker"));
    }
    code(from)
}

fn code(from: &mut impl BufRead) -> io::Result<u8> {
    loop {
        match array(from)? {
            [0xFF] => {}
            [code] => return Ok(code),
        }
    }
}

fn segment(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let length = usize::from(u16::from_be_bytes(array(from)?));
    bytes(from, length.checked_sub(2).ok_or_else(|| wrong("a segment is too short"))?)
}

fn write(to: &mut impl Write, code: u8, segment: &[u8]) -> io::Result<()> {
    let length = u16::try_from(segment.len() + 2).map_err(|_| wrong("a segment is too long"))?;
    to.write_all(&[0xFF, code])?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(segment)
}

/// Copies coded data, and answers the marker behind it. `FF 00` is a byte of data, `FF D0` to `FF D7` are within it.
fn scan(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<u8> {
    let mut run = Vec::new();
    loop {
        run.clear();
        from.read_until(0xFF, &mut run)?;
        let Some((0xFF, data)) = run.split_last() else { return Err(ErrorKind::UnexpectedEof.into()) };
        to.write_all(data)?;
        match code(from)? {
            code @ (0x00 | 0xD0..=0xD7) => to.write_all(&[0xFF, code])?,
            code => return Ok(code),
        }
    }
}

/// Which way is up, 1 to 8: the one entry of the first directory that the picture needs.
fn turn(segment: &[u8]) -> Option<u8> {
    let tiff = segment.strip_prefix(EXIF_NAME)?;
    let is_big = match tiff.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let two = *tiff.get(at..)?.first_chunk()?;
        Some(if is_big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    };
    let four = *tiff.get(4..)?.first_chunk()?;
    let directory = usize::try_from(if is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }).ok()?;
    let entries = usize::from(short(directory)?);
    let entry =
        (0..entries).map(|index| directory.saturating_add(2 + index * 12)).find(|at| short(*at) == Some(0x0112))?;
    u8::try_from(short(entry.checked_add(8)?)?).ok().filter(|turn| (1..=8).contains(turn))
}

/// A whole Exif segment that says nothing but which way is up.
fn exif(turn: u8) -> Vec<u8> {
    let mut segment = EXIF_NAME.to_vec();
    segment.extend_from_slice(b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
    segment.push(turn);
    segment.extend_from_slice(&[0; 6]);
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(code: u8, segment: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, code, segment).map(|()| bytes).unwrap_or_default()
    }

    /// Two scans, as a progressive picture has, with a stuffed byte and a restart within.
    fn picture() -> Vec<u8> {
        let scan = [marked(SCAN, &[1; 6]), b"ab\xFF\0cd\xFF\xD0ef".to_vec()].concat();
        [marked(0xDB, &[2; 65]), marked(0xC2, &[3; 9]), scan.clone(), marked(0xC4, &[4; 20]), scan].concat()
    }

    fn cleaned(segments: &[Vec<u8>]) -> io::Result<Vec<u8>> {
        let whole = [b"\xFF\xD8".to_vec(), segments.concat(), b"\xFF\xD9behind".to_vec()].concat();
        let mut cleaned = Vec::new();
        clean(&mut whole.as_slice(), &mut cleaned).map(|()| cleaned)
    }

    fn bare(segments: &[Vec<u8>]) -> Vec<u8> {
        [b"\xFF\xD8".to_vec(), segments.concat(), b"\xFF\xD9".to_vec()].concat()
    }

    #[test]
    fn the_position_goes_and_the_picture_stays() -> io::Result<()> {
        let (jfif, icc) = (marked(0xE0, b"JFIF\0\x01\x02rest"), marked(0xE2, b"ICC_PROFILE\0\x01\x01colours"));
        let gone = [
            marked(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1A\0\0\0\0 37.5N"),
            marked(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
            marked(0xE2, b"MPF\0more pictures"),
            marked(0xED, b"Photoshop 3.0\0where"),
            marked(COMMENT, b"who"),
        ];
        let whole = [jfif.clone(), gone.concat(), icc.clone(), picture()];
        assert_eq!(cleaned(&whole)?, bare(&[jfif, icc, picture()]));
        Ok(())
    }

    #[test]
    fn which_way_is_up_stays() -> io::Result<()> {
        let little =
            b"Exif\0\0II*\0\x08\0\0\0\x02\0\x0F\x01\x02\0\x04\0\0\0CAM\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let kept = cleaned(&[marked(EXIF, little), picture()])?;
        assert_eq!(kept, bare(&[marked(EXIF, &exif(6)), picture()]));
        assert_eq!(turn(&exif(6)), Some(6));
        assert_eq!(turn(&exif(9)), None);
        Ok(())
    }

    #[test]
    fn a_file_that_is_cut_short_is_refused() {
        let whole = bare(&[picture()]);
        assert!(clean(&mut whole.as_slice(), &mut Vec::new()).is_ok());
        for length in 0..whole.len() {
            assert!(clean(&mut whole.get(..length).unwrap_or_default(), &mut Vec::new()).is_err(), "{length}");
        }
    }
}
