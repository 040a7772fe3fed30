//! Global heap collections: values of variable length, and the parts of virtual datasets.
//!
//! ```text
//! collection  "GCOL" | 1 | 0 3 | size L, filled up to 8 | object*
//! object      index 2 | references 2 | 0 4 | size L, filled up to 8 | data, filled up to 8        index 0: free space up to the end
//! virtual     0 | entries L | (file name 0 | dataset name 0 | selection | selection)* | checksum 4
//!             1 | entries L | (flags | [file name 0, or entry L] | dataset name 0, or entry L | selection | selection)*
//! ```
//! Nothing but values leads to a collection, and values may be compressed: collections are also looked for in what
//! no address leads to, by their signature.

use std::{ops::Range, rc::Rc};

use super::walk::{Task, Walk, uint};
use crate::{
    bytes::{Bytes, Cursor},
    ledger::Kind,
    stop::Stop,
};

/// The least size of a collection.
const LEAST: u64 = 4096;

/// Bytes searched at once.
const WINDOW: u64 = 1 << 20;

/// An object of a collection: its index, the range of its header, the range of its data.
type Object = (u16, Range<u64>, Range<u64>);

/// Flags of a part of a virtual dataset: where its names are.
const FILE_OF_ENTRY: u8 = 1;
const DATASET_OF_ENTRY: u8 = 2;
const SAME_FILE: u8 = 4;

impl Walk<'_, '_> {
    /// Walks a collection from the first object on.
    fn collection_start(&self, address: u64) -> Result<Cursor, Stop> {
        let at = self.place(address)?;
        let (mut cursor, version) = self.signed(at, 32, b"GCOL", "a global heap collection")?;
        cursor.array::<3>("reserved bytes of a collection")?;
        let size = self.widths.length(&mut cursor)?;
        cursor.seek(at.saturating_add(cursor.at().saturating_sub(at).next_multiple_of(8)));
        let end = at.checked_add(size).filter(|end| *end <= self.visit.bytes.end());
        let header = cursor.at();
        match end {
            Some(end) if version == 1 && end > header => {
                let mut objects = self.visit.bytes.window(at..end).cursor();
                objects.seek(header);
                Ok(objects)
            }
            _ => Err(Stop::malformed(at, "a global heap collection that ends in the file")),
        }
    }

    pub fn collection(&mut self, address: u64) -> Result<(), Stop> {
        if !self.is_new(("collection", address, 0))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let mut cursor = self.collection_start(address)?;
        self.structure(at..cursor.at(), "global heap collection")?;
        while let Some((index, header, data)) = self.collection_object(&mut cursor)? {
            self.structure(header, "global heap object")?;
            if index == 0 {
                self.claim(data.start..cursor.bytes().end(), Kind::Slack, "free space of a heap")?;
                return Ok(());
            }
            self.claim(data.end..cursor.at(), Kind::Slack, "padding of a global heap object")?;
            self.heap_value(index, data)?;
        }
        self.claim(cursor.at()..cursor.bytes().end(), Kind::Slack, "free space of a heap")
    }

    /// The next object: its index, its header, its data; `None` where no header fits any more.
    fn collection_object(&self, cursor: &mut Cursor) -> Result<Option<Object>, Stop> {
        let header = (self.widths.length as u64).next_multiple_of(8).saturating_add(8);
        if cursor.remaining() < header {
            return Ok(None);
        }
        let start = cursor.at();
        let index = cursor.u16_le("the index of an object")?;
        cursor.array::<6>("the references of an object")?;
        let len = self.widths.length(cursor)?;
        let data = start.saturating_add(header);
        let end = data.saturating_add(len);
        // The size of the free space counts its own header.
        if index != 0 && end > cursor.bytes().end() {
            return Err(Stop::malformed(start, "an object that ends in its collection"));
        }
        cursor.seek(data.saturating_add(len.checked_next_multiple_of(8).unwrap_or(len)));
        Ok(Some((index, start..data, data..end)))
    }

    /// The data of one object of a collection.
    pub fn collection_value(&self, address: u64, wanted: u32) -> Result<Range<u64>, Stop> {
        let mut cursor = self.collection_start(address)?;
        while let Some((index, _, data)) = self.collection_object(&mut cursor)? {
            if index == 0 {
                break;
            }
            if u32::from(index) == wanted {
                return Ok(data);
            }
        }
        Err(Stop::malformed(self.place(address)?, format!("an object with index {wanted} in a collection")))
    }

    /// Looks for collections in bytes that no address led to.
    pub fn collections_in(&mut self, gap: Range<u64>) -> Result<(), Stop> {
        if gap.end.saturating_sub(gap.start) < LEAST {
            return Ok(());
        }
        let finder = memchr::memmem::Finder::new(b"GCOL\x01\0\0\0");
        let mut at = gap.start;
        'windows: while at < gap.end {
            let window = self.window(at, WINDOW.min(gap.end.saturating_sub(at))).all()?;
            for found in finder.find_iter(&window) {
                let place = at.saturating_add(found as u64);
                let address = place.saturating_sub(self.base);
                let Ok(cursor) = self.collection_start(address) else { continue };
                if cursor.bytes().len() >= LEAST && cursor.bytes().end() <= gap.end {
                    self.push(Task::Collection { address })?;
                    at = cursor.bytes().end();
                    continue 'windows;
                }
            }
            let next = at.saturating_add(window.len() as u64);
            at = if next >= gap.end { next } else { next.saturating_sub(7) };
        }
        Ok(())
    }

    /// The files that a virtual dataset takes its parts from.
    pub fn virtual_dataset(&mut self, heap: u64, index: u32, path: &Rc<str>) -> Result<(), Stop> {
        let data = self.collection_value(heap, index)?;
        let bytes = self.visit.bytes.window(data);
        let mut cursor = bytes.cursor();
        let version = cursor.u8("the version of a virtual dataset")?;
        if version > 1 {
            return Err(Stop::unsupported(bytes.start(), "a virtual dataset of this version"));
        }
        let entries = self.widths.length(&mut cursor)?;
        for _ in 0..entries {
            // In version 1 an entry may say that a name is this file's, or that of an entry before.
            let flags = if version == 1 { cursor.u8("the flags of a virtual dataset's part")? } else { 0 };
            let start = cursor.at();
            if flags & SAME_FILE == 0 {
                if flags & FILE_OF_ENTRY != 0 {
                    self.widths.length(&mut cursor)?;
                } else {
                    let file = text(&mut cursor, "the name of a file")?;
                    self.reference(start..cursor.at(), "virtual dataset", &file, path)?;
                }
            }
            if flags & DATASET_OF_ENTRY != 0 {
                self.widths.length(&mut cursor)?;
            } else {
                text(&mut cursor, "the name of a dataset")?;
            }
            selection(&mut cursor)?;
            selection(&mut cursor)?;
            self.visit.count("virtual source", 1);
        }
        Ok(())
    }
}

/// The longest name of a file that is read.
const NAME: usize = 64 << 10;

/// Text up to and over its zero byte.
fn text(cursor: &mut Cursor, expected: &'static str) -> Result<Vec<u8>, Stop> {
    let at = cursor.at();
    let mut look = 256;
    loop {
        let window = cursor.peek(look)?;
        if let Some(end) = memchr::memchr(0, window) {
            let text = window.get(..end).unwrap_or_default().to_vec();
            cursor.seek(at.saturating_add(end as u64).saturating_add(1));
            return Ok(text);
        }
        if window.len() < look || look >= NAME {
            return Err(Stop::malformed(at, expected));
        }
        look = NAME;
    }
}

/// Passes over a selection of elements, section VIII.A.
fn selection(cursor: &mut Cursor) -> Result<(), Stop> {
    let at = cursor.at();
    let kind = cursor.u32_le("the type of a selection")?;
    let version = cursor.u32_le("the version of a selection")?;
    let skip = |cursor: &mut Cursor, len: u64| -> Result<Bytes, Stop> { cursor.take(len, "a selection") };
    match (kind, version) {
        // None, all.
        (0 | 3, 1) => skip(cursor, 8).map(drop),
        (1, 1) | (2, 1) => {
            cursor.u32_le("reserved bytes of a selection")?;
            let len = cursor.u32_le("the length of a selection")?;
            skip(cursor, len.into()).map(drop)
        }
        (2, 2) => {
            cursor.u8("the flags of a selection")?;
            let len = cursor.u32_le("the length of a selection")?;
            skip(cursor, len.into()).map(drop)
        }
        (1, 2) => {
            let width = usize::from(cursor.u8("the width of a selection")?);
            let rank = cursor.u32_le("the rank of a selection")?;
            let points = uint(cursor, width, "the number of points")?;
            let len = points.saturating_mul(rank.into()).saturating_mul(width as u64);
            skip(cursor, len).map(drop)
        }
        (2, 3) => {
            let [flags, width] = cursor.array("the flags of a selection")?;
            let rank = u64::from(cursor.u32_le("the rank of a selection")?);
            let values = if flags & 1 != 0 {
                rank.saturating_mul(4)
            } else {
                let blocks = uint(cursor, width.into(), "the number of blocks")?;
                blocks.saturating_mul(rank).saturating_mul(2)
            };
            skip(cursor, values.saturating_mul(width.into())).map(drop)
        }
        _ => Err(Stop::malformed(at, "a selection of a known type and version")),
    }
}
