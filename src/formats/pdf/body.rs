//! The body: every object that stands in the file, in the order of the file, whether or not a cross-reference leads to
//! it. Programs differ in what they find in a damaged or a contradictory file; what is read here is all of it.

use std::{collections::HashMap, ops::Range};

use memchr::memmem;
use nom::Parser;

use super::{
    object::{self, Dictionary, Id, Object, is_line_end, is_space, keyword},
    table::{Entry, Table, data_at, read_object},
};
use crate::{
    bytes::Bytes,
    format::Visit,
    stop::{Limit, Stop},
};

/// An object as it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub id: Id,
    /// From its number to behind its value.
    pub range: Range<u64>,
    /// The data of its stream; empty where it has none.
    pub data: Range<u64>,
}

impl Placed {
    pub fn is_stream(&self) -> bool {
        self.data.start > 0
    }
}

/// What stands in the file.
#[derive(Default)]
pub(super) struct Body {
    pub objects: Vec<Placed>,
    /// The trailers in the order of the file, with their places.
    pub trailers: Vec<(Range<u64>, Dictionary)>,
    /// What is no part of a document.
    pub junk: Vec<Range<u64>>,
}

/// Objects of one file.
const OBJECTS: usize = 1 << 20;

/// Pieces of junk that are kept apart.
const JUNK: usize = 1000;

/// Bytes looked at together.
const WINDOW: usize = 1 << 20;

/// Reads everything in `bytes`, and claims all but the data of the streams.
///
/// # Errors
/// Limits, and those of source and budget.
pub(super) fn read(visit: &mut Visit<'_>, bytes: &Bytes, table: Option<&Table>) -> Result<Body, Stop> {
    let mut scan = Scan {
        bytes: bytes.clone(),
        table,
        body: Body::default(),
        last: HashMap::new(),
        starts: [b"obj".as_slice(), b"xref", b"trailer", b"%%EOF"].map(Seeker::new),
        ends: Seeker::new(b"endstream"),
        wasted: 0,
    };
    let mut at = bytes.start();
    loop {
        at = scan.space(visit, at)?;
        if at >= bytes.end() {
            return Ok(scan.body);
        }
        at = match scan.piece(visit, at)? {
            Some(behind) => behind,
            None => scan.junk(at)?,
        };
    }
}

struct Scan<'a> {
    bytes: Bytes,
    table: Option<&'a Table>,
    body: Body,
    /// The last object of every number.
    last: HashMap<u32, usize>,
    /// What a piece of a document starts with, or has in its first bytes.
    starts: [Seeker; 4],
    ends: Seeker,
    /// Bytes that were read as objects in vain.
    wasted: u64,
}

impl Scan<'_> {
    /// Behind white space and comments.
    fn space(&mut self, visit: &mut Visit<'_>, from: u64) -> Result<u64, Stop> {
        let mut at = from;
        let mut in_comment = false;
        loop {
            let window = self.bytes.peek(at, 4096)?;
            let mut rest = window.as_slice();
            loop {
                let place = at.saturating_add(window.len().saturating_sub(rest.len()) as u64);
                let is_part = |byte: &u8| if in_comment { !is_line_end(*byte) } else { is_space(*byte) };
                let len = rest.iter().take_while(|byte| is_part(byte)).count();
                let end = place.saturating_add(len as u64);
                let (part, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
                if in_comment && !part.starts_with(b"%%EOF") {
                    visit.slack(place..end, "comment")?;
                } else {
                    visit.structure(place..end, "objects")?;
                }
                rest = after;
                in_comment = match rest.first() {
                    None => break,
                    Some(b'%') if !in_comment => true,
                    Some(_) if in_comment => false,
                    Some(_) => return Ok(end),
                };
            }
            at = at.saturating_add(window.len() as u64);
            if window.is_empty() {
                return Ok(at);
            }
        }
    }

    /// The place behind the piece at `at`, if it is one.
    fn piece(&mut self, visit: &mut Visit<'_>, at: u64) -> Result<Option<u64>, Stop> {
        let window = self.bytes.peek(at, 64)?;
        let behind = |rest: &[u8]| at.saturating_add(window.len().saturating_sub(rest.len()) as u64);
        if let Ok((rest, id)) = object::head(&window) {
            return self.object(visit, id, at, behind(rest)).map(Some);
        }
        if let Ok((rest, _)) = keyword("xref").parse(window.as_slice()) {
            let end = self.rows(behind(rest))?;
            visit.structure(at..end, "objects")?;
            return Ok(Some(end));
        }
        if let Some(rest) = window.strip_prefix(b"trailer") {
            let end = behind(rest);
            visit.structure(at..end, "objects")?;
            return match self.value(end)? {
                Ok(read) => {
                    visit.structure(end..read.end, "objects")?;
                    if let Object::Dictionary(dictionary) = read.object {
                        self.body.trailers.push((at..read.end, dictionary));
                    }
                    Ok(Some(read.end))
                }
                Err(damage) => {
                    visit.note(damage);
                    Ok(Some(end))
                }
            };
        }
        if let Ok((rest, _)) = keyword("startxref").parse(window.as_slice()) {
            let rest = object::skip_space(rest);
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = behind(rest).saturating_add(digits as u64);
            visit.structure(at..end, "objects")?;
            return Ok(Some(end));
        }
        for word in ["endobj", "endstream"] {
            if let Ok((rest, _)) = keyword(word).parse(window.as_slice()) {
                visit.structure(at..behind(rest), "objects")?;
                visit.note(Stop::malformed(at, "an object"));
                return Ok(Some(behind(rest)));
            }
        }
        Ok(None)
    }

    /// The object whose value starts at `value_at`.
    fn object(&mut self, visit: &mut Visit<'_>, id: Id, at: u64, value_at: u64) -> Result<u64, Stop> {
        if self.body.objects.len() >= OBJECTS {
            return Err(Stop::Exhausted(Limit::Claims));
        }
        let read = match self.value(value_at)? {
            Ok(read) => read,
            Err(damage) => {
                // "1 0 obj endobj" is null.
                let window = self.bytes.peek(value_at, 256)?;
                let rest = object::skip_space(&window);
                if keyword("endobj").parse(rest).is_err() {
                    visit.note(damage);
                }
                let end = value_at.saturating_add(window.len().saturating_sub(rest.len()) as u64);
                let end = if rest.starts_with(b"endobj") { end.saturating_add(6) } else { value_at };
                visit.structure(at..end, "objects")?;
                return Ok(end);
            }
        };
        if let Some(damage) = read.damage {
            visit.note(Stop::malformed(damage, "a key and a value"));
        }
        visit.structure(at..read.end, "objects")?;
        let mut placed = Placed { id, range: at..read.end, data: 0..0 };
        let mut end = read.end;
        if let Object::Dictionary(dictionary) = &read.object
            && let Some(from) = data_at(&self.bytes, read.end)?
        {
            let to = self.end_of_data(visit, dictionary, from)?;
            placed.data = from..to;
            visit.structure(read.end..from, "objects")?;
            let window = self.bytes.peek(to, 64)?;
            let rest = window.trim_ascii_start();
            end = to.saturating_add(window.len().saturating_sub(rest.len()) as u64);
            end = if rest.starts_with(b"endstream") { end.saturating_add(9) } else { to };
            visit.structure(to..end, "objects")?;
        }
        self.last.insert(id.number, self.body.objects.len());
        self.body.objects.push(placed);
        let behind = self.space(visit, end)?;
        if self.bytes.starts_with(behind, b"endobj")? {
            let end = behind.saturating_add(6);
            visit.structure(behind..end, "objects")?;
            return Ok(end);
        }
        visit.note(Stop::malformed(behind, "endobj"));
        Ok(behind)
    }

    /// The object at `at`, or its damage.
    fn value(&mut self, at: u64) -> Result<Result<super::table::Read, Stop>, Stop> {
        match read_object(&self.bytes, at) {
            Ok(read) => Ok(Ok(read)),
            Err(stop @ Stop::Malformed(_)) => {
                let reached = stop.at().unwrap_or(at);
                self.wasted = self.wasted.saturating_add(reached.saturating_sub(at));
                if self.wasted > self.bytes.len().saturating_mul(8).saturating_add(64 << 20) {
                    return Err(stop);
                }
                Ok(Err(stop))
            }
            Err(stop) => Err(stop),
        }
    }

    /// Where the data of a stream ends: where its length says, if "endstream" follows; else in front of that word.
    fn end_of_data(&mut self, visit: &mut Visit<'_>, dictionary: &Dictionary, from: u64) -> Result<u64, Stop> {
        let stated = dictionary.get(b"Length");
        let len = match stated {
            Some(Object::Reference(id)) => self.stated_elsewhere(*id)?,
            Some(object) => object.integer(),
            None => None,
        };
        if let Some(end) = len.and_then(|len| from.checked_add(len)).filter(|end| *end <= self.bytes.end()) {
            let window = self.bytes.peek(end, 64)?;
            if window.trim_ascii_start().starts_with(b"endstream") {
                return Ok(end);
            }
        }
        let is_known_elsewhere = matches!(stated, Some(Object::Reference(_))) && len.is_none();
        if !is_known_elsewhere {
            visit.note(Stop::malformed(from, "a stream of the stated length"));
        }
        let Some(end) = self.ends.next(&self.bytes, from)? else {
            visit.note(Stop::malformed(self.bytes.end(), "endstream"));
            return Ok(self.bytes.end());
        };
        // The end of the line in front of the word belongs to the word.
        let before = self.bytes.peek(end.saturating_sub(2).max(from), 2.min(end.saturating_sub(from)) as usize)?;
        let line_end = match before.as_slice() {
            [b'\r', b'\n'] => 2,
            [.., b'\r' | b'\n'] => 1,
            _ => 0,
        };
        Ok(end.saturating_sub(line_end))
    }

    /// A length that stands in an object of its own.
    fn stated_elsewhere(&self, id: Id) -> Result<Option<u64>, Stop> {
        let listed = match self.table {
            Some(table) => match table.entries.get(&id.number) {
                Some(Entry::At(at)) => Some(*at),
                _ => None,
            },
            None => {
                let placed = self.last.get(&id.number).and_then(|index| self.body.objects.get(*index));
                placed.map(|placed| placed.range.start)
            }
        };
        let Some(at) = listed else { return Ok(None) };
        let window = self.bytes.peek(at, 64)?;
        let Ok((rest, found)) = object::head(object::skip_space(&window)) else { return Ok(None) };
        let is_it = found.number == id.number;
        Ok(object::parse(rest).ok().filter(|_| is_it).and_then(|parsed| parsed.object.integer()))
    }

    /// Behind the entries of a cross-reference table: lines of numbers and kinds.
    fn rows(&self, from: u64) -> Result<u64, Stop> {
        let mut at = from;
        loop {
            let window = self.bytes.peek(at, 4096)?;
            let is_part = |byte: &u8| byte.is_ascii_digit() || is_space(*byte) || matches!(byte, b'n' | b'f');
            let len = window.iter().take_while(|byte| is_part(byte)).count();
            if len < window.len() {
                // What another piece starts with is no entry.
                let rows = window.get(..len).unwrap_or_default();
                let line = memchr::memrchr2(b'\r', b'\n', rows).map_or(0, |end| end.saturating_add(1));
                let tail = rows.get(line..).unwrap_or_default();
                let is_head = window.get(len..).is_some_and(|rest| rest.starts_with(b"obj")) && !tail.is_empty();
                return Ok(at.saturating_add(if is_head { line } else { len } as u64));
            }
            if window.is_empty() {
                return Ok(at);
            }
            at = at.saturating_add(len as u64);
        }
    }

    /// Passes over what is no part of a document, up to the next piece.
    fn junk(&mut self, at: u64) -> Result<u64, Stop> {
        let from = at.saturating_add(1);
        let mut next = self.bytes.end();
        let [objects, tables, trailers, ends] = &mut self.starts;
        for seeker in [tables, trailers, ends] {
            if let Some(found) = seeker.next(&self.bytes, from)? {
                next = next.min(found);
            }
        }
        // "startxref" is found by its end.
        if next >= from.saturating_add(5) && self.bytes.starts_with(next.saturating_sub(5), b"startxref")? {
            next = next.saturating_sub(5);
        }
        let mut look = from;
        while let Some(found) = objects.next(&self.bytes, look)?.filter(|found| *found < next) {
            if let Some(head) = head_before(&self.bytes, from, found)? {
                next = head;
                break;
            }
            look = found.saturating_add(1);
        }
        let full = self.body.junk.len() >= JUNK;
        match self.body.junk.last_mut() {
            Some(last) if last.end == at || full => last.end = next,
            _ => self.body.junk.push(at..next),
        }
        Ok(next)
    }
}

/// Where "number generation " in front of "obj" starts, if it stands there and not before `from`.
pub(super) fn head_before(bytes: &Bytes, from: u64, obj: u64) -> Result<Option<u64>, Stop> {
    let start = obj.saturating_sub(32).max(from);
    let window = bytes.peek(start, usize::try_from(obj.saturating_sub(start)).unwrap_or(0))?;
    let generation = window.trim_ascii_end();
    let digits = |text: &[u8]| text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let count = digits(generation);
    let (before, _) = generation.split_at_checked(generation.len().saturating_sub(count)).unwrap_or_default();
    let number = before.trim_ascii_end();
    let number_len = digits(number).min(10);
    let found = count > 0 && number_len > 0 && number.len() < before.len();
    Ok(found.then(|| start.saturating_add(number.len().saturating_sub(number_len) as u64)))
}

/// Finds a word again and again, and remembers where it was found last.
pub(super) struct Seeker {
    finder: memmem::Finder<'static>,
    /// The place from which it was looked for, and the first place behind it.
    known: Option<(u64, Option<u64>)>,
}

impl Seeker {
    pub fn new(word: &'static [u8]) -> Self {
        Seeker { finder: memmem::Finder::new(word), known: None }
    }

    /// The first place from `from` on.
    pub fn next(&mut self, bytes: &Bytes, from: u64) -> Result<Option<u64>, Stop> {
        if let Some((since, found)) = self.known
            && since <= from
            && found.is_none_or(|found| found >= from)
        {
            return Ok(found);
        }
        let mut at = from;
        let overlap = self.finder.needle().len().saturating_sub(1) as u64;
        let mut size = 4096usize;
        let found = loop {
            let window = bytes.peek(at, size)?;
            if let Some(found) = self.finder.find(&window) {
                break Some(at.saturating_add(found as u64));
            }
            let next = at.saturating_add(window.len() as u64);
            if next >= bytes.end() {
                break None;
            }
            at = next.saturating_sub(overlap).max(at.saturating_add(1));
            size = WINDOW.min(size.saturating_mul(4));
        };
        self.known = Some((from, found));
        Ok(found)
    }
}
