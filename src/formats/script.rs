//! Scripts: text whose first bytes make an interpreter run it.
//!
//! Specification: POSIX.1-2024, `exec` family, on files that start with `#!`; the PHP manual, "PHP tags"; the Windows
//! command reference, `echo`.
//!
//! ```text
//! shebang   "#!" blank* "/" path [ blank argument ] LF
//! PHP       "<?php" white space
//! batch     [ "@" ] "echo off" end of line       in any case, first line
//! ```
//! Only what stands at the very start counts: that is where an interpreter looks.

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    stop::Stop,
};

/// Scripts.
pub static FORMAT: Format = Format {
    id: "script",
    name: "a script",
    spec: "https://pubs.opengroup.org/onlinepubs/9799919799/functions/exec.html",
    extensions: &["sh", "bash", "py", "pl", "rb", "php", "bat", "cmd"],
    media_types: &["application/x-sh"],
    marks: &[],
    confirm,
    read,
    buried: Buried::AtStart(confirm),
    nature: Nature::Script,
    within: None,
    rules: &[],
};

/// The longest first line that systems honour is shorter than this.
const LINE: usize = 512;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(LINE)?;
    let whole = (head.len() as u64) == candidate.bytes.len();
    let end = head.iter().position(|byte| matches!(byte, b'\n' | b'\r' | 0));
    let line = match end {
        Some(end) => head.get(..end).unwrap_or_default(),
        None if whole => &head,
        None => return Ok(false),
    };
    if !line.iter().all(|byte| *byte == b'\t' || (0x20..0x7f).contains(byte) || *byte >= 0x80) {
        return Ok(false);
    }
    Ok(is_shebang(line) || is_batch(line) || is_php(&head))
}

/// `#!` and the absolute path of an interpreter.
fn is_shebang(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"#!") else { return false };
    let path = rest.trim_ascii_start();
    let name = path.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
    let letters = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._+-".contains(byte);
    name.len() > 2 && name.starts_with(b"/") && !name.ends_with(b"/") && name.iter().all(letters)
}

fn is_batch(line: &[u8]) -> bool {
    let line = line.trim_ascii().to_ascii_lowercase();
    matches!(line.strip_prefix(b"@").unwrap_or(&line), b"echo off")
}

fn is_php(head: &[u8]) -> bool {
    head.strip_prefix(b"<?php").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
}

/// Claims the text up to the first byte that is none.
fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut at = 0;
    let mut buffer = vec![0; 64 << 10];
    while at < visit.bytes.end() {
        let count = visit.bytes.copy(at, &mut buffer)?;
        let window = buffer.get(..count).unwrap_or_default();
        let text = |byte: &u8| *byte >= 0x20 && *byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
        let len = window.iter().position(|byte| !text(byte)).unwrap_or(count);
        let end = at.saturating_add(len as u64);
        visit.structure(at..end, "script")?;
        if len < count {
            break;
        }
        at = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn scripts_are_found_at_the_start() {
        for text in
            ["#!/bin/sh\necho\n", "#! /usr/bin/env python3 -u\r\nprint()\n", "@ECHO OFF\r\ndir\r\n", "<?php\necho 1;\n"]
        {
            assert_eq!(rules_of(&checked("a.txt", text)), ["script"], "{text}");
        }
    }

    #[test]
    fn text_about_scripts_is_text() {
        for text in [
            "The first line is #!/bin/sh\n",
            "#!not a path\n",
            "#! \n",
            "#!/\n",
            "echo offline\n",
            "<?phpinfo\n",
            "# a comment\n#!/bin/sh\n",
        ] {
            assert_eq!(checked("a.txt", text).verdict, Verdict::JustData, "{text}");
        }
    }

    #[test]
    fn a_script_behind_other_bytes_is_hidden() {
        let mut bytes = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x03\0\xfc\xffabc\xc2\x41\x24\x35\x03\0\0\0".to_vec();
        assert_eq!(checked("a.gz", bytes.clone()).verdict, Verdict::JustData);
        bytes.extend(b"#!/bin/sh\necho hidden\n");
        assert_eq!(rules_of(&checked("a.gz", bytes)), ["script-hidden"]);
    }
}
