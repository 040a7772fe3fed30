//! The walk through a data set: elements, sequences, items and fragments, to any depth, on a stack of its own.
//!
//! ```text
//! data set   element*
//! sequence   item*                         [ FFFE,E0DD 0 ]   the delimiter where the length is undefined
//! item       FFFE,E000 len | data set      [ FFFE,E00D 0 ]
//! fragments  FFFE,E000 len | offset table, (FFFE,E000 len | fragment)*, FFFE,E0DD 0
//! ```
//! Values are windows: those that hold pixels or blobs are never read here.

use std::ops::Range;

use super::{
    element::{Encoding, HEADER, Header, Holds, NoHeader, Tag, Vr},
    frames::Coding,
    pixels::{About, Fragments},
    rules,
};
use crate::{
    active_text,
    bytes::Cursor,
    format::{Holds as Companion, Origin, Role, Span, Visit},
    quote::quoted_bytes,
    reference::classify,
    rules::PROGRAM_TEXT_IN_VALUE,
    stop::{Limit, Stop},
};

/// What the data set's transfer syntax says of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Syntax {
    /// Compression of encapsulated Pixel Data, where it is one whose frames are looked into.
    pub coding: Option<Coding>,
    /// Whether each frame is a deflate stream.
    pub deflated_frames: bool,
    /// Whether the pixels come from a server (PS3.5 sections A.6 and A.7).
    pub jpip: bool,
}

/// The walk and what it remembers.
pub(super) struct Walk<'v, 'a> {
    pub visit: &'v mut Visit<'a>,
    pub syntax: Syntax,
    cursor: Cursor,
    levels: Vec<Level>,
    opened: usize,
    duplicates: usize,
    out_of_order: usize,
    pixel_address: bool,
    encoding_differs: bool,
    meta_again: bool,
}

/// One data set, sequence or row of fragments that is not finished.
struct Level {
    kind: Kind,
    /// Where it ends, if its length is defined.
    end: Option<u64>,
    /// Where the innermost level of defined length around it ends, itself included.
    limit: u64,
    encoding: Encoding,
    /// Tags so far, ascending.
    tags: Vec<Tag>,
    about: About,
    /// Values whose length other elements of the level decide, which may stand behind them.
    samples: Vec<(Tag, Range<u64>)>,
}

enum Kind {
    DataSet,
    Sequence,
    Fragments(Tag, Fragments),
}

/// Levels inside levels. Real data has less than twenty.
const DEPTH: usize = 256;

/// Layers opened for values of one data set; what comes later is swept all the same.
const OPENED: usize = 4096;

/// Shorter values than this are no file, in bytes.
const SHORTEST: u64 = 32;

/// How much of a text is looked at, in bytes.
const TEXT: usize = 1 << 20;

/// Tags remembered of one level, to see which stand twice.
const TAGS: usize = 1 << 16;

/// Smaller tags behind larger ones that are still put in their place.
const MISPLACED: usize = 4096;

/// Values of one level that wait for its end: pixels, sixteen overlays, a waveform.
const SAMPLES: usize = 64;

/// Duplicates that are reported one by one.
const REPORTED: usize = 16;

/// What a value that is understood is called in the books, its header with it: one name, so that they join.
pub(super) const ELEMENT: &str = "data element";

impl<'v, 'a> Walk<'v, 'a> {
    pub fn new(visit: &'v mut Visit<'a>, syntax: Syntax) -> Self {
        let cursor = visit.bytes.cursor();
        Walk {
            visit,
            syntax,
            cursor,
            levels: Vec::new(),
            opened: 0,
            duplicates: 0,
            out_of_order: 0,
            pixel_address: false,
            encoding_differs: false,
            meta_again: false,
        }
    }

    /// Reads the data set from `start` to the end of the layer.
    ///
    /// # Errors
    /// Where it stops being one.
    pub fn run(mut self, start: u64, encoding: Encoding) -> Result<(), Stop> {
        self.cursor.seek(start);
        let end = self.visit.bytes.end();
        self.push(Kind::DataSet, Some(end), encoding)?;
        let mut ended = Ok(());
        while ended.is_ok()
            && let Some(level) = self.levels.last()
        {
            ended = match level.kind {
                Kind::DataSet => self.element(),
                Kind::Sequence => self.item(),
                Kind::Fragments(..) => self.fragment(),
            };
        }
        // What was declared before the damage is still looked into.
        while let Some(level) = self.levels.pop() {
            self.finish(level)?;
        }
        if self.syntax.jpip && !self.pixel_address && ended.is_ok() {
            self.visit.note(Stop::malformed(end, "the element Pixel Data Provider URL (0028,7FE0)"));
        }
        ended
    }

    fn push(&mut self, kind: Kind, end: Option<u64>, encoding: Encoding) -> Result<(), Stop> {
        if self.levels.len() >= DEPTH {
            return Err(Stop::Exhausted(Limit::Depth));
        }
        let outer = self.levels.last().map_or(self.visit.bytes.end(), |level| level.limit);
        let limit = end.unwrap_or(outer).min(outer);
        self.levels.push(Level {
            kind,
            end,
            limit,
            encoding,
            tags: Vec::new(),
            about: About::default(),
            samples: Vec::new(),
        });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Stop> {
        self.levels.pop().map_or(Ok(()), |level| self.finish(level))
    }

    /// What can only be judged when the whole level is known.
    fn finish(&mut self, level: Level) -> Result<(), Stop> {
        match level.kind {
            Kind::DataSet => {
                for (tag, range) in level.samples {
                    match tag.group() {
                        0x7FE0 => self.native_pixels(tag, range, &level.about)?,
                        0x5400 => self.waveform(tag, range, &level.about)?,
                        _ => self.overlay(tag, range, &level.about)?,
                    }
                }
                self.open_documents(level.about)
            }
            Kind::Sequence => Ok(()),
            Kind::Fragments(tag, fragments) => {
                let about = self.levels.last().map(|level| level.about.clone()).unwrap_or_default();
                self.judge_fragments(tag, fragments, &about)
            }
        }
    }

    /// One step through a data set.
    fn element(&mut self) -> Result<(), Stop> {
        let at = self.cursor.at();
        let is_root = self.levels.len() == 1;
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        let limit = level.limit;
        if at >= limit {
            return match level.end {
                Some(_) => self.leave(),
                None => Err(Stop::malformed(at, "an Item Delimitation Item (FFFE,E00D)")),
            };
        }
        let left = usize::try_from(limit.saturating_sub(at)).unwrap_or(usize::MAX);
        let head = self.cursor.peek(HEADER)?.to_vec();
        if left < 8
            && level.end.is_none()
            && let Ok(delimiter) = Header::parse(&head, at, level.encoding)
            && delimiter.tag == Tag::ITEM_END
        {
            // The item's delimiter reaches over the length of the sequence around it: a writer's slip.
            return self.delimiter(delimiter);
        }
        let head = head.get(..left.min(HEADER)).unwrap_or(&head).to_vec();
        if head.iter().all(|byte| *byte == 0) {
            // Zeros behind the last element: blocks of tapes and disks. If more follows, it is unexplained.
            return self.give_up_level(at, Stop::malformed(at, "a data element"));
        }
        let level_starts = level.tags.is_empty();
        let mut header = Header::parse(&head, at, level.encoding);
        if level_starts && let Some((encoding, other)) = self.written_otherwise(&head, at, limit, header) {
            header = Ok(other);
            if let Some(level) = self.levels.last_mut() {
                level.encoding = encoding;
            }
            self.differs(other)?;
        }
        if header.is_err()
            && let Some(implicit) = self.written_implicitly(&head, at, limit)?
        {
            header = Ok(implicit);
            self.differs(implicit)?;
        }
        let last = self.levels.last().and_then(|level| level.tags.last().copied());
        let header = match header {
            Ok(header) => header,
            Err(NoHeader::Careless) if last.is_none_or(|last| last < Tag::PIXEL_DATA) => {
                return Err(Stop::malformed(at, "a value representation (VR)"));
            }
            Err(NoHeader::Careless) => return self.give_up_level(at, Stop::malformed(at, "a data element")),
            // So few bytes are a cut element, unless nothing more was to come.
            Err(NoHeader::Foreign)
                if left < 8
                    && last.is_none_or(|last| last < Tag::PIXEL_DATA)
                    && !head.iter().all(|byte| *byte == b' ') =>
            {
                return Err(Stop::malformed(at, "a data element"));
            }
            Err(NoHeader::Foreign) => return self.give_up_level(at, Stop::malformed(at, "a data element")),
        };
        match header.tag {
            Tag::ITEM_END | Tag::SEQUENCE_END => return self.delimiter(header),
            Tag::ITEM => return self.give_up_level(at, Stop::malformed(at, "a data element")),
            _ => {}
        }
        if header.end().is_some_and(|end| end > limit) {
            return self.cut_short(header, limit, &head, is_root);
        }
        self.order(header)?;
        self.visit.count(if is_root { "element" } else { "element of an item" }, 1);
        if header.tag.group() == 0x0002 && !self.meta_again {
            self.meta_again = true;
            let message = format!("{} belongs before the data set.", header.tag);
            self.visit.find(&rules::META_INFORMATION_IN_DATA_SET, header.range(), message)?;
        }
        self.visit.structure(header.range(), ELEMENT)?;
        self.cursor.seek(header.value);
        match header.end() {
            None => self.enter_undefined(header),
            Some(end) => {
                if self.holds_items(header, end)? {
                    let encoding = self.inner_encoding(header);
                    return self.push(Kind::Sequence, Some(end), encoding);
                }
                self.cursor.seek(end);
                self.value(header, header.value..end)
            }
        }
    }

    /// The header as the other form reads it, where a level is not written as its surroundings say.
    fn written_otherwise(
        &self,
        head: &[u8],
        at: u64,
        limit: u64,
        believed: Result<Header, NoHeader>,
    ) -> Option<(Encoding, Header)> {
        let encoding = self.levels.last()?.encoding;
        let other = Encoding { explicit: !encoding.explicit, ..encoding };
        let read = Header::parse(head, at, other).ok()?;
        let fits = read.end().is_none_or(|end| end <= limit) && read.tag.group() != 0xFFFE;
        let better = if encoding.explicit {
            // Where a VR should stand there is none, and the length makes sense.
            believed == Err(NoHeader::Foreign) && read.tag.0 != 0 && read.tag.group() < 0x7FFF
        } else {
            read.vr.is_some_and(|vr| vr.holds().is_some())
        };
        (fits && better).then_some((other, read))
    }

    /// Says once that elements are not written as their surroundings say.
    fn differs(&mut self, header: Header) -> Result<(), Stop> {
        if self.encoding_differs {
            return Ok(());
        }
        self.encoding_differs = true;
        let message = match header.vr {
            Some(_) => format!("{} has a value representation; those around it have none.", header.tag),
            None => format!("{} has no value representation; those around it have one.", header.tag),
        };
        self.visit.find(&rules::DICOM_ENCODING_DIFFERS, header.range(), message)
    }

    /// An element without a VR among those that have one: its tag goes on from the last, its value fits, and behind it
    /// stands an element or the end.
    fn written_implicitly(&self, head: &[u8], at: u64, limit: u64) -> Result<Option<Header>, Stop> {
        let Some(level) = self.levels.last().filter(|level| level.encoding.explicit) else { return Ok(None) };
        let implicit = Encoding { explicit: false, ..level.encoding };
        let Ok(header) = Header::parse(head, at, implicit) else { return Ok(None) };
        let last = level.tags.last().copied().unwrap_or(Tag(0));
        let goes_on = |before: Tag, tag: Tag| tag > before && tag <= Tag::PIXEL_DATA;
        let Some(end) = header.end().filter(|end| *end <= limit && goes_on(last, header.tag)) else { return Ok(None) };
        if end == limit {
            return Ok(Some(header));
        }
        let next = self.visit.bytes.window(end..limit).peek(end, HEADER)?;
        let follows = [level.encoding, implicit].into_iter().any(|encoding| {
            Header::parse(&next, end, encoding).is_ok_and(|next| {
                let fits = next.end().is_none_or(|end| end <= limit);
                fits && (goes_on(header.tag, next.tag)
                    || next.tag == Tag::ITEM_END
                    || next.tag == Tag::TRAILING_PADDING)
            })
        });
        Ok(follows.then_some(header))
    }

    /// From `at` on the level holds nothing that is an element. Where its end is known the walk goes on behind it, and
    /// the rest of the level stays without an owner.
    fn give_up_level(&mut self, at: u64, stop: Stop) -> Result<(), Stop> {
        let Some(end) = self.levels.last().and_then(|level| level.end) else { return Err(stop) };
        let rest = self.visit.bytes.window(at..end);
        let fill = rest.peek(at, 1)?.first().copied().unwrap_or_default();
        // What writers fill a block with.
        if matches!(fill, 0 | b' ' | 0xff) && rest.len() <= BLANK && rest.is_all(fill)? {
            self.visit.slack(at..end, "fill bytes")?;
        }
        self.cursor.seek(end);
        self.leave()
    }

    fn delimiter(&mut self, header: Header) -> Result<(), Stop> {
        self.visit.structure(header.start..header.value, ELEMENT)?;
        let ends_sequence = header.tag == Tag::SEQUENCE_END;
        let open = self.levels.last().is_some_and(|level| level.end.is_none());
        // The end of a sequence also ends an item that misses its own; in a level of defined length it is a stray.
        self.cursor.seek(if ends_sequence && open { header.start } else { header.value });
        if open { self.leave() } else { Ok(()) }
    }

    /// The value reaches over the end of its level.
    fn cut_short(&mut self, header: Header, limit: u64, head: &[u8], is_root: bool) -> Result<(), Stop> {
        let stop = Stop::malformed(header.value, format!("{} bytes of value", header.len.unwrap_or_default()));
        let last = self.levels.last().and_then(|level| level.tags.last().copied());
        let behind = last.is_some_and(|last| header.tag <= last || last >= Tag::PIXEL_DATA);
        let is_text = head.get(..8).is_some_and(|head| head.iter().all(|byte| (0x20..0x7f).contains(byte)));
        if is_root && header.vr.is_none() && (behind || is_text) {
            return self.give_up_level(header.start, stop);
        }
        self.visit.structure(header.range(), ELEMENT)?;
        self.visit.opaque(header.value..limit, "value, cut short")?;
        self.cursor.seek(limit);
        Err(stop)
    }

    /// Tags ascend, and none stands twice (PS3.5 section 7.1).
    fn order(&mut self, header: Header) -> Result<(), Stop> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        let tag = header.tag;
        if level.tags.last().is_none_or(|last| tag > *last) {
            if level.tags.len() < TAGS {
                level.tags.push(tag);
            }
            return Ok(());
        }
        match level.tags.binary_search(&tag) {
            Ok(_) => {
                self.duplicates = self.duplicates.saturating_add(1);
                if self.duplicates <= REPORTED {
                    let message = format!("{tag} stands here for the second time.");
                    self.visit.find(&rules::DUPLICATE_ELEMENT, header.range(), message)?;
                }
            }
            Err(place) => {
                self.out_of_order = self.out_of_order.saturating_add(1);
                if self.out_of_order <= MISPLACED && level.tags.len() < TAGS {
                    level.tags.insert(place, tag);
                }
                if self.out_of_order == 1 {
                    let message = format!("{tag} stands behind a larger tag.");
                    self.visit.find(&rules::ELEMENTS_OUT_OF_ORDER, header.range(), message)?;
                }
            }
        }
        Ok(())
    }

    fn encoding(&self) -> Encoding {
        self.levels.last().map_or(Encoding::EXPLICIT, |level| level.encoding)
    }

    /// PS3.5 section 6.2.2: a sequence under the VR UN is written as in implicit VR little endian.
    fn inner_encoding(&self, header: Header) -> Encoding {
        if header.vr == Some(Vr::UN) { Encoding::IMPLICIT } else { self.encoding() }
    }

    fn enter_undefined(&mut self, header: Header) -> Result<(), Stop> {
        let encoding = self.inner_encoding(header);
        let holds = header.vr.map(|vr| vr.holds());
        let fragments =
            header.tag == Tag::PIXEL_DATA || matches!(holds, Some(Some(Holds::Bytes))) && header.vr != Some(Vr::UN);
        let kind = match holds {
            _ if fragments => Kind::Fragments(header.tag, Fragments::default()),
            None | Some(None | Some(Holds::Items | Holds::Bytes)) => Kind::Sequence,
            Some(Some(Holds::Text | Holds::Numbers)) => {
                return Err(Stop::malformed(header.start, "a defined length"));
            }
        };
        self.push(kind, None, encoding)
    }

    /// Whether a value of defined length is a sequence: by its VR, or, where that is not known, because items fill it.
    fn holds_items(&self, header: Header, end: u64) -> Result<bool, Stop> {
        match header.vr {
            Some(vr) if vr.holds() == Some(Holds::Items) => return Ok(true),
            None | Some(Vr::UN) if header.tag != Tag::PIXEL_DATA => {}
            _ => return Ok(false),
        }
        let encoding = self.inner_encoding(header);
        let mut at = header.value;
        for count in 0..1000 {
            if at == end {
                return Ok(count > 0);
            }
            let head = self.visit.bytes.window(at..end).peek(at, 8)?;
            let Ok(item) = Header::parse(&head, at, encoding) else { return Ok(false) };
            if item.tag == Tag::SEQUENCE_END {
                // Needless where the length is defined, and written all the same.
                return Ok(count > 0 && item.value == end);
            }
            if item.tag != Tag::ITEM {
                return Ok(false);
            }
            match item.end() {
                None => return Ok(true),
                Some(next) if next > end => return Ok(false),
                Some(next) => at = next,
            }
        }
        Ok(true)
    }

    /// One step through a sequence.
    fn item(&mut self) -> Result<(), Stop> {
        let at = self.cursor.at();
        let Some(level) = self.levels.last() else { return Ok(()) };
        let (limit, end, encoding) = (level.limit, level.end, level.encoding);
        if at >= limit {
            return match end {
                Some(_) => self.leave(),
                None => Err(Stop::malformed(at, "a Sequence Delimitation Item (FFFE,E0DD)")),
            };
        }
        let head = self.cursor.peek(8)?;
        let stop = Stop::malformed(at, "an item (FFFE,E000)");
        let Ok(header) = Header::parse(head, at, encoding) else { return Err(stop) };
        match header.tag {
            Tag::ITEM if header.end().is_none_or(|end| end <= limit) => {
                self.visit.count("item", 1);
                self.visit.structure(header.range(), ELEMENT)?;
                self.cursor.seek(header.value);
                self.push(Kind::DataSet, header.end(), encoding)
            }
            Tag::ITEM => {
                Err(Stop::malformed(header.value, format!("{} bytes of item", header.len.unwrap_or_default())))
            }
            Tag::SEQUENCE_END | Tag::ITEM_END if header.value <= limit => {
                self.visit.structure(header.range(), ELEMENT)?;
                self.cursor.seek(header.value);
                if end.is_none() && header.tag == Tag::SEQUENCE_END { self.leave() } else { Ok(()) }
            }
            _ => self.give_up_level(at, stop),
        }
    }

    /// One step through fragments.
    fn fragment(&mut self) -> Result<(), Stop> {
        let at = self.cursor.at();
        let limit = self.levels.last().map_or(at, |level| level.limit);
        let encoding = self.encoding();
        let stop = Stop::malformed(at, "a fragment or a Sequence Delimitation Item (FFFE,E0DD)");
        let head = self.cursor.peek(8)?;
        let Ok(header) = Header::parse(head, at, encoding) else { return Err(stop) };
        if header.value > limit {
            return Err(stop);
        }
        match (header.tag, header.end()) {
            (Tag::ITEM, Some(end)) => {
                self.visit.count("fragment", 1);
                let whole = end <= limit;
                let range = header.value..end.min(limit);
                self.cursor.seek(range.end);
                if let Some(Level { kind: Kind::Fragments(_, fragments), .. }) = self.levels.last_mut() {
                    fragments.add(self.visit, header.start, range, self.syntax.coding)?;
                }
                let len = header.len.unwrap_or_default();
                if whole { Ok(()) } else { Err(Stop::malformed(header.value, format!("{len} bytes of fragment"))) }
            }
            (Tag::SEQUENCE_END, _) => {
                self.visit.structure(header.range(), ELEMENT)?;
                self.cursor.seek(header.value);
                self.leave()
            }
            _ => Err(stop),
        }
    }

    /// One value of defined length.
    fn value(&mut self, header: Header, range: Range<u64>) -> Result<(), Stop> {
        let encoding = self.encoding();
        let tag = header.tag;
        if let Some(level) = self.levels.last_mut() {
            level.about.note(tag, &range, encoding, self.visit.bytes)?;
        }
        if range.is_empty() {
            return Ok(());
        }
        let samples = match (tag.group(), tag.element()) {
            (0x7FE0, 0x0008..=0x0010) | (0x5400, 0x1010) => true,
            (0x6000..=0x60FF, 0x3000) => !tag.is_private(),
            _ => false,
        };
        if samples && let Some(level) = self.levels.last_mut().filter(|level| level.samples.len() < SAMPLES) {
            level.samples.push((tag, range));
            return Ok(());
        }
        match (tag.group(), tag.element()) {
            (0x0028, 0x2000) => self.icc_profile(range),
            (0x0028, 0x7FE0) => self.pixel_address(range),
            (0x0004, 0x1141 | 0x1500) => self.file_id(range),
            (0x0020, 0x000E) if self.levels.len() == 1 && self.visit.origin == Origin::Root => {
                let id = self.visit.bytes.window(range.clone()).peek(range.start, 64)?;
                let id = String::from_utf8_lossy(&id);
                self.visit.belongs_to_series(id.trim_matches(['\0', ' ']).to_string());
                self.plain_value(header, range)
            }
            (0x0400, 0x0520) => {
                self.visit.note(Stop::encrypted(range.start, "Encrypted Content (0400,0520)"));
                self.visit.opaque(range, "ciphertext")
            }
            // Claimed when the level ends: type and length stand behind them.
            (0x0042, 0x0011) | (0xCADB, 0x1010) => Ok(()),
            _ if tag == Tag::TRAILING_PADDING => self.padding(range),
            _ => self.plain_value(header, range),
        }
    }

    fn plain_value(&mut self, header: Header, range: Range<u64>) -> Result<(), Stop> {
        let len = range.end.saturating_sub(range.start);
        match header.vr.and_then(Vr::holds) {
            Some(Holds::Text) => self.text(header, range),
            Some(Holds::Numbers) if len <= SHORTEST => self.visit.structure(range, ELEMENT),
            Some(Holds::Numbers) => self.visit.opaque(range, "numbers"),
            Some(Holds::Bytes) if header.vr != Some(Vr::UN) => self.blob(header.tag, range),
            // Not known: by content.
            _ => {
                let some = self.visit.bytes.window(range.clone()).peek(range.start, 4096)?;
                // Lines of text in a private value may be a pickle or a script of more than one line.
                let lines = header.tag.is_private() && some.contains(&b'\n');
                if len <= 8 || (!lines && is_plain_text(&some, some.len() as u64 == len)) {
                    return self.text(header, range);
                }
                self.blob(header.tag, range)
            }
        }
    }

    /// A value without a declared structure.
    pub fn blob(&mut self, tag: Tag, range: Range<u64>) -> Result<(), Stop> {
        let start = self.visit.bytes.window(range.clone()).peek(range.start, 4096)?;
        if let Some(kind) = active_text::script_start(&start) {
            let message = format!("{tag} starts as {kind}: {}.", quoted_bytes(&start));
            self.visit.find(&PROGRAM_TEXT_IN_VALUE, range.clone(), message)?;
        } else if is_plain_text(&start, start.len() as u64 == range.end.saturating_sub(range.start)) {
            active_text::look(self.visit, range.clone(), &tag.to_string(), &start)?;
        }
        if tag.is_private() || tag == Tag::PRIVATE_INFORMATION {
            self.open_value(tag, range)
        } else {
            self.visit.opaque(range, "values")
        }
    }

    /// A value in which a file may be.
    pub fn open_value(&mut self, tag: Tag, range: Range<u64>) -> Result<(), Stop> {
        let len = range.end.saturating_sub(range.start);
        if len < SHORTEST || !self.may_open() {
            return self.visit.opaque(range, "values");
        }
        self.visit.open(format!("value of {tag}"), Span::Range(range), Role::Opaque("values"))
    }

    /// Whether one more value may become a layer; counts it.
    pub fn may_open(&mut self) -> bool {
        let may = self.opened < OPENED;
        self.opened = self.opened.saturating_add(usize::from(may));
        may
    }

    fn text(&mut self, header: Header, range: Range<u64>) -> Result<(), Stop> {
        let text = self.visit.bytes.window(range.clone()).peek(range.start, TEXT)?;
        let whole = text.len() as u64 == range.end.saturating_sub(range.start);
        if whole && is_plain_text(&text, true) {
            self.visit.structure(range.clone(), ELEMENT)?;
        } else {
            self.visit.slack(range.clone(), "text with other bytes in it")?;
        }
        active_text::look(self.visit, range.clone(), &header.tag.to_string(), &text)?;
        let names_address = matches!(header.tag.0, 0x0008_1190 | 0x0040_E010 | 0x0074_100A);
        let identifies = matches!(header.tag.0, 0x0008_010E | 0x0008_0120);
        if names_address || (header.vr == Some(Vr::UR) && !identifies) {
            self.address(header.tag, &text, range)?;
        }
        Ok(())
    }

    fn address(&mut self, tag: Tag, text: &[u8], range: Range<u64>) -> Result<(), Stop> {
        let address = String::from_utf8_lossy(text);
        let reference = classify(address.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0'));
        if !reference.leaves_folder() {
            return Ok(());
        }
        let message = format!("{tag} {}: {}.", reference.saying(), quoted_bytes(text.trim_ascii_end()));
        self.visit.find(&rules::ADDRESS_TO_RETRIEVE, range, message)
    }

    fn pixel_address(&mut self, range: Range<u64>) -> Result<(), Stop> {
        let text = self.visit.bytes.window(range.clone()).peek(range.start, 4096)?;
        if text.iter().all(|byte| matches!(byte, 0 | b' ')) {
            return self.visit.structure(range, ELEMENT);
        }
        self.pixel_address = true;
        self.visit.slack(range.clone(), "pixel data provider URL")?;
        let address = String::from_utf8_lossy(&text);
        let message = format!("The address {}: {}.", classify(&address).saying(), quoted_bytes(text.trim_ascii_end()));
        self.visit.find(&rules::PIXELS_FROM_SERVER, range, message)
    }

    /// Referenced File ID: names of folders and of a file, below the folder of the DICOMDIR (PS3.10 section 8.2).
    fn file_id(&mut self, range: Range<u64>) -> Result<(), Stop> {
        let text = self.visit.bytes.window(range.clone()).peek(range.start, 4096)?;
        self.visit.structure(range.clone(), ELEMENT)?;
        let text = text.strip_suffix(b"\0").unwrap_or(&text).trim_ascii_end();
        let parts: Vec<&[u8]> = text.split(|byte| *byte == b'\\').map(<[u8]>::trim_ascii).collect();
        let leaves = |part: &&[u8]| *part == b".." || part.iter().any(|byte| matches!(byte, b'/' | b':' | 0));
        let absolute = parts.len() > 1 && parts.first().is_some_and(|first| first.is_empty());
        if absolute || parts.iter().any(leaves) {
            let message = format!("The file that it names is {}.", quoted_bytes(text));
            return self.visit.find(&rules::FILE_ID_LEAVES_FOLDER, range, message);
        }
        let name = String::from_utf8_lossy(text).replace('\\', "/");
        self.visit.name_file(range, &name, Companion::File);
        Ok(())
    }

    /// Data Set Trailing Padding (PS3.10 section 7.2).
    fn padding(&mut self, range: Range<u64>) -> Result<(), Stop> {
        self.visit.slack(range.clone(), "data set trailing padding")?;
        if self.is_blank(&range)? {
            return Ok(());
        }
        let len = range.end.saturating_sub(range.start);
        let padding = self.visit.bytes.window(range.clone()).peek(range.start, 64 << 10)?;
        if padding.len() as u64 == len && super::preamble::is_directory_only(&padding, range.start) {
            // The other personality of a dual file keeps its directory here, where DICOM readers do not look.
            return Ok(());
        }
        self.visit.find(&rules::PADDING_WITH_CONTENT, range, format!("{len} bytes, not all of them zero."))
    }

    /// Whether a range is zero, as far as it is short enough to be looked through at once.
    pub fn is_blank(&self, range: &Range<u64>) -> Result<bool, Stop> {
        let len = range.end.saturating_sub(range.start);
        Ok(len <= BLANK && self.visit.bytes.window(range.clone()).is_all(0)?)
    }
}

/// Longer rooms count as used without being read: the sweep reads them.
const BLANK: u64 = 16 << 20;

/// Whether bytes are characters of one of the repertoires (PS3.5 section 6.1): no controls but those that it allows,
/// zeros only behind the last.
pub(super) fn is_plain_text(bytes: &[u8], whole: bool) -> bool {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    let text = if whole { bytes.get(..end).unwrap_or_default() } else { bytes };
    !text.iter().any(|byte| matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f))
}
