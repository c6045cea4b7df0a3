//! A run in which a unit takes the place of those that it was made of.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::iter::Peekable;

use crate::codec::Corrupt;
use crate::event::Position;
use crate::layout::UnitNumber;
use crate::layout::unit::EntriesInOrder;

use super::run::{FinishedRun, RunBuilder};
use super::{DirectoryEntry, Page, Summary};

/// Rewrites a run of which some units were made into one. It is fed the pages of the run in their order, and gives
/// pages as they fill.
#[derive(Debug)]
pub struct Patch {
    replaced: Vec<UnitNumber>,
    entries: Peekable<EntriesInOrder>,
    builder: RunBuilder,
}

impl Patch {
    /// The run covers these positions. In place of the `replaced` units, which are neighbours, one holds `entries`.
    pub fn new(
        (first, last): (Position, Position),
        replaced: Vec<UnitNumber>,
        entries: EntriesInOrder,
    ) -> Self {
        Self { replaced, entries: entries.peekable(), builder: RunBuilder::new(first, last) }
    }

    /// Takes in the next page, and gives those that filled. Errors: [`Corrupt`] where a summary cannot be read.
    pub fn push(&mut self, page: &Page) -> Result<Vec<Vec<u8>>, Box<Corrupt>> {
        let mut full = Vec::new();
        for index in 0..page.len() {
            let (Some(key), Some(summary)) = (page.key(index), page.summary(index)?) else { continue };
            // What the new unit knows, those knew that it was made of. Were it otherwise, it would not get lost.
            while let Some(entry) = self.entries.next_if(|entry| entry.key.as_slice() < key) {
                full.extend(self.builder.push_entry(&entry));
            }
            let newer = self.entries.next_if(|entry| entry.key == key);
            let newer = newer.map(|DirectoryEntry { summary, .. }| summary);
            if let Some(summary) = summary.with_units_replaced(&self.replaced, newer) {
                full.extend(self.builder.push(key, &summary));
            }
        }
        Ok(full)
    }

    /// Ends the run.
    pub fn finish(&mut self) -> (Vec<Vec<u8>>, FinishedRun) {
        let mut full = Vec::new();
        for entry in self.entries.by_ref() {
            full.extend(self.builder.push_entry(&entry));
        }
        (full, self.builder.finish())
    }
}

impl Summary {
    /// The same where what stood in the `replaced` units stands where `newer` says. `None` where nothing is left of
    /// it: events of a type, a tag or a category can all be erased, while streams are remembered.
    fn with_units_replaced(self, replaced: &[UnitNumber], newer: Option<Self>) -> Option<Self> {
        let is_replaced = |unit: UnitNumber| replaced.contains(&unit);
        match (self, newer) {
            (Self::Stream(mut older), newer) => {
                let (runs, fact_blocks) = match newer {
                    Some(Self::Stream(newer)) => (newer.runs, newer.fact_blocks),
                    _ => (Vec::new(), Vec::new()),
                };
                replace(&mut older.runs, |run| is_replaced(run.address.unit), runs);
                replace(&mut older.fact_blocks, |address| is_replaced(address.unit), fact_blocks);
                Some(Self::Stream(older))
            }
            (Self::Posting(mut older), newer) => {
                let units = match newer {
                    Some(Self::Posting(newer)) => newer.units,
                    _ => Vec::new(),
                };
                replace(&mut older.units, |posting| is_replaced(posting.unit), units);
                (!older.units.is_empty()).then_some(Self::Posting(older))
            }
        }
    }
}

/// Puts `newer` in the place of what is replaced, which stands side by side.
fn replace<T>(list: &mut Vec<T>, is_replaced: impl Fn(&T) -> bool, newer: Vec<T>) {
    let after = list.split_off(list.iter().position(&is_replaced).unwrap_or(list.len()));
    list.extend(newer);
    for one in after {
        if !is_replaced(&one) {
            list.push(one);
        }
    }
}
