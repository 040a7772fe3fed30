//! Elements of HTML with their attributes, as a program that shows the text takes it apart.
//!
//! Specification: WHATWG HTML, section 13.2.5 (tokenization). Names of characters are known as far as they stand for
//! ASCII: no other can be part of a name, a scheme or an operator of a script.

use std::borrow::Cow;

use crate::sorting;

/// What a text of HTML is made of, as far as it can load or run something.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A start tag.
    Tag(Tag<'a>),
    /// The text of a `<style>` element.
    Style(&'a str),
}

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// In small letters.
    pub name: String,
    /// Names, in small letters and their order, and values, with their character references resolved. Of two with one
    /// name, the first counts.
    pub attributes: Vec<(String, Cow<'a, str>)>,
}

/// The pieces of `text`, in their order.
pub fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text, raw: None, foreign: false }
}

/// See [`pieces`].
pub struct Pieces<'a> {
    rest: &'a str,
    /// The element whose content is text up to its own end tag.
    raw: Option<String>,
    /// Behind `<svg>` or `<math>` no element's content is mere text.
    foreign: bool,
}

/// Elements whose content is text, whatever stands in it (section 13.1.2).
const RAW: &[&str] = &["iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"];

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            if let Some(name) = self.raw.take() {
                let text = self.raw_text(&name);
                if name == "style" && !text.is_empty() {
                    return Some(Piece::Style(text));
                }
            }
            let (_, behind) = self.rest.split_once('<')?;
            self.rest = behind;
            if let Some(comment) = behind.strip_prefix("!--") {
                self.rest = behind_comment(comment);
            } else if behind.starts_with(['!', '?']) {
                self.rest = behind.split_once('>')?.1;
            } else if let Some(end) = behind.strip_prefix('/') {
                if end.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
                    // An end tag may have attributes, and a `>` in their quotes does not end it.
                    self.rest = tag(end)?.1;
                } else {
                    self.rest = end.split_once('>')?.1;
                }
            } else if behind.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
                let (tag, behind) = tag(behind)?;
                self.rest = behind;
                self.foreign |= matches!(tag.name.as_str(), "svg" | "math");
                if tag.name == "style" || (!self.foreign && RAW.contains(&tag.name.as_str())) {
                    self.raw = Some(tag.name.clone());
                }
                return Some(Piece::Tag(tag));
            }
        }
    }
}

impl<'a> Pieces<'a> {
    /// Takes the text of an element that holds only text.
    fn raw_text(&mut self, name: &str) -> &'a str {
        let all = self.rest;
        // In SVG the next element ends it, as everywhere.
        let ends = |at: &usize| {
            let Some(behind) = all.get(at.saturating_add(1)..) else { return false };
            let own = behind.strip_prefix('/').and_then(|end| Some((end.get(..name.len())?, end.get(name.len()..)?)));
            let own = own.is_some_and(|(end, behind)| {
                end.eq_ignore_ascii_case(name) && behind.starts_with(|letter| space(letter) || "/>".contains(letter))
            });
            self.foreign || own
        };
        let end = all.match_indices('<').map(|(at, _)| at).find(ends).unwrap_or(all.len());
        let (text, rest) = all.split_at_checked(end).unwrap_or((all, ""));
        self.rest = rest;
        text
    }
}

fn behind_comment(comment: &str) -> &str {
    // `<!-->` and `<!--->` are whole.
    if let Some(rest) = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->")) {
        return rest;
    }
    let ends = |at: &usize| comment.get(..*at).is_some_and(|text| text.ends_with("--") || text.ends_with("--!"));
    let end = comment.match_indices('>').map(|(at, _)| at).find(ends);
    end.and_then(|at| comment.get(at.saturating_add(1)..)).unwrap_or_default()
}

fn space(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

/// A tag from its name on, and what follows it. One that does not end is none.
fn tag(text: &str) -> Option<(Tag<'_>, &str)> {
    let (name, mut rest) = before(text, |letter| space(letter) || matches!(letter, '/' | '>'))?;
    let mut tag = Tag { name: name.to_ascii_lowercase(), attributes: Vec::new() };
    loop {
        rest = rest.trim_start_matches(|letter| space(letter) || letter == '/');
        if let Some(rest) = rest.strip_prefix('>') {
            sorting::by(&mut tag.attributes, |one, other| one.0.cmp(&other.0));
            tag.attributes.dedup_by(|next, first| next.0 == first.0);
            return Some((tag, rest));
        }
        // A `=` that nothing stands before is the first letter of a name.
        let equals = rest.strip_prefix('=').map_or(0, |_| 1);
        let ends = |letter| space(letter) || matches!(letter, '/' | '>' | '=');
        let behind = before(rest.get(equals..)?, ends)?.1;
        let name = rest.get(..rest.len().saturating_sub(behind.len()))?.to_ascii_lowercase();
        let mut value = "";
        rest = behind.trim_start_matches(space);
        if let Some(behind) = rest.strip_prefix('=') {
            rest = behind.trim_start_matches(space);
            (value, rest) = match rest.chars().next()? {
                quote @ ('"' | '\'') => rest.get(1..)?.split_once(quote)?,
                '>' => ("", rest),
                _ => before(rest, |letter| space(letter) || letter == '>')?,
            };
        }
        tag.attributes.push((name, resolved(value)));
    }
}

/// What stands before the first letter that `ends`, and the rest from it on.
fn before(text: &str, ends: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    text.split_at_checked(text.find(ends)?)
}

/// Resolves the character references of an attribute's value (section 13.2.5.72).
fn resolved(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('&') {
        text.push_str(before);
        let (letter, behind) = reference(behind).unwrap_or(('&', behind));
        text.push(letter);
        rest = behind;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character of a reference behind its `&`, and what follows it.
fn reference(text: &str) -> Option<(char, &str)> {
    if let Some(number) = text.strip_prefix('#') {
        let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |digits| (digits, 16));
        let length = digits.find(|digit: char| !digit.is_digit(radix)).unwrap_or(digits.len());
        let (digits, rest) = digits.split_at_checked(length)?;
        if digits.is_empty() {
            return None;
        }
        let letter = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).filter(|letter| *letter != '\0');
        return Some((letter.unwrap_or(char::REPLACEMENT_CHARACTER), rest.strip_prefix(';').unwrap_or(rest)));
    }
    let length = text.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(length)?;
    if let Some(rest) = rest.strip_prefix(';') {
        return Some((*NAMES.iter().find_map(|(known, letter)| (*known == name).then_some(letter))?, rest));
    }
    // Without a semicolon only the oldest names count, and not before what could be a parameter of an address.
    let (_, letter) = OLD.iter().find(|(known, _)| *known == name)?;
    (!rest.starts_with('=')).then_some((*letter, rest))
}

/// Names that count without a semicolon as well.
const OLD: &[(&str, char)] =
    &[("AMP", '&'), ("GT", '>'), ("LT", '<'), ("QUOT", '"'), ("amp", '&'), ("gt", '>'), ("lt", '<'), ("quot", '"')];

/// Names of ASCII characters (section 13.5).
const NAMES: &[(&str, char)] = &[
    ("AMP", '&'),
    ("DiacriticalGrave", '`'),
    ("GT", '>'),
    ("Hat", '^'),
    ("LT", '<'),
    ("NewLine", '\n'),
    ("QUOT", '"'),
    ("Tab", '\t'),
    ("UnderBar", '_'),
    ("VerticalLine", '|'),
    ("amp", '&'),
    ("apos", '\''),
    ("ast", '*'),
    ("bsol", '\\'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("dollar", '$'),
    ("equals", '='),
    ("excl", '!'),
    ("grave", '`'),
    ("gt", '>'),
    ("lbrace", '{'),
    ("lbrack", '['),
    ("lcub", '{'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("lsqb", '['),
    ("lt", '<'),
    ("midast", '*'),
    ("num", '#'),
    ("percnt", '%'),
    ("period", '.'),
    ("plus", '+'),
    ("quest", '?'),
    ("quot", '"'),
    ("rbrace", '}'),
    ("rbrack", ']'),
    ("rcub", '}'),
    ("rpar", ')'),
    ("rsqb", ']'),
    ("semi", ';'),
    ("sol", '/'),
    ("verbar", '|'),
    ("vert", '|'),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A tag as `name key=[value] …`, a style as `{text}`.
    fn seen(text: &str) -> Vec<String> {
        pieces(text)
            .map(|piece| match piece {
                Piece::Tag(tag) => {
                    let attributes = tag.attributes.iter().map(|(name, value)| format!(" {name}=[{value}]"));
                    tag.name + &attributes.collect::<String>()
                }
                Piece::Style(text) => format!("{{{text}}}"),
            })
            .collect()
    }

    #[test]
    fn tags_and_their_attributes() {
        assert_eq!(seen("a < b <c>"), ["c"]);
        assert_eq!(seen("<IMG SRC = 'a>b' alt=\"\" Hidden>x</IMG a='>'><b>"), ["img alt=[] hidden=[] src=[a>b]", "b"]);
        assert_eq!(seen("<img/src=x/onerror=y>"), ["img src=[x/onerror=y]"]);
        assert_eq!(seen("<img/src='x'onerror=y>"), ["img onerror=[y] src=[x]"]);
        assert_eq!(seen("<a href=1 HREF=2>"), ["a href=[1]"]);
        assert_eq!(seen("<a =b=c d= >"), ["a =b=[c] d=[]"]);
        assert_eq!(seen("<a\nb\x0cc\td>"), ["a b=[] c=[] d=[]"]);
        assert_eq!(seen("<ä><1><é b>"), [""; 0]);
    }

    #[test]
    fn what_does_not_end_is_no_tag() {
        for text in ["<", "<a", "<a b", "<a b=", "<a b='>", "</", "</a b='>", "<!--", "<!", "<?", "<a =", "<a b=c"] {
            assert_eq!(seen(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn comments_hide_what_is_in_them() {
        assert_eq!(seen("<!-- <a> --><b>"), ["b"]);
        assert_eq!(seen("<!-- <a> --!><b> --><c>"), ["b", "c"]);
        assert_eq!(seen("<!--><b><!---><c>"), ["b", "c"]);
        assert_eq!(seen("<!DOCTYPE html \"<a>\"><?x <a>?></ <a>><b>"), ["b"]);
    }

    #[test]
    fn some_elements_hold_only_text() {
        assert_eq!(seen("<title><a></titles></TITLE ><b>"), ["title", "b"]);
        assert_eq!(seen("<style>a{}<b></style><c>"), ["style", "{a{}<b>}", "c"]);
        assert_eq!(seen("<style>a{}"), ["style", "{a{}}"]);
        assert_eq!(seen("<script>'<a>'</script/><b>"), ["script", "b"]);
        // In SVG they do not.
        assert_eq!(seen("<svg><style>a{}<img src=x></style>"), ["svg", "style", "{a{}}", "img src=[x]"]);
        assert_eq!(seen("<svg><title><b>"), ["svg", "title", "b"]);
    }

    #[test]
    fn character_references_are_resolved() {
        let href = |value: &str| seen(&format!("<a href=\"{value}\">"));
        for value in [
            "javascript&colon;f&lpar;1)",
            "javascript&#58;f&#x28;1)",
            "javascript&#58f&#X28;1)",
            "&#106avascript:f(&#x31)",
        ] {
            assert_eq!(href(value), ["a href=[javascript:f(1)]"], "{value}");
        }
        assert_eq!(href("a&amp;b&ampc&amp=d&amp e"), ["a href=[a&b&ampc&amp=d& e]"]);
        assert_eq!(
            href("&#0;&#xD800;&#99999999999;&#;&#x;&;&nothing;"),
            ["a href=[\u{fffd}\u{fffd}\u{fffd}&#;&#x;&;&nothing;]"]
        );
    }
}
