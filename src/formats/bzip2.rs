//! bzip2: blocks of text sorted and coded, in streams one behind the other.
//!
//! Specification: the source of `bzip2`; the format has no other. The description followed here is Joe Tsai's.
//!
//! ```text
//! stream = "BZh" level '1'..'9' | block+ | 17 72 45 38 50 90 | crc 4      file = stream+
//! block  = 31 41 59 26 53 59 | crc 4 | bits
//! ```

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    packed,
    source::Packing,
    stop::Stop,
};

/// bzip2.
pub static FORMAT: Format = Format {
    id: "bzip2",
    name: "bzip2",
    spec: "https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf",
    extensions: &["bz2", "bz", "tbz2", "tbz"],
    media_types: &["application/x-bzip2"],
    marks: &[Mark::start(b"BZh")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm_buried),
    nature: Nature::Container,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(10)?;
    let level = head.get(3).is_some_and(|level| (b'1'..=b'9').contains(level));
    let block =
        head.get(4..).is_some_and(|block| matches!(block, b"\x31\x41\x59\x26\x53\x59" | b"\x17\x72\x45\x38\x50\x90"));
    Ok(level && block)
}

/// In the middle of other bytes the stream must decode.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(confirm(candidate)? && packed::decodes(candidate.bytes, Packing::Bzip2, 4 << 20)?)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    packed::read(visit, Packing::Bzip2, FORMAT.extensions)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_is_checked_under_its_own_name() {
        let report = checked("greeting.txt.bz2", packed(b"hello\n"));
        assert_eq!(
            (report.verdict, report.layers[1].name.as_str()),
            (Verdict::JustData, "greeting.txt"),
            "{report:#?}"
        );
        let report = checked("model.pkl.bz2", packed(b"cos\nsystem\n(S'echo hello'\ntR."));
        assert_eq!(rules_of(&report), ["pickle-runs-code"]);
    }

    #[test]
    fn what_follows_is_news_and_a_cut_is_unfinished() {
        let report = checked("a.bz2", [packed(b"text\n"), b"left over".to_vec()].concat());
        assert_eq!(rules_of(&report), ["unexplained-bytes"]);
        let whole = packed(&b"hello world, hello world\n".repeat(100));
        for len in 10..whole.len() {
            assert_ne!(checked("a.bz2", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
