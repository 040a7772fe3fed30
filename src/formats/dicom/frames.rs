//! Where a compressed frame ends: what decoders never look at begins there.
//!
//! PS3.5 section A.4: each frame is one or more fragments; the compression's own marks say where it starts and ends.
//!
//! ```text
//! JPEG       FFD8, segments FFxx len 2 (length with itself), scans: data without FF but FF00 and FFD0–FFD7, FFD9
//! JPEG-LS    the same with the frame header FFF7, and in scans FF followed by a bit 0 is data
//! JPEG 2000  FF4F, segments, tile parts (FF90 … Psot: length of the part), FFD9; or boxes of ISO/IEC 15444-1 annex I
//! RLE        PS3.5 annex G: 16 numbers of 4 bytes: count of segments, their offsets; segments of PackBits
//! ```

use std::ops::RangeInclusive;

use crate::{
    bytes::{Bytes, Cursor},
    stop::Stop,
};

/// A compression whose end can be found without decoding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Coding {
    /// JPEG and JPEG-LS, which say themselves which they are.
    Jpeg,
    Jpeg2000,
    Rle,
}

impl Coding {
    /// The compression that a transfer syntax announces (PS3.6 annex A); `None` of those that are not looked into.
    pub fn of(transfer_syntax: &str) -> Option<Coding> {
        let number = transfer_syntax.strip_prefix("1.2.840.10008.1.2.")?;
        match number {
            "5" => Some(Coding::Rle),
            "4.80" | "4.81" => Some(Coding::Jpeg),
            "4.90" | "4.91" | "4.92" | "4.93" | "4.201" | "4.202" | "4.203" => Some(Coding::Jpeg2000),
            _ => {
                let process: u32 = number.strip_prefix("4.")?.parse().ok()?;
                (50..=70).contains(&process).then_some(Coding::Jpeg)
            }
        }
    }

    /// The compression as which a frame starts, whatever the transfer syntax says: some writers mix them up. Only those
    /// whose start cannot be chance.
    pub fn seen(bytes: &[u8]) -> Option<Coding> {
        [Coding::Jpeg, Coding::Jpeg2000].into_iter().find(|coding| coding.starts(bytes))
    }

    /// Whether the last bytes of a frame are its end mark, perhaps with one byte behind it: as much as can be told
    /// without walking through it.
    pub fn ends(self, tail: &[u8]) -> bool {
        let marked = |tail: &[u8]| tail.ends_with(&[0xff, 0xd9]);
        match self {
            Coding::Jpeg | Coding::Jpeg2000 => {
                marked(tail) || marked(tail.get(..tail.len().saturating_sub(1)).unwrap_or_default())
            }
            Coding::Rle => true,
        }
    }

    /// Whether a fragment starts a frame.
    pub fn starts(self, bytes: &[u8]) -> bool {
        match self {
            Coding::Jpeg => bytes.starts_with(&[0xff, 0xd8, 0xff]),
            Coding::Jpeg2000 => bytes.starts_with(&[0xff, 0x4f, 0xff, 0x51]) || bytes.starts_with(JP2),
            Coding::Rle => Segments::parse(bytes).is_some(),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Jpeg => "JPEG",
            Coding::Jpeg2000 => "JPEG 2000",
            Coding::Rle => "RLE",
        }
    }

    /// The place behind the last byte of the frame in `frame`, or why there is none. `pixels` is how many there are,
    /// where that is known.
    ///
    /// # Errors
    /// Those of the source and the budget; damage is the inner error.
    pub fn end(self, frame: &Bytes, pixels: Option<u64>) -> Result<Result<u64, Stop>, Stop> {
        let end = match self {
            Coding::Jpeg => jpeg(&mut frame.cursor()),
            Coding::Jpeg2000 => jpeg_2000(&mut frame.cursor()),
            Coding::Rle => rle(frame, pixels),
        };
        match end {
            Err(stop @ Stop::Malformed(_)) => Ok(Err(stop)),
            Err(stop) => Err(stop),
            Ok(end) => Ok(Ok(end)),
        }
    }
}

const JP2: &[u8] = b"\0\0\0\x0cjP  \r\n\x87\n";

/// What is read of a scan at once, in bytes.
const SCAN: usize = 64 << 10;

/// Behind FFD9.
fn jpeg(cursor: &mut Cursor) -> Result<u64, Stop> {
    let mut lossless_ls = false;
    cursor.seek(cursor.at().saturating_add(2));
    loop {
        let at = cursor.at();
        if cursor.u8("a JPEG marker")? != 0xff {
            return Err(Stop::malformed(at, "a JPEG marker"));
        }
        let mut code = cursor.u8("a JPEG marker")?;
        while code == 0xff {
            code = cursor.u8("a JPEG marker")?;
        }
        match code {
            0xd9 => return Ok(cursor.at()),
            0x01 | 0xd0..=0xd7 => continue,
            0x00 | 0xd8 => return Err(Stop::malformed(at, "a JPEG marker")),
            _ => {}
        }
        let len = cursor.u16_be("the length of a JPEG segment")?;
        let Some(rest) = len.checked_sub(2) else { return Err(Stop::malformed(at, "a JPEG segment")) };
        cursor.take(u64::from(rest), "a JPEG segment")?;
        lossless_ls = lossless_ls || code == 0xf7;
        if code == 0xda {
            // ITU-T T.81 section B.1.1.5; ITU-T T.87 section A.1.
            let stuffed = if lossless_ls { 0x00..=0x7f } else { 0x00..=0x00 };
            skip_scan(cursor, &stuffed)?;
        }
    }
}

/// Goes on to the next marker that is no part of the scan. `stuffed` are the bytes that make data of an FF before them.
fn skip_scan(cursor: &mut Cursor, stuffed: &RangeInclusive<u8>) -> Result<(), Stop> {
    loop {
        let at = cursor.at();
        let window = cursor.peek(SCAN)?;
        if window.len() < 2 {
            return Err(Stop::malformed(at, "the end of a JPEG scan"));
        }
        let mut skip = 0usize;
        let marker = loop {
            let Some(found) = memchr::memchr(0xff, window.get(skip..).unwrap_or_default()) else {
                break None;
            };
            let place = skip.saturating_add(found);
            match window.get(place.saturating_add(1)) {
                // Cut between the two bytes: look again from the first.
                None => break Some((place, false)),
                // A fill byte may stand before a marker; the second FF is looked at next.
                Some(0xff) => skip = place.saturating_add(1),
                Some(next) if stuffed.contains(next) || matches!(next, 0xd0..=0xd7) => skip = place.saturating_add(2),
                Some(_) => break Some((place, true)),
            }
        };
        let len = window.len();
        let (on, done) = match marker {
            None => (len, false),
            // Always at least one byte further, so that an FF at the very end ends the walk.
            Some((place, false)) => (place.max(1), false),
            Some((place, true)) => (place, true),
        };
        cursor.seek(at.saturating_add(on as u64));
        if done {
            return Ok(());
        }
    }
}

/// Behind FFD9, or behind the last box.
fn jpeg_2000(cursor: &mut Cursor) -> Result<u64, Stop> {
    if cursor.peek(JP2.len())? != JP2 {
        return codestream(cursor);
    }
    while cursor.remaining() >= 8 {
        let start = cursor.at();
        let len = cursor.u32_be("the length of a box")?;
        let kind = cursor.array::<4>("the type of a box")?;
        if !kind.iter().all(|byte| matches!(byte, 0x20..=0x7e)) {
            // No box: what follows the last one is not the image's.
            return Ok(start);
        }
        let len = match len {
            0 if &kind == b"jp2c" => return codestream(cursor),
            0 => return Ok(start),
            1 => cursor.u64_be("the length of a box")?,
            len => u64::from(len),
        };
        let end = start.saturating_add(len);
        if end < cursor.at() || end > cursor.bytes().end() {
            return Err(Stop::malformed(start, "a box that lies in the frame"));
        }
        cursor.seek(end);
    }
    Ok(cursor.at())
}

fn codestream(cursor: &mut Cursor) -> Result<u64, Stop> {
    let whole = cursor.bytes().end();
    cursor.seek(cursor.at().saturating_add(2));
    loop {
        let start = cursor.at();
        if cursor.is_empty() {
            // Encoders leave out the end mark now and then; decoders do not miss it.
            return Ok(whole);
        }
        let code = cursor.u16_be("a JPEG 2000 marker")?;
        match code {
            0xffd9 => return Ok(cursor.at()),
            0xff90 => {
                let part = cursor.array::<10>("a tile part")?;
                let len = <[u8; 4]>::try_from(part.get(4..8).unwrap_or_default()).map_or(0, u32::from_be_bytes);
                let end = start.saturating_add(u64::from(len));
                if len == 0 || end > whole {
                    // The last part may reach to the end of the codestream without saying so.
                    return Ok(whole);
                }
                if len < 14 {
                    return Err(Stop::malformed(start, "the length of a tile part"));
                }
                cursor.seek(end);
            }
            0xff30..=0xff3f => {}
            0xff00.. => {
                let len = cursor.u16_be("the length of a JPEG 2000 segment")?;
                let Some(rest) = len.checked_sub(2) else {
                    return Err(Stop::malformed(start, "a JPEG 2000 segment"));
                };
                cursor.take(u64::from(rest), "a JPEG 2000 segment")?;
            }
            _ => return Err(Stop::malformed(start, "a JPEG 2000 marker")),
        }
    }
}

/// The header of an RLE frame: where its segments start, from the start of the frame.
struct Segments(Vec<u32>);

impl Segments {
    fn parse(bytes: &[u8]) -> Option<Segments> {
        let mut numbers = bytes.get(..64)?.chunks_exact(4).filter_map(|four| <[u8; 4]>::try_from(four).ok());
        let count = u32::from_le_bytes(numbers.next()?);
        let count = usize::try_from(count).ok().filter(|count| (1..=15).contains(count))?;
        let offsets: Vec<u32> = numbers.by_ref().map(u32::from_le_bytes).take(count).collect();
        // Offsets that are not used are zero.
        if numbers.any(|unused| unused != [0; 4]) {
            return None;
        }
        let ascending = offsets.windows(2).all(|pair| pair.first() < pair.last());
        (offsets.first() == Some(&64) && ascending).then_some(Segments(offsets))
    }
}

/// Behind the last segment. Inside a segment nothing may stand behind the runs but zeros.
fn rle(frame: &Bytes, pixels: Option<u64>) -> Result<u64, Stop> {
    let head = frame.peek(frame.start(), 64)?;
    let Some(Segments(offsets)) = Segments::parse(&head) else {
        return Err(Stop::malformed(frame.start(), "an RLE header"));
    };
    let Some(pixels) = pixels else { return Ok(frame.end()) };
    let place = |offset: u32| frame.start().saturating_add(u64::from(offset));
    for (index, offset) in offsets.iter().enumerate() {
        let next = offsets.get(index.saturating_add(1)).map_or(frame.end(), |next| place(*next));
        if place(*offset) >= frame.end() || next > frame.end() {
            return Err(Stop::malformed(place(*offset), "an RLE segment"));
        }
        let segment = frame.window(place(*offset)..next);
        let end = pack_bits(&segment, pixels)?;
        let is_last = index.saturating_add(1) == offsets.len();
        if is_last || !frame.window(end..next).is_all(0)? {
            return Ok(end);
        }
    }
    Ok(frame.end())
}

/// Behind the run with which `wanted` bytes have come out, or the end.
fn pack_bits(segment: &Bytes, wanted: u64) -> Result<u64, Stop> {
    let mut at = segment.start();
    let mut produced = 0u64;
    while produced < wanted && at < segment.end() {
        let window = segment.peek(at, SCAN)?;
        let mut skip = 0usize;
        while produced < wanted
            && let Some(control) = window.get(skip)
        {
            let (taken, out) = match control {
                0..=127 => (usize::from(*control).saturating_add(2), u64::from(*control).saturating_add(1)),
                128 => (1, 0),
                129.. => (2, 257u64.saturating_sub(u64::from(*control))),
            };
            skip = skip.saturating_add(taken);
            produced = produced.saturating_add(out);
        }
        at = at.saturating_add(skip as u64);
    }
    Ok(at.min(segment.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(coding: Coding, bytes: &[u8], pixels: Option<u64>) -> Result<u64, Stop> {
        assert!(coding.starts(bytes), "{coding:?}");
        coding.end(&Bytes::of(bytes.to_vec()), pixels).unwrap()
    }

    #[test]
    fn transfer_syntaxes_name_the_coding() {
        assert_eq!(Coding::of("1.2.840.10008.1.2.4.50"), Some(Coding::Jpeg));
        assert_eq!(Coding::of("1.2.840.10008.1.2.4.81"), Some(Coding::Jpeg));
        assert_eq!(Coding::of("1.2.840.10008.1.2.4.201"), Some(Coding::Jpeg2000));
        assert_eq!(Coding::of("1.2.840.10008.1.2.5"), Some(Coding::Rle));
        assert_eq!(Coding::of("1.2.840.10008.1.2.4.100"), None);
        assert_eq!(Coding::of("1.2.840.10008.1.2.1"), None);
    }

    #[test]
    fn a_jpeg_ends_at_its_own_end_not_at_one_in_its_segments_or_data() {
        let head = b"\xff\xd8\xff\xfe\x00\x06\xff\xd9ab\xff\xda\x00\x02";
        let scan = b"\x01\xff\x00\xd9\xff\xd3\x02\xff\xff\xd9";
        let mut bytes = [&head[..], scan].concat();
        let whole = bytes.len() as u64;
        bytes.extend(b"tail \xff\xd9");
        assert_eq!(end(Coding::Jpeg, &bytes, None), Ok(whole));
        assert!(end(Coding::Jpeg, &bytes[..whole as usize - 1], None).is_err());
        assert!(end(Coding::Jpeg, b"\xff\xd8\xff\xda\x00\x02\x01\xff", None).is_err());
        // In JPEG-LS FF7F is data; in JPEG it is a marker.
        let ls = b"\xff\xd8\xff\xf7\x00\x02\xff\xda\x00\x02\x01\xff\x7f\xff\xd9";
        assert_eq!(end(Coding::Jpeg, ls, None), Ok(15));
        assert!(end(Coding::Jpeg, b"\xff\xd8\xff\xda\x00\x02\x01\xff\x7f\xff\xd9", None).is_err());
    }

    #[test]
    fn a_scan_longer_than_a_window() {
        let mut bytes = b"\xff\xd8\xff\xda\x00\x02".to_vec();
        bytes.resize(SCAN + 5, 7);
        bytes.extend(b"\xff\x00\xff\xd9");
        assert_eq!(end(Coding::Jpeg, &bytes, None), Ok(bytes.len() as u64));
    }

    #[test]
    fn a_codestream_is_walked_by_its_tile_parts() {
        let mut bytes = b"\xff\x4f\xff\x51\x00\x04ab".to_vec();
        bytes.extend(b"\xff\x90\x00\x0a\x00\x00\x00\x00\x00\x12\x00\x01\xff\x93\xff\xd9ab"[..18].iter());
        bytes.extend(b"\xff\xd9");
        let whole = bytes.len() as u64;
        assert_eq!(end(Coding::Jpeg2000, &bytes, None), Ok(whole));
        bytes.extend(b"tail");
        assert_eq!(end(Coding::Jpeg2000, &bytes, None), Ok(whole));
        let boxed = [JP2, b"\0\0\0\x0aftyp12\0\0\0\0jp2c", &bytes].concat();
        assert_eq!(end(Coding::Jpeg2000, &boxed, None), Ok(JP2.len() as u64 + 18 + whole));
    }

    #[test]
    fn an_rle_frame_ends_with_its_last_run() {
        let mut bytes = [1u32, 64].iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
        bytes.resize(64, 0);
        // Three literals and a run of five: eight pixels.
        bytes.extend([2, 1, 2, 3, 252, 9]);
        bytes.extend(b"tail");
        assert_eq!(end(Coding::Rle, &bytes, Some(8)), Ok(70));
        assert_eq!(end(Coding::Rle, &bytes, None), Ok(74));
        assert_eq!(end(Coding::Rle, &bytes[..65], Some(8)), Ok(65));
    }
}
