//! The checksum that most containers keep of their content.

use std::sync::LazyLock;

use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// CRC-32 as ITU-T V.42 defines it, of ZIP, gzip, PNG, xz, 7z and RAR. Its sixteen tables are made when they are first
/// asked for: 16 KiB of numbers without a pattern would be a part of the module that no compression makes smaller.
pub static CRC_32: LazyLock<Crc<u32, Table<16>>> = LazyLock::new(|| Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC));
