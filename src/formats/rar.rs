//! RAR archives, versions 4 and 5: blocks walked, content not decoded.
//!
//! Specification: the RAR technical notes (5.0) and technote.txt (4.x) of RARLAB.
//!
//! ```text
//! RAR 4   52 61 72 21 1A 07 00      block*: crc16, type 1, flags 2, size 2 [, data size 4 if flag 8000]
//! RAR 5   52 61 72 21 1A 07 01 00   block*: crc32, size vint, type vint, flags vint [, extra vint] [, data vint]
//! ```
//! The checksum of the first block must hold before a mark is believed.

use std::ops::Range;

use crate::{
    bytes::Cursor,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// RAR.
pub static FORMAT: Format = Format {
    id: "rar",
    name: "RAR",
    spec: "https://www.rarlab.com/technote.htm",
    extensions: &["rar"],
    media_types: &["application/vnd.rar"],
    marks: &[Mark::start(b"Rar!\x1a\x07\x00"), Mark::start(b"Rar!\x1a\x07\x01\x00")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let mut cursor = candidate.bytes.cursor();
    let version = Version::read(&mut cursor)?;
    Ok(version.block(&mut cursor)?.is_first)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let version = Version::read(&mut cursor)?;
    visit.structure(0..cursor.at(), "signature")?;
    let first = cursor.at();
    while !cursor.is_empty() {
        let block = version.block(&mut cursor)?;
        visit.structure(block.header.clone(), "block header")?;
        visit.opaque(block.header.end..block.end, "packed data")?;
        if block.end > visit.bytes.end() {
            return Err(Stop::malformed(visit.bytes.end(), "the rest of a RAR block"));
        }
        if block.is_last {
            break;
        }
        cursor.seek(block.end);
    }
    Err(Stop::unsupported(first, "RAR content"))
}

enum Version {
    Four,
    Five,
}

struct Block {
    header: Range<u64>,
    /// Behind its data.
    end: u64,
    is_first: bool,
    is_last: bool,
}

impl Version {
    fn read(cursor: &mut Cursor) -> Result<Self, Stop> {
        let mark = cursor.array::<7>("a RAR signature")?;
        match mark.last() {
            Some(0) => Ok(Version::Four),
            _ => cursor.u8("a RAR 5 signature").map(|_| Version::Five),
        }
    }

    /// The block at the cursor, its checksum verified.
    fn block(&self, cursor: &mut Cursor) -> Result<Block, Stop> {
        match self {
            Version::Four => four(cursor),
            Version::Five => five(cursor),
        }
    }
}

fn four(cursor: &mut Cursor) -> Result<Block, Stop> {
    let start = cursor.at();
    let crc = cursor.u16_le("a block's CRC-16")?;
    let rest = cursor.at();
    let kind = cursor.u8("a block's type")?;
    let flags = cursor.u16_le("a block's flags")?;
    let size = cursor.u16_le("a block's size")?;
    let header = start..start.saturating_add(u64::from(size));
    let bytes = cursor.bytes().window(rest..header.end).all()?;
    let whole = size >= 7 && bytes.len() as u64 == header.end.saturating_sub(rest);
    if !whole || crc32fast::hash(&bytes) as u16 != crc {
        return Err(Stop::malformed(start, "a RAR block with its checksum"));
    }
    let data =
        if flags & 0x8000 != 0 || kind == FILE { u64::from(cursor.u32_le("the size of a block's data")?) } else { 0 };
    let end = header.end.saturating_add(data);
    Ok(Block { header, end, is_first: kind == ARCHIVE, is_last: kind == END })
}

/// Types of blocks of RAR 4.
const ARCHIVE: u8 = 0x73;
const FILE: u8 = 0x74;
const END: u8 = 0x7b;

fn five(cursor: &mut Cursor) -> Result<Block, Stop> {
    let start = cursor.at();
    let crc = cursor.u32_le("a block's CRC-32")?;
    let counted = cursor.at();
    let size = vint(cursor)?;
    let end = cursor.at().saturating_add(size);
    let bytes = cursor.bytes().window(counted..end).all()?;
    // The specification limits a header to 2 MiB.
    if size > 2 << 20 || bytes.len() as u64 != end.saturating_sub(counted) || crc32fast::hash(&bytes) != crc {
        return Err(Stop::malformed(start, "a RAR block with its checksum"));
    }
    let kind = vint(cursor)?;
    let flags = vint(cursor)?;
    if flags & 1 != 0 {
        vint(cursor)?;
    }
    let data = if flags & 2 != 0 { vint(cursor)? } else { 0 };
    // Type 4 encrypts all headers behind it.
    if kind == 4 {
        return Err(Stop::encrypted(start, "RAR 5 header encryption"));
    }
    Ok(Block { header: start..end, end: end.saturating_add(data), is_first: kind == 1, is_last: kind == 5 })
}

/// A number of seven bits a byte, at most ten bytes.
fn vint(cursor: &mut Cursor) -> Result<u64, Stop> {
    let at = cursor.at();
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = cursor.u8("a variable-length integer")?;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Stop::malformed(at, "a variable-length integer"))
}

#[cfg(test)]
mod tests {
    use crate::{check::tests::checked, report::Verdict};

    fn block4(kind: u8, flags: u16, rest: &[u8]) -> Vec<u8> {
        let mut body = vec![kind];
        body.extend(flags.to_le_bytes());
        body.extend((7 + rest.len() as u16).to_le_bytes());
        body.extend(rest);
        [&(crc32fast::hash(&body) as u16).to_le_bytes()[..], &body].concat()
    }

    fn block5(body: &[u8]) -> Vec<u8> {
        let counted = [&[body.len() as u8], body].concat();
        [&crc32fast::hash(&counted).to_le_bytes()[..], &counted].concat()
    }

    #[test]
    fn both_versions_are_named_and_not_called_data() {
        let four = [b"Rar!\x1a\x07\0".to_vec(), block4(0x73, 0, &[0; 6]), block4(0x7b, 0, &[])].concat();
        let file = block5(&[2, 2, 3]);
        let five =
            [b"Rar!\x1a\x07\x01\0".to_vec(), block5(&[1, 0, 0]), file, b"abc".to_vec(), block5(&[5, 0, 0])].concat();
        for bytes in [four, five] {
            let report = checked("a.rar", bytes);
            assert_eq!(report.verdict, Verdict::Unfinished);
            assert_eq!((report.layers[0].formats[0].as_str(), report.layers[0].coverage.unexplained), ("rar", 0));
            assert_eq!(report.layers[0].stops[0].kind, "unsupported");
        }
    }

    #[test]
    fn a_wrong_checksum_is_no_archive() {
        let mut bytes = [b"Rar!\x1a\x07\0".to_vec(), block4(0x73, 0, &[0; 6])].concat();
        bytes[7] ^= 1;
        assert!(checked("a.rar", bytes).layers[0].formats.is_empty());
    }
}
