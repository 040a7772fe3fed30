//! The surfaces of FreeSurfer and what is painted on them: triangles, quadrangles, curvatures, annotations.
//!
//! Specification: the FreeSurfer wiki and the readers of nibabel. All numbers are big-endian, n3 has three bytes.
//!
//! ```text
//! triangles   FF FF FE | text, two lines | vertices 4 | faces 4 | 3 floats a vertex | 3 indices a face | tag*
//! quadrangles FF FF FF | vertices n3 | faces n3 | 3 shorts a vertex | 4 indices n3 a face
//!             FF FF FD | the same with floats
//! curvature   FF FF FF | vertices 4 | faces 4 | values a vertex 4 | floats
//! annotation  vertices 4 | (vertex 4 | label 4)* | [ 0 0 0 1 | color table ]
//! ```

use std::ops::Range;

use crate::{
    bytes::{Bytes, Cursor},
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::mgh::{read_colors, read_tags},
    stop::Stop,
};

/// FreeSurfer surfaces.
pub static FORMAT: Format = Format {
    id: "freesurfer-surface",
    name: "FreeSurfer surface",
    spec: "https://surfer.nmr.mgh.harvard.edu/fswiki/FileFormats",
    extensions: &[
        "annot",
        "area",
        "curv",
        "inflated",
        "orig",
        "pial",
        "smoothwm",
        "sphere",
        "sulc",
        "thickness",
        "white",
    ],
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
    Ok(Shape::of(candidate.bytes)?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    match Shape::of(visit.bytes)?.ok_or(Stop::malformed(0, "a surface"))? {
        Shape::Triangles => read_triangles(visit),
        Shape::Quadrangles { floats } => {
            let mut cursor = visit.bytes.cursor();
            cursor.take(3, "the magic number")?;
            let vertices = three(&mut cursor)?;
            let faces = three(&mut cursor)?;
            visit.structure(0..cursor.at(), "header")?;
            let points = cursor.take(vertices.saturating_mul(if floats { 12 } else { 6 }), "the vertices")?;
            visit.opaque(points.range(), "vertices")?;
            let faces = cursor.take(faces.saturating_mul(12), "the faces")?;
            visit.opaque(faces.range(), "faces")
        }
        Shape::Curvature(values) => {
            visit.structure(0..values.start, "header")?;
            visit.opaque(values.clone(), "values")?;
            if values.end > visit.bytes.end() {
                return Err(Stop::malformed(visit.bytes.end(), format!("values up to {:#x}", values.end)));
            }
            Ok(())
        }
        Shape::Annotation(labels) => {
            visit.structure(0..4, "number of vertices")?;
            visit.opaque(labels.clone(), "labels")?;
            let mut cursor = visit.bytes.cursor();
            cursor.seek(labels.end);
            if cursor.is_empty() {
                return Ok(());
            }
            cursor.u32_be("the tag of a color table")?;
            read_colors(&mut cursor)?;
            // The color table holds the path of the file that it came from, and names.
            visit.slack(labels.end..cursor.at(), "color table")
        }
    }
}

fn read_triangles(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    cursor.take(3, "the magic number")?;
    visit.structure(0..3, "magic number")?;
    for _ in 0..2 {
        let (line, _) = cursor.line(4096)?.ok_or(Stop::malformed(3, "two lines of text"))?;
        visit.slack(line, "who wrote it and when")?;
    }
    let sizes = cursor.at();
    let vertices = u64::from(cursor.u32_be("the number of vertices")?);
    let faces = u64::from(cursor.u32_be("the number of faces")?);
    visit.structure(sizes..cursor.at(), "numbers of vertices and faces")?;
    let points = cursor.take(vertices.saturating_mul(12), "the vertices")?;
    visit.opaque(points.range(), "vertices")?;
    let faces = cursor.take(faces.saturating_mul(12), "the faces")?;
    visit.opaque(faces.range(), "faces")?;
    read_tags(visit, cursor.at())
}

fn three(cursor: &mut Cursor) -> Result<u64, Stop> {
    let [a, b, c] = cursor.array::<3>("a number of three bytes")?;
    Ok(u64::from(u32::from_be_bytes([0, a, b, c])))
}

enum Shape {
    Triangles,
    Quadrangles { floats: bool },
    Curvature(Range<u64>),
    Annotation(Range<u64>),
}

impl Shape {
    /// Magic numbers of three bytes are shared, and annotations have none: the sizes that follow must fit.
    fn of(bytes: &Bytes) -> Result<Option<Self>, Stop> {
        let head = bytes.peek(bytes.start(), 200)?;
        let number = |at: usize| -> Option<u64> {
            let four = head.get(at..at.saturating_add(4))?;
            Some(u64::from(u32::from_be_bytes(four.try_into().ok()?)))
        };
        let small = |at: usize| number(at).map(|number| number >> 8);
        Ok(match head.get(..3) {
            Some(b"\xff\xff\xfe") if head.get(3..).is_some_and(begins_with_lines) => Some(Shape::Triangles),
            Some(b"\xff\xff\xff") => {
                let vertices = number(3).zip(number(11)).filter(|(count, each)| *count > 0 && *each == 1);
                match vertices.and_then(|(count, each)| count.checked_mul(4)?.checked_mul(each)) {
                    Some(len) => Some(Shape::Curvature(15..len.saturating_add(15))),
                    None => quadrangles(bytes, small(3), small(6), 6).then_some(Shape::Quadrangles { floats: false }),
                }
            }
            Some(b"\xff\xff\xfd") => {
                quadrangles(bytes, small(3), small(6), 12).then_some(Shape::Quadrangles { floats: true })
            }
            _ => annotation(bytes, number(0))?,
        })
    }
}

/// Two lines of printable text follow: "created by … on …", and most often an empty one.
fn begins_with_lines(text: &[u8]) -> bool {
    let printable = |byte: &u8| matches!(byte, b'\t' | b'\r' | 0x20..=0x7e | 0x80..);
    let mut lines = text.split(|byte| *byte == b'\n');
    lines.next().is_some_and(|line| line.len() < 190 && line.iter().all(printable)) && lines.next().is_some()
}

fn quadrangles(bytes: &Bytes, vertices: Option<u64>, faces: Option<u64>, vertex: u64) -> bool {
    let len = vertices.zip(faces).map(|(vertices, faces)| {
        vertices.saturating_mul(vertex).saturating_add(faces.saturating_mul(12)).saturating_add(9)
    });
    vertices.is_some_and(|count| count > 2) && len.is_some_and(|len| len <= bytes.len())
}

/// Every vertex stands there with its own number: the first and the last are looked at.
fn annotation(bytes: &Bytes, vertices: Option<u64>) -> Result<Option<Shape>, Stop> {
    let start = bytes.start().saturating_add(4);
    let Some(vertices) = vertices.filter(|count| *count >= 8) else { return Ok(None) };
    let Some(end) = vertices.checked_mul(8).and_then(|len| start.checked_add(len)).filter(|end| *end <= bytes.end())
    else {
        return Ok(None);
    };
    let mut cursor = bytes.cursor();
    let look = vertices.min(64);
    for first in [0, vertices.saturating_sub(look)] {
        cursor.seek(start.saturating_add(first.saturating_mul(8)));
        for index in first..first.saturating_add(look) {
            if u64::from(cursor.u32_be("a vertex")?) != index {
                return Ok(None);
            }
            cursor.u32_be("a label")?;
        }
    }
    let tail = bytes.peek(end, 4)?;
    Ok((tail.is_empty() || tail == [0, 0, 0, 1]).then_some(Shape::Annotation(start..end)))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn triangles() -> Vec<u8> {
        let mut bytes = b"\xff\xff\xfecreated by nobody on a day\n\n\0\0\0\x03\0\0\0\x01".to_vec();
        bytes.extend([0x40; 36]);
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        bytes
    }

    fn with_geometry() -> Vec<u8> {
        let mut bytes = triangles();
        bytes.extend([0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 20]);
        bytes.extend(b"valid = 1\nfilename = a.mgz\nvolume = 1 1 1\nvoxelsize = 1 1 1\n");
        bytes.extend(b"xras = 1 0 0\nyras = 0 1 0\nzras = 0 0 1\ncras = 0 0 0\n");
        bytes.extend([0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4]);
        bytes.extend(b"mris");
        bytes
    }

    fn curvature() -> Vec<u8> {
        [&b"\xff\xff\xff\0\0\0\x05\0\0\0\x02\0\0\0\x01"[..], &[0x3f; 20]].concat()
    }

    fn quadrangles() -> Vec<u8> {
        [&b"\xff\xff\xfd\0\0\x04\0\0\x01"[..], &[0x3f; 48], &[0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3]].concat()
    }

    fn annotation() -> Vec<u8> {
        let mut bytes = 10u32.to_be_bytes().to_vec();
        for index in 0..10u32 {
            bytes.extend(index.to_be_bytes());
            bytes.extend(0x0019_64aau32.to_be_bytes());
        }
        bytes.extend([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, b'l', b'u', b't', 0, 0, 0, 0, 2, b'a', 0]);
        bytes.extend([0; 16]);
        bytes
    }

    #[test]
    fn surfaces_are_just_data() {
        let samples = [
            ("lh.pial", triangles()),
            ("lh.white", with_geometry()),
            ("lh.curv", curvature()),
            ("lh.annot", annotation()),
            ("lh.orig", quadrangles()),
        ];
        for (name, bytes) in samples {
            let report = checked(name, bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["freesurfer-surface"]);
        }
    }

    #[test]
    fn what_follows_is_news() {
        for whole in [triangles(), with_geometry(), curvature(), annotation(), quadrangles()] {
            let bytes = [whole, b"echo hello, and more\n".to_vec()].concat();
            assert_eq!(rules_of(&checked("lh.x", bytes)), ["unexplained-bytes"]);
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = with_geometry();
        // A shorter cut holds nothing but text.
        for len in 40..whole.len() {
            let verdict = checked("lh.white", &whole[..len]).verdict;
            // Tags are optional: a cut in front of one, or in its zeros, leaves a whole surface.
            assert!(len >= triangles().len() || verdict != Verdict::JustData, "cut at {len}");
        }
        for whole in [curvature(), quadrangles()] {
            for len in 4..whole.len() {
                assert_ne!(checked("lh.x", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
            }
        }
        let whole = annotation();
        for len in 4..whole.len() {
            assert!(len == 84 || checked("lh.annot", &whole[..len]).verdict != Verdict::JustData, "cut at {len}");
        }
    }
}
