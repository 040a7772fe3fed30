//! What a DICOM file can be reported for.

use crate::rule::{Guideline, Rule, Runs, Severity};

const PREAMBLE: &str = "https://dicom.nema.org/medical/dicom/current/output/html/part10.html#sect_7.1";
const CODED: &str = "https://dicom.nema.org/medical/dicom/current/output/html/part05.html#sect_A.4";
const ELEMENTS: &str = "https://dicom.nema.org/medical/dicom/current/output/html/part05.html#sect_7.1";

/// Every rule of this format, sorted by id.
pub(super) static RULES: &[&Rule] = &[
    &ADDRESS_TO_RETRIEVE,
    &BYTES_BEHIND_CODED_IMAGE,
    &DICOM_ENCODING_DIFFERS,
    &DICOM_META_LENGTH_LIES,
    &DUPLICATE_ELEMENT,
    &ELEMENTS_OUT_OF_ORDER,
    &EXECUTABLE_IN_PREAMBLE,
    &FILE_ID_LEAVES_FOLDER,
    &FILE_MARK_IN_PREAMBLE,
    &FRAGMENT_WITHOUT_IMAGE,
    &ICC_PROFILE_WITHOUT_HEADER,
    &META_INFORMATION_IN_DATA_SET,
    &OFFSET_TABLE_WITHOUT_OFFSETS,
    &PADDING_WITH_CONTENT,
    &PIXELS_FROM_SERVER,
    &PREAMBLE_IN_USE,
    &PREAMBLE_UNEXPLAINED,
    &PROGRAM_MARK_IN_PREAMBLE,
    &SCRIPT_IN_PREAMBLE,
    &VALUE_BEHIND_SAMPLES,
];

/// A UR value, Retrieve URL or Retrieve URI.
pub(super) static ADDRESS_TO_RETRIEVE: Rule = Rule {
    id: "address-to-retrieve",
    title: "This file names a server from which something is to be fetched",
    why: "A viewer or an archive that follows the address when the object is opened or retrieved tells that server \
          who looks at the file, and when.",
    advice: "Open it without a network connection, or make sure that you know the server.",
    guideline: Guideline::Reporting,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://dicom.nema.org/medical/dicom/current/output/html/part06.html#chapter_6"],
};

/// Non-zero bytes between the end of a compressed frame and the end of its fragments.
pub(super) static BYTES_BEHIND_CODED_IMAGE: Rule = Rule {
    id: "bytes-behind-coded-image",
    title: "Bytes stand behind the end of a compressed image",
    why: "Decoders stop at the end of the image and never look at them. There is room for anything.",
    advice: "If the file matters, ask the sender what they are, or compress the image anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[CODED],
};

/// The transfer syntax says one encoding, the elements are written in another.
pub(super) static DICOM_ENCODING_DIFFERS: Rule = Rule {
    id: "dicom-encoding-differs",
    title: "The elements are written in another way than the file says",
    why: "Programs that believe the transfer syntax cannot read it; others guess, and may see different content.",
    advice: "Nothing to do, unless the file came from somebody that you do not know.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &["https://dicom.nema.org/medical/dicom/current/output/html/part05.html#chapter_10"],
};

/// The group length of the File Meta Information leads to another place than the elements, and readers would go on in another encoding.
pub(super) static DICOM_META_LENGTH_LIES: Rule = Rule {
    id: "dicom-meta-length-lies",
    title: "Two readers would see different content in this file",
    why: "The length of the file's meta information contradicts its elements. Programs that go by the length start to \
          read the data set at another place than those that go by the elements.",
    advice: "Ask the sender for a file that was written anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[PREAMBLE],
};

/// The same tag twice in one data set.
pub(super) static DUPLICATE_ELEMENT: Rule = Rule {
    id: "duplicate-element",
    title: "An element stands twice in the same data set",
    why: "Some programs take the first, others the last: two readers see different content.",
    advice: "Ask the sender for a file that was written anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[ELEMENTS],
};

/// A smaller tag behind a larger one.
pub(super) static ELEMENTS_OUT_OF_ORDER: Rule = Rule {
    id: "elements-out-of-order",
    title: "The elements are not in their order",
    why: "The standard asks for ascending tags. Some old writers did not care; programs that rely on it may miss elements.",
    advice: "Nothing to do, unless the file came from somebody that you do not know.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &[ELEMENTS],
};

/// A header in the preamble that an operating system or a runtime accepts.
pub(super) static EXECUTABLE_IN_PREAMBLE: Rule = Rule {
    id: "executable-in-preamble",
    title: "This image is a program at the same time",
    why: "The first 128 bytes of a DICOM file may hold anything. Here they hold the header of a program: a viewer shows \
          an image, but the operating system starts the same file as a program.",
    advice: "Do not use the file, and do not rename it. Tell the sender, and keep it for whoever looks into it.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Danger,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2019-11687", PREAMBLE],
};

/// (0004,1500) with a component that is no name below the folder.
pub(super) static FILE_ID_LEAVES_FOLDER: Rule = Rule {
    id: "file-id-leaves-folder",
    title: "This directory names a file outside of its folder",
    why: "A program that follows the reference reads, copies or deletes a file that does not belong to these images.",
    advice: "Do not import the directory. Import the images themselves.",
    guideline: Guideline::Reporting,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://dicom.nema.org/medical/dicom/current/output/html/part10.html#sect_8.2"],
};

/// The mark of a file of another kind at the start of the preamble.
pub(super) static FILE_MARK_IN_PREAMBLE: Rule = Rule {
    id: "file-mark-in-preamble",
    title: "The first bytes are those of another kind of file",
    why: "Programs that go by the first bytes take this image for something else, and open it as that.",
    advice: "If it matters, write it anew with a program that empties the first 128 bytes.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[PREAMBLE],
};

/// A frame of encapsulated Pixel Data that does not start as its transfer syntax says.
pub(super) static FRAGMENT_WITHOUT_IMAGE: Rule = Rule {
    id: "fragment-without-image",
    title: "A piece of the compressed image is not an image",
    why: "The transfer syntax names the compression, and this fragment does not start as that compression starts.",
    advice: "Ask the sender what it is. The check looked into it: see the findings inside.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[CODED],
};

/// (0028,2000) without an ICC header, or with bytes behind the profile.
pub(super) static ICC_PROFILE_WITHOUT_HEADER: Rule = Rule {
    id: "icc-profile-without-header",
    title: "What should be a color profile is none",
    why: "The value has no profile header, or more bytes than the profile says. Viewers pass it over or hand it to a color library.",
    advice: "Remove the color profile, or ask the sender.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://dicom.nema.org/medical/dicom/current/output/html/part03.html#sect_C.11.15"],
};

/// Group 0002 behind the start of the data set.
pub(super) static META_INFORMATION_IN_DATA_SET: Rule = Rule {
    id: "meta-information-in-data-set",
    title: "This file says for a second time what kind of file it is",
    why: "The meta information belongs to the start of the file. Where it stands again, or late, something was put before \
          it: two readers may see different content.",
    advice: "Ask the sender for a file that was written anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[PREAMBLE],
};

/// A Basic Offset Table that is no table of offsets.
pub(super) static OFFSET_TABLE_WITHOUT_OFFSETS: Rule = Rule {
    id: "offset-table-without-offsets",
    title: "The table of frames holds something else",
    why: "The first item of compressed pixels lists where the frames start. Here it does not; most viewers pass over it.",
    advice: "Ask the sender what it is, or compress the image anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[CODED],
};

/// (FFFC,FFFC) that is not padding.
pub(super) static PADDING_WITH_CONTENT: Rule = Rule {
    id: "padding-with-content",
    title: "The padding at the end of this file holds something",
    why: "Padding means nothing, and every viewer passes over it. Here it is not empty.",
    advice: "If the file matters, ask the sender what it is, or write the file anew with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://dicom.nema.org/medical/dicom/current/output/html/part10.html#sect_7.2"],
};

/// (0028,7FE0).
pub(super) static PIXELS_FROM_SERVER: Rule = Rule {
    id: "pixels-from-server",
    title: "The image itself is on a server, and is fetched when the file is opened",
    why: "The file holds an address instead of pixels (JPIP). A viewer contacts that server to show the image.",
    advice: "Open it only if you know the server, or ask for a file with the pixels in it.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://dicom.nema.org/medical/dicom/current/output/html/part05.html#sect_A.6"],
};

/// A preamble with a known use, or with a little text.
pub(super) static PREAMBLE_IN_USE: Rule = Rule {
    id: "preamble-in-use",
    title: "The first 128 bytes are in use",
    why: "They may hold anything, and most files leave them empty. Nothing that starts was found in them.",
    advice: "Nothing to do.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &[PREAMBLE],
};

/// A preamble full of bytes without a known use.
pub(super) static PREAMBLE_UNEXPLAINED: Rule = Rule {
    id: "preamble-unexplained",
    title: "The first 128 bytes hold something that nothing explains",
    why: "They may hold anything, and most files leave them empty. Here is neither text nor the header of an image format.",
    advice: "If the file matters, write it anew with a program that empties them.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[PREAMBLE],
};

/// The mark of a program in the preamble without all that makes it one.
pub(super) static PROGRAM_MARK_IN_PREAMBLE: Rule = Rule {
    id: "program-mark-in-preamble",
    title: "The first bytes are those of a program",
    why: "The file starts as programs do, although what follows does not make a whole one that this check knows. Some \
          systems may start it all the same.",
    advice: "Do not rename the file. If it matters, write it anew with a program that empties the first 128 bytes.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2019-11687", PREAMBLE],
};

/// Script text that starts the file.
pub(super) static SCRIPT_IN_PREAMBLE: Rule = Rule {
    id: "script-in-preamble",
    title: "This image is a script at the same time",
    why: "The first 128 bytes of a DICOM file may hold anything. Here they hold program text: a viewer shows an image, \
          but an interpreter that is given the same file runs it.",
    advice: "Do not use the file, and do not rename it. Tell the sender, and keep it for whoever looks into it.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Danger,
    see: &[PREAMBLE],
};

/// More bytes than rows, columns and bits account for.
pub(super) static VALUE_BEHIND_SAMPLES: Rule = Rule {
    id: "value-behind-samples",
    title: "Bytes stand behind the last pixel or sample",
    why: "The file says how many pixels or samples there are, and the value is longer. Viewers never look at the rest.",
    advice: "If the file matters, ask the sender what it is, or write it anew with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://dicom.nema.org/medical/dicom/current/output/html/part05.html#sect_8.1.1"],
};
