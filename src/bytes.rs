//! Windows that know their absolute place in their layer, and the one door from a window to memory.

use std::{ops::Range, rc::Rc};

use nom::IResult;
use sha2::Digest;

use crate::{
    budget::{Budget, Limits, Quiet},
    source::Source,
    stop::{Limit, Stop},
};

/// The most bytes that are brought into memory at once. A record that asks for more is not a record.
pub const DOOR: usize = 16 << 20;

/// A range of a source. Making one costs nothing; a length read from a file makes a window, never an allocation.
#[derive(Clone)]
pub struct Bytes {
    source: Rc<dyn Source>,
    budget: Rc<Budget>,
    range: Range<u64>,
}

impl Bytes {
    /// All bytes of a source.
    pub fn whole(source: Rc<dyn Source>, budget: Rc<Budget>) -> Self {
        let range = 0..source.len();
        Bytes { source, budget, range }
    }

    /// Bytes in memory on an account of their own.
    pub fn of(bytes: impl Into<Vec<u8>>) -> Self {
        Bytes::whole(Rc::new(bytes.into()), Budget::new(Limits::default(), Rc::new(Quiet)))
    }

    /// The place of the first byte in the layer.
    pub fn start(&self) -> u64 {
        self.range.start
    }

    /// The place behind the last byte.
    pub fn end(&self) -> u64 {
        self.range.end
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// From the first place to behind the last.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The account that pays for reading.
    pub fn budget(&self) -> &Rc<Budget> {
        &self.budget
    }

    /// Lets go of what the source keeps for speed.
    pub fn forget(&self) {
        self.source.forget();
    }

    /// The part of these bytes inside `range` (absolute places), cut to what there is.
    pub fn window(&self, range: Range<u64>) -> Bytes {
        let start = range.start.clamp(self.range.start, self.range.end);
        let end = range.end.clamp(start, self.range.end);
        Bytes { source: self.source.clone(), budget: self.budget.clone(), range: start..end }
    }

    /// The part from `at` on.
    pub fn from(&self, at: u64) -> Bytes {
        self.window(at..self.range.end)
    }

    /// The same bytes as a source of their own, whose first place is 0.
    pub fn rebased(&self) -> Rc<dyn Source> {
        if self.range.start == 0 && self.range.end == self.source.len() {
            return self.source.clone();
        }
        Rc::new(Slice(self.clone()))
    }

    /// Copies bytes from `at` on and says how many: fewer than asked for only at the end.
    ///
    /// # Errors
    /// [`Stop::Source`] and those of the budget.
    pub fn copy(&self, at: u64, into: &mut [u8]) -> Result<usize, Stop> {
        let at = at.clamp(self.range.start, self.range.end);
        let left = usize::try_from(self.range.end.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        self.budget.charge(wanted as u64)?;
        let into = into.get_mut(..wanted).unwrap_or_default();
        let count = self.source.read_at(at, into)?;
        if count < wanted {
            return Err(Stop::source("the source ended before its length"));
        }
        Ok(count)
    }

    /// At most `len` bytes from `at` on: fewer only at the end.
    ///
    /// # Errors
    /// [`Stop::Exhausted`] for more than [`DOOR`] bytes, [`Stop::Source`], and those of the budget.
    pub fn peek(&self, at: u64, len: usize) -> Result<Vec<u8>, Stop> {
        let left = self.range.end.saturating_sub(at.max(self.range.start));
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(len);
        if len > DOOR {
            return Err(Stop::Exhausted(Limit::Window));
        }
        let mut bytes = vec![0; len];
        let count = self.copy(at, &mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Exactly `len` bytes from `at` on.
    ///
    /// # Errors
    /// [`Stop::Malformed`] when there are fewer; else as [`Bytes::peek`].
    pub fn read(&self, at: u64, len: usize, expected: &'static str) -> Result<Vec<u8>, Stop> {
        let inside = at >= self.range.start && at.checked_add(len as u64).is_some_and(|end| end <= self.range.end);
        if !inside {
            return Err(Stop::malformed(at, expected));
        }
        self.peek(at, len)
    }

    /// All bytes, for records that are small by nature (a header, a line, an attribute).
    ///
    /// # Errors
    /// [`Stop::Exhausted`] for more than [`DOOR`] bytes; else as [`Bytes::peek`].
    pub fn all(&self) -> Result<Vec<u8>, Stop> {
        let len = usize::try_from(self.len()).unwrap_or(usize::MAX);
        self.peek(self.range.start, len)
    }

    /// Whether `prefix` stands at `at`.
    ///
    /// # Errors
    /// As [`Bytes::peek`].
    pub fn starts_with(&self, at: u64, prefix: &[u8]) -> Result<bool, Stop> {
        Ok(at >= self.range.start && self.peek(at, prefix.len())? == prefix)
    }

    /// Whether every byte is `value`. Read window by window.
    ///
    /// # Errors
    /// As [`Bytes::copy`].
    pub fn is_all(&self, value: u8) -> Result<bool, Stop> {
        let mut at = self.range.start;
        let mut buffer = vec![0; usize::try_from(self.len()).unwrap_or(usize::MAX).min(1 << 20)];
        while at < self.range.end {
            let count = self.copy(at, &mut buffer)?;
            if first_other(buffer.get(..count).unwrap_or_default(), value).is_some() {
                return Ok(false);
            }
            at = at.saturating_add(count as u64);
        }
        Ok(true)
    }

    /// The SHA-256 (FIPS 180-4) of all bytes, in hexadecimal. Read window by window.
    ///
    /// # Errors
    /// As [`Bytes::copy`].
    pub fn sha256(&self) -> Result<String, Stop> {
        self.hashed(sha2::Sha256::new())
    }

    /// The same as SHA-512.
    ///
    /// # Errors
    /// As [`Bytes::copy`].
    pub fn sha512(&self) -> Result<String, Stop> {
        self.hashed(sha2::Sha512::new())
    }

    fn hashed(&self, mut hash: impl Digest) -> Result<String, Stop> {
        let mut at = self.range.start;
        let mut buffer = vec![0; usize::try_from(self.len()).unwrap_or(usize::MAX).min(1 << 20)];
        while at < self.range.end {
            let count = self.copy(at, &mut buffer)?;
            hash.update(buffer.get(..count).unwrap_or_default());
            at = at.saturating_add(count as u64);
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A walker from the first byte on.
    pub fn cursor(&self) -> Cursor {
        Cursor { bytes: self.clone(), at: self.range.start, buffer: Vec::new(), buffer_at: 0 }
    }
}

/// A range of one source as a source of its own.
struct Slice(Bytes);

impl Source for Slice {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> std::io::Result<usize> {
        let at = self.0.range.start.saturating_add(at).min(self.0.range.end);
        let left = usize::try_from(self.0.range.end.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        // Work is charged once, by the layer that reads, not by every layer below it.
        self.0.source.read_at(at, into.get_mut(..wanted).unwrap_or_default())
    }

    fn forget(&self) {
        self.0.source.forget();
    }
}

/// A walker over a window, with a small buffer of its own so that many short reads cost little.
pub struct Cursor {
    bytes: Bytes,
    at: u64,
    buffer: Vec<u8>,
    buffer_at: u64,
}

/// A line: its range with its end, and its bytes without.
pub type Line = (Range<u64>, Vec<u8>);

/// Bytes that a cursor reads ahead.
const AHEAD: usize = 16 << 10;

impl Cursor {
    /// The place of the next byte.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The window that is walked.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> u64 {
        self.bytes.end().saturating_sub(self.at)
    }

    /// Whether the end is reached.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Goes to an absolute place, cut to the window.
    pub fn seek(&mut self, at: u64) {
        self.at = at.clamp(self.bytes.start(), self.bytes.end());
    }

    /// At most `len` bytes from here on, without going on.
    ///
    /// # Errors
    /// As [`Bytes::peek`].
    pub fn peek(&mut self, len: usize) -> Result<&[u8], Stop> {
        let len = usize::try_from(self.remaining()).unwrap_or(usize::MAX).min(len);
        let have = self.at >= self.buffer_at
            && self.at.saturating_add(len as u64) <= self.buffer_at.saturating_add(self.buffer.len() as u64);
        if !have {
            self.buffer = self.bytes.peek(self.at, len.max(AHEAD))?;
            self.buffer_at = self.at;
        }
        let skip = usize::try_from(self.at.saturating_sub(self.buffer_at)).unwrap_or(usize::MAX);
        let end = skip.saturating_add(len).min(self.buffer.len());
        Ok(self.buffer.get(skip..end).unwrap_or_default())
    }

    /// Exactly `len` bytes, going on behind them.
    ///
    /// # Errors
    /// [`Stop::Malformed`] when there are fewer; else as [`Bytes::peek`].
    pub fn read(&mut self, len: usize, expected: &'static str) -> Result<Vec<u8>, Stop> {
        let at = self.at;
        let bytes = self.peek(len)?;
        if bytes.len() < len {
            return Err(Stop::malformed(at, expected));
        }
        let bytes = bytes.to_vec();
        self.at = at.saturating_add(len as u64);
        Ok(bytes)
    }

    /// Exactly `N` bytes, going on behind them.
    ///
    /// # Errors
    /// As [`Cursor::read`].
    pub fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], Stop> {
        let at = self.at;
        let array = <[u8; N]>::try_from(self.peek(N)?).map_err(|_| Stop::malformed(at, expected))?;
        self.at = at.saturating_add(N as u64);
        Ok(array)
    }

    /// One byte.
    ///
    /// # Errors
    /// As [`Cursor::read`].
    pub fn u8(&mut self, expected: &'static str) -> Result<u8, Stop> {
        self.array::<1>(expected).map(|[byte]| byte)
    }

    /// Two bytes, little endian.
    ///
    /// # Errors
    /// As [`Cursor::read`].
    pub fn u16_le(&mut self, expected: &'static str) -> Result<u16, Stop> {
        self.array(expected).map(u16::from_le_bytes)
    }

    /// Four bytes, little endian.
    ///
    /// # Errors
    /// As [`Cursor::read`].
    pub fn u32_le(&mut self, expected: &'static str) -> Result<u32, Stop> {
        self.array(expected).map(u32::from_le_bytes)
    }

    /// Eight bytes, little endian.
    ///
    /// # Errors
    /// As [`Cursor::read`].
    pub fn u64_le(&mut self, expected: &'static str) -> Result<u64, Stop> {
        self.array(expected).map(u64::from_le_bytes)
    }

    /// Two bytes, big endian.
    ///
    /// # Errors
    /// As [`Cursor::read`].
    pub fn u16_be(&mut self, expected: &'static str) -> Result<u16, Stop> {
        self.array(expected).map(u16::from_be_bytes)
    }

    /// Four bytes, big endian.
    ///
    /// # Errors
    /// As [`Cursor::read`].
    pub fn u32_be(&mut self, expected: &'static str) -> Result<u32, Stop> {
        self.array(expected).map(u32::from_be_bytes)
    }

    /// Eight bytes, big endian.
    ///
    /// # Errors
    /// As [`Cursor::read`].
    pub fn u64_be(&mut self, expected: &'static str) -> Result<u64, Stop> {
        self.array(expected).map(u64::from_be_bytes)
    }

    /// A window of `len` bytes, going on behind it. Nothing is read.
    ///
    /// # Errors
    /// [`Stop::Malformed`] when there are fewer bytes.
    pub fn take(&mut self, len: u64, expected: &'static str) -> Result<Bytes, Stop> {
        if len > self.remaining() {
            return Err(Stop::malformed(self.at, expected));
        }
        let end = self.at.saturating_add(len);
        let window = self.bytes.window(self.at..end);
        self.at = end;
        Ok(window)
    }

    /// Runs a `nom` parser on a window of at most `most` bytes and goes on behind what it took.
    ///
    /// # Errors
    /// [`Stop::Malformed`] with the place where the parser failed; else as [`Bytes::peek`].
    pub fn parse<O>(
        &mut self,
        most: usize,
        expected: &'static str,
        parser: impl FnOnce(&[u8]) -> IResult<&[u8], O>,
    ) -> Result<O, Stop> {
        let at = self.at;
        let window = self.peek(most)?;
        let len = window.len();
        match parser(window) {
            Ok((rest, output)) => {
                let taken = len.saturating_sub(rest.len());
                self.at = at.saturating_add(taken as u64);
                Ok(output)
            }
            Err(nom::Err::Error(error) | nom::Err::Failure(error)) => {
                let taken = len.saturating_sub(error.input.len());
                Err(Stop::malformed(at.saturating_add(taken as u64), expected))
            }
            Err(nom::Err::Incomplete(_)) => Err(Stop::malformed(at, expected)),
        }
    }

    /// One line without its end (LF or CR LF) and its range with it; `None` at the end of the window.
    ///
    /// # Errors
    /// [`Stop::Malformed`] when the line is longer than `most` bytes; else as [`Bytes::peek`].
    pub fn line(&mut self, most: usize) -> Result<Option<Line>, Stop> {
        if self.is_empty() {
            return Ok(None);
        }
        let at = self.at;
        // Most lines are short: look at little first, so that a file of lines is not copied again and again.
        let mut look = 256usize.min(most);
        loop {
            let window = self.peek(look.saturating_add(2))?;
            if let Some(end) = memchr::memchr(b'\n', window) {
                let line = window.get(..end).unwrap_or_default();
                let text = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.at = at.saturating_add(end as u64).saturating_add(1);
                return Ok(Some((at..self.at, text)));
            }
            if window.len() < look.saturating_add(2) {
                let text = window.to_vec();
                self.at = self.bytes.end();
                return Ok(Some((at..self.at, text)));
            }
            if look >= most {
                return Err(Stop::malformed(at, "a shorter line"));
            }
            look = look.saturating_mul(8).min(most);
        }
    }
}

/// The place of the first byte that is not `value`. Sixteen bytes a step: large files are mostly zeros, and the build for
/// the page makes no vectors of a loop.
pub(crate) fn first_other(bytes: &[u8], value: u8) -> Option<usize> {
    let same = u128::from_le_bytes([value; 16]);
    let steps = bytes.as_chunks::<16>().0.iter().take_while(|step| u128::from_le_bytes(**step) == same).count();
    let passed = steps.saturating_mul(16);
    let other = bytes.get(passed..).unwrap_or_default().iter().position(|byte| *byte != value)?;
    Some(passed.saturating_add(other))
}

#[cfg(test)]
mod tests {
    use nom::number::complete::le_u16;

    use super::*;

    #[test]
    fn the_first_other_byte_is_found_at_any_place() {
        for len in 0..50 {
            assert_eq!(first_other(&vec![7; len], 7), None);
            for place in 0..len {
                let mut bytes = vec![7; len];
                bytes[place] = 0;
                assert_eq!(first_other(&bytes, 7), Some(place));
            }
        }
    }

    #[test]
    fn windows_keep_their_place() {
        let bytes = Bytes::of(b"0123456789".to_vec());
        let window = bytes.window(3..7);
        assert_eq!(window.all().unwrap(), b"3456");
        assert_eq!(window.window(0..5).all().unwrap(), b"34");
        assert_eq!(window.window(9..20).len(), 0);
        assert_eq!(window.peek(6, 10).unwrap(), b"6");
        assert_eq!(window.read(6, 2, "two bytes"), Err(Stop::malformed(6, "two bytes")));
        assert_eq!(Bytes::whole(window.rebased(), window.budget().clone()).all().unwrap(), b"3456");
    }

    #[test]
    fn the_hash_is_that_of_the_standard() {
        // The examples of FIPS 180-4: "abc", and a million times "a".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Bytes::of(b"xabcx".to_vec()).window(1..4).sha256().unwrap(), abc);
        let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(Bytes::of(vec![b'a'; 1_000_000]).sha256().unwrap(), million);
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Bytes::of(Vec::new()).sha256().unwrap(), nothing);
        let abc = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        assert_eq!(Bytes::of(b"abc".to_vec()).sha512().unwrap(), abc);
    }

    #[test]
    fn a_length_past_the_end_is_no_allocation() {
        let bytes = Bytes::of(vec![1, 2, 3]);
        let mut cursor = bytes.cursor();
        assert_eq!(cursor.take(u64::MAX, "a value").err(), Some(Stop::malformed(0, "a value")));
        assert_eq!(bytes.window(1..u64::MAX).len(), 2);
        assert_eq!(bytes.read(u64::MAX, usize::MAX, "x").err(), Some(Stop::malformed(u64::MAX, "x")));
    }

    #[test]
    fn a_parser_that_fails_names_the_place() {
        let bytes = Bytes::of(vec![1, 0, 2]);
        let mut cursor = bytes.cursor();
        fn number(input: &[u8]) -> IResult<&[u8], u16> {
            le_u16(input)
        }
        assert_eq!(cursor.parse(64, "a number", number), Ok(1));
        assert_eq!(cursor.parse(64, "a number", number), Err(Stop::malformed(2, "a number")));
    }

    #[test]
    fn lines_end_with_lf_crlf_or_the_end() {
        let bytes = Bytes::of(b"a\r\nbc\n\nlast".to_vec());
        let mut cursor = bytes.cursor();
        let mut lines = Vec::new();
        while let Some((range, line)) = cursor.line(100).unwrap() {
            lines.push((range.start, String::from_utf8(line).unwrap()));
        }
        assert_eq!(lines, [(0, "a".into()), (3, "bc".into()), (6, "".into()), (7, "last".into())]);
        assert!(Bytes::of(vec![b'x'; 5000]).cursor().line(1000).is_err());
    }
}
