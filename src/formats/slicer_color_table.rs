//! Colour tables of 3D Slicer: a number, a name and a colour a line.
//!
//! Specification: vtkMRMLColorTableStorageNode of 3D Slicer.
//!
//! ```text
//! # Color table file …             comments
//! 1 bone 241 214 145 255           number | name without spaces | red | green | blue | opacity
//! ```
//! Names are texts for people. The text itself is read by the reader of plain text.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::text::is_text,
    numbers::{count, tokens},
    rich_text,
    stop::Stop,
};

/// Colour tables.
pub static FORMAT: Format = Format {
    id: "slicer-color-table",
    name: "3D Slicer color table",
    spec: "https://slicer.readthedocs.io/en/latest/user_guide/modules/colors.html",
    extensions: &["ctbl"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Text,
    within: None,
    rules: &[],
};

/// The name or the first comment says it, and the first line that is no comment is a colour.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    if !is_text(candidate)? {
        return Ok(false);
    }
    let head = candidate.head(4096)?;
    if !candidate.is_named(FORMAT.extensions) && !head.starts_with(b"# Color table") {
        return Ok(false);
    }
    let mut lines = head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    Ok(lines.find(|line| !line.starts_with(b"#")).is_some_and(is_color))
}

/// A number, a name, and three or four parts of a colour up to 255.
fn is_color(line: &[u8]) -> bool {
    let mut parts = tokens(line);
    let is_numbered = parts.next().and_then(count).is_some();
    let is_named = parts.next().is_some();
    let color: Vec<_> = parts.map(|part| count(part).filter(|part| *part <= 255)).collect();
    is_numbered && is_named && matches!(color.len(), 3 | 4) && color.iter().all(Option::is_some)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    rich_text::look_in_lines(visit, "The name of a color")
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn tables_are_just_data() {
        for table in
            ["# Color table file a.ctbl\n# 2 values\n0 5 0 255 0 255\n1 10 128 255 0 255\n", "1 bone 241 214 145 255\n"]
        {
            let report = checked("a.ctbl", table);
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
            assert!(report.layers[0].formats.contains(&"slicer-color-table".into()));
        }
    }

    #[test]
    fn names_that_load_are_found() {
        let table = "1 <img/src=https://example.org/x.png> 241 214 145 255\n";
        assert_eq!(rules_of(&checked("a.ctbl", table)), ["rich-text-loads-from-server"]);
    }

    #[test]
    fn other_tables_are_none() {
        assert!(!checked("a.txt", "0 0 0 0 0\n").layers[0].formats.contains(&"slicer-color-table".into()));
        for text in ["1 2 3\n", "1 bone 300 0 0\n", "# Color table\n", "bone 1 2 3 4\n"] {
            assert!(!checked("a.ctbl", text).layers[0].formats.contains(&"slicer-color-table".into()), "{text}");
        }
    }
}
