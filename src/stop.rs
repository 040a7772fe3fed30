//! Why a reader ended early. A stop is a result that the person sees, with its place: never a log line.

use std::{borrow::Cow, fmt, io};

/// The reason why something was not read to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stop {
    /// The person asked to stop.
    Cancelled,
    /// The bytes from `at` on are encrypted; `what` names the scheme.
    Encrypted {
        /// Place in the layer, in bytes.
        at: u64,
        /// The scheme, as its specification names it.
        what: Cow<'static, str>,
    },
    /// A limit of the budget was reached.
    Exhausted(Limit),
    /// The bytes are not what the format's specification asks for.
    Malformed {
        /// Place in the layer, in bytes.
        at: u64,
        /// What should have stood there ("a tag", "4 bytes of length").
        expected: Cow<'static, str>,
    },
    /// The source could not be read: it disappeared, shrank or refused.
    Source(String),
    /// No format recognised the layer.
    UnknownFormat,
    /// The bytes from `at` on use something that is known and not decoded here.
    Unsupported {
        /// Place in the layer, in bytes.
        at: u64,
        /// What is not decoded ("compression method 14 (LZMA)").
        what: Cow<'static, str>,
    },
}

impl Stop {
    /// Damage at a place: the sentence reads "expected `expected` at 0x…".
    pub fn malformed(at: u64, expected: impl Into<Cow<'static, str>>) -> Self {
        Stop::Malformed { at, expected: expected.into() }
    }

    /// Something known but not decoded, at a place.
    pub fn unsupported(at: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Stop::Unsupported { at, what: what.into() }
    }

    /// Ciphertext at a place.
    pub fn encrypted(at: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Stop::Encrypted { at, what: what.into() }
    }

    /// The stable word of the JSON contract.
    pub fn kind(&self) -> &'static str {
        match self {
            Stop::Cancelled => "cancelled",
            Stop::Encrypted { .. } => "encrypted",
            Stop::Exhausted(_) => "exhausted",
            Stop::Malformed { .. } => "malformed",
            Stop::Source(_) => "source",
            Stop::UnknownFormat => "unknown-format",
            Stop::Unsupported { .. } => "unsupported",
        }
    }

    /// The place in the layer, where the stop has one.
    pub fn at(&self) -> Option<u64> {
        match self {
            Stop::Encrypted { at, .. } | Stop::Malformed { at, .. } | Stop::Unsupported { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// Whether this stop ends the whole check rather than one reader.
    pub fn ends_check(&self) -> bool {
        matches!(self, Stop::Cancelled | Stop::Exhausted(Limit::Work) | Stop::Exhausted(Limit::Findings))
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Cancelled => write!(f, "the check was cancelled"),
            Stop::Encrypted { at, what } => write!(f, "encrypted ({what}) from {at:#x} on"),
            Stop::Exhausted(limit) => write!(f, "{limit}"),
            Stop::Malformed { at, expected } => write!(f, "expected {expected} at {at:#x}"),
            Stop::Source(reason) => write!(f, "could not be read: {reason}"),
            Stop::UnknownFormat => write!(f, "no known format"),
            Stop::Unsupported { at, what } => write!(f, "not decoded: {what} at {at:#x}"),
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Source(error.to_string())
    }
}

/// A limit of [`crate::budget::Limits`] that was reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// Ranges with an owner in one layer.
    Claims,
    /// Layers inside layers.
    Depth,
    /// Findings of one file.
    Findings,
    /// Bytes that came out of decompressors.
    Inflated,
    /// Layers of one file.
    Layers,
    /// Bytes asked for at once.
    Window,
    /// Bytes of work.
    Work,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Claims => "limit reached: too many separate byte ranges in one layer",
            Limit::Depth => "limit reached: nested too deep",
            Limit::Findings => "limit reached: too many findings",
            Limit::Inflated => "limit reached: too many decompressed bytes",
            Limit::Layers => "limit reached: too many nested files",
            Limit::Window => "limit reached: one record is too large",
            Limit::Work => "limit reached: too much work for one file",
        })
    }
}
