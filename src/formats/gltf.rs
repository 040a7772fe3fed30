//! glTF: a scene of meshes, materials and pictures in JSON.
//!
//! Specification: Khronos glTF 2.0, section 2.8 for addresses; glTF 1.0 for shaders.
//!
//! ```text
//! { "asset": { "version": "2.0" },
//!   "buffers": [ { "uri": "data:…" | "a.bin", "byteLength": n } ],
//!   "images":  [ { "uri": "data:…" | "a.png" } | { "bufferView": n, "mimeType": … } ],
//!   "extensions" …, "extras": anything of the application }
//! ```
//! Every address is called `uri`, in extensions too; `extras` are not looked at by a viewer.

use crate::{
    follow::{Follower, open_embedded},
    format::{Buried, Candidate, Format, Holds, Nature, Visit},
    formats::json::{self, Event, Step, Token, Walker},
    reference::Reach,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// glTF as JSON.
pub static FORMAT: Format = Format {
    id: "gltf",
    name: "glTF scene",
    spec: "https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html",
    extensions: &["gltf"],
    media_types: &["model/gltf+json"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[&SHADER],
};

/// A program for the graphics processor, in glTF 1.0 or its extension.
static SHADER: Rule = Rule {
    id: "gltf-shader",
    title: "This scene carries a program for the graphics processor",
    why: "Shaders are program text: the viewer compiles them, and the graphics processor runs them when the scene is \
          shown. glTF 2.0 has none of its own.",
    advice: "Convert the scene to glTF 2.0, which has materials instead.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://registry.khronos.org/glTF/specs/1.0/"],
};

/// Names of the top level, glTF 2.0 section 5.17.
const PARTS: &[&str] =
    &["accessors", "bufferViews", "buffers", "images", "materials", "meshes", "nodes", "scene", "scenes"];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let (mut version, mut part) = (false, false);
    json::shows(candidate, |walker, event| {
        if walker.depth() > 2 {
            return false;
        }
        let path: Vec<_> = walker.path().collect();
        match (&event.token, path.as_slice()) {
            (Token::String(_), [Step::Key("asset"), Step::Key("version")]) => version = true,
            (Token::Key(_), [Step::Key(key)]) => part = part || PARTS.contains(key),
            _ => {}
        }
        version && part
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    json::walk(visit, |visit, walker, event| look(visit, &mut follower, walker, event))
}

fn look(visit: &mut Visit<'_>, follower: &mut Follower, walker: &Walker, event: &Event) -> Result<(), Stop> {
    let Token::String(text) = &event.token else { return Ok(()) };
    if walker.key() != Some("uri") || walker.path().any(|step| step == Step::Key("extras")) {
        return Ok(());
    }
    let place = walker.place();
    let is_shader = walker.path().any(|step| step == Step::Key("shaders"));
    if is_shader {
        visit.find(&SHADER, event.range.clone(), format!("The shader stands at {place}."))?;
    }
    let values = walker.path().next() == Some(Step::Key("buffers"));
    let holds = if values { Holds::Values(None) } else { Holds::File };
    let subject = format!("The address {place}");
    let reference = follower.follow_to(visit, event.range.clone(), &subject, &text.text(), holds)?;
    if reference.reach == Reach::Embedded {
        open_embedded(visit, text.range.clone(), place, "buffer or image")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    const SAMPLE: &str = r#"{"asset": {"version": "2.0"}, "buffers": [{"byteLength": 4, "uri": "URI"}]}"#;

    fn with(uri: &str) -> String {
        SAMPLE.replace("URI", uri)
    }

    #[test]
    fn scenes_are_just_data() {
        for uri in ["a.bin", "data/a%20b.bin", "../textures/a.png", "data:application/octet-stream;base64,AAAAAA=="] {
            let report = checked("a.gltf", with(uri));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{uri}");
            assert!(report.layers[0].formats.contains(&"gltf".into()));
        }
        let extras = r#"{"asset": {"version": "2.0", "copyright": "https://example.org"}, "nodes": [],
            "extras": {"uri": "https://example.org/source"}, "extensionsUsed": ["https://example.org"]}"#;
        assert_eq!(checked("a.gltf", extras).verdict, Verdict::JustData);
        let tiles = r#"{"asset": {"version": "1.0"}, "root": {"content": {"uri": "https://example.org/a.b3dm"}}}"#;
        assert!(!checked("tileset.json", tiles).layers[0].formats.contains(&"gltf".into()));
    }

    #[test]
    fn references_that_leave_are_found() {
        for (uri, rule) in [
            ("http://example.org/b.bin", "reference-to-server"),
            ("\\\\\\\\host\\\\share\\\\b.bin", "reference-to-server"),
            ("../../../etc/hostname", "reference-far-above"),
            ("/etc/hostname", "reference-by-whole-path"),
            ("file:///C:/x.bin", "reference-by-whole-path"),
            ("javascript:alert(1)", "reference-is-script"),
        ] {
            let report = checked("a.gltf", with(uri));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::Caution, vec![rule]), "{uri}");
        }
        let escaped = with("http:\\/\\/example.org/b.bin").replace("\"uri\"", "\"\\u0075ri\"");
        assert_eq!(rules_of(&checked("a.gltf", escaped)), ["reference-to-server"]);
        let extension =
            r#"{"asset": {"version": "2.0"}, "nodes": [{"extensions": {"X": {"uri": "https://example.org/x"}}}]}"#;
        assert_eq!(rules_of(&checked("a.gltf", extension)), ["reference-to-server"]);
    }

    #[test]
    fn shaders_are_found() {
        let shader =
            r#"{"asset": {"version": "1.0"}, "scene": "s", "shaders": {"v": {"type": 35633, "uri": "v.glsl"}}}"#;
        assert_eq!(rules_of(&checked("a.gltf", shader)), ["gltf-shader"]);
    }

    #[test]
    fn embedded_content_is_looked_into() {
        let report = checked("a.gltf", with("data:image/svg+xml;base64,eyJhIjogMX0="));
        assert_eq!((report.layers.len(), report.layers[1].formats.len()), (2, 1));
        assert_eq!(checked("a.gltf", with("data:;base64,****")).verdict, Verdict::Unfinished);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = with("data:;base64,AAAAAA==");
        for len in 1..whole.len() {
            assert_ne!(checked("a.gltf", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn gltf_01_addresses() {
        told("a.gltf", with("https://192.0.2.1/a.bin"), "reference-to-server", with("a.bin"));
        told("b.gltf", with("../../../etc/hostname"), "reference-far-above", with("data:;base64,AAAAAA=="));
    }
}
