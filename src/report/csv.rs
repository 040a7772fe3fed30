//! A table for a spreadsheet: one line a file (RFC 4180), with the worst finding of each.
//!
//! A spreadsheet takes a cell that starts like a formula for one, and a formula can reach a server. Names and messages
//! come from files; so a cell that starts so gets an apostrophe in front, by which spreadsheets know text.

use super::{Finding, Report};
use crate::{formats, quote::visible, rule::Severity};

/// What stands in the first line.
const COLUMNS: &[&str] = &[
    "path",
    "size",
    "sha256",
    "verdict",
    "answer",
    "rule",
    "title",
    "guideline",
    "runs",
    "severity",
    "place",
    "offset",
    "length",
    "message",
    "dangers",
    "warnings",
    "notes",
    "format",
    "layers",
    "unexplained",
    "stops",
    "first_stop",
];

/// The whole table. The mark at its start tells spreadsheets that it is UTF-8.
pub fn document(reports: &[Report]) -> String {
    let head = line(COLUMNS.iter().map(|name| name.to_string()));
    std::iter::once(format!("\u{FEFF}{head}")).chain(reports.iter().map(file)).collect()
}

/// The line of one file.
fn file(report: &Report) -> String {
    let worst = report.findings.first();
    let told = |of: fn(&Finding) -> String| worst.map(of).unwrap_or_default();
    let many = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count().to_string();
    let root = report.layers.first();
    let name = |id: &String| formats::format(id).map_or(id.clone(), |format| format.name.to_string());
    let names: Vec<String> = root.map(|layer| layer.formats.iter().map(name).collect()).unwrap_or_default();
    let unexplained = report.layers.iter().fold(0u64, |sum, layer| sum.saturating_add(layer.coverage.unexplained));
    let stops = || report.layers.iter().flat_map(|layer| &layer.stops);
    line([
        report.path.clone(),
        report.size.to_string(),
        report.sha256.clone().unwrap_or_default(),
        word(&report.verdict),
        report.verdict.title().to_string(),
        told(|finding| finding.rule.clone()),
        told(|finding| formats::rule(&finding.rule).map_or(String::new(), |rule| rule.title.to_string())),
        told(|finding| word(&finding.guideline)),
        told(|finding| word(&finding.runs)),
        told(|finding| word(&finding.severity)),
        told(|finding| finding.place.clone()),
        told(|finding| finding.offset.to_string()),
        told(|finding| finding.length.to_string()),
        told(|finding| finding.message.clone()),
        many(Severity::Danger),
        many(Severity::Warning),
        many(Severity::Note),
        names.join(" and "),
        report.layers.len().to_string(),
        unexplained.to_string(),
        stops().count().to_string(),
        stops().next().map_or(String::new(), |stop| stop.message.clone()),
    ])
}

/// The stable word of the JSON contract.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(&text)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell that is text whatever it says: no formula, no second cell, no second line, no deceiving character.
fn cell(text: &str) -> String {
    let text = visible(text);
    // Also behind spaces, which some spreadsheets leave out, and in the full-width forms, which some of them read.
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠']);
    let safe = if formula { format!("'{text}") } else { text };
    if safe.contains(['"', ',', ';', '\'']) || safe.starts_with(' ') || safe.ends_with(' ') {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::checked;

    #[test]
    fn a_line_a_file_with_as_many_cells_as_columns() {
        let mut report = checked("a.txt", b"hello\n");
        report.sha256 = Some("ab".repeat(32));
        let table = document(&[report, checked("b.bin", [1, 2, 3, 0xff])]);
        let lines: Vec<&str> = table.trim_start_matches('\u{FEFF}').split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("path,size,sha256,verdict,answer,rule,"));
        assert!(lines[1].starts_with(&format!("a.txt,6,{},just-data,Just data,", "ab".repeat(32))), "{}", lines[1]);
        assert!(lines[2].starts_with("b.bin,4,,unfinished,Not fully checked,,"), "{}", lines[2]);
        assert!(lines[2].ends_with(",1,no known format"), "{}", lines[2]);
        for line in &lines {
            assert_eq!(line.split(',').count(), COLUMNS.len(), "{line}");
        }
    }

    #[test]
    fn no_cell_is_a_formula_or_ends_its_line() {
        for evil in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1+1", "|calc", "%0"] {
            let safe = cell(evil);
            let shown = safe.trim_start_matches('"');
            assert!(shown.starts_with('\'') || shown.starts_with('\\'), "{evil:?} is {safe:?}");
        }
        assert_eq!(cell("=HYPERLINK(\"https://e.vil\",1)"), "\"'=HYPERLINK(\"\"https://e.vil\"\",1)\"");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("a\nb\u{202E}"), "a\\u{000A}b\\u{202E}");
        assert_eq!(cell("plain text"), "plain text");
        let mut report = checked("=cmd|' /C calc'!A0.txt", b"hello\n");
        report.path = "=cmd|' /C calc'!A0\n=1.txt".into();
        let table = document(&[report]);
        assert_eq!(table.matches("\r\n").count(), 2);
        assert!(!table.contains("\n="));
    }

    #[test]
    fn the_worst_finding_is_told() {
        let report = checked(
            "a.gz",
            [&b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x03\0\xfc\xffabc\xc2\x41\x24\x35\x03\0\0\0"[..], b"left over"]
                .concat(),
        );
        let table = document(std::slice::from_ref(&report));
        let worst = &report.findings[0];
        assert!(table.contains(&format!(",{},", worst.rule)), "{table}");
        assert!(table.contains(&format!(",{},{},", worst.offset, worst.length)), "{table}");
    }
}
