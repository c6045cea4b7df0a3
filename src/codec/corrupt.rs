//! What is wrong with bytes that are not a record.

use std::fmt;

/// Bytes that are not what was written, and where it was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt {
    /// What was found, as a sentence without its full stop.
    pub problem: &'static str,
    /// In which bytes.
    pub part: Part,
    /// At which byte of them, from 0.
    pub offset_bytes: usize,
}

/// The bytes that an offset counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The record as it is stored.
    Record,
    /// The record's body, unpacked.
    Body,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Record => "the record",
            Part::Body => "the unpacked body",
        };
        write!(formatter, "{}, at byte {} of {part}", self.problem, self.offset_bytes)
    }
}

impl std::error::Error for Corrupt {}
