//! Units and runs, made in slices and staged as they grow.

use crate::host::Host;
use crate::layout::RunNumber;
use crate::layout::directory::{FinishedRun, RunBuilder};
use crate::layout::keys::{RunRecord, UnitRecord};
use crate::layout::root::RunInfo;
use crate::layout::unit::{
    BlockStep, BuiltBlock, EntriesInOrder, FinishedUnit, UnitBuilder, UnitHeader, UnitInfo,
};
use crate::storage::{Area, Storage};

use super::staging::Staging;
use super::swap::NewRun;
use super::{Compactor, Halt, damage_in};

/// So many entries of the directory are written between two looks at the clock.
const ENTRIES_PER_LOOK: usize = 64;

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    /// Makes a unit of what its builder has taken in, and stages all of it but its header.
    pub(super) async fn build_unit(
        &mut self,
        mut builder: UnitBuilder,
        staging: &mut Staging,
    ) -> Result<(UnitHeader, EntriesInOrder), Halt> {
        let number = builder.number();
        let damaged = |corrupt: Box<_>| damage_in(Area::Units, number.0, &corrupt);
        while builder.arrange_step().is_continue() {
            self.advance(staging).await?;
        }
        let mut arranged = builder.arrange().map_err(damaged)?;
        for (page, index) in arranged.remains().iter().zip(0..) {
            staging.put(Area::Units, UnitRecord::Remains(index).key(number), page.clone());
        }
        loop {
            self.advance(staging).await?;
            match arranged.block_step().map_err(damaged)? {
                BlockStep::Tried => {}
                BlockStep::Block(BuiltBlock { index, block, filter }) => {
                    staging.put(Area::Units, UnitRecord::Block(index).key(number), block);
                    staging.put(Area::Units, UnitRecord::Filter(index).key(number), filter);
                }
                BlockStep::Finished => break,
            }
        }
        while arranged.finish_step().is_continue() {
            self.advance(staging).await?;
        }
        let FinishedUnit { header, entries } = arranged.finish();
        self.advance(staging).await?;
        Ok((header, entries))
    }

    /// Makes the run of one unit, and stages its pages.
    pub(super) async fn build_run(
        &mut self,
        unit: &UnitInfo,
        entries: EntriesInOrder,
        staging: &mut Staging,
    ) -> Result<NewRun, Halt> {
        let mut run = StagedRun::new(RunNumber(unit.number.0), 0);
        let mut builder = RunBuilder::new(unit.first, unit.last);
        for (entry, index) in entries.zip(1..) {
            if let Some(page) = builder.push_entry(&entry) {
                run.stage(page, staging);
            }
            if index % ENTRIES_PER_LOOK == 0 {
                self.advance(staging).await?;
            }
        }
        Ok(run.finish(builder.finish(), staging))
    }
}

/// A run whose pages are staged one after the other.
pub(super) struct StagedRun {
    number: RunNumber,
    level: u32,
    page_count: u32,
}

impl StagedRun {
    pub fn new(number: RunNumber, level: u32) -> Self {
        Self { number, level, page_count: 0 }
    }

    pub fn stage(&mut self, page: Vec<u8>, staging: &mut Staging) {
        staging.put(Area::Index, RunRecord::Page(self.page_count).key(self.number), page);
        self.page_count += 1;
    }

    pub fn finish(mut self, finished: FinishedRun, staging: &mut Staging) -> NewRun {
        let FinishedRun { page, index, stored_bytes } = finished;
        if let Some(page) = page {
            self.stage(page, staging);
        }
        let info = RunInfo {
            number: self.number,
            level: self.level,
            first: index.first,
            last: index.last,
            page_count: self.page_count,
            stored_bytes,
        };
        NewRun { info, index }
    }
}
