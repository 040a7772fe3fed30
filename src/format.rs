//! A format: its marks, its reader and its rules, in one static; and the visit that a reader makes to a layer.

use std::{borrow::Cow, collections::HashMap, ops::Range, rc::Rc};

use crate::{
    bytes::Bytes,
    ledger::{Kind, Ledger},
    quote::shortened,
    reference::{Reach, classify},
    rule::Rule,
    source::{Source, Stitched},
    stop::Stop,
};

/// One file format. All of them stand in [`crate::formats::FORMATS`].
pub struct Format {
    /// Stable, in kebab case.
    pub id: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// Address of the specification that the reader follows.
    pub spec: &'static str,
    /// File name endings without the first dot, in lower case ("nii.gz").
    pub extensions: &'static [&'static str],
    /// Media types, where registered.
    pub media_types: &'static [&'static str],
    /// Bytes that an instance starts with, any of them. Empty: [`Format::confirm`] is always asked.
    pub marks: &'static [Mark],
    /// Whether the candidate is of this format. Cheap: reads a header, not the file.
    pub confirm: fn(&Candidate<'_>) -> Result<bool, Stop>,
    /// Reads the layer: claims, opens, finds.
    pub read: fn(&mut Visit<'_>) -> Result<(), Stop>,
    /// Whether and where a sweep looks for this format in bytes that nothing explains and in opaque ones.
    pub buried: Buried,
    /// What kind of thing it is.
    pub nature: Nature,
    /// The format that this one refines: it is only asked where that one was recognised (a PyTorch file is a ZIP archive).
    pub within: Option<&'static Format>,
    /// The rules that only this reader uses.
    pub rules: &'static [&'static Rule],
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Bytes by which a format may be recognised; only the reader's `confirm` decides.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Place from the start of the layer.
    pub at: u64,
    /// The bytes there.
    pub bytes: &'static [u8],
}

impl Mark {
    /// Bytes at the start.
    pub const fn start(bytes: &'static [u8]) -> Self {
        Mark { at: 0, bytes }
    }

    /// Bytes at a place.
    pub const fn at(at: u64, bytes: &'static [u8]) -> Self {
        Mark { at, bytes }
    }
}

/// Whether a sweep looks for a format.
#[derive(Clone, Copy)]
pub enum Buried {
    /// No: it carries no code, or cannot be told from noise.
    No,
    /// At the start of a region only: the marks are too short to be believed elsewhere.
    AtStart(fn(&Candidate<'_>) -> Result<bool, Stop>),
    /// Anywhere: the function validates a whole header.
    Anywhere(fn(&Candidate<'_>) -> Result<bool, Stop>),
    /// Anywhere, by marks of its own: for formats that a whole layer is recognised as by other means (by its end, or
    /// by one of many numbers).
    AnywhereMarked(&'static [Mark], fn(&Candidate<'_>) -> Result<bool, Stop>),
}

/// What kind of thing a format is; decides what its mere presence means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Nature {
    /// Holds other files (ZIP, tar, gzip).
    Container,
    /// Just data, if nothing in it says otherwise.
    Data,
    /// Machine or byte code that an operating system or a runtime starts.
    Program,
    /// Source text that an interpreter starts.
    Script,
    /// Text of no further structure: only tried where nothing else recognised the layer.
    Text,
}

/// A layer that wants to be recognised.
pub struct Candidate<'a> {
    /// Its bytes, or in a sweep: from the mark to the end of the region.
    pub bytes: &'a Bytes,
    /// Its name, which may lie: only ever a hint.
    pub name: &'a str,
}

impl Candidate<'_> {
    /// At most `len` bytes from the start.
    ///
    /// # Errors
    /// As [`Bytes::peek`].
    pub fn head(&self, len: usize) -> Result<Vec<u8>, Stop> {
        self.bytes.peek(self.bytes.start(), len)
    }

    /// Whether the name ends in `.` and one of `extensions` (lower case, without the first dot).
    pub fn is_named(&self, extensions: &[&str]) -> bool {
        has_extension(self.name, extensions)
    }
}

/// Whether `name` ends in `.` and one of `extensions`, whatever the case.
pub fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    extensions
        .iter()
        .any(|extension| name.strip_suffix(extension).is_some_and(|stem| stem.len() > 1 && stem.ends_with('.')))
}

/// What the container said a nested layer is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// A file among others: it should be of some known format.
    File,
    /// Data without a structure of its own (weights, pixels, a vendor's blob): if no format recognises it, it is opaque.
    Opaque(&'static str),
}

/// How a layer came to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// It is the file itself.
    Root,
    /// The format around it declares it.
    Member,
    /// A sweep found it in bytes that nothing explains, or in room that the format leaves for anything.
    Hidden,
    /// A sweep found it in opaque bytes.
    Opaque,
}

/// Where the bytes of a nested layer are.
pub enum Span {
    /// A range of the layer, as it stands. The range is claimed as nested.
    Range(Range<u64>),
    /// Ranges of the layer, one behind the other. All are claimed as nested.
    Ranges(Vec<Range<u64>>),
    /// A source made from the range of the layer (decompressed, decoded). The range is claimed as nested.
    Decoded(Range<u64>, Rc<dyn Source>),
}

/// A nested layer that waits to be read.
pub struct Opening {
    /// Its name: from the container, or what it is.
    pub name: String,
    /// Its first byte in the parent, where it has one.
    pub offset: Option<u64>,
    /// Whether its bytes lie in the parent as they are, from `offset` on.
    pub in_place: bool,
    /// What the container said it is.
    pub role: Role,
    pub(crate) source: Rc<dyn Source>,
}

/// How many of each part of a format a layer holds.
pub type Parts = HashMap<&'static str, u64>;

impl Opening {
    /// Whether the byte at `at` of the parent lies in it, as it stands.
    pub(crate) fn holds(&self, at: u64) -> bool {
        let inside = |start: u64| (start..start.saturating_add(self.source.len())).contains(&at);
        self.in_place && self.offset.is_some_and(inside)
    }
}

/// Something that a reader found.
pub(crate) struct Found {
    pub rule: &'static Rule,
    pub range: Range<u64>,
    pub message: String,
    pub evidence: Option<String>,
}

/// The most characters of a finding's evidence.
const EVIDENCE: usize = 4000;

/// What a file that is named by another one must hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holds {
    /// A file with a format of its own.
    File,
    /// Raw values, and so many bytes of them where that is known; perhaps packed.
    Values(Option<u64>),
    /// The values of an array in many files whose names are numbers, in the folder that is named or below.
    Chunks,
}

/// Another file that a program opens along with this one.
pub(crate) struct Named {
    pub range: Range<u64>,
    pub name: String,
    pub holds: Holds,
}

/// Files that are noted as named by one layer; a DICOMDIR may list a whole archive.
const NAMED: usize = 20_000;

/// A reader's visit to one layer.
pub struct Visit<'a> {
    /// The bytes of the layer, from place 0 on.
    pub bytes: &'a Bytes,
    /// The layer's name, which may lie.
    pub name: &'a str,
    /// How the layer came to be.
    pub origin: Origin,
    /// All formats that recognised this layer.
    pub formats: &'a [&'static Format],
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) openings: &'a mut Vec<Opening>,
    pub(crate) found: &'a mut Vec<Found>,
    pub(crate) stops: &'a mut Vec<Stop>,
    pub(crate) named: &'a mut Vec<Named>,
    pub(crate) series: &'a mut Option<String>,
    pub(crate) parts: &'a mut Parts,
    pub(crate) room: usize,
    pub(crate) withdrawn: bool,
}

impl Visit<'_> {
    /// Claims a range: who owns these bytes, in the words of the format ("preamble").
    ///
    /// # Errors
    /// [`Stop::Exhausted`] when the layer has too many separate claims.
    pub fn claim(&mut self, range: Range<u64>, kind: Kind, what: &'static str) -> Result<(), Stop> {
        self.ledger.claim(range, kind, what)
    }

    /// Claims a range as read and understood.
    ///
    /// # Errors
    /// As [`Visit::claim`].
    pub fn structure(&mut self, range: Range<u64>, what: &'static str) -> Result<(), Stop> {
        self.claim(range, Kind::Structure, what)
    }

    /// Claims a range as carried, not interpreted.
    ///
    /// # Errors
    /// As [`Visit::claim`].
    pub fn opaque(&mut self, range: Range<u64>, what: &'static str) -> Result<(), Stop> {
        self.claim(range, Kind::Opaque, what)
    }

    /// Claims a range as room that the format leaves for anything.
    ///
    /// # Errors
    /// As [`Visit::claim`].
    pub fn slack(&mut self, range: Range<u64>, what: &'static str) -> Result<(), Stop> {
        self.claim(range, Kind::Slack, what)
    }

    /// Counts parts that were read, in the words of the format ("element"), so that other readers can be asked for the
    /// same.
    pub fn count(&mut self, part: &'static str, number: u64) {
        let count = self.parts.entry(part).or_default();
        *count = count.saturating_add(number);
    }

    /// Hands bytes to a layer of their own, which will be read after this one.
    ///
    /// # Errors
    /// [`Stop::Exhausted`] when there are too many layers or claims.
    pub fn open(&mut self, name: impl Into<String>, span: Span, role: Role) -> Result<(), Stop> {
        self.bytes.budget().charge_layer()?;
        let in_place = matches!(span, Span::Range(_));
        let (offset, source): (Option<u64>, Rc<dyn Source>) = match span {
            Span::Range(range) => {
                self.claim(range.clone(), Kind::Nested, "nested file")?;
                let window = self.bytes.window(range.clone());
                (Some(range.start), window.rebased())
            }
            Span::Ranges(ranges) => {
                for range in &ranges {
                    self.claim(range.clone(), Kind::Nested, "part of a nested file")?;
                }
                let first = ranges.first().map(|range| range.start);
                (first, Rc::new(Stitched::new(ranges.into_iter().map(|range| self.bytes.window(range)))))
            }
            Span::Decoded(range, source) => {
                self.claim(range.clone(), Kind::Nested, "nested file, encoded")?;
                (Some(range.start), source)
            }
        };
        self.openings.push(Opening { name: name.into(), offset, in_place, role, source });
        Ok(())
    }

    /// The layers opened so far by the readers of this layer: a refining format says here what they are.
    pub fn openings(&mut self) -> &mut [Opening] {
        self.openings
    }

    /// Reports a finding at a range of this layer. `message` says what stands there, in plain words.
    ///
    /// # Errors
    /// [`Stop::Exhausted`] when there are too many findings.
    pub fn find(
        &mut self,
        rule: &'static Rule,
        range: Range<u64>,
        message: impl Into<Cow<'static, str>>,
    ) -> Result<(), Stop> {
        self.find_with(rule, range, message, None)
    }

    /// As [`Visit::find`], with what stands there as a person would read it, line by line: a disassembled call, a
    /// decoded script. It is cut where it is long.
    ///
    /// # Errors
    /// As [`Visit::find`].
    pub fn find_with(
        &mut self,
        rule: &'static Rule,
        range: Range<u64>,
        message: impl Into<Cow<'static, str>>,
        evidence: Option<String>,
    ) -> Result<(), Stop> {
        if self.found.len() >= self.room {
            return Err(Stop::Exhausted(crate::stop::Limit::Findings));
        }
        let evidence = evidence.map(|text| shortened(text, EVIDENCE));
        self.found.push(Found { rule, range, message: message.into().into_owned(), evidence });
        Ok(())
    }

    /// Notes that a program opens the file `name` along with this one, as `range` says: [`crate::folder`] looks for it.
    /// What leads to the file itself, to another computer or far away is no companion, and left out.
    pub fn name_file(&mut self, range: Range<u64>, name: &str, holds: Holds) {
        let near = matches!(classify(name).reach, Reach::Sibling | Reach::Below | Reach::Parent);
        if near && self.named.len() < NAMED {
            self.named.push(Named { range, name: name.to_string(), holds });
        }
    }

    /// As [`Visit::name_file`], for the other half of a pair: it has the name of this file with another ending.
    pub fn name_other_half(&mut self, range: Range<u64>, endings: &[(&str, &str)], values: Option<u64>) {
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let named = |(mine, other): &(&str, &str)| {
            let stem = file.get(..file.len().checked_sub(mine.len())?)?;
            file.get(stem.len()..).filter(|end| end.eq_ignore_ascii_case(mine)).map(|_| format!("{stem}{other}"))
        };
        if let Some(name) = endings.iter().find_map(named) {
            self.name_file(range, &name, Holds::Values(values));
        }
    }

    /// Notes which series of images this file is a part of, by an identifier that all parts share.
    pub fn belongs_to_series(&mut self, id: String) {
        self.series.get_or_insert(id);
    }

    /// Notes that something was not read although the reader goes on.
    pub fn note(&mut self, stop: Stop) {
        if self.stops.len() < 1000 && !self.stops.contains(&stop) {
            self.stops.push(stop);
        }
    }

    /// Reports bytes that belong to nothing although this reader stops: it knows the extent of what it does not decode.
    /// Zeros are padding, and where another format reads the layer too, they may be that one's.
    ///
    /// # Errors
    /// As [`Visit::find`], and those of the source.
    pub fn unexplained(&mut self, range: Range<u64>) -> Result<(), Stop> {
        let range = range.start..range.end.min(self.bytes.end());
        if range.is_empty() || self.formats.len() != 1 || self.bytes.window(range.clone()).is_all(0)? {
            return Ok(());
        }
        let len = range.end.saturating_sub(range.start);
        let message = format!("{len} bytes at {:#x} belong to nothing.", range.start);
        self.find(&crate::rules::UNEXPLAINED_BYTES, range, message)
    }

    /// Takes the recognition back: what looked like this format turned out to be a part that another reader opened
    /// (an archive at the end of a file that declares it). Formats within this one are not asked either.
    pub fn withdraw(&mut self) {
        self.withdrawn = true;
    }

    /// Whether another format recognised this layer too.
    pub fn is_also(&self, format: &Format) -> bool {
        self.formats.iter().any(|other| **other == *format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_whole() {
        assert!(has_extension("a/B.NII.GZ", &["nii.gz"]));
        assert!(has_extension("b.gz", &["nii.gz", "gz"]));
        assert!(!has_extension("dcm", &["dcm"]));
        assert!(!has_extension(".dcm", &["dcm"]));
        assert!(!has_extension("xdcm", &["dcm"]));
    }
}
