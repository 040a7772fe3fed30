//! Files that were given together, and files in one archive: a file names others beside it, and a header says what the
//! file of its values holds.
//!
//! By itself a file of raw values has no format, and nothing can be said of it. Beside its header every byte of it is
//! accounted for: header and values are one item.

use std::collections::HashMap;

use crate::{
    ledger::Kind,
    reference::percent_decoded,
    report::{Companion, Layer, Report, Row, Stopped},
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// The file is the other half of a header.
pub static VALUES_OF_HEADER: Rule = Rule {
    id: "values-of-header",
    title: "This file holds the values that another file describes",
    why: "Header and values are one item in two files. By itself this one has no format; its header says what each byte \
          of it is.",
    advice: "Keep the two files together.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &[],
};

/// Archives whose members stand beside each other under their paths.
const ARCHIVES: &[&str] = &["rar", "tar", "zip"];

/// Packings of one file.
const PACKINGS: &[&str] = &["bzip2", "gzip", "lz4", "lzma", "xz", "zlib", "zstd"];

/// The files that were given together.
pub struct Folder {
    paths: Vec<String>,
    shelf: Shelf,
    claims: HashMap<usize, Claim>,
    stores: Vec<Store>,
}

/// Relates the reports on files that were given together; `paths` are those of all files.
pub fn relate(paths: impl IntoIterator<Item = String>, reports: &mut [Report]) {
    let mut folder = Folder::new(paths);
    for report in reports.iter_mut() {
        folder.meet(report);
    }
    for report in reports.iter_mut().filter(|report| Folder::waits(report)) {
        folder.adopt(report);
    }
}

/// What a header says of the file of its values.
#[derive(Clone)]
struct Claim {
    header: String,
    values: Option<u64>,
}

/// A folder of chunks, and what describes them.
struct Store {
    folder: String,
    header: String,
}

impl Folder {
    /// Of the paths of all files, as their reports will name them.
    pub fn new(paths: impl IntoIterator<Item = String>) -> Self {
        let paths: Vec<String> = paths.into_iter().collect();
        let mut shelf = Shelf::default();
        for (index, path) in paths.iter().enumerate() {
            shelf.add(path, index);
        }
        Folder { paths, shelf, claims: HashMap::new(), stores: Vec::new() }
    }

    /// Looks for the companions that a report names, and remembers what it says of them.
    pub fn meet(&mut self, report: &mut Report) {
        let path = report.path.clone();
        let alone: Vec<usize> =
            (0..report.companions.len()).filter(|index| archive_of(report, *index).is_none()).collect();
        for index in alone {
            let Some(companion) = report.companions.get_mut(index) else { continue };
            if companion.holds == CHUNKS {
                self.stores.push(Store { folder: folder_of(&normal(&path)).to_string(), header: path.clone() });
                continue;
            }
            let found = self.shelf.find(&path, companion);
            companion.found = found.and_then(|index| self.paths.get(index)).cloned();
            companion.missing = found.is_none();
            if let (Some(found), VALUES) = (found, companion.holds.as_str()) {
                self.claims.insert(found, Claim { header: path.clone(), values: companion.values });
            }
        }
    }

    /// Whether the file has no format of its own, so that a header that is met later may explain it.
    pub fn waits(report: &Report) -> bool {
        unpacked(report, 0).and_then(|layer| report.layers.get(layer)).is_some_and(is_unknown)
    }

    /// Explains a file by the header that claimed it, if one did.
    pub fn adopt(&self, report: &mut Report) {
        let path = normal(&report.path);
        let claim = self.shelf.at(&path).and_then(|index| self.claims.get(&index)).cloned();
        let Some(claim) = claim.or_else(|| self.store_of(&path)) else { return };
        if adopt(report, 0, &claim) {
            report.part_of = Some(claim.header);
            report.conclude();
        }
    }

    fn store_of(&self, path: &str) -> Option<Claim> {
        let holds = |store: &&Store| is_chunk(path, &store.folder);
        self.stores.iter().find(holds).map(|store| Claim { header: store.header.clone(), values: None })
    }
}

/// Relates the members of the archives in a file.
pub(crate) fn within(report: &mut Report) {
    let mut shelves: HashMap<usize, Shelf> = HashMap::new();
    let mut claims: Vec<(usize, Claim)> = Vec::new();
    for index in 0..report.companions.len() {
        let Some((archive, member)) = archive_of(report, index) else { continue };
        let shelf = shelves.entry(archive).or_insert_with(|| Shelf::of(report, archive));
        let Some(companion) = report.companions.get(index) else { continue };
        let header = report.place(companion.layer);
        if companion.holds == CHUNKS {
            let folder = folder_of(&normal(&member)).to_string();
            let members = report.layers.iter().filter(|layer| layer.parent == Some(archive));
            let chunks = members.filter(|layer| is_chunk(&normal(&layer.name), &folder));
            claims.extend(chunks.map(|layer| (layer.id, Claim { header: header.clone(), values: None })));
            continue;
        }
        let found = shelf.find(&member, companion);
        if let (Some(found), VALUES) = (found, companion.holds.as_str()) {
            claims.push((found, Claim { header, values: companion.values }));
        }
        let place = found.map(|layer| report.place(layer));
        if let Some(companion) = report.companions.get_mut(index) {
            companion.missing = place.is_none();
            companion.found = place;
        }
    }
    for (layer, claim) in claims {
        adopt(report, layer, &claim);
    }
}

const CHUNKS: &str = "chunks";
const VALUES: &str = "values";

/// The archive around the file that names a companion, and the name of its member there.
fn archive_of(report: &Report, companion: usize) -> Option<(usize, String)> {
    let mut layer = report.layers.get(report.companions.get(companion)?.layer)?;
    loop {
        let parent = report.layers.get(layer.parent?)?;
        if parent.formats.iter().any(|format| ARCHIVES.contains(&format.as_str())) {
            return Some((parent.id, layer.name.clone()));
        }
        layer = parent;
    }
}

/// The layer itself, or what is packed in it.
fn unpacked(report: &Report, layer: usize) -> Option<usize> {
    let mut id = layer;
    loop {
        let packed = report.layers.get(id)?.formats.iter().any(|format| PACKINGS.contains(&format.as_str()));
        let mut inner = report.layers.iter().filter(|layer| layer.parent == Some(id));
        match (packed, inner.next(), inner.next()) {
            (true, Some(only), None) => id = only.id,
            _ => return Some(id),
        }
    }
}

fn is_unknown(layer: &Layer) -> bool {
    let unknown = Stop::UnknownFormat.kind();
    layer.formats.is_empty() && matches!(layer.stops.as_slice(), [stop] if stop.kind == unknown)
}

/// Enters into the books that a layer without a format holds values. Whether it did.
fn adopt(report: &mut Report, layer: usize, claim: &Claim) -> bool {
    let Some(layer) = unpacked(report, layer) else { return false };
    let Some(found) = report.layers.get_mut(layer).filter(|layer| is_unknown(layer)) else { return false };
    found.stops.clear();
    let len = found.len;
    let wanted = claim.values.unwrap_or(len);
    if wanted > len {
        let header = crate::quote::quoted(&claim.header);
        found.stops.push(Stopped::from(&Stop::malformed(len, format!("{wanted} bytes of values, as {header} says"))));
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut rest = None;
    for (start, end, kind, what) in std::mem::take(&mut found.map) {
        if kind != Kind::Unexplained.id() {
            rows.push((start, end, kind, what));
            continue;
        }
        let border = wanted.clamp(start, end);
        if border > start {
            let values = border.saturating_sub(start);
            found.coverage.unexplained = found.coverage.unexplained.saturating_sub(values);
            found.coverage.opaque = found.coverage.opaque.saturating_add(values);
            rows.push((start, border, Kind::Opaque.id().to_string(), VALUES.to_string()));
        }
        if end > border {
            rows.push((border, end, kind, what));
            rest.get_or_insert(border..end);
        }
    }
    found.map = rows;
    let message = format!("Its header is {}.", crate::quote::quoted(&claim.header));
    report.add_finding(layer, &VALUES_OF_HEADER, 0..wanted.min(len), message, &[]);
    if let Some(rest) = rest {
        let message = format!("{} bytes at {:#x} belong to nothing.", rest.end.saturating_sub(rest.start), rest.start);
        report.add_finding(layer, &crate::rules::UNEXPLAINED_BYTES, rest, message, &[]);
    }
    true
}

/// The names that stand for a number of files: a printf pattern, then the first number, the last, and the step. Text
/// that is none is one name.
pub fn numbered(text: &str) -> Vec<String> {
    let one = || vec![text.trim().to_string()];
    let mut words = text.split_whitespace();
    let Some((before, rest)) = words.next().and_then(|pattern| pattern.split_once('%')) else { return one() };
    let Some((width, after)) = rest.split_once('d') else { return one() };
    let mut number = || words.next().and_then(|word| word.parse::<i64>().ok());
    let (Some(first), Some(last)) = (number(), number()) else { return one() };
    let step = number().unwrap_or(1).max(1);
    let digits = if width.is_empty() { Some(0) } else { width.parse::<usize>().ok().filter(|width| *width < 32) };
    let Some(digits) = digits else { return one() };
    let mut names = Vec::new();
    let mut at = first;
    while at <= last && names.len() < NUMBERED {
        let shown = if width.starts_with('0') { format!("{at:0digits$}") } else { format!("{at:digits$}") };
        names.push(format!("{before}{shown}{after}"));
        at = at.saturating_add(step);
    }
    names
}

/// Names that one pattern stands for at the most.
const NUMBERED: usize = 10_000;

/// Files by their paths, to be found as a program would find them.
#[derive(Default)]
struct Shelf {
    exact: HashMap<String, usize>,
    /// Whatever the case: many data sets were written where that makes no difference.
    folded: HashMap<String, usize>,
}

impl Shelf {
    /// The members of an archive.
    fn of(report: &Report, archive: usize) -> Self {
        let mut shelf = Shelf::default();
        for layer in report.layers.iter().filter(|layer| layer.parent == Some(archive)) {
            shelf.add(&layer.name, layer.id);
        }
        shelf
    }

    fn add(&mut self, path: &str, index: usize) {
        let path = normal(path);
        self.folded.entry(path.to_lowercase()).or_insert(index);
        self.exact.insert(path, index);
    }

    fn at(&self, path: &str) -> Option<usize> {
        self.exact.get(path).or_else(|| self.folded.get(&path.to_lowercase())).copied()
    }

    /// The file that `companion` of the file at `path` names; values may be packed.
    fn find(&self, path: &str, companion: &Companion) -> Option<usize> {
        let folder = normal(path);
        let folder = folder_of(&folder);
        let decoded = percent_decoded(&companion.name);
        let names = [companion.name.as_str(), decoded.as_str()];
        let endings: &[&str] = if companion.holds == VALUES { &["", ".gz", ".Z", ".bz2"] } else { &[""] };
        let tried = endings.iter().flat_map(|ending| names.iter().map(move |name| joined(folder, name, ending)));
        tried.into_iter().find_map(|path| self.at(&path))
    }
}

fn joined(folder: &str, name: &str, ending: &str) -> String {
    let name = name.split(['?', '#']).next().filter(|path| !path.is_empty()).unwrap_or(name);
    normal(&format!("{folder}/{}{ending}", name.trim()))
}

/// The folder of a normal path, without the last slash.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// A path without detours: slashes only, no `.`, and `..` only in front.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let root = if path.starts_with(['/', '\\']) { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// Whether a path is that of a chunk in a folder: numbers, set apart by dots or slashes, below `c` in version 3.
fn is_chunk(path: &str, folder: &str) -> bool {
    let rest =
        if folder == "." { Some(path) } else { path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) };
    let Some(rest) = rest else { return false };
    let numbers = rest.strip_prefix("c/").unwrap_or(rest);
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    rest == "c" || numbers.split(['/', '.']).all(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of},
        formats::zip::sample,
        report::Verdict,
    };

    const HEADER: &str = "NRRD0004\ntype: short\ndimension: 2\nsizes: 3 2\nencoding: raw\ndata file: ";

    fn together(files: &[(&str, Vec<u8>)]) -> Vec<Report> {
        let mut reports: Vec<Report> = files.iter().map(|(path, bytes)| checked(path, bytes.clone())).collect();
        relate(files.iter().map(|(path, _)| path.to_string()), &mut reports);
        for layer in reports.iter().flat_map(|report| &report.layers) {
            let books = layer.coverage;
            let sum = books.structure + books.nested + books.opaque + books.slack + books.unexplained;
            assert_eq!(sum, layer.len, "the books of {} do not add up", layer.name);
        }
        reports
    }

    /// Values that no format recognises.
    fn values(len: usize) -> Vec<u8> {
        (0..len).map(|index| 0xf1 ^ (index as u8)).collect()
    }

    #[test]
    fn header_and_values_are_one_item() {
        let header = format!("{HEADER}values.raw\n").into_bytes();
        for (path, name) in
            [("a/x.nhdr", "a/values.raw"), ("x.nhdr", "./values.raw"), ("/a/b/../x.nhdr", "/a/VALUES.raw")]
        {
            let reports = together(&[(name, values(12)), (path, header.clone())]);
            assert_eq!(reports[0].verdict, Verdict::JustData, "{path}");
            assert_eq!(reports[0].part_of.as_deref(), Some(path));
            assert_eq!(reports[0].layers[0].coverage.opaque, 12);
            assert_eq!(reports[1].companions[0].found.as_deref(), Some(name));
        }
    }

    #[test]
    fn values_alone_stay_unknown_and_their_absence_is_told() {
        let header = format!("{HEADER}values.raw\n").into_bytes();
        let reports = together(&[("a/x.nhdr", header), ("b/values.raw", values(12))]);
        assert!(reports[0].companions[0].missing);
        assert_eq!(reports[0].companions[0].found, None);
        assert_eq!(reports[1].verdict, Verdict::Unfinished);
    }

    #[test]
    fn more_or_less_than_the_header_says_is_told() {
        let header = format!("{HEADER}values.raw\n").into_bytes();
        let longer = together(&[("x.nhdr", header.clone()), ("values.raw", values(20))]);
        assert_eq!(rules_of(&longer[1]), ["unexplained-bytes"]);
        assert_eq!(longer[1].layers[0].coverage.unexplained, 8);
        let shorter = together(&[("x.nhdr", header), ("values.raw", values(11))]);
        assert_eq!(shorter[1].verdict, Verdict::Unfinished);
        assert_eq!(shorter[1].layers[0].stops[0].kind, "malformed");
    }

    #[test]
    fn a_program_is_not_values_because_a_header_says_so() {
        let header = format!("{HEADER}values.raw\n").into_bytes();
        let program = crate::formats::elf::sample::program();
        let reports = together(&[("x.nhdr", header), ("values.raw", program)]);
        assert_eq!(reports[1].verdict, Verdict::Code);
        assert_eq!(reports[1].part_of, None);
    }

    #[test]
    fn members_of_an_archive_are_related() {
        let header = format!("{HEADER}values.raw\n").into_bytes();
        let whole = sample::archive(&[("s/x.nhdr", &header), ("s/values.raw", &values(12))]);
        let report = checked("a.zip", whole);
        assert_eq!(report.verdict, Verdict::JustData);
        assert_eq!(report.companions[0].found.as_deref(), Some("a.zip › s/values.raw"));
        let apart = checked("a.zip", sample::archive(&[("s/x.nhdr", &header), ("values.raw", &values(12))]));
        assert_eq!(apart.verdict, Verdict::Unfinished);
        assert!(apart.companions[0].missing);
    }

    #[test]
    fn patterns_stand_for_names() {
        assert_eq!(numbered("a%03d.raw 9 11 2 2"), ["a009.raw", "a011.raw"]);
        assert_eq!(numbered("a%d.raw 9 10 1"), ["a9.raw", "a10.raw"]);
        assert_eq!(numbered("a b.raw"), ["a b.raw"]);
        assert_eq!(numbered("100%d"), ["100%d"]);
        assert_eq!(numbered("%d 0 99999999 1").len(), NUMBERED);
        assert_eq!(numbered("%999d 1 2 1"), ["%999d 1 2 1"]);
    }

    #[test]
    fn paths_and_chunks() {
        assert_eq!(normal("a/./b/../../../c\\d"), "../c/d");
        assert_eq!(normal("/../a"), "/../a");
        for (path, is) in [("a/0.0", true), ("a/c/0/1", true), ("a/c", true), ("a/x", false), ("b/0", false)] {
            assert_eq!(is_chunk(path, "a"), is, "{path}");
        }
        assert!(is_chunk("12", "."));
    }
}
