//! SWF: Flash programs.
//!
//! Specification: Adobe, SWF File Format Specification, version 19.
//!
//! ```text
//! 0  "FWS" plain, "CWS" zlib, "ZWS" LZMA | version 1 | length of the plain file 4
//! 8  frame size: 5 bits of width, 4 fields of it | frame rate 2 | frames 2 | tags, the last of them 0
//! tag = ( code << 6 | length ) 2 [ length 4, where the short one is 63 ] bytes
//! ```

use std::rc::Rc;

use crate::{
    bytes::{Bytes, Cursor},
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    source::{Inflated, Wrapping},
    stop::Stop,
};

/// SWF.
pub static FORMAT: Format = Format {
    id: "swf",
    name: "a Flash program",
    spec: "https://open-flash.github.io/mirrors/swf-spec-19.pdf",
    extensions: &["swf"],
    media_types: &["application/vnd.adobe.flash.movie"],
    marks: &[Mark::start(b"FWS"), Mark::start(b"CWS"), Mark::start(b"ZWS")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Program,
    within: None,
    rules: &[],
};

/// Three letters are little: the tags must be walked to the last one, or the packed length must fit.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(extent(candidate.bytes)?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let extent = extent(visit.bytes)?.ok_or(Stop::malformed(0, "a Flash header"))?;
    visit.structure(0..8, "header")?;
    visit.opaque(8..extent, "tags")
}

/// Length of the header in bytes.
const HEADER: u64 = 8;

/// The highest version: 50 came with the last player.
const VERSIONS: std::ops::RangeInclusive<u8> = 1..=60;

/// Where the program ends, as a place in the layer, if it is one.
fn extent(bytes: &Bytes) -> Result<Option<u64>, Stop> {
    let start = bytes.start();
    let head = bytes.peek(start, 17)?;
    let [packing, b'W', b'S', version, a, b, c, d, rest @ ..] = head.as_slice() else { return Ok(None) };
    let len = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    if !VERSIONS.contains(version) || len < HEADER {
        return Ok(None);
    }
    let content = bytes.from(start.saturating_add(HEADER));
    match packing {
        b'F' => {
            let fits = len <= bytes.len();
            let window = content.window(content.start()..start.saturating_add(len));
            Ok((fits && has_tags(&window)?).then_some(len))
        }
        b'C' => {
            if !matches!(rest, [0x78, ..]) {
                return Ok(None);
            }
            let inflated = Inflated::measure(content.clone(), Wrapping::Zlib)?;
            let end = HEADER.saturating_add(inflated.compressed_len());
            let plain = Bytes::whole(Rc::new(inflated), bytes.budget().clone());
            Ok(has_tags(&plain)?.then_some(end))
        }
        b'Z' => {
            // Length of the packed content, then the properties of LZMA, of which nobody writes other ones.
            let packed = rest.first_chunk().map_or(0, |field| u64::from(u32::from_le_bytes(*field)));
            let end = packed.saturating_add(17);
            Ok((rest.get(4) == Some(&0x5d) && packed > 0 && end <= bytes.len()).then_some(end))
        }
        _ => Ok(None),
    }
}

/// Whether the content starts with a frame and goes on with tags up to the last one.
fn has_tags(content: &Bytes) -> Result<bool, Stop> {
    let mut cursor = content.cursor();
    match tags(&mut cursor) {
        Ok(answer) => Ok(answer),
        Err(Stop::Malformed(_)) => Ok(false),
        Err(stop) => Err(stop),
    }
}

fn tags(cursor: &mut Cursor) -> Result<bool, Stop> {
    let bits = u64::from(cursor.peek(1)?.first().copied().unwrap_or(0) >> 3);
    cursor.take(bits.saturating_mul(4).saturating_add(5).div_ceil(8), "the size of the frame")?;
    cursor.take(4, "the frame rate")?;
    loop {
        let tag = cursor.u16_le("a tag")?;
        if tag == 0 {
            return Ok(true);
        }
        let len = match tag & 63 {
            63 => cursor.u32_le("the length of a tag")?,
            short => short.into(),
        };
        cursor.take(len.into(), "the rest of a tag")?;
    }
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    const TAGS: &[u8] = b"\x08\0\0\x18\x01\0\x43\x02\xff\xff\xff\x40\0\0\0";

    fn program(mark: &[u8], content: &[u8]) -> Vec<u8> {
        [mark, &[9], &(TAGS.len() as u32 + 8).to_le_bytes(), content].concat()
    }

    #[test]
    fn a_program_is_a_program_by_any_name() {
        for program in [program(b"FWS", TAGS), program(b"CWS", &compress_to_vec_zlib(TAGS, 6))] {
            let report = checked("a.png", program.clone());
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["program"]));
            let report = checked("a.png", [program, b"behind".to_vec()].concat());
            assert_eq!(rules_of(&report), ["program", "unexplained-bytes"]);
        }
    }

    #[test]
    fn letters_alone_are_no_program() {
        for text in ["FWS\n", "CWS stands for something\n", "FWS\t\t\t\t\tis a column of a long table, and more\n"] {
            assert_eq!(checked("a.txt", text).verdict, Verdict::JustData, "{text}");
        }
        assert_eq!(checked("a", [b"FWS\x09".as_slice(), &[0; 90]].concat()).layers[0].formats, [""; 0]);
    }

    #[test]
    fn a_program_cut_anywhere_does_no_harm() {
        let sample = program(b"FWS", TAGS);
        for len in 5..sample.len() {
            assert_ne!(checked("a", &sample[..len]).verdict, Verdict::JustData, "{len}");
        }
    }
}
