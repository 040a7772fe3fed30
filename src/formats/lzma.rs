//! LZMA alone: the format of the old `lzma` tool, without any check.
//!
//! Specification: `lzma-specification.txt` of the LZMA SDK.
//!
//! ```text
//! properties 1 (< 225) | dictionary size 4 | content length 8, or all ones | range coder
//! ```
//! There is no mark worth the name: the stream itself must decode.

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    packed,
    source::Packing,
    stop::Stop,
};

/// LZMA alone.
pub static FORMAT: Format = Format {
    id: "lzma",
    name: "LZMA (old format)",
    spec: "https://www.7-zip.org/sdk.html",
    extensions: &["lzma"],
    media_types: &["application/x-lzma"],
    marks: &[Mark::start(b"\x5d\0\0")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Container,
    within: None,
    rules: &[],
};

/// Bytes that must decode to believe the header.
const LOOK: u64 = 16 << 10;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(14)?;
    let (Some(len), Some(first)) = (head.get(5..13), head.get(13)) else { return Ok(false) };
    // The range coder starts with a zero; contents of more than a terabyte are none.
    let len_fits =
        len.iter().all(|byte| *byte == 0xff) || len.get(5..).is_some_and(|high| high.iter().all(|byte| *byte == 0));
    Ok(*first == 0 && len_fits && packed::decodes(candidate.bytes, Packing::Lzma, LOOK)?)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    packed::read(visit, Packing::Lzma, FORMAT.extensions)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    /// A pickle that calls a command, packed by the lzma tool.
    const PICKLE: &[u8] = &[
        0x5d, 0x00, 0x00, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x31, 0x9b, 0xca, 0xc6,
        0xb2, 0x7c, 0x65, 0xdf, 0xdf, 0x91, 0x59, 0x9f, 0xb1, 0xd6, 0x7e, 0x2d, 0x0b, 0x9f, 0x5c, 0xf4, 0xc8, 0x66,
        0x20, 0x27, 0x3e, 0xa9, 0xee, 0x28, 0x3c, 0x83, 0xde, 0x03, 0xda, 0xb3, 0xff, 0xfe, 0x86, 0xe0, 0x00,
    ];

    #[test]
    fn content_is_checked() {
        let report = checked("model.lzma", PICKLE);
        assert_eq!(
            (rules_of(&report), report.layers[1].name.as_str()),
            (vec!["pickle-runs-code"], "model"),
            "{report:#?}"
        );
    }

    #[test]
    fn what_follows_is_news_and_a_cut_is_not_just_data() {
        let report = checked("a.lzma", [PICKLE, b"left over"].concat());
        assert_eq!(rules_of(&report), ["pickle-runs-code", "unexplained-bytes"]);
        for len in 14..PICKLE.len() {
            assert_ne!(checked("a.lzma", &PICKLE[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn three_bytes_are_no_stream() {
        assert!(checked("a.bin", [0x5d, 0, 0, 0, 1, 2, 3, 4]).layers[0].formats.is_empty());
        assert!(checked("a.bin", [&[0x5d, 0, 0][..], &[0; 500]].concat()).layers[0].formats.is_empty());
    }
}
