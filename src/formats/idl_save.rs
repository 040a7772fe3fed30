//! IDL SAVE files: variables and compiled routines of the Interactive Data Language, one record each.
//!
//! Specification: C. B. Markwardt, The IDL SAVE file format, as `RESTORE` and the reader of SciPy take it.
//!
//! ```text
//! file     = "SR" 0 4 | record*              "SR" 0 6: each body is a zlib stream
//! record   = kind 4 | place of the next record: low 4, high 4 | unused 4 | body
//! body     = of a variable: name | type 4 | flags 4 | values      of a routine: name | compiled code
//! name     = length 4 | letters, filled up to a multiple of 4
//! ```
//! All numbers are big endian. `RESTORE` puts routines into the session under the names that the file gives them, in
//! place of those that were there. Where a file with a routine of its own name is opened by the runtime, that runs.

use std::{ops::Range, rc::Rc};

use nom::{IResult, Parser, number::complete::be_u32};

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    quote::quoted_bytes,
    rule::{Guideline, Rule, Runs, Severity},
    source::{Inflated, Paged, Wrapping},
    stop::Stop,
};

/// IDL SAVE.
pub static FORMAT: Format = Format {
    id: "idl-save",
    name: "IDL SAVE file",
    spec: "https://docs.scipy.org/doc/scipy/reference/generated/scipy.io.readsav.html",
    extensions: &["sav"],
    media_types: &[],
    marks: &[Mark::start(PLAIN), Mark::start(COMPRESSED)],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[&ROUTINE, &SYSTEM_VARIABLE],
};

/// Compiled code.
static ROUTINE: Rule = Rule {
    id: "idl-compiled-routine",
    title: "This file carries compiled program code",
    why: "It holds procedures or functions of the Interactive Data Language. Restoring the file puts them into the \
          session, in place of others of the same name; the runtime of the language starts them when it opens the file.",
    advice: "Read the variables with a program that skips routines, or ask the sender for a file without them.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://www.nv5geospatialsoftware.com/docs/SAVE.html"],
};

/// Settings of the session.
static SYSTEM_VARIABLE: Rule = Rule {
    id: "idl-system-variable",
    title: "This file changes settings of the session that restores it",
    why: "It holds system variables: among them are the folders in which programs are looked for.",
    advice: "Restore it only in a session of its own, or read the variables with another program.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &["https://www.nv5geospatialsoftware.com/docs/SAVE.html"],
};

const PLAIN: &[u8] = b"SR\0\x04";
const COMPRESSED: &[u8] = b"SR\0\x06";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(20)?;
    Ok(head.get(4..).is_some_and(|rest| record(rest).is_ok_and(|(_, record)| record.kind.is_known())))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let is_compressed = visit.bytes.starts_with(0, COMPRESSED)?;
    visit.structure(0..4, "signature")?;
    let mut cursor = visit.bytes.cursor();
    cursor.seek(4);
    loop {
        let at = cursor.at();
        let record = cursor.parse(16, "a record", record)?;
        visit.structure(at..cursor.at(), "record")?;
        match record.kind {
            Kind::End => return Ok(()),
            Kind::Unknown => return Err(Stop::malformed(at, "a kind of record")),
            _ => {}
        }
        let body = cursor.at()..record.next;
        if record.next < body.start || record.next > visit.bytes.end() {
            return Err(Stop::malformed(at.saturating_add(4), "the place of the next record"));
        }
        if is_compressed {
            inflated(visit, at, record.kind, body)?;
        } else {
            let body = visit.bytes.window(body);
            let name = name_of(record.kind, &body)?;
            tell(visit, at..record.next, record.kind, &name)?;
            let start = body.start().saturating_add(name.stored);
            visit.structure(body.start()..start, "name")?;
            match record.kind {
                Kind::Stamp => {
                    // 1024 bytes of no meaning, then the date, the user and the host.
                    let room = start.saturating_add(1024).min(body.end());
                    visit.slack(start..room, "room of a time stamp")?;
                    visit.structure(room..body.end(), "time stamp")?;
                }
                Kind::Text => visit.slack(start..body.end(), "text")?,
                Kind::Values | Kind::System => visit.opaque(start..body.end(), "values")?,
                Kind::Routine => visit.opaque(start..body.end(), "compiled code")?,
                Kind::Table | Kind::End | Kind::Unknown => visit.structure(start..body.end(), "record")?,
            }
        }
        cursor.seek(record.next);
    }
}

/// A body that is a zlib stream becomes a layer.
fn inflated(visit: &mut Visit<'_>, at: u64, kind: Kind, body: Range<u64>) -> Result<(), Stop> {
    if body.is_empty() {
        return Ok(());
    }
    let inflated = Inflated::measure(visit.bytes.window(body.clone()), Wrapping::Zlib)?;
    let end = body.start.saturating_add(inflated.compressed_len()).min(body.end);
    if let Some(stop) = inflated.stop() {
        visit.note(stop.clone());
    }
    let content: Rc<Paged> = Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 4));
    let name = name_of(kind, &Bytes::whole(content.clone(), visit.bytes.budget().clone()))?;
    tell(visit, at..body.end, kind, &name)?;
    let label = match name.letters.is_empty() {
        true => format!("record at {at:#x}"),
        false => String::from_utf8_lossy(&name.letters).into_owned(),
    };
    visit.open(label, Span::Decoded(body.start..end, content), Role::Opaque("values of a record"))
}

fn tell(visit: &mut Visit<'_>, range: Range<u64>, kind: Kind, name: &Name) -> Result<(), Stop> {
    match kind {
        Kind::Routine => visit.find(&ROUTINE, range, format!("The routine {}.", quoted_bytes(&name.letters))),
        Kind::System => visit.find(&SYSTEM_VARIABLE, range, format!("The variable {}.", quoted_bytes(&name.letters))),
        _ => Ok(()),
    }
}

/// The name at the start of a body.
#[derive(Default)]
struct Name {
    letters: Vec<u8>,
    /// Bytes that it takes.
    stored: u64,
}

/// The longest name that is believed.
const LONGEST: u32 = 1024;

fn name_of(kind: Kind, body: &Bytes) -> Result<Name, Stop> {
    if !matches!(kind, Kind::Values | Kind::System | Kind::Routine) {
        return Ok(Name::default());
    }
    let mut cursor = body.cursor();
    // Values of the heap begin with their number, which is no length: then there is no name.
    let len = cursor.u32_be("the length of a name").unwrap_or(0);
    let letters = cursor.peek(len.min(LONGEST) as usize)?.to_vec();
    let is_name = len > 0 && letters.len() == len as usize && letters.iter().all(u8::is_ascii_graphic);
    if !is_name {
        return Ok(Name::default());
    }
    Ok(Name { letters, stored: u64::from(len).next_multiple_of(4).saturating_add(4).min(body.len()) })
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Stamp,
    Text,
    Values,
    System,
    Routine,
    /// Names and numbers only.
    Table,
    End,
    Unknown,
}

impl Kind {
    fn is_known(self) -> bool {
        self != Kind::Unknown
    }
}

struct Record {
    kind: Kind,
    next: u64,
}

fn record(input: &[u8]) -> IResult<&[u8], Record> {
    let (rest, (kind, low, high, _)) = (be_u32, be_u32, be_u32, be_u32).parse(input)?;
    let kind = match kind {
        2 | 16 => Kind::Values,
        3 => Kind::System,
        6 => Kind::End,
        10 => Kind::Stamp,
        12 => Kind::Routine,
        // Start, common block, identification, version, heap, 64-bit places.
        0 | 1 | 13 | 14 | 15 | 17 => Kind::Table,
        // Notice, description.
        19 | 20 => Kind::Text,
        _ => Kind::Unknown,
    };
    Ok((rest, Record { kind, next: (u64::from(high) << 32) | u64::from(low) }))
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    /// A file of these records.
    fn save(is_compressed: bool, records: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = if is_compressed { b"SR\0\x06" } else { b"SR\0\x04" }.to_vec();
        for (kind, body) in records.iter().cloned().chain([(6, Vec::new())]) {
            let body = if is_compressed && kind != 6 { compress_to_vec_zlib(&body, 6) } else { body };
            let next = if kind == 6 { 0 } else { bytes.len() + 16 + body.len() };
            for number in [kind, next as u32, 0, 0] {
                bytes.extend(number.to_be_bytes());
            }
            bytes.extend(body);
        }
        bytes
    }

    fn named(name: &str, rest: &[u8]) -> Vec<u8> {
        let mut body = (name.len() as u32).to_be_bytes().to_vec();
        body.extend(name.as_bytes());
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(rest);
        body
    }

    fn records() -> Vec<(u32, Vec<u8>)> {
        let mut stamp = vec![0; 1024];
        stamp.extend(named("Mon Jan  1 00:00:00 2024", &named("user", &named("host", b""))));
        let version = [vec![0, 0, 0, 9], named("x86_64", &named("linux", &named("8.5", b"")))].concat();
        vec![
            (10, stamp),
            (14, version),
            (2, named("VOLUME", &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 9, 9, 9, 9])),
        ]
    }

    #[test]
    fn variables_are_just_data() {
        for is_compressed in [false, true] {
            let report = checked("a.sav", save(is_compressed, &records()));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
            assert_eq!(report.layers[0].formats, ["idl-save"]);
        }
        let note = save(false, &[(20, named("PRO hello & PRINT, 1 & END", b"")), (3, named("PATH", &[0, 0, 0, 7]))]);
        let report = checked("a.sav", note);
        assert_eq!((report.verdict, report.findings.len()), (Verdict::JustData, 1));
        assert_eq!(report.findings[0].rule, "idl-system-variable");
    }

    #[test]
    fn routines_are_found() {
        for is_compressed in [false, true] {
            let mut records = records();
            records.push((12, named("HELLO", &[0, 0, 0, 1, 2, 3, 4, 5])));
            let report = checked("a.sav", save(is_compressed, &records));
            assert_eq!(rules_of(&report), ["idl-compiled-routine"]);
            assert!(report.findings[0].message.contains("HELLO"));
        }
    }

    #[test]
    fn bytes_of_nobody_are_news() {
        let behind = [save(false, &records()), b"behind".to_vec()].concat();
        assert_eq!(rules_of(&checked("a.sav", behind)), ["unexplained-bytes"]);
        let mut packed = save(true, &[(2, named("A", &[1; 8]))]);
        let end = packed.len() - 16;
        packed.splice(end..end, *b"more");
        packed[11] += 4;
        assert_eq!(rules_of(&checked("a.sav", packed)), ["unexplained-bytes"]);
    }

    #[test]
    fn damage_is_unfinished() {
        let plain = save(false, &[(2, named("A", &[1; 8]))]);
        let (mut back, mut kind, mut stream) = (plain.clone(), plain.clone(), save(true, &[(2, named("A", &[1; 8]))]));
        back[11] = 4;
        let end = kind.len() - 13;
        kind[end] = 99;
        stream[22] ^= 0xff;
        for bytes in [back, kind, stream] {
            assert_eq!(checked("a.sav", bytes).verdict, Verdict::Unfinished);
        }
        for len in 5..plain.len() {
            assert_ne!(checked("a.sav", &plain[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
