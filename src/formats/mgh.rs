//! MGH (and MGZ, the same in gzip): the volumes of FreeSurfer.
//!
//! Specification: the FreeSurfer wiki, "The MGH/MGZ Volume Format". All numbers are big-endian.
//!
//! ```text
//! header 284 = version 4 | width 4 | height 4 | depth 4 | frames 4 | type 4 | dof 4 | goodRAS 2 | 15 floats | room
//! voxels     = frames · depth · height · width values
//! footer     = [ TR, flip angle, TE, TI, field of view: 5 floats | tag* ]
//! tag        = id 4 | length 8 | data                    three old ids have no length, one has a length of 4 bytes
//! ```
//! A viewer passes over tags that it does not know, and over the room in the header.

use std::ops::Range;

use nom::{
    IResult, Parser,
    multi::count,
    number::complete::{be_i16, be_i32},
};

use crate::{
    active_text,
    bytes::Cursor,
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    stop::Stop,
};

/// MGH.
pub static FORMAT: Format = Format {
    id: "mgh",
    name: "FreeSurfer volume",
    spec: "https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat",
    extensions: &["mgh", "mgz"],
    media_types: &[],
    marks: &[Mark::start(b"\0\0")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// Bytes of the header.
const HEADER: u64 = 284;

/// Bytes of the fields in it that are in use.
const FIELDS: u64 = 90;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(FIELDS as usize)?;
    Ok(Header::parse(&head).is_ok_and(|(_, header)| header.fits()) && candidate.bytes.len() >= HEADER)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let header = cursor.parse(FIELDS as usize, "the fields of a header", Header::parse)?;
    visit.structure(0..FIELDS, "header")?;
    active_text::claim_blank(visit, FIELDS..HEADER, "room in the header")?;
    let end = header.voxels_len().and_then(|len| HEADER.checked_add(len));
    let end = end.ok_or(Stop::malformed(4, "dimensions with a product that fits"))?;
    visit.opaque(HEADER..end, "voxels")?;
    if end > visit.bytes.end() {
        return Err(Stop::malformed(visit.bytes.end(), format!("voxels up to {end:#x}")));
    }
    // Room rather than structure: five floats take any twenty bytes.
    let tags = end.saturating_add(20);
    if are_parameters(&visit.bytes.peek(end, 20)?) {
        visit.slack(end..tags, "scan parameters")?;
    }
    read_tags(visit, tags)
}

/// Whether floats are repetition, echo and inversion times, a flip angle and a field of view, as far as they are there.
fn are_parameters(bytes: &[u8]) -> bool {
    let plausible = |number: f32| number == 0.0 || (1e-9..1e9).contains(&number.abs());
    bytes.chunks_exact(4).filter_map(|four| four.try_into().ok()).map(f32::from_be_bytes).all(plausible)
}

/// The tags from `at` to the end, as volumes and surfaces have them. A chain that breaks off ends the walk: what
/// follows belongs to nothing.
pub(super) fn read_tags(visit: &mut Visit<'_>, at: u64) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    cursor.seek(at);
    while cursor.remaining() >= 4 {
        let start = cursor.at();
        let id = cursor.u32_be("a tag")?;
        let len = match id {
            0 => return Ok(()),
            1 => {
                read_colors(&mut cursor)?;
                visit.slack(start..cursor.at(), "color table")?;
                continue;
            }
            2 => {
                cursor.u32_be("whether coordinates are of the scanner")?;
                visit.structure(start..cursor.at(), "tag")?;
                continue;
            }
            20 => {
                visit.structure(start..cursor.at(), "tag")?;
                let text = cursor.at();
                for _ in 0..8 {
                    cursor.line(64 << 10)?.ok_or(Stop::malformed(start, "eight lines of a volume's geometry"))?;
                }
                visit.slack(text..cursor.at(), "volume geometry")?;
                continue;
            }
            30 => u64::from(cursor.u32_be("a tag's length")?),
            _ => cursor.u64_be("a tag's length").unwrap_or(u64::MAX),
        };
        let known = matches!(id, 3..=5 | 10..=15 | 21 | 30..=33 | 40..=46);
        if len > cursor.remaining() {
            // A cut file breaks off in a known tag; anything else was never a tag.
            return if known { Err(Stop::malformed(start, "a tag that fits into the file")) } else { Ok(()) };
        }
        let data = cursor.take(len, "a tag's data")?.range();
        visit.structure(start..data.start, "tag")?;
        claim_data(visit, id, known, data)?;
    }
    Ok(())
}

fn claim_data(visit: &mut Visit<'_>, id: u32, known: bool, data: Range<u64>) -> Result<(), Stop> {
    if known || data.is_empty() {
        return visit.slack(data, "data of a tag");
    }
    visit.open(format!("tag {id}"), Span::Range(data), Role::Opaque("data of a tag"))
}

/// A color table in binary form: an old one begins with its number of entries, a newer one with its negative version.
pub(super) fn read_colors(cursor: &mut Cursor) -> Result<(), Stop> {
    let first = cursor.parse(4, "a color table", |input| be_i32(input))?;
    let old = first >= 0;
    let mut entries = i64::from(first);
    if !old {
        cursor.u32_be("the number of colors")?;
    }
    skip_text(cursor)?;
    if !old {
        entries = i64::from(cursor.parse(4, "the number of colors", |input| be_i32(input))?);
    }
    for _ in 0..entries.max(0) {
        if !old {
            cursor.u32_be("a color's number")?;
        }
        skip_text(cursor)?;
        cursor.take(16, "a color")?;
    }
    Ok(())
}

fn skip_text(cursor: &mut Cursor) -> Result<(), Stop> {
    let len = cursor.u32_be("a text's length")?;
    cursor.take(u64::from(len), "a text").map(|_| ())
}

struct Header {
    version: i32,
    /// Width, height, depth and frames, as they stand.
    sizes: Vec<i32>,
    kind: i32,
    good_ras: i16,
}

impl Header {
    fn parse(input: &[u8]) -> IResult<&[u8], Self> {
        let (rest, (version, sizes, kind, _, good_ras)) =
            (be_i32, count(be_i32, 4), be_i32, be_i32, be_i16).parse(input)?;
        let (rest, _) = count(be_i32, 15).parse(rest)?;
        Ok((rest, Header { version, sizes, kind, good_ras }))
    }

    /// The second byte of the version holds what the values mean in newer files.
    fn fits(&self) -> bool {
        (1..=0xffff).contains(&self.version)
            && self.version & 0xff == 1
            && self.sizes.iter().all(|size| *size > 0)
            && self.value_len().is_some()
            && matches!(self.good_ras, 0 | 1)
    }

    /// Bytes of a value.
    fn value_len(&self) -> Option<u64> {
        match self.kind {
            0 => Some(1),
            4 | 10 => Some(2),
            1 | 3 | 9 => Some(4),
            2 | 7 => Some(8),
            8 => Some(16),
            6 => Some(36),
            _ => None,
        }
    }

    fn voxels_len(&self) -> Option<u64> {
        self.sizes.iter().try_fold(self.value_len()?, |product, size| product.checked_mul(u64::try_from(*size).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn tag(id: u32, data: &[u8]) -> Vec<u8> {
        [&id.to_be_bytes()[..], &(data.len() as u64).to_be_bytes(), data].concat()
    }

    /// 2 x 3 x 1 short values, and what follows them.
    fn sample(footer: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [1i32, 2, 3, 1, 1, 4, 0] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend([0, 1]);
        bytes.resize(284, 0);
        bytes.extend([7; 12]);
        bytes.extend(footer);
        bytes
    }

    fn footer() -> Vec<u8> {
        [vec![0x3f; 20], tag(3, b"mri_convert a b\0"), tag(41, b"UNKNOWN"), [0, 0, 0, 30, 0, 0, 0, 2, b'x', 0].to_vec()]
            .concat()
    }

    #[test]
    fn volumes_are_just_data() {
        let mut colors = [vec![0; 20], vec![0, 0, 0, 1], (-2i32).to_be_bytes().to_vec()].concat();
        colors.extend([0, 0, 0, 1, 0, 0, 0, 2, b'f', 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, b'a', 0]);
        colors.extend([9; 16]);
        for bytes in [sample(&[]), sample(&footer()), sample(&colors), sample(&[footer(), tag(99, b"a note")].concat())]
        {
            let report = checked("a.mgh", bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["mgh"]);
        }
    }

    #[test]
    fn what_is_no_tag_is_news() {
        let script = b"#!/bin/sh\necho one\necho two\necho three and four\n";
        let bytes = sample(&[&footer()[..], script].concat());
        assert_eq!(rules_of(&checked("a.mgh", bytes)), ["script-hidden"]);
        let behind_end = sample(&[&footer()[..], &[0; 8], b"notes"].concat());
        assert_eq!(rules_of(&checked("a.mgh", behind_end)), ["unexplained-bytes"]);
    }

    #[test]
    fn damage_is_unfinished() {
        let mut large = sample(&[]);
        large[4..20].fill(0x7f);
        let mut tag = sample(&footer());
        let end = tag.len();
        tag.truncate(end - 14);
        for bytes in [large, tag] {
            assert_eq!(checked("a.mgh", bytes).verdict, Verdict::Unfinished);
        }
    }

    #[test]
    fn no_cut_of_header_and_voxels_is_just_data() {
        let whole = sample(&footer());
        for len in 4..whole.len() {
            let verdict = checked("a.mgh", &whole[..len]).verdict;
            assert!(len >= 296 || verdict != Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn fs_01_room_tags_and_tail() {
        told("a.mgh", sample(&[&footer()[..], &[0; 8], b"hidden"].concat()), "unexplained-bytes", sample(&footer()));
        let room = |bytes: &[u8]| {
            let mut sample = sample(&[]);
            sample[120..120 + bytes.len()].copy_from_slice(bytes);
            sample
        };
        told("b.mgh", room(b"hidden"), "unexplained-bytes", room(&[0; 6]));
        told("c.mgh", sample(b"hidden in a tail...."), "unexplained-bytes", sample(&[0; 20]));
    }
}
