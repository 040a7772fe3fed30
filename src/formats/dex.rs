//! Dalvik executables: the programs of Android.
//!
//! Specification: Android Open Source Project, "Dalvik executable format".
//!
//! ```text
//! 0   "dex\n" three digits 0 | adler32 4 | sha1 20 | file_size 4 | header_size 4 | endian_tag 4
//!     link, map, and tables of strings, types, prototypes, fields, methods, classes: count 4 | place 4
//!     data: length 4 | place 4
//! ```

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// dex.
pub static FORMAT: Format = Format {
    id: "dex",
    name: "an Android program",
    spec: "https://source.android.com/docs/core/runtime/dex-format",
    extensions: &["dex"],
    media_types: &["application/vnd.android.dex"],
    marks: &[Mark::start(b"dex\n0")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Program,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(file_len(candidate.bytes)?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let len = file_len(visit.bytes)?.ok_or(Stop::malformed(0, "a dex header"))?;
    visit.structure(0..HEADER, "header")?;
    visit.opaque(HEADER..len, "tables, code and data")?;
    if len > visit.bytes.end() { Err(Stop::malformed(visit.bytes.end(), "the rest of the program")) } else { Ok(()) }
}

/// Length of the header in bytes.
const HEADER: u64 = 0x70;

/// The declared length of the program in bytes, if the header is one.
fn file_len(bytes: &Bytes) -> Result<Option<u64>, Stop> {
    let head = bytes.peek(bytes.start(), 0x70)?;
    let word =
        |at: usize| head.get(at..at.saturating_add(4)).and_then(|field| field.try_into().ok()).map(u32::from_le_bytes);
    let version = head.get(4..8).is_some_and(|version| matches!(version, [b'0', b'0'..=b'9', b'0'..=b'9', 0]));
    // Both byte orders are defined; the second was never used.
    let order = matches!(word(0x28), Some(0x1234_5678));
    let fits = word(0x24) == Some(0x70) && head.len() == 0x70;
    Ok(word(0x20).map(u64::from).filter(|len| version && order && fits && *len >= HEADER))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn program() -> Vec<u8> {
        let mut bytes = b"dex\n035\0".to_vec();
        bytes.resize(0x80, 0);
        bytes[0x20] = 0x80;
        bytes[0x24] = 0x70;
        bytes[0x28..0x2c].copy_from_slice(&0x1234_5678u32.to_le_bytes());
        bytes
    }

    #[test]
    fn a_program_is_a_program_by_any_name() {
        let report = checked("a.dat", program());
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["program"]));
        assert_eq!(rules_of(&checked("a", [program(), b"behind".to_vec()].concat())), ["program", "unexplained-bytes"]);
    }

    #[test]
    fn a_mark_alone_is_no_program() {
        assert_eq!(checked("a.txt", "dex\n035 is how it starts\n".repeat(20)).verdict, Verdict::JustData);
        assert!(checked("a", [b"dex\n035\0".as_slice(), &[0; 200]].concat()).layers[0].formats.is_empty());
    }

    #[test]
    fn a_program_cut_anywhere_does_no_harm() {
        for len in 8..0x80 {
            assert_ne!(checked("a", &program()[..len]).verdict, Verdict::JustData, "{len}");
        }
    }
}
