//! MATLAB MAT-files of level 5: variables as elements, plain or compressed.
//!
//! Specification: MAT-File Format, MathWorks. MAT-files of version 7.3 are HDF5.
//!
//! ```text
//! file     = text 116 | place of the subsystem data 8 | version 2 (0x0100) | "IM" or "MI" | element*
//! element  = type 4 | length 4 | data, filled up to 8        or in short: length 2, type 2 in one number | data 4
//! type 15  = compressed: a zlib stream of one element, not filled up
//! type 14  = matrix: flags and class | dimensions | name | what the class asks for: numbers, or further matrices
//! ```
//! The text is room for anything. Functions, objects of classes and Java objects are matrices like all others: their
//! class says what MATLAB makes of them.

use std::{ops::Range, rc::Rc};

use nom::number::Endianness;

use crate::{
    active_text,
    bytes::{Bytes, Cursor},
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    ledger::Kind,
    quote::quoted_bytes,
    rule::{Guideline, Rule, Runs, Severity},
    source::{Inflated, Paged, Wrapping},
    stop::{Limit, Stop},
};

/// MATLAB level 5.
pub static FORMAT: Format = Format {
    id: "matlab",
    name: "MATLAB MAT-file",
    spec: "https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf",
    extensions: &["mat", "fig"],
    media_types: &["application/x-matlab-data"],
    marks: &[Mark::at(124, b"\x00\x01IM"), Mark::at(124, b"\x01\x00MI")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[&FUNCTION, &JAVA_OBJECT, &OBJECT, &SUBSYSTEM_ELSEWHERE],
};

/// A function handle.
static FUNCTION: Rule = Rule {
    id: "matlab-function",
    title: "This file holds a function",
    why: "One of the variables is a function handle: a name of a function, or the text of one. Loading the file makes the \
          function; it runs when somebody calls it.",
    advice: "Look at the function before you call it (functions(f), func2str(f)).",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Note,
    see: &["https://www.mathworks.com/help/matlab/function-handles.html"],
};

/// A Java object.
static JAVA_OBJECT: Rule = Rule {
    id: "matlab-java-object",
    title: "Loading this file makes Java objects",
    why: "One of the variables is a Java object in its serialized form. MATLAB hands it to Java when the file is loaded; \
          objects chosen with care run commands while they are made.",
    advice: "Load only the variables that you need, by name, or ask the sender for plain arrays.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/502.html"],
};

/// An object of a class.
static OBJECT: Rule = Rule {
    id: "matlab-object",
    title: "This file holds objects of a class",
    why: "One of the variables is an object. Loading it calls functions of its class, as far as the class is installed on \
          this computer; the file itself only has the values.",
    advice: "Nothing to do, if you know the class.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Note,
    see: &["https://www.mathworks.com/help/matlab/ref/loadobj.html"],
};

/// The header says that the subsystem data is where no element is.
static SUBSYSTEM_ELSEWHERE: Rule = Rule {
    id: "matlab-subsystem-elsewhere",
    title: "The header leads to bytes that are no part of this file's variables",
    why: "MATLAB reads the data of objects and functions from the place that the header names. No element starts there.",
    advice: "Do not load the file. Ask the sender for one that is whole.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf"],
};

/// Length of the header.
const HEADER: u64 = 128;

/// The types of elements that matter here.
const INT8: u32 = 1;
const UINT32: u32 = 6;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let start = candidate.bytes.start();
    let Some(order) = order(&candidate.head(128)?) else { return Ok(false) };
    // No byte of the first four is zero: by that it is told from level 4.
    let text = candidate.head(4)?;
    if text.contains(&0) {
        return Ok(false);
    }
    let mut cursor = candidate.bytes.from(start.saturating_add(HEADER)).cursor();
    if cursor.remaining() < 8 {
        return Ok(cursor.is_empty());
    }
    let tag = Tag::read(&mut cursor, order)?;
    Ok(matches!(tag.kind, MATRIX | COMPRESSED) && !tag.short)
}

/// How much of a text is looked at, in bytes.
const CHARACTERS: usize = 64 << 10;

/// The byte order, by version and mark.
fn order(header: &[u8]) -> Option<Endianness> {
    match header.get(124..128)? {
        b"\x00\x01IM" => Some(Endianness::Little),
        b"\x01\x00MI" => Some(Endianness::Big),
        _ => None,
    }
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let header = visit.bytes.read(0, 128, "the header of a MAT-file")?;
    let order = order(&header).ok_or(Stop::malformed(124, "the version and the byte order of a MAT-file"))?;
    active_text::claim_reserved(visit, 0..116, "text of the header")?;
    visit.structure(116..HEADER, "header")?;
    let mut subsystem = visit.bytes.window(116..124).cursor();
    let subsystem = match order {
        Endianness::Big => subsystem.u64_be("the place of the subsystem data")?,
        _ => subsystem.u64_le("the place of the subsystem data")?,
    };
    // No subsystem data: zeros, or the spaces of writers that take the field for text.
    let mut subsystem = Some(subsystem).filter(|place| !matches!(*place, 0 | 0x2020_2020_2020_2020));

    let mut cursor = visit.bytes.from(HEADER).cursor();
    let mut number = 0u64;
    while cursor.remaining() >= 8 {
        let start = cursor.at();
        let tag = Tag::read(&mut cursor, order)?;
        if !matches!(tag.kind, MATRIX | COMPRESSED) || tag.short {
            // Behind the last variable: whatever it is, MATLAB does not read it.
            break;
        }
        number = number.saturating_add(1);
        visit.count("variable", 1);
        subsystem = subsystem.filter(|place| *place != start);
        let data = cursor.take(tag.len, "the data of an element")?;
        if tag.kind == MATRIX {
            read_matrices(visit, start..data.end(), order)?;
        } else {
            visit.structure(start..data.start(), "tag of a compressed element")?;
            inflate(visit, &data, number)?;
        }
    }
    if let Some(place) = subsystem {
        let message = format!("No element starts at {place:#x}.");
        visit.find(&SUBSYSTEM_ELSEWHERE, 116..124, message)?;
    }
    Ok(())
}

/// Opens what a compressed element holds.
fn inflate(visit: &mut Visit<'_>, data: &Bytes, number: u64) -> Result<(), Stop> {
    let inflated = Inflated::measure(data.clone(), Wrapping::Zlib)?;
    let end = data.start().saturating_add(inflated.compressed_len());
    let broken = inflated.stop().cloned();
    if let Some(stop) = broken {
        visit.note(stop);
    }
    let content = Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 4));
    visit.open(format!("variable {number}"), Span::Decoded(data.start()..end, content), Role::File)
}

/// The start of an element.
#[derive(Clone, Copy)]
pub(super) struct Tag {
    kind: u32,
    len: u64,
    /// The data stands in the tag.
    short: bool,
}

impl Tag {
    /// Reads a tag; of a short element the cursor then stands at its data.
    pub fn read(cursor: &mut Cursor, order: Endianness) -> Result<Self, Stop> {
        let number = |cursor: &mut Cursor| match order {
            Endianness::Big => cursor.u32_be("the tag of an element"),
            _ => cursor.u32_le("the tag of an element"),
        };
        let first = number(cursor)?;
        if first >> 16 != 0 {
            return Ok(Tag { kind: first & 0xffff, len: (first >> 16).into(), short: true });
        }
        Ok(Tag { kind: first, len: number(cursor)?.into(), short: false })
    }
}

/// Matrices inside each other: a file with more is not one that MATLAB wrote.
const DEPTH: usize = 1000;

/// A matrix that is being walked over.
struct Matrix {
    end: u64,
    /// Elements so far.
    count: u32,
    class: u8,
}

/// Classes of matrices.
const OBJECT_CLASS: u8 = 3;
const CHAR_CLASS: u8 = 4;
const FUNCTION_CLASS: u8 = 16;
const OPAQUE_CLASS: u8 = 17;

/// Walks over a matrix element and all matrices in it, without recursion.
pub(super) fn read_matrices(visit: &mut Visit<'_>, range: Range<u64>, order: Endianness) -> Result<(), Stop> {
    let mut cursor = visit.bytes.window(range.clone()).cursor();
    let mut open: Vec<Matrix> = Vec::new();
    loop {
        let at = cursor.at();
        while open.last().is_some_and(|matrix| at >= matrix.end) {
            open.pop();
        }
        let end = open.last().map_or(range.end, |matrix| matrix.end);
        if at >= end {
            return Ok(());
        }
        if end.saturating_sub(at) < 8 {
            // Writers that fill up the whole rather than the parts.
            visit.slack(at..end, "padding of a matrix")?;
            cursor.seek(end);
            continue;
        }
        let tag = Tag::read(&mut cursor, order)?;
        let data = cursor.at();
        let valid = (1..=18).contains(&tag.kind) && (!tag.short || (tag.len <= 4 && tag.kind != MATRIX));
        let data_end = data.checked_add(tag.len).filter(|data_end| valid && *data_end <= end);
        let data_end = data_end.ok_or(Stop::malformed(at, "an element that ends in its matrix"))?;
        if let Some(around) = open.last_mut() {
            around.count = around.count.saturating_add(1);
        }
        if tag.kind == MATRIX {
            visit.structure(at..data, "tag of a matrix")?;
            if open.len() >= DEPTH {
                return Err(Stop::Exhausted(Limit::Depth));
            }
            open.push(Matrix { end: data_end, count: 0, class: 0 });
            continue;
        }
        // Elements are filled up to 8, short ones to 4.
        let filled = if tag.short { data.saturating_add(4) } else { data.saturating_add(tag.len.next_multiple_of(8)) };
        let filled = filled.min(end);
        visit.structure(at..data, "tag of an element")?;
        visit.slack(data_end..filled, "padding of an element")?;
        match open.last_mut() {
            Some(matrix) => read_element(visit, matrix, tag, data..data_end)?,
            None => visit.opaque(data..data_end, "values")?,
        }
        cursor.seek(filled);
    }
}

/// One element of a matrix: by its number the flags, the dimensions, the name, or values.
fn read_element(visit: &mut Visit<'_>, matrix: &mut Matrix, tag: Tag, data: Range<u64>) -> Result<(), Stop> {
    match (matrix.count, matrix.class) {
        (1, _) => {
            let flags = visit.bytes.window(data.clone()).all()?;
            // The class is the lowest byte of the first number.
            let (first, fourth) = (flags.first().copied().unwrap_or(0), flags.get(3).copied().unwrap_or(0));
            matrix.class = if first == 0 { fourth } else { first };
            match matrix.class {
                FUNCTION_CLASS => {
                    visit.find(&FUNCTION, data.clone(), "A variable is a function handle.")?;
                }
                OBJECT_CLASS => visit.find(&OBJECT, data.clone(), "A variable is an object.")?,
                _ => {}
            }
            visit.structure(data, "array flags")
        }
        // An opaque one has no dimensions: name, system of types, class.
        (3, OPAQUE_CLASS) => {
            let system = visit.bytes.peek(data.start, usize::try_from(tag.len.min(64)).unwrap_or(64))?;
            let message = format!("A variable is an object of the system {}.", quoted_bytes(&system));
            let rule: &'static Rule = if system == b"java" { &JAVA_OBJECT } else { &OBJECT };
            visit.find(rule, data.clone(), message)?;
            visit.structure(data, "system of types")
        }
        (2 | 3, _) | (4, OPAQUE_CLASS) => visit.structure(data, "dimensions and name"),
        (_, CHAR_CLASS) => {
            // As UTF-16, one byte a character or UTF-8: the zeros between letters are passed over.
            let text = visit.bytes.window(data.clone()).peek(data.start, CHARACTERS)?;
            let text: Vec<u8> = text.into_iter().filter(|byte| *byte != 0).collect();
            visit.slack(data.clone(), "characters")?;
            active_text::look(visit, data, "A text", &text)
        }
        _ if tag.kind == INT8 => visit.claim(data, Kind::Slack, "names"),
        _ => visit.opaque(data, "values"),
    }
}

/// Whether bytes are one matrix element from their first to their last, and in which byte order.
pub(super) fn whole_matrix(bytes: &Bytes) -> Result<Option<Endianness>, Stop> {
    for order in [Endianness::Little, Endianness::Big] {
        let mut cursor = bytes.cursor();
        if cursor.remaining() < 16 {
            return Ok(None);
        }
        let matrix = Tag::read(&mut cursor, order)?;
        let flags = Tag::read(&mut cursor, order)?;
        let fits = matrix.len.saturating_add(8) == bytes.len();
        if matrix.kind == MATRIX && !matrix.short && fits && flags.kind == UINT32 && flags.len == 8 {
            return Ok(Some(order));
        }
    }
    Ok(None)
}

#[cfg(test)]
pub(super) mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::*;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    pub(crate) fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut element = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        element.extend(data);
        if kind != COMPRESSED {
            element.resize(element.len().next_multiple_of(8), 0);
        }
        element
    }

    fn short(kind: u16, data: &[u8]) -> Vec<u8> {
        let mut element = [kind.to_le_bytes(), (data.len() as u16).to_le_bytes()].concat();
        element.extend(data);
        element.resize(8, 0);
        element
    }

    pub(crate) fn matrix(class: u8, name: &[u8], parts: &[Vec<u8>]) -> Vec<u8> {
        let mut data = element(UINT32, &[class, 0, 0, 0, 0, 0, 0, 0]);
        if class != OPAQUE_CLASS {
            data.extend(element(5, &[1, 0, 0, 0, 1, 0, 0, 0]));
        }
        data.extend(if name.len() <= 4 { short(1, name) } else { element(1, name) });
        data.extend(parts.concat());
        element(MATRIX, &data)
    }

    fn numbers() -> Vec<u8> {
        matrix(6, b"volume", &[element(9, &[1, 2, 3, 4, 5, 6, 7, 8])])
    }

    fn sample(elements: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"MATLAB 5.0 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024".to_vec();
        bytes.resize(116, b' ');
        bytes.extend([0; 8]);
        bytes.extend(b"\x00\x01IM");
        bytes.extend(elements.concat());
        bytes
    }

    fn compressed(matrix: &[u8]) -> Vec<u8> {
        element(COMPRESSED, &compress_to_vec_zlib(matrix, 6))
    }

    #[test]
    fn variables_are_just_data() {
        let text = matrix(4, b"note", &[element(16, b"any text")]);
        let cell = matrix(1, b"cell", &[numbers(), element(MATRIX, &[]), text.clone()]);
        let fields = [short(5, &[8, 0, 0, 0]), element(1, b"spacing\0"), numbers()];
        for elements in [vec![], vec![numbers()], vec![text, cell], vec![matrix(2, b"s", &fields)]] {
            let report = checked("a.mat", sample(&elements));
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["matlab"]);
        }
        let books = checked("a.mat", sample(&[numbers()])).layers[0].coverage;
        assert_eq!((books.opaque, books.slack), (8, 116 + 2), "{books:?}");
    }

    #[test]
    fn big_endian_is_read() {
        let mut bytes = sample(&[]);
        bytes[124..128].copy_from_slice(b"\x01\x00MI");
        let numbers = [0u32, 14, 40, 6, 8, 0x0600, 0, 5, 8, 1, 1, 0x0001_0001, 0x6100_0000, 0x0001_0002, 0x0708_0000];
        bytes.extend(numbers.iter().skip(1).flat_map(|number| number.to_be_bytes()));
        bytes.truncate(128 + 48);
        assert_eq!(checked("a.mat", bytes).verdict, Verdict::JustData);
    }

    #[test]
    fn compressed_variables_are_layers() {
        let report = checked("a.mat", sample(&[compressed(&numbers()), compressed(&numbers())]));
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        assert_eq!((report.layers.len(), report.layers[2].formats[0].as_str()), (3, "matlab-element"));
    }

    #[test]
    fn functions_and_objects_are_told() {
        let function = matrix(FUNCTION_CLASS, b"f", &[numbers()]);
        let object = matrix(OBJECT_CLASS, b"o", &[short(1, b"cls"), numbers()]);
        let opaque = |system: &[u8]| matrix(OPAQUE_CLASS, b"o", &[short(1, system), element(1, b"string"), numbers()]);
        for (element, rule) in
            [(function, "matlab-function"), (object, "matlab-object"), (opaque(b"MCOS"), "matlab-object")]
        {
            for bytes in [sample(std::slice::from_ref(&element)), sample(&[compressed(&element)])] {
                let report = checked("a.mat", bytes);
                assert_eq!((report.verdict, report.findings.len()), (Verdict::JustData, 1), "{report:#?}");
                assert_eq!(report.findings[0].rule, rule);
            }
        }
        assert_eq!(rules_of(&checked("a.mat", sample(&[opaque(b"java")]))), ["matlab-java-object"]);
    }

    #[test]
    fn a_subsystem_that_is_no_element_is_found() {
        let mut bytes = sample(&[numbers(), numbers()]);
        let second = 128 + numbers().len() as u64;
        bytes[116..124].copy_from_slice(&second.to_le_bytes());
        assert_eq!(checked("a.mat", bytes.clone()).verdict, Verdict::JustData);
        bytes[116..124].copy_from_slice(&(second + 8).to_le_bytes());
        assert_eq!(rules_of(&checked("a.mat", bytes.clone())), ["matlab-subsystem-elsewhere"]);
        bytes[116..124].fill(b' ');
        assert_eq!(checked("a.mat", bytes).verdict, Verdict::JustData);
    }

    #[test]
    fn what_follows_the_last_variable_is_news() {
        for tail in [&b"PK\x03\x04 and more"[..], b"\x7fELF\x02\x01\x01\0", b"short"] {
            let mut bytes = sample(&[numbers()]);
            bytes.extend(tail);
            assert_eq!(rules_of(&checked("a.mat", bytes)), ["unexplained-bytes"]);
        }
        let mut behind_stream = compress_to_vec_zlib(&numbers(), 6);
        behind_stream.extend(b"behind the stream");
        let bytes = sample(&[element(COMPRESSED, &behind_stream)]);
        assert_eq!(rules_of(&checked("a.mat", bytes)), ["unexplained-bytes"]);
    }

    #[test]
    fn damage_is_unfinished() {
        let mut inner = sample(&[numbers()]);
        inner[128 + 8 + 4] = 0xff;
        let mut broken = sample(&[compressed(&numbers())]);
        let len = broken.len();
        broken[len - 8] ^= 0xff;
        let mut nested = numbers();
        for _ in 0..1200 {
            nested = element(MATRIX, &nested);
        }
        for bytes in [inner, broken, sample(&[nested])] {
            assert_eq!(checked("a.mat", bytes).verdict, Verdict::Unfinished);
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        for whole in [sample(&[numbers()]), sample(&[compressed(&numbers())])] {
            for len in 129..whole.len() {
                assert_ne!(checked("a.mat", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
            }
        }
    }

    fn headed(text: &[u8]) -> Vec<u8> {
        let mut bytes = sample(&[numbers()]);
        bytes[..116].fill(b' ');
        bytes[..text.len()].copy_from_slice(text);
        bytes
    }

    #[test]
    fn mat_01_the_text_of_the_header() {
        told("a.mat", headed(b"<script>f()</script>"), "active-markup-in-text", headed(b"MATLAB 5.0 MAT-file, a < b"));
        told("b.mat", headed(b"MATLAB\0\x01\x02\x03\x04\x05"), "unexplained-bytes", headed(b"written by hand"));
    }

    #[test]
    fn mat_02_the_subsystem() {
        let at = |place: u64| {
            let mut bytes = sample(&[numbers(), numbers()]);
            bytes[116..124].copy_from_slice(&place.to_le_bytes());
            bytes
        };
        told("a.mat", at(0x4141_4141), "matlab-subsystem-elsewhere", at(0));
    }

    #[test]
    fn mat_03_behind_the_last_variable() {
        told("a.mat", [sample(&[numbers()]), b"hidden".to_vec()].concat(), "unexplained-bytes", sample(&[numbers()]));
    }

    #[test]
    fn mat_04_characters_that_are_a_program() {
        let text = |text: &str| {
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            sample(&[matrix(4, b"note", &[element(4, &wide)])])
        };
        told("a.mat", text("import os\nos.system('id')\n"), "program-text-in-value", text("any text, in two\nlines"));
    }

    #[test]
    fn mat_05_functions_and_objects_are_notes() {
        let function = checked("a.mat", sample(&[matrix(FUNCTION_CLASS, b"f", &[numbers()])]));
        assert_eq!((function.verdict, function.findings[0].rule.as_str()), (Verdict::JustData, "matlab-function"));
        assert_eq!(checked("a.mat", sample(&[numbers()])).findings.len(), 0);
    }
}
