//! Units become one, without the events that were hidden since they were made.

use std::ops::Range;
use std::rc::Rc;

use crate::event::{Fact, Revision};
use crate::host::Host;
use crate::layout::directory::{Kind, Page, Patch, Summary, key};
use crate::layout::keys::UnitRecord;
use crate::layout::plan::{level_above, runs_of};
use crate::layout::root::{Root, RunInfo};
use crate::layout::unit::{EntriesInOrder, UnitBuilder, UnitIdentity, UnitInfo, decode_block};
use crate::layout::{BlockIndex, RunNumber, UnitNumber};
use crate::storage::{Area, KeyRange, Storage};

use super::build::StagedRun;
use super::claim::Stored;
use super::erasure::Erasure;
use super::merge_runs::RunReader;
use super::staging::Staging;
use super::swap::{NewRun, Swap};
use super::{Compactor, Halt, damage_in};

/// So many blocks are read at a time.
const BLOCKS_AT_ONCE: u32 = 16;

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    /// Makes one unit of these. Where the directory has runs that know of other units too, the unit takes its
    /// place in the run, once that is one.
    pub(super) async fn merge_units(
        &mut self,
        claimed: &Stored,
        units: Range<usize>,
        level: u32,
        staging: &mut Staging,
    ) -> Result<Swap, Halt> {
        let root = &claimed.root;
        let merged = root.units.get(units.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (merged.first(), merged.last()) else { return Err(Halt::Overtaken) };
        let runs = runs_of(root, merged);
        let known = root.runs.get(runs.clone()).unwrap_or_default();
        let bounds = known.first().zip(known.last()).map(|(first, last)| (first.first, last.last));
        let is_alone = bounds == Some((first.first, last.last));
        if !is_alone && known.len() != 1 {
            return self.merge_runs(claimed, runs, level_above(known), staging).await;
        }
        let erasure = match &self.erasure {
            Some(erasure) => Rc::clone(erasure),
            None => Rc::new(self.erasure_of(root, units.start).await?),
        };
        let number = UnitNumber(claimed.number());
        let identity = UnitIdentity { number, level, first: first.first, last: last.last };
        let mut builder = UnitBuilder::new(identity);
        for unit in merged {
            self.take_in_unit(&mut builder, unit, &erasure, staging).await?;
        }
        let (header, entries) = self.build_unit(builder, staging).await?;
        let entry_count: u64 = merged.iter().map(|unit| unit.entry_count).sum();
        self.erased_count += entry_count.saturating_sub(header.info.entry_count);
        let run = match known {
            [run] if !is_alone => self.patch_run(claimed, *run, merged, entries, staging).await?,
            _ => self.build_run(&header.info, entries, staging).await?,
        };
        Ok(Swap { unit: Some((header, units)), run, runs, tail: None })
    }

    async fn take_in_unit(
        &mut self,
        builder: &mut UnitBuilder,
        unit: &UnitInfo,
        erasure: &Erasure,
        staging: &mut Staging,
    ) -> Result<(), Halt> {
        let number = unit.number;
        let damaged = |corrupt: Box<_>| damage_in(Area::Units, number.0, &corrupt);
        builder.begin_unit(unit);
        if let Some(last) = unit.remains_count.checked_sub(1) {
            let range = KeyRange {
                from: Some(UnitRecord::Remains(0).key(number)),
                to: Some(UnitRecord::Remains(last).key(number)),
            };
            let count = unit.remains_count as usize;
            for page in self.read_range(Area::Units, range, count, number.0).await? {
                builder.add_remains(&Page::from_bytes(&page).map_err(damaged)?).map_err(damaged)?;
                self.advance(staging).await?;
            }
        }
        let mut next = 0;
        while next < unit.block_count {
            let end = (next + BLOCKS_AT_ONCE).min(unit.block_count);
            let range = KeyRange {
                from: Some(UnitRecord::Block(BlockIndex(next)).key(number)),
                to: Some(UnitRecord::Block(BlockIndex(end - 1)).key(number)),
            };
            let count = (end - next) as usize;
            for block in self.read_range(Area::Units, range, count, number.0).await? {
                let block = decode_block(&block).map_err(|corrupt| damaged(Box::new(corrupt)))?;
                builder.add(Rc::new(block), &|entry| erasure.hides(entry)).map_err(damaged)?;
                self.advance(staging).await?;
            }
            next = end;
        }
        Ok(())
    }

    /// What facts say that stand in this unit or a later one. The directory knows the blocks that hold facts: mostly
    /// none.
    pub(super) async fn erasure_of(&mut self, root: &Root, first_unit: usize) -> Result<Erasure, Halt> {
        let mut erasure = Erasure::default();
        let later = root.units.get(first_unit..).unwrap_or_default();
        let runs = root.runs.get(runs_of(root, later)).unwrap_or_default();
        let facts = [Fact::Deleted, Fact::Tombstoned, Fact::Truncated { before: Revision::FIRST }];
        let keys = facts.iter().map(|fact| key(Kind::Type, fact.type_name())).collect();
        for found in self.look_up(runs, keys).await? {
            let Some(Summary::Posting(posting)) = found else { continue };
            for unit in posting.units.iter().filter(|posting| is_among(posting.unit, later)) {
                for blocks in unit.blocks.chunks(BLOCKS_AT_ONCE as usize) {
                    self.note_facts(unit.unit, blocks, &mut erasure).await?;
                }
            }
        }
        Ok(erasure)
    }

    async fn note_facts(
        &mut self,
        unit: UnitNumber,
        blocks: &[BlockIndex],
        erasure: &mut Erasure,
    ) -> Result<(), Halt> {
        let keys = blocks.iter().map(|block| (Area::Units, UnitRecord::Block(*block).key(unit))).collect();
        for block in self.read_keys(Area::Units, keys, unit.0).await? {
            let block = decode_block(&block).map_err(|corrupt| damage_in(Area::Units, unit.0, &corrupt))?;
            block.entries().for_each(|entry| erasure.note(&entry));
            self.rest(None).await?;
        }
        Ok(())
    }

    /// Writes a run anew in which the entries of one unit take the place of those that it was made of.
    async fn patch_run(
        &mut self,
        claimed: &Stored,
        run: RunInfo,
        merged: &[UnitInfo],
        entries: EntriesInOrder,
        staging: &mut Staging,
    ) -> Result<NewRun, Halt> {
        let damaged = |corrupt: Box<_>| damage_in(Area::Index, run.number.0, &corrupt);
        let replaced = merged.iter().map(|unit| unit.number).collect();
        let mut patch = Patch::new((run.first, run.last), replaced, entries);
        let mut patched = StagedRun::new(RunNumber(claimed.number()), run.level);
        let mut reader = RunReader::new(run);
        while let Some(page) = self.next_page(&mut reader).await? {
            for page in patch.push(&page).map_err(damaged)? {
                patched.stage(page, staging);
            }
            self.advance(staging).await?;
        }
        let (pages, finished) = patch.finish();
        pages.into_iter().for_each(|page| patched.stage(page, staging));
        Ok(patched.finish(finished, staging))
    }
}

fn is_among(number: UnitNumber, units: &[UnitInfo]) -> bool {
    units.iter().any(|unit| unit.number == number)
}
