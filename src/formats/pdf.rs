//! PDF: recognised by its structure, not decoded.
//!
//! Specification: ISO 32000-2, section 7.5.
//!
//! ```text
//! [at most 1024 bytes of anything]     Acrobat's habit, which others follow
//! "%PDF-" digit "." digit
//! number number "obj" …                objects
//! "startxref" place "%%EOF"            the last of them ends the file
//! ```

use memchr::memmem;

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Origin, Visit},
    stop::Stop,
};

/// PDF.
pub static FORMAT: Format = Format {
    id: "pdf",
    name: "a PDF document",
    spec: "https://pdfa.org/resource/iso-32000-2/",
    extensions: &["pdf", "ai", "fdf"],
    media_types: &["application/pdf"],
    // The header may stand behind other bytes.
    marks: &[],
    confirm,
    read,
    buried: Buried::AnywhereMarked(&[Mark::start(HEADER)], confirm_buried),
    nature: Nature::Data,
    within: None,
    rules: &[],
};

const HEADER: &[u8] = b"%PDF-";

/// How far viewers look for the header, in bytes.
const REACH: usize = 1024;

/// How far behind the header its first object must stand, in bytes: comments and blanks may be between.
const FIRST_OBJECT: usize = 4096;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    // A header at the start says it; one behind other bytes must have an object behind it.
    Ok(match header_at(candidate.bytes)? {
        Some(at) if at == candidate.bytes.start() => true,
        Some(at) => has_object(candidate.bytes, at)?,
        None => false,
    })
}

fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let start = candidate.bytes.start();
    Ok(header_at(candidate.bytes)? == Some(start) && has_object(candidate.bytes, start)?)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let at = header_at(visit.bytes)?.ok_or(Stop::malformed(0, "a PDF header"))?;
    let body = at.saturating_add(8);
    visit.structure(at..body, "header")?;
    let end = end_of_file(visit.bytes, body)?;
    visit.opaque(body..end, "objects")?;
    if matches!(visit.origin, Origin::Root | Origin::Member) {
        if !is_comment(&visit.bytes.window(0..at).all()?) {
            visit.unexplained(0..at)?;
        }
        if !is_comment(&visit.bytes.from(end).peek(end, REACH)?) {
            visit.unexplained(end..visit.bytes.end())?;
        }
    }
    Err(Stop::unsupported(body, "PDF document"))
}

/// Whether all of it is blanks and comments, which may stand anywhere in a document: "%" up to the end of the line.
fn is_comment(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).all(|line| {
        let line = line.trim_ascii_start();
        let is_text = line.iter().all(|byte| *byte >= 0x20 || *byte == b'\t');
        line.iter().all(|byte| matches!(byte, 0 | b' ' | b'\t' | 0x0c | 0x1a)) || (line.starts_with(b"%") && is_text)
    })
}

/// The place of the header.
fn header_at(bytes: &Bytes) -> Result<Option<u64>, Stop> {
    let head = bytes.peek(bytes.start(), REACH.saturating_add(8))?;
    let place = memmem::find_iter(&head, HEADER).find(|place| {
        let version = head.get(place.saturating_add(HEADER.len())..).unwrap_or_default();
        matches!(version, [b'0'..=b'9', b'.', b'0'..=b'9', ..])
    });
    Ok(place.map(|place| bytes.start().saturating_add(place as u64)))
}

/// Whether an object, or the trailer of an empty file, stands behind the header: "number number obj".
fn has_object(bytes: &Bytes, at: u64) -> Result<bool, Stop> {
    let head = bytes.peek(at, FIRST_OBJECT)?;
    Ok(memmem::find_iter(&head, b"obj").any(|place| {
        let before = head.get(..place).unwrap_or_default().trim_ascii_end();
        let mut words = before.rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let generation = words.next().is_some_and(|word| word.iter().all(u8::is_ascii_digit));
        // Other bytes may stand right in front of the number of the object.
        generation && words.next().is_some_and(|word| word.last().is_some_and(u8::is_ascii_digit))
    }))
}

/// The place behind the last end mark and its line end, or the last byte where there is no mark.
fn end_of_file(bytes: &Bytes, from: u64) -> Result<u64, Stop> {
    let finder = memmem::FinderRev::new(b"%%EOF");
    let mut buffer = vec![0; 1 << 20];
    let mut end = bytes.end();
    while end > from {
        let at = end.saturating_sub(buffer.len() as u64).max(from);
        let wanted = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
        let count = bytes.copy(at, buffer.get_mut(..wanted).unwrap_or_default())?;
        if let Some(place) = finder.rfind(buffer.get(..count).unwrap_or_default()) {
            let behind = at.saturating_add(place as u64).saturating_add(5);
            let line_end = bytes.peek(behind, 2)?.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            return Ok(behind.saturating_add(line_end as u64));
        }
        // Windows overlap by one byte less than the mark.
        end = if at == from { from } else { at.saturating_add(4) };
    }
    Ok(bytes.end())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    const DOCUMENT: &[u8] =
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\nstartxref\n0\n%%EOF\n";

    #[test]
    fn what_is_not_decoded_is_never_just_data() {
        for prefix in [&b""[..], b"\xef\xbb\xbf", &[b'\n'; 1000], b"% a comment\n"] {
            let report = checked("a.pdf", [prefix, DOCUMENT].concat());
            assert!(report.layers[0].formats.contains(&"pdf".to_string()));
            assert_eq!(report.verdict, Verdict::Unfinished);
        }
        for len in 8..DOCUMENT.len() {
            assert_eq!(checked("a.pdf", &DOCUMENT[..len]).verdict, Verdict::Unfinished, "{len}");
        }
    }

    #[test]
    fn bytes_in_front_and_behind_are_news() {
        assert_eq!(rules_of(&checked("a.pdf", [b"NES\x1a".as_slice(), DOCUMENT].concat())), ["unexplained-bytes"]);
        assert_eq!(rules_of(&checked("a.pdf", [DOCUMENT, b"behind\n"].concat())), ["unexplained-bytes"]);
    }

    #[test]
    fn a_document_in_front_of_an_archive_is_two_files() {
        let files = [crate::formats::zip::sample::File::stored("a.txt", b"text\n")];
        let report = checked("a.pdf", crate::formats::zip::sample::build(DOCUMENT, &files));
        assert_eq!(report.layers[0].formats, ["pdf", "zip"]);
        assert_eq!(rules_of(&report), ["two-formats"]);
    }

    #[test]
    fn a_document_behind_an_archive_is_hidden() {
        let mut bytes = crate::formats::zip::sample::archive(&[("a.txt", &[b'x'; 2000])]);
        bytes.extend(DOCUMENT);
        assert_eq!(rules_of(&checked("a.zip", bytes)), ["file-hidden"]);
    }

    #[test]
    fn text_about_documents_is_text() {
        assert_eq!(checked("a.txt", "The first line is %PDF-1.7, then objects follow.\n").verdict, Verdict::JustData);
    }
}
