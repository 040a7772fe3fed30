//! COLLADA: scenes of meshes, materials and pictures in XML.
//!
//! Specification: COLLADA 1.4.1 (ISO/PAS 17506) and 1.5.
//!
//! ```text
//! <COLLADA version="1.4.1">
//!   <library_images><image><init_from>a.png</init_from></image></library_images>        1.5: <init_from><ref>a.png</ref>
//!   <instance_geometry url="#mesh"/>   <instance_node url="other.dae#node"/>
//!   <profile_GLSL><code>void main …</code><include url="a.glsl"/></profile_GLSL>
//!   <extra>anything of the application</extra>
//! </COLLADA>
//! ```
//! `source_data` of an asset tells where it was made from; nothing is loaded from there.

use crate::{
    follow::{Follower, open_embedded},
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::xml::{self, Token},
    quote::quoted,
    reference::Reach,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// COLLADA.
pub static FORMAT: Format = Format {
    id: "collada",
    name: "COLLADA scene",
    spec: "https://www.khronos.org/files/collada_spec_1_4.pdf",
    extensions: &["dae"],
    media_types: &["model/vnd.collada+xml"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[&SHADER],
};

/// A program for the graphics processor.
static SHADER: Rule = Rule {
    id: "collada-shader",
    title: "This scene carries a program for the graphics processor",
    why: "An effect carries program text: a viewer that supports its profile compiles it, and the graphics processor runs \
          it, when the scene is shown.",
    advice: "Open it only if you trust the sender.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://www.khronos.org/files/collada_spec_1_4.pdf"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(xml::root(candidate)?.is_some_and(|root| root.local() == "COLLADA"))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    xml::walk(visit, |visit, walker, event| {
        let path = walker.path();
        if path.iter().any(|name| name == "extra") {
            return Ok(());
        }
        match &event.token {
            Token::Start(element) => {
                for attribute in element.attributes.iter().filter(|attribute| attribute.name == "url") {
                    let subject = format!("The address of {}", element.name);
                    follower.follow(visit, attribute.range.clone(), &subject, &attribute.value)?;
                }
                Ok(())
            }
            Token::Text(text) | Token::CData(text) if !text.raw.trim().is_empty() => {
                let mut names = path.iter().rev().map(String::as_str);
                match (names.next().unwrap_or_default(), names.next().unwrap_or_default()) {
                    ("init_from", _) | ("ref", "init_from" | "create_2d" | "create_3d" | "create_cube") => {
                        let address = text.text.trim();
                        let reference = follower.follow(visit, text.range.clone(), "The image", address)?;
                        if reference.reach == Reach::Embedded {
                            open_embedded(visit, text.range.clone(), "image".into(), "image")?;
                        }
                        Ok(())
                    }
                    ("code" | "inline", _) => {
                        let message = format!("It starts {}.", quoted(text.raw.trim()));
                        follower.tell(visit, &SHADER, text.range.clone(), "", message)
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn scene(content: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<COLLADA xmlns=\"http://www.collada.org/2005/11/COLLADASchema\" version=\"1.4.1\">\
             <asset><contributor><source_data>file:///C:/x.blend</source_data></contributor></asset>{content}</COLLADA>\n"
        )
    }

    #[test]
    fn scenes_are_just_data() {
        for content in [
            "<library_images><image><init_from>textures/a.png</init_from></image></library_images>",
            "<library_images><image><init_from><ref>../a.png</ref></init_from></image></library_images>",
            "<instance_geometry url=\"#mesh\"/><instance_node url=\"other.dae#node\"/>",
            "<extra><link url=\"https://example.org\"/></extra>",
        ] {
            let report = checked("a.dae", scene(content));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{content}");
            assert_eq!(report.layers[0].formats, ["xml", "collada"]);
        }
    }

    #[test]
    fn what_leaves_or_runs_is_found() {
        for (content, rule) in [
            ("<image><init_from>http://192.0.2.1/a.png</init_from></image>", "reference-to-server"),
            ("<image><init_from><ref>//192.0.2.1/a.png</ref></init_from></image>", "reference-to-server"),
            ("<image><init_from>../../../etc/hostname</init_from></image>", "reference-far-above"),
            ("<image><init_from>file:///etc/hostname</init_from></image>", "reference-by-whole-path"),
            ("<instance_node url=\"https://example.org/a.dae#n\"/>", "reference-to-server"),
            ("<profile_GLSL><code sid=\"s\">void main() {}</code></profile_GLSL>", "collada-shader"),
        ] {
            assert_eq!(rules_of(&checked("a.dae", scene(content))), [rule], "{content}");
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = scene("<image><init_from>a.png</init_from></image>");
        for len in 1..whole.trim_end().len() {
            assert_ne!(checked("a.dae", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
