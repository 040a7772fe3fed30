//! PHP: text in which an interpreter runs what stands between its tags.
//!
//! Specification: PHP manual, "Basic syntax: PHP tags".
//!
//! ```text
//! anything "<?php" blank  code  [ "?>" anything ]
//! ```
//! The interpreter passes over everything in front of its tag: an image or a document with the tag in a comment runs
//! as soon as a server takes it for a PHP file. That is why it is looked for in all room that formats leave.

use super::script::text_at_start;
use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// PHP.
pub static FORMAT: Format = Format {
    id: "php",
    name: "a PHP script",
    spec: "https://www.php.net/manual/en/language.basic-syntax.phptags.php",
    extensions: &["php", "phtml", "phar"],
    media_types: &["application/x-httpd-php"],
    marks: &[Mark::start(b"<?php")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Script,
    within: None,
    rules: &[],
};

/// The tag, a blank, and code: five letters alone stand in many a text.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(64)?;
    let Some([blank, code @ ..]) = head.strip_prefix(b"<?php") else { return Ok(false) };
    let text = code.iter().take_while(|byte| matches!(byte, b'\t'..=b'\r' | b' '..=b'~' | 0x80..)).count();
    // A statement ends, a call opens, a variable is named: prose about the tag has none of them right behind it.
    let code = code.get(..text).unwrap_or_default();
    let is_code = code.iter().any(|byte| matches!(byte, b'$' | b'(' | b';' | b'{' | b'/' | b'#'));
    Ok(blank.is_ascii_whitespace() && text >= 4 && is_code)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let text = text_at_start(visit.bytes)?;
    visit.structure(text, "script")
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn a_script_is_a_script_by_any_name() {
        assert_eq!(rules_of(&checked("a.txt", "<?php system($_GET['c']); ?>\n")), ["script"]);
        assert_eq!(rules_of(&checked("a.png", "<?php\nphpinfo();\n")), ["script"]);
    }

    #[test]
    fn code_in_a_comment_is_hidden() {
        let comment = b"photo <?php system($_GET['c']); ?>";
        let mut archive = crate::formats::zip::sample::archive(&[("a.txt", b"text\n")]);
        let len = archive.len();
        archive[len - 2] = comment.len() as u8;
        archive.extend(comment);
        assert_eq!(rules_of(&checked("a.zip", archive)), ["script-hidden"]);
    }

    #[test]
    fn prose_about_the_tag_is_text() {
        for text in ["<?php is the tag that opens\n", "<?phpx $a;\n", "<?php\n", "<?xml version='1.0'?>"] {
            assert!(!checked("a.txt", text).layers[0].formats.contains(&"php".to_string()), "{text}");
        }
        assert_eq!(checked("a.txt", "<?php is the tag that opens\n").verdict, Verdict::JustData);
    }
}
