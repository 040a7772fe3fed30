//! What a chore needs on the machine: looked for, brought where that is possible, named where it is not.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    Places,
    run::{command, output, run, say},
};

/// The version of wasm-pack that the page is built with.
const WASM_PACK: &str = "0.15.1";

/// The oldest Node.js that the bundler and the tests run on.
const NODE: u32 = 20;

/// The target of the core in the page.
pub const WASM: &str = "wasm32-unknown-unknown";

/// The target for WebAssembly, in the toolchain of this repository.
pub fn wasm_target(places: &Places) -> Result<()> {
    let installed = output(&mut command("rustc", &["--print", "target-libdir", "--target", WASM], &places.root));
    if installed.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    if which::which("rustup").is_err() {
        bail!(
            "the Rust target {WASM} is missing, and rustup, which could add it, is too.\n\
             Get rustup at https://rustup.rs, or install the standard library for {WASM} with your system's packages."
        );
    }
    say("Adding the WebAssembly target to the Rust toolchain");
    run(&mut command("rustup", &["target", "add", WASM], &places.root))
}

/// wasm-pack in the right version: one that is there, or one built once and kept in `.tools`.
pub fn wasm_pack(places: &Places) -> Result<PathBuf> {
    let kept = places.root.join(".tools");
    let own = kept.join("bin").join(format!("wasm-pack{}", env::consts::EXE_SUFFIX));
    for program in which::which("wasm-pack").into_iter().chain([own.clone()]) {
        let version = output(&mut command(&program, &["--version"], &places.root));
        if version.is_some_and(|version| version.ends_with(&format!(" {WASM_PACK}"))) {
            return Ok(program);
        }
    }
    say(&format!("Installing wasm-pack {WASM_PACK} into .tools (once)"));
    let mut install =
        command("cargo", &["install", "--locked", "--version", WASM_PACK, "wasm-pack", "--root"], &places.root);
    run(install.arg(&kept)).context("wasm-pack could not be installed; see https://crates.io/crates/wasm-pack")?;
    Ok(own)
}

/// Node.js and npm.
fn node(places: &Places) -> Result<()> {
    let Some(version) = output(&mut command("node", &["--version"], &places.root)) else {
        bail!(
            "Node.js is missing: version {NODE} or later, from https://nodejs.org or your system's packages (Debian: nodejs npm)"
        );
    };
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) {
        bail!("Node.js is {version}, but version {NODE} or later is needed: https://nodejs.org");
    }
    if which::which("npm").is_err() {
        bail!("npm is missing: it comes with Node.js from https://nodejs.org (Debian: npm)");
    }
    Ok(())
}

/// The packages that a folder's lock file names, exactly.
pub fn packages(places: &Places, folder: &Path) -> Result<()> {
    node(places)?;
    let lock = fs::read(folder.join("package-lock.json")).context("reading package-lock.json")?;
    let stamp = folder.join("node_modules").join(".lock-of-these");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    say(&format!("Installing the packages of {}", folder.strip_prefix(&places.root).unwrap_or(folder).display()));
    run(&mut command("npm", &["ci", "--no-audit", "--no-fund"], folder))?;
    fs::write(stamp, lock).context("noting which packages are installed")
}

/// A browser and its driver.
pub struct Browser {
    /// Chromium or Chrome.
    pub chrome: PathBuf,
    /// The chromedriver of the same version.
    pub driver: PathBuf,
}

/// Chromium and its driver: from `CHROME` and `CHROMEDRIVER`, from `PATH`, or from Debian's packages where this may install them.
pub fn browser(places: &Places) -> Result<Browser> {
    let mut found = (chrome(), driver());
    if let (None, _) | (_, None) = found
        && may_install()
    {
        say("Installing Debian's chromium and chromium-driver");
        run(&mut command("apt-get", &["update"], &places.root))?;
        let install = ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"];
        run(command("apt-get", &install, &places.root).env("DEBIAN_FRONTEND", "noninteractive"))?;
        found = (chrome(), driver());
    }
    let how = "Debian and Ubuntu: apt-get install chromium chromium-driver; elsewhere set CHROME and CHROMEDRIVER to their programs";
    let Some(chrome) = found.0 else { bail!("Chromium is missing, and the tests in a browser need it. {how}") };
    let Some(driver) = found.1 else { bail!("chromedriver is missing, and the tests in a browser need it. {how}") };
    let versions = (major(places, &chrome), major(places, &driver));
    if versions.0.is_none() || versions.0 != versions.1 {
        let name = |version: Option<u32>| {
            version.map_or("an unknown version".to_string(), |version| format!("version {version}"))
        };
        bail!(
            "{} is {} and {} is {}: they must be the same. {how}",
            chrome.display(),
            name(versions.0),
            driver.display(),
            name(versions.1)
        );
    }
    Ok(Browser { chrome, driver })
}

fn chrome() -> Option<PathBuf> {
    named("CHROME", &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"])
}

fn driver() -> Option<PathBuf> {
    named("CHROMEDRIVER", &["chromedriver"])
}

fn named(variable: &str, names: &[&str]) -> Option<PathBuf> {
    let told = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    told.or_else(|| names.iter().find_map(|name| which::which(name).ok()))
}

/// Whether system packages can be installed without asking anyone: by root, on Debian or its like.
fn may_install() -> bool {
    let root = output(&mut command("id", &["-u"], Path::new("/"))).is_some_and(|user| user == "0");
    root && which::which("apt-get").is_ok()
}

/// "Chromium 156.0.8078.79 built on …" and "ChromeDriver 156.0.8078.79 (…)" are both 156.
fn major(places: &Places, program: &Path) -> Option<u32> {
    let said = output(&mut command(program, &["--version"], &places.root))?;
    said.split_whitespace().find_map(|word| word.split_once('.')?.0.parse().ok())
}
