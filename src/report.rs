//! What is told: one report a file, in the shape of the JSON contract, and one writer per output.

pub mod csv;
pub mod html;
pub mod items;
pub mod json;
pub mod reference;
pub mod sarif;
pub mod text;

use std::ops::Range;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    format::{Holds, Named, Parts},
    ledger::{Kind, Region},
    rule::{Guideline, Rule, Runs, Severity},
    sorting,
    stop::Stop,
};

/// The most bytes that a finding shows.
pub const EXCERPT: u64 = 48;

/// The most bytes of evidence in one report; of the findings behind it, the excerpts must do.
pub(crate) const EVIDENCE: usize = 1 << 18;

/// The most rows of a layer's map.
const ROWS: usize = 512;

/// The verdict on a file, worst first; never "safe".
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Not just data: something runs, connects or listens on opening, or an executable is hidden.
    Code,
    /// Look twice: dormant code, hidden bytes, a reference that leaves the file.
    Caution,
    /// Not fully checked: nothing found, and something could not be read.
    Unfinished,
    /// Just data: everything was read, nothing found; notes may remain.
    JustData,
}

impl Verdict {
    /// As people read it.
    pub fn title(self) -> &'static str {
        match self {
            Verdict::Code => "Not just data",
            Verdict::Caution => "Look twice",
            Verdict::Unfinished => "Not fully checked",
            Verdict::JustData => "Just data",
        }
    }

    /// The sentence under the title.
    pub fn sentence(self) -> &'static str {
        match self {
            Verdict::Code => {
                "Opening this file would run code, contact a server or open a port, or a program is hidden in it."
            }
            Verdict::Caution => {
                "Nothing runs by itself, but there is something in this file that does not belong in plain data."
            }
            Verdict::Unfinished => "Nothing was found, but part of this file could not be read.",
            Verdict::JustData => "Every part of this file was read, and nothing in it runs, connects or listens.",
        }
    }
}

/// The report on one file: `FILE` in the JSON contract.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Report {
    /// As it was given.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// The answer.
    pub verdict: Verdict,
    /// The file itself first, then what is nested, parents before children.
    pub layers: Vec<Layer>,
    /// Worst first.
    pub findings: Vec<Finding>,
    /// Large ranges that were not swept yet; empty when the check is whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Pending>,
    /// The SHA-256 of the file in hexadecimal, where somebody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Other files that a program opens along with this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Companion>,
    /// The series of images that this file is a part of: an identifier that all parts share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// The path of the header that says what this file holds, where the two are one item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<String>,
}

/// Another file that a program opens along with this one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Companion {
    /// The layer that names it.
    pub layer: usize,
    /// Where in that layer, in bytes.
    pub offset: u64,
    /// Length of that place in bytes.
    pub length: u64,
    /// Its name, as it stands there.
    pub name: String,
    /// What it must hold: `file`, `values` or `chunks`.
    pub holds: String,
    /// How many bytes of values it must hold at least, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<u64>,
    /// The file that was found under this name among those that were given, or in the same archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// It was looked for, and is not there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

impl Companion {
    pub(crate) fn of(layer: usize, named: &Named) -> Self {
        let (holds, values) = match named.holds {
            Holds::File => ("file", None),
            Holds::Values(len) => ("values", len),
            Holds::Chunks => ("chunks", None),
        };
        let Range { start, end } = named.range;
        let (name, holds) = (named.name.clone(), holds.to_string());
        Companion {
            layer,
            offset: start,
            length: end.saturating_sub(start),
            name,
            holds,
            values,
            found: None,
            missing: false,
        }
    }

    /// What became of the search for it; `None` where it was not looked for.
    pub fn fate(&self) -> Option<&'static str> {
        match (&self.found, self.missing) {
            (Some(_), _) => Some("found beside it"),
            (None, true) => Some("not among the files that were checked"),
            (None, false) => None,
        }
    }
}

/// One layer: the file itself or something nested in it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Layer {
    /// Its index in [`Report::layers`].
    pub id: usize,
    /// The layer that it is in.
    pub parent: Option<usize>,
    /// Its name.
    pub name: String,
    /// Where it starts in its parent, if it has a place there.
    pub offset: Option<u64>,
    /// Whether its bytes lie in its parent as they are, from `offset` on: not decoded, not gathered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_place: bool,
    /// Length in bytes.
    pub len: u64,
    /// Ids of all formats that recognised it.
    pub formats: Vec<String>,
    /// Whose bytes they are; adds up to `len`.
    pub coverage: Coverage,
    /// What was not read, and why.
    pub stops: Vec<Stopped>,
    /// The regions of the layer for a picture, joined to at most 512 rows.
    #[serde(default)]
    pub map: Vec<Row>,
    /// How many of each part its readers met. No part of the JSON: for comparison with other readers.
    #[serde(skip)]
    pub parts: Parts,
}

/// A row of a layer's map: from, to, kind, what it is.
pub type Row = (u64, u64, String, String);

/// Bytes of each kind.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Coverage {
    /// Read and understood.
    pub structure: u64,
    /// Handed to another layer.
    pub nested: u64,
    /// Carried, not interpreted.
    pub opaque: u64,
    /// Room that the format leaves for anything.
    pub slack: u64,
    /// Nobody's.
    pub unexplained: u64,
}

impl Coverage {
    fn of(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Nested => &mut self.nested,
            Kind::Opaque => &mut self.opaque,
            Kind::Slack => &mut self.slack,
            Kind::Structure => &mut self.structure,
            Kind::Unexplained => &mut self.unexplained,
        }
    }
}

/// A stop as it is told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Stopped {
    /// The stable word of the JSON contract.
    pub kind: String,
    /// The place in the layer, where there is one.
    pub at: Option<u64>,
    /// The sentence.
    pub message: String,
}

impl From<&Stop> for Stopped {
    fn from(stop: &Stop) -> Self {
        Stopped { kind: stop.kind().to_string(), at: stop.at(), message: stop.to_string() }
    }
}

/// One finding.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// The guideline it concerns.
    pub guideline: Guideline,
    /// When it acts.
    pub runs: Runs,
    /// How much it weighs.
    pub severity: Severity,
    /// The layer it is in.
    pub layer: usize,
    /// Its place in that layer, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// The names of the layers down to it.
    pub place: String,
    /// What stands there, in plain words.
    pub message: String,
    /// Its first bytes, at most 48, in base64.
    pub excerpt: String,
    /// What stands there as a person would read it: a disassembled call, a decoded script. Text from the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// A large range that was not swept yet.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Pending {
    /// The layer: always the file itself.
    pub layer: usize,
    /// Where it starts, in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
    /// Whether its bytes are `opaque`, `slack` or `unexplained`.
    pub kind: String,
    /// Whether it was swept meanwhile.
    #[serde(default)]
    pub done: bool,
}

impl Pending {
    pub(crate) fn new(offset: u64, len: u64, kind: Kind) -> Self {
        Pending { layer: 0, offset, len, kind: kind.id().to_string(), done: false }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.kind.as_str() {
            "opaque" => Kind::Opaque,
            "slack" => Kind::Slack,
            _ => Kind::Unexplained,
        }
    }

    pub(crate) fn covers(&self, range: &Range<u64>) -> bool {
        self.offset < range.end && self.offset.saturating_add(self.len) > range.start
    }
}

impl Report {
    /// An empty report.
    pub(crate) fn new(path: &str, size: u64) -> Self {
        Report {
            path: path.to_string(),
            size,
            verdict: Verdict::Unfinished,
            layers: Vec::new(),
            findings: Vec::new(),
            pending: Vec::new(),
            sha256: None,
            companions: Vec::new(),
            series: None,
            part_of: None,
        }
    }

    /// The report on a file that could not be read at all. The sentence of `stop` is its reason.
    pub fn unread(path: &str, size: u64, stop: &Stop) -> Self {
        let mut report = Report::new(path, size);
        let name = path.to_string();
        let nobody = [Region { range: 0..size, kind: Kind::Unexplained, what: "" }];
        report.add_layer(None, name, None, size, Vec::new(), &nobody, vec![Stopped::from(stop)]);
        report.conclude();
        report
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a layer, one by one")]
    pub(crate) fn add_layer(
        &mut self,
        parent: Option<usize>,
        name: String,
        offset: Option<u64>,
        len: u64,
        formats: Vec<String>,
        regions: &[Region],
        stops: Vec<Stopped>,
    ) {
        let mut coverage = Coverage::default();
        for region in regions {
            let owned = coverage.of(region.kind);
            *owned = owned.saturating_add(region.range.end.saturating_sub(region.range.start));
        }
        let map = rows(regions, ROWS);
        let (id, in_place, parts) = (self.layers.len(), false, Parts::new());
        self.layers.push(Layer { id, parent, name, offset, in_place, len, formats, coverage, stops, map, parts });
    }

    pub(crate) fn add_finding(
        &mut self,
        layer: usize,
        rule: &Rule,
        range: Range<u64>,
        message: String,
        excerpt: &[u8],
    ) {
        self.findings.push(Finding {
            rule: rule.id.to_string(),
            guideline: rule.guideline,
            runs: rule.runs,
            severity: rule.severity,
            layer,
            offset: range.start,
            length: range.end.saturating_sub(range.start),
            place: self.place(layer),
            message,
            excerpt: STANDARD.encode(excerpt),
            evidence: None,
        });
    }

    /// The names of the layers down to `layer`.
    pub fn place(&self, layer: usize) -> String {
        let mut names = Vec::new();
        let mut at = self.layers.get(layer);
        while let Some(layer) = at {
            names.push(layer.name.as_str());
            at = layer.parent.and_then(|parent| self.layers.get(parent));
        }
        names.reverse();
        names.join(" › ")
    }

    /// Takes in what a sweep of the pending range `index` gave. When the last one is in, the verdict is final.
    pub fn join(&mut self, index: usize, part: Report) {
        let Some(pending) = self.pending.get_mut(index) else { return };
        if std::mem::replace(&mut pending.done, true) {
            return;
        }
        let kind = pending.kind();
        let swept = pending.offset..pending.offset.saturating_add(pending.len);
        // Layer 0 of the part is layer 0 here; its other layers follow ours.
        let shift = self.layers.len().saturating_sub(1);
        let moved = |id: usize| if id == 0 { 0 } else { id.saturating_add(shift) };
        for mut layer in part.layers.into_iter() {
            if layer.id == 0 {
                if let Some(root) = self.layers.first_mut() {
                    root.stops.append(&mut layer.stops);
                    take_over(root, kind, &swept, &layer.map);
                }
                continue;
            }
            layer.id = moved(layer.id);
            layer.parent = layer.parent.map(moved);
            self.layers.push(layer);
        }
        for mut finding in part.findings {
            finding.layer = moved(finding.layer);
            self.findings.push(finding);
        }
        for mut companion in part.companions {
            companion.layer = moved(companion.layer);
            self.companions.push(companion);
        }
        if self.pending.iter().all(|pending| pending.done) {
            self.pending.clear();
            self.name_unexplained();
        }
        self.conclude();
    }

    /// Large unexplained ranges are only known to stay so when all sweeps are in.
    fn name_unexplained(&mut self) {
        let Some(root) = self.layers.first() else { return };
        if !root.stops.is_empty() {
            return;
        }
        let large = |row: &&Row| row.2 == Kind::Unexplained.id();
        let known = |row: &Row| {
            let rule = crate::rules::UNEXPLAINED_BYTES.id;
            self.findings.iter().any(|found| found.layer == 0 && found.rule == rule && found.offset == row.0)
        };
        let ranges: Vec<_> = root.map.iter().filter(large).filter(|row| !known(row)).map(|row| row.0..row.1).collect();
        for range in ranges {
            let len = range.end.saturating_sub(range.start);
            let message = format!("{len} bytes at {:#x} belong to nothing.", range.start);
            self.add_finding(0, &crate::rules::UNEXPLAINED_BYTES, range, message, &[]);
        }
    }

    /// Sorts the findings, worst first, and draws the verdict.
    pub(crate) fn conclude(&mut self) {
        sorting::by(&mut self.findings, |a, b| {
            (a.severity, a.layer, a.offset, &a.rule).cmp(&(b.severity, b.layer, b.offset, &b.rule))
        });
        let worst = self.findings.first().map(|finding| finding.severity);
        let whole = self.pending.is_empty()
            && self.layers.iter().all(|layer| layer.stops.is_empty() && layer.coverage.unexplained == 0);
        self.verdict = match worst {
            Some(Severity::Danger) => Verdict::Code,
            Some(Severity::Warning) => Verdict::Caution,
            _ if whole => Verdict::JustData,
            _ => Verdict::Unfinished,
        };
    }
}

/// Enters into the books of the file itself what the sweep of `range` settled: buried files, and zeros that nobody
/// had explained. All of `range` was of one `kind` before.
fn take_over(root: &mut Layer, kind: Kind, range: &Range<u64>, swept: &[Row]) {
    for row in swept {
        let settled = match row.2.as_str() {
            "nested" => Kind::Nested,
            "slack" if kind == Kind::Unexplained => Kind::Slack,
            _ => continue,
        };
        let (start, end) = (row.0.max(range.start), row.1.min(range.end));
        let len = end.saturating_sub(start);
        if len == 0 {
            continue;
        }
        let before = root.coverage.of(kind);
        *before = before.saturating_sub(len);
        let after = root.coverage.of(settled);
        *after = after.saturating_add(len);
        root.map = overlaid(&root.map, (start, end, row.2.clone(), row.3.clone()));
    }
}

/// `map` with `over` in the place of what it covers.
fn overlaid(map: &[Row], over: Row) -> Vec<Row> {
    let part = |row: &Row, from: u64, to: u64| (from < to).then(|| (from, to, row.2.clone(), row.3.clone()));
    let before = map.iter().filter_map(|row| part(row, row.0, row.1.min(over.0)));
    let behind = map.iter().filter_map(|row| part(row, row.0.max(over.1), row.1));
    let mut rows: Vec<Row> = before.collect();
    rows.push(over.clone());
    rows.extend(behind);
    rows
}

/// The regions as at most `most` rows, neighbours joined where there are too many: the largest of a group names it.
pub(crate) fn rows(regions: &[Region], most: usize) -> Vec<Row> {
    let group = regions.len().div_ceil(most.max(1)).max(1);
    regions
        .chunks(group)
        .filter_map(|chunk| {
            let (first, last) = (chunk.first()?, chunk.last()?);
            let largest = chunk.iter().max_by_key(|region| region.range.end.saturating_sub(region.range.start))?;
            let what = if chunk.len() == 1 { largest.what } else { "several parts" };
            Some((first.range.start, last.range.end, largest.kind.id().to_string(), what.to_string()))
        })
        .collect()
}

/// Reports in one of the command's formats, by its name; `None` for a name that is none.
pub fn write(reports: &[Report], format: &str) -> Option<String> {
    let lines = |one: fn(&Report) -> String| reports.iter().map(one).collect::<Vec<_>>().join("\n");
    Some(match format {
        "csv" => csv::document(reports),
        "json" => json::document(reports),
        "jsonl" => lines(json::file),
        "text" => items::items(reports).iter().map(text::item).collect::<Vec<_>>().join("\n"),
        "sarif" => sarif::document(reports),
        "html" => html::document(reports),
        _ => return None,
    })
}
