//! NetCDF classic: dimensions, attributes and variables in a header, then the values; MINC 1 is written in it.
//!
//! Specification: the classic NetCDF file format (CDF-1, CDF-2, CDF-5). NetCDF-4 is HDF5.
//!
//! ```text
//! file    = "CDF" version 1 | numrecs N | dim_list | att_list | var_list | room | values of fixed variables | records
//! list    = tag 4 | number N | item*            no items: tag 0 or its own, number 0
//! dim     = name | length N
//! att     = name | type 4 | number N | values, filled up to 4
//! var     = name | rank N | dim index N * rank | att_list | type 4 | vsize N | begin B
//! name    = length N | bytes, filled up to 4
//! N is 4 bytes, 8 in version 5; B is 4 bytes in version 1, else 8. Everything is big endian.
//! ```
//! The header says where every value stands, so that whatever stands elsewhere is nobody's: what is between the
//! header and the values, and what follows the last record. Attribute texts are room for anything.

use crate::{
    active_text,
    bytes::{Bytes, Cursor},
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    sorting,
    stop::{Limit, Stop},
};

/// NetCDF classic.
pub static FORMAT: Format = Format {
    id: "netcdf",
    name: "NetCDF",
    spec: "https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html",
    extensions: &["nc", "cdf", "nc3", "mnc"],
    media_types: &["application/x-netcdf"],
    marks: &[Mark::start(b"CDF\x01"), Mark::start(b"CDF\x02"), Mark::start(b"CDF\x05")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let mut header = Header::at_start(candidate.bytes)?;
    let tag = header.u32("the tag of the dimensions")?;
    Ok(tag == ABSENT || tag == DIMENSIONS)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut header = Header::at_start(visit.bytes)?;
    let lengths = read_dimensions(visit, &mut header)?;
    read_attributes(visit, &mut header)?;
    let variables = read_variables(visit, &mut header, &lengths)?;
    visit.structure(header.claimed..header.cursor.at(), "header")?;

    let fixed = variables.iter().filter(|variable| !variable.is_record);
    for variable in fixed {
        claim_values(visit, variable.begin, variable.len, variable.padded_len()?)?;
    }
    let records: Vec<_> = variables.iter().filter(|variable| variable.is_record).collect();
    read_records(visit, &records, header.records)
}

/// Claims values and what fills them up to a multiple of 4.
fn claim_values(visit: &mut Visit<'_>, begin: u64, len: u64, padded: u64) -> Result<(), Stop> {
    let end = begin.checked_add(len).ok_or(Stop::malformed(begin, "values of a length that fits"))?;
    visit.opaque(begin..end, "values")?;
    if end > visit.bytes.end() {
        return Err(Stop::malformed(visit.bytes.end(), format!("values up to {end:#x}")));
    }
    // Writers leave out the filling behind the very last value.
    visit.slack(end..begin.saturating_add(padded), "padding of values")
}

/// Claims the values of the record variables: record by record, each variable has its part of every record.
fn read_records(visit: &mut Visit<'_>, variables: &[&Variable], records: Option<u64>) -> Result<(), Stop> {
    let Some(first) = variables.iter().map(|variable| variable.begin).min() else { return Ok(()) };
    let too_large = || Stop::malformed(first, "records of a length that fits");
    let mut stride = 0u64;
    for variable in variables {
        // One variable alone is not filled up to 4.
        let len = if variables.len() == 1 { variable.len } else { variable.padded_len()? };
        stride = stride.checked_add(len).ok_or_else(too_large)?;
    }
    if stride == 0 {
        return Ok(());
    }
    // A file that was being streamed does not say how many records there are: as many as fit.
    let records = records.unwrap_or(visit.bytes.end().saturating_sub(first) / stride);
    if records == 0 {
        return Ok(());
    }
    let mut sorted: Vec<_> = variables.to_vec();
    sorting::by_key(&mut sorted, |variable| variable.begin);
    let mut next = first;
    let mut dense = true;
    for variable in &sorted {
        dense = dense && variable.begin == next;
        next = variable.begin.saturating_add(variable.padded_len()?);
    }
    if dense {
        let len = stride.checked_mul(records).ok_or_else(too_large)?;
        let end = first.checked_add(len).ok_or_else(too_large)?;
        visit.opaque(first..end, "records")?;
        // Some writers leave out the filling of the last variable in the last record.
        let missing = end.saturating_sub(visit.bytes.end());
        let filling = sorted.last().map_or(0, |last| last.padded_len().unwrap_or(last.len).saturating_sub(last.len));
        if missing > filling {
            return Err(Stop::malformed(visit.bytes.end(), format!("records up to {end:#x}")));
        }
        return Ok(());
    }
    // Holes between the variables: part by part, as long as the parts lie in the file.
    for record in 0..records {
        let skip = record.checked_mul(stride).ok_or_else(too_large)?;
        for variable in &sorted {
            let begin = variable.begin.checked_add(skip).ok_or_else(too_large)?;
            claim_values(visit, begin, variable.len, variable.padded_len()?)?;
        }
    }
    Ok(())
}

/// A variable as the header declares it.
struct Variable {
    begin: u64,
    /// Bytes of its values; of a record variable, of one record.
    len: u64,
    is_record: bool,
}

impl Variable {
    fn padded_len(&self) -> Result<u64, Stop> {
        padded(self.len).ok_or(Stop::malformed(self.begin, "values of a length that fits"))
    }
}

fn padded(len: u64) -> Option<u64> {
    len.checked_next_multiple_of(4)
}

/// Tags of the three lists, and of one that is absent.
const ABSENT: u32 = 0;
const DIMENSIONS: u32 = 10;
const VARIABLES: u32 = 11;
const ATTRIBUTES: u32 = 12;

/// The most dimensions of one variable: the library's limit.
const RANK: u64 = 1024;

/// The most items of one list: what is read of them stays in memory.
const ITEMS: u64 = 1 << 19;

/// The lengths of the dimensions; 0 is the record dimension.
fn read_dimensions(visit: &mut Visit<'_>, header: &mut Header) -> Result<Vec<u64>, Stop> {
    let count = header.list(DIMENSIONS, "the list of dimensions")?;
    let mut lengths = Vec::new();
    for _ in 0..count {
        header.name(visit)?;
        lengths.push(header.number("the length of a dimension")?);
    }
    visit.count("dimension", count);
    Ok(lengths)
}

fn read_attributes(visit: &mut Visit<'_>, header: &mut Header) -> Result<(), Stop> {
    let count = header.list(ATTRIBUTES, "the list of attributes")?;
    for _ in 0..count {
        header.name(visit)?;
        let size = header.type_size()?;
        let number = header.number("the number of values of an attribute")?;
        let at = header.cursor.at();
        let len = number.checked_mul(size).and_then(padded);
        let len = len.ok_or(Stop::malformed(at, "values of a length that fits"))?;
        let values = header.cursor.take(len, "the values of an attribute")?;
        // Structure wins over slack: the header is claimed around the values, not over them.
        visit.structure(header.claimed..values.start(), "header")?;
        header.claimed = values.end();
        visit.slack(values.range(), "attribute values")?;
        if size == 1 {
            active_text::look_at_room(visit, values.range(), "An attribute")?;
        }
    }
    visit.count("attribute", count);
    Ok(())
}

fn read_variables(visit: &mut Visit<'_>, header: &mut Header, lengths: &[u64]) -> Result<Vec<Variable>, Stop> {
    let count = header.list(VARIABLES, "the list of variables")?;
    let mut variables = Vec::new();
    for _ in 0..count {
        header.name(visit)?;
        let at = header.cursor.at();
        let rank = header.number("the rank of a variable")?;
        if rank > RANK {
            return Err(Stop::malformed(at, "a rank of at most 1024"));
        }
        let mut is_record = false;
        let mut values = 1u64;
        for axis in 0..rank {
            let at = header.cursor.at();
            let index = header.number("the index of a dimension")?;
            let length = usize::try_from(index).ok().and_then(|index| lengths.get(index));
            match length {
                Some(0) if axis == 0 => is_record = true,
                Some(length) => {
                    values = values.checked_mul(*length).ok_or(Stop::malformed(at, "a product that fits"))?;
                }
                None => return Err(Stop::malformed(at, "the index of a dimension")),
            }
        }
        read_attributes(visit, header)?;
        let size = header.type_size()?;
        // `vsize` repeats what type and dimensions say, and overflows where it is too narrow: readers pass over it.
        header.number("vsize")?;
        let begin = header.place("begin")?;
        let len = values.checked_mul(size).ok_or(Stop::malformed(at, "values of a length that fits"))?;
        variables.push(Variable { begin, len, is_record });
    }
    visit.count("variable", count);
    Ok(variables)
}

/// The header's walker: knows the widths of the version.
struct Header {
    cursor: Cursor,
    version: u8,
    /// The number of records; `None` for a file that was being streamed.
    records: Option<u64>,
    /// The header is claimed up to here.
    claimed: u64,
}

impl Header {
    fn at_start(bytes: &Bytes) -> Result<Self, Stop> {
        let mut cursor = bytes.cursor();
        let [c, d, f, version] = cursor.array("the magic of a NetCDF file")?;
        if [c, d, f] != *b"CDF" || !matches!(version, 1 | 2 | 5) {
            return Err(Stop::malformed(bytes.start(), "the magic of a NetCDF file"));
        }
        let mut header = Header { cursor, version, records: None, claimed: 0 };
        let records = header.number("the number of records")?;
        let streaming = if version == 5 { u64::MAX } else { u64::from(u32::MAX) };
        header.records = (records != streaming).then_some(records);
        Ok(header)
    }

    fn u32(&mut self, expected: &'static str) -> Result<u32, Stop> {
        self.cursor.u32_be(expected)
    }

    fn number(&mut self, expected: &'static str) -> Result<u64, Stop> {
        if self.version == 5 { self.cursor.u64_be(expected) } else { self.u32(expected).map(u64::from) }
    }

    fn place(&mut self, expected: &'static str) -> Result<u64, Stop> {
        if self.version == 1 { self.u32(expected).map(u64::from) } else { self.cursor.u64_be(expected) }
    }

    /// The number of items of a list.
    fn list(&mut self, tag: u32, expected: &'static str) -> Result<u64, Stop> {
        let at = self.cursor.at();
        let found = self.u32(expected)?;
        let count = self.number(expected)?;
        if found != tag && (found != ABSENT || count != 0) {
            return Err(Stop::malformed(at, expected));
        }
        if count > ITEMS { Err(Stop::Exhausted(Limit::Claims)) } else { Ok(count) }
    }

    /// Passes over a name; what fills it up is room.
    fn name(&mut self, visit: &mut Visit<'_>) -> Result<(), Stop> {
        let len = self.number("the length of a name")?;
        let at = self.cursor.at();
        let whole = padded(len).ok_or(Stop::malformed(at, "a name of a length that fits"))?;
        let name = self.cursor.take(whole, "a name")?;
        if len < whole {
            visit.structure(self.claimed..name.start().saturating_add(len), "header")?;
            visit.slack(name.start().saturating_add(len)..name.end(), "padding of a name")?;
            self.claimed = name.end();
        }
        Ok(())
    }

    /// The size in bytes of the type that stands here.
    fn type_size(&mut self) -> Result<u64, Stop> {
        let at = self.cursor.at();
        match (self.u32("a type")?, self.version) {
            (1 | 2, _) | (7, 5) => Ok(1),
            (3, _) | (8, 5) => Ok(2),
            (4 | 5, _) | (9, 5) => Ok(4),
            (6, _) | (10 | 11, 5) => Ok(8),
            _ => Err(Stop::malformed(at, "a type of this version")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    /// A header of one version, built field by field.
    struct Builder(u8, Vec<u8>);

    impl Builder {
        fn number(&mut self, number: u64) {
            match self.0 {
                5 => self.1.extend(number.to_be_bytes()),
                _ => self.1.extend((number as u32).to_be_bytes()),
            }
        }
        fn list(&mut self, tag: u32, count: u64) {
            self.1.extend(tag.to_be_bytes());
            self.number(count);
        }
        fn text(&mut self, text: &[u8]) {
            self.number(text.len() as u64);
            self.1.extend(text);
            self.1.resize(self.1.len().next_multiple_of(4), 0);
        }
        fn variable(&mut self, name: &[u8], dims: &[u64], kind: u32, begin: u64) {
            self.text(name);
            self.number(dims.len() as u64);
            dims.iter().for_each(|dim| self.number(*dim));
            self.list(0, 0);
            self.1.extend(kind.to_be_bytes());
            self.number(0);
            match self.0 {
                1 => self.1.extend((begin as u32).to_be_bytes()),
                _ => self.1.extend(begin.to_be_bytes()),
            }
        }
    }

    /// Dimensions time (records) and x = 3, a title, variables x(x) short and t(time, x) byte, y(time) double.
    fn sample(version: u8, records: u64) -> Vec<u8> {
        let header = |start: u64| {
            let mut header = Builder(version, vec![b'C', b'D', b'F', version]);
            header.number(records);
            header.list(DIMENSIONS, 2);
            header.text(b"time");
            header.number(0);
            header.text(b"x");
            header.number(3);
            header.list(ATTRIBUTES, 1);
            header.text(b"title");
            header.1.extend(2u32.to_be_bytes());
            header.text(b"an atlas");
            header.list(VARIABLES, 3);
            header.variable(b"x", &[1], 3, start);
            header.variable(b"t", &[0, 1], 1, start + 8);
            header.variable(b"y", &[0], 6, start + 12);
            header.1
        };
        let start = header(0).len() as u64;
        let mut bytes = header(start);
        bytes.extend([0, 1, 0, 2, 0, 3, 0x80, 1]);
        for record in 0..2u8 {
            bytes.extend([record; 3]);
            bytes.push(0x81);
            bytes.extend([record; 8]);
        }
        bytes
    }

    #[test]
    fn all_versions_are_just_data() {
        for version in [1, 2, 5] {
            let report = checked("a.nc", sample(version, 2));
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            let books = report.layers[0].coverage;
            assert_eq!((books.opaque, books.unexplained), (6 + 2 * 12, 0), "{books:?}");
        }
        let streamed = sample(1, u64::from(u32::MAX));
        assert_eq!(checked("a.nc", streamed).verdict, Verdict::JustData);
    }

    #[test]
    fn what_stands_where_no_variable_is_is_news() {
        let mut behind = sample(1, 2);
        behind.extend(b"behind the last record");
        assert_eq!(rules_of(&checked("a.nc", behind)), ["unexplained-bytes"]);
        // The header says one record, the second is nobody's.
        assert_eq!(rules_of(&checked("a.nc", sample(2, 1))), ["unexplained-bytes"]);
        let mut zeros = sample(1, 2);
        zeros.extend([0; 100]);
        assert_eq!(checked("a.nc", zeros).verdict, Verdict::JustData);
    }

    #[test]
    fn damage_is_unfinished() {
        let whole = sample(1, 2);
        let mut dimension = whole.clone();
        let at = dimension.windows(8).position(|window| window == b"\0\0\0\x01x\0\0\0").unwrap();
        dimension[at..at + 4].fill(0xff);
        let mut many = whole.clone();
        many[4..8].copy_from_slice(&[0x7f; 4]);
        let mut tag = whole.clone();
        tag[11] = 9;
        assert_eq!(checked("a.nc", dimension).verdict, Verdict::Unfinished);
        assert_eq!(checked("a.nc", many).verdict, Verdict::Unfinished);
        assert_ne!(checked("a.nc", tag).verdict, Verdict::JustData);
    }

    #[test]
    fn no_cut_is_just_data() {
        for version in [1, 2, 5] {
            let whole = sample(version, 2);
            for len in 4..whole.len() {
                assert_ne!(checked("a.nc", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
            }
        }
    }

    /// The sample with another title of eight letters.
    fn titled(version: u8, title: &[u8; 8]) -> Vec<u8> {
        let mut bytes = sample(version, 2);
        let at = bytes.windows(8).position(|eight| eight == b"an atlas").unwrap();
        bytes[at..at + 8].copy_from_slice(title);
        bytes
    }

    #[test]
    fn nc_01_attributes() {
        told("a.nc", titled(1, b"#!/bin/a"), "script-hidden", titled(1, b"a:// b#!"));
        told("b.nc", titled(5, b"#!/bin/a"), "script-hidden", titled(5, b"a < b>c "));
    }

    #[test]
    fn nc_02_behind_the_records() {
        for version in [1, 2, 5] {
            let behind = |bytes: &[u8]| [sample(version, 2), bytes.to_vec()].concat();
            told("a.nc", behind(b"hidden"), "unexplained-bytes", behind(b""));
        }
    }

    #[test]
    fn mnc_01_behind_a_volume() {
        told("a.mnc", [sample(1, 2), b"hidden".to_vec()].concat(), "unexplained-bytes", sample(1, 2));
    }
}
