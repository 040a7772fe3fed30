//! XML piece by piece, without recursion and in bounded memory, every piece with its place.
//!
//! The walker finds where a piece ends, window by window; what a tag says is read by `quick-xml`. Text of any length
//! is walked over; at most 64 KiB of it are kept. No external entity is ever looked at, and an internal one is
//! replaced only if its value is plain text.

use std::{borrow::Cow, collections::HashMap, ops::Range, rc::Rc};

use memchr::memmem;
use quick_xml::{
    XmlVersion,
    escape::{resolve_predefined_entity, unescape_with},
    events::BytesStart,
};

use super::doctype::{self, Doctype, Value};
use crate::{
    bytes::{Bytes, Cursor, DOOR},
    charset::Charset,
    stop::{Limit, Stop},
};

/// Elements inside each other. Parsers that recurse give up earlier.
const DEPTH: usize = 1000;

/// Bytes kept of a text.
const KEPT: usize = 64 << 10;

/// Attributes of one element.
const ATTRIBUTES: usize = 1 << 14;

/// The longest text that replacing entities may make.
const REPLACED: usize = 1 << 20;

/// Bytes looked at together.
const LOOK: usize = 4 << 10;

/// A piece and its place in the layer.
#[derive(Clone, Debug)]
pub struct Event {
    /// From its first byte to behind its last. Empty for the end of an element that was written `<a/>`.
    pub range: Range<u64>,
    /// What it is.
    pub token: Token,
}

/// One piece of XML text.
#[derive(Clone, Debug)]
pub enum Token {
    /// `<?xml … ?>`
    Declaration,
    /// `<!DOCTYPE … >`
    Doctype(Doctype),
    /// `<?target content?>`
    Instruction {
        /// Its target.
        target: String,
        /// What follows the target.
        content: String,
    },
    /// `<name …>` or `<name …/>`; an end follows in both cases.
    Start(Element),
    /// `</name>`: the name with its prefix.
    End(String),
    /// Text between tags.
    Text(Text),
    /// `<![CDATA[ … ]]>`
    CData(Text),
    /// `<!-- … -->`
    Comment(Text),
}

/// A start tag.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its name with its prefix.
    pub name: String,
    /// The namespace that its prefix stands for.
    pub namespace: Option<Rc<str>>,
    /// Its attributes as written, declarations of namespaces too.
    pub attributes: Vec<Attribute>,
}

/// An attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name with its prefix.
    pub name: String,
    /// The namespace that its prefix stands for; none without a prefix.
    pub namespace: Option<Rc<str>>,
    /// Its value, references to characters resolved.
    pub value: String,
    /// The place of the value; of the whole tag where the text is not in UTF-8.
    pub range: Range<u64>,
}

impl Element {
    /// Its name without its prefix.
    pub fn local(&self) -> &str {
        local(&self.name)
    }

    /// Whether it has this local name in this namespace.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace.as_deref() == Some(namespace) && self.local() == name
    }

    /// The attribute with this name, prefix included.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

impl Attribute {
    /// Its name without its prefix.
    pub fn local(&self) -> &str {
        local(&self.name)
    }
}

fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// Text as it was written.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its place, without what encloses it.
    pub range: Range<u64>,
    /// Its first 64 KiB in UTF-8, references to characters as written.
    pub raw: String,
    /// Its first 64 KiB, references to characters resolved, unless it is a CDATA section or a comment.
    pub text: String,
    /// Whether that is all of it.
    pub whole: bool,
}

/// Walks over an XML document.
pub struct Walker {
    cursor: Cursor,
    /// The encoding that the document declares; none is UTF-8.
    charset: Option<Charset>,
    levels: Vec<String>,
    /// Namespaces in force: the depth from which on, the prefix, the name.
    namespaces: Vec<(usize, String, Option<Rc<str>>)>,
    /// The end of an element that was written `<a/>`.
    closing: bool,
    seen_root: bool,
    /// Internal entities whose value is plain text.
    entities: HashMap<String, String>,
    damage: Option<Stop>,
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
        Ok(Walker {
            cursor,
            charset: None,
            levels: Vec::new(),
            namespaces: vec![(0, "xml".into(), Some("http://www.w3.org/XML/1998/namespace".into()))],
            closing: false,
            seen_root: false,
            entities: HashMap::new(),
            damage: None,
        })
    }

    /// The next piece; `None` where the document ends, or where what follows the root element is no XML: then
    /// [`Walker::at`] is before the end.
    ///
    /// # Errors
    /// [`Stop::Malformed`] with the place, [`Stop::Exhausted`] for too many levels, [`Stop::Unsupported`] for an
    /// encoding that is not known; else as [`Bytes::peek`].
    pub fn step(&mut self) -> Result<Option<Event>, Stop> {
        let at = self.cursor.at();
        if std::mem::take(&mut self.closing) {
            return Ok(Some(Event { range: at..at, token: Token::End(self.pop()) }));
        }
        let look = self.cursor.peek(9)?;
        let Some(first) = look.first().copied() else {
            return match self.levels.last() {
                Some(name) => Err(Stop::malformed(at, format!("the end of <{}>", short(name)))),
                None if self.seen_root => Ok(None),
                None => Err(Stop::malformed(at, "an element")),
            };
        };
        if first != b'<' {
            return self.text(at);
        }
        let second = look.get(1).copied().unwrap_or_default();
        let token = if look.starts_with(b"<!--") {
            Token::Comment(self.until(4, b"-->", "the end of a comment", false)?)
        } else if look == b"<![CDATA[" && !self.levels.is_empty() {
            Token::CData(self.until(9, b"]]>", "the end of a CDATA section", false)?)
        } else if look == b"<!DOCTYPE" && !self.seen_root {
            self.doctype()?
        } else if second == b'?' {
            self.instruction(at)?
        } else if second == b'/' && !self.levels.is_empty() {
            self.end(at)?
        } else if starts_name(second) && (!self.seen_root || !self.levels.is_empty()) {
            self.start(at)?
        } else if self.seen_root && self.levels.is_empty() {
            return Ok(None);
        } else {
            return Err(Stop::malformed(at, "a tag"));
        };
        Ok(Some(Event { range: at..self.cursor.at(), token }))
    }

    /// The place behind the last piece.
    pub fn at(&self) -> u64 {
        self.cursor.at()
    }

    /// The names of the elements that are open, prefixes included, the root first.
    pub fn path(&self) -> &[String] {
        &self.levels
    }

    /// Goes on at a place further on, for content that is no XML (appended data) and is read by other means.
    pub fn skip_to(&mut self, at: u64) {
        self.cursor.seek(at.max(self.cursor.at()));
    }

    /// The first thing that XML forbids and that many parsers let pass: a character that is not allowed, or a byte
    /// that is none in the encoding.
    pub fn damage(&self) -> Option<&Stop> {
        self.damage.as_ref()
    }

    fn pop(&mut self) -> String {
        let name = self.levels.pop().unwrap_or_default();
        let depth = self.levels.len();
        while self.namespaces.last().is_some_and(|(from, ..)| *from > depth) {
            self.namespaces.pop();
        }
        name
    }

    fn text(&mut self, at: u64) -> Result<Option<Event>, Stop> {
        if self.levels.is_empty() {
            // Outside the root element there is only white space.
            loop {
                let look = self.cursor.peek(LOOK)?;
                let space = look.iter().take_while(|byte| is_space(**byte)).count();
                let more = space == look.len() && space > 0;
                let byte = look.get(space).copied();
                self.cursor.seek(self.cursor.at().saturating_add(space as u64));
                if more {
                    continue;
                }
                if byte.is_none() || byte == Some(b'<') {
                    break;
                }
                return if self.seen_root {
                    Ok(None)
                } else {
                    Err(Stop::malformed(self.cursor.at(), "an XML document"))
                };
            }
            let range = at..self.cursor.at();
            let text = Text { range: range.clone(), raw: String::new(), text: String::new(), whole: true };
            return Ok(Some(Event { range, token: Token::Text(text) }));
        }
        let text = self.until(0, b"<", "", true)?;
        Ok(Some(Event { range: at..self.cursor.at(), token: Token::Text(text) }))
    }

    /// Text from `skip` bytes on up to `mark`. A mark that closes is passed over; an opening `<` is not, and the end
    /// of the document serves too.
    fn until(&mut self, skip: u64, mark: &[u8], expected: &'static str, opens: bool) -> Result<Text, Stop> {
        let start = self.cursor.at().saturating_add(skip);
        self.cursor.seek(start);
        let mut raw = Vec::new();
        let mut control = None;
        let end = loop {
            let at = self.cursor.at();
            let look = self.cursor.peek(LOOK)?;
            let found = memmem::find(look, mark);
            // A mark may be cut by the end of the window.
            let last = look.len() < LOOK;
            let overlap = if last { 0 } else { mark.len().saturating_sub(1) };
            let len = found.unwrap_or(look.len().saturating_sub(overlap));
            let piece = look.get(..len).unwrap_or_default();
            let room = KEPT.saturating_sub(raw.len());
            raw.extend_from_slice(piece.get(..len.min(room)).unwrap_or_default());
            if control.is_none() {
                let forbidden = |byte: &u8| *byte < 0x20 && !is_space(*byte);
                control = piece.iter().position(forbidden).map(|skip| at.saturating_add(skip as u64));
            }
            let next = at.saturating_add(len as u64);
            self.cursor.seek(next);
            if found.is_some() {
                break next;
            }
            if last {
                if opens {
                    break next;
                }
                return Err(Stop::malformed(next, expected));
            }
        };
        if let Some(control) = control {
            self.note(Stop::malformed(control, "a character that XML allows"));
        }
        if !opens {
            self.cursor.seek(end.saturating_add(mark.len() as u64));
        }
        let whole = raw.len() as u64 == end.saturating_sub(start);
        let raw = self.decoded(&raw, start, whole).into_owned();
        let text = if opens { self.replaced(&raw) } else { raw.clone() };
        Ok(Text { range: start..end, raw, text, whole })
    }

    /// Bytes in the encoding of the document as text. Where they were cut, the last character may be incomplete.
    fn decoded<'a>(&mut self, bytes: &'a [u8], at: u64, whole: bool) -> Cow<'a, str> {
        let Some(charset) = &self.charset else {
            return match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(error) if !whole && error.error_len().is_none() => {
                    let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                    Cow::Owned(String::from_utf8_lossy(valid).into_owned())
                }
                Err(error) => {
                    self.note(Stop::malformed(at.saturating_add(error.valid_up_to() as u64), "text in UTF-8"));
                    String::from_utf8_lossy(bytes)
                }
            };
        };
        let (text, wrong) = charset.decode(bytes);
        if wrong && whole {
            let stop = Stop::malformed(at, format!("text in {}", charset.name()));
            self.note(stop);
        }
        text
    }

    fn note(&mut self, stop: Stop) {
        self.damage.get_or_insert(stop);
    }

    /// References to characters resolved, and to entities whose value is plain text.
    fn replaced(&self, raw: &str) -> String {
        let references = memchr::memchr_iter(b'&', raw.as_bytes()).count();
        if references == 0 {
            return raw.to_string();
        }
        let longest = self.entities.values().map(String::len).max().unwrap_or(0);
        let entities = references.saturating_mul(longest) <= REPLACED;
        let resolve = |name: &str| {
            resolve_predefined_entity(name).or_else(|| self.entities.get(name).filter(|_| entities).map(String::as_str))
        };
        unescape_with(raw, resolve).map_or_else(|_| raw.to_string(), Cow::into_owned)
    }

    fn instruction(&mut self, at: u64) -> Result<Token, Stop> {
        let first = self.levels.is_empty() && !self.seen_root;
        let text = self.until(2, b"?>", "the end of a processing instruction", false)?;
        let content = text.raw.trim_start_matches(is_name_character);
        let target = text.raw.strip_suffix(content).unwrap_or_default();
        if target != "xml" || !first {
            let content = content.trim().to_string();
            return Ok(Token::Instruction { target: target.to_string(), content });
        }
        let declaration = BytesStart::from_content(text.raw.as_str(), target.len());
        let label = declaration.try_get_attribute("encoding").ok().flatten();
        if let Some(label) = label {
            let label = label.value.trim().to_string();
            self.charset = match Charset::of_label(&label) {
                // Such text would not read as ASCII up to here: it was brought into UTF-8, and the label is left over.
                Some(charset) if !charset.keeps_ascii() || charset.name() == "utf-8" => None,
                Some(charset) => Some(charset),
                None => match label.to_ascii_lowercase().as_str() {
                    "ucs-2" | "ucs-4" | "iso-10646-ucs-2" | "iso-10646-ucs-4" | "utf-32" => None,
                    _ => {
                        return Err(Stop::unsupported(
                            at,
                            format!("text in the encoding {}", crate::quote::quoted(&label)),
                        ));
                    }
                },
            };
        }
        Ok(Token::Declaration)
    }

    fn doctype(&mut self) -> Result<Token, Stop> {
        let at = self.cursor.at();
        let bytes = self.whole(doctype::len, "the end of a document type declaration")?;
        let text = self.decoded(&bytes, at, true).into_owned();
        let doctype = doctype::parse(&text, at)?;
        for entity in doctype.entities.iter().filter(|entity| !entity.parameter) {
            if let Value::Internal(value) = &entity.value
                && !value.contains(['&', '<'])
            {
                // The first declaration is binding (XML 1.0 section 4.2).
                self.entities.entry(entity.name.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(Token::Doctype(doctype))
    }

    /// The bytes from here to where `len` says that the piece ends, going on behind them.
    fn whole(&mut self, len: fn(&[u8]) -> Option<usize>, expected: &'static str) -> Result<Vec<u8>, Stop> {
        let at = self.cursor.at();
        let mut look = 512usize;
        loop {
            let window = self.cursor.peek(look)?;
            if let Some(len) = len(window) {
                let piece = window.get(..len).unwrap_or_default().to_vec();
                self.cursor.seek(at.saturating_add(len as u64));
                return Ok(piece);
            }
            if window.len() < look {
                return Err(Stop::malformed(at.saturating_add(window.len() as u64), expected));
            }
            if look >= DOOR {
                return Err(Stop::Exhausted(Limit::Window));
            }
            look = look.saturating_mul(4).min(DOOR);
        }
    }

    fn end(&mut self, at: u64) -> Result<Token, Stop> {
        let bytes = self.whole(tag_len, "the end of a tag")?;
        let text = self.decoded(&bytes, at, true).into_owned();
        let name = text.trim_start_matches("</").trim_end_matches('>').trim_end();
        if self.levels.last().is_none_or(|open| open != name) {
            let open = self.levels.last().map_or("", String::as_str);
            return Err(Stop::malformed(at, format!("the end of <{}>", short(open))));
        }
        Ok(Token::End(self.pop()))
    }

    fn start(&mut self, at: u64) -> Result<Token, Stop> {
        let bytes = self.whole(tag_len, "the end of a tag")?;
        if self.levels.len() >= DEPTH {
            return Err(Stop::Exhausted(Limit::Depth));
        }
        let text = self.decoded(&bytes, at, true);
        let content = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or_default();
        let (content, empty) = content.strip_suffix('/').map_or((content, false), |content| (content, true));
        let rest = content.trim_start_matches(is_name_character);
        let name = content.strip_suffix(rest).unwrap_or(content);
        if !rest.is_empty() && !rest.starts_with(|letter: char| letter.is_ascii_whitespace()) {
            return Err(Stop::malformed(at, "a name"));
        }
        let place = |value: &str| {
            // Where nothing was decoded, the value is a part of the bytes, and so its place is known.
            let start = (value.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
            match start.checked_add(value.len()) {
                Some(end) if end <= bytes.len() => at.saturating_add(start as u64)..at.saturating_add(end as u64),
                _ => at..at.saturating_add(bytes.len() as u64),
            }
        };
        let tag = BytesStart::from_content(content, name.len());
        let mut attributes: Vec<Attribute> = Vec::new();
        let mut names = std::collections::HashSet::new();
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| Stop::malformed(at, "attributes in quotation marks"))?;
            if attributes.len() >= ATTRIBUTES {
                return Err(Stop::Exhausted(Limit::Window));
            }
            let name = attribute.key.as_ref().to_string();
            if !names.insert(name.clone()) {
                return Err(Stop::malformed(at, format!("the attribute {} only once", crate::quote::quoted(&name))));
            }
            let value = match attribute.normalized_value(XmlVersion::Implicit1_0) {
                Ok(value) => value.into_owned(),
                Err(_) => self.replaced(&attribute.value),
            };
            attributes.push(Attribute { name, namespace: None, value, range: place(&attribute.value) });
        }
        let name = name.to_string();
        let depth = self.levels.len().saturating_add(1);
        for attribute in &attributes {
            let prefix = match attribute.name.split_once(':') {
                Some(("xmlns", prefix)) => prefix,
                None if attribute.name == "xmlns" => "",
                _ => continue,
            };
            let uri = Some(attribute.value.as_str()).filter(|uri| !uri.is_empty()).map(Rc::from);
            self.namespaces.push((depth, prefix.to_string(), uri));
        }
        for attribute in &mut attributes {
            if let Some((prefix, _)) = attribute.name.split_once(':') {
                attribute.namespace = self.namespace(prefix);
            }
        }
        let namespace = self.namespace(name.split_once(':').map_or("", |(prefix, _)| prefix));
        self.levels.push(name.clone());
        self.seen_root = true;
        self.closing = empty;
        Ok(Token::Start(Element { name, namespace, attributes }))
    }

    fn namespace(&self, prefix: &str) -> Option<Rc<str>> {
        let declared = self.namespaces.iter().rev().find(|(_, known, _)| known == prefix);
        declared.and_then(|(_, _, uri)| uri.clone())
    }
}

/// The length of the tag that `bytes` starts with: up to the `>` that stands in no quotation marks.
fn tag_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    loop {
        let rest = bytes.get(at..)?;
        let next = memchr::memchr3(b'>', b'"', b'\'', rest)?;
        let byte = rest.get(next).copied()?;
        at = at.saturating_add(next).saturating_add(1);
        if byte == b'>' {
            return Some(at);
        }
        let close = memchr::memchr(byte, bytes.get(at..)?)?;
        at = at.saturating_add(close).saturating_add(1);
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || byte >= 0x80
}

fn is_name_character(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':' | '-' | '.') || letter >= '\u{80}'
}

fn short(name: &str) -> String {
    crate::quote::visible(&name.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8]) -> Result<Vec<String>, Stop> {
        let mut walker = Walker::new(&Bytes::of(text))?;
        let mut shown = Vec::new();
        while let Some(event) = walker.step()? {
            let range = event.range;
            shown.push(match event.token {
                Token::Declaration => format!("declaration {range:?}"),
                Token::Doctype(doctype) => format!("doctype {} {range:?}", doctype.name),
                Token::Instruction { target, content } => format!("?{target} {content} {range:?}"),
                Token::Start(element) => {
                    let attributes: Vec<_> =
                        element.attributes.iter().map(|a| format!(" {}={}@{:?}", a.name, a.value, a.range)).collect();
                    format!("<{}{}> {range:?}", element.name, attributes.concat())
                }
                Token::End(name) => format!("</{name}> {range:?}"),
                Token::Text(text) => format!("{:?} {range:?}", text.text),
                Token::CData(text) => format!("[{}] {range:?}", text.text),
                Token::Comment(text) => format!("#{} {range:?}", text.text),
            });
        }
        shown.push(format!("at {}", walker.at()));
        Ok(shown)
    }

    #[test]
    fn every_piece_has_its_place() {
        let text =
            b"<?xml version='1.0'?>\n<a b=\"1 &gt; &#48;\" c='>'>x &amp; y<!-- no --><![CDATA[<z>]]><d/><?p q?></a>\n";
        assert_eq!(
            shown(text).unwrap(),
            [
                "declaration 0..21",
                "\"\" 21..22",
                "<a b=1 > 0@28..40 c=>@45..46> 22..48",
                "\"x & y\" 48..57",
                "# no  57..68",
                "[<z>] 68..83",
                "<d> 83..87",
                "</d> 87..87",
                "?p q 87..94",
                "</a> 94..98",
                "\"\" 98..99",
                "at 99",
            ]
        );
    }

    #[test]
    fn what_is_not_well_formed_is_refused_with_its_place() {
        for (text, at) in [
            ("<a>", 3),
            ("<a></b>", 3),
            ("<a b=1/>", 0),
            ("<a b='1' b='2'/>", 0),
            ("<a b='1", 7),
            ("<a><!-- x</a>", 13),
            ("<a><![CDATA[x</a>", 17),
            ("text", 0),
            ("<?xml version='1.0'?>", 21),
            ("<a><1/></a>", 3),
            ("<a", 2),
        ] {
            assert_eq!(shown(text.as_bytes()).unwrap_err().at(), Some(at), "{text}");
        }
    }

    #[test]
    fn what_follows_the_root_is_not_walked() {
        for (text, at) in [("<a/>left over", 4), ("<a/> \n<b/>", 6), ("<a/>\n\0\0", 5)] {
            let shown = shown(text.as_bytes()).unwrap();
            assert_eq!(shown.last().unwrap(), &format!("at {at}"), "{text}");
        }
    }

    #[test]
    fn namespaces_are_those_in_force() {
        let text = "<a xmlns='u' xmlns:p='v'><p:b xmlns:p='w' p:c='1' d='2'/><p:e/><f xmlns=''/></a>";
        let mut walker = Walker::new(&Bytes::of(text)).unwrap();
        let mut found = Vec::new();
        while let Some(event) = walker.step().unwrap() {
            if let Token::Start(element) = event.token {
                let inner = element.attribute("p:c").and_then(|a| a.namespace.clone());
                found.push((element.local().to_string(), element.namespace.clone(), inner));
            }
        }
        let uri = |uri: &str| Some(Rc::from(uri));
        assert_eq!(
            found,
            [
                ("a".into(), uri("u"), None),
                ("b".into(), uri("w"), uri("w")),
                ("e".into(), uri("v"), None),
                ("f".into(), None, None),
            ]
        );
    }

    #[test]
    fn long_text_is_walked_over() {
        let text = format!("<a>{}<b c='{}'/></a>", "x]]-".repeat(100_000), "y".repeat(300_000));
        let mut walker = Walker::new(&Bytes::of(text.as_str())).unwrap();
        let mut lens = Vec::new();
        while let Some(event) = walker.step().unwrap() {
            match event.token {
                Token::Text(text) => lens.push((text.whole, text.raw.len(), text.range.end - text.range.start)),
                Token::Start(element) => lens.extend(element.attributes.iter().map(|a| (true, a.value.len(), 0))),
                _ => {}
            }
        }
        assert_eq!(lens, [(false, KEPT, 400_000), (true, 300_000, 0)]);
        for marks in ["-->", "--->", "- ->-->", "]]>-->"] {
            let text = format!("<a><!--{}{marks}</a>", "-".repeat(LOOK - 2));
            assert!(shown(text.as_bytes()).is_ok(), "{marks}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(shown("<a>".repeat(5000).as_bytes()), Err(Stop::Exhausted(Limit::Depth)));
    }

    #[test]
    fn encodings_are_followed() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xe9'>\xfc</a>";
        let shown_latin = shown(latin).unwrap();
        assert!(
            shown_latin.iter().any(|line| line.starts_with("\"ü\"")) && shown_latin[1].contains("b=é"),
            "{shown_latin:?}"
        );
        assert!(shown(b"<?xml version='1.0' encoding='UTF-16'?><a/>").is_ok());
        assert!(
            matches!(shown(b"<?xml version='1.0' encoding='UTF-7'?><a/>"), Err(Stop::Unsupported(spot)) if spot.at == 0)
        );
    }

    #[test]
    fn plain_entities_are_replaced_and_no_others() {
        let text =
            "<!DOCTYPE a [<!ENTITY p 'plain'><!ENTITY n '&p;&p;'><!ENTITY e SYSTEM 'x'>]><a b='&p;' c='&e;'>&p;&n;</a>";
        let all = shown(text.as_bytes()).unwrap().concat();
        assert!(all.contains("b=plain@") && all.contains("c=&e;@"), "{all}");
        assert!(all.contains("\"&p;&n;\""), "{all}");
    }
}
