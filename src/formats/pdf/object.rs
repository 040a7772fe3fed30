//! Objects: numbers, names, strings, arrays, dictionaries and references (ISO 32000-2, 7.3).
//!
//! Read with `nom` from a bounded window. Arrays and dictionaries wait on a stack of their own: nothing recurses.

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take_till, take_while, take_while1},
    character::complete::{char, digit1},
    combinator::{map_res, not, opt, peek, value},
    multi::many0_count,
    sequence::{delimited, preceded, terminated},
};

/// Number and generation of an indirect object.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Id {
    pub number: u32,
    pub generation: u32,
}

/// An object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    Null,
    Boolean(bool),
    Integer(i64),
    Real,
    /// Without its solidus, with "#xx" replaced.
    Name(Vec<u8>),
    /// Literal or hexadecimal, with escapes replaced.
    String(Vec<u8>),
    Array(Vec<Object>),
    Dictionary(Dictionary),
    Reference(Id),
}

impl Object {
    pub fn dictionary(&self) -> Option<&Dictionary> {
        match self {
            Object::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }

    pub fn name(&self) -> Option<&[u8]> {
        match self {
            Object::Name(name) => Some(name),
            _ => None,
        }
    }

    pub fn string(&self) -> Option<&[u8]> {
        match self {
            Object::String(string) => Some(string),
            _ => None,
        }
    }

    pub fn integer(&self) -> Option<u64> {
        match self {
            Object::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    pub fn reference(&self) -> Option<Id> {
        match self {
            Object::Reference(id) => Some(*id),
            _ => None,
        }
    }
}

/// Keys and values in the order in which they stand. A key may stand twice: which one counts depends on the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Dictionary(pub Vec<(Vec<u8>, Object)>);

impl Dictionary {
    /// The last value under `key`, as most programs see it.
    pub fn get(&self, key: &[u8]) -> Option<&Object> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub fn has(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    /// Whether the value under `key` is the name `name`.
    pub fn is(&self, key: &[u8], name: &[u8]) -> bool {
        self.get(key).and_then(Object::name) == Some(name)
    }
}

/// What was read, how much of the window that took, and the first place where it is not as the specification asks.
pub(super) struct Parsed {
    pub object: Object,
    pub len: usize,
    pub damage: Option<usize>,
}

/// Where the window is no object.
#[derive(Debug)]
pub(super) struct Fault {
    pub at: usize,
}

/// Arrays and dictionaries inside each other.
const DEPTH: usize = 200;

/// Values in one object.
const VALUES: usize = 1 << 19;

/// An array or a dictionary that is not closed yet.
enum Open {
    Array(Vec<Object>),
    Dictionary(Vec<(Vec<u8>, Object)>, Option<Vec<u8>>),
}

/// One step of reading.
#[derive(Clone)]
enum Token {
    OpenArray,
    CloseArray,
    OpenDictionary,
    CloseDictionary,
    Value(Object),
}

/// The object at the start of `window`.
pub(super) fn parse(window: &[u8]) -> Result<Parsed, Fault> {
    let place = |rest: &[u8]| window.len().saturating_sub(rest.len());
    let mut rest = window;
    let mut open: Vec<Open> = Vec::new();
    let mut damage = None;
    for _ in 0..VALUES {
        let before = skip_space(rest);
        let (after, token) = match token(before) {
            Ok(read) => read,
            Err(nom::Err::Error(error) | nom::Err::Failure(error)) => return Err(Fault { at: place(error.input) }),
            Err(nom::Err::Incomplete(_)) => return Err(Fault { at: window.len() }),
        };
        rest = after;
        let fault = Fault { at: place(before) };
        let complete = match token {
            Token::OpenArray => {
                open.push(Open::Array(Vec::new()));
                None
            }
            Token::OpenDictionary => {
                open.push(Open::Dictionary(Vec::new(), None));
                None
            }
            Token::CloseArray => match open.pop() {
                Some(Open::Array(values)) => Some(Object::Array(values)),
                _ => return Err(fault),
            },
            Token::CloseDictionary => match open.pop() {
                Some(Open::Dictionary(mut entries, key)) => {
                    if let Some(key) = key {
                        damage = damage.or(Some(place(before)));
                        entries.push((key, Object::Null));
                    }
                    Some(Object::Dictionary(Dictionary(entries)))
                }
                _ => return Err(fault),
            },
            Token::Value(value) => Some(value),
        };
        if open.len() > DEPTH {
            return Err(fault);
        }
        let Some(complete) = complete else { continue };
        match (open.last_mut(), complete) {
            (None, object) => return Ok(Parsed { object, len: place(rest), damage }),
            (Some(Open::Array(values)), object) => values.push(object),
            (Some(Open::Dictionary(_, key @ None)), Object::Name(name)) => *key = Some(name),
            // A value without a key belongs to nothing.
            (Some(Open::Dictionary(_, None)), _) => damage = damage.or(Some(place(before))),
            (Some(Open::Dictionary(entries, key)), object) => entries.extend(key.take().map(|key| (key, object))),
        }
    }
    Err(Fault { at: place(rest) })
}

/// Behind white space and comments.
pub(super) fn skip_space(input: &[u8]) -> &[u8] {
    let comment = preceded(char('%'), take_till(is_line_end));
    let space = take_while1(is_space);
    let skipped: IResult<&[u8], usize> = many0_count(alt((space, comment))).parse(input);
    skipped.map_or(input, |(rest, _)| rest)
}

pub(super) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// White space (table 1).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// What ends a name, a number or a keyword without being a part of it.
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

pub(super) fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !is_delimiter(byte)
}

/// A keyword that nothing continues.
pub(super) fn keyword<'a>(
    word: &'static str,
) -> impl Parser<&'a [u8], Output = &'a [u8], Error = nom::error::Error<&'a [u8]>> {
    terminated(tag(word.as_bytes()), not(peek(take_while1(is_regular))))
}

/// The number of an object: decimal digits.
pub(super) fn number(input: &[u8]) -> IResult<&[u8], u32> {
    let text = map_res(digit1, |digits: &[u8]| std::str::from_utf8(digits).unwrap_or_default().parse::<u32>());
    { text }.parse(input)
}

/// "number generation obj", in front of an object.
pub(super) fn head(input: &[u8]) -> IResult<&[u8], Id> {
    let (input, number_) = number(input)?;
    let (input, _) = take_while1(is_space)(input)?;
    let (input, generation) = number(input)?;
    let (input, _) = take_while(is_space)(input)?;
    let (input, _) = tag("obj".as_bytes())(input)?;
    Ok((input, Id { number: number_, generation }))
}

fn token(input: &[u8]) -> IResult<&[u8], Token> {
    alt((
        value(Token::OpenDictionary, tag("<<".as_bytes())),
        value(Token::CloseDictionary, tag(">>".as_bytes())),
        value(Token::OpenArray, char('[')),
        value(Token::CloseArray, char(']')),
        scalar.map(Token::Value),
    ))
    .parse(input)
}

fn scalar(input: &[u8]) -> IResult<&[u8], Object> {
    match input.first() {
        Some(b'/') => name(input).map(|(rest, name)| (rest, Object::Name(name))),
        Some(b'(') => literal(input).map(|(rest, string)| (rest, Object::String(string))),
        Some(b'<') => hexadecimal(input).map(|(rest, string)| (rest, Object::String(string))),
        Some(b'0'..=b'9') => alt((reference, numeric)).parse(input),
        Some(b'+' | b'-' | b'.') => numeric(input),
        _ => alt((
            value(Object::Null, keyword("null")),
            value(Object::Boolean(true), keyword("true")),
            value(Object::Boolean(false), keyword("false")),
        ))
        .parse(input),
    }
}

fn reference(input: &[u8]) -> IResult<&[u8], Object> {
    let (input, number_) = number(input)?;
    let (input, _) = take_while1(is_space)(input)?;
    let (input, generation) = number(input)?;
    let (input, _) = take_while1(is_space)(input)?;
    let (input, _) = keyword("R").parse(input)?;
    Ok((input, Object::Reference(Id { number: number_, generation })))
}

/// An integer or a real number; programs accept more signs and points than the specification.
fn numeric(input: &[u8]) -> IResult<&[u8], Object> {
    let (rest, text) = take_while1(|byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.'))(input)?;
    let integer = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    Ok((rest, integer.map_or(Object::Real, Object::Integer)))
}

/// A name: any byte may be written as "#" and two hexadecimal digits.
fn name(input: &[u8]) -> IResult<&[u8], Vec<u8>> {
    let (rest, written) = preceded(char('/'), take_while(is_regular)).parse(input)?;
    let mut name = Vec::with_capacity(written.len());
    let mut left = written;
    while let Some((first, behind)) = left.split_first() {
        let digits = behind.get(..2).and_then(|digits| Some((digit(*digits.first()?)?, digit(*digits.last()?)?)));
        match digits {
            Some((high, low)) if *first == b'#' => {
                name.push((high << 4) | low);
                left = behind.get(2..).unwrap_or_default();
            }
            _ => {
                name.push(*first);
                left = behind;
            }
        }
    }
    Ok((rest, name))
}

/// The value of a hexadecimal digit.
pub(super) fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A hexadecimal string: what is no digit is passed over, a missing last digit is 0.
fn hexadecimal(input: &[u8]) -> IResult<&[u8], Vec<u8>> {
    let (rest, written) = delimited(char('<'), take_till(|byte| byte == b'>'), char('>')).parse(input)?;
    let digits: Vec<u8> = written.iter().filter_map(|byte| digit(*byte)).collect();
    let pair = |pair: &[u8]| (pair.first().unwrap_or(&0) << 4) | pair.get(1).unwrap_or(&0);
    Ok((rest, digits.chunks(2).map(pair).collect()))
}

/// A literal string: parentheses inside it are balanced or escaped (7.3.4.2).
fn literal(input: &[u8]) -> IResult<&[u8], Vec<u8>> {
    let (mut rest, _) = char('(')(input)?;
    let mut string = Vec::new();
    let mut depth = 1usize;
    loop {
        let (after, plain) = take_till(|byte| matches!(byte, b'(' | b')' | b'\\' | b'\r'))(rest)?;
        string.extend_from_slice(plain);
        let Some((special, after)) = after.split_first() else {
            return Err(nom::Err::Error(nom::error::Error::new(after, nom::error::ErrorKind::Char)));
        };
        rest = after;
        match special {
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            b'\r' => rest = opt(char('\n')).parse(rest)?.0,
            _ => {
                rest = escape(rest, &mut string);
                continue;
            }
        }
        if depth == 0 {
            return Ok((rest, string));
        }
        string.push(if *special == b'\r' { b'\n' } else { *special });
    }
}

/// Adds what an escape stands for, and goes behind it.
fn escape<'a>(input: &'a [u8], string: &mut Vec<u8>) -> &'a [u8] {
    let Some((first, rest)) = input.split_first() else { return input };
    match first {
        b'n' => string.push(b'\n'),
        b'r' => string.push(b'\r'),
        b't' => string.push(b'\t'),
        b'b' => string.push(8),
        b'f' => string.push(12),
        b'\n' => {}
        b'\r' => return rest.strip_prefix(b"\n").unwrap_or(rest),
        b'0'..=b'7' => {
            let len = input.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            let (digits, rest) = input.split_at_checked(len).unwrap_or((&[], rest));
            // High-order overflow is ignored, as the specification says.
            string.push(digits.iter().fold(0u8, |sum, byte| sum.wrapping_mul(8).wrapping_add(byte.wrapping_sub(b'0'))));
            return rest;
        }
        other => string.push(*other),
    }
    rest
}

/// A text string as people read it: UTF-16 or UTF-8 behind their marks, else PDFDocEncoding, whose printable letters
/// are those of Latin 1.
pub(super) fn text(string: &[u8]) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(unit).collect();
        String::from_utf16_lossy(&units)
    };
    match string {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => string.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Object {
        parse(text.as_bytes()).unwrap().object
    }

    fn string(bytes: &[u8]) -> Object {
        Object::String(bytes.to_vec())
    }

    #[test]
    fn strings_and_names_are_unescaped() {
        assert_eq!(read("/J#61vaScript "), Object::Name(b"JavaScript".to_vec()));
        assert_eq!(read("/A#4 "), Object::Name(b"A#4".to_vec()));
        assert_eq!(read("(a(b)c\\)\\\r\nd\\101\\7\r\n)"), string(b"a(b)c)dA\x07\n"));
        assert_eq!(read("(\\400)"), string(b"\0"));
        assert_eq!(read("<41 4>"), string(b"A@"));
        assert_eq!(text(b"\xfe\xff\0a\0b"), "ab");
        assert_eq!(text(b"\xe9"), "é");
    }

    #[test]
    fn references_are_told_from_numbers() {
        let three = Object::Reference(Id { number: 3, generation: 0 });
        assert_eq!(read("[1 2 3 0 R]"), Object::Array(vec![Object::Integer(1), Object::Integer(2), three.clone()]));
        assert_eq!(read("3 0 R"), three);
        assert_eq!(read("3 0 Rx"), Object::Integer(3));
        assert_eq!(read("-.5"), Object::Real);
    }

    #[test]
    fn dictionaries_keep_every_entry() {
        let Object::Dictionary(read) = read("<</A 1%>>\n/A<</B[/C]>>/D/E>>") else { panic!() };
        assert_eq!(read.0.len(), 3);
        assert!(read.get(b"A").and_then(Object::dictionary).is_some_and(|inner| inner.has(b"B")));
        assert!(read.is(b"D", b"E"));
        assert_eq!(parse(b"<</A/B/C>>").unwrap().damage, Some(8));
        assert_eq!(parse(b"<<1/A 2>>").unwrap().damage, Some(2));
    }

    #[test]
    fn depth_and_damage_end_in_a_place() {
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse(("[".repeat(100) + &"]".repeat(100)).as_bytes()).is_ok());
        assert_eq!(parse(b"(abc").map(|_| ()).unwrap_err().at, 4);
        assert_eq!(parse(b"<</A]").map(|_| ()).unwrap_err().at, 4);
    }
}
