//! The search for code in bytes that no format explains, in room left for anything, and in opaque bytes.
//!
//! The marks of all formats that can be buried are searched for with vectorised single-needle searches, window by
//! window; a mark alone is nothing: the format's own `buried` function must validate a whole header before there
//! is a hit.

use std::{ops::Range, sync::OnceLock};

use memchr::memmem::Finder;

use crate::{
    bytes::{Bytes, first_other},
    format::{Buried, Candidate, Format},
    formats::FORMATS,
    stop::Stop,
};

/// A buried file.
pub(crate) struct Hit {
    /// Where it starts.
    pub at: u64,
    /// What it is.
    pub format: &'static Format,
}

/// Bytes looked at together.
const WINDOW: usize = 1 << 20;

/// What a search found.
pub(crate) struct Searched {
    /// The first hit.
    pub hit: Option<Hit>,
    /// Whether every byte before the hit, or before the end, is zero.
    pub zeros: bool,
}

/// The first hit in `region`.
///
/// # Errors
/// Those of the source and the budget.
pub(crate) fn search(bytes: &Bytes, region: &Range<u64>) -> Result<Searched, Stop> {
    if let Some(hit) = hit_at_start(bytes, region)? {
        return Ok(Searched { hit: Some(hit), zeros: true });
    }
    let len = region.end.saturating_sub(region.start);
    let mut buffer = vec![0; usize::try_from(len).unwrap_or(WINDOW).min(WINDOW)];
    let mut at = region.start;
    let mut zeros = true;
    while at < region.end {
        let wanted = usize::try_from(region.end.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
        let count = bytes.copy(at, buffer.get_mut(..wanted).unwrap_or_default())?;
        let window = buffer.get(..count).unwrap_or_default();
        if let Some(first) = first_other(window, 0) {
            if let Some(hit) = hit_in_window(bytes, region, at, window)? {
                zeros = zeros && hit.at <= at.saturating_add(first as u64);
                return Ok(Searched { hit: Some(hit), zeros });
            }
            zeros = false;
        }
        let next = at.saturating_add(count as u64);
        // Windows overlap by one byte less than the longest mark, so that none is cut in two.
        at = if next >= region.end { next } else { next.saturating_sub(longest_mark()).max(at.saturating_add(1)) };
    }
    Ok(Searched { hit: None, zeros })
}

fn hit_at_start(bytes: &Bytes, region: &Range<u64>) -> Result<Option<Hit>, Stop> {
    let window = bytes.window(region.clone());
    for format in FORMATS {
        let Buried::AtStart(confirm) = format.buried else { continue };
        let mut marked = format.marks.is_empty();
        for mark in format.marks {
            marked = marked || window.starts_with(region.start.saturating_add(mark.at), mark.bytes)?;
        }
        if marked && confirmed(confirm, &window)? {
            return Ok(Some(Hit { at: region.start, format }));
        }
    }
    Ok(None)
}

fn hit_in_window(bytes: &Bytes, region: &Range<u64>, at: u64, window: &[u8]) -> Result<Option<Hit>, Stop> {
    let mut best: Option<Hit> = None;
    for needle in needles() {
        let mut skip = 0usize;
        while let Some(found) = needle.finder.find(window.get(skip..).unwrap_or_default()) {
            let place = skip.saturating_add(found);
            skip = place.saturating_add(1);
            let Some(start) = at.saturating_add(place as u64).checked_sub(needle.offset) else { continue };
            if best.as_ref().is_some_and(|best| best.at <= start) {
                break;
            }
            if start >= region.start && confirmed(needle.confirm, &bytes.window(start..region.end))? {
                best = Some(Hit { at: start, format: needle.format });
                break;
            }
        }
    }
    Ok(best)
}

/// Asks a format; damage is a no, anything else ends the sweep.
fn confirmed(confirm: fn(&Candidate<'_>) -> Result<bool, Stop>, bytes: &Bytes) -> Result<bool, Stop> {
    match confirm(&Candidate { bytes, name: "" }) {
        Ok(answer) => Ok(answer),
        Err(stop @ (Stop::Cancelled | Stop::Source(_))) => Err(stop),
        Err(stop) if stop.ends_check() => Err(stop),
        Err(_) => Ok(false),
    }
}

struct Needle {
    finder: Finder<'static>,
    offset: u64,
    format: &'static Format,
    confirm: fn(&Candidate<'_>) -> Result<bool, Stop>,
}

fn needles() -> &'static [Needle] {
    static NEEDLES: OnceLock<Vec<Needle>> = OnceLock::new();
    NEEDLES.get_or_init(|| {
        let mut needles = Vec::new();
        for format in FORMATS {
            let (marks, confirm) = match format.buried {
                Buried::Anywhere(confirm) => (format.marks, confirm),
                Buried::AnywhereMarked(marks, confirm) => (marks, confirm),
                Buried::No | Buried::AtStart(_) => continue,
            };
            for mark in marks {
                needles.push(Needle { finder: Finder::new(mark.bytes), offset: mark.at, format, confirm });
            }
        }
        needles
    })
}

fn longest_mark() -> u64 {
    needles().iter().map(|needle| needle.finder.needle().len() as u64).max().unwrap_or(1).saturating_sub(1)
}
