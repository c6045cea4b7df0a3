//! Making the root and the directory again, where they are lost or damaged: all that they say stands in the units.

use std::ops::ControlFlow;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::error::Error;
use crate::event::{Position, StreamName};
use crate::host::{Host, supplied};
use crate::index::plan::Source;
use crate::layout::directory::{DirectoryEntry, Summary};
use crate::layout::keys::{ROOT, RunRecord, UnitRecord};
use crate::layout::rebuild::{Headless, rebuild};
use crate::layout::root::{Root, RunInfo};
use crate::layout::unit::{Inventory, Times, UnitInfo};
use crate::layout::{RunNumber, StreamSummary, UnitNumber};
use crate::limits::INTEGER_MAX;
use crate::storage::{
    Area, Direction, Found, GuardedWrite, Key, KeyRange, LayoutChange, PageRequest, Request, Storage,
};
use crate::store::fetch::page_of_log;
use crate::store::layout::usable_root;
use crate::store::parts::{Item, Part};
use crate::store::portion::check_gaps;
use crate::store::{Progress, Shared};
use crate::supplement::{Compaction, Supplied, entered};
use crate::table::ByStream;

use super::build::RunMaking;
use super::claim::Stored;
use super::reader::{Next, Reader};
use super::remnants::{Search, Survey};
use super::swap::{NewRun, visible_count};
use super::work::{Desk, Work};
use super::{Compactor, Halt, Manner, Watcher};

/// How many numbers are left out at least, for compactions that had claimed some in a root that is lost.
const NUMBERS_LEFT_OUT: u64 = 1_024;

impl<S: Storage, H: Host> Shared<S, H> {
    /// Makes the directory again, and the root where it is lost. Gives whether it did: where somebody else did so
    /// meanwhile, it ends without having done anything, and the caller looks again.
    ///
    /// Of what cannot be read, the root says so: see [`Root::unread`]. Errors: `CORRUPT_DATA` where units are missing.
    pub(in crate::store) fn rebuild<'a>(
        &'a self,
        progress: &'a mut dyn FnMut(Progress),
    ) -> LocalBoxFuture<'a, Result<bool, Error>> {
        async move { gate_compaction_rebuild(supplied(&self.host).await?, self, progress).await }
            .boxed_local()
    }

    fn rebuild_here<'a>(
        &'a self,
        progress: &'a mut dyn FnMut(Progress),
    ) -> LocalBoxFuture<'a, Result<bool, Error>> {
        async move {
            if let Some(reason) = &self.read_only {
                return Err(reason.clone());
            }
            let mut progress = |done| {
                progress(done);
                ControlFlow::Continue(())
            };
            let watcher = Watcher { progress: &mut progress, total_bytes: 0 };
            match Compactor::new(self, Manner::ForReaders, Some(watcher)).make_again().await {
                Ok(()) => Ok(true),
                Err(Halt::Overtaken | Halt::Directory) => Ok(false),
                Err(Halt::Failed(error)) => Err(error),
            }
        }
        .boxed_local()
    }
}

/// Enters the making again of the directory.
#[inline(never)]
fn gate_compaction_rebuild<'a, S: Storage, H: Host>(
    _: Supplied<Compaction>,
    shared: &'a Shared<S, H>,
    progress: &'a mut dyn FnMut(Progress),
) -> LocalBoxFuture<'a, Result<bool, Error>> {
    entered(shared.rebuild_here(progress))
}

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    async fn make_again(&mut self) -> Result<(), Halt> {
        let found = self.shared.ask(request_of_remnants()).await?;
        found.head.check_writer().map_err(Error::from)?;
        self.layout = found.head.layout;
        let mut chance = [0; 4];
        self.shared.host.random(&mut chance);
        let mut rebuilding = Rebuilding::begin(found, u32::from_le_bytes(chance));
        let mut desk = Desk::new(&rebuilding.stored);
        if rebuilding.is_root_lost {
            let mut search = Search::begin();
            self.carry_through(&mut search, &mut desk).await?;
            let mut survey = search.survey(rebuilding.covered);
            self.carry_through(&mut survey, &mut desk).await?;
            rebuilding.settle(search, &survey)?;
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.total_bytes = rebuilding.stored_bytes();
        }
        self.carry_through(&mut rebuilding, &mut desk).await?;
        // Filters were not read: what they say is not needed.
        self.read_bytes = u64::MAX;
        self.check_wanted()?;
        self.write(rebuilding.finish()).await
    }
}

/// What may be left: the root, the last unit and the last run, whose numbers were given, and the first record that no unit
/// covers.
fn request_of_remnants() -> Request {
    let direction = Direction::Backwards;
    // A number beyond those that can be given is nobody's: it must not be taken for the last one.
    let numbered = UnitRecord::range(UnitNumber(INTEGER_MAX)).to;
    let units = KeyRange { from: None, to: numbered };
    let last_unit = PageRequest { area: Area::Units, range: units, direction, count_max: 1 };
    let last_run =
        PageRequest { area: Area::Index, range: runs_before(INTEGER_MAX), direction, count_max: 1 };
    let mut request = page_of_log(KeyRange::default(), 1);
    request.keys.push((Area::Index, Key::text(ROOT)));
    request.pages.extend([last_unit, last_run]);
    request
}

/// All runs up to a number.
fn runs_before(number: u64) -> KeyRange {
    let (from, to) = (RunRecord::Page(0).key(RunNumber(0)), RunRecord::Index.key(RunNumber(number)));
    KeyRange { from: Some(from), to: Some(to) }
}

/// What is rebuilt, and of what.
struct Rebuilding {
    /// The head that it began under, whose layout must stay; the bytes of the root, which must stay too; and the root
    /// as it becomes.
    stored: Stored,
    /// Whether the units have to be found by their headers.
    is_root_lost: bool,
    /// Up to where units are to cover the log.
    covered: Position,
    /// What stands there of units does not live: others have replaced them, or they were staged.
    dead: Vec<KeyRange>,
    /// No number from here on was ever given.
    first_number: u64,
    /// What all units say of each stream: all of it is in memory until the end, a few hundred bytes a stream, because
    /// what is seen of it is known only then.
    streams: ByStream<StreamSummary>,
    stage: Stage,
    /// The units whose runs are to be made, the next one last.
    left: Vec<UnitInfo>,
}

enum Stage {
    /// Between two units.
    Between,
    /// Finds out what a unit holds, and what it is where only some of its blocks could say that before.
    TakingIn(Box<(UnitInfo, Reader, Inventory, Headless)>),
    /// Makes its run.
    Listing(Box<RunMaking>),
}

impl Rebuilding {
    /// Chance keeps apart what two stage that rebuild at once: neither claims its numbers.
    fn begin(found: Found, chance: u32) -> Self {
        let Found { head, values, pages } = found;
        let bytes = values.into_iter().flatten().next();
        let readable = bytes.as_deref().and_then(|bytes| Root::from_bytes(bytes).ok());
        let mut given = readable.map_or(0, |root| root.next_number);
        let mut covered = head.position;
        for record in pages.iter().flatten() {
            if let Key::Position(first) = record.key {
                covered = Position(first.0.saturating_sub(1));
            }
            // The key of a run may look like that of a unit, but not the other way round.
            let run = RunRecord::of(&record.key).map(|(run, _)| run.0);
            let number = run.or_else(|| UnitRecord::of(&record.key).map(|(unit, _)| unit.0));
            given = given.max(number.unwrap_or_default());
        }
        let first_number = given.saturating_add(NUMBERS_LEFT_OUT).saturating_add(u64::from(chance));
        // A root that is not there knows no unit, and no number that was claimed.
        let usable = bytes.as_deref().and_then(|bytes| usable_root(head, Some(bytes)));
        let is_root_lost = usable.is_none();
        let root = usable.unwrap_or_default();
        // Claims end, with the runs before these: what was staged under them must not outlive them, because without them
        // nobody can tell that it does not live.
        let mut dead: Vec<KeyRange> =
            root.staged.iter().map(|number| UnitRecord::range(UnitNumber(*number))).collect();
        if !is_root_lost {
            // One that was set back does not know all numbers that were claimed, and no claim comes back to them.
            let from = Some(UnitRecord::Header.key(UnitNumber(root.next_number)));
            dead.push(KeyRange { from, to: None });
        }
        let left = root.units.iter().rev().copied().collect();
        let (runs, staged, unread) = (Vec::new(), Vec::new(), Vec::new());
        let root = Root { runs, staged, unread, next_number: first_number, ..root };
        Self {
            stored: Stored { head, root, bytes, token: None },
            is_root_lost,
            covered,
            dead,
            first_number,
            streams: ByStream::default(),
            stage: Stage::Between,
            left,
        }
    }

    /// Takes the units that were found. Errors: `CORRUPT_DATA` where one is missing.
    fn settle(&mut self, search: Search, survey: &Survey) -> Result<(), Error> {
        let Search { mut found, mut numbers, .. } = search;
        found.extend(survey.fill_gaps());
        let units = rebuild(&found, self.covered).units;
        check_gaps(&units, Position(1), self.covered)?;
        numbers.retain(|number| units.iter().all(|unit| unit.number != *number));
        self.dead = numbers.into_iter().map(UnitRecord::range).collect();
        self.left = units.iter().rev().copied().collect();
        self.stored.root.covered = units.last().map_or(Position::START, |unit| unit.last);
        self.stored.root.units = units;
        Ok(())
    }

    /// How much is left to read.
    fn stored_bytes(&self) -> u64 {
        self.left.iter().map(|unit| unit.stored_bytes).fold(0, u64::saturating_add)
    }

    /// Completes what the root says of a unit that was found by some of its blocks, where all can be read by now.
    fn complete(&mut self, headless: &Headless) {
        let Root { units, unread, commit_time, .. } = &mut self.stored.root;
        let is_unread = |key| UnitRecord::of(key).is_some_and(|(unit, _)| unit == headless.info.number);
        let is_partial = |unit: &&mut UnitInfo| unit.times == Some(Times::ANY);
        let unit = units.iter_mut().find(|unit| unit.number == headless.info.number).filter(is_partial);
        if let (Some(unit), false) = (unit, unread.iter().any(is_unread)) {
            headless.complete(unit);
            *commit_time = unit.commit_time.max(*commit_time);
        }
    }

    /// Takes note of the run of a unit: nobody sees it before the root names it.
    fn add_run(&mut self, NewRun { info, index }: NewRun, desk: &mut Desk) {
        self.stored.root.next_number = info.number.0.saturating_add(1);
        self.stored.root.runs.push(info);
        desk.put(Area::Index, RunRecord::Index.key(info.number), index.to_bytes());
    }

    /// The run that a unit is to have.
    fn run_of(&self, unit: &UnitInfo) -> RunInfo {
        let number = RunNumber(self.stored.root.next_number);
        RunInfo { number, level: 0, first: unit.first, last: unit.last, page_count: 0, stored_bytes: 0 }
    }

    /// What is to be written in the end: everybody reads under the new root from then on.
    fn finish(self) -> GuardedWrite {
        let mut write = self.stored.write();
        let layout = self.stored.head.layout;
        let rows = self.streams.rows();
        let root = Root {
            layout: layout.wrapping_add(1),
            stream_count: rows.len() as u64,
            visible_count: rows
                .iter()
                .map(|(_, summary)| visible_count(summary))
                .fold(0, u64::saturating_add)
                .min(INTEGER_MAX),
            ..self.stored.root
        };
        write.layout = LayoutChange::Next { from: layout };
        write.deletes.push((Area::Index, runs_before(self.first_number - 1)));
        write.deletes.extend(self.dead.into_iter().map(|range| (Area::Units, range)));
        write.puts.push(Stored::put_of(&root));
        write
    }
}

impl Work for Rebuilding {
    fn advance(&mut self, desk: &mut Desk) -> Result<ControlFlow<()>, Halt> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Between) {
            Stage::Between => {
                let Some(unit) = self.left.pop() else { return Ok(ControlFlow::Break(())) };
                let commit_time = &mut self.stored.root.commit_time;
                *commit_time = unit.commit_time.max(*commit_time);
                let (inventory, headless) = (Inventory::new(unit.number), Headless::new(unit.number));
                Stage::TakingIn(Box::new((unit, Reader::of_unit(&unit), inventory, headless)))
            }
            Stage::TakingIn(mut taking_in) => {
                let (_, reader, inventory, headless) = &mut *taking_in;
                match reader.try_next(desk) {
                    Ok(Next::Item(Part::Entries(Source::Block(address)), Item::Entries(block))) => {
                        inventory.add_block(address.block, &block);
                        headless.add_block(&block);
                    }
                    Ok(Next::Item(part, Item::Page(page))) => {
                        let added = inventory.add_remains(&page);
                        added.map_err(|corrupt| reader.damage_of(part, &corrupt.to_string()))?;
                    }
                    Ok(Next::Item(..) | Next::Pending) => {}
                    Err((part, _)) => self.stored.root.unread.push(part.key().1),
                    Ok(Next::End) => {
                        let (unit, _, inventory, headless) = *taking_in;
                        self.complete(&headless);
                        let making = RunMaking::new(self.run_of(&unit), inventory.finish());
                        self.stage = Stage::Listing(Box::new(making));
                        return Ok(ControlFlow::Continue(()));
                    }
                }
                Stage::TakingIn(taking_in)
            }
            Stage::Listing(mut making) => {
                let streams = &mut self.streams;
                match making.advance(desk, &mut |entry| lay(streams, entry)) {
                    ControlFlow::Continue(()) => Stage::Listing(making),
                    ControlFlow::Break(run) => {
                        self.add_run(run, desk);
                        Stage::Between
                    }
                }
            }
        };
        Ok(ControlFlow::Continue(()))
    }
}

/// Adds what a unit says of a stream to what older ones say.
fn lay(streams: &mut ByStream<StreamSummary>, entry: &DirectoryEntry) {
    let Summary::Stream(newer) = &entry.summary else { return };
    let name = std::str::from_utf8(entry.key.get(1..).unwrap_or_default());
    let Some(name) = name.ok().and_then(|name| StreamName::new(name).ok()) else { return };
    let older = streams.insert(&name, StreamSummary::default()).unwrap_or_default();
    streams.insert(&name, older.then(newer.without_places()));
}
