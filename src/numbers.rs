//! Numbers as text: what fills meshes, tables and transforms in their readable form.
//!
//! Specification: the forms that C's `strtod` takes (ISO/IEC 9899 section 7.24.1.5) and Fortran's exponent letter D.

use crate::{bytes::Cursor, stop::Stop};

/// The longest number that is believed, in bytes.
const LONGEST: usize = 400;

/// Whether the token is a number: decimal with a sign, a fraction and an exponent, or a word for none or endless.
pub fn is_number(token: &[u8]) -> bool {
    let unsigned = token.strip_prefix(b"-").or(token.strip_prefix(b"+")).unwrap_or(token);
    let whole = digits(unsigned);
    let rest = unsigned.get(whole..).unwrap_or_default();
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(rest) => (digits(rest), rest.get(digits(rest)..).unwrap_or_default()),
        None => (0, rest),
    };
    if whole == 0 && fraction == 0 {
        let word = unsigned.to_ascii_lowercase();
        return matches!(word.as_slice(), b"nan" | b"inf" | b"infinity" | b"nan(ind)" | b"nan(snan)");
    }
    match rest.split_first() {
        None => true,
        Some((b'e' | b'E' | b'd' | b'D', exponent)) => {
            let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        Some(_) => false,
    }
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The tokens of a line, between white space.
pub fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    line.split(|byte| is_space(*byte)).filter(|token| !token.is_empty())
}

/// Whether the line holds at least one number and nothing else.
pub fn are_numbers(line: &[u8]) -> bool {
    let mut any = false;
    tokens(line).all(|token| {
        any = true;
        is_number(token)
    }) && any
}

/// The token as a count; `None` for what is negative, broken or not a number.
pub fn count(token: &[u8]) -> Option<u64> {
    let digits = token.strip_prefix(b"+").unwrap_or(token);
    std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

/// White space between numbers.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Goes behind `wanted` numbers between white space.
///
/// # Errors
/// [`Stop::Malformed`] at the first token that is no number, or at the end of the window where some are missing.
pub fn skip_numbers(cursor: &mut Cursor, wanted: u64) -> Result<(), Stop> {
    skip_tokens(cursor, wanted, "a number", is_number)
}

/// Goes behind `wanted` tokens between white space that `fits` takes.
///
/// # Errors
/// As [`skip_numbers`].
pub fn skip_tokens(
    cursor: &mut Cursor,
    wanted: u64,
    expected: &'static str,
    fits: fn(&[u8]) -> bool,
) -> Result<(), Stop> {
    let mut left = wanted;
    while left > 0 {
        let at = cursor.at();
        let remaining = cursor.remaining();
        // A row of few numbers needs a small window: the cursor does not read ahead anew for each row.
        let look = usize::try_from(left.saturating_mul(32)).unwrap_or(WINDOW).clamp(LEAST, WINDOW);
        let window = cursor.peek(look)?;
        let last = window.len() as u64 >= remaining;
        let len = window.len();
        let mut place = 0usize;
        while left > 0 {
            let rest = window.get(place..).unwrap_or_default();
            let start = place.saturating_add(rest.iter().take_while(|byte| is_space(**byte)).count());
            let token = window.get(start..).unwrap_or_default();
            let token = token.split(|byte| is_space(*byte)).next().unwrap_or_default();
            let end = start.saturating_add(token.len());
            // A token that touches the end of the window may go on behind it.
            if end == len && !last && token.len() < LONGEST {
                place = start;
                break;
            }
            if token.is_empty() || token.len() >= LONGEST || !fits(token) {
                return Err(Stop::malformed(at.saturating_add(start as u64), expected));
            }
            place = end;
            left = left.saturating_sub(1);
        }
        cursor.seek(at.saturating_add(place as u64));
    }
    Ok(())
}

/// The token that comes next between white space, and its place; `None` at the end.
///
/// # Errors
/// [`Stop::Malformed`] for a token that is too long to be a number.
pub fn next_token(cursor: &mut Cursor) -> Result<Option<(u64, Vec<u8>)>, Stop> {
    loop {
        let at = cursor.at();
        let remaining = cursor.remaining();
        let window = cursor.peek(LEAST)?;
        let space = window.iter().take_while(|byte| is_space(**byte)).count();
        let rest = window.get(space..).unwrap_or_default();
        let last = window.len() as u64 >= remaining;
        let token = rest.split(|byte| is_space(*byte)).next().unwrap_or_default();
        let start = at.saturating_add(space as u64);
        if token.is_empty() && last {
            cursor.seek(start);
            return Ok(None);
        }
        if token.len() >= LONGEST {
            return Err(Stop::malformed(start, "a shorter word"));
        }
        if !token.is_empty() && (token.len() < rest.len() || last) {
            let token = token.to_vec();
            cursor.seek(start.saturating_add(token.len() as u64));
            return Ok(Some((start, token)));
        }
        cursor.seek(start);
    }
}

/// Most bytes looked at together.
const WINDOW: usize = 16 << 10;

/// Fewest bytes looked at together. A token of [`LONGEST`] bytes fits, so that every round goes on.
const LEAST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Bytes;

    #[test]
    fn numbers() {
        for token in ["0", "-1", "+1.", ".5", "-.5e-3", "1e+10", "1.5D03", "nan", "-Inf", "-nan(ind)"] {
            assert!(is_number(token.as_bytes()), "{token}");
        }
        for token in ["", "-", ".", "e5", "1e", "1e+", "0x10", "1,5", "one", "1-2", "--1"] {
            assert!(!is_number(token.as_bytes()), "{token}");
        }
        assert!(are_numbers(b" 1\t2 3 ") && !are_numbers(b"  ") && !are_numbers(b"1 x"));
        assert_eq!(
            (count(b"12"), count(b"-1"), count(b""), count(b"99999999999999999999")),
            (Some(12), None, None, None)
        );
    }

    #[test]
    fn numbers_are_skipped_over_windows() {
        let text = "1.25 -3e5\n".repeat(10_000) + "4 END";
        let mut cursor = Bytes::of(text.into_bytes()).cursor();
        skip_numbers(&mut cursor, 20_001).unwrap();
        assert_eq!(cursor.at(), 100_001);
        assert_eq!(skip_numbers(&mut cursor, 1), Err(Stop::malformed(100_002, "a number")));
        cursor.seek(99_994);
        assert_eq!(next_token(&mut cursor), Ok(Some((99_995, b"-3e5".to_vec()))));
        assert_eq!(next_token(&mut cursor), Ok(Some((100_000, b"4".to_vec()))));
        assert_eq!(next_token(&mut cursor), Ok(Some((100_002, b"END".to_vec()))));
        assert_eq!(next_token(&mut cursor), Ok(None));
        let mut cursor = Bytes::of(b"1 2".to_vec()).cursor();
        assert_eq!(skip_numbers(&mut cursor, u64::MAX), Err(Stop::malformed(3, "a number")));
        let mut cursor = Bytes::of(vec![b' '; 100_000]).cursor();
        assert_eq!(skip_numbers(&mut cursor, 1), Err(Stop::malformed(100_000, "a number")));
        let mut cursor = Bytes::of(vec![b'1'; 100_000]).cursor();
        assert!(skip_numbers(&mut cursor, 2).is_err());
    }
}
