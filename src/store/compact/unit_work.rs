//! A unit of the tail, or of older units, and its run.

use std::ops::{ControlFlow, Range};
use std::rc::Rc;

use crate::layout::directory::Patch;
use crate::layout::plan::{Bounds, runs_of};
use crate::layout::root::RunInfo;
use crate::layout::unit::{FinishedUnit, UnitHeader, UnitIdentity, UnitInfo};
use crate::layout::{RunNumber, UnitNumber};
use crate::store::parts::Item;

use super::Halt;
use super::build::{RunMaking, StagedRun, UnitMaking};
use super::claim::Stored;
use super::erasure::Erasure;
use super::reader::{Next, Reader};
use super::swap::{NewRun, Swap};
use super::tail::TailIntake;
use super::units::UnitsIntake;
use super::work::{Desk, Work};

/// Makes a unit.
pub(super) struct UnitWork {
    intake: Intake,
    stage: Stage,
    /// The number that was claimed.
    number: u64,
    /// The units that the new one replaces.
    units: Range<usize>,
    /// The runs that are replaced by one.
    runs: Range<usize>,
    /// The run in which the unit takes the place of these, where the unit does not bring one of its own.
    patched: Option<(RunInfo, Vec<UnitNumber>)>,
    /// How many entries the units have that are replaced.
    entry_count: u64,
}

/// What it is made of.
enum Intake {
    Tail(TailIntake),
    Units(UnitsIntake),
}

enum Stage {
    TakingIn,
    Making(UnitMaking),
    Listing(Box<(UnitHeader, RunMaking)>),
    Patching(Box<(UnitHeader, Patching)>),
    Ended,
}

/// The rewriting of a run in which the entries of one unit take the place of those that it was made of.
struct Patching {
    reader: Reader,
    patch: Patch,
    run: StagedRun,
}

impl UnitWork {
    /// Makes a unit of the tail, or of as much of it as a unit may have. Records hold whole commits, so none is cut.
    pub fn of_tail(claimed: &Stored, bounds: &Bounds) -> Self {
        let (unit_count, run_count) = (claimed.root.units.len(), claimed.root.runs.len());
        Self {
            intake: Intake::Tail(TailIntake::new(claimed, bounds)),
            stage: Stage::TakingIn,
            number: claimed.number(),
            units: unit_count..unit_count,
            runs: run_count..run_count,
            patched: None,
            entry_count: 0,
        }
    }

    /// Makes one unit of these. Where the run that knows of them knows of others too, the unit takes its place in it.
    pub fn of_units(
        claimed: &Stored,
        units: Range<usize>,
        level: u32,
        erasure: &Rc<Erasure>,
    ) -> Result<Self, Halt> {
        let merged = claimed.root.units.get(units.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (merged.first(), merged.last()) else { return Err(Halt::Overtaken) };
        let (first, last, number) = (first.first, last.last, claimed.number());
        let runs = runs_of(&claimed.root, merged);
        let known = claimed.root.runs.get(runs.clone()).unwrap_or_default();
        let patched = match known {
            [run] if (run.first, run.last) != (first, last) => {
                Some((*run, merged.iter().map(|unit| unit.number).collect()))
            }
            _ => None,
        };
        let identity = UnitIdentity { number: UnitNumber(number), level, first, last };
        let intake = Intake::Units(UnitsIntake::new(identity, merged, erasure));
        let entry_count = merged.iter().map(|unit| unit.entry_count).sum();
        Ok(Self { intake, stage: Stage::TakingIn, number, units, runs, patched, entry_count })
    }

    /// What comes after the unit: its place in the directory.
    fn list(&mut self, making: UnitMaking) -> Stage {
        let UnitMaking::Made(made) = making else { return Stage::Making(making) };
        let FinishedUnit { header, entries } = *made;
        let number = RunNumber(self.number);
        let UnitInfo { first, last, .. } = header.info;
        let run = RunInfo { number, level: 0, first, last, page_count: 0, stored_bytes: 0 };
        match self.patched.take() {
            None => Stage::Listing(Box::new((header, RunMaking::new(run, entries)))),
            Some((old, replaced)) => {
                let (first, last) = (old.first, old.last);
                let run = StagedRun::new(RunInfo { level: old.level, first, last, ..run });
                let patch = Patch::new((first, last), replaced, entries);
                let patching = Patching { reader: Reader::of_run(&old), patch, run };
                Stage::Patching(Box::new((header, patching)))
            }
        }
    }

    fn end(&mut self, header: UnitHeader, run: NewRun, desk: &mut Desk) -> Stage {
        let tail = match &mut self.intake {
            Intake::Tail(intake) => Some(intake.take_sums()),
            Intake::Units(_) => None,
        };
        let entry_count = tail.as_ref().map_or(self.entry_count, |tail| tail.entry_count);
        desk.swap = Some(Swap {
            erased_count: entry_count.saturating_sub(header.info.entry_count),
            unit: Some((header, self.units.clone())),
            run,
            runs: self.runs.clone(),
            tail,
        });
        Stage::Ended
    }
}

impl Work for UnitWork {
    fn advance(&mut self, desk: &mut Desk) -> Result<ControlFlow<()>, Halt> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::TakingIn => {
                let builder = match &mut self.intake {
                    Intake::Tail(intake) => intake.advance(desk)?,
                    Intake::Units(intake) => intake.advance(desk)?,
                };
                builder.map_or(Stage::TakingIn, |builder| {
                    Stage::Making(UnitMaking::Arranging(Box::new(builder)))
                })
            }
            Stage::Making(making) => self.list(making.advance(desk)?),
            Stage::Listing(mut listing) => match listing.1.advance(desk, &mut |_| ()) {
                ControlFlow::Continue(()) => Stage::Listing(listing),
                ControlFlow::Break(run) => self.end(listing.0, run, desk),
            },
            Stage::Patching(mut patching) => match patching.1.advance(desk)? {
                None => Stage::Patching(patching),
                Some(run) => self.end(patching.0, run, desk),
            },
            Stage::Ended => return Ok(ControlFlow::Break(())),
        };
        Ok(ControlFlow::Continue(()))
    }
}

impl Patching {
    /// Takes in the next page of the old run. Gives the new one after the last.
    fn advance(&mut self, desk: &mut Desk) -> Result<Option<NewRun>, Halt> {
        match self.reader.next(desk)? {
            Next::Item(part, Item::Page(page)) => {
                let pages = self.patch.push(&page);
                for page in pages.map_err(|corrupt| self.reader.damage_of(part, &corrupt.to_string()))? {
                    self.run.stage(page, desk);
                }
            }
            Next::Item(..) | Next::Pending => {}
            Next::End => {
                let (pages, finished) = self.patch.finish();
                pages.into_iter().for_each(|page| self.run.stage(page, desk));
                return Ok(Some(self.run.finish(finished, desk)));
            }
        }
        Ok(None)
    }
}
