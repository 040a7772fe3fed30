//! Plain text for a terminal or a mail: verdict first, evidence second.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Finding, Report};
use crate::quote::visible;

/// One file.
pub fn file(report: &Report) -> String {
    let mut out = String::new();
    let _ = write_file(&mut out, report);
    out
}

fn write_file(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "{}: {}", visible(&report.path), report.verdict.title())?;
    writeln!(out, "  {}", report.verdict.sentence())?;
    for finding in &report.findings {
        write_finding(out, finding)?;
    }
    for layer in &report.layers {
        for stop in &layer.stops {
            writeln!(out, "  not read: {}: {}", visible(&report.place(layer.id)), visible(&stop.message))?;
        }
    }
    Ok(())
}

fn write_finding(out: &mut String, finding: &Finding) -> std::fmt::Result {
    let title = crate::formats::rule(&finding.rule).map_or("", |rule| rule.title);
    writeln!(out, "  {}: {title} [{}]", finding.severity.id(), finding.rule)?;
    writeln!(out, "    {}", visible(&finding.message))?;
    writeln!(
        out,
        "    in {}, byte {} ({:#x}), {} long",
        visible(&finding.place),
        finding.offset,
        finding.offset,
        finding.length
    )?;
    let bytes = STANDARD.decode(&finding.excerpt).unwrap_or_default();
    for line in bytes.chunks(16) {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String =
            line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        writeln!(out, "      {:<47}  {text}", hex.join(" "))?;
    }
    Ok(())
}
