//! GIfTI: surfaces and values on them, as arrays in XML.
//!
//! Specification: GIFTI Surface Data Format, version 1.0.
//!
//! ```text
//! <GIFTI Version="1.0">
//!   <DataArray DataType="NIFTI_TYPE_FLOAT32" Dimensionality="2" Dim0="n" Dim1="3"
//!              Encoding="ASCII | Base64Binary | GZipBase64Binary | ExternalFileBinary" ExternalFileName="a.dat">
//!     <Data>…</Data>
//!   </DataArray>
//! </GIFTI>
//! ```
//! The length of the values follows from the dimensions; a reader passes over what is more. `GZipBase64Binary` is a
//! zlib stream. Nearly every file names the address of its definition; nothing is fetched from there.

use std::rc::Rc;

use crate::{
    bytes::Bytes,
    follow::Follower,
    format::{Buried, Candidate, Format, Holds, Nature, Role, Span, Visit},
    formats::xml::{self, Element, Text, Token},
    reference::classify,
    rule::{Guideline, Rule, Runs, Severity},
    source::{Base64, Inflated, Source, Wrapping},
    stop::Stop,
};

/// GIfTI.
pub static FORMAT: Format = Format {
    id: "gifti",
    name: "GIfTI surface",
    spec: "https://www.nitrc.org/projects/gifti/",
    extensions: &["gii"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[&SURPLUS],
};

/// More values than the dimensions say.
static SURPLUS: Rule = Rule {
    id: "gifti-surplus-values",
    title: "An array in this file holds more than its dimensions say",
    why: "A reader takes as many values as the dimensions say and passes over the rest. The rest may be anything.",
    advice: "If the file matters, ask the sender what it is, or write it anew with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://www.nitrc.org/projects/gifti/"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(xml::root(candidate)?.is_some_and(|root| root.name == "GIFTI"))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    let mut array: Option<Array> = None;
    let mut number = 0u32;
    xml::walk(visit, |visit, walker, event| match &event.token {
        Token::Doctype(doctype) => match &doctype.external {
            Some(external) if !is_definition(&external.system) => follower
                .follow(visit, event.range.clone(), "The definition of the document type", &external.system)
                .map(|_| ()),
            _ => Ok(()),
        },
        Token::Start(element) if element.name == "DataArray" => {
            if let Some(file) = element.attribute("ExternalFileName").filter(|file| !file.value.is_empty()) {
                let subject = "The ExternalFileName of a DataArray";
                follower.follow_to(visit, file.range.clone(), subject, &file.value, Holds::Values(None))?;
            }
            array = Some(Array::of(element));
            Ok(())
        }
        Token::Text(text) if walker.path().last().is_some_and(|name| name == "Data") => match &array {
            Some(array) if array.encoded && !text.raw.trim().is_empty() => {
                number = number.saturating_add(1);
                open_values(visit, array, text, format!("array {number}"))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    })
}

/// Whether an address is one of those of the definition that every file of this kind names.
fn is_definition(address: &str) -> bool {
    let host = classify(address).host.unwrap_or_default().to_ascii_lowercase();
    host == "nitrc.org" || host.ends_with(".nitrc.org")
}

/// What a DataArray says of its values.
struct Array {
    encoded: bool,
    compressed: bool,
    /// Bytes of all values.
    len: Option<u64>,
}

impl Array {
    fn of(element: &Element) -> Self {
        let value = |name: &str| element.attribute(name).map_or("", |attribute| attribute.value.trim());
        let width = match value("DataType") {
            "NIFTI_TYPE_UINT8" | "NIFTI_TYPE_INT8" | "NIFTI_TYPE_RGB24" => Some(1u64),
            "NIFTI_TYPE_INT16" | "NIFTI_TYPE_UINT16" => Some(2),
            "NIFTI_TYPE_INT32" | "NIFTI_TYPE_UINT32" | "NIFTI_TYPE_FLOAT32" | "NIFTI_TYPE_RGBA32" => Some(4),
            "NIFTI_TYPE_FLOAT64" | "NIFTI_TYPE_INT64" | "NIFTI_TYPE_UINT64" | "NIFTI_TYPE_COMPLEX64" => Some(8),
            _ => None,
        };
        let width = if value("DataType") == "NIFTI_TYPE_RGB24" { Some(3) } else { width };
        let rank: u32 = value("Dimensionality").parse().unwrap_or(0);
        let dims = (0..rank.min(6)).map(|index| value(&format!("Dim{index}")).parse::<u64>().ok());
        let len = dims.fold(width, |len, dim| len?.checked_mul(dim?));
        Array {
            encoded: matches!(value("Encoding"), "Base64Binary" | "GZipBase64Binary"),
            compressed: value("Encoding") == "GZipBase64Binary",
            len: len.filter(|_| rank > 0),
        }
    }
}

fn open_values(visit: &mut Visit<'_>, array: &Array, text: &Text, name: String) -> Result<(), Stop> {
    let decoded = match Base64::new(visit.bytes.window(text.range.clone())) {
        Ok(decoded) => decoded,
        Err(stop @ Stop::Malformed(_)) => {
            visit.note(stop);
            return Ok(());
        }
        Err(stop) => return Err(stop),
    };
    let mut rest = 0;
    let values: Rc<dyn Source> = if array.compressed {
        let stream = Bytes::whole(Rc::new(decoded), visit.bytes.budget().clone());
        let inflated = Inflated::measure(stream.clone(), Wrapping::Zlib)?;
        if inflated.stop().is_some() {
            visit.note(Stop::malformed(text.range.start, "a whole zlib stream"));
        }
        rest = stream.len().saturating_sub(inflated.compressed_len());
        Rc::new(inflated)
    } else {
        Rc::new(decoded)
    };
    let surplus = array.len.map_or(0, |len| values.len().saturating_sub(len)).saturating_add(rest);
    if surplus > 0 {
        let message = format!("{surplus} bytes stand behind the values of {name}.");
        visit.find(&SURPLUS, text.range.clone(), message)?;
    }
    visit.open(name, Span::Decoded(text.range.clone(), values), Role::Opaque("values"))
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn sample(encoding: &str, data: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE GIFTI SYSTEM \"http://www.nitrc.org/frs/download.php/115/gifti.dtd\">\n\
             <GIFTI Version=\"1.0\" NumberOfDataArrays=\"1\"><MetaData><MD><Name><![CDATA[Date]]></Name></MD></MetaData>\n\
             <DataArray DataType=\"NIFTI_TYPE_UINT8\" Dimensionality=\"2\" Dim0=\"2\" Dim1=\"3\" {encoding}><Data>{data}</Data></DataArray></GIFTI>\n"
        )
    }

    fn plain(values: &[u8]) -> String {
        sample("Encoding=\"Base64Binary\"", &STANDARD.encode(values))
    }

    fn compressed(values: &[u8], behind: &[u8]) -> String {
        let mut stream = miniz_oxide::deflate::compress_to_vec_zlib(values, 6);
        stream.extend(behind);
        sample("Encoding=\"GZipBase64Binary\"", &STANDARD.encode(stream))
    }

    #[test]
    fn surfaces_are_just_data() {
        for sample in [
            sample("Encoding=\"ASCII\"", "1 2 3 4 5 6"),
            plain(&[1, 2, 3, 4, 5, 6]),
            compressed(&[1, 2, 3, 4, 5, 6], b""),
            sample("Encoding=\"ExternalFileBinary\" ExternalFileName=\"a.dat\" ExternalFileOffset=\"0\"", ""),
        ] {
            let report = checked("a.gii", sample.clone());
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{sample}");
            assert_eq!(report.layers[0].formats, ["xml", "gifti"]);
        }
    }

    #[test]
    fn external_files_elsewhere_are_found() {
        for (name, rule) in [
            ("../../../../etc/hostname", "reference-far-above"),
            ("/etc/hostname", "reference-by-whole-path"),
            ("https://example.org/a.dat", "reference-to-server"),
        ] {
            let sample = sample(&format!("Encoding=\"ExternalFileBinary\" ExternalFileName=\"{name}\""), "");
            assert_eq!(rules_of(&checked("a.gii", sample)), [rule], "{name}");
        }
    }

    #[test]
    fn more_than_the_dimensions_say_is_found() {
        assert_eq!(rules_of(&checked("a.gii", plain(&[7; 7]))), ["gifti-surplus-values"]);
        assert_eq!(rules_of(&checked("a.gii", compressed(&[7; 9], b""))), ["gifti-surplus-values"]);
        assert_eq!(rules_of(&checked("a.gii", compressed(&[7; 6], b"more"))), ["gifti-surplus-values"]);
    }

    #[test]
    fn damage_is_unfinished() {
        assert_eq!(checked("a.gii", sample("Encoding=\"Base64Binary\"", "*")).verdict, Verdict::Unfinished);
        assert_eq!(checked("a.gii", sample("Encoding=\"GZipBase64Binary\"", "eAE=")).verdict, Verdict::Unfinished);
        let whole = plain(&[1, 2, 3, 4, 5, 6]);
        for len in 1..whole.trim_end().len() {
            assert_ne!(checked("a.gii", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn gii_01_external_files() {
        let external = |name: &str| sample(&format!("Encoding=\"ExternalFileBinary\" ExternalFileName=\"{name}\""), "");
        told("a.gii", external("/etc/hostname"), "reference-by-whole-path", external("a.dat"));
    }

    #[test]
    fn gii_02_the_document_type() {
        let plain = plain(&[1, 2, 3, 4, 5, 6]);
        let other = plain.replace("http://www.nitrc.org/frs/download.php/115/gifti.dtd", "http://192.0.2.1/gifti.dtd");
        told("a.gii", other, "reference-to-server", plain.clone());
        let entity = plain
            .replace("gifti.dtd\">", "gifti.dtd\" [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>")
            .replace("Date", "&e;");
        told("b.gii", entity, "xml-external-entity", plain);
    }
}
