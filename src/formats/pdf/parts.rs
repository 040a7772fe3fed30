//! The streams: which are layers of their own, and which are values that nothing runs.

use std::{ops::Range, rc::Rc};

use super::{
    document::{Document, Key},
    object::Dictionary,
    rules,
    stream::{Content, is_image_filter},
    walk::{Part, Parts},
};
use crate::{
    bytes::Bytes,
    format::{Nature, Role, Span, Visit},
    ledger::Kind,
    quote::quoted,
    source::Stitched,
    stop::Stop,
    sweep,
};

/// Opens or claims every stream of the document.
///
/// # Errors
/// Limits, and those of source and budget.
pub(super) fn open(visit: &mut Visit<'_>, document: &Document, parts: &Parts) -> Result<(), Stop> {
    let mut told_encrypted = false;
    for index in 0..document.objects.len() {
        let Some(placed) = document.objects.get(index).filter(|placed| placed.is_stream()) else { continue };
        let data = placed.data.clone();
        let object = document.object(Key::Placed(index))?;
        let empty = Dictionary::default();
        let dictionary = object.dictionary().unwrap_or(&empty);
        let part = parts.streams.get(&index);
        if dictionary.is(b"Type", b"XRef") {
            visit.structure(data, "cross-reference stream")?;
            continue;
        }
        if let Some(scheme) = &document.encrypted {
            if !std::mem::replace(&mut told_encrypted, true) {
                visit.note(Stop::encrypted(data.start, scheme.clone()));
            }
            if let Some(Part::Attached(name)) = part {
                attached(visit, data.clone(), name)?;
            }
            visit.opaque(data, "encrypted stream")?;
            continue;
        }
        if dictionary.is(b"Type", b"ObjStm") {
            visit.structure(data, "object stream")?;
            continue;
        }
        if matches!(part, Some(Part::Form)) {
            continue;
        }
        let content = document.content(index, dictionary)?;
        visit.opaque(data.clone(), "stream")?;
        note(visit, &content, data.start);
        let number = placed.id.number;
        match part {
            Some(Part::Attached(name)) => {
                attached(visit, data.clone(), name)?;
                layer(visit, data, name.clone(), &content, Role::File)?;
            }
            None if dictionary.is(b"Type", b"EmbeddedFile") => {
                let name = format!("attachment of object {number}");
                attached(visit, data.clone(), &name)?;
                layer(visit, data, name, &content, Role::File)?;
            }
            Some(Part::Script) => {
                layer(visit, data, format!("script of object {number}"), &content, Role::Opaque("script"))?;
            }
            _ if dictionary.is(b"Type", b"Metadata") && dictionary.is(b"Subtype", b"XML") => {
                layer(visit, data, "XMP".to_string(), &content, Role::Opaque("XMP"))?;
            }
            // What stands in the file as it is, the check searches itself.
            _ if content.decoded && holds_file(&content.bytes)? => {
                layer(visit, data, format!("stream of object {number}"), &content, Role::Opaque("stream"))?;
            }
            _ => {}
        }
    }
    for form in &parts.forms {
        open_form(visit, document, form)?;
    }
    Ok(())
}

/// Notes what of a stream was not decoded.
fn note(visit: &mut Visit<'_>, content: &Content, at: u64) {
    if let Some(stop) = &content.stop {
        visit.note(stop.clone());
    }
    if let Some(filter) =
        content.left.as_ref().filter(|filter| !is_image_filter(filter) && filter.as_slice() != b"Predictor")
    {
        visit.note(Stop::unsupported(at, format!("filter {}", quoted(&String::from_utf8_lossy(filter)))));
    }
}

fn attached(visit: &mut Visit<'_>, data: Range<u64>, name: &str) -> Result<(), Stop> {
    let message = format!("The file {} is attached.", quoted(name));
    visit.find(&rules::FILE_ATTACHED, data, message)
}

fn layer(visit: &mut Visit<'_>, data: Range<u64>, name: String, content: &Content, role: Role) -> Result<(), Stop> {
    if data.is_empty() || content.bytes.is_empty() {
        return Ok(());
    }
    let span = if content.decoded { Span::Decoded(data, content.source()) } else { Span::Range(data) };
    visit.open(name, span, role)
}

/// Starts of scripts that a page may show.
const SCRIPTS: usize = 50;

/// Whether a whole file stands in what a filter was undone of. Program text there is what a page shows: no interpreter
/// finds it behind the filter.
fn holds_file(bytes: &Bytes) -> Result<bool, Stop> {
    let mut from = bytes.start();
    let mut found = false;
    for _ in 0..SCRIPTS {
        let hit = sweep::search(bytes, &(from..bytes.end()))?.hit;
        found = hit.is_some();
        match hit {
            Some(hit) if hit.format.nature == Nature::Script => from = hit.at.saturating_add(1),
            _ => break,
        }
    }
    bytes.forget();
    Ok(found)
}

/// Opens the pieces of the description of a form as one layer.
fn open_form(visit: &mut Visit<'_>, document: &Document, form: &[usize]) -> Result<(), Stop> {
    let mut contents = Vec::new();
    let mut first = None;
    for index in form {
        let Some(placed) = document.objects.get(*index).filter(|_| document.encrypted.is_none()) else { continue };
        let object = document.object(Key::Placed(*index))?;
        let content = document.content(*index, object.dictionary().unwrap_or(&Dictionary::default()))?;
        note(visit, &content, placed.data.start);
        if first.is_none() {
            first = Some(placed.data.clone());
        }
        visit.claim(placed.data.clone(), Kind::Nested, "nested file, encoded")?;
        contents.push(content.bytes);
    }
    match first {
        Some(first) => visit.open("XFA", Span::Decoded(first, Rc::new(Stitched::new(contents))), Role::Opaque("form")),
        None => Ok(()),
    }
}
