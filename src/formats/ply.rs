//! PLY: a polygon file whose header says what follows.
//!
//! Specification: Greg Turk, "The PLY Polygon File Format", 1994.
//!
//! ```text
//! "ply" | "format" ascii, binary_little_endian or binary_big_endian, 1.0 | line* | "end_header" | instances
//! line = "comment" text | "obj_info" text | "element" name count
//!      | "property" type name | "property list" type type name
//! ```
//! Comments are free; `comment TextureFile name` makes viewers load a picture. What follows the last instance is passed
//! over.

use crate::{
    active_text,
    bytes::Cursor,
    follow::Follower,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    numbers::{self, count, tokens},
    stop::Stop,
};

/// PLY.
pub static FORMAT: Format = Format {
    id: "ply",
    name: "PLY mesh",
    spec: "https://paulbourke.net/dataformats/ply/",
    extensions: &["ply"],
    media_types: &["model/ply"],
    marks: &[Mark::start(b"ply\n"), Mark::start(b"ply\r")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(4096)?;
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).skip(1);
    let next = lines.find(|line| !line.starts_with(b"comment") && !line.starts_with(b"obj_info"));
    Ok(next.is_some_and(|line| line.starts_with(b"format ")))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let header = Header::read(visit, &mut cursor)?;
    for element in &header.elements {
        let start = cursor.at();
        match header.form {
            Form::Text => element.skip_text(&mut cursor)?,
            Form::Binary { big } => element.skip_binary(&mut cursor, big)?,
        }
        let range = start..cursor.at();
        if header.form == Form::Text {
            visit.structure(range, "instances")?;
        } else {
            visit.opaque(range, "instances")?;
        }
    }
    if header.form == Form::Text {
        // The end of the last line, and empty ones behind it.
        let start = cursor.at();
        let window = cursor.peek(4096)?;
        let blank = window.iter().take_while(|byte| numbers::is_space(**byte)).count() as u64;
        visit.structure(start..start.saturating_add(blank), "white space")?;
    }
    Ok(())
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    Text,
    Binary { big: bool },
}

struct Header {
    form: Form,
    elements: Vec<Element>,
}

struct Element {
    /// Place of its line.
    at: u64,
    count: u64,
    properties: Vec<Property>,
}

#[derive(Clone, Copy)]
enum Property {
    /// One value of so many bytes.
    Value(u64),
    /// A count of so many bytes, and values of so many bytes each.
    List(usize, u64),
}

/// The longest header line.
const LONGEST: usize = 16 << 10;

/// A header with more elements or properties is not one.
const MOST: usize = 10_000;

impl Header {
    fn read(visit: &mut Visit<'_>, cursor: &mut Cursor) -> Result<Self, Stop> {
        let mut header = Header { form: Form::Text, elements: Vec::new() };
        let mut parts = 0usize;
        let mut follower = Follower::default();
        while let Some((range, line)) = cursor.line(LONGEST)? {
            let words: Vec<&[u8]> = tokens(&line).collect();
            let damaged = |expected: &'static str| Stop::malformed(range.start, expected);
            parts = parts.saturating_add(1);
            if parts > MOST.saturating_mul(2) {
                return Err(damaged("fewer lines in a header"));
            }
            match words.as_slice() {
                [b"ply"] | [] => {}
                [b"format", b"ascii", _] => header.form = Form::Text,
                [b"format", b"binary_little_endian", _] => header.form = Form::Binary { big: false },
                [b"format", b"binary_big_endian", _] => header.form = Form::Binary { big: true },
                [b"comment", word, ..] if word.eq_ignore_ascii_case(b"TextureFile") => {
                    visit.slack(range.clone(), "comment")?;
                    let text = String::from_utf8_lossy(&line);
                    let name = text.trim().split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
                    let name = name.split_once(char::is_whitespace).map_or("", |(_, name)| name.trim());
                    follower.follow(visit, range, "The texture", name)?;
                    continue;
                }
                [word @ (b"comment" | b"obj_info"), ..] => {
                    visit.slack(range.clone(), "comment")?;
                    let text = line.trim_ascii_start().get(word.len()..).unwrap_or_default();
                    active_text::look(visit, range, "A comment", text.trim_ascii())?;
                    continue;
                }
                [b"element", _, number] => {
                    let count = count(number).ok_or(damaged("a count that is not negative"))?;
                    header.elements.push(Element { at: range.start, count, properties: Vec::new() });
                }
                [b"property", b"list", index, kind, _] => {
                    let sizes = size_of(index).zip(size_of(kind)).ok_or(damaged("types of known names"))?;
                    let index = usize::try_from(sizes.0).unwrap_or(8);
                    let element = header.elements.last_mut().ok_or(damaged("an element"))?;
                    element.properties.push(Property::List(index, sizes.1));
                }
                [b"property", kind, _] => {
                    let size = size_of(kind).ok_or(damaged("a type of a known name"))?;
                    let element = header.elements.last_mut().ok_or(damaged("an element"))?;
                    element.properties.push(Property::Value(size));
                }
                [b"end_header"] => {
                    visit.structure(range, "header")?;
                    return Ok(header);
                }
                _ => return Err(damaged("a line of a PLY header")),
            }
            visit.structure(range, "header")?;
        }
        Err(Stop::malformed(cursor.at(), "the line end_header"))
    }
}

/// Bytes of a value of a type, in old names and new ones.
fn size_of(kind: &[u8]) -> Option<u64> {
    match kind {
        b"char" | b"uchar" | b"int8" | b"uint8" => Some(1),
        b"short" | b"ushort" | b"int16" | b"uint16" => Some(2),
        b"int" | b"uint" | b"float" | b"int32" | b"uint32" | b"float32" => Some(4),
        b"double" | b"float64" | b"int64" | b"uint64" => Some(8),
        _ => None,
    }
}

impl Element {
    /// Bytes of an instance without lists.
    fn fixed_len(&self) -> Option<u64> {
        self.properties.iter().try_fold(0u64, |sum, property| match property {
            Property::Value(size) => sum.checked_add(*size),
            Property::List(..) => None,
        })
    }

    fn skip_binary(&self, cursor: &mut Cursor, big: bool) -> Result<(), Stop> {
        if let Some(len) = self.fixed_len() {
            let len = len.checked_mul(self.count).ok_or(Stop::malformed(self.at, "instances that fit into a file"))?;
            return cursor.take(len, "the instances of an element").map(|_| ());
        }
        for _ in 0..self.count {
            for property in &self.properties {
                match property {
                    Property::Value(size) => cursor.take(*size, "a value")?,
                    Property::List(index, size) => {
                        let at = cursor.at();
                        let bytes = cursor.read(*index, "the length of a list")?;
                        let grow = |sum: u64, byte: &u8| sum.wrapping_shl(8) | u64::from(*byte);
                        let len = if big { bytes.iter().fold(0, grow) } else { bytes.iter().rev().fold(0, grow) };
                        let len = len.checked_mul(*size).ok_or(Stop::malformed(at, "a list that fits into a file"))?;
                        cursor.take(len, "the values of a list")?
                    }
                };
            }
        }
        Ok(())
    }

    fn skip_text(&self, cursor: &mut Cursor) -> Result<(), Stop> {
        if self.fixed_len().is_some() {
            let values = self.count.checked_mul(self.properties.len() as u64);
            let values = values.ok_or(Stop::malformed(self.at, "instances that fit into a file"))?;
            return numbers::skip_numbers(cursor, values);
        }
        for _ in 0..self.count {
            for property in &self.properties {
                let at = cursor.at();
                match property {
                    Property::Value(_) => numbers::skip_numbers(cursor, 1)?,
                    Property::List(..) => {
                        let len = numbers::next_token(cursor)?.and_then(|(_, token)| count(&token));
                        numbers::skip_numbers(cursor, len.ok_or(Stop::malformed(at, "the length of a list"))?)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn text(comment: &str) -> String {
        format!(
            "ply\nformat ascii 1.0\ncomment {comment}\nelement vertex 3\nproperty float x\nproperty float y\n\
             property float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n\
             0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"
        )
    }

    fn binary() -> Vec<u8> {
        let mut bytes = b"ply\r\nformat binary_big_endian 1.0\r\nelement vertex 2\r\nproperty double x\r\n".to_vec();
        bytes.extend(b"element face 1\r\nproperty list ushort int vertex_indices\r\nproperty uchar red\r\n");
        bytes.extend(b"end_header\r\n");
        bytes.extend([7; 16]);
        bytes.extend([0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 255]);
        bytes
    }

    #[test]
    fn meshes_are_just_data() {
        for bytes in [text("made by hand").into_bytes(), text("TextureFile skin.png").into_bytes(), binary()] {
            let report = checked("a.ply", bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["ply"]);
        }
    }

    #[test]
    fn textures_outside_the_folder_are_found() {
        for (name, rule) in [
            ("../../../skin.png", "reference-far-above"),
            ("C:\\skin.png", "reference-by-whole-path"),
            ("http://example.org/skin.png", "reference-to-server"),
        ] {
            assert_eq!(rules_of(&checked("a.ply", text(&format!("TextureFile {name}")))), [rule]);
        }
    }

    #[test]
    fn what_follows_the_instances_is_news() {
        for whole in [text("x").into_bytes(), binary()] {
            let report = checked("a.ply", [whole, b"echo hello, and more\n".to_vec()].concat());
            assert_eq!(rules_of(&report), ["unexplained-bytes"]);
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = binary();
        for len in 14..whole.len() {
            assert_ne!(checked("a.ply", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
        let whole = text("x");
        for len in 25..whole.len() - 2 {
            assert_ne!(checked("a.ply", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
        for (from, to) in [("vertex 3", "vertex 99999999999999999"), ("3 0 1 2", "9 0 1 2"), ("uchar", "word")] {
            assert_eq!(checked("a.ply", text("x").replace(from, to)).verdict, Verdict::Unfinished);
        }
    }

    #[test]
    fn msh_03_textures_and_comments() {
        told("a.ply", text("TextureFile /etc/hostname"), "reference-by-whole-path", text("TextureFile a.png"));
        told(
            "b.ply",
            text("texturefile http://192.0.2.1/a.png"),
            "reference-to-server",
            text("see http://example.org"),
        );
        told("c.ply", text("<script>f()</script>"), "active-markup-in-text", text("a < b"));
    }
}
