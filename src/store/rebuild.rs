//! Making the root and the directory again, where they are lost or damaged: all that they say stands in the units.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::error::Error;
use crate::event::{Position, StreamName};
use crate::host::Host;
use crate::index::plan::Source;
use crate::layout::directory::{Page, RunBuilder, Summary};
use crate::layout::keys::{ROOT, RunRecord, UnitRecord};
use crate::layout::rebuild::{add_block, headless, rebuild};
use crate::layout::root::{Root, RunInfo};
use crate::layout::unit::{Inventory, UnitHeader, UnitInfo, decode_block};
use crate::layout::{BlockAddress, BlockIndex, RunNumber, StreamSummary, UnitNumber};
use crate::storage::{
    Area, Direction, Durability, Found, GuardedWrite, Head, Key, KeyRange, LayoutChange, PageRequest, Record,
    Request, Storage, Written,
};
use crate::table::ByStream;

use super::catch_up::Slice;
use super::fetch::{corrupt_part, page_of_log};
use super::layout::usable_root;
use super::parts::{Item, Part};
use super::portion::check_gaps;
use super::{Progress, Shared};

/// How many blocks are read at once.
const BLOCKS_AT_ONCE: u32 = 32;
/// How many numbers are left out, for compactions that had claimed some in a root that is lost.
const NUMBERS_LEFT_OUT: u64 = 1_024;

/// What is rebuilt, and of what.
struct Rebuilding {
    /// The head that it began under, whose layout must stay.
    head: Head,
    /// The root as it is stored, which must stay as it is.
    stored: Option<Vec<u8>>,
    root: Root,
    /// Units that do not live: others have replaced them, or they were staged.
    dead: Vec<UnitNumber>,
    /// No number from here on was ever given.
    first_number: u64,
    /// What all units say of each stream.
    streams: ByStream<StreamSummary>,
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Makes the directory again, and the root where it is lost. Where somebody else did so meanwhile, it ends without
    /// having done anything: the caller looks again.
    ///
    /// Errors: `CORRUPT_DATA` where a block cannot be read, of which nobody knows what the directory should say.
    pub(super) fn rebuild<'a>(
        &'a self,
        progress: &'a mut dyn FnMut(Progress),
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        self.make_again(progress).boxed_local()
    }

    async fn make_again(&self, progress: &mut dyn FnMut(Progress)) -> Result<(), Error> {
        if let Some(reason) = &self.read_only {
            return Err(reason.clone());
        }
        let Some(mut rebuilding) = self.begin_rebuilding().await? else { return Ok(()) };
        let units = rebuilding.root.units.clone();
        let total_bytes = units.iter().map(|unit| unit.stored_bytes).sum();
        let mut done_bytes = 0;
        for unit in &units {
            let Some(inventory) = self.take_inventory(&rebuilding, unit).await? else { return Ok(()) };
            let write = rebuilding.add_run(unit, inventory);
            if self.storage.write(write).await? == Written::Refused {
                return Ok(());
            }
            done_bytes += unit.stored_bytes;
            progress(Progress { done_bytes, total_bytes });
            self.host.yield_now().await;
        }
        // A refusal says that somebody else was faster.
        self.storage.write(rebuilding.finish()).await?;
        Ok(())
    }

    /// Finds out which units live. `None` where the layout changed on the way.
    async fn begin_rebuilding(&self) -> Result<Option<Rebuilding>, Error> {
        let direction = Direction::Backwards;
        let runs = KeyRange {
            from: Some(RunRecord::Page(0).key(RunNumber(0))),
            to: Some(RunRecord::Index.key(RunNumber(u64::MAX))),
        };
        let last_unit =
            PageRequest { area: Area::Units, range: KeyRange::default(), direction, count_max: 1 };
        let last_run = PageRequest { area: Area::Index, range: runs, direction, count_max: 1 };
        let first_of_log = page_of_log(KeyRange::default(), 1).pages;
        let keys = vec![(Area::Index, Key::text(ROOT))];
        let request = Request { keys, pages: [vec![last_unit, last_run], first_of_log].concat() };
        let Found { head, values, pages } = self.ask(request).await?;
        let stored = values.into_iter().flatten().next();
        let readable = stored.as_deref().and_then(|bytes| Root::from_bytes(bytes).ok());
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
        let first_number = given + NUMBERS_LEFT_OUT;
        let usable = usable_root(head, stored.as_deref());
        let (root, dead) = match usable {
            Some(root) => (root, Vec::new()),
            None => {
                let Some((found, numbers)) = self.find_units(head, covered).await? else { return Ok(None) };
                let units = rebuild(&found, covered).units;
                check_gaps(&units, Position(1), covered)?;
                let covered = units.last().map_or(Position::START, |unit| unit.last);
                let is_dead = |number: &UnitNumber| units.iter().all(|unit| unit.number != *number);
                let dead = numbers.into_iter().filter(is_dead).collect();
                (Root { covered, units, ..Root::default() }, dead)
            }
        };
        let root = Root { runs: Vec::new(), next_number: first_number, ..root };
        let streams = ByStream::default();
        Ok(Some(Rebuilding { head, stored, root, dead, first_number, streams }))
    }

    /// The units whose headers are there, and those that fill the gaps between them; and all numbers under which
    /// anything stands. `None` where the layout changed on the way.
    async fn find_units(
        &self,
        head: Head,
        covered: Position,
    ) -> Result<Option<(Vec<UnitInfo>, Vec<UnitNumber>)>, Error> {
        let (mut units, mut numbers) = (Vec::new(), Vec::new());
        let mut next = Some(UnitNumber(0));
        while let Some(number) = next {
            let range = KeyRange { from: Some(UnitRecord::Header.key(number)), to: None };
            let direction = Direction::Forwards;
            let request = PageRequest { area: Area::Units, range, direction, count_max: 1 }.into();
            let Some(records) = self.ask_under(head, request).await? else { return Ok(None) };
            let Some(record) = records.into_iter().next() else { break };
            let Some((number, kind)) = UnitRecord::of(&record.key) else { break };
            numbers.push(number);
            if kind == UnitRecord::Header {
                units.extend(UnitHeader::from_bytes(&record.value).ok().map(|header| header.info));
            }
            next = number.0.checked_add(1).map(UnitNumber);
        }
        let rebuilt = rebuild(&units, covered);
        if !rebuilt.gaps.is_empty() {
            let mut surveyed = Vec::new();
            let has_header = |number: &&UnitNumber| units.iter().any(|unit| unit.number == **number);
            for number in numbers.iter().filter(|number| !has_header(number)) {
                let Some(unit) = self.survey(head, *number).await? else { return Ok(None) };
                surveyed.push(unit);
            }
            units.extend(rebuilt.fill_gaps(&surveyed));
        }
        Ok(Some((units, numbers)))
    }

    /// What a unit is whose header is lost, as far as its blocks say, up to one that cannot be read. `None` where the
    /// layout changed on the way.
    async fn survey(&self, head: Head, number: UnitNumber) -> Result<Option<UnitInfo>, Error> {
        let mut unit = headless(number);
        let remains = range_of(number, UnitRecord::Remains(0), UnitRecord::Remains(u32::MAX), u32::MAX);
        let Some(remains) = self.ask_under(head, remains).await? else { return Ok(None) };
        unit.remains_count = remains.len() as u32;
        loop {
            let from = UnitRecord::Block(BlockIndex(unit.block_count));
            let request = range_of(number, from, UnitRecord::Block(BlockIndex(u32::MAX)), BLOCKS_AT_ONCE);
            let Some(records) = self.ask_under(head, request).await? else { return Ok(None) };
            for record in &records {
                let is_next = record.key == UnitRecord::Block(BlockIndex(unit.block_count)).key(number);
                match decode_block(&record.value) {
                    Ok(block) if is_next => add_block(&mut unit, &block, record.value.len() as u64),
                    // Nobody knows what it holds: such a unit fits nowhere.
                    _ => return Ok(Some(headless(number))),
                }
            }
            if records.len() < BLOCKS_AT_ONCE as usize {
                return Ok(Some(unit));
            }
            self.host.yield_now().await;
        }
    }

    /// What a unit holds. `None` where the layout changed on the way.
    async fn take_inventory(
        &self,
        rebuilding: &Rebuilding,
        unit: &UnitInfo,
    ) -> Result<Option<Inventory>, Error> {
        let mut slice = Slice::begin(&self.host);
        let mut inventory = Inventory::new(unit.number);
        let remains = range_of(unit.number, UnitRecord::Remains(0), UnitRecord::Remains(u32::MAX), u32::MAX);
        let Some(pages) = self.ask_under(rebuilding.head, remains).await? else { return Ok(None) };
        for page in pages {
            let added = Page::from_bytes(&page.value).and_then(|page| inventory.add_remains(&page));
            added.map_err(|corrupt| damage_of(unit, Part::Header(unit.number), &corrupt.to_string()))?;
        }
        for first in (0..unit.block_count).step_by(BLOCKS_AT_ONCE as usize) {
            let last = (first + BLOCKS_AT_ONCE).min(unit.block_count) - 1;
            let (from, to) = (UnitRecord::Block(BlockIndex(first)), UnitRecord::Block(BlockIndex(last)));
            let request = range_of(unit.number, from, to, BLOCKS_AT_ONCE);
            let Some(records) = self.ask_under(rebuilding.head, request).await? else { return Ok(None) };
            for block in (first..=last).map(BlockIndex) {
                let part = Part::Entries(Source::Block(BlockAddress { unit: unit.number, block }));
                let stored = records.iter().find(|record| record.key == part.key().1);
                match part.decode(stored.map(|record| record.value.as_slice())) {
                    Ok(Item::Entries(record)) => inventory.add_block(block, &record),
                    Ok(_) => {}
                    Err(problem) => return Err(damage_of(unit, part, &problem)),
                }
                slice.yield_when_over(&self.host).await;
            }
        }
        Ok(Some(inventory))
    }

    /// A page of records, where the layout is still that of a head.
    fn ask_under(
        &self,
        head: Head,
        request: Request,
    ) -> LocalBoxFuture<'_, Result<Option<Vec<Record>>, Error>> {
        async move {
            self.check_open()?;
            let mut found = self.ask(request).await?;
            Ok((found.head.layout == head.layout).then(|| found.pages.pop().unwrap_or_default()))
        }
        .boxed_local()
    }
}

impl Rebuilding {
    /// Makes the run of a unit, and what is to be written of it: nobody sees it before the root names it.
    fn add_run(&mut self, unit: &UnitInfo, inventory: Inventory) -> GuardedWrite {
        let number = RunNumber(self.root.next_number);
        self.root.next_number += 1;
        self.root.commit_time = self.root.commit_time.max(unit.commit_time);
        let mut builder = RunBuilder::new(unit.first, unit.last);
        let mut pages = Vec::new();
        for entry in inventory.finish() {
            if let Summary::Stream(newer) = &entry.summary {
                self.lay(entry.key.get(1..).unwrap_or_default(), newer.without_places());
            }
            pages.extend(builder.push_entry(&entry));
        }
        let finished = builder.finish();
        pages.extend(finished.page);
        self.root.runs.push(RunInfo {
            number,
            level: 0,
            first: unit.first,
            last: unit.last,
            page_count: finished.index.page_count(),
            stored_bytes: finished.stored_bytes,
        });
        let mut puts = vec![(Area::Index, RunRecord::Index.key(number), finished.index.to_bytes())];
        let keys = (0..).map(|page| RunRecord::Page(page).key(number));
        puts.extend(keys.zip(pages).map(|(key, page)| (Area::Index, key, page)));
        self.write(puts, Vec::new(), LayoutChange::Keep)
    }

    fn lay(&mut self, name: &[u8], newer: StreamSummary) {
        let name = std::str::from_utf8(name).ok().and_then(|name| StreamName::new(name).ok());
        let Some(name) = name else { return };
        let older = self.streams.insert(&name, StreamSummary::default()).unwrap_or_default();
        self.streams.insert(&name, older.then(newer));
    }

    /// What is to be written in the end: everybody reads under the new root from then on.
    fn finish(mut self) -> GuardedWrite {
        self.root.layout = self.head.layout.wrapping_add(1);
        self.root.stream_count = self.streams.rows().len() as u64;
        let seen = self.streams.rows().iter().map(|(_, summary)| {
            let facts = summary.to_facts();
            facts.state.next_revision().0.saturating_sub(facts.visible_from.0)
        });
        self.root.visible_count = seen.sum();
        let old_runs = KeyRange {
            from: Some(RunRecord::Page(0).key(RunNumber(0))),
            to: Some(RunRecord::Index.key(RunNumber(self.first_number - 1))),
        };
        let mut deletes = vec![(Area::Index, old_runs)];
        deletes.extend(self.dead.iter().map(|number| (Area::Units, UnitRecord::range(*number))));
        let puts = vec![(Area::Index, Key::text(ROOT), self.root.to_bytes())];
        self.write(puts, deletes, LayoutChange::Next { from: self.head.layout })
    }

    fn write(
        &self,
        puts: Vec<(Area, Key, Vec<u8>)>,
        deletes: Vec<(Area, KeyRange)>,
        layout: LayoutChange,
    ) -> GuardedWrite {
        let expect = vec![(Area::Index, Key::text(ROOT), self.stored.clone())];
        GuardedWrite { expect, deletes, puts, layout, durability: Durability::Relaxed }
    }
}

fn range_of(unit: UnitNumber, from: UnitRecord, to: UnitRecord, count_max: u32) -> Request {
    let range = KeyRange { from: Some(from.key(unit)), to: Some(to.key(unit)) };
    let direction = Direction::Forwards;
    PageRequest { area: Area::Units, range, direction, count_max: count_max as usize }.into()
}

fn damage_of(unit: &UnitInfo, part: Part, problem: &str) -> Error {
    corrupt_part(Some(unit.first), part, problem)
}
