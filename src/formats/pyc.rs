//! Compiled Python modules.
//!
//! Specification: PEP 552; `Python/marshal.c`.
//!
//! ```text
//! magic 2 | 0D 0A | [ flags 4, since 3.7 ] | [ mtime 4 | size 4, since 3.3; or a hash 8 ] | a marshalled code object
//! code = 'c' | 4 to 6 numbers of 4 | the instructions: 's' length 4 … | more objects
//! ```
//! The magic number names the version and there are hundreds of them: the code object behind the header decides, and
//! is walked to its end with a list of what is still to come, never by recursion.

use crate::{
    bytes::{Bytes, Cursor},
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// Compiled Python.
pub static FORMAT: Format = Format {
    id: "pyc",
    name: "a compiled Python module",
    spec: "https://peps.python.org/pep-0552/",
    extensions: &["pyc", "pyo"],
    media_types: &["application/x-python-bytecode"],
    marks: &[Mark::at(2, b"\r\n")],
    confirm,
    read,
    // A module takes no arguments: with the reference bit of its type that makes five bytes.
    buried: Buried::AnywhereMarked(
        &[Mark::at(16, b"\xe3\0\0\0\0"), Mark::at(12, b"\xe3\0\0\0\0"), Mark::at(8, b"c\0\0\0\0")],
        confirm,
    ),
    nature: Nature::Program,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(Module::read(candidate.bytes)?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let module = Module::read(visit.bytes)?.ok_or(Stop::malformed(0, "a compiled Python module"))?;
    visit.structure(0..module.code_at, "header")?;
    let mut cursor = visit.bytes.from(module.code_at).cursor();
    let walked = walk(&mut cursor, module.code);
    visit.opaque(module.code_at..cursor.at(), "code object")?;
    walked
}

struct Module {
    /// Length of the header, which is the place of the code object, in bytes.
    code_at: u64,
    code: Layout,
}

/// How a version writes a code object.
#[derive(Clone, Copy)]
struct Layout {
    /// Numbers in front of the instructions.
    numbers: u8,
    /// Objects behind the number of the first line; eight stand in front of it in all versions.
    behind: u8,
}

impl Module {
    fn read(bytes: &Bytes) -> Result<Option<Self>, Stop> {
        let head = bytes.peek(bytes.start(), 64)?;
        let Some(&[low, high, b'\r', b'\n']) = head.first_chunk() else { return Ok(None) };
        // `Lib/importlib/_bootstrap_external.py` lists the magic numbers of all versions.
        let (code_at, numbers, behind) = match u16::from_le_bytes([low, high]) {
            3450..=4999 => (16usize, 5u8, 2u8),
            3400..=3449 => (16, 6, 1),
            3390..=3399 => (16, 5, 1),
            3190..=3389 => (12, 5, 1),
            3000..=3189 => (8, 5, 1),
            20121..=20123 | 50428 | 50823 | 60202 | 60717 | 62011..=62300 => (8, 4, 1),
            _ => return Ok(None),
        };
        let code = Layout { numbers, behind };
        let at = code_at.saturating_add(1).saturating_add(usize::from(numbers).saturating_mul(4));
        let is_at = |at: usize, kind: u8| head.get(at).is_some_and(|byte| byte & 0x7f == kind);
        Ok((is_at(code_at, b'c') && is_at(at, b's')).then_some(Module { code_at: code_at as u64, code }))
    }
}

/// What is still to come.
enum Due {
    Objects(u64),
    /// Pairs up to a null.
    Dictionary,
    /// Numbers of four bytes.
    Numbers(u64),
}

/// The most unfinished objects around one.
const DEEP: usize = 10_000;

/// Walks one marshalled object to its end.
fn walk(cursor: &mut Cursor, code: Layout) -> Result<(), Stop> {
    let mut due = vec![Due::Objects(1)];
    while let Some(next) = due.pop() {
        match next {
            Due::Objects(0) => continue,
            Due::Objects(count) => due.push(Due::Objects(count.saturating_sub(1))),
            Due::Numbers(count) => {
                cursor.take(count.saturating_mul(4), "numbers of a code object")?;
                continue;
            }
            Due::Dictionary if cursor.peek(1)?.first() == Some(&b'0') => {
                cursor.u8("the end of a dictionary")?;
                continue;
            }
            Due::Dictionary => due.extend([Due::Dictionary, Due::Objects(1)]),
        }
        let at = cursor.at();
        let kind = cursor.u8("a marshalled object")? & 0x7f;
        let len = match kind {
            b'0' | b'N' | b'F' | b'T' | b'S' | b'.' => 0,
            b'i' | b'r' | b'R' => 4,
            b'I' | b'g' => 8,
            b'y' => 16,
            b'f' | b'z' | b'Z' => u64::from(cursor.u8("a length")?),
            // Two floats as text.
            b'x' => {
                let first = cursor.u8("a length")?;
                cursor.take(first.into(), "a number")?;
                u64::from(cursor.u8("a length")?)
            }
            b's' | b't' | b'u' | b'a' | b'A' => u64::from(cursor.u32_le("a length")?),
            // Digits of 15 bits; the sign stands in the count.
            b'l' => {
                let count = i32::from_le_bytes(cursor.array("a length")?);
                u64::from(count.unsigned_abs()).saturating_mul(2)
            }
            b')' => {
                due.push(Due::Objects(cursor.u8("a length")?.into()));
                0
            }
            b'(' | b'[' | b'<' | b'>' => {
                due.push(Due::Objects(cursor.u32_le("a length")?.into()));
                0
            }
            b'{' => {
                due.push(Due::Dictionary);
                0
            }
            b':' => {
                due.push(Due::Objects(3));
                0
            }
            b'c' => {
                cursor.take(u64::from(code.numbers).saturating_mul(4), "numbers of a code object")?;
                due.extend([Due::Objects(code.behind.into()), Due::Numbers(1), Due::Objects(8)]);
                0
            }
            _ => return Err(Stop::malformed(at, "a marshalled object")),
        };
        cursor.take(len, "the rest of a marshalled object")?;
        if due.len() > DEEP {
            return Err(Stop::malformed(at, "fewer objects inside each other"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    /// An empty module as Python 3.12 compiles it.
    fn module() -> Vec<u8> {
        let mut bytes = 3531u16.to_le_bytes().to_vec();
        bytes.extend(b"\r\n");
        bytes.extend([0; 12]);
        bytes.push(0xe3);
        [0u32, 0, 0, 1, 0].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(b"\xf3\x06\0\0\0\x97\0y\0d\0)\x01N\xa9\0r\x01\0\0\0\xf3\0\0\0\0");
        bytes.extend(b"\xfa\x04a.py\xfa\x08<module>r\x02\0\0\0\x01\0\0\0");
        bytes.extend(b"\xf3\0\0\0\0r\x02\0\0\0");
        bytes
    }

    /// The same as Python 2.7 does it.
    fn old_module() -> Vec<u8> {
        let mut bytes = 62211u16.to_le_bytes().to_vec();
        bytes.extend(b"\r\n\0\0\0\0c");
        [0u32, 0, 1, 64].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(b"s\x04\0\0\0d\0\0S(\x01\0\0\0N(\0\0\0\0(\0\0\0\0(\0\0\0\0(\0\0\0\0");
        bytes.extend(b"s\x04\0\0\0a.pyt\x08\0\0\0<module>\x01\0\0\0s\0\0\0\0");
        bytes
    }

    #[test]
    fn a_module_is_a_program() {
        for module in [module(), old_module()] {
            let report = checked("a.dat", module.clone());
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["program"]), "{report:#?}");
            assert_eq!(report.layers[0].coverage.unexplained, 0);
            let behind = checked("a.dat", [module, b"behind".to_vec()].concat());
            assert_eq!(rules_of(&behind), ["program", "unexplained-bytes"]);
        }
    }

    #[test]
    fn a_module_cut_anywhere_does_no_harm() {
        for sample in [module(), old_module()] {
            for len in 5..sample.len() {
                assert_ne!(checked("a", &sample[..len]).verdict, Verdict::JustData, "{len}");
            }
        }
    }

    #[test]
    fn objects_inside_each_other_have_an_end() {
        let mut deep = module()[..37].to_vec();
        deep.extend(b"s\0\0\0\0");
        deep.extend(b")\x02".repeat(200_000));
        let report = checked("a", deep);
        assert_eq!(rules_of(&report), ["program"]);
        assert!(report.layers[0].stops.iter().any(|stop| stop.message.contains("fewer objects")));
    }

    #[test]
    fn text_with_a_line_end_there_is_text() {
        assert_eq!(checked("a.txt", "ab\r\nc\r\n").verdict, Verdict::JustData);
        assert_eq!(checked("a.txt", "m\r\r\nca\0").layers[0].formats, [""; 0]);
    }
}
