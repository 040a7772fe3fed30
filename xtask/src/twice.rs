//! The same sources in another folder give the same bytes: whoever builds can check what others have built.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{
    Places, page,
    run::{command, output, path_with, run, say},
};

/// Builds what travels here, and in a copy of the sources in a folder of another name and depth, and compares.
pub fn twice(places: &Places) -> Result<()> {
    let dist = places.built().join("dist");
    page::build(places, &dist)?;

    let elsewhere = places.built().join("elsewhere");
    let copy = elsewhere.join("a folder of another name").join("sources");
    let _ = fs::remove_dir_all(&elsewhere);
    say("Building in another folder");
    let mut files = command("git", &["ls-files", "--cached", "--others", "--exclude-standard"], &places.root);
    for file in output(&mut files).context("git knows the sources")?.lines() {
        let (from, to) = (places.root.join(file), copy.join(file));
        // A file may be removed and not yet committed as such.
        if from.is_file() {
            fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
            fs::copy(from, to)?;
        }
    }
    let target = elsewhere.join("target");
    // The tools are the same, and need not be installed once more.
    let tools = path_with(&[&places.tools().join("bin")])?;
    run(command("cargo", &["xtask", "dist"], &copy).env("CARGO_TARGET_DIR", &target).env("PATH", tools))?;

    let [here, there] = [dist, copy.join("dist")].map(|dist| fs::read_to_string(dist.join("SHA256SUMS")));
    let (here, there) = (here?, there?);
    let other: Vec<_> = there.lines().filter(|line| !here.lines().any(|own| own == *line)).collect();
    if here != there {
        bail!("built elsewhere, these files have other bytes:\n{}", other.join("\n"));
    }
    println!("\n{} files, the same bytes in both folders", here.lines().count());
    fs::remove_dir_all(elsewhere).context("removing the copy")
}
