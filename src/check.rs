//! The check: a layer in, every matching format reads it, the ledger settles, what is nested is queued.
//!
//! Nothing recurses on input. The queue is a stack of tasks; a layer goes through it so:
//!
//! ```text
//! Read    recognise, let every format read, queue what they opened
//! Sweep   look for code in what is opaque, slack or unexplained; a hit becomes a layer, and the sweep goes on
//!         behind its end
//! Settle  close the books
//! ```
//! Large ranges of the file itself are not swept at once: they stay `pending` in the report, and
//! [`sweep()`] and [`Report::join`] finish them, one by one, in any order and in any worker.

mod reopen;

use std::{collections::VecDeque, ops::Range, rc::Rc};

use crate::{
    budget::{Budget, Limits, Pulse},
    bytes::Bytes,
    folder,
    format::{Candidate, Format, Found, Named, Nature, Opening, Origin, Parts, Role, Visit, has_extension},
    formats::FORMATS,
    ledger::{Kind, Ledger, Region},
    report::{self, Companion, Pending, Report},
    rule::{Rule, Severity},
    rules,
    source::Source,
    stop::{Limit, Stop},
    sweep::{Hit, search},
};

pub use reopen::{Reopened, Step, reopen};

/// Checks one file, whole.
pub fn check(name: &str, source: Rc<dyn Source>, limits: Limits, pulse: Rc<dyn Pulse>) -> Report {
    let budget = Budget::new(limits, pulse);
    budget.expect(source.len());
    let mut report = structure(name, source.clone(), budget.clone());
    for index in 0..report.pending.len() {
        let part = sweep(source.clone(), &report, index, budget.clone());
        report.join(index, part);
    }
    report
}

/// Checks the structure of one file: all layers are read and swept, but for large ranges of the file itself,
/// which stay pending.
pub fn structure(name: &str, source: Rc<dyn Source>, budget: Rc<Budget>) -> Report {
    let len = source.len();
    let mut check = Check::new(name, source, budget);
    check.tasks.push(Task::Read(0));
    check.run();
    check.report(name, len)
}

/// Sweeps the pending range `index` of a report. The result is a part for [`Report::join`].
pub fn sweep(source: Rc<dyn Source>, report: &Report, index: usize, budget: Rc<Budget>) -> Report {
    let len = source.len();
    let name = report.path.clone();
    let mut check = Check::new(&name, source, budget);
    if let Some(pending) = report.pending.get(index) {
        let range = pending.offset..pending.offset.saturating_add(pending.len).min(len);
        check.defers = false;
        check.start_sweep(0, VecDeque::from([Region { range, kind: pending.kind(), what: "" }]));
        check.run();
    }
    check.report(&name, len)
}

/// The file itself is swept later where a range is longer than this.
const DEFER: u64 = 64 << 20;

/// Zeros up to this length are padding, whatever the size of the file: a block of a tape or a file system.
const PADDING: u64 = 16 << 20;

/// The longest pending range: one worker's share.
const SHARE: u64 = 256 << 20;

struct Check {
    budget: Rc<Budget>,
    layers: Vec<Layer>,
    tasks: Vec<Task>,
    found: Vec<(usize, Found, Vec<u8>)>,
    pending: Vec<Pending>,
    series: Option<String>,
    /// Whether large ranges of the file itself stay pending.
    defers: bool,
}

struct Layer {
    parent: Option<usize>,
    name: String,
    offset: Option<u64>,
    in_place: bool,
    depth: u32,
    origin: Origin,
    role: Role,
    bytes: Bytes,
    ledger: Ledger,
    formats: Vec<&'static Format>,
    stops: Vec<Stop>,
    named: Vec<Named>,
    parts: Parts,
}

enum Task {
    Read(usize),
    Sweep(Sweeping),
    Settle(usize),
}

/// A sweep of a layer between two hits.
struct Sweeping {
    layer: usize,
    regions: VecDeque<Region>,
    /// Where in the first region to go on.
    at: u64,
    /// The layer made of the last hit: the sweep goes on behind its end.
    hit: Option<usize>,
}

impl Check {
    fn new(name: &str, source: Rc<dyn Source>, budget: Rc<Budget>) -> Self {
        let mut check = Check {
            budget: budget.clone(),
            layers: Vec::new(),
            tasks: Vec::new(),
            found: Vec::new(),
            pending: Vec::new(),
            series: None,
            defers: true,
        };
        let bytes = Bytes::whole(source, budget);
        check.add_layer(None, name.to_string(), None, Origin::Root, Role::File, bytes);
        check
    }

    fn add_layer(
        &mut self,
        parent: Option<usize>,
        name: String,
        offset: Option<u64>,
        origin: Origin,
        role: Role,
        bytes: Bytes,
    ) -> usize {
        let depth = parent.and_then(|id| self.layers.get(id)).map_or(0, |layer| layer.depth.saturating_add(1));
        let ledger = Ledger::new(bytes.len(), self.budget.limits().claims);
        let (formats, stops, named, parts) = (Vec::new(), Vec::new(), Vec::new(), Parts::new());
        // What a sweep finds stands where it is found; of a member, its opening says it.
        let in_place = matches!(origin, Origin::Hidden | Origin::Opaque);
        self.layers.push(Layer {
            parent,
            name,
            offset,
            in_place,
            depth,
            origin,
            role,
            bytes,
            ledger,
            formats,
            stops,
            named,
            parts,
        });
        self.layers.len().saturating_sub(1)
    }

    fn run(&mut self) {
        while let Some(task) = self.tasks.pop() {
            let ended = match task {
                Task::Read(layer) => self.read(layer),
                Task::Sweep(sweeping) => self.sweep(sweeping),
                Task::Settle(layer) => self.settle(layer),
            };
            if let Err(stop) = ended {
                // What ends the check is said once, at the file itself; what was found so far stands.
                if let Some(root) = self.layers.first_mut()
                    && !root.stops.contains(&stop)
                {
                    root.stops.push(stop);
                }
                self.tasks.clear();
            }
        }
    }

    /// Errors end the whole check; everything else is a stop of the layer.
    fn read(&mut self, id: usize) -> Result<(), Stop> {
        let Some(layer) = self.layers.get_mut(id) else { return Ok(()) };
        let bytes = layer.bytes.clone();
        let name = layer.name.clone();
        let candidate = Candidate { bytes: &bytes, name: &name };
        if bytes.is_empty() {
            if layer.origin == Origin::Root {
                self.find(id, &rules::EMPTY, 0..0, "There is no byte in it.".into())?;
                if let Some(claimed) = claimed(&name).filter(|claimed| has_start(claimed)) {
                    self.stop(id, Stop::malformed(0, format!("the start of its format ({})", claimed.name)));
                }
            }
            return Ok(());
        }
        let formats = match recognise(&candidate) {
            Ok(formats) => formats,
            Err(stop) => {
                layer.stops.push(stop.clone());
                return if stop.ends_check() { Err(stop) } else { Ok(()) };
            }
        };
        layer.formats = formats.clone();

        let mut openings = Vec::new();
        let mut found = Vec::new();
        let mut stops = Vec::new();
        let mut ended = Ok(());
        let mut withdrawn: Vec<&'static Format> = Vec::new();
        for format in &formats {
            if format.within.is_some_and(|base| withdrawn.contains(&base)) {
                withdrawn.push(format);
                continue;
            }
            let mut visit = Visit {
                bytes: &bytes,
                name: &name,
                origin: layer.origin,
                formats: &formats,
                ledger: &mut layer.ledger,
                openings: &mut openings,
                found: &mut found,
                stops: &mut stops,
                named: &mut layer.named,
                series: &mut self.series,
                parts: &mut layer.parts,
                room: self.budget.limits().findings.saturating_sub(self.found.len()),
                withdrawn: false,
            };
            let read = (format.read)(&mut visit);
            if visit.withdrawn {
                withdrawn.push(format);
            }
            if let Err(stop) = read {
                if stop.ends_check() {
                    ended = Err(stop.clone());
                }
                if !stops.contains(&stop) {
                    stops.push(stop);
                }
            }
        }
        layer.formats.retain(|format| !withdrawn.contains(format));
        if formats.is_empty() {
            match layer.role {
                Role::Opaque(what) => layer.ledger.claim(0..bytes.len(), Kind::Opaque, what)?,
                Role::File => stops.push(Stop::UnknownFormat),
            }
        }
        if layer.origin == Origin::Opaque {
            // Values that happen to start like a file owe nobody a whole one.
            stops.retain(|stop| !matches!(stop, Stop::Malformed(_)));
            layer.ledger.claim(0..layer.ledger.extent(), Kind::Opaque, "raw values")?;
        }
        layer.stops.append(&mut stops);
        let buried = matches!(layer.origin, Origin::Hidden | Origin::Opaque);
        if buried {
            let extent = layer.ledger.extent().max(1).min(bytes.len());
            layer.ledger.cut(extent);
            layer.bytes = bytes.window(0..extent);
        }
        let len = layer.bytes.len();

        for found in found {
            self.keep(id, found)?;
        }
        ended?;
        self.judge(id)?;

        self.tasks.push(Task::Settle(id));
        let regions = self.sweepable(id);
        self.start_sweep(id, regions);
        self.queue(id, openings, len);
        Ok(())
    }

    /// Queues what the readers of a layer opened, the first on top.
    fn queue(&mut self, parent: usize, openings: Vec<Opening>, len: u64) {
        let Some(layer) = self.layers.get(parent) else { return };
        let (depth, origin) = (layer.depth, layer.origin);
        if depth.saturating_add(1) >= self.budget.limits().depth && !openings.is_empty() {
            if let Some(layer) = self.layers.get_mut(parent) {
                layer.stops.push(Stop::Exhausted(Limit::Depth));
            }
            return;
        }
        let mut children = Vec::new();
        for opening in openings {
            if opening.offset.is_some_and(|offset| offset > len) {
                continue;
            }
            let bytes = Bytes::whole(opening.source, self.budget.clone());
            self.budget.expect(bytes.len());
            let Opening { name, offset, in_place, mut role, .. } = opening;
            // What lies in a file that was found among raw values may be chance as well.
            if origin == Origin::Opaque && role == Role::File {
                role = Role::Opaque("raw values");
            }
            let child = self.add_layer(Some(parent), name, offset, Origin::Member, role, bytes);
            if let Some(layer) = self.layers.get_mut(child) {
                layer.in_place = in_place;
            }
            children.push(child);
        }
        self.tasks.extend(children.into_iter().rev().map(Task::Read));
    }

    /// What the mere presence of the recognised formats means.
    fn judge(&mut self, id: usize) -> Result<(), Stop> {
        let Some(layer) = self.layers.get(id) else { return Ok(()) };
        let (origin, formats, name) = (layer.origin, layer.formats.clone(), layer.name.clone());
        let bytes = layer.bytes.clone();
        let len = bytes.len();
        let start = 0..len.min(64);
        let names = |skip: &Format| {
            let others: Vec<_> = formats.iter().filter(|other| ***other != *skip).map(|other| other.name).collect();
            others.join(" and ")
        };
        let others = |skip: &Format| formats.iter().any(|other| **other != *skip && other.nature != Nature::Text);

        // A reader that found the same and knows its format's words for it has said it already.
        let said = self.found.iter().any(|(layer, found, _)| {
            *layer == id && found.rule.severity == Severity::Danger && found.range.start < start.end
        });
        for format in formats.iter().filter(|_| !said) {
            match format.nature {
                Nature::Program if others(format) => {
                    let message = format!("It is {} and {} at once.", names(format), format.name);
                    self.find(id, &rules::PROGRAM_AND_DATA, start.clone(), message)?;
                }
                Nature::Program => {
                    let rule: &'static Rule = match origin {
                        Origin::Root => &rules::PROGRAM,
                        Origin::Member => &rules::PROGRAM_INSIDE,
                        Origin::Hidden => &rules::PROGRAM_HIDDEN,
                        Origin::Opaque => &rules::PROGRAM_IN_OPAQUE,
                    };
                    self.find(id, rule, start.clone(), format!("{}, {len} bytes.", format.name))?;
                }
                Nature::Script if others(format) || matches!(origin, Origin::Hidden | Origin::Opaque) => {
                    self.find(id, &rules::SCRIPT_HIDDEN, start.clone(), format!("{}.", format.name))?;
                }
                Nature::Script => {
                    self.find(id, &rules::SCRIPT, start.clone(), format!("{}.", format.name))?;
                }
                Nature::Container | Nature::Data | Nature::Text => {}
            }
        }
        let harmless = |format: &&&'static Format| matches!(format.nature, Nature::Container | Nature::Data);
        let bases: Vec<_> = formats.iter().filter(harmless).filter(|format| format.within.is_none()).collect();
        if let [first, second, ..] = bases.as_slice()
            && !crate::formats::go_together(first, second)
        {
            let message = format!("The same bytes are {} and {}.", first.name, second.name);
            self.find(id, &rules::TWO_FORMATS, start.clone(), message)?;
        }
        match (origin, formats.first()) {
            (Origin::Hidden, Some(format)) if !matches!(format.nature, Nature::Program | Nature::Script) => {
                self.find(id, &rules::FILE_HIDDEN, start.clone(), format!("{}, {len} bytes.", format.name))?;
            }
            (Origin::Opaque, Some(format)) if !matches!(format.nature, Nature::Program | Nature::Script) => {
                self.find(id, &rules::FILE_IN_OPAQUE, start.clone(), format!("{}, {len} bytes.", format.name))?;
            }
            (Origin::Root, Some(format)) => {
                let fits =
                    |format: &&'static Format| format.extensions.is_empty() || has_extension(&name, format.extensions);
                if let (false, Some(claimed)) = (formats.iter().any(fits), claimed(&name)) {
                    let message = format!("The name ends like {}; the content is {}.", claimed.name, format.name);
                    match format.nature {
                        Nature::Container => self.find(id, &rules::NAME_LEAVES_OUT_PACKING, start, message)?,
                        // Text is no other format: where a mark is missing, the file is damaged.
                        Nature::Text if !has_start(claimed) => {}
                        Nature::Text => {
                            self.stop(id, Stop::malformed(0, format!("the start of its format ({})", claimed.name)))
                        }
                        // A table, JSON or XML under the name of another kind of text is common, and plain to see.
                        Nature::Data if !has_start(claimed) && is_text(&bytes)? => {}
                        Nature::Data => self.find(id, &rules::NAME_LIES, start, message)?,
                        // That it is a program is said already.
                        Nature::Program | Nature::Script => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The regions of a layer that a sweep looks into; large ones of the file itself become pending.
    fn sweepable(&mut self, id: usize) -> VecDeque<Region> {
        let Some(layer) = self.layers.get(id) else { return VecDeque::new() };
        let swept = |region: &Region| matches!(region.kind, Kind::Opaque | Kind::Slack | Kind::Unexplained);
        let mut regions: VecDeque<Region> = layer.ledger.settle().into_iter().filter(swept).collect();
        if id == 0 && self.defers {
            let pending = &mut self.pending;
            regions.retain(|region| {
                let len = region.range.end.saturating_sub(region.range.start);
                let large = len > DEFER;
                let mut at = region.range.start;
                while large && at < region.range.end {
                    let share = SHARE.min(region.range.end.saturating_sub(at));
                    pending.push(Pending::new(at, share, region.kind));
                    at = at.saturating_add(share);
                }
                !large
            });
        }
        regions
    }

    fn start_sweep(&mut self, layer: usize, regions: VecDeque<Region>) {
        if let Some(first) = regions.front() {
            let at = first.range.start;
            self.tasks.push(Task::Sweep(Sweeping { layer, regions, at, hit: None }));
        }
    }

    fn sweep(&mut self, mut sweeping: Sweeping) -> Result<(), Stop> {
        let id = sweeping.layer;
        if let Some(hit) = sweeping.hit.take().and_then(|hit| self.layers.get(hit)) {
            // The hit was read meanwhile, and its length is known now.
            let start = hit.offset.unwrap_or(sweeping.at);
            let end = start.saturating_add(hit.bytes.len());
            if let Some(layer) = self.layers.get_mut(id) {
                layer.ledger.claim(start..end, Kind::Nested, "buried file")?;
            }
            sweeping.at = end;
        }
        loop {
            let Some(region) = sweeping.regions.front() else { return Ok(()) };
            let Some(layer) = self.layers.get_mut(id) else { return Ok(()) };
            let rest = sweeping.at..region.range.end;
            let searched = match search(&layer.bytes, &rest) {
                Ok(searched) => searched,
                Err(stop) if stop.ends_check() => return Err(stop),
                Err(stop) => {
                    layer.stops.push(stop);
                    return Ok(());
                }
            };
            let end = searched.hit.as_ref().map_or(rest.end, |hit| hit.at);
            let zeros = end.saturating_sub(rest.start);
            // Padding fills up to a block of some size; zeros that outweigh the file are something else.
            let pads = zeros <= PADDING || zeros < layer.bytes.len() / 2;
            if searched.zeros && region.kind == Kind::Unexplained && pads {
                layer.ledger.claim(rest.start..end, Kind::Slack, "zeros")?;
            }
            if let Some(hit) = searched.hit {
                // A layer is not buried in itself: room at its start holds its own header.
                if hit.at == 0 && region.kind == Kind::Slack && layer.formats.contains(&hit.format) {
                    sweeping.at = 1;
                    continue;
                }
                if layer.depth.saturating_add(1) < self.budget.limits().depth {
                    let region = region.clone();
                    self.budget.charge_layer()?;
                    let child = self.add_buried(id, &hit, &region);
                    sweeping.at = hit.at;
                    sweeping.hit = Some(child);
                    self.tasks.push(Task::Sweep(sweeping));
                    self.tasks.push(Task::Read(child));
                    return Ok(());
                }
                layer.stops.push(Stop::Exhausted(Limit::Depth));
            }
            sweeping.regions.pop_front();
            sweeping.at = sweeping.regions.front().map_or(0, |region| region.range.start);
        }
    }

    fn add_buried(&mut self, parent: usize, hit: &Hit, region: &Region) -> usize {
        // In a file of no known format nothing is explained, so that nothing is hidden either.
        let unknown = self.layers.get(parent).is_some_and(|layer| layer.formats.is_empty());
        let origin = if unknown || region.kind == Kind::Opaque { Origin::Opaque } else { Origin::Hidden };
        let source = self.layers.get(parent).map(|layer| layer.bytes.window(hit.at..region.range.end).rebased());
        let source = source.unwrap_or_else(|| Rc::new(Vec::new()));
        let name = format!("{} at {:#x}", hit.format.name, hit.at);
        let bytes = Bytes::whole(source, self.budget.clone());
        self.add_layer(Some(parent), name, Some(hit.at), origin, Role::File, bytes)
    }

    /// Closes the books of a layer.
    fn settle(&mut self, id: usize) -> Result<(), Stop> {
        let Some(layer) = self.layers.get(id) else { return Ok(()) };
        // Where a reader stopped, what follows is unread rather than unexplained: the stop says so.
        if layer.stops.is_empty() {
            let pending = |range: &Range<u64>| id == 0 && self.pending.iter().any(|pending| pending.covers(range));
            let unexplained: Vec<_> = layer
                .ledger
                .settle()
                .into_iter()
                .filter(|region| region.kind == Kind::Unexplained && !pending(&region.range))
                .collect();
            for region in unexplained {
                let len = region.range.end.saturating_sub(region.range.start);
                let message = format!("{len} bytes at {:#x} belong to nothing.", region.range.start);
                self.find(id, &rules::UNEXPLAINED_BYTES, region.range, message)?;
            }
        }
        if let Some(layer) = self.layers.get(id) {
            layer.bytes.forget();
        }
        Ok(())
    }

    fn find(&mut self, id: usize, rule: &'static Rule, range: Range<u64>, message: String) -> Result<(), Stop> {
        self.keep(id, Found { rule, range, message, evidence: None })
    }

    fn stop(&mut self, id: usize, stop: Stop) {
        if let Some(layer) = self.layers.get_mut(id) {
            layer.stops.push(stop);
        }
    }

    fn keep(&mut self, id: usize, found: Found) -> Result<(), Stop> {
        if self.found.len() >= self.budget.limits().findings {
            return Err(Stop::Exhausted(Limit::Findings));
        }
        let excerpt = match self.layers.get(id) {
            Some(layer) => {
                let len = found.range.end.saturating_sub(found.range.start).min(report::EXCERPT);
                layer.bytes.peek(found.range.start, usize::try_from(len).unwrap_or(0)).unwrap_or_default()
            }
            None => Vec::new(),
        };
        self.found.push((id, found, excerpt));
        Ok(())
    }

    fn report(self, path: &str, size: u64) -> Report {
        let mut report = Report::new(path, size);
        for layer in &self.layers {
            let formats = layer.formats.iter().map(|format| format.id.to_string()).collect();
            let stops = layer.stops.iter().map(report::Stopped::from).collect();
            let (parent, name) = (layer.parent, layer.name.clone());
            report.add_layer(parent, name, layer.offset, layer.ledger.len(), formats, &layer.ledger.settle(), stops);
            if let Some(added) = report.layers.last_mut() {
                added.in_place = layer.in_place;
                added.parts = layer.parts.clone();
            }
            report
                .companions
                .extend(layer.named.iter().map(|named| Companion::of(report.layers.len().saturating_sub(1), named)));
        }
        let mut room = report::EVIDENCE;
        for (layer, found, excerpt) in self.found {
            report.add_finding(layer, found.rule, found.range, found.message, &excerpt);
            let evidence = found.evidence.filter(|text| text.len() <= room);
            room = room.saturating_sub(evidence.as_ref().map_or(0, String::len));
            if let Some(added) = report.findings.last_mut() {
                added.evidence = evidence;
            }
        }
        report.pending = self.pending;
        report.series = self.series;
        folder::within(&mut report);
        report.conclude();
        report
    }
}

/// The format that the ending of a name belongs to: the one with the longest ending.
fn claimed(name: &str) -> Option<&'static Format> {
    let ending = |format: &&'static Format| {
        format
            .extensions
            .iter()
            .filter(|extension| has_extension(name, &[extension]))
            .map(|extension| extension.len())
            .max()
    };
    FORMATS.iter().copied().filter(|format| ending(format).is_some()).max_by_key(|format| ending(format))
}

/// Whether the bytes would be plain text if they were nothing else.
fn is_text(bytes: &Bytes) -> Result<bool, Stop> {
    is_format(&crate::formats::text::FORMAT, &Candidate { bytes, name: "" })
}

/// Whether every file of a format starts with something of its own, so that nothing and any text are none.
fn has_start(format: &Format) -> bool {
    !format.marks.is_empty() || format.nature == Nature::Container
}

/// All formats that recognise a candidate. The order of the list changes nothing.
fn recognise(candidate: &Candidate<'_>) -> Result<Vec<&'static Format>, Stop> {
    let mut formats: Vec<&'static Format> = Vec::new();
    for format in FORMATS {
        if format.within.is_none() && format.nature != Nature::Text && is_format(format, candidate)? {
            formats.push(format);
        }
    }
    // Refinements of refinements: each round may make the next possible.
    loop {
        let before = formats.len();
        for format in FORMATS {
            let Some(base) = format.within else { continue };
            let known = |wanted: &Format| formats.iter().any(|known| **known == *wanted);
            let possible = known(base) && !known(format);
            if possible && is_format(format, candidate)? {
                formats.push(format);
            }
        }
        if formats.len() == before {
            break;
        }
    }
    if formats.is_empty() {
        for format in FORMATS {
            if format.nature == Nature::Text && is_format(format, candidate)? {
                formats.push(format);
            }
        }
    }
    Ok(formats)
}

fn is_format(format: &'static Format, candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let bytes = candidate.bytes;
    let mut marked = format.marks.is_empty();
    for mark in format.marks {
        marked = marked || bytes.starts_with(bytes.start().saturating_add(mark.at), mark.bytes)?;
    }
    if !marked {
        return Ok(false);
    }
    match (format.confirm)(candidate) {
        Ok(answer) => Ok(answer),
        Err(stop @ (Stop::Cancelled | Stop::Source(_))) => Err(stop),
        Err(stop) if stop.ends_check() => Err(stop),
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{budget::Quiet, report::Verdict};

    /// The report on bytes under default limits.
    pub(crate) fn checked(name: &str, bytes: impl Into<Vec<u8>>) -> Report {
        let bytes = bytes.into();
        let report = check(name, Rc::new(bytes.clone()), Limits::default(), Rc::new(Quiet));
        for layer in &report.layers {
            let books = layer.coverage;
            let sum = books.structure + books.nested + books.opaque + books.slack + books.unexplained;
            assert_eq!(sum, layer.len, "the books of {} do not add up", layer.name);
        }
        crate::fixture::keep(name, &bytes, &report);
        report
    }

    /// The ids of the rules of a report's findings, worst first, notes left out.
    pub(crate) fn rules_of(report: &Report) -> Vec<&str> {
        let weighs = |finding: &&report::Finding| finding.severity != crate::rule::Severity::Note;
        report.findings.iter().filter(weighs).map(|finding| finding.rule.as_str()).collect()
    }

    /// A vector and what looks like it: the rule is told of the one, the other is not flagged.
    pub(crate) fn told(name: &str, evil: impl Into<Vec<u8>>, rule: &str, alike: impl Into<Vec<u8>>) {
        let report = checked(name, evil);
        assert!(report.findings.iter().any(|finding| finding.rule == rule), "{rule}: {report:#?}");
        assert!(matches!(report.verdict, Verdict::Code | Verdict::Caution), "{report:#?}");
        let report = checked(name, alike);
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
    }

    #[test]
    fn names_that_lie_are_told_from_text_by_another_name() {
        let table = "a,b,c\n1,2,3\n4,5,6\n";
        assert_eq!(checked("a.txt", table).verdict, Verdict::JustData);
        assert_eq!(checked("a.csv", "{\"a\": [1, 2]}").verdict, Verdict::JustData);
        assert_eq!(rules_of(&checked("a.dcm", "{\"a\": [1, 2]}")), ["name-lies"]);
        assert_eq!(checked("a.zip", "no archive\n").verdict, Verdict::Unfinished);
        assert_eq!(checked("a.mat", "1 0 0 0\n0 1 0 0\n").verdict, Verdict::JustData);
    }

    #[test]
    fn nothing_hides_where_nothing_is_explained() {
        let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x03\0\xfc\xffabc\xc2\x41\x24\x35\x03\0\0\0";
        let report = checked("a.bin", [&[0xfe, 0, 1, 2][..], gzip].concat());
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Unfinished, vec![]));
        assert_eq!(report.layers[1].formats, ["gzip"]);
    }

    #[test]
    fn nothing_known_is_unfinished_and_nothing_at_all_is_data() {
        assert_eq!(checked("x", [1, 2, 3, 0xff]).verdict, Verdict::Unfinished);
        let empty = checked("x", []);
        assert_eq!((empty.verdict, empty.findings.len()), (Verdict::JustData, 1));
    }
}
