//! A log that is compacted as a shell would do it: units and runs as bytes, and everything read back.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use everfold::codec::{DecodedRecord, Entry, encode_records};
use everfold::event::Position;
use everfold::index::Index;
use everfold::layout::directory::{DirectoryEntry, Merge, MergeStep, Page, RunBuilder, RunIndex, Summary};
use everfold::layout::unit::{ArrangedUnit, UnitBuilder, UnitHeader, UnitIdentity, decode_block};
use everfold::layout::{Filter, UnitNumber};
use everfold::testing::prng::Prng;

use crate::codec::sample::{self, Commit};

/// A unit as it is stored, and read back.
#[derive(Debug, Clone)]
pub struct StoredUnit {
    pub header: UnitHeader,
    pub stored_blocks: Vec<Vec<u8>>,
    pub blocks: Vec<Rc<DecodedRecord>>,
    pub filters: Vec<Filter>,
    pub stored_filters: Vec<Vec<u8>>,
    pub remains: Vec<Vec<u8>>,
    pub entries: Vec<DirectoryEntry>,
}

/// A run as it is stored.
#[derive(Debug, Clone)]
pub struct StoredRun {
    pub index: RunIndex,
    pub pages: Vec<Vec<u8>>,
}

/// A log, all of it in units.
pub struct Compacted {
    pub commits: Vec<Commit>,
    pub index: Index,
    pub units: Vec<StoredUnit>,
    pub runs: Vec<StoredRun>,
    /// The positions of events that were left out of a unit.
    pub erased: RefCell<BTreeSet<u64>>,
    next_number: u64,
}

impl Compacted {
    /// What a shell made of a log.
    pub fn of(
        commits: Vec<Commit>,
        index: Index,
        units: Vec<StoredUnit>,
        runs: Vec<StoredRun>,
        erased: RefCell<BTreeSet<u64>>,
    ) -> Self {
        Self { commits, index, units, runs, erased, next_number: 0 }
    }

    /// Compacts the log at cuts by chance, merges some of the units, and some of the runs.
    pub fn by_chance(commits: Vec<Commit>, prng: &mut Prng) -> Self {
        let mut compacted = Self {
            commits,
            index: Index::default(),
            units: Vec::new(),
            runs: Vec::new(),
            erased: RefCell::new(BTreeSet::new()),
            next_number: 1,
        };
        let mut start = 0;
        while start < compacted.commits.len() {
            let rest = compacted.commits.len() - start;
            let count = prng.between(1..=rest.min(150) as u64) as usize;
            compacted.compact_tail(start..start + count);
            start += count;
            if prng.chance(300) && 1 < compacted.units.len() {
                let first = prng.index(compacted.units.len() - 1);
                let count = prng.between(2..=(compacted.units.len() - first) as u64) as usize;
                compacted.merge_units(first, count);
            }
        }
        compacted.runs = compacted.units.iter().map(run_of).collect();
        while prng.chance(700) && 1 < compacted.runs.len() {
            let first = prng.index(compacted.runs.len() - 1);
            let count = prng.between(2..=(compacted.runs.len() - first) as u64) as usize;
            let merged = merge(&compacted.runs[first..first + count]);
            compacted.runs.splice(first..first + count, [merged]);
        }
        compacted
    }

    fn identity(&mut self, level: u32, first: Position, last: Position) -> UnitIdentity {
        self.next_number += 1;
        UnitIdentity { number: UnitNumber(self.next_number), level, first, last }
    }

    fn compact_tail(&mut self, range: std::ops::Range<usize>) {
        let records: Vec<Rc<DecodedRecord>> = encode_records(&sample::frames(&self.commits[range]))
            .iter()
            .map(|record| Rc::new(DecodedRecord::decode(&record.bytes, record.first).unwrap()))
            .collect();
        let first = self.index.head().position.next();
        records.iter().for_each(|record| self.index.add_record(record, 1));
        let identity = self.identity(0, first, self.index.head().position);
        let mut builder = UnitBuilder::new(identity);
        for record in records {
            builder.add(record, &|entry| self.is_hidden(entry)).unwrap();
        }
        self.units.push(stored(builder.arrange().unwrap()));
    }

    fn merge_units(&mut self, first: usize, count: usize) {
        let merged = first..first + count;
        let (first, last) = (&self.units[merged.start], &self.units[merged.end - 1]);
        let identity = self.identity(1, first.header.info.first, last.header.info.last);
        let mut builder = UnitBuilder::new(identity);
        for unit in &self.units[merged.clone()] {
            builder.begin_unit(&unit.header.info);
            for page in &unit.remains {
                builder.add_remains(&Page::from_bytes(page).unwrap()).unwrap();
            }
            for block in &unit.blocks {
                builder.add(Rc::clone(block), &|entry| self.is_hidden(entry)).unwrap();
            }
        }
        self.units.splice(merged, [stored(builder.arrange().unwrap())]);
    }

    /// Whether an event is hidden in the log as it is now.
    fn is_hidden(&self, entry: &Entry<'_>) -> bool {
        let everfold::codec::Body::Event { revision, .. } = entry.body else {
            panic!("facts are never hidden");
        };
        let is_hidden = revision < self.index.visible_from(entry.stream, Position(u64::MAX));
        if is_hidden {
            self.erased.borrow_mut().insert(entry.position.0);
        }
        is_hidden
    }

    /// What the directory says of a key, from the oldest run to the newest.
    pub fn look_up(&self, key: &[u8]) -> Option<Summary> {
        let found = self.runs.iter().filter_map(|run| run.look_up(key));
        found.reduce(Summary::then)
    }

    /// All keys of the directory.
    pub fn keys(&self) -> BTreeSet<Vec<u8>> {
        let mut keys = BTreeSet::new();
        for page in self.runs.iter().flat_map(|run| &run.pages) {
            let page = Page::from_bytes(page).unwrap();
            keys.extend((0..page.len()).map(|index| page.key(index).unwrap().to_vec()));
        }
        keys
    }

    pub fn unit(&self, number: UnitNumber) -> &StoredUnit {
        self.units
            .iter()
            .find(|unit| unit.header.info.number == number)
            .expect("a unit that does not live is named")
    }
}

impl StoredRun {
    fn look_up(&self, key: &[u8]) -> Option<Summary> {
        let page = &self.pages[self.index.page_of(key)? as usize];
        Page::from_bytes(page).unwrap().find(key).unwrap()
    }
}

pub fn stored(mut arranged: ArrangedUnit) -> StoredUnit {
    let remains = arranged.remains().to_vec();
    let (mut stored_blocks, mut blocks) = (Vec::new(), Vec::new());
    let (mut stored_filters, mut filters) = (Vec::new(), Vec::new());
    while let Some(built) = arranged.next_block().unwrap() {
        assert_eq!(built.index.0 as usize, blocks.len());
        blocks.push(Rc::new(decode_block(&built.block).unwrap()));
        filters.push(Filter::from_bytes(&built.filter).unwrap());
        stored_blocks.push(built.block);
        stored_filters.push(built.filter);
    }
    let finished = arranged.finish();
    let header = UnitHeader::from_bytes(&finished.header.to_bytes()).unwrap();
    assert_eq!(header, finished.header);
    let entries = finished.entries.collect();
    StoredUnit { header, stored_blocks, blocks, filters, stored_filters, remains, entries }
}

pub fn run_of(unit: &StoredUnit) -> StoredRun {
    let mut builder = RunBuilder::new(unit.header.info.first, unit.header.info.last);
    let mut pages: Vec<Vec<u8>> = unit.entries.iter().filter_map(|entry| builder.push_entry(entry)).collect();
    let finished = builder.finish();
    pages.extend(finished.page);
    StoredRun { index: RunIndex::from_bytes(&finished.index.to_bytes()).unwrap(), pages }
}

pub fn merge(runs: &[StoredRun]) -> StoredRun {
    let (first, last) = (runs[0].index.first, runs[runs.len() - 1].index.last);
    let mut merge = Merge::new(runs.len(), first, last);
    let mut fed = vec![0; runs.len()];
    let mut pages = Vec::new();
    loop {
        match merge.step().unwrap() {
            MergeStep::Hungry(run) => {
                let page = runs[run].pages.get(fed[run]).map(|page| Page::from_bytes(page).unwrap());
                fed[run] += 1;
                merge.feed(run, page.map(Rc::new));
            }
            MergeStep::Page(page) => pages.push(page),
            MergeStep::Finished => break,
        }
    }
    let finished = merge.finish();
    pages.extend(finished.page);
    assert_eq!(finished.index.page_count() as usize, pages.len());
    StoredRun { index: RunIndex::from_bytes(&finished.index.to_bytes()).unwrap(), pages }
}
