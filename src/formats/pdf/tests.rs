//! Documents that were made for the tests, and what is said of them.

use crate::{
    check::tests::{checked, rules_of},
    report::{Report, Verdict},
};

/// A document of these objects, numbered from 1, with a table of where they are. The first one is the catalog.
fn document(objects: &[&str]) -> Vec<u8> {
    let objects: Vec<(usize, String)> = (1..).zip(objects.iter().map(|object| object.to_string())).collect();
    revision(b"%PDF-1.7\n".to_vec(), &objects, "")
}

/// `before` and a revision with these objects.
fn revision(before: Vec<u8>, objects: &[(usize, String)], trailer: &str) -> Vec<u8> {
    let mut bytes = before;
    let mut rows = String::new();
    for (number, object) in objects {
        rows.push_str(&format!("{number} 1\n{:010} 00000 n \n", bytes.len()));
        bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let table = bytes.len();
    let trailer = format!("trailer\n<< /Size 99 /Root 1 0 R {trailer} >>\nstartxref\n{table}\n%%EOF\n");
    bytes.extend(format!("xref\n0 1\n0000000000 65535 f \n{rows}{trailer}").bytes());
    bytes
}

fn report(objects: &[&str]) -> Report {
    checked("a.pdf", document(objects))
}

/// A catalog with pages and further entries.
fn catalog(entries: &str) -> String {
    format!("<< /Type /Catalog /Pages 2 0 R {entries} >>")
}

const PAGES: &str = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
const PAGE: &str = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>";

fn with_catalog(entries: &str, further: &[&str]) -> Report {
    let catalog = catalog(entries);
    report(&[&[catalog.as_str(), PAGES, PAGE], further].concat())
}

fn with_page(entries: &str, further: &[&str]) -> Report {
    let page = format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] {entries} >>");
    report(&[&[catalog("").as_str(), PAGES, page.as_str()], further].concat())
}

fn stream(entries: &str, data: &str) -> String {
    format!("<< /Length {} {entries} >>\nstream\n{data}\nendstream", data.len())
}

fn assert_plain(report: &Report) {
    assert_eq!((report.verdict, rules_of(report)), (Verdict::JustData, vec![]), "{:?}", report.layers[0].stops);
    assert_eq!(report.layers[0].coverage.unexplained, 0);
}

#[test]
fn a_plain_document_is_data() {
    let content = stream("", "BT (text) Tj ET");
    assert_plain(&with_page("/Contents 4 0 R", &[&content]));
    assert_plain(&with_catalog("/OpenAction [3 0 R /Fit]", &[]));
    assert_plain(&with_catalog("/OpenAction << /S /GoTo /D [3 0 R /Fit] >>", &[]));
    assert_plain(&with_catalog("/OpenAction << /S /Named /N /FirstPage >>", &[]));
    // What is said about scripts is no script.
    assert_plain(&with_catalog("/Lang (/S /JavaScript /JS \\(app.alert\\(1\\)\\))", &[]));
    // A reference to nothing leads to nothing.
    assert_plain(&with_catalog("/Names << /JavaScript 9 0 R >> /OpenAction << /S /JavaScript /JS 8 0 R >>", &[]));
    assert_plain(&with_catalog("/OpenAction << /S /JavaScript /JS ( ) >>", &[]));
}

#[test]
fn scripts_on_open_are_found() {
    let script = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>";
    let stored = stream("", "app.alert(1)");
    for (entries, further) in [
        (format!("/OpenAction {script}"), vec![]),
        ("/OpenAction 4 0 R".to_string(), vec![script]),
        ("/Open#41ction << /S /J#61vaScript /J#53 <6170702E616C657274283129> >>".to_string(), vec![]),
        ("/OpenAction << /S /GoTo /D [3 0 R] /Next [ << /S /Named /N /Print >> 4 0 R ] >>".to_string(), vec![script]),
        (
            "/Names << /JavaScript << /Kids [4 0 R] >> >>".to_string(),
            vec!["<< /Limits [(a) (a)] /Names [(a) 5 0 R] >>", script],
        ),
        ("/OpenAction << /S /JavaScript /JS 4 0 R >>".to_string(), vec![stored.as_str()]),
        // A key that stands twice: one program takes the first, another the last.
        (format!("/OpenAction {script} /OpenAction [3 0 R /Fit]"), vec![]),
    ] {
        let report = with_catalog(&entries, &further);
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["pdf-script-on-open"]), "{entries}");
        assert!(report.findings[0].message.contains("“app.alert(1)”"), "{}", report.findings[0].message);
    }
    let report = with_page(&format!("/AA << /O {script} >>"), &[]);
    assert_eq!(rules_of(&report), ["pdf-script-on-open"]);
}

#[test]
fn scripts_wait_for_their_events() {
    let script = "<< /S /JavaScript /JS (f\\(\\)) >>";
    assert_eq!(rules_of(&with_catalog(&format!("/AA << /WP {script} >>"), &[])), ["pdf-script-on-event"]);
    assert_eq!(rules_of(&with_page(&format!("/AA << /C {script} >>"), &[])), ["pdf-script-on-event"]);
    let field = format!("<< /FT /Tx /Subtype /Widget /AA << /F {script} /C {script} >> >>");
    let report = with_catalog("/AcroForm << /Fields [4 0 R] >>", &[&field]);
    assert_eq!((report.verdict, rules_of(&report)[0]), (Verdict::Caution, "pdf-script-on-use"));
    let link = format!("<< /Subtype /Link /A {script} >>");
    assert_eq!(rules_of(&with_page("/Annots [4 0 R]", &[&link])), ["pdf-script-on-use"]);
    assert_eq!(rules_of(&with_catalog("", &[script])), ["pdf-script-unused"]);
}

#[test]
fn scripts_in_object_streams_are_found() {
    let inside = stream("/Type /ObjStm /N 1 /First 4", "5 0 << /S /JavaScript /JS (f\\(\\)) >>");
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut rows = vec![vec![0, 0, 0, 0]];
    for (number, object) in (1..).zip([catalog("/OpenAction 5 0 R"), PAGES.into(), PAGE.into(), inside]) {
        rows.push(vec![1, (bytes.len() >> 8) as u8, bytes.len() as u8, 0]);
        bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    rows.push(vec![2, 0, 4, 0]);
    let at = bytes.len();
    rows.push(vec![1, (at >> 8) as u8, at as u8, 0]);
    let digits: String = rows.concat().iter().map(|byte| format!("{byte:02x}")).collect();
    let table = stream("/Type /XRef /Size 7 /W [1 2 1] /Root 1 0 R /Filter /ASCIIHexDecode", &format!("{digits}>"));
    bytes.extend(format!("6 0 obj\n{table}\nendobj\nstartxref\n{at}\n%%EOF\n").bytes());
    let report = checked("a.pdf", bytes);
    assert_eq!(report.layers[0].stops, []);
    assert_eq!(rules_of(&report), ["pdf-script-on-open"]);
    assert_eq!(report.layers[0].coverage.unexplained, 0);
}

#[test]
fn programs_and_addresses_are_told_by_their_trigger() {
    let launch = "<< /S /Launch /Win << /F (cmd.exe) >> >>";
    assert_eq!(rules_of(&with_catalog(&format!("/OpenAction {launch}"), &[])), ["pdf-starts-program-on-open"]);
    let link = |action: &str| with_page(&format!("/Annots [ << /Subtype /Link /A {action} >> ]"), &[]);
    assert_eq!(rules_of(&link(launch)), ["pdf-starts-program"]);

    let address = "<< /S /URI /URI (https://example.org/) >>";
    assert_plain(&link(address));
    assert_eq!(rules_of(&with_catalog(&format!("/OpenAction {address}"), &[])), ["pdf-contact-on-open"]);
    assert_eq!(rules_of(&link("<< /S /URI /URI (javascript:f\\(\\)) >>")), ["reference-is-script"]);

    let send = "<< /S /SubmitForm /F << /FS /URL /F (https://example.org/) >> >>";
    assert_eq!(rules_of(&link(send)), ["pdf-form-sent"]);
    assert_eq!(rules_of(&with_page(&format!("/AA << /O {send} >>"), &[])), ["pdf-contact-on-open"]);

    assert_plain(&link("<< /S /GoToR /F (other.pdf) /D [0 /Fit] >>"));
    assert_plain(&with_catalog("/OpenAction << /S /GoToR /F (other.pdf) /D [0 /Fit] >>", &[]));
    let share = "<< /S /GoToR /F (\\\\\\\\host\\\\share\\\\a.pdf) /D [0 /Fit] >>";
    assert_eq!(rules_of(&link(share)), ["reference-to-server"]);
    assert_eq!(rules_of(&with_catalog(&format!("/OpenAction {share}"), &[])), ["pdf-contact-on-open"]);
}

#[test]
fn attachments_are_layers_under_their_names() {
    let file = stream("/Type /EmbeddedFile", "a,b,c\n1,2,3\n");
    let names = "/Names << /EmbeddedFiles << /Names [(a) << /Type /Filespec /F (a.csv) /EF << /F 4 0 R >> >>] >> >>";
    let report = with_catalog(names, &[&file]);
    assert_eq!((report.verdict, rules_of(&report)), (Verdict::Caution, vec!["pdf-file-attached"]));
    assert_eq!(report.layers[1].name, "a.csv");
    // Without a name, and without anything that leads to it.
    assert_eq!(rules_of(&with_catalog("", &[&file])), ["pdf-file-attached"]);
    // A file specification alone attaches nothing.
    assert_plain(&with_catalog("/AF [ << /Type /Filespec /F (a.csv) >> ]", &[]));
}

#[test]
fn programs_in_packed_streams_are_found() {
    let program = crate::formats::elf::sample::program();
    let digits: String = program.iter().map(|byte| format!("{byte:02x}")).collect();
    let report = with_page("/Contents 4 0 R", &[&stream("/Filter /ASCIIHexDecode", &format!("{digits}>"))]);
    assert_eq!(rules_of(&report), ["program-inside"]);
    assert_plain(&with_page("/Contents 4 0 R", &[&stream("/Filter /ASCIIHexDecode", "7f454c46>")]));
    // A page about programming.
    let digits: String = b"BT (<?php echo 1; ?>) Tj ET".iter().map(|byte| format!("{byte:02x}")).collect();
    assert_plain(&with_page("/Contents 4 0 R", &[&stream("/Filter /ASCIIHexDecode", &format!("{digits}>"))]));
}

#[test]
fn content_elsewhere_is_told() {
    let elsewhere = |file: &str| with_page("/Contents 4 0 R", &[&stream(&format!("/F {file}"), "")]);
    assert_eq!(rules_of(&elsewhere("(page.txt)")), ["pdf-content-elsewhere"]);
    assert_eq!(rules_of(&elsewhere("<< /FS /URL /F (http://example.org/x) >>"))[0], "pdf-contact-on-open");
    let page = "/Resources << /XObject << /X << /Subtype /Form /Ref << /F (other.pdf) /Page 0 >> >> >> >>";
    assert_eq!(rules_of(&with_page(page, &[])), ["pdf-content-elsewhere"]);
}

#[test]
fn matrices_of_fonts_are_numbers() {
    let font = |matrix: &str| format!("/Resources << /Font << /F << /Type /Font /FontMatrix {matrix} >> >> >>");
    assert_eq!(rules_of(&with_page(&font("[1 0 0 1 0 (0\\); f\\(\\))]"), &[])), ["pdf-font-matrix-text"]);
    assert_plain(&with_page(&font("[0.001 0 0 0.001 0 0]"), &[]));
}

#[test]
fn players_are_told() {
    let media = "/Annots [ << /Subtype /RichMedia /Rect [0 0 9 9] >> ]";
    assert_eq!(rules_of(&with_page(media, &[])), ["pdf-media-player"]);
    assert_plain(&with_page("/Annots [ << /Subtype /Text /Rect [0 0 9 9] /Contents (RichMedia) >> ]", &[]));
}

#[test]
fn earlier_revisions_are_read() {
    let first = document(&[&catalog("/OpenAction << /S /JavaScript /JS (f\\(\\)) >>"), PAGES, PAGE]);
    let before = crate::formats::pdf::table::Table::read(&crate::bytes::Bytes::of(first.clone()), 0).unwrap();
    let at = before.tables[0].start - 4;
    let bytes = revision(first, &[(1, catalog(""))], &format!("/Prev {at}"));
    let report = checked("a.pdf", bytes);
    assert_eq!((report.verdict, rules_of(&report)), (Verdict::Caution, vec!["pdf-script-unused"]));
    assert_eq!(report.layers[0].stops, []);
}

#[test]
fn objects_in_the_data_of_streams_are_read_where_a_table_leads() {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let hidden = format!("1 0 obj\n{}\nendobj\n", catalog("/OpenAction << /S /JavaScript /JS (f\\(\\)) >>"));
    let mut rows = String::new();
    for (number, object) in (2..).zip([PAGES.to_string(), PAGE.to_string(), stream("", &hidden)]) {
        rows.push_str(&format!("{number} 1\n{:010} 00000 n \n", bytes.len()));
        bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let at = memchr::memmem::find(&bytes, hidden.as_bytes()).unwrap();
    let table = bytes.len();
    bytes.extend(format!("xref\n1 1\n{at:010} 00000 n \n{rows}").bytes());
    bytes.extend(format!("trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes());
    assert_eq!(rules_of(&checked("a.pdf", bytes)), ["pdf-script-on-open"]);
}

#[test]
fn objects_in_comments_are_read_where_a_table_leads() {
    let plain = String::from_utf8(document(&[&catalog(""), PAGES, PAGE])).unwrap();
    // The places stay the same: a line end in front of each object becomes the start of a comment.
    let commented = plain.replace("endobj\n2 0", "endobj%2 0").replace("endobj\n3 0", "endobj%3 0");
    assert_plain(&checked("a.pdf", commented));
}

#[test]
fn damage_is_repaired_and_told() {
    let script = catalog("/OpenAction << /S /JavaScript /JS (f\\(\\)) >>");
    let good = String::from_utf8(document(&[&script, PAGES, PAGE])).unwrap();
    for (what, with) in [("startxref\n", "startxref\n9"), ("xref\n0 1", "xxxx\n0 1"), ("/Root", "/Rxxt"), ("%%EOF", "")]
    {
        let report = checked("a.pdf", good.replacen(what, with, 1));
        assert_eq!(rules_of(&report)[0], "pdf-script-on-open", "{what}");
    }
    let plain = String::from_utf8(document(&[&catalog(""), PAGES, PAGE])).unwrap();
    for (what, with) in [
        ("startxref\n", "startxref\n9"),
        ("xref\n0 1", "xxxx\n0 1"),
        ("/Root", "/Rxxt"),
        ("endobj", ""),
        ("1 0 obj", "7 0 obj"),
    ] {
        let report = checked("a.pdf", plain.replacen(what, with, 1));
        assert_ne!(report.verdict, Verdict::JustData, "{what}");
        assert!(report.layers[0].stops.iter().any(|stop| stop.kind == "malformed"), "{what}");
    }
    let long = document(&[&catalog(""), PAGES, PAGE, "<< /Length 3 >>\nstream\nlonger\nendstream"]);
    assert_eq!(checked("a.pdf", long).verdict, Verdict::Unfinished);
}

#[test]
fn the_smallest_documents_are_read() {
    let direct = "%PDF-1.\ntrailer<</Root<</Pages<<>>/OpenAction<</S/JavaScript/JS(f\\(\\))>>>>>>";
    let report = checked("a.pdf", direct);
    assert_eq!(rules_of(&report), ["pdf-script-on-open"]);
    assert_eq!(report.findings[0].offset, 8);
    let headless = "1 0 obj\n<< /Type /Catalog /OpenAction << /S /JavaScript /JS (f\\(\\)) >> >>\nendobj\n";
    assert_eq!(rules_of(&checked("a.pdf", headless)), ["pdf-script-on-open"]);
}

#[test]
fn encrypted_documents_are_walked_and_unfinished() {
    let encrypt = |catalog: &str| {
        let objects = [(1, catalog.to_string()), (2, PAGES.to_string()), (3, PAGE.to_string()), (4, stream("", "x"))];
        revision(b"%PDF-1.7\n".to_vec(), &objects, "/Encrypt << /Filter /Standard /V 9 >>")
    };
    let report = checked("a.pdf", encrypt(&catalog("")));
    assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "encrypted"));
    let report = checked("a.pdf", encrypt(&catalog("/OpenAction << /S /JavaScript /JS (x) >>")));
    assert_eq!(rules_of(&report), ["pdf-script-on-open"]);
}

#[test]
fn documents_without_a_password_are_decrypted() {
    use md5::{Digest, Md5};

    use crate::source::Cipher;

    // Algorithms 2 and 4 with 40 bits, an owner entry and an identifier of nothing.
    let padding = super::crypt::PADDING;
    let mut key = [0; 16];
    key[..5].copy_from_slice(&Md5::digest([padding.as_slice(), &[0xff; 4]].concat())[..5]);
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let user = hexadecimal(&Cipher::Rc4(key, 5).decrypt(&padding));
    let own = Md5::digest([&key[..5], &[1, 0, 0, 0, 0]].concat());
    let script = hexadecimal(&Cipher::Rc4(own.into(), 10).decrypt(b"app.alert(1)"));
    let encryption = format!("/Encrypt << /Filter /Standard /V 1 /R 2 /O () /U <{user}> /P -1 >>");
    let with = |entries: &str| {
        let objects = [(1, catalog(entries)), (2, PAGES.to_string()), (3, PAGE.to_string())];
        checked("a.pdf", revision(b"%PDF-1.7\n".to_vec(), &objects, &encryption))
    };
    assert_plain(&with(""));
    let report = with(&format!("/OpenAction << /S /JavaScript /JS <{script}> >>"));
    assert_eq!(rules_of(&report), ["pdf-script-on-open"]);
    assert!(report.findings[0].message.contains("“app.alert(1)”"), "{}", report.findings[0].message);
}

#[test]
fn forms_are_layers_of_their_pieces() {
    let head = stream("", "<xdp:xdp xmlns:xdp=\"http://ns.adobe.com/xdp/\"><template><event activity=\"initialize\">");
    let tail = stream("", "<script>f()</script></event></template></xdp:xdp>");
    let report = with_catalog("/AcroForm << /XFA [(preamble) 4 0 R (postamble) 5 0 R] >>", &[&head, &tail]);
    assert_eq!(rules_of(&report), ["xfa-script-on-open"]);
}

#[test]
fn form_data_opens_its_form() {
    let data = |file: &str| {
        format!("%FDF-1.2\n1 0 obj\n<< /FDF << /F ({file}) >> >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n")
    };
    assert_plain(&checked("a.fdf", data("form.pdf")));
    assert_eq!(rules_of(&checked("a.fdf", data("http://example.org/form.pdf"))), ["pdf-contact-on-open"]);
    let script = "%FDF-1.2\n1 0 obj\n<< /FDF << /JavaScript << /After (f\\(\\)) >> >> >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n";
    assert_eq!(rules_of(&checked("a.fdf", script)), ["pdf-script-on-open"]);
}

#[test]
fn loops_end() {
    let pages = "<< /Type /Pages /Kids [2 0 R] /Parent 2 0 R >>";
    let next = "<< /S /GoTo /D [3 0 R] /Next 4 0 R >>";
    assert_plain(&report(&[&catalog("/OpenAction 4 0 R"), pages, "3 0 R", next]));
    // A length that is its own stream, and cross-references that lead to themselves.
    let own = "<< /Length 4 0 R >>\nstream\nx\nendstream";
    assert_plain(&report(&[&catalog(""), PAGES, PAGE, own]));
    let bytes = String::from_utf8(document(&[&catalog(""), PAGES, PAGE])).unwrap();
    let at = bytes.find("xref").unwrap();
    let looped = bytes.replace("/Size 99", &format!("/Prev {at}"));
    assert_eq!(checked("a.pdf", looped).verdict, Verdict::Unfinished);
}

#[test]
fn hostile_numbers_are_bounded() {
    for table in [
        "/W [8 8 8] /Index [0 99999999999]",
        "/W [0 0 0]",
        "/W [18446744073709551615 1 1]",
        "/W [1 1 1] /Index [4294967295 4294967295]",
    ] {
        let table = stream(&format!("/Type /XRef /Size 4294967295 {table} /Root 1 0 R"), "abcdefgh");
        let bytes = format!("%PDF-1.7\n1 0 obj\n{table}\nendobj\nstartxref\n9\n%%EOF\n");
        assert_eq!(checked("a.pdf", bytes).verdict, Verdict::Unfinished);
    }
    let deep = "[".repeat(100_000) + "\n";
    assert_ne!(report(&[&catalog(""), PAGES, PAGE, &deep]).verdict, Verdict::JustData);
    let words = "1 0 obj(".repeat(50_000);
    assert_ne!(checked("a.pdf", format!("%PDF-1.7\n{words}")).verdict, Verdict::JustData);
    let streams = "1 0 obj<</Length 9>>stream\n".repeat(20_000);
    assert_ne!(checked("a.pdf", format!("%PDF-1.7\n{streams}")).verdict, Verdict::JustData);
}

#[test]
fn blanks_and_comments_stand_in_front_of_the_header() {
    let plain = document(&[&catalog(""), PAGES, PAGE]);
    for prefix in [&b"\xef\xbb\xbf"[..], &[b'\n'; 1000], b"% a comment\n"] {
        let report = checked("a.pdf", [prefix, &plain].concat());
        assert_eq!(report.layers[0].formats, ["pdf"]);
        assert_plain(&report);
    }
    for len in 7..plain.len() - 1 {
        assert_ne!(checked("a.pdf", &plain[..len]).verdict, Verdict::JustData, "{len}");
    }
}

#[test]
fn bytes_in_front_behind_and_between_are_news() {
    let plain = document(&[&catalog(""), PAGES, PAGE]);
    assert_eq!(rules_of(&checked("a.pdf", [b"NES\x1a".as_slice(), &plain].concat())), ["unexplained-bytes"]);
    assert_eq!(rules_of(&checked("a.pdf", [plain.as_slice(), b"behind\n"].concat())), ["unexplained-bytes"]);
    let between = String::from_utf8(plain).unwrap().replacen("endobj\n", "endobj\nsomething else\n", 1);
    assert!(rules_of(&checked("a.pdf", between)).contains(&"unexplained-bytes"));
}

#[test]
fn a_document_in_front_of_an_archive_is_two_files() {
    let files = [crate::formats::zip::sample::File::stored("a.txt", b"text\n")];
    let plain = document(&[&catalog(""), PAGES, PAGE]);
    let report = checked("a.pdf", crate::formats::zip::sample::build(&plain, &files));
    assert_eq!(report.layers[0].formats, ["pdf", "zip"]);
    assert_eq!(rules_of(&report), ["two-formats"]);
}

#[test]
fn a_document_behind_an_archive_is_hidden() {
    let mut bytes = crate::formats::zip::sample::archive(&[("a.txt", &[b'x'; 2000])]);
    bytes.extend(document(&[&catalog(""), PAGES, PAGE]));
    assert_eq!(rules_of(&checked("a.zip", bytes)), ["file-hidden"]);
}

#[test]
fn text_about_documents_is_text() {
    assert_eq!(checked("a.txt", "The first line is %PDF-1.7, then objects follow.\n").verdict, Verdict::JustData);
    assert_eq!(checked("a.txt", "1 0 obj is how an object starts.\n").verdict, Verdict::JustData);
}

#[test]
fn a_document_that_the_file_around_it_declares_is_one_file_inside() {
    let inside = document(&[catalog("").as_str(), PAGES, PAGE]);
    let stored = crate::formats::zip::sample::archive(&[("a.pdf", &inside)]);
    let mut block = vec![0; 512];
    let fields =
        [(0, "a.pdf".to_string()), (100, "0000644".into()), (124, format!("{:011o}", inside.len())), (156, "0".into())];
    for (at, text) in fields {
        block[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = [block, inside.clone()].concat();
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    for (name, bytes) in [("a.zip", stored), ("a.tar", tar)] {
        let report = checked(name, bytes);
        assert_eq!(
            (report.verdict, rules_of(&report)),
            (Verdict::JustData, vec![]),
            "{name} {:?}",
            report.layers[0].formats
        );
        assert_eq!(report.layers[1].formats, ["pdf"], "{name}");
    }
}
