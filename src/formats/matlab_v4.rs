//! MATLAB MAT-files of level 4: matrices one behind the other, without a header of the file.
//!
//! Specification: MAT-File Format, MathWorks, chapter on level 4.
//!
//! ```text
//! file   = matrix+
//! matrix = type 4 | rows 4 | columns 4 | imaginary 4 | length of name 4 | name 0 | real part | [imaginary part]
//! type   = M * 1000 + P * 10 + T      M 0 little endian, 1 big endian; P precision; T full, text, sparse
//! ```

use nom::number::Endianness;

use crate::{
    bytes::Cursor,
    format::{Buried, Candidate, Format, Nature, Visit},
    stop::Stop,
};

/// MATLAB level 4.
pub static FORMAT: Format = Format {
    id: "matlab-v4",
    name: "MATLAB level 4 MAT-file",
    spec: "https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf",
    extensions: &["mat"],
    media_types: &["application/x-matlab-data"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let mut cursor = candidate.bytes.cursor();
    let Some(matrix) = Matrix::read(&mut cursor)? else { return Ok(false) };
    // Nothing but plausible numbers tells what this is: the values must fit, too.
    Ok(matrix.len <= cursor.remaining())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    loop {
        let start = cursor.at();
        let Some(matrix) = Matrix::read(&mut cursor)? else {
            // Behind the last matrix: whatever it is, MATLAB does not read it.
            return Ok(());
        };
        visit.structure(start..cursor.at(), "matrix header")?;
        let values = cursor.take(matrix.len, "the values of a matrix")?;
        if matrix.is_text {
            visit.slack(values.range(), "characters")?;
        } else {
            visit.opaque(values.range(), "values")?;
        }
    }
}

struct Matrix {
    /// Bytes of the values.
    len: u64,
    is_text: bool,
}

/// The longest name: MATLAB has 63 letters at most.
const NAME: u32 = 64;

impl Matrix {
    /// Reads a header; `None`, with the cursor anywhere, if there is none.
    fn read(cursor: &mut Cursor) -> Result<Option<Self>, Stop> {
        if cursor.remaining() < 20 {
            return Ok(None);
        }
        let fields = cursor.array::<20>("a matrix header")?;
        let number = |at: usize, order: Endianness| {
            let four: [u8; 4] = fields.get(at..at.saturating_add(4)).and_then(|four| four.try_into().ok())?;
            Some(if order == Endianness::Big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
        };
        let order = match (number(0, Endianness::Little), number(0, Endianness::Big)) {
            (Some(0..=52), _) => Endianness::Little,
            (_, Some(1000..=1052)) => Endianness::Big,
            _ => return Ok(None),
        };
        let numbers = [0, 4, 8, 12, 16].map(|at| number(at, order).unwrap_or(u32::MAX));
        let [kind, rows, columns, imaginary, name_len] = numbers;
        let (precision, shape) = ((kind / 10) % 100, kind % 10);
        let width = match precision {
            0 => 8u64,
            1 | 2 => 4,
            3 | 4 => 2,
            5 => 1,
            _ => return Ok(None),
        };
        if shape > 2 || imaginary > 1 || !(1..=NAME).contains(&name_len) || u64::from(name_len) > cursor.remaining() {
            return Ok(None);
        }
        let name = cursor.read(usize::try_from(name_len).unwrap_or(0), "the name of a matrix")?;
        if !is_identifier(name.strip_suffix(b"\0").unwrap_or(&name)) {
            return Ok(None);
        }
        // A sparse matrix has its imaginary part in a column of its own.
        let parts = if shape == 2 { 1 } else { u64::from(imaginary).saturating_add(1) };
        let len = u64::from(rows).checked_mul(columns.into()).and_then(|count| count.checked_mul(width));
        Ok(len.and_then(|len| len.checked_mul(parts)).map(|len| Matrix { len, is_text: shape == 1 }))
    }
}

fn is_identifier(name: &[u8]) -> bool {
    name.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn matrix(kind: u32, dims: [u32; 2], imaginary: u32, name: &str, values: &[u8]) -> Vec<u8> {
        let big = kind >= 1000;
        let fields = [kind, dims[0], dims[1], imaginary, name.len() as u32 + 1];
        let mut bytes: Vec<u8> =
            fields.iter().flat_map(|f| if big { f.to_be_bytes() } else { f.to_le_bytes() }).collect();
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.extend(values);
        bytes
    }

    fn sample() -> Vec<u8> {
        let numbers = matrix(0, [1, 3], 0, "x", &[1; 24]);
        let complex = matrix(20, [2, 1], 1, "z_2", &[2; 16]);
        let text = matrix(51, [1, 5], 0, "note", b"hello");
        let sparse = matrix(2, [2, 3], 0, "s", &[3; 48]);
        [numbers, complex, text, sparse].concat()
    }

    #[test]
    fn matrices_are_just_data() {
        let big = matrix(1030, [2, 2], 0, "x", &[1; 8]);
        for bytes in [sample(), big] {
            let report = checked("a.mat", bytes);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["matlab-v4"]);
        }
        let books = checked("a.mat", sample()).layers[0].coverage;
        assert_eq!((books.opaque, books.slack), (24 + 16 + 48, 5), "{books:?}");
    }

    #[test]
    fn what_follows_the_last_matrix_is_news() {
        for tail in [&b"tail"[..], b"#!/bin/sh\necho a script that is long enough\n"] {
            let report = checked("a.mat", [&sample()[..], tail].concat());
            assert!(report.verdict <= Verdict::Caution, "{report:#?}");
        }
        let report = checked("a.mat", [&sample()[..], b"nothing that runs, but here it is"].concat());
        assert_eq!(rules_of(&report), ["unexplained-bytes"]);
    }

    #[test]
    fn other_bytes_are_no_matrix() {
        let long = matrix(0, [1000, 1000], 0, "x", &[1; 24]);
        let name = matrix(0, [1, 3], 0, "1 2", &[1; 24]);
        let kind = matrix(7, [1, 3], 0, "x", &[1; 24]);
        for bytes in [long, name, kind, vec![0; 100]] {
            assert!(checked("a.mat", bytes).layers[0].formats.is_empty());
        }
    }

    #[test]
    fn a_cut_inside_a_matrix_is_not_just_data() {
        let first = matrix(20, [2, 1], 1, "z", &[2; 16]);
        let whole = [&first[..], &matrix(51, [1, 5], 0, "note", b"hello")].concat();
        // Matrices have no count: a file cut between two of them is whole.
        for len in (1..whole.len()).filter(|len| *len != first.len()) {
            assert_ne!(checked("a.mat", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
