//! Text in UTF-16 or UTF-32 as a source of UTF-8, decoded block by block where it is read.

use std::io;

use super::Source;
use crate::{bytes::Bytes, stop::Stop};

/// How characters are made of bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Units {
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
    /// UTF-32, little endian.
    Utf32Le,
    /// UTF-32, big endian.
    Utf32Be,
}

impl Units {
    /// The name in the Unicode Standard, section 3.10.
    pub fn name(self) -> &'static str {
        match self {
            Units::Utf16Le => "UTF-16LE",
            Units::Utf16Be => "UTF-16BE",
            Units::Utf32Le => "UTF-32LE",
            Units::Utf32Be => "UTF-32BE",
        }
    }

    /// Bytes of one unit.
    pub fn size(self) -> usize {
        match self {
            Units::Utf16Le | Units::Utf16Be => 2,
            Units::Utf32Le | Units::Utf32Be => 4,
        }
    }

    /// The characters of `bytes`; `None` for what is none. A rest shorter than a unit is left out.
    pub fn characters(self, bytes: &[u8]) -> Vec<Option<char>> {
        match self {
            Units::Utf16Le => utf16(bytes, u16::from_le_bytes),
            Units::Utf16Be => utf16(bytes, u16::from_be_bytes),
            Units::Utf32Le => utf32(bytes, u32::from_le_bytes),
            Units::Utf32Be => utf32(bytes, u32::from_be_bytes),
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<Option<char>> {
    char::decode_utf16(bytes.as_chunks().0.iter().map(|bytes| unit(*bytes))).map(Result::ok).collect()
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Vec<Option<char>> {
    bytes.as_chunks().0.iter().map(|bytes| char::from_u32(unit(*bytes))).collect()
}

/// A text in UTF-16 or UTF-32, as UTF-8. What is no character becomes U+FFFD.
pub struct Transcoded {
    bytes: Bytes,
    units: Units,
    /// Where each block starts: in the UTF-8 text, and in the bytes.
    blocks: Vec<(u64, u64)>,
    len: u64,
    damage: Option<Stop>,
}

/// Bytes decoded together.
const BLOCK: usize = 32 << 10;

impl Transcoded {
    /// Decodes everything once to know where what is. Damage is kept: see [`Transcoded::damage`].
    ///
    /// # Errors
    /// Those of the source and the budget.
    pub fn measure(bytes: Bytes, units: Units) -> Result<Self, Stop> {
        let mut this = Transcoded { bytes, units, blocks: Vec::new(), len: 0, damage: None };
        let mut at = this.bytes.start();
        while at < this.bytes.end() {
            let (text, next, wrong) = this.block(at)?;
            this.bytes.budget().charge_inflated(text.len() as u64)?;
            if wrong && this.damage.is_none() {
                this.damage = Some(Stop::malformed(at, format!("text in {}", units.name())));
            }
            this.blocks.push((this.len, at));
            this.len = this.len.saturating_add(text.len() as u64);
            at = next;
        }
        Ok(this)
    }

    /// Why the bytes are not all characters, with the place of the block that they are in.
    pub fn damage(&self) -> Option<&Stop> {
        self.damage.as_ref()
    }

    /// The text of the block at `at`, where the next one starts, and whether something in it is no character.
    fn block(&self, at: u64) -> Result<(String, u64, bool), Stop> {
        let mut bytes = self.bytes.peek(at, BLOCK)?;
        let last = at.saturating_add(bytes.len() as u64) >= self.bytes.end();
        let mut characters = self.units.characters(&bytes);
        // A pair of surrogates may be cut in two by the end of the block: the first goes to the next block.
        if !last && characters.len() > 1 && characters.last() == Some(&None) {
            characters.pop();
            bytes.truncate(bytes.len().saturating_sub(self.units.size()));
        }
        let wrong = characters.contains(&None) || bytes.len() % self.units.size() != 0;
        let text = characters.into_iter().map(|character| character.unwrap_or('\u{fffd}')).collect();
        Ok((text, at.saturating_add(bytes.len() as u64), wrong))
    }
}

impl Source for Transcoded {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut done = 0usize;
        let mut index = self.blocks.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        while done < into.len() {
            let Some((start, from)) = self.blocks.get(index) else { break };
            let (text, ..) = self.block(*from).map_err(|stop| io::Error::other(stop.to_string()))?;
            let skip = usize::try_from(at.saturating_add(done as u64).saturating_sub(*start)).unwrap_or(usize::MAX);
            let rest = text.as_bytes().get(skip..).unwrap_or_default();
            let room = into.get_mut(done..).unwrap_or_default();
            let count = rest.len().min(room.len());
            if let (Some(to), Some(from)) = (room.get_mut(..count), rest.get(..count)) {
                to.copy_from_slice(from);
            }
            done = done.saturating_add(count);
            index = index.saturating_add(1);
        }
        Ok(done)
    }

    fn forget(&self) {
        self.bytes.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_same_at_any_place() {
        let text: String = (0..40_000).map(|n| ['a', 'ü', '世', '😀'][n % 4]).collect();
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect();
        for (bytes, units) in [(little, Units::Utf16Le), (big, Units::Utf32Be)] {
            let source = Transcoded::measure(Bytes::of(bytes), units).unwrap();
            assert_eq!(source.damage(), None);
            assert_eq!(source.len(), text.len() as u64);
            for at in [0, 1, 7, 50_001, text.len() - 3, text.len()] {
                let mut some = vec![0; 70_000];
                let count = source.read_at(at as u64, &mut some).unwrap();
                assert_eq!(&some[..count], &text.as_bytes()[at..(at + 70_000).min(text.len())], "{units:?} {at}");
            }
        }
    }

    #[test]
    fn what_is_no_character_is_damage() {
        let lone = Transcoded::measure(Bytes::of(vec![b'a', 0, 0, 0xd8, b'b', 0]), Units::Utf16Le).unwrap();
        assert!(lone.damage().is_some());
        let mut some = [0; 16];
        assert_eq!(lone.read_at(0, &mut some).unwrap(), 5);
        assert_eq!(&some[..5], "a\u{fffd}b".as_bytes());
        assert!(Transcoded::measure(Bytes::of(vec![b'a', 0, 0]), Units::Utf16Le).unwrap().damage().is_some());
    }
}
