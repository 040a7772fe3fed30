//! gzip: deflate streams one behind the other, each with a header and a checksum.
//!
//! Specification: RFC 1952.
//!
//! ```text
//! member = 1F 8B | method 08 | flags | mtime 4 | xfl | os
//!          [ FEXTRA: len 2, bytes ] [ FNAME: text 0 ] [ FCOMMENT: text 0 ] [ FHCRC: 2 ]
//!          deflate blocks | crc32 4 | isize 4
//! file   = member+
//! ```
//! A reader that stops at the first member, and one that goes on, see different content; header fields are room
//! for anything; what follows the last member belongs to nobody.

use std::rc::Rc;

use nom::{
    IResult, Parser,
    bytes::complete::{tag, take},
    combinator::verify,
    number::complete::{le_u32, u8},
};

use crate::{
    active_text,
    bytes::{Bytes, Cursor},
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    quote::quoted_bytes,
    rule::{Guideline, Rule, Runs, Severity},
    source::{Inflated, Paged, Source, Stitched, Wrapping},
    stop::Stop,
    stored_names,
};

/// gzip.
pub static FORMAT: Format = Format {
    id: "gzip",
    name: "gzip",
    spec: "https://www.rfc-editor.org/rfc/rfc1952",
    extensions: &["gz", "tgz", "svgz", "mgz"],
    media_types: &["application/gzip"],
    marks: &[Mark::start(b"\x1f\x8b\x08")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm_buried),
    nature: Nature::Container,
    within: None,
    rules: &[&NAME_LEAVES_FOLDER],
};

/// A member's name with a path in it.
static NAME_LEAVES_FOLDER: Rule = Rule {
    id: "gzip-name-leaves-folder",
    title: "The name stored in this archive points to another folder",
    why: "Programs that restore the stored name would write outside the folder in which the file is unpacked.",
    advice: "Unpack it under a name of your own.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://www.rfc-editor.org/rfc/rfc1952#page-7"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(4)?;
    Ok(head.get(3).is_some_and(|flags| flags & RESERVED == 0))
}

/// In the middle of other bytes three are too few: the stream behind the header must decode to its end, with its length.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    if !confirm(candidate)? {
        return Ok(false);
    }
    let mut cursor = candidate.bytes.cursor();
    let member = Member::read(&mut cursor)?;
    Ok(member.inflated.stop().is_none() && member.size_fits)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let mut contents: Vec<Bytes> = Vec::new();
    let mut name = Vec::new();
    let mut deflated = 0..0;
    let mut broken = None;
    while cursor.peek(2)? == b"\x1f\x8b" {
        let start = cursor.at();
        let member = Member::read(&mut cursor)?;
        let header = member.header;
        visit.structure(start..header.end, "member header")?;
        header.claim(visit)?;
        if let Some(why) = stored_names::leaves_folder(&header.name) {
            let message = format!("The stored name is {}: {why}.", quoted_bytes(&header.name));
            visit.find(&NAME_LEAVES_FOLDER, start..header.end, message)?;
        }
        let end = header.end.saturating_add(member.inflated.compressed_len());
        if contents.is_empty() {
            name = header.name;
            deflated = header.end..end;
        } else {
            visit.claim(header.end..end, crate::ledger::Kind::Nested, "nested file, encoded")?;
        }
        broken = member.inflated.stop().cloned();
        let content: Rc<dyn Source> = Rc::new(member.inflated);
        contents.push(Bytes::whole(Rc::new(Paged::new(content, 64 << 10, 4)), visit.bytes.budget().clone()));
        if broken.is_some() {
            break;
        }
        visit.structure(end..cursor.at(), "CRC-32 and length")?;
    }
    let name = if name.is_empty() { stem(visit.name) } else { String::from_utf8_lossy(&name).into_owned() };
    let content: Rc<dyn Source> = match contents.as_slice() {
        [only] => only.rebased(),
        _ => Rc::new(Stitched::new(contents)),
    };
    visit.open(name, Span::Decoded(deflated, content), Role::File)?;
    broken.map_or(Ok(()), Err)
}

/// The name of the content where the header has none: the file's without its ending.
fn stem(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let stem = name.rsplit(['/', '\\']).next().unwrap_or(name);
    if lower.ends_with(".tgz") {
        return format!("{}.tar", stem.get(..stem.len().saturating_sub(4)).unwrap_or(stem));
    }
    match stem.rfind('.') {
        Some(dot) if lower.ends_with(".gz") => stem.get(..dot).unwrap_or(stem).to_string(),
        _ => "content".to_string(),
    }
}

/// What gzip members decode to, for formats that carry their values so.
pub(crate) struct Content {
    /// The values.
    pub source: Rc<dyn Source>,
    /// The place behind the last member that was read.
    pub end: u64,
    /// Why the last member ended early, if it did.
    pub stop: Option<Stop>,
}

/// Reads members from the start of `bytes` until they give `enough` bytes or no further member stands there.
///
/// # Errors
/// [`Stop::Malformed`] where the first member has no header; else those of the source and the budget.
pub(crate) fn content(bytes: &Bytes, enough: u64) -> Result<Content, Stop> {
    let mut cursor = bytes.cursor();
    let mut contents: Vec<Bytes> = Vec::new();
    let mut len = 0u64;
    loop {
        let member = Member::read(&mut cursor)?;
        let stop = member.inflated.stop().cloned();
        len = len.saturating_add(member.inflated.len());
        let source: Rc<dyn Source> = Rc::new(member.inflated);
        contents.push(Bytes::whole(Rc::new(Paged::new(source, 64 << 10, 4)), bytes.budget().clone()));
        if stop.is_some() || len >= enough || cursor.peek(2)? != b"\x1f\x8b" {
            return Ok(Content { source: Rc::new(Stitched::new(contents)), end: cursor.at(), stop });
        }
    }
}

struct Member {
    header: Header,
    inflated: Inflated,
    size_fits: bool,
}

impl Member {
    /// Reads a member and goes on behind it, or behind what could be read of it.
    fn read(cursor: &mut Cursor) -> Result<Self, Stop> {
        let header = Header::read(cursor)?;
        let inflated = Inflated::measure(cursor.bytes().from(header.end), Wrapping::Bare)?;
        cursor.seek(header.end.saturating_add(inflated.compressed_len()));
        let mut size_fits = false;
        if inflated.stop().is_none() {
            let (_crc, size) = cursor.parse(8, "CRC-32 and length of a gzip member", trailer)?;
            size_fits = u64::from(size) == inflated.len() & 0xffff_ffff;
        }
        Ok(Member { header, inflated, size_fits })
    }
}

fn trailer(input: &[u8]) -> IResult<&[u8], (u32, u32)> {
    (le_u32, le_u32).parse(input)
}

struct Header {
    end: u64,
    name: Vec<u8>,
    /// Fields that may hold anything.
    room: Vec<(std::ops::Range<u64>, &'static str)>,
}

/// Bits of the flags, RFC 1952 section 2.3.1.
const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;
const RESERVED: u8 = 0b1110_0000;

/// The longest name or comment that is read.
const TEXT: usize = 64 << 10;

impl Header {
    fn read(cursor: &mut Cursor) -> Result<Self, Stop> {
        let flags = cursor.parse(10, "a gzip member header", fixed)?;
        let mut header = Header { end: 0, name: Vec::new(), room: Vec::new() };
        if flags & FEXTRA != 0 {
            let len = cursor.u16_le("the length of the extra field")?;
            let extra = cursor.take(u64::from(len), "the extra field")?;
            header.room.push((extra.range(), "extra field"));
        }
        if flags & FNAME != 0 {
            let start = cursor.at();
            header.name = text(cursor, "the end of the stored name")?;
            header.room.push((start..cursor.at(), "stored name"));
        }
        if flags & FCOMMENT != 0 {
            let start = cursor.at();
            text(cursor, "the end of the comment")?;
            header.room.push((start..cursor.at(), "comment"));
        }
        if flags & FHCRC != 0 {
            cursor.u16_le("the header's CRC-16")?;
        }
        header.end = cursor.at();
        Ok(header)
    }

    /// Claims the fields that may hold anything, and looks at the comment.
    fn claim(&self, visit: &mut Visit<'_>) -> Result<(), Stop> {
        for (range, what) in &self.room {
            match *what {
                "extra field" => claim_extra(visit, range.clone())?,
                "comment" => {
                    visit.slack(range.clone(), what)?;
                    active_text::look_at_room(visit, range.clone(), "The comment")?;
                }
                _ => visit.slack(range.clone(), what)?,
            }
        }
        Ok(())
    }
}

/// Subfields: two letters, a length, and so many bytes, which each are a room of their own.
fn claim_extra(visit: &mut Visit<'_>, range: std::ops::Range<u64>) -> Result<(), Stop> {
    let extra = visit.bytes.window(range.clone()).all()?;
    let (mut at, mut rest) = (range.start, extra.as_slice());
    while let [_, _, low, high, behind @ ..] = rest
        && let Some(behind) = behind.get(usize::from(u16::from_le_bytes([*low, *high]))..)
    {
        let data = at.saturating_add(4);
        at = range.end.saturating_sub(behind.len() as u64);
        visit.structure(data.saturating_sub(4)..data, "subfield of the extra field")?;
        visit.slack(data..at, "extra field")?;
        active_text::look_at_room(visit, data..at, "The extra field")?;
        rest = behind;
    }
    visit.slack(at..range.end, "extra field")
}

/// The ten fixed bytes: gives the flags.
fn fixed(input: &[u8]) -> IResult<&[u8], u8> {
    let (input, _) = tag(&b"\x1f\x8b\x08"[..])(input)?;
    let (input, flags) = verify(u8, |flags| flags & RESERVED == 0).parse(input)?;
    let (input, _mtime_xfl_os) = take(6usize)(input)?;
    Ok((input, flags))
}

/// Text up to and over its zero byte, without it.
fn text(cursor: &mut Cursor, expected: &'static str) -> Result<Vec<u8>, Stop> {
    let at = cursor.at();
    let window = cursor.peek(TEXT)?;
    let end = memchr::memchr(0, window).ok_or(Stop::malformed(at, expected))?;
    let text = window.get(..end).unwrap_or_default().to_vec();
    cursor.seek(at.saturating_add(end as u64).saturating_add(1));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;

    use super::*;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn member(content: &[u8], name: Option<&str>) -> Vec<u8> {
        let mut bytes = b"\x1f\x8b\x08".to_vec();
        bytes.push(if name.is_some() { FNAME } else { 0 });
        bytes.extend([0, 0, 0, 0, 0, 255]);
        if let Some(name) = name {
            bytes.extend(name.as_bytes());
            bytes.push(0);
        }
        bytes.extend(compress_to_vec(content, 6));
        bytes.extend([0; 4]);
        bytes.extend((content.len() as u32).to_le_bytes());
        bytes
    }

    #[test]
    fn members_are_read_as_one_content() {
        let bytes = [member(b"hello, ", None), member(b"world\n", None)].concat();
        let report = checked("greeting.txt.gz", bytes);
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        assert_eq!((report.layers[1].name.as_str(), report.layers[1].len), ("greeting.txt", 13));
        assert_eq!(report.layers[1].formats, ["text"]);
    }

    #[test]
    fn what_follows_the_last_member_is_news() {
        let report = checked("a.gz", [member(b"text\n", None), b"left over".to_vec()].concat());
        assert_eq!(rules_of(&report), ["unexplained-bytes"]);
        let zeros = checked("a.gz", [member(b"text\n", None), vec![0; 512]].concat());
        assert_eq!(zeros.verdict, Verdict::JustData);
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_found() {
        assert_eq!(rules_of(&checked("a.gz", member(b"x\n", Some("../../.bashrc")))), ["gzip-name-leaves-folder"]);
        assert_eq!(checked("a.gz", member(b"x\n", Some("notes.txt"))).verdict, Verdict::JustData);
    }

    #[test]
    fn a_broken_stream_is_unfinished() {
        let mut bytes = member(&b"hello world, hello world\n".repeat(100), None);
        bytes.truncate(bytes.len() - 20);
        assert_eq!(checked("a.gz", bytes).verdict, Verdict::Unfinished);
    }

    /// A member with these fields besides: flag, bytes.
    fn with(flag: u8, field: &[u8]) -> Vec<u8> {
        let mut bytes = member(b"text\n", None);
        bytes[3] |= flag;
        bytes.splice(10..10, field.iter().copied());
        bytes
    }

    #[test]
    fn nii_05_fields_of_the_header() {
        told(
            "a.gz",
            with(FCOMMENT, b"<script>f()</script>\0"),
            "active-markup-in-text",
            with(FCOMMENT, b"a comment\0"),
        );
        told(
            "b.gz",
            with(FEXTRA, b"\x12\0ab\x0e\0#!/bin/sh\nid\n\n"),
            "script-hidden",
            with(FEXTRA, b"\x06\0BC\x02\0\x1b\0"),
        );
        told("c.gz", member(b"x\n", Some("C:\\a.nii")), "gzip-name-leaves-folder", member(b"x\n", Some("a.nii")));
    }
}
