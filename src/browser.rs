//! The door to JavaScript: a dropped file as a source, and the check as functions of a worker.
//!
//! Everything here runs in a dedicated worker, because only there a file can be read synchronously
//! (`FileReaderSync`) at any place.

use std::{io, ops::ControlFlow, rc::Rc};

use js_sys::{Function, Uint8Array};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, FileReaderSync};

use crate::{
    budget::{Budget, Limits, Pulse, Quiet},
    bytes::Bytes,
    check::{self, Reopened, Step},
    folder, formats,
    report::{self, Report},
    source::{Paged, Source},
    stop::{Limit, Stop},
};

/// A file of the browser.
struct Dropped {
    blob: Blob,
    reader: FileReaderSync,
    len: u64,
}

/// Pages of a file: small reads of a blob cost as much as this.
const PAGE: usize = 1 << 20;

/// Pages where a few bytes are read here and there.
const SAMPLE: usize = 4 << 10;

/// Pages kept of a file.
const KEEP: usize = 8;

impl Dropped {
    fn open(blob: Blob) -> Result<Rc<dyn Source>, JsValue> {
        Dropped::paged(blob, PAGE)
    }

    fn paged(blob: Blob, page: usize) -> Result<Rc<dyn Source>, JsValue> {
        let len = blob.size() as u64;
        let file = Dropped { blob, reader: FileReaderSync::new()?, len };
        Ok(Rc::new(Paged::new(Rc::new(file), page, KEEP)))
    }
}

impl Source for Dropped {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let end = at.saturating_add(into.len() as u64).min(self.len);
        if at >= end {
            return Ok(0);
        }
        let slice = self.blob.slice_with_f64_and_f64(at as f64, end as f64).map_err(refused)?;
        let bytes = Uint8Array::new(&self.reader.read_as_array_buffer(&slice).map_err(refused)?.into());
        let count = (bytes.length() as usize).min(into.len());
        if (count as u64) < end.saturating_sub(at) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was read"));
        }
        bytes.subarray(0, bytes.length().min(into.len() as u32)).copy_to(into.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

/// The browser says `NotReadableError` for a file that changed, vanished or may not be read.
fn refused(error: JsValue) -> io::Error {
    let name = js_sys::Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string());
    io::Error::other(match name.as_deref() {
        Some("NotReadableError") => "the browser may not read it (it changed, was removed, or permission is missing)",
        Some("NotFoundError") => "the file is no longer there",
        _ => "the browser could not read it",
    })
}

/// Calls back with (done, total); `false` cancels.
struct Callback(Function);

impl Pulse for Callback {
    fn beat(&self, done: u64, total: u64) -> ControlFlow<()> {
        let answer = self.0.call2(&JsValue::NULL, &(done as f64).into(), &(total as f64).into());
        match answer {
            Ok(answer) if answer == JsValue::FALSE => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn account(limits: JsValue, pulse: Function) -> Result<Rc<Budget>, JsValue> {
    let limits: Option<Limits> = from_js(limits)?;
    Ok(Budget::new(limits.unwrap_or_default(), Rc::new(Callback(pulse))))
}

/// Checks the structure of a file. Large ranges stay in the report's `pending`, for [`sweep`] and [`join`].
/// `limits` is an object with the [`Limits`] that are not the usual ones, or undefined.
#[wasm_bindgen]
pub fn check(name: &str, blob: Blob, pulse: Function, limits: JsValue) -> Result<JsValue, JsValue> {
    let source = Dropped::open(blob)?;
    let budget = account(limits, pulse)?;
    budget.expect(source.len());
    to_js(&check::structure(name, source, budget))
}

/// Sweeps the pending range `index` of a report, in any worker.
#[wasm_bindgen]
pub fn sweep(blob: Blob, report: JsValue, index: usize, pulse: Function, limits: JsValue) -> Result<JsValue, JsValue> {
    let report: Report = from_js(report)?;
    let budget = account(limits, pulse)?;
    budget.expect(report.pending.get(index).map_or(0, |pending| pending.len));
    to_js(&check::sweep(Dropped::open(blob)?, &report, index, budget))
}

/// The report with what [`sweep`] gave for the pending range `index`.
#[wasm_bindgen]
pub fn join(report: JsValue, index: usize, part: JsValue) -> Result<JsValue, JsValue> {
    let mut report: Report = from_js(report)?;
    report.join(index, from_js(part)?);
    to_js(&report)
}

/// Relates the reports on files that were given together: which of the files that they name are among `paths`, and what
/// headers say of files without a format of their own. Gives the reports back in their order.
#[wasm_bindgen]
pub fn relate(paths: JsValue, files: JsValue) -> Result<JsValue, JsValue> {
    let (paths, mut files): (Vec<String>, Vec<Report>) = (from_js(paths)?, from_js(files)?);
    folder::relate(paths, &mut files);
    to_js(&files)
}

/// The report on a file that could not be read: `kind` is `source`, `cancelled` or `exhausted`.
#[wasm_bindgen]
pub fn unread(path: &str, size: f64, kind: &str, message: String) -> Result<JsValue, JsValue> {
    let stop = match kind {
        "cancelled" => Stop::Cancelled,
        "exhausted" => Stop::Exhausted(Limit::Work),
        _ => Stop::source(message),
    };
    to_js(&Report::unread(path, size as u64, &stop))
}

/// Opens a layer of a report again: `way` leads there from the file (see [`check::Step`]).
fn reopened(name: &str, blob: Blob, way: JsValue) -> Result<Reopened, JsValue> {
    let way: Vec<Step> = from_js(way)?;
    // Where nothing is decoded on the way, only the bytes that are asked for are read.
    let page = if way.iter().all(|step| step.in_place) { SAMPLE } else { PAGE };
    let budget = Budget::new(Limits::default(), Rc::new(Quiet));
    check::reopen(name, Dropped::paged(blob, page)?, &way, budget).map_err(said)
}

fn said(stop: Stop) -> JsValue {
    JsValue::from_str(&stop.to_string())
}

/// At most `len` bytes of a layer from `offset` on.
#[wasm_bindgen]
pub fn peek(name: &str, blob: Blob, way: JsValue, offset: f64, len: usize) -> Result<Vec<u8>, JsValue> {
    reopened(name, blob, way)?.bytes().peek(offset as u64, len).map_err(said)
}

/// The regions of a part of a layer, as the rows of its map: at most `most`.
#[wasm_bindgen]
pub fn regions(name: &str, blob: Blob, way: JsValue, from: f64, to: f64, most: usize) -> Result<JsValue, JsValue> {
    to_js(&reopened(name, blob, way)?.regions(from as u64..to as u64, most).map_err(said)?)
}

/// How varied `sample` bytes are at each of `columns` places of a part of a layer, in bits a byte.
#[wasm_bindgen]
pub fn variety(
    name: &str,
    blob: Blob,
    way: JsValue,
    from: f64,
    to: f64,
    columns: u32,
    sample: usize,
) -> Result<Vec<f64>, JsValue> {
    reopened(name, blob, way)?.variety(from as u64..to as u64, columns, sample).map_err(said)
}

/// The SHA-256 of a file, in hexadecimal.
#[wasm_bindgen]
pub fn sha256(blob: Blob, pulse: Function) -> Result<String, JsValue> {
    whole(blob, pulse)?.sha256().map_err(said)
}

/// The SHA-512 of a file, in hexadecimal.
#[wasm_bindgen]
pub fn sha512(blob: Blob, pulse: Function) -> Result<String, JsValue> {
    whole(blob, pulse)?.sha512().map_err(said)
}

/// All of a file, to be read once.
fn whole(blob: Blob, pulse: Function) -> Result<Bytes, JsValue> {
    let source = Dropped::open(blob)?;
    let budget = Budget::new(Limits { work: u64::MAX, ..Limits::default() }, Rc::new(Callback(pulse)));
    budget.expect(source.len());
    Ok(Bytes::whole(source, budget))
}

/// Reports in one of the formats of the command.
#[wasm_bindgen]
pub fn write(files: JsValue, format: &str) -> Result<String, JsValue> {
    let files: Vec<Report> = from_js(files)?;
    report::write(&files, format).ok_or_else(|| JsValue::from_str("no such format"))
}

/// All rules.
#[wasm_bindgen]
pub fn rules() -> Result<JsValue, JsValue> {
    to_js(&formats::all_rules())
}

/// All formats.
#[wasm_bindgen]
pub fn formats() -> Result<JsValue, JsValue> {
    #[derive(Serialize)]
    struct Row {
        id: &'static str,
        name: &'static str,
        spec: &'static str,
        extensions: &'static [&'static str],
        media_types: &'static [&'static str],
    }
    let row = |format: &&'static crate::format::Format| Row {
        id: format.id,
        name: format.name,
        spec: format.spec,
        extensions: format.extensions,
        media_types: format.media_types,
    };
    to_js(&formats::FORMATS.iter().map(row).collect::<Vec<_>>())
}

/// The version of the crate.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_string()
}

/// Places stay below 2^53, so plain numbers hold them; `None` is `null`, as in the JSON contract.
fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(JsValue::from)
}

fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(JsValue::from)
}
