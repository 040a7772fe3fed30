//! XFA: forms in XML, alone or in a PDF document: a template of fields with the scripts and addresses of their events,
//! the data, and the connections to servers.
//!
//! Specification: Adobe XML Forms Architecture (XFA) 3.3.
//!
//! ```text
//! <xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/">
//!   <template> <subform> <field>
//!     <event activity="initialize"> <script contentType="application/x-javascript">…</script> </event>
//!     <event activity="click"> <submit target="https://…"/> </event>
//!     <calculate> <script>…</script> </calculate>
//!   <connectionSet> <wsdlConnection> <soapAddress>https://…</soapAddress>
//!   <datasets> …
//! </xdp:xdp>
//! ```

use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::xml::{self, Token},
    quote::quoted,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// XFA.
pub static FORMAT: Format = Format {
    id: "xfa",
    name: "XFA form",
    spec: "https://pdfa.org/norm-refs/XFA-3_3.pdf",
    extensions: &["xdp"],
    media_types: &["application/vnd.adobe.xdp+xml"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[&SCRIPT, &SCRIPT_ON_OPEN, &SENDS, &SENDS_ON_OPEN],
};

const SPECIFICATION: &str = "https://pdfa.org/norm-refs/XFA-3_3.pdf";

/// A script at once.
static SCRIPT_ON_OPEN: Rule = Rule {
    id: "xfa-script-on-open",
    title: "This form runs a script when it is opened",
    why: "An event that comes by itself carries program text: a viewer that knows such forms runs it as soon as the form \
          is shown.",
    advice: "Open it only in a viewer that runs no scripts, or ask the sender for a form without them.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[SPECIFICATION],
};

/// A script that waits for somebody.
static SCRIPT: Rule = Rule {
    id: "xfa-script",
    title: "This form carries a script that runs when somebody fills it in",
    why: "An event of a field carries program text, which a viewer that knows such forms runs.",
    advice: "Fill it in only if you trust who made it.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[SPECIFICATION],
};

/// Contact at once.
static SENDS_ON_OPEN: Rule = Rule {
    id: "xfa-sends-on-open",
    title: "This form sends its data to a server by itself",
    why: "An event that comes by itself sends the content of the form: who runs the server learns who opens it, and when.",
    advice: "Open it without a network connection.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[SPECIFICATION],
};

/// A form that is sent.
static SENDS: Rule = Rule {
    id: "xfa-sends",
    title: "This form sends what is typed into it to a server",
    why: "An event sends the content of the form when somebody uses it.",
    advice: "Look at the address before you type anything in.",
    guideline: Guideline::Reporting,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[SPECIFICATION],
};

/// The namespaces of the packets, without their versions.
const PACKAGE: &str = "http://ns.adobe.com/xdp/";
const TEMPLATE: &str = "http://www.xfa.org/schema/xfa-template/";

/// Events that come without anybody's doing.
const BY_ITSELF: &[&str] = &["calculate", "docClose", "docReady", "indexChange", "initialize", "ready"];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let namespace = xml::root(candidate)?.and_then(|root| root.namespace);
    Ok(namespace.is_some_and(|namespace| &*namespace == PACKAGE || namespace.starts_with(TEMPLATE)))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    // The event that is open, and how deep it stands.
    let mut event_at: Option<(usize, String)> = None;
    xml::walk(visit, |visit, walker, event| {
        let path = walker.path();
        if event_at.as_ref().is_some_and(|(depth, _)| path.len() < *depth) {
            event_at = None;
        }
        let activity = event_at.as_ref().map(|(_, activity)| activity.as_str());
        let by_itself = activity.is_some_and(|activity| BY_ITSELF.contains(&activity));
        match &event.token {
            Token::Start(element) => match element.local() {
                "event" => {
                    let activity = element.attribute("activity").map_or("click", |activity| activity.value.as_str());
                    event_at = Some((path.len(), activity.to_string()));
                    Ok(())
                }
                "calculate" | "validate" => {
                    event_at = Some((path.len(), element.local().to_string()));
                    Ok(())
                }
                "submit" => {
                    let Some(target) = element.attribute("target").filter(|target| !target.value.is_empty()) else {
                        return Ok(());
                    };
                    let rule = if by_itself { &SENDS_ON_OPEN } else { &SENDS };
                    let message = format!("{} it is sent to {}.", saying(activity), quoted(&target.value));
                    follower.tell(visit, rule, target.range.clone(), &target.value, message)
                }
                "image" => match element.attribute("href") {
                    Some(address) => {
                        let range = address.range.clone();
                        follower.follow(visit, range, "The picture", &address.value).map(|_| ())
                    }
                    None => Ok(()),
                },
                _ => Ok(()),
            },
            Token::Text(text) | Token::CData(text) if !text.raw.trim().is_empty() => {
                match path.last().map(|name| name.rsplit(':').next().unwrap_or_default()) {
                    Some("script") => {
                        let rule = if by_itself { &SCRIPT_ON_OPEN } else { &SCRIPT };
                        let words: Vec<&str> = text.text.split_whitespace().collect();
                        let message = format!("{} it runs {}.", saying(activity), quoted(&words.join(" ")));
                        follower.tell(visit, rule, text.range.clone(), "", message)
                    }
                    Some("wsdlAddress" | "soapAddress") => {
                        let address = text.text.trim();
                        follower.follow(visit, text.range.clone(), "The connection", address).map(|_| ())
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    })
}

fn saying(activity: Option<&str>) -> String {
    match activity {
        Some(activity) => format!("At the event {}", quoted(activity)),
        None => "When another script calls it".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn form(field: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<xdp:xdp xmlns:xdp=\"http://ns.adobe.com/xdp/\">\
             <template xmlns=\"http://www.xfa.org/schema/xfa-template/3.3/\"><subform><field>{field}</field></subform>\
             </template></xdp:xdp>\n"
        )
    }

    #[test]
    fn forms_are_just_data() {
        for field in ["<value><text>a script</text></value>", "<event activity=\"click\"><submit/></event>"] {
            let report = checked("a.xdp", form(field));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{field}");
            assert_eq!(report.layers[0].formats, ["xml", "xfa"]);
        }
    }

    #[test]
    fn what_runs_or_sends_is_found() {
        let script = "<script contentType=\"application/x-javascript\">f()</script>";
        let submit = "<submit target=\"https://example.org/\"/>";
        for (field, rule) in [
            (format!("<event activity=\"initialize\">{script}</event>"), "xfa-script-on-open"),
            (format!("<calculate>{script}</calculate>"), "xfa-script-on-open"),
            (format!("<event activity=\"docReady\"/><event activity=\"exit\">{script}</event>"), "xfa-script"),
            (format!("<event>{script}</event>"), "xfa-script"),
            (format!("<event activity=\"initialize\"/><variables>{script}</variables>"), "xfa-script"),
            (format!("<event activity=\"docReady\">{submit}</event>"), "xfa-sends-on-open"),
            (format!("<event activity=\"click\">{submit}</event>"), "xfa-sends"),
            ("<image href=\"http://192.0.2.1/a.png\"/>".to_string(), "reference-to-server"),
            ("<soapAddress>http://192.0.2.1/</soapAddress>".to_string(), "reference-to-server"),
        ] {
            assert_eq!(rules_of(&checked("a.xdp", form(&field))), [rule], "{field}");
        }
    }
}
