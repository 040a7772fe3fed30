//! TRX: streamlines as arrays in a ZIP archive.
//!
//! Specification: the Tractography Data Exchange Format, version 0.1.
//!
//! ```text
//! header.json | positions.3.type | offsets.type
//! dps/name[.n].type   dpv/name[.n].type   groups/name.type   dpg/group/name[.n].type
//! ```
//! The names say what the values are: an entry with another name is a file among others. Everything else is up to the
//! reader of ZIP archives.

use crate::{
    format::{Buried, Candidate, Format, Nature, Role, Visit},
    formats::zip,
    numbers::count,
    stop::Stop,
};

/// TRX.
pub static FORMAT: Format = Format {
    id: "trx",
    name: "TRX streamlines",
    spec: "https://github.com/tee-ar-ex/trx-spec/blob/master/specifications.md",
    extensions: &["trx"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&zip::FORMAT),
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let entries = zip::entries(candidate.bytes)?;
    let any = |fits: fn(&str) -> bool| entries.iter().any(|entry| fits(&entry.name));
    Ok(any(|name| name == "header.json")
        && any(|name| is_array(name) && name.starts_with("positions."))
        && any(|name| is_array(name) && name.starts_with("offsets.")))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    for opening in visit.openings() {
        if opening.role == Role::File && is_array(&opening.name) {
            opening.role = Role::Opaque("values of an array");
        }
    }
    Ok(())
}

/// Whether an entry is an array by the names of the specification.
fn is_array(name: &str) -> bool {
    let mut folders: Vec<&str> = name.split('/').collect();
    let Some(file) = folders.pop() else { return false };
    let Some((stem, kind)) = file.rsplit_once('.') else { return false };
    let known = matches!(
        kind,
        "bit"
            | "int8"
            | "uint8"
            | "int16"
            | "uint16"
            | "int32"
            | "uint32"
            | "int64"
            | "uint64"
            | "float16"
            | "float32"
            | "float64"
    );
    let in_place = match folders.as_slice() {
        [] => matches!(stem, "positions.3" | "offsets"),
        ["dps" | "dpv" | "groups"] | ["dpg", _] => {
            let name = stem.rsplit_once('.').filter(|(_, columns)| count(columns.as_bytes()).is_some());
            !name.map_or(stem, |(name, _)| name).is_empty()
        }
        _ => false,
    };
    known && in_place
}

#[cfg(test)]
mod tests {
    use super::is_array;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
        })
    }

    /// A ZIP archive of these files, stored.
    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let at = bytes.len() as u32;
            let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
            fields.extend(crc32(content).to_le_bytes());
            fields.extend((content.len() as u32).to_le_bytes());
            fields.extend((content.len() as u32).to_le_bytes());
            fields.extend((name.len() as u16).to_le_bytes());
            fields.extend([0, 0]);
            bytes.extend(b"PK\x03\x04");
            bytes.extend(&fields);
            bytes.extend(name.as_bytes());
            bytes.extend(*content);
            directory.extend(b"PK\x01\x02\x14\0");
            directory.extend(&fields);
            directory.extend([0; 10]);
            directory.extend(at.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let at = bytes.len() as u32;
        bytes.extend(&directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend([files.len() as u8, 0, files.len() as u8, 0]);
        bytes.extend((directory.len() as u32).to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    const HEADER: (&str, &[u8]) = ("header.json", b"{\"NB_VERTICES\": 2, \"NB_STREAMLINES\": 1}");
    const POSITIONS: (&str, &[u8]) = ("positions.3.float16", &[1, 0x40, 2, 0x40, 3, 0x40, 4, 0x40, 5, 0x40, 6, 0x40]);
    const OFFSETS: (&str, &[u8]) = ("offsets.uint32", &[0, 0, 0, 0, 2, 0, 0, 0]);

    #[test]
    fn streamlines_are_just_data() {
        let report = checked("a.trx", archive(&[HEADER, POSITIONS, OFFSETS, ("dpv/fa.1.float32", &[1, 2, 3, 0x80])]));
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        assert_eq!(report.layers[0].formats, ["zip", "trx"]);
    }

    #[test]
    fn other_entries_are_files_among_others() {
        let unknown = archive(&[HEADER, POSITIONS, OFFSETS, ("dpv/fa.bin", &[1, 2, 3, 0x80])]);
        assert_eq!(checked("a.trx", unknown).verdict, Verdict::Unfinished);
        let script = archive(&[HEADER, POSITIONS, OFFSETS, ("dpv/fa.float32", b"#!/bin/sh\necho hello\n")]);
        assert_eq!(rules_of(&checked("a.trx", script)), ["script"]);
        let outside = archive(&[HEADER, POSITIONS, OFFSETS, ("../dpv/fa.float32", &[1, 2, 3, 0x80])]);
        assert_eq!(rules_of(&checked("a.trx", outside)), ["name-leaves-folder"]);
    }

    #[test]
    fn names_of_arrays() {
        for name in
            ["positions.3.float16", "offsets.uint64", "dps/a.float32", "dpv/a b.3.uint8", "dpg/left/mean.float64"]
        {
            assert!(is_array(name), "{name}");
        }
        for name in
            ["positions.3.txt", "header.json", "dps/a/b.float32", "float32", "../offsets.uint64", "dps/.float32"]
        {
            assert!(!is_array(name), "{name}");
        }
    }

    #[test]
    fn trk_03_names_in_an_archive() {
        let with = |name: &str| archive(&[HEADER, POSITIONS, OFFSETS, (name, &[0, 0, 0, 0])]);
        told("a.trx", with("../dps/x.float16"), "name-leaves-folder", with("dpv/x.float16"));
    }
}
