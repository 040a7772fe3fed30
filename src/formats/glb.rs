//! Binary glTF: a glTF scene in JSON and its buffer in one file.
//!
//! Specification: Khronos glTF 2.0, section 4.4; KHR_binary_glTF for version 1.
//!
//! ```text
//! version 2  "glTF" | 2 (4) | length (4) | chunk*           chunk: length (4) | type (4) | data, filled up to 4
//!            the first chunk is "JSON", the second may be "BIN\0"
//! version 1  "glTF" | 1 (4) | length (4) | JSON length (4) | 0 (4) | JSON | buffer
//! ```
//! Viewers pass over chunks of other types, and over everything behind the length.

use std::ops::Range;

use crate::{
    bytes::Cursor,
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    formats::json::{Step, Token, Walker},
    stop::{Limit, Stop},
};

/// Binary glTF.
pub static FORMAT: Format = Format {
    id: "glb",
    name: "binary glTF scene",
    spec: "https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#glb-file-format-specification",
    extensions: &["glb"],
    media_types: &["model/gltf-binary"],
    marks: &[Mark::start(b"glTF")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

const JSON: u32 = 0x4e4f_534a;
const BIN: u32 = 0x004e_4942;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(12)?;
    Ok(head.len() == 12 && matches!(head.get(4..8), Some([1 | 2, 0, 0, 0])))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    cursor.seek(4);
    let version = cursor.u32_le("the version")?;
    let len = u64::from(cursor.u32_le("the length")?);
    visit.structure(0..cursor.at(), "header")?;
    if version == 1 {
        let json = cursor.u32_le("the length of the JSON text")?;
        let format = cursor.u32_le("the format of the scene")?;
        visit.structure(12..cursor.at(), "header")?;
        if format != 0 {
            return Err(Stop::unsupported(16, format!("scene format {format}")));
        }
        let json = cursor.take(json.into(), "the JSON text")?;
        visit.open("scene.gltf", Span::Range(json.range()), Role::File)?;
        visit.opaque(json.end()..len.max(json.end()), "buffer")?;
    } else {
        read_chunks(visit, cursor, len)?;
    }
    if len > visit.bytes.end() {
        return Err(Stop::malformed(visit.bytes.end(), format!("content up to {len:#x}")));
    }
    Ok(())
}

fn read_chunks(visit: &mut Visit<'_>, whole: Cursor, len: u64) -> Result<(), Stop> {
    let mut cursor = visit.bytes.window(whole.at()..len).cursor();
    let mut pictures = Vec::new();
    let mut buffer = None;
    let mut number = 0u32;
    while !cursor.is_empty() {
        let start = cursor.at();
        let len = cursor.u32_le("the length of a chunk")?;
        let kind = cursor.u32_le("the type of a chunk")?;
        let data = cursor.take(len.into(), "the data of a chunk")?;
        match (number, kind) {
            (0, JSON) => {
                (pictures, buffer) = pictures_of(Walker::new(&data)?)?;
                visit.open("scene.gltf", Span::Range(data.range()), Role::File)?;
            }
            (0, _) => return Err(Stop::malformed(start, "a chunk of JSON text")),
            (1, BIN) => {
                // At most three bytes fill the chunk up; what follows them is no part of the scene.
                let used = buffer
                    .map_or(data.len(), |len: u64| len.checked_next_multiple_of(4).unwrap_or(len).min(data.len()));
                visit.opaque(data.start()..data.start().saturating_add(used), "buffer")?;
                for (index, range) in pictures.drain(..) {
                    let at = data.start().saturating_add(range.start)..data.start().saturating_add(range.end);
                    if at.start < at.end && at.end <= data.end() {
                        visit.open(format!("image {index}"), Span::Range(at), Role::Opaque("image"))?;
                    }
                }
            }
            // A chunk that no viewer reads stays unexplained.
            _ => {}
        }
        visit.structure(start..data.start(), "chunk header")?;
        number = number.saturating_add(1);
    }
    if number == 0 {
        return Err(Stop::malformed(visit.bytes.end().min(len), "a chunk of JSON text"));
    }
    Ok(())
}

/// Views of the buffer, and pictures, that are remembered.
const REMEMBERED: usize = 100_000;

/// Pictures with their number and their range in the buffer.
type Pictures = Vec<(u64, Range<u64>)>;

/// Which ranges of the buffer are pictures, and how long the scene says that it is. Damage ends the walk: the reader of the scene tells it.
fn pictures_of(mut walker: Walker) -> Result<(Pictures, Option<u64>), Stop> {
    let mut buffer = None;
    let mut views: Vec<(u64, Range<u64>)> = Vec::new();
    let mut pictures: Vec<(u64, usize)> = Vec::new();
    loop {
        let event = match walker.step() {
            Ok(Some(event)) => event,
            Ok(None) | Err(Stop::Malformed(_) | Stop::Exhausted(Limit::Depth)) => break,
            Err(stop) => return Err(stop),
        };
        if views.len() > REMEMBERED || pictures.len() > REMEMBERED || walker.depth() != 3 {
            continue;
        }
        let path: Vec<_> = walker.path().collect();
        match (&event.token, path.as_slice()) {
            (Token::Number(number), [Step::Key("bufferViews"), Step::Index(index), Step::Key(field)]) => {
                if views.last().is_none_or(|(last, _)| last != index) {
                    views.push((*index, 0..0));
                }
                let (Some((_, view)), Ok(number)) = (views.last_mut(), number.parse::<u64>()) else { continue };
                match *field {
                    // The end is relative to the start until all fields are known, in whatever order they come.
                    "byteOffset" => *view = number..number.saturating_add(view.end.saturating_sub(view.start)),
                    "byteLength" => view.end = view.start.saturating_add(number),
                    _ => {}
                }
            }
            (Token::Number(number), [Step::Key("buffers"), Step::Index(0), Step::Key("byteLength")]) => {
                buffer = number.parse().ok();
            }
            (Token::Number(number), [Step::Key("images"), Step::Index(index), Step::Key("bufferView")]) => {
                if let Ok(number) = number.parse() {
                    pictures.push((*index, number));
                }
            }
            _ => {}
        }
    }
    let view = |number: usize| views.get(number).map(|(_, range)| range.clone());
    Ok((pictures.into_iter().filter_map(|(index, number)| Some((index, view(number)?))).collect(), buffer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn sample(json: &str, chunks: &[(u32, &[u8])]) -> Vec<u8> {
        let mut text = json.as_bytes().to_vec();
        text.resize(text.len().next_multiple_of(4), b' ');
        let mut bytes = b"glTF\x02\0\0\0\0\0\0\0".to_vec();
        for (kind, data) in [(JSON, &text[..])].iter().chain(chunks) {
            bytes.extend((data.len() as u32).to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(*data);
        }
        let len = bytes.len() as u32;
        bytes[8..12].copy_from_slice(&len.to_le_bytes());
        bytes
    }

    const SCENE: &str = r#"{"asset": {"version": "2.0"}, "buffers": [{"byteLength": 8}],
        "bufferViews": [{"buffer": 0, "byteLength": 4}, {"byteLength": 4, "byteOffset": 4}],
        "images": [{"bufferView": 1, "mimeType": "image/png"}]}"#;

    #[test]
    fn scenes_are_just_data() {
        let report = checked("a.glb", sample(SCENE, &[(BIN, &[0, 1, 2, 3, 4, 5, 6, 7])]));
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        assert_eq!(report.layers[0].formats, ["glb"]);
        assert!(report.layers[1].formats.contains(&"gltf".into()));
        assert_eq!((report.layers[2].name.as_str(), report.layers[2].len), ("image 0", 4));

        let json = br#"{"asset": {"version": "1.0"}, "scenes": {}}"#;
        let mut first = b"glTF\x01\0\0\0".to_vec();
        first.extend((24 + json.len() as u32).to_le_bytes());
        first.extend((json.len() as u32).to_le_bytes());
        first.extend([0; 4]);
        first.extend(json);
        first.extend([1, 2, 3, 4]);
        assert_eq!(checked("a.glb", first).verdict, Verdict::JustData);
    }

    #[test]
    fn references_unknown_chunks_and_tails_are_found() {
        let remote = sample(&SCENE.replace("\"byteLength\": 8", "\"uri\": \"https://example.org/x\""), &[]);
        assert_eq!(rules_of(&checked("a.glb", remote)), ["reference-to-server"]);
        let unknown = sample(SCENE, &[(BIN, &[1; 8]), (0x5858_5858, b"anything")]);
        assert_eq!(rules_of(&checked("a.glb", unknown)), ["unexplained-bytes"]);
        let mut tail = sample(SCENE, &[(BIN, &[1; 8])]);
        tail.extend(b"anything");
        assert_eq!(rules_of(&checked("a.glb", tail)), ["unexplained-bytes"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample(SCENE, &[(BIN, &[1; 8])]);
        for len in 12..whole.len() {
            assert_ne!(checked("a.glb", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn gltf_02_chunks_and_tails() {
        let whole = sample(SCENE, &[(BIN, &[0, 1, 2, 3, 4, 5, 6, 7])]);
        let unknown = sample(SCENE, &[(BIN, &[0, 1, 2, 3, 4, 5, 6, 7]), (0x1234_5678, b"hidden!!")]);
        told("a.glb", unknown, "unexplained-bytes", whole.clone());
        told("b.glb", [&whole[..], b"hidden"].concat(), "unexplained-bytes", whole.clone());
        told("c.glb", sample(SCENE, &[(BIN, b"\0\x01\x02\x03\x04\x05\x06\x07hidden!!")]), "unexplained-bytes", whole);
    }
}
