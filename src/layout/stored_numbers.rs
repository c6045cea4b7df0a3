//! Numbers that mean something, as records of the layout hold them.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::cursor::Cursor;
use crate::codec::{Corrupt, varint};
use crate::event::{Position, Revision, UnixMillis};
use crate::limits;

use super::UnitNumber;

/// Most numbers of units, runs, blocks and pages: each fits into 53 bits.
const NUMBER_MAX: u64 = limits::INTEGER_MAX;

/// Writes numbers less the one before, of which most are small.
#[derive(Debug, Default)]
pub(super) struct Differences {
    previous: u64,
}

impl Differences {
    /// Differences from this number on.
    pub fn after(previous: u64) -> Self {
        Self { previous }
    }

    pub fn push(&mut self, bytes: &mut Vec<u8>, value: u64) {
        varint::push_signed(bytes, value.wrapping_sub(self.previous) as i64);
        self.previous = value;
    }

    /// The next number, which is at most 2^53 - 1.
    pub fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<u64, Box<Corrupt>> {
        let difference = cursor.signed()?;
        match self.previous.checked_add_signed(difference) {
            Some(value @ 0..=NUMBER_MAX) => {
                self.previous = value;
                Ok(value)
            }
            _ => Err(cursor.corrupt("a number is out of its range")),
        }
    }

    pub fn read_unit(&mut self, cursor: &mut Cursor<'_>) -> Result<UnitNumber, Box<Corrupt>> {
        self.read(cursor).map(UnitNumber)
    }
}

pub(super) fn read_position(cursor: &mut Cursor<'_>) -> Result<Position, Box<Corrupt>> {
    cursor.integer().map(Position)
}

pub(super) fn read_revision(cursor: &mut Cursor<'_>) -> Result<Revision, Box<Corrupt>> {
    cursor.integer().map(Revision)
}

/// A position at or after `start`.
pub(super) fn read_position_from(cursor: &mut Cursor<'_>, start: Position) -> Result<Position, Box<Corrupt>> {
    match start.0.checked_add(cursor.integer()?) {
        Some(position @ 0..=NUMBER_MAX) => Ok(Position(position)),
        _ => Err(cursor.corrupt("a position is too large")),
    }
}

/// A moment as its difference from another.
pub(super) fn read_time(cursor: &mut Cursor<'_>, start: UnixMillis) -> Result<UnixMillis, Box<Corrupt>> {
    match start.0.checked_add(cursor.signed()?) {
        Some(time) if time.unsigned_abs() <= limits::INTEGER_MAX => Ok(UnixMillis(time)),
        _ => Err(cursor.corrupt("a time is too far away")),
    }
}

/// Appends a moment as its difference from another. Both are within 53 bits.
pub(super) fn push_time(bytes: &mut Vec<u8>, start: UnixMillis, time: UnixMillis) {
    varint::push_signed(bytes, time.0.wrapping_sub(start.0));
}

pub(super) fn read_u32(cursor: &mut Cursor<'_>) -> Result<u32, Box<Corrupt>> {
    cursor.size(u32::MAX as usize, "a count or an index is too large").map(|value| value as u32)
}

/// Reads things one by one, as many as a count says that stands before them: memory grows with what was read.
pub(super) fn read_list<T>(
    cursor: &mut Cursor<'_>,
    mut read: impl FnMut(&mut Cursor<'_>) -> Result<T, Box<Corrupt>>,
) -> Result<Vec<T>, Box<Corrupt>> {
    let count = cursor.count(usize::MAX)?;
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(read(cursor)?);
    }
    Ok(list)
}
