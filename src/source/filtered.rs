//! The content of a stream behind one of the small filters of PDF: hexadecimal and base-85 text, run lengths, LZW, the
//! predictors that follow LZW and deflate, and encryption.
//!
//! Specification: ISO 32000-2, 7.4.
//!
//! Such content cannot be entered in the middle. It is decoded once to learn its length, and anew when a layer reads it.

use std::{cell::RefCell, io};

use weezl::{BitOrder, LzwStatus};

use super::{
    Source,
    decrypted::{Cipher, Decryption},
    stitched::stopped,
};
use crate::{bytes::Bytes, stop::Stop};

/// The most content that is decoded of one stream.
const KEPT: usize = 64 << 20;

/// The longest row of samples.
const ROW: u64 = 1 << 24;

/// How the stream is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Filter {
    /// Hexadecimal digits up to ">".
    AsciiHex,
    /// Base-85 text up to "~>".
    Ascii85,
    /// Runs and copies of bytes.
    RunLength,
    /// LZW with codes of 9 to 12 bits, which grow one code early or not.
    Lzw {
        /// Whether the codes grow one code early.
        early: bool,
    },
    /// Differences between samples.
    Predicted(Prediction),
    /// Encrypted bytes.
    Encrypted(Cipher),
}

/// How samples were predicted from their neighbours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Prediction {
    /// Whether every row starts with the kind of its prediction, as in PNG; else as in TIFF.
    png: bool,
    /// Bytes in a row.
    row: usize,
    /// Bytes between a sample and its left neighbour.
    pixel: usize,
}

impl Prediction {
    /// A prediction of `colors` samples of `bits` bits in each of `columns` pixels of a row; `None` where these cannot
    /// be, or where TIFF would predict samples that are no bytes.
    pub fn new(png: bool, colors: u64, bits: u64, columns: u64) -> Option<Self> {
        let pixel = colors.checked_mul(bits)?;
        let row = pixel.checked_mul(columns)?.div_ceil(8);
        let fits = matches!(bits, 1 | 2 | 4 | 8 | 16) && (1..=ROW).contains(&row) && (png || bits == 8);
        let (row, pixel) = (usize::try_from(row).ok()?, usize::try_from(pixel.div_ceil(8)).ok()?);
        fits.then_some(Prediction { png, row, pixel })
    }
}

/// The content of a stream.
pub struct Filtered {
    encoded: Bytes,
    filter: Filter,
    len: u64,
    stop: Option<Stop>,
    content: RefCell<Option<Vec<u8>>>,
}

impl Filtered {
    /// Decodes the stream once. A stream that breaks keeps what came before the break, and [`Filtered::stop`] says why.
    ///
    /// # Errors
    /// Only what ends the whole check.
    pub fn measure(encoded: Bytes, filter: Filter) -> Result<Self, Stop> {
        let (content, stop) = decode(&encoded, filter, true)?;
        Ok(Filtered { encoded, filter, len: content.len() as u64, stop, content: RefCell::new(None) })
    }

    /// Why the stream ended before its own end, if it did.
    pub fn stop(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }
}

impl Source for Filtered {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut content = self.content.borrow_mut();
        if content.is_none() {
            *content = Some(decode(&self.encoded, self.filter, false).map_err(stopped)?.0);
        }
        content.as_ref().map_or(Ok(0), |content| content.read_at(at, into))
    }

    fn forget(&self) {
        *self.content.borrow_mut() = None;
        self.encoded.forget();
    }
}

/// Encoded bytes looked at together: few, because one code of LZW may stand for 4 KiB.
const WINDOW: usize = 4 << 10;

fn decode(encoded: &Bytes, filter: Filter, is_first: bool) -> Result<(Vec<u8>, Option<Stop>), Stop> {
    let mut content = Vec::new();
    let mut decoder = Decoder::new(filter);
    let mut at = encoded.start();
    let stop = loop {
        if content.len() >= KEPT {
            break Some(Stop::unsupported(at, "more than 64 MiB of content in one filtered stream"));
        }
        let window = match encoded.peek(at, WINDOW) {
            Ok(window) => window,
            Err(stop) if stop.ends_check() => return Err(stop),
            Err(stop) => break Some(stop),
        };
        if window.is_empty() {
            break decoder.finish(&mut content).err().map(|expected| Stop::malformed(at, expected));
        }
        let before = content.len();
        let fed = decoder.feed(&window, &mut content);
        let produced = content.len().saturating_sub(before) as u64;
        let budget = encoded.budget();
        let charged = if is_first { budget.charge_inflated(produced) } else { budget.charge(produced) };
        if let Err(stop) = charged {
            if stop.ends_check() {
                return Err(stop);
            }
            break Some(stop);
        }
        match fed {
            Ok(false) => at = at.saturating_add(window.len() as u64),
            Ok(true) => break None,
            Err(expected) => break Some(Stop::malformed(at, expected)),
        }
    };
    content.truncate(KEPT);
    Ok((content, stop))
}

/// A filter between two windows.
enum Decoder {
    AsciiHex(Option<u8>),
    Ascii85 { group: Vec<u8>, tilde: bool },
    RunLength(Run),
    Lzw(weezl::decode::Decoder),
    Encrypted(Decryption),
    Predicted { prediction: Prediction, row: Vec<u8>, above: Vec<u8> },
}

/// What the next byte of a run-length stream is.
enum Run {
    Length,
    Copied(usize),
    Repeated(usize),
}

/// Whether the end mark was read, or what should have stood there.
type Fed = Result<bool, &'static str>;

impl Decoder {
    fn new(filter: Filter) -> Self {
        match filter {
            Filter::AsciiHex => Decoder::AsciiHex(None),
            Filter::Ascii85 => Decoder::Ascii85 { group: Vec::new(), tilde: false },
            Filter::RunLength => Decoder::RunLength(Run::Length),
            Filter::Encrypted(cipher) => Decoder::Encrypted(Decryption::new(cipher)),
            Filter::Lzw { early: true } => {
                Decoder::Lzw(weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8))
            }
            Filter::Lzw { early: false } => Decoder::Lzw(weezl::decode::Decoder::new(BitOrder::Msb, 8)),
            Filter::Predicted(prediction) => {
                Decoder::Predicted { prediction, row: Vec::new(), above: vec![0; prediction.row] }
            }
        }
    }

    fn feed(&mut self, window: &[u8], content: &mut Vec<u8>) -> Fed {
        match self {
            Decoder::AsciiHex(half) => feed_hexadecimal(half, window, content),
            Decoder::Ascii85 { group, tilde } => feed_base_85(group, tilde, window, content),
            Decoder::RunLength(run) => Ok(feed_runs(run, window, content)),
            Decoder::Lzw(decoder) => feed_lzw(decoder, window, content),
            Decoder::Encrypted(decryption) => {
                decryption.feed(window, content);
                Ok(false)
            }
            Decoder::Predicted { prediction, row, above } => {
                let len = prediction.row.saturating_add(usize::from(prediction.png));
                for byte in window {
                    row.push(*byte);
                    if row.len() == len {
                        unpredict(*prediction, row, above)?;
                        content.extend_from_slice(above);
                        row.clear();
                    }
                }
                Ok(false)
            }
        }
    }

    /// What is left where the stream ends without an end mark: many writers leave it away.
    fn finish(&mut self, content: &mut Vec<u8>) -> Result<(), &'static str> {
        match self {
            Decoder::AsciiHex(half) => content.extend(half.take().map(|high| high << 4)),
            Decoder::Ascii85 { group, .. } => end_base_85(group, content)?,
            Decoder::RunLength(Run::Length) | Decoder::Lzw(_) => {}
            Decoder::Encrypted(decryption) => decryption.finish(content),
            Decoder::RunLength(_) => return Err("the bytes of a run"),
            Decoder::Predicted { prediction, row, above } => {
                if !row.is_empty() {
                    let filled = prediction.row.saturating_add(usize::from(prediction.png));
                    let count = row.len().saturating_sub(usize::from(prediction.png));
                    row.resize(filled, 0);
                    unpredict(*prediction, row, above)?;
                    content.extend_from_slice(above.get(..count).unwrap_or_default());
                }
            }
        }
        Ok(())
    }
}

fn feed_hexadecimal(half: &mut Option<u8>, window: &[u8], content: &mut Vec<u8>) -> Fed {
    for byte in window {
        match char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()) {
            Some(digit) => match half.take() {
                Some(high) => content.push((high << 4) | digit),
                None => *half = Some(digit),
            },
            None if *byte == b'>' => {
                content.extend(half.take().map(|high| high << 4));
                return Ok(true);
            }
            None if byte.is_ascii_whitespace() || *byte == 0 => {}
            None => return Err("a hexadecimal digit"),
        }
    }
    Ok(false)
}

fn feed_base_85(group: &mut Vec<u8>, tilde: &mut bool, window: &[u8], content: &mut Vec<u8>) -> Fed {
    for byte in window {
        match byte {
            _ if byte.is_ascii_whitespace() || *byte == 0 => {}
            b'>' if *tilde => {
                end_base_85(group, content)?;
                return Ok(true);
            }
            // Some writers put "<~" in front, as the format outside of PDF has it.
            b'<' if content.is_empty() && group.is_empty() => {}
            b'~' if content.is_empty() && group.is_empty() => *tilde = true,
            b'~' => *tilde = true,
            b'z' if group.is_empty() => content.extend([0; 4]),
            b'!'..=b'u' => {
                *tilde = false;
                group.push(byte.saturating_sub(b'!'));
                if group.len() == 5 {
                    content.extend(base_85(group)?.to_be_bytes());
                    group.clear();
                }
            }
            _ => return Err("a base-85 digit"),
        }
    }
    Ok(false)
}

fn base_85(group: &[u8]) -> Result<u32, &'static str> {
    let sum = group.iter().fold(0u64, |sum, digit| sum.saturating_mul(85).saturating_add(u64::from(*digit)));
    u32::try_from(sum).map_err(|_| "a group of base-85 digits")
}

/// The last, short group.
fn end_base_85(group: &mut Vec<u8>, content: &mut Vec<u8>) -> Result<(), &'static str> {
    let count = group.len().saturating_sub(1);
    if count > 0 {
        group.resize(5, 84);
        content.extend(base_85(group)?.to_be_bytes().into_iter().take(count));
    }
    group.clear();
    Ok(())
}

fn feed_runs(run: &mut Run, window: &[u8], content: &mut Vec<u8>) -> bool {
    for byte in window {
        *run = match *run {
            Run::Length if *byte == 128 => return true,
            Run::Length if *byte < 128 => Run::Copied(usize::from(*byte).saturating_add(1)),
            Run::Length => Run::Repeated(257usize.saturating_sub(usize::from(*byte))),
            Run::Copied(left) => {
                content.push(*byte);
                if left > 1 { Run::Copied(left.saturating_sub(1)) } else { Run::Length }
            }
            Run::Repeated(count) => {
                content.resize(content.len().saturating_add(count), *byte);
                Run::Length
            }
        };
    }
    false
}

fn feed_lzw(decoder: &mut weezl::decode::Decoder, mut window: &[u8], content: &mut Vec<u8>) -> Fed {
    let mut buffer = vec![0; WINDOW];
    loop {
        let result = decoder.decode_bytes(window, &mut buffer);
        content.extend_from_slice(buffer.get(..result.consumed_out).unwrap_or_default());
        window = window.get(result.consumed_in..).unwrap_or_default();
        match result.status {
            Ok(LzwStatus::Done) => return Ok(true),
            Ok(LzwStatus::Ok) if content.len() < KEPT && (result.consumed_out > 0 || !window.is_empty()) => {}
            Ok(LzwStatus::Ok | LzwStatus::NoProgress) => return Ok(false),
            Err(_) => return Err("an LZW code"),
        }
    }
}

/// Makes `above` the row that `row` predicts from it (PNG, section 9; TIFF, section 14).
fn unpredict(prediction: Prediction, row: &[u8], above: &mut [u8]) -> Result<(), &'static str> {
    let (kind, samples) = match row.split_first() {
        Some((kind, samples)) if prediction.png => (*kind, samples),
        _ => (1, row),
    };
    if kind > 4 {
        return Err("a kind of prediction from 0 to 4");
    }
    let mut left = vec![0u8; prediction.pixel];
    let mut upper_left = vec![0u8; prediction.pixel];
    for (index, (sample, up)) in samples.iter().zip(above.iter_mut()).enumerate() {
        let slot = index.checked_rem(prediction.pixel).unwrap_or(0);
        let (Some(a), Some(c)) = (left.get_mut(slot), upper_left.get_mut(slot)) else { break };
        let b = *up;
        let predicted = match kind {
            0 => 0,
            1 => *a,
            2 => b,
            3 => u8::try_from(u16::from(*a).saturating_add(u16::from(b)) / 2).unwrap_or(0),
            _ => paeth(*a, b, *c),
        };
        *up = sample.wrapping_add(predicted);
        *a = *up;
        *c = b;
    }
    Ok(())
}

fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let estimate = i16::from(a).saturating_add(i16::from(b)).saturating_sub(i16::from(c));
    let distance = |value: u8| estimate.saturating_sub(i16::from(value)).unsigned_abs();
    match (distance(a), distance(b), distance(c)) {
        (to_a, to_b, to_c) if to_a <= to_b && to_a <= to_c => a,
        (_, to_b, to_c) if to_b <= to_c => b,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::{
        budget::{Budget, Limits, Quiet},
        stop::Limit,
    };

    fn decoded(encoded: &[u8], filter: Filter) -> (Vec<u8>, bool) {
        let filtered = Filtered::measure(Bytes::of(encoded), filter).unwrap();
        let mut content = vec![0; filtered.len() as usize];
        assert_eq!(filtered.read_at(0, &mut content).unwrap(), content.len());
        (content, filtered.stop().is_none())
    }

    #[test]
    fn text_filters_decode() {
        assert_eq!(decoded(b"48 65\n6C6c 6>xyz", Filter::AsciiHex), (b"Hell`".to_vec(), true));
        assert_eq!(decoded(b"48g", Filter::AsciiHex), (b"H".to_vec(), false));
        assert_eq!(decoded(b"87cUR\nD]i,\"Ebo80~>", Filter::Ascii85), (b"Hello World!".to_vec(), true));
        assert_eq!(decoded(b"<~87cURD]i,\"Ebo80~>", Filter::Ascii85), (b"Hello World!".to_vec(), true));
        assert_eq!(decoded(b"z87c", Filter::Ascii85), (b"\0\0\0\0He".to_vec(), true));
        assert!(!decoded(b"uuuuu~>", Filter::Ascii85).1);
    }

    #[test]
    fn runs_and_codes_decode() {
        assert_eq!(decoded(&[2, b'a', b'b', b'c', 254, b'x', 128, 9], Filter::RunLength), (b"abcxxx".to_vec(), true));
        assert!(!decoded(&[5, b'a'], Filter::RunLength).1);
        // The example of the specification.
        let codes = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        let content = vec![45, 45, 45, 45, 45, 65, 45, 45, 45, 66];
        assert_eq!(decoded(&codes, Filter::Lzw { early: true }), (content, true));
    }

    #[test]
    fn predictions_are_undone() {
        let png = |columns| Filter::Predicted(Prediction::new(true, 1, 8, columns).unwrap());
        let rows = [0, 1, 2, 3, 1, 1, 1, 1, 2, 1, 1, 1, 3, 1, 1, 1, 4, 1, 1, 1];
        let content = vec![1, 2, 3, 1, 2, 3, 2, 3, 4, 2, 3, 4, 3, 4, 5];
        assert_eq!(decoded(&rows, png(3)), (content, true));
        assert!(!decoded(&[9, 1, 2, 3], png(3)).1);
        let tiff = Filter::Predicted(Prediction::new(false, 3, 8, 2).unwrap());
        assert_eq!(decoded(&[1, 2, 3, 1, 1, 1], tiff), (vec![1, 2, 3, 2, 3, 4], true));
        assert_eq!(Prediction::new(true, u64::MAX, 16, 2), None);
        assert_eq!(Prediction::new(true, 1, 8, 0), None);
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let budget = Budget::new(Limits { inflated: 1 << 20, ..Limits::default() }, Rc::new(Quiet));
        let runs = Bytes::whole(Rc::new([129u8, b'x'].repeat(50_000)), budget);
        let filtered = Filtered::measure(runs, Filter::RunLength).unwrap();
        assert_eq!(filtered.stop(), Some(&Stop::Exhausted(Limit::Inflated)));
    }
}
