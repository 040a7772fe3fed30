//! Points of 3D Slicer in text: markups lists and the older annotations.
//!
//! Specification: vtkMRMLMarkupsFiducialStorageNode and vtkMRMLAnnotationFiducialsStorageNode of 3D Slicer.
//!
//! ```text
//! # Markups fiducial file version = 5.8        # Name = …        (annotations: # pointNumberingScheme = … and so on)
//! # CoordinateSystem = LPS                     # pointColumns = type|x|y|z|sel|vis
//! # columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID
//! 1,0,0,0,0,0,0,1,1,1,0,label,description,      point|0|0|0|1|1
//! ```
//! Labels and descriptions are texts for people. The text itself is read by the reader of plain text.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::text::is_text,
    rich_text,
    stop::Stop,
};

/// Points in text.
pub static FORMAT: Format = Format {
    id: "slicer-annotations",
    name: "3D Slicer points in text",
    spec: "https://slicer.readthedocs.io/en/latest/developer_guide/modules/markups.html",
    extensions: &["fcsv", "acsv"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Text,
    within: None,
    rules: &[],
};

/// Comments come first, and one of them says what the columns are.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    if !is_text(candidate)? {
        return Ok(false);
    }
    let head = candidate.head(4096)?;
    let comments = head.split(|byte| *byte == b'\n').take_while(|line| line.starts_with(b"#"));
    let keys = comments.filter_map(|line| line.split(|byte| *byte == b'=').next());
    Ok(keys
        .map(|key| key.strip_prefix(b"#").unwrap_or(key).trim_ascii())
        .any(|key| matches!(key, b"Markups fiducial file version" | b"pointNumberingScheme" | b"pointColumns")))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    rich_text::look_in_lines(visit, "The text of a point")
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn list(label: &str) -> String {
        format!(
            "# Markups fiducial file version = 4.10\n# CoordinateSystem = 0\n\
             # columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n\
             vtkMRMLMarkupsFiducialNode_0,1.5,2,3,0,0,0,1,1,1,0,{label},,vtkMRMLScalarVolumeNode1\n"
        )
    }

    #[test]
    fn points_are_just_data() {
        for (name, text) in [
            ("a.fcsv", list("F-1 < 5 mm")),
            ("a.acsv", "# pointColumns = type|x|y|z|sel|vis\npoint|1|2|3|1|1\n".into()),
        ] {
            let report = checked(name, text);
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
            assert!(report.layers[0].formats.contains(&"slicer-annotations".into()));
        }
    }

    #[test]
    fn labels_that_load_or_run_are_found() {
        let loads = list("<img src=https://example.org/x.png>");
        assert_eq!(rules_of(&checked("a.fcsv", loads)), ["rich-text-loads-from-server"]);
        assert_eq!(rules_of(&checked("a.fcsv", list("<script>1</script>"))), ["rich-text-carries-script"]);
    }

    #[test]
    fn other_text_is_none() {
        let report = checked("a.txt", "a = b\n# pointColumns = type\n");
        assert_eq!(report.layers[0].formats, ["text"]);
    }
}
