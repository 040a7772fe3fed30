//! Links that open 3D Slicer: the scheme `slicer:` in a shortcut, a desktop entry or a web page.
//!
//! Specification: the custom URL handling of 3D Slicer (`slicer:` addresses, DICOMweb and download parameters).
//!
//! ```text
//! [InternetShortcut]                        Windows shortcut (.url), KDE and GNOME desktop entry (.desktop)
//! URL=slicer://viewer/?studyUID=1.2&dicomweb_endpoint=https%3A%2F%2Fhost%2Fdicom-web
//! <a href="slicer://viewer/?…">             web page
//! ```
//! A click on such a link starts 3D Slicer, which fetches what the parameters name. A text about such links is text: only
//! the value of a URL line and the address attributes of elements count.

use std::ops::Range;

use super::text;
use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    html::{Piece, pieces},
    quote::quoted,
    reference::{classify, percent_decoded},
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// Links that open 3D Slicer.
pub static FORMAT: Format = Format {
    id: "slicer-link",
    name: "a link that opens 3D Slicer",
    spec: "https://slicer.readthedocs.io/en/latest/user_guide/modules/dicom.html",
    extensions: &[],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    // Asked beside plain text, which claims the bytes.
    nature: Nature::Text,
    within: None,
    rules: &[&FETCHES],
};

/// A link with the address of a server in it.
static FETCHES: Rule = Rule {
    id: "slicer-link-fetches",
    title: "A link in this file opens 3D Slicer and has it fetch something from a server",
    why: "When the link is clicked and 3D Slicer is installed, it starts and asks the server that the link names for \
          images: who runs the server learns who looks, and can answer with anything.",
    advice: "Do not click the link unless you know the server.",
    guideline: Guideline::Reporting,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://slicer.readthedocs.io/en/latest/user_guide/modules/dicom.html"],
};

const SCHEME: &str = "slicer:";

/// How much of a text is looked at, in bytes.
const LOOK: usize = 1 << 20;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    if !(text::FORMAT.confirm)(candidate)? {
        return Ok(false);
    }
    let text = candidate.head(LOOK)?;
    Ok(!links(&String::from_utf8_lossy(&text)).is_empty())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let text = visit.bytes.peek(0, LOOK)?;
    let mut follower = Follower::default();
    for link in links(&String::from_utf8_lossy(&text)) {
        let query = link.split_once('?').map_or("", |(_, query)| query);
        for parameter in query.split(['&', ';']) {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let value = percent_decoded(value);
            let reference = classify(&value);
            if reference.connects() {
                let host = reference.host.as_deref().unwrap_or_default();
                let message = format!(
                    "When the link is clicked, 3D Slicer is given {} as {}: it {}.",
                    quoted(&value),
                    quoted(name),
                    reference.saying()
                );
                follower.tell(visit, &FETCHES, place_of(&text, &link), host, message)?;
            }
        }
    }
    Ok(())
}

/// Where a link stands; the whole text where entities are written in it.
fn place_of(text: &[u8], link: &str) -> Range<u64> {
    match memchr::memmem::find(text, link.as_bytes()) {
        Some(at) => at as u64..at.saturating_add(link.len()) as u64,
        None => 0..text.len() as u64,
    }
}

/// The addresses of the scheme that a desktop or a browser would follow.
fn links(text: &str) -> Vec<String> {
    let is_link = |address: &str| {
        address.trim_start().get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    };
    let mut links = Vec::new();
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        if key.trim().split('[').next().is_some_and(|key| key.eq_ignore_ascii_case("URL")) && is_link(value) {
            links.push(value.trim().to_string());
        }
    }
    for piece in pieces(text) {
        let Piece::Tag(tag) = piece else { continue };
        for (_, value) in &tag.attributes {
            // `<meta http-equiv="refresh" content="0; url=slicer://…">`
            let address = value.split_once("url=").map_or(value.as_ref(), |(_, address)| address);
            if is_link(address) {
                links.push(address.trim().to_string());
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use crate::check::tests::told;

    const LINK: &str = "slicer://viewer/?studyUID=1.2.3&dicomweb_endpoint=https%3A%2F%2F192.0.2.1%2Fdicom-web";

    #[test]
    fn links_that_fetch_are_found() {
        let shortcut = |address: &str| format!("[InternetShortcut]\r\nURL={address}\r\n");
        told("a.url", shortcut(LINK), "slicer-link-fetches", shortcut("https://www.slicer.org/"));
        let page = |text: &str| format!("<!DOCTYPE html><html><body>{text}</body></html>\n");
        let escaped = page(&format!("<A HREF='{}'>open</A>", LINK.replace('&', "&amp;")));
        told("a.html", escaped, "slicer-link-fetches", page("Links such as slicer://viewer/?x=http://a/ open it."));
        let refresh = page(&format!("<meta http-equiv=refresh content='0; url={LINK}'>"));
        told("b.html", refresh, "slicer-link-fetches", page("<a href='slicer://viewer/?studyUID=1.2.3'>open</a>"));
        let entry = |address: &str| format!("[Desktop Entry]\nType=Link\nURL[$e]={address}\n");
        told("a.desktop", entry(LINK), "slicer-link-fetches", entry("slicer://viewer/?studyUID=1.2.3"));
    }
}
