//! WebAssembly modules and components.
//!
//! Specification: WebAssembly Core Specification, chapter 5 (binary format); for components, the Component Model.
//!
//! ```text
//! 0 "asm" | version 2 | layer 2        1 0: a module; 13 1: a component
//! ( section: id 1 | length LEB128 | bytes )*
//! ```

use crate::{
    bytes::Cursor,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// WebAssembly.
pub static FORMAT: Format = Format {
    id: "wasm",
    name: "a WebAssembly program",
    spec: "https://webassembly.github.io/spec/core/binary/modules.html",
    extensions: &["wasm"],
    media_types: &["application/wasm"],
    marks: &[Mark::start(b"\0asm\x01\0\0\0"), Mark::start(b"\0asm\x0d\0\x01\0")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Program,
    within: None,
    rules: &[],
};

/// The mark is eight bytes long, which suffices; a first section must be one, where there is any.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(9)?;
    Ok(head.get(8).is_none_or(|id| *id <= LAST_SECTION))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    cursor.take(8, "a WebAssembly header")?;
    visit.structure(0..8, "header")?;
    while let Some(id) = cursor.peek(1)?.first().copied() {
        let start = cursor.at();
        if id > LAST_SECTION {
            // Not a section: whatever it is, it is not part of the program.
            break;
        }
        cursor.u8("a section")?;
        let len = leb128(&mut cursor)?;
        visit.structure(start..cursor.at(), "section header")?;
        let content = cursor.take(len, "the rest of a section")?;
        match id {
            0 => visit.slack(content.range(), "custom section")?,
            _ => visit.opaque(content.range(), "section")?,
        }
    }
    Ok(())
}

/// The highest section number: tags, 13.
const LAST_SECTION: u8 = 13;

/// An unsigned number of at most 32 bits, seven bits a byte.
fn leb128(cursor: &mut Cursor) -> Result<u64, Stop> {
    let at = cursor.at();
    let mut number = 0u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = cursor.u8("the length of a section")?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Stop::malformed(at, "the length of a section"))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\0\x05\x04note";

    #[test]
    fn a_module_is_a_program() {
        let report = checked("a.dat", MODULE);
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["program"]));
        assert_eq!(report.layers[0].coverage.unexplained, 0);
        let report = checked("a.dat", [MODULE, b"behind"].concat());
        assert_eq!(rules_of(&report), ["program", "unexplained-bytes"]);
    }

    #[test]
    fn a_module_cut_anywhere_does_no_harm() {
        for len in 1..MODULE.len() {
            assert_ne!(checked("a", &MODULE[..len]).verdict, Verdict::JustData, "{len}");
        }
    }

    #[test]
    fn a_mark_alone_is_no_program() {
        assert!(checked("a", b"\0asm\x01\0\0\0\xff\xff").layers[0].formats.is_empty());
    }
}
