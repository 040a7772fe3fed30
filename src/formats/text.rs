//! Plain text in its encodings: UTF-8, UTF-16 and UTF-32 with or without a byte order mark, and single-byte text.
//!
//! Specification: the Unicode Standard, chapter 3.10; the WHATWG Encoding Standard for names.
//!
//! Only tried where no other format recognised the layer: text is what remains when nothing says otherwise.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    stop::Stop,
};

/// Plain text.
pub static FORMAT: Format = Format {
    id: "text",
    name: "plain text",
    spec: "https://www.unicode.org/versions/latest/",
    extensions: &["txt", "md", "log", "rst"],
    media_types: &["text/plain"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Text,
    within: None,
    rules: &[],
};

/// How much is looked at to recognise text, in bytes.
const LOOK: usize = 4096;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(LOOK)?;
    let whole = (head.len() as u64) == candidate.bytes.len();
    Ok(text_len(&head, whole).is_some_and(|len| len == head.len() || (!whole && len.saturating_add(4) > head.len())))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut at = 0;
    let mut buffer = vec![0; 256 << 10];
    while at < visit.bytes.end() {
        let count = visit.bytes.copy(at, &mut buffer)?;
        let window = buffer.get(..count).unwrap_or_default();
        let last = at.saturating_add(count as u64) >= visit.bytes.end();
        let Some(len) = text_len(window, last).filter(|len| *len > 0) else {
            return Err(Stop::malformed(at, "text"));
        };
        let end = at.saturating_add(len as u64);
        visit.structure(at..end, "text")?;
        at = end;
        if len.saturating_add(4) <= count && !last {
            return Err(Stop::malformed(at, "text"));
        }
    }
    Ok(())
}

/// How many of the bytes are text, from the first on; `None` where none is. Without `last`, a character may be cut
/// at the end.
fn text_len(bytes: &[u8], last: bool) -> Option<usize> {
    let utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    let control =
        |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1b) || *byte == 0x7f;
    let clean = bytes.iter().position(control).unwrap_or(bytes.len());
    if utf8 == bytes.len() || (!last && utf8.saturating_add(4) > bytes.len()) {
        return Some(utf8.min(clean)).filter(|len| *len > 0);
    }
    Some(clean).filter(|clean| *clean == bytes.len())
}

#[cfg(test)]
mod tests {
    use crate::{check::tests::checked, report::Verdict};

    #[test]
    fn text_is_just_data() {
        assert_eq!(checked("a.txt", "Grüße, 世界\r\n".repeat(100_000)).verdict, Verdict::JustData);
        assert_eq!(checked("a.txt", b"one").verdict, Verdict::JustData);
        assert_eq!(checked("latin.txt", b"Gr\xfc\xdfe aus K\xf6ln\n").verdict, Verdict::JustData);
    }

    #[test]
    fn bytes_behind_text_are_not_text() {
        let mut bytes = b"text\n".repeat(200_000);
        bytes.extend([0, 1, 2, 3]);
        assert_eq!(checked("a.txt", bytes).verdict, Verdict::Unfinished);
    }
}
