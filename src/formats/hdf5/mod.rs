//! HDF5: a tree of groups and datasets, found by addresses; NetCDF-4, MATLAB 7.3, MINC 2, Keras and PyTables are
//! written in it.
//!
//! Specification: HDF5 File Format Specification, version 3.
//!
//! ```text
//! file     = userblock (0 or 512 * 2^n bytes, anything) | superblock | blocks in any order | end-of-file address
//! superblock -> object header of the root group
//! object header = messages:  links, symbol table, dataspace, datatype, layout, filters, attributes, ...
//! group    -> B-tree v1 of symbol table nodes + local heap,  or link messages,  or fractal heap + B-tree v2
//! dataset  -> values in the header, in one block, or in chunks behind one of six indexes;
//!             in other files (external storage), or made of datasets of other files (virtual)
//! values of variable length -> global heap collections
//! ```
//! The reader follows every address from the superblock on. What no address leads to below the end-of-file address is
//! free space, which HDF5 leaves behind where objects were deleted; what is behind it is nobody's.
//!
//! | module | what |
//! | --- | --- |
//! | `walk` | the stack of blocks to read, and the books |
//! | `header` | object headers and what their messages say |
//! | `message` | the records in messages: dataspaces, datatypes, layouts, filters, attributes, links |
//! | `group` | symbol tables, local heaps |
//! | `tree` | version 2 B-trees |
//! | `fractal` | fractal heaps |
//! | `chunk` | where the chunks of a dataset are |
//! | `shared` | messages that objects share |
//! | `decoded` | what is stored filtered in heaps |
//! | `image` | blocks that stand in the metadata cache image |
//! | `global` | global heap collections, virtual datasets |
//! | `content` | what values hold, and which files references name |

mod chunk;
mod content;
mod decoded;
mod fractal;
mod global;
mod group;
mod header;
mod image;
mod message;
mod shared;
mod tree;
mod walk;

#[cfg(test)]
mod tests;

use self::walk::{Walk, Widths};
use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// HDF5.
pub static FORMAT: Format = Format {
    id: "hdf5",
    name: "HDF5",
    spec: "https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html",
    extensions: &["h5", "hdf5", "hdf", "he5", "nc", "nc4", "mat", "mnc", "h5ad", "loom", "nwb", "nxs", "keras", "mrd"],
    media_types: &["application/x-hdf5", "application/vnd.hdfgroup.hdf5"],
    // The signature may stand behind a userblock of any length 512 * 2^n: `confirm` looks for it.
    marks: &[],
    confirm,
    read,
    // A model in it may carry code.
    buried: Buried::AnywhereMarked(&[Mark::start(SIGNATURE)], confirm_buried),
    nature: Nature::Data,
    within: None,
    rules: &[&FILTER_REGISTERED, &FILTER_UNKNOWN, &REFERENCE],
};

/// A filter that the HDF Group registered.
static FILTER_REGISTERED: Rule = Rule {
    id: "hdf5-filter-registered",
    title: "Reading this file needs a filter that is not part of HDF5",
    why: "The values are compressed by a method that the HDF Group registered. When they are read, the HDF5 library \
          loads a plug-in for it from a folder of this computer.",
    advice: "Nothing to do, if the programs that you use bring the filter with them.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Note,
    see: &["https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md"],
};

/// A filter that nobody registered.
static FILTER_UNKNOWN: Rule = Rule {
    id: "hdf5-filter-unknown",
    title: "Reading this file loads a plug-in that nobody registered",
    why: "A dataset asks for a filter whose number is neither built in nor registered. When it is read, the HDF5 library \
          looks for a program library in its plug-in folder and runs it.",
    advice: "Ask the sender which filter it is, and set HDF5_PLUGIN_PRELOAD=:: (two colons) to keep plug-ins out.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html"],
};

/// A reference to a file beside this one.
static REFERENCE: Rule = Rule {
    id: "hdf5-reference",
    title: "Part of this file's content is in other files near it",
    why: "An external link, external storage or a virtual dataset names a file in the same folder or below. The HDF5 \
          library opens that file when a program reads the part that is in it.",
    advice: "Check those files as well.",
    guideline: Guideline::Reporting,
    runs: Runs::OnUse,
    severity: Severity::Note,
    see: &["https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html"],
};

/// The first eight bytes of the superblock.
const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let Some(at) = find(candidate.bytes)? else { return Ok(false) };
    Ok(matches!(candidate.bytes.peek(at.saturating_add(8), 1)?.first(), Some(0..=3)))
}

/// Among other bytes the whole superblock must make sense.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let start = candidate.bytes.start();
    let superblock = Superblock::read(candidate.bytes, start)?;
    Ok(superblock.root < superblock.eof && superblock.eof > superblock.end)
}

/// The place of the signature: 0, 512, 1024, 2048, ...
fn find(bytes: &Bytes) -> Result<Option<u64>, Stop> {
    let mut skip = 0u64;
    while skip.saturating_add(8) <= bytes.len() {
        let at = bytes.start().saturating_add(skip);
        if bytes.starts_with(at, SIGNATURE)? {
            return Ok(Some(at));
        }
        skip = if skip == 0 { 512 } else { skip.saturating_mul(2) };
    }
    Ok(None)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let at = find(visit.bytes)?.ok_or(Stop::malformed(0, "the signature of an HDF5 file"))?;
    let superblock = Superblock::read(visit.bytes, at)?;
    let mut walk = Walk::new(visit, &superblock);
    walk.start(&superblock)?;
    walk.run()?;
    walk.finish(&superblock)
}

/// Where everything starts.
struct Superblock {
    /// Place of the signature; addresses count from here.
    at: u64,
    /// Place behind its last byte.
    end: u64,
    /// Place behind the last byte that belongs to the file.
    eof: u64,
    widths: Widths,
    /// Address of the root group's object header.
    root: u64,
    extension: Option<u64>,
    driver: Option<u64>,
    free_space: Option<u64>,
    ranks: Ranks,
}

/// The ranks (half the number of children) of the version 1 B-trees.
#[derive(Clone, Copy)]
struct Ranks {
    leaf: u64,
    group: u64,
    chunk: u64,
}

impl Superblock {
    fn read(bytes: &Bytes, at: u64) -> Result<Self, Stop> {
        let mut cursor = bytes.window(at.saturating_add(8)..at.saturating_add(256)).cursor();
        let version = cursor.u8("the version of the superblock")?;
        let mut ranks = Ranks { leaf: 4, group: 16, chunk: 32 };
        match version {
            0 | 1 => {
                cursor.array::<4>("versions of the superblock's parts")?;
                let widths = Widths::read(&mut cursor)?;
                cursor.u8("a reserved byte")?;
                ranks.leaf = cursor.u16_le("the rank of group leaf nodes")?.into();
                ranks.group = cursor.u16_le("the rank of group nodes")?.into();
                cursor.u32_le("consistency flags")?;
                if version == 1 {
                    ranks.chunk = cursor.u16_le("the rank of chunk nodes")?.into();
                    cursor.u16_le("reserved bytes")?;
                }
                let base = widths.address(&mut cursor)?;
                let free_space = widths.address(&mut cursor)?;
                let end_of_file = widths.address(&mut cursor)?;
                let driver = widths.address(&mut cursor)?;
                widths.length(&mut cursor)?;
                let place = cursor.at();
                let root =
                    widths.address(&mut cursor)?.ok_or(Stop::malformed(place, "the address of the root group"))?;
                cursor.array::<24>("the rest of the root group's symbol table entry")?;
                let eof = Self::eof(at, base, end_of_file)?;
                let end = cursor.at();
                Ok(Superblock { at, end, eof, widths, root, extension: None, driver, free_space, ranks })
            }
            2 | 3 => {
                let widths = Widths::read(&mut cursor)?;
                cursor.u8("consistency flags")?;
                let base = widths.address(&mut cursor)?;
                let extension = widths.address(&mut cursor)?;
                let end_of_file = widths.address(&mut cursor)?;
                let place = cursor.at();
                let root =
                    widths.address(&mut cursor)?.ok_or(Stop::malformed(place, "the address of the root group"))?;
                cursor.u32_le("the superblock's checksum")?;
                let eof = Self::eof(at, base, end_of_file)?;
                let end = cursor.at();
                Ok(Superblock { at, end, eof, widths, root, extension, driver: None, free_space: None, ranks })
            }
            _ => Err(Stop::malformed(at.saturating_add(8), "a version of the superblock from 0 to 3")),
        }
    }

    /// The end-of-file address counts from the start of the file, userblock and all; a userblock that was put in
    /// front later moved it.
    fn eof(at: u64, base: Option<u64>, end_of_file: Option<u64>) -> Result<u64, Stop> {
        let moved = at.saturating_sub(base.unwrap_or(0).min(at));
        end_of_file.and_then(|eof| eof.checked_add(moved)).ok_or(Stop::malformed(at, "an end-of-file address"))
    }
}
