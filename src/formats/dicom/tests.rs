//! Whole files, evil ones and their look-alikes.

use std::{cell::Cell, rc::Rc};

use miniz_oxide::deflate::compress_to_vec;

use crate::{
    budget::{Budget, Limits, Quiet},
    check::{
        structure,
        tests::{checked, rules_of},
    },
    checksum::CRC_32,
    report::{Report, Verdict},
    source::Source,
};

pub(super) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(super) const IMPLICIT: &str = "1.2.840.10008.1.2";
pub(super) const BIG: &str = "1.2.840.10008.1.2.2";
pub(super) const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const JPEG: &str = "1.2.840.10008.1.2.4.50";
pub(super) const JPIP: &str = "1.2.840.10008.1.2.4.94";

/// An element in explicit VR little endian; the value is made even.
pub(super) fn element(tag: u32, vr: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    let mut value = value.as_ref().to_vec();
    if value.len() % 2 == 1 {
        value.push(if matches!(vr, "OB" | "OW" | "UN" | "UI") { 0 } else { b' ' });
    }
    let mut bytes = head(tag, vr, value.len() as u32);
    bytes.extend(value);
    bytes
}

pub(super) fn head(tag: u32, vr: &str, len: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(((tag >> 16) as u16).to_le_bytes());
    bytes.extend((tag as u16).to_le_bytes());
    bytes.extend(vr.as_bytes());
    if matches!(vr, "OB" | "OW" | "SQ" | "UN" | "UR" | "UT") {
        bytes.extend([0, 0]);
        bytes.extend(len.to_le_bytes());
    } else {
        bytes.extend((len as u16).to_le_bytes());
    }
    bytes
}

/// An item or a delimiter.
pub(super) fn item(tag: u32, len: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = head(tag, "", 0)[..4].to_vec();
    bytes.extend(len.to_le_bytes());
    bytes.extend(content);
    bytes
}

pub(super) fn us(tag: u32, value: u16) -> Vec<u8> {
    element(tag, "US", value.to_le_bytes())
}

/// A file of the transfer syntax, with the data set as it stands.
pub(super) fn file(transfer_syntax: &str, preamble: &[u8], data_set: &[u8]) -> Vec<u8> {
    let mut bytes = preamble.to_vec();
    bytes.resize(128, 0);
    bytes.extend(b"DICM");
    let meta = [
        element(0x0002_0001, "OB", [0, 1]),
        element(0x0002_0002, "UI", "1.2.840.10008.5.1.4.1.1.7"),
        element(0x0002_0010, "UI", transfer_syntax),
    ]
    .concat();
    bytes.extend(element(0x0002_0000, "UL", (meta.len() as u32).to_le_bytes()));
    bytes.extend(meta);
    bytes.extend(data_set);
    bytes
}

/// The elements of a small image without its pixels: 4 x 2, 8 bits.
pub(super) fn about() -> Vec<u8> {
    [
        element(0x0008_0005, "CS", "ISO_IR 100"),
        element(0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.7"),
        element(0x0010_0010, "PN", "Doe^Jane"),
        us(0x0028_0002, 1),
        element(0x0028_0004, "CS", "MONOCHROME2"),
        us(0x0028_0010, 2),
        us(0x0028_0011, 4),
        us(0x0028_0100, 8),
    ]
    .concat()
}

pub(super) fn pixels() -> Vec<u8> {
    element(0x7FE0_0010, "OB", [1, 2, 3, 4, 5, 6, 7, 8])
}

pub(super) fn image(extra: &[u8]) -> Vec<u8> {
    file(EXPLICIT, b"", &[about(), extra.to_vec(), pixels()].concat())
}

fn rules(bytes: Vec<u8>) -> Vec<String> {
    rules_of(&checked("a.dcm", bytes)).into_iter().map(str::to_string).collect()
}

fn is_just_data(bytes: Vec<u8>) -> Report {
    let report = checked("a.dcm", bytes);
    assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
    report
}

#[test]
fn an_image_is_just_data() {
    let report = is_just_data(image(b""));
    let books = &report.layers[0].coverage;
    assert_eq!((books.opaque, books.slack, books.unexplained), (8, 128, 0));
}

#[test]
fn encodings_are_read() {
    let implicit: Vec<u8> = [(0x0008_0005u32, "ISO_IR 100"), (0x0008_0060, "CT"), (0x0010_0020, "A1")]
        .iter()
        .flat_map(|(tag, value)| {
            [&head(*tag, "", 0)[..4], &(value.len() as u32).to_le_bytes(), value.as_bytes()].concat()
        })
        .collect();
    is_just_data(file(IMPLICIT, b"", &implicit));
    // Without preamble and meta information, as before DICOM had a file format.
    is_just_data(implicit.clone());
    let big = b"\0\x08\0\x05CS\0\x0aISO_IR 100\0\x08\0\x60CS\0\x02CT\0\x28\0\x10US\0\x02\0\x02".to_vec();
    is_just_data(file(BIG, b"", &big));
    is_just_data(big);
    // What the transfer syntax says is only believed where it fits.
    let report = is_just_data(file(EXPLICIT, b"", &implicit));
    assert_eq!(report.findings[0].rule, "dicom-encoding-differs");
    let report = is_just_data(file(IMPLICIT, b"", &about()));
    assert_eq!(report.findings[0].rule, "dicom-encoding-differs");
}

#[test]
fn sequences_of_any_form_are_read() {
    let inner = element(0x0008_0100, "SH", "T-1");
    let defined = item(0xFFFE_E000, inner.len() as u32, &inner);
    let undefined = [item(0xFFFE_E000, u32::MAX, &inner), item(0xFFFE_E00D, 0, b"")].concat();
    let end = item(0xFFFE_E0DD, 0, b"");
    // Under the VR UN the content has no VRs.
    let implicit = [&head(0x0008_0100, "", 0)[..4], &4u32.to_le_bytes()[..], b"T-1 "].concat();
    let unknown = [item(0xFFFE_E000, u32::MAX, &implicit), item(0xFFFE_E00D, 0, b"")].concat();
    let mut sequences = Vec::new();
    sequences.extend(element(0x0008_1110, "SQ", &defined));
    sequences.extend([head(0x0008_1111, "SQ", u32::MAX), defined.clone(), end.clone()].concat());
    sequences.extend(element(0x0008_1115, "SQ", &undefined));
    sequences.extend([head(0x0008_1140, "UN", u32::MAX), unknown.clone(), end.clone()].concat());
    sequences.extend(element(0x0009_1001, "UN", &unknown));
    sequences.extend(element(0x0009_1002, "SQ", b""));
    let data_set = [element(0x0008_0005, "CS", "ISO_IR 100"), sequences].concat();
    is_just_data(file(EXPLICIT, b"", &data_set));
    let mut cut = file(EXPLICIT, b"", &[head(0x0008_1111, "SQ", u32::MAX), defined].concat());
    assert_eq!(checked("a.dcm", cut.clone()).verdict, Verdict::Unfinished);
    cut.extend(b"what is this");
    assert_eq!(checked("a.dcm", cut).verdict, Verdict::Unfinished);
}

#[test]
fn depth_is_bounded() {
    let mut data_set = Vec::new();
    for _ in 0..5000 {
        data_set.extend(head(0x0008_1140, "SQ", u32::MAX));
        data_set.extend(item(0xFFFE_E000, u32::MAX, b""));
    }
    let report = checked("a.dcm", file(EXPLICIT, b"", &data_set));
    assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "exhausted"));
}

#[test]
fn a_deflated_data_set_is_read() {
    let data_set = [about(), pixels()].concat();
    let packed = compress_to_vec(&data_set, 6);
    let report = is_just_data(file(DEFLATED, b"", &packed));
    assert_eq!(report.layers[1].formats, ["dicom"]);
    let hidden = [about(), element(0x0011_1001, "UT", "#!/bin/sh\nrm -rf x\n"), pixels()].concat();
    assert_eq!(rules(file(DEFLATED, b"", &compress_to_vec(&hidden, 6))), ["program-text-in-value"]);
    let tail = [packed.clone(), b"left over".to_vec()].concat();
    assert_eq!(rules(file(DEFLATED, b"", &tail)), ["unexplained-bytes"]);
    // The trailer of a gzip member, and one that is none.
    let crc = CRC_32.checksum(&data_set).to_le_bytes();
    let len = (data_set.len() as u32).to_le_bytes();
    is_just_data(file(DEFLATED, b"", &[&packed[..], &crc, &len].concat()));
    assert_eq!(rules(file(DEFLATED, b"", &[&packed[..], &crc, b"none"].concat())), ["unexplained-bytes"]);
}

#[test]
fn an_executable_header_in_the_preamble_is_danger() {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    elf[16..20].copy_from_slice(&[2, 0, 62, 0]);
    elf[32] = 64;
    elf[52] = 64;
    elf[54] = 56;
    elf[56] = 1;
    let mut pe = b"MZ".to_vec();
    pe.resize(64, 0);
    let data_set =
        [about(), element(0x0009_1001, "UN", [b"PE\0\0\x64\x86", &[0; 18][..], b"\x0b\x02"].concat()), pixels()]
            .concat();
    let place = file(EXPLICIT, b"", &data_set).windows(4).position(|four| four == b"PE\0\0").unwrap() as u32;
    pe[60..64].copy_from_slice(&place.to_le_bytes());
    for (preamble, data_set) in [
        (elf.clone(), about()),
        (pe, data_set),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x02\0\0\0\x01\0\0\0\x48\0\0\0".to_vec(), about()),
        (b"\xca\xfe\xba\xbe\0\0\0\x37\0\x10\x01\0".to_vec(), about()),
        (b"#!/bin/sh\nexit 0\n".to_vec(), about()),
    ] {
        let report = checked("a.dcm", file(EXPLICIT, &preamble, &data_set));
        assert_eq!(report.verdict, Verdict::Code);
        assert!(rules_of(&report).contains(&"executable-in-preamble"), "{report:#?}");
    }
}

#[test]
fn the_mark_of_a_program_alone_is_a_warning() {
    for preamble in [&b"MZ\x90\0\x03\0\0\0"[..], b"\x7fELF\x02\x01\x01", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce"] {
        assert_eq!(rules(file(EXPLICIT, preamble, &about())), ["program-mark-in-preamble"]);
    }
    assert_eq!(rules(file(EXPLICIT, b"{\\rtf1 x}", &about())), ["file-mark-in-preamble"]);
}

#[test]
fn a_script_in_the_preamble_is_danger() {
    for preamble in
        ["@echo off\r\nstart calc\r\n", "<?php phpinfo(); __halt_compiler();", "<html><script>alert(1)</script>"]
    {
        assert_eq!(rules(file(EXPLICIT, preamble.as_bytes(), &about())), ["script-in-preamble"], "{preamble}");
    }
    let inside = file(EXPLICIT, b"GIF89a <?php phpinfo();", &about());
    assert_eq!(rules(inside), ["script-in-preamble", "script-hidden"]);
}

#[test]
fn preambles_in_legitimate_use_are_notes() {
    let mut analyze = b"\x5c\x01\0\0".to_vec();
    analyze.extend([0; 34]);
    analyze.extend(b"r\0\x03\0\x40\0\x40\0");
    for preamble in [&b"II*\0\x54\x18\x08\0"[..], b"MM\0*\0\0\x10\0", &analyze, b"WORKSTATION-7", &[0, 0, 3, 0, 9]] {
        let report = is_just_data(file(EXPLICIT, preamble, &about()));
        assert_eq!(report.findings[0].rule, "preamble-in-use");
    }
    let random: Vec<u8> = (0..128u32).map(|n| (n.wrapping_mul(0x9E37_79B9) >> 13) as u8 | 1).collect();
    assert_eq!(rules(file(EXPLICIT, &random, &about())), ["preamble-unexplained"]);
}

#[test]
fn what_follows_the_last_element_is_news() {
    for tail in [
        &b"This is text that nobody expects here."[..],
        b"PK\x05\x06\x01\x02\x03\x04\x05\x06",
        b"MZ\x90\0\x03\0\0\0\x04\0",
    ] {
        assert_eq!(rules([image(b""), tail.to_vec()].concat()), ["unexplained-bytes"]);
    }
    // Fill bytes of tapes, disks and transfers; a delimiter too many.
    is_just_data([image(b""), vec![0; 100]].concat());
    is_just_data([image(b""), vec![b' '; 33]].concat());
    is_just_data([image(b""), item(0xFFFE_E00D, 0, b"")].concat());
    let padding = |value: &[u8]| [image(b""), element(0xFFFC_FFFC, "OB", value)].concat();
    is_just_data(padding(&[0; 64]));
    assert_eq!(rules(padding(b"#!/bin/sh\nexit 0\n")), ["script-hidden", "padding-with-content"]);
    // The directory of the TIFF file that the same bytes once were.
    let directory =
        [&b"\x02\0\0\x01\x04\0\x01\0\0\0\x04\0\0\0\x01\x01\x04\0\x01\0\0\0\x02\0\0\0"[..], &[0; 4]].concat();
    is_just_data(padding(&directory));
    assert_eq!(rules(padding(&[&directory[..], b"and more"].concat())), ["padding-with-content"]);
}

#[test]
fn bytes_behind_the_pixels_are_found() {
    let pixels = |value: &[u8]| file(EXPLICIT, b"", &[about(), element(0x7FE0_0010, "OW", value)].concat());
    assert_eq!(rules(pixels(b"12345678 and a note")), ["value-behind-samples"]);
    is_just_data(pixels(b"12345678\0\0\0\0\0\0"));
    let odd = [us(0x0028_0010, 1), us(0x0028_0011, 7), us(0x0028_0100, 8), element(0x7FE0_0010, "OB", b"1234567!")];
    is_just_data(file(EXPLICIT, b"", &odd.concat()));
    // Two samples a pixel where the chroma is shared.
    let shared = [
        us(0x0028_0002, 3),
        element(0x0028_0004, "CS", "YBR_FULL_422"),
        us(0x0028_0010, 2),
        us(0x0028_0011, 4),
        us(0x0028_0100, 8),
    ]
    .concat();
    let shared = |len: usize| [&shared[..], &element(0x7FE0_0010, "OB", vec![7; len])].concat();
    is_just_data(file(EXPLICIT, b"", &shared(16)));
    is_just_data(file(EXPLICIT, b"", &shared(24)));
    assert_eq!(rules(file(EXPLICIT, b"", &shared(20))), ["value-behind-samples"]);
}

#[test]
fn bytes_behind_overlays_waveforms_and_profiles_are_found() {
    let overlay = |len: usize| {
        let plane = [us(0x6000_0010, 8), us(0x6000_0011, 16), us(0x6000_0100, 1)].concat();
        file(EXPLICIT, b"", &[about(), plane, element(0x6000_3000, "OW", vec![5; len])].concat())
    };
    is_just_data(overlay(16));
    assert_eq!(rules(overlay(24)), ["value-behind-samples"]);
    let waveform = |len: usize| {
        let group = [us(0x003A_0005, 2), element(0x003A_0010, "UL", 4u32.to_le_bytes()), us(0x5400_1004, 16)].concat();
        let group = [group, element(0x5400_1010, "OW", vec![5; len])].concat();
        let group = item(0xFFFE_E000, group.len() as u32, &group);
        file(EXPLICIT, b"", &[about(), element(0x5400_0100, "SQ", group)].concat())
    };
    is_just_data(waveform(16));
    assert_eq!(rules(waveform(40)), ["value-behind-samples"]);
    let profile = |claimed: u32, signature: &[u8]| {
        let mut profile = claimed.to_be_bytes().to_vec();
        profile.resize(36, 0);
        profile.extend(signature);
        profile.resize(140, 1);
        file(EXPLICIT, b"", &[about(), element(0x0028_2000, "OB", profile)].concat())
    };
    is_just_data(profile(140, b"acsp"));
    assert_eq!(rules(profile(130, b"acsp")), ["icc-profile-without-header"]);
    assert_eq!(rules(profile(140, b"none")), ["icc-profile-without-header"]);
}

/// A frame that JPEG readers take for a whole one.
pub(super) const FRAME: &[u8] = b"\xff\xd8\xff\xe0\x00\x04JF\xff\xda\x00\x02\x01\x02\xff\xd9";

pub(super) fn encapsulated(items: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [about(), head(0x7FE0_0010, "OB", u32::MAX)].concat();
    items.iter().for_each(|content| bytes.extend(item(0xFFFE_E000, content.len() as u32, content)));
    bytes.extend(item(0xFFFE_E0DD, 0, b""));
    file(JPEG, b"", &bytes)
}

#[test]
fn fragments_end_with_their_image() {
    is_just_data(encapsulated(&[b"", FRAME]));
    is_just_data(encapsulated(&[b"\0\0\0\0\x18\0\0\0", FRAME, FRAME]));
    // One frame in two fragments, the second filled up.
    is_just_data(encapsulated(&[b"", &FRAME[..9], &[&FRAME[9..], &[0; 7]].concat()]));
    assert_eq!(rules(encapsulated(&[b"", &[FRAME, b"hidden"].concat()])), ["bytes-behind-coded-image"]);
    assert_eq!(rules(encapsulated(&[b"", FRAME, b"\x7fELF hidden"])), ["bytes-behind-coded-image"]);
    assert_eq!(rules(encapsulated(&[b"", b"no image at all"])), ["fragment-without-image"]);
    assert_eq!(checked("a.dcm", encapsulated(&[b"", &FRAME[..14]])).verdict, Verdict::Unfinished);
}

#[test]
fn frames_are_read_as_what_they_are() {
    // Marked as JPEG, compressed as JPEG 2000.
    let codestream = b"\xff\x4f\xff\x51\x00\x04ab\xff\x90\x00\x0a\0\0\0\0\0\x0e\0\x01\xff\x93\xff\xd9";
    is_just_data(encapsulated(&[b"", codestream]));
    assert_eq!(rules(encapsulated(&[b"", &[&codestream[..], b"hidden"].concat()])), ["bytes-behind-coded-image"]);
    let deflated = |content: &[u8], tail: &[u8]| {
        let frame = [compress_to_vec(content, 6), tail.to_vec()].concat();
        let frames = [item(0xFFFE_E000, 0, b""), item(0xFFFE_E000, frame.len() as u32, &frame)].concat();
        let data_set = [about(), head(0x7FE0_0010, "OB", u32::MAX), frames, item(0xFFFE_E0DD, 0, b"")].concat();
        file("1.2.840.10008.1.2.8.1", b"", &data_set)
    };
    let report = is_just_data(deflated(&[7; 8], b""));
    assert_eq!((report.layers[1].name.as_str(), report.layers[1].len), ("frame", 8));
    assert_eq!(rules(deflated(&[7; 8], b"left over")), ["bytes-behind-coded-image"]);
}

#[test]
fn ciphertext_is_unfinished() {
    let content = element(0x0400_0520, "OB", [9; 40]);
    let item = item(0xFFFE_E000, content.len() as u32, &content);
    let report = checked("a.dcm", file(EXPLICIT, b"", &[about(), element(0x0400_0500, "SQ", item)].concat()));
    assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "encrypted"));
}

#[test]
fn an_offset_table_holds_offsets() {
    for table in [&b"twelve bytes"[..], b"odd", b"\0\0\0\0\x10\0\0\0\x17\0\0\0"] {
        assert_eq!(rules(encapsulated(&[table, FRAME, FRAME])), ["offset-table-without-offsets"]);
    }
}

#[test]
fn addresses_are_reported_wherever_they_stand() {
    let address = element(0x0008_1190, "UR", "https://pacs.example/studies/1");
    assert_eq!(rules(image(&[])), [""; 0]);
    let report = checked("a.dcm", file(EXPLICIT, b"", &[address.clone(), about()].concat()));
    assert!(rules_of(&report).contains(&"address-to-retrieve"));
    let finding = report.findings.iter().find(|finding| finding.rule == "address-to-retrieve").unwrap();
    assert!(finding.message.contains("pacs.example"), "{}", finding.message);
    let nested = element(0x0040_A730, "SQ", item(0xFFFE_E000, address.len() as u32, &address));
    assert_eq!(rules(image(&nested)), ["address-to-retrieve"]);
    // A sequence under the VR UN, with an end that its length makes needless.
    let url = b"https://pacs.example/studies/1";
    let implicit = [&head(0x0008_1190, "", 0)[..4], &(url.len() as u32).to_le_bytes()[..], url].concat();
    let items = [item(0xFFFE_E000, implicit.len() as u32, &implicit), item(0xFFFE_E0DD, 0, b"")].concat();
    assert_eq!(rules(image(&element(0x0009_1001, "UN", items))), ["address-to-retrieve"]);
    assert_eq!(rules(image(&element(0x0040_E010, "UR", "\\\\server\\share\\x"))), ["address-to-retrieve"]);
    // Identifiers that look like addresses, and the words of a comment.
    let names = [
        element(0x0008_010E, "UR", "http://snomed.info/sct"),
        element(0x0008_0120, "UR", "urn:oid:1.2.3"),
        element(0x0008_1030, "LO", "see http://example.org"),
    ]
    .concat();
    is_just_data(file(EXPLICIT, b"", &names));
}

#[test]
fn pixels_from_a_server_are_danger() {
    let url = element(0x0028_7FE0, "UR", "http://jpip.example/p?target=1");
    let report = checked("a.dcm", file(JPIP, b"", &[about(), url].concat()));
    assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["pixels-from-server"]));
    assert!(report.findings[0].message.contains("jpip.example"));
    assert_eq!(checked("a.dcm", file(JPIP, b"", &about())).verdict, Verdict::Unfinished);
    is_just_data(file(EXPLICIT, b"", &[about(), element(0x0028_7FE0, "UR", "")].concat()));
}

#[test]
fn text_that_runs_is_found() {
    let comment = |text: &str| image(&element(0x0029_4000, "UT", text));
    assert_eq!(rules(comment("#!/usr/bin/perl\nprint 1;\n")), ["program-text-in-value"]);
    assert_eq!(rules(comment("import os\nos.system('x')\n")), ["program-text-in-value"]);
    assert_eq!(rules(comment("ok <img src=x onerror=\"f()\">")), ["active-markup-in-text"]);
    assert_eq!(rules(comment("=cmd|'/C calc'!A0")), ["formula-in-text"]);
    for text in ["<b>normal</b>", "=Yamada^Tarou", "-3.5", "please import os and print it (twice)", "a < b, c > d"] {
        is_just_data(comment(text));
    }
    // A value of bytes that starts as a script does.
    assert_eq!(
        rules(image(&element(0x0028_3006, "OW", "#!/bin/sh\nexit 0\n"))),
        ["script-hidden", "program-text-in-value"]
    );
}

#[test]
fn a_directory_names_files_below_it() {
    let record = |name: &str| file(EXPLICIT, b"", &element(0x0004_1500, "CS", name));
    is_just_data(record("IMAGES\\SERIES01\\IM000001"));
    for name in ["..\\..\\ETC\\PASSWD", "\\\\SERVER\\SHARE\\X", "A/../B", "C:\\X", "A\\..\\B"] {
        assert_eq!(rules(record(name)), ["file-id-leaves-folder"], "{name}");
    }
}

#[test]
fn a_document_is_what_it_is_called() {
    let document = |kind: &str, bytes: &[u8]| {
        image(&[element(0x0042_0011, "OB", bytes), element(0x0042_0012, "LO", kind)].concat())
    };
    let report = is_just_data(document("text/plain", b"A plain letter."));
    assert_eq!((report.layers[1].name.as_str(), report.layers[1].len), ("document.txt", 15));
    assert!(rules(document("application/pdf", b"MZ and no document")).contains(&"document-type-lies".to_string()));
    assert!(rules(document("text/xml", b"plain words")).contains(&"document-type-lies".to_string()));
    // The header of a document may stand behind other bytes, and here it stands near the start of the image.
    let page = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n\
        xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000058 00000 n \ntrailer\n<< /Size 3 /Root 1 0 R >>\n\
        startxref\n110\n%%EOF\n";
    assert!(!rules(document("application/pdf", page)).contains(&"two-formats".to_string()));
    // A length of its own leaves out what follows.
    let tail = [
        element(0x0042_0011, "OB", b"A letter. and more"),
        element(0x0042_0012, "LO", "text/plain"),
        element(0x0042_0015, "UL", 9u32.to_le_bytes()),
    ];
    assert_eq!(rules(image(&tail.concat())), ["unexplained-bytes"]);
}

#[test]
fn the_same_element_twice_is_found() {
    let name = element(0x0010_0010, "PN", "Doe^John");
    assert_eq!(rules(file(EXPLICIT, b"", &[about(), name, pixels()].concat())), ["duplicate-element"]);
    // Some old writers do not sort.
    let late = element(0x0008_0060, "CS", "OT");
    let report = is_just_data(file(EXPLICIT, b"", &[about(), late, pixels()].concat()));
    assert_eq!(report.findings[0].rule, "elements-out-of-order");
}

#[test]
fn meta_information_stands_once_and_first() {
    let again = element(0x0002_0010, "UI", EXPLICIT);
    assert_eq!(rules(file(EXPLICIT, b"", &[about(), again].concat())), ["meta-information-in-data-set"]);
    // A length that leads elsewhere: with the same encoding on both sides nothing is hidden.
    let mut lies = image(b"");
    lies[140] -= 6;
    assert_eq!(checked("a.dcm", lies).verdict, Verdict::Unfinished);
    let implicit = [&b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100\x08\0\x60\0\x02\0\0\0CT\x10\0\x20\0\x02\0\0\0A1"[..]].concat();
    let mut lies = file(IMPLICIT, b"", &implicit);
    lies[140] += 18;
    assert_eq!(rules(lies), ["dicom-meta-length-lies"]);
}

#[test]
fn private_values_are_looked_into() {
    let packed =
        [&b"\x1f\x8b\x08\0\0\0\0\0\0\xff"[..], &compress_to_vec(b"a text that is long enough to count", 6)].concat();
    let report = checked("a.dcm", image(&element(0x0029_1010, "OB", packed)));
    assert_eq!(report.layers[1].formats, ["gzip"]);
    is_just_data(image(&element(0x0029_1010, "OB", [&b"SV10\x04\x03\x02\x01"[..], &[9; 50]].concat())));
    is_just_data(image(&element(0x0029_1010, "UN", "plain words of a vendor, longer than thirty-two bytes")));
}

#[test]
fn a_value_representation_that_is_missing_is_no_guess() {
    let careless = b"\x28\0\x20\x01  \x02\0\0\0";
    assert_eq!(
        checked("a.dcm", file(EXPLICIT, b"", &[about(), careless.to_vec()].concat())).verdict,
        Verdict::Unfinished
    );
    // An element without one among those that have one.
    let implicit = b"\x29\0\x10\0\x04\0\0\0ab12";
    let report = is_just_data(image(implicit));
    assert_eq!(report.findings[0].rule, "dicom-encoding-differs");
}

/// Zeros behind a few bytes, and a count of what was read.
struct Sparse {
    start: Vec<u8>,
    len: u64,
    read: Cell<u64>,
}

impl Source for Sparse {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> std::io::Result<usize> {
        let count = (self.len - at).min(into.len() as u64) as usize;
        into[..count].fill(0);
        self.start.read_at(at, into)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

#[test]
fn pixels_are_not_read_to_know_the_structure() {
    let len = 60_000u64 * 60_000;
    let data_set = [us(0x0028_0010, 60_000), us(0x0028_0011, 60_000), us(0x0028_0100, 8)].concat();
    let start = file(EXPLICIT, b"", &[data_set, head(0x7FE0_0010, "OW", len as u32)].concat());
    let source = Rc::new(Sparse { len: start.len() as u64 + len, start, read: Cell::new(0) });
    let report = structure("a.dcm", source.clone(), Budget::new(Limits::default(), Rc::new(Quiet)));
    assert!(source.read.get() < 1 << 20, "{} bytes were read", source.read.get());
    assert_eq!((report.layers[0].coverage.opaque, report.layers[0].stops.len()), (len, 0));
}

#[test]
fn an_image_in_room_for_anything_is_found() {
    let report = checked("a.dcm", [image(b""), element(0xFFFC_FFFC, "OB", image(b""))].concat());
    assert!(rules_of(&report).contains(&"file-hidden"), "{report:#?}");
}

#[test]
fn damage_is_unfinished() {
    let mut long = image(b"");
    let at = long.len() - 12;
    long[at..at + 4].copy_from_slice(&0x7fff_fff0u32.to_le_bytes());
    assert_eq!(checked("a.dcm", long).verdict, Verdict::Unfinished);
}

#[test]
fn cuts_are_never_whole() {
    let inner = element(0x0008_0100, "SH", "T-1");
    let sequence = [
        head(0x0008_1140, "SQ", u32::MAX),
        item(0xFFFE_E000, u32::MAX, &inner),
        item(0xFFFE_E00D, 0, b""),
        item(0xFFFE_E0DD, 0, b""),
    ]
    .concat();
    let first = element(0x0008_0005, "CS", "ISO_IR 100");
    let whole = file(EXPLICIT, b"", &[first.clone(), sequence.clone(), pixels()].concat());
    // A data set may end behind any element of its outermost level.
    let data_set = whole.len() - [first.clone(), sequence.clone(), pixels()].concat().len();
    let ends = [data_set, data_set + first.len(), data_set + first.len() + sequence.len(), whole.len()];
    for len in 0..=whole.len() {
        let report = checked("a.dcm", &whole[..len]);
        let is_end = ends.contains(&len);
        assert!(len < 132 || is_end || len < data_set || report.verdict != Verdict::JustData, "{len}: {report:#?}");
        assert!(!is_end || report.verdict == Verdict::JustData, "{len}: {report:#?}");
    }
    let frames = encapsulated(&[b"", FRAME, FRAME]);
    for len in 0..frames.len() {
        checked("a.dcm", &frames[..len]);
    }
}
