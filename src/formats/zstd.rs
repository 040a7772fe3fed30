//! Zstandard: frames of blocks, one behind the other.
//!
//! Specification: RFC 8878.
//!
//! ```text
//! frame     = 28 B5 2F FD | descriptor | [ window ] [ dictionary ] [ content size ] | block+ | [ checksum 4 ]
//! skippable = 5x 2A 4D 18 | length 4 | anything                    file = ( frame | skippable )+
//! ```
//! What a skippable frame holds no reader of the content sees: it is room for anything.

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    packed,
    source::Packing,
    stop::Stop,
};

/// Zstandard.
pub static FORMAT: Format = Format {
    id: "zstd",
    name: "Zstandard",
    spec: "https://www.rfc-editor.org/rfc/rfc8878",
    extensions: &["zst", "zstd", "tzst"],
    media_types: &["application/zstd"],
    marks: &[Mark::start(b"\x28\xb5\x2f\xfd")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm_buried),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

/// Bit 3 of the descriptor is reserved.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(6)?;
    Ok(head.get(4).is_some_and(|descriptor| descriptor & 8 == 0) && head.len() == 6)
}

/// In the middle of other bytes the stream must decode.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(confirm(candidate)? && packed::decodes(candidate.bytes, Packing::Zstd, 4 << 20)?)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    packed::read(visit, Packing::Zstd, FORMAT.extensions)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    /// A frame with one raw block and no checksum.
    fn packed(content: &[u8]) -> Vec<u8> {
        let len = content.len() as u32;
        let block = (len << 3) | 1;
        [b"\x28\xb5\x2f\xfd\xa0", &len.to_le_bytes()[..], &block.to_le_bytes()[..3], content].concat()
    }

    #[test]
    fn content_is_checked_under_its_own_name() {
        let report = checked("greeting.txt.zst", packed(b"hello\n"));
        assert_eq!(
            (report.verdict, report.layers[1].name.as_str()),
            (Verdict::JustData, "greeting.txt"),
            "{report:#?}"
        );
        let report = checked("model.pkl.zst", packed(b"cos\nsystem\n(S'echo hello'\ntR."));
        assert_eq!(rules_of(&report), ["pickle-runs-code"]);
    }

    #[test]
    fn frames_behind_each_other_are_one_content() {
        let report = checked("a.zst", [packed(b"one "), packed(b"two\n")].concat());
        assert_eq!((report.verdict, report.layers[1].len), (Verdict::JustData, 8), "{report:#?}");
    }

    #[test]
    fn what_follows_is_news_and_a_cut_is_unfinished() {
        assert_eq!(
            rules_of(&checked("a.zst", [packed(b"text\n"), b"left over".to_vec()].concat())),
            ["unexplained-bytes"]
        );
        let whole = packed(b"hello world, hello world\n");
        for len in 6..whole.len() {
            assert_ne!(checked("a.zst", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn frames_to_be_skipped_are_looked_into() {
        let skipped = [b"\x50\x2a\x4d\x18".as_slice(), &9u32.to_le_bytes(), b"left over"].concat();
        let report = checked("a.zst", [packed(b"text\n"), skipped].concat());
        assert_eq!((report.verdict, report.layers[0].coverage.slack), (Verdict::JustData, 9), "{report:#?}");
    }
}
