//! Markups of 3D Slicer: points, lines, curves and planes with their labels, in JSON.
//!
//! Specification: the schema markups-schema-v1.0.3.json of 3D Slicer.
//!
//! ```text
//! { "@schema": "https://…/markups-schema-v1.0.3.json#",
//!   "markups": [ { "type": "Fiducial", "controlPoints": [ { "label": "…", "description": "…", "position": [x, y, z] } ] } ] }
//! ```
//! The address of the schema is an identifier. Labels and descriptions are texts for people.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Step, Token},
    rich_text,
    stop::Stop,
};

/// Markups.
pub static FORMAT: Format = Format {
    id: "slicer-markups",
    name: "3D Slicer markups",
    spec: "https://github.com/Slicer/Slicer/tree/main/Modules/Loadable/Markups/Resources/Schema",
    extensions: &["mrk.json"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    json::shows(candidate, |walker, event| {
        matches!(event.token, Token::Key(_))
            && walker.depth() == 3
            && matches!(
                walker.path().collect::<Vec<_>>().as_slice(),
                [Step::Key("markups"), Step::Index(_), Step::Key("type" | "controlPoints")]
            )
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    rich_text::look_in_json(visit)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    const SAMPLE: &str = r##"{"@schema": "https://raw.githubusercontent.com/slicer/slicer/master/markups-schema-v1.0.3.json#",
        "markups": [{"type": "Fiducial", "controlPoints": [{"id": "1", "label": "LABEL", "position": [0, 0, 0]}]}]}"##;

    #[test]
    fn markups_are_just_data() {
        for label in [
            "F-1",
            "a < b and <5 mm>",
            "<b>bold</b> <i>text</i> <img src=beside.png>",
            "<a href='https://example.org'>more</a>",
            "https://example.org/x.png",
            "<note only='(a)'>",
        ] {
            let report = checked("a.mrk.json", SAMPLE.replace("LABEL", label));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{label}");
            assert!(report.layers[0].formats.contains(&"slicer-markups".into()));
        }
    }

    #[test]
    fn texts_that_load_or_run_are_found() {
        for (label, rule) in [
            ("<img src=\\\"http://192.0.2.16/x.png\\\">", "rich-text-loads-from-server"),
            ("<IMG/SRC=//192.0.2.16/x>", "rich-text-loads-from-server"),
            ("<img src='\\\\\\\\host\\\\x'>", "rich-text-loads-from-server"),
            ("<p style='background: URL(http://a.example/x)'>", "rich-text-loads-from-server"),
            ("<style>@import 'http://a.example/x'</style>", "rich-text-loads-from-server"),
            ("<img srcset='a.png 1x, http://a.example/x 2x'>", "rich-text-loads-from-server"),
            ("<script>1</script>", "rich-text-carries-script"),
            ("<svg onload=alert(1)>", "rich-text-carries-script"),
            ("<a href=javascript:alert(1)>x</a>", "rich-text-carries-script"),
        ] {
            let report = checked("a.mrk.json", SAMPLE.replace("LABEL", label));
            assert_eq!(rules_of(&report), [rule], "{label}");
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        for len in 1..SAMPLE.len() {
            assert_ne!(checked("a.mrk.json", &SAMPLE[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn sli_02_rich_text() {
        let label = |text: &str| SAMPLE.replace("LABEL", text);
        told("a.mrk.json", label("<img src=http://192.0.2.16/x.png>"), "rich-text-loads-from-server", label("F-1"));
    }
}
