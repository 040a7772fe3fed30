//! Wavefront MTL: the materials of a mesh, as lines of text.
//!
//! Specification: Wavefront, "MTL material format (Lightwave, OBJ)", version 4.2.
//!
//! ```text
//! material = "newmtl" name | line*
//! line     = Ka Kd Ks Ke Tf and numbers | Ns Ni d Tr illum sharpness and a number | # comment
//!          | map_… bump disp decal refl norm | options | name of a picture
//! ```
//! Viewers load the pictures when the mesh is opened.

use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    numbers::{is_number, tokens},
    stop::Stop,
};

/// Wavefront MTL.
pub static FORMAT: Format = Format {
    id: "mtl",
    name: "Wavefront MTL",
    spec: "https://paulbourke.net/dataformats/mtl/",
    extensions: &["mtl"],
    media_types: &["model/mtl"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// The first line that is no comment begins a material.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(8 << 10)?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#")).unwrap_or_default();
    let mut words = tokens(first);
    let printable = first.iter().all(|byte| *byte >= 0x20 || *byte == b'\t');
    Ok(words.next() == Some(b"newmtl") && words.next().is_some() && printable)
}

/// The longest line.
const LONGEST: usize = 64 << 10;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    if cursor.peek(3)? == b"\xef\xbb\xbf" {
        visit.structure(0..3, "byte order mark")?;
        cursor.seek(3);
    }
    let mut follower = Follower::default();
    while let Some((range, line)) = cursor.line(LONGEST)? {
        let line = line.trim_ascii();
        let mut words = tokens(line);
        let Some(keyword) = words.next().map(<[u8]>::to_ascii_lowercase) else {
            visit.structure(range, "materials")?;
            continue;
        };
        let picture = keyword.starts_with(b"map_")
            || matches!(keyword.as_slice(), b"bump" | b"disp" | b"decal" | b"refl" | b"norm");
        match keyword.as_slice() {
            [b'#', ..] => visit.slack(range, "comment")?,
            b"newmtl" => visit.slack(range, "name")?,
            _ if picture => {
                visit.structure(range.clone(), "names of pictures")?;
                let arguments = line.get(keyword.len()..).unwrap_or_default();
                let name = String::from_utf8_lossy(without_options(arguments)).into_owned();
                follower.follow(visit, range, "A file that it names", &name)?;
            }
            b"ka" | b"kd" | b"ks" | b"ke" | b"tf" if words.clone().next() == Some(b"spectral") => {
                visit.structure(range.clone(), "names of spectra")?;
                let name = words.nth(1).map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
                follower.follow(visit, range, "A file that it names", &name)?;
            }
            b"ka" | b"kd" | b"ks" | b"ke" | b"km" | b"tf" | b"tr" | b"d" | b"ns" | b"ni" | b"illum" | b"sharpness"
            | b"pr" | b"pm" | b"ps" | b"pc" | b"pcr" | b"aniso" | b"anisor"
                if words.all(|word| is_number(word) || matches!(word, b"xyz" | b"-halo")) =>
            {
                visit.structure(range, "materials")?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What stands behind the options of a picture: its name, which may hold spaces.
fn without_options(arguments: &[u8]) -> &[u8] {
    let mut rest = arguments.trim_ascii();
    while rest.starts_with(b"-") {
        let option = tokens(rest).next().unwrap_or_default();
        let (least, most) = match option {
            b"-blendu" | b"-blendv" | b"-cc" | b"-clamp" | b"-type" | b"-imfchan" | b"-bm" | b"-boost" | b"-texres" => {
                (1, 1)
            }
            b"-mm" => (2, 2),
            b"-o" | b"-s" | b"-t" => (1, 3),
            _ => return rest,
        };
        rest = rest.get(option.len()..).unwrap_or_default().trim_ascii_start();
        for index in 0..most {
            let value = tokens(rest).next().unwrap_or_default();
            if index >= least && !is_number(value) {
                break;
            }
            rest = rest.get(value.len()..).unwrap_or_default().trim_ascii_start();
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::without_options;
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    const SAMPLE: &str = "# made by hand\n\nnewmtl red one\nKa 1 0 0\nKd 1 0 0\nKs spectral metal.rfl\nillum 2\nd 1.0\n\
                          Ns 10.5\nmap_Kd -s 1 1 1 -o 0.5 skin of it.png\nbump -bm 0.2 rough.png\nPr 0.5\n";

    #[test]
    fn materials_are_just_data() {
        let report = checked("a.mtl", SAMPLE);
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        assert_eq!(report.layers[0].formats, ["mtl"]);
    }

    #[test]
    fn options_are_no_part_of_the_name() {
        assert_eq!(without_options(b" -s 1 1 1 -o 0.5 skin of it.png"), b"skin of it.png");
        assert_eq!(without_options(b"-clamp on -mm 0 1 1.png"), b"1.png");
        assert_eq!(without_options(b"-s"), b"");
    }

    #[test]
    fn pictures_outside_the_folder_are_found() {
        for (name, rule) in [
            ("../../../skin.png", "reference-far-above"),
            ("/etc/hostname", "reference-by-whole-path"),
            ("https://example.org/skin.png", "reference-to-server"),
            ("\\\\host\\share\\skin.png", "reference-to-server"),
        ] {
            assert_eq!(rules_of(&checked("a.mtl", SAMPLE.replace("skin of it.png", name))), [rule]);
        }
        let spectrum = SAMPLE.replace("metal.rfl", "/metal.rfl");
        assert_eq!(rules_of(&checked("a.mtl", spectrum)), ["reference-by-whole-path"]);
        let above = SAMPLE.replace("skin of it.png", "../textures/skin.png");
        assert_eq!(checked("a.mtl", above).verdict, Verdict::JustData);
    }

    #[test]
    fn other_lines_are_news() {
        let report = checked("a.mtl", format!("{SAMPLE}import os\n"));
        assert_eq!(rules_of(&report), ["unexplained-bytes"]);
    }

    #[test]
    fn no_cut_panics() {
        for len in 0..SAMPLE.len() {
            checked("a.mtl", &SAMPLE[..len]);
        }
    }
}
