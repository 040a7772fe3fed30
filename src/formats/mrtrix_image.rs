//! MRtrix images: a header of text lines, and voxels behind it or in a file that it names.
//!
//! Specification: the MRtrix3 documentation, "MRtrix image formats".
//!
//! ```text
//! .mif  "mrtrix image" | key: value lines | "file: . offset" | "END" | … | voxels at the offset
//! .mih  "mrtrix image" | key: value lines | "file: name [offset]"+ | [ "END" ]
//! ```
//! A `file:` other than `.` makes the program read that file.

use std::ops::Range;

use crate::{
    active_text,
    bytes::Cursor,
    format::{Buried, Candidate, Format, Holds, Mark, Nature, Visit},
    numbers,
    quote::quoted,
    reference::classify,
    rules,
    stop::Stop,
};

/// MRtrix image.
pub static FORMAT: Format = Format {
    id: "mrtrix-image",
    name: "MRtrix image",
    spec: "https://mrtrix.readthedocs.io/en/latest/getting_started/image_data.html",
    extensions: &["mif", "mih"],
    media_types: &[],
    marks: &[Mark::start(MAGIC)],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

const MAGIC: &[u8] = b"mrtrix image";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    starts_with_line(candidate, MAGIC)
}

/// Whether the first line is `magic`.
pub(super) fn starts_with_line(candidate: &Candidate<'_>, magic: &[u8]) -> Result<bool, Stop> {
    let head = candidate.head(magic.len().saturating_add(1))?;
    Ok(head.strip_prefix(magic).is_some_and(|rest| matches!(rest.first(), Some(b'\n' | b'\r'))))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let header = Header::read(visit, &mut cursor, MAGIC)?;
    let len = voxels_len(&header);
    for file in &header.files {
        if file.name == "." {
            let start = file.place(&header, visit)?;
            let len = len.clone()?;
            let end = start.checked_add(len).ok_or(Stop::malformed(file.line.start, "voxels that fit into a file"))?;
            visit.opaque(start..end, "voxels")?;
            if end > visit.bytes.end() {
                return Err(Stop::malformed(visit.bytes.end(), format!("voxels up to {end:#x}")));
            }
            continue;
        }
        // Several files hold equal shares, each behind what its line says.
        let share = len.as_ref().ok().and_then(|len| len.checked_div(header.files.len() as u64));
        let values = share.zip(file.offset).map(|(share, offset)| share.saturating_add(offset));
        visit.name_file(file.line.clone(), &file.name, Holds::Values(values));
        let reference = classify(&file.name);
        if let Some(rule) = rules::of_reference(&reference) {
            let message = format!("The voxels are said to be in {}, which {}.", quoted(&file.name), reference.saying());
            visit.find(rule, file.line.clone(), message)?;
        }
    }
    if header.files.is_empty() {
        return Err(Stop::malformed(cursor.at(), "a line that says where the voxels are"));
    }
    len.map(|_| ())
}

/// Bytes of the voxels by `dim` and `datatype`.
fn voxels_len(header: &Header) -> Result<u64, Stop> {
    let damaged = Stop::malformed(0, "dimensions and a datatype with a size that fits");
    let bits = header.value("datatype").and_then(bits_of).ok_or(damaged.clone())?;
    let mut total = bits;
    let mut any = false;
    for size in header.value("dim").unwrap_or_default().split([',', ' ']).filter(|size| !size.is_empty()) {
        let size = numbers::count(size.as_bytes()).filter(|size| *size > 0).ok_or(damaged.clone())?;
        total = total.checked_mul(size).ok_or(damaged.clone())?;
        any = true;
    }
    if any { Ok(total.div_ceil(8)) } else { Err(damaged) }
}

fn bits_of(datatype: &str) -> Option<u64> {
    let name = datatype.to_ascii_lowercase();
    let name = name.strip_suffix("le").or(name.strip_suffix("be")).unwrap_or(&name);
    match name {
        "bit" => Some(1),
        "int8" | "uint8" => Some(8),
        "int16" | "uint16" | "float16" => Some(16),
        "int32" | "uint32" | "float32" | "cfloat16" => Some(32),
        "int64" | "uint64" | "float64" | "cfloat32" => Some(64),
        "cfloat64" => Some(128),
        _ => None,
    }
}

/// The lines of an MRtrix header.
pub(super) struct Header {
    /// Keys in lower case, and values.
    lines: Vec<(String, String)>,
    /// The `file:` lines.
    pub files: Vec<File>,
    /// The place behind `END`, or behind the last line.
    pub end: u64,
    /// Whether `END` was there.
    pub ended: bool,
}

/// A `file:` line.
pub(super) struct File {
    /// The name; `.` is the file itself.
    pub name: String,
    /// The place of the first value, where it is said.
    pub offset: Option<u64>,
    /// The line.
    pub line: Range<u64>,
}

impl File {
    /// The place of the first value in this file.
    pub fn place(&self, header: &Header, visit: &Visit<'_>) -> Result<u64, Stop> {
        if !header.ended {
            return Err(Stop::malformed(header.end, "the line END"));
        }
        let damaged = Stop::malformed(self.line.start, "an offset behind the header and inside the file");
        self.offset.filter(|offset| (header.end..=visit.bytes.end()).contains(offset)).ok_or(damaged)
    }
}

/// The longest header line: command histories and gradient tables are long.
const LONGEST: usize = 1 << 20;

/// Lines that are kept; gradient tables have one a volume.
const LINES: usize = 1 << 20;

impl Header {
    /// Reads and claims the lines up to `END` or to the end of the file.
    pub fn read(visit: &mut Visit<'_>, cursor: &mut Cursor, magic: &[u8]) -> Result<Self, Stop> {
        let mut header = Header { lines: Vec::new(), files: Vec::new(), end: 0, ended: false };
        let (line, _) = cursor.line(magic.len().saturating_add(2))?.ok_or(Stop::malformed(0, "a first line"))?;
        visit.structure(line, "header")?;
        while let Some((range, line)) = cursor.line(LONGEST)? {
            header.end = range.end;
            let text = std::str::from_utf8(&line).ok().filter(|text| !text.contains('\0'));
            let text = text.ok_or(Stop::malformed(range.start, "a line of text, or END"))?;
            if text.trim() == "END" {
                visit.structure(range, "header")?;
                header.ended = true;
                return Ok(header);
            }
            let Some((key, value)) = text.split_once(':').filter(|(key, _)| !key.starts_with('#')) else {
                visit.slack(range, "comment")?;
                continue;
            };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().to_string());
            if header.lines.len() >= LINES {
                return Err(Stop::malformed(range.start, "fewer lines"));
            }
            match key.as_str() {
                "file" if value.is_empty() => return Err(Stop::malformed(range.start, "the name of a file, or a dot")),
                "file" => {
                    visit.structure(range.clone(), "header")?;
                    let (name, offset) = match value.rsplit_once([' ', '\t']) {
                        Some((name, offset)) if numbers::count(offset.as_bytes()).is_some() => {
                            (name.trim().to_string(), numbers::count(offset.as_bytes()))
                        }
                        _ => (value, Some(0)),
                    };
                    header.files.push(File { name, offset, line: range });
                }
                "dim" | "vox" | "layout" | "datatype" | "transform" | "scaling" | "count" => {
                    visit.structure(range, "header")?;
                    header.lines.push((key, value));
                }
                _ => {
                    visit.slack(range.clone(), "header text")?;
                    active_text::look(visit, range, &format!("The text of {key}"), value.as_bytes())?;
                }
            }
        }
        Ok(header)
    }

    /// The value of the first line with this key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.lines.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    const HEAD: &str = "mrtrix image\ndim: 2,3,1\nvox: 1,1,1\nlayout: +0,+1,+2\ndatatype: UInt16LE\n\
                        command_history: mrconvert ../a.nii a.mif  (version=3.0.4)\n";

    fn sample() -> Vec<u8> {
        let mut bytes = format!("{HEAD}file: . 160\nEND\n").into_bytes();
        bytes.resize(160, 0);
        bytes.extend([7; 12]);
        bytes
    }

    #[test]
    fn images_are_just_data() {
        let detached = format!("{HEAD}file: a.dat 0\n").into_bytes();
        let bit = String::from_utf8_lossy(&sample()[..150]).replace("UInt16LE", "Bit");
        let mut bit = bit.into_bytes();
        bit.resize(160, 0);
        bit.push(0x3f);
        for (name, bytes) in [("a.mif", sample()), ("a.mih", detached), ("b.mif", bit)] {
            let report = checked(name, bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["mrtrix-image"]);
        }
    }

    #[test]
    fn voxels_outside_the_folder_are_found() {
        for (name, rule) in [
            ("../../secret.dat", "reference-leaves-folder"),
            ("/etc/hostname", "reference-by-whole-path"),
            ("\\\\host\\share\\x.dat", "reference-to-server"),
        ] {
            let report = checked("a.mih", format!("{HEAD}file: {name} 0\nEND\n"));
            assert_eq!(rules_of(&report), [rule]);
        }
    }

    #[test]
    fn what_follows_the_voxels_or_stands_before_them_is_news() {
        let behind = [sample(), b"echo hello".to_vec()].concat();
        assert_eq!(rules_of(&checked("a.mif", behind)), ["unexplained-bytes"]);
        let mut gap = sample();
        gap[155..160].copy_from_slice(b"notes");
        assert_eq!(rules_of(&checked("a.mif", gap)), ["unexplained-bytes"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample();
        for len in 13..whole.len() {
            assert_ne!(checked("a.mif", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
        for (from, to) in [("2,3,1", "2,x,1"), ("2,3,1", "9999999999,9999999999,9"), ("UInt16LE", "Word"), ("160", "9")]
        {
            let damaged = String::from_utf8_lossy(&sample()).replace(from, to);
            assert_eq!(checked("a.mif", damaged).verdict, Verdict::Unfinished);
        }
    }

    #[test]
    fn mif_01_voxels_elsewhere_and_the_gap() {
        let at = |name: &str| format!("{HEAD}file: {name} 0\nEND\n");
        told("a.mih", at("/etc/hostname"), "reference-by-whole-path", at("a.dat"));
        let mut gap = sample();
        gap[155..160].copy_from_slice(b"notes");
        told("b.mif", gap, "unexplained-bytes", sample());
        let noted = |text: &str| {
            let mut bytes = format!("{}comments: {text}\nfile: . 160\nEND\n", &HEAD[..71]).into_bytes();
            bytes.resize(160, 0);
            bytes.extend([7; 12]);
            bytes
        };
        told("c.mif", noted("<script>f()</script>"), "active-markup-in-text", noted("a < b, made by hand"));
    }
}
