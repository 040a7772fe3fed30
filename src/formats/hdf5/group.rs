//! Groups of the first kind: a version 1 B-tree of symbol table nodes, with names in a local heap.
//!
//! ```text
//! node     "TREE" | type 0 | level | entries 2 | left O | right O | key L, child O, key L, child O, ... key L
//! symbols  "SNOD" | version 1 | 0 | number 2 | entry*
//! entry    name offset L | object header O | cache type 4 | 0 4 | scratch 16
//! heap     "HEAP" | version 0 | 0 3 | size of segment L | free list L | address of segment O
//! ```

use std::{ops::Range, rc::Rc};

use super::{
    message::Target,
    walk::{Task, Walk},
};
use crate::{ledger::Kind, stop::Stop};

/// Names, in one segment.
pub(super) struct LocalHeap {
    pub segment: Range<u64>,
}

/// A group and the heap of its names.
pub(super) struct Names {
    pub path: Rc<str>,
    pub heap: LocalHeap,
    pub heap_address: u64,
}

impl Walk<'_, '_> {
    /// Queues the nodes of a group.
    pub fn symbol_table(&mut self, tree: u64, heap_address: u64, path: &Rc<str>) -> Result<(), Stop> {
        let heap = self.local_heap(heap_address)?;
        let group = Rc::new(Names { path: path.clone(), heap, heap_address });
        self.push(Task::GroupNode { address: tree, group })
    }

    /// Reads a local heap's header; its segment is room for names, and for what was a name once.
    pub fn local_heap(&mut self, address: u64) -> Result<LocalHeap, Stop> {
        let at = self.place(address)?;
        let widths = self.widths;
        let (mut cursor, _version) = self.signed(at, 64, b"HEAP", "a local heap")?;
        cursor.array::<3>("reserved bytes of a local heap")?;
        let size = widths.length(&mut cursor)?;
        widths.length(&mut cursor)?;
        let segment =
            widths.address(&mut cursor)?.ok_or(Stop::malformed(at, "the address of a local heap's segment"))?;
        let segment = self.raw_range(segment, size)?;
        self.structure(at..cursor.at(), "local heap")?;
        self.claim(segment.clone(), Kind::Slack, "room of a local heap")?;
        Ok(LocalHeap { segment })
    }

    pub fn group_node(&mut self, address: u64, group: &Rc<Names>) -> Result<(), Stop> {
        if !self.is_new(("group node", address, group.heap_address))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let widths = self.widths;
        let pair = (widths.offset as u64).saturating_add(widths.length as u64);
        // A node has room for twice its rank.
        let most = self.ranks.group.saturating_mul(2);
        let len = 8u64
            .saturating_add((widths.offset as u64).saturating_mul(2))
            .saturating_add(most.saturating_mul(pair))
            .saturating_add(widths.length as u64);
        let (mut cursor, kind) = self.signed(at, len, b"TREE", "a node of a group's B-tree")?;
        let level = cursor.u8("the level of a node")?;
        let entries = cursor.u16_le("the number of entries of a node")?;
        if kind != 0 || u64::from(entries) > most {
            return Err(Stop::malformed(at.saturating_add(4), "a node of a group's B-tree"));
        }
        widths.address(&mut cursor)?;
        widths.address(&mut cursor)?;
        for _ in 0..entries {
            widths.length(&mut cursor)?;
            let Some(address) = widths.address(&mut cursor)? else { continue };
            let group = group.clone();
            let task = if level == 0 { Task::Symbols { address, group } } else { Task::GroupNode { address, group } };
            self.push(task)?;
        }
        widths.length(&mut cursor)?;
        self.structure(at..cursor.at(), "B-tree node")?;
        self.claim(cursor.at()..at.saturating_add(len), Kind::Slack, "unused room of a B-tree node")
    }

    pub fn symbols(&mut self, address: u64, group: &Rc<Names>) -> Result<(), Stop> {
        if !self.is_new(("symbols", address, group.heap_address))? {
            return Ok(());
        }
        let at = self.place(address)?;
        let widths = self.widths;
        let entry = (widths.offset as u64).saturating_add(widths.length as u64).saturating_add(24);
        let most = self.ranks.leaf.saturating_mul(2);
        let len = most.saturating_mul(entry).saturating_add(8);
        let (mut cursor, _version) = self.signed(at, len, b"SNOD", "a symbol table node")?;
        cursor.u8("a reserved byte")?;
        let number = cursor.u16_le("the number of symbols")?;
        if u64::from(number) > most {
            return Err(Stop::malformed(at.saturating_add(6), "a number of symbols that fits"));
        }
        for _ in 0..number {
            let name = widths.length(&mut cursor)?;
            let address = widths.address(&mut cursor)?;
            let cache = cursor.u32_le("a cache type")?;
            cursor.u32_le("reserved bytes")?;
            let scratch = cursor.at();
            let value = cursor.u32_le("the scratch pad")?;
            cursor.seek(scratch.saturating_add(16));
            let (range, name) = self.heap_name(&group.heap, name)?;
            self.structure(range, "name")?;
            let path = Self::below(&group.path, &String::from_utf8_lossy(&name));
            if cache == 2 {
                // A symbolic link: the path that it stands for is in the heap too, and stays in this file.
                let (range, _) = self.heap_name(&group.heap, value.into())?;
                self.structure(range, "soft link")?;
                self.visit.count(Target::Soft.name(), 1);
            } else if let Some(address) = address {
                self.push(Task::Header { address, path })?;
                self.visit.count(Target::Hard(None).name(), 1);
            }
        }
        self.structure(at..cursor.at(), "symbol table node")?;
        self.claim(cursor.at()..at.saturating_add(len), Kind::Slack, "unused room of a symbol table node")
    }
}
