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
            Err(stop @ Stop::Malformed(_)) => {
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
    // Text tools leave a line end behind.
    let rest = bytes.from(cursor.at());
    if rest.len() <= 2 && rest.all()?.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
        visit.slack(rest.range(), "line end")?;
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
        Err(Stop::Malformed(spot)) => spot.at,
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
        visit.find_with(found.rule, found.range, found.message, found.evidence)?;
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
        Err(Stop::Malformed(spot)) => spot.at,
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
        let is_file = window.starts_with(range.start, b"PK\x03\x04")? || window.starts_with(range.start, b"\x89HDF")?;
        if (carried.is_loaded || is_file) && !carried.is_text {
            visit.open("file in a byte string", Span::Range(range), Role::File)?;
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
        for decoded in [base64_of(&text), hex_of(&text)].into_iter().flatten() {
            let decoded_bytes = Bytes::whole(Rc::new(decoded.clone()), visit.bytes.budget().clone());
            if is_program(&decoded_bytes)? {
                visit.bytes.budget().charge_inflated(decoded.len() as u64)?;
                visit.open("pickle in encoded text", Span::Decoded(range.clone(), Rc::new(decoded)), Role::File)?;
                break;
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

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::{Report, Verdict},
    };

    /// `module.name` as GLOBAL.
    fn global(module: &str, name: &str) -> Vec<u8> {
        format!("c{module}\n{name}\n").into_bytes()
    }

    /// A text as BINUNICODE.
    fn text(text: &str) -> Vec<u8> {
        [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn pickle(parts: &[&[u8]]) -> Vec<u8> {
        [b"\x80\x02", parts.concat().as_slice(), b"."].concat()
    }

    /// `module.name(argument)`
    fn call(module: &str, name: &str, argument: &str) -> Vec<u8> {
        pickle(&[&global(module, name), &text(argument), b"\x85R"])
    }

    fn rules(bytes: Vec<u8>) -> Vec<String> {
        rules_of(&checked("data.pkl", bytes)).into_iter().map(String::from).collect()
    }

    fn notes(report: &Report) -> Vec<&str> {
        report.findings.iter().map(|finding| finding.rule.as_str()).collect()
    }

    #[test]
    fn a_call_outside_the_lists_is_found_with_its_place() {
        let report = checked("data.pkl", call("posix", "system", "echo hello"));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["pickle-runs-code"]));
        let finding = &report.findings[0];
        assert_eq!((finding.offset, finding.length), (32, 1));
        assert!(finding.message.contains("posix.system, which runs a command"), "{}", finding.message);
        assert!(finding.message.contains("echo hello"), "{}", finding.message);
    }

    #[test]
    fn connections_and_ports_have_rules_of_their_own() {
        assert_eq!(rules(call("urllib2", "urlopen", "http://192.0.2.1/")), ["pickle-contacts-server"]);
        assert_eq!(rules(call("socketserver", "TCPServer", "")), ["pickle-opens-port"]);
        assert_eq!(rules(call("aiohttp.client", "ClientSession", "")), ["pickle-contacts-server"]);
    }

    #[test]
    fn every_way_to_call_is_a_call() {
        let system = global("os", "system");
        let ls = text("ls");
        for way in [
            pickle(&[&system, &ls, b"\x85R"]),
            pickle(&[b"(", &system, &ls, b"o"]),
            pickle(&[b"(", &ls, b"ios\nsystem\n"]),
            pickle(&[b"(", &system, &ls, b"o0N"]),
            [b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93", ls.as_slice(), b"\x85R."].concat(),
            // Module and name by way of a memo that is filled out of order.
            [b"\x80\x04\x8c\x06systemq\x05\x30\x8c\x02osq\x030h\x03h\x05\x93", ls.as_slice(), b"\x85R."].concat(),
        ] {
            assert_eq!(rules(way.clone()), ["pickle-runs-code"], "{way:x?}");
        }
    }

    #[test]
    fn what_an_earlier_call_gave_must_not_be_called() {
        let inner = [global("collections", "OrderedDict"), b")R".to_vec()].concat();
        assert_eq!(rules(pickle(&[&inner, &text("x"), b"\x85R"])), ["pickle-runs-code"]);
        let method = [global("builtins", "getattr"), inner, text("get"), b"\x86R".to_vec()].concat();
        assert!(checked("data.pkl", pickle(&[&method])).verdict == Verdict::JustData);
        assert_eq!(rules(pickle(&[&method, &text("x"), b"\x85R"])), ["pickle-runs-code"]);
    }

    #[test]
    fn attributes_are_taken_of_classes_and_objects_only() {
        let of = |module, name, attribute| {
            let target = global(module, name);
            rules(pickle(&[&global("builtins", "getattr"), &target, &text(attribute), b"\x86R"]))
        };
        assert!(of("uuid", "SafeUUID", "unknown").is_empty());
        assert!(of("some.package", "Color", "RED").is_empty());
        assert!(of("os", "path", "join").contains(&"pickle-runs-code".to_string()));
        assert_eq!(of("uuid", "SafeUUID", "__class__"), ["pickle-runs-code"]);
        assert_eq!(of("some.package", "module", "function"), ["pickle-runs-code"]);
    }

    #[test]
    fn values_of_the_lists_are_just_data() {
        let latin = [global("_codecs", "encode"), text("a"), text("latin1"), b"\x86R".to_vec()].concat();
        for value in [
            pickle(&[b"}q\0", &text("a"), b"K\x01s"]),
            pickle(&[&global("collections", "OrderedDict"), b")R"]),
            pickle(&[&global("datetime", "date"), b"U\x04\x07\xe9\x01\x01\x85R"]),
            pickle(&[&global("__builtin__", "set"), b"]K\x01a\x85R"]),
            pickle(&[&latin]),
            pickle(&[&global("sklearn.svm._classes", "SVC"), b")\x81}", &text("C"), b"K\x01sb"]),
            pickle(&[
                &global("copy_reg", "_reconstructor"),
                &global("sklearn.svm", "SVC"),
                &global("__builtin__", "object"),
                b"N\x87R}b",
            ]),
            pickle(&[&global("numpy", "log1p")]),
            pickle(&[&global("collections", "defaultdict"), &global("__builtin__", "list"), b"\x85R"]),
            pickle(&[&global("functools", "partial"), &global("numpy", "mean"), b"\x85R"]),
        ] {
            let report = checked("data.pkl", value.clone());
            assert_eq!(report.verdict, Verdict::JustData, "{value:x?} {report:#?}");
        }
        let zip = [global("_codecs", "encode"), text("a"), text("zip"), b"\x86R".to_vec()].concat();
        assert_eq!(rules(pickle(&[&zip])), ["pickle-runs-code"]);
    }

    #[test]
    fn classes_of_packages_are_told_by_what_happens_to_them() {
        let class = global("some.package", "Model");
        let made = checked("data.pkl", pickle(&[&class, b")\x81}", &text("w"), b"K\x01sb"]));
        assert_eq!((made.verdict, notes(&made)), (Verdict::JustData, vec!["pickle-unknown-class"]));
        let own = checked("data.pkl", pickle(&[&global("__main__", "Net"), b")\x81}b"]));
        assert_eq!((own.verdict, notes(&own)), (Verdict::JustData, vec!["pickle-unknown-class"]));
        let member = checked("data.pkl", pickle(&[&class, b"K\x01\x85R"]));
        assert_eq!((member.verdict, notes(&member)), (Verdict::JustData, vec!["pickle-unknown-class"]));
        assert_eq!(rules(pickle(&[&class, &text("file"), b"\x85R"])), ["pickle-calls-unknown-class"]);
        assert_eq!(rules(pickle(&[&global("some.package", "load"), &text("file"), b"\x85R"])), ["pickle-runs-code"]);
        assert_eq!(rules(pickle(&[&global("torch.utils.some", "Thing"), b")R"])), ["pickle-calls-unknown-class"]);
        assert_eq!(
            rules(pickle(&[&global("pandas", "ExcelFile"), &text("x.xls"), b"\x85R"])),
            ["pickle-calls-unknown-class"]
        );
    }

    #[test]
    fn functions_that_call_what_they_are_given_are_looked_through() {
        let system = global("os", "system");
        let name = text("ls");
        let generator = global("numpy.random._pickle", "__generator_ctor");
        let usual = global("numpy.random._pickle", "__bit_generator_ctor");
        assert!(rules(pickle(&[&generator, &text("PCG64"), &usual, b"\x86R"])).is_empty());
        assert_eq!(rules(pickle(&[&generator, &name, &system, b"\x86R"])), ["pickle-runs-code"]);
        assert!(rules(pickle(&[&usual, &global("numpy.random._pcg64", "PCG64"), b"\x85R"])).is_empty());
        assert_eq!(rules(pickle(&[&usual, &global("pty", "Spawn"), b"\x85R"])), ["pickle-runs-code"]);
        let built = global("copy_reg", "_reconstructor");
        let popen = global("subprocess", "Popen");
        let list = global("__builtin__", "list");
        assert!(rules(pickle(&[&built, &global("some", "List"), &list, b"]\x87R"])).is_empty());
        assert!(rules(pickle(&[&built, &popen, &popen, &name, b"\x87R"])).contains(&"pickle-runs-code".to_string()));
        let tensor = global("torch._tensor", "_rebuild_from_type_v2");
        let rest = [global("torch", "Tensor"), name.clone(), b"\x85}".to_vec()].concat();
        assert_eq!(rules(pickle(&[&tensor, b"(", &system, &rest, b"tR"])), ["pickle-runs-code"]);
        let part = [global("functools", "partial"), system.clone(), name.clone(), b"\x86R".to_vec()].concat();
        let forever = [global("__builtin__", "iter"), part, b"K\x01\x86R".to_vec()].concat();
        assert!(rules(pickle(&[&list, &forever, b"\x85R"])).contains(&"pickle-runs-code".to_string()));
    }

    #[test]
    fn a_state_that_its_class_runs_is_read() {
        let distribution = [global("scipy.stats._continuous_distns", "norm_gen"), b")\x81}".to_vec()].concat();
        let state = |template: &str| pickle(&[&distribution, &text("_parse_arg_template"), &text(template), b"sb"]);
        let honest = "\ndef _parse_args(self, a, loc=0, scale=1):\n    return (a,), loc, scale\n\n\
            def _parse_args_rvs(self, a, loc=0, scale=1, size=None):\n    return self._argcheck_rvs(a, loc, scale, size=size)\n";
        assert!(rules(state(honest)).is_empty());
        assert_eq!(rules(state("import os; os.system('ls')")), ["pickle-runs-code"]);
        let hidden = format!("{honest}    return (os.system('ls'),), 1\n");
        assert_eq!(rules(state(&hidden)), ["pickle-runs-code"]);
        let default = "def _parse_args(self, a=os.system('ls')):\n    return (a,), 1\n";
        assert_eq!(rules(state(default)), ["pickle-runs-code"]);
    }

    #[test]
    fn a_mention_is_less_than_a_call() {
        assert_eq!(rules(pickle(&[&global("os", "system")])), ["pickle-refers-to-code"]);
        assert_eq!(rules(pickle(&[&global("ast", "parse")])), ["pickle-refers-to-code"]);
        let dotted = b"\x80\x04\x8c\x0a__future__\x8c\x0f_ssl.RAND_bytes\x93.";
        assert_eq!(rules(dotted.to_vec()), ["pickle-refers-to-code"]);
        assert!(rules(pickle(&[&global("collections.abc", "Iterable")])).is_empty());
    }

    #[test]
    fn changing_the_program_is_found() {
        let key = [text("__setstate__"), global("os", "system")].concat();
        let model = [global("some.package", "Model"), b")\x81".to_vec()].concat();
        assert!(
            rules(pickle(&[&model, b"}", &key, b"sb", &text("ls"), b"b"]))
                .contains(&"pickle-alters-program".to_string())
        );
        assert_eq!(
            rules(pickle(&[&global("torch", "Tensor"), b"}", &text("a"), b"K\x01sb"])),
            ["pickle-alters-program"]
        );
        assert!(
            rules(pickle(&[&global("sys", "modules"), &text("os"), b"Ns"]))
                .contains(&"pickle-alters-program".to_string())
        );
    }

    #[test]
    fn names_that_are_computed_are_found() {
        let os = [global("builtins", "str"), text("os"), b"\x85R".to_vec()].concat();
        let found = rules([b"\x80\x04", os.as_slice(), &text("system"), b"\x93", &text("ls"), b"\x85R."].concat());
        assert!(found.contains(&"pickle-computed-name".to_string()), "{found:?}");
        assert!(found.contains(&"pickle-runs-code".to_string()), "{found:?}");
        let number = checked("data.pkl", b"\x80\x04K\x01\x8c\x06system\x93.");
        assert_eq!(number.verdict, Verdict::Unfinished);
    }

    #[test]
    fn what_broke_after_a_call_keeps_its_finding() {
        let mut broken = call("posix", "system", "echo hello");
        broken.pop();
        broken.extend(b"\xff\xfe garbage");
        let report = checked("model.bin", broken);
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["pickle-runs-code"]));
        assert_eq!(report.layers[0].stops[0].message, "expected an opcode at 0x21");
    }

    #[test]
    fn pickles_behind_each_other_are_all_read() {
        let plain = pickle(&[b"K\x01"]);
        let both = [plain.clone(), call("posix", "system", "ls")].concat();
        assert_eq!(rules(both), ["pickle-runs-code"]);
        assert_eq!(checked("data.pkl", [plain.clone(), plain.clone()].concat()).verdict, Verdict::JustData);
        assert_eq!(rules([plain, b"left over".to_vec()].concat()), ["unexplained-bytes"]);
    }

    #[test]
    fn frames_are_followed() {
        let framed = |len: u64, body: &[u8]| [b"\x80\x04\x95", &len.to_le_bytes()[..], body].concat();
        assert_eq!(checked("data.pkl", framed(4, b"]K\x01a.")).verdict, Verdict::JustData);
        assert_eq!(rules(framed(3, b"C\x04abcd.")), ["pickle-straddles-frame"]);
        assert_eq!(rules(framed(20, &framed(1, b"N.")[2..])), ["pickle-straddles-frame"]);
        assert_eq!(checked("data.pkl", framed(40, b"].")).verdict, Verdict::Unfinished);
    }

    #[test]
    fn program_code_is_found() {
        let made = pickle(&[&global("cloudpickle.cloudpickle", "_make_function"), b")R"]);
        assert_eq!(rules(made.clone()), ["pickle-carries-program-code"]);
        assert_eq!(
            rules([&made[..made.len() - 1], b")R."].concat()),
            ["pickle-runs-code", "pickle-carries-program-code"]
        );
        assert!(rules(pickle(&[&text("def f():\n    import os; os.system('ls')\n")])).is_empty());
    }

    #[test]
    fn a_pickle_in_a_string_is_read() {
        use base64::Engine;
        let evil = call("posix", "system", "echo hello");
        let digits = base64::engine::general_purpose::STANDARD.encode(&evil);
        let hex: String = evil.iter().map(|byte| format!("{byte:02x}")).collect();
        for inner in [text(&digits), text(&hex), [b"B", &(evil.len() as u32).to_le_bytes()[..], &evil].concat()] {
            assert_eq!(rules(pickle(&[&inner])), ["pickle-runs-code"]);
        }
        let plain = base64::engine::general_purpose::STANDARD.encode(pickle(&[b"}", &text("key"), b"K\x01s"]));
        assert!(rules(pickle(&[&text(&plain)])).is_empty());
        // What is loaded is opened, whatever it is.
        let load = |content: &[u8]| {
            let bytes = [b"B", &(content.len() as u32).to_le_bytes()[..], content].concat();
            pickle(&[&global("torch.storage", "_load_from_bytes"), &bytes, b"\x85R"])
        };
        assert_eq!(rules(load(&evil)), ["pickle-runs-code"]);
        assert_eq!(checked("data.pkl", load(&pickle(&[b"K\x01"]))).verdict, Verdict::JustData);
        assert_eq!(checked("data.pkl", load(b"\x01\x02\x03\0")).verdict, Verdict::Unfinished);
    }

    /// A pickle of joblib with an array of one row of `values` between its opcodes.
    fn joblib(dtype: &str, count: u8, values: &[u8], rest: &[u8]) -> Vec<u8> {
        let dtype = [global("numpy", "dtype"), text(dtype), b"\x85R".to_vec()].concat();
        let state = [b"}(", text("shape").as_slice(), b"K", &[count], b"\x85", &text("dtype"), &dtype, b"ub"].concat();
        [b"\x80\x02(", global("joblib.numpy_pickle", "NumpyArrayWrapper").as_slice(), b")\x81", &state, values, rest]
            .concat()
    }

    #[test]
    fn joblib_arrays_stand_between_opcodes() {
        let plain = checked("model.joblib", joblib("f8", 2, &[0xee; 16], b"l."));
        assert_eq!((plain.verdict, plain.layers[0].coverage.opaque), (Verdict::JustData, 16), "{plain:#?}");
        let tail = [&global("posix", "system")[..], &text("ls"), b"\x85Rl."].concat();
        assert_eq!(rules(joblib("f8", 2, &[0xee; 16], &tail)), ["pickle-runs-code"]);
        assert_eq!(rules(joblib("O", 2, &call("posix", "system", "ls"), b"l.")), ["pickle-runs-code"]);
        assert_eq!(checked("model.joblib", joblib("O", 2, &pickle(&[b"]"]), b"l.")).verdict, Verdict::JustData);
        assert_eq!(checked("model.joblib", joblib("f8", 200, &[0xee; 16], b"l.")).verdict, Verdict::Unfinished);
        assert_eq!(checked("model.joblib", joblib("X9", 2, &[0xee; 16], b"l.")).verdict, Verdict::Unfinished);
    }

    #[test]
    fn array_values_that_are_opcodes_to_the_plain_reader_are_found() {
        let mut values = [&global("posix", "system")[..], &text("ls"), b"\x85R"].concat();
        let count = values.len().div_ceil(8);
        values.resize(count * 8, b'0');
        assert_eq!(rules(joblib("f8", count as u8, &values, b"l.")), ["pickle-runs-code"]);
    }

    /// PyTorch's five pickles and one storage of two floats.
    fn torch(object: &[u8], storages: &[u8]) -> Vec<u8> {
        let head = [super::torch_legacy::MAGIC, b"\x80\x02M\xe9\x03.", b"\x80\x02}."].concat();
        [head.as_slice(), object, b"\x80\x02]X\x01\0\0\x000a.", storages].concat()
    }

    fn tensor() -> Vec<u8> {
        let rebuild = global("torch._utils", "_rebuild_tensor_v2");
        let (kind, class) = (text("storage"), global("torch", "FloatStorage"));
        let storage = [b"(", &kind[..], &class, &text("0"), &text("cpu"), b"K\x02NtQ"].concat();
        let hooks = global("collections", "OrderedDict");
        pickle(&[&rebuild, b"(", &storage, b"K\0K\x02\x85K\x01\x85\x89", &hooks, b")RtR"])
    }

    #[test]
    fn storages_of_old_pytorch_files_stand_behind_five_pickles() {
        let storage = [&2u64.to_le_bytes()[..], &[0xaa; 8]].concat();
        let report = checked("m.pt", torch(&tensor(), &storage));
        assert_eq!((report.verdict, report.layers[0].coverage.opaque), (Verdict::JustData, 8), "{report:#?}");
        assert_eq!(
            rules_of(&checked("m.pt", torch(&tensor(), &[&storage[..], b"more"].concat()))),
            ["unexplained-bytes"]
        );
        assert_eq!(checked("m.pt", torch(&tensor(), &storage[..12])).verdict, Verdict::Unfinished);
        assert_eq!(rules_of(&checked("m.pt", torch(&call("posix", "system", "ls"), &storage))), ["pickle-runs-code"]);
    }

    #[test]
    fn setting_items_of_a_tensor_is_found() {
        let mut tensor = tensor();
        tensor.pop();
        assert_eq!(rules([&tensor[..], b"K\x01K\x02s."].concat()), ["pickle-alters-tensor"]);
    }

    #[test]
    fn a_value_that_explodes_is_found() {
        let mut laughs = b"\x80\x02]q\0".to_vec();
        for level in 1..12u8 {
            laughs.extend([b"]q".as_slice(), &[level], b"("].concat());
            laughs.extend([b'h', level - 1].repeat(10));
            laughs.extend(b"e");
        }
        laughs.extend(b".");
        assert_eq!(rules(laughs), ["pickle-expands"]);
        let cycle = pickle(&[b"]q\0", &b"h\0a".repeat(200)]);
        assert_eq!(checked("data.pkl", cycle).verdict, Verdict::JustData);
        let shared = pickle(&[b"]q\0]", &b"h\0a".repeat(200)]);
        assert_eq!(checked("data.pkl", shared).verdict, Verdict::JustData);
    }

    #[test]
    fn what_python_refuses_is_unfinished() {
        for damaged in [
            pickle(&[b"}q\0h\0K\x01s"]),
            pickle(&[b"K\x01K\x02a"]),
            pickle(&[b"h\x07"]),
            pickle(&[b"K\x01u"]),
            pickle(&[b"K\x01K\x02\x85R"]),
            pickle(&[b"K\x01}b"]),
        ] {
            let report = checked("data.pkl", damaged.clone());
            assert_eq!(report.verdict, Verdict::Unfinished, "{damaged:x?}");
        }
    }

    #[test]
    fn a_pickle_hidden_in_another_file_is_found() {
        let evil = call("posix", "system", "echo hello");
        let hidden =
            [b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0".to_vec(), b"rest of it ".to_vec(), evil].concat();
        assert!(rules_of(&checked("a.gz", hidden)).contains(&"pickle-runs-code"));
        // Numbers that happen to begin like one.
        let values: Vec<u8> = (0..4000u32).flat_map(|n| [0x80, 2 + (n % 4) as u8, b'c', (n % 251) as u8]).collect();
        let report = checked("a.gz", [b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0".to_vec(), values].concat());
        assert_eq!(rules_of(&report), ["unexplained-bytes"]);
    }

    #[test]
    fn a_cut_is_never_just_data() {
        let samples = [
            joblib("f8", 2, &[0xee; 16], b"l."),
            torch(&tensor(), &[&2u64.to_le_bytes()[..], &[0xaa; 8]].concat()),
            call("posix", "system", "echo hello"),
            [b"\x80\x04\x95\x05\0\0\0\0\0\0\0]K\x01a.".to_vec()].concat(),
        ];
        for sample in samples {
            for len in 1..sample.len() {
                let report = checked("data.bin", &sample[..len]);
                // A pickle that happens to end there is whole, and a lone byte is text.
                let whole = sample[..len].ends_with(b".") || report.layers[0].formats == ["text"];
                assert!(report.verdict != Verdict::JustData || whole, "cut at {len}: {report:#?}");
            }
        }
    }

    #[test]
    fn one_byte_wrong_never_panics() {
        let sample = [joblib("f8", 2, &[0xee; 16], b"l."), torch(&tensor(), &[])].concat();
        for at in 0..sample.len() {
            for value in [0, b'(', b'R', b'b', 0x81, 0x93, 0xff] {
                let mut changed = sample.clone();
                changed[at] = value;
                checked("data.pkl", changed);
            }
        }
    }
}
