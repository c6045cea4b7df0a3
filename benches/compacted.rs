//! What a log of a million events costs once it is compacted: to open it, to read a stream that nobody has read yet, to
//! read everything, to append, to count.
//!
//! `cargo bench --bench compacted --features testing`. A million bank events of 10,000 accounts in a storage in memory,
//! all but the last few in units of 65,536 whose runs are merged by eights, and of 4,096 behind them. Each number is of
//! one round, but for those of large commits: these are made to a log that is compacted and to one that is not, in
//! turns. `-- appends` makes those alone, and `-- appends 10000000` to logs of so many events.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock of the machine that it measures")]
#![allow(clippy::unwrap_used, reason = "a benchmark may end where it is surprised")]

use std::rc::Rc;
use std::time::Instant;

use everfold::codec::{Body, DecodedRecord, Entry, Extensions, Frame, Tags, encode_records};
use everfold::event::{EventType, Json, NewEvent, Position, Revision, StreamName, UnixMillis};
use everfold::id::{EventId, IdGenerator};
use everfold::layout::directory::{Merge, MergeStep, Page, RunBuilder, RunIndex};
use everfold::layout::keys::{ROOT, RunRecord, UnitRecord, tied};
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
const SMALL_UNIT_EVENTS: u64 = 4_096;
const COMMIT_EVENTS: usize = 10;
/// How many events with ids of their own a large commit has, each in a stream by chance.
const LARGE_COMMIT_EVENTS: usize = 1_000;
/// How many commits are made before those that are measured, which all streams are met in.
const WARM_COMMITS: usize = 60;
const ROUNDS: usize = 7;
const ROUND_COMMITS: usize = 10;
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
    let arguments: Vec<String> = std::env::args().collect();
    let are_appends_alone = arguments.iter().any(|argument| argument == "appends");
    let counts: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let measured = async {
        if !are_appends_alone {
            let start = Instant::now();
            let storage = MemoryStorage::new();
            lay_log(&storage, EVENT_COUNT, Form::Compacted).await;
            println!("made in {:?}", start.elapsed());
            measure(&origin, &storage).await;
        }
        for count in if counts.is_empty() { vec![100_000, EVENT_COUNT] } else { counts } {
            compare_large_commits(&origin, count).await;
        }
    };
    executor.run_until(measured).unwrap();
}

/// How a log is laid down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// All but the tail in units.
    Compacted,
    /// As it was appended.
    Uncompacted,
}

/// A log to which large commits are made.
struct Contestant {
    form: Form,
    store: BenchStore,
    prng: Prng,
}

/// Large commits, in turns, to a log that is compacted and to one that is not.
async fn compare_large_commits(origin: &SimulatedOrigin, count: u64) {
    let mut contestants = Vec::new();
    for form in [Form::Compacted, Form::Uncompacted] {
        let storage = MemoryStorage::new();
        lay_log(&storage, count, form).await;
        let host = origin.host(origin.tab(), "bench");
        let store = Store::open(storage.handle(), host, OPTIONS, |_| ()).await.unwrap();
        let mut contestant = Contestant { form, store, prng: Prng::new(5) };
        let cold = contestant.make_commits(1).await;
        let warming = contestant.make_commits(WARM_COMMITS).await / WARM_COMMITS as u32;
        println!(
            "{form:?} log of {count} events: the first large commit {cold:?}, {WARM_COMMITS} more {warming:?} each"
        );
        contestants.push(contestant);
    }
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let mut nanos = Vec::new();
        for contestant in &mut contestants {
            let elapsed = contestant.make_commits(ROUND_COMMITS).await;
            nanos.push(elapsed.as_nanos() as f64 / (ROUND_COMMITS * LARGE_COMMIT_EVENTS) as f64);
        }
        println!(
            "  {:?} {:.0} ns an event, {:?} {:.0}",
            contestants[0].form, nanos[0], contestants[1].form, nanos[1]
        );
        ratios.push(nanos[1] / nanos[0]);
    }
    ratios.sort_by(f64::total_cmp);
    println!("{count} events: compacted at {:.2} of the speed of uncompacted", ratios[ROUNDS / 2]);
}

impl Contestant {
    async fn make_commits(&mut self, commit_count: usize) -> std::time::Duration {
        let requests: Vec<AppendRequest> = (0..commit_count).map(|_| self.request()).collect();
        let start = Instant::now();
        for request in requests {
            self.store.append(request).1.await.unwrap();
        }
        start.elapsed()
    }

    fn request(&mut self) -> AppendRequest {
        let prng = &mut self.prng;
        let write = |_| {
            let mut id = [0; EventId::BYTES];
            prng.fill(&mut id);
            let data = format!("{{\"amount\":{},\"currency\":\"EUR\"}}", prng.below(100_000));
            let event = NewEvent {
                id: Some(EventId::from_bytes(id)),
                data: Some(Json::parse(data).unwrap()),
                ..NewEvent::new(EventType::new("Deposited").unwrap())
            };
            let stream = StreamName::new(format!("account-{}", prng.below(ACCOUNT_COUNT))).unwrap();
            WriteRequest { stream, expected: Expected::Any, events: vec![event] }
        };
        let writes = (0..LARGE_COMMIT_EVENTS).map(write).collect();
        AppendRequest { writes, condition: None, durability: None }
    }
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

async fn lay_log(storage: &MemoryStorage, event_count: u64, form: Form) {
    let ids = IdGenerator::new([7; EventId::PREFIX_BYTES]);
    let revisions = vec![0; ACCOUNT_COUNT as usize];
    let mut bank = Bank { prng: Prng::new(1), ids, revisions, position: 0 };
    let mut root = Root { layout: 1, next_number: 1, ..Root::default() };
    let covered = match form {
        Form::Compacted => event_count - TAIL_EVENTS,
        Form::Uncompacted => 0,
    };
    let mut runs: Vec<Run> = Vec::new();
    while UNIT_EVENTS <= covered - root.covered.0 {
        runs.push(add_unit(storage, &mut root, 1, &bank.records(UNIT_EVENTS)).await);
        if runs.len() == RUNS_MERGED {
            add_run(storage, &mut root, 1, &merge(&std::mem::take(&mut runs))).await;
        }
    }
    while root.covered.0 < covered {
        let count = SMALL_UNIT_EVENTS.min(covered - root.covered.0);
        runs.push(add_unit(storage, &mut root, 0, &bank.records(count)).await);
    }
    for run in &runs {
        add_run(storage, &mut root, 0, run).await;
    }
    root.stream_count = bank.revisions.iter().filter(|count| 0 < **count).count() as u64;
    root.visible_count = root.covered.0;
    while bank.position < event_count {
        let tail = bank.records(UNIT_EVENTS.min(event_count - bank.position));
        let records = tail.into_iter().map(|record| (Area::Log, Key::Position(record.first), record.bytes));
        write(storage, records.collect()).await;
    }
    let head = Head {
        position: Position(bank.position),
        layout: 1,
        appended_bytes: 60 * event_count,
        ..Head::default()
    };
    write(
        storage,
        vec![
            (Area::Index, Key::text(ROOT), root.to_bytes()),
            (Area::Meta, Key::text(Head::KEY), head.to_bytes()),
            (Area::Meta, Key::text(Format::KEY), Format::current().to_bytes()),
        ],
    )
    .await;
}

async fn write(storage: &MemoryStorage, puts: Vec<(Area, Key, Vec<u8>)>) {
    let (layout, durability) = (LayoutChange::Keep, Durability::Memory);
    let write = GuardedWrite { expect: Vec::new(), deletes: Vec::new(), puts, layout, durability };
    assert_eq!(storage.write(write).await, Ok(Written::Yes));
}

fn all_tied(puts: Vec<(Area, Key, Vec<u8>)>) -> Vec<(Area, Key, Vec<u8>)> {
    puts.into_iter().map(|(area, key, bytes)| (area, key.clone(), tied(&key, bytes))).collect()
}

async fn add_unit(storage: &MemoryStorage, root: &mut Root, level: u32, records: &[LogRecord]) -> Run {
    let number = UnitNumber(root.next_number);
    root.next_number += 1;
    let decoded = |record: &LogRecord| Rc::new(DecodedRecord::decode(&record.bytes, record.first).unwrap());
    let records: Vec<Rc<DecodedRecord>> = records.iter().map(decoded).collect();
    let (first, last) = (records[0].first(), records[records.len() - 1].last());
    let mut builder = UnitBuilder::new(UnitIdentity { number, level, first, last });
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
    write(storage, all_tied(puts)).await;
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
    write(storage, all_tied(puts)).await;
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
