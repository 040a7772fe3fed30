//! What values hold, and which other files the file names.
//!
//! HDF5 does not say what text and bytes are for; programs do. What a program may parse or run becomes a layer of its
//! own, so that every format looks at it: JSON (Keras keeps a model in an attribute), XML, scripts, and text that
//! PyTables hands to `pickle`. The rest is room.

use std::{ops::Range, rc::Rc};

use super::{
    FILTER_REGISTERED, FILTER_UNKNOWN, REFERENCE,
    chunk::Chunks,
    message::{Datatype, Space},
    walk::{Task, Walk},
};
use crate::{
    format::{Role, Span},
    ledger::Kind,
    quote::{quoted, quoted_bytes},
    reference::classify,
    rules,
    source::{Inflated, Paged, Wrapping},
    stop::Stop,
};

/// Values of datasets that become layers: a file may have millions.
const LAYERS: usize = 1000;

/// Files and filters that are reported: a virtual dataset may have thousands of parts.
const NAMED: usize = 200;

impl Walk<'_, '_> {
    /// The value of an attribute.
    pub fn attribute_value(
        &mut self,
        name: &str,
        path: &str,
        kind: Datatype,
        space: &Space,
        value: &crate::bytes::Bytes,
    ) -> Result<(), Stop> {
        let range = value.range();
        let len = space.count().saturating_mul(kind.size).min(value.len());
        let end = range.start.saturating_add(len);
        self.claim(end..range.end, Kind::Slack, "padding of an attribute")?;
        let range = range.start..end;
        let label = || format!("attribute {name} of {path}");
        match kind.class {
            Datatype::STRING => {
                let unpickled = space.count() == 1 && self.is_unpickled(&range)?;
                self.text(label, range, unpickled)
            }
            Datatype::OPAQUE if len > 0 => self.open(label(), range, "attribute value"),
            Datatype::VARIABLE => {
                self.structure(range.clone(), "references to a global heap")?;
                let mut cursor = value.cursor();
                for index in 0..space.count() {
                    if cursor.remaining() < kind.size {
                        break;
                    }
                    let values = cursor.u32_le("the length of a value")?;
                    let address = self.widths.address(&mut cursor)?;
                    let object = cursor.u32_le("the index of a value")?;
                    let Some(address) = address.filter(|address| *address != 0 && values != 0) else { continue };
                    // The collection is read anyway; a value that stands alone is given its name.
                    if index == 0 && space.count() == 1 && matches!(kind.variable, Some((true, _) | (false, 1))) {
                        let range = self.collection_value(address, object)?;
                        self.text(label, range, false)?;
                    }
                    self.push(Task::Collection { address })?;
                    if index >= 64 {
                        // The others are found by their signature.
                        break;
                    }
                }
                Ok(())
            }
            _ => self.claim(range, Kind::Opaque, "attribute value"),
        }
    }

    /// PyTables hands the value of a text attribute to `pickle` when it ends as every pickle does, in a full stop.
    fn is_unpickled(&mut self, range: &Range<u64>) -> Result<bool, Stop> {
        let end = self.without_padding(range)?;
        let last = self.window(end.saturating_sub(1).max(range.start), 1).all()?;
        Ok(end.saturating_sub(range.start) > 2 && last == b".")
    }

    /// The end of a text without the zeros or spaces behind it.
    fn without_padding(&self, range: &Range<u64>) -> Result<u64, Stop> {
        let from = range.end.saturating_sub(64 << 10).max(range.start);
        let tail = self.window(from, range.end.saturating_sub(from)).all()?;
        let padding = tail.iter().rev().take_while(|byte| matches!(byte, 0 | b' ')).count();
        Ok(range.end.saturating_sub(padding as u64))
    }

    /// Text, which becomes a layer where its first bytes are those of something that is parsed or run.
    fn text(&mut self, label: impl Fn() -> String, range: Range<u64>, unpickled: bool) -> Result<(), Stop> {
        if !unpickled && !self.is_telling(&range)? {
            return self.claim(range, Kind::Slack, "text");
        }
        let end = self.without_padding(&range)?;
        self.claim(end..range.end, Kind::Slack, "padding of text")?;
        self.open(label(), range.start..end, "text")
    }

    /// Whether a value starts as JSON, XML, a script with its interpreter, or a pickle does.
    fn is_telling(&self, range: &Range<u64>) -> Result<bool, Stop> {
        if range.end.saturating_sub(range.start) < 8 {
            return Ok(false);
        }
        let head = self.window(range.start, 16).all()?;
        let start = head.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
        let head = head.get(start..).unwrap_or_default();
        let first = [b"{".as_slice(), b"[", b"<", b"#!", b"\xef\xbb\xbf"];
        let pickled = matches!(head, [0x80, 1..=5, ..]);
        Ok(pickled || first.iter().any(|first| head.starts_with(first)))
    }

    fn open(&mut self, label: String, range: Range<u64>, what: &'static str) -> Result<(), Stop> {
        if range.is_empty() || !self.opened.insert(range.start) {
            return Ok(());
        }
        self.claim(range.clone(), Kind::Nested, "value")?;
        self.visit.open(label, self.span(range), Role::Opaque(what))
    }

    /// An object of a global heap collection, whoever refers to it.
    pub fn heap_value(&mut self, index: u16, range: Range<u64>) -> Result<(), Stop> {
        if self.opened.len() < LAYERS && self.is_telling(&range)? {
            let end = self.without_padding(&range)?;
            self.claim(end..range.end, Kind::Slack, "padding of text")?;
            return self.open(format!("value {index} of variable length"), range.start..end, "value");
        }
        self.claim(range, Kind::Opaque, "value of variable length")
    }

    /// The values of a dataset that stand in one place.
    pub fn dataset_value(&mut self, path: &str, kind: Datatype, space: &Space, range: Range<u64>) -> Result<(), Stop> {
        let label = || format!("dataset {path}");
        let one = space.count() == 1;
        if self.opened.len() < LAYERS && range.end.saturating_sub(range.start) >= 16 {
            if kind.class == Datatype::STRING && one {
                return self.text(label, range, false);
            }
            if Self::is_of_bytes(kind, space) {
                return self.open(label(), range, "raw data");
            }
        }
        self.claim(range, Kind::Opaque, "raw data")
    }

    /// Whether the values are bytes in a row, which programs use to keep a file in a dataset.
    pub fn is_of_bytes(kind: Datatype, space: &Space) -> bool {
        (kind.class == Datatype::INTEGER && kind.size == 1 && space.dims.len() <= 1) || kind.class == Datatype::OPAQUE
    }

    /// Whether filters can be undone here: deflate (1), shuffle (2) where there is nothing to shuffle, checksum (3).
    pub fn can_undo(filters: &[u16], kind: Datatype) -> bool {
        filters.is_empty()
            || filters.contains(&1) && filters.iter().all(|id| matches!(id, 1 | 3) || (*id == 2 && kind.size == 1))
    }

    /// A chunk. One that is a whole dataset of bytes becomes a layer.
    pub fn chunk(&mut self, address: u64, len: u64, chunks: &Chunks) -> Result<(), Stop> {
        let Some((path, deflated)) = chunks.whole.as_ref().filter(|_| self.opened.len() < LAYERS && len >= 16) else {
            return self.raw(address, len);
        };
        let range = self.raw_range(address, len)?;
        let label = format!("dataset {path}");
        if !deflated {
            return self.open(label, range, "raw data");
        }
        let inflated = Inflated::measure(self.visit.bytes.window(range.clone()), Wrapping::Zlib)?;
        if inflated.stop().is_some() || !self.opened.insert(range.start) {
            // A mask may say of each chunk that a filter was left out.
            return self.claim(range, Kind::Opaque, "raw data");
        }
        let end = range.start.saturating_add(inflated.compressed_len());
        self.claim(end..range.end, Kind::Structure, "checksum")?;
        self.claim(range.start..end, Kind::Nested, "value")?;
        let content = Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 4));
        self.visit.open(label, Span::Decoded(range.start..end, content), Role::Opaque("raw data"))
    }

    /// A filter of a dataset, or of a heap of names or attributes.
    pub fn filter(&mut self, id: u16, range: Range<u64>, path: &str) -> Result<(), Stop> {
        // 1 to 6 are part of the library; 305, 307 and the block from 32000 on are the HDF Group's registry.
        if matches!(id, 1..=6) || self.filters.len() >= NAMED || !self.filters.insert(id) {
            return Ok(());
        }
        let registered = matches!(id, 305 | 307 | 32000..=32767);
        let rule = if registered { &FILTER_REGISTERED } else { &FILTER_UNKNOWN };
        let message = match registered_name(id) {
            Some(name) => format!("{} is filtered by number {id}: {name}.", quoted(path)),
            None => format!("{} is filtered by number {id}.", quoted(path)),
        };
        self.find(rule, range, message)
    }

    /// Another file that this one names: by an external link, external storage or a virtual dataset.
    pub fn reference(&mut self, range: Range<u64>, how: &str, file: &[u8], path: &str) -> Result<(), Stop> {
        let name = String::from_utf8_lossy(file).into_owned();
        // Virtual datasets call the file itself by a full stop.
        if matches!(name.as_str(), "" | ".") {
            return Ok(());
        }
        let rule = rules::of_reference(&classify(&name)).unwrap_or(&REFERENCE);
        let room = if *rule == REFERENCE { NAMED } else { NAMED.saturating_mul(5) };
        if self.named.len() >= room || !self.named.insert(name) {
            return Ok(());
        }
        self.find(rule, range, format!("The {how} {} names {}.", quoted(path), quoted_bytes(file)))
    }
}

/// What a filter of the library is called in counts.
pub(super) fn built_in_name(id: u16) -> &'static str {
    match id {
        1 => "deflate filter",
        2 => "shuffle filter",
        3 => "checksum filter",
        4 => "szip filter",
        5 => "n-bit filter",
        6 => "scale-offset filter",
        _ => "filter of a plug-in",
    }
}

/// Names in the HDF Group's registry of those that are met most.
fn registered_name(id: u16) -> Option<&'static str> {
    Some(match id {
        305 => "LZO",
        307 => "bzip2",
        32000 => "LZF",
        32001 => "Blosc",
        32003 => "Snappy",
        32004 => "LZ4",
        32008 => "bitshuffle",
        32013 => "ZFP",
        32015 => "Zstandard",
        32017 | 32024 => "SZ",
        32026 => "Blosc2",
        _ => return None,
    })
}
