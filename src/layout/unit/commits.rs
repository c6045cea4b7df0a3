//! The commits that the entries of a unit belong to.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::{Corrupt, DecodedRecord};
use crate::event::Position;
use crate::table::{Table, hash_of};

use super::block::{CommitPart, commit_parts, is_split};

/// The commits of a unit in the making. They are numbered as they are met, each of one part or of more.
#[derive(Debug, Default)]
pub(super) struct Commits {
    commits: Vec<CommitPart>,
    /// The numbers of those that come in parts, by the first position that all parts of one name. A commit that
    /// stands whole in its record has no other part, and needs no looking up.
    split: Table<(Position, u32)>,
}

impl Commits {
    /// The number of each commit of a record. Errors: [`Corrupt`] where a block does not say what its commits are
    /// part of.
    pub fn add(&mut self, record: &DecodedRecord) -> Result<Vec<u32>, Box<Corrupt>> {
        let parts = commit_parts(record)?;
        let numbered = parts.iter().zip(0..).map(|(part, index)| {
            match record.commit(index).is_some_and(|(_, extensions)| is_split(extensions)) {
                true => self.number_of(part.first),
                false => self.add_commit(),
            }
        });
        Ok(numbered.collect())
    }

    /// The number of a commit that comes in parts.
    fn number_of(&mut self, first: Position) -> u32 {
        let hash = hash_of(&first.0.to_le_bytes());
        if let Some((_, number)) = self.split.get(hash, |(known, _)| *known == first) {
            return *number;
        }
        let number = self.add_commit();
        self.split.push(hash, (first, number));
        number
    }

    fn add_commit(&mut self) -> u32 {
        self.commits.push(CommitPart { first: Position(u64::MAX), entry_count: 0 });
        self.commits.len().saturating_sub(1) as u32
    }

    /// Notes that the entry at this position is to be in the unit.
    pub fn keep(&mut self, number: u32, position: Position) {
        if let Some(commit) = self.commits.get_mut(number as usize) {
            commit.first = commit.first.min(position);
            commit.entry_count = commit.entry_count.saturating_add(1);
        }
    }

    /// What is in the unit of the commit of this number.
    pub fn get(&self, number: u32) -> Option<CommitPart> {
        self.commits.get(number as usize).copied()
    }
}
