//! The list of formats: written down, sorted by id, and proved by a test (`BLESS=1 cargo test registry` rewrites it).

// The list below is rewritten by the test `registry` under BLESS=1: one line a file in src/formats.
// begin list
pub mod afni;
pub mod analyze;
pub mod bids;
pub mod blosc;
pub mod bzip2;
pub mod chat_template;
pub mod cifti;
pub mod collada;
pub mod csv;
pub mod dex;
pub mod dicom;
pub mod dicom_json;
pub mod elastix;
pub mod elf;
pub mod fhir;
pub mod fhir_xml;
pub mod freesurfer_surface;
pub mod gifti;
pub mod glb;
pub mod gltf;
pub mod gzip;
pub mod hdf5;
pub mod hl7v2;
pub mod idl_save;
pub mod itk_transform;
pub mod itk_wasm;
pub mod java_class;
pub mod joblib_zfile;
pub mod jpeg;
pub mod json;
pub mod keras_config;
pub mod kerchunk;
pub mod lz4;
pub mod lzma;
pub mod mach_o;
pub mod matlab;
pub mod matlab_element;
pub mod matlab_v4;
pub mod metaimage;
pub mod mgh;
pub mod mni_transform;
pub mod mrb;
pub mod mrml;
pub mod mrtrix_image;
pub mod mrtrix_tracks;
pub mod mtl;
pub mod named_script;
pub mod ncml;
pub mod netcdf;
pub mod nifti;
pub mod npy;
pub mod nrrd;
pub mod obj;
pub mod ole;
pub mod opc_relationships;
pub mod parrec;
pub mod pdf;
pub mod pe;
pub mod php;
pub mod pickle;
pub mod pickle_text;
pub mod ply;
pub mod png;
pub mod pyc;
pub mod pytorch;
pub mod rar;
pub mod script;
pub mod seven_zip;
pub mod slicer_annotations;
pub mod slicer_color_table;
pub mod slicer_link;
pub mod slicer_markups;
pub mod slicer_shader;
pub mod slicer_terminology;
pub mod slicer_volume_property;
pub mod sqlite;
pub mod stable_baselines;
pub mod stl;
pub mod swf;
pub mod tar;
pub mod text;
pub mod three_mf;
pub mod three_mf_model;
pub mod tiff;
pub mod trk;
pub mod trx;
pub mod vrml;
pub mod vtk;
pub mod vtk_xml;
pub mod wasm;
pub mod x3d;
pub mod xfa;
pub mod xml;
pub mod xz;
pub mod zarr;
pub mod zip;
pub mod zlib;
pub mod zstd;

/// All formats, sorted by id.
#[rustfmt::skip]
pub static FORMATS: &[&Format] = &[
    &afni::FORMAT,
    &analyze::FORMAT,
    &bids::FORMAT,
    &blosc::FORMAT,
    &bzip2::FORMAT,
    &chat_template::FORMAT,
    &cifti::FORMAT,
    &collada::FORMAT,
    &csv::FORMAT,
    &dex::FORMAT,
    &dicom::FORMAT,
    &dicom_json::FORMAT,
    &elastix::FORMAT,
    &elf::FORMAT,
    &fhir::FORMAT,
    &fhir_xml::FORMAT,
    &freesurfer_surface::FORMAT,
    &gifti::FORMAT,
    &glb::FORMAT,
    &gltf::FORMAT,
    &gzip::FORMAT,
    &hdf5::FORMAT,
    &hl7v2::FORMAT,
    &idl_save::FORMAT,
    &itk_transform::FORMAT,
    &itk_wasm::FORMAT,
    &java_class::FORMAT,
    &joblib_zfile::FORMAT,
    &jpeg::FORMAT,
    &json::FORMAT,
    &keras_config::FORMAT,
    &kerchunk::FORMAT,
    &lz4::FORMAT,
    &lzma::FORMAT,
    &mach_o::FORMAT,
    &matlab::FORMAT,
    &matlab_element::FORMAT,
    &matlab_v4::FORMAT,
    &metaimage::FORMAT,
    &mgh::FORMAT,
    &mni_transform::FORMAT,
    &mrb::FORMAT,
    &mrml::FORMAT,
    &mrtrix_image::FORMAT,
    &mrtrix_tracks::FORMAT,
    &mtl::FORMAT,
    &named_script::FORMAT,
    &ncml::FORMAT,
    &netcdf::FORMAT,
    &nifti::FORMAT,
    &npy::FORMAT,
    &nrrd::FORMAT,
    &obj::FORMAT,
    &ole::FORMAT,
    &opc_relationships::FORMAT,
    &parrec::FORMAT,
    &pdf::FORMAT,
    &pe::FORMAT,
    &php::FORMAT,
    &pickle::FORMAT,
    &pickle_text::FORMAT,
    &ply::FORMAT,
    &png::FORMAT,
    &pyc::FORMAT,
    &pytorch::FORMAT,
    &rar::FORMAT,
    &script::FORMAT,
    &seven_zip::FORMAT,
    &slicer_annotations::FORMAT,
    &slicer_color_table::FORMAT,
    &slicer_link::FORMAT,
    &slicer_markups::FORMAT,
    &slicer_shader::FORMAT,
    &slicer_terminology::FORMAT,
    &slicer_volume_property::FORMAT,
    &sqlite::FORMAT,
    &stable_baselines::FORMAT,
    &stl::FORMAT,
    &swf::FORMAT,
    &tar::FORMAT,
    &text::FORMAT,
    &three_mf::FORMAT,
    &three_mf_model::FORMAT,
    &tiff::FORMAT,
    &trk::FORMAT,
    &trx::FORMAT,
    &vrml::FORMAT,
    &vtk::FORMAT,
    &vtk_xml::FORMAT,
    &wasm::FORMAT,
    &x3d::FORMAT,
    &xfa::FORMAT,
    &xml::FORMAT,
    &xz::FORMAT,
    &zarr::FORMAT,
    &zip::FORMAT,
    &zlib::FORMAT,
    &zstd::FORMAT,
];
// end list

use crate::{format::Format, rule::Rule, rules, sorting};

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
    sorting::by_key(&mut all, |rule| rule.id);
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
