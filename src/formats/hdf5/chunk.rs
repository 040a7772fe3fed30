//! Where the chunks of a dataset are: version 1 B-trees, fixed arrays and extensible arrays.
//!
//! ```text
//! tree node  "TREE" | type 1 | level | entries 2 | left O | right O | key, child O, key, child O, ... key
//!            key = length of the chunk 4 | filter mask 4 | offset 8 * (rank + 1)
//! fixed      "FAHD" | 0 | client | entry size | page bits | number L | data block O | checksum 4
//!            "FADB" | 0 | client | header O | [bitmap of pages] | elements | checksum 4, or pages of them
//! extensible "EAHD" | 0 | client | entry size | settings 5 | counts 6 L | index block O | checksum 4
//!            "EAIB" | 0 | client | header O | elements | data blocks O* | super blocks O* | checksum 4
//!            "EASB" | 0 | client | header O | offset | [bitmaps] | data blocks O* | checksum 4
//!            "EADB" | 0 | client | header O | offset | elements | checksum 4, or pages of them
//! element    address O | [length | filter mask 4]   with length if the client is 1
//! ```

use std::rc::Rc;

use super::walk::{Task, Walk, uint};
use crate::{bytes::Cursor, ledger::Kind, stop::Stop};

/// What the chunks of one dataset have in common.
pub(super) struct Chunks {
    /// Dimensions of the dataset, and one for the bytes of an element.
    pub dims: usize,
    /// Bytes of a chunk without filters.
    pub len: u64,
    pub filtered: bool,
    /// The path of a dataset of bytes that is one chunk, and whether filters were applied that can be undone.
    pub whole: Option<(Rc<str>, bool)>,
}

/// An array of elements, fixed or extensible.
#[derive(Clone, Copy)]
struct Array {
    filtered: bool,
    entry: u64,
    /// Elements of a page; blocks of more have pages.
    page: u64,
    /// Bytes of a chunk without filters.
    chunk: u64,
    /// Bytes of an offset of a block in an extensible array.
    offset: usize,
}

/// Blocks of an extensible array whose number follows from its settings: more than this is no array.
const BLOCKS: u64 = 1 << 24;

impl Walk<'_, '_> {
    pub fn chunk_node(&mut self, address: u64, chunks: &Rc<Chunks>) -> Result<(), Stop> {
        if !self.is_new(("chunk node", address, chunks.dims as u64))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let widths = self.widths;
        let key = (chunks.dims as u64).saturating_mul(8).saturating_add(8);
        let pair = key.saturating_add(widths.offset as u64);
        let (mut cursor, kind) = self.signed(at, 32, b"TREE", "a node of a chunk B-tree")?;
        let level = cursor.u8("the level of a node")?;
        let entries = cursor.u16_le("the number of entries of a node")?;
        if kind != 1 {
            return Err(Stop::malformed(at.saturating_add(4), "a node of a chunk B-tree"));
        }
        widths.address(&mut cursor)?;
        widths.address(&mut cursor)?;
        let first = cursor.at();
        // A node has room for twice its rank; only some versions of the superblock say which rank.
        let most = self.ranks.chunk.saturating_mul(2).max(entries.into());
        let end = first.saturating_add(most.saturating_mul(pair)).saturating_add(key);
        let mut cursor = self.visit.bytes.window(first..end).cursor();
        for _ in 0..entries {
            let len = cursor.u32_le("the length of a chunk")?;
            cursor.seek(cursor.at().saturating_add(key).saturating_sub(4));
            let Some(address) = widths.address(&mut cursor)? else { continue };
            if level == 0 {
                self.chunk(address, len.into(), chunks)?;
            } else {
                self.push(Task::ChunkNode { address, chunks: chunks.clone() })?;
            }
        }
        let used = cursor.at().saturating_add(key);
        self.structure(at..used, "B-tree node")?;
        self.claim(used..end, Kind::Slack, "unused room of a B-tree node")
    }

    pub fn fixed_array(&mut self, address: u64, chunks: &Rc<Chunks>) -> Result<(), Stop> {
        if !self.is_new(("fixed array", address, chunks.len))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let widths = self.widths;
        let (mut cursor, _version) = self.signed(at, 64, b"FAHD", "a fixed array")?;
        let [client, entry, page_bits] = cursor.array("the settings of a fixed array")?;
        let count = widths.length(&mut cursor)?;
        let block = widths.address(&mut cursor)?;
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "fixed array")?;
        let array = self.array(client, entry, page_bits, chunks, at)?;
        let Some(block) = block else { return Ok(()) };
        let at = self.place(block)?;
        let (mut cursor, _version) = self.signed(at, u64::MAX, b"FADB", "a data block of a fixed array")?;
        cursor.u8("the client of a data block")?;
        widths.address(&mut cursor)?;
        self.block_elements(cursor, block, count, array)
    }

    fn array(&self, client: u8, entry: u8, page_bits: u8, chunks: &Chunks, at: u64) -> Result<Array, Stop> {
        let entry = u64::from(entry);
        let least = (self.widths.offset as u64).saturating_add(if client == 1 { 5 } else { 0 });
        if client > 1 || entry < least || page_bits > 32 || (client == 1) != chunks.filtered {
            return Err(Stop::malformed(at.saturating_add(5), "the settings of an array of chunks"));
        }
        Ok(Array { filtered: client == 1, entry, page: 1u64 << page_bits, chunk: chunks.len, offset: 0 })
    }

    /// The elements of a fixed array's data block, and its end.
    fn block_elements(&mut self, mut cursor: Cursor, address: u64, count: u64, array: Array) -> Result<(), Stop> {
        let at = cursor.bytes().start();
        if count <= array.page {
            self.elements(&mut cursor, count, array)?;
            cursor.u32_le("a checksum")?;
            return self.structure(at..cursor.at(), "chunk index");
        }
        let pages = count.div_ceil(array.page);
        let bitmap = cursor.take(pages.div_ceil(8), "the bitmap of pages")?;
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "chunk index")?;
        let mut bits = bitmap.cursor();
        let mut byte = 0;
        let mut left = count;
        let mut address = address.saturating_add(cursor.at().saturating_sub(at));
        for page in 0..pages {
            if page % 8 == 0 {
                byte = bits.u8("the bitmap of pages")?;
            }
            let used = byte & (0x80 >> (page % 8)) != 0;
            let elements = left.min(array.page);
            left = left.saturating_sub(elements);
            address = self.page(address, elements, array, used)?;
        }
        Ok(())
    }

    /// A page of elements and its checksum; gives the address of the next. A page that was never used has its place,
    /// and anything in it.
    fn page(&mut self, address: u64, elements: u64, array: Array, used: bool) -> Result<u64, Stop> {
        let len = elements.saturating_mul(array.entry).saturating_add(4);
        let page = self.raw_range(address, len)?;
        if used {
            let mut cursor = self.window(page.start, len).cursor();
            self.elements(&mut cursor, elements, array)?;
            self.structure(page, "chunk index")?;
        } else {
            self.claim(page, Kind::Slack, "unused page of a chunk index")?;
        }
        Ok(address.saturating_add(len))
    }

    fn elements(&mut self, cursor: &mut Cursor, count: u64, array: Array) -> Result<(), Stop> {
        let widths = self.widths;
        for _ in 0..count {
            let start = cursor.at();
            let address = widths.address(cursor)?;
            let mut len = array.chunk;
            if array.filtered {
                let width = array.entry.saturating_sub(widths.offset as u64).saturating_sub(4);
                len = uint(cursor, usize::try_from(width).unwrap_or(8), "the length of a chunk")?;
            }
            cursor.seek(start.saturating_add(array.entry));
            if let Some(address) = address {
                self.raw(address, len)?;
            }
        }
        Ok(())
    }

    pub fn extensible_array(&mut self, address: u64, chunks: &Rc<Chunks>) -> Result<(), Stop> {
        if !self.is_new(("extensible array", address, chunks.len))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let widths = self.widths;
        let (mut cursor, _version) = self.signed(at, 128, b"EAHD", "an extensible array")?;
        let [client, entry, most_bits, first, least, pointers, page_bits] =
            cursor.array("the settings of an extensible array")?;
        for _ in 0..6 {
            widths.length(&mut cursor)?;
        }
        let index = widths.address(&mut cursor)?;
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "extensible array")?;
        let valid = least.is_power_of_two() && pointers.is_power_of_two() && pointers >= 2 && most_bits <= 64;
        if !valid || u32::from(most_bits) < least.trailing_zeros() {
            return Err(Stop::malformed(at.saturating_add(7), "the settings of an extensible array"));
        }
        let mut array = self.array(client, entry, page_bits, chunks, at)?;
        array.offset = usize::from(most_bits.div_ceil(8));
        let Some(index) = index else { return Ok(()) };
        let at = self.place(index)?;
        let (mut cursor, _version) = self.signed(at, u64::MAX, b"EAIB", "the index block of an extensible array")?;
        cursor.u8("the client of an index block")?;
        widths.address(&mut cursor)?;
        self.elements(&mut cursor, first.into(), array)?;

        // Super block n has 2^(n/2) data blocks of `least` * 2^((n+1)/2) elements. The first ones are left out: the
        // index block leads to their data blocks itself.
        let supers = u32::from(most_bits).saturating_sub(least.trailing_zeros()).saturating_add(1);
        let direct = pointers.trailing_zeros().saturating_mul(2).min(supers);
        let shape = |number: u32| {
            let blocks = 1u64.checked_shl(number / 2).unwrap_or(u64::MAX);
            let elements = u64::from(least).saturating_mul(1u64.checked_shl(number.div_ceil(2)).unwrap_or(u64::MAX));
            (blocks, elements)
        };
        for number in 0..direct {
            let (blocks, elements) = shape(number);
            for _ in 0..blocks {
                if let Some(address) = widths.address(&mut cursor)? {
                    let ended = self.data_block(address, elements, array, None);
                    self.carry_on(ended)?;
                }
            }
        }
        for number in direct..supers {
            if let Some(address) = widths.address(&mut cursor)? {
                let ended = self.super_block(address, shape(number), array);
                self.carry_on(ended)?;
            }
        }
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "chunk index")
    }

    /// A block of addresses of data blocks, with a bitmap of the pages of each.
    fn super_block(&mut self, address: u64, (blocks, elements): (u64, u64), array: Array) -> Result<(), Stop> {
        if !self.is_new(("super block", address, array.chunk))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let widths = self.widths;
        let (mut cursor, _version) = self.signed(at, u64::MAX, b"EASB", "a super block of an extensible array")?;
        cursor.u8("the client of a super block")?;
        widths.address(&mut cursor)?;
        uint(&mut cursor, array.offset, "the offset of a super block")?;
        if blocks > BLOCKS {
            return Err(Stop::malformed(at, "a super block of an extensible array"));
        }
        let bitmap_len = if elements > array.page { (elements / array.page).div_ceil(8) } else { 0 };
        let bitmaps = cursor.take(bitmap_len.saturating_mul(blocks), "the bitmaps of pages")?;
        for block in 0..blocks {
            let Some(address) = widths.address(&mut cursor)? else { continue };
            let from = bitmaps.start().saturating_add(block.saturating_mul(bitmap_len));
            let bitmap = bitmaps.window(from..from.saturating_add(bitmap_len));
            let ended = self.data_block(address, elements, array, Some(bitmap.cursor()));
            self.carry_on(ended)?;
        }
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "chunk index")
    }

    fn data_block(&mut self, address: u64, count: u64, array: Array, bitmap: Option<Cursor>) -> Result<(), Stop> {
        if !self.is_new(("data block", address, array.chunk))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let widths = self.widths;
        let (mut cursor, _version) = self.signed(at, u64::MAX, b"EADB", "a data block of an extensible array")?;
        cursor.u8("the client of a data block")?;
        widths.address(&mut cursor)?;
        uint(&mut cursor, array.offset, "the offset of a data block")?;
        let Some(mut bits) = bitmap.filter(|_| count > array.page) else {
            self.elements(&mut cursor, count, array)?;
            cursor.u32_le("a checksum")?;
            return self.structure(at..cursor.at(), "chunk index");
        };
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "chunk index")?;
        let mut byte = 0;
        let mut address = address.saturating_add(cursor.at().saturating_sub(at));
        for page in 0..count / array.page {
            if page % 8 == 0 {
                byte = bits.u8("the bitmap of pages")?;
            }
            let used = byte & (0x80 >> (page % 8)) != 0;
            address = self.page(address, array.page, array, used)?;
        }
        Ok(())
    }
}
