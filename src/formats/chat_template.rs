//! Chat templates of language models: Jinja text in a tokenizer's configuration.
//!
//! Specification: the Transformers documentation, "Chat templates"; the Jinja template designer documentation.
//!
//! ```text
//! { "chat_template": "text {{ expression }} text {% statement %} text {# comment #}", … }
//! { "chat_template": [ { "name": …, "template": "…" } ], … }
//! ```
//! A template only needs names, loops and string methods. One that reaches for Python's special attributes
//! (`__class__`, `__globals__`) climbs from a string to any function of the interpreter; where it is rendered without a
//! sandbox, it runs code.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Event, Step, Token, Walker},
    quote::quoted,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// Chat templates.
pub static FORMAT: Format = Format {
    id: "chat-template",
    name: "chat template of a language model",
    spec: "https://huggingface.co/docs/transformers/chat_templating",
    extensions: &[],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[&REACHES_PYTHON],
};

/// A template that climbs into the interpreter.
static REACHES_PYTHON: Rule = Rule {
    id: "chat-template-reaches-python",
    title: "The chat template of this model reaches into Python",
    why: "A chat template puts messages together. This one asks for special attributes of Python, by which a template \
          gets from a text to any function. A program that renders it without a sandbox runs code of the author's \
          choice as soon as somebody chats with the model.",
    advice: "Do not use the template. Tell the model hub, and replace it with one that you trust.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Danger,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2024-34359"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    json::shows(candidate, |walker, event| {
        matches!(event.token, Token::Key(_)) && walker.depth() == 1 && walker.key() == Some("chat_template")
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    json::walk(visit, look)
}

fn look(visit: &mut Visit<'_>, walker: &Walker, event: &Event) -> Result<(), Stop> {
    let Token::String(text) = &event.token else { return Ok(()) };
    let path: Vec<_> = walker.path().collect();
    let template = matches!(
        path.as_slice(),
        [Step::Key("chat_template")] | [Step::Key("chat_template"), Step::Index(_), Step::Key("template")]
    );
    match special_name(&text.text()) {
        Some(name) if template => {
            let message = format!("The template at {} asks for {}.", walker.place(), quoted(&name));
            visit.find(&REACHES_PYTHON, event.range.clone(), message)
        }
        _ => Ok(()),
    }
}

/// The first special name of Python that an expression or a statement of the template uses: as a name, as an attribute,
/// or as a text in brackets.
fn special_name(template: &str) -> Option<String> {
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        rest = rest.get(open..)?;
        let (close, code) = match rest.as_bytes().get(1) {
            Some(b'{') => ("}}", true),
            Some(b'%') => ("%}", true),
            Some(b'#') => ("#}", false),
            _ => {
                rest = rest.get(1..)?;
                continue;
            }
        };
        let inner = rest.get(2..)?;
        if code {
            let (name, end) = special_name_in(inner, close);
            if name.is_some() {
                return name;
            }
            rest = inner.get(end..)?;
        } else {
            rest = inner.get(inner.find(close)?..)?;
        }
    }
    None
}

/// The first special name up to `close`, and the place where the search ended.
fn special_name_in(code: &str, close: &str) -> (Option<String>, usize) {
    let mut at = 0;
    // Whether a text that stands here names a member: behind a bracket that opens.
    let mut names_member = false;
    while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty() && !rest.starts_with(close)) {
        let first = rest.chars().next().unwrap_or(' ');
        if let '\'' | '"' = first {
            let (text, len) = literal(rest, first);
            if names_member && is_special(&text) {
                return (Some(text), at);
            }
            at = at.saturating_add(len);
            names_member = false;
        } else if first.is_alphabetic() || first == '_' {
            let len = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
            let word = rest.get(..len).unwrap_or_default();
            if is_special(word) {
                return (Some(word.to_string()), at);
            }
            at = at.saturating_add(len);
            names_member = false;
        } else {
            names_member = matches!(first, '[' | '(') || (names_member && first.is_whitespace());
            at = at.saturating_add(first.len_utf8());
        }
    }
    (None, at)
}

/// A name between two pairs of underscores.
fn is_special(name: &str) -> bool {
    let inner = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    inner
        .is_some_and(|inner| !inner.is_empty() && inner.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
}

/// The text of a literal that starts with `quote`, its numbered escapes decoded, and its length with both quotes.
fn literal(code: &str, quote: char) -> (String, usize) {
    let mut text = String::new();
    let mut letters = code.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return (text, at.saturating_add(1));
        }
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        let Some((_, escape)) = letters.next() else { break };
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            _ => 0,
        };
        let number: String = letters.by_ref().take(digits).map(|(_, digit)| digit).collect();
        match u32::from_str_radix(&number, 16).ok().and_then(char::from_u32) {
            Some(decoded) if digits > 0 => text.push(decoded),
            _ => text.push(escape),
        }
    }
    (text, code.len())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn configuration(template: &str) -> String {
        let template = serde_json::to_string(template).unwrap();
        format!(r#"{{"tokenizer_class": "LlamaTokenizer", "chat_template": {template}}}"#)
    }

    #[test]
    fn templates_that_reach_into_python_are_found() {
        for template in [
            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "{% set x = cycler.__init__.__globals__ %}{{ x.os.popen('id') }}",
            "hello {{ ''|attr('__class__') }}",
            "{{ request['\\x5f\\x5fglobals\\x5f\\x5f'] }}",
            "{# a comment #}{{ __import__('os') }}",
        ] {
            assert_eq!(
                rules_of(&checked("t.json", configuration(template))),
                ["chat-template-reaches-python"],
                "{template}"
            );
        }
        let list = r#"{"chat_template": [{"name": "tools", "template": "{{ x.__globals__ }}"}]}"#;
        assert_eq!(rules_of(&checked("t.json", list)), ["chat-template-reaches-python"]);
    }

    #[test]
    fn templates_that_put_messages_together_are_just_data() {
        for template in [
            "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message.content }}{% endfor %}",
            "{{ '__start__' + messages[0]['content'] | trim }}",
            "Text about __class__ and {# __globals__ #} is text. {{ bos_token }}",
            "{{ unclosed",
            "{ '__class__' }",
        ] {
            let report = checked("t.json", configuration(template));
            assert_eq!(report.verdict, Verdict::JustData, "{template}");
            assert!(report.layers[0].formats.contains(&"chat-template".into()));
        }
        assert_eq!(checked("t.json", r#"{"template": "{{ x.__globals__ }}"}"#).verdict, Verdict::JustData);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = configuration("{{ bos_token }}");
        for len in 1..whole.len() {
            assert_ne!(checked("t.json", &whole.as_bytes()[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
