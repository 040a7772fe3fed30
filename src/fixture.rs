//! The samples that the readers' tests build, kept as commented hex text beside their golden reports.
//!
//! `BLESS=1 cargo test --lib` (in an empty folder, where a test went away) writes `tests/fixtures/<format>/<test>-<n>.hex` and `.json`; without it, both must be
//! what the test makes them. They feed the golden, hostile and browser tests.

use std::{cell::Cell, fs, path::Path};

use crate::report::{Report, json};

/// Samples kept of one test: the first ones say most, loops over cuts would fill the folder.
const EACH: usize = 3;

/// Longer samples are not kept. One collection of an HDF5 global heap has 4096 bytes, and a file around it.
const LONGEST: usize = 4608;

thread_local! {
    /// Tests run on threads of their own, which carry their names.
    static SEEN: Cell<usize> = const { Cell::new(0) };
}

/// Keeps or compares the sample of the running test.
pub(crate) fn keep(name: &str, bytes: &[u8], report: &Report) {
    let thread = std::thread::current();
    let Some((format, test)) = thread.name().and_then(of_format) else { return };
    let number = SEEN.get() + 1;
    SEEN.set(number);
    let fits = number <= EACH && bytes.len() <= LONGEST && !bytes.is_empty() && name.is_ascii();
    if !fits || test.contains("cut") {
        return;
    }
    let stem = format!("tests/fixtures/{format}/{test}-{number}");
    let hex = hex(name, bytes);
    let golden = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&json::file(report)).unwrap());
    let golden = golden.unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(Path::new(&stem).parent().unwrap()).unwrap();
        fs::write(format!("{stem}.hex"), hex).unwrap();
        fs::write(format!("{stem}.json"), golden).unwrap();
        return;
    }
    for (ending, made) in [("hex", hex), ("json", golden)] {
        let kept = fs::read_to_string(format!("{stem}.{ending}")).unwrap_or_default();
        assert!(
            kept == made,
            "{stem}.{ending} is not what the test makes; read the difference, then BLESS=1 cargo test --lib\n{made}"
        );
    }
}

/// The format and the test of `formats::nifti::tests::damage_is_unfinished`.
fn of_format(thread: &str) -> Option<(&str, String)> {
    let mut parts = thread.strip_prefix("formats::")?.split("::");
    let format = parts.next()?;
    let rest: Vec<_> = parts.filter(|part| *part != "tests").collect();
    Some((format, rest.join("-")))
}

/// Sixteen bytes a line with their place and text, under the name of the file.
fn hex(name: &str, bytes: &[u8]) -> String {
    let mut out = format!("# name: {}\n", crate::quote::visible(name));
    for (index, line) in bytes.chunks(16).enumerate() {
        let digits: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
        let text: String = line.iter().map(shown).collect();
        out.push_str(&format!("{:<47}  # {:04x} {text}\n", digits.join(" "), index * 16));
    }
    out
}
