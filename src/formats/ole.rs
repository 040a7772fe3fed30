//! OLE compound files (old Office documents, installers, messages): recognised, not decoded.
//!
//! Specification: [MS-CFB].
//!
//! ```text
//! 0   D0 CF 11 E0 A1 B1 1A E1 | class id 16 | minor 2 | major 2 | byte order FE FF | sector shift 2 | mini shift 2
//!     reserved 6 | directory sectors 4 | FAT sectors 4 | …                             512 bytes in all
//! 200 or 1000: sectors
//! ```

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// OLE compound file.
pub static FORMAT: Format = Format {
    id: "ole",
    name: "an OLE compound file",
    spec: "https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-cfb/",
    extensions: &["doc", "dot", "xls", "xlt", "xla", "ppt", "pps", "pot", "msg", "msi", "vsd", "pub", "mpp"],
    media_types: &["application/x-ole-storage"],
    marks: &[Mark::start(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(extent(candidate.bytes)?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let extent = extent(visit.bytes)?.ok_or(Stop::malformed(0, "a compound file header"))?;
    visit.structure(0..HEADER, "header")?;
    visit.opaque(HEADER..extent, "sectors")?;
    Err(Stop::unsupported(HEADER, "OLE compound file"))
}

/// Length of the header in bytes.
const HEADER: u64 = 512;

/// The most bytes that the allocation table can describe, if the header is one.
fn extent(bytes: &Bytes) -> Result<Option<u64>, Stop> {
    let head = bytes.peek(bytes.start(), 512)?;
    let half =
        |at: usize| head.get(at..at.saturating_add(2)).and_then(|field| field.try_into().ok()).map(u16::from_le_bytes);
    let word =
        |at: usize| head.get(at..at.saturating_add(4)).and_then(|field| field.try_into().ok()).map(u32::from_le_bytes);
    let sector = match (half(26), half(30)) {
        (Some(3), Some(9)) => 512u64,
        (Some(4), Some(12)) => 4096,
        _ => return Ok(None),
    };
    if half(28) != Some(0xfffe) || half(32) != Some(6) || head.len() < 512 {
        return Ok(None);
    }
    let tables = u64::from(word(44).unwrap_or(0));
    // Each table is a sector of places, four bytes each; the header takes the place of one sector.
    let sectors = tables.saturating_mul(sector / 4);
    Ok(Some(sectors.saturating_add(1).saturating_mul(sector).max(HEADER)))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn document() -> Vec<u8> {
        let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        bytes.resize(1536, 0);
        bytes[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
        bytes[44] = 1;
        bytes
    }

    #[test]
    fn what_is_not_decoded_is_never_just_data() {
        let report = checked("a.doc", document());
        assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "unsupported"));
        for len in (8..1536).step_by(5) {
            assert_eq!(checked("a.doc", &document()[..len]).verdict, Verdict::Unfinished, "{len}");
        }
    }

    #[test]
    fn a_document_behind_an_archive_is_hidden() {
        let mut bytes = crate::formats::zip::sample::archive(&[("a.txt", b"text\n")]);
        bytes.extend(document());
        assert_eq!(rules_of(&checked("a.zip", bytes)), ["file-hidden"]);
    }

    #[test]
    fn a_mark_alone_is_no_document() {
        let bytes = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 600]].concat();
        assert_eq!(checked("a.doc", bytes).layers[0].formats, [""; 0]);
    }
}
