//! JSON token by token, without recursion and in bounded memory, every token with its place.

use std::{borrow::Cow, ops::Range};

use crate::{
    bytes::{Bytes, Cursor},
    stop::{Limit, Stop},
};

/// Arrays and objects inside each other. Parsers that recurse give up far earlier.
const DEPTH: usize = 1000;

/// Bytes that are kept of a string; what is longer is walked over, and its place is known.
const KEPT: usize = 64 << 10;

/// Bytes that are kept of a key.
const KEPT_KEY: usize = 4 << 10;

/// Bytes looked at together.
const LOOK: usize = 4 << 10;

/// A token and its place in the layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// From its first byte to behind its last, quotation marks included.
    pub range: Range<u64>,
    /// What it is.
    pub token: Token,
}

/// One token of JSON text (RFC 8259 section 2).
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// `{`
    StartObject,
    /// `}`
    EndObject,
    /// `[`
    StartArray,
    /// `]`
    EndArray,
    /// The name of a member.
    Key(Text),
    /// A string that is a value.
    String(Text),
    /// A number, as written; `NaN`, `Infinity` and `-Infinity` too, which many writers use.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
}

/// A string as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Its place, without the quotation marks.
    pub range: Range<u64>,
    /// Its first bytes with escapes as written: at most 64 KiB, never cut inside an escape.
    pub raw: Vec<u8>,
    /// Whether `raw` is all of it.
    pub whole: bool,
}

impl Text {
    /// The text with escapes resolved; what is no character becomes U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        if memchr::memchr(b'\\', &self.raw).is_none() {
            return String::from_utf8_lossy(&self.raw);
        }
        let mut units = Vec::new();
        let mut text = String::with_capacity(self.raw.len());
        let mut rest = self.raw.as_slice();
        while let Some(at) = memchr::memchr(b'\\', rest) {
            let (before, escape) = rest.split_at(at);
            if !before.is_empty() {
                flush(&mut text, &mut units);
                text.push_str(&String::from_utf8_lossy(before));
            }
            let code = escape.get(1).copied().unwrap_or(b'\\');
            let mut len = 2;
            if code == b'u' {
                let digits = escape.get(2..6).and_then(|digits| std::str::from_utf8(digits).ok());
                units.push(digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()).unwrap_or(0xfffd));
                len = 6;
            } else {
                flush(&mut text, &mut units);
                text.push(match code {
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    other => char::from(other),
                });
            }
            rest = escape.get(len..).unwrap_or_default();
        }
        flush(&mut text, &mut units);
        text.push_str(&String::from_utf8_lossy(rest));
        Cow::Owned(text)
    }
}

/// Writes UTF-16 units that stood next to each other.
fn flush(text: &mut String, units: &mut Vec<u16>) {
    text.extend(char::decode_utf16(units.drain(..)).map(|unit| unit.unwrap_or('\u{fffd}')));
}

/// One step of the way to a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step<'a> {
    /// The member of an object with this name.
    Key(&'a str),
    /// The element of an array with this index, from 0.
    Index(u64),
}

/// Walks over JSON text: one value, or several, one a line (JSON Lines) or each behind a record separator (RFC 7464).
pub struct Walker {
    cursor: Cursor,
    levels: Vec<Level>,
    expect: Expect,
    damage: Option<Stop>,
    documents: u64,
    /// Whether the last token opened the innermost level, which is then not on the way to it.
    opened: bool,
}

struct Level {
    object: bool,
    key: String,
    index: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Expect {
    /// At the top: a value or the end.
    Document,
    /// Behind `:`, or behind `,` in an array.
    Value,
    /// Behind `[`.
    ValueOrEnd,
    /// Behind `{`.
    KeyOrEnd,
    /// Behind `,` in an object.
    Key,
    /// Behind a value.
    CommaOrEnd,
}

impl Walker {
    /// A walker over `bytes`. A UTF-8 byte order mark in front is passed over.
    ///
    /// # Errors
    /// Those of the source and the budget.
    pub fn new(bytes: &Bytes) -> Result<Self, Stop> {
        let mut cursor = bytes.cursor();
        if cursor.peek(3)? == b"\xef\xbb\xbf" {
            cursor.seek(cursor.at().saturating_add(3));
        }
        Ok(Walker { cursor, levels: Vec::new(), expect: Expect::Document, damage: None, documents: 0, opened: false })
    }

    /// The next token; `None` where the text ends between two documents, or where what follows the last document is
    /// no JSON: then [`Walker::at`] is before the end.
    ///
    /// # Errors
    /// [`Stop::Malformed`] with the place, [`Stop::Exhausted`] for too many levels; else as [`Bytes::peek`].
    pub fn step(&mut self) -> Result<Option<Event>, Stop> {
        self.opened = false;
        loop {
            let before = self.cursor.at();
            self.skip_space()?;
            let at = self.cursor.at();
            let Some(byte) = self.cursor.peek(1)?.first().copied() else {
                return if self.expect == Expect::Document { Ok(None) } else { Err(self.expected(at)) };
            };
            match (self.expect, byte) {
                (Expect::Document, _) if self.documents > 0 && (before == at || !starts_value(byte)) => {
                    return Ok(None);
                }
                (Expect::Document | Expect::Value | Expect::ValueOrEnd, _) if starts_value(byte) => {
                    return self.value(byte).map(Some);
                }
                (Expect::ValueOrEnd, b']') => return Ok(Some(self.close(Token::EndArray))),
                (Expect::KeyOrEnd, b'}') => return Ok(Some(self.close(Token::EndObject))),
                (Expect::KeyOrEnd | Expect::Key, b'"') => return self.name().map(Some),
                (Expect::CommaOrEnd, b',') => {
                    self.cursor.seek(at.saturating_add(1));
                    self.expect = match self.levels.last_mut() {
                        Some(level) if level.object => Expect::Key,
                        Some(level) => {
                            level.index = level.index.saturating_add(1);
                            Expect::Value
                        }
                        None => Expect::Document,
                    };
                }
                (Expect::CommaOrEnd, b'}') if self.in_object() => return Ok(Some(self.close(Token::EndObject))),
                (Expect::CommaOrEnd, b']') if !self.in_object() => return Ok(Some(self.close(Token::EndArray))),
                _ => return Err(self.expected(at)),
            }
        }
    }

    /// The place behind the last token.
    pub fn at(&self) -> u64 {
        self.cursor.at()
    }

    /// How many arrays and objects are open.
    pub fn depth(&self) -> usize {
        self.levels.len()
    }

    /// How many whole documents were walked over.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The way to the last token, from the top down.
    pub fn path(&self) -> impl DoubleEndedIterator<Item = Step<'_>> {
        self.way().map(|level| if level.object { Step::Key(&level.key) } else { Step::Index(level.index) })
    }

    /// The name of the member whose value the last token is or belongs to, as an element of an array or not.
    pub fn key(&self) -> Option<&str> {
        self.way().rev().find(|level| level.object).map(|level| level.key.as_str())
    }

    fn way(&self) -> impl DoubleEndedIterator<Item = &Level> {
        self.levels.iter().take(self.levels.len().saturating_sub(usize::from(self.opened)))
    }

    /// The way to the last token in words: `a.b[3]`.
    pub fn place(&self) -> String {
        let mut place = String::new();
        for step in self.path() {
            match step {
                Step::Key(key) if place.is_empty() => place.push_str(key),
                Step::Key(key) => {
                    place.push('.');
                    place.push_str(key);
                }
                Step::Index(index) => place.push_str(&format!("[{index}]")),
            }
        }
        place
    }

    /// The first thing that RFC 8259 forbids and that most parsers let pass: a control character or a byte that is
    /// not UTF-8 in a string.
    pub fn damage(&self) -> Option<&Stop> {
        self.damage.as_ref()
    }

    fn in_object(&self) -> bool {
        self.levels.last().is_some_and(|level| level.object)
    }

    fn expected(&self, at: u64) -> Stop {
        Stop::malformed(
            at,
            match self.expect {
                Expect::Document | Expect::Value => "a JSON value",
                Expect::ValueOrEnd => "a JSON value or ]",
                Expect::KeyOrEnd => "a key or }",
                Expect::Key => "a key",
                Expect::CommaOrEnd if self.in_object() => ", or }",
                Expect::CommaOrEnd => ", or ]",
            },
        )
    }

    fn skip_space(&mut self) -> Result<(), Stop> {
        let top = self.expect == Expect::Document;
        loop {
            let look = self.cursor.peek(64)?;
            let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r') || (top && *byte == 0x1e);
            let count = look.iter().take_while(|byte| space(byte)).count();
            let all = count == look.len();
            self.cursor.seek(self.cursor.at().saturating_add(count as u64));
            if count == 0 || !all {
                return Ok(());
            }
        }
    }

    fn value(&mut self, byte: u8) -> Result<Event, Stop> {
        let start = self.cursor.at();
        let token = match byte {
            b'{' | b'[' => {
                if self.levels.len() >= DEPTH {
                    return Err(Stop::Exhausted(Limit::Depth));
                }
                let object = byte == b'{';
                self.cursor.seek(start.saturating_add(1));
                self.opened = true;
                self.levels.push(Level { object, key: String::new(), index: 0 });
                self.expect = if object { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
                let token = if object { Token::StartObject } else { Token::StartArray };
                return Ok(Event { range: start..self.cursor.at(), token });
            }
            b'"' => Token::String(self.string(KEPT)?),
            b't' => self.word("true", Token::Bool(true))?,
            b'f' => self.word("false", Token::Bool(false))?,
            b'n' => self.word("null", Token::Null)?,
            b'N' => self.word("NaN", Token::Number("NaN".into()))?,
            b'I' => self.word("Infinity", Token::Number("Infinity".into()))?,
            _ => self.number()?,
        };
        self.valued();
        Ok(Event { range: start..self.cursor.at(), token })
    }

    /// A value is complete.
    fn valued(&mut self) {
        if self.levels.is_empty() {
            self.documents = self.documents.saturating_add(1);
            self.expect = Expect::Document;
        } else {
            self.expect = Expect::CommaOrEnd;
        }
    }

    fn close(&mut self, token: Token) -> Event {
        let start = self.cursor.at();
        self.cursor.seek(start.saturating_add(1));
        self.levels.pop();
        self.valued();
        Event { range: start..self.cursor.at(), token }
    }

    fn name(&mut self) -> Result<Event, Stop> {
        let start = self.cursor.at();
        let text = self.string(KEPT_KEY)?;
        let range = start..self.cursor.at();
        if let Some(level) = self.levels.last_mut() {
            level.key = text.text().into_owned();
        }
        self.skip_space()?;
        let at = self.cursor.at();
        if self.cursor.peek(1)? != b":" {
            return Err(Stop::malformed(at, "a colon"));
        }
        self.cursor.seek(at.saturating_add(1));
        self.expect = Expect::Value;
        Ok(Event { range, token: Token::Key(text) })
    }

    fn word(&mut self, word: &'static str, token: Token) -> Result<Token, Stop> {
        let at = self.cursor.at();
        let look = self.cursor.peek(word.len().saturating_add(1))?;
        let ends = !look.get(word.len()).is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !look.starts_with(word.as_bytes()) || !ends {
            return Err(Stop::malformed(at, "a JSON value"));
        }
        self.cursor.seek(at.saturating_add(word.len() as u64));
        Ok(token)
    }

    /// RFC 8259 section 6.
    fn number(&mut self) -> Result<Token, Stop> {
        let at = self.cursor.at();
        let look = self.cursor.peek(LOOK)?;
        let in_number = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let len = look.iter().take_while(|byte| in_number(byte)).count();
        let text = look.get(..len).unwrap_or_default();
        if len == LOOK || !(is_number(text) || text == b"-Infinity") {
            return Err(Stop::malformed(at, "a number"));
        }
        let text = String::from_utf8_lossy(text).into_owned();
        self.cursor.seek(at.saturating_add(len as u64));
        Ok(Token::Number(text))
    }

    /// From the quotation mark on, RFC 8259 section 7.
    fn string(&mut self, keep: usize) -> Result<Text, Stop> {
        let start = self.cursor.at().saturating_add(1);
        self.cursor.seek(start);
        let mut text = Text { range: start..start, raw: Vec::new(), whole: true };
        let mut utf8 = Utf8::default();
        loop {
            let at = self.cursor.at();
            let look = self.cursor.peek(LOOK)?;
            let plain = look.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(look.len());
            let piece = look.get(..plain).unwrap_or_default();
            text.keep(piece, keep, 1);
            let mut damage =
                utf8.add(piece).map(|skip| Stop::malformed(at.saturating_add(skip as u64), "text in UTF-8"));
            let mut next = at.saturating_add(plain as u64);
            let end = look.get(plain).copied();
            match end {
                Some(b'\\') => {
                    let escape = look.get(plain..).unwrap_or_default();
                    match escape_len(escape) {
                        Some(len) => {
                            text.keep(escape.get(..len).unwrap_or_default(), keep, len);
                            damage = damage.or(utf8.end().then(|| Stop::malformed(next, "text in UTF-8")));
                            next = next.saturating_add(len as u64);
                        }
                        // Cut by the window: look again from the backslash on. At its start there is nothing more.
                        None if plain > 0 && escape.len() < 6 => {}
                        None => return Err(Stop::malformed(next, "an escape sequence")),
                    }
                }
                Some(b'"') => {
                    damage = damage.or(utf8.end().then(|| Stop::malformed(next, "text in UTF-8")));
                    text.range.end = next;
                    next = next.saturating_add(1);
                }
                Some(control) => {
                    damage = damage.or(Some(Stop::malformed(next, "an escaped control character")));
                    text.keep(&[control], keep, 1);
                    next = next.saturating_add(1);
                }
                None if plain == 0 => return Err(Stop::malformed(at, "the end of a string")),
                None => {}
            }
            self.damage = self.damage.take().or(damage);
            self.cursor.seek(next);
            if end == Some(b'"') {
                return Ok(text);
            }
        }
    }
}

impl Text {
    /// Keeps bytes as long as there is room, in pieces of at least `unit` bytes.
    fn keep(&mut self, bytes: &[u8], most: usize, unit: usize) {
        let room = if self.whole { most.saturating_sub(self.raw.len()) } else { 0 };
        let taken = if bytes.len() <= room {
            bytes.len()
        } else if unit > 1 {
            0
        } else {
            room
        };
        self.raw.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        self.whole = self.whole && taken == bytes.len();
    }
}

fn starts_value(byte: u8) -> bool {
    matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'N' | b'I')
}

fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text.starts_with(b"0")) {
        return false;
    }
    let mut rest = text.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = fraction.get(len..).unwrap_or_default();
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or(rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let len = digits(exponent);
        if len == 0 {
            return false;
        }
        rest = exponent.get(len..).unwrap_or_default();
    }
    rest.is_empty()
}

/// The length of the escape sequence that `bytes` starts with.
fn escape_len(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => bytes.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

/// Whether pieces of text are UTF-8 together.
#[derive(Default)]
struct Utf8 {
    /// The start of a character whose rest is in the next piece.
    carry: Vec<u8>,
}

impl Utf8 {
    /// The place in the piece of the first byte that is not UTF-8.
    fn add(&mut self, piece: &[u8]) -> Option<usize> {
        if self.carry.is_empty() && piece.is_ascii() {
            return None;
        }
        let carried = self.carry.len();
        let mut bytes = std::mem::take(&mut self.carry);
        bytes.extend_from_slice(piece);
        let error = std::str::from_utf8(&bytes).err()?;
        if error.error_len().is_none() {
            self.carry = bytes.split_off(error.valid_up_to());
            return None;
        }
        Some(error.valid_up_to().saturating_sub(carried))
    }

    /// Whether a character is incomplete here, where text ends.
    fn end(&mut self) -> bool {
        !std::mem::take(&mut self.carry).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &[u8]) -> Result<Vec<String>, Stop> {
        let mut walker = Walker::new(&Bytes::of(text))?;
        let mut tokens = Vec::new();
        while let Some(event) = walker.step()? {
            let shown = match &event.token {
                Token::Key(text) | Token::String(text) => text.text().into_owned(),
                Token::Number(number) => number.clone(),
                other => format!("{other:?}"),
            };
            tokens.push(format!("{}={shown}@{}", walker.place(), event.range.start));
        }
        Ok(tokens)
    }

    #[test]
    fn every_token_has_its_way_and_its_place() {
        let text = br#"{"a": [1, {"b": "x"}, true], "c": null}"#;
        assert_eq!(
            tokens(text).unwrap(),
            [
                "=StartObject@0",
                "a=a@1",
                "a=StartArray@6",
                "a[0]=1@7",
                "a[1]=StartObject@10",
                "a[1].b=b@11",
                "a[1].b=x@16",
                "a[1]=EndObject@19",
                "a[2]=Bool(true)@22",
                "a=EndArray@26",
                "c=c@29",
                "c=Null@34",
                "=EndObject@38",
            ]
        );
    }

    #[test]
    fn it_accepts_and_refuses_what_serde_json_does() {
        let samples: &[&str] = &[
            "0",
            "-0",
            "01",
            "1.",
            "1.5e+3",
            "1e",
            "-",
            "+1",
            ".5",
            "[]",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "\"\\u00e9\\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "[1 2]",
            "tru",
            "truex",
            "nul",
            "{\"a\":{\"b\":[[],[{}]]}}",
            "[\"\"]",
            "\"ab",
            "{\"a\":1",
            "'a'",
            "[1]]",
            "{}}",
            "// c\n1",
            "\"\\ud83d\\ude00\"",
        ];
        for sample in samples {
            let ours = {
                let mut walker = Walker::new(&Bytes::of(*sample)).unwrap();
                let mut good = true;
                loop {
                    match walker.step() {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => {
                            good = false;
                            break;
                        }
                    }
                }
                good && walker.at() == sample.len() as u64
            };
            let theirs = serde_json::from_str::<serde_json::Value>(sample).is_ok();
            assert_eq!(ours, theirs, "{sample}");
        }
    }

    #[test]
    fn strings_decode_like_serde_json() {
        for sample in [r#""plain""#, r#""a\"b\\c\/\b\f\n\r\t""#, r#""\u00fc\uD83D\uDE00 ü""#, r#""""#] {
            let mut walker = Walker::new(&Bytes::of(sample)).unwrap();
            let Some(Event { token: Token::String(text), .. }) = walker.step().unwrap() else { panic!() };
            assert_eq!(text.text(), serde_json::from_str::<String>(sample).unwrap());
        }
        let mut walker = Walker::new(&Bytes::of(r#""a\ud800b""#)).unwrap();
        let Some(Event { token: Token::String(text), .. }) = walker.step().unwrap() else { panic!() };
        assert_eq!(text.text(), "a\u{fffd}b");
    }

    #[test]
    fn long_strings_are_walked_over_and_cut_between_characters() {
        for filler in ["x", "\\n", "\\u00e9", "é"] {
            for pad in 0..7 {
                let long = format!("[\"{}{}\",1]", "y".repeat(pad), filler.repeat(80_000));
                let mut walker = Walker::new(&Bytes::of(long.as_str())).unwrap();
                walker.step().unwrap();
                let Some(Event { token: Token::String(text), range }) = walker.step().unwrap() else { panic!() };
                assert_eq!(range, 1..long.len() as u64 - 3);
                assert_eq!(text.whole, long.len() < KEPT);
                assert!(text.raw.len() <= KEPT);
                assert!(filler == "é" || !text.text().contains('\u{fffd}'));
                assert_eq!(walker.damage(), None);
                assert!(matches!(walker.step().unwrap().unwrap().token, Token::Number(_)));
            }
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(tokens(deep.as_bytes()), Err(Stop::Exhausted(Limit::Depth)));
    }

    #[test]
    fn lines_are_documents() {
        assert_eq!(tokens(b"{}\n{}\r\n[]\n").unwrap().len(), 6);
        assert_eq!(tokens(b"\xef\xbb\xbf1\n2\n").unwrap(), ["=1@3", "=2@5"]);
        assert_eq!(tokens(b"\x1e{}\n\x1e{}\n").unwrap().len(), 4);
    }

    #[test]
    fn what_is_not_utf8_is_damage_with_its_place() {
        let mut walker = Walker::new(&Bytes::of(&b"[\"ab\xff\"]"[..])).unwrap();
        while walker.step().unwrap().is_some() {}
        assert_eq!(walker.damage(), Some(&Stop::malformed(4, "text in UTF-8")));
        let mut walker = Walker::new(&Bytes::of(&b"[\"a\nb\"]"[..])).unwrap();
        while walker.step().unwrap().is_some() {}
        assert_eq!(walker.damage(), Some(&Stop::malformed(3, "an escaped control character")));
    }
}
