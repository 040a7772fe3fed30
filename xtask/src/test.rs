//! Every test, one step behind the other, and a sum at the end. A step that fails does not hide the others.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    Places, page,
    run::{command, line, say},
    setup::{self, Browser, Documentation, Servers},
};

/// How the result of a step is counted.
#[derive(Clone, Copy, PartialEq)]
enum Counts {
    /// As one: it holds or it does not.
    Whole,
    /// By the tests that its output names.
    Tests,
}

struct Step {
    name: &'static str,
    counts: Counts,
    command: Command,
}

/// How a step ended.
struct Ended {
    name: &'static str,
    passed: u64,
    failed: u64,
}

/// Runs the steps whose name holds `word`, or all; those that install much only when `full` is asked for.
pub fn test(places: &Places, word: Option<&str>, full: bool) -> Result<ExitCode> {
    setup::wasm_target(places)?;
    let programs = Programs {
        browser: setup::browser(places)?,
        servers: setup::servers(places)?,
        wasm_pack: setup::wasm_pack(places)?,
        documentation: full.then(|| setup::documentation(places)).transpose()?,
    };
    setup::packages(places, &places.www())?;
    setup::packages(places, &places.page_tests())?;

    let dist = places.built().join("dist");
    let steps = steps(places, programs, &dist)?;
    let mut ended = Vec::new();
    let mut built = false;
    for mut step in steps.into_iter().filter(|step| word.is_none_or(|word| step.name.contains(word))) {
        if [PAGE, DOCUMENTATION].contains(&step.name) && !built {
            built = true;
            if let Err(error) = page::build(places, &dist) {
                println!("{error:#}");
                ended.push(Ended { name: "the build of the page", passed: 0, failed: 1 });
                continue;
            }
        }
        say(step.name);
        ended.push(run(&mut step)?);
    }

    println!();
    for Ended { name, passed, failed } in &ended {
        let sign = if *failed == 0 { "ok    " } else { "FAILED" };
        println!("{sign}  {name}: {passed} passed, {failed} failed");
    }
    let passed: u64 = ended.iter().map(|step| step.passed).sum();
    let failed: u64 = ended.iter().map(|step| step.failed).sum();
    println!("\n{passed} passed, {failed} failed");
    Ok(if failed == 0 && !ended.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The steps that need the built page.
const PAGE: &str = "the page, end to end";
const DOCUMENTATION: &str = "in documentation tools";

/// The step whose command the page is compared with. Its name holds that of [`PAGE`]: no word chooses the latter alone.
const COMMAND: &str = "the command for the page, end to end";

/// The programs that the steps run.
struct Programs {
    browser: Browser,
    servers: Servers,
    wasm_pack: Command,
    /// Only where everything is tested.
    documentation: Option<Documentation>,
}

fn steps(places: &Places, programs: Programs, dist: &Path) -> Result<Vec<Step>> {
    let Programs { browser, servers, wasm_pack: mut wasm, documentation } = programs;
    let cargo =
        |name, counts, arguments: &[&str]| Step { name, counts, command: command("cargo", arguments, &places.root) };
    let mut docs = cargo("rustdoc", Counts::Whole, &["doc", "--workspace", "--no-deps", "--locked"]);
    docs.command.env("RUSTDOCFLAGS", "-D warnings");

    wasm.args(["test", "--headless", "--chrome", "--chromedriver"])
        .arg(&browser.driver)
        .args(["--", "--test", "browser", "--locked"]);
    wasm.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", webdriver(places, &browser)?);
    wasm.env("WASM_BINDGEN_TEST_TIMEOUT", "600");

    let types = command("npm", &["run", "--silent", "types"], &places.www());

    let release = places.target.join("release").join(format!("just-data{}", std::env::consts::EXE_SUFFIX));
    let xtask = std::env::current_exe().context("where this program is")?;
    // One file at a time: a browser is heavy, and times are asserted.
    let in_browser = |folder: &Path| {
        let mut tests = command("node", &["--test", "--test-concurrency=1", "--test-reporter=spec"], folder);
        tests.env("JUST_DATA_XTASK", &xtask);
        tests.env("JUST_DATA_DIST", dist).env("JUST_DATA_CORE", places.core()).env("JUST_DATA_COMMAND", &release);
        tests.env("CHROME", &browser.chrome).env("CHROMEDRIVER", &browser.driver);
        tests.env("NGINX", &servers.nginx).env("CADDY", &servers.caddy).env("APACHE", &servers.apache);
        tests
    };
    let page = in_browser(&places.page_tests());

    let mut steps = vec![
        cargo("rustfmt", Counts::Whole, &["fmt", "--all", "--check"]),
        cargo("clippy", Counts::Whole, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
        cargo(
            "clippy for WebAssembly",
            Counts::Whole,
            &[
                "clippy",
                "--package",
                "just-data",
                "--lib",
                "--test",
                "browser",
                "--target",
                setup::WASM,
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
        ),
        docs,
        Step { name: "types of the page", counts: Counts::Whole, command: types },
        cargo("tests", Counts::Tests, &["test", "--workspace", "--locked", "--no-fail-fast"]),
        Step { name: "tests in WebAssembly", counts: Counts::Tests, command: wasm },
        cargo(COMMAND, Counts::Whole, &["build", "--release", "--locked", "--package", "just-data"]),
        Step { name: PAGE, counts: Counts::Tests, command: page },
    ];
    if let Some(Documentation { python, mdbook }) = documentation {
        let mut tests = in_browser(&places.root.join("tests").join("embed"));
        tests.env("PYTHON_PROGRAMS", python).env("MDBOOK", mdbook);
        steps.push(Step { name: DOCUMENTATION, counts: Counts::Tests, command: tests });
        steps.push(cargo("the same bytes in another folder", Counts::Whole, &["xtask", "twice"]));
    }
    Ok(steps)
}

/// The repository's webdriver.json with the browser that was found.
fn webdriver(places: &Places, browser: &Browser) -> Result<PathBuf> {
    let text = fs::read_to_string(places.root.join("webdriver.json")).context("reading webdriver.json")?;
    let mut capabilities: Value = serde_json::from_str(&text).context("webdriver.json")?;
    if let Some(options) = capabilities.get_mut("goog:chromeOptions").and_then(Value::as_object_mut) {
        options.insert("binary".to_string(), json!(browser.chrome));
    }
    fs::create_dir_all(places.built())?;
    let path = places.built().join("webdriver.json");
    fs::write(&path, capabilities.to_string())?;
    Ok(path)
}

fn run(step: &mut Step) -> Result<Ended> {
    let command = &mut step.command;
    println!("  $ {}", line(command));
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("could not start `{}`", line(command)))?;
    let (mut passed, mut failed) = (0, 0);
    if let Some(stdout) = child.stdout.take() {
        for text in BufReader::new(stdout).split(b'\n') {
            let text = String::from_utf8_lossy(&text?).into_owned();
            println!("{text}");
            if let (Counts::Tests, Some(counted)) = (step.counts, counted(&text)) {
                passed += counted.0;
                failed += counted.1;
            }
        }
    }
    let success = child.wait()?.success();
    if step.counts == Counts::Whole {
        passed = u64::from(success);
    }
    // A step may fail without a failed test: it did not compile, or found nothing to run.
    if failed == 0 && (!success || passed == 0) {
        failed = 1;
    }
    Ok(Ended { name: step.name, passed, failed })
}

/// What a line of a test runner says about passed and failed tests.
///
/// - of Rust: `test result: ok. 12 passed; 0 failed; 0 ignored; …`
/// - of Node: `ℹ pass 12`, `ℹ fail 0` and `ℹ cancelled 0`: not run, because the set-up failed or the time was up
fn counted(line: &str) -> Option<(u64, u64)> {
    if let Some((_, rest)) = line.split_once("test result:") {
        let before = |word: &str| {
            let words: Vec<_> = rest.split([' ', ';', '.']).filter(|word| !word.is_empty()).collect();
            let at = words.iter().position(|found| *found == word)?;
            words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
        };
        return Some((before("passed")?, before("failed")?));
    }
    let mut words = line.trim_start_matches('\u{2139}').split_whitespace();
    match (words.next()?, words.next()?.parse::<u64>().ok()?, words.next()) {
        ("pass", number, None) => Some((number, 0)),
        ("fail" | "cancelled", number, None) => Some((0, number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_never_tested_without_the_command() {
        assert!(COMMAND.contains(PAGE));
    }

    #[test]
    fn counts_what_test_runners_say() {
        let rust = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s";
        assert_eq!(counted(rust), Some((12, 3)));
        assert_eq!(counted("\u{2139} pass 7"), Some((7, 0)));
        assert_eq!(counted("\u{2139} fail 2"), Some((0, 2)));
        assert_eq!(counted("\u{2139} cancelled 1"), Some((0, 1)));
        assert_eq!(counted("\u{2139} duration_ms 2"), None);
        assert_eq!(counted("pass 3 of them"), None);
        assert_eq!(counted("test page ... ok"), None);
    }
}
