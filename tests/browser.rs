//! In a real browser, in a dedicated worker: the same fixtures give the same JSON as natively, through blobs.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use include_dir::{Dir, include_dir};
use js_sys::{Array, Function, JSON, Object, Reflect, Uint8Array};
use just_data::browser;
use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Blob;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

static FIXTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tests/fixtures");

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).unwrap()
}

fn quiet() -> Function {
    Function::new_no_args("return true")
}

fn json(value: &JsValue) -> Value {
    serde_json::from_str(&JSON::stringify(value).unwrap().as_string().unwrap()).unwrap()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = hex.lines().flat_map(|line| line.split('#').next().unwrap().split_whitespace());
    digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[wasm_bindgen_test]
fn fixtures_give_the_same_report_as_natively() {
    let mut compared = 0;
    for folder in FIXTURES.dirs() {
        for file in folder.files().filter(|file| file.path().extension().is_some_and(|ending| ending == "hex")) {
            let hex = file.contents_utf8().unwrap();
            let name = hex.lines().next().unwrap().strip_prefix("# name: ").unwrap();
            let report = browser::check(name, blob(&bytes_of(hex)), quiet(), JsValue::UNDEFINED).unwrap();
            let golden = FIXTURES.get_file(file.path().with_extension("json")).unwrap();
            let golden: Value = serde_json::from_str(golden.contents_utf8().unwrap()).unwrap();
            assert_eq!(json(&report), golden, "{}", file.path().display());
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared} fixtures");
}

#[wasm_bindgen_test]
fn a_pulse_that_says_no_cancels() {
    let zeros = vec![0xfe; 20 << 20];
    let report =
        browser::check("x.bin", blob(&zeros), Function::new_no_args("return false"), JsValue::UNDEFINED).unwrap();
    let report = json(&report);
    assert_eq!(report["verdict"], "unfinished");
    assert_eq!(report["layers"][0]["stops"].as_array().unwrap().last().unwrap()["kind"], "cancelled");
}

#[wasm_bindgen_test]
fn a_limit_of_the_person_ends_a_check_and_the_others_stay_as_they_are() {
    let limits = Object::new();
    Reflect::set(&limits, &"work".into(), &5.into()).unwrap();
    let report = json(&browser::check("a.txt", blob(b"hello\nhello\n"), quiet(), limits.into()).unwrap());
    assert_eq!(report["verdict"], "unfinished");
    assert!(report["layers"][0]["stops"].as_array().unwrap().iter().any(|stop| stop["kind"] == "exhausted"));
}

#[wasm_bindgen_test]
fn reports_are_written_and_unread_files_are_told() {
    let report = browser::check("a.txt", blob(b"hello\n"), quiet(), JsValue::UNDEFINED).unwrap();
    let unread = browser::unread("b.dcm", 12.0, "source", "the worker ended".into()).unwrap();
    assert_eq!(json(&unread)["layers"][0]["stops"][0]["message"], "could not be read: the worker ended");
    let files = Array::of2(&report, &unread);
    for format in ["json", "jsonl", "sarif", "html", "text"] {
        assert!(browser::write(files.clone().into(), format).unwrap().contains("a.txt"), "{format}");
    }
    assert!(browser::write(files.into(), "xml").is_err());
}

#[wasm_bindgen_test]
fn rules_and_formats_reach_javascript_as_plain_objects() {
    assert!(json(&browser::rules().unwrap()).as_array().unwrap().iter().all(|rule| rule["title"].is_string()));
    assert!(json(&browser::formats().unwrap()).as_array().unwrap().iter().any(|format| format["id"] == "nifti"));
}
