//! Where medical and scientific files hide something, one row a place: what it is, the sample with something in it and
//! what is told of it, and the sample that looks alike and is not flagged.
//!
//! The samples are those of the formats' own tests, in `tests/fixtures`; `tests/fixtures.rs` proves that the reports
//! beside them are what the check says today.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;

use serde_json::Value;

/// What the check says of the sample with something in it.
#[derive(Debug)]
enum Says {
    /// A finding of this rule; the file is flagged.
    Flagged(&'static str),
    /// A finding of this rule that is a note: honest files have it too.
    Note(&'static str),
    /// No finding: the file is damaged, and not called just data.
    Damage,
}

use Says::{Damage, Flagged, Note};

/// One place: its number, what it is, the sample with something in it, what is told, the sample that looks alike.
type Row = (&'static str, &'static str, &'static str, Says, &'static str);

/// How many places of each kind there are.
const KINDS: &[(&str, usize)] = &[
    ("DCM", 25),
    ("NII", 6),
    ("NRRD", 3),
    ("MET", 2),
    ("MRML", 8),
    ("MRB", 8),
    ("SLI", 2),
    ("VTK", 4),
    ("MSH", 3),
    ("GLTF", 2),
    ("X3D", 1),
    ("H5", 8),
    ("ITK", 2),
    ("NC", 3),
    ("MAT", 5),
    ("NPY", 1),
    ("ZAR", 3),
    ("TIF", 5),
    ("FS", 1),
    ("GII", 2),
    ("TRK", 3),
    ("MIF", 1),
    ("BID", 2),
    ("FHR", 4),
    ("MNC", 1),
    ("SCN", 9),
];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("DCM-01", "a program header in the preamble",
        "dicom/vectors-dcm_01_a_program_in_the_preamble-1", Flagged("executable-in-preamble"), "dicom/vectors-dcm_01_a_program_in_the_preamble-2"),
    ("DCM-02", "a script in the preamble",
        "dicom/vectors-dcm_02_a_script_in_the_preamble-1", Flagged("script-in-preamble"), "dicom/vectors-dcm_02_a_script_in_the_preamble-2"),
    ("DCM-03", "another format that starts in the preamble",
        "dicom/vectors-dcm_03_another_format_from_the_preamble_on-1", Flagged("file-mark-in-preamble"), "dicom/vectors-dcm_03_another_format_from_the_preamble_on-2"),
    ("DCM-04", "an unknown preamble that is not zero",
        "dicom/vectors-dcm_04_an_unknown_preamble_is_a_note-1", Flagged("preamble-unexplained"), "dicom/vectors-dcm_04_an_unknown_preamble_is_a_note-2"),
    ("DCM-05", "bytes behind the last element",
        "dicom/vectors-dcm_05_bytes_behind_the_last_element-1", Flagged("unexplained-bytes"), "dicom/vectors-dcm_05_bytes_behind_the_last_element-2"),
    ("DCM-06", "Data Set Trailing Padding with content",
        "dicom/vectors-dcm_06_trailing_padding-1", Flagged("padding-with-content"), "dicom/vectors-dcm_06_trailing_padding-2"),
    ("DCM-07", "code in a private value, whole or in pieces",
        "dicom/vectors-dcm_07_private_values-1", Flagged("program-inside"), "dicom/vectors-dcm_07_private_values-2"),
    ("DCM-08", "an encapsulated document that loads or runs",
        "dicom/vectors-dcm_08_a_document_inside-1", Flagged("xml-stylesheet-leaves-folder"), "dicom/vectors-dcm_08_a_document_inside-2"),
    ("DCM-09", "a surplus of Pixel Data",
        "dicom/vectors-dcm_09_more_than_the_pixels-1", Flagged("value-behind-samples"), "dicom/vectors-dcm_09_more_than_the_pixels-2"),
    ("DCM-10", "bytes behind a compressed frame, an offset table that is none",
        "dicom/vectors-dcm_10_bytes_behind_a_compressed_frame-1", Flagged("bytes-behind-coded-image"), "dicom/vectors-dcm_10_bytes_behind_a_compressed_frame-2"),
    ("DCM-11", "a surplus of overlay data",
        "dicom/vectors-dcm_11_more_than_the_overlay-1", Flagged("value-behind-samples"), "dicom/vectors-dcm_11_more_than_the_overlay-2"),
    ("DCM-12", "an address to retrieve, at any depth",
        "dicom/vectors-dcm_12_addresses-1", Flagged("address-to-retrieve"), "dicom/vectors-dcm_12_addresses-2"),
    ("DCM-13", "pixels at an address (JPIP)",
        "dicom/vectors-dcm_13_pixels_at_an_address-1", Flagged("pixels-from-server"), "dicom/vectors-dcm_13_pixels_at_an_address-2"),
    ("DCM-14", "script or formula in a text value",
        "dicom/vectors-dcm_14_texts_that_run-1", Flagged("active-markup-in-text"), "dicom/vectors-dcm_14_texts_that_run-2"),
    ("DCM-15", "code in the private information of the file",
        "dicom/vectors-dcm_15_private_information_of_the_file-1", Flagged("program-inside"), "dicom/vectors-dcm_15_private_information_of_the_file-2"),
    ("DCM-16", "a color profile that is none",
        "dicom/vectors-dcm_16_a_color_profile-1", Flagged("icc-profile-without-header"), "dicom/vectors-dcm_16_a_color_profile-2"),
    ("DCM-17", "bytes behind a deflated data set",
        "dicom/vectors-dcm_17_behind_a_deflated_data_set-1", Flagged("unexplained-bytes"), "dicom/vectors-dcm_17_behind_a_deflated_data_set-2"),
    ("DCM-18", "lengths over the end, depth without end",
        "dicom/vectors-dcm_18_damage_is_no_finding-1", Damage, "dicom/vectors-dcm_18_damage_is_no_finding-2"),
    ("DCM-19", "an element twice",
        "dicom/vectors-dcm_19_an_element_twice-1", Flagged("duplicate-element"), "dicom/vectors-dcm_19_an_element_twice-2"),
    ("DCM-20", "a surplus of waveform data",
        "dicom/vectors-dcm_20_more_than_the_waveform-1", Flagged("value-behind-samples"), "dicom/vectors-dcm_20_more_than_the_waveform-2"),
    ("DCM-21", "code among the pixels: told as what it looks like, never as code that runs",
        "dicom/vectors-dcm_21_a_program_among_the_pixels-1", Flagged("program-in-opaque"), "dicom/vectors-dcm_21_a_program_among_the_pixels-2"),
    ("DCM-22", "a DICOMDIR that leaves its folder",
        "dicom/vectors-dcm_22_a_directory_that_leaves_its_folder-1", Flagged("file-id-leaves-folder"), "dicom/vectors-dcm_22_a_directory_that_leaves_its_folder-2"),
    ("DCM-23", "a file that is DICOM and TIFF, as the standard allows: no finding by nature",
        "dicom/vectors-dcm_23_an_image_in_two_formats-1", Note("preamble-in-use"), "dicom/vectors-dcm_23_an_image_in_two_formats-1"),
    ("DCM-24", "no DICOM under the name of one",
        "dicom/vectors-dcm_24_no_dicom_under_its_name-1", Flagged("name-lies"), "dicom/vectors-dcm_24_no_dicom_under_its_name-2"),
    ("DCM-25", "a scene in a Slicer data bundle",
        "dicom/vectors-dcm_25_a_scene_in_a_data_bundle-1", Flagged("mrml-opens-port"), "dicom/vectors-dcm_25_a_scene_in_a_data_bundle-2"),
    ("NII-01", "an extension made for code, or with code in it",
        "nifti/nii_01_code_in_an_extension-1", Flagged("nifti-extension-carries-code"), "nifti/nii_01_code_in_an_extension-2"),
    ("NII-02", "the gap before the voxels",
        "nifti/nii_02_the_gap_before_the_voxels-1", Flagged("unexplained-bytes"), "nifti/nii_02_the_gap_before_the_voxels-2"),
    ("NII-03", "bytes behind the voxels",
        "nifti/nii_03_behind_the_voxels-1", Flagged("unexplained-bytes"), "nifti/nii_03_behind_the_voxels-2"),
    ("NII-04", "texts of the header that run",
        "nifti/nii_04_texts_that_run-1", Flagged("active-markup-in-text"), "nifti/nii_04_texts_that_run-2"),
    ("NII-05", "fields of the gzip header",
        "gzip/nii_05_fields_of_the_header-1", Flagged("active-markup-in-text"), "gzip/nii_05_fields_of_the_header-2"),
    ("NII-06", "dimensions whose product overflows",
        "nifti/damage_is_unfinished-1", Damage, "nifti/images_are_just_data-1"),
    ("NRRD-01", "a data file elsewhere",
        "nrrd/nrrd_01_the_data_file-1", Flagged("nrrd-data-elsewhere"), "nrrd/nrrd_01_the_data_file-2"),
    ("NRRD-02", "keys and comments that run, skipped bytes",
        "nrrd/nrrd_02_texts_and_skipped_bytes-1", Flagged("active-markup-in-text"), "nrrd/nrrd_02_texts_and_skipped_bytes-2"),
    ("NRRD-03", "bytes behind the values",
        "nrrd/nrrd_03_behind_the_values-1", Flagged("unexplained-bytes"), "nrrd/nrrd_03_behind_the_values-2"),
    ("MET-01", "a data file elsewhere",
        "metaimage/met_01_the_data_file-1", Flagged("metaimage-data-elsewhere"), "metaimage/met_01_the_data_file-2"),
    ("MET-02", "room before the values, comment, tail",
        "metaimage/met_02_the_comment_the_room_and_the_tail-1", Flagged("unexplained-bytes"), "metaimage/met_02_the_comment_the_room_and_the_tail-2"),
    ("MRML-01", "an OpenIGTLink connector that starts when the scene is loaded",
        "mrml/mrml_01_connectors-1", Flagged("mrml-opens-port"), "mrml/mrml_01_connectors-2"),
    ("MRML-02", "storage at an address",
        "mrml/mrml_02_storage_at_an_address-1", Flagged("reference-to-server"), "mrml/mrml_02_storage_at_an_address-2"),
    ("MRML-03", "a file by its whole path",
        "mrml/mrml_03_files_elsewhere-1", Flagged("reference-by-whole-path"), "mrml/mrml_03_files_elsewhere-2"),
    ("MRML-04", "a command-line module that runs by itself",
        "mrml/mrml_04_modules_that_run_by_themselves-1", Flagged("mrml-module-runs-by-itself"), "mrml/mrml_04_modules_that_run_by_themselves-2"),
    ("MRML-05", "a document type declaration",
        "mrml/mrml_05_a_document_type-1", Flagged("doctype-unexpected"), "mrml/mrml_05_a_document_type-2"),
    ("MRML-06", "a text that loads when it is shown",
        "mrml/mrml_06_texts_that_load-1", Flagged("rich-text-loads-from-server"), "mrml/mrml_06_texts_that_load-2"),
    ("MRML-07", "a parameter that names a Python module",
        "mrml/mrml_07_a_parameter_that_names_a_module-1", Flagged("mrml-parameter-names-module"), "mrml/mrml_07_a_parameter_that_names_a_module-2"),
    ("MRML-08", "a text node that is a program",
        "mrml/mrml_08_a_text_that_is_a_program-1", Flagged("program-text-in-value"), "mrml/mrml_08_a_text_that_is_a_program-2"),
    ("MRB-01", "an entry name that leaves the folder",
        "mrb/mrb_01_names_that_leave-1", Flagged("name-leaves-folder"), "mrb/mrb_01_names_that_leave-2"),
    ("MRB-02", "a link that leaves the folder",
        "mrb/mrb_02_links-1", Flagged("link-leaves-folder"), "mrb/mrb_02_links-2"),
    ("MRB-03", "what the scene in the bundle asks for",
        "mrb/mrb_03_what_the_scene_asks_for-1", Flagged("mrml-opens-port"), "mrb/mrb_03_what_the_scene_asks_for-2"),
    ("MRB-04", "programs among the data",
        "mrb/mrb_04_programs-1", Flagged("script"), "mrb/mrb_04_programs-2"),
    ("MRB-05", "a bundle in the bundle",
        "mrb/mrb_05_a_bundle_inside-1", Flagged("mrml-connects-to-server"), "mrb/mrb_05_a_bundle_inside-2"),
    ("MRB-06", "bytes in front and behind",
        "mrb/mrb_06_in_front_and_behind-1", Flagged("unexplained-bytes"), "mrb/mrb_06_in_front_and_behind-2"),
    ("MRB-07", "another archive under the name of a bundle",
        "mrb/mrb_07_another_archive_under_the_name-1", Flagged("name-leaves-folder"), "mrb/mrb_07_another_archive_under_the_name-2"),
    ("MRB-08", "headers of an entry that differ",
        "mrb/mrb_08_headers_that_differ-1", Flagged("zip-headers-disagree"), "mrb/mrb_08_headers_that_differ-2"),
    ("SLI-01", "code for the graphics processor",
        "slicer_shader/sli_01_code_for_the_graphics_processor-1", Flagged("slicer-shader-code"), "slicer_shader/sli_01_code_for_the_graphics_processor-2"),
    ("SLI-02", "labels in HTML that load",
        "slicer_markups/sli_02_rich_text-1", Flagged("rich-text-loads-from-server"), "slicer_markups/sli_02_rich_text-2"),
    ("VTK-01", "pieces and blocks elsewhere",
        "vtk_xml/vtk_01_pieces-1", Flagged("reference-to-server"), "vtk_xml/vtk_01_pieces-2"),
    ("VTK-02", "a document type declaration",
        "vtk_xml/vtk_02_a_document_type-1", Flagged("doctype-unexpected"), "vtk_xml/vtk_02_a_document_type-2"),
    ("VTK-03", "appended data that no array takes",
        "vtk_xml/vtk_03_data_that_no_array_takes-1", Flagged("unexplained-bytes"), "vtk_xml/vtk_03_data_that_no_array_takes-2"),
    ("VTK-04", "the title and the tail",
        "vtk/vtk_04_the_title_and_the_tail-1", Flagged("active-markup-in-text"), "vtk/vtk_04_the_title_and_the_tail-2"),
    ("MSH-01", "header, attribute words and tail of STL",
        "stl/msh_01_the_header_the_attributes_and_the_tail-1", Flagged("stl-attributes-hold-content"), "stl/msh_01_the_header_the_attributes_and_the_tail-2"),
    ("MSH-02", "commands and calls of OBJ",
        "obj/msh_02_commands_and_calls-1", Flagged("obj-runs-command"), "obj/msh_02_commands_and_calls-2"),
    ("MSH-03", "textures and comments of PLY",
        "ply/msh_03_textures_and_comments-1", Flagged("reference-by-whole-path"), "ply/msh_03_textures_and_comments-2"),
    ("GLTF-01", "addresses of glTF",
        "gltf/gltf_01_addresses-1", Flagged("reference-to-server"), "gltf/gltf_01_addresses-2"),
    ("GLTF-02", "unknown chunks, surplus and tails of GLB",
        "glb/gltf_02_chunks_and_tails-1", Flagged("unexplained-bytes"), "glb/gltf_02_chunks_and_tails-2"),
    ("X3D-01", "scripts and addresses",
        "x3d/x3d_01_scripts_and_addresses-1", Flagged("scene-script"), "x3d/x3d_01_scripts_and_addresses-2"),
    ("H5-01", "external links",
        "hdf5/h5_01_external_links-1", Flagged("reference-by-whole-path"), "hdf5/h5_01_external_links-2"),
    ("H5-02", "external storage",
        "hdf5/h5_02_external_storage-1", Flagged("reference-by-whole-path"), "hdf5/h5_02_external_storage-2"),
    ("H5-03", "sources of a virtual dataset",
        "hdf5/h5_03_sources_of_a_virtual_dataset-1", Flagged("reference-leaves-folder"), "hdf5/h5_03_sources_of_a_virtual_dataset-2"),
    ("H5-04", "code in the userblock",
        "hdf5/h5_04_a_userblock-1", Flagged("script-hidden"), "hdf5/h5_04_a_userblock-2"),
    ("H5-05", "bytes behind the end-of-file address",
        "hdf5/h5_05_behind_the_end_of_file_address-1", Flagged("unexplained-bytes"), "hdf5/h5_05_behind_the_end_of_file_address-2"),
    ("H5-06", "values that are a pickle",
        "hdf5/h5_06_values_that_are_a_pickle-1", Flagged("pickle-runs-code"), "hdf5/h5_06_values_that_are_a_pickle-2"),
    ("H5-07", "a model with code in an attribute",
        "hdf5/a_model_in_an_attribute_is_read-1", Flagged("keras-lambda-code"), "hdf5/a_model_in_an_attribute_is_read-3"),
    ("H5-08", "a filter that nobody registered",
        "hdf5/filters_are_told_by_who_knows_them-1", Flagged("hdf5-filter-unknown"), "hdf5/filters_are_told_by_who_knows_them-3"),
    ("ITK-01", "other lines in a transform",
        "itk_transform/itk_01_other_lines-1", Flagged("unexplained-bytes"), "itk_transform/itk_01_other_lines-2"),
    ("ITK-02", "parts of a transform elsewhere",
        "elastix/itk_02_the_initial_transform-1", Flagged("reference-to-server"), "elastix/itk_02_the_initial_transform-2"),
    ("NC-01", "attributes that are a script",
        "netcdf/nc_01_attributes-1", Flagged("script-hidden"), "netcdf/nc_01_attributes-2"),
    ("NC-02", "bytes behind the records",
        "netcdf/nc_02_behind_the_records-1", Flagged("unexplained-bytes"), "netcdf/nc_02_behind_the_records-2"),
    ("NC-03", "locations of NcML",
        "ncml/nc_03_locations-1", Flagged("reference-to-server"), "ncml/nc_03_locations-2"),
    ("MAT-01", "the text of the header",
        "matlab/mat_01_the_text_of_the_header-1", Flagged("active-markup-in-text"), "matlab/mat_01_the_text_of_the_header-2"),
    ("MAT-02", "a subsystem that is no element",
        "matlab/mat_02_the_subsystem-1", Flagged("matlab-subsystem-elsewhere"), "matlab/mat_02_the_subsystem-2"),
    ("MAT-03", "bytes behind the last variable",
        "matlab/mat_03_behind_the_last_variable-1", Flagged("unexplained-bytes"), "matlab/mat_03_behind_the_last_variable-2"),
    ("MAT-04", "characters that are a program",
        "matlab/mat_04_characters_that_are_a_program-1", Flagged("program-text-in-value"), "matlab/mat_04_characters_that_are_a_program-2"),
    ("MAT-05", "functions and objects: honest files hold them, so a note",
        "matlab/mat_05_functions_and_objects_are_notes-1", Note("matlab-function"), "matlab/mat_05_functions_and_objects_are_notes-2"),
    ("NPY-01", "objects, which are a pickle",
        "npy/npy_01_objects-1", Flagged("pickle-runs-code"), "npy/npy_01_objects-2"),
    ("ZAR-01", "a codec that is a pickle",
        "zarr/zar_01_pickles-1", Flagged("zarr-pickle-codec"), "zarr/zar_01_pickles-2"),
    ("ZAR-02", "references to servers and whole paths",
        "kerchunk/zar_02_references-1", Flagged("reference-to-server"), "kerchunk/zar_02_references-2"),
    ("ZAR-03", "names in a zipped store",
        "zarr/zar_03_names_in_an_archive-1", Flagged("name-leaves-folder"), "zarr/zar_03_names_in_an_archive-2"),
    ("TIF-01", "bytes that no directory names",
        "tiff/tif_01_bytes_that_no_directory_names-1", Flagged("unexplained-bytes"), "tiff/tif_01_bytes_that_no_directory_names-2"),
    ("TIF-02", "descriptions that run",
        "tiff/tif_02_descriptions-1", Flagged("active-markup-in-text"), "tiff/tif_02_descriptions-2"),
    ("TIF-03", "code in a private tag",
        "tiff/tif_03_private_tags-1", Flagged("script-hidden"), "tiff/tif_03_private_tags-2"),
    ("TIF-04", "files of an OME series",
        "tiff/tif_04_files_of_a_series-1", Flagged("reference-to-server"), "tiff/tif_04_files_of_a_series-2"),
    ("TIF-05", "directories in a loop",
        "tiff/tif_05_a_loop_of_directories_is_damage-1", Damage, "tiff/tif_05_a_loop_of_directories_is_damage-2"),
    ("FS-01", "room, tags and tail of MGH",
        "mgh/fs_01_room_tags_and_tail-1", Flagged("unexplained-bytes"), "mgh/fs_01_room_tags_and_tail-2"),
    ("GII-01", "external files",
        "gifti/gii_01_external_files-1", Flagged("reference-by-whole-path"), "gifti/gii_01_external_files-2"),
    ("GII-02", "a document type other than the one of every file",
        "gifti/gii_02_the_document_type-1", Flagged("reference-to-server"), "gifti/gii_02_the_document_type-2"),
    ("TRK-01", "the reserved bytes of the header",
        "trk/trk_01_the_reserved_bytes-1", Flagged("unexplained-bytes"), "trk/trk_01_the_reserved_bytes-2"),
    ("TRK-02", "bytes behind the streamlines",
        "trk/trk_02_behind_the_streamlines-1", Flagged("unexplained-bytes"), "trk/trk_02_behind_the_streamlines-2"),
    ("TRK-03", "tracks elsewhere",
        "mrtrix_tracks/trk_03_tracks_elsewhere-1", Flagged("tracks-elsewhere"), "mrtrix_tracks/trk_03_tracks_elsewhere-2"),
    ("MIF-01", "voxels elsewhere, the gap before them",
        "mrtrix_image/mif_01_voxels_elsewhere_and_the_gap-1", Flagged("reference-by-whole-path"), "mrtrix_image/mif_01_voxels_elsewhere_and_the_gap-2"),
    ("BID-01", "cells that a spreadsheet runs",
        "csv/bid_01_cells_that_run-1", Flagged("formula-starts-program"), "csv/bid_01_cells_that_run-2"),
    ("BID-02", "paths of a side-car",
        "bids/bid_02_paths-1", Flagged("reference-by-whole-path"), "bids/bid_02_paths-2"),
    ("FHR-01", "a narrative with a script",
        "fhir/fhr_01_narratives-1", Flagged("rich-text-carries-script"), "fhir/fhr_01_narratives-2"),
    ("FHR-02", "an attachment at an address",
        "fhir/fhr_02_attachments_at_an_address-1", Flagged("reference-to-server"), "fhir/fhr_02_attachments_at_an_address-2"),
    ("FHR-03", "a subscription",
        "fhir/fhr_03_subscriptions-1", Flagged("fhir-subscription"), "fhir/fhr_03_subscriptions-2"),
    ("FHR-04", "data of another type than the one given",
        "fhir/fhr_04_data_of_another_type-1", Flagged("document-type-lies"), "fhir/fhr_04_data_of_another_type-2"),
    ("MNC-01", "bytes behind a MINC volume",
        "netcdf/mnc_01_behind_a_volume-1", Flagged("unexplained-bytes"), "netcdf/mnc_01_behind_a_volume-2"),
    ("SCN-1", "entry names that leave the folder",
        "mrb/mrb_01_names_that_leave-1", Flagged("name-leaves-folder"), "mrb/mrb_01_names_that_leave-2"),
    ("SCN-2", "a connector that starts as a client",
        "mrml/mrml_01_connectors-1", Flagged("mrml-opens-port"), "mrml/mrml_01_connectors-2"),
    ("SCN-3", "an address with a name in front of it, percent-encoded",
        "mrml/mrml_02_storage_at_an_address-1", Flagged("reference-to-server"), "mrml/mrml_02_storage_at_an_address-2"),
    ("SCN-4", "a whole scene in a DICOM file",
        "dicom/vectors-dcm_25_a_scene_in_a_data_bundle-1", Flagged("mrml-opens-port"), "dicom/vectors-dcm_25_a_scene_in_a_data_bundle-2"),
    ("SCN-5", "a percent-encoded whole path",
        "mrml/mrml_03_files_elsewhere-1", Flagged("reference-by-whole-path"), "mrml/mrml_03_files_elsewhere-2"),
    ("SCN-6", "a saved analysis that starts",
        "mrml/mrml_04_modules_that_run_by_themselves-1", Flagged("mrml-module-runs-by-itself"), "mrml/mrml_04_modules_that_run_by_themselves-2"),
    ("SCN-7", "shader code",
        "slicer_shader/sli_01_code_for_the_graphics_processor-1", Flagged("slicer-shader-code"), "slicer_shader/sli_01_code_for_the_graphics_processor-2"),
    ("SCN-8", "a type that names a module",
        "mrml/mrml_07_a_parameter_that_names_a_module-1", Flagged("mrml-parameter-names-module"), "mrml/mrml_07_a_parameter_that_names_a_module-2"),
    ("SCN-9", "a link that opens the viewer",
        "slicer_link/links_that_fetch_are_found-1", Flagged("slicer-link-fetches"), "slicer_link/links_that_fetch_are_found-2"),
];

#[test]
fn every_place_stands_once() {
    let mut expected: Vec<String> = Vec::new();
    for (kind, count) in KINDS {
        let width = if *kind == "SCN" { 1 } else { 2 };
        expected.extend((1..=*count).map(|number| format!("{kind}-{number:0width$}")));
    }
    let rows: Vec<&str> = ROWS.iter().map(|row| row.0).collect();
    assert_eq!(rows, expected);
    assert!(ROWS.iter().all(|row| !row.1.is_empty()));
}

#[test]
fn every_place_is_told_and_what_looks_alike_is_not_flagged() {
    for (id, _, evil, says, alike) in ROWS {
        let report = report(evil);
        match says {
            Flagged(rule) => {
                assert!(is_flagged(&report), "{id}: {evil} is not flagged");
                assert!(
                    severity_of(&report, rule).is_some_and(|severity| severity != "note"),
                    "{id}: {evil}: no {rule}"
                );
            }
            Note(rule) => {
                assert!(!is_flagged(&report), "{id}: {evil} is flagged");
                assert_eq!(severity_of(&report, rule).as_deref(), Some("note"), "{id}: {evil}");
            }
            Damage => assert_eq!(report["verdict"], "unfinished", "{id}: {evil}"),
        }
        let alike_report = self::report(alike);
        assert_eq!(alike_report["verdict"], "just-data", "{id}: {alike}");
    }
}

/// The golden report of a sample, which must be there with its bytes.
fn report(stem: &str) -> Value {
    let path = format!("tests/fixtures/{stem}");
    assert!(fs::exists(format!("{path}.hex")).unwrap(), "{path}.hex is missing");
    serde_json::from_str(&fs::read_to_string(format!("{path}.json")).unwrap()).unwrap()
}

fn is_flagged(report: &Value) -> bool {
    report["verdict"] == "code" || report["verdict"] == "caution"
}

fn severity_of(report: &Value, rule: &str) -> Option<String> {
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["rule"] == rule)?;
    finding["severity"].as_str().map(str::to_string)
}
