//! Philips PAR: the text half of a PAR/REC pair; the voxels stand in the REC file of the same name.
//!
//! Specification: none was published; the files describe themselves, and the reader of nibabel documents versions 3 to
//! 4.2.
//!
//! ```text
//! comment   # …                                   what the columns mean, what the pixel values mean
//! general   .    name [unit]   :   value          what holds for all images
//! image     numbers                               one line an image
//! ```

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    numbers::{self, are_numbers},
    stop::Stop,
};

/// Philips PAR.
pub static FORMAT: Format = Format {
    id: "parrec",
    name: "Philips PAR",
    spec: "https://nipy.org/nibabel/reference/nibabel.parrec.html",
    extensions: &["par"],
    media_types: &[],
    marks: &[Mark::start(b"# ==="), Mark::start(b"\r\n# ==="), Mark::start(b"\n# ===")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// The title of the first comment.
const TITLE: &[u8] = b"DATA DESCRIPTION FILE";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(200)?;
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(line.strip_prefix(b"# ===").is_some_and(|rest| memchr::memmem::find(rest, TITLE).is_some()))
}

/// The longest line.
const LONGEST: usize = 64 << 10;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let mut images = 0u64;
    let mut pixels = Some(0u64);
    while let Some((range, line)) = cursor.line(LONGEST)? {
        let text = line.trim_ascii();
        if text.is_empty() {
            visit.structure(range, "empty line")?;
        } else if text.starts_with(b"#") {
            visit.slack(range, "comment")?;
        } else if text.starts_with(b".") && text.contains(&b':') {
            visit.slack(range, "general information")?;
        } else if are_numbers(text) {
            images = images.saturating_add(1);
            pixels = pixels.zip(pixels_of(text)).and_then(|(sum, image)| sum.checked_add(image));
            visit.structure(range, "image information")?;
        }
    }
    if images == 0 {
        return Err(Stop::malformed(visit.bytes.end(), "a line of image information"));
    }
    visit.name_other_half(0..0, &[(".par", ".REC")], pixels);
    Ok(())
}

/// Bytes of one image, by columns of version 4: pixel size in bits, then after one more the two sides. Version 3 has
/// other columns, and says the sides once in the general information.
fn pixels_of(line: &[u8]) -> Option<u64> {
    let columns: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let number = |index: usize| columns.get(index).and_then(|word| numbers::count(word));
    let bits = number(7).filter(|bits| matches!(bits, 8 | 16 | 32))?;
    number(9)?.checked_mul(number(10)?)?.checked_mul(bits / 8)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    const SAMPLE: &str = "# === DATA DESCRIPTION FILE =====\n#\n# Dataset name: e:\\dicom\\x\n\n\
                          .    Patient name   :   nobody\n# sl ec\n\n  1   1  0.5e3 -2\n  2   1  0.5e3 -2\n\n\
                          # === END OF DATA DESCRIPTION FILE ===\n";

    #[test]
    fn descriptions_are_just_data() {
        for text in [SAMPLE.to_string(), SAMPLE.replace('\n', "\r\n")] {
            let report = checked("a.PAR", text);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["parrec"]);
        }
    }

    #[test]
    fn other_lines_are_news() {
        let script = format!("{SAMPLE}import os\nos.system('id')\n");
        assert_eq!(rules_of(&checked("a.PAR", script)), ["unexplained-bytes"]);
    }

    #[test]
    fn a_cut_before_the_images_is_unfinished() {
        let images = SAMPLE.find("  1   1").unwrap();
        for len in 40..images {
            assert_ne!(checked("a.PAR", &SAMPLE[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
