//! Files larger than memory: a structural verdict at once, large ranges pending, and the same answer when they are
//! swept in any order.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::{cell::Cell, io, rc::Rc};

use just_data::{
    budget::{Budget, Limits, Quiet},
    check::{check, structure, sweep},
    report::{Report, Verdict, json},
    source::Source,
};

/// Zeros with islands, and a count of what was read.
struct Sparse {
    len: u64,
    islands: Vec<(u64, Vec<u8>)>,
    read: Cell<u64>,
}

impl Source for Sparse {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let count = (self.len.saturating_sub(at)).min(into.len() as u64) as usize;
        into[..count].fill(0);
        for (start, bytes) in &self.islands {
            let (from, to) = ((*start).max(at), (start + bytes.len() as u64).min(at + count as u64));
            if from < to {
                let (target, source) = ((from - at) as usize, (from - start) as usize);
                let len = (to - from) as usize;
                into[target..target + len].copy_from_slice(&bytes[source..source + len]);
            }
        }
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

const FIVE: u64 = 5 << 30;

/// A NIfTI-2 image of bytes that fills `len`.
fn image(len: u64) -> Vec<u8> {
    let mut bytes = vec![0; 544];
    bytes[..4].copy_from_slice(&540i32.to_le_bytes());
    bytes[4..12].copy_from_slice(b"n+2\0\r\n\x1a\n");
    bytes[12..16].copy_from_slice(&[2, 0, 8, 0]);
    bytes[16..24].copy_from_slice(&1i64.to_le_bytes());
    bytes[24..32].copy_from_slice(&((len - 544) as i64).to_le_bytes());
    bytes[168..176].copy_from_slice(&544i64.to_le_bytes());
    bytes
}

fn sparse(islands: Vec<(u64, Vec<u8>)>) -> Rc<Sparse> {
    Rc::new(Sparse { len: FIVE, islands, read: Cell::new(0) })
}

fn structural(source: Rc<Sparse>) -> Report {
    structure("brain.nii", source, Budget::new(Limits::default(), Rc::new(Quiet)))
}

#[test]
fn a_structural_verdict_reads_little() {
    let source = sparse(vec![(0, image(FIVE))]);
    let report = structural(source.clone());
    assert!(source.read.get() < 4 << 20, "{} bytes were read", source.read.get());
    assert_eq!(report.verdict, Verdict::Unfinished, "pending ranges are no verdict");
    assert_eq!(report.pending.iter().map(|pending| pending.len).sum::<u64>(), FIVE - 544);
    assert!(report.pending.iter().all(|pending| pending.len <= 256 << 20));
}

#[test]
fn a_whole_check_of_five_gibibytes_ends_in_just_data() {
    let report = check("brain.nii", sparse(vec![(0, image(FIVE))]), Limits::default(), Rc::new(Quiet));
    assert_eq!(report.verdict, Verdict::JustData, "{:?}", report.findings);
    assert_eq!(report.layers[0].coverage.opaque, FIVE - 544);
    assert!(report.pending.is_empty());
}

/// Parts swept in any order give the same findings, layers and books.
#[test]
fn the_order_of_the_parts_changes_nothing() {
    // A whole PDF-like or program header would do; a gzip member validates by decoding to its end.
    let member = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 0x01, 0x03, 0x00, 0xfc, 0xff, b'a', b'b', b'c', 0xc2, 0x41, 0x24, 0x35,
        3, 0, 0, 0,
    ];
    let islands = vec![(0, image(FIVE)), (3 << 29, member.to_vec()), (9 << 29, member.to_vec())];
    let whole = check("brain.nii", sparse(islands.clone()), Limits::default(), Rc::new(Quiet));
    assert_eq!(whole.layers[0].coverage.nested, 2 * member.len() as u64);

    let source = sparse(islands);
    let mut report = structural(source.clone());
    let parts: Vec<(usize, Report)> = (0..report.pending.len())
        .map(|index| (index, sweep(source.clone(), &report, index, Budget::new(Limits::default(), Rc::new(Quiet)))))
        .collect();
    for (index, part) in parts.into_iter().rev() {
        report.join(index, part);
    }
    assert_eq!(report.verdict, whole.verdict);
    assert_eq!(report.layers[0].coverage, whole.layers[0].coverage);
    assert_eq!(report.layers[0].map, whole.layers[0].map);
    let places = |report: &Report| {
        let mut places: Vec<_> = report.findings.iter().map(|f| (f.rule.clone(), f.offset, f.place.clone())).collect();
        places.sort();
        places
    };
    assert_eq!(places(&report), places(&whole));
    assert!(!json::file(&report).contains("pending"));
}
