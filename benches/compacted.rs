//! What a log of a million events costs once it is compacted: to open it, to read a stream that nobody has read yet, to
//! read everything, to append, to count.
//!
//! `cargo bench --bench compacted --features testing`. A million bank events of 10,000 accounts in a storage in memory,
//! all but the last few in units of 65,536 whose runs are merged by eights. Each number is of one round.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock of the machine that it measures")]
#![allow(clippy::unwrap_used, reason = "a benchmark may end where it is surprised")]

use std::rc::Rc;
use std::time::Instant;

use everfold::codec::{Body, DecodedRecord, Entry, Extensions, Frame, Tags, encode_records};
use everfold::event::{EventType, NewEvent, Position, Revision, StreamName, UnixMillis};
use everfold::id::{EventId, IdGenerator};
use everfold::layout::directory::{Merge, MergeStep, Page, RunBuilder, RunIndex};
use everfold::layout::keys::{ROOT, RunRecord, UnitRecord};
use everfold::layout::root::{Root, RunInfo};
use everfold::layout::unit::{UnitBuilder, UnitIdentity};
use everfold::layout::{RunNumber, UnitNumber};
use everfold::log::Expected;
use everfold::query::Query;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Area, Direction, Durability, Format, GuardedWrite, Head, Key, LayoutChange, LogRecord, Storage, Written,
};
use everfold::store::{AllRead, AppendRequest, Count, CountBy, OpenOptions, Store, StreamRead, WriteRequest};
use everfold::testing::executor::Executor;
use everfold::testing::prng::Prng;
use everfold::testing::simulated_host::{Announcements, SimulatedHost, SimulatedOrigin};

const EVENT_COUNT: u64 = 1_000_000;
const TAIL_EVENTS: u64 = 2_000;
const UNIT_EVENTS: u64 = 65_536;
const RUNS_MERGED: usize = 8;
const ACCOUNT_COUNT: u64 = 10_000;
const COMMIT_EVENTS: usize = 10;
const COLD_STREAMS: u64 = 50;

type BenchStore = Store<MemoryStorage, SimulatedHost>;

/// A run with its pages.
struct Run {
    index: RunIndex,
    pages: Vec<Vec<u8>>,
}

fn main() {
    let executor = Executor::new(1);
    let origin =
        SimulatedOrigin::new(&executor.scheduler(), Announcements { lost_permille: 0, delay_ms_max: 0 });
    let storage = MemoryStorage::new();
    let measured = async {
        let start = Instant::now();
        compacted_log(&storage).await;
        println!("made in {:?}", start.elapsed());
        measure(&origin, &storage).await;
    };
    executor.run_until(measured).unwrap();
}

async fn measure(origin: &SimulatedOrigin, storage: &MemoryStorage) {
    let open = || Store::open(storage.handle(), origin.host(origin.tab(), "bench"), OPTIONS, |_| ());
    let start = Instant::now();
    let store = open().await.unwrap();
    println!("open: {:?}", start.elapsed());
    let start = Instant::now();
    let first = read_stream(&store, 7_777).await;
    println!("first cold stream of {first} events: {:?}", start.elapsed());
    let start = Instant::now();
    let events: usize = {
        let mut sum = 0;
        for number in 0..COLD_STREAMS {
            sum += read_stream(&store, number * 191).await;
        }
        sum
    };
    println!(
        "{COLD_STREAMS} more cold streams: {:?} each, {events} events",
        start.elapsed() / COLD_STREAMS as u32
    );
    for direction in [Direction::Forwards, Direction::Backwards] {
        let start = Instant::now();
        let events = read_all(&store, direction).await;
        println!(
            "read all {direction:?}: {} ns an event of {events}",
            start.elapsed().as_nanos() / events as u128
        );
    }
    let store = open().await.unwrap();
    let start = Instant::now();
    append(&store, "account-4321").await;
    println!("append to a stream that was never asked for: {:?}", start.elapsed());
    let start = Instant::now();
    append(&store, "account-4321").await;
    println!("append to it again: {:?}", start.elapsed());
    for by in [CountBy::Nothing, CountBy::Type, CountBy::Stream] {
        let start = Instant::now();
        println!("count by {by:?}: {} keys in {:?}", count(&store, by).await, start.elapsed());
    }
}

const OPTIONS: OpenOptions =
    OpenOptions { durability: Durability::Relaxed, bounds: everfold::store::Bounds::ON_DEMAND };

async fn read_stream(store: &BenchStore, number: u64) -> usize {
    let stream = StreamName::new(format!("account-{number}")).unwrap();
    let (from, before, direction) = (Revision::FIRST, None, Direction::Forwards);
    let mut read = StreamRead { stream, from, before, direction, limit: None, as_of: None };
    let mut event_count = 0;
    loop {
        let page = store.read_stream(&read).await.unwrap();
        event_count += page.events.len();
        let Some(next) = page.next else { return event_count };
        (read.from, read.as_of) = (Revision(next), Some(page.as_of));
    }
}

async fn read_all(store: &BenchStore, direction: Direction) -> usize {
    let mut read = AllRead { direction, ..AllRead::everything() };
    let mut event_count = 0;
    loop {
        let page = store.read_all(&read).await.unwrap();
        event_count += page.events.len();
        let Some(next) = page.next else { return event_count };
        match direction {
            Direction::Forwards => read.after = Position(next),
            Direction::Backwards => read.before = Some(Position(next)),
        }
        read.as_of = Some(page.as_of);
    }
}

async fn append(store: &BenchStore, stream: &str) {
    let events = vec![NewEvent::new(EventType::new("Deposited").unwrap())];
    let write =
        WriteRequest { stream: StreamName::new(stream).unwrap(), expected: Expected::StreamExists, events };
    let request = AppendRequest { writes: vec![write], condition: None, durability: None };
    store.append(request).1.await.unwrap();
}

async fn count(store: &BenchStore, by: CountBy) -> usize {
    let query = Query::everything();
    let mut count = Count { query, since: None, until: None, by, after: Position::START, as_of: None };
    let mut keys = std::collections::BTreeSet::new();
    loop {
        let page = store.count(&count).await.unwrap();
        keys.extend(page.counts.into_iter().map(|(key, _)| key));
        let Some(next) = page.next else { return keys.len() };
        (count.after, count.as_of) = (next, Some(page.as_of));
    }
}

/// Events of the bank, one after the other.
struct Bank {
    prng: Prng,
    ids: IdGenerator,
    revisions: Vec<u64>,
    position: u64,
}

struct BankEvent {
    position: u64,
    stream: String,
    revision: u64,
    data: String,
    id: EventId,
}

impl Bank {
    fn event(&mut self) -> BankEvent {
        let account = self.prng.below(ACCOUNT_COUNT);
        let revision = self.revisions[account as usize];
        self.revisions[account as usize] += 1;
        self.position += 1;
        let data = format!(
            "{{\"amount\":{},\"currency\":\"EUR\",\"reference\":\"R{}\"}}",
            self.prng.below(100_000),
            self.prng.next_u64()
        );
        let stream = format!("account-{account}");
        BankEvent { position: self.position, stream, revision, data, id: self.ids.next_id() }
    }

    /// The records of so many more events.
    fn records(&mut self, count: u64) -> Vec<LogRecord> {
        let events: Vec<BankEvent> = (0..count).map(|_| self.event()).collect();
        let extensions = Extensions::new();
        let frames: Vec<Frame<'_>> =
            events.chunks(COMMIT_EVENTS).map(|events| frame(events, &extensions)).collect();
        encode_records(&frames)
    }
}

fn frame<'a>(events: &'a [BankEvent], extensions: &'a Extensions) -> Frame<'a> {
    let time = UnixMillis(1_700_000_000_000 + events[0].position as i64);
    let entry = |event: &'a BankEvent| Entry {
        position: Position(event.position),
        stream: &event.stream,
        id: event.id,
        time,
        body: Body::Event {
            revision: Revision(event.revision),
            event_type: if event.revision == 0 { "Opened" } else { "Deposited" },
            data: Some(&event.data),
            metadata: None,
            tags: Tags::NONE,
        },
    };
    Frame { time, extensions, entries: events.iter().map(entry).collect() }
}

async fn compacted_log(storage: &MemoryStorage) {
    let ids = IdGenerator::new([7; EventId::PREFIX_BYTES]);
    let revisions = vec![0; ACCOUNT_COUNT as usize];
    let mut bank = Bank { prng: Prng::new(1), ids, revisions, position: 0 };
    let mut root = Root { layout: 1, next_number: 1, ..Root::default() };
    let mut runs: Vec<Run> = Vec::new();
    while root.covered.0 < EVENT_COUNT - TAIL_EVENTS {
        let count = UNIT_EVENTS.min(EVENT_COUNT - TAIL_EVENTS - root.covered.0);
        runs.push(add_unit(storage, &mut root, &bank.records(count)).await);
    }
    let settled = runs.len() / RUNS_MERGED * RUNS_MERGED;
    let rest = runs.split_off(settled);
    for runs in runs.chunks(RUNS_MERGED) {
        add_run(storage, &mut root, 1, &merge(runs)).await;
    }
    for run in &rest {
        add_run(storage, &mut root, 0, run).await;
    }
    root.stream_count = bank.revisions.iter().filter(|count| 0 < **count).count() as u64;
    root.visible_count = root.covered.0;
    let tail = bank.records(TAIL_EVENTS);
    let head = Head { position: Position(bank.position), layout: 1, appended_bytes: 60_000_000 };
    let mut puts: Vec<(Area, Key, Vec<u8>)> =
        tail.into_iter().map(|record| (Area::Log, Key::Position(record.first), record.bytes)).collect();
    puts.push((Area::Index, Key::text(ROOT), root.to_bytes()));
    puts.push((Area::Meta, Key::text(Head::KEY), head.to_bytes()));
    puts.push((Area::Meta, Key::text(Format::KEY), Format::current().to_bytes()));
    write(storage, puts).await;
}

async fn write(storage: &MemoryStorage, puts: Vec<(Area, Key, Vec<u8>)>) {
    let (layout, durability) = (LayoutChange::Keep, Durability::Memory);
    let write = GuardedWrite { expect: Vec::new(), deletes: Vec::new(), puts, layout, durability };
    assert_eq!(storage.write(write).await, Ok(Written::Yes));
}

async fn add_unit(storage: &MemoryStorage, root: &mut Root, records: &[LogRecord]) -> Run {
    let number = UnitNumber(root.next_number);
    root.next_number += 1;
    let decoded = |record: &LogRecord| Rc::new(DecodedRecord::decode(&record.bytes, record.first).unwrap());
    let records: Vec<Rc<DecodedRecord>> = records.iter().map(decoded).collect();
    let (first, last) = (records[0].first(), records[records.len() - 1].last());
    let mut builder = UnitBuilder::new(UnitIdentity { number, level: 1, first, last });
    for record in records {
        builder.add(record, &|_| false).unwrap();
    }
    let mut arranged = builder.arrange().unwrap();
    let mut puts = Vec::new();
    while let Some(built) = arranged.next_block().unwrap() {
        puts.push((Area::Units, UnitRecord::Block(built.index).key(number), built.block));
        puts.push((Area::Units, UnitRecord::Filter(built.index).key(number), built.filter));
    }
    let finished = arranged.finish();
    puts.push((Area::Units, UnitRecord::Header.key(number), finished.header.to_bytes()));
    write(storage, puts).await;
    root.covered = last;
    root.units.push(finished.header.info);
    let mut builder = RunBuilder::new(first, last);
    let mut pages: Vec<Vec<u8>> = Vec::new();
    for entry in finished.entries {
        pages.extend(builder.push_entry(&entry));
    }
    let finished = builder.finish();
    pages.extend(finished.page);
    Run { index: finished.index, pages }
}

async fn add_run(storage: &MemoryStorage, root: &mut Root, level: u32, run: &Run) {
    let number = RunNumber(root.next_number);
    root.next_number += 1;
    let keys = (0..).map(|page| RunRecord::Page(page).key(number));
    let mut puts: Vec<_> = keys.zip(&run.pages).map(|(key, page)| (Area::Index, key, page.clone())).collect();
    puts.push((Area::Index, RunRecord::Index.key(number), run.index.to_bytes()));
    write(storage, puts).await;
    root.runs.push(RunInfo {
        number,
        level,
        first: run.index.first,
        last: run.index.last,
        page_count: run.pages.len() as u32,
        stored_bytes: run.pages.iter().map(|page| page.len() as u64).sum(),
    });
}

fn merge(runs: &[Run]) -> Run {
    let mut merge = Merge::new(runs.len(), runs[0].index.first, runs[runs.len() - 1].index.last);
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
    Run { index: finished.index, pages }
}
