//! Compacts a storage in one write, as several compactions would leave it.

use std::rc::Rc;

use everfold::codec::{Body, DecodedRecord, Entry};
use everfold::event::{Position, UnixMillis};
use everfold::layout::directory::Page;
use everfold::layout::keys::{ROOT, RunRecord, UnitRecord, tied};
use everfold::layout::root::{Root, RunInfo};
use everfold::layout::unit::{UnitBuilder, UnitIdentity};
use everfold::layout::{BlockIndex, RunNumber, UnitNumber};
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Area, Direction, Durability, GuardedWrite, Head, Key, KeyRange, LayoutChange, Storage, Written,
};
use everfold::testing::prng::Prng;
use everfold::testing::reads;

use crate::layout::compacted::{StoredRun, StoredUnit, merge, run_of, stored};

/// What is left out of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    Nothing,
    /// Events that are hidden when the unit is made.
    Hidden,
}

/// Copies all records of a storage.
pub async fn copy(from: &MemoryStorage, to: &MemoryStorage) {
    let mut puts = Vec::new();
    for area in Area::ALL {
        for record in all_of(from, area).await {
            puts.push((area, record.key, record.value));
        }
    }
    write(to, puts, Vec::new(), LayoutChange::Keep).await;
}

pub async fn all_of(storage: &MemoryStorage, area: Area) -> Vec<everfold::storage::Record> {
    let page = reads::page(storage, area, KeyRange::default(), Direction::Forwards, usize::MAX).await;
    page.expect("a read").records
}

async fn write(
    storage: &MemoryStorage,
    puts: Vec<(Area, Key, Vec<u8>)>,
    deletes: Vec<(Area, KeyRange)>,
    layout: LayoutChange,
) {
    let write = GuardedWrite { expect: Vec::new(), deletes, puts, layout, durability: Durability::Memory };
    assert_eq!(storage.write(write).await, Ok(Written::Yes));
}

/// What a compaction works on.
struct Work {
    root: Root,
    units: Vec<StoredUnit>,
    runs: Vec<(RunInfo, StoredRun)>,
    erasure: Erasure,
}

/// Compacts what is in a storage: units with cuts by chance, of which some are merged, and runs alike. A tail of some
/// length is left.
pub async fn compact(storage: &MemoryStorage, prng: &mut Prng, erasure: Erasure) {
    let (mut work, tail, head) = begin(storage, erasure).await;
    let count = prng.between(0..=tail.len() as u64) as usize;
    let mut summaries = summaries(&work.units);
    tail.iter().for_each(|record| lay(&mut summaries, record));
    let hidden = |entry: &Entry<'_>| -> bool {
        let Body::Event { revision, .. } = entry.body else { return false };
        let summary = &summaries[entry.stream];
        erasure == Erasure::Hidden && revision < summary.visible_from(Position(u64::MAX))
    };
    let mut start = 0;
    while start < count {
        let length = prng.between(1..=(count - start).min(40) as u64) as usize;
        work.compact_tail(&tail[start..start + length], &hidden);
        start += length;
        if prng.chance(300) && 1 < work.units.len() {
            let first = prng.index(work.units.len() - 1);
            let length = prng.between(2..=(work.units.len() - first) as u64) as usize;
            work.merge_units(first, length, &hidden);
        }
    }
    work.index_units();
    while prng.chance(600) && 1 < work.runs.len() {
        let first = prng.index(work.runs.len() - 1);
        let length = prng.between(2..=(work.runs.len() - first) as u64) as usize;
        work.merge_runs(first, length);
    }
    work.count();
    work.store(storage, head).await;
}

/// Compacts all records of the log, to so many units.
pub async fn compact_all(storage: &MemoryStorage, unit_count: usize) {
    let (mut work, tail, head) = begin(storage, Erasure::Nothing).await;
    for records in tail.chunks(tail.len().div_ceil(unit_count)) {
        work.compact_tail(records, &|_| false);
    }
    work.index_units();
    work.count();
    work.store(storage, head).await;
}

async fn begin(storage: &MemoryStorage, erasure: Erasure) -> (Work, Vec<Rc<DecodedRecord>>, Head) {
    let head: Head = reads::head(storage).await.expect("a head");
    let stored_root = reads::value(storage, Area::Index, &Key::text(ROOT)).await.expect("a read");
    let root = stored_root.map_or_else(Root::default, |bytes| Root::from_bytes(&bytes).expect("a root"));
    let tail = all_of(storage, Area::Log)
        .await
        .into_iter()
        .map(|record| {
            let Key::Position(first) = record.key else { panic!("a key of the log") };
            Rc::new(DecodedRecord::decode(&record.value, first).expect("a whole record"))
        })
        .collect();
    let mut work = Work { root, units: Vec::new(), runs: Vec::new(), erasure };
    work.read_units(storage).await;
    (work, tail, head)
}

type Summaries = std::collections::BTreeMap<String, everfold::layout::StreamSummary>;

fn lay(summaries: &mut Summaries, record: &DecodedRecord) {
    for entry in record.entries() {
        summaries.entry(entry.stream.to_owned()).or_default().lay(&entry);
    }
}

/// What units say of all streams.
fn summaries(units: &[StoredUnit]) -> Summaries {
    let mut summaries = Summaries::new();
    for entry in units.iter().flat_map(|unit| &unit.entries) {
        if let everfold::layout::directory::Summary::Stream(newer) = &entry.summary {
            let name = String::from_utf8(entry.key[1..].to_vec()).expect("a name");
            let older = summaries.remove(&name).unwrap_or_default();
            summaries.insert(name, older.then(newer.clone()));
        }
    }
    summaries
}

impl Work {
    /// Reads the units that are there, and makes others of the same: so what the directory says of each is known.
    async fn read_units(&mut self, storage: &MemoryStorage) {
        let records = all_of(storage, Area::Units).await;
        for info in self.root.units.clone() {
            let number = info.number;
            let mut builder = UnitBuilder::new(UnitIdentity {
                // Another unit, because it may be cut otherwise.
                number: UnitNumber(self.next_number()),
                level: info.level,
                first: info.first,
                last: info.last,
            });
            builder.begin_unit(&info);
            let of_unit = |wanted: fn(UnitRecord) -> bool| {
                records.iter().filter(move |record| {
                    UnitRecord::of(&record.key).is_some_and(|(unit, kind)| unit == number && wanted(kind))
                })
            };
            for page in of_unit(|kind| matches!(kind, UnitRecord::Remains(_))) {
                builder
                    .add_remains(&Page::from_bytes(&tied(&page.key, page.value.clone())).unwrap())
                    .unwrap();
            }
            for block in of_unit(|kind| matches!(kind, UnitRecord::Block(_))) {
                let block =
                    everfold::layout::unit::decode_block(&tied(&block.key, block.value.clone())).unwrap();
                builder.add(Rc::new(block), &|_| false).unwrap();
            }
            self.units.push(stored(builder.arrange().unwrap()));
        }
    }

    fn next_number(&mut self) -> u64 {
        self.root.next_number += 1;
        self.root.next_number
    }

    fn compact_tail(&mut self, records: &[Rc<DecodedRecord>], hidden: &dyn Fn(&Entry<'_>) -> bool) {
        let first = self.units.last().map_or(Position(1), |unit| unit.header.info.last.next());
        let last = records.last().expect("a record").last();
        let number = UnitNumber(self.next_number());
        let mut builder = UnitBuilder::new(UnitIdentity { number, level: 0, first, last });
        for record in records {
            builder.add(Rc::clone(record), hidden).unwrap();
        }
        self.units.push(stored(builder.arrange().unwrap()));
    }

    fn merge_units(&mut self, first: usize, length: usize, hidden: &dyn Fn(&Entry<'_>) -> bool) {
        let number = UnitNumber(self.next_number());
        let merged = &self.units[first..first + length];
        let (start, end) = (merged[0].header.info.first, merged[length - 1].header.info.last);
        let mut builder = UnitBuilder::new(UnitIdentity { number, level: 1, first: start, last: end });
        for unit in merged {
            builder.begin_unit(&unit.header.info);
            for page in &unit.remains {
                builder.add_remains(&Page::from_bytes(page).unwrap()).unwrap();
            }
            for block in &unit.blocks {
                builder.add(Rc::clone(block), hidden).unwrap();
            }
        }
        self.units.splice(first..first + length, [stored(builder.arrange().unwrap())]);
    }

    fn index_units(&mut self) {
        self.runs = (0..self.units.len())
            .map(|index| {
                let number = self.next_number();
                let run = run_of(&self.units[index]);
                (info_of(number, 0, &run), run)
            })
            .collect();
    }

    fn merge_runs(&mut self, first: usize, length: usize) {
        let number = self.next_number();
        let merged: Vec<StoredRun> =
            self.runs[first..first + length].iter().map(|run| run.1.clone()).collect();
        let run = merge(&merged);
        self.runs.splice(first..first + length, [(info_of(number, 1, &run), run)]);
    }

    /// Counts as of the last position that is covered.
    fn count(&mut self) {
        let summaries = summaries(&self.units);
        self.root.stream_count = summaries.len() as u64;
        self.root.visible_count = summaries
            .values()
            .map(|summary| {
                let facts = summary.to_facts();
                facts.state.next_revision().0.saturating_sub(facts.visible_from.0)
            })
            .sum();
    }

    async fn store(mut self, storage: &MemoryStorage, head: Head) {
        let mut deletes = vec![(Area::Units, KeyRange::default()), (Area::Index, KeyRange::default())];
        let mut puts = Vec::new();
        for unit in &self.units {
            let number = unit.header.info.number;
            let mut put = |record: UnitRecord, bytes: &[u8]| {
                puts.push((Area::Units, record.key(number), bytes.to_vec()));
            };
            put(UnitRecord::Header, &unit.header.to_bytes());
            for (block, index) in unit.stored_blocks.iter().zip(0..) {
                put(UnitRecord::Block(BlockIndex(index)), block);
            }
            for (filter, index) in unit.stored_filters.iter().zip(0..) {
                put(UnitRecord::Filter(BlockIndex(index)), filter);
            }
            for (page, index) in unit.remains.iter().zip(0..) {
                put(UnitRecord::Remains(index), page);
            }
        }
        for (info, run) in &self.runs {
            puts.push((Area::Index, RunRecord::Index.key(info.number), run.index.to_bytes()));
            for (page, index) in run.pages.iter().zip(0..) {
                puts.push((Area::Index, RunRecord::Page(index).key(info.number), page.clone()));
            }
        }
        self.root.layout = head.layout + 1;
        self.root.units = self.units.iter().map(|unit| unit.header.info).collect();
        self.root.runs = self.runs.iter().map(|run| run.0).collect();
        self.root.covered = self.units.last().map_or(Position::START, |unit| unit.header.info.last);
        let commit_times = self.root.units.iter().map(|unit| unit.commit_time);
        self.root.commit_time = commit_times.max().unwrap_or(UnixMillis(0));
        for (_, key, bytes) in &mut puts {
            *bytes = tied(key, std::mem::take(bytes));
        }
        puts.push((Area::Index, Key::text(ROOT), self.root.to_bytes()));
        let covered = KeyRange { from: None, to: Some(Key::Position(self.root.covered)) };
        deletes.push((Area::Log, covered));
        println!(
            "{} units, {} runs, covered up to {} of {}, {:?}",
            self.units.len(),
            self.runs.len(),
            self.root.covered,
            head.position,
            self.erasure,
        );
        write(storage, puts, deletes, LayoutChange::Next { from: head.layout }).await;
    }
}

fn info_of(number: u64, level: u32, run: &StoredRun) -> RunInfo {
    RunInfo {
        number: RunNumber(number),
        level,
        first: run.index.first,
        last: run.index.last,
        page_count: run.pages.len() as u32,
        stored_bytes: run.pages.iter().map(|page| page.len() as u64).sum(),
    }
}
