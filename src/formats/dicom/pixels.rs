//! Pixels and other samples: how many bytes they should take, and what stands behind them.

use std::{ops::Range, rc::Rc};

use super::{
    element::{Encoding, Tag},
    frames::Coding,
    rules,
    walk::{ELEMENT, Walk},
};
use crate::{
    bytes::Bytes,
    format::{Role, Span, Visit},
    quote::quoted_bytes,
    source::{Inflated, Paged, Source, Stitched, Wrapping},
    stop::Stop,
};

/// What the elements of one data set say of its pixels, samples and documents.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    rows: Option<u64>,
    columns: Option<u64>,
    frames: Option<u64>,
    samples: Option<u64>,
    bits: Option<u64>,
    photometric: Vec<u8>,
    overlays: Vec<(u16, Plane)>,
    channels: Option<u64>,
    channel_samples: Option<u64>,
    waveform_bits: Option<u64>,
    document: Option<Range<u64>>,
    document_len: Option<u64>,
    media_type: Vec<u8>,
    bundle: Option<Range<u64>>,
    bundle_len: Option<u64>,
}

/// An overlay plane (PS3.3 section C.9.2).
#[derive(Clone, Debug, Default)]
struct Plane {
    rows: u64,
    columns: u64,
    frames: u64,
    bits: u64,
}

impl About {
    /// Takes note of a value that says something of the others.
    pub fn note(&mut self, tag: Tag, range: &Range<u64>, encoding: Encoding, bytes: &Bytes) -> Result<(), Stop> {
        let (group, element) = (tag.group(), tag.element());
        let slot = match (group, element) {
            (0x0028, 0x0002) => &mut self.samples,
            (0x0028, 0x0008) => &mut self.frames,
            (0x0028, 0x0010) => &mut self.rows,
            (0x0028, 0x0011) => &mut self.columns,
            (0x0028, 0x0100) => &mut self.bits,
            (0x003A, 0x0005) => &mut self.channels,
            (0x003A, 0x0010) => &mut self.channel_samples,
            (0x5400, 0x1004) => &mut self.waveform_bits,
            (0x0042, 0x0015) => &mut self.document_len,
            (0xCADB, 0x1008) => &mut self.bundle_len,
            (0x0042, 0x0011) => {
                self.document = Some(range.clone());
                return Ok(());
            }
            (0xCADB, 0x1010) => {
                self.bundle = Some(range.clone());
                return Ok(());
            }
            (0x0028, 0x0004) | (0x0042, 0x0012) => {
                let text = bytes.window(range.clone()).peek(range.start, 256)?;
                let text = text.trim_ascii().strip_suffix(b"\0").unwrap_or(text.trim_ascii()).trim_ascii().to_vec();
                *(if group == 0x0028 { &mut self.photometric } else { &mut self.media_type }) = text;
                return Ok(());
            }
            (0x6000..=0x60FF, 0x0010 | 0x0011 | 0x0015 | 0x0100) if !tag.is_private() => {
                let value = number(tag, range, encoding, bytes)?.unwrap_or_default();
                self.note_plane(group, element, value);
                return Ok(());
            }
            _ => return Ok(()),
        };
        *slot = number(tag, range, encoding, bytes)?;
        Ok(())
    }

    fn note_plane(&mut self, group: u16, element: u16, value: u64) {
        let index = match self.overlays.iter().position(|(known, _)| *known == group) {
            Some(index) => index,
            // Sixteen groups are defined; more of them are not kept.
            None if self.overlays.len() < 16 => {
                self.overlays.push((group, Plane { frames: 1, bits: 1, ..Plane::default() }));
                self.overlays.len().saturating_sub(1)
            }
            None => return,
        };
        let Some((_, plane)) = self.overlays.get_mut(index) else { return };
        match element {
            0x0010 => plane.rows = value,
            0x0011 => plane.columns = value,
            0x0015 => plane.frames = value.max(1),
            _ => plane.bits = value.max(1),
        }
    }

    /// Pixels of one frame.
    fn pixels(&self) -> Option<u64> {
        self.rows?.checked_mul(self.columns?)
    }

    /// Bytes of native Pixel Data of `len` bytes (PS3.5 section 8.1.1 and 8.2); `bits` where the tag decides them.
    fn native_len(&self, len: u64, bits: Option<u64>) -> Option<u64> {
        let frames = self.frames.unwrap_or(1).max(1);
        let pixels = self.pixels()?.checked_mul(frames)?;
        let bits = bits.or(self.bits)?;
        let all = pixels.checked_mul(self.samples.unwrap_or(1).max(1))?.checked_mul(bits)?.div_ceil(8);
        let sub_sampled = match self.photometric.as_slice() {
            b"YBR_FULL_422" | b"YBR_PARTIAL_422" => pixels.checked_mul(2)?.checked_mul(bits)?.div_ceil(8),
            b"YBR_PARTIAL_420" => pixels.checked_mul(3)?.checked_mul(bits)?.div_ceil(16),
            _ => all,
        };
        // Some writers keep the name of the color space and store every sample.
        Some(if len >= all && len <= all.saturating_add(1) { all } else { sub_sampled })
    }
}

/// A number in two or four bytes, or in digits.
fn number(tag: Tag, range: &Range<u64>, encoding: Encoding, bytes: &Bytes) -> Result<Option<u64>, Stop> {
    let value = bytes.window(range.clone()).peek(range.start, 16)?;
    // The length of a bundle is written as text, or as a number.
    let in_digits = tag.0 == 0x0028_0008
        || (tag.0 == 0xCADB_1008 && value.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | 0)))
        || (tag.group() & 0xFF00 == 0x6000 && value.len() > 4);
    if in_digits {
        let digits = String::from_utf8_lossy(&value);
        return Ok(digits.trim_matches(|c: char| c.is_whitespace() || c == '\0').parse().ok());
    }
    Ok(match value.len() {
        2 => encoding.u16(&value).map(u64::from),
        4 => encoding.u32(&value).map(u64::from),
        _ => None,
    })
}

/// Table and fragments of encapsulated Pixel Data (PS3.5 section A.4).
#[derive(Default)]
pub(super) struct Fragments {
    /// From the first item to behind the last.
    range: Option<Range<u64>>,
    table: Option<Range<u64>>,
    /// Starts of the items.
    items: Vec<u64>,
    fragments: Vec<Range<u64>>,
    /// Fragments past those that are kept.
    more: u64,
}

/// Fragments that are looked at one by one.
const KEPT: usize = 400_000;

/// Compressed bytes that are walked to their end; of more, only those frames whose last bytes are no end mark.
const WALKED: u64 = 256 << 20;

impl Fragments {
    /// Takes an item: its start, and the range of its bytes. Claims its header and, in a frame of `coding`, the mark of
    /// the image's start: behind it nothing can be taken for a JPEG file of its own. One claim for both, because the
    /// books have a limit and slides have many frames; what is between is claimed together at the end.
    pub fn add(
        &mut self,
        visit: &mut Visit<'_>,
        start: u64,
        range: Range<u64>,
        coding: Option<Coding>,
    ) -> Result<(), Stop> {
        let first = self.range.as_ref().map_or(start, |all| all.start);
        self.range = Some(first..range.end);
        if self.table.is_none() {
            visit.structure(start..range.start, ELEMENT)?;
            self.table = Some(range);
            return Ok(());
        }
        if self.fragments.len() >= KEPT {
            self.more = self.more.saturating_add(1);
            return Ok(());
        }
        let head = visit.bytes.window(range.clone()).peek(range.start, 12)?;
        let mark = if coding.is_some() { Coding::seen(&head).map_or(0, |_| 2) } else { 0 };
        visit.structure(start..range.start.saturating_add(mark), ELEMENT)?;
        self.items.push(start);
        self.fragments.push(range);
        Ok(())
    }

    /// What is wrong with the Basic Offset Table, if anything: 4 bytes an entry, each the place of an item from the first.
    fn table_fault(&self, table: &[u8], encoding: Encoding) -> Option<&'static str> {
        if !table.len().is_multiple_of(4) {
            return Some("its length is no multiple of four");
        }
        let mut offsets = table.chunks_exact(4).filter_map(|entry| encoding.u32(entry)).peekable();
        if *offsets.peek()? != 0 {
            return Some("the first offset is not zero");
        }
        if self.more > 0 {
            return None;
        }
        let base = *self.items.first()?;
        let (mut wrong, mut count, mut last) = (0usize, 0usize, None);
        for offset in offsets {
            count = count.saturating_add(1);
            if last.is_some_and(|last| offset <= last && last.saturating_sub(offset) < 1 << 31) {
                return Some("its offsets do not ascend");
            }
            last = Some(offset);
            // Offsets past 4 GiB wrap.
            let found = self.items.binary_search(&base.saturating_add(u64::from(offset))).is_ok()
                || self.items.iter().any(|item| item.saturating_sub(base) & 0xffff_ffff == u64::from(offset));
            wrong = wrong.saturating_add(usize::from(!found));
            if wrong > 1000 {
                break;
            }
        }
        // A few wrong ones are a writer's slip; a table in which most are is something else.
        (wrong.saturating_mul(2) > count).then_some("its numbers are no places of fragments")
    }
}

impl Walk<'_, '_> {
    /// Native Pixel Data, Float and Double Float Pixel Data, and the extended offset table in the same group.
    pub fn native_pixels(&mut self, tag: Tag, range: Range<u64>, about: &About) -> Result<(), Stop> {
        let bits = match tag.element() {
            0x0008 => Some(32),
            0x0009 => Some(64),
            0x0010 => None,
            _ => return self.visit.opaque(range, "values"),
        };
        let len = range.end.saturating_sub(range.start);
        let expected = about.native_len(len, bits);
        self.samples(range, expected, "pixel data")
    }

    /// Overlay Data: one bit a pixel.
    pub fn overlay(&mut self, tag: Tag, range: Range<u64>, about: &About) -> Result<(), Stop> {
        let plane = about.overlays.iter().find(|(group, _)| *group == tag.group()).map(|(_, plane)| plane);
        let expected = plane.and_then(|plane| {
            let pixels = plane.rows.checked_mul(plane.columns)?.checked_mul(plane.frames)?;
            // Some writers start every row at a byte.
            let rows = plane.columns.div_ceil(8).checked_mul(plane.rows)?.checked_mul(plane.frames)?;
            (pixels > 0).then_some(pixels.checked_mul(plane.bits)?.div_ceil(8).max(rows))
        });
        self.script_start(tag, &range)?;
        self.samples(range, expected, "overlay data")
    }

    /// Waveform Data (PS3.3 section C.10.9).
    pub fn waveform(&mut self, tag: Tag, range: Range<u64>, about: &About) -> Result<(), Stop> {
        let expected = match (about.channels, about.channel_samples, about.waveform_bits) {
            (Some(channels), Some(samples), Some(bits)) => {
                channels.checked_mul(samples).and_then(|all| all.checked_mul(bits)).map(|bits| bits.div_ceil(8))
            }
            _ => None,
        };
        self.script_start(tag, &range)?;
        self.samples(range, expected, "waveform data")
    }

    fn script_start(&mut self, tag: Tag, range: &Range<u64>) -> Result<(), Stop> {
        let start = self.visit.bytes.window(range.clone()).peek(range.start, 256)?;
        if let Some(kind) = crate::active_text::script_start(&start) {
            let message = format!("{tag} starts as {kind}: {}.", quoted_bytes(&start));
            self.visit.find(&crate::rules::PROGRAM_TEXT_IN_VALUE, range.clone(), message)?;
        }
        Ok(())
    }

    /// Claims samples, and what stands behind the last.
    fn samples(&mut self, range: Range<u64>, expected: Option<u64>, what: &'static str) -> Result<(), Stop> {
        let end = expected.map_or(range.end, |len| range.start.saturating_add(len)).min(range.end);
        self.visit.opaque(range.start..end, what)?;
        let rest = end..range.end;
        self.visit.slack(rest.clone(), "behind the last sample")?;
        let len = rest.end.saturating_sub(rest.start);
        // One byte makes the length even (PS3.5 section 8.1.1).
        if len > 1 && !self.is_blank(&rest)? {
            let whole = range.end.saturating_sub(range.start);
            let message = format!("The {what} takes {} of {whole} bytes; {len} follow.", whole.saturating_sub(len));
            self.visit.find(&rules::VALUE_BEHIND_SAMPLES, rest, message)?;
        }
        Ok(())
    }

    /// An ICC profile: its length first, its signature at byte 36 (ICC.1 section 7.2).
    pub fn icc_profile(&mut self, range: Range<u64>) -> Result<(), Stop> {
        let len = range.end.saturating_sub(range.start);
        let head = self.visit.bytes.window(range.clone()).peek(range.start, 128)?;
        if head.get(36..40) != Some(b"acsp") {
            self.visit.find(&rules::ICC_PROFILE_WITHOUT_HEADER, range.clone(), "There is no profile header.")?;
            return self.open_value(Tag(0x0028_2000), range);
        }
        let size = Encoding::EXPLICIT_BIG.u32(&head).map_or(0, u64::from);
        if size > len {
            let message = format!("The profile says {size} bytes; the value has {len}.");
            self.visit.find(&rules::ICC_PROFILE_WITHOUT_HEADER, range.clone(), message)?;
        }
        let end = range.start.saturating_add(size).min(range.end);
        self.visit.opaque(range.start..end, "ICC profile")?;
        self.visit.slack(end..range.end, "behind the ICC profile")?;
        let rest = len.saturating_sub(size);
        if rest > 1 && !self.is_blank(&(end..range.end))? {
            let message = format!("{rest} bytes stand behind the profile.");
            self.visit.find(&rules::ICC_PROFILE_WITHOUT_HEADER, end..range.end, message)?;
        }
        Ok(())
    }

    /// Encapsulated Pixel Data, when all of it is known.
    pub fn judge_fragments(&mut self, tag: Tag, fragments: Fragments, about: &About) -> Result<(), Stop> {
        if tag.is_private() {
            // The pieces are one value.
            let range = fragments.range.clone().unwrap_or_default();
            let pieces = fragments.table.into_iter().chain(fragments.fragments);
            let pieces: Vec<Range<u64>> = pieces.filter(|piece| !piece.is_empty()).collect();
            self.visit.opaque(range, "values")?;
            if !pieces.is_empty() && self.may_open() {
                self.visit.open(format!("value of {tag}"), Span::Ranges(pieces), Role::Opaque("values"))?;
            }
            return Ok(());
        }
        // Whatever is found inside takes precedence over this claim.
        self.visit.opaque(fragments.range.clone().unwrap_or_default(), "compressed pixel data")?;
        if let Some(table) = fragments.table.clone() {
            self.offset_table(table, &fragments)?;
        }
        let declared = self.syntax.coding.filter(|_| tag == Tag::PIXEL_DATA);
        let Some(declared) = declared else {
            return self.open_streams(tag, fragments);
        };
        // A frame is a fragment that starts one, and those behind it that do not.
        let mut coding = declared;
        let mut frame: Vec<Range<u64>> = Vec::new();
        let mut walked = 0u64;
        for fragment in fragments.fragments {
            let head = self.visit.bytes.window(fragment.clone()).peek(fragment.start, 64)?;
            let starts = if declared.starts(&head) { Some(declared) } else { Coding::seen(&head) };
            if let Some(starts) = starts {
                self.frame(coding, std::mem::take(&mut frame), about, &mut walked)?;
                coding = starts;
                frame.push(fragment);
            } else if frame.is_empty() {
                if !fragment.is_empty() {
                    let message = format!("This fragment does not start as {} does.", declared.name());
                    self.visit.find(&rules::FRAGMENT_WITHOUT_IMAGE, fragment.clone(), message)?;
                    self.open_value(tag, fragment)?;
                }
            } else {
                frame.push(fragment);
            }
        }
        self.frame(coding, frame, about, &mut walked)
    }

    fn offset_table(&mut self, range: Range<u64>, fragments: &Fragments) -> Result<(), Stop> {
        let len = range.end.saturating_sub(range.start);
        // Read whole where it is a table of so many frames as can be; else its start is enough to tell.
        let table = self.visit.bytes.window(range.clone()).peek(range.start, 1 << 20)?;
        match fragments.table_fault(&table, Encoding::EXPLICIT) {
            None if len <= 1 << 20 => self.visit.structure(range, ELEMENT),
            None => self.visit.opaque(range, "offset table"),
            Some(fault) => {
                self.visit.slack(range.clone(), "offset table")?;
                let message = format!("It has {len} bytes, and {fault}: {}.", quoted_bytes(&table));
                self.visit.find(&rules::OFFSET_TABLE_WITHOUT_OFFSETS, range, message)
            }
        }
    }

    /// One frame: claims it, and what stands behind its end.
    fn frame(&mut self, coding: Coding, parts: Vec<Range<u64>>, about: &About, walked: &mut u64) -> Result<(), Stop> {
        let len = parts.iter().map(|part| part.end.saturating_sub(part.start)).fold(0u64, u64::saturating_add);
        if len == 0 {
            return Ok(());
        }
        *walked = walked.saturating_add(len);
        let windows = parts.iter().map(|part| self.visit.bytes.window(part.clone()));
        let frame = Bytes::whole(Rc::new(Stitched::new(windows)), self.visit.bytes.budget().clone());
        if *walked > WALKED && coding.ends(&frame.peek(len.saturating_sub(3), 3)?) {
            return Ok(());
        }
        let end = match coding.end(&frame, about.pixels())? {
            Ok(end) => end,
            Err(Stop::Malformed(spot)) => {
                self.visit.note(Stop::malformed(place(&parts, spot.at), spot.what));
                return Ok(());
            }
            Err(stop) => return Err(stop),
        };
        let rest = len.saturating_sub(end);
        // One byte makes the length even; some writers fill up to a word or a block.
        if rest <= 1 || (rest <= 1 << 24 && is_fill(&frame.from(end))?) {
            return Ok(());
        }
        let start = place(&parts, end);
        let message = format!("{rest} bytes stand behind the end of the {} image.", coding.name());
        for part in &parts {
            let behind = part.start.max(start)..part.end.max(start);
            self.visit.slack(behind, "behind the end of the compressed image")?;
        }
        let until = parts.last().map_or(start, |last| last.end);
        self.visit.find(&rules::BYTES_BEHIND_CODED_IMAGE, start..until, message)
    }

    /// Fragments of a compression that is not looked into (video, private ones): the first few as layers.
    fn open_streams(&mut self, tag: Tag, fragments: Fragments) -> Result<(), Stop> {
        for (index, fragment) in fragments.fragments.into_iter().enumerate() {
            if self.syntax.deflated_frames && tag == Tag::PIXEL_DATA {
                self.deflated_frame(fragment)?;
            } else if index < 16 {
                self.open_value(tag, fragment)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// A frame of Deflated Image Frame Compression: one deflate stream (PS3.5 section A.4.12).
    fn deflated_frame(&mut self, fragment: Range<u64>) -> Result<(), Stop> {
        if !self.may_open() {
            return Ok(());
        }
        let inflated = Inflated::measure(self.visit.bytes.window(fragment.clone()), Wrapping::Bare)?;
        if let Some(stop) = inflated.stop() {
            self.visit.note(stop.clone());
        }
        let end = fragment.start.saturating_add(inflated.compressed_len());
        let rest = end..fragment.end;
        let len = rest.end.saturating_sub(rest.start);
        self.visit.slack(rest.clone(), "behind the end of the compressed image")?;
        if len > 1 && !self.is_blank(&rest)? {
            let message = format!("{len} bytes stand behind the end of the deflate stream.");
            self.visit.find(&rules::BYTES_BEHIND_CODED_IMAGE, rest, message)?;
        }
        let content: Rc<dyn Source> = Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 4));
        self.visit.open("frame", Span::Decoded(fragment.start..end, content), Role::Opaque("pixel data"))
    }

    /// Opens what the data set carries as a document: the type and the true length stand behind the value.
    pub fn open_documents(&mut self, about: About) -> Result<(), Stop> {
        if let Some(range) = about.document {
            self.open_document(range, about.document_len, &about.media_type)?;
        }
        if let Some(range) = about.bundle {
            let range = self.trimmed(range, about.bundle_len)?;
            self.visit.open("data bundle.zip", Span::Range(range), Role::File)?;
        }
        Ok(())
    }

    fn open_document(&mut self, range: Range<u64>, len: Option<u64>, media_type: &[u8]) -> Result<(), Stop> {
        let range = self.trimmed(range, len)?;
        if range.is_empty() {
            return Ok(());
        }
        let document = self.visit.bytes.window(range.clone());
        let head = document.peek(range.start, 1024)?;
        let media_type = String::from_utf8_lossy(media_type).to_ascii_lowercase();
        let (name, fits) = match media_type.as_str() {
            "application/pdf" => ("document.pdf", memchr::memmem::find(&head, b"%PDF-").is_some()),
            "text/xml" | "application/xml" | "application/hl7-cda+xml" => ("document.xml", is_xml(&head)),
            "model/stl" | "application/sla" => ("document.stl", is_stl(&head, document.len())),
            "model/obj" => ("document.obj", is_text(&head)),
            "model/mtl" => ("document.mtl", is_text(&head)),
            "text/plain" => ("document.txt", is_text(&head)),
            _ => ("document", true),
        };
        if !fits {
            let message = format!(
                "The type is given as {}; the document starts with {}.",
                quoted_bytes(media_type.as_bytes()),
                quoted_bytes(head.get(..32).unwrap_or(&head))
            );
            self.visit.find(&crate::rules::DOCUMENT_TYPE_LIES, range.clone(), message)?;
        }
        self.visit.open(name, Span::Range(range), Role::File)
    }

    /// A value without the byte that makes its length even, or cut to a length that is given elsewhere. Text, and what
    /// ends as text does, never ends with a zero; an archive without a comment and a mesh do.
    fn trimmed(&mut self, range: Range<u64>, len: Option<u64>) -> Result<Range<u64>, Stop> {
        let end = match len.and_then(|len| range.start.checked_add(len)) {
            Some(end) if len != Some(0) && end <= range.end => end,
            _ => {
                let value = self.visit.bytes.window(range.clone());
                let tail = value.peek(range.end.saturating_sub(23).max(range.start), 23)?;
                let archive = tail.get(1..).is_some_and(|end| end.starts_with(b"PK\x05\x06"));
                let pads =
                    tail.ends_with(b"\0") && !archive && !tail.ends_with(b"\0\0") || tail.starts_with(b"PK\x05\x06");
                if pads { range.end.saturating_sub(1).max(range.start) } else { range.end }
            }
        };
        let rest = end..range.end;
        if self.is_blank(&rest)? || rest.end.saturating_sub(rest.start) == 1 {
            self.visit.slack(rest, "padding")?;
        }
        Ok(range.start..end)
    }
}

/// The place in the layer of a place in a frame.
fn place(parts: &[Range<u64>], at: u64) -> u64 {
    let mut left = at;
    for part in parts {
        let len = part.end.saturating_sub(part.start);
        if left < len {
            return part.start.saturating_add(left);
        }
        left = left.saturating_sub(len);
    }
    parts.last().map_or(at, |last| last.end)
}

fn is_fill(rest: &Bytes) -> Result<bool, Stop> {
    Ok(rest.is_all(0)? || rest.is_all(0xff)?)
}

fn is_xml(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.trim_ascii_start().starts_with(b"<") || head.starts_with(b"\xff\xfe<\0") || head.starts_with(b"\xfe\xff\0<")
}

fn is_stl(head: &[u8], len: u64) -> bool {
    let count = Encoding::EXPLICIT.u32(head.get(80..).unwrap_or_default());
    head.starts_with(b"solid")
        || count.is_some_and(|count| u64::from(count).saturating_mul(50).saturating_add(84) <= len)
}

fn is_text(head: &[u8]) -> bool {
    super::walk::is_plain_text(head, false)
}
