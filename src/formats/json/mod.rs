//! JSON: objects, arrays, strings, numbers; also one document a line.
//!
//! Specification: RFC 8259; RFC 7464 and JSON Lines for sequences.
//!
//! ```text
//! text   = [ BOM ] value ( line break value )*
//! value  = { "key": value, … } | [ value, … ] | "string" | number | true | false | null
//! ```
//! JSON itself cannot run anything. Some libraries make objects from it whose class, or whose function text, the file
//! names: those names are fixed by the library, and stand in places that the library fixes.
//!
//! Other formats are made of JSON; their readers walk with [`Walker`].

mod walker;

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

pub use walker::{Event, Step, Text, Token, Walker};

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::FORMATS,
    quote::quoted,
    rule::{Guideline, Rule, Runs, Severity},
    stop::{Limit, Stop},
};

/// JSON.
pub static FORMAT: Format = Format {
    id: "json",
    name: "JSON",
    spec: "https://www.rfc-editor.org/rfc/rfc8259",
    extensions: EXTENSIONS,
    media_types: &["application/json"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[&DUPLICATE_KEY, &FUNCTION_CALLED, &FUNCTION_TEXT, &PYTHON_CALL],
};

const EXTENSIONS: &[&str] = &["json", "jsonl", "ndjson", "geojson", "jsonld", "webmanifest"];

/// The same key twice in one object.
static DUPLICATE_KEY: Rule = Rule {
    id: "json-duplicate-key",
    title: "A name stands twice in one object",
    why: "Some programs take the first value, some the last: they see different content in the same file.",
    advice: "If it matters, ask the sender which of the two values is meant.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &["https://www.rfc-editor.org/rfc/rfc8259#section-4"],
};

/// A function of the node-serialize library that calls itself.
static FUNCTION_CALLED: Rule = Rule {
    id: "json-function-called",
    title: "This file carries program text that runs when the file is loaded",
    why: "A string is marked as a function for the library node-serialize, and the function calls itself: loading the \
          file with that library runs it.",
    advice: "Do not load it. Data needs no functions.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2017-5941"],
};

/// A function of the node-serialize library.
static FUNCTION_TEXT: Rule = Rule {
    id: "json-function-text",
    title: "This file carries program text",
    why: "A string is marked as a function for the library node-serialize, which makes a function of it when the file \
          is loaded.",
    advice: "Do not load it with that library unless you trust the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2017-5941"],
};

/// An object of the jsonpickle library that is made by calling something.
static PYTHON_CALL: Rule = Rule {
    id: "json-python-call",
    title: "This file names Python functions that are called when it is loaded",
    why: "The library jsonpickle makes an object from a list of a function and its arguments: it calls the function.",
    advice: "Do not load it with jsonpickle unless you trust the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2020-22083"],
};

/// How much is looked at to recognise JSON, in bytes.
const LOOK: u64 = 4 << 10;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let start = candidate.bytes.start();
    let head = candidate.head(64)?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    // In UTF-16 a zero follows: the reader of text brings it into UTF-8.
    if text.get(1) == Some(&0) {
        return Ok(false);
    }
    if !matches!(text.first(), Some(b'{' | b'[')) && !head.starts_with(b"\x1e") {
        return Ok(false);
    }
    let made_of_json = |format: &&&'static Format| format.within.is_some_and(|base| *base == FORMAT);
    let named = candidate.is_named(EXTENSIONS)
        || FORMATS.iter().filter(made_of_json).any(|format| candidate.is_named(format.extensions));
    if named {
        return Ok(true);
    }
    let window = candidate.bytes.window(start..start.saturating_add(LOOK));
    let mut walker = Walker::new(&window)?;
    let mut keys = 0usize;
    let mut tokens = 0usize;
    let whole = loop {
        match walker.step() {
            Ok(Some(event)) => {
                tokens = tokens.saturating_add(1);
                keys = keys.saturating_add(usize::from(matches!(event.token, Token::Key(_))));
            }
            Ok(None) => break walker.at() >= window.end() || keys > 0,
            // A token may be cut by the end of the window: the longest word has eight letters.
            Err(Stop::Malformed(_)) => {
                break tokens > 1 && walker.at().saturating_add(8) >= window.end();
            }
            // Only JSON nests so deep.
            Err(Stop::Exhausted(_)) => break true,
            Err(stop) => return Err(stop),
        }
    };
    Ok(whole && tokens > 1)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut walker = Walker::new(visit.bytes)?;
    let mut claimed = visit.bytes.start();
    let mut names = Names::default();
    loop {
        let event = walker.step();
        // Claimed step by step, so that what was read before a break is known as read.
        if !matches!(event, Ok(Some(_))) || walker.at() > claimed.saturating_add(1 << 20) {
            visit.structure(claimed..walker.at(), "JSON")?;
            claimed = walker.at();
        }
        let Some(event) = event? else { break };
        if let Some(name) = names.twice(&event, &walker) {
            visit.find(
                &DUPLICATE_KEY,
                event.range.clone(),
                format!("The name {} stands here again.", quoted(&name)),
            )?;
        }
        look_at_marks(visit, &walker, &event)?;
    }
    if let Some(damage) = walker.damage() {
        visit.note(damage.clone());
    }
    Ok(())
}

/// Walks over a layer for a format that is made of JSON. Damage ends the walk: the reader of JSON itself tells it.
///
/// # Errors
/// Those of `each`, of the source, and of the budget.
pub fn walk(
    visit: &mut Visit<'_>,
    mut each: impl FnMut(&mut Visit<'_>, &Walker, &Event) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut walker = Walker::new(visit.bytes)?;
    loop {
        match walker.step() {
            Ok(Some(event)) => each(visit, &walker, &event)?,
            Ok(None) | Err(Stop::Malformed(_) | Stop::Exhausted(Limit::Depth)) => return Ok(()),
            Err(stop) => return Err(stop),
        }
    }
}

/// How much of a text is walked over to see which format it is made for, in bytes.
const SIGNS: u64 = 32 << 20;

/// Whether one of the first tokens is a sign of a format that is made of JSON.
///
/// # Errors
/// Those of the source and the budget.
pub fn shows(candidate: &Candidate<'_>, mut sign: impl FnMut(&Walker, &Event) -> bool) -> Result<bool, Stop> {
    let start = candidate.bytes.start();
    let mut walker = Walker::new(&candidate.bytes.window(start..start.saturating_add(SIGNS)))?;
    loop {
        match walker.step() {
            Ok(Some(event)) if sign(&walker, &event) => return Ok(true),
            Ok(Some(_)) => {}
            Ok(None) | Err(Stop::Malformed(_) | Stop::Exhausted(Limit::Depth)) => return Ok(false),
            Err(stop) => return Err(stop),
        }
    }
}

/// What libraries that make objects from JSON look for.
fn look_at_marks(visit: &mut Visit<'_>, walker: &Walker, event: &Event) -> Result<(), Stop> {
    match &event.token {
        Token::String(text) => {
            if let Some(function) = text.text().strip_prefix("_$$ND_FUNC$$_") {
                let called = function.trim_end().trim_end_matches(';').ends_with("()");
                let rule: &'static Rule = if called { &FUNCTION_CALLED } else { &FUNCTION_TEXT };
                let message = format!("At {}: {}", quoted(&walker.place()), quoted(function));
                visit.find(rule, event.range.clone(), message)?;
            }
        }
        Token::StartArray if walker.path().next_back() == Some(Step::Key("py/reduce")) => {
            let message = format!("At {} stands a call.", quoted(&walker.place()));
            visit.find(&PYTHON_CALL, event.range.clone(), message)?;
        }
        _ => {}
    }
    Ok(())
}

/// The names seen in the objects that are open, as hashes.
#[derive(Default)]
struct Names {
    levels: Vec<HashSet<u64>>,
    told: usize,
}

/// Names remembered of one object.
const REMEMBERED: usize = 1 << 16;

/// Repeated names told of one file.
const TOLD: usize = 20;

impl Names {
    /// The name that `event` repeats.
    fn twice(&mut self, event: &Event, walker: &Walker) -> Option<String> {
        match &event.token {
            Token::StartObject | Token::StartArray => self.levels.push(HashSet::new()),
            Token::EndObject | Token::EndArray => {
                self.levels.pop();
            }
            Token::Key(text) => {
                let names = self.levels.last_mut()?;
                let mut hasher = DefaultHasher::new();
                walker.key().hash(&mut hasher);
                let new = names.len() >= REMEMBERED || !text.whole || names.insert(hasher.finish());
                if !new && self.told < TOLD {
                    self.told = self.told.saturating_add(1);
                    return Some(text.text().into_owned());
                }
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn json_is_just_data() {
        for sample in [
            "{\"a\": [1, 2.5, -3e4, NaN], \"url\": \"https://example.org/x\", \"$schema\": \"https://json-schema.org/\"}\n",
            "[]\n",
            "[{\"a\":1}]",
            "{\"a\":1}\n{\"a\":2}\n",
            "\u{feff}{\"a\":\"ü\"}",
            "{}",
        ] {
            let report = checked("x.bin", sample);
            assert_eq!(
                (report.verdict, &report.layers[0].formats[..]),
                (Verdict::JustData, &["json".to_string()][..]),
                "{sample}"
            );
            assert_eq!(report.layers[0].coverage.structure, sample.len() as u64);
        }
        let long = format!("[{}\"end\"]", "{\"key\": [1, \"text\"]},\n".repeat(100_000));
        assert_eq!(checked("x", long).verdict, Verdict::JustData);
    }

    #[test]
    fn text_in_brackets_is_no_json() {
        for sample in ["[section]\nkey = value\n", "[1] First reference\n", "{\\rtf1}", "{ return 1; }\n", "[x](y)\n"] {
            assert!(!checked("x", sample).layers[0].formats.contains(&"json".to_string()), "{sample}");
        }
    }

    #[test]
    fn damage_is_unfinished_at_every_cut() {
        let sample = "{\"a\": [1, {\"b\": \"x\\u00e9\"}, true], \"c\": null}";
        for len in 1..sample.len() {
            assert_ne!(checked("x.json", &sample[..len]).verdict, Verdict::JustData, "{len}");
            checked("x", &sample[..len]);
        }
        assert_eq!(checked("x.json", "{\"a\": 1,}").verdict, Verdict::Unfinished);
        assert_eq!(checked("x.json", b"{\"a\": \"\xff\"}").verdict, Verdict::Unfinished);
        assert_eq!(checked("x.json", "[".repeat(5000)).verdict, Verdict::Unfinished);
    }

    #[test]
    fn what_follows_the_document_is_news() {
        assert_eq!(rules_of(&checked("x.json", "{\"a\": 1} left over")), ["unexplained-bytes"]);
        assert_eq!(checked("x.json", "{\"a\": 1}\n\n  \n").verdict, Verdict::JustData);
        assert_eq!(checked("x.json", b"{\"a\": 1}\n\0\0\0").verdict, Verdict::JustData);
    }

    #[test]
    fn a_name_twice_is_a_note() {
        let report = checked("x.json", "{\"a\": 1, \"b\": {\"a\": 2}, \"\\u0061\": 3}");
        let told: Vec<_> = report.findings.iter().map(|finding| (finding.rule.as_str(), finding.offset)).collect();
        assert_eq!((report.verdict, told), (Verdict::JustData, vec![("json-duplicate-key", 24)]));
    }

    #[test]
    fn functions_and_calls_are_found_where_a_library_looks() {
        let called = r#"{"x": "_$$ND_FUNC$$_function () { return 1 }()"}"#;
        assert_eq!(rules_of(&checked("x.json", called)), ["json-function-called"]);
        let dormant = r#"{"x": "_$$ND_FUNC$$_function () { return 1 }"}"#;
        assert_eq!(rules_of(&checked("x.json", dormant)), ["json-function-text"]);
        let call = r#"{"a": {"py/reduce": [{"py/function": "os.getcwd"}, {"py/tuple": []}]}}"#;
        assert_eq!(rules_of(&checked("x.json", call)), ["json-python-call"]);
        for harmless in [
            r#"{"text": "the mark _$$ND_FUNC$$_ starts a function()"}"#,
            r#"{"x": "function () { return 1 }()"}"#,
            r#"{"py/reduce": "a word"}"#,
        ] {
            assert_eq!(checked("x.json", harmless).verdict, Verdict::JustData, "{harmless}");
        }
    }
}
