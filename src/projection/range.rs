//! Which entries of a tree are asked for, and the walk through them.

use std::ops::ControlFlow;
use std::rc::Rc;

use crate::storage::Direction;

use super::Tree;
use super::shelf::{Lacks, Shelf};

/// Above all keys.
const ABOVE: u8 = u8::MAX;

/// Entries between two bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRange {
    /// The first key of interest.
    pub from: Vec<u8>,
    /// The first key of no interest; `None` for the end of the tree.
    pub before: Option<Vec<u8>>,
    /// From which end they are wanted.
    pub direction: Direction,
}

impl EntryRange {
    /// All entries that begin with these bytes, and go on from `from` on, before `before`, where these are said.
    pub fn within(prefix: &[u8], from: &[u8], before: Option<&[u8]>, direction: Direction) -> Self {
        let from = [prefix, from].concat();
        let before = match before {
            Some(before) => Some([prefix, before].concat()),
            None => after_all_with(prefix),
        };
        Self { from, before, direction }
    }

    /// What is left of it behind an entry.
    #[must_use]
    pub fn behind(mut self, entry: &[u8]) -> Self {
        match self.direction {
            Direction::Forwards => self.from = self.from.max([entry, &[0]].concat()),
            Direction::Backwards => {
                let lowest = self.before.get_or_insert_with(|| entry.to_vec());
                if entry < lowest.as_slice() {
                    *lowest = entry.to_vec();
                }
            }
        }
        self
    }

    /// Whether nothing lies between the bounds.
    pub fn is_empty(&self) -> bool {
        self.before.as_ref().is_some_and(|before| *before <= self.from)
    }
}

/// Takes the key and the value of an entry, and says whether more are wanted.
pub type Take<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Walks through the entries of a range, until it is told to stop. What lacks is found out when it is met.
pub fn walk(shelf: &mut Shelf, tree: Tree, range: &EntryRange, take: &mut Take<'_>) -> Result<(), Lacks> {
    if range.is_empty() {
        return Ok(());
    }
    let is_forwards = range.direction == Direction::Forwards;
    let end = range.before.as_deref().unwrap_or(&[ABOVE]);
    let mut held = shelf.covering(tree, if is_forwards { &range.from } else { end })?;
    loop {
        let (page, fence) = (Rc::clone(held.page()), held.fence().to_vec());
        let (first, last) = (page.first_from(&range.from), page.first_from(end));
        for step in 0..last.saturating_sub(first) {
            let place = if is_forwards {
                first.saturating_add(step)
            } else {
                last.saturating_sub(step).saturating_sub(1)
            };
            if let Some((key, value)) = page.entry(place)
                && take(key, value).is_break()
            {
                return Ok(());
            }
        }
        let is_over = if is_forwards {
            last < page.len()
        } else {
            0 < first || fence.as_slice() <= range.from.as_slice()
        };
        if is_over {
            return Ok(());
        }
        match shelf.beside(tree, &fence, range.direction)? {
            Some(beside) => held = beside,
            None => return Ok(()),
        }
    }
}

/// The lowest bytes that come after all which begin with `prefix`. No kind and no character is `ff`.
fn after_all_with(prefix: &[u8]) -> Option<Vec<u8>> {
    (!prefix.is_empty()).then(|| [prefix, &[ABOVE]].concat())
}
