//! Blocks and objects of fractal heaps that are stored filtered.
//!
//! What comes out of the filters has places of its own, far behind the end of every file. So links and attributes in it
//! are read like all others; what is found in it is told at the filtered bytes, and all of it is a layer to be searched.

use std::{ops::Range, rc::Rc};

use super::walk::Walk;
use crate::{
    bytes::Bytes,
    format::{Role, Span},
    rule::Rule,
    source::{Inflated, Source, Wrapping},
    stop::{Limit, Stop},
};

/// The place of the first decoded byte: no file is that long.
const APART: u64 = 1 << 62;

/// The most decoded bytes of one file, which are kept in memory: heaps hold names and small values.
const MOST: u64 = 64 << 20;

/// What was decoded from a range of the file.
pub(super) struct Decoded {
    pub bytes: Bytes,
    stored: Range<u64>,
}

/// Content whose first place is not 0.
struct Placed {
    start: u64,
    content: Rc<dyn Source>,
}

impl Source for Placed {
    fn len(&self) -> u64 {
        self.start.saturating_add(self.content.len())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> std::io::Result<usize> {
        self.content.read_at(at.saturating_sub(self.start), into)
    }
}

impl Walk<'_, '_> {
    /// Undoes the filters over a range of the file; a bit of the mask says that a filter was left out.
    pub fn decode(&mut self, stored: Range<u64>, filters: &[u16], mask: u32) -> Result<Bytes, Stop> {
        let budget = self.visit.bytes.budget().clone();
        let mut content = self.visit.bytes.window(stored.clone());
        for (number, filter) in filters.iter().enumerate().rev() {
            if mask.checked_shr(u32::try_from(number).unwrap_or(u32::MAX)).is_some_and(|mask| mask & 1 != 0) {
                continue;
            }
            content = match filter {
                1 => {
                    let inflated = Inflated::measure(content, Wrapping::Zlib)?;
                    if let Some(stop) = inflated.stop() {
                        return Err(stop.clone());
                    }
                    Bytes::whole(Rc::new(inflated), budget.clone())
                }
                3 => content.window(content.start()..content.end().saturating_sub(4)),
                _ => return Err(Stop::unsupported(stored.start, format!("a heap with filter number {filter}"))),
            };
        }
        let last = self.decoded.last().map_or(APART, |decoded| decoded.bytes.end());
        // One byte lies between the ends, so that a place belongs to one of them.
        let start = last.saturating_add(1);
        let end = start.saturating_add(content.len());
        if end > APART.saturating_add(MOST) {
            return Err(Stop::Exhausted(Limit::Inflated));
        }
        let content: Rc<dyn Source> = Rc::new(content.all()?);
        let label = format!("block of a heap at {:#x}", stored.start);
        self.visit.open(label, Span::Decoded(stored.clone(), content.clone()), Role::Opaque("block of a heap"))?;
        let bytes = Bytes::whole(Rc::new(Placed { start, content }), budget).from(start);
        self.decoded.push(Decoded { bytes: bytes.clone(), stored });
        Ok(bytes)
    }

    /// What a place belongs to that is not one of the file.
    pub fn decoded_at(&self, place: u64) -> Option<&Decoded> {
        let index = self.decoded.partition_point(|decoded| decoded.bytes.start() <= place).checked_sub(1)?;
        self.decoded.get(index)
    }

    /// Reports a finding, at filtered bytes if it is in what came out of them.
    pub fn find(&mut self, rule: &'static Rule, range: Range<u64>, message: String) -> Result<(), Stop> {
        let range = self.decoded_at(range.start).map_or(range, |decoded| decoded.stored.clone());
        self.visit.find(rule, range, message)
    }

    /// Where a value is, for a layer of its own.
    pub fn span(&self, range: Range<u64>) -> Span {
        match self.decoded_at(range.start) {
            Some(decoded) => Span::Decoded(decoded.stored.clone(), decoded.bytes.window(range).rebased()),
            None => Span::Range(range),
        }
    }
}
