//! NRRD: lines of text that say what values follow, or in which files they are.
//!
//! Specification: <https://teem.sourceforge.net/nrrd/format.html>.
//!
//! ```text
//! NRRD0001 … NRRD0006
//! # comment        field: description        key:=value        ( one a line )
//! data file: name | pattern min max step [dim] | LIST [dim], then one name a line
//! (empty line)
//! [ lines to skip ] [ bytes to skip ] values: raw, gzip, bzip2, hex, ascii
//! ```
//! Comments, keys and skipped bytes are room for anything; a name of a data file may lead anywhere. How many values there
//! are follows from the header, and what stands behind them belongs to nobody.

use std::{ops::Range, rc::Rc};

use crate::{
    active_text,
    bytes::{Bytes, Cursor},
    folder,
    format::{Buried, Candidate, Format, Holds, Mark, Nature, Role, Span, Visit},
    formats::gzip::{self, Content},
    quote::{quoted, quoted_bytes},
    reference::{Reach, classify},
    rule::{Guideline, Rule, Runs, Severity},
    source::{Packing, Unpacked},
    stop::Stop,
};

/// Nearly Raw Raster Data.
pub static FORMAT: Format = Format {
    id: "nrrd",
    name: "NRRD volume",
    spec: "https://teem.sourceforge.net/nrrd/format.html",
    extensions: &["nrrd", "nhdr"],
    media_types: &[],
    marks: &[Mark::start(b"NRRD00")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Data,
    within: None,
    rules: &[&DATA_BESIDE, &DATA_ELSEWHERE, &DATA_LONGER],
};

/// A data file outside the folder.
static DATA_ELSEWHERE: Rule = Rule {
    id: "nrrd-data-elsewhere",
    title: "This header takes its values from somewhere else",
    why: "The header names a file outside its own folder, or on another computer. When the volume is opened in 3D \
          Slicer, or in another program that reads such headers through ITK or Teem, that file is read, whatever it \
          is, and shown as an image, or that computer is contacted.",
    advice: "Ask the sender for a volume with its values inside, or put header and values into one folder.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://teem.sourceforge.net/nrrd/format.html#detached"],
};

/// A data file in the folder.
static DATA_BESIDE: Rule = Rule {
    id: "nrrd-data-beside",
    title: "The values of this volume are in another file beside it",
    why: "This is a detached header: a normal way to store a volume. Both files belong together.",
    advice: "Nothing to do. Check the other file too.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &["https://teem.sourceforge.net/nrrd/format.html#detached"],
};

/// More compressed values than the header says.
static DATA_LONGER: Rule = Rule {
    id: "nrrd-data-longer",
    title: "More is packed in this volume than the header says",
    why: "The compressed values are longer than the volume. Programs show only the beginning; the rest may be anything.",
    advice: "If the file matters, write it anew with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://teem.sourceforge.net/nrrd/format.html"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(10)?;
    // `NRRD00.01` came first.
    let numbered = matches!(head.get(6..8), Some([b'0', b'1'..=b'6']) | Some(b".0"));
    Ok(numbered && head.get(8..).is_some_and(|rest| rest.iter().any(|byte| matches!(byte, b'\n' | b'\r'))))
}

/// The longest line of a header.
const LINE: usize = 1 << 20;

/// Lines of a header.
const LINES: usize = 1 << 17;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let header = Header::read(visit, &mut cursor)?;
    visit.structure(0..cursor.at(), "header")?;
    for room in &header.room {
        visit.slack(room.clone(), "comment or key and value")?;
        active_text::look_at_room(visit, room.clone(), "A comment or value")?;
    }
    if header.detached {
        header.name_files(visit);
        return Ok(());
    }
    for _ in 0..header.line_skip {
        let Some((line, _)) = cursor.line(LINE)? else { return Err(Stop::malformed(cursor.at(), "a line to skip")) };
        visit.slack(line.clone(), "skipped line")?;
        active_text::look_at_room(visit, line, "A skipped line")?;
    }
    let values = cursor.at();
    let len = header.len().ok_or_else(|| Stop::malformed(0, "type and sizes of the values"))?;
    match header.encoding.as_str() {
        "raw" => raw(visit, values, &header, len),
        "gzip" | "gz" => packed(visit, values, &header, len, gzip::content),
        "bzip2" | "bz2" => packed(visit, values, &header, len, bzip2),
        "hex" => text(visit, values, |byte| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace()),
        "ascii" | "text" | "txt" => text(visit, values, |byte| {
            byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || matches!(byte, b'+' | b'-' | b'.' | b',')
        }),
        other => Err(Stop::unsupported(values, format!("values in the encoding {}", quoted(other)))),
    }
}

fn raw(visit: &mut Visit<'_>, values: u64, header: &Header, len: u64) -> Result<(), Stop> {
    let end = visit.bytes.end();
    // Minus one means: the values are the last bytes. Less than that leaves so many bytes behind them.
    let start = match u64::try_from(header.byte_skip) {
        Ok(skip) => values.saturating_add(skip),
        Err(_) => {
            let behind = header.byte_skip.unsigned_abs().saturating_sub(1);
            end.saturating_sub(len).saturating_sub(behind).max(values)
        }
    };
    active_text::claim_blank(visit, values..start.min(end), "skipped bytes")?;
    let stop = start.saturating_add(len);
    visit.opaque(start..stop.min(end), "values")?;
    if stop > end {
        return Err(Stop::malformed(end, format!("{len} bytes of values")));
    }
    if header.byte_skip < 0 {
        active_text::claim_blank(visit, stop..end, "skipped bytes")?;
    }
    Ok(())
}

fn packed(
    visit: &mut Visit<'_>,
    values: u64,
    header: &Header,
    len: u64,
    content: fn(&Bytes, u64) -> Result<Content, Stop>,
) -> Result<(), Stop> {
    // Bytes to skip are those of the decoded values.
    let skip = u64::try_from(header.byte_skip).unwrap_or(0);
    let wanted = len.saturating_add(skip);
    let content = content(&visit.bytes.from(values), wanted)?;
    let range = values..content.end;
    let found = content.source.len();
    visit.open("values", Span::Decoded(range.clone(), content.source), Role::Opaque("values"))?;
    if let Some(stop) = content.stop {
        return Err(stop);
    }
    if found < wanted {
        return Err(Stop::malformed(range.end, format!("{wanted} bytes of values, not {found}")));
    }
    if found > wanted && header.byte_skip >= 0 {
        let message = format!("The header asks for {wanted} bytes; {found} are packed.");
        visit.find(&DATA_LONGER, range, message)?;
    }
    Ok(())
}

/// What a bzip2 stream decodes to.
fn bzip2(bytes: &Bytes, _enough: u64) -> Result<Content, Stop> {
    let unpacked = Unpacked::measure(bytes.clone(), Packing::Bzip2)?;
    let end = bytes.start().saturating_add(unpacked.packed_len());
    Ok(Content { end, stop: unpacked.stop().cloned(), source: Rc::new(unpacked) })
}

fn text(visit: &mut Visit<'_>, values: u64, allowed: fn(u8) -> bool) -> Result<(), Stop> {
    let mut at = values;
    let mut buffer = vec![0; 64 << 10];
    while at < visit.bytes.end() {
        let count = visit.bytes.copy(at, &mut buffer)?;
        let good = buffer.get(..count).unwrap_or_default().iter().take_while(|byte| allowed(**byte)).count();
        let end = at.saturating_add(good as u64);
        visit.structure(at..end, "values in text")?;
        if good < count {
            // What follows the last value is nobody's.
            return Ok(());
        }
        at = end;
    }
    Ok(())
}

#[derive(Default)]
struct Header {
    kind: String,
    block: u64,
    sizes: Vec<u64>,
    encoding: String,
    byte_skip: i64,
    line_skip: u64,
    detached: bool,
    /// The data files of a detached header, and where they are named.
    files: Vec<(Range<u64>, String)>,
    room: Vec<Range<u64>>,
}

impl Header {
    /// Reads lines up to the empty one, and reports what data files they name.
    fn read(visit: &mut Visit<'_>, cursor: &mut Cursor) -> Result<Self, Stop> {
        let mut header = Header::default();
        let mut listed = false;
        for number in 0..LINES {
            let Some((range, line)) = cursor.line(LINE)? else {
                // A detached header needs no empty line.
                return if header.detached { Ok(header) } else { Err(Stop::malformed(cursor.at(), "an empty line")) };
            };
            if number == 0 {
                continue;
            }
            if line.is_empty() {
                return Ok(header);
            }
            if listed {
                header.files.push((range.clone(), String::from_utf8_lossy(&line).trim().to_string()));
                refer(visit, range, &line)?;
            } else if line.starts_with(b"#") {
                header.room.push(range.start.saturating_add(1)..range.end);
            } else if let Some((_, value)) = split(&line, b":=") {
                let skip = line.len().saturating_sub(value.len()) as u64;
                header.room.push(range.start.saturating_add(skip)..range.end);
                visit.count("key", 1);
            } else if let Some((field, value)) = split(&line, b": ").or_else(|| split(&line, b":")) {
                listed = header.field(visit, range, field, value)?;
                visit.count("field", 1);
            } else {
                return Err(Stop::malformed(range.start, "a field, a key or a comment"));
            }
        }
        Err(Stop::malformed(cursor.at(), "an empty line"))
    }

    /// One field. Whether the names of data files follow.
    fn field(&mut self, visit: &mut Visit<'_>, range: Range<u64>, field: &[u8], value: &[u8]) -> Result<bool, Stop> {
        let text = String::from_utf8_lossy(value).trim().to_string();
        let wrong = || Stop::malformed(range.start, "a number");
        match field.to_ascii_lowercase().as_slice() {
            b"type" => self.kind = text.to_ascii_lowercase(),
            b"block size" | b"blocksize" => self.block = text.parse().map_err(|_| wrong())?,
            b"encoding" => self.encoding = text.to_ascii_lowercase(),
            b"sizes" => {
                let sizes: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
                self.sizes = sizes.map_err(|_| wrong())?;
            }
            b"byte skip" | b"byteskip" => self.byte_skip = text.parse().map_err(|_| wrong())?,
            b"line skip" | b"lineskip" => self.line_skip = text.parse().map_err(|_| wrong())?,
            b"data file" | b"datafile" => {
                self.detached = true;
                if text == "LIST" || text.starts_with("LIST ") {
                    return Ok(true);
                }
                self.files = folder::numbered(&text).into_iter().map(|name| (range.clone(), name)).collect();
                refer(visit, range, value)?;
            }
            // Text that people write: what the axes and the content are called.
            b"content" | b"labels" | b"units" | b"sample units" | b"sampleunits" | b"space units" => {
                self.room.push(range)
            }
            _ => {}
        }
        Ok(false)
    }

    /// Notes the data files with the bytes that each must hold: equal shares, behind what is skipped.
    fn name_files(&self, visit: &mut Visit<'_>) {
        let raw = self.line_skip == 0 && matches!(self.encoding.as_str(), "raw" | "gzip" | "gz" | "bzip2" | "bz2");
        let skip = u64::try_from(self.byte_skip).ok().filter(|_| raw);
        let share = self.len().and_then(|len| len.checked_div(self.files.len() as u64));
        let values = share.zip(skip).map(|(share, skip)| share.saturating_add(skip));
        for (range, name) in &self.files {
            visit.name_file(range.clone(), name, Holds::Values(values));
        }
    }

    /// How many bytes the values are; `None` where the header does not say.
    fn len(&self) -> Option<u64> {
        let size = match self.kind.as_str() {
            "signed char" | "int8" | "int8_t" | "uchar" | "unsigned char" | "uint8" | "uint8_t" | "char" => 1,
            "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" | "ushort"
            | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" | "half" | "float16" => 2,
            "int" | "signed int" | "int32" | "int32_t" | "uint" | "unsigned int" | "uint32" | "uint32_t" | "float" => 4,
            "longlong"
            | "long long"
            | "long long int"
            | "signed long long"
            | "signed long long int"
            | "int64"
            | "int64_t"
            | "ulonglong"
            | "unsigned long long"
            | "unsigned long long int"
            | "uint64"
            | "uint64_t"
            | "double" => 8,
            "block" => self.block,
            _ => return None,
        };
        if self.sizes.is_empty() {
            return None;
        }
        self.sizes.iter().try_fold(size, |len: u64, size| len.checked_mul(*size))
    }
}

/// A line before and behind the first `mark`.
fn split<'a>(line: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(line, mark)?;
    Some((line.get(..at)?, line.get(at.saturating_add(mark.len())..)?))
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
    use std::io::Write;

    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn nrrd(fields: &str, data: &[u8]) -> Vec<u8> {
        let header =
            format!("NRRD0004\n# made by a test\ntype: short\ndimension: 2\nsizes: 3 2\nendian: little\n{fields}");
        [header.as_bytes(), data].concat()
    }

    fn bzip2(content: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
        bytes.extend(miniz_oxide::deflate::compress_to_vec(content, 6));
        bytes.extend(crate::checksum::CRC_32.checksum(content).to_le_bytes());
        bytes.extend((content.len() as u32).to_le_bytes());
        bytes
    }

    #[test]
    fn volumes_are_just_data() {
        for sample in [
            nrrd("encoding: raw\nkey:=any value: here\n\n", &[9; 12]),
            nrrd(
                "encoding: raw\nline skip: 1\nbyte skip: 2\n\n",
                b"a line\n\0\0\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09",
            ),
            nrrd("encoding: raw\nbyte skip: -1\n\n", &[&[0; 8][..], &[9; 12]].concat()),
            nrrd("encoding: gzip\n\n", &gzip(&[9; 12])),
            nrrd("encoding: gz\nbyte skip: 3\n\n", &[gzip(&[9; 10]), gzip(&[8; 5])].concat()),
            nrrd("encoding: ascii\n\n", b"1 2 3\n-4 5e3 nan\n"),
            nrrd("encoding: hex\r\n\r\n", b"00112233 44556677 8899aabb"),
            nrrd("encoding: raw\ndata file: volume.raw\n", b""),
            nrrd("encoding: raw\ndatafile: slices/i%03d.raw 1 30 1\n", b""),
            nrrd("encoding: raw\ndata file: LIST 2\na.raw\nb.raw\n", b""),
        ] {
            let report = checked("a.nrrd", sample.clone());
            assert_eq!(report.verdict, Verdict::JustData, "{} {report:#?}", String::from_utf8_lossy(&sample));
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
            for field in ["data file", "datafile", "Data File"] {
                let sample = nrrd(&format!("encoding: raw\n{field}: {name}\n"), b"");
                assert_eq!(rules_of(&checked("a.nhdr", sample)), ["nrrd-data-elsewhere"], "{name}");
            }
        }
    }

    #[test]
    fn what_follows_the_values_is_news() {
        let raw = nrrd("encoding: raw\n\n", b"\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09left over");
        assert_eq!(rules_of(&checked("a.nrrd", raw)), ["unexplained-bytes"]);
        let second = nrrd("encoding: gzip\n\n", &[gzip(&[9; 12]), gzip(b"second")].concat());
        assert_eq!(checked("a.nrrd", second).verdict, Verdict::Caution);
        assert_eq!(rules_of(&checked("a.nrrd", nrrd("encoding: gzip\n\n", &gzip(&[9; 13])))), ["nrrd-data-longer"]);
        assert_eq!(rules_of(&checked("a.nrrd", nrrd("encoding: ascii\n\n", b"1 2 3 \x01\x02"))), ["unexplained-bytes"]);
    }

    #[test]
    fn values_in_bzip2_are_read() {
        let sample = nrrd("encoding: bzip2\n\n", &bzip2(&[9; 12]));
        let report = checked("a.nrrd", sample.clone());
        assert_eq!((report.verdict, report.layers[1].len), (Verdict::JustData, 12));
        assert_eq!(rules_of(&checked("a.nrrd", nrrd("encoding: bz2\n\n", &bzip2(&[9; 13])))), ["nrrd-data-longer"]);
        let behind = [sample.clone(), b"left over".to_vec()].concat();
        assert_eq!(rules_of(&checked("a.nrrd", behind)), ["unexplained-bytes"]);
        let cut = &sample[..sample.len() - 8];
        assert_eq!(checked("a.nrrd", cut).verdict, Verdict::Unfinished);
    }

    #[test]
    fn damage_is_unfinished_at_every_cut() {
        let header = nrrd("encoding: gzip\n\n", b"").len();
        let sample = nrrd("encoding: gzip\n\n", &gzip(&[9; 12]));
        for len in 10..sample.len() {
            assert_ne!(checked("a.nrrd", &sample[..len]).verdict, Verdict::JustData, "{len}");
        }
        assert!(header > 10);
        let huge = b"NRRD0004\ntype: double\nsizes: 4294967295 4294967295 4294967295\nencoding: raw\n\nx".to_vec();
        assert_eq!(checked("a.nrrd", huge).verdict, Verdict::Unfinished);
    }

    #[test]
    fn nrrd_01_the_data_file() {
        let at = |name: &str| nrrd(&format!("encoding: raw\ndata file: {name}\n"), b"");
        told("a.nhdr", at("../../../etc/x.raw"), "nrrd-data-elsewhere", at("volume.raw"));
        told("b.nhdr", at("LIST\na.raw\n/etc/x"), "nrrd-data-elsewhere", at("LIST\na.raw\nb.raw"));
        told("c.nhdr", at("../x%02d.raw 1 2 1"), "nrrd-data-elsewhere", at("x%02d.raw 1 2 1"));
    }

    #[test]
    fn nrrd_02_texts_and_skipped_bytes() {
        let noted = |line: &str| nrrd(&format!("encoding: raw\n{line}\n\n"), &[9; 12]);
        told("a.nrrd", noted("key:=<script>f()</script>"), "active-markup-in-text", noted("Segment0_ID:=a < b"));
        told(
            "b.nrrd",
            noted("# import os; os.system('x')"),
            "program-text-in-value",
            noted("# see https://example.org"),
        );
        let skipped = |bytes: &[u8]| nrrd("encoding: raw\nbyte skip: 6\n\n", &[bytes, &[9; 12]].concat());
        told("c.nrrd", skipped(b"hidden"), "unexplained-bytes", skipped(&[0; 6]));
    }

    #[test]
    fn nrrd_03_behind_the_values() {
        let packed =
            |content: &[u8], behind: &[u8]| nrrd("encoding: gzip\n\n", &[gzip(content), behind.to_vec()].concat());
        told("a.nrrd", packed(&[9; 12], b"hidden"), "unexplained-bytes", packed(&[9; 12], b""));
        told("b.nrrd", packed(&[9; 20], b""), "nrrd-data-longer", packed(&[9; 12], b""));
    }
}
