//! TrackVis tracks: a header of 1000 bytes, and streamlines.
//!
//! Specification: the TrackVis documentation, "Track File Structure", version 2. Numbers are little- or big-endian as
//! `hdr_size` tells.
//!
//! ```text
//! header 1000 = "TRACK" 0 | dim 3·2 | sizes 3·4 | origin 3·4 | n_scalars 2 | names 10·20 | n_properties 2 | names 10·20
//!               vox_to_ras 16·4 | reserved 444 | order 4 | pad 4 | orientation 6·4 | pad 2 | flags 6
//!               n_count 4 | version 4 | hdr_size 4 = 1000
//! streamline  = points 4 | (3 + n_scalars) floats a point | n_properties floats       n_count of them; 0: to the end
//! ```
//! The reserved bytes are room for anything.

use std::ops::Range;

use nom::{
    IResult, Parser,
    bytes::complete::take,
    number::{
        Endianness,
        complete::{i16, i32},
    },
};

use crate::{
    active_text,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// TrackVis tracks.
pub static FORMAT: Format = Format {
    id: "trk",
    name: "TrackVis tracks",
    spec: "https://trackvis.org/docs/?subsect=fileformat",
    extensions: &["trk"],
    media_types: &[],
    marks: &[Mark::start(b"TRACK")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// Bytes of the header.
const HEADER: usize = 1000;

/// Parts of the header that may hold anything.
const ROOM: &[(Range<u64>, &str)] = &[
    (38..238, "names of scalars"),
    (240..440, "names of properties"),
    (504..948, "reserved"),
    (952..956, "padding"),
    (980..982, "padding"),
];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(order_of(&candidate.head(HEADER)?).is_some())
}

/// The byte order in which the header's size is 1000.
fn order_of(head: &[u8]) -> Option<Endianness> {
    let size: [u8; 4] = head.get(996..HEADER)?.try_into().ok()?;
    match (i32::from_le_bytes(size), i32::from_be_bytes(size)) {
        (1000, _) => Some(Endianness::Little),
        (_, 1000) => Some(Endianness::Big),
        _ => None,
    }
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let order = order_of(cursor.peek(HEADER)?).ok_or(Stop::malformed(996, "a header size of 1000"))?;
    let header = cursor.parse(HEADER, "the fields of a header", |input| Header::parse(input, order))?;
    // Structure comes before slack where both are claimed: the room in the header is left out of it.
    let mut at = 0;
    for (range, what) in ROOM {
        visit.structure(at..range.start, "header")?;
        active_text::claim_reserved(visit, range.clone(), what)?;
        at = range.end;
    }
    visit.structure(at..HEADER as u64, "header")?;
    let point = header.point_len().ok_or(Stop::malformed(36, "a number of scalars that is not negative"))?;
    let properties = u64::try_from(header.properties)
        .map_err(|_| Stop::malformed(238, "a number of properties that is not negative"))?
        .saturating_mul(4);
    let wanted = u64::try_from(header.count)
        .map_err(|_| Stop::malformed(988, "a number of streamlines that is not negative"))?;

    let mut read = 0u64;
    while if wanted == 0 { !cursor.is_empty() } else { read < wanted } {
        let start = cursor.at();
        let points = cursor.parse(4, "a streamline's number of points", |input| i32(order)(input));
        let points = match points {
            Ok(points) if (0..=MOST).contains(&points) => points,
            // Without a count in the header, what is no streamline may be anything.
            Ok(_) if wanted == 0 => return Ok(()),
            Ok(_) => return Err(Stop::malformed(start, "a number of points that is not negative and fits")),
            Err(stop) => return Err(stop),
        };
        let len = u64::try_from(points).unwrap_or(0).saturating_mul(point).saturating_add(properties);
        cursor.take(len, "the points of a streamline")?;
        visit.opaque(start..cursor.at(), "streamlines")?;
        read = read.saturating_add(1);
    }
    Ok(())
}

/// No streamline has more points.
const MOST: i32 = 1 << 24;

struct Header {
    scalars: i16,
    properties: i16,
    count: i32,
}

impl Header {
    fn parse(input: &[u8], order: Endianness) -> IResult<&[u8], Self> {
        let (rest, (_, scalars, _, properties)) =
            (take(36usize), i16(order), take(200usize), i16(order)).parse(input)?;
        let (rest, (_, count, _, _)) = (take(748usize), i32(order), i32(order), i32(order)).parse(rest)?;
        Ok((rest, Header { scalars, properties, count }))
    }

    /// Bytes of a point with its scalars.
    fn point_len(&self) -> Option<u64> {
        Some(u64::try_from(self.scalars).ok()?.saturating_add(3).saturating_mul(4))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    /// Two streamlines of two points with one scalar, and one property each.
    fn sample(count: i32) -> Vec<u8> {
        let mut bytes = vec![0; 1000];
        bytes[..5].copy_from_slice(b"TRACK");
        bytes[36] = 1;
        bytes[238] = 1;
        bytes[988..992].copy_from_slice(&count.to_le_bytes());
        bytes[992] = 2;
        bytes[996..1000].copy_from_slice(&1000i32.to_le_bytes());
        for _ in 0..2 {
            bytes.extend(2i32.to_le_bytes());
            bytes.extend([0x3f; 36]);
        }
        bytes
    }

    #[test]
    fn tracks_are_just_data() {
        for count in [0, 2] {
            let report = checked("a.trk", sample(count));
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["trk"]);
        }
        let mut big = sample(0);
        big.truncate(1000);
        big[996..1000].copy_from_slice(&1000i32.to_be_bytes());
        assert_eq!(checked("a.trk", big).verdict, Verdict::JustData);
    }

    #[test]
    fn code_in_the_reserved_bytes_is_found() {
        let mut bytes = sample(2);
        bytes[504..525].copy_from_slice(b"#!/bin/sh\necho hello\n");
        assert_eq!(rules_of(&checked("a.trk", bytes)), ["script-hidden"]);
        let mut look_alike = sample(2);
        look_alike[504..524].copy_from_slice(b"made with a scanner\0");
        let report = checked("a.trk", look_alike);
        assert_eq!((report.verdict, report.layers[0].coverage.slack), (Verdict::JustData, 200 + 200 + 444 + 4 + 2));
    }

    #[test]
    fn what_follows_the_streamlines_is_news() {
        for count in [0, 2] {
            let bytes = [sample(count), b"echo hello".to_vec()].concat();
            assert_eq!(rules_of(&checked("a.trk", bytes)), ["unexplained-bytes"]);
        }
    }

    #[test]
    fn damage_is_unfinished() {
        let mut negative = sample(2);
        negative[1000..1004].fill(0xff);
        let mut scalars = sample(2);
        scalars[37] = 0x80;
        for bytes in [negative, scalars, sample(3), sample(-1)] {
            assert_eq!(checked("a.trk", bytes).verdict, Verdict::Unfinished);
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample(2);
        for len in (6..whole.len()).filter(|len| *len < 8 || *len > 990) {
            assert_ne!(checked("a.trk", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn trk_01_the_reserved_bytes() {
        let reserved = |bytes: &[u8]| {
            let mut sample = sample(2);
            sample[504..504 + bytes.len()].copy_from_slice(bytes);
            sample
        };
        told("a.trk", reserved(b"\x01\x02\x03\x04hidden"), "unexplained-bytes", reserved(b"made with a scanner"));
        told("b.trk", reserved(b"\0\0\0\0#!/bin/sh\nid\n"), "program-text-in-value", reserved(&[0; 20]));
    }

    #[test]
    fn trk_02_behind_the_streamlines() {
        told("a.trk", [sample(2), b"hidden".to_vec()].concat(), "unexplained-bytes", sample(2));
    }
}
