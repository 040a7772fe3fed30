//! Reports as the lines of a list: the slices of a series that say the same are one, and so are a header and its values.

use std::collections::HashMap;

use crate::sorting;

use super::{Report, Verdict};

/// One line.
pub struct Item<'a> {
    /// The report that speaks for all.
    pub first: &'a Report,
    /// Further files of its series of which the same is said.
    pub alike: Vec<&'a Report>,
    /// Files that hold nothing but its values.
    pub values: Vec<&'a Report>,
}

impl Item<'_> {
    /// How the line is called.
    pub fn name(&self) -> String {
        match self.alike.len() {
            0 => self.first.path.clone(),
            1 => format!("{} and 1 more file of its series", self.first.path),
            more => format!("{} and {more} more files of its series", self.first.path),
        }
    }

    /// Bytes of all its files.
    pub fn size(&self) -> u64 {
        let all = self.alike.iter().chain(&self.values);
        all.fold(self.first.size, |sum, report| sum.saturating_add(report.size))
    }
}

/// What must be the same in files that share a line.
#[derive(Eq, Hash, PartialEq)]
struct Alike<'a> {
    series: &'a str,
    folder: &'a str,
    verdict: Verdict,
    rules: Vec<&'a str>,
    stops: Vec<&'a str>,
}

/// The lines, in the order of their first files.
pub fn items(reports: &[Report]) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut series: HashMap<Alike<'_>, usize> = HashMap::new();
    let mut headers: HashMap<&str, usize> = HashMap::new();
    for report in reports.iter().filter(|report| !is_half(report)) {
        let line = alike(report).map(|alike| *series.entry(alike).or_insert(items.len()));
        if let Some(item) = line.and_then(|line| items.get_mut(line)) {
            item.alike.push(report);
            continue;
        }
        headers.insert(&report.path, items.len());
        items.push(Item { first: report, alike: Vec::new(), values: Vec::new() });
    }
    for report in reports.iter().filter(|report| is_half(report)) {
        let header = report.part_of.as_deref().and_then(|header| headers.get(header));
        match header.and_then(|line| items.get_mut(*line)) {
            Some(item) => item.values.push(report),
            None => items.push(Item { first: report, alike: Vec::new(), values: Vec::new() }),
        }
    }
    items
}

/// Whether the file holds values of which there is nothing more to say.
fn is_half(report: &Report) -> bool {
    report.part_of.is_some() && report.verdict == Verdict::JustData
}

fn each_once(mut ids: Vec<&str>) -> Vec<&str> {
    sorting::by(&mut ids, Ord::cmp);
    ids.dedup();
    ids
}

fn alike(report: &Report) -> Option<Alike<'_>> {
    let series = report.series.as_deref()?;
    let folder = report.path.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder);
    let rules = each_once(report.findings.iter().map(|finding| finding.rule.as_str()).collect());
    let stops = each_once(report.layers.iter().flat_map(|layer| &layer.stops).map(|stop| stop.kind.as_str()).collect());
    Some(Alike { series, folder, verdict: report.verdict, rules, stops })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::checked;

    fn slice(path: &str, series: &str, odd: bool) -> Report {
        let mut report = checked(path, if odd { &b""[..] } else { b"a\n" });
        report.series = Some(series.to_string());
        report
    }

    #[test]
    fn slices_share_a_line_unless_they_differ() {
        let reports = [
            slice("s/1.txt", "1.2", false),
            slice("s/2.txt", "1.2", false),
            slice("s/3.txt", "1.2", true),
            slice("s/4.txt", "1.3", false),
            slice("t/5.txt", "1.2", false),
        ];
        let items = items(&reports);
        let lines: Vec<_> = items.iter().map(|item| (item.first.path.as_str(), item.alike.len())).collect();
        assert_eq!(lines, [("s/1.txt", 1), ("s/3.txt", 0), ("s/4.txt", 0), ("t/5.txt", 0)]);
        assert_eq!(items[0].size(), 4);
        assert_eq!(items[0].name(), "s/1.txt and 1 more file of its series");
    }

    #[test]
    fn values_stand_under_their_header_when_there_is_nothing_to_say_of_them() {
        let mut values = checked("x.raw", b"a\n");
        values.part_of = Some("x.nhdr".to_string());
        let header = checked("x.nhdr", b"b\n");
        let reports = [values.clone(), header.clone()];
        assert_eq!(items(&reports)[0].values.len(), 1);
        values.verdict = Verdict::Caution;
        assert_eq!(items(&[values, header]).len(), 2);
    }
}
