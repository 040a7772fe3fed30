//! VTK legacy files: four lines of header, and sections whose sizes stand in their first lines.
//!
//! Specification: "VTK File Formats", simple legacy formats; versions 1 to 5.1. Binary values are big-endian.
//!
//! ```text
//! "# vtk DataFile Version x.x" | title, at most 256 bytes | ASCII or BINARY | "DATASET" kind | section*
//! section = keyword and sizes, one line | values, as text or binary | [ METADATA … empty line ]
//! ```
//! The title is free. What follows the last section is passed over by every viewer.

use crate::{
    active_text,
    bytes::Cursor,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    numbers::{self, count},
    stop::Stop,
};

/// VTK legacy.
pub static FORMAT: Format = Format {
    id: "vtk",
    name: "VTK legacy",
    spec: "https://docs.vtk.org/en/latest/vtk_file_formats/vtk_legacy_file_format.html",
    extensions: &["vtk"],
    media_types: &[],
    marks: &[Mark::start(b"# vtk DataFile Version")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(256)?;
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(version_of(line).is_some())
}

/// The major version in the first line.
fn version_of(line: &[u8]) -> Option<u64> {
    let version = line.strip_prefix(b"# vtk DataFile Version")?.trim_ascii();
    let major = version.split(|byte| *byte == b'.').next()?;
    numbers::is_number(version).then(|| count(major)).flatten()
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let (first, line) = cursor.line(256)?.ok_or(Stop::malformed(0, "a first line"))?;
    let version = version_of(&line).ok_or(Stop::malformed(0, "a version"))?;
    visit.structure(first, "header")?;
    let (title, _) = cursor.line(TITLE)?.ok_or(Stop::malformed(cursor.at(), "a title"))?;
    visit.slack(title.clone(), "title")?;
    active_text::look_at_room(visit, title, "The title")?;
    let mut walk = Walk { visit, cursor, binary: false, offsets: version >= 5, tuples: 0 };
    let form = walk.line()?.ok_or(Stop::malformed(walk.cursor.at(), "ASCII or BINARY"))?;
    walk.binary = match form.word(0).as_str() {
        "ASCII" => false,
        "BINARY" => true,
        _ => return Err(Stop::malformed(form.at, "ASCII or BINARY")),
    };
    let mut any = false;
    while walk.read_section()? {
        any = true;
    }
    if any { Ok(()) } else { Err(Stop::malformed(walk.cursor.at(), "a section of a known kind")) }
}

/// The longest title.
const TITLE: usize = 256;

/// The longest line that begins a section, or holds metadata.
const LONGEST: usize = 16 << 10;

struct Walk<'v, 'a> {
    visit: &'v mut Visit<'a>,
    cursor: Cursor,
    binary: bool,
    /// Cells are written as offsets and connectivity.
    offsets: bool,
    /// How many points or cells the attributes are for.
    tuples: u64,
}

/// A line that is not empty.
struct Line {
    at: u64,
    words: Vec<Vec<u8>>,
}

impl Line {
    /// A word in upper case; empty where there is none.
    fn word(&self, index: usize) -> String {
        self.words.get(index).map_or_else(String::new, |word| String::from_utf8_lossy(word).to_ascii_uppercase())
    }

    fn count(&self, index: usize) -> Result<u64, Stop> {
        let number = self.words.get(index).and_then(|word| count(word));
        number.ok_or(Stop::malformed(self.at, "a number that is not negative in this line"))
    }

    /// A product of sizes.
    fn times(&self, a: u64, b: u64) -> Result<u64, Stop> {
        a.checked_mul(b).ok_or(Stop::malformed(self.at, "sizes with a product that fits"))
    }
}

impl Walk<'_, '_> {
    /// Reads a section. False at the end, and where no section begins.
    fn read_section(&mut self) -> Result<bool, Stop> {
        let Some(line) = self.peek_line()? else { return Ok(false) };
        let keyword = line.word(0);
        let kind = |index: usize| line.word(index);
        // What begins no section stays where it is and belongs to nothing.
        if !KEYWORDS.contains(&keyword.as_str()) {
            let is_keyword = keyword.len() > 3 && keyword.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            let lower = line.words.first().is_some_and(|word| word.iter().any(u8::is_ascii_lowercase));
            if is_keyword && !lower {
                return Err(Stop::unsupported(line.at, format!("the section {keyword}")));
            }
            return Ok(false);
        }
        self.line()?;
        match keyword.as_str() {
            "DATASET" => {
                if matches!(kind(1).as_str(), "DIRECTED_GRAPH" | "UNDIRECTED_GRAPH" | "TREE" | "MOLECULE" | "SELECTION")
                    || line.words.len() != 2
                {
                    return Err(Stop::unsupported(line.at, format!("the kind of data set {}", kind(1))));
                }
            }
            "DIMENSIONS" | "ORIGIN" | "SPACING" | "ASPECT_RATIO" | "EXTENT" => {
                if !line.words.iter().skip(1).all(|word| numbers::is_number(word)) {
                    return Err(Stop::malformed(line.at, "numbers in this line"));
                }
            }
            "CELL_DATA" | "POINT_DATA" | "ROW_DATA" | "VERTEX_DATA" | "EDGE_DATA" => self.tuples = line.count(1)?,
            "POINTS" => self.read_values(&line, line.times(line.count(1)?, 3)?, &kind(2))?,
            "X_COORDINATES" | "Y_COORDINATES" | "Z_COORDINATES" => {
                self.read_values(&line, line.count(1)?, &kind(2))?;
            }
            "VERTICES" | "LINES" | "POLYGONS" | "TRIANGLE_STRIPS" | "CELLS" => self.read_cells(&line)?,
            "CELL_TYPES" => self.read_values(&line, line.count(1)?, "INT")?,
            "SCALARS" => {
                let each = if line.words.len() > 3 { line.count(3)? } else { 1 };
                if self.peek_line()?.is_some_and(|next| next.word(0) == "LOOKUP_TABLE" && next.words.len() == 2) {
                    self.line()?;
                }
                self.read_values(&line, line.times(self.tuples, each)?, &kind(2))?;
            }
            "LOOKUP_TABLE" => self.read_values(&line, line.times(line.count(2)?, 4)?, "UNSIGNED_CHAR")?,
            "COLOR_SCALARS" => {
                self.read_values(&line, line.times(self.tuples, line.count(2)?)?, "UNSIGNED_CHAR")?;
            }
            "VECTORS" | "NORMALS" => self.read_values(&line, line.times(self.tuples, 3)?, &kind(2))?,
            "TENSORS" => self.read_values(&line, line.times(self.tuples, 9)?, &kind(2))?,
            "TENSORS6" => self.read_values(&line, line.times(self.tuples, 6)?, &kind(2))?,
            "TEXTURE_COORDINATES" => {
                self.read_values(&line, line.times(self.tuples, line.count(2)?)?, &kind(3))?;
            }
            "GLOBAL_IDS" | "PEDIGREE_IDS" | "EDGE_FLAGS" => self.read_values(&line, self.tuples, &kind(2))?,
            "FIELD" => {
                for _ in 0..line.count(2)? {
                    let array = self.line()?.ok_or(Stop::malformed(self.cursor.at(), "an array of a field"))?;
                    if array.word(0) == "NULL_ARRAY" {
                        continue;
                    }
                    let values = array.times(array.count(1)?, array.count(2)?)?;
                    self.read_values(&array, values, &array.word(3))?;
                    self.read_metadata()?;
                }
            }
            "METADATA" => self.read_metadata_lines()?,
            _ => return Ok(false),
        }
        self.read_metadata()?;
        Ok(true)
    }

    /// Cells: sizes and points in one list, or from version 5 on offsets and points in two.
    fn read_cells(&mut self, line: &Line) -> Result<(), Stop> {
        let next = self.peek_line()?;
        let in_two = next.is_some_and(|next| next.word(0) == "OFFSETS");
        if !self.offsets || !in_two {
            return self.read_values(line, line.count(2)?, "INT");
        }
        for (index, keyword) in [(1, "OFFSETS"), (2, "CONNECTIVITY")] {
            let list = self.line()?.filter(|list| list.word(0) == keyword);
            let list = list.ok_or(Stop::malformed(self.cursor.at(), "offsets and connectivity"))?;
            self.read_values(&list, line.count(index)?, &list.word(1))?;
            self.read_metadata()?;
        }
        Ok(())
    }

    fn read_values(&mut self, line: &Line, values: u64, kind: &str) -> Result<(), Stop> {
        let start = self.cursor.at();
        if matches!(kind, "STRING" | "UTF8_STRING") {
            return self.read_strings(line, values);
        }
        let bits = match kind {
            "BIT" => 1,
            "CHAR" | "SIGNED_CHAR" | "UNSIGNED_CHAR" | "VTKTYPEINT8" | "VTKTYPEUINT8" => 8,
            "SHORT" | "UNSIGNED_SHORT" | "VTKTYPEINT16" | "VTKTYPEUINT16" => 16,
            // Identifiers are written as int, whatever they are in memory.
            "INT" | "UNSIGNED_INT" | "FLOAT" | "VTKIDTYPE" | "VTKTYPEINT32" | "VTKTYPEUINT32" => 32,
            "LONG" | "UNSIGNED_LONG" | "LONG_LONG" | "UNSIGNED_LONG_LONG" | "__INT64" | "UNSIGNED___INT64"
            | "DOUBLE" | "VTKTYPEINT64" | "VTKTYPEUINT64" => 64,
            _ => return Err(Stop::unsupported(line.at, format!("values of type {}", crate::quote::quoted(kind)))),
        };
        if !self.binary {
            numbers::skip_numbers(&mut self.cursor, values)?;
            return self.visit.structure(start..self.cursor.at(), "values");
        }
        let mut len = line.times(values, bits)?.div_ceil(8);
        // A long has the size that it had on the writer's machine: what follows tells.
        if matches!(kind, "LONG" | "UNSIGNED_LONG") && !self.ends_at(start.saturating_add(len))? {
            let half = len / 2;
            if self.ends_at(start.saturating_add(half))? {
                len = half;
            }
        }
        let data = self.cursor.take(len, "the values of a section")?;
        self.visit.opaque(data.range(), "values")
    }

    /// Whether a section may end here: at a line's end, or the file's.
    fn ends_at(&self, at: u64) -> Result<bool, Stop> {
        let bytes = self.cursor.bytes();
        Ok(at == bytes.end() || (at < bytes.end() && matches!(bytes.peek(at, 1)?.first(), Some(b'\n' | b'\r'))))
    }

    /// Strings: a line each, or each with a length in front whose own length stands in its first two bits.
    fn read_strings(&mut self, line: &Line, values: u64) -> Result<(), Stop> {
        let start = self.cursor.at();
        for _ in 0..values {
            if !self.binary {
                self.cursor.line(1 << 20)?.ok_or(Stop::malformed(line.at, "a line for each string"))?;
                continue;
            }
            let at = self.cursor.at();
            let first = self.cursor.u8("a string's length")?;
            let more = match first >> 6 {
                3 => 0,
                2 => 1,
                1 => 3,
                _ => 7,
            };
            let rest = self.cursor.read(more, "a string's length")?;
            let len = rest.iter().fold(u64::from(first & 0x3f), |sum, byte| sum.wrapping_shl(8) | u64::from(*byte));
            self.cursor.take(len, "a string").map_err(|_| Stop::malformed(at, "a string that fits into the file"))?;
        }
        self.visit.slack(start..self.cursor.at(), "strings")
    }

    /// The metadata of an array, where it has some.
    fn read_metadata(&mut self) -> Result<(), Stop> {
        if self.peek_line()?.is_some_and(|line| line.word(0) == "METADATA" && line.words.len() == 1) {
            self.line()?;
            self.read_metadata_lines()?;
        }
        Ok(())
    }

    /// The lines of metadata up to an empty one: names of components, and keys with values.
    fn read_metadata_lines(&mut self) -> Result<(), Stop> {
        while let Some((range, line)) = self.cursor.line(LONGEST)? {
            if line.trim_ascii().is_empty() {
                return self.visit.structure(range, "metadata");
            }
            self.visit.slack(range, "metadata")?;
        }
        Ok(())
    }

    /// The next line that is not empty, claimed.
    fn line(&mut self) -> Result<Option<Line>, Stop> {
        while let Some((range, line)) = self.cursor.line(LONGEST)? {
            self.visit.structure(range.clone(), "keywords and sizes")?;
            let words: Vec<_> = numbers::tokens(&line).map(<[u8]>::to_vec).collect();
            if !words.is_empty() {
                return Ok(Some(Line { at: range.start, words }));
            }
        }
        Ok(None)
    }

    /// The next line that is not empty, without going on; `None` where no line of text follows.
    fn peek_line(&mut self) -> Result<Option<Line>, Stop> {
        let start = self.cursor.at();
        let mut found = None;
        loop {
            let blank_from = self.cursor.at();
            match self.cursor.line(LONGEST) {
                Ok(Some((range, line))) => {
                    let words: Vec<_> = numbers::tokens(&line).map(<[u8]>::to_vec).collect();
                    if words.is_empty() {
                        self.visit.structure(blank_from..range.end, "keywords and sizes")?;
                        continue;
                    }
                    found = Some(Line { at: range.start, words });
                }
                Ok(None) | Err(Stop::Malformed(_)) => {}
                Err(stop) => return Err(stop),
            }
            break;
        }
        self.cursor.seek(start);
        Ok(found)
    }
}

/// Words that begin a section.
const KEYWORDS: &[&str] = &[
    "ASPECT_RATIO",
    "CELLS",
    "CELL_DATA",
    "CELL_TYPES",
    "COLOR_SCALARS",
    "DATASET",
    "DIMENSIONS",
    "EDGE_DATA",
    "EDGE_FLAGS",
    "EXTENT",
    "FIELD",
    "GLOBAL_IDS",
    "LINES",
    "LOOKUP_TABLE",
    "METADATA",
    "NORMALS",
    "ORIGIN",
    "PEDIGREE_IDS",
    "POINTS",
    "POINT_DATA",
    "POLYGONS",
    "ROW_DATA",
    "SCALARS",
    "SPACING",
    "TENSORS",
    "TENSORS6",
    "TEXTURE_COORDINATES",
    "TRIANGLE_STRIPS",
    "VECTORS",
    "VERTEX_DATA",
    "VERTICES",
    "X_COORDINATES",
    "Y_COORDINATES",
    "Z_COORDINATES",
];

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    const ASCII: &str = "# vtk DataFile Version 2.0\nA cube; made by hand\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n\
                         0 0 0 1 0 0\n 1.5e-3 1 -nan\nPOLYGONS 1 4\n3 0 1 2\n\nPOINT_DATA 3\nSCALARS s float 1\n\
                         LOOKUP_TABLE t\n1 2 3\nLOOKUP_TABLE t 1\n0.0 0.0 0.0 1.0\nFIELD FieldData 2\nids 1 3 int\n\
                         1 2 3\nMETADATA\nINFORMATION 1\nNAME L2 LOCATION vtkDataArray\nDATA 2 0 1\n\n\
                         names 1 2 string\nfirst\nsecond%20name\n";

    fn binary() -> Vec<u8> {
        let mut bytes = b"# vtk DataFile Version 5.1\nvtk output\nBINARY\nDATASET UNSTRUCTURED_GRID\n".to_vec();
        bytes.extend(b"POINTS 2 float\n");
        bytes.extend([0x40; 24]);
        bytes.extend(b"\nCELLS 2 2\nOFFSETS vtktypeint64\n");
        bytes.extend([0; 16]);
        bytes.extend(b"\nCONNECTIVITY vtktypeint64\n");
        bytes.extend([0; 16]);
        bytes.extend(b"\nCELL_TYPES 1\n\0\0\0\x03\nCELL_DATA 1\nFIELD FieldData 2\nids 1 1 vtkIdType\n\0\0\0\x07\n");
        bytes.extend(b"name 1 1 string\n\xc3abc\n");
        bytes
    }

    #[test]
    fn meshes_are_just_data() {
        let volume = "# vtk DataFile Version 3.0\nvolume\nASCII\nDATASET STRUCTURED_POINTS\nDIMENSIONS 2 2 1\n\
                      ORIGIN 0 0 0\nSPACING 1 1 1\nPOINT_DATA 4\nSCALARS v unsigned_char\n1 2 3 4\n";
        for bytes in [ASCII.as_bytes().to_vec(), binary(), volume.as_bytes().to_vec()] {
            let report = checked("a.vtk", bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["vtk"]);
        }
    }

    #[test]
    fn what_follows_the_last_section_is_news() {
        for whole in [ASCII.as_bytes().to_vec(), binary()] {
            for tail in [&b"echo hello, and more\n"[..], b"import os\nos.system('id')\n", b"\x7f\x01\x02\x03"] {
                let report = checked("a.vtk", [&whole[..], tail].concat());
                assert_eq!(rules_of(&report), ["unexplained-bytes"]);
            }
        }
    }

    #[test]
    fn a_long_has_the_size_of_its_writer() {
        for size in [4, 8] {
            let mut bytes =
                b"# vtk DataFile Version 3.0\nx\nBINARY\nDATASET POLYDATA\nFIELD f 1\na 1 2 long\n".to_vec();
            bytes.extend(vec![7; size * 2]);
            bytes.extend(b"\n");
            assert_eq!(checked("a.vtk", bytes).verdict, Verdict::JustData);
        }
    }

    #[test]
    fn damage_is_unfinished() {
        for (from, to) in [
            ("POINTS 3", "POINTS 99999999999999999999"),
            ("POINTS 3", "POINTS 9999999999999999999"),
            ("POINTS 3", "POINTS -3"),
            ("0 0 0 1 0 0", "0 0 0 x 0 0"),
            ("ids 1 3 int", "ids 1 3 quaternion"),
            ("DATASET POLYDATA", "DATASET TREE"),
        ] {
            assert_eq!(checked("a.vtk", ASCII.replace(from, to)).verdict, Verdict::Unfinished, "{from} {to}");
        }
    }

    #[test]
    fn no_cut_of_the_points_is_just_data() {
        let whole = binary();
        let points = whole.windows(6).position(|bytes| bytes == b"float\n").unwrap() + 6;
        for len in 23..whole.len() {
            let verdict = checked("a.vtk", &whole[..len]).verdict;
            assert!(!(points..points + 24).contains(&len) || verdict != Verdict::JustData, "cut at {len}");
        }
        for len in 0..ASCII.len() {
            checked("a.vtk", &ASCII[..len]);
        }
    }

    #[test]
    fn vtk_04_the_title_and_the_tail() {
        let titled = |title: &str| ASCII.replace("A cube; made by hand", title);
        told("a.vtk", titled("<script>f()</script>"), "active-markup-in-text", titled("any title, a < b"));
        told("b.vtk", format!("{ASCII}hidden"), "unexplained-bytes", ASCII);
    }
}
