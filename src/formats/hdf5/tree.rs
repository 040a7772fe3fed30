//! Version 2 B-trees: of names in fractal heaps, of huge objects, of chunks.
//!
//! ```text
//! header    "BTHD" | 0 | type | node size 4 | record size 2 | depth 2 | split | merge
//!           root O | records in root 2 | records in all L | checksum 4
//! internal  "BTIN" | 0 | type | record* | child* | checksum 4        child = address O | records | [records in all]
//! leaf      "BTLF" | 0 | type | record* | checksum 4
//! ```
//! How many bytes the counts of a child take follows from how many records fit into a node.

use std::rc::Rc;

use super::{
    chunk::Chunks,
    fractal::Heap,
    walk::{Task, Walk, uint},
};
use crate::{bytes::Bytes, ledger::Kind, stop::Stop};

/// What the records of a tree are for.
pub(super) enum Use {
    /// Types 5 and 8: links or attributes by name.
    Names { heap: Rc<Heap>, path: Rc<str>, links: bool },
    /// Types 6, 7 and 9: the same objects once more, in another order.
    Again,
    /// Types 1 to 4: objects that are too large for blocks of a heap.
    Huge(Rc<Heap>),
    /// Types 10 and 11: chunks.
    Chunks(Rc<Chunks>),
}

/// A tree.
pub(super) struct Tree {
    kind: u8,
    node_size: u64,
    record: u64,
    /// Bytes of the number of records in a child.
    count_width: usize,
    /// Bytes of the number of records in and below a child, by its depth.
    sum_widths: Vec<usize>,
    purpose: Use,
    owner: u64,
}

/// A node that waits to be read.
pub(super) struct Node {
    tree: Rc<Tree>,
    address: u64,
    records: u64,
    depth: u16,
}

/// Deeper than any file can be.
const DEPTH: u16 = 64;

/// Bytes around the records of a node: signature, version, type, checksum.
const OVERHEAD: u64 = 10;

impl Walk<'_, '_> {
    /// Reads the header of a tree and queues its root. `owner` is the address of what the tree belongs to.
    pub fn tree(&mut self, address: u64, purpose: Use, owner: u64) -> Result<(), Stop> {
        let at = self.place(address)?;
        let widths = self.widths;
        let (mut cursor, _version) = self.signed(at, 64, b"BTHD", "a version 2 B-tree")?;
        let kind = cursor.u8("the type of a B-tree")?;
        let node_size = u64::from(cursor.u32_le("the size of a node")?);
        let record = u64::from(cursor.u16_le("the size of a record")?);
        let depth = cursor.u16_le("the depth of a B-tree")?;
        cursor.u16_le("percentages of a B-tree")?;
        let root = widths.address(&mut cursor)?;
        let records = cursor.u16_le("the number of records of the root")?;
        widths.length(&mut cursor)?;
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "B-tree")?;
        let fits = match purpose {
            Use::Names { links: true, .. } => kind == 5,
            Use::Names { links: false, .. } => kind == 8,
            Use::Again => matches!(kind, 6 | 7 | 9),
            Use::Huge(_) => matches!(kind, 1..=4),
            Use::Chunks(_) => matches!(kind, 10 | 11),
        };
        if !fits || record == 0 || node_size <= OVERHEAD || depth > DEPTH {
            return Err(Stop::malformed(at.saturating_add(5), "a B-tree of the type that leads to it"));
        }
        let (count_width, sum_widths) = child_widths(node_size, record, depth, widths.offset as u64);
        let tree = Rc::new(Tree { kind, node_size, record, count_width, sum_widths, purpose, owner });
        match root {
            Some(address) => self.push(Task::Node(Node { tree, address, records: records.into(), depth })),
            None => Ok(()),
        }
    }

    pub fn node(&mut self, node: Node) -> Result<(), Stop> {
        let Node { tree, address, records, depth } = node;
        if !self.is_new(("node", address, tree.owner))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let signature = if depth == 0 { b"BTLF" } else { b"BTIN" };
        let (mut cursor, _version) = self.signed(at, tree.node_size, signature, "a node of a version 2 B-tree")?;
        if cursor.u8("the type of a node")? != tree.kind {
            return Err(Stop::malformed(at.saturating_add(5), "a node of the type of its B-tree"));
        }
        for _ in 0..records {
            let record = cursor.take(tree.record, "a record of a B-tree")?;
            let ended = self.record(&tree, &record);
            self.carry_on(ended)?;
        }
        if let Some(below) = depth.checked_sub(1) {
            for _ in 0..=records {
                let child = self.widths.address(&mut cursor)?;
                let records = uint(&mut cursor, tree.count_width, "the number of records of a node")?;
                if below > 0 {
                    let width = tree.sum_widths.get(usize::from(below)).copied().unwrap_or(8);
                    uint(&mut cursor, width, "the number of records below a node")?;
                }
                if let Some(address) = child {
                    let tree = tree.clone();
                    self.push(Task::Node(Node { tree, address, records, depth: below }))?;
                }
            }
        }
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "B-tree node")?;
        let end = at.saturating_add(tree.node_size);
        self.claim(cursor.at()..end, Kind::Slack, "unused room of a B-tree node")
    }

    fn record(&mut self, tree: &Tree, record: &Bytes) -> Result<(), Stop> {
        let widths = self.widths;
        let mut cursor = record.cursor();
        match &tree.purpose {
            Use::Again => Ok(()),
            Use::Chunks(chunks) => {
                let address = widths.address(&mut cursor)?;
                let mut len = chunks.len;
                if tree.kind == 11 {
                    // The width of the length is what the other fields leave.
                    let rank = (chunks.dims as u64).saturating_sub(1);
                    let others = (widths.offset as u64).saturating_add(4).saturating_add(rank.saturating_mul(8));
                    let width = usize::try_from(tree.record.saturating_sub(others)).unwrap_or(8);
                    len = uint(&mut cursor, width, "the length of a chunk")?;
                }
                address.map_or(Ok(()), |address| self.raw(address, len))
            }
            Use::Names { heap, path, links } => {
                if *links {
                    cursor.u32_le("the hash of a name")?;
                    let object = self.heap_object(heap, &mut cursor)?;
                    return self.link(&object, path);
                }
                let flags = record.peek(record.start().saturating_add(8), 1)?;
                let is_shared = flags.first().is_some_and(|flags| flags & 2 != 0);
                let object = match is_shared {
                    true => self.shared_object(0x0c, &mut cursor)?,
                    false => self.heap_object(heap, &mut cursor)?,
                };
                self.attribute(&object, path)
            }
            Use::Huge(heap) => {
                // IDs are addresses where they have room for it.
                if matches!(tree.kind, 3 | 4) {
                    return Ok(());
                }
                let object = self.huge_object(&mut cursor, &heap.filters)?;
                heap.keep(widths.length(&mut cursor)?, object)
            }
        }
    }
}

/// The widths of the two counts of a child.
fn child_widths(node_size: u64, record: u64, depth: u16, offset: u64) -> (usize, Vec<usize>) {
    let most = node_size.saturating_sub(OVERHEAD) / record;
    let count_width = width(most);
    let mut sum = most;
    let mut sums = vec![0];
    for _ in 0..depth {
        let pointer = offset.saturating_add(count_width as u64).saturating_add(sums.last().map_or(0, |w| *w as u64));
        let room = node_size.saturating_sub(OVERHEAD).saturating_sub(pointer);
        let most = room / record.saturating_add(pointer);
        sum = most.saturating_add(1).saturating_mul(sum).saturating_add(most);
        sums.push(width(sum));
    }
    (count_width, sums)
}

/// Bytes that numbers up to `most` take.
pub(super) fn width(most: u64) -> usize {
    let bits = 64u32.saturating_sub(most.leading_zeros()).max(1);
    bits.div_ceil(8) as usize
}
