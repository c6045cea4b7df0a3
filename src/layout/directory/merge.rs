//! Several runs of the directory made into one.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::rc::Rc;

use crate::codec::Corrupt;
use crate::event::Position;

use super::run::{FinishedRun, RunBuilder};
use super::{Page, Summary};

/// Merges runs of contiguous ranges of positions, oldest first. It is fed pages one at a time, and gives pages as they
/// fill, so its memory is bounded by a page a run.
#[derive(Debug)]
pub struct Merge {
    inputs: Vec<Input>,
    builder: RunBuilder,
}

/// Where the merge stands in a run.
#[derive(Debug)]
enum Input {
    /// Its next page is wanted.
    Hungry,
    /// At this entry of this page.
    At(Rc<Page>, usize),
    /// It has no more pages.
    Finished,
}

/// What a merge came to.
#[derive(Debug, PartialEq, Eq)]
pub enum MergeStep {
    /// It needs the next page of the run at this index, or to hear that there is none.
    Hungry(usize),
    /// The next page of the merged run.
    Page(Vec<u8>),
    /// All entries are merged: [`Merge::finish`].
    Finished,
}

impl Merge {
    /// Merges so many runs, which together cover these positions.
    pub fn new(run_count: usize, first: Position, last: Position) -> Self {
        let inputs = (0..run_count).map(|_| Input::Hungry).collect();
        Self { inputs, builder: RunBuilder::new(first, last) }
    }

    /// Hands over the next page of a run that was asked for. `None` says that it has no more.
    pub fn feed(&mut self, run: usize, page: Option<Rc<Page>>) {
        if let Some(input) = self.inputs.get_mut(run) {
            *input = page.map_or(Input::Finished, |page| Input::At(page, 0));
        }
    }

    /// Merges until a page is full or wanted. Errors: [`Corrupt`] where a summary cannot be read.
    pub fn step(&mut self) -> Result<MergeStep, Box<Corrupt>> {
        loop {
            if let Some(hungry) = self.inputs.iter().position(|input| matches!(input, Input::Hungry)) {
                return Ok(MergeStep::Hungry(hungry));
            }
            let Some(key) = self.inputs.iter().filter_map(Input::key).min().map(<[u8]>::to_vec) else {
                return Ok(MergeStep::Finished);
            };
            let mut merged: Option<Summary> = None;
            for input in &mut self.inputs {
                if input.key() != Some(&key) {
                    continue;
                }
                if let Some(newer) = input.take()? {
                    newer.add_to(&mut merged);
                }
            }
            let Some(merged) = merged else { continue };
            if let Some(page) = self.builder.push(&key, &merged) {
                return Ok(MergeStep::Page(page));
            }
        }
    }

    /// Ends the merged run, of which every page was given.
    pub fn finish(&mut self) -> FinishedRun {
        self.builder.finish()
    }
}

impl Input {
    fn key(&self) -> Option<&[u8]> {
        match self {
            Self::At(page, index) => page.key(*index),
            Self::Hungry | Self::Finished => None,
        }
    }

    /// The summary here; goes on to the next entry.
    fn take(&mut self) -> Result<Option<Summary>, Box<Corrupt>> {
        let Self::At(page, index) = self else { return Ok(None) };
        let summary = page.summary(*index)?;
        *index = index.saturating_add(1);
        if *index == page.len() {
            *self = Self::Hungry;
        }
        Ok(summary)
    }
}
