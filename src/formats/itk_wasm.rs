//! ITK-Wasm interface types: an image, a mesh or a transform whose values lie in files beside it, in JSON.
//!
//! Specification: the ITK-Wasm file formats documentation.
//!
//! ```text
//! { "imageType": { "dimension": 3, … }, "size": […],
//!   "direction": "data:application/vnd.itk.path,data/direction.raw",
//!   "data": "data:application/vnd.itk.path,data/data.raw" | "data:application/vnd.itk.address,0:1024" | "data:…;base64,…" }
//! ```
//! The address is a place in memory, of no meaning in a file.

use crate::{
    follow::{Follower, open_embedded},
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Token},
    reference::Reach,
    stop::Stop,
};

/// ITK-Wasm interface types.
pub static FORMAT: Format = Format {
    id: "itk-wasm",
    name: "ITK-Wasm data",
    spec: "https://docs.itk.org/projects/wasm/en/latest/introduction/file_formats/index.html",
    extensions: &["iwi", "iwm", "iwt", "iwpd"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[],
};

/// The members that say what it is.
const TYPES: &[&str] = &["imageType", "meshType", "polyDataType", "transformType"];

/// In front of a path.
const PATH: &str = "data:application/vnd.itk.path,";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    json::shows(candidate, |walker, event| {
        matches!(event.token, Token::StartObject)
            && walker.path().count() <= 2
            && walker.key().is_some_and(|key| TYPES.contains(&key))
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    json::walk(visit, |visit, walker, event| {
        let Token::String(text) = &event.token else { return Ok(()) };
        let value = text.text();
        let place = walker.place();
        if let Some(path) = value.strip_prefix(PATH) {
            follower.follow(visit, event.range.clone(), &format!("The path {place}"), path)?;
        } else if value.starts_with("data:") && !value.starts_with("data:application/vnd.itk.address") {
            let reference = follower.follow(visit, event.range.clone(), &format!("The address {place}"), &value)?;
            if reference.reach == Reach::Embedded {
                open_embedded(visit, text.range.clone(), place, "values")?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn image(data: &str) -> String {
        format!(
            r#"{{"imageType": {{"dimension": 2, "componentType": "uint8"}}, "name": "https://example.org", "data": "{data}"}}"#
        )
    }

    #[test]
    fn images_are_just_data() {
        for data in [
            "data:application/vnd.itk.path,data/data.raw",
            "data:application/vnd.itk.address,0:1024",
            "data:application/octet-stream;base64,AAECAw==",
        ] {
            let report = checked("index.json", image(data));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{data}");
            assert_eq!(report.layers[0].formats, ["json", "itk-wasm"]);
        }
    }

    #[test]
    fn paths_that_leave_are_found() {
        for (path, rule) in
            [("../../../etc/hostname", "reference-far-above"), ("/etc/hostname", "reference-by-whole-path")]
        {
            let sample = image(&format!("data:application/vnd.itk.path,{path}"));
            assert_eq!(rules_of(&checked("index.json", sample)), [rule], "{path}");
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = image("data:application/vnd.itk.path,data/data.raw");
        for len in 1..whole.len() {
            assert_ne!(checked("a.json", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
