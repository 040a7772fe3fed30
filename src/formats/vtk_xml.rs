//! VTK XML files: meshes, grids and images, and the files that put several of them together.
//!
//! Specification: VTK File Formats, "XML File Formats".
//!
//! ```text
//! <VTKFile type="UnstructuredGrid" byte_order="LittleEndian" header_type="UInt64" compressor="vtkZLibDataCompressor">
//!   … <DataArray format="ascii">1 2 3</DataArray>
//!     <DataArray format="binary">base64</DataArray>
//!     <DataArray format="appended" offset="0"/> …
//!   <AppendedData encoding="raw"> _ block* </AppendedData>
//! </VTKFile>
//! block   plain        length | values                           length: UInt32 or UInt64, by header_type
//!         compressed   number n | size | last size | n lengths | n streams
//! parts   <Piece Source="a_0.vtu"/>   <DataSet file="a/a_0.vtp"/>
//! ```
//! Values of raw appended data are no XML. A reader goes to the offset of each array; what no array points to is read
//! by nobody.

use std::{ops::Range, rc::Rc};

use nom::number::Endianness;

use crate::{
    bytes::{Bytes, Cursor},
    follow::{Follower, open_base64},
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::xml::{self, Element, Event, Token},
    quote::quoted,
    rules, sorting,
    source::Base64,
    stop::Stop,
};

/// VTK XML.
pub static FORMAT: Format = Format {
    id: "vtk-xml",
    name: "VTK XML file",
    spec: "https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html",
    extensions: &[
        "vti", "vtp", "vtr", "vts", "vtu", "pvti", "pvtp", "pvtr", "pvts", "pvtu", "pvd", "vtm", "vtmb", "vth", "vthb",
        "vtpc", "vtt",
    ],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[],
};

/// Attributes that name another file.
const NAMING: &[&str] = &["Source", "file", "source"];

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(xml::root(candidate)?.is_some_and(|root| root.name == "VTKFile"))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut reading =
        Reading { follower: Follower::default(), layout: Layout::default(), binary: None, appended: None };
    xml::walk(visit, |visit, walker, event| {
        // The walker sees the values as broken XML, from here on.
        if reading.appended.as_ref().is_some_and(|(encoding, _)| encoding == "raw") {
            return Ok(());
        }
        reading.look(visit, event)?;
        if let Some((encoding, at)) = &mut reading.appended
            && encoding == "raw"
        {
            *at = walker.at();
        }
        Ok(())
    })?;
    match reading.appended {
        Some((encoding, at)) if encoding == "raw" => read_appended(visit, at, &reading.layout),
        _ => Ok(()),
    }
}

struct Reading {
    follower: Follower,
    layout: Layout,
    /// The name of the array whose Base64 text comes next.
    binary: Option<String>,
    /// The encoding of the appended data, and where it starts.
    appended: Option<(String, u64)>,
}

/// How blocks are written, and where.
struct Layout {
    order: Endianness,
    wide: bool,
    compressed: bool,
    offsets: Vec<u64>,
}

impl Default for Layout {
    fn default() -> Self {
        Layout { order: Endianness::Little, wide: false, compressed: false, offsets: Vec::new() }
    }
}

/// Arrays of one file.
const ARRAYS: usize = 1 << 18;

impl Reading {
    fn look(&mut self, visit: &mut Visit<'_>, event: &Event) -> Result<(), Stop> {
        match &event.token {
            Token::Doctype(doctype) => {
                let message = format!("A declaration of the type {}.", quoted(&doctype.name));
                visit.find(&rules::DOCTYPE_UNEXPECTED, event.range.clone(), message)
            }
            Token::Start(element) => self.element(visit, element),
            Token::Text(text) | Token::CData(text) if !text.raw.trim().is_empty() => {
                let appended = self.appended.as_ref().is_some_and(|(encoding, _)| encoding == "base64");
                if appended {
                    // The first character that is not white space is an underscore.
                    let skip = text.raw.find('_').map_or(0, |at| at.saturating_add(1)) as u64;
                    let range = text.range.start.saturating_add(skip)..text.range.end;
                    look_between(visit, range.clone(), &self.layout)?;
                    return open_base64(visit, range, "appended data".into(), "values");
                }
                match self.binary.take() {
                    Some(name) => {
                        let blank = text.raw.len().saturating_sub(text.raw.trim_start().len()) as u64;
                        let start = text.range.start.saturating_add(blank);
                        look_behind(visit, start..text.range.end, &self.layout)?;
                        open_base64(visit, text.range.clone(), name, "values")
                    }
                    None => Ok(()),
                }
            }
            Token::End(_) => {
                self.binary = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn element(&mut self, visit: &mut Visit<'_>, element: &Element) -> Result<(), Stop> {
        let value = |name: &str| element.attribute(name).map(|attribute| attribute.value.trim().to_string());
        match element.name.as_str() {
            "VTKFile" => {
                self.layout.wide = value("header_type").is_some_and(|header| header == "UInt64");
                self.layout.compressed = value("compressor").is_some_and(|compressor| !compressor.is_empty());
                if value("byte_order").is_some_and(|order| order == "BigEndian") {
                    self.layout.order = Endianness::Big;
                }
            }
            "AppendedData" => self.appended = Some((value("encoding").unwrap_or_default(), 0)),
            "DataArray" | "Array" | "PDataArray" => {
                let format = value("format").unwrap_or_default();
                if format == "binary" {
                    self.binary = Some(value("Name").filter(|name| !name.is_empty()).unwrap_or_else(|| "array".into()));
                }
                let offset = value("offset").and_then(|offset| offset.parse().ok());
                if let Some(offset) = offset.filter(|_| format == "appended" && self.layout.offsets.len() < ARRAYS) {
                    self.layout.offsets.push(offset);
                }
            }
            _ => {}
        }
        for attribute in element.attributes.iter().filter(|attribute| NAMING.contains(&attribute.name.as_str())) {
            let subject = format!("The {} of {}", attribute.name, element.name);
            self.follower.follow(visit, attribute.range.clone(), &subject, &attribute.value)?;
        }
        Ok(())
    }
}

/// Raw appended data: claims what an array points to, and the end of the document behind it.
fn read_appended(visit: &mut Visit<'_>, at: u64, layout: &Layout) -> Result<(), Stop> {
    let mut cursor = visit.bytes.from(at).cursor();
    skip_space(&mut cursor)?;
    if cursor.u8("an underscore")? != b'_' {
        return Err(Stop::malformed(cursor.at().saturating_sub(1), "an underscore"));
    }
    let start = cursor.at();
    visit.structure(at..start, "start of appended data")?;
    let mut end = start;
    let mut offsets = layout.offsets.clone();
    sorting::by_key(&mut offsets, |offset| *offset);
    offsets.dedup();
    for offset in offsets {
        let block = start.saturating_add(offset);
        let values = block_at(visit, block, layout)?;
        visit.structure(block..values.start, "block header")?;
        visit.opaque(values.clone(), "values")?;
        end = end.max(values.end);
    }
    read_end(visit, end)
}

/// The streams or values of the block at `at`.
fn block_at(visit: &Visit<'_>, at: u64, layout: &Layout) -> Result<Range<u64>, Stop> {
    let mut cursor = visit.bytes.from(at).cursor();
    if cursor.at() != at {
        return Err(Stop::malformed(at, "a block of values"));
    }
    let mut len = number(&mut cursor, layout)?;
    if layout.compressed {
        let blocks = len;
        number(&mut cursor, layout)?;
        number(&mut cursor, layout)?;
        let width = if layout.wide { 8 } else { 4 };
        if blocks > cursor.remaining() / width {
            return Err(Stop::malformed(at, "a number of blocks that fits"));
        }
        len = 0;
        for _ in 0..blocks {
            len = len.saturating_add(number(&mut cursor, layout)?);
        }
    }
    let values = cursor.take(len, "the values of a block")?;
    Ok(values.range())
}

/// What stands between and behind the arrays of appended data in Base64.
fn look_between(visit: &mut Visit<'_>, text: Range<u64>, layout: &Layout) -> Result<(), Stop> {
    let mut starts: Vec<u64> = layout.offsets.iter().map(|offset| text.start.saturating_add(*offset)).collect();
    sorting::by_key(&mut starts, |start| *start);
    starts.dedup();
    let first = starts.first().copied().unwrap_or(text.end);
    tell_uncovered(visit, text.start..first)?;
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index.saturating_add(1)).copied().unwrap_or(text.end);
        look_behind(visit, *start..end.min(text.end), layout)?;
    }
    Ok(())
}

/// What stands behind the block that starts `text`, up to its end.
fn look_behind(visit: &mut Visit<'_>, text: Range<u64>, layout: &Layout) -> Result<(), Stop> {
    match coded_len(visit, text.clone(), layout) {
        Ok(len) => tell_uncovered(visit, text.start.saturating_add(len)..text.end),
        // What is no Base64 is told where it is decoded.
        Err(Stop::Malformed(_)) => Ok(()),
        Err(stop) => Err(stop),
    }
}

fn tell_uncovered(visit: &mut Visit<'_>, range: Range<u64>) -> Result<(), Stop> {
    if range.is_empty() || is_space(visit, range.clone())? {
        return Ok(());
    }
    let len = range.end.saturating_sub(range.start);
    visit.find(&rules::UNEXPLAINED_BYTES, range, format!("No array takes these {len} bytes of text."))
}

/// How long the block that starts `text` is in Base64. Writers code its header with the values or on its own.
fn coded_len(visit: &Visit<'_>, text: Range<u64>, layout: &Layout) -> Result<u64, Stop> {
    let width = if layout.wide { 8u64 } else { 4 };
    let coded = |len: u64| len.div_ceil(3).saturating_mul(4);
    let numbers = |count: u64| {
        let end = text.start.saturating_add(coded(count.saturating_mul(width)));
        let decoded = Base64::new(visit.bytes.window(text.start..end.min(text.end)))?;
        let bytes = Bytes::whole(Rc::new(decoded), visit.bytes.budget().clone());
        let mut cursor = bytes.cursor();
        (0..count).map(|_| number(&mut cursor, layout)).collect::<Result<Vec<u64>, Stop>>()
    };
    if !layout.compressed {
        let len = numbers(1)?.first().copied().unwrap_or_default();
        return Ok(coded(width.saturating_add(len)).max(coded(width).saturating_add(coded(len))));
    }
    let blocks = numbers(3)?.first().copied().unwrap_or_default();
    let count = blocks.saturating_add(3);
    if coded(count.saturating_mul(width)) > text.end.saturating_sub(text.start) {
        return Err(Stop::malformed(text.start, "a number of blocks that fits"));
    }
    let sizes = numbers(count)?.iter().skip(3).fold(0u64, |sum, size| sum.saturating_add(*size));
    Ok(coded(count.saturating_mul(width)).saturating_add(coded(sizes)))
}

/// A number of a block's header.
fn number(cursor: &mut Cursor, layout: &Layout) -> Result<u64, Stop> {
    let expected = "the header of a block";
    Ok(match (layout.wide, layout.order == Endianness::Big) {
        (true, true) => cursor.u64_be(expected)?,
        (true, false) => cursor.u64_le(expected)?,
        (false, true) => cursor.u32_be(expected)?.into(),
        (false, false) => cursor.u32_le(expected)?.into(),
    })
}

/// Claims the end tags behind the last block; what stands between stays unexplained.
fn read_end(visit: &mut Visit<'_>, from: u64) -> Result<(), Stop> {
    let mut cursor = visit.bytes.from(from).cursor();
    for tag in [&b"</AppendedData"[..], b"</VTKFile"] {
        let Some(at) = find(&mut cursor, tag)? else {
            return Err(Stop::malformed(cursor.at(), format!("{}>", String::from_utf8_lossy(tag))));
        };
        let gap = cursor.at()..at;
        if is_space(visit, gap.clone())? {
            visit.structure(gap, "white space")?;
        }
        cursor.seek(at.saturating_add(tag.len() as u64));
        skip_space(&mut cursor)?;
        if cursor.u8("the end of a tag")? != b'>' {
            return Err(Stop::malformed(cursor.at().saturating_sub(1), "the end of a tag"));
        }
        visit.structure(at..cursor.at(), "end tag")?;
    }
    let at = cursor.at();
    skip_space(&mut cursor)?;
    visit.structure(at..cursor.at(), "white space")
}

/// Whether there is only white space in a range, which a reader passes over.
fn is_space(visit: &Visit<'_>, range: Range<u64>) -> Result<bool, Stop> {
    let mut cursor = visit.bytes.window(range.clone()).cursor();
    skip_space(&mut cursor)?;
    Ok(cursor.is_empty())
}

fn skip_space(cursor: &mut Cursor) -> Result<(), Stop> {
    loop {
        let look = cursor.peek(256)?;
        let count = look.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let more = count == look.len() && count > 0;
        cursor.seek(cursor.at().saturating_add(count as u64));
        if !more {
            return Ok(());
        }
    }
}

/// Bytes looked at together.
const LOOK: usize = 256 << 10;

/// The next place of `tag`; the cursor stays.
fn find(cursor: &mut Cursor, tag: &[u8]) -> Result<Option<u64>, Stop> {
    let bytes = cursor.bytes().clone();
    let mut at = cursor.at();
    while at < bytes.end() {
        let window = bytes.peek(at, LOOK)?;
        if let Some(found) = memchr::memmem::find(&window, tag) {
            return Ok(Some(at.saturating_add(found as u64)));
        }
        let step = window.len().saturating_sub(tag.len()).saturating_add(1);
        at = at.saturating_add(step.max(1) as u64);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    /// An image with two appended arrays of 4 bytes; `between` stands behind them, `behind` behind the document.
    fn appended(between: &[u8], behind: &[u8]) -> Vec<u8> {
        let mut bytes = b"<VTKFile type=\"ImageData\" byte_order=\"LittleEndian\"><ImageData><Piece><PointData>\
            <DataArray type=\"UInt8\" format=\"appended\" offset=\"0\"/><DataArray type=\"UInt8\" format=\"appended\" offset=\"8\"/>\
            </PointData></Piece></ImageData>\n  <AppendedData encoding=\"raw\">\n   _"
            .to_vec();
        bytes.extend(b"\x04\0\0\0\x01<\x02\x03\x04\0\0\0\xff\xfe\xfd\xfc");
        bytes.extend(between);
        bytes.extend(b"\n  </AppendedData>\n</VTKFile>\n");
        bytes.extend(behind);
        bytes
    }

    #[test]
    fn data_sets_are_just_data() {
        let report = checked("a.vti", appended(b"", b""));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
        assert_eq!(report.layers[0].coverage.opaque, 8);
        for (name, sample) in [
            (
                "a.pvd",
                "<VTKFile type=\"Collection\"><Collection><DataSet timestep=\"0\" file=\"a/a_0.vtu\"/></Collection></VTKFile>",
            ),
            (
                "a.pvtu",
                "<?xml version=\"1.0\"?><VTKFile><PUnstructuredGrid><Piece Source=\"a_0.vtu\"/></PUnstructuredGrid></VTKFile>",
            ),
            (
                "a.vtu",
                "<VTKFile><A><DataArray format=\"binary\" Name=\"x\">\n BAAAAA==AQIDBA==\n</DataArray><DataArray format=\"ascii\">1 2</DataArray></A></VTKFile>",
            ),
            (
                "a.vtu",
                "<VTKFile><A><DataArray format=\"appended\" offset=\"0\"/></A><AppendedData encoding=\"base64\">\n_BAAAAAECAwQ=</AppendedData></VTKFile>",
            ),
        ] {
            let report = checked(name, sample);
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{sample}");
        }
    }

    #[test]
    fn compressed_blocks_are_read_by_their_lengths() {
        let mut bytes =
            b"<VTKFile compressor=\"vtkZLibDataCompressor\" header_type=\"UInt64\" byte_order=\"BigEndian\"><A>\
            <DataArray format=\"appended\" offset=\"0\"/></A><AppendedData encoding=\"raw\">_"
                .to_vec();
        for number in [2u64, 8, 4, 3, 2] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(b"\x01\x02\x03\x04\x05</AppendedData></VTKFile>");
        let report = checked("a.vti", bytes);
        assert_eq!((report.verdict, report.layers[0].coverage.opaque), (Verdict::JustData, 5), "{report:#?}");
    }

    #[test]
    fn parts_elsewhere_are_found() {
        for (sample, rule) in [
            ("<VTKFile><P><Piece Source=\"../../../../etc/hostname\"/></P></VTKFile>", "reference-far-above"),
            ("<VTKFile><P><DataSet index=\"0\" file=\"/etc/hostname.vtp\"/></P></VTKFile>", "reference-by-whole-path"),
            ("<VTKFile><P><DataSet file=\"http://example.org/a.vtu\"/></P></VTKFile>", "reference-to-server"),
            ("<!DOCTYPE VTKFile SYSTEM \"x.dtd\"><VTKFile/>", "doctype-unexpected"),
        ] {
            assert_eq!(rules_of(&checked("a.pvd", sample)), [rule], "{sample}");
        }
    }

    #[test]
    fn bytes_that_no_array_points_to_are_found() {
        assert_eq!(rules_of(&checked("a.vti", appended(b"hidden", b""))), ["unexplained-bytes"]);
        assert_eq!(rules_of(&checked("a.vti", appended(b"", b"hidden"))), ["unexplained-bytes"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = appended(b"", b"");
        for len in 1..whole.len() - 1 {
            assert_ne!(checked("a.vti", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn vtk_01_pieces() {
        let piece =
            |name: &str| format!("<VTKFile type=\"PUnstructuredGrid\"><P><Piece Source=\"{name}\"/></P></VTKFile>");
        told("a.pvtu", piece("http://192.0.2.1/a.vtu"), "reference-to-server", piece("a/a_0.vtu"));
        let block = |name: &str| {
            format!("<VTKFile type=\"vtkMultiBlockDataSet\"><B><DataSet index=\"0\" file=\"{name}\"/></B></VTKFile>")
        };
        told("a.vtm", block("/etc/hostname"), "reference-by-whole-path", block("a/a_0.vtp"));
    }

    #[test]
    fn vtk_02_a_document_type() {
        told("a.vtu", "<!DOCTYPE VTKFile><VTKFile/>", "doctype-unexpected", "<?xml version=\"1.0\"?><VTKFile/>");
    }

    #[test]
    fn vtk_03_data_that_no_array_takes() {
        told("a.vti", appended(b"hidden", b""), "unexplained-bytes", appended(b"", b"\n"));
        told("b.vti", appended(b"", b"hidden"), "unexplained-bytes", appended(b"", b""));
        let coded = |text: &str| {
            format!(
                "<VTKFile><A><DataArray format=\"appended\" offset=\"0\"/></A><AppendedData encoding=\"base64\">\n_{text}\n</AppendedData></VTKFile>"
            )
        };
        told("c.vti", coded("BAAAAAECAwQ=aGlkZGVu"), "unexplained-bytes", coded("BAAAAA==AQIDBA=="));
        let inline =
            |text: &str| format!("<VTKFile><A><DataArray format=\"binary\">\n {text}\n</DataArray></A></VTKFile>");
        told("d.vti", inline("BAAAAAECAwQ=aGlkZGVu"), "unexplained-bytes", inline("BAAAAAECAwQ="));
    }
}
