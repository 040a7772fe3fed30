//! Relationships: which parts of a package belong together, and what outside of it.
//!
//! Specification: Open Packaging Conventions, ECMA-376 part 2, section 6.5.
//!
//! ```text
//! <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
//!   <Relationship Id="…" Type="…" Target="/3D/3dmodel.model" TargetMode="Internal | External"/>
//! </Relationships>
//! ```
//! Packages are 3MF models and office documents. An internal target is the name of a part, whatever its path looks like.
//! An external one is an address: that of a hyperlink waits for a click, all others are fetched as the package is opened.

use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::xml::{self, Element, Token},
    quote::quoted,
    reference::classify,
    stop::Stop,
};

/// Relationships of a package.
pub static FORMAT: Format = Format {
    id: "opc-relationships",
    name: "relationships of a package",
    spec: "https://ecma-international.org/publications-and-standards/standards/ecma-376/",
    extensions: &["rels"],
    media_types: &["application/vnd.openxmlformats-package.relationships+xml"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[],
};

const NAMESPACE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(xml::root(candidate)?.is_some_and(|root| root.is(NAMESPACE, "Relationships")))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    xml::walk(visit, |visit, _, event| match &event.token {
        Token::Start(element) if element.local() == "Relationship" => follow(visit, &mut follower, element),
        _ => Ok(()),
    })
}

fn follow(visit: &mut Visit<'_>, follower: &mut Follower, element: &Element) -> Result<(), Stop> {
    let Some(target) = element.attribute("Target") else { return Ok(()) };
    let value = |name: &str| element.attribute(name).map_or("", |attribute| attribute.value.trim());
    let kind = value("Type").rsplit('/').next().unwrap_or_default();
    let is_followed = match value("TargetMode") {
        "External" => !kind.eq_ignore_ascii_case("hyperlink"),
        _ => classify(&target.value).connects(),
    };
    if is_followed {
        let subject = format!("The target of the relationship {}", quoted(kind));
        follower.follow(visit, target.range.clone(), &subject, &target.value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn sample(kind: &str, target: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Relationships xmlns=\"{}\"><Relationship Id=\"rel0\" \
             Type=\"http://schemas.microsoft.com/3dmanufacturing/2013/01/{kind}\" Target={target}/></Relationships>\n",
            super::NAMESPACE
        )
    }

    #[test]
    fn parts_and_links_are_just_data() {
        for (kind, target) in [
            ("3dmodel", "\"/3D/3dmodel.model\""),
            ("3dtexture", "\"../../../../etc/x.png\" TargetMode=\"Internal\""),
            ("hyperlink", "\"https://example.org/\" TargetMode=\"External\""),
            ("3dtexture", "\"beside.png\" TargetMode=\"External\""),
        ] {
            let report = checked("a.rels", sample(kind, target));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{target}");
            assert_eq!(report.layers[0].formats, ["xml", "opc-relationships"]);
        }
    }

    #[test]
    fn targets_elsewhere_are_found() {
        for (target, rule) in [
            ("\"https://example.org/x.png\" TargetMode=\"External\"", "reference-to-server"),
            ("\"https://example.org/x.png\"", "reference-to-server"),
            ("\"file:///etc/hostname\" TargetMode=\"External\"", "reference-by-whole-path"),
            ("\"\\\\host\\share\\x.png\" TargetMode=\"External\"", "reference-to-server"),
        ] {
            assert_eq!(rules_of(&checked("a.rels", sample("3dtexture", target))), [rule], "{target}");
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample("3dmodel", "\"/3D/3dmodel.model\"");
        for len in 1..whole.trim_end().len() {
            assert_ne!(checked("a.rels", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
