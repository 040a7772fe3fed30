//! SARIF 2.1.0, for other tools: byte regions, nested files as nested artifacts, and what was not read as
//! notifications, so that "not checked" never looks like "clean".
//!
//! Specification: OASIS SARIF 2.1.0, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
//!
//! ```text
//! run.tool.driver.rules          rules that fired (3.19.23)
//! run.artifacts                  every layer; a nested one names its parent by index (3.24)
//! run.results                    danger: fail/error   warning: fail/warning   note: informational/none (3.27.9, 3.27.10)
//! run.invocations[0]             stops and unswept ranges as toolExecutionNotifications (3.20.21)
//! ```

use serde_json::{Map, Value, json};

use super::{Finding, Layer, Report};
use crate::{
    formats,
    quote::visible,
    rule::{Rule, Severity},
};

/// The name of the folder that relative addresses start from (3.14.14).
const BASE: &str = "FILES";

/// Kinds of notifications: the stops of the JSON contract, and ranges that were not swept.
const NOTIFICATIONS: &[(&str, &str)] = &[
    ("cancelled", "The check was cancelled"),
    ("encrypted", "Encrypted content was not read"),
    ("exhausted", "A limit was reached"),
    ("malformed", "The content is damaged"),
    ("pending", "A range was not looked through"),
    ("source", "The file could not be read"),
    ("unknown-format", "The format is not known"),
    ("unsupported", "The content is not decoded by this check"),
];

/// The whole document: one run for all files.
pub fn document(reports: &[Report]) -> String {
    let rules = fired(reports);
    let mut artifacts = Vec::new();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    let mut successful = true;
    for report in reports {
        let first = artifacts.len();
        artifacts.extend(report.layers.iter().map(|layer| artifact(report, layer, first)));
        results.extend(report.findings.iter().map(|finding| result(report, finding, first, &rules)));
        for layer in &report.layers {
            for stop in &layer.stops {
                let failed = matches!(stop.kind.as_str(), "source" | "cancelled");
                successful = successful && !failed;
                let level = if failed { "error" } else { "warning" };
                let region = stop.at.map(|at| json!({ "byteOffset": at, "byteLength": 0 }));
                let text = format!("{}: {}", report.place(layer.id), stop.message);
                notifications.push(notification(&stop.kind, level, &text, location(report, layer.id, first, region)));
            }
        }
        for pending in report.pending.iter().filter(|pending| !pending.done) {
            let region = json!({ "byteOffset": pending.offset, "byteLength": pending.len });
            let text = format!("{}: {} bytes were not looked through.", report.path, pending.len);
            let place = location(report, pending.layer, first, Some(region));
            notifications.push(notification("pending", "warning", &text, place));
        }
    }
    let descriptors: Vec<Value> =
        NOTIFICATIONS.iter().map(|(id, text)| json!({ "id": id, "shortDescription": { "text": text } })).collect();
    let rules: Vec<Value> = rules.iter().map(|rule| descriptor(rule)).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
                "notifications": descriptors,
            } },
            "originalUriBaseIds": { BASE: { "description": { "text": "The folder from which the files were named." } } },
            "invocations": [{
                "executionSuccessful": successful,
                "toolExecutionNotifications": notifications,
            }],
            "artifacts": artifacts,
            "results": results,
            "columnKind": "utf16CodeUnits",
        }],
    });
    document.to_string()
}

/// The rules that fired, sorted by id.
fn fired(reports: &[Report]) -> Vec<&'static Rule> {
    let ids: std::collections::HashSet<&str> =
        reports.iter().flat_map(|report| &report.findings).map(|finding| finding.rule.as_str()).collect();
    formats::all_rules().into_iter().filter(|rule| ids.contains(rule.id)).collect()
}

/// A reportingDescriptor (3.49).
fn descriptor(rule: &Rule) -> Value {
    let mut descriptor = json!({
        "id": rule.id,
        "name": pascal(rule.id),
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.why },
        "help": { "text": rule.advice },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": ["security", rule.guideline.id()], "runs": rule.runs.id() },
    });
    if let (Some(address), Some(fields)) = (rule.see.first(), descriptor.as_object_mut()) {
        fields.insert("helpUri".into(), json!(address));
    }
    descriptor
}

/// The level that a rule has where nothing else is said (3.50.3).
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Danger => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// `executable-in-preamble` as `ExecutableInPreamble`.
fn pascal(id: &str) -> String {
    let mut name = String::new();
    for word in id.split('-') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

fn artifact(report: &Report, layer: &Layer, first: usize) -> Value {
    let mut artifact = Map::new();
    let mut put = |name: &str, value: Value| artifact.insert(name.to_string(), value);
    put("length", json!(layer.len));
    put("description", json!({ "text": plain(&layer.name) }));
    put("properties", json!({ "formats": layer.formats, "coverage": layer.coverage }));
    put("location", artifact_location(report, layer, None));
    match layer.parent {
        Some(parent) => {
            put("parentIndex", json!(first.saturating_add(parent)));
            if let Some(offset) = layer.offset {
                put("offset", json!(offset));
            }
        }
        None => {
            put("roles", json!(["analysisTarget"]));
            put(
                "properties",
                json!({
                    "formats": layer.formats, "coverage": layer.coverage, "verdict": report.verdict,
                }),
            );
            if let Some(sha256) = &report.sha256 {
                // 3.24.11
                put("hashes", json!({ "sha-256": sha256 }));
            }
        }
    }
    let media_type = layer.formats.iter().filter_map(|id| formats::format(id)).find_map(|f| f.media_types.first());
    if let Some(media_type) = media_type {
        put("mimeType", json!(media_type));
    }
    Value::Object(artifact)
}

/// Where an artifact is: the file by its address, a nested one by its path from its parent's root (3.24.2).
fn artifact_location(report: &Report, layer: &Layer, index: Option<usize>) -> Value {
    let mut location = Map::new();
    let mut put = |name: &str, value: Value| location.insert(name.to_string(), value);
    if layer.parent.is_some() {
        put("uri", json!(format!("/{}", encoded(&layer.name))));
    } else {
        let (uri, relative) = address(&report.path);
        put("uri", json!(uri));
        if relative {
            put("uriBaseId", json!(BASE));
        }
    }
    if let Some(index) = index {
        put("index", json!(index));
    }
    Value::Object(location)
}

fn location(report: &Report, id: usize, first: usize, region: Option<Value>) -> Value {
    let Some(layer) = report.layers.get(id) else { return json!({}) };
    let mut physical = json!({ "artifactLocation": artifact_location(report, layer, Some(first.saturating_add(id))) });
    if let (Some(region), Some(fields)) = (region, physical.as_object_mut()) {
        fields.insert("region".into(), region);
    }
    json!({
        "physicalLocation": physical,
        "logicalLocations": [{ "fullyQualifiedName": visible(&report.place(id)) }],
    })
}

fn result(report: &Report, finding: &Finding, first: usize, rules: &[&'static Rule]) -> Value {
    let (kind, level) = match finding.severity {
        Severity::Danger => ("fail", "error"),
        Severity::Warning => ("fail", "warning"),
        // 3.27.10: where the kind is not "fail", the level is "none".
        Severity::Note => ("informational", "none"),
    };
    let mut region = json!({ "byteOffset": finding.offset, "byteLength": finding.length });
    if let (false, Some(fields)) = (finding.excerpt.is_empty(), region.as_object_mut()) {
        let mut snippet = json!({ "binary": finding.excerpt });
        if let (Some(evidence), Some(fields)) = (&finding.evidence, snippet.as_object_mut()) {
            // 3.3.4: what a person should see in place of the bytes.
            fields.insert(
                "rendered".into(),
                json!({ "text": evidence.lines().map(visible).collect::<Vec<_>>().join("\n") }),
            );
        }
        fields.insert("snippet".into(), snippet);
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "kind": kind,
        "level": level,
        "message": { "text": plain(&finding.message) },
        "locations": [location(report, finding.layer, first, Some(region))],
        "properties": { "guideline": finding.guideline, "runs": finding.runs, "severity": finding.severity },
    });
    let index = rules.iter().position(|rule| rule.id == finding.rule);
    if let (Some(index), Some(fields)) = (index, result.as_object_mut()) {
        fields.insert("ruleIndex".into(), json!(index));
    }
    result
}

fn notification(id: &str, level: &str, text: &str, location: Value) -> Value {
    let mut notification = json!({ "level": level, "message": { "text": plain(text) }, "locations": [location] });
    let index = NOTIFICATIONS.iter().position(|(known, _)| *known == id);
    if let (Some(index), Some(fields)) = (index, notification.as_object_mut()) {
        fields.insert("descriptor".into(), json!({ "id": id, "index": index }));
    }
    notification
}

/// A message that is neither a link (3.11.6) nor has placeholders (3.11.5), whatever the file wrote into it.
fn plain(text: &str) -> String {
    visible(text).replace('{', "{{").replace('}', "}}").replace("](", "] (")
}

/// A path as an address, and whether that is relative to the folder of the command.
fn address(path: &str) -> (String, bool) {
    let drive =
        path.as_bytes().get(..2).is_some_and(|two| matches!(two, [letter, b':'] if letter.is_ascii_alphabetic()));
    if drive && path.as_bytes().get(2).is_some_and(|byte| matches!(byte, b'/' | b'\\')) {
        let (letter, rest) = path.split_at(1);
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        return (format!("file:///{letter}:{}", encoded(&rest.replace('\\', "/"))), false);
    }
    let path = if std::path::MAIN_SEPARATOR == '\\' { path.replace('\\', "/") } else { path.to_string() };
    if path.starts_with('/') { (format!("file://{}", encoded(&path)), false) } else { (encoded(&path), true) }
}

/// Percent-encoded for the path of an address: RFC 3986 unreserved characters and `/` stand for themselves.
fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check::tests::checked, rules, stop::Stop};

    fn parsed(reports: &[Report]) -> Value {
        serde_json::from_str(&document(reports)).unwrap()
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
        bytes.extend(miniz_oxide::deflate::compress_to_vec(content, 6));
        bytes.extend([0; 4]);
        bytes.extend((content.len() as u32).to_le_bytes());
        bytes
    }

    #[test]
    fn results_point_at_bytes_of_nested_artifacts() {
        let plain = checked("just text.txt", b"hello\n");
        let inner = [gzip(b"text\n"), b"left over".to_vec()].concat();
        let nested = checked("sub dir/a.gz.gz", gzip(&inner));
        let document = parsed(&[plain, nested]);
        assert_eq!(document["version"], "2.1.0");
        let run = &document["runs"][0];

        let artifacts = run["artifacts"].as_array().unwrap();
        assert_eq!(artifacts[0]["location"]["uri"], "just%20text.txt");
        assert_eq!(artifacts[0]["roles"][0], "analysisTarget");
        assert!(artifacts[0].get("parentIndex").is_none());
        assert_eq!(artifacts[1]["location"]["uri"], "sub%20dir/a.gz.gz");
        assert_eq!(artifacts[1]["location"]["uriBaseId"], BASE);
        assert_eq!(artifacts[2]["parentIndex"], 1);
        assert_eq!(artifacts[2]["offset"], 10);
        assert_eq!(artifacts[2]["length"], inner.len());
        assert_eq!(artifacts[2]["location"]["uri"], "/a.gz");
        assert_eq!(artifacts[2]["mimeType"], "application/gzip");

        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), 1);
        let result = &results[0];
        assert_eq!(
            (&result["ruleId"], &result["kind"], &result["level"]),
            (&json!("unexplained-bytes"), &json!("fail"), &json!("warning"))
        );
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 1, "only rules that fired");
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], "unexplained-bytes");
        assert_eq!(rules[0]["name"], "UnexplainedBytes");
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["index"], 2);
        assert_eq!(physical["region"]["byteOffset"], inner.len() - 9);
        assert_eq!(physical["region"]["byteLength"], 9);
        assert_eq!(physical["region"]["snippet"]["binary"], "bGVmdCBvdmVy");
    }

    #[test]
    fn what_was_not_read_is_a_notification() {
        let damaged = checked("x.bin", [1, 2, 3, 0xff]);
        let unread = Report::unread("gone.dcm", 0, &Stop::source("permission denied"));
        let document = parsed(&[damaged, unread]);
        let invocation = &document["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
        assert_eq!(notifications[0]["descriptor"]["id"], "unknown-format");
        assert_eq!(notifications[0]["level"], "warning");
        assert_eq!(notifications[1]["level"], "error");
        let index = notifications[1]["descriptor"]["index"].as_u64().unwrap() as usize;
        assert_eq!(document["runs"][0]["tool"]["driver"]["notifications"][index]["id"], "source");
        let place = &notifications[1]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!((&place["uri"], &place["index"]), (&json!("gone.dcm"), &json!(1)));
        assert_eq!(parsed(&[checked("a.txt", b"a\n")])["runs"][0]["invocations"][0]["executionSuccessful"], true);
    }

    #[test]
    fn a_note_is_informational() {
        let document = parsed(&[checked("empty", [])]);
        let result = &document["runs"][0]["results"][0];
        assert_eq!(
            (&result["ruleId"], &result["kind"], &result["level"]),
            (&json!("empty"), &json!("informational"), &json!("none"))
        );
        let rule = &document["runs"][0]["tool"]["driver"]["rules"][0];
        assert_eq!(rule["defaultConfiguration"]["level"], "note");
    }

    #[test]
    fn text_of_a_file_is_neither_link_nor_placeholder() {
        let mut report = checked("a.txt", b"a\n");
        report.add_finding(0, &rules::NAME_LIES, 0..1, "see [here](https://e.vil) {0} \u{202E}".into(), b"a");
        let text = parsed(&[report])["runs"][0]["results"][0]["message"]["text"].as_str().unwrap().to_string();
        assert_eq!(text, "see [here] (https://e.vil) {{0}} \\u{{202E}}");
    }

    #[test]
    fn addresses_are_encoded() {
        assert_eq!(address("a b/ü#?.txt"), ("a%20b/%C3%BC%23%3F.txt".into(), true));
        assert_eq!(address("/data/x.dcm"), ("file:///data/x.dcm".into(), false));
        assert_eq!(address("C:\\data\\x.dcm"), ("file:///C:/data/x.dcm".into(), false));
        assert_eq!(address("javascript:alert(1)"), ("javascript%3Aalert%281%29".into(), true));
    }
}
