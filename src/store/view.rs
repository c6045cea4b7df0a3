//! Looking at the store: the index, the root, and what was read so far, all of one layout.
//!
//! What an operation needs to know is found by a function that does not wait. It looks at what is at hand; what is
//! not is noted, read in one transaction, and then the function looks again. So whatever it concludes, it concludes
//! on one state of the index and one layout.

use std::cell::RefCell;
use std::rc::Rc;

use crate::codec::{DecodedRecord, UnpackedRecord};
use crate::error::Error;
use crate::event::{Position, Revision, StreamName};
use crate::index::plan::{Plan, Source};
use crate::index::{Index, IndexedStream, Knowledge};
use crate::layout::directory::{Kind, Page, RunIndex, Summary, key};
use crate::layout::keys::UnitRecord;
use crate::layout::root::Root;
use crate::layout::unit::{BlockInfo, UnitHeader, UnitInfo, UnitOrder};
use crate::layout::{BlockAddress, BlockIndex, Filter, RunNumber, StreamSummary, UnitNumber};
use crate::table::Table;

use super::cache::Cache;
use super::fetch::{damage_in_unit, damage_of};
use super::parts::{Item, Part};

/// What an operation looks at.
pub(super) struct View<'a> {
    pub index: &'a mut Index,
    pub root: &'a Root,
    held: &'a mut Held,
    cache: &'a RefCell<Cache>,
    missing: Vec<Part>,
    /// Why the look cannot come to anything, found where nothing could be returned.
    stop: Option<Stop>,
}

/// What one operation has read: it cannot be lost to others before the operation is through.
#[derive(Default)]
pub(super) struct Held {
    rows: Table<(Part, Option<Item>)>,
}

/// Where entries of a stream stand, as far as it was read.
enum StreamPlace {
    Read(Rc<DecodedRecord>),
    Unpacked(BlockAddress, Rc<UnpackedRecord>),
}

/// Why a look came to nothing.
pub(super) enum Stop {
    /// Something has to be read first.
    Pending,
    /// It will not come to anything else.
    Failed(Error),
    /// The directory cannot be read: it has to be made again.
    Directory,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Held {
    /// Puts down what was read of a part.
    pub fn put(&mut self, part: Part, item: Item) {
        let number = self.rows.find(part.hash(), |(other, _)| *other == part);
        match number.and_then(|number| self.rows.row_mut(number)) {
            Some((_, held)) => *held = Some(item),
            None => self.rows.push(part.hash(), (part, Some(item))),
        }
    }
}

impl<'a> View<'a> {
    pub fn new(index: &'a mut Index, root: &'a Root, held: &'a mut Held, cache: &'a RefCell<Cache>) -> Self {
        Self { index, root, held, cache, missing: Vec::new(), stop: None }
    }

    /// What has to be read before it makes sense to look again.
    pub fn into_missing(self) -> Vec<Part> {
        self.missing
    }

    /// Stops where something has to be read first, or where it was noted that nothing will come of it.
    pub fn check(&mut self) -> Result<(), Stop> {
        match self.stop.take() {
            Some(stop) => Err(stop),
            None if self.missing.is_empty() => Ok(()),
            None => Err(Stop::Pending),
        }
    }

    #[inline(never)]
    fn item(&mut self, part: Part) -> Option<Item> {
        let hash = part.hash();
        if let Some((_, held)) = self.held.rows.get(hash, |(other, _)| *other == part) {
            return held.clone();
        }
        let cached = self.cache.borrow_mut().get(part);
        if cached.is_none() {
            self.missing.push(part);
        }
        self.held.rows.push(hash, (part, cached.clone()));
        cached
    }

    /// The entries that stand somewhere, if they are at hand.
    pub fn entries(&mut self, source: Source) -> Option<Rc<DecodedRecord>> {
        match self.item(Part::Entries(source))? {
            Item::Entries(record) => Some(record),
            Item::Damaged(error) => {
                self.stop = Some(error.into());
                None
            }
            _ => None,
        }
    }

    /// All records and blocks of a list. Errors: `CORRUPT_DATA` for one that cannot be read.
    pub fn all_entries(&mut self, sources: &[Source]) -> Result<Vec<Rc<DecodedRecord>>, Stop> {
        let records = sources.iter().filter_map(|source| self.entries(*source)).collect();
        self.check()?;
        Ok(records)
    }

    /// The entries of a stream in places that a plan names: of a block nothing else, and of a record of the log all. Places
    /// without any are left out. Errors: `CORRUPT_DATA` where damage stands in the way.
    pub fn planned_of_stream(&mut self, plan: &Plan, name: &str) -> Result<Vec<Rc<DecodedRecord>>, Stop> {
        self.check_damage(plan)?;
        self.entries_of_stream(&plan.sources, name)
    }

    /// The entries of a stream in these places, as [`View::planned_of_stream`].
    pub fn entries_of_stream(
        &mut self,
        sources: &[Source],
        name: &str,
    ) -> Result<Vec<Rc<DecodedRecord>>, Stop> {
        let mut places = Vec::with_capacity(sources.len());
        for source in sources {
            places.extend(match source {
                Source::Block(address) => self.block_of_stream(*address),
                Source::Log(_) => self.entries(*source).map(StreamPlace::Read),
            });
        }
        self.check()?;
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            match place {
                StreamPlace::Read(record) => found.push(record),
                StreamPlace::Unpacked(address, block) => match block.of_stream(name) {
                    Ok(record) => found.extend(record.map(Rc::new)),
                    Err(corrupt) => {
                        let (part, problem) = (Part::Unpacked(address), corrupt.to_string());
                        return Err(damage_in_unit(self.root, address.unit, part, &problem).into());
                    }
                },
            }
        }
        Ok(found)
    }

    /// A block of which the entries of one stream are wanted, if it is at hand.
    fn block_of_stream(&mut self, address: BlockAddress) -> Option<StreamPlace> {
        let whole = self.cache.borrow_mut().get(Part::Entries(Source::Block(address)));
        if let Some(Item::Entries(record)) = whole {
            return Some(StreamPlace::Read(record));
        }
        match self.item(Part::Unpacked(address))? {
            Item::Unpacked(block) => Some(StreamPlace::Unpacked(address, block)),
            Item::Damaged(error) => {
                self.stop = Some(error.into());
                None
            }
            _ => None,
        }
    }

    /// The order of these blocks of a unit, whose records are these.
    pub fn order(
        &self,
        unit: UnitNumber,
        blocks: &[BlockIndex],
        records: &[Rc<DecodedRecord>],
    ) -> Rc<UnitOrder> {
        self.cache.borrow_mut().order(unit, blocks, records)
    }

    /// All that a plan names. Errors: `CORRUPT_DATA` where damage stands in the way.
    pub fn planned(&mut self, plan: &Plan) -> Result<Vec<Rc<DecodedRecord>>, Stop> {
        self.check_damage(plan)?;
        self.all_entries(&plan.sources)
    }

    fn check_damage(&self, plan: &Plan) -> Result<(), Stop> {
        match plan.damaged.and_then(|first| self.index.segments().get(first)) {
            Some(segment) => Err(damage_of(segment).into()),
            None => Ok(()),
        }
    }

    /// Whether an id may stand in a block, as far as its filter is at hand and can be read.
    pub fn filter(&mut self, address: BlockAddress) -> Result<Option<Rc<Filter>>, Stop> {
        match self.item(Part::Filter(address)) {
            Some(Item::Filter(filter)) => Ok(Some(filter)),
            Some(_) => Ok(None),
            None => Err(Stop::Pending),
        }
    }

    /// What each block of a unit holds. Of a header that cannot be read only what the root says is known: that a
    /// block may hold anything.
    pub fn header(&mut self, info: &UnitInfo) -> Result<Rc<UnitHeader>, Stop> {
        match self.item(Part::Header(info.number)) {
            Some(Item::Header(header)) if header.info == *info => Ok(header),
            None => Err(Stop::Pending),
            Some(_) => {
                let block = BlockInfo {
                    first_stream: String::new(),
                    first: info.first,
                    last: info.last,
                    entry_count: (info.entry_count / u64::from(info.block_count.max(1))) as u32,
                    stored_bytes: (info.stored_bytes / u64::from(info.block_count.max(1))) as u32,
                };
                Ok(Rc::new(UnitHeader { info: *info, blocks: vec![block; info.block_count as usize] }))
            }
        }
    }

    pub fn run_index(&mut self, run: RunNumber) -> Result<Rc<RunIndex>, Stop> {
        match self.item(Part::RunIndex(run)) {
            Some(Item::RunIndex(index)) => Ok(index),
            Some(_) => Err(Stop::Directory),
            None => Err(Stop::Pending),
        }
    }

    pub fn page(&mut self, run: RunNumber, page: u32) -> Result<Rc<Page>, Stop> {
        match self.item(Part::Page(run, page)) {
            Some(Item::Page(page)) => Ok(page),
            Some(_) => Err(Stop::Directory),
            None => Err(Stop::Pending),
        }
    }

    /// What the directory says of a key, over all units.
    #[inline(never)]
    pub fn look_up(&mut self, key: &[u8]) -> Result<Option<Summary>, Stop> {
        let root = self.root;
        let mut found: Option<Summary> = None;
        for run in &root.runs {
            match self.look_up_in(run.number, key) {
                Ok(Some(newer)) => newer.add_to(&mut found),
                // What the other runs need is read in the same transaction.
                Ok(None) | Err(Stop::Pending) => {}
                Err(stop) => return Err(stop),
            }
        }
        self.check()?;
        Ok(found)
    }

    fn look_up_in(&mut self, run: RunNumber, key: &[u8]) -> Result<Option<Summary>, Stop> {
        let index = self.run_index(run)?;
        match index.page_of(key) {
            Some(page) => self.page(run, page)?.find(key).map_err(|_| Stop::Directory),
            None => Ok(None),
        }
    }

    /// Fails where what the directory does not know may be of a stream, or of anything where none is named: see
    /// [`Root::unread`].
    #[inline(never)]
    pub fn check_unread(&mut self, name: Option<&str>) -> Result<(), Stop> {
        let root = self.root;
        for (number, record) in root.unread.iter().filter_map(UnitRecord::of) {
            if let (Some(name), UnitRecord::Block(block)) = (name, record) {
                match self.may_hold(number, block, name) {
                    Ok(true) => {}
                    // What the others need is read in the same transaction.
                    Ok(false) | Err(Stop::Pending) => continue,
                    Err(stop) => return Err(stop),
                }
            }
            match self.item(Part::of_unit(number, record)) {
                None => {}
                Some(Item::Damaged(error)) => return Err(error.into()),
                // By now it can be read.
                Some(_) => return Err(Stop::Directory),
            }
        }
        self.check()
    }

    /// Whether a block may hold entries of a stream: blocks are in the order of names.
    fn may_hold(&mut self, unit: UnitNumber, block: BlockIndex, name: &str) -> Result<bool, Stop> {
        let root = self.root;
        let Some(unit) = root.units.iter().find(|it| it.number == unit) else { return Ok(false) };
        let header = self.header(unit)?;
        // Where the header cannot be read, names are empty.
        let first_of = |index: usize| header.blocks.get(index).map_or("", |it| it.first_stream.as_str());
        let index = block.0 as usize;
        let next = first_of(index.saturating_add(1));
        Ok(first_of(index) <= name && (next.is_empty() || name <= next))
    }

    /// What units hold of a stream. Errors: `CORRUPT_DATA` where that cannot be told.
    pub fn stored_stream(&mut self, name: &str) -> Result<StreamSummary, Stop> {
        self.check_unread(Some(name))?;
        match self.look_up(&key(Kind::Stream, name))? {
            Some(Summary::Stream(summary)) => Ok(summary),
            _ => Ok(StreamSummary::default()),
        }
    }

    /// All that is known of a stream, of which nothing may have happened ever. `None` for a name that no stream can
    /// have.
    pub fn stream(&mut self, name: &str) -> Result<Option<&IndexedStream>, Stop> {
        let is_whole = self.index.settle(name) == Some(Knowledge::Whole);
        if !is_whole && self.index.covered() != Position::START {
            let Ok(name) = StreamName::new(name) else { return Ok(None) };
            let stored = self.stored_stream(name.as_str())?;
            self.index.resolve(&name, stored);
        }
        Ok(self.index.stream(name))
    }

    /// Whether an event is seen in the state as of a position. Where that is not known yet, it is not, and the look
    /// has to stop at the next check.
    pub fn sees(&mut self, stream: &str, revision: Revision, as_of: Position) -> bool {
        if !self.index.has_hidden() {
            return true;
        }
        match self.stream(stream) {
            Ok(stream) => stream.is_none_or(|stream| stream.visible_from(as_of) <= revision),
            Err(Stop::Pending) => false,
            // What hides it would stand in what cannot be read. As with damage in the tail, it is seen.
            Err(Stop::Failed(_)) => true,
            Err(stop) => {
                self.stop = Some(stop);
                false
            }
        }
    }
}
