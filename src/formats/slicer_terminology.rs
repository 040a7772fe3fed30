//! Terminologies of 3D Slicer and of dcmqi: the codes that segments are named by, with their colours, in JSON.
//!
//! Specification: the schemas segment-context-schema.json and anatomic-context-schema.json of dcmqi.
//!
//! ```text
//! { "@schema": "https://…/segment-context-schema.json#", "SegmentationCategoryTypeContextName": "…",
//!   "SegmentationCodes": { "Category": [ { "CodeMeaning": "…", "CodeValue": "…", "Type": [ … ] } ] } }
//! { "AnatomicContextName": "…", "AnatomicCodes": { "AnatomicRegion": [ … ] } }
//! ```
//! The address of the schema is an identifier. Meanings are texts for people.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Token},
    rich_text,
    stop::Stop,
};

/// Terminologies.
pub static FORMAT: Format = Format {
    id: "slicer-terminology",
    name: "3D Slicer terminology",
    spec: "https://github.com/QIICR/dcmqi/tree/master/doc/schemas",
    extensions: &["term.json"],
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
            && walker.depth() == 1
            && matches!(
                walker.key(),
                Some(
                    "SegmentationCategoryTypeContextName"
                        | "SegmentationCodes"
                        | "AnatomicContextName"
                        | "AnatomicCodes"
                )
            )
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    rich_text::look_in_json(visit)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn sample(meaning: &str) -> String {
        format!(
            "{{\"@schema\": \"https://example.org/segment-context-schema.json#\", \
             \"SegmentationCategoryTypeContextName\": \"Organs\", \"SegmentationCodes\": {{\"Category\": [\
             {{\"CodeMeaning\": \"{meaning}\", \"CodeValue\": \"85756007\", \"CodingSchemeDesignator\": \"SCT\"}}]}}}}"
        )
    }

    #[test]
    fn terminologies_are_just_data() {
        for meaning in ["Tissue", "Nodule < 5 mm", "<b>Tissue</b>"] {
            let report = checked("a.term.json", sample(meaning));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{meaning}");
            assert_eq!(report.layers[0].formats, ["json", "slicer-terminology"]);
        }
    }

    #[test]
    fn texts_that_load_or_run_are_found() {
        let loads = sample("<img src='https://example.org/x.png'>");
        assert_eq!(rules_of(&checked("a.term.json", loads)), ["rich-text-loads-from-server"]);
        assert_eq!(rules_of(&checked("a.term.json", sample("<script>1</script>"))), ["rich-text-carries-script"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample("Tissue");
        for len in 1..whole.len() {
            assert_ne!(checked("a.term.json", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
