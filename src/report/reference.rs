//! The reference: every rule and every format, from the same statics that the check uses.

use std::fmt::Write;

use crate::{
    formats::{FORMATS, all_rules},
    rule::{Guideline, Rule, Runs, Severity},
    sorting,
};

/// All rules as Markdown, by guideline, worst first.
pub fn rules() -> String {
    let mut out = String::from("# Rules\n");
    for guideline in [Guideline::Code, Guideline::Reporting, Guideline::Listening] {
        let mut rules: Vec<&Rule> = all_rules().into_iter().filter(|rule| rule.guideline == guideline).collect();
        if rules.is_empty() {
            continue;
        }
        sorting::by_key(&mut rules, |rule| (rule.severity, rule.id));
        let _ = writeln!(out, "\n## {}", guideline.name());
        for rule in rules {
            let _ = write_rule(&mut out, rule);
        }
    }
    out
}

fn write_rule(out: &mut String, rule: &Rule) -> std::fmt::Result {
    writeln!(out, "\n### `{}`\n\n**{}.**", rule.id, rule.title)?;
    writeln!(out, "{} · {}\n", heading(rule.severity), moment(rule.runs))?;
    writeln!(out, "{}\n\n{}", rule.why, rule.advice)?;
    if let Some(owners) = owners(rule) {
        writeln!(out, "\nFound in: {owners}.")?;
    }
    if !rule.see.is_empty() {
        let links: Vec<String> = rule.see.iter().map(|address| format!("<{address}>")).collect();
        writeln!(out, "\nSee {}.", links.join(", "))?;
    }
    Ok(())
}

/// One rule as plain text.
pub fn explain(rule: &Rule) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}: {}", rule.id, rule.title);
    let _ = writeln!(out, "  guideline: {}", rule.guideline.name());
    let _ = writeln!(out, "  severity:  {}", heading(rule.severity));
    let _ = writeln!(out, "  when:      {}", moment(rule.runs));
    if let Some(owners) = owners(rule) {
        let _ = writeln!(out, "  found in:  {owners}");
    }
    let _ = writeln!(out, "\n{}\n\nWhat to do: {}", rule.why, rule.advice);
    for address in rule.see {
        let _ = writeln!(out, "\nSee {address}");
    }
    out
}

/// All formats as plain text: id, name, endings of names, specification.
pub fn formats() -> String {
    let width = FORMATS.iter().map(|format| format.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for format in FORMATS {
        let endings: Vec<String> = format.extensions.iter().map(|extension| format!(".{extension}")).collect();
        let endings = if endings.is_empty() { String::new() } else { format!(" ({})", endings.join(" ")) };
        let within = format.within.map_or(String::new(), |base| format!(", in {}", base.name));
        let _ = writeln!(out, "{:width$}  {}{within}{endings}", format.id, format.name);
        let _ = writeln!(out, "{:width$}  {}", "", format.spec);
    }
    out
}

/// A severity in words.
pub fn heading(severity: Severity) -> &'static str {
    match severity {
        Severity::Danger => "danger: not just data",
        Severity::Warning => "warning: look twice",
        Severity::Note => "note: worth knowing, the verdict does not change",
    }
}

/// When something acts, in words.
pub fn moment(runs: Runs) -> &'static str {
    match runs {
        Runs::OnOpen => "acts when the file is opened",
        Runs::OnUse => "acts when what the file carries is used",
        Runs::Never => "does not act by itself",
    }
}

/// The formats whose readers use a rule; `None` for a shared rule.
fn owners(rule: &Rule) -> Option<String> {
    let owners: Vec<&str> =
        FORMATS.iter().filter(|format| format.rules.contains(&rule)).map(|format| format.name).collect();
    (!owners.is_empty()).then(|| owners.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_and_every_format_is_in_the_reference() {
        let (rules, formats) = (rules(), formats());
        for rule in all_rules() {
            assert_eq!(rules.matches(&format!("### `{}`\n", rule.id)).count(), 1, "{}", rule.id);
            let alone = explain(rule);
            assert!(alone.starts_with(&format!("{}: {}", rule.id, rule.title)));
            assert!(alone.contains(rule.why) && alone.contains(rule.advice) && alone.contains(rule.guideline.name()));
        }
        for format in FORMATS {
            assert!(formats.contains(format.spec), "{}", format.id);
        }
    }
}
