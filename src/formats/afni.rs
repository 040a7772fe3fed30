//! AFNI HEAD: the text half of a HEAD/BRIK pair; the voxels stand in the BRIK file of the same name.
//!
//! Specification: AFNI, README.attributes.
//!
//! ```text
//! attribute = "type" = string-attribute | integer-attribute | float-attribute
//!             "name" = NAME
//!             "count" = n
//!             ' n bytes, the last ~          or n numbers
//! ```

use crate::{
    bytes::Cursor,
    format::{Buried, Candidate, Format, Nature, Visit},
    numbers,
    stop::Stop,
};

/// AFNI HEAD.
pub static FORMAT: Format = Format {
    id: "afni",
    name: "AFNI header",
    spec: "https://afni.nimh.nih.gov/pub/dist/doc/program_help/README.attributes.html",
    extensions: &["head"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(512)?;
    let mut lines = head.trim_ascii_start().split(|byte| *byte == b'\n');
    let mut next = |key: &[u8]| lines.next().and_then(|line| value_of(line, key).map(<[u8]>::to_vec));
    let kind = next(b"type").and_then(|kind| Kind::of(&kind));
    Ok(kind.is_some() && next(b"name").is_some() && next(b"count").is_some())
}

/// The value of a line `key = value`.
fn value_of<'a>(line: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    Some(line.trim_ascii().strip_prefix(key)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii())
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Text,
    Numbers,
}

impl Kind {
    fn of(value: &[u8]) -> Option<Self> {
        match value {
            b"string-attribute" => Some(Kind::Text),
            b"integer-attribute" | b"float-attribute" => Some(Kind::Numbers),
            _ => None,
        }
    }
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let mut voxels = Voxels::default();
    loop {
        skip_blank(visit, &mut cursor)?;
        if cursor.is_empty() {
            visit.name_other_half(0..0, &[(".HEAD", ".BRIK")], voxels.len());
            return Ok(());
        }
        let start = cursor.at();
        let Some(kind) = line(&mut cursor, b"type")?.and_then(|kind| Kind::of(&kind)) else {
            // What is no attribute ends the header for every program, and belongs to nothing.
            return Ok(());
        };
        let name = line(&mut cursor, b"name")?;
        let name = name.ok_or(Stop::malformed(start, "a line with the name of an attribute"))?;
        let count = line(&mut cursor, b"count")?.and_then(|count| numbers::count(&count));
        let count = count.ok_or(Stop::malformed(start, "a line with the count of an attribute"))?;
        visit.structure(start..cursor.at(), "attribute")?;
        match kind {
            Kind::Numbers => {
                let values = cursor.at();
                numbers::skip_numbers(&mut cursor, count)?;
                visit.structure(values..cursor.at(), "values")?;
                let text = visit.bytes.window(values..cursor.at());
                voxels.note(&name, &text.peek(values, LONGEST_LIST)?);
            }
            Kind::Text => {
                skip_blank(visit, &mut cursor)?;
                let quote = cursor.at();
                if cursor.u8("an apostrophe")? != b'\'' {
                    return Err(Stop::malformed(quote, "an apostrophe"));
                }
                let text = cursor.take(count, "the text of an attribute")?;
                visit.slack(quote..text.end(), "text of an attribute")?;
            }
        }
        let before = cursor.at();
        if !cursor.is_empty() && !matches!(cursor.peek(1)?.first(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            return Err(Stop::malformed(before, "the end of a line"));
        }
    }
}

/// The longest list of numbers that is looked into.
const LONGEST_LIST: usize = 1 << 20;

/// What the attributes say of the BRIK file: three sides, and the type of each sub-brick.
#[derive(Default)]
struct Voxels {
    sides: Vec<u64>,
    types: Vec<u64>,
}

impl Voxels {
    fn note(&mut self, name: &[u8], values: &[u8]) {
        let numbers = || {
            let words = values.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            words.map(|word| numbers::count(word).unwrap_or(u64::MAX)).collect()
        };
        match name {
            b"DATASET_DIMENSIONS" => self.sides = numbers(),
            b"BRICK_TYPES" => self.types = numbers(),
            _ => {}
        }
    }

    /// Bytes of the voxels.
    fn len(&self) -> Option<u64> {
        let sides = self.sides.get(..3)?;
        let voxels = sides.iter().try_fold(1u64, |product, side| product.checked_mul(*side))?;
        // 3ddata.h: byte, short, int, float, double, complex, rgb, rgba.
        let sizes =
            self.types.iter().map(|kind| [1u64, 2, 4, 4, 8, 8, 3, 4].get(usize::try_from(*kind).ok()?).copied());
        let each = sizes.sum::<Option<u64>>().filter(|each| *each > 0)?;
        voxels.checked_mul(each)
    }
}

/// Goes over a line and gives the value if the key is this one; stays in front of any other line.
fn line(cursor: &mut Cursor, key: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
    let at = cursor.at();
    let value = match cursor.line(4096) {
        Ok(line) => line.and_then(|(_, line)| value_of(&line, key).map(<[u8]>::to_vec)),
        Err(Stop::Malformed(_)) => None,
        Err(stop) => return Err(stop),
    };
    if value.is_none() {
        cursor.seek(at);
    }
    Ok(value)
}

/// Goes over white space.
fn skip_blank(visit: &mut Visit<'_>, cursor: &mut Cursor) -> Result<(), Stop> {
    loop {
        let start = cursor.at();
        let window = cursor.peek(4096)?;
        let blank = window.iter().take_while(|byte| numbers::is_space(**byte)).count();
        let whole = blank == window.len() && blank > 0;
        cursor.seek(start.saturating_add(blank as u64));
        visit.structure(start..cursor.at(), "white space")?;
        if !whole {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    const SAMPLE: &str = "\n\ntype = string-attribute\nname = TYPESTRING\ncount = 15\n'3DIM_HEAD_ANAT~\n\n\
                          type  = float-attribute\nname  = DELTA\ncount = 3\n   -3   1.5e-7\n  3\n\n\
                          type = integer-attribute\nname = BRICK_TYPES\ncount = 1\n 1\n";

    #[test]
    fn headers_are_just_data() {
        for text in [SAMPLE.to_string(), SAMPLE.replace('\n', "\r\n")] {
            let report = checked("a+orig.HEAD", text);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["afni"]);
        }
    }

    #[test]
    fn other_lines_are_news() {
        let script = format!("{SAMPLE}import os\nos.system('id')\n");
        assert_eq!(rules_of(&checked("a+orig.HEAD", script)), ["unexplained-bytes"]);
        let script = SAMPLE.replacen("\n\ntype  =", "\n\necho hello, and more\ntype  =", 1);
        assert_eq!(rules_of(&checked("a+orig.HEAD", script)), ["unexplained-bytes"]);
    }

    #[test]
    fn damage_is_unfinished() {
        for (from, to) in
            [("count = 3", "count = 300"), ("count = 15", "count = x"), ("'3DIM", "3DIM"), ("15", "99999")]
        {
            let report = checked("a+orig.HEAD", SAMPLE.replace(from, to));
            assert_eq!(report.verdict, Verdict::Unfinished, "{from}");
        }
    }

    #[test]
    fn no_cut_panics() {
        for len in 0..SAMPLE.len() {
            let verdict = checked("a+orig.HEAD", &SAMPLE[..len]).verdict;
            let inside = SAMPLE[..len].rfind("count").is_some_and(|at| at + 12 > len && len > 60);
            assert!(!inside || verdict != Verdict::JustData, "cut at {len}");
        }
    }
}
