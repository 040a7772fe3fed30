//! FHIR resources in JSON: records of patients, with attached documents and texts for people.
//!
//! Specification: HL7 FHIR R4 and R5; the data type Attachment, the resources Binary and Subscription, Narrative.
//!
//! ```text
//! { "resourceType": "DocumentReference",
//!   "text": { "div": "<div xmlns=…>…</div>" },
//!   "content": [ { "attachment": { "contentType": …, "url": "address" | "data": "base64" } } ] }
//! ```
//! Followed: the address of an attachment, and the endpoint that a subscription sends to. Everything else that looks
//! like an address (`system`, `fullUrl`, `url` of an extension or a definition) is an identifier.

use std::{ops::Range, rc::Rc};

use crate::{
    bytes::Bytes,
    follow::{Follower, open_base64},
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Event, Step, Text, Token, Walker},
    quote::{quoted, quoted_bytes},
    reference::classify,
    rich_text,
    rule::{Guideline, Rule, Runs, Severity},
    rules::DOCUMENT_TYPE_LIES,
    source::Base64,
    stop::Stop,
};

/// FHIR in JSON.
pub static FORMAT: Format = Format {
    id: "fhir",
    name: "FHIR resource",
    spec: "https://hl7.org/fhir/R4/json.html",
    extensions: &[],
    media_types: &["application/fhir+json"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[&SUBSCRIPTION],
};

/// A subscription with an address to send to.
pub(super) static SUBSCRIPTION: Rule = Rule {
    id: "fhir-subscription",
    title: "This record asks a server to send messages to an address",
    why: "A server that takes in this subscription sends a message to the address whenever a record that fits it changes.",
    advice: "Do not load it into a server unless you know who receives the messages.",
    guideline: Guideline::Reporting,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://hl7.org/fhir/R4/subscription.html"],
};

/// Elements of the type Attachment that are not called so, in resources of R4 and R5.
const ATTACHMENTS: &[&str] = &["attachment", "photo", "presentedForm", "image", "document", "logo"];

/// Whether an element of this name is an Attachment.
pub(super) fn is_attachment(name: &str) -> bool {
    // A choice of types ends in the name of the type: `valueAttachment`, `contentAttachment`.
    ATTACHMENTS.contains(&name) || name.ends_with("Attachment")
}

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    json::shows(candidate, |walker, event| match &event.token {
        Token::String(text) => {
            walker.depth() == 1
                && walker.key() == Some("resourceType")
                && walker.path().count() == 1
                && is_resource(&text.text())
        }
        _ => false,
    })
}

/// Names of resources are words in camel case.
pub(super) fn is_resource(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_uppercase()) && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut reading = Reading { follower: Follower::of_addresses(), open: Vec::new() };
    json::walk(visit, |visit, walker, event| reading.look(visit, walker, event))
}

struct Reading {
    follower: Follower,
    open: Vec<Open>,
}

/// An object that is open.
#[derive(Default)]
struct Open {
    resource: String,
    content_type: Option<String>,
    url: Option<(Range<u64>, String)>,
    endpoint: Option<(Range<u64>, String)>,
    data: Option<Range<u64>>,
}

impl Reading {
    fn look(&mut self, visit: &mut Visit<'_>, walker: &Walker, event: &Event) -> Result<(), Stop> {
        match &event.token {
            Token::StartObject => self.open.push(Open::default()),
            Token::EndObject => {
                if let Some(open) = self.open.pop() {
                    let name = walker.key().unwrap_or_default().to_string();
                    self.close(visit, open, &name, &walker.place())?;
                }
            }
            Token::String(text) => self.string(visit, walker, event, text)?,
            _ => {}
        }
        Ok(())
    }

    fn string(&mut self, visit: &mut Visit<'_>, walker: &Walker, event: &Event, text: &Text) -> Result<(), Stop> {
        let mut path = walker.path().rev();
        let Some(Step::Key(name)) = path.next() else { return Ok(()) };
        let parent = path.find_map(|step| if let Step::Key(key) = step { Some(key) } else { None });
        if name == "div" && parent == Some("text") {
            let subject = format!("The narrative {}", walker.place());
            return rich_text::look(visit, &mut self.follower, event.range.clone(), &subject, &text.text());
        }
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let place = || Some((event.range.clone(), text.text().into_owned()));
        match name {
            "resourceType" => open.resource = text.text().into_owned(),
            "contentType" => open.content_type = Some(text.text().into_owned()),
            "url" => open.url = place(),
            "endpoint" => open.endpoint = place(),
            "data" => open.data = Some(text.range.clone()),
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, visit: &mut Visit<'_>, open: Open, name: &str, place: &str) -> Result<(), Stop> {
        // Only an Attachment and a Binary have a content type beside an address or data.
        let attachment = is_attachment(name) || open.content_type.is_some();
        if let Some((range, url)) = open.url.filter(|_| attachment) {
            let subject = format!("The address of the attachment {place}");
            self.follower.follow(visit, range, subject.trim_end(), &url)?;
        }
        if let Some(range) = open.data.filter(|_| attachment) {
            let name = if place.is_empty() { "data" } else { place };
            compare_type(visit, range.clone(), open.content_type.as_deref().unwrap_or_default())?;
            open_base64(visit, range, name.to_string(), "attachment")?;
        }
        if let Some((range, endpoint)) = open.endpoint.filter(|_| name == "channel" || open.resource == "Subscription")
        {
            subscription(visit, &mut self.follower, range, &endpoint)?;
        }
        Ok(())
    }
}

/// Types with bytes that every content of theirs starts with, and how many may stand in front of them.
const MARKS: &[(&str, &[&[u8]], usize)] = &[
    ("application/dicom", &[b"DICM"], 128),
    ("application/gzip", &[b"\x1f\x8b"], 0),
    ("application/pdf", &[b"%PDF-"], 1024),
    ("application/zip", &[b"PK\x03\x04", b"PK\x05\x06"], 0),
    ("image/gif", &[b"GIF8"], 0),
    ("image/jpeg", &[b"\xff\xd8\xff"], 0),
    ("image/png", &[b"\x89PNG"], 0),
    ("image/tiff", &[b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"], 0),
];

/// Tells where data in Base64 are not of the type that is given beside them.
pub(super) fn compare_type(visit: &mut Visit<'_>, range: Range<u64>, content_type: &str) -> Result<(), Stop> {
    let named = content_type.split(';').next().unwrap_or_default().trim();
    let Some((_, marks, reach)) = MARKS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(named)) else {
        return Ok(());
    };
    // Where it is no Base64, that is told when it is opened.
    let Ok(decoded) = Base64::new(visit.bytes.window(range.clone())) else { return Ok(()) };
    let head = Bytes::whole(Rc::new(decoded), visit.bytes.budget().clone()).peek(0, 1200)?;
    let starts = |mark: &&[u8]| head.windows(mark.len()).take(reach.saturating_add(1)).any(|some| some == *mark);
    if head.is_empty() || marks.iter().any(starts) {
        return Ok(());
    }
    let shown = quoted_bytes(head.get(..32).unwrap_or(&head));
    let message = format!("The type is given as {}; the data start with {shown}.", quoted(content_type));
    visit.find(&DOCUMENT_TYPE_LIES, range, message)
}

/// Tells of the endpoint of a subscription.
pub(super) fn subscription(
    visit: &mut Visit<'_>,
    follower: &mut Follower,
    range: Range<u64>,
    endpoint: &str,
) -> Result<(), Stop> {
    let reference = classify(endpoint);
    if !reference.connects() {
        return Ok(());
    }
    let message = format!("Messages go to {}: it {}.", quoted(endpoint), reference.saying());
    follower.tell(visit, &SUBSCRIPTION, range, reference.host.as_deref().unwrap_or_default(), message)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    #[test]
    fn resources_are_just_data() {
        for sample in [
            r#"{"resourceType": "Patient", "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p style=\"color: red\">A</p><img src=\"i.png\"/></div>"},
                "extension": [{"url": "http://example.org/x", "valueCode": "a"}], "identifier": [{"system": "http://a.example"}]}"#,
            r#"{"resourceType": "Bundle", "entry": [{"fullUrl": "https://example.org/Patient/1", "resource": {"resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8="}}]}"#,
            r#"{"resourceType": "DocumentReference", "content": [{"attachment": {"contentType": "text/plain", "url": "Binary/1"}}]}"#,
            r#"{"resourceType": "ValueSet", "url": "http://hl7.org/fhir/ValueSet/x"}"#,
            r#"{"resourceType": "Subscription", "channel": {"type": "email", "endpoint": "mailto:a@example.org"}}"#,
        ] {
            let report = checked("x.json", sample);
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{sample}");
            assert!(report.layers[0].formats.contains(&"fhir".into()));
        }
    }

    #[test]
    fn addresses_and_scripts_are_found() {
        for (sample, rule) in [
            (
                r#"{"resourceType": "DocumentReference", "content": [{"attachment": {"url": "http://192.0.2.28/a.dcm"}}]}"#,
                "reference-to-server",
            ),
            (
                r#"{"resourceType": "Media", "content": {"url": "file:///etc/hostname", "contentType": "image/png"}}"#,
                "reference-by-whole-path",
            ),
            (
                r#"{"resourceType": "Subscription", "channel": {"type": "rest-hook", "endpoint": "http://192.0.2.29/hook"}}"#,
                "fhir-subscription",
            ),
            (r#"{"endpoint": "https://example.org/hook", "resourceType": "Subscription"}"#, "fhir-subscription"),
            (
                r#"{"resourceType": "Patient", "text": {"div": "<div><img src=\"http://a.example/x\"/></div>"}}"#,
                "rich-text-loads-from-server",
            ),
            (
                r#"{"resourceType": "Patient", "text": {"div": "<div><script>1</script></div>"}}"#,
                "rich-text-carries-script",
            ),
        ] {
            assert_eq!(rules_of(&checked("x.json", sample)), [rule], "{sample}");
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = r#"{"resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8="}"#;
        for len in 1..whole.len() {
            assert_ne!(checked("a.json", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn fhr_01_narratives() {
        let patient = |text: &str| format!(r#"{{"resourceType": "Patient", "text": {{"div": "<div>{text}</div>"}}}}"#);
        told("a.json", patient("<script>1</script>"), "rich-text-carries-script", patient("<p>A</p>"));
    }

    #[test]
    fn fhr_02_attachments_at_an_address() {
        let evil =
            r#"{"resourceType": "DocumentReference", "content": [{"attachment": {"url": "http://192.0.2.1/a.pdf"}}]}"#;
        let alike = r#"{"resourceType": "Patient", "extension": [{"url": "http://example.org/x"}], "identifier": [{"system": "http://example.org/mrn"}]}"#;
        told("a.json", evil, "reference-to-server", alike);
    }

    #[test]
    fn fhr_03_subscriptions() {
        let to = |channel: &str| format!(r#"{{"resourceType": "Subscription", "channel": {{{channel}}}}}"#);
        told("a.json", to(r#""endpoint": "http://192.0.2.1/hook""#), "fhir-subscription", to(r#""type": "message""#));
    }

    #[test]
    fn fhr_04_data_of_another_type() {
        let binary = |kind: &str, data: &str| {
            format!(r#"{{"resourceType": "Binary", "contentType": "{kind}", "data": "{data}"}}"#)
        };
        told("a.json", binary("application/pdf", "aGVsbG8="), "document-type-lies", binary("text/plain", "aGVsbG8="));
    }
}
