//! The 128 bytes before the prefix DICM (PS3.10 section 7.1): room for anything.
//!
//! The standard leaves them to "applications", and names TIFF. Whoever starts a file by its first bytes (an operating
//! system, a runtime, a shell) sees only them.

use super::rules;
use crate::{
    active_text::{self, has_active_markup, script_start},
    bytes::Bytes,
    format::Visit,
    quote::quoted_bytes,
    rule::Rule,
    stop::Stop,
};

/// Length of the preamble in bytes.
pub(super) const PREAMBLE: u64 = 128;

/// Claims the preamble and says what stands in it.
pub(super) fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    visit.slack(0..PREAMBLE, "preamble")?;
    let preamble = visit.bytes.peek(0, 128)?;
    if preamble.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    let tiff = is_tiff(&preamble);
    let (rule, message) = judge(&preamble, visit.bytes, tiff)?;
    let end = preamble.iter().rposition(|byte| *byte != 0).map_or(0, |last| (last as u64).saturating_add(1));
    visit.find(rule, 0..end, message)
}

fn judge(preamble: &[u8], file: &Bytes, tiff: bool) -> Result<(&'static Rule, String), Stop> {
    if let Some(program) = program(preamble, file)? {
        return Ok((&rules::EXECUTABLE_IN_PREAMBLE, format!("The first bytes are the header of {program}.")));
    }
    let shown = quoted_bytes(preamble);
    match script_start(preamble) {
        Some(kind @ "a Unix script") => {
            return Ok((&rules::EXECUTABLE_IN_PREAMBLE, format!("The first line makes it {kind}: {shown}.")));
        }
        Some(kind) => return Ok((&rules::SCRIPT_IN_PREAMBLE, format!("It starts as {kind}: {shown}."))),
        None => {}
    }
    // PHP copies everything outside of its brackets; a browser passes over what comes before the first tag.
    if memchr::memmem::find(preamble, b"<?php").is_some() || has_active_markup(preamble) {
        return Ok((&rules::SCRIPT_IN_PREAMBLE, format!("There is a script in it: {shown}.")));
    }
    if active_text::is_statements(preamble) || active_text::is_commands(preamble) {
        return Ok((&rules::SCRIPT_IN_PREAMBLE, format!("It holds commands: {shown}.")));
    }
    if let Some(mark) = mark(preamble) {
        return Ok((&rules::PROGRAM_MARK_IN_PREAMBLE, format!("The first bytes are those of {mark}.")));
    }
    if let Some(mark) = other_mark(preamble) {
        return Ok((&rules::FILE_MARK_IN_PREAMBLE, format!("The first bytes are those of {mark}.")));
    }
    // Readers of PDF look for its header in the first 1024 bytes.
    if memchr::memmem::find(preamble, b"%PDF-").is_some() {
        return Ok((&rules::FILE_MARK_IN_PREAMBLE, "The header of a PDF document stands in it.".into()));
    }
    let header = if tiff {
        16
    } else if is_analyze(preamble) {
        // The header of an Analyze 7.5 or NIfTI-1 file; writers that share one buffer leave it there.
        return Ok((&rules::PREAMBLE_IN_USE, "It starts as an Analyze 7.5 header, which has 348 bytes.".into()));
    } else {
        0
    };
    let rest = preamble.get(header..).unwrap_or_default();
    let used = rest.iter().filter(|byte| **byte != 0).count();
    let is_text = rest.iter().all(|byte| matches!(byte, 0 | b'\t' | b'\n' | b'\r' | 0x20..=0x7e));
    Ok(match (tiff, is_text) {
        (true, true) => (&rules::PREAMBLE_IN_USE, "It is the header of a TIFF file, as the standard allows.".into()),
        (false, true) => (&rules::PREAMBLE_IN_USE, format!("It holds text: {shown}.")),
        _ if used < FEW => (&rules::PREAMBLE_IN_USE, format!("{used} of its bytes are not zero.")),
        _ if tiff && directory(rest_of_header(preamble), &order_of(preamble)).is_some() => {
            (&rules::PREAMBLE_IN_USE, "It is the header and directory of a TIFF file.".into())
        }
        _ => (&rules::PREAMBLE_UNEXPLAINED, format!("{used} of its bytes are neither zero nor text.")),
    })
}

/// So few bytes hold no program worth the name: remainders of a buffer, a counter.
const FEW: usize = 16;

/// Byte order mark, version 42 or 43 (TIFF 6.0 section 2, BigTIFF).
fn is_tiff(preamble: &[u8]) -> bool {
    [&b"II*\0"[..], b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"].iter().any(|mark| preamble.starts_with(mark))
}

/// sizeof_hdr, whatever the byte order; everything else in it is free.
fn is_analyze(preamble: &[u8]) -> bool {
    let size = preamble.get(..4).unwrap_or_default();
    (size == [0x5c, 1, 0, 0] || size == [0, 0, 1, 0x5c])
        && preamble.get(4..).unwrap_or_default().iter().filter(|byte| **byte != 0).count() < 64
}

/// Reads numbers in one byte order.
struct Order {
    big: bool,
}

fn order_of(preamble: &[u8]) -> Order {
    Order { big: preamble.starts_with(b"MM") }
}

/// What stands behind the eight bytes of a TIFF header.
fn rest_of_header(preamble: &[u8]) -> &[u8] {
    preamble.get(8..).unwrap_or_default()
}

impl Order {
    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = <[u8; 2]>::try_from(bytes.get(at..at.checked_add(2)?)?).ok()?;
        Some(if self.big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = <[u8; 4]>::try_from(bytes.get(at..at.checked_add(4)?)?).ok()?;
        Some(if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    }

    fn u64(&self, bytes: &[u8], at: usize) -> Option<u64> {
        let eight = <[u8; 8]>::try_from(bytes.get(at..at.checked_add(8)?)?).ok()?;
        Some(if self.big { u64::from_be_bytes(eight) } else { u64::from_le_bytes(eight) })
    }
}

/// The entries of an image file directory of TIFF that starts `bytes`: ascending tags and known types. Gives the length
/// of the directory, and the offset and length of each value that stands elsewhere.
fn directory(bytes: &[u8], order: &Order) -> Option<(usize, Vec<(u64, u64)>)> {
    let count = order.u16(bytes, 0).filter(|count| (1..=512).contains(count))?;
    let mut last = None;
    let mut values = Vec::new();
    for index in 0..usize::from(count) {
        let entry = index.saturating_mul(12).saturating_add(2);
        let tag = order.u16(bytes, entry)?;
        let size = match order.u16(bytes, entry.saturating_add(2))? {
            1 | 2 | 6 | 7 => 1u64,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            _ => return None,
        };
        if last.is_some_and(|last| tag <= last) {
            return None;
        }
        last = Some(tag);
        let len = u64::from(order.u32(bytes, entry.saturating_add(4))?).saturating_mul(size);
        if len > 4 {
            values.push((u64::from(order.u32(bytes, entry.saturating_add(8))?), len));
        }
    }
    Some((usize::from(count).saturating_mul(12).saturating_add(6), values))
}

/// Whether a padding, whose first bytes are `bytes` and which stands at `start`, holds the directory of a TIFF file and
/// its values, and nothing else. Writers that empty the preamble leave it behind.
pub(super) fn is_directory_only(bytes: &[u8], start: u64) -> bool {
    [false, true].into_iter().any(|big| {
        let Some((len, values)) = directory(bytes, &Order { big }) else { return false };
        let rest = bytes.iter().enumerate().skip(len).filter(|(_, byte)| **byte != 0);
        let owned = |at: u64| values.iter().any(|(offset, len)| *offset <= at && at < offset.saturating_add(*len));
        rest.into_iter().all(|(at, _)| owned(start.saturating_add(at as u64)))
    })
}

/// The program whose header stands at the start of the file, wherever the rest of the header stands.
fn program(preamble: &[u8], file: &Bytes) -> Result<Option<&'static str>, Stop> {
    Ok(match preamble {
        [b'M' | b'Z', b'Z' | b'M', ..] => windows(preamble, file)?,
        [0x7f, b'E', b'L', b'F', ..] => elf(preamble, file),
        [0xca, 0xfe, 0xba, 0xbe, ..] => java_or_fat(preamble, file),
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => mach_o(preamble, file),
        [0, b'a', b's', b'm', 1, 0, 0, 0, section, ..] if *section <= 13 => Some("a WebAssembly module"),
        [b'd', b'e', b'x', b'\n', b'0', b'3' | b'4', b'0'..=b'9', 0, ..] => Some("an Android program (DEX)"),
        [0x1b, b'L', b'u', b'a', 0x51..=0x54, 0 | 1, ..] => Some("a compiled Lua program"),
        [0x4c, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46, ..] => Some("a Windows shortcut"),
        _ => None,
    })
}

fn windows(preamble: &[u8], file: &Bytes) -> Result<Option<&'static str>, Stop> {
    let little = Order { big: false };
    let Some(next) = little.u32(preamble, 0x3c) else { return Ok(None) };
    let header = file.peek(u64::from(next), 26)?;
    let optional = little.u16(&header, 24);
    Ok(match header.get(..4) {
        Some(b"PE\0\0") if matches!(optional, Some(0x10b | 0x20b | 0x107)) => Some("a Windows program (PE)"),
        Some([b'N', b'E', ..]) if next >= 0x40 => Some("a 16-bit Windows program (NE)"),
        Some([b'L', b'E' | b'X', 0, 0]) if next >= 0x40 => Some("an OS/2 or DOS program (LE)"),
        _ => None,
    })
}

/// What the loaders look at: type, and a table of program headers that lies in the file.
fn elf(preamble: &[u8], file: &Bytes) -> Option<&'static str> {
    let order = Order { big: preamble.get(5) == Some(&2) };
    let kind = order.u16(preamble, 16)?;
    let machine = order.u16(preamble, 18)?;
    let (table, size, count, entry) = if preamble.get(4) == Some(&1) {
        (u64::from(order.u32(preamble, 28)?), order.u16(preamble, 42)?, order.u16(preamble, 44)?, 32)
    } else {
        (order.u64(preamble, 32)?, order.u16(preamble, 54)?, order.u16(preamble, 56)?, 56)
    };
    let end = table.checked_add(u64::from(size).saturating_mul(u64::from(count)))?;
    let runs = matches!(kind, 2 | 3) && size == entry && count > 0 && end <= file.len();
    (runs && machine != 0).then_some("a Linux or Unix program (ELF)")
}

fn mach_o(preamble: &[u8], file: &Bytes) -> Option<&'static str> {
    let order = Order { big: preamble.first() == Some(&0xfe) };
    let machine = order.u32(preamble, 4)? & 0x00ff_ffff;
    let kind = order.u32(preamble, 12)?;
    let (count, size) = (order.u32(preamble, 16)?, order.u32(preamble, 20)?);
    let fits = u64::from(size) <= file.len() && u64::from(count).saturating_mul(8) <= u64::from(size);
    ((1..=18).contains(&machine) && (1..=12).contains(&kind) && count > 0 && fits).then_some("a macOS program (Mach-O)")
}

/// Java classes and universal Mach-O files share their mark.
fn java_or_fat(preamble: &[u8], file: &Bytes) -> Option<&'static str> {
    let order = Order { big: true };
    let count = order.u32(preamble, 4)?;
    if (1..=16).contains(&count) {
        let (machine, offset) = (order.u32(preamble, 8)? & 0x00ff_ffff, order.u32(preamble, 16)?);
        let fits = u64::from(offset) < file.len() && (1..=18).contains(&machine);
        return fits.then_some("a macOS program for several processors (Mach-O)");
    }
    let (major, constants, first) = (order.u16(preamble, 6)?, order.u16(preamble, 8)?, preamble.get(10)?);
    let is_class = (45..=80).contains(&major) && constants > 1 && matches!(first, 1 | 3..=12 | 15..=20);
    is_class.then_some("a Java program (class file)")
}

/// The mark of a program, without a whole header.
fn mark(preamble: &[u8]) -> Option<&'static str> {
    Some(match preamble {
        [b'M', b'Z', ..] | [b'Z', b'M', ..] => "a DOS or Windows program (MZ)",
        [0x7f, b'E', b'L', b'F', ..] => "a Linux or Unix program (ELF)",
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => "a macOS program (Mach-O)",
        [0xca, 0xfe, 0xba, 0xbe, ..] => "a Java program or a macOS program for several processors",
        [0, b'a', b's', b'm', ..] => "a WebAssembly module",
        [b'd', b'e', b'x', b'\n', ..] => "an Android program (DEX)",
        [b'B', b'C', 0xc0, 0xde, ..] => "LLVM bitcode",
        [0x1b, b'L', b'u', b'a', ..] => "a compiled Lua program",
        [0x4c, 0, 0, 0, 1, 0x14, 2, 0, ..] => "a Windows shortcut",
        _ => return None,
    })
}

/// The mark of a file that is no program, and no image for which the standard leaves room.
fn other_mark(preamble: &[u8]) -> Option<&'static str> {
    Some(match preamble {
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => "an OLE compound file (Office document, installer)",
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => "a ZIP archive",
        [b'%', b'P', b'D', b'F', b'-', ..] => "a PDF document",
        [b'{', b'\\', b'r', b't', ..] => "an RTF document",
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => "a RAR archive",
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "a 7-Zip archive",
        [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => "a Windows cabinet",
        [0x1f, 0x8b, 8, ..] => "a gzip file",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "an XZ file",
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => "a bzip2 file",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "a Zstandard file",
        [b'%', b'!', b'P', b'S', ..] => "a PostScript program",
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', ..] => "an SQLite database",
        [0x89, b'H', b'D', b'F', b'\r', b'\n', 0x1a, b'\n', ..] => "an HDF5 file",
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "a PNG image",
        [0xff, 0xd8, 0xff, ..] => "a JPEG image",
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "a GIF image",
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => "a BMP image",
        _ => return None,
    })
}
