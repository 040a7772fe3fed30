//! One account of work, given at birth and shared by all nesting.
//!
//! Counted in bytes, not in seconds, so that the page and the command say the same of the same file.

use std::{cell::Cell, ops::ControlFlow, rc::Rc};

use serde::{Deserialize, Serialize};

use crate::stop::{Limit, Stop};

/// What one file may cost. What a caller does not name stays at its default.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default)]
pub struct Limits {
    /// Ranges with an owner in one layer.
    pub claims: usize,
    /// Layers inside layers.
    pub depth: u32,
    /// Findings.
    pub findings: usize,
    /// Bytes that may come out of decompressors.
    pub inflated: u64,
    /// Layers.
    pub layers: usize,
    /// Bytes of work: read, decompressed or looked through.
    pub work: u64,
}

impl Default for Limits {
    /// Generous for real data (whole-slide images, brain atlases, model weights), small for a bomb.
    fn default() -> Self {
        Limits { claims: 1 << 19, depth: 16, findings: 10_000, inflated: 4 << 30, layers: 100_000, work: 64 << 30 }
    }
}

/// Who wants to know how far the check is, and may end it.
pub trait Pulse {
    /// `done` of `total` bytes of work are behind us; both only estimate. [`ControlFlow::Break`] cancels the check.
    fn beat(&self, done: u64, total: u64) -> ControlFlow<()>;
}

/// Nobody wants to know.
pub struct Quiet;

impl Pulse for Quiet {
    fn beat(&self, _done: u64, _total: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// The account of one file.
pub struct Budget {
    limits: Limits,
    pulse: Rc<dyn Pulse>,
    cancelled: Cell<bool>,
    goal: Cell<u64>,
    inflated: Cell<u64>,
    layers: Cell<usize>,
    work: Cell<u64>,
    next_beat: Cell<u64>,
}

/// Work between two beats, in bytes: some ten beats a second at the speed of a browser's blob reads.
const BEAT: u64 = 8 << 20;

impl Budget {
    /// A fresh account.
    pub fn new(limits: Limits, pulse: Rc<dyn Pulse>) -> Rc<Self> {
        Rc::new(Budget {
            limits,
            pulse,
            cancelled: Cell::new(false),
            goal: Cell::new(0),
            inflated: Cell::new(0),
            layers: Cell::new(0),
            work: Cell::new(0),
            next_beat: Cell::new(BEAT),
        })
    }

    /// The limits of this account.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Adds `bytes` to the work that is expected, for progress only.
    pub fn expect(&self, bytes: u64) {
        self.goal.set(self.goal.get().saturating_add(bytes));
    }

    /// Counts `bytes` of work.
    ///
    /// # Errors
    /// [`Stop::Exhausted`] when the limit is reached, [`Stop::Cancelled`] when the pulse said so.
    pub fn charge(&self, bytes: u64) -> Result<(), Stop> {
        let work = self.work.get().saturating_add(bytes);
        self.work.set(work);
        if work >= self.next_beat.get() {
            self.next_beat.set(work.saturating_add(BEAT));
            if self.pulse.beat(work.min(self.goal.get()), self.goal.get()).is_break() {
                self.cancelled.set(true);
            }
        }
        if self.cancelled.get() {
            return Err(Stop::Cancelled);
        }
        if work > self.limits.work {
            return Err(Stop::Exhausted(Limit::Work));
        }
        Ok(())
    }

    /// Counts `bytes` that came out of a decompressor for the first time.
    ///
    /// # Errors
    /// [`Stop::Exhausted`] when the limit is reached.
    pub fn charge_inflated(&self, bytes: u64) -> Result<(), Stop> {
        let inflated = self.inflated.get().saturating_add(bytes);
        if inflated > self.limits.inflated {
            return Err(Stop::Exhausted(Limit::Inflated));
        }
        self.inflated.set(inflated);
        self.charge(bytes)
    }

    /// Counts one more layer.
    ///
    /// # Errors
    /// [`Stop::Exhausted`] when the limit is reached.
    pub fn charge_layer(&self) -> Result<(), Stop> {
        if self.layers.get() >= self.limits.layers {
            return Err(Stop::Exhausted(Limit::Layers));
        }
        self.layers.set(self.layers.get().saturating_add(1));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Never;
    impl Pulse for Never {
        fn beat(&self, _: u64, _: u64) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }

    #[test]
    fn work_is_shared_and_ends() {
        let budget = Budget::new(Limits { work: 10, ..Limits::default() }, Rc::new(Quiet));
        assert_eq!(budget.charge(10), Ok(()));
        assert_eq!(budget.charge(1), Err(Stop::Exhausted(Limit::Work)));
    }

    #[test]
    fn a_pulse_that_breaks_cancels() {
        let budget = Budget::new(Limits::default(), Rc::new(Never));
        assert_eq!(budget.charge(BEAT), Err(Stop::Cancelled));
        assert_eq!(budget.charge(0), Err(Stop::Cancelled));
    }

    #[test]
    fn inflated_bytes_have_their_own_limit() {
        let budget = Budget::new(Limits { inflated: 5, ..Limits::default() }, Rc::new(Quiet));
        assert_eq!(budget.charge_inflated(5), Ok(()));
        assert_eq!(budget.charge_inflated(1), Err(Stop::Exhausted(Limit::Inflated)));
    }
}
