//! Scripts that name what runs them: a shebang line, or the first line of a batch file.
//!
//! Specification: POSIX.1-2024 `exec` and Linux `execve(2)` for "#!"; Microsoft, "Windows Commands" for batch files.
//!
//! ```text
//! "#!" blanks  path of the interpreter  blanks  argument  LF       whatever follows
//! blanks "@" command …                                             commands, one a line
//! ```
//! The kernel looks at the first line only, and a shell reads line by line: what follows may be an image. So only the
//! first line is asked to be text. Scripts that only their name makes one are another format.

use std::ops::Range;

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Nature, Visit},
    stop::Stop,
};

/// Scripts by their first line.
pub static FORMAT: Format = Format {
    id: "script",
    name: "a script",
    spec: "https://man7.org/linux/man-pages/man2/execve.2.html",
    extensions: &["sh", "bash", "zsh", "command", "bat", "cmd", "py", "pl", "rb", "run"],
    media_types: &["application/x-sh"],
    // Batch files are read whatever the case, and blanks may stand in front.
    marks: &[],
    confirm,
    read,
    buried: Buried::AtStart(confirm_buried),
    nature: Nature::Script,
    within: None,
    rules: &[],
};

/// Linux reads 256 bytes of the first line.
const FIRST_LINE: usize = 256;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(FIRST_LINE)?;
    Ok(is_shebang(&head) || is_batch(&head) || is_silenced(&head))
}

/// Two words of prose may start any room: only a sign in front of them counts there.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(FIRST_LINE)?;
    Ok(is_shebang(&head) || is_batch(&head))
}

/// Claims the text from the start on; what is not text belongs to whoever explains it.
fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let text = text_at_start(visit.bytes)?;
    visit.structure(text, "script")
}

/// The text at the start: up to the first zero byte or other control character that no text has.
pub(crate) fn text_at_start(bytes: &Bytes) -> Result<Range<u64>, Stop> {
    let mut buffer = vec![0; 64 << 10];
    let mut at = bytes.start();
    while at < bytes.end() {
        let count = bytes.copy(at, &mut buffer)?;
        let window = buffer.get(..count).unwrap_or_default();
        let is_control = |byte: &u8| (*byte < 0x20 && !matches!(*byte, b'\t'..=b'\r' | 0x1a | 0x1b)) || *byte == 0x7f;
        if let Some(end) = window.iter().position(is_control) {
            return Ok(bytes.start()..at.saturating_add(end as u64));
        }
        at = at.saturating_add(count as u64);
    }
    Ok(bytes.range())
}

/// "#!" and an absolute path whose last part names something.
fn is_shebang(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"#!") else { return false };
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r' | 0)).unwrap_or(rest.len());
    let line = rest.get(..end).unwrap_or_default().trim_ascii();
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t'));
    let interpreter = words.next().unwrap_or_default();
    let in_path = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'+' | b'@');
    let named =
        interpreter.rsplit(|byte| *byte == b'/').next().is_some_and(|name| name.iter().any(u8::is_ascii_alphabetic));
    interpreter.starts_with(b"/") && named && interpreter.iter().all(in_path)
}

/// A batch file whose first line is "echo off" without a sign.
fn is_silenced(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    line.trim_ascii_end().eq_ignore_ascii_case(b"echo off")
}

/// An "@" at the start of a line hides a command from the screen; a batch file starts so. Style sheets and
/// bibliographies start with an "@" too, and with other words.
fn is_batch(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let Some(rest) = head.strip_prefix(b"@") else { return false };
    let rest = rest.trim_ascii_start();
    let len = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, behind) = rest.split_at_checked(len).unwrap_or_default();
    let ends = behind.first().is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'.' | b'&'));
    let command = word.to_ascii_lowercase();
    ends && matches!(
        command.as_slice(),
        b"echo"
            | b"rem"
            | b"setlocal"
            | b"call"
            | b"start"
            | b"title"
            | b"cls"
            | b"cmd"
            | b"powershell"
            | b"pushd"
            | b"goto"
    )
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn a_script_is_a_script_by_any_name() {
        for script in [
            "#!/bin/sh\nid\n",
            "#! /usr/bin/env python3\nprint()\n",
            "@echo off\r\ncalc\r\n",
            "Echo off\r\n",
            " @ECHO OFF\r\n",
        ] {
            let report = checked("a.txt", script);
            assert_eq!(rules_of(&report), ["script"], "{script}");
            assert_eq!(report.layers[0].coverage.unexplained, 0);
        }
    }

    #[test]
    fn text_that_looks_like_one_is_text() {
        for text in [
            "#!important\n",
            "#![allow(dead_code)]\n",
            "#! not a path\n",
            "#!/ /\n",
            "@article{a, title={b}}\n",
            "@charset \"utf-8\";\n",
            "@import url(a.css);\n",
            "@echoes of the past\n",
            "echo offline\n",
            "# !/bin/sh\n",
        ] {
            assert_eq!(checked("a.txt", text).verdict, Verdict::JustData, "{text}");
        }
    }

    #[test]
    fn a_script_in_front_of_an_archive_is_hidden() {
        let files = [crate::formats::zip::sample::File::stored("a.txt", b"text\n")];
        let report = checked("a.zip", crate::formats::zip::sample::build(b"#!/bin/sh\nexec sh\n", &files));
        assert_eq!((report.verdict, rules_of(&report)[0]), (Verdict::Code, "script-hidden"));
    }

    #[test]
    fn a_script_in_room_for_anything_is_hidden() {
        let comment = b"#!/bin/sh\nid\n";
        let mut archive = crate::formats::zip::sample::archive(&[("a.txt", b"text\n")]);
        let len = archive.len();
        archive[len - 2] = comment.len() as u8;
        archive.extend(comment);
        assert_eq!(rules_of(&checked("a.zip", archive)), ["script-hidden"]);
    }
}
