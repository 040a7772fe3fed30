//! Shader properties of 3D Slicer: programs for the graphics processor, in JSON.
//!
//! Specification: vtkMRMLShaderPropertyStorageNode of 3D Slicer; vtkShaderProperty of VTK.
//!
//! ```text
//! { "VertexShaderCode": "…", "FragmentShaderCode": "…", "GeometryShaderCode": "…",
//!   "VertexUniforms": [ { "name": …, "scalarType": …, "value": … } ], "FragmentUniforms": …, "GeometryUniforms": …,
//!   "ShaderReplacements": [ { "ShaderType": "Fragment", "ReplacementSpec": "…", "ReplacementValue": "…" } ] }
//! ```
//! The code is compiled, and runs on the graphics processor, when a volume is shown with the property. A property
//! without code is a list of numbers.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::json::{self, Event, Step, Token, Walker},
    quote::quoted,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// Shader properties.
pub static FORMAT: Format = Format {
    id: "slicer-shader",
    name: "3D Slicer shader properties",
    spec: "https://github.com/Slicer/Slicer/blob/main/Modules/Loadable/VolumeRendering/MRML/vtkMRMLShaderPropertyStorageNode.h",
    extensions: &["sp"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[&CODE],
};

/// Code for the graphics processor.
static CODE: Rule = Rule {
    id: "slicer-shader-code",
    title: "This file carries a program for the graphics processor",
    why: "When a volume is rendered with these properties in 3D Slicer, the program text is compiled and runs on the \
          graphics processor.",
    advice: "Use it only if you trust who wrote it. Presets without program text do the same for most volumes.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://vtk.org/doc/nightly/html/classvtkShaderProperty.html"],
};

/// The members that hold program text.
const CODE_MEMBERS: &[&str] = &["FragmentShaderCode", "GeometryShaderCode", "VertexShaderCode"];

/// The other members, which are written even if they are empty.
const OTHER_MEMBERS: &[&str] = &["FragmentUniforms", "GeometryUniforms", "ShaderReplacements", "VertexUniforms"];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    json::shows(candidate, |walker, event| {
        matches!(event.token, Token::Key(_))
            && walker.depth() == 1
            && walker.key().is_some_and(|key| CODE_MEMBERS.contains(&key) || OTHER_MEMBERS.contains(&key))
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    json::walk(visit, look)
}

fn look(visit: &mut Visit<'_>, walker: &Walker, event: &Event) -> Result<(), Stop> {
    let Token::String(text) = &event.token else { return Ok(()) };
    let path: Vec<_> = walker.path().collect();
    let code = match path.as_slice() {
        [Step::Key(member)] => CODE_MEMBERS.contains(member),
        // Of a replacement, only what is put in is code that this file brings.
        [Step::Key("ShaderReplacements"), Step::Index(_), Step::Key("ReplacementValue")] => true,
        _ => false,
    };
    if !code || text.text().trim().is_empty() {
        return Ok(());
    }
    let message = format!("{}: {}.", walker.place(), quoted(text.text().trim()));
    visit.find(&CODE, event.range.clone(), message)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    const EMPTY: &str = r#"{"VertexShaderCode": "", "FragmentShaderCode": null, "ShaderReplacements": [],
        "FragmentUniforms": [{"name": "a", "scalarType": "float", "tupleType": "Scalar", "value": 1}]}"#;

    #[test]
    fn properties_without_code_are_just_data() {
        let report = checked("a.sp", EMPTY);
        assert_eq!(report.verdict, Verdict::JustData);
        assert!(report.layers[0].formats.contains(&"slicer-shader".into()));
    }

    #[test]
    fn code_is_found() {
        let fragment = EMPTY.replace("null", "\"void main() {}\"");
        assert_eq!(rules_of(&checked("a.sp", fragment)), ["slicer-shader-code"]);
        let replaced = EMPTY.replace(
            "\"ShaderReplacements\": []",
            r#""ShaderReplacements": [{"ShaderType": "Fragment", "ReplacementSpec": "//VTK::Color::Impl", "ReplacementValue": "x = 1;"}]"#,
        );
        let report = checked("a.sp", replaced);
        assert_eq!(rules_of(&report), ["slicer-shader-code"]);
        assert!(report.findings[0].message.contains("ReplacementValue"));
    }

    #[test]
    fn no_cut_is_just_data() {
        for len in 1..EMPTY.len() {
            assert_ne!(checked("a.sp", &EMPTY[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn sli_01_code_for_the_graphics_processor() {
        told("a.sp", EMPTY.replace("null", "\"void main() {}\""), "slicer-shader-code", EMPTY);
    }
}
