//! The JSON contract: one document for all files, or one line a file.

use serde::Serialize;

use super::Report;

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// What opens the document: everything before the first file.
pub fn head() -> String {
    let tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
    format!("{{\"tool\":{},\"files\":[", serde_json::to_string(&tool).unwrap_or_default())
}

/// One file: a member of the document's `files`, or a line of `jsonl`.
pub fn file(report: &Report) -> String {
    serde_json::to_string(report).unwrap_or_default()
}

/// What closes the document.
pub fn foot() -> &'static str {
    "]}"
}

/// The whole document.
pub fn document(reports: &[Report]) -> String {
    let files: Vec<String> = reports.iter().map(file).collect();
    format!("{}{}{}", head(), files.join(","), foot())
}
