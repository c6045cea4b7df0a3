//! What a storage holds, read as bytes, and held against the commits that were appended.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use everfold::codec::{Body, DecodedRecord, encode_records};
use everfold::event::Position;
use everfold::index::Index;
use everfold::layout::directory::RunIndex;
use everfold::layout::keys::{ROOT, RunRecord, UnitRecord, tied};
use everfold::layout::root::Root;
use everfold::layout::unit::{UnitHeader, decode_block};
use everfold::layout::{BlockIndex, Filter, RunNumber, UnitNumber};
use everfold::storage::{Area, Direction, Found, Head, Key, KeyRange, PageRequest, Record, Request, Storage};

use crate::codec::sample::{self, Commit};
use crate::layout::compacted::{self, StoredUnit};
use crate::layout::model;

/// Everything that a storage holds of a log.
pub struct Stored {
    pub head: Head,
    pub root: Root,
    pub units: Vec<StoredUnit>,
    pub runs: Vec<compacted::StoredRun>,
    pub log: Vec<DecodedRecord>,
    /// The numbers under which anything stands that does not live.
    pub orphans: BTreeSet<u64>,
}

impl Stored {
    /// Reads a storage whose root and whose units fit together, or panics.
    pub async fn read(storage: &impl Storage) -> Self {
        let page = |area| PageRequest {
            area,
            range: KeyRange::default(),
            direction: Direction::Forwards,
            count_max: usize::MAX,
        };
        let pages = [Area::Units, Area::Index, Area::Log].map(page).to_vec();
        let found = storage.read(Request { pages, ..Request::default() }).await;
        let Found { head, pages, .. } = found.expect("a storage that was not made to fail");
        let [units, index, log] = pages.try_into().expect("as many pages as were asked for");
        let value = |records: &[Record], key: &Key| {
            records.iter().find(|record| record.key == *key).map(|record| record.value.clone())
        };
        let untied = |records: &[Record], key: &Key| value(records, key).map(|bytes| tied(key, bytes));
        let root = value(&index, &Key::text(ROOT)).map(|bytes| Root::from_bytes(&bytes).unwrap());
        let root = root.unwrap_or_default();
        assert_eq!(root.layout, head.layout);
        let living: BTreeSet<u64> = root.units.iter().map(|unit| unit.number.0).collect();
        let living_runs: BTreeSet<u64> = root.runs.iter().map(|run| run.number.0).collect();
        let of_units = units.iter().map(|record| UnitRecord::of(&record.key).unwrap().0.0);
        let of_runs = index.iter().filter_map(|record| Some(RunRecord::of(&record.key)?.0.0));
        let orphans = of_units.filter(|number| !living.contains(number));
        let orphans = orphans.chain(of_runs.filter(|number| !living_runs.contains(number))).collect();
        let unit = |record: UnitRecord, number: UnitNumber| {
            untied(&units, &record.key(number)).unwrap_or_else(|| panic!("{record:?} of {number:?}"))
        };
        let page = |record: RunRecord, number: RunNumber| {
            untied(&index, &record.key(number)).unwrap_or_else(|| panic!("{record:?} of {number:?}"))
        };
        let stored_units = root.units.iter().map(|info| {
            let header = UnitHeader::from_bytes(&unit(UnitRecord::Header, info.number)).unwrap();
            assert_eq!(header.info, *info);
            let blocks = || (0..info.block_count).map(BlockIndex);
            let stored_blocks: Vec<_> =
                blocks().map(|block| unit(UnitRecord::Block(block), info.number)).collect();
            let stored_filters: Vec<_> =
                blocks().map(|block| unit(UnitRecord::Filter(block), info.number)).collect();
            StoredUnit {
                header,
                blocks: stored_blocks.iter().map(|block| Rc::new(decode_block(block).unwrap())).collect(),
                stored_blocks,
                filters: stored_filters.iter().map(|filter| Filter::from_bytes(filter).unwrap()).collect(),
                stored_filters,
                remains: (0..info.remains_count)
                    .map(|page| unit(UnitRecord::Remains(page), info.number))
                    .collect(),
                entries: Vec::new(),
            }
        });
        let stored_runs = root.runs.iter().map(|info| {
            let index = RunIndex::from_bytes(&page(RunRecord::Index, info.number)).unwrap();
            assert_eq!(
                (index.first, index.last, index.page_count()),
                (info.first, info.last, info.page_count)
            );
            let pages: Vec<_> =
                (0..info.page_count).map(|number| page(RunRecord::Page(number), info.number)).collect();
            assert_eq!(info.stored_bytes, pages.iter().map(|page| page.len() as u64).sum::<u64>());
            compacted::StoredRun { index, pages }
        });
        let decoded = log.iter().map(|record| match record.key {
            Key::Position(first) => DecodedRecord::decode(&record.value, first).unwrap(),
            Key::Bytes(_) => panic!("a key of the log is bytes"),
        });
        Self {
            head,
            units: stored_units.collect(),
            runs: stored_runs.collect(),
            log: decoded.collect(),
            orphans,
            root,
        }
    }

    /// Units and runs cover everything up to the tail without a gap, the tail goes on from there to the head, and
    /// nothing stands under numbers that were given back.
    pub fn check_shape(&self) {
        let mut next = Position(1);
        for unit in &self.root.units {
            assert_eq!(unit.first, next, "units have a gap between them, or overlap");
            next = unit.last.next();
        }
        assert_eq!(self.root.covered.next(), next);
        let mut next_of_runs = Position(1);
        for run in &self.root.runs {
            assert_eq!(run.first, next_of_runs, "runs have a gap between them, or overlap");
            next_of_runs = run.last.next();
        }
        assert_eq!(next_of_runs, next);
        for record in &self.log {
            assert_eq!(record.first(), next, "the tail does not begin where the units end, or has a gap");
            next = record.last().next();
        }
        assert_eq!(self.head.position.next(), next);
        let root = &self.root;
        let is_awaited = |number: &u64| root.staged.contains(number) || root.next_number <= *number;
        assert!(
            self.orphans.iter().all(is_awaited),
            "orphans: {:?}, staged: {:?}",
            self.orphans,
            root.staged
        );
    }

    /// What was appended is there, but for what is hidden; and the directory says where. Gives how many events are
    /// there that are hidden.
    #[track_caller]
    pub fn check(&self, commits: &[Commit]) -> usize {
        self.check_shape();
        let frames = sample::frames(commits);
        let mut index = Index::default();
        let mut covered = Index::default();
        for record in encode_records(&frames) {
            let record = DecodedRecord::decode(&record.bytes, record.first).unwrap();
            index.add_record(&record, 1);
        }
        let covered_commits: Vec<Commit> = commits
            .iter()
            .filter(|commit| commit.entries.iter().all(|entry| entry.position <= self.root.covered.0))
            .cloned()
            .collect();
        for record in encode_records(&sample::frames(&covered_commits)) {
            covered.add_record(&DecodedRecord::decode(&record.bytes, record.first).unwrap(), 1);
        }
        assert_eq!(covered.head().position, self.root.covered, "a unit ends within a commit");
        let blocks = self.units.iter().flat_map(|unit| unit.blocks.iter().map(Rc::as_ref));
        let present: Vec<_> = blocks.chain(&self.log).flat_map(|record| record.entries()).collect();
        let positions: BTreeSet<u64> = present.iter().map(|entry| entry.position.0).collect();
        assert_eq!(positions.len(), present.len(), "an entry stands twice");
        let mut erased = BTreeSet::new();
        let mut hidden_count = 0;
        for entry in frames.iter().flat_map(|frame| &frame.entries) {
            let is_hidden = match entry.body {
                Body::Event { revision, .. } => {
                    revision < index.visible_from(entry.stream, Position(u64::MAX))
                }
                Body::Fact(_) => false,
            };
            match positions.contains(&entry.position.0) {
                true => hidden_count += usize::from(is_hidden),
                false if is_hidden => drop(erased.insert(entry.position.0)),
                false => panic!("{entry:?} is lost"),
            }
        }
        self.check_counts(&covered);
        let compacted = compacted::Compacted::of(
            covered_commits,
            covered,
            self.units.clone(),
            self.runs.clone(),
            RefCell::new(erased),
        );
        model::check(&compacted);
        hidden_count
    }

    fn check_counts(&self, covered: &Index) {
        let visible = covered.streams().iter().map(|(_, stream)| stream.visible_count()).sum::<u64>();
        assert_eq!(self.root.visible_count, visible, "visible events");
        assert_eq!(self.root.stream_count, covered.streams().count() as u64, "streams");
        assert_eq!(self.root.commit_time, covered.time(), "the latest time of a commit");
    }
}
