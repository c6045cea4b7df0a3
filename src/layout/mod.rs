//! The layout of what was compacted: units of the log by stream, and the directory that finds things in them. Pure.
//!
//! A **unit** ([`mod@unit`]) is an immutable copy of a range of positions, sorted by stream and cut into blocks. The
//! **directory** ([`directory`]) is a log-structured merge tree from streams, types, tags and categories to
//! [summaries](StreamSummary) of what units hold of them. The **root** ([`root`]) names the units and the runs that
//! live, and [`plan`] says what is to be compacted next. It all is bytes and values: nothing here reads a storage, and
//! any bytes give values or [`crate::codec::Corrupt`], never a panic, and never an allocation that they do not justify.

pub mod directory;
mod filter;
pub mod keys;
pub mod plan;
mod posting;
pub mod rebuild;
pub mod root;
pub(crate) mod sealed;
mod stored_numbers;
mod summary;
pub mod unit;

pub(crate) use filter::mix;
pub use filter::{Filter, Fingerprint};
pub use posting::{Posting, UnitPosting};
pub use summary::{BlockAddress, Hiding, Moment, Moments, Reach, Standing, StoredRun, StreamSummary};

/// The number of a unit, which no other unit of the store ever has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct UnitNumber(pub u64);

/// The number of a run of the directory, which no other run of the store ever has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct RunNumber(pub u64);

/// The index of a block in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct BlockIndex(pub u32);
