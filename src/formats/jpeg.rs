//! JPEG: marker segments, then entropy-coded data between them.
//!
//! Specification: ITU-T T.81 annex B; T.871 (JFIF); CIPA DC-008 (Exif); CIPA DC-007 (several images in one file); Adobe XMP
//! part 3.
//!
//! ```text
//! file    = FF D8  segment*  ( scan segment* )+  FF D9  [ further images that an index names ]
//! segment = FF marker | length 2 (BE, counts itself) | data
//! scan    = FF DA segment, then coded bytes in which FF is followed by 00 or by a restart marker D0 to D7
//! APP0 JFIF · APP1 Exif, XMP · APP2 ICC profile, index of further images · APP13 Photoshop · APP14 Adobe · COM comment
//! ```
//! Comments and application segments are room for anything; what follows the end of the image belongs to nobody, unless
//! the file itself says what it is.

use std::ops::Range;

use crate::{
    bytes::{Bytes, Cursor},
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    formats::xml::{Token, Walker},
    stop::Stop,
};

/// JPEG.
pub static FORMAT: Format = Format {
    id: "jpeg",
    name: "JPEG image",
    spec: "https://www.w3.org/Graphics/JPEG/itu-t81.pdf",
    extensions: &["jpg", "jpeg", "jpe", "jfif"],
    media_types: &["image/jpeg"],
    marks: &[Mark::start(b"\xff\xd8\xff")],
    confirm,
    read,
    buried: Buried::AtStart(confirm),
    nature: Nature::Data,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    // A first segment with a plausible marker and length.
    let head = candidate.head(6)?;
    let marker = head.get(3).copied().unwrap_or_default();
    let len = head.get(4..6).and_then(|len| len.try_into().ok()).map_or(0, u16::from_be_bytes);
    Ok(matches!(marker, 0xff) || (matches!(marker, 0xc0..=0xcf | 0xdb..=0xdf | 0xe0..=0xef | 0xf0..=0xfe) && len >= 2))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut image = Image { further: Vec::new(), tail: Vec::new() };
    let mut cursor = visit.bytes.cursor();
    cursor.seek(2);
    visit.structure(0..2, "start of image")?;
    let mut scanned = false;
    loop {
        let start = cursor.at();
        let marker = next_marker(&mut cursor)?;
        match marker {
            0xd9 => {
                visit.structure(start..cursor.at(), "end of image")?;
                break;
            }
            // TEM and restart markers stand alone.
            0x01 | 0xd0..=0xd7 => visit.structure(start..cursor.at(), "marker")?,
            0xd8 => return Err(Stop::malformed(start, "a segment")),
            _ => {
                let len = u64::from(cursor.u16_be("the length of a segment")?);
                let Some(len) = len.checked_sub(2) else {
                    return Err(Stop::malformed(cursor.at().saturating_sub(2), "a length of at least 2"));
                };
                let data = cursor.take(len, "the data of a segment")?;
                visit.structure(start..data.start(), "segment header")?;
                image.segment(visit, marker, &data)?;
                if marker == 0xda {
                    scanned = true;
                    let from = cursor.at();
                    skip_coded(&mut cursor)?;
                    visit.opaque(from..cursor.at(), "coded pixels")?;
                }
            }
        }
    }
    if !scanned {
        visit.note(Stop::malformed(cursor.at(), "a scan before the end of the image"));
    }
    image.tail(visit, cursor.at())
}

/// The marker at the cursor; fill bytes may stand before it (B.1.1.2).
fn next_marker(cursor: &mut Cursor) -> Result<u8, Stop> {
    let at = cursor.at();
    if cursor.u8("a marker")? != 0xff {
        return Err(Stop::malformed(at, "a marker"));
    }
    loop {
        match cursor.u8("a marker")? {
            0xff => {}
            0 => return Err(Stop::malformed(at, "a marker")),
            marker => return Ok(marker),
        }
    }
}

/// Goes to the marker that ends the coded data.
fn skip_coded(cursor: &mut Cursor) -> Result<(), Stop> {
    loop {
        let at = cursor.at();
        let look = cursor.peek(8 << 10)?;
        let Some(found) = memchr::memchr(0xff, look) else {
            if look.is_empty() {
                return Err(Stop::malformed(at, "the end of the image"));
            }
            let len = look.len() as u64;
            cursor.seek(at.saturating_add(len));
            continue;
        };
        let place = at.saturating_add(found as u64);
        match look.get(found.saturating_add(1)).copied() {
            // A stuffed zero, or a restart marker.
            Some(0 | 0xd0..=0xd7) => cursor.seek(place.saturating_add(2)),
            // A fill byte.
            Some(0xff) => cursor.seek(place.saturating_add(1)),
            Some(_) => {
                cursor.seek(place);
                return Ok(());
            }
            None if found > 0 => cursor.seek(place),
            None => return Err(Stop::malformed(place, "the end of the image")),
        }
    }
}

/// What the segments say about bytes behind the image.
struct Image {
    /// Further images of a multi-picture file, absolute.
    further: Vec<Range<u64>>,
    /// Lengths, counted from the end of the file, of films that belong to the image.
    tail: Vec<u64>,
}

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

impl Image {
    fn segment(&mut self, visit: &mut Visit<'_>, marker: u8, data: &Bytes) -> Result<(), Stop> {
        let range = data.range();
        let head = data.peek(data.start(), 64)?;
        let behind = |len: usize| data.start().saturating_add(len as u64).min(data.end());
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => visit.structure(range, "frame header"),
            0xc4 | 0xcc | 0xdb | 0xdc..=0xdf => visit.structure(range, "coding parameters"),
            0xda => visit.structure(range, "scan header"),
            0xe0 if head.starts_with(b"JFIF\0") => {
                visit.structure(range.start..behind(14), "JFIF header")?;
                visit.slack(behind(14)..range.end, "thumbnail")
            }
            0xe1 if head.starts_with(b"Exif\0\0") && behind(6) < range.end => {
                visit.structure(range.start..behind(6), "Exif identifier")?;
                visit.open("Exif", Span::Range(behind(6)..range.end), Role::Opaque("Exif"))
            }
            0xe1 if head.starts_with(XMP) && behind(XMP.len()) < range.end => {
                visit.structure(range.start..behind(XMP.len()), "XMP identifier")?;
                let xmp = behind(XMP.len())..range.end;
                self.look_at_xmp(&visit.bytes.window(xmp.clone()));
                visit.open("XMP", Span::Range(xmp), Role::Opaque("XMP"))
            }
            0xe2 if head.starts_with(b"ICC_PROFILE\0") => visit.opaque(range, "colour profile"),
            0xe2 if head.starts_with(b"MPF\0") => {
                self.look_at_index(&data.from(behind(4)))?;
                visit.slack(range, "index of further images")
            }
            0xee if head.starts_with(b"Adobe") => visit.structure(range, "Adobe header"),
            0xfe => visit.slack(range, "comment"),
            _ => visit.slack(range, "application segment"),
        }
    }

    /// The index of a multi-picture file: a TIFF directory whose entry B002 lists images (CIPA DC-007 section 5.2).
    fn look_at_index(&mut self, index: &Bytes) -> Result<(), Stop> {
        let base = index.start();
        let big = index.starts_with(base, b"MM")?;
        let number = |at: u64, len: usize| -> Result<u64, Stop> {
            let bytes = index.read(at, len, "a value of the index of images")?;
            let add = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
            Ok(if big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
        };
        let directory = base.saturating_add(number(base.saturating_add(4), 4)?);
        let entries = number(directory, 2)?.min(64);
        for entry in 0..entries {
            let at = directory.saturating_add(2).saturating_add(entry.saturating_mul(12));
            if number(at, 2)? != 0xb002 {
                continue;
            }
            let images = (number(at.saturating_add(4), 4)? / 16).min(256);
            let list = base.saturating_add(number(at.saturating_add(8), 4)?);
            for image in 0..images {
                let at = list.saturating_add(image.saturating_mul(16));
                let (len, start) = (number(at.saturating_add(4), 4)?, number(at.saturating_add(8), 4)?);
                // The first image has place 0: it is the one that is being read.
                if start > 0 {
                    let start = base.saturating_add(start);
                    self.further.push(start..start.saturating_add(len));
                }
            }
        }
        Ok(())
    }

    /// Films behind the image: their lengths stand in the XMP that phones write.
    fn look_at_xmp(&mut self, xmp: &Bytes) {
        let Ok(mut walker) = Walker::new(xmp) else { return };
        while let Ok(Some(event)) = walker.step() {
            let Token::Start(element) = event.token else { continue };
            for attribute in &element.attributes {
                if matches!(attribute.local(), "MicroVideoOffset" | "Length") {
                    self.tail.extend(attribute.value.parse::<u64>().ok().filter(|len| *len > 0));
                }
            }
        }
    }

    fn tail(&self, visit: &mut Visit<'_>, end: u64) -> Result<(), Stop> {
        let all = visit.bytes.end();
        let mut behind = end;
        for (number, image) in self.further.iter().enumerate() {
            if image.start >= end && image.end <= all && image.start < image.end {
                visit.open(format!("image {}", number.saturating_add(2)), Span::Range(image.clone()), Role::File)?;
                behind = behind.max(image.end);
            }
        }
        // A film reaches to the end of the file, and starts with its type box (ISO/IEC 14496-12 section 4.3).
        for len in &self.tail {
            let start = all.saturating_sub(*len);
            if start >= behind && start < all && visit.bytes.starts_with(start.saturating_add(4), b"ftyp")? {
                return visit.open("film", Span::Range(start..all), Role::Opaque("film"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
        [&[0xff, marker][..], &((data.len() + 2) as u16).to_be_bytes(), data].concat()
    }

    fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
        [
            &[0xff, 0xd8][..],
            &segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            &segments.concat(),
            &segment(0xc0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
            &segment(0xda, &[1, 1, 0, 0, 63, 0]),
            &[0x12, 0xff, 0, 0x34, 0xff, 0xd0, 0x56, 0xff, 0xff, 0xd9],
        ]
        .concat()
    }

    fn xmp(attribute: &str) -> Vec<u8> {
        let text = format!("<x:xmpmeta xmlns:x='adobe:ns:meta/' xmlns:G='u' {attribute}/>");
        segment(0xe1, &[XMP, text.as_bytes()].concat())
    }

    #[test]
    fn images_are_just_data() {
        let segments = [
            xmp(""),
            segment(0xe2, b"ICC_PROFILE\0\x01\x01profile"),
            segment(0xfe, b"a comment"),
            segment(0xed, b"Photoshop 3.0\0"),
        ];
        let report = checked("a.jpg", jpeg(&segments));
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        assert_eq!(report.layers[1].formats, ["xml"]);
        assert_eq!(checked("a.jpg", [jpeg(&[]), vec![0; 9]].concat()).verdict, Verdict::JustData);
    }

    #[test]
    fn what_follows_the_end_is_news_unless_the_file_says_what_it_is() {
        assert_eq!(rules_of(&checked("a.jpg", [jpeg(&[]), b"left over".to_vec()].concat())), ["unexplained-bytes"]);
        let film = b"\0\0\0\x0cftypmp42".to_vec();
        let told = [jpeg(&[xmp("G:MicroVideoOffset='12'")]), film.clone()].concat();
        assert_eq!(checked("a.jpg", told).verdict, Verdict::JustData);
        let other = [jpeg(&[xmp("G:MicroVideoOffset='12'")]), b"not a film!!".to_vec()].concat();
        assert_eq!(rules_of(&checked("a.jpg", other)), ["unexplained-bytes"]);
        assert_eq!(rules_of(&checked("a.jpg", [jpeg(&[]), film].concat())), ["unexplained-bytes"]);
    }

    #[test]
    fn further_images_that_the_index_names_are_read() {
        let second = jpeg(&[]);
        let build = |start: u32| {
            let mut index = b"MPF\0MM\0\x2a\0\0\0\x08\0\x01\xb0\x02\0\x07\0\0\0\x20\0\0\0\x1a\0\0\0\0".to_vec();
            index.truncate(4 + 8 + 2 + 12 + 4);
            for (len, start) in [(0, 0), (second.len() as u32, start)] {
                index.extend([0; 4]);
                index.extend(u32::to_be_bytes(len));
                index.extend(u32::to_be_bytes(start));
                index.extend([0; 4]);
            }
            let first = jpeg(&[segment(0xe2, &index)]);
            let base = first.windows(4).position(|four| four == b"MPF\0").unwrap() + 4;
            (first.len() - base, [first, second.clone()].concat())
        };
        let (start, _) = build(0);
        let (_, bytes) = build(start as u32);
        let report = checked("a.jpg", bytes);
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        assert_eq!(
            (report.layers[1].name.as_str(), &report.layers[1].formats[..]),
            ("image 2", &["jpeg".to_string()][..])
        );
    }

    #[test]
    fn damage_is_unfinished_at_every_cut() {
        let sample = jpeg(&[xmp(""), segment(0xfe, b"comment")]);
        for len in 1..sample.len() {
            assert_ne!(checked("a.jpg", &sample[..len]).verdict, Verdict::JustData, "{len}");
        }
    }
}
