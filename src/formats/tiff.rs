//! TIFF and BigTIFF: directories of tags that lie anywhere in the file and point at values and pixels.
//!
//! Specification: Adobe TIFF 6.0; the BigTIFF proposal; Exif 3.0 for the directories below a directory.
//!
//! ```text
//! TIFF     "II" or "MM" | 42 | first directory 4
//!          directory = count 2 | (tag 2 | type 2 | count 4 | value or its place 4)* | next directory 4
//! BigTIFF  "II" or "MM" | 43 | 8 | 0 | first directory 8
//!          directory = count 8 | (tag 2 | type 2 | count 8 | value or its place 8)* | next directory 8
//! ```
//! Nothing orders the parts, so whatever lies between them is passed over by every viewer. Private tags and texts may
//! hold anything. OME-XML in a description may name other files.

use std::{collections::HashSet, ops::Range};

use nom::{
    IResult, Parser,
    number::{
        Endianness,
        complete::{u16, u32, u64},
    },
};
use quick_xml::{Reader, events::Event};

use crate::{
    active_text,
    format::{Buried, Candidate, Format, Holds, Mark, Nature, Role, Span, Visit},
    quote::quoted,
    reference::classify,
    rules, sorting,
    stop::Stop,
};

/// TIFF.
pub static FORMAT: Format = Format {
    id: "tiff",
    name: "TIFF",
    spec: "https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf",
    extensions: &["tif", "tiff", "btf", "tf8", "svs", "dng"],
    media_types: &["image/tiff"],
    marks: &[
        Mark::start(b"II*\0"),
        Mark::start(b"MM\0*"),
        Mark::start(b"II+\0\x08\0\0\0"),
        Mark::start(b"MM\0+\0\x08\0\0"),
    ],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// The first directory must lie in the file, whole, and begin with a tag of a known type: four bytes alone are too few.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let form = Form::of(&candidate.head(4)?);
    let Some(form) = form else { return Ok(false) };
    let first = form.first_directory(candidate.bytes)?;
    let mut cursor = candidate.bytes.cursor();
    cursor.seek(first);
    if first < form.header_len() || cursor.at() != first {
        return Ok(false);
    }
    let count = cursor.parse(8, "a directory's count", |input| form.count(input))?;
    let rest = count.checked_mul(form.entry_len());
    let fits = rest.is_some_and(|rest| rest <= cursor.remaining());
    let entry = cursor.parse(20, "a tag", |input| form.entry(input))?;
    Ok(count > 0 && fits && size_of(entry.kind).is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let form = Form::of(&visit.bytes.peek(0, 4)?).ok_or(Stop::malformed(0, "a TIFF header"))?;
    visit.structure(0..form.header_len(), "header")?;
    let first = form.first_directory(visit.bytes)?;
    let mut walk = Walk { form, blocks: Blocks::default(), opened: 0 };
    walk.read_ghost(visit)?;

    // The main chain, and what hangs below it: read one by one, each place once.
    let mut waiting = vec![(first, true)];
    let mut seen = HashSet::new();
    let mut images = Vec::new();
    let mut chain = 0u64;
    while let Some((at, in_chain)) = waiting.pop() {
        if !seen.insert(at) {
            if in_chain {
                visit.note(Stop::malformed(at, "a directory that was not read before"));
            }
            continue;
        }
        let directory = walk.read_directory(visit, at)?;
        chain = chain.saturating_add(u64::from(in_chain));
        if directory.next != 0 && in_chain {
            waiting.push((directory.next, true));
        } else if directory.next != 0 && !seen.contains(&directory.next) {
            // The directories below a tag may be a chain of their own.
            waiting.push((directory.next, false));
        }
        for entry in directory.entries.iter().filter(|entry| entry.is_directory()) {
            let places = walk.numbers(visit, entry)?;
            waiting.extend(places.into_iter().filter(|place| *place != 0).map(|place| (place, false)));
        }
        let image = walk.read_image(visit, &directory, in_chain)?;
        if in_chain {
            images.extend(image);
        }
    }
    if let (1, Some(only)) = (chain, images.first()) {
        walk.claim_stack(visit, only)?;
    }
    Ok(())
}

/// Byte order and width of the offsets.
#[derive(Clone, Copy)]
struct Form {
    order: Endianness,
    big: bool,
}

struct Directory {
    at: u64,
    entries: Vec<Entry>,
    next: u64,
}

/// A tag with the place of its value.
#[derive(Clone)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// The field that holds the value or its place.
    field: u64,
    /// Place of the entry.
    at: u64,
    /// The value.
    value: Range<u64>,
}

impl Entry {
    /// Tags that hold the places of directories: SubIFDs, Exif, GPS, Interoperability, GlobalParameters, and the types
    /// made for them.
    fn is_directory(&self) -> bool {
        matches!(self.tag, 330 | 400 | 34665 | 34853 | 40965) || matches!(self.kind, 13 | 18)
    }
}

impl Form {
    fn of(head: &[u8]) -> Option<Self> {
        match head {
            b"II*\0" => Some(Form { order: Endianness::Little, big: false }),
            b"MM\0*" => Some(Form { order: Endianness::Big, big: false }),
            b"II+\0" => Some(Form { order: Endianness::Little, big: true }),
            b"MM\0+" => Some(Form { order: Endianness::Big, big: true }),
            _ => None,
        }
    }

    fn header_len(self) -> u64 {
        if self.big { 16 } else { 8 }
    }

    fn entry_len(self) -> u64 {
        if self.big { 20 } else { 12 }
    }

    /// Bytes of a place or of a value that stands in the entry itself.
    fn field_len(self) -> u64 {
        if self.big { 8 } else { 4 }
    }

    fn first_directory(self, bytes: &crate::bytes::Bytes) -> Result<u64, Stop> {
        let mut cursor = bytes.cursor();
        cursor.seek(bytes.start().saturating_add(if self.big { 8 } else { 4 }));
        cursor.parse(8, "the place of the first directory", |input| self.place(input))
    }

    fn place(self, input: &[u8]) -> IResult<&[u8], u64> {
        if self.big { u64(self.order)(input) } else { u32(self.order).map(u64::from).parse(input) }
    }

    fn count(self, input: &[u8]) -> IResult<&[u8], u64> {
        if self.big { u64(self.order)(input) } else { u16(self.order).map(u64::from).parse(input) }
    }

    fn entry(self, input: &[u8]) -> IResult<&[u8], Entry> {
        let (rest, (tag, kind)) = (u16(self.order), u16(self.order)).parse(input)?;
        let (rest, count) = self.place(rest)?;
        let (rest, field) = self.place(rest)?;
        Ok((rest, Entry { tag, kind, count, field, at: 0, value: 0..0 }))
    }
}

/// Bytes of one value of a type, TIFF 6.0 section 2 and BigTIFF.
fn size_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}

/// What the writer said about the blocks of pixels.
#[derive(Default)]
struct Blocks {
    /// Bytes in front of each block that repeat its length, and behind it that repeat its end (GDAL).
    leader: u64,
    trailer: u64,
}

struct Walk {
    form: Form,
    blocks: Blocks,
    opened: usize,
}

/// Values handed to layers of their own; more are claimed as room and swept.
const OPENED: usize = 1000;

/// A private value is worth a layer from this length on.
const WORTH: u64 = 64;

impl Walk {
    /// GDAL's cloud-optimised files say behind the header how the blocks are laid out.
    fn read_ghost(&mut self, visit: &mut Visit<'_>) -> Result<(), Stop> {
        let start = self.form.header_len();
        let mut cursor = visit.bytes.from(start).cursor();
        let head = cursor.peek(43)?;
        let size = head
            .strip_prefix(b"GDAL_STRUCTURAL_METADATA_SIZE=")
            .and_then(|rest| rest.strip_suffix(b" bytes\n"))
            .and_then(crate::numbers::count)
            .filter(|size| *size <= 64 << 10);
        let Some(size) = size else { return Ok(()) };
        cursor.seek(start.saturating_add(43));
        let text = cursor.take(size, "the structural metadata")?;
        let words = text.all()?;
        for line in words.split(|byte| *byte == b'\n') {
            match line {
                b"BLOCK_LEADER=SIZE_AS_UINT4" => self.blocks.leader = 4,
                b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED" => self.blocks.trailer = 4,
                _ => {}
            }
        }
        visit.slack(start..text.end(), "structural metadata")
    }

    fn read_directory(&mut self, visit: &mut Visit<'_>, at: u64) -> Result<Directory, Stop> {
        let form = self.form;
        let mut cursor = visit.bytes.cursor();
        cursor.seek(at);
        if cursor.at() != at {
            return Err(Stop::malformed(at, "a directory inside the file"));
        }
        let count = cursor.parse(8, "a directory's count", |input| form.count(input))?;
        if count.checked_mul(form.entry_len()).is_none_or(|len| len > cursor.remaining()) {
            return Err(Stop::malformed(at, "a directory that fits into the file"));
        }
        let mut entries = Vec::new();
        for _ in 0..count {
            let place = cursor.at();
            let mut entry = cursor.parse(20, "a tag", |input| form.entry(input))?;
            entry.at = place;
            let len = size_of(entry.kind).and_then(|size| size.checked_mul(entry.count));
            let Some(len) = len else {
                visit.note(Stop::malformed(place.saturating_add(2), "a known type and a count that fits"));
                continue;
            };
            let start =
                if len <= form.field_len() { cursor.at().saturating_sub(form.field_len()) } else { entry.field };
            let end = start.checked_add(len).filter(|end| *end <= visit.bytes.end());
            let Some(end) = end else {
                visit.note(Stop::malformed(place, format!("a value of tag {} inside the file", entry.tag)));
                continue;
            };
            entry.value = start..end;
            self.claim_value(visit, &entry)?;
            entries.push(entry);
        }
        let next = cursor.parse(8, "the place of the next directory", |input| form.place(input))?;
        visit.structure(at..cursor.at(), "directory")?;
        visit.count("directory", 1);
        visit.count("tag", count);
        Ok(Directory { at, entries, next })
    }

    fn claim_value(&mut self, visit: &mut Visit<'_>, entry: &Entry) -> Result<(), Stop> {
        let range = entry.value.clone();
        let len = range.end.saturating_sub(range.start);
        if len <= self.form.field_len() {
            return Ok(());
        }
        match (entry.tag, entry.kind) {
            // A camera's own notes hold places in the whole file: nothing reads them by themselves.
            (37500, _) => visit.opaque(range, "maker note"),
            (288 | 289, _) => visit.structure(range, "places of free bytes"),
            (700, _) => self.open(visit, "XMP", range),
            (33723, _) => self.open(visit, "IPTC", range),
            (34377, _) => self.open(visit, "Photoshop resources", range),
            (34675, _) => self.open(visit, "ICC profile", range),
            (_, 2) => {
                let text = visit.bytes.window(range.clone());
                let tail = text.peek(range.end.saturating_sub(16).max(range.start), 16)?;
                let blank = tail.iter().rev().take_while(|byte| **byte == 0).count() as u64;
                let inner = range.start..range.end.saturating_sub(blank);
                let first = text.peek(range.start, 1)?;
                if matches!(first.first(), Some(b'<' | b'{')) && inner.end.saturating_sub(inner.start) >= WORTH {
                    visit.structure(inner.end..range.end, "end of a text")?;
                    let name = if entry.tag == DESCRIPTION { "description".into() } else { tag_name(entry) };
                    return self.open(visit, name, inner);
                }
                visit.slack(range.clone(), "text")?;
                active_text::look_at_room(visit, range, &format!("The text of {}", tag_name(entry)))
            }
            (32768.., 1 | 6 | 7) if len >= WORTH => self.open(visit, tag_name(entry), range),
            (_, 1 | 6 | 7) => visit.slack(range, "value of a tag"),
            _ => visit.structure(range, "value of a tag"),
        }
    }

    fn open(&mut self, visit: &mut Visit<'_>, name: impl Into<String>, range: Range<u64>) -> Result<(), Stop> {
        if self.opened >= OPENED || range.is_empty() {
            return visit.slack(range, "value of a tag");
        }
        self.opened = self.opened.saturating_add(1);
        visit.open(name, Span::Range(range), Role::Opaque("value of a tag"))
    }

    /// The value of a tag of whole numbers.
    fn numbers(&self, visit: &Visit<'_>, entry: &Entry) -> Result<Vec<u64>, Stop> {
        let size = size_of(entry.kind).unwrap_or(1);
        let bytes = visit.bytes.window(entry.value.clone()).all()?;
        let order = self.form.order;
        let number = |bytes: &[u8]| -> u64 {
            let grow = |sum: u64, byte: &u8| sum.wrapping_shl(8) | u64::from(*byte);
            match order {
                Endianness::Little => bytes.iter().rev().fold(0, grow),
                _ => bytes.iter().fold(0, grow),
            }
        };
        if !matches!(entry.kind, 1 | 3 | 4 | 7 | 13 | 16 | 18) {
            return Ok(Vec::new());
        }
        Ok(bytes.chunks(usize::try_from(size).unwrap_or(1).max(1)).map(number).collect())
    }

    /// The pixels of a directory: its strips or tiles, and what old JPEG puts beside them.
    fn read_image(
        &mut self,
        visit: &mut Visit<'_>,
        directory: &Directory,
        in_chain: bool,
    ) -> Result<Option<Image>, Stop> {
        let all = |tag: u16| -> Result<Vec<u64>, Stop> {
            match directory.entries.iter().find(|entry| entry.tag == tag) {
                Some(entry) => self.numbers(visit, entry),
                None => Ok(Vec::new()),
            }
        };
        let one = |tag: u16| -> Result<Option<u64>, Stop> { Ok(all(tag)?.first().copied()) };
        let (offsets, counts) = (all(273)?, all(279)?);
        let tiled = offsets.is_empty();
        let (offsets, counts) = if tiled { (all(324)?, all(325)?) } else { (offsets, counts) };
        let (free, free_counts) = (all(288)?, all(289)?);
        let (width, height) = (one(256)?, one(257)?);
        let samples = one(277)?.unwrap_or(1);
        let bits = all(258)?;
        let planes = if one(284)? == Some(2) { samples } else { 1 };
        let image = Image {
            at: directory.at,
            width: width.unwrap_or(0),
            height: height.unwrap_or(0),
            row: if tiled { 0 } else { one(278)?.unwrap_or(u64::MAX) },
            tile: if tiled { (one(322)?.unwrap_or(0), one(323)?.unwrap_or(0)) } else { (0, 0) },
            bits: bits.first().copied().unwrap_or(1),
            samples,
            planes,
            plain: one(259)?.unwrap_or(1) == 1 && !matches!(one(262)?, Some(6)),
            deep: one(32997)?.is_some(),
            old_jpeg: one(259)? == Some(6),
            first: offsets.first().copied().unwrap_or(0),
            description: directory.entries.iter().find(|entry| entry.tag == DESCRIPTION).cloned(),
        };
        let jpeg = (one(513)?, one(514)?);
        let tables = [(all(519)?, 64u64), (all(520)?, 0), (all(521)?, 0)];

        for (start, len) in free.iter().zip(&free_counts) {
            visit.slack(*start..start.saturating_add(*len), "free bytes")?;
        }
        if let (Some(start), Some(len)) = jpeg {
            self.claim_blocks(visit, &[start], &[len])?;
        }
        for (places, len) in tables.iter().filter(|_| image.old_jpeg) {
            for place in places {
                let len = if *len == 0 { huffman_len(visit, *place)? } else { *len };
                visit.structure(*place..place.saturating_add(len), "JPEG table")?;
            }
        }
        if let Some(description) = &image.description {
            read_ome(visit, description)?;
        }
        let is_image = width.is_some() || height.is_some() || !offsets.is_empty();
        if !is_image {
            if in_chain {
                visit.note(Stop::malformed(directory.at, "the width and height of an image"));
            }
            return Ok(None);
        }
        if bits.iter().any(|bits| !(1..=128).contains(bits)) || samples == 0 || image.width == 0 || image.height == 0 {
            visit.note(Stop::malformed(directory.at, "a width, a height, samples and bits that are not zero"));
        }
        let counts = match (offsets.len(), counts.len()) {
            (1, 0) if image.plain => image.len().into_iter().collect(),
            _ => counts,
        };
        if offsets.len() != counts.len() || (offsets.is_empty() && !image.old_jpeg) {
            visit.note(Stop::malformed(directory.at, "as many places of strips or tiles as lengths"));
        }
        if let Some(wanted) = image.blocks().filter(|_| !image.old_jpeg && !image.deep)
            && wanted != offsets.len() as u64
        {
            visit.note(Stop::malformed(directory.at, format!("{wanted} strips or tiles")));
        }
        if let Some(len) = image.len().filter(|_| image.plain && !tiled)
            && counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count)) < len
        {
            visit.note(Stop::malformed(directory.at, format!("strips of {len} bytes together")));
        }
        self.claim_blocks(visit, &offsets, &counts)?;
        visit.count("strip or tile", offsets.len() as u64);
        Ok(Some(image))
    }

    fn claim_blocks(&self, visit: &mut Visit<'_>, offsets: &[u64], counts: &[u64]) -> Result<(), Stop> {
        let mut blocks: Vec<(u64, u64)> = offsets
            .iter()
            .zip(counts)
            .filter(|(_, count)| **count > 0)
            .map(|(start, count)| (*start, start.saturating_add(*count)))
            .collect();
        sorting::by_key(&mut blocks, |block| *block);
        let mut open: Option<Range<u64>> = None;
        for (start, end) in blocks {
            if end > visit.bytes.end() {
                visit.note(Stop::malformed(visit.bytes.end(), format!("pixels up to {end:#x}")));
            }
            // The repeated lengths of a cloud-optimised file belong to their blocks.
            let start = start.saturating_sub(self.blocks.leader);
            let end = end.saturating_add(self.blocks.trailer);
            match &mut open {
                // TIFF 6.0 asks for even places: the byte between two blocks fills up.
                Some(open) if start <= open.end || (start == open.end.saturating_add(1) && start % 2 == 0) => {
                    open.end = open.end.max(end);
                }
                _ => {
                    if let Some(range) = open.replace(start..end) {
                        visit.opaque(range, "pixels")?;
                    }
                }
            }
        }
        match open {
            Some(range) => visit.opaque(range, "pixels"),
            None => Ok(()),
        }
    }

    /// ImageJ and tifffile write a stack behind the first image and describe all of it there: one directory, many
    /// images.
    fn claim_stack(&self, visit: &mut Visit<'_>, image: &Image) -> Result<(), Stop> {
        let (Some(entry), Some(len)) = (&image.description, image.len().filter(|_| image.plain)) else {
            return Ok(());
        };
        let text = visit.bytes.window(entry.value.clone()).peek(entry.value.start, 64 << 10)?;
        let text = String::from_utf8_lossy(&text);
        let total = if text.starts_with("ImageJ=") {
            let images = text.lines().find_map(|line| line.strip_prefix("images=")?.trim().parse::<u64>().ok());
            images.and_then(|images| images.checked_mul(len))
        } else if text.starts_with("{\"shape\":") && text.contains("\"truncated\": true") {
            let shape = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(shape, _)| shape);
            let sizes: Option<Vec<u64>> = shape.split(',').map(|size| size.trim().parse().ok()).collect();
            let values =
                sizes.and_then(|sizes| sizes.into_iter().try_fold(1u64, |product, size| product.checked_mul(size)));
            values.and_then(|values| values.checked_mul(image.bits)).map(|bits| bits.div_ceil(8))
        } else {
            None
        };
        let Some(end) = total.and_then(|total| image.first.checked_add(total)) else { return Ok(()) };
        visit.opaque(image.first..end, "pixels")?;
        if end > visit.bytes.end() {
            visit.note(Stop::malformed(image.at, format!("a stack of images up to {end:#x}")));
        }
        Ok(())
    }
}

fn tag_name(entry: &Entry) -> String {
    format!("tag {}", entry.tag)
}

/// ImageDescription.
const DESCRIPTION: u16 = 270;

/// What a directory says about its pixels.
struct Image {
    at: u64,
    width: u64,
    height: u64,
    row: u64,
    tile: (u64, u64),
    bits: u64,
    samples: u64,
    planes: u64,
    /// Not compressed and not subsampled.
    plain: bool,
    deep: bool,
    old_jpeg: bool,
    first: u64,
    description: Option<Entry>,
}

impl Image {
    /// Bytes of the pixels, not compressed; `None` for sizes that make no sense.
    fn len(&self) -> Option<u64> {
        let in_row = if self.planes > 1 { 1 } else { self.samples };
        let row = self.width.checked_mul(in_row)?.checked_mul(self.bits)?.div_ceil(8);
        row.checked_mul(self.height)?.checked_mul(self.planes)
    }

    /// How many strips or tiles there should be.
    fn blocks(&self) -> Option<u64> {
        let one = if self.row > 0 {
            self.height.div_ceil(self.row)
        } else {
            let (across, down) = self.tile;
            if across == 0 || down == 0 {
                return None;
            }
            self.width.div_ceil(across).checked_mul(self.height.div_ceil(down))?
        };
        one.checked_mul(self.planes)
    }
}

/// Length of a Huffman table of old JPEG: sixteen counts, and as many values.
fn huffman_len(visit: &Visit<'_>, at: u64) -> Result<u64, Stop> {
    let counts = visit.bytes.read(at, 16, "a Huffman table")?;
    Ok(counts.iter().fold(16, |sum, count| sum.saturating_add(u64::from(*count))))
}

/// OME-XML names the files that hold the other parts of a set: `BinaryOnly` and `UUID`.
fn read_ome(visit: &mut Visit<'_>, entry: &Entry) -> Result<(), Stop> {
    let text = visit.bytes.window(entry.value.clone());
    if !matches!(text.peek(text.start(), 1)?.first(), Some(b'<')) || text.len() > crate::bytes::DOOR as u64 {
        return Ok(());
    }
    let text = text.all()?;
    let text = String::from_utf8_lossy(&text);
    let mut reader = Reader::from_str(text.trim_end_matches('\0'));
    loop {
        // Damaged XML is told by the layer that the description opens.
        let element = match reader.read_event() {
            Ok(Event::Eof) | Err(_) => return Ok(()),
            Ok(Event::Start(element) | Event::Empty(element)) => element,
            Ok(_) => continue,
        };
        let name = element.local_name();
        let wanted = match name.as_ref() {
            "BinaryOnly" => "MetadataFile",
            "UUID" => "FileName",
            _ => continue,
        };
        for attribute in element.attributes().flatten() {
            if attribute.key.local_name().as_ref() != wanted {
                continue;
            }
            let raw = attribute.value.as_ref();
            let value = quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_string(), |text| text.into_owned());
            visit.name_file(entry.value.clone(), &value, Holds::File);
            let reference = classify(&value);
            if let Some(rule) = rules::of_reference(&reference) {
                let message = format!("The OME description names {}, which {}.", quoted(&value), reference.saying());
                visit.find(rule, entry.value.clone(), message)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    /// A grey image of 4 x 4 pixels with these tags besides: the file, little-endian.
    fn sample(more: &[(u16, u16, &[u8])]) -> Vec<u8> {
        let mut tags: Vec<(u16, u16, Vec<u8>)> = vec![
            (256, 3, vec![4, 0]),
            (257, 3, vec![4, 0]),
            (258, 3, vec![8, 0]),
            (259, 3, vec![1, 0]),
            (262, 3, vec![1, 0]),
            (273, 4, 8u32.to_le_bytes().to_vec()),
            (278, 3, vec![4, 0]),
            (279, 4, 16u32.to_le_bytes().to_vec()),
        ];
        tags.extend(more.iter().map(|(tag, kind, value)| (*tag, *kind, value.to_vec())));
        tags.sort();
        let mut bytes = b"II*\0\0\0\0\0".to_vec();
        bytes.extend(1..=16u8);
        let mut fields = Vec::new();
        for (tag, kind, value) in &tags {
            let mut field = value.clone();
            if field.len() > 4 {
                field = (bytes.len() as u32).to_le_bytes().to_vec();
                bytes.extend(value);
                bytes.resize(bytes.len().next_multiple_of(2), 0);
            }
            field.resize(4, 0);
            let count = value.len() as u64 / size_of(*kind).unwrap();
            fields.extend(tag.to_le_bytes());
            fields.extend(kind.to_le_bytes());
            fields.extend((count as u32).to_le_bytes());
            fields.extend(field);
        }
        let at = (bytes.len() as u32).to_le_bytes();
        bytes[4..8].copy_from_slice(&at);
        bytes.extend((tags.len() as u16).to_le_bytes());
        bytes.extend(fields);
        bytes.extend([0; 4]);
        bytes
    }

    /// The same image as BigTIFF, big-endian.
    fn big() -> Vec<u8> {
        let mut bytes = b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x20".to_vec();
        bytes.extend(1..=16u8);
        let tags = [(256u16, 4u64), (257, 4), (258, 8), (259, 1), (262, 1), (273, 16), (278, 4), (279, 16)];
        bytes.extend((tags.len() as u64).to_be_bytes());
        for (tag, value) in tags {
            bytes.extend(tag.to_be_bytes());
            bytes.extend(16u16.to_be_bytes());
            bytes.extend(1u64.to_be_bytes());
            bytes.extend(value.to_be_bytes());
        }
        bytes.extend([0; 8]);
        bytes
    }

    fn ome(element: &str) -> Vec<u8> {
        let text = format!("<?xml version=\"1.0\"?><OME xmlns=\"urn:ome\">{element}</OME>\0");
        sample(&[(DESCRIPTION, 2, text.as_bytes())])
    }

    #[test]
    fn images_are_just_data() {
        let text: &[u8] = b"a scanner wrote this\0";
        for bytes in [sample(&[]), big(), sample(&[(DESCRIPTION, 2, text), (305, 2, text)])] {
            let report = checked("a.tif", bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["tiff"]);
        }
    }

    #[test]
    fn references_of_an_ome_description_are_classified() {
        for (element, rule) in [
            ("<BinaryOnly MetadataFile=\"../../a.companion.ome\"/>", "reference-leaves-folder"),
            ("<TiffData><UUID FileName=\"&#47;etc/hostname\">x</UUID></TiffData>", "reference-by-whole-path"),
            ("<BinaryOnly MetadataFile=\"\\\\host\\share\\a.ome\"/>", "reference-to-server"),
        ] {
            assert_eq!(rules_of(&checked("a.ome.tif", ome(element))), [rule]);
        }
        let beside = checked("a.ome.tif", ome("<TiffData><UUID FileName=\"b.ome.tif\">urn:uuid:1</UUID></TiffData>"));
        assert_eq!(rules_of(&beside), [""; 0]);
    }

    #[test]
    fn what_no_directory_names_is_news() {
        let mut tail = sample(&[]);
        tail.extend(b"left over");
        assert_eq!(rules_of(&checked("a.tif", tail)), ["unexplained-bytes"]);

        let mut gap = sample(&[]);
        gap.splice(24..24, *b"hidden");
        gap[4] += 6;
        assert_eq!(rules_of(&checked("a.tif", gap)), ["unexplained-bytes"]);
    }

    #[test]
    fn private_values_are_layers() {
        let report = checked("a.tif", sample(&[(65000, 7, &[0xa5; 100])]));
        assert_eq!(report.verdict, Verdict::JustData);
        assert_eq!(report.layers[1].name, "tag 65000");
    }

    #[test]
    fn a_stack_with_one_directory_is_just_data() {
        let mut stack = sample(&[(DESCRIPTION, 2, b"ImageJ=1.53\nimages=3\nslices=3\n\0")]);
        let directory = stack.split_off(24);
        let shift = 32u32;
        stack.extend([9; 32]);
        stack.extend(&directory);
        let first = u32::from_le_bytes(stack[4..8].try_into().unwrap()) + shift;
        stack[4..8].copy_from_slice(&first.to_le_bytes());
        // The description moved with its directory.
        let entry = first as usize + 2 + 5 * 12 + 8;
        let moved = u32::from_le_bytes(stack[entry..entry + 4].try_into().unwrap()) + shift;
        stack[entry..entry + 4].copy_from_slice(&moved.to_le_bytes());
        let report = checked("stack.tif", stack);
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
    }

    #[test]
    fn damage_is_unfinished() {
        let mut endless = sample(&[]);
        let first = endless[4..8].to_vec();
        let end = endless.len();
        endless[end - 4..].copy_from_slice(&first);
        let mut wide = sample(&[]);
        wide[34] = 200;
        let mut unknown = sample(&[]);
        unknown[28 + 12] = 99;
        let outside = sample(&[(65000, 7, &[1; 100])]);
        let mut outside = outside;
        let entry = outside.len() - 4 - 12;
        outside[entry + 8..entry + 12].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
        for bytes in [endless, wide, unknown, outside] {
            assert_eq!(checked("a.tif", bytes).verdict, Verdict::Unfinished);
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        for whole in [sample(&[(65000, 7, &[0xa5; 100])]), big()] {
            for len in 8..whole.len() {
                assert_ne!(checked("a.tif", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
            }
        }
    }

    #[test]
    fn tif_01_bytes_that_no_directory_names() {
        told("a.tif", [sample(&[]), b"hidden".to_vec()].concat(), "unexplained-bytes", sample(&[]));
    }

    #[test]
    fn tif_02_descriptions() {
        let described = |text: &[u8]| sample(&[(DESCRIPTION, 2, text)]);
        told("a.tif", described(b"<script>f()</script>\0"), "active-markup-in-text", described(b"ImageJ=1.53k\n\0"));
        told("b.tif", described(b"#!/bin/sh\nid\n\0"), "script-hidden", described(b"a < b, c > d\0"));
        let document = b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&e;</x:xmpmeta>";
        let plain = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>";
        told("c.tif", sample(&[(700, 1, document)]), "xml-external-entity", sample(&[(700, 1, plain)]));
    }

    #[test]
    fn tif_03_private_tags() {
        let private = |value: &[u8]| sample(&[(65000, 7, value)]);
        told("a.tif", private(b"#!/bin/sh\nid; id; id; id; id; id\n"), "script-hidden", private(&[0xa5; 100]));
        let geographic = sample(&[(34735, 3, &[1, 0, 1, 0, 0, 0, 0, 0])]);
        told("b.tif", private(b"cos\nsystem\n(S'echo some words here'\ntR."), "pickle-runs-code", geographic);
    }

    #[test]
    fn tif_04_files_of_a_series() {
        let only = |name: &str| ome(&format!("<BinaryOnly MetadataFile=\"{name}\"/>"));
        told("a.ome.tif", only("http://192.0.2.1/a"), "reference-to-server", only("a.companion.ome"));
        let part = |name: &str| ome(&format!("<TiffData><UUID FileName=\"{name}\">urn:uuid:1</UUID></TiffData>"));
        told("b.ome.tif", part("/etc/hostname"), "reference-by-whole-path", part("b.ome.tif"));
    }

    #[test]
    fn tif_05_a_loop_of_directories_is_damage() {
        let mut loops = sample(&[]);
        let first = loops[4..8].to_vec();
        let end = loops.len();
        loops[end - 4..].copy_from_slice(&first);
        let report = checked("a.tif", loops);
        assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "malformed"));
        assert_eq!(checked("a.tif", sample(&[])).verdict, Verdict::JustData);
    }
}
