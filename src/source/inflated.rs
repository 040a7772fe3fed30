//! A deflate stream (RFC 1951, bare or in a zlib wrapping, RFC 1950) as a source that never holds its whole content.
//!
//! ```text
//! compressed   |----------|----------|----------|--- end
//! checkpoints             ^ state    ^ state      every `interval` bytes of content, at most `KEEP` of them
//! ```
//! The stream is measured once, which finds its length and its end. A read then starts at the nearest
//! checkpoint, and leaves checkpoints behind on its way.

use std::{cell::RefCell, io};

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{
        DecompressorOxide, decompress,
        inflate_flags::{TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER},
    },
};

use super::{Source, stitched::stopped};
use crate::{bytes::Bytes, checksum::CRC_32, stop::Stop};

/// What is around the deflate blocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrapping {
    /// Nothing: RFC 1951.
    Bare,
    /// Two header bytes and a checksum: RFC 1950.
    Zlib,
}

/// The content of a deflate stream.
pub struct Inflated {
    compressed: Bytes,
    wrapping: Wrapping,
    len: u64,
    compressed_len: u64,
    crc32: u32,
    stop: Option<Stop>,
    reading: RefCell<Reading>,
}

impl Inflated {
    /// Measures the stream at the start of `compressed`. A stream that breaks keeps what came before the
    /// break, and [`Inflated::stop`] says why.
    ///
    /// # Errors
    /// Only what ends the whole check: cancelled, or no work left.
    pub fn measure(compressed: Bytes, wrapping: Wrapping) -> Result<Self, Stop> {
        let mut state = State::new(compressed.start());
        let budget = compressed.budget().clone();
        let mut len = 0u64;
        let mut hasher = CRC_32.digest();
        let stop = loop {
            match state.step(&compressed, wrapping) {
                Ok(Step::Produced(count)) => {
                    hasher.update(state.fresh());
                    if let Err(stop) = budget.charge_inflated(count as u64) {
                        break Some(stop);
                    }
                    len = len.saturating_add(count as u64);
                }
                Ok(Step::End) => break None,
                Err(stop) => break Some(stop),
            }
        };
        if let Some(stop) = &stop
            && stop.ends_check()
        {
            return Err(stop.clone());
        }
        let compressed_len = state.compressed_at.saturating_sub(compressed.start());
        let (crc32, reading) = (hasher.finalize(), RefCell::new(Reading::default()));
        Ok(Inflated { compressed, wrapping, len, compressed_len, crc32, stop, reading })
    }

    /// The CRC-32 of the content (as in RFC 1952 and ZIP), of what came before a break where there is one.
    pub fn crc32(&self) -> u32 {
        self.crc32
    }

    /// How many bytes of the window the stream takes.
    pub fn compressed_len(&self) -> u64 {
        self.compressed_len
    }

    /// Why the stream ended before its own end, if it did. The place is one of the compressed bytes.
    pub fn stop(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }
}

impl Source for Inflated {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX).min(into.len());
        if wanted == 0 {
            return Ok(0);
        }
        let mut reading = self.reading.borrow_mut();
        let mut state = reading.nearest(at).unwrap_or_else(|| State::new(self.compressed.start()));
        let mut done = 0usize;
        loop {
            // What was produced last lies in the dictionary, behind `state.at - state.fresh`.
            let place = at.saturating_add(done as u64);
            let from = state.at.saturating_sub(state.fresh as u64);
            if place >= from && place < state.at {
                let rest = into.get_mut(done..wanted).unwrap_or_default();
                done = done.saturating_add(state.copy_fresh(place.saturating_sub(from), rest));
            }
            if done == wanted {
                break;
            }
            match state.step(&self.compressed, self.wrapping) {
                Ok(Step::Produced(count)) => {
                    self.compressed.budget().charge(count as u64).map_err(stopped)?;
                    reading.pass(&state);
                }
                Ok(Step::End) => break,
                Err(stop) => return Err(stopped(stop)),
            }
        }
        reading.live = Some(state);
        Ok(done)
    }

    fn forget(&self) {
        *self.reading.borrow_mut() = Reading::default();
        self.compressed.forget();
    }
}

/// The decoder between two steps, and where it stands.
#[derive(Clone)]
struct State {
    decoder: Box<DecompressorOxide>,
    /// The last 32 KiB of content, used as a ring.
    dictionary: Box<[u8]>,
    /// Place in the ring of the next byte.
    next: usize,
    /// Bytes that the last step produced; they end at `next`.
    fresh: usize,
    /// Place in the content of the next byte.
    at: u64,
    /// Place in the compressed bytes of the next byte.
    compressed_at: u64,
}

enum Step {
    Produced(usize),
    End,
}

/// The farthest that deflate looks back.
const DICTIONARY: usize = 32 << 10;

/// Compressed bytes given to the decoder at once.
const INPUT: usize = 32 << 10;

impl State {
    fn new(compressed_at: u64) -> Self {
        State {
            decoder: Box::default(),
            dictionary: vec![0; DICTIONARY].into_boxed_slice(),
            next: 0,
            fresh: 0,
            at: 0,
            compressed_at,
        }
    }

    /// Produces some bytes: at least one, up to the end of the ring.
    fn step(&mut self, compressed: &Bytes, wrapping: Wrapping) -> Result<Step, Stop> {
        let zlib = if wrapping == Wrapping::Zlib { TINFL_FLAG_PARSE_ZLIB_HEADER } else { 0 };
        self.next %= DICTIONARY;
        loop {
            let input = compressed.peek(self.compressed_at, INPUT)?;
            let more = self.compressed_at.saturating_add(input.len() as u64) < compressed.end();
            let flags = if more { zlib | TINFL_FLAG_HAS_MORE_INPUT } else { zlib };
            let (status, taken, produced) =
                decompress(&mut self.decoder, &input, &mut self.dictionary, self.next, flags);
            let at = self.compressed_at;
            self.compressed_at = at.saturating_add(taken as u64);
            self.next = self.next.saturating_add(produced);
            self.fresh = produced;
            self.at = self.at.saturating_add(produced as u64);
            if produced > 0 {
                return Ok(Step::Produced(produced));
            }
            match status {
                TINFLStatus::Done => return Ok(Step::End),
                TINFLStatus::NeedsMoreInput if taken > 0 && more => {}
                TINFLStatus::HasMoreOutput if taken > 0 => {}
                TINFLStatus::Adler32Mismatch => return Err(Stop::malformed(self.compressed_at, "a matching Adler-32")),
                _ => return Err(Stop::malformed(self.compressed_at, "a deflate block")),
            }
        }
    }

    /// What the last step produced.
    fn fresh(&self) -> &[u8] {
        let fresh = self.next.checked_sub(self.fresh).and_then(|from| self.dictionary.get(from..self.next));
        fresh.unwrap_or_default()
    }

    /// Copies of the freshly produced bytes, from `skip` on.
    fn copy_fresh(&self, skip: u64, into: &mut [u8]) -> usize {
        let rest = self.fresh().get(usize::try_from(skip).unwrap_or(usize::MAX)..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(to), Some(bytes)) = (into.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(bytes);
        }
        count
    }
}

/// States that reading left behind.
struct Reading {
    live: Option<State>,
    checkpoints: Vec<State>,
    interval: u64,
}

/// Checkpoints of one stream: about 43 KiB each.
const KEEP: usize = 24;

impl Default for Reading {
    fn default() -> Self {
        Reading { live: None, checkpoints: Vec::new(), interval: 2 << 20 }
    }
}

impl Reading {
    /// The state nearest before `at`: the live one if it serves, else a copy of a checkpoint.
    fn nearest(&mut self, at: u64) -> Option<State> {
        let index = self.checkpoints.partition_point(|state| state.at.saturating_sub(state.fresh as u64) <= at);
        let checkpoint = index.checked_sub(1).and_then(|index| self.checkpoints.get(index));
        if let Some(live) = self.live.take() {
            let from = live.at.saturating_sub(live.fresh as u64);
            if from <= at && checkpoint.is_none_or(|checkpoint| checkpoint.at <= live.at) {
                return Some(live);
            }
        }
        checkpoint.cloned()
    }

    /// Leaves a checkpoint behind where one is due; when there are too many, every second one goes.
    fn pass(&mut self, state: &State) {
        let last = self.checkpoints.last().map_or(0, |last| last.at);
        if state.at < last.saturating_add(self.interval) {
            return;
        }
        if self.checkpoints.len() >= KEEP {
            let mut index = 0usize;
            self.checkpoints.retain(|_| {
                index = index.wrapping_add(1);
                index.is_multiple_of(2)
            });
            self.interval = self.interval.saturating_mul(2);
            return;
        }
        self.checkpoints.push(state.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    use super::*;
    use crate::{
        budget::{Budget, Limits, Quiet},
        stop::Limit,
    };

    fn content(len: usize) -> Vec<u8> {
        (0..len as u64).map(|n| (n.wrapping_mul(0x9E37_79B9) >> (n % 23)) as u8).collect()
    }

    #[test]
    fn content_is_the_same_at_any_place() {
        let plain = content(9_000_000);
        let mut packed = compress_to_vec(&plain, 1);
        let packed_len = packed.len() as u64;
        packed.extend_from_slice(b"tail");
        let inflated = Inflated::measure(Bytes::of(packed), Wrapping::Bare).unwrap();
        assert_eq!(inflated.stop(), None);
        assert_eq!(inflated.len(), plain.len() as u64);
        assert_eq!(inflated.compressed_len(), packed_len);
        for at in [0, 5_000_000, 8_999_990, 4_999_999, 1, 7_000_000, 32_768, 65_535] {
            let mut some = vec![0; 70_000];
            let count = inflated.read_at(at as u64, &mut some).unwrap();
            assert_eq!(some[..count], plain[at..(at + 70_000).min(plain.len())], "at {at}");
        }
        assert!(!inflated.reading.borrow().checkpoints.is_empty());
    }

    #[test]
    fn a_broken_stream_keeps_what_came_before() {
        let plain = content(200_000);
        let mut packed = compress_to_vec_zlib(&plain, 6);
        packed.truncate(packed.len() / 2);
        let inflated = Inflated::measure(Bytes::of(packed), Wrapping::Zlib).unwrap();
        assert!(matches!(inflated.stop(), Some(Stop::Malformed(_))));
        let mut some = vec![0; inflated.len() as usize];
        assert!(some.len() > 10_000);
        assert_eq!(inflated.read_at(0, &mut some).unwrap(), some.len());
        assert_eq!(some[..], plain[..some.len()]);
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let packed = compress_to_vec(&vec![0; 10 << 20], 9);
        let budget = Budget::new(Limits { inflated: 1 << 20, ..Limits::default() }, Rc::new(Quiet));
        let bytes = Bytes::whole(Rc::new(packed), budget);
        let inflated = Inflated::measure(bytes, Wrapping::Bare).unwrap();
        assert_eq!(inflated.stop(), Some(&Stop::Exhausted(Limit::Inflated)));
        assert_eq!(inflated.len(), 1 << 20);
    }

    #[test]
    fn nothing_is_not_a_stream() {
        let inflated = Inflated::measure(Bytes::of(vec![]), Wrapping::Bare).unwrap();
        assert!(inflated.stop().is_some());
    }
}
