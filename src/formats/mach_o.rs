//! Mach-O: programs and libraries of macOS and iOS, thin and fat.
//!
//! Specification: Apple, `mach-o/loader.h` and `mach-o/fat.h`.
//!
//! ```text
//! thin = FEEDFACE or FEEDFACF | cputype 4 | cpusubtype 4 | filetype 4 | ncmds 4 | sizeofcmds 4 | flags 4 [ 4 ]
//!        load commands: cmd 4 | cmdsize 4 | …           segments and symbols say where they are in the file
//! fat  = CAFEBABE | count 4 | ( cputype 4 | cpusubtype 4 | offset 4 | size 4 | align 4 )*   always big endian
//!        thin files, one a processor
//! ```
//! Java classes start with CAFEBABE as well; the processors of a fat file are known ones, and lie in the file.

use std::ops::Range;

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    stop::Stop,
};

/// Mach-O.
pub static FORMAT: Format = Format {
    id: "mach-o",
    name: "a macOS program",
    spec: "https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h",
    extensions: &["dylib", "bundle"],
    media_types: &["application/x-mach-binary"],
    marks: &[
        Mark::start(b"\xfe\xed\xfa\xce"),
        Mark::start(b"\xfe\xed\xfa\xcf"),
        Mark::start(b"\xce\xfa\xed\xfe"),
        Mark::start(b"\xcf\xfa\xed\xfe"),
        Mark::start(b"\xca\xfe\xba\xbe"),
        Mark::start(b"\xca\xfe\xba\xbf"),
    ],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Program,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let bytes = candidate.bytes;
    Ok(Fat::read(bytes)?.is_some() || Thin::read(bytes)?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let bytes = visit.bytes;
    if let Some(fat) = Fat::read(bytes)? {
        visit.structure(0..fat.header_len, "fat header")?;
        for (index, range) in fat.files.into_iter().enumerate() {
            visit.open(format!("processor {index}"), Span::Range(range), Role::File)?;
        }
        return Ok(());
    }
    let thin = Thin::read(bytes)?.ok_or(Stop::malformed(0, "a Mach-O header"))?;
    visit.structure(0..thin.commands.end, "header and load commands")?;
    for (range, what) in &thin.parts {
        visit.opaque(range.clone(), what)?;
    }
    if thin.parts.iter().any(|(range, _)| range.end > bytes.end()) {
        return Err(Stop::malformed(bytes.end(), "the rest of a segment"));
    }
    Ok(())
}

/// `mach/machine.h`: the processors that there were, 32 and 64 bits wide.
fn is_processor(cpu: u32) -> bool {
    matches!(cpu & !0x0300_0000, 1 | 6..=16 | 18)
}

struct Fat {
    header_len: u64,
    /// One a processor, as places in the layer.
    files: Vec<Range<u64>>,
}

impl Fat {
    fn read(bytes: &Bytes) -> Result<Option<Self>, Stop> {
        let mut cursor = bytes.cursor();
        let wide = match cursor.u32_be("a fat header")? {
            0xcafe_babe => false,
            0xcafe_babf => true,
            _ => return Ok(None),
        };
        let count = cursor.u32_be("a fat header")?;
        if !(1..=64).contains(&count) {
            return Ok(None);
        }
        let mut files = Vec::new();
        for _ in 0..count {
            let cpu = cursor.u32_be("a fat entry")?;
            cursor.u32_be("a fat entry")?;
            let (at, len) = if wide {
                (cursor.u64_be("a fat entry")?, cursor.u64_be("a fat entry")?)
            } else {
                (cursor.u32_be("a fat entry")?.into(), cursor.u32_be("a fat entry")?.into())
            };
            let align = cursor.u32_be("a fat entry")?;
            if wide {
                cursor.u32_be("a fat entry")?;
            }
            let range = at..at.saturating_add(len);
            if !is_processor(cpu) || align > 31 || len == 0 || at >= bytes.len() {
                return Ok(None);
            }
            files.push(range.start..range.end.min(bytes.len()));
        }
        Ok(Some(Fat { header_len: cursor.at().saturating_sub(bytes.start()), files }))
    }
}

struct Thin {
    /// Header and load commands.
    commands: Range<u64>,
    /// What the load commands name, as places in the layer.
    parts: Vec<(Range<u64>, &'static str)>,
}

/// Load commands, `mach-o/loader.h`.
const SEGMENT: u32 = 1;
const SYMTAB: u32 = 2;
const SEGMENT_64: u32 = 0x19;
const CODE_SIGNATURE: u32 = 0x1d;

impl Thin {
    /// The header and all load commands, each where the one before ends; `None` where they do not fit.
    fn read(bytes: &Bytes) -> Result<Option<Self>, Stop> {
        let head = bytes.peek(bytes.start(), 32)?;
        let (wide, big) = match head.as_slice() {
            [0xfe, 0xed, 0xfa, 0xce, ..] => (false, true),
            [0xfe, 0xed, 0xfa, 0xcf, ..] => (true, true),
            [0xce, 0xfa, 0xed, 0xfe, ..] => (false, false),
            [0xcf, 0xfa, 0xed, 0xfe, ..] => (true, false),
            _ => return Ok(None),
        };
        let word = |bytes: &[u8], at: usize| -> Option<u64> {
            let field: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
            Some(if big { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) }.into())
        };
        let long = |bytes: &[u8], at: usize| -> Option<u64> {
            let field: [u8; 8] = bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
            Some(if big { u64::from_be_bytes(field) } else { u64::from_le_bytes(field) })
        };
        let header = || Some((word(&head, 4)?, word(&head, 12)?, word(&head, 16)?, word(&head, 20)?));
        let Some((cpu, kind, count, len)) = header() else { return Ok(None) };
        let header_len = if wide { 32 } else { 28 };
        let fits = len.saturating_add(header_len) <= bytes.len() && count.saturating_mul(8) <= len;
        if !is_processor(u32::try_from(cpu).unwrap_or(0)) || !(1..=15).contains(&kind) || count == 0 || !fits {
            return Ok(None);
        }
        let mut parts = Vec::new();
        let mut at = header_len;
        let end = header_len.saturating_add(len);
        for _ in 0..count {
            let command = bytes.peek(bytes.start().saturating_add(at), 72)?;
            let (Some(id), Some(command_len)) = (word(&command, 0), word(&command, 4)) else { return Ok(None) };
            if command_len < 8 || command_len % 4 != 0 || at.saturating_add(command_len) > end {
                return Ok(None);
            }
            let part = match u32::try_from(id).unwrap_or(0) {
                SEGMENT => word(&command, 32).zip(word(&command, 36)).map(|part| (part, "segment")),
                SEGMENT_64 => long(&command, 40).zip(long(&command, 48)).map(|part| (part, "segment")),
                CODE_SIGNATURE => word(&command, 8).zip(word(&command, 12)).map(|part| (part, "signature")),
                SYMTAB => {
                    let each = if wide { 16 } else { 12 };
                    let symbols = word(&command, 8).zip(word(&command, 12).map(|count| count.saturating_mul(each)));
                    parts.extend(symbols.map(|(at, len)| (at..at.saturating_add(len), "symbols")));
                    word(&command, 16).zip(word(&command, 20)).map(|part| (part, "symbols"))
                }
                _ => None,
            };
            parts.extend(part.map(|((at, len), what)| (at..at.saturating_add(len), what)));
            at = at.saturating_add(command_len);
        }
        Ok(Some(Thin { commands: 0..end, parts }))
    }
}

/// Programs built for tests.
#[cfg(test)]
pub(crate) mod sample {
    /// A whole 64-bit program of one segment.
    pub(crate) fn program() -> Vec<u8> {
        let mut bytes = Vec::new();
        let words = [0xfeed_facfu32, 0x0100_0007, 3, 2, 1, 72, 0, 0, 0x19, 72];
        words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.extend(b"__TEXT\0\0\0\0\0\0\0\0\0\0");
        [0x1000u64, 0x1000, 0, 120].iter().for_each(|long| bytes.extend(long.to_le_bytes()));
        [7u32, 5, 0, 0].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.extend([0x90; 16]);
        bytes
    }

    /// A fat file of one processor.
    pub(crate) fn fat() -> Vec<u8> {
        let mut bytes = Vec::new();
        [0xcafe_babeu32, 1, 0x0100_0007, 3, 32, 120, 5, 0].iter().for_each(|word| bytes.extend(word.to_be_bytes()));
        bytes.extend(program());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{fat, program};
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn a_program_is_a_program_by_any_name() {
        let report = checked("a.mha", program());
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["program"]));
        assert_eq!(rules_of(&checked("a.mha", fat())), ["program", "program-inside"]);
    }

    #[test]
    fn bytes_behind_the_program_belong_to_nobody() {
        assert_eq!(rules_of(&checked("a", [program(), b"behind".to_vec()].concat())), ["program", "unexplained-bytes"]);
    }

    #[test]
    fn marks_alone_are_no_program() {
        for mark in [b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce"] {
            for fill in [0, 1, 2] {
                let report = checked("a", [mark.as_slice(), &[fill; 200]].concat());
                assert!(report.layers[0].formats.is_empty());
            }
        }
    }

    #[test]
    fn a_program_cut_anywhere_does_no_harm() {
        for sample in [program(), fat()] {
            // The mark alone is text in some encodings.
            for len in 5..sample.len() {
                assert_ne!(checked("a", &sample[..len]).verdict, Verdict::JustData, "{len}");
            }
        }
    }
}
