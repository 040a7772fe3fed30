//! The list of formats: written down, sorted by id, and proved by a test (`BLESS=1 cargo test registry` rewrites it).

// The list below is rewritten by the test `registry` under BLESS=1: one line a file in src/formats.
// begin list
pub mod csv;
pub mod dicom;
pub mod afni;
pub mod elastix;
pub mod freesurfer_surface;
pub mod elf;
pub mod bids;
pub mod dicom_json;
pub mod fhir;
pub mod glb;
pub mod gltf;
pub mod gzip;
pub mod hdf5;
pub mod gzip;
pub mod jpeg;
pub mod json;
pub mod itk_transform;
pub mod mgh;
pub mod json;
pub mod keras_config;
pub mod netcdf;
pub mod dex;
pub mod elf;
pub mod gzip;
pub mod java_class;
pub mod json;
pub mod mach_o;
pub mod nifti;
pub mod ole;
pub mod pdf;
pub mod rar;
pub mod script;
pub mod seven_zip;
pub mod pe;
pub mod pyc;
pub mod tar;
pub mod bzip2;
pub mod gzip;
pub mod joblib_zfile;
pub mod json;
pub mod lz4;
pub mod lzma;
pub mod nifti;
pub mod npy;
pub mod pickle;
pub mod pickle_text;
pub mod pytorch;
pub mod tar;
pub mod png;
pub mod kerchunk;
pub mod mrml;
pub mod nifti;
pub mod slicer_markups;
pub mod slicer_shader;
pub mod text;
pub mod tiff;
pub mod vtk_xml;
pub mod xml;
pub mod wasm;
pub mod xz;
pub mod zip;
pub mod zlib;
pub mod mrtrix_image;
pub mod mrtrix_tracks;
pub mod mtl;
pub mod nifti;
pub mod obj;
pub mod parrec;
pub mod ply;
pub mod stl;
pub mod text;
pub mod tiff;
pub mod trk;
pub mod vtk;
pub mod zarr;

/// All formats, sorted by id.
#[rustfmt::skip]
pub static FORMATS: &[&Format] = &[
    &csv::FORMAT,
    &dicom::FORMAT,
    &afni::FORMAT,
    &elastix::FORMAT,
    &freesurfer_surface::FORMAT,
    &elf::FORMAT,
    &bids::FORMAT,
    &dicom_json::FORMAT,
    &fhir::FORMAT,
    &glb::FORMAT,
    &gltf::FORMAT,
    &gzip::FORMAT,
    &hdf5::FORMAT,
    &gzip::FORMAT,
    &jpeg::FORMAT,
    &json::FORMAT,
    &itk_transform::FORMAT,
    &mgh::FORMAT,
    &json::FORMAT,
    &keras_config::FORMAT,
    &netcdf::FORMAT,
    &dex::FORMAT,
    &elf::FORMAT,
    &gzip::FORMAT,
    &java_class::FORMAT,
    &json::FORMAT,
    &mach_o::FORMAT,
    &nifti::FORMAT,
    &ole::FORMAT,
    &pdf::FORMAT,
    &rar::FORMAT,
    &script::FORMAT,
    &seven_zip::FORMAT,
    &pe::FORMAT,
    &pyc::FORMAT,
    &tar::FORMAT,
    &bzip2::FORMAT,
    &gzip::FORMAT,
    &joblib_zfile::FORMAT,
    &json::FORMAT,
    &lz4::FORMAT,
    &lzma::FORMAT,
    &nifti::FORMAT,
    &npy::FORMAT,
    &pickle::FORMAT,
    &pickle_text::FORMAT,
    &pytorch::FORMAT,
    &tar::FORMAT,
    &png::FORMAT,
    &kerchunk::FORMAT,
    &mrml::FORMAT,
    &nifti::FORMAT,
    &slicer_markups::FORMAT,
    &slicer_shader::FORMAT,
    &text::FORMAT,
    &tiff::FORMAT,
    &vtk_xml::FORMAT,
    &xml::FORMAT,
    &wasm::FORMAT,
    &xz::FORMAT,
    &zip::FORMAT,
    &zlib::FORMAT,
    &mrtrix_image::FORMAT,
    &mrtrix_tracks::FORMAT,
    &mtl::FORMAT,
    &nifti::FORMAT,
    &obj::FORMAT,
    &parrec::FORMAT,
    &ply::FORMAT,
    &stl::FORMAT,
    &text::FORMAT,
    &tiff::FORMAT,
    &trk::FORMAT,
    &vtk::FORMAT,
    &zarr::FORMAT,
];
// end list

use crate::{format::Format, rule::Rule, rules};

/// The format with this id.
pub fn format(id: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.id == id)
}

/// All rules, of all formats and of none, sorted by id.
pub fn all_rules() -> Vec<&'static Rule> {
    let mut all: Vec<&'static Rule> = rules::SHARED.to_vec();
    for format in FORMATS {
        all.extend(format.rules);
    }
    all.sort_by_key(|rule| rule.id);
    all.dedup();
    all
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    all_rules().into_iter().find(|rule| rule.id == id)
}

/// Whether two formats may describe the same bytes by their own specifications, so that both together are no news.
pub(crate) fn go_together(first: &Format, second: &Format) -> bool {
    let together = |a: &str, b: &str| (first.id == a && second.id == b) || (first.id == b && second.id == a);
    // DICOM PS3.10 section 7.1 leaves the preamble to TIFF readers.
    TOGETHER.iter().any(|(a, b)| together(a, b))
}

/// Pairs of ids for [`go_together`].
const TOGETHER: &[(&str, &str)] = &[("dicom", "tiff")];
