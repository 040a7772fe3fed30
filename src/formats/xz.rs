//! xz: LZMA2 blocks with checks and an index, in streams one behind the other.
//!
//! Specification: The .xz File Format, version 1.2.1.
//!
//! ```text
//! stream = FD "7zXZ" 0 | flags 2 | crc32 4 | block* | index | crc32 4 | backward size 4 | flags 2 | "YZ"
//! file   = stream ( stream | padding of zeros, in fours )*
//! ```

use crate::{
    checksum::CRC_32,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    packed,
    source::Packing,
    stop::Stop,
};

/// xz.
pub static FORMAT: Format = Format {
    id: "xz",
    name: "xz",
    spec: "https://tukaani.org/xz/xz-file-format.txt",
    extensions: &["xz", "txz"],
    media_types: &["application/x-xz"],
    marks: &[Mark::start(b"\xfd7zXZ\0")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm_buried),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

/// The header's own checksum covers its flags.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(12)?;
    let (Some(flags), Some(check)) = (head.get(6..8), head.get(8..12)) else { return Ok(false) };
    Ok(CRC_32.checksum(flags).to_le_bytes() == check)
}

/// In the middle of other bytes the stream must decode.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(confirm(candidate)? && packed::decodes(candidate.bytes, Packing::Xz, 4 << 20)?)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    packed::read(visit, Packing::Xz, FORMAT.extensions)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    /// `hello\n`, packed by the xz tool with a CRC-64.
    const HELLO: &[u8] = &[
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00,
        0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x05, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a, 0x00, 0x00, 0x00,
        0xa5, 0x60, 0x97, 0xf1, 0x94, 0xf6, 0xfd, 0xe0, 0x00, 0x01, 0x1e, 0x06, 0xc1, 0x2f, 0xa4, 0x1d, 0x1f, 0xb6,
        0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
    ];

    #[test]
    fn content_is_checked_under_its_own_name() {
        let report = checked("greeting.txt.xz", HELLO);
        assert_eq!(
            (report.verdict, report.layers[1].name.as_str()),
            (Verdict::JustData, "greeting.txt"),
            "{report:#?}"
        );
        let twice = checked("twice.txt.xz", [HELLO, &[0; 8], HELLO].concat());
        assert_eq!((twice.verdict, twice.layers[1].len), (Verdict::JustData, 12), "{twice:#?}");
    }

    #[test]
    fn what_follows_is_news_and_a_cut_is_unfinished() {
        assert_eq!(rules_of(&checked("a.xz", [HELLO, b"left over"].concat())), ["unexplained-bytes"]);
        for len in 12..HELLO.len() {
            assert_ne!(checked("a.xz", &HELLO[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
