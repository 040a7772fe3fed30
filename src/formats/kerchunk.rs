//! Kerchunk references: an array whose chunks lie in other files, listed in JSON.
//!
//! Specification: fsspec ReferenceFileSystem, versions 0 and 1.
//!
//! ```text
//! version 0  { "x/.zarray": "{…}", "x/0": ["address", offset, length], "x/1": "base64:…" }
//! version 1  { "version": 1, "templates": { "u": "address" }, "gen": [ { "url": "{{…}}", … } ], "refs": { as version 0 } }
//! ```
//! Reading the array fetches from every address. A text between double braces is worked out by the template language
//! Jinja.

use std::collections::HashMap;

use crate::{
    follow::{Follower, open_base64},
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Event, Step, Text, Token, Walker},
    quote::quoted,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// Kerchunk references.
pub static FORMAT: Format = Format {
    id: "kerchunk",
    name: "Kerchunk references",
    spec: "https://fsspec.github.io/kerchunk/spec.html",
    extensions: &[],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[&GENERATED, &PICKLE, &EXPRESSION],
};

/// References that are worked out.
static GENERATED: Rule = Rule {
    id: "kerchunk-generated",
    title: "The references of this file are worked out when it is opened",
    why: "The file holds templates that the reader of the references works out with the template language Jinja.",
    advice: "Nothing to do. If it matters, ask for a file with the references written out.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &["https://fsspec.github.io/kerchunk/spec.html#version-1"],
};

/// A template that reaches into the program that works it out.
static EXPRESSION: Rule = Rule {
    id: "kerchunk-template-reaches-out",
    title: "A template in this file reaches for the inside of the program that opens it",
    why: "When fsspec opens the references in Python, they are worked out with the template language Jinja. This \
          template asks for the hidden attributes of an object, which is the way to call anything.",
    advice: "Do not open it.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://cwe.mitre.org/data/definitions/1336.html"],
};

/// Chunks that are pickles.
static PICKLE: Rule = Rule {
    id: "kerchunk-pickle-codec",
    title: "The parts of this array are Python pickles, which may call anything when they are read",
    why: "The codec pickle makes Python objects from each chunk. A pickle names the functions that are called for \
          it, so who writes a chunk runs code where the array is read with zarr in Python.",
    advice: "Do not read the array.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Danger,
    see: &["https://numcodecs.readthedocs.io/en/stable/other/pickles.html"],
};

/// Keys of Zarr metadata, the last part of a path in the store.
const METADATA: &[&str] = &[".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json"];

fn is_metadata(key: &str) -> bool {
    METADATA.contains(&key.rsplit('/').next().unwrap_or(key))
}

/// The key of the store that the path leads to, and how many steps lead there.
fn key_of<'a>(path: &[Step<'a>]) -> Option<(&'a str, usize)> {
    match path {
        [Step::Key("refs"), Step::Key(key), ..] => Some((key, 2)),
        [Step::Key(key), ..] if is_metadata(key) || key.contains('/') => Some((key, 1)),
        _ => None,
    }
}

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let (mut version, mut references) = (false, false);
    json::shows(candidate, |walker, event| {
        if walker.depth() > 3 {
            return false;
        }
        let path: Vec<_> = walker.path().collect();
        match (&event.token, path.as_slice()) {
            (Token::Number(_), [Step::Key("version")]) => version = true,
            (Token::StartObject, [Step::Key("refs")]) => references = true,
            // Version 0: metadata as a text in the place of a chunk.
            (Token::String(_), [Step::Key(key)]) if is_metadata(key) => return true,
            (Token::String(_) | Token::StartObject, [Step::Key("refs"), Step::Key(key)]) if is_metadata(key) => {
                return true;
            }
            _ => {}
        }
        version && references
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut reading = Reading::default();
    json::walk(visit, |visit, walker, event| reading.look(visit, walker, event))
}

#[derive(Default)]
struct Reading {
    follower: Follower,
    /// The texts that stand for `{{name}}`.
    templates: HashMap<String, String>,
}

/// Templates that are remembered.
const TEMPLATES: usize = 1000;

impl Reading {
    fn look(&mut self, visit: &mut Visit<'_>, walker: &Walker, event: &Event) -> Result<(), Stop> {
        let Token::String(text) = &event.token else { return Ok(()) };
        let path: Vec<_> = walker.path().collect();
        let value = text.text();
        match path.as_slice() {
            [Step::Key("templates"), Step::Key(name)] => {
                if self.templates.len() < TEMPLATES {
                    self.templates.insert(name.to_string(), value.to_string());
                }
                self.address(visit, walker, event, &value)
            }
            [Step::Key("gen"), .., Step::Key(_)] => {
                self.follower.tell(visit, &GENERATED, event.range.clone(), "", format!("{}.", quoted(&value)))?;
                match walker.key() {
                    Some("url") => self.address(visit, walker, event, &value),
                    _ => self.template(visit, event, &value),
                }
            }
            path => match key_of(path) {
                Some((_, steps)) if matches!(path.get(steps..), Some([Step::Index(0)])) => {
                    self.address(visit, walker, event, &value)
                }
                Some((key, steps)) if path.len() == steps => self.inline(visit, key, text),
                _ => Ok(()),
            },
        }
    }

    /// An address that is fetched from, with its template replaced.
    fn address(&mut self, visit: &mut Visit<'_>, walker: &Walker, event: &Event, value: &str) -> Result<(), Stop> {
        self.template(visit, event, value)?;
        let name = value.strip_prefix("{{").and_then(|rest| rest.split_once("}}"));
        let whole = name.and_then(|(name, rest)| Some(format!("{}{rest}", self.templates.get(name.trim())?)));
        let address = whole.as_deref().unwrap_or(value);
        let place = walker.place();
        let subject = format!("The address at {}", quoted(&place));
        self.follower.follow(visit, event.range.clone(), &subject, address)?;
        Ok(())
    }

    /// A text that may be worked out.
    fn template(&mut self, visit: &mut Visit<'_>, event: &Event, value: &str) -> Result<(), Stop> {
        let mut rest = value;
        while let Some(start) = ["{{", "{%"].iter().filter_map(|mark| rest.find(mark)).min() {
            let inner = rest.get(start.saturating_add(2)..).unwrap_or_default();
            let end = ["}}", "%}"].iter().filter_map(|mark| inner.find(mark)).min().unwrap_or(inner.len());
            let expression = inner.get(..end).unwrap_or_default();
            // Names that start and end with two underscores are the inside of Python objects.
            if expression.contains("__") || expression.contains("attr(") {
                let message = format!("{}.", quoted(value));
                return self.follower.tell(visit, &EXPRESSION, event.range.clone(), "", message);
            }
            rest = inner.get(end..).unwrap_or_default();
        }
        Ok(())
    }

    /// Content that stands in the file itself.
    fn inline(&mut self, visit: &mut Visit<'_>, key: &str, text: &Text) -> Result<(), Stop> {
        if text.raw.starts_with(b"base64:") {
            let range = text.range.start.saturating_add(7)..text.range.end;
            return open_base64(visit, range, key.to_string(), "chunk");
        }
        if !is_metadata(key) || key.ends_with(".zattrs") {
            return Ok(());
        }
        // The metadata is JSON in a string; the places of its tokens are those of the string.
        let Ok(metadata) = serde_json::from_str::<serde_json::Value>(&text.text()) else { return Ok(()) };
        let parts = ["compressor", "filters", "codecs"].iter().filter_map(|part| metadata.get(part));
        let codecs = parts.flat_map(|part| part.as_array().map_or(std::slice::from_ref(part), Vec::as_slice));
        let named = |codec: &serde_json::Value| {
            ["id", "name"].iter().any(|name| {
                let name = codec.get(name).and_then(serde_json::Value::as_str);
                name.is_some_and(|name| matches!(name, "pickle" | "numcodecs.pickle"))
            })
        };
        if codecs.into_iter().any(named) {
            let message = format!("The metadata {}.", quoted(key));
            self.follower.tell(visit, &PICKLE, text.range.clone(), "", message)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn references(address: &str) -> String {
        format!(
            r#"{{"version": 1, "templates": {{"u": "{address}"}}, "refs": {{".zgroup": "{{\"zarr_format\":2}}",
            "x/.zarray": "{{\"compressor\": {{\"id\": \"zlib\"}}, \"filters\": null}}",
            "x/0": ["{{{{u}}}}", 0, 10], "x/1": ["{{{{u}}}}", 10, 10], "x/2": "base64:AAECAw==", "x/3": ["b.nc"]}}}}"#
        )
    }

    #[test]
    fn references_to_files_beside_are_just_data() {
        let report = checked("refs.json", references("a.nc"));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]));
        assert!(report.layers[0].formats.contains(&"kerchunk".into()));
        assert_eq!(report.layers[1].len, 4);
        let first = r#"{".zgroup": "{\"zarr_format\": 2}", "x/0.0": ["a.nc", 0, 4], "x/.zattrs": "{\"filters\": [{\"id\": \"pickle\"}]}"}"#;
        let report = checked("refs.json", first);
        assert_eq!((report.verdict, report.layers[0].formats.len()), (Verdict::JustData, 2));
        let generated =
            r#"{"version": 1, "gen": [{"key": "k{{i}}", "url": "a{{i}}.nc", "offset": "{{i*10}}"}], "refs": {}}"#;
        let report = checked("refs.json", generated);
        assert_eq!((report.verdict, report.findings[0].rule.as_str()), (Verdict::JustData, "kerchunk-generated"));
    }

    #[test]
    fn references_that_leave_are_found() {
        let report = checked("refs.json", references("https://example.org/a.nc"));
        assert_eq!(rules_of(&report), ["reference-to-server"]);
        assert_eq!(rules_of(&checked("refs.json", references("s3://bucket/a.nc"))), ["reference-to-server"]);
        assert_eq!(rules_of(&checked("refs.json", references("file:///etc/hostname")))[0], "reference-by-whole-path");
        let first = r#"{".zgroup": "{}", "x/0.0": ["http://example.org/a.nc", 0, 4]}"#;
        assert_eq!(rules_of(&checked("refs.json", first)), ["reference-to-server"]);
    }

    #[test]
    fn pickles_and_expressions_are_found() {
        let pickle = references("a.nc").replace("null", "[{\\\"id\\\": \\\"pickle\\\"}]");
        assert_eq!(rules_of(&checked("refs.json", pickle)), ["kerchunk-pickle-codec"]);
        let template = references("{{ ''.__class__.__mro__ }}");
        assert_eq!(rules_of(&checked("refs.json", template)), ["kerchunk-template-reaches-out"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = references("a.nc");
        for len in 1..whole.len() {
            assert_ne!(checked("a.json", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn zar_02_references() {
        told("refs.json", references("http://192.0.2.1/a.nc"), "reference-to-server", references("a.nc"));
        told("refs.json", references("file:///etc/hostname"), "reference-by-whole-path", references("data/a.nc"));
    }
}
