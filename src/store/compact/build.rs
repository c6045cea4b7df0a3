//! Units and runs in the making, staged as they grow.

use std::ops::ControlFlow;

use crate::layout::directory::{DirectoryEntry, FinishedRun, RunBuilder};
use crate::layout::keys::{RunRecord, UnitRecord};
use crate::layout::root::RunInfo;
use crate::layout::unit::{ArrangedUnit, BlockStep, BuiltBlock, EntriesInOrder, FinishedUnit, UnitBuilder};
use crate::storage::Area;

use super::swap::NewRun;
use super::work::Desk;
use super::{Halt, damage_in};

/// So many entries of the directory are written in one go.
const ENTRIES_AT_ONCE: usize = 64;

/// A unit that is made of what its builder has taken in.
pub(super) enum UnitMaking {
    Arranging(Box<UnitBuilder>),
    Cutting(Box<ArrangedUnit>),
    Ordering(Box<ArrangedUnit>),
    /// All but its header is staged, and the rest is for the directory.
    Made(Box<FinishedUnit>),
}

impl UnitMaking {
    /// Does a little of it.
    pub fn advance(self, desk: &mut Desk) -> Result<Self, Halt> {
        Ok(match self {
            Self::Arranging(mut builder) => match builder.arrange_step() {
                ControlFlow::Continue(()) => Self::Arranging(builder),
                ControlFlow::Break(()) => {
                    let number = builder.number();
                    let arranged = builder.arrange().map_err(|it| damage_in(Area::Units, number.0, &it))?;
                    for (page, index) in arranged.remains().iter().zip(0..) {
                        desk.put(Area::Units, UnitRecord::Remains(index).key(number), page.clone());
                    }
                    Self::Cutting(Box::new(arranged))
                }
            },
            Self::Cutting(mut arranged) => {
                let number = arranged.number();
                match arranged.block_step().map_err(|it| damage_in(Area::Units, number.0, &it))? {
                    BlockStep::Tried => {}
                    BlockStep::Block(BuiltBlock { index, block, filter }) => {
                        desk.put(Area::Units, UnitRecord::Block(index).key(number), block);
                        desk.put(Area::Units, UnitRecord::Filter(index).key(number), filter);
                    }
                    BlockStep::Finished => return Ok(Self::Ordering(arranged)),
                }
                Self::Cutting(arranged)
            }
            Self::Ordering(mut arranged) => match arranged.finish_step() {
                ControlFlow::Continue(()) => Self::Ordering(arranged),
                ControlFlow::Break(()) => Self::Made(Box::new(arranged.finish())),
            },
            made @ Self::Made(_) => made,
        })
    }
}

/// The run of a unit that is made of its entries.
pub(super) struct RunMaking {
    entries: EntriesInOrder,
    builder: RunBuilder,
    run: StagedRun,
}

impl RunMaking {
    pub fn new(run: RunInfo, entries: EntriesInOrder) -> Self {
        Self { entries, builder: RunBuilder::new(run.first, run.last), run: StagedRun::new(run) }
    }

    /// Does a little of it, and shows what it does. Gives the run once all its pages are staged.
    pub fn advance(&mut self, desk: &mut Desk, show: &mut dyn FnMut(&DirectoryEntry)) -> ControlFlow<NewRun> {
        for _ in 0..ENTRIES_AT_ONCE {
            let Some(entry) = self.entries.next() else {
                return ControlFlow::Break(self.run.finish(self.builder.finish(), desk));
            };
            show(&entry);
            if let Some(page) = self.builder.push_entry(&entry) {
                self.run.stage(page, desk);
            }
        }
        ControlFlow::Continue(())
    }
}

/// A run whose pages are staged one after the other.
pub(super) struct StagedRun {
    info: RunInfo,
}

impl StagedRun {
    /// Of a run that has no page yet.
    pub fn new(info: RunInfo) -> Self {
        Self { info }
    }

    pub fn stage(&mut self, page: Vec<u8>, desk: &mut Desk) {
        desk.put(Area::Index, RunRecord::Page(self.info.page_count).key(self.info.number), page);
        self.info.page_count += 1;
    }

    pub fn finish(&mut self, finished: FinishedRun, desk: &mut Desk) -> NewRun {
        let FinishedRun { page, index, stored_bytes } = finished;
        if let Some(page) = page {
            self.stage(page, desk);
        }
        NewRun { info: RunInfo { stored_bytes, ..self.info }, index }
    }
}
