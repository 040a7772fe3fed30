//! Files that are one packed stream and nothing else: what bzip2, LZ4, LZMA and xz have in common.

use std::rc::Rc;

use crate::{
    bytes::Bytes,
    format::{Role, Span, Visit, has_extension},
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
    let packed = visit.bytes.start()..visit.bytes.start().saturating_add(unpacked.packed_len());
    if !unpacked.is_empty() {
        visit.open(content_name(visit.name, extensions), Span::Decoded(packed, Rc::new(unpacked)), Role::File)?;
    } else if stop.is_none() {
        visit.structure(packed, "an empty stream")?;
    }
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
