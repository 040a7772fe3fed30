//! What a chore needs on the machine: looked for, brought where that is possible, named where it is not.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    Places,
    run::{command, output, path_with, run, say},
};

/// The version of wasm-pack that the page is built with.
const WASM_PACK: &str = "0.15.1";

/// The version of mdBook that the example is built with.
const MDBOOK: &str = "0.5.4";

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

/// wasm-pack in the right version, with the programs of the page's packages: its wasm-opt is the one of the lock file.
pub fn wasm_pack(places: &Places) -> Result<Command> {
    let mut wasm_pack = command(tool(places, "wasm-pack", WASM_PACK, &[])?, &[], &places.root);
    wasm_pack.env("PATH", path_with(&[&places.www().join("node_modules").join(".bin")])?);
    // Where wasm-bindgen cannot be downloaded, wasm-pack has it built, in profile `release`: fast, for it runs for seconds.
    // What is built of this repository has profiles of its own.
    wasm_pack.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    Ok(wasm_pack)
}

/// A program of crates.io in this version: one that is there, or one built once and kept in `.tools`.
fn tool(places: &Places, name: &str, version: &str, features: &[&str]) -> Result<PathBuf> {
    let kept = places.tools();
    let own = kept.join("bin").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    for program in which::which(name).into_iter().chain([own.clone()]) {
        let said = output(&mut command(&program, &["--version"], &places.root)).unwrap_or_default();
        if said.rsplit(' ').next().is_some_and(|said| said.trim_start_matches('v') == version) {
            return Ok(program);
        }
    }
    say(&format!("Installing {name} {version} into .tools (once)"));
    // Without optimisation: built twice as fast, and it runs for seconds.
    let mut install =
        command("cargo", &["install", "--debug", "--locked", "--version", version, name, "--root"], &places.root);
    run(install.arg(&kept).args(features))
        .with_context(|| format!("{name} could not be installed; see https://crates.io/crates/{name}"))?;
    Ok(own)
}

/// The tools that people write documentation with.
pub struct Documentation {
    /// The folder with the programs of Sphinx and MkDocs.
    pub python: PathBuf,
    pub mdbook: PathBuf,
}

/// Sphinx, MkDocs and mdBook in `.tools`, Docusaurus in the folder of its example.
pub fn documentation(places: &Places) -> Result<Documentation> {
    let wanted = fs::read(places.embed().join("requirements.txt")).context("reading embed/requirements.txt")?;
    let home = places.tools().join("python");
    let python = home.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let stamp = home.join(".requirements-of-these");
    if !fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        if which::which("python3").is_err() {
            bail!("Python is missing, and Sphinx and MkDocs need it (Debian: python3 python3-venv)");
        }
        say("Installing Sphinx and MkDocs into .tools (once)");
        run(command("python3", &["-m", "venv"], &places.root).arg(&home))?;
        let mut install = command(python.join("pip"), &["install", "--quiet", "--requirement"], &places.root);
        run(install.arg(places.embed().join("requirements.txt")))?;
        fs::write(stamp, wanted).context("noting which packages are installed")?;
    }
    packages(places, &places.embed().join("docusaurus"))?;
    // Without its server, its watcher and its search: books are only built here.
    let mdbook = tool(places, "mdbook", MDBOOK, &["--no-default-features"])?;
    Ok(Documentation { python, mdbook })
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

/// Chromium and its driver: from `CHROME` and `CHROMEDRIVER`, from `PATH`, or from Debian's packages.
pub fn browser(places: &Places) -> Result<Browser> {
    let chrome = Program {
        variable: "CHROME",
        names: &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"],
        package: "chromium",
    };
    let driver = Program { variable: "CHROMEDRIVER", names: &["chromedriver"], package: "chromium-driver" };
    let [chrome, driver] = programs(places, [chrome, driver])?;
    let versions = (major(places, &chrome), major(places, &driver));
    if versions.0.is_none() || versions.0 != versions.1 {
        let name = |version: Option<u32>| {
            version.map_or("an unknown version".to_string(), |version| format!("version {version}"))
        };
        bail!(
            "{} is {} and {} is {}: they must be the same. Debian and Ubuntu have a matching pair: chromium and chromium-driver",
            chrome.display(),
            name(versions.0),
            driver.display(),
            name(versions.1)
        );
    }
    Ok(Browser { chrome, driver })
}

/// Web servers that others host the page with.
pub struct Servers {
    pub nginx: PathBuf,
    pub caddy: PathBuf,
    pub apache: PathBuf,
}

/// The web servers: from `NGINX`, `CADDY` and `APACHE`, from `PATH`, or from Debian's packages.
pub fn servers(places: &Places) -> Result<Servers> {
    let [nginx, caddy, apache] = programs(
        places,
        [
            Program { variable: "NGINX", names: &["nginx"], package: "nginx" },
            Program { variable: "CADDY", names: &["caddy"], package: "caddy" },
            Program { variable: "APACHE", names: &["apache2", "httpd"], package: "apache2-bin" },
        ],
    )?;
    Ok(Servers { nginx, caddy, apache })
}

/// A program that the tests use and do not build.
struct Program {
    /// The variable of the environment that may say where it is.
    variable: &'static str,
    /// Its names in `PATH`.
    names: &'static [&'static str],
    /// The package of Debian that has it.
    package: &'static str,
}

impl Program {
    fn find(&self) -> Option<PathBuf> {
        let told = env::var_os(self.variable).map(PathBuf::from).filter(|path| path.is_file());
        // Debian keeps servers where only root's PATH leads.
        let known = |name: &&str| {
            which::which(name).ok().or_else(|| Some(Path::new("/usr/sbin").join(name)).filter(|path| path.is_file()))
        };
        told.or_else(|| self.names.iter().find_map(known))
    }
}

/// Where these programs are. What is missing is installed where that needs nobody's leave.
fn programs<const N: usize>(places: &Places, wanted: [Program; N]) -> Result<[PathBuf; N]> {
    let missing = |wanted: &[Program; N]| -> Vec<&'static str> {
        wanted.iter().filter(|program| program.find().is_none()).map(|program| program.package).collect()
    };
    let packages = missing(&wanted);
    if !packages.is_empty() && may_install() {
        say(&format!("Installing Debian's {}", packages.join(", ")));
        run(&mut command("apt-get", &["update"], &places.root))?;
        let mut install = command("apt-get", &["install", "--yes", "--no-install-recommends"], &places.root);
        // A run level of 1: the programs are wanted, and no server of the system is to be started.
        run(install.args(&packages).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1"))?;
    }
    let packages = missing(&wanted);
    if !packages.is_empty() {
        let variables: Vec<_> = wanted.iter().map(|program| program.variable).collect();
        bail!(
            "the tests need {0}. Debian and Ubuntu: apt-get install {0}; elsewhere say with {1} where the programs are",
            packages.join(" "),
            variables.join(", ")
        );
    }
    Ok(wanted.map(|program| program.find().unwrap_or_default()))
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
