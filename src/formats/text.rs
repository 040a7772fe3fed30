//! Plain text in its encodings: UTF-8, UTF-16 and UTF-32 with or without a byte order mark, and single-byte text.
//!
//! Specification: the Unicode Standard, sections 3.10 (encodings), 23.8 (byte order mark) and Annex 9 (direction).
//!
//! ```text
//! EF BB BF     UTF-8         FF FE        UTF-16LE      FE FF        UTF-16BE
//! FF FE 00 00  UTF-32LE      00 00 FE FF  UTF-32BE      nothing      UTF-8, UTF-16, UTF-32 or one byte a character
//! ```
//! Only tried where no other format recognised the layer: text is what remains when nothing says otherwise. UTF-16 and
//! UTF-32 are brought into UTF-8 as a layer of their own, which every format is then tried on.
//!
//! Characters that turn the writing direction can make source text read other than it runs. Where text in a right-to-left
//! script stands beside them they do their work; overrides, and right-to-left marks among nothing but left-to-right
//! letters, deceive.

use std::rc::Rc;

use crate::{
    format::{Buried, Candidate, Format, Nature, Role, Span, Visit},
    rule::{Guideline, Rule, Runs, Severity},
    source::{Paged, Transcoded, Units},
    stop::Stop,
};

/// Plain text.
pub static FORMAT: Format = Format {
    id: "text",
    name: "plain text",
    spec: "https://www.unicode.org/versions/latest/",
    // FSL writes its transforms as plain text under the ending of MATLAB.
    extensions: &["txt", "md", "log", "rst", "mat"],
    media_types: &["text/plain"],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Text,
    within: None,
    rules: &[&DIRECTION_TURNED, &HIDDEN_LETTERS],
};

/// Marks that reorder text that needs none.
static DIRECTION_TURNED: Rule = Rule {
    id: "text-direction-turned",
    title: "This text reads differently than it is",
    why: "Invisible characters turn the writing direction, so that letters are shown in another order than programs read \
          them. Nothing in the line is written from right to left.",
    advice: "Look at it in an editor that shows these characters, before you trust what you read.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://trojansource.codes/", "https://www.unicode.org/reports/tr9/"],
};

/// Letters that nobody sees.
static HIDDEN_LETTERS: Rule = Rule {
    id: "text-hidden-letters",
    title: "This text carries letters that nobody sees",
    why: "Tag characters are not shown, but programs, and assistants that read the text, see whole sentences in them.",
    advice: "Do not give the text to an assistant before you know what it says.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://www.unicode.org/charts/PDF/UE0000.pdf"],
};

/// How much is looked at to recognise text, in bytes.
const LOOK: usize = 4096;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    is_text(candidate)
}

/// Whether a layer starts like text in any encoding.
///
/// # Errors
/// Those of the source and the budget.
pub(crate) fn is_text(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(LOOK)?;
    let whole = (head.len() as u64) == candidate.bytes.len();
    if units(&head, whole).is_some() {
        return Ok(true);
    }
    let whole_text =
        text_len(&head, whole).is_some_and(|len| len == head.len() || (!whole && len.saturating_add(4) > head.len()));
    let single = std::str::from_utf8(&head).is_err_and(|error| whole || error.error_len().is_some());
    Ok(whole_text && (!single || is_plausible(&head)))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let head = visit.bytes.peek(0, LOOK)?;
    let whole = (head.len() as u64) == visit.bytes.len();
    if let Some((units, mark)) = units(&head, whole) {
        return transcode(visit, units, mark);
    }
    let mut at = 0;
    let mut buffer = vec![0; 256 << 10];
    let mut lines = Lines::default();
    while at < visit.bytes.end() {
        let count = visit.bytes.copy(at, &mut buffer)?;
        let window = buffer.get(..count).unwrap_or_default();
        let last = at.saturating_add(count as u64) >= visit.bytes.end();
        let Some(len) = text_len(window, last).filter(|len| *len > 0) else {
            return Err(Stop::malformed(at, "text"));
        };
        lines.look(visit, window.get(..len).unwrap_or_default(), at)?;
        let end = at.saturating_add(len as u64);
        visit.structure(at..end, "text")?;
        at = end;
        if len.saturating_add(4) <= count && !last {
            return Err(Stop::malformed(at, "text"));
        }
    }
    lines.end(visit, at)
}

fn transcode(visit: &mut Visit<'_>, units: Units, mark: usize) -> Result<(), Stop> {
    let start = mark as u64;
    visit.structure(0..start, "byte order mark")?;
    let end = visit.bytes.end();
    let text = Transcoded::measure(visit.bytes.from(start), units)?;
    let damage = text.damage().cloned();
    let name = visit.name.rsplit(['/', '\\']).next().unwrap_or(visit.name).to_string();
    let text = Rc::new(Paged::new(Rc::new(text), 64 << 10, 4));
    if start < end {
        visit.open(name, Span::Decoded(start..end, text), Role::File)?;
    }
    damage.map_or(Ok(()), Err)
}

/// The units that text in UTF-16 or UTF-32 is made of, and the length of its byte order mark.
fn units(head: &[u8], whole: bool) -> Option<(Units, usize)> {
    let marks: [(&[u8], Units); 4] = [
        (b"\xff\xfe\0\0", Units::Utf32Le),
        (b"\0\0\xfe\xff", Units::Utf32Be),
        (b"\xff\xfe", Units::Utf16Le),
        (b"\xfe\xff", Units::Utf16Be),
    ];
    for (mark, units) in marks {
        if let Some(text) = head.strip_prefix(mark) {
            return reads_as(text, units, whole).then_some((units, mark.len()));
        }
    }
    // Without a mark, text gives itself away by the zeros of its ASCII letters: some in every line.
    let ascii = |units: &Units| {
        let characters = units.characters(head);
        let ascii = characters.iter().filter(|letter| letter.is_some_and(|letter| letter.is_ascii())).count();
        characters.len() >= SHORTEST && ascii.saturating_mul(2) >= characters.len()
    };
    [Units::Utf32Le, Units::Utf32Be, Units::Utf16Le, Units::Utf16Be]
        .into_iter()
        .find(|units| head.contains(&0) && reads_as(head, *units, whole) && ascii(units))
        .map(|units| (units, 0))
}

/// Whether bytes are characters of text, all of them. Without `whole`, the last may be cut.
fn reads_as(text: &[u8], units: Units, whole: bool) -> bool {
    let mut characters = units.characters(text);
    if !whole {
        characters.pop();
    }
    let rest = text.len() % units.size();
    let reads = |letter: &Option<char>| {
        letter.is_some_and(|letter| !letter.is_control() || matches!(letter, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}'))
    };
    !characters.is_empty() && (rest == 0 || !whole) && characters.iter().all(reads)
}

/// How many of the bytes are text, from the first on; `None` where none is. Without `last`, a character may be cut
/// at the end.
fn text_len(bytes: &[u8], last: bool) -> Option<usize> {
    let utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    let control =
        |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1a | 0x1b) || *byte == 0x7f;
    let clean = bytes.iter().position(control).unwrap_or(bytes.len());
    if utf8 == bytes.len() || (!last && utf8.saturating_add(4) > bytes.len()) {
        return Some(utf8.min(clean)).filter(|len| *len > 0);
    }
    Some(clean).filter(|clean| *clean == bytes.len())
}

/// Whether bytes that are no UTF-8 may be text with one byte a character: too little of it, or nothing that ASCII
/// knows, could be anything.
fn is_plausible(bytes: &[u8]) -> bool {
    let ascii = bytes.iter().filter(|byte| byte.is_ascii()).count();
    bytes.len() >= SHORTEST && ascii.saturating_mul(16) >= bytes.len()
}

/// Characters from which on text is known without a byte order mark and without being UTF-8.
const SHORTEST: usize = 8;

/// What the lines of a text showed so far.
#[derive(Default)]
struct Lines {
    /// The first mark of the line that turns the direction.
    turn: Option<(u64, char)>,
    /// Whether the line has letters that are written from right to left.
    right_to_left: bool,
    /// A run of tag characters: where it starts, and what it says.
    hidden: Option<(u64, String)>,
    /// The character before the run: a flag is followed by tags by right.
    before: char,
    told: usize,
}

/// Lines told of one text.
const TOLD: usize = 20;

impl Lines {
    fn look(&mut self, visit: &mut Visit<'_>, bytes: &[u8], at: u64) -> Result<(), Stop> {
        // All of these start with E2 80, E2 81 or F3 A0 in UTF-8, and most text has none.
        if memchr::memmem::find(bytes, b"\xe2\x80").is_none()
            && memchr::memmem::find(bytes, b"\xe2\x81").is_none()
            && memchr::memmem::find(bytes, b"\xf3\xa0").is_none()
            && self.turn.is_none()
            && self.hidden.is_none()
        {
            return Ok(());
        }
        let Ok(text) = std::str::from_utf8(bytes)
            .or_else(|error| std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()))
        else {
            return Ok(());
        };
        for (skip, letter) in text.char_indices() {
            let place = at.saturating_add(skip as u64);
            match letter {
                '\u{e0020}'..='\u{e007e}' => {
                    let ascii = char::from_u32(u32::from(letter).saturating_sub(0xe0000)).unwrap_or(' ');
                    let (_, said) = self.hidden.get_or_insert((place, String::new()));
                    if said.len() < 200 {
                        said.push(ascii);
                    }
                    continue;
                }
                '\n' => self.end_line(visit, place)?,
                '\u{202a}'..='\u{202b}' | '\u{202d}'..='\u{202e}' | '\u{2066}'..='\u{2068}' => {
                    // An override turns even what has a direction of its own: it weighs more than an embedding.
                    if self.turn.is_none() || matches!(letter, '\u{202d}' | '\u{202e}') {
                        self.turn = Some((place, letter));
                    }
                }
                _ => self.right_to_left = self.right_to_left || is_right_to_left(letter),
            }
            self.end_hidden(visit, place)?;
            self.before = letter;
        }
        Ok(())
    }

    fn end(&mut self, visit: &mut Visit<'_>, at: u64) -> Result<(), Stop> {
        self.end_hidden(visit, at)?;
        self.end_line(visit, at)
    }

    fn end_line(&mut self, visit: &mut Visit<'_>, at: u64) -> Result<(), Stop> {
        let right_to_left = std::mem::take(&mut self.right_to_left);
        let Some((place, mark)) = self.turn.take() else { return Ok(()) };
        let overrides = matches!(mark, '\u{202d}' | '\u{202e}');
        // Among left-to-right letters, only a mark that starts a right-to-left run changes their order.
        let reorders = matches!(mark, '\u{202b}' | '\u{2067}') && !right_to_left;
        if (overrides || reorders) && self.told < TOLD {
            self.told = self.told.saturating_add(1);
            let message = format!("The character U+{:04X} stands in this line.", u32::from(mark));
            visit.find(&DIRECTION_TURNED, place..at, message)?;
        }
        Ok(())
    }

    fn end_hidden(&mut self, visit: &mut Visit<'_>, at: u64) -> Result<(), Stop> {
        let Some((place, said)) = self.hidden.take() else { return Ok(()) };
        // Flags of regions are a black flag and the letters of the region as tags.
        if self.before != '\u{1f3f4}' && said.len() > 1 && self.told < TOLD {
            self.told = self.told.saturating_add(1);
            let message = format!("They say {}.", crate::quote::quoted(&said));
            visit.find(&HIDDEN_LETTERS, place..at, message)?;
        }
        Ok(())
    }
}

/// Letters of scripts that are written from right to left: Hebrew to Arabic Extended, their presentation forms, and the
/// historic ones.
fn is_right_to_left(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn text_is_just_data() {
        assert_eq!(checked("a.txt", "Grüße, 世界\r\n".repeat(100_000)).verdict, Verdict::JustData);
        assert_eq!(checked("a.txt", b"one").verdict, Verdict::JustData);
        assert_eq!(checked("latin.txt", b"Gr\xfc\xdfe aus K\xf6ln\n").verdict, Verdict::JustData);
    }

    #[test]
    fn bytes_behind_text_are_not_text() {
        let mut bytes = b"text\n".repeat(200_000);
        bytes.extend([0, 1, 2, 3]);
        assert_eq!(checked("a.txt", bytes).verdict, Verdict::Unfinished);
    }

    #[test]
    fn wide_text_is_read_as_what_it_says() {
        let wide = |text: &str, mark: bool| -> Vec<u8> {
            let mark = if mark { "\u{feff}" } else { "" };
            format!("{mark}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
        };
        for mark in [true, false] {
            let report = checked("a.txt", wide("Hello, Grüße, 😀\r\n", mark));
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[1].formats, ["text"]);
            let report = checked(
                "a.xml",
                wide("<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a [<!ENTITY b SYSTEM 'http://h/'>]><a/>", mark),
            );
            assert_eq!(
                (rules_of(&report), &report.layers[1].formats[..]),
                (vec!["xml-external-entity"], &["xml".to_string()][..])
            );
        }
        let big: Vec<u8> = "\u{feff}text\n".chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect();
        assert_eq!(checked("a.txt", big).verdict, Verdict::JustData);
    }

    #[test]
    fn broken_wide_text_is_unfinished() {
        let mut wide: Vec<u8> = "\u{feff}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        wide.extend("text\n".repeat(10_000).encode_utf16().flat_map(u16::to_le_bytes));
        wide.extend([0, 0xd8, b'x', 0]);
        assert_eq!(checked("a.txt", wide).verdict, Verdict::Unfinished);
        assert_eq!(checked("a.bin", [0xff, 0xfe, 1, 0, 2, 0]).verdict, Verdict::Unfinished);
    }

    #[test]
    fn turned_directions_are_found_where_they_deceive() {
        for evil in ["if (admin) /*\u{202e} } \u{2066}*/\n", "a\u{2067}b\u{2069}c\n", "x\n\u{202d}y"] {
            assert_eq!(rules_of(&checked("a.txt", evil)), ["text-direction-turned"], "{evil:?}");
        }
        for harmless in [
            "שלום \u{202b}abc\u{202c} עולם\n",
            "a\u{200e}b \u{2068}c\u{2069}\n",
            "– “quoted” …\n",
            "\u{2066}abc\u{2069}\n",
        ] {
            assert_eq!(checked("a.txt", harmless).verdict, Verdict::JustData, "{harmless:?}");
        }
    }

    #[test]
    fn hidden_letters_are_found_but_flags_are_not() {
        let tags: String = "obey".chars().map(|letter| char::from_u32(u32::from(letter) + 0xe0000).unwrap()).collect();
        assert_eq!(rules_of(&checked("a.txt", format!("Hello{tags} you\n"))), ["text-hidden-letters"]);
        let scotland: String =
            "gbsct".chars().map(|letter| char::from_u32(u32::from(letter) + 0xe0000).unwrap()).collect();
        let flag = format!("\u{1f3f4}{scotland}\u{e007f} Alba\n");
        assert_eq!(checked("a.txt", flag).verdict, Verdict::JustData);
    }
}
