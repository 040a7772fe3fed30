//! The golden reports: the same bytes give the same report, whole or through pages, and its books add up.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod hex;

use std::rc::Rc;

use just_data::{
    budget::{Limits, Quiet},
    check::check,
    report::json,
    source::Paged,
};

#[test]
fn reports_are_golden() {
    let fixtures = hex::fixtures();
    assert!(fixtures.len() > 4, "the fixtures are missing");
    for fixture in &fixtures {
        let golden: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(fixture.path.with_extension("json")).unwrap()).unwrap();
        // Tiny pages cut every record in two.
        for (page, keep) in [(1 << 20, 1), (7, 3)] {
            let source = Rc::new(Paged::new(Rc::new(fixture.bytes.clone()), page, keep));
            let report = check(&fixture.name, source, Limits::default(), Rc::new(Quiet));
            let report: serde_json::Value = serde_json::from_str(&json::file(&report)).unwrap();
            assert_eq!(report, golden, "{} with pages of {page} bytes", fixture.path.display());
        }
    }
}
