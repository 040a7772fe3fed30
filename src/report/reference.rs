//! The rules and formats for people, from the same statics as everything else.

use std::fmt::Write;

use crate::{format::Format, rule::Rule};

/// One rule: what it means, why it matters, what to do.
pub fn explain(rule: &Rule) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}\n", rule.title);
    let _ = writeln!(out, "  rule       {}", rule.id);
    let _ = writeln!(out, "  guideline  {} ({})", rule.guideline.name(), rule.guideline.id());
    let _ = writeln!(out, "  severity   {}", rule.severity.id());
    let _ = writeln!(out, "  runs       {}\n", rule.runs.id());
    let _ = writeln!(out, "Why: {}", rule.why);
    let _ = writeln!(out, "What to do: {}", rule.advice);
    for address in rule.see {
        let _ = writeln!(out, "See: {address}");
    }
    out
}

/// All rules, one a line: id, severity, guideline, title.
pub fn rules(rules: &[&Rule]) -> String {
    let widest = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let line = |rule: &&Rule| {
        format!("{:<widest$}  {:<7}  {:<9}  {}\n", rule.id, rule.severity.id(), rule.guideline.id(), rule.title)
    };
    rules.iter().map(line).collect()
}

/// All formats, one a line: id, name, endings, specification.
pub fn formats(formats: &[&Format]) -> String {
    let widest = formats.iter().map(|format| format.id.len()).max().unwrap_or(0);
    let line = |format: &&Format| {
        format!("{:<widest$}  {}  [{}]  {}\n", format.id, format.name, format.extensions.join(" "), format.spec)
    };
    formats.iter().map(line).collect()
}
