//! The pages: B-trees, overflow chains, free pages and pointer maps, each page once.

use std::ops::Range;

use nom::{
    IResult, Parser,
    combinator::cond,
    number::complete::{be_u8, be_u16, be_u32},
};

use super::{Encoding, HEADER, Header, schema::Statements};
use crate::{
    format::{Role, Span, Visit},
    ledger::Kind,
    sorting,
    source::Units,
    stop::{Limit, Stop},
};

/// Values of rows that become layers: a table may have millions.
const LAYERS: usize = 10_000;

/// The shortest value that becomes one: a pickle with a single call needs as much.
const LEAST: u64 = 20;

/// The longest head of a row, and the longest statement.
const LONGEST: u64 = 4 << 20;

/// The byte that locks a database on disk; its page is left empty.
const LOCK_BYTE: u64 = 1 << 30;

/// What a B-tree holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tree {
    /// The definitions of all others.
    Schema,
    Table,
    /// Keys, which stand in a table as well.
    Index,
}

pub(super) struct Walk<'v, 'a> {
    visit: &'v mut Visit<'a>,
    header: Header,
    pages: u64,
    /// One bit for each page that was read.
    seen: Vec<u8>,
    opened: usize,
    statements: Statements,
    /// The B-trees that the schema names, each with the place where it does.
    roots: Vec<(u64, Tree, u64)>,
}

impl<'v, 'a> Walk<'v, 'a> {
    pub fn new(visit: &'v mut Visit<'a>, header: Header, pages: u64) -> Self {
        let seen = vec![0; usize::try_from(pages / 8).unwrap_or(0).saturating_add(1)];
        Walk { visit, header, pages, seen, opened: 0, statements: Statements::default(), roots: Vec::new() }
    }

    pub fn read(&mut self) -> Result<(), Stop> {
        if self.pages == 0 {
            return Err(Stop::malformed(HEADER, "the first page"));
        }
        self.lock_page()?;
        self.pointer_maps()?;
        self.roots.push((1, Tree::Schema, 0));
        while let Some((root, tree, at)) = self.roots.pop() {
            self.tree(root, tree, at)?;
        }
        self.free_pages()
    }

    /// The page that holds the byte by which the database is locked. Nothing is ever stored there.
    fn lock_page(&mut self) -> Result<(), Stop> {
        let page = self.lock_page_number();
        match self.enter(page)? {
            Some(range) => self.visit.slack(range, "page of the lock"),
            None => Ok(()),
        }
    }

    fn lock_page_number(&self) -> u64 {
        (LOCK_BYTE / self.header.page_size).saturating_add(1)
    }

    fn pointer_maps(&mut self) -> Result<(), Stop> {
        if !self.header.has_pointer_maps {
            return Ok(());
        }
        let entries = self.header.usable() / 5;
        let lock = self.lock_page_number();
        let mut page = 2;
        while page <= self.pages {
            let number = if page == lock { page.saturating_add(1) } else { page };
            if let Some(range) = self.enter(number)? {
                let end = range.start.saturating_add(entries.saturating_mul(5));
                self.visit.structure(range.start..end, "pointer map")?;
                self.visit.slack(end..range.end, "reserved")?;
            }
            page = page.saturating_add(entries).saturating_add(1);
        }
        Ok(())
    }

    /// The range of a page that is read now; `None` where there is no such page, or it was read before.
    fn enter(&mut self, page: u64) -> Result<Option<Range<u64>>, Stop> {
        if page == 0 || page > self.pages {
            return Ok(None);
        }
        let byte = usize::try_from(page / 8).ok().and_then(|index| self.seen.get_mut(index));
        let mask = 1u8 << (page % 8);
        match byte {
            Some(byte) if *byte & mask == 0 => *byte |= mask,
            _ => return Ok(None),
        }
        self.visit.bytes.budget().charge(1)?;
        let start = page.saturating_sub(1).saturating_mul(self.header.page_size);
        Ok(Some(start..start.saturating_add(self.header.page_size)))
    }

    /// As [`Walk::enter`]; where it is no page of its own, that is damage of what points at it, at `at`.
    fn enter_from(&mut self, page: u64, at: u64) -> Result<Option<Range<u64>>, Stop> {
        let range = self.enter(page)?;
        if range.is_none() {
            self.visit.note(Stop::malformed(at, "the number of a page of its own"));
        }
        Ok(range)
    }

    /// All pages of a B-tree.
    fn tree(&mut self, root: u64, tree: Tree, at: u64) -> Result<(), Stop> {
        let mut waiting = vec![(root, at)];
        while let Some((number, at)) = waiting.pop() {
            let Some(range) = self.enter_from(number, at)? else { continue };
            match self.page(&range, tree, &mut waiting) {
                Err(stop @ Stop::Malformed(_)) => self.visit.note(stop),
                ended => ended?,
            }
        }
        Ok(())
    }

    /// One page of a B-tree. Its children join those that wait.
    fn page(&mut self, range: &Range<u64>, tree: Tree, waiting: &mut Vec<(u64, u64)>) -> Result<(), Stop> {
        let window = self.visit.bytes.window(range.clone());
        let bytes = window.all()?;
        let usable = bytes.get(..usize::try_from(self.header.usable()).unwrap_or(0)).unwrap_or_default();
        let start = if range.start == 0 { HEADER as usize } else { 0 };
        let place = |at: usize| range.start.saturating_add(at as u64);
        let page = usable.get(start..).and_then(|input| page_header(input).ok().map(|(_, page)| page));
        let fits = |page: &Page| page.is_table() || tree != Tree::Schema;
        let page = page.filter(fits).ok_or(Stop::malformed(place(start), "the header of a B-tree page"))?;
        if let Some(child) = page.right {
            waiting.push((child.into(), place(start)));
        }
        let pointers = start.saturating_add(if page.right.is_some() { 12 } else { 8 });
        let room = pointers.saturating_add(usize::from(page.cells).saturating_mul(2));
        if room > page.content || page.content > usable.len() {
            return Err(Stop::malformed(place(start), "a page with room for its cells"));
        }
        self.visit.structure(place(start)..place(room), "B-tree page")?;
        self.visit.slack(place(room)..place(page.content), "unused room of a page")?;
        self.visit.slack(place(usable.len())..range.end, "reserved")?;
        for block in free_blocks(usable, page.first_free) {
            self.visit.slack(place(block.start)..place(block.end), "free block of a page")?;
        }

        let mut cells: Vec<Range<usize>> = Vec::with_capacity(usize::from(page.cells));
        for number in 0..usize::from(page.cells) {
            let at = pointers.saturating_add(number.saturating_mul(2));
            let pointed = usable.get(at..).and_then(|input| number_u16(input).ok());
            let cell_at = pointed.map_or(0, |(_, cell)| usize::from(cell));
            let input = usable.get(cell_at..).filter(|_| cell_at >= page.content);
            let input = input.ok_or(Stop::malformed(place(at), "the place of a cell"))?;
            let (_, cell) =
                cell(input, &page).map_err(|_| Stop::malformed(place(cell_at), "a cell of a B-tree page"))?;
            if let Some(child) = cell.child {
                waiting.push((child.into(), place(cell_at)));
            }
            let mut end = cell_at.saturating_add(cell.head);
            if let Some(len) = cell.payload {
                let local = usize::try_from(self.local_len(len, &page)).unwrap_or(usize::MAX);
                let from = end;
                end = end.saturating_add(local);
                let mut first = None;
                if (local as u64) < len {
                    let next = usable.get(end..).and_then(|input| number_u32(input).ok());
                    let (_, next) = next.ok_or(Stop::malformed(place(end), "the number of an overflow page"))?;
                    first = Some(next);
                    end = end.saturating_add(4);
                }
                if end > usable.len() {
                    return Err(Stop::malformed(place(cell_at), "a cell that fits into its page"));
                }
                let local = place(from)..place(from.saturating_add(local));
                let whole = self.payload(local.clone(), len, first, place(end))?;
                let used = self.row(&whole, tree, page.is_table())?;
                // What stands behind the values of a row is nobody's.
                let behind = whole.len.saturating_sub(used);
                if behind > 0 && first.is_none() {
                    let from = usize::try_from(behind).unwrap_or(0).min(end);
                    cells.push(cell_at..end.saturating_sub(from));
                    continue;
                }
            }
            // A cell takes four bytes at least.
            cells.push(cell_at..end.max(cell_at.saturating_add(4)).min(usable.len()));
        }
        self.claim_cells(range, cells, tree, &page)
    }

    fn claim_cells(
        &mut self,
        range: &Range<u64>,
        mut cells: Vec<Range<usize>>,
        tree: Tree,
        page: &Page,
    ) -> Result<(), Stop> {
        sorting::by_key(&mut cells, |cell| (cell.start, cell.end));
        let place = |at: usize| range.start.saturating_add(at as u64);
        let (kind, what) = match tree {
            Tree::Schema => (Kind::Structure, "definitions"),
            _ if page.right.is_some() && page.is_table() => (Kind::Structure, "B-tree page"),
            Tree::Table => (Kind::Opaque, "rows"),
            Tree::Index => (Kind::Opaque, "keys"),
        };
        let mut end = page.content;
        for cell in cells {
            if cell.start < end {
                return Err(Stop::malformed(place(cell.start), "cells that do not overlap"));
            }
            // Up to three bytes between cells are too few for a free block.
            if cell.start.saturating_sub(end) < 4 {
                self.visit.slack(place(end)..place(cell.start), "fragment of a page")?;
            }
            self.visit.claim(place(cell.start)..place(cell.end), kind, what)?;
            end = cell.end;
        }
        let usable = usize::try_from(self.header.usable()).unwrap_or(0);
        if usable.saturating_sub(end) < 4 {
            self.visit.slack(place(end)..place(usable), "fragment of a page")?;
        }
        Ok(())
    }

    /// How much of a payload stands in its page; the rest is in overflow pages.
    fn local_len(&self, len: u64, page: &Page) -> u64 {
        let usable = self.header.usable();
        let most = match page.kind {
            TABLE_LEAF => usable.saturating_sub(35),
            _ => (usable.saturating_sub(12).saturating_mul(64) / 255).saturating_sub(23),
        };
        if len <= most {
            return len;
        }
        let least = (usable.saturating_sub(12).saturating_mul(32) / 255).saturating_sub(23);
        let surplus = len.saturating_sub(least).checked_rem(usable.saturating_sub(4)).unwrap_or(0);
        let local = least.saturating_add(surplus);
        if local <= most { local } else { least }
    }

    /// The parts of a payload. `at` is the place of what points at the first overflow page.
    fn payload(&mut self, local: Range<u64>, len: u64, first: Option<u32>, at: u64) -> Result<Payload, Stop> {
        let mut left = len.saturating_sub(local.end.saturating_sub(local.start));
        let mut payload = Payload::default();
        payload.push(local);
        let mut next = first;
        let mut at = at.saturating_sub(4);
        while left > 0 {
            let number = next.ok_or(Stop::malformed(at, "a further overflow page"))?;
            let Some(range) = self.enter_from(number.into(), at)? else { break };
            let mut cursor = self.visit.bytes.window(range.clone()).cursor();
            let following = cursor.u32_be("the number of an overflow page")?;
            self.visit.structure(range.start..cursor.at(), "overflow page")?;
            let usable = range.start.saturating_add(self.header.usable());
            let end = cursor.at().saturating_add(left).min(usable);
            left = left.saturating_sub(end.saturating_sub(cursor.at()));
            self.visit.opaque(cursor.at()..end, "rows")?;
            self.visit.slack(end..range.end, "unused room of an overflow page")?;
            payload.push(cursor.at()..end);
            at = range.start;
            next = (following != 0).then_some(following);
        }
        Ok(payload)
    }

    /// One row: its values, of which some become layers. Returns how much of the payload they take.
    fn row(&mut self, payload: &Payload, tree: Tree, has_number: bool) -> Result<u64, Stop> {
        let at = payload.start();
        let malformed = || Stop::malformed(at, "the head of a row");
        let head = self.gather(payload, 0..9)?;
        let (_, head_len) = varint(&head).map_err(|_| malformed())?;
        if head_len > LONGEST {
            return Err(malformed());
        }
        let head = self.gather(payload, 0..head_len)?;
        let (mut rest, _) = varint(&head).map_err(|_| malformed())?;
        let mut place = head_len;
        let mut values = Vec::new();
        while !rest.is_empty() {
            let (behind, kind) = varint(rest).map_err(|_| malformed())?;
            rest = behind;
            let end = place.saturating_add(value_len(kind));
            if tree == Tree::Schema {
                values.push((kind, place..end));
            } else if tree == Tree::Table && kind >= 12 && kind.is_multiple_of(2) {
                self.value(payload, place..end)?;
            }
            place = end;
        }
        if place > payload.len {
            return Err(Stop::malformed(at, "a row of the length of its values"));
        }
        if tree == Tree::Schema && has_number {
            self.definition(payload, &values)?;
        }
        Ok(place)
    }

    /// A value of bytes.
    fn value(&mut self, payload: &Payload, range: Range<u64>) -> Result<(), Stop> {
        if range.end.saturating_sub(range.start) < LEAST {
            return Ok(());
        }
        if self.opened >= LAYERS {
            self.visit.note(Stop::Exhausted(Limit::Layers));
            return Ok(());
        }
        self.opened = self.opened.saturating_add(1);
        let mut cut = payload.cut(&range);
        let name = format!("value at {:#x}", cut.first().map_or(0, |part| part.start));
        let span = match cut.len() {
            1 => Span::Range(cut.pop().unwrap_or_default()),
            _ => Span::Ranges(cut),
        };
        self.visit.open(name, span, Role::Opaque("value of a row"))
    }

    /// A row of the schema: kind, name, table, root page and statement.
    fn definition(&mut self, payload: &Payload, values: &[(u64, Range<u64>)]) -> Result<(), Stop> {
        let at = payload.start();
        let [kind, name, _table, root, statement, ..] = values else {
            return Err(Stop::malformed(at, "the five values of a definition"));
        };
        let kind = self.text(payload, kind)?;
        let name = self.text(payload, name)?;
        let number = if matches!(root.0, 1..=6) { self.gather(payload, root.1.clone())? } else { Vec::new() };
        let number = number.iter().fold(u64::from(root.0 == 9), |number, byte| {
            number.checked_mul(256).map_or(u64::MAX, |number| number.saturating_add(u64::from(*byte)))
        });
        if number > 0 {
            let tree = if kind.as_deref() == Some("index") { Tree::Index } else { Tree::Table };
            self.roots.push((number, tree, at));
        }
        let Some(sql) = self.text(payload, statement)? else { return Ok(()) };
        let range = payload.cut(&statement.1).first().cloned().unwrap_or(at..at);
        self.statements.judge(self.visit, range, &name.unwrap_or_default(), &sql)
    }

    fn text(&self, payload: &Payload, (kind, range): &(u64, Range<u64>)) -> Result<Option<String>, Stop> {
        if *kind < 13 || kind.is_multiple_of(2) {
            return Ok(None);
        }
        if range.end.saturating_sub(range.start) > LONGEST {
            return Err(Stop::Exhausted(Limit::Window));
        }
        let bytes = self.gather(payload, range.clone())?;
        let wide =
            |units: Units| units.characters(&bytes).into_iter().map(|letter| letter.unwrap_or('\u{fffd}')).collect();
        Ok(Some(match self.header.encoding {
            Encoding::Utf8 => String::from_utf8_lossy(&bytes).into_owned(),
            Encoding::Utf16Le => wide(Units::Utf16Le),
            Encoding::Utf16Be => wide(Units::Utf16Be),
        }))
    }

    /// Bytes of a payload, cut to what there is.
    fn gather(&self, payload: &Payload, range: Range<u64>) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::new();
        for part in payload.cut(&range) {
            bytes.extend(self.visit.bytes.window(part).all()?);
        }
        Ok(bytes)
    }

    /// The pages that no tree uses. What was deleted is often still there.
    fn free_pages(&mut self) -> Result<(), Stop> {
        let mut next = self.header.first_free;
        let mut at = 32;
        while next != 0 {
            let Some(range) = self.enter_from(next.into(), at)? else { return Ok(()) };
            at = range.start;
            let mut cursor = self.visit.bytes.window(range.clone()).cursor();
            next = cursor.u32_be("the number of a free page")?;
            let count = u64::from(cursor.u32_be("the count of free pages")?);
            let room = self.header.usable().saturating_sub(8) / 4;
            if count > room {
                return Err(Stop::malformed(at.saturating_add(4), "a count of free pages that fits"));
            }
            for _ in 0..count {
                let at = cursor.at();
                let page = cursor.u32_be("the number of a free page")?;
                if let Some(free) = self.enter_from(page.into(), at)? {
                    self.visit.slack(free, "free page")?;
                }
            }
            self.visit.structure(range.start..cursor.at(), "list of free pages")?;
            self.visit.slack(cursor.at()..range.end, "unused room of a list of free pages")?;
        }
        Ok(())
    }
}

/// Where the bytes of a payload are: in the page of its cell, and in overflow pages.
#[derive(Default)]
struct Payload {
    /// Each part with its place in the whole.
    parts: Vec<(u64, Range<u64>)>,
    len: u64,
}

impl Payload {
    fn push(&mut self, part: Range<u64>) {
        let len = part.end.saturating_sub(part.start);
        self.parts.push((self.len, part));
        self.len = self.len.saturating_add(len);
    }

    /// The place of the first byte.
    fn start(&self) -> u64 {
        self.parts.first().map_or(0, |(_, part)| part.start)
    }

    /// Where the bytes of a range of the whole are, cut to what there is.
    fn cut(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let first = self.parts.partition_point(|(at, _)| *at <= range.start).saturating_sub(1);
        let parts = self.parts.get(first..).unwrap_or_default();
        parts
            .iter()
            .take_while(|(at, _)| *at < range.end)
            .map(|(at, part)| {
                let inside = |place: u64| part.start.saturating_add(place.saturating_sub(*at)).min(part.end);
                inside(range.start)..inside(range.end)
            })
            .filter(|part| !part.is_empty())
            .collect()
    }
}

/// Bytes of a value of a type.
fn value_len(kind: u64) -> u64 {
    match kind {
        0 | 8..=11 => 0,
        1..=4 => kind,
        5 => 6,
        6 | 7 => 8,
        _ => kind.saturating_sub(12) / 2,
    }
}

const INDEX_INNER: u8 = 2;
const TABLE_INNER: u8 = 5;
const INDEX_LEAF: u8 = 10;
const TABLE_LEAF: u8 = 13;

struct Page {
    kind: u8,
    first_free: usize,
    cells: u16,
    /// Where the cells start.
    content: usize,
    /// The last child of an inner page.
    right: Option<u32>,
}

impl Page {
    fn is_table(&self) -> bool {
        matches!(self.kind, TABLE_INNER | TABLE_LEAF)
    }
}

fn page_header(input: &[u8]) -> IResult<&[u8], Page> {
    let (rest, (kind, first_free, cells, content, _fragments)) = (be_u8, be_u16, be_u16, be_u16, be_u8).parse(input)?;
    if !matches!(kind, INDEX_INNER | TABLE_INNER | INDEX_LEAF | TABLE_LEAF) {
        return Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Verify)));
    }
    let (rest, right) = cond(matches!(kind, INDEX_INNER | TABLE_INNER), be_u32).parse(rest)?;
    let content = if content == 0 { 65536 } else { usize::from(content) };
    Ok((rest, Page { kind, first_free: first_free.into(), cells, content, right }))
}

/// The free blocks of a page, ascending.
fn free_blocks(page: &[u8], first: usize) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut at = first;
    while at > 0 {
        let block = page.get(at..).and_then(|input| (be_u16::<_, nom::error::Error<&[u8]>>, be_u16).parse(input).ok());
        let Some((_, (next, len))) = block else { break };
        let end = at.saturating_add(len.into());
        if len < 4 || end > page.len() {
            break;
        }
        blocks.push(at..end);
        let next = usize::from(next);
        at = if next >= end { next } else { 0 };
    }
    blocks
}

/// The start of a cell.
struct Cell {
    child: Option<u32>,
    /// The length of its payload, where it has one.
    payload: Option<u64>,
    /// Bytes before the payload.
    head: usize,
}

fn cell<'a>(input: &'a [u8], page: &Page) -> IResult<&'a [u8], Cell> {
    let (rest, child) = cond(page.right.is_some(), be_u32).parse(input)?;
    let (rest, payload) = cond(page.kind != TABLE_INNER, varint).parse(rest)?;
    let (rest, _row) = cond(page.is_table(), varint).parse(rest)?;
    Ok((rest, Cell { child, payload, head: input.len().saturating_sub(rest.len()) }))
}

/// Seven bits a byte, the highest first, as long as the eighth bit is set; all eight bits of a ninth byte.
fn varint(input: &[u8]) -> IResult<&[u8], u64> {
    let mut rest = input;
    let mut value = 0u64;
    for count in 1..=9 {
        let (behind, byte) = be_u8(rest)?;
        rest = behind;
        if count == 9 {
            return Ok((rest, (value << 8) | u64::from(byte)));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok((rest, value))
}

fn number_u16(input: &[u8]) -> IResult<&[u8], u16> {
    be_u16(input)
}

fn number_u32(input: &[u8]) -> IResult<&[u8], u32> {
    be_u32(input)
}
