//! Pickle: Python objects as a program for a small stack machine.
//!
//! Specification: `Lib/pickletools.py` of CPython, which documents all 68 opcodes; PEP 307, PEP 3154, PEP 574.
//!
//! ```text
//! file    = pickle+                                  one behind the other: PyTorch's old files have five
//! pickle  = [ 80 protocol ] [ 95 frame length 8 ] opcode* '.'
//! opcode  = code 1, argument
//! joblib  : behind the state of a NumpyArrayWrapper: [ n 1, padding n ] values, then opcodes go on
//! PyTorch : behind the fifth pickle: for every storage: count 8, values
//! ```
//! To open a pickle is to run it. Names are imported (GLOBAL, STACK_GLOBAL, INST, EXT), called (REDUCE, INST, OBJ),
//! instantiated (NEWOBJ) and given a state (BUILD), all with values from the file. The reader runs the same machine
//! on symbols and judges every import by the role that it plays: see [`crate::python_names`].

mod judge;
mod machine;
mod opcodes;
mod rules;
mod torch_legacy;

use std::{ops::Range, rc::Rc};

use base64::{Engine, engine::general_purpose::STANDARD};
pub use judge::{ElementType, element_type};
use machine::{Array, Carried, Log, Machine, Step};
use opcodes::Argument;

use crate::{
    bytes::{Bytes, Cursor, DOOR},
    format::{Buried, Candidate, Format, Mark, Nature, Origin, Role, Span, Visit},
    stop::Stop,
};

/// Pickle with the mark of protocol 2 and later.
pub static FORMAT: Format = Format {
    id: "pickle",
    name: "Python pickle",
    spec: "https://docs.python.org/3/library/pickletools.html",
    extensions: EXTENSIONS,
    media_types: &[],
    marks: &[Mark::start(b"\x80\x02"), Mark::start(b"\x80\x03"), Mark::start(b"\x80\x04"), Mark::start(b"\x80\x05")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm_buried),
    nature: Nature::Data,
    within: None,
    rules: rules::ALL,
};

/// File names that promise a pickle; PyTorch's old files are pickles too.
pub(super) const EXTENSIONS: &[&str] =
    &["pkl", "pickle", "pck", "pcl", "p", "dill", "cloudpickle", "joblib", "pt", "pth", "ckpt"];

/// Opcodes that are looked at to recognise a pickle.
const LOOK: u64 = 4096;

/// Opcodes that a buried pickle may have.
const BURIED: u64 = 1 << 20;

/// Pickles behind each other in one file.
const STREAMS: usize = 10_000;

/// What the first opcodes look like.
pub(super) struct Survey {
    pub opcodes: u64,
    pub calls: u64,
    /// Names that could be imported.
    pub imports: usize,
    /// Names that could not.
    pub misnomers: usize,
    /// Behind STOP.
    pub stopped: Option<u64>,
    /// Where and why it broke.
    pub broke: Option<Stop>,
    /// Whether a call or an import was judged as more than a note.
    pub is_bad: bool,
}

/// Runs at most `most` opcodes from the start of `bytes`.
///
/// # Errors
/// Those of source and budget; damage is an answer.
pub(super) fn survey(bytes: &Bytes, most: u64) -> Result<Survey, Stop> {
    let mut machine = Machine::new(bytes.clone(), bytes.start());
    let mut cursor = bytes.cursor();
    let (mut stopped, mut broke) = (None, None);
    while machine.log.opcodes < most {
        match machine.step(&mut cursor) {
            Ok((_, Step::Went)) => {}
            Ok((_, Step::Stopped)) => {
                stopped = Some(cursor.at());
                break;
            }
            // What follows is not a program any more: enough was seen.
            Ok((_, Step::Array(_))) => break,
            Err(stop @ Stop::Malformed { .. }) => {
                broke = Some(stop);
                break;
            }
            Err(stop) => return Err(stop),
        }
    }
    let imports = machine.names.iter().filter(|named| named.name.is_importable()).count();
    let misnomers = machine.names.len().saturating_sub(imports);
    let weighs = |found: &machine::Found| found.rule.severity != crate::rule::Severity::Note;
    let is_bad = machine.log.found.iter().any(weighs);
    let Log { opcodes, calls, .. } = machine.log;
    Ok(Survey { opcodes, calls, imports, misnomers, stopped, broke, is_bad })
}

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let named = candidate.is_named(EXTENSIONS);
    let survey = survey(candidate.bytes, LOOK)?;
    let end = candidate.bytes.end();
    Ok(match (survey.stopped, &survey.broke) {
        (Some(stopped), _) => {
            let next = candidate.bytes.peek(stopped, 2)?;
            let another = matches!(next.as_slice(), [opcodes::PROTO, ..=opcodes::HIGHEST]);
            stopped == end || another || named || survey.imports > 0 || survey.opcodes > 5
        }
        (None, Some(broke)) => {
            let cut = broke.at().is_some_and(|at| at.saturating_add(9) >= end);
            let sound = survey.misnomers == 0;
            (survey.imports > 0 && sound)
                || named && survey.opcodes > 1
                || survey.opcodes > 8
                || cut && survey.opcodes > 2
        }
        (None, None) => true,
    })
}

/// In the middle of other bytes: a whole pickle that imports and calls something.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(3)?;
    let opens = matches!(
        head.get(2),
        Some(
            &(opcodes::GLOBAL
                | opcodes::FRAME
                | opcodes::MARK
                | opcodes::EMPTY_LIST
                | opcodes::EMPTY_DICT
                | opcodes::EMPTY_TUPLE
                | opcodes::BINUNICODE
                | opcodes::SHORT_BINUNICODE
                | opcodes::UNICODE
                | opcodes::STRING
                | opcodes::SHORT_BINSTRING
                | opcodes::BINSTRING
                | opcodes::NONE
                | opcodes::BININT1)
        )
    );
    Ok(opens && is_whole_program(&survey(candidate.bytes, BURIED)?))
}

/// Whether a survey reached STOP over an import and a call.
pub(super) fn is_whole_program(survey: &Survey) -> bool {
    survey.stopped.is_some() && survey.imports > 0 && survey.misnomers == 0 && survey.calls > 0
}

/// Reads one pickle behind the other.
///
/// # Errors
/// Damage with its place, and those of source and budget.
pub(super) fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let bytes = visit.bytes.clone();
    let mut cursor = bytes.cursor();
    let mut torch = torch_legacy::Progress::new(&bytes)?;
    for _ in 0..STREAMS {
        let start = cursor.at();
        let log = read_stream(visit, &mut cursor, torch.wants_texts())?;
        if torch.pass(&bytes, log)? {
            torch.read_storages(visit, &mut cursor)?;
        }
        if cursor.is_empty() || !goes_on(visit, cursor.at())? || cursor.at() == start {
            break;
        }
    }
    Ok(())
}

/// Whether another pickle begins at `at`.
fn goes_on(visit: &Visit<'_>, at: u64) -> Result<bool, Stop> {
    let rest = visit.bytes.from(at);
    let survey = survey(&rest, LOOK)?;
    let marked = rest.peek(at, 2)?.first() == Some(&opcodes::PROTO);
    let whole = is_whole_program(&survey);
    if matches!(visit.origin, Origin::Hidden | Origin::Opaque) {
        return Ok(marked && whole);
    }
    let sound = survey.misnomers == 0;
    let broken = survey.broke.is_some();
    Ok(whole
        || (survey.imports > 0 && sound && (marked || survey.calls > 0))
        || (survey.stopped == Some(rest.end()) && (marked || survey.opcodes > 1))
        || (marked && !broken))
}

/// Reads one pickle: its program, what it carries, and joblib's arrays between its opcodes.
fn read_stream(visit: &mut Visit<'_>, cursor: &mut Cursor, wants_texts: bool) -> Result<Log, Stop> {
    let bytes = visit.bytes.clone();
    let start = cursor.at();
    let mut machine = Machine::new(bytes.clone(), start);
    machine.log.texts = wants_texts.then(Vec::new);
    let mut books = Books { claimed: start, opaque: 0 };
    let ended = loop {
        match machine.step(cursor) {
            Ok((opcode, step)) => {
                if let Argument::Payload(range) = &opcode.argument
                    && books.wants(&bytes, opcode.code, range)?
                {
                    books.opaque(visit, range)?;
                }
                report(visit, &mut machine.log)?;
                match step {
                    Step::Went => {}
                    Step::Stopped => break Ok(()),
                    Step::Array(array) => {
                        books.structure(visit, cursor.at())?;
                        if let Err(stop) = read_array(visit, cursor, &mut machine.log, array) {
                            break Err(stop);
                        }
                        books.claimed = cursor.at();
                    }
                }
            }
            Err(stop) => break Err(stop),
        }
    };
    // What stands before the place that broke was read, and its findings hold.
    let end = match &ended {
        Err(Stop::Malformed { at, .. }) => *at,
        _ => cursor.at(),
    };
    books.structure(visit, end.max(books.claimed))?;
    machine.finish(end)?;
    report(visit, &mut machine.log)?;
    open_carried(visit, &machine.log.carried)?;
    ended?;
    Ok(machine.log)
}

fn report(visit: &mut Visit<'_>, log: &mut Log) -> Result<(), Stop> {
    for found in log.found.drain(..) {
        visit.find(found.rule, found.range, found.message)?;
    }
    for stop in log.stops.drain(..) {
        visit.note(stop);
    }
    Ok(())
}

/// Who owns the bytes of a stream: opcodes and text are structure, long byte strings opaque.
struct Books {
    claimed: u64,
    opaque: usize,
}

/// A byte string from here on is claimed by itself, while there are not too many.
const LONG: u64 = 64;
const MANY: usize = 1 << 17;

impl Books {
    fn wants(&self, bytes: &Bytes, code: u8, range: &Range<u64>) -> Result<bool, Stop> {
        let len = range.end.saturating_sub(range.start);
        if len < LONG || (self.opaque > MANY && len < LONG << 10) || code == opcodes::STRING || code == opcodes::UNICODE
        {
            return Ok(false);
        }
        let head = bytes.peek(range.start, usize::try_from(len.min(4096)).unwrap_or(0))?;
        // A text is read; what only says that it is one, is not.
        Ok(match str::from_utf8(&head) {
            Ok(_) => {
                matches!(code, opcodes::BINBYTES | opcodes::BINBYTES8 | opcodes::SHORT_BINBYTES | opcodes::BYTEARRAY8)
            }
            Err(error) => error.valid_up_to().saturating_add(4) <= head.len() || len < 4096,
        })
    }

    fn opaque(&mut self, visit: &mut Visit<'_>, range: &Range<u64>) -> Result<(), Stop> {
        self.structure(visit, range.start)?;
        visit.opaque(range.clone(), "byte string")?;
        self.claimed = range.end;
        self.opaque = self.opaque.saturating_add(1);
        Ok(())
    }

    fn structure(&mut self, visit: &mut Visit<'_>, to: u64) -> Result<(), Stop> {
        visit.structure(self.claimed..to, "opcodes")?;
        self.claimed = to;
        Ok(())
    }
}

/// joblib: the values of an array between two opcodes.
fn read_array(visit: &mut Visit<'_>, cursor: &mut Cursor, log: &mut Log, array: Array) -> Result<(), Stop> {
    let at = cursor.at();
    if array.is_object {
        // joblib writes the objects as a pickle of their own, and reads it with the plain reader.
        let inner = read_plain(visit, cursor)?;
        log.carried.extend(inner.carried);
        return Ok(());
    }
    // A plain reader does not know of the array and runs its bytes.
    let survey = survey(&visit.bytes.from(at), LOOK)?;
    if survey.calls > 0 && survey.misnomers == 0 && survey.is_bad {
        let message = "To pickle.load the bytes of this array are opcodes that call a function; only joblib.load takes them for values.";
        visit.find(&rules::RUNS_CODE, at..at.saturating_add(1), message)?;
    }
    if array.is_aligned {
        let pad = cursor.u8("the length of the padding")?;
        visit.structure(at..cursor.at(), "length of padding")?;
        let pad = cursor.take(u64::from(pad), "padding")?;
        visit.slack(pad.range(), "padding")?;
    }
    let len =
        array.len.ok_or(Stop::unsupported(cursor.at(), "an array of a dtype whose size does not stand in the file"))?;
    let values = cursor.take(len, "the values of the array")?;
    visit.opaque(values.range(), "array values")
}

/// A pickle inside a stream, which has no arrays of its own between its opcodes.
fn read_plain(visit: &mut Visit<'_>, cursor: &mut Cursor) -> Result<Log, Stop> {
    let start = cursor.at();
    let mut machine = Machine::new(visit.bytes.clone(), start);
    let ended = loop {
        match machine.step(cursor) {
            Ok((_, Step::Stopped)) => break Ok(()),
            Ok(_) => report(visit, &mut machine.log)?,
            Err(stop) => break Err(stop),
        }
    };
    let end = match &ended {
        Err(Stop::Malformed { at, .. }) => *at,
        _ => cursor.at(),
    };
    visit.structure(start..end.max(start), "opcodes of an object array")?;
    machine.finish(end)?;
    report(visit, &mut machine.log)?;
    ended?;
    Ok(machine.log)
}

/// Opens strings that are pickles, as they stand or in digits of base64 or hexadecimal.
fn open_carried(visit: &mut Visit<'_>, carried: &[Carried]) -> Result<(), Stop> {
    for carried in carried {
        let range = carried.range.clone();
        let window = visit.bytes.window(range.clone());
        if carried.is_loaded && !carried.is_text {
            visit.open("bytes that are loaded", Span::Range(range), Role::File)?;
            continue;
        }
        if window.len() > DOOR as u64 {
            continue;
        }
        let is_program = |bytes: &Bytes| -> Result<bool, Stop> {
            let survey = survey(bytes, BURIED)?;
            Ok(is_whole_program(&survey) && survey.stopped == Some(bytes.end()))
        };
        if is_program(&window)? {
            visit.open("pickle in a byte string", Span::Range(range), Role::File)?;
            continue;
        }
        let text = window.all()?;
        if let Some(decoded) = base64_of(&text).or_else(|| hex_of(&text)) {
            let decoded_bytes = Bytes::whole(Rc::new(decoded.clone()), visit.bytes.budget().clone());
            if is_program(&decoded_bytes)? {
                visit.bytes.budget().charge_inflated(decoded.len() as u64)?;
                visit.open("pickle in encoded text", Span::Decoded(range, Rc::new(decoded)), Role::File)?;
            }
        }
    }
    Ok(())
}

fn base64_of(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(&digits).ok()
}

fn hex_of(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(u8::try_from(digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?).ok()?),
            _ => None,
        })
        .collect()
}
