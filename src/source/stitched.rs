//! Scattered ranges as one source: sector chains, fragments, chunks.

use std::io;

use super::Source;
use crate::{bytes::Bytes, stop::Stop};

/// Ranges one behind the other.
pub struct Stitched {
    /// Each part with its place in the whole.
    parts: Vec<(u64, Bytes)>,
    len: u64,
}

impl Stitched {
    /// Joins `parts` in their order.
    pub fn new(parts: impl IntoIterator<Item = Bytes>) -> Self {
        let mut len = 0u64;
        let mut placed = Vec::new();
        for part in parts {
            if part.is_empty() {
                continue;
            }
            let start = len;
            len = len.saturating_add(part.len());
            placed.push((start, part));
        }
        Stitched { parts: placed, len }
    }
}

impl Source for Stitched {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        let mut index = self.parts.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        while let Some((start, part)) = self.parts.get(index) {
            let rest = into.get_mut(done..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let inside = at.saturating_add(done as u64).saturating_sub(*start);
            let count = part.copy(part.start().saturating_add(inside), rest).map_err(stopped)?;
            done = done.saturating_add(count);
            index = index.saturating_add(1);
        }
        Ok(done)
    }

    fn forget(&self) {
        for (_, part) in &self.parts {
            part.forget();
        }
    }
}

/// A stop of the bytes below, as the error of the source above.
pub(super) fn stopped(stop: Stop) -> io::Error {
    io::Error::other(stop.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_read_as_one() {
        let bytes = Bytes::of(b"0123456789abcdef".to_vec());
        let stitched =
            Stitched::new([bytes.window(12..16), bytes.window(3..3), bytes.window(0..2), bytes.window(5..9)]);
        assert_eq!(stitched.len(), 10);
        let mut whole = [0; 10];
        assert_eq!(stitched.read_at(0, &mut whole).unwrap(), 10);
        assert_eq!(&whole, b"cdef015678");
        let mut some = [0; 4];
        assert_eq!(stitched.read_at(3, &mut some).unwrap(), 4);
        assert_eq!(&some, b"f015");
        assert_eq!(stitched.read_at(8, &mut some).unwrap(), 2);
        assert_eq!(stitched.read_at(10, &mut some).unwrap(), 0);
    }
}
