//! Programs of Windows, OS/2 and DOS: PE, and the older formats that start with the same two letters.
//!
//! Specification: Microsoft PE and COFF Specification; for the others, the DOS header that all begin with.
//!
//! ```text
//! 0    "MZ" | 13 fields of 2                       DOS header
//! 3C   e_lfanew 4                                  place of the next header
//!      DOS program ("This program cannot be run in DOS mode")
//! e_lfanew: "PE" 0 0 | COFF header 20 | optional header | section table 40 each
//!      sections, each where its header says
//!      anything behind them: an overlay, which nothing explains
//! ```
//! Nothing is judged here: that the bytes are a program is the finding.

use nom::{
    IResult, Parser,
    bytes::complete::{tag, take},
    number::complete::{le_u16, le_u32},
};

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// PE, and its elders.
pub static FORMAT: Format = Format {
    id: "pe",
    name: "a Windows program",
    spec: "https://learn.microsoft.com/en-us/windows/win32/debug/pe-format",
    extensions: &["exe", "dll", "sys", "scr", "cpl", "ocx", "efi", "com"],
    media_types: &["application/vnd.microsoft.portable-executable"],
    marks: &[Mark::start(b"MZ"), Mark::start(b"ZM")],
    confirm,
    read,
    buried: Buried::AnywhereMarked(&[Mark::start(b"MZ")], confirm_buried),
    nature: Nature::Program,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(match Program::read(candidate.bytes)? {
        Some(Program::Dos(header)) => header.makes_sense(candidate.bytes),
        other => other.is_some(),
    })
}

/// Two letters stand everywhere: a DOS program must look as linkers make it.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(match Program::read(candidate.bytes)? {
        Some(Program::Dos(header)) => header.makes_sense(candidate.bytes) && header.is_as_linked(),
        Some(Program::Portable { coff, .. }) => coff.machine_is_known(),
        other => other.is_some(),
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let bytes = visit.bytes;
    match Program::read(bytes)?.ok_or(Stop::malformed(0, "a DOS header"))? {
        Program::Dos(header) => {
            visit.structure(0..header.header_len().min(header.image_len()), "DOS header")?;
            visit.opaque(header.header_len()..header.image_len(), "DOS program")
        }
        Program::Old { at, what } => {
            visit.structure(0..64, "DOS header")?;
            visit.opaque(64..at, "DOS program")?;
            visit.structure(at..at.saturating_add(64), "header")?;
            Err(Stop::unsupported(at, what))
        }
        Program::Portable { at, coff } => read_portable(visit, at, &coff),
    }
}

fn read_portable(visit: &mut Visit<'_>, at: u64, coff: &Coff) -> Result<(), Stop> {
    let bytes = visit.bytes;
    let optional_at = at.saturating_add(4 + COFF_LEN);
    let sections_at = optional_at.saturating_add(coff.optional_len.into());
    let sections_end = sections_at.saturating_add(u64::from(coff.sections).saturating_mul(SECTION_LEN));
    visit.structure(0..64.min(at), "DOS header")?;
    visit.opaque(64.min(at)..at, "DOS program")?;
    visit.structure(at..sections_end, "headers")?;

    let optional = bytes.window(optional_at..sections_at).peek(optional_at, 4096)?;
    if let Ok((_, optional)) = optional_header(&optional) {
        visit.slack(sections_end..optional.headers_len.into(), "padding of the headers")?;
        for (index, (place, len)) in optional.directories.iter().enumerate() {
            // The certificates are the one directory whose address is a place in the file.
            if index == 4 && *len > 0 {
                visit.opaque((*place).into()..u64::from(*place).saturating_add((*len).into()), "certificates")?;
            }
        }
    }
    if coff.symbols_at != 0 {
        let symbols_at = u64::from(coff.symbols_at);
        let strings_at = symbols_at.saturating_add(u64::from(coff.symbols).saturating_mul(18));
        let strings_len = bytes.peek(strings_at, 4)?.try_into().map_or(0, u32::from_le_bytes);
        visit.opaque(symbols_at..strings_at.saturating_add(strings_len.into()), "symbols")?;
    }
    let mut cursor = bytes.window(sections_at..sections_end).cursor();
    let mut cut = false;
    for _ in 0..coff.sections {
        let (start, len) = cursor.parse(40, "a section header", section)?;
        // The loader takes places down to a sector.
        let start = u64::from(start) & !0x1ff;
        let end = start.saturating_add(len.into());
        cut = cut || (len > 0 && end > bytes.end());
        if len > 0 {
            visit.opaque(start..end, "section")?;
        }
    }
    if cut { Err(Stop::malformed(bytes.end(), "the rest of a section")) } else { Ok(()) }
}

enum Program {
    Dos(Dos),
    Old { at: u64, what: &'static str },
    Portable { at: u64, coff: Coff },
}

impl Program {
    fn read(bytes: &Bytes) -> Result<Option<Self>, Stop> {
        let start = bytes.start();
        let Ok((_, header)) = dos_header(&bytes.peek(start, 64)?) else { return Ok(None) };
        let at = start.saturating_add(header.next.into());
        let next = bytes.peek(at, 26)?;
        if header.next != 0
            && let Ok((_, coff)) = coff_header(&next)
        {
            return Ok(Some(Program::Portable { at: at.saturating_sub(start), coff }));
        }
        let is_old = |what| Ok(Some(Program::Old { at: u64::from(header.next), what }));
        if header.next >= 64 {
            match next.as_slice() {
                // Linker version, entry table inside the header's reach.
                [b'N', b'E', 1..=10, _, table, 0..=7, ..] if *table >= 64 => {
                    return is_old("segments of a 16-bit program");
                }
                // Little endian, format level 0.
                [b'L', b'E' | b'X', 0, 0, 0, 0, 0, 0, 1..=0x20, 0, ..] => return is_old("objects of a linear program"),
                _ => {}
            }
        }
        Ok(Some(Program::Dos(header)))
    }
}

struct Dos {
    last_page: u16,
    pages: u16,
    relocations: u16,
    header_paragraphs: u16,
    least: u16,
    most: u16,
    relocations_at: u16,
    overlay: u16,
    /// Place of the next header.
    next: u32,
}

impl Dos {
    fn header_len(&self) -> u64 {
        u64::from(self.header_paragraphs).saturating_mul(16)
    }

    fn image_len(&self) -> u64 {
        let pages = u64::from(self.pages).saturating_mul(512);
        if self.last_page == 0 { pages } else { pages.saturating_sub(512).saturating_add(self.last_page.into()) }
    }

    /// Whether DOS would load it from these bytes, whole.
    fn makes_sense(&self, bytes: &Bytes) -> bool {
        let table_end = u64::from(self.relocations_at).saturating_add(u64::from(self.relocations).saturating_mul(4));
        self.last_page < 512
            && self.header_paragraphs >= 2
            && self.header_len() < self.image_len()
            && self.image_len() <= bytes.len()
            && self.least <= self.most
            && (self.relocations == 0 || table_end <= self.header_len())
    }

    fn is_as_linked(&self) -> bool {
        self.header_paragraphs <= 0x200
            && self.overlay == 0
            && matches!(self.relocations_at, 0x1c | 0x1e | 0x20 | 0x22 | 0x3e | 0x40)
    }
}

/// "MZ", or "ZM", which DOS takes as well.
fn dos_header(input: &[u8]) -> IResult<&[u8], Dos> {
    let (input, _) = nom::branch::alt((tag(&b"MZ"[..]), tag(&b"ZM"[..]))).parse(input)?;
    let (input, (last_page, pages, relocations, header_paragraphs)) = (le_u16, le_u16, le_u16, le_u16).parse(input)?;
    let (input, (least, most, _ss, _sp, _checksum)) = (le_u16, le_u16, le_u16, le_u16, le_u16).parse(input)?;
    let (input, (_ip, _cs, relocations_at, overlay)) = (le_u16, le_u16, le_u16, le_u16).parse(input)?;
    // A DOS program may end before the place of the next header.
    let next: IResult<&[u8], (&[u8], u32)> = (take(32usize), le_u32).parse(input);
    let next = next.map_or(0, |(_, (_, next))| next);
    Ok((input, Dos { last_page, pages, relocations, header_paragraphs, least, most, relocations_at, overlay, next }))
}

const COFF_LEN: u64 = 20;
const SECTION_LEN: u64 = 40;

struct Coff {
    machine: u16,
    sections: u16,
    symbols_at: u32,
    symbols: u32,
    optional_len: u16,
}

impl Coff {
    /// PE specification, "Machine Types".
    fn machine_is_known(&self) -> bool {
        matches!(
            self.machine,
            0x14c | 0x162 | 0x166 | 0x168 | 0x169 | 0x184 | 0x1a2..=0x1a8 | 0x1c0..=0x1c4 | 0x1d3 | 0x1f0 | 0x1f1
                | 0x200 | 0x266 | 0x284 | 0x366 | 0x466 | 0xebc | 0x5032 | 0x5064 | 0x5128 | 0x6232 | 0x6264 | 0x8664
                | 0x9041 | 0xaa64 | 0xa641 | 0xa64e
        )
    }
}

/// The signature, the COFF header, and the first two bytes of the optional header, which say how wide addresses are.
fn coff_header(input: &[u8]) -> IResult<&[u8], Coff> {
    let (input, _) = tag(&b"PE\0\0"[..])(input)?;
    let (input, (machine, sections, _time)) = (le_u16, le_u16, le_u32).parse(input)?;
    let (input, (symbols_at, symbols, optional_len, _flags)) = (le_u32, le_u32, le_u16, le_u16).parse(input)?;
    let (input, _) =
        nom::branch::alt((tag(&b"\x0b\x01"[..]), tag(&b"\x0b\x02"[..]), tag(&b"\x07\x01"[..]))).parse(input)?;
    Ok((input, Coff { machine, sections, symbols_at, symbols, optional_len }))
}

struct Optional {
    headers_len: u32,
    /// Address and length of each data directory.
    directories: Vec<(u32, u32)>,
}

fn optional_header(input: &[u8]) -> IResult<&[u8], Optional> {
    let (_, magic) = le_u16(input)?;
    // Four addresses are eight bytes wide instead of four, and one field is gone: the rest stands 16 bytes later.
    let before_directories = if magic == 0x20b { 112usize } else { 96 };
    let (_, headers_len) = (take(60usize), le_u32).map(|(_, len)| len).parse(input)?;
    let (_, count) = (take(before_directories.saturating_sub(4)), le_u32).map(|(_, count)| count).parse(input)?;
    let (mut input, _) = take(before_directories)(input)?;
    let mut directories = Vec::new();
    for _ in 0..count.min(16) {
        let pair: IResult<&[u8], (u32, u32)> = (le_u32, le_u32).parse(input);
        let Ok((rest, pair)) = pair else { break };
        directories.push(pair);
        input = rest;
    }
    Ok((input, Optional { headers_len, directories }))
}

/// Place and length of a section in the file.
fn section(input: &[u8]) -> IResult<&[u8], (u32, u32)> {
    let (input, (_name_and_addresses, len, at)) = (take(16usize), le_u32, le_u32).parse(input)?;
    let (input, _) = take(16usize)(input)?;
    Ok((input, (at, len)))
}

/// Programs built for tests.
#[cfg(test)]
pub(crate) mod sample {
    /// A whole 32-bit program whose one section only returns.
    pub(crate) fn program() -> Vec<u8> {
        let mut bytes = vec![0; 0x400];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, b"MZ");
        put(0x3c, &0x40u32.to_le_bytes());
        put(0x40, b"PE\0\0\x4c\x01\x01\0");
        put(0x54, &0xe0u16.to_le_bytes());
        put(0x56, &0x0102u16.to_le_bytes());
        put(0x58, b"\x0b\x01");
        put(0x58 + 60, &0x200u32.to_le_bytes());
        put(0x58 + 92, &16u32.to_le_bytes());
        put(0x138, b".text");
        put(0x138 + 16, &0x200u32.to_le_bytes());
        put(0x138 + 20, &0x200u32.to_le_bytes());
        put(0x200, &[0xc3]);
        bytes
    }

    /// A DOS program of 64 bytes.
    pub(crate) fn dos_program() -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..10].copy_from_slice(b"MZ\x40\0\x01\0\0\0\x02\0");
        bytes[12..14].copy_from_slice(&[0xff; 2]);
        bytes[24] = 0x1c;
        bytes[32] = 0xc3;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{dos_program, program};
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn a_program_is_a_program_by_any_name() {
        let report = checked("scan.dcm", program());
        assert_eq!(report.layers[0].formats, ["pe"]);
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["program"]));
        assert_eq!(rules_of(&checked("a.com", dos_program())), ["program"]);
    }

    #[test]
    fn an_overlay_belongs_to_nobody() {
        let report = checked("a.exe", [program(), b"appended".to_vec()].concat());
        assert_eq!(rules_of(&report), ["program", "unexplained-bytes"]);
    }

    #[test]
    fn the_certificate_table_is_claimed() {
        let mut bytes = program();
        bytes[0x58 + 96 + 32..][..8].copy_from_slice(&[0, 4, 0, 0, 8, 0, 0, 0]);
        bytes.extend(b"signed!!");
        assert_eq!(rules_of(&checked("a.exe", bytes)), ["program"]);
    }

    #[test]
    fn letters_alone_are_no_program() {
        for text in
            ["MZ\n", "MZ is short for Mark Zbikowski, who wrote the linker; this line is longer than a header.\n"]
        {
            assert_eq!(checked("a.txt", text).verdict, Verdict::JustData);
        }
        let mut noise = vec![0u8; 4096];
        noise[..2].copy_from_slice(b"MZ");
        assert!(checked("a.raw", noise).layers[0].formats.is_empty());
    }

    #[test]
    fn a_program_cut_anywhere_does_no_harm() {
        let sample = program();
        for len in 3..sample.len() {
            assert_ne!(checked("a.exe", &sample[..len]).verdict, Verdict::JustData, "{len}");
        }
    }

    #[test]
    fn a_program_behind_text_in_an_archive_is_hidden() {
        let archive = crate::formats::zip::sample::build(
            &[b"\x01\x02\x03".to_vec(), program()].concat(),
            &[crate::formats::zip::sample::File::stored("a.txt", b"text\n")],
        );
        assert_eq!(rules_of(&checked("a.zip", archive)), ["program-hidden", "unexplained-bytes"]);
    }
}
