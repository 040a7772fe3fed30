//! NIfTI-1 and NIfTI-2: a header, extensions, and the voxels of an image.
//!
//! Specification: nifti1.h and nifti2.h of the NIfTI data format working group.
//!
//! ```text
//! single file  header (348 or 540) | flags 4 | extension* | room | voxels          magic "n+1" "n+2"
//! pair, .hdr   header (348 or 540) | flags 4 | extension*                          magic "ni1" "ni2"
//! extension    esize 4 | ecode 4 | edata (esize - 8)      there are some if the first flag is not 0
//! ```
//! What an extension holds is up to its code; three codes are made for program code. The room between the last
//! extension and `vox_offset`, and everything behind the voxels, is passed over by every viewer.

use std::ops::Range;

use nom::{
    IResult, Parser,
    bytes::complete::take,
    combinator::map_opt,
    multi::count,
    number::{
        Endianness,
        complete::{f32, i16, i32, i64},
    },
};

use crate::{
    active_text,
    format::{Buried, Candidate, Format, Nature, Role, Span, Visit},
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// NIfTI.
pub static FORMAT: Format = Format {
    id: "nifti",
    name: "NIfTI",
    spec: "https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h",
    extensions: &["nii", "nia", "hdr"],
    media_types: &["image/nii"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[&CIFTI_DIFFERS, &CODE_EXTENSION],
};

/// A CIFTI description in an image that is none, or the other way round.
static CIFTI_DIFFERS: Rule = Rule {
    id: "nifti-cifti-differs",
    title: "This image and its description do not agree on what it is",
    why: "The header says that the image is a CIFTI matrix, and the description of its rows and columns is missing; or \
          there is such a description, and the header does not say so. Programs that go by one of the two see different \
          things.",
    advice: "Nothing to do, if your program shows what you expect.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &["https://www.nitrc.org/projects/cifti/"],
};

/// An extension whose code says that it holds program code.
static CODE_EXTENSION: Rule = Rule {
    id: "nifti-extension-carries-code",
    title: "This image carries program code in one of its extensions",
    why: "The extension's code is one of the three that are made for programs: a Python pickle, an expression to \
          evaluate, or a MATLAB workspace. A program that honours the code runs what is in there when it reads the \
          extension.",
    advice: "Remove the extension, for example by writing the image anew with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1_io.h"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(NIFTI2.len)?;
    Ok(Variant::of(&head).is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let head = cursor.peek(NIFTI2.len)?;
    let (layout, order) = Variant::of(head).ok_or(Stop::malformed(0, "a NIfTI header"))?;
    let header =
        cursor.parse(layout.len, "the fields of a NIfTI header", |input| Header::parse(input, layout, order))?;
    cursor.seek(layout.len as u64);
    // Structure comes before slack where both are claimed: the texts are left out of it.
    let mut at = 0;
    for (range, what) in layout.texts {
        visit.structure(at..range.start, "header")?;
        visit.slack(range.clone(), what)?;
        active_text::look_at_room(visit, range.clone(), &format!("The field {what}"))?;
        at = range.end;
    }
    visit.structure(at..layout.len as u64, "header")?;

    let single = header.single;
    let mut is_described = false;
    let voxels_at = if single { header.voxels_at.max(layout.len as u64) } else { visit.bytes.end() };
    if !cursor.is_empty() && voxels_at > cursor.at() {
        let flags = cursor.array::<4>("the four extension flags")?;
        visit.structure(cursor.at().saturating_sub(4)..cursor.at(), "extension flags")?;
        if flags.first() != Some(&0) {
            is_described = read_extensions(visit, cursor.at()..voxels_at, order)?;
        }
    }
    if is_described != header.is_cifti() && (single || is_described) {
        let message = format!("Its intent has the code {}.", header.intent);
        visit.find(&CIFTI_DIFFERS, layout.intent_at.clone(), message)?;
    }
    let len = header.voxels_len().ok_or(Stop::malformed(layout.dims_at, "dimensions with a product that fits"))?;
    if !single {
        visit.name_other_half(0..layout.len as u64, &[(".hdr", ".img")], header.voxels_at.checked_add(len));
        return Ok(());
    }
    let end =
        voxels_at.checked_add(len).ok_or(Stop::malformed(layout.dims_at, "dimensions with a product that fits"))?;
    visit.opaque(voxels_at..end, "voxels")?;
    if end > visit.bytes.end() {
        return Err(Stop::malformed(visit.bytes.end(), format!("voxels up to {end:#x}")));
    }
    Ok(())
}

/// The extensions in `room`, up to one that does not go on. Whether one of them describes a CIFTI matrix.
fn read_extensions(visit: &mut Visit<'_>, room: Range<u64>, order: Endianness) -> Result<bool, Stop> {
    let mut is_described = false;
    let mut cursor = visit.bytes.window(room.clone()).cursor();
    let mut number = 0u32;
    while cursor.remaining() >= 8 {
        let start = cursor.at();
        let (size, code) = cursor.parse(8, "an extension's size and code", |input| extension(input, order))?;
        if size == 0 {
            // Some writers close the chain with a zero size; the rest is room.
            return Ok(is_described);
        }
        let len = u64::try_from(size).ok().filter(|size| *size >= 8).and_then(|size| size.checked_sub(8));
        let len = len.ok_or(Stop::malformed(start, "an extension's size of at least 8"))?;
        let data = cursor.take(len, "the extension's data")?;
        visit.structure(start..data.start(), "extension header")?;
        number = number.saturating_add(1);
        is_described |= code == CIFTI;
        visit.count("extension", 1);
        if CODE_BEARING.contains(&code) {
            let message = format!("Extension {number} has code {code}: {}.", name_of(code));
            visit.find(&CODE_EXTENSION, start..data.end(), message)?;
        }
        // Extensions are filled up to a multiple of 16 with zeros, which are no part of what is inside.
        let tail = data.peek(data.end().saturating_sub(16).max(data.start()), 16)?;
        let zeros = tail.iter().rev().take_while(|byte| **byte == 0).count() as u64;
        let inner = data.start()..data.end().saturating_sub(zeros);
        visit.slack(inner.end..data.end(), "padding of an extension")?;
        if inner.start < inner.end {
            let name = format!("extension {number} ({})", name_of(code));
            visit.open(name, Span::Range(inner), Role::Opaque("extension data"))?;
        }
    }
    Ok(is_described)
}

fn extension(input: &[u8], order: Endianness) -> IResult<&[u8], (i32, i32)> {
    (i32(order), i32(order)).parse(input)
}

/// The extension code of the XML that describes a CIFTI matrix.
const CIFTI: i32 = 32;

/// Extension codes that are made for program code.
const CODE_BEARING: [i32; 3] = [16, 38, 40];

/// The registered name of an extension code.
fn name_of(code: i32) -> &'static str {
    match code {
        0 => "unspecified",
        2 => "DICOM attributes",
        4 => "AFNI header",
        6 => "comment",
        8 => "XCEDE metadata",
        10 => "JIM dimension information",
        12 => "workflow forwards",
        14 => "FreeSurfer",
        16 => "Python pickle",
        18 => "MiND identifier",
        20 => "b-value",
        22 => "spherical direction",
        24 => "diffusion tensor component",
        26 => "spherical harmonic degree",
        28 => "VoxBo",
        30 => "Caret",
        32 => "CIFTI XML",
        34 => "variable frame timing",
        38 => "expression to evaluate",
        40 => "MATLAB workspace",
        42 => "Quantiphyse",
        44 => "magnetic resonance spectroscopy",
        _ => "unregistered code",
    }
}

/// One of the two layouts of the header.
struct Variant {
    len: usize,
    dims_at: u64,
    intent_at: Range<u64>,
    wide: bool,
    /// Fields of free text.
    texts: &'static [(Range<u64>, &'static str)],
}

static NIFTI1: Variant = Variant {
    len: 348,
    dims_at: 40,
    intent_at: 68..70,
    wide: false,
    texts: &[
        (4..14, "data_type"),
        (14..32, "db_name"),
        (148..228, "descrip"),
        (228..252, "aux_file"),
        (328..344, "intent_name"),
    ],
};

static NIFTI2: Variant = Variant {
    len: 540,
    dims_at: 16,
    intent_at: 504..508,
    wide: true,
    texts: &[(240..320, "descrip"), (320..344, "aux_file"), (508..524, "intent_name"), (525..540, "unused_str")],
};

impl Variant {
    /// The layout and byte order of a header, by its size field and its magic.
    fn of(head: &[u8]) -> Option<(&'static Variant, Endianness)> {
        let size: [u8; 4] = head.get(..4)?.try_into().ok()?;
        let (size, order) = match (i32::from_le_bytes(size), i32::from_be_bytes(size)) {
            (348 | 540, _) => (i32::from_le_bytes(size), Endianness::Little),
            (_, 348 | 540) => (i32::from_be_bytes(size), Endianness::Big),
            _ => return None,
        };
        let is = |at: usize, magics: [&[u8]; 2]| {
            head.get(at..).is_some_and(|rest| magics.iter().any(|m| rest.starts_with(m)))
        };
        match size {
            348 if is(344, [b"n+1\0", b"ni1\0"]) => Some((&NIFTI1, order)),
            540 if is(4, [b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"]) && head.len() >= NIFTI2.len => {
                Some((&NIFTI2, order))
            }
            _ => None,
        }
    }
}

struct Header {
    /// Header and voxels in one file.
    single: bool,
    /// Number of dimensions and their sizes, as they stand.
    dims: Vec<i64>,
    /// What the values are for.
    intent: i32,
    bits: i64,
    voxels_at: u64,
}

impl Header {
    fn parse<'a>(input: &'a [u8], layout: &Variant, order: Endianness) -> IResult<&'a [u8], Self> {
        let place = |at: f64| (0.0..=9.0e15).contains(&at).then_some(at as u64);
        if layout.wide {
            let (rest, (_, magic, _, bits, dims)) =
                (take(4usize), take(8usize), i16(order), i16(order), count(i64(order), 8)).parse(input)?;
            let (rest, _) = take(88usize)(rest)?;
            let (rest, voxels_at) = map_opt(i64(order), |at| u64::try_from(at).ok()).parse(rest)?;
            let (rest, (_, intent)) = (take(328usize), i32(order)).parse(rest)?;
            let single = magic.get(1) == Some(&b'+');
            return Ok((rest, Header { single, dims, intent, bits: bits.into(), voxels_at }));
        }
        let (rest, _) = take(40usize)(input)?;
        let (rest, dims) = count(i16(order), 8).parse(rest)?;
        let (rest, (_, intent, _, bits)) = (take(12usize), i16(order), take(2usize), i16(order)).parse(rest)?;
        let (rest, _) = take(34usize)(rest)?;
        let (rest, voxels_at) = map_opt(f32(order), |at| place(at.into())).parse(rest)?;
        let (rest, _) = take(232usize)(rest)?;
        let (rest, magic) = take(4usize)(rest)?;
        let dims = dims.into_iter().map(i64::from).collect();
        let single = magic.get(1) == Some(&b'+');
        Ok((rest, Header { single, dims, intent: intent.into(), bits: bits.into(), voxels_at }))
    }

    /// Whether the values are a CIFTI matrix by their intent: `NIFTI_INTENT_CONNECTIVITY_UNKNOWN` and those behind it.
    fn is_cifti(&self) -> bool {
        (3000..3100).contains(&self.intent)
    }

    /// Bytes of the voxels; `None` for dimensions that make no sense.
    fn voxels_len(&self) -> Option<u64> {
        let (rank, sizes) = self.dims.split_first()?;
        let rank = usize::try_from(*rank).ok().filter(|rank| (1..=7).contains(rank))?;
        let mut bits = u64::try_from(self.bits).ok()?;
        for size in sizes.iter().take(rank) {
            // Size 0 stands for 1 in files of old writers.
            bits = bits.checked_mul(u64::try_from(*size).ok()?.max(1))?;
        }
        Some(bits.div_ceil(8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    /// A NIfTI-1 image of 2 x 3 voxels of 16 bits with one extension if there is any.
    fn sample(extension: Option<(i32, &[u8])>) -> Vec<u8> {
        let mut bytes = vec![0; 348];
        bytes[..4].copy_from_slice(&348i32.to_le_bytes());
        for (index, size) in [2i16, 2, 3].iter().enumerate() {
            bytes[40 + index * 2..42 + index * 2].copy_from_slice(&size.to_le_bytes());
        }
        bytes[70..74].copy_from_slice(&[4, 0, 16, 0]);
        bytes[148..154].copy_from_slice(b"FSL5.0");
        bytes[344..348].copy_from_slice(b"n+1\0");
        bytes.extend([0; 4]);
        if let Some((code, data)) = extension {
            bytes[348] = 1;
            let size = (data.len() + 8).div_ceil(16) * 16;
            bytes.extend((size as i32).to_le_bytes());
            bytes.extend(code.to_le_bytes());
            bytes.extend(data);
            bytes.resize(352 + size, 0);
        }
        let offset = bytes.len() as f32;
        bytes[108..112].copy_from_slice(&offset.to_le_bytes());
        bytes.extend([7; 12]);
        bytes
    }

    fn wide() -> Vec<u8> {
        let mut bytes = vec![0; 540];
        bytes[..4].copy_from_slice(&540i32.to_be_bytes());
        bytes[4..12].copy_from_slice(b"n+2\0\r\n\x1a\n");
        bytes[12..16].copy_from_slice(&[0, 2, 0, 8]);
        for (index, size) in [3i64, 2, 2, 2].iter().enumerate() {
            bytes[16 + index * 8..24 + index * 8].copy_from_slice(&size.to_be_bytes());
        }
        bytes[168..176].copy_from_slice(&544i64.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend([9; 8]);
        bytes
    }

    #[test]
    fn images_are_just_data() {
        for (name, bytes) in [("a.nii", sample(None)), ("b.nii", wide()), ("c.nii", sample(Some((6, b"a comment"))))] {
            let report = checked(name, bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["nifti"]);
        }
    }

    #[test]
    fn code_in_the_texts_is_found() {
        let mut bytes = sample(None);
        bytes[148..169].copy_from_slice(b"#!/bin/sh\necho hello\n");
        assert_eq!(rules_of(&checked("a.nii", bytes)), ["script-hidden"]);
    }

    #[test]
    fn extensions_made_for_code_are_found() {
        for code in CODE_BEARING {
            let report = checked("a.nii", sample(Some((code, b"1 + 1"))));
            assert_eq!(rules_of(&report), ["nifti-extension-carries-code"]);
            assert_eq!((report.findings[0].offset, report.findings[0].length), (352, 16));
        }
        assert_eq!(checked("a.nii", sample(Some((4, b"<AFNI_attributes/>")))).verdict, Verdict::JustData);
    }

    #[test]
    fn a_matrix_and_its_description_belong_together() {
        let xml = b"<?xml version=\"1.0\"?><CIFTI Version=\"2\"><Matrix/></CIFTI>";
        let told = |bytes: Vec<u8>| {
            let report = checked("a.dscalar.nii", bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            report.findings.iter().any(|finding| finding.rule == "nifti-cifti-differs")
        };
        let mut both = sample(Some((32, xml)));
        assert!(told(both.clone()));
        both[68..70].copy_from_slice(&3006i16.to_le_bytes());
        assert!(!told(both));
        let mut alone = wide();
        assert!(!told(alone.clone()));
        alone[504..508].copy_from_slice(&3006i32.to_be_bytes());
        assert!(told(alone));
    }

    #[test]
    fn bytes_in_the_gap_and_behind_the_voxels_are_news() {
        let mut behind = sample(None);
        behind.extend(b"echo hello");
        assert_eq!(rules_of(&checked("a.nii", behind)), ["unexplained-bytes"]);

        let mut gap = sample(None);
        gap.splice(352..352, [1; 16]);
        gap[108..112].copy_from_slice(&368f32.to_le_bytes());
        assert_eq!(rules_of(&checked("a.nii", gap.clone())), ["unexplained-bytes"]);
        gap[352..368].fill(0);
        assert_eq!(checked("a.nii", gap).verdict, Verdict::JustData);
    }

    #[test]
    fn damage_is_unfinished() {
        let mut overflow = sample(None);
        overflow[40..56].copy_from_slice(&[
            7, 0, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f,
        ]);
        let mut negative = sample(None);
        negative[42..44].copy_from_slice(&(-5i16).to_le_bytes());
        let mut extension = sample(Some((6, b"text")));
        extension[352..356].copy_from_slice(&7i32.to_le_bytes());
        for bytes in [overflow, negative, extension] {
            assert_eq!(checked("a.nii", bytes).verdict, Verdict::Unfinished);
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample(Some((6, b"a comment")));
        for len in 8..whole.len() {
            assert_ne!(checked("a.nii", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn nii_01_code_in_an_extension() {
        told(
            "a.nii",
            sample(Some((16, b"cos\nsystem\n(S'id'\ntR."))),
            "nifti-extension-carries-code",
            sample(Some((6, b"a comment"))),
        );
        told(
            "b.nii",
            sample(Some((2, b"#!/bin/sh\nid\n"))),
            "script",
            sample(Some((4, b"<?xml version='1.0'?><AFNI/>"))),
        );
    }

    #[test]
    fn nii_02_the_gap_before_the_voxels() {
        let gap = |bytes: &[u8]| {
            let mut sample = sample(None);
            sample.splice(352..352, bytes.iter().copied());
            sample[108..112].copy_from_slice(&368f32.to_le_bytes());
            sample
        };
        told("a.nii", gap(b"hidden in a gap."), "unexplained-bytes", gap(&[0; 16]));
    }

    #[test]
    fn nii_03_behind_the_voxels() {
        let behind = |bytes: &[u8]| [sample(None), bytes.to_vec()].concat();
        told("a.nii", behind(b"hidden"), "unexplained-bytes", behind(&[0; 16]));
    }

    #[test]
    fn nii_04_texts_that_run() {
        let described = |text: &[u8]| {
            let mut sample = sample(None);
            sample[148..148 + text.len()].copy_from_slice(text);
            sample
        };
        told(
            "a.nii",
            described(b"<script>f()</script>"),
            "active-markup-in-text",
            described(b"FSL5.0, TE=2.3;Time=12"),
        );
        told("b.nii", described(b"#!/bin/sh\nid\n"), "script-hidden", described(b"a < b"));
    }
}
