//! Fractal heaps: links and attributes of large groups, in blocks that double in size.
//!
//! ```text
//! header    "FRHP" | 0 | ID length 2 | filter length 2 | flags | largest managed object 4 | next huge ID L
//!           B-tree of huge objects O | free space L | free-space manager O | space L | allocated L | iterator L
//!           managed objects L | huge: size L, number L | tiny: size L, number L
//!           width 2 | first block L | largest direct block L | bits of the heap 2 | first rows 2
//!           root block O | rows 2 | [filtered root: size L, mask 4, filters] | checksum 4
//! direct    "FHDB" | 0 | header O | offset | [checksum 4] | objects
//! indirect  "FHIB" | 0 | header O | offset | (direct block O, [filtered: size L, mask 4])* | indirect block O* | checksum 4
//! ID        version and kind 1 | offset | length                                      (managed)
//!           version and kind 1 | number, or address O | size L | [filtered: mask 4, size L]   (huge)
//!           version, kind and length 1 | [length 1] | object                          (tiny)
//! ```

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use super::{
    message::filters,
    tree::{Use, width},
    walk::{Walk, uint},
};
use crate::{
    bytes::{Bytes, Cursor},
    ledger::Kind,
    sorting,
    stop::{Limit, Stop},
};

/// A heap whose blocks were found.
pub(super) struct Heap {
    /// Direct blocks by their offset in the heap: offset, length, place.
    blocks: Vec<(u64, u64, u64)>,
    pub filters: Vec<u16>,
    id_len: u64,
    offset_width: usize,
    length_width: usize,
    /// The B-tree of objects that are too large for blocks.
    huge_tree: Option<u64>,
    /// Those objects, where IDs have no room for addresses: by their numbers.
    huge: RefCell<HashMap<u64, Bytes>>,
}

/// The most huge objects of a heap.
const HUGE: usize = 1 << 20;

impl Heap {
    /// Keeps a huge object under its number.
    pub fn keep(&self, number: u64, object: Bytes) -> Result<(), Stop> {
        let mut huge = self.huge.borrow_mut();
        if huge.len() >= HUGE {
            return Err(Stop::Exhausted(Limit::Claims));
        }
        huge.insert(number, object);
        Ok(())
    }
}

/// How long a filtered block is as it is stored, and which filters were left out.
type Filtered = Option<(u64, u32)>;

/// How the blocks grow.
#[derive(Clone, Copy)]
struct Doubling {
    width: u64,
    first: u64,
    largest: u64,
    offset_width: usize,
    checksums: bool,
}

impl Doubling {
    /// The size of a block of a row: rows 0 and 1 are alike, then each doubles.
    fn size(self, row: u64) -> u64 {
        let shift = u32::try_from(row.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.checked_mul(1u64.checked_shl(shift).unwrap_or(0)).unwrap_or(0)
    }

    /// The number of rows of an indirect block of a size.
    fn rows(self, size: u64) -> u64 {
        let first_row = self.first.saturating_mul(self.width).max(1);
        u64::from((size / first_row).max(1).ilog2()).saturating_add(1)
    }
}

impl Walk<'_, '_> {
    pub fn fractal_heap(&mut self, address: u64, path: &Rc<str>) -> Result<Heap, Stop> {
        let at = self.place(address)?;
        let widths = self.widths;
        let (mut cursor, _version) = self.signed(at, 1 << 17, b"FRHP", "a fractal heap")?;
        let id_len = u64::from(cursor.u16_le("the length of heap IDs")?);
        let filters_len = cursor.u16_le("the length of a heap's filters")?;
        let flags = cursor.u8("the flags of a heap")?;
        let most = u64::from(cursor.u32_le("the largest managed object")?);
        widths.length(&mut cursor)?;
        let huge_tree = widths.address(&mut cursor)?;
        widths.length(&mut cursor)?;
        let free = widths.address(&mut cursor)?;
        for _ in 0..8 {
            widths.length(&mut cursor)?;
        }
        let shape_at = cursor.at();
        let columns = u64::from(cursor.u16_le("the width of a heap")?);
        let first = widths.length(&mut cursor)?;
        let largest = widths.length(&mut cursor)?;
        let bits = cursor.u16_le("the bits of a heap")?;
        cursor.u16_le("the first rows of a heap")?;
        let root = widths.address(&mut cursor)?;
        let rows = u64::from(cursor.u16_le("the rows of a heap")?);
        let (mut filtered, mut pipeline) = (None, Vec::new());
        if filters_len > 0 {
            let len = widths.length(&mut cursor)?;
            filtered = Some((len, cursor.u32_le("the filter mask of the root block")?));
            pipeline = filters(&cursor.take(filters_len.into(), "the filters of a heap")?)?;
        }
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "fractal heap")?;
        let valid = columns > 0 && first.is_power_of_two() && largest.is_power_of_two() && largest >= first;
        if !valid || bits > 64 {
            return Err(Stop::malformed(shape_at, "the shape of a fractal heap"));
        }
        let mut filters = Vec::new();
        for (id, range) in pipeline {
            filters.push(id);
            self.filter(id, range, path)?;
        }
        if let Some(free) = free {
            let ended = self.free_space(free);
            self.carry_on(ended)?;
        }
        let offset_width = usize::from(bits.div_ceil(8));
        let length_width = usize::try_from(largest.ilog2().div_ceil(8)).unwrap_or(8).min(width(most));
        let shape = Doubling { width: columns, first, largest, offset_width, checksums: flags & 2 != 0 };
        let huge = RefCell::default();
        let mut heap = Heap { blocks: Vec::new(), filters, id_len, offset_width, length_width, huge_tree, huge };
        if let Some(root) = root {
            self.heap_blocks(root, rows, filtered, shape, &mut heap)?;
        }
        Ok(heap)
    }

    /// Queues the huge objects of a heap, so that they are read before what was queued already.
    pub fn huge_objects(&mut self, heap: Rc<Heap>, owner: u64) -> Result<(), Stop> {
        match heap.huge_tree {
            Some(tree) => self.tree(tree, Use::Huge(heap), owner),
            None => Ok(()),
        }
    }

    /// All direct blocks of a heap.
    fn heap_blocks(
        &mut self,
        root: u64,
        rows: u64,
        filtered: Filtered,
        shape: Doubling,
        heap: &mut Heap,
    ) -> Result<(), Stop> {
        if rows == 0 {
            return self.direct_block(root, shape.first, filtered, shape, heap);
        }
        let mut waiting = vec![(root, rows)];
        while let Some((address, rows)) = waiting.pop() {
            if !self.is_new(("indirect block", address, 0))? {
                continue;
            }
            let at = self.place(address)?;
            let (mut cursor, _version) = self.signed(at, u64::MAX, b"FHIB", "an indirect block of a fractal heap")?;
            self.widths.address(&mut cursor)?;
            uint(&mut cursor, shape.offset_width, "the offset of a block")?;
            for row in 0..rows {
                let size = shape.size(row);
                if size == 0 {
                    return Err(Stop::malformed(at, "an indirect block of a size that fits"));
                }
                for _ in 0..shape.width {
                    let address = self.widths.address(&mut cursor)?;
                    if size > shape.largest {
                        waiting.extend(address.map(|address| (address, shape.rows(size))));
                        continue;
                    }
                    let filtered = match filtered {
                        Some(_) => {
                            let len = self.widths.length(&mut cursor)?;
                            Some((len, cursor.u32_le("the filter mask of a block")?))
                        }
                        None => None,
                    };
                    if let Some(address) = address {
                        let ended = self.direct_block(address, size, filtered, shape, heap);
                        self.carry_on(ended)?;
                    }
                }
            }
            cursor.u32_le("a checksum")?;
            self.structure(at..cursor.at(), "indirect block")?;
        }
        sorting::by_key(&mut heap.blocks, |block| *block);
        Ok(())
    }

    /// A block of objects; what is not an object is free.
    fn direct_block(
        &mut self,
        address: u64,
        size: u64,
        filtered: Filtered,
        shape: Doubling,
        heap: &mut Heap,
    ) -> Result<(), Stop> {
        if !self.is_new(("direct block", address, size))? {
            return Ok(());
        }
        let range = match filtered {
            Some((len, mask)) => {
                let stored = self.raw_range(address, len)?;
                let block = self.decode(stored, &heap.filters, mask)?.range();
                block.start..block.start.saturating_add(size).min(block.end)
            }
            None => self.raw_range(address, size)?,
        };
        let at = range.start;
        let (mut cursor, _version) = self.signed(at, 64, b"FHDB", "a direct block of a fractal heap")?;
        self.widths.address(&mut cursor)?;
        let offset = uint(&mut cursor, shape.offset_width, "the offset of a block")?;
        if shape.checksums {
            cursor.u32_le("a checksum")?;
        }
        self.structure(at..cursor.at(), "direct block")?;
        self.claim(cursor.at()..range.end, Kind::Slack, "free space of a heap")?;
        heap.blocks.push((offset, size, at));
        Ok(())
    }

    /// An object that stands in no block: where it is stored, and how it was filtered.
    pub fn huge_object(&mut self, cursor: &mut Cursor, filters: &[u16]) -> Result<Bytes, Stop> {
        let (at, widths) = (cursor.at(), self.widths);
        let address = widths.address(cursor)?.ok_or(Stop::malformed(at, "the address of a huge object"))?;
        let stored = self.raw_range(address, widths.length(cursor)?)?;
        if filters.is_empty() {
            return Ok(self.visit.bytes.window(stored));
        }
        let mask = cursor.u32_le("the filter mask of a huge object")?;
        widths.length(cursor)?;
        self.decode(stored, filters, mask)
    }

    /// The object that an ID stands for.
    pub fn heap_object(&mut self, heap: &Heap, cursor: &mut Cursor) -> Result<Bytes, Stop> {
        let at = cursor.at();
        let first = cursor.u8("a heap ID")?;
        let malformed = || Stop::malformed(at, "the ID of an object in a fractal heap");
        match (first >> 4) & 3 {
            0 => {
                let offset = uint(cursor, heap.offset_width, "the offset of an object")?;
                let len = uint(cursor, heap.length_width, "the length of an object")?;
                let index = heap.blocks.partition_point(|(start, _, _)| *start <= offset).checked_sub(1);
                let (start, size, place) =
                    index.and_then(|index| heap.blocks.get(index)).copied().ok_or_else(malformed)?;
                let inside = offset.saturating_sub(start);
                if inside.saturating_add(len) > size {
                    return Err(malformed());
                }
                let from = place.saturating_add(inside);
                Ok(self.window(from, len))
            }
            // Huge: the address itself if it fits, else the number of one that was kept.
            1 => {
                let (offset, length) = (self.widths.offset as u64, self.widths.length as u64);
                let filtered = if heap.filters.is_empty() { 0 } else { length.saturating_add(4) };
                let room = heap.id_len.saturating_sub(1);
                if room >= offset.saturating_add(length).saturating_add(filtered) {
                    return self.huge_object(cursor, &heap.filters);
                }
                let number = uint(cursor, usize::try_from(room).unwrap_or(8), "the number of a huge object")?;
                heap.huge.borrow().get(&number).cloned().ok_or_else(malformed)
            }
            // Tiny: the object stands in the ID.
            2 => {
                let mut len = u64::from(first & 15);
                if heap.id_len > 18 {
                    len = (len << 8) | u64::from(cursor.u8("the length of a tiny object")?);
                }
                cursor.take(len.saturating_add(1), "a tiny object")
            }
            _ => Err(malformed()),
        }
    }
}
