//! Hiding places of DICOM files, each once with something in it and once as honest writers leave it. The table of all
//! formats is `tests/vectors.rs`.

use miniz_oxide::deflate::compress_to_vec;

use super::tests::{
    BIG, DEFLATED, EXPLICIT, FRAME, IMPLICIT, JPIP, about, element, encapsulated, file, head, image, item, pixels, us,
};
use crate::{
    check::tests::{checked, told},
    report::Verdict,
};

/// The smallest program that Linux starts: a header and a table of one segment.
fn program() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(132, 0);
    elf[16..20].copy_from_slice(&[2, 0, 62, 0]);
    elf[20] = 1;
    elf[24..28].copy_from_slice(&0x0040_0078u32.to_le_bytes());
    elf[32] = 64;
    elf[52..58].copy_from_slice(&[64, 0, 56, 0, 1, 0]);
    elf[64..72].copy_from_slice(&[1, 0, 0, 0, 5, 0, 0, 0]);
    elf[80..84].copy_from_slice(&0x0040_0000u32.to_le_bytes());
    elf[96] = 132;
    elf[104] = 132;
    elf[113] = 16;
    elf
}

const PICKLE: &[u8] = b"\x80\x04\x95\x1c\0\0\0\0\0\0\0\x8c\x02os\x8c\x06system\x93\x8c\x04echo\x85R.";

const SCRIPT: &str = "#!/bin/sh\nexit 0\n";

fn headed(preamble: &[u8]) -> Vec<u8> {
    file(EXPLICIT, preamble, &[about(), pixels()].concat())
}

/// The image with more meta information.
fn with_meta(more: &[u8]) -> Vec<u8> {
    let mut bytes = image(b"");
    let len = u32::from_le_bytes(bytes[140..144].try_into().unwrap());
    let end = 144 + len as usize;
    bytes.splice(end..end, more.iter().copied());
    bytes[140..144].copy_from_slice(&(len + more.len() as u32).to_le_bytes());
    bytes
}

fn sequence(tag: u32, content: &[u8]) -> Vec<u8> {
    element(tag, "SQ", item(0xFFFE_E000, content.len() as u32, content))
}

#[test]
fn dcm_01_a_program_in_the_preamble() {
    told("a.dcm", headed(&program()[..128]), "executable-in-preamble", headed(b"II*\0\x54\x18\x08\0"));
    told("b.dcm", headed(b"\xca\xfe\xba\xbe\0\0\0\x37\0\x10\x01\0"), "executable-in-preamble", headed(b"R_1F7A00"));
    let mach_o = b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x02\0\0\0\x01\0\0\0\x48\0\0\0";
    told("c.dcm", headed(mach_o), "executable-in-preamble", headed(b"\x5c\x01\0\0"));
    told("d.dcm", headed(b"MZ"), "program-mark-in-preamble", headed(b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10"));
}

#[test]
fn dcm_02_a_script_in_the_preamble() {
    told("a.dcm", headed(b"@echo off\r\ncalc\r\n"), "script-in-preamble", headed(b"Echo planar, version (2.1)"));
    for text in [
        "<html><script>x()</script>",
        "<?php phpinfo();",
        "On Error Resume Next\r\nSet s=CreateObject(\"WScript.Shell\")\r\n",
        "import os;os.system('id')\n",
        "start calc\r\nexit\r\n",
        "cmd /c calc & rem ",
        ":;exec sh -c id",
    ] {
        told("b.dcm", headed(text.as_bytes()), "script-in-preamble", headed(b"PMOD <1.2> (c) 2001"));
    }
}

#[test]
fn dcm_03_another_format_from_the_preamble_on() {
    let document =
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n";
    // The document of an image stands where the image says, behind the first thousand bytes.
    let comment = element(0x0020_4000, "LT", "c".repeat(1200));
    let letter = [comment, element(0x0042_0011, "OB", "A plain letter."), element(0x0042_0012, "LO", "text/plain")];
    let evil = [headed(b"\n%PDF-1.4\n0 0 obj\n<<>>stream\n"), document[9..].to_vec()].concat();
    told("a.dcm", evil, "file-mark-in-preamble", image(&letter.concat()));
    for mark in [&b"PK\x03\x04"[..], b"\xff\xd8\xff\xe0", b"GIF89a", b"SQLite format 3\0", b"\xfd7zXZ\0"] {
        told("b.dcm", headed(mark), "file-mark-in-preamble", image(b""));
    }
}

#[test]
fn dcm_04_an_unknown_preamble_is_a_note() {
    let random: Vec<u8> = (0..128u32).map(|n| (n.wrapping_mul(0x9E37_79B9) >> 13) as u8 | 1).collect();
    told("a.dcm", headed(&random), "preamble-unexplained", headed(&[0, 0, 3, 0, 9]));
}

#[test]
fn dcm_05_bytes_behind_the_last_element() {
    let behind = |tail: &[u8]| [image(b""), tail.to_vec()].concat();
    told("a.dcm", behind(b"hidden"), "unexplained-bytes", behind(b" "));
    told("b.dcm", behind(&[&[0; 512][..], b"hidden"].concat()), "unexplained-bytes", behind(&[0; 512]));
}

#[test]
fn dcm_06_trailing_padding() {
    let padded = |value: &[u8]| [image(b""), element(0xFFFC_FFFC, "OB", value)].concat();
    told("a.dcm", padded(&[&[0; 40][..], b"hidden"].concat()), "padding-with-content", padded(&[0; 46]));
}

#[test]
fn dcm_07_private_values() {
    let vendor =
        |vr: &str, value: &[u8]| image(&[element(0x0029_0010, "LO", "ACME"), element(0x0029_1010, vr, value)].concat());
    let csa = [&b"SV10\x04\x03\x02\x01"[..], &[9; 50]].concat();
    told("a.dcm", vendor("OB", &program()), "program-inside", vendor("OB", &csa));
    told("b.dcm", vendor("UN", PICKLE), "pickle-runs-code", vendor("UN", b"plain words\nof a vendor, in two lines"));
    told("c.dcm", vendor("UN", b"cos\nsystem\n(S'echo'\ntR."), "pickle-runs-code", vendor("UN", b"cos\nsin\n"));
    told("d.dcm", vendor("UT", SCRIPT.as_bytes()), "program-text-in-value", vendor("UT", b"# 1 / 2"));
    // A value in pieces is looked at as one.
    let pieces = |value: &[u8]| {
        let (first, second) = value.split_at(value.len() / 4 * 2);
        let pieces = [
            head(0x0029_1010, "OB", u32::MAX),
            item(0xFFFE_E000, 0, b""),
            item(0xFFFE_E000, first.len() as u32, first),
            item(0xFFFE_E000, second.len() as u32, second),
            item(0xFFFE_E0DD, 0, b""),
        ];
        image(&pieces.concat())
    };
    told("e.dcm", pieces(&program()), "program-inside", pieces(&csa));
}

#[test]
fn dcm_08_a_document_inside() {
    let document = |kind: &str, bytes: &[u8]| {
        image(&[element(0x0042_0011, "OB", bytes), element(0x0042_0012, "LO", kind)].concat())
    };
    let letter = |style: &str| {
        format!(
            "<?xml version=\"1.0\"?>{style}<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><title>x</title></ClinicalDocument>"
        )
    };
    let styled = letter("<?xml-stylesheet type=\"text/xsl\" href=\"http://192.0.2.1/a.xsl\"?>");
    let plain = letter("<?xml-stylesheet type=\"text/xsl\" href=\"CDA.xsl\"?>");
    told(
        "a.dcm",
        document("text/XML", styled.as_bytes()),
        "xml-stylesheet-leaves-folder",
        document("text/XML", plain.as_bytes()),
    );
    let mesh = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n";
    let runs = format!("{mesh}csh touch x\n");
    told("b.dcm", document("model/obj", runs.as_bytes()), "obj-runs-command", document("model/obj", mesh.as_bytes()));
    let mut facet = [0u8; 134];
    facet[80] = 1;
    facet[84 + 8..84 + 12].copy_from_slice(&1f32.to_le_bytes());
    let tail = [&facet[..], b"hidden"].concat();
    told("c.dcm", document("model/stl", &tail), "unexplained-bytes", document("model/stl", &facet));
}

#[test]
fn dcm_09_more_than_the_pixels() {
    let image = |surplus: &[u8]| {
        let value = [&b"1234567"[..], surplus].concat();
        let about = [us(0x0028_0010, 1), us(0x0028_0011, 7), us(0x0028_0100, 8)].concat();
        file(EXPLICIT, b"", &[about, element(0x7FE0_0010, "OB", value)].concat())
    };
    told("a.dcm", image(b"!hidden"), "value-behind-samples", image(b"!"));
    // Rows and columns may stand behind the pixels.
    let late = |value: &[u8]| {
        let about = [us(0x0028_0010, 2), us(0x0028_0011, 4), us(0x0028_0100, 8)].concat();
        file(EXPLICIT, b"", &[element(0x0008_0060, "CS", "OT"), element(0x7FE0_0010, "OB", value), about].concat())
    };
    told("b.dcm", late(b"12345678hidden"), "value-behind-samples", late(b"12345678"));
}

#[test]
fn dcm_10_bytes_behind_a_compressed_frame() {
    let hidden = [FRAME, b"hidden"].concat();
    told("a.dcm", encapsulated(&[b"", &hidden]), "bytes-behind-coded-image", encapsulated(&[b"", FRAME]));
    let table = |second: u32, third: u32| {
        let table = [0u32, second, third].map(u32::to_le_bytes).concat();
        encapsulated(&[&table, FRAME, FRAME, FRAME])
    };
    told("b.dcm", table(48, 24), "offset-table-without-offsets", table(24, 48));
}

#[test]
fn dcm_11_more_than_the_overlay() {
    let overlay = |value: &[u8]| {
        let plane = [us(0x6000_0010, 4), us(0x6000_0011, 16), us(0x6000_0100, 1)].concat();
        image(&[plane, element(0x6000_3000, "OW", value)].concat())
    };
    told("a.dcm", overlay(b"12345678hidden"), "value-behind-samples", overlay(b"12345678"));
}

#[test]
fn dcm_12_addresses() {
    let nested = |element: Vec<u8>| image(&sequence(0x0040_A730, &sequence(0x0008_1199, &element)));
    let retrieve = element(0x0008_1190, "UR", "https://192.0.2.1/studies/1");
    let scheme = element(0x0008_010E, "UR", "http://snomed.info/sct");
    told("a.dcm", nested(retrieve), "address-to-retrieve", nested(scheme));
    let implicit =
        |tag: u32, value: &[u8]| [&head(tag, "", 0)[..4], &(value.len() as u32).to_le_bytes()[..], value].concat();
    let plain = [implicit(0x0008_0005, b"ISO_IR 100"), implicit(0x0008_0060, b"CT")].concat();
    let addressed = [plain.clone(), implicit(0x0040_E010, b"http://192.0.2.1/x")].concat();
    told("b.dcm", file(IMPLICIT, b"", &addressed), "address-to-retrieve", file(IMPLICIT, b"", &plain));
    let big = b"\0\x08\0\x05CS\0\x0aISO_IR 100\0\x08\0\x60CS\0\x02CT".to_vec();
    let addressed = [&big[..], b"\0\x40\xe0\x10UR\0\0\0\0\0\x12http://192.0.2.1/x"].concat();
    told("c.dcm", file(BIG, b"", &addressed), "address-to-retrieve", file(BIG, b"", &big));
}

#[test]
fn dcm_13_pixels_at_an_address() {
    let address = |value: &str| [about(), element(0x0028_7FE0, "UR", value)].concat();
    let remote = address("http://192.0.2.1/p?target=1");
    told("a.dcm", file(JPIP, b"", &remote), "pixels-from-server", file(EXPLICIT, b"", &address("")));
    let deflated = file("1.2.840.10008.1.2.4.95", b"", &compress_to_vec(&remote, 6));
    told("b.dcm", deflated, "pixels-from-server", file(DEFLATED, b"", &compress_to_vec(&address(""), 6)));
}

#[test]
fn dcm_14_texts_that_run() {
    let comment = |text: &str| image(&element(0x0029_4000, "LT", text));
    told("a.dcm", comment("<script>f()</script>"), "active-markup-in-text", comment("T1 <-> T2, a < b"));
    told("b.dcm", comment("-2+3+cmd|'/C calc'!A0"), "formula-in-text", comment("-3"));
    told("c.dcm", comment("=HYPERLINK(\"http://192.0.2.1/\")"), "formula-in-text", comment("=Yamada^Tarou"));
    told("d.dcm", comment("<img src='http://192.0.2.1/a.png'>"), "rich-text-loads-from-server", comment("<b>x</b>"));
}

#[test]
fn dcm_15_private_information_of_the_file() {
    let vendor =
        |value: &[u8]| with_meta(&[element(0x0002_0100, "UI", "1.2.3"), element(0x0002_0102, "OB", value)].concat());
    told("a.dcm", vendor(&program()), "program-inside", vendor(b"GEMS version 1.2.3 build 99, and more"));
    told("b.dcm", vendor(b"<script>f()</script>"), "active-markup-in-text", vendor(&[1, 2, 3, 4]));
}

#[test]
fn dcm_16_a_color_profile() {
    let profile = |size: u32, signature: &[u8]| {
        let mut profile = size.to_be_bytes().to_vec();
        profile.resize(36, 0);
        profile.extend(signature);
        profile.resize(140, 1);
        image(&element(0x0028_2000, "OB", profile))
    };
    told("a.dcm", profile(130, b"acsp"), "icc-profile-without-header", profile(140, b"acsp"));
    told("b.dcm", profile(9999, b"acsp"), "icc-profile-without-header", profile(139, b"acsp"));
    told("c.dcm", profile(140, b"none"), "icc-profile-without-header", profile(140, b"acsp"));
}

#[test]
fn dcm_17_behind_a_deflated_data_set() {
    let packed = compress_to_vec(&[about(), pixels()].concat(), 6);
    let with = |tail: &[u8]| file(DEFLATED, b"", &[&packed[..], tail].concat());
    told("a.dcm", with(b"hidden"), "unexplained-bytes", with(b"\0"));
}

#[test]
fn dcm_18_damage_is_no_finding() {
    // Longer than the file; the same element whole.
    let mut long = image(b"");
    let at = long.len() - 12;
    long[at..at + 4].copy_from_slice(&0x7fff_fff0u32.to_le_bytes());
    let report = checked("a.dcm", long);
    assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "malformed"));
    assert_eq!(checked("a.dcm", image(b"")).verdict, Verdict::JustData);
}

#[test]
fn dcm_19_an_element_twice() {
    let series = |tag: u32| {
        let inner = [element(0x0040_A160, "UT", "a"), element(tag, "UT", "b")].concat();
        image(&sequence(0x0040_A730, &inner))
    };
    told("a.dcm", series(0x0040_A160), "duplicate-element", series(0x0040_A162));
    let late = file(EXPLICIT, b"", &[about(), element(0x0008_0060, "CS", "OT"), pixels()].concat());
    told("b.dcm", [image(b""), pixels()].concat(), "duplicate-element", late);
}

#[test]
fn dcm_20_more_than_the_waveform() {
    let waveform = |value: &[u8]| {
        let about = [us(0x003A_0005, 2), element(0x003A_0010, "UL", 2u32.to_le_bytes()), us(0x5400_1004, 16)].concat();
        image(&sequence(0x5400_0100, &[about, element(0x5400_1010, "OW", value)].concat()))
    };
    told("a.dcm", waveform(b"12345678hidden"), "value-behind-samples", waveform(b"12345678"));
}

#[test]
fn dcm_21_a_program_among_the_pixels() {
    let scan = |row: &[u8]| {
        let mut value = vec![7; 256];
        value[64..64 + row.len()].copy_from_slice(row);
        let about = [us(0x0028_0010, 16), us(0x0028_0011, 16), us(0x0028_0100, 8)].concat();
        file(EXPLICIT, b"", &[element(0x0008_0060, "CS", "OT"), about, element(0x7FE0_0010, "OB", value)].concat())
    };
    told("a.dcm", scan(&program()), "program-in-opaque", scan(b"MZ\x90\0\x03\0\0\0\x04\0\0\0"));
}

#[test]
fn dcm_22_a_directory_that_leaves_its_folder() {
    let record = |tag: u32, name: &str| file(EXPLICIT, b"", &element(tag, "CS", name));
    told("DICOMDIR", record(0x0004_1500, "..\\..\\X"), "file-id-leaves-folder", record(0x0004_1500, "IMAGES\\IM1"));
    told("DICOMDIR", record(0x0004_1141, "/etc/x"), "file-id-leaves-folder", record(0x0004_1141, "README"));
}

#[test]
fn dcm_23_an_image_in_two_formats() {
    // The directory of the other personality stands in a private value; its strip is the pixels.
    let dual = |kind: u16| {
        let data_set = |directory: &[u8]| {
            let private = [element(0x0009_0010, "LO", "DUAL"), element(0x0009_1001, "OB", directory)].concat();
            let about = [us(0x0028_0010, 2), us(0x0028_0011, 4), us(0x0028_0100, 8)].concat();
            [element(0x0008_0060, "CS", "OT"), private, about, pixels()].concat()
        };
        let directory = |strip: u32| {
            let entry = |(tag, value): (u16, u32)| {
                let kind = if tag == 256 { kind } else { 4u16 };
                [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &1u32.to_le_bytes(), &value.to_le_bytes()].concat()
            };
            let entries =
                [(256, 4), (257, 2), (258, 8), (259, 1), (262, 1), (273, strip), (277, 1), (278, 2), (279, 8)];
            [9u16.to_le_bytes().to_vec(), entries.map(entry).concat(), vec![0; 4]].concat()
        };
        let whole = file(EXPLICIT, b"", &data_set(&directory(0)));
        let at = whole.windows(4).position(|four| four == [9, 0, 0, 1]).unwrap() as u32;
        let directory = directory(whole.len() as u32 - 8);
        file(EXPLICIT, &[&b"II*\0"[..], &at.to_le_bytes()].concat(), &data_set(&directory))
    };
    let report = checked("a.dcm", dual(4));
    assert_eq!(
        (report.verdict, &report.layers[0].formats[..]),
        (Verdict::JustData, &["dicom".into(), "tiff".into()][..])
    );
}

#[test]
fn dcm_24_no_dicom_under_its_name() {
    let old = [element(0x0008_0005, "CS", "ISO_IR 100"), us(0x0028_0010, 2)].concat();
    told("a.dcm", b"{\"a\": [1, 2]}".to_vec(), "name-lies", old.clone());
    told("b.dcm", program(), "program", old);
}

#[test]
fn dcm_25_a_scene_in_a_data_bundle() {
    let scene = |state: u32| {
        format!(
            "<MRML><IGTLConnector connectorType=\"SERVER\" serverPort=\"18944\" persistent=\"1\" state=\"{state}\"/></MRML>"
        )
    };
    let bundle = |name: &str, state: u32, vr: &str| {
        let archive = crate::formats::zip::sample::archive(&[(name, scene(state).as_bytes())]);
        let len = archive.len();
        let len = if vr == "LO" { len.to_string().into_bytes() } else { (len as u32).to_le_bytes().to_vec() };
        let bundle =
            [element(0xCADB_0010, "LO", "x"), element(0xCADB_1008, vr, len), element(0xCADB_1010, "OB", archive)];
        [image(b""), bundle.concat()].concat()
    };
    told("a.dcm", bundle("s/s.mrml", 1, "LO"), "mrml-opens-port", bundle("s/s.mrml", 0, "LO"));
    told("b.dcm", bundle("s/s.mrml", 2, "UL"), "mrml-opens-port", bundle("s/s.mrml", 0, "UL"));
    told("c.dcm", bundle("../s.mrml", 0, "LO"), "name-leaves-folder", bundle("t/s.mrml", 0, "LO"));
}
