//! DICOM: a preamble for anyone, the meta information of the file, and a data set of tagged elements.
//!
//! Specification: PS3.10 (the file), PS3.5 (the data set), PS3.6 (tags and transfer syntaxes).
//!
//! ```text
//! preamble 128 | "DICM" | File Meta Information: elements of group 0002, explicit VR little endian
//! data set: elements in the encoding that (0002,0010) Transfer Syntax UID names, perhaps deflated
//! element: tag | [VR] | length | value; the value may be a sequence of items that are data sets
//! … (7FE0,0010) Pixel Data, native or in fragments | (FFFC,FFFC) Data Set Trailing Padding
//! ```
//! Older files and those of other programs have no preamble and no meta information (ACR-NEMA): the data set starts at
//! once. The preamble decides what an operating system takes the file for; what stands behind the last pixel, the last
//! element or the end of a compressed frame is seen by no viewer; some elements are addresses.

mod element;
mod frames;
mod pixels;
mod preamble;
mod rules;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
mod walk;

use std::rc::Rc;

use self::{
    element::{Encoding, HEADER, Header},
    frames::Coding,
    walk::{ELEMENT, Syntax, Walk},
};
use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    quote::quoted_bytes,
    source::{Inflated, Paged, Source, Wrapping},
    stop::Stop,
};

/// DICOM.
pub static FORMAT: Format = Format {
    id: "dicom",
    name: "DICOM",
    spec: "https://dicom.nema.org/medical/dicom/current/output/html/part10.html#chapter_7",
    extensions: &["dcm", "dicom", "dic", "ima", "acr"],
    media_types: &["application/dicom"],
    marks: &[
        Mark::at(128, PREFIX),
        Mark::start(PREFIX),
        // Group 0002 or 0008, in either byte order.
        Mark::start(&[0x02, 0x00]),
        Mark::start(&[0x08, 0x00]),
        Mark::start(&[0x00, 0x02]),
        Mark::start(&[0x00, 0x08]),
    ],
    confirm,
    read,
    // The marks of bare data sets are two bytes.
    buried: Buried::AnywhereMarked(&[Mark::at(128, PREFIX)], confirm_buried),
    nature: Nature::Data,
    within: None,
    rules: rules::RULES,
};

const PREFIX: &[u8] = b"DICM";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let bytes = candidate.bytes;
    let start = bytes.start();
    if bytes.starts_with(start.saturating_add(preamble::PREAMBLE), PREFIX)? {
        return Ok(true);
    }
    let at = if bytes.starts_with(start, PREFIX)? { start.saturating_add(4) } else { start };
    Ok(element::guess(bytes, at, 3)?.is_some())
}

/// In the middle of other bytes the meta information must be there, too.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let at = candidate.bytes.start().saturating_add(preamble::PREAMBLE).saturating_add(4);
    Ok(candidate.bytes.starts_with(at, &[2, 0])? && element::guess(candidate.bytes, at, 3)?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let bytes = visit.bytes.clone();
    let mut at = 0;
    if bytes.starts_with(preamble::PREAMBLE, PREFIX)? {
        preamble::read(visit)?;
        at = preamble::PREAMBLE.saturating_add(4);
        visit.structure(preamble::PREAMBLE..at, "prefix DICM")?;
    } else if bytes.starts_with(0, PREFIX)? {
        at = 4;
        visit.structure(0..at, "prefix DICM")?;
    }
    let meta = Meta::read(visit, at)?;
    at = meta.end;

    let says = encoding_of(&meta.transfer_syntax);
    let found = element::guess(&bytes, at, 3)?;
    if is_deflated(&meta.transfer_syntax) && found.is_none() {
        return read_deflated(visit, at);
    }
    let encoding = match (says, found) {
        (Some(says), Some(found)) if says != found => {
            let message = format!(
                "The transfer syntax {} does not fit the elements behind it.",
                quoted_bytes(&meta.transfer_syntax)
            );
            visit.find(&rules::DICOM_ENCODING_DIFFERS, at..at.saturating_add(8), message)?;
            found
        }
        (Some(says), _) => says,
        (None, Some(found)) => found,
        (None, None) => Encoding::EXPLICIT,
    };
    if let Some(claimed) = meta.claimed_end
        && claimed != meta.end
    {
        let place = meta.length_at..meta.length_at.saturating_add(12);
        if encoding == Encoding::EXPLICIT {
            // The meta information is written in the same way: wherever a reader takes the border, it sees the same elements.
            visit.note(Stop::malformed(claimed, "the end of the File Meta Information, as (0002,0000) says"));
        } else {
            let message = format!("It says that the data set starts at {claimed:#x}; it starts at {:#x}.", meta.end);
            visit.find(&rules::DICOM_META_LENGTH_LIES, place, message)?;
        }
    }
    let name = String::from_utf8_lossy(&meta.transfer_syntax).into_owned();
    let syntax = Syntax {
        coding: Coding::of(&name),
        deflated_frames: meta.transfer_syntax == b"1.2.840.10008.1.2.8.1",
        jpip: is_jpip(&meta.transfer_syntax),
    };
    Walk::new(visit, syntax).run(at, encoding)
}

/// The data set behind the meta information is one deflate stream (PS3.5 section A.5).
fn read_deflated(visit: &mut Visit<'_>, at: u64) -> Result<(), Stop> {
    let inflated = Inflated::measure(visit.bytes.from(at), Wrapping::Bare)?;
    let end = at.saturating_add(inflated.compressed_len());
    let stop = inflated.stop().cloned();
    let gzip_trailer = [inflated.crc32().to_le_bytes(), ((inflated.len() & 0xffff_ffff) as u32).to_le_bytes()].concat();
    let content: Rc<dyn Source> = Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 4));
    visit.open("data set", Span::Decoded(at..end, content), Role::File)?;
    let rest = visit.bytes.from(end);
    let trailer = rest.peek(end, 8)?;
    if rest.len() == 1 {
        // One byte makes the length even.
        visit.slack(rest.range(), "padding")?;
    } else if trailer == gzip_trailer {
        // Some writers leave the trailer of a gzip member behind the stream.
        visit.structure(end..end.saturating_add(8), "CRC-32 and length")?;
    }
    stop.map_or(Ok(()), Err)
}

/// The File Meta Information (PS3.10 section 7.1).
struct Meta {
    transfer_syntax: Vec<u8>,
    /// Where the data set starts.
    end: u64,
    /// Where it starts according to (0002,0000).
    claimed_end: Option<u64>,
    /// Where that stands.
    length_at: u64,
}

impl Meta {
    /// Reads the elements of group 0002 from `start` on; there may be none.
    fn read(visit: &mut Visit<'_>, start: u64) -> Result<Meta, Stop> {
        let bytes = visit.bytes.clone();
        let mut meta = Meta { transfer_syntax: Vec::new(), end: start, claimed_end: None, length_at: start };
        let mut encoding = Encoding::EXPLICIT;
        loop {
            let at = meta.end;
            let head = bytes.peek(at, HEADER)?;
            if head.get(..2) != Some(&[2, 0]) && head.get(..2) != Some(&[0, 2]) {
                return Ok(meta);
            }
            if at == start && element::guess(&bytes, at, 2)?.is_some_and(|found| found != encoding) {
                // Some writers take the encoding of the data set for this group too.
                encoding = element::guess(&bytes, at, 2)?.unwrap_or(encoding);
            }
            let parsed = Header::parse(&head, at, encoding);
            let Ok(header) = parsed else { return Err(Stop::malformed(at, "an element of group 0002")) };
            if header.tag.group() != 0x0002 {
                return Ok(meta);
            }
            let end = header.end().filter(|end| *end <= bytes.end());
            let Some(end) = end else { return Err(Stop::malformed(header.value, "a value of group 0002")) };
            visit.structure(header.range(), ELEMENT)?;
            visit.count("element of the meta information", 1);
            meta.value(visit, header, end, encoding)?;
            meta.end = end;
        }
    }

    fn value(&mut self, visit: &mut Visit<'_>, header: Header, end: u64, encoding: Encoding) -> Result<(), Stop> {
        let range = header.value..end;
        let value = visit.bytes.window(range.clone()).peek(range.start, 256)?;
        match header.tag.element() {
            0x0000 => {
                self.claimed_end = encoding.u32(&value).map(|len| end.saturating_add(u64::from(len)));
                self.length_at = header.start;
            }
            0x0010 => {
                let text = value.trim_ascii_end();
                self.transfer_syntax = text.strip_suffix(b"\0").unwrap_or(text).trim_ascii_end().to_vec();
            }
            // Private Information: whatever its creator likes.
            0x0102 => return Walk::new(visit, Syntax::default()).blob(header.tag, range),
            _ => {}
        }
        let is_text = walk::is_plain_text(&value, value.len() as u64 == header.len.unwrap_or_default());
        let short = range.end.saturating_sub(range.start) <= 256;
        if short && (is_text || value.len() <= 8) {
            visit.structure(range, ELEMENT)
        } else {
            visit.slack(range, "meta information")
        }
    }
}

/// The encoding that a transfer syntax names; `None` where there is none. All but the listed are explicit VR little
/// endian (PS3.5 annex A).
fn encoding_of(transfer_syntax: &[u8]) -> Option<Encoding> {
    match transfer_syntax {
        b"" => None,
        // The last two: private to GE, with pixels of the other byte order; Papyrus 3.
        b"1.2.840.10008.1.2" | b"1.2.840.113619.5.2" | b"1.2.840.10008.1.20" => Some(Encoding::IMPLICIT),
        b"1.2.840.10008.1.2.2" => Some(Encoding::EXPLICIT_BIG),
        _ => Some(Encoding::EXPLICIT),
    }
}

/// Deflated Explicit VR Little Endian, and the JPIP ones with a deflated data set.
fn is_deflated(transfer_syntax: &[u8]) -> bool {
    matches!(transfer_syntax, b"1.2.840.10008.1.2.1.99" | b"1.2.840.10008.1.2.4.95" | b"1.2.840.10008.1.2.4.205")
}

fn is_jpip(transfer_syntax: &[u8]) -> bool {
    matches!(
        transfer_syntax,
        b"1.2.840.10008.1.2.4.94" | b"1.2.840.10008.1.2.4.95" | b"1.2.840.10008.1.2.4.204" | b"1.2.840.10008.1.2.4.205"
    )
}
