//! The stack of blocks that addresses lead to, and the books of what was read.

use std::{collections::HashSet, ops::Range, rc::Rc};

use super::{
    Ranks, Superblock,
    chunk::Chunks,
    decoded::Decoded,
    group::{LocalHeap, Names},
    image::Imaged,
    shared::Shared,
    tree::Node,
};
use crate::{
    bytes::{Bytes, Cursor},
    format::Visit,
    ledger::{Kind, Region},
    sorting,
    stop::{Limit, Stop},
};

/// How many bytes addresses and lengths take in this file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Widths {
    pub offset: usize,
    pub length: usize,
}

impl Widths {
    pub fn read(cursor: &mut Cursor) -> Result<Self, Stop> {
        let at = cursor.at();
        let [offset, length] = cursor.array("the sizes of offsets and lengths")?;
        if !matches!((offset, length), (2 | 4 | 8, 2 | 4 | 8)) {
            return Err(Stop::malformed(at, "sizes of offsets and lengths of 2, 4 or 8"));
        }
        Ok(Widths { offset: offset.into(), length: length.into() })
    }

    /// An address; `None` for the undefined one, all ones.
    pub fn address(self, cursor: &mut Cursor) -> Result<Option<u64>, Stop> {
        let address = uint(cursor, self.offset, "an address")?;
        let undefined =
            if self.offset >= 8 { u64::MAX } else { (1u64 << self.offset.saturating_mul(8)).saturating_sub(1) };
        Ok((address != undefined).then_some(address))
    }

    /// A length.
    pub fn length(self, cursor: &mut Cursor) -> Result<u64, Stop> {
        uint(cursor, self.length, "a length")
    }
}

/// A number of `len` bytes (at most 8), little endian.
pub(super) fn uint(cursor: &mut Cursor, len: usize, expected: &'static str) -> Result<u64, Stop> {
    let at = cursor.at();
    let len = len.min(8);
    let bytes = cursor.peek(len)?;
    if bytes.len() < len {
        return Err(Stop::malformed(at, expected));
    }
    let number = bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte));
    cursor.seek(at.saturating_add(len as u64));
    Ok(number)
}

/// A block that waits to be read.
pub(super) enum Task {
    /// An object header.
    Header { address: u64, path: Rc<str> },
    /// A node of a version 1 B-tree of a group.
    GroupNode { address: u64, group: Rc<Names> },
    /// A node with symbol table entries.
    Symbols { address: u64, group: Rc<Names> },
    /// A node of a version 1 B-tree of chunks.
    ChunkNode { address: u64, chunks: Rc<Chunks> },
    /// A node of a version 2 B-tree.
    Node(Node),
    /// A global heap collection.
    Collection { address: u64 },
}

/// What a block was read as, with its address and that of what it belongs to.
pub(super) type Seen = (&'static str, u64, u64);

/// Blocks that wait, blocks that were read, and ranges in the books: at most this many are kept.
const MOST: usize = 1 << 21;

pub(super) struct Walk<'v, 'a> {
    pub visit: &'v mut Visit<'a>,
    pub widths: Widths,
    pub ranks: Ranks,
    /// Place of address 0.
    pub base: u64,
    /// Place behind the last byte that belongs to the file.
    pub eof: u64,
    tasks: Vec<Task>,
    seen: HashSet<Seen>,
    claims: Vec<Region>,
    /// Claims that cannot be joined; joining is tried again when there are twice as many.
    joined: usize,
    /// Whether something could not be read.
    pub damaged: bool,
    /// Places of values that became layers.
    pub opened: HashSet<u64>,
    /// Files that were named, with how often that was said.
    pub named: HashSet<String>,
    /// Filters that were reported.
    pub filters: HashSet<u16>,
    /// Blocks of the metadata cache image, by their addresses.
    pub image: Vec<Imaged>,
    /// Heaps of messages that objects share.
    pub shared: Vec<Shared>,
    /// What is stored filtered in heaps, by its places.
    pub decoded: Vec<Decoded>,
}

impl<'v, 'a> Walk<'v, 'a> {
    pub fn new(visit: &'v mut Visit<'a>, superblock: &Superblock) -> Self {
        Walk {
            visit,
            widths: superblock.widths,
            ranks: superblock.ranks,
            base: superblock.at,
            eof: superblock.eof,
            tasks: Vec::new(),
            seen: HashSet::new(),
            claims: Vec::new(),
            joined: 0,
            damaged: false,
            opened: HashSet::new(),
            named: HashSet::new(),
            filters: HashSet::new(),
            image: Vec::new(),
            shared: Vec::new(),
            decoded: Vec::new(),
        }
    }

    /// Claims what stands before the first block, and queues the first ones.
    pub fn start(&mut self, superblock: &Superblock) -> Result<(), Stop> {
        self.claim(0..superblock.at, Kind::Slack, "userblock")?;
        self.structure(superblock.at..superblock.end, "superblock")?;
        let end = self.visit.bytes.end();
        if superblock.eof > end {
            self.note(Stop::malformed(end, format!("bytes up to the end-of-file address {:#x}", superblock.eof)))?;
        }
        self.push(Task::Header { address: superblock.root, path: "/".into() })?;
        if let Some(address) = superblock.extension {
            self.push(Task::Header { address, path: "superblock extension".into() })?;
        }
        if let Some(address) = superblock.driver {
            let ended = self.driver(address);
            self.carry_on(ended)?;
        }
        if let Some(address) = superblock.free_space {
            let ended = self.free_space(address);
            self.carry_on(ended)?;
        }
        Ok(())
    }

    /// The driver information block: the file is one of several.
    fn driver(&mut self, address: u64) -> Result<(), Stop> {
        let at = self.place(address)?;
        let mut cursor = self.window(at, 16).cursor();
        cursor.u32_le("the version of the driver information block")?;
        let size = cursor.u32_le("the size of the driver information")?;
        let end = cursor.at().saturating_add(8).saturating_add(size.into());
        self.structure(at..end, "driver information block")?;
        Err(Stop::unsupported(at, "storage in several files"))
    }

    /// Reads blocks until none is left. Damage of one is noted, the others are read.
    pub fn run(&mut self) -> Result<(), Stop> {
        while let Some(task) = self.tasks.pop() {
            let ended = match task {
                Task::Header { address, path } => self.header(address, &path),
                Task::GroupNode { address, group } => self.group_node(address, &group),
                Task::Symbols { address, group } => self.symbols(address, &group),
                Task::ChunkNode { address, chunks } => self.chunk_node(address, &chunks),
                Task::Node(node) => self.node(node),
                Task::Collection { address } => self.collection(address),
            };
            self.carry_on(ended)?;
        }
        Ok(())
    }

    /// Notes damage and goes on; hands on what ends the reader.
    pub fn carry_on(&mut self, ended: Result<(), Stop>) -> Result<(), Stop> {
        ended.or_else(|stop| self.note(stop))
    }

    fn note(&mut self, stop: Stop) -> Result<(), Stop> {
        if matches!(stop, Stop::Cancelled | Stop::Exhausted(_) | Stop::Source(_)) {
            return Err(stop);
        }
        self.damaged = true;
        self.visit.note(stop);
        Ok(())
    }

    /// Queues a block.
    pub fn push(&mut self, task: Task) -> Result<(), Stop> {
        if self.tasks.len() >= MOST {
            return Err(Stop::Exhausted(Limit::Claims));
        }
        self.tasks.push(task);
        Ok(())
    }

    /// Whether a block is met for the first time as what it is now.
    pub fn is_new(&mut self, seen: Seen) -> Result<bool, Stop> {
        if self.seen.len() >= MOST {
            return Err(Stop::Exhausted(Limit::Claims));
        }
        Ok(self.seen.insert(seen))
    }

    /// The place that an address leads to.
    pub fn place(&self, address: u64) -> Result<u64, Stop> {
        let end = self.visit.bytes.end();
        let place = self.imaged(address).or_else(|| self.base.checked_add(address)).filter(|place| *place < end);
        place.ok_or_else(|| Stop::malformed(end, format!("a block at address {address:#x}")))
    }

    /// At most `len` bytes from a place on.
    pub fn window(&self, at: u64, len: u64) -> Bytes {
        let bytes = self.decoded_at(at).map_or(self.visit.bytes, |decoded| &decoded.bytes);
        bytes.window(at..at.saturating_add(len))
    }

    /// Walks a block that starts with a signature.
    pub fn signature(&self, at: u64, len: u64, signature: &[u8; 4], expected: &'static str) -> Result<Cursor, Stop> {
        let mut cursor = self.window(at, len).cursor();
        if cursor.array::<4>(expected)? != *signature {
            return Err(Stop::malformed(at, expected));
        }
        Ok(cursor)
    }

    /// Walks a block that starts with a signature and a version.
    pub fn signed(&self, at: u64, len: u64, signature: &[u8; 4], expected: &'static str) -> Result<(Cursor, u8), Stop> {
        let mut cursor = self.signature(at, len, signature, expected)?;
        let version = cursor.u8(expected)?;
        Ok((cursor, version))
    }

    pub fn structure(&mut self, range: Range<u64>, what: &'static str) -> Result<(), Stop> {
        self.claim(range, Kind::Structure, what)
    }

    /// Claims values by address, which must be in the file.
    pub fn raw(&mut self, address: u64, len: u64) -> Result<(), Stop> {
        let range = self.raw_range(address, len)?;
        self.claim(range, Kind::Opaque, "raw data")
    }

    /// The range of values by address; it must end in the file.
    pub fn raw_range(&self, address: u64, len: u64) -> Result<Range<u64>, Stop> {
        let at = self.place(address)?;
        let bytes_end = self.visit.bytes.end();
        let end = at.checked_add(len).filter(|end| *end <= bytes_end);
        let end = end.ok_or_else(|| Stop::malformed(bytes_end, format!("{len} bytes of raw data from {at:#x} on")))?;
        Ok(at..end)
    }

    /// Writes a range into the books.
    pub fn claim(&mut self, range: Range<u64>, kind: Kind, what: &'static str) -> Result<(), Stop> {
        if range.is_empty() || self.decoded_at(range.start).is_some() {
            return Ok(());
        }
        if let Some(last) = self.claims.last_mut()
            && last.kind == kind
            && last.what == what
            && last.range.end == range.start
        {
            last.range.end = range.end;
            return Ok(());
        }
        if self.claims.len() >= self.joined.saturating_mul(2).max(1 << 16) {
            self.join();
            if self.claims.len() >= MOST {
                return Err(Stop::Exhausted(Limit::Claims));
            }
        }
        self.claims.push(Region { range, kind, what });
        Ok(())
    }

    /// Sorts the books and joins neighbours: chunks are often written in another order than they are listed.
    fn join(&mut self) {
        sorting::by_key(&mut self.claims, |claim| (claim.range.start, claim.range.end, claim.kind));
        self.claims.dedup_by(|next, kept| {
            let same = next.kind == kept.kind && next.what == kept.what && next.range.start <= kept.range.end;
            if same {
                kept.range.end = kept.range.end.max(next.range.end);
            }
            same
        });
        self.joined = self.claims.len();
    }

    /// What no claim covers, between the superblock and the end of the file by its own account.
    fn gaps(&mut self) -> Vec<Range<u64>> {
        self.join();
        let end = self.eof.min(self.visit.bytes.end());
        let mut gaps = Vec::new();
        let mut at = self.base;
        for claim in &self.claims {
            if claim.range.start > at && at < end {
                gaps.push(at..claim.range.start.min(end));
            }
            at = at.max(claim.range.end);
        }
        if at < end {
            gaps.push(at..end);
        }
        gaps
    }

    /// Looks for global heap collections, which only values lead to, and hands the books over.
    pub fn finish(mut self, superblock: &Superblock) -> Result<(), Stop> {
        for gap in self.gaps() {
            self.collections_in(gap)?;
        }
        self.run()?;
        let gaps = if self.damaged { Vec::new() } else { self.gaps() };
        self.join();
        let claims = std::mem::take(&mut self.claims);
        for claim in claims {
            self.visit.claim(claim.range, claim.kind, claim.what)?;
        }
        for gap in gaps {
            self.visit.slack(gap.start.max(superblock.at)..gap.end, "free space")?;
        }
        Ok(())
    }

    /// The free-space manager at an address: a header and a list of sections.
    pub fn free_space(&mut self, address: u64) -> Result<(), Stop> {
        let at = self.place(address)?;
        let widths = self.widths;
        let (mut cursor, _version) = self.signed(at, 256, b"FSHD", "a free-space manager")?;
        cursor.u8("the client of a free-space manager")?;
        for _ in 0..4 {
            widths.length(&mut cursor)?;
        }
        cursor.array::<8>("settings of a free-space manager")?;
        widths.length(&mut cursor)?;
        let list = widths.address(&mut cursor)?;
        widths.length(&mut cursor)?;
        let allocated = widths.length(&mut cursor)?;
        cursor.u32_le("a checksum")?;
        self.structure(at..cursor.at(), "free-space manager")?;
        if let Some(list) = list {
            let at = self.place(list)?;
            self.signed(at, 5, b"FSSE", "a free-space section list")?;
            let end = at.saturating_add(allocated).min(self.eof.max(at));
            self.structure(at..end, "free-space sections")?;
        }
        Ok(())
    }

    /// A path below another, short enough to be kept many times.
    pub fn below(path: &str, name: &str) -> Rc<str> {
        let name: String = name.chars().take(60).collect();
        let path = path.trim_end_matches('/');
        match path.char_indices().rev().nth(120) {
            Some((cut, _)) => format!("…{}/{name}", path.get(cut..).unwrap_or_default()).into(),
            None => format!("{path}/{name}").into(),
        }
    }

    /// The name at an offset of a local heap.
    pub fn heap_name(&self, heap: &LocalHeap, offset: u64) -> Result<(Range<u64>, Vec<u8>), Stop> {
        let at = heap.segment.start.saturating_add(offset);
        if at >= heap.segment.end {
            return Err(Stop::malformed(heap.segment.end, "a name in a local heap"));
        }
        let bytes = self.visit.bytes.window(at..heap.segment.end).peek(at, 64 << 10)?;
        let len = memchr::memchr(0, &bytes).ok_or(Stop::malformed(at, "the end of a name in a local heap"))?;
        let name = bytes.get(..len).unwrap_or_default().to_vec();
        Ok((at..at.saturating_add(len as u64).saturating_add(1), name))
    }
}
