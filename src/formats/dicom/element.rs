//! The header of a data element: tag, value representation, value length (PS3.5 section 7.1).
//!
//! ```text
//! explicit  group 2 | element 2 | VR 2 | length 2                  (short form)
//!           group 2 | element 2 | VR 2 | reserved 2 | length 4     (OB OD OF OL OV OW SQ SV UC UN UR UT UV)
//! implicit  group 2 | element 2 | length 4
//! items and delimiters (group FFFE) are always implicit
//! ```

use std::{fmt, ops::Range};

use nom::{
    IResult, Parser,
    bytes::complete::take,
    combinator::map_opt,
    number::{Endianness, complete::u16, complete::u32},
};

use crate::{bytes::Bytes, stop::Stop};

/// Group and element number.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Tag(pub u32);

impl Tag {
    pub const ITEM: Tag = Tag(0xFFFE_E000);
    pub const ITEM_END: Tag = Tag(0xFFFE_E00D);
    pub const SEQUENCE_END: Tag = Tag(0xFFFE_E0DD);
    pub const PIXEL_DATA: Tag = Tag(0x7FE0_0010);
    /// In a group that is not private; its creator says what it is.
    pub const PRIVATE_INFORMATION: Tag = Tag(0x0002_0102);
    pub const TRAILING_PADDING: Tag = Tag(0xFFFC_FFFC);

    /// The group number.
    pub fn group(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The element number inside the group.
    pub fn element(self) -> u16 {
        (self.0 & 0xFFFF) as u16
    }

    /// Odd groups belong to whoever writes the file (PS3.5 section 7.8).
    pub fn is_private(self) -> bool {
        self.group() % 2 == 1
    }
}

/// As the standard writes it: (0028,7FE0).
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:04X},{:04X})", self.group(), self.element())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value representation: two letters (PS3.5 section 6.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Vr(pub [u8; 2]);

/// What kind of value a VR announces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Holds {
    /// Characters.
    Text,
    /// Numbers, each of a few bytes.
    Numbers,
    /// Bytes or words of no declared structure.
    Bytes,
    /// Items.
    Items,
}

impl Vr {
    pub const UN: Vr = Vr(*b"UN");
    pub const UR: Vr = Vr(*b"UR");

    /// Whether the length takes four bytes behind two reserved ones.
    fn is_long(self) -> bool {
        match self.holds() {
            Some(Holds::Bytes | Holds::Items) => true,
            Some(_) => matches!(&self.0, b"SV" | b"UC" | b"UR" | b"UT" | b"UV"),
            // PS3.5 section 6.2 note: representations that are added later take the long form.
            None => true,
        }
    }

    /// What the standard says of it; `None` of one that it does not know.
    pub fn holds(self) -> Option<Holds> {
        match &self.0 {
            b"AE" | b"AS" | b"CS" | b"DA" | b"DS" | b"DT" | b"IS" | b"LO" | b"LT" | b"PN" | b"SH" | b"ST" | b"TM"
            | b"UC" | b"UI" | b"UR" | b"UT" => Some(Holds::Text),
            b"AT" | b"FD" | b"FL" | b"SL" | b"SS" | b"SV" | b"UL" | b"US" | b"UV" => Some(Holds::Numbers),
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"UN" => Some(Holds::Bytes),
            b"SQ" => Some(Holds::Items),
            _ => None,
        }
    }

    /// Two capital letters, known or not.
    fn is_spelled(self) -> bool {
        self.0.iter().all(u8::is_ascii_uppercase)
    }

    /// What careless writers put where a representation should stand. The element is real, and cannot be read on.
    fn is_careless(self) -> bool {
        matches!(&self.0, b"  " | b"\0\0" | b"??" | b"--")
    }
}

/// How the elements of a data set are written (PS3.5 annex A).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Encoding {
    /// Whether each element names its value representation.
    pub explicit: bool,
    /// Byte order.
    pub big: bool,
}

impl Encoding {
    pub const EXPLICIT: Encoding = Encoding { explicit: true, big: false };
    pub const IMPLICIT: Encoding = Encoding { explicit: false, big: false };
    pub const EXPLICIT_BIG: Encoding = Encoding { explicit: true, big: true };
    pub const IMPLICIT_BIG: Encoding = Encoding { explicit: false, big: true };

    fn endianness(self) -> Endianness {
        if self.big { Endianness::Big } else { Endianness::Little }
    }

    /// Two bytes as a number.
    pub fn u16(self, bytes: &[u8]) -> Option<u16> {
        let bytes = <[u8; 2]>::try_from(bytes.get(..2)?).ok()?;
        Some(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    /// Four bytes as a number.
    pub fn u32(self, bytes: &[u8]) -> Option<u32> {
        let bytes = <[u8; 4]>::try_from(bytes.get(..4)?).ok()?;
        Some(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }
}

/// The header of one element.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub tag: Tag,
    /// Absent where the encoding is implicit, and from items.
    pub vr: Option<Vr>,
    /// Absent where it is undefined: the value then ends with a delimiter.
    pub len: Option<u64>,
    /// The first byte of the tag.
    pub start: u64,
    /// The first byte of the value.
    pub value: u64,
}

/// The longest header, in bytes.
pub(super) const HEADER: usize = 12;

/// Why no header could be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoHeader {
    /// Nothing of an element stands there.
    Foreign,
    /// An element stands there, but what its value is cannot be told.
    Careless,
}

impl Header {
    /// Reads the header that starts `bytes`, which stand at `start`.
    pub fn parse(bytes: &[u8], start: u64, encoding: Encoding) -> Result<Header, NoHeader> {
        let (rest, tag) = tag(encoding)(bytes).map_err(|_| NoHeader::Foreign)?;
        let parsed = if encoding.explicit && tag.group() != 0xFFFE {
            if rest.get(..2).and_then(|vr| <[u8; 2]>::try_from(vr).ok()).is_some_and(|vr| Vr(vr).is_careless()) {
                return Err(NoHeader::Careless);
            }
            explicit(encoding)(rest).map(|(rest, (vr, len))| (rest, Some(vr), len))
        } else {
            u32(encoding.endianness())(rest).map(|(rest, len): (_, u32)| (rest, None, len))
        };
        let (rest, vr, len) = parsed.map_err(|_: nom::Err<nom::error::Error<&[u8]>>| NoHeader::Foreign)?;
        let taken = bytes.len().saturating_sub(rest.len());
        let len = (len != u32::MAX).then_some(u64::from(len));
        Ok(Header { tag, vr, len, start, value: start.saturating_add(taken as u64) })
    }

    /// The place behind the value, where its length is defined.
    pub fn end(&self) -> Option<u64> {
        self.len.map(|len| self.value.saturating_add(len))
    }

    /// The bytes of tag, VR and length.
    pub fn range(&self) -> Range<u64> {
        self.start..self.value
    }
}

fn tag(encoding: Encoding) -> impl Fn(&[u8]) -> IResult<&[u8], Tag> {
    move |input| {
        let number = || u16(encoding.endianness());
        let (input, (group, element)): (_, (u16, u16)) = (number(), number()).parse(input)?;
        Ok((input, Tag(u32::from(group) << 16 | u32::from(element))))
    }
}

fn explicit(encoding: Encoding) -> impl Fn(&[u8]) -> IResult<&[u8], (Vr, u32)> {
    move |input| {
        let spelled = |two: &[u8]| <[u8; 2]>::try_from(two).ok().map(Vr).filter(|vr| vr.is_spelled());
        let (input, vr) = map_opt(take(2usize), spelled).parse(input)?;
        if vr.is_long() {
            let (input, (_reserved, len)): (_, (u16, u32)) =
                (u16(encoding.endianness()), u32(encoding.endianness())).parse(input)?;
            return Ok((input, (vr, len)));
        }
        let (input, len): (_, u16) = u16(encoding.endianness())(input)?;
        Ok((input, (vr, u32::from(len))))
    }
}

/// Whether elements in ascending order stand at `at`: the encoding in which they do, if any.
///
/// For data sets that nothing announces. `wanted` elements must follow each other, or fewer up to the very end,
/// and the first must be of one of the groups with which data sets begin.
///
/// # Errors
/// As [`Bytes::peek`].
pub(super) fn guess(bytes: &Bytes, at: u64, wanted: usize) -> Result<Option<Encoding>, Stop> {
    for encoding in [Encoding::EXPLICIT, Encoding::IMPLICIT, Encoding::EXPLICIT_BIG, Encoding::IMPLICIT_BIG] {
        if chains(bytes, at, encoding, wanted)? {
            return Ok(Some(encoding));
        }
    }
    Ok(None)
}

/// Elements of one value that are skipped when guessing: those with which data sets begin are short.
const SHORT: u64 = 1 << 16;

fn chains(bytes: &Bytes, start: u64, encoding: Encoding, wanted: usize) -> Result<bool, Stop> {
    let mut at = start;
    let mut last = Tag(0);
    for count in 0..wanted {
        if at == bytes.end() {
            return Ok(count >= 2);
        }
        let head = bytes.peek(at, HEADER)?;
        let Ok(header) = Header::parse(&head, at, encoding) else { return Ok(false) };
        let begins = matches!(header.tag.group(), 0x0002 | 0x0008) && header.tag.element() < 0x4000;
        let known = header.vr.is_none_or(|vr| vr.holds().is_some());
        if !known || (count == 0 && !begins) || (count > 0 && header.tag <= last) || header.tag.group() > 0x0100 {
            return Ok(false);
        }
        let Some(end) = header.end() else {
            // A sequence of undefined length: what came before must be enough, with the item that starts it.
            let item = bytes.peek(header.value, 8)?;
            return Ok(Header::parse(&item, header.value, encoding).is_ok_and(|item| item.tag == Tag::ITEM));
        };
        if end > bytes.end() || header.len.is_some_and(|len| len > SHORT) {
            return Ok(false);
        }
        last = header.tag;
        at = end;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_forms() {
        let short = Header::parse(b"\x10\x00\x10\x00PN\x04\x00Doe ", 0, Encoding::EXPLICIT).unwrap();
        assert_eq!((short.tag, short.vr, short.len, short.value), (Tag(0x0010_0010), Some(Vr(*b"PN")), Some(4), 8));
        let long = Header::parse(b"\xe0\x7f\x10\x00OW\0\0\xff\xff\xff\xff", 4, Encoding::EXPLICIT).unwrap();
        assert_eq!((long.tag, long.len, long.value), (Tag::PIXEL_DATA, None, 16));
        let implicit = Header::parse(b"\x08\x00\x00\x00\x04\x00\x00\x00", 0, Encoding::IMPLICIT).unwrap();
        assert_eq!((implicit.vr, implicit.end()), (None, Some(12)));
        let big = Header::parse(b"\x00\x08\x00\x05CS\x00\x0a", 0, Encoding::EXPLICIT_BIG).unwrap();
        assert_eq!((big.tag, big.len), (Tag(0x0008_0005), Some(10)));
        let item = Header::parse(b"\xfe\xff\x00\xe0\x02\x00\x00\x00", 0, Encoding::EXPLICIT).unwrap();
        assert_eq!((item.tag, item.vr, item.len), (Tag::ITEM, None, Some(2)));
    }

    #[test]
    fn what_is_no_header() {
        assert_eq!(Header::parse(b"plain te", 0, Encoding::EXPLICIT), Err(NoHeader::Foreign));
        assert_eq!(Header::parse(b"\x28\x00\x20\x01  \x02\x00", 0, Encoding::EXPLICIT), Err(NoHeader::Careless));
        assert_eq!(Header::parse(b"\x28\x00\x20", 0, Encoding::EXPLICIT), Err(NoHeader::Foreign));
    }

    #[test]
    fn a_bare_data_set_is_guessed() {
        let explicit = b"\x08\0\x05\0CS\x0a\0ISO_IR 100\x08\0\x08\0CS\x02\0O \x08\0\x60\0CS\x02\0CT";
        assert_eq!(guess(&Bytes::of(explicit.to_vec()), 0, 3).unwrap(), Some(Encoding::EXPLICIT));
        let implicit = b"\x08\0\0\0\x04\0\0\0\x20\0\0\0\x08\0\x08\0\x02\0\0\0O \x08\0\x60\0\x02\0\0\0CT";
        assert_eq!(guess(&Bytes::of(implicit.to_vec()), 0, 3).unwrap(), Some(Encoding::IMPLICIT));
        assert_eq!(guess(&Bytes::of(b"\x08\0 some other bytes that are none".to_vec()), 0, 3).unwrap(), None);
    }
}
