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
        check::tests::{checked, rules_of, told},
        formats::zip::sample::{File, archive, build},
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

    fn bundle(name: &str, content: &[u8]) -> Vec<u8> {
        archive(&[("a/a.mrml", SCENE), (name, content)])
    }

    #[test]
    fn mrb_01_names_that_leave() {
        told("a.mrb", bundle("a/../../x.txt", b"text\n"), "name-leaves-folder", bundle("a/Data/x.txt", b"text\n"));
        told("b.mrb", bundle("..\\x.txt", b"text\n"), "name-leaves-folder", bundle("a/x.txt", b"text\n"));
        told("c.mrb", bundle("/etc/x", b"text\n"), "name-leaves-folder", bundle("a/x", b"text\n"));
    }

    #[test]
    fn mrb_02_links() {
        let linked = |target: &[u8]| {
            let link = File { external: 0o120_777 << 16, ..File::stored("a/link", target) };
            build(b"", &[File::stored("a/a.mrml", SCENE), link])
        };
        told("a.mrb", linked(b"/etc"), "link-leaves-folder", linked(b"a.mrml"));
    }

    #[test]
    fn mrb_03_what_the_scene_asks_for() {
        let scene = |state| {
            format!("<MRML><IGTLConnector connectorType=\"SERVER\" persistent=\"1\" state=\"{state}\"/></MRML>")
        };
        let bundle = |state| archive(&[("a/a.mrml", scene(state).as_bytes())]);
        told("a.mrb", bundle(1), "mrml-opens-port", bundle(0));
    }

    #[test]
    fn mrb_04_programs() {
        told("a.mrb", bundle("a/Data/a.txt", b"#!/bin/sh\nid\n"), "script", bundle("a/Data/a.txt", b"# 1\n"));
        told("b.mrb", bundle("a/Data/a.py", b"x = 1\n"), "script", bundle("a/Data/a.tsv", b"x\ty\n1\t2\n"));
    }

    #[test]
    fn mrb_05_a_bundle_inside() {
        let inner = |state| {
            let scene =
                format!("<MRML><IGTLConnector connectorType=\"CLIENT\" persistent=\"1\" state=\"{state}\"/></MRML>");
            bundle("a/Data/i.seq.mrb", &archive(&[("i/i.mrml", scene.as_bytes())]))
        };
        told("a.mrb", inner(1), "mrml-connects-to-server", inner(0));
    }

    #[test]
    fn mrb_06_in_front_and_behind() {
        let whole = bundle("a/Data/x.txt", b"text\n");
        told("a.mrb", [b"hidden", &whole[..]].concat(), "unexplained-bytes", whole.clone());
        told("b.mrb", [&whole[..], b"hidden"].concat(), "unexplained-bytes", whole);
    }

    #[test]
    fn mrb_07_another_archive_under_the_name() {
        let tar = |name: &str| {
            let mut block = name.as_bytes().to_vec();
            block.resize(512, 0);
            block[100..108].copy_from_slice(b"0000644\0");
            block[124..136].copy_from_slice(format!("{:011o}\0", SCENE.len()).as_bytes());
            block[148..156].fill(b' ');
            block[156] = b'0';
            block[257..265].copy_from_slice(b"ustar\x0000");
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            block.extend(SCENE);
            block.resize(2048, 0);
            block
        };
        told("a.mrb", tar("../a.mrml"), "name-leaves-folder", tar("a/a.mrml"));
    }

    #[test]
    fn mrb_08_headers_that_differ() {
        let named = |local: &str| {
            let mut file = File::stored("a/a.mrml", SCENE);
            file.names[1] = local.into();
            build(b"", &[file])
        };
        told("a.mrb", named("a/b.mrml"), "zip-headers-disagree", named("a/a.mrml"));
    }
}
