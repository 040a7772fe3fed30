//! MRB: a scene of 3D Slicer and its data in one ZIP archive.
//!
//! Specification: the MRML overview of the 3D Slicer developer guide.
//!
//! ```text
//! name/name.mrml      the scene
//! name/Data/…         what its storage nodes name
//! name/….png          a picture of it
//! ```
//! The scene inside is a layer of its own, with findings of its own. 3D Slicer unpacks the archive and loads the scene
//! that it finds; where there are several, which one that is depends on the order of the folder.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::zip,
    quote::quoted_bytes,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// A bundle of a scene and its data.
pub static FORMAT: Format = Format {
    id: "mrb",
    name: "MRML scene bundle",
    spec: "https://slicer.readthedocs.io/en/latest/user_guide/data_loading_and_saving.html",
    extensions: &["mrb"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Container,
    within: Some(&zip::FORMAT),
    rules: &[&SEVERAL_SCENES],
};

/// More than one scene.
static SEVERAL_SCENES: Rule = Rule {
    id: "mrb-several-scenes",
    title: "This bundle holds more than one scene",
    why: "Only one of them is loaded, and which one is not written down. All of them were checked.",
    advice: "Nothing to do.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &["https://slicer.readthedocs.io/en/latest/user_guide/data_loading_and_saving.html"],
};

/// Whether a name is that of a scene.
fn is_scene(name: &[u8]) -> bool {
    name.get(name.len().saturating_sub(5)..).is_some_and(|ending| ending.eq_ignore_ascii_case(b".mrml"))
}

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(zip::entries(candidate.bytes)?.iter().any(|entry| is_scene(&entry.central.name)))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let entries = zip::entries(visit.bytes)?;
    let mut scenes = entries.iter().filter(|entry| is_scene(&entry.central.name)).skip(1);
    match scenes.next() {
        Some(second) => {
            let message = format!("The second is {}.", quoted_bytes(&second.central.name));
            visit.find(&SEVERAL_SCENES, second.data.clone(), message)
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        formats::zip::sample::archive,
        report::Verdict,
    };

    const SCENE: &[u8] = b"<MRML version=\"Slicer 5.8.1\">\n</MRML>\n";

    #[test]
    fn bundles_are_just_data() {
        let report = checked("a.mrb", archive(&[("a/a.mrml", SCENE), ("a/Data/points.txt", b"1 2 3\n")]));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
        assert_eq!(report.layers[0].formats, ["zip", "mrb"]);
        let several = checked("a.mrb", archive(&[("a/a.mrml", SCENE), ("a/b.mrml", SCENE)]));
        assert_eq!((several.verdict, several.findings[0].rule.as_str()), (Verdict::JustData, "mrb-several-scenes"));
    }

    #[test]
    fn the_scene_inside_is_checked() {
        let scene = b"<MRML><IGTLConnector connectorType=\"SERVER\" persistent=\"1\" state=\"1\"/></MRML>";
        let report = checked("a.mrb", archive(&[("a/a.mrml", scene)]));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["mrml-opens-port"]));
        let inner = archive(&[("a/a.mrml", scene)]);
        assert_eq!(rules_of(&checked("b.mrb", archive(&[("b/b.mrb", &inner)]))), ["mrml-opens-port"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = archive(&[("a/a.mrml", SCENE)]);
        for len in 4..whole.len() {
            assert_ne!(checked("a.mrb", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
