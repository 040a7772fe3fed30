//! The DICOM JSON model: the data elements of DICOM objects, as web services exchange them.
//!
//! Specification: DICOM PS3.18, annex F.
//!
//! ```text
//! [ { "00080018": { "vr": "UI", "Value": [ … ] },
//!     "7FE00010": { "vr": "OW", "BulkDataURI": "address" | "InlineBinary": "base64" } } ]
//! ```
//! A program that needs the value of an element fetches it from its BulkDataURI.

use std::ops::Range;

use crate::{
    follow::{Follower, open_base64},
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Event, Step, Token, Walker},
    stop::Stop,
};

/// The DICOM JSON model.
pub static FORMAT: Format = Format {
    id: "dicom-json",
    name: "DICOM JSON model",
    spec: "https://dicom.nema.org/medical/dicom/current/output/chtml/part18/chapter_F.html",
    extensions: &[],
    media_types: &["application/dicom+json"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[],
};

/// A data element's tag as a name: eight hexadecimal digits.
fn is_tag(key: &str) -> bool {
    key.len() == 8 && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    json::shows(candidate, |walker, event| {
        if !matches!(event.token, Token::String(_)) || walker.key() != Some("vr") {
            return false;
        }
        let path: Vec<_> = walker.path().collect();
        matches!(path.as_slice(), [Step::Key(tag), Step::Key(_)] | [Step::Index(_), Step::Key(tag), Step::Key(_)] if is_tag(tag))
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut reading = Reading::default();
    json::walk(visit, |visit, walker, event| reading.look(visit, walker, event))
}

/// An object that is open: perhaps a data element.
#[derive(Default)]
struct Open {
    is_address: bool,
    /// Values that look like addresses, until it is known whether the element holds addresses.
    values: Vec<(Range<u64>, String)>,
}

#[derive(Default)]
struct Reading {
    follower: Follower,
    open: Vec<Open>,
}

/// Values of one element that are looked at.
const VALUES: usize = 100;

/// Elements of the value representation UR that name something without being followed: Coding Scheme URL, URN Code
/// Value, Contact URI.
const IDENTIFIERS: &[&str] = &["0008010E", "00080120", "0074100A"];

impl Reading {
    fn look(&mut self, visit: &mut Visit<'_>, walker: &Walker, event: &Event) -> Result<(), Stop> {
        match &event.token {
            Token::StartObject => self.open.push(Open::default()),
            Token::EndObject => {
                let tag = match walker.path().next_back() {
                    Some(Step::Key(tag)) => tag.to_string(),
                    _ => String::new(),
                };
                let Some(open) = self.open.pop() else { return Ok(()) };
                if open.is_address && is_tag(&tag) && !IDENTIFIERS.contains(&tag.to_ascii_uppercase().as_str()) {
                    for (range, value) in open.values {
                        self.follower.follow(visit, range, &format!("The address in element {tag}"), &value)?;
                    }
                }
            }
            Token::String(text) => {
                let path: Vec<_> = walker.path().collect();
                match path.as_slice() {
                    [.., Step::Key(tag), Step::Key("BulkDataURI")] if is_tag(tag) => {
                        let subject = format!("The address of the value of element {tag}");
                        self.follower.follow(visit, event.range.clone(), &subject, &text.text())?;
                    }
                    [.., Step::Key(tag), Step::Key("InlineBinary")] if is_tag(tag) => {
                        open_base64(visit, text.range.clone(), format!("element {tag}"), "value of an element")?;
                    }
                    [.., Step::Key(tag), Step::Key("vr")] if is_tag(tag) => {
                        if let Some(open) = self.open.last_mut() {
                            open.is_address = text.text() == "UR";
                        }
                    }
                    [.., Step::Key(_), Step::Key("Value"), Step::Index(_)] => {
                        let value = text.text();
                        if let Some(open) = self.open.last_mut()
                            && open.values.len() < VALUES
                        {
                            open.values.push((event.range.clone(), value.into_owned()));
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn sample(value: &str) -> String {
        format!(
            r#"[{{"00080018": {{"vr": "UI", "Value": ["1.2.3"]}}, "0008010E": {{"vr": "UR", "Value": ["https://example.org"]}},
            "00081199": {{"vr": "SQ", "Value": [{{"7FE00010": {{"vr": "OW", {value}}}}}]}}}}]"#
        )
    }

    #[test]
    fn objects_are_just_data() {
        for value in [
            r#""BulkDataURI": "../../bulkdata/1""#,
            r#""BulkDataURI": "frames/1""#,
            r#""InlineBinary": "AAECAw==""#,
            r#""Value": ["https://example.org/x"]"#,
        ] {
            let report = checked("x.json", sample(value));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{value}");
            assert!(report.layers[0].formats.contains(&"dicom-json".into()));
        }
        assert_eq!(checked("x.json", sample(r#""InlineBinary": "AAECAw==""#)).layers.len(), 2);
    }

    #[test]
    fn addresses_that_leave_are_found() {
        let bulk = |address: &str| checked("x.json", sample(&format!("\"BulkDataURI\": \"{address}\"")));
        assert_eq!(rules_of(&bulk("https://example.org/bulk/1")), ["reference-to-server"]);
        assert_eq!(rules_of(&bulk("file:///etc/hostname")), ["reference-by-whole-path"]);
        let retrieve = r#"{"00081190": {"Value": ["http://example.org/studies/1"], "vr": "UR"}}"#;
        assert_eq!(rules_of(&checked("x.json", retrieve)), ["reference-to-server"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample(r#""InlineBinary": "AAECAw==""#);
        for len in 1..whole.len() {
            assert_ne!(checked("a.json", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
