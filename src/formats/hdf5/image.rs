//! The metadata cache image: blocks as they were in memory when the file was closed, for other places in the file.
//!
//! ```text
//! image    "MDCI" | 0 | flags | length L | entries 4 | entry* | checksum 4
//! entry    type | flags | ring | age | counts 2, 2, parents 2 | rank 4 | address O | length L | parent O* | block
//! ```
//! Where an address lies in a block of the image, the block is read there. What stands at the address itself is older,
//! and free space.

use super::walk::Walk;
use crate::{
    bytes::Bytes,
    sorting,
    stop::{Limit, Stop},
};

/// A block of the image.
pub(super) struct Imaged {
    address: u64,
    len: u64,
    place: u64,
}

/// The most blocks of an image.
const MOST: usize = 1 << 20;

impl Walk<'_, '_> {
    /// Message 0x0018: where the image is.
    pub fn cache_image(&mut self, body: &Bytes) -> Result<(), Stop> {
        self.structure(body.range(), "metadata cache image")?;
        let widths = self.widths;
        let mut cursor = body.cursor();
        cursor.u8("the version of a metadata cache image")?;
        let address = widths.address(&mut cursor)?;
        let len = widths.length(&mut cursor)?;
        let Some(address) = address.filter(|_| len > 0) else { return Ok(()) };

        let at = self.place(address)?;
        let (mut cursor, _version) = self.signed(at, len, b"MDCI", "a metadata cache image")?;
        cursor.u8("the flags of a metadata cache image")?;
        widths.length(&mut cursor)?;
        let entries = cursor.u32_le("the number of blocks")?;
        self.structure(at..cursor.at(), "metadata cache image")?;
        for _ in 0..entries {
            let start = cursor.at();
            cursor.array::<8>("a block of a metadata cache image")?;
            let parents = u64::from(cursor.u16_le("the number of parents of a block")?);
            cursor.u32_le("the rank of a block")?;
            let address = widths.address(&mut cursor)?;
            let len = widths.length(&mut cursor)?;
            cursor.take(parents.saturating_mul(widths.offset as u64), "the parents of a block")?;
            self.structure(start..cursor.at(), "block of a metadata cache image")?;
            let block = cursor.take(len, "a block that ends in its image")?;
            if self.image.len() >= MOST {
                return Err(Stop::Exhausted(Limit::Claims));
            }
            self.image.extend(address.map(|address| Imaged { address, len, place: block.start() }));
        }
        let checksum = cursor.at();
        cursor.u32_le("a checksum")?;
        self.structure(checksum..cursor.at(), "checksum")?;
        sorting::by_key(&mut self.image, |block| block.address);
        Ok(())
    }

    /// The place in the image of what an address stands for.
    pub fn imaged(&self, address: u64) -> Option<u64> {
        let index = self.image.partition_point(|block| block.address <= address).checked_sub(1)?;
        let block = self.image.get(index)?;
        let inside = address.checked_sub(block.address).filter(|inside| *inside < block.len)?;
        block.place.checked_add(inside)
    }
}
