//! HL7 version 2 messages: segments of fields, one a line.
//!
//! Specification: HL7 v2.9 chapter 2; data types RP (reference pointer) and ED (encapsulated data), chapter 2A.
//!
//! ```text
//! MSH|^~\&|LAB|A|EHR|B|20260101||ORU^R01|1|P|2.5        the separators are what follows MSH
//! OBX|1|RP|11490-0^^LN||https://host/report.pdf^WEB^application^pdf
//! OBX|2|ED|…||LAB^application^pdf^Base64^JVBERi0…
//! ```
//! A segment ends with a carriage return; files have line feeds as well. A receiver that shows a reference pointer
//! fetches from it.

use std::ops::Range;

use crate::{
    follow::{Follower, open_base64},
    format::{Buried, Candidate, Format, Nature, Visit},
    rich_text,
    stop::Stop,
};

/// HL7 version 2.
pub static FORMAT: Format = Format {
    id: "hl7v2",
    name: "HL7 version 2 message",
    spec: "https://www.hl7.org/implement/standards/product_brief.cfm?product_id=185",
    extensions: &["hl7"],
    media_types: &["x-application/hl7-v2+er7"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// The separators of a message, from its first segment.
#[derive(Clone, Copy)]
struct Separators {
    field: u8,
    component: u8,
}

/// Segments that start a message, a batch or a file: the separators stand behind their name.
const STARTS: [&[u8]; 3] = [b"MSH", b"FHS", b"BHS"];

/// Marks of the lower layer protocol around a message: vertical tab in front, file separator behind.
const FRAME: [u8; 2] = [0x0b, 0x1c];

impl Separators {
    fn of(segment: &[u8]) -> Option<Self> {
        let (name, rest) = segment.split_at_checked(3)?;
        let field = *rest.first()?;
        let component = *rest.get(1)?;
        let end = rest.get(1..)?.iter().position(|byte| *byte == field)?;
        let marks = rest.get(1..=end)?;
        let printable = |byte: &u8| byte.is_ascii_punctuation();
        let different = marks.iter().enumerate().all(|(at, mark)| !marks.iter().take(at).any(|other| other == mark));
        let valid = STARTS.contains(&name) && printable(&field) && (3..=5).contains(&marks.len());
        (valid && marks.iter().all(printable) && different).then_some(Separators { field, component })
    }
}

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(64)?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    Ok(Separators::of(head.strip_prefix(&FRAME[..1]).unwrap_or(head)).is_some())
}

/// Bytes kept of a segment: its fields before encapsulated data are short.
const KEPT: usize = 64 << 10;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::of_addresses();
    let mut separators: Option<Separators> = None;
    let mut at = visit.bytes.start();
    if visit.bytes.starts_with(at, b"\xef\xbb\xbf")? {
        at = at.saturating_add(3);
    }
    visit.structure(0..at, "byte order mark")?;
    while at < visit.bytes.end() {
        let end = end_of_segment(visit, at)?;
        let kept = visit.bytes.window(at..end).peek(at, KEPT)?;
        let marks = kept.iter().take_while(|byte| FRAME.contains(byte) || byte.is_ascii_whitespace()).count();
        let start = at.saturating_add(marks as u64);
        let segment = kept.get(marks..).unwrap_or_default().trim_ascii_end();
        separators = Separators::of(segment).or(separators);
        let Some(separators) = separators else { return Err(Stop::malformed(start, "a message header segment")) };
        let named = segment.len() >= 3
            && segment.iter().take(3).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && segment.get(3).is_none_or(|byte| *byte == separators.field);
        let text = !segment.iter().any(|byte| *byte < 0x20 && *byte != b'\t' && !FRAME.contains(byte));
        if !(segment.is_empty() || named && text) {
            // What is no segment belongs to no message.
            return Ok(());
        }
        visit.structure(at..end, "segment")?;
        if segment.starts_with(b"OBX") {
            look_at_observation(visit, &mut follower, separators, segment, start..end)?;
        }
        at = end;
    }
    Ok(())
}

/// The place behind the end of the segment that starts at `at`, its line end included.
fn end_of_segment(visit: &Visit<'_>, at: u64) -> Result<u64, Stop> {
    let mut look = at;
    while look < visit.bytes.end() {
        let window = visit.bytes.peek(look, 64 << 10)?;
        if let Some(found) = memchr::memchr2(b'\r', b'\n', &window) {
            return Ok(look.saturating_add(found as u64).saturating_add(1));
        }
        look = look.saturating_add(window.len().max(1) as u64);
    }
    Ok(visit.bytes.end())
}

/// An observation: field 2 is the type of its value, field 5 the value.
fn look_at_observation(
    visit: &mut Visit<'_>,
    follower: &mut Follower,
    separators: Separators,
    segment: &[u8],
    range: Range<u64>,
) -> Result<(), Stop> {
    let parts = |bytes: &[u8], mark: u8| -> Vec<Range<usize>> {
        let mut from = 0usize;
        let mut parts = Vec::new();
        for at in memchr::memchr_iter(mark, bytes).chain([bytes.len()]) {
            parts.push(from..at);
            from = at.saturating_add(1);
        }
        parts
    };
    let segment = segment.trim_ascii_end();
    let fields = parts(segment, separators.field);
    let (Some(kind), Some(value)) = (fields.get(2), fields.get(5)) else { return Ok(()) };
    let kind = segment.get(kind.clone()).unwrap_or_default();
    let at = value.start;
    let value = segment.get(value.clone()).unwrap_or_default();
    let components = parts(value, separators.component);
    let text = |part: &Range<usize>| String::from_utf8_lossy(value.get(part.clone()).unwrap_or_default()).into_owned();
    let place = |part: &Range<usize>| {
        let start = range.start.saturating_add(at as u64);
        start.saturating_add(part.start as u64)..start.saturating_add(part.end as u64)
    };
    match (kind, components.as_slice()) {
        (b"RP", [pointer, ..]) => {
            follower.follow(visit, place(pointer), "A reference pointer", &text(pointer))?;
            Ok(())
        }
        (b"ED", [_, media, _, encoding, data, ..]) if text(encoding).eq_ignore_ascii_case("base64") => {
            let mut data = place(data);
            // Of a long segment only the start was looked at: the data go on to its end.
            if segment.len() >= KEPT.saturating_sub(64) {
                data.end = end_of_data(visit, data.start..range.end, separators)?;
            }
            open_base64(visit, data, format!("encapsulated data ({})", text(media)), "encapsulated data")
        }
        (b"FT" | b"TX" | b"ST", [..]) => {
            let whole = 0..value.len();
            rich_text::look(visit, follower, place(&whole), "An observation", &text(&whole))
        }
        _ => Ok(()),
    }
}

/// Where a component ends: at the next separator, or at the end of its segment.
fn end_of_data(visit: &Visit<'_>, range: Range<u64>, separators: Separators) -> Result<u64, Stop> {
    let mut at = range.start;
    while at < range.end {
        let window = visit.bytes.window(at..range.end).peek(at, 64 << 10)?;
        if let Some(found) = memchr::memchr3(separators.field, separators.component, b'\r', &window) {
            return Ok(at.saturating_add(found as u64));
        }
        at = at.saturating_add(window.len().max(1) as u64);
    }
    Ok(range.end)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn message(observation: &str) -> String {
        format!("MSH|^~\\&|LAB|A|EHR|B|20260101||ORU^R01|1|P|2.5\rPID|1||7^^^A||Doe^Jane\rOBX|1|{observation}\r")
    }

    #[test]
    fn messages_are_just_data() {
        for sample in [
            message("NM|718-7^Hb^LN||13.2|g/dL"),
            message("RP|1^x||report.pdf^WEB^application^pdf"),
            message("ED|1^x||LAB^text^plain^Base64^aGVsbG8="),
            message("FT|1^x||a < b \\.br\\ https://example.org"),
            message("NM|1||2").replace('\r', "\n"),
            format!("\u{b}{}\u{1c}\r", message("NM|1||2")),
        ] {
            let report = checked("a.hl7", sample.clone());
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{sample} {report:#?}");
            assert!(report.layers[0].formats.contains(&"hl7v2".into()));
        }
        let encoded = "QUJD".repeat(50_000);
        let report = checked("a.hl7", message(&format!("ED|1^x||LAB^text^plain^Base64^{encoded}||||||F")));
        assert_eq!((report.verdict, report.layers[1].len), (Verdict::JustData, 150_000));
    }

    #[test]
    fn pointers_and_texts_that_leave_are_found() {
        for (observation, rule) in [
            ("RP|1^x||https://example.org/report.pdf^WEB", "reference-to-server"),
            ("RP|1^x||\\\\host\\share\\x.pdf^WEB", "reference-to-server"),
            ("TX|1^x||<img src=http://192.0.2.1/x>", "rich-text-loads-from-server"),
        ] {
            assert_eq!(rules_of(&checked("a.hl7", message(observation))), [rule], "{observation}");
        }
    }

    #[test]
    fn what_is_no_segment_is_news() {
        let behind = format!("{}\x01\x02 something else", message("NM|1||2"));
        assert_eq!(rules_of(&checked("a.hl7", behind)), ["unexplained-bytes"]);
        assert!(!checked("x", "MSHAP is a word, and so is MSH.\n").layers[0].formats.contains(&"hl7v2".into()));
    }

    #[test]
    fn cut_anywhere() {
        let whole = message("ED|1^x||LAB^text^plain^Base64^aGVsbG8=");
        for len in 0..whole.len() {
            checked("a.hl7", &whole[..len]);
        }
    }
}
