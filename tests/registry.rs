//! The list of formats is whole and sorted, and every rule keeps the house's laws.
//!
//! `BLESS=1 cargo test --test registry` rewrites the list in `src/formats.rs` from the files in `src/formats`.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{collections::BTreeSet, fs};

use just_data::formats::{FORMATS, all_rules};

const LIST: &str = "src/formats.rs";

#[test]
fn every_file_is_registered() {
    let mut modules: Vec<String> = fs::read_dir("src/formats")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(".rs").unwrap_or(&name).to_string())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    modules.sort();
    let mut list = String::from("// begin list\n");
    modules.iter().for_each(|module| list.push_str(&format!("pub mod {module};\n")));
    list.push_str("\n/// All formats, sorted by id.\n#[rustfmt::skip]\npub static FORMATS: &[&Format] = &[\n");
    modules.iter().for_each(|module| list.push_str(&format!("    &{module}::FORMAT,\n")));
    list.push_str("];\n// end list\n");

    let source = fs::read_to_string(LIST).unwrap();
    let begin = source.find("// begin list\n").unwrap();
    let end = source.find("// end list\n").unwrap() + "// end list\n".len();
    if std::env::var_os("BLESS").is_some() {
        fs::write(LIST, format!("{}{list}{}", &source[..begin], &source[end..])).unwrap();
        return;
    }
    assert_eq!(&source[begin..end], list, "run BLESS=1 cargo test --test registry");
}

#[test]
fn formats_are_sorted_and_described() {
    for pair in FORMATS.windows(2) {
        assert!(pair[0].id < pair[1].id, "{} comes before {}", pair[1].id, pair[0].id);
    }
    for format in FORMATS {
        assert!(is_kebab(format.id), "{}", format.id);
        assert!(format.spec.starts_with("https://"), "{} has no specification", format.id);
        assert!(!format.name.is_empty());
        for extension in format.extensions {
            assert_eq!(*extension, extension.to_lowercase(), "{}", format.id);
            assert!(!extension.starts_with('.'), "{}", format.id);
        }
        for mark in format.marks {
            assert!(!mark.bytes.is_empty(), "{} has an empty mark", format.id);
        }
    }
}

#[test]
fn rules_have_one_home_and_all_their_words() {
    let mut ids: Vec<&str> = FORMATS.iter().flat_map(|format| format.rules).map(|rule| rule.id).collect();
    ids.extend(just_data::rules::SHARED.iter().map(|rule| rule.id));
    let unique: BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "a rule is listed twice");
    for rule in all_rules() {
        assert!(is_kebab(rule.id), "{}", rule.id);
        assert!(!rule.title.ends_with('.'), "{}: a title has no full stop", rule.id);
        for sentence in [rule.why, rule.advice] {
            assert!(sentence.ends_with('.'), "{}: whole sentences", rule.id);
            assert!(!sentence.contains("  "), "{}: double space", rule.id);
        }
        assert!(rule.see.iter().all(|address| address.starts_with("https://")), "{}", rule.id);
    }
}

fn is_kebab(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
