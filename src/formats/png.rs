//! PNG: chunks with lengths, names and checksums; also animated PNG.
//!
//! Specification: Portable Network Graphics (Third Edition), <https://www.w3.org/TR/png-3/>.
//!
//! ```text
//! file  = 89 50 4E 47 0D 0A 1A 0A  IHDR chunk* IDAT+ chunk* IEND
//! chunk = length 4 (BE) | type 4 | data | CRC-32 of type and data 4
//! ```
//! Text, profiles and private chunks are room for anything; what follows IEND belongs to nobody. The second of two
//! chunks that may stand only once is read by some programs and not by others.

use std::{ops::Range, rc::Rc};

use crate::{
    bytes::{Bytes, Cursor},
    checksum::CRC_32,
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    quote::quoted_bytes,
    rule::{Guideline, Rule, Runs, Severity},
    source::{Inflated, Paged, Wrapping},
    stop::Stop,
};

/// Portable Network Graphics.
pub static FORMAT: Format = Format {
    id: "png",
    name: "PNG image",
    spec: "https://www.w3.org/TR/png-3/",
    extensions: &["png", "apng"],
    media_types: &["image/png", "image/apng"],
    marks: &[Mark::start(SIGNATURE)],
    confirm: |_| Ok(true),
    read,
    buried: Buried::Anywhere(confirm_buried),
    nature: Nature::Data,
    within: None,
    rules: &[&CHUNK_TWICE],
};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A chunk that may stand only once, twice.
static CHUNK_TWICE: Rule = Rule {
    id: "png-chunk-twice",
    title: "This image has two of a part that there may be only one of",
    why: "Some programs show the image with the first, some with the second: people see different images in one file.",
    advice: "Ask the sender for a plain image, or convert it with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://www.w3.org/TR/png-3/#5ChunkOrdering"],
};

/// In the middle of other bytes the signature must be followed by a header with its checksum.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let head = candidate.head(33)?;
    let header = head.get(12..29).unwrap_or_default();
    let crc = head.get(29..33).and_then(|crc| crc.try_into().ok()).map(u32::from_be_bytes);
    Ok(header.starts_with(b"IHDR") && crc == Some(CRC_32.checksum(header)))
}

/// Chunks that may stand only once (section 5.6), as far as programs differ on the second.
const ONCE: &[&[u8; 4]] = &[b"IHDR", b"PLTE", b"IEND", b"tRNS", b"iCCP", b"acTL"];

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.cursor();
    cursor.seek(SIGNATURE.len() as u64);
    visit.structure(0..cursor.at(), "signature")?;
    let mut seen: Vec<[u8; 4]> = Vec::new();
    loop {
        let chunk = Chunk::read(&mut cursor)?;
        if seen.is_empty() && &chunk.name != b"IHDR" {
            return Err(Stop::malformed(chunk.start, "the chunk IHDR"));
        }
        let once = ONCE.iter().any(|once| **once == chunk.name);
        if once && seen.contains(&chunk.name) {
            let message = format!("The chunk {} stands here again.", quoted_bytes(&chunk.name));
            visit.find(&CHUNK_TWICE, chunk.start..chunk.end(), message)?;
        }
        if seen.len() < 64 && !seen.contains(&chunk.name) {
            seen.push(chunk.name);
        }
        visit.structure(chunk.start..chunk.data.start(), "chunk header")?;
        visit.structure(chunk.data.end()..chunk.end(), "chunk CRC")?;
        claim(visit, &chunk)?;
        if !chunk.crc_fits()? {
            visit.note(Stop::malformed(chunk.data.end(), "a matching CRC-32"));
        }
        if &chunk.name == b"IEND" {
            return Ok(());
        }
    }
}

struct Chunk {
    start: u64,
    name: [u8; 4],
    data: Bytes,
    crc: u32,
}

impl Chunk {
    fn read(cursor: &mut Cursor) -> Result<Self, Stop> {
        let start = cursor.at();
        let len = cursor.u32_be("a chunk")?;
        let name = cursor.array("the name of a chunk")?;
        if !name.iter().all(u8::is_ascii_alphabetic) {
            return Err(Stop::malformed(start.saturating_add(4), "the name of a chunk"));
        }
        let data = cursor.take(u64::from(len), "the data of a chunk")?;
        let crc = cursor.u32_be("the CRC of a chunk")?;
        Ok(Chunk { start, name, data, crc })
    }

    fn end(&self) -> u64 {
        self.data.end().saturating_add(4)
    }

    fn crc_fits(&self) -> Result<bool, Stop> {
        let mut hasher = CRC_32.digest();
        hasher.update(&self.name);
        let mut buffer = vec![0; usize::try_from(self.data.len()).unwrap_or(usize::MAX).min(64 << 10)];
        let mut at = self.data.start();
        while at < self.data.end() {
            let count = self.data.copy(at, &mut buffer)?;
            hasher.update(buffer.get(..count).unwrap_or_default());
            at = at.saturating_add(count as u64);
        }
        Ok(hasher.finalize() == self.crc)
    }
}

fn claim(visit: &mut Visit<'_>, chunk: &Chunk) -> Result<(), Stop> {
    let data = chunk.data.range();
    match &chunk.name {
        b"IHDR" if data.end.saturating_sub(data.start) == 13 => visit.structure(data, "image header"),
        b"IHDR" => Err(Stop::malformed(data.start, "13 bytes of image header")),
        b"PLTE" | b"tRNS" | b"gAMA" | b"cHRM" | b"sRGB" | b"cICP" | b"mDCV" | b"cLLI" | b"sBIT" | b"bKGD" | b"hIST"
        | b"pHYs" | b"tIME" | b"acTL" | b"fcTL" | b"oFFs" | b"sTER" | b"CgBI" => {
            // Fixed values of at most a palette; what is longer is room.
            let small = data.end.saturating_sub(data.start) <= 1024;
            if small { visit.structure(data, "image parameters") } else { visit.slack(data, "image parameters") }
        }
        b"IDAT" | b"fdAT" => visit.opaque(data, "compressed pixels"),
        b"IEND" if data.is_empty() => Ok(()),
        b"eXIf" => visit.open("Exif", Span::Range(data), Role::Opaque("Exif")),
        b"iCCP" => {
            let Some(text) = text_end(&chunk.data)? else { return visit.slack(data, "colour profile") };
            inflate(visit, data, text.saturating_add(1), "colour profile", "colour profile")
        }
        b"zTXt" => {
            let Some(text) = text_end(&chunk.data)? else { return visit.slack(data, "text") };
            inflate(visit, data, text.saturating_add(1), "compressed text", "text")
        }
        b"iTXt" => international(visit, chunk),
        b"tEXt" => visit.slack(data, "text"),
        _ => visit.slack(data, "further chunk"),
    }
}

/// Behind the zero byte that ends the text that `bytes` starts with: keywords have at most 79 letters.
fn text_end(bytes: &Bytes) -> Result<Option<u64>, Stop> {
    let head = bytes.peek(bytes.start(), 1024)?;
    Ok(memchr::memchr(0, &head).map(|at| bytes.start().saturating_add(at as u64).saturating_add(1)))
}

/// Opens what a chunk has compressed from `start` on.
fn inflate(visit: &mut Visit<'_>, data: Range<u64>, start: u64, name: &str, what: &'static str) -> Result<(), Stop> {
    visit.slack(data.start..start, "keyword")?;
    let inflated = Inflated::measure(visit.bytes.window(start..data.end), Wrapping::Zlib)?;
    let broken = inflated.stop().cloned();
    let end = start.saturating_add(inflated.compressed_len()).min(data.end);
    visit.open(
        name,
        Span::Decoded(start..end, Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 2))),
        Role::Opaque(what),
    )?;
    // What stands behind the stream is no part of it.
    visit.slack(end..data.end, "rest of the chunk")?;
    if let Some(broken) = broken {
        visit.note(broken);
    }
    Ok(())
}

/// keyword 0 | compressed 1 | method 1 | language 0 | translated keyword 0 | text in UTF-8
fn international(visit: &mut Visit<'_>, chunk: &Chunk) -> Result<(), Stop> {
    let data = chunk.data.range();
    let Some(keyword) = text_end(&chunk.data)? else { return visit.slack(data, "text") };
    let flags = chunk.data.peek(keyword, 2)?;
    let Some(language) = text_end(&chunk.data.from(keyword.saturating_add(2)))? else {
        return visit.slack(data, "text");
    };
    let Some(text) = text_end(&chunk.data.from(language))? else { return visit.slack(data, "text") };
    if flags.first() == Some(&1) {
        return inflate(visit, data, text, "compressed text", "text");
    }
    if chunk.data.starts_with(data.start, b"XML:com.adobe.xmp\0")? && text < data.end {
        visit.slack(data.start..text, "keyword")?;
        return visit.open("XMP", Span::Range(text..data.end), Role::Opaque("XMP"));
    }
    visit.slack(data, "text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let body = [&name[..], data].concat();
        [&(data.len() as u32).to_be_bytes()[..], &body, &CRC_32.checksum(&body).to_be_bytes()].concat()
    }

    fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
        let header = chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0]);
        let pixels = miniz_oxide::deflate::compress_to_vec_zlib(&[0, 0], 6);
        [SIGNATURE, &header, &chunks.concat(), &chunk(b"IDAT", &pixels), &chunk(b"IEND", b"")].concat()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        miniz_oxide::deflate::compress_to_vec_zlib(text, 6)
    }

    #[test]
    fn images_with_all_kinds_of_text_are_just_data() {
        let chunks = [
            chunk(b"PLTE", &[1, 2, 3]),
            chunk(b"tEXt", b"Software\0some program"),
            chunk(b"zTXt", &[b"Comment\0\0".to_vec(), zlib(b"a long text\n")].concat()),
            chunk(b"iCCP", &[b"name\0\0".to_vec(), zlib(&[7; 200])].concat()),
            chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"),
            chunk(b"iTXt", &[b"k\0\x01\0de\0K\0".to_vec(), zlib("Grüße\n".as_bytes())].concat()),
            chunk(b"prIv", &[1, 2, 3, 4]),
        ];
        let report = checked("a.png", png(&chunks));
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        let layers: Vec<_> = report.layers.iter().map(|layer| (layer.name.as_str(), layer.formats.concat())).collect();
        assert!(layers.contains(&("XMP", "xml".into())), "{layers:?}");
        assert!(layers.contains(&("compressed text", "text".into())), "{layers:?}");
    }

    #[test]
    fn what_follows_the_end_is_news() {
        assert_eq!(rules_of(&checked("a.png", [png(&[]), b"left over".to_vec()].concat())), ["unexplained-bytes"]);
        assert_eq!(checked("a.png", [png(&[]), vec![0; 9]].concat()).verdict, Verdict::JustData);
    }

    #[test]
    fn two_palettes_are_found() {
        let palette = chunk(b"PLTE", &[1, 2, 3]);
        assert_eq!(rules_of(&checked("a.png", png(&[palette.clone(), palette]))), ["png-chunk-twice"]);
    }

    #[test]
    fn damage_is_unfinished_at_every_cut() {
        let sample = png(&[chunk(b"zTXt", &[b"Comment\0\0".to_vec(), zlib(b"text\n")].concat())]);
        for len in 1..sample.len() {
            assert_ne!(checked("a.png", &sample[..len]).verdict, Verdict::JustData, "{len}");
        }
        let mut wrong = sample.clone();
        wrong[20] ^= 1;
        assert_eq!(checked("a.png", wrong).verdict, Verdict::Unfinished);
    }
}
