//! Streams: the filters around their content (ISO 32000-2, 7.4).

use std::rc::Rc;

use super::object::{Dictionary, Object};
use crate::{
    bytes::Bytes,
    source::{Cipher, Filter, Filtered, Inflated, Prediction, Source, Wrapping},
    stop::Stop,
};

/// Filters around each other.
const FILTERS: usize = 16;

/// The content of a stream.
pub(super) struct Content {
    pub bytes: Bytes,
    /// Whether a filter was undone: the bytes are not those of the file.
    pub decoded: bool,
    /// The first filter that is left alone: those of images, and what is not known.
    pub left: Option<Vec<u8>>,
    /// Why a filter ended early, in the place of the stream.
    pub stop: Option<Stop>,
}

impl Content {
    /// The content as a source of its own.
    pub fn source(&self) -> Rc<dyn Source> {
        self.bytes.rebased()
    }
}

/// Whether the content behind a filter is samples of an image.
pub(super) fn is_image_filter(filter: &[u8]) -> bool {
    matches!(filter, b"DCTDecode" | b"DCT" | b"JPXDecode" | b"CCITTFaxDecode" | b"CCF" | b"JBIG2Decode")
}

/// Undoes the encryption of `raw`, and the filters that `dictionary` names. `resolve` follows references.
///
/// # Errors
/// What ends the whole check, and what `resolve` says.
pub(super) fn content(
    raw: Bytes,
    dictionary: &Dictionary,
    cipher: Option<Cipher>,
    resolve: &dyn Fn(&Object) -> Result<Object, Stop>,
) -> Result<Content, Stop> {
    let list = |key: &[u8]| -> Result<Vec<Object>, Stop> {
        Ok(match dictionary.get(key).map(resolve).transpose()? {
            None | Some(Object::Null) => Vec::new(),
            Some(Object::Array(values)) => values.iter().map(resolve).collect::<Result<_, _>>()?,
            Some(value) => vec![value],
        })
    };
    let filters = list(b"Filter")?;
    let parameters = list(b"DecodeParms")?;
    let place = raw.start();
    let mut content = Content { bytes: raw, decoded: false, left: None, stop: None };
    // Nothing is nothing behind every filter.
    if content.bytes.is_empty() {
        return Ok(content);
    }
    // A stream may be left out of the encryption of its document (7.4.10).
    let named = filters.first().and_then(Object::name) == Some(b"Crypt");
    if let Some(cipher) = cipher.filter(|_| !named) {
        content.filter(Filter::Encrypted(cipher), place)?;
    }
    if filters.len() > FILTERS {
        content.stop = Some(Stop::unsupported(place, "a stream with many filters"));
        return Ok(content);
    }
    for (index, filter) in filters.iter().enumerate() {
        let name = filter.name().unwrap_or_default();
        let parameters = parameters.get(index).and_then(Object::dictionary);
        let number = |key: &[u8], default: u64| -> Result<u64, Stop> {
            let value = parameters.and_then(|parameters| parameters.get(key)).map(resolve).transpose()?;
            Ok(value.as_ref().and_then(Object::integer).unwrap_or(default))
        };
        match name {
            b"FlateDecode" | b"Fl" => content.inflate(place)?,
            b"LZWDecode" | b"LZW" => {
                let early = number(b"EarlyChange", 1)? != 0;
                content.filter(Filter::Lzw { early }, place)?;
            }
            b"ASCIIHexDecode" | b"AHx" => content.filter(Filter::AsciiHex, place)?,
            b"ASCII85Decode" | b"A85" => content.filter(Filter::Ascii85, place)?,
            b"RunLengthDecode" | b"RL" => content.filter(Filter::RunLength, place)?,
            b"Crypt"
                if parameters
                    .is_none_or(|parameters| !parameters.has(b"Name") || parameters.is(b"Name", b"Identity")) => {}
            _ => {
                content.left = Some(name.to_vec());
                return Ok(content);
            }
        }
        let kind = number(b"Predictor", 1)?;
        if matches!(name, b"FlateDecode" | b"Fl" | b"LZWDecode" | b"LZW") && kind > 1 {
            let (colors, bits) = (number(b"Colors", 1)?, number(b"BitsPerComponent", 8)?);
            match Prediction::new(kind >= 10, colors, bits, number(b"Columns", 1)?) {
                Some(prediction) => content.filter(Filter::Predicted(prediction), place)?,
                // Samples of an image that are no bytes: what is left is raw values.
                None => content.left = Some(b"Predictor".to_vec()),
            }
        }
        if content.stop.is_some() || content.left.is_some() {
            break;
        }
    }
    Ok(content)
}

impl Content {
    fn inflate(&mut self, place: u64) -> Result<(), Stop> {
        let inflated = Inflated::measure(self.bytes.clone(), Wrapping::Zlib)?;
        let stop = inflated.stop().cloned();
        self.become_source(Rc::new(inflated), stop, place);
        Ok(())
    }

    fn filter(&mut self, filter: Filter, place: u64) -> Result<(), Stop> {
        let filtered = Filtered::measure(self.bytes.clone(), filter)?;
        let stop = filtered.stop().cloned();
        self.become_source(Rc::new(filtered), stop, place);
        Ok(())
    }

    fn become_source(&mut self, source: Rc<dyn Source>, stop: Option<Stop>, place: u64) {
        // Behind the first filter the places are none of the file.
        self.stop = stop.map(|stop| match stop {
            Stop::Malformed(spot) if self.decoded => Stop::malformed(place, spot.what),
            Stop::Unsupported(spot) if self.decoded => Stop::unsupported(place, spot.what),
            stop => stop,
        });
        self.bytes = Bytes::whole(source, self.bytes.budget().clone());
        self.decoded = true;
    }
}
