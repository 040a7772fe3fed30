//! XML: elements inside each other, attributes, text; in front of them a declaration of the document type, which may
//! name other files.
//!
//! Specification: XML 1.0 (Fifth Edition), <https://www.w3.org/TR/xml/>; Namespaces in XML 1.0; XInclude 1.1;
//! Associating Style Sheets with XML documents 1.0.
//!
//! ```text
//! document = [ BOM ] [ <?xml version encoding?> ] misc* [ <!DOCTYPE name SYSTEM "…" [ <!ENTITY …> … ]> ] misc* root misc*
//! root     = <name attribute="value"> ( text | element | <![CDATA[ … ]]> | misc )* </name>
//! misc     = <!-- … --> | <?target …?> | white space
//! ```
//! What reaches out: external entities, style sheets, inclusions. What runs: script elements of XHTML and SVG, wherever
//! they stand, because a browser shows any XML. What exhausts a parser: entities made of entities.
//!
//! Other formats are made of XML; their readers walk with [`Walker`].

mod doctype;
mod walker;

pub use doctype::{Doctype, Entity, External, Value};
pub use walker::{Attribute, Element, Event, Text, Token, Walker};

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::FORMATS,
    quote::quoted,
    reference::{Reach, classify},
    rule::{Guideline, Rule, Runs, Severity},
    stop::{Limit, Stop},
};

/// XML.
pub static FORMAT: Format = Format {
    id: "xml",
    name: "XML",
    spec: "https://www.w3.org/TR/xml/",
    extensions: EXTENSIONS,
    media_types: &["application/xml", "text/xml"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[
        &ENTITY_BESIDE,
        &ENTITY_EXPANSION,
        &ENTITY_EXTERNAL,
        &EXTERNAL_DTD,
        &INCLUDE_BESIDE,
        &INCLUDE_LEAVES,
        &SCRIPT_ELEMENT,
        &STYLESHEET_BESIDE,
        &STYLESHEET_LEAVES,
    ],
};

const EXTENSIONS: &[&str] = &["xml", "xsd", "xsl", "xslt", "rdf", "rss", "atom"];

/// XHTML 1.0, and XML of HTML.
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// SVG 1.1 and 2.
const SVG: &str = "http://www.w3.org/2000/svg";

/// XInclude 1.0 and 1.1.
const XINCLUDE: &[&str] = &["http://www.w3.org/2001/XInclude", "http://www.w3.org/2003/XInclude"];

/// An external entity that leads out.
static ENTITY_EXTERNAL: Rule = Rule {
    id: "xml-external-entity",
    title: "This file asks the reader to fetch another file and put it in",
    why: "An external entity names an address. A program that follows it reads a file of your computer or contacts a \
          server when it opens this file, and may send what it read.",
    advice: "Open it only with a program that does not follow external entities. Data files have no need of them.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/611.html", "https://www.w3.org/TR/xml/#sec-external-ent"],
};

/// An external entity that stays in the folder, or is one of the published modules of a definition.
static ENTITY_BESIDE: Rule = Rule {
    id: "xml-external-entity-beside",
    title: "This file is made of several files",
    why: "An external entity names a file beside this one, or a module of a published definition. Some programs read it \
          together with this file.",
    advice: "Nothing to do. Check the other file too.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &["https://www.w3.org/TR/xml/#sec-external-ent"],
};

/// Entities that become very large.
static ENTITY_EXPANSION: Rule = Rule {
    id: "xml-entity-expansion",
    title: "A small text in this file grows beyond all bounds when it is read",
    why: "Entities that are made of entities make a program that replaces them run out of memory. Data has no use for it.",
    advice: "Do not open it.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://cwe.mitre.org/data/definitions/776.html"],
};

/// A definition outside the file.
static EXTERNAL_DTD: Rule = Rule {
    id: "xml-external-definition",
    title: "This file names the address of its definition",
    why: "A validating program may fetch the definition from there. Most programs do not; many formats write it by habit.",
    advice: "Nothing to do.",
    guideline: Guideline::Reporting,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &["https://www.w3.org/TR/xml/#sec-prolog-dtd"],
};

/// An inclusion that leads out.
static INCLUDE_LEAVES: Rule = Rule {
    id: "xml-include-leaves-folder",
    title: "This file includes another file from elsewhere",
    why: "A program that follows XInclude reads a file of your computer or contacts a server when it opens this file.",
    advice: "Open it only with a program that does not follow inclusions, or ask the sender for one whole file.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://www.w3.org/TR/xinclude-11/"],
};

/// An inclusion that stays in the folder.
static INCLUDE_BESIDE: Rule = Rule {
    id: "xml-include",
    title: "This file includes another file beside it",
    why: "A program that follows XInclude reads that file together with this one.",
    advice: "Nothing to do. Check the other file too.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &["https://www.w3.org/TR/xinclude-11/"],
};

/// A style sheet that leads out.
static STYLESHEET_LEAVES: Rule = Rule {
    id: "xml-stylesheet-leaves-folder",
    title: "This file fetches its style sheet from elsewhere",
    why: "A browser that opens the file fetches the style sheet: a server learns of it, and an XSL style sheet decides \
          what is shown.",
    advice: "Remove the instruction, or open the file with something other than a browser.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://www.w3.org/TR/xml-stylesheet/"],
};

/// A style sheet that stays in the folder.
static STYLESHEET_BESIDE: Rule = Rule {
    id: "xml-stylesheet",
    title: "This file names a style sheet beside it",
    why: "A browser that opens the file reads the style sheet with it.",
    advice: "Nothing to do. Check the style sheet too.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &["https://www.w3.org/TR/xml-stylesheet/"],
};

/// A script of XHTML or SVG in a document of another kind.
static SCRIPT_ELEMENT: Rule = Rule {
    id: "xml-script",
    title: "This file runs a script when a browser opens it",
    why: "A browser shows any XML file, and runs the script elements and event attributes of XHTML and SVG that stand in it.",
    advice: "Do not open it in a browser.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://html.spec.whatwg.org/multipage/scripting.html"],
};

/// How much is looked at to recognise XML, in bytes.
const LOOK: u64 = 4 << 10;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(256)?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    // In UTF-16 a zero follows: the reader of text brings it into UTF-8.
    if !text.starts_with(b"<") || text.get(1) == Some(&0) {
        return Ok(false);
    }
    let declared = text.starts_with(b"<?xml") && text.get(5).is_some_and(u8::is_ascii_whitespace);
    let made_of_xml = |format: &&&'static Format| format.within.is_some_and(|base| *base == FORMAT);
    let named = candidate.is_named(EXTENSIONS)
        || FORMATS.iter().filter(made_of_xml).any(|format| candidate.is_named(format.extensions));
    if declared || named {
        return Ok(true);
    }
    let start = candidate.bytes.start();
    let window = candidate.bytes.window(start..start.saturating_add(LOOK));
    let mut walker = Walker::new(&window)?;
    let mut root = false;
    let mut defined = false;
    loop {
        match walker.step() {
            Ok(Some(Event { token: Token::Doctype(doctype), .. })) => {
                defined = !doctype.name.eq_ignore_ascii_case("html");
            }
            // HTML has no such instructions, but for PHP, which takes part of what it says for tags.
            Ok(Some(Event { token: Token::Instruction { target, .. }, .. })) => defined = target.starts_with("xml"),
            Ok(Some(Event { token: Token::Start(element), .. })) if !root => {
                let prefixed = element.attributes.iter().any(|attribute| attribute.name.starts_with("xmlns:"));
                let declared = element.namespace.is_some() || (prefixed && !element.name.eq_ignore_ascii_case("html"));
                // HTML looks like XML at first.
                if !declared && !defined && HTML.contains(&element.name.to_ascii_lowercase().as_str()) {
                    return Ok(false);
                }
                root = true;
                if declared {
                    return Ok(true);
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(root),
            // A piece may be cut by the end of the window, and nothing else.
            Err(Stop::Malformed(spot)) => {
                let cut = spot.at >= window.end() || walker.at() >= window.end();
                return Ok(root && cut && window.end() < candidate.bytes.end());
            }
            Err(Stop::Exhausted(_) | Stop::Unsupported(_)) => return Ok(root),
            Err(stop) => return Err(stop),
        }
    }
}

/// Elements that HTML documents and their parts start with.
const HTML: &[&str] = &[
    "a", "b", "base", "body", "br", "center", "div", "embed", "font", "form", "h1", "h2", "h3", "head", "html", "i",
    "iframe", "img", "input", "link", "meta", "object", "p", "script", "span", "style", "table", "title", "ul",
    "video",
];

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut walker = Walker::new(visit.bytes)?;
    let mut claimed = visit.bytes.start();
    let mut shown_elsewhere = false;
    let mut root = true;
    let mut raw_tail = false;
    loop {
        let next = walker.step();
        // Claimed step by step, so that what was read before a break is known as read.
        if !matches!(next, Ok(Some(_))) || walker.at() > claimed.saturating_add(1 << 20) {
            visit.structure(claimed..walker.at(), "XML")?;
            claimed = walker.at();
        }
        let Some(Event { range, token }) = next? else { break };
        match token {
            Token::Doctype(doctype) => look_at_doctype(visit, range, &doctype)?,
            Token::Instruction { target, content } if target == "xml-stylesheet" => {
                look_at_stylesheet(visit, range, &content)?;
            }
            Token::Comment(text) => {
                visit.structure(claimed..text.range.start, "XML")?;
                visit.slack(text.range.clone(), "comment")?;
                claimed = text.range.end;
            }
            Token::Start(element) => {
                if std::mem::take(&mut root) {
                    // Readers of their own look at these as a whole.
                    shown_elsewhere = element.is(XHTML, "html") || element.is(SVG, "svg");
                }
                look_at_element(visit, range, &element, shown_elsewhere)?;
                // VTK writes bytes that are no XML behind this tag; its reader goes on there.
                let encoding = element.attribute("encoding").map(|encoding| encoding.value.as_str());
                if element.name == "AppendedData" && encoding == Some("raw") && walker.path().len() == 2 {
                    visit.structure(claimed..walker.at(), "XML")?;
                    raw_tail = true;
                    break;
                }
            }
            _ => {}
        }
    }
    match walker.damage() {
        Some(damage) if !raw_tail => visit.note(damage.clone()),
        _ => {}
    }
    Ok(())
}

/// Walks over a layer for a format that is made of XML. Damage ends the walk: the reader of XML itself tells it.
///
/// # Errors
/// Those of `each`, of the source, and of the budget.
pub fn walk(
    visit: &mut Visit<'_>,
    mut each: impl FnMut(&mut Visit<'_>, &Walker, &Event) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut walker = Walker::new(visit.bytes)?;
    loop {
        match walker.step() {
            Ok(Some(event)) => each(visit, &walker, &event)?,
            Ok(None)
            | Err(Stop::Malformed(_) | Stop::Unsupported(_) | Stop::Exhausted(Limit::Depth | Limit::Window)) => {
                return Ok(());
            }
            Err(stop) => return Err(stop),
        }
    }
}

/// The root element of a document.
///
/// # Errors
/// Those of the source and the budget.
pub fn root(candidate: &Candidate<'_>) -> Result<Option<Element>, Stop> {
    // However much stands in front of it: a parser finds it too.
    let mut walker = Walker::new(candidate.bytes)?;
    loop {
        match walker.step() {
            Ok(Some(Event { token: Token::Start(element), .. })) => return Ok(Some(element)),
            Ok(Some(_)) => {}
            Ok(None)
            | Err(Stop::Malformed(_) | Stop::Unsupported(_) | Stop::Exhausted(Limit::Depth | Limit::Window)) => {
                return Ok(None);
            }
            Err(stop) => return Err(stop),
        }
    }
}

/// Entities that become longer than this are a bomb: a megabyte of text is no abbreviation.
const EXPANDED: u64 = 1 << 20;

fn look_at_doctype(visit: &mut Visit<'_>, range: std::ops::Range<u64>, doctype: &Doctype) -> Result<(), Stop> {
    if let Some(external) = &doctype.external
        && !external.system.is_empty()
    {
        let message = format!("The definition of {} is at {}.", quoted(&doctype.name), quoted(&external.system));
        visit.find(&EXTERNAL_DTD, range, message)?;
    }
    for entity in &doctype.entities {
        let Value::External(external) = &entity.value else { continue };
        let reference = classify(&external.system);
        let beside = matches!(reference.reach, Reach::SameFile | Reach::Sibling | Reach::Below);
        let rule: &'static Rule = if beside || is_published(external) { &ENTITY_BESIDE } else { &ENTITY_EXTERNAL };
        let message =
            format!("The entity {} {}: {}.", quoted(&entity.name), reference.saying(), quoted(&external.system));
        visit.find(rule, entity.range.clone(), message)?;
    }
    if let Some((entity, size)) = doctype.largest()
        && size > EXPANDED
    {
        let size = if size == u64::MAX { "more bytes than can be counted".into() } else { format!("{size} bytes") };
        let message = format!("The entity {} becomes {size}.", quoted(&entity.name));
        visit.find(&ENTITY_EXPANSION, entity.range.clone(), message)?;
    }
    Ok(())
}

/// Whether an entity is a module of a definition that a standards body publishes under a formal public identifier.
fn is_published(external: &External) -> bool {
    let public = external.public.as_deref().unwrap_or_default();
    let body = ["-//W3C//", "-//OASIS//", "ISO 8879", "+//ISO", "-//NLM//"].iter().any(|body| public.starts_with(body));
    let host = classify(&external.system).host.unwrap_or_default();
    body && ["www.w3.org", "www.oasis-open.org", "docs.oasis-open.org", "dtd.nlm.nih.gov"].contains(&host.as_str())
}

fn look_at_stylesheet(visit: &mut Visit<'_>, range: std::ops::Range<u64>, content: &str) -> Result<(), Stop> {
    // The content has the form of attributes (Associating Style Sheets, section 4).
    let tag = quick_xml::events::BytesStart::from_content(content, 0);
    let href = tag.html_attributes().with_checks(false).flatten().find(|attribute| attribute.key.as_ref() == "href");
    let Some(href) = href else { return Ok(()) };
    let address = quick_xml::escape::unescape(&href.value).map_or(href.value.to_string(), std::borrow::Cow::into_owned);
    let reference = classify(&address);
    let rule: &'static Rule = match reference.reach {
        Reach::SameFile => return Ok(()),
        _ if reference.leaves_folder() && reference.reach != Reach::Parent => &STYLESHEET_LEAVES,
        _ => &STYLESHEET_BESIDE,
    };
    visit.find(rule, range, format!("The style sheet {}: {}.", reference.saying(), quoted(&address)))
}

fn look_at_element(
    visit: &mut Visit<'_>,
    range: std::ops::Range<u64>,
    element: &Element,
    shown_elsewhere: bool,
) -> Result<(), Stop> {
    let namespace = element.namespace.as_deref().unwrap_or_default();
    if XINCLUDE.contains(&namespace) && element.local() == "include" {
        let href = element.attribute("href").map_or("", |href| href.value.as_str());
        let reference = classify(href);
        let rule: &'static Rule = match reference.reach {
            Reach::SameFile => return Ok(()),
            _ if reference.leaves_folder() => &INCLUDE_LEAVES,
            _ => &INCLUDE_BESIDE,
        };
        return visit.find(rule, range, format!("The inclusion {}: {}.", reference.saying(), quoted(href)));
    }
    if shown_elsewhere || !matches!(namespace, XHTML | SVG) {
        return Ok(());
    }
    if element.local() == "script" {
        return visit.find(&SCRIPT_ELEMENT, range, format!("The element {}.", quoted(&element.name)));
    }
    for attribute in &element.attributes {
        let event = attribute.name.len() > 2 && attribute.name.starts_with("on") && !attribute.name.contains(':');
        let address = matches!(attribute.local(), "href" | "src" | "action" | "formaction" | "data");
        let script = address && classify(&attribute.value).reach == Reach::Script;
        if event || script {
            let message = format!("The attribute {}: {}.", quoted(&attribute.name), quoted(&attribute.value));
            visit.find(&SCRIPT_ELEMENT, attribute.range.clone(), message)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    const GIFTI: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <!DOCTYPE GIFTI SYSTEM \"http://www.nitrc.org/frs/download.php/115/gifti.dtd\">\n<GIFTI Version=\"1.0\"/>\n";

    #[test]
    fn xml_is_just_data() {
        for sample in [
            GIFTI,
            "<a xmlns='urn:x'>text<!-- comment --></a>",
            "\u{feff}<?xml version='1.0'?><a/>",
            "<MRML version=\"Slicer4\" userTags=\"\">\n</MRML>\n",
            "<!DOCTYPE a [<!ENTITY b 'text'>]><a>&b;</a>",
            "<config><script>if (x) run()</script><x onload='y'/></config>",
            "<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='#style'?><a/>",
            "<?xml-stylesheet type='text/css' href='style.css'?><a/>",
            "<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='part.xml'/></a>",
            "<!DOCTYPE book [<!ENTITY c SYSTEM 'chapters/1.xml'>]><book>&c;</book>",
            "<!DOCTYPE a [<!ENTITY % m PUBLIC '-//W3C//ENTITIES Latin 1//EN' 'http://www.w3.org/x.ent'>%m;]><a/>",
        ] {
            let report = checked("x.bin", sample);
            assert_eq!(report.verdict, Verdict::JustData, "{sample} {report:#?}");
            assert_eq!(report.layers[0].formats[0], "xml", "{sample}");
        }
        let long = format!("<a>{}</a>", "<b c='1'>text</b>\n".repeat(200_000));
        assert_eq!(checked("x", long).verdict, Verdict::JustData);
    }

    #[test]
    fn text_and_html_are_not_xml() {
        for sample in [
            "<!DOCTYPE html><html></html>",
            "<p>text</p>",
            "<?php x(); ?>",
            "<<< merge",
            "<a@b.c> wrote",
            "<not closed",
        ] {
            assert!(!checked("x", sample).layers[0].formats.contains(&"xml".to_string()), "{sample}");
        }
    }

    #[test]
    fn entities_that_lead_out_are_found() {
        for entity in [
            "SYSTEM 'file:///etc/hostname'",
            "SYSTEM 'http://h/x'",
            "SYSTEM 'data:,x'",
            "PUBLIC 'x' '../x'",
            "SYSTEM '\\\\h\\x'",
        ] {
            for sample in [
                format!("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b {entity}>]><a>&b;</a>"),
                format!("<!DOCTYPE a [<!ENTITY % b {entity}>%b;]><a/>"),
            ] {
                assert_eq!(rules_of(&checked("x.xml", sample.as_str())), ["xml-external-entity"], "{sample}");
            }
        }
    }

    #[test]
    fn bombs_are_found_without_being_lit() {
        let mut bomb = String::from("<!DOCTYPE a [<!ENTITY e0 'lollollol'>");
        (1..10).for_each(|n| bomb.push_str(&format!("<!ENTITY e{n} '{}'>", format!("&e{};", n - 1).repeat(10))));
        bomb.push_str("]><a>&e9;</a>");
        assert_eq!(rules_of(&checked("x.xml", bomb)), ["xml-entity-expansion"]);
    }

    #[test]
    fn style_sheets_and_inclusions_that_lead_out_are_found() {
        for (sample, rule) in [
            ("<?xml-stylesheet type='text/xsl' href='https://h/x.xsl'?><a/>", "xml-stylesheet-leaves-folder"),
            ("<?xml-stylesheet href='&#104;ttp://h/x.xsl' type='text/xsl'?><a/>", "xml-stylesheet-leaves-folder"),
            (
                "<a xmlns:i='http://www.w3.org/2001/XInclude'><i:include parse='text' href='/etc/hostname'/></a>",
                "xml-include-leaves-folder",
            ),
        ] {
            assert_eq!(rules_of(&checked("x.xml", sample)), [rule], "{sample}");
        }
    }

    #[test]
    fn scripts_of_a_browser_are_found_by_their_namespace() {
        for inner in [
            "<s:script xmlns:s='http://www.w3.org/1999/xhtml'>alert(1)</s:script>",
            "<script xmlns='http://www.w3.org/2000/svg'/>",
            "<h:img xmlns:h='http://www.w3.org/1999/xhtml' src='x' onerror='alert(1)'/>",
            "<h:a xmlns:h='http://www.w3.org/1999/xhtml' href='java&#115;cript:alert(1)'>x</h:a>",
        ] {
            assert_eq!(rules_of(&checked("x.xml", format!("<data>{inner}</data>"))), ["xml-script"], "{inner}");
        }
        let harmless = "<data><h:a xmlns:h='http://www.w3.org/1999/xhtml' href='https://h/'>x</h:a></data>";
        assert_eq!(checked("x.xml", harmless).verdict, Verdict::JustData);
    }

    #[test]
    fn damage_is_unfinished_at_every_cut() {
        let sample = GIFTI.replace("/>", "><A b=\"1\">t<!-- c --><![CDATA[d]]></A></GIFTI>");
        for len in 1..sample.trim_end().len() {
            assert_ne!(checked("x.xml", &sample[..len]).verdict, Verdict::JustData, "{len}");
            checked("x", &sample[..len]);
        }
    }

    #[test]
    fn what_follows_the_root_is_news() {
        assert_eq!(rules_of(&checked("x.xml", "<a/>left over")), ["unexplained-bytes"]);
        assert_eq!(checked("x.xml", b"<a/>\n\0\0").verdict, Verdict::JustData);
    }
}
