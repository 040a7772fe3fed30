//! MetaImage: lines `key = value` that say what values follow, or in which files they are.
//!
//! Specification: <https://itk.org/Wiki/ITK/MetaIO/Documentation>.
//!
//! ```text
//! ObjectType = Image
//! NDims, DimSize, ElementType, … one a line
//! HeaderSize = n         the values start at byte n; -1: they are the last bytes
//! ElementDataFile = LOCAL | name | pattern min max step | LIST [dim], then one name a line      (the last line)
//! [ values: raw, or one zlib stream, or text ]
//! ```
//! A comment and the room before the values may hold anything; a name of a data file may lead anywhere. How many values
//! there are follows from the header, and what stands behind them belongs to nobody.

use std::{ops::Range, rc::Rc};

use crate::{
    active_text,
    bytes::Cursor,
    folder,
    format::{Buried, Candidate, Format, Holds, Nature, Role, Span, Visit},
    formats::gzip,
    quote::quoted_bytes,
    reference::{Reach, classify},
    rule::{Guideline, Rule, Runs, Severity},
    source::{Inflated, Paged, Source, Wrapping},
    stop::Stop,
};

/// MetaImage.
pub static FORMAT: Format = Format {
    id: "metaimage",
    name: "MetaImage volume",
    spec: "https://itk.org/Wiki/ITK/MetaIO/Documentation",
    extensions: &["mha", "mhd"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[&DATA_BESIDE, &DATA_ELSEWHERE, &DATA_LONGER],
};

/// A data file outside the folder.
static DATA_ELSEWHERE: Rule = Rule {
    id: "metaimage-data-elsewhere",
    title: "This header takes its values from somewhere else",
    why: "The header names a file outside its own folder, or on another computer. When the volume is opened in 3D \
          Slicer, or in another program that reads such headers through ITK or VTK, that file is read, whatever it \
          is, and shown as an image, or that computer is contacted.",
    advice: "Ask the sender for a volume with its values inside, or put header and values into one folder.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://itk.org/Wiki/ITK/MetaIO/Documentation#Tags_of_MetaImage"],
};

/// A data file in the folder.
static DATA_BESIDE: Rule = Rule {
    id: "metaimage-data-beside",
    title: "The values of this volume are in another file beside it",
    why: "This is a normal way to store a volume. Both files belong together.",
    advice: "Nothing to do. Check the other file too.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &["https://itk.org/Wiki/ITK/MetaIO/Documentation#Tags_of_MetaImage"],
};

/// More compressed values than the header says.
static DATA_LONGER: Rule = Rule {
    id: "metaimage-data-longer",
    title: "More is packed in this volume than the header says",
    why: "The compressed values are longer than the volume. Programs show only the beginning; the rest may be anything.",
    advice: "If the file matters, write it anew with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://itk.org/Wiki/ITK/MetaIO/Documentation"],
};

/// Keys that a header may start with.
const FIRST: &[&[u8]] = &[
    b"objecttype",
    b"objectsubtype",
    b"comment",
    b"transformtype",
    b"ndims",
    b"name",
    b"id",
    b"parentid",
    b"acquisitiondate",
];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(8 << 10)?;
    let first = head.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    if !FIRST.contains(&first.as_slice()) {
        return Ok(false);
    }
    let has = |key: &[u8]| memchr::memmem::find(&head, key).is_some();
    Ok((has(b"DimSize") && has(b"ElementType")) || (candidate.is_named(FORMAT.extensions) && has(b"NDims")))
}

/// The longest line of a header.
const LINE: usize = 64 << 10;

/// Lines of a header, names of data files included.
const LINES: usize = 1 << 17;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let header = Header::read(visit, &mut cursor)?;
    visit.structure(0..cursor.at(), "header")?;
    for room in &header.room {
        let start = room.start.saturating_add(label_of(&visit.bytes.peek(room.start, 256)?)).min(room.end);
        visit.slack(start..room.end, "comment")?;
        active_text::look_at_room(visit, start..room.end, "The comment")?;
    }
    if header.detached {
        header.name_files(visit);
        return Ok(());
    }
    let (behind, end) = (cursor.at(), visit.bytes.end());
    if !header.binary {
        return text(visit, behind);
    }
    let len = header.len().ok_or_else(|| Stop::malformed(0, "type and sizes of the values"))?;
    let start = match u64::try_from(header.size) {
        Ok(0) => behind,
        Ok(size) => size.max(behind).min(end),
        Err(_) => end.saturating_sub(header.packed_size.unwrap_or(len)).max(behind),
    };
    active_text::claim_blank(visit, behind..start, "room before the values")?;
    if header.packed {
        return packed(visit, start, len);
    }
    visit.opaque(start..start.saturating_add(len).min(end), "values")?;
    if start.saturating_add(len) > end {
        return Err(Stop::malformed(end, format!("{len} bytes of values")));
    }
    Ok(())
}

/// The length of `key = ` in front of a value.
fn label_of(line: &[u8]) -> u64 {
    let Some(equals) = memchr::memchr(b'=', line) else { return 0 };
    let value = line.get(equals.saturating_add(1)..).unwrap_or_default();
    line.len().saturating_sub(value.trim_ascii_start().len()) as u64
}

fn packed(visit: &mut Visit<'_>, start: u64, wanted: u64) -> Result<(), Stop> {
    let bytes = visit.bytes.from(start);
    // The library takes either wrapping.
    let (source, end, stop): (Rc<dyn Source>, u64, Option<Stop>) = if bytes.starts_with(start, b"\x1f\x8b")? {
        let content = gzip::content(&bytes, wanted)?;
        (content.source, content.end, content.stop)
    } else {
        let inflated = Inflated::measure(bytes, Wrapping::Zlib)?;
        let (end, stop) = (start.saturating_add(inflated.compressed_len()), inflated.stop().cloned());
        (Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 4)), end, stop)
    };
    let found = source.len();
    visit.open("values", Span::Decoded(start..end, source), Role::Opaque("values"))?;
    if let Some(stop) = stop {
        return Err(stop);
    }
    if found < wanted {
        return Err(Stop::malformed(end, format!("{wanted} bytes of values, not {found}")));
    }
    if found > wanted {
        let message = format!("The header asks for {wanted} bytes; {found} are packed.");
        visit.find(&DATA_LONGER, start..end, message)?;
    }
    Ok(())
}

/// Values in text; what follows the last one is nobody's.
fn text(visit: &mut Visit<'_>, start: u64) -> Result<(), Stop> {
    let number = |byte: &u8| {
        byte.is_ascii_digit() || byte.is_ascii_whitespace() || matches!(byte, b'+' | b'-' | b'.' | b',' | b'e' | b'E')
    };
    let mut at = start;
    let mut buffer = vec![0; 64 << 10];
    while at < visit.bytes.end() {
        let count = visit.bytes.copy(at, &mut buffer)?;
        let good = buffer.get(..count).unwrap_or_default().iter().take_while(|byte| number(byte)).count();
        visit.structure(at..at.saturating_add(good as u64), "values in text")?;
        if good < count {
            break;
        }
        at = at.saturating_add(count as u64);
    }
    Ok(())
}

struct Header {
    kind: String,
    sizes: Vec<u64>,
    channels: u64,
    size: i64,
    binary: bool,
    packed: bool,
    packed_size: Option<u64>,
    detached: bool,
    /// The data files, and where they are named.
    files: Vec<(Range<u64>, String)>,
    room: Vec<Range<u64>>,
}

impl Header {
    fn read(visit: &mut Visit<'_>, cursor: &mut Cursor) -> Result<Self, Stop> {
        let mut header = Header {
            kind: String::new(),
            sizes: Vec::new(),
            channels: 1,
            size: 0,
            binary: true,
            packed: false,
            packed_size: None,
            detached: false,
            files: Vec::new(),
            room: Vec::new(),
        };
        let mut listed = false;
        for _ in 0..LINES {
            let Some((range, line)) = cursor.line(LINE)? else {
                return if listed { Ok(header) } else { Err(Stop::malformed(cursor.at(), "ElementDataFile")) };
            };
            if listed {
                if !line.trim_ascii().is_empty() {
                    header.files.push((range.clone(), String::from_utf8_lossy(&line).trim().to_string()));
                    refer(visit, range, &line)?;
                }
                continue;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let Some(at) = memchr::memchr(b'=', &line) else {
                return Err(Stop::malformed(range.start, "key = value"));
            };
            let key = line.get(..at).unwrap_or_default().trim_ascii().to_ascii_lowercase();
            let value = line.get(at.saturating_add(1)..).unwrap_or_default().trim_ascii();
            if key == b"elementdatafile" {
                if value.eq_ignore_ascii_case(b"local") {
                    return Ok(header);
                }
                header.detached = true;
                let word = value.split(u8::is_ascii_whitespace).next().unwrap_or_default();
                if !word.eq_ignore_ascii_case(b"list") {
                    let names = folder::numbered(&String::from_utf8_lossy(value));
                    header.files = names.into_iter().map(|name| (range.clone(), name)).collect();
                    refer(visit, range, value)?;
                    return Ok(header);
                }
                listed = true;
                continue;
            }
            header.field(range, &key, value)?;
        }
        Err(Stop::malformed(cursor.at(), "the end of the header"))
    }

    fn field(&mut self, range: Range<u64>, key: &[u8], value: &[u8]) -> Result<(), Stop> {
        let text = String::from_utf8_lossy(value);
        let wrong = || Stop::malformed(range.start, "a number");
        let yes = matches!(value.first(), Some(b'T' | b't' | b'1' | b'Y' | b'y'));
        match key {
            b"elementtype" => self.kind = text.into_owned(),
            b"dimsize" => {
                let sizes: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
                self.sizes = sizes.map_err(|_| wrong())?;
            }
            b"elementnumberofchannels" => self.channels = text.parse().map_err(|_| wrong())?,
            b"headersize" => self.size = text.parse().map_err(|_| wrong())?,
            b"binarydata" => self.binary = yes,
            b"compresseddata" => self.packed = yes,
            b"compresseddatasize" => self.packed_size = text.parse().ok(),
            b"comment" | b"name" => self.room.push(range),
            _ => {}
        }
        Ok(())
    }

    /// Notes the data files with the bytes that each must hold: equal shares, behind a header of their own.
    fn name_files(&self, visit: &mut Visit<'_>) {
        let skip = u64::try_from(self.size).ok().filter(|_| self.binary);
        let share = self.len().and_then(|len| len.checked_div(self.files.len() as u64));
        // How long packed values are is for the stream to say.
        let values = share.zip(skip).filter(|_| !self.packed).map(|(share, skip)| share.saturating_add(skip));
        for (range, name) in &self.files {
            visit.name_file(range.clone(), name, Holds::Values(values));
        }
    }

    /// How many bytes the values are; `None` where the header does not say.
    fn len(&self) -> Option<u64> {
        let kind = self.kind.strip_suffix("_ARRAY").unwrap_or(&self.kind);
        let size = match kind {
            "MET_CHAR" | "MET_UCHAR" | "MET_ASCII_CHAR" | "MET_STRING" => 1,
            "MET_SHORT" | "MET_USHORT" => 2,
            "MET_INT" | "MET_UINT" | "MET_LONG" | "MET_ULONG" | "MET_FLOAT" => 4,
            "MET_LONG_LONG" | "MET_ULONG_LONG" | "MET_DOUBLE" => 8,
            _ => return None,
        };
        if self.sizes.is_empty() {
            return None;
        }
        self.sizes.iter().try_fold(self.channels.checked_mul(size)?, |len, size| len.checked_mul(*size))
    }
}

/// Reports where the name of a data file leads.
fn refer(visit: &mut Visit<'_>, range: Range<u64>, name: &[u8]) -> Result<(), Stop> {
    if name.trim_ascii().is_empty() {
        return Err(Stop::malformed(range.start, "the name of a data file"));
    }
    let text = String::from_utf8_lossy(name);
    let reference = classify(text.trim());
    let rule: &'static Rule = match reference.reach {
        Reach::SameFile | Reach::Sibling | Reach::Below => &DATA_BESIDE,
        _ => &DATA_ELSEWHERE,
    };
    visit.find(rule, range, format!("The name {}: {}.", reference.saying(), quoted_bytes(name)))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn meta(fields: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("ObjectType = Image\nNDims = 2\nDimSize = 3 2\nElementType = MET_SHORT\n{fields}\n");
        [header.as_bytes(), data].concat()
    }

    fn zlib(content: &[u8]) -> Vec<u8> {
        miniz_oxide::deflate::compress_to_vec_zlib(content, 6)
    }

    #[test]
    fn volumes_are_just_data() {
        for sample in [
            meta("ElementDataFile = LOCAL", &[9; 12]),
            meta("Comment = any words\nElementNumberOfChannels = 2\nElementDataFile=Local", &[9; 24]),
            meta("HeaderSize = -1\nElementDataFile = LOCAL", &[9; 12]),
            meta("HeaderSize = 150\nElementDataFile = LOCAL", &[&[0; 42][..], &[9; 12]].concat()),
            meta("CompressedData = True\nElementDataFile = LOCAL", &zlib(&[9; 12])),
            meta("BinaryData = False\nElementDataFile = LOCAL", b"1 2 3\n4 -5 6e1\n"),
            meta("ElementDataFile = volume.raw", b""),
            meta("HeaderSize = -1\nElementDataFile = sub/volume.zraw", b""),
            meta("ElementDataFile = slice%03d.raw 1 30 1", b""),
            meta("ElementDataFile = LIST\na.raw\nb.raw", b""),
        ] {
            let report = checked("a.mha", sample.clone());
            assert_eq!(report.verdict, Verdict::JustData, "{} {report:#?}", String::from_utf8_lossy(&sample));
            assert_eq!(report.layers[0].formats, ["metaimage"]);
        }
    }

    #[test]
    fn data_files_elsewhere_are_found() {
        for name in [
            "../x.raw",
            "/etc/hostname",
            "C:\\x.raw",
            "\\\\h\\s\\x.raw",
            "http://h/x.raw",
            "LIST\na.raw\n../b.raw",
            "../i%d.raw 1 2 1",
        ] {
            let sample = meta(&format!("ElementDataFile = {name}"), b"");
            assert_eq!(rules_of(&checked("a.mhd", sample)), ["metaimage-data-elsewhere"], "{name}");
        }
    }

    #[test]
    fn what_follows_the_values_is_news() {
        let raw = meta("ElementDataFile = LOCAL", b"\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09left over");
        assert_eq!(rules_of(&checked("a.mha", raw)), ["unexplained-bytes"]);
        let fields = "CompressedData = True\nElementDataFile = LOCAL";
        assert_eq!(rules_of(&checked("a.mha", meta(fields, &zlib(&[9; 13])))), ["metaimage-data-longer"]);
        let behind = [zlib(&[9; 12]), b"left over".to_vec()].concat();
        assert_eq!(rules_of(&checked("a.mha", meta(fields, &behind))), ["unexplained-bytes"]);
    }

    #[test]
    fn damage_is_unfinished_at_every_cut() {
        let sample = meta("CompressedData = True\nElementDataFile = LOCAL", &zlib(&[9; 12]));
        // A cut inside the last word of the header leaves the name of a data file.
        let word = sample.windows(5).position(|five| five == b"LOCAL").unwrap();
        for len in (40..word).chain(word + 6..sample.len()) {
            assert_ne!(checked("a.mha", &sample[..len]).verdict, Verdict::JustData, "{len}");
        }
        let huge = b"NDims = 3\nDimSize = 4294967295 4294967295 4294967295\nElementType = MET_DOUBLE\nElementDataFile = LOCAL\nx";
        assert_eq!(checked("a.mha", huge).verdict, Verdict::Unfinished);
    }

    #[test]
    fn met_01_the_data_file() {
        let at = |name: &str| meta(&format!("ElementDataFile = {name}"), b"");
        told("a.mhd", at("/etc/hostname"), "metaimage-data-elsewhere", at("volume.zraw"));
        told("b.mhd", at("LIST\na.raw\n../b.raw"), "metaimage-data-elsewhere", at("LIST\na.raw\nb.raw"));
    }

    #[test]
    fn met_02_the_comment_the_room_and_the_tail() {
        let gap = |bytes: &[u8]| meta("HeaderSize = 115\nElementDataFile = LOCAL", &[bytes, &[9; 12]].concat());
        told("a.mha", gap(b"hidden!"), "unexplained-bytes", gap(&[0; 7]));
        let noted = |text: &str| meta(&format!("Comment = {text}\nElementDataFile = LOCAL"), &[9; 12]);
        told("b.mha", noted("<script>f()</script>"), "active-markup-in-text", noted("made by hand"));
        let last = |bytes: &[u8]| meta("HeaderSize = -1\nElementDataFile = LOCAL", bytes);
        told("c.mha", last(b"hidden..............1"), "unexplained-bytes", last(&[9; 12]));
    }
}
