//! The machine that a pickle is a program for, run on symbols: nothing is imported, called or built.
//!
//! Specification: `Lib/pickle.py` and `Lib/pickletools.py` of CPython.
//!
//! ```text
//! stack   values, cut by marks      memo   values by number      frame   bytes that belong together (protocol 4)
//! ```
//! A value is kept only as far as a judgement may need it: names, calls, the first items of tuples, a few keys of
//! dictionaries. Every call is an effect, whatever becomes of its result.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
};

use super::{
    opcodes::{self as op, Argument, Opcode, text_of},
    rules::{ALTERS_PROGRAM, ALTERS_TENSOR, COMPUTED_NAME, EXPANDS, EXTENSION_REGISTRY, STRADDLES_FRAME},
};
use crate::{
    bytes::{Bytes, Cursor},
    python_names::{PythonName, Standing},
    rule::Rule,
    sorting,
    stop::Stop,
};

/// The most values on the stack, in the memo, and containers and results altogether.
const MOST: usize = 1 << 22;

/// Opcodes up to a finding that are shown with it.
const SHOWN: usize = 16;

/// Items of a tuple that are kept: NumPy allows 64 dimensions.
const KEPT: usize = 64;

/// The machine between two opcodes.
pub(super) struct Machine {
    pub(super) bytes: Bytes,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Memo,
    nodes: Vec<Node>,
    items: Vec<Value>,
    tables: Vec<Table>,
    pub(super) names: Vec<Named>,
    name_index: HashMap<PythonName, u32>,
    /// The place behind the frame.
    frame: Option<u64>,
    /// What holds what, container by container, as often as it does.
    edges: Vec<(u32, u32)>,
    /// Whether a container was used more than once.
    repeats: bool,
    start: u64,
    /// The last opcodes, for evidence.
    recent: VecDeque<Opcode>,
    pub(super) log: Log,
}

/// What a run leaves behind.
#[derive(Default)]
pub(super) struct Log {
    pub found: Vec<Found>,
    /// Findings that were already reported, by rule and name.
    pub told: std::collections::HashSet<(&'static str, String)>,
    /// Opcodes read.
    pub opcodes: u64,
    /// Names imported.
    pub imports: u64,
    /// Calls of any kind.
    pub calls: u64,
    /// Strings that may carry a file of their own.
    pub carried: Vec<Carried>,
    /// Element sizes and counts of PyTorch storages by key.
    pub storages: HashMap<String, (u64, u64)>,
    /// Short texts of the stream, in their order, where somebody asked for them.
    pub texts: Option<Vec<Range<u64>>>,
    /// What was not understood although the machine goes on.
    pub stops: Vec<Stop>,
}

/// A finding with its place.
pub(super) struct Found {
    pub rule: &'static Rule,
    pub range: Range<u64>,
    pub message: String,
    /// The disassembly of the opcodes that lead to it.
    pub evidence: Option<String>,
}

/// A string that may carry a file of its own.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    pub range: Range<u64>,
    /// The opcode makes text, not bytes.
    pub is_text: bool,
    /// A call loads it, so it must be of a known format.
    pub is_loaded: bool,
}

/// A name that the pickle imports.
pub(super) struct Named {
    pub name: PythonName,
    /// The first opcode that imports it.
    pub range: Range<u64>,
    pub standing: Standing,
    /// Whether it was called or instantiated; what was not is only mentioned.
    pub is_used: bool,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// `None`, a truth value, a fraction, a large number.
    Literal,
    Number(i64),
    Text(Words),
    Bytes(Words),
    Node(u32),
}

/// Where a string stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Words {
    pub at: u64,
    pub len: u32,
    pub key: Key,
}

impl Words {
    pub(super) fn range(self) -> Range<u64> {
        self.at..self.at.saturating_add(u64::from(self.len))
    }
}

/// Keys of a state that mean something here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key {
    Other,
    /// `__setstate__`: called by the next BUILD if an instance carries it.
    SetState,
    Shape,
    Dtype,
    /// `numpy_array_alignment_bytes`
    Alignment,
    /// `_parse_arg_template`: SciPy's distributions run it as code when they get their state.
    Template,
}

/// A value with something to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Node {
    Name(u32),
    List,
    Set,
    FrozenSet,
    Dict {
        table: u32,
    },
    Tuple {
        first: u32,
        kept: u8,
        len: u32,
    },
    /// An object of a class that may be given a state.
    Instance {
        class: u32,
    },
    /// What a call of an allowed name gave.
    Result,
    /// What a call gave that must not be called in its turn: a bound method, a partial function, an attribute.
    Callable,
    /// A class made from code in the file.
    CarriedClass,
    /// A function or a module made from code in the file.
    CarriedCode,
    /// A NumPy dtype; `size` is `u64::MAX` where it is not known.
    Dtype {
        size: u64,
        is_object: bool,
    },
    Tensor,
    /// What only the loading program knows: a persistent object, a buffer, a registered extension.
    Foreign,
}

/// The keys of a dictionary that mean something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Table {
    pub set_state: bool,
    pub shape: Option<Value>,
    pub dtype: Option<Value>,
    pub alignment: bool,
    pub template: Option<Value>,
}

const NO_TABLE: u32 = u32::MAX;

/// The memo: numbered one behind the other by every honest writer.
#[derive(Default)]
struct Memo {
    dense: Vec<Value>,
    sparse: HashMap<u64, Value>,
}

impl Memo {
    fn len(&self) -> usize {
        self.dense.len().saturating_add(self.sparse.len())
    }

    fn fetch(&self, number: u64) -> Option<Value> {
        let dense = usize::try_from(number).ok().and_then(|number| self.dense.get(number));
        dense.or_else(|| self.sparse.get(&number)).copied()
    }

    fn store(&mut self, number: u64, value: Value) {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let next = place == self.dense.len() && !self.sparse.contains_key(&number);
        match self.dense.get_mut(place) {
            Some(entry) => *entry = value,
            None if next => self.dense.push(value),
            None => {
                self.sparse.insert(number, value);
            }
        }
    }
}

/// What an opcode led to.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Went,
    /// STOP: the pickle ends behind it.
    Stopped,
    /// joblib: the raw values of an array follow.
    Array(Array),
}

/// The array that joblib writes behind its wrapper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Array {
    /// A length byte and as many bytes of padding come first.
    pub is_aligned: bool,
    /// Bytes of values; `None` where the dtype is not understood.
    pub len: Option<u64>,
    /// The values are a pickle of their own.
    pub is_object: bool,
}

impl Machine {
    pub(super) fn new(bytes: Bytes, start: u64) -> Self {
        Machine {
            bytes,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
            nodes: Vec::new(),
            items: Vec::new(),
            tables: Vec::new(),
            names: Vec::new(),
            name_index: HashMap::new(),
            frame: None,
            edges: Vec::new(),
            repeats: false,
            start,
            recent: VecDeque::with_capacity(SHOWN),
            log: Log::default(),
        }
    }

    /// Runs the opcode at the cursor.
    pub(super) fn step(&mut self, cursor: &mut Cursor) -> Result<(Opcode, Step), Stop> {
        let opcode = Opcode::read(cursor)?;
        self.log.opcodes = self.log.opcodes.saturating_add(1);
        if self.recent.len() == SHOWN {
            self.recent.pop_front();
        }
        self.recent.push_back(opcode.clone());
        self.watch_frame(&opcode)?;
        let step = self.run(&opcode)?;
        if self.stack.len() > MOST || self.memo.len() > MOST || self.nodes.len() > MOST || self.items.len() > MOST {
            return Err(Stop::unsupported(opcode.range.start, "a pickle of more than four million objects"));
        }
        Ok((opcode, step))
    }

    /// What only the end of a stream tells: names that were only mentioned, and sizes.
    pub(super) fn finish(&mut self, end: u64) -> Result<(), Stop> {
        for index in 0..self.names.len() {
            self.judge_mention(index);
        }
        let len = end.saturating_sub(self.start);
        if let Some(size) = self.expanded().filter(|size| *size > 10_000_000 && *size / 1000 > len) {
            let message =
                format!("{len} bytes describe a value of more than {size} elements, by repeating references.");
            self.find(&EXPANDS, self.start..end, message);
        }
        Ok(())
    }

    /// Reports once for a rule and a subject.
    pub(super) fn find_once(&mut self, rule: &'static Rule, subject: &str, range: Range<u64>, message: String) {
        if self.log.told.len() < 10_000 && self.log.told.insert((rule.id, subject.to_string())) {
            let evidence = self.disassembled(&range);
            self.log.found.push(Found { rule, range, message, evidence });
        }
    }

    /// The opcodes up to the present one, if that is what stands at `range`.
    fn disassembled(&self, range: &Range<u64>) -> Option<String> {
        self.recent.back().filter(|opcode| opcode.range == *range)?;
        let lines: Result<Vec<String>, Stop> =
            self.recent.iter().map(|opcode| opcode.disassembled(&self.bytes)).collect();
        lines.ok().map(|lines| lines.join("\n"))
    }

    pub(super) fn find(&mut self, rule: &'static Rule, range: Range<u64>, message: String) {
        let subject = format!("{range:?}");
        self.find_once(rule, &subject, range, message);
    }

    fn watch_frame(&mut self, opcode: &Opcode) -> Result<(), Stop> {
        let range = &opcode.range;
        if let Some(end) = self.frame.filter(|end| range.start < *end) {
            if opcode.code == op::FRAME {
                let message = "A frame starts inside a frame: Python's two readers disagree on what follows.";
                self.find_once(&STRADDLES_FRAME, "", range.clone(), message.into());
            } else if range.end > end {
                let message = format!("An opcode starts inside the frame that ends at {end:#x}, and ends behind it.");
                self.find_once(&STRADDLES_FRAME, "", range.clone(), message);
                self.frame = None;
            }
        }
        if let (op::FRAME, Argument::Number(len)) = (opcode.code, &opcode.argument) {
            let end = range.end.saturating_add(u64::try_from(*len).unwrap_or(u64::MAX));
            if end > self.bytes.end() {
                self.log.stops.push(Stop::malformed(range.end, "as many bytes as the frame says"));
            }
            self.frame = Some(end);
        }
        Ok(())
    }

    fn run(&mut self, opcode: &Opcode) -> Result<Step, Stop> {
        let at = opcode.range.start;
        match opcode.code {
            op::PROTO | op::FRAME => {}
            op::STOP => {
                self.pop(at)?;
                return Ok(Step::Stopped);
            }
            op::NONE | op::NEWTRUE | op::NEWFALSE | op::FLOAT | op::BINFLOAT => self.stack.push(Value::Literal),
            op::INT | op::BININT | op::BININT1 | op::BININT2 | op::LONG | op::LONG1 | op::LONG4 => {
                self.stack.push(match opcode.argument {
                    Argument::Number(number) => Value::Number(number),
                    _ => Value::Literal,
                });
            }
            op::STRING | op::BINSTRING | op::SHORT_BINSTRING => self.push_words(opcode, true)?,
            op::UNICODE | op::BINUNICODE | op::SHORT_BINUNICODE | op::BINUNICODE8 => self.push_words(opcode, true)?,
            op::BINBYTES | op::SHORT_BINBYTES | op::BINBYTES8 | op::BYTEARRAY8 => self.push_words(opcode, false)?,

            op::MARK => self.marks.push(self.stack.len()),
            op::POP => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop(at)?;
                }
            }
            op::POP_MARK => {
                let from = self.unmark(at)?;
                self.stack.truncate(from);
            }
            op::DUP => {
                let top = self.top(at)?;
                self.repeats = self.repeats || self.is_container(top);
                self.stack.push(top);
            }

            op::EMPTY_LIST => self.push_node(Node::List),
            op::EMPTY_SET => self.push_node(Node::Set),
            op::EMPTY_DICT => self.push_node(Node::Dict { table: NO_TABLE }),
            op::EMPTY_TUPLE => self.push_tuple(self.stack.len()),
            op::LIST | op::FROZENSET => {
                let from = self.unmark(at)?;
                let is_list = opcode.code == op::LIST;
                if !is_list {
                    self.all_hashable(from, 1, at)?;
                }
                let list = self.new_node(if is_list { Node::List } else { Node::FrozenSet });
                self.hold(list, from);
                self.stack.truncate(from);
                self.stack.push(list);
            }
            op::DICT => {
                let from = self.unmark(at)?;
                let dict = self.new_node(Node::Dict { table: NO_TABLE });
                self.set_items(dict, from, opcode)?;
                self.stack.truncate(from);
                self.stack.push(dict);
            }
            op::TUPLE => {
                let from = self.unmark(at)?;
                self.push_tuple(from);
            }
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let count = usize::from(opcode.code.saturating_sub(op::TUPLE1)).saturating_add(1);
                let from = self.below(count, at)?;
                self.push_tuple(from);
            }
            op::APPEND => {
                let from = self.below(1, at)?;
                self.add_items(from, opcode)?;
            }
            op::APPENDS | op::ADDITEMS => {
                let from = self.unmark(at)?;
                self.add_items(from, opcode)?;
            }
            op::SETITEM => {
                let from = self.below(2, at)?;
                self.set_items_of_top(from, opcode)?;
            }
            op::SETITEMS => {
                let from = self.unmark(at)?;
                self.set_items_of_top(from, opcode)?;
            }

            op::GET | op::BINGET | op::LONG_BINGET => {
                let value = self.memo.fetch(number_of(opcode));
                let value = value.ok_or(Stop::malformed(at, "a memo entry that was stored before"))?;
                self.repeats = self.repeats || self.is_container(value);
                self.stack.push(value);
            }
            op::PUT | op::BINPUT | op::LONG_BINPUT => {
                let top = self.top(at)?;
                self.memo.store(number_of(opcode), top);
            }
            op::MEMOIZE => {
                let top = self.top(at)?;
                self.memo.store(self.memo.len() as u64, top);
            }

            op::GLOBAL => {
                let name = self.name_of_lines(opcode)?;
                self.push_name(name, opcode);
            }
            op::STACK_GLOBAL => self.stack_global(opcode)?,
            op::EXT1 | op::EXT2 | op::EXT4 => {
                let message = format!("Entry {} of the registry is used.", number_of(opcode));
                self.find_once(&EXTENSION_REGISTRY, "", opcode.range.clone(), message);
                self.push_node(Node::Foreign);
            }
            op::REDUCE => {
                let arguments = self.pop(at)?;
                let callee = self.pop(at)?;
                let result = self.call(opcode, callee, arguments)?;
                self.stack.push(result);
            }
            op::NEWOBJ => {
                let arguments = self.pop(at)?;
                let class = self.pop(at)?;
                let result = self.instantiate(opcode, class, arguments)?;
                self.stack.push(result);
            }
            op::NEWOBJ_EX => {
                self.pop(at)?;
                let arguments = self.pop(at)?;
                let class = self.pop(at)?;
                let result = self.instantiate(opcode, class, arguments)?;
                self.stack.push(result);
            }
            op::INST => {
                let from = self.unmark(at)?;
                let name = self.name_of_lines(opcode)?;
                let class = self.new_name(name, opcode);
                self.construct(opcode, class, from)?;
            }
            op::OBJ => {
                let from = self.unmark(at)?;
                let class = self.stack.get(from).copied().ok_or(Stop::malformed(at, "a class behind the mark"))?;
                self.stack.remove(from);
                self.construct(opcode, class, from)?;
            }
            op::BUILD => {
                let state = self.pop(at)?;
                let target = self.top(at)?;
                if let Some(array) = self.build(opcode, target, state)? {
                    return Ok(Step::Array(array));
                }
            }
            op::PERSID => self.push_node(Node::Foreign),
            op::BINPERSID => {
                let id = self.pop(at)?;
                self.note_storage(id)?;
                self.push_node(Node::Foreign);
            }
            op::NEXT_BUFFER => self.push_node(Node::Foreign),
            op::READONLY_BUFFER => {
                self.top(at)?;
            }
            _ => return Err(Stop::malformed(at, "an opcode")),
        }
        Ok(Step::Went)
    }

    // Stack

    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self, at: u64) -> Result<Value, Stop> {
        if self.stack.len() <= self.floor() {
            return Err(Stop::malformed(at, "a value on the stack"));
        }
        self.stack.pop().ok_or(Stop::malformed(at, "a value on the stack"))
    }

    fn top(&self, at: u64) -> Result<Value, Stop> {
        let top = self.stack.last().filter(|_| self.stack.len() > self.floor());
        top.copied().ok_or(Stop::malformed(at, "a value on the stack"))
    }

    /// The place in the stack of the uppermost `count` values.
    fn below(&self, count: usize, at: u64) -> Result<usize, Stop> {
        let from = self.stack.len().checked_sub(count).filter(|from| *from >= self.floor());
        from.ok_or(Stop::malformed(at, "enough values on the stack"))
    }

    /// Takes the uppermost mark away and says where it was.
    fn unmark(&mut self, at: u64) -> Result<usize, Stop> {
        self.marks.pop().ok_or(Stop::malformed(at, "a mark on the stack"))
    }

    pub(super) fn new_node(&mut self, node: Node) -> Value {
        self.nodes.push(node);
        Value::Node(u32::try_from(self.nodes.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    fn push_node(&mut self, node: Node) {
        let value = self.new_node(node);
        self.stack.push(value);
    }

    /// Makes a tuple of the values from `from` on.
    fn push_tuple(&mut self, from: usize) {
        let first = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let values = self.stack.get(from..).unwrap_or_default();
        let len = u32::try_from(values.len()).unwrap_or(u32::MAX);
        let kept = values.get(..values.len().min(KEPT)).unwrap_or_default();
        self.items.extend_from_slice(kept);
        let kept = u8::try_from(kept.len()).unwrap_or(0);
        let tuple = self.new_node(Node::Tuple { first, kept, len });
        self.hold(tuple, from);
        self.stack.truncate(from);
        self.stack.push(tuple);
    }

    /// A tuple of these values.
    pub(super) fn new_tuple(&mut self, values: &[Value]) -> Value {
        let first = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let kept = values.get(..values.len().min(KEPT)).unwrap_or_default();
        self.items.extend_from_slice(kept);
        let (kept, len) = (u8::try_from(kept.len()).unwrap_or(0), u32::try_from(values.len()).unwrap_or(u32::MAX));
        self.new_node(Node::Tuple { first, kept, len })
    }

    fn push_words(&mut self, opcode: &Opcode, is_text: bool) -> Result<(), Stop> {
        let Argument::Payload(range) = &opcode.argument else { return Ok(()) };
        let len = range.end.saturating_sub(range.start);
        let words = Words { at: range.start, len: u32::try_from(len).unwrap_or(u32::MAX), key: Key::Other };
        let short = if len <= 32 { text_of(&self.bytes, range)? } else { String::new() };
        let key = match short.as_str() {
            "__setstate__" => Key::SetState,
            "shape" => Key::Shape,
            "dtype" => Key::Dtype,
            "numpy_array_alignment_bytes" => Key::Alignment,
            "_parse_arg_template" => Key::Template,
            _ => Key::Other,
        };
        let words = Words { key, ..words };
        if let Some(texts) = &mut self.log.texts
            && len <= 256
            && texts.len() < MOST
        {
            texts.push(range.clone());
        }
        if len >= 16 {
            self.watch_carried(range, is_text)?;
        }
        // What Python 2 calls a string is text to a reader that looks names up.
        self.stack.push(if is_text { Value::Text(words) } else { Value::Bytes(words) });
        Ok(())
    }

    /// Keeps strings that begin like a pickle, as it stands or in base64 or hexadecimal digits.
    fn watch_carried(&mut self, range: &Range<u64>, is_text: bool) -> Result<(), Stop> {
        let head = self.bytes.peek(range.start, 4)?;
        let begins = match head.as_slice() {
            [0x80, 2..=5, ..] => true,
            [b'g', b'A', b'I'..=b'X', _] => true,
            [b'8', b'0', b'0', b'2'..=b'5'] => true,
            // Base64 and hexadecimal digits of `c` and `(`, with which protocol 0 begins.
            [b'Y' | b'K', ..] | [b'6', b'3', ..] | [b'2', b'8', ..] => true,
            // A model inside the pickle: an archive or an HDF5 file.
            b"PK\x03\x04" | b"\x89HDF" => !is_text,
            _ => false,
        };
        if begins && self.log.carried.len() < 1 << 16 {
            self.log.carried.push(Carried { range: range.clone(), is_text, is_loaded: false });
        }
        Ok(())
    }

    // Containers

    /// Notes that `container` holds the values from `from` on.
    fn hold(&mut self, container: Value, from: usize) {
        let Value::Node(parent) = container else { return };
        let values = self.stack.get(from..).unwrap_or_default();
        for value in values {
            if self.edges.len() >= MOST {
                return;
            }
            if let Value::Node(child) = value
                && self.is_container(*value)
            {
                self.edges.push((parent, *child));
            }
        }
    }

    fn is_container(&self, value: Value) -> bool {
        let node = self.node(value);
        matches!(node, Some(Node::List | Node::Set | Node::FrozenSet | Node::Dict { .. } | Node::Tuple { .. }))
    }

    /// Adds the values from `from` on to the list or set below them.
    fn add_items(&mut self, from: usize, opcode: &Opcode) -> Result<(), Stop> {
        let at = opcode.range.start;
        let target = from.checked_sub(1).filter(|place| *place >= self.floor()).and_then(|place| self.stack.get(place));
        let target = *target.ok_or(Stop::malformed(at, "a list on the stack"))?;
        self.change_contents(target, opcode)?;
        if self.node(target) == Some(Node::Set) {
            self.all_hashable(from, 1, at)?;
        }
        self.hold(target, from);
        self.stack.truncate(from);
        Ok(())
    }

    fn set_items_of_top(&mut self, from: usize, opcode: &Opcode) -> Result<(), Stop> {
        let at = opcode.range.start;
        let target = from.checked_sub(1).filter(|place| *place >= self.floor()).and_then(|place| self.stack.get(place));
        let target = *target.ok_or(Stop::malformed(at, "a dictionary on the stack"))?;
        self.change_contents(target, opcode)?;
        self.set_items(target, from, opcode)?;
        self.stack.truncate(from);
        Ok(())
    }

    /// Takes the pairs from `from` on into a dictionary.
    fn set_items(&mut self, dict: Value, from: usize, opcode: &Opcode) -> Result<(), Stop> {
        let pairs = self.stack.get(from..).unwrap_or_default();
        if !pairs.len().is_multiple_of(2) {
            return Err(Stop::malformed(opcode.range.start, "a value for every key"));
        }
        self.all_hashable(from, 2, opcode.range.start)?;
        let pairs = self.stack.get(from..).unwrap_or_default();
        let mut table = Table::default();
        let mut notable = false;
        for pair in pairs.chunks_exact(2) {
            let [Value::Text(Words { key, .. }) | Value::Bytes(Words { key, .. }), value] = pair else { continue };
            notable = notable || *key != Key::Other;
            match key {
                Key::SetState => table.set_state = true,
                Key::Shape => table.shape = Some(*value),
                Key::Dtype => table.dtype = Some(*value),
                Key::Alignment => table.alignment = *value != Value::Literal,
                Key::Template => table.template = Some(*value),
                Key::Other => {}
            }
        }
        self.hold(dict, from);
        if let (true, Value::Node(index)) = (notable, dict) {
            let old = self.table_of(dict);
            let table = Table {
                set_state: old.set_state || table.set_state,
                shape: table.shape.or(old.shape),
                dtype: table.dtype.or(old.dtype),
                alignment: table.alignment || old.alignment,
                template: table.template.or(old.template),
            };
            let new = u32::try_from(self.tables.len()).unwrap_or(NO_TABLE);
            if let Some(Node::Dict { table: place }) = self.nodes.get_mut(index as usize) {
                *place = new;
                self.tables.push(table);
            }
        }
        Ok(())
    }

    /// Python refuses lists, sets and dictionaries as keys and as members of sets: of every `step`-th value from
    /// `from` on.
    fn all_hashable(&self, from: usize, step: usize, at: u64) -> Result<(), Stop> {
        for value in self.stack.get(from..).unwrap_or_default().iter().step_by(step) {
            if let Some(Node::List | Node::Set | Node::Dict { .. }) = self.node(*value) {
                return Err(Stop::malformed(at, "a value that can be a key"));
            }
        }
        Ok(())
    }

    pub(super) fn table_of(&self, dict: Value) -> Table {
        match self.node(dict) {
            Some(Node::Dict { table }) => self.tables.get(table as usize).copied().unwrap_or_default(),
            _ => Table::default(),
        }
    }

    pub(super) fn node(&self, value: Value) -> Option<Node> {
        match value {
            Value::Node(index) => self.nodes.get(index as usize).copied(),
            _ => None,
        }
    }

    pub(super) fn set_node(&mut self, value: Value, node: Node) {
        if let Value::Node(index) = value
            && let Some(place) = self.nodes.get_mut(index as usize)
        {
            *place = node;
        }
    }

    /// The first items of a tuple.
    pub(super) fn items_of(&self, tuple: Value) -> &[Value] {
        match self.node(tuple) {
            Some(Node::Tuple { first, kept, .. }) => {
                let first = first as usize;
                self.items.get(first..first.saturating_add(usize::from(kept))).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// APPEND, SETITEM and their kin call methods of what they are used on.
    fn change_contents(&mut self, target: Value, opcode: &Opcode) -> Result<(), Stop> {
        match self.node(target) {
            Some(Node::Name(index)) => {
                let name = self.names.get(index as usize).map(|named| named.name.to_string()).unwrap_or_default();
                let message = format!("It changes what {name} holds.");
                self.find_once(&ALTERS_PROGRAM, &name, opcode.range.clone(), message);
            }
            Some(Node::Callable) => {
                let message = "It changes what an attribute of the program holds.".to_string();
                self.find_once(&ALTERS_PROGRAM, "", opcode.range.clone(), message);
            }
            Some(Node::Tensor) => {
                let message = "It sets items of a tensor.".to_string();
                self.find_once(&ALTERS_TENSOR, "", opcode.range.clone(), message);
            }
            Some(_) => {}
            None => return Err(Stop::malformed(opcode.range.start, "a container on the stack")),
        }
        Ok(())
    }

    /// How many elements the largest value has, if every reference were followed.
    fn expanded(&self) -> Option<u64> {
        if !self.repeats || self.edges.is_empty() {
            return None;
        }
        // Children of a node stand together: sorted edges are the adjacency list.
        let mut edges = self.edges.clone();
        sorting::by_key(&mut edges, |edge| *edge);
        let children = |node: u32| {
            let from = edges.partition_point(|edge| edge.0 < node);
            let to = edges.partition_point(|edge| edge.0 <= node);
            from..to
        };
        // 0: not visited; u64::MAX: under way (a cycle adds nothing).
        let mut sizes = vec![0u64; self.nodes.len()];
        let mut largest = 0u64;
        let mut path: Vec<(u32, usize, usize, u64)> = Vec::new();
        let mut previous = None;
        for (root, _) in &edges {
            if previous == Some(*root) {
                continue;
            }
            previous = Some(*root);
            if sizes.get(*root as usize) != Some(&0) {
                continue;
            }
            let range = children(*root);
            path.push((*root, range.start, range.end, 1));
            if let Some(size) = sizes.get_mut(*root as usize) {
                *size = u64::MAX;
            }
            while let Some((node, next, end, sum)) = path.pop() {
                let child = edges.get(next).map(|edge| edge.1).filter(|_| next < end);
                let Some(child) = child else {
                    if let Some(size) = sizes.get_mut(node as usize) {
                        *size = sum;
                    }
                    largest = largest.max(sum);
                    if let Some(parent) = path.last_mut() {
                        parent.3 = parent.3.saturating_add(sum).min(u64::MAX >> 1);
                    }
                    continue;
                };
                let size = sizes.get(child as usize).copied().unwrap_or(1);
                let next = next.saturating_add(1);
                match size {
                    0 => {
                        path.push((node, next, end, sum));
                        let range = children(child);
                        path.push((child, range.start, range.end, 1));
                        if let Some(size) = sizes.get_mut(child as usize) {
                            *size = u64::MAX;
                        }
                    }
                    u64::MAX => path.push((node, next, end, sum)),
                    known => path.push((node, next, end, sum.saturating_add(known).min(u64::MAX >> 1))),
                }
            }
        }
        Some(largest)
    }

    // Names

    fn name_of_lines(&self, opcode: &Opcode) -> Result<PythonName, Stop> {
        let Argument::Lines(module, name) = &opcode.argument else {
            return Err(Stop::malformed(opcode.range.start, "a module and a name"));
        };
        Ok(PythonName::new(&text_of(&self.bytes, module)?, &text_of(&self.bytes, name)?))
    }

    pub(super) fn new_name(&mut self, name: PythonName, opcode: &Opcode) -> Value {
        self.log.imports = self.log.imports.saturating_add(1);
        let index = match self.name_index.get(&name) {
            Some(index) => *index,
            None => {
                let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                let (standing, range) = (name.standing(), opcode.range.clone());
                self.names.push(Named { name: name.clone(), range, standing, is_used: false });
                self.name_index.insert(name, index);
                index
            }
        };
        self.new_node(Node::Name(index))
    }

    fn push_name(&mut self, name: PythonName, opcode: &Opcode) {
        let value = self.new_name(name, opcode);
        self.stack.push(value);
    }

    fn stack_global(&mut self, opcode: &Opcode) -> Result<(), Stop> {
        let at = opcode.range.start;
        let name = self.pop(at)?;
        let module = self.pop(at)?;
        match (module, name) {
            (Value::Text(module), Value::Text(name)) => {
                let module = text_of(&self.bytes, &module.range())?;
                let name = text_of(&self.bytes, &name.range())?;
                self.push_name(PythonName::new(&module, &name), opcode);
            }
            (Value::Node(_), _) | (_, Value::Node(_)) => {
                let message = "Module or name of an import is the result of another step, not text in the file.";
                self.find_once(&COMPUTED_NAME, "", opcode.range.clone(), message.into());
                self.push_node(Node::Foreign);
            }
            _ => return Err(Stop::malformed(at, "two texts on the stack, a module and a name")),
        }
        Ok(())
    }

    /// INST and OBJ: the class, then its arguments from `from` on.
    fn construct(&mut self, opcode: &Opcode, class: Value, from: usize) -> Result<(), Stop> {
        let is_empty = self.stack.len() <= from;
        self.push_tuple(from);
        let arguments = self.pop(opcode.range.start)?;
        let class_like = match self.node(class) {
            Some(Node::Name(index)) => self.names.get(index as usize).is_some_and(|named| named.name.is_class_like()),
            _ => false,
        };
        // Without arguments a class is only instantiated; anything else is called.
        let result = match is_empty && class_like {
            true => self.instantiate(opcode, class, arguments)?,
            false => self.call(opcode, class, arguments)?,
        };
        self.stack.push(result);
        Ok(())
    }

    /// PyTorch: `("storage", class, key, location, count)`.
    fn note_storage(&mut self, id: Value) -> Result<(), Stop> {
        let [Value::Text(kind), class, Value::Text(key), _, Value::Number(count), ..] = self.items_of(id) else {
            return Ok(());
        };
        let (kind, class, key, count) = (*kind, *class, *key, *count);
        if text_of(&self.bytes, &kind.range())? != "storage" {
            return Ok(());
        }
        if let Some(Node::Name(index)) = self.node(class)
            && let Some(named) = self.names.get(index as usize)
        {
            let size = element_size(&named.name.name);
            let key = text_of(&self.bytes, &key.range())?;
            self.log.storages.insert(key, (size, u64::try_from(count).unwrap_or(0)));
        }
        Ok(())
    }
}

/// Bytes of an element of a PyTorch storage class.
fn element_size(class: &str) -> u64 {
    match class {
        "ComplexDoubleStorage" => 16,
        "DoubleStorage" | "LongStorage" | "ComplexFloatStorage" => 8,
        "FloatStorage" | "IntStorage" | "QInt32Storage" => 4,
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
        _ => 1,
    }
}

fn number_of(opcode: &Opcode) -> u64 {
    match opcode.argument {
        Argument::Number(number) => number as u64,
        _ => u64::MAX,
    }
}
