//! Pickle of protocol 0 or 1, which has no mark: any opcode may come first.
//!
//! Specification: as for [`super::pickle`], which reads it. Here is only what it takes to believe that bytes without
//! a mark are a pickle: the machine must run over them, and reach an import and a call, or the end of the file.

use super::pickle::{self, EXTENSIONS, Survey, is_whole_program, survey};
use crate::{
    format::{Buried, Candidate, Format, Nature},
    stop::Stop,
};

/// Pickle without a mark.
pub static FORMAT: Format = Format {
    id: "pickle-text",
    name: "Python pickle (protocol 0 or 1)",
    spec: "https://docs.python.org/3/library/pickletools.html",
    extensions: EXTENSIONS,
    media_types: &[],
    marks: &[],
    confirm,
    read: pickle::read,
    buried: Buried::AtStart(confirm_buried),
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// Opcodes that are looked at.
const LOOK: u64 = 4096;

/// Opcodes that a buried pickle may have.
const BURIED: u64 = 1 << 16;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let Some(survey) = survey_unmarked(candidate, LOOK)? else { return Ok(false) };
    let named = candidate.is_named(EXTENSIONS);
    let sound = survey.misnomers == 0;
    let end = candidate.bytes.end();
    Ok(match (survey.stopped, &survey.broke) {
        (Some(stopped), _) if stopped == end => sound,
        (Some(_), _) => survey.imports > 0 && sound || named && survey.opcodes > 1,
        (None, Some(_)) => survey.imports > 0 && sound && (survey.calls > 0 || named),
        (None, None) => true,
    })
}

fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(survey_unmarked(candidate, BURIED)?.is_some_and(|survey| is_whole_program(&survey)))
}

/// `None` where the first byte is no opcode that can come first, or is the mark of another protocol.
fn survey_unmarked(candidate: &Candidate<'_>, most: u64) -> Result<Option<Survey>, Stop> {
    let first = candidate.head(2)?;
    let opens = match first.as_slice() {
        // Not PERSID: without a loading program of its own, Python refuses it.
        [b'(' | b')' | b']' | b'}' | b'c' | b'N', ..] => true,
        [b'I' | b'J' | b'K' | b'L' | b'M' | b'F' | b'G' | b'S' | b'T' | b'U' | b'V' | b'X' | b'B' | b'C', ..] => true,
        [0x8a..=0x8f | 0x95 | 0x96 | 0x88 | 0x89, ..] => true,
        [0x80, 0 | 1] => true,
        _ => false,
    };
    if !opens {
        return Ok(None);
    }
    survey(candidate.bytes, most).map(Some)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn a_call_is_found() {
        let report = checked("data.pkl", b"cos\nsystem\n(S'echo hello'\ntR.");
        assert_eq!(report.layers[0].formats, ["pickle-text"]);
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["pickle-runs-code"]));
        assert!(report.findings[0].message.contains("os.system"), "{}", report.findings[0].message);
    }

    #[test]
    fn values_are_just_data() {
        for plain in [&b"(dp0\nS'a'\np1\nI1\nsS'b'\np2\n(lp3\nF1.5\nasS'c'\np4\nNs."[..], b"I42\n.", b"]."] {
            let report = checked("data.pkl", plain);
            assert_eq!(
                (report.verdict, &report.layers[0].formats[..]),
                (Verdict::JustData, &["pickle-text".into()][..])
            );
        }
    }

    #[test]
    fn a_program_that_breaks_after_its_call_is_found() {
        let report = checked("notes.pkl", b"cos\nsystem\n(S'echo hello'\ntR\xff\xff\xff");
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["pickle-runs-code"]));
    }

    #[test]
    fn ordinary_text_is_no_pickle() {
        for text in
            ["a test.", "12.5\n13.5\n", "(see below)\n", "cat\ndog\nemu\n", "I am.\n", "(in Python\nwe do\n)", "Now.\n"]
        {
            let report = checked("notes.txt", text);
            assert_eq!(report.layers[0].formats, ["text"], "{text:?}");
        }
    }
}
