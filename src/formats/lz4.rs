//! LZ4 frames.
//!
//! Specification: LZ4 Frame Format Description, version 1.6.
//!
//! ```text
//! frame = 04 22 4D 18 | FLG | BD | [ content size 8 ] [ dictionary 4 ] | header checksum 1
//!         ( block size 4, block, [ checksum 4 ] )* | 00 00 00 00 | [ content checksum 4 ]
//! ```

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    packed,
    source::Packing,
    stop::Stop,
};

/// LZ4 frames.
pub static FORMAT: Format = Format {
    id: "lz4",
    name: "LZ4",
    spec: "https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md",
    extensions: &["lz4"],
    media_types: &["application/x-lz4"],
    marks: &[Mark::start(b"\x04\x22\x4d\x18")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm_buried),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

/// Version 01, and no reserved bit.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(6)?;
    Ok(matches!(head.get(4..6), Some([flags, block]) if flags & 0xc2 == 0x40 && block & 0x8f == 0 && block >> 4 >= 4))
}

fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(confirm(candidate)? && packed::decodes(candidate.bytes, Packing::Lz4, 8 << 20)?)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    packed::read(visit, Packing::Lz4, FORMAT.extensions)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_is_checked_under_its_own_name() {
        let report = checked("greeting.txt.lz4", packed(b"hello\n"));
        assert_eq!(
            (report.verdict, report.layers[1].name.as_str()),
            (Verdict::JustData, "greeting.txt"),
            "{report:#?}"
        );
        let report = checked("model.pkl.lz4", packed(b"cos\nsystem\n(S'echo hello'\ntR."));
        assert_eq!(rules_of(&report), ["pickle-runs-code"]);
    }

    #[test]
    fn what_follows_is_news_and_a_cut_is_unfinished() {
        assert_eq!(
            rules_of(&checked("a.lz4", [packed(b"text\n"), b"left over".to_vec()].concat())),
            ["unexplained-bytes"]
        );
        let whole = packed(&b"hello world, hello world\n".repeat(100));
        for len in 7..whole.len() {
            assert_ne!(checked("a.lz4", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
