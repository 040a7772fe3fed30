//! Why a reader ended early. A stop is a result that the person sees, with its place: never a log line.

use std::{borrow::Cow, fmt, io};

/// The reason why something was not read to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stop {
    /// The person asked to stop.
    Cancelled,
    /// The bytes from the place on are encrypted, by a scheme as its specification names it.
    Encrypted(Box<Spot>),
    /// A limit of the budget was reached.
    Exhausted(Limit),
    /// The bytes are not what the format's specification asks for: what should have stood there ("a tag", "4 bytes of
    /// length").
    Malformed(Box<Spot>),
    /// The source could not be read, for this reason: it disappeared, shrank or refused.
    Source(Box<Cow<'static, str>>),
    /// No format recognised the layer.
    UnknownFormat,
    /// The bytes from the place on use something that is known and not decoded here ("compression method 14 (LZMA)").
    Unsupported(Box<Spot>),
}

/// Where a reader ended, and at what. It lies on the heap: every call of a reader hands a [`Stop`] on, and few make one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spot {
    /// Place in the layer, in bytes.
    pub at: u64,
    /// What is there, or should be.
    pub what: Cow<'static, str>,
}

impl Stop {
    /// Damage at a place: the sentence reads "expected `expected` at 0x…".
    pub fn malformed(at: u64, expected: impl Into<Cow<'static, str>>) -> Self {
        Stop::Malformed(Box::new(Spot { at, what: expected.into() }))
    }

    /// Something known but not decoded, at a place.
    pub fn unsupported(at: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Stop::Unsupported(Box::new(Spot { at, what: what.into() }))
    }

    /// Ciphertext at a place.
    pub fn encrypted(at: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Stop::Encrypted(Box::new(Spot { at, what: what.into() }))
    }

    /// A source that could not be read, and why.
    pub fn source(reason: impl Into<Cow<'static, str>>) -> Self {
        Stop::Source(Box::new(reason.into()))
    }

    /// The stable word of the JSON contract.
    pub fn kind(&self) -> &'static str {
        match self {
            Stop::Cancelled => "cancelled",
            Stop::Encrypted(_) => "encrypted",
            Stop::Exhausted(_) => "exhausted",
            Stop::Malformed(_) => "malformed",
            Stop::Source(_) => "source",
            Stop::UnknownFormat => "unknown-format",
            Stop::Unsupported(_) => "unsupported",
        }
    }

    /// The place in the layer, where the stop has one.
    pub fn at(&self) -> Option<u64> {
        match self {
            Stop::Encrypted(spot) | Stop::Malformed(spot) | Stop::Unsupported(spot) => Some(spot.at),
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
            Stop::Encrypted(spot) => write!(f, "encrypted ({}) from {:#x} on", spot.what, spot.at),
            Stop::Exhausted(limit) => write!(f, "{limit}"),
            Stop::Malformed(spot) => write!(f, "expected {} at {:#x}", spot.what, spot.at),
            Stop::Source(reason) => write!(f, "could not be read: {reason}"),
            Stop::UnknownFormat => write!(f, "no known format"),
            Stop::Unsupported(spot) => write!(f, "not decoded: {} at {:#x}", spot.what, spot.at),
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::source(error.to_string())
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
