//! Text that somebody would run: judged by its grammar, never by its words alone.
//!
//! A text value is prose, a number, a name. What is looked for here has a structure that those do not have: a script's
//! first line, a tag with an event handler, a formula with its arguments, lines that are all statements.

use std::ops::Range;

use crate::{follow::Follower, format::Visit, quote::quoted_bytes, rich_text, rules, stop::Stop};

/// Tells what of a text would run or load where it is handed on. `subject` names the text, as the start of a sentence.
///
/// # Errors
/// As [`Visit::find`].
pub(crate) fn look(visit: &mut Visit<'_>, range: Range<u64>, subject: &str, text: &[u8]) -> Result<(), Stop> {
    let shown = quoted_bytes(text);
    let (rule, message) = match active(text) {
        None => {
            let text = String::from_utf8_lossy(text);
            return rich_text::look(visit, &mut Follower::default(), range, subject, &text);
        }
        Some(Active::Program(kind)) => (&rules::PROGRAM_TEXT_IN_VALUE, format!("{subject} holds {kind}: {shown}.")),
        Some(Active::Markup) => (&rules::ACTIVE_MARKUP_IN_TEXT, format!("{subject} is {shown}.")),
        Some(Active::Formula) => (&rules::FORMULA_IN_TEXT, format!("{subject} is {shown}.")),
    };
    visit.find(rule, range, message)
}

/// As [`look`], for a text that the sweep looks at too: the start of a script is its to tell.
///
/// # Errors
/// As [`Visit::find`], and those of the source.
pub(crate) fn look_at_room(visit: &mut Visit<'_>, range: Range<u64>, subject: &str) -> Result<(), Stop> {
    let text = visit.bytes.window(range.clone()).peek(range.start, ROOM)?;
    let blank = |byte: &u8| matches!(byte, b' ' | b'\r' | b'\n' | 0);
    let inner = trim_end(trim_start(&text, blank), blank);
    // The sweep tells a script that starts the room.
    let starts = !inner.is_empty() && text.trim_ascii_start().starts_with(inner.get(..1).unwrap_or_default());
    if starts && script_start(inner).is_some() { Ok(()) } else { look(visit, range, subject, inner) }
}

/// Claims a room that readers skip, where it is blank. Anything else there belongs to nothing.
///
/// # Errors
/// As [`Visit::claim`], and those of the source.
pub(crate) fn claim_blank(visit: &mut Visit<'_>, range: Range<u64>, what: &'static str) -> Result<(), Stop> {
    if visit.bytes.window(range.clone()).is_all(0)? { visit.slack(range, what) } else { Ok(()) }
}

/// Claims a room that the format reserves: blank, or text that people write. Anything else there belongs to nothing.
///
/// # Errors
/// As [`Visit::claim`] and [`Visit::find`], and those of the source.
pub(crate) fn claim_reserved(visit: &mut Visit<'_>, range: Range<u64>, what: &'static str) -> Result<(), Stop> {
    let room = visit.bytes.window(range.clone()).peek(range.start, ROOM)?;
    let is_text = room.iter().all(|byte| matches!(byte, 0 | b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..));
    if !is_text {
        return Ok(());
    }
    visit.slack(range.clone(), what)?;
    look_at_room(visit, range, &format!("The room “{what}”"))
}

/// How much of a room is looked at, in bytes.
const ROOM: usize = 64 << 10;

/// What kind of running text it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Active {
    /// An interpreter runs it: the sentence's object ("a Unix script").
    Program(&'static str),
    /// A browser runs it.
    Markup,
    /// A spreadsheet program computes it.
    Formula,
}

/// What runs `text`, if anything.
pub(crate) fn active(text: &[u8]) -> Option<Active> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let start = text.trim_ascii_start();
    if let Some(kind) = script_start(start) {
        return Some(Active::Program(kind));
    }
    if has_active_markup(text) {
        return Some(Active::Markup);
    }
    if is_formula(start) || reaches_out(start) {
        return Some(Active::Formula);
    }
    (is_statements(text)).then_some(Active::Program("Python statements"))
}

/// The interpreter that takes a text for its own by how it starts.
pub(crate) fn script_start(text: &[u8]) -> Option<&'static str> {
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r' | 0)).next().unwrap_or_default();
    if let Some(interpreter) = line.strip_prefix(b"#!") {
        let interpreter = interpreter.trim_ascii_start();
        let path = interpreter.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let plausible = path.len() > 1
            && path.first() == Some(&b'/')
            && path.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(byte));
        return plausible.then_some("a Unix script");
    }
    if let Some(command) = strip_prefix_ignoring_case(line, b"@echo") {
        // A command of its own: followed by an argument, a separator or the end of the line.
        let next = command.first();
        return next.is_none_or(|byte| b" \t.&:(;,=".contains(byte)).then_some("a Windows batch script");
    }
    if strip_prefix_ignoring_case(text, b"<?php").is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
        || text.starts_with(b"<?=")
    {
        return Some("a PHP script");
    }
    None
}

/// Whether a text is a line of commands, or lines that all are: for places where nobody writes prose.
pub(crate) fn is_commands(text: &[u8]) -> bool {
    let text =
        trim_end(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text), |byte| matches!(byte, b' ' | b'\r' | b'\n' | 0));
    let mut lines =
        text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let first_word = |line: &[u8]| -> Vec<u8> {
        let line = trim_start(line, |byte| b":;@('\" ".contains(byte));
        let end = line.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"._-".contains(byte));
        line.get(..end.unwrap_or(line.len())).unwrap_or_default().to_ascii_lowercase()
    };
    let starts = |line: &[u8]| {
        let word = first_word(line);
        INTERPRETERS.contains(&word.strip_suffix(b".exe").unwrap_or(&word))
            && line.iter().any(|byte| b" \t/".contains(byte))
    };
    let count = lines.clone().count();
    let command = |line: &[u8]| starts(line) || COMMANDS.contains(&first_word(line).as_slice());
    lines.clone().any(starts) || calls_with_text(text) || (count > 1 && lines.all(command))
}

/// Programs that a line of a script starts with.
const INTERPRETERS: &[&[u8]] = &[
    b"bash",
    b"bitsadmin",
    b"certutil",
    b"cmd",
    b"cscript",
    b"curl",
    b"exec",
    b"mshta",
    b"perl",
    b"powershell",
    b"pwsh",
    b"python",
    b"python3",
    b"regsvr32",
    b"rundll32",
    b"sh",
    b"wget",
    b"wscript",
];

/// Commands of batch files and shells that are words, too.
const COMMANDS: &[&[u8]] =
    &[b"call", b"cd", b"copy", b"del", b"echo", b"exit", b"goto", b"rem", b"rm", b"set", b"start"];

/// Whether a name stands right in front of a parenthesis with a quoted text in it: `CreateObject("…")`.
fn calls_with_text(text: &[u8]) -> bool {
    let opens = |pair: &[u8]| matches!(pair, [b'(', b'"' | b'\'']);
    text.windows(2).enumerate().any(|(at, pair)| {
        let named = at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(u8::is_ascii_alphabetic);
        named && opens(pair) && closes(text.get(at..).unwrap_or_default())
    })
}

/// Longer tags are not looked at to their end.
const LONGEST_TAG: usize = 4096;

/// A tag that runs script: `<script …>`, an event handler, an address of the scheme `javascript:`.
pub(crate) fn has_active_markup(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(open) = memchr::memchr(b'<', rest) {
        rest = rest.get(open.saturating_add(1)..).unwrap_or_default();
        if is_active_tag(rest.get(..rest.len().min(LONGEST_TAG)).unwrap_or_default()) {
            return true;
        }
    }
    let start = text.trim_ascii_start();
    strip_prefix_ignoring_case(start, b"javascript:").is_some_and(|code| code.contains(&b'('))
}

/// Whether the tag behind a `<` runs script.
fn is_active_tag(tag: &[u8]) -> bool {
    let name_len = tag.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b':').unwrap_or(tag.len());
    let (name, mut rest) = tag.split_at_checked(name_len).unwrap_or_default();
    if name.is_empty() || !matches!(rest.first(), Some(b' ' | b'\t' | b'\n' | b'\r' | b'/' | b'>')) {
        return false;
    }
    let is_script = name.eq_ignore_ascii_case(b"script") || name.to_ascii_lowercase().ends_with(b":script");
    if is_script {
        return rest.contains(&b'>');
    }
    // Attributes up to the end of the tag: name = "value".
    let mut runs = false;
    loop {
        rest = trim_start(rest, |byte| byte.is_ascii_whitespace() || *byte == b'/');
        let name_len = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"-:_".contains(byte));
        let Some(name_len) = name_len else { return false };
        let (name, after) = rest.split_at_checked(name_len).unwrap_or_default();
        if name.is_empty() {
            return runs && after.first() == Some(&b'>');
        }
        rest = trim_start(after, u8::is_ascii_whitespace);
        let Some(value) = rest.strip_prefix(b"=") else { continue };
        let value = trim_start(value, u8::is_ascii_whitespace);
        let (value, after) = match value.first() {
            Some(quote @ (b'"' | b'\'')) => {
                let inside = value.get(1..).unwrap_or_default();
                let Some(end) = memchr::memchr(*quote, inside) else { return false };
                (inside.get(..end).unwrap_or_default(), inside.get(end.saturating_add(1)..).unwrap_or_default())
            }
            _ => {
                let end = value.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'>');
                value.split_at_checked(end.unwrap_or(value.len())).unwrap_or_default()
            }
        };
        let handler = strip_prefix_ignoring_case(name, b"on");
        let is_handler = handler.is_some_and(|event| event.len() > 2 && event.iter().all(u8::is_ascii_alphabetic));
        let is_script = strip_prefix_ignoring_case(value.trim_ascii(), b"javascript:").is_some();
        runs = runs || (is_handler && !value.is_empty()) || is_script;
        rest = after;
    }
}

/// Whether a cell with this text would start a program or fetch something, whatever sign it starts with.
fn reaches_out(text: &[u8]) -> bool {
    let signed = matches!(text.first(), Some(b'=' | b'+' | b'-' | b'@'));
    signed
        && crate::formats::csv::reaches_out(&String::from_utf8_lossy(
            text.get(..text.len().min(4096)).unwrap_or_default(),
        ))
}

/// `=NAME(…)` with the parenthesis closed, or the exchange with another program `=name|topic!item`.
fn is_formula(text: &[u8]) -> bool {
    let Some(formula) = text.strip_prefix(b"=").or_else(|| text.strip_prefix(b"+")).or_else(|| text.strip_prefix(b"@"))
    else {
        return false;
    };
    let formula = trim_start(formula, |byte| b"=+-@".contains(byte));
    let name_len = formula.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"._".contains(byte));
    let (name, rest) = formula.split_at_checked(name_len.unwrap_or(formula.len())).unwrap_or_default();
    if !name.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    match rest.first() {
        Some(b'(') => closes(rest),
        Some(b'|') => rest.contains(&b'!'),
        _ => false,
    }
}

/// Whether the parenthesis that starts `text` is closed again, strings left aside.
fn closes(text: &[u8]) -> bool {
    let mut depth = 0usize;
    let mut quote = None;
    for byte in text {
        match (quote, byte) {
            (Some(open), _) if open == *byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'(' | b'[' | b'{') => depth = depth.saturating_add(1),
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && quote.is_none() {
            return true;
        }
    }
    false
}

/// At most this many lines are looked at.
const LINES: usize = 200;

/// Whether all lines are Python statements, an import and a call or a definition among them.
pub(crate) fn is_statements(text: &[u8]) -> bool {
    let (mut imports, mut acts) = (0usize, 0usize);
    let text = trim_end(text, |byte| matches!(byte, b' ' | 0));
    for line in text.split(|byte| matches!(byte, b'\n' | b';')).take(LINES) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match statement(line) {
            Some(Statement::Import) => imports = imports.saturating_add(1),
            Some(Statement::Acts) => acts = acts.saturating_add(1),
            Some(Statement::Other) => {}
            None => return false,
        }
    }
    imports > 0 && acts > 0
}

enum Statement {
    Import,
    Acts,
    Other,
}

fn statement(line: &[u8]) -> Option<Statement> {
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'(' | b':')).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let second = words.next();
    let third = words.next();
    let opens_block = line.ends_with(b":");
    match first {
        b"import" => {
            let named = second.is_some_and(|name| is_dotted(name.strip_suffix(b",").unwrap_or(name)));
            return (named && third.is_none_or(|word| word == b"as" || word == b"," || is_dotted(word)))
                .then_some(Statement::Import);
        }
        b"from" => return (second.is_some_and(is_dotted) && third == Some(b"import")).then_some(Statement::Import),
        b"def" | b"class" => return second.is_some().then_some(Statement::Acts),
        b"if" | b"for" | b"while" | b"with" | b"try" | b"else" | b"elif" | b"except" | b"finally" if opens_block => {
            return Some(Statement::Other);
        }
        b"return" | b"raise" | b"pass" | b"break" | b"continue" | b"global" | b"del" | b"assert" => {
            return Some(Statement::Other);
        }
        _ => {}
    }
    let name_len = line.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"._[]'\"".contains(byte))?;
    let (name, rest) = line.split_at_checked(name_len)?;
    let rest = rest.trim_ascii_start();
    if !is_dotted(name.split(|byte| *byte == b'[').next().unwrap_or_default()) {
        return None;
    }
    match rest.first() {
        Some(b'(') => closes(rest).then_some(Statement::Acts),
        Some(b'=' | b'+') => Some(Statement::Other),
        _ => None,
    }
}

/// Identifiers joined by dots.
fn is_dotted(name: &[u8]) -> bool {
    name.split(|byte| *byte == b'.').all(|part| {
        part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    })
}

fn strip_prefix_ignoring_case<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn trim_start(text: &[u8], trimmed: impl Fn(&u8) -> bool) -> &[u8] {
    let from = text.iter().position(|byte| !trimmed(byte)).unwrap_or(text.len());
    text.get(from..).unwrap_or_default()
}

fn trim_end(text: &[u8], trimmed: impl Fn(&u8) -> bool) -> &[u8] {
    let end = text.iter().rposition(|byte| !trimmed(byte)).map_or(0, |last| last.saturating_add(1));
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_told_by_their_first_line() {
        assert_eq!(active(b"#!/usr/bin/env python\nx"), Some(Active::Program("a Unix script")));
        assert_eq!(active(b"@ECHO OFF\r\nstart x\r\n"), Some(Active::Program("a Windows batch script")));
        assert_eq!(active(b"<?php phpinfo();"), Some(Active::Program("a PHP script")));
        for text in [&b"#!good morning"[..], b"@echocardiography", b"<?xml version=\"1.0\"?><a/>", b"# 1 / 2"] {
            assert_eq!(active(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn markup_runs_by_script_handlers_and_addresses() {
        for text in [
            "<script>alert(1)</script>",
            "note <img src=x onerror=\"f()\"> end",
            "<a href='javascript:f()'>x</a>",
            "<SVG/onload=f()>",
            "javascript:alert(1)",
        ] {
            assert_eq!(active(text.as_bytes()), Some(Active::Markup), "{text}");
        }
        for text in [
            "a < b and onset = 3 > 2",
            "<b>bold</b> <a href=\"https://example.org\">x</a>",
            "<patient on=\"left\">",
            "prescription of a script, see javascript: the language",
            "x <scripted> y",
            "T1<T2 onset=late",
        ] {
            assert_eq!(active(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn formulas_have_arguments() {
        for text in ["=HYPERLINK(\"http://x\",\"y\")", "=cmd|'/C calc'!A0", "@SUM(1,2)", "+-WEBSERVICE(A1)"] {
            assert_eq!(active(text.as_bytes()), Some(Active::Formula), "{text}");
        }
        for text in ["=Yamada^Tarou=x", "+1", "-3.5", "=", "@home", "=(unclosed", "= 5 (approx", "Doe^J(r)"] {
            assert_eq!(active(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn statements_are_lines_that_all_parse() {
        assert!(is_statements(b"import os\nprint(\"x\")\nexec(\"1+1\") "));
        assert!(is_statements(b"from a.b import c\ndef f(x):\n    return x\n"));
        for text in [
            &b"import of images failed\nplease repeat"[..],
            b"a = 1\nb = 2\n",
            b"import os",
            b"Findings: none (normal)\nimport: 3 images",
            b"from here import of (3) images",
        ] {
            assert!(!is_statements(text), "{}", String::from_utf8_lossy(text));
        }
    }
}
