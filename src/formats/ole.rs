//! Compound files (OLE2): recognised by a whole header, not decoded.
//!
//! Specification: [MS-CFB], section 2.2.
//!
//! ```text
//! D0 CF 11 E0 A1 B1 1A E1 | class id 16, zero | minor 2 | major 2 (3 or 4) | FE FF | sector shift 2 (9 or 12)
//! mini sector shift 2 (6) | reserved 6, zero | ... up to 512
//! ```

use nom::{
    IResult, Parser,
    bytes::complete::{tag, take},
    combinator::verify,
    number::complete::le_u16,
};

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// OLE2 compound file.
pub static FORMAT: Format = Format {
    id: "ole",
    name: "OLE compound file",
    spec: "https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-cfb/",
    extensions: &["doc", "xls", "ppt", "msi", "msg"],
    media_types: &["application/x-ole-storage"],
    marks: &[Mark::start(MAGIC)],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Length of the header.
const HEADER: usize = 512;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(HEADER)?;
    Ok(head.len() == HEADER && header(&head).is_ok())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    visit.bytes.cursor().parse(HEADER, "a compound file header", header)?;
    visit.structure(0..HEADER as u64, "header")?;
    visit.opaque(HEADER as u64..visit.bytes.end(), "sectors")?;
    Err(Stop::unsupported(HEADER as u64, "the streams of a compound file"))
}

fn header(input: &[u8]) -> IResult<&[u8], ()> {
    let (input, _) = (tag(MAGIC), take(16usize), le_u16).parse(input)?;
    let (input, major) = verify(le_u16, |major| matches!(major, 3 | 4)).parse(input)?;
    let shift = if major == 3 { 9 } else { 12 };
    let (input, _) = (tag(&[0xfe, 0xff][..]), verify(le_u16, move |found| *found == shift)).parse(input)?;
    let (input, _) = verify(le_u16, |mini| *mini == 6).parse(input)?;
    Ok((input, ()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check::tests::checked, report::Verdict};

    fn file() -> Vec<u8> {
        let mut bytes = [MAGIC, &[0; 16], &[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]].concat();
        bytes.resize(HEADER + 512, 0);
        bytes
    }

    #[test]
    fn compound_files_are_named_and_not_called_data() {
        let report = checked("a.doc", file());
        assert_eq!((report.verdict, report.layers[0].formats[0].as_str()), (Verdict::Unfinished, "ole"));
    }

    #[test]
    fn the_mark_alone_is_nothing() {
        let mut bytes = file();
        bytes[30] = 77;
        assert!(checked("a.doc", bytes).layers[0].formats.is_empty());
    }
}
