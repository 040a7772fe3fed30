//! Text in the encodings that documents declare, by the Encoding Standard of the WHATWG.
//!
//! The command carries the tables, as the crate `encoding_rs`. The page does not: every browser has the same ones
//! behind `TextDecoder`, and they would be a fifth of what has to be loaded.

use std::borrow::Cow;

/// An encoding.
#[derive(Clone)]
pub struct Charset {
    name: String,
    decoder: Decoder,
}

impl Charset {
    /// The encoding that a label stands for; `None` where the standard knows none, or replaces it for safety.
    pub fn of_label(label: &str) -> Option<Self> {
        let (name, decoder) = Decoder::of_label(label)?;
        Some(Charset { name: name.to_ascii_lowercase(), decoder })
    }

    /// The name in the standard, in lower case ("shift_jis").
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether text in ASCII is the same bytes in this encoding.
    pub fn keeps_ascii(&self) -> bool {
        !matches!(self.name.as_str(), "utf-16le" | "utf-16be" | "iso-2022-jp")
    }

    /// The text, and whether something in it is no character; that becomes U+FFFD.
    pub fn decode<'a>(&self, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
        self.decoder.decode(bytes)
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone)]
struct Decoder(&'static encoding_rs::Encoding);

#[cfg(not(target_arch = "wasm32"))]
impl Decoder {
    fn of_label(label: &str) -> Option<(String, Self)> {
        let encoding = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes())?;
        Some((encoding.name().to_string(), Decoder(encoding)))
    }

    fn decode<'a>(&self, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
        self.0.decode_without_bom_handling(bytes)
    }
}

#[cfg(target_arch = "wasm32")]
#[derive(Clone)]
struct Decoder {
    strict: web_sys::TextDecoder,
    lenient: web_sys::TextDecoder,
}

#[cfg(target_arch = "wasm32")]
impl Decoder {
    fn of_label(label: &str) -> Option<(String, Self)> {
        let of = |fatal| {
            let options = web_sys::TextDecoderOptions::new();
            options.set_fatal(fatal);
            web_sys::TextDecoder::new_with_label_and_options(label, &options).ok()
        };
        let (strict, lenient) = (of(true)?, of(false)?);
        Some((lenient.encoding(), Decoder { strict, lenient }))
    }

    fn decode<'a>(&self, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
        match self.strict.decode_with_u8_array(bytes) {
            Ok(text) => (Cow::Owned(text), false),
            Err(_) => (Cow::Owned(self.lenient.decode_with_u8_array(bytes).unwrap_or_default()), true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_for_encodings() {
        for (label, name) in [("latin1", "windows-1252"), ("SJIS", "shift_jis"), ("utf8", "utf-8")] {
            assert_eq!(Charset::of_label(label).unwrap().name(), name);
        }
        assert!(Charset::of_label("utf-7").is_none());
        assert!(Charset::of_label("iso-2022-kr").is_none());
        assert!(!Charset::of_label("utf-16").unwrap().keeps_ascii());
    }

    #[test]
    fn what_is_no_character_is_told() {
        let japanese = Charset::of_label("shift_jis").unwrap();
        assert_eq!(japanese.decode(b"\x93\xfa\x96\x7b"), ("日本".into(), false));
        assert!(japanese.decode(b"\x93").1);
    }
}
