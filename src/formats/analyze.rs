//! Analyze 7.5: the header of a HDR/IMG pair; the voxels stand in the IMG file of the same name.
//!
//! Specification: Mayo Clinic, "Analyze 7.5 File Format".
//!
//! ```text
//! header 348 = sizeof_hdr 4 | data_type 10 | db_name 18 | extents 4 | session_error 2 | regular 1 | 1
//!              dim 8·2 | units 14 | datatype 2 | bitpix 2 | … | pixdim 8·4 | … | glmax 4 | glmin 4
//!              descrip 80 | aux_file 24 | orient 1 | originator … exp_time 70 | 3 | views … smin 8·4
//! ```
//! The texts are free. The same header with a magic number at its end is NIfTI.

use std::ops::Range;

use nom::{
    IResult, Parser,
    bytes::complete::take,
    multi::count,
    number::{
        Endianness,
        complete::{i16, i32},
    },
};

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// Analyze 7.5.
pub static FORMAT: Format = Format {
    id: "analyze",
    name: "Analyze header",
    spec: "https://rportal.mayo.edu/bir/ANALYZE75.pdf",
    extensions: &["hdr"],
    media_types: &[],
    marks: &[Mark::start(&348i32.to_le_bytes()), Mark::start(&348i32.to_be_bytes())],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// Bytes of the header.
const HEADER: usize = 348;

/// Fields of free text.
const TEXTS: &[(Range<u64>, &str)] = &[
    (4..14, "data_type"),
    (14..32, "db_name"),
    (56..68, "units"),
    (148..228, "descrip"),
    (228..252, "aux_file"),
    (253..326, "history"),
];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(HEADER)?;
    // A DICOM preamble may look like the start of a header.
    let other =
        head.get(128..132) == Some(b"DICM") || head.get(344..347).is_some_and(|magic| matches!(magic, b"n+1" | b"ni1"));
    Ok(!other
        && head.len() == HEADER
        && [Endianness::Little, Endianness::Big]
            .into_iter()
            .any(|order| Header::parse(&head, order).is_ok_and(|(_, header)| header.fits())))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    // Structure comes before slack where both are claimed: the texts are left out of it.
    let mut at = 0;
    for (range, what) in TEXTS {
        visit.structure(at..range.start, "header")?;
        visit.slack(range.clone(), what)?;
        at = range.end;
    }
    visit.structure(at..HEADER as u64, "header")?;
    let head = visit.bytes.peek(0, HEADER)?;
    let parsed = [Endianness::Little, Endianness::Big].into_iter().filter_map(|order| Header::parse(&head, order).ok());
    let header = parsed.map(|(_, header)| header).find(Header::fits);
    visit.name_other_half(0..HEADER as u64, &[(".hdr", ".img")], header.and_then(|header| header.voxels_len()));
    Ok(())
}

struct Header {
    size: i32,
    /// Number of dimensions and their sizes.
    dims: Vec<i16>,
    datatype: i16,
    bits: i16,
}

impl Header {
    fn parse(input: &[u8], order: Endianness) -> IResult<&[u8], Self> {
        let (rest, (size, _, dims)) = (i32(order), take(36usize), count(i16(order), 8)).parse(input)?;
        let (rest, (_, datatype, bits)) = (take(14usize), i16(order), i16(order)).parse(rest)?;
        Ok((rest, Header { size, dims, datatype, bits }))
    }

    /// How many bytes the voxels are at the least.
    fn voxels_len(&self) -> Option<u64> {
        let (rank, sizes) = self.dims.split_first()?;
        let sizes = sizes.get(..usize::try_from(*rank).ok()?)?;
        let bits = u64::try_from(self.bits).ok()?;
        let bits = sizes.iter().try_fold(bits, |bits, size| bits.checked_mul(u64::try_from(*size).ok()?.max(1)))?;
        Some(bits.div_ceil(8))
    }

    fn fits(&self) -> bool {
        let Some((rank, sizes)) = self.dims.split_first() else { return false };
        let Some(rank) = usize::try_from(*rank).ok().filter(|rank| (1..=7).contains(rank)) else { return false };
        // The types of Mayo, and those that SPM added.
        let bits = match self.datatype {
            0 => self.bits,
            1 => 1,
            2 | 130 => 8,
            4 | 132 => 16,
            8 | 16 | 136 => 32,
            32 | 64 => 64,
            128 => 24,
            _ => return false,
        };
        self.size == HEADER as i32
            && sizes.iter().take(rank).enumerate().all(|(axis, size)| *size > 0 || (axis > 2 && *size == 0))
            && (self.bits == bits || self.bits == 0)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn sample(big: bool) -> Vec<u8> {
        let mut bytes = vec![0; 348];
        let mut put = |at: usize, number: i16| {
            let number = if big { number.to_be_bytes() } else { number.to_le_bytes() };
            bytes[at..at + 2].copy_from_slice(&number);
        };
        for (index, number) in [4, 64, 64, 30, 1].into_iter().enumerate() {
            put(40 + index * 2, number);
        }
        put(70, 4);
        put(72, 16);
        put(if big { 2 } else { 0 }, 348);
        bytes[38] = b'r';
        bytes[148..153].copy_from_slice(b"SPM99");
        bytes
    }

    #[test]
    fn headers_are_just_data() {
        for big in [false, true] {
            let report = checked("a.hdr", sample(big));
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["analyze"]);
        }
    }

    #[test]
    fn code_in_the_texts_is_found() {
        let mut bytes = sample(false);
        bytes[148..169].copy_from_slice(b"#!/bin/sh\necho hello\n");
        assert_eq!(rules_of(&checked("a.hdr", bytes)), ["script-hidden"]);
        let mut look_alike = sample(false);
        look_alike[148..167].copy_from_slice(b"realigned by hand\n\n");
        assert_eq!(checked("a.hdr", look_alike).verdict, Verdict::JustData);
    }

    #[test]
    fn what_follows_is_news() {
        let bytes = [sample(false), b"echo hello".to_vec()].concat();
        assert_eq!(rules_of(&checked("a.hdr", bytes)), ["unexplained-bytes"]);
    }

    #[test]
    fn other_bytes_are_no_header() {
        let mut dims = sample(false);
        dims[42..44].fill(0xff);
        let mut kind = sample(false);
        kind[70] = 77;
        for bytes in [dims, kind, sample(false)[..347].to_vec()] {
            let report = checked("a.hdr", bytes);
            assert_eq!((report.verdict, report.layers[0].formats.len()), (Verdict::Unfinished, 0));
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = sample(true);
        for len in 4..whole.len() {
            assert_ne!(checked("a.hdr", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
