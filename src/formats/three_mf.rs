//! 3MF: a model for printing, with its textures and settings, in a ZIP archive.
//!
//! Specification: 3MF Core Specification, section 2; Open Packaging Conventions.
//!
//! ```text
//! [Content_Types].xml            what the parts are
//! _rels/.rels                    which part is the model
//! 3D/3dmodel.model               the model, with 3D/_rels/3dmodel.model.rels
//! Metadata/thumbnail.png         a picture of it
//! Metadata/*.config              the settings of the program that made it
//! ```
//! The parts are layers of their own. The settings of some programs name commands that are run on the finished print
//! file: `; post_process = …` in a text, `"post_process": [ … ]` in JSON.

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::{
        json::{Step, Token, Walker},
        zip::{self, Entry},
    },
    quote::{quoted, quoted_bytes},
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// 3MF.
pub static FORMAT: Format = Format {
    id: "three-mf",
    name: "3MF package",
    spec: "https://github.com/3MFConsortium/spec_core/blob/master/3MF%20Core%20Specification.md",
    extensions: &["3mf"],
    media_types: &["model/3mf"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&zip::FORMAT),
    rules: &[&COMMAND],
};

/// A command among the settings.
static COMMAND: Rule = Rule {
    id: "three-mf-command",
    title: "The print settings in this model name a command that is run",
    why: "Programs that prepare the model for printing take over its settings. One of them names a command, which is run \
          on this computer when the print file is written.",
    advice: "Remove the command from the settings before you write a print file, or take over the model only.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://help.prusa3d.com/article/post-processing-scripts_283913"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let entries = zip::entries(candidate.bytes)?;
    let any = |fits: fn(&str) -> bool| entries.iter().any(|entry| fits(&entry.name.to_ascii_lowercase()));
    Ok(any(|name| name == "[content_types].xml") && any(|name| name.ends_with(".model")))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    for entry in zip::entries(visit.bytes)? {
        if !entry.name.to_ascii_lowercase().ends_with(".config") {
            continue;
        }
        // What cannot be decoded is told by the reader of archives.
        match zip::content(visit.bytes, &entry) {
            Ok(content) => settings(visit, &entry, &content)?,
            Err(stop) if stop.ends_check() => return Err(stop),
            Err(_) => {}
        }
    }
    Ok(())
}

/// Settings that are longer than this are none.
const LONGEST: u64 = 16 << 20;

/// The longest line of settings.
const LINE: usize = 1 << 20;

/// The setting that names commands.
const KEY: &str = "post_process";

fn settings(visit: &mut Visit<'_>, entry: &Entry, content: &Bytes) -> Result<(), Stop> {
    let content = content.window(0..LONGEST);
    let commands = match content.peek(0, 1)?.as_slice() {
        b"{" => in_json(&content),
        _ => in_text(&content),
    };
    match commands {
        Ok(Some(command)) => {
            let message = format!("{} names {}.", quoted(&entry.name), quoted_bytes(&command));
            visit.find(&COMMAND, entry.data.clone(), message)
        }
        Err(stop) if stop.ends_check() => Err(stop),
        // The settings are a layer of their own, whose reader tells damage.
        Ok(None) | Err(_) => Ok(()),
    }
}

/// The first command in settings of one line each.
fn in_text(content: &Bytes) -> Result<Option<Vec<u8>>, Stop> {
    let mut cursor = content.cursor();
    while let Some((_, line)) = cursor.line(LINE)? {
        let setting = line.trim_ascii().strip_prefix(b";").unwrap_or(&line).trim_ascii();
        let Some(rest) = setting.strip_prefix(KEY.as_bytes()) else { continue };
        let Some(value) = rest.trim_ascii().strip_prefix(b"=") else { continue };
        let value = value.trim_ascii();
        if !value.is_empty() && value != b"\"\"" {
            return Ok(Some(value.to_vec()));
        }
    }
    Ok(None)
}

/// The first command in settings in JSON.
fn in_json(content: &Bytes) -> Result<Option<Vec<u8>>, Stop> {
    let mut walker = Walker::new(content)?;
    while let Some(event) = walker.step()? {
        let Token::String(text) = &event.token else { continue };
        let is_command = walker.path().any(|step| step == Step::Key(KEY));
        if is_command && !text.text().trim().is_empty() {
            return Ok(Some(text.text().as_bytes().to_vec()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        formats::zip::sample::archive,
        report::Verdict,
    };

    const TYPES: &[u8] =
        b"<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    const MODEL: &[u8] =
        b"<?xml version=\"1.0\"?><model xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/2015/02\"/>";

    fn package(name: &str, content: &[u8]) -> Vec<u8> {
        archive(&[("[Content_Types].xml", TYPES), ("3D/3dmodel.model", MODEL), (name, content)])
    }

    fn relationships(target: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"r\" Type=\"http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel\" Target={target}/>\
             </Relationships>"
        )
    }

    #[test]
    fn packages_are_just_data() {
        let report = checked("a.3mf", package("_rels/.rels", relationships("\"/3D/3dmodel.model\"").as_bytes()));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
        assert_eq!(report.layers[0].formats, ["zip", "three-mf"]);
        assert_eq!(report.layers[2].formats, ["xml", "three-mf-model"]);
        for settings in [
            "; layer_height = 0.2\n; post_process = \n; notes = post_process = x\n",
            "; post_process = \"\"\n; post_process_x = y\n",
            "{\"post_process\": [\"\"], \"notes\": [\"post_process\"]}",
        ] {
            let report = checked("a.3mf", package("Metadata/Slic3r_PE.config", settings.as_bytes()));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{settings}");
        }
    }

    #[test]
    fn relationships_that_leave_the_package_are_found() {
        let remote = relationships("\"https://example.org/a.model\" TargetMode=\"External\"");
        assert_eq!(rules_of(&checked("a.3mf", package("_rels/.rels", remote.as_bytes()))), ["reference-to-server"]);
    }

    #[test]
    fn commands_in_settings_are_found() {
        for settings in [
            "; layer_height = 0.2\r\n; post_process = /bin/sh x.sh\r\n",
            "post_process=calc",
            "{\"a\": 1, \"post_process\": [\"\", \"calc\"]}",
        ] {
            let report = checked("a.3mf", package("Metadata/project_settings.config", settings.as_bytes()));
            assert_eq!(rules_of(&report), ["three-mf-command"], "{settings}");
        }
    }

    #[test]
    fn unknown_parts_are_not_passed_over() {
        assert_eq!(checked("a.3mf", package("Metadata/x.bin", &[1, 2, 3, 0xff])).verdict, Verdict::Unfinished);
        assert_eq!(rules_of(&checked("a.3mf", package("x.sh", b"#!/bin/sh\necho hello\n"))), ["script"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = package("a.txt", b"text\n");
        for len in 4..whole.len() {
            assert_ne!(checked("a.3mf", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
