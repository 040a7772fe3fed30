//! Fractal heaps: links and attributes of large groups, in blocks that double in size.
//!
//! ```text
//! header    "FRHP" | 0 | ID length 2 | filter length 2 | flags | largest managed object 4 | next huge ID L
//!           B-tree of huge objects O | free space L | free-space manager O | space L | allocated L | iterator L
//!           managed objects L | huge: size L, number L | tiny: size L, number L
//!           width 2 | first block L | largest direct block L | bits of the heap 2 | first rows 2
//!           root block O | rows 2 | [filtered root: size L, mask 4, filters] | checksum 4
//! direct    "FHDB" | 0 | header O | offset | [checksum 4] | objects
//! indirect  "FHIB" | 0 | header O | offset | direct block O* | indirect block O* | checksum 4
//! ID        version and kind 1 | offset | length      (managed)
//! ```

use std::rc::Rc;

use super::{
    tree::width,
    walk::{Walk, uint},
};
use crate::{
    bytes::{Bytes, Cursor},
    ledger::Kind,
    stop::Stop,
};

/// A heap whose blocks were found.
pub(super) struct Heap {
    /// Direct blocks by their offset in the heap: offset, length, place.
    blocks: Vec<(u64, u64, u64)>,
    id_len: u64,
    offset_width: usize,
    length_width: usize,
    /// The B-tree of objects that are too large for blocks.
    pub huge: Option<u64>,
}

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
    pub fn fractal_heap(&mut self, address: u64) -> Result<Heap, Stop> {
        let at = self.place(address)?;
        let widths = self.widths;
        let (mut cursor, _version) = self.signed(at, 512, b"FRHP", "a fractal heap")?;
        let id_len = u64::from(cursor.u16_le("the length of heap IDs")?);
        let filters = cursor.u16_le("the length of a heap's filters")?;
        let flags = cursor.u8("the flags of a heap")?;
        let most = u64::from(cursor.u32_le("the largest managed object")?);
        widths.length(&mut cursor)?;
        let huge = widths.address(&mut cursor)?;
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
        if filters > 0 {
            widths.length(&mut cursor)?;
            cursor.u32_le("the filter mask of the root block")?;
            cursor.take(filters.into(), "the filters of a heap")?;
        }
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "fractal heap")?;
        let valid = columns > 0 && first.is_power_of_two() && largest.is_power_of_two() && largest >= first;
        if !valid || bits > 64 {
            return Err(Stop::malformed(shape_at, "the shape of a fractal heap"));
        }
        if filters > 0 {
            return Err(Stop::unsupported(at, "a fractal heap with filters"));
        }
        if let Some(free) = free {
            let ended = self.free_space(free);
            self.carry_on(ended)?;
        }
        let offset_width = usize::from(bits.div_ceil(8));
        let length_width = usize::try_from(largest.ilog2().div_ceil(8)).unwrap_or(8).min(width(most));
        let shape = Doubling { width: columns, first, largest, offset_width, checksums: flags & 2 != 0 };
        let blocks = self.heap_blocks(root, rows, shape)?;
        Ok(Heap { blocks, id_len, offset_width, length_width, huge })
    }

    /// All direct blocks of a heap.
    fn heap_blocks(&mut self, root: Option<u64>, rows: u64, shape: Doubling) -> Result<Vec<(u64, u64, u64)>, Stop> {
        let mut blocks = Vec::new();
        let Some(root) = root else { return Ok(blocks) };
        if rows == 0 {
            self.direct_block(root, shape.first, shape, &mut blocks)?;
            return Ok(blocks);
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
                    let Some(address) = self.widths.address(&mut cursor)? else { continue };
                    if size <= shape.largest {
                        let ended = self.direct_block(address, size, shape, &mut blocks);
                        self.carry_on(ended)?;
                    } else {
                        waiting.push((address, shape.rows(size)));
                    }
                }
            }
            cursor.u32_le("a checksum")?;
            self.structure(at..cursor.at(), "indirect block")?;
        }
        blocks.sort_unstable();
        Ok(blocks)
    }

    /// A block of objects; what is not an object is free.
    fn direct_block(
        &mut self,
        address: u64,
        size: u64,
        shape: Doubling,
        blocks: &mut Vec<(u64, u64, u64)>,
    ) -> Result<(), Stop> {
        if !self.is_new(("direct block", address, size))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let (mut cursor, _version) = self.signed(at, 64, b"FHDB", "a direct block of a fractal heap")?;
        self.widths.address(&mut cursor)?;
        let offset = uint(&mut cursor, shape.offset_width, "the offset of a block")?;
        if shape.checksums {
            cursor.u32_le("a checksum")?;
        }
        self.structure(at..cursor.at(), "direct block")?;
        let range = self.raw_range(address, size)?;
        self.claim(cursor.at()..range.end, Kind::Slack, "free space of a heap")?;
        blocks.push((offset, size, at));
        Ok(())
    }

    /// The object that an ID stands for; `None` where another way leads to it.
    pub fn heap_object(&mut self, heap: &Rc<Heap>, cursor: &mut Cursor) -> Result<Option<Bytes>, Stop> {
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
                Ok(Some(self.window(from, len)))
            }
            // Huge: the address itself if it fits, else a number in the B-tree of huge objects, which is read whole.
            1 => {
                let widths = self.widths;
                let direct = (widths.offset as u64).saturating_add(widths.length as u64).saturating_add(1);
                if heap.id_len < direct {
                    return Ok(None);
                }
                let Some(address) = widths.address(cursor)? else { return Ok(None) };
                let len = widths.length(cursor)?;
                let range = self.raw_range(address, len)?;
                Ok(Some(self.visit.bytes.window(range)))
            }
            // Tiny: the object stands in the ID.
            2 => {
                let mut len = u64::from(first & 15);
                if heap.id_len > 18 {
                    len = (len << 8) | u64::from(cursor.u8("the length of a tiny object")?);
                }
                cursor.take(len.saturating_add(1), "a tiny object").map(Some)
            }
            _ => Err(malformed()),
        }
    }
}
