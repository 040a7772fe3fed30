//! Zarr metadata: the shape, the type and the codecs of an array in chunks, in JSON.
//!
//! Specification: Zarr storage specification version 2; Zarr core specification version 3.
//!
//! ```text
//! .zarray      { "zarr_format": 2, "shape": […], "dtype": "<f4", "compressor": { "id": … }, "filters": [ { "id": … } ] }
//! .zmetadata   { "zarr_consolidated_format": 1, "metadata": { "a/.zarray": …, "a/.zattrs": … } }
//! zarr.json    { "zarr_format": 3, "node_type": "array", "codecs": [ { "name": …, "configuration": … } ] }
//! ```
//! A codec is named, and the library makes it from its own list. One of them, `pickle`, makes Python objects from each
//! chunk, which may call anything.

use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Holds, Nature, Visit},
    formats::json::{self, Event, Step, Token, Walker},
    quote::quoted,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// Zarr metadata.
pub static FORMAT: Format = Format {
    id: "zarr",
    name: "Zarr metadata",
    spec: "https://zarr-specs.readthedocs.io/en/latest/specs.html",
    extensions: &["zarray", "zgroup", "zattrs", "zmetadata"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[&PICKLE, &UNKNOWN_CODEC],
};

/// Chunks that are pickles.
static PICKLE: Rule = Rule {
    id: "zarr-pickle-codec",
    title: "The parts of this array are Python pickles, which may call anything when they are read",
    why: "The codec pickle makes Python objects from each chunk. A pickle names the functions that are called for \
          it, so who writes a chunk runs code where the array is read with zarr in Python.",
    advice: "Do not read the array. Ask the sender for strings or records in one of the other codecs.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Danger,
    see: &["https://numcodecs.readthedocs.io/en/stable/other/pickles.html"],
};

/// A codec that no library brings.
static UNKNOWN_CODEC: Rule = Rule {
    id: "zarr-unknown-codec",
    title: "This array needs a codec that is not widely known",
    why: "A library reads such an array only with an additional package.",
    advice: "Install a package for it only from a source that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &["https://numcodecs.readthedocs.io/en/stable/"],
};

/// Codecs of numcodecs, imagecodecs' standard set, and the Zarr specifications.
const CODECS: &[&str] = &[
    "adler32",
    "astype",
    "base64",
    "bitround",
    "blosc",
    "blosc2",
    "bytes",
    "bz2",
    "categorize",
    "crc32",
    "crc32c",
    "delta",
    "fixedscaleoffset",
    "fletcher32",
    "gzip",
    "jenkins_lookup3",
    "json2",
    "lz4",
    "lzma",
    "msgpack2",
    "n5_wrapper",
    "packbits",
    "pcodec",
    "quantize",
    "scale_offset",
    "sharding_indexed",
    "shuffle",
    "transpose",
    "vlen-array",
    "vlen-bytes",
    "vlen-utf8",
    "zfpy",
    "zlib",
    "zstd",
];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    json::shows(candidate, |walker, event| {
        matches!(event.token, Token::Number(_))
            && walker.depth() == 1
            && walker.path().count() == 1
            && matches!(walker.key(), Some("zarr_format" | "zarr_consolidated_format"))
    })
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    json::walk(visit, |visit, walker, event| look(visit, &mut follower, walker, event))?;
    let name = visit.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let pickled = visit.found.iter().any(|found| *found.rule == PICKLE);
    if matches!(name, ".zarray" | "zarr.json") && !pickled {
        visit.name_file(0..visit.bytes.end(), "*", Holds::Chunks);
    }
    Ok(())
}

fn look(visit: &mut Visit<'_>, follower: &mut Follower, walker: &Walker, event: &Event) -> Result<(), Stop> {
    let Token::String(text) = &event.token else { return Ok(()) };
    let path: Vec<_> = walker.path().collect();
    // Attributes are the user's own; OME-Zarr names the arrays of an image in them, by paths inside the store.
    let attributes = path.iter().any(|step| {
        matches!(step, Step::Key("attributes" | ".zattrs"))
            || matches!(step, Step::Key(key) if key.ends_with("/.zattrs"))
    });
    if attributes {
        if let [.., Step::Key("datasets"), Step::Index(_), Step::Key("path")] = path.as_slice() {
            let subject = format!("The path {}", walker.place());
            follower.follow(visit, event.range.clone(), &subject, &text.text())?;
        }
        return Ok(());
    }
    let codec = match path.as_slice() {
        [.., Step::Key("compressor"), Step::Key("id")]
        | [.., Step::Key("filters"), Step::Index(_), Step::Key("id")]
        | [.., Step::Key("codecs" | "index_codecs" | "storage_transformers"), Step::Index(_)]
        | [
            ..,
            Step::Key("codecs" | "index_codecs" | "storage_transformers"),
            Step::Index(_),
            Step::Key("name" | "id"),
        ] => text.text().into_owned(),
        _ => return Ok(()),
    };
    let name = codec.strip_prefix("numcodecs.").unwrap_or(&codec);
    let message = format!("{} is {}.", walker.place(), quoted(&codec));
    if name == "pickle" {
        visit.find(&PICKLE, event.range.clone(), message)
    } else if !CODECS.contains(&name) && !name.starts_with("imagecodecs_") {
        follower.tell(visit, &UNKNOWN_CODEC, event.range.clone(), "", message)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    const ARRAY: &str = r#"{"zarr_format": 2, "shape": [4], "chunks": [4], "dtype": "|O", "order": "C", "fill_value": 0,
        "compressor": {"id": "blosc", "cname": "zstd"}, "filters": [{"id": "vlen-utf8"}]}"#;

    const THIRD: &str = r#"{"zarr_format": 3, "node_type": "array", "codecs": [{"name": "bytes"},
        {"name": "sharding_indexed", "configuration": {"codecs": [{"name": "numcodecs.zstd"}]}}],
        "attributes": {"codecs": [{"name": "pickle"}], "url": "https://example.org"}}"#;

    #[test]
    fn arrays_are_just_data() {
        let consolidated = format!(
            r#"{{"zarr_consolidated_format": 1, "metadata": {{".zgroup": {{"zarr_format": 2}}, "a/.zarray": {ARRAY},
            "a/.zattrs": {{"filters": [{{"id": "pickle"}}], "multiscales": [{{"datasets": [{{"path": "0"}}]}}]}}}}}}"#
        );
        for (name, sample) in [(".zarray", ARRAY), ("zarr.json", THIRD), (".zmetadata", &consolidated)] {
            let report = checked(name, sample);
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{sample}");
            assert!(report.layers[0].formats.contains(&"zarr".into()));
        }
        let other = checked("zarr.json", THIRD.replace("\"bytes\"", "\"acme.codec\""));
        assert_eq!((other.verdict, other.findings[0].rule.as_str()), (Verdict::JustData, "zarr-unknown-codec"));
    }

    #[test]
    fn pickles_and_paths_out_are_found() {
        let filter = ARRAY.replace("vlen-utf8", "pickle");
        let report = checked(".zarray", filter.clone());
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["zarr-pickle-codec"]));
        let consolidated = format!(r#"{{"metadata": {{"a/.zarray": {filter}}}, "zarr_consolidated_format": 1}}"#);
        assert_eq!(rules_of(&checked(".zmetadata", consolidated)), ["zarr-pickle-codec"]);
        let third = THIRD.replace("numcodecs.zstd", "numcodecs.pickle");
        assert_eq!(rules_of(&checked("zarr.json", third)), ["zarr-pickle-codec"]);
        let path =
            r#"{"zarr_format": 3, "attributes": {"ome": {"multiscales": [{"datasets": [{"path": "../../../x"}]}]}}}"#;
        assert_eq!(rules_of(&checked("zarr.json", path)), ["reference-far-above"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        for len in 1..ARRAY.len() {
            assert_ne!(checked("a.json", &ARRAY[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn zar_01_pickles() {
        told(".zarray", ARRAY.replace("vlen-utf8", "pickle"), "zarr-pickle-codec", ARRAY);
        told("zarr.json", THIRD.replace("numcodecs.zstd", "numcodecs.pickle"), "zarr-pickle-codec", THIRD);
    }

    #[test]
    fn zar_03_names_in_an_archive() {
        let zipped =
            |name: &str| crate::formats::zip::sample::archive(&[(".zarray", ARRAY.as_bytes()), (name, b"{}\n")]);
        told("a.zarr.zip", zipped("../.zattrs"), "name-leaves-folder", zipped("x/.zattrs"));
    }
}
