//! The document type declaration: the address of a definition, and entities. Nothing is ever fetched or expanded.
//!
//! Specification: XML 1.0, sections 2.8, 4.2 and 4.5.

use std::{collections::HashMap, ops::Range};

use memchr::memmem;
use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take_while1},
    character::complete::{char, multispace0, multispace1},
    combinator::{opt, value},
    sequence::{delimited, preceded},
};

use crate::stop::Stop;

/// Entities that are read of one declaration.
const ENTITIES: usize = 10_000;

/// Texts of entities that are read as declarations themselves.
const INNER: usize = 1000;

/// A document type declaration.
#[derive(Clone, Debug, Default)]
pub struct Doctype {
    /// The name of the root element.
    pub name: String,
    /// Where the definition is, if it is outside.
    pub external: Option<External>,
    /// The entities of the internal subset, those declared inside the values of others too.
    pub entities: Vec<Entity>,
}

/// The address of something outside the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct External {
    /// The public identifier: a name that a catalogue resolves.
    pub public: Option<String>,
    /// The system identifier: an address.
    pub system: String,
}

/// The declaration of an entity.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its place; that of the outermost declaration where it is declared inside the value of another.
    pub range: Range<u64>,
    /// Its name.
    pub name: String,
    /// Whether it is used in the declaration itself (`%name;`) rather than in content.
    pub parameter: bool,
    /// What it stands for.
    pub value: Value,
}

/// What an entity stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// Text, references to characters resolved.
    Internal(String),
    /// Something outside the file, read as XML where it is used.
    External(External),
    /// Something outside the file that is not read (`NDATA`).
    Unparsed(External),
}

/// The length of the declaration that `bytes` starts with.
pub(super) fn len(bytes: &[u8]) -> Option<usize> {
    let mut at = 9usize;
    let mut subset = false;
    let mut inner = 0usize;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..)?;
        let past = |mark: &[u8]| memmem::find(rest, mark).map(|found| found.saturating_add(mark.len()));
        let step = match byte {
            b'<' if rest.starts_with(b"<!--") => past(b"-->")?,
            b'<' if rest.starts_with(b"<?") => past(b"?>")?,
            b'<' => {
                inner = inner.saturating_add(1);
                1
            }
            b'>' if inner > 0 => {
                inner = inner.saturating_sub(1);
                1
            }
            b'>' if !subset => return Some(at.saturating_add(1)),
            quote @ (b'"' | b'\'') if inner > 0 || !subset => memchr::memchr(*quote, rest.get(1..)?)?.saturating_add(2),
            b'[' if inner == 0 => {
                subset = true;
                1
            }
            b']' if inner == 0 => {
                subset = false;
                1
            }
            _ => 1,
        };
        at = at.saturating_add(step);
    }
    None
}

/// Reads a declaration that starts at `at`.
///
/// # Errors
/// [`Stop::Malformed`] with the place.
pub(super) fn parse(text: &str, at: u64) -> Result<Doctype, Stop> {
    let place = |rest: &str| at.saturating_add(text.len().saturating_sub(rest.len()) as u64);
    let (rest, (name, external)) = head(text).map_err(|_| Stop::malformed(at, "a document type declaration"))?;
    let mut doctype = Doctype { name: name.to_string(), external, entities: Vec::new() };
    let Some(subset) = rest.strip_prefix('[') else { return Ok(doctype) };
    // Values of entities may hold declarations, which appear where the entity is used: a queue, not a recursion.
    let mut broken = declarations(subset, &mut |entity, rest| {
        doctype.entities.push(Entity { range: place(entity)..place(rest), ..entity_of(entity)? });
        Some(())
    })
    .map(place);
    let mut next = 0usize;
    let mut read = 0usize;
    while let Some(outer) = doctype.entities.get(next) {
        next = next.saturating_add(1);
        let range = outer.range.clone();
        let Value::Internal(inner) = outer.value.clone() else { continue };
        if !outer.parameter || !inner.contains("<!ENTITY") || read >= INNER {
            continue;
        }
        read = read.saturating_add(1);
        let mut more = Vec::new();
        let _ = declarations(&inner, &mut |entity, _| {
            more.push(Entity { range: range.clone(), ..entity_of(entity)? });
            Some(())
        });
        doctype.entities.append(&mut more);
        if doctype.entities.len() > ENTITIES {
            broken = Some(at);
            break;
        }
    }
    match broken {
        // What was declared before the break is news enough to be told.
        Some(at) if doctype.entities.is_empty() => Err(Stop::malformed(at, "a markup declaration")),
        _ => Ok(doctype),
    }
}

impl Doctype {
    /// How many bytes the largest internal entity becomes, and its name. An entity that contains itself is endless.
    pub fn largest(&self) -> Option<(&Entity, u64)> {
        let internal: HashMap<(bool, &str), (&Entity, &str)> = self
            .entities
            .iter()
            .rev()
            .filter_map(|entity| match &entity.value {
                Value::Internal(value) => Some(((entity.parameter, entity.name.as_str()), (entity, value.as_str()))),
                _ => None,
            })
            .collect();
        let mut sizes: HashMap<(bool, &str), u64> = HashMap::new();
        for start in internal.keys() {
            // Depth first with a stack: an entity is on it once entered, and sized when left.
            let mut open = std::collections::HashSet::new();
            let mut stack = vec![(*start, false)];
            while let Some((key, leave)) = stack.pop() {
                let Some((_, value)) = internal.get(&key) else { continue };
                if leave {
                    let inner = references(value).map(|inner| sizes.get(&inner).copied().unwrap_or(0));
                    let size = inner.fold(value.len() as u64, u64::saturating_add);
                    sizes.insert(key, size);
                    open.remove(&key);
                } else if open.contains(&key) {
                    sizes.insert(key, u64::MAX);
                } else if !sizes.contains_key(&key) {
                    open.insert(key);
                    stack.push((key, true));
                    stack.extend(
                        references(value).filter(|inner| internal.contains_key(inner)).map(|inner| (inner, false)),
                    );
                }
            }
        }
        let largest = sizes.into_iter().max_by_key(|(key, size)| (*size, *key))?;
        internal.get(&largest.0).map(|(entity, _)| (*entity, largest.1))
    }
}

/// The entities that a value refers to: whether as parameter entities, and their names.
fn references(value: &str) -> impl Iterator<Item = (bool, &str)> {
    value.split_inclusive(';').filter_map(|part| {
        let reference = part.get(part.rfind(['&', '%'])?..)?;
        let name = reference.get(1..)?.strip_suffix(';')?;
        let named = !name.is_empty() && !name.starts_with('#');
        named.then_some((reference.starts_with('%'), name))
    })
}

fn head(text: &str) -> IResult<&str, (&str, Option<External>)> {
    let (rest, _) = (tag("<!DOCTYPE"), multispace1).parse(text)?;
    let (rest, name) = name(rest)?;
    let (rest, external) = opt(preceded(multispace1, external)).parse(rest)?;
    let (rest, _) = multispace0(rest)?;
    Ok((rest, (name, external)))
}

/// Goes over the declarations of a subset and gives each that is an entity, with what follows it. Gives the rest where it
/// cannot go on.
fn declarations<'a>(text: &'a str, give: &mut dyn FnMut(&'a str, &'a str) -> Option<()>) -> Option<&'a str> {
    let mut rest = text;
    let mut count = 0usize;
    loop {
        rest = rest.trim_start();
        let next = if rest.is_empty() || rest.starts_with(']') {
            return None;
        } else if rest.starts_with("<!--") {
            past(rest, "-->")
        } else if rest.starts_with("<?") {
            past(rest, "?>")
        } else if rest.starts_with('%') {
            past(rest, ";")
        } else if rest.starts_with("<!ENTITY") {
            count = count.saturating_add(1);
            let next = declaration_end(rest).filter(|_| count <= ENTITIES);
            match next {
                Some(next) if give(rest, next).is_some() => Some(next),
                _ => return Some(rest),
            }
        } else if rest.starts_with("<!") {
            declaration_end(rest)
        } else {
            None
        };
        match next {
            Some(next) => rest = next,
            None => return Some(rest),
        }
    }
}

fn past<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).map(|(_, rest)| rest)
}

/// What follows the `>` that stands in no quotation marks.
fn declaration_end(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let at = rest.find(['>', '"', '\''])?;
        let mark = rest.get(at..)?.chars().next()?;
        rest = rest.get(at.saturating_add(1)..)?;
        if mark == '>' {
            return Some(rest);
        }
        rest = rest.split_once(mark)?.1;
    }
}

fn entity_of(text: &str) -> Option<Entity> {
    entity(text).ok().map(|(_, entity)| entity)
}

fn entity(text: &str) -> IResult<&str, Entity> {
    let (rest, _) = (tag("<!ENTITY"), multispace1).parse(text)?;
    let (rest, parameter) = opt(value(true, (char('%'), multispace1))).parse(rest)?;
    let (rest, name) = name(rest)?;
    let (rest, _) = multispace1(rest)?;
    let (rest, value) =
        alt((quoted.map(|text| Value::Internal(resolved(text))), unparsed, external.map(Value::External)))
            .parse(rest)?;
    let (rest, _) = (multispace0, char('>')).parse(rest)?;
    let name = name.to_string();
    Ok((rest, Entity { range: 0..0, name, parameter: parameter.unwrap_or(false), value }))
}

/// References to characters resolved; those to entities stay (XML 1.0 section 4.5).
fn resolved(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("&#") {
        resolved.push_str(before);
        let reference = behind.split_once(';').and_then(|(digits, rest)| {
            let code = match digits.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => digits.parse().ok()?,
            };
            Some((char::from_u32(code)?, rest))
        });
        match reference {
            Some((letter, behind)) => {
                resolved.push(letter);
                rest = behind;
            }
            None => {
                resolved.push_str("&#");
                rest = behind;
            }
        }
    }
    resolved.push_str(rest);
    resolved
}

fn unparsed(text: &str) -> IResult<&str, Value> {
    let (rest, external) = external(text)?;
    let (rest, _) = (multispace1, tag("NDATA"), multispace1, name).parse(rest)?;
    Ok((rest, Value::Unparsed(external)))
}

fn external(text: &str) -> IResult<&str, External> {
    let system = preceded((tag("SYSTEM"), multispace1), quoted)
        .map(|system| External { public: None, system: system.to_string() });
    let public =
        (preceded((tag("PUBLIC"), multispace1), quoted), opt(preceded(multispace0, quoted))).map(|(public, system)| {
            External { public: Some(public.to_string()), system: system.unwrap_or_default().to_string() }
        });
    alt((system, public)).parse(text)
}

fn name(text: &str) -> IResult<&str, &str> {
    take_while1(|letter: char| {
        letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':' | '-' | '.') || letter >= '\u{80}'
    })
    .parse(text)
}

fn quoted(text: &str) -> IResult<&str, &str> {
    let inside = |quote| move |text| nom::bytes::complete::take_while(move |letter| letter != quote)(text);
    alt((delimited(char('"'), inside('"'), char('"')), delimited(char('\''), inside('\''), char('\'')))).parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Doctype {
        assert_eq!(len(text.as_bytes()), Some(text.len()), "{text}");
        parse(text, 100).unwrap()
    }

    #[test]
    fn addresses_and_entities_are_read() {
        let doctype = parsed("<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" 'http://www.w3.org/svg11.dtd'>");
        let external = doctype.external.unwrap();
        assert_eq!(
            (external.public.as_deref(), external.system.as_str()),
            (Some("-//W3C//DTD SVG 1.1//EN"), "http://www.w3.org/svg11.dtd")
        );

        let text = "<!DOCTYPE a [ <!-- ]> ' --> <?p ]> ?> <!ELEMENT a (#PCDATA)>\n<!ENTITY b \"x > ] &#65;\">%c; \
                    <!ENTITY % c SYSTEM 'd'><!ENTITY e PUBLIC 'f' 'g'><!ENTITY h SYSTEM 'i' NDATA j> ]>";
        let doctype = parsed(text);
        let found: Vec<_> = doctype.entities.iter().map(|e| (e.name.as_str(), e.parameter, e.value.clone())).collect();
        let outside =
            |public: Option<&str>, system: &str| External { public: public.map(Into::into), system: system.into() };
        assert_eq!(
            found,
            [
                ("b", false, Value::Internal("x > ] A".into())),
                ("c", true, Value::External(outside(None, "d"))),
                ("e", false, Value::External(outside(Some("f"), "g"))),
                ("h", false, Value::Unparsed(outside(None, "i"))),
            ]
        );
        let at = (doctype.entities[1].range.start - 100) as usize;
        assert!(text[at..].starts_with("<!ENTITY % c SYSTEM 'd'>"));
        assert_eq!(doctype.entities[1].range.end - doctype.entities[1].range.start, 24);
    }

    #[test]
    fn declarations_inside_values_are_read() {
        let doctype = parsed(
            "<!DOCTYPE a [<!ENTITY % b \"<!ENTITY &#x25; c '<!ENTITY d SYSTEM &#x22;http://h/x&#x22;>'>\">%b;%c;]>",
        );
        let last = doctype.entities.last().unwrap();
        assert_eq!(last.name, "d");
        assert!(matches!(&last.value, Value::External(external) if external.system == "http://h/x"));
    }

    #[test]
    fn sizes_are_computed_without_expanding() {
        let mut text = String::from("<!DOCTYPE a [<!ENTITY e0 'lollollol'>");
        for level in 1..=50 {
            text.push_str(&format!("<!ENTITY e{level} '{}'>", format!("&e{};", level - 1).repeat(10)));
        }
        text.push_str("]>");
        assert_eq!(
            parsed(&text).largest().map(|(entity, size)| (entity.name.clone(), size)),
            Some(("e50".into(), u64::MAX))
        );
        let (_, size) = parsed("<!DOCTYPE a [<!ENTITY b 'xy'><!ENTITY c '&b;&b;&b;'>]>")
            .largest()
            .map(|(e, s)| (e.name.clone(), s))
            .unwrap();
        assert_eq!(size, 9 + 3 * 2);
        let endless = parsed("<!DOCTYPE a [<!ENTITY b '&c;'><!ENTITY c '&b;'>]>");
        assert_eq!(endless.largest().unwrap().1, u64::MAX);
        assert!(parsed("<!DOCTYPE a>").largest().is_none());
    }

    #[test]
    fn what_is_broken_is_refused() {
        for text in ["<!DOCTYPE>", "<!DOCTYPE a [<!ENTITY>]>", "<!DOCTYPE a [ x ]>"] {
            assert!(parse(text, 0).is_err(), "{text}");
        }
        assert_eq!(len(b"<!DOCTYPE a [<!ENTITY b '"), None);
        assert_eq!(len(b"<!DOCTYPE a [ ]"), None);
    }
}
