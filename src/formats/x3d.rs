//! X3D in XML: scenes of the web, with scripts, shaders, and addresses to load from.
//!
//! Specification: ISO/IEC 19775-1 (X3D), 19776-1 (its XML encoding); ISO/IEC 14772-1 (VRML97).
//!
//! ```text
//! <X3D><Scene>
//!   <Script url='"ecmascript: function initialize () { … }" "more.js"'/>      or its text as CDATA
//!   <Inline url='"part.x3d" "https://…/part.x3d"'/>   <ImageTexture url='"a.png"'/>
//!   <ShaderPart type='FRAGMENT'><![CDATA[ … ]]></ShaderPart>
//! </Scene></X3D>
//! ```
//! A browser of such scenes runs a script as soon as it is loaded, and loads from the first address that answers.

use std::ops::Range;

use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::xml::{self, Element, Token},
    quote::quoted,
    reference::{Reach, classify},
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// X3D in XML.
pub static FORMAT: Format = Format {
    id: "x3d",
    name: "X3D scene",
    spec: "https://www.web3d.org/documents/specifications/19776-1/V3.3/Part01/X3D_XML.html",
    extensions: &["x3d"],
    media_types: &["model/x3d+xml"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[&SCRIPT, &SCRIPT_FILE, &SCRIPT_REMOTE, &SHADER],
};

/// A script in the scene.
static SCRIPT: Rule = Rule {
    id: "scene-script",
    title: "This scene runs a script when it is opened",
    why: "A Script node carries program text. A browser of such scenes runs it as soon as the scene is loaded.",
    advice: "Do not open it unless you trust the sender, or remove the Script nodes first.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://www.web3d.org/documents/specifications/19775-1/V3.3/Part01/components/scripting.html"],
};

/// A script in another file.
static SCRIPT_FILE: Rule = Rule {
    id: "scene-script-file",
    title: "This scene runs a script from another file when it is opened",
    why: "A Script node names a file with program text. A browser of such scenes runs it as soon as the scene is loaded.",
    advice: "Check the other file too. Do not open the scene unless you trust the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://www.web3d.org/documents/specifications/19775-1/V3.3/Part01/components/scripting.html"],
};

/// A script on another computer.
static SCRIPT_REMOTE: Rule = Rule {
    id: "scene-script-from-server",
    title: "This scene runs a script from another computer when it is opened",
    why: "A Script node names program text on a server. A browser of such scenes fetches and runs it as soon as the \
          scene is loaded; the server decides what runs.",
    advice: "Do not open it.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://www.web3d.org/documents/specifications/19775-1/V3.3/Part01/components/scripting.html"],
};

/// A program for the graphics processor.
static SHADER: Rule = Rule {
    id: "scene-shader",
    title: "This scene carries a program for the graphics processor",
    why: "A shader node carries program text: the viewer compiles it, and the graphics processor runs it, when the scene \
          is shown.",
    advice: "Open it only if you trust the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://www.web3d.org/documents/specifications/19775-1/V3.3/Part01/components/shaders.html"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(xml::root(candidate)?.is_some_and(|root| root.local() == "X3D"))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut told = Told::default();
    xml::walk(visit, |visit, walker, event| match &event.token {
        Token::Start(element) => look(visit, &mut told, element, walker.path()),
        Token::CData(text) | Token::Text(text) if !text.raw.trim().is_empty() => {
            let Some(node) = walker.path().last().map(|name| local(name).to_string()) else { return Ok(()) };
            if is_script(&node) {
                program(visit, &mut told, &SCRIPT, event.range.clone(), &text.raw)
            } else if is_shader(&node) {
                program(visit, &mut told, &SHADER, event.range.clone(), &text.raw)
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    })
}

fn look(visit: &mut Visit<'_>, told: &mut Told, element: &Element, path: &[String]) -> Result<(), Stop> {
    let node = element.local();
    // A field of a prototype is given by its name: <fieldValue name="url" value="…"/>. A script's own fields too.
    if matches!(node, "fieldValue" | "field") {
        let name = element.attribute("name").map_or("", |name| name.value.as_str());
        if let Some(value) = element.attribute("value").filter(|_| is_address(node, name)) {
            let parent = path.iter().rev().nth(1).map_or("", |name| local(name));
            let node = if is_script(parent) { "" } else { parent };
            for address in addresses(&value.value) {
                look_at_address(visit, told, node, name, value.range.clone(), &address)?;
            }
        }
        return Ok(());
    }
    for attribute in element.attributes.iter().filter(|attribute| is_address(node, &attribute.name)) {
        for address in addresses(&attribute.value) {
            look_at_address(visit, told, node, &attribute.name, attribute.range.clone(), &address)?;
        }
    }
    Ok(())
}

fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// What was told of a scene.
#[derive(Default)]
pub(super) struct Told {
    follower: Follower,
}

fn is_script(node: &str) -> bool {
    node.eq_ignore_ascii_case("Script")
}

fn is_shader(node: &str) -> bool {
    matches!(
        node,
        "ShaderPart" | "ShaderProgram" | "ComposedShader" | "PackagedShader" | "EffectPart" | "ComputeShader"
    ) || matches!(node, "FragmentShader" | "VertexShader" | "GeometryShader")
}

/// Whether a field of a node holds addresses that a browser loads: every `url`, and the pictures of a Background.
pub(super) fn is_address(node: &str, field: &str) -> bool {
    match node {
        // VRML 1.0 and Inventor.
        "WWWInline" | "WWWAnchor" | "File" | "SoFile" => field == "name",
        "Texture2" | "VRMLTexture2" => field == "filename",
        "FragmentShader" | "VertexShader" | "GeometryShader" if field == "sourceProgram" => true,
        _ => field == "url" || field.ends_with("Url"),
    }
}

/// The strings of an MFString in XML: each in quotation marks, or one without.
fn addresses(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = value.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',');
    if !rest.starts_with('"') {
        return vec![rest.trim().to_string()];
    }
    while let Some(inner) = rest.strip_prefix('"') {
        let mut text = String::new();
        let mut letters = inner.char_indices();
        let mut end = inner.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    end = at.saturating_add(1);
                    break;
                }
                '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
                _ => text.push(letter),
            }
        }
        found.push(text);
        rest = inner.get(end..).unwrap_or_default();
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',');
    }
    found
}

/// Schemes of addresses; what stands behind another one in a script or shader is program text.
const LOCATORS: &[&str] = &["file", "ftp", "ftps", "http", "https", "urn"];

/// Whether an entry of a script's or shader's `url` is the program itself: `ecmascript: …`, `data:text/plain,…`, or
/// text of several lines.
fn is_program(address: &str) -> bool {
    let address = address.trim_start();
    let scheme = address.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let named = scheme.len() > 1
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        && !LOCATORS.contains(&scheme.to_ascii_lowercase().as_str())
        && (!address.get(scheme.len()..).unwrap_or_default().starts_with("://") || is_language(scheme));
    named || address.trim_end().contains('\n')
}

/// Schemes of program text, which may start with a comment: `javascript://`.
fn is_language(scheme: &str) -> bool {
    scheme.to_ascii_lowercase().ends_with("script")
}

/// Tells of one address of a field, by the node that it belongs to.
pub(super) fn look_at_address(
    visit: &mut Visit<'_>,
    told: &mut Told,
    node: &str,
    field: &str,
    range: Range<u64>,
    address: &str,
) -> Result<(), Stop> {
    if address.trim().is_empty() {
        return Ok(());
    }
    let what = if node.is_empty() { field.to_string() } else { format!("{node}.{field}") };
    if is_script(node) {
        if is_program(address) {
            return program(visit, told, &SCRIPT, range, address);
        }
        let reference = classify(address);
        let rule: &'static Rule = if reference.connects() { &SCRIPT_REMOTE } else { &SCRIPT_FILE };
        let host = reference.host.clone().unwrap_or_default();
        let message = format!("{what} is {}: it {}.", quoted(address), reference.saying());
        return told.follower.tell(visit, rule, range, &host, message);
    }
    if is_shader(node) && is_program(address) {
        return program(visit, told, &SHADER, range, address);
    }
    // A link is followed when somebody clicks on it.
    if matches!(node, "Anchor" | "WWWAnchor") && classify(address).reach != Reach::Script {
        return Ok(());
    }
    told.follower.follow(visit, range, &what, address)?;
    Ok(())
}

fn program(
    visit: &mut Visit<'_>,
    told: &mut Told,
    rule: &'static Rule,
    range: Range<u64>,
    text: &str,
) -> Result<(), Stop> {
    told.follower.tell(visit, rule, range, "", format!("It starts {}.", quoted(text.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn scene(nodes: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<!DOCTYPE X3D PUBLIC \"ISO//Web3D//DTD X3D 3.3//EN\" \
             \"http://www.web3d.org/specifications/x3d-3.3.dtd\">\n<X3D version='3.3'>\
             <head><meta name='identifier' content='https://example.org/a.x3d'/></head><Scene>{nodes}</Scene></X3D>\n"
        )
    }

    #[test]
    fn scenes_are_just_data() {
        for nodes in [
            "<Shape><Appearance><ImageTexture url='\"a.png\" \"../textures/a.png\"'/></Appearance></Shape>",
            "<Inline url='\"part.x3d\"'/>",
            "<Anchor url='\"https://example.org\"' description='x'/>",
            "<Script DEF='S'><field name='a' type='SFBool' accessType='inputOnly'/></Script>",
            "<ShaderPart url='\"a.frag\"' type='FRAGMENT'/>",
            "<Text string='\"https://example.org\"'/>",
        ] {
            let report = checked("a.x3d", scene(nodes));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{nodes}");
            assert_eq!(report.layers[0].formats, ["xml", "x3d"]);
        }
    }

    #[test]
    fn scripts_and_shaders_are_found() {
        for (nodes, rule) in [
            ("<Script><![CDATA[ecmascript: function initialize() {}]]></Script>", "scene-script"),
            ("<Script url='\"ecmascript: function initialize() {}\"'/>", "scene-script"),
            ("<Script url='\"javascript://&#10;x()\"'/>", "scene-script"),
            ("<Script url='data:text/javascript,x()'/>", "scene-script"),
            ("<Script url='\"a.js\"'/>", "scene-script-file"),
            ("<Script url='\"https://example.org/a.js\"'/>", "scene-script-from-server"),
            ("<ShaderPart><![CDATA[void main() {}]]></ShaderPart>", "scene-shader"),
            ("<ShaderPart url='\"data:text/plain,void main() {}\"'/>", "scene-shader"),
        ] {
            assert_eq!(rules_of(&checked("a.x3d", scene(nodes))), [rule], "{nodes}");
        }
    }

    #[test]
    fn addresses_that_leave_are_found() {
        for (nodes, rule) in [
            ("<Inline url='\"part.x3d\" \"http://192.0.2.20/a.x3d\"' load='true'/>", "reference-to-server"),
            ("<ImageTexture url='http://192.0.2.20/a.png'/>", "reference-to-server"),
            ("<Background frontUrl='\"/etc/hostname\"'/>", "reference-by-whole-path"),
            (
                "<ProtoInstance name='P'><fieldValue name='url' value='\"http://192.0.2.20/a\"'/></ProtoInstance>",
                "reference-to-server",
            ),
            ("<ExternProtoDeclare name='P' url='\"https://example.org/p.x3d#P\"'/>", "reference-to-server"),
            ("<Anchor url='\"javascript:x()\"'/>", "reference-is-script"),
        ] {
            assert_eq!(rules_of(&checked("a.x3d", scene(nodes))), [rule], "{nodes}");
        }
    }

    #[test]
    fn lists_of_strings() {
        assert_eq!(addresses(r#" "a" "b\"c" "#), ["a", "b\"c"]);
        assert_eq!(addresses("a b"), ["a b"]);
        assert_eq!(addresses("\"a\", \"b"), ["a", "b"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = scene("<Inline url='\"a.x3d\"'/>");
        for len in 1..whole.trim_end().len() {
            assert_ne!(checked("a.x3d", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn x3d_01_scripts_and_addresses() {
        let texture = |url: &str| scene(&format!("<ImageTexture url='\"{url}\"'/>"));
        told("a.x3d", scene("<Script url='\"javascript:x()\"'/>"), "scene-script", texture("a.png"));
        told("b.x3d", texture("http://192.0.2.1/a.png"), "reference-to-server", texture("a/b.png"));
    }
}
