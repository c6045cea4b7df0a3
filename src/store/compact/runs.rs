//! Runs of the directory, which become one.

use std::ops::{ControlFlow, Range};

use crate::layout::RunNumber;
use crate::layout::directory::{Merge, MergeStep};
use crate::layout::root::RunInfo;
use crate::storage::Area;
use crate::store::parts::Item;

use super::build::StagedRun;
use super::claim::Stored;
use super::reader::{Next, Reader};
use super::swap::Swap;
use super::work::{Desk, Work};
use super::{Halt, damage_in};

/// Merges runs.
pub(super) struct RunsWork {
    /// The first of them.
    first: RunNumber,
    runs: Range<usize>,
    readers: Vec<Reader>,
    merge: Merge,
    run: StagedRun,
}

impl RunsWork {
    pub fn new(claimed: &Stored, runs: Range<usize>, level: u32) -> Result<Self, Halt> {
        let merged = claimed.root.runs.get(runs.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (merged.first(), merged.last()) else { return Err(Halt::Overtaken) };
        let readers = merged.iter().map(Reader::of_run).collect();
        let merge = Merge::new(merged.len(), first.first, last.last);
        let number = RunNumber(claimed.number());
        let run = RunInfo { number, level, page_count: 0, stored_bytes: 0, last: last.last, ..*first };
        Ok(Self { first: first.number, runs, readers, merge, run: StagedRun::new(run) })
    }
}

impl Work for RunsWork {
    fn advance(&mut self, desk: &mut Desk) -> Result<ControlFlow<()>, Halt> {
        let damaged = |corrupt: Box<_>| damage_in(Area::Index, self.first.0, &corrupt);
        match self.merge.step().map_err(damaged)? {
            MergeStep::Hungry(hungry) => {
                let next = self.readers.get_mut(hungry).map_or(Ok(Next::End), |reader| reader.next(desk))?;
                match next {
                    Next::Item(_, Item::Page(page)) => self.merge.feed(hungry, Some(page)),
                    Next::Item(..) | Next::End => self.merge.feed(hungry, None),
                    Next::Pending => {}
                }
            }
            MergeStep::Page(page) => self.run.stage(page, desk),
            MergeStep::Finished => {
                let run = self.run.finish(self.merge.finish(), desk);
                let (unit, tail, runs) = (None, None, self.runs.clone());
                desk.swap = Some(Swap { unit, run, runs, tail, erased_count: 0 });
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
