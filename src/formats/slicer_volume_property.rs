//! Volume properties of 3D Slicer: how a volume is rendered, in JSON.
//!
//! Specification: the schema volume-property-schema-v1.0.0.json of 3D Slicer.
//!
//! ```text
//! { "@schema": "https://…/volume-property-schema-v1.0.0.json#",
//!   "volumeProperties": [ { "components": [ { "scalarOpacity": { "points": [ … ] }, "rgbTransferFunction": { … } } ] } ] }
//! ```
//! The address of the schema is an identifier. The older form is a list of numbers in plain text.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Token},
    rich_text,
    stop::Stop,
};

/// Volume properties.
pub static FORMAT: Format = Format {
    id: "slicer-volume-property",
    name: "3D Slicer volume property",
    spec: "https://github.com/Slicer/Slicer/tree/main/Modules/Loadable/VolumeRendering/Resources/Schema",
    extensions: &["vp.json"],
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
        matches!(event.token, Token::Key(_)) && walker.depth() == 1 && walker.key() == Some("volumeProperties")
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

    fn sample(name: &str) -> String {
        format!(
            "{{\"@schema\": \"https://example.org/volume-property-schema-v1.0.0.json#\", \"volumeProperties\": \
             [{{\"name\": \"{name}\", \"components\": [{{\"shade\": true, \"scalarOpacity\": {{\"points\": \
             [{{\"x\": -1024, \"y\": 0.5}}]}}}}]}}]}}"
        )
    }

    #[test]
    fn properties_are_just_data() {
        let report = checked("a.vp.json", sample("bones > 300 <HU>"));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]));
        assert_eq!(report.layers[0].formats, ["json", "slicer-volume-property"]);
    }

    #[test]
    fn texts_that_load_are_found() {
        let loads = sample("<img src='https://example.org/x.png'>");
        assert_eq!(rules_of(&checked("a.vp.json", loads)), ["rich-text-loads-from-server"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample("bones");
        for len in 1..whole.len() {
            assert_ne!(checked("a.vp.json", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
