//! The command as a person and as a program uses it: formats, exit status, bad input.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// A folder of the test's own that goes away with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("just-data-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_string()
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_just-data"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).stdin(Stdio::null()).output().unwrap()
}

fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A NIfTI extension made for a Python pickle: a caution that needs no other reader.
fn image_with_code() -> Vec<u8> {
    let fixture = fs::read_to_string("tests/fixtures/nifti/extensions_made_for_code_are_found-1.hex").unwrap();
    let digits = fixture.lines().flat_map(|line| line.split('#').next().unwrap().split_whitespace());
    digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn exit_status_says_the_worst() {
    let folder = Folder::new("status");
    let plain = folder.file("plain.txt", b"hello\n");
    let unknown = folder.file("unknown.bin", &[0xfe, 0, 1, 2, 0xff]);
    let code = folder.file("code.nii", &image_with_code());
    assert_eq!(status(&run(&["check", &plain])), 0);
    assert_eq!(status(&run(&["check", &plain, &unknown])), 2);
    assert_eq!(status(&run(&["check", &plain, &unknown, &code])), 1);
    assert_eq!(status(&run(&["check"])), 64);
    assert_eq!(status(&run(&["check", "--format", "xml", &plain])), 64);
    assert_eq!(status(&run(&["frobnicate"])), 64);
    assert_eq!(status(&run(&["--help"])), 0);
    assert_eq!(status(&run(&["check", "--files-from", "/nowhere/at/all"])), 64);
}

#[test]
fn json_keeps_the_contract() {
    let folder = Folder::new("json");
    let code = folder.file("code.nii", &image_with_code());
    let plain = folder.file("plain.txt", b"hello\n");
    let document = json(&run(&["check", "--format", "json", &code, &plain]));
    assert_eq!(document["tool"]["name"], "just-data");
    let file = &document["files"][0];
    assert_eq!((file["path"].as_str(), file["verdict"].as_str()), (Some(code.as_str()), Some("caution")));
    let finding = &file["findings"][0];
    for key in ["rule", "guideline", "runs", "severity", "layer", "offset", "length", "place", "message", "excerpt"] {
        assert!(!finding[key].is_null(), "a finding has no {key}");
    }
    let layer = &file["layers"][0];
    let books = layer["coverage"].as_object().unwrap();
    assert_eq!(books.values().map(|value| value.as_u64().unwrap()).sum::<u64>(), layer["len"].as_u64().unwrap());
    assert_eq!(document["files"][1]["verdict"], "just-data");
}

#[test]
fn jsonl_is_a_line_a_file() {
    let folder = Folder::new("jsonl");
    for number in 0..50 {
        folder.file(&format!("sub/{number}.txt"), b"text\n");
    }
    let output = run(&["check", "--format", "jsonl", "--jobs", "3", folder.path()]);
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 50);
    assert!(lines.iter().all(|file| file["verdict"] == "just-data"));
}

#[test]
fn every_format_is_written() {
    let folder = Folder::new("formats");
    let code = folder.file("code.nii", &image_with_code());
    let csv = String::from_utf8(run(&["check", "--format", "csv", &code]).stdout).unwrap();
    let lines: Vec<&str> = csv.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(lines[1].contains(",caution,Look twice,nifti-extension-carries-code,"), "{csv}");

    let sarif = json(&run(&["check", "--format", "sarif", &code]));
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "nifti-extension-carries-code");
    let html = String::from_utf8(run(&["check", "--format", "html", &code]).stdout).unwrap();
    assert!(html.contains("Look twice") && html.starts_with("<!doctype html>"), "{html}");
    let text = String::from_utf8(run(&["check", &code]).stdout).unwrap();
    assert!(text.contains("Look twice") && text.contains("1 file: 1 look twice"), "{text}");
}

#[test]
fn a_list_and_standard_input_are_read() {
    let folder = Folder::new("list");
    let a = folder.file("a.txt", b"a\n");
    let b = folder.file("b with spaces.txt", b"b\n");
    let listed =
        run_with_input(&["check", "--format", "jsonl", "--files-from", "-"], format!("{a}\r\n\n{b}\n").as_bytes());
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 2);
    let input = json(&run_with_input(&["check", "--format", "json", "-"], &image_with_code()));
    assert_eq!(
        (input["files"][0]["path"].as_str(), input["files"][0]["verdict"].as_str()),
        (Some("-"), Some("caution"))
    );
}

#[test]
fn what_cannot_be_read_is_a_result() {
    let folder = Folder::new("unread");
    let plain = folder.file("plain.txt", b"hello\n");
    let missing = format!("{}/missing.dcm", folder.path());
    let through = format!("{plain}/not-a-folder");
    let output = run(&["check", "--format", "json", &missing, &through, &plain]);
    assert_eq!(status(&output), 2);
    let files = json(&output)["files"].as_array().unwrap().clone();
    assert_eq!(files.len(), 3);
    let unread: Vec<_> = files.iter().filter(|file| file["verdict"] == "unfinished").collect();
    assert_eq!(unread.len(), 2);
    assert!(unread.iter().all(|file| file["layers"][0]["stops"][0]["kind"] == "source"));
}

#[test]
fn small_and_odd_files_have_their_sentence() {
    let folder = Folder::new("small");
    let empty = json(&run(&["check", "--format", "json", &folder.file("empty.dcm", b"")]));
    assert_eq!(empty["files"][0]["findings"][0]["rule"], "empty");
    let one = run(&["check", &folder.file("one", b"\xff")]);
    assert!(String::from_utf8(one.stdout).unwrap().contains("Not fully checked"));
}

#[cfg(unix)]
#[test]
fn names_that_deceive_are_shown() {
    let folder = Folder::new("names");
    let name = folder.file("scan\u{202E}mcd.exe\u{1b}[31m\n.txt", b"hello\n");
    let text = String::from_utf8(run(&["check", &name]).stdout).unwrap();
    assert!(text.contains("\\u{202E}") && text.contains("\\u{001B}") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(json(&run(&["check", "--format", "json", &name]))["files"][0]["path"].as_str(), Some(name.as_str()));
    let html = String::from_utf8(run(&["check", "--format", "html", &name]).stdout).unwrap();
    assert!(!html.contains('\u{202E}'), "the page would be turned around");
}

/// A folder and a file without permission, and a named pipe: each is said, none ends the run or waits for ever.
#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_said() {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    let folder = Folder::new("permission");
    folder.file("closed/inside.txt", b"hello\n");
    folder.file("open.txt", b"hello\n");
    let secret = folder.file("secret.txt", b"hello\n");
    assert!(Command::new("mkfifo").arg(folder.0.join("pipe")).status().unwrap().success());
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(folder.0.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read everything: the command is copied out of its home and runs as nobody.
    let program = folder.0.join("just-data");
    fs::copy(env!("CARGO_BIN_EXE_just-data"), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["check", "--format", "json", folder.path()]).stdin(Stdio::null());
    if fs::metadata("/proc/self").is_ok_and(|about| std::os::unix::fs::MetadataExt::uid(&about) == 0) {
        command.uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    fs::set_permissions(folder.0.join("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    let files = json(&output)["files"].as_array().unwrap().clone();
    let stop = |name: &str| {
        let file = files.iter().find(|file| Path::new(file["path"].as_str().unwrap()).ends_with(name));
        file.unwrap_or_else(|| panic!("nothing is said of {name}"))["layers"][0]["stops"][0]["message"].to_string()
    };
    assert!(stop("closed").contains("ermission denied"), "{}", stop("closed"));
    assert!(stop("secret.txt").contains("ermission denied"), "{}", stop("secret.txt"));
    assert!(stop("pipe").contains("not a regular file"), "{}", stop("pipe"));
    assert!(files.iter().any(|file| file["verdict"] == "just-data"));
}

#[test]
fn rules_and_formats_explain_themselves() {
    let rules = String::from_utf8(run(&["rules"]).stdout).unwrap();
    assert!(rules.contains("### `program-hidden`"), "{rules}");
    let explained = String::from_utf8(run(&["explain", "program-hidden"]).stdout).unwrap();
    assert!(explained.contains("A program is hidden in this file") && explained.contains("What to do"), "{explained}");
    assert_eq!(status(&run(&["explain", "no-such-rule"])), 64);
    assert!(String::from_utf8(run(&["formats"]).stdout).unwrap().contains("NIfTI"));
}

#[test]
fn header_and_values_are_one_item() {
    let folder = Folder::new("pair");
    let header = b"NRRD0004\ntype: short\ndimension: 2\nsizes: 3 2\nencoding: raw\ndata file: values.raw\n";
    folder.file("study/volume.nhdr", header);
    folder.file("study/values.raw", &[0xf1; 12]);
    let output = run(&["check", folder.path()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("its values: ") && text.contains("names values.raw: found beside it"), "{text}");
    let lines = run(&["check", "--format", "jsonl", &format!("{}/study/volume.nhdr", folder.path())]);
    let report: Value = serde_json::from_slice(&lines.stdout).unwrap();
    assert_eq!(report["companions"][0]["missing"], true);
}

#[test]
fn slices_of_a_series_are_one_line_unless_they_differ() {
    let folder = Folder::new("series");
    let element = |tag: [u8; 4], vr: &str, value: &str| {
        [&tag[..], vr.as_bytes(), &(value.len() as u16).to_le_bytes(), value.as_bytes()].concat()
    };
    let slice = |text: &str| {
        let start = [&[0; 128][..], b"DICM"].concat();
        let meta = element([2, 0, 0x10, 0], "UI", "1.2.840.10008.1.2.1\0");
        let series = element([0x20, 0, 0x0e, 0], "UI", "1.2.3.4\0");
        [start, meta, series, element([0x20, 0, 0, 0x40], "LT", text)].concat()
    };
    for number in 0..5 {
        folder.file(&format!("series/{number}.dcm"), &slice("plain "));
    }
    folder.file("series/5.dcm", &slice("<script>x()</script>"));
    let output = run(&["check", folder.path()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("0.dcm and 4 more files of its series: Just data"), "{text}");
    assert!(text.contains("5.dcm: Look twice") || text.contains("5.dcm: Not just data"), "{text}");
    assert_eq!(text.matches("Just data\n").count(), 1, "{text}");
}
