//! Files waiting for a thread, with a progress bar on a terminal.

use std::{
    collections::BTreeMap,
    fmt, io,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
};

use indicatif::{ProgressBar, ProgressStyle};
use just_data::{
    budget::{Limits, Pulse},
    check,
    report::{Report, Verdict},
    source::{OnDisk, Paged, Source},
    stop::Stop,
};

/// Something to check.
pub enum Item {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Input,
    /// A place that could not be listed, and why.
    Unlisted(PathBuf, String),
}

impl Item {
    /// As its report will name it.
    pub fn path(&self) -> Option<String> {
        match self {
            Item::File(path) => Some(path.to_string_lossy().into_owned()),
            Item::Input | Item::Unlisted(..) => None,
        }
    }
}

/// All that is to be checked.
pub struct Queue {
    items: Vec<Item>,
    jobs: usize,
}

/// Pages of a file.
const PAGE: usize = 256 << 10;

/// Pages kept of a file.
const KEEP: usize = 16;

impl Queue {
    /// `jobs` threads at most.
    pub fn new(items: Vec<Item>, jobs: usize) -> Self {
        let jobs = jobs.min(items.len()).max(1);
        Queue { items, jobs }
    }

    /// Checks everything and hands each report to `take` as soon as it is there.
    ///
    /// # Errors
    /// The first error of `take`, which ends the run.
    pub fn run(self, mut take: impl FnMut(Report) -> io::Result<()>) -> io::Result<()> {
        let items = Arc::new(self.items);
        let next = Arc::new(AtomicUsize::new(0));
        let ended = Arc::new(AtomicBool::new(false));
        let bar = Arc::new(Bar::over(&items));
        let (sender, receiver) = mpsc::sync_channel::<Report>(self.jobs.saturating_mul(4));
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                let (items, next, ended) = (items.clone(), next.clone(), ended.clone());
                let (bar, sender) = (bar.clone(), sender.clone());
                scope.spawn(move || {
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if ended.load(Ordering::Relaxed) || sender.send(one(item, &bar, &ended)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let mut result = Ok(());
            for report in receiver {
                if result.is_ok() {
                    result = bar.suspend(|| take(report));
                    if result.is_err() {
                        ended.store(true, Ordering::Relaxed);
                    }
                }
            }
            bar.finish();
            result
        })
    }
}

/// Checks one item. Whatever happens there is a report.
fn one(item: &Item, bar: &Arc<Bar>, ended: &Arc<AtomicBool>) -> Report {
    let (path, source) = match item {
        Item::Unlisted(path, reason) => {
            return Report::unread(&path.to_string_lossy(), 0, &Stop::source(reason.clone()));
        }
        Item::File(path) => (path.to_string_lossy().into_owned(), open(path)),
        Item::Input => ("-".to_string(), super::standard_input().map(|bytes| Rc::new(bytes) as Rc<dyn Source>)),
    };
    let source = match source {
        Ok(source) => source,
        Err(error) => return Report::unread(&path, 0, &Stop::from(error)),
    };
    let size = source.len();
    let beats = Beats { bar: bar.clone(), ended: ended.clone(), size, told: AtomicU64::new(0) };
    let pulse = Rc::new(beats);
    let checked = catch_unwind(AssertUnwindSafe(|| check::check(&path, source, Limits::default(), pulse.clone())));
    pulse.tell(size);
    checked.unwrap_or_else(|_| {
        let reason = "the check itself failed on this file; please report it".to_string();
        Report::unread(&path, size, &Stop::source(reason))
    })
}

fn open(path: &Path) -> io::Result<Rc<dyn Source>> {
    Ok(Rc::new(Paged::new(Rc::new(OnDisk::open(path)?), PAGE, KEEP)))
}

/// Bytes done of bytes to do, on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn over(items: &[Item]) -> Self {
        let size = |item: &Item| match item {
            Item::File(path) => path.metadata().map_or(0, |about| about.len()),
            Item::Input | Item::Unlisted(..) => 0,
        };
        let bar = ProgressBar::new(items.iter().map(size).fold(0, u64::saturating_add));
        let template = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Bar(bar)
    }

    /// Prints without tearing the bar.
    fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }

    fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// The progress of one file, scaled to its size.
struct Beats {
    bar: Arc<Bar>,
    ended: Arc<AtomicBool>,
    size: u64,
    told: AtomicU64,
}

impl Beats {
    fn tell(&self, done: u64) {
        let before = self.told.fetch_max(done, Ordering::Relaxed);
        self.bar.0.inc(done.saturating_sub(before));
    }
}

impl Pulse for Beats {
    fn beat(&self, done: u64, total: u64) -> ControlFlow<()> {
        let part = u128::from(done).saturating_mul(u128::from(self.size)).checked_div(u128::from(total));
        self.tell(u64::try_from(part.unwrap_or(0)).unwrap_or(0).min(self.size));
        if self.ended.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// How many files got which verdict.
#[derive(Default)]
pub struct Counted(BTreeMap<Verdict, usize>);

impl Counted {
    /// The worst of them.
    pub fn worst(&self) -> Option<Verdict> {
        self.0.keys().next().copied()
    }

    /// One more.
    pub fn add(&mut self, verdict: Verdict) {
        let count = self.0.entry(verdict).or_default();
        *count = count.saturating_add(1);
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.values().fold(0usize, |sum, count| sum.saturating_add(*count));
        write!(f, "{all} {}", if all == 1 { "file" } else { "files" })?;
        for (index, (verdict, count)) in self.0.iter().enumerate() {
            write!(f, "{}{count} {}", if index == 0 { ": " } else { ", " }, verdict.title().to_lowercase())?;
        }
        Ok(())
    }
}
