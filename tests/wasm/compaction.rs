//! Logs that are compacted in a real database say what they said.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use everfold::codec::{Body, Entry};
use everfold::event::{EventType, Json, NewEvent, Position, Revision, StreamName};
use everfold::layout::keys::{ROOT, RunRecord, UnitRecord};
use everfold::layout::plan::Tail;
use everfold::layout::root::Root;
use everfold::log::Expected;
use everfold::storage::{Area, Direction, Durability, Found, Key, KeyRange, PageRequest, Request, Storage};
use everfold::store::{
    AllRead, AppendRequest, Bounds, Mark, MarkRequest, OpenOptions, Store, StreamRead, WriteRequest,
};
use everfold::web::{BrowserHost, IndexedDbStorage};
use wasm_bindgen_test::wasm_bindgen_test;

use super::unused_name;

const STREAMS: u64 = 100;
const APPENDS: u64 = 1_500;
/// Each to a stream of its own.
const EVENTS_PER_APPEND: u64 = 2;
/// A log of ten such units has no more runs than that, once it is compacted on demand.
const RUNS_FEW: usize = 4;
/// So many appends are under way at once.
const APPENDS_AT_ONCE: usize = 50;

/// Many small units, and none unless somebody asks.
const ON_DEMAND: Bounds = Bounds { unit_entries_max: 300, ..Bounds::ON_DEMAND };
/// Many small units, and a compaction under way whenever something was appended.
const EAGER: Bounds =
    Bounds { tail: Tail { event_count: 64, stored_bytes: u64::MAX, record_count: u64::MAX }, ..ON_DEMAND };

type BrowserStore = Store<IndexedDbStorage, BrowserHost>;

async fn open(name: &str, bounds: Bounds) -> BrowserStore {
    let storage = IndexedDbStorage::open(name).await.unwrap();
    let options = OpenOptions { durability: Durability::Relaxed, bounds };
    Store::open(storage, BrowserHost::new(name).unwrap(), options, |_| ()).await.unwrap()
}

fn stream_name(number: u64) -> StreamName {
    StreamName::new(format!("account-{}", number % STREAMS)).unwrap()
}

/// The events of a log, each in a line: by their position, and by their stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Written {
    log: Vec<String>,
    streams: BTreeMap<String, Vec<String>>,
}

impl Written {
    fn push(&mut self, stream: &str, line: String) {
        self.streams.entry(stream.to_owned()).or_default().push(line.clone());
        self.log.push(line);
    }

    /// What `delete` hides.
    fn hide(&mut self, stream: &str) {
        self.streams.insert(stream.to_owned(), Vec::new());
        self.log.retain(|line| line.split(' ').nth(1) != Some(stream));
    }
}

fn line(position: u64, stream: &str, revision: u64, data: &str) -> String {
    format!("{position} {stream} {revision} {data}")
}

fn line_of(entry: &Entry<'_>) -> String {
    let Body::Event { revision, data, .. } = entry.body else { panic!("a read gave a fact") };
    line(entry.position.0, entry.stream, revision.0, data.unwrap_or_default())
}

/// Appends to many streams, some appends at a time, and takes down what was acknowledged.
async fn append(store: &BrowserStore, first: u64, count: u64, written: &mut Written) {
    let numbers: Vec<u64> = (first..first + count).collect();
    for numbers in numbers.chunks(APPENDS_AT_ONCE) {
        let asked: Vec<_> =
            numbers.iter().map(|number| (*number, store.append(request(*number)).1)).collect();
        for (number, answer) in asked {
            for (write, part) in answer.await.unwrap().writes.into_iter().zip(0..) {
                let (position, revision) = (write.first_position.unwrap(), write.first_revision.unwrap());
                let stream = write.stream.as_str();
                written.push(stream, line(position.0, stream, revision.0, &data(number, part)));
            }
        }
    }
}

fn data(number: u64, part: u64) -> String {
    format!("{{\"number\":{number},\"part\":{part}}}")
}

fn request(number: u64) -> AppendRequest {
    let writes = (0..EVENTS_PER_APPEND).map(|part| {
        let event_type = EventType::new("Added").unwrap();
        let data = Some(Json::parse(data(number, part)).unwrap());
        WriteRequest {
            stream: stream_name(number * 7 + part * 13),
            expected: Expected::Any,
            events: vec![NewEvent { data, ..NewEvent::new(event_type) }],
        }
    });
    AppendRequest { writes: writes.collect(), condition: None, durability: None }
}

/// Every stream and the whole log, page after page.
async fn read(store: &BrowserStore) -> Written {
    let mut read = Written::default();
    for number in 0..STREAMS {
        let stream = stream_name(number);
        let mut lines = Vec::new();
        let mut asked = StreamRead {
            stream: stream.clone(),
            from: Revision::FIRST,
            before: None,
            direction: Direction::Forwards,
            limit: None,
            as_of: None,
        };
        loop {
            let page = store.read_stream(&asked).await.unwrap();
            lines.extend(page.entries().map(|entry| line_of(&entry)));
            let Some(next) = page.next else { break };
            (asked.from, asked.as_of) = (Revision(next), Some(page.as_of));
        }
        read.streams.insert(stream.as_str().to_owned(), lines);
    }
    let mut asked = AllRead::everything();
    loop {
        let page = store.read_all(&asked).await.unwrap();
        read.log.extend(page.entries().map(|entry| line_of(&entry)));
        let Some(next) = page.next else { break };
        (asked.after, asked.as_of) = (Position(next), Some(page.as_of));
    }
    read
}

/// What is stored: the root, and how many records there are of the log, of units, and under no living number.
struct Stored {
    root: Root,
    log_count: usize,
    orphan_count: usize,
}

async fn stored(name: &str) -> Stored {
    let storage = IndexedDbStorage::open(name).await.unwrap();
    let page = |area| PageRequest {
        area,
        range: KeyRange::default(),
        direction: Direction::Forwards,
        count_max: usize::MAX,
    };
    let pages = [Area::Log, Area::Units, Area::Index].map(page).to_vec();
    let found = storage
        .read(Request { keys: vec![(Area::Index, Key::text(ROOT))], pages, then: None })
        .await
        .unwrap();
    storage.close().await;
    let Found { head, values, pages } = found;
    let root = values[0].as_ref().map(|bytes| Root::from_bytes(bytes).unwrap()).unwrap_or_default();
    assert_eq!(root.layout, head.layout);
    let [log, units, index] = pages.try_into().unwrap();
    let lives = |number: u64| root.units.iter().any(|unit| unit.number.0 == number);
    let run_lives = |number: u64| root.runs.iter().any(|run| run.number.0 == number);
    let of_units = units.iter().map(|record| UnitRecord::of(&record.key).unwrap().0.0);
    let of_runs = index.iter().filter_map(|record| Some(RunRecord::of(&record.key)?.0.0));
    let orphan_count = of_units.filter(|number| !lives(*number)).count()
        + of_runs.filter(|number| !run_lives(*number)).count();
    Stored { log_count: log.len(), orphan_count, root }
}

/// Appends, compacts, reads, appends more, deletes, compacts again; and reads what is stored after each.
async fn check(claim: &str, bounds: Bounds) {
    let name = unused_name(claim);
    let store = open(&name, bounds).await;
    let mut written = Written::default();
    append(&store, 0, APPENDS, &mut written).await;
    assert_eq!(read(&store).await, written, "before");
    let compacted = store.compact(|_| ControlFlow::Continue(())).await.unwrap();
    assert!(1 < compacted.unit_count, "{compacted:?}");
    assert_eq!(compacted.erased_count, 0);
    assert_eq!(read(&store).await, written, "compacted");
    let after = stored(&name).await;
    assert_eq!((after.log_count, after.orphan_count, after.root.staged.len()), (0, 0, 0));
    assert_eq!(after.root.covered.0, APPENDS * EVENTS_PER_APPEND);
    assert!(after.root.runs.len() <= RUNS_FEW, "{:?}", after.root.runs);

    append(&store, APPENDS, 10, &mut written).await;
    assert_eq!(read(&store).await, written, "with a tail");
    assert_ne!(stored(&name).await.log_count, 0, "what was appended since is the tail");
    store.close().await;
    let store = open(&name, bounds).await;
    assert_eq!(read(&store).await, written, "opened again");

    let stream = stream_name(7);
    let mark = MarkRequest {
        stream: stream.clone(),
        expected: Expected::StreamExists,
        mark: Mark::Delete,
        durability: None,
    };
    store.mark(mark).await.unwrap();
    let hidden_count = written.streams[stream.as_str()].len() as u64;
    written.hide(stream.as_str());
    assert_eq!(read(&store).await, written, "deleted");
    let compacted = store.compact(|_| ControlFlow::Continue(())).await.unwrap();
    assert!(0 < hidden_count && compacted.erased_count == hidden_count, "{compacted:?}");
    store.close().await;
    let store = open(&name, bounds).await;
    assert_eq!(read(&store).await, written, "erased");
    let after = stored(&name).await;
    assert_eq!((after.log_count, after.orphan_count, after.root.staged.len()), (0, 0, 0));
    store.close().await;
}

#[wasm_bindgen_test]
async fn a_log_that_is_compacted_on_demand_says_what_it_said() {
    check("on-demand", ON_DEMAND).await;
}

#[wasm_bindgen_test]
async fn a_log_that_is_compacted_as_it_grows_says_what_it_said() {
    check("eager", EAGER).await;
}
