//! PDF: objects that refer to each other, a table of where they are, and a trailer that names the first of them.
//!
//! Specification: ISO 32000-2; ISO 32000-1 for what was in use before.
//!
//! ```text
//! [at most 1024 bytes of anything]                     a habit that many viewers follow
//! "%PDF-" digit "." digit
//! number generation "obj" value [ stream ] "endobj"    objects; some streams hold further objects
//! "xref" rows "trailer" << /Root … /Prev … >>          or a stream that says the same
//! "startxref" place "%%EOF"                            the last one counts; each save may add all of the above
//! ```
//! The whole file is read in its order, and then along its references from the trailer on, because programs do one or
//! the other where a file is damaged. What only one of the two ways finds is told as well.
//!
//! | module | what |
//! | --- | --- |
//! | `object` | numbers, names, strings, arrays, dictionaries |
//! | `table` | cross-reference tables and streams |
//! | `body` | every object in the order of the file |
//! | `document` | which object a reference means; object streams |
//! | `stream` | filters |
//! | `crypt` | the keys of documents that open without a password |
//! | `walk` | actions, and when they act |
//! | `parts` | what is opened of the streams |
//! | `rules` | what is said |

mod body;
mod crypt;
mod document;
mod object;
mod parts;
mod rules;
mod stream;
mod table;
mod walk;

use memchr::memmem;

use self::{document::Document, table::Table};
use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Origin, Visit},
    formats::{tar, zip},
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
    rules: &[
        &rules::CONTACT_ON_OPEN,
        &rules::CONTENT_ELSEWHERE,
        &rules::FILE_ATTACHED,
        &rules::FONT_MATRIX,
        &rules::FORM_SENT,
        &rules::MEDIA_PLAYER,
        &rules::PROGRAM_ON_OPEN,
        &rules::PROGRAM_ON_USE,
        &rules::SCRIPT_ON_EVENT,
        &rules::SCRIPT_ON_OPEN,
        &rules::SCRIPT_ON_USE,
        &rules::SCRIPT_UNUSED,
    ],
};

const HEADER: &[u8] = b"%PDF-";

/// Of form data (12.7.8), which is written like a document.
const FORM_DATA: &[u8] = b"%FDF-";

/// How far viewers look for the header, in bytes.
const REACH: usize = 1024;

/// How far behind the header its first object must stand, in bytes: comments and blanks may be between.
const FIRST_OBJECT: usize = 4096;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let start = candidate.bytes.start();
    // A header at the start says it; one behind other bytes must have an object behind it. Some viewers open a file
    // without a header that starts with an object.
    Ok(match header_at(candidate.bytes)? {
        Some(at) if at == start => true,
        Some(at) => has_object(candidate.bytes, at)?,
        None => starts_with_object(candidate.bytes)?,
    })
}

fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let start = candidate.bytes.start();
    Ok(header_at(candidate.bytes)? == Some(start) && has_object(candidate.bytes, start)?)
}

/// Whether the document at `at` is a part that the format in front of it declares: then its layer is read as one, and
/// these bytes are not two files at once. Archives may be read after this format, so that they are asked.
fn is_declared_by_another(visit: &mut Visit<'_>, at: u64) -> Result<bool, Stop> {
    let opened = visit.openings().iter().any(|opening| opening.holds(at));
    // The members of a tar archive start with its blocks.
    let in_tar = visit.is_also(&tar::FORMAT) && at.is_multiple_of(tar::BLOCK);
    Ok(opened || in_tar || (visit.is_also(&zip::FORMAT) && zip::holds(visit.bytes, at)?))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let header = header_at(visit.bytes)?;
    if let Some(at) = header.filter(|at| *at > 0)
        && is_declared_by_another(visit, at)?
    {
        visit.withdraw();
        return Ok(());
    }
    let at = header.unwrap_or(visit.bytes.start());
    let body_at = header.map_or(at, |at| at.saturating_add(HEADER.len() as u64));
    match header {
        Some(_) => visit.structure(at..body_at, "header")?,
        None => visit.note(Stop::malformed(at, "a PDF header")),
    }
    // A document inside other bytes ends with its last end mark.
    let whole = matches!(visit.origin, Origin::Root | Origin::Member);
    let marked = end_of_file(visit.bytes, body_at)?;
    if marked.is_none() {
        visit.note(Stop::malformed(visit.bytes.end(), "the end mark of a document"));
    }
    let end = marked.filter(|_| !whole).unwrap_or(visit.bytes.end());
    let bytes = visit.bytes.window(0..end);
    let table = match bytes.starts_with(at, FORM_DATA)? {
        // Form data has no use for cross-references.
        true => None,
        false => table(visit, &bytes, at)?,
    };
    for range in table.iter().flat_map(|table| &table.tables) {
        visit.structure(range.clone(), "objects")?;
    }
    // The version belongs to the header, whatever it is.
    let line = bytes.peek(body_at, 8)?;
    let version = line.iter().take_while(|byte| header.is_some() && object::is_regular(**byte)).count();
    let version_end = body_at.saturating_add(version as u64);
    visit.structure(body_at..version_end, "header")?;
    let mut body = body::read(visit, &bytes.from(version_end), table.as_ref())?;
    let document = Document::new(visit, bytes, table, &mut body)?;
    let parts = walk::walk(visit, &document)?;
    parts::open(visit, &document, &parts)?;
    if !whole {
        return Ok(());
    }
    if is_comment(&visit.bytes.window(0..at).all()?) {
        visit.slack(0..at, "in front of the header")?;
    } else {
        body.junk.push(0..at);
    }
    // Where nothing stopped the reader, the books tell it.
    if !visit.stops.is_empty() {
        for junk in body.junk {
            visit.unexplained(junk)?;
        }
    }
    Ok(())
}

/// The cross-references, with places that count from the header as many programs do, or from the start of the file.
fn table(visit: &mut Visit<'_>, bytes: &Bytes, header: u64) -> Result<Option<Table>, Stop> {
    let mut damage = None;
    for base in if header == 0 { [Some(0), None] } else { [Some(header), Some(0)] }.into_iter().flatten() {
        match Table::read(bytes, base) {
            Ok(table) => return Ok(Some(table)),
            Err(stop) if stop.ends_check() => return Err(stop),
            Err(stop) => damage = damage.or(Some(stop)),
        }
    }
    visit.note(damage.unwrap_or(Stop::malformed(header, "cross-references")));
    Ok(None)
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
    let place = memmem::find_iter(&head, b"DF-").filter_map(|place| place.checked_sub(2)).find(|place| {
        let text = head.get(*place..).unwrap_or_default();
        let version = text.strip_prefix(HEADER).or_else(|| text.strip_prefix(FORM_DATA)).unwrap_or_default();
        // Viewers do not mind a version that is cut short.
        matches!(version, [b'0'..=b'9', b'.', ..])
    });
    Ok(place.map(|place| bytes.start().saturating_add(place as u64)))
}

/// Whether an object, or the trailer of a file without any, stands behind the header.
fn has_object(bytes: &Bytes, at: u64) -> Result<bool, Stop> {
    let head = bytes.peek(at, FIRST_OBJECT)?;
    let trailer = memmem::find_iter(&head, b"trailer").any(|place| {
        let behind = head.get(place.saturating_add(7)..).unwrap_or_default();
        object::skip_space(behind).starts_with(b"<<")
    });
    if trailer {
        return Ok(true);
    }
    for place in memmem::find_iter(&head, b"obj") {
        // Other bytes may stand right in front of the number of the object.
        if body::head_before(bytes, at, at.saturating_add(place as u64))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a whole object is the first thing in the file.
fn starts_with_object(bytes: &Bytes) -> Result<bool, Stop> {
    let head = bytes.peek(bytes.start(), FIRST_OBJECT)?;
    let Ok((rest, _)) = object::head(object::skip_space(&head)) else { return Ok(false) };
    let parsed = object::parse(rest);
    Ok(parsed.is_ok_and(|parsed| {
        let behind = object::skip_space(rest.get(parsed.len..).unwrap_or_default());
        parsed.object.dictionary().is_some() && (behind.starts_with(b"endobj") || behind.starts_with(b"stream"))
    }))
}

/// The place behind the last end mark and its line end.
fn end_of_file(bytes: &Bytes, from: u64) -> Result<Option<u64>, Stop> {
    let Some(mark) = table::last(bytes, from, b"%%EOF")? else { return Ok(None) };
    let behind = mark.saturating_add(5);
    let line_end = bytes.peek(behind, 2)?.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    Ok(Some(behind.saturating_add(line_end as u64)))
}

#[cfg(test)]
mod tests;
