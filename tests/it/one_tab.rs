//! One tab on a storage in memory, and short words for what tests append and read.

use std::future::Future;

use everfold::error::Error;
use everfold::event::{EventType, Json, NewEvent, Position, Revision, StreamName, Tag, UnixMillis};
use everfold::id::EventId;
use everfold::log::Expected;
use everfold::query::{AppendCondition, Query, QueryItem};
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Direction, Durability};
use everfold::store::Bounds;
use everfold::store::{
    AllRead, AppendRequest, Appended, Mark, MarkRequest, Marked, OpenOptions, Store, StreamRead, WriteRequest,
};
use everfold::testing::executor::{Executor, Scheduler};
use everfold::testing::faulty_storage::{Faults, FaultyStorage};
use everfold::testing::simulated_host::{Announcements, SimulatedHost, SimulatedOrigin, Supplements};
use everfold::testing::watched_storage::{Watch, WatchedStorage};

pub type TestStore = Store<FaultyStorage<MemoryStorage>, SimulatedHost>;
pub type WatchedStore = Store<WatchedStorage<FaultyStorage<MemoryStorage>>, SimulatedHost>;

/// A browser with one database, which has the faults that a test arms.
pub struct Browser {
    scheduler: Scheduler,
    origin: SimulatedOrigin,
    pub storage: MemoryStorage,
    pub faults: Faults,
}

impl Browser {
    pub async fn open(&self) -> TestStore {
        self.try_open().await.expect("a whole database opens")
    }

    /// The same browser with another database.
    pub fn beside(&self, storage: &MemoryStorage) -> Self {
        let (scheduler, origin) = (self.scheduler.clone(), self.origin.clone());
        Self { scheduler, origin, storage: storage.handle(), faults: Faults::default() }
    }

    /// Reaches what runs the browser.
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Has the code of supplements be there, or not.
    pub fn set_supplements(&self, supplements: Supplements) {
        self.origin.set_supplements(supplements);
    }

    pub async fn sleep(&self, duration_ms: u64) {
        self.scheduler.sleep(duration_ms).await;
    }

    pub async fn try_open(&self) -> Result<TestStore, Error> {
        self.open_with(RELAXED).await
    }

    /// A store of which the storage is watched.
    pub async fn open_watched(&self, watch: &Watch, options: OpenOptions) -> WatchedStore {
        let host = self.origin.host(self.origin.tab(), "test");
        let storage = FaultyStorage::new(self.storage.handle(), &self.faults);
        let opened = Store::open(WatchedStorage::new(storage, watch), host, options, |_| ()).await;
        opened.expect("a whole database opens")
    }

    pub async fn open_with(&self, options: OpenOptions) -> Result<TestStore, Error> {
        self.open_on(self.host(), options).await
    }

    /// What a store has of a tab of its own.
    pub fn host(&self) -> SimulatedHost {
        self.origin.host(self.origin.tab(), "test")
    }

    pub async fn open_on(&self, host: SimulatedHost, options: OpenOptions) -> Result<TestStore, Error> {
        let storage = FaultyStorage::new(self.storage.handle(), &self.faults);
        Store::open(storage, host, options, |_| ()).await
    }
}

pub const RELAXED: OpenOptions = OpenOptions { durability: Durability::Relaxed, bounds: Bounds::ON_DEMAND };

/// Runs a test in a browser of its own.
#[track_caller]
pub fn in_browser<F: Future<Output = ()>>(test: impl FnOnce(Browser) -> F) {
    let executor = Executor::new(1);
    // Announcements are hints: nothing may depend on them.
    let announcements = Announcements { lost_permille: 1_000, delay_ms_max: 0 };
    let origin = SimulatedOrigin::new(&executor.scheduler(), announcements);
    let browser = Browser {
        scheduler: executor.scheduler(),
        origin,
        storage: MemoryStorage::new(),
        faults: Faults::default(),
    };
    executor.run_until(test(browser)).expect("the test ends");
}

/// Runs a test on one open store.
#[track_caller]
pub fn in_one_tab<F: Future<Output = ()>>(test: impl FnOnce(TestStore) -> F) {
    in_browser(|browser| async move { test(browser.open().await).await });
}

pub fn name(stream: &str) -> StreamName {
    StreamName::new(stream).expect("a good name")
}

/// An event of this type, with `{"is":"<type>"}` for data.
pub fn event(event_type: &str) -> NewEvent {
    let data = Json::parse(format!("{{\"is\":\"{event_type}\"}}")).expect("good JSON");
    NewEvent { data: Some(data), ..NewEvent::new(EventType::new(event_type).expect("a good type")) }
}

pub fn tagged(event_type: &str, tags: &[&str]) -> NewEvent {
    let tags = tags.iter().map(|tag| Tag::new(*tag).expect("a good tag")).collect();
    NewEvent { tags, ..event(event_type) }
}

/// An event whose id is made of one number.
pub fn numbered(event_type: &str, number: u128) -> NewEvent {
    NewEvent { id: Some(id(number)), ..event(event_type) }
}

pub fn at(event_type: &str, time_ms: i64) -> NewEvent {
    NewEvent { time: Some(UnixMillis(time_ms)), ..event(event_type) }
}

pub fn id(number: u128) -> EventId {
    EventId::from_bytes(number.to_be_bytes())
}

pub fn write(stream: &str, expected: Expected, events: Vec<NewEvent>) -> WriteRequest {
    WriteRequest { stream: name(stream), expected, events }
}

pub async fn commit(store: &TestStore, writes: Vec<WriteRequest>) -> Result<Appended, Error> {
    store.append(AppendRequest { writes, condition: None, durability: None }).1.await
}

pub async fn append_if(
    store: &TestStore,
    stream: &str,
    expected: Expected,
    events: Vec<NewEvent>,
) -> Result<Appended, Error> {
    commit(store, vec![write(stream, expected, events)]).await
}

pub async fn append(store: &TestStore, stream: &str, events: Vec<NewEvent>) -> Appended {
    append_if(store, stream, Expected::Any, events).await.expect("an append that expects nothing")
}

pub async fn append_unless(
    store: &TestStore,
    query: Query,
    after: u64,
    stream: &str,
    events: Vec<NewEvent>,
) -> Result<Appended, Error> {
    let condition = Some(AppendCondition { fail_if_events_match: query, after: Position(after) });
    let writes = vec![write(stream, Expected::Any, events)];
    store.append(AppendRequest { writes, condition, durability: None }).1.await
}

pub async fn mark(store: &TestStore, stream: &str, mark: Mark) -> Result<Marked, Error> {
    let request = MarkRequest { stream: name(stream), expected: Expected::Any, mark, durability: None };
    store.mark(request).await
}

pub fn revision(revision: u64) -> Expected {
    Expected::Revision(Revision(revision))
}

pub fn item(types: &[&str], tags: &[&str], streams: &[&str], categories: &[&str]) -> QueryItem {
    let list = |names: &[&str]| (!names.is_empty()).then(|| names.iter().map(|it| (*it).into()).collect());
    QueryItem { types: list(types), categories: list(categories), tags: list(tags), streams: list(streams) }
}

pub fn query(items: Vec<QueryItem>) -> Query {
    Query::new(items).expect("a good query")
}

pub fn of_types(types: &[&str]) -> Query {
    query(vec![item(types, &[], &[], &[])])
}

pub fn whole_stream(stream: &str) -> StreamRead {
    StreamRead {
        stream: name(stream),
        from: Revision::FIRST,
        before: None,
        direction: Direction::Forwards,
        limit: None,
        as_of: None,
    }
}

pub fn whole_log() -> AllRead {
    AllRead::everything()
}

/// Reads a stream to its end, page after page, as `revision:type` words.
pub async fn read_stream(store: &TestStore, mut read: StreamRead) -> Result<String, Error> {
    let mut words = Vec::new();
    loop {
        let page = store.read_stream(&read).await?;
        words.extend(page.entries().map(|entry| match entry.body {
            everfold::codec::Body::Event { revision, event_type, .. } => format!("{revision}:{event_type}"),
            everfold::codec::Body::Fact(_) => panic!("a stream read gave a fact"),
        }));
        let Some(next) = page.next else { return Ok(words.join(" ")) };
        match read.direction {
            Direction::Forwards => read.from = Revision(next),
            Direction::Backwards => read.before = Some(Revision(next)),
        }
        read.as_of = Some(page.as_of);
        read.limit = read.limit.map(|limit| limit - page.events.len() as u64);
    }
}

/// Reads the log to its end, page after page, as `position:type` words.
pub async fn read_all(store: &TestStore, mut read: AllRead) -> Result<String, Error> {
    let mut words = Vec::new();
    loop {
        let page = store.read_all(&read).await?;
        words.extend(page.entries().map(|entry| match entry.body {
            everfold::codec::Body::Event { event_type, .. } => format!("{}:{event_type}", entry.position),
            everfold::codec::Body::Fact(fact) => format!("{}:{}", entry.position, fact.type_name()),
        }));
        let Some(next) = page.next else { return Ok(words.join(" ")) };
        match read.direction {
            Direction::Forwards => read.after = Position(next),
            Direction::Backwards => read.before = Some(Position(next)),
        }
        read.as_of = Some(page.as_of);
        read.limit = read.limit.map(|limit| limit - page.events.len() as u64);
    }
}
