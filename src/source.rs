//! Random access to bytes that are never all in memory.

mod base64;
mod decrypted;
mod filtered;
mod inflated;
mod paged;
mod stitched;
mod strided;
mod transcoded;
mod unpacked;

#[cfg(not(target_arch = "wasm32"))]
mod file;

use std::io;

pub use base64::Base64;
pub use decrypted::Cipher;
#[cfg(not(target_arch = "wasm32"))]
pub use file::OnDisk;
pub use filtered::{Filter, Filtered, Prediction};
pub use inflated::{Inflated, Wrapping};
pub use paged::Paged;
pub use stitched::Stitched;
pub use strided::Strided;
pub use transcoded::{Transcoded, Units};
pub use unpacked::{Packing, Unpacked};

/// Bytes with a length, readable at any place.
pub trait Source {
    /// Length in bytes; it does not change.
    fn len(&self) -> u64;

    /// Whether there is no byte.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads bytes from `at` into `into` and says how many: fewer than asked for only at the end.
    ///
    /// # Errors
    /// Whatever the system says; a source that became shorter is an error of kind
    /// [`io::ErrorKind::UnexpectedEof`].
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Lets go of what is kept only for speed.
    fn forget(&self) {}
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        Vec::len(self) as u64
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(at).unwrap_or(usize::MAX).min(Vec::len(self));
        let rest = self.get(from..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(to), Some(bytes)) = (into.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(bytes);
        }
        Ok(count)
    }
}
