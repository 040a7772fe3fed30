//! The compressed files of joblib before version 0.10: a zlib stream behind a length in hexadecimal digits.
//!
//! Specification: `joblib/numpy_pickle_compat.py`, `read_zfile`.
//!
//! ```text
//! "ZF" | length of the content: "0x…", padded with blanks to 19 characters | zlib stream
//! ```

use std::rc::Rc;

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    source::{Inflated, Paged, Source, Wrapping},
    stop::Stop,
};

/// joblib's old compressed file.
pub static FORMAT: Format = Format {
    id: "joblib-zfile",
    name: "joblib compressed file (before 0.10)",
    spec: "https://github.com/joblib/joblib/blob/master/joblib/numpy_pickle_compat.py",
    extensions: &[],
    media_types: &[],
    marks: &[Mark::start(b"ZF0x")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Container,
    within: None,
    rules: &[],
};

/// The mark and the longest number that Python wrote.
const HEADER: usize = 21;

struct Header {
    /// Behind the number.
    end: u64,
    len: u64,
}

fn header(head: &[u8]) -> Option<Header> {
    let digits = head.strip_prefix(b"ZF0x")?;
    let count = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let len = u64::from_str_radix(str::from_utf8(digits.get(..count)?).ok()?, 16).ok()?;
    // Python 2 wrote an L behind a long number; blanks fill up, one less in some versions.
    let rest = digits.get(count..)?;
    let filled = rest.iter().take_while(|byte| matches!(byte, b'L' | b' ')).count();
    let end = 4u64.checked_add(count as u64)?.checked_add(filled as u64)?;
    (rest.get(filled) == Some(&0x78)).then_some(Header { end, len })
}

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(header(&candidate.head(HEADER.saturating_add(4))?).is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let head = visit.bytes.peek(0, HEADER.saturating_add(4))?;
    let header = header(&head).ok_or(Stop::malformed(0, "a length in hexadecimal digits"))?;
    visit.structure(0..header.end, "mark and length")?;
    let inflated = Inflated::measure(visit.bytes.from(header.end), Wrapping::Zlib)?;
    let stop = inflated
        .stop()
        .cloned()
        .or_else(|| (inflated.len() != header.len).then(|| Stop::malformed(2, "the length of the content")));
    let packed = header.end..header.end.saturating_add(inflated.compressed_len());
    let content: Rc<dyn Source> = Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 4));
    // Beside the pickle, joblib wrote the values of each array to a file of its own, without any header.
    let role = if is_side_file(visit.name) { Role::Opaque("array values") } else { Role::File };
    visit.open("content", Span::Decoded(packed, content), role)?;
    stop.map_or(Ok(()), Err)
}

fn is_side_file(name: &str) -> bool {
    name.ends_with(".npy.z")
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn zfile(content: &[u8]) -> Vec<u8> {
        let mut bytes = format!("ZF{:<19}", format!("{:#x}", content.len())).into_bytes();
        bytes.extend(compress_to_vec_zlib(content, 6));
        bytes
    }

    #[test]
    fn the_pickle_inside_is_read() {
        assert_eq!(rules_of(&checked("model.gz", zfile(b"cos\nsystem\n(S'echo hello'\ntR."))), ["pickle-runs-code"]);
        assert_eq!(checked("model.gz", zfile(b"(dp0\nS'a'\np1\nI1\ns.")).verdict, Verdict::JustData);
        assert_eq!(checked("model.pkl_01.npy.z", zfile(&[1, 2, 3, 4])).verdict, Verdict::JustData);
    }

    #[test]
    fn a_length_that_lies_and_a_cut_are_unfinished() {
        let mut lying = zfile(b"(dp0\nS'a'\np1\nI1\ns.");
        lying[5] = b'f';
        assert_eq!(checked("model.gz", lying).verdict, Verdict::Unfinished);
        let whole = zfile(b"(dp0\nS'a'\np1\nI1\ns.");
        for len in 22..whole.len() {
            assert_ne!(checked("model.gz", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
