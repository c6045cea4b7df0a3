//! Reads numbers and bytes off a slice that may hold anything.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::limits;

use super::varint;
use super::{Corrupt, Part};

/// A place in a slice. Nothing is read beyond its end, and nothing is allocated.
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

    /// What is wrong here.
    pub fn corrupt(&self, problem: &'static str) -> Corrupt {
        Corrupt { problem, part: self.part, offset_bytes: self.end.saturating_sub(self.rest.len()) }
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Corrupt> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| self.corrupt("the bytes end early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        let (taken, rest) =
            self.rest.split_first_chunk::<N>().ok_or_else(|| self.corrupt("the bytes end early"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, Corrupt> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A number.
    pub fn unsigned(&mut self) -> Result<u64, Corrupt> {
        let start = self.clone();
        let mut value: u64 = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                break;
            }
            value |= bits << shift;
            match byte {
                0 if 0 < shift => return Err(start.corrupt("a number is longer than it need be")),
                0..0x80 => return Ok(value),
                _ => {}
            }
        }
        Err(start.corrupt("a number is too large"))
    }

    /// A number in zigzag order.
    pub fn signed(&mut self) -> Result<i64, Corrupt> {
        self.unsigned().map(varint::from_zigzag)
    }

    /// A number in zigzag order that is only written where it is not 0.
    pub fn difference(&mut self) -> Result<i64, Corrupt> {
        let start = self.clone();
        match self.signed()? {
            0 => Err(start.corrupt("a difference of 0 is written out")),
            difference => Ok(difference),
        }
    }

    /// A position or a revision.
    pub fn integer(&mut self) -> Result<u64, Corrupt> {
        let start = self.clone();
        match self.unsigned()? {
            value @ 0..=limits::INTEGER_MAX => Ok(value),
            _ => Err(start.corrupt("a position or a revision is too large")),
        }
    }

    /// A length, an index or a count of at most `maximum`.
    pub fn size(&mut self, maximum: usize, problem: &'static str) -> Result<usize, Corrupt> {
        let start = self.clone();
        match usize::try_from(self.unsigned()?) {
            Ok(value) if value <= maximum => Ok(value),
            _ => Err(start.corrupt(problem)),
        }
    }

    /// A count of things that take at least one byte each of what is left.
    pub fn count(&mut self, maximum: usize) -> Result<usize, Corrupt> {
        let problem = "a count is larger than the limit or than the bytes that are left";
        self.size(maximum.min(self.rest.len()), problem)
    }

    /// An index into a table of `length` things.
    pub fn index(&mut self, length: usize) -> Result<u32, Corrupt> {
        let start = self.clone();
        match usize::try_from(self.unsigned()?) {
            Ok(index) if index < length => {
                u32::try_from(index).map_err(|_| start.corrupt("an index is too large"))
            }
            _ => Err(start.corrupt("an index is beyond its table")),
        }
    }
}
