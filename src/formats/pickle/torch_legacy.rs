//! PyTorch's files before version 1.6: five pickles, then the storages.
//!
//! Specification: `torch/serialization.py`, `_legacy_save`.
//!
//! ```text
//! pickle: magic number   pickle: 1001   pickle: system   pickle: the object   pickle: keys of storages
//! storage = count 8, count × element size bytes          in the order of the keys
//! ```

use std::{collections::HashMap, ops::Range};

use super::{machine::Log, opcodes::text_of};
use crate::{
    bytes::{Bytes, Cursor},
    format::Visit,
    stop::Stop,
};

/// The first pickle: PROTO 2, LONG1 of ten bytes, STOP.
pub(super) const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";

/// How far the five pickles were read.
pub(super) struct Progress {
    is_torch: bool,
    streams: usize,
    storages: HashMap<String, (u64, u64)>,
    keys: Vec<Range<u64>>,
}

impl Progress {
    pub(super) fn new(bytes: &Bytes) -> Result<Self, Stop> {
        let is_torch = bytes.starts_with(bytes.start(), MAGIC)?;
        Ok(Progress { is_torch, streams: 0, storages: HashMap::new(), keys: Vec::new() })
    }

    /// Whether the next pickle is the list of keys.
    pub(super) fn wants_texts(&self) -> bool {
        self.is_torch && self.streams == 4
    }

    /// Takes what a pickle left; true when the storages follow.
    pub(super) fn pass(&mut self, _bytes: &Bytes, log: Log) -> Result<bool, Stop> {
        self.streams = self.streams.saturating_add(1);
        if self.is_torch && self.streams == 4 {
            self.storages = log.storages;
        } else if let Some(texts) = log.texts {
            self.keys = texts;
        }
        Ok(self.is_torch && self.streams == 5)
    }

    pub(super) fn read_storages(&self, visit: &mut Visit<'_>, cursor: &mut Cursor) -> Result<(), Stop> {
        for key in &self.keys {
            let at = cursor.at();
            let key = text_of(visit.bytes, key)?;
            let count = cursor.u64_le("the number of elements of a storage")?;
            visit.structure(at..cursor.at(), "number of elements")?;
            let size = self.storages.get(&key).map(|(size, _)| *size);
            let size = size.ok_or(Stop::malformed(at, "a storage that the object refers to"))?;
            let len = count.checked_mul(size).ok_or(Stop::malformed(at, "a number of elements"))?;
            let values = cursor.take(len, "the elements of a storage")?;
            visit.opaque(values.range(), "tensor storage")?;
        }
        Ok(())
    }
}
