//! Texts of data files that programs show as HTML: labels, descriptions, narratives.
//!
//! Specification: WHATWG HTML. A text with a `<` in it is not HTML yet: only what the
//! standard makes elements with an address, or program text, counts.

use std::ops::Range;

use crate::{
    follow::Follower,
    format::Visit,
    formats::json::{self, Token},
    html::{self, Piece, Tag},
    quote::quoted,
    reference::{Reach, classify},
    rules,
    stop::Stop,
};

/// Attributes that load their address as soon as the element is shown.
const LOADING: &[(&str, &[&str])] = &[
    ("audio", &["src"]),
    ("base", &["href"]),
    ("body", &["background"]),
    ("embed", &["src"]),
    ("feimage", &["href", "xlink:href"]),
    ("frame", &["src"]),
    ("iframe", &["src"]),
    ("image", &["href", "src", "xlink:href"]),
    ("img", &["src", "srcset"]),
    ("input", &["src"]),
    ("link", &["href"]),
    ("object", &["codebase", "data"]),
    ("script", &["href", "src", "xlink:href"]),
    ("source", &["src", "srcset"]),
    ("table", &["background"]),
    ("td", &["background"]),
    ("th", &["background"]),
    ("track", &["src"]),
    ("use", &["href", "xlink:href"]),
    ("video", &["poster", "src"]),
];

/// Attributes that follow their address when somebody clicks.
const CLICKED: &[&str] = &["action", "formaction", "href", "xlink:href"];

/// Tells what of a text loads or runs when it is shown as HTML. `subject` names the text, as the start of a sentence.
///
/// # Errors
/// As [`Visit::find`].
pub fn look(
    visit: &mut Visit<'_>,
    follower: &mut Follower,
    range: Range<u64>,
    subject: &str,
    text: &str,
) -> Result<(), Stop> {
    if !text.contains('<') {
        return Ok(());
    }
    for piece in html::pieces(text) {
        match piece {
            Piece::Tag(tag) => look_at_tag(visit, follower, range.clone(), subject, &tag)?,
            Piece::Style(style) => look_at_style(visit, follower, range.clone(), subject, style)?,
        }
    }
    Ok(())
}

/// Looks at all texts of a layer in JSON.
///
/// # Errors
/// As [`json::walk`].
pub fn look_in_json(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    json::walk(visit, |visit, walker, event| {
        let Token::String(text) = &event.token else { return Ok(()) };
        let subject = format!("The text {}", walker.place());
        look(visit, &mut follower, event.range.clone(), &subject, &text.text())
    })
}

/// Looks at all lines of a layer of text. `subject` names a line, as the start of a sentence.
///
/// # Errors
/// As [`look`].
pub fn look_in_lines(visit: &mut Visit<'_>, subject: &str) -> Result<(), Stop> {
    let mut follower = Follower::default();
    let mut cursor = visit.bytes.cursor();
    while let Some((range, line)) = cursor.line(LINE)? {
        look(visit, &mut follower, range, subject, &String::from_utf8_lossy(&line))?;
    }
    Ok(())
}

/// The longest line that people write.
const LINE: usize = 1 << 20;

fn look_at_tag(
    visit: &mut Visit<'_>,
    follower: &mut Follower,
    range: Range<u64>,
    subject: &str,
    tag: &Tag<'_>,
) -> Result<(), Stop> {
    let element = tag.name.as_str();
    let runs = |what: &str| format!("{subject} contains {}.", quoted(what));
    if element == "script" {
        follower.tell(visit, &rules::RICH_TEXT_CARRIES_SCRIPT, range.clone(), "", runs("<script>"))?;
    }
    let loading = LOADING.iter().find(|(name, _)| *name == element).map_or(&[][..], |(_, attributes)| attributes);
    for (name, value) in &tag.attributes {
        let event = name.len() > 4 && name.starts_with("on") && value.contains(['(', '=', '`']);
        let script = (CLICKED.contains(&name.as_str()) || loading.contains(&name.as_str()))
            && classify(value).reach == Reach::Script;
        if event || script {
            let message = runs(&format!("{name}={value}"));
            follower.tell(visit, &rules::RICH_TEXT_CARRIES_SCRIPT, range.clone(), "", message)?;
        } else if loading.contains(&name.as_str()) {
            // A set of sources: addresses with a width behind each.
            for address in value.split(if name == "srcset" { ',' } else { '\0' }) {
                let address = address.trim_ascii();
                let address = if name == "srcset" { address.split(' ').next().unwrap_or(address) } else { address };
                loads(visit, follower, range.clone(), subject, address)?;
            }
        } else if name == "style" {
            look_at_style(visit, follower, range.clone(), subject, value)?;
        }
    }
    Ok(())
}

/// CSS loads by `url(…)` and by `@import "…"`.
fn look_at_style(
    visit: &mut Visit<'_>,
    follower: &mut Follower,
    range: Range<u64>,
    subject: &str,
    style: &str,
) -> Result<(), Stop> {
    let lower = style.to_ascii_lowercase();
    for mark in ["url(", "@import"] {
        let mut rest = lower.as_str();
        while let Some((_, behind)) = rest.split_once(mark) {
            rest = behind;
            let address = behind.trim_start().trim_start_matches(['"', '\'']);
            let address = address.split(['"', '\'', ')', ';']).next().unwrap_or_default();
            if !address.starts_with("url(") {
                loads(visit, follower, range.clone(), subject, address)?;
            }
        }
    }
    Ok(())
}

fn loads(
    visit: &mut Visit<'_>,
    follower: &mut Follower,
    range: Range<u64>,
    subject: &str,
    address: &str,
) -> Result<(), Stop> {
    let reference = classify(address);
    if !reference.connects() {
        return Ok(());
    }
    let message = format!("{subject} loads {}: it {}.", quoted(address), reference.saying());
    let host = reference.host.as_deref().unwrap_or_default();
    follower.tell(visit, &rules::RICH_TEXT_LOADS, range, host, message)
}
