//! One variable of a MATLAB MAT-file of level 5, as it comes out of its compression.
//!
//! Specification: MAT-File Format, MathWorks, section on the miCOMPRESSED type.
//!
//! ```text
//! layer = type 14 | length 4 | data of a matrix, up to the end of the layer
//! ```

use super::matlab::{read_matrices, whole_matrix};
use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// A variable of a MATLAB file.
pub static FORMAT: Format = Format {
    id: "matlab-element",
    name: "MATLAB variable",
    spec: "https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf",
    extensions: &[],
    media_types: &[],
    marks: &[Mark::start(b"\x0e\0\0\0"), Mark::start(b"\0\0\0\x0e")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(whole_matrix(candidate.bytes)?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let order = whole_matrix(visit.bytes)?.ok_or(Stop::malformed(0, "one matrix and nothing else"))?;
    read_matrices(visit, visit.bytes.range(), order)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::checked,
        formats::matlab::tests::{element, matrix},
        report::Verdict,
    };

    #[test]
    fn a_variable_is_just_data() {
        let bytes = matrix(6, b"volume", &[element(9, &[7; 16])]);
        let report = checked("variable 1", bytes.clone());
        assert_eq!((report.verdict, report.layers[0].coverage.opaque), (Verdict::JustData, 16), "{report:#?}");
        for len in 1..bytes.len() {
            assert_ne!(checked("variable 1", &bytes[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
