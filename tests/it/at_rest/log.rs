//! A compacted log with units and runs of several levels, and the same log as one list.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use everfold::codec::{Body, Entry};
use everfold::error::Error;
use everfold::event::{Json, NewEvent, Position, Revision, UnixMillis};
use everfold::layout::plan::{Bounds, Tail};
use everfold::log::Expected;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Area, Direction, Record};
use everfold::store::{
    AllRead, AppendRequest, Count, CountBy, Mark, OpenOptions, StreamList, StreamRead, WriteRequest,
};
use everfold::testing::prng::Prng;

use crate::compacted::by_hand::{all_of, copy};
use crate::compaction::laid::on_demand;
use crate::one_tab::{Browser, RELAXED, TestStore, id, mark, name, tagged, whole_log, whole_stream};

pub const STREAMS: [&str; 6] = ["account-1", "cart-1", "cart-2", "cart-3", "lonely", "zoë-1"];
const TYPES: [&str; 3] = ["Opened", "Moved", "Closed"];
/// Units have at most so many entries where compaction is asked for.
pub const UNIT_ENTRIES_MAX: u64 = 40;

/// Compacts as the log grows, into small units.
const EAGER: OpenOptions = OpenOptions {
    bounds: Bounds {
        tail: Tail { event_count: 12, stored_bytes: u64::MAX, record_count: u64::MAX },
        unit_entries_max: UNIT_ENTRIES_MAX,
    },
    ..RELAXED
};

/// A log that is compacted, and the same log that never was.
pub struct Log {
    pub compacted: MemoryStorage,
    /// What the derived areas held before the last compaction.
    pub older: Vec<(Area, Record)>,
    plain: MemoryStorage,
    /// Every commit with ids of its own, to be repeated.
    pub commits: Vec<AppendRequest>,
}

/// What is done first with a log that is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    Read,
    Append,
    Compact,
}

impl Course {
    pub const ALL: [Self; 3] = [Self::Read, Self::Append, Self::Compact];
}

/// What a store says of everything.
#[derive(Debug, PartialEq, Eq)]
pub struct Answers {
    log: Vec<String>,
    log_backwards: Vec<String>,
    streams: BTreeMap<String, Vec<String>>,
    counts: Vec<(String, u64)>,
    infos: String,
    events: Vec<Vec<String>>,
    stats: (u64, u64),
}

impl Log {
    /// A log of this seed.
    pub async fn of(browser: &Browser, seed: u64) -> Self {
        let (compacted, plain) = (MemoryStorage::new(), MemoryStorage::new());
        let mut log = Self { compacted, older: Vec::new(), plain, commits: Vec::new() };
        let (eager, original) = (browser.beside(&log.compacted), browser.beside(&log.plain).open().await);
        let store = eager.open_with(EAGER).await.expect("a whole database opens");
        let mut prng = Prng::new(seed);
        for round in 0..6 {
            if round == 5 {
                eager.sleep(1_000).await;
                log.older = log.derived().await;
            }
            for _ in 0..5 {
                let request = log.commit(&mut prng);
                append_to_all(&[&store, &original], &request).await;
                log.commits.push(request);
            }
            for (stream, change) in marks(round) {
                mark(&store, stream, change).await.expect("a mark");
                mark(&original, stream, change).await.expect("a mark");
            }
        }
        eager.sleep(1_000).await;
        store.close().await;
        let store = eager.open().await;
        for _ in 0..2 {
            let request = log.commit(&mut prng);
            append_to_all(&[&store, &original], &request).await;
            log.commits.push(request);
        }
        store.close().await;
        log
    }

    /// The next commit by chance, with ids and times, so that every store makes the same of it.
    fn commit(&self, prng: &mut Prng) -> AppendRequest {
        let mut number = self.commits.len() as u128 * 100;
        let writes = (0..*prng.pick(&[1, 1, 2])).map(|_| {
            // What is tombstoned takes no more.
            let stream = name(STREAMS[prng.index(STREAMS.len() - 1)]);
            let events = (0..prng.between(1..=4)).map(|_| {
                number += 1;
                event(prng, number)
            });
            let events = events.collect();
            WriteRequest { stream, expected: Expected::Any, events }
        });
        AppendRequest { writes: writes.collect(), condition: None, durability: None }
    }

    /// A copy of it, which is the test's own.
    pub async fn copied(&self) -> Self {
        let (compacted, plain) = (MemoryStorage::new(), MemoryStorage::new());
        copy(&self.compacted, &compacted).await;
        copy(&self.plain, &plain).await;
        Self { compacted, older: self.older.clone(), plain, commits: self.commits.clone() }
    }

    /// What stands in the areas that compaction writes.
    pub async fn derived(&self) -> Vec<(Area, Record)> {
        let mut records = Vec::new();
        for area in [Area::Index, Area::Units] {
            records.extend(all_of(&self.compacted, area).await.into_iter().map(|record| (area, record)));
        }
        records
    }

    /// Opens it, asks everything, appends what is known and what is new, compacts, and opens it again. What comes
    /// first is the course.
    pub async fn check(&mut self, browser: &Browser, course: Course, place: &str) {
        let beside = browser.beside(&self.compacted);
        let original = self.original(browser).await;
        let store = open(&beside, place).await;
        match course {
            Course::Read => self.check_answers(&store, &original, place).await,
            Course::Compact => compact(&store, place).await,
            Course::Append => {}
        }
        for request in self.commits.iter().step_by(3) {
            let repeat = async |store: &TestStore| store.append(request.clone()).1.await;
            let (given, expected) = (repeat(&store).await, repeat(&original).await);
            assert_eq!(coded(given), coded(expected), "{place}: {request:?} again");
        }
        self.append_fresh(&store, &original).await;
        self.check_answers(&store, &original, place).await;
        compact(&store, place).await;
        self.check_answers(&store, &original, place).await;
        let store = open(&beside, place).await;
        self.check_answers(&store, &original, place).await;
    }

    /// Appends what was not there to it, and to the list.
    pub async fn append_fresh(&mut self, store: &TestStore, original: &TestStore) {
        let mut prng = Prng::new(self.commits.len() as u64);
        for _ in 0..2 {
            let request = self.commit(&mut prng);
            append_to_all(&[store, original], &request).await;
            self.commits.push(request);
        }
    }

    /// Appends to it, and to the list where that is accepted, which then has to say the same of it.
    pub async fn append_where_accepted(&mut self, store: &TestStore, original: &TestStore, place: &str) {
        let mut prng = Prng::new(self.commits.len() as u64);
        for _ in 0..4 {
            let request = self.commit(&mut prng);
            match store.append(request.clone()).1.await {
                Ok(appended) => {
                    let right = original.append(request.clone()).1.await;
                    assert_eq!(Ok(appended), right, "{place}: {request:?}");
                    self.commits.push(request);
                }
                Err(error) => assert_eq!(error.code(), "CORRUPT_DATA", "{place}"),
            }
        }
    }

    /// A store on the log that was never compacted.
    pub async fn original(&self, browser: &Browser) -> TestStore {
        browser.beside(&self.plain).open().await
    }

    pub async fn check_answers(&self, store: &TestStore, original: &TestStore, place: &str) {
        let given = Answers::of(store, &self.commits).await;
        let given = given.unwrap_or_else(|error| panic!("{place}: {error}"));
        given.check(&Answers::of(original, &self.commits).await.expect("a whole log"), place);
    }
}

pub async fn open(browser: &Browser, place: &str) -> TestStore {
    let opened = browser.open_with(on_demand(UNIT_ENTRIES_MAX)).await;
    opened.unwrap_or_else(|error| panic!("{place}: to open: {error}"))
}

async fn compact(store: &TestStore, place: &str) {
    let compacted = store.compact(|_| ControlFlow::Continue(())).await;
    compacted.unwrap_or_else(|error| panic!("{place}: compaction: {error}"));
}

fn marks(round: u64) -> Vec<(&'static str, Mark)> {
    match round {
        1 => vec![("cart-1", Mark::Delete), ("zoë-1", Mark::Tombstone)],
        2 => vec![("cart-2", Mark::Truncate { before: Revision(3) })],
        4 => vec![("cart-1", Mark::Delete), ("account-1", Mark::Truncate { before: Revision(5) })],
        _ => Vec::new(),
    }
}

fn event(prng: &mut Prng, number: u128) -> NewEvent {
    // Words that do not compress: blocks, runs and pages are several though events are few.
    let mut word = |letters: usize| -> String {
        prng.bytes(letters).into_iter().map(|byte| char::from(b'0' + byte % 75)).map(plain).collect()
    };
    let (long, data) = (word(150), word(1_200));
    let tags: Vec<&str> = if number.is_multiple_of(3) { vec!["red", &long] } else { vec!["red"] };
    NewEvent {
        data: Some(Json::parse(format!("\"{data}\"")).expect("good JSON")),
        id: Some(id(number)),
        time: Some(UnixMillis(1_700_000_000_000 + number as i64)),
        ..tagged(TYPES[number as usize % TYPES.len()], &tags)
    }
}

fn plain(letter: char) -> char {
    if letter.is_ascii_alphanumeric() { letter } else { '-' }
}

async fn append_to_all(stores: &[&TestStore], request: &AppendRequest) {
    for store in stores {
        store.append(request.clone()).1.await.expect("an append that expects nothing");
    }
}

pub fn coded<T>(result: Result<T, Error>) -> Result<T, (&'static str, String)> {
    result.map_err(|error| (error.code(), error.to_string()))
}

impl Answers {
    pub async fn of(store: &TestStore, commits: &[AppendRequest]) -> Result<Self, Error> {
        let mut streams = BTreeMap::new();
        for stream in STREAMS {
            for direction in [Direction::Forwards, Direction::Backwards] {
                let read = StreamRead { direction, ..whole_stream(stream) };
                streams.insert(format!("{stream} {direction:?}"), stream_of(store, read).await?);
            }
        }
        let count = Count {
            query: whole_log().query,
            since: None,
            until: None,
            by: CountBy::Type,
            after: Position::START,
            as_of: None,
        };
        let list = StreamList { prefix: String::new(), after: None, limit: 100 };
        let mut events = Vec::new();
        for write in commits.iter().step_by(4).flat_map(|commit| &commit.writes) {
            for event in write.events.iter().filter_map(|event| event.id) {
                let page = store.event(event, Some(write.stream.as_str())).await?;
                let anywhere = store.event(event, None).await?;
                events.push(page.entries().chain(anywhere.entries()).map(|entry| worded(&entry)).collect());
            }
        }
        let stats = store.stats().await?;
        Ok(Self {
            log: all_of_log(store, whole_log()).await?,
            log_backwards: all_of_log(store, AllRead { direction: Direction::Backwards, ..whole_log() })
                .await?,
            streams,
            counts: counted(store, count).await?,
            infos: format!("{:?}", store.streams(&list).await?),
            events,
            stats: (stats.event_count, stats.stream_count),
        })
    }

    /// These answers are those; else what differs first is shown.
    pub fn check(&self, expected: &Self, place: &str) {
        let (given, right) = (format!("{self:#?}"), format!("{expected:#?}"));
        let mut lines = given.lines().zip(right.lines()).skip_while(|(one, other)| one == other);
        assert!(self == expected, "{place}: {:#?}", lines.next());
    }
}

/// An entry in words. Each store gives a fact an id and a time of its own.
fn worded(entry: &Entry<'_>) -> String {
    match entry.body {
        Body::Event { .. } => format!("{entry:?}"),
        Body::Fact(fact) => format!("{} {} {fact:?}", entry.position, entry.stream),
    }
}

async fn stream_of(store: &TestStore, read: StreamRead) -> Result<Vec<String>, Error> {
    let mut events = Vec::new();
    read_stream_into(store, read, &mut events).await.map(|()| events)
}

/// Reads a stream to its end, or to what cannot be read.
pub async fn read_stream_into(
    store: &TestStore,
    mut read: StreamRead,
    events: &mut Vec<String>,
) -> Result<(), Error> {
    loop {
        let page = store.read_stream(&read).await?;
        events.extend(page.entries().map(|entry| worded(&entry)));
        let Some(next) = page.next else { return Ok(()) };
        match read.direction {
            Direction::Forwards => read.from = Revision(next),
            Direction::Backwards => read.before = Some(Revision(next)),
        }
        read.as_of = Some(page.as_of);
    }
}

async fn all_of_log(store: &TestStore, read: AllRead) -> Result<Vec<String>, Error> {
    let mut events = Vec::new();
    read_all_into(store, read, &mut events).await.map(|()| events)
}

/// Reads the log to its end, or to what cannot be read.
pub async fn read_all_into(
    store: &TestStore,
    mut read: AllRead,
    events: &mut Vec<String>,
) -> Result<(), Error> {
    loop {
        let page = store.read_all(&read).await?;
        events.extend(page.entries().map(|entry| worded(&entry)));
        let Some(next) = page.next else { return Ok(()) };
        match read.direction {
            Direction::Forwards => read.after = Position(next),
            Direction::Backwards => read.before = Some(Position(next)),
        }
        read.as_of = Some(page.as_of);
    }
}

/// Counts to the end.
pub async fn counted(store: &TestStore, mut count: Count) -> Result<Vec<(String, u64)>, Error> {
    let mut counts = BTreeMap::new();
    loop {
        let page = store.count(&count).await?;
        for (key, number) in page.counts {
            *counts.entry(key).or_insert(0) += number;
        }
        let Some(next) = page.next else { return Ok(counts.into_iter().collect()) };
        (count.after, count.as_of) = (next, Some(page.as_of));
    }
}
