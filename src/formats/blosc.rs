//! Blosc: one buffer of values, cut into blocks, each compressed by itself; the chunks of Zarr and PyTables.
//!
//! Specification: Blosc Chunk Format of c-blosc 1.
//!
//! ```text
//! chunk = version 1 | codec version 1 | flags 1 | type size 1 | length 4 | block size 4 | compressed length 4
//!         place of a block 4 * blocks
//!         block: ( length 4 | stream )*           one stream, or one for each byte of a value
//! flags = shuffled 1 | stored 2 | bits shuffled 4 | one stream a block 16 | codec 32 64 128
//! ```
//! The header says that the content is values of a type. They are not decompressed here: what is checked is that header,
//! blocks and streams account for every byte.

use std::ops::Range;

use nom::{
    IResult, Parser,
    number::complete::{le_u8, le_u32},
};

use crate::{
    format::{Buried, Candidate, Format, Mark, Nature, Visit},
    stop::Stop,
};

/// Blosc.
pub static FORMAT: Format = Format {
    id: "blosc",
    name: "Blosc chunk",
    spec: "https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst",
    extensions: &["blosc", "bp"],
    media_types: &[],
    marks: &[Mark::start(b"\x01\x01"), Mark::start(b"\x02\x01")],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: None,
    rules: &[],
};

/// Bytes of the header.
const HEADER: u64 = 16;

/// Two bytes are found by chance: the lengths must fit together and the first blocks must lie in the chunk.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let bytes = candidate.bytes;
    let mut cursor = bytes.cursor();
    let header = cursor.parse(16, "the header of a chunk", header)?;
    if u64::from(header.packed_len) != bytes.len() || header.len == 0 || header.type_size == 0 {
        return Ok(false);
    }
    if header.is_stored() {
        return Ok(u64::from(header.len).saturating_add(HEADER) == bytes.len());
    }
    let fits = (1..=header.len).contains(&header.block_size) && header.flags & 8 == 0 && header.flags >> 5 <= 4;
    let end = header.table_end();
    if !fits || end > bytes.len() {
        return Ok(false);
    }
    for _ in 0..header.blocks().min(64) {
        let place = u64::from(cursor.u32_le("the place of a block")?);
        if place < end || place >= bytes.len() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    let header = cursor.parse(16, "the header of a chunk", header)?;
    if header.is_stored() {
        visit.structure(0..HEADER, "header")?;
        return visit.opaque(HEADER..visit.bytes.end(), "values");
    }
    let blocks = header.blocks();
    for number in 0..blocks {
        let at = cursor.at();
        let place = u64::from(cursor.u32_le("the place of a block")?);
        let rest = header.len.checked_rem(header.block_size).unwrap_or(0);
        let is_rest = rest > 0 && number.saturating_add(1) == blocks;
        let len = if is_rest { rest } else { header.block_size };
        if place < header.table_end() {
            return Err(Stop::malformed(at, "the place of a block behind the table of places"));
        }
        block(visit, place, len, if is_rest { 1 } else { header.streams() })?;
    }
    visit.structure(0..cursor.at(), "header and places of the blocks")
}

/// The streams of a block of `len` bytes of values.
fn block(visit: &mut Visit<'_>, place: u64, len: u32, streams: u32) -> Result<(), Stop> {
    let mut cursor = visit.bytes.from(place).cursor();
    let most = len.checked_div(streams).unwrap_or(len);
    for _ in 0..streams {
        let at = cursor.at();
        let packed = cursor.u32_le("the length of a stream")?;
        // What does not become shorter is stored as it is.
        if packed == 0 || packed > most {
            return Err(Stop::malformed(at, "the length of a stream"));
        }
        let stream: Range<u64> = cursor.take(packed.into(), "a stream")?.range();
        visit.structure(at..stream.start, "length of a stream")?;
        visit.opaque(stream, "compressed values")?;
    }
    Ok(())
}

struct Header {
    flags: u8,
    type_size: u8,
    len: u32,
    block_size: u32,
    packed_len: u32,
}

impl Header {
    fn is_stored(&self) -> bool {
        self.flags & 2 != 0
    }

    fn blocks(&self) -> u32 {
        if self.block_size == 0 { 0 } else { self.len.div_ceil(self.block_size) }
    }

    fn table_end(&self) -> u64 {
        u64::from(self.blocks()).saturating_mul(4).saturating_add(HEADER)
    }

    /// Streams of a whole block: values of few bytes are cut up where that leaves streams of some length.
    fn streams(&self) -> u32 {
        let size = u32::from(self.type_size);
        let long = self.block_size.checked_div(size).is_some_and(|len| len >= 128);
        if self.flags & 16 == 0 && size <= 16 && long { size } else { 1 }
    }
}

fn header(input: &[u8]) -> IResult<&[u8], Header> {
    let (rest, (_version, _codec, flags, type_size)) = (le_u8, le_u8, le_u8, le_u8).parse(input)?;
    let (rest, (len, block_size, packed_len)) = (le_u32, le_u32, le_u32).parse(rest)?;
    Ok((rest, Header { flags, type_size, len, block_size, packed_len }))
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    /// A chunk of blocks, each of streams; `order` is that of the blocks in the file.
    fn chunk(flags: u8, type_size: u8, len: u32, block_size: u32, blocks: &[Vec<Vec<u8>>], order: &[usize]) -> Vec<u8> {
        let mut places = vec![0u32; blocks.len()];
        let mut content = Vec::new();
        for number in order {
            places[*number] = (16 + blocks.len() * 4 + content.len()) as u32;
            for stream in &blocks[*number] {
                content.extend((stream.len() as u32).to_le_bytes());
                content.extend(stream);
            }
        }
        let whole = (16 + places.len() * 4 + content.len()) as u32;
        let mut bytes = vec![2, 1, flags, type_size];
        [len, block_size, whole].iter().chain(&places).for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(content);
        bytes
    }

    /// Two blocks of 256 bytes in two streams each, and a rest.
    fn sample() -> Vec<u8> {
        let block = |value: u8| vec![vec![value; 20], vec![value + 1; 128]];
        chunk(0x21, 2, 520, 256, &[block(1), block(3), vec![vec![5; 6]]], &[0, 1, 2])
    }

    #[test]
    fn chunks_are_just_data() {
        let one = chunk(0x31, 1, 1000, 1000, &[vec![vec![7; 90]]], &[0]);
        let turned = chunk(0x31, 4, 20, 10, &[vec![vec![7; 4]], vec![vec![8; 10]]], &[1, 0]);
        let stored = [&[2, 1, 0x32, 8, 16, 0, 0, 0, 16, 0, 0, 0, 32, 0, 0, 0][..], &[9; 16]].concat();
        for bytes in [sample(), one, turned, stored] {
            let report = checked("0.0", bytes);
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
            assert_eq!(report.layers[0].formats, ["blosc"]);
        }
    }

    #[test]
    fn bytes_between_the_blocks_are_news() {
        let mut gap = sample();
        gap.extend(b"left over");
        let len = gap.len() as u32;
        gap[12..16].copy_from_slice(&len.to_le_bytes());
        assert_eq!(rules_of(&checked("0.0", gap)), ["unexplained-bytes"]);
    }

    #[test]
    fn damage_is_unfinished() {
        let mut long = sample();
        long[28] = 129;
        assert_eq!(checked("0.0", long).verdict, Verdict::Unfinished);
        let whole = sample();
        for len in 1..whole.len() {
            assert_ne!(checked("0.0", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
        // Two numbers alone are no chunk.
        assert!(checked("x", [&[2, 1][..], &[0x31; 60]].concat()).layers[0].formats.is_empty());
    }
}
