//! Messages that objects share: in heaps that the superblock extension leads to, or in the header of another object.
//!
//! ```text
//! table    "SMTB" | index* | checksum 4
//! index    0 | list 0 or B-tree 1 | kinds 2 | least size 4 | cutoffs 2, 2 | records 2 | index O | heap O
//! list     "SMLI" | record* | checksum 4 | room for as many records as the cutoff says
//! record   0 | hash 4 | references 4 | heap ID 8      or      1 | hash 4 | 0 | kind 1 | order 2 | object header O
//! shared   1 | kind | 0 6 | object header O      2 | kind | object header O      3 | 1 | heap ID 8      3 | 2 | object header O
//! ```

use std::rc::Rc;

use super::{
    fractal::Heap,
    tree::Use,
    walk::{Task, Walk},
};
use crate::{
    bytes::{Bytes, Cursor},
    ledger::Kind,
    stop::Stop,
};

/// Messages of some kinds, in one heap.
pub(super) struct Shared {
    /// One bit a kind of message.
    kinds: u16,
    heap: Rc<Heap>,
}

/// A row of the table.
struct Index {
    in_tree: bool,
    kinds: u16,
    most: u64,
    records: u64,
    address: Option<u64>,
    heap: Option<u64>,
}

impl Walk<'_, '_> {
    /// Message 0x000F: where the table is.
    pub fn shared_table(&mut self, body: &Bytes, path: &Rc<str>) -> Result<(), Stop> {
        self.structure(body.range(), "shared message table")?;
        let widths = self.widths;
        let mut cursor = body.cursor();
        cursor.u8("the version of a shared message table")?;
        let Some(address) = widths.address(&mut cursor)? else { return Ok(()) };
        let count = cursor.u8("the number of indexes")?;

        let at = self.place(address)?;
        let mut cursor = self.signature(at, u64::MAX, b"SMTB", "a shared message table")?;
        let mut indexes = Vec::new();
        for _ in 0..count {
            let [_version, kind] = cursor.array("an index of shared messages")?;
            let kinds = cursor.u16_le("the kinds of shared messages")?;
            cursor.u32_le("the least size of a shared message")?;
            let most = cursor.u16_le("the most records of a list")?.into();
            cursor.u16_le("the fewest records of a B-tree")?;
            let records = cursor.u16_le("the number of shared messages")?.into();
            let address = widths.address(&mut cursor)?;
            let heap = widths.address(&mut cursor)?;
            indexes.push(Index { in_tree: kind != 0, kinds, most, records, address, heap });
        }
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "shared message table")?;
        for index in indexes {
            let ended = self.shared_index(&index, path);
            self.carry_on(ended)?;
        }
        Ok(())
    }

    fn shared_index(&mut self, index: &Index, path: &Rc<str>) -> Result<(), Stop> {
        let Some(heap_address) = index.heap else { return Ok(()) };
        let heap = Rc::new(self.fractal_heap(heap_address, path)?);
        self.shared.push(Shared { kinds: index.kinds, heap: heap.clone() });
        if let Some(address) = index.address {
            if index.in_tree {
                self.tree(address, Use::Again, heap_address)?;
            } else {
                self.shared_list(address, index)?;
            }
        }
        self.huge_objects(heap, heap_address)
    }

    /// The list says again what is in the heap.
    fn shared_list(&mut self, address: u64, index: &Index) -> Result<(), Stop> {
        let at = self.place(address)?;
        let mut cursor = self.signature(at, u64::MAX, b"SMLI", "a list of shared messages")?;
        let record = (self.widths.offset as u64).saturating_add(4).max(12).saturating_add(5);
        cursor.take(record.saturating_mul(index.records), "the records of shared messages")?;
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "list of shared messages")?;
        let room = record.saturating_mul(index.most.saturating_sub(index.records));
        self.claim(cursor.at()..cursor.at().saturating_add(room), Kind::Slack, "unused room of a list")
    }

    /// The message that stands for a shared one.
    pub fn shared_message(&mut self, kind: u16, body: &Bytes) -> Result<Bytes, Stop> {
        self.structure(body.range(), "shared message")?;
        let mut cursor = body.cursor();
        let [version, place] = cursor.array("a shared message")?;
        if version == 1 {
            cursor.array::<6>("reserved bytes of a shared message")?;
        }
        if version == 3 && place == 1 {
            return self.shared_object(kind, &mut cursor);
        }
        let at = cursor.at();
        let nowhere = Stop::malformed(at, "the address of a shared message");
        let address = self.widths.address(&mut cursor)?.ok_or_else(|| nowhere.clone())?;
        self.push(Task::Header { address, path: "committed datatype".into() })?;
        let messages = self.messages(address, false)?;
        let found = messages.into_iter().find(|message| message.kind == kind && !message.shared);
        found.map(|message| message.body).ok_or(nowhere)
    }

    /// The message that an ID in a heap of shared messages stands for.
    pub fn shared_object(&mut self, kind: u16, cursor: &mut Cursor) -> Result<Bytes, Stop> {
        // Fill values of both kinds are kept as one.
        let bit = 1u16.checked_shl(if kind == 4 { 5 } else { kind.into() }).unwrap_or(0);
        let shared = self.shared.iter().find(|shared| shared.kinds & bit != 0);
        let heap = shared.map(|shared| shared.heap.clone());
        let heap = heap.ok_or_else(|| Stop::malformed(cursor.at(), "a message of a kind that is shared"))?;
        self.heap_object(&heap, cursor)
    }
}
