//! One self-contained page to read or print: no script, nothing fetched, own style for light, dark and paper.
//!
//! The page's policy forbids everything but its own style. Text from files is escaped in one place, `escaped`, and
//! isolated, so that it can neither become markup nor turn the writing direction of what stands beside it.

use std::fmt::Write;

use super::{
    Finding, Layer, Report, Verdict,
    items::{Item, items},
    reference, text,
};
use crate::{formats, ledger::Kind, quote::visible, rule::Severity};

/// At most this many findings, layers and stops of one file are written; the rest is counted.
const MOST: usize = 500;

/// The whole document.
pub fn document(reports: &[Report]) -> String {
    let mut out = head();
    let items = items(reports);
    let _ = write_summary(&mut out, &items);
    for (index, item) in items.iter().enumerate() {
        let _ = write_item(&mut out, index, item);
    }
    out.push_str(FOOT);
    out
}

fn head() -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Is it just data?</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Is it just data?</h1>\n<p class=\"by\">{} {}</p>\n",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
    )
}

const FOOT: &str = "</main>\n</body>\n</html>\n";

const STYLE: &str = "\
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --soft: #5a5a5a; --line: #d0d0d0;
  --code: #b3001b; --caution: #8a5a00; --unfinished: #44546a; --just-data: #1b6e3c;
  --structure: #2e7d5b; --nested: #3b6fb5; --opaque: #9aa3ad; --slack: #d9a441; --unexplained: #c2185b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #16181b; --soft: #a8a8a8; --line: #3a3d42;
  --code: #ff7b86; --caution: #f0b952; --unfinished: #a9bcd6; --just-data: #6fd19a; } }
@media print { :root { color-scheme: light; --ink: #000; --paper: #fff; --soft: #444; } section { break-before: auto; }
  article { break-inside: avoid; } svg rect { print-color-adjust: exact; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1, h2, h3 { line-height: 1.25; } h2, h3, p, td, li { overflow-wrap: anywhere; }
section { border-top: 2px solid var(--line); margin-top: 2rem; }
article { border-left: 4px solid var(--line); padding-left: 1rem; margin: 1.5rem 0; }
article.danger { border-color: var(--code); } article.warning { border-color: var(--caution); }
.code { color: var(--code); } .caution { color: var(--caution); } .unfinished { color: var(--unfinished); }
.just-data { color: var(--just-data); } .by, .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .2rem .6rem .2rem 0; vertical-align: top; }
pre { overflow-x: auto; padding: .5rem; border: 1px solid var(--line); font-size: .85rem; }
ul.tree { list-style: none; padding-left: 0; } ul.tree li { margin: .4rem 0; }
svg { display: block; width: 100%; height: .7rem; background: var(--line); }
rect.structure { fill: var(--structure); } rect.nested { fill: var(--nested); } rect.opaque { fill: var(--opaque); }
rect.slack { fill: var(--slack); } rect.unexplained { fill: var(--unexplained); }
.key span::before { content: \"\"; display: inline-block; width: .8rem; height: .8rem; margin-right: .3rem; background: currentColor; }
.key .structure { color: var(--structure); } .key .nested { color: var(--nested); } .key .opaque { color: var(--opaque); }
.key .slack { color: var(--slack); } .key .unexplained { color: var(--unexplained); } .key span { margin-right: 1rem; }
";

fn write_summary(out: &mut String, items: &[Item<'_>]) -> std::fmt::Result {
    if items.len() == 1 {
        return Ok(());
    }
    let files = items.iter().fold(0usize, |sum, item| sum.saturating_add(1 + item.alike.len() + item.values.len()));
    writeln!(out, "<p>{files} files.</p>\n<table>\n<tr><th>File</th><th>Answer</th></tr>")?;
    for (index, item) in items.iter().enumerate() {
        let (path, verdict) = (escaped(&item.name()), item.first.verdict);
        let class = class(verdict);
        writeln!(
            out,
            "<tr><td><a href=\"#file-{index}\">{path}</a></td><td class=\"{class}\">{}</td></tr>",
            verdict.title()
        )?;
    }
    writeln!(out, "</table>")
}

fn write_item(out: &mut String, index: usize, item: &Item<'_>) -> std::fmt::Result {
    let report = item.first;
    let verdict = report.verdict;
    writeln!(out, "<section id=\"file-{index}\">\n<h2>{}</h2>", escaped(&item.name()))?;
    writeln!(out, "<p class=\"{}\"><strong>{}.</strong> {}</p>", class(verdict), verdict.title(), verdict.sentence())?;
    if let Some(sha256) = &report.sha256 {
        writeln!(out, "<p class=\"soft\">SHA-256 <code>{}</code></p>", escaped(sha256))?;
    }
    writeln!(out, "<p class=\"soft\">{} bytes</p>", item.size())?;
    write_names(out, "More files of its series", item.alike.iter().map(|report| report.path.clone()))?;
    write_names(out, "Its values", item.values.iter().map(|report| report.path.clone()))?;
    let told = report.companions.iter().filter_map(|companion| Some((companion, companion.fate()?)));
    write_names(out, "Files that it names", told.map(|(companion, fate)| format!("{}: {fate}", companion.name)))?;
    if !report.findings.is_empty() {
        writeln!(out, "<h3>What was found</h3>")?;
        for finding in report.findings.iter().take(MOST) {
            write_finding(out, finding)?;
        }
        write_rest(out, report.findings.len(), "findings")?;
    }
    write_unread(out, report)?;
    write_layers(out, report)?;
    writeln!(out, "</section>")
}

/// A list of files, closed until somebody wants it.
fn write_names(out: &mut String, title: &str, names: impl Iterator<Item = String>) -> std::fmt::Result {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details>\n<summary>{title}: {}</summary>\n<ul>", names.len())?;
    for name in names.iter().take(MOST) {
        writeln!(out, "<li>{}</li>", escaped(name))?;
    }
    writeln!(out, "</ul>")?;
    write_rest(out, names.len(), "files")?;
    writeln!(out, "</details>")
}

fn write_finding(out: &mut String, finding: &Finding) -> std::fmt::Result {
    let rule = formats::rule(&finding.rule);
    let severity = match finding.severity {
        Severity::Danger => "danger",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let title = rule.map_or(finding.rule.as_str(), |rule| rule.title);
    writeln!(out, "<article class=\"{severity}\">\n<h3>{}</h3>\n<p>{}</p>", escaped(title), escaped(&finding.message))?;
    writeln!(
        out,
        "<p class=\"soft\">{} · {} · {} · <code>{}</code></p>",
        finding.guideline.name(),
        severity,
        reference::moment(finding.runs),
        escaped(&finding.rule)
    )?;
    writeln!(
        out,
        "<p>In {}, byte {} ({:#x}), {} long.</p>",
        escaped(&finding.place),
        finding.offset,
        finding.offset,
        finding.length
    )?;
    let lines = text::excerpt(finding);
    if !lines.is_empty() {
        let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
        writeln!(out, "<pre>{}</pre>", lines.join("\n"))?;
    }
    if let Some(evidence) = &finding.evidence {
        let lines: Vec<String> = evidence.lines().map(escaped).collect();
        writeln!(out, "<pre>{}</pre>", lines.join("\n"))?;
    }
    if let Some(rule) = rule {
        writeln!(out, "<p><strong>Why it matters.</strong> {}</p>", escape(rule.why))?;
        writeln!(out, "<p><strong>What to do.</strong> {}</p>", escape(rule.advice))?;
        for address in rule.see {
            writeln!(out, "<p class=\"soft\">See {}</p>", escape(address))?;
        }
    }
    writeln!(out, "</article>")
}

fn write_unread(out: &mut String, report: &Report) -> std::fmt::Result {
    let stops = || report.layers.iter().flat_map(|layer| layer.stops.iter().map(move |stop| (layer.id, stop)));
    let pending = || report.pending.iter().filter(|pending| !pending.done);
    let count = stops().count();
    if count == 0 && pending().next().is_none() {
        return Ok(());
    }
    writeln!(out, "<h3>What was not read</h3>\n<ul>")?;
    for (layer, stop) in stops().take(MOST) {
        writeln!(out, "<li>{}: {}</li>", escaped(&report.place(layer)), escaped(&stop.message))?;
    }
    for pending in pending() {
        writeln!(out, "<li>{} bytes at {:#x} were not looked through.</li>", pending.len, pending.offset)?;
    }
    writeln!(out, "</ul>")?;
    write_rest(out, count, "places")
}

fn write_layers(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "<h3>What it is made of</h3>\n<p class=\"key\">")?;
    for (kind, words) in KINDS {
        writeln!(out, "<span class=\"{}\">{words}</span>", kind.id())?;
    }
    writeln!(out, "</p>\n<ul class=\"tree\">")?;
    for (layer, depth) in tree(report).into_iter().take(MOST) {
        write_layer(out, layer, depth)?;
    }
    writeln!(out, "</ul>")?;
    write_rest(out, report.layers.len(), "nested files")
}

/// The kinds of bytes in words.
const KINDS: &[(Kind, &str)] = &[
    (Kind::Structure, "read and understood"),
    (Kind::Nested, "nested files"),
    (Kind::Opaque, "carried, not interpreted"),
    (Kind::Slack, "room left by the format"),
    (Kind::Unexplained, "unexplained"),
];

/// The layers in reading order, parents before children, each with its depth.
fn tree(report: &Report) -> Vec<(&Layer, usize)> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); report.layers.len()];
    let mut stack = Vec::new();
    for (index, layer) in report.layers.iter().enumerate().rev() {
        match layer.parent.filter(|parent| *parent < index).and_then(|parent| children.get_mut(parent)) {
            // The last is pushed first, so that the first is popped first.
            Some(siblings) => siblings.push(index),
            None => stack.push((index, 0usize)),
        }
    }
    let mut order = Vec::new();
    while let Some((index, depth)) = stack.pop() {
        if let Some(layer) = report.layers.get(index) {
            order.push((layer, depth));
        }
        let below = children.get(index).into_iter().flatten();
        stack.extend(below.map(|child| (*child, depth.saturating_add(1))));
    }
    order
}

fn write_layer(out: &mut String, layer: &Layer, depth: usize) -> std::fmt::Result {
    let names: Vec<&str> =
        layer.formats.iter().map(|id| formats::format(id).map_or(id.as_str(), |format| format.name)).collect();
    let names = if names.is_empty() { "no known format".to_string() } else { names.join(" and ") };
    let place = layer.offset.map_or(String::new(), |at| format!(", at byte {at}"));
    writeln!(
        out,
        "<li style=\"margin-left: {}rem\">{} <span class=\"soft\">{}, {} bytes{place}</span>",
        depth.min(16),
        escaped(&layer.name),
        escaped(&names),
        layer.len
    )?;
    write_bar(out, layer)?;
    writeln!(out, "</li>")
}

/// The coverage of a layer as a picture with its figures in words.
fn write_bar(out: &mut String, layer: &Layer) -> std::fmt::Result {
    if layer.len == 0 {
        return Ok(());
    }
    let books = &layer.coverage;
    let figures = [books.structure, books.nested, books.opaque, books.slack, books.unexplained];
    let words: Vec<String> = KINDS
        .iter()
        .zip(figures)
        .filter(|(_, bytes)| *bytes > 0)
        .map(|((_, words), bytes)| format!("{words}: {bytes} bytes"))
        .collect();
    let words = escape(&words.join(", "));
    // In hundredths of the thousand units of the picture.
    let scaled = |at: u64| (u128::from(at) * 100_000 / u128::from(layer.len)) as u64;
    let unit = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
    writeln!(
        out,
        "<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{words}\"><title>{words}</title>"
    )?;
    for (start, end, kind, _) in &layer.map {
        if let Some((kind, _)) = KINDS.iter().find(|(known, _)| known.id() == kind) {
            let (x, width) = (unit(scaled(*start)), unit(scaled(end.saturating_sub(*start)).max(50)));
            writeln!(out, "<rect class=\"{}\" x=\"{x}\" y=\"0\" width=\"{width}\" height=\"10\"/>", kind.id())?;
        }
    }
    writeln!(out, "</svg>")
}

fn write_rest(out: &mut String, count: usize, what: &str) -> std::fmt::Result {
    match count.saturating_sub(MOST) {
        0 => Ok(()),
        rest => writeln!(out, "<p>And {rest} more {what}.</p>"),
    }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Code => "code",
        Verdict::Caution => "caution",
        Verdict::Unfinished => "unfinished",
        Verdict::JustData => "just-data",
    }
}

/// Text from a file: deceiving characters shown, markup escaped, direction isolated.
fn escaped(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(&visible(text)))
}

/// Text as HTML text, fit for an attribute in double quotes too.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '`' => safe.push_str("&#96;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check::tests::checked, ledger::Region, report::Stopped, rules};

    const EVIL: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'`\u{202E}\u{2028}</title></style><!--";

    /// Every text of a report that may come from a file.
    fn poisoned() -> Report {
        let mut report = checked(EVIL, b"text\n");
        let regions = [Region { range: 0..5, kind: Kind::Opaque, what: "x" }];
        let stop = Stopped { kind: EVIL.into(), at: None, message: EVIL.into() };
        report.add_layer(Some(0), EVIL.into(), Some(1), 5, vec![EVIL.into()], &regions, vec![stop]);
        report.add_finding(1, &rules::TWO_FORMATS, 0..5, EVIL.into(), b"<b>&\"");
        report.findings[0].rule = EVIL.into();
        report.layers[1].map[0].2 = EVIL.into();
        report
    }

    #[test]
    fn text_of_a_file_never_becomes_markup() {
        let page = document(&[poisoned(), poisoned()]);
        let mut reader = quick_xml::Reader::from_str(page.strip_prefix("<!doctype html>\n").unwrap());
        reader.config_mut().check_end_names = false;
        let mut names = std::collections::BTreeSet::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                    names.insert(tag.name().as_ref().to_string());
                    for attribute in tag.html_attributes().flatten() {
                        let key: &str = attribute.key.as_ref();
                        assert!(!key.starts_with("on") && key != "src", "{key}");
                        if key == "href" {
                            assert!(attribute.value.starts_with("#file-"));
                        }
                    }
                }
                quick_xml::events::Event::Comment(_) => panic!("a comment"),
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        for name in ["script", "img", "iframe", "link", "object", "b"] {
            assert!(!names.contains(name), "{name}");
        }
        assert!(names.contains("svg") && names.contains("article"));
        assert!(!page.contains('\u{202E}') && !page.contains('\u{2028}'));
    }

    #[test]
    fn the_page_fetches_nothing_and_runs_nothing() {
        let page = document(&[checked("a.txt", b"a\n")]);
        assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
        for word in ["<script", "http://", "https://", "@import", "url(", "<link", "<img", "<iframe"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("<strong>Just data.</strong>"));
    }

    #[test]
    fn findings_come_with_place_evidence_and_advice() {
        let mut report = checked("a.txt", b"MZ text\n");
        report.add_finding(0, &rules::PROGRAM_HIDDEN, 2..7, "A program.".into(), b"MZ");
        report.conclude();
        let page = document(&[report]);
        assert!(page.contains("<strong>Not just data.</strong>"));
        assert!(page.contains("byte 2 (0x2), 5 long"));
        assert!(page.contains("4d 5a"));
        assert!(page.contains(rules::PROGRAM_HIDDEN.advice));
        assert!(page.contains("No code in data files"));
    }

    #[test]
    fn children_follow_their_parents() {
        let mut report = checked("a", b"text\n");
        let add = |report: &mut Report, parent, name: &str| {
            report.add_layer(Some(parent), name.into(), None, 1, Vec::new(), &[], Vec::new());
        };
        add(&mut report, 0, "b");
        add(&mut report, 0, "c");
        add(&mut report, 1, "b1");
        let order: Vec<_> = tree(&report).into_iter().map(|(layer, depth)| (layer.name.as_str(), depth)).collect();
        assert_eq!(order, [("a", 0), ("b", 1), ("b1", 2), ("c", 1)]);
    }
}
