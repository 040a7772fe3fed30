//! Fixtures as commented hex text.

use std::{fs, path::PathBuf};

/// A sample: its file, its name and its bytes.
pub struct Fixture {
    pub path: PathBuf,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// All fixtures, sorted by path.
pub fn fixtures() -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    for folder in fs::read_dir("tests/fixtures").unwrap() {
        for entry in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "hex") {
                let text = fs::read_to_string(&path).unwrap();
                let name = text.lines().find_map(|line| line.strip_prefix("# name: ")).unwrap().to_string();
                fixtures.push(Fixture { path, name, bytes: parse(&text) });
            }
        }
    }
    fixtures.sort_by(|a, b| a.path.cmp(&b.path));
    fixtures
}

fn parse(text: &str) -> Vec<u8> {
    let digits = text.lines().flat_map(|line| line.split('#').next().unwrap_or("").split_whitespace());
    digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}
