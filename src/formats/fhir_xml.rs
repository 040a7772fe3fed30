//! FHIR resources in XML. What they hold and what is followed is told in the reader of [`fhir`](super::fhir).
//!
//! Specification: HL7 FHIR R4, XML representation.
//!
//! ```text
//! <DocumentReference xmlns="http://hl7.org/fhir">
//!   <text><div xmlns="http://www.w3.org/1999/xhtml">…</div></text>
//!   <content><attachment><contentType value="…"/><url value="address"/><data value="base64"/></attachment></content>
//! </DocumentReference>
//! ```

use std::ops::Range;

use crate::{
    follow::{Follower, open_base64},
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::{
        fhir::{compare_type, is_attachment, is_resource, subscription},
        xml::{self, Token},
    },
    rich_text,
    stop::Stop,
};

/// FHIR in XML.
pub static FORMAT: Format = Format {
    id: "fhir-xml",
    name: "FHIR resource in XML",
    spec: "https://hl7.org/fhir/R4/xml.html",
    extensions: &[],
    media_types: &["application/fhir+xml"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[],
};

const NAMESPACE: &str = "http://hl7.org/fhir";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let root = xml::root(candidate)?;
    Ok(root.is_some_and(|root| root.namespace.as_deref() == Some(NAMESPACE) && is_resource(root.local())))
}

/// The longest narrative that is looked at, in bytes.
const NARRATIVE: usize = 1 << 20;

/// An element that is open.
#[derive(Default)]
struct Open {
    name: String,
    start: u64,
    content_type: Option<String>,
    url: Option<(Range<u64>, String)>,
    data: Option<Range<u64>>,
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::of_addresses();
    let mut open: Vec<Open> = Vec::new();
    xml::walk(visit, |visit, _, event| match &event.token {
        Token::Start(element) => {
            let name = element.local().to_string();
            if let (Some(parent), Some(value)) = (open.last_mut(), element.attribute("value")) {
                match name.as_str() {
                    "contentType" => parent.content_type = Some(value.value.clone()),
                    "url" => parent.url = Some((value.range.clone(), value.value.clone())),
                    "data" => parent.data = Some(value.range.clone()),
                    "endpoint" if matches!(parent.name.as_str(), "channel" | "Subscription") => {
                        subscription(visit, &mut follower, value.range.clone(), &value.value)?;
                    }
                    _ => {}
                }
            }
            open.push(Open { name, start: event.range.start, ..Open::default() });
            Ok(())
        }
        Token::End(_) => {
            let Some(closed) = open.pop() else { return Ok(()) };
            let attachment = closed.content_type.is_some() || is_attachment(&closed.name);
            if let Some((range, url)) = closed.url.filter(|_| attachment) {
                follower.follow(visit, range, &format!("The address of {}", closed.name), &url)?;
            }
            if let Some(range) = closed.data.filter(|_| attachment) {
                compare_type(visit, range.clone(), closed.content_type.as_deref().unwrap_or_default())?;
                open_base64(visit, range, closed.name.clone(), "attachment")?;
            }
            if closed.name == "div" && open.last().is_some_and(|parent| parent.name == "text") {
                let range = closed.start..event.range.end;
                let text = visit.bytes.window(range.clone()).peek(closed.start, NARRATIVE)?;
                let text = String::from_utf8_lossy(&text).into_owned();
                rich_text::look(visit, &mut follower, range, "The narrative", &text)?;
            }
            Ok(())
        }
        _ => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn resource(name: &str, content: &str) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><{name} xmlns=\"http://hl7.org/fhir\">{content}</{name}>\n")
    }

    #[test]
    fn resources_are_just_data() {
        for (name, content) in [
            (
                "Patient",
                "<extension url=\"http://example.org/x\"/><identifier><system value=\"http://example.org\"/></identifier>",
            ),
            (
                "Patient",
                "<text><div xmlns=\"http://www.w3.org/1999/xhtml\"><p style=\"color: red\">A &lt; B</p><img src=\"a.png\"/></div></text>",
            ),
            ("Binary", "<contentType value=\"text/plain\"/><data value=\"aGVsbG8=\"/>"),
            ("ValueSet", "<url value=\"http://hl7.org/fhir/ValueSet/x\"/>"),
        ] {
            let report = checked("x.xml", resource(name, content));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{content}");
            assert_eq!(report.layers[0].formats, ["xml", "fhir-xml"]);
        }
    }

    #[test]
    fn addresses_and_scripts_are_found() {
        for (name, content, rule) in [
            (
                "DocumentReference",
                "<content><attachment><url value=\"http://192.0.2.28/a.dcm\"/></attachment></content>",
                "reference-to-server",
            ),
            (
                "Subscription",
                "<channel><type value=\"rest-hook\"/><endpoint value=\"http://192.0.2.29/hook\"/></channel>",
                "fhir-subscription",
            ),
            (
                "Patient",
                "<text><div xmlns=\"http://www.w3.org/1999/xhtml\"><img src=\"http://192.0.2.1/x\"/></div></text>",
                "rich-text-loads-from-server",
            ),
        ] {
            assert_eq!(rules_of(&checked("x.xml", resource(name, content))), [rule], "{content}");
        }
        let script = "<text><div xmlns=\"http://www.w3.org/1999/xhtml\"><script>1</script></div></text>";
        assert_eq!(checked("x.xml", resource("Patient", script)).verdict, Verdict::Code);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = resource("Binary", "<contentType value=\"text/plain\"/><data value=\"aGVsbG8=\"/>");
        for len in 1..whole.trim_end().len() {
            assert_ne!(checked("a.xml", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn fhr_04_an_entity() {
        let plain = resource("Patient", "<id value=\"a\"/>");
        let evil = plain
            .replace("?><Patient", "?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/hostname\">]><Patient")
            .replace("\"a\"", "\"&e;\"");
        told("a.xml", evil, "xml-external-entity", plain);
    }
}
