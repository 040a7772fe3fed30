//! **Is this file just data?** Would opening it run code, contact a server or open a port? Where, byte for byte,
//! and how much of the file was understood?
//!
//! A tour in the order in which a file goes through:
//!
//! 1. a [`source`] gives bytes that are never all in memory, and [`bytes`] are windows that know their place in it;
//! 2. [`check`] keeps the queue of layers: the file itself, and what is nested in it;
//! 3. every [`format`](mod@format) that recognises a layer reads it, claims what it understood in the [`ledger`], opens what is
//!    nested, and reports what it found by a [`rule`];
//! 4. the sweep looks for code in the bytes that no format explains;
//! 5. the [`report`] says what was found, where, and how much was read;
//! 6. a [`folder`] relates files that were given together: a header, and the file that holds its values.
//!
//! One [`budget`] bounds the work; whatever ends a reader early is a [`stop`] with a place.

mod active_text;
pub mod budget;
pub mod bytes;
mod charset;
pub mod check;
mod checksum;
pub mod folder;
pub mod follow;
pub mod format;
pub mod formats;
mod html;
pub mod ledger;
pub mod numbers;
mod packed;
pub mod python_names;
pub mod quote;
pub mod reference;
pub mod report;
pub mod rich_text;
pub mod rule;
pub mod rules;
mod sorting;
pub mod source;
pub mod stop;
mod stored_names;
mod sweep;

#[cfg(test)]
mod fixture;

#[cfg(target_arch = "wasm32")]
pub mod browser;
