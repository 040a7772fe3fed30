//! What a call, an instance, a state or a mention means.
//!
//! ```text
//!              on a list for it   standard library, or not a class   class of a package
//! called       a value            danger                             warning (without arguments: note)
//! instantiated a value            note (known to act: warning)       note
//! mentioned    a value            warning                            note
//! ```
//! Whatever is called although another call made it, is a danger.

use super::{
    machine::{Array, Carried, Machine, Node, Value},
    opcodes::{Opcode, text_of},
    rules::{
        ALTERS_PROGRAM, CALLS_UNKNOWN_CLASS, CARRIES_PROGRAM_CODE, CONTACTS_SERVER, OPENS_PORT, REFERS_TO_CODE,
        RUNS_CODE, UNKNOWN_CLASS,
    },
};
use crate::{
    python_names::{Effect, Home, PythonName, Standing},
    quote::{quoted, visible},
    rule::Rule,
    stop::Stop,
};

impl Machine {
    /// A call of `callee`: what it gives.
    pub(super) fn call(&mut self, opcode: &Opcode, callee: Value, arguments: Value) -> Result<Value, Stop> {
        self.log.calls = self.log.calls.saturating_add(1);
        let Some(Node::Name(index)) = self.node(callee) else {
            return self.call_of_result(opcode, callee);
        };
        let Some(named) = self.names.get_mut(index as usize) else { return Ok(Value::Literal) };
        named.is_used = true;
        let (name, standing) = (named.name.clone(), named.standing);
        if let Some(result) = self.call_of_special(opcode, &name, arguments)? {
            return Ok(result);
        }
        if name.builds_code() {
            return Ok(self.build_code(opcode, &name));
        }
        let class_like = name.is_class_like();
        let first = self.items_of(arguments).first().copied();
        let gives = if class_like { Node::Instance { class: index } } else { Node::Result };
        if standing == Standing::Called {
            let tensor = name.module.starts_with("torch") && name.name.starts_with("_rebuild");
            return Ok(self.new_node(if tensor { Node::Tensor } else { gives }));
        }
        // An enumeration's member, an empty object, an exception.
        let is_standard = name.home() == Home::Standard;
        if is_standard && name.is_exception_like() {
            return Ok(self.new_node(gives));
        }
        let short = self.items_of(arguments).len() < 2;
        let harmless = short && matches!(first, Some(Value::Number(_)))
            || short && first.is_none() && !name.is_of_charted_package() && !is_standard
            || name.is_exception_like();
        let deed = name.deed();
        let plain_class = name.is_plain() && class_like && deed.is_none();
        let in_package = plain_class && (!is_standard || harmless);
        let does = match deed {
            Some(deed) => format!(", which {}", deed.does),
            None if standing != Standing::Unlisted && in_package => ", a class of a package".into(),
            None => format!(", {}", whose(&name)),
        };
        let with = match first {
            Some(Value::Text(words) | Value::Bytes(words)) => {
                format!(", with {}", quoted(&text_of(&self.bytes, &words.range())?))
            }
            _ => String::new(),
        };
        let shown = visible(&name.to_string());
        let message = format!("Opening it calls {shown}{does}{with}.");
        let rule: &'static Rule = match deed.map(|deed| deed.effect) {
            _ if in_package && harmless => &UNKNOWN_CLASS,
            _ if in_package => &CALLS_UNKNOWN_CLASS,
            Some(Effect::Connects) => &CONTACTS_SERVER,
            Some(Effect::Listens) => &OPENS_PORT,
            _ => &RUNS_CODE,
        };
        self.find_once(rule, &shown, opcode.range.clone(), message);
        Ok(self.new_node(if in_package { gives } else { Node::Foreign }))
    }

    /// A call of what is no name: the result of another call, or no function at all.
    fn call_of_result(&mut self, opcode: &Opcode, callee: Value) -> Result<Value, Stop> {
        match self.node(callee) {
            None | Some(Node::List | Node::Set | Node::FrozenSet | Node::Dict { .. } | Node::Tuple { .. }) => {
                return Err(Stop::malformed(opcode.range.start, "something that can be called"));
            }
            Some(Node::CarriedClass) => {}
            Some(Node::CarriedCode) => {
                let message = "Opening it calls a function whose code stands in the file.".to_string();
                self.find_once(&RUNS_CODE, "carried code", opcode.range.clone(), message);
            }
            Some(_) => {
                let message =
                    "Opening it calls what an earlier call gave: which function that is does not stand in the file.";
                self.find_once(&RUNS_CODE, "a result", opcode.range.clone(), message.into());
            }
        }
        Ok(self.new_node(Node::Foreign))
    }

    /// Calls whose meaning depends on their arguments.
    fn call_of_special(&mut self, opcode: &Opcode, name: &PythonName, arguments: Value) -> Result<Option<Value>, Stop> {
        let items = self.items_of(arguments).to_vec();
        let first = items.first().copied().unwrap_or(Value::Literal);
        let second = items.get(1).copied().unwrap_or(Value::Literal);
        let text = |value: Value| match value {
            Value::Text(words) if words.len <= 256 => text_of(&self.bytes, &words.range()).map(Some),
            _ => Ok(None),
        };
        let result = match (name.module.as_str(), name.name.as_str()) {
            ("copyreg", "__newobj__" | "__newobj_ex__") => Some(self.instantiate(opcode, first, arguments)?),
            // The constructor of another base than `object` is called with the state.
            ("copyreg", "_reconstructor") => {
                if !self.is_named(second, "builtins", "object") {
                    let state = self.new_tuple(items.get(2..3).unwrap_or_default());
                    self.call(opcode, second, state)?;
                }
                Some(self.instantiate(opcode, first, arguments)?)
            }
            // The second argument, where there is one, is called with the first; a class as the first is called.
            (module, "__generator_ctor" | "__randomstate_ctor" | "__RandomState_ctor") if is_numpy_random(module) => {
                let usual = self.is_named(second, "numpy.random._pickle", "__bit_generator_ctor");
                if !usual && items.len() > 1 {
                    let inner = self.new_tuple(&[first]);
                    self.call(opcode, second, inner)?;
                } else if matches!(self.node(first), Some(Node::Name(_))) {
                    let nothing = self.new_tuple(&[]);
                    self.call(opcode, first, nothing)?;
                }
                Some(self.new_node(Node::Result))
            }
            (module, "__bit_generator_ctor") if is_numpy_random(module) => {
                if matches!(self.node(first), Some(Node::Name(_))) {
                    let nothing = self.new_tuple(&[]);
                    self.call(opcode, first, nothing)?;
                }
                Some(self.new_node(Node::Result))
            }
            // With a file name and no stored table it reads that file, which may lie on another machine.
            (module, "tzfile") if module.starts_with("dateutil.tz") && matches!(first, Value::Text(_)) => {
                let message = "Opening it reads a file by its name (dateutil.tz.tzfile).".to_string();
                self.find_once(&RUNS_CODE, "dateutil.tz.tzfile", opcode.range.clone(), message);
                Some(self.new_node(Node::Result))
            }
            ("_codecs", "encode") => {
                let coding = text(second)?.unwrap_or_default();
                let harmless =
                    matches!(coding.as_str(), "latin1" | "latin-1" | "iso-8859-1" | "ascii" | "utf-8" | "utf8");
                if !harmless {
                    let message = format!("Opening it calls _codecs.encode with the codec {}.", quoted(&coding));
                    self.find_once(&RUNS_CODE, "_codecs.encode", opcode.range.clone(), message);
                }
                Some(self.new_node(Node::Result))
            }
            ("numpy", "dtype") => {
                let spelled = text(first)?;
                let node = match spelled.as_deref().map(dtype) {
                    Some(node) => node,
                    None => Node::Dtype { size: u64::MAX, is_object: false },
                };
                Some(self.new_node(node))
            }
            ("builtins", "getattr") => {
                let attribute = text(second)?.unwrap_or_default();
                self.attribute(opcode, first, &attribute)
            }
            // `typing.List[int]`
            ("operator" | "_operator", "getitem") => match self.node(first) {
                Some(Node::Name(index)) => {
                    let named = self.names.get(index as usize);
                    let is_type = named
                        .is_some_and(|named| named.name.module == "typing" && named.standing != Standing::Unlisted);
                    is_type.then(|| self.new_node(Node::Result))
                }
                _ => None,
            },
            // The types of None, Ellipsis and NotImplemented have no name of their own.
            ("builtins", "type") => {
                let constant = items.len() == 1 && matches!(first, Value::Literal | Value::Node(_));
                let named = match self.node(first) {
                    Some(Node::Name(index)) => self.names.get(index as usize).is_some_and(|named| {
                        named.name.module == "builtins"
                            && matches!(named.name.name.as_str(), "Ellipsis" | "NotImplemented")
                    }),
                    Some(_) => false,
                    None => true,
                };
                (constant && named).then(|| self.new_node(Node::Result))
            }
            // With a second argument, it calls the first as often as somebody asks for items.
            ("builtins", "iter") => (items.len() == 1).then(|| self.new_node(Node::Result)),
            ("operator" | "_operator", "attrgetter" | "itemgetter" | "methodcaller") => {
                let mut plain = true;
                for item in &items {
                    plain = plain
                        && match item {
                            Value::Number(_) => true,
                            Value::Text(_) => {
                                text(*item)?.is_some_and(|text| !text.contains("__") && !text.contains('.'))
                            }
                            _ => false,
                        };
                }
                plain.then(|| self.new_node(Node::Callable))
            }
            // The function is judged where it is mentioned; a partial function that is called, where it is called.
            ("functools", "partial") => {
                matches!(self.node(first), Some(Node::Name(_) | Node::Callable)).then(|| self.new_node(Node::Callable))
            }
            ("torch._tensor" | "torch.tensor", "_rebuild_from_type" | "_rebuild_from_type_v2") => {
                let inner = items.get(2).copied().unwrap_or(Value::Literal);
                self.call(opcode, first, inner)?;
                Some(self.new_node(Node::Tensor))
            }
            ("torch.storage", "_load_from_bytes") | ("pickle" | "_pickle" | "dill" | "cloudpickle", "loads") => {
                if let Value::Bytes(words) | Value::Text(words) = first {
                    let is_text = matches!(first, Value::Text(_));
                    self.log.carried.retain(|carried| carried.range != words.range());
                    self.log.carried.push(Carried { range: words.range(), is_text, is_loaded: true });
                    (name.name == "_load_from_bytes").then(|| self.new_node(Node::Tensor))
                } else {
                    let message = format!("Opening it calls {name} with something that another step made.");
                    self.find_once(&RUNS_CODE, &name.to_string(), opcode.range.clone(), message);
                    Some(self.new_node(Node::Foreign))
                }
            }
            // cloudpickle and dill look up a few types of Python by name.
            ("cloudpickle.cloudpickle" | "dill._dill" | "dill.dill", "_builtin_type" | "_load_type") => {
                text(first)?.map(|inner| self.new_name(PythonName::new("types", &inner), opcode))
            }
            _ => None,
        };
        Ok(result)
    }

    /// Whether a value is this name.
    fn is_named(&self, value: Value, module: &str, name: &str) -> bool {
        let Some(Node::Name(index)) = self.node(value) else { return false };
        self.names.get(index as usize).is_some_and(|named| named.name.module == module && named.name.name == name)
    }

    /// `getattr(target, attribute)` as members of enumerations and bound methods are written by it.
    fn attribute(&mut self, opcode: &Opcode, target: Value, attribute: &str) -> Option<Value> {
        let plain = !attribute.is_empty()
            && !attribute.starts_with("__")
            && attribute.chars().all(|character| character.is_alphanumeric() || character == '_');
        if !plain {
            return None;
        }
        match self.node(target) {
            Some(Node::Name(index)) => {
                let named = self.names.get_mut(index as usize)?;
                let (name, standing) = (named.name.clone(), named.standing);
                let class = name.is_class_like() || standing <= Standing::Instantiated;
                if !class || !name.is_plain() || name.deed().is_some() {
                    return None;
                }
                named.is_used = true;
                let whole = PythonName { name: format!("{}.{attribute}", name.name), module: name.module.clone() };
                if whole.standing() == Standing::Called {
                    return Some(self.new_name(whole, opcode));
                }
                if standing == Standing::Unlisted && name.home() != Home::Standard {
                    let shown = visible(&name.to_string());
                    let message = format!("It takes {} from {shown}.", quoted(attribute));
                    self.find_once(&UNKNOWN_CLASS, &shown, opcode.range.clone(), message);
                }
            }
            // Modules, partial functions and what only the loading program knows have no plain methods.
            Some(Node::Callable | Node::CarriedClass | Node::CarriedCode | Node::Foreign) => return None,
            Some(_) | None => {}
        }
        Some(self.new_node(Node::Callable))
    }

    fn build_code(&mut self, opcode: &Opcode, name: &PythonName) -> Value {
        let shown = visible(&name.to_string());
        let message = format!("{shown} makes a function, a class or a module from what the file carries.");
        self.find_once(&CARRIES_PROGRAM_CODE, "", opcode.range.clone(), message);
        let is_class = name.name.starts_with("_make_skeleton") || name.name == "_create_type";
        self.new_node(if is_class { Node::CarriedClass } else { Node::CarriedCode })
    }

    /// An object of `class`, made without its constructor.
    pub(super) fn instantiate(&mut self, opcode: &Opcode, class: Value, _arguments: Value) -> Result<Value, Stop> {
        self.log.calls = self.log.calls.saturating_add(1);
        let index = match self.node(class) {
            Some(Node::Name(index)) => index,
            Some(Node::CarriedClass | Node::CarriedCode | Node::Callable) => {
                return Ok(self.new_node(Node::Result));
            }
            Some(Node::Foreign | Node::Result | Node::Instance { .. } | Node::Tensor | Node::Dtype { .. }) => {
                let message = "Opening it makes an object of a class that an earlier call gave.".to_string();
                self.find_once(&RUNS_CODE, "a result", opcode.range.clone(), message);
                return Ok(self.new_node(Node::Foreign));
            }
            _ => return Err(Stop::malformed(opcode.range.start, "a class")),
        };
        if let Some(named) = self.names.get_mut(index as usize) {
            named.is_used = true;
            let (name, standing) = (named.name.clone(), named.standing);
            if name.builds_code() {
                self.build_code(opcode, &name);
            } else if standing == Standing::Unlisted {
                let shown = visible(&name.to_string());
                // Without its constructor, a class does what its package does with any object of it.
                let odd = name.deed().is_some() || !name.is_plain();
                let (rule, message): (&'static Rule, String) = match odd {
                    true => (&REFERS_TO_CODE, format!("It makes an object of {shown}, {}.", can(&name))),
                    false => (&UNKNOWN_CLASS, format!("It makes an object of {shown}, {}.", whose(&name))),
                };
                self.find_once(rule, &shown, opcode.range.clone(), message);
            }
        }
        Ok(self.new_node(Node::Instance { class: index }))
    }

    /// BUILD: gives `target` a state. For joblib's wrapper, the array that follows.
    pub(super) fn build(&mut self, opcode: &Opcode, target: Value, state: Value) -> Result<Option<Array>, Stop> {
        let table = self.table_of(state);
        let slots = self.items_of(state).to_vec();
        let hidden = slots.iter().any(|slot| self.table_of(*slot).set_state);
        if table.set_state || hidden {
            let message = "It gives an object a method of its own that the next step calls (__setstate__).".to_string();
            self.find_once(&ALTERS_PROGRAM, "__setstate__", opcode.range.clone(), message);
        }
        let template = [state].iter().chain(&slots).find_map(|state| self.table_of(*state).template);
        if let Some(Value::Text(words) | Value::Bytes(words)) = template {
            if !is_signatures(&text_of(&self.bytes, &words.range())?) {
                let message =
                    "The state of a distribution is run as code when it is set (_parse_arg_template).".to_string();
                self.find_once(&RUNS_CODE, "_parse_arg_template", words.range(), message);
            }
        } else if template.is_some() {
            let message = "The state of a distribution is run as code, and another step makes it.".to_string();
            self.find_once(&RUNS_CODE, "_parse_arg_template", opcode.range.clone(), message);
        }
        match self.node(target) {
            Some(Node::Name(index)) => {
                let name = self.names.get(index as usize).map(|named| visible(&named.name.to_string()));
                let name = name.unwrap_or_default();
                let message = format!("It sets attributes of {name}.");
                self.find_once(&ALTERS_PROGRAM, &name, opcode.range.clone(), message);
                Ok(None)
            }
            Some(Node::Dtype { size, is_object }) => {
                // (version, byte order, subdtype, names, fields, item size, alignment, flags)
                let flags = match slots.get(7) {
                    Some(Value::Number(flags)) => *flags,
                    _ => 0,
                };
                let size = match slots.get(5) {
                    Some(Value::Number(size)) if *size > 0 => u64::try_from(*size).unwrap_or(u64::MAX),
                    _ => size,
                };
                self.set_node(target, Node::Dtype { size, is_object: is_object || flags & 1 != 0 });
                Ok(None)
            }
            Some(Node::Instance { class }) => {
                let wrapper = self.names.get(class as usize).is_some_and(|named| {
                    named.name.name == "NumpyArrayWrapper" && named.name.module.ends_with("joblib.numpy_pickle")
                });
                if !wrapper {
                    return Ok(None);
                }
                let mut count = Some(1u64);
                for item in table.shape.map(|shape| self.items_of(shape)).unwrap_or_default() {
                    count = match item {
                        Value::Number(len) => count.zip(u64::try_from(*len).ok()).and_then(|(a, b)| a.checked_mul(b)),
                        _ => None,
                    };
                }
                let (size, is_object) = match table.dtype.and_then(|dtype| self.node(dtype)) {
                    Some(Node::Dtype { size, is_object }) => (Some(size).filter(|size| *size != u64::MAX), is_object),
                    _ => (None, false),
                };
                let len = count.zip(size).and_then(|(count, size)| count.checked_mul(size));
                Ok(Some(Array { is_aligned: table.alignment, len, is_object }))
            }
            None | Some(Node::List | Node::Set | Node::FrozenSet | Node::Dict { .. } | Node::Tuple { .. }) => {
                Err(Stop::malformed(opcode.range.start, "an object that takes a state"))
            }
            Some(_) => Ok(None),
        }
    }

    /// A name that was imported and neither called nor instantiated.
    pub(super) fn judge_mention(&mut self, index: usize) {
        let Some(named) = self.names.get(index).filter(|named| !named.is_used) else { return };
        if named.standing != Standing::Unlisted {
            return;
        }
        let (name, range) = (named.name.clone(), named.range.clone());
        let shown = visible(&name.to_string());
        let (rule, message): (&'static Rule, String) = if name.builds_code() {
            (&CARRIES_PROGRAM_CODE, format!("It refers to {shown}, which makes functions from code in the file."))
        } else if name.deed().is_some() || !name.is_plain() || (name.home() == Home::Standard && !name.is_class_like())
        {
            (&REFERS_TO_CODE, format!("It refers to {shown}, {}.", can(&name)))
        } else if name.home() == Home::Standard {
            return;
        } else {
            (&UNKNOWN_CLASS, format!("It refers to {shown}, {}.", whose(&name)))
        };
        let subject = if name.builds_code() { String::new() } else { shown };
        self.find_once(rule, &subject, range, message);
    }
}

fn is_numpy_random(module: &str) -> bool {
    module.starts_with("numpy.random") || module.starts_with("randomgen")
}

/// Whether a text is what SciPy writes there: three functions that pass their arguments on, and no other code.
fn is_signatures(text: &str) -> bool {
    // Protocol 0 writes line ends by their number.
    let text = text.replace("\\u000a", "\n").replace("\\n", "\n");
    let names = |text: &str| {
        text.chars()
            .all(|character| character.is_alphanumeric() || matches!(character, '_' | ',' | ' ' | '=' | '.' | '\''))
    };
    text.lines().all(|line| {
        let line = line.trim_end();
        let definition = || line.strip_prefix("def _parse_args")?.split_once('(')?.1.strip_suffix("):").map(names);
        let values = || {
            let (shapes, rest) = line.strip_prefix("    return (")?.split_once(')')?;
            Some(names(shapes) && names(rest))
        };
        let check = || line.strip_prefix("    return self._argcheck_rvs(")?.strip_suffix(')').map(names);
        line.is_empty() || definition() == Some(true) || values() == Some(true) || check() == Some(true)
    })
}

/// What a name can do, or whose it is.
fn can(name: &PythonName) -> String {
    match name.deed() {
        Some(deed) => format!("which {}", deed.does),
        None if !name.is_plain() => "which reaches through one name to another".into(),
        None => whose(name),
    }
}

fn whose(name: &PythonName) -> String {
    match name.home() {
        Home::Standard => "which does not belong in data".into(),
        Home::Main => "of the program that opens the file".into(),
        Home::Installed => "of a package that is not on the list of those that only build values".into(),
    }
}

/// What an array is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElementType {
    /// Bytes of an element; `None` where the spelling is not known.
    pub size: Option<u64>,
    /// Whether elements are Python objects, which only a pickle can hold.
    pub is_object: bool,
}

fn dtype(spelled: &str) -> Node {
    let ElementType { size, is_object } = element_type(spelled);
    Node::Dtype { size: size.unwrap_or(u64::MAX), is_object }
}

/// The element of a NumPy array from the spelling of its dtype: `f8`, `<U12`, `O`, `V24`.
pub fn element_type(spelled: &str) -> ElementType {
    let spelled = spelled.trim_start_matches(['<', '>', '=', '|']);
    let mut characters = spelled.chars();
    let kind = characters.next();
    let digits = characters.as_str();
    let digits = digits.split('[').next().unwrap_or_default();
    let number = if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
    let size = match (kind, number) {
        (Some('b' | 'i' | 'u' | 'f' | 'c' | 'm' | 'M' | 'S' | 'a' | 'V' | 'O' | 'T'), Some(0)) => match kind {
            Some('O') => Some(8),
            Some('S' | 'a' | 'V') => Some(0),
            Some('b') => Some(1),
            _ => None,
        },
        (Some('U'), Some(count)) => count.checked_mul(4),
        (Some('b' | 'i' | 'u' | 'f' | 'c' | 'm' | 'M' | 'S' | 'a' | 'V' | 'O'), Some(count)) => Some(count),
        (Some('?'), Some(0)) => Some(1),
        _ => named_size(spelled),
    };
    ElementType { size, is_object: kind == Some('O') || spelled == "object" }
}

/// dtypes by their whole names.
fn named_size(name: &str) -> Option<u64> {
    Some(match name {
        "bool" | "int8" | "uint8" | "B" => 1,
        "float16" | "int16" | "uint16" | "e" | "h" | "H" => 2,
        "float32" | "int32" | "uint32" | "I" => 4,
        "float64" | "int64" | "uint64" | "complex64" | "d" | "l" | "L" | "q" | "Q" | "F" => 8,
        "complex128" | "float128" | "g" | "D" => 16,
        _ => return None,
    })
}
