//! MNI transforms: linear ones, and grids that stand in a volume beside the file.
//!
//! Specification: the MNI autoregistration library, `General_transform` in volume_io.
//!
//! ```text
//! "MNI Transform File" | % comment* | statement+
//! statement = name "=" value* ";"        Transform_Type, Invert_Flag, Linear_Transform, Displacement_Volume,
//!                                        Number_Dimensions, Points, Displacements
//! ```
//! `Displacement_Volume` makes the program read that volume.

use std::ops::Range;

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    formats::obj::report_reference,
    numbers::{is_number, tokens},
    reference::classify,
    stop::Stop,
};

/// MNI transform.
pub static FORMAT: Format = Format {
    id: "mni-transform",
    name: "MNI transform",
    spec: "https://en.wikibooks.org/wiki/MINC/Reference/MINC_transform_file_format",
    extensions: &["xfm"],
    media_types: &[],
    marks: &[Mark::start(MAGIC)],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

const MAGIC: &[u8] = b"MNI Transform File";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(MAGIC.len().saturating_add(8))?;
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(line.trim_ascii_end() == MAGIC && line.len() < head.len())
}

/// The longest line.
const LONGEST: usize = 64 << 10;

/// A statement that is not yet closed.
struct Open {
    name: Vec<u8>,
    lines: Range<u64>,
    values: Vec<u8>,
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let mut open: Option<Open> = None;
    let mut any = false;
    while let Some((range, line)) = cursor.line(LONGEST)? {
        let line = line.trim_ascii();
        if range.start == 0 || line.is_empty() {
            visit.structure(range, "transform")?;
            continue;
        }
        if line.starts_with(b"%") {
            visit.slack(range, "comment")?;
            continue;
        }
        let (body, closed) = line.strip_suffix(b";").map_or((line, false), |body| (body, true));
        let mut statement = match open.take() {
            Some(statement) => statement,
            None => {
                let equals = body.iter().position(|byte| *byte == b'=');
                let Some((name, _)) = equals.and_then(|at| body.split_at_checked(at)) else { continue };
                Open { name: name.trim_ascii().to_vec(), lines: range.start..range.start, values: Vec::new() }
            }
        };
        let values = match statement.lines.is_empty() {
            true => body.splitn(2, |byte| *byte == b'=').nth(1).unwrap_or_default(),
            false => body,
        };
        // Numbers are looked at line by line, so that a long list is never kept.
        let is_list = matches!(
            statement.name.as_slice(),
            b"Linear_Transform" | b"Points" | b"Displacements" | b"Number_Dimensions"
        );
        if is_list {
            if !tokens(values).all(is_number) {
                continue;
            }
        } else if statement.values.len() < LONGEST {
            statement.values.extend_from_slice(values);
        }
        statement.lines.end = range.end;
        if is_list {
            visit.structure(range.clone(), "transform")?;
        }
        if !closed {
            open = Some(statement);
            continue;
        }
        any = true;
        let text = statement.values.trim_ascii();
        match statement.name.as_slice() {
            b"Transform_Type" | b"Invert_Flag"
                if text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') =>
            {
                visit.structure(statement.lines, "transform")?;
            }
            b"Displacement_Volume" => {
                visit.structure(statement.lines.clone(), "name of a volume")?;
                let name = String::from_utf8_lossy(text).into_owned();
                report_reference(visit, &statement.lines, Some((&name, classify(&name))))?;
            }
            _ => {}
        }
    }
    if open.is_some() || !any {
        return Err(Stop::malformed(visit.bytes.end(), "a statement with its semicolon"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    const SAMPLE: &str = "MNI Transform File\n% made by hand\n\nTransform_Type = Linear;\nLinear_Transform =\n\
                          1 0 0 -0.5\n0 1 0 1e-3\n 0 0 1 0;\n";

    fn grid(name: &str) -> String {
        format!("{SAMPLE}Transform_Type = Grid_Transform;\nInvert_Flag = True;\nDisplacement_Volume = {name};\n")
    }

    #[test]
    fn transforms_are_just_data() {
        for text in [SAMPLE.to_string(), SAMPLE.replace('\n', "\r\n"), grid("a_grid_0.mnc")] {
            let report = checked("a.xfm", text);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["mni-transform"]);
        }
    }

    #[test]
    fn volumes_outside_the_folder_are_found() {
        for (name, rule) in [
            ("../../a_grid_0.mnc", "reference-leaves-folder"),
            ("/etc/hostname", "reference-by-whole-path"),
            ("\n\\\\host\\share\\a.mnc", "reference-to-server"),
        ] {
            assert_eq!(rules_of(&checked("a.xfm", grid(name))), [rule]);
        }
    }

    #[test]
    fn other_lines_are_news() {
        for line in ["import os\n", "Command = id;\n", "Transform_Type = $(id);\n"] {
            assert_eq!(rules_of(&checked("a.xfm", format!("{SAMPLE}{line}"))), ["unexplained-bytes"], "{line}");
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        for len in 20..SAMPLE.len() - 2 {
            let report = checked("a.xfm", &SAMPLE[..len]);
            let between = SAMPLE[..len].trim_end().ends_with(';');
            assert!(between || report.verdict != Verdict::JustData, "cut at {len}");
        }
    }
}
