//! STL: triangles, as text or binary.
//!
//! Specification: the StereoLithography interface specification of 3D Systems, 1989.
//!
//! ```text
//! binary  header 80 | n 4 | (normal and three corners: 12 floats | attributes 2)·n
//! text    "solid" name | ("facet normal" 3 | "outer loop" | ("vertex" 3)·3 | "endloop" | "endfacet")* | "endsolid" name
//! ```
//! The header and the names are free. Some programs keep colors in the attributes. What follows is passed over.

use std::{ops::Range, rc::Rc};

use crate::{
    active_text,
    bytes::Bytes,
    format::{Buried, Candidate, Format, Nature, Role, Span, Visit},
    numbers::{are_numbers, tokens},
    quote::quoted_bytes,
    rule::{Guideline, Rule, Runs, Severity},
    sorting,
    source::Strided,
    stop::Stop,
};

/// STL.
pub static FORMAT: Format = Format {
    id: "stl",
    name: "STL mesh",
    spec: "https://www.loc.gov/preservation/digital/formats/fdd/fdd000504.shtml",
    extensions: EXTENSIONS,
    media_types: &["model/stl"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[&ATTRIBUTES_HOLD],
};

/// A text or a file in the two bytes that each triangle has for its own use.
static ATTRIBUTES_HOLD: Rule = Rule {
    id: "stl-attributes-hold-content",
    title: "The attribute words of this mesh hold a text or a file",
    why: "Each triangle has two bytes of its own, which some programs use for a color and all others pass over. One \
          behind the other they are a text or a file here: something was hidden in them.",
    advice: "If the file matters, write it anew with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://en.wikipedia.org/wiki/STL_(file_format)#Color_in_binary_STL"],
};

const EXTENSIONS: &[&str] = &["stl", "stla", "stlb"];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(is_text(candidate.bytes)? || is_binary(candidate.bytes, candidate.is_named(EXTENSIONS))?)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    if is_text(visit.bytes)? {
        return read_text(visit);
    }
    let facets = facets(visit.bytes)?.ok_or(Stop::malformed(80, "a number of triangles"))?;
    visit.slack(0..80, "header")?;
    active_text::look_at_room(visit, 0..80, "The header")?;
    visit.structure(80..84, "number of triangles")?;
    visit.opaque(facets.clone(), "triangles")?;
    if facets.end > visit.bytes.end() {
        return Err(Stop::malformed(visit.bytes.end(), format!("triangles up to {:#x}", facets.end)));
    }
    read_attributes(visit, facets)
}

/// The attribute words of all triangles, one behind the other, become a layer: programs that use them see numbers there.
fn read_attributes(visit: &mut Visit<'_>, facets: Range<u64>) -> Result<(), Stop> {
    let words = Strided::new(visit.bytes.window(facets.clone()), FACET, FACET.saturating_sub(2), 2);
    let words = Bytes::whole(Rc::new(words), visit.bytes.budget().clone());
    let some = words.peek(0, SPELT)?;
    let Some(first) = some.get(..2).filter(|first| some.chunks_exact(2).any(|word| word != *first)) else {
        // One value for all is none.
        return Ok(());
    };
    let end = some.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    let text = some.get(..end).unwrap_or(first);
    let letters = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e);
    let mut kinds: Vec<&[u8]> = text.chunks(2).collect();
    sorting::by_key(&mut kinds, |kind| *kind);
    kinds.dedup();
    if text.iter().all(letters) && kinds.len() >= SPELLS {
        let message = format!("They are {}.", quoted_bytes(text));
        visit.find(&ATTRIBUTES_HOLD, facets.clone(), message)?;
    }
    if let Some(format) = file_of(&words)? {
        visit.find(&ATTRIBUTES_HOLD, facets.clone(), format!("They are {}.", format.name))?;
    }
    let nowhere = facets.start..facets.start;
    visit.open("attribute words", Span::Decoded(nowhere, words.rebased()), Role::Opaque("attribute words"))
}

/// The format that bytes are a file of, as the sweep finds it anywhere.
fn file_of(bytes: &Bytes) -> Result<Option<&'static Format>, Stop> {
    let candidate = Candidate { bytes, name: "" };
    for format in crate::formats::FORMATS {
        let (marks, confirm) = match format.buried {
            Buried::Anywhere(confirm) => (format.marks, confirm),
            Buried::AnywhereMarked(marks, confirm) => (marks, confirm),
            Buried::No | Buried::AtStart(_) => continue,
        };
        let mut marked = false;
        for mark in marks {
            marked = marked || bytes.starts_with(bytes.start().saturating_add(mark.at), mark.bytes)?;
        }
        if !marked {
            continue;
        }
        match confirm(&candidate) {
            Ok(true) => return Ok(Some(format)),
            Err(stop) if stop.ends_check() => return Err(stop),
            _ => {}
        }
    }
    Ok(None)
}

/// Bytes of attribute words that are looked at.
const SPELT: usize = 4096;

/// So many different words that are all letters are no colors.
const SPELLS: usize = 8;

/// Bytes of a triangle.
const FACET: u64 = 50;

/// The place of the triangles of a binary file.
fn facets(bytes: &Bytes) -> Result<Option<Range<u64>>, Stop> {
    let count = bytes.peek(bytes.start().saturating_add(80), 4)?;
    let Ok(count) = <[u8; 4]>::try_from(count) else { return Ok(None) };
    let len = u64::from(u32::from_le_bytes(count)).saturating_mul(FACET);
    let start = bytes.start().saturating_add(84);
    Ok(Some(start..start.saturating_add(len)))
}

/// There is no magic number: the length must fit, or the first triangles must look like such.
fn is_binary(bytes: &Bytes, named: bool) -> Result<bool, Stop> {
    let Some(facets) = facets(bytes)? else { return Ok(false) };
    if facets.is_empty() {
        return Ok(named && facets.end == bytes.end());
    }
    let count = facets.end.saturating_sub(facets.start) / FACET;
    let exact = facets.end == bytes.end();
    let look = if named && !exact { 1 } else { count.min(16) };
    let sample = bytes.peek(facets.start, usize::try_from(look.saturating_mul(FACET)).unwrap_or(0))?;
    let mut whole = sample.chunks_exact(50).peekable();
    let plausible = whole.peek().is_some() && whole.all(is_facet);
    // A name is a hint: with it, a surplus or a cut are damage of a mesh rather than another kind of file.
    // Without one the length must fit, but for a byte that containers add to make it even: small whole numbers look
    // like triangles too.
    let padded = facets.end.saturating_add(1) == bytes.end() && normals_are_unit(&sample);
    Ok(plausible && (exact || named || padded))
}

fn floats(facet: &[u8]) -> impl Iterator<Item = f32> + '_ {
    facet.chunks_exact(4).take(12).filter_map(|four| four.try_into().ok()).map(f32::from_le_bytes)
}

/// Twelve finite numbers of a size that things have.
fn is_facet(facet: &[u8]) -> bool {
    floats(facet).all(|number| number.is_finite() && number.abs() < 1e12)
}

/// Every normal has the length 1, or is left zero.
fn normals_are_unit(facets: &[u8]) -> bool {
    facets.chunks_exact(50).all(|facet| {
        let square: f32 = floats(facet).take(3).map(|number| number * number).sum();
        square == 0.0 || (0.9..1.1).contains(&square)
    }) && facets.iter().any(|byte| *byte != 0)
}

/// The longest line: names may be long.
const LONGEST: usize = 16 << 10;

/// Text begins with "solid"; but so do the headers of some binary files, so the next line decides.
fn is_text(bytes: &Bytes) -> Result<bool, Stop> {
    let head = bytes.peek(bytes.start(), 4096)?;
    if !head.trim_ascii_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"solid")) {
        return Ok(false);
    }
    let mut lines = head.trim_ascii_start().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.next().unwrap_or_default();
    let second = lines.find(|line| !line.is_empty()).unwrap_or_default().to_ascii_lowercase();
    let printable = first.iter().all(|byte| *byte >= 0x20 || *byte == b'\t');
    Ok(printable && (second.starts_with(b"facet") || second.starts_with(b"endsolid")))
}

fn read_text(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let mut open = false;
    while let Some((range, line)) = cursor.line(LONGEST)? {
        let mut words = tokens(&line);
        let first = words.next().unwrap_or_default().to_ascii_lowercase();
        let rest = line.trim_ascii().get(first.len()..).unwrap_or_default();
        let numbers = |count: usize, text: &[u8]| are_numbers(text) && tokens(text).count() == count;
        let is = |word: &[u8]| rest.trim_ascii().eq_ignore_ascii_case(word);
        let fits = match first.as_slice() {
            b"" => true,
            b"solid" if !open => {
                open = true;
                visit.slack(range.clone(), "name")?;
                active_text::look(visit, range, "The name", rest.trim_ascii())?;
                continue;
            }
            b"endsolid" if open => {
                open = false;
                visit.slack(range, "name")?;
                continue;
            }
            b"facet" if open => {
                let normal = rest.trim_ascii();
                let (word, normal) = normal.split_at_checked(6).unwrap_or((normal, b""));
                word.eq_ignore_ascii_case(b"normal") && numbers(3, normal)
            }
            b"outer" if open => is(b"loop"),
            b"vertex" if open => numbers(3, rest),
            b"endloop" | b"endfacet" if open => is(b""),
            b"color" if open => are_numbers(rest),
            _ => false,
        };
        if fits {
            visit.structure(range, "triangles")?;
        }
    }
    if open { Err(Stop::malformed(visit.bytes.end(), "the line endsolid")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn binary(header: &[u8], count: u32) -> Vec<u8> {
        let mut bytes = header.to_vec();
        bytes.resize(80, b' ');
        bytes.extend(count.to_le_bytes());
        for index in 0..count {
            for number in [0.0, 0.0, 1.0, 0.5, index as f32, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 2.5f32] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend((index as u16 * 3).to_le_bytes());
        }
        bytes
    }

    const TEXT: &str = "solid part one\n facet normal 0 0 1\n  outer loop\n   vertex 0 0 0\n   vertex 1e0 0 0\n\
                        \t vertex 0 1. -0\n  endloop\n endfacet\nendsolid part one\n";

    #[test]
    fn meshes_are_just_data() {
        for (name, bytes) in [
            ("a.stl", binary(b"written by hand", 5)),
            ("member", binary(b"solid but binary", 5)),
            ("empty.stl", binary(b"", 0)),
            ("b.stl", TEXT.into()),
            ("c.stl", TEXT.to_uppercase().replace('\n', "\r\n").into()),
            ("two.stl", TEXT.repeat(2).into()),
        ] {
            let report = checked(name, bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["stl"]);
        }
    }

    #[test]
    fn what_follows_the_triangles_is_news() {
        for (name, whole) in [("a.stl", binary(b"", 5)), ("b.stl", TEXT.into())] {
            let report = checked(name, [whole, b"echo hello, and more\n".to_vec()].concat());
            assert_eq!(rules_of(&report), ["unexplained-bytes"], "{name}");
        }
        let between = TEXT.replace("endloop", "endloop\nrm -r x");
        assert_eq!(rules_of(&checked("b.stl", between)), ["unexplained-bytes"]);
    }

    #[test]
    fn other_bytes_are_no_mesh() {
        let noise: Vec<u8> = (0..400u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(checked("noise", noise).layers[0].formats.is_empty());
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = binary(b"", 5);
        for len in 81..whole.len() {
            assert_ne!(checked("a.stl", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
        for len in 25..TEXT.len() - 20 {
            assert_ne!(checked("a.stl", &TEXT[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    /// A mesh whose triangles carry these attribute words.
    fn marked(words: &[u8]) -> Vec<u8> {
        let mut bytes = binary(b"header", words.len() as u32 / 2);
        for (index, word) in words.chunks_exact(2).enumerate() {
            bytes[84 + index * 50 + 48..84 + index * 50 + 50].copy_from_slice(word);
        }
        bytes
    }

    #[test]
    fn msh_01_the_header_the_attributes_and_the_tail() {
        let colors: Vec<u8> = (0..24u16).flat_map(|index| (0x8000 | (index * 541)).to_le_bytes()).collect();
        told("a.stl", marked(b"a text that was hidden in these."), "stl-attributes-hold-content", marked(&colors));
        let packed = crate::formats::zip::sample::archive(&[("a.txt", b"text\n\n\n\n")]);
        told("e.stl", marked(&packed), "stl-attributes-hold-content", marked(&[0x1f; 18]));
        told("b.stl", marked(b"#!/bin/sh\nexit 0\n"), "script", marked(&[0x1f; 18]));
        let headed = |text: &[u8]| binary(text, 2);
        told("c.stl", headed(b"<script>f()</script>"), "active-markup-in-text", headed(b"solid COLOR=\xff\0\0\xff"));
        told("d.stl", [binary(b"", 2), b"hidden".to_vec()].concat(), "unexplained-bytes", binary(b"", 2));
    }
}
