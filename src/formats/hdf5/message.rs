//! The records in object header messages, section IV.A.2 of the specification.

use std::ops::Range;

use super::walk::{Widths, uint};
use crate::{
    bytes::{Bytes, Cursor},
    stop::Stop,
};

/// The most dimensions of a dataset: the library's limit.
const RANK: u8 = 32;

/// Message 0x0001: how many elements there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Space {
    pub dims: Vec<u64>,
    /// How far each dimension may grow.
    pub most: Vec<u64>,
    null: bool,
}

impl Space {
    pub fn read(bytes: &Bytes, widths: Widths) -> Result<Self, Stop> {
        let mut cursor = bytes.cursor();
        let [version, rank, flags, kind] = cursor.array("a dataspace")?;
        match version {
            1 => drop(cursor.u32_le("reserved bytes of a dataspace")?),
            2 => {}
            _ => return Err(Stop::malformed(bytes.start(), "a dataspace of version 1 or 2")),
        }
        if rank > RANK {
            return Err(Stop::malformed(bytes.start().saturating_add(1), "a rank of at most 32"));
        }
        let mut space = Space { null: version == 2 && kind == 2, ..Space::default() };
        for _ in 0..rank {
            space.dims.push(widths.length(&mut cursor)?);
        }
        space.most = space.dims.clone();
        if flags & 1 != 0 {
            for most in &mut space.most {
                *most = widths.length(&mut cursor)?;
            }
        }
        Ok(space)
    }

    /// The number of elements.
    pub fn count(&self) -> u64 {
        if self.null { 0 } else { self.dims.iter().fold(1u64, |count, dim| count.saturating_mul(*dim)) }
    }
}

/// Message 0x0003: what an element is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datatype {
    pub class: u8,
    pub size: u64,
    /// Of variable length: whether it is text, and the size of what it is made of.
    pub variable: Option<(bool, u64)>,
}

impl Datatype {
    pub const INTEGER: u8 = 0;
    pub const STRING: u8 = 3;
    pub const OPAQUE: u8 = 5;
    pub const VARIABLE: u8 = 9;

    pub fn read(bytes: &Bytes) -> Result<Self, Stop> {
        let mut cursor = bytes.cursor();
        let [version_class, bits, _, _] = cursor.array("a datatype")?;
        let size = cursor.u32_le("the size of a datatype")?.into();
        let (version, class) = (version_class >> 4, version_class & 15);
        if !(1..=5).contains(&version) || class > 12 {
            return Err(Stop::malformed(bytes.start(), "a datatype of a known version and class"));
        }
        let mut variable = None;
        if class == Self::VARIABLE {
            cursor.u32_le("the base of a datatype of variable length")?;
            let base = cursor.u32_le("the size of the base of a datatype")?;
            variable = Some((bits & 15 == 1, base.into()));
        }
        Ok(Datatype { class, size, variable })
    }
}

/// Message 0x0008: where the values are.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    Compact(Range<u64>),
    Contiguous {
        address: Option<u64>,
        /// `None`: as long as dataspace and datatype say.
        len: Option<u64>,
    },
    Chunked {
        /// Sizes of a chunk in elements, then of an element in bytes.
        dims: Vec<u64>,
        index: Index,
        address: Option<u64>,
    },
    /// Made of parts of other datasets, listed in an object of a global heap collection.
    Virtual {
        address: Option<u64>,
        index: u32,
    },
}

/// How chunks are found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Index {
    Tree1,
    /// With its length, if it is filtered.
    Single(Option<u64>),
    Implicit,
    Fixed,
    Extensible,
    Tree2,
}

impl Layout {
    pub fn read(bytes: &Bytes, widths: Widths) -> Result<Self, Stop> {
        let mut cursor = bytes.cursor();
        let version = cursor.u8("the version of a layout")?;
        match version {
            1 | 2 => Self::read_old(&mut cursor, widths),
            3..=5 => Self::read_new(&mut cursor, widths, version),
            _ => Err(Stop::malformed(bytes.start(), "a layout of version 1 to 5")),
        }
    }

    fn read_old(cursor: &mut Cursor, widths: Widths) -> Result<Self, Stop> {
        let at = cursor.at();
        let [count, class] = cursor.array("the class of a layout")?;
        cursor.array::<5>("reserved bytes of a layout")?;
        let address = if class == 0 { None } else { widths.address(cursor)? };
        let dims = Self::dims(cursor, count, 4)?;
        match class {
            0 => {
                let len = cursor.u32_le("the size of compact values")?;
                Ok(Layout::Compact(cursor.take(len.into(), "compact values")?.range()))
            }
            1 => Ok(Layout::Contiguous { address, len: None }),
            2 => Ok(Layout::Chunked { dims, index: Index::Tree1, address }),
            _ => Err(Stop::malformed(at, "a layout of class 0 to 2")),
        }
    }

    fn read_new(cursor: &mut Cursor, widths: Widths, version: u8) -> Result<Self, Stop> {
        let at = cursor.at();
        match cursor.u8("the class of a layout")? {
            0 => {
                let len = cursor.u16_le("the size of compact values")?;
                Ok(Layout::Compact(cursor.take(len.into(), "compact values")?.range()))
            }
            1 => {
                let address = widths.address(cursor)?;
                Ok(Layout::Contiguous { address, len: Some(widths.length(cursor)?) })
            }
            2 if version == 3 => {
                let count = cursor.u8("the rank of chunks")?;
                let address = widths.address(cursor)?;
                let dims = Self::dims(cursor, count, 4)?;
                Ok(Layout::Chunked { dims, index: Index::Tree1, address })
            }
            2 => {
                let [flags, count, width] = cursor.array("flags and rank of chunks")?;
                let dims = Self::dims(cursor, count, width)?;
                let kind_at = cursor.at();
                let index = match cursor.u8("the kind of a chunk index")? {
                    1 if flags & 2 != 0 => {
                        let len = widths.length(cursor)?;
                        cursor.u32_le("a filter mask")?;
                        Index::Single(Some(len))
                    }
                    1 => Index::Single(None),
                    2 => Index::Implicit,
                    3 => cursor.u8("settings of a fixed array").map(|_| Index::Fixed)?,
                    4 => cursor.array::<5>("settings of an extensible array").map(|_| Index::Extensible)?,
                    5 => cursor.array::<6>("settings of a B-tree").map(|_| Index::Tree2)?,
                    _ => return Err(Stop::malformed(kind_at, "a chunk index of kind 1 to 5")),
                };
                Ok(Layout::Chunked { dims, index, address: widths.address(cursor)? })
            }
            3 => {
                let address = widths.address(cursor)?;
                Ok(Layout::Virtual { address, index: cursor.u32_le("the index of a global heap object")? })
            }
            _ => Err(Stop::malformed(at, "a layout of class 0 to 3")),
        }
    }

    fn dims(cursor: &mut Cursor, count: u8, width: u8) -> Result<Vec<u64>, Stop> {
        let at = cursor.at();
        if count > RANK.saturating_add(1) || !(1..=8).contains(&width) {
            return Err(Stop::malformed(at, "sizes of at most 33 dimensions"));
        }
        (0..count).map(|_| uint(cursor, width.into(), "the size of a dimension")).collect()
    }
}

/// Message 0x000B: the numbers of the filters, and where their names and parameters stand.
pub(super) fn filters(bytes: &Bytes) -> Result<Vec<(u16, Range<u64>)>, Stop> {
    let mut cursor = bytes.cursor();
    let [version, count] = cursor.array("a filter pipeline")?;
    match version {
        1 => drop(cursor.array::<6>("reserved bytes of a filter pipeline")?),
        2 => {}
        _ => return Err(Stop::malformed(bytes.start(), "a filter pipeline of version 1 or 2")),
    }
    let mut filters = Vec::new();
    for _ in 0..count {
        let start = cursor.at();
        let id = cursor.u16_le("the number of a filter")?;
        let named = version == 1 || id >= 256;
        let name = if named { cursor.u16_le("the length of a filter's name")? } else { 0 };
        cursor.u16_le("the flags of a filter")?;
        let values = cursor.u16_le("the number of a filter's parameters")?;
        let name = if version == 1 { u64::from(name).next_multiple_of(8) } else { name.into() };
        cursor.take(name, "the name of a filter")?;
        cursor.take(u64::from(values).saturating_mul(4), "the parameters of a filter")?;
        if version == 1 && values % 2 == 1 {
            cursor.u32_le("padding of a filter's parameters")?;
        }
        filters.push((id, start..cursor.at()));
    }
    Ok(filters)
}

/// Message 0x000C: a name, what it is, and its value.
pub(super) struct Attribute {
    pub name: Vec<u8>,
    pub kind: Bytes,
    /// The datatype stands elsewhere, and `kind` says where.
    pub kind_is_shared: bool,
    pub space: Bytes,
    /// As with the datatype.
    pub space_is_shared: bool,
    pub value: Bytes,
}

impl Attribute {
    pub fn read(bytes: &Bytes) -> Result<Self, Stop> {
        let mut cursor = bytes.cursor();
        let [version, flags] = cursor.array("an attribute")?;
        let name_len = cursor.u16_le("the length of an attribute's name")?;
        let kind_len = cursor.u16_le("the length of an attribute's datatype")?;
        let space_len = cursor.u16_le("the length of an attribute's dataspace")?;
        let (pad, flags) = match version {
            1 => (8, 0),
            2 => (1, flags),
            3 => {
                cursor.u8("the character set of an attribute's name")?;
                (1, flags)
            }
            _ => return Err(Stop::malformed(bytes.start(), "an attribute of version 1 to 3")),
        };
        let mut part = |len: u16, expected| cursor.take(u64::from(len).next_multiple_of(pad), expected);
        let name = part(name_len, "the name of an attribute")?;
        let kind = part(kind_len, "the datatype of an attribute")?;
        let space = part(space_len, "the dataspace of an attribute")?;
        let mut name = name.all()?;
        name.truncate(memchr::memchr(0, &name).unwrap_or(name.len()));
        let value = bytes.from(cursor.at());
        let (kind_is_shared, space_is_shared) = (flags & 1 != 0, flags & 2 != 0);
        Ok(Attribute { name, kind, kind_is_shared, space, space_is_shared, value })
    }
}

/// Message 0x0006: one entry of a group.
pub(super) struct Link {
    pub name: Vec<u8>,
    pub target: Target,
}

/// Where a link leads.
pub(super) enum Target {
    /// To an object header.
    Hard(Option<u64>),
    /// To a path in this file.
    Soft,
    /// To an object in another file, by its name.
    External(Vec<u8>),
    /// To whatever a program that knows the link's class makes of it.
    UserDefined(Range<u64>),
}

impl Target {
    /// What a link to it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Target::Hard(_) => "hard link",
            Target::Soft => "soft link",
            Target::External(_) => "external link",
            Target::UserDefined(_) => "user-defined link",
        }
    }
}

impl Link {
    pub fn read(bytes: &Bytes, widths: Widths) -> Result<Self, Stop> {
        let mut cursor = bytes.cursor();
        let [version, flags] = cursor.array("a link")?;
        if version != 1 {
            return Err(Stop::malformed(bytes.start(), "a link of version 1"));
        }
        let class = if flags & 8 != 0 { cursor.u8("the class of a link")? } else { 0 };
        if flags & 4 != 0 {
            cursor.u64_le("the creation order of a link")?;
        }
        if flags & 16 != 0 {
            cursor.u8("the character set of a link's name")?;
        }
        let len = uint(&mut cursor, 1 << (flags & 3), "the length of a link's name")?;
        let name = cursor.take(len, "the name of a link")?.all()?;
        let target = match class {
            0 => Target::Hard(widths.address(&mut cursor)?),
            _ => {
                let len = cursor.u16_le("the length of a link's value")?;
                let value = cursor.take(len.into(), "the value of a link")?;
                match class {
                    1 => Target::Soft,
                    64 => {
                        // Version and flags, the name of the file, the path in it.
                        let value = value.all()?;
                        let names = value.get(1..).unwrap_or_default();
                        let end = memchr::memchr(0, names).unwrap_or(names.len());
                        Target::External(names.get(..end).unwrap_or_default().to_vec())
                    }
                    _ => Target::UserDefined(value.range()),
                }
            }
        };
        Ok(Link { name, target })
    }
}
