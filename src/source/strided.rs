//! The same few bytes of every record as one source: a field of a table.

use std::io;

use super::Source;
use crate::bytes::Bytes;

/// A field of every record of a table.
pub struct Strided {
    records: Bytes,
    /// Length of a record, place and length of the field in it.
    record: u64,
    field: u64,
    width: u64,
}

impl Strided {
    /// The bytes at `field`, `width` of them, of every whole record of `record` bytes.
    pub fn new(records: Bytes, record: u64, field: u64, width: u64) -> Self {
        Strided { records, record: record.max(1), field, width: width.max(1) }
    }
}

/// Records read together, in bytes.
const WINDOW: u64 = 64 << 10;

impl Source for Strided {
    fn len(&self) -> u64 {
        (self.records.len() / self.record).saturating_mul(self.width)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let wanted = self.len().saturating_sub(at).min(into.len() as u64);
        let mut window = Vec::new();
        let mut window_at = 0u64;
        let mut done = 0usize;
        while (done as u64) < wanted {
            let place = at.saturating_add(done as u64);
            let inside = (place / self.width).saturating_mul(self.record).saturating_add(self.field);
            let inside = inside.saturating_add(place % self.width);
            let offset = usize::try_from(inside.saturating_sub(window_at)).unwrap_or(usize::MAX);
            if window.is_empty() || inside < window_at || offset >= window.len() {
                window_at = inside;
                let len = usize::try_from(WINDOW.min(self.records.len().saturating_sub(inside))).unwrap_or(0);
                window = self
                    .records
                    .peek(self.records.start().saturating_add(inside), len)
                    .map_err(super::stitched::stopped)?;
            }
            let offset = usize::try_from(inside.saturating_sub(window_at)).unwrap_or(usize::MAX);
            let (Some(byte), Some(slot)) = (window.get(offset), into.get_mut(done)) else { break };
            *slot = *byte;
            done = done.saturating_add(1);
        }
        Ok(done)
    }

    fn forget(&self) {
        self.records.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_every_record_is_read() {
        let table: Vec<u8> = (0..40_000u32).flat_map(|row| [0, 1, row as u8, (row >> 8) as u8, 9]).collect();
        let field = Strided::new(Bytes::of(table), 5, 2, 2);
        assert_eq!(field.len(), 80_000);
        let mut some = [0; 6];
        assert_eq!(field.read_at(79_996, &mut some).unwrap(), 4);
        assert_eq!(some[..4], [0x3e, 0x9c, 0x3f, 0x9c]);
        let mut odd = vec![0; 50_001];
        assert_eq!(field.read_at(1, &mut odd).unwrap(), 50_001);
        assert_eq!((odd[0], odd[1], odd[50_000]), (0, 1, 97));
    }
}
