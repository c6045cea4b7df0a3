//! Reads numbers and bytes off a slice that may hold anything.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::event::UnixMillis;
use crate::limits;

use super::varint;
use super::{Corrupt, Part};

/// A place in a slice. Nothing is read beyond its end, and nothing is allocated but what is wrong.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    part: Part,
    end: usize,
}

impl<'a> Cursor<'a> {
    /// The beginning of `bytes`, which begin at `offset` of `part`.
    pub fn new(bytes: &'a [u8], part: Part, offset: usize) -> Self {
        Self { rest: bytes, part, end: offset.saturating_add(bytes.len()) }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// What is wrong here. Boxed, so that the many results that are right stay small.
    #[cold]
    #[inline(never)]
    pub fn corrupt(&self, problem: &'static str) -> Box<Corrupt> {
        let offset_bytes = self.end.saturating_sub(self.rest.len());
        Box::new(Corrupt { problem, part: self.part, offset_bytes })
    }

    /// What is wrong with what was read from `start` on.
    #[cold]
    #[inline(never)]
    fn corrupt_from(&mut self, start: &'a [u8], problem: &'static str) -> Box<Corrupt> {
        self.rest = start;
        self.corrupt(problem)
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Box<Corrupt>> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| self.corrupt("the bytes end early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Box<Corrupt>> {
        let (taken, rest) =
            self.rest.split_first_chunk::<N>().ok_or_else(|| self.corrupt("the bytes end early"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, Box<Corrupt>> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A number.
    pub fn unsigned(&mut self) -> Result<u64, Box<Corrupt>> {
        // Most numbers are indexes and lengths, of one byte.
        match self.rest {
            [byte @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.unsigned_of_many_bytes(),
        }
    }

    #[inline(never)]
    fn unsigned_of_many_bytes(&mut self) -> Result<u64, Box<Corrupt>> {
        let start = self.rest;
        let mut value: u64 = 0;
        let mut length = 0_u32;
        let problem = loop {
            let Some(byte) = start.get(length as usize) else {
                self.rest = &[];
                break "the bytes end early";
            };
            let shift = length.saturating_mul(7);
            length = length.saturating_add(1);
            let bits = u64::from(byte & 0x7f);
            if u64::BITS <= shift || (bits << shift) >> shift != bits {
                break "a number is too large";
            }
            value |= bits << shift;
            match byte {
                0 if 0 < shift => break "a number is longer than it need be",
                0..0x80 => {
                    self.rest = start.get(length as usize..).unwrap_or_default();
                    return Ok(value);
                }
                _ => {}
            }
        };
        Err(self.corrupt(problem))
    }

    /// Passes over so many numbers.
    #[inline(never)]
    pub fn skip_numbers(&mut self, count: usize) -> Result<(), Box<Corrupt>> {
        let Some(last) = count.checked_sub(1) else { return Ok(()) };
        // Only the last byte of a number is below 0x80.
        let end =
            self.rest.iter().enumerate().filter(|(_, byte)| **byte < 0x80).map(|(end, _)| end).nth(last);
        self.take(end.map_or(usize::MAX, |end| end.saturating_add(1))).map(drop)
    }

    /// A number in zigzag order.
    pub fn signed(&mut self) -> Result<i64, Box<Corrupt>> {
        self.unsigned().map(varint::from_zigzag)
    }

    /// A number in zigzag order that is only written where it is not 0.
    pub fn difference(&mut self) -> Result<i64, Box<Corrupt>> {
        let start = self.rest;
        match self.signed()? {
            0 => Err(self.corrupt_from(start, "a difference of 0 is written out")),
            difference => Ok(difference),
        }
    }

    /// A position or a revision.
    pub fn integer(&mut self) -> Result<u64, Box<Corrupt>> {
        self.at_most(limits::INTEGER_MAX, "a position or a revision is too large")
    }

    #[inline(never)]
    fn at_most(&mut self, maximum: u64, problem: &'static str) -> Result<u64, Box<Corrupt>> {
        let start = self.rest;
        match self.unsigned()? {
            value if value <= maximum => Ok(value),
            _ => Err(self.corrupt_from(start, problem)),
        }
    }

    /// A length, an index or a count of at most `maximum`.
    pub fn size(&mut self, maximum: usize, problem: &'static str) -> Result<usize, Box<Corrupt>> {
        self.at_most(maximum as u64, problem).map(|size| size as usize)
    }

    /// How long the data or the metadata of an event is, in bytes.
    pub fn payload_length(&mut self) -> Result<u32, Box<Corrupt>> {
        let maximum = limits::EVENT_BYTES_MAX as u64;
        self.at_most(maximum, "a payload is too large").map(|length| length as u32)
    }

    /// A count of things that take at least one byte each of what is left.
    pub fn count(&mut self, maximum: usize) -> Result<usize, Box<Corrupt>> {
        let problem = "a count is larger than the limit or than the bytes that are left";
        self.size(maximum.min(self.rest.len()), problem)
    }

    /// An index into a table of `length` things, which are fewer than the body has bytes.
    pub fn index(&mut self, length: usize) -> Result<u32, Box<Corrupt>> {
        const PROBLEM: &str = "an index is beyond its table";
        match length.checked_sub(1) {
            Some(last) => self.at_most(last as u64, PROBLEM).map(|index| index as u32),
            None => Err(self.corrupt(PROBLEM)),
        }
    }

    /// The time that differs so much from another.
    pub fn time_after(&self, time: UnixMillis, difference: i64) -> Result<UnixMillis, Box<Corrupt>> {
        match time.0.checked_add(difference) {
            Some(time) if time.unsigned_abs() <= limits::INTEGER_MAX => Ok(UnixMillis(time)),
            _ => Err(self.corrupt("a time is too far away")),
        }
    }
}
