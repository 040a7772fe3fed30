//! SQLite databases: tables and indexes as B-trees of pages, and the statements that define them.
//!
//! Specification: Database File Format, <https://www.sqlite.org/fileformat2.html>.
//!
//! ```text
//! file     = page*                       all of one size; the first starts with the header of 100 bytes
//! header   = "SQLite format 3\0" | page size 2 | versions 2 | reserved 1 | fractions 3 | counter 4 | pages 4
//!            | first free page 4 | free pages 4 | … | text encoding 4 | … | application 4 | 0 * 20 | valid for 4 | version 4
//! B-tree   = kind 1 | first free block 2 | cells 2 | content 2 | fragments 1 | [right child 4] | place of a cell 2 * cells
//!            room | cell* and free blocks | reserved
//! cell     = [left child 4] | [payload length v] | [row v] | payload | [first overflow page 4]
//! payload  = length of the head v | type of each value v* | values
//! overflow = next page 4 | payload
//! free     = next page 4 | count 4 | free page 4 *
//! ```
//! A database does nothing by itself, but it holds statements: views run when they are read, triggers when rows change,
//! and checks and computed columns with every row. What they call decides what they may do. The rests of deleted rows
//! stay in free pages and in the room of pages.

mod schema;
#[cfg(test)]
mod tests;
mod tree;

use nom::{
    IResult, Parser,
    bytes::complete::{tag, take},
    number::complete::{be_u8, be_u16, be_u32},
};

use self::tree::Walk;
use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// SQLite.
pub static FORMAT: Format = Format {
    id: "sqlite",
    name: "SQLite database",
    spec: "https://www.sqlite.org/fileformat2.html",
    // Not "db": many other programs call their files so.
    extensions: &["sqlite", "sqlite3", "db3", "gpkg", "mbtiles"],
    media_types: &["application/vnd.sqlite3"],
    marks: &[Mark::start(MAGIC)],
    confirm,
    read,
    buried: Buried::Anywhere(confirm),
    nature: Nature::Data,
    within: None,
    rules: &[&CALLS_OUT, &LOG_BESIDE, &TRIGGER, &UNKNOWN_MODULE],
};

/// A stored statement that calls what reaches out of the database.
static CALLS_OUT: Rule = Rule {
    id: "sqlite-statement-calls-out",
    title: "A statement stored in this database loads program code, or reads or writes files",
    why: "The statement runs when a table or a view is read or changed. It calls a function that reaches out of the \
          database. Many programs refuse such calls in stored statements, but not all, and not all versions.",
    advice: "Do not query the database. Ask the sender for the plain tables, without views and triggers.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://www.sqlite.org/security.html", "https://www.sqlite.org/c3ref/load_extension.html"],
};

/// Newer rows may be in another file.
static LOG_BESIDE: Rule = Rule {
    id: "sqlite-log-beside",
    title: "Newer rows of this database may stand in a file beside it",
    why: "The database is written with a log, a file of the same name that ends in -wal. A program that opens the \
          database reads the log as well where it finds one. It is no part of what was checked.",
    advice: "Nothing to do, if there is no such file.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &["https://www.sqlite.org/wal.html"],
};

/// A statement that runs when rows change.
static TRIGGER: Rule = Rule {
    id: "sqlite-trigger",
    title: "This database holds statements that run when its rows change",
    why: "Triggers keep tables in step with each other. They call nothing that reaches out of the database, and reading \
          the database does not run them.",
    advice: "Nothing to do.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Note,
    see: &["https://www.sqlite.org/lang_createtrigger.html"],
};

/// A table that an unknown extension makes.
static UNKNOWN_MODULE: Rule = Rule {
    id: "sqlite-unknown-module",
    title: "A table of this database needs an extension that is not widely known",
    why: "The content of such a table comes from a program library. Without the library the table cannot be read.",
    advice: "Install an extension for it only from a source that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &["https://www.sqlite.org/vtab.html"],
};

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Length of the header.
const HEADER: u64 = 100;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(header(&candidate.head(100)?).is_ok())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let bytes = visit.bytes;
    let header = bytes.cursor().parse(100, "the header of a database", header)?;
    visit.structure(0..72, "header")?;
    visit.slack(72..92, "reserved for expansion")?;
    visit.structure(92..HEADER, "header")?;
    let pages = header.pages(bytes);
    if header.counted().is_some_and(|counted| counted > pages) {
        visit.note(Stop::malformed(bytes.end(), "the last page"));
    }
    if header.write_version == 2 {
        visit.find(&LOG_BESIDE, 18..20, "Its format is that of a database with a log.")?;
    }
    let mut walk = Walk::new(visit, header, pages);
    walk.read()
}

/// How texts are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

struct Header {
    page_size: u64,
    write_version: u8,
    /// Bytes at the end of each page that are an extension's.
    reserved: u64,
    change_counter: u32,
    page_count: u32,
    first_free: u32,
    /// Whether pages that say who points at each page are kept.
    has_pointer_maps: bool,
    encoding: Encoding,
    valid_for: u32,
}

impl Header {
    /// The bytes of a page that the database uses.
    fn usable(&self) -> u64 {
        self.page_size.saturating_sub(self.reserved)
    }

    /// The number of pages that the header gives, where it is kept up to date.
    fn counted(&self) -> Option<u64> {
        (self.page_count > 0 && self.change_counter == self.valid_for).then_some(self.page_count.into())
    }

    /// The number of whole pages.
    fn pages(&self, bytes: &Bytes) -> u64 {
        let there = bytes.len() / self.page_size.max(1);
        self.counted().map_or(there, |counted| counted.min(there))
    }
}

fn header(input: &[u8]) -> IResult<&[u8], Header> {
    let wrong = || nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Verify));
    let (rest, (_, page_size, write_version, _read_version, reserved, fractions)) =
        (tag(MAGIC), be_u16, be_u8, be_u8, be_u8, take(3usize)).parse(input)?;
    let (rest, (change_counter, page_count, first_free)) = (be_u32, be_u32, be_u32).parse(rest)?;
    let (rest, (_, largest_root, encoding)) = (take(16usize), be_u32, be_u32).parse(rest)?;
    let (rest, (_, valid_for, _version)) = (take(32usize), be_u32, be_u32).parse(rest)?;
    let page_size = if page_size == 1 { 65536 } else { u64::from(page_size) };
    let encoding = match encoding {
        // No table was made yet.
        0 | 1 => Encoding::Utf8,
        2 => Encoding::Utf16Le,
        3 => Encoding::Utf16Be,
        _ => return Err(wrong()),
    };
    let reserved = u64::from(reserved);
    let fits = page_size.is_power_of_two() && page_size >= 512 && page_size.saturating_sub(reserved) >= 480;
    if !fits || fractions != [64, 32, 32] {
        return Err(wrong());
    }
    let has_pointer_maps = largest_root != 0;
    let header = Header {
        page_size,
        write_version,
        reserved,
        change_counter,
        page_count,
        first_free,
        has_pointer_maps,
        encoding,
        valid_for,
    };
    Ok((rest, header))
}
