//! What an entry has of which nothing is written: what follows from the entry before it.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::event::Position;

use super::Corrupt;
use super::cursor::Cursor;
use super::decoded_record::Commit;
use super::flags::EntryFlags;
use super::header::Header;

/// The position of the next entry: the expected one, or what differs from it.
#[inline(never)]
pub fn next_position(
    cursor: &mut Cursor<'_>,
    flags: EntryFlags,
    header: &Header,
    expected: &mut u64,
) -> Result<Position, Box<Corrupt>> {
    let position = match flags.has(EntryFlags::POSITION) {
        true => expected.checked_add_signed(cursor.difference()?),
        false => Some(*expected),
    };
    match position {
        Some(position) if (header.first.0..=header.last.0).contains(&position) => {
            *expected = position.saturating_add(1);
            Ok(Position(position))
        }
        _ => Err(cursor.corrupt("a position is not between the first and the last")),
    }
}

/// How many entries of each commit were not met yet.
pub struct CommitsLeft {
    left: Vec<usize>,
    /// The commit that the next entry belongs to, unless it says otherwise.
    expected: u32,
}

impl CommitsLeft {
    pub fn new(commits: &[Commit]) -> Self {
        Self { left: commits.iter().map(|commit| commit.entry_count).collect(), expected: 0 }
    }

    /// The commit of the next entry.
    #[inline(never)]
    pub fn take(&mut self, cursor: &mut Cursor<'_>, flags: EntryFlags) -> Result<u32, Box<Corrupt>> {
        let commit = match flags.has(EntryFlags::COMMIT) {
            true => i64::from(self.expected)
                .checked_add(cursor.difference()?)
                .and_then(|index| u32::try_from(index).ok()),
            false => Some(self.expected),
        };
        let left = commit.and_then(|commit| self.left.get_mut(commit as usize)).filter(|left| 0 < **left);
        let (Some(commit), Some(left)) = (commit, left) else {
            return Err(cursor.corrupt("an entry belongs to no commit, or to one that is complete"));
        };
        *left = left.saturating_sub(1);
        self.expected = if *left == 0 { commit.saturating_add(1) } else { commit };
        Ok(commit)
    }
}
