//! Stable Baselines 3: an agent as a ZIP archive of PyTorch files and a JSON file with pickles in it.
//!
//! Specification: `stable_baselines3/common/save_util.py`.
//!
//! ```text
//! data                          JSON: {"name": value, "other": {":type:": …, ":serialized:": base64 of a pickle}}
//! policy.pth, *.pth             PyTorch files: read by their content
//! _stable_baselines3_version    text
//! ```

use std::rc::Rc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    bytes::DOOR,
    format::{Buried, Candidate, Format, Nature, Role, Span, Visit},
    formats::zip,
    stop::Stop,
};

/// Stable Baselines 3.
pub static FORMAT: Format = Format {
    id: "stable-baselines",
    name: "Stable Baselines agent",
    spec: "https://stable-baselines3.readthedocs.io/en/master/guide/save_format.html",
    extensions: &[],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&zip::FORMAT),
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let entries = zip::entries(candidate.bytes)?;
    let has = |wanted: &dyn Fn(&str) -> bool| entries.iter().any(|entry| wanted(&entry.name));
    Ok(has(&|name| name == "data") && has(&|name| name.ends_with(".pth") || name == "_stable_baselines3_version"))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let entries = zip::entries(visit.bytes)?;
    for entry in entries.iter().filter(|entry| entry.name == "data") {
        let content = zip::content(visit.bytes, entry)?;
        if content.len() > DOOR as u64 {
            visit.note(Stop::unsupported(entry.data.start, "a JSON file of more than 16 MiB"));
            continue;
        }
        // Depth is limited by the parser.
        let Ok(json) = serde_json::from_slice::<Value>(&content.all()?) else {
            visit.note(Stop::malformed(entry.data.start, "JSON"));
            continue;
        };
        for (name, value) in json.as_object().into_iter().flatten() {
            let Some(digits) = value.get(":serialized:").and_then(Value::as_str) else { continue };
            let digits: String = digits.split_ascii_whitespace().collect();
            match STANDARD.decode(&digits) {
                Ok(pickle) => {
                    visit.bytes.budget().charge_inflated(pickle.len() as u64)?;
                    let span = Span::Decoded(entry.data.clone(), Rc::new(pickle));
                    visit.open(format!("data: {name}"), span, Role::File)?;
                }
                Err(_) => visit.note(Stop::malformed(entry.data.start, "base64 digits behind \":serialized:\"")),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of},
        formats::pytorch::tests::zip,
        report::Verdict,
    };

    fn agent(pickle: &[u8]) -> Vec<u8> {
        let data = format!(
            "{{\"gamma\": 0.99, \"policy\": {{\":type:\": \"x\", \":serialized:\": \"{}\"}}}}",
            STANDARD.encode(pickle)
        );
        zip(&[("data", data.as_bytes()), ("_stable_baselines3_version", b"1.0")])
    }

    #[test]
    fn pickles_in_the_json_are_read() {
        let report = checked("agent.zip", agent(b"\x80\x02cposix\nsystem\nX\x02\0\0\0ls\x85R."));
        assert_eq!(rules_of(&report), ["pickle-runs-code"], "{report:#?}");
        let report = checked("agent.zip", agent(b"\x80\x02}X\x01\0\0\0aK\x01s."));
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
    }

    #[test]
    fn digits_that_are_none_are_unfinished() {
        let data = b"{\"policy\": {\":serialized:\": \"***\"}}";
        let report = checked("agent.zip", zip(&[("data", data), ("_stable_baselines3_version", b"1.0")]));
        assert_eq!(report.verdict, Verdict::Unfinished);
    }
}
