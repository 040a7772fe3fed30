//! Side-cars of the Brain Imaging Data Structure: how an image was taken, in JSON beside it.
//!
//! Specification: BIDS 1.10, "Metadata".
//!
//! ```text
//! { "RepetitionTime": 2.0, "TaskName": "rest",
//!   "IntendedFor": "ses-1/func/sub-1_bold.nii.gz" | [ "bids::sub-1/func/sub-1_bold.nii.gz" ] }
//! ```
//! A few members name other files of the data set, from its folder or that of the subject on; tools join the path and
//! open it. Members that tell where data came from (`SourceDatasets`, `ReferencesAndLinks`) are for people.

use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Event, Step, Token, Walker},
    stop::Stop,
};

/// A BIDS side-car.
pub static FORMAT: Format = Format {
    id: "bids",
    name: "BIDS side-car",
    spec: "https://bids-specification.readthedocs.io/en/stable/common-principles.html#file-name-structure",
    extensions: &[],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[],
};

/// Members that name files which tools open.
const PATHS: &[&str] = &["AssociatedEmptyRoom", "IntendedFor", "StimulusFile", "stim_file"];

/// Members by which a side-car is known.
const MEMBERS: &[&str] = &[
    "BIDSVersion",
    "ConversionSoftware",
    "EEGReference",
    "EchoTime",
    "EchoTime1",
    "FlipAngle",
    "MagneticFieldStrength",
    "PhaseEncodingDirection",
    "PowerLineFrequency",
    "RepetitionTime",
    "SamplingFrequency",
    "SliceTiming",
    "TaskName",
    "TotalReadoutTime",
];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    json::shows(candidate, |walker, event| {
        matches!(event.token, Token::Key(_))
            && walker.depth() == 1
            && walker.key().is_some_and(|key| PATHS.contains(&key) || MEMBERS.contains(&key))
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::of_addresses();
    json::walk(visit, |visit, walker, event| look(visit, &mut follower, walker, event))
}

fn look(visit: &mut Visit<'_>, follower: &mut Follower, walker: &Walker, event: &Event) -> Result<(), Stop> {
    let Token::String(text) = &event.token else { return Ok(()) };
    let path: Vec<_> = walker.path().collect();
    let ([Step::Key(name)] | [Step::Key(name), Step::Index(_)]) = path.as_slice() else { return Ok(()) };
    if PATHS.contains(name) {
        let subject = format!("The path {}", walker.place());
        // Paths may start at the data set by the scheme `bids`.
        let value = text.text();
        let inner = value.strip_prefix("bids:").and_then(|rest| rest.split_once(':')).map_or(&*value, |(_, path)| path);
        follower.follow(visit, event.range.clone(), &subject, inner)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    #[test]
    fn side_cars_are_just_data() {
        for sample in [
            r#"{"RepetitionTime": 2.0, "TaskName": "rest", "SourceDataURL": "https://example.org/x"}"#,
            r#"{"EchoTime": 0.1, "IntendedFor": "ses-1/func/sub-1_bold.nii.gz"}"#,
            r#"{"IntendedFor": ["bids::sub-1/func/sub-1_bold.nii.gz", "bids:raw:sub-1/x.nii"]}"#,
            r#"{"Name": "x", "BIDSVersion": "1.8.0", "SourceDatasets": [{"URL": "https://example.org"}]}"#,
        ] {
            let report = checked("x.json", sample);
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{sample}");
            assert!(report.layers[0].formats.contains(&"bids".into()));
        }
    }

    #[test]
    fn paths_that_leave_are_found() {
        for (path, rule) in [
            ("../../../../etc/hostname", "reference-far-above"),
            ("bids::../../../x", "reference-far-above"),
            ("/etc/hostname", "reference-by-whole-path"),
            ("https://example.org/x.nii", "reference-to-server"),
        ] {
            let sample = format!(r#"{{"RepetitionTime": 2.0, "IntendedFor": ["a.nii", "{path}"]}}"#);
            assert_eq!(rules_of(&checked("x.json", sample)), [rule], "{path}");
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = r#"{"RepetitionTime": 2.0, "IntendedFor": ["a.nii"]}"#;
        for len in 1..whole.len() {
            assert_ne!(checked("a.json", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn bid_02_paths() {
        let of = |path: &str| format!(r#"{{"RepetitionTime": 2.0, "IntendedFor": "{path}"}}"#);
        told("x.json", of("/etc/hostname"), "reference-by-whole-path", of("func/sub-1_bold.nii.gz"));
    }
}
