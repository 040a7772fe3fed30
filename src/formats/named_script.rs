//! Scripts that only their name makes one: a system or a shell runs text by the ending of its name.
//!
//! Specification: Microsoft, "wscript", "PATHEXT"; the manuals of the interpreters.
//!
//! Only asked where the content is text of no other format. The name decides here because it is what the double click
//! goes by: the same bytes under another name run nowhere.

use super::{script, text};
use crate::{
    format::{Buried, Candidate, Format, Nature, Visit, has_extension},
    quote::quoted,
    rules::SCRIPT,
    stop::Stop,
};

/// Scripts by their name.
pub static FORMAT: Format = Format {
    id: "named-script",
    name: "a script by its name",
    spec: "https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/wscript",
    extensions: &["ps1", "psm1", "vbs", "vbe", "js", "jse", "wsf", "pyw", "groovy", "lua", "tcl"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Text,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let runs =
        has_extension(candidate.name, FORMAT.extensions) || has_extension(candidate.name, script::FORMAT.extensions);
    Ok(runs && (text::FORMAT.confirm)(candidate)?)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let range = 0..visit.bytes.end().min(64);
    visit.find(&SCRIPT, range, format!("By the ending of its name, {}.", quoted(visit.name)))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn text_under_the_name_of_a_script_is_one() {
        for name in ["a.vbs", "a.PS1", "b.py", "c.bat"] {
            assert_eq!(rules_of(&checked(name, "x = 1\n")), ["script"], "{name}");
            let archive = crate::formats::zip::sample::archive(&[(name, b"x = 1\n")]);
            assert_eq!(rules_of(&checked("a.zip", archive)), ["script"], "{name}");
        }
    }

    #[test]
    fn text_under_another_name_is_text() {
        for name in ["a.txt", "py", "a.csv", "vbs.md"] {
            assert_eq!(checked(name, "x = 1\n").verdict, Verdict::JustData, "{name}");
        }
    }

    #[test]
    fn what_is_no_text_is_no_script() {
        assert_eq!(checked("a.py", [1, 2, 3, 0xff]).layers[0].formats, [""; 0]);
    }
}
