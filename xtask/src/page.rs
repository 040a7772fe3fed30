//! Building the page: the core with wasm-pack, then the bundle.

use std::{fs, io::Write, path::Path, process::Command};

use anyhow::{Context, Result};
use lzma_rust2::{CheckType, XzOptions, XzWriter};

use crate::{
    Places,
    run::{command, run, say},
    setup,
};

/// Builds the page into `dist`: `site/`, `just-data.html`, `element/` and their checksums.
pub fn build(places: &Places, dist: &Path) -> Result<()> {
    setup::wasm_target(places)?;
    let mut wasm_pack = setup::wasm_pack(places)?;
    setup::packages(places, &places.www())?;

    say("Building the core for the browser");
    wasm_pack.args(["build", "--profile", "web", "--target", "web", "--no-pack", "--out-dir"]).arg(places.core());
    wasm_pack.args(["--", "--locked", "--config"]).arg(without_paths(places));
    run(&mut wasm_pack)?;
    pack(&places.core().join("just_data_bg.wasm"))?;

    say("Bundling the page");
    let mut bundle = command("node", &["bundle.mjs", "--core"], &places.www());
    bundle.arg(places.core()).arg("--out").arg(dist).args(["--first-load", FIRST_LOAD]);
    if let Some(policy) = &places.policy {
        bundle.arg("--policy").arg(policy);
    }
    run(&mut bundle)
}

/// The most that a browser may have to load, in bytes after gzip, before the page is whole.
const FIRST_LOAD: &str = "600000";

/// Packs the module with xz, beside itself: a quarter less to load than with gzip, which is what hosts do.
pub fn pack(module: &Path) -> Result<()> {
    let mut options = XzOptions::with_preset(9);
    // The unpacker in the page knows no other.
    options.set_check_sum_type(CheckType::Crc32);
    // Instructions of WebAssembly begin at any byte: where one stands modulo four says nothing of the next.
    options.lzma_options.lc = 4;
    options.lzma_options.pb = 0;
    options.lzma_options.nice_len = 273;
    let mut packed = XzWriter::new(Vec::new(), options)?;
    packed.write_all(&fs::read(module).context("reading the core")?)?;
    fs::write(module.with_added_extension("xz"), packed.finish()?).context("writing the packed core")
}

/// Takes the pictures of the README.
pub fn screenshot(places: &Places) -> Result<()> {
    let mut pictures = in_browser(places, "screenshots.mjs")?;
    say("Taking the pictures");
    run(pictures.arg(places.www().join("pictures"))).context("taking the pictures")
}

/// Measures how the page answers while it checks many files.
pub fn bench(places: &Places) -> Result<()> {
    let mut bench = in_browser(places, "bench.mjs")?;
    say("Measuring the page");
    run(&mut bench).context("measuring the page")
}

/// Builds the page, and gives the command for a script that opens it in a browser.
fn in_browser(places: &Places, script: &str) -> Result<Command> {
    let dist = places.built().join("dist");
    build(places, &dist)?;
    setup::packages(places, &places.page_tests())?;
    let browser = setup::browser(places)?;
    let mut node = command("node", &[script], &places.page_tests());
    node.env("JUST_DATA_DIST", &dist).env("CHROME", browser.chrome).env("CHROMEDRIVER", browser.driver);
    Ok(node)
}

/// Panic messages name source files: by their places in the project, not on the machine that built it.
fn without_paths(places: &Places) -> String {
    let home = std::env::var_os("CARGO_HOME").map(Into::into).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let known = [home.map(|home| (home, "cargo")), Some((places.root.clone(), "just-data"))];
    let flags =
        known.into_iter().flatten().map(|(path, name)| format!("'--remap-path-prefix={}={name}'", path.display()));
    format!("target.{}.rustflags=[{}]", setup::WASM, flags.collect::<Vec<_>>().join(","))
}
