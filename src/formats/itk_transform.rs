//! ITK transforms as text.
//!
//! Specification: ITK, `itkTxtTransformIO`.
//!
//! ```text
//! "#Insight Transform File V1.0"
//! transform = "#Transform" n | "Transform:" kind | "Parameters:" numbers | "FixedParameters:" numbers
//! composite = "Transform: CompositeTransform…" | names of files, a line each
//! ```

use crate::{
    format::{Buried, Candidate, Format, Holds, Mark, Nature, Visit},
    formats::obj::report_reference,
    numbers::{is_number, tokens},
    reference::classify,
    stop::Stop,
};

/// ITK transform.
pub static FORMAT: Format = Format {
    id: "itk-transform",
    name: "ITK transform",
    spec: "https://docs.itk.org/projects/doxygen/en/stable/classitk_1_1TxtTransformIOTemplate.html",
    extensions: &["tfm"],
    media_types: &[],
    marks: &[Mark::start(b"#Insight Transform File")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(64)?;
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(line.trim_ascii().strip_prefix(b"#Insight Transform File V").is_some_and(is_number))
}

/// The longest line: a displacement grid is one line of numbers.
const LONGEST: usize = 8 << 20;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let mut composite = false;
    // A transform wants its parameters: a file that ends before them is cut.
    let mut waits = true;
    while let Some((range, line)) = cursor.line(LONGEST)? {
        let line = line.trim_ascii();
        let first = range.start == 0;
        if line.is_empty() || first {
            visit.structure(range, "transform")?;
            continue;
        }
        if let Some(number) = line.strip_prefix(b"#Transform") {
            if is_number(number.trim_ascii()) {
                visit.structure(range, "transform")?;
            }
            continue;
        }
        let (key, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => {
                let (key, value) = line.split_at_checked(colon).unwrap_or((line, b""));
                (key, value.get(1..).unwrap_or_default().trim_ascii())
            }
            None => (&b""[..], line),
        };
        match key {
            b"Transform" if value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') => {
                composite = value.starts_with(b"CompositeTransform");
                waits = !composite;
                visit.structure(range, "transform")?;
            }
            b"Parameters" | b"FixedParameters" if tokens(value).all(is_number) => {
                waits = false;
                visit.structure(range, "transform")?;
            }
            // A drive letter or a scheme holds a colon, too.
            _ if composite && !line.starts_with(b"#") => {
                let name = String::from_utf8_lossy(line).into_owned();
                visit.structure(range.clone(), "name of a file")?;
                visit.name_file(range.clone(), &name, Holds::File);
                report_reference(visit, &range, Some((&name, classify(&name))))?;
            }
            _ => {}
        }
    }
    if waits { Err(Stop::malformed(visit.bytes.end(), "the parameters of a transform")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    const SAMPLE: &str = "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n\
                          Parameters: 1 0 0 0 1 0 0 0 1 -1.5e-3 0 0\nFixedParameters: 0 0 0\n";

    fn composite(name: &str) -> String {
        format!("#Insight Transform File V1.0\n#Transform 0\nTransform: CompositeTransform_double_3_3\n{name}\n")
    }

    #[test]
    fn transforms_are_just_data() {
        let inline =
            SAMPLE.replace("#Transform 0\n", "#Transform 0\nTransform: CompositeTransform_double_3_3\n#Transform 1\n");
        for text in [SAMPLE.to_string(), SAMPLE.replace('\n', "\r\n"), inline, composite("part.tfm\nparts/b.tfm")] {
            let report = checked("a.tfm", text);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["itk-transform"]);
        }
    }

    #[test]
    fn parts_outside_the_folder_are_found() {
        for (name, rule) in [
            ("../part.tfm", "reference-leaves-folder"),
            ("C:\\part.tfm", "reference-by-whole-path"),
            ("\\\\host\\share\\part.tfm", "reference-to-server"),
        ] {
            assert_eq!(rules_of(&checked("a.tfm", composite(name))), [rule]);
        }
    }

    #[test]
    fn other_lines_are_news() {
        for line in ["print(1)", "Parameters: 1 2 $(id)", "Command: id"] {
            assert_eq!(rules_of(&checked("a.tfm", format!("{SAMPLE}{line}\n"))), ["unexplained-bytes"]);
        }
    }

    #[test]
    fn a_cut_before_the_parameters_is_unfinished() {
        for len in 29..SAMPLE.find("Parameters").unwrap() {
            assert_ne!(checked("a.tfm", &SAMPLE[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn itk_01_other_lines() {
        told("a.tfm", format!("{SAMPLE}hidden\n"), "unexplained-bytes", format!("{SAMPLE}\n"));
    }

    #[test]
    fn itk_02_parts_of_a_composite() {
        told("a.tfm", composite("/etc/hostname"), "reference-by-whole-path", composite("part.tfm"));
    }
}
