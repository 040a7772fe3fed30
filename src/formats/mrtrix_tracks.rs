//! MRtrix tracks: a header of text lines, and points up to three infinite numbers.
//!
//! Specification: the MRtrix3 documentation, "Tracks file format (.tck)".
//!
//! ```text
//! "mrtrix tracks" | key: value lines | "file: . offset" | "END" | … | triplets at the offset
//! triplet = three numbers; three NaN end a track, three infinite ones end the file
//! ```

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    formats::mrtrix_image::{Header, starts_with_line},
    quote::quoted,
    reference::classify,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// MRtrix tracks.
pub static FORMAT: Format = Format {
    id: "mrtrix-tracks",
    name: "MRtrix tracks",
    spec: "https://mrtrix.readthedocs.io/en/latest/getting_started/image_data.html#tracks-file-format-tck",
    extensions: &["tck"],
    media_types: &[],
    marks: &[Mark::start(MAGIC)],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[&DATA_ELSEWHERE],
};

const MAGIC: &[u8] = b"mrtrix tracks";

/// The tracks are in another file. The specification knows only `.`; some programs follow other names.
static DATA_ELSEWHERE: Rule = Rule {
    id: "tracks-elsewhere",
    title: "The tracks are said to be in another file",
    why: "The format asks for the tracks in the same file. Programs that follow the name read another file, whatever it \
          is, when this one is opened.",
    advice: "Ask the sender for a file that holds its tracks itself.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://mrtrix.readthedocs.io/en/latest/getting_started/image_data.html#tracks-file-format-tck"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    starts_with_line(candidate, MAGIC)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let header = Header::read(visit, &mut cursor, MAGIC)?;
    let datatype = header.value("datatype").unwrap_or_default().to_ascii_lowercase();
    for file in &header.files {
        if file.name != "." {
            let message = format!("It names {}, which {}.", quoted(&file.name), classify(&file.name).saying());
            visit.find(&DATA_ELSEWHERE, file.line.clone(), message)?;
            continue;
        }
        let start = file.place(&header, visit)?;
        let number = Number::of(&datatype).ok_or(Stop::malformed(0, "a datatype of Float32 or Float64"))?;
        let end = number.end_of_tracks(visit, start)?;
        visit.opaque(start..end, "tracks")?;
    }
    if header.files.is_empty() {
        return Err(Stop::malformed(cursor.at(), "a line that says where the tracks are"));
    }
    Ok(())
}

/// How a coordinate is stored.
#[derive(Clone, Copy)]
struct Number {
    wide: bool,
    big: bool,
}

impl Number {
    fn of(datatype: &str) -> Option<Self> {
        match datatype {
            "float32le" | "float32" => Some(Number { wide: false, big: false }),
            "float32be" => Some(Number { wide: false, big: true }),
            "float64le" | "float64" => Some(Number { wide: true, big: false }),
            "float64be" => Some(Number { wide: true, big: true }),
            _ => None,
        }
    }

    /// The place behind the first three infinite numbers.
    fn end_of_tracks(self, visit: &mut Visit<'_>, start: u64) -> Result<u64, Stop> {
        let size = if self.wide { 24usize } else { 12 };
        let mut buffer = vec![0; size.saturating_mul(32 << 10)];
        let mut at = start;
        loop {
            let count = visit.bytes.copy(at, &mut buffer)?;
            let window = buffer.get(..count).unwrap_or_default();
            let triplets = window.chunks_exact(size);
            if let Some(index) = triplets.clone().position(|triplet| self.are_infinite(triplet)) {
                let len = index.saturating_add(1).saturating_mul(size) as u64;
                return Ok(at.saturating_add(len));
            }
            let whole = triplets.len().saturating_mul(size) as u64;
            visit.opaque(at..at.saturating_add(whole), "tracks")?;
            if whole == 0 || (count < buffer.len()) {
                return Err(Stop::malformed(at.saturating_add(whole), "three infinite numbers that end the tracks"));
            }
            at = at.saturating_add(whole);
        }
    }

    fn are_infinite(self, triplet: &[u8]) -> bool {
        let bits = |number: &[u8]| {
            let grow = |sum: u64, byte: &u8| sum.wrapping_shl(8) | u64::from(*byte);
            if self.big { number.iter().fold(0, grow) } else { number.iter().rev().fold(0, grow) }
        };
        triplet
            .chunks_exact(if self.wide { 8 } else { 4 })
            .map(bits)
            .all(|bits| if self.wide { bits << 1 == 0x7ff0 << 49 } else { bits & 0x7fff_ffff == 0x7f80_0000 })
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn sample(datatype: &str, numbers: &[u8]) -> Vec<u8> {
        let mut bytes = format!("mrtrix tracks\ncount: 1\ndatatype: {datatype}\nfile: . 70\nEND\n").into_bytes();
        bytes.resize(70, 0);
        bytes.extend(numbers);
        bytes
    }

    fn narrow() -> Vec<u8> {
        let numbers = [[1.5f32; 3], [2.5; 3], [f32::NAN; 3], [f32::INFINITY; 3]];
        numbers.as_flattened().iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn wide() -> Vec<u8> {
        let numbers = [[1.5f64; 3], [f64::NAN; 3], [f64::NEG_INFINITY; 3]];
        numbers.as_flattened().iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn tracks_are_just_data() {
        for bytes in [sample("Float32LE", &narrow()), sample("Float64BE", &wide())] {
            let report = checked("a.tck", bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["mrtrix-tracks"]);
        }
    }

    #[test]
    fn tracks_in_another_file_are_found() {
        for name in ["other.dat", "../../etc/hostname"] {
            let text = format!("mrtrix tracks\ndatatype: Float32LE\nfile: {name} 0\nEND\n");
            assert_eq!(rules_of(&checked("a.tck", text)), ["tracks-elsewhere"]);
        }
    }

    #[test]
    fn what_follows_the_end_is_news() {
        let bytes = sample("Float32LE", &[narrow(), b"echo hello".to_vec()].concat());
        assert_eq!(rules_of(&checked("a.tck", bytes)), ["unexplained-bytes"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample("Float32LE", &narrow());
        for len in 14..whole.len() {
            assert_ne!(checked("a.tck", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
        assert_eq!(checked("a.tck", sample("Int16LE", &narrow())).verdict, Verdict::Unfinished);
    }

    #[test]
    fn trk_03_tracks_elsewhere() {
        let elsewhere = "mrtrix tracks\ndatatype: Float32LE\nfile: /etc/hostname 0\nEND\n";
        told("a.tck", elsewhere, "tracks-elsewhere", sample("Float32LE", &narrow()));
    }
}
