//! PyTorch: a ZIP archive with a pickle and the storages that it refers to.
//!
//! Specification: `torch/serialization.py`, `_save`; `caffe2/serialize/inline_container.h`.
//!
//! ```text
//! name/data.pkl            the objects: read as a pickle
//! name/data/0, 1, …        the elements of the storages, without any header
//! name/version, byteorder, .format_version, .storage_alignment, .data/serialization_id
//! name/code/**.py          TorchScript: the program of a model, and name/constants.pkl beside it
//! ```

use crate::{
    format::{Buried, Candidate, Format, Nature, Role, Visit},
    formats::zip,
    quote::quoted,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// PyTorch.
pub static FORMAT: Format = Format {
    id: "pytorch",
    name: "PyTorch file",
    spec: "https://docs.pytorch.org/docs/stable/notes/serialization.html",
    extensions: &["pt", "pth", "ckpt", "pt2"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&zip::FORMAT),
    rules: &[&CARRIES_PROGRAM],
};

/// TorchScript.
static CARRIES_PROGRAM: Rule = Rule {
    id: "pytorch-carries-program",
    title: "This model carries a program of its own",
    why: "It is a TorchScript archive: beside the weights it holds the source of the model's methods, which PyTorch runs \
          when the model is used. That language is small, but it can read files and use memory and time.",
    advice: "Use it only if you trust whoever made it, or ask for the weights alone.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://docs.pytorch.org/docs/stable/jit.html"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(zip::entries(candidate.bytes)?.iter().any(|entry| root_of(&entry.name).is_some()))
}

/// The folder of the archive with the slash behind it, if this entry is the pickle in it.
fn root_of(name: &str) -> Option<&str> {
    let root = name.strip_suffix("data.pkl")?;
    (root.is_empty() || (root.ends_with('/') && root.matches('/').count() == 1)).then_some(root)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let entries = zip::entries(visit.bytes)?;
    let roots: Vec<&str> = entries.iter().filter_map(|entry| root_of(&entry.name)).collect();
    let inside = |name: &str, folder: &str| {
        roots.iter().any(|root| name.strip_prefix(root).is_some_and(|rest| rest.starts_with(folder)))
    };
    for opening in visit.openings() {
        if inside(&opening.name, "data/") || inside(&opening.name, "constants/") {
            opening.role = Role::Opaque("tensor storage");
        }
    }
    if let Some(entry) = entries.iter().find(|entry| inside(&entry.name, "code/") && entry.name.ends_with(".py")) {
        let place = entry.central.range.clone();
        visit.find(&CARRIES_PROGRAM, place, format!("{} is TorchScript source.", quoted(&entry.name)))?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    /// An archive of stored files.
    pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut directory = Vec::new();
        for (name, content) in files {
            let mut header = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
            header.extend(crate::checksum::CRC_32.checksum(content).to_le_bytes());
            header.extend((content.len() as u32).to_le_bytes());
            header.extend((content.len() as u32).to_le_bytes());
            header.extend((name.len() as u16).to_le_bytes());
            header.extend([0, 0]);
            directory.extend(b"PK\x01\x02\x14\0");
            directory.extend(&header);
            directory.extend([0; 10]);
            directory.extend((bytes.len() as u32).to_le_bytes());
            directory.extend(name.as_bytes());
            bytes.extend(b"PK\x03\x04");
            bytes.extend(&header);
            bytes.extend(name.as_bytes());
            bytes.extend(*content);
        }
        let at = bytes.len() as u32;
        bytes.extend(&directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend([(files.len() as u16).to_le_bytes(), (files.len() as u16).to_le_bytes()].concat());
        bytes.extend((directory.len() as u32).to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    const TENSOR: &[u8] = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n\
        X\x01\0\0\x000X\x03\0\0\0cpuK\x02tQK\0K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR.";

    #[test]
    fn weights_are_just_data() {
        let weights = [0x9d, 0xf3, 0xc1, 0x3e, 0x81, 0x08, 0x2b, 0xbf];
        let file =
            zip(&[("m/data.pkl", TENSOR), ("m/data/0", &weights), ("m/version", b"3\n"), ("m/byteorder", b"little")]);
        let report = checked("m.pt", file);
        assert_eq!(report.layers[0].formats, ["zip", "pytorch"]);
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
    }

    #[test]
    fn a_pickle_that_calls_is_found_wherever_it_is() {
        let evil = b"\x80\x02cposix\nsystem\nX\x02\0\0\0ls\x85R.";
        assert_eq!(rules_of(&checked("m.pt", zip(&[("m/data.pkl", evil)]))), ["pickle-runs-code"]);
        let hidden = zip(&[("m/data.pkl", TENSOR), ("m/data/0", evil)]);
        assert_eq!(rules_of(&checked("m.pt", hidden)), ["pickle-runs-code"]);
    }

    #[test]
    fn a_program_is_found() {
        let file = zip(&[("m/data.pkl", TENSOR), ("m/code/__torch__.py", b"class M(Module):\n  pass\n")]);
        assert!(rules_of(&checked("m.pt", file)).contains(&"pytorch-carries-program"));
        let file = zip(&[("m/data.pkl", TENSOR), ("m/data/0", &[0; 8]), ("m/readme.txt", b"code/x.py\n")]);
        assert_eq!(checked("m.pt", file).verdict, Verdict::JustData);
    }
}
