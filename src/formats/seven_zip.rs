//! 7z archives: recognised, not decoded.
//!
//! Specification: 7-Zip source, `DOC/7zFormat.txt`.
//!
//! ```text
//! 0   "7z" BC AF 27 1C | version 2 | crc32 of the next 20 bytes 4
//! C   next header: offset 8, length 8, crc32 4
//! 20  packed streams
//! 20 + offset: next header, most often packed itself
//! ```

use crate::{
    bytes::Bytes,
    checksum::CRC_32,
    format::{Buried, Candidate, Format, Mark, Nature, Origin, Visit},
    stop::Stop,
};

/// 7z.
pub static FORMAT: Format = Format {
    id: "seven-zip",
    name: "a 7z archive",
    spec: "https://www.7-zip.org/7z.html",
    extensions: &["7z"],
    media_types: &["application/x-7z-compressed"],
    marks: &[Mark::start(b"7z\xbc\xaf\x27\x1c")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm_buried),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

/// Programs that repair archives do not need the checksum.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(Start::read(candidate.bytes)?.is_some())
}

fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(Start::read(candidate.bytes)?.is_some_and(|start| start.is_intact))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let start = Start::read(visit.bytes)?.ok_or(Stop::malformed(0, "a 7z header"))?;
    visit.structure(0..START, "header")?;
    if !start.is_intact {
        return Err(Stop::malformed(8, "the CRC-32 of the header"));
    }
    let next = START.saturating_add(start.offset);
    let end = next.saturating_add(start.len);
    visit.opaque(START..next, "packed streams")?;
    visit.opaque(next..end, "packed header")?;
    if end > visit.bytes.end() {
        return Err(Stop::malformed(visit.bytes.end(), "the rest of the archive"));
    }
    if start.len == 0 {
        return Ok(());
    }
    if matches!(visit.origin, Origin::Root | Origin::Member) {
        visit.unexplained(end..visit.bytes.end())?;
    }
    Err(Stop::unsupported(START, "7z archive"))
}

/// Length of the first header in bytes.
const START: u64 = 32;

struct Start {
    is_intact: bool,
    offset: u64,
    len: u64,
}

impl Start {
    fn read(bytes: &Bytes) -> Result<Option<Self>, Stop> {
        let head = bytes.peek(bytes.start(), 32)?;
        // The major version has always been 0.
        if head.len() < 32 || head.get(6) != Some(&0) {
            return Ok(None);
        }
        let crc32 = head.get(8..12).and_then(|field| field.try_into().ok()).map_or(0, u32::from_le_bytes);
        let long = |at: usize| {
            let field = head.get(at..at.saturating_add(8)).and_then(|field| field.try_into().ok());
            field.map_or(0, u64::from_le_bytes)
        };
        let is_intact = CRC_32.checksum(head.get(12..32).unwrap_or_default()) == crc32;
        Ok(Some(Start { is_intact, offset: long(12), len: long(20) }))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn archive() -> Vec<u8> {
        let mut next = Vec::new();
        next.extend(4u64.to_le_bytes());
        next.extend(2u64.to_le_bytes());
        next.extend([1, 2, 3, 4]);
        let mut bytes = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
        bytes.extend(super::CRC_32.checksum(&next).to_le_bytes());
        bytes.extend(next);
        bytes.extend(b"\x01\x02\x03\x04\x17\x06");
        bytes
    }

    #[test]
    fn what_is_not_decoded_is_never_just_data() {
        let report = checked("a.7z", archive());
        assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "unsupported"));
        assert_eq!(report.layers[0].coverage.unexplained, 0);
        let behind = [archive(), b"behind".to_vec()].concat();
        assert_eq!(rules_of(&checked("a.7z", behind)), ["unexplained-bytes"]);
        assert_eq!(checked("a.7z", [archive(), vec![0; 99]].concat()).verdict, Verdict::Unfinished);
        for len in 6..archive().len() {
            assert_eq!(checked("a.7z", &archive()[..len]).verdict, Verdict::Unfinished, "{len}");
        }
    }

    #[test]
    fn an_archive_behind_another_is_hidden() {
        let mut bytes = crate::formats::zip::sample::archive(&[("a.txt", b"text\n")]);
        bytes.extend(archive());
        assert_eq!(rules_of(&checked("a.zip", bytes.clone())), ["file-hidden"]);
        let at = bytes.len() - 10;
        bytes[at] ^= 1;
        assert_eq!(rules_of(&checked("a.zip", bytes)), ["unexplained-bytes"]);
    }
}
