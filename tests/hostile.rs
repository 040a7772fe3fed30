//! Hostility, systematically: every fixture cut at every length, its lengths raised, its bytes flipped, under an
//! allocator with a cap. Nothing may panic, hang or ask for much memory, and the books must add up.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod hex;

use std::{
    alloc::System,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
};

use cap::Cap;
use just_data::{
    budget::{Limits, Quiet},
    check::check,
    report::Report,
};

/// What one check may allocate.
const CAP: usize = 64 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

#[test]
fn nothing_panics_hangs_or_swells() {
    let fixtures = hex::fixtures();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + threads * CAP).unwrap();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(fixture) = fixtures.get(next.fetch_add(1, Ordering::Relaxed)) {
                    torment_all(fixture);
                }
            });
        }
    });
}

fn torment_all(fixture: &hex::Fixture) {
    let bytes = &fixture.bytes;
    for len in 0..bytes.len() {
        torment(fixture, "cut", len, &bytes[..len]);
    }
    let mut changed = bytes.clone();
    for at in 0..bytes.len() {
        for (how, value) in [("raised", 0xff), ("flipped", !bytes[at]), ("zeroed", 0), ("sign", bytes[at] ^ 0x80)] {
            changed[at] = value;
            torment(fixture, how, at, &changed);
        }
        changed[at] = bytes[at];
        if let Some(long) = bytes.get(at..at + 4) {
            changed[at..at + 4].fill(0xff);
            torment(fixture, "raised to 2^32-1", at, &changed);
            changed[at + 3] = 0x7f;
            torment(fixture, "raised to 2^31-1", at, &changed);
            changed[at..at + 4].copy_from_slice(long);
        }
    }
}

fn torment(fixture: &hex::Fixture, how: &str, at: usize, bytes: &[u8]) {
    let limits = Limits { work: 1 << 28, inflated: 1 << 24, ..Limits::default() };
    let run = || check(&fixture.name, Rc::new(bytes.to_vec()), limits, Rc::new(Quiet));
    let Ok(report) = catch_unwind(AssertUnwindSafe(run)) else {
        panic!("{} {how} at {at} panics", fixture.path.display());
    };
    assert!(books_add_up(&report), "{} {how} at {at}: the books do not add up", fixture.path.display());
}

fn books_add_up(report: &Report) -> bool {
    report.layers.iter().all(|layer| {
        let books = layer.coverage;
        books.structure + books.nested + books.opaque + books.slack + books.unexplained == layer.len
    })
}
