//! ELF: programs and libraries of Linux, the BSDs and most embedded systems.
//!
//! Specification: System V ABI, chapters 4 and 5; `elf(5)`.
//!
//! ```text
//! 0    7F "ELF" | class | byte order | version | ABI | 0 …          identification
//! 10   type 2 | machine 2 | version 4 | entry | phoff | shoff       4 or 8 bytes each, by class
//!      flags 4 | ehsize 2 | phentsize 2 | phnum 2 | shentsize 2 | shnum 2 | shstrndx 2
//! phoff: program headers, which say what is loaded
//! shoff: section headers
//! ```
//! Linux does not look at the identification behind the mark: it goes by type, machine and the size of a program
//! header. So does this reader: it takes whichever layout makes the header whole.

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// ELF.
pub static FORMAT: Format = Format {
    id: "elf",
    name: "a Linux or Unix program",
    spec: "https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html",
    extensions: &["elf", "so", "ko", "axf"],
    media_types: &["application/x-elf"],
    marks: &[Mark::start(b"\x7fELF")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Program,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(Header::read(candidate.bytes)?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let bytes = visit.bytes;
    let header = Header::read(bytes)?.ok_or(Stop::malformed(0, "an ELF header"))?;
    visit.structure(0..header.layout.header_len(), "ELF header")?;
    let mut end = header.layout.header_len();
    for (table, what) in [(&header.programs, "segment"), (&header.sections, "section")] {
        visit.structure(table.at..table.end(), "header table")?;
        for index in 0..table.count {
            let at = table.at.saturating_add(index.saturating_mul(table.each));
            if at >= bytes.end() {
                break;
            }
            let entry = bytes.peek(at, usize::try_from(table.each).unwrap_or(0))?;
            let Some(range) = header.layout.file_range(&entry, what == "segment") else { continue };
            visit.opaque(range.clone(), what)?;
            end = end.max(range.end);
        }
        end = end.max(table.end());
    }
    if end > bytes.end() {
        return Err(Stop::malformed(bytes.end(), "the rest of the program"));
    }
    Ok(())
}

/// Width of addresses and order of bytes.
#[derive(Clone, Copy)]
struct Layout {
    wide: bool,
    big: bool,
}

impl Layout {
    fn header_len(self) -> u64 {
        if self.wide { 64 } else { 52 }
    }

    /// A number of `len` bytes.
    fn number(self, bytes: &[u8], at: usize, len: usize) -> Option<u64> {
        let field = bytes.get(at..at.checked_add(len)?)?;
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.big { field.iter().fold(0, push) } else { field.iter().rev().fold(0, push) })
    }

    /// Where a segment or a section has its bytes in the file, if it has any.
    fn file_range(self, entry: &[u8], is_segment: bool) -> Option<std::ops::Range<u64>> {
        let (at, len, width) = match (is_segment, self.wide) {
            (true, true) => (8, 32, 8),
            (true, false) => (4, 16, 4),
            (false, true) => (24, 32, 8),
            (false, false) => (16, 20, 4),
        };
        // SHT_NULL and SHT_NOBITS have a length and no bytes.
        if !is_segment && matches!(self.number(entry, 4, 4)?, 0 | 8) {
            return None;
        }
        let at = self.number(entry, at, width)?;
        let len = self.number(entry, len, width)?;
        Some(at..at.saturating_add(len)).filter(|range| !range.is_empty())
    }
}

struct Table {
    at: u64,
    each: u64,
    count: u64,
}

impl Table {
    fn end(&self) -> u64 {
        self.at.saturating_add(self.each.saturating_mul(self.count))
    }
}

struct Header {
    layout: Layout,
    programs: Table,
    sections: Table,
}

impl Header {
    /// The header, in whichever layout makes sense; the declared one first.
    fn read(bytes: &Bytes) -> Result<Option<Self>, Stop> {
        let head = bytes.peek(bytes.start(), 64)?;
        if !head.starts_with(b"\x7fELF") {
            return Ok(None);
        }
        let declared = (head.get(4) == Some(&2), head.get(5) == Some(&2));
        let orders = [declared, (!declared.0, declared.1), (declared.0, !declared.1), (!declared.0, !declared.1)];
        Ok(orders.into_iter().find_map(|(wide, big)| Header::parse(&head, Layout { wide, big }, bytes.len())))
    }

    fn parse(head: &[u8], layout: Layout, len: u64) -> Option<Self> {
        let half = |at| layout.number(head, at, 2);
        let width = if layout.wide { 8 } else { 4 };
        let kind = half(16)?;
        let machine = half(18)?;
        let program_at = if layout.wide { 32 } else { 28 };
        let halves = if layout.wide { 54 } else { 42 };
        let programs =
            Table { at: layout.number(head, program_at, width)?, each: half(halves)?, count: half(halves + 2)? };
        let sections = Table {
            at: layout.number(head, program_at + width, width)?,
            each: half(halves + 4)?,
            count: half(halves + 6)?,
        };
        let (program_len, section_len) = if layout.wide { (56, 64) } else { (32, 40) };
        let loads = programs.each == program_len && programs.count > 0 && programs.end() <= len;
        // Sections may be missing or cut: nothing needs them to run.
        let links = kind == 1 && sections.each == section_len && sections.at > 0 && sections.at < len;
        let sections = if sections.each == section_len { sections } else { Table { at: 0, each: 0, count: 0 } };
        let programs = if loads { programs } else { Table { at: 0, each: 0, count: 0 } };
        (matches!(kind, 1..=4) && machine != 0 && (loads || links)).then_some(Header { layout, programs, sections })
    }
}

/// Programs built for tests.
#[cfg(test)]
pub(crate) mod sample {
    /// A whole 64-bit program for x86-64 of one segment.
    pub(crate) fn program() -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(16, 0);
        bytes.extend(b"\x02\0\x3e\0\x01\0\0\0");
        [0x40_0078u64, 64, 0].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend([0; 4]);
        [64u16, 56, 1, 0, 0, 0].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(b"\x01\0\0\0\x05\0\0\0");
        [0u64, 0x40_0000, 0x40_0000, 132, 132, 0x1000].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(b"\x31\xff\xb8\x3c\0\0\0\x0f\x05\x90\x90\x90");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::sample::program;
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn a_program_is_a_program_by_any_name() {
        let report = checked("scan.nii", program());
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["program"]));
        assert_eq!(report.layers[0].coverage.unexplained, 0);
    }

    #[test]
    fn the_identification_may_lie() {
        let mut bytes = program();
        bytes[4..16].fill(b'A');
        assert_eq!(rules_of(&checked("a", bytes)), ["program"]);
    }

    #[test]
    fn both_widths_and_orders_are_read() {
        let mut bytes = b"\x7fELF\x01\x02\x01".to_vec();
        bytes.resize(16, 0);
        bytes.extend(b"\0\x02\0\x08\0\0\0\x01");
        [0x40_0054u32, 52, 0, 0].iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        [52u16, 32, 1, 0, 0, 0].iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        [1u32, 0, 0x40_0000, 0x40_0000, 88, 88, 5, 0x1000].iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        bytes.extend([0; 4]);
        let report = checked("a", bytes);
        assert_eq!(rules_of(&report), ["program"]);
        assert_eq!(report.layers[0].coverage.unexplained, 0);
    }

    #[test]
    fn a_mark_alone_is_no_program() {
        assert!(checked("a", [b"\x7fELF".as_slice(), &[0; 200]].concat()).layers[0].formats.is_empty());
        assert!(checked("a", [b"\x7fELF".as_slice(), &[0xff; 200]].concat()).layers[0].formats.is_empty());
    }

    #[test]
    fn bytes_behind_the_program_belong_to_nobody() {
        assert_eq!(rules_of(&checked("a", [program(), b"behind".to_vec()].concat())), ["program", "unexplained-bytes"]);
    }

    #[test]
    fn a_program_cut_anywhere_does_no_harm() {
        let sample = program();
        for len in 1..sample.len() {
            assert_ne!(checked("a", &sample[..len]).verdict, Verdict::JustData, "{len}");
        }
    }
}
