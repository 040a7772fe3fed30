//! The two tables of contents of an archive: the central directory at its end, and the headers in front of the data.

use std::ops::Range;

use memchr::memmem;
use nom::{
    IResult, Parser,
    bytes::complete::tag,
    number::complete::{le_u16, le_u32, le_u64},
};

use crate::{
    bytes::Bytes,
    checksum::CRC_32,
    source::{Inflated, Wrapping},
    stop::{Limit, Stop},
};

/// Signatures, APPNOTE sections 4.3.7, 4.3.9, 4.3.12, 4.3.14, 4.3.15, 4.3.16.
pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR: &[u8] = b"PK\x06\x07";
const END: &[u8] = b"PK\x05\x06";

/// Lengths of the fixed parts, in bytes.
const LOCAL_LEN: u64 = 30;
const CENTRAL_LEN: u64 = 46;
const END_LEN: u64 = 22;
const LOCATOR_LEN: u64 = 20;
const END64_LEN: u64 = 56;

/// General purpose flags, APPNOTE section 4.4.4.
pub(super) const ENCRYPTED: u16 = 1;
const DESCRIBED: u16 = 1 << 3;
pub(super) const PATCHED: u16 = 1 << 5;
pub(super) const STRONGLY_ENCRYPTED: u16 = 1 << 6;

/// Compression methods, APPNOTE section 4.4.5.
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;
pub(super) const AES: u16 = 99;

/// One file of an archive, as one of its two headers tells it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Header {
    /// The whole header, name and extra field and comment with it.
    pub range: Range<u64>,
    /// The name as stored.
    pub name: Vec<u8>,
    /// General purpose flags (APPNOTE section 4.4.4).
    pub flags: u16,
    /// Compression method (APPNOTE section 4.4.5).
    pub method: u16,
    /// CRC-32 of the content.
    pub crc32: u32,
    /// Length of the data, compressed, in bytes.
    pub compressed_len: u64,
    /// Length of the content in bytes.
    pub len: u64,
    /// Where the extra field is.
    pub extra: Range<u64>,
    /// Where the comment is; local headers have none.
    pub comment: Range<u64>,
    /// The name in the Info-ZIP Unicode path extra field, where there is one.
    pub unicode_name: Option<Vec<u8>>,
}

impl Header {
    /// Whether the sizes and the checksum follow the data instead.
    pub(super) fn is_described(&self) -> bool {
        self.flags & DESCRIBED != 0
    }
}

/// A file of an archive, both headers together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// The name as people read it; what is not UTF-8 is shown as U+FFFD.
    pub name: String,
    /// What the central directory says. Of an archive that broke off: what the local header says.
    pub central: Header,
    /// The header in front of the data; `None` where there is none at the place that the directory names.
    pub local: Option<Header>,
    /// Where the directory says that the local header is, as a place in these bytes.
    pub local_at: u64,
    /// The data: as long as the central directory says, cut to the layer.
    pub data: Range<u64>,
    /// External attributes (APPNOTE section 4.4.15): the upper half is the mode of a Unix file.
    pub external: u32,
}

impl Entry {
    /// Whether it is a folder: its name ends in a slash, and there is nothing in it.
    pub fn is_folder(&self) -> bool {
        self.central.name.ends_with(b"/") && self.central.len == 0 && self.central.compressed_len == 0
    }

    /// Whether it is a symbolic link, by its Unix mode.
    pub fn is_link(&self) -> bool {
        (self.external >> 16) & 0o170_000 == 0o120_000
    }
}

/// What was found out about the directory of an archive.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    /// Central headers.
    pub range: Range<u64>,
    /// Zip64 end record, locator, end record without its comment.
    pub ends: Vec<Range<u64>>,
    /// The archive's comment.
    pub comment: Range<u64>,
    /// To be added to every offset that the archive names: not 0 where other bytes stand in front of the archive.
    shift: i128,
    /// How many entries the end record declares; `None` where its 16 bits cannot say.
    count: u64,
    count_bits: u32,
    /// How long the end record says the directory is.
    declared_len: u64,
    /// Whether this is one volume of several.
    pub spanned: bool,
    /// What the end records say against each other.
    pub contradictions: Vec<(Range<u64>, String)>,
}

/// An archive: where it starts, its directory if it has one, and its files.
#[derive(Debug, Default)]
pub(super) struct Archive {
    pub directory: Option<Directory>,
    pub entries: Vec<Entry>,
    /// What the tables of contents say against each other, with the place.
    pub contradictions: Vec<(Range<u64>, String)>,
    /// Why the walk ended early.
    pub stop: Option<Stop>,
}

impl Archive {
    /// Reads both tables. `buried`: the archive starts with the first byte and ends anywhere; else its end record
    /// is looked for from the end, as programs do.
    pub(super) fn read(bytes: &Bytes, buried: bool) -> Result<Self, Stop> {
        if !buried && let Some(directory) = Directory::from_end(bytes)? {
            return Archive::by_directory(bytes, directory);
        }
        Archive::from_start(bytes)
    }

    fn by_directory(bytes: &Bytes, directory: Directory) -> Result<Self, Stop> {
        let mut archive = Archive { contradictions: directory.contradictions.clone(), ..Archive::default() };
        let most = bytes.budget().limits().layers;
        let mut at = directory.range.start;
        while at < directory.range.end {
            if archive.entries.len() >= most {
                archive.stop = Some(Stop::Exhausted(Limit::Layers));
                break;
            }
            let Some(entry) = directory.entry(bytes, at)? else { break };
            at = entry.central.range.end;
            archive.entries.push(entry);
        }
        let mut directory = directory;
        if archive.stop.is_none() {
            directory.compare(at, archive.entries.len() as u64, &mut archive.contradictions);
        }
        directory.range.end = at;
        archive.directory = Some(directory);
        Ok(archive)
    }

    /// Walks the local headers from the first byte on, up to the directory behind them, if there is one.
    fn from_start(bytes: &Bytes) -> Result<Self, Stop> {
        let mut archive = Archive::default();
        let most = bytes.budget().limits().layers;
        let mut at = bytes.start();
        if is_volume_mark(bytes, at)? {
            at = at.saturating_add(4);
        }
        loop {
            if archive.entries.len() >= most {
                archive.stop = Some(Stop::Exhausted(Limit::Layers));
                break;
            }
            let Some(local) = read_local(bytes, at)? else { break };
            let Some(end) = end_of_data(bytes, &local)? else {
                at = local.range.end;
                archive.push_local(bytes, local, bytes.end());
                break;
            };
            at = end.saturating_add(descriptor_len(bytes, end, &local)?);
            archive.push_local(bytes, local, end);
        }
        if archive.stop.is_none() {
            let directory = match Directory::at(bytes, at)? {
                Some(directory) => Some(directory),
                None => Directory::of_start(bytes, at)?,
            };
            if let Some(directory) = directory {
                return Archive::by_directory(bytes, directory);
            }
        }
        if archive.stop.is_none() {
            archive.stop = Some(Stop::malformed(at, "a central directory header"));
        }
        Ok(archive)
    }

    fn push_local(&mut self, bytes: &Bytes, local: Header, end: u64) {
        let data = local.range.end..end.min(bytes.end());
        let mut central = local.clone();
        central.compressed_len = data.end.saturating_sub(data.start);
        self.entries.push(Entry {
            name: String::from_utf8_lossy(&local.name).into_owned(),
            local_at: local.range.start,
            central,
            local: Some(local),
            data,
            external: 0,
        });
    }
}

impl Directory {
    /// Looks for the end record from the end on. One whose comment reaches to the last byte counts; in an archive that
    /// starts with the first byte, bytes may follow.
    pub(super) fn from_end(bytes: &Bytes) -> Result<Option<Self>, Stop> {
        let tail_at = bytes.end().saturating_sub(END_LEN.saturating_add(0xffff)).max(bytes.start());
        let tail = bytes.peek(tail_at, usize::try_from(END_LEN).unwrap_or(0).saturating_add(0xffff))?;
        let mut exact: Option<Directory> = None;
        let mut other: Option<Directory> = None;
        for place in memmem::rfind_iter(&tail, END) {
            let Some(found) = Directory::by_end_record(bytes, tail_at.saturating_add(place as u64))? else { continue };
            if found.comment.end != bytes.end() {
                other = other.or(Some(found));
            } else if let Some(last) = &mut exact {
                // Programs that search forwards see this one.
                let words = "A second end record stands in front of the last one, and fits as well.";
                last.contradictions
                    .push((found.comment.start.saturating_sub(END_LEN)..found.comment.start, words.into()));
                break;
            } else {
                exact = Some(found);
            }
        }
        if exact.is_none() && starts_like_one(bytes)? { Ok(other) } else { Ok(exact) }
    }

    /// The directory whose first header is at `at`.
    fn at(bytes: &Bytes, at: u64) -> Result<Option<Self>, Stop> {
        let mut end = at;
        while let Some(len) = central_len(bytes, end)? {
            end = end.saturating_add(len);
        }
        if bytes.starts_with(end, END64)? {
            let Ok((_, len)) = end64(&bytes.peek(end, 56)?) else { return Ok(None) };
            end = end.saturating_add(len.record_len).saturating_add(LOCATOR_LEN);
        }
        if !bytes.starts_with(end, END)? {
            return Ok(None);
        }
        Directory::by_end_record(bytes, end)
    }

    /// The first directory behind `from` whose archive starts with the first byte.
    fn of_start(bytes: &Bytes, from: u64) -> Result<Option<Self>, Stop> {
        let finder = memmem::Finder::new(END);
        let mut buffer = vec![0; 1 << 20];
        let mut at = from;
        while at < bytes.end() {
            let count = bytes.copy(at, &mut buffer)?;
            let window = buffer.get(..count).unwrap_or_default();
            for place in finder.find_iter(window) {
                if let Some(found) = Directory::by_end_record(bytes, at.saturating_add(place as u64))?
                    && found.shift == i128::from(bytes.start())
                    && found.range.start > bytes.start()
                {
                    return Ok(Some(found));
                }
            }
            let next = at.saturating_add(count as u64);
            at = if next >= bytes.end() { next } else { next.saturating_sub(3).max(at.saturating_add(1)) };
        }
        Ok(None)
    }

    /// The directory of the end record at `at`, if there is one where that says.
    fn by_end_record(bytes: &Bytes, at: u64) -> Result<Option<Self>, Stop> {
        let Ok((_, end)) = end_record(&bytes.peek(at, 22)?) else { return Ok(None) };
        let fixed = at..at.saturating_add(END_LEN);
        let comment = fixed.end..fixed.end.saturating_add(u64::from(end.comment_len));
        if comment.end > bytes.end() {
            return Ok(None);
        }
        let mut directory = Directory { comment, ends: vec![fixed.clone()], count_bits: 16, ..Directory::default() };
        let mut before = at;
        let (mut len, mut offset) = (u64::from(end.len), u64::from(end.offset));
        directory.count = u64::from(end.count);
        directory.spanned = (end.disk, end.first_disk) != (0, 0) && (end.disk, end.first_disk) != (0xffff, 0xffff);
        if end.count_here != end.count && !directory.spanned {
            let words =
                format!("{} entries on this volume, {} in all, and there is one volume.", end.count_here, end.count);
            directory.contradictions.push((fixed.clone(), words));
        }
        if let Some(Zip64 { range: record, locator, end: end64 }) = zip64_before(bytes, at)? {
            let differs = |short: u64, full: u64, most: u64| short != most && short != full;
            if differs(len, end64.len, 0xffff_ffff)
                || differs(offset, end64.offset, 0xffff_ffff)
                || differs(directory.count, end64.count, 0xffff)
            {
                let words = "The end record and the zip64 end record say different things.";
                directory.contradictions.push((record.clone(), words.into()));
            }
            (len, offset) = (end64.len, end64.offset);
            (directory.count, directory.count_bits) = (end64.count, 64);
            before = record.start;
            directory.ends.extend([record, locator]);
        }
        directory.declared_len = len;
        let by_len = before.checked_sub(len).filter(|start| *start >= bytes.start());
        let is_start = |start: u64| -> Result<bool, Stop> {
            Ok(if len == 0 { directory.count == 0 && start == before } else { central_len(bytes, start)?.is_some() })
        };
        let start = match by_len {
            Some(start) if is_start(start)? => start,
            // A length that lies, or bytes between the directory and its end record.
            _ if offset < before && is_start(offset)? => offset,
            _ => return Ok(None),
        };
        if start != offset && len != 0 && offset < before && is_start(offset)? {
            let words = format!("A second directory stands at {offset:#x}, where the end record points.");
            directory.contradictions.push((fixed, words));
        }
        directory.shift = i128::from(start).saturating_sub(i128::from(offset));
        directory.range = start..before;
        Ok(Some(directory))
    }

    /// What the end record declares, against what is there.
    fn compare(&self, end: u64, count: u64, contradictions: &mut Vec<(Range<u64>, String)>) {
        let place = self.ends.first().cloned().unwrap_or_default();
        let mask = if self.count_bits == 16 { 0xffff } else { u64::MAX };
        if self.count & mask != count & mask {
            let words = format!("The end record declares {} entries; the directory has {count}.", self.count);
            contradictions.push((place.clone(), words));
        }
        let len = end.saturating_sub(self.range.start);
        if self.declared_len != len {
            let words = format!("The end record declares a directory of {} bytes; it has {len}.", self.declared_len);
            contradictions.push((place, words));
        }
    }

    /// The entry whose central header is at `at`.
    fn entry(&self, bytes: &Bytes, at: u64) -> Result<Option<Entry>, Stop> {
        let Ok((_, fixed)) = central_fixed(&bytes.peek(at, 46)?) else { return Ok(None) };
        let name_at = at.saturating_add(CENTRAL_LEN);
        let extra_at = name_at.saturating_add(u64::from(fixed.name_len));
        let comment_at = extra_at.saturating_add(u64::from(fixed.extra_len));
        let end = comment_at.saturating_add(u64::from(fixed.comment_len));
        if end > self.range.end {
            return Ok(None);
        }
        let mut central = Header {
            range: at..end,
            name: bytes.peek(name_at, usize::from(fixed.name_len))?,
            extra: extra_at..comment_at,
            comment: comment_at..end,
            ..fixed.header
        };
        let mut offset = u64::from(fixed.offset);
        read_extra(bytes, &mut central, Some(&mut offset))?;

        let place =
            |offset: u64, shift: i128| u64::try_from(i128::from(offset).saturating_add(shift)).unwrap_or(u64::MAX);
        let mut local_at = place(offset, self.shift);
        let mut local = read_local(bytes, local_at)?;
        if local.is_none() && self.shift != 0 {
            local = read_local(bytes, offset)?;
            local_at = if local.is_some() { offset } else { local_at };
        }
        let data_at = local.as_ref().map_or(local_at, |local| local.range.end).min(bytes.end());
        let data_len = if local.is_some() { central.compressed_len } else { 0 };
        Ok(Some(Entry {
            name: String::from_utf8_lossy(central.unicode_name.as_ref().unwrap_or(&central.name)).into_owned(),
            data: data_at..data_at.saturating_add(data_len).min(bytes.end()),
            central,
            local,
            local_at,
            external: fixed.external,
        }))
    }
}

/// Whether the first bytes are those of an archive.
pub(super) fn starts_like_one(bytes: &Bytes) -> Result<bool, Stop> {
    let at = bytes.start();
    if is_volume_mark(bytes, at)? {
        return Ok(read_local(bytes, at.saturating_add(4))?.is_some());
    }
    Ok(read_local(bytes, at)?.is_some())
}

/// The mark of a split archive, or of one that was to be split and was not (APPNOTE sections 8.5.3 and 8.5.4).
pub(super) fn is_volume_mark(bytes: &Bytes, at: u64) -> Result<bool, Stop> {
    Ok(bytes.starts_with(at, DESCRIPTOR)? || bytes.starts_with(at, b"PK00")?)
}

/// The local header at `at`, if there is one.
pub(super) fn read_local(bytes: &Bytes, at: u64) -> Result<Option<Header>, Stop> {
    let Ok((_, (fixed, name_len, extra_len))) = local_fixed(&bytes.peek(at, 30)?) else { return Ok(None) };
    let name_at = at.saturating_add(LOCAL_LEN);
    let extra_at = name_at.saturating_add(u64::from(name_len));
    let end = extra_at.saturating_add(u64::from(extra_len));
    if end > bytes.end() {
        return Ok(None);
    }
    let name = bytes.peek(name_at, usize::from(name_len))?;
    let mut local = Header { range: at..end, name, extra: extra_at..end, comment: end..end, ..fixed };
    read_extra(bytes, &mut local, None)?;
    Ok(Some(local))
}

/// Where the data behind a local header ends, as far as one can know without the directory.
fn end_of_data(bytes: &Bytes, local: &Header) -> Result<Option<u64>, Stop> {
    let at = local.range.end;
    if !local.is_described() || local.compressed_len != 0 {
        let end = at.saturating_add(local.compressed_len);
        return Ok(Some(end).filter(|end| *end <= bytes.end()));
    }
    if local.method == DEFLATED && local.flags & ENCRYPTED == 0 {
        let inflated = Inflated::measure(bytes.from(at), Wrapping::Bare)?;
        return Ok(inflated.stop().is_none().then(|| at.saturating_add(inflated.compressed_len())));
    }
    // Stored, and nobody says how long: up to the descriptor that gives this very length.
    let finder = memmem::Finder::new(DESCRIPTOR);
    let mut buffer = vec![0; 1 << 20];
    let mut from = at;
    while from < bytes.end() {
        let count = bytes.copy(from, &mut buffer)?;
        for place in finder.find_iter(buffer.get(..count).unwrap_or_default()) {
            let end = from.saturating_add(place as u64);
            let guess = Header { compressed_len: end.saturating_sub(at), len: end.saturating_sub(at), ..local.clone() };
            if descriptor_of(bytes, end, &guess, false)? > 0 {
                return Ok(Some(end));
            }
        }
        let next = from.saturating_add(count as u64);
        from = if next >= bytes.end() { next } else { next.saturating_sub(3).max(from.saturating_add(1)) };
    }
    Ok(None)
}

/// Length of the data descriptor at `at` that fits the header, 0 where there is none.
pub(super) fn descriptor_len(bytes: &Bytes, at: u64, header: &Header) -> Result<u64, Stop> {
    let unknown = header.is_described() && header.compressed_len == 0 && header.len == 0;
    if unknown && bytes.starts_with(at, DESCRIPTOR)? {
        // Nothing to compare with: 64-bit sizes are those behind which the next record starts.
        let next = bytes.peek(at.saturating_add(24), 2)?;
        return Ok(if next == b"PK" { 24 } else { 16 });
    }
    descriptor_of(bytes, at, header, true)
}

fn descriptor_of(bytes: &Bytes, at: u64, header: &Header, compare_crc: bool) -> Result<u64, Stop> {
    let window = bytes.peek(at, 24)?;
    let signed = window.strip_prefix(DESCRIPTOR);
    for (fields, before) in [(signed, 4u64), (Some(window.as_slice()), 0)] {
        let Some(fields) = fields else { continue };
        let short: IResult<&[u8], (u32, u32, u32)> = (le_u32, le_u32, le_u32).parse(fields);
        let long: IResult<&[u8], (u32, u64, u64)> = (le_u32, le_u64, le_u64).parse(fields);
        let fits = |crc32: u32, compressed_len: u64, len: u64| {
            (!compare_crc || crc32 == header.crc32) && compressed_len == header.compressed_len && len == header.len
        };
        if long.is_ok_and(|(_, (crc32, compressed_len, len))| fits(crc32, compressed_len, len)) {
            return Ok(before.saturating_add(20));
        }
        if short.is_ok_and(|(_, (crc32, compressed_len, len))| fits(crc32, compressed_len.into(), len.into())) {
            return Ok(before.saturating_add(12));
        }
    }
    Ok(0)
}

/// Takes from the extra field what changes the meaning of the header: 64-bit sizes (APPNOTE section 4.5.3) and the
/// Unicode name (section 4.6.9).
fn read_extra(bytes: &Bytes, header: &mut Header, offset: Option<&mut u64>) -> Result<(), Stop> {
    if header.extra.is_empty() {
        return Ok(());
    }
    let extra = bytes.window(header.extra.clone()).all()?;
    let mut rest = extra.as_slice();
    let mut offset = offset;
    while let Ok((behind, (id, block))) = extra_block(rest) {
        rest = behind;
        match id {
            0x0001 => {
                let mut wide = block;
                let fields = [Some(&mut header.len), Some(&mut header.compressed_len), offset.take()];
                for field in fields.into_iter().flatten().filter(|field| **field == 0xffff_ffff) {
                    let number: IResult<&[u8], u64> = le_u64(wide);
                    let Ok((behind, number)) = number else { break };
                    *field = number;
                    wide = behind;
                }
            }
            0x7075 => {
                // Version 1 and the CRC-32 of the name that it replaces: a stale one does not count.
                if let [1, a, b, c, d, name @ ..] = block
                    && u32::from_le_bytes([*a, *b, *c, *d]) == CRC_32.checksum(&header.name)
                {
                    header.unicode_name = Some(name.to_vec());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A block of an extra field: its number and its content.
pub(super) fn extra_block(input: &[u8]) -> IResult<&[u8], (u16, &[u8])> {
    let (input, (id, len)) = (le_u16, le_u16).parse(input)?;
    let (input, block) = nom::bytes::complete::take(len)(input)?;
    Ok((input, (id, block)))
}

/// What the zip64 end record says, and where it and its locator are.
struct Zip64 {
    range: Range<u64>,
    locator: Range<u64>,
    end: End64,
}

/// The zip64 end record and locator in front of the end record at `at`.
fn zip64_before(bytes: &Bytes, at: u64) -> Result<Option<Zip64>, Stop> {
    let Some(locator_at) = at.checked_sub(LOCATOR_LEN) else { return Ok(None) };
    let Ok((_, declared)) = locator(&bytes.peek(locator_at, 20)?) else { return Ok(None) };
    let locator = locator_at..at;
    // Where other bytes stand in front of the archive, the declared place is wrong: then right before the locator.
    for start in [Some(declared), locator_at.checked_sub(END64_LEN)].into_iter().flatten() {
        if start >= locator_at {
            continue;
        }
        if let Ok((_, record)) = end64(&bytes.peek(start, 56)?)
            && start.saturating_add(record.record_len) <= locator_at
        {
            return Ok(Some(Zip64 { range: start..start.saturating_add(record.record_len), locator, end: record }));
        }
    }
    Ok(None)
}

/// Length of the central header at `at`, if there is one.
fn central_len(bytes: &Bytes, at: u64) -> Result<Option<u64>, Stop> {
    let Ok((_, fixed)) = central_fixed(&bytes.peek(at, 46)?) else { return Ok(None) };
    let room =
        u64::from(fixed.name_len).saturating_add(fixed.extra_len.into()).saturating_add(fixed.comment_len.into());
    let len = CENTRAL_LEN.saturating_add(room);
    Ok(Some(len).filter(|len| at.saturating_add(*len) <= bytes.end()))
}

fn local_fixed(input: &[u8]) -> IResult<&[u8], (Header, u16, u16)> {
    let (input, _) = tag(LOCAL)(input)?;
    let (input, (_version, flags, method, _time)) = (le_u16, le_u16, le_u16, le_u32).parse(input)?;
    let (input, (crc32, compressed_len, len)) = (le_u32, le_u32, le_u32).parse(input)?;
    let (input, (name_len, extra_len)) = (le_u16, le_u16).parse(input)?;
    let (compressed_len, len) = (compressed_len.into(), len.into());
    let header = Header { flags, method, crc32, compressed_len, len, ..Header::default() };
    Ok((input, (header, name_len, extra_len)))
}

struct CentralFixed {
    header: Header,
    name_len: u16,
    extra_len: u16,
    comment_len: u16,
    external: u32,
    offset: u32,
}

fn central_fixed(input: &[u8]) -> IResult<&[u8], CentralFixed> {
    let (input, _) = tag(CENTRAL)(input)?;
    let (input, (_made_by, _needed, flags, method, _time)) = (le_u16, le_u16, le_u16, le_u16, le_u32).parse(input)?;
    let (input, (crc32, compressed_len, len)) = (le_u32, le_u32, le_u32).parse(input)?;
    let (input, (name_len, extra_len, comment_len)) = (le_u16, le_u16, le_u16).parse(input)?;
    let (input, (_disk, _internal, external, offset)) = (le_u16, le_u16, le_u32, le_u32).parse(input)?;
    let (compressed_len, len) = (compressed_len.into(), len.into());
    let header = Header { flags, method, crc32, compressed_len, len, ..Header::default() };
    Ok((input, CentralFixed { header, name_len, extra_len, comment_len, external, offset }))
}

struct End {
    disk: u16,
    first_disk: u16,
    count_here: u16,
    count: u16,
    len: u32,
    offset: u32,
    comment_len: u16,
}

fn end_record(input: &[u8]) -> IResult<&[u8], End> {
    let (input, _) = tag(END)(input)?;
    let (input, (disk, first_disk, count_here, count)) = (le_u16, le_u16, le_u16, le_u16).parse(input)?;
    let (input, (len, offset, comment_len)) = (le_u32, le_u32, le_u16).parse(input)?;
    Ok((input, End { disk, first_disk, count_here, count, len, offset, comment_len }))
}

struct End64 {
    record_len: u64,
    count: u64,
    len: u64,
    offset: u64,
}

fn end64(input: &[u8]) -> IResult<&[u8], End64> {
    let (input, _) = tag(END64)(input)?;
    let (input, (rest_len, _versions, _disks)) = (le_u64, le_u32, le_u64).parse(input)?;
    let (input, (_here, count, len, offset)) = (le_u64, le_u64, le_u64, le_u64).parse(input)?;
    Ok((input, End64 { record_len: rest_len.saturating_add(12), count, len, offset }))
}

fn locator(input: &[u8]) -> IResult<&[u8], u64> {
    let (input, _) = tag(LOCATOR)(input)?;
    let (input, (_disk, offset, _disks)) = (le_u32, le_u64, le_u32).parse(input)?;
    Ok((input, offset))
}
