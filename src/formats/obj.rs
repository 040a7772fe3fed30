//! Wavefront OBJ: points, faces, curves and surfaces as lines of text.
//!
//! Specification: Wavefront, "Object Files (.obj)", appendix B1 of the Advanced Visualizer manual, version 3.0.
//!
//! ```text
//! line    = keyword and arguments | # comment | empty          a backslash at the end goes on in the next line
//! geometry  v vt vn vp · f fo p l · cstype deg bmat step curv curv2 surf parm trim hole scrv sp end con
//! names     g o s mg usemtl usemap
//! files     mtllib maplib shadow_obj trace_obj call
//! commands  csh
//! ```
//! `csh` runs a command of the shell, `call` reads the lines of another file as if they stood here: both by
//! specification. The other keywords of files name materials, textures and meshes.

use std::ops::Range;

use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    numbers::{are_numbers, is_number, tokens},
    quote::{quoted, quoted_bytes},
    reference::{Reference, classify},
    rule::{Guideline, Rule, Runs, Severity},
    rules,
    stop::Stop,
};

/// Wavefront OBJ.
pub static FORMAT: Format = Format {
    id: "obj",
    name: "Wavefront OBJ",
    spec: "https://paulbourke.net/dataformats/obj/",
    extensions: EXTENSIONS,
    media_types: &["model/obj"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[&CALLS_FILE, &RUNS_COMMAND],
};

const EXTENSIONS: &[&str] = &["obj"];

/// A `csh` line.
static RUNS_COMMAND: Rule = Rule {
    id: "obj-runs-command",
    title: "This mesh asks for a command to be run when it is opened",
    why: "The format has a line that runs a command of the shell when it is read. Programs that honour the whole \
          specification of Wavefront run whatever stands there when they open the mesh.",
    advice: "Do not open it. A mesh needs no such line: ask the sender for a plain one.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://paulbourke.net/dataformats/obj/"],
};

/// A `call` line.
static CALLS_FILE: Rule = Rule {
    id: "obj-calls-file",
    title: "This mesh reads the lines of another file when it is opened",
    why: "The format has a line that reads another file as if its lines stood here, commands among them. What is in it \
          was not checked with this file.",
    advice: "Check the other file as well, or ask the sender for one file that holds all.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://paulbourke.net/dataformats/obj/"],
};

/// How much is looked at to recognise a mesh, in bytes.
const LOOK: usize = 8 << 10;

/// There is no magic number. With the name, one geometry line is enough; without, all lines must be of the format.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(LOOK)?;
    if head.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c)) {
        return Ok(false);
    }
    let whole = head.len() as u64 == candidate.bytes.len();
    let end = if whole { Some(head.len()) } else { memchr::memrchr(b'\n', &head) };
    let head = head.get(..end.unwrap_or(head.len())).unwrap_or_default();
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let (mut telling, mut points, mut foreign) = (0usize, 0usize, 0usize);
    let mut goes_on = false;
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii_end();
        let stem = line.strip_suffix(b"\\");
        if std::mem::replace(&mut goes_on, stem.is_some()) {
            continue;
        }
        match Statement::of(stem.unwrap_or(line)) {
            Statement::Point => points = points.saturating_add(1),
            Statement::Elements | Statement::Command | Statement::Call(_) => telling = telling.saturating_add(1),
            Statement::Files(_) => telling = telling.saturating_add(1),
            Statement::Foreign => foreign = foreign.saturating_add(1),
            Statement::Blank | Statement::Comment | Statement::Name | Statement::Other => {}
        }
    }
    if candidate.is_named(EXTENSIONS) {
        return Ok(points.saturating_add(telling) > 0);
    }
    Ok(foreign == 0 && points >= 3)
}

/// The longest line with all that continues it.
const LONGEST: usize = 256 << 10;

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    if cursor.peek(3)? == b"\xef\xbb\xbf" {
        visit.structure(0..3, "byte order mark")?;
        cursor.seek(3);
    }
    let mut follower = Follower::default();
    while let Some((mut range, mut line)) = cursor.line(LONGEST)? {
        while line.trim_ascii_end().ends_with(b"\\") {
            let Some((more, rest)) = cursor.line(LONGEST)? else { break };
            let end = line.trim_ascii_end().len().saturating_sub(1);
            line.truncate(end);
            line.push(b' ');
            line.extend(rest);
            range.end = more.end;
            if line.len() > LONGEST {
                return Err(Stop::malformed(range.start, "a shorter line"));
            }
        }
        match Statement::of(&line) {
            Statement::Point | Statement::Elements | Statement::Other | Statement::Blank => {
                visit.structure(range, "geometry")?;
            }
            Statement::Comment => visit.slack(range, "comment")?,
            Statement::Name => visit.slack(range, "name")?,
            Statement::Files(names) => {
                visit.structure(range.clone(), "names of files")?;
                find_references(visit, &mut follower, &range, &names)?;
            }
            Statement::Call(name) => {
                visit.structure(range.clone(), "call of a file")?;
                let said = classify(&name).saying().into_owned();
                visit.find(&CALLS_FILE, range.clone(), format!("It calls {}, which {said}.", quoted(&name)))?;
                find_references(visit, &mut follower, &range, &name)?;
            }
            Statement::Command => {
                visit.structure(range.clone(), "command")?;
                visit.find(&RUNS_COMMAND, range, format!("The line is {}.", quoted_bytes(line.trim_ascii())))?;
            }
            Statement::Foreign => {}
        }
    }
    Ok(())
}

/// References in a list of names between spaces; a name with spaces in it is one of the readings, too.
fn find_references(
    visit: &mut Visit<'_>,
    follower: &mut Follower,
    range: &Range<u64>,
    names: &str,
) -> Result<(), Stop> {
    let farthest = std::iter::once(names)
        .chain(names.split_whitespace())
        .map(|name| (classify(name).reach, name))
        .max_by_key(|(reach, _)| *reach);
    match farthest {
        Some((_, name)) => follower.follow(visit, range.clone(), "A file that it names", name).map(|_| ()),
        None => Ok(()),
    }
}

/// Reports a reference that a rule is about.
pub(super) fn report_reference(
    visit: &mut Visit<'_>,
    range: &Range<u64>,
    reference: Option<(&str, Reference)>,
) -> Result<(), Stop> {
    let Some((name, reference)) = reference else { return Ok(()) };
    let Some(rule) = rules::of_reference(&reference) else { return Ok(()) };
    visit.find(rule, range.clone(), format!("It names {}, which {}.", quoted(name), reference.saying()))
}

enum Statement {
    Blank,
    Comment,
    Point,
    /// Faces, lines, points by their numbers.
    Elements,
    /// Free text: groups, objects, materials.
    Name,
    /// Names of files.
    Files(String),
    Call(String),
    Command,
    /// Free-form curves, surfaces and display attributes.
    Other,
    Foreign,
}

impl Statement {
    fn of(line: &[u8]) -> Self {
        let line = line.trim_ascii();
        let mut words = tokens(line);
        let Some(keyword) = words.next() else { return Statement::Blank };
        if keyword.starts_with(b"#") {
            return Statement::Comment;
        }
        let rest = line.get(keyword.len()..).unwrap_or_default().trim_ascii();
        // Some writers put a comment behind the arguments.
        let plain = rest.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
        let text = || String::from_utf8_lossy(rest).into_owned();
        let when = |fits: bool, statement: Statement| if fits { statement } else { Statement::Foreign };
        let any_or = |fits: fn(&[u8]) -> bool| tokens(plain).all(fits);
        match keyword {
            b"v" => when(are_numbers(plain) && tokens(plain).count() >= 3, Statement::Point),
            b"vt" | b"vn" | b"vp" => when(are_numbers(plain), Statement::Elements),
            b"f" | b"fo" | b"l" | b"p" => when(!plain.is_empty() && any_or(is_index), Statement::Elements),
            b"g" | b"o" | b"usemtl" | b"usemap" => Statement::Name,
            b"s" | b"mg" => when(any_or(is_word), Statement::Other),
            b"mtllib" | b"maplib" | b"shadow_obj" | b"trace_obj" => when(!rest.is_empty(), Statement::Files(text())),
            b"call" => when(!rest.is_empty(), Statement::Call(text())),
            b"csh" => Statement::Command,
            b"cstype" | b"deg" | b"bmat" | b"step" | b"curv" | b"curv2" | b"surf" | b"parm" | b"trim" | b"hole"
            | b"scrv" | b"sp" | b"end" | b"con" | b"bsp" | b"bzp" | b"cdc" | b"cdp" | b"res" | b"bevel"
            | b"c_interp" | b"d_interp" | b"lod" | b"ctech" | b"stech" => when(any_or(is_word), Statement::Other),
            _ => Statement::Foreign,
        }
    }
}

/// `7`, `-7`, `7/8`, `7/8/9`, `7//9`.
fn is_index(token: &[u8]) -> bool {
    let mut parts = token.split(|byte| *byte == b'/');
    let number = |part: &[u8]| {
        let digits = part.strip_prefix(b"-").unwrap_or(part);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    parts.next().is_some_and(number) && parts.all(|part| part.is_empty() || number(part))
}

/// A number, an index or a short word of the format: rat, bmatrix, bezier, on, off, curv …
fn is_word(token: &[u8]) -> bool {
    is_number(token) || is_index(token) || (token.len() <= 12 && token.iter().all(u8::is_ascii_alphanumeric))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    const SAMPLE: &str = "# made by hand\nmtllib skin.mtl\no part one\nv 0 0 0\nv 1 0 0 1.0\nv 0 1e0 -0 0.5 0.5 0.5\n\
                          vt 0.5 1\nvn 0 0 1\ng a b; c\nusemtl red\ns off\nf 1/1/1 2//1 -1\nl 1 2 \\\n 3\n\
                          cstype rat bmatrix\ndeg 3\ncurv 0.0 4.0 1 2 3\nparm u 0 1 2\nend\n\n";

    #[test]
    fn meshes_are_just_data() {
        for (name, text) in [("a.obj", SAMPLE.to_string()), ("member", SAMPLE.replace('\n', "\r\n"))] {
            let report = checked(name, text);
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["obj"]);
        }
    }

    #[test]
    fn commands_are_found() {
        for line in ["csh touch here", "csh -touch here", "csh \\\n touch here"] {
            assert_eq!(rules_of(&checked("a.obj", format!("{SAMPLE}{line}\n"))), ["obj-runs-command"]);
        }
        let look_alike = SAMPLE.replace("# made", "# csh touch made").replace("usemtl red", "usemtl csh red");
        assert_eq!(checked("a.obj", look_alike).verdict, Verdict::JustData);
    }

    #[test]
    fn calls_are_found() {
        assert_eq!(rules_of(&checked("a.obj", format!("{SAMPLE}call part.obj 1 2\n"))), ["obj-calls-file"]);
        let outside = checked("a.obj", format!("{SAMPLE}call /part.obj\n"));
        assert_eq!(rules_of(&outside), ["obj-calls-file", "reference-by-whole-path"]);
        let look_alike = SAMPLE.replace("o part one", "o call part.obj");
        assert_eq!(checked("a.obj", look_alike).verdict, Verdict::JustData);
    }

    #[test]
    fn files_outside_the_folder_are_found() {
        for (name, rule) in [
            ("../../../skin.mtl", "reference-far-above"),
            ("a.mtl /etc/hostname", "reference-by-whole-path"),
            ("\\\\host\\share\\skin.mtl", "reference-to-server"),
        ] {
            assert_eq!(rules_of(&checked("a.obj", SAMPLE.replace("skin.mtl", name))), [rule]);
        }
        for name in ["my skin.mtl other.mtl", "../materials/skin.mtl"] {
            assert_eq!(checked("a.obj", SAMPLE.replace("skin.mtl", name)).verdict, Verdict::JustData);
        }
    }

    #[test]
    fn other_lines_are_news() {
        for line in ["import os", "echo hello, and more", "f $(id)", "v 1 2 x"] {
            assert_eq!(rules_of(&checked("a.obj", format!("{SAMPLE}{line}\n"))), ["unexplained-bytes"]);
        }
    }

    #[test]
    fn other_text_is_no_mesh() {
        assert_eq!(checked("notes.txt", "v 1 2 3\nsome words\nv 1 2 3\nv 1 2 3\n").layers[0].formats, ["text"]);
        assert!(checked("coff.obj", [0x4c, 0x01, 0, 0, b'\n', b'v', b' ', b'1']).layers[0].formats.is_empty());
    }

    #[test]
    fn no_cut_panics() {
        for len in 0..SAMPLE.len() {
            checked("a.obj", &SAMPLE[..len]);
        }
    }

    #[test]
    fn msh_02_commands_and_calls() {
        told("a.obj", format!("{SAMPLE}csh touch here\n"), "obj-runs-command", SAMPLE);
        told("b.obj", format!("{SAMPLE}call part.obj\n"), "obj-calls-file", SAMPLE);
        told("c.obj", SAMPLE.replace("skin.mtl", "\\\\192.0.2.1\\s\\a.mtl"), "reference-to-server", SAMPLE);
    }
}
