//! Plain text for a terminal or a mail: verdict first, evidence second, what was not read last.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Finding, Report, items::Item, reference};
use crate::quote::visible;

/// At most this many findings and this many stops of one file are written; the rest is counted.
const MOST: usize = 100;

/// At most this many companions of one file are written.
const COMPANIONS: usize = 10;

/// One file.
pub fn file(report: &Report) -> String {
    item(&Item { first: report, alike: Vec::new(), values: Vec::new() })
}

/// One line of the list, with all that is to be said of it.
pub fn item(item: &Item<'_>) -> String {
    let mut out = String::new();
    let _ = write_item(&mut out, item);
    out
}

fn write_item(out: &mut String, item: &Item<'_>) -> std::fmt::Result {
    let report = item.first;
    writeln!(out, "{}: {}", visible(&item.name()), report.verdict.title())?;
    writeln!(out, "  {}", report.verdict.sentence())?;
    if let Some(root) = report.layers.first() {
        let names: Vec<&str> = root
            .formats
            .iter()
            .map(|id| crate::formats::format(id).map_or(id.as_str(), |format| format.name))
            .collect();
        let names = if names.is_empty() { "no known format".to_string() } else { names.join(" and ") };
        let nested = match report.layers.len().saturating_sub(1) {
            0 => String::new(),
            1 => ", 1 nested file".to_string(),
            count => format!(", {count} nested files"),
        };
        let unexplained: u64 =
            report.layers.iter().fold(0u64, |sum, layer| sum.saturating_add(layer.coverage.unexplained));
        let unexplained = if unexplained == 0 { String::new() } else { format!(", {unexplained} bytes unexplained") };
        writeln!(out, "  {names}, {} bytes{nested}{unexplained}", item.size())?;
    }
    if let Some(sha256) = &report.sha256 {
        writeln!(out, "  SHA-256 {}", visible(sha256))?;
    }
    for values in &item.values {
        writeln!(out, "  its values: {}, {} bytes: {}", visible(&values.path), values.size, values.verdict.title())?;
    }
    write_companions(out, report)?;
    for finding in report.findings.iter().take(MOST) {
        write_finding(out, finding)?;
    }
    write_rest(out, report.findings.len(), "findings")?;
    let stops = || report.layers.iter().flat_map(|layer| layer.stops.iter().map(move |stop| (layer.id, stop)));
    for (layer, stop) in stops().take(MOST) {
        writeln!(out, "  not read: {}: {}", visible(&report.place(layer)), visible(&stop.message))?;
    }
    write_rest(out, stops().count(), "places that were not read")?;
    for pending in report.pending.iter().filter(|pending| !pending.done) {
        writeln!(out, "  not looked through: {} bytes at {:#x}", pending.len, pending.offset)?;
    }
    Ok(())
}

/// The files that are opened along with this one, where they were looked for.
fn write_companions(out: &mut String, report: &Report) -> std::fmt::Result {
    let told = || report.companions.iter().filter_map(|companion| Some((companion, companion.fate()?)));
    for (companion, fate) in told().take(COMPANIONS) {
        writeln!(out, "  names {}: {fate}", visible(&companion.name))?;
    }
    match told().count().saturating_sub(COMPANIONS) {
        0 => Ok(()),
        rest => writeln!(out, "  and {rest} more files that it names"),
    }
}

fn write_rest(out: &mut String, count: usize, what: &str) -> std::fmt::Result {
    match count.saturating_sub(MOST) {
        0 => Ok(()),
        rest => writeln!(out, "  and {rest} more {what}"),
    }
}

fn write_finding(out: &mut String, finding: &Finding) -> std::fmt::Result {
    let rule = crate::formats::rule(&finding.rule);
    writeln!(out, "  {}: {} [{}]", finding.severity.id(), rule.map_or("", |rule| rule.title), visible(&finding.rule))?;
    writeln!(out, "    {}", visible(&finding.message))?;
    let when = reference::moment(finding.runs);
    writeln!(out, "    {}; it {when}", finding.guideline.name())?;
    writeln!(
        out,
        "    in {}, byte {} ({:#x}), {} long",
        visible(&finding.place),
        finding.offset,
        finding.offset,
        finding.length
    )?;
    for line in excerpt(finding) {
        writeln!(out, "      {line}")?;
    }
    for line in finding.evidence.iter().flat_map(|evidence| evidence.lines()) {
        writeln!(out, "      | {}", visible(line))?;
    }
    Ok(())
}

/// The first bytes of a finding in lines of sixteen: hexadecimal, then ASCII with a dot for everything else.
pub(super) fn excerpt(finding: &Finding) -> Vec<String> {
    let bytes = STANDARD.decode(&finding.excerpt).unwrap_or_default();
    let line = |line: &[u8]| {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String =
            line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        format!("{:<47}  {text}", hex.join(" "))
    };
    bytes.chunks(16).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check::tests::checked, rules};

    #[test]
    fn the_verdict_comes_first_and_controls_are_shown() {
        let mut report = checked("a\u{1b}[2J.txt", b"a\n");
        report.add_finding(0, &rules::TWO_FORMATS, 0..2, "line\nbreak".into(), b"a\n");
        report.conclude();
        let text = file(&report);
        assert!(text.starts_with("a\\u{001B}[2J.txt: Look twice\n"), "{text}");
        assert!(text.contains("line\\u{000A}break"));
        assert!(text.contains("      61 0a                                            a.\n"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn what_was_not_read_is_said() {
        let text = file(&checked("x", [1, 2, 3, 0xff]));
        assert!(text.contains("Not fully checked"));
        assert!(text.contains("not read: x: no known format"));
    }

    #[test]
    fn long_lists_are_counted() {
        let mut report = checked("a.txt", b"a\n");
        for _ in 0..MOST + 7 {
            report.add_finding(0, &rules::NAME_LIES, 0..1, "x".into(), b"a");
        }
        assert!(file(&report).contains("and 7 more findings"));
    }
}
