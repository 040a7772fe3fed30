//! Who owns which bytes of a layer.
//!
//! Readers claim ranges; [`Ledger::settle`] turns the claims into regions that cover the layer without gap or
//! overlap. What nobody claimed is unexplained, and is news.

use std::ops::Range;

use crate::{
    sorting,
    stop::{Limit, Stop},
};

/// The five kinds of bytes. The order is the precedence where claims overlap, first wins.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Handed to another layer, which keeps books of its own.
    Nested,
    /// Room that the format leaves for anything: preambles, padding, comments. Before structure, so that a field of
    /// free text inside a header is what it is.
    Slack,
    /// Read and understood.
    Structure,
    /// Carried, not interpreted: pixels, weights, ciphertext.
    Opaque,
    /// Nobody's.
    Unexplained,
}

impl Kind {
    /// The stable word of the JSON contract.
    pub fn id(self) -> &'static str {
        match self {
            Kind::Nested => "nested",
            Kind::Opaque => "opaque",
            Kind::Slack => "slack",
            Kind::Structure => "structure",
            Kind::Unexplained => "unexplained",
        }
    }
}

/// A range with one owner.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Region {
    /// Absolute places in the layer, in bytes.
    pub range: Range<u64>,
    /// What kind of bytes they are.
    pub kind: Kind,
    /// What they are, in the words of the format ("preamble", "pixel data").
    pub what: &'static str,
}

/// The claims on one layer.
pub struct Ledger {
    len: u64,
    most: usize,
    claims: Vec<Region>,
}

impl Ledger {
    /// The books of a layer of `len` bytes, for at most `most` separate claims.
    pub fn new(len: u64, most: usize) -> Self {
        Ledger { len, most, claims: Vec::new() }
    }

    /// Length of the layer in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the layer has no byte.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Shortens the layer: what lies behind `len` is another layer's.
    pub fn cut(&mut self, len: u64) {
        self.len = self.len.min(len);
    }

    /// Claims `range`, cut to the layer.
    ///
    /// # Errors
    /// [`Stop::Exhausted`] when there are too many separate claims.
    pub fn claim(&mut self, range: Range<u64>, kind: Kind, what: &'static str) -> Result<(), Stop> {
        let range = range.start.min(self.len)..range.end.min(self.len);
        if range.is_empty() {
            return Ok(());
        }
        if let Some(last) = self.claims.last_mut()
            && last.kind == kind
            && last.what == what
            && last.range.end == range.start
        {
            last.range.end = range.end;
            return Ok(());
        }
        if self.claims.len() >= self.most {
            return Err(Stop::Exhausted(Limit::Claims));
        }
        self.claims.push(Region { range, kind, what });
        Ok(())
    }

    /// The place behind the last byte that somebody claimed.
    pub fn extent(&self) -> u64 {
        self.claims.iter().map(|claim| claim.range.end).max().unwrap_or(0)
    }

    /// Regions that cover the layer: ascending, disjoint, without gap.
    pub fn settle(&self) -> Vec<Region> {
        // A line is swept over the starts and ends of all claims; `open` holds those that cover the line.
        let mut edges: Vec<(u64, bool, usize)> = Vec::with_capacity(self.claims.len().saturating_mul(2));
        for (index, claim) in self.claims.iter().enumerate() {
            let range = claim.range.start..claim.range.end.min(self.len);
            if range.is_empty() {
                continue;
            }
            edges.push((range.start, true, index));
            edges.push((range.end, false, index));
        }
        sorting::by_key(&mut edges, |(at, opens, _)| (*at, *opens));

        let mut regions: Vec<Region> = Vec::new();
        let mut open: std::collections::BTreeSet<(Kind, usize)> = std::collections::BTreeSet::new();
        let mut at = 0;
        let mut give = |range: Range<u64>, owner: Option<&Region>| {
            if range.is_empty() {
                return;
            }
            let (kind, what) = owner.map_or((Kind::Unexplained, ""), |owner| (owner.kind, owner.what));
            match regions.last_mut() {
                Some(last) if last.kind == kind && last.what == what => last.range.end = range.end,
                _ => regions.push(Region { range, kind, what }),
            }
        };
        for (edge, opens, index) in edges {
            if edge > at {
                give(at..edge, open.first().and_then(|(_, index)| self.claims.get(*index)));
                at = edge;
            }
            if let Some(claim) = self.claims.get(index) {
                if opens {
                    open.insert((claim.kind, index));
                } else {
                    open.remove(&(claim.kind, index));
                }
            }
        }
        give(at..self.len, None);
        regions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(len: u64, claims: &[(Range<u64>, Kind, &'static str)]) -> Vec<(Range<u64>, Kind, &'static str)> {
        let mut ledger = Ledger::new(len, 1000);
        for (range, kind, what) in claims {
            ledger.claim(range.clone(), *kind, what).unwrap();
        }
        ledger.settle().into_iter().map(|region| (region.range, region.kind, region.what)).collect()
    }

    #[test]
    fn gaps_are_unexplained() {
        assert_eq!(
            settled(10, &[(2..4, Kind::Structure, "header"), (6..10, Kind::Opaque, "pixels")]),
            [
                (0..2, Kind::Unexplained, ""),
                (2..4, Kind::Structure, "header"),
                (4..6, Kind::Unexplained, ""),
                (6..10, Kind::Opaque, "pixels"),
            ]
        );
        assert_eq!(settled(3, &[]), [(0..3, Kind::Unexplained, "")]);
        assert_eq!(settled(0, &[]), []);
    }

    #[test]
    fn overlaps_go_to_the_better_owner() {
        assert_eq!(
            settled(8, &[(0..8, Kind::Opaque, "data"), (2..6, Kind::Slack, "padding"), (3..5, Kind::Nested, "inner")]),
            [
                (0..2, Kind::Opaque, "data"),
                (2..3, Kind::Slack, "padding"),
                (3..5, Kind::Nested, "inner"),
                (5..6, Kind::Slack, "padding"),
                (6..8, Kind::Opaque, "data"),
            ]
        );
    }

    /// The identity of the books: whatever is claimed, the regions add up to the length.
    #[test]
    fn regions_always_add_up() {
        let mut seed = 0x2545_F491_4F6C_DD1Du64;
        let mut next = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        for _ in 0..500 {
            let len = next(60);
            let mut ledger = Ledger::new(len, 1000);
            for _ in 0..next(12) {
                let start = next(80);
                let kind = [Kind::Nested, Kind::Structure, Kind::Slack, Kind::Opaque][next(4) as usize];
                ledger.claim(start..start + next(40), kind, ["a", "b"][next(2) as usize]).unwrap();
            }
            ledger.cut(next(70));
            let regions = ledger.settle();
            let mut at = 0;
            for region in &regions {
                assert_eq!(region.range.start, at);
                assert!(region.range.end > at);
                at = region.range.end;
            }
            assert_eq!(at, ledger.len());
        }
    }

    #[test]
    fn too_many_claims_are_refused() {
        let mut ledger = Ledger::new(10, 1);
        ledger.claim(0..1, Kind::Slack, "a").unwrap();
        ledger.claim(1..2, Kind::Slack, "a").unwrap();
        assert_eq!(ledger.claim(5..6, Kind::Slack, "a"), Err(Stop::Exhausted(Limit::Claims)));
    }
}
