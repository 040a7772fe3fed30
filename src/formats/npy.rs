//! NPY: one NumPy array.
//!
//! Specification: NEP 1, and `numpy/lib/format.py`.
//!
//! ```text
//! array = 93 "NUMPY" | major 1, minor 1 | header length 2 (version 1) or 4 | header | values
//! header = {'descr': dtype, 'fortran_order': truth, 'shape': (n, …)} as a Python literal, blanks, LF
//! file  = array+
//! ```
//! Where the dtype holds objects, the values are a pickle.

use std::ops::Range;

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take_while, take_while1},
    character::complete::{char, one_of},
    combinator::{opt, recognize, value},
    sequence::delimited,
};

use super::pickle::{ElementType, element_type};
use crate::{
    bytes::{Bytes, Cursor},
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    stop::Stop,
};

/// NPY.
pub static FORMAT: Format = Format {
    id: "npy",
    name: "NumPy array",
    spec: "https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html",
    extensions: &["npy"],
    media_types: &[],
    marks: &[Mark::start(b"\x93NUMPY")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm_buried),
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// Arrays behind each other in one file.
const ARRAYS: usize = 100_000;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(8)?;
    Ok(matches!(head.get(6..8), Some([1..=3, _])))
}

fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(confirm(candidate)? && Header::read(&mut candidate.bytes.cursor()).is_ok())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    for _ in 0..ARRAYS {
        let header = Header::read(&mut cursor)?;
        visit.structure(header.range.clone(), "header")?;
        if header.element.is_object {
            // Where the pickle ends, only its own reader knows.
            let rest = cursor.at()..visit.bytes.end();
            if rest.is_empty() {
                return Err(Stop::malformed(rest.start, "the pickle of the objects"));
            }
            return visit.open("objects of the array", Span::Range(rest), Role::File);
        }
        let len = header.len.ok_or(Stop::malformed(header.range.start, "a shape that fits"))?;
        let size = header.element.size.ok_or(Stop::unsupported(header.range.start, "a dtype that is not known"))?;
        let len = len.checked_mul(size).ok_or(Stop::malformed(header.range.start, "a shape that fits"))?;
        let values = cursor.take(len, "the values of the array")?;
        visit.opaque(values.range(), "array values")?;
        if !visit.bytes.starts_with(cursor.at(), b"\x93NUMPY")? {
            break;
        }
    }
    Ok(())
}

struct Header {
    range: Range<u64>,
    element: ElementType,
    /// How many elements; `None` where the number does not fit.
    len: Option<u64>,
}

/// The longest header that is read: NumPy refuses more than 10 000 bytes unless told otherwise.
const HEADER: u32 = 1 << 20;

impl Header {
    fn read(cursor: &mut Cursor) -> Result<Self, Stop> {
        let start = cursor.at();
        let mark = cursor.array::<8>("a header of a NumPy array")?;
        let [b'\x93', b'N', b'U', b'M', b'P', b'Y', major, _] = mark else {
            return Err(Stop::malformed(start, "a header of a NumPy array"));
        };
        let len = match major {
            1 => u32::from(cursor.u16_le("the length of the header")?),
            2 | 3 => cursor.u32_le("the length of the header")?,
            _ => return Err(Stop::malformed(start.saturating_add(6), "version 1, 2 or 3")),
        };
        let at = cursor.at();
        if len > HEADER {
            return Err(Stop::malformed(at, "a header of less than a mebibyte"));
        }
        let text = cursor.take(u64::from(len), "the header")?.all()?;
        let malformed = || Stop::malformed(at, "a dictionary with descr, fortran_order and shape");
        let Some(Literal::Dictionary(pairs)) = Literal::parse(&text) else { return Err(malformed()) };
        let find = |key: &str| pairs.iter().find(|pair| pair.0 == Literal::Text(key.into())).map(|pair| &pair.1);
        let (Some(descr), Some(_), Some(Literal::Sequence(shape))) =
            (find("descr"), find("fortran_order"), find("shape"))
        else {
            return Err(malformed());
        };
        let mut len = Some(1u64);
        for extent in shape {
            let Literal::Number(extent) = extent else { return Err(malformed()) };
            len = len.zip(u64::try_from(*extent).ok()).and_then(|(len, extent)| len.checked_mul(extent));
        }
        Ok(Header { range: start..cursor.at(), element: size_of(descr), len })
    }
}

/// The element that a `descr` describes: a spelling, a list of fields, or a type with a shape.
fn size_of(descr: &Literal) -> ElementType {
    let mut whole = ElementType { size: Some(0), is_object: false };
    let mut rest: Vec<(&Literal, u64)> = vec![(descr, 1)];
    while let Some((descr, times)) = rest.pop() {
        match descr {
            Literal::Text(spelled) => {
                let element = element_type(spelled);
                whole.is_object = whole.is_object || element.is_object;
                let size = element.size.and_then(|size| size.checked_mul(times));
                whole.size = whole.size.zip(size).and_then(|(whole, size)| whole.checked_add(size));
            }
            // [(name, type), (name, type, shape), …]
            Literal::List(fields) => {
                for field in fields {
                    match field {
                        Literal::Sequence(field) => match field.as_slice() {
                            [_name, inner] => rest.push((inner, times)),
                            [_name, inner, shape] => rest.push((inner, times.saturating_mul(extent_of(shape)))),
                            _ => whole.size = None,
                        },
                        _ => whole.size = None,
                    }
                }
            }
            // (type, shape)
            Literal::Sequence(pair) => match pair.as_slice() {
                [inner, shape] => rest.push((inner, times.saturating_mul(extent_of(shape)))),
                _ => whole.size = None,
            },
            _ => whole.size = None,
        }
    }
    whole
}

fn extent_of(shape: &Literal) -> u64 {
    let number = |literal: &Literal| match literal {
        Literal::Number(number) => u64::try_from(*number).unwrap_or(u64::MAX),
        _ => u64::MAX,
    };
    match shape {
        Literal::Sequence(extents) | Literal::List(extents) => {
            extents.iter().fold(1u64, |product, extent| product.saturating_mul(number(extent)))
        }
        other => number(other),
    }
}

/// A Python literal, as far as headers use it.
#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Constant,
    Number(i64),
    Text(String),
    /// In round brackets.
    Sequence(Vec<Literal>),
    List(Vec<Literal>),
    Dictionary(Vec<(Literal, Literal)>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open(char),
    Close(char),
    Comma,
    Colon,
    Value(Literal),
}

/// Brackets inside brackets.
const DEPTH: usize = 32;

impl Literal {
    /// The literal that the whole text is. Nothing recurses: open brackets wait on a stack.
    fn parse(text: &[u8]) -> Option<Literal> {
        let mut rest = text;
        let mut open: Vec<(char, Vec<Literal>, usize)> = Vec::new();
        let mut whole = None;
        loop {
            let (behind, _) = blanks(rest).ok()?;
            if behind.is_empty() {
                return if open.is_empty() { whole } else { None };
            }
            let (behind, next) = token(behind).ok()?;
            rest = behind;
            let done = match next {
                Token::Open(bracket) if open.len() < DEPTH => {
                    open.push((bracket, Vec::new(), 0));
                    continue;
                }
                Token::Open(_) => return None,
                Token::Comma => {
                    let (_, items, separators) = open.last_mut()?;
                    *separators = separators.checked_add(1)?;
                    if items.is_empty() {
                        return None;
                    }
                    continue;
                }
                Token::Colon => {
                    let (bracket, items, _) = open.last()?;
                    if *bracket != '{' || items.len().is_multiple_of(2) {
                        return None;
                    }
                    continue;
                }
                Token::Close(bracket) => {
                    let (opened, mut items, commas) = open.pop()?;
                    match (opened, bracket) {
                        ('(', ')') if items.len() == 1 && commas == 0 => items.pop()?,
                        ('(', ')') => Literal::Sequence(items),
                        ('[', ']') => Literal::List(items),
                        ('{', '}') if items.len().is_multiple_of(2) => {
                            let mut pairs = Vec::new();
                            let mut items = items.into_iter();
                            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                                pairs.push((key, value));
                            }
                            Literal::Dictionary(pairs)
                        }
                        _ => return None,
                    }
                }
                Token::Value(value) => value,
            };
            match open.last_mut() {
                Some((_, items, _)) => items.push(done),
                None if whole.is_none() => whole = Some(done),
                None => return None,
            }
        }
    }
}

fn blanks(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while(|byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))(input)
}

fn token(input: &[u8]) -> IResult<&[u8], Token> {
    alt((
        one_of("([{").map(Token::Open),
        one_of(")]}").map(Token::Close),
        value(Token::Comma, char(',')),
        value(Token::Colon, char(':')),
        value(Token::Value(Literal::Constant), alt((tag("True"), tag("False"), tag("None")))),
        number.map(|number| Token::Value(Literal::Number(number))),
        string.map(|text| Token::Value(Literal::Text(text))),
    ))
    .parse(input)
}

/// A whole number; Python 2 wrote an `L` behind a long one.
fn number(input: &[u8]) -> IResult<&[u8], i64> {
    let (rest, digits) = recognize((opt(char('-')), take_while1(|byte: u8| byte.is_ascii_digit()))).parse(input)?;
    let (rest, _) = opt(char('L')).parse(rest)?;
    let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    Ok((rest, number.unwrap_or(i64::MAX)))
}

/// A string without escapes, which names of types and fields do not need; with one it is kept as it stands.
fn string(input: &[u8]) -> IResult<&[u8], String> {
    let (input, _) = opt(one_of("bur")).parse(input)?;
    let inside = |quote: u8| take_while(move |byte: u8| byte != quote);
    let (rest, text) =
        alt((delimited(char('\''), inside(b'\''), char('\'')), delimited(char('"'), inside(b'"'), char('"'))))
            .parse(input)?;
    Ok((rest, String::from_utf8_lossy(text).into_owned()))
}

/// Reads the header of an array at the start of `bytes`: how long its values are, for formats that embed arrays.
///
/// # Errors
/// [`Stop::Malformed`] where there is none.
pub fn values_of(bytes: &Bytes) -> Result<Option<Range<u64>>, Stop> {
    let mut cursor = bytes.cursor();
    let header = Header::read(&mut cursor)?;
    let len = header.len.zip(header.element.size).and_then(|(len, size)| len.checked_mul(size));
    Ok(len.map(|len| cursor.at()..cursor.at().saturating_add(len)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn npy(header: &str, values: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        let header = format!("{header:<117}\n");
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values);
        bytes
    }

    #[test]
    fn plain_arrays_are_just_data() {
        for (descr, shape, len) in [
            ("'<f8'", "(2, 3)", 48),
            ("'<U5'", "(2,)", 40),
            ("'|b1'", "()", 1),
            ("[('a', '<i4'), ('b', '<f4', (2, 2)), ('c', [('d', '|S3')])]", "(2,)", 46),
            ("'>c16'", "(0, 7L)", 0),
            ("'<M8[ns]'", "(2,)", 16),
        ] {
            let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
            let report = checked("a.npy", npy(&header, &vec![7; len]));
            assert_eq!(report.verdict, Verdict::JustData, "{descr}: {report:#?}");
        }
    }

    #[test]
    fn objects_are_read_as_the_pickle_that_they_are() {
        let header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }";
        let report = checked("a.npy", npy(header, b"\x80\x02cposix\nsystem\nX\x02\0\0\0ls\x85R."));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["pickle-runs-code"]));
        assert_eq!(checked("a.npy", npy(header, b"\x80\x02]X\x02\0\0\0lsa.")).verdict, Verdict::JustData);
        let fields = "{'descr': [('a', '<i4'), ('b', '|O')], 'fortran_order': False, 'shape': (1,), }";
        let report = checked("a.npy", npy(fields, b"\x80\x02cposix\nsystem\nX\x02\0\0\0ls\x85R."));
        assert_eq!(report.verdict, Verdict::Code);
    }

    #[test]
    fn what_follows_the_values_is_news() {
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
        let report = checked("a.npy", npy(header, &[1; 20]));
        assert_eq!(rules_of(&report), ["unexplained-bytes"]);
        let two = [npy(header, &[1; 16]), npy(header, &[2; 16])].concat();
        assert_eq!(checked("a.npy", two).verdict, Verdict::JustData);
    }

    #[test]
    fn damage_is_unfinished_and_a_cut_is_never_just_data() {
        for header in
            ["{'descr': '<f8', 'shape': (2,)}", "(1, 2)", "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"]
        {
            assert_eq!(checked("a.npy", npy(header, &[1; 16])).verdict, Verdict::Unfinished, "{header}");
        }
        let huge = "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }";
        assert_eq!(checked("a.npy", npy(huge, &[1; 16])).verdict, Verdict::Unfinished);
        let whole = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", &[1; 16]);
        for len in 8..whole.len() {
            assert_ne!(checked("a.npy", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn brackets_are_matched_without_recursion() {
        assert_eq!(Literal::parse(b"(1)"), Some(Literal::Number(1)));
        assert_eq!(Literal::parse(b"(1,)"), Some(Literal::Sequence(vec![Literal::Number(1)])));
        for broken in [&b"(1]"[..], b"{1}", b"1 2", b"(,)", b"", b"(", b"x"] {
            assert_eq!(Literal::parse(broken), None);
        }
        assert_eq!(Literal::parse(&[b'('; 100_000]), None);
    }

    #[test]
    fn npy_01_objects() {
        let evil = npy(
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            b"\x80\x02cposix\nsystem\nX\x02\0\0\0ls\x85R.",
        );
        told(
            "a.npy",
            evil,
            "pickle-runs-code",
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", &[1; 8]),
        );
    }
}
