//! PDF: recognised by its header and its end, not decoded.
//!
//! Specification: ISO 32000-2, section 7.5.
//!
//! ```text
//! "%PDF-" digit "." digit     within the first 1024 bytes
//! objects: number generation "obj" ... "endobj"
//! "startxref" number "%%EOF"  the last of them near the end
//! ```

use memchr::memmem;

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// PDF.
pub static FORMAT: Format = Format {
    id: "pdf",
    name: "PDF",
    spec: "https://pdfa.org/resource/iso-32000-2/",
    extensions: &["pdf"],
    media_types: &["application/pdf"],
    marks: &[],
    confirm,
    read,
    buried: Buried::AnywhereMarked(&[Mark::start(b"%PDF-")], confirm_buried),
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// Readers look for the header this far (ISO 32000-2, annex I).
const HEADER: usize = 1024;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(header_in(&candidate.head(HEADER)?).is_some())
}

/// In the middle of other bytes the header must be followed by an object.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(2 * HEADER)?;
    let object = memmem::find_iter(&head, b"obj").any(|at| {
        let before = head.get(..at).unwrap_or_default().trim_ascii_end();
        before.len() < at && before.last().is_some_and(u8::is_ascii_digit)
    });
    Ok(header_in(&head) == Some(0) && object)
}

/// Where `%PDF-d.d` stands.
fn header_in(head: &[u8]) -> Option<usize> {
    memmem::find_iter(head, b"%PDF-").find(|at| {
        let version = head.get(at.saturating_add(5)..at.saturating_add(8));
        matches!(version, Some([major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit())
    })
}

/// Bytes looked at together for the end.
const WINDOW: u64 = 1 << 16;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let head = visit.bytes.peek(0, HEADER)?;
    let start = header_in(&head).ok_or(Stop::malformed(0, "a PDF header"))? as u64;
    visit.structure(start..start.saturating_add(8), "header")?;
    let mut to = visit.bytes.end();
    // The last %%EOF ends the file; a window further back each time, overlapping by the length of the word.
    while to > start {
        let from = to.saturating_sub(WINDOW).max(start);
        let window = visit.bytes.peek(from, WINDOW as usize + EOF.len())?;
        if let Some(found) = memmem::rfind(&window, EOF) {
            let behind = window.get(found.saturating_add(EOF.len())..).unwrap_or_default();
            let line = behind.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count().min(2);
            let end = from.saturating_add((found.saturating_add(EOF.len()).saturating_add(line)) as u64);
            visit.opaque(start.saturating_add(8)..end, "objects")?;
            return Err(Stop::unsupported(start, "PDF objects"));
        }
        to = from;
    }
    Err(Stop::malformed(visit.bytes.end(), "the end mark %%EOF"))
}

const EOF: &[u8] = b"%%EOF";

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\nstartxref\n9\n%%EOF\n";

    #[test]
    fn documents_are_named_and_not_called_data() {
        let report = checked("a.pdf", PDF);
        assert_eq!((report.verdict, report.layers[0].formats[0].as_str()), (Verdict::Unfinished, "pdf"));
        assert_eq!(report.layers[0].coverage.unexplained, 0);
    }

    #[test]
    fn text_about_pdf_is_text() {
        assert_eq!(checked("a.txt", "A PDF starts with %PDF- and a version.\n").verdict, Verdict::JustData);
    }

    #[test]
    fn one_behind_an_archive_is_found() {
        let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x03\0\xfc\xffabc\xc2\x41\x24\x35\x03\0\0\0".to_vec();
        assert_eq!(rules_of(&checked("a.gz", [gzip.clone(), PDF.to_vec()].concat())), ["two-formats"]);
        // Farther than readers look for a header.
        assert_eq!(rules_of(&checked("a.gz", [gzip, vec![0; 2000], PDF.to_vec()].concat())), ["file-hidden"]);
    }
}
