//! Java classes.
//!
//! Specification: The Java Virtual Machine Specification, chapter 4.
//!
//! ```text
//! CAFEBABE | minor 2 | major 2 | constants 2 | constant pool
//! access 2 | this 2 | super 2 | interfaces 2 each | fields | methods | attributes
//! field, method = access 2 | name 2 | descriptor 2 | attributes
//! attribute     = name 2 | length 4 | bytes
//! ```

use crate::{
    bytes::Cursor,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// Java class.
pub static FORMAT: Format = Format {
    id: "java-class",
    name: "a Java class",
    spec: "https://docs.oracle.com/javase/specs/jvms/se24/html/jvms-4.html",
    extensions: &["class"],
    media_types: &["application/java-vm"],
    marks: &[Mark::start(b"\xca\xfe\xba\xbe")],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Program,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    pool(&mut candidate.bytes.cursor())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    pool(&mut cursor)?;
    visit.structure(0..cursor.at(), "constant pool")?;
    let interfaces = {
        cursor.take(6, "access flags and names")?;
        cursor.u16_be("the number of interfaces")?
    };
    cursor.take(u64::from(interfaces).saturating_mul(2), "interfaces")?;
    for what in ["a field", "a method"] {
        for _ in 0..cursor.u16_be(what)? {
            cursor.take(6, what)?;
            attributes(visit, &mut cursor)?;
        }
    }
    attributes(visit, &mut cursor)?;
    visit.structure(0..cursor.at(), "class")
}

fn attributes(visit: &mut Visit<'_>, cursor: &mut Cursor) -> Result<(), Stop> {
    for _ in 0..cursor.u16_be("the number of attributes")? {
        cursor.u16_be("an attribute")?;
        let len = cursor.u32_be("an attribute")?;
        cursor.take(len.into(), "an attribute")?;
    }
    visit.structure(cursor.at()..cursor.at(), "class")
}

/// Walks the constant pool; whether it is one.
fn pool(cursor: &mut Cursor) -> Result<bool, Stop> {
    let [_, _, _, _, _, _, major_high, major_low] = cursor.array("a class header")?;
    let major = u16::from_be_bytes([major_high, major_low]);
    let count = cursor.u16_be("the number of constants")?;
    // Version 45 is that of JDK 1.0.2; where a fat Mach-O file stands, this is the number of its processors.
    if !(45..=200).contains(&major) || count < 2 {
        return Ok(false);
    }
    let mut index = 1u16;
    while index < count {
        let tag = cursor.u8("a constant")?;
        let len = match tag {
            1 => u64::from(cursor.u16_be("a constant")?),
            3 | 4 | 9..=12 | 17 | 18 => 4,
            5 | 6 => 8,
            7 | 8 | 16 | 19 | 20 => 2,
            15 => 3,
            _ => return Ok(false),
        };
        cursor.take(len, "a constant")?;
        // Eight-byte constants take two places.
        index = index.saturating_add(if matches!(tag, 5 | 6) { 2 } else { 1 });
    }
    Ok(true)
}

/// Classes built for tests.
#[cfg(test)]
pub(crate) mod sample {
    /// An empty class of Java 8.
    pub(crate) fn class() -> Vec<u8> {
        let mut bytes = b"\xca\xfe\xba\xbe\0\0\0\x34\0\x05".to_vec();
        bytes.extend(b"\x01\0\x01A\x07\0\x01\x01\0\x10java/lang/Object\x07\0\x03");
        bytes.extend(b"\0\x21\0\x02\0\x04\0\0\0\0\0\0\0\0");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::sample::class;
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    #[test]
    fn a_class_is_a_program() {
        let report = checked("a.nrrd", class());
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["program"]));
        assert_eq!(report.layers[0].formats, ["java-class"]);
        assert_eq!(rules_of(&checked("a", [class(), b"behind".to_vec()].concat())), ["program", "unexplained-bytes"]);
    }

    #[test]
    fn a_class_cut_anywhere_does_no_harm() {
        let sample = class();
        // The mark alone is text in some encodings.
        for len in 5..sample.len() {
            assert_ne!(checked("a", &sample[..len]).verdict, Verdict::JustData, "{len}");
        }
    }

    #[test]
    fn a_mark_alone_is_no_class() {
        for fill in [0, 1, 2] {
            assert!(checked("a", [b"\xca\xfe\xba\xbe".as_slice(), &[fill; 99]].concat()).layers[0].formats.is_empty());
        }
    }
}
