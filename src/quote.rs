//! Text from files, made fit to stand in a sentence.

/// At most this many characters of a text are quoted.
const MOST: usize = 120;

/// `text` in quotation marks, shortened, with every character that could deceive shown by its number:
/// controls, marks that change the writing direction, and what is invisible.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\u{201c}");
    for (count, character) in text.chars().enumerate() {
        if count == MOST {
            quoted.push('…');
            break;
        }
        push_visible(&mut quoted, character);
    }
    quoted.push('\u{201d}');
    quoted
}

/// As [`quoted`], from bytes; what is not UTF-8 is shown as U+FFFD.
pub fn quoted_bytes(bytes: &[u8]) -> String {
    let some = bytes.get(..bytes.len().min(MOST.saturating_mul(4))).unwrap_or_default();
    quoted(String::from_utf8_lossy(some).trim_end_matches('\0'))
}

/// At most `most` characters of `text`.
pub fn shortened(mut text: String, most: usize) -> String {
    if let Some((cut, _)) = text.char_indices().nth(most) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// `text` with every deceiving character shown by its number, whole.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(&mut shown, character);
    }
    shown
}

fn push_visible(into: &mut String, character: char) {
    let deceives = character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}');
    if deceives {
        into.push_str(&format!("\\u{{{:04X}}}", u32::from(character)));
    } else {
        into.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceiving_characters_are_shown() {
        assert_eq!(quoted("a\u{202E}b\n"), "\u{201c}a\\u{202E}b\\u{000A}\u{201d}");
        assert_eq!(visible("\u{1b}[31m"), "\\u{001B}[31m");
        assert_eq!(quoted_bytes(b"name\0\0"), "\u{201c}name\u{201d}");
    }

    #[test]
    fn long_text_is_cut() {
        assert!(quoted(&"x".repeat(1000)).chars().count() < 130);
        assert_eq!(shortened("äöü".into(), 2), "äö…");
        assert_eq!(shortened("äöü".into(), 3), "äöü");
    }
}
