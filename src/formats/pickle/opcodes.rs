//! The opcodes of all protocols: which bytes belong to each, without what they mean.
//!
//! Specification: `Lib/pickletools.py` of CPython, which documents every opcode and its argument.

use std::ops::Range;

use nom::{Parser, combinator::all_consuming, number::complete::recognize_float};

use crate::{
    bytes::{Bytes, Cursor},
    quote::quoted_bytes,
    stop::Stop,
};

/// One opcode with its argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Opcode {
    /// The byte that names it.
    pub code: u8,
    /// The opcode and its whole argument, in absolute places.
    pub range: Range<u64>,
    /// The argument.
    pub argument: Argument,
}

/// What stands behind the opcode's byte.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    /// Nothing.
    None,
    /// A number that fits 64 bits.
    Number(i64),
    /// A number that does not, or a fraction: nothing depends on its value.
    Quantity,
    /// Where the characters or bytes of a string stand, without length, quotes and line end.
    Payload(Range<u64>),
    /// Two lines: a module and a name.
    Lines(Range<u64>, Range<u64>),
}

pub(super) const MARK: u8 = b'(';
pub(super) const STOP: u8 = b'.';
pub(super) const POP: u8 = b'0';
pub(super) const POP_MARK: u8 = b'1';
pub(super) const DUP: u8 = b'2';
pub(super) const FLOAT: u8 = b'F';
pub(super) const INT: u8 = b'I';
pub(super) const BININT: u8 = b'J';
pub(super) const BININT1: u8 = b'K';
pub(super) const LONG: u8 = b'L';
pub(super) const BININT2: u8 = b'M';
pub(super) const NONE: u8 = b'N';
pub(super) const PERSID: u8 = b'P';
pub(super) const BINPERSID: u8 = b'Q';
pub(super) const REDUCE: u8 = b'R';
pub(super) const STRING: u8 = b'S';
pub(super) const BINSTRING: u8 = b'T';
pub(super) const SHORT_BINSTRING: u8 = b'U';
pub(super) const UNICODE: u8 = b'V';
pub(super) const BINUNICODE: u8 = b'X';
pub(super) const APPEND: u8 = b'a';
pub(super) const BUILD: u8 = b'b';
pub(super) const GLOBAL: u8 = b'c';
pub(super) const DICT: u8 = b'd';
pub(super) const APPENDS: u8 = b'e';
pub(super) const GET: u8 = b'g';
pub(super) const BINGET: u8 = b'h';
pub(super) const INST: u8 = b'i';
pub(super) const LONG_BINGET: u8 = b'j';
pub(super) const LIST: u8 = b'l';
pub(super) const EMPTY_LIST: u8 = b']';
pub(super) const OBJ: u8 = b'o';
pub(super) const PUT: u8 = b'p';
pub(super) const BINPUT: u8 = b'q';
pub(super) const LONG_BINPUT: u8 = b'r';
pub(super) const SETITEM: u8 = b's';
pub(super) const TUPLE: u8 = b't';
pub(super) const EMPTY_TUPLE: u8 = b')';
pub(super) const SETITEMS: u8 = b'u';
pub(super) const BINFLOAT: u8 = b'G';
pub(super) const EMPTY_DICT: u8 = b'}';
// Protocol 2
pub(super) const PROTO: u8 = 0x80;
pub(super) const NEWOBJ: u8 = 0x81;
pub(super) const EXT1: u8 = 0x82;
pub(super) const EXT2: u8 = 0x83;
pub(super) const EXT4: u8 = 0x84;
pub(super) const TUPLE1: u8 = 0x85;
pub(super) const TUPLE2: u8 = 0x86;
pub(super) const TUPLE3: u8 = 0x87;
pub(super) const NEWTRUE: u8 = 0x88;
pub(super) const NEWFALSE: u8 = 0x89;
pub(super) const LONG1: u8 = 0x8a;
pub(super) const LONG4: u8 = 0x8b;
// Protocol 3
pub(super) const BINBYTES: u8 = b'B';
pub(super) const SHORT_BINBYTES: u8 = b'C';
// Protocol 4
pub(super) const SHORT_BINUNICODE: u8 = 0x8c;
pub(super) const BINUNICODE8: u8 = 0x8d;
pub(super) const BINBYTES8: u8 = 0x8e;
pub(super) const EMPTY_SET: u8 = 0x8f;
pub(super) const ADDITEMS: u8 = 0x90;
pub(super) const FROZENSET: u8 = 0x91;
pub(super) const NEWOBJ_EX: u8 = 0x92;
pub(super) const STACK_GLOBAL: u8 = 0x93;
pub(super) const MEMOIZE: u8 = 0x94;
pub(super) const FRAME: u8 = 0x95;
// Protocol 5
pub(super) const BYTEARRAY8: u8 = 0x96;
pub(super) const NEXT_BUFFER: u8 = 0x97;
pub(super) const READONLY_BUFFER: u8 = 0x98;

/// The opcodes by the names that `pickletools` gives them.
const NAMES: &[(u8, &str)] = &[
    (MARK, "MARK"),
    (STOP, "STOP"),
    (POP, "POP"),
    (POP_MARK, "POP_MARK"),
    (DUP, "DUP"),
    (FLOAT, "FLOAT"),
    (INT, "INT"),
    (BININT, "BININT"),
    (BININT1, "BININT1"),
    (LONG, "LONG"),
    (BININT2, "BININT2"),
    (NONE, "NONE"),
    (PERSID, "PERSID"),
    (BINPERSID, "BINPERSID"),
    (REDUCE, "REDUCE"),
    (STRING, "STRING"),
    (BINSTRING, "BINSTRING"),
    (SHORT_BINSTRING, "SHORT_BINSTRING"),
    (UNICODE, "UNICODE"),
    (BINUNICODE, "BINUNICODE"),
    (APPEND, "APPEND"),
    (BUILD, "BUILD"),
    (GLOBAL, "GLOBAL"),
    (DICT, "DICT"),
    (APPENDS, "APPENDS"),
    (GET, "GET"),
    (BINGET, "BINGET"),
    (INST, "INST"),
    (LONG_BINGET, "LONG_BINGET"),
    (LIST, "LIST"),
    (EMPTY_LIST, "EMPTY_LIST"),
    (OBJ, "OBJ"),
    (PUT, "PUT"),
    (BINPUT, "BINPUT"),
    (LONG_BINPUT, "LONG_BINPUT"),
    (SETITEM, "SETITEM"),
    (TUPLE, "TUPLE"),
    (EMPTY_TUPLE, "EMPTY_TUPLE"),
    (SETITEMS, "SETITEMS"),
    (BINFLOAT, "BINFLOAT"),
    (EMPTY_DICT, "EMPTY_DICT"),
    (PROTO, "PROTO"),
    (NEWOBJ, "NEWOBJ"),
    (EXT1, "EXT1"),
    (EXT2, "EXT2"),
    (EXT4, "EXT4"),
    (TUPLE1, "TUPLE1"),
    (TUPLE2, "TUPLE2"),
    (TUPLE3, "TUPLE3"),
    (NEWTRUE, "NEWTRUE"),
    (NEWFALSE, "NEWFALSE"),
    (LONG1, "LONG1"),
    (LONG4, "LONG4"),
    (BINBYTES, "BINBYTES"),
    (SHORT_BINBYTES, "SHORT_BINBYTES"),
    (SHORT_BINUNICODE, "SHORT_BINUNICODE"),
    (BINUNICODE8, "BINUNICODE8"),
    (BINBYTES8, "BINBYTES8"),
    (EMPTY_SET, "EMPTY_SET"),
    (ADDITEMS, "ADDITEMS"),
    (FROZENSET, "FROZENSET"),
    (NEWOBJ_EX, "NEWOBJ_EX"),
    (STACK_GLOBAL, "STACK_GLOBAL"),
    (MEMOIZE, "MEMOIZE"),
    (FRAME, "FRAME"),
    (BYTEARRAY8, "BYTEARRAY8"),
    (NEXT_BUFFER, "NEXT_BUFFER"),
    (READONLY_BUFFER, "READONLY_BUFFER"),
];

/// The longest line that holds a number or a name.
const LINE: u64 = 64 << 10;

/// The highest protocol that exists.
pub(super) const HIGHEST: u8 = 5;

impl Opcode {
    /// Reads the opcode at the cursor and goes on behind its argument.
    ///
    /// # Errors
    /// [`Stop::Malformed`] where there is none, or its argument is cut or not what the opcode asks for.
    pub(super) fn read(cursor: &mut Cursor) -> Result<Self, Stop> {
        let start = cursor.at();
        let code = cursor.u8("an opcode")?;
        let argument = match code {
            PROTO => {
                let at = cursor.at();
                let protocol = cursor.u8("a protocol number")?;
                if protocol > HIGHEST {
                    return Err(Stop::malformed(at, "a protocol from 0 to 5"));
                }
                Argument::Number(i64::from(protocol))
            }
            BININT1 | BINGET | BINPUT | EXT1 => Argument::Number(i64::from(cursor.u8("1 byte")?)),
            BININT2 | EXT2 => Argument::Number(i64::from(cursor.u16_le("2 bytes")?)),
            BININT | EXT4 => Argument::Number(i64::from(i32::from_le_bytes(cursor.array("4 bytes")?))),
            LONG_BINGET | LONG_BINPUT => Argument::Number(i64::from(cursor.u32_le("4 bytes")?)),
            FRAME => Argument::Number(i64::try_from(cursor.u64_le("8 bytes")?).unwrap_or(i64::MAX)),
            BINFLOAT => {
                cursor.array::<8>("8 bytes")?;
                Argument::Quantity
            }
            INT | GET | PUT => number(cursor)?,
            LONG | FLOAT => number(cursor)?,
            LONG1 => {
                let len = cursor.u8("a length of 1 byte")?;
                long(cursor, u64::from(len))?
            }
            LONG4 => {
                let len = cursor.u32_le("a length of 4 bytes")?;
                long(cursor, u64::from(len))?
            }
            STRING => quoted(cursor)?,
            UNICODE => Argument::Payload(line(cursor, u64::MAX, "a line of text")?),
            PERSID => Argument::Payload(line(cursor, LINE, "a line with a persistent id")?),
            GLOBAL | INST => {
                let module = line(cursor, LINE, "a line with a module")?;
                let name = line(cursor, LINE, "a line with a name")?;
                Argument::Lines(module, name)
            }
            SHORT_BINSTRING | SHORT_BINBYTES | SHORT_BINUNICODE => {
                let len = cursor.u8("a length of 1 byte")?;
                payload(cursor, u64::from(len))?
            }
            BINSTRING | BINBYTES | BINUNICODE => {
                let len = cursor.u32_le("a length of 4 bytes")?;
                payload(cursor, u64::from(len))?
            }
            BINBYTES8 | BINUNICODE8 | BYTEARRAY8 => {
                let len = cursor.u64_le("a length of 8 bytes")?;
                payload(cursor, len)?
            }
            MARK | STOP | POP | POP_MARK | DUP | NONE | BINPERSID | REDUCE | APPEND | BUILD | DICT | APPENDS | LIST
            | EMPTY_LIST | OBJ | SETITEM | TUPLE | EMPTY_TUPLE | SETITEMS | EMPTY_DICT | NEWOBJ | TUPLE1 | TUPLE2
            | TUPLE3 | NEWTRUE | NEWFALSE | EMPTY_SET | ADDITEMS | FROZENSET | NEWOBJ_EX | STACK_GLOBAL | MEMOIZE
            | NEXT_BUFFER | READONLY_BUFFER => Argument::None,
            _ => return Err(Stop::malformed(start, "an opcode")),
        };
        Ok(Opcode { code, range: start..cursor.at(), argument })
    }
}

impl Opcode {
    /// As a line of a disassembly: place, name, argument.
    pub(super) fn disassembled(&self, bytes: &Bytes) -> Result<String, Stop> {
        let name = NAMES.iter().find(|(code, _)| *code == self.code).map_or("?", |(_, name)| name);
        let text = |range: &Range<u64>| {
            let len = range.end.saturating_sub(range.start).min(512);
            Ok::<_, Stop>(quoted_bytes(&bytes.peek(range.start, usize::try_from(len).unwrap_or(0))?))
        };
        let argument = match &self.argument {
            Argument::None => String::new(),
            Argument::Number(number) => number.to_string(),
            Argument::Quantity => "a number".to_string(),
            Argument::Payload(range) => text(range)?,
            Argument::Lines(module, name) => format!("{} {}", text(module)?, text(name)?),
        };
        Ok(format!("{:#08x}  {name:<16}  {argument}", self.range.start).trim_end().to_string())
    }
}

/// The text of a payload, as far as it is short; what is not UTF-8 is shown as U+FFFD.
pub(super) fn text_of(bytes: &Bytes, range: &Range<u64>) -> Result<String, Stop> {
    let len = range.end.saturating_sub(range.start).min(LINE);
    let text = bytes.peek(range.start, usize::try_from(len).unwrap_or(0))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn payload(cursor: &mut Cursor, len: u64) -> Result<Argument, Stop> {
    Ok(Argument::Payload(cursor.take(len, "as many bytes as the length says")?.range()))
}

/// A line without its end, and the cursor behind it. Lines end with LF alone.
fn line(cursor: &mut Cursor, most: u64, expected: &'static str) -> Result<Range<u64>, Stop> {
    let start = cursor.at();
    // Names are short; texts of protocol 0 may be long.
    let mut look = 256usize;
    loop {
        let at = cursor.at();
        let window = cursor.peek(look)?;
        let len = window.len();
        if let Some(end) = memchr::memchr(b'\n', window) {
            let end = at.saturating_add(end as u64);
            cursor.seek(end.saturating_add(1));
            return Ok(start..end);
        }
        let end = at.saturating_add(len as u64);
        if len < look || end.saturating_sub(start) > most {
            return Err(Stop::malformed(start, expected));
        }
        cursor.seek(end);
        look = 64 << 10;
    }
}

/// A decimal number on a line: an integer, with an `L` behind it, a fraction, or what Python's `float` reads.
fn number(cursor: &mut Cursor) -> Result<Argument, Stop> {
    let range = line(cursor, LINE << 8, "a line with a number")?;
    let len = range.end.saturating_sub(range.start);
    let digits = cursor.bytes().peek(range.start, usize::try_from(len.min(64)).unwrap_or(0))?;
    let digits = digits.strip_suffix(b"L").unwrap_or(&digits);
    let text = str::from_utf8(digits).map_err(|_| Stop::malformed(range.start, "a number"))?.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Ok(Argument::Number(number));
    }
    let long =
        len > 18 && text.bytes().enumerate().all(|(place, byte)| byte.is_ascii_digit() || (place == 0 && byte == b'-'));
    if long || is_float(text) {
        return Ok(Argument::Quantity);
    }
    Err(Stop::malformed(range.start, "a number"))
}

/// Whether Python's `float` reads this.
fn is_float(text: &str) -> bool {
    let size = text.strip_prefix(['+', '-']).unwrap_or(text);
    ["inf", "infinity", "nan"].iter().any(|name| size.eq_ignore_ascii_case(name))
        || all_consuming(recognize_float::<_, ()>).parse(text).is_ok()
}

/// A little-endian two's complement number.
fn long(cursor: &mut Cursor, len: u64) -> Result<Argument, Stop> {
    let window = cursor.take(len, "as many bytes as the length says")?;
    if len > 8 {
        return Ok(Argument::Quantity);
    }
    let bytes = window.all()?;
    let fill = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    let mut whole = [fill; 8];
    if let Some(low) = whole.get_mut(..bytes.len()) {
        low.copy_from_slice(&bytes);
    }
    Ok(Argument::Number(i64::from_le_bytes(whole)))
}

/// A string in quotes on a line, as Python's `repr` writes it.
fn quoted(cursor: &mut Cursor) -> Result<Argument, Stop> {
    let range = line(cursor, u64::MAX, "a line with a string")?;
    let len = range.end.saturating_sub(range.start);
    let first = cursor.bytes().peek(range.start, 1)?;
    let last = cursor.bytes().peek(range.end.saturating_sub(1).max(range.start), 1)?;
    if len < 2 || first != last || !matches!(first.as_slice(), b"'" | b"\"") {
        return Err(Stop::malformed(range.start, "a string in quotes"));
    }
    Ok(Argument::Payload(range.start.saturating_add(1)..range.end.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opcode(bytes: &[u8]) -> Result<Opcode, Stop> {
        Opcode::read(&mut Bytes::of(bytes.to_vec()).cursor())
    }

    #[test]
    fn arguments_are_read_with_their_places() {
        assert_eq!(opcode(b"cos\nsystem\nx").unwrap().argument, Argument::Lines(1..3, 4..10));
        assert_eq!(opcode(b"\x8c\x02abc").unwrap().range, 0..4);
        assert_eq!(opcode(b"S'abc'\n").unwrap().argument, Argument::Payload(2..5));
        assert_eq!(opcode(b"I-12\n").unwrap().argument, Argument::Number(-12));
        assert_eq!(opcode(b"L12L\n").unwrap().argument, Argument::Number(12));
        assert_eq!(opcode(b"F1.5e3\n").unwrap().argument, Argument::Quantity);
        assert_eq!(opcode(b"\x8a\x01\xff").unwrap().argument, Argument::Number(-1));
        assert_eq!(opcode(&[b"V", "x".repeat(300_000).as_bytes(), b"\n"].concat()).unwrap().range, 0..300_002);
    }

    #[test]
    fn what_is_no_opcode_or_cut_has_a_place() {
        assert_eq!(opcode(b"\xff"), Err(Stop::malformed(0, "an opcode")));
        assert_eq!(opcode(b"\x80\x06"), Err(Stop::malformed(1, "a protocol from 0 to 5")));
        assert_eq!(opcode(b"X\xff\xff\xff\xff"), Err(Stop::malformed(5, "as many bytes as the length says")));
        assert!(opcode(b"Iowa\n").is_err());
        assert!(opcode(b"Sabc\n").is_err());
        assert!(opcode(b"cos\n").is_err());
        assert!(opcode(b"").is_err());
    }

    #[test]
    fn a_disassembly_says_place_name_and_argument() {
        let bytes = Bytes::of(b"cos\nsystem\nX\x02\0\0\0l\nK\x07R".to_vec());
        let mut cursor = bytes.cursor();
        let lines: Vec<String> =
            (0..4).map(|_| Opcode::read(&mut cursor).unwrap().disassembled(&bytes).unwrap()).collect();
        assert_eq!(
            lines,
            [
                "0x000000  GLOBAL            “os” “system”",
                "0x00000b  BINUNICODE        “l\\u{000A}”",
                "0x000012  BININT1           7",
                "0x000014  REDUCE",
            ]
        );
    }

    #[test]
    fn there_are_68_opcodes() {
        let known = |code: u8| {
            let answer = opcode(&[code]);
            answer != Err(Stop::malformed(0, "an opcode"))
        };
        let all: Vec<u8> = (0..=255).filter(|code| known(*code)).collect();
        assert_eq!(all.len(), 68);
        let mut named: Vec<u8> = NAMES.iter().map(|(code, _)| *code).collect();
        named.sort_unstable();
        assert_eq!(named, all);
    }
}
