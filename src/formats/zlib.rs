//! zlib: a deflate stream between two header bytes and a checksum, as a file of its own (joblib writes such files).
//!
//! Specification: RFC 1950.
//!
//! ```text
//! CMF 1 | FLG 1 | deflate blocks | Adler-32 4          (256 · CMF + FLG) is a multiple of 31
//! ```
//! Two bytes are no mark: the stream itself must inflate.

use std::rc::Rc;

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    packed::content_name,
    source::{Inflated, Paged, Source, Wrapping},
    stop::Stop,
};

/// zlib.
pub static FORMAT: Format = Format {
    id: "zlib",
    name: "zlib",
    spec: "https://www.rfc-editor.org/rfc/rfc1950",
    extensions: &["zlib", "z"],
    media_types: &["application/zlib"],
    marks: &[Mark::start(b"\x78\x01"), Mark::start(b"\x78\x5e"), Mark::start(b"\x78\x9c"), Mark::start(b"\x78\xda")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Container,
    within: None,
    rules: &[],
};

/// Packed bytes that must inflate to believe two bytes.
const LOOK: u64 = 256 << 10;

/// A stream that breaks is believed after this many bytes of content.
const ENOUGH: u64 = 4096;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let bytes = candidate.bytes;
    let window = bytes.window(bytes.start()..bytes.start().saturating_add(LOOK));
    let inflated = Inflated::measure(window.clone(), Wrapping::Zlib)?;
    let reached = bytes.start().saturating_add(inflated.compressed_len()) >= window.end();
    Ok(match inflated.stop() {
        None => true,
        Some(_) => (reached && inflated.len() > 0 && bytes.len() > 16) || inflated.len() > ENOUGH,
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let inflated = Inflated::measure(visit.bytes.clone(), Wrapping::Zlib)?;
    let stop = inflated.stop().cloned();
    let packed = visit.bytes.start()..visit.bytes.start().saturating_add(inflated.compressed_len());
    if inflated.is_empty() {
        visit.structure(packed, "an empty stream")?;
    } else {
        let content: Rc<dyn Source> = Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 4));
        visit.open(content_name(visit.name, FORMAT.extensions), Span::Decoded(packed, content), Role::File)?;
    }
    stop.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn content_is_checked() {
        let report = checked("greeting.txt.z", compress_to_vec_zlib(b"hello, hello\n", 6));
        assert_eq!(
            (report.verdict, report.layers[1].name.as_str()),
            (Verdict::JustData, "greeting.txt"),
            "{report:#?}"
        );
        let report = checked("model.joblib", compress_to_vec_zlib(b"cos\nsystem\n(S'echo hello'\ntR.", 6));
        assert_eq!(rules_of(&report), ["pickle-runs-code"]);
    }

    #[test]
    fn what_follows_is_news_and_a_cut_is_not_just_data() {
        let whole = compress_to_vec_zlib(&b"hello world, hello world\n".repeat(100), 6);
        assert_eq!(rules_of(&checked("a.z", [&whole[..], b"left over"].concat())), ["unexplained-bytes"]);
        for len in 1..whole.len() {
            let report = checked("a.z", &whole[..len]);
            assert!(report.verdict != Verdict::JustData || report.layers[0].formats == ["text"], "cut at {len}");
        }
    }

    #[test]
    fn text_that_begins_like_it_is_text() {
        assert_eq!(checked("formula.txt", b"x^2 + y^2 = z^2\n").layers[0].formats, ["text"]);
    }
}
