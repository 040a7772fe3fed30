//! Files that are one packed stream and nothing else: what bzip2, LZ4, LZMA, xz and Zstandard have in common.

use std::rc::Rc;

use crate::{
    bytes::Bytes,
    format::{Role, Span, Visit, has_extension},
    ledger::Kind,
    source::{Packing, Source, Unpacked},
    stop::Stop,
};

/// Opens the content of the stream that the layer is; what follows the stream stays unexplained.
///
/// # Errors
/// Why the stream ended early; those of source and budget.
pub(crate) fn read(visit: &mut Visit<'_>, packing: Packing, extensions: &[&str]) -> Result<(), Stop> {
    let unpacked = Unpacked::measure(visit.bytes.clone(), packing)?;
    let stop = unpacked.stop().cloned();
    let start = visit.bytes.start();
    let end = start.saturating_add(unpacked.packed_len());
    if unpacked.is_empty() {
        if stop.is_none() {
            visit.structure(start..end, "an empty stream")?;
        }
        return stop.map_or(Ok(()), Err);
    }
    // What readers of the content pass over is room for anything, and is swept.
    let mut pieces = Vec::new();
    let mut at = start;
    for skipped in unpacked.skipped() {
        visit.slack(skipped.clone(), "skipped frame")?;
        pieces.push(at..skipped.start);
        at = skipped.end;
    }
    pieces.push(at..end);
    let name = content_name(visit.name, extensions);
    let first = pieces.first().cloned().unwrap_or(start..start);
    for piece in pieces.into_iter().skip(1) {
        visit.claim(piece, Kind::Nested, "nested file, encoded")?;
    }
    visit.open(name, Span::Decoded(first, Rc::new(unpacked)), Role::File)?;
    stop.map_or(Ok(()), Err)
}

/// The name of the content: the file's without the ending that says how it is packed.
pub(crate) fn content_name(name: &str, extensions: &[&str]) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    match last.rfind('.') {
        Some(dot) if has_extension(last, extensions) => last.get(..dot).unwrap_or(last).to_string(),
        _ => "content".to_string(),
    }
}

/// Whether a stream at the start of these bytes decodes, at least to the end of the first `look` bytes.
///
/// # Errors
/// Those of source and budget.
pub(crate) fn decodes(bytes: &Bytes, packing: Packing, look: u64) -> Result<bool, Stop> {
    let window = bytes.window(bytes.start()..bytes.start().saturating_add(look));
    let unpacked = Unpacked::measure(window.clone(), packing)?;
    let reached = bytes.start().saturating_add(unpacked.packed_len());
    Ok(!unpacked.is_empty() && (unpacked.stop().is_none() || reached >= window.end()))
}
