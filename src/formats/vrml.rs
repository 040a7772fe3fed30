//! VRML 1.0, VRML97 and X3D in its classic encoding: scenes of the web as text.
//!
//! Specification: ISO/IEC 14772-1 (VRML97), ISO/IEC 19776-2 (X3D, Classic VRML encoding); VRML 1.0.
//!
//! ```text
//! #VRML V2.0 utf8
//! DEF S Script { url "javascript: function initialize () { … }" }
//! Inline { url [ "part.wrl" "https://…/part.wrl" ] }      # a comment
//! EXTERNPROTO P [ field SFBool a ] [ "protos.wrl#P" ]
//! ```
//! What the nodes do is told in the reader of [`x3d`](super::x3d).

use crate::{
    bytes::Cursor,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    formats::x3d::{Told, is_address, look_at_address},
    stop::{Limit, Stop},
};

/// VRML.
pub static FORMAT: Format = Format {
    id: "vrml",
    name: "VRML scene",
    spec: "https://www.web3d.org/documents/specifications/14772/V2.0/index.html",
    extensions: &["wrl", "vrml", "x3dv"],
    media_types: &["model/vrml", "model/x3d-vrml"],
    marks: &[
        Mark::start(b"#VRML V"),
        Mark::start(b"#X3D V"),
        Mark::start(b"\xef\xbb\xbf#VRML V"),
        Mark::start(b"\xef\xbb\xbf#X3D V"),
    ],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(64)?;
    let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let version = words.nth(1).is_some_and(|word| word.get(1).is_some_and(u8::is_ascii_digit));
    Ok(version && words.next().is_some_and(|encoding| matches!(encoding, b"utf8" | b"ascii")))
}

/// Nodes inside each other.
const DEPTH: usize = 10_000;

/// Bytes kept of a string.
const KEPT: usize = 64 << 10;

/// The longest word.
const WORD: usize = 4 << 10;

/// Comments that are longer are room for anything.
const REMARK: u64 = 64;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut reading = Reading {
        cursor: visit.bytes.cursor(),
        told: Told::default(),
        open: vec![Open::default()],
        word: String::new(),
    };
    let mut claimed = visit.bytes.start();
    loop {
        let step = reading.step(visit, claimed);
        // Claimed step by step, so that what was read before a break is known as read.
        match &step {
            Ok(Step::Remark(at)) => {
                visit.structure(claimed..*at, "VRML")?;
                visit.slack(*at..reading.cursor.at(), "comment")?;
                claimed = reading.cursor.at();
            }
            Ok(Step::Read) if reading.cursor.at() < claimed.saturating_add(1 << 20) => {}
            _ => {
                visit.structure(claimed..reading.cursor.at(), "VRML")?;
                claimed = reading.cursor.at();
            }
        }
        match step? {
            Step::Read | Step::Remark(_) => {}
            Step::End => break,
        }
    }
    if reading.open.len() > 1 {
        return Err(Stop::malformed(reading.cursor.at(), "the end of a node"));
    }
    Ok(())
}

enum Step {
    Read,
    /// A long comment that starts there.
    Remark(u64),
    /// The text ends here.
    End,
}

/// A node or a list that is open.
#[derive(Clone, Default)]
struct Open {
    node: String,
    field: String,
    list: bool,
    /// The declaration of a prototype in another file: the strings behind it are addresses.
    declares: bool,
}

struct Reading {
    cursor: Cursor,
    told: Told,
    open: Vec<Open>,
    /// The last word: the name of the node or of the field that comes next.
    word: String,
}

impl Reading {
    fn step(&mut self, visit: &mut Visit<'_>, start: u64) -> Result<Step, Stop> {
        let look = self.cursor.peek(256)?;
        let space = look.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        let byte = look.get(space).copied();
        let more = space == look.len() && space > 0;
        let at = self.cursor.at().saturating_add(space as u64);
        self.cursor.seek(at);
        if more {
            return Ok(Step::Read);
        }
        match byte {
            None => return Ok(Step::End),
            Some(b'#') => {
                self.comment()?;
                let long = at > start && self.cursor.at().saturating_sub(at) > REMARK;
                return Ok(if long { Step::Remark(at) } else { Step::Read });
            }
            Some(b'"') => self.string(visit)?,
            Some(b'{') => self.push(false)?,
            Some(b'[') => self.push(true)?,
            Some(close @ (b'}' | b']')) => {
                let list = close == b']';
                if self.open.len() < 2 || self.open.last().is_some_and(|open| open.list != list) {
                    return Err(Stop::malformed(at, if list { "a value or }" } else { "a value or ]" }));
                }
                self.open.pop();
                self.word.clear();
                self.cursor.seek(at.saturating_add(1));
            }
            Some(0..=0x1f | 0x7f) if self.open.len() == 1 => return Ok(Step::End),
            Some(_) => self.word()?,
        }
        Ok(Step::Read)
    }

    fn push(&mut self, list: bool) -> Result<(), Stop> {
        if self.open.len() >= DEPTH {
            return Err(Stop::Exhausted(Limit::Depth));
        }
        let mut open = if list { self.open.last().cloned().unwrap_or_default() } else { Open::default() };
        if list {
            open.list = true;
        } else {
            open.node = std::mem::take(&mut self.word);
            if let Some(outer) = self.open.last_mut() {
                outer.declares = false;
            }
        }
        self.open.push(open);
        self.cursor.seek(self.cursor.at().saturating_add(1));
        Ok(())
    }

    fn comment(&mut self) -> Result<(), Stop> {
        loop {
            let look = self.cursor.peek(4096)?;
            let len = look.len();
            let end = memchr::memchr2(b'\n', b'\r', look);
            self.cursor.seek(self.cursor.at().saturating_add(end.unwrap_or(len) as u64));
            if end.is_some() || len == 0 {
                return Ok(());
            }
        }
    }

    fn word(&mut self) -> Result<(), Stop> {
        let at = self.cursor.at();
        let look = self.cursor.peek(WORD)?;
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"{}[]\",#".contains(byte);
        let word = look.get(..look.iter().position(ends).unwrap_or(look.len())).unwrap_or_default();
        if let Some(index) = word.iter().position(|byte| *byte < 0x20 || *byte == 0x7f) {
            return Err(Stop::malformed(at.saturating_add(index as u64), "VRML text"));
        }
        let text = String::from_utf8_lossy(word).into_owned();
        let len = word.len() as u64;
        self.cursor.seek(at.saturating_add(len));
        if text.starts_with(|letter: char| letter.is_ascii_digit() || matches!(letter, '+' | '-' | '.')) {
            return Ok(());
        }
        if let Some(open) = self.open.last_mut() {
            match text.as_str() {
                "EXTERNPROTO" => open.declares = true,
                "PROTO" | "DEF" | "USE" | "ROUTE" => open.declares = false,
                _ => {}
            }
            open.field.clone_from(&text);
        }
        self.word = text;
        Ok(())
    }

    /// A string, its quotation mark not yet passed.
    fn string(&mut self, visit: &mut Visit<'_>) -> Result<(), Stop> {
        let start = self.cursor.at();
        self.cursor.seek(start.saturating_add(1));
        let mut text = Vec::new();
        loop {
            let at = self.cursor.at();
            let look = self.cursor.peek(4096)?;
            if look.is_empty() {
                return Err(Stop::malformed(at, "the end of a string"));
            }
            let end = memchr::memchr2(b'"', b'\\', look);
            let part = look.get(..end.unwrap_or(look.len())).unwrap_or_default();
            if text.len() < KEPT {
                text.extend_from_slice(part);
            }
            let mark = end.and_then(|end| look.get(end)).copied();
            let escaped = end.and_then(|end| look.get(end.saturating_add(1))).copied();
            let len = part.len() as u64;
            match mark {
                Some(b'"') => {
                    self.cursor.seek(at.saturating_add(len).saturating_add(1));
                    break;
                }
                Some(_) => {
                    text.extend(escaped.filter(|_| text.len() < KEPT));
                    self.cursor.seek(at.saturating_add(len).saturating_add(2));
                    if escaped.is_none() && self.cursor.is_empty() {
                        return Err(Stop::malformed(self.cursor.at(), "the end of a string"));
                    }
                }
                None => self.cursor.seek(at.saturating_add(len)),
            }
        }
        let Some(open) = self.open.last() else { return Ok(()) };
        let (node, field) =
            if open.declares { ("EXTERNPROTO", "url") } else { (open.node.as_str(), open.field.as_str()) };
        if is_address(node, field) {
            let address = String::from_utf8_lossy(&text).into_owned();
            look_at_address(visit, &mut self.told, node, field, start..self.cursor.at(), &address)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn scene(nodes: &str) -> String {
        format!("#VRML V2.0 utf8\n\n{nodes}\n")
    }

    #[test]
    fn scenes_are_just_data() {
        for sample in [
            scene("DEF A Transform { children [ Shape { geometry Sphere { radius 1.5 } } ] } ROUTE A.x TO B.y"),
            scene("Shape { appearance Appearance { texture ImageTexture { url \"../textures/a.png\" } } } # a remark"),
            scene("Script { inputOutput SFNode field USE A  field SFString title \"https://example.org\" }"),
            scene("Anchor { url \"https://example.org\" children [] }"),
            scene("EXTERNPROTO P [ field MFString url ] [ \"urn:x-acme:P\" \"p.wrl#P\" ] P { url \"a.png\" }"),
            scene("WorldInfo { info [ \"made with \\\"x\\\"\" \"https://example.org\" ] }"),
            "#VRML V1.0 ascii\nGroup{ WWWInline { name \"../../castle/a.wrl\" } Texture2 { filename \"a.png\" } }".into(),
            "#X3D V3.2 utf8\nPROFILE Interchange\nPROTO P [ inputOutput MFString u [ \"a.png\" ] ] { ImageTexture { url IS u } }".into(),
        ] {
            let report = checked("a.wrl", sample.clone());
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{sample} {report:#?}");
            assert_eq!(report.layers[0].formats, ["vrml"]);
        }
    }

    #[test]
    fn what_runs_and_loads_is_found() {
        for (nodes, rule) in [
            ("Script { url \"javascript: function initialize(){ print(1); }\" }", "scene-script"),
            ("DEF S Script{field SFBool a TRUE url[\"vrmlscript:\nfunction x() {}\"]}", "scene-script"),
            ("Script { url \"castlescript: function x() 1\" }", "scene-script"),
            ("Script { url [ \"a.js\" ] }", "scene-script-file"),
            ("Script { url \"http://192.0.2.21/a.js\" }", "scene-script-from-server"),
            ("ShaderPart { url \"data:text/plain, void main() {}\" }", "scene-shader"),
            ("Inline { url \"http://192.0.2.21/a.wrl\" }", "reference-to-server"),
            ("Background { frontUrl [ \"a.png\" \"http://192.0.2.21/a.png\" ] }", "reference-to-server"),
            ("EXTERNPROTO P [ field SFBool a ] \"http://192.0.2.21/p.wrl\"", "reference-to-server"),
            ("EXTERNPROTO P [] [ \"http://192.0.2.21/p.wrl\" ]", "reference-to-server"),
            ("PROTO P [ field MFString url \"http://192.0.2.21/x\" ] { Group {} }", "reference-to-server"),
            ("ImageTexture { url \"/etc/hostname\" }", "reference-by-whole-path"),
        ] {
            assert_eq!(rules_of(&checked("a.wrl", scene(nodes))), [rule], "{nodes}");
        }
        let first = "#VRML V1.0 ascii\nWWWInline { name \"http://192.0.2.21/a.wrl\" }";
        assert_eq!(rules_of(&checked("a.wrl", first)), ["reference-to-server"]);
    }

    #[test]
    fn bytes_behind_the_scene_are_news() {
        let mut behind = scene("Group {}").into_bytes();
        behind.extend(b"\x01\x02\x03 anything");
        assert_eq!(rules_of(&checked("a.wrl", behind)), ["unexplained-bytes"]);
    }

    #[test]
    fn damage_is_unfinished() {
        for nodes in ["Group {", "Group { children [ }", "}", "Text { string \"x", "Group { \x01 }"] {
            assert_eq!(checked("a.wrl", scene(nodes)).verdict, Verdict::Unfinished, "{nodes}");
        }
        let whole = "#VRML V2.0 utf8\nGroup { children [ Text { string \"a\\\"b\" } ] }";
        for len in 16..whole.len() {
            assert_ne!((len > 24, checked("a.wrl", &whole[..len]).verdict), (true, Verdict::JustData), "cut at {len}");
        }
        assert_eq!(checked("a.wrl", scene(&"A{".repeat(20_000))).verdict, Verdict::Unfinished);
    }
}
