//! elastix parameters and transforms: lines of text, a key and its values in parentheses.
//!
//! Specification: the elastix manual, "The parameter file".
//!
//! ```text
//! line = ( key value* ) [ // comment ] | // comment | empty            value = number | "text"
//! ```
//! A transform may go on from another one: `(InitialTransformParametersFileName "name")` makes the program read that
//! file.

use std::ops::Range;

use crate::{
    format::{Buried, Candidate, Format, Holds, Nature, Visit},
    formats::obj::report_reference,
    numbers::is_number,
    reference::classify,
    rules,
    stop::Stop,
};

/// elastix parameters.
pub static FORMAT: Format = Format {
    id: "elastix",
    name: "elastix parameters",
    spec: "https://elastix.dev/doxygen/parameter.html",
    extensions: &[],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// The keys without which a file is no parameter file of a registration or a transform.
const TELLING: &[&[u8]] = &[
    b"Transform",
    b"TransformParameters",
    b"InitialTransformParametersFileName",
    b"InitialTransformParameterFileName",
    b"Registration",
    b"Metric",
    b"Optimizer",
    b"FixedImageDimension",
];

/// Every line of the head is of the form, and a key tells.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(8 << 10)?;
    let whole = head.len() as u64 == candidate.bytes.len();
    let mut lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
    if !whole {
        lines.pop();
    }
    let mut told = false;
    for line in lines {
        match Line::of(line) {
            Line::Entry { key, .. } => told = told || TELLING.contains(&key),
            Line::Blank | Line::Comment => {}
            // What follows the first entry is for the reader to tell.
            Line::Foreign if told => return Ok(true),
            Line::Foreign => return Ok(false),
        }
    }
    Ok(told)
}

/// What stands for no transform to start from.
const NO_TRANSFORM: &str = "NoInitialTransform";

/// The longest line: a spline has many parameters.
const LONGEST: usize = 8 << 20;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    while let Some((range, line)) = cursor.line(LONGEST)? {
        match Line::of(&line) {
            Line::Blank => visit.structure(range, "parameters")?,
            Line::Comment => visit.slack(range, "comment")?,
            Line::Entry { key, values } => {
                visit.structure(range.clone(), "parameters")?;
                if key.ends_with(b"FileName") || key.ends_with(b"FileNames") {
                    find_references(visit, &range, &values)?;
                }
            }
            Line::Foreign => {}
        }
    }
    Ok(())
}

fn find_references(visit: &mut Visit<'_>, range: &Range<u64>, values: &[&[u8]]) -> Result<(), Stop> {
    for value in values {
        let name = String::from_utf8_lossy(value).into_owned();
        let reference = classify(&name);
        if name != NO_TRANSFORM {
            visit.name_file(range.clone(), &name, Holds::File);
        }
        if rules::of_reference(&reference).is_some() {
            report_reference(visit, range, Some((&name, reference)))?;
        }
    }
    Ok(())
}

enum Line<'a> {
    Blank,
    Comment,
    /// A key and its values, without quotation marks.
    Entry {
        key: &'a [u8],
        values: Vec<&'a [u8]>,
    },
    Foreign,
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Self {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Line::Blank;
        }
        if line.starts_with(b"//") {
            return Line::Comment;
        }
        Line::entry(line).unwrap_or(Line::Foreign)
    }

    fn entry(line: &'a [u8]) -> Option<Self> {
        let mut rest = line.strip_prefix(b"(")?.trim_ascii_start();
        let len = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let (key, behind) = rest.split_at_checked(len)?;
        if key.is_empty() {
            return None;
        }
        rest = behind;
        let mut values = Vec::new();
        loop {
            rest = rest.trim_ascii_start();
            if let Some(behind) = rest.strip_prefix(b")") {
                let behind = behind.trim_ascii();
                return (behind.is_empty() || behind.starts_with(b"//")).then_some(Line::Entry { key, values });
            }
            let end;
            if let Some(text) = rest.strip_prefix(b"\"") {
                let len = text.iter().position(|byte| *byte == b'"')?;
                values.push(text.get(..len)?);
                end = len.saturating_add(2);
            } else {
                let len = rest.iter().take_while(|byte| !byte.is_ascii_whitespace() && **byte != b')').count();
                let value = rest.get(..len)?;
                // Old files write numbers without quotation marks, and some words.
                let word = len > 0 && value.iter().all(u8::is_ascii_alphanumeric);
                if !word && !is_number(value) {
                    return None;
                }
                end = len;
            }
            rest = rest.get(end..)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn sample(initial: &str) -> String {
        format!(
            "// made by hand\n(Transform \"EulerTransform\")\n(NumberOfParameters 6)\n\
             (TransformParameters 0.1 -2e-3 0 0 0 0) // six\n(InitialTransformParametersFileName \"{initial}\")\n\n\
             (HowToCombineTransforms \"Compose\")\n(FixedImageDimension 3)\n"
        )
    }

    #[test]
    fn parameters_are_just_data() {
        for name in ["NoInitialTransform", "TransformParameters.0.txt", "first/TransformParameters.0.txt"] {
            let report = checked("TransformParameters.1.txt", sample(name));
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["elastix"]);
        }
    }

    #[test]
    fn transforms_outside_the_folder_are_found() {
        for (name, rule) in [
            ("../../TransformParameters.0.txt", "reference-leaves-folder"),
            ("/etc/hostname", "reference-by-whole-path"),
            ("\\\\host\\share\\t.txt", "reference-to-server"),
        ] {
            assert_eq!(rules_of(&checked("t.txt", sample(name))), [rule]);
        }
    }

    #[test]
    fn other_lines_are_news() {
        for line in ["import os", "(Transform $(id))", "(Transform \"x\") id"] {
            let report = checked("t.txt", sample("NoInitialTransform") + line);
            assert_eq!(rules_of(&report), ["unexplained-bytes"], "{line}");
        }
    }

    #[test]
    fn other_text_is_not_elastix() {
        for text in ["(a note in parentheses)\n", "(define (f x) x)\n", "(print \"x\")\n"] {
            assert_eq!(checked("a.txt", text).layers[0].formats, ["text"]);
        }
    }

    #[test]
    fn no_cut_panics() {
        let whole = sample("NoInitialTransform");
        for len in 0..whole.len() {
            checked("t.txt", &whole[..len]);
        }
    }

    #[test]
    fn itk_02_the_initial_transform() {
        told("t.txt", sample("\\\\192.0.2.1\\s\\t.txt"), "reference-to-server", sample("NoInitialTransform"));
        told("u.txt", sample("/etc/hostname"), "reference-by-whole-path", sample("TransformParameters.0.txt"));
    }
}
