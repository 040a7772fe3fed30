//! 7z archives: recognised, not decoded.
//!
//! Specification: 7zFormat.txt of the 7-Zip source.
//!
//! ```text
//! 37 7A BC AF 27 1C | version 2 | crc32 of the next 20 | next header: offset 8, size 8, crc32 4
//! packed streams ... next header
//! ```

use nom::{
    IResult, Parser,
    bytes::complete::take,
    number::complete::{le_u32, le_u64},
};

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// 7z.
pub static FORMAT: Format = Format {
    id: "seven-zip",
    name: "7z",
    spec: "https://www.7-zip.org/7z.html",
    extensions: &["7z"],
    media_types: &["application/x-7z-compressed"],
    marks: &[Mark::start(b"7z\xbc\xaf\x27\x1c")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

/// Length of the signature header.
const HEADER: usize = 32;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(HEADER)?;
    let Ok((_, header)) = signature_header(&head) else { return Ok(false) };
    Ok(header.crc == crc32fast::hash(head.get(12..HEADER).unwrap_or_default()))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let header = visit.bytes.cursor().parse(HEADER, "a 7z signature header", signature_header)?;
    let packed = HEADER as u64;
    visit.structure(0..packed, "signature header")?;
    let end = packed.checked_add(header.offset).and_then(|at| Some((at, at.checked_add(header.size)?)));
    let (at, end) =
        end.filter(|(_, end)| *end <= visit.bytes.end()).ok_or(Stop::malformed(12, "a next header inside the file"))?;
    visit.opaque(packed..at, "packed streams")?;
    visit.opaque(at..end, "packed table of contents")?;
    Err(Stop::unsupported(packed, "7z streams"))
}

struct SignatureHeader {
    crc: u32,
    offset: u64,
    size: u64,
}

fn signature_header(input: &[u8]) -> IResult<&[u8], SignatureHeader> {
    let (input, (_, crc, offset, size, _)) = (take(8usize), le_u32, le_u64, le_u64, le_u32).parse(input)?;
    Ok((input, SignatureHeader { crc, offset, size }))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn archive(packed: &[u8]) -> Vec<u8> {
        let mut next = (packed.len() as u64 - 1).to_le_bytes().to_vec();
        next.extend(1u64.to_le_bytes());
        next.extend([9; 4]);
        let mut bytes = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
        bytes.extend(crc32fast::hash(&next).to_le_bytes());
        bytes.extend(next);
        bytes.extend(packed);
        bytes
    }

    #[test]
    fn archives_are_named_and_not_called_data() {
        let report = checked("a.7z", archive(b"streams"));
        assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "unsupported"));
        assert_eq!(report.layers[0].coverage.opaque, 7);
    }

    #[test]
    fn the_mark_alone_is_nothing() {
        let mut bytes = archive(b"streams");
        bytes[9] ^= 1;
        assert!(checked("a.bin", bytes).layers[0].formats.is_empty());
    }

    #[test]
    fn one_behind_an_image_is_found() {
        let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x03\0\xfc\xffabc\xc2\x41\x24\x35\x03\0\0\0".to_vec();
        assert_eq!(rules_of(&checked("a.gz", [gzip, archive(b"streams")].concat())), ["file-hidden"]);
    }
}
