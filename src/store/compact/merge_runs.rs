//! Runs of the directory become one.

use std::ops::Range;

use crate::host::Host;
use crate::layout::RunNumber;
use crate::layout::directory::{Merge, MergeStep, Page};
use crate::layout::keys::RunRecord;
use crate::layout::root::RunInfo;
use crate::storage::{Area, KeyRange, Storage};

use super::build::StagedRun;
use super::claim::Stored;
use super::staging::Staging;
use super::swap::Swap;
use super::{Compactor, Halt, damage_in};

/// So many pages of a run are read at a time.
const PAGES_AT_ONCE: u32 = 16;

/// A run that is read page by page.
pub(super) struct RunReader {
    info: RunInfo,
    next_page: u32,
    /// Pages that were read, the next one last.
    read: Vec<Vec<u8>>,
}

impl RunReader {
    pub fn new(info: RunInfo) -> Self {
        Self { info, next_page: 0, read: Vec::new() }
    }
}

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    pub(super) async fn merge_runs(
        &mut self,
        claimed: &Stored,
        runs: Range<usize>,
        level: u32,
        staging: &mut Staging,
    ) -> Result<Swap, Halt> {
        let merged = claimed.root.runs.get(runs.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (merged.first(), merged.last()) else { return Err(Halt::Overtaken) };
        let mut merge = Merge::new(merged.len(), first.first, last.last);
        let mut readers: Vec<RunReader> = merged.iter().copied().map(RunReader::new).collect();
        let mut run = StagedRun::new(RunNumber(claimed.number()), level);
        loop {
            let step = merge.step().map_err(|corrupt| damage_in(Area::Index, first.number.0, &corrupt))?;
            match step {
                MergeStep::Hungry(hungry) => {
                    let page = match readers.get_mut(hungry) {
                        Some(reader) => self.next_page(reader).await?,
                        None => None,
                    };
                    merge.feed(hungry, page);
                }
                MergeStep::Page(page) => {
                    run.stage(page, staging);
                    self.advance(staging).await?;
                }
                MergeStep::Finished => break,
            }
        }
        let run = run.finish(merge.finish(), staging);
        Ok(Swap { unit: None, run, runs, tail: None })
    }

    /// The next page of a run. `None` after the last.
    pub(super) async fn next_page(&mut self, reader: &mut RunReader) -> Result<Option<Page>, Halt> {
        let RunInfo { number, page_count, .. } = reader.info;
        if reader.read.is_empty() && reader.next_page < page_count {
            let last = (reader.next_page + PAGES_AT_ONCE).min(page_count) - 1;
            let count = (last + 1 - reader.next_page) as usize;
            let range = KeyRange {
                from: Some(RunRecord::Page(reader.next_page).key(number)),
                to: Some(RunRecord::Page(last).key(number)),
            };
            reader.read = self.read_range(Area::Index, range, count, number.0).await?;
            reader.read.reverse();
            reader.next_page = last + 1;
        }
        let page = reader.read.pop().map(|bytes| Page::from_bytes(&bytes)).transpose();
        page.map_err(|corrupt| damage_in(Area::Index, number.0, &corrupt))
    }
}
