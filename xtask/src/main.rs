//! The chores of this repository. `cargo xtask` lists them.

mod page;
mod run;
mod serve;
mod setup;
mod test;
mod twice;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;

const USAGE: &str = "\
cargo xtask serve [--port N]   build the page and serve it on 127.0.0.1
cargo xtask dist               write dist: the page as a folder and as one file, the element, checksums
cargo xtask test [WORD]        the tests; with a word only the steps whose name holds it
                 --full        also those that install much: in documentation tools, and the build in another folder
                 --policy FILE with serve and dist: another published policy than www/policy.json
cargo xtask twice              build in another folder as well, and compare every byte
cargo xtask screenshot         write the pictures of the README
cargo xtask bench page         how the page answers while it checks 5 000 files, in a real browser
cargo xtask pack FILE          pack a WebAssembly module for the page, into FILE.xz

Each does its own set-up first, and says what it does.";

/// The port that is tried first; another is taken when it is in use.
const PORT: u16 = 8017;

fn main() -> ExitCode {
    match chore() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chore() -> Result<ExitCode> {
    let mut arguments = lexopt::Parser::from_env();
    let mut chore = None;
    let mut word = None;
    let mut port = None;
    let mut full = false;
    let mut policy = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(value) if chore.is_none() => chore = Some(value.string()?),
            Value(value) if matches!(chore.as_deref(), Some("test" | "bench" | "pack")) && word.is_none() => {
                word = Some(value.string()?);
            }
            Long("port") if chore.as_deref() == Some("serve") => port = Some(arguments.value()?.parse()?),
            Long("policy") if matches!(chore.as_deref(), Some("serve" | "dist")) => {
                let file: PathBuf = arguments.value()?.into();
                policy = Some(file.canonicalize().with_context(|| file.display().to_string())?);
            }
            Long("full") if chore.as_deref() == Some("test") => full = true,
            Short('h') | Long("help") => chore = None,
            other => return Err(other.unexpected().into()),
        }
    }
    let places = Places { policy, ..Places::of_this_repository()? };
    match chore.as_deref() {
        Some("serve") => {
            let dist = places.built().join("dist");
            page::build(&places, &dist)?;
            serve::serve(&dist.join("site"), port)?;
        }
        Some("dist") => {
            let dist = places.dist();
            page::build(&places, &dist)?;
            println!("\nThe page is in {0}/site and {0}/just-data.html, the element in {0}/element", dist.display());
        }
        Some("test") => return test::test(&places, word.as_deref(), full),
        Some("twice") => twice::twice(&places)?,
        Some("screenshot") => page::screenshot(&places)?,
        Some("bench") if word.as_deref() == Some("page") => page::bench(&places)?,
        Some("bench") => bail!("what is measured? There is: cargo xtask bench page\n\n{USAGE}"),
        Some("pack") => page::pack(Path::new(&word.context("which file is packed?")?))?,
        None => println!("{USAGE}"),
        Some(other) => bail!("there is no chore \"{other}\"\n\n{USAGE}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Where things are.
struct Places {
    /// The root of the repository.
    root: PathBuf,
    /// The target folder that cargo uses.
    target: PathBuf,
    /// A policy to publish in place of this repository's.
    policy: Option<PathBuf>,
}

impl Places {
    fn of_this_repository() -> Result<Self> {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the repository")?.to_path_buf();
        // This program is <target>/<profile>/xtask, wherever cargo was told to put its target folder.
        let program = env::current_exe().context("where this program is")?;
        let target = program.ancestors().nth(2).context("this program lies in the target folder")?.to_path_buf();
        Ok(Places { root, target, policy: None })
    }

    /// What travels.
    fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// What is built of the page, apart from what `dist` is asked to write.
    fn built(&self) -> PathBuf {
        self.target.join("page")
    }

    /// The WebAssembly core as wasm-pack writes it.
    fn core(&self) -> PathBuf {
        self.built().join("core")
    }

    /// Programs that are built or installed once.
    fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// The examples of how the element and the page are put to use.
    fn embed(&self) -> PathBuf {
        self.root.join("embed")
    }

    fn www(&self) -> PathBuf {
        self.root.join("www")
    }

    fn page_tests(&self) -> PathBuf {
        self.root.join("tests").join("page")
    }
}
