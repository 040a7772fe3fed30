//! Base64 text as the bytes that it stands for, decoded where they are read.
//!
//! Specification: RFC 4648 sections 4 and 5. Real files break lines, escape the slash as JSON allows, leave the
//! padding away, or write several padded texts one behind the other (VTK): all of that is read.

use std::{cell::RefCell, io};

use super::Source;
use crate::{bytes::Bytes, stop::Stop};

/// Encoded bytes looked at together.
const WINDOW: usize = 64 << 10;

/// Base64 text, decoded.
pub struct Base64 {
    encoded: Bytes,
    len: u64,
    /// Where decoding may start: the place among the decoded bytes, and the place of a window that begins a group.
    starts: Vec<(u64, u64)>,
    /// The last window that was decoded: the place of its first byte, and its bytes.
    last: RefCell<(u64, Vec<u8>)>,
}

impl Base64 {
    /// Reads the text once, to know its length.
    ///
    /// # Errors
    /// [`Stop::Malformed`] with the place of the first character that is not Base64; else as [`Bytes::peek`].
    pub fn new(encoded: Bytes) -> Result<Self, Stop> {
        let mut starts = vec![(0, encoded.start())];
        let mut at = encoded.start();
        let mut len = 0u64;
        let mut groups = Groups::default();
        let mut decoded = Vec::new();
        let mut begins = at;
        while at < encoded.end() {
            let window = encoded.peek(at, WINDOW)?;
            for (index, byte) in window.iter().enumerate() {
                let place = at.saturating_add(index as u64);
                if groups.is_between() && place >= begins.saturating_add(WINDOW as u64) {
                    begins = place;
                    starts.push((len.saturating_add(decoded.len() as u64), place));
                }
                if !groups.take(*byte, &mut decoded) {
                    return Err(Stop::malformed(place, "Base64 text"));
                }
            }
            len = len.saturating_add(decoded.len() as u64);
            decoded.clear();
            at = at.saturating_add(window.len().max(1) as u64);
        }
        if !groups.finish(&mut decoded) {
            return Err(Stop::malformed(encoded.end(), "the rest of a group of Base64 text"));
        }
        len = len.saturating_add(decoded.len() as u64);
        Ok(Base64 { encoded, len, starts, last: RefCell::default() })
    }

    /// The decoded bytes from the last start before `at` up to the next one.
    fn decode(&self, at: u64) -> io::Result<(u64, Vec<u8>)> {
        let index = self.starts.partition_point(|(place, _)| *place <= at).saturating_sub(1);
        let (place, from) = self.starts.get(index).copied().unwrap_or((0, self.encoded.start()));
        let to = self.starts.get(index.saturating_add(1)).map_or(self.encoded.end(), |(_, to)| *to);
        let len = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
        let text = self.encoded.peek(from, len).map_err(|stop| io::Error::other(stop.to_string()))?;
        let mut decoded = Vec::with_capacity(text.len());
        let mut groups = Groups::default();
        for byte in text {
            groups.take(byte, &mut decoded);
        }
        groups.finish(&mut decoded);
        Ok((place, decoded))
    }
}

impl Source for Base64 {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut done = 0usize;
        while done < into.len() {
            let wanted = at.saturating_add(done as u64);
            if wanted >= self.len {
                break;
            }
            let mut last = self.last.borrow_mut();
            let (start, bytes) = &*last;
            let held = wanted >= *start && wanted < start.saturating_add(bytes.len() as u64);
            if !held {
                *last = self.decode(wanted)?;
            }
            let (start, bytes) = &*last;
            let skip = usize::try_from(wanted.saturating_sub(*start)).unwrap_or(usize::MAX);
            let from = bytes.get(skip..).unwrap_or_default();
            let to = into.get_mut(done..).unwrap_or_default();
            let count = from.len().min(to.len());
            if count == 0 {
                break;
            }
            if let (Some(to), Some(from)) = (to.get_mut(..count), from.get(..count)) {
                to.copy_from_slice(from);
            }
            done = done.saturating_add(count);
        }
        Ok(done)
    }

    fn forget(&self) {
        self.last.replace((0, Vec::new()));
    }
}

/// Groups of four characters that stand for three bytes.
#[derive(Default)]
struct Groups {
    bits: u32,
    count: u8,
    /// The last character was a backslash, as in a JSON string.
    escape: bool,
}

impl Groups {
    fn is_between(&self) -> bool {
        self.count == 0 && !self.escape
    }

    /// Takes a character; whether it may stand there.
    fn take(&mut self, byte: u8, into: &mut Vec<u8>) -> bool {
        if std::mem::take(&mut self.escape) && matches!(byte, b'n' | b'r' | b't') {
            return true;
        }
        let value = match byte {
            b'A'..=b'Z' => byte.saturating_sub(b'A'),
            b'a'..=b'z' => byte.saturating_sub(b'a').saturating_add(26),
            b'0'..=b'9' => byte.saturating_sub(b'0').saturating_add(52),
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\\' => {
                self.escape = true;
                return true;
            }
            b'=' => return self.finish(into),
            _ => return byte.is_ascii_whitespace(),
        };
        self.bits = (self.bits << 6) | u32::from(value);
        self.count = self.count.saturating_add(1);
        if self.count == 4 {
            let [_, group @ ..] = self.bits.to_be_bytes();
            into.extend(group);
            (self.bits, self.count) = (0, 0);
        }
        true
    }

    /// Ends a group early; whether it may end there.
    fn finish(&mut self, into: &mut Vec<u8>) -> bool {
        let [_, first, second, _] = (self.bits << (6 * (4 - u32::from(self.count.min(4))))).to_be_bytes();
        let count = std::mem::take(&mut self.count);
        self.bits = 0;
        match count {
            2 => into.push(first),
            3 => into.extend([first, second]),
            1 => return false,
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        let source = Base64::new(Bytes::of(text)).unwrap();
        let mut bytes = vec![0; source.len() as usize];
        assert_eq!(source.read_at(0, &mut bytes).unwrap(), bytes.len());
        bytes
    }

    #[test]
    fn what_files_write_is_read() {
        assert_eq!(decoded(""), b"");
        assert_eq!(decoded("aGVsbG8="), b"hello");
        assert_eq!(decoded("aGVsbG8"), b"hello");
        assert_eq!(decoded(" aGVs\r\n bG8= \n"), b"hello");
        assert_eq!(decoded("aGVsbG8=aGVsbG8="), b"hellohello");
        assert_eq!(decoded("\\/w==\\naGVs"), b"\xffhel");
        assert_eq!(decoded("_-8="), decoded("/+8="));
        assert_eq!(Base64::new(Bytes::of("aGVs*G8=")).err(), Some(Stop::malformed(4, "Base64 text")));
        assert!(Base64::new(Bytes::of("aGVsb")).is_err());
    }

    #[test]
    fn any_place_of_a_long_text_is_found() {
        let bytes: Vec<u8> = (0..500_000u32).map(|value| ((value * 7) >> 3) as u8).collect();
        let lines: String = STANDARD
            .encode(&bytes)
            .as_bytes()
            .chunks(76)
            .map(|line| format!("{}\n", str::from_utf8(line).unwrap()))
            .collect();
        let source = Base64::new(Bytes::of(lines)).unwrap();
        assert_eq!(source.len(), bytes.len() as u64);
        for at in [0, 1, 49_151, 49_152, 200_000, 499_990, 3, 500_000] {
            let mut some = [0; 100];
            let count = source.read_at(at as u64, &mut some).unwrap();
            assert_eq!(some[..count], bytes[at..(at + 100).min(bytes.len())]);
        }
    }
}
