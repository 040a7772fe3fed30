//! Cross-references: where the objects are, in tables and streams, newest first (ISO 32000-2, 7.5.4 and 7.5.8).

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use memchr::memmem;
use nom::{
    IResult, Parser,
    bytes::complete::{take_while, take_while1},
    character::complete::{digit1, one_of},
};

use super::{
    object::{self, Dictionary, Object, is_space, keyword},
    stream,
};
use crate::{
    bytes::{Bytes, DOOR},
    stop::{Limit, Stop},
};

/// Where the newest revision says that an object is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Entry {
    /// Nowhere: it was deleted.
    Free,
    /// At a place of the file.
    At(u64),
    /// In the object stream of this number.
    Inside(u32),
}

/// The cross-references of a file.
#[derive(Default)]
pub(super) struct Table {
    pub entries: HashMap<u32, Entry>,
    /// The newest trailer first.
    pub trailers: Vec<Trailer>,
    /// Where tables stand.
    pub tables: Vec<Range<u64>>,
    /// The sections that were read.
    sections: HashSet<u64>,
}

/// Objects of one file that are listed.
const ENTRIES: usize = 1 << 20;

/// Revisions and parts of one file.
const SECTIONS: usize = 1 << 12;

/// Bytes of entries read at once.
const ROWS: usize = 64 << 10;

impl Table {
    /// Reads every section that the end of the file leads to. `base` is where places count from.
    ///
    /// # Errors
    /// [`Stop::Malformed`] where the cross-references are damaged; else those of source and budget.
    pub fn read(bytes: &Bytes, base: u64) -> Result<Table, Stop> {
        let mut table = Table::default();
        let mut waiting = vec![start(bytes, base)?];
        while let Some(at) = waiting.pop() {
            if !table.sections.insert(at) {
                return Err(Stop::malformed(at, "cross-references that do not lead to themselves"));
            }
            if table.sections.len() > SECTIONS {
                return Err(Stop::unsupported(at, "a document of more than 4096 revisions"));
            }
            let (place_of, trailer) = table.section(bytes, base, at)?;
            let place = |key: &[u8]| trailer.get(key).and_then(Object::integer).map(|at| at.saturating_add(base));
            // What an older section says counts less, and a hybrid stream belongs to its own section.
            waiting.extend(place(b"Prev"));
            if let Some(hybrid) = place(b"XRefStm") {
                // What it lists stands as free in the table, for programs that know tables only (7.5.8.4).
                if table.sections.insert(hybrid) {
                    table.entries.retain(|_, entry| *entry != Entry::Free);
                    table.stream(bytes, base, hybrid)?;
                }
            }
            table.trailers.push((place_of, trailer));
        }
        Ok(table)
    }

    fn section(&mut self, bytes: &Bytes, base: u64, at: u64) -> Result<Trailer, Stop> {
        let head = bytes.peek(at, 64)?;
        let skipped = head.len().saturating_sub(object::skip_space(&head).len());
        let at = at.saturating_add(skipped as u64);
        match keyword("xref").parse(object::skip_space(&head)) {
            Ok(_) => self.table(bytes, base, at.saturating_add(4)),
            Err(_) => self.stream(bytes, base, at),
        }
    }

    fn table(&mut self, bytes: &Bytes, base: u64, start: u64) -> Result<Trailer, Stop> {
        let mut cursor = bytes.cursor();
        cursor.seek(start);
        let mut first_and_left: Option<(u32, u32)> = None;
        loop {
            let here = cursor.at();
            if let Some((number, left)) = first_and_left.filter(|(_, left)| *left > 0) {
                // Many at once, so that long tables are read in few steps.
                let rows = cursor.peek(ROWS)?;
                let mut rest = rows;
                let mut count = 0u32;
                while count < left {
                    let Ok((after, (place, _, kind))) = row(rest) else { break };
                    // A row may be cut by the end of the window.
                    if after.is_empty() && rows.len() == ROWS {
                        break;
                    }
                    let entry =
                        if kind == 'n' && place > 0 { Entry::At(place.saturating_add(base)) } else { Entry::Free };
                    insert(&mut self.entries, number.saturating_add(count), entry)?;
                    rest = after;
                    count = count.saturating_add(1);
                }
                if count == 0 {
                    return Err(Stop::malformed(here, "an entry of the cross-reference table"));
                }
                let taken = rows.len().saturating_sub(rest.len()) as u64;
                cursor.seek(here.saturating_add(taken));
                first_and_left = Some((number.saturating_add(count), left.saturating_sub(count)));
                continue;
            }
            let window = cursor.peek(256)?;
            let text = object::skip_space(window);
            let skipped = window.len().saturating_sub(text.len()) as u64;
            if let Ok((rest, _)) = keyword("trailer").parse(text) {
                let at = here.saturating_add(window.len().saturating_sub(rest.len()) as u64);
                let read = read_object(bytes, at)?;
                let dictionary = read.object.dictionary().cloned();
                let dictionary = dictionary.ok_or(Stop::malformed(at, "the dictionary of the trailer"))?;
                self.tables.push(start..read.end);
                return Ok((at..read.end, dictionary));
            }
            let Ok((rest, subsection)) = subsection(text) else {
                return Err(Stop::malformed(here.saturating_add(skipped), "a section of the cross-reference table"));
            };
            let taken = window.len().saturating_sub(rest.len()) as u64;
            cursor.seek(here.saturating_add(taken));
            first_and_left = Some(subsection);
        }
    }

    fn stream(&mut self, bytes: &Bytes, base: u64, at: u64) -> Result<Trailer, Stop> {
        let expected = || Stop::malformed(at, "a cross-reference table or stream");
        let head = bytes.peek(at, 64)?;
        let (rest, _) = object::head(object::skip_space(&head)).map_err(|_| expected())?;
        let value_at = at.saturating_add(head.len().saturating_sub(rest.len()) as u64);
        let read = read_object(bytes, value_at).map_err(|stop| malformed_or(stop, expected()))?;
        let dictionary = read.object.dictionary().filter(|dictionary| dictionary.is(b"Type", b"XRef"));
        let dictionary = dictionary.cloned().ok_or_else(expected)?;
        let from = data_at(bytes, read.end)?.ok_or_else(expected)?;
        let len = dictionary.get(b"Length").and_then(Object::integer).ok_or_else(expected)?;
        let raw = bytes.window(from..from.saturating_add(len));
        let direct = |object: &Object| Ok(object.clone());
        let content = stream::content(raw, &dictionary, None, &direct)?;
        if let Some(stop) = content.stop {
            return Err(stop);
        }
        let numbers = |key: &[u8]| -> Option<Vec<u64>> {
            let Some(Object::Array(values)) = dictionary.get(key) else { return None };
            values.iter().map(Object::integer).collect()
        };
        let widths: Option<[u64; 3]> = numbers(b"W").and_then(|widths| widths.try_into().ok());
        let widths = widths.filter(|widths| widths.iter().all(|width| *width <= 8)).ok_or_else(expected)?;
        let size = dictionary.get(b"Size").and_then(Object::integer).unwrap_or(0);
        let index = numbers(b"Index").unwrap_or_else(|| vec![0, size]);
        let len = usize::try_from(widths.iter().sum::<u64>()).unwrap_or(0);
        if len == 0 || content.bytes.len() > DOOR as u64 {
            return Err(expected());
        }
        let rows = content.bytes.all()?;
        let numbers = index.chunks_exact(2).flat_map(|part| {
            let (first, count) = (part.first().copied().unwrap_or(0), part.last().copied().unwrap_or(0));
            first..first.saturating_add(count)
        });
        for (number, row) in numbers.zip(rows.chunks_exact(len)) {
            let mut rest = row;
            let mut field = |width: u64, default: u64| {
                let width = usize::try_from(width).unwrap_or(0);
                let (field, after) = rest.split_at_checked(width).unwrap_or((&[], &[]));
                rest = after;
                if width == 0 { default } else { field.iter().fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte)) }
            };
            let [kind, place, _] =
                [(widths[0], 1), (widths[1], 0), (widths[2], 0)].map(|(width, default)| field(width, default));
            let entry = match (kind, u32::try_from(place)) {
                (0, _) => Entry::Free,
                (1, _) => Entry::At(place.saturating_add(base)),
                (2, Ok(container)) => Entry::Inside(container),
                // Other kinds stand for nothing (7.5.8.3).
                _ => Entry::Free,
            };
            let number = u32::try_from(number).map_err(|_| expected())?;
            insert(&mut self.entries, number, entry)?;
        }
        Ok((at..read.end, dictionary))
    }
}

/// A trailer and where it stands.
type Trailer = (Range<u64>, Dictionary);

fn insert(entries: &mut HashMap<u32, Entry>, number: u32, entry: Entry) -> Result<(), Stop> {
    if entries.len() >= ENTRIES {
        return Err(Stop::Exhausted(Limit::Claims));
    }
    entries.entry(number).or_insert(entry);
    Ok(())
}

/// Damage inside a part is damage of the part; anything else stays what it is.
fn malformed_or(stop: Stop, instead: Stop) -> Stop {
    if matches!(stop, Stop::Malformed(_)) { instead } else { stop }
}

/// The place that the last "startxref" names.
fn start(bytes: &Bytes, base: u64) -> Result<u64, Stop> {
    // Whatever stands behind it: some programs look at the last 1024 bytes, others at all.
    let at = last(bytes, bytes.start(), b"startxref")?.ok_or(Stop::malformed(bytes.end(), "startxref"))?;
    let window = bytes.peek(at.saturating_add(9), 64)?;
    let text = window.as_slice();
    match wide_number(object::skip_space(text)) {
        Ok((_, place)) if place > 0 => Ok(place.saturating_add(base)),
        _ => Err(Stop::malformed(at, "the place of the cross-references")),
    }
}

/// The last place of `word`, not before `from`.
pub(super) fn last(bytes: &Bytes, from: u64, word: &[u8]) -> Result<Option<u64>, Stop> {
    let finder = memmem::FinderRev::new(word);
    let mut size = 4096u64;
    let mut end = bytes.end();
    while end > from {
        let at = end.saturating_sub(size).max(from);
        let window = bytes.peek(at, usize::try_from(end.saturating_sub(at)).unwrap_or(0))?;
        if let Some(place) = finder.rfind(&window) {
            return Ok(Some(at.saturating_add(place as u64)));
        }
        // Windows overlap by one byte less than the word.
        end = if at == from { from } else { at.saturating_add(word.len().saturating_sub(1) as u64) };
        size = size.saturating_mul(4).min(1 << 20);
    }
    Ok(None)
}

fn wide_number(input: &[u8]) -> IResult<&[u8], u64> {
    let text = |digits: &[u8]| std::str::from_utf8(digits).unwrap_or_default().parse::<u64>();
    nom::combinator::map_res(digit1, text).parse(input)
}

/// The first number of a subsection and how many there are.
fn subsection(input: &[u8]) -> IResult<&[u8], (u32, u32)> {
    let (input, first) = object::number(input)?;
    let (input, _) = take_while1(is_space)(input)?;
    let (input, count) = object::number(input)?;
    Ok((input, (first, count)))
}

/// "place generation kind".
fn row(input: &[u8]) -> IResult<&[u8], (u64, u64, char)> {
    let (input, _) = take_while(is_space)(input)?;
    let (input, place) = wide_number(input)?;
    let (input, _) = take_while1(is_space)(input)?;
    let (input, generation) = wide_number(input)?;
    let (input, _) = take_while1(is_space)(input)?;
    let (input, kind) = one_of("nf")(input)?;
    Ok((input, (place, generation, kind)))
}

/// An object in its place.
pub(super) struct Read {
    pub object: Object,
    /// The place behind it.
    pub end: u64,
    /// The first place where it is not as the specification asks.
    pub damage: Option<u64>,
}

/// Windows of growing size: most objects are small.
const WINDOWS: [usize; 4] = [4 << 10, 64 << 10, 1 << 20, DOOR];

/// What may be cut at the end of a window without being noticed: a keyword, or the end of a reference.
const MARGIN: usize = 32;

/// The object at `at`.
///
/// # Errors
/// [`Stop::Malformed`] with the place of the damage; else as [`Bytes::peek`].
pub(super) fn read_object(bytes: &Bytes, at: u64) -> Result<Read, Stop> {
    let mut fault = at;
    for size in WINDOWS {
        let window = bytes.peek(at, size)?;
        let whole = window.len() < size || at.saturating_add(window.len() as u64) >= bytes.end();
        let place = |len: usize| at.saturating_add(len as u64);
        match object::parse(&window) {
            Ok(parsed) if whole || parsed.len.saturating_add(MARGIN) < window.len() => {
                let (end, damage) = (place(parsed.len), parsed.damage.map(place));
                return Ok(Read { object: parsed.object, end, damage });
            }
            Err(found) if whole || found.at.saturating_add(MARGIN) < window.len() => {
                return Err(Stop::malformed(place(found.at), "an object"));
            }
            Ok(_) => {}
            Err(found) => fault = place(found.at),
        }
    }
    Err(Stop::malformed(fault, "an object of less than 16 MiB"))
}

/// Where the data of a stream starts, if the keyword stands at `at` behind white space.
pub(super) fn data_at(bytes: &Bytes, at: u64) -> Result<Option<u64>, Stop> {
    let window = bytes.peek(at, 1024)?;
    let text = object::skip_space(&window);
    let Some(rest) = text.strip_prefix(b"stream") else { return Ok(None) };
    // A line feed, with or without a carriage return; some writers put a carriage return alone.
    let rest = match rest {
        [b'\r', b'\n', rest @ ..] | [b'\n' | b'\r', rest @ ..] => rest,
        // Blanks at the end of the line.
        [b' ', ..] => match rest.iter().position(|byte| *byte != b' ') {
            Some(skip) => match rest.get(skip..).unwrap_or_default() {
                [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => rest,
                _ => rest,
            },
            None => rest,
        },
        _ => rest,
    };
    Ok(Some(at.saturating_add(window.len().saturating_sub(rest.len()) as u64)))
}
