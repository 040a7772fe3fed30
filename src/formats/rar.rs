//! RAR archives, versions 1.5 to 4 and 5: the blocks are walked, stored files are opened, packed ones are not decoded.
//!
//! Specification: RARLAB, "RAR 5.0 archive format"; for the older one, `technote.txt` of RAR 4.
//!
//! ```text
//! 4: "Rar!" 1A 07 00 | ( crc16 2 | type 1 | flags 2 | length 2 | [ added length 4 ] … | data )*
//! 5: "Rar!" 1A 07 01 00 | ( crc32 4 | length vint | type vint | flags vint | [ extra vint ] [ data vint ] … | data )*
//! ```

use std::ops::Range;

use crate::{
    bytes::{Bytes, Cursor},
    checksum::CRC_32,
    format::{Buried, Candidate, Format, Mark, Nature, Origin, Role, Span, Visit},
    quote::quoted_bytes,
    rules::{ENTRY_WITHOUT_NAME, NAME_DECEIVES, NAME_LEAVES_FOLDER},
    stop::Stop,
    stored_names::{deceives, leaves_folder, normal},
};

/// RAR.
pub static FORMAT: Format = Format {
    id: "rar",
    name: "a RAR archive",
    spec: "https://www.rarlab.com/technote.htm",
    extensions: &["rar"],
    media_types: &["application/vnd.rar"],
    marks: &[Mark::start(b"Rar!\x1a\x07\0"), Mark::start(b"Rar!\x1a\x07\x01\0")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

/// The mark is long; a first block behind it must be whole, where there is any.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let mut cursor = candidate.bytes.cursor();
    let is_new = version(&mut cursor)?;
    Ok(cursor.is_empty() || Block::read(&mut cursor, is_new).is_ok())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let is_new = version(&mut cursor)?;
    visit.structure(0..cursor.at(), "mark")?;
    let mut packed = None;
    while !cursor.is_empty() {
        let block = Block::read(&mut cursor, is_new)?;
        visit.structure(block.header.clone(), "block header")?;
        cursor.seek(block.data.end);
        if block.data.end > visit.bytes.end() {
            visit.opaque(block.data.clone(), "packed data")?;
            return Err(Stop::malformed(visit.bytes.end(), "the rest of a block"));
        }
        match &block.kind {
            Kind::Encryption => {
                visit.opaque(block.header.end..visit.bytes.end(), "encrypted blocks")?;
                return Err(Stop::encrypted(block.header.end, "RAR headers"));
            }
            Kind::End => {
                if packed.is_some() && matches!(visit.origin, Origin::Root | Origin::Member) {
                    visit.unexplained(block.data.end..visit.bytes.end())?;
                }
                return packed.map_or(Ok(()), Err);
            }
            Kind::Other => visit.slack(block.data.clone(), "data of a block")?,
            Kind::File(file) => {
                find_name(visit, &file.name, &block.header)?;
                let name = String::from_utf8_lossy(&file.name).into_owned();
                if block.data.is_empty() {
                    continue;
                }
                if normal(&file.name).is_empty() {
                    visit.find(&ENTRY_WITHOUT_NAME, block.header.clone(), "Bytes are stored under no name.")?;
                }
                if file.is_encrypted {
                    visit.opaque(block.data.clone(), "encrypted data")?;
                    packed = packed.or(Some(Stop::encrypted(block.data.start, "RAR")));
                } else if file.is_stored {
                    visit.open(name, Span::Range(block.data.clone()), Role::File)?;
                } else {
                    visit.opaque(block.data.clone(), "packed data")?;
                    packed = packed.or(Some(Stop::unsupported(block.data.start, "RAR compression")));
                }
            }
        }
    }
    packed.map_or(Ok(()), Err)
}

fn find_name(visit: &mut Visit<'_>, name: &[u8], place: &Range<u64>) -> Result<(), Stop> {
    if let Some(why) = leaves_folder(name) {
        visit.find(&NAME_LEAVES_FOLDER, place.clone(), format!("{}: {why}.", quoted_bytes(name)))?;
    }
    if deceives(name) {
        visit.find(&NAME_DECEIVES, place.clone(), format!("The name is {}.", quoted_bytes(name)))?;
    }
    Ok(())
}

/// Goes over the mark; whether it is that of version 5.
fn version(cursor: &mut Cursor) -> Result<bool, Stop> {
    cursor.take(6, "a RAR mark")?;
    let is_new = cursor.u8("a RAR mark")? == 1;
    if is_new {
        cursor.u8("a RAR mark")?;
    }
    Ok(is_new)
}

struct Block {
    header: Range<u64>,
    /// May lie behind the end of an archive that broke off.
    data: Range<u64>,
    kind: Kind,
}

enum Kind {
    File(File),
    /// Everything behind it is encrypted.
    Encryption,
    End,
    Other,
}

struct File {
    name: Vec<u8>,
    is_stored: bool,
    is_encrypted: bool,
}

impl Block {
    fn read(cursor: &mut Cursor, is_new: bool) -> Result<Self, Stop> {
        let start = cursor.at();
        let block = if is_new { Block::new(cursor)? } else { Block::old(cursor)? };
        cursor.seek(block.header.end.max(start.saturating_add(1)));
        Ok(block)
    }

    fn old(cursor: &mut Cursor) -> Result<Self, Stop> {
        let start = cursor.at();
        let [_, _, kind, flags_low, flags_high, len_low, len_high] = cursor.array("a RAR block")?;
        let flags = u16::from_le_bytes([flags_low, flags_high]);
        let len = u64::from(u16::from_le_bytes([len_low, len_high]));
        let header = start..start.saturating_add(len);
        if len < 7 || !(0x72..=0x7b).contains(&kind) || header.end > cursor.bytes().end() {
            return Err(Stop::malformed(start, "a RAR block"));
        }
        let is_file = matches!(kind, 0x74 | 0x7a);
        let mut data_len = 0;
        if flags & 0x8000 != 0 || is_file {
            data_len = u64::from(cursor.u32_le("the length of a block's data")?);
        }
        let kind = match kind {
            0x73 if flags & 0x80 != 0 => Kind::Encryption,
            0x7b => Kind::End,
            0x74 => {
                let fixed: [u8; 21] = cursor.array("a RAR file header")?;
                let method = fixed.get(14).copied().unwrap_or(0);
                let name_len = fixed.get(15..17).and_then(|field| field.try_into().ok()).map_or(0, u16::from_le_bytes);
                if flags & 0x100 != 0 {
                    data_len |= u64::from(cursor.u32_le("the length of a block's data")?) << 32;
                    cursor.u32_le("the length of a file")?;
                }
                let name = cursor.take(name_len.into(), "the name of a file")?.all()?;
                // A Unicode name follows the plain one behind a zero byte, packed.
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
                Kind::File(File { name, is_stored: method == 0x30, is_encrypted: flags & 4 != 0 })
            }
            _ => Kind::Other,
        };
        let data = header.end..header.end.saturating_add(data_len);
        Ok(Block { header, data, kind })
    }

    fn new(cursor: &mut Cursor) -> Result<Self, Stop> {
        let start = cursor.at();
        let crc32 = cursor.u32_le("a RAR block")?;
        let checked_from = cursor.at();
        let len = vint(cursor)?;
        let header = start..cursor.at().saturating_add(len);
        if len == 0 || len > 2 << 20 || header.end > cursor.bytes().end() {
            return Err(Stop::malformed(start, "a RAR block"));
        }
        if CRC_32.checksum(&cursor.bytes().window(checked_from..header.end).all()?) != crc32 {
            return Err(Stop::malformed(start, "the CRC-32 of a RAR block"));
        }
        let kind = vint(cursor)?;
        let flags = vint(cursor)?;
        let extra_len = if flags & 1 != 0 { vint(cursor)? } else { 0 };
        let data_len = if flags & 2 != 0 { vint(cursor)? } else { 0 };
        let kind = match kind {
            2 => {
                let file_flags = vint(cursor)?;
                let (_len, _attributes) = (vint(cursor)?, vint(cursor)?);
                if file_flags & 2 != 0 {
                    cursor.u32_le("the time of a file")?;
                }
                if file_flags & 4 != 0 {
                    cursor.u32_le("the CRC-32 of a file")?;
                }
                let (compression, _system, name_len) = (vint(cursor)?, vint(cursor)?, vint(cursor)?);
                let name = cursor.take(name_len, "the name of a file")?.all()?;
                let extra = header.end.saturating_sub(extra_len)..header.end;
                let is_encrypted = has_encryption(cursor.bytes(), extra)?;
                Kind::File(File { name, is_stored: compression >> 7 & 7 == 0, is_encrypted })
            }
            4 => Kind::Encryption,
            5 => Kind::End,
            _ => Kind::Other,
        };
        let data = header.end..header.end.saturating_add(data_len);
        Ok(Block { header, data, kind })
    }
}

/// Whether a record of the extra area, length and type in front, is that of encryption (1).
fn has_encryption(bytes: &Bytes, extra: Range<u64>) -> Result<bool, Stop> {
    let mut cursor = bytes.window(extra).cursor();
    while !cursor.is_empty() {
        let len = vint(&mut cursor)?;
        let end = cursor.at().saturating_add(len.max(1));
        if vint(&mut cursor)? == 1 {
            return Ok(true);
        }
        cursor.seek(end);
    }
    Ok(false)
}

/// A number, seven bits a byte, the lowest first.
fn vint(cursor: &mut Cursor) -> Result<u64, Stop> {
    let at = cursor.at();
    let mut number = 0u64;
    for shift in (0..63).step_by(7) {
        let byte = cursor.u8("a number")?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Stop::malformed(at, "a number of at most 63 bits"))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn block(body: &[u8]) -> Vec<u8> {
        let rest = [&[body.len() as u8], body].concat();
        [super::CRC_32.checksum(&rest).to_le_bytes().to_vec(), rest].concat()
    }

    /// `compression`: 0 is stored.
    fn new(name: &str, content: &[u8], compression: [u8; 2]) -> Vec<u8> {
        let mut file = vec![2, 2, content.len() as u8, 0, content.len() as u8, 0];
        file.extend(compression);
        file.extend([1, name.len() as u8]);
        file.extend(name.as_bytes());
        [b"Rar!\x1a\x07\x01\0".to_vec(), block(&[1, 0, 0]), block(&file), content.to_vec(), block(&[5, 0, 0])].concat()
    }

    fn old(name: &str, content: &[u8], method: u8) -> Vec<u8> {
        let mut bytes = b"Rar!\x1a\x07\0\0\0\x73\0\0\x0d\0\0\0\0\0\0\0".to_vec();
        bytes.extend([0, 0, 0x74, 0, 0x80, 32 + name.len() as u8, 0]);
        bytes.extend((content.len() as u32).to_le_bytes());
        bytes.extend((content.len() as u32).to_le_bytes());
        bytes.extend([3, 0, 0, 0, 0, 0, 0, 0, 0, 20, method, name.len() as u8, 0, 0, 0, 0, 0]);
        bytes.extend(name.as_bytes());
        bytes.extend(content);
        bytes.extend(b"\0\0\x7b\0\x40\x07\0");
        bytes
    }

    #[test]
    fn stored_files_are_opened() {
        for bytes in [new("a.txt", b"text\n", [0x80, 0]), old("a.txt", b"text\n", 0x30)] {
            let report = checked("a.rar", bytes.clone());
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!((report.layers[1].name.as_str(), report.layers[1].len), ("a.txt", 5));
            assert_eq!(rules_of(&checked("a.rar", [bytes, b"behind".to_vec()].concat())), ["unexplained-bytes"]);
        }
    }

    #[test]
    fn packed_files_are_unfinished() {
        for bytes in [new("a.txt", b"packed", [0x80, 1]), old("a.txt", b"packed", 0x33)] {
            let report = checked("a.rar", bytes);
            assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "unsupported"));
        }
        let behind = [old("a.txt", b"packed", 0x33), b"behind".to_vec()].concat();
        assert_eq!(rules_of(&checked("a.rar", behind)), ["unexplained-bytes"]);
    }

    #[test]
    fn names_that_leave_the_folder_are_found() {
        for bytes in [new("../a.txt", b"text\n", [0x80, 0]), old("..\\a.txt", b"text\n", 0x30)] {
            assert_eq!(rules_of(&checked("a.rar", bytes)), ["name-leaves-folder"]);
        }
    }

    #[test]
    fn encrypted_headers_are_unfinished() {
        let bytes = [b"Rar!\x1a\x07\x01\0".to_vec(), block(&[4, 0, 0, 0, 15]), vec![7; 100]].concat();
        let report = checked("a.rar", bytes);
        assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "encrypted"));
    }

    #[test]
    fn an_archive_cut_anywhere_does_no_harm() {
        for sample in [new("a.txt", b"text\n", [0x80, 0]), old("a.txt", b"text\n", 0x30)] {
            for len in 7..sample.len() {
                checked("a.rar", &sample[..len]);
            }
        }
    }
}
