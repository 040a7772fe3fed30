//! Prints what the readers of this crate met in files, one JSON object a line, for `compare.py` beside it.

use std::{env, error::Error, fs, rc::Rc};

use just_data::{
    budget::{Limits, Quiet},
    check::check,
};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    for path in env::args().skip(1) {
        let report = check(&path, Rc::new(fs::read(&path)?), Limits::default(), Rc::new(Quiet));
        let layers: Vec<_> = report
            .layers
            .iter()
            .map(|layer| {
                json!({
                    "name": layer.name, "parent": layer.parent, "offset": layer.offset, "len": layer.len,
                    "formats": layer.formats, "stops": layer.stops, "parts": layer.parts, "map": layer.map,
                })
            })
            .collect();
        println!("{}", json!({"path": path, "verdict": report.verdict, "layers": layers}));
    }
    Ok(())
}
