//! The content of a stream of bzip2, LZ4, LZMA, xz or Zstandard as a source.
//!
//! These streams cannot be entered in the middle. The content is decoded once to learn its length and end, kept up to
//! [`KEPT`] bytes while a layer reads it, and decoded anew when it is asked for later.

use std::{
    cell::RefCell,
    io::{self, Read},
    ops::Range,
};

use lzma_rust2::{Action, LzmaStream, Status, XzStream};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::{Source, stitched::stopped};
use crate::{bytes::Bytes, stop::Stop};

/// The most content that is decoded of one stream.
pub const KEPT: usize = 64 << 20;

/// The most memory that a decoder may ask for, in KiB: xz with the highest preset needs 65 MiB.
const DECODER: u32 = 128 << 10;

/// How the stream is packed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packing {
    /// bzip2 streams, one behind the other.
    Bzip2,
    /// LZ4 frames, one behind the other.
    Lz4,
    /// The format of the old `lzma` tool.
    Lzma,
    /// xz streams, one behind the other, with padding between them.
    Xz,
    /// Zstandard frames, one behind the other, and frames to be skipped between them.
    Zstd,
}

/// The content of a stream.
pub struct Unpacked {
    packed: Bytes,
    packing: Packing,
    len: u64,
    packed_len: u64,
    skipped: Vec<Range<u64>>,
    stop: Option<Stop>,
    content: RefCell<Option<Vec<u8>>>,
}

impl Unpacked {
    /// Decodes the stream at the start of `packed`. A stream that breaks keeps what came before the break, and
    /// [`Unpacked::stop`] says why.
    ///
    /// # Errors
    /// Only what ends the whole check.
    pub fn measure(packed: Bytes, packing: Packing) -> Result<Self, Stop> {
        let Decoded { content, packed_len, skipped, stop } = decode(&packed, packing, true)?;
        let len = content.len() as u64;
        Ok(Unpacked { packed, packing, len, packed_len, skipped, stop, content: RefCell::new(Some(content)) })
    }

    /// How many bytes of the window the stream takes.
    pub fn packed_len(&self) -> u64 {
        self.packed_len
    }

    /// Ranges of the packed bytes that readers of the content pass over.
    pub fn skipped(&self) -> &[Range<u64>] {
        &self.skipped
    }

    /// Why the stream ended before its own end, if it did.
    pub fn stop(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }
}

impl Source for Unpacked {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut content = self.content.borrow_mut();
        if content.is_none() {
            *content = Some(decode(&self.packed, self.packing, false).map_err(stopped)?.content);
        }
        content.as_ref().map_or(Ok(0), |content| content.read_at(at, into))
    }

    fn forget(&self) {
        *self.content.borrow_mut() = None;
        self.packed.forget();
    }
}

/// Packed bytes given to a decoder, and content taken from it, at once.
const AT_ONCE: usize = 64 << 10;

struct Decoded {
    content: Vec<u8>,
    packed_len: u64,
    skipped: Vec<Range<u64>>,
    stop: Option<Stop>,
}

fn decode(packed: &Bytes, packing: Packing, is_first: bool) -> Result<Decoded, Stop> {
    let mut content = Vec::new();
    let mut skipped = Vec::new();
    let mut buffer = vec![0; AT_ONCE];
    let mut decoder = Decoder::new(packed, packing);
    let stop = loop {
        if content.len() >= KEPT {
            break Some(Stop::unsupported(decoder.at(), "more than 64 MiB of content in one packed stream"));
        }
        let produced = match decoder.step(packed, &mut buffer, &mut skipped) {
            Ok(Some(produced)) => produced,
            Ok(None) => break None,
            Err(stop) if stop.ends_check() => return Err(stop),
            Err(stop) => break Some(stop),
        };
        let charged = match is_first {
            true => packed.budget().charge_inflated(produced as u64),
            false => packed.budget().charge(produced as u64),
        };
        if let Err(stop) = charged {
            if stop.ends_check() {
                return Err(stop);
            }
            break Some(stop);
        }
        content.extend_from_slice(buffer.get(..produced).unwrap_or_default());
    };
    let packed_len = decoder.at().saturating_sub(packed.start());
    Ok(Decoded { content, packed_len, skipped, stop })
}

/// A decoder and where it stands in the packed bytes.
enum Decoder {
    Bzip2(Box<bzip2::Decompress>, u64),
    Lzma(Box<LzmaStream>, u64),
    Xz(Box<XzStream>, u64),
    /// With the place of the frame.
    Lz4(Box<lz4_flex::frame::FrameDecoder<Counting>>, u64),
    /// A frame, or where the next one starts.
    Zstd(Option<Box<StreamingDecoder<Counting, FrameDecoder>>>, u64),
    /// The stream ended here.
    Ended(u64),
}

impl Decoder {
    fn new(packed: &Bytes, packing: Packing) -> Self {
        Decoder::from(packed, packing, packed.start())
    }

    fn from(packed: &Bytes, packing: Packing, at: u64) -> Self {
        match packing {
            Packing::Bzip2 => Decoder::Bzip2(Box::new(bzip2::Decompress::new(false)), at),
            Packing::Lzma => Decoder::Lzma(Box::new(LzmaStream::new_mem_limit(DECODER, None)), at),
            Packing::Xz => Decoder::Xz(Box::new(XzStream::new_mem_limit(false, DECODER)), at),
            Packing::Zstd => Decoder::Zstd(None, at),
            Packing::Lz4 => {
                let reader = Counting { packed: packed.clone(), at };
                Decoder::Lz4(Box::new(lz4_flex::frame::FrameDecoder::new(reader)), at)
            }
        }
    }

    /// The place of the next packed byte.
    fn at(&self) -> u64 {
        match self {
            Decoder::Bzip2(_, at) | Decoder::Lzma(_, at) | Decoder::Xz(_, at) | Decoder::Ended(at) => *at,
            Decoder::Lz4(decoder, _) => decoder.get_ref().at,
            Decoder::Zstd(decoder, at) => decoder.as_ref().map_or(*at, |decoder| decoder.get_ref().at),
        }
    }

    /// Produces some bytes; `None` at the end.
    fn step(&mut self, packed: &Bytes, into: &mut [u8], skipped: &mut Vec<Range<u64>>) -> Result<Option<usize>, Stop> {
        loop {
            let at = self.at();
            let (next, produced, ended) = match self {
                Decoder::Ended(_) => return Ok(None),
                Decoder::Bzip2(decoder, _) => {
                    let input = packed.peek(at, AT_ONCE)?;
                    let (before_in, before_out) = (decoder.total_in(), decoder.total_out());
                    let status = decoder.decompress(&input, into);
                    let taken = decoder.total_in().saturating_sub(before_in);
                    let produced = decoder.total_out().saturating_sub(before_out);
                    let status = status.map_err(|_| Stop::malformed(at.saturating_add(taken), "a bzip2 block"))?;
                    let produced = usize::try_from(produced).unwrap_or(0);
                    (at.saturating_add(taken), produced, status == bzip2::Status::StreamEnd)
                }
                Decoder::Lzma(decoder, _) => {
                    let input = packed.peek(at, AT_ONCE)?;
                    let result = decoder.process(&input, into, action(packed, at, &input));
                    let result = result.map_err(|error| lzma_stop(&error, at, "LZMA data"))?;
                    let ended = result.status == Status::StreamEnd;
                    // At its end the decoder gives back what it took ahead.
                    let ahead = if ended { decoder.unused_input().len() } else { 0 };
                    let at = at.saturating_add(result.bytes_consumed as u64).saturating_sub(ahead as u64);
                    (at, result.bytes_produced, ended)
                }
                Decoder::Xz(decoder, _) => {
                    let input = packed.peek(at, AT_ONCE)?;
                    let result = decoder.process(&input, into, action(packed, at, &input));
                    let result = result.map_err(|error| lzma_stop(&error, at, "an xz block"))?;
                    let at = at.saturating_add(result.bytes_consumed as u64);
                    (at, result.bytes_produced, result.status == Status::StreamEnd)
                }
                Decoder::Zstd(decoder, place) => match decoder {
                    Some(frame) => {
                        let read = frame.read(into);
                        *place = frame.get_ref().at;
                        let produced = read.map_err(|_| Stop::malformed(*place, "a Zstandard block"))?;
                        if produced > 0 {
                            return Ok(Some(produced));
                        }
                        *decoder = None;
                        continue;
                    }
                    None => {
                        if packed.starts_with(*place, ZSTD)? {
                            let reader = Counting { packed: packed.clone(), at: *place };
                            let frame = StreamingDecoder::new(reader);
                            let frame = frame.map_err(|_| Stop::malformed(*place, "a Zstandard frame header"))?;
                            *decoder = Some(Box::new(frame));
                        } else if let Some(end) = end_of_skipped(packed, *place)? {
                            skipped.push(place.saturating_add(8)..end);
                            *place = end;
                        } else if *place == packed.start() {
                            return Err(Stop::malformed(*place, "a Zstandard frame"));
                        } else {
                            *self = Decoder::Ended(*place);
                        }
                        continue;
                    }
                },
                Decoder::Lz4(decoder, start) => {
                    let produced =
                        decoder.read(into).map_err(|_| Stop::malformed(decoder.get_ref().at, "an LZ4 block"))?;
                    if produced > 0 {
                        return Ok(Some(produced));
                    }
                    let (at, start) = (decoder.get_ref().at, *start);
                    // The library takes an end of the file for the end of a frame.
                    if !has_end_mark(packed, start, at)? {
                        return Err(Stop::malformed(at, "the end mark of an LZ4 frame"));
                    }
                    *self = match packed.starts_with(at, LZ4)? {
                        true => Decoder::from(packed, Packing::Lz4, at),
                        false => Decoder::Ended(at),
                    };
                    continue;
                }
            };
            match self {
                Decoder::Bzip2(_, place) | Decoder::Lzma(_, place) | Decoder::Xz(_, place) => *place = next,
                Decoder::Lz4(..) | Decoder::Zstd(..) | Decoder::Ended(_) => {}
            }
            if ended {
                *self = self.next(packed, next)?;
            }
            if produced > 0 {
                return Ok(Some(produced));
            }
            if !ended && next == at {
                return Err(Stop::malformed(at, "the rest of the packed stream"));
            }
        }
    }

    /// The decoder of the stream that follows, where one does.
    fn next(&self, packed: &Bytes, at: u64) -> Result<Self, Stop> {
        Ok(match self {
            Decoder::Bzip2(..) if packed.starts_with(at, b"BZh")? => Decoder::from(packed, Packing::Bzip2, at),
            Decoder::Xz(..) => {
                // Stream padding: zeros, in fours.
                let mut next = at;
                while packed.starts_with(next, &[0; 4])? {
                    next = next.saturating_add(4);
                }
                match packed.starts_with(next, XZ)? {
                    true => Decoder::from(packed, Packing::Xz, next),
                    false => Decoder::Ended(at),
                }
            }
            _ => Decoder::Ended(at),
        })
    }
}

const XZ: &[u8] = b"\xfd7zXZ\0";
const LZ4: &[u8] = b"\x04\x22\x4d\x18";

const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// The end of a frame that readers skip (RFC 8878 section 3.1.2), if there is one at `at`.
fn end_of_skipped(packed: &Bytes, at: u64) -> Result<Option<u64>, Stop> {
    let head = packed.peek(at, 8)?;
    let Some(([0x50..=0x5f, 0x2a, 0x4d, 0x18], len)) = head.split_first_chunk::<4>() else { return Ok(None) };
    let Ok(len) = <[u8; 4]>::try_from(len) else { return Ok(None) };
    let end = at.saturating_add(8).saturating_add(u64::from(u32::from_le_bytes(len)));
    if end > packed.end() {
        return Err(Stop::malformed(at, "the end of a frame to be skipped"));
    }
    Ok(Some(end))
}

/// Whether an LZ4 frame from `start` to `end` has its end mark: a block of no size, and a checksum if the flags say so.
fn has_end_mark(packed: &Bytes, start: u64, end: u64) -> Result<bool, Stop> {
    let flags = packed.peek(start.saturating_add(4), 1)?;
    let checksum = if flags.first().is_some_and(|flags| flags & 4 != 0) { 4 } else { 0 };
    let mark = end.saturating_sub(checksum).saturating_sub(4);
    Ok(mark >= start.saturating_add(7) && packed.starts_with(mark, &[0; 4])?)
}

fn action(packed: &Bytes, at: u64, input: &[u8]) -> Action {
    match at.saturating_add(input.len() as u64) >= packed.end() {
        true => Action::Finish,
        false => Action::Run,
    }
}

fn lzma_stop(error: &io::Error, at: u64, expected: &'static str) -> Stop {
    match error.kind() {
        io::ErrorKind::OutOfMemory => Stop::unsupported(at, "a dictionary of more than 128 MiB"),
        io::ErrorKind::Unsupported => Stop::unsupported(at, "a filter of xz"),
        _ => Stop::malformed(at, expected),
    }
}

/// Packed bytes as a reader that knows its place.
struct Counting {
    packed: Bytes,
    at: u64,
}

impl Read for Counting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.packed.copy(self.at, into).map_err(stopped)?;
        self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn content(len: usize) -> Vec<u8> {
        (0..len as u64).map(|n| (n.wrapping_mul(0x9E37_79B9) >> (n % 23)) as u8).collect()
    }

    fn bzip2ed(content: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn lz4ed(content: &[u8]) -> Vec<u8> {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_is_the_same_at_any_place_and_after_forgetting() {
        let plain = content(300_000);
        for (packing, packed) in [(Packing::Bzip2, bzip2ed(&plain)), (Packing::Lz4, lz4ed(&plain))] {
            let len = packed.len() as u64;
            let unpacked = Unpacked::measure(Bytes::of([packed, b"tail".to_vec()].concat()), packing).unwrap();
            assert_eq!((unpacked.stop(), unpacked.len(), unpacked.packed_len()), (None, 300_000, len), "{packing:?}");
            unpacked.forget();
            let mut some = [0; 1000];
            assert_eq!(unpacked.read_at(299_500, &mut some).unwrap(), 500);
            assert_eq!(some[..500], plain[299_500..]);
        }
    }

    #[test]
    fn streams_behind_each_other_are_one_content() {
        for (packing, packed) in [(Packing::Bzip2, bzip2ed(b"one")), (Packing::Lz4, lz4ed(b"one"))] {
            let unpacked = Unpacked::measure(Bytes::of([packed.clone(), packed].concat()), packing).unwrap();
            assert_eq!((unpacked.stop(), unpacked.len()), (None, 6), "{packing:?}");
        }
    }

    #[test]
    fn a_stream_that_breaks_or_never_was_one_has_a_stop() {
        let packed = bzip2ed(&content(5000));
        for packing in [Packing::Bzip2, Packing::Lz4, Packing::Lzma, Packing::Xz, Packing::Zstd] {
            for bytes in [vec![], vec![0xff; 100], packed[..packed.len() / 2].to_vec()] {
                assert!(Unpacked::measure(Bytes::of(bytes), packing).unwrap().stop().is_some(), "{packing:?}");
            }
        }
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let packed = bzip2ed(&vec![0; 80 << 20]);
        let unpacked = Unpacked::measure(Bytes::of(packed), Packing::Bzip2).unwrap();
        assert!(matches!(unpacked.stop(), Some(Stop::Unsupported(_))));
        assert!(unpacked.len() <= (KEPT + AT_ONCE) as u64);
    }
}
