//! The model of a 3MF package: meshes, materials and how they are put together, in XML.
//!
//! Specification: 3MF Core Specification; Materials and Properties Extension; Production Extension.
//!
//! ```text
//! <model xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">
//!   <metadata name="Description">…</metadata>
//!   <resources>
//!     <object id="1"><mesh> … </mesh></object>     <object id="2"><components><component p:path="/3D/o.model"/> …
//!     <m:texture2d id="3" path="/3D/Textures/a.png" contenttype="image/png"/>
//!   </resources>
//!   <build><item objectid="1" p:path="…"/></build>
//! </model>
//! ```
//! Paths are names of parts of the package, whatever they look like. Texts are shown to people, by some programs as HTML.

use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::xml::{self, Token},
    reference::classify,
    rich_text,
    stop::Stop,
};

/// The model of a 3MF package.
pub static FORMAT: Format = Format {
    id: "three-mf-model",
    name: "3MF model",
    spec: "https://github.com/3MFConsortium/spec_core/blob/master/3MF%20Core%20Specification.md",
    extensions: &["model"],
    media_types: &["application/vnd.ms-package.3dmanufacturing-3dmodel+xml"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[],
};

const NAMESPACES: &str = "http://schemas.microsoft.com/3dmanufacturing/core/";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(xml::root(candidate)?.is_some_and(|root| {
        root.local() == "model" && root.namespace.as_deref().is_some_and(|name| name.starts_with(NAMESPACES))
    }))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    xml::walk(visit, |visit, walker, event| match &event.token {
        Token::Start(element) => {
            for path in element.attributes.iter().filter(|attribute| attribute.local() == "path") {
                if classify(&path.value).connects() {
                    let subject = format!("The path of a {}", element.local());
                    follower.follow(visit, path.range.clone(), &subject, &path.value)?;
                }
            }
            Ok(())
        }
        Token::Text(text) | Token::CData(text) if walker.path().last().is_some_and(|name| name == "metadata") => {
            rich_text::look(visit, &mut follower, text.range.clone(), "The text of the metadata", &text.text)
        }
        _ => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn sample(path: &str, description: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<model unit=\"millimeter\" xmlns=\"{}2015/02\" \
             xmlns:m=\"http://schemas.microsoft.com/3dmanufacturing/material/2015/02\">\
             <metadata name=\"Description\">{description}</metadata><resources><m:texture2d id=\"3\" path=\"{path}\"/>\
             <object id=\"1\"><mesh><vertices><vertex x=\"0\" y=\"0\" z=\"0\"/></vertices></mesh></object></resources>\
             <build><item objectid=\"1\"/></build></model>\n",
            super::NAMESPACES
        )
    }

    #[test]
    fn models_are_just_data() {
        for (path, description) in [
            ("/3D/Textures/a.png", "A cube &lt; 5 mm"),
            ("../a.png", "&lt;p&gt;bold &lt;b&gt;text&lt;/b&gt;&lt;/p&gt;"),
        ] {
            let report = checked("a.model", sample(path, description));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
            assert_eq!(report.layers[0].formats, ["xml", "three-mf-model"]);
        }
    }

    #[test]
    fn what_leaves_the_package_is_found() {
        let path = sample("https://example.org/a.png", "");
        assert_eq!(rules_of(&checked("a.model", path)), ["reference-to-server"]);
        let loads = sample("/a.png", "&lt;img src=\"https://example.org/a.png\"&gt;");
        assert_eq!(rules_of(&checked("a.model", loads)), ["rich-text-loads-from-server"]);
        let runs = sample("/a.png", "&lt;script&gt;1&lt;/script&gt;");
        assert_eq!(rules_of(&checked("a.model", runs)), ["rich-text-carries-script"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample("/a.png", "");
        for len in 1..whole.trim_end().len() {
            assert_ne!(checked("a.model", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
